//! Words: maximal runs of characters that are not White_Space.

use std::ops::Range;

use crate::normalize::Normalized;

const WORD: usize = 8;

/// Call `f` with the range of bytes, and that of characters, of each word.
pub fn for_words(text: &str, mut f: impl FnMut(Range<usize>, Range<usize>)) {
    let mut word = None;
    let mut n_chars = 0;
    for (at, c) in text.char_indices() {
        if !c.is_whitespace() {
            word = word.or(Some((at, n_chars)));
        } else if let Some((byte, char)) = word.take() {
            f(byte..at, char..n_chars);
        }
        n_chars += 1;
    }
    if let Some((byte, char)) = word {
        f(byte..text.len(), char..n_chars);
    }
}

/// The text's words with one U+0020 between them.
pub fn join<'a>(text: &str, joined: &'a mut Vec<u8>) -> Normalized<'a> {
    joined.clear();
    let mut n_chars = 0;
    for_words(text, |bytes, chars| {
        if n_chars > 0 {
            joined.push(b' ');
            n_chars += 1;
        }
        joined.extend_from_slice(&text.as_bytes()[bytes]);
        n_chars += chars.len();
    });
    Normalized { bytes: joined, n_chars }
}

/// How many words there are in a text whose words are joined by single spaces.
pub fn count_words(joined: &[u8]) -> usize {
    if joined.is_empty() {
        return 0;
    }
    // Sums of bytes over runs too short to overflow one: loops that compile to vector code.
    let spaces = |run: &[u8]| run.iter().map(|&byte| u8::from(byte == b' ')).sum::<u8>();
    1 + joined.chunks(u8::MAX as usize).map(|run| usize::from(spaces(run))).sum::<usize>()
}

/// The position of the `n`-th space (from 1) at or after `at`, or the end where there are fewer.
#[inline(always)]
pub fn find_space(joined: &[u8], mut at: usize, mut n: usize) -> usize {
    const LOW: u64 = 0x0101_0101_0101_0101;
    while let Some(word) = joined.get(at..at + WORD) {
        let other = u64::from_le_bytes(word.try_into().expect("a word")) ^ (LOW * 0x20);
        // The high bit of every byte that is zero; seven bits at a time, so that nothing carries.
        let mut spaces = !(((other & (LOW * 0x7F)) + LOW * 0x7F) | other) & (LOW * 0x80);
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
        fn words_are_what_white_space_parts(text in r"([ab]{0,9}|[ \t\u{3000}]{0,3}|[é天]{0,3}){0,9}") {
            let words: Vec<&str> = text.split_whitespace().collect();
            let mut joined = Vec::new();
            let normalized = join(&text, &mut joined);
            let expected = words.join(" ");
            prop_assert_eq!(normalized.text(), &expected);
            prop_assert_eq!(normalized.n_chars, expected.chars().count());
            prop_assert_eq!(count_words(&joined), words.len());
            let chars: Vec<char> = text.chars().collect();
            let mut found = Vec::new();
            for_words(&text, |bytes, range| {
                assert_eq!(text[bytes].chars().collect::<Vec<_>>(), chars[range.clone()]);
                found.push(chars[range].iter().collect::<String>());
            });
            prop_assert_eq!(found, words);
        }

        #[test]
        fn spaces_are_found_by_their_number(text in "[ab@]{0,20}( [ab]{0,9}){0,20}", at in 0usize..40, n in 1usize..20) {
            let bytes = text.as_bytes();
            let expected = (at..bytes.len()).filter(|i| bytes[*i] == b' ').nth(n - 1);
            prop_assert_eq!(find_space(bytes, at, n), expected.unwrap_or(bytes.len()));
        }
    }
}
