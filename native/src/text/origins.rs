//! Origins: where in the original text each character of a normalised text comes from.

/// A receiver of the origins of a normaliser's output characters.
///
/// Positions count characters (Unicode scalar values): outputs in the normalised text, origins in
/// the original text. Calls come in ascending order of `at`. Characters without a call follow one to
/// one from the last call, so a text that changes little costs little.
pub trait Recorder {
    /// Whether anything is recorded; if not, a normaliser may skip the calls.
    const RECORDS: bool;
    /// Record that output character `at` stands for the input characters `[start, end)`.
    fn set(&mut self, at: usize, start: usize, end: usize);
    /// Extend the origin of the last output character, `at`, to `end`.
    fn stretch(&mut self, at: usize, end: usize);
    /// Record that the input before `start` is dropped; no output has been written yet.
    fn skip_to(&mut self, start: usize);
    /// Forget the last output character, `at`.
    fn retract(&mut self, at: usize);
}

/// A recorder that records nothing: building needs no origins.
pub struct Forget;

impl Recorder for Forget {
    const RECORDS: bool = false;

    #[inline(always)]
    fn set(&mut self, _at: usize, _start: usize, _end: usize) {}
    #[inline(always)]
    fn stretch(&mut self, _at: usize, _end: usize) {}
    #[inline(always)]
    fn skip_to(&mut self, _start: usize) {}
    #[inline(always)]
    fn retract(&mut self, _at: usize) {}
}

#[derive(Clone, Copy, Debug)]
struct Anchor {
    at: usize,
    start: usize,
    end: usize,
}

/// The origin `[start, end)` of every character of a normalised text.
///
/// Only characters that do not follow one to one from the character before are stored. Starts and
/// ends never decrease along the text, so the two ends of a passage give its span.
#[derive(Clone, Debug, Default)]
pub struct Origins {
    lead: usize,
    anchors: Vec<Anchor>,
}

impl Origins {
    /// Return the origin of output character `at`.
    pub fn of(&self, at: usize) -> (usize, usize) {
        let next = self.anchors.partition_point(|anchor| anchor.at <= at);
        match next.checked_sub(1).map(|i| self.anchors[i]) {
            Some(anchor) if anchor.at == at => (anchor.start, anchor.end),
            Some(anchor) => {
                let start = anchor.end + (at - anchor.at - 1);
                (start, start + 1)
            }
            None => (self.lead + at, self.lead + at + 1),
        }
    }

    /// Return the span in the original text of the output characters `[start, end)`, at least one.
    pub fn span(&self, start: usize, end: usize) -> (usize, usize) {
        debug_assert!(start < end);
        (self.of(start).0, self.of(end - 1).1)
    }
}

impl Recorder for Origins {
    const RECORDS: bool = true;

    fn set(&mut self, at: usize, start: usize, end: usize) {
        self.anchors.push(Anchor { at, start, end });
    }

    fn stretch(&mut self, at: usize, end: usize) {
        match self.anchors.last_mut() {
            Some(anchor) if anchor.at == at => anchor.end = end,
            // Calls come in ascending order, so that the character follows one to one from the last one.
            last => {
                let start = last.map_or(self.lead + at, |last| last.end + (at - last.at - 1));
                self.anchors.push(Anchor { at, start, end });
            }
        }
    }

    fn skip_to(&mut self, start: usize) {
        self.lead = start;
    }

    fn retract(&mut self, at: usize) {
        if self.anchors.last().is_some_and(|anchor| anchor.at == at) {
            self.anchors.pop();
        }
    }
}
