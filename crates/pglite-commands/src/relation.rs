//! Creating a relation's catalog rows: pg_class, pg_attribute, its row and array types, dependencies; and its storage.

use pglite_catalog::depend::{DependencyType, ObjectAddress};
use pglite_catalog::generated::rows::{AttributeRow, ClassRow, CollationRow, NamespaceRow, TypeRow};
use pglite_catalog::value::Xid;
use pglite_catalog::{CatalogTxn, Str, well_known};
use pglite_error::{PgResult, bail, err};
use pglite_txn::Space;
use pglite_types::{Oid, oid};

use crate::ctx;
use crate::host::CommandHost;

/// A column to be.
#[derive(Clone, Debug)]
pub(crate) struct NewColumn {
    pub name: String,
    pub ty: Oid,
    pub typmod: i32,
    pub collation: Oid,
    pub ndims: i16,
    pub not_null: bool,
    pub identity: u8,
    pub generated: u8,
    pub is_local: bool,
    pub inherited: i16,
    pub storage: Option<u8>,
    pub compression: u8,
}

impl NewColumn {
    pub fn new(name: impl Into<String>, ty: Oid, typmod: i32, collation: Oid) -> NewColumn {
        NewColumn {
            name: name.into(),
            ty,
            typmod,
            collation,
            ndims: 0,
            not_null: false,
            identity: 0,
            generated: 0,
            is_local: true,
            inherited: 0,
            storage: None,
            compression: 0,
        }
    }
}

/// A relation to be.
pub(crate) struct NewRelation {
    pub name: String,
    pub namespace: Oid,
    pub kind: u8,
    pub persistence: u8,
    pub owner: Oid,
    pub am: Oid,
    pub of_type: Oid,
    pub tablespace: Oid,
    pub columns: Vec<NewColumn>,
    pub options: Option<Vec<Str>>,
    /// Composite and array types (not for indexes and sequences).
    pub with_types: bool,
}

/// PG: names of system columns are taken.
const SYSTEM_COLUMNS: &[&str] = &["ctid", "xmin", "cmin", "xmax", "cmax", "tableoid"];

fn check_columns(rel: &NewRelation, s: &pglite_catalog::Snapshot) -> PgResult<()> {
    if rel.columns.len() > 1600 {
        bail!(TOO_MANY_COLUMNS, "tables can have at most 1600 columns");
    }
    for (i, c) in rel.columns.iter().enumerate() {
        if !matches!(rel.kind, b'v' | b'c') && SYSTEM_COLUMNS.contains(&c.name.as_str()) {
            bail!(DUPLICATE_COLUMN, "column name \"{}\" conflicts with a system column name", c.name);
        }
        if rel.columns[..i].iter().any(|o| o.name == c.name) {
            bail!(DUPLICATE_COLUMN, "column \"{}\" specified more than once", c.name);
        }
        let Some(ty) = s.type_by_oid(c.ty) else {
            bail!(UNDEFINED_OBJECT, "type with OID {} does not exist", c.ty)
        };
        if ty.typtype == b'p' && !(matches!(c.ty, oid::ANYARRAY) && rel.namespace == well_known::PG_CATALOG) {
            let shown = pglite_catalog::format_type::format_type_be(
                s,
                &pglite_catalog::SearchPath::catalog_only(),
                c.ty,
            );
            bail!(INVALID_TABLE_DEFINITION, "column \"{}\" has pseudo-type {shown}", c.name);
        }
        if !c.collation.is_valid() && ty.typcollation.is_valid() {
            return Err(err!(
                INDETERMINATE_COLLATION,
                "no collation was derived for column \"{}\" with collatable type {}",
                c.name,
                ty.typname
            )
            .hint("Use the COLLATE clause to set the collation explicitly."));
        }
    }
    Ok(())
}

/// The pg_attribute row of a column.
pub(crate) fn attribute_row(rel: Oid, attnum: i16, c: &NewColumn, ty: &TypeRow) -> AttributeRow {
    AttributeRow {
        attrelid: rel,
        attname: c.name.as_str().into(),
        atttypid: c.ty,
        attlen: ty.typlen,
        attnum,
        atttypmod: c.typmod,
        attndims: c.ndims,
        attbyval: ty.typbyval,
        attalign: ty.typalign,
        attstorage: c.storage.unwrap_or(ty.typstorage),
        attcompression: c.compression,
        attnotnull: c.not_null,
        atthasdef: false,
        atthasmissing: false,
        attidentity: c.identity,
        attgenerated: c.generated,
        attisdropped: false,
        attislocal: c.is_local,
        attinhcount: c.inherited,
        attcollation: c.collation,
        attstattarget: None,
        attacl: None,
        attoptions: None,
        attfdwoptions: None,
        attmissingval: None,
    }
}

fn class_row(rel: &NewRelation, oid: Oid, row_type: Oid) -> ClassRow {
    let storage = matches!(rel.kind, b'r' | b'm' | b'i' | b'S' | b't');
    ClassRow {
        oid,
        relname: rel.name.as_str().into(),
        relnamespace: rel.namespace,
        reltype: row_type,
        reloftype: rel.of_type,
        relowner: rel.owner,
        relam: rel.am,
        relfilenode: if storage { oid } else { Oid::INVALID },
        reltablespace: rel.tablespace,
        relpages: 0,
        reltuples: if matches!(rel.kind, b'r' | b'm' | b'p') { -1.0 } else { 0.0 },
        relallvisible: 0,
        relallfrozen: 0,
        reltoastrelid: Oid::INVALID,
        relhasindex: false,
        relisshared: false,
        relpersistence: rel.persistence,
        relkind: rel.kind,
        relnatts: rel.columns.len() as i16,
        relchecks: 0,
        relhasrules: false,
        relhastriggers: false,
        relhassubclass: false,
        relrowsecurity: false,
        relforcerowsecurity: false,
        relispopulated: true,
        relreplident: if matches!(rel.kind, b'r' | b'm' | b'p') { b'd' } else { b'n' },
        relispartition: false,
        relrewrite: Oid::INVALID,
        relfrozenxid: Xid(0),
        relminmxid: Xid(0),
        relacl: None,
        reloptions: rel.options.clone().map(Into::into),
        relpartbound: None,
    }
}

/// The row type (typtype c) of a relation.
pub(crate) fn composite_type(
    oid_: Oid,
    name: &str,
    namespace: Oid,
    owner: Oid,
    relid: Oid,
    array: Oid,
) -> TypeRow {
    let proc = |n: u32| Oid(n);
    TypeRow {
        oid: oid_,
        typname: name.into(),
        typnamespace: namespace,
        typowner: owner,
        typlen: -1,
        typbyval: false,
        typtype: b'c',
        typcategory: b'C',
        typispreferred: false,
        typisdefined: true,
        typdelim: b',',
        typrelid: relid,
        typsubscript: Oid::INVALID,
        typelem: Oid::INVALID,
        typarray: array,
        typinput: proc(2290),
        typoutput: proc(2291),
        typreceive: proc(2402),
        typsend: proc(2403),
        typmodin: Oid::INVALID,
        typmodout: Oid::INVALID,
        typanalyze: Oid::INVALID,
        typalign: b'd',
        typstorage: b'x',
        typnotnull: false,
        typbasetype: Oid::INVALID,
        typtypmod: -1,
        typndims: 0,
        typcollation: Oid::INVALID,
        typdefaultbin: None,
        typdefault: None,
        typacl: None,
    }
}

/// The array type over `element`.
pub(crate) fn array_type(oid_: Oid, name: String, element: &TypeRow) -> TypeRow {
    TypeRow {
        oid: oid_,
        typname: name.into(),
        typnamespace: element.typnamespace,
        typowner: element.typowner,
        typlen: -1,
        typbyval: false,
        typtype: b'b',
        typcategory: b'A',
        typispreferred: false,
        typisdefined: true,
        typdelim: element.typdelim,
        typrelid: Oid::INVALID,
        typsubscript: Oid(6179),
        typelem: element.oid,
        typarray: Oid::INVALID,
        typinput: Oid(750),
        typoutput: Oid(751),
        typreceive: Oid(2400),
        typsend: Oid(2401),
        typmodin: element.typmodin,
        typmodout: element.typmodout,
        typanalyze: Oid(3816),
        typalign: if element.typalign == b'd' { b'd' } else { b'i' },
        typstorage: b'x',
        typnotnull: false,
        typbasetype: Oid::INVALID,
        typtypmod: -1,
        typndims: 0,
        typcollation: element.typcollation,
        typdefaultbin: None,
        typdefault: None,
        typacl: None,
    }
}

/// `_name`, with more underscores until it is free.
pub(crate) fn array_type_name(s: &pglite_catalog::Snapshot, namespace: Oid, name: &str) -> String {
    let mut candidate = format!("_{name}");
    loop {
        candidate.truncate(candidate.floor_char_boundary(63));
        if s.type_by_name(namespace, &candidate).is_none() {
            return candidate;
        }
        candidate.insert(0, '_');
    }
}

/// Creates the relation; returns its OID.
pub(crate) fn create(host: &dyn CommandHost, rel: &NewRelation) -> PgResult<Oid> {
    let s = host.snapshot();
    ctx::check_free(&s, rel.namespace, &rel.name)?;
    check_columns(rel, &s)?;
    if rel.with_types && s.type_by_name(rel.namespace, &rel.name).is_some() {
        return Err(err!(DUPLICATE_OBJECT, "type \"{}\" already exists", rel.name).hint(
            "A relation has an associated type of the same name, so you must use a name that doesn't conflict with any existing type.",
        ));
    }
    let oid_ = ctx::new_oid(host)?;
    let (row_type, array) =
        if rel.with_types { (ctx::new_oid(host)?, ctx::new_oid(host)?) } else { Default::default() };
    let array_name = array_type_name(&s, rel.namespace, &rel.name);
    let class = class_row(rel, oid_, row_type);
    let attributes: Vec<AttributeRow> = rel
        .columns
        .iter()
        .enumerate()
        .filter_map(|(i, c)| Some(attribute_row(oid_, i as i16 + 1, c, s.type_by_oid(c.ty)?)))
        .collect();
    host.with_catalog(&mut |c| {
        c.insert(class.clone());
        attributes.iter().cloned().for_each(|a| c.insert(a));
        let me = ObjectAddress::relation(oid_);
        if rel.with_types {
            let row = composite_type(row_type, &rel.name, rel.namespace, rel.owner, oid_, array);
            let array_row = array_type(array, array_name.clone(), &row);
            let (t, a) = (ObjectAddress::type_(row_type), ObjectAddress::type_(array));
            c.insert(row);
            c.insert(array_row);
            // PG: a standalone composite type owns its relation; otherwise the relation owns the type.
            if rel.kind == b'c' {
                c.record_dependency(me, t, DependencyType::Internal);
            } else {
                c.record_dependency(t, me, DependencyType::Internal);
            }
            c.record_dependency(a, t, DependencyType::Internal);
            if rel.kind == b'c' {
                c.record_dependency(
                    t,
                    ObjectAddress::of::<NamespaceRow>(rel.namespace),
                    DependencyType::Normal,
                );
                c.record_owner(t, rel.owner);
            }
        }
        if !matches!(rel.kind, b'c' | b'i' | b'I' | b't') {
            c.record_dependency(me, ObjectAddress::of::<NamespaceRow>(rel.namespace), DependencyType::Normal);
            c.record_owner(me, rel.owner);
        }
        if rel.of_type.is_valid() {
            c.record_dependency(me, ObjectAddress::type_(rel.of_type), DependencyType::Normal);
        }
        if !matches!(rel.kind, b'i' | b'I') {
            for a in &attributes {
                column_dependencies(c, oid_, a.attnum, a.atttypid, a.attcollation);
            }
        }
        Ok(())
    })?;
    if class.relfilenode.is_valid() && rel.kind != b'S' {
        let database = host.snapshot().database();
        host.txn().create_space(Space::new(database.0, class.relfilenode.0));
    }
    Ok(oid_)
}

/// A column depends on its type and collation.
pub(crate) fn column_dependencies(c: &mut CatalogTxn, rel: Oid, attnum: i16, ty: Oid, collation: Oid) {
    let column = ObjectAddress::column(rel, attnum);
    c.record_dependency(column, ObjectAddress::type_(ty), DependencyType::Normal);
    if collation.is_valid() {
        c.record_dependency(column, ObjectAddress::of::<CollationRow>(collation), DependencyType::Normal);
    }
}
