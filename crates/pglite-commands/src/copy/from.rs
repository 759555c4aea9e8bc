//! COPY FROM: checks the target and the column lists, then loads.
//!
//! Rows go into the table through the executor's bulk insert: constraints, generated columns, indexes, row triggers,
//! partition routing and foreign keys are INSERT's.

use std::sync::Arc;

use pglite_analyze::{AnalyzeEnv, ExprKind, Scope, analyze_expr, column_default};
use pglite_catalog::{RelDesc, acl};
use pglite_error::{PgError, PgResult, bail, err};
use pglite_exec::modify::bulk::BulkInsert;
use pglite_exec::{Code, ExecEnv};
use pglite_ir::Expr;
use pglite_ir::expr::Var;
use pglite_parser::ast::CopyStmt;
use pglite_types::oid;

use super::end::End;
use super::load::{Column, Load};
use super::{Format, Options};
use crate::ctx;
use crate::host::{CommandHost, StatementEnv};

const ACL_INSERT: u64 = 1;
const ROW_EXCLUSIVE: u8 = 3;

pub(super) fn copy_from(host: &dyn CommandHost, s: &CopyStmt, o: &Options) -> PgResult<u64> {
    let env = host.env();
    let Some(rel) = super::relation(&*env, s)? else { bail!(INTERNAL_ERROR, "COPY FROM without a relation") };
    env.lock_relation(rel.oid, ROW_EXCLUSIVE)?;
    let columns = super::columns(&rel, &s.attlist)?;
    may_insert(&*env, &rel, &columns)?;
    let filter = match &s.where_clause {
        Some(raw) => Some(condition(&*env, &rel, raw)?),
        None => None,
    };
    if policies_apply(&*env, &rel)? {
        return Err(PgError::unsupported("COPY FROM not supported with row-level security")
            .hint("Use INSERT statements instead."));
    }
    check_target(&rel)?;
    check_lists(&rel, &columns, o)?;
    let exec = ExecEnv {
        txn: host.txn(),
        view: host.view(),
        host: env.as_fn_host(),
        hooks: env.as_exec_hooks(),
        work_mem: 4 << 20,
    };
    let bulk = BulkInsert::start(&exec, &rel)?;
    let filter = filter.map(|e| bulk.compile(&exec, &e)).transpose()?;
    let listed = listed(&*env, &exec, &bulk, &rel, &columns, o)?;
    let missing = missing(&*env, &exec, &bulk, &rel, &columns)?;
    let binary = o.format == Format::Binary;
    let source = End::open(host, s)?;
    source.begin_in(binary, columns.len())?;
    let mut load = Load::new(&exec, o, &rel, listed, missing, filter, bulk);
    if binary {
        load.run_binary(&source)?;
    } else {
        load.run_text(&source)?;
    }
    load.flush()?;
    let skipped = load.skipped;
    if skipped > 0 && o.log_verbosity != "silent" {
        let noun = if skipped == 1 { "row was" } else { "rows were" };
        env.as_fn_host()
            .notice(PgError::notice(format!("{skipped} {noun} skipped due to data type incompatibility")));
    }
    load.finish()
}

fn may_insert(env: &dyn StatementEnv, rel: &RelDesc, columns: &[usize]) -> PgResult<()> {
    let catalog = env.as_fn_host().catalog();
    let user = AnalyzeEnv::current_user(env);
    let whole = acl::relation_mask(catalog, user, rel.oid, ACL_INSERT) != 0;
    let each = |i: &usize| {
        acl::column_mask(catalog, user, rel.oid, rel.columns[*i].attnum, ACL_INSERT) & ACL_INSERT != 0
    };
    if whole || (!columns.is_empty() && columns.iter().all(each)) {
        return Ok(());
    }
    bail!(INSUFFICIENT_PRIVILEGE, "permission denied for {} {}", ctx::kind_word(rel.kind), rel.name)
}

/// Whether row security binds the current user on the table.
fn policies_apply(env: &dyn StatementEnv, rel: &RelDesc) -> PgResult<bool> {
    let catalog = env.as_fn_host().catalog();
    let user = AnalyzeEnv::current_user(env);
    let bypass =
        || acl::is_superuser(catalog, user) || catalog.role_by_oid(user).is_some_and(|r| r.rolbypassrls);
    if !rel.row_security || bypass() {
        return Ok(false);
    }
    if acl::has_privs_of_role(catalog, user, rel.owner) && !rel.force_row_security {
        return Ok(false);
    }
    if AnalyzeEnv::setting(env, "row_security").is_some_and(|v| v == "off") {
        bail!(
            INSUFFICIENT_PRIVILEGE,
            "query would be affected by row-level security policy for table \"{}\"",
            rel.name
        );
    }
    Ok(true)
}

/// The WHERE condition over the table's columns.
fn condition(env: &dyn StatementEnv, rel: &Arc<RelDesc>, raw: &pglite_parser::ast::Expr) -> PgResult<Expr> {
    let scope = Scope::Relation(rel);
    let e = analyze_expr(env.as_analyze_env(), raw, &scope, ExprKind::CopyWhere, Some((oid::BOOL, -1)))?;
    let generated = std::cell::Cell::new(None);
    pglite_ir::walk::contains(&e, &|e| {
        if let Expr::Var(Var { attno, .. }) = e
            && let Some(c) = rel.attr(*attno).filter(|c| c.generated != 0)
        {
            generated.set(Some(c.attnum));
            return true;
        }
        false
    });
    if let Some(c) = generated.get().and_then(|n| rel.attr(n)) {
        return Err(err!(
            INVALID_COLUMN_REFERENCE,
            "generated columns are not supported in COPY FROM WHERE conditions"
        )
        .detail(format!("Column \"{}\" is a generated column.", c.name)));
    }
    Ok(e)
}

fn check_target(rel: &RelDesc) -> PgResult<()> {
    match rel.kind {
        b'r' | b'p' => Ok(()),
        b'v' if rel.has_triggers => Ok(()),
        b'v' => Err(err!(WRONG_OBJECT_TYPE, "cannot copy to view \"{}\"", rel.name)
            .hint("To enable copying to a view, provide an INSTEAD OF INSERT trigger.")),
        b'm' => bail!(WRONG_OBJECT_TYPE, "cannot copy to materialized view \"{}\"", rel.name),
        b'S' => bail!(WRONG_OBJECT_TYPE, "cannot copy to sequence \"{}\"", rel.name),
        _ => bail!(WRONG_OBJECT_TYPE, "cannot copy to non-table relation \"{}\"", rel.name),
    }
}

fn check_lists(rel: &RelDesc, columns: &[usize], o: &Options) -> PgResult<()> {
    for (list, word) in [(&o.force_not_null, "FORCE_NOT_NULL"), (&o.force_null, "FORCE_NULL")] {
        for name in &list.names {
            match rel.columns.iter().position(|c| !c.dropped && c.name.as_str() == name) {
                None => {
                    bail!(UNDEFINED_COLUMN, "column \"{name}\" of relation \"{}\" does not exist", rel.name)
                }
                Some(i) if !columns.contains(&i) => {
                    bail!(INVALID_COLUMN_REFERENCE, "{word} column \"{name}\" not referenced by COPY")
                }
                _ => {}
            }
        }
    }
    Ok(())
}

/// The copied columns, in input order.
fn listed(
    env: &dyn StatementEnv,
    exec: &ExecEnv<'_>,
    bulk: &BulkInsert,
    rel: &RelDesc,
    columns: &[usize],
    o: &Options,
) -> PgResult<Vec<Column>> {
    let mut out = Vec::with_capacity(columns.len());
    for i in columns {
        let c = &rel.columns[*i];
        let default = match o.default {
            Some(_) => default_of(env, exec, bulk, rel, *i)?,
            None => None,
        };
        let domain = c.type_oid >= pglite_types::Oid::FIRST_NORMAL
            && env.as_fn_host().type_desc(c.type_oid)?.kind == pglite_types::TypeKind::Domain;
        out.push(Column {
            at: *i,
            name: c.name.to_string(),
            type_oid: c.type_oid,
            typmod: c.typmod,
            domain,
            force_not_null: o.force_not_null.has(&c.name),
            force_null: o.force_null.has(&c.name),
            default,
        });
    }
    Ok(out)
}

/// Defaults of the columns that are not copied.
fn missing(
    env: &dyn StatementEnv,
    exec: &ExecEnv<'_>,
    bulk: &BulkInsert,
    rel: &RelDesc,
    columns: &[usize],
) -> PgResult<Vec<(usize, Code)>> {
    let mut out = Vec::new();
    for (i, c) in rel.columns.iter().enumerate() {
        if c.dropped || c.generated != 0 || columns.contains(&i) {
            continue;
        }
        if let Some(code) = default_of(env, exec, bulk, rel, i)? {
            out.push((i, code));
        }
    }
    Ok(out)
}

fn default_of(
    env: &dyn StatementEnv,
    exec: &ExecEnv<'_>,
    bulk: &BulkInsert,
    rel: &RelDesc,
    i: usize,
) -> PgResult<Option<Code>> {
    let default = column_default(env.as_analyze_env(), rel, rel.columns[i].attnum)?;
    default.map(|e| bulk.compile(exec, &e)).transpose()
}
