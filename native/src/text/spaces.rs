//! The normaliser `spaces`: NFC, every run of White_Space becomes one U+0020, ends trimmed.
//!
//! Characters beyond ASCII are classified by a table (`build.rs`); only those that NFC can change, or
//! that can change their neighbours, leave the copying loop.

use unicode_normalization::char::decompose_canonical;

use super::bytes::{LOW, between};
use super::compose::{Piece, compose_pieces, make_monotone, order_pieces};
use super::normalized::{Normalized, Scratch};
use super::origins::Recorder;
use super::writer::{Rule, Run, Writer, normalize};
use crate::interrupt::{STEP, tick};

include!(concat!(env!("OUT_DIR"), "/classes.rs"));

/// A character that NFC leaves alone, whatever surrounds it.
const INERT: u8 = 0;
/// White_Space.
const SPACE: u8 = 1;
/// A combining mark that never composes but has to be put in canonical order.
const MARK: u8 = 2;
// 3: a character that NFC may replace or compose with the one before it.

/// Normalise `text`.
pub fn spaces<'a, R: Recorder>(text: &str, scratch: &'a mut Scratch, recorder: &mut R) -> Normalized<'a> {
    normalize::<Spaces, R>(text, scratch, recorder)
}

struct Spaces;

impl Rule for Spaces {
    type Class = u8;
    const UNCHANGED: u8 = INERT;
    const MARK: u8 = MARK;

    /// U+0009 to U+000D become a space, everything else stays.
    #[inline(always)]
    fn ascii_word(word: u64) -> (u64, u64) {
        let space = between(word, 0x09, 0x0D) | between(word, 0x20, 0x20);
        // 0xFF in every white-space byte.
        let mask = (space >> 7) * 0xFF;
        ((word & !mask) | ((LOW * 0x20) & mask), space)
    }

    #[inline(always)]
    fn ascii_byte(byte: u8) -> u8 {
        if byte.is_ascii_whitespace() || byte == 0x0B { b' ' } else { byte }
    }

    #[inline(always)]
    fn class(c: char) -> u8 {
        let code = c as usize;
        CLASS_PAGES[CLASS_INDEX[code >> 8] as usize][code & 0xFF]
    }

    #[inline(always)]
    fn depends_on_others(class: u8) -> bool {
        class >= MARK
    }

    #[inline(always)]
    fn write<'t, R: Recorder>(writer: &mut Writer<R>, rest: &'t str, c: char, class: u8) -> &'t str {
        if class == SPACE {
            writer.reserve(1);
            writer.space();
            &rest[c.len_utf8()..]
        } else {
            write_run(writer, rest)
        }
    }
}

/// Write the run of characters that are neither inert nor white space at the start of `text`; return
/// what follows it.
fn write_run<'t, R: Recorder>(writer: &mut Writer<R>, text: &'t str) -> &'t str {
    let (run, rest) = Run::split::<Spaces>(text);
    if run.is_composed {
        writer.reserve(run.text.len());
        writer.copy(run.text.as_bytes(), run.n_chars);
    } else {
        recompose(writer, &run);
    }
    rest
}

/// Write NFC of the last character written and the run after it.
///
/// Nothing before that character can change: it is inert itself, or white space, with which nothing
/// composes. Nothing after the run can: it begins with an inert character or white space.
fn recompose<R: Recorder>(writer: &mut Writer<R>, run: &Run) {
    writer.segment.clear();
    if !writer.after_space {
        let base = writer.take_back();
        push_decomposed(writer.segment, base, writer.chars_in - 1);
    }
    for (i, c) in run.text.chars().enumerate() {
        push_decomposed(writer.segment, c, writer.chars_in + i);
        if i % STEP == STEP - 1 {
            tick(16 * STEP);
        }
    }
    order_pieces(writer.segment);
    compose_pieces(writer.segment, writer.composed);
    make_monotone(writer.composed);
    for i in 0..writer.composed.len() {
        let Piece { c, start, end, .. } = writer.composed[i];
        writer.put(c, start, end);
        if i % STEP == STEP - 1 {
            tick(4 * STEP);
        }
    }
    writer.chars_in += run.n_chars;
    writer.after_space = false;
}

fn push_decomposed(segment: &mut Vec<Piece>, c: char, at: usize) {
    decompose_canonical(c, |c| segment.push(Piece::new(c, at)));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::origins::{Forget, Origins};
    use proptest::prelude::*;
    use unicode_normalization::UnicodeNormalization;
    use unicode_normalization::char::compose;

    fn spaced(text: &str) -> (String, Vec<(usize, usize)>) {
        let mut scratch = Scratch::default();
        let mut origins = Origins::default();
        let normalized = spaces(text, &mut scratch, &mut origins);
        let spans = (0..normalized.n_chars).map(|i| origins.of(i)).collect();
        let output = String::from_utf8(normalized.bytes.to_vec()).unwrap();
        assert_eq!(output.chars().count(), normalized.n_chars);
        (output, spans)
    }

    /// The definition, by the Unicode crate.
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
            let plain = spaces(&text, &mut scratch, &mut Forget);
            prop_assert_eq!(plain.bytes, output.as_bytes());
            // The origin of a character normalises to text that contains the character.
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
