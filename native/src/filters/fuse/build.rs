//! Building: each partition tries seeds until one works, and grows when seeds keep failing.

use std::ops::Range;

use super::layout::{PADDING, ROW, mix, partition_of};
use super::{eliminate, peel};
use crate::interrupt::{STEP, tick};

/// Seeds to try before giving up; a set without duplicates needs a handful.
const ATTEMPTS: u64 = 512;

/// Why a partition could not be built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BuildError {
    /// The keys are not in ascending order without duplicates.
    NotSortedUnique,
    /// No seed works; with unique keys, this does not happen by chance.
    NoSeed,
}

impl std::fmt::Display for BuildError {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str(match self {
            Self::NotSortedUnique => "the keys are not in ascending order without duplicates",
            Self::NoSeed => "no seed works for a partition",
        })
    }
}

/// Memory reused from one partition to the next: touching new memory costs more than using it.
#[derive(Default)]
struct Scratch {
    hashes: Vec<u64>,
    bucket_ends: Vec<usize>,
    peel: peel::Scratch,
}

/// The fingerprints of a set of keys, and the table that says where they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Built {
    /// [`ROW`] little-endian numbers per partition.
    pub table: Vec<u8>,
    /// Bit-packed, with [`PADDING`] bytes after each partition.
    pub fingerprints: Vec<u8>,
}

/// Build `partitions` of a filter of `n_partitions`, with `n_bits`-bit fingerprints.
///
/// `keys`, ascending and unique, are all keys of the filter, or at least those of these partitions;
/// `first_byte` is the place of their fingerprints among the filter's.
pub fn build(
    keys: &[u64],
    n_bits: u32,
    n_partitions: usize,
    partitions: Range<usize>,
    first_byte: u64,
) -> Result<Built, BuildError> {
    // Each step ends with the first key of the next.
    let is_ascending = (0..keys.len()).step_by(STEP).all(|start| {
        tick(STEP);
        keys[start..keys.len().min(start + STEP + 1)].is_sorted_by(|a, b| a < b)
    });
    if !is_ascending {
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
    let n_keys = keys.len() as u64;
    for attempt in 0..ATTEMPTS {
        let seed = mix(attempt + 1, 0x7061_7274_6974_696f);
        mix_in_order(keys, seed, scratch);
        let Scratch { hashes, peel: memory, .. } = scratch;
        let solved;
        let (layout, values) = if n_keys <= eliminate::MAX_KEYS {
            let layout = eliminate::layout(n_keys, attempt);
            solved = eliminate::values(hashes, n_bits, &layout);
            (layout, solved.as_deref())
        } else {
            let layout = peel::layout(n_keys, attempt);
            (layout, peel::values(hashes, n_bits, &layout, memory))
        };
        let Some(values) = values else { continue };
        let first = first_byte + built.fingerprints.len() as u64;
        let row: [u64; ROW] = [seed, u64::from(layout.segment_bits), layout.n_segments, first, 0, 0, 0, 0];
        built.table.extend(row.into_iter().flat_map(u64::to_le_bytes));
        pack(values, n_bits, &mut built.fingerprints);
        built.fingerprints.extend([0; PADDING]);
        return Ok(());
    }
    Err(BuildError::NoSeed)
}

/// Mix the keys and sort them roughly by their slots, so that the next steps walk through the slots'
/// memory instead of jumping around in it.
fn mix_in_order(keys: &[u64], seed: u64, scratch: &mut Scratch) {
    const BUCKET_BITS: u32 = 10;
    let bucket = |h: u64| (h >> (64 - BUCKET_BITS)) as usize;
    let Scratch { hashes, bucket_ends, .. } = scratch;
    bucket_ends.clear();
    bucket_ends.resize((1 << BUCKET_BITS) + 1, 0);
    for keys in keys.chunks(STEP) {
        for &key in keys {
            bucket_ends[bucket(mix(key, seed)) + 1] += 1;
        }
        tick(2 * STEP);
    }
    for i in 1..bucket_ends.len() {
        bucket_ends[i] += bucket_ends[i - 1];
    }
    hashes.resize(keys.len(), 0);
    for keys in keys.chunks(STEP) {
        for &key in keys {
            let h = mix(key, seed);
            let at = &mut bucket_ends[bucket(h)];
            hashes[*at] = h;
            *at += 1;
        }
        tick(4 * STEP);
    }
}

/// Append `values`, `n_bits` each, least significant bit first, and pad the last word.
fn pack(values: &[u32], n_bits: u32, bytes: &mut Vec<u8>) {
    let mut word = 0u64;
    let mut filled = 0;
    for values in values.chunks(STEP) {
        for &value in values {
            word |= u64::from(value) << filled;
            filled += n_bits;
            if filled >= 64 {
                bytes.extend(word.to_le_bytes());
                filled -= 64;
                word = if filled == 0 { 0 } else { u64::from(value) >> (n_bits - filled) };
            }
        }
        tick(4 * STEP);
    }
    if filled > 0 {
        bytes.extend(word.to_le_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::super::layout::random_keys;
    use super::*;

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
}
