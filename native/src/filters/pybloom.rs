//! The filter of the Python package pybloom-live, bit for bit.
//!
//! The filter consists of slices of equally many bits, and a key sets one bit in each. The places come
//! from as many digests as it takes: each digest, of a salt and the key, is read as unsigned numbers, and
//! each number modulo the slice's bits is the place in the next slice. The slice's bits determine how
//! wide the numbers are, and the bytes that all slices together need determine the hash function.
//!
//! What bounds it: the digest, one or more SHA blocks per window where the split-block filter needs a
//! multiplication. The first slices' bytes are prefetched while the next windows are hashed.

use sha1::Sha1;
use sha2::{Digest, Sha256, Sha384, Sha512};
use twox_hash::XxHash3_128;

use super::filter::{Batch, Filter};
use super::prefetch::prefetch;
use crate::interrupt::{STEP, tick};
use crate::text::normalized::Scratch;
use crate::text::origins::Forget;
use crate::windows::arrow::Counts;
use crate::windows::spec::Spec;

/// No error rate that a double can represent needs more slices.
pub const MAX_SLICES: usize = 1024;

/// Windows that are hashed before the first of them is looked up.
const GROUP: usize = 16;
/// Slices to prefetch: one of the first nearly always rules out an absent window.
const PREFETCHED_SLICES: usize = 2;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hash {
    Xxh128,
    Sha1,
    Sha256,
    Sha384,
    Sha512,
}

impl Hash {
    /// Return the first function whose digest is long enough, or the one with the longest digest.
    fn for_bytes(n_bytes: usize) -> Self {
        [Self::Xxh128, Self::Sha1, Self::Sha256, Self::Sha384]
            .into_iter()
            .find(|hash| n_bytes <= hash.n_bytes())
            .unwrap_or(Self::Sha512)
    }

    const fn n_bytes(self) -> usize {
        match self {
            Self::Xxh128 => 16,
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    /// Return the digest of `salt` and then `key` in the first bytes of the result.
    #[inline]
    fn digest(self, salt: &[u8], key: &[u8], buffer: &mut Vec<u8>) -> [u8; 64] {
        fn sha<H: Digest>(salt: &[u8], key: &[u8], digest: &mut [u8]) {
            digest.copy_from_slice(&H::new().chain_update(salt).chain_update(key).finalize());
        }
        let mut digest = [0; 64];
        let out = &mut digest[..self.n_bytes()];
        match self {
            Self::Xxh128 => {
                buffer.clear();
                buffer.extend_from_slice(salt);
                buffer.extend_from_slice(key);
                // The canonical form is big-endian.
                out.copy_from_slice(&XxHash3_128::oneshot(buffer).to_be_bytes());
            }
            Self::Sha1 => sha::<Sha1>(salt, key, out),
            Self::Sha256 => sha::<Sha256>(salt, key, out),
            Self::Sha384 => sha::<Sha384>(salt, key, out),
            Self::Sha512 => sha::<Sha512>(salt, key, out),
        }
        digest
    }
}

/// How a filter's bits are arranged, and where keys are placed.
#[derive(Clone, Debug)]
pub struct Layout {
    n_slices: usize,
    slice_bits: u64,
    n_bytes: usize,
    hash: Hash,
    number_bytes: usize,
    /// One for each digest of a key, in the first bytes.
    salts: Vec<[u8; 64]>,
}

impl Layout {
    /// Return a layout, or `None` for no slices, too many, empty ones, or more bytes than can be addressed.
    pub fn new(n_slices: usize, slice_bits: u64) -> Option<Self> {
        if n_slices == 0 || n_slices > MAX_SLICES || slice_bits == 0 {
            return None;
        }
        let n_bits = u64::try_from(n_slices).ok()?.checked_mul(slice_bits)?;
        let n_bytes = usize::try_from(n_bits.div_ceil(8)).ok()?;
        let number_bytes = match slice_bits {
            0..0x8000 => 2,
            0x8000..0x8000_0000 => 4,
            _ => 8,
        };
        let hash = Hash::for_bytes(n_slices * number_bytes);
        let n_salts = n_slices.div_ceil(hash.n_bytes() / number_bytes);
        let salts = (0..n_salts as u32).map(|i| hash.digest(&[], &i.to_le_bytes(), &mut Vec::new()));
        Some(Self { n_slices, slice_bits, n_bytes, hash, number_bytes, salts: salts.collect() })
    }

    /// Return the length of the filter in bytes.
    pub fn n_bytes(&self) -> usize {
        self.n_bytes
    }

    /// Write to `places` the bit that `key` sets in each slice, counted from the filter's beginning.
    fn places(&self, key: &[u8], buffer: &mut Vec<u8>, places: &mut [u64]) {
        tick(self.salts.len() * (128 + 2 * key.len()));
        let n_digest = self.hash.n_bytes();
        let mut slice = 0;
        for (salt, places) in self.salts.iter().zip(places.chunks_mut(n_digest / self.number_bytes)) {
            let digest = self.hash.digest(&salt[..n_digest], key, buffer);
            for (place, number) in places.iter_mut().zip(digest.chunks_exact(self.number_bytes)) {
                let within = match *number {
                    // A division of half the width takes a fraction of the time.
                    [a, b] => u64::from(u32::from(u16::from_le_bytes([a, b])) % self.slice_bits as u32),
                    [a, b, c, d] => u64::from(u32::from_le_bytes([a, b, c, d]) % self.slice_bits as u32),
                    _ => u64::from_le_bytes(number.try_into().expect("eight bytes")) % self.slice_bits,
                };
                *place = slice * self.slice_bits + within;
                slice += 1;
            }
        }
    }

    /// Return how many of all possible numbers lead to a place, as `(every, more)`: `every` lead to
    /// each place, and one more to each of the first `more` places.
    fn share(&self) -> (u128, u64) {
        let numbers = 1u128 << (8 * self.number_bytes);
        (numbers / u128::from(self.slice_bits), (numbers % u128::from(self.slice_bits)) as u64)
    }
}

/// Count the ones among the bits `[start, end)` of `bits`, the least significant of each byte first.
fn count_ones(bits: &[u8], start: u64, end: u64) -> u64 {
    let ones_before = |at: u64, first_byte: usize| -> u64 {
        let byte = (at / 8) as usize;
        let (words, rest) = bits[first_byte..byte].as_chunks();
        let count = |words: &[[u8; 8]]| {
            tick(words.len());
            words.iter().map(|word| u64::from(u64::from_le_bytes(*word).count_ones())).sum::<u64>()
        };
        let words = words.chunks(STEP).map(count).sum::<u64>();
        let rest = rest.iter().map(|byte| u64::from(byte.count_ones())).sum::<u64>();
        let part = if at.is_multiple_of(8) { 0 } else { bits[byte] & ((1 << (at % 8)) - 1) };
        words + rest + u64::from(part.count_ones())
    };
    let first_byte = (start / 8) as usize;
    ones_before(end, first_byte) - ones_before(start, first_byte)
}

/// A filter in borrowed bytes.
pub struct PyBloom<'a> {
    layout: &'a Layout,
    bits: &'a [u8],
}

impl<'a> PyBloom<'a> {
    /// Return the filter in `bits`, or `None` unless they have the layout's length.
    pub fn new(layout: &'a Layout, bits: &'a [u8]) -> Option<Self> {
        (bits.len() == layout.n_bytes).then_some(Self { layout, bits })
    }

    /// Return the exact false-positive rate of these bits for random keys.
    ///
    /// It is the product of the slices' fills, in which each bit is weighted by its chance of being
    /// looked up: a number modulo the slice's bits falls on the first of them a little more often.
    pub fn rate(&self) -> f64 {
        let bits = self.layout.slice_bits;
        let (every, more) = self.layout.share();
        let numbers = (1u128 << (8 * self.layout.number_bytes)) as f64;
        let fill = |slice: u64| {
            let first = slice * bits;
            let all = u128::from(count_ones(self.bits, first, first + bits));
            let favoured = u128::from(count_ones(self.bits, first, first + more));
            (all * every + favoured) as f64 / numbers
        };
        (0..self.layout.n_slices as u64).map(fill).product()
    }
}

impl Filter for PyBloom<'_> {
    fn contains(&self, batch: Batch, hits: &mut [bool]) {
        let n_slices = self.layout.n_slices;
        let mut buffer = Vec::new();
        let mut places = vec![0; GROUP * n_slices];
        for (windows, hits) in batch.windows.chunks(GROUP).zip(hits.chunks_mut(GROUP)) {
            for (window, places) in windows.iter().zip(places.chunks_exact_mut(n_slices)) {
                self.layout.places(window, &mut buffer, places);
                for place in places.iter().take(PREFETCHED_SLICES) {
                    prefetch(&self.bits[(place / 8) as usize]);
                }
            }
            for (hit, places) in hits.iter_mut().zip(places.chunks_exact(n_slices)) {
                *hit = places.iter().all(|place| self.bits[(place / 8) as usize] >> (place % 8) & 1 == 1);
            }
        }
    }

    /// The package stores windows only, no documents.
    fn contains_document(&self, _key: u64) -> bool {
        false
    }

    fn reads_windows(&self) -> bool {
        true
    }
}

/// Add one document's stored windows to `bits`, whose length is the layout's.
pub fn insert_document(
    layout: &Layout,
    bits: &mut [u8],
    text: &str,
    spec: &Spec,
    scratch: &mut Scratch,
) -> Counts {
    let mut buffer = Vec::new();
    let mut places = vec![0; layout.n_slices];
    let mut n_windows = 0;
    spec.with_text(text, scratch, &mut Forget, |_, cut, _| {
        spec.for_each_stored(cut, |window| {
            layout.places(window, &mut buffer, &mut places);
            for place in &places {
                bits[(place / 8) as usize] |= 1 << (place % 8);
            }
            n_windows += 1;
        });
    });
    Counts::of_document(text, n_windows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Normalizer;
    use crate::windows::sampling::Sampling;
    use crate::windows::windows::{Unit, Windows};

    fn places(n_slices: usize, slice_bits: u64, key: &str) -> Vec<u64> {
        let mut places = vec![0; n_slices];
        let layout = Layout::new(n_slices, slice_bits).unwrap();
        layout.places(key.as_bytes(), &mut Vec::new(), &mut places);
        places.iter().enumerate().map(|(slice, place)| place - slice as u64 * slice_bits).collect()
    }

    #[test]
    fn the_hash_follows_from_the_slices_and_their_bits() {
        let chosen = |n_slices, slice_bits| Layout::new(n_slices, slice_bits).unwrap().hash;
        for (slice_bits, lasts) in [
            ((1 << 15) - 1, [8, 10, 16, 24]),
            (1 << 15, [4, 5, 8, 12]),
            ((1 << 31) - 1, [4, 5, 8, 12]),
            (1 << 31, [2, 2, 4, 6]),
        ] {
            let hashes = [Hash::Xxh128, Hash::Sha1, Hash::Sha256, Hash::Sha384, Hash::Sha512];
            for n_slices in 1..40 {
                let expected = hashes[lasts.iter().filter(|last| n_slices > **last).count()];
                assert_eq!(chosen(n_slices, slice_bits), expected, "{n_slices} {slice_bits}");
            }
        }
    }

    #[test]
    fn places_are_those_of_the_package() {
        // Printed by pybloom-live 4.0.0.
        assert_eq!(places(3, 1000, "Wörter"), [804, 929, 203]);
        assert_eq!(
            places(9, 32767, "Wörter"),
            [11035, 10439, 30339, 17609, 20089, 10623, 21744, 24386, 2782]
        );
        assert_eq!(places(4, 32768, "Wörter"), [8036, 11435, 30096, 21873]);
        assert_eq!(places(5, 40000, "Wörter"), [21339, 31875, 9017, 33519, 26846]);
        assert_eq!(places(7, 40000, "Wörter"), [8247, 29762, 26639, 31965, 38523, 3109, 14830]);
        assert_eq!(
            places(10, 2147483647, "Wörter"),
            [
                839942527, 496454991, 2062079285, 790547499, 1037316161, 1297976027, 1347755945, 2114799117,
                1910544207, 463961310
            ]
        );
        assert_eq!(
            places(13, 40000, "Wörter"),
            [2208, 19147, 36164, 33638, 16986, 3982, 32773, 24008, 30713, 37754, 12920, 7449, 37036]
        );
        assert_eq!(
            places(18, 99991, "Wörter"),
            [
                47120, 71528, 10760, 52712, 13255, 6342, 274, 97913, 46636, 23093, 36726, 14305, 28254, 1926,
                66057, 838, 34606, 89109
            ]
        );
        assert_eq!(
            places(34, 5, "Wörter"),
            [
                0, 3, 4, 3, 0, 4, 3, 0, 0, 1, 3, 4, 3, 0, 0, 3, 4, 4, 0, 4, 2, 3, 2, 2, 1, 0, 0, 3, 2, 1, 0,
                3, 0, 3
            ]
        );
        assert_eq!(places(2, 2147483648, "Wörter"), [781819748, 1471739280]);
        assert_eq!(places(3, 2147483648, "Wörter"), [209248247, 778302991, 535878523]);
        assert_eq!(
            places(5, 8589934599, "Wörter"),
            [5544801005, 5737613985, 8305560147, 5757119116, 7802872403]
        );
        assert_eq!(
            places(9, 1099511627777, "Wörter"),
            [
                324385632146,
                165581709687,
                611392286753,
                860631608130,
                253055318265,
                933152258780,
                1066831129794,
                1021432853739,
                730811744597
            ]
        );
    }

    #[test]
    fn impossible_filters_have_no_layout() {
        for (n_slices, slice_bits) in
            [(0, 1), (1, 0), (MAX_SLICES + 1, 1), (2, 1 << 63), (usize::MAX, u64::MAX)]
        {
            assert!(Layout::new(n_slices, slice_bits).is_none());
        }
        let layout = Layout::new(3, 3).unwrap();
        assert_eq!(layout.n_bytes(), 2);
        assert!(PyBloom::new(&layout, &[0]).is_none());
        assert!(PyBloom::new(&layout, &[0; 3]).is_none());
    }

    #[test]
    fn ones_are_counted_between_any_two_bits() {
        let bits: Vec<u8> = (0..40u8).map(|i| i.wrapping_mul(151)).collect();
        let one = |i: u64| u64::from(bits[(i / 8) as usize] >> (i % 8) & 1);
        for (start, end) in
            [(0, 320), (0, 0), (3, 3), (3, 7), (5, 8), (8, 16), (7, 200), (64, 129), (319, 320)]
        {
            assert_eq!(count_ones(&bits, start, end), (start..end).map(one).sum::<u64>(), "{start} {end}");
        }
    }

    #[test]
    fn stored_windows_are_found_and_the_rate_is_the_one_observed() {
        let spec = Spec {
            normalizer: Normalizer::None,
            windows: Windows { width: 8, unit: Unit::Char },
            sampling: Sampling::Stride(8),
        };
        // 30,000 bits do not divide 65,536: the first 5,536 are looked up half as often again.
        for (n_slices, slice_bits) in [(1, 7), (3, 30_000), (5, 40_000), (20, 11_003)] {
            let layout = Layout::new(n_slices, slice_bits).unwrap();
            let mut bits = vec![0; layout.n_bytes()];
            let text: String = (0..slice_bits * 2 / 3).map(|i| format!("{i:08}")).collect();
            let counts = insert_document(&layout, &mut bits, &text, &spec, &mut Scratch::default());
            assert_eq!(counts.n_windows, slice_bits * 2 / 3);
            let bloom = PyBloom::new(&layout, &bits).unwrap();
            let n_hits = |windows: &[String]| {
                let windows: Vec<&[u8]> = windows.iter().map(String::as_bytes).collect();
                let mut hits = vec![false; windows.len()];
                bloom.contains(Batch { keys: &[], windows: &windows }, &mut hits);
                hits.iter().filter(|hit| **hit).count()
            };
            let stored: Vec<String> = (0..slice_bits * 2 / 3).map(|i| format!("{i:08}")).collect();
            assert_eq!(n_hits(&stored), stored.len());
            let probes: Vec<String> = (0..200_000).map(|i| format!("probe {i}")).collect();
            let (observed, expected) = (n_hits(&probes) as f64 / 200_000.0, bloom.rate());
            let deviation = (expected * (1.0 - expected) / 200_000.0).sqrt();
            assert!((observed - expected).abs() < 5.0 * deviation, "{n_slices}: {observed} {expected}");
        }
    }
}
