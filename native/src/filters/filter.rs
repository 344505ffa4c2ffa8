//! What all kinds of filters have in common: looking windows up in batches.

/// Windows to look up.
#[derive(Clone, Copy)]
pub struct Batch<'a> {
    /// The windows' keys.
    pub keys: &'a [u64],
    /// The windows' bytes; empty unless a filter of the scan reads them.
    pub windows: &'a [&'a [u8]],
}

/// A set of windows that may contain one by chance but never misses one.
pub trait Filter: Sync {
    /// Set `hits`, one for each window, to whether the set contains the window.
    fn contains(&self, batch: Batch, hits: &mut [bool]);

    /// Whether the set contains the document with this key; foreign formats store no documents.
    fn contains_document(&self, key: u64) -> bool;

    /// Whether `contains` reads the windows' bytes, because the set has its own hash function.
    fn reads_windows(&self) -> bool {
        false
    }
}
