//! EXPLAIN: plans a statement, runs it for ANALYZE, and sends the plan's text to the client.
//!
//! `options` reads the options, `node` turns each plan node into an entry, `names` knows what plan expressions refer to,
//! `output` prints the entries as text, JSON, YAML or XML.

mod detail;
mod names;
mod node;
pub(crate) mod options;
mod output;

use std::sync::Arc;

use pglite_analyze::{ParamTypes, analyze, rewrite};
use pglite_error::{PgResult, bail};
use pglite_exec::{ExecEnv, Executor, Prepared};
use pglite_ir::{PlannedStmt, Query};
use pglite_parser::ast::{CreateTableAsStmt, ExplainStmt, RawStmt, Statement};
use pglite_planner::PlanOptions;
use pglite_types::{Batch, Datum, Oid, oid};

use crate::client::OutColumn;
use crate::host::{CommandHost, CommandOutcome, StatementEnv};
use options::{Format, Options};
use output::{Out, Prop, Value};

/// The output column's type: text, or json/xml by FORMAT.
pub fn result_type(s: &ExplainStmt) -> PgResult<Oid> {
    let mut ty = oid::TEXT;
    for d in s.options.iter().filter(|d| d.defname == "format") {
        ty = match options::format(d)? {
            Format::Text | Format::Yaml => oid::TEXT,
            Format::Json => oid::JSON,
            Format::Xml => oid::XML,
        };
    }
    Ok(ty)
}

pub fn explain(host: &dyn CommandHost, s: &ExplainStmt, raw: &Arc<RawStmt>) -> PgResult<CommandOutcome> {
    let options = Options::parse(s)?;
    let mut plans = Vec::new();
    let mut notes: Vec<String> = Vec::new();
    let Explained { statement, source, params, cursor, into } = explained(host, &s.query)?;
    let mut target = None;
    if let (Some(c), Some(inner), true) = (&into, &statement, options.analyze) {
        match crate::ctas::target(host, c, inner, &params)? {
            Some((oid, _)) => target = Some((oid, c.into.skip_data)),
            // PG: a table that exists, with IF NOT EXISTS, leaves nothing to explain.
            None => {
                send(host, result_type(s)?, Vec::new())?;
                return Ok(CommandOutcome::tag("EXPLAIN"));
            }
        }
    }
    match statement {
        Some(statement) => {
            let inner = Arc::new(RawStmt { stmt: statement, location: raw.location, len: raw.len });
            let mut types = if options.generic { ParamTypes::variable(&[]) } else { param_types(&params) };
            let queries = {
                let env = host.env();
                let query = analyze(env.as_analyze_env(), &inner, &source, &mut types)?;
                rewrite(env.as_analyze_env(), query)?
            };
            if queries.is_empty() {
                notes.push("Query rewrites to nothing".into());
            }
            for query in queries {
                plans.push(one(host, &options, query, &params, cursor, target)?);
            }
        }
        None => notes.push(match &s.query {
            Statement::NotifyStmt(_) => "NOTIFY".into(),
            _ => "Utility statements have no plan structure".into(),
        }),
    }
    let rows = match options.format {
        Format::Text => text_rows(&plans, notes),
        Format::Json => vec![output::json(&plans)],
        Format::Yaml => vec![output::yaml(&plans)],
        Format::Xml => vec![output::xml(&plans)],
    };
    send(host, result_type(s)?, rows)?;
    Ok(CommandOutcome::tag("EXPLAIN"))
}

fn param_types(params: &[(Oid, Datum)]) -> ParamTypes {
    ParamTypes::fixed(&params.iter().map(|p| p.0).collect::<Vec<_>>())
}

/// What there is to explain.
struct Explained {
    /// The statement to plan; None: it has no plan.
    statement: Option<Statement>,
    source: String,
    params: Vec<(Oid, Datum)>,
    cursor: bool,
    /// Its rows would go into a new table.
    into: Option<Box<CreateTableAsStmt>>,
}

fn explained(host: &dyn CommandHost, query: &Statement) -> PgResult<Explained> {
    let mut e = Explained {
        statement: None,
        source: host.source().to_string(),
        params: host.params().to_vec(),
        cursor: false,
        into: None,
    };
    match query {
        Statement::SelectStmt(s) if s.leftmost_into().is_some() => {
            e.into = pglite_analyze::select_into(s).map(Box::new);
            e.statement = e.into.as_ref().map(|c| c.query.clone());
        }
        Statement::SelectStmt(_)
        | Statement::InsertStmt(_)
        | Statement::UpdateStmt(_)
        | Statement::DeleteStmt(_)
        | Statement::MergeStmt(_) => e.statement = Some(query.clone()),
        Statement::CreateTableAsStmt(c) => {
            let inner = explained(host, &c.query)?;
            e = Explained { into: Some(c.clone()), ..inner };
        }
        Statement::DeclareCursorStmt(d) => {
            e.statement = Some(Statement::SelectStmt(d.query.clone()));
            e.cursor = true;
        }
        Statement::ExecuteStmt(s) => (e.statement, e.source, e.params) = host.prepared(s)?,
        _ => {}
    }
    Ok(e)
}

/// Plans (and with ANALYZE runs) one query.
fn one(
    host: &dyn CommandHost,
    options: &Options,
    query: Query,
    params: &[(Oid, Datum)],
    cursor: bool,
    target: Option<(Oid, bool)>,
) -> PgResult<(Out, Vec<Prop>)> {
    let env = host.env();
    let hooks = env.as_exec_hooks();
    let begin = hooks.nanos();
    let bound = (!options.generic).then(|| params.to_vec());
    let plan_options = PlanOptions { cursor, scroll: false, params: bound };
    let planned = Arc::new(pglite_planner::plan(env.as_planner_env(), query, plan_options)?);
    let planning = hooks.nanos().saturating_sub(begin);
    let mut extra = Vec::new();
    let mut stats = Vec::new();
    let mut execution = 0;
    if options.analyze {
        let begin = hooks.nanos();
        stats = run(host, &*env, &planned, params, target)?;
        execution = hooks.nanos().saturating_sub(begin);
    }
    let out = describe(&*env, options, &planned, &stats)?;
    if options.summary {
        let millis = |n: u64| Value::Number(format!("{:.3}", n as f64 / 1e6));
        extra.push(Prop { label: "Planning Time".into(), value: millis(planning), text: true });
        if options.format != Format::Text {
            extra.push(Prop { label: "Triggers".into(), value: Value::List(Vec::new()), text: false });
        }
        if options.analyze {
            extra.push(Prop { label: "Execution Time".into(), value: millis(execution), text: true });
        }
    }
    Ok((out, extra))
}

fn run(
    host: &dyn CommandHost,
    env: &dyn StatementEnv,
    planned: &Arc<PlannedStmt>,
    params: &[(Oid, Datum)],
    target: Option<(Oid, bool)>,
) -> PgResult<Vec<pglite_exec::instrument::NodeStats>> {
    let exec_env = ExecEnv {
        txn: host.txn(),
        view: host.view(),
        host: env.as_fn_host(),
        hooks: env.as_exec_hooks(),
        work_mem: 4 << 20,
    };
    let prepared = Prepared::compile(planned.clone(), &exec_env)?;
    let values: Vec<Datum> = params.iter().map(|p| p.1.clone()).collect();
    let mut executor = Executor::with_instrumentation(prepared, Arc::from(values), true);
    match target {
        None => executor.run(&exec_env, 0, &mut |_: &mut Batch| Ok(true)).map(|_| ())?,
        Some((oid, false)) => crate::ctas::run_into(host, &exec_env, &mut executor, oid).map(|_| ())?,
        // WITH NO DATA: the plan is shown as never executed.
        Some((_, true)) => {}
    }
    Ok(executor.stats().to_vec())
}

fn describe(
    env: &dyn StatementEnv,
    options: &Options,
    planned: &PlannedStmt,
    stats: &[pglite_exec::instrument::NodeStats],
) -> PgResult<Out> {
    let host = env.as_fn_host();
    let names = names::Names::new(planned, host.catalog(), env.search_path(), host, env.as_planner_env());
    node::Explainer::new(&names, options, stats).node(&planned.plan, None)
}

fn text_rows(plans: &[(Out, Vec<Prop>)], notes: Vec<String>) -> Vec<String> {
    let mut lines = notes;
    for (i, (plan, extra)) in plans.iter().enumerate() {
        if i > 0 {
            lines.push(String::new());
        }
        output::text(plan, &mut lines);
        for p in extra.iter().filter(|p| p.text) {
            if let Value::Number(n) = &p.value {
                lines.push(format!("{}: {n} ms", p.label));
            }
        }
    }
    lines
}

fn send(host: &dyn CommandHost, ty: Oid, rows: Vec<String>) -> PgResult<()> {
    let typlen = if ty.is_valid() { -1 } else { bail!(INTERNAL_ERROR, "EXPLAIN output without a type") };
    let columns =
        [OutColumn { name: "QUERY PLAN".into(), table: Oid::INVALID, attno: 0, ty, typlen, typmod: -1 }];
    let mut batch = Batch::new(1);
    for row in rows {
        batch.push_row(vec![Datum::text(&row)]);
    }
    let env = host.env();
    host.with_client(&mut |c| {
        c.describe_rows(&columns, &[])?;
        c.rows(env.as_fn_host(), &columns, &[], &batch)
    })
}
