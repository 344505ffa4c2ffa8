//! Looking keys up in groups, so that the memory accesses of many keys overlap.

use super::layout::{ARITY, fingerprint, mix, partition_of};
use super::table::Table;
use crate::filters::filter::{Batch, Filter};
use crate::filters::prefetch::prefetch;

/// Keys looked up together.
const GROUP: usize = 32;

/// A filter in borrowed memory.
pub struct Fuse<'a> {
    table: &'a Table,
    /// The fingerprints of each shard, as long as the table says.
    shards: Vec<&'a [u8]>,
}

impl<'a> Fuse<'a> {
    /// Create a filter from its table and its shards' fingerprints.
    pub fn new(table: &'a Table, shards: Vec<&'a [u8]>) -> Self {
        Self { table, shards }
    }

    #[inline(always)]
    fn bytes_at(&self, shard: usize, bit: u64) -> &[u8; 8] {
        let at = (bit / 8) as usize;
        self.shards[shard][at..at + 8].try_into().expect("eight bytes")
    }

    /// Set each hit to whether the filter contains the key; both slices have the same length.
    pub fn contains_keys(&self, keys: &[u64], hits: &mut [bool]) {
        let Table { partitions, n_bits, .. } = self.table;
        let n_bits = *n_bits;
        let value_mask = (u64::MAX >> (64 - n_bits)) as u32;
        for (keys, hits) in keys.chunks(GROUP).zip(hits.chunks_mut(GROUP)) {
            let mut bits = [[0u64; ARITY]; GROUP];
            let mut expected = [0u32; GROUP];
            let mut owners = [0; GROUP];
            for (i, &key) in keys.iter().enumerate() {
                let partition = &partitions[partition_of(key, partitions.len())];
                owners[i] = partition.shard;
                let h = mix(key, partition.seed);
                expected[i] = fingerprint(h, n_bits);
                for (bit, slot) in bits[i].iter_mut().zip(partition.layout.slots(h)) {
                    *bit = partition.first_bit + slot as u64 * u64::from(n_bits);
                    prefetch(self.bytes_at(partition.shard, *bit));
                }
            }
            for (i, hit) in hits.iter_mut().enumerate() {
                let value =
                    |&bit: &u64| (u64::from_le_bytes(*self.bytes_at(owners[i], bit)) >> (bit % 8)) as u32;
                let sum = bits[i].iter().map(value).fold(0, |sum, value| sum ^ value);
                *hit = (sum ^ expected[i]) & value_mask == 0;
            }
        }
    }
}

impl Filter for Fuse<'_> {
    fn contains(&self, batch: Batch, hits: &mut [bool]) {
        self.contains_keys(batch.keys, hits);
    }

    fn contains_document(&self, key: u64) -> bool {
        let mut hit = [false];
        self.contains_keys(&[key], &mut hit);
        hit[0]
    }
}
