//! ADD, DROP COLUMN; defaults, NOT NULL, identity and generation expressions of columns.

use pglite_analyze::{ExprKind, Scope as ExprScope, analyze_expr};
use pglite_catalog::depend::ObjectAddress;
use pglite_catalog::rows::{AttrdefRow, AttributeRow, ClassRow, ConstraintRow};
use pglite_catalog::value::AnyArray;
use pglite_catalog::{CatalogRow, Key, RelDesc, names::quote_ident};
use pglite_error::{PgError, PgResult, bail, codes, err};
use pglite_ir::{Expr, walk};
use pglite_parser::ast::{self, ColumnDef, Constraint, DefElem, DropBehavior};
use pglite_types::{Datum, Oid, oid};

use super::{children, desc, rewrite};
use crate::ctx;
use crate::host::CommandHost;
use crate::relation;
use crate::sequence::{self, SequenceOptions};
use crate::table::{self, NotNull, add_not_null};

/// The live column, or 42703.
pub(super) fn find(rel: &RelDesc, name: &str) -> PgResult<i16> {
    if pglite_catalog::create::SYSTEM_COLUMNS.iter().any(|c| c.0 == name) {
        return Err(PgError::unsupported(format!("cannot alter system column \"{name}\"")));
    }
    match rel.column(name) {
        Some(c) => Ok(c.attnum),
        None => bail!(UNDEFINED_COLUMN, "column \"{name}\" of relation \"{}\" does not exist", rel.name),
    }
}

fn volatile(s: &pglite_catalog::Snapshot, e: &Expr) -> bool {
    let is = |f: Oid| s.proc_by_oid(f).is_some_and(|p| p.provolatile == b'v');
    walk::contains(e, &|x| match x {
        Expr::Func(f) => is(f.func),
        Expr::Op(o) | Expr::Distinct(o) | Expr::NullIf(o) => is(o.func),
        Expr::NextValue { .. } => true,
        _ => false,
    })
}

/// Adds a column. False: it is there already, and the children have it.
pub(super) fn add(
    host: &dyn CommandHost,
    rel_oid: Oid,
    d: &ColumnDef,
    missing_ok: bool,
    below: bool,
) -> PgResult<bool> {
    let s = host.snapshot();
    let rel = desc(&s, rel_oid)?;
    if rel.of_type.is_valid() {
        bail!(WRONG_OBJECT_TYPE, "cannot add column to typed table");
    }
    if rel.is_partition && !below {
        bail!(WRONG_OBJECT_TYPE, "cannot add column to a partition");
    }
    if let Some(have) = rel.column(&d.colname) {
        if below {
            ctx::notice(
                host,
                PgError::notice(format!(
                    "merging definition of column \"{}\" for child \"{}\"",
                    d.colname, rel.name
                )),
            );
            let attnum = have.attnum;
            host.with_catalog(&mut |c| {
                c.modify::<AttributeRow>(Key::new().oid(rel_oid).with(&attnum), |a| a.attinhcount += 1);
                Ok(())
            })?;
            return Ok(false);
        }
        let text = format!("column \"{}\" of relation \"{}\" already exists", d.colname, rel.name);
        if missing_ok {
            ctx::notice(
                host,
                PgError::new(codes::DUPLICATE_COLUMN, format!("{text}, skipping"))
                    .severity(pglite_error::Severity::Notice),
            );
            return Ok(false);
        }
        bail!(DUPLICATE_COLUMN, "{text}");
    }
    if pglite_catalog::create::SYSTEM_COLUMNS.iter().any(|c| c.0 == d.colname) {
        bail!(DUPLICATE_COLUMN, "column name \"{}\" conflicts with a system column name", d.colname);
    }
    let mut plan = table::Plan::new(host, &rel.name, rel.namespace);
    plan.columns = rel
        .columns
        .iter()
        .map(|c| {
            relation::NewColumn::new(
                if c.dropped { "" } else { c.name.as_str() },
                c.type_oid,
                c.typmod,
                c.collation,
            )
        })
        .collect();
    plan.column(host, d)?;
    let index = rel.columns.len();
    let attnum = index as i16 + 1;
    let mut column = plan.columns[index].clone();
    if below {
        column.is_local = false;
        column.inherited = 1;
    }
    let not_null = column.not_null;
    column.not_null = false;
    let ty = s.type_by_oid(column.ty).cloned().ok_or_else(|| PgError::internal("type vanished"))?;
    if ty.typtype == b'p' {
        let shown = pglite_catalog::format_type::format_type_be(
            &s,
            &pglite_catalog::SearchPath::catalog_only(),
            column.ty,
        );
        bail!(INVALID_TABLE_DEFINITION, "column \"{}\" has pseudo-type {shown}", d.colname);
    }
    plan.create_sequences(host, rel.persistence)?;
    let rows = filled_rows(host, &rel, &plan, attnum)?;
    host.with_catalog(&mut |c| {
        c.insert(relation::attribute_row(rel_oid, attnum, &column, &ty));
        c.modify::<ClassRow>(rel_oid, |r| r.relnatts = attnum);
        relation::column_dependencies(c, rel_oid, attnum, column.ty, column.collation);
        Ok(())
    })?;
    plan.own_sequences(host, rel_oid)?;
    for (n, raw, generated) in plan.defaults() {
        table::set_default(host, rel_oid, n, &raw, generated)?;
    }
    new_column_values(host, rel_oid, attnum, rows)?;
    if not_null {
        for n in &plan.not_nulls {
            rewrite::check_not_null(host, rel_oid, &d.colname)?;
            add_not_null(host, rel_oid, n)?;
        }
    }
    for k in &plan.constraints {
        super::constraint::add(host, rel_oid, k, false, below)?;
    }
    Ok(true)
}

/// The rows to rewrite the table with when the new column needs a value of its own in each: serial, identity.
fn filled_rows(
    host: &dyn CommandHost,
    rel: &RelDesc,
    plan: &table::Plan,
    attnum: i16,
) -> PgResult<Option<Vec<pglite_types::Row>>> {
    let Some(seq) = plan.sequence_of(attnum) else { return Ok(None) };
    let ty = plan.columns[attnum as usize - 1].ty;
    let name = match ty {
        oid::INT2 => "smallint",
        oid::INT4 => "integer",
        _ => "bigint",
    };
    rewrite::read(host, rel, &[(attnum, format!("nextval({}::oid::regclass)::{name}", seq.0))]).map(Some)
}

/// Existing rows get the default: remembered in the catalog when it is one value, written out otherwise.
fn new_column_values(
    host: &dyn CommandHost,
    rel_oid: Oid,
    attnum: i16,
    rows: Option<Vec<pglite_types::Row>>,
) -> PgResult<()> {
    if let Some(rows) = rows {
        return rewrite::write(host, rel_oid, rows);
    }
    let s = host.snapshot();
    let rel = desc(&s, rel_oid)?;
    if !matches!(rel.kind, b'r' | b'm') {
        return Ok(());
    }
    let column = rel.attr(attnum).ok_or_else(|| PgError::internal("column vanished"))?.clone();
    if column.generated == b'v' {
        return Ok(());
    }
    let env = host.env();
    let default = pglite_analyze::column_default(env.as_analyze_env(), &rel, attnum)?;
    if column.generated == b's' {
        std::mem::drop(env);
        let rows = rewrite::read(host, &rel, &[(attnum, "NULL".into())])?;
        return rewrite::write(host, rel_oid, rows);
    }
    let Some(default) = default else { return Ok(()) };
    let text = pglite_functions::deparse::storage_text(
        &s,
        env.as_fn_host(),
        &default,
        pglite_functions::deparse::Scope::None,
    )?;
    let is_domain = s.type_by_oid(column.type_oid).is_some_and(|t| t.typtype == b'd');
    let one_value = !volatile(&s, &default) && s.element_type(column.type_oid).is_none() && !is_domain;
    std::mem::drop(env);
    if !one_value {
        let rows = rewrite::read(host, &rel, &[(attnum, text)])?;
        return rewrite::write(host, rel_oid, rows);
    }
    let found = host.env().as_fn_host().run_query(&format!("SELECT ARRAY[{text}]"), &[])?;
    if let Some(Datum::Array(a)) = found.into_iter().next().and_then(|r| r.into_iter().next()) {
        let null = host.env().as_fn_host().run_query(&format!("SELECT ({text}) IS NULL"), &[])?;
        if null.first().and_then(|r| r.first()).and_then(Datum::as_bool) == Some(true) {
            return Ok(());
        }
        return host.with_catalog(&mut |c| {
            c.modify::<AttributeRow>(Key::new().oid(rel_oid).with(&attnum), |r| {
                r.atthasmissing = true;
                r.attmissingval = Some(AnyArray(a.clone()));
            });
            Ok(())
        });
    }
    Ok(())
}

pub(super) fn drop(
    host: &dyn CommandHost,
    rel_oid: Oid,
    name: &str,
    behavior: &DropBehavior,
    missing_ok: bool,
    recurse: bool,
    below: bool,
) -> PgResult<()> {
    let s = host.snapshot();
    let rel = desc(&s, rel_oid)?;
    if rel.of_type.is_valid() && !below {
        bail!(WRONG_OBJECT_TYPE, "cannot drop column from typed table");
    }
    let Some(column) = rel.column(name).cloned() else {
        if pglite_catalog::create::SYSTEM_COLUMNS.iter().any(|c| c.0 == name) {
            return Err(PgError::unsupported(format!("cannot drop system column \"{name}\"")));
        }
        if missing_ok {
            ctx::notice(
                host,
                PgError::notice(format!(
                    "column \"{name}\" of relation \"{}\" does not exist, skipping",
                    rel.name
                )),
            );
            return Ok(());
        }
        bail!(UNDEFINED_COLUMN, "column \"{name}\" of relation \"{}\" does not exist", rel.name);
    };
    if column.inherited > 0 && !below {
        bail!(INVALID_TABLE_DEFINITION, "cannot drop inherited column \"{name}\"");
    }
    if rel.partition_key.as_ref().is_some_and(|k| k.attnums.contains(&column.attnum)) {
        bail!(
            INVALID_TABLE_DEFINITION,
            "cannot drop column \"{name}\" because it is part of the partition key of relation \"{}\"",
            rel.name
        );
    }
    if !recurse && !below && rel.kind == b'p' && !rel.children.is_empty() {
        return Err(err!(
            INVALID_TABLE_DEFINITION,
            "cannot drop column from only the partitioned table when partitions exist"
        )
        .hint("Do not specify the ONLY keyword."));
    }
    for child in children(host, rel_oid) {
        let s = host.snapshot();
        let Some(a) = s.attribute_by_name(child, name).cloned() else { continue };
        if recurse && a.attinhcount == 1 && !a.attislocal {
            drop(host, child, name, behavior, missing_ok, true, true)?;
        } else {
            host.with_catalog(&mut |c| {
                c.modify::<AttributeRow>(a.key(), |r| {
                    r.attinhcount = (r.attinhcount - 1).max(0);
                    r.attislocal |= !recurse;
                });
                Ok(())
            })?;
        }
    }
    crate::drop::remove(
        host,
        &[ObjectAddress::column(rel_oid, column.attnum)],
        *behavior == DropBehavior::Cascade,
    )
}

fn forget_default(host: &dyn CommandHost, rel: Oid, attnum: i16, behavior_restrict: bool) -> PgResult<()> {
    let Some(oid_) = host.snapshot().attrdef(rel, attnum).map(|d| d.oid) else { return Ok(()) };
    crate::drop::remove_with(host, &[ObjectAddress::of::<AttrdefRow>(oid_)], !behavior_restrict, true)
}

pub(super) fn set_default(
    host: &dyn CommandHost,
    rel_oid: Oid,
    name: &str,
    raw: Option<&ast::Expr>,
) -> PgResult<()> {
    let s = host.snapshot();
    let rel = desc(&s, rel_oid)?;
    let attnum = find(&rel, name)?;
    let column = rel.attr(attnum).ok_or_else(|| PgError::internal("column vanished"))?;
    if column.identity != 0 {
        let e = err!(SYNTAX_ERROR, "column \"{name}\" of relation \"{}\" is an identity column", rel.name);
        return Err(if raw.is_none() {
            e.hint("Use ALTER TABLE ... ALTER COLUMN ... DROP IDENTITY instead.")
        } else {
            e
        });
    }
    if column.generated != 0 {
        let e = err!(SYNTAX_ERROR, "column \"{name}\" of relation \"{}\" is a generated column", rel.name);
        return Err(match (raw, column.generated) {
            (Some(_), _) => e.hint("Use ALTER TABLE ... ALTER COLUMN ... SET EXPRESSION instead."),
            (None, b's') => e.hint("Use ALTER TABLE ... ALTER COLUMN ... DROP EXPRESSION instead."),
            _ => e,
        });
    }
    forget_default(host, rel_oid, attnum, true)?;
    match raw {
        Some(raw) => table::set_default(host, rel_oid, attnum, raw, 0),
        None => Ok(()),
    }
}

pub(super) fn set_not_null(host: &dyn CommandHost, rel_oid: Oid, name: &str, below: bool) -> PgResult<()> {
    let s = host.snapshot();
    let rel = desc(&s, rel_oid)?;
    let attnum = find(&rel, name)?;
    let existing = not_null_constraint(&rel, attnum);
    if let Some(k) = existing {
        if !k.convalidated {
            return super::constraint::validate(host, rel_oid, &k.conname.clone());
        }
        return host.with_catalog(&mut |c| {
            c.modify::<ConstraintRow>(
                k.oid,
                |r| if below { r.coninhcount += 1 } else { r.conislocal = true },
            );
            Ok(())
        });
    }
    rewrite::check_not_null(host, rel_oid, name)?;
    let mut n = NotNull::local(name);
    if below {
        n.is_local = false;
        n.inherited = 1;
    }
    add_not_null(host, rel_oid, &n)
}

fn not_null_constraint(rel: &RelDesc, attnum: i16) -> Option<&ConstraintRow> {
    rel.constraints
        .iter()
        .find(|k| k.contype == b'n' && k.conkey.as_ref().is_some_and(|l| l.contains(&attnum)))
}

pub(super) fn drop_not_null(host: &dyn CommandHost, rel_oid: Oid, name: &str) -> PgResult<()> {
    let s = host.snapshot();
    let rel = desc(&s, rel_oid)?;
    let attnum = find(&rel, name)?;
    let column = rel.attr(attnum).ok_or_else(|| PgError::internal("column vanished"))?;
    if !column.not_null {
        return Ok(());
    }
    if column.identity != 0 {
        bail!(SYNTAX_ERROR, "column \"{name}\" of relation \"{}\" is an identity column", rel.name);
    }
    if rel
        .constraints
        .iter()
        .any(|k| k.contype == b'p' && k.conkey.as_ref().is_some_and(|l| l.contains(&attnum)))
    {
        bail!(INVALID_TABLE_DEFINITION, "column \"{name}\" is in a primary key");
    }
    match not_null_constraint(&rel, attnum) {
        Some(k) if k.coninhcount > 0 => {
            bail!(
                INVALID_TABLE_DEFINITION,
                "cannot drop inherited constraint \"{}\" of relation \"{}\"",
                k.conname,
                rel.name
            )
        }
        Some(k) => crate::drop::remove(host, &[ObjectAddress::constraint(k.oid)], false)?,
        None => {}
    }
    host.with_catalog(&mut |c| {
        c.modify::<AttributeRow>(Key::new().oid(rel_oid).with(&attnum), |a| a.attnotnull = false);
        Ok(())
    })
}

pub(super) fn set_expression(
    host: &dyn CommandHost,
    rel_oid: Oid,
    name: &str,
    raw: &ast::Expr,
) -> PgResult<()> {
    let s = host.snapshot();
    let rel = desc(&s, rel_oid)?;
    let attnum = find(&rel, name)?;
    let generated = rel.attr(attnum).map_or(0, |c| c.generated);
    if generated == 0 {
        bail!(
            OBJECT_NOT_IN_PREREQUISITE_STATE,
            "column \"{name}\" of relation \"{}\" is not a generated column",
            rel.name
        );
    }
    forget_default(host, rel_oid, attnum, true)?;
    table::set_default(host, rel_oid, attnum, raw, generated)?;
    if generated == b's' {
        let s = host.snapshot();
        let rows = rewrite::read(host, &*desc(&s, rel_oid)?, &[(attnum, "NULL".into())])?;
        rewrite::write(host, rel_oid, rows)?;
    }
    Ok(())
}

pub(super) fn drop_expression(
    host: &dyn CommandHost,
    rel_oid: Oid,
    name: &str,
    missing_ok: bool,
) -> PgResult<()> {
    let s = host.snapshot();
    let rel = desc(&s, rel_oid)?;
    let attnum = find(&rel, name)?;
    match rel.attr(attnum).map_or(0, |c| c.generated) {
        b's' => {}
        b'v' => {
            return Err(PgError::unsupported(
                "ALTER TABLE / DROP EXPRESSION is not supported for virtual generated columns",
            )
            .detail(format!(
                "Column \"{name}\" of relation \"{}\" is a virtual generated column.",
                rel.name
            )));
        }
        _ if missing_ok => {
            let text =
                format!("column \"{name}\" of relation \"{}\" is not a generated column, skipping", rel.name);
            ctx::notice(host, PgError::notice(text));
            return Ok(());
        }
        _ => bail!(
            OBJECT_NOT_IN_PREREQUISITE_STATE,
            "column \"{name}\" of relation \"{}\" is not a generated column",
            rel.name
        ),
    }
    forget_default(host, rel_oid, attnum, true)?;
    host.with_catalog(&mut |c| {
        c.modify::<AttributeRow>(Key::new().oid(rel_oid).with(&attnum), |a| a.attgenerated = 0);
        Ok(())
    })
}

pub(super) fn add_identity(host: &dyn CommandHost, rel_oid: Oid, name: &str, k: &Constraint) -> PgResult<()> {
    let s = host.snapshot();
    let rel = desc(&s, rel_oid)?;
    let attnum = find(&rel, name)?;
    let column = rel.attr(attnum).ok_or_else(|| PgError::internal("column vanished"))?;
    if !column.not_null {
        bail!(
            OBJECT_NOT_IN_PREREQUISITE_STATE,
            "column \"{name}\" of relation \"{}\" must be declared NOT NULL before identity can be added",
            rel.name
        );
    }
    if column.identity != 0 {
        bail!(
            OBJECT_NOT_IN_PREREQUISITE_STATE,
            "column \"{name}\" of relation \"{}\" is already an identity column",
            rel.name
        );
    }
    if column.has_default {
        bail!(
            OBJECT_NOT_IN_PREREQUISITE_STATE,
            "column \"{name}\" of relation \"{}\" already has a default value",
            rel.name
        );
    }
    if !matches!(column.type_oid, oid::INT2 | oid::INT4 | oid::INT8) {
        bail!(INVALID_PARAMETER_VALUE, "identity column type must be smallint, integer, or bigint");
    }
    let options = SequenceOptions::parse(host, &k.options, Some(column.type_oid))?;
    let seq_name =
        ctx::choose_name(&rel.name, Some(name), "seq", &|n| s.class_by_name(rel.namespace, n).is_some());
    let seq = sequence::create_sequence(host, &seq_name, rel.namespace, rel.persistence, &options)?;
    sequence::set_owner_column(host, seq, rel_oid, attnum, true)?;
    let letter = k.generated_when.map_or(b'd', |w| w as u8);
    host.with_catalog(&mut |c| {
        c.modify::<AttributeRow>(Key::new().oid(rel_oid).with(&attnum), |a| a.attidentity = letter);
        Ok(())
    })
}

pub(super) fn set_identity(
    host: &dyn CommandHost,
    rel_oid: Oid,
    name: &str,
    options: &[DefElem],
) -> PgResult<()> {
    let s = host.snapshot();
    let rel = desc(&s, rel_oid)?;
    let attnum = find(&rel, name)?;
    if rel.attr(attnum).is_some_and(|c| c.identity == 0) {
        bail!(
            OBJECT_NOT_IN_PREREQUISITE_STATE,
            "column \"{name}\" of relation \"{}\" is not an identity column",
            rel.name
        );
    }
    let mut rest = Vec::new();
    for d in options {
        if d.defname == "generated" {
            let letter = match &d.arg {
                Some(ast::DefArg::String(t)) => t.bytes().next().unwrap_or(b'd'),
                Some(ast::DefArg::Integer(i)) => *i as u8,
                _ => b'd',
            };
            host.with_catalog(&mut |c| {
                c.modify::<AttributeRow>(Key::new().oid(rel_oid).with(&attnum), |a| a.attidentity = letter);
                Ok(())
            })?;
        } else {
            rest.push(d.clone());
        }
    }
    if let (Some(seq), false) = (s.owned_sequences(rel_oid, attnum).first(), rest.is_empty()) {
        let row = s.class_by_oid(*seq).ok_or_else(|| PgError::internal("sequence vanished"))?;
        let mut target = ast::RangeVar::new(row.relname.to_string(), -1);
        target.schemaname = s.namespace_name(row.relnamespace).map(str::to_string);
        sequence::alter(host, &ast::AlterSeqStmt { sequence: target, options: rest, missing_ok: false })?;
    }
    Ok(())
}

pub(super) fn drop_identity(
    host: &dyn CommandHost,
    rel_oid: Oid,
    name: &str,
    missing_ok: bool,
) -> PgResult<()> {
    let s = host.snapshot();
    let rel = desc(&s, rel_oid)?;
    let attnum = find(&rel, name)?;
    if rel.attr(attnum).is_some_and(|c| c.identity == 0) {
        let text = format!("column \"{name}\" of relation \"{}\" is not an identity column", rel.name);
        if missing_ok {
            ctx::notice(host, PgError::notice(format!("{text}, skipping")));
            return Ok(());
        }
        bail!(OBJECT_NOT_IN_PREREQUISITE_STATE, "{text}");
    }
    let sequences = s.owned_sequences(rel_oid, attnum);
    host.with_catalog(&mut |c| {
        c.modify::<AttributeRow>(Key::new().oid(rel_oid).with(&attnum), |a| a.attidentity = 0);
        for seq in &sequences {
            c.forget_dependencies_on_class(
                ObjectAddress::relation(*seq),
                ClassRow::CATALOG,
                pglite_catalog::DependencyType::Internal,
            );
        }
        Ok(())
    })?;
    let list: Vec<ObjectAddress> = sequences.into_iter().map(ObjectAddress::relation).collect();
    crate::drop::remove_with(host, &list, false, true)
}

/// Text of an expression over the table's columns, for a query.
pub(super) fn expression_text(
    host: &dyn CommandHost,
    rel: &std::sync::Arc<RelDesc>,
    raw: &ast::Expr,
    kind: ExprKind,
) -> PgResult<(Expr, String)> {
    let env = host.env();
    let s = host.snapshot();
    let e = analyze_expr(env.as_analyze_env(), raw, &ExprScope::Relation(rel), kind, None)?;
    let text = pglite_functions::deparse::storage_text(
        &s,
        env.as_fn_host(),
        &e,
        pglite_functions::deparse::Scope::Relation(rel),
    )?;
    Ok((e, text))
}

/// A column's quoted name.
pub(super) fn quoted(name: &str) -> String {
    quote_ident(name)
}
