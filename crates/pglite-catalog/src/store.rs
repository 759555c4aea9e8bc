//! `CatalogStore`: the committed catalogs of all databases, and the only way to change them.
//!
//! Lock order: the commit turn, then `inner`. A commit takes the turn, checks itself against the newest state, hands out
//! the rows for the transaction's WAL batch, and publishes after the batch is durable.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex, RwLock};

use pglite_error::{PgError, PgResult};
use pglite_types::Oid;

use crate::generated::rows::{LocalTables, SharedTables};
use crate::key::Key;
use crate::snapshot::{RelCache, Snapshot, TypeCache, catalogs, is_shared_catalog};
use crate::txn::{CatalogTxn, Change};

#[derive(Debug, Default)]
struct Inner {
    shared: Arc<SharedTables>,
    databases: HashMap<Oid, Local>,
    version: u64,
}

/// One database's own part.
#[derive(Debug, Default)]
struct Local {
    tables: Arc<LocalTables>,
    rels: Arc<RelCache>,
    types: Arc<TypeCache>,
}

#[derive(Debug)]
pub struct CatalogStore {
    inner: RwLock<Inner>,
    committing: Mutex<bool>,
    turn: Condvar,
    next_oid: AtomicU32,
}

/// (catalog, row key, stored bytes).
pub type StoredRow = (Oid, Vec<u8>, Vec<u8>);
/// (storage key, stored bytes or `None` to delete).
pub type StorageWrite = (Vec<u8>, Option<Vec<u8>>);

/// Storage key of a catalog row: database (0 for shared catalogs), catalog, row key.
pub fn storage_key(database: Oid, catalog: Oid, key: &[u8]) -> Vec<u8> {
    let database = if is_shared_catalog(catalog) { Oid::INVALID } else { database };
    let mut out = Vec::with_capacity(8 + key.len());
    out.extend_from_slice(&database.0.to_be_bytes());
    out.extend_from_slice(&catalog.0.to_be_bytes());
    out.extend_from_slice(key);
    out
}

/// The parts of a [`storage_key`]: database, catalog, row key.
pub fn split_storage_key(bytes: &[u8]) -> PgResult<(Oid, Oid, &[u8])> {
    match (bytes.first_chunk::<4>(), bytes.get(4..8).and_then(|b| b.first_chunk::<4>())) {
        (Some(db), Some(cat)) => {
            Ok((Oid(u32::from_be_bytes(*db)), Oid(u32::from_be_bytes(*cat)), &bytes[8..]))
        }
        _ => Err(PgError::internal("bad catalog key")),
    }
}

fn poisoned<T>(_: T) -> PgError {
    PgError::internal("catalog lock is poisoned")
}

impl CatalogStore {
    /// An empty store: built-in rows only.
    pub fn new() -> Arc<CatalogStore> {
        Arc::new(CatalogStore {
            inner: RwLock::default(),
            committing: Mutex::new(false),
            turn: Condvar::new(),
            next_oid: AtomicU32::new(Oid::FIRST_NORMAL.0),
        })
    }

    /// From the stored (key, value) pairs, in any order. `next_oid` is the first OID not yet used.
    pub fn load<K: AsRef<[u8]>, V: AsRef<[u8]>>(
        rows: impl IntoIterator<Item = (K, V)>,
        next_oid: u32,
    ) -> PgResult<Arc<CatalogStore>> {
        let mut inner = Inner::default();
        for (key, value) in rows {
            let (database, catalog, key) = split_storage_key(key.as_ref())?;
            let table = if database.is_valid() {
                let local = &mut inner.databases.entry(database).or_default().tables;
                Arc::make_mut(local).by_oid_mut(catalog)
            } else {
                Arc::make_mut(&mut inner.shared).by_oid_mut(catalog)
            };
            let table =
                table.ok_or_else(|| PgError::internal(format!("stored row of unknown catalog {catalog}")))?;
            table.load(&Key::from_bytes(key), value.as_ref())?;
        }
        let store = CatalogStore::new();
        *store.inner.write().map_err(poisoned)? = inner;
        store.next_oid.store(next_oid.max(Oid::FIRST_NORMAL.0), Ordering::Relaxed);
        Ok(store)
    }

    pub fn version(&self) -> u64 {
        self.inner.read().map(|i| i.version).unwrap_or(0)
    }

    /// The committed catalogs of a database.
    pub fn snapshot(&self, database: Oid) -> PgResult<Snapshot> {
        let inner = self.inner.read().map_err(poisoned)?;
        if let Some(local) = inner.databases.get(&database) {
            return Ok(Snapshot {
                shared: inner.shared.clone(),
                local: local.tables.clone(),
                rels: local.rels.clone(),
                types: local.types.clone(),
                database,
                version: inner.version,
            });
        }
        drop(inner);
        // Why: give the database one descriptor cache that all its sessions share.
        self.inner.write().map_err(poisoned)?.databases.entry(database).or_default();
        self.snapshot(database)
    }

    /// A fresh OID. The counter's value must be stored by the caller now and then ([`next_oid`](Self::next_oid)).
    pub fn allocate_oid(&self) -> Oid {
        loop {
            let oid = self.next_oid.fetch_add(1, Ordering::Relaxed);
            if oid >= Oid::FIRST_NORMAL.0 {
                return Oid(oid);
            }
            // Wrapped around: skip the OIDs of the system.
            let _ = self.next_oid.compare_exchange(
                oid.wrapping_add(1),
                Oid::FIRST_NORMAL.0,
                Ordering::Relaxed,
                Ordering::Relaxed,
            );
        }
    }
    pub fn next_oid(&self) -> u32 {
        self.next_oid.load(Ordering::Relaxed)
    }

    /// Takes the commit turn and checks the transaction against the newest state. Publish with
    /// [`CommitGuard::publish`]; dropping the guard gives up.
    pub fn begin_commit(self: &Arc<Self>, mut txn: CatalogTxn) -> PgResult<CommitGuard> {
        let mut busy = self.committing.lock().map_err(poisoned)?;
        while *busy {
            busy = self.turn.wait(busy).map_err(poisoned)?;
        }
        *busy = true;
        drop(busy);
        let database = txn.base.database();
        let mut guard = CommitGuard { store: self.clone(), txn: None, database };
        let newest = self.snapshot(database)?;
        txn.check(&newest)?;
        txn.rebase(newest);
        txn.check_unique()?;
        guard.txn = Some(txn);
        Ok(guard)
    }

    /// The stored rows of a database as (catalog, key, value): what CREATE DATABASE copies from its template.
    pub fn dump_database(&self, database: Oid) -> PgResult<Vec<StoredRow>> {
        let snapshot = self.snapshot(database)?;
        let mut out = Vec::new();
        for (catalog, _) in catalogs() {
            if let Some(table) = snapshot.local.by_oid(catalog) {
                out.extend(table.dump()?.into_iter().map(|(k, v)| (catalog, k.as_bytes().to_vec(), v)));
            }
        }
        Ok(out)
    }
    /// Makes `database` start with the template's rows (its own rows in storage are the caller's business).
    pub fn copy_database(&self, database: Oid, template: Oid) -> PgResult<()> {
        let mut inner = self.inner.write().map_err(poisoned)?;
        let local = inner.databases.get(&template).map(|d| d.tables.clone()).unwrap_or_default();
        inner.databases.insert(database, Local { tables: local, ..Local::default() });
        inner.version += 1;
        Ok(())
    }
    pub fn drop_database(&self, database: Oid) -> PgResult<()> {
        self.inner.write().map_err(poisoned)?.databases.remove(&database);
        Ok(())
    }
}

/// The turn to commit. No other catalog change is published while it lives.
#[derive(Debug)]
pub struct CommitGuard {
    store: Arc<CatalogStore>,
    txn: Option<CatalogTxn>,
    database: Oid,
}

impl CommitGuard {
    /// The rows for the commit batch.
    pub fn changes(&self) -> PgResult<Vec<Change>> {
        self.txn.as_ref().map_or(Ok(Vec::new()), CatalogTxn::changes)
    }
    /// Likewise as storage keys and values (`None` deletes).
    pub fn writes(&self) -> PgResult<Vec<StorageWrite>> {
        let list = self.changes()?;
        Ok(list.into_iter().map(|c| (storage_key(self.database, c.catalog, &c.key), c.row)).collect())
    }
    /// Makes the changes visible; returns the new version.
    pub fn publish(mut self) -> PgResult<u64> {
        let mut inner = self.store.inner.write().map_err(poisoned)?;
        inner.version += 1;
        let version = inner.version;
        if let Some(txn) = self.txn.take() {
            let mut current = txn.current;
            current.rels = Arc::new(current.rels.without(txn.touched.iter().copied()));
            if txn.changed.keys().any(|(c, _)| is_shared_catalog(*c)) {
                inner.shared = current.shared.clone();
            }
            let local = Local {
                tables: current.local.clone(),
                rels: current.rels.clone(),
                types: current.types.clone(),
            };
            inner.databases.insert(self.database, local);
        }
        drop(inner);
        Ok(version)
    }
}

impl Drop for CommitGuard {
    fn drop(&mut self) {
        if let Ok(mut busy) = self.store.committing.lock() {
            *busy = false;
        }
        self.store.turn.notify_one();
    }
}
