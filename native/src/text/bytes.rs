//! Arithmetic on bytes of UTF-8, eight at a time.

use crate::interrupt::{STEP, tick};

/// Bytes in a machine word.
pub const WORD: usize = 8;
/// The low bit of every byte of a word.
pub const LOW: u64 = 0x0101_0101_0101_0101;
/// The high bit of every byte of a word.
pub const HIGH: u64 = 0x8080_8080_8080_8080;

/// Return the number of ASCII bytes at the start of `bytes`.
pub fn ascii_prefix(bytes: &[u8]) -> usize {
    let mut n = 0;
    for word in bytes.chunks_exact(WORD) {
        let high = u64::from_le_bytes(word.try_into().expect("a word")) & HIGH;
        if high != 0 {
            return n + (high.trailing_zeros() / 8) as usize;
        }
        n += WORD;
    }
    n + bytes[n..].iter().take_while(|byte| byte.is_ascii()).count()
}

/// Return the high bit of every byte of an ASCII word that lies in `[first, last]`.
#[inline(always)]
pub fn between(word: u64, first: u64, last: u64) -> u64 {
    // No byte exceeds 0x7F, so none of the sums carries into its neighbour.
    (word + LOW * (0x80 - first)) & !(word + LOW * (0x7F - last)) & HIGH
}

/// Return the high bit of every byte of a word that equals `byte`.
#[inline(always)]
pub fn equal(word: u64, byte: u8) -> u64 {
    let other = word ^ (LOW * u64::from(byte));
    // A byte is zero if neither its lower seven bits nor its high bit are set; adding to seven bits
    // carries into the eighth at most.
    !(((other & (LOW * 0x7F)) + LOW * 0x7F) | other) & HIGH
}

/// Whether a byte of valid UTF-8 begins a character.
#[inline(always)]
pub fn is_char_start(byte: u8) -> bool {
    byte & 0xC0 != 0x80
}

/// Return the end of a step at the start of valid UTF-8: [`STEP`] bytes or a few less, as whole characters.
pub fn step_end(bytes: &[u8]) -> usize {
    let mut end = bytes.len().min(STEP);
    while bytes.get(end).is_some_and(|&byte| !is_char_start(byte)) {
        end -= 1;
    }
    end
}

/// Cut a text in two, the first part being a step.
pub fn split_step(text: &str) -> (&str, &str) {
    text.split_at(step_end(text.as_bytes()))
}

/// Return the number of characters in valid UTF-8.
pub fn count_chars(bytes: &[u8]) -> usize {
    let is_ascii = bytes.chunks(STEP).all(|step| {
        tick(step.len() / 16);
        step.is_ascii()
    });
    if is_ascii { bytes.len() } else { count(bytes, is_char_start) }
}

/// Return the number of bytes that `is_counted` accepts.
#[inline(always)]
pub fn count(bytes: &[u8], is_counted: impl Fn(u8) -> bool) -> usize {
    // Each sum of a run fits a byte, so the loop compiles to vector code.
    let count_run = |run: &[u8]| run.iter().map(|&byte| u8::from(is_counted(byte))).sum::<u8>();
    let mut n = 0;
    for step in bytes.chunks(u8::MAX as usize * (STEP / 256)) {
        n += step.chunks(u8::MAX as usize).map(|run| usize::from(count_run(run))).sum::<usize>();
        tick(step.len() / 8);
    }
    n
}

/// Return the position `n_chars` characters after `at`, both on character boundaries.
#[inline(always)]
pub fn advance(bytes: &[u8], mut at: usize, mut n_chars: usize) -> usize {
    if n_chars == 0 {
        return at;
    }
    while let Some(word) = bytes.get(at + 1..at + 1 + WORD) {
        let word = u64::from_le_bytes(word.try_into().expect("a word"));
        // Continuation bytes are 0b10xx_xxxx; all others begin a character.
        let mut starts = (!(word >> 7) | (word >> 6)) & LOW;
        // The sum of all bytes, in the highest one.
        let n_starts = (starts.wrapping_mul(LOW) >> 56) as usize;
        if n_starts >= n_chars {
            for _ in 1..n_chars {
                starts &= starts - 1;
            }
            return at + 1 + starts.trailing_zeros() as usize / 8;
        }
        n_chars -= n_starts;
        at += WORD;
    }
    while n_chars > 0 {
        at += 1;
        if at == bytes.len() || is_char_start(bytes[at]) {
            n_chars -= 1;
        }
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn texts_are_cut_between_characters() {
        let text = format!("a{}", "\u{5929}".repeat(STEP));
        let (mut n_parts, mut joined, mut rest) = (0, String::new(), &text[..]);
        while !rest.is_empty() {
            let (part, after) = split_step(rest);
            assert!(part.len() <= STEP && (after.is_empty() || part.len() > STEP - 4));
            joined.push_str(part);
            (n_parts, rest) = (n_parts + 1, after);
        }
        assert_eq!((n_parts, joined), (4, text));
    }

    proptest! {
        #[test]
        fn ascii_prefixes_and_characters_are_counted(text in r"[ -~]{0,20}(é|天|[ -~]){0,300}") {
            let bytes = text.as_bytes();
            prop_assert_eq!(ascii_prefix(bytes), bytes.iter().take_while(|byte| byte.is_ascii()).count());
            prop_assert_eq!(count_chars(bytes), text.chars().count());
            for (n_chars, (at, _)) in text.char_indices().enumerate() {
                prop_assert_eq!(advance(bytes, 0, n_chars), at);
            }
            prop_assert_eq!(advance(bytes, 0, text.chars().count()), bytes.len());
        }

        #[test]
        fn bytes_of_a_word_are_compared_one_by_one(bytes: [u8; WORD], byte: u8, first in 0u8..128, last in 0u8..128) {
            let marked = |is_marked: &dyn Fn(u8) -> bool, bytes: [u8; WORD]| {
                u64::from_le_bytes(bytes.map(|byte| u8::from(is_marked(byte)) << 7))
            };
            prop_assert_eq!(equal(u64::from_le_bytes(bytes), byte), marked(&|other| other == byte, bytes));
            let ascii = bytes.map(|byte| byte & 0x7F);
            let (first, last) = (first.min(last), first.max(last));
            prop_assert_eq!(
                between(u64::from_le_bytes(ascii), first.into(), last.into()),
                marked(&|other| (first..=last).contains(&other), ascii)
            );
        }
    }
}
