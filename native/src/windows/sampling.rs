//! Sampling: which of a document's windows are stored.

use super::windows::Windows;
use crate::interrupt::{STEP, tick};
use crate::text::normalized::Normalized;

/// Stores the windows at offsets 0, stride, 2·stride … and the last one.
#[derive(Clone, Copy, Debug)]
pub struct Sampling {
    /// Units from one stored window to the next, at least 1.
    pub stride: usize,
}

impl Sampling {
    /// Return an upper bound for the number of stored windows among `n_windows`.
    pub fn max_stored(self, n_windows: usize) -> usize {
        n_windows / self.stride + 2
    }

    /// Call `f` with every stored window.
    #[inline(always)]
    pub fn for_each_stored(self, windows: &Windows, text: Normalized, mut f: impl FnMut(&[u8])) {
        let Windows { width, unit } = *windows;
        let Some(last) = unit.count(text).checked_sub(width) else { return };
        let bytes = text.bytes;
        if unit.is_byte_in(text) {
            let n_stored = last / self.stride + 1;
            let step = windows.per_step();
            for first in (0..n_stored).step_by(step) {
                for i in first..n_stored.min(first + step) {
                    let start = i * self.stride;
                    f(&bytes[start..start + width]);
                }
                tick(STEP);
            }
            if !last.is_multiple_of(self.stride) {
                f(&bytes[last..]);
            }
            return;
        }
        let mut at = 0;
        let (mut start, mut end) = (0, unit.end(bytes, 0, width));
        let mut left = windows.per_step();
        loop {
            f(&bytes[start..end]);
            left -= 1;
            if left == 0 {
                tick(4 * STEP);
                left = windows.per_step();
            }
            let step = self.stride.min(last - at);
            if step == 0 {
                return;
            }
            at += step;
            start = unit.start(bytes, start, step);
            end = unit.end(bytes, end, step);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::windows::windows::Unit;
    use proptest::prelude::*;

    fn stored(width: usize, unit: Unit, stride: usize, text: &str) -> Vec<String> {
        let mut stored = Vec::new();
        Sampling { stride }.for_each_stored(&Windows { width, unit }, Normalized::verbatim(text), |window| {
            stored.push(String::from_utf8(window.to_vec()).unwrap())
        });
        stored
    }

    #[test]
    fn the_last_window_is_stored_once() {
        assert_eq!(stored(4, Unit::Char, 3, "abc"), Vec::<String>::new());
        assert_eq!(stored(4, Unit::Char, 3, "abcd"), ["abcd"]);
        assert_eq!(stored(4, Unit::Char, 3, "abcdef"), ["abcd", "cdef"]);
        assert_eq!(stored(4, Unit::Char, 3, "abcdefg"), ["abcd", "defg"]);
    }

    #[test]
    fn windows_of_words_are_stored_at_the_stride_in_words() {
        assert_eq!(stored(2, Unit::Word, 2, ""), Vec::<String>::new());
        assert_eq!(stored(2, Unit::Word, 2, "one"), Vec::<String>::new());
        assert_eq!(stored(2, Unit::Word, 2, "one two"), ["one two"]);
        assert_eq!(stored(2, Unit::Word, 2, "a é c d e"), ["a é", "c d", "d e"]);
    }

    proptest! {
        #[test]
        fn windows_are_stored_at_multiples_of_the_stride_and_at_the_end(
            text in r"([ -~]|[\u{80}-\u{2ff}]|[\u{4e00}-\u{4e10}]|[\u{1f600}-\u{1f610}]){0,80}",
            width in 1usize..30,
            stride in 1usize..30,
        ) {
            let chars: Vec<char> = text.chars().collect();
            let all: Vec<String> = chars.windows(width).map(|window| window.iter().collect()).collect();
            let mut offsets: Vec<usize> = (0..all.len()).step_by(stride).collect();
            if offsets.last().is_some_and(|&last| last + 1 < all.len()) {
                offsets.push(all.len() - 1);
            }
            let expected: Vec<String> = offsets.iter().map(|&offset| all[offset].clone()).collect();
            let max_stored = Sampling { stride }.max_stored(all.len());
            prop_assert!(expected.len() <= max_stored && max_stored <= expected.len() + 2);
            prop_assert_eq!(stored(width, Unit::Char, stride, &text), expected);
        }
    }
}
