//! Python's buffer protocol: reading the memory of Python objects, and exporting the kernel's memory.

#![allow(unsafe_code, reason = "the buffer protocol passes raw pointers")]

use std::ffi::{c_int, c_void};
use std::sync::atomic::{AtomicUsize, Ordering};

use pyo3::buffer::PyUntypedBuffer;
use pyo3::exceptions::{PyBufferError, PyValueError};
use pyo3::ffi;
use pyo3::prelude::*;

/// A Python object's memory, which stays in place as long as this value lives.
pub struct View(PyUntypedBuffer);

impl View {
    /// Take the memory of an object with a contiguous buffer.
    pub fn new(object: &Bound<PyAny>) -> PyResult<Self> {
        let buffer = PyUntypedBuffer::get(object)?;
        if !buffer.is_c_contiguous() {
            return Err(PyBufferError::new_err("the buffer is not contiguous"));
        }
        Ok(Self(buffer))
    }

    /// Return the bytes.
    pub fn bytes(&self) -> &[u8] {
        let n_bytes = self.0.len_bytes();
        if n_bytes == 0 {
            return &[];
        }
        // SAFETY: the buffer is contiguous, and its exporter keeps it in place until the view is
        // released. Callers guarantee that nothing writes to it meanwhile: the library passes immutable
        // Arrow buffers, read-only maps, bytes, and kernel objects that do not change while exported.
        unsafe { std::slice::from_raw_parts(self.0.buf_ptr().cast(), n_bytes) }
    }

    /// Return the bytes as little-endian keys.
    pub fn keys(&self) -> PyResult<&[[u8; 8]]> {
        match self.bytes().as_chunks() {
            (keys, []) => Ok(keys),
            _ => Err(PyValueError::new_err("keys are 8 bytes each")),
        }
    }
}

/// Return the bytes of keys.
pub fn key_bytes(keys: &[u64]) -> &[u8] {
    // SAFETY: all bytes of a u64 are initialised, and a u64 has no padding.
    unsafe { std::slice::from_raw_parts(keys.as_ptr().cast(), size_of_val(keys)) }
}

/// The number of live buffers of an object; while there are any, the object does not change.
#[derive(Default)]
pub struct Exports(AtomicUsize);

impl Exports {
    /// Fail if the object must not change.
    pub fn check(&self) -> PyResult<()> {
        match self.0.load(Ordering::Acquire) {
            0 => Ok(()),
            _ => Err(PyBufferError::new_err("the object cannot change while its buffer is in use")),
        }
    }

    /// Count a buffer that was released.
    pub fn release(&self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// A class with a buffer; [`export_buffer`] adds the methods.
pub trait Exporter: pyo3::PyClass {
    /// Return the buffer's bytes, which neither move nor change while there are exports.
    fn bytes(&self) -> &[u8];

    /// Return the count of exports.
    fn exports(&self) -> &Exports;
}

/// Fill `view` with the bytes of `owner`, read-only, and count the export.
///
/// # Safety
/// `view` is the view that Python passed to `__getbuffer__`.
pub unsafe fn export<T: Exporter>(owner: &Bound<T>, view: *mut ffi::Py_buffer, flags: c_int) -> PyResult<()> {
    let exporter = owner.try_borrow()?;
    let bytes = exporter.bytes();
    let pointer = bytes.as_ptr().cast_mut().cast::<c_void>();
    let length = isize::try_from(bytes.len())?;
    // SAFETY: `view` comes from Python. The bytes belong to `owner`, which the view keeps alive; as an
    // `Exporter` promises, they neither move nor change until the view is released.
    let status = unsafe { ffi::PyBuffer_FillInfo(view, owner.as_ptr(), pointer, length, 1, flags) };
    if status != 0 {
        return Err(PyErr::fetch(owner.py()));
    }
    exporter.exports().0.fetch_add(1, Ordering::AcqRel);
    Ok(())
}

/// Give an [`Exporter`] Python's buffer protocol.
macro_rules! export_buffer {
    ($class:ident) => {
        #[allow(unsafe_code, reason = "the buffer protocol passes raw pointers")]
        #[allow(unsafe_op_in_unsafe_fn, reason = "PyO3 calls the methods from its own unsafe functions")]
        const _: () = {
            #[pyo3::pymethods]
            impl $class {
                unsafe fn __getbuffer__(
                    slf: pyo3::Bound<Self>,
                    view: *mut pyo3::ffi::Py_buffer,
                    flags: std::ffi::c_int,
                ) -> pyo3::PyResult<()> {
                    // SAFETY: Python passes the view.
                    unsafe { $crate::python::buffers::export(&slf, view, flags) }
                }

                unsafe fn __releasebuffer__(&self, _view: *mut pyo3::ffi::Py_buffer) {
                    $crate::python::buffers::Exporter::exports(self).release();
                }
            }
        };
    };
}
