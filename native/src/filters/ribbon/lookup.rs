//! Looking keys up in groups, so that the memory accesses of many keys overlap.

use super::layout::{BLOCK, SPAN, place, start};
use super::rate;
use super::row::coefficients;
use super::table::Table;
use crate::filters::filter::{Batch, Filter};
use crate::filters::prefetch::prefetch;

/// Keys looked up together.
const GROUP: usize = 32;
/// Columns tested together, without a branch: of absent keys, few pass the first four.
const LANES: usize = 4;
/// Words in a cache line.
const LINE: usize = 8;

/// A filter in borrowed memory.
pub struct Ribbon<'a> {
    table: &'a Table,
    /// The words of each shard, as many as the table says.
    shards: Vec<&'a [[u8; 8]]>,
}

impl<'a> Ribbon<'a> {
    /// Create a filter from its table and its shards' columns.
    pub fn new(table: &'a Table, shards: Vec<&'a [u8]>) -> Self {
        Self { table, shards: shards.into_iter().map(|bytes| bytes.as_chunks().0).collect() }
    }

    /// Return the false-positive rate for random keys: what the ranks of the columns in all blocks make it.
    pub fn rate(&self) -> f64 {
        rate::rate(self.table, &self.shards)
    }

    /// Return about [`Self::rate`], in time independent of the filter's size.
    pub fn sampled_rate(&self) -> f64 {
        rate::sampled_rate(self.table, &self.shards)
    }

    /// Set each hit to whether the filter contains the key; both slices have the same length.
    pub fn contains_keys(&self, keys: &[u64], hits: &mut [bool]) {
        let Table { partitions, n_columns, .. } = self.table;
        let n_words = SPAN * n_columns;
        for (keys, hits) in keys.chunks(GROUP).zip(hits.chunks_mut(GROUP)) {
            let mut blocks: [&[[u8; 8]]; GROUP] = [&[]; GROUP];
            let mut offsets = [0; GROUP];
            for (i, &key) in keys.iter().enumerate() {
                let (partition, place) = place(key, partitions.len());
                let partition = &partitions[partition];
                let slot = start(place, partition.n_starts);
                let first = partition.first_word as usize + slot / BLOCK * n_columns;
                let words = &self.shards[partition.shard as usize][first..first + n_words];
                words.iter().step_by(LINE).for_each(prefetch);
                prefetch(&words[n_words - 1]);
                (blocks[i], offsets[i]) = (words, slot % BLOCK);
            }
            for (i, hit) in hits.iter_mut().enumerate() {
                *hit = is_orthogonal(keys[i], offsets[i], blocks[i], *n_columns);
            }
        }
    }
}

/// Return whether a key's row, which begins in a slot of the first of three blocks, times every column is zero.
#[inline(always)]
fn is_orthogonal(key: u64, offset: usize, words: &[[u8; 8]], n_columns: usize) -> bool {
    let row = coefficients(key);
    let (near, far) = (row as u64, (row >> BLOCK) as u64);
    // A shift by 64 is one too many, where the offset is 0.
    let spill = |word: u64| word >> 1 >> (BLOCK - 1 - offset);
    let row = [near << offset, spill(near) | far << offset, spill(far)];
    let (first, rest) = words.split_at(n_columns);
    let (second, third) = rest.split_at(n_columns);
    let is_odd = |first: &[u8; 8], second: &[u8; 8], third: &[u8; 8]| {
        let product = row[0] & u64::from_le_bytes(*first)
            ^ row[1] & u64::from_le_bytes(*second)
            ^ row[2] & u64::from_le_bytes(*third);
        product.count_ones() & 1
    };
    let (first, first_rest) = first.as_chunks::<LANES>();
    let (second, second_rest) = second.as_chunks::<LANES>();
    let (third, third_rest) = third.as_chunks::<LANES>();
    let some = first.iter().zip(second).zip(third);
    let rest = first_rest.iter().zip(second_rest).zip(third_rest);
    some.map(|((first, second), third)| {
        (0..LANES).fold(0, |odd, i| odd | is_odd(&first[i], &second[i], &third[i]))
    })
    .chain([rest.fold(0, |odd, ((first, second), third)| odd | is_odd(first, second, third))])
    .all(|odd| odd == 0)
}

impl Filter for Ribbon<'_> {
    fn contains(&self, batch: Batch, hits: &mut [bool]) {
        self.contains_keys(batch.keys, hits);
    }

    fn contains_document(&self, key: u64) -> bool {
        let mut hit = [false];
        self.contains_keys(&[key], &mut hit);
        hit[0]
    }
}
