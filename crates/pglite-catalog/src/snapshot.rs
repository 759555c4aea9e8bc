//! `Snapshot`: one database's catalogs (with the shared ones) at one moment.
//!
//! Invariant: immutable once shared. [`CatalogTxn`](crate::CatalogTxn) owns a private one and changes it; everybody
//! else reads. Cloning costs three reference counts.

use std::sync::{Arc, RwLock};

use pglite_types::{Oid, Row, TypeDesc};

use crate::field::RoleNames;
use crate::generated::rows::{AuthidRow, LocalTables, SharedTables};
use crate::key::Key;
use crate::reldesc::RelDesc;
use crate::row::CatalogRow;
use crate::table::{AnyTable, Table};

/// Built relation descriptors, filled when first asked for.
#[derive(Debug, Default)]
pub(crate) struct RelCache(pub(crate) RwLock<imbl::HashMap<Oid, Arc<RelDesc>>>);

/// Built type descriptors; any change of a type starts an empty cache.
#[derive(Debug, Default)]
pub(crate) struct TypeCache(RwLock<imbl::HashMap<Oid, Arc<TypeDesc>>>);

impl RelCache {
    fn entries(&self) -> imbl::HashMap<Oid, Arc<RelDesc>> {
        self.0.read().map(|m| m.clone()).unwrap_or_default()
    }
    /// A cache with the same entries except those of `touched`.
    pub(crate) fn without(&self, touched: impl IntoIterator<Item = Oid>) -> RelCache {
        let mut map = self.entries();
        for oid in touched {
            map.remove(&oid);
        }
        RelCache(RwLock::new(map))
    }
}

#[derive(Clone, Debug)]
pub struct Snapshot {
    pub(crate) shared: Arc<SharedTables>,
    pub(crate) local: Arc<LocalTables>,
    pub(crate) rels: Arc<RelCache>,
    pub(crate) types: Arc<TypeCache>,
    pub(crate) database: Oid,
    pub(crate) version: u64,
}

impl Snapshot {
    /// A database without stored rows.
    pub fn builtin(database: Oid) -> Snapshot {
        Snapshot {
            shared: Arc::default(),
            local: Arc::default(),
            rels: Arc::default(),
            types: Arc::default(),
            database,
            version: 0,
        }
    }
    pub fn database(&self) -> Oid {
        self.database
    }
    /// The number of the commit that made this state; cached plans compare it.
    pub fn version(&self) -> u64 {
        self.version
    }
    /// The table of one row type.
    pub fn table<T: CatalogRow>(&self) -> &Table<T> {
        T::table(self)
    }
    pub fn get<T: CatalogRow>(&self, key: impl Into<Key>) -> Option<&T> {
        T::table(self).get(&key.into())
    }
    pub fn iter<T: CatalogRow>(&self) -> impl Iterator<Item = &T> + '_ {
        T::table(self).iter()
    }
    /// Rows by an index, e.g. `scan::<ClassRow>(ClassRow::BY_RELNAME_NSP, &Key::new().str("t"))`.
    pub fn scan<'a, T: CatalogRow>(
        &'a self,
        index: usize,
        prefix: &Key,
    ) -> impl Iterator<Item = &'a T> + use<'a, T> {
        T::table(self).scan(index, prefix)
    }
    /// Any catalog by its OID, `None` when there is no such catalog.
    pub fn any_table(&self, catalog: Oid) -> Option<&dyn AnyTable> {
        self.local.by_oid(catalog).or_else(|| self.shared.by_oid(catalog))
    }
    /// All rows of a catalog as SQL sees them: `SELECT * FROM pg_proc`.
    pub fn rows(&self, catalog: Oid) -> Option<Box<dyn Iterator<Item = Row> + '_>> {
        Some(self.any_table(catalog)?.rows(self))
    }
    /// Whether the relation is a system catalog that lives in this crate.
    pub fn is_catalog(relation: Oid) -> bool {
        relation.0 < 16384 && catalogs().any(|(oid, _)| oid == relation)
    }
    pub(crate) fn any_table_mut(&mut self, catalog: Oid) -> Option<&mut dyn AnyTable> {
        if self.local.by_oid(catalog).is_some() {
            return Arc::make_mut(&mut self.local).by_oid_mut(catalog);
        }
        Arc::make_mut(&mut self.shared).by_oid_mut(catalog)
    }
    /// The relation with columns, indexes and the rest; built once, then shared until it is touched.
    pub fn rel(&self, oid: Oid) -> Option<Arc<RelDesc>> {
        if let Some(found) = self.rels.0.read().ok().and_then(|m| m.get(&oid).cloned()) {
            return Some(found);
        }
        let built = Arc::new(RelDesc::build(self, oid)?);
        if let Ok(mut map) = self.rels.0.write() {
            map.insert(oid, built.clone());
        }
        Some(built)
    }
}

impl Snapshot {
    /// What `pglite-types` needs to know about a type; built once, then shared until any type changes.
    pub fn type_desc(&self, oid: Oid) -> Option<Arc<TypeDesc>> {
        if let Some(found) = self.types.0.read().ok().and_then(|m| m.get(&oid).cloned()) {
            return Some(found);
        }
        let built = Arc::new(crate::type_desc::build(self, oid)?);
        if let Ok(mut map) = self.types.0.write() {
            map.insert(oid, built.clone());
        }
        Some(built)
    }
}

/// Whether the rows of a catalog go into type descriptors.
pub(crate) fn describes_types(catalog: Oid) -> bool {
    use crate::generated::rows::{AttributeRow, EnumRow, NamespaceRow, RangeRow, TypeRow};
    [AttributeRow::CATALOG, EnumRow::CATALOG, NamespaceRow::CATALOG, RangeRow::CATALOG, TypeRow::CATALOG]
        .contains(&catalog)
}

/// OID and name of every system catalog.
pub fn catalogs() -> impl Iterator<Item = (Oid, &'static str)> {
    LocalTables::CATALOGS.iter().chain(SharedTables::CATALOGS).copied()
}

/// Whether the catalog is shared by all databases.
pub fn is_shared_catalog(catalog: Oid) -> bool {
    SharedTables::CATALOGS.iter().any(|c| c.0 == catalog)
}

impl RoleNames for Snapshot {
    fn role_name(&self, role: Oid) -> Option<&str> {
        self.get::<AuthidRow>(role).map(|r| &*r.rolname)
    }
    fn role_oid(&self, name: &str) -> Option<Oid> {
        self.role_by_name(name).map(|r| r.oid)
    }
}
