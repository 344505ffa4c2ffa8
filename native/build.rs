//! Writes the character-class table that `normalize.rs` looks characters up in.
//!
//! Nearly all characters pass through NFC unchanged, whatever stands next to them. Knowing which
//! ones do, by one table look-up, is what keeps normalising at the speed of copying. The table is
//! derived here from the `unicode-normalization` crate, so that both always speak of the same
//! Unicode version.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::{env, fs, path::Path};

use unicode_normalization::char::canonical_combining_class;
use unicode_normalization::{IsNormalized, is_nfc_quick};

const PAGE: u32 = 256;

/// The class of a code point; `normalize.rs` documents the numbers.
fn class(code: u32) -> u8 {
    let Some(c) = char::from_u32(code) else { return 0 };
    if c.is_whitespace() {
        return 1;
    }
    if is_nfc_quick(std::iter::once(c)) != IsNormalized::Yes {
        return 3;
    }
    if canonical_combining_class(c) != 0 { 2 } else { 0 }
}

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let mut page_numbers: HashMap<Vec<u8>, usize> = HashMap::new();
    let mut pages: Vec<Vec<u8>> = Vec::new();
    let mut index = Vec::new();
    for page in 0..0x11_0000 / PAGE {
        let classes: Vec<u8> = (page * PAGE..(page + 1) * PAGE).map(class).collect();
        let number = *page_numbers.entry(classes.clone()).or_insert_with(|| {
            pages.push(classes);
            pages.len() - 1
        });
        index.push(u8::try_from(number).expect("fewer than 256 distinct pages"));
    }

    let mut source = String::new();
    writeln!(source, "static CLASS_INDEX: [u8; {}] = {index:?};", index.len()).unwrap();
    writeln!(source, "static CLASS_PAGES: [[u8; {PAGE}]; {}] = {pages:?};", pages.len()).unwrap();
    let out = Path::new(&env::var("OUT_DIR").expect("cargo sets OUT_DIR")).join("classes.rs");
    fs::write(out, source).expect("the build directory can be written");
}
