//! Who does the flushing and compacting, and how writers wait for it.
//!
//! With threads, one flushes and one compacts, woken by signals; without, the writer that fills the memtable does it
//! all before it goes on. Writers are held back when too many memtables or level-0 tables wait.

use super::Lsm;
use parking_lot::{Condvar, Mutex};
use pglite_error::{PgError, PgResult, codes};
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Memtables that may wait to be flushed before writers wait.
const MAX_IMMUTABLE: usize = 3;
/// Level-0 tables at which writers wait.
const MAX_L0: usize = 20;
const RETRY: Duration = Duration::from_millis(200);

#[derive(Default)]
struct Flags {
    flush: bool,
    compact: bool,
    stop: bool,
    /// The last failure of background work, until it succeeds again.
    error: Option<PgError>,
}

#[derive(Default)]
pub(super) struct Signals {
    flags: Mutex<Flags>,
    flusher: Condvar,
    compactor: Condvar,
    /// Writers that wait for room.
    room: Condvar,
}

impl Signals {
    fn want_flush(&self) {
        self.flags.lock().flush = true;
        self.flusher.notify_one();
    }
    pub(super) fn flushed(&self) {
        let mut flags = self.flags.lock();
        flags.compact = true;
        flags.error = None;
        drop(flags);
        self.compactor.notify_one();
        self.room.notify_all();
    }
    pub(super) fn compacted(&self) {
        self.flags.lock().error = None;
        self.room.notify_all();
    }
    pub(super) fn stopping(&self) -> bool {
        self.flags.lock().stop
    }
    fn failed(&self, error: PgError) {
        self.flags.lock().error = Some(error);
        self.room.notify_all();
    }
    pub(super) fn stop(&self) {
        self.flags.lock().stop = true;
        self.flusher.notify_all();
        self.compactor.notify_all();
        self.room.notify_all();
    }
}

impl Lsm {
    pub(crate) fn stop_background(&self) {
        self.signals.stop();
    }
    pub(crate) fn pause(&self, time: Duration) {
        self.env.clock.sleep(time);
    }
    pub(crate) fn now(&self) -> Duration {
        self.env.clock.monotonic()
    }
    /// The failure that background work is stuck on, if any.
    pub(crate) fn background_error(&self) -> Option<PgError> {
        self.signals.flags.lock().error.clone()
    }
    pub(crate) fn want_maintenance(&self) {
        self.signals.want_flush();
    }

    /// Called before a group is applied: rotates a full memtable, and waits if too much work is behind.
    pub(crate) fn make_room(&self, log_is_long: bool) -> PgResult<()> {
        let full = self.with_state(|state| {
            let bytes = state.active.bytes();
            bytes >= self.memtable_bytes || (log_is_long && bytes > 0 && state.immutable.is_empty())
        });
        if !full {
            return Ok(());
        }
        if !self.threaded.load(Ordering::Acquire) {
            self.rotate();
            self.flush_all()?;
            while self.compact_one()? {}
            return Ok(());
        }
        let behind = || {
            self.with_state(|state| {
                state.immutable.len() >= MAX_IMMUTABLE || state.version.levels[0].len() >= MAX_L0
            })
        };
        if behind() {
            self.counters.stalls.fetch_add(1, Ordering::Relaxed);
            let mut flags = self.signals.flags.lock();
            while behind() && !flags.stop {
                if let Some(error) = &flags.error {
                    return Err(error.clone());
                }
                self.signals.room.wait_for(&mut flags, RETRY);
            }
        }
        self.rotate();
        self.signals.want_flush();
        Ok(())
    }
}

/// The body of the flushing thread. `fatal` hears of failures that cannot heal.
pub(crate) fn run_flusher(lsm: &Lsm, fatal: &dyn Fn(&PgError)) {
    loop {
        {
            let mut flags = lsm.signals.flags.lock();
            while !flags.flush && !flags.stop {
                lsm.signals.flusher.wait(&mut flags);
            }
            if flags.stop {
                return;
            }
            flags.flush = false;
        }
        if let Some(wal) = lsm.wal.get() {
            wal.prepare_spare();
        }
        if let Err(error) = lsm.flush_all() {
            report(lsm, error, fatal);
            let mut flags = lsm.signals.flags.lock();
            flags.flush = true;
            lsm.signals.flusher.wait_for(&mut flags, RETRY);
        }
    }
}

/// The body of the compacting thread.
pub(crate) fn run_compactor(lsm: &Lsm, fatal: &dyn Fn(&PgError)) {
    loop {
        {
            let mut flags = lsm.signals.flags.lock();
            while !flags.compact && !flags.stop {
                lsm.signals.compactor.wait(&mut flags);
            }
            if flags.stop {
                return;
            }
            flags.compact = false;
        }
        loop {
            match lsm.compact_one() {
                Ok(true) if !lsm.signals.stopping() => {}
                Ok(_) => break,
                Err(_) if lsm.signals.stopping() => return,
                Err(error) => {
                    report(lsm, error, fatal);
                    let mut flags = lsm.signals.flags.lock();
                    flags.compact = true;
                    lsm.signals.compactor.wait_for(&mut flags, RETRY);
                    break;
                }
            }
        }
    }
}

/// A full disk heals; everything else does not.
fn report(lsm: &Lsm, error: PgError, fatal: &dyn Fn(&PgError)) {
    if error.code() != codes::DISK_FULL {
        fatal(&error);
    }
    lsm.signals.failed(error);
}
