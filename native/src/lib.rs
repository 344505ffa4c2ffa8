//! The kernel of Portrait: text, windows, keys, filters, and mapped files. No network, no policy.
//!
//! Modules use only those above them in this list:
//!
//! - [`interrupt`]: lets long work end early.
//! - [`text`]: normalises text and maps the result back to the original.
//! - [`windows`]: cuts normalised text into windows, and hashes, sorts and counts their keys.
//! - [`filters`]: approximate sets of windows.
//! - [`scan`]: looks all windows of a text up in filters and joins the hits into chains.
//! - [`files`]: maps files into memory.
//! - `fuzzing`: promises to be kept for any input; for tests and the feature `fuzzing` only.
//! - `python`: the extension module `portrait._native`, compiled with the feature `python` only.

#![deny(unsafe_code)]

pub mod files;
pub mod filters;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
pub mod interrupt;
#[cfg(feature = "python")]
mod python;
pub mod scan;
pub mod text;
pub mod windows;
