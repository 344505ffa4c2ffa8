//! What is random in the filter: the coefficients of a key's row, and the values of free slots.

use crate::filters::mix::mix;

/// Distinguishes the two halves of a row from each other, and both from free slots.
const SECOND_HALF: u64 = 0x9e37_79b9_7f4a_7c15;
const FREE: u64 = 0xd1b5_4a32_d192_ed03;

/// Return the coefficients of a key: bit i belongs to the i-th slot of its row, and bit 0 is 1.
#[inline(always)]
pub(super) fn coefficients(key: u64) -> u128 {
    u128::from(mix(key) | 1) | u128::from(mix(key ^ SECOND_HALF)) << 64
}

/// Return the values of a slot that no key determines: bit j is that of column j.
#[inline(always)]
pub(super) fn free_values(slot: usize) -> u64 {
    mix(slot as u64 ^ FREE)
}

#[cfg(test)]
mod tests {
    use super::super::layout::random_keys;
    use super::*;

    #[test]
    fn coefficients_are_random_but_for_the_first() {
        let keys = random_keys(1, 20_000);
        assert!(keys.iter().all(|&key| coefficients(key) & 1 == 1));
        for bit in 1..128 {
            let ones = keys.iter().filter(|&&key| coefficients(key) >> bit & 1 == 1).count();
            assert!(ones.abs_diff(keys.len() / 2) < 400, "{bit}: {ones}");
        }
        // Neighbours have nothing in common either.
        let differing: u32 =
            (0..1000).map(|key| (coefficients(key) ^ coefficients(key + 1)).count_ones()).sum();
        assert!(differing.abs_diff(63_500) < 1000, "{differing}");
    }

    #[test]
    fn values_of_free_slots_are_random() {
        for column in 0..32 {
            let ones = (0..20_000).filter(|&slot| free_values(slot) >> column & 1 == 1).count();
            assert!(ones.abs_diff(10_000) < 400, "{column}: {ones}");
        }
    }
}
