//! Binary fuse filter: 4-wise, r-bit fingerprints bit-packed, hash-partitioned.
//!
//! After Graf and Lemire, *Binary Fuse Filters: Fast and Smaller Than Xor Filters* (2022). A key's
//! four slots lie in four neighbouring segments; the exclusive or of what stands there is the key's
//! fingerprint. Building peels: a slot that only one key touches can always be set last. Peeling
//! works while there are a few per cent more slots than keys, fails altogether on duplicates, and
//! now and then by chance, when another seed is tried. In small sets, which peel badly, linear algebra
//! finishes what peeling leaves.
//!
//! Keys are split by their top bits into partitions, each with a seed and a size of its own, so that
//! building needs memory for one partition, and a failure costs one partition.
//!
//! What bounds it: a look-up reads four places in as many cache lines; building touches each slot's
//! count and sum at random, in the second- and third-level caches.

use std::ops::Range;

use crate::scan::{Batch, Filter};
use crate::solve::{Equation, solve};

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
/// Sets of at most this many keys are finished by elimination, which takes fewer slots than peeling.
const SOLVED_KEYS: u64 = 1 << 15;
/// Seeds tried at one size before the size grows by a segment.
const TRIES_PER_SIZE: u64 = 8;
/// Sizes tried before giving up; a set without duplicates needs a handful.
const SIZES: u64 = 64;
/// Keys looked up together: so many are under way while memory answers.
const GROUP: usize = 32;

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
    /// The layout for `n_keys` keys at the `step`-th size tried.
    ///
    /// The segment length is the paper's, and the first size the one at which about every third seed
    /// works, fitted to experiments from 10^2 to 2·10^6 keys: to peel, small sets need far more
    /// slots per key than the limit of 1.03. Where elimination follows, segments are shorter, to
    /// save on the extra ones, and few slots are left over.
    fn new(n_keys: u64, step: u64) -> Self {
        let n = n_keys.max(2) as f64;
        let bits = (n.ln() / 2.91_f64.ln() - 0.5).floor() as u32;
        let solved = n_keys <= SOLVED_KEYS;
        let segment_bits = bits.saturating_sub(u32::from(solved)).clamp(1, MAX_SEGMENT_BITS);
        let n_slots = if solved {
            n * 1.04 + f64::from((ARITY as u32 - 1) << segment_bits)
        } else {
            n * (1.0 + 1.168 * n.powf(-0.2125))
        };
        let n_all = (n_slots / f64::from(1u32 << segment_bits)).ceil() as u64 + step;
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

/// Why a partition could not be built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BuildError {
    /// The keys are not in ascending order without duplicates.
    NotSortedUnique,
    /// No seed worked: with unique keys, chance has no part in it.
    NoSeed,
}

impl std::fmt::Display for BuildError {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str(match self {
            Self::NotSortedUnique => "the keys are not in ascending order without duplicates",
            Self::NoSeed => "no seed worked for a partition",
        })
    }
}

/// Memory that lives from one partition to the next: first touching it costs more than using it.
#[derive(Default)]
pub struct Scratch {
    counts: Vec<u8>,
    sums: Vec<u64>,
    alone: Vec<u32>,
    peeled: Vec<(u64, u8)>,
    values: Vec<u32>,
    hashes: Vec<u64>,
    bucket_ends: Vec<usize>,
}

/// The fingerprints of a set of keys, and the table that says where they stand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Built {
    /// [`ROW`] little-endian numbers a partition.
    pub table: Vec<u8>,
    /// Bit-packed, and [`PADDING`] bytes after each partition.
    pub fingerprints: Vec<u8>,
}

/// Build `partitions` of a filter of `n_partitions`, with `n_bits`-bit fingerprints.
///
/// `keys`, ascending and unique, are those of the whole filter, or at least of these partitions;
/// `first_byte` is where the first one's fingerprints will stand among the filter's.
pub fn build(
    keys: &[u64],
    n_bits: u32,
    n_partitions: usize,
    partitions: Range<usize>,
    first_byte: u64,
) -> Result<Built, BuildError> {
    if !keys.is_sorted_by(|a, b| a < b) {
        return Err(BuildError::NotSortedUnique);
    }
    let from = keys.partition_point(|&key| partition_of(key, n_partitions) < partitions.start);
    let to = keys.partition_point(|&key| partition_of(key, n_partitions) < partitions.end);
    let keys = &keys[from..to];
    let mut scratch = Scratch::default();
    let mut built = Built::default();
    let mut rest = keys;
    for partition in partitions {
        let n = rest.partition_point(|&key| partition_of(key, n_partitions) == partition);
        let (own, after) = rest.split_at(n);
        build_partition(own, n_bits, first_byte, &mut scratch, &mut built)?;
        rest = after;
    }
    Ok(built)
}

fn build_partition(
    keys: &[u64],
    n_bits: u32,
    first_byte: u64,
    scratch: &mut Scratch,
    built: &mut Built,
) -> Result<(), BuildError> {
    for step in 0..SIZES {
        let layout = Layout::new(keys.len() as u64, step);
        for attempt in 0..TRIES_PER_SIZE {
            let seed = mix(step * TRIES_PER_SIZE + attempt + 1, 0x7061_7274_6974_696f);
            if peel(keys, seed, &layout, scratch) || eliminate(keys.len(), n_bits, &layout, scratch) {
                assign(&layout, n_bits, scratch);
                let first = first_byte + built.fingerprints.len() as u64;
                let row: [u64; ROW] =
                    [seed, u64::from(layout.segment_bits), layout.n_segments, first, 0, 0, 0, 0];
                built.table.extend(row.into_iter().flat_map(u64::to_le_bytes));
                pack(&scratch.values, n_bits, &mut built.fingerprints);
                built.fingerprints.extend([0; PADDING]);
                return Ok(());
            }
        }
    }
    Err(BuildError::NoSeed)
}

/// Bring the mixed keys into the order of their slots, roughly: what follows then walks through the
/// slots' memory instead of jumping in it.
fn mix_in_order(keys: &[u64], seed: u64, scratch: &mut Scratch) {
    const BUCKET_BITS: u32 = 10;
    let bucket = |h: u64| (h >> (64 - BUCKET_BITS)) as usize;
    let Scratch { hashes, bucket_ends, .. } = scratch;
    bucket_ends.clear();
    bucket_ends.resize((1 << BUCKET_BITS) + 1, 0);
    for &key in keys {
        bucket_ends[bucket(mix(key, seed)) + 1] += 1;
    }
    for i in 1..bucket_ends.len() {
        bucket_ends[i] += bucket_ends[i - 1];
    }
    hashes.resize(keys.len(), 0);
    for &key in keys {
        let h = mix(key, seed);
        let at = &mut bucket_ends[bucket(h)];
        hashes[*at] = h;
        *at += 1;
    }
}

/// Find an order in which every key has a slot of its own; false if this seed has none.
fn peel(keys: &[u64], seed: u64, layout: &Layout, scratch: &mut Scratch) -> bool {
    mix_in_order(keys, seed, scratch);
    let Scratch { counts, sums, alone, peeled, hashes, values, .. } = scratch;
    let n_slots = layout.n_slots() as usize;
    // A count stands in the upper six bits of a byte; the lower two are the exclusive or of the
    // places (0 to 3) that the slot has among its keys' slots: the place, once one key is left.
    counts.clear();
    counts.resize(n_slots, 0);
    sums.clear();
    sums.resize(n_slots, 0);
    for &h in hashes.iter() {
        for (place, slot) in layout.slots(h).into_iter().enumerate() {
            if counts[slot] >= 252 {
                return false;
            }
            counts[slot] = (counts[slot] + 4) ^ place as u8;
            sums[slot] ^= h;
        }
    }
    peeled.clear();
    values.clear();
    values.resize(n_slots, 0);
    // From slot to slot, following what each removal frees: that keeps to one part of memory.
    for start in 0..n_slots {
        alone.clear();
        alone.push(start as u32);
        while let Some(slot) = alone.pop() {
            let slot = slot as usize;
            if counts[slot] >> 2 != 1 {
                continue;
            }
            let h = sums[slot];
            peeled.push((h, counts[slot] & 3));
            for (place, other) in layout.slots(h).into_iter().enumerate() {
                counts[other] = (counts[other] - 4) ^ place as u8;
                sums[other] ^= h;
                if counts[other] >> 2 == 1 {
                    alone.push(other as u32);
                }
            }
        }
    }
    peeled.len() == keys.len()
}

/// Set the slots of the keys that peeling has left; false if there are too many, or no solution.
fn eliminate(n_keys: usize, n_bits: u32, layout: &Layout, scratch: &mut Scratch) -> bool {
    if n_keys as u64 > SOLVED_KEYS {
        return false;
    }
    let Scratch { counts, peeled, hashes, values, .. } = scratch;
    // A slot that some key of the rest touches has a count; a peeled key's own slot has none left.
    let in_rest = |h: u64| layout.slots(h).iter().all(|&slot| counts[slot] >> 2 > 0);
    let mut rest: Vec<[usize; ARITY]> = Vec::new();
    let mut wanted = Vec::new();
    hashes.sort_unstable();
    for &h in hashes.iter().filter(|&&h| in_rest(h)) {
        rest.push(layout.slots(h));
        wanted.push(fingerprint(h, n_bits));
    }
    debug_assert_eq!(rest.len() + peeled.len(), n_keys);
    let equations = rest.iter().zip(&wanted).map(|(columns, &value)| Equation { columns, value });
    match solve(equations, values.len()) {
        Some(solution) => {
            *values = solution;
            true
        }
        None => false,
    }
}

/// Set the slots in the reverse order of peeling.
fn assign(layout: &Layout, n_bits: u32, scratch: &mut Scratch) {
    let Scratch { peeled, values, .. } = scratch;
    for &(h, place) in peeled.iter().rev() {
        let slots = layout.slots(h);
        let own = slots[place as usize];
        // The key's own slot is still 0, so it can take part.
        values[own] = fingerprint(h, n_bits) ^ slots.iter().fold(0, |sum, &slot| sum ^ values[slot]);
    }
}

/// Append `values`, `n_bits` each, least significant bit first, and fill up the last word.
fn pack(values: &[u32], n_bits: u32, bytes: &mut Vec<u8>) {
    let mut word = 0u64;
    let mut filled = 0;
    for &value in values {
        word |= u64::from(value) << filled;
        filled += n_bits;
        if filled >= 64 {
            bytes.extend(word.to_le_bytes());
            filled -= 64;
            word = if filled == 0 { 0 } else { u64::from(value) >> (n_bits - filled) };
        }
    }
    if filled > 0 {
        bytes.extend(word.to_le_bytes());
    }
}

#[derive(Clone, Copy)]
struct Partition {
    seed: u64,
    layout: Layout,
    shard: usize,
    /// Where in the shard's fingerprints the partition's begin.
    first_bit: u64,
}

/// Where a filter's partitions stand: its shards' tables, read and checked.
pub struct Table {
    partitions: Vec<Partition>,
    n_bits: u32,
    /// Bytes of fingerprints in all shards.
    n_bytes: u64,
}

impl Table {
    /// The table of a filter with these shards, in the order of the keys: each one's rows, and how
    /// many bytes of fingerprints it has. The message says what contradicts what.
    pub fn new(shards: &[(&[u8], usize)], n_bits: u32) -> Result<Self, String> {
        if !(1..=MAX_BITS).contains(&n_bits) {
            return Err(format!("fingerprints of {n_bits} bits"));
        }
        let mut table = Self { partitions: Vec::new(), n_bits, n_bytes: 0 };
        for (shard, (rows, n_bytes)) in shards.iter().enumerate() {
            table.add_shard(shard, rows, *n_bytes)?;
        }
        if !table.partitions.len().is_power_of_two() {
            return Err(format!("{} partitions", table.partitions.len()));
        }
        Ok(table)
    }

    /// The false-positive rate for random keys: a random fingerprint's chance.
    pub fn rate(&self) -> f64 {
        (-f64::from(self.n_bits)).exp2()
    }

    fn add_shard(&mut self, shard: usize, rows: &[u8], n_bytes: usize) -> Result<(), String> {
        let (rows, rest) = rows.as_chunks::<{ 8 * ROW }>();
        if !rest.is_empty() {
            return Err(format!("a table with {} bytes too many", rest.len()));
        }
        let end = n_bytes as u64;
        let before = self.n_bytes;
        let mut next = 0;
        for (i, row) in rows.iter().enumerate() {
            let number =
                |i: usize| u64::from_le_bytes(row[8 * i..8 * i + 8].try_into().expect("eight bytes"));
            let [seed, segment_bits, n_segments, first] = [number(0), number(1), number(2), number(3)];
            let layout = Layout::checked(segment_bits, n_segments)
                .ok_or_else(|| format!("partition {i} of {n_segments} segments of 2^{segment_bits}"))?;
            let n_bytes = layout.n_bytes(self.n_bits);
            if first.checked_sub(before) != Some(next)
                || n_bytes > end - next
                || (4..ROW).any(|i| number(i) != 0)
            {
                return Err(format!("partition {i} does not stand where its row says"));
            }
            self.partitions.push(Partition { seed, layout, shard, first_bit: 8 * next });
            next += n_bytes;
        }
        if next != end {
            return Err(format!("{end} bytes of fingerprints where the table has {next}"));
        }
        self.n_bytes += end;
        Ok(())
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    fn random_keys(seed: u64, n: usize) -> Vec<u64> {
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
        for n in [0, 1, 2, 3, 5, 10, 33, 100, 1000, 4097, 50_000] {
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

    #[test]
    fn every_set_of_a_few_keys_can_be_built() {
        for n in 0..400 {
            for seed in 0..3 {
                build(&random_keys(seed, n), 8, 1, 0..1, 0).unwrap();
            }
        }
    }

    #[test]
    fn duplicates_and_disorder_are_refused() {
        assert_eq!(build(&[1, 1], 8, 1, 0..1, 0), Err(BuildError::NotSortedUnique));
        assert_eq!(build(&[2, 1], 8, 1, 0..1, 0), Err(BuildError::NotSortedUnique));
    }

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
