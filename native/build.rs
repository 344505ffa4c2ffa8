//! Generates the tables of characters that the normalisers use.
//!
//! Nearly all characters pass through a normaliser unchanged, whatever surrounds them. One table look-up
//! tells which, so that normalising runs at the speed of copying. The tables are generated from crates
//! that implement Unicode, which must all follow the same version of it.

use std::collections::HashMap;
use std::fmt::{Debug, Write as _};
use std::hash::Hash;
use std::{env, fs, path::Path};

use icu_casemap::{CaseMapper, CaseMapperBorrowed};
use icu_properties::props::DefaultIgnorableCodePoint;
use icu_properties::{CodePointMapData, CodePointSetData, CodePointSetDataBorrowed, props};
use unicode_normalization::char::canonical_combining_class;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};
use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory};

const PAGE: u32 = 256;
const CODE_POINTS: u32 = 0x11_0000;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    require_one_unicode_version();
    write("classes.rs", &table("CLASS", "u8", |code| char::from_u32(code).map_or(0, nfc_class)));

    let mut loose = Loose::new();
    let mut source = table("LOOSE", "u16", |code| char::from_u32(code).map_or(0, |c| loose.class(c)));
    let Loose { text, ends, .. } = loose;
    writeln!(source, "static LOOSE_ENDS: [u32; {}] = {ends:?};", ends.len()).unwrap();
    writeln!(source, "static LOOSE_TEXT: &str = {text:?};").unwrap();
    write("loose.rs", &source);
}

/// Write a source file that the crate includes.
fn write(name: &str, source: &str) {
    let out = Path::new(&env::var("OUT_DIR").expect("cargo sets OUT_DIR")).join(name);
    fs::write(out, source).expect("the build directory can be written");
}

/// Fail unless all crates follow the same version of Unicode.
///
/// ICU does not say which version it follows, but the assigned code points identify a version.
fn require_one_unicode_version() {
    let (major, minor, patch) = unicode_normalization::UNICODE_VERSION;
    let expected = (u64::from(major), u64::from(minor), u64::from(patch));
    assert_eq!(unicode_properties::UNICODE_VERSION, expected, "unicode-properties");
    let icu = CodePointMapData::<props::GeneralCategory>::new();
    for c in '\0'..=char::MAX {
        let assigned = c.general_category() != GeneralCategory::Unassigned;
        assert_eq!(icu.get(c) != props::GeneralCategory::Unassigned, assigned, "ICU, {c:?}");
    }
}

/// Generate a table of a number for every code point, in pages; equal pages are stored once.
fn table<T: Clone + Debug + Eq + Hash>(name: &str, kind: &str, mut class: impl FnMut(u32) -> T) -> String {
    let mut page_numbers: HashMap<Vec<T>, usize> = HashMap::new();
    let mut pages: Vec<Vec<T>> = Vec::new();
    let mut index = Vec::new();
    for page in 0..CODE_POINTS / PAGE {
        let classes: Vec<T> = (page * PAGE..(page + 1) * PAGE).map(&mut class).collect();
        let number = *page_numbers.entry(classes.clone()).or_insert_with(|| {
            pages.push(classes);
            pages.len() - 1
        });
        index.push(u8::try_from(number).expect("fewer than 256 distinct pages"));
    }
    let mut source = String::new();
    writeln!(source, "static {name}_INDEX: [u8; {}] = {index:?};", index.len()).unwrap();
    writeln!(source, "static {name}_PAGES: [[{kind}; {PAGE}]; {}] = {pages:?};", pages.len()).unwrap();
    source
}

/// Return the class of a character for `spaces.rs`, which documents the numbers.
fn nfc_class(c: char) -> u8 {
    if c.is_whitespace() {
        1
    } else if !is_nfc_inert(c) {
        3
    } else if canonical_combining_class(c) != 0 {
        2
    } else {
        0
    }
}

/// Whether NFC neither replaces the character nor composes it with one before it.
fn is_nfc_inert(c: char) -> bool {
    is_nfc_quick(std::iter::once(c)) == IsNormalized::Yes
}

// The classes of `loose.rs`, which documents them.
const KEPT: u16 = 0;
const SEPARATOR: u16 = 1;
const FREE_MARK: u16 = 2;
const MARK: u16 = 3;
const COMPOSING_MARK: u16 = 4;
const COMPLEX: u16 = 5;
const IGNORABLE: u16 = 6;
const FIRST_MAPPED: u16 = 7;

/// A mark that folds to a letter, whose place differs from that of the mark.
const YPOGEGRAMMENI: char = '\u{345}';

/// The table of `loose.rs` under construction.
struct Loose {
    fold: CaseMapperBorrowed<'static>,
    ignorable: CodePointSetDataBorrowed<'static>,
    numbers: HashMap<String, u16>,
    text: String,
    ends: Vec<usize>,
}

impl Loose {
    fn new() -> Self {
        Self {
            fold: CaseMapper::new(),
            ignorable: CodePointSetData::new::<DefaultIgnorableCodePoint>(),
            numbers: HashMap::new(),
            text: String::new(),
            ends: vec![0],
        }
    }

    /// Return what a single character becomes, before separators are replaced.
    fn folded(&self, c: char) -> String {
        let decomposed: String = std::iter::once(c).nfkd().collect();
        assert!(
            !decomposed.contains(|part| self.ignorable.contains(part)),
            "{c:?} decomposes to an ignorable character"
        );
        for part in decomposed.chars().filter(|part| *part != YPOGEGRAMMENI) {
            // `loose.rs` folds once, and composes after that.
            let folded = self.fold.fold_string(part.encode_utf8(&mut [0; 4])).into_owned();
            assert!(folded.nfkd().eq(folded.chars()), "{part:?} folds to a decomposable character");
            assert_eq!(self.fold.fold_string(&folded), folded, "{part:?} folds twice");
            let is_order_kept = folded.starts_with(part) || canonical_combining_class(part) == 0;
            assert!(is_order_kept, "{part:?} is a mark that folds");
        }
        self.fold.fold_string(&decomposed).nfc().collect()
    }

    /// Return the class of a character for `loose.rs`, which documents the numbers.
    fn class(&mut self, c: char) -> u16 {
        if self.ignorable.contains(c) {
            return IGNORABLE;
        }
        let folded = self.folded(c);
        if folded.chars().eq([c]) {
            return self.class_of_fixed(c);
        }
        if std::iter::once(c).nfkd().any(|part| part == YPOGEGRAMMENI) {
            return COMPLEX;
        }
        let mut mapped = String::new();
        for part in folded.chars() {
            match self.class_of_fixed(part) {
                SEPARATOR if mapped.ends_with(' ') => {}
                SEPARATOR => mapped.push(' '),
                // A mark on a separator belongs to it.
                FREE_MARK | MARK | COMPOSING_MARK if mapped.ends_with(' ') => {}
                KEPT => mapped.push(part),
                FREE_MARK if !mapped.is_empty() => mapped.push(part),
                _ => return COMPLEX,
            }
        }
        if mapped == " " { SEPARATOR } else { self.number(mapped) }
    }

    /// Return the class of a character that folding leaves unchanged.
    fn class_of_fixed(&self, c: char) -> u16 {
        match (c.general_category_group(), canonical_combining_class(c), is_nfc_inert(c)) {
            (GeneralCategoryGroup::Letter | GeneralCategoryGroup::Number, 0, true) => KEPT,
            (GeneralCategoryGroup::Letter | GeneralCategoryGroup::Number, ..) => COMPLEX,
            (GeneralCategoryGroup::Mark, 0, true) => FREE_MARK,
            (GeneralCategoryGroup::Mark, _, true) => MARK,
            (GeneralCategoryGroup::Mark, _, false) => COMPOSING_MARK,
            (_, ccc, is_inert) => {
                assert!(ccc == 0 && is_inert, "{c:?} is a separator that combines");
                SEPARATOR
            }
        }
    }

    /// Return the class of characters that become `mapped`, adding the text if it is new.
    fn number(&mut self, mapped: String) -> u16 {
        let (text, ends) = (&mut self.text, &mut self.ends);
        *self.numbers.entry(mapped).or_insert_with_key(|mapped| {
            text.push_str(mapped);
            ends.push(text.len());
            FIRST_MAPPED + u16::try_from(ends.len() - 2).expect("fewer than 65,000 mappings")
        })
    }
}
