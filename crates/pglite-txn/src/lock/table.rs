//! The lock table: who holds what, who waits for what, in what order.
//!
//! Invariant: a waiter is granted its lock by whoever releases (or stops waiting), under the shard's mutex; a granted
//! waiter is in no queue.
//! Invariant: nobody overtakes a waiter that conflicts with him, unless he already holds a lock on the same thing.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasherDefault, Hash, Hasher};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};

use parking_lot::{Mutex, MutexGuard};
use smallvec::SmallVec;

use super::mode::LockMode;
use super::tag::LockTag;
use crate::backend::Backend;

/// A backend's number in the lock table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Owner(pub(crate) u32);

/// A lock a transaction is to release.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HeldLock {
    pub(crate) tag: LockTag,
    pub(crate) mode: LockMode,
}

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Acquired {
    New,
    /// The owner had it already; there is nothing more to release.
    Already,
    /// Somebody has it, and the request was not to wait.
    NotAvailable,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Holder {
    pub(super) owner: Owner,
    /// Modes held until the transaction's end, and until unlocked or the session's end.
    pub(super) txn: u8,
    pub(super) session: u8,
}

impl Holder {
    #[inline]
    pub(super) fn modes(&self) -> u8 {
        self.txn | self.session
    }
}

pub(super) struct Waiter {
    pub(super) owner: Owner,
    pub(super) backend: Arc<Backend>,
    pub(super) mode: LockMode,
    pub(super) session: bool,
    pub(super) granted: AtomicBool,
}

#[derive(Default)]
pub(super) struct Entry {
    pub(super) holders: SmallVec<[Holder; 2]>,
    /// Why boxed: nearly every entry has no queue, and row locks are many.
    #[expect(clippy::box_collection)]
    pub(super) queue: Option<Box<VecDeque<Arc<Waiter>>>>,
}

impl Entry {
    #[inline]
    pub(super) fn held_by(&self, owner: Owner) -> Option<&Holder> {
        self.holders.iter().find(|h| h.owner == owner)
    }
    pub(super) fn waiting(&self) -> impl Iterator<Item = &Arc<Waiter>> {
        self.queue.iter().flat_map(|queue| queue.iter())
    }
    #[inline]
    pub(super) fn held_against(&self, owner: Owner, mode: LockMode) -> bool {
        self.holders.iter().any(|h| h.owner != owner && h.modes() & mode.conflicts() != 0)
    }
    #[inline]
    fn must_wait(&self, owner: Owner, mode: LockMode) -> bool {
        self.held_against(owner, mode)
            || (self.queue.is_some()
                && self.held_by(owner).is_none()
                && self.waiting().any(|w| w.owner != owner && w.mode.conflicts_with(mode)))
    }
    #[inline]
    fn grant(&mut self, owner: Owner, mode: LockMode, session: bool) {
        let (txn, session) = if session { (0, mode.bit()) } else { (mode.bit(), 0) };
        match self.holders.iter_mut().find(|h| h.owner == owner) {
            Some(holder) => {
                holder.txn |= txn;
                holder.session |= session;
            }
            None => self.holders.push(Holder { owner, txn, session }),
        }
    }
    fn enqueue(&mut self, waiter: Arc<Waiter>) {
        let held = self.held_by(waiter.owner).map_or(0, Holder::modes);
        let queue = self.queue.get_or_insert_default();
        // Why: whoever waits for what we hold can only come after us.
        let at = queue.iter().position(|w| w.mode.conflicts() & held != 0).unwrap_or(queue.len());
        queue.insert(at, waiter);
    }
    /// Grants every waiter who need not wait any more, first come first served.
    fn grant_waiters(&mut self) {
        let Some(mut queue) = self.queue.take() else { return };
        let mut ahead = 0u8;
        queue.retain(|waiter| {
            let holds = self.held_by(waiter.owner).is_some();
            let blocked = self.held_against(waiter.owner, waiter.mode)
                || (!holds && ahead & waiter.mode.conflicts() != 0);
            if blocked {
                ahead |= waiter.mode.bit();
                return true;
            }
            self.grant(waiter.owner, waiter.mode, waiter.session);
            waiter.granted.store(true, Ordering::Release);
            waiter.backend.parker().unpark();
            false
        });
        self.queue = (!queue.is_empty()).then_some(queue);
    }
    fn is_empty(&self) -> bool {
        self.holders.is_empty() && self.queue.is_none()
    }
}

/// Takes the hash a tag computed itself.
#[derive(Default)]
pub(super) struct TagHasher(u64);

impl Hasher for TagHasher {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        self.0 ^= super::tag::hash_bytes(bytes);
    }
    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

impl Hash for LockTag {
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash64());
    }
}

pub(super) type Shard = HashMap<LockTag, Entry, BuildHasherDefault<TagHasher>>;

const SHARDS: usize = 64;
/// A shard's table shrinks when it has grown past this and is empty again.
const KEEP_CAPACITY: usize = 1 << 12;

/// Apart from its neighbours in the cache.
#[repr(align(64))]
#[derive(Default)]
struct Aligned(Mutex<Shard>);

/// All locks of one store.
pub(crate) struct LockManager {
    shards: Box<[Aligned]>,
    /// Who each owner number is.
    owners: Mutex<Vec<Weak<Backend>>>,
    pub(super) deadlock: Mutex<()>,
}

impl Default for LockManager {
    fn default() -> LockManager {
        let shards = (0..SHARDS).map(|_| Aligned::default()).collect();
        LockManager { shards, owners: Mutex::default(), deadlock: Mutex::default() }
    }
}

impl LockManager {
    #[inline]
    pub(super) fn shard(&self, tag: &LockTag) -> MutexGuard<'_, Shard> {
        self.shards[tag.hash64() as usize % SHARDS].0.lock()
    }
    pub(super) fn each_shard(&self) -> impl Iterator<Item = MutexGuard<'_, Shard>> {
        self.shards.iter().map(|shard| shard.0.lock())
    }

    // ---- owners ---------------------------------------------------------------------------------------------

    /// Gives a backend its number.
    pub(crate) fn register(&self, make: impl FnOnce(Owner) -> Arc<Backend>) -> Arc<Backend> {
        let mut owners = self.owners.lock();
        let at = owners.iter().position(|owner| owner.strong_count() == 0).unwrap_or(owners.len());
        let backend = make(Owner(at as u32));
        let weak = Arc::downgrade(&backend);
        match owners.get_mut(at) {
            Some(slot) => *slot = weak,
            None => owners.push(weak),
        }
        backend
    }
    pub(crate) fn backend(&self, owner: Owner) -> Option<Arc<Backend>> {
        self.owners.lock().get(owner.0 as usize).and_then(Weak::upgrade)
    }
    pub(crate) fn backends(&self) -> Vec<Arc<Backend>> {
        self.owners.lock().iter().filter_map(Weak::upgrade).collect()
    }

    // ---- taking and releasing -------------------------------------------------------------------------------

    /// Takes the lock if that is possible at once.
    #[inline]
    pub(crate) fn try_acquire(&self, owner: Owner, tag: LockTag, mode: LockMode, session: bool) -> Acquired {
        let mut shard = self.shard(&tag);
        let entry = shard.entry(tag).or_default();
        if entry.holders.is_empty() && entry.queue.is_none() {
            entry.grant(owner, mode, session);
            return Acquired::New;
        }
        if let Some(holder) = entry.held_by(owner) {
            let held = if session { holder.session } else { holder.txn };
            // Row strengths are a ladder; other modes are not.
            let have = if matches!(tag, LockTag::Row(..)) {
                held >> mode as u8 != 0
            } else {
                held & mode.bit() != 0
            };
            if have {
                return Acquired::Already;
            }
        }
        if entry.must_wait(owner, mode) {
            return Acquired::NotAvailable;
        }
        entry.grant(owner, mode, session);
        Acquired::New
    }

    /// Takes the lock, or queues for it.
    pub(super) fn acquire_or_enqueue(&self, tag: LockTag, waiter: &Arc<Waiter>) -> bool {
        let mut shard = self.shard(&tag);
        let entry = shard.entry(tag).or_default();
        if !entry.must_wait(waiter.owner, waiter.mode) {
            entry.grant(waiter.owner, waiter.mode, waiter.session);
            return true;
        }
        entry.enqueue(waiter.clone());
        *waiter.backend.waiting.lock() = Some((tag, waiter.mode));
        false
    }

    /// Takes a waiter out of its queue. False: it has been granted its lock meanwhile.
    pub(super) fn stop_waiting(&self, tag: LockTag, waiter: &Arc<Waiter>) -> bool {
        let mut shard = self.shard(&tag);
        if waiter.granted.load(Ordering::Acquire) {
            return false;
        }
        if let Some(entry) = shard.get_mut(&tag) {
            if let Some(queue) = &mut entry.queue {
                queue.retain(|w| !Arc::ptr_eq(w, waiter));
            }
            entry.grant_waiters();
            if entry.is_empty() {
                shard.remove(&tag);
            }
        }
        true
    }

    /// Gives a lock back.
    pub(crate) fn release(&self, owner: Owner, lock: &HeldLock, session: bool) {
        let mut shard = self.shard(&lock.tag);
        let Some(entry) = shard.get_mut(&lock.tag) else { return };
        let Some(at) = entry.holders.iter().position(|h| h.owner == owner) else { return };
        let holder = &mut entry.holders[at];
        if session {
            holder.session &= !lock.mode.bit();
        } else {
            holder.txn &= !lock.mode.bit();
        }
        if holder.modes() == 0 {
            entry.holders.swap_remove(at);
        }
        if entry.queue.is_some() {
            entry.grant_waiters();
        }
        if entry.is_empty() {
            shard.remove(&lock.tag);
            if shard.is_empty() && shard.capacity() > KEEP_CAPACITY {
                shard.shrink_to(KEEP_CAPACITY);
            }
        }
    }
    /// Whether the owner holds the mode on it, for its transaction or its session.
    pub(crate) fn holds(&self, owner: Owner, tag: &LockTag, mode: LockMode) -> bool {
        self.shard(tag).get(tag).and_then(|e| e.held_by(owner)).is_some_and(|h| h.modes() & mode.bit() != 0)
    }
}
