//! Places: from units of the normalised text to its characters.

use std::ops::Range;

use crate::interrupt::tick;
use crate::text::bytes::{count_chars, is_char_start};
use crate::text::normalized::Normalized;
use crate::windows::windows::Unit;
use crate::windows::words::for_words;

/// A map from units of the normalised text to its characters.
pub enum Places<'a> {
    /// Every unit is a character.
    Chars,
    /// Units are bytes of a text that is not ASCII.
    Bytes {
        /// The normalised text.
        text: &'a [u8],
        /// The number of characters that begin before each multiple of [`Places::STEP`] bytes.
        before: Vec<usize>,
    },
    /// The characters of each word.
    Words(Vec<Range<usize>>),
}

impl<'a> Places<'a> {
    const STEP: usize = 1024;

    /// Create the map for a text counted in `unit`.
    pub fn new(text: Normalized<'a>, unit: Unit) -> Self {
        match unit {
            Unit::Byte if !text.is_ascii() => {
                let mut n = 0;
                let before = text.bytes.chunks(Self::STEP).map(|step| {
                    let before = n;
                    n += count_chars(step);
                    tick(Self::STEP / 8);
                    before
                });
                Self::Bytes { before: before.collect(), text: text.bytes }
            }
            Unit::Char | Unit::Byte => Self::Chars,
            Unit::Word => {
                let mut words = Vec::new();
                for_words(text, |_, chars| words.push(chars));
                Self::Words(words)
            }
        }
    }

    /// Return the range of characters that the units `[start, end)` touch.
    pub fn chars(&self, start: usize, end: usize) -> Range<usize> {
        match self {
            Self::Chars => start..end,
            Self::Bytes { text, before } => {
                // The character that a byte is part of.
                let char_at = |at: usize| {
                    let step = at / Self::STEP;
                    let within = &text[step * Self::STEP..=at];
                    before[step] + within.iter().filter(|&&byte| is_char_start(byte)).count() - 1
                };
                char_at(start)..char_at(end - 1) + 1
            }
            Self::Words(words) => words[start].start..words[end - 1].end,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn words_are_placed_at_their_characters() {
        let places = Places::new(Normalized::verbatim("é  ab\tc"), Unit::Word);
        assert_eq!(places.chars(0, 1), 0..1);
        assert_eq!(places.chars(0, 2), 0..5);
        assert_eq!(places.chars(1, 3), 3..7);
    }

    proptest! {
        #[test]
        fn bytes_are_placed_at_the_characters_they_touch(
            text in "(a{1,200}|é{1,200}|天{1,200}){1,20}", first: prop::sample::Index, length in 1usize..9,
        ) {
            let places = Places::new(Normalized::verbatim(&text), Unit::Byte);
            let start = first.index(text.len());
            let end = text.len().min(start + length);
            let touched: Vec<usize> = text
                .char_indices()
                .enumerate()
                .filter(|(_, (at, c))| *at < end && at + c.len_utf8() > start)
                .map(|(n, _)| n)
                .collect();
            prop_assert_eq!(places.chars(start, end), touched[0]..touched[touched.len() - 1] + 1);
        }
    }
}
