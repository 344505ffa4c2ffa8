//! Looking keys up, in groups, so that memory answers for many at once.

use super::table::Table;
use super::{ARITY, fingerprint, mix, partition_of};
use crate::scan::{Batch, Filter};

/// Keys looked up together: so many are under way while memory answers.
const GROUP: usize = 32;

/// A filter in borrowed memory.
pub struct Fuse<'a> {
    table: &'a Table,
    /// The fingerprints of each shard, as long as the table was told.
    shards: Vec<&'a [u8]>,
}

impl<'a> Fuse<'a> {
    /// The filter of a table and its shards' fingerprints.
    pub fn new(table: &'a Table, shards: Vec<&'a [u8]>) -> Self {
        Self { table, shards }
    }

    #[inline(always)]
    fn bytes_at(&self, shard: usize, bit: u64) -> &[u8; 8] {
        let at = (bit / 8) as usize;
        self.shards[shard][at..at + 8].try_into().expect("eight bytes")
    }

    /// For each key, whether the filter holds it; both slices have the same length.
    pub fn contains(&self, keys: &[u64], hits: &mut [bool]) {
        let Table { partitions, n_bits, .. } = self.table;
        let n_bits = *n_bits;
        let value_mask = (u64::MAX >> (64 - n_bits)) as u32;
        for (keys, hits) in keys.chunks(GROUP).zip(hits.chunks_mut(GROUP)) {
            let mut bits = [[0u64; ARITY]; GROUP];
            let mut wanted = [0u32; GROUP];
            let mut owners = [0; GROUP];
            for (i, &key) in keys.iter().enumerate() {
                let partition = &partitions[partition_of(key, partitions.len())];
                owners[i] = partition.shard;
                let h = mix(key, partition.seed);
                wanted[i] = fingerprint(h, n_bits);
                for (bit, slot) in bits[i].iter_mut().zip(partition.layout.slots(h)) {
                    *bit = partition.first_bit + slot as u64 * u64::from(n_bits);
                    crate::bloom::prefetch(self.bytes_at(partition.shard, *bit));
                }
            }
            for (i, hit) in hits.iter_mut().enumerate() {
                let value =
                    |&bit: &u64| (u64::from_le_bytes(*self.bytes_at(owners[i], bit)) >> (bit % 8)) as u32;
                let sum = bits[i].iter().map(value).fold(0, |sum, value| sum ^ value);
                *hit = (sum ^ wanted[i]) & value_mask == 0;
            }
        }
    }
}

impl Filter for Fuse<'_> {
    fn ask(&self, batch: Batch, hits: &mut [bool]) {
        self.contains(batch.keys, hits);
    }

    fn holds_document(&self, key: u64) -> bool {
        let mut hit = [false];
        self.contains(&[key], &mut hit);
        hit[0]
    }
}
