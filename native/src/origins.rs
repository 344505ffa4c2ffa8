//! The way back from a normalised text to the text as given.

/// Hears from a normaliser where its output characters come from.
///
/// Positions are counted in characters (Unicode scalar values), outputs in the normalised text and
/// origins in the text as given. Calls come in ascending order of `at`. Whatever is not reported
/// follows one to one from the last report, so a text that changes little costs little.
pub trait Recorder {
    /// Whether anything is recorded: where not, a normaliser may skip the telling.
    const RECORDS: bool;
    /// Output character `at` stands for the input characters `[start, end)`.
    fn set(&mut self, at: usize, start: usize, end: usize);
    /// The origin of the last output character, `at`, reaches to `end`.
    fn stretch(&mut self, at: usize, end: usize);
    /// Nothing is written yet and the input before `start` has been left out.
    fn skip_to(&mut self, start: usize);
    /// The last output character, `at`, has been taken back.
    fn retract(&mut self, at: usize);
}

/// Records nothing, for building: there the way back is never asked for.
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
/// Only characters that differ from "one to one, right after the one before" are kept; starts and
/// ends never decrease along the text, so the span of a passage is read off its two ends.
#[derive(Clone, Debug, Default)]
pub struct Origins {
    lead: usize,
    anchors: Vec<Anchor>,
}

impl Origins {
    /// The origin of output character `at`.
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

    /// The span in the text as given of the output characters `[start, end)`, which are not none.
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
            _ => {
                let (start, _) = self.of(at);
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
