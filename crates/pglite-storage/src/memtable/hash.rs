//! A hash index over a memtable's keys: each key's newest version, for point reads.
//!
//! Open addressing over atomic words (16 bits of hash, 48 bits of pointer). One writer; readers need no lock. A full
//! table is replaced by one of twice the size; the old ones stay until the memtable goes, as readers may be in them.
//!
//! Invariant: every key of the skiplist is in the newest table before its version is published.
#![allow(unsafe_code)]

use super::NodeRef;
use parking_lot::Mutex;
use std::sync::atomic::{AtomicPtr, AtomicU64, AtomicUsize, Ordering};

const FIRST: usize = 256;
const POINTER: u64 = (1 << 48) - 1;

struct Slots(Box<[AtomicU64]>);

impl Slots {
    fn new(len: usize) -> Slots {
        Slots((0..len).map(|_| AtomicU64::new(0)).collect())
    }
    #[inline]
    fn mask(&self) -> usize {
        self.0.len() - 1
    }
}

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
            let word = slots.0[at].load(Ordering::Acquire);
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
            let old = slots.0[at].load(Ordering::Relaxed);
            let same =
                (old ^ hash) >> 48 == 0 && old != 0 && NodeRef((old & POINTER) as *const _).key() == key;
            if old == 0 || same {
                slots.0[at].store(word, Ordering::Release);
                if old == 0 && self.count.fetch_add(1, Ordering::Relaxed) + 1 > slots.0.len() / 2 {
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
        let mut next = Box::new(Slots::new(old.0.len() * 2));
        for slot in &old.0 {
            let word = slot.load(Ordering::Relaxed);
            if word == 0 {
                continue;
            }
            let mut at = hash_of(NodeRef((word & POINTER) as *const _).key()) as usize & next.mask();
            while next.0[at].load(Ordering::Relaxed) != 0 {
                at = (at + 1) & next.mask();
            }
            next.0[at].store(word, Ordering::Relaxed);
        }
        let pointer = &raw mut *next;
        self.all.lock().push(next);
        self.current.store(pointer, Ordering::Release);
    }

    /// Memory taken.
    pub(super) fn bytes(&self) -> usize {
        self.slots().0.len() * 16
    }
}
