//! `RelDesc`: a relation with its columns, indexes, constraints, parents and children, as planning and execution need it.
//!
//! Built from the catalog rows when first asked for and shared by the snapshot; whoever changes one of those rows drops
//! the descriptor ([`touched_relations`]).

use std::any::Any;
use std::sync::Arc;

use smallvec::SmallVec;

use pglite_types::{Datum, Oid};

use crate::generated::rows::*;
use crate::row::CatalogRow;
use crate::snapshot::Snapshot;
use crate::value::{List, Str};

#[derive(Clone, Debug)]
pub struct ColumnDesc {
    /// 1-based.
    pub attnum: i16,
    pub name: Str,
    pub type_oid: Oid,
    pub typmod: i32,
    pub collation: Oid,
    pub not_null: bool,
    /// Declared dimensions; 0 for none.
    pub ndims: i16,
    pub has_default: bool,
    /// SQL text of the default, or of the generation expression.
    pub default: Option<Str>,
    /// 0, `a` (always) or `d` (by default).
    pub identity: u8,
    /// 0, `s` (stored) or `v` (virtual).
    pub generated: u8,
    pub dropped: bool,
    pub storage: u8,
    pub compression: u8,
    /// The value of rows written before the column was added.
    pub missing: Option<Datum>,
    pub is_local: bool,
    pub inherited: i16,
}

#[derive(Clone, Debug)]
pub struct IndexKey {
    /// 1-based column, or 0 for an expression.
    pub attnum: i16,
    /// SQL text of the expression when `attnum` is 0.
    pub expr: Option<Str>,
    pub type_oid: Oid,
    pub typmod: i32,
    /// INVALID for INCLUDE columns.
    pub opclass: Oid,
    pub opfamily: Oid,
    pub opcintype: Oid,
    pub collation: Oid,
    pub desc: bool,
    pub nulls_first: bool,
}

#[derive(Clone, Debug)]
pub struct IndexDesc {
    pub oid: Oid,
    pub name: Str,
    pub namespace: Oid,
    pub table: Oid,
    pub filenode: Oid,
    pub tablespace: Oid,
    pub am: Oid,
    pub unique: bool,
    pub primary: bool,
    pub exclusion: bool,
    pub nulls_not_distinct: bool,
    /// Uniqueness is checked at once (not DEFERRABLE).
    pub immediate: bool,
    pub valid: bool,
    pub ready: bool,
    pub clustered: bool,
    pub replica_identity: bool,
    /// Key columns first, then INCLUDE columns.
    pub keys: Vec<IndexKey>,
    /// How many of `keys` are key columns.
    pub nkeys: usize,
    /// SQL text of the partial index's condition.
    pub predicate: Option<Str>,
    pub options: Option<List<Str>>,
}

impl IndexDesc {
    /// The key columns, without INCLUDE columns.
    pub fn key_columns(&self) -> &[IndexKey] {
        &self.keys[..self.nkeys.min(self.keys.len())]
    }
    pub fn has_expressions(&self) -> bool {
        self.keys.iter().any(|k| k.attnum == 0)
    }
}

/// The partition key of a partitioned table.
#[derive(Clone, Debug)]
pub struct PartitionKey {
    /// `l`, `r` or `h`.
    pub strategy: u8,
    /// 0 for an expression.
    pub attnums: Vec<i16>,
    pub exprs: Vec<Str>,
    pub opclasses: Vec<Oid>,
    pub collations: Vec<Oid>,
    /// The default partition, or INVALID.
    pub default: Oid,
}

#[derive(Clone, Debug)]
pub struct RelDesc {
    pub oid: Oid,
    pub name: Str,
    pub namespace: Oid,
    /// `pg_class.relkind`: r, v, m, i, I, S, t, c, f, p.
    pub kind: u8,
    /// p, u or t.
    pub persistence: u8,
    pub owner: Oid,
    /// The composite type of its rows.
    pub row_type: Oid,
    pub of_type: Oid,
    pub am: Oid,
    pub filenode: Oid,
    pub tablespace: Oid,
    pub toast: Oid,
    pub shared: bool,
    /// A system catalog: its rows come from [`Snapshot::rows`].
    pub is_catalog: bool,
    pub pages: i32,
    pub tuples: f32,
    /// By attnum - 1, dropped ones included.
    pub columns: Vec<ColumnDesc>,
    /// In OID order, as PostgreSQL visits them.
    pub indexes: Vec<Arc<IndexDesc>>,
    /// Every constraint of the relation, in name order.
    pub constraints: Vec<ConstraintRow>,
    pub has_triggers: bool,
    pub has_rules: bool,
    pub row_security: bool,
    pub force_row_security: bool,
    pub populated: bool,
    pub replica_identity: u8,
    pub options: Option<List<Str>>,
    /// Direct parents in order.
    pub parents: Vec<Oid>,
    /// Direct children in OID order.
    pub children: Vec<Oid>,
    pub has_children: bool,
    pub is_partition: bool,
    /// SQL text of this partition's bound (`FOR VALUES ...` or `DEFAULT`).
    pub partition_bound: Option<Str>,
    pub partition_key: Option<PartitionKey>,
    /// SQL text of a view's or materialized view's query.
    pub view: Option<Str>,
}

impl RelDesc {
    /// The live column of that name.
    pub fn column(&self, name: &str) -> Option<&ColumnDesc> {
        self.columns.iter().find(|c| !c.dropped && &*c.name == name)
    }
    /// By 1-based attnum.
    pub fn attr(&self, attnum: i16) -> Option<&ColumnDesc> {
        usize::try_from(attnum).ok().filter(|&n| n > 0).and_then(|n| self.columns.get(n - 1))
    }
    pub fn live_columns(&self) -> impl Iterator<Item = &ColumnDesc> {
        self.columns.iter().filter(|c| !c.dropped)
    }
    pub fn is_view(&self) -> bool {
        self.kind == b'v'
    }
    pub fn is_partitioned(&self) -> bool {
        self.kind == b'p'
    }
    pub fn is_temp(&self) -> bool {
        self.persistence == b't'
    }
    /// CHECK constraints in name order.
    pub fn checks(&self) -> impl Iterator<Item = &ConstraintRow> {
        self.constraints.iter().filter(|c| c.contype == b'c')
    }
    /// Foreign keys of this table.
    pub fn foreign_keys(&self) -> impl Iterator<Item = &ConstraintRow> {
        self.constraints.iter().filter(|c| c.contype == b'f')
    }
    pub fn primary_key(&self) -> Option<&Arc<IndexDesc>> {
        self.indexes.iter().find(|i| i.primary)
    }

    pub(crate) fn build(s: &Snapshot, oid: Oid) -> Option<RelDesc> {
        let class = s.class_by_oid(oid)?;
        let columns = s.attributes(oid).filter(|a| a.attnum > 0).map(|a| column(s, a)).collect();
        let mut index_oids: Vec<Oid> =
            if class.relhasindex { s.indexes_of(oid).map(|i| i.indexrelid).collect() } else { Vec::new() };
        index_oids.sort();
        let mut children: Vec<Oid> = s.children_of(oid).map(|i| i.inhrelid).collect();
        children.sort();
        Some(RelDesc {
            oid,
            name: class.relname.clone(),
            namespace: class.relnamespace,
            kind: class.relkind,
            persistence: class.relpersistence,
            owner: class.relowner,
            row_type: class.reltype,
            of_type: class.reloftype,
            am: class.relam,
            filenode: class.relfilenode,
            tablespace: class.reltablespace,
            toast: class.reltoastrelid,
            shared: class.relisshared,
            is_catalog: class.relkind == b'r' && Snapshot::is_catalog(oid),
            pages: class.relpages,
            tuples: class.reltuples,
            columns,
            indexes: index_oids.into_iter().filter_map(|i| index(s, i).map(Arc::new)).collect(),
            constraints: s.constraints_of(oid).cloned().collect(),
            has_triggers: class.relhastriggers,
            has_rules: class.relhasrules,
            row_security: class.relrowsecurity,
            force_row_security: class.relforcerowsecurity,
            populated: class.relispopulated,
            replica_identity: class.relreplident,
            options: class.reloptions.clone(),
            parents: s.parents_of(oid).map(|i| i.inhparent).collect(),
            has_children: !children.is_empty(),
            children,
            is_partition: class.relispartition,
            partition_bound: class.relpartbound.clone(),
            partition_key: s.partitioned_table(oid).map(partition_key),
            view: matches!(class.relkind, b'v' | b'm').then(|| view_text(s, class)).flatten(),
        })
    }
}

fn column(s: &Snapshot, a: &AttributeRow) -> ColumnDesc {
    ColumnDesc {
        attnum: a.attnum,
        name: a.attname.clone(),
        type_oid: a.atttypid,
        typmod: a.atttypmod,
        collation: a.attcollation,
        not_null: a.attnotnull,
        ndims: a.attndims,
        has_default: a.atthasdef,
        default: if a.atthasdef { s.attrdef(a.attrelid, a.attnum).map(|d| d.adbin.clone()) } else { None },
        identity: a.attidentity,
        generated: a.attgenerated,
        dropped: a.attisdropped,
        storage: a.attstorage,
        compression: a.attcompression,
        missing: a
            .attmissingval
            .as_ref()
            .filter(|_| a.atthasmissing)
            .and_then(|m| m.0.values.first().cloned()),
        is_local: a.attislocal,
        inherited: a.attinhcount,
    }
}

fn index(s: &Snapshot, oid: Oid) -> Option<IndexDesc> {
    let row = s.index(oid)?;
    let class = s.class_by_oid(oid)?;
    let exprs: Vec<Str> =
        row.indexprs.as_ref().map(|e| split_list(e).into_iter().map(Str::from).collect()).unwrap_or_default();
    let mut exprs = exprs.into_iter();
    let nkeys = row.indnkeyatts as usize;
    let mut keys = Vec::with_capacity(row.indkey.len());
    for (i, &attnum) in row.indkey.iter().enumerate() {
        // PG: an index's own column may have the type it stores (a hash code, a cstring); the key has the table's.
        let own = match attnum {
            0 => s.attribute(oid, i as i16 + 1),
            _ => s.attribute(row.indrelid, attnum),
        };
        let opclass = if i < nkeys { row.indclass.get(i).copied().unwrap_or_default() } else { Oid::INVALID };
        let class = s.opclass_by_oid(opclass);
        let option = row.indoption.get(i).copied().unwrap_or(0);
        keys.push(IndexKey {
            attnum,
            expr: if attnum == 0 { exprs.next() } else { None },
            type_oid: own.map_or(Oid::INVALID, |a| a.atttypid),
            typmod: own.map_or(-1, |a| a.atttypmod),
            opclass,
            opfamily: class.map_or(Oid::INVALID, |c| c.opcfamily),
            opcintype: class.map_or(Oid::INVALID, |c| c.opcintype),
            collation: row.indcollation.get(i).copied().unwrap_or_default(),
            desc: option & 1 != 0,
            nulls_first: option & 2 != 0,
        });
    }
    Some(IndexDesc {
        oid,
        name: class.relname.clone(),
        namespace: class.relnamespace,
        table: row.indrelid,
        filenode: class.relfilenode,
        tablespace: class.reltablespace,
        am: class.relam,
        unique: row.indisunique,
        primary: row.indisprimary,
        exclusion: row.indisexclusion,
        nulls_not_distinct: row.indnullsnotdistinct,
        immediate: row.indimmediate,
        valid: row.indisvalid,
        ready: row.indisready,
        clustered: row.indisclustered,
        replica_identity: row.indisreplident,
        keys,
        nkeys,
        predicate: row.indpred.clone(),
        options: class.reloptions.clone(),
    })
}

fn partition_key(p: &PartitionedTableRow) -> PartitionKey {
    PartitionKey {
        strategy: p.partstrat,
        attnums: p.partattrs.to_vec(),
        exprs: p
            .partexprs
            .as_ref()
            .map(|e| split_list(e).into_iter().map(Str::from).collect())
            .unwrap_or_default(),
        opclasses: p.partclass.to_vec(),
        collations: p.partcollation.to_vec(),
        default: p.partdefid,
    }
}

fn view_text(s: &Snapshot, class: &ClassRow) -> Option<Str> {
    let rule = s.rules_of(class.oid).find(|r| &*r.rulename == "_RETURN");
    match rule.map(|r| &r.ev_action).filter(|a| !a.is_empty()) {
        Some(text) => Some(text.clone()),
        None => {
            crate::views::definition(s.namespace_name(class.relnamespace)?, &class.relname).map(Str::Static)
        }
    }
}

/// Splits the SQL text of an expression list (`indexprs`, `proargdefaults` ...) at its top-level commas.
pub fn split_list(text: &str) -> Vec<&str> {
    let bytes = text.as_bytes();
    let (mut parts, mut start, mut depth, mut i) = (Vec::new(), 0, 0usize, 0);
    while i < bytes.len() {
        match bytes[i] {
            b'(' | b'[' => depth += 1,
            b')' | b']' => depth = depth.saturating_sub(1),
            q @ (b'\'' | b'"') => {
                let escapes = q == b'\'' && i > 0 && matches!(bytes[i - 1], b'E' | b'e');
                i += 1;
                while i < bytes.len() && bytes[i] != q {
                    i += if escapes && bytes[i] == b'\\' { 2 } else { 1 };
                }
            }
            b',' if depth == 0 => {
                parts.push(text[start..i].trim());
                start = i + 1;
            }
            _ => {}
        }
        i += 1;
    }
    let last = text[start.min(text.len())..].trim();
    if !last.is_empty() {
        parts.push(last);
    }
    parts
}

/// The relations whose descriptor depends on a row.
pub(crate) fn touched_relations<T: CatalogRow>(row: &T) -> SmallVec<[Oid; 2]> {
    let mut out = SmallVec::new();
    let row = row as &dyn Any;
    if let Some(r) = row.downcast_ref::<ClassRow>() {
        out.push(r.oid);
    } else if let Some(r) = row.downcast_ref::<AttributeRow>() {
        out.push(r.attrelid);
    } else if let Some(r) = row.downcast_ref::<IndexRow>() {
        out.extend([r.indrelid, r.indexrelid]);
    } else if let Some(r) = row.downcast_ref::<ConstraintRow>() {
        out.push(r.conrelid);
    } else if let Some(r) = row.downcast_ref::<AttrdefRow>() {
        out.push(r.adrelid);
    } else if let Some(r) = row.downcast_ref::<RewriteRow>() {
        out.push(r.ev_class);
    } else if let Some(r) = row.downcast_ref::<InheritsRow>() {
        out.extend([r.inhrelid, r.inhparent]);
    } else if let Some(r) = row.downcast_ref::<PartitionedTableRow>() {
        out.push(r.partrelid);
    }
    out
}
