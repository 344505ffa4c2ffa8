//! The normaliser `loose`: finds text through changed case, quotes, punctuation and line breaks.
//!
//! The definition, in full in `docs/FORMAT.md`: Default_Ignorable_Code_Points out, NFKD, full case
//! folding, NFC; then every run of characters that are no letters, numbers or marks on either
//! becomes one U+0020, and the ends are trimmed. Three things make it one pass over the text. What
//! most characters become does not depend on what surrounds them, and stands in a table (`build.rs`).
//! The others lie in runs that only reach back to the last character written. And nothing composes
//! with or across a separator.

use unicode_normalization::char::{canonical_combining_class, decompose_canonical, decompose_compatible};

use crate::compose::{Piece, compose_pieces, make_monotone, order_pieces};
use crate::normalize::{HIGH, LOW, Normalized, Scratch, ascii_prefix};
use crate::origins::Recorder;
use crate::writer::{Ascii, Writer, between};

include!(concat!(env!("OUT_DIR"), "/loose.rs"));

/// A letter or number that stays as it is, whatever stands before it.
const KEPT: u16 = 0;
/// Becomes a space.
const SEPARATOR: u16 = 1;
/// A mark of combining class 0 that composes with nothing before it.
const FREE_MARK: u16 = 2;
/// A mark that composes with nothing before it but has to stand in canonical order.
const MARK: u16 = 3;
/// A mark that may compose with what stands before it.
const COMPOSING_MARK: u16 = 4;
// 5: what comes apart into several of these, and letters that may compose with one before them.
/// A Default_Ignorable_Code_Point.
const IGNORABLE: u16 = 6;
/// This and all above: becomes one of the texts in the table, made of letters, numbers, spaces and
/// free marks, and beginning with one of the first three.
const FIRST_MAPPED: u16 = 7;

#[inline(always)]
fn class(c: char) -> u16 {
    let code = c as usize;
    LOOSE_PAGES[LOOSE_INDEX[code >> 8] as usize][code & 0xFF]
}

#[inline(always)]
fn mapped(class: u16) -> &'static str {
    let i = usize::from(class - FIRST_MAPPED);
    &LOOSE_TEXT[LOOSE_ENDS[i] as usize..LOOSE_ENDS[i + 1] as usize]
}

/// Letters in lower case and digits; anything else is a space.
struct Alphanumeric;

impl Ascii for Alphanumeric {
    #[inline(always)]
    fn word(word: u64) -> (u64, u64) {
        let upper = between(word, b'A'.into(), b'Z'.into());
        let lower = word | (upper >> 2);
        let space =
            !(between(lower, b'a'.into(), b'z'.into()) | between(lower, b'0'.into(), b'9'.into())) & HIGH;
        // 0xFF in every byte of a space.
        let mask = (space >> 7) * 0xFF;
        ((lower & !mask) | ((LOW * 0x20) & mask), space)
    }

    #[inline(always)]
    fn byte(byte: u8) -> u8 {
        if byte.is_ascii_alphanumeric() { byte.to_ascii_lowercase() } else { b' ' }
    }
}

/// Normalise `text`.
pub fn loose<'a, R: Recorder>(text: &str, scratch: &'a mut Scratch, recorder: &mut R) -> Normalized<'a> {
    let mut loose = Loose(Writer::new(scratch, text.len(), recorder));
    let mut rest = text;
    while !rest.is_empty() {
        let (ascii, others) = rest.split_at(ascii_prefix(rest.as_bytes()));
        loose.0.ascii::<Alphanumeric>(ascii.as_bytes());
        rest = loose.others(others);
    }
    let (len, n_chars) = loose.0.finish();
    Normalized { bytes: &scratch.output[..len], n_chars }
}

struct Loose<'a, R: Recorder>(Writer<'a, R>);

impl<R: Recorder> Loose<'_, R> {
    /// Everything up to the next ASCII character; returns the text from there on.
    fn others<'t>(&mut self, text: &'t str) -> &'t str {
        let mut rest = text;
        loop {
            let mut n_bytes = 0;
            let mut n_chars = 0;
            let mut found = None;
            for c in rest.chars() {
                let class = class(c);
                if class != KEPT || c.is_ascii() {
                    found = (!c.is_ascii()).then_some((c, class));
                    break;
                }
                n_bytes += c.len_utf8();
                n_chars += 1;
            }
            if n_bytes > 0 {
                self.0.reserve(n_bytes);
                self.0.copy(&rest.as_bytes()[..n_bytes], n_chars);
                rest = &rest[n_bytes..];
            }
            let Some((c, class)) = found else { return rest };
            match class {
                SEPARATOR => {
                    self.0.reserve(1);
                    self.0.space();
                }
                FREE_MARK if self.0.after_space => self.drop_chars(1),
                FREE_MARK => {
                    self.0.reserve(c.len_utf8());
                    self.0.copy(&rest.as_bytes()[..c.len_utf8()], 1);
                }
                FIRST_MAPPED.. => self.replace(mapped(class)),
                _ => {
                    rest = self.run(rest);
                    continue;
                }
            }
            rest = &rest[c.len_utf8()..];
        }
    }

    /// Leave out so many characters that stand on a space, or on nothing.
    fn drop_chars(&mut self, n_chars: usize) {
        self.0.chars_in += n_chars;
        self.0.absorb_to(self.0.chars_in);
    }

    /// A character that becomes `text`.
    #[inline(always)]
    fn replace(&mut self, text: &str) {
        let is_one = text.as_bytes()[1..].iter().all(|byte| byte & 0xC0 == 0x80);
        if is_one {
            self.0.reserve(text.len());
            self.0.copy(text.as_bytes(), 1);
        } else {
            let at = self.0.chars_in;
            text.chars().for_each(|c| self.put(c, at, at + 1));
            self.0.chars_in += 1;
        }
    }

    /// A character of the output, or a space that may be left out.
    fn put(&mut self, c: char, start: usize, end: usize) {
        if c != ' ' {
            self.0.put(c, start, end);
        } else if self.0.after_space {
            self.0.absorb_to(end);
        } else {
            self.0.put(' ', start, end);
        }
        self.0.after_space = c == ' ';
    }

    /// A run of characters that depend on what surrounds them, at the start of `text`; returns what
    /// follows it.
    fn run<'t>(&mut self, text: &'t str) -> &'t str {
        let mut n_bytes = 0;
        let mut n_chars = 0;
        let mut last_ccc = 0;
        let mut is_nfc = true;
        for c in text.chars() {
            let class = class(c);
            if !(MARK..=IGNORABLE).contains(&class) {
                break;
            }
            let ccc = canonical_combining_class(c);
            is_nfc &= class == MARK && last_ccc <= ccc;
            last_ccc = ccc;
            n_bytes += c.len_utf8();
            n_chars += 1;
        }
        let (run, rest) = text.split_at(n_bytes);
        if !is_nfc {
            self.recompose(run, n_chars);
        } else if self.0.after_space {
            self.drop_chars(n_chars);
        } else {
            self.0.reserve(n_bytes);
            self.0.copy(run.as_bytes(), n_chars);
        }
        rest
    }

    /// The last character written and `run`, a maximal run of such characters, by the definition.
    ///
    /// Nothing before that character can be touched: it is a starter that composes with nothing
    /// before it, or a space. Nothing after the run can: it begins with another such character.
    fn recompose(&mut self, run: &str, n_chars: usize) {
        let mut segment = std::mem::take(self.0.segment);
        segment.clear();
        let first = self.0.chars_in;
        if !self.0.after_space {
            let base = self.0.take_back();
            decompose_canonical(base, |c| segment.push(Piece::new(c, first - 1)));
        }
        for (c, at) in run.chars().zip(first..) {
            if class(c) != IGNORABLE {
                decompose_compatible(c, |c| segment.push(Piece::new(c, at)));
            } else if let Some(piece) = segment.last_mut() {
                piece.end = at + 1;
            } else {
                self.0.absorb_to(at + 1);
            }
        }
        order_pieces(&mut segment);
        fold_pieces(&segment, self.0.composed);
        compose_pieces(self.0.composed, &mut segment);
        make_monotone(&mut segment);
        for piece in &segment {
            match class(piece.c) {
                SEPARATOR => self.put(' ', piece.start, piece.end),
                FREE_MARK | MARK | COMPOSING_MARK if self.0.after_space => self.0.absorb_to(piece.end),
                _ => self.put(piece.c, piece.start, piece.end),
            }
        }
        self.0.chars_in += n_chars;
        *self.0.segment = segment;
    }
}

/// Full case folding of pieces that are their own NFKD.
fn fold_pieces(pieces: &[Piece], folded: &mut Vec<Piece>) {
    folded.clear();
    for piece in pieces {
        match (piece.c, class(piece.c)) {
            // The one mark that folds to a letter; it has been ordered as a mark.
            ('\u{345}', _) => folded.push(Piece { c: 'ι', ccc: 0, ..*piece }),
            // Letters, and starters like the one they stand for.
            (_, class @ FIRST_MAPPED..) => {
                folded.extend(mapped(class).chars().map(|c| Piece { c, ..*piece }));
            }
            _ => folded.push(*piece),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::normalize::Normalizer;
    use crate::origins::{Forget, Origins};
    use icu_casemap::CaseMapper;
    use icu_properties::{CodePointSetData, props::DefaultIgnorableCodePoint};
    use proptest::prelude::*;
    use unicode_normalization::UnicodeNormalization;
    use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};

    fn loosened(text: &str) -> (String, Vec<(usize, usize)>) {
        let mut scratch = Scratch::default();
        let mut origins = Origins::default();
        let normalized = Normalizer::Loose.apply(text, &mut scratch, &mut origins);
        let spans = (0..normalized.n_chars).map(|i| origins.of(i)).collect();
        let output = normalized.text().to_owned();
        assert_eq!(output.chars().count(), normalized.n_chars);
        (output, spans)
    }

    /// The definition, read off other crates.
    fn expected(text: &str) -> String {
        let ignorable = CodePointSetData::new::<DefaultIgnorableCodePoint>();
        let seen: String = text.chars().filter(|c| !ignorable.contains(*c)).nfkd().collect();
        let folded: String = CaseMapper::new().fold_string(&seen).nfc().collect();
        let mut output = String::new();
        for c in folded.chars() {
            let stays = match c.general_category_group() {
                GeneralCategoryGroup::Letter | GeneralCategoryGroup::Number => true,
                GeneralCategoryGroup::Mark => !output.is_empty() && !output.ends_with(' '),
                _ => false,
            };
            if stays {
                output.push(c);
            } else if !output.is_empty() && !output.ends_with(' ') {
                output.push(' ');
            }
        }
        output.trim_end_matches(' ').to_owned()
    }

    #[test]
    fn what_is_no_letter_becomes_one_space_with_the_whole_run_as_origin() {
        let (output, spans) = loosened("«It's,\r\n-- HERE!");
        assert_eq!(output, "it s here");
        let starts = [1, 2, 3, 4, 5, 11, 12, 13, 14];
        let ends = [2, 3, 4, 5, 11, 12, 13, 14, 15];
        assert_eq!(spans, starts.into_iter().zip(ends).collect::<Vec<_>>());
    }

    #[test]
    fn expansions_stand_for_one_character_and_compositions_for_all_their_parts() {
        assert_eq!(loosened("xﬁÉ").1, [(0, 1), (1, 2), (1, 2), (2, 3)]);
        assert_eq!(loosened("ﬁ\u{301}y"), ("fíy".into(), vec![(0, 1), (0, 2), (2, 3)]));
        assert_eq!(loosened("aß\u{307}\u{ad}½x").0, "asṡ1 2x");
        assert_eq!(loosened("aß\u{307}\u{ad}½x").1, [(0, 1), (1, 2), (1, 4), (4, 5), (4, 5), (4, 5), (5, 6)]);
    }

    #[test]
    fn the_tables_are_those_that_version_1_is_defined_by() {
        // A newer Unicode makes letters of what was not assigned: whoever changes this number decides
        // what that means for portraits of version 1, and says so in FORMAT.md.
        assert_eq!(crate::normalize::UNICODE_VERSION.0, 18);
    }

    #[test]
    fn every_character_alone_and_among_others_follows_the_definition() {
        for c in '\0'..=char::MAX {
            let around = [
                format!("{c}"),
                format!("a{c}b"),
                format!("{c}\u{301}{c}"),
                format!("α\u{345}{c}\u{323}ﬁ{c}{c} {c}"),
                format!("\u{1100}{c}\u{11a8}.{c}\u{34f}\u{1161}{c}"),
            ];
            for text in around {
                assert_eq!(loosened(&text).0, expected(&text), "{text:?}");
            }
        }
    }

    proptest! {
        #[test]
        fn arbitrary_text_follows_the_definition(
            text in r"([ -~]{0,9}|[\t\n\x0b\x0c\r \u{85}\u{a0}\u{2000}]{1,9}|[\u{300}-\u{36f}]{1,4}|[\u{1100}-\u{11ff}]{1,3}|[\u{200b}-\u{200f}]{1,2}|[\u{1f80}-\u{1fff}]{1,3}|\PC{0,5})*"
        ) {
            let (output, spans) = loosened(&text);
            prop_assert_eq!(&output, &expected(&text));
            prop_assert_eq!(&loosened(&output).0, &output);
            let mut scratch = Scratch::default();
            let plain = Normalizer::Loose.apply(&text, &mut scratch, &mut Forget);
            prop_assert_eq!(plain.bytes, output.as_bytes());
            prop_assert!(spans.windows(2).all(|pair| pair[0].0 <= pair[1].0 && pair[0].1 <= pair[1].1));
            for other in [text.nfc().collect::<String>(), text.nfd().collect(), text.nfkc().collect()] {
                prop_assert_eq!(&loosened(&other).0, &output);
            }
        }
    }
}
