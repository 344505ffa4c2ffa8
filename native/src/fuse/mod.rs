//! Binary fuse filter: 4-wise, r-bit fingerprints bit-packed, hash-partitioned.
//!
//! After Graf and Lemire, *Binary Fuse Filters: Fast and Smaller Than Xor Filters* (2022). A key's
//! four slots lie in four neighbouring segments; the exclusive or of what stands there is the key's
//! fingerprint. Large sets are built by peeling, which is fast and takes little memory; sets that
//! would need many more slots for it than there are keys, by solving the linear equations that the
//! keys are. Either fails altogether on duplicates, and now and then by chance, when another seed is
//! tried. A reader cannot tell which it was.
//!
//! Keys are split by their top bits into partitions, each with a seed and a size of its own, so that
//! building needs memory for one partition, and a failure costs one partition.
//!
//! What bounds it: a look-up reads four places in as many cache lines; peeling touches each slot's
//! count and sum at random, in the second- and third-level caches; solving stays within the first,
//! but adds tens of rows to each other for a key.

mod ask;
mod build;
mod eliminate;
mod peel;
mod table;

pub use ask::Fuse;
pub use build::{BuildError, Built, build};
pub use table::Table;

/// Slots of a key.
const ARITY: usize = 4;
/// Numbers in a partition's row: seed, log2 of the segment length, segments, first byte (counted
/// through all partitions of the filter), and four zeros that fill a cache line.
pub const ROW: usize = 8;
/// Bytes behind a partition's last fingerprint, so that eight can be read at any slot.
pub const PADDING: usize = 8;
/// Fingerprints of at most this many bits.
pub const MAX_BITS: u32 = 32;
/// Keys in a partition, from this many to twice as many, if there are several.
const PARTITION_KEYS: u64 = 1 << 20;
/// Three segment offsets must fit the 43 bits of a hash that do not choose the first slot.
const MAX_SEGMENT_BITS: u32 = 14;

/// How many partitions `n_keys` keys are split into: a power of two.
pub fn n_partitions(n_keys: u64) -> u64 {
    match n_keys / PARTITION_KEYS {
        0 => 1,
        n => 1 << n.ilog2(),
    }
}

/// The partition of a key.
#[inline(always)]
pub fn partition_of(key: u64, n_partitions: usize) -> usize {
    ((u128::from(key) * n_partitions as u128) >> 64) as usize
}

/// The finaliser of MurmurHash3 over the seeded key.
#[inline(always)]
fn mix(key: u64, seed: u64) -> u64 {
    let mut h = key ^ seed;
    h ^= h >> 33;
    h = h.wrapping_mul(0xff51_afd7_ed55_8ccd);
    h ^= h >> 33;
    h = h.wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    h ^ (h >> 33)
}

/// The fingerprint of a mixed key.
#[inline(always)]
fn fingerprint(h: u64, n_bits: u32) -> u32 {
    ((h ^ (h >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - n_bits)) as u32
}

/// Where a partition's keys go: `n_segments` segments of 2^`segment_bits` slots for the first slot
/// of a key, and three more for the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    segment_bits: u32,
    n_segments: u64,
}

impl Layout {
    /// The layout of about `n_slots` slots, and of one segment for the first slot at least.
    fn of_slots(segment_bits: u32, n_slots: u64) -> Self {
        let n_all = n_slots.div_ceil(1 << segment_bits);
        Self { segment_bits, n_segments: n_all.saturating_sub(ARITY as u64 - 1).max(1) }
    }

    /// The layout of a row of an untrusted table; `None` if no builder would write it.
    fn checked(segment_bits: u64, n_segments: u64) -> Option<Self> {
        let sensible = segment_bits <= u64::from(MAX_SEGMENT_BITS) && (1..1 << 32).contains(&n_segments);
        sensible.then_some(Self { segment_bits: segment_bits as u32, n_segments })
    }

    /// Slots of the partition.
    pub fn n_slots(&self) -> u64 {
        (self.n_segments + ARITY as u64 - 1) << self.segment_bits
    }

    /// Bytes of the partition's fingerprints: whole words, so that partitions begin on one, and the
    /// padding.
    fn n_bytes(&self, n_bits: u32) -> u64 {
        (self.n_slots() * u64::from(n_bits)).div_ceil(64) * 8 + PADDING as u64
    }

    /// The four slots of a mixed key.
    #[inline(always)]
    fn slots(&self, h: u64) -> [usize; ARITY] {
        let bits = self.segment_bits;
        let length = 1u64 << bits;
        let mask = length - 1;
        let first = ((u128::from(h) * u128::from(self.n_segments << bits)) >> 64) as u64;
        [
            first as usize,
            ((first + length) ^ (h & mask)) as usize,
            ((first + 2 * length) ^ ((h >> bits) & mask)) as usize,
            ((first + 3 * length) ^ ((h >> (2 * bits)) & mask)) as usize,
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn random_keys(seed: u64, n: usize) -> Vec<u64> {
        let mut keys: Vec<u64> = (0..n as u64).map(|i| mix(i, mix(seed, 1))).collect();
        keys.sort_unstable();
        keys.dedup();
        keys
    }

    fn check(n: usize, n_bits: u32, n_partitions: usize) {
        let keys = random_keys(5, n);
        let built = build(&keys, n_bits, n_partitions, 0..n_partitions, 0).unwrap();
        assert_eq!(built, build(&keys, n_bits, n_partitions, 0..n_partitions, 0).unwrap());
        let table = Table::new(&[(&built.table, built.fingerprints.len())], n_bits).unwrap();
        let fuse = Fuse::new(&table, vec![&built.fingerprints]);
        let mut hits = vec![false; keys.len()];
        fuse.contains(&keys, &mut hits);
        assert!(hits.iter().all(|hit| *hit), "{n} keys, {n_bits} bits");
        let probes = random_keys(6, 100_000);
        let mut hits = vec![false; probes.len()];
        fuse.contains(&probes, &mut hits);
        let observed = hits.iter().filter(|hit| **hit).count() as f64;
        let expected = probes.len() as f64 * table.rate();
        assert!((observed - expected).abs() < 6.0 * expected.sqrt() + 3.0, "{n}, {n_bits}: {observed}");
    }

    #[test]
    fn every_size_and_width_finds_its_keys_and_errs_as_often_as_promised() {
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
        let ask = |parts: &[Built], hits: &mut [bool]| {
            let shards: Vec<(&[u8], usize)> =
                parts.iter().map(|part| (&part.table[..], part.fingerprints.len())).collect();
            let table = Table::new(&shards, 9).unwrap();
            Fuse::new(&table, parts.iter().map(|part| &part.fingerprints[..]).collect())
                .contains(&probes, hits);
        };
        ask(&[whole], &mut a);
        ask(&parts, &mut b);
        assert_eq!(a, b);
    }

    #[test]
    fn partitions_of_no_keys_hold_nothing_by_design() {
        check(5, 16, 64);
    }
}
