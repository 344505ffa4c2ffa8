//! The size of a partition: as few blocks as its own keys allow.
//!
//! Elimination places each key's row in the first free slot from its start on, so rows queue where starts are
//! dense. A row of 128 slots in whose place all 128 are taken by waiting keys would be a sum of them, and any
//! key there a false answer. So the partition is made long enough for a few slots to be free wherever a row
//! begins: the columns are then as good as independent there.

use super::layout::{BLOCK, SPAN, WIDTH, n_starts, place, start};
use crate::interrupt::{STEP, tick};

/// Slots to be free, besides one for each column, wherever a row begins.
const SPARE: usize = 14;

/// Return the number of blocks for a partition with these keys, which are in ascending order.
///
/// Bisection finds it, between 1 and about 1.25 slots a key. So many do not suffice for keys that are no hash
/// values and share their starts; then the false-positive rate is higher there.
pub(super) fn n_blocks(keys: &[u64], n_partitions: usize, n_columns: usize) -> usize {
    let most_waiting = (WIDTH - SPARE - n_columns) as i64;
    let mut low = SPAN.max(keys.len().div_ceil(BLOCK));
    let mut high = low + keys.len() / (4 * BLOCK) + SPAN;
    while low < high {
        let middle = low.midpoint(high);
        if suffices(middle, keys, n_partitions, most_waiting) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    high
}

/// Return whether in so many blocks at most `most_waiting` keys wait for a slot at any time.
fn suffices(n_blocks: usize, keys: &[u64], n_partitions: usize, most_waiting: i64) -> bool {
    let n_starts = n_starts(n_blocks);
    let (mut waiting, mut last) = (0, 0);
    keys.chunks(STEP).all(|keys| {
        tick(2 * keys.len());
        keys.iter().all(|&key| {
            let start = start(place(key, n_partitions).1, n_starts) as i64;
            waiting = (waiting - (start - last)).max(0) + 1;
            last = start;
            waiting <= most_waiting
        })
    })
}

#[cfg(test)]
mod tests {
    use super::super::layout::random_keys;
    use super::*;

    #[test]
    fn a_partition_takes_few_slots() {
        for (n, most) in [(0, 3), (1, 3), (100, 3), (150, 3), (220, 4), (1000, 18)] {
            let blocks = n_blocks(&random_keys(3, n), 1, 7);
            assert!(blocks <= most, "{n}: {blocks}");
        }
        let slots: usize = (0..20).map(|seed| BLOCK * n_blocks(&random_keys(seed, 1 << 15), 1, 7)).sum();
        let each = slots as f64 / f64::from(20 << 15);
        assert!((1.01..1.025).contains(&each), "{each}");
    }

    #[test]
    fn more_columns_take_more_slots() {
        let keys = random_keys(4, 1 << 15);
        assert!([1, 8, 32].map(|n_columns| n_blocks(&keys, 1, n_columns)).is_sorted());
    }

    #[test]
    fn keys_that_share_their_start_are_given_up() {
        let keys: Vec<u64> = (0..10_000).collect();
        assert_eq!(n_blocks(&keys, 1, 7), 157 + 39 + 3);
    }
}
