//! Where a key's row begins: its partition, and its start in the partition.
//!
//! Both grow with the key, so that a range of keys is a range of partitions, and sorted keys fill a partition
//! from left to right.

/// Slots in a block, and bits in each of its words.
pub(super) const BLOCK: usize = 64;
/// Slots of a row, whose coefficients are the bits of a `u128`.
pub(super) const WIDTH: usize = 128;
/// Blocks that a row touches, wherever in the first of them it begins.
pub(super) const SPAN: usize = 3;
/// The largest number of columns.
pub const MAX_COLUMNS: u32 = 32;
/// If there are several partitions, each has from about this many keys to twice as many.
///
/// A partition is as large as its worst stretch needs. So more, smaller ones take fewer slots in all: 1.017 a
/// key here, 1.027 with a quarter of a million keys each. Below, the ends of the partitions outweigh that.
const PARTITION_KEYS: u64 = 1 << 15;
/// A partition's words are padded to a multiple of this, a cache line.
pub(super) const LINE: usize = 8;
/// The largest number of blocks in a partition.
pub(super) const MAX_BLOCKS: u64 = 1 << 32;

/// Return the number of partitions for `n_keys` keys.
pub fn n_partitions(n_keys: u64) -> u64 {
    (n_keys / PARTITION_KEYS).max(1)
}

/// Return the partition of a key, and its place there as a share of the partition, in units of 2^-64.
#[inline(always)]
pub(super) fn place(key: u64, n_partitions: usize) -> (usize, u64) {
    let product = u128::from(key) * n_partitions as u128;
    ((product >> 64) as usize, product as u64)
}

/// Return the slot at which a row begins, of a key at this place in a partition with so many starts.
#[inline(always)]
pub(super) fn start(place: u64, n_starts: u64) -> usize {
    ((u128::from(place) * u128::from(n_starts)) >> 64) as usize
}

/// Return the number of slots at which a row can begin: in any block but the last two, so that a row touches
/// three blocks.
#[inline(always)]
pub(super) fn n_starts(n_blocks: usize) -> u64 {
    ((n_blocks - (SPAN - 1)) * BLOCK) as u64
}

/// Return the number of words of a partition: one for each block and column, and the padding.
pub(super) fn n_words(n_blocks: usize, n_columns: usize) -> usize {
    (n_blocks * n_columns).next_multiple_of(LINE)
}

/// Return about `n` keys for tests, sorted and unique.
#[cfg(test)]
pub(super) fn random_keys(seed: u64, n: usize) -> Vec<u64> {
    use crate::filters::mix::mix;
    let mut keys: Vec<u64> = (0..n as u64).map(|i| mix(i ^ mix(seed + 1))).collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn starts_grow_with_the_key_and_lie_within_the_partition(
            mut keys in prop::collection::vec(any::<u64>(), 2..50), n_partitions in 1usize..70, n_blocks in 3usize..600,
        ) {
            keys.extend([0, u64::MAX]);
            keys.sort_unstable();
            let starts = n_starts(n_blocks);
            let places: Vec<(usize, usize)> = keys.iter().map(|&key| {
                let (partition, place) = place(key, n_partitions);
                (partition, start(place, starts))
            }).collect();
            prop_assert!(places.is_sorted());
            for (partition, start) in places {
                prop_assert!(partition < n_partitions && start / BLOCK + SPAN <= n_blocks);
            }
        }
    }

    #[test]
    fn several_partitions_have_32_768_keys_or_more() {
        for (n_keys, expected) in [(0, 1), (65_535, 1), (65_536, 2), (98_303, 2), (98_304, 3)] {
            assert_eq!(n_partitions(n_keys), expected);
        }
    }

    #[test]
    fn a_partition_is_padded_to_whole_lines() {
        assert_eq!([(3, 8), (3, 7), (3, 1)].map(|(blocks, columns)| n_words(blocks, columns)), [24, 24, 8]);
    }
}
