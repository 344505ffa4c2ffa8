//! Units, and the windows of consecutive units of a text.

use super::words::{count_words, find_space};
use crate::interrupt::STEP;
use crate::text::bytes::advance;
use crate::text::normalized::Normalized;

/// What a window is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Unicode scalar values.
    Char,
    /// Bytes of UTF-8.
    Byte,
    /// Words, in a text with single spaces between them.
    Word,
}

impl Unit {
    /// Return the unit with that name.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "char" => Some(Self::Char),
            "byte" => Some(Self::Byte),
            "word" => Some(Self::Word),
            _ => None,
        }
    }

    /// Return a text's length in this unit.
    pub fn count(self, text: Normalized) -> usize {
        match self {
            Self::Char => text.n_chars,
            Self::Byte => text.bytes.len(),
            Self::Word => count_words(text.bytes),
        }
    }

    /// Whether every unit of the text is one byte, so that offsets are plain arithmetic.
    pub(super) fn is_byte_in(self, text: Normalized) -> bool {
        match self {
            Self::Char => text.is_ascii(),
            Self::Byte => true,
            Self::Word => false,
        }
    }

    /// Return the start of the unit `n_units` after the one that starts at `at`.
    #[inline(always)]
    pub(super) fn start(self, bytes: &[u8], at: usize, n_units: usize) -> usize {
        match self {
            Self::Word => find_space(bytes, at, n_units) + 1,
            Self::Char | Self::Byte => advance(bytes, at, n_units),
        }
    }

    /// Return the end of the unit `n_units` after the one that ends at `at`, which is 0 before the first.
    #[inline(always)]
    pub(super) fn end(self, bytes: &[u8], at: usize, n_units: usize) -> usize {
        match self {
            // A word ends at a space: the search starts behind the one at `at`.
            Self::Word => find_space(bytes, at + usize::from(at > 0), n_units),
            Self::Char | Self::Byte => advance(bytes, at, n_units),
        }
    }
}

/// The windows of a text: every `width` consecutive units, at least 1.
#[derive(Clone, Copy, Debug)]
pub struct Windows {
    /// Units in a window.
    pub width: usize,
    /// What is counted.
    pub unit: Unit,
}

impl Windows {
    /// Return the number of windows in a text of `n_units`.
    pub fn count(&self, n_units: usize) -> usize {
        (n_units + 1).saturating_sub(self.width)
    }

    /// Return how many windows it takes to hash about [`STEP`] bytes, at least one.
    pub fn per_step(&self) -> usize {
        (STEP / (self.width + 16)).max(1)
    }

    /// Call `f` with every window.
    #[inline(always)]
    pub fn for_each<'t>(&self, text: Normalized<'t>, mut f: impl FnMut(&'t [u8])) {
        let bytes = text.bytes;
        if self.count(self.unit.count(text)) == 0 {
            return;
        }
        if self.unit.is_byte_in(text) {
            bytes.windows(self.width).for_each(f);
            return;
        }
        let (mut start, mut end) = (0, self.unit.end(bytes, 0, self.width));
        loop {
            f(&bytes[start..end]);
            if end == bytes.len() {
                return;
            }
            start = self.unit.start(bytes, start, 1);
            end = self.unit.end(bytes, end, 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn listed(windows: Windows, text: &str) -> Vec<String> {
        let mut listed = Vec::new();
        windows.for_each(Normalized::verbatim(text), |window| {
            listed.push(String::from_utf8(window.to_vec()).unwrap());
        });
        listed
    }

    #[test]
    fn windows_of_words_have_the_spaces_between_them() {
        let windows = Windows { width: 2, unit: Unit::Word };
        assert_eq!(listed(windows, ""), Vec::<String>::new());
        assert_eq!(listed(windows, "one"), Vec::<String>::new());
        assert_eq!(listed(windows, "one two"), ["one two"]);
        assert_eq!(listed(windows, "a é c d"), ["a é", "é c", "c d"]);
    }

    proptest! {
        #[test]
        fn windows_are_slices_of_characters(
            text in r"([ -~]|[\u{80}-\u{2ff}]|[\u{4e00}-\u{4e10}]|[\u{1f600}-\u{1f610}]){0,80}",
            width in 1usize..30,
        ) {
            let chars: Vec<char> = text.chars().collect();
            let windows = Windows { width, unit: Unit::Char };
            let expected: Vec<String> = chars.windows(width).map(|window| window.iter().collect()).collect();
            prop_assert_eq!(windows.count(chars.len()), expected.len());
            prop_assert_eq!(listed(windows, &text), expected);
        }
    }
}
