//! A bottom-k sketch: the smallest keys, from which the number of distinct keys is estimated.
//!
//! Keys are hashes, spread evenly, so the k-th smallest of n distinct keys lies at about k/n of their
//! range: n is estimated as (k − 1) · 2^64 / (the k-th), with a relative standard error of
//! 1/√(k − 2) (Beyer et al., *On Synopses for Distinct-Value Estimation under Multiset Operations*,
//! 2007). Fewer than k keys are counted exactly. The union of the sketches of parts is the sketch of
//! the whole, whatever the parts and their order. Unlike in HyperLogLog, adding a key to a full sketch
//! is one comparison, which nearly always fails.

use super::sort::sort_unique;
use crate::interrupt::{STEP, tick};

/// The `k` smallest distinct keys of those added.
pub struct Sketch {
    k: usize,
    /// Keys larger than this are not among the smallest.
    limit: u64,
    /// Sorted and unique up to `n_sorted`; after that, in the order they were added.
    keys: Vec<u64>,
    n_sorted: usize,
}

impl Sketch {
    /// Create an empty sketch of `k` keys, at least one.
    pub fn new(k: usize) -> Self {
        Self { k, limit: u64::MAX, keys: Vec::new(), n_sorted: 0 }
    }

    /// Add keys, in any order, any number of times.
    pub fn add(&mut self, keys: &[u64]) {
        for step in keys.chunks(STEP) {
            for &key in step {
                if key <= self.limit {
                    self.keys.push(key);
                    if self.keys.len() >= self.n_sorted + 2 * self.k {
                        self.settle();
                    }
                }
            }
            tick(step.len());
        }
    }

    /// Sort the keys and keep the `k` smallest.
    fn settle(&mut self) {
        if self.keys.len() == self.n_sorted {
            return;
        }
        sort_unique(&mut self.keys);
        self.keys.truncate(self.k);
        if self.keys.len() == self.k {
            self.limit = self.keys[self.k - 1];
        }
        self.n_sorted = self.keys.len();
    }

    /// Return the smallest keys in ascending order: all of them if there are fewer than `k`.
    pub fn smallest(&mut self) -> &[u64] {
        self.settle();
        &self.keys
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_smallest_keys_are_kept_in_whatever_order_they_are_added(
            keys in proptest::collection::vec(0u64..500, 0..400), k in 1usize..60, cut in 0usize..400,
        ) {
            let mut expected = keys.clone();
            expected.sort_unstable();
            expected.dedup();
            expected.truncate(k);
            let (one, other) = keys.split_at(cut.min(keys.len()));
            let mut parts = [one, other].map(|part| {
                let mut sketch = Sketch::new(k);
                part.chunks(7).for_each(|chunk| sketch.add(chunk));
                sketch
            });
            let mut united = Sketch::new(k);
            for part in parts.iter_mut().rev() {
                united.add(part.smallest());
            }
            prop_assert_eq!(united.smallest(), expected);
        }
    }
}
