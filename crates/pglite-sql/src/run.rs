//! Running one statement: analyze, rewrite, plan, compile, execute.

use std::sync::Arc;

use pglite_analyze::{ParamTypes, analyze, rewrite};
use pglite_commands::{Client, OutColumn};
use pglite_error::{PgError, PgResult, bail};
use pglite_exec::{Executor, Prepared};
use pglite_ir::{CommandType, PlannedStmt};
use pglite_parser::ast::{RawStmt, Statement};
use pglite_parser::{ParseOptions, Parsed};
use pglite_planner::PlanOptions;
use pglite_types::{Batch, Datum, Oid, Row};

use crate::core::Core;
use crate::cx::Cx;

/// A statement ready to run.
#[derive(Clone)]
pub(crate) enum Action {
    Plans(Vec<Arc<Prepared>>),
    Utility(Arc<RawStmt>),
}

/// Result columns of a planned query.
pub(crate) fn columns_of(cx: &Cx<'_>, stmt: &PlannedStmt) -> Vec<OutColumn> {
    let targets = match &stmt.plan.node {
        pglite_ir::PlanNode::ModifyTable(m) => m.targets.first().map_or(&[][..], |t| &t.returning),
        _ => &stmt.plan.targets[..],
    };
    columns_of_targets(cx, targets)
}

/// Result columns of an analyzed query; None when it returns no rows.
pub(crate) fn columns_of_query(cx: &Cx<'_>, query: &pglite_ir::Query) -> Option<Vec<OutColumn>> {
    let targets = if query.command == CommandType::Select { &query.targets } else { &query.returning };
    (!targets.is_empty() || query.command == CommandType::Select).then(|| columns_of_targets(cx, targets))
}

fn columns_of_targets(cx: &Cx<'_>, targets: &[pglite_ir::TargetEntry]) -> Vec<OutColumn> {
    targets
        .iter()
        .filter(|t| !t.junk)
        .map(|t| {
            // PG: clients are told of a domain's base type.
            let (ty, typmod) = cx.catalog.base_type_and_typmod(t.expr.ty(), t.expr.typmod());
            OutColumn {
                name: t.name.clone().unwrap_or_else(|| "?column?".into()),
                table: t.orig_table,
                attno: t.orig_column,
                ty,
                typlen: cx.catalog.type_by_oid(ty).map_or(-1, |r| r.typlen),
                typmod,
            }
        })
        .collect()
}

/// Result columns as clients are told them: a domain shows as its base type.
pub(crate) fn client_columns(cx: &Cx<'_>, stmt: &PlannedStmt) -> Vec<OutColumn> {
    let mut columns = columns_of(cx, stmt);
    for c in &mut columns {
        (c.ty, c.typmod) = cx.catalog.base_type_and_typmod(c.ty, c.typmod);
    }
    columns
}

impl Action {
    /// Result columns; None when the statement returns no rows.
    pub fn columns(&self, core: &Core, source: &str) -> PgResult<Option<Vec<OutColumn>>> {
        match self {
            Action::Plans(plans) => {
                let cx = Cx::new(core)?;
                Ok(plans.iter().find(|p| returns_rows(&p.stmt)).map(|p| client_columns(&cx, &p.stmt)))
            }
            Action::Utility(raw) => crate::control::utility_columns(core, &raw.stmt, source),
        }
    }
}

pub(crate) fn returns_rows(stmt: &PlannedStmt) -> bool {
    stmt.command == CommandType::Select || stmt.has_returning
}

pub(crate) fn parse(core: &Core, sql: &str) -> PgResult<Parsed> {
    let hot = core.settings.borrow().hot();
    let options = ParseOptions {
        standard_conforming_strings: hot.standard_conforming_strings,
        escape_string_warning: hot.escape_string_warning,
        ..ParseOptions::default()
    };
    let mut parsed = pglite_parser::parse(sql, &options)?;
    core.notices.borrow_mut().append(&mut parsed.notices);
    Ok(parsed)
}

/// Statements that analysis and the planner take; everything else is a utility.
fn is_plannable(stmt: &Statement) -> bool {
    match stmt {
        Statement::SelectStmt(s) => s.leftmost_into().is_none(),
        Statement::InsertStmt(_)
        | Statement::UpdateStmt(_)
        | Statement::DeleteStmt(_)
        | Statement::MergeStmt(_) => true,
        _ => false,
    }
}

/// Analyzes and plans a statement.
pub(crate) fn plan(
    cx: &Cx<'_>,
    raw: &Arc<RawStmt>,
    source: &str,
    params: &mut ParamTypes,
) -> PgResult<Action> {
    plan_with(cx, raw, source, params, &PlanOptions::default())
}

pub(crate) fn plan_with(
    cx: &Cx<'_>,
    raw: &Arc<RawStmt>,
    source: &str,
    params: &mut ParamTypes,
    options: &PlanOptions,
) -> PgResult<Action> {
    if !is_plannable(&raw.stmt) {
        return Ok(Action::Utility(raw.clone()));
    }
    let query = analyze(cx, raw, source, params)?;
    let mut plans = Vec::with_capacity(1);
    for mut query in rewrite(cx, query)? {
        if options.cursor {
            pglite_analyze::identify_rows(&mut query);
        }
        let planned = pglite_planner::plan(cx, query, options.clone())?;
        if cx.txn.read_only() && !planned.read_only {
            cx.not_read_only(command_name(planned.command))?;
        }
        plans.push(Prepared::compile(Arc::new(planned), &cx.exec_env())?);
    }
    Ok(Action::Plans(plans))
}

pub(crate) fn command_name(command: CommandType) -> &'static str {
    match command {
        CommandType::Select => "SELECT",
        CommandType::Insert => "INSERT",
        CommandType::Update => "UPDATE",
        CommandType::Delete => "DELETE",
        CommandType::Merge => "MERGE",
        CommandType::Utility => "UTILITY",
    }
}

/// The command tag of a finished plan.
pub(crate) fn tag(command: CommandType, rows: u64) -> String {
    match command {
        CommandType::Insert => format!("INSERT 0 {rows}"),
        other => format!("{} {rows}", command_name(other)),
    }
}

/// Runs all plans of a statement to the end; the last one's tag counts.
pub(crate) fn run_plans(
    core: &Core,
    plans: &[Arc<Prepared>],
    params: &Arc<[Datum]>,
    client: &mut dyn Client,
    formats: &[i16],
    describe: bool,
) -> PgResult<String> {
    let mut result = None;
    for prepared in plans {
        let cx = Cx::new(core)?;
        let rows_out = returns_rows(&prepared.stmt);
        let columns = if rows_out { client_columns(&cx, &prepared.stmt) } else { Vec::new() };
        if rows_out && describe {
            client.describe_rows(&columns, formats)?;
        }
        let mut executor = Executor::new(prepared.clone(), params.clone());
        let mut selected = 0;
        core.run_long(prepared.stmt.plan.cost.total, || {
            executor.run(&cx.exec_env(), 0, &mut |batch: &mut Batch| {
                selected += batch.len() as u64;
                if rows_out {
                    core.send_notices(client);
                    client.rows(&cx, &columns, formats, batch)?;
                }
                Ok(true)
            })
        })?;
        core.send_notices(client);
        core.command_done()?;
        let rows = if prepared.stmt.command == CommandType::Select { selected } else { executor.processed() };
        result = Some(tag(prepared.stmt.command, rows));
    }
    // PG: a statement that rules replaced by nothing reports its own command with no rows.
    Ok(result.unwrap_or_else(|| "INSERT 0 0".into()))
}

/// How deep statements may nest (functions calling queries calling functions).
pub(crate) const MAX_DEPTH: u32 = 200;

/// 54001.
pub(crate) fn too_deep() -> PgError {
    PgError::new(pglite_error::codes::STATEMENT_TOO_COMPLEX, "stack depth limit exceeded").hint(
        "Increase the configuration parameter \"max_stack_depth\" (currently 2048kB), after ensuring the platform's stack depth limit is adequate.",
    )
}

/// Runs a text of one or more statements inside the running transaction and collects the last one's rows.
pub(crate) fn run_nested(core: &Core, sql: &str, params: &[(Oid, Datum)]) -> PgResult<Vec<Row>> {
    if core.depth.get() >= MAX_DEPTH {
        return Err(too_deep());
    }
    core.depth.set(core.depth.get() + 1);
    let result = nested(core, sql, params);
    core.depth.set(core.depth.get() - 1);
    result
}

fn nested(core: &Core, sql: &str, params: &[(Oid, Datum)]) -> PgResult<Vec<Row>> {
    let types: Vec<Oid> = params.iter().map(|p| p.0).collect();
    let values: Arc<[Datum]> = params.iter().map(|p| p.1.clone()).collect();
    let mut collector = crate::collect::Collector::default();
    for raw in parse(core, sql)?.stmts {
        collector.rows.clear();
        let raw = Arc::new(raw);
        let cx = Cx::new(core)?;
        match plan(&cx, &raw, sql, &mut ParamTypes::fixed(&types))? {
            Action::Plans(plans) => {
                let mut notices = crate::collect::NoticesBack { core, inner: &mut collector };
                run_plans(core, &plans, &values, &mut notices, &[], true)?;
            }
            Action::Utility(raw) => {
                if matches!(raw.stmt, Statement::TransactionStmt(_)) {
                    bail!(INVALID_TRANSACTION_TERMINATION, "invalid transaction termination");
                }
                let mut notices = crate::collect::NoticesBack { core, inner: &mut collector };
                crate::control::run_utility(core, &raw, sql, params, &mut notices, true)?;
                core.command_done()?;
            }
        }
    }
    Ok(collector.rows)
}
