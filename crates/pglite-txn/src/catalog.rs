//! Descriptors from the catalogs: what the access methods need of a relation, and nothing else.

use std::sync::Arc;

use pglite_catalog::{EnumRow, IndexDesc, Key, RelDesc, Snapshot};
use pglite_codec::KeyOrder;
use pglite_error::{PgResult, bail};
use pglite_types::Oid;
use pglite_types::storage::PhysKind;

use crate::desc::{EnumOrder, IndexColumn, IndexRef, TableDesc};

/// How values of a type are stored.
pub fn kind_of(catalog: &Snapshot, type_oid: Oid) -> PgResult<PhysKind> {
    let base = catalog.base_type(type_oid);
    if let Some(kind) = PhysKind::of_builtin(base) {
        return Ok(kind);
    }
    let Some(row) = catalog.type_by_oid(base) else {
        bail!(UNDEFINED_OBJECT, "type with OID {base} does not exist");
    };
    Ok(match row.typtype {
        b'e' => PhysKind::Oid,
        b'c' => PhysKind::Record,
        b'r' => PhysKind::Range,
        b'm' => PhysKind::Multirange,
        b'p' => PhysKind::Text,
        _ if row.typelem.is_valid() && row.typlen == -1 => PhysKind::Array,
        _ => PhysKind::Extension,
    })
}

/// A kind of the same width for a dropped column, of which only `attlen` is left.
///
/// PG: 16 bytes are a uuid or an interval; a point is stored with variable width here, and so must leave -1 behind.
fn kind_of_dropped(attlen: i16) -> PhysKind {
    match attlen {
        1 => PhysKind::Char,
        2 => PhysKind::Int2,
        4 => PhysKind::Int4,
        6 | 8 => PhysKind::Int8,
        12 | 16 => PhysKind::Uuid,
        _ => PhysKind::Bytea,
    }
}

/// The sort positions of an enum's labels.
pub fn enum_order(catalog: &Snapshot, type_oid: Oid) -> Option<EnumOrder> {
    let base = catalog.base_type(type_oid);
    catalog.type_by_oid(base).filter(|row| row.typtype == b'e')?;
    let mut labels: Vec<(Oid, f32)> = catalog
        .scan(EnumRow::BY_TYPID_SORTORDER, &Key::new().oid(base))
        .map(|l: &EnumRow| (l.oid, l.enumsortorder))
        .collect();
    labels.sort_by_key(|(oid, _)| *oid);
    Some(labels.into())
}

impl TableDesc {
    /// The table of a catalog entry.
    pub fn from_catalog(catalog: &Snapshot, rel: &RelDesc) -> PgResult<TableDesc> {
        let mut kinds = Vec::with_capacity(rel.columns.len());
        for column in &rel.columns {
            kinds.push(if column.dropped {
                kind_of_dropped(catalog.attribute(rel.oid, column.attnum).map_or(-1, |a| a.attlen))
            } else {
                kind_of(catalog, column.type_oid)?
            });
        }
        let missing = rel.columns.iter().map(|column| column.missing.clone()).collect();
        let database = if rel.shared { Oid::INVALID } else { catalog.database() };
        let schema = catalog.namespace_name(rel.namespace).unwrap_or("");
        Ok(TableDesc::new(database, rel.oid, rel.filenode.0, kinds, missing).named(schema, &rel.name))
    }
}

impl IndexRef {
    /// The index of a catalog entry.
    pub fn from_catalog(catalog: &Snapshot, rel: &RelDesc, index: &IndexDesc) -> PgResult<IndexRef> {
        let mut columns = Vec::with_capacity(index.nkeys);
        for key in index.key_columns() {
            let base = catalog.base_type(key.type_oid);
            let order = KeyOrder { desc: key.desc, nulls_first: key.nulls_first };
            columns.push(IndexColumn {
                enum_order: enum_order(catalog, base),
                ..IndexColumn::new(kind_of(catalog, base)?, base, order)
            });
        }
        let mut include = Vec::new();
        for key in index.keys.iter().skip(index.nkeys) {
            include.push(kind_of(catalog, key.type_oid)?);
        }
        let database = if rel.shared { Oid::INVALID } else { catalog.database() };
        Ok(IndexRef::new(database, index.oid, index.table, index.filenode.0, index.unique, columns)
            .including(include)
            .nulls_not_distinct(index.nulls_not_distinct)
            .named(&index.name))
    }
    /// Likewise, shared.
    pub fn all_of(catalog: &Snapshot, rel: &RelDesc) -> PgResult<Vec<Arc<IndexRef>>> {
        rel.indexes.iter().map(|index| IndexRef::from_catalog(catalog, rel, index).map(Arc::new)).collect()
    }
}
