//! The extension module `portrait._native`: everything that uses PyO3.
//!
//! Every call releases the interpreter's lock while the kernel works, and lets it handle signals. Methods that several classes share
//! are written once, as macros: the buffer protocol in `buffers`, adding Arrow batches in `texts`.

#[macro_use]
mod buffers;
#[macro_use]
mod texts;
mod builders;
mod filter;
mod keys;
mod maps;
mod memory;
mod scan;
mod signals;
mod sketch;
mod windows;

#[pyo3::pymodule(name = "_native")]
mod module {
    #[pymodule_export]
    use super::builders::{PyBloomBits, PyPyBloomBits, build_ribbon, ribbon_partitions};
    #[pymodule_export]
    use super::filter::PyFilter;
    #[pymodule_export]
    use super::keys::PyKeys;
    #[pymodule_export]
    use super::maps::{PyMap, explain_bus_errors};
    #[pymodule_export]
    use super::memory::PyMemory;
    #[pymodule_export]
    use super::scan::{PyScan, PyScanner};
    #[pymodule_export]
    use super::sketch::PySketch;
    #[pymodule_export]
    use super::texts::RowError;
    #[pymodule_export]
    use super::windows::{PyWindows, unicode_version};
}
