//! Normalised text → windows → 64-bit keys, and lists of keys.
//!
//! What bounds it: hashing, XXH3 of a window's bytes; its length is known at compile time for the
//! default width. Where a window of wide characters or of words begins is found eight bytes at a time.

pub mod arrow;
#[cfg(target_arch = "x86_64")]
mod avx2;
pub mod keys;
mod lanes;
mod minimizer;
mod order;
pub mod sampling;
pub mod sketch;
pub mod sort;
pub mod spec;
mod symbols;
pub mod windows;
pub mod words;
