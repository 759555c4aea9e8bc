//! A session as the lock manager knows it: its process id, how to cancel it, how it waits, its timeouts.
//!
//! The layers above own the session; this is the part of it that other sessions can see while it waits.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use pglite_error::{PgError, PgResult, codes};

use crate::am::Wait;
use crate::lock::{Acquired, HeldLock, LockManager, LockMode, LockTag, Owner};

/// What a sleeping session sleeps on.
#[derive(Debug, Default)]
pub struct Parker {
    woken: Mutex<bool>,
    signal: Condvar,
}

impl Parker {
    /// Sleeps until [`unpark`](Self::unpark) or for `timeout`; consumes the wake-up. False: timed out.
    pub fn park(&self, timeout: Option<Duration>) -> bool {
        let mut woken = self.woken.lock();
        while !*woken {
            match timeout {
                Some(timeout) => {
                    if self.signal.wait_for(&mut woken, timeout).timed_out() {
                        break;
                    }
                }
                None => self.signal.wait(&mut woken),
            }
        }
        std::mem::take(&mut *woken)
    }
    /// Takes a wake-up that is already there. For waiters that sleep in their own way.
    pub fn poll(&self) -> bool {
        std::mem::take(&mut *self.woken.lock())
    }
    pub fn unpark(&self) {
        *self.woken.lock() = true;
        self.signal.notify_all();
    }
}

/// How the threads of this process wait. The server gives its worker up around the wait, the simulator runs others.
pub trait WaitHook: Send + Sync {
    /// Calls `wait`, which may block this thread for long.
    fn block(&self, wait: &mut dyn FnMut()) {
        wait();
    }
    /// Sleeps as [`Parker::park`] does.
    fn park(&self, parker: &Parker, timeout: Option<Duration>) -> bool {
        parker.park(timeout)
    }
}

/// Blocks the thread, plainly.
#[derive(Clone, Copy, Debug, Default)]
pub struct BlockThread;

impl WaitHook for BlockThread {}

/// Asks a session's running statement to stop; everything that waits listens to it.
#[derive(Debug, Default)]
pub struct CancelToken {
    reason: Mutex<Option<PgError>>,
    set: AtomicBool,
    parker: Parker,
}

impl CancelToken {
    /// 57014 as a cancel request causes it.
    pub fn cancel(&self) {
        self.cancel_with(PgError::new(codes::QUERY_CANCELED, "canceling statement due to user request"));
    }
    /// Stops the statement with this error. The first reason wins.
    pub fn cancel_with(&self, reason: PgError) {
        self.reason.lock().get_or_insert(reason);
        self.set.store(true, Ordering::Release);
        self.parker.unpark();
    }
    #[inline]
    pub fn is_cancelled(&self) -> bool {
        self.set.load(Ordering::Relaxed)
    }
    /// The reason as an error, if the statement is to stop. Cheap; call it often. Clears the request.
    #[inline]
    pub fn check(&self) -> PgResult<()> {
        if self.is_cancelled() { self.take() } else { Ok(()) }
    }
    #[cold]
    fn take(&self) -> PgResult<()> {
        self.set.store(false, Ordering::Release);
        self.reason.lock().take().map_or(Ok(()), Err)
    }
    /// Forgets a request that came too late for its statement.
    pub fn reset(&self) {
        let _ = self.take();
    }
}

/// A session in the eyes of the transaction layer. Create it with [`TxnManager::backend`](crate::TxnManager::backend).
///
/// Dropping it gives the session's advisory locks back.
pub struct Backend {
    pub(crate) owner: Owner,
    pid: i32,
    pub(crate) cancel: Arc<CancelToken>,
    pub(crate) hook: Arc<dyn WaitHook>,
    locks: Arc<LockManager>,
    /// What it waits for, if it waits. Written under the shard's mutex of the tag.
    pub(crate) waiting: Mutex<Option<(LockTag, LockMode)>>,
    /// Session-level advisory locks and how often each is held.
    session_locks: Mutex<HashMap<(LockTag, LockMode), u32>>,
    /// Milliseconds; 0 is off.
    lock_timeout: AtomicU64,
    deadlock_timeout: AtomicU64,
    /// The running transaction's xid, 0 if it has none yet.
    xid: AtomicU32,
    /// Transactions begun, and whether one is running.
    local_xid: AtomicU32,
    running: AtomicBool,
}

impl Backend {
    pub(crate) fn new(owner: Owner, pid: i32, hook: Arc<dyn WaitHook>, locks: Arc<LockManager>) -> Backend {
        Backend {
            owner,
            pid,
            cancel: Arc::default(),
            hook,
            locks,
            waiting: Mutex::default(),
            session_locks: Mutex::default(),
            lock_timeout: AtomicU64::new(0),
            deadlock_timeout: AtomicU64::new(1000),
            xid: AtomicU32::new(0),
            local_xid: AtomicU32::new(0),
            running: AtomicBool::new(false),
        }
    }
    pub fn pid(&self) -> i32 {
        self.pid
    }
    pub fn cancel_token(&self) -> &Arc<CancelToken> {
        &self.cancel
    }
    pub fn wait_hook(&self) -> &Arc<dyn WaitHook> {
        &self.hook
    }
    /// What the session sleeps on, whatever it waits for: a cancel request wakes it.
    pub fn parker(&self) -> &Parker {
        &self.cancel.parker
    }
    /// Sleeps for `time` unless cancelled (`pg_sleep`).
    pub fn sleep(&self, time: Duration) -> PgResult<()> {
        self.parker().poll();
        self.cancel.check()?;
        self.hook
            .block(&mut || while self.hook.park(self.parker(), Some(time)) && !self.cancel.is_cancelled() {});
        self.cancel.check()
    }
    /// Zero turns it off.
    pub fn set_lock_timeout(&self, timeout: Duration) {
        self.lock_timeout.store(timeout.as_millis() as u64, Ordering::Relaxed);
    }
    pub fn set_deadlock_timeout(&self, timeout: Duration) {
        self.deadlock_timeout.store(timeout.as_millis() as u64, Ordering::Relaxed);
    }
    pub(crate) fn lock_timeout(&self) -> Option<Duration> {
        let ms = self.lock_timeout.load(Ordering::Relaxed);
        (ms > 0).then(|| Duration::from_millis(ms))
    }
    pub(crate) fn deadlock_timeout(&self) -> Duration {
        Duration::from_millis(self.deadlock_timeout.load(Ordering::Relaxed).max(1))
    }

    // ---- the running transaction ----------------------------------------------------------------------------

    pub(crate) fn begin(&self) -> u32 {
        self.xid.store(0, Ordering::Relaxed);
        let local = self.local_xid.fetch_add(1, Ordering::Relaxed) + 1;
        self.running.store(true, Ordering::Release);
        local
    }
    /// Ends transaction `local`, unless the next one runs already.
    pub(crate) fn end(&self, local: u32) {
        if self.local_xid.load(Ordering::Acquire) == local {
            self.xid.store(0, Ordering::Release);
            self.running.store(false, Ordering::Release);
        }
    }
    pub(crate) fn set_xid(&self, xid: u32) {
        self.xid.store(xid, Ordering::Release);
    }
    pub fn in_transaction(&self) -> bool {
        self.running.load(Ordering::Acquire)
    }
    pub fn xid_if_assigned(&self) -> Option<u32> {
        Some(self.xid.load(Ordering::Acquire)).filter(|xid| *xid != 0)
    }
    pub(crate) fn shown_xid(&self) -> u32 {
        self.xid.load(Ordering::Acquire)
    }
    /// `backend/transaction`, as `pg_locks.virtualtransaction` shows it.
    pub fn virtual_xid(&self) -> String {
        format!("{}/{}", self.owner.0 + 1, self.local_xid.load(Ordering::Relaxed))
    }

    // ---- session-level advisory locks -----------------------------------------------------------------------

    /// Takes a lock until [`unlock_session`](Self::unlock_session); nests. False: not to be had without waiting.
    pub fn lock_session(self: &Arc<Backend>, tag: LockTag, mode: LockMode, wait: Wait) -> PgResult<bool> {
        if self.locks.acquire(self, tag, mode, true, wait)? == Acquired::NotAvailable {
            return Ok(false);
        }
        *self.session_locks.lock().entry((tag, mode)).or_insert(0) += 1;
        Ok(true)
    }
    /// False: the session does not hold it.
    pub fn unlock_session(&self, tag: LockTag, mode: LockMode) -> bool {
        let mut held = self.session_locks.lock();
        let Some(count) = held.get_mut(&(tag, mode)) else { return false };
        *count -= 1;
        if *count == 0 {
            held.remove(&(tag, mode));
            self.locks.release(self.owner, &HeldLock { tag, mode }, true);
        }
        true
    }
    pub fn unlock_session_all(&self) {
        for ((tag, mode), _) in self.session_locks.lock().drain() {
            self.locks.release(self.owner, &HeldLock { tag, mode }, true);
        }
    }
}

impl Drop for Backend {
    fn drop(&mut self) {
        self.unlock_session_all();
    }
}

impl std::fmt::Debug for Backend {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Backend").field("pid", &self.pid).finish_non_exhaustive()
    }
}
