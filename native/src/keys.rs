//! Documents → the keys a portrait stores.

use crate::normalize::Scratch;
use crate::origins::Forget;
use crate::scan::Spec;
use crate::window::{document_key, window_key};

/// What a batch of documents amounted to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Documents, the empty ones too.
    pub n_documents: u64,
    /// Documents too short to store a window.
    pub n_short: u64,
    /// Stored windows.
    pub n_windows: u64,
    /// Bytes of UTF-8, as given.
    pub n_bytes: u64,
}

impl Counts {
    /// Of one document that stores `n_windows`.
    pub fn of_document(text: &str, n_windows: u64) -> Self {
        Self { n_documents: 1, n_short: u64::from(n_windows == 0), n_windows, n_bytes: text.len() as u64 }
    }
}

/// Why a row gave no keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowError {
    /// The row, from 0.
    pub row: usize,
    /// What is wrong with it.
    pub message: String,
}

/// A column of texts in Arrow's layout: `n_rows` + 1 offsets into `data`, and which rows are null.
pub struct Texts<'a> {
    /// The offsets, of `offset_bytes` bytes each.
    pub offsets: &'a [u8],
    /// 4 for Arrow's string and binary, 8 for their large kinds.
    pub offset_bytes: usize,
    /// The texts, end to end.
    pub data: &'a [u8],
    /// A bit per row, least significant first: 0 is null. Absent: none is.
    pub validity: Option<&'a [u8]>,
    /// The first row, as counted in `offsets` and `validity`.
    pub first: usize,
    /// How many rows.
    pub n_rows: usize,
}

impl<'a> Texts<'a> {
    fn offset(&self, i: usize) -> Option<usize> {
        let at = i.checked_mul(self.offset_bytes)?;
        let bytes = self.offsets.get(at..at.checked_add(self.offset_bytes)?)?;
        if self.offset_bytes == 8 {
            i64::from_le_bytes(bytes.try_into().ok()?).try_into().ok()
        } else {
            i32::from_le_bytes(bytes.try_into().ok()?).try_into().ok()
        }
    }

    /// The bytes of a row; `Ok(None)` where it is null.
    fn row(&self, row: usize) -> Result<Option<&'a [u8]>, RowError> {
        let broken = |what: &str| RowError { row, message: format!("broken Arrow array: {what}") };
        let i = self.first.checked_add(row).ok_or_else(|| broken("offset overflows"))?;
        if let Some(validity) = self.validity {
            let byte = validity.get(i / 8).ok_or_else(|| broken("validity is too short"))?;
            if byte >> (i % 8) & 1 == 0 {
                return Ok(None);
            }
        }
        let start = self.offset(i).ok_or_else(|| broken("offsets are too short or negative"))?;
        let end = self.offset(i + 1).ok_or_else(|| broken("offsets are too short or negative"))?;
        self.data.get(start..end).map(Some).ok_or_else(|| broken("text reaches outside the data"))
    }

    /// Call `f` with every row that is not null, and add up what it counts.
    pub fn for_each(&self, mut f: impl FnMut(&str) -> Counts) -> Result<Counts, RowError> {
        let mut total = Counts::default();
        for row in 0..self.n_rows {
            let Some(bytes) = self.row(row)? else { continue };
            let text = simdutf8::compat::from_utf8(bytes).map_err(|error| RowError {
                row,
                message: format!("not UTF-8 at byte {}", error.valid_up_to()),
            })?;
            let one = f(text);
            total.n_documents += one.n_documents;
            total.n_short += one.n_short;
            total.n_windows += one.n_windows;
            total.n_bytes += one.n_bytes;
        }
        Ok(total)
    }
}

/// Append the keys of one document; without its own key unless `documents`.
pub fn document_keys(
    text: &str,
    spec: &Spec,
    documents: bool,
    scratch: &mut Scratch,
    keys: &mut Vec<u64>,
) -> Counts {
    let before = keys.len();
    let n_windows = spec.with_text(text, scratch, &mut Forget, |normalized, cut, _| {
        keys.reserve(spec.windows.n_windows(spec.windows.unit.count(cut)) / spec.windows.stride + 3);
        spec.windows.stored(cut, |window| keys.push(window_key(window)));
        let n_windows = keys.len() - before;
        if documents {
            keys.push(document_key(normalized.bytes));
        }
        n_windows
    });
    Counts::of_document(text, n_windows as u64)
}

/// Append the keys of every row that is not null. On an error `keys` is as it was.
pub fn batch_keys(
    texts: &Texts,
    spec: &Spec,
    documents: bool,
    scratch: &mut Scratch,
    keys: &mut Vec<u64>,
) -> Result<Counts, RowError> {
    let before = keys.len();
    let counts = texts.for_each(|text| document_keys(text, spec, documents, scratch, keys));
    counts.inspect_err(|_| keys.truncate(before))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::normalize::Normalizer;
    use crate::window::{Unit, Windows};

    const SPEC: Spec =
        Spec { normalizer: Normalizer::Spaces, windows: Windows { width: 2, stride: 2, unit: Unit::Char } };

    fn batch(texts: &Texts) -> Result<(Counts, Vec<u64>), RowError> {
        let mut keys = vec![7];
        let counts = batch_keys(texts, &SPEC, true, &mut Scratch::default(), &mut keys);
        if counts.is_err() {
            assert_eq!(keys, [7]);
        }
        counts.map(|counts| (counts, keys.split_off(1)))
    }

    fn offsets(offsets: &[i32]) -> Vec<u8> {
        offsets.iter().flat_map(|offset| offset.to_le_bytes()).collect()
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
        batch_keys(&texts, &SPEC, false, &mut Scratch::default(), &mut windows).unwrap();
        assert_eq!(windows, [&one[..2], &one[..2]].concat());
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
