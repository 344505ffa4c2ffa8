//! A normalised text, and the memory that normalisers reuse.

use super::bytes::{count_chars, step_end};
use super::compose::Piece;
use crate::interrupt::tick;

/// A normalised text: UTF-8, and its length in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Normalized<'a> {
    /// The text's UTF-8 bytes.
    pub bytes: &'a [u8],
    /// The length in characters; equal to the number of bytes exactly when the text is ASCII.
    pub n_chars: usize,
}

impl<'a> Normalized<'a> {
    /// Take `text` as it is.
    pub fn verbatim(text: &'a str) -> Self {
        Self { bytes: text.as_bytes(), n_chars: count_chars(text.as_bytes()) }
    }

    /// Return the text in steps of whole characters.
    pub fn steps(self) -> impl Iterator<Item = &'a str> {
        let mut rest = self.bytes;
        std::iter::from_fn(move || {
            let (step, after) = rest.split_at(step_end(rest));
            rest = after;
            tick(step.len());
            (!step.is_empty()).then(|| simdutf8::basic::from_utf8(step).expect("whole characters"))
        })
    }

    /// Whether every character is one byte.
    #[inline(always)]
    pub fn is_ascii(self) -> bool {
        self.n_chars == self.bytes.len()
    }
}

/// Buffers that are reused from one text to the next, so that a batch allocates once.
#[derive(Default)]
pub struct Scratch {
    /// The normalised text.
    pub(crate) output: Vec<u8>,
    /// Characters on their way through canonical composition.
    pub(crate) segment: Vec<Piece>,
    /// A second list for them, since composition reads one and writes the other.
    pub(crate) composed: Vec<Piece>,
    /// The text's words joined by single spaces, if the normaliser does not join them itself.
    pub(crate) words: Vec<u8>,
}

impl Scratch {
    /// Free the buffers if they take more than `n_bytes`.
    pub fn shrink_over(&mut self, n_bytes: usize) {
        let pieces = self.segment.capacity() + self.composed.capacity();
        if self.output.capacity() + self.words.capacity() + pieces * size_of::<Piece>() > n_bytes {
            *self = Self::default();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::interrupt::STEP;

    #[test]
    fn steps_are_whole_characters_of_the_whole_text() {
        for text in [String::new(), format!("ab{}", "\u{5929}".repeat(STEP)), "e\u{e9}".repeat(STEP / 3)] {
            let steps: Vec<&str> = Normalized::verbatim(&text).steps().collect();
            assert_eq!(steps.concat(), text);
            let (last, others) = steps.split_last().unwrap_or((&"", &[]));
            assert!(last.len() <= STEP && others.iter().all(|step| (STEP - 3..=STEP).contains(&step.len())));
        }
    }
}
