//! Filters under construction: `BloomBits`, `PyBloomBits`, `build_ribbon`.

use pyo3::exceptions::{PyMemoryError, PyValueError};
use pyo3::prelude::*;

use super::buffers::{Exporter, Exports};
use super::keys::with_keys;
use super::memory::{PyMemory, zeroed};
use super::signals::detached;
use super::texts::Collector;
use crate::filters::bloom::{self, BLOCK_BYTES};
use crate::filters::{pybloom, ribbon};
use crate::text::normalized::Scratch;
use crate::windows::arrow::{Counts, RowError, Texts};
use crate::windows::spec::Spec;

/// A split-block Bloom filter under construction, or a range of its blocks.
#[pyclass(module = "portrait._native", name = "BloomBits")]
pub struct PyBloomBits {
    bytes: Vec<u8>,
    n_blocks: usize,
    first: usize,
    exports: Exports,
}

impl Exporter for PyBloomBits {
    fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn exports(&self) -> &Exports {
        &self.exports
    }
}

export_buffer!(PyBloomBits);

#[pymethods]
impl PyBloomBits {
    #[new]
    #[pyo3(signature = (n_blocks, first = 0, after = None))]
    fn new(py: Python, n_blocks: usize, first: usize, after: Option<usize>) -> PyResult<Self> {
        let after = after.unwrap_or(n_blocks);
        if first >= after || after > n_blocks {
            return Err(PyValueError::new_err(
                "the range must have at least one block and lie within the filter",
            ));
        }
        let too_large = || PyMemoryError::new_err(format!("not enough memory for {} blocks", after - first));
        let n_bytes = (after - first).checked_mul(BLOCK_BYTES).ok_or_else(too_large)?;
        Ok(Self { bytes: zeroed(py, n_bytes)?, n_blocks, first, exports: Exports::default() })
    }

    /// Add keys, from a `Keys` or any buffer of little-endian 64-bit numbers. A signal may leave some of
    /// them out.
    fn insert(&mut self, py: Python, keys: &Bound<PyAny>) -> PyResult<()> {
        self.exports.check()?;
        let (n_blocks, first, bytes) = (self.n_blocks, self.first, &mut self.bytes);
        let outside = || PyValueError::new_err("a key belongs to a block outside this range");
        with_keys(py, keys, |keys| detached(py, || bloom::insert(bytes, keys, first, n_blocks)))??
            .then_some(())
            .ok_or_else(outside)
    }
}

/// A pybloom-live filter under construction.
#[pyclass(module = "portrait._native", name = "PyBloomBits")]
pub struct PyPyBloomBits {
    layout: pybloom::Layout,
    bits: Vec<u8>,
    exports: Exports,
}

impl Exporter for PyPyBloomBits {
    fn bytes(&self) -> &[u8] {
        &self.bits
    }

    fn exports(&self) -> &Exports {
        &self.exports
    }
}

export_buffer!(PyPyBloomBits);

impl Collector for PyPyBloomBits {
    fn add_texts(&mut self, texts: &Texts, spec: &Spec, scratch: &mut Scratch) -> Result<Counts, RowError> {
        let (layout, bits) = (&self.layout, &mut self.bits);
        texts.for_each(|text| pybloom::insert_document(layout, bits, text, spec, scratch))
    }
}

collect_batches!(PyPyBloomBits, "Add the stored windows of an Arrow column's rows that are not null.");

#[pymethods]
impl PyPyBloomBits {
    #[new]
    fn new(py: Python, n_slices: usize, slice_bits: u64) -> PyResult<Self> {
        let layout = pybloom_layout(n_slices, slice_bits)?;
        let bits = zeroed(py, layout.n_bytes())?;
        Ok(Self { layout, bits, exports: Exports::default() })
    }
}

/// Return the layout of a pybloom-live filter.
pub fn pybloom_layout(n_slices: usize, slice_bits: u64) -> PyResult<pybloom::Layout> {
    pybloom::Layout::new(n_slices, slice_bits).ok_or_else(|| {
        PyValueError::new_err(format!("{n_slices} slices of {slice_bits} bits do not make a filter"))
    })
}

/// Build a ribbon filter of sorted and unique keys, or its partitions `first` to `after` − 1.
///
/// Return its columns and its table.
#[pyfunction]
#[pyo3(signature = (keys, n_columns, n_partitions, first = 0, after = None))]
pub fn build_ribbon(
    py: Python,
    keys: &Bound<PyAny>,
    n_columns: u32,
    n_partitions: usize,
    first: usize,
    after: Option<usize>,
) -> PyResult<(PyMemory, PyMemory)> {
    let partitions = first..after.unwrap_or(n_partitions);
    let fits = !partitions.is_empty() && partitions.end <= n_partitions;
    if !(1..=ribbon::MAX_COLUMNS).contains(&n_columns) || !fits {
        return Err(PyValueError::new_err("the number of columns or the partitions are out of range"));
    }
    let built = with_keys(py, keys, |keys| {
        detached(py, || ribbon::build(keys, n_columns, n_partitions, partitions))
    })??;
    let built = built.map_err(|error| PyValueError::new_err(error.to_string()))?;
    Ok((PyMemory::of_bytes(built.columns), PyMemory::of_bytes(built.table)))
}

/// Return the number of partitions of a ribbon filter of `n_keys` keys.
#[pyfunction]
pub fn ribbon_partitions(n_keys: u64) -> u64 {
    ribbon::n_partitions(n_keys)
}
