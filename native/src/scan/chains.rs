//! Hits → chains: runs of stored windows, and stretches that edits have broken.
//!
//! The asked windows, in the order of the text, are a sequence. With a stride it is followed in phases, the
//! windows whose offsets are equal modulo the stride, since a copied passage hits in one of them; sampled
//! windows have one phase. A repeated window has the same key and proves nothing again, so each distinct
//! window of a run counts once.
//!
//! What bounds it: far from hits, eight windows take one comparison; the rest is work per hit.

use crate::interrupt::{STEP, tick};
use crate::windows::sampling::{Sampling, Stored};

/// A maximal run of `n_windows` hits, consecutive ones of a phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chain {
    /// The first window's offset, in units of the normalised text.
    pub window: usize,
    /// The last window's offset.
    pub last: usize,
    /// The number of windows.
    pub n_windows: usize,
    /// The number of distinct windows.
    pub n_distinct: usize,
    /// Where the chain starts in the original text, in characters.
    pub start: usize,
    /// Where the chain ends in the original text.
    pub end: usize,
}

/// A stretch of one phase, from a hit to a hit, with so many hits that it looks like a copy with edits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Approximate {
    /// The first window's offset, in units of the normalised text.
    pub window: usize,
    /// The last window's offset.
    pub last: usize,
    /// The number of windows from the first hit to the last.
    pub n_windows: usize,
    /// The number of distinct windows that hit.
    pub n_hits: usize,
    /// The logarithm of the likelihood ratio between a copy and chance.
    pub score: f64,
    /// Where the stretch starts in the original text, in characters.
    pub start: usize,
    /// Where the stretch ends in the original text.
    pub end: usize,
}

/// The answer of one filter to a text.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LayerScan {
    /// The number of windows in the filter.
    pub n_hits: usize,
    /// Whether the filter contains the document key and every window that the document would store.
    pub document: bool,
    /// Ordered by `window`.
    pub chains: Vec<Chain>,
    /// The stretch with the highest score, if any window hit.
    pub approximate: Option<Approximate>,
}

/// Shares of a copy's windows that edits may leave intact: every other window, as after one change in
/// 70 characters, and every tenth, as after one change in 22.
pub const INTACT_SHARES: [f64; 2] = [0.5, 0.1];
/// The lowest rate to assume: random keys coincide more often than lower rates say.
const LEAST_RATE: f64 = 1.0 / (1u128 << 64) as f64;
/// Distinct windows of a run that are remembered; a run of more is not a repetition.
const MAX_DISTINCT: usize = 64;

/// The distinct keys of a run, up to [`MAX_DISTINCT`]; beyond, all keys count as distinct.
#[derive(Clone, Default)]
struct Distinct(Vec<u64>);

impl Distinct {
    /// Add a key; return whether it counts as distinct.
    fn insert(&mut self, key: u64) -> bool {
        if self.0.len() == MAX_DISTINCT {
            return true;
        }
        let is_new = !self.0.contains(&key);
        if is_new {
            self.0.push(key);
        }
        is_new
    }
}

/// What a hit and a miss add to the score, for one share of intact windows.
#[derive(Clone, Copy)]
struct Stake {
    hit: f64,
    miss: f64,
}

impl Stake {
    /// Return the logarithms of the likelihood ratios, or `None` if the rate is not below the share of
    /// intact windows: then a hit would be evidence against a copy.
    fn new(share: f64, rate: f64) -> Option<Self> {
        let rate = rate.max(LEAST_RATE);
        (rate < share).then(|| Self { hit: (share / rate).ln(), miss: ((1.0 - share) / (1.0 - rate)).ln() })
    }
}

/// A stretch that may still grow; it is open once it has a hit.
#[derive(Clone, Default)]
struct Stretch {
    /// The first hit's number in the sequence, and its offset.
    number: usize,
    window: usize,
    n_hits: usize,
    n_misses: usize,
    distinct: Distinct,
}

impl Stretch {
    /// Return the score. It is computed from whole numbers, so that stretches with the same hits and
    /// misses have the same score, in whatever order these come.
    fn score(&self, stake: Stake) -> f64 {
        self.n_hits as f64 * stake.hit + self.n_misses as f64 * stake.miss
    }

    /// Begin again at a window: its number in the sequence, and its offset.
    fn begin(&mut self, number: usize, window: usize) {
        self.number = number;
        self.window = window;
        self.n_hits = 0;
        self.n_misses = 0;
        self.distinct.0.clear();
    }
}

/// The windows whose numbers in the sequence have one residue.
#[derive(Clone, Default)]
struct Phase {
    /// The number of consecutive hits up to the last window.
    n_windows: usize,
    n_distinct: usize,
    run: Distinct,
    /// The offset of the first of them.
    first: usize,
    /// The last hit's number in the sequence, and its offset.
    last_number: usize,
    last: usize,
    stretches: [Stretch; INTACT_SHARES.len()],
}

/// The offsets of consecutive asked windows, in units of the normalised text.
#[derive(Clone, Copy)]
pub enum Offsets<'a> {
    /// Every one from this on.
    From(usize),
    /// These.
    Listed(&'a [usize]),
}

impl Offsets<'_> {
    /// Return the offset of the `i`-th window.
    #[inline(always)]
    fn get(self, i: usize) -> usize {
        match self {
            Self::From(first) => first + i,
            Self::Listed(offsets) => offsets[i],
        }
    }
}

/// Follows one layer's hits, window by window.
pub struct Follower {
    layer: LayerScan,
    stakes: [Option<Stake>; INTACT_SHARES.len()],
    phases: Vec<Phase>,
    /// The number of phases that are in a run of hits.
    n_open: usize,
    residue: usize,
    /// The next window's number in the sequence.
    number: usize,
    /// Windows of the sequence from one window of a phase to the next.
    step: usize,
    stored: Stored,
}

impl Follower {
    /// Create a follower for at most `n_windows` that are sampled in this way, and a filter with this
    /// false-positive rate.
    pub fn new(sampling: Sampling, n_windows: usize, rate: f64) -> Self {
        let step = sampling.phases();
        Self {
            layer: LayerScan { document: true, ..LayerScan::default() },
            stakes: INTACT_SHARES.map(|share| Stake::new(share, rate)),
            phases: vec![Phase::default(); step.min(n_windows)],
            n_open: 0,
            residue: 0,
            number: 0,
            step,
            stored: sampling.stored_among(n_windows),
        }
    }

    /// Process the next windows: their keys, hits and offsets.
    pub fn follow(&mut self, keys: &[u64], hits: &[bool], offsets: Offsets) {
        const WORD: usize = 8;
        let (words, rest) = hits.as_chunks::<WORD>();
        for (i, word) in words.iter().enumerate() {
            // Far from any hit there is no chain to end, so eight windows pass at a time.
            if self.n_open == 0 && !self.layer.document && *word == [false; WORD] {
                self.number += WORD;
                self.residue = (self.residue + WORD) % self.phases.len();
            } else {
                self.follow_each(word, WORD * i, keys, offsets);
            }
        }
        self.follow_each(rest, WORD * words.len(), keys, offsets);
    }

    /// Process the hits of the windows from `first` on.
    fn follow_each(&mut self, hits: &[bool], first: usize, keys: &[u64], offsets: Offsets) {
        for (at, &hit) in (first..).zip(hits) {
            if hit {
                self.hit(keys[at], offsets.get(at));
            } else {
                self.miss();
            }
            self.number += 1;
            self.residue += 1;
            if self.residue == self.phases.len() {
                self.residue = 0;
            }
        }
    }

    #[inline(never)]
    fn hit(&mut self, key: u64, offset: usize) {
        let phase = &mut self.phases[self.residue];
        self.layer.n_hits += 1;
        if phase.n_windows == 0 {
            self.n_open += 1;
            phase.run.0.clear();
            phase.first = offset;
        }
        phase.n_windows += 1;
        phase.n_distinct += usize::from(phase.run.insert(key));
        self.extend_stretches(key, offset);
    }

    /// Add a hit, and the misses before it, to the stretches: one for each share of intact windows. A
    /// stretch ends where its score falls to zero, and the next one begins with the next hit.
    fn extend_stretches(&mut self, key: u64, offset: usize) {
        let phase = &mut self.phases[self.residue];
        let n_misses = ((self.number - phase.last_number) / self.step).saturating_sub(1);
        phase.last_number = self.number;
        phase.last = offset;
        for (stretch, &stake) in phase.stretches.iter_mut().zip(&self.stakes) {
            let Some(stake) = stake else { continue };
            stretch.n_misses += n_misses;
            if stretch.n_hits == 0 || stretch.score(stake) <= 0.0 {
                stretch.begin(self.number, offset);
            }
            if !stretch.distinct.insert(key) {
                continue;
            }
            stretch.n_hits += 1;
            let score = stretch.score(stake);
            // Of equal scores, the one reached first stays.
            if self.layer.approximate.is_none_or(|best| score > best.score) {
                self.layer.approximate = Some(Approximate {
                    window: stretch.window,
                    last: offset,
                    n_windows: (self.number - stretch.number) / self.step + 1,
                    n_hits: stretch.n_hits,
                    score,
                    start: 0,
                    end: 0,
                });
            }
        }
    }

    #[inline(always)]
    fn miss(&mut self) {
        if self.layer.document {
            self.layer.document = !self.stored.contains(self.number);
        }
        if self.phases[self.residue].n_windows > 0 {
            self.n_open -= 1;
            self.close(self.residue);
        }
    }

    /// End the run of a phase.
    fn close(&mut self, residue: usize) {
        let phase = &mut self.phases[residue];
        self.layer.chains.push(Chain {
            window: phase.first,
            last: phase.last,
            n_windows: std::mem::take(&mut phase.n_windows),
            n_distinct: std::mem::take(&mut phase.n_distinct),
            start: 0,
            end: 0,
        });
    }

    /// End all runs and return the layer's answer.
    pub fn finish(mut self) -> LayerScan {
        for residue in 0..self.phases.len() {
            if self.phases[residue].n_windows > 0 {
                self.close(residue);
            }
        }
        if self.layer.chains.len() < STEP {
            self.layer.chains.sort_unstable_by_key(|chain| chain.window);
        } else {
            self.layer.chains.sort_unstable_by_key(|chain| {
                tick(2);
                chain.window
            });
        }
        self.layer
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn follow(keys: &[u64], hits: &[bool], stride: usize, rate: f64) -> LayerScan {
        let mut follower = Follower::new(Sampling::Stride(stride), hits.len(), rate);
        for (i, (keys, hits)) in keys.chunks(13).zip(hits.chunks(13)).enumerate() {
            follower.follow(keys, hits, Offsets::From(13 * i));
        }
        follower.finish()
    }

    #[test]
    fn a_window_that_repeats_counts_once() {
        let layer = follow(&[1, 2, 1, 2, 1, 9], &[true, true, true, true, true, false], 1, 0.01);
        let [chain] = layer.chains[..] else { panic!("one chain") };
        assert_eq!((chain.n_windows, chain.n_distinct), (5, 2));
        assert_eq!(layer.approximate.map(|stretch| stretch.n_hits), Some(2));
    }

    #[test]
    fn edits_break_a_chain_but_not_a_stretch() {
        let keys: Vec<u64> = (0..20).collect();
        let mut hits = vec![true; 20];
        for edited in [3, 4, 9, 15] {
            hits[edited] = false;
        }
        let layer = follow(&keys, &hits, 1, 0.01);
        let stretch = layer.approximate.unwrap();
        assert_eq!((stretch.window, stretch.n_windows, stretch.n_hits), (0, 20, 16));
        let expected = 16.0 * 50f64.ln() + 4.0 * (0.5f64 / 0.99).ln();
        assert!((stretch.score - expected).abs() < 1e-9);
        assert_eq!(layer.chains.iter().map(|chain| chain.n_windows).max(), Some(5));
    }

    #[test]
    fn a_filter_that_contains_half_of_everything_shows_no_copy() {
        let keys: Vec<u64> = (0..50).collect();
        assert_eq!(follow(&keys, &[true; 50], 1, 0.6).approximate, None);
    }

    proptest! {
        #[test]
        fn the_best_stretch_is_the_best_of_all(
            hits in prop::collection::vec(any::<bool>(), 0..60), stride in 1usize..9, rate in 0.001f64..0.7,
        ) {
            let keys: Vec<u64> = (0..hits.len() as u64).collect();
            let mut best = 0.0f64;
            for stake in INTACT_SHARES.iter().filter_map(|&share| Stake::new(share, rate)) {
                for first in 0..hits.len() {
                    let mut score = 0.0;
                    for window in (first..hits.len()).step_by(stride) {
                        score += if hits[window] { stake.hit } else { stake.miss };
                        best = best.max(score);
                    }
                }
            }
            let score = follow(&keys, &hits, stride, rate).approximate.map_or(0.0, |stretch| stretch.score);
            prop_assert!((score - best).abs() < 1e-9, "{score} {best}");
        }

        #[test]
        fn a_window_that_repeats_counts_once_in_each_stretch(
            windows in prop::collection::vec((0u64..6, any::<bool>()), 0..80),
            stride in 1usize..5,
            rate in 0.001f64..0.7,
        ) {
            // Whether a window hits depends on its key.
            let known: Vec<bool> = (0..6).map(|key| windows.iter().any(|&(k, hit)| k == key && hit)).collect();
            let keys: Vec<u64> = windows.iter().map(|&(key, _)| key).collect();
            let hits: Vec<bool> = keys.iter().map(|&key| known[key as usize]).collect();
            let mut best: Option<f64> = None;
            for stake in INTACT_SHARES.iter().filter_map(|&share| Stake::new(share, rate)) {
                for phase in 0..stride {
                    let mut first = None;
                    for window in (phase..hits.len()).step_by(stride) {
                        let begin = first.unwrap_or(window);
                        let stretch = || (begin..=window).step_by(stride);
                        let mut distinct: Vec<u64> = stretch().filter(|&i| hits[i]).map(|i| keys[i]).collect();
                        distinct.sort_unstable();
                        distinct.dedup();
                        let n_misses = stretch().filter(|&i| !hits[i]).count();
                        let score = distinct.len() as f64 * stake.hit + n_misses as f64 * stake.miss;
                        first = (score > 0.0).then_some(begin);
                        if score > 0.0 {
                            best = Some(best.map_or(score, |best| best.max(score)));
                        }
                    }
                }
            }
            prop_assert_eq!(follow(&keys, &hits, stride, rate).approximate.map(|stretch| stretch.score), best);
        }
    }
}
