//! Objects in words: comments, descriptions, updatability, partition trees.

use pglite_catalog::describe::describe_object;
use pglite_catalog::{ObjectAddress, acl};
use pglite_error::{PgResult, bail};
use pglite_ir::abi::RowSource;
use pglite_ir::{Body, FnCtx};
use pglite_types::{Datum, Oid};

use super::{catalog, column, made, path};
use crate::builtins;

fn describe(cx: &FnCtx<'_>, class: Oid, object: Oid, sub: i32) -> PgResult<Option<String>> {
    if !class.is_valid() && !object.is_valid() {
        return Ok(None);
    }
    Ok(describe_object(catalog(cx), &path(cx)?, &ObjectAddress { class, object, sub }))
}

fn updatable(cx: &FnCtx<'_>, rel: Oid, _include_triggers: bool) -> i32 {
    // PG: a mask of the commands (1 << CmdType) that work: UPDATE 2, INSERT 3, DELETE 4.
    match catalog(cx).class_by_oid(rel).map(|c| c.relkind) {
        Some(b'r' | b'p') => 28,
        _ => 0,
    }
}
fn column_updatable(cx: &FnCtx<'_>, rel: Oid, attnum: i16, triggers: bool) -> bool {
    attnum > 0 && updatable(cx, rel, triggers) & 4 != 0
}
fn publishable(cx: &FnCtx<'_>, rel: Oid) -> Option<bool> {
    let c = catalog(cx).class_by_oid(rel)?;
    Some(matches!(c.relkind, b'r' | b'p') && c.relpersistence == b'p' && c.oid >= Oid::FIRST_NORMAL)
}

fn root(cx: &FnCtx<'_>, rel: Oid) -> Option<Oid> {
    let s = catalog(cx);
    let c = s.class_by_oid(rel)?;
    if !c.relispartition && !matches!(c.relkind, b'p' | b'I') {
        return None;
    }
    ancestors_of(cx, rel).last().copied()
}
fn ancestors_of(cx: &FnCtx<'_>, rel: Oid) -> Vec<Oid> {
    let s = catalog(cx);
    let mut out = vec![rel];
    let mut at = rel;
    while s.class_by_oid(at).is_some_and(|c| c.relispartition) && out.len() < 10_000 {
        let Some(parent) = s.parents_of(at).next() else { break };
        at = parent.inhparent;
        out.push(at);
    }
    out
}
fn ancestors(cx: &FnCtx<'_>, args: &[Datum]) -> PgResult<Box<dyn RowSource>> {
    let rel = args[0].as_oid().unwrap_or_default();
    match root(cx, rel) {
        Some(_) => column(ancestors_of(cx, rel).into_iter().map(Datum::Oid).collect()),
        None => column(Vec::new()),
    }
}
fn tree(cx: &FnCtx<'_>, args: &[Datum]) -> PgResult<Box<dyn RowSource>> {
    let s = catalog(cx);
    let rel = args[0].as_oid().unwrap_or_default();
    let mut rows = Vec::new();
    let Some(c) = s.class_by_oid(rel) else { return made(rows) };
    if !c.relispartition && !matches!(c.relkind, b'p' | b'I') {
        return made(rows);
    }
    let mut level = vec![rel];
    let mut depth = 0;
    while !level.is_empty() {
        let mut next = Vec::new();
        for r in level {
            let Some(c) = s.class_by_oid(r) else { continue };
            let parent = s.parents_of(r).next().map(|p| p.inhparent).filter(|_| c.relispartition);
            let leaf = !matches!(c.relkind, b'p' | b'I');
            rows.push(vec![
                Datum::Oid(r),
                parent.map_or(Datum::Null, Datum::Oid),
                Datum::Bool(leaf),
                Datum::Int4(depth),
            ]);
            let mut children: Vec<Oid> = s.children_of(r).map(|i| i.inhrelid).collect();
            children.sort();
            next.extend(children);
        }
        level = next;
        depth += 1;
    }
    made(rows)
}

fn tablespace_location(cx: &FnCtx<'_>, space: Oid) -> PgResult<String> {
    if space.is_valid() && catalog(cx).tablespace_by_oid(space).is_none() {
        bail!(INTERNAL_ERROR, "could not find tablespace {space}");
    }
    Ok(String::new())
}

fn object_acl(cx: &FnCtx<'_>, class: Oid, object: Oid, sub: i32) -> Datum {
    use pglite_catalog::row::CatalogRow;
    let s = catalog(cx);
    let list = match class {
        pglite_catalog::ClassRow::CATALOG if sub != 0 => {
            s.attribute(object, sub as i16).and_then(|a| a.attacl.as_ref())
        }
        pglite_catalog::ClassRow::CATALOG => s.class_by_oid(object).and_then(|c| c.relacl.as_ref()),
        pglite_catalog::ProcRow::CATALOG => s.proc_by_oid(object).and_then(|c| c.proacl.as_ref()),
        pglite_catalog::TypeRow::CATALOG => s.type_by_oid(object).and_then(|c| c.typacl.as_ref()),
        pglite_catalog::NamespaceRow::CATALOG => s.namespace_by_oid(object).and_then(|c| c.nspacl.as_ref()),
        _ => None,
    };
    let Some(list) = list else { return Datum::Null };
    let names: &pglite_catalog::Snapshot = s;
    let texts = list.iter().map(|i| Datum::text(acl::print_item(i, names))).collect();
    super::array_of(pglite_types::oid::ACLITEM, texts)
}

/// `{name=value, ...}` as rows.
fn options_to_table(_: &FnCtx<'_>, args: &[Datum]) -> PgResult<Box<dyn RowSource>> {
    let Some(Datum::Array(a)) = args.first() else { return made(Vec::new()) };
    made(
        a.values
            .iter()
            .filter_map(Datum::as_str)
            .map(|o| match o.split_once('=') {
                Some((n, v)) => vec![Datum::text(n), Datum::text(v)],
                None => vec![Datum::text(o), Datum::Null],
            })
            .collect(),
    )
}

/// The suite's C function: whether a cast costs nothing.
fn binary_coercible(cx: &FnCtx<'_>, from: Oid, to: Oid) -> bool {
    catalog(cx).is_binary_coercible(from, to)
}

/// The suite's C function: catalog indexes that are unique and begin with a text column.
fn text_unique_index(index: Oid) -> bool {
    matches!(index.0, 6246 | 6002 | 3597 | 3593)
}

/// Whether an operator class hangs together: its family's operators and functions exist and fit their types.
fn amvalidate(cx: &FnCtx<'_>, class: Oid) -> PgResult<bool> {
    let s = catalog(cx);
    let Some(class) = s.opclass_by_oid(class) else {
        bail!(INTERNAL_ERROR, "cache lookup failed for operator class {class}")
    };
    let operators = s.iter::<pglite_catalog::AmopRow>().filter(|a| a.amopfamily == class.opcfamily);
    for a in operators {
        let fits = s.operator_by_oid(a.amopopr).is_some_and(|o| {
            s.is_binary_coercible(a.amoplefttype, o.oprleft)
                && s.is_binary_coercible(a.amoprighttype, o.oprright)
        });
        if !fits {
            return Ok(false);
        }
    }
    let mut functions = s.iter::<pglite_catalog::AmprocRow>().filter(|a| a.amprocfamily == class.opcfamily);
    Ok(functions.all(|a| s.proc_by_oid(a.amproc).is_some()))
}

builtins! { pub TABLE:
    "binary_coercible" => cx binary_coercible[Oid, Oid];
    "is_catalog_text_unique_index_oid" => text_unique_index[Oid];
    "amvalidate" => cx amvalidate[Oid];
    "pg_describe_object" => cx describe[Oid, Oid, i32];
    "pg_relation_is_updatable" => cx updatable[Oid, bool];
    "pg_column_is_updatable" => cx column_updatable[Oid, i16, bool];
    "pg_relation_is_publishable" => cx publishable[Oid];
    "pg_partition_root" => cx root[Oid];
    "pg_tablespace_location" => cx tablespace_location[Oid];
    "pg_get_acl" => cx object_acl[Oid, Oid, i32];
}

pub static SETS: &[(&str, Body)] = &[
    ("pg_partition_ancestors", Body::Set(ancestors)),
    ("pg_partition_tree", Body::Set(tree)),
    ("pg_options_to_table", Body::Set(options_to_table)),
];
