//! Filters: sets of windows that may contain one by chance but never miss one.
//!
//! A filter borrows its memory, usually a mapped file; the module of each kind says what bounds it.

pub mod bloom;
pub mod filter;
pub mod fuse;
pub mod mix;
pub mod prefetch;
pub mod pybloom;
pub mod redisbloom;
pub mod ribbon;
