//! A normalised text, and the memory that normalisers reuse.

use super::bytes::count_chars;
use super::compose::Piece;

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

    /// Return the text as a string.
    pub fn text(self) -> &'a str {
        std::str::from_utf8(self.bytes).expect("whole characters")
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
