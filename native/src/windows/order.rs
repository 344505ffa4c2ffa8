//! The order of t-grams: which of a context's groups of consecutive units is the smallest.
//!
//! It is a 32-bit hash of a gram's first and last symbols, made of 32-bit multiplications, shifts and
//! exclusive ors only, so that vector units, NumPy and JavaScript compute it alike.

/// What the hash multiplies by: odd numbers, the primes of XXH32.
pub const PRIMES: [u32; 5] = [0x9E37_79B1, 0x85EB_CA77, 0xC2B2_AE3D, 0x27D4_EB2F, 0x1656_67B1];

/// Bytes of symbols that a hash reads at each end of a gram.
pub const END_BYTES: usize = 8;
/// Words that a hash reads at each end of a gram.
pub const END_WORDS: usize = 2;

/// Mix two numbers into a hash.
#[inline(always)]
fn mix(h: u32, [x, y]: [u32; 2], [p, q]: [u32; 2]) -> u32 {
    let h = h.wrapping_add(x).wrapping_mul(p);
    let h = (h ^ (h >> 15)).wrapping_add(y).wrapping_mul(q);
    h ^ (h >> 13)
}

/// Return the order of a gram by the symbols at its two ends, or at its one end if they are the same.
#[inline(always)]
pub fn order(first: [u32; 2], last: Option<[u32; 2]>) -> u32 {
    let [p, q, r, s, end] = PRIMES;
    let h = mix(0, first, [p, q]);
    let h = last.map_or(h, |last| mix(h, last, [r, s]));
    h.wrapping_mul(end)
}

/// Return the symbol of a character: itself if it is ASCII, otherwise 128 and seven hashed bits.
#[inline(always)]
pub fn char_symbol(code_point: u32) -> u8 {
    if code_point < 0x80 { code_point as u8 } else { 0x80 | (code_point.wrapping_mul(PRIMES[0]) >> 25) as u8 }
}

/// Return the eight symbols at `at` as two numbers, the first symbol least significant.
#[inline(always)]
fn end_at(symbols: &[u8], at: usize) -> [u32; 2] {
    let end = u64::from_le_bytes(symbols[at..at + END_BYTES].try_into().expect("eight bytes"));
    [end as u32, (end >> 32) as u32]
}

/// Set `orders` to those of the grams of `gram` bytes at 0, 1, 2 …
#[inline(always)]
pub fn orders_of_bytes(symbols: &[u8], gram: usize, orders: &mut [u32]) {
    if gram == END_BYTES {
        for (i, out) in orders.iter_mut().enumerate() {
            *out = order(end_at(symbols, i), None);
        }
    } else {
        for (i, out) in orders.iter_mut().enumerate() {
            *out = order(end_at(symbols, i), Some(end_at(symbols, i + gram - END_BYTES)));
        }
    }
}

/// Set `orders` to those of the grams of `gram` words at 0, 1, 2 …
pub fn orders_of_words(symbols: &[u32], gram: usize, orders: &mut [u32]) {
    for (i, out) in orders.iter_mut().enumerate() {
        let last = (gram > END_WORDS).then(|| [symbols[i + gram - 2], symbols[i + gram - 1]]);
        *out = order([symbols[i], symbols[i + 1]], last);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbols_of_characters_are_bytes() {
        assert_eq!(char_symbol(u32::from('a')), b'a');
        assert_eq!(char_symbol(0x7F), 0x7F);
        assert!((0x80..0x3000).map(char_symbol).all(|symbol| symbol >= 0x80));
    }

    #[test]
    fn the_order_of_bytes_is_that_of_their_ends() {
        let symbols = b"abcdefghijklmnop";
        let [a, b] = [b"abcd", b"efgh"].map(|part| u32::from_le_bytes(*part));
        let mut orders = [0; 2];
        orders_of_bytes(symbols, 8, &mut orders[..1]);
        assert_eq!(orders[0], order([a, b], None));
        orders_of_bytes(symbols, 9, &mut orders);
        let [c, d] = [b"bcde", b"fghi"].map(|part| u32::from_le_bytes(*part));
        assert_eq!(orders[0], order([a, b], Some([c, d])));
    }
}
