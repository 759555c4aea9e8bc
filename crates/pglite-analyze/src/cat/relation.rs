//! Relations: name lookup along the search path, and columns in the analyzer's terms.

use std::sync::Arc;

use pglite_catalog::{ClassRow, Key, RelDesc};
use pglite_types::Oid;

use super::Cat;

/// One column of a relation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Att<'r> {
    pub attnum: i16,
    pub name: &'r str,
    pub ty: Oid,
    pub typmod: i32,
    pub collation: Oid,
    pub dropped: bool,
}

impl<'e> Cat<'e> {
    pub fn relation(self, rel: Oid) -> Option<Arc<RelDesc>> {
        if rel.is_valid() { self.snap.rel(rel) } else { None }
    }

    /// All columns in attnum order, dropped ones included.
    pub fn all_atts(self, rel: &RelDesc) -> impl Iterator<Item = Att<'_>> {
        rel.columns.iter().map(|c| Att {
            attnum: c.attnum,
            name: &c.name,
            ty: c.type_oid,
            typmod: c.typmod,
            collation: c.collation,
            dropped: c.dropped,
        })
    }

    pub fn live_atts(self, rel: &RelDesc) -> impl Iterator<Item = Att<'_>> {
        self.all_atts(rel).filter(|a| !a.dropped)
    }

    pub fn relation_in(self, nsp: Oid, name: &str) -> Option<Oid> {
        self.table::<ClassRow>().find(ClassRow::BY_RELNAME_NSP, &Key::new().str(name).oid(nsp)).map(|c| c.oid)
    }

    /// The relation that an unqualified name means.
    pub fn relation_in_path(self, name: &str) -> Option<Oid> {
        self.path.schemas.iter().find_map(|nsp| self.relation_in(*nsp, name))
    }

    /// The namespaces to search, in order: temporary, pg_catalog and the path's own.
    pub fn path_namespaces(self) -> &'e [Oid] {
        &self.path.schemas
    }

    pub fn temp_namespace(self) -> Option<Oid> {
        self.path.temp
    }
}
