//! Sampling: which of a document's windows are stored, and which of a question's are asked.

use super::minimizer::{Context, for_each_sampled};
use super::order::{END_BYTES, END_WORDS};
use super::symbols::{ByteGrams, CharGrams, WordGrams};
use super::windows::{Unit, Windows};
use crate::interrupt::{STEP, tick};
use crate::text::normalized::Normalized;

/// A rule that chooses windows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sampling {
    /// Stores the windows at offsets 0, stride, 2·stride … and the last one; asks all.
    Stride(usize),
    /// Stores and asks the windows that the text itself chooses, at least one of any `span`.
    ///
    /// A text without room for so many stores the first and the last one, and asks all.
    Minimizer(usize),
}

impl Sampling {
    /// Return the sampling with that name, and so many units at most from one stored window to the next, at
    /// least 1.
    pub fn from_name(name: &str, gap: usize) -> Option<Self> {
        match name {
            "stride" => Some(Self::Stride(gap)),
            "minimizer" => Some(Self::Minimizer(gap)),
            _ => None,
        }
    }

    /// Return the least width of a window for this sampling.
    pub fn least_width(self, unit: Unit) -> usize {
        match self {
            Self::Stride(_) => 1,
            Self::Minimizer(_) => least_gram(unit),
        }
    }

    /// Return about how many windows are stored among `n_windows`: as many as there may be, with a stride.
    pub fn expected_stored(self, windows: &Windows, n_windows: usize) -> usize {
        match self {
            Self::Stride(stride) => n_windows / stride + 2,
            Self::Minimizer(span) if n_windows < span => 2,
            Self::Minimizer(span) => {
                Context::new(windows.width, span, least_gram(windows.unit)).expected(n_windows)
            }
        }
    }

    /// Return the windows that a document of the asked windows' text stores.
    pub fn stored_among(self, n_windows: usize) -> Stored {
        match self {
            Self::Stride(stride) => Stored { step: stride, last: n_windows.saturating_sub(1) },
            Self::Minimizer(span) if n_windows < span => {
                Stored { step: usize::MAX, last: n_windows.saturating_sub(1) }
            }
            Self::Minimizer(_) => Stored { step: 1, last: 0 },
        }
    }

    /// Return the number of phases of the sequence of asked windows: a chain's windows are so many apart.
    pub fn phases(self) -> usize {
        match self {
            Self::Stride(stride) => stride,
            Self::Minimizer(_) => 1,
        }
    }

    /// Call `f` with every stored window, and the unit at which it begins.
    #[inline(always)]
    pub fn for_each_stored<'t>(
        self,
        windows: &Windows,
        text: Normalized<'t>,
        mut f: impl FnMut(usize, &'t [u8]),
    ) {
        match self {
            Self::Stride(stride) => for_each_at_stride(stride, windows, text, f),
            Self::Minimizer(span) => match windows.count(windows.unit.count(text)) {
                0 => (),
                n if n < span => for_each_at_stride((n - 1).max(1), windows, text, f),
                _ => for_each_minimizer(span, windows, text, &mut f),
            },
        }
    }

    /// Call `f` with every asked window, and the unit at which it begins.
    #[inline(always)]
    pub fn for_each_asked<'t>(
        self,
        windows: &Windows,
        text: Normalized<'t>,
        mut f: impl FnMut(usize, &'t [u8]),
    ) {
        if let Self::Minimizer(span) = self
            && windows.count(windows.unit.count(text)) >= span
        {
            return for_each_minimizer(span, windows, text, &mut f);
        }
        let mut n = 0;
        windows.for_each(text, |window| {
            f(n, window);
            n += 1;
        });
    }
}

/// Which windows of a sequence of asked ones a document of the same text stores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Every so many.
    step: usize,
    /// And this one.
    last: usize,
}

impl Stored {
    /// Whether the `n`-th asked window is stored.
    pub fn contains(self, n: usize) -> bool {
        n.is_multiple_of(self.step) || n == self.last
    }
}

/// Return the least number of units in a gram: those that its order depends on.
fn least_gram(unit: Unit) -> usize {
    match unit {
        Unit::Char | Unit::Byte => END_BYTES,
        Unit::Word => END_WORDS,
    }
}

/// Call `f` with the windows at 0, `stride`, 2·`stride` … and the last one.
#[inline(always)]
fn for_each_at_stride<'t>(
    stride: usize,
    windows: &Windows,
    text: Normalized<'t>,
    mut f: impl FnMut(usize, &'t [u8]),
) {
    let Windows { width, unit } = *windows;
    let Some(last) = unit.count(text).checked_sub(width) else { return };
    let bytes = text.bytes;
    if unit.is_byte_in(text) {
        let n_stored = last / stride + 1;
        let step = windows.per_step();
        for first in (0..n_stored).step_by(step) {
            for i in first..n_stored.min(first + step) {
                let start = i * stride;
                f(start, &bytes[start..start + width]);
            }
            tick(STEP);
        }
        if !last.is_multiple_of(stride) {
            f(last, &bytes[last..]);
        }
        return;
    }
    let mut at = 0;
    let (mut start, mut end) = (0, unit.end(bytes, 0, width));
    let mut left = windows.per_step();
    loop {
        f(at, &bytes[start..end]);
        left -= 1;
        if left == 0 {
            tick(4 * STEP);
            left = windows.per_step();
        }
        let step = stride.min(last - at);
        if step == 0 {
            return;
        }
        at += step;
        start = unit.start(bytes, start, step);
        end = unit.end(bytes, end, step);
    }
}

/// Call `f` with the windows that the contexts of a text sample.
#[inline(always)]
fn for_each_minimizer<'t>(
    span: usize,
    windows: &Windows,
    text: Normalized<'t>,
    f: &mut impl FnMut(usize, &'t [u8]),
) {
    let Windows { width, unit } = *windows;
    let context = Context::new(width, span, least_gram(unit));
    let bytes = text.bytes;
    let n_grams = unit.count(text) + 1 - context.gram;
    let mut left = windows.per_step();
    let mut count = || {
        left -= 1;
        if left == 0 {
            tick(STEP);
            left = windows.per_step();
        }
    };
    if unit.is_byte_in(text) {
        let mut grams = ByteGrams::new(bytes, context.gram);
        return for_each_sampled(context, n_grams, &mut grams, |at| {
            f(at, &bytes[at..at + width]);
            count();
        });
    }
    let mut place = (0, 0, unit.end(bytes, 0, width));
    let f = |at: usize| {
        let (before, start, end) = place;
        if at > before {
            place = (at, unit.start(bytes, start, at - before), unit.end(bytes, end, at - before));
        }
        let (_, start, end) = place;
        f(at, &bytes[start..end]);
        count();
    };
    match unit {
        Unit::Word => for_each_sampled(context, n_grams, &mut WordGrams::new(bytes, context.gram), f),
        Unit::Char | Unit::Byte => {
            for_each_sampled(context, n_grams, &mut CharGrams::new(bytes, context.gram), f)
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
        Sampling::Stride(stride).for_each_stored(
            &Windows { width, unit },
            Normalized::verbatim(text),
            |_, window| stored.push(String::from_utf8(window.to_vec()).unwrap()),
        );
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
            let windows = Windows { width, unit: Unit::Char };
            let n_expected = Sampling::Stride(stride).expected_stored(&windows, all.len());
            prop_assert!(expected.len() <= n_expected && n_expected <= expected.len() + 2);
            prop_assert_eq!(stored(width, Unit::Char, stride, &text), expected);
        }
    }
}
