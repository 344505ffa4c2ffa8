//! Scanning: all windows of a text are looked up in filters, and hits are joined into chains.

pub mod chains;
pub mod places;
pub mod scan;
