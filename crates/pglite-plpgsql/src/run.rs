//! Running a function: its variables, and the walk over its statements.
//!
//! Invariant: an error leaves the function with one CONTEXT line of its own, naming the innermost statement under way.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use pglite_error::{PgError, PgResult, err};
use pglite_exec::{ExecCx, Rows, RunState};
use pglite_types::{AttrDesc, Datum, Oid, Row, oid};

use crate::expr::{Compiled, Dep, Shapes, Want, in_text, prepare};
use crate::host::{PlEnv, PlHost};
use crate::tree::*;

mod assign;
mod block;
mod call;
mod cursor;
mod diag;
mod loops;
mod result;
mod sql;
pub mod trigger;

pub use trigger::{TriggerData, call_trigger};

/// What a call is given besides its arguments.
pub struct Call<'a> {
    /// False only where COMMIT and ROLLBACK are allowed.
    pub atomic: bool,
    /// The row shape wanted of functions returning RECORD or sets of rows.
    pub expected: Option<Arc<[AttrDesc]>>,
    pub args: &'a [Datum],
}

/// How a statement ended.
pub(crate) enum Flow {
    Next,
    Exit(Option<String>),
    Continue(Option<String>),
    Return,
}

/// Where a function stands; shared with the stack that GET DIAGNOSTICS PG_CONTEXT prints.
pub(crate) struct Place {
    pub signature: String,
    pub line: Cell<u32>,
    pub what: Cell<&'static str>,
    /// Stands instead of "line n at statement".
    pub phase: Cell<Option<&'static str>>,
}

impl Place {
    pub fn text(&self) -> String {
        let name = &self.signature;
        match (self.phase.get(), self.line.get()) {
            (Some(p), 0) => format!("PL/pgSQL function {name} {p}"),
            (Some(p), line) if p == block::INIT => format!("PL/pgSQL function {name} line {line} {p}"),
            (Some(p), _) => format!("PL/pgSQL function {name} {p}"),
            (None, 0) => format!("PL/pgSQL function {name}"),
            (None, line) => format!("PL/pgSQL function {name} line {line} at {}", self.what.get()),
        }
    }
}

/// A level of the running call stack.
pub(crate) enum Level {
    Function(Rc<Place>),
    Sql(Arc<str>, pglite_parser::ParseMode),
}

thread_local! {
    // Why: PG_CONTEXT names the callers, which are on this thread's stack and nowhere else.
    static STACK: RefCell<Vec<Level>> = const { RefCell::new(Vec::new()) };
}

pub(crate) fn push_level(level: Level) {
    STACK.with(|s| s.borrow_mut().push(level));
}
pub(crate) fn pop_level() {
    STACK.with(|s| s.borrow_mut().pop());
}
/// The stack's lines, innermost first.
pub(crate) fn stack_lines() -> Vec<String> {
    STACK.with(|s| {
        s.borrow()
            .iter()
            .rev()
            .map(|l| match l {
                Level::Function(p) => p.text(),
                Level::Sql(text, mode) => crate::expr::context_line(text, *mode),
            })
            .collect()
    })
}

/// An error being handled.
pub(crate) struct Caught {
    pub error: PgError,
    /// The lines below this function's, for PG_EXCEPTION_CONTEXT.
    pub outer: Vec<String>,
}

/// One running call.
pub(crate) struct Exec<'h> {
    pub f: &'h Function,
    pub host: &'h dyn PlHost,
    pub vals: Vec<Datum>,
    pub env: Option<Box<dyn PlEnv + 'h>>,
    pub plans: Vec<Option<Arc<Compiled>>>,
    pub stamp: u64,
    pub run: RunState,
    pub place: Rc<Place>,
    pub atomic: bool,
    pub processed: u64,
    pub ret: (Datum, Oid, i32),
    pub rows: Vec<Row>,
    pub expected: Option<Arc<[AttrDesc]>>,
    pub case_types: Vec<(Dno, Oid)>,
    pub caught: Vec<Caught>,
    /// The error on its way out has its line already (RAISE without parameters).
    pub context_done: bool,
    pub subtransactions: u32,
    /// Loops under way over statements that write.
    pub writing_loops: u32,
    /// NEW or OLD as it was given without a row.
    pub empty: Vec<(Dno, Arc<pglite_types::record::RecordValue>)>,
}

impl<'h> Exec<'h> {
    fn new(host: &'h dyn PlHost, f: &'h Function, call: &Call<'_>) -> Exec<'h> {
        let place = Rc::new(Place {
            signature: f.signature.clone(),
            line: Cell::new(0),
            what: Cell::new(""),
            phase: Cell::new(None),
        });
        let mut vals = vec![Datum::Null; f.datums.len()];
        for (dno, v) in f.args.iter().zip(call.args) {
            vals[*dno] = v.clone();
        }
        vals[f.found] = Datum::Bool(false);
        let mut plans = Vec::new();
        plans.resize_with(f.expr_count, || None);
        Exec {
            f,
            host,
            vals,
            env: None,
            plans,
            stamp: 0,
            run: RunState::bare(EMPTY.with(Clone::clone)),
            place,
            atomic: call.atomic,
            processed: 0,
            ret: (Datum::Null, oid::VOID, -1),
            rows: Vec::new(),
            expected: call.expected.clone(),
            case_types: Vec::new(),
            caught: Vec::new(),
            context_done: false,
            subtransactions: 0,
            writing_loops: 0,
            empty: Vec::new(),
        }
    }

    /// Runs `work` as this function's execution: on the stack, with its CONTEXT line on errors.
    fn guarded<T>(&mut self, work: impl FnOnce(&mut Self) -> PgResult<T>) -> PgResult<T> {
        push_level(Level::Function(self.place.clone()));
        let result = work(self);
        let line = result.is_err().then(|| self.place.text());
        pop_level();
        match (result, line) {
            (Err(e), Some(line)) if !self.context_done => Err(e.context(line)),
            (r, _) => r,
        }
    }

    /// The body. 2F005 when a function that must return something does not.
    fn body(&mut self) -> PgResult<()> {
        let flow = self.block(&self.f.body)?;
        self.place.line.set(0);
        self.place.what.set("");
        match flow {
            Flow::Return => Ok(()),
            _ => {
                let needs = self.f.out.is_none()
                    && !self.f.ret_set
                    && self.f.ret_type != oid::VOID
                    && !matches!(
                        self.f.kind,
                        FunctionKind::Inline | FunctionKind::Procedure | FunctionKind::EventTrigger
                    );
                if needs {
                    return Err(err!(
                        S_R_E_FUNCTION_EXECUTED_NO_RETURN_STATEMENT,
                        "control reached end of function without RETURN"
                    ));
                }
                if let Some(out) = self.f.out
                    && !self.f.ret_set
                {
                    self.return_variable(out)?;
                }
                Ok(())
            }
        }
    }

    pub fn statements(&mut self, list: &'h [Stmt]) -> PgResult<Flow> {
        for s in list {
            let (line, what) = (self.place.line.get(), self.place.what.get());
            self.place.line.set(s.line);
            self.place.what.set(s.kind.name());
            let flow = self.statement(s)?;
            self.place.line.set(line);
            self.place.what.set(what);
            if !matches!(flow, Flow::Next) {
                return Ok(flow);
            }
        }
        Ok(Flow::Next)
    }

    fn statement(&mut self, s: &'h Stmt) -> PgResult<Flow> {
        match &s.kind {
            StmtKind::Assign { target, expr } => self.assignment(*target, expr)?,
            StmtKind::If { branches, otherwise } => {
                for (cond, body, _) in branches {
                    if self.condition(cond)? {
                        return self.statements(body);
                    }
                }
                return self.statements(otherwise);
            }
            StmtKind::Block(b) => return self.block(b),
            StmtKind::Case { test, whens, otherwise } => return self.case(test, whens, otherwise),
            StmtKind::Loop(body) => return self.endless(body),
            StmtKind::While { cond, body } => return self.while_loop(cond, body),
            StmtKind::ForInt { .. } => return self.for_int(&s.kind),
            StmtKind::ForQuery { target, query, body } => return self.for_query(*target, query, body),
            StmtKind::ForExecute { target, query, using, body } => {
                return self.for_execute(*target, query, using, body);
            }
            StmtKind::ForCursor { target, cursor, args, body } => {
                return self.for_cursor(*target, *cursor, args.as_ref(), body);
            }
            StmtKind::Foreach { var, slice, array, body } => return self.foreach(*var, *slice, array, body),
            StmtKind::Exit { is_exit, label, cond } => {
                if let Some(c) = cond
                    && !self.condition(c)?
                {
                    return Ok(Flow::Next);
                }
                let label = label.clone();
                return Ok(if *is_exit { Flow::Exit(label) } else { Flow::Continue(label) });
            }
            StmtKind::Return { expr, var } => {
                self.return_(expr.as_ref(), *var)?;
                return Ok(Flow::Return);
            }
            StmtKind::ReturnNext { expr, var } => self.return_next(expr.as_ref(), *var)?,
            StmtKind::ReturnQuery { query, dynamic } => {
                self.return_query(query.as_ref(), dynamic.as_ref())?
            }
            StmtKind::Raise(r) => self.raise(r)?,
            StmtKind::Assert { cond, message } => self.assert(cond, message.as_ref())?,
            StmtKind::Sql { sql, into } => self.sql(sql, *into)?,
            StmtKind::Execute { query, into, using } => self.execute(query, *into, using)?,
            StmtKind::Perform(e) => self.perform(e)?,
            StmtKind::Call { sql, .. } => self.call_statement(sql)?,
            StmtKind::GetDiag { stacked, items } => self.get_diagnostics(*stacked, items)?,
            StmtKind::Open { .. } => self.open(&s.kind)?,
            StmtKind::Fetch { cursor, target, direction } => self.fetch(*cursor, *target, direction)?,
            StmtKind::Close { cursor } => self.close(*cursor)?,
            StmtKind::Commit { chain } => self.end_transaction(true, *chain)?,
            StmtKind::Rollback { chain } => self.end_transaction(false, *chain)?,
            StmtKind::Null => {}
        }
        Ok(Flow::Next)
    }

    // ---- expressions ----------------------------------------------------------------------------------------

    /// Makes sure there are surroundings; drops plans that the catalog has outrun.
    pub fn ensure_env(&mut self) -> PgResult<()> {
        if self.env.is_none() {
            self.env = Some(self.host.env(!self.f.read_only)?);
            let stamp = self.host.stamp();
            if stamp != self.stamp {
                self.stamp = stamp;
                self.plans.iter_mut().for_each(|p| *p = None);
            }
        }
        Ok(())
    }

    /// The surroundings.
    pub fn surroundings(&mut self) -> PgResult<&dyn PlEnv> {
        self.ensure_env()?;
        match &self.env {
            Some(e) => Ok(&**e),
            None => Err(PgError::internal("no surroundings")),
        }
    }

    /// Something ran that later expressions must see.
    pub fn changed(&mut self) {
        self.env = None;
    }

    /// Makes the plan of `e` current.
    fn ready(&mut self, e: &Expr, want: Want) -> PgResult<()> {
        self.ensure_env()?;
        if let Some(c) = &self.plans[e.id]
            && (c.deps().is_empty() || self.deps_hold(c).map_err(|x| stale(x, c, e))?)
        {
            return Ok(());
        }
        let shared = {
            let cache = self.f.plans.lock();
            if cache.stamp == self.stamp { cache.list.get(e.id).cloned().flatten() } else { None }
        };
        if let Some(c) = shared
            && self.deps_hold(&c).map_err(|x| stale(x, &c, e))?
        {
            self.plans[e.id] = Some(c);
            return Ok(());
        }
        let Some(env) = &self.env else { return Err(PgError::internal("no surroundings")) };
        let shapes = Shapes { function: self.f, vals: &self.vals, case_types: &self.case_types };
        let made = prepare(&**env, &shapes, e, want).map_err(|x| in_text(x, &e.text, e.mode))?;
        let made = Arc::new(made);
        let mut cache = self.f.plans.lock();
        if cache.stamp != self.stamp || cache.list.len() != self.f.expr_count {
            cache.stamp = self.stamp;
            cache.list.clear();
            cache.list.resize_with(self.f.expr_count, || None);
        }
        cache.list[e.id] = Some(made.clone());
        drop(cache);
        self.plans[e.id] = Some(made);
        Ok(())
    }

    /// The plan of `e`.
    pub fn plan(&mut self, e: &Expr, want: Want) -> PgResult<Arc<Compiled>> {
        self.ready(e, want)?;
        self.plans[e.id].clone().ok_or_else(|| PgError::internal("no plan"))
    }

    fn deps_hold(&self, c: &Compiled) -> PgResult<bool> {
        for dep in c.deps() {
            let ok = match dep {
                Dep::Unassigned { dno } => self.vals[*dno].is_null(),
                Dep::CaseType { dno, ty } => {
                    self.case_types.iter().find(|(d, _)| d == dno).is_some_and(|(_, t)| t == ty)
                }
                Dep::Shape { dno, attrs, field } => match &self.vals[*dno] {
                    Datum::Record(r) if Arc::ptr_eq(&r.attrs, attrs) => true,
                    Datum::Record(r) => match field {
                        Some((i, ty)) => self.same_field(*dno, &r.attrs, &attrs[*i], *i, *ty)?,
                        None => {
                            r.attrs.len() == attrs.len()
                                && r.attrs.iter().zip(attrs.iter()).all(|(a, b)| {
                                    a.type_oid == b.type_oid && a.name == b.name && a.dropped == b.dropped
                                })
                        }
                    },
                    _ => {
                        self.f.datums[*dno].var().is_some_and(|v| v.ty.oid != oid::RECORD) && field.is_some()
                    }
                },
            };
            if !ok {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether a record of another shape has the field at the same place; 42804 when its type changed.
    fn same_field(&self, dno: Dno, now: &[AttrDesc], then: &AttrDesc, i: usize, ty: Oid) -> PgResult<bool> {
        let Some(at) = now.iter().position(|a| !a.dropped && a.name == then.name) else { return Ok(false) };
        if now[at].type_oid != ty {
            let n = self
                .f
                .datums
                .iter()
                .position(
                    |d| matches!(d, Decl::Field { record, name } if *record == dno && **name == *then.name),
                )
                .unwrap_or(dno);
            let name = |t| self.type_name(t);
            return Err(err!(
                DATATYPE_MISMATCH,
                "type of parameter {} ({}) does not match that when preparing the plan ({})",
                n + 1,
                name(now[at].type_oid),
                name(ty)
            ));
        }
        Ok(at == i)
    }

    pub fn type_name(&self, ty: Oid) -> String {
        match &self.env {
            Some(env) => {
                let a = env.analyze();
                pglite_catalog::format_type::format_type_be(a.catalog(), a.search_path(), ty)
            }
            None => ty.to_string(),
        }
    }

    /// The value of an expression with its type.
    pub fn eval(&mut self, e: &Expr, want: Option<(Oid, i32)>) -> PgResult<(Datum, Oid, i32)> {
        self.ready(e, Want::Value(want))?;
        if let (Some(Compiled::Simple(s)), Some(env)) = (self.plans[e.id].as_deref(), &self.env) {
            let x = env.exec_env();
            let v = s.code.eval(&Rows::outer(&self.vals), &mut ExecCx::new(&x, &mut self.run))?;
            let out = (v, s.ty, s.typmod);
            if s.effects {
                self.env = None;
            }
            return Ok(out);
        }
        self.eval_query(e, Want::Value(want))
    }

    /// A boolean; NULL is false.
    pub fn condition(&mut self, e: &Expr) -> PgResult<bool> {
        let want = Some((oid::BOOL, -1));
        self.ready(e, Want::Value(want))?;
        if let (Some(Compiled::Simple(s)), Some(env)) = (self.plans[e.id].as_deref(), &self.env)
            && s.ty == oid::BOOL
        {
            let x = env.exec_env();
            let v = s.code.test(&Rows::outer(&self.vals), &mut ExecCx::new(&x, &mut self.run))?;
            if s.effects {
                self.env = None;
            }
            return Ok(v == Some(true));
        }
        let (v, ty, typmod) = self.eval(e, want)?;
        Ok(self.cast(v, (ty, typmod), (oid::BOOL, -1))?.as_bool() == Some(true))
    }

    /// A value cast to a type.
    pub fn eval_as(&mut self, e: &Expr, ty: Oid) -> PgResult<Datum> {
        let (v, from, typmod) = self.eval(e, Some((ty, -1)))?;
        self.cast(v, (from, typmod), (ty, -1))
    }

    pub fn check_interrupts(&mut self) -> PgResult<()> {
        self.surroundings()?.exec_env().host.check_interrupts()
    }
}

/// A plan that no longer fits: an expression's is the function's own affair, a statement's names the statement.
fn stale(x: PgError, c: &Compiled, e: &Expr) -> PgError {
    if matches!(c, Compiled::Simple(_)) { x } else { in_text(x, &e.text, e.mode) }
}

thread_local! {
    static EMPTY: Arc<[Datum]> = Arc::from(Vec::new());
}

/// Calls a function for its value.
pub fn call(host: &dyn PlHost, f: &Function, call: &Call<'_>) -> PgResult<Datum> {
    let mut x = Exec::new(host, f, call);
    x.guarded(|x| {
        x.enter()?;
        x.body()?;
        x.result()
    })
}

/// Calls a set-returning function; its rows in the shape of `call.expected`, or of one column.
pub fn call_set(host: &dyn PlHost, f: &Function, call: &Call<'_>) -> PgResult<Vec<Row>> {
    let mut x = Exec::new(host, f, call);
    x.guarded(|x| {
        x.enter()?;
        x.body()
    })?;
    Ok(std::mem::take(&mut x.rows))
}

/// Runs a DO block.
pub fn call_inline(host: &dyn PlHost, f: &Function, atomic: bool) -> PgResult<()> {
    let call = Call { atomic, expected: None, args: &[] };
    let mut x = Exec::new(host, f, &call);
    x.guarded(Exec::body)
}
