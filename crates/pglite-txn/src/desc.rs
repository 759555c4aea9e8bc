//! What the access methods know of a table and an index: identity, column shapes, key order.
//!
//! Built once from the catalog and shared by every plan that names the relation.

use std::sync::Arc;

use pglite_codec::{KeyOrder, RowLayout};
use pglite_types::storage::PhysKind;
use pglite_types::{Datum, Oid, keys};

use crate::layout::Space;

/// A table as the access method sees it.
#[derive(Clone, Debug)]
pub struct TableDesc {
    pub database: Oid,
    pub relation: Oid,
    pub filenode: u32,
    pub space: Space,
    /// One per attribute number, dropped columns included.
    pub kinds: Box<[PhysKind]>,
    pub layout: RowLayout,
    /// What a column reads as in rows written before it was added.
    pub missing: Box<[Option<Datum>]>,
    /// For error messages.
    pub schema: Box<str>,
    pub name: Box<str>,
}

fn row_layout(kinds: impl Iterator<Item = PhysKind>) -> RowLayout {
    RowLayout::new(&kinds.map(PhysKind::shape).collect::<Vec<_>>())
}

impl TableDesc {
    /// `missing` may be shorter than `kinds`.
    pub fn new(
        database: Oid,
        relation: Oid,
        filenode: u32,
        kinds: Vec<PhysKind>,
        missing: Vec<Option<Datum>>,
    ) -> TableDesc {
        TableDesc {
            database,
            relation,
            filenode,
            space: Space::new(database.0, filenode),
            layout: row_layout(kinds.iter().copied()),
            kinds: kinds.into(),
            missing: missing.into(),
            schema: "".into(),
            name: "".into(),
        }
    }
    /// Adds the names that error messages show.
    pub fn named(mut self, schema: &str, name: &str) -> TableDesc {
        self.schema = schema.into();
        self.name = name.into();
        self
    }
    /// What column `i` reads as in a row that has no such column.
    pub fn missing(&self, i: usize) -> Datum {
        self.missing.get(i).cloned().flatten().unwrap_or_default()
    }
}

/// The sort positions of an enum's labels, by label OID.
pub type EnumOrder = Arc<[(Oid, f32)]>;

/// One key column of an index.
#[derive(Clone, Debug, PartialEq)]
pub struct IndexColumn {
    pub kind: PhysKind,
    /// The column's base type.
    pub type_oid: Oid,
    pub order: KeyOrder,
    /// For an enum: sorted by label OID. Keys sort by position, and a label added in between keeps them valid.
    pub enum_order: Option<EnumOrder>,
}

impl IndexColumn {
    pub fn new(kind: PhysKind, type_oid: Oid, order: KeyOrder) -> IndexColumn {
        IndexColumn { kind, type_oid, order, enum_order: None }
    }
    /// Whether the key's bytes give back the exact value. Where equal values differ in print, they do not.
    pub fn decodable(&self) -> bool {
        self.enum_order.is_none() && keys::is_exact(self.kind, self.type_oid)
    }
}

/// An index as the access method sees it.
#[derive(Clone, Debug)]
pub struct IndexRef {
    pub database: Oid,
    pub index: Oid,
    pub table: Oid,
    pub filenode: u32,
    pub space: Space,
    pub unique: bool,
    pub nulls_not_distinct: bool,
    pub columns: Box<[IndexColumn]>,
    /// Columns of INCLUDE: in the entry's value, not in its key.
    pub include: Box<[PhysKind]>,
    /// Key columns whose values the entry's value repeats, then the INCLUDE columns.
    pub(crate) stored: Box<[u16]>,
    pub(crate) stored_kinds: Box<[PhysKind]>,
    pub(crate) stored_layout: RowLayout,
    /// For error messages.
    pub name: Box<str>,
}

impl IndexRef {
    pub fn new(
        database: Oid,
        index: Oid,
        table: Oid,
        filenode: u32,
        unique: bool,
        columns: Vec<IndexColumn>,
    ) -> IndexRef {
        let mut index = IndexRef {
            database,
            index,
            table,
            filenode,
            space: Space::new(database.0, filenode),
            unique,
            nulls_not_distinct: false,
            columns: columns.into(),
            include: [].into(),
            stored: [].into(),
            stored_kinds: [].into(),
            stored_layout: RowLayout::new(&[]),
            name: "".into(),
        };
        index.set_stored();
        index
    }
    /// Adds INCLUDE columns.
    pub fn including(mut self, kinds: Vec<PhysKind>) -> IndexRef {
        self.include = kinds.into();
        self.set_stored();
        self
    }
    pub fn nulls_not_distinct(mut self, on: bool) -> IndexRef {
        self.nulls_not_distinct = on;
        self
    }
    pub fn named(mut self, name: &str) -> IndexRef {
        self.name = name.into();
        self
    }
    /// The number of values an entry is made of: key columns, then INCLUDE columns.
    pub fn width(&self) -> usize {
        self.columns.len() + self.include.len()
    }
    fn set_stored(&mut self) {
        let keys = self.columns.len();
        let repeated = self.columns.iter().enumerate().filter(|(_, c)| !c.decodable());
        let mut stored: Vec<(u16, PhysKind)> = repeated.map(|(i, c)| (i as u16, c.kind)).collect();
        stored.extend(self.include.iter().enumerate().map(|(i, kind)| ((keys + i) as u16, *kind)));
        self.stored = stored.iter().map(|(i, _)| *i).collect();
        self.stored_kinds = stored.iter().map(|(_, kind)| *kind).collect();
        self.stored_layout = row_layout(self.stored_kinds.iter().copied());
    }
}
