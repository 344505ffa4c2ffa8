//! Text → normalised text, with the way back to the original offsets.

use crate::compose::Piece;
use crate::data_portraits::data_portraits;
use crate::loose::loose;
use crate::origins::Recorder;
use crate::spaces::spaces;

/// The Unicode version the normalisers follow.
pub const UNICODE_VERSION: (u8, u8, u8) = unicode_normalization::UNICODE_VERSION;

/// A named map from text to text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Normalizer {
    /// The identity.
    None,
    /// NFC, every run of White_Space becomes one U+0020, ends trimmed.
    Spaces,
    /// Compatibility forms and case folded, every run of what is no letter, mark or number becomes
    /// one U+0020, ends trimmed.
    Loose,
    /// The original Data Portraits library's: line breaks become one U+000A, other runs of white
    /// space one U+0020, which goes away after a line feed; ends trimmed.
    DataPortraits,
}

/// Buffers that live from one text to the next, so that a batch allocates once.
#[derive(Default)]
pub struct Scratch {
    pub(crate) output: Vec<u8>,
    pub(crate) segment: Vec<Piece>,
    pub(crate) composed: Vec<Piece>,
    /// The text's words, joined anew where the normaliser leaves them otherwise.
    pub(crate) words: Vec<u8>,
}

impl Scratch {
    /// Give memory back if more than `n_bytes` is held.
    pub fn shrink_over(&mut self, n_bytes: usize) {
        let pieces = self.segment.capacity() + self.composed.capacity();
        if self.output.capacity() + self.words.capacity() + pieces * size_of::<Piece>() > n_bytes {
            *self = Self::default();
        }
    }
}

/// A normalised text: UTF-8, and how many characters it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Normalized<'a> {
    /// The text's UTF-8 bytes.
    pub bytes: &'a [u8],
    /// Its length in characters; equal to the number of bytes exactly when it is ASCII.
    pub n_chars: usize,
}

impl<'a> Normalized<'a> {
    /// The text.
    pub fn text(self) -> &'a str {
        std::str::from_utf8(self.bytes).expect("whole characters")
    }
}

impl Normalizer {
    /// The normaliser of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "none" => Some(Self::None),
            "spaces" => Some(Self::Spaces),
            "loose" => Some(Self::Loose),
            "data-portraits" => Some(Self::DataPortraits),
            _ => None,
        }
    }

    /// Whether all white space in its output is one U+0020 between two words.
    pub fn joins_words(self) -> bool {
        matches!(self, Self::Spaces | Self::Loose)
    }

    /// Normalise `text`, telling `recorder` where the result's characters come from.
    pub fn apply<'a, R: Recorder>(
        self,
        text: &'a str,
        scratch: &'a mut Scratch,
        recorder: &mut R,
    ) -> Normalized<'a> {
        match self {
            Self::None => Normalized { bytes: text.as_bytes(), n_chars: count_chars(text.as_bytes()) },
            Self::Spaces => spaces(text, scratch, recorder),
            Self::Loose => loose(text, scratch, recorder),
            Self::DataPortraits => data_portraits(text, &mut scratch.output, recorder),
        }
    }
}

/// How many characters valid UTF-8 holds.
pub fn count_chars(bytes: &[u8]) -> usize {
    if bytes.is_ascii() {
        return bytes.len();
    }
    // Sums of bytes over runs too short to overflow one: loops that compile to vector code.
    let starts = |run: &[u8]| run.iter().map(|&byte| u8::from(is_char_start(byte))).sum::<u8>();
    bytes.chunks(u8::MAX as usize).map(|run| usize::from(starts(run))).sum()
}

/// Whether a byte of valid UTF-8 begins a character.
#[inline(always)]
pub fn is_char_start(byte: u8) -> bool {
    byte & 0xC0 != 0x80
}

pub(crate) const WORD: usize = 8;
pub(crate) const LOW: u64 = 0x0101_0101_0101_0101;
pub(crate) const HIGH: u64 = 0x8080_8080_8080_8080;

/// How many bytes of ASCII `bytes` begins with.
pub(crate) fn ascii_prefix(bytes: &[u8]) -> usize {
    let mut n = 0;
    for word in bytes.chunks_exact(WORD) {
        let high = u64::from_le_bytes(word.try_into().expect("a word")) & HIGH;
        if high != 0 {
            return n + (high.trailing_zeros() / 8) as usize;
        }
        n += WORD;
    }
    n + bytes[n..].iter().take_while(|byte| byte.is_ascii()).count()
}
