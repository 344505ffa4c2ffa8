//! `Windows`: how texts become windows.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyList;

use super::signals::detached;
use super::texts::with_scratch;
use crate::interrupt::{STEP, tick};
use crate::text::origins::Origins;
use crate::text::{Normalizer, UNICODE_VERSION};
use crate::windows::sampling::Sampling;
use crate::windows::spec::Spec;
use crate::windows::windows::{Unit, Windows};

/// How texts become windows.
#[pyclass(frozen, module = "portrait._native", name = "Windows")]
pub struct PyWindows(pub Spec);

#[pymethods]
impl PyWindows {
    #[new]
    fn new(normalizer: &str, unit: &str, width: usize, stride: usize) -> PyResult<Self> {
        let unknown = |what: &str, name: &str| PyValueError::new_err(format!("unknown {what} {name:?}"));
        let normalizer =
            Normalizer::from_name(normalizer).ok_or_else(|| unknown("normalizer", normalizer))?;
        let unit = Unit::from_name(unit).ok_or_else(|| unknown("unit", unit))?;
        if width == 0 || stride == 0 {
            return Err(PyValueError::new_err("width and stride must be at least 1"));
        }
        Ok(Self(Spec { normalizer, windows: Windows { width, unit }, sampling: Sampling { stride } }))
    }

    /// Return the normalised text, and the origin [start, end) of each of its characters.
    fn normalize<'py>(&self, py: Python<'py>, text: &str) -> PyResult<(String, Bound<'py, PyList>)> {
        let (normalized, spans) = detached(py, || {
            with_scratch(|scratch| {
                let mut origins = Origins::default();
                let normalized = self.0.normalizer.apply(text, scratch, &mut origins);
                let origin = |i| {
                    tick(16);
                    origins.of(i)
                };
                let spans: Vec<_> = (0..normalized.n_chars).map(origin).collect();
                (normalized.steps().collect::<String>(), spans)
            })
        })?;
        // Objects of Python take a hundred times as long as the spans themselves.
        let origins = PyList::empty(py);
        for step in spans.chunks(STEP) {
            step.iter().try_for_each(|span| origins.append(*span))?;
            py.check_signals()?;
        }
        Ok((normalized, origins))
    }
}

/// Return the version of Unicode that the normalisers follow, as "major.minor.patch".
#[pyfunction]
pub fn unicode_version() -> String {
    let (major, minor, patch) = UNICODE_VERSION;
    format!("{major}.{minor}.{patch}")
}
