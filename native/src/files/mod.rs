//! Files mapped into memory, and what happens when a mapped file is cut short.

pub mod bus;
pub mod map;
