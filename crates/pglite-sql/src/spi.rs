//! What PL/pgSQL needs of a session: surroundings, utility statements, subtransactions, cursors; and the calls of its
//! functions.
//!
//! Invariant: a compiled function is used while its catalog row is the one it was compiled from.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use pglite_analyze::AnalyzeEnv;
use pglite_catalog::generated::rows::ProcRow;
use pglite_error::{PgError, PgResult, err};
use pglite_exec::ExecEnv;
use pglite_ir::CallInfo;
use pglite_parser::ast::RawStmt;
use pglite_planner::PlannerEnv;
use pglite_plpgsql::{
    Call, CallShape, Column, FetchTo, Function, OpenCursor, PlEnv, PlHost, SubAct, TriggerData, UtilityResult,
};
use pglite_types::{AttrDesc, Datum, Oid, Row, oid};

use crate::core::{Block, Core};
use crate::cx::Cx;
use crate::portal::{CursorOptions, Fetch, Portal};

/// A function as called: actual argument and result types, and the trigger it runs for.
type Key = (Oid, Vec<Oid>, Oid, Oid);

struct Cached {
    row: ProcRow,
    generation: u64,
    function: Arc<Function>,
}

/// The session's compiled functions and what its running ones share.
#[derive(Default)]
pub(crate) struct PlState {
    functions: RefCell<HashMap<Key, Cached>>,
    portals_made: Cell<u64>,
    /// Triggers under way, one in another.
    pub trigger_depth: Cell<i32>,
    /// Cursors of loops under way.
    pub pinned: RefCell<HashSet<String>>,
    /// Portals open when each subtransaction began.
    subtransactions: RefCell<Vec<HashSet<String>>>,
}

impl PlState {
    /// DISCARD PLANS.
    pub fn discard_plans(&self) {
        self.functions.borrow_mut().clear();
    }
}

impl PlEnv for Cx<'_> {
    fn exec_env(&self) -> ExecEnv<'_> {
        Cx::exec_env(self)
    }
    fn analyze(&self) -> &dyn AnalyzeEnv {
        self
    }
    fn planner(&self) -> &dyn PlannerEnv {
        self
    }
}

/// The session as a running function sees it.
pub(crate) struct Spi<'a> {
    pub core: &'a Core,
    /// The calling statement.
    pub caller: Option<&'a Cx<'a>>,
}

impl PlHost for Spi<'_> {
    fn env(&self, fresh: bool) -> PgResult<Box<dyn PlEnv + '_>> {
        match self.caller {
            Some(cx) if !fresh => Ok(Box::new(Cx::with_view(self.core, cx.view.clone())?)),
            _ => {
                self.core.command_done()?;
                Ok(Box::new(Cx::new(self.core)?))
            }
        }
    }
    fn stamp(&self) -> u64 {
        let core = self.core;
        let user = u64::from(core.current_user.get().0);
        1 + (core.generation() << 20) + core.settings.borrow().version() + (user << 44)
    }
    fn command_done(&self) -> PgResult<()> {
        self.core.command_done()
    }
    fn utility(
        &self,
        raw: &Arc<RawStmt>,
        source: &str,
        params: &[(Oid, Datum)],
        atomic: bool,
    ) -> PgResult<UtilityResult> {
        let core = self.core;
        if let pglite_parser::ast::Statement::DoStmt(s) = &raw.stmt {
            let tag = crate::control::do_block(core, s, source, atomic)?;
            return Ok(UtilityResult { tag, ..UtilityResult::default() });
        }
        let mut collector = crate::collect::Collector::default();
        let depth = core.depth.get();
        core.depth.set(depth + 1);
        let tag = {
            let mut client = crate::collect::NoticesBack { core, inner: &mut collector };
            crate::control::run_utility(core, raw, source, params, &mut client, true)
        };
        core.depth.set(depth);
        let columns = collector.columns.iter().map(column).collect();
        Ok(UtilityResult { rows: collector.rows, columns, tag: tag? })
    }
    fn call_procedure(&self, call: &CallInfo, args: &[Datum], atomic: bool) -> PgResult<Datum> {
        procedure(self.core, call, args, atomic)
    }
    fn subtransaction(&self, act: SubAct) -> PgResult<()> {
        let core = self.core;
        match act {
            SubAct::Begin => {
                let open = core.portals.borrow().cursors().map(|(n, _)| n.clone()).collect();
                core.pl.subtransactions.borrow_mut().push(open);
                core.savepoint("")
            }
            SubAct::Release => {
                core.pl.subtransactions.borrow_mut().pop();
                core.release_innermost()
            }
            SubAct::Rollback => {
                let open = core.pl.subtransactions.borrow_mut().pop().unwrap_or_default();
                let gone: Vec<String> = core
                    .portals
                    .borrow()
                    .cursors()
                    .map(|(n, _)| n.clone())
                    .filter(|n| !open.contains(n))
                    .collect();
                gone.iter().for_each(|n| {
                    core.portals.borrow_mut().remove(n);
                });
                core.rollback_innermost()
            }
        }
    }
    fn end_transaction(&self, commit: bool, chain: bool) -> PgResult<()> {
        crate::control::end_in_procedure(self.core, commit, chain)
    }
    fn open_cursor(&self, open: OpenCursor<'_>) -> PgResult<String> {
        let core = self.core;
        let name = match open.name {
            Some(n) => n.to_string(),
            None => {
                let n = core.pl.portals_made.get() + 1;
                core.pl.portals_made.set(n);
                format!("<unnamed portal {n}>")
            }
        };
        if core.portals.borrow().get(&name).is_some() {
            return Err(err!(DUPLICATE_CURSOR, "cursor \"{name}\" already in use"));
        }
        core.command_done()?;
        let columns = {
            let cx = Cx::new(core)?;
            crate::run::columns_of(&cx, &open.plan.stmt)
        };
        let options = CursorOptions {
            scroll: open.scroll == Some(true),
            no_scroll: open.scroll == Some(false),
            ..CursorOptions::default()
        };
        let portal = Portal::cursor(core, open.source, open.plan, open.params, columns, options)?;
        core.portals.borrow_mut().insert(&name, portal);
        if open.pinned {
            core.pl.pinned.borrow_mut().insert(name.clone());
        }
        Ok(name)
    }
    fn fetch_cursor(&self, name: &str, to: FetchTo) -> PgResult<Option<(Vec<Row>, Vec<Column>)>> {
        let core = self.core;
        let Some(mut portal) = core.portals.borrow_mut().take(name) else { return Ok(None) };
        let result = portal.fetch(core, fetch(to));
        let columns = portal.columns.iter().flatten().map(column).collect();
        core.portals.borrow_mut().put_back(name, portal);
        Ok(Some((result?, columns)))
    }
    fn close_cursor(&self, name: &str) -> PgResult<bool> {
        self.core.pl.pinned.borrow_mut().remove(name);
        Ok(self.core.portals.borrow_mut().remove(name))
    }
}

fn column(c: &pglite_commands::OutColumn) -> Column {
    Column { name: c.name.clone(), ty: c.ty, typmod: c.typmod }
}

fn fetch(to: FetchTo) -> Fetch {
    let count = |n: i64| usize::try_from(n).unwrap_or(0);
    match to {
        FetchTo::Forward(n) if n < 0 => Fetch::Backward(count(n.saturating_neg())),
        FetchTo::Backward(n) if n < 0 => Fetch::Forward(count(n.saturating_neg())),
        FetchTo::Forward(0) | FetchTo::Backward(0) => Fetch::Relative(0),
        FetchTo::Forward(n) => Fetch::Forward(count(n)),
        FetchTo::Backward(n) => Fetch::Backward(count(n)),
        FetchTo::ForwardAll => Fetch::Forward(usize::MAX),
        FetchTo::BackwardAll => Fetch::Backward(usize::MAX),
        FetchTo::Absolute(n) => Fetch::Absolute(n),
        FetchTo::Relative(n) => Fetch::Relative(n),
    }
}

/// Whether the function's language is PL/pgSQL.
pub(crate) fn is_plpgsql(cx: &Cx<'_>, row: &ProcRow) -> bool {
    cx.catalog
        .language_by_oid(row.prolang)
        .and_then(|l| cx.catalog.proc_by_oid(l.lanplcallfoid))
        .is_some_and(|h| &*h.prosrc == "plpgsql_call_handler")
}

/// The function compiled for a call.
fn compiled(cx: &Cx<'_>, row: &ProcRow, shape: CallShape, trigger: Oid) -> PgResult<Arc<Function>> {
    let key = (row.oid, shape.args.clone(), shape.ret, trigger);
    if let Some(c) = cx.core.pl.functions.borrow_mut().get_mut(&key) {
        if c.generation == cx.generation {
            return Ok(c.function.clone());
        }
        // A type that was dropped, even to be made again, is another type.
        let types_there = || {
            let ty = |d: &pglite_plpgsql::tree::Decl| d.var().map(|v| v.ty.oid);
            c.function.datums.iter().filter_map(ty).all(|t| cx.catalog.type_by_oid(t).is_some())
        };
        if c.row == *row && types_there() {
            c.generation = cx.generation;
            return Ok(c.function.clone());
        }
    }
    let function = Arc::new(pglite_plpgsql::compile(cx, row, &shape)?);
    let cached = Cached { row: row.clone(), generation: cx.generation, function: function.clone() };
    cx.core.pl.functions.borrow_mut().insert(key, cached);
    Ok(function)
}

fn proc_row<'a>(cx: &'a Cx<'_>, oid: Oid) -> PgResult<&'a ProcRow> {
    cx.catalog
        .proc_by_oid(oid)
        .ok_or_else(|| err!(UNDEFINED_FUNCTION, "cache lookup failed for function {oid}"))
}

fn shape_of(row: &ProcRow, info: &CallInfo) -> CallShape {
    let args = if info.arg_types.is_empty() {
        row.proargtypes.iter().copied().collect()
    } else {
        info.arg_types.clone()
    };
    CallShape { args, ret: info.ret_type, trigger: false, event_trigger: false, validate: false }
}

/// Runs `work` as the function's owner and under its settings, where it says so; bounds the depth.
pub(crate) fn in_function<T>(core: &Core, row: &ProcRow, work: impl FnOnce() -> PgResult<T>) -> PgResult<T> {
    let depth = core.depth.get();
    if depth >= crate::run::MAX_DEPTH {
        return Err(crate::run::too_deep());
    }
    core.depth.set(depth + 1);
    let user = core.current_user.get();
    if row.prosecdef {
        core.current_user.set(row.proowner);
    }
    let saved = match &row.proconfig {
        Some(list) => {
            let names: Vec<&str> = list.iter().filter_map(|s| s.split_once('=')).map(|(n, _)| n).collect();
            let saved = core.settings.borrow().save(&names);
            apply_config(core, list.iter().map(|s| &**s)).map(|()| Some(saved))
        }
        None => Ok(None),
    };
    let result = match &saved {
        Ok(_) => work(),
        Err(e) => Err(e.clone()),
    };
    if let Ok(Some(saved)) = saved {
        core.settings.borrow_mut().put_back(saved);
    }
    core.current_user.set(user);
    core.depth.set(depth);
    result
}

fn apply_config<'a>(core: &Core, list: impl Iterator<Item = &'a str>) -> PgResult<()> {
    for item in list {
        if let Some((name, value)) = item.split_once('=') {
            core.settings.borrow_mut().set(name, value, true, core.setting_source())?;
        }
    }
    Ok(())
}

/// The shape wanted of a record-returning call.
fn expected(info: &CallInfo) -> Option<Arc<[AttrDesc]>> {
    (!info.columns.is_empty()).then(|| {
        info.columns
            .iter()
            .map(|(name, ty, typmod)| AttrDesc {
                name: name.as_str().into(),
                type_oid: *ty,
                typmod: *typmod,
                dropped: false,
            })
            .collect()
    })
}

pub(crate) fn call_scalar(cx: &Cx<'_>, row: &ProcRow, info: &CallInfo, args: &[Datum]) -> PgResult<Datum> {
    let function = compiled(cx, row, shape_of(row, info), Oid::INVALID)?;
    in_function(cx.core, row, || {
        let host = Spi { core: cx.core, caller: Some(cx) };
        pglite_plpgsql::call(&host, &function, &Call { atomic: true, expected: expected(info), args })
    })
}

pub(crate) fn call_set(cx: &Cx<'_>, row: &ProcRow, info: &CallInfo, args: &[Datum]) -> PgResult<Vec<Row>> {
    let function = compiled(cx, row, shape_of(row, info), Oid::INVALID)?;
    in_function(cx.core, row, || {
        let host = Spi { core: cx.core, caller: Some(cx) };
        let call = Call { atomic: true, expected: expected(info), args };
        if row.proretset {
            return pglite_plpgsql::call_set(&host, &function, &call);
        }
        // A function in FROM that returns one row.
        let composite = info.ret_type == oid::RECORD
            || cx.catalog.type_by_oid(cx.catalog.base_type(info.ret_type)).is_some_and(|t| t.typtype == b'c');
        Ok(match pglite_plpgsql::call(&host, &function, &call)? {
            Datum::Record(r) if composite => {
                let live = r.values.iter().zip(r.attrs.iter());
                vec![live.filter(|(_, a)| !a.dropped).map(|(v, _)| v.clone()).collect()]
            }
            v => vec![vec![v]],
        })
    })
}

/// Runs a trigger function. None: it returned NULL.
pub(crate) fn call_trigger(
    cx: &Cx<'_>,
    row: &ProcRow,
    trigger: Oid,
    data: TriggerData<'_>,
) -> PgResult<Option<Row>> {
    let shape = CallShape {
        args: Vec::new(),
        ret: oid::TRIGGER,
        trigger: true,
        event_trigger: false,
        validate: false,
    };
    let function = compiled(cx, row, shape, trigger)?;
    in_function(cx.core, row, || {
        let host = Spi { core: cx.core, caller: Some(cx) };
        pglite_plpgsql::call_trigger(&host, &function, data)
    })
}

/// Calls a procedure in whatever language; yields its OUT row as a record, or NULL.
pub(crate) fn procedure(core: &Core, info: &CallInfo, args: &[Datum], atomic: bool) -> PgResult<Datum> {
    let row = {
        let cx = Cx::new(core)?;
        let row = proc_row(&cx, info.func)?.clone();
        let user = core.current_user.get();
        use pglite_catalog::acl::{AclKind, EXECUTE, object_mask};
        let granted =
            object_mask(&cx.catalog, AclKind::Function, row.proacl.as_ref(), user, row.proowner, EXECUTE);
        if granted == 0 {
            return Err(err!(INSUFFICIENT_PRIVILEGE, "permission denied for procedure {}", row.proname));
        }
        if !is_plpgsql(&cx, &row) {
            return crate::sqlfunc::call_procedure(&cx, info, args);
        }
        row
    };
    let function = {
        let cx = Cx::new(core)?;
        compiled(&cx, &row, shape_of(&row, info), Oid::INVALID)?
    };
    // PG: a procedure that changes user or settings cannot end the transaction.
    let atomic = atomic || row.prosecdef || row.proconfig.is_some();
    in_function(core, &row, || {
        let host = Spi { core, caller: None };
        pglite_plpgsql::call(&host, &function, &Call { atomic, expected: None, args })
    })
}

/// DO.
pub(crate) fn inline(core: &Core, source: &str, body: &str, atomic: bool) -> PgResult<()> {
    let function = {
        let cx = Cx::new(core)?;
        pglite_plpgsql::compile_inline(&cx, body)
            .map_err(|e| pglite_commands::transpose_body_error(e, source, body))?
    };
    let depth = core.depth.get();
    if depth >= crate::run::MAX_DEPTH {
        return Err(crate::run::too_deep());
    }
    core.depth.set(depth + 1);
    let result = pglite_plpgsql::call_inline(&Spi { core, caller: None }, &function, atomic);
    core.depth.set(depth);
    result
}

/// Checks a function's body at creation, as the language's validator does.
pub(crate) fn validate(core: &Core, func: Oid, source: &str) -> PgResult<()> {
    let cx = Cx::new(core)?;
    let row = proc_row(&cx, func)?;
    if !is_plpgsql(&cx, row) {
        return Ok(());
    }
    let catalog = &cx.catalog;
    let ret = catalog.type_by_oid(row.prorettype);
    let polymorphic = pglite_catalog::SearchPath::is_polymorphic(row.prorettype);
    if ret.is_some_and(|t| t.typtype == b'p')
        && !polymorphic
        && !matches!(row.prorettype, oid::VOID | oid::RECORD | oid::TRIGGER | oid::EVENT_TRIGGER)
    {
        let name = pglite_catalog::format_type::format_type_be(catalog, &cx.path, row.prorettype);
        return Err(err!(FEATURE_NOT_SUPPORTED, "PL/pgSQL functions cannot return type {name}"));
    }
    for ty in row.proargtypes.iter() {
        let pseudo = catalog.type_by_oid(*ty).is_some_and(|t| t.typtype == b'p');
        if pseudo && *ty != oid::RECORD && !pglite_catalog::SearchPath::is_polymorphic(*ty) {
            let name = pglite_catalog::format_type::format_type_be(catalog, &cx.path, *ty);
            return Err(err!(FEATURE_NOT_SUPPORTED, "PL/pgSQL functions cannot accept type {name}"));
        }
    }
    if !core.settings.borrow().get_bool("check_function_bodies") {
        return Ok(());
    }
    let shape = CallShape {
        args: row.proargtypes.iter().copied().collect(),
        ret: row.prorettype,
        trigger: row.prorettype == oid::TRIGGER,
        event_trigger: row.prorettype == oid::EVENT_TRIGGER,
        validate: true,
    };
    let before = core.notices.borrow().len();
    let result = pglite_plpgsql::compile(&cx, row, &shape);
    // What was said about the body is told of the statement's text.
    let place = |e: PgError| pglite_commands::transpose_body_error(e, source, &row.prosrc);
    for n in core.notices.borrow_mut().iter_mut().skip(before) {
        *n = place(n.clone());
    }
    result.map(|_| ()).map_err(place)
}

/// Whether code run now may end the transaction: only a lone statement outside a block.
pub(crate) fn is_atomic(core: &Core, multi: bool) -> bool {
    core.block.get() == Block::Explicit || multi || core.depth.get() > 0
}

/// Errors of code that is not there.
pub(crate) fn no_language(name: &str) -> PgError {
    err!(UNDEFINED_OBJECT, "language \"{name}\" does not exist")
}
