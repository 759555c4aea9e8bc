//! `CatalogTxn`: what a transaction has done to the catalogs.
//!
//! A change is visible to the transaction at once (that is CommandCounterIncrement) and to nobody else before
//! [`CatalogStore`](crate::CatalogStore) publishes it. Savepoints are clones of persistent maps.

use std::sync::Arc;

use imbl::{OrdMap, OrdSet};

use pglite_error::{PgResult, err};
use pglite_types::Oid;

use crate::key::Key;
use crate::reldesc::touched_relations;
use crate::row::CatalogRow;
use crate::snapshot::{Snapshot, describes_types, is_shared_catalog};

/// One row to be written with the transaction's commit.
#[derive(Clone, Debug)]
pub struct Change {
    /// Belongs to all databases.
    pub shared: bool,
    pub catalog: Oid,
    pub key: Vec<u8>,
    /// The stored bytes, or `None` to delete the key.
    pub row: Option<Vec<u8>>,
}

/// A point to roll back to.
#[derive(Clone, Debug)]
pub struct Mark {
    current: Snapshot,
    changed: OrdMap<(Oid, Key), Arc<Snapshot>>,
    touched: OrdSet<Oid>,
}

#[derive(Clone, Debug)]
pub struct CatalogTxn {
    pub(crate) base: Arc<Snapshot>,
    pub(crate) current: Snapshot,
    /// The changed rows, each with the base that it was first changed on.
    pub(crate) changed: OrdMap<(Oid, Key), Arc<Snapshot>>,
    /// Relations whose descriptors are stale in `base`.
    pub(crate) touched: OrdSet<Oid>,
}

impl CatalogTxn {
    pub fn new(base: Snapshot) -> CatalogTxn {
        CatalogTxn {
            current: base.clone(),
            base: Arc::new(base),
            changed: OrdMap::new(),
            touched: OrdSet::new(),
        }
    }
    /// The committed catalogs underneath.
    pub fn base(&self) -> &Snapshot {
        &self.base
    }
    /// The catalogs as the transaction sees them now.
    pub fn snapshot(&self) -> &Snapshot {
        &self.current
    }
    pub fn is_empty(&self) -> bool {
        self.changed.is_empty()
    }
    pub fn insert<T: CatalogRow>(&mut self, row: T) {
        self.touch(&row);
        let key = T::table_mut(&mut self.current).put(row);
        self.record(T::CATALOG, key);
    }
    /// Replaces the row with the same key.
    pub fn update<T: CatalogRow>(&mut self, row: T) {
        self.insert(row);
    }
    /// Changes the row under a key in place; false when there is none.
    pub fn modify<T: CatalogRow>(&mut self, key: impl Into<Key>, change: impl FnOnce(&mut T)) -> bool {
        let key = key.into();
        let Some(mut row) = T::table(&self.current).get(&key).cloned() else { return false };
        self.touch(&row);
        change(&mut row);
        if row.key() != key {
            self.delete::<T>(key);
        }
        self.insert(row);
        true
    }
    /// False when there was no such row.
    pub fn delete<T: CatalogRow>(&mut self, key: impl Into<Key>) -> bool {
        let key = key.into();
        let Some(row) = T::table(&self.current).get(&key).cloned() else { return false };
        self.touch(&row);
        T::table_mut(&mut self.current).remove(&key);
        self.record(T::CATALOG, key);
        true
    }
    /// Deletes every row that `found` picks; returns how many.
    pub fn delete_where<T: CatalogRow>(&mut self, found: impl Fn(&Snapshot) -> Vec<Key>) -> usize {
        let keys = found(&self.current);
        keys.into_iter().filter(|k| self.delete::<T>(k.clone())).count()
    }
    fn record(&mut self, catalog: Oid, key: Key) {
        if describes_types(catalog) {
            self.current.types = Arc::default();
        }
        self.changed.entry((catalog, key)).or_insert_with(|| self.base.clone());
    }
    fn touch<T: CatalogRow>(&mut self, row: &T) {
        let rels = touched_relations(row);
        if rels.is_empty() {
            return;
        }
        self.forget(rels.iter().copied());
        self.touched.extend(rels);
    }
    /// Drops cached descriptors: from our own cache when nobody shares it, else from a copy.
    fn forget(&mut self, rels: impl Iterator<Item = Oid>) {
        match Arc::get_mut(&mut self.current.rels).and_then(|c| c.0.get_mut().ok()) {
            Some(map) => rels.for_each(|oid| {
                map.remove(&oid);
            }),
            None => self.current.rels = Arc::new(self.current.rels.without(rels)),
        }
    }
    /// The state to return to with [`rollback_to`](Self::rollback_to).
    pub fn mark(&self) -> Mark {
        Mark { current: self.current.clone(), changed: self.changed.clone(), touched: self.touched.clone() }
    }
    pub fn rollback_to(&mut self, mark: &Mark) {
        self.current = mark.current.clone();
        self.changed = mark.changed.clone();
        self.touched = mark.touched.clone();
    }
    /// The rows to write at commit.
    pub fn changes(&self) -> PgResult<Vec<Change>> {
        let mut out = Vec::with_capacity(self.changed.len());
        for (catalog, key) in self.changed.keys() {
            let Some(table) = self.current.any_table(*catalog) else { continue };
            out.push(Change {
                shared: is_shared_catalog(*catalog),
                catalog: *catalog,
                key: key.as_bytes().to_vec(),
                row: table.bytes(key)?,
            });
        }
        Ok(out)
    }
    /// Puts the changes on top of newer committed catalogs. Rows that others changed meanwhile are kept unless this
    /// transaction changed them too; then ours win here, and the commit fails with "tuple concurrently updated".
    pub fn rebase(&mut self, new_base: Snapshot) {
        if self.changed.is_empty() {
            self.current = new_base.clone();
            self.base = Arc::new(new_base);
            return;
        }
        let mut next = new_base.clone();
        for (catalog, key) in self.changed.keys() {
            if let (Some(to), Some(from)) = (next.any_table_mut(*catalog), self.current.any_table(*catalog)) {
                to.copy_key(from, key);
            }
        }
        if self.changed.keys().any(|(c, _)| describes_types(*c)) {
            next.types = Arc::default();
        }
        next.rels = Arc::new(new_base.rels.without(self.touched.iter().copied()));
        self.current = next;
        self.base = Arc::new(new_base);
    }
    /// Conflicts with what others committed since the transaction's base: 40001-like failures of DDL.
    pub(crate) fn check(&self, committed: &Snapshot) -> PgResult<()> {
        for ((catalog, key), base) in &self.changed {
            let (Some(base), Some(now)) = (base.any_table(*catalog), committed.any_table(*catalog)) else {
                continue;
            };
            if !base.same(now, key) {
                return Err(err!(INTERNAL_ERROR, "tuple concurrently updated"));
            }
        }
        Ok(())
    }
    /// Unique indexes of the catalogs, over the rows that this transaction wrote.
    pub(crate) fn check_unique(&self) -> PgResult<()> {
        for (catalog, key) in self.changed.keys() {
            if let Some(e) = self.current.any_table(*catalog).and_then(|t| t.duplicate(key, &self.current)) {
                return Err(e);
            }
        }
        Ok(())
    }
}
