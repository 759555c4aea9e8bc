//! Defaults, NOT NULL, CHECK, PRIMARY KEY and UNIQUE.

use pglite_analyze::{ExprKind, Scope as ExprScope, analyze_expr};
use pglite_catalog::depend::{DependencyType, ObjectAddress};
use pglite_catalog::generated::rows::{AttrdefRow, AttributeRow, ClassRow, ConstraintRow};
use pglite_catalog::{Key, List};
use pglite_error::{PgError, PgResult, bail, err};
use pglite_functions::deparse::{Scope, storage_text};
use pglite_parser::ast::{Constraint, Expr, IndexElem};
use pglite_types::{Oid, oid};

use super::columns::{InheritedCheck, NotNull};
use crate::ctx;
use crate::host::CommandHost;
use crate::index::{self, NewIndex};

fn class(host: &dyn CommandHost, rel: Oid) -> PgResult<ClassRow> {
    host.snapshot().class_by_oid(rel).cloned().ok_or_else(|| PgError::internal("relation vanished"))
}

/// Stores the text of a column's default.
pub(crate) fn store_default(host: &dyn CommandHost, rel: Oid, attnum: i16, text: String) -> PgResult<()> {
    let s = host.snapshot();
    let desc = s.rel(rel).ok_or_else(|| PgError::internal("relation vanished"))?;
    let refs = {
        let env = host.env();
        let expr = env.as_planner_env().relation_expr(&desc, &text)?;
        ctx::expr_references(&s, &expr, Some(rel))
    };
    store_default_with(host, rel, attnum, text, refs.into_iter().collect())
}

pub(crate) fn store_default_with(
    host: &dyn CommandHost,
    rel: Oid,
    attnum: i16,
    text: String,
    refs: Vec<ObjectAddress>,
) -> PgResult<()> {
    let oid_ = ctx::new_oid(host)?;
    host.with_catalog(&mut |c| {
        c.insert(AttrdefRow { oid: oid_, adrelid: rel, adnum: attnum, adbin: text.as_str().into() });
        c.modify::<AttributeRow>(Key::new().oid(rel).with(&attnum), |a| a.atthasdef = true);
        let me = ObjectAddress::of::<AttrdefRow>(oid_);
        c.record_dependency(me, ObjectAddress::column(rel, attnum), DependencyType::Auto);
        c.record_dependencies(me, refs.iter().copied(), DependencyType::Normal);
        Ok(())
    })
}

/// Analyzes and stores a column's default or generation expression (`generated`: 0, s or v).
pub(crate) fn set_default(
    host: &dyn CommandHost,
    rel: Oid,
    attnum: i16,
    raw: &Expr,
    generated: u8,
) -> PgResult<()> {
    let s = host.snapshot();
    let desc = s.rel(rel).ok_or_else(|| PgError::internal("relation vanished"))?;
    let column = desc.attr(attnum).ok_or_else(|| PgError::internal("column vanished"))?;
    let env = host.env();
    let (scope, kind) = if generated != 0 {
        (ExprScope::Relation(&desc), ExprKind::GeneratedColumn)
    } else {
        (ExprScope::None, ExprKind::ColumnDefault)
    };
    let expr = analyze_expr(env.as_analyze_env(), raw, &scope, kind, Some((column.type_oid, column.typmod)))
        .map_err(|e| {
            if e.code() == pglite_error::codes::DATATYPE_MISMATCH && e.message().is_empty() {
                err!(DATATYPE_MISMATCH, "column \"{}\" is of another type", column.name)
            } else {
                e
            }
        })?;
    let print = if generated != 0 { Scope::Relation(&desc) } else { Scope::None };
    let text = storage_text(&s, env.as_fn_host(), &expr, print)?;
    let refs = ctx::expr_references(&s, &expr, (generated != 0).then_some(rel));
    store_default_with(host, rel, attnum, text, refs.into_iter().collect())
}

/// A pg_constraint row with nothing special.
pub(crate) fn blank(oid_: Oid, name: &str, namespace: Oid, kind: u8, rel: Oid) -> ConstraintRow {
    ConstraintRow {
        oid: oid_,
        conname: name.into(),
        connamespace: namespace,
        contype: kind,
        condeferrable: false,
        condeferred: false,
        conenforced: true,
        convalidated: true,
        conrelid: rel,
        contypid: Oid::INVALID,
        conindid: Oid::INVALID,
        conparentid: Oid::INVALID,
        confrelid: Oid::INVALID,
        confupdtype: b' ',
        confdeltype: b' ',
        confmatchtype: b' ',
        conislocal: true,
        coninhcount: 0,
        connoinherit: false,
        conperiod: false,
        conkey: None,
        confkey: None,
        conpfeqop: None,
        conppeqop: None,
        conffeqop: None,
        confdelsetcols: None,
        conexclop: None,
        conbin: None,
    }
}

/// Whether the relation has a constraint of that name.
fn taken(host: &dyn CommandHost, rel: Oid, name: &str) -> bool {
    host.snapshot().constraint_by_name(rel, name).is_some()
}

pub(crate) fn choose_constraint_name(
    host: &dyn CommandHost,
    rel: &ClassRow,
    column: Option<&str>,
    label: &str,
) -> String {
    let s = host.snapshot();
    // PG: unique over the schema's constraints, so that the name also suits an index.
    ctx::choose_name(&rel.relname, column, label, &|n| {
        s.constraints_by_name(n).any(|c| c.connamespace == rel.relnamespace)
    })
}

pub(crate) fn add_not_null(host: &dyn CommandHost, rel: Oid, n: &NotNull) -> PgResult<()> {
    let class = class(host, rel)?;
    let s = host.snapshot();
    let attnum = s.attribute_by_name(rel, &n.column).map(|a| a.attnum).ok_or_else(|| {
        err!(UNDEFINED_COLUMN, "column \"{}\" of relation \"{}\" does not exist", n.column, class.relname)
    })?;
    let name = match &n.name {
        Some(name) if taken(host, rel, name) => {
            bail!(DUPLICATE_OBJECT, "constraint \"{name}\" for relation \"{}\" already exists", class.relname)
        }
        Some(name) => name.clone(),
        None => choose_constraint_name(host, &class, Some(&n.column), "not_null"),
    };
    let mut row = blank(ctx::new_oid(host)?, &name, class.relnamespace, b'n', rel);
    row.conkey = Some(List::from(vec![attnum]));
    row.connoinherit = n.no_inherit;
    row.conislocal = n.is_local;
    row.coninhcount = n.inherited;
    row.convalidated = n.valid;
    insert(host, row, vec![ObjectAddress::column(rel, attnum)], Vec::new())?;
    host.with_catalog(&mut |c| {
        c.modify::<AttributeRow>(Key::new().oid(rel).with(&attnum), |a| a.attnotnull = true);
        Ok(())
    })
}

/// Inserts a constraint that goes with its columns (`auto`) and needs `normal`.
pub(crate) fn insert(
    host: &dyn CommandHost,
    row: ConstraintRow,
    auto: Vec<ObjectAddress>,
    normal: Vec<ObjectAddress>,
) -> PgResult<()> {
    host.with_catalog(&mut |c| {
        let me = ObjectAddress::constraint(row.oid);
        c.insert(row.clone());
        if auto.is_empty() {
            c.record_dependency(me, ObjectAddress::relation(row.conrelid), DependencyType::Auto);
        }
        c.record_dependencies(me, auto.iter().copied(), DependencyType::Auto);
        c.record_dependencies(me, normal.iter().copied(), DependencyType::Normal);
        Ok(())
    })
}

/// Columns (as attnums) an expression over one relation uses, each once, in order.
fn used_columns(e: &pglite_ir::Expr, out: &mut Vec<i16>) {
    if let pglite_ir::Expr::Var(v) = e
        && v.attno > 0
        && !out.contains(&v.attno)
    {
        out.push(v.attno);
    }
    pglite_ir::walk::any_child(e, &mut |c| {
        used_columns(c, out);
        false
    });
}

/// CHECK. `new`: the table is new, so no rows need checking.
pub(crate) fn add_check(host: &dyn CommandHost, rel: Oid, c: &Constraint, new: bool) -> PgResult<()> {
    let class = class(host, rel)?;
    let s = host.snapshot();
    let desc = s.rel(rel).ok_or_else(|| PgError::internal("relation vanished"))?;
    let Some(raw) = &c.raw_expr else { bail!(INTERNAL_ERROR, "CHECK without an expression") };
    let env = host.env();
    let scope = ExprScope::Relation(&desc);
    let expr =
        analyze_expr(env.as_analyze_env(), raw, &scope, ExprKind::CheckConstraint, Some((oid::BOOL, -1)))?;
    let mut columns = Vec::new();
    used_columns(&expr, &mut columns);
    let name = match &c.conname {
        Some(name) => {
            if taken(host, rel, name) {
                let existing =
                    s.constraint_by_name(rel, name).is_some_and(|k| k.contype == b'c' && k.coninhcount > 0);
                if existing {
                    return merge_check(host, rel, name);
                }
                bail!(
                    DUPLICATE_OBJECT,
                    "constraint \"{name}\" for relation \"{}\" already exists",
                    class.relname
                );
            }
            name.clone()
        }
        None => {
            let only = match columns[..] {
                [one] => desc.attr(one).map(|a| a.name.to_string()),
                _ => None,
            };
            choose_constraint_name(host, &class, only.as_deref(), "check")
        }
    };
    let text = storage_text(&s, env.as_fn_host(), &expr, Scope::Relation(&desc))?;
    let mut row = blank(ctx::new_oid(host)?, &name, class.relnamespace, b'c', rel);
    let auto: Vec<ObjectAddress> = columns.iter().map(|a| ObjectAddress::column(rel, *a)).collect();
    row.conkey = (!columns.is_empty()).then(|| List::from(columns));
    row.conbin = Some(text.into());
    row.connoinherit = c.is_no_inherit;
    row.conenforced = c.is_enforced;
    row.convalidated = c.is_enforced && (new || c.initially_valid);
    let refs = ctx::expr_references(&s, &expr, Some(rel)).into_iter().filter(|a| !auto.contains(a)).collect();
    insert(host, row, auto, refs)?;
    count_checks(host, rel)
}

fn merge_check(host: &dyn CommandHost, rel: Oid, name: &str) -> PgResult<()> {
    ctx::notice(host, PgError::notice(format!("merging constraint \"{name}\" with inherited definition")));
    let oid_ = host.snapshot().constraint_by_name(rel, name).map(|k| k.oid).unwrap_or_default();
    host.with_catalog(&mut |c| {
        c.modify::<ConstraintRow>(oid_, |k| k.conislocal = true);
        Ok(())
    })
}

pub(crate) fn count_checks(host: &dyn CommandHost, rel: Oid) -> PgResult<()> {
    let n = host.snapshot().constraints_of(rel).filter(|k| k.contype == b'c').count() as i16;
    host.with_catalog(&mut |c| {
        c.modify::<ClassRow>(rel, |r| r.relchecks = n);
        Ok(())
    })
}

pub(super) fn add_inherited_check(host: &dyn CommandHost, rel: Oid, i: &InheritedCheck) -> PgResult<()> {
    let class = class(host, rel)?;
    let mut row = blank(ctx::new_oid(host)?, &i.name, class.relnamespace, b'c', rel);
    row.conbin = Some(i.text.as_str().into());
    row.conenforced = i.enforced;
    row.convalidated = i.enforced;
    row.conislocal = i.is_local;
    row.coninhcount = i.inherited;
    insert(host, row, Vec::new(), Vec::new())?;
    count_checks(host, rel)
}

/// PRIMARY KEY and UNIQUE: an index and the constraint that owns it.
pub(crate) fn add_key(host: &dyn CommandHost, rel: Oid, c: &Constraint) -> PgResult<()> {
    let class = class(host, rel)?;
    let s = host.snapshot();
    let primary = c.contype == pglite_parser::ast::ConstrType::Primary;
    if primary && s.constraints_of(rel).any(|k| k.contype == b'p') {
        return Err(err!(
            INVALID_TABLE_DEFINITION,
            "multiple primary keys for table \"{}\" are not allowed",
            class.relname
        )
        .at(c.location));
    }
    let mut attnums = Vec::with_capacity(c.keys.len());
    for key in &c.keys {
        let Some(a) = s.attribute_by_name(rel, key).filter(|a| a.attnum > 0) else {
            return Err(err!(UNDEFINED_COLUMN, "column \"{key}\" named in key does not exist").at(c.location));
        };
        if attnums.contains(&a.attnum) {
            let what = if primary { "primary key" } else { "unique" };
            return Err(
                err!(DUPLICATE_COLUMN, "column \"{key}\" appears twice in {what} constraint").at(c.location)
            );
        }
        attnums.push(a.attnum);
    }
    if primary {
        for (key, attnum) in c.keys.iter().zip(&attnums) {
            if s.attribute(rel, *attnum).is_some_and(|a| !a.attnotnull) {
                crate::alter::require_not_null(host, rel, key)?;
            }
        }
    }
    let elem = |name: &String| IndexElem { name: Some(name.clone()), ..IndexElem::default() };
    let namespace = class.relnamespace;
    let name = match &c.conname {
        Some(n) => n.clone(),
        None => {
            let joined = c.keys.join("_");
            let (middle, label) = if primary { (None, "pkey") } else { (Some(joined.as_str()), "key") };
            ctx::choose_name(&class.relname, middle, label, &|n| {
                s.class_by_name(namespace, n).is_some()
                    || s.constraints_by_name(n).any(|k| k.connamespace == namespace)
            })
        }
    };
    if c.conname.is_some() && taken(host, rel, &name) {
        bail!(DUPLICATE_OBJECT, "constraint \"{name}\" for relation \"{}\" already exists", class.relname);
    }
    let constraint = ctx::new_oid(host)?;
    let index = index::create(
        host,
        NewIndex {
            table: rel,
            name: name.clone(),
            access_method: "btree".into(),
            keys: c.keys.iter().map(elem).collect(),
            including: c.including.iter().map(elem).collect(),
            predicate: None,
            unique: true,
            primary,
            nulls_not_distinct: c.nulls_not_distinct,
            immediate: !c.deferrable,
            constraint: Some(constraint),
            options: super::rel_options(&c.options)?,
            only: true,
            exclusion: false,
        },
    )?;
    let mut row = blank(constraint, &name, namespace, if primary { b'p' } else { b'u' }, rel);
    row.conindid = index;
    row.condeferrable = c.deferrable;
    row.condeferred = c.initdeferred;
    row.connoinherit = true;
    let auto = attnums.iter().map(|a| ObjectAddress::column(rel, *a)).collect();
    row.conkey = Some(List::from(attnums));
    insert(host, row, auto, Vec::new())?;
    host.with_catalog(&mut |t| {
        t.record_dependency(
            ObjectAddress::relation(index),
            ObjectAddress::constraint(constraint),
            DependencyType::Internal,
        );
        Ok(())
    })?;
    if class.relkind == b'p' {
        crate::partition::carry_down(host, rel, index)?;
    }
    Ok(())
}
