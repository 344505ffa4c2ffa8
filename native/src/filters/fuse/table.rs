//! The table of a filter's partitions, checked before use, since its memory is untrusted.

use super::layout::{Layout, MAX_BITS, ROW};

/// Where a partition is, and how its keys are mixed.
#[derive(Clone, Copy)]
pub(super) struct Partition {
    pub(super) seed: u64,
    pub(super) layout: Layout,
    pub(super) shard: usize,
    /// Where the partition's fingerprints begin among the shard's.
    pub(super) first_bit: u64,
}

/// Where a filter's partitions are: the checked tables of its shards.
pub struct Table {
    pub(super) partitions: Vec<Partition>,
    pub(super) n_bits: u32,
    /// Bytes of fingerprints in all shards.
    n_bytes: u64,
}

impl Table {
    /// Read the table of a filter with these shards, in the order of the keys: each shard's rows, and its
    /// number of bytes of fingerprints. The error is a message that says what is wrong.
    pub fn new(shards: &[(&[u8], usize)], n_bits: u32) -> Result<Self, String> {
        if !(1..=MAX_BITS).contains(&n_bits) {
            return Err(format!("a fingerprint has 1 to {MAX_BITS} bits, not {n_bits}"));
        }
        let mut table = Self { partitions: Vec::new(), n_bits, n_bytes: 0 };
        for (shard, (rows, n_bytes)) in shards.iter().enumerate() {
            table.add_shard(shard, rows, *n_bytes)?;
        }
        if !table.partitions.len().is_power_of_two() {
            let n_partitions = table.partitions.len();
            return Err(format!("the number of partitions, {n_partitions}, is not a power of two"));
        }
        Ok(table)
    }

    /// Return the false-positive rate for random keys: the chance of a random fingerprint.
    pub fn rate(&self) -> f64 {
        (-f64::from(self.n_bits)).exp2()
    }

    fn add_shard(&mut self, shard: usize, rows: &[u8], n_bytes: usize) -> Result<(), String> {
        let (rows, rest) = rows.as_chunks::<{ 8 * ROW }>();
        if !rest.is_empty() {
            return Err(format!("the table has {} bytes after its last whole row", rest.len()));
        }
        let end = n_bytes as u64;
        let before = self.n_bytes;
        let mut next = 0;
        for (i, row) in rows.iter().enumerate() {
            let number =
                |i: usize| u64::from_le_bytes(row[8 * i..8 * i + 8].try_into().expect("eight bytes"));
            let [seed, segment_bits, n_segments, first] = [number(0), number(1), number(2), number(3)];
            let layout = Layout::checked(segment_bits, n_segments).ok_or_else(|| {
                format!("partition {i} cannot have {n_segments} segments of 2^{segment_bits} slots")
            })?;
            let n_bytes = layout.n_bytes(self.n_bits);
            if first.checked_sub(before) != Some(next)
                || n_bytes > end - next
                || (4..ROW).any(|i| number(i) != 0)
            {
                return Err(format!(
                    "the row of partition {i} contradicts the rows before it or the number of fingerprints"
                ));
            }
            self.partitions.push(Partition { seed, layout, shard, first_bit: 8 * next });
            next += n_bytes;
        }
        if next != end {
            return Err(format!("the table describes {next} bytes of fingerprints, but there are {end}"));
        }
        self.n_bytes += end;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::build;
    use super::super::layout::random_keys;
    use super::*;

    #[test]
    fn contradicting_memory_is_refused() {
        let built = build(&random_keys(1, 1000), 8, 2, 0..2, 0).unwrap();
        let n = built.fingerprints.len();
        let refused =
            |table: &[u8], bytes: &[u8], n_bits| Table::new(&[(table, bytes.len())], n_bits).is_err();
        assert!(!refused(&built.table, &built.fingerprints, 8));
        assert!(refused(&built.table, &built.fingerprints, 0));
        assert!(refused(&built.table, &built.fingerprints, 33));
        assert!(refused(&built.table, &built.fingerprints, 9));
        assert!(refused(&built.table, &built.fingerprints[..n - 1], 8));
        assert!(refused(&built.table, &[], 8));
        assert!(refused(&[], &built.fingerprints, 8));
        assert!(refused(&built.table[..64], &built.fingerprints, 8));
        for (i, value) in
            [(1, 15), (1, u64::MAX), (2, 0), (2, u64::MAX), (3, 8), (4, 1), (11, 0), (11, u64::MAX)]
        {
            let mut table = built.table.clone();
            table[8 * i..8 * i + 8].copy_from_slice(&u64::to_le_bytes(value));
            assert!(refused(&table, &built.fingerprints, 8), "{i} {value}");
        }
    }
}
