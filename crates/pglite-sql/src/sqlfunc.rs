//! SQL-language functions: the body is a text of statements; the last one's result is the function's.
//!
//! Invariant: a body is parsed, analyzed and planned once per session and catalog generation, not per call.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use pglite_analyze::{AnalyzeEnv, ParamTypes, VariablePhase, analyze, rewrite};
use pglite_catalog::generated::rows::ProcRow;
use pglite_catalog::{RelDesc, SearchPath, Snapshot, well_known};
use pglite_error::{PgError, PgResult, bail, err};
use pglite_exec::{Executor, Prepared};
use pglite_ir::expr::{Param, ParamKind};
use pglite_ir::{CallInfo, Expr, FnCtx, RowSource};
use pglite_planner::PlanOptions;
use pglite_types::{Batch, Datum, Oid, Row, TypeEnv, oid};

use crate::core::Core;
use crate::cx::Cx;
use crate::run;

/// One statement of a body.
enum Step {
    Plan(Arc<Prepared>),
    Utility(Arc<pglite_parser::ast::RawStmt>),
}

struct CompiledBody {
    steps: Vec<Step>,
    source: String,
}

/// Compiled bodies of the session: by function and actual argument types.
#[derive(Default)]
pub(crate) struct Bodies(RefCell<(u64, HashMap<(Oid, Vec<Oid>), Arc<CompiledBody>>)>);

/// The session's environment with the function's argument names in scope.
struct BodyEnv<'a, 's> {
    cx: &'a Cx<'s>,
    function: &'a str,
    /// Name and type of each input argument.
    args: Vec<(String, Oid)>,
}

impl AnalyzeEnv for BodyEnv<'_, '_> {
    fn catalog(&self) -> &Arc<Snapshot> {
        &self.cx.catalog
    }
    fn search_path(&self) -> &SearchPath {
        &self.cx.path
    }
    fn type_env(&self) -> &dyn TypeEnv {
        self.cx
    }
    fn current_user(&self) -> Oid {
        AnalyzeEnv::current_user(self.cx)
    }
    fn setting(&self, name: &str) -> Option<String> {
        AnalyzeEnv::setting(self.cx, name)
    }
    fn notice(&self, notice: PgError) {
        AnalyzeEnv::notice(self.cx, notice);
    }
    fn lock_relation(&self, rel: Oid, mode: u8) -> PgResult<()> {
        self.cx.lock_relation(rel, mode)
    }
    fn database_name(&self) -> String {
        self.cx.database_name()
    }
    fn ephemeral(&self, name: &str) -> Option<Arc<RelDesc>> {
        self.cx.ephemeral(name)
    }
    fn resolve_variable(
        &self,
        names: &[&str],
        location: i32,
        phase: VariablePhase,
    ) -> PgResult<Option<Expr>> {
        if phase != VariablePhase::AfterColumns {
            return Ok(None);
        }
        let name = match names {
            [name] => *name,
            [function, name] if *function == self.function => *name,
            _ => return Ok(None),
        };
        let Some(i) = self.args.iter().position(|(n, _)| n == name) else { return Ok(None) };
        let ty = self.args[i].1;
        let collation = self.cx.catalog.type_by_oid(ty).map_or(Oid::INVALID, |t| t.typcollation);
        let param =
            Param { kind: ParamKind::External, id: i as u32 + 1, ty, typmod: -1, collation, location };
        Ok(Some(Expr::Param(param)))
    }
}

fn function<'a>(cx: &'a Cx<'_>, oid: Oid) -> PgResult<&'a ProcRow> {
    cx.catalog
        .proc_by_oid(oid)
        .ok_or_else(|| err!(UNDEFINED_FUNCTION, "cache lookup failed for function {oid}"))
}

fn compile(cx: &Cx<'_>, row: &ProcRow, types: &[Oid]) -> PgResult<Arc<CompiledBody>> {
    let key = (row.oid, types.to_vec());
    {
        let mut cache = cx.core.bodies.0.borrow_mut();
        if cache.0 != cx.generation {
            cache.0 = cx.generation;
            cache.1.clear();
        } else if let Some(found) = cache.1.get(&key) {
            return Ok(found.clone());
        }
    }
    let source = row.prosqlbody.as_ref().map_or_else(|| row.prosrc.to_string(), |b| b.to_string());
    let args = input_names(row).into_iter().zip(types.iter().copied()).collect();
    let env = BodyEnv { cx, function: row.proname.as_str(), args };
    let context = |e: PgError| in_body(e, row, &source, "during inlining");
    let mut steps = Vec::new();
    for raw in run::parse(cx.core, &source).map_err(context)?.stmts {
        let raw = Arc::new(raw);
        use pglite_parser::ast::Statement as S;
        if !matches!(
            raw.stmt,
            S::SelectStmt(_) | S::InsertStmt(_) | S::UpdateStmt(_) | S::DeleteStmt(_) | S::MergeStmt(_)
        ) {
            steps.push(Step::Utility(raw));
            continue;
        }
        let query = analyze(&env, &raw, &source, &mut ParamTypes::fixed(types)).map_err(context)?;
        for query in rewrite(&env, query).map_err(context)? {
            let planned = pglite_planner::plan(cx, query, PlanOptions::default())?;
            steps.push(Step::Plan(Prepared::compile(Arc::new(planned), &cx.exec_env())?));
        }
    }
    let body = Arc::new(CompiledBody { steps, source });
    cx.core.bodies.0.borrow_mut().1.insert(key, body.clone());
    Ok(body)
}

/// Names of the input arguments in order; unnamed ones are empty.
fn input_names(row: &ProcRow) -> Vec<String> {
    let names: Vec<String> = row.proargnames.iter().flat_map(|l| l.iter()).map(|n| n.to_string()).collect();
    match &row.proargmodes {
        None => names,
        Some(modes) => names
            .into_iter()
            .zip(modes.iter())
            .filter(|(_, m)| matches!(m, b'i' | b'b' | b'v'))
            .map(|(n, _)| n)
            .collect(),
    }
}

/// PostgreSQL reports positions inside a body as internal positions, with the body as internal query.
fn in_body(mut e: PgError, row: &ProcRow, source: &str, phase: &str) -> PgError {
    let fields = e.fields_mut();
    if let Some(position) = fields.position.take() {
        fields.internal_position = Some(position);
        fields.internal_query = Some(source.to_string());
    }
    e.context(format!("SQL function \"{}\" {phase}", row.proname))
}

/// Runs a body; returns the last statement's rows.
fn run_body(cx: &Cx<'_>, info: &CallInfo, args: &[Datum]) -> PgResult<(Vec<Row>, Vec<Oid>)> {
    let row = function(cx, info.func)?;
    if row.prolang != well_known::LANG_SQL {
        let language =
            cx.catalog.language_by_oid(row.prolang).map(|l| l.lanname.to_string()).unwrap_or_default();
        bail!(FEATURE_NOT_SUPPORTED, "functions in language \"{language}\" are not supported yet");
    }
    let core = cx.core;
    if core.depth.get() >= 150 {
        return Err(err!(STATEMENT_TOO_COMPLEX, "stack depth limit exceeded").hint(
            "Increase the configuration parameter \"max_stack_depth\" (currently 2048kB), after ensuring the platform's stack depth limit is adequate.",
        ));
    }
    let types: Vec<Oid> = if info.arg_types.is_empty() {
        row.proargtypes.iter().copied().collect()
    } else {
        info.arg_types.clone()
    };
    let user = core.current_user.get();
    if row.prosecdef {
        core.current_user.set(row.proowner);
    }
    let mark = row.proconfig.as_ref().map(|_| core.settings.borrow().mark());
    core.depth.set(core.depth.get() + 1);
    let result = run_configured(cx, row, &types, args);
    core.depth.set(core.depth.get() - 1);
    if let Some(mark) = mark {
        core.settings.borrow_mut().restore(&mark);
    }
    core.current_user.set(user);
    result
}

/// Compiles and runs a body under the function's own settings (`CREATE FUNCTION ... SET`); the caller restores them.
fn run_configured(
    cx: &Cx<'_>,
    row: &ProcRow,
    types: &[Oid],
    args: &[Datum],
) -> PgResult<(Vec<Row>, Vec<Oid>)> {
    let core = cx.core;
    let Some(config) = &row.proconfig else {
        let body = compile(cx, row, types)?;
        return run_steps(core, cx, row, &body, types, args);
    };
    for (name, value) in config.iter().filter_map(|c| c.split_once('=')) {
        let source = crate::settings::Source::Session { superuser: true };
        core.settings.borrow_mut().set(name, value, true, source)?;
    }
    let own = Cx::new(core)?;
    let body = compile(&own, row, types)?;
    run_steps(core, &own, row, &body, types, args)
}

fn run_steps(
    core: &Core,
    cx: &Cx<'_>,
    row: &ProcRow,
    body: &CompiledBody,
    types: &[Oid],
    args: &[Datum],
) -> PgResult<(Vec<Row>, Vec<Oid>)> {
    let params: Arc<[Datum]> = args.into();
    let mut rows = Vec::new();
    let mut columns = Vec::new();
    for (i, step) in body.steps.iter().enumerate() {
        rows.clear();
        let context = |e: PgError| in_body(e, row, &body.source, &format!("statement {}", i + 1));
        match step {
            Step::Plan(prepared) => {
                // A volatile function's statements see what its earlier ones (and its caller) did.
                let own = if row.provolatile == b'v' {
                    core.command_done()?;
                    Some(Cx::new(core)?)
                } else {
                    None
                };
                let env = own.as_ref().unwrap_or(cx);
                let returns = run::returns_rows(&prepared.stmt);
                columns = if returns {
                    run::columns_of(env, &prepared.stmt).iter().map(|c| c.ty).collect()
                } else {
                    Vec::new()
                };
                let width = columns.len();
                let mut executor = Executor::new(prepared.clone(), params.clone());
                let single = !row.proretset
                    && i + 1 == body.steps.len()
                    && prepared.stmt.command == pglite_ir::CommandType::Select;
                executor
                    .run(&env.exec_env(), u64::from(single), &mut |batch: &mut Batch| {
                        if returns {
                            rows.extend(batch.rows().map(|r| r[..width.min(r.len())].to_vec()));
                        }
                        Ok(true)
                    })
                    .map_err(context)?;
            }
            Step::Utility(raw) => {
                let typed: Vec<(Oid, Datum)> = types.iter().copied().zip(args.iter().cloned()).collect();
                let mut quiet = crate::collect::Collector::default();
                let mut client = crate::collect::NoticesBack { core, inner: &mut quiet };
                crate::control::run_utility(core, raw, &body.source, &typed, &mut client, true)
                    .map_err(context)?;
                core.command_done()?;
            }
        }
    }
    Ok((rows, columns))
}

/// The function's value from a row of its last statement.
fn value_of(cx: &Cx<'_>, info: &CallInfo, row: Row, types: &[Oid]) -> PgResult<Datum> {
    let ret = cx.catalog.type_by_oid(info.ret_type);
    let composite = info.ret_type == oid::RECORD || ret.is_some_and(|t| t.typtype == b'c');
    if info.ret_type == oid::VOID {
        return Ok(Datum::text(""));
    }
    let already = row.len() == 1 && (types[0] == info.ret_type || matches!(row[0], Datum::Record(_)));
    if composite && !already {
        return pglite_exec::expr::make_record(&cx.exec_env(), info.ret_type, types, row);
    }
    let value = row.into_iter().next().unwrap_or_default();
    if types.first().is_some_and(|t| *t != info.ret_type) {
        return pglite_exec::expr::coerce_value(&cx.exec_env(), value, types[0], info.ret_type);
    }
    Ok(value)
}

pub(crate) fn call_scalar(cx: &Cx<'_>, info: &CallInfo, args: &[Datum]) -> PgResult<Datum> {
    let proc_ = function(cx, info.func)?;
    if crate::spi::is_plpgsql(cx, proc_) {
        return crate::spi::call_scalar(cx, proc_, info, args);
    }
    let (mut rows, types) = run_body(cx, info, args)?;
    if rows.is_empty() || types.is_empty() {
        return Ok(Datum::Null);
    }
    value_of(cx, info, rows.swap_remove(0), &types)
}

/// Rows at hand.
struct Rows(std::vec::IntoIter<Row>);

impl RowSource for Rows {
    fn next(&mut self, _ctx: &FnCtx<'_>, out: &mut Row) -> PgResult<bool> {
        match self.0.next() {
            Some(row) => {
                out.extend(row);
                Ok(true)
            }
            None => Ok(false),
        }
    }
}

/// A procedure's OUT row: that of its last statement; NULL without OUT parameters.
pub(crate) fn call_procedure(cx: &Cx<'_>, info: &CallInfo, args: &[Datum]) -> PgResult<Datum> {
    let row = function(cx, info.func)?;
    let (mut rows, types) = run_body(cx, info, args)?;
    if row.prorettype == oid::VOID || rows.is_empty() || types.is_empty() {
        return Ok(Datum::Null);
    }
    // PG: a procedure's one column is always the value of its one OUT argument, never the whole row.
    let expected = result_types(cx, info);
    let row = coerce_columns(cx, rows.swap_remove(0), &types, &expected)?;
    let types: Vec<Oid> = types
        .iter()
        .enumerate()
        .map(|(i, t)| expected.get(i).copied().filter(|e| e.is_valid()).unwrap_or(*t))
        .collect();
    pglite_exec::expr::make_record(&cx.exec_env(), oid::RECORD, &types, row)
}

/// The types that a function's result columns must have; invalid where the call decides.
fn result_types(cx: &Cx<'_>, info: &CallInfo) -> Vec<Oid> {
    if !info.columns.is_empty() {
        return info.columns.iter().map(|c| c.1).collect();
    }
    let Some(row) = cx.catalog.proc_by_oid(info.func) else { return Vec::new() };
    let (Some(types), Some(modes)) = (&row.proallargtypes, &row.proargmodes) else { return Vec::new() };
    let polymorphic = |t: Oid| cx.catalog.type_by_oid(t).is_none_or(|r| r.typtype == b'p');
    let out = types.iter().zip(modes.iter()).filter(|(_, m)| matches!(m, b'o' | b'b' | b't'));
    out.map(|(t, _)| if polymorphic(*t) { Oid::INVALID } else { *t }).collect()
}

fn coerce_columns(cx: &Cx<'_>, mut row: Row, types: &[Oid], expected: &[Oid]) -> PgResult<Row> {
    for ((value, from), to) in row.iter_mut().zip(types).zip(expected) {
        if to.is_valid() && from != to {
            let old = std::mem::take(value);
            *value = pglite_exec::expr::coerce_value(&cx.exec_env(), old, *from, *to)?;
        }
    }
    Ok(row)
}

pub(crate) fn call_set(cx: &Cx<'_>, info: &CallInfo, args: &[Datum]) -> PgResult<Box<dyn RowSource>> {
    let proc_ = function(cx, info.func)?;
    if crate::spi::is_plpgsql(cx, proc_) {
        return Ok(Box::new(Rows(crate::spi::call_set(cx, proc_, info, args)?.into_iter())));
    }
    let (rows, types) = run_body(cx, info, args)?;
    let composite = info.ret_type == oid::RECORD
        || cx.catalog.type_by_oid(info.ret_type).is_some_and(|t| t.typtype == b'c');
    let expected = if composite { result_types(cx, info) } else { Vec::new() };
    let rows = rows
        .into_iter()
        .map(|row| match &row[..] {
            [Datum::Record(r)] if composite => Ok(r.values.to_vec()),
            _ if composite => coerce_columns(cx, row, &types, &expected),
            _ => value_of(cx, info, row, &types).map(|v| vec![v]),
        })
        .collect::<PgResult<Vec<_>>>()?;
    Ok(Box::new(Rows(rows.into_iter())))
}
