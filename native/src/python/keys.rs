//! `Keys`: a growing list of 64-bit keys.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use super::buffers::{Exporter, Exports, View, key_bytes};
use super::memory::PyMemory;
use super::signals::detached;
use super::texts::{Collector, PyCounts, counts_to_python, with_scratch};
use super::windows::PyWindows;
use crate::interrupt::{STEP, tick};
use crate::text::normalized::Scratch;
use crate::windows::arrow::{Counts, RowError, Texts};
use crate::windows::keys::{DocumentKeys, batch_keys, document_keys};
use crate::windows::sort;
use crate::windows::spec::Spec;

/// A growing list of 64-bit keys; its buffer is little-endian.
#[pyclass(module = "portrait._native", name = "Keys")]
pub struct PyKeys {
    keys: Vec<u64>,
    documents: DocumentKeys,
    exports: Exports,
}

impl Exporter for PyKeys {
    fn bytes(&self) -> &[u8] {
        key_bytes(&self.keys)
    }

    fn exports(&self) -> &Exports {
        &self.exports
    }
}

export_buffer!(PyKeys);

impl Collector for PyKeys {
    fn add_texts(&mut self, texts: &Texts, spec: &Spec, scratch: &mut Scratch) -> Result<Counts, RowError> {
        batch_keys(texts, spec, self.documents, scratch, &mut self.keys)
    }
}

collect_batches!(PyKeys, "Append the keys of an Arrow column's rows that are not null.");

#[pymethods]
impl PyKeys {
    #[new]
    #[pyo3(signature = (*, documents = "long"))]
    fn new(documents: &str) -> PyResult<Self> {
        let documents = match documents {
            "none" => DocumentKeys::None,
            "long" => DocumentKeys::Long,
            "all" => DocumentKeys::All,
            other => {
                return Err(PyValueError::new_err(format!(
                    "documents must be none, long or all, not {other:?}"
                )));
            }
        };
        Ok(Self { keys: Vec::new(), documents, exports: Exports::default() })
    }

    fn __len__(&self) -> usize {
        self.keys.len()
    }

    /// Append one document's keys.
    fn add_text(&mut self, py: Python, windows: &PyWindows, text: &str) -> PyResult<PyCounts> {
        self.exports.check()?;
        let documents = self.documents;
        self.append(|keys| {
            detached(py, || with_scratch(|scratch| document_keys(text, &windows.0, documents, scratch, keys)))
        })
        .map(counts_to_python)
    }

    /// Remove all keys, keeping the memory.
    fn clear(&mut self) -> PyResult<()> {
        self.exports.check()?;
        self.keys.clear();
        Ok(())
    }

    /// Sort the keys and drop duplicates; return how many are left.
    fn sort_unique(&mut self, py: Python) -> PyResult<usize> {
        self.exports.check()?;
        detached(py, || sort::sort_unique(&mut self.keys))?;
        Ok(self.keys.len())
    }

    /// Append the keys of a buffer that are in `first` to `last`; return how many there are.
    #[pyo3(signature = (keys, first = 0, last = u64::MAX))]
    fn extend(&mut self, py: Python, keys: &Bound<PyAny>, first: u64, last: u64) -> PyResult<usize> {
        self.exports.check()?;
        let view = View::new(keys)?;
        let added = view.keys()?;
        let before = self.keys.len();
        self.append(|own| {
            detached(py, || {
                for step in added.chunks(STEP) {
                    let step = step.iter().map(|key| u64::from_le_bytes(*key));
                    if (first, last) == (0, u64::MAX) {
                        own.extend(step);
                    } else {
                        own.extend(step.filter(|key| (first..=last).contains(key)));
                    }
                    tick(STEP);
                }
            })
        })?;
        Ok(self.keys.len() - before)
    }

    /// Return the keys ordered by partition, and the size of each partition.
    fn partitioned(&self, py: Python, n_partitions: usize) -> PyResult<(PyMemory, Vec<usize>)> {
        if n_partitions == 0 {
            return Err(PyValueError::new_err("there must be at least one partition"));
        }
        let (keys, counts) = detached(py, || sort::partitioned(&self.keys, n_partitions))?;
        Ok((PyMemory::of_keys(keys), counts))
    }
}

impl PyKeys {
    /// Append keys, all or, if that fails, none.
    fn append<T>(&mut self, add: impl FnOnce(&mut Vec<u64>) -> PyResult<T>) -> PyResult<T> {
        let before = self.keys.len();
        add(&mut self.keys).inspect_err(|_| self.keys.truncate(before))
    }
}

/// Call `f` with the keys of a `Keys` or of any buffer of little-endian 64-bit numbers.
pub fn with_keys<T>(py: Python, keys: &Bound<PyAny>, f: impl FnOnce(&[u64]) -> T) -> PyResult<T> {
    if let Ok(keys) = keys.cast::<PyKeys>() {
        return Ok(f(&keys.try_borrow()?.keys));
    }
    let view = View::new(keys)?;
    Ok(f(&copied(py, view.keys()?)?))
}

/// Return keys of a buffer, which need not be aligned as numbers are.
pub fn copied(py: Python, keys: &[[u8; 8]]) -> PyResult<Vec<u64>> {
    detached(py, || {
        let mut copy = Vec::with_capacity(keys.len());
        for step in keys.chunks(STEP) {
            copy.extend(step.iter().map(|key| u64::from_le_bytes(*key)));
            tick(STEP);
        }
        copy
    })
}
