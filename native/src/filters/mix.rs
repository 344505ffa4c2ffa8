//! Mixing: every bit of the result depends on every bit of the number.

/// Mix a number by the finaliser of MurmurHash3, which maps no two numbers to the same one.
#[inline(always)]
pub fn mix(number: u64) -> u64 {
    let mut h = number;
    h ^= h >> 33;
    h = h.wrapping_mul(0xff51_afd7_ed55_8ccd);
    h ^= h >> 33;
    h = h.wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    h ^ (h >> 33)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_mixed_as_documented() {
        assert_eq!(mix(0), 0);
        assert_eq!(mix(1), 0xb456_bcfc_34c2_cb2c);
    }
}
