//! `Map`: a mapped file as a buffer, and `explain_bus_errors`.

#![allow(unsafe_code, reason = "Python passes a file by its descriptor")]

use std::fs::File;
use std::mem::ManuallyDrop;
use std::os::fd::{FromRawFd, RawFd};

use pyo3::prelude::*;

use super::buffers::{Exporter, Exports};
use crate::files::bus;
use crate::files::map::Map;

/// A file mapped into memory, read-only, without a file descriptor.
#[pyclass(frozen, module = "portrait._native", name = "Map")]
pub struct PyMap {
    map: Map,
    exports: Exports,
}

impl Exporter for PyMap {
    fn bytes(&self) -> &[u8] {
        self.map.bytes()
    }

    fn exports(&self) -> &Exports {
        &self.exports
    }
}

export_buffer!(PyMap);

#[pymethods]
impl PyMap {
    /// Map the first ``n_bytes`` of an open file, at least one.
    #[new]
    fn new(descriptor: RawFd, n_bytes: usize, sequential: bool, name: &[u8]) -> PyResult<Self> {
        // SAFETY: the caller's file is open for the time of this call, and is not closed here.
        let file = ManuallyDrop::new(unsafe { File::from_raw_fd(descriptor) });
        Ok(Self { map: Map::new(&file, n_bytes, sequential, name)?, exports: Exports::default() })
    }
}

/// Have SIGBUS from a file that is mapped later end the process with one line that names the file.
#[pyfunction]
pub fn explain_bus_errors(before: &[u8], after: &[u8]) -> PyResult<()> {
    Ok(bus::explain(before, after)?)
}
