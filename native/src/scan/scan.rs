//! All windows of a text → hits → chains.
//!
//! What bounds it: the filters' memory accesses. A text is normalised and hashed once, whatever the
//! number of filters; each batch of keys is looked up in every filter while it is in the first-level
//! cache. Beyond the text, memory holds the chains and one counter per residue of the stride.

use super::chains::{Follower, LayerScan};
use super::places::Places;
use crate::filters::filter::{Batch, Filter};
use crate::interrupt::{STEP, tick};
use crate::text::normalized::{Normalized, Scratch};
use crate::text::origins::{Forget, Origins};
use crate::windows::keys::{document_key, window_key};
use crate::windows::spec::Spec;
use crate::windows::windows::Windows;

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

/// Call `f` with all windows of `text`, in batches of at most [`BATCH`].
fn for_batches(windows: &Windows, text: Normalized, filters: &[&dyn Filter], mut f: impl FnMut(Batch)) {
    let full = (16 * windows.per_step()).min(BATCH);
    let mut keys = [0; BATCH];
    let mut n = 0;
    if filters.iter().any(|filter| filter.reads_windows()) {
        let mut slices: [&[u8]; BATCH] = [&[]; BATCH];
        windows.for_each(text, |window| {
            keys[n] = window_key(window);
            slices[n] = window;
            n += 1;
            if n == full {
                f(Batch { keys: &keys[..n], windows: &slices[..n] });
                tick(STEP);
                n = 0;
            }
        });
        f(Batch { keys: &keys[..n], windows: &slices[..n] });
    } else {
        windows.for_each(text, |window| {
            keys[n] = window_key(window);
            n += 1;
            if n == full {
                f(Batch { keys: &keys[..n], windows: &[] });
                tick(STEP);
                n = 0;
            }
        });
        f(Batch { keys: &keys[..n], windows: &[] });
    }
}

/// Look every window of `text` up in every filter; each filter comes with its false-positive rate.
pub fn scan(text: &str, spec: &Spec, filters: &[(&dyn Filter, f64)], scratch: &mut Scratch) -> Scan {
    spec.with_text(text, scratch, &mut Origins::default(), |normalized, cut, origins| {
        let windows = &spec.windows;
        let n_units = windows.unit.count(cut);
        let n_windows = windows.count(n_units);
        let mut layers = look_up(spec, cut, n_windows, filters);

        let document = document_key(normalized.bytes);
        // For words this is a long list, so it is made only if there is a chain to place.
        let has_chains = layers.iter().any(|layer| !layer.chains.is_empty());
        let places = if has_chains { Places::new(normalized, windows.unit) } else { Places::Chars };
        let span = |window: usize, n_windows: usize| {
            let end = window + (n_windows - 1) * spec.sampling.stride + windows.width;
            let chars = places.chars(window, end);
            origins.span(chars.start, chars.end)
        };
        for ((filter, _), layer) in filters.iter().zip(&mut layers) {
            layer.document &= filter.contains_document(document);
            for chain in &mut layer.chains {
                tick(64);
                (chain.start, chain.end) = span(chain.window, chain.n_windows);
            }
            if let Some(stretch) = &mut layer.approximate {
                (stretch.start, stretch.end) = span(stretch.window, stretch.n_windows);
            }
        }
        Scan { n_units, n_windows, layers }
    })
}

/// Look the windows up in each filter; the chains do not have their places in the text yet.
fn look_up(spec: &Spec, cut: Normalized, n_windows: usize, filters: &[(&dyn Filter, f64)]) -> Vec<LayerScan> {
    let last = n_windows.saturating_sub(1);
    let mut followers: Vec<Follower> =
        filters.iter().map(|&(_, rate)| Follower::new(spec.sampling.stride, n_windows, rate)).collect();
    let filters: Vec<&dyn Filter> = filters.iter().map(|&(filter, _)| filter).collect();
    let mut hits = [false; BATCH];
    for_batches(&spec.windows, cut, &filters, |batch| {
        for (filter, follower) in filters.iter().zip(&mut followers) {
            let hits = &mut hits[..batch.keys.len()];
            filter.contains(batch, hits);
            follower.follow(batch.keys, hits, last);
        }
    });
    followers.into_iter().map(Follower::finish).collect()
}

/// Return for each filter whether it contains each window of `text`.
pub fn hits(
    text: &str,
    spec: &Spec,
    filters: &[(&dyn Filter, f64)],
    scratch: &mut Scratch,
) -> Vec<Vec<bool>> {
    let filters: Vec<&dyn Filter> = filters.iter().map(|&(filter, _)| filter).collect();
    let mut all = vec![Vec::new(); filters.len()];
    spec.with_text(text, scratch, &mut Forget, |_, cut, _| {
        for_batches(&spec.windows, cut, &filters, |batch| {
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
    use crate::windows::sampling::Sampling;
    use crate::windows::windows::Unit;
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
            sampling: Sampling { stride },
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
            [Chain { window: 3, n_windows: 3, n_distinct: 3, start: 4, end: 12 }]
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
