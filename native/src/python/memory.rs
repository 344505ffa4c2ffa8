//! `Memory`: bytes that the kernel has computed, as a buffer.

use pyo3::exceptions::PyMemoryError;
use pyo3::prelude::*;

use super::buffers::{Exporter, Exports, key_bytes};
use super::signals::detached;
use crate::interrupt::extend_with_zeros;

/// Memory that the kernel has filled; it never changes.
#[pyclass(frozen, module = "portrait._native", name = "Memory")]
pub struct PyMemory {
    contents: Contents,
    exports: Exports,
}

enum Contents {
    Bytes(Vec<u8>),
    Keys(Vec<u64>),
}

impl PyMemory {
    /// Take bytes.
    pub fn of_bytes(bytes: Vec<u8>) -> Self {
        Self { contents: Contents::Bytes(bytes), exports: Exports::default() }
    }

    /// Take keys.
    pub fn of_keys(keys: Vec<u64>) -> Self {
        Self { contents: Contents::Keys(keys), exports: Exports::default() }
    }
}

impl Exporter for PyMemory {
    fn bytes(&self) -> &[u8] {
        match &self.contents {
            Contents::Bytes(bytes) => bytes,
            Contents::Keys(keys) => key_bytes(keys),
        }
    }

    fn exports(&self) -> &Exports {
        &self.exports
    }
}

export_buffer!(PyMemory);

/// Allocate zeroed memory for a filter, or fail if there is not enough.
pub fn zeroed(py: Python, n_bytes: usize) -> PyResult<Vec<u8>> {
    let mut bytes = Vec::new();
    let too_large = |_| PyMemoryError::new_err(format!("not enough memory for a filter of {n_bytes} bytes"));
    bytes.try_reserve_exact(n_bytes).map_err(too_large)?;
    detached(py, || {
        extend_with_zeros(&mut bytes, n_bytes);
        bytes
    })
}
