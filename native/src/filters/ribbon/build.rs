//! Building: each partition is sized for its own keys and solved on its own.

use std::ops::Range;

use super::eliminate::eliminate;
use super::layout::{BLOCK, n_words, place};
use super::size::n_blocks;
use super::substitute::substitute;
use crate::interrupt::{STEP, extend_with_zeros, tick};

/// The columns of a set of keys, and the table that says where they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Built {
    /// The number of blocks of each partition, eight bytes each, little-endian.
    pub table: Vec<u8>,
    /// The words of the partitions, end to end: for each block one for each column; zeros pad each partition.
    pub columns: Vec<u8>,
}

/// The keys are not in ascending order without duplicates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotSortedUnique;

impl std::fmt::Display for NotSortedUnique {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str("the keys are not in ascending order without duplicates")
    }
}

/// Build `partitions` of a filter of `n_partitions`, with 1 to [`super::MAX_COLUMNS`] columns.
///
/// `keys`, ascending and unique, are all keys of the filter, or at least those of these partitions. Besides the
/// result it takes 16 bytes a slot of one partition.
pub fn build(
    keys: &[u64],
    n_columns: u32,
    n_partitions: usize,
    partitions: Range<usize>,
) -> Result<Built, NotSortedUnique> {
    let n_columns = n_columns as usize;
    // Each step ends with the first key of the next.
    let is_ascending = (0..keys.len()).step_by(STEP).all(|start| {
        tick(STEP);
        keys[start..keys.len().min(start + STEP + 1)].is_sorted_by(|a, b| a < b)
    });
    if !is_ascending {
        return Err(NotSortedUnique);
    }
    let first_of = |partition| keys.partition_point(|&key| place(key, n_partitions).0 < partition);
    let mut end = first_of(partitions.start);
    let parts: Vec<(&[u64], usize)> = partitions
        .map(|partition| {
            let start = end;
            end = start + keys[start..].partition_point(|&key| place(key, n_partitions).0 == partition);
            let keys = &keys[start..end];
            tick(1000);
            (keys, n_blocks(keys, n_partitions, n_columns))
        })
        .collect();
    let n_all: usize = parts.iter().map(|&(_, n_blocks)| n_words(n_blocks, n_columns)).sum();
    let mut built = Built { table: Vec::with_capacity(8 * parts.len()), columns: Vec::new() };
    extend_with_zeros(&mut built.columns, 8 * n_all);
    let mut rest = built.columns.as_chunks_mut().0;
    let mut pivots = Vec::new();
    for (keys, n_blocks) in parts {
        built.table.extend((n_blocks as u64).to_le_bytes());
        let words = rest.split_off_mut(..n_words(n_blocks, n_columns)).expect("memory for all partitions");
        pivots.clear();
        for _ in 0..n_blocks.div_ceil(STEP) {
            tick(16 * STEP);
        }
        pivots.resize(n_blocks * BLOCK, 0);
        eliminate(keys, n_partitions, n_blocks, &mut pivots);
        substitute(&pivots, n_columns, words);
    }
    Ok(built)
}

#[cfg(test)]
mod tests {
    use super::super::layout::random_keys;
    use super::*;

    #[test]
    fn duplicates_and_disorder_are_refused() {
        assert_eq!(build(&[1, 1], 8, 1, 0..1), Err(NotSortedUnique));
        assert_eq!(build(&[2, 1], 8, 1, 0..1), Err(NotSortedUnique));
    }

    #[test]
    fn partitions_on_their_own_are_those_of_the_whole() {
        let keys = random_keys(7, 5000);
        let whole = build(&keys, 9, 7, 0..7).unwrap();
        let parts = [0..1, 1..5, 5..7].map(|range| build(&keys, 9, 7, range).unwrap());
        assert_eq!(whole.table, parts.iter().flat_map(|part| part.table.clone()).collect::<Vec<u8>>());
        assert_eq!(whole.columns, parts.iter().flat_map(|part| part.columns.clone()).collect::<Vec<u8>>());
    }
}
