//! SIGBUS: what the system sends to a process that reads a map whose file has been cut short, or whose disk
//! or server has failed.
//!
//! The bytes that were asked for do not exist, so the process must end. After [`explain`] it ends with a
//! line that names the file. Only a program that is its process may ask for that; a library must not.

#![allow(unsafe_code, reason = "signal handlers and their registration")]

use std::ffi::{c_int, c_void};
use std::io;
use std::ptr::null_mut;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

/// The exit status of a process that read what is gone.
const EXIT_STATUS: c_int = 2;

/// What the line says before and after the file's name.
static WORDS: OnceLock<(Vec<u8>, Vec<u8>)> = OnceLock::new();
/// All regions, newest first. A handler may read them at any time, so that they are never freed.
static REGIONS: AtomicPtr<Region> = AtomicPtr::new(null_mut());

/// A mapped file and the line to print for it, made beforehand: a handler must not allocate.
pub struct Region {
    start: usize,
    /// 0 once the file is no longer mapped.
    n_bytes: AtomicUsize,
    line: Vec<u8>,
    next: AtomicPtr<Region>,
}

impl Region {
    /// Forget the region, before it is unmapped.
    pub fn forget(&self) {
        self.n_bytes.store(0, Ordering::Release);
    }

    fn contains(&self, address: usize) -> bool {
        address.wrapping_sub(self.start) < self.n_bytes.load(Ordering::Acquire)
    }
}

/// Have SIGBUS from a file that is mapped later end the process with status 2 and the line `before`, the
/// file's name, `after` on stderr. Any other SIGBUS ends the process as before.
pub fn explain(before: &[u8], after: &[u8]) -> io::Result<()> {
    if WORDS.set((before.to_vec(), after.to_vec())).is_err() {
        return Ok(());
    }
    // SAFETY: a zeroed sigaction is a valid one, and the handler has the signature that SA_SIGINFO asks for.
    let status = unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = on_bus_error as *const () as usize;
        action.sa_flags = libc::SA_SIGINFO;
        libc::sigaction(libc::SIGBUS, &raw const action, null_mut())
    };
    if status == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Remember mapped bytes and the name of their file; nothing is remembered before [`explain`].
pub fn watch(bytes: &[u8], name: &[u8]) -> Option<&'static Region> {
    let (before, after) = WORDS.get()?;
    let region = Box::leak(Box::new(Region {
        start: bytes.as_ptr() as usize,
        n_bytes: AtomicUsize::new(bytes.len()),
        line: [before, name, after, b"\n"].concat(),
        next: AtomicPtr::new(null_mut()),
    }));
    let mut newest = REGIONS.load(Ordering::Acquire);
    loop {
        region.next.store(newest, Ordering::Relaxed);
        match REGIONS.compare_exchange_weak(newest, region, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => return Some(region),
            Err(other) => newest = other,
        }
    }
}

/// Print the line of the region that was read, and end the process; do nothing that a handler must not do.
extern "C" fn on_bus_error(signal: c_int, info: *mut libc::siginfo_t, _context: *mut c_void) {
    // SAFETY: the system passes a valid record. Regions are complete before they are in the list, and never
    // freed. `write`, `_exit`, `signal` and `raise` may be called in a handler.
    unsafe {
        let address = (*info).si_addr() as usize;
        let mut region = REGIONS.load(Ordering::Acquire);
        while let Some(one) = region.as_ref() {
            if one.contains(address) {
                let _ = libc::write(libc::STDERR_FILENO, one.line.as_ptr().cast(), one.line.len());
                libc::_exit(EXIT_STATUS);
            }
            region = one.next.load(Ordering::Relaxed);
        }
        libc::signal(signal, libc::SIG_DFL);
        libc::raise(signal);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_is_found_by_any_address_in_it_until_it_is_forgotten() {
        let next = AtomicPtr::new(null_mut());
        let region = Region { start: 4096, n_bytes: AtomicUsize::new(10), line: Vec::new(), next };
        assert!(region.contains(4096) && region.contains(4105));
        assert!(!region.contains(4095) && !region.contains(4106));
        region.forget();
        assert!(!region.contains(4096));
    }
}
