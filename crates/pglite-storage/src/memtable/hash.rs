//! A hash index over a memtable's keys: each key's newest version, for point reads.
//!
//! Open addressing over atomic words (16 bits of hash, 48 bits of pointer). One writer; readers need no lock. A full
//! table is replaced by one of twice the size; the old ones stay until the memtable goes, as readers may be in them.
//!
//! Invariant: every key of the skiplist is in the newest table before its version is published.
#![allow(unsafe_code)]

use super::NodeRef;
use super::huge::{self, HUGE_PAGE};
use parking_lot::Mutex;
use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::ops::Deref;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicPtr, AtomicU64, AtomicUsize, Ordering};

const FIRST: usize = 256;
const POINTER: u64 = (1 << 48) - 1;

/// A zeroed table, on huge pages when it is large.
struct Slots {
    slots: NonNull<AtomicU64>,
    len: usize,
}

impl Slots {
    fn layout(len: usize) -> Layout {
        let bytes = len * size_of::<AtomicU64>();
        let align = if bytes >= HUGE_PAGE { HUGE_PAGE } else { align_of::<AtomicU64>() };
        match Layout::from_size_align(bytes, align) {
            Ok(layout) => layout,
            Err(_) => unreachable!("tables are far smaller than isize::MAX"),
        }
    }
    fn new(len: usize) -> Slots {
        let layout = Slots::layout(len);
        // SAFETY: the layout's size is not zero.
        let place = unsafe { alloc(layout) };
        let Some(slots) = NonNull::new(place.cast::<AtomicU64>()) else { handle_alloc_error(layout) };
        // The advice works only on memory that nothing has touched yet.
        if layout.align() == HUGE_PAGE {
            huge::advise(place, layout.size());
        }
        // SAFETY: all of the allocation; all-zero bytes are valid atomics.
        unsafe { place.write_bytes(0, layout.size()) };
        Slots { slots, len }
    }
    #[inline]
    fn mask(&self) -> usize {
        self.len - 1
    }
}

impl Deref for Slots {
    type Target = [AtomicU64];
    #[inline]
    fn deref(&self) -> &[AtomicU64] {
        // SAFETY: `len` atomics, allocated in `new`, freed in `drop`.
        unsafe { std::slice::from_raw_parts(self.slots.as_ptr(), self.len) }
    }
}

impl Drop for Slots {
    fn drop(&mut self) {
        // SAFETY: allocated with this layout.
        unsafe { dealloc(self.slots.as_ptr().cast(), Slots::layout(self.len)) };
    }
}

// SAFETY: a table is plain memory of atomics that it owns.
unsafe impl Send for Slots {}
// SAFETY: as above.
unsafe impl Sync for Slots {}

pub(super) struct HashIndex {
    current: AtomicPtr<Slots>,
    count: AtomicUsize,
    /// All tables ever, the newest last; boxed so that `current` stays valid. Only the writer locks it.
    #[expect(clippy::vec_box, reason = "`current` points to the box's content, which must not move")]
    all: Mutex<Vec<Box<Slots>>>,
}

impl HashIndex {
    pub(super) fn new() -> HashIndex {
        let mut first = Box::new(Slots::new(FIRST));
        let current = AtomicPtr::new(&raw mut *first);
        HashIndex { current, count: AtomicUsize::new(0), all: Mutex::new(vec![first]) }
    }

    #[inline]
    fn slots(&self) -> &Slots {
        // SAFETY: points to a boxed table in `all`, which only grows while `self` lives.
        unsafe { &*self.current.load(Ordering::Acquire) }
    }

    /// The newest version of `key`.
    #[inline]
    pub(super) fn get(&self, key: &[u8], hash: u64) -> Option<NodeRef> {
        let slots = self.slots();
        let mut at = hash as usize & slots.mask();
        loop {
            let word = slots[at].load(Ordering::Acquire);
            if word == 0 {
                return None;
            }
            if (word ^ hash) >> 48 == 0 {
                let node = NodeRef((word & POINTER) as *const _);
                if node.key() == key {
                    return Some(node);
                }
            }
            at = (at + 1) & slots.mask();
        }
    }

    /// Sets the newest version of its key. Only the writer calls this.
    #[inline]
    pub(super) fn set(&self, node: NodeRef, hash: u64, hash_of: impl Fn(&[u8]) -> u64) {
        let word = node.0 as u64 & POINTER | (hash >> 48) << 48;
        let slots = self.slots();
        let key = node.key();
        let mut at = hash as usize & slots.mask();
        loop {
            let old = slots[at].load(Ordering::Relaxed);
            let same =
                (old ^ hash) >> 48 == 0 && old != 0 && NodeRef((old & POINTER) as *const _).key() == key;
            if old == 0 || same {
                slots[at].store(word, Ordering::Release);
                if old == 0 && self.count.fetch_add(1, Ordering::Relaxed) + 1 > slots.len / 2 {
                    self.grow(hash_of);
                }
                return;
            }
            at = (at + 1) & slots.mask();
        }
    }

    #[cold]
    fn grow(&self, hash_of: impl Fn(&[u8]) -> u64) {
        let old = self.slots();
        let mut next = Box::new(Slots::new(old.len * 2));
        for slot in old.iter() {
            let word = slot.load(Ordering::Relaxed);
            if word == 0 {
                continue;
            }
            let mut at = hash_of(NodeRef((word & POINTER) as *const _).key()) as usize & next.mask();
            while next[at].load(Ordering::Relaxed) != 0 {
                at = (at + 1) & next.mask();
            }
            next[at].store(word, Ordering::Relaxed);
        }
        let pointer = &raw mut *next;
        self.all.lock().push(next);
        self.current.store(pointer, Ordering::Release);
    }

    /// Memory taken.
    pub(super) fn bytes(&self) -> usize {
        self.slots().len * 16
    }
}
