//! Text → normalised text, with the original offsets of its characters.
//!
//! Each normaliser is a module of its own; [`Normalizer`] selects one by name. What bounds them:
//! one pass over the text, eight bytes of ASCII at a time, and one table look-up for every other
//! character.

pub mod bytes;
pub mod compose;
pub mod data_portraits;
pub mod loose;
pub mod normalized;
pub mod origins;
pub mod spaces;
pub mod writer;

use data_portraits::data_portraits;
use loose::loose;
use normalized::{Normalized, Scratch};
use origins::Recorder;
use spaces::spaces;

/// The version of Unicode that the normalisers follow.
pub const UNICODE_VERSION: (u8, u8, u8) = unicode_normalization::UNICODE_VERSION;

/// A named map from text to text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Normalizer {
    /// The identity.
    None,
    /// NFC; every run of White_Space becomes one U+0020; the ends are trimmed.
    Spaces,
    /// Folds compatibility forms and case; every run of characters other than letters, marks and
    /// numbers becomes one U+0020; the ends are trimmed.
    Loose,
    /// The rule of the original Data Portraits library: a run of line breaks becomes one U+000A, any
    /// other run of white space one U+0020, which is dropped after a line feed; the ends are trimmed.
    DataPortraits,
}

impl Normalizer {
    /// Return the normaliser with that name.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "none" => Some(Self::None),
            "spaces" => Some(Self::Spaces),
            "loose" => Some(Self::Loose),
            "data-portraits" => Some(Self::DataPortraits),
            _ => None,
        }
    }

    /// Whether the only white space in its output is one U+0020 between two words.
    pub fn joins_words(self) -> bool {
        matches!(self, Self::Spaces | Self::Loose)
    }

    /// Normalise `text`, and tell `recorder` where the result's characters come from.
    pub fn apply<'a, R: Recorder>(
        self,
        text: &'a str,
        scratch: &'a mut Scratch,
        recorder: &mut R,
    ) -> Normalized<'a> {
        match self {
            Self::None => Normalized::verbatim(text),
            Self::Spaces => spaces(text, scratch, recorder),
            Self::Loose => loose(text, scratch, recorder),
            Self::DataPortraits => data_portraits(text, &mut scratch.output, recorder),
        }
    }
}
