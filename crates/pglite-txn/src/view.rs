//! Read views: which versions a statement sees.
//!
//! A view is a commit timestamp plus a command id. It sees what was committed up to the timestamp, and of its own
//! transaction's writes those of earlier commands. While a view is alive its timestamp is pinned: compaction keeps
//! the versions it may ask for.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;

use pglite_storage::{Store, Timestamp};

use crate::Transaction;

/// A command's number within its transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommandId(pub u32);

impl CommandId {
    pub const FIRST: CommandId = CommandId(0);
    /// Sees also what the running command itself wrote.
    pub const MAX: CommandId = CommandId(u32::MAX);
}

/// What a statement sees. Cheap to clone.
#[derive(Clone, Debug)]
pub struct ReadView {
    ts: Timestamp,
    command: CommandId,
    pin: Arc<Pin>,
}

impl ReadView {
    pub(crate) fn new(pin: Arc<Pin>, command: CommandId) -> ReadView {
        ReadView { ts: pin.ts, command, pin }
    }
    /// The newest committed state and the transaction's earlier commands: for fetching a row that
    /// [`RowStatus::Updated`](crate::am::RowStatus::Updated) reported, and for re-checks.
    pub fn newest(txn: &Transaction) -> ReadView {
        ReadView::new(txn.manager().pin(), txn.current_command())
    }
    /// The newest committed state and *all* own writes, the running command's too: for unique checks,
    /// foreign keys and deferred constraints.
    pub fn newest_with_own(txn: &Transaction) -> ReadView {
        ReadView::new(txn.manager().pin(), CommandId::MAX)
    }
    /// The same snapshot as the command `command` sees it.
    pub fn at_command(&self, command: CommandId) -> ReadView {
        ReadView { ts: self.ts, command, pin: self.pin.clone() }
    }
    pub(crate) fn pin(&self) -> &Arc<Pin> {
        &self.pin
    }
    pub fn ts(&self) -> Timestamp {
        self.ts
    }
    pub fn command(&self) -> CommandId {
        self.command
    }
}

/// Keeps one timestamp readable.
#[derive(Debug)]
pub(crate) struct Pin {
    ts: Timestamp,
    pins: Arc<Pins>,
}

/// The timestamps that views read at.
#[derive(Debug, Default)]
pub(crate) struct Pins {
    counts: Mutex<BTreeMap<u64, u32>>,
}

impl Pins {
    /// Pins the newest published timestamp.
    pub(crate) fn pin(self: &Arc<Pins>, store: &Store) -> Arc<Pin> {
        let mut counts = self.counts.lock();
        let ts = store.published();
        *counts.entry(ts.0).or_insert(0) += 1;
        Arc::new(Pin { ts, pins: self.clone() })
    }
    /// Everything below this timestamp is out of every view's reach.
    pub(crate) fn horizon(&self, store: &Store) -> Timestamp {
        let counts = self.counts.lock();
        let published = store.published();
        counts.keys().next().map_or(published, |oldest| Timestamp(*oldest).min(published))
    }
}

impl Drop for Pin {
    fn drop(&mut self) {
        let mut counts = self.pins.counts.lock();
        if let Some(count) = counts.get_mut(&self.ts.0) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.ts.0);
            }
        }
    }
}
