//! The filter once more for tests, slow and plain: whole equations, and every bit on its own.

use super::build::Built;
use super::layout::{BLOCK, n_starts, place, start};
use super::row::{coefficients, free_values};
use super::size::n_blocks;

/// Return the slots of a partition that a key's row adds up.
fn slots(key: u64, n_partitions: usize, n_blocks: usize) -> Vec<usize> {
    let first = start(place(key, n_partitions).1, n_starts(n_blocks));
    (0..128).filter(|i| coefficients(key) >> i & 1 == 1).map(|i| first + i).collect()
}

/// Build all partitions of a filter.
pub(super) fn build(keys: &[u64], n_columns: usize, n_partitions: usize) -> Built {
    let mut built = Built::default();
    for partition in 0..n_partitions {
        let own: Vec<u64> =
            keys.iter().copied().filter(|&key| place(key, n_partitions).0 == partition).collect();
        let n_blocks = n_blocks(&own, n_partitions, n_columns);
        let solution = solve(&own, n_partitions, n_blocks);
        let from = built.columns.len();
        for block in solution.chunks(BLOCK) {
            for column in 0..n_columns {
                let word =
                    block.iter().enumerate().map(|(i, values)| (values >> column & 1) << i).sum::<u64>();
                built.columns.extend(word.to_le_bytes());
            }
        }
        while (built.columns.len() - from) % 64 != 0 {
            built.columns.push(0);
        }
        built.table.extend((n_blocks as u64).to_le_bytes());
    }
    built
}

/// Return the values of all slots: bit j is that of column j.
fn solve(keys: &[u64], n_partitions: usize, n_blocks: usize) -> Vec<u64> {
    // Rows in echelon form, by their first slot, added to any others that have it.
    let mut rows: Vec<Option<Vec<bool>>> = vec![None; n_blocks * BLOCK];
    for &key in keys.iter().rev() {
        let mut row = vec![false; n_blocks * BLOCK];
        slots(key, n_partitions, n_blocks).into_iter().for_each(|slot| row[slot] = true);
        while let Some(first) = row.iter().position(|one| *one) {
            match &rows[first] {
                Some(other) => row.iter_mut().zip(other).for_each(|(a, b)| *a ^= b),
                None => {
                    rows[first] = Some(row);
                    break;
                }
            }
        }
    }
    let mut values = vec![0; rows.len()];
    for slot in (0..rows.len()).rev() {
        values[slot] = match &rows[slot] {
            None => free_values(slot),
            Some(row) => (slot + 1..rows.len()).filter(|&i| row[i]).fold(0, |sum, i| sum ^ values[i]),
        };
    }
    values
}

/// Return whether a filter contains a key.
pub(super) fn contains(built: &Built, n_columns: usize, key: u64) -> bool {
    let sizes: Vec<usize> =
        built.table.as_chunks().0.iter().map(|n| u64::from_le_bytes(*n) as usize).collect();
    let (partition, _) = place(key, sizes.len());
    let from: usize = sizes[..partition].iter().map(|n| (8 * n * n_columns).next_multiple_of(64)).sum();
    let bit = |slot: usize, column: usize| {
        let word = from + 8 * (slot / BLOCK * n_columns + column);
        built.columns[word + slot % BLOCK / 8] >> (slot % 8) & 1
    };
    (0..n_columns).all(|column| {
        let row = slots(key, sizes.len(), sizes[partition]);
        row.into_iter().fold(0, |sum, slot| sum ^ bit(slot, column)) == 0
    })
}
