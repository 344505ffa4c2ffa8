//! Elimination: the rows of sorted keys, brought into echelon form from left to right.
//!
//! What bounds it: each key passes over some tens of rows that wait before it, one after the other, within
//! 2 KiB of memory.

use super::layout::{n_starts, place, start};
use super::row::coefficients;
use crate::interrupt::tick;

/// Keys between two ticks: each takes some fifty nanoseconds.
const STEP: usize = 1 << 12;

/// Fill `pivots`, one for each slot of the partition: the row whose first coefficient is in that slot, from
/// there on, or 0 for a free slot.
///
/// A row that is the sum of others adds nothing, since the right-hand sides are zero. Which slots are free,
/// and the solution, do not depend on the order of the keys.
pub(super) fn eliminate(keys: &[u64], n_partitions: usize, n_blocks: usize, pivots: &mut [u128]) {
    let n_starts = n_starts(n_blocks);
    for keys in keys.chunks(STEP) {
        for &key in keys {
            let mut slot = start(place(key, n_partitions).1, n_starts);
            let mut row = coefficients(key);
            while row != 0 {
                let skip = row.trailing_zeros();
                row >>= skip;
                slot += skip as usize;
                let pivot = &mut pivots[slot];
                if *pivot == 0 {
                    *pivot = row;
                    break;
                }
                row ^= *pivot;
            }
        }
        tick(64 * STEP);
    }
}

#[cfg(test)]
mod tests {
    use super::super::layout::{BLOCK, random_keys};
    use super::*;

    #[test]
    fn a_pivot_begins_with_one_and_stays_within_the_partition() {
        let keys = random_keys(1, 900);
        let mut pivots = vec![0; 16 * BLOCK];
        eliminate(&keys, 1, 16, &mut pivots);
        assert_eq!(pivots.iter().filter(|&&pivot| pivot != 0).count(), 900);
        for (slot, &pivot) in pivots.iter().enumerate().filter(|&(_, &pivot)| pivot != 0) {
            assert_eq!(pivot & 1, 1);
            assert!(slot + 128 - pivot.leading_zeros() as usize <= pivots.len());
        }
    }

    #[test]
    fn the_order_of_keys_decides_no_free_slot() {
        let mut keys = random_keys(2, 3000);
        let free = |keys: &[u64]| {
            let mut pivots = vec![0; 50 * BLOCK];
            eliminate(keys, 1, 50, &mut pivots);
            pivots.iter().map(|&pivot| pivot == 0).collect::<Vec<bool>>()
        };
        let expected = free(&keys);
        keys.reverse();
        assert_eq!(free(&keys), expected);
        keys.rotate_left(1234);
        keys.extend_from_within(..100);
        assert_eq!(free(&keys), expected);
    }
}
