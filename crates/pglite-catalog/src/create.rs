//! Rows of new objects: attributes, relations, and the types that come with them, as PostgreSQL fills them; and the
//! names that it makes up for indexes, constraints and array types.

use pglite_types::{Oid, oid};

use crate::generated::rows::*;
use crate::key::Key;
use crate::names::MAX_NAME;
use crate::snapshot::Snapshot;
use crate::txn::CatalogTxn;
use crate::value::Xid;
use crate::well_known::{AM_HEAP, PG_CATALOG};

/// A column of a new relation. Length, alignment and storage come from the type.
// Why: the columns of a column definition, in their order; a struct would only repeat them.
#[allow(clippy::too_many_arguments)]
pub fn attribute(
    s: &Snapshot,
    relation: Oid,
    attnum: i16,
    name: &str,
    type_oid: Oid,
    typmod: i32,
    collation: Oid,
    ndims: i16,
) -> AttributeRow {
    let t = s.type_by_oid(type_oid);
    AttributeRow {
        attrelid: relation,
        attname: name.into(),
        atttypid: type_oid,
        attlen: t.map_or(-1, |t| t.typlen),
        attnum,
        atttypmod: typmod,
        attndims: ndims,
        attbyval: t.is_some_and(|t| t.typbyval),
        attalign: t.map_or(b'i', |t| t.typalign),
        attstorage: t.map_or(b'x', |t| t.typstorage),
        attislocal: true,
        attcollation: collation,
        ..AttributeRow::default()
    }
}

/// Name, attnum and type of the columns that every stored relation has.
pub const SYSTEM_COLUMNS: &[(&str, i16, Oid)] = &[
    ("tableoid", -6, oid::OID),
    ("cmax", -5, oid::CID),
    ("xmax", -4, oid::XID),
    ("cmin", -3, oid::CID),
    ("xmin", -2, oid::XID),
    ("ctid", -1, oid::TID),
];

/// The rows of the system columns; views and composite types have none.
pub fn system_attributes(s: &Snapshot, relation: Oid) -> impl Iterator<Item = AttributeRow> + '_ {
    SYSTEM_COLUMNS.iter().map(move |(name, attnum, type_oid)| {
        let mut a = attribute(s, relation, *attnum, name, *type_oid, -1, Oid::INVALID, 0);
        a.attnotnull = true;
        a
    })
}

/// A relation's pg_class row with everything that follows from its kind.
pub fn class(oid: Oid, name: &str, namespace: Oid, owner: Oid, kind: u8, persistence: u8) -> ClassRow {
    let stored = matches!(kind, b'r' | b'm' | b't');
    let replica = matches!(kind, b'r' | b'p' | b'm') && namespace != PG_CATALOG;
    ClassRow {
        oid,
        relname: name.into(),
        relnamespace: namespace,
        relowner: owner,
        relam: if stored { AM_HEAP } else { Oid::INVALID },
        relfilenode: if stored || matches!(kind, b'i' | b'S') { oid } else { Oid::INVALID },
        reltuples: if stored || matches!(kind, b'i' | b'p' | b'I') { -1.0 } else { 0.0 },
        relpersistence: persistence,
        relkind: kind,
        relispopulated: true,
        relreplident: if replica { b'd' } else { b'n' },
        relfrozenxid: Xid(if stored { 3 } else { 0 }),
        relminmxid: Xid(if stored { 1 } else { 0 }),
        ..ClassRow::default()
    }
}

fn proc_oid(s: &Snapshot, name: &str) -> Oid {
    s.procs_by_name(name).find(|p| p.pronamespace == PG_CATALOG).map_or(Oid::INVALID, |p| p.oid)
}

/// What all types of a kind share.
fn type_base(
    s: &Snapshot,
    oid: Oid,
    name: &str,
    namespace: Oid,
    owner: Oid,
    kind: u8,
    io: [&str; 4],
) -> TypeRow {
    TypeRow {
        oid,
        typname: name.into(),
        typnamespace: namespace,
        typowner: owner,
        typlen: -1,
        typtype: kind,
        typisdefined: true,
        typdelim: b',',
        typinput: proc_oid(s, io[0]),
        typoutput: proc_oid(s, io[1]),
        typreceive: proc_oid(s, io[2]),
        typsend: proc_oid(s, io[3]),
        typalign: b'd',
        typstorage: b'x',
        typtypmod: -1,
        ..TypeRow::default()
    }
}

/// The row type of a relation (or a composite type).
pub fn composite_type(
    s: &Snapshot,
    oid: Oid,
    name: &str,
    namespace: Oid,
    owner: Oid,
    relation: Oid,
    array: Oid,
) -> TypeRow {
    let io = ["record_in", "record_out", "record_recv", "record_send"];
    TypeRow {
        typcategory: b'C',
        typrelid: relation,
        typarray: array,
        ..type_base(s, oid, name, namespace, owner, b'c', io)
    }
}

/// The array type over `element`, under a name that [`array_type_name`] gives.
pub fn array_type(s: &Snapshot, oid: Oid, name: &str, element: &TypeRow) -> TypeRow {
    let io = ["array_in", "array_out", "array_recv", "array_send"];
    TypeRow {
        typcategory: b'A',
        typdelim: element.typdelim,
        typsubscript: proc_oid(s, "array_subscript_handler"),
        typelem: element.oid,
        typanalyze: proc_oid(s, "array_typanalyze"),
        typalign: if element.typalign == b'd' { b'd' } else { b'i' },
        typcollation: element.typcollation,
        ..type_base(s, oid, name, element.typnamespace, element.typowner, b'b', io)
    }
}

pub fn enum_type(s: &Snapshot, oid: Oid, name: &str, namespace: Oid, owner: Oid, array: Oid) -> TypeRow {
    let io = ["enum_in", "enum_out", "enum_recv", "enum_send"];
    TypeRow {
        typlen: 4,
        typbyval: true,
        typcategory: b'E',
        typarray: array,
        typalign: b'i',
        typstorage: b'p',
        ..type_base(s, oid, name, namespace, owner, b'e', io)
    }
}

/// A domain over `base`; default, NOT NULL and collation are the caller's to set.
pub fn domain_type(
    s: &Snapshot,
    oid: Oid,
    name: &str,
    namespace: Oid,
    owner: Oid,
    base: &TypeRow,
    array: Oid,
) -> TypeRow {
    let io = ["domain_in", "", "domain_recv", ""];
    TypeRow {
        typlen: base.typlen,
        typbyval: base.typbyval,
        typcategory: base.typcategory,
        typdelim: base.typdelim,
        typarray: array,
        typoutput: base.typoutput,
        typsend: base.typsend,
        typanalyze: base.typanalyze,
        typalign: base.typalign,
        typstorage: base.typstorage,
        typbasetype: base.oid,
        typcollation: base.typcollation,
        ..type_base(s, oid, name, namespace, owner, b'd', io)
    }
}

pub fn range_type(
    s: &Snapshot,
    oid: Oid,
    name: &str,
    namespace: Oid,
    owner: Oid,
    subtype: &TypeRow,
    array: Oid,
) -> TypeRow {
    let io = ["range_in", "range_out", "range_recv", "range_send"];
    TypeRow {
        typcategory: b'R',
        typarray: array,
        typanalyze: proc_oid(s, "range_typanalyze"),
        typalign: if subtype.typalign == b'd' { b'd' } else { b'i' },
        ..type_base(s, oid, name, namespace, owner, b'r', io)
    }
}

/// The multirange type of `range`.
pub fn multirange_type(s: &Snapshot, oid: Oid, name: &str, range: &TypeRow, array: Oid) -> TypeRow {
    let io = ["multirange_in", "multirange_out", "multirange_recv", "multirange_send"];
    TypeRow {
        typcategory: b'R',
        typarray: array,
        typanalyze: proc_oid(s, "multirange_typanalyze"),
        typalign: range.typalign,
        ..type_base(s, oid, name, range.typnamespace, range.typowner, b'm', io)
    }
}

fn clip(name: &str, bytes: usize) -> &str {
    let mut end = bytes.min(name.len());
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    &name[..end]
}

/// `makeObjectName`: `name1_name2_label` in at most 63 bytes, shortening the longer name first.
pub fn object_name(name1: &str, name2: Option<&str>, label: Option<&str>) -> String {
    let overhead = name2.map_or(0, |_| 1) + label.map_or(0, |l| l.len() + 1);
    let available = MAX_NAME - overhead;
    let (mut n1, mut n2) = (name1.len(), name2.map_or(0, str::len));
    while n1 + n2 > available {
        if n1 > n2 { n1 -= 1 } else { n2 -= 1 }
    }
    let mut out = clip(name1, n1).to_string();
    for part in [name2.map(|n| clip(n, n2)), label].into_iter().flatten() {
        out.push('_');
        out.push_str(part);
    }
    out
}

fn first_free(make: impl Fn(Option<usize>) -> String, taken: impl Fn(&str) -> bool) -> String {
    let mut pass = None;
    loop {
        let name = make(pass);
        if !taken(&name) {
            return name;
        }
        pass = Some(pass.map_or(1, |n| n + 1));
    }
}

fn numbered(label: &str, pass: Option<usize>) -> String {
    pass.map_or_else(|| label.to_string(), |n| format!("{label}{n}"))
}

fn constraint_exists(s: &Snapshot, namespace: Oid, name: &str) -> bool {
    let key = Key::new().str(name).oid(namespace);
    s.table::<ConstraintRow>().find(ConstraintRow::BY_CONNAME_NSP, &key).is_some()
}

/// `ChooseRelationName`: a name that no relation of the schema (and, for constraints, no constraint) has.
pub fn choose_relation_name(
    s: &Snapshot,
    name1: &str,
    name2: Option<&str>,
    label: &str,
    namespace: Oid,
    for_constraint: bool,
) -> String {
    first_free(
        |pass| object_name(name1, name2, Some(&numbered(label, pass))),
        |n| s.class_by_name(namespace, n).is_some() || (for_constraint && constraint_exists(s, namespace, n)),
    )
}

/// `ChooseConstraintName`; `others` are names given out in the same command.
pub fn choose_constraint_name(
    s: &Snapshot,
    name1: &str,
    name2: Option<&str>,
    label: &str,
    namespace: Oid,
    others: &[String],
) -> String {
    first_free(
        |pass| object_name(name1, name2, Some(&numbered(label, pass))),
        |n| others.iter().any(|o| o == n) || constraint_exists(s, namespace, n),
    )
}

/// `ChooseIndexNameAddition`: the column part of an index's or a constraint's name.
pub fn column_name_part<'a>(columns: impl IntoIterator<Item = &'a str>) -> String {
    let mut out = String::new();
    for c in columns {
        if !out.is_empty() {
            out.push('_');
        }
        out.push_str(clip(c, MAX_NAME));
        if out.len() > MAX_NAME {
            break;
        }
    }
    out
}

/// What an index stands for; it decides the end of its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IndexUse {
    PrimaryKey,
    Unique,
    Exclusion,
    Plain,
}

/// `ChooseIndexName`. An expression column counts as `expr`.
pub fn choose_index_name(
    s: &Snapshot,
    table: &str,
    namespace: Oid,
    columns: &[&str],
    kind: IndexUse,
) -> String {
    let part = column_name_part(columns.iter().copied());
    let (part, label, constraint) = match kind {
        IndexUse::PrimaryKey => (None, "pkey", true),
        IndexUse::Exclusion => (Some(part.as_str()), "excl", true),
        IndexUse::Unique => (Some(part.as_str()), "key", true),
        IndexUse::Plain => (Some(part.as_str()), "idx", false),
    };
    choose_relation_name(s, table, part, label, namespace, constraint)
}

/// `makeArrayTypeName`: `_name`, or `_name_1` ... when that is taken.
pub fn array_type_name(s: &Snapshot, name: &str, namespace: Oid) -> String {
    first_free(
        |pass| match pass {
            None => object_name("", Some(name), None),
            Some(n) => object_name("", Some(name), Some(&n.to_string())),
        },
        |n| s.type_by_name(namespace, n).is_some(),
    )
}

/// `makeMultirangeTypeName`: `range` becomes `multirange`, or `_multirange` is added.
pub fn multirange_type_name(range: &str) -> String {
    match range.find("range") {
        Some(at) => clip(&format!("{}multi{}", &range[..at], &range[at..]), MAX_NAME).to_string(),
        None => format!("{}_multirange", clip(range, MAX_NAME - 11)),
    }
}

/// `moveArrayTypeName`: gets an automatic array type out of the way of a new type of that name. False when the type
/// under the name is another one, which stays.
pub fn move_array_type(t: &mut CatalogTxn, type_oid: Oid, namespace: Oid) -> bool {
    let s = t.snapshot();
    let Some(row) = s.type_by_oid(type_oid) else { return false };
    let Some(element) = s.element_type(type_oid) else { return false };
    if s.array_type(element) != Some(type_oid) {
        return false;
    }
    let Some(element_name) = s.type_by_oid(element).map(|e| e.typname.clone()) else { return false };
    // The type itself still holds the old name, so another one is chosen.
    let mut name = array_type_name(s, &element_name, namespace);
    if name == *row.typname {
        name = object_name("", Some(&element_name), Some("1"));
    }
    t.modify::<TypeRow>(type_oid, |r| r.typname = name.into())
}
