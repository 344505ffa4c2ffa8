//! The normaliser of the original Data Portraits library, in one pass.
//!
//! The original makes three substitutions with Python's `re`, then strips: `[\r\n]+` → `\n`, `[^\S\n]+` →
//! one space, `\n\s` → `\n`. After the first two, no two line feeds and no two spaces are adjacent; so
//! the third only drops the space after a line feed, and what a white-space character becomes depends
//! only on the character before it.

use super::bytes::{WORD, ascii_prefix, between, split_step};
use super::normalized::Normalized;
use super::origins::Recorder;
use crate::interrupt::{extend_with_zeros, tick};

/// Whether Python's `\s` and `str.strip` count a character beyond ASCII as white space.
fn is_white_space(c: char) -> bool {
    matches!(
        c,
        '\u{85}' | '\u{a0}' | '\u{1680}' | '\u{2000}'
            ..='\u{200a}' | '\u{2028}' | '\u{2029}' | '\u{202f}' | '\u{205f}' | '\u{3000}'
    )
}

/// How the substitutions see a character.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Text,
    /// Carriage return or line feed.
    Break,
    /// Any other white space; in ASCII, Python counts U+0009, U+000B, U+000C and U+001C to U+0020.
    Space,
}

#[inline(always)]
fn class(byte: u8) -> Class {
    match byte {
        b'\r' | b'\n' => Class::Break,
        b'\t' | 0x0B | 0x0C | 0x1C..=0x20 => Class::Space,
        _ => Class::Text,
    }
}

/// Normalise `text` into `output`.
pub fn data_portraits<'a, R: Recorder>(
    text: &str,
    output: &'a mut Vec<u8>,
    recorder: &mut R,
) -> Normalized<'a> {
    // No character becomes longer.
    let room = text.len() + WORD;
    extend_with_zeros(output, room);
    let mut writer = Writer { output, len: 0, chars_in: 0, chars_out: 0, last: Class::Text, recorder };
    let mut left = text;
    while !left.is_empty() {
        let (step, after) = split_step(left);
        let mut rest = step;
        while !rest.is_empty() {
            let (ascii, others) = rest.split_at(ascii_prefix(rest.as_bytes()));
            writer.ascii(ascii.as_bytes());
            rest = writer.others(others);
        }
        tick(2 * step.len());
        left = after;
    }
    let (len, n_chars) = writer.finish();
    Normalized { bytes: &output[..len], n_chars }
}

struct Writer<'a, R: Recorder> {
    output: &'a mut [u8],
    len: usize,
    chars_in: usize,
    chars_out: usize,
    /// The class of the last character read.
    last: Class,
    recorder: &'a mut R,
}

impl<R: Recorder> Writer<'_, R> {
    /// Write a run of ASCII.
    fn ascii(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<WORD>();
        for bytes in words {
            let word = u64::from_le_bytes(*bytes);
            let (spaces, breaks) = (between(word, 0x20, 0x20), between(word, 0x0A, 0x0A));
            let white = between(word, 0x09, 0x0D) | between(word, 0x1C, 0x20);
            let after_white = self.last != Class::Text || self.chars_out == 0;
            let beside = white & (white << 8 | u64::from(after_white) << 7);
            // A single space or line feed stays as it is.
            if beside == 0 && white == spaces | breaks {
                self.output[self.len..self.len + WORD].copy_from_slice(bytes);
                self.len += WORD;
                self.chars_in += WORD;
                self.chars_out += WORD;
                self.last = class(bytes[WORD - 1]);
            } else {
                bytes.iter().for_each(|byte| self.ascii_byte(*byte));
            }
        }
        rest.iter().for_each(|byte| self.ascii_byte(*byte));
    }

    #[inline(always)]
    fn ascii_byte(&mut self, byte: u8) {
        match class(byte) {
            Class::Text => self.copy(&[byte], 1),
            white => self.white(white),
        }
    }

    /// Write text without white space.
    #[inline(always)]
    fn copy(&mut self, bytes: &[u8], n_chars: usize) {
        self.output[self.len..self.len + bytes.len()].copy_from_slice(bytes);
        self.len += bytes.len();
        self.chars_in += n_chars;
        self.chars_out += n_chars;
        self.last = Class::Text;
    }

    /// Write a white-space character, or add it to the run before it.
    fn white(&mut self, white: Class) {
        self.chars_in += 1;
        if self.chars_out == 0 {
            self.recorder.skip_to(self.chars_in);
        } else if white == self.last || (white == Class::Space && self.last == Class::Break) {
            self.recorder.stretch(self.chars_out - 1, self.chars_in);
        } else {
            self.output[self.len] = if white == Class::Break { b'\n' } else { b' ' };
            self.len += 1;
            self.chars_out += 1;
        }
        self.last = white;
    }

    /// Write everything up to the next ASCII character; return the text from there on.
    fn others<'t>(&mut self, text: &'t str) -> &'t str {
        // Characters that have been read but not yet copied.
        let (mut from, mut n_chars) = (0, 0);
        for (at, c) in text.char_indices() {
            if c.is_ascii() {
                self.copy_some(&text.as_bytes()[from..at], n_chars);
                return &text[at..];
            }
            if is_white_space(c) {
                self.copy_some(&text.as_bytes()[from..at], n_chars);
                self.white(Class::Space);
                (from, n_chars) = (at + c.len_utf8(), 0);
            } else {
                n_chars += 1;
            }
        }
        self.copy_some(&text.as_bytes()[from..], n_chars);
        ""
    }

    /// Write text without white space, if there is any.
    fn copy_some(&mut self, bytes: &[u8], n_chars: usize) {
        if n_chars > 0 {
            self.copy(bytes, n_chars);
        }
    }

    /// Trim the end; return the output's length in bytes and in characters.
    fn finish(mut self) -> (usize, usize) {
        while self.len > 0 && matches!(self.output[self.len - 1], b' ' | b'\n') {
            self.len -= 1;
            self.chars_out -= 1;
            self.recorder.retract(self.chars_out);
        }
        (self.len, self.chars_out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::origins::{Forget, Origins};
    use proptest::prelude::*;

    fn normalized(text: &str) -> (String, Vec<(usize, usize)>) {
        let (mut output, mut origins) = (Vec::new(), Origins::default());
        let normalized = data_portraits(text, &mut output, &mut origins);
        let spans = (0..normalized.n_chars).map(|i| origins.of(i)).collect();
        let text = String::from_utf8(normalized.bytes.to_vec()).unwrap();
        assert_eq!(text.chars().count(), normalized.n_chars);
        (text, spans)
    }

    fn is_space(c: char) -> bool {
        c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
    }

    /// The substitutions, one after another.
    fn expected(text: &str) -> String {
        let mut chars: Vec<char> =
            text.chars().map(|c| if matches!(c, '\r' | '\n') { '\n' } else { c }).collect();
        chars.dedup_by(|b, a| *a == '\n' && *b == '\n');
        chars.iter_mut().filter(|c| is_space(**c) && **c != '\n').for_each(|c| *c = ' ');
        chars.dedup_by(|b, a| *a == ' ' && *b == ' ');
        let text: String = chars.into_iter().collect();
        text.replace("\n ", "\n").trim_matches(is_space).to_owned()
    }

    #[test]
    fn line_feeds_and_spaces_stand_for_the_runs_they_replace() {
        let (text, spans) = normalized(" \n a \t\r\n\r\n  b\u{3000}\n\u{1f}\nc\n ");
        assert_eq!(text, "a \nb \n\nc");
        assert_eq!(spans, [(3, 4), (4, 6), (6, 12), (12, 13), (13, 14), (14, 16), (16, 17), (17, 18)]);
    }

    #[test]
    fn white_space_is_as_python_defines_it() {
        for c in '\0'..=char::MAX {
            for text in
                [format!("a{c}b"), format!("{c}ab{c}"), format!("a\n{c}{c}\nb"), format!("1234567{c}{c}8")]
            {
                assert_eq!(normalized(&text).0, expected(&text), "{text:?}");
            }
        }
    }

    proptest! {
        #[test]
        fn arbitrary_text_follows_the_definition(
            text in r"([ -~]{0,9}|[\t\n\x0b\x0c\r\x1c-\x1f \u{85}\u{a0}\u{2000}]{1,9}|[\r\n ]{1,5}|\PC{0,5})*"
        ) {
            let (output, spans) = normalized(&text);
            prop_assert_eq!(&output, &expected(&text));
            let mut buffer = Vec::new();
            prop_assert_eq!(data_portraits(&text, &mut buffer, &mut Forget).bytes, output.as_bytes());
            let chars: Vec<char> = text.chars().collect();
            for (i, c) in output.chars().enumerate() {
                let (start, end) = spans[i];
                prop_assert!(i == 0 || spans[i - 1].1 == start);
                prop_assert!(chars[start..end] == [c] || chars[start..end].iter().all(|c| is_space(*c)));
            }
        }
    }
}
