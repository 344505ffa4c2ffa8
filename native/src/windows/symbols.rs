//! The symbols of a text's units, and the orders of its t-grams: [`Grams`] for each unit.

use twox_hash::XxHash3_64;

use super::lanes::Lanes;
use super::minimizer::Grams;
use super::order::{char_symbol, orders_of_words};
use super::words::find_space;
use crate::text::bytes::WORD;

/// Grams of a text whose units are bytes: its symbols are the text itself.
pub struct ByteGrams<'a> {
    bytes: &'a [u8],
    gram: usize,
}

impl<'a> ByteGrams<'a> {
    /// Create the grams of `gram` bytes each.
    pub fn new(bytes: &'a [u8], gram: usize) -> Self {
        Self { bytes, gram }
    }
}

impl Grams for ByteGrams<'_> {
    #[inline(always)]
    fn next_orders<L: Lanes>(&mut self, orders: &mut [u32]) {
        L::orders_of_bytes(self.bytes, self.gram, orders);
        self.bytes = &self.bytes[orders.len()..];
    }
}

/// Symbols that were made and are still needed: grams overlap.
struct Symbols<T> {
    list: Vec<T>,
    /// Where in the list the next gram begins.
    first: usize,
}

impl<T: Copy + Default> Symbols<T> {
    fn new() -> Self {
        Self { list: Vec::new(), first: 0 }
    }

    /// Make room for the symbols of the next `n` units; return what is to be filled.
    fn make_room(&mut self, n: usize) -> &mut [T] {
        // So seldom that it takes less than a step a symbol.
        if 2 * self.first > self.list.len() {
            self.list.drain(..self.first);
            self.first = 0;
        }
        let from = self.list.len();
        self.list.resize(from + n, T::default());
        &mut self.list[from..]
    }

    /// Return how many symbols are missing for `n_grams` grams of `gram` units each.
    fn missing(&self, n_grams: usize, gram: usize) -> usize {
        n_grams + gram - 1 - (self.list.len() - self.first)
    }

    /// Return the symbols of the next `n_grams` grams, and go on behind them.
    fn take(&mut self, n_grams: usize) -> &[T] {
        let from = self.first;
        self.first += n_grams;
        &self.list[from..]
    }
}

/// Grams of a text in UTF-8 whose units are characters.
pub struct CharGrams<'a> {
    rest: &'a [u8],
    gram: usize,
    symbols: Symbols<u8>,
}

impl<'a> CharGrams<'a> {
    /// Create the grams of `gram` characters each; `text` is valid UTF-8.
    pub fn new(text: &'a [u8], gram: usize) -> Self {
        Self { rest: text, gram, symbols: Symbols::new() }
    }
}

impl Grams for CharGrams<'_> {
    #[inline(always)]
    fn next_orders<L: Lanes>(&mut self, orders: &mut [u32]) {
        let n = self.symbols.missing(orders.len(), self.gram);
        self.rest = char_symbols(self.rest, self.symbols.make_room(n));
        L::orders_of_bytes(self.symbols.take(orders.len()), self.gram, orders);
    }
}

/// Set `symbols` to those of the first characters of valid UTF-8; return the text behind them.
#[inline(always)]
fn char_symbols<'a>(text: &'a [u8], symbols: &mut [u8]) -> &'a [u8] {
    let mut at = 0;
    let mut n = 0;
    while n < symbols.len() {
        if text[at].is_ascii()
            && let (Some(word), Some(out)) = (text.get(at..at + WORD), symbols.get_mut(n..n + WORD))
            && word.is_ascii()
        {
            out.copy_from_slice(word);
            (at, n) = (at + WORD, n + WORD);
            continue;
        }
        // One check for all bytes of a character, except at the end of the text.
        let (code_point, n_bytes) = match text[at..].first_chunk::<4>() {
            Some(bytes) => decode(bytes),
            None => {
                let mut bytes = [0; 4];
                bytes[..text.len() - at].copy_from_slice(&text[at..]);
                decode(&bytes)
            }
        };
        symbols[n] = char_symbol(code_point);
        (at, n) = (at + n_bytes, n + 1);
    }
    &text[at..]
}

/// Return the code point of the character at the start of valid UTF-8, and its number of bytes.
#[inline(always)]
fn decode(bytes: &[u8; 4]) -> (u32, usize) {
    let [lead, b, c, d] = bytes.map(u32::from);
    let [b, c, d] = [b & 0x3F, c & 0x3F, d & 0x3F];
    match lead {
        ..0x80 => (lead, 1),
        0x80..0xE0 => ((lead & 0x1F) << 6 | b, 2),
        0xE0..0xF0 => ((lead & 0x0F) << 12 | b << 6 | c, 3),
        _ => ((lead & 0x07) << 18 | b << 12 | c << 6 | d, 4),
    }
}

/// Grams of a text whose units are words, joined by single spaces.
pub struct WordGrams<'a> {
    joined: &'a [u8],
    at: usize,
    gram: usize,
    symbols: Symbols<u32>,
}

impl<'a> WordGrams<'a> {
    /// Create the grams of `gram` words each.
    pub fn new(joined: &'a [u8], gram: usize) -> Self {
        Self { joined, at: 0, gram, symbols: Symbols::new() }
    }
}

impl Grams for WordGrams<'_> {
    #[inline(always)]
    fn next_orders<L: Lanes>(&mut self, orders: &mut [u32]) {
        let n = self.symbols.missing(orders.len(), self.gram);
        for symbol in self.symbols.make_room(n) {
            let end = find_space(self.joined, self.at, 1);
            // The lower half of the hash.
            *symbol = XxHash3_64::oneshot(&self.joined[self.at..end]) as u32;
            self.at = end + 1;
        }
        orders_of_words(self.symbols.take(orders.len()), self.gram, orders);
    }
}

#[cfg(test)]
mod tests {
    use super::super::lanes::Portable;
    use super::super::order::{order, orders_of_bytes};
    use super::*;
    use proptest::prelude::*;

    /// Return the orders of a text's `n` grams, made in parts of the given lengths.
    fn in_parts(grams: &mut impl Grams, n: usize, parts: &[usize]) -> Vec<u32> {
        let mut orders = Vec::new();
        for &part in parts.iter().cycle() {
            let from = orders.len();
            orders.resize((from + part).min(n), 0);
            grams.next_orders::<Portable>(&mut orders[from..]);
            if orders.len() == n {
                return orders;
            }
        }
        orders
    }

    proptest! {
        #[test]
        fn symbols_of_characters_are_those_of_their_code_points(
            text in r"([ -~]|[\u{80}-\u{2ff}]|[\u{4e00}-\u{4e10}]|[\u{1f600}-\u{1f610}]){8,80}",
            gram in 8usize..20,
            parts in prop::collection::vec(1usize..30, 1..4),
        ) {
            let symbols: Vec<u8> = text.chars().map(|c| char_symbol(c.into())).collect();
            prop_assume!(symbols.len() >= gram);
            let mut expected = vec![0; symbols.len() + 1 - gram];
            orders_of_bytes(&symbols, gram, &mut expected);
            let mut grams = CharGrams::new(text.as_bytes(), gram);
            prop_assert_eq!(in_parts(&mut grams, expected.len(), &parts), expected);
        }

        #[test]
        fn symbols_of_words_are_hashes(
            words in prop::collection::vec("[abé天]{1,12}", 2..60),
            gram in 2usize..9,
            parts in prop::collection::vec(1usize..30, 1..4),
        ) {
            prop_assume!(words.len() >= gram);
            let symbols: Vec<u32> = words.iter().map(|word| XxHash3_64::oneshot(word.as_bytes()) as u32).collect();
            let ends = |gram: &[u32]| {
                let last = [gram[gram.len() - 2], gram[gram.len() - 1]];
                order([gram[0], gram[1]], (gram.len() > 2).then_some(last))
            };
            let expected: Vec<u32> = symbols.windows(gram).map(ends).collect();
            let joined = words.join(" ");
            let mut grams = WordGrams::new(joined.as_bytes(), gram);
            prop_assert_eq!(in_parts(&mut grams, expected.len(), &parts), expected);
        }
    }
}
