//! Normalised text → windows → 64-bit keys.

use twox_hash::XxHash3_64;

use crate::normalize::{Normalized, is_char_start};
use crate::words::{count_words, find_space};

/// What a window is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Unicode scalar values.
    Char,
    /// Bytes of UTF-8.
    Byte,
    /// Words, in a text that has single spaces between them.
    Word,
}

impl Unit {
    /// The unit of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "char" => Some(Self::Char),
            "byte" => Some(Self::Byte),
            "word" => Some(Self::Word),
            _ => None,
        }
    }

    /// A text's length in this unit.
    pub fn count(self, text: Normalized) -> usize {
        match self {
            Self::Char => text.n_chars,
            Self::Byte => text.bytes.len(),
            Self::Word => count_words(text.bytes),
        }
    }
}

/// The key of a window: XXH3-64 of its bytes, seed 0.
#[inline(always)]
pub fn window_key(window: &[u8]) -> u64 {
    // The default width in ASCII text, for which a length known to the compiler saves a third.
    match <&[u8; 50]>::try_from(window) {
        Ok(window) => XxHash3_64::oneshot(window),
        Err(_) => hash_of_any_length(window),
    }
}

/// Kept apart, or the compiler folds the two cases into the general one.
#[inline(never)]
fn hash_of_any_length(bytes: &[u8]) -> u64 {
    XxHash3_64::oneshot(bytes)
}

/// The key of a whole document: XXH3-64 of its normalised text, seed 1.
pub fn document_key(text: &[u8]) -> u64 {
    XxHash3_64::oneshot_with_seed(1, text)
}

/// How windows are cut from a text. `width` and `stride` are at least 1.
#[derive(Clone, Copy, Debug)]
pub struct Windows {
    /// Units in a window.
    pub width: usize,
    /// Units from one stored window to the next.
    pub stride: usize,
    /// What is counted.
    pub unit: Unit,
}

impl Windows {
    /// How many windows, at stride 1, a text of `n_units` has.
    pub fn n_windows(&self, n_units: usize) -> usize {
        (n_units + 1).saturating_sub(self.width)
    }

    /// Call `f` with every stored window: offsets 0, stride, 2·stride … and the last one possible.
    #[inline(always)]
    pub fn stored(&self, text: Normalized, mut f: impl FnMut(&[u8])) {
        let Some(last) = self.unit.count(text).checked_sub(self.width) else { return };
        let bytes = text.bytes;
        if self.fixed(text) {
            for start in (0..=last).step_by(self.stride) {
                f(&bytes[start..start + self.width]);
            }
            if !last.is_multiple_of(self.stride) {
                f(&bytes[last..]);
            }
            return;
        }
        let mut at = 0;
        let (mut start, mut end) = (0, self.end(bytes, 0, self.width));
        loop {
            f(&bytes[start..end]);
            let step = self.stride.min(last - at);
            if step == 0 {
                return;
            }
            at += step;
            start = self.start(bytes, start, step);
            end = self.end(bytes, end, step);
        }
    }

    /// Call `f` with every window, at stride 1.
    #[inline(always)]
    pub fn all<'t>(&self, text: Normalized<'t>, mut f: impl FnMut(&'t [u8])) {
        let bytes = text.bytes;
        if self.n_windows(self.unit.count(text)) == 0 {
            return;
        }
        if self.fixed(text) {
            bytes.windows(self.width).for_each(f);
            return;
        }
        let (mut start, mut end) = (0, self.end(bytes, 0, self.width));
        loop {
            f(&bytes[start..end]);
            if end == bytes.len() {
                return;
            }
            start = self.start(bytes, start, 1);
            end = self.end(bytes, end, 1);
        }
    }

    /// Whether every unit is one byte, so that offsets are plain arithmetic.
    fn fixed(&self, text: Normalized) -> bool {
        match self.unit {
            Unit::Char => text.n_chars == text.bytes.len(),
            Unit::Byte => true,
            Unit::Word => false,
        }
    }

    /// Where the unit begins that stands `n_units` after the one that begins at `at`.
    #[inline(always)]
    fn start(&self, bytes: &[u8], at: usize, n_units: usize) -> usize {
        match self.unit {
            Unit::Word => find_space(bytes, at, n_units) + 1,
            Unit::Char | Unit::Byte => advance(bytes, at, n_units),
        }
    }

    /// Where the unit ends that stands `n_units` after the one that ends at `at`; at 0 none has begun.
    #[inline(always)]
    fn end(&self, bytes: &[u8], at: usize, n_units: usize) -> usize {
        match self.unit {
            // Words end where spaces stand: the one at `at` is not to be found again.
            Unit::Word => find_space(bytes, at + usize::from(at > 0), n_units),
            Unit::Char | Unit::Byte => advance(bytes, at, n_units),
        }
    }
}

/// The position `n_chars` characters after `at`, both on character boundaries.
#[inline(always)]
fn advance(bytes: &[u8], mut at: usize, mut n_chars: usize) -> usize {
    const WORD: usize = 8;
    // A word holds at most eight first bytes, so it cannot hold the one looked for.
    while n_chars > WORD && at + 1 + WORD <= bytes.len() {
        let word = u64::from_le_bytes(bytes[at + 1..at + 1 + WORD].try_into().expect("a word"));
        // Continuation bytes are 0b10xx_xxxx.
        let continuing = (word >> 7) & !(word >> 6) & 0x0101_0101_0101_0101;
        n_chars -= WORD - continuing.count_ones() as usize;
        at += WORD;
    }
    while n_chars > 0 {
        at += 1;
        if at == bytes.len() || is_char_start(bytes[at]) {
            n_chars -= 1;
        }
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::normalize::count_chars;
    use proptest::prelude::*;

    fn text(text: &str) -> Normalized<'_> {
        Normalized { bytes: text.as_bytes(), n_chars: count_chars(text.as_bytes()) }
    }

    fn stored(windows: &Windows, s: &str) -> Vec<Vec<u8>> {
        let mut found = Vec::new();
        windows.stored(text(s), |window| found.push(window.to_vec()));
        found
    }

    #[test]
    fn the_last_window_is_stored_once() {
        let windows = Windows { width: 4, stride: 3, unit: Unit::Char };
        assert_eq!(stored(&windows, "abc"), Vec::<Vec<u8>>::new());
        assert_eq!(stored(&windows, "abcd"), [b"abcd"]);
        assert_eq!(stored(&windows, "abcdef"), [b"abcd", b"cdef"]);
        assert_eq!(stored(&windows, "abcdefg"), [b"abcd", b"defg"]);
    }

    #[test]
    fn keys_are_the_published_hash() {
        // XXH3-64 of the empty input with seed 0, from the reference implementation's own tests.
        assert_eq!(window_key(b""), 0x2D06_8005_38D3_94C2);
        assert_ne!(document_key(b"a"), window_key(b"a"));
    }

    #[test]
    fn windows_of_words_have_the_spaces_between_them() {
        let windows = Windows { width: 2, stride: 2, unit: Unit::Word };
        assert_eq!(stored(&windows, ""), Vec::<Vec<u8>>::new());
        assert_eq!(stored(&windows, "one"), Vec::<Vec<u8>>::new());
        assert_eq!(stored(&windows, "one two"), [b"one two"]);
        assert_eq!(
            stored(&windows, "a é c d e"),
            ["a é", "c d", "d e"].map(|window| window.as_bytes().to_vec())
        );
        let mut all = Vec::new();
        windows.all(text("a é c d"), |window| all.push(window.to_vec()));
        assert_eq!(all, ["a é", "é c", "c d"].map(|window| window.as_bytes().to_vec()));
    }

    proptest! {
        #[test]
        fn windows_are_slices_of_characters(
            s in r"([ -~]|[\u{80}-\u{2ff}]|[\u{4e00}-\u{4e10}]|[\u{1f600}-\u{1f610}]){0,80}",
            width in 1usize..30,
            stride in 1usize..30,
        ) {
            let chars: Vec<char> = s.chars().collect();
            let cut = |at: usize| chars[at..at + width].iter().collect::<String>().into_bytes();
            let windows = Windows { width, stride, unit: Unit::Char };
            let n = windows.n_windows(chars.len());
            let mut offsets: Vec<usize> = (0..n).step_by(stride).collect();
            if n > 0 && !(n - 1).is_multiple_of(stride) {
                offsets.push(n - 1);
            }
            prop_assert_eq!(stored(&windows, &s), offsets.into_iter().map(cut).collect::<Vec<_>>());
            let mut all = Vec::new();
            windows.all(text(&s), |window| all.push(window.to_vec()));
            prop_assert_eq!(all, (0..n).map(cut).collect::<Vec<_>>());
        }
    }
}
