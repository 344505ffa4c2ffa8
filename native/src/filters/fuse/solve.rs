//! Systems of linear equations over bits whose unknowns lie near each other.
//!
//! A small binary fuse filter is the solution of such a system: for each key, the exclusive or of its
//! slots is its fingerprint. Elimination needs far fewer slots than peeling, hardly more than there are
//! keys.
//!
//! What bounds it: about as many rows are added to each equation as half its span has unknowns, and each
//! addition waits for the one before. A row is a few words in one cache line, and rows in use at the same
//! time are adjacent, so that all of them come from the first-level cache.

use crate::interrupt::tick;

/// The exclusive or of the unknowns `columns` is `value`; all bits of a value are solved at once.
pub struct Equation<const K: usize> {
    /// The unknowns, which fit a row that begins with the word of the first; two equal ones cancel.
    pub columns: [usize; K],
    /// Their exclusive or.
    pub value: u32,
}

/// An equation under elimination: bit i of word j is the unknown 64·(`first_word` + j) + i.
///
/// A row's place tells its first word. Only rows with the same first word are added to each other, so no
/// sum is wider than a row.
#[derive(Clone, Copy)]
struct Row<const WORDS: usize> {
    words: [u64; WORDS],
    value: u32,
}

impl<const WORDS: usize> Row<WORDS> {
    const ZERO: Self = Self { words: [0; WORDS], value: 0 };

    fn new<const K: usize>(equation: &Equation<K>, first_word: usize) -> Self {
        let mut row = Self { value: equation.value, ..Self::ZERO };
        for column in equation.columns {
            row.words[column / 64 - first_word] ^= 1 << (column % 64);
        }
        row
    }

    /// Drop leading words without unknowns; return how many, or `None` if no unknown is left.
    #[inline(always)]
    fn trim(&mut self) -> Option<usize> {
        let n = self.words.iter().position(|&word| word != 0)?;
        if n > 0 {
            self.words.copy_within(n.., 0);
            self.words[WORDS - n..].fill(0);
        }
        Some(n)
    }

    #[inline(always)]
    fn add(&mut self, other: &Self) {
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            *word ^= other;
        }
        self.value ^= other.value;
    }
}

/// Return values of the `n_columns` unknowns that satisfy every equation, or `None` if there are none.
///
/// An equation's columns lie within `WORDS` words of 64. Unknowns that no equation determines are 0, so
/// the order of the equations does not affect the solution. It affects the time: they should come roughly
/// in the order of their first columns.
pub fn solve<const WORDS: usize, const K: usize>(
    equations: impl Iterator<Item = Equation<K>>,
    n_columns: usize,
) -> Option<Vec<u32>> {
    // The row that begins with each column; if there is none, its first word is 0.
    let mut pivots = vec![Row::<WORDS>::ZERO; n_columns];
    for equation in equations {
        tick(500);
        let Some(first) = equation.columns.iter().min() else { continue };
        let mut first_word = first / 64;
        let mut row = Row::new(&equation, first_word);
        while let Some(n) = row.trim() {
            first_word += n;
            let pivot = &mut pivots[64 * first_word + row.words[0].trailing_zeros() as usize];
            if pivot.words[0] == 0 {
                *pivot = row;
                break;
            }
            row.add(pivot);
        }
        if row.words[0] == 0 && row.value != 0 {
            return None;
        }
    }
    let mut values = vec![0; n_columns];
    for (column, row) in pivots.iter().enumerate().rev() {
        if column % 1024 == 0 {
            tick(100 * 1024);
        }
        let mut value = row.value;
        for (j, &word) in row.words.iter().enumerate() {
            let mut left = word;
            while left != 0 {
                // The row's own unknown is still 0, so including it changes nothing.
                value ^= values[64 * (column / 64 + j) + left.trailing_zeros() as usize];
                left &= left - 1;
            }
        }
        values[column] = value;
    }
    Some(values)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn solutions_are_right_and_only_contradictions_have_none(
            rows in prop::collection::vec((0usize..3, [0usize..128, 0..128, 0..128, 0..128], 0u32..4), 0..12),
            truth in prop::collection::vec(0u32..4, 256),
            consistent: bool,
        ) {
            let rows: Vec<([usize; 4], u32)> = rows.into_iter().map(|(word, columns, value)| {
                let columns = columns.map(|column| 64 * word + column);
                let sum = columns.iter().fold(0, |sum, &column| sum ^ truth[column]);
                (columns, if consistent { sum } else { value })
            }).collect();
            let equations = || rows.iter().map(|&(columns, value)| Equation { columns, value });
            let solution = solve::<2, 4>(equations(), 256);
            prop_assert_eq!(&solution, &solve::<5, 4>(equations().collect::<Vec<_>>().into_iter().rev(), 256));
            match solution {
                Some(values) => for (columns, value) in &rows {
                    prop_assert_eq!(columns.iter().fold(0, |sum, &column| sum ^ values[column]), *value);
                },
                // Some set of rows whose unknowns cancel has values that do not.
                None => {
                    prop_assert!(!consistent);
                    let contradiction = (1u32..1 << rows.len()).any(|set| {
                        let chosen = rows.iter().enumerate().filter(|(i, _)| set >> i & 1 == 1);
                        let mut parity = [0u8; 256];
                        let mut sum = 0;
                        for (_, (columns, value)) in chosen {
                            columns.iter().for_each(|&column| parity[column] ^= 1);
                            sum ^= value;
                        }
                        sum != 0 && parity.iter().all(|&bit| bit == 0)
                    });
                    prop_assert!(contradiction);
                }
            }
        }
    }
}
