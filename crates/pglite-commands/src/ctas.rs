//! CREATE TABLE AS, SELECT INTO, CREATE and REFRESH MATERIALIZED VIEW.

use std::sync::Arc;

use pglite_analyze::{ParamTypes, analyze_statement, rewrite};
use pglite_catalog::rows::ClassRow;
use pglite_catalog::well_known;
use pglite_error::{PgError, PgResult, Severity, bail, codes};
use pglite_exec::modify::bulk::BulkInsert;
use pglite_exec::{ExecEnv, Executor, Prepared};
use pglite_ir::query::Query;
use pglite_parser::ast::{CreateTableAsStmt, ObjectType, RefreshMatViewStmt, Statement};
use pglite_planner::PlanOptions;
use pglite_types::{Batch, Datum, Oid};

use crate::ctx;
use crate::host::{CommandHost, CommandOutcome};
use crate::relation::{self, NewRelation};
use crate::view::{columns_of, store_rule};

pub(crate) fn create(host: &dyn CommandHost, s: &CreateTableAsStmt) -> PgResult<CommandOutcome> {
    let is_view = s.objtype == ObjectType::MatView;
    let word = if is_view { "CREATE MATERIALIZED VIEW" } else { "CREATE TABLE AS" };
    let (inner, params) = match &s.query {
        Statement::ExecuteStmt(e) => {
            let (inner, _, params) = host.prepared(e)?;
            (inner, params)
        }
        query => (Some(query.clone()), host.params().to_vec()),
    };
    let Some(inner @ Statement::SelectStmt(_)) = inner else {
        bail!(WRONG_OBJECT_TYPE, "prepared statement is not a SELECT")
    };
    let Some((oid, query)) = target(host, s, &inner, &params)? else { return Ok(CommandOutcome::tag(word)) };
    if s.into.skip_data {
        return Ok(CommandOutcome::tag(word));
    }
    let rows = fill(host, oid, query, &params)?;
    Ok(CommandOutcome::tag(format!("SELECT {rows}")))
}

/// Creates the empty relation for the rows of `inner`; None when it exists and that is no error.
pub(crate) fn target(
    host: &dyn CommandHost,
    s: &CreateTableAsStmt,
    inner: &Statement,
    params: &[(Oid, Datum)],
) -> PgResult<Option<(Oid, Query)>> {
    let is_view = s.objtype == ObjectType::MatView;
    let into = &s.into;
    let (namespace, persistence) = ctx::creation_target(host, &into.rel)?;
    if host.snapshot().class_by_name(namespace, &into.rel.relname).is_some() {
        if s.if_not_exists {
            let text = format!("relation \"{}\" already exists, skipping", into.rel.relname);
            ctx::notice(host, PgError::new(codes::DUPLICATE_TABLE, text).severity(Severity::Notice));
            return Ok(None);
        }
        bail!(DUPLICATE_TABLE, "relation \"{}\" already exists", into.rel.relname);
    }
    let types: Vec<Oid> = params.iter().map(|p| p.0).collect();
    let mut query = {
        let env = host.env();
        analyze_statement(env.as_analyze_env(), inner, &mut ParamTypes::fixed(&types))?
    };
    let n = query.targets.iter().filter(|t| !t.junk).count();
    if into.col_names.len() > n {
        bail!(SYNTAX_ERROR, "too many column names were specified");
    }
    for (t, name) in query.targets.iter_mut().filter(|t| !t.junk).zip(&into.col_names) {
        t.name = Some(name.clone());
    }
    let rel = NewRelation {
        name: into.rel.relname.clone(),
        namespace,
        kind: if is_view { b'm' } else { b'r' },
        persistence,
        owner: ctx::user(host),
        am: well_known::AM_HEAP,
        of_type: Oid::INVALID,
        tablespace: Oid::INVALID,
        columns: columns_of(&query),
        options: crate::table::rel_options(&into.options)?,
        with_types: true,
    };
    let oid = relation::create(host, &rel)?;
    if is_view {
        store_rule(host, oid, &query)?;
    }
    if into.skip_data && is_view {
        populated(host, oid, false)?;
    }
    Ok(Some((oid, query)))
}

fn populated(host: &dyn CommandHost, oid: Oid, yes: bool) -> PgResult<()> {
    host.with_catalog(&mut |c| {
        c.modify::<ClassRow>(oid, |r| r.relispopulated = yes);
        Ok(())
    })
}

/// Runs the query into the relation; returns the number of rows.
fn fill(host: &dyn CommandHost, oid: Oid, query: Query, params: &[(Oid, Datum)]) -> PgResult<u64> {
    let env = host.env();
    let mut queries = rewrite(env.as_analyze_env(), query)?;
    let Some(query) = queries.pop() else { return Ok(0) };
    let planned = pglite_planner::plan(env.as_planner_env(), query, PlanOptions::default())?;
    let exec = ExecEnv {
        txn: host.txn(),
        view: host.view(),
        host: env.as_fn_host(),
        hooks: env.as_exec_hooks(),
        work_mem: 4 << 20,
    };
    let prepared = Prepared::compile(Arc::new(planned), &exec)?;
    let params: Arc<[Datum]> = params.iter().map(|p| p.1.clone()).collect();
    run_into(host, &exec, &mut Executor::new(prepared, params), oid)
}

/// Runs a query, its rows going into the relation; their number.
pub(crate) fn run_into(
    host: &dyn CommandHost,
    exec: &ExecEnv<'_>,
    executor: &mut Executor,
    oid: Oid,
) -> PgResult<u64> {
    let rel = host.snapshot().rel(oid).ok_or_else(|| PgError::internal("relation vanished"))?;
    let mut insert = BulkInsert::start(exec, &rel)?;
    let (mut rows, width) = (0u64, rel.columns.len());
    executor.run(exec, 0, &mut |batch: &mut Batch| {
        let mut out = Batch::new(width);
        for row in batch.rows() {
            out.push_row(row[..width].to_vec());
        }
        rows += insert.insert(exec, &mut out)?;
        Ok(true)
    })?;
    insert.finish(exec)?;
    Ok(rows)
}

pub(crate) fn refresh(host: &dyn CommandHost, s: &RefreshMatViewStmt) -> PgResult<CommandOutcome> {
    let rel = ctx::relation(host, &s.relation)?;
    if rel.kind != b'm' {
        bail!(WRONG_OBJECT_TYPE, "\"{}\" is not a materialized view", rel.name);
    }
    ctx::must_own(host, &rel)?;
    if s.concurrent && s.skip_data {
        bail!(SYNTAX_ERROR, "REFRESH options CONCURRENTLY and WITH NO DATA cannot be used together");
    }
    if s.concurrent && !rel.populated {
        return Err(PgError::unsupported(
            "CONCURRENTLY cannot be used when the materialized view is not populated",
        ));
    }
    host.env().lock_relation(rel.oid, 8)?;
    crate::truncate::new_storage(host, &rel)?;
    populated(host, rel.oid, !s.skip_data)?;
    if !s.skip_data {
        let text = rel.view.clone().ok_or_else(|| PgError::internal("materialized view without a query"))?;
        let parsed = pglite_parser::parse(&text, &pglite_parser::ParseOptions::default())?;
        let Some(raw) = parsed.stmts.into_iter().next() else {
            bail!(INTERNAL_ERROR, "materialized view without a query")
        };
        let query = {
            let env = host.env();
            analyze_statement(env.as_analyze_env(), &raw.stmt, &mut ParamTypes::none())?
        };
        fill(host, rel.oid, query, &[])?;
    }
    Ok(CommandOutcome::tag("REFRESH MATERIALIZED VIEW"))
}
