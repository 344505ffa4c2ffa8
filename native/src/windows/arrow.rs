//! Texts in Arrow's memory layout, read from unchecked buffers.

use std::ops::AddAssign;

use crate::interrupt::tick;

/// What a batch of documents consists of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Documents, including empty ones.
    pub n_documents: u64,
    /// Documents too short to store a window.
    pub n_short: u64,
    /// Stored windows.
    pub n_windows: u64,
    /// Bytes of UTF-8, before normalising.
    pub n_bytes: u64,
}

impl Counts {
    /// Count one document that stores `n_windows`.
    pub fn of_document(text: &str, n_windows: u64) -> Self {
        Self { n_documents: 1, n_short: u64::from(n_windows == 0), n_windows, n_bytes: text.len() as u64 }
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.n_documents += other.n_documents;
        self.n_short += other.n_short;
        self.n_windows += other.n_windows;
        self.n_bytes += other.n_bytes;
    }
}

/// A row without usable text.
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
    /// A bit per row, least significant first: 0 is null. If absent, no row is.
    pub validity: Option<&'a [u8]>,
    /// The index of the first row in `offsets` and `validity`.
    pub first: usize,
    /// The number of rows.
    pub n_rows: usize,
}

impl<'a> Texts<'a> {
    /// Return offset `i`, or `None` if there is none or it is negative.
    fn offset(&self, i: usize) -> Option<usize> {
        let at = i.checked_mul(self.offset_bytes)?;
        let bytes = self.offsets.get(at..at.checked_add(self.offset_bytes)?)?;
        if self.offset_bytes == 8 {
            i64::from_le_bytes(bytes.try_into().ok()?).try_into().ok()
        } else {
            i32::from_le_bytes(bytes.try_into().ok()?).try_into().ok()
        }
    }

    /// Return the bytes of a row, or `None` if it is null.
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

    /// Call `f` with every row that is not null, and add up its counts.
    pub fn for_each(&self, mut f: impl FnMut(&str) -> Counts) -> Result<Counts, RowError> {
        let mut total = Counts::default();
        for row in 0..self.n_rows {
            let Some(bytes) = self.row(row)? else { continue };
            let text = simdutf8::compat::from_utf8(bytes).map_err(|error| RowError {
                row,
                message: format!("not UTF-8 at byte {}", error.valid_up_to()),
            })?;
            total += f(text);
            tick(16 + bytes.len() / 4);
        }
        Ok(total)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(texts: &Texts) -> Result<Vec<String>, RowError> {
        let mut rows = Vec::new();
        let counts = texts.for_each(|text| {
            rows.push(text.to_owned());
            Counts::of_document(text, text.len() as u64)
        })?;
        assert_eq!(counts.n_documents, rows.len() as u64);
        Ok(rows)
    }

    fn texts<'a>(offsets: &'a [u8], offset_bytes: usize, data: &'a [u8]) -> Texts<'a> {
        let n_rows = offsets.len() / offset_bytes - 1;
        Texts { offsets, offset_bytes, data, validity: None, first: 0, n_rows }
    }

    fn narrow(offsets: &[i32]) -> Vec<u8> {
        offsets.iter().flat_map(|offset| offset.to_le_bytes()).collect()
    }

    fn wide(offsets: &[i64]) -> Vec<u8> {
        offsets.iter().flat_map(|offset| offset.to_le_bytes()).collect()
    }

    #[test]
    fn offsets_of_both_widths_are_read() {
        assert_eq!(rows(&texts(&narrow(&[1, 3, 3, 5]), 4, b"xabcd")).unwrap(), ["ab", "", "cd"]);
        assert_eq!(rows(&texts(&wide(&[1, 3, 3, 5]), 8, b"xabcd")).unwrap(), ["ab", "", "cd"]);
        for outside in [i64::MIN, -1, 6, 1 << 40, i64::MAX] {
            assert_eq!(rows(&texts(&wide(&[0, 1, outside]), 8, b"xabcd")).unwrap_err().row, 1);
        }
    }

    #[test]
    fn slices_and_nulls_are_honoured() {
        let offsets = narrow(&[0, 2, 5, 5, 9]);
        let all = texts(&offsets, 4, b"xxabc abc");
        let slice = Texts { validity: Some(&[0b1010]), first: 1, n_rows: 3, ..all };
        assert_eq!(rows(&slice).unwrap(), ["abc", " abc"]);
    }
}
