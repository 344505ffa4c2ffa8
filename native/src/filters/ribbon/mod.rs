//! Homogeneous ribbon filter: columns of bits that are orthogonal to the row of every key.
//!
//! After Dillinger, Hübschle-Schneider, Sanders and Walzer, *Fast Succinct Retrieval and Approximate Membership
//! Using Ribbon* (SEA 2022). A key gives a row of 128 random coefficients, which begins at a slot that grows
//! with the key. The filter is a solution of the equations row · column = 0, r times over, with random values
//! in the slots that the equations leave free. It always exists. A key that was not put in is orthogonal to
//! a column by chance, with probability 1/2, so to all r of them with probability 2^-r.
//!
//! The keys are divided into partitions by range, and the columns are interleaved by 64 slots: a look-up
//! reads three blocks that lie together, 24·r bytes.
//!
//! What bounds it: a look-up waits for three or four cache lines in a row, which are prefetched for groups of
//! keys; building adds some tens of rows to each other for each key, within the second-level cache.

mod build;
mod eliminate;
mod layout;
mod lookup;
mod rate;
mod row;
mod size;
#[cfg(test)]
mod slow;
mod substitute;
mod table;

pub use build::{Built, NotSortedUnique, build};
pub use layout::{MAX_COLUMNS, n_partitions};
pub use lookup::Ribbon;
pub use table::Table;

#[cfg(test)]
mod tests {
    use super::layout::random_keys;
    use super::*;
    use crate::filters::filter::{Batch, Filter};
    use crate::interrupt::STEP;
    use proptest::prelude::*;

    fn contains(built: &[Built], n_columns: u32, keys: &[u64]) -> Vec<bool> {
        let shards: Vec<(&[u8], usize)> =
            built.iter().map(|part| (&part.table[..], part.columns.len())).collect();
        let table = Table::new(&shards, n_columns).unwrap();
        let mut hits = vec![false; keys.len()];
        let ribbon = Ribbon::new(&table, built.iter().map(|part| &part.columns[..]).collect());
        ribbon.contains(Batch { keys, windows: &[] }, &mut hits);
        for (&key, &hit) in keys.iter().zip(&hits).take(50) {
            assert_eq!(ribbon.contains_document(key), hit);
        }
        hits
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 1 } else { 64 }, ..Default::default() })]

        #[test]
        fn the_slow_construction_gives_the_same_bytes_and_answers(
            seed: u64, n in 0usize..400, shift in 0u32..70, n_columns in 1..=MAX_COLUMNS, n_partitions in 1usize..6,
        ) {
            // Keys that are no hash values, too: with few bits, or all of them in one place.
            let mut keys: Vec<u64> =
                random_keys(seed % 1000, n).into_iter().map(|key| key.checked_shr(shift).unwrap_or(key % 50)).collect();
            keys.sort_unstable();
            keys.dedup();
            let built = build(&keys, n_columns, n_partitions, 0..n_partitions).unwrap();
            prop_assert_eq!(&built, &slow::build(&keys, n_columns as usize, n_partitions));
            let mut asked = random_keys(7, 200);
            asked.extend(&keys);
            asked.extend([0, u64::MAX]);
            let expected: Vec<bool> =
                asked.iter().map(|&key| slow::contains(&built, n_columns as usize, key)).collect();
            prop_assert_eq!(contains(&[built], n_columns, &asked), expected);
        }
    }

    #[test]
    fn every_size_and_number_of_columns_finds_its_keys() {
        for n in [0, 1, 2, 3, 63, 64, 65, 181, 182, 1000, 4097, 50_000] {
            let keys = random_keys(5, n);
            for n_columns in [1, 4, 5, 7, 8, 9, 32] {
                let built = build(&keys, n_columns, 1, 0..1).unwrap();
                assert!(contains(&[built], n_columns, &keys).iter().all(|hit| *hit), "{n} {n_columns}");
            }
        }
    }

    #[test]
    fn keys_out_of_order_are_refused_wherever_they_stand() {
        let ascending: Vec<u64> = (0..2 * STEP as u64 + 2).map(|i| i << 40).collect();
        assert!(build(&ascending, 1, 1, 0..1).is_ok());
        for i in [1, STEP - 1, STEP, STEP + 1, 2 * STEP, 2 * STEP + 1] {
            let mut keys = ascending.clone();
            keys[i] = keys[i - 1];
            assert!(build(&keys, 1, 1, 0..1).is_err(), "{i}");
        }
    }

    #[test]
    fn shards_answer_like_the_whole() {
        let keys = random_keys(7, 5000);
        let parts = [0..1, 1..5, 5..7].map(|range| build(&keys, 9, 7, range).unwrap());
        let whole = build(&keys, 9, 7, 0..7).unwrap();
        let mut probes = random_keys(8, 20_000);
        probes.extend(&keys);
        let hits = contains(&parts, 9, &probes);
        assert_eq!(hits, contains(&[whole], 9, &probes));
        assert!(hits[probes.len() - keys.len()..].iter().all(|hit| *hit));
    }

    #[test]
    fn the_filter_is_nearly_as_small_as_can_be() {
        for (n, most) in [(10_000, 1.06), (100_000, 1.035), (300_000, 1.035)] {
            let n_partitions = n_partitions(n) as usize;
            let built = build(&random_keys(1, n as usize), 7, n_partitions, 0..n_partitions).unwrap();
            let bits = 8.0 * (built.table.len() + built.columns.len()) as f64;
            assert!(bits < most * 7.0 * n as f64, "{n}: {}", bits / 7.0 / n as f64);
        }
    }
}
