//! The same with AVX2, eight orders at a time.
//!
//! What bounds it: three multiplications of eight lanes for eight units; the searches load each order
//! once or twice. Closures would not be compiled for AVX2, hence the plain loops.

#![allow(unsafe_code)]

use std::arch::x86_64::*;

use super::lanes::{Lanes, Portable};
use super::order::{END_BYTES, PRIMES};

/// Vector instructions. Whoever calls its functions has made sure that the processor has AVX2.
pub struct Avx2;

/// Orders in a vector.
const LANES: usize = 8;

/// Return the vector of the orders from `at` on.
#[inline(always)]
fn load(orders: &[u32], at: usize) -> __m256i {
    let vector: &[u32; LANES] = orders[at..at + LANES].try_into().expect("eight orders");
    // SAFETY: the pointer is to 32 readable bytes; the load needs no alignment.
    unsafe { _mm256_loadu_si256(vector.as_ptr().cast()) }
}

/// Return eight numbers of four bytes each that begin at the first eight of the bytes, and the eight
/// numbers that begin four bytes further.
#[inline(always)]
fn numbers(bytes: &[u8; 2 * LANES]) -> [__m256i; 2] {
    // SAFETY: the pointer is to 16 readable bytes; the caller has AVX2.
    unsafe {
        let twice = _mm256_broadcastsi128_si256(_mm_loadu_si128(bytes.as_ptr().cast()));
        let places = _mm256_setr_epi8(
            0, 1, 2, 3, 1, 2, 3, 4, 2, 3, 4, 5, 3, 4, 5, 6, 4, 5, 6, 7, 5, 6, 7, 8, 6, 7, 8, 9, 7, 8, 9, 10,
        );
        let further = _mm256_add_epi8(places, _mm256_set1_epi8(4));
        [_mm256_shuffle_epi8(twice, places), _mm256_shuffle_epi8(twice, further)]
    }
}

/// Mix two numbers into each of eight hashes, as `order::mix` does.
#[inline(always)]
fn mix(h: __m256i, [x, y]: [__m256i; 2], [p, q]: [u32; 2]) -> __m256i {
    // SAFETY: the caller has AVX2.
    unsafe {
        let h = times(_mm256_add_epi32(h, x), p);
        let h = _mm256_xor_si256(h, _mm256_srli_epi32(h, 15));
        let h = times(_mm256_add_epi32(h, y), q);
        _mm256_xor_si256(h, _mm256_srli_epi32(h, 13))
    }
}

#[inline(always)]
fn times(h: __m256i, factor: u32) -> __m256i {
    // SAFETY: the caller has AVX2.
    unsafe { _mm256_mullo_epi32(h, _mm256_set1_epi32(factor.cast_signed())) }
}

/// Return a bit for each lane, 1 where a vector of comparisons is true.
#[inline(always)]
fn bits(comparison: __m256i) -> u32 {
    // SAFETY: the caller has AVX2.
    unsafe { _mm256_movemask_ps(_mm256_castsi256_ps(comparison)) }.cast_unsigned()
}

/// Return a bit for each of the eight orders from `at` on, 1 where it is not below the bound.
#[inline(always)]
fn not_below(orders: &[u32], at: usize, bound: u32) -> u32 {
    let orders = load(orders, at);
    // There is no comparison of unsigned lanes: an order is not below if it is the greater one.
    // SAFETY: the caller has AVX2.
    unsafe {
        let bounds = _mm256_set1_epi32(bound.cast_signed());
        bits(_mm256_cmpeq_epi32(_mm256_max_epu32(orders, bounds), orders))
    }
}

impl Lanes for Avx2 {
    #[inline(always)]
    fn orders_of_bytes(symbols: &[u8], gram: usize, orders: &mut [u32]) {
        let [p, q, r, s, end] = PRIMES;
        let n = orders.len();
        let mut i = 0;
        while i + LANES <= n
            && let Some(first) = symbols.get(i..i + 2 * LANES)
            && let Some(last) = symbols.get(i + gram - END_BYTES..i + gram + LANES)
        {
            // SAFETY: the caller has AVX2.
            let mut h =
                mix(unsafe { _mm256_setzero_si256() }, numbers(first.try_into().expect("16")), [p, q]);
            if gram > END_BYTES {
                h = mix(h, numbers(last.try_into().expect("16")), [r, s]);
            }
            let out: &mut [u32; LANES] = (&mut orders[i..i + LANES]).try_into().expect("eight orders");
            // SAFETY: the pointer is to 32 writable bytes; the store needs no alignment.
            unsafe { _mm256_storeu_si256(out.as_mut_ptr().cast(), times(h, end)) };
            i += LANES;
        }
        Portable::orders_of_bytes(&symbols[i..], gram, &mut orders[i..]);
    }

    #[inline(always)]
    fn first_below(orders: &[u32], bound: u32) -> Option<usize> {
        let mut i = 0;
        while i + 2 * LANES <= orders.len() {
            let below =
                !(not_below(orders, i, bound) | not_below(orders, i + LANES, bound) << LANES) & 0xFFFF;
            if below != 0 {
                return Some(i + below.trailing_zeros() as usize);
            }
            i += 2 * LANES;
        }
        let n = orders.len();
        if n < LANES {
            return Portable::first_below(orders, bound);
        }
        // The last vectors overlap those before them, in which no order is below.
        for i in [i.min(n - LANES), n - LANES] {
            let below = !not_below(orders, i, bound) & 0xFF;
            if below != 0 {
                return Some(i + below.trailing_zeros() as usize);
            }
        }
        None
    }

    #[inline(always)]
    fn smallest(orders: &[u32]) -> usize {
        let n = orders.len();
        if n < LANES {
            return Portable::smallest(orders);
        }
        // The last vector overlaps the one before it.
        let mut least = load(orders, n - LANES);
        let mut at = 0;
        while at < n - LANES {
            // SAFETY: the caller has AVX2.
            least = unsafe { _mm256_min_epu32(least, load(orders, at)) };
            at += LANES;
        }
        // SAFETY: the caller has AVX2.
        let least = unsafe {
            let least = _mm256_min_epu32(least, _mm256_permute2x128_si256(least, least, 1));
            let least = _mm256_min_epu32(least, _mm256_shuffle_epi32(least, 0b0100_1110));
            _mm256_min_epu32(least, _mm256_shuffle_epi32(least, 0b1011_0001))
        };
        at = 0;
        while at < n - LANES {
            // SAFETY: the caller has AVX2.
            let equal = bits(unsafe { _mm256_cmpeq_epi32(least, load(orders, at)) });
            if equal != 0 {
                return at + equal.trailing_zeros() as usize;
            }
            at += LANES;
        }
        // SAFETY: the caller has AVX2.
        let equal = bits(unsafe { _mm256_cmpeq_epi32(least, load(orders, n - LANES)) });
        n - LANES + equal.trailing_zeros() as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[target_feature(enable = "avx2")]
    fn compiled(symbols: &[u8], gram: usize, orders: &mut [u32], bound: u32) -> (Option<usize>, usize) {
        Avx2::orders_of_bytes(symbols, gram, orders);
        (Avx2::first_below(orders, bound), Avx2::smallest(orders))
    }

    proptest! {
        #[test]
        fn the_results_are_those_of_plain_code(
            symbols in prop::collection::vec(prop_oneof![0u8..2, any::<u8>()], 8..200),
            gram in 8usize..40,
            bound: u32,
        ) {
            prop_assume!(symbols.len() >= gram);
            let mut expected = vec![0; symbols.len() + 1 - gram];
            Portable::orders_of_bytes(&symbols, gram, &mut expected);
            let bounds = [bound, bound >> 6, expected[0], expected[expected.len() / 2], u32::MAX];
            for bound in bounds.into_iter().filter(|_| is_x86_feature_detected!("avx2")) {
                let mut orders = vec![0; expected.len()];
                // SAFETY: the processor has AVX2.
                let places = unsafe { compiled(&symbols, gram, &mut orders, bound) };
                prop_assert_eq!(&orders, &expected);
                prop_assert_eq!(places, (Portable::first_below(&expected, bound), Portable::smallest(&expected)));
            }
        }
    }
}
