//! `Sketch`: the smallest keys, from which the number of distinct keys is estimated.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use super::keys::with_keys;
use super::signals::detached;
use crate::windows::sketch::Sketch;

/// The ``k`` smallest distinct keys, from which the number of all distinct keys is estimated.
#[pyclass(module = "portrait._native", name = "Sketch")]
pub struct PySketch(Sketch);

#[pymethods]
impl PySketch {
    #[new]
    fn new(k: usize) -> PyResult<Self> {
        if k == 0 {
            return Err(PyValueError::new_err("a sketch must have room for at least one key"));
        }
        Ok(Self(Sketch::new(k)))
    }

    /// Add keys, in any order, any number of times.
    fn add(&mut self, py: Python, keys: &Bound<PyAny>) -> PyResult<()> {
        let sketch = &mut self.0;
        with_keys(py, keys, |keys| detached(py, || sketch.add(keys)))?
    }

    /// Return the smallest keys in ascending order, little-endian; fewer than ``k`` if there are fewer.
    fn smallest<'py>(&mut self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let sketch = &mut self.0;
        let bytes: Vec<u8> =
            detached(py, || sketch.smallest().iter().flat_map(|key| key.to_le_bytes()).collect())?;
        Ok(PyBytes::new(py, &bytes))
    }
}
