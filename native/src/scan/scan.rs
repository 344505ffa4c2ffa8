//! The asked windows of a text → hits → chains.
//!
//! What bounds it: the filters' memory accesses. A text is normalised and hashed once, whatever the
//! number of filters; each batch of keys is looked up in every filter while it is in the first-level
//! cache. Beyond the text, memory holds the chains and one counter per phase.

use super::chains::{Follower, LayerScan, Offsets};
use super::places::Places;
use crate::filters::filter::{Batch, Filter};
use crate::interrupt::{STEP, tick};
use crate::text::normalized::{Normalized, Scratch};
use crate::text::origins::{Forget, Origins};
use crate::windows::keys::{document_key, window_key};
use crate::windows::sampling::Sampling;
use crate::windows::spec::Spec;

/// The answer of all filters to a text.
#[derive(Clone, Debug, PartialEq)]
pub struct Scan {
    /// The normalised text's length in units.
    pub n_units: usize,
    /// Windows that were looked up.
    pub n_windows: usize,
    /// One per filter.
    pub layers: Vec<LayerScan>,
}

/// Windows looked up at a time; fewer where they are so wide that hashing them takes long.
const BATCH: usize = 1024;

/// Call `f` with all asked windows of `text` and their offsets, in batches of at most [`BATCH`].
fn for_batches(spec: &Spec, text: Normalized, filters: &[&dyn Filter], f: impl FnMut(Batch, Offsets)) {
    let reads_windows = filters.iter().any(|filter| filter.reads_windows());
    // Strides ask every window, so that offsets need no list.
    match (reads_windows, spec.sampling) {
        (true, _) => for_batches_with::<true, true>(spec, text, f),
        (false, Sampling::Minimizer(_)) => for_batches_with::<false, true>(spec, text, f),
        (false, Sampling::Stride(_)) => for_batches_with::<false, false>(spec, text, f),
    }
}

#[inline(always)]
fn for_batches_with<const WINDOWS: bool, const OFFSETS: bool>(
    spec: &Spec,
    text: Normalized,
    mut f: impl FnMut(Batch, Offsets),
) {
    let full = (16 * spec.windows.per_step()).min(BATCH);
    let mut keys = [0; BATCH];
    let mut slices: Vec<&[u8]> = vec![&[]; if WINDOWS { BATCH } else { 0 }];
    let mut offsets = vec![0; if OFFSETS { BATCH } else { 0 }];
    let mut first = 0;
    let mut n = 0;
    let mut flush = |keys: &[u64], slices: &[&[u8]], offsets: &[usize], first| {
        let n = keys.len();
        let windows = if WINDOWS { &slices[..n] } else { &[] };
        let offsets = if OFFSETS { Offsets::Listed(&offsets[..n]) } else { Offsets::From(first) };
        f(Batch { keys, windows }, offsets);
    };
    spec.sampling.for_each_asked(&spec.windows, text, |offset, window| {
        keys[n] = window_key(window);
        if WINDOWS {
            slices[n] = window;
        }
        if OFFSETS {
            offsets[n] = offset;
        }
        n += 1;
        if n == full {
            flush(&keys[..n], &slices, &offsets, first);
            tick(STEP);
            first += n;
            n = 0;
        }
    });
    flush(&keys[..n], &slices, &offsets, first);
}

/// Look every asked window of `text` up in every filter; each filter comes with its false-positive rate.
pub fn scan(text: &str, spec: &Spec, filters: &[(&dyn Filter, f64)], scratch: &mut Scratch) -> Scan {
    spec.with_text(text, scratch, &mut Origins::default(), |normalized, cut, origins| {
        let windows = &spec.windows;
        let n_units = windows.unit.count(cut);
        let (n_windows, mut layers) = look_up(spec, cut, windows.count(n_units), filters);

        let document = document_key(normalized.bytes);
        // For words this is a long list, so it is made only if there is a chain to place.
        let has_chains = layers.iter().any(|layer| !layer.chains.is_empty());
        let places = if has_chains { Places::new(normalized, windows.unit) } else { Places::Chars };
        let span = |window: usize, last: usize| {
            let chars = places.chars(window, last + windows.width);
            origins.span(chars.start, chars.end)
        };
        for ((filter, _), layer) in filters.iter().zip(&mut layers) {
            layer.document &= filter.contains_document(document);
            for chain in &mut layer.chains {
                tick(64);
                (chain.start, chain.end) = span(chain.window, chain.last);
            }
            if let Some(stretch) = &mut layer.approximate {
                (stretch.start, stretch.end) = span(stretch.window, stretch.last);
            }
        }
        Scan { n_units, n_windows, layers }
    })
}

/// Look the asked ones of a text's `n_windows` up in each filter.
///
/// Return their number, and the answers, whose chains do not have their places in the text yet.
fn look_up(
    spec: &Spec,
    cut: Normalized,
    n_windows: usize,
    filters: &[(&dyn Filter, f64)],
) -> (usize, Vec<LayerScan>) {
    let mut followers: Vec<Follower> =
        filters.iter().map(|&(_, rate)| Follower::new(spec.sampling, n_windows, rate)).collect();
    let filters: Vec<&dyn Filter> = filters.iter().map(|&(filter, _)| filter).collect();
    let mut hits = [false; BATCH];
    let mut n_asked = 0;
    for_batches(spec, cut, &filters, |batch, offsets| {
        n_asked += batch.keys.len();
        for (filter, follower) in filters.iter().zip(&mut followers) {
            let hits = &mut hits[..batch.keys.len()];
            filter.contains(batch, hits);
            follower.follow(batch.keys, hits, offsets);
        }
    });
    (n_asked, followers.into_iter().map(Follower::finish).collect())
}

/// Return for each filter whether it contains each asked window of `text`.
pub fn hits(
    text: &str,
    spec: &Spec,
    filters: &[(&dyn Filter, f64)],
    scratch: &mut Scratch,
) -> Vec<Vec<bool>> {
    let filters: Vec<&dyn Filter> = filters.iter().map(|&(filter, _)| filter).collect();
    let mut all = vec![Vec::new(); filters.len()];
    spec.with_text(text, scratch, &mut Forget, |_, cut, _| {
        for_batches(spec, cut, &filters, |batch, _| {
            for (filter, all) in filters.iter().zip(&mut all) {
                let from = all.len();
                all.resize(from + batch.keys.len(), false);
                filter.contains(batch, &mut all[from..]);
            }
        });
    });
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scan::chains::Chain;
    use crate::text::Normalizer;
    use crate::windows::windows::{Unit, Windows};
    use proptest::prelude::*;
    use std::collections::HashSet;

    struct Set(HashSet<u64>);

    impl Filter for Set {
        fn contains(&self, batch: Batch, hits: &mut [bool]) {
            for (key, hit) in batch.keys.iter().zip(hits) {
                *hit = self.0.contains(key);
            }
        }

        fn contains_document(&self, key: u64) -> bool {
            self.0.contains(&key)
        }
    }

    fn spec(width: usize, stride: usize) -> Spec {
        Spec {
            normalizer: Normalizer::Spaces,
            windows: Windows { width, unit: Unit::Char },
            sampling: Sampling::Stride(stride),
        }
    }

    fn portrait(documents: &[&str], spec: &Spec) -> Set {
        let mut keys = HashSet::new();
        let mut scratch = Scratch::default();
        for document in documents {
            let text = spec.normalizer.apply(document, &mut scratch, &mut Forget);
            spec.for_each_stored(text, |window| {
                keys.insert(window_key(window));
            });
            keys.insert(document_key(text.bytes));
        }
        Set(keys)
    }

    #[test]
    fn a_copy_is_one_chain_at_its_place_in_the_original_text() {
        let spec = spec(4, 2);
        let set = portrait(&["abcdefgh"], &spec);
        let scan = scan("xx  abcdefgh\n\nyy", &spec, &[(&set, 0.01)], &mut Scratch::default());
        assert_eq!(scan.n_units, 14);
        assert_eq!(
            scan.layers[0].chains,
            [Chain { window: 3, last: 7, n_windows: 3, n_distinct: 3, start: 4, end: 12 }]
        );
        assert!(!scan.layers[0].document);
    }

    #[test]
    fn the_document_itself_is_recognised_at_any_length() {
        let spec = spec(4, 2);
        let set = portrait(&["ab", "abcdefg", ""], &spec);
        for (text, expected) in
            [("ab", true), (" ab\n", true), ("abcdefg", true), ("abcdef", false), ("", true), ("b", false)]
        {
            let scan = scan(text, &spec, &[(&set, 0.01)], &mut Scratch::default());
            assert_eq!(scan.layers[0].document, expected, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn chains_are_the_maximal_runs_of_hits(
            document in "[ab]{0,60}", text in "[ab]{0,60}", width in 1usize..8, stride in 1usize..90,
        ) {
            let spec = spec(width, stride);
            let set = portrait(&[&document], &spec);
            let hits = hits(&text, &spec, &[(&set, 0.01)], &mut Scratch::default()).remove(0);
            let at = |i: Option<usize>| i.and_then(|i| hits.get(i)).copied().unwrap_or(false);
            let mut expected = Vec::new();
            for window in 0..hits.len() {
                if at(Some(window)) && !at(window.checked_sub(stride)) {
                    let n = (1..).find(|n| !at(Some(window + n * stride))).unwrap();
                    expected.push((window, n));
                }
            }
            let scan = scan(&text, &spec, &[(&set, 0.01)], &mut Scratch::default());
            let listed: Vec<_> = scan.layers[0].chains.iter().map(|chain| (chain.window, chain.n_windows)).collect();
            prop_assert_eq!(listed, expected);
            prop_assert_eq!(scan.layers[0].n_hits, hits.iter().filter(|hit| **hit).count());
        }
    }
}
