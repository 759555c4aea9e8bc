//! `TxnManager`: what all sessions share - the store, the locks, the counters, the running transactions.

use std::sync::Arc;

use parking_lot::Mutex;
use pglite_error::PgResult;

use crate::backend::{Backend, WaitHook};
use pglite_storage::Store;
use crate::transaction::{Isolation, Transaction};
use crate::view::{Pin, Pins};

/// Shared by all sessions of one store.
pub struct TxnManager {
    store: Arc<Store>,
    pins: Arc<Pins>,
    backends: Mutex<Vec<Arc<Backend>>>,
}

impl TxnManager {
    /// Reads what the store remembers of the counters.
    pub fn open(store: Arc<Store>) -> PgResult<Arc<TxnManager>> {
        Ok(Arc::new(TxnManager { store, pins: Arc::default(), backends: Mutex::default() }))
    }
    pub fn store(&self) -> &Arc<Store> {
        &self.store
    }
    /// Makes a session known. `pid` is what it shows to users.
    pub fn backend(&self, pid: i32, hook: Arc<dyn WaitHook>) -> Arc<Backend> {
        let backend = Arc::new(Backend::new(pid, hook));
        self.backends.lock().push(backend.clone());
        backend
    }
    /// Begins a transaction of the session. The session's last one must have ended.
    pub fn begin(
        self: &Arc<TxnManager>,
        backend: &Arc<Backend>,
        isolation: Isolation,
        read_only: bool,
    ) -> Transaction {
        Transaction::new(self.clone(), backend.clone(), isolation, read_only)
    }
    pub(crate) fn pin(&self) -> Arc<Pin> {
        self.pins.pin(&self.store)
    }
    /// Lets compaction drop versions no view can ask for. Cheap; called now and then by commits.
    pub fn advance_gc_horizon(&self) {
        self.store.set_gc_horizon(self.pins.horizon(&self.store));
    }
}

impl std::fmt::Debug for TxnManager {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TxnManager").finish_non_exhaustive()
    }
}
