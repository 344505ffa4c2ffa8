//! Texts from Python: columns in Arrow's memory layout, and the memory that calls reuse.

use std::cell::RefCell;

use pyo3::create_exception;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use super::buffers::View;
use super::signals::detached;
use crate::interrupt::or_undo;
use crate::text::normalized::Scratch;
use crate::windows::arrow::{Counts, RowError as BadRow, Texts};
use crate::windows::spec::Spec;

create_exception!(
    portrait._native,
    RowError,
    PyValueError,
    "A row of a batch without usable text: ``args`` is (row from 0, message)."
);

thread_local! {
    /// Reused by all calls of a thread, so that a short query allocates next to nothing.
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// Scratch memory above this size is freed after the call.
const KEPT_SCRATCH_BYTES: usize = 64 << 20;

/// Call `f` with this thread's scratch memory.
pub fn with_scratch<T>(f: impl FnOnce(&mut Scratch) -> T) -> T {
    SCRATCH.with(|scratch| {
        // A signal's handler may call the kernel while a call is at work.
        let Ok(mut scratch) = scratch.try_borrow_mut() else { return f(&mut Scratch::default()) };
        let shrink = |scratch: &mut Scratch| scratch.shrink_over(KEPT_SCRATCH_BYTES);
        let result = or_undo(&mut *scratch, f, shrink);
        shrink(&mut scratch);
        result
    })
}

/// [`Counts`] as Python gets them: documents, short documents, windows, bytes.
pub type PyCounts = (u64, u64, u64, u64);

/// Return counts as Python gets them.
pub fn counts_to_python(counts: Counts) -> PyCounts {
    (counts.n_documents, counts.n_short, counts.n_windows, counts.n_bytes)
}

/// The buffers and numbers of an Arrow column of texts.
pub struct Column {
    offsets: View,
    offset_bytes: usize,
    data: View,
    validity: Option<View>,
    first: usize,
    n_rows: usize,
}

impl Column {
    /// Take a column's buffers.
    pub fn new(
        offsets: &Bound<PyAny>,
        offset_bytes: usize,
        data: &Bound<PyAny>,
        validity: Option<&Bound<PyAny>>,
        first: usize,
        n_rows: usize,
    ) -> PyResult<Self> {
        if offset_bytes != 4 && offset_bytes != 8 {
            return Err(PyValueError::new_err("offsets are 4 or 8 bytes each"));
        }
        let (offsets, data) = (View::new(offsets)?, View::new(data)?);
        let validity = validity.map(View::new).transpose()?;
        Ok(Self { offsets, offset_bytes, data, validity, first, n_rows })
    }

    /// Add the texts to a collector, without the interpreter's lock.
    pub fn add_to(&self, py: Python, collector: &mut impl Collector, spec: &Spec) -> PyResult<PyCounts> {
        let texts = Texts {
            offsets: self.offsets.bytes(),
            offset_bytes: self.offset_bytes,
            data: self.data.bytes(),
            validity: self.validity.as_ref().map(View::bytes),
            first: self.first,
            n_rows: self.n_rows,
        };
        detached(py, || with_scratch(|scratch| collector.add_texts(&texts, spec, scratch)))?
            .map(counts_to_python)
            .map_err(|error| RowError::new_err((error.row, error.message)))
    }
}

/// A class that texts are added to; [`collect_batches`] adds the method.
pub trait Collector: Send {
    /// Add the stored windows of all texts.
    fn add_texts(&mut self, texts: &Texts, spec: &Spec, scratch: &mut Scratch) -> Result<Counts, BadRow>;
}

/// Give a [`Collector`] that is also an `Exporter` the method `add_batch`, with this docstring.
macro_rules! collect_batches {
    ($class:ident, $doc:literal) => {
        #[pyo3::pymethods]
        impl $class {
            #[doc = $doc]
            #[pyo3(signature = (windows, offsets, offset_bytes, data, validity, first, n_rows))]
            #[expect(clippy::too_many_arguments, reason = "an Arrow array is this many buffers and numbers")]
            fn add_batch(
                &mut self,
                py: pyo3::Python,
                windows: &$crate::python::windows::PyWindows,
                offsets: &pyo3::Bound<pyo3::PyAny>,
                offset_bytes: usize,
                data: &pyo3::Bound<pyo3::PyAny>,
                validity: Option<&pyo3::Bound<pyo3::PyAny>>,
                first: usize,
                n_rows: usize,
            ) -> pyo3::PyResult<$crate::python::texts::PyCounts> {
                $crate::python::buffers::Exporter::exports(self).check()?;
                $crate::python::texts::Column::new(offsets, offset_bytes, data, validity, first, n_rows)?
                    .add_to(py, self, &windows.0)
            }
        }
    };
}
