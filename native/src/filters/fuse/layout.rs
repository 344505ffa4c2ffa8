//! Where a key's slots are, and which fingerprint it has.

/// Slots of a key.
pub(super) const ARITY: usize = 4;
/// Numbers in a partition's row of the table: seed, log2 of the segment length, segments, first byte
/// (counted through all partitions of the filter), and four zeros that fill a cache line.
pub const ROW: usize = 8;
/// Bytes after a partition's last fingerprint, so that eight bytes can be read at any slot.
pub const PADDING: usize = 8;
/// The largest number of bits in a fingerprint.
pub const MAX_BITS: u32 = 32;
/// If there are several partitions, each has from this many keys to twice as many.
const PARTITION_KEYS: u64 = 1 << 20;
/// Three segment offsets must fit the 43 bits of a hash that do not choose the first slot.
pub(super) const MAX_SEGMENT_BITS: u32 = 14;

/// Return the number of partitions for `n_keys` keys, a power of two.
pub fn n_partitions(n_keys: u64) -> u64 {
    match n_keys / PARTITION_KEYS {
        0 => 1,
        n => 1 << n.ilog2(),
    }
}

/// Return the partition of a key.
#[inline(always)]
pub fn partition_of(key: u64, n_partitions: usize) -> usize {
    ((u128::from(key) * n_partitions as u128) >> 64) as usize
}

/// Mix a key with a seed.
#[inline(always)]
pub(super) fn mix(key: u64, seed: u64) -> u64 {
    crate::filters::mix::mix(key ^ seed)
}

/// Return the fingerprint of a mixed key.
#[inline(always)]
pub(super) fn fingerprint(h: u64, n_bits: u32) -> u32 {
    ((h ^ (h >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - n_bits)) as u32
}

/// Where a partition's keys are placed: `n_segments` segments of 2^`segment_bits` slots for the first
/// slot of a key, and three more segments for its other slots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) segment_bits: u32,
    pub(super) n_segments: u64,
}

impl Layout {
    /// Return a layout of about `n_slots` slots, with at least one segment for the first slot.
    pub(super) fn of_slots(segment_bits: u32, n_slots: u64) -> Self {
        let n_all = n_slots.div_ceil(1 << segment_bits);
        Self { segment_bits, n_segments: n_all.saturating_sub(ARITY as u64 - 1).max(1) }
    }

    /// Return the layout in a row of an untrusted table, or `None` if no builder would write it.
    pub(super) fn checked(segment_bits: u64, n_segments: u64) -> Option<Self> {
        let sensible = segment_bits <= u64::from(MAX_SEGMENT_BITS) && (1..1 << 32).contains(&n_segments);
        sensible.then_some(Self { segment_bits: segment_bits as u32, n_segments })
    }

    /// Return the number of slots.
    pub(super) fn n_slots(&self) -> u64 {
        (self.n_segments + ARITY as u64 - 1) << self.segment_bits
    }

    /// Return the number of bytes of the partition's fingerprints: whole words, so that every partition
    /// begins at a word, and the padding.
    pub(super) fn n_bytes(&self, n_bits: u32) -> u64 {
        (self.n_slots() * u64::from(n_bits)).div_ceil(64) * 8 + PADDING as u64
    }

    /// Return the four slots of a mixed key.
    #[inline(always)]
    pub(super) fn slots(&self, h: u64) -> [usize; ARITY] {
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

/// Return about `n` keys for tests, sorted and unique.
#[cfg(test)]
pub(super) fn random_keys(seed: u64, n: usize) -> Vec<u64> {
    let mut keys: Vec<u64> = (0..n as u64).map(|i| mix(i, mix(seed, 1))).collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_lie_in_neighbouring_segments() {
        for (segment_bits, n_slots) in [(0, 1), (1, 8), (6, 1000), (MAX_SEGMENT_BITS, 1 << 20)] {
            let layout = Layout::of_slots(segment_bits, n_slots);
            assert_eq!(Layout::checked(u64::from(segment_bits), layout.n_segments), Some(layout));
            for h in random_keys(3, 1000).into_iter().chain([0, u64::MAX]) {
                let slots = layout.slots(h);
                assert!(slots.iter().all(|&slot| (slot as u64) < layout.n_slots()));
                let segments = slots.map(|slot| slot >> segment_bits);
                assert_eq!(segments, [0, 1, 2, 3].map(|i| segments[0] + i));
            }
        }
    }

    #[test]
    fn partitions_are_a_power_of_two_of_a_million_keys_or_more() {
        for (n_keys, expected) in
            [(0, 1), (PARTITION_KEYS * 2 - 1, 1), (PARTITION_KEYS * 2, 2), (PARTITION_KEYS * 9, 8)]
        {
            assert_eq!(n_partitions(n_keys), expected);
        }
        assert_eq!([0, u64::MAX / 2, u64::MAX].map(|key| partition_of(key, 8)), [0, 3, 7]);
    }
}
