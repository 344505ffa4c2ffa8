//! Split-block Bloom filter: blocks of eight 32-bit lanes, one bit per lane and key.
//!
//! The layout and the salts are those of the Parquet format's Bloom filter; the block is
//! `hi64(key · n_blocks)`, so that a range of keys is a range of blocks. The filter's memory is
//! plain bytes, little-endian, so that a mapped file is a filter. It may be in several pieces, all but
//! the last of one size: dividing a block's number by that size finds its piece.
//!
//! What bounds it: one cache line from memory per key. Batches prefetch the lines, so a filter larger
//! than the caches costs bandwidth, not latency.

#![allow(unsafe_code, reason = "code compiled for AVX2 is called after checking for it")]

use super::filter::{Batch, Filter};
use super::prefetch::prefetch;
use crate::interrupt::{STEP, tick};

/// Bytes in a block: 256 bits, half a cache line.
pub const BLOCK_BYTES: usize = 32;
const LANES: usize = 8;
const SALTS: [u32; LANES] =
    [0x47b6_137b, 0x4497_4d91, 0x8824_ad5b, 0xa2b7_289d, 0x7054_95c7, 0x2df1_424b, 0x9efc_4947, 0x5c6b_fb31];
/// Keys between a block's prefetch and its use: enough to cover a memory access.
const AHEAD: usize = 16;

type Block = [u8; BLOCK_BYTES];

/// Return the block of a key.
#[inline(always)]
pub fn block_of(key: u64, n_blocks: usize) -> usize {
    ((u128::from(key) * n_blocks as u128) >> 64) as usize
}

/// Return the one bit of each lane that a key sets.
#[inline(always)]
fn mask(key: u64) -> [u32; LANES] {
    SALTS.map(|salt| 1 << ((key as u32).wrapping_mul(salt) >> 27))
}

#[inline(always)]
fn lane(block: &Block, i: usize) -> u32 {
    u32::from_le_bytes(block[4 * i..4 * i + 4].try_into().expect("four bytes"))
}

#[inline(always)]
fn insert_into(blocks: &mut [Block], keys: &[u64], first: usize, n_blocks: usize) -> bool {
    for (i, &key) in keys.iter().enumerate() {
        if let Some(next) = keys.get(i + AHEAD)
            && let Some(next) = blocks.get(block_of(*next, n_blocks).wrapping_sub(first))
        {
            prefetch(next);
        }
        let Some(block) = blocks.get_mut(block_of(key, n_blocks).wrapping_sub(first)) else { return false };
        let mask = mask(key);
        for (i, bit) in mask.iter().enumerate() {
            let lane = lane(block, i) | bit;
            block[4 * i..4 * i + 4].copy_from_slice(&lane.to_le_bytes());
        }
    }
    true
}

/// The blocks of a filter, in one piece or several.
trait Blocks {
    fn n_blocks(&self) -> usize;

    /// Return block `i`, which is less than `n_blocks`.
    fn block(&self, i: usize) -> &Block;
}

impl Blocks for [Block] {
    #[inline(always)]
    fn n_blocks(&self) -> usize {
        self.len()
    }

    #[inline(always)]
    fn block(&self, i: usize) -> &Block {
        &self[i]
    }
}

/// Blocks in several pieces of `per_piece` blocks; the last piece may have fewer.
struct Pieces<'a> {
    pieces: Vec<&'a [Block]>,
    n_blocks: usize,
    per_piece: usize,
    /// ⌊(2^64 − 1) / `per_piece`⌋: multiplying replaces dividing.
    reciprocal: u64,
}

impl<'a> Pieces<'a> {
    fn new(pieces: Vec<&'a [Block]>) -> Option<Self> {
        let per_piece = pieces.first()?.len();
        let (last, others) = pieces.split_last()?;
        let even = others.iter().all(|piece| piece.len() == per_piece);
        if !even || last.is_empty() || last.len() > per_piece {
            return None;
        }
        let n_blocks = others.len() * per_piece + last.len();
        Some(Self { pieces, n_blocks, per_piece, reciprocal: u64::MAX / per_piece as u64 })
    }
}

impl Blocks for Pieces<'_> {
    #[inline(always)]
    fn n_blocks(&self) -> usize {
        self.n_blocks
    }

    #[inline(always)]
    fn block(&self, i: usize) -> &Block {
        // The reciprocal is too small by less than 1, so the quotient is too small by at most 1.
        let mut piece = ((i as u128 * u128::from(self.reciprocal)) >> 64) as usize;
        let mut rest = i - piece * self.per_piece;
        if rest >= self.per_piece {
            piece += 1;
            rest -= self.per_piece;
        }
        &self.pieces[piece][rest]
    }
}

#[inline(always)]
fn look_up(blocks: &(impl Blocks + ?Sized), keys: &[u64], hits: &mut [bool]) {
    let n_blocks = blocks.n_blocks();
    for (i, (&key, hit)) in keys.iter().zip(hits).enumerate() {
        if let Some(&next) = keys.get(i + AHEAD) {
            prefetch(blocks.block(block_of(next, n_blocks)));
        }
        let block = blocks.block(block_of(key, n_blocks));
        let mask = mask(key);
        let mut missing = 0;
        for (i, bit) in mask.iter().enumerate() {
            missing |= bit & !lane(block, i);
        }
        *hit = missing == 0;
    }
}

/// The same loops compiled for AVX2, whose variable shifts compute a mask in three instructions.
#[cfg(target_arch = "x86_64")]
mod avx2 {
    use super::{Block, Blocks};

    #[target_feature(enable = "avx2")]
    pub fn insert_into(blocks: &mut [Block], keys: &[u64], first: usize, n_blocks: usize) -> bool {
        super::insert_into(blocks, keys, first, n_blocks)
    }

    #[target_feature(enable = "avx2")]
    pub fn look_up(blocks: &(impl Blocks + ?Sized), keys: &[u64], hits: &mut [bool]) {
        super::look_up(blocks, keys, hits);
    }
}

/// Add `keys` to a filter of `n_blocks`, whose blocks from `first` on are `bytes`; a remainder shorter
/// than a block is ignored. Return false at the first key that belongs to another block.
pub fn insert(bytes: &mut [u8], keys: &[u64], first: usize, n_blocks: usize) -> bool {
    let (blocks, _) = bytes.as_chunks_mut::<BLOCK_BYTES>();
    keys.chunks(STEP).all(|keys| {
        tick(4 * keys.len());
        insert_some(blocks, keys, first, n_blocks)
    })
}

fn insert_some(blocks: &mut [Block], keys: &[u64], first: usize, n_blocks: usize) -> bool {
    #[cfg(target_arch = "x86_64")]
    if std::is_x86_feature_detected!("avx2") {
        // SAFETY: the feature has just been detected.
        return unsafe { avx2::insert_into(blocks, keys, first, n_blocks) };
    }
    insert_into(blocks, keys, first, n_blocks)
}

/// Set each hit to whether `blocks` contain the key.
fn contains(blocks: &(impl Blocks + ?Sized), keys: &[u64], hits: &mut [bool]) {
    #[cfg(target_arch = "x86_64")]
    if std::is_x86_feature_detected!("avx2") {
        // SAFETY: the feature has just been detected.
        unsafe { avx2::look_up(blocks, keys, hits) };
        return;
    }
    look_up(blocks, keys, hits);
}

/// Compute [`Bloom::rate`].
fn rate(blocks: &(impl Blocks + ?Sized)) -> f64 {
    let of_block = |block: &Block| -> f64 {
        (0..LANES).map(|i| f64::from(lane(block, i).count_ones()) / 32.0).product()
    };
    // Summing in runs keeps the rounding error small over billions of blocks; the runs do not depend
    // on the pieces, so neither does the sum, to the last bit.
    const RUN: usize = 4096;
    let n_blocks = blocks.n_blocks();
    let starts = (0..n_blocks).step_by(RUN);
    let runs = starts.map(|start| {
        tick(8 * RUN);
        (start..n_blocks.min(start + RUN)).map(|i| of_block(blocks.block(i))).sum::<f64>()
    });
    runs.sum::<f64>() / n_blocks as f64
}

/// A filter in borrowed bytes: at least one block.
pub struct Bloom<'a>(Memory<'a>);

enum Memory<'a> {
    /// Nearly every filter: no piece has to be found.
    One(&'a [Block]),
    Several(Pieces<'a>),
}

impl<'a> Bloom<'a> {
    /// Return the filter in `bytes`, or `None` unless they are whole blocks, at least one.
    pub fn new(bytes: &'a [u8]) -> Option<Self> {
        whole_blocks(bytes).map(|blocks| Self(Memory::One(blocks)))
    }

    /// Return the filter in several pieces, or `None` unless each is whole blocks, at least one, and
    /// all pieces are as long as the first, except that the last may be shorter.
    pub fn from_pieces(pieces: &[&'a [u8]]) -> Option<Self> {
        if let [bytes] = pieces {
            return Self::new(bytes);
        }
        let pieces = pieces.iter().map(|bytes| whole_blocks(bytes)).collect::<Option<Vec<_>>>()?;
        Pieces::new(pieces).map(|pieces| Self(Memory::Several(pieces)))
    }

    /// Return the exact false-positive rate of these bits for random keys.
    ///
    /// A random key falls into every block with the same chance, and hits if all eight of its lane
    /// bits are set: the rate is the mean over blocks of the product of the lanes' fills.
    pub fn rate(&self) -> f64 {
        match &self.0 {
            Memory::One(blocks) => rate(*blocks),
            Memory::Several(pieces) => rate(pieces),
        }
    }

    /// Set each hit to whether the filter contains the key; both slices have the same length.
    pub fn contains_keys(&self, keys: &[u64], hits: &mut [bool]) {
        match &self.0 {
            Memory::One(blocks) => contains(*blocks, keys, hits),
            Memory::Several(pieces) => contains(pieces, keys, hits),
        }
    }
}

/// Return `bytes` as blocks, or `None` unless they are whole blocks, at least one.
fn whole_blocks(bytes: &[u8]) -> Option<&[Block]> {
    let (blocks, rest) = bytes.as_chunks::<BLOCK_BYTES>();
    (rest.is_empty() && !blocks.is_empty()).then_some(blocks)
}

impl Filter for Bloom<'_> {
    fn contains(&self, batch: Batch, hits: &mut [bool]) {
        self.contains_keys(batch.keys, hits);
    }

    fn contains_document(&self, key: u64) -> bool {
        let mut hit = [false];
        self.contains_keys(&[key], &mut hit);
        hit[0]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many blocks filters have; Miri interprets every step, and sees all paths in small ones.
    const SIZES: &[usize] = if cfg!(miri) { &[1, 2, 9] } else { &[1, 2, 3, 64, 97, 1000, 1023, 1024, 5000] };

    fn random_keys(seed: u64, n: usize) -> Vec<u64> {
        (0..n as u64).map(|i| crate::windows::keys::window_key(&(seed << 40 | i).to_le_bytes())).collect()
    }

    fn fill(bytes: &mut [u8], keys: &[u64]) {
        let n_blocks = bytes.len() / BLOCK_BYTES;
        assert!(insert(bytes, keys, 0, n_blocks));
    }

    #[test]
    fn ranges_of_blocks_end_to_end_make_the_whole_filter() {
        let n_blocks = if cfg!(miri) { 40 } else { 1000 };
        let keys = random_keys(9, 20 * n_blocks);
        let mut whole = vec![0; n_blocks * BLOCK_BYTES];
        fill(&mut whole, &keys);
        let mut joined: Vec<u8> = Vec::new();
        for range in [0..1, 1..37, 37..n_blocks - 1, n_blocks - 1..n_blocks] {
            let mut bytes = vec![0; range.len() * BLOCK_BYTES];
            let own: Vec<u64> =
                keys.iter().copied().filter(|&key| range.contains(&block_of(key, n_blocks))).collect();
            assert!(insert(&mut bytes, &own, range.start, n_blocks));
            joined.extend(&bytes);
            assert!(!insert(&mut bytes, &keys, range.start, n_blocks), "keys of other ranges are refused");
        }
        assert_eq!(joined, whole);
    }

    #[test]
    fn inserted_keys_are_found_at_any_size() {
        for &n_blocks in SIZES {
            let mut bytes = vec![0; n_blocks * BLOCK_BYTES];
            let keys = random_keys(n_blocks as u64, 20 * n_blocks);
            fill(&mut bytes, &keys);
            let mut hits = vec![false; keys.len()];
            Bloom::new(&bytes).unwrap().contains_keys(&keys, &mut hits);
            assert!(hits.iter().all(|hit| *hit));
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "counts take many keys")]
    fn the_rate_of_the_bits_is_the_rate_observed() {
        for &n_blocks in SIZES {
            let mut bytes = vec![0; n_blocks * BLOCK_BYTES];
            fill(&mut bytes, &random_keys(1, 30 * n_blocks));
            let bloom = Bloom::new(&bytes).unwrap();
            let probes = random_keys(2, 400_000);
            let mut hits = vec![false; probes.len()];
            bloom.contains_keys(&probes, &mut hits);
            let observed = hits.iter().filter(|hit| **hit).count() as f64 / probes.len() as f64;
            let expected = bloom.rate();
            let deviation = (expected * (1.0 - expected) / probes.len() as f64).sqrt();
            assert!((observed - expected).abs() < 5.0 * deviation, "{n_blocks}: {observed} {expected}");
        }
    }

    #[test]
    fn avx2_and_portable_code_agree() {
        let n_keys = if cfg!(miri) { 100 } else { 5000 };
        let keys = random_keys(3, n_keys);
        let mut detected = vec![0; 300 * BLOCK_BYTES];
        fill(&mut detected, &keys);
        let mut portable = vec![0; 300 * BLOCK_BYTES];
        assert!(insert_into(portable.as_chunks_mut().0, &keys, 0, 300));
        assert_eq!(detected, portable);
        let probes = random_keys(4, n_keys);
        let (mut a, mut b) = (vec![false; n_keys], vec![false; n_keys]);
        Bloom::new(&detected).unwrap().contains_keys(&probes, &mut a);
        look_up(portable.as_chunks::<BLOCK_BYTES>().0, &probes, &mut b);
        assert_eq!(a, b);
    }

    #[test]
    fn a_block_is_laid_out_as_documented() {
        let mut bytes = vec![0; BLOCK_BYTES];
        fill(&mut bytes, &[1]);
        let lanes: Vec<u32> = (0..LANES).map(|i| lane(bytes[..].try_into().unwrap(), i)).collect();
        assert_eq!(lanes, SALTS.map(|salt| 1u32 << (salt >> 27)));
    }

    #[test]
    fn broken_memory_is_refused() {
        assert!(Bloom::new(&[]).is_none());
        assert!(Bloom::new(&[0; 33]).is_none());
        let (one, two, three) = ([0; BLOCK_BYTES], [0; 2 * BLOCK_BYTES], [0; 3 * BLOCK_BYTES]);
        let broken: [&[&[u8]]; 6] =
            [&[], &[&[]], &[&two, &[]], &[&one, &two], &[&two, &one, &two], &[&two, &three[1..]]];
        for pieces in broken {
            assert!(Bloom::from_pieces(pieces).is_none(), "{pieces:?}");
        }
        assert!(Bloom::from_pieces(&[&two, &two, &one]).is_some());
    }

    #[test]
    fn pieces_answer_as_the_whole() {
        for &n_blocks in &SIZES[1..] {
            let mut bytes = vec![0; n_blocks * BLOCK_BYTES];
            fill(&mut bytes, &random_keys(5, 20 * n_blocks));
            let whole = Bloom::new(&bytes).unwrap();
            let mut probes = random_keys(6, if cfg!(miri) { 50 } else { 20_000 });
            probes.extend(random_keys(5, 20 * n_blocks.min(50)));
            probes.extend([0, u64::MAX]);
            let mut expected = vec![false; probes.len()];
            whole.contains_keys(&probes, &mut expected);
            for per_piece in [1, 2, 3, 64, 97, n_blocks - 1, n_blocks] {
                let pieces: Vec<&[u8]> = bytes.chunks(per_piece * BLOCK_BYTES).collect();
                let bloom = Bloom::from_pieces(&pieces).unwrap();
                let mut hits = vec![false; probes.len()];
                bloom.contains_keys(&probes, &mut hits);
                assert_eq!(hits, expected, "{n_blocks} {per_piece}");
                assert_eq!(bloom.rate().to_bits(), whole.rate().to_bits());
            }
        }
    }

    #[test]
    fn dividing_by_the_reciprocal_is_off_by_at_most_one() {
        // The worst cases for the reciprocal: pieces of any size, blocks beside their borders.
        for per_piece in (1..300usize).chain([(1 << 27) - 1, 1 << 27, (1 << 40) + 1]) {
            let reciprocal = u64::MAX / per_piece as u64;
            for piece in [0, 1, 2, 3, 1000, (1 << 20) - 1, 1 << 20] {
                for rest in [0, 1, per_piece / 2, per_piece - 1] {
                    let i = piece * per_piece + rest.min(per_piece - 1);
                    let estimate = ((i as u128 * u128::from(reciprocal)) >> 64) as usize;
                    assert!(estimate <= i / per_piece && i / per_piece <= estimate + 1, "{i} {per_piece}");
                }
            }
        }
    }
}
