//! Huge pages for large blocks of memory.
//!
//! Random reads of a memtable miss the TLB at every step with small pages; with 2 MB pages they mostly do not.
#![allow(unsafe_code)]

/// The size and alignment that makes a block eligible.
pub(super) const HUGE_PAGE: usize = 2 << 20;

/// Asks for huge pages under `len` bytes at `start`, which must be the caller's own memory. Only advice: failure is
/// harmless.
#[cfg(target_os = "linux")]
pub(super) fn advise(start: *mut u8, len: usize) {
    // SAFETY: the range is mapped memory of the caller, and this advice does not change its contents.
    unsafe {
        libc::madvise(start.cast(), len, libc::MADV_HUGEPAGE);
    }
}

#[cfg(not(target_os = "linux"))]
pub(super) fn advise(_start: *mut u8, _len: usize) {}
