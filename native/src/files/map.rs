//! A file mapped into memory, read-only.
//!
//! A map keeps no file descriptor: a portrait of a thousand files can be open where a process may have a
//! hundred descriptors. Reading a map costs nothing that a descriptor would save, so files need not be closed
//! and opened again.

#![allow(unsafe_code, reason = "mapped bytes are as safe as the file is whole")]

use std::fs::File;
use std::io;

use memmap2::{Advice, Mmap, MmapOptions};

use super::bus::{Region, watch};

/// The bytes of a file, which need not be in memory.
///
/// If the file is cut short, reading what is gone raises SIGBUS, which [`super::bus`] can explain.
pub struct Map {
    bytes: Mmap,
    region: Option<&'static Region>,
}

impl Map {
    /// Map the first `n_bytes` of a file, at least one; the file may be closed afterwards.
    ///
    /// `sequential`: they will be read from end to end rather than at random. `name`: the file's name in
    /// messages.
    pub fn new(file: &File, n_bytes: usize, sequential: bool, name: &[u8]) -> io::Result<Self> {
        // SAFETY: the map is read-only and private to this value. Nobody but the file's owner can change
        // the bytes; every reader checks what it reads, so that changed bytes give wrong answers at worst.
        let bytes = unsafe { MmapOptions::new().len(n_bytes).map(file) }?;
        // Queries read at random: reading ahead would only fill memory with pages that no query needs.
        bytes.advise(if sequential { Advice::Sequential } else { Advice::Random })?;
        let region = watch(&bytes, name);
        Ok(Self { bytes, region })
    }

    /// Return the bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Map {
    fn drop(&mut self) {
        if let Some(region) = self.region {
            region.forget();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_map_outlives_its_file() {
        let path = std::env::temp_dir().join(format!("portrait-map-{}", std::process::id()));
        fs::write(&path, b"some bytes").unwrap();
        let map = Map::new(&File::open(&path).unwrap(), 4, false, b"it").unwrap();
        fs::remove_file(&path).unwrap();
        assert_eq!(map.bytes(), b"some");
    }

    #[test]
    fn nothing_cannot_be_mapped_beyond_the_address_space() {
        let file = File::open("Cargo.toml").unwrap();
        assert!(Map::new(&file, usize::MAX / 2, false, b"it").is_err());
    }
}
