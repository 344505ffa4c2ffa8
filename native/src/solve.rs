//! Systems of linear equations over bits, whose unknowns lie near each other.
//!
//! What peeling leaves of a binary fuse filter is such a system: each key says that the exclusive or
//! of its slots is its fingerprint. Elimination finds a solution with far fewer slots than peeling
//! needs, at a cost that grows with the square of the segment length: worth it for small sets.

/// The exclusive or of the unknowns in `columns` is `value`; all bits of a value are solved at once.
pub struct Equation<'a> {
    /// The unknowns, each once.
    pub columns: &'a [usize],
    /// What they add up to.
    pub value: u32,
}

/// A row under elimination: bit i of word j is the unknown 64·(first + j) + i.
struct Row {
    first: usize,
    words: Vec<u64>,
    value: u32,
}

impl Row {
    fn new(equation: &Equation) -> Option<Self> {
        let first = equation.columns.iter().min()? / 64;
        let last = equation.columns.iter().max()? / 64;
        let mut words = vec![0; last - first + 1];
        for column in equation.columns {
            words[column / 64 - first] ^= 1 << (column % 64);
        }
        Some(Self { first, words, value: equation.value })
    }

    /// The first unknown, if any is left.
    fn lowest(&self) -> Option<usize> {
        let word = self.words.iter().position(|&word| word != 0)?;
        Some(64 * (self.first + word) + self.words[word].trailing_zeros() as usize)
    }

    /// Add a row that begins no earlier than this one.
    fn add(&mut self, other: &Self) {
        let at = other.first - self.first;
        if self.words.len() < at + other.words.len() {
            self.words.resize(at + other.words.len(), 0);
        }
        for (word, other) in self.words[at..].iter_mut().zip(&other.words) {
            *word ^= other;
        }
        self.value ^= other.value;
    }

    /// Leave out the words before the first unknown, `column`.
    fn trim(&mut self, column: usize) {
        let n = column / 64 - self.first;
        self.words.drain(..n);
        self.first += n;
    }
}

/// Values of the `n_columns` unknowns that satisfy every equation; `None` if there are none.
///
/// Fast where the equations come in the order of their first columns.
pub fn solve<'a>(equations: impl Iterator<Item = Equation<'a>>, n_columns: usize) -> Option<Vec<u32>> {
    let mut pivots: Vec<Option<Row>> = Vec::new();
    pivots.resize_with(n_columns, || None);
    for equation in equations {
        let Some(mut row) = Row::new(&equation) else { continue };
        loop {
            match row.lowest() {
                Some(column) => match &pivots[column] {
                    Some(pivot) => row.add(pivot),
                    None => {
                        row.trim(column);
                        pivots[column] = Some(row);
                        break;
                    }
                },
                None if row.value == 0 => break,
                None => return None,
            }
        }
    }
    let mut values = vec![0; n_columns];
    for column in (0..n_columns).rev() {
        // An unknown that no equation decides stays 0.
        let Some(row) = &pivots[column] else { continue };
        let mut value = row.value;
        for (j, &word) in row.words.iter().enumerate() {
            let mut left = word;
            while left != 0 {
                // The row's own unknown is still 0, so it can take part.
                value ^= values[64 * (row.first + j) + left.trailing_zeros() as usize];
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
        fn solutions_solve_and_refusals_are_right(
            rows in prop::collection::vec((prop::collection::btree_set(0usize..150, 1..5), 0u32..4), 0..12),
            truth in prop::collection::vec(0u32..4, 150),
            consistent: bool,
        ) {
            let rows: Vec<(Vec<usize>, u32)> = rows.into_iter().map(|(columns, value)| {
                let columns: Vec<usize> = columns.into_iter().collect();
                let sum = columns.iter().fold(0, |sum, &column| sum ^ truth[column]);
                (columns, if consistent { sum } else { value })
            }).collect();
            let equations = || rows.iter().map(|(columns, value)| Equation { columns, value: *value });
            match solve(equations(), 150) {
                Some(values) => for (columns, value) in &rows {
                    prop_assert_eq!(columns.iter().fold(0, |sum, &column| sum ^ values[column]), *value);
                },
                // Some set of rows whose unknowns cancel has values that do not.
                None => {
                    prop_assert!(!consistent);
                    let contradiction = (1u32..1 << rows.len()).any(|set| {
                        let chosen = rows.iter().enumerate().filter(|(i, _)| set >> i & 1 == 1);
                        let mut parity = [0u8; 150];
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
