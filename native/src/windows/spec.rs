//! How texts become windows: one specification for building and for asking.

use super::sampling::Sampling;
use super::windows::{Unit, Windows};
use super::words::join;
use crate::text::Normalizer;
use crate::text::normalized::{Normalized, Scratch};
use crate::text::origins::Recorder;

/// How texts become windows.
#[derive(Clone, Copy, Debug)]
pub struct Spec {
    /// Normalises every text first.
    pub normalizer: Normalizer,
    /// Cuts the normalised text.
    pub windows: Windows,
    /// Chooses the windows of a document that are stored, and those of a question that are asked.
    pub sampling: Sampling,
}

impl Spec {
    /// Call `f` with the normalised text, the text that windows are cut from, and the recorder.
    ///
    /// Windows are cut from the normalised text itself, or, if they are counted in words and the
    /// normaliser leaves other white space, from its words joined by single spaces.
    #[inline(always)]
    pub fn with_text<R: Recorder, T>(
        &self,
        text: &str,
        scratch: &mut Scratch,
        recorder: &mut R,
        f: impl FnOnce(Normalized, Normalized, &R) -> T,
    ) -> T {
        let mut words = std::mem::take(&mut scratch.words);
        let normalized = self.normalizer.apply(text, scratch, recorder);
        let result = if self.windows.unit == Unit::Word && !self.normalizer.joins_words() {
            f(normalized, join(normalized, &mut words), recorder)
        } else {
            f(normalized, normalized, recorder)
        };
        scratch.words = words;
        result
    }

    /// Call `f` with every window of a document that is stored; `cut` is the text to cut them from.
    #[inline(always)]
    pub fn for_each_stored<'t>(&self, cut: Normalized<'t>, mut f: impl FnMut(&'t [u8])) {
        self.sampling.for_each_stored(&self.windows, cut, |_, window| f(window));
    }
}
