//! One catalog's rows: stored rows and tombstones (persistent maps) over the built-in ones.
//!
//! Invariant: `over` decides: a key in it is either a stored row or hidden; only other keys fall through to the statics.
//! Each index map holds exactly the stored rows.

use std::any::Any;
use std::sync::Arc;

use imbl::OrdMap;

use pglite_error::{PgError, PgResult};
use pglite_types::{Oid, Row};

use crate::field::{Reader, RoleNames};
use crate::key::Key;
use crate::row::CatalogRow;

#[derive(Clone, Debug)]
pub struct Table<T: CatalogRow> {
    over: OrdMap<Key, Option<Arc<T>>>,
    /// Key: the index columns, then the primary key.
    indexes: Vec<OrdMap<Key, Arc<T>>>,
}

impl<T: CatalogRow> Default for Table<T> {
    fn default() -> Table<T> {
        Table { over: OrdMap::new(), indexes: vec![OrdMap::new(); T::INDEXES.len()] }
    }
}

impl<T: CatalogRow> Table<T> {
    pub fn get(&self, key: &Key) -> Option<&T> {
        if !self.over.is_empty()
            && let Some(entry) = self.over.get(key)
        {
            return entry.as_deref();
        }
        T::builtin().get(key)
    }
    fn hidden(&self, row: &T) -> bool {
        !self.over.is_empty() && self.over.contains_key(&row.key())
    }
    /// All rows: built-in ones in PostgreSQL's order, then stored ones in key order.
    pub fn iter(&self) -> impl Iterator<Item = &T> + '_ {
        let builtin = T::builtin().rows().map(|r: &T| r).filter(|r| !self.hidden(r));
        builtin.chain(self.over.values().filter_map(|v| v.as_deref()))
    }
    /// The rows whose key in `index` begins with `prefix`: built-in ones first, each part in index order.
    pub fn scan<'a>(&'a self, index: usize, prefix: &Key) -> impl Iterator<Item = &'a T> + use<'a, T> {
        let builtin = T::builtin().scan(index, prefix).iter().map(|(_, r)| *r).filter(|r| !self.hidden(r));
        builtin.chain(prefix_iter(&self.indexes[index], prefix).map(|(_, r)| &**r))
    }
    /// The rows whose primary key begins with `prefix`.
    pub fn scan_primary<'a>(&'a self, prefix: &Key) -> impl Iterator<Item = &'a T> + use<'a, T> {
        let builtin = T::builtin().scan_primary(prefix).iter().map(|(_, r)| *r).filter(|r| !self.hidden(r));
        builtin.chain(prefix_iter(&self.over, prefix).filter_map(|(_, r)| r.as_deref()))
    }
    /// The only row (or the first) of an index lookup.
    pub fn find(&self, index: usize, key: &Key) -> Option<&T> {
        self.scan(index, key).next()
    }
    /// Inserts or replaces. Returns the key.
    pub fn put(&mut self, row: T) -> Key {
        let key = row.key();
        let row = Arc::new(row);
        self.drop_from_indexes(&key);
        for (i, map) in self.indexes.iter_mut().enumerate() {
            map.insert(row.index_key(i).join(&key), row.clone());
        }
        self.over.insert(key.clone(), Some(row));
        key
    }
    /// Removes the row, leaving a tombstone when it is built in. False when there was none.
    pub fn remove(&mut self, key: &Key) -> bool {
        let existed = self.get(key).is_some();
        self.drop_from_indexes(key);
        if T::builtin().get(key).is_some() {
            self.over.insert(key.clone(), None);
        } else {
            self.over.remove(key);
        }
        existed
    }
    fn drop_from_indexes(&mut self, key: &Key) {
        if let Some(Some(old)) = self.over.get(key) {
            for (i, map) in self.indexes.iter_mut().enumerate() {
                map.remove(&old.index_key(i).join(key));
            }
        }
    }
}

fn prefix_iter<'a, V: Clone>(
    map: &'a OrdMap<Key, V>,
    prefix: &Key,
) -> impl Iterator<Item = (&'a Key, &'a V)> + use<'a, V> {
    let p = prefix.clone();
    map.range(prefix.clone()..).take_while(move |(k, _)| k.as_bytes().starts_with(p.as_bytes()))
}

const TAG_TOMBSTONE: u8 = 0;
const TAG_ROW: u8 = 1;

/// A [`Table`] of any row type, for scans by catalog OID, storage and merging.
pub trait AnyTable: Send + Sync {
    fn catalog(&self) -> Oid;
    /// About how many rows there are: a changed built-in row counts twice.
    fn size(&self) -> usize;
    /// Rows as SQL sees them.
    fn rows<'a>(&'a self, names: &'a dyn RoleNames) -> Box<dyn Iterator<Item = Row> + 'a>;
    /// The storage bytes of every stored row and tombstone.
    fn dump(&self) -> PgResult<Vec<(Key, Vec<u8>)>>;
    /// The storage bytes for a key: `None` when nothing is stored.
    fn bytes(&self, key: &Key) -> PgResult<Option<Vec<u8>>>;
    /// Puts what [`bytes`](Self::bytes) or [`dump`](Self::dump) gave.
    fn load(&mut self, key: &Key, bytes: &[u8]) -> PgResult<()>;
    /// Takes over `from`'s state of `key` (`from` is a table of the same catalog).
    fn copy_key(&mut self, from: &dyn AnyTable, key: &Key);
    /// Whether both tables hold the very same row (or none) under `key`.
    fn same(&self, other: &dyn AnyTable, key: &Key) -> bool;
    /// The unique index that the row under `key` violates, with its key columns and values.
    fn duplicate(&self, key: &Key, names: &dyn RoleNames) -> Option<PgError>;
    fn as_any(&self) -> &dyn Any;
}

impl<T: CatalogRow> AnyTable for Table<T> {
    fn catalog(&self) -> Oid {
        T::CATALOG
    }
    fn size(&self) -> usize {
        T::builtin().len() + self.over.len()
    }
    fn rows<'a>(&'a self, names: &'a dyn RoleNames) -> Box<dyn Iterator<Item = Row> + 'a> {
        Box::new(self.iter().map(move |r| r.to_row(names)))
    }
    fn dump(&self) -> PgResult<Vec<(Key, Vec<u8>)>> {
        self.over.iter().map(|(k, v)| Ok((k.clone(), row_bytes(v.as_deref())?))).collect()
    }
    fn bytes(&self, key: &Key) -> PgResult<Option<Vec<u8>>> {
        self.over.get(key).map(|v| row_bytes(v.as_deref())).transpose()
    }
    fn load(&mut self, key: &Key, bytes: &[u8]) -> PgResult<()> {
        match bytes.split_first() {
            Some((&TAG_TOMBSTONE, _)) => {
                self.over.insert(key.clone(), None);
            }
            Some((&TAG_ROW, rest)) => {
                self.put(T::decode(&mut Reader(rest))?);
            }
            _ => return Err(PgError::internal(format!("bad stored row of {}", T::NAME))),
        }
        Ok(())
    }
    fn copy_key(&mut self, from: &dyn AnyTable, key: &Key) {
        let Some(from) = from.as_any().downcast_ref::<Table<T>>() else { return };
        self.drop_from_indexes(key);
        match from.over.get(key) {
            Some(Some(row)) => {
                for (i, map) in self.indexes.iter_mut().enumerate() {
                    map.insert(row.index_key(i).join(key), row.clone());
                }
                self.over.insert(key.clone(), Some(row.clone()));
            }
            Some(None) => {
                self.over.insert(key.clone(), None);
            }
            None => {
                self.over.remove(key);
            }
        }
    }
    fn same(&self, other: &dyn AnyTable, key: &Key) -> bool {
        let Some(other) = other.as_any().downcast_ref::<Table<T>>() else { return false };
        match (self.over.get(key), other.over.get(key)) {
            (Some(Some(a)), Some(Some(b))) => Arc::ptr_eq(a, b),
            (a, b) => {
                a.is_none() == b.is_none() && a.is_some_and(Option::is_none) == b.is_some_and(Option::is_none)
            }
        }
    }
    fn duplicate(&self, key: &Key, names: &dyn RoleNames) -> Option<PgError> {
        let row = self.over.get(key)?.as_ref()?;
        for (i, spec) in T::INDEXES.iter().enumerate().filter(|(_, s)| s.unique) {
            if self.scan(i, &row.index_key(i)).any(|r| r.key() != *key) {
                let values = row.to_row(names);
                let shown: Vec<String> = spec
                    .columns
                    .iter()
                    .filter_map(|c| T::COLUMNS.iter().position(|n| n == c))
                    .map(|at| show(&values[at]))
                    .collect();
                return Some(
                    pglite_error::err!(
                        UNIQUE_VIOLATION,
                        "duplicate key value violates unique constraint \"{}\"",
                        spec.name
                    )
                    .detail(format!(
                        "Key ({})=({}) already exists.",
                        spec.columns.join(", "),
                        shown.join(", ")
                    )),
                );
            }
        }
        None
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
}

fn row_bytes<T: CatalogRow>(row: Option<&T>) -> PgResult<Vec<u8>> {
    let Some(row) = row else { return Ok(vec![TAG_TOMBSTONE]) };
    let mut out = vec![TAG_ROW];
    row.encode(&mut out)?;
    Ok(out)
}

fn show(d: &pglite_types::Datum) -> String {
    use pglite_types::Datum;
    match d {
        Datum::Text(s) => s.to_string(),
        Datum::Oid(o) => o.to_string(),
        Datum::Int2(v) => v.to_string(),
        Datum::Int4(v) => v.to_string(),
        Datum::Char(c) => (*c as char).to_string(),
        Datum::Array(a) => a.values.iter().map(show).collect::<Vec<_>>().join(" "),
        other => format!("{other:?}"),
    }
}
