//! The filter of RedisBloom, in which the original Data Portraits library publishes its portraits.
//!
//! A filter is a chain of links, each a plain Bloom filter of its own size; it contains a window if any
//! link does. Both hashes of a window are MurmurHash2, the second seeded with the first; position *i* is
//! `(a + i·b mod 2^64) mod n_bits`.
//!
//! What bounds it: a cache line from memory per tested bit, two for an absent window when half of the
//! bits are set. The windows of a group are tested bit by bit together, so that their cache lines load
//! at the same time; the remainder by a number known in advance takes two multiplications.

use super::filter::{Batch, Filter};
use super::prefetch::prefetch;
use crate::interrupt::{STEP, tick};

/// The variant of MurmurHash2 that a filter uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hash {
    /// The 32-bit function, used by the first versions of the module.
    Murmur32,
    /// MurmurHash64A.
    Murmur64,
}

impl Hash {
    /// Return the two numbers that determine all positions of `window`.
    #[inline(always)]
    fn pair(self, window: &[u8]) -> (u64, u64) {
        match self {
            Self::Murmur32 => {
                let a = murmur32(window, 0x9747_b28c);
                (a.into(), murmur32(window, a).into())
            }
            // The usual width in ASCII text: with a length known to the compiler there are no loops,
            // and the processor works on several windows at once.
            Self::Murmur64 => match <&[u8; 50]>::try_from(window) {
                Ok(window) => twice_murmur64(window),
                Err(_) => twice_murmur64(window),
            },
        }
    }
}

#[inline(always)]
fn twice_murmur64(window: &[u8]) -> (u64, u64) {
    let a = murmur64(window, 0xc6a4_a793_5bd1_e995);
    (a, murmur64(window, a))
}

/// Compute MurmurHash2 (Austin Appleby, public domain), reading little-endian.
pub fn murmur32(bytes: &[u8], seed: u32) -> u32 {
    const M: u32 = 0x5bd1_e995;
    let mut h = seed ^ bytes.len() as u32;
    let (words, rest) = bytes.as_chunks::<4>();
    for word in words {
        let mut k = u32::from_le_bytes(*word).wrapping_mul(M);
        k ^= k >> 24;
        h = h.wrapping_mul(M) ^ k.wrapping_mul(M);
    }
    if !rest.is_empty() {
        let mut last = [0; 4];
        last[..rest.len()].copy_from_slice(rest);
        h = (h ^ u32::from_le_bytes(last)).wrapping_mul(M);
    }
    h = (h ^ (h >> 13)).wrapping_mul(M);
    h ^ (h >> 15)
}

/// Compute MurmurHash64A (Austin Appleby, public domain), reading little-endian.
#[inline(always)]
pub fn murmur64(bytes: &[u8], seed: u64) -> u64 {
    const M: u64 = 0xc6a4_a793_5bd1_e995;
    let mut h = seed ^ (bytes.len() as u64).wrapping_mul(M);
    let (words, rest) = bytes.as_chunks::<8>();
    for word in words {
        let mut k = u64::from_le_bytes(*word).wrapping_mul(M);
        k ^= k >> 47;
        h = (h ^ k.wrapping_mul(M)).wrapping_mul(M);
    }
    if !rest.is_empty() {
        let last = match bytes.last_chunk() {
            // One read that overlaps the last word.
            Some(last) => u64::from_le_bytes(*last) >> (8 * (8 - rest.len())),
            None => rest.iter().rev().fold(0, |last, &byte| last << 8 | u64::from(byte)),
        };
        h = (h ^ last).wrapping_mul(M);
    }
    h = (h ^ (h >> 47)).wrapping_mul(M);
    h ^ (h >> 47)
}

/// A divisor, prepared for computing remainders.
#[derive(Clone, Copy, Debug)]
struct Modulus {
    n: u64,
    reciprocal: u64,
}

impl Modulus {
    fn new(n: u64) -> Self {
        Self { n, reciprocal: u64::MAX / n }
    }

    /// Return `x` mod `n`.
    #[inline(always)]
    fn of(self, x: u64) -> u64 {
        // The reciprocal is too small by less than one part in 2^64 / n, so the quotient is too small
        // by less than two: by at most one after rounding down.
        let quotient = ((u128::from(x) * u128::from(self.reciprocal)) >> 64) as u64;
        let rest = x - quotient * self.n;
        if rest >= self.n { rest - self.n } else { rest }
    }
}

/// One link: bits in one or several pieces of memory.
pub struct Link<'a> {
    pieces: Vec<&'a [u8]>,
    n_bits: Modulus,
    n_hashes: u32,
}

impl<'a> Link<'a> {
    /// [`Link::fill`] counts a sample of links larger than this.
    const SAMPLED_ABOVE_BYTES: usize = 64 << 20;
    const SAMPLE_BYTES: usize = 4 << 10;
    const N_SAMPLES: usize = 4 << 10;

    /// Return the link whose bytes are `pieces`, end to end, with `n_bits` bits in use and `n_hashes`
    /// bits per window; `None` unless both are at least 1 and there are enough bytes.
    pub fn new(pieces: Vec<&'a [u8]>, n_bits: u64, n_hashes: u32) -> Option<Self> {
        let n_bytes: u64 = pieces.iter().map(|piece| piece.len() as u64).sum();
        let fits = n_bits > 0 && n_bits < 1 << 63 && n_bits.div_ceil(8) <= n_bytes && n_hashes > 0;
        fits.then(|| Self { pieces, n_bits: Modulus::new(n_bits), n_hashes })
    }

    /// Return byte `at` of the link's memory.
    #[inline(always)]
    fn byte(&self, at: u64) -> &'a u8 {
        let mut at = at as usize;
        // Links in several pieces are larger than two gigabytes, so there are few pieces.
        for piece in &self.pieces {
            if let Some(byte) = piece.get(at) {
                return byte;
            }
            at -= piece.len();
        }
        unreachable!("every position is less than n_bits, and the pieces have as many")
    }

    /// Return the share of bits that are set.
    ///
    /// Above 64 MiB, a sample is counted: 4096 evenly spread pages of 4 KiB. Since hashing spreads the
    /// bits evenly, their share is that of the whole to one part in ten thousand.
    pub fn fill(&self) -> f64 {
        let n_bytes = (self.n_bits.n / 8) as usize;
        if n_bytes > Self::SAMPLED_ABOVE_BYTES {
            let step = n_bytes / Self::N_SAMPLES;
            let n_set: u64 = (0..Self::N_SAMPLES).map(|i| self.count(i * step, Self::SAMPLE_BYTES)).sum();
            return n_set as f64 / (8 * Self::N_SAMPLES * Self::SAMPLE_BYTES) as f64;
        }
        let mut n_set = self.count(0, n_bytes);
        let n_left = self.n_bits.n % 8;
        if n_left > 0 {
            let last = self.byte(n_bytes as u64) & ((1 << n_left) - 1);
            n_set += u64::from(last.count_ones());
        }
        n_set as f64 / self.n_bits.n as f64
    }

    /// Count the bits set in the `n_bytes` bytes from `start` on.
    fn count(&self, start: usize, n_bytes: usize) -> u64 {
        let (mut start, mut left, mut n_set) = (start, n_bytes, 0);
        for piece in &self.pieces {
            let part = &piece[start.min(piece.len())..];
            let part = &part[..left.min(part.len())];
            let (words, rest) = part.as_chunks::<8>();
            for words in words.chunks(STEP) {
                let ones = words.iter().map(|word| u64::from(u64::from_le_bytes(*word).count_ones()));
                n_set += ones.sum::<u64>();
                tick(words.len());
            }
            n_set += rest.iter().map(|byte| u64::from(byte.count_ones())).sum::<u64>();
            left -= part.len();
            start = start.saturating_sub(piece.len());
        }
        n_set
    }

    /// Return the chance that the link contains a window that was never added.
    fn rate(&self) -> f64 {
        self.fill().powf(self.n_hashes.into())
    }

    /// Set the hits of a group's windows that the link contains, skipping those that hit already.
    fn add_hits(&self, pairs: &[(u64, u64)], hits: &mut [bool]) {
        // The windows whose bits have all been set so far: each one's number and next position.
        let mut open = [(0u8, 0u64); GROUP];
        let mut n_open = 0;
        for (i, hit) in hits.iter().enumerate() {
            open[n_open] = (i as u8, pairs[i].0);
            n_open += usize::from(!hit);
        }
        let mut bits = [(&0u8, 0u8); GROUP];
        for _ in 0..self.n_hashes {
            for ((_, at), bit) in open[..n_open].iter().zip(&mut bits) {
                let position = self.n_bits.of(*at);
                *bit = (self.byte(position >> 3), (position & 7) as u8);
                prefetch(bit.0);
            }
            let mut n_left = 0;
            for i in 0..n_open {
                let (window, at) = open[i];
                let (byte, bit) = bits[i];
                // Every window is written; whether it stays is a sum, not a branch.
                open[n_left] = (window, at.wrapping_add(pairs[usize::from(window)].1));
                n_left += usize::from(byte >> bit & 1);
            }
            n_open = n_left;
            if n_open == 0 {
                return;
            }
        }
        for (window, _) in &open[..n_open] {
            hits[usize::from(*window)] = true;
        }
    }
}

/// Windows that are tested together: enough to keep memory busy, and few enough for the first-level
/// cache.
const GROUP: usize = 256;

/// A whole filter: one link or several.
pub struct RedisBloom<'a> {
    /// Oldest first.
    pub links: Vec<Link<'a>>,
    /// The hash function of its windows.
    pub hash: Hash,
}

impl RedisBloom<'_> {
    /// Return the chance that some link contains a window that was never added.
    pub fn rate(&self) -> f64 {
        // 1 − Π (1 − rate), without losing the digits of small rates.
        -self.links.iter().map(|link| (-link.rate()).ln_1p()).sum::<f64>().exp_m1()
    }
}

impl Filter for RedisBloom<'_> {
    fn contains(&self, batch: Batch, hits: &mut [bool]) {
        let mut pairs = [(0, 0); GROUP];
        for (windows, hits) in batch.windows.chunks(GROUP).zip(hits.chunks_mut(GROUP)) {
            for (window, pair) in windows.iter().zip(&mut pairs) {
                tick(window.len() / 2);
                *pair = self.hash.pair(window);
            }
            hits.fill(false);
            for link in &self.links {
                tick(8 * GROUP);
                link.add_hits(&pairs[..windows.len()], hits);
            }
        }
    }

    fn contains_document(&self, _key: u64) -> bool {
        false
    }

    fn reads_windows(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Compute the verification value of a hash function, as Appleby's SMHasher does.
    fn verification(hash: impl Fn(&[u8], u64) -> Vec<u8>) -> u32 {
        let key: Vec<u8> = (0..=255).collect();
        let hashes: Vec<u8> = (0..256).flat_map(|i| hash(&key[..i], 256 - i as u64)).collect();
        u32::from_le_bytes(hash(&hashes, 0)[..4].try_into().unwrap())
    }

    #[test]
    fn the_hashes_are_the_published_functions() {
        assert_eq!(verification(|key, seed| murmur32(key, seed as u32).to_le_bytes().to_vec()), 0x2786_4C1E);
        assert_eq!(verification(|key, seed| murmur64(key, seed).to_le_bytes().to_vec()), 0x1F0D_3804);
    }

    /// Add a window to `bits`, one position at a time.
    fn insert(bits: &mut [u8], window: &[u8], hash: Hash, n_bits: u64, n_hashes: u32) {
        let (a, b) = hash.pair(window);
        for i in 0..u64::from(n_hashes) {
            let position = a.wrapping_add(i.wrapping_mul(b)) % n_bits;
            bits[(position / 8) as usize] |= 1 << (position % 8);
        }
    }

    fn hits_of(filter: &RedisBloom, windows: &[&[u8]]) -> Vec<bool> {
        let mut hits = vec![true; windows.len()];
        let keys = vec![0; windows.len()];
        filter.contains(Batch { keys: &keys, windows }, &mut hits);
        hits
    }

    #[test]
    fn windows_of_any_link_are_found_and_few_others() {
        for hash in [Hash::Murmur32, Hash::Murmur64] {
            let texts: Vec<String> = (0..3000).map(|i| format!("window number {i}")).collect();
            let windows: Vec<&[u8]> = texts.iter().map(String::as_bytes).collect();
            let (mut first, mut second) = (vec![0; 1250], vec![0; 2048]);
            for window in &windows[..500] {
                insert(&mut first, window, hash, 10_000, 7);
            }
            for window in &windows[500..1000] {
                insert(&mut second, window, hash, 1 << 14, 11);
            }
            let (head, tail) = first.split_at(333);
            let links = vec![
                Link::new(vec![head, &[], tail], 10_000, 7).unwrap(),
                Link::new(vec![&second], 1 << 14, 11).unwrap(),
            ];
            let filter = RedisBloom { links, hash };
            let hits = hits_of(&filter, &windows);
            assert!(hits[..1000].iter().all(|hit| *hit));
            let n_false = hits[1000..].iter().filter(|hit| **hit).count() as f64;
            let rate = filter.rate();
            assert!(rate > 0.0 && rate < 0.01);
            assert!((n_false - 2000.0 * rate).abs() < 5.0 * (2000.0 * rate).sqrt() + 1.0);
        }
    }

    #[test]
    fn the_fill_counts_the_bits_in_use_and_a_sample_of_many() {
        let bytes = [0b0000_0111, 0b1111_0001];
        assert_eq!(Link::new(vec![&bytes], 9, 1).unwrap().fill(), 4.0 / 9.0);
        assert_eq!(Link::new(vec![&bytes[..1], &bytes[1..]], 16, 1).unwrap().fill(), 0.5);
        let many = vec![0b0101_0101; 70 << 20];
        let (head, tail) = many.split_at(1 << 20);
        assert_eq!(Link::new(vec![head, tail], 8 * (70 << 20), 1).unwrap().fill(), 0.5);
    }

    #[test]
    fn memory_too_small_for_its_bits_is_refused() {
        assert!(Link::new(vec![&[0; 2], &[0; 1]], 24, 3).is_some());
        assert!(Link::new(vec![&[0; 2], &[0; 1]], 25, 3).is_none());
        assert!(Link::new(vec![&[0; 2]], 0, 3).is_none());
        assert!(Link::new(vec![&[0; 2]], 16, 0).is_none());
        assert!(Link::new(vec![], 1, 1).is_none());
    }

    proptest! {
        #[test]
        fn remainders_by_the_reciprocal_are_exact(x: u64, n in 1u64..1 << 63, shift in 0u32..63) {
            for n in [n, (n >> shift).max(1), 1 << shift] {
                for x in [x, x >> shift, n, n - 1, n.wrapping_mul(x) & !1, u64::MAX] {
                    prop_assert_eq!(Modulus::new(n).of(x), x % n);
                }
            }
        }
    }
}
