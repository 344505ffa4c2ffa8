//! The normaliser `spaces`: NFC, every run of White_Space becomes one U+0020, ends trimmed.
//!
//! Characters beyond ASCII are looked up in a table (`build.rs`); only those that NFC can change,
//! or that can change their neighbours, leave the copying loop.

use unicode_normalization::char::{canonical_combining_class, decompose_canonical};

use crate::compose::{Piece, compose_pieces, make_monotone, order_pieces};
use crate::normalize::{LOW, Normalized, Scratch, WORD, ascii_prefix};
use crate::origins::Recorder;
use crate::writer::{Ascii, Writer, between};

include!(concat!(env!("OUT_DIR"), "/classes.rs"));

/// NFC leaves the character alone, whatever surrounds it.
const INERT: u8 = 0;
/// White_Space.
const SPACE: u8 = 1;
/// A combining mark that never composes but has to stand in canonical order.
const MARK: u8 = 2;
// 3: a character that NFC may replace or compose with the one before it.

#[inline(always)]
fn class(c: char) -> u8 {
    let code = c as usize;
    CLASS_PAGES[CLASS_INDEX[code >> 8] as usize][code & 0xFF]
}

/// U+0009 to U+000D become a space, everything else stays.
struct WhiteSpace;

impl Ascii for WhiteSpace {
    #[inline(always)]
    fn word(word: u64) -> (u64, u64) {
        let space = between(word, 0x09, 0x0D) | between(word, 0x20, 0x20);
        // 0xFF in every white-space byte.
        let mask = (space >> 7) * 0xFF;
        ((word & !mask) | ((LOW * 0x20) & mask), space)
    }

    #[inline(always)]
    fn byte(byte: u8) -> u8 {
        if byte.is_ascii_whitespace() || byte == 0x0B { b' ' } else { byte }
    }
}

/// Normalise `text`.
pub fn spaces<'a, R: Recorder>(text: &str, scratch: &'a mut Scratch, recorder: &mut R) -> Normalized<'a> {
    let mut spaces = Spaces(Writer::new(scratch, text.len(), recorder));
    let mut rest = text;
    while !rest.is_empty() {
        let (ascii, others) = rest.split_at(ascii_prefix(rest.as_bytes()));
        spaces.0.ascii::<WhiteSpace>(ascii.as_bytes());
        rest = spaces.others(others);
    }
    let (len, n_chars) = spaces.0.finish();
    Normalized { bytes: &scratch.output[..len], n_chars }
}

struct Spaces<'a, R: Recorder>(Writer<'a, R>);

impl<R: Recorder> Spaces<'_, R> {
    /// Everything up to the next ASCII character; returns the text from there on.
    fn others<'t>(&mut self, text: &'t str) -> &'t str {
        self.0.reserve(text.len().min(4 * WORD));
        let mut rest = text;
        loop {
            let mut n_bytes = 0;
            let mut n_chars = 0;
            let mut found = None;
            for c in rest.chars() {
                let class = class(c);
                if class != INERT || c.is_ascii() {
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
            match found {
                None => return rest,
                Some((c, SPACE)) => {
                    self.0.reserve(1);
                    self.0.space();
                    rest = &rest[c.len_utf8()..];
                }
                Some(_) => rest = self.marks(rest),
            }
        }
    }

    /// A run of characters that are not inert, at the start of `text`; returns what follows it.
    fn marks<'t>(&mut self, text: &'t str) -> &'t str {
        let mut n_bytes = 0;
        let mut n_chars = 0;
        let mut last_ccc = 0;
        let mut is_nfc = true;
        for c in text.chars() {
            let class = class(c);
            if class < MARK {
                break;
            }
            let ccc = canonical_combining_class(c);
            is_nfc &= class == MARK && last_ccc <= ccc;
            last_ccc = ccc;
            n_bytes += c.len_utf8();
            n_chars += 1;
        }
        let (run, rest) = text.split_at(n_bytes);
        if is_nfc {
            self.0.reserve(n_bytes);
            self.0.copy(run.as_bytes(), n_chars);
        } else {
            self.recompose(run, n_chars);
        }
        rest
    }

    /// NFC of the last character written and `run`, a maximal run of characters that are not inert.
    ///
    /// Nothing before that character can be touched: it is inert itself, or white space, with
    /// which nothing composes. Nothing after the run can: it begins with an inert character or
    /// white space.
    fn recompose(&mut self, run: &str, n_chars: usize) {
        let writer = &mut self.0;
        writer.segment.clear();
        if !writer.after_space {
            let base = writer.take_back();
            push_decomposed(writer.segment, base, writer.chars_in - 1);
        }
        for (i, c) in run.chars().enumerate() {
            push_decomposed(writer.segment, c, writer.chars_in + i);
        }
        order_pieces(writer.segment);
        compose_pieces(writer.segment, writer.composed);
        make_monotone(writer.composed);
        for i in 0..writer.composed.len() {
            let Piece { c, start, end, .. } = writer.composed[i];
            writer.put(c, start, end);
        }
        writer.chars_in += n_chars;
        writer.after_space = false;
    }
}

fn push_decomposed(segment: &mut Vec<Piece>, c: char, at: usize) {
    decompose_canonical(c, |c| segment.push(Piece::new(c, at)));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::normalize::Normalizer;
    use crate::origins::{Forget, Origins};
    use proptest::prelude::*;
    use unicode_normalization::UnicodeNormalization;
    use unicode_normalization::char::compose;

    fn spaced(text: &str) -> (String, Vec<(usize, usize)>) {
        let mut scratch = Scratch::default();
        let mut origins = Origins::default();
        let normalized = Normalizer::Spaces.apply(text, &mut scratch, &mut origins);
        let spans = (0..normalized.n_chars).map(|i| origins.of(i)).collect();
        let output = String::from_utf8(normalized.bytes.to_vec()).unwrap();
        assert_eq!(output.chars().count(), normalized.n_chars);
        (output, spans)
    }

    /// The definition, read off the Unicode crate.
    fn expected(text: &str) -> String {
        text.nfc()
            .collect::<String>()
            .split(char::is_whitespace)
            .filter(|word| !word.is_empty())
            .collect::<Vec<_>>()
            .join(" ")
    }

    #[test]
    fn white_space_runs_become_one_space_with_the_whole_run_as_origin() {
        let (output, spans) = spaced(" \t a\r\n\r\n b\u{3000}\u{2009}c ");
        assert_eq!(output, "a b c");
        assert_eq!(spans, [(3, 4), (4, 9), (9, 10), (10, 12), (12, 13)]);
    }

    #[test]
    fn composition_and_reordering_keep_the_hull_of_their_origins() {
        let (output, spans) = spaced("xe\u{301}y");
        assert_eq!(output, "x\u{e9}y");
        assert_eq!(spans, [(0, 1), (1, 3), (3, 4)]);
        let (output, spans) = spaced("a\u{301}\u{323}z");
        assert_eq!(output, "\u{1ea1}\u{301}z");
        assert_eq!(spans, [(0, 3), (1, 3), (3, 4)]);
    }

    #[test]
    fn nothing_composes_with_white_space_and_only_white_space_decomposes_to_it() {
        for c in ('\0'..=char::MAX).filter(|c| !c.is_whitespace()) {
            for space in ['\u{20}', '\u{a0}', '\u{2002}', '\u{3000}'] {
                assert_eq!(compose(space, c), None);
            }
            let mut has_space = false;
            decompose_canonical(c, |part| has_space |= part.is_whitespace());
            assert!(!has_space, "{c:?}");
        }
    }

    #[test]
    fn every_character_alone_and_between_letters_follows_the_definition() {
        for c in '\0'..=char::MAX {
            for text in [format!("{c}"), format!("a{c}b"), format!("{c}\u{301}{c}")] {
                assert_eq!(spaced(&text).0, expected(&text), "{text:?}");
            }
        }
    }

    proptest! {
        #[test]
        fn arbitrary_text_follows_the_definition(
            text in r"([ -~]{0,9}|[\t\n\x0b\x0c\r \u{85}\u{a0}\u{2000}]{1,9}|[\u{300}-\u{36f}]{1,4}|[\u{1100}-\u{11ff}]{1,3}|\PC{0,5})*"
        ) {
            let (output, spans) = spaced(&text);
            prop_assert_eq!(&output, &expected(&text));
            let mut scratch = Scratch::default();
            let plain = Normalizer::Spaces.apply(&text, &mut scratch, &mut Forget);
            prop_assert_eq!(plain.bytes, output.as_bytes());
            // What a passage's origin holds normalises back to a text that holds the passage.
            let chars: Vec<char> = text.chars().collect();
            for (i, c) in output.chars().enumerate() {
                let (start, end) = spans[i];
                let origin: String = chars[start..end].iter().collect();
                let whole = if c == ' ' { " ".into() } else { origin.nfc().collect::<String>() };
                prop_assert!(whole.contains(c), "{c:?} not in {origin:?}");
                prop_assert!(i == 0 || (spans[i - 1].0 <= start && spans[i - 1].1 <= end));
            }
        }
    }
}
