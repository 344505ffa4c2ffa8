//! Sorting keys without duplicates, and partitioning them.
//!
//! Keys are hashes, so the top bits of a key nearly determine its place: one pass puts it into a bucket of
//! a few dozen, which is cheap to sort. A key that occurs in the corpus a million times makes one large
//! bucket, which the standard library's sort handles well.
//!
//! What bounds it: writes to random places in the second-level cache, and the unpredictable branches of
//! the buckets' sorts. More keys than fit that cache are split coarsely first.

use crate::interrupt::{STEP, or_undo, tick};

/// Keys in a piece that is sorted within the cache.
const PIECE_KEYS: usize = 1 << 17;
/// Keys in a bucket, on average.
const BUCKET_KEYS: usize = 16;
/// The largest number of pieces: the processor keeps up with about this many places to write to.
const MAX_PIECES: usize = 1 << 11;

/// Maps keys, in order, to buckets of about the same size, if keys are spread evenly from `min` to `max`.
#[derive(Clone, Copy)]
struct Spread {
    /// Leading bits that all keys share.
    shared: u32,
    n_buckets: u64,
}

impl Spread {
    /// Return the map for `keys`, or `None` if all are the same.
    fn over(keys: &[u64], n_buckets: usize) -> Option<Self> {
        let (min, max) = keys.chunks(STEP).fold((u64::MAX, 0), |bounds, keys| {
            tick(keys.len() / 2);
            keys.iter().fold(bounds, |(min, max), &key| (key.min(min), key.max(max)))
        });
        let shared = (min ^ max).leading_zeros();
        (shared < u64::BITS).then_some(Self { shared, n_buckets: n_buckets as u64 })
    }

    #[inline(always)]
    fn bucket(self, key: u64) -> usize {
        ((u128::from(key << self.shared) * u128::from(self.n_buckets)) >> 64) as usize
    }
}

/// Write `keys` to `out`, bucket after bucket, and the end of each bucket to `ends`.
fn scatter(keys: &[u64], out: &mut [u64], ends: &mut Vec<usize>, spread: Spread) {
    let n_buckets = spread.n_buckets as usize;
    ends.clear();
    // Shifted by one, so that counting up a bucket's start turns it into the bucket's end.
    ends.resize(n_buckets + 1, 0);
    for keys in keys.chunks(STEP) {
        for &key in keys {
            ends[spread.bucket(key) + 1] += 1;
        }
        tick(keys.len());
    }
    for i in 1..=n_buckets {
        ends[i] += ends[i - 1];
    }
    // Where there are many buckets, nearly each of the first keys touches a page that is new, and the system
    // takes microseconds to hand that out.
    for keys in keys.chunks(STEP / 16) {
        for &key in keys {
            let at = &mut ends[spread.bucket(key)];
            out[*at] = key;
            *at += 1;
        }
        tick(32 * keys.len());
    }
    ends.truncate(n_buckets);
}

/// Memory reused from one piece to the next.
#[derive(Default)]
struct Bucketed {
    keys: Vec<u64>,
    ends: Vec<usize>,
}

impl Bucketed {
    /// Call `push` with the distinct keys in order.
    fn sort(&mut self, keys: &[u64], mut push: impl FnMut(u64)) {
        let Some(spread) = Spread::over(keys, keys.len().div_ceil(BUCKET_KEYS)) else {
            keys.first().into_iter().for_each(|&key| push(key));
            return;
        };
        self.keys.resize(keys.len(), 0);
        scatter(keys, &mut self.keys, &mut self.ends, spread);
        let mut start = 0;
        for &end in &self.ends {
            let bucket = &mut self.keys[start..end];
            sort_bucket(bucket);
            let mut before = None;
            for keys in bucket.chunks(STEP) {
                for &key in keys {
                    if before != Some(key) {
                        push(key);
                        before = Some(key);
                    }
                }
                if keys.len() == STEP {
                    tick(STEP);
                }
            }
            start = end;
        }
        tick(20 * keys.len());
    }
}

/// Sort the keys of a bucket: a few dozen, unless the keys are spread unevenly.
fn sort_bucket(bucket: &mut [u64]) {
    if bucket.len() < STEP {
        bucket.sort_unstable();
    } else {
        bucket.sort_unstable_by(|a, b| {
            tick(2);
            a.cmp(b)
        });
    }
}

/// Sort `keys` and drop duplicates. If there are many, this takes as much memory again.
///
/// Where that is interrupted, `keys` holds the same keys as before, in some order.
pub fn sort_unique(keys: &mut Vec<u64>) {
    let mut piece = Bucketed::default();
    if keys.len() <= PIECE_KEYS {
        let mut sorted = Vec::with_capacity(keys.len());
        piece.sort(keys, |key| sorted.push(key));
        keys.clear();
        keys.extend_from_slice(&sorted);
        return;
    }
    let n_pieces = (keys.len() / PIECE_KEYS * 2).min(MAX_PIECES);
    let Some(spread) = Spread::over(keys, n_pieces) else {
        keys.truncate(1);
        return;
    };
    let mut partitioned = vec![0; keys.len()];
    let mut ends = Vec::new();
    scatter(keys, &mut partitioned, &mut ends, spread);
    keys.clear();
    let sort = |(keys, partitioned): &mut (&mut Vec<u64>, Vec<u64>)| {
        let mut start = 0;
        for end in ends {
            piece.sort(&partitioned[start..end], |key| keys.push(key));
            start = end;
        }
    };
    or_undo(&mut (keys, partitioned), sort, |(keys, partitioned)| std::mem::swap(*keys, partitioned));
}

/// Return the keys ordered by partition, and the size of each of `n_partitions`, at least one.
pub fn partitioned(keys: &[u64], n_partitions: usize) -> (Vec<u64>, Vec<usize>) {
    let mut partitioned = vec![0; keys.len()];
    let mut ends = Vec::new();
    scatter(keys, &mut partitioned, &mut ends, Spread { shared: 0, n_buckets: n_partitions as u64 });
    for i in (1..ends.len()).rev() {
        ends[i] -= ends[i - 1];
    }
    (partitioned, ends)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::interrupt::{Wish, run};
    use proptest::prelude::*;

    fn check(mut keys: Vec<u64>) {
        let mut expected = keys.clone();
        expected.sort_unstable();
        expected.dedup();
        sort_unique(&mut keys);
        assert_eq!(keys, expected);
    }

    /// The finaliser of SplitMix64: keys as even as hashes.
    fn hash(i: u64) -> u64 {
        let mut h = i.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        h = (h ^ (h >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        h = (h ^ (h >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        h ^ (h >> 31)
    }

    #[test]
    fn many_keys_of_every_kind_are_sorted() {
        let n = 3 * PIECE_KEYS as u64 + 5;
        check((0..n).map(hash).collect());
        check((0..n).map(|i| hash(i / 3)).collect());
        check((0..n).map(|i| if i % 2 == 0 { 7 } else { hash(i) }).collect());
        check((0..n).map(|i| hash(i) >> 20).collect());
        check((0..n).map(|i| u64::MAX - i % 1000).collect());
        check(vec![u64::MAX; n as usize]);
        check((0..n).rev().collect());
        check((0..n).map(|i| hash(i) | 0xabc0_0000_0000_0000).collect());
    }

    #[test]
    fn an_interrupted_sort_loses_no_keys() {
        for doublings in 0.. {
            let all: Vec<u64> = (0..(PIECE_KEYS as u64 * 3) << doublings).map(|i| hash(i / 2)).collect();
            let mut keys = all.clone();
            if run(|| Wish::Stop, || sort_unique(&mut keys)).is_err() {
                let sum = |keys: &[u64]| keys.iter().fold(0u64, |sum, key| sum.wrapping_add(*key));
                assert_eq!((keys.len(), sum(&keys)), (all.len(), sum(&all)));
                return;
            }
        }
    }

    proptest! {
        #[test]
        fn few_keys_are_sorted(keys in proptest::collection::vec(0u64..200, 0..80), shift in 0u32..57) {
            check(keys.into_iter().map(|key| key << shift).collect());
        }

        #[test]
        fn partitions_hold_their_keys_in_the_order_given(
            keys in proptest::collection::vec(any::<u64>(), 0..300), n_partitions in 1usize..40,
        ) {
            let of = |key: u64| ((u128::from(key) * n_partitions as u128) >> 64) as usize;
            let (ordered, counts) = partitioned(&keys, n_partitions);
            prop_assert_eq!(counts.len(), n_partitions);
            let mut expected = Vec::new();
            for (partition, &count) in counts.iter().enumerate() {
                let own: Vec<u64> = keys.iter().copied().filter(|&key| of(key) == partition).collect();
                prop_assert_eq!(own.len(), count);
                expected.extend(own);
            }
            prop_assert_eq!(ordered, expected);
        }
    }
}
