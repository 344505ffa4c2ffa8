//! The table of a filter's partitions, checked before use, since its memory is untrusted.

use super::layout::{MAX_BLOCKS, MAX_COLUMNS, SPAN, n_starts, n_words};

/// Where a partition is.
#[derive(Clone, Copy)]
pub(super) struct Partition {
    /// The place of its first word in its shard.
    pub(super) first_word: u64,
    /// Slots at which a row can begin: its blocks but the last two.
    pub(super) n_starts: u64,
    pub(super) shard: u32,
}

/// Where a filter's partitions are: the checked tables of its shards.
pub struct Table {
    pub(super) partitions: Vec<Partition>,
    pub(super) n_columns: usize,
    /// Words of all shards.
    pub(super) n_words: u64,
}

impl Table {
    /// Read the table of a filter with these shards, in the order of the keys: each shard's numbers of blocks,
    /// one for each partition, and its number of bytes of columns. The error is a message that says what is
    /// wrong.
    pub fn new(shards: &[(&[u8], usize)], n_columns: u32) -> Result<Self, String> {
        if !(1..=MAX_COLUMNS).contains(&n_columns) {
            return Err(format!("a filter has 1 to {MAX_COLUMNS} columns, not {n_columns}"));
        }
        let mut table = Self { partitions: Vec::new(), n_columns: n_columns as usize, n_words: 0 };
        for (shard, (blocks, n_bytes)) in shards.iter().enumerate() {
            table.add_shard(shard, blocks, *n_bytes)?;
        }
        if table.partitions.is_empty() {
            return Err("there are no partitions".to_owned());
        }
        Ok(table)
    }

    fn add_shard(&mut self, shard: usize, blocks: &[u8], n_bytes: usize) -> Result<(), String> {
        let (blocks, rest) = blocks.as_chunks::<8>();
        if !rest.is_empty() {
            return Err(format!("the table has {} bytes after its last whole number", rest.len()));
        }
        let shard = u32::try_from(shard).map_err(|_| "there are too many shards".to_owned())?;
        let mut next = 0;
        for (i, blocks) in blocks.iter().enumerate() {
            let n_blocks = u64::from_le_bytes(*blocks);
            if !(SPAN as u64..MAX_BLOCKS).contains(&n_blocks) {
                return Err(format!("partition {i} cannot have {n_blocks} blocks"));
            }
            let n_blocks = n_blocks as usize;
            self.partitions.push(Partition { first_word: next, n_starts: n_starts(n_blocks), shard });
            next += n_words(n_blocks, self.n_columns) as u64;
            if next > n_bytes as u64 / 8 {
                return Err(format!("the columns of partition {i} end after the {n_bytes} bytes of columns"));
            }
        }
        if 8 * next != n_bytes as u64 {
            return Err(format!(
                "the table describes {} bytes of columns, but there are {n_bytes}",
                8 * next
            ));
        }
        self.n_words += next;
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
        let built = build(&random_keys(1, 1000), 8, 2, 0..2).unwrap();
        let n = built.columns.len();
        let refused =
            |table: &[u8], bytes: &[u8], n_columns| Table::new(&[(table, bytes.len())], n_columns).is_err();
        assert!(!refused(&built.table, &built.columns, 8));
        for n_columns in [0, 7, 9, 33, u32::MAX] {
            assert!(refused(&built.table, &built.columns, n_columns), "{n_columns}");
        }
        assert!(refused(&built.table, &built.columns[..n - 1], 8));
        assert!(refused(&built.table, &built.columns[..n - 64], 8));
        assert!(refused(&built.table, &[], 8));
        assert!(refused(&[], &built.columns, 8));
        assert!(refused(&[], &[], 8));
        assert!(Table::new(&[], 8).is_err());
        assert!(refused(&built.table[..8], &built.columns, 8));
        assert!(refused(&built.table[..15], &built.columns, 8));
        for (i, value) in [(0, 0), (0, 2), (0, 3), (1, 2), (1, 1 << 32), (1, u64::MAX), (0, 1 << 61)] {
            let mut table = built.table.clone();
            table[8 * i..8 * i + 8].copy_from_slice(&u64::to_le_bytes(value));
            assert!(refused(&table, &built.columns, 8), "{i} {value}");
        }
    }

    #[test]
    fn tables_of_several_shards_are_one_table() {
        let (three, four) = (3u64.to_le_bytes(), 4u64.to_le_bytes());
        let table = Table::new(&[(&three, 3 * 64), (&[], 0), (&four, 4 * 64)], 8).unwrap();
        let places = table.partitions.iter().map(|one| (one.shard, one.first_word, one.n_starts));
        assert_eq!(places.collect::<Vec<_>>(), [(0, 0, 64), (2, 0, 128)]);
        assert!(Table::new(&[(&three, 4 * 64), (&four, 3 * 64)], 8).is_err());
    }
}
