//! Windows and documents → 64-bit keys.

use std::hash::Hasher;

use twox_hash::XxHash3_64;

use super::arrow::{Counts, RowError, Texts};
use super::sampling::Sampling;
use super::spec::Spec;
use crate::interrupt::{or_undo, tick};
use crate::text::normalized::Scratch;
use crate::text::origins::Forget;

/// Return the key of a window: XXH3-64 of its bytes, seed 0.
#[inline(always)]
pub fn window_key(window: &[u8]) -> u64 {
    // At the default width in ASCII text, a length that the compiler knows saves a third.
    match <&[u8; 50]>::try_from(window) {
        Ok(window) => XxHash3_64::oneshot(window),
        Err(_) => hash_of_any_length(window),
    }
}

/// Kept out of line; otherwise the compiler merges both cases into the general one.
#[inline(never)]
fn hash_of_any_length(bytes: &[u8]) -> u64 {
    XxHash3_64::oneshot(bytes)
}

/// Return the key of a whole document: XXH3-64 of its normalised text, seed 1.
pub fn document_key(text: &[u8]) -> u64 {
    /// Bytes that are hashed in about a millisecond.
    const PART: usize = 1 << 24;
    if text.len() <= PART {
        return XxHash3_64::oneshot_with_seed(1, text);
    }
    let mut hasher = XxHash3_64::with_seed(1);
    for part in text.chunks(PART) {
        hasher.write(part);
        tick(PART / 8);
    }
    hasher.finish()
}

/// Which documents store a key of their whole text.
///
/// The key of a short text gives it away to whoever guesses it, so the shortest documents are a case of
/// their own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DocumentKeys {
    /// No document.
    None,
    /// Documents of a window or more.
    #[default]
    Long,
    /// All documents, however short.
    All,
}

impl DocumentKeys {
    /// Return whether a document with this number of stored windows stores a key of its own.
    pub fn include(self, n_windows: usize) -> bool {
        match self {
            Self::None => false,
            Self::Long => n_windows > 0,
            Self::All => true,
        }
    }
}

/// Append the keys of one document's stored windows, and its own key if it is one of `documents`.
pub fn document_keys(
    text: &str,
    spec: &Spec,
    documents: DocumentKeys,
    scratch: &mut Scratch,
    keys: &mut Vec<u64>,
) -> Counts {
    let n_windows = spec.with_text(text, scratch, &mut Forget, |normalized, cut, _| {
        let n_windows = spec.windows.count(spec.windows.unit.count(cut));
        keys.reserve(spec.sampling.expected_stored(&spec.windows, n_windows) + 1);
        let before = keys.len();
        let n_windows = match spec.sampling {
            Sampling::Stride(_) => {
                spec.for_each_stored(cut, |window| keys.push(window_key(window)));
                keys.len() - before
            }
            // Content that repeats may choose all of its windows, which are the same one.
            Sampling::Minimizer(_) => {
                let mut n_windows = 0;
                spec.for_each_stored(cut, |window| {
                    let key = window_key(window);
                    if keys.last() != Some(&key) {
                        keys.push(key);
                    }
                    n_windows += 1;
                });
                n_windows
            }
        };
        if documents.include(n_windows) {
            keys.push(document_key(normalized.bytes));
        }
        n_windows
    });
    Counts::of_document(text, n_windows as u64)
}

/// Append the keys of every row that is not null; on an error, or if that is interrupted, `keys` stays
/// unchanged.
pub fn batch_keys(
    texts: &Texts,
    spec: &Spec,
    documents: DocumentKeys,
    scratch: &mut Scratch,
    keys: &mut Vec<u64>,
) -> Result<Counts, RowError> {
    let before = keys.len();
    let add =
        |keys: &mut Vec<u64>| texts.for_each(|text| document_keys(text, spec, documents, scratch, keys));
    let counts = or_undo(keys, add, |keys| keys.truncate(before));
    counts.inspect_err(|_| keys.truncate(before))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Normalizer;
    use crate::windows::windows::{Unit, Windows};

    const SPEC: Spec = Spec {
        normalizer: Normalizer::Spaces,
        windows: Windows { width: 2, unit: Unit::Char },
        sampling: Sampling::Stride(2),
    };

    fn batch(texts: &Texts) -> Result<(Counts, Vec<u64>), RowError> {
        let mut keys = vec![7];
        let counts = batch_keys(texts, &SPEC, DocumentKeys::All, &mut Scratch::default(), &mut keys);
        if counts.is_err() {
            assert_eq!(keys, [7]);
        }
        counts.map(|counts| (counts, keys.split_off(1)))
    }

    fn offsets(offsets: &[i32]) -> Vec<u8> {
        offsets.iter().flat_map(|offset| offset.to_le_bytes()).collect()
    }

    #[test]
    fn window_keys_are_the_published_hash() {
        // XXH3-64 of the empty input with seed 0, from the reference implementation's own tests.
        assert_eq!(window_key(b""), 0x2D06_8005_38D3_94C2);
        assert_ne!(document_key(b"a"), window_key(b"a"));
    }

    #[test]
    fn slices_and_nulls_of_an_arrow_array_are_honoured() {
        let offsets = offsets(&[0, 2, 5, 5, 9]);
        let texts = Texts {
            offsets: &offsets,
            offset_bytes: 4,
            data: b"xxabc abc",
            validity: Some(&[0b1010]),
            first: 1,
            n_rows: 3,
        };
        let (counts, keys) = batch(&texts).unwrap();
        assert_eq!(counts, Counts { n_documents: 2, n_short: 0, n_windows: 4, n_bytes: 7 });
        let one = [window_key(b"ab"), window_key(b"bc"), document_key(b"abc")];
        assert_eq!(keys, [one, one].concat());

        let mut windows = Vec::new();
        batch_keys(&texts, &SPEC, DocumentKeys::None, &mut Scratch::default(), &mut windows).unwrap();
        assert_eq!(windows, [&one[..2], &one[..2]].concat());
    }

    #[test]
    fn a_document_shorter_than_a_window_has_a_key_only_if_asked_for() {
        let stored = |text: &str, documents: DocumentKeys| {
            let mut keys = Vec::new();
            document_keys(text, &SPEC, documents, &mut Scratch::default(), &mut keys);
            keys
        };
        for short in ["", "a", " a "] {
            assert_eq!(stored(short, DocumentKeys::None), Vec::<u64>::new());
            assert_eq!(stored(short, DocumentKeys::Long), Vec::<u64>::new());
            assert_eq!(stored(short, DocumentKeys::All), [document_key(short.trim().as_bytes())]);
        }
        let (window, document) = (window_key(b"ab"), document_key(b"ab"));
        assert_eq!(stored("ab", DocumentKeys::None), [window]);
        assert_eq!(stored("ab", DocumentKeys::Long), [window, document]);
        assert_eq!(stored("ab", DocumentKeys::All), [window, document]);
    }

    #[test]
    fn bad_rows_are_named_and_leave_no_keys() {
        let good = offsets(&[0, 3, 6]);
        let texts = Texts {
            offsets: &good,
            offset_bytes: 4,
            data: b"abcab\xff",
            validity: None,
            first: 0,
            n_rows: 2,
        };
        assert_eq!(batch(&texts).unwrap_err(), RowError { row: 1, message: "not UTF-8 at byte 2".into() });
        for (bad, n_rows) in [([0, 3, 7], 2), ([0, 3, 2], 2), ([0, -1, 2], 2), ([0, 3, 6], 3)] {
            let bad = offsets(&bad);
            let texts = Texts { offsets: &bad, data: b"abcabc", n_rows, ..texts };
            assert!(batch(&texts).unwrap_err().message.starts_with("broken Arrow array"));
        }
        let texts = Texts { validity: Some(&[]), ..texts };
        assert!(batch(&texts).unwrap_err().message.contains("validity"));
    }
}
