//! `Scanner` and `Scan`: filters, and their answer to a text.

use pyo3::exceptions::PyIndexError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use super::filter::{PyFilter, bytes_of_hits};
use super::signals::detached;
use super::texts::with_scratch;
use super::windows::PyWindows;
use crate::filters::filter::Filter;
use crate::scan::chains::{Approximate, Chain, LayerScan};
use crate::scan::scan::{Scan, hits, scan};
use crate::windows::spec::Spec;

/// The answer of several filters to a text.
#[pyclass(frozen, module = "portrait._native", name = "Scan")]
pub struct PyScan(Scan);

/// A chain as Python gets it: first and last window, windows, distinct windows, start, end.
type PyChain = (usize, usize, usize, usize, usize, usize);
/// A stretch as Python gets it: first and last window, windows, hits, score, start, end.
type PyStretch = (usize, usize, usize, usize, f64, usize, usize);
/// A layer as Python gets it.
type PyLayer = (usize, bool, usize, usize, Option<PyStretch>);

fn layer_to_python(layer: &LayerScan) -> PyLayer {
    let most = |n: fn(&Chain) -> usize| layer.chains.iter().map(n).max().unwrap_or(0);
    let longest = most(|chain| chain.n_windows);
    let stretch = |at: Approximate| (at.window, at.last, at.n_windows, at.n_hits, at.score, at.start, at.end);
    let stretch = layer.approximate.map(stretch);
    (layer.n_hits, layer.document, longest, most(|chain| chain.n_distinct), stretch)
}

#[pymethods]
impl PyScan {
    /// The normalised text's length in units.
    #[getter]
    fn n_units(&self) -> usize {
        self.0.n_units
    }

    /// The number of windows that were looked up.
    #[getter]
    fn n_windows(&self) -> usize {
        self.0.n_windows
    }

    /// Return for each filter: hits, whether the text is a document, windows of the longest chain, the
    /// largest number of distinct windows in a chain, and the stretch most like a copy with edits: (first
    /// window, last window, windows, hits, score, start, end).
    fn layers(&self) -> Vec<PyLayer> {
        self.0.layers.iter().map(layer_to_python).collect()
    }

    /// Return a filter's chains of at least ``min_distinct`` distinct windows: (first window, last window,
    /// windows, distinct windows, start, end).
    fn chains(&self, layer: usize, min_distinct: usize) -> PyResult<Vec<PyChain>> {
        let missing = || PyIndexError::new_err(format!("there is no layer {layer}"));
        let layer = self.0.layers.get(layer).ok_or_else(missing)?;
        let chains = layer.chains.iter().filter(|chain| chain.n_distinct >= min_distinct);
        let to_python = |at: &Chain| (at.window, at.last, at.n_windows, at.n_distinct, at.start, at.end);
        Ok(chains.map(to_python).collect())
    }
}

/// A scanner that looks up the asked windows of a text in several filters in one pass.
#[pyclass(frozen, module = "portrait._native", name = "Scanner")]
pub struct PyScanner {
    spec: Spec,
    filters: Vec<(Py<PyFilter>, f64)>,
}

impl PyScanner {
    /// Call `f` with the filters, each with its false-positive rate.
    fn with_filters<T>(&self, f: impl FnOnce(&[(&dyn Filter, f64)]) -> T) -> T {
        let lent: Vec<(Box<dyn Filter>, f64)> =
            self.filters.iter().map(|(filter, rate)| (filter.get().lend(), *rate)).collect();
        let filters: Vec<(&dyn Filter, f64)> = lent.iter().map(|(filter, rate)| (&**filter, *rate)).collect();
        f(&filters)
    }
}

#[pymethods]
impl PyScanner {
    /// Each filter comes with its false-positive rate.
    #[new]
    fn new(windows: &PyWindows, filters: Vec<(Py<PyFilter>, f64)>) -> Self {
        Self { spec: windows.0, filters }
    }

    /// Return the answer of the filters to a text.
    fn scan(&self, py: Python, text: &str) -> PyResult<PyScan> {
        detached(py, || {
            self.with_filters(|filters| with_scratch(|scratch| scan(text, &self.spec, filters, scratch)))
        })
        .map(PyScan)
    }

    /// Return for each filter one byte per asked window: 1 if the filter contains it.
    fn hits<'py>(&self, py: Python<'py>, text: &str) -> PyResult<Vec<Bound<'py, PyBytes>>> {
        let all = detached(py, || {
            self.with_filters(|filters| with_scratch(|scratch| hits(text, &self.spec, filters, scratch)))
        })?;
        Ok(all.into_iter().map(|hits| PyBytes::new(py, &bytes_of_hits(hits))).collect())
    }
}
