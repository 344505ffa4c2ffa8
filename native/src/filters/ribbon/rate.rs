//! The false-positive rate that the columns of a filter have, computed from their bits.
//!
//! A random key is found if its row times each column is zero. The row's coefficients are random, so it is with
//! probability 2^-k, where k is the rank of the columns in the row's slots. Every row that begins in one block
//! passes over all of the next, so k is at least the rank of the columns in that block. The rate is the mean of
//! 2^-k over the blocks that rows pass over. It never promises less than there is, whoever made the bits: where
//! columns are zero or sums of each other, k is small.

use super::layout::BLOCK;
use super::table::{Partition, Table};
use crate::filters::mix::mix;
use crate::interrupt::tick;

/// Blocks that determine the rate of a larger filter about, in runs that lie together.
const SAMPLED_BLOCKS: usize = 1 << 16;
const RUN: usize = 16;

/// Return the rank of the columns in a block: how many of them are no sum of others.
fn rank(columns: &[[u8; 8]]) -> u32 {
    // A reduced column for each first bit.
    let mut basis = [0u64; BLOCK];
    let mut rank = 0;
    for column in columns {
        let mut rest = u64::from_le_bytes(*column);
        while rest != 0 {
            let pivot = &mut basis[rest.trailing_zeros() as usize];
            if *pivot == 0 {
                *pivot = rest;
                rank += 1;
                break;
            }
            rest ^= *pivot;
        }
    }
    rank
}

/// Return the sum of 2^-rank over some blocks of a partition.
fn sum(words: &[[u8; 8]], n_columns: usize) -> f64 {
    let blocks = words.chunks_exact(n_columns);
    blocks
        .map(|columns| {
            tick(8 * n_columns * n_columns);
            (-f64::from(rank(columns))).exp2()
        })
        .sum()
}

/// Return the false-positive rate: the mean over partitions of the mean over their blocks but the first and
/// the last.
pub(super) fn rate(table: &Table, shards: &[&[[u8; 8]]]) -> f64 {
    let rates = table.partitions.iter().map(|partition| {
        let n = inner(partition);
        sum(run(partition, 1, n, table.n_columns, shards), table.n_columns) / n as f64
    });
    rates.sum::<f64>() / table.partitions.len() as f64
}

/// Return about the same, in time independent of the filter's size: from runs of blocks, spread evenly over
/// the partitions.
pub(super) fn sampled_rate(table: &Table, shards: &[&[[u8; 8]]]) -> f64 {
    let n_partitions = table.partitions.len();
    if table.n_words / table.n_columns as u64 <= SAMPLED_BLOCKS as u64 {
        return rate(table, shards);
    }
    let n_runs = SAMPLED_BLOCKS / RUN;
    let rates = (0..n_runs).map(|i| {
        let partition = &table.partitions[i * n_partitions / n_runs];
        let n = RUN.min(inner(partition));
        let places = (inner(partition) - n + 1) as u128;
        let first = 1 + ((u128::from(mix(i as u64 + 1)) * places) >> 64) as usize;
        sum(run(partition, first, n, table.n_columns, shards), table.n_columns) / n as f64
    });
    rates.sum::<f64>() / n_runs as f64
}

/// Return how many blocks of a partition rows pass over from end to end.
fn inner(partition: &Partition) -> usize {
    partition.n_starts as usize / BLOCK
}

/// Return the words of `n` blocks of a partition.
fn run<'a>(
    partition: &Partition,
    first: usize,
    n: usize,
    n_columns: usize,
    shards: &[&'a [[u8; 8]]],
) -> &'a [[u8; 8]] {
    let from = partition.first_word as usize + first * n_columns;
    &shards[partition.shard as usize][from..from + n * n_columns]
}

#[cfg(test)]
mod tests {
    use super::super::layout::{n_words, random_keys};
    use super::super::{Ribbon, build};
    use super::*;
    use proptest::prelude::*;

    fn words(numbers: &[u64]) -> Vec<[u8; 8]> {
        numbers.iter().map(|number| number.to_le_bytes()).collect()
    }

    proptest! {
        #[test]
        fn the_rank_is_the_logarithm_of_the_number_of_sums(columns in prop::collection::vec(0u64..256, 0..10)) {
            let sums: std::collections::BTreeSet<u64> = (0..1u32 << columns.len())
                .map(|set| columns.iter().enumerate().filter(move |(i, _)| set >> i & 1 == 1))
                .map(|chosen| chosen.fold(0, |sum, (_, column)| sum ^ column))
                .collect();
            prop_assert_eq!(1usize << rank(&words(&columns)), sums.len());
        }
    }

    /// Return the filter's rate, and the share of random keys that it contains.
    fn rates(n_blocks: &[u64], n_columns: u32, bytes: &[u8]) -> (f64, f64) {
        let rows: Vec<u8> = n_blocks.iter().flat_map(|n| n.to_le_bytes()).collect();
        let table = Table::new(&[(&rows, bytes.len())], n_columns).unwrap();
        let ribbon = Ribbon::new(&table, vec![bytes]);
        let probes = random_keys(9, 200_000);
        let mut hits = vec![false; probes.len()];
        ribbon.contains_keys(&probes, &mut hits);
        let observed = hits.iter().filter(|hit| **hit).count() as f64 / probes.len() as f64;
        assert_eq!(ribbon.rate(), ribbon.sampled_rate());
        (ribbon.rate(), observed)
    }

    #[test]
    fn honest_columns_have_the_promised_rate() {
        for (n, n_columns) in [(0, 3), (1, 7), (150, 5), (10_000, 1), (10_000, 7), (100_000, 10)] {
            let keys = random_keys(2, n);
            let built = build(&keys, n_columns, 3, 0..3).unwrap();
            let n_blocks: Vec<u64> =
                built.table.as_chunks().0.iter().map(|n| u64::from_le_bytes(*n)).collect();
            let (rate, observed) = rates(&n_blocks, n_columns, &built.columns);
            let promised = (-f64::from(n_columns)).exp2();
            assert!((rate / promised - 1.0).abs() < 0.01, "{n} {n_columns}: {rate}");
            let deviation = (promised / 200_000.0).sqrt();
            assert!((observed - rate).abs() < 5.0 * deviation, "{n} {n_columns}: {observed} {rate}");
        }
    }

    #[test]
    fn columns_that_answer_more_promise_no_less() {
        let n_blocks = 20;
        let mut bytes = vec![0; 8 * n_words(n_blocks, 8)];
        assert_eq!(rates(&[20], 8, &bytes), (1.0, 1.0));
        // All columns the same.
        for (i, word) in bytes.as_chunks_mut::<8>().0.iter_mut().enumerate() {
            *word = mix(i as u64 / 8 + 1).to_le_bytes();
        }
        let (rate, observed) = rates(&[20], 8, &bytes);
        assert!(rate == 0.5 && (observed - 0.5).abs() < 0.01);
        // All neighbouring blocks together have the full rank, but not what lies between.
        for (i, word) in bytes.as_chunks_mut::<8>().0.iter_mut().enumerate() {
            *word = [1u64 << (i % 8), 0, 1 << 56 << (i % 8), 0][i / 8 % 4].to_le_bytes();
        }
        let (rate, observed) = rates(&[20], 8, &bytes);
        assert!(rate > 0.5 && observed < rate && observed > 0.15, "{rate} {observed}");
        // Partitions count alike, whatever their size.
        let mut two = vec![0; 8 * n_words(3, 8)];
        two.extend((0..n_words(40, 8) as u64).flat_map(|i| mix(i + 1).to_le_bytes()));
        let (rate, observed) = rates(&[3, 40], 8, &two);
        assert!((rate - 0.5 - 1.0 / 512.0).abs() < 1e-4 && (observed - rate).abs() < 0.01);
    }

    #[test]
    fn a_sample_determines_the_rate_about() {
        let n_columns = 4;
        let n_blocks: Vec<u64> = (0..6000).map(|i| 3 + i % 70).collect();
        let rows: Vec<u8> = n_blocks.iter().flat_map(|n| n.to_le_bytes()).collect();
        let n_all: usize = n_blocks.iter().map(|&n| n_words(n as usize, n_columns)).sum();
        // A tenth of the words are zero.
        let word = |i: u64| if mix(i).is_multiple_of(10) { 0 } else { mix(i + 1) };
        let bytes: Vec<u8> = (0..n_all as u64).flat_map(|i| word(i).to_le_bytes()).collect();
        let table = Table::new(&[(&rows, bytes.len())], n_columns as u32).unwrap();
        let ribbon = Ribbon::new(&table, vec![&bytes]);
        let (rate, sampled) = (ribbon.rate(), ribbon.sampled_rate());
        assert!(rate > 0.08 && rate != sampled && (sampled / rate - 1.0).abs() < 0.02, "{rate} {sampled}");
    }
}
