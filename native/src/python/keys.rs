//! `Keys`: a growing list of 64-bit keys.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use super::buffers::{Exporter, Exports, View, key_bytes};
use super::memory::PyMemory;
use super::texts::{Collector, PyCounts, counts_to_python, with_scratch};
use super::windows::PyWindows;
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
        let (keys, documents) = (&mut self.keys, self.documents);
        let counts =
            py.detach(|| with_scratch(|scratch| document_keys(text, &windows.0, documents, scratch, keys)));
        Ok(counts_to_python(counts))
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
        py.detach(|| sort::sort_unique(&mut self.keys));
        Ok(self.keys.len())
    }

    /// Append the keys of a buffer that are in `first` to `last`; return how many there are.
    #[pyo3(signature = (keys, first = 0, last = u64::MAX))]
    fn extend(&mut self, py: Python, keys: &Bound<PyAny>, first: u64, last: u64) -> PyResult<usize> {
        self.exports.check()?;
        let view = View::new(keys)?;
        let added = view.keys()?;
        let before = self.keys.len();
        let own = &mut self.keys;
        py.detach(|| {
            if (first, last) == (0, u64::MAX) {
                own.extend(added);
            } else {
                own.extend(added.filter(|key| (first..=last).contains(key)));
            }
        });
        Ok(self.keys.len() - before)
    }

    /// Return the keys ordered by partition, and the size of each partition.
    fn partitioned(&self, py: Python, n_partitions: usize) -> PyResult<(PyMemory, Vec<usize>)> {
        if n_partitions == 0 {
            return Err(PyValueError::new_err("there must be at least one partition"));
        }
        let (keys, counts) = py.detach(|| sort::partitioned(&self.keys, n_partitions));
        Ok((PyMemory::of_keys(keys), counts))
    }
}

/// Call `f` with the keys of a `Keys` or of any buffer of little-endian 64-bit numbers.
pub fn with_keys<T>(keys: &Bound<PyAny>, f: impl FnOnce(&[u64]) -> T) -> PyResult<T> {
    match keys.cast::<PyKeys>() {
        Ok(keys) => Ok(f(&keys.try_borrow()?.keys)),
        Err(_) => Ok(f(&View::new(keys)?.keys()?.collect::<Vec<u64>>())),
    }
}
