//! Binary fuse graph: 4-wise, bit-packed values, partitioned by hash.
//!
//! This is the kernel's retrieval graph: it maps the keys of a set to values, here to fingerprints, which make
//! it a filter for tests. It is no kind of filter of a portrait; that is [`super::ribbon`].
//!
//! After Graf and Lemire, *Binary Fuse Filters: Fast and Smaller Than Xor Filters* (2022). A key's four
//! slots lie in four neighbouring segments; the exclusive or of their values is the key's fingerprint.
//! Large sets are built by peeling, which is fast and takes little memory. Sets for which peeling would
//! need many more slots than there are keys are built by solving linear equations, one for each key.
//! Both fail on duplicates, always, and on other sets now and then by chance; then another seed is
//! tried. A reader cannot tell how a filter was built.
//!
//! The top bits of a key choose its partition. Each partition has its own seed and size, so building
//! needs memory for one partition, and a failure repeats one partition.
//!
//! What bounds it: a look-up reads four places in as many cache lines; peeling touches each slot's count
//! and sum at random, in the second- and third-level caches; solving stays within the first-level cache
//! but adds tens of rows to each other for each key.

mod build;
mod eliminate;
mod layout;
mod lookup;
mod peel;
mod solve;
mod table;

pub use build::{BuildError, Built, build};
pub use layout::{MAX_BITS, PADDING, ROW, n_partitions, partition_of};
pub use lookup::Fuse;
pub use table::Table;

#[cfg(test)]
mod tests {
    use super::layout::{MAX_BITS, random_keys};
    use super::*;

    fn check(n: usize, n_bits: u32, n_partitions: usize) {
        let keys = random_keys(5, n);
        let built = build(&keys, n_bits, n_partitions, 0..n_partitions, 0).unwrap();
        assert_eq!(built, build(&keys, n_bits, n_partitions, 0..n_partitions, 0).unwrap());
        let table = Table::new(&[(&built.table, built.fingerprints.len())], n_bits).unwrap();
        let fuse = Fuse::new(&table, vec![&built.fingerprints]);
        let mut hits = vec![false; keys.len()];
        fuse.contains_keys(&keys, &mut hits);
        assert!(hits.iter().all(|hit| *hit), "{n} keys, {n_bits} bits");
        let probes = random_keys(6, 100_000);
        let mut hits = vec![false; probes.len()];
        fuse.contains_keys(&probes, &mut hits);
        let observed = hits.iter().filter(|hit| **hit).count() as f64;
        let expected = probes.len() as f64 * table.rate();
        assert!((observed - expected).abs() < 6.0 * expected.sqrt() + 3.0, "{n}, {n_bits}: {observed}");
    }

    #[test]
    fn every_size_and_width_finds_its_keys_at_the_promised_rate() {
        for n in [0, 1, 2, 3, 5, 10, 33, 100, 1000, 4097, 50_000, 300_000] {
            check(n, 7, 1);
        }
        for n_bits in 1..=MAX_BITS {
            check(3000, n_bits, 1);
        }
        for n_partitions in [2, 8, 64] {
            check(20_000, 10, n_partitions);
        }
    }

    #[test]
    fn shards_answer_like_the_whole() {
        let keys = random_keys(7, 5000);
        let whole = build(&keys, 9, 8, 0..8, 0).unwrap();
        let mut first_byte = 0;
        let parts = [0..1, 1..5, 5..8].map(|range| {
            let part = build(&keys, 9, 8, range, first_byte).unwrap();
            first_byte += part.fingerprints.len() as u64;
            part
        });
        assert_eq!(whole.table, parts.iter().flat_map(|part| part.table.clone()).collect::<Vec<u8>>());
        let joined: Vec<u8> = parts.iter().flat_map(|part| part.fingerprints.clone()).collect();
        assert_eq!(whole.fingerprints, joined);
        let probes = random_keys(8, 20_000);
        let (mut a, mut b) = (vec![false; probes.len()], vec![false; probes.len()]);
        let look_up = |parts: &[Built], hits: &mut [bool]| {
            let shards: Vec<(&[u8], usize)> =
                parts.iter().map(|part| (&part.table[..], part.fingerprints.len())).collect();
            let table = Table::new(&shards, 9).unwrap();
            Fuse::new(&table, parts.iter().map(|part| &part.fingerprints[..]).collect())
                .contains_keys(&probes, hits);
        };
        look_up(&[whole], &mut a);
        look_up(&parts, &mut b);
        assert_eq!(a, b);
    }

    #[test]
    fn empty_partitions_are_built_too() {
        check(5, 16, 64);
    }
}
