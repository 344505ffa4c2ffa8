//! Back substitution: from rows in echelon form to the columns of a solution, from right to left.
//!
//! A slot's value in a column is the parity of the row's other coefficients times the 127 values after the
//! slot, which two words hold. What bounds it: these steps follow one after the other, and only columns are
//! independent of each other.

use super::layout::BLOCK;
use super::row::free_values;
use crate::interrupt::tick;

/// Columns solved together.
const LANES: usize = 4;
/// Blocks between two ticks.
const STEP: usize = 256;

/// Write the words of a partition: for each block one word for each column, from `pivots` as
/// [`super::eliminate`] fills them. A free slot has random values.
pub(super) fn substitute(pivots: &[u128], n_columns: usize, words: &mut [[u8; 8]]) {
    for first in (0..n_columns).step_by(LANES) {
        let columns = first..n_columns.min(first + LANES);
        let mut lanes = Lanes::default();
        for (step, pivots) in pivots.chunks(STEP * BLOCK).enumerate().rev() {
            tick(4 * pivots.len());
            for (i, pivots) in pivots.as_chunks().0.iter().enumerate().rev() {
                let block = step * STEP + i;
                lanes.solve(pivots, first, block);
                let words = &mut words[block * n_columns..][columns.clone()];
                for (word, values) in words.iter_mut().zip(lanes.values) {
                    *word = values.to_le_bytes();
                }
            }
        }
    }
}

/// The values of the last 128 slots in some columns: bit i of the first word is that of the last slot solved
/// plus i, and so on in the second.
#[derive(Default)]
struct Lanes {
    values: [u64; LANES],
    after: [u64; LANES],
}

impl Lanes {
    fn solve(&mut self, pivots: &[u128; BLOCK], first: usize, block: usize) {
        for (i, &pivot) in pivots.iter().enumerate().rev() {
            let others = pivot >> 1;
            let (near, far) = (others as u64, (others >> 64) as u64);
            let mut bits = [0; LANES];
            if pivot == 0 {
                let free = free_values(block * BLOCK + i) >> first;
                for (j, bit) in bits.iter_mut().enumerate() {
                    *bit = free >> j & 1;
                }
            } else {
                for (j, bit) in bits.iter_mut().enumerate() {
                    let product = self.values[j] & near ^ self.after[j] & far;
                    *bit = u64::from(product.count_ones() & 1);
                }
            }
            for (j, bit) in bits.into_iter().enumerate() {
                self.after[j] = self.after[j] << 1 | self.values[j] >> 63;
                self.values[j] = self.values[j] << 1 | bit;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::eliminate::eliminate;
    use super::super::layout::random_keys;
    use super::*;

    #[test]
    fn every_row_times_every_column_is_zero() {
        let keys = random_keys(4, 700);
        let mut pivots = vec![0; 12 * BLOCK];
        eliminate(&keys, 1, 12, &mut pivots);
        let mut words = vec![[0; 8]; 12 * 19];
        substitute(&pivots, 19, &mut words);
        let value = |slot: usize, column: usize| {
            u64::from_le_bytes(words[slot / BLOCK * 19 + column]) >> (slot % BLOCK) & 1
        };
        for (slot, &pivot) in pivots.iter().enumerate() {
            for column in 0..19 {
                if pivot == 0 {
                    assert_eq!(value(slot, column), free_values(slot) >> column & 1);
                    continue;
                }
                let ones = (0..128).filter(|i| pivot >> i & 1 == 1);
                assert_eq!(ones.map(|i| value(slot + i, column)).sum::<u64>() % 2, 0);
            }
        }
    }
}
