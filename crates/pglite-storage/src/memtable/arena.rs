//! Memory for a memtable: handed out in pieces, given back all at once.
#![allow(unsafe_code)]

use super::huge::{self, HUGE_PAGE};
use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::ptr;

const FIRST_CHUNK: usize = 16 << 10;
const CHUNK_ALIGN: usize = 16;
/// After this many chunks, chunks are huge pages.
const SMALL_CHUNKS: usize = 6;

/// A bump allocator.
pub(super) struct Arena {
    chunks: Vec<(*mut u8, Layout)>,
    next: *mut u8,
    left: usize,
    used: usize,
}

// SAFETY: the chunks belong to the arena alone.
unsafe impl Send for Arena {}

impl Default for Arena {
    fn default() -> Arena {
        Arena { chunks: Vec::new(), next: ptr::null_mut(), left: 0, used: 0 }
    }
}

impl Arena {
    /// Bytes handed out.
    pub(super) fn used(&self) -> usize {
        self.used
    }

    /// Uninitialized memory of `len` bytes, valid until the arena is dropped. `align` is at most 16.
    pub(super) fn allocate(&mut self, len: usize, align: usize) -> *mut u8 {
        let mut pad = self.next.align_offset(align);
        if self.next.is_null() || pad.saturating_add(len) > self.left {
            self.grow(len);
            pad = 0;
        }
        // SAFETY: `pad + len <= left` bytes of the current chunk are free.
        unsafe {
            let place = self.next.add(pad);
            self.next = place.add(len);
            self.left -= pad + len;
            self.used += pad + len;
            place
        }
    }

    #[cold]
    fn grow(&mut self, need: usize) {
        let small = self.chunks.len() < SMALL_CHUNKS;
        let (size, align) = if small && need <= FIRST_CHUNK << self.chunks.len() {
            (FIRST_CHUNK << self.chunks.len(), CHUNK_ALIGN)
        } else {
            (need.next_multiple_of(HUGE_PAGE), HUGE_PAGE)
        };
        let Ok(layout) = Layout::from_size_align(size, align) else {
            unreachable!("chunk sizes are far below isize::MAX");
        };
        // SAFETY: the layout's size is not zero.
        let chunk = unsafe { alloc(layout) };
        if chunk.is_null() {
            handle_alloc_error(layout);
        }
        if align == HUGE_PAGE {
            huge::advise(chunk, size);
        }
        self.chunks.push((chunk, layout));
        self.next = chunk;
        self.left = size;
    }
}

impl Drop for Arena {
    fn drop(&mut self) {
        for &(chunk, layout) in &self.chunks {
            // SAFETY: allocated with this layout in `grow`, freed only here.
            unsafe { dealloc(chunk, layout) };
        }
    }
}
