//! Words: maximal runs of characters that are not White_Space.

use std::ops::Range;

use crate::interrupt::tick;
use crate::text::bytes::{WORD, count, equal};
use crate::text::normalized::Normalized;

/// Call `f` with each word's range of bytes and its range of characters.
pub fn for_words(text: Normalized, mut f: impl FnMut(Range<usize>, Range<usize>)) {
    let mut word = None;
    let mut n_chars = 0;
    let mut first = 0;
    for step in text.steps() {
        for (at, c) in step.char_indices() {
            let at = first + at;
            if !c.is_whitespace() {
                word = word.or(Some((at, n_chars)));
            } else if let Some((byte, char)) = word.take() {
                f(byte..at, char..n_chars);
            }
            n_chars += 1;
        }
        tick(step.len());
        first += step.len();
    }
    if let Some((byte, char)) = word {
        f(byte..text.bytes.len(), char..n_chars);
    }
}

/// Join the text's words with one U+0020 between them.
pub fn join<'a>(text: Normalized, joined: &'a mut Vec<u8>) -> Normalized<'a> {
    joined.clear();
    let mut n_chars = 0;
    for_words(text, |bytes, chars| {
        if n_chars > 0 {
            joined.push(b' ');
            n_chars += 1;
        }
        joined.extend_from_slice(&text.bytes[bytes]);
        n_chars += chars.len();
    });
    Normalized { bytes: joined, n_chars }
}

/// Return the number of words in a text whose words are joined by single spaces.
pub fn count_words(joined: &[u8]) -> usize {
    if joined.is_empty() { 0 } else { 1 + count(joined, |byte| byte == b' ') }
}

/// Return the position of the `n`-th space (from 1) at or after `at`, or the end if there are fewer.
#[inline(always)]
pub fn find_space(joined: &[u8], mut at: usize, mut n: usize) -> usize {
    while let Some(word) = joined.get(at..at + WORD) {
        let mut spaces = equal(u64::from_le_bytes(word.try_into().expect("a word")), b' ');
        let n_spaces = spaces.count_ones() as usize;
        if n_spaces < n {
            n -= n_spaces;
            at += WORD;
            continue;
        }
        for _ in 1..n {
            spaces &= spaces - 1;
        }
        return at + spaces.trailing_zeros() as usize / 8;
    }
    let rest = joined.get(at..).unwrap_or_default();
    let places = rest.iter().enumerate().filter(|(_, byte)| **byte == b' ');
    places.map(|(i, _)| at + i).nth(n - 1).unwrap_or(joined.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn words_are_separated_by_white_space(text in r"([ab]{0,9}|[ \t\u{3000}]{0,3}|[é天]{0,3}){0,9}") {
            let words: Vec<&str> = text.split_whitespace().collect();
            let mut joined = Vec::new();
            let normalized = join(Normalized::verbatim(&text), &mut joined);
            let expected = words.join(" ");
            prop_assert_eq!(normalized.bytes, expected.as_bytes());
            prop_assert_eq!(normalized.n_chars, expected.chars().count());
            prop_assert_eq!(count_words(&joined), words.len());
            let chars: Vec<char> = text.chars().collect();
            let mut listed = Vec::new();
            for_words(Normalized::verbatim(&text), |bytes, range| {
                assert_eq!(text[bytes].chars().collect::<Vec<_>>(), chars[range.clone()]);
                listed.push(chars[range].iter().collect::<String>());
            });
            prop_assert_eq!(listed, words);
        }

        #[test]
        fn spaces_are_found_by_their_number(text in "[ab@]{0,20}( [ab]{0,9}){0,20}", at in 0usize..40, n in 1usize..20) {
            let bytes = text.as_bytes();
            let expected = (at..bytes.len()).filter(|i| bytes[*i] == b' ').nth(n - 1);
            prop_assert_eq!(find_space(bytes, at, n), expected.unwrap_or(bytes.len()));
        }
    }
}
