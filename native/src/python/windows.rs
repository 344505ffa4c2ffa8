//! `Windows`: how texts become windows.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyList;

use super::signals::detached;
use super::texts::with_scratch;
use crate::interrupt::{STEP, tick};
use crate::text::normalized::Normalized;
use crate::text::origins::{Forget, Origins};
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
    fn new(normalizer: &str, unit: &str, width: usize, sampling: &str, gap: usize) -> PyResult<Self> {
        let unknown = |what: &str, name: &str| PyValueError::new_err(format!("unknown {what} {name:?}"));
        let normalizer =
            Normalizer::from_name(normalizer).ok_or_else(|| unknown("normalizer", normalizer))?;
        let unit = Unit::from_name(unit).ok_or_else(|| unknown("unit", unit))?;
        if width == 0 || gap == 0 {
            return Err(PyValueError::new_err("width and gap must be at least 1"));
        }
        let sampling = Sampling::from_name(sampling, gap).ok_or_else(|| unknown("sampling", sampling))?;
        let least = sampling.least_width(unit);
        if width < least {
            return Err(PyValueError::new_err(format!("width must be at least {least}")));
        }
        Ok(Self(Spec { normalizer, windows: Windows { width, unit }, sampling }))
    }

    /// Return the units of the normalised text at which the windows begin that a question asks.
    fn asked(&self, py: Python, text: &str) -> PyResult<Vec<usize>> {
        self.offsets(py, text, |spec, cut, f| spec.sampling.for_each_asked(&spec.windows, cut, |at, _| f(at)))
    }

    /// Return the units of the normalised text at which the windows begin that a document stores.
    fn stored(&self, py: Python, text: &str) -> PyResult<Vec<usize>> {
        self.offsets(py, text, |spec, cut, f| {
            spec.sampling.for_each_stored(&spec.windows, cut, |at, _| f(at))
        })
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

impl PyWindows {
    /// Return the offsets that `for_each` calls its function with.
    fn offsets(
        &self,
        py: Python,
        text: &str,
        for_each: impl Fn(&Spec, Normalized, &mut dyn FnMut(usize)) + Sync,
    ) -> PyResult<Vec<usize>> {
        detached(py, || {
            with_scratch(|scratch| {
                let mut offsets = Vec::new();
                let add = &mut |at| offsets.push(at);
                self.0.with_text(text, scratch, &mut Forget, |_, cut, _| for_each(&self.0, cut, add));
                offsets
            })
        })
    }
}

/// Return the version of Unicode that the normalisers follow, as "major.minor.patch".
#[pyfunction]
pub fn unicode_version() -> String {
    let (major, minor, patch) = UNICODE_VERSION;
    format!("{major}.{minor}.{patch}")
}
