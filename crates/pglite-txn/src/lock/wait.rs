//! Waiting for a lock: sleep, look for a deadlock after a while, give up on a timeout or a cancel request.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use pglite_error::{PgError, PgResult, codes};

use super::mode::LockMode;
use super::table::{Acquired, HeldLock, LockManager, Waiter};
use super::tag::LockTag;
use crate::am::Wait;
use crate::backend::Backend;

impl LockManager {
    /// Takes a lock for the backend's transaction, or for its session. [`Acquired::NotAvailable`] comes only if
    /// `wait` is not [`Wait::Block`].
    #[inline]
    pub(crate) fn acquire(
        &self,
        backend: &Arc<Backend>,
        tag: LockTag,
        mode: LockMode,
        session: bool,
        wait: Wait,
    ) -> PgResult<Acquired> {
        match self.try_acquire(backend.owner, tag, mode, session) {
            Acquired::NotAvailable if wait == Wait::Block => self.wait_for(backend, tag, mode, session),
            other => Ok(other),
        }
    }

    #[cold]
    fn wait_for(
        &self,
        backend: &Arc<Backend>,
        tag: LockTag,
        mode: LockMode,
        session: bool,
    ) -> PgResult<Acquired> {
        backend.cancel.check()?;
        let waiter = Arc::new(Waiter {
            owner: backend.owner,
            backend: backend.clone(),
            mode,
            session,
            granted: AtomicBool::new(false),
        });
        backend.parker().poll();
        if self.acquire_or_enqueue(tag, &waiter) {
            return Ok(Acquired::New);
        }
        let mut outcome = Ok(());
        backend.hook.block(&mut || outcome = self.sleep(tag, &waiter));
        let gave_up = outcome.is_err() && self.stop_waiting(tag, &waiter);
        *backend.waiting.lock() = None;
        if outcome.is_err() && !gave_up {
            // The lock came together with the reason to give up.
            self.release(backend.owner, &HeldLock { tag, mode }, session);
        }
        outcome.map(|()| Acquired::New)
    }

    /// Sleeps until granted, or until there is a reason to give up.
    fn sleep(&self, tag: LockTag, waiter: &Arc<Waiter>) -> PgResult<()> {
        let backend = &waiter.backend;
        let mut left = backend.lock_timeout();
        let mut check = Some(backend.deadlock_timeout());
        loop {
            let nap = match (left, check) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            };
            if waiter.granted.load(Ordering::Acquire) {
                return Ok(());
            }
            // Why before the nap: a request from just before we queued has been polled away.
            backend.cancel.check()?;
            let woken = backend.hook.park(backend.parker(), nap);
            if woken || waiter.granted.load(Ordering::Acquire) {
                continue;
            }
            let slept = nap.unwrap_or_default();
            left = left.map(|left| left.saturating_sub(slept));
            if left == Some(Duration::ZERO) {
                let message = "canceling statement due to lock timeout";
                return Err(PgError::new(codes::LOCK_NOT_AVAILABLE, message));
            }
            check = check.map(|check| check.saturating_sub(slept)).filter(|check| !check.is_zero());
            if check.is_none() && nap.is_some() {
                self.check_deadlock(tag, waiter)?;
            }
        }
    }
}
