//! What the DDL families share: OIDs, namespaces, ownership, dependencies of expressions.

use std::collections::BTreeSet;

use pglite_analyze::AnalyzeEnv;
use pglite_catalog::generated::rows::{NamespaceRow, OperatorRow, ProcRow, TypeRow};
use pglite_catalog::{RelDesc, Snapshot, acl, depend::ObjectAddress};
use pglite_error::{PgError, PgResult, bail, err};
use pglite_ir::query::{FromItem, Query, RteKind};
use pglite_ir::{Expr, walk};
use pglite_parser::ast::RangeVar;
use pglite_types::{Datum, Oid, oid};

use crate::host::CommandHost;

pub(crate) fn new_oid(host: &dyn CommandHost) -> PgResult<Oid> {
    host.cluster("allocate_oid", &[])?.as_oid().ok_or_else(|| PgError::internal("no OID allocated"))
}

pub(crate) fn user(host: &dyn CommandHost) -> Oid {
    AnalyzeEnv::current_user(&*host.env())
}

pub(crate) fn notice(host: &dyn CommandHost, n: PgError) {
    host.env().as_fn_host().notice(n);
}

/// The session's temporary schema, created on first use.
pub(crate) fn temp_namespace(host: &dyn CommandHost) -> PgResult<Oid> {
    if let Some(found) = host.cluster("temp_namespace", &[])?.as_oid().filter(|o| o.is_valid()) {
        return Ok(found);
    }
    let Datum::Int4(pid) = host.cluster("backend_pid", &[])? else {
        bail!(INTERNAL_ERROR, "no backend number")
    };
    let name = format!("pg_temp_{pid}");
    let existing = host.snapshot().namespace_by_name(&name).map(|n| n.oid);
    let oid = match existing {
        Some(oid) => oid,
        None => {
            let oid = new_oid(host)?;
            let row = NamespaceRow { oid, nspname: name.into(), nspowner: acl_superuser(), nspacl: None };
            host.with_catalog(&mut |c| {
                c.insert(row.clone());
                Ok(())
            })?;
            oid
        }
    };
    host.cluster("set_temp_namespace", &[Datum::Oid(oid)])?;
    Ok(oid)
}

fn acl_superuser() -> Oid {
    pglite_catalog::well_known::SUPERUSER
}

/// Where a new relation goes, and its persistence letter.
pub(crate) fn creation_target(host: &dyn CommandHost, name: &RangeVar) -> PgResult<(Oid, u8)> {
    if let Some(catalog) = &name.catalogname {
        let env = host.env();
        if *catalog != env.database_name() {
            bail!(
                FEATURE_NOT_SUPPORTED,
                "cross-database references are not implemented: \"{catalog}.{}.{}\"",
                name.schemaname.as_deref().unwrap_or(""),
                name.relname
            );
        }
    }
    if name.relpersistence == 't' {
        if name.schemaname.as_deref().is_some_and(|s| s != "pg_temp") {
            bail!(INVALID_TABLE_DEFINITION, "cannot create temporary relation in non-temporary schema");
        }
        return Ok((temp_namespace(host)?, b't'));
    }
    if name.schemaname.as_deref() == Some("pg_temp") {
        return Ok((temp_namespace(host)?, b't'));
    }
    let env = host.env();
    let catalog = env.as_fn_host().catalog();
    let namespace = env.search_path().creation_namespace(catalog, name.schemaname.as_deref())?;
    let user = AnalyzeEnv::current_user(&*env);
    if acl::schema_mask(catalog, user, namespace, acl::CREATE) == 0 {
        let schema = catalog.namespace_name(namespace).unwrap_or("");
        bail!(INSUFFICIENT_PRIVILEGE, "permission denied for schema {schema}");
    }
    if catalog.namespace_name(namespace).is_some_and(|n| n.starts_with("pg_temp_")) {
        return Ok((namespace, b't'));
    }
    Ok((namespace, name.relpersistence as u8))
}

/// The existing relation a statement names.
pub(crate) fn relation(host: &dyn CommandHost, name: &RangeVar) -> PgResult<std::sync::Arc<RelDesc>> {
    let env = host.env();
    let catalog = env.as_fn_host().catalog();
    let class = env
        .search_path()
        .relation(catalog, name.schemaname.as_deref(), &name.relname)
        .map_err(|e| e.at_if_unset(name.location))?;
    catalog
        .rel(class.oid)
        .ok_or_else(|| err!(UNDEFINED_TABLE, "relation \"{}\" does not exist", name.relname))
}

/// Word for a relation kind in "must be owner of ..." messages.
pub(crate) fn kind_word(kind: u8) -> &'static str {
    match kind {
        b'v' => "view",
        b'm' => "materialized view",
        b'i' | b'I' => "index",
        b'S' => "sequence",
        b'f' => "foreign table",
        _ => "table",
    }
}

pub(crate) fn must_own(host: &dyn CommandHost, rel: &RelDesc) -> PgResult<()> {
    let s = host.snapshot();
    if acl::has_privs_of_role(&s, user(host), rel.owner) {
        return Ok(());
    }
    bail!(INSUFFICIENT_PRIVILEGE, "must be owner of {} {}", kind_word(rel.kind), rel.name)
}

/// 42P07 when the name is taken by another relation of the schema.
pub(crate) fn check_free(s: &Snapshot, namespace: Oid, name: &str) -> PgResult<()> {
    if s.class_by_name(namespace, name).is_some() {
        bail!(DUPLICATE_TABLE, "relation \"{name}\" already exists");
    }
    Ok(())
}

/// A name for an object made from others, at most 63 bytes, unique among `taken`: `t_a_key`, `t_a_key1` ...
pub(crate) fn choose_name(
    name1: &str,
    name2: Option<&str>,
    label: &str,
    taken: &dyn Fn(&str) -> bool,
) -> String {
    let mut n = 0;
    loop {
        let suffix = if n == 0 { label.to_string() } else { format!("{label}{n}") };
        let candidate = make_name(name1, name2, &suffix);
        if !taken(&candidate) {
            return candidate;
        }
        n += 1;
    }
}

/// `name1_name2_label`, shortening the longer of the two names until it fits.
fn make_name(name1: &str, name2: Option<&str>, label: &str) -> String {
    const LIMIT: usize = 63;
    let overhead = label.len() + 1 + name2.map_or(0, |_| 1);
    let avail = LIMIT - overhead.min(LIMIT);
    let (mut l1, mut l2) = (name1.len(), name2.map_or(0, str::len));
    while l1 + l2 > avail {
        if l1 > l2 { l1 -= 1 } else { l2 -= 1 }
    }
    let cut = |s: &str, n: usize| s[..s.floor_char_boundary(n)].to_string();
    let mut out = cut(name1, l1);
    if let Some(name2) = name2 {
        out.push('_');
        out.push_str(&cut(name2, l2));
    }
    out.push('_');
    out.push_str(label);
    out
}

/// Objects an expression depends on. `own`: the relation whose columns its `rte` 1 Vars are (their columns are listed).
pub(crate) fn expr_references(s: &Snapshot, e: &Expr, own: Option<Oid>) -> BTreeSet<ObjectAddress> {
    let mut out = BTreeSet::new();
    collect_expr(s, e, own, &mut out);
    out
}

fn add_type(s: &Snapshot, ty: Oid, out: &mut BTreeSet<ObjectAddress>) {
    if ty.is_valid() && !ObjectAddress::type_(ty).is_pinned() && s.type_by_oid(ty).is_some() {
        out.insert(ObjectAddress::of::<TypeRow>(ty));
    }
}

fn collect_expr(s: &Snapshot, e: &Expr, own: Option<Oid>, out: &mut BTreeSet<ObjectAddress>) {
    let mut func = |f: Oid| {
        if f.is_valid() {
            out.insert(ObjectAddress::of::<ProcRow>(f));
        }
    };
    match e {
        Expr::Func(f) => func(f.func),
        Expr::Aggref(a) => func(a.func),
        Expr::WindowFunc(w) => func(w.func),
        Expr::Op(o) | Expr::Distinct(o) | Expr::NullIf(o) => {
            out.insert(ObjectAddress::of::<OperatorRow>(o.op));
        }
        Expr::ScalarArrayOp(o) => {
            out.insert(ObjectAddress::of::<OperatorRow>(o.op));
        }
        Expr::Var(v) => {
            if let Some(rel) = own.filter(|_| v.levels_up == 0 && v.rte == 1) {
                let a = if v.attno > 0 {
                    ObjectAddress::column(rel, v.attno)
                } else {
                    ObjectAddress::relation(rel)
                };
                out.insert(a);
            }
        }
        Expr::Const(c) => {
            add_type(s, c.ty, out);
            if let (oid::REGCLASS, Datum::Oid(o)) = (c.ty, &c.value) {
                out.insert(ObjectAddress::relation(*o));
            }
        }
        Expr::NextValue { seq, .. } => {
            out.insert(ObjectAddress::relation(*seq));
        }
        Expr::SubLink(sub) => out.extend(query_references(s, &sub.query)),
        _ => {}
    }
    add_type(s, e.ty(), out);
    walk::any_child(e, &mut |c| {
        collect_expr(s, c, own, out);
        false
    });
}

/// Objects a query depends on: relations and their columns, functions, operators, types.
pub(crate) fn query_references(s: &Snapshot, q: &Query) -> BTreeSet<ObjectAddress> {
    let mut out = BTreeSet::new();
    collect_query(s, q, &mut out);
    out
}

fn collect_query(s: &Snapshot, q: &Query, out: &mut BTreeSet<ObjectAddress>) {
    for rte in &q.rtable {
        match &rte.kind {
            RteKind::Relation { rel, .. } => {
                out.insert(ObjectAddress::relation(rel.oid));
            }
            RteKind::Subquery { query, view, .. } => match view {
                Some(v) => {
                    out.insert(ObjectAddress::relation(v.oid));
                }
                None => collect_query(s, query, out),
            },
            RteKind::Function { functions, .. } => {
                functions.iter().for_each(|f| collect_level(s, &f.expr, q, out))
            }
            RteKind::Values { rows, .. } => rows.iter().flatten().for_each(|e| collect_level(s, e, q, out)),
            _ => {}
        }
    }
    let mut exprs: Vec<&Expr> = q.targets.iter().chain(&q.returning).map(|t| &t.expr).collect();
    exprs.extend(q.having.iter().chain(&q.limit).chain(&q.offset).chain(&q.jointree.quals));
    fn joins<'q>(items: &'q [FromItem], out: &mut Vec<&'q Expr>) {
        for item in items {
            match item {
                FromItem::Join(j) => {
                    out.extend(&j.quals);
                    joins(std::slice::from_ref(&j.left), out);
                    joins(std::slice::from_ref(&j.right), out);
                }
                FromItem::From(t) => {
                    out.extend(&t.quals);
                    joins(&t.from, out);
                }
                FromItem::Rte(_) => {}
            }
        }
    }
    joins(&q.jointree.from, &mut exprs);
    exprs.into_iter().for_each(|e| collect_level(s, e, q, out));
    q.ctes.iter().for_each(|c| collect_query(s, &c.query, out));
}

/// An expression of a query: Vars name columns of its range table.
fn collect_level(s: &Snapshot, e: &Expr, q: &Query, out: &mut BTreeSet<ObjectAddress>) {
    if let Expr::Var(v) = e
        && v.levels_up == 0
        && v.attno > 0
        && let Some(rte) = q.rtable.get(v.rte as usize - 1)
    {
        match &rte.kind {
            RteKind::Relation { rel, .. } => {
                out.insert(ObjectAddress::column(rel.oid, v.attno));
            }
            RteKind::Subquery { view: Some(view), .. } => {
                out.insert(ObjectAddress::column(view.oid, v.attno));
            }
            RteKind::Join { vars, .. } => {
                if let Some(source) = vars.get(v.attno as usize - 1) {
                    collect_level(s, source, q, out);
                }
            }
            _ => {}
        }
    }
    collect_shallow(s, e, out);
    walk::any_child(e, &mut |c| {
        collect_level(s, c, q, out);
        false
    });
}

fn collect_shallow(s: &Snapshot, e: &Expr, out: &mut BTreeSet<ObjectAddress>) {
    match e {
        Expr::Func(f) => {
            out.insert(ObjectAddress::of::<ProcRow>(f.func));
        }
        Expr::Aggref(a) => {
            out.insert(ObjectAddress::of::<ProcRow>(a.func));
        }
        Expr::WindowFunc(w) => {
            out.insert(ObjectAddress::of::<ProcRow>(w.func));
        }
        Expr::Op(o) | Expr::Distinct(o) | Expr::NullIf(o) => {
            out.insert(ObjectAddress::of::<OperatorRow>(o.op));
        }
        Expr::ScalarArrayOp(o) => {
            out.insert(ObjectAddress::of::<OperatorRow>(o.op));
        }
        Expr::SubLink(sub) => collect_query(s, &sub.query, out),
        Expr::Const(c) => {
            if let (oid::REGCLASS, Datum::Oid(o)) = (c.ty, &c.value) {
                out.insert(ObjectAddress::relation(*o));
            }
        }
        _ => {}
    }
    add_type(s, e.ty(), out);
}
