//! The SQL pieces of a function as plans: variables become parameters, simple expressions become programs over the
//! function's variables.
//!
//! Invariant: a plan is used only while the catalog stamp and the shapes of the records it reads are those it was made
//! with.

use std::cell::RefCell;
use std::sync::Arc;

use pglite_analyze::{
    AnalyzeEnv, CoercionContext, ParamTypes, VariablePhase, analyze, analyze_assignment, analyze_call,
    coerce_to_target_type, rewrite,
};
use pglite_catalog::{RelDesc, SearchPath, Snapshot};
use pglite_error::{PgError, PgResult, bail, err};
use pglite_exec::expr::{Compiler, Layout};
use pglite_exec::{Code, Prepared};
use pglite_ir::expr::{OUTER_VAR, Param, ParamKind, Var, VarReturning};
use pglite_ir::plan::PlanNode;
use pglite_ir::{CommandType, Expr as IrExpr, Query};
use pglite_parser::ParseMode;
use pglite_parser::ast::{RawStmt, Statement};
use pglite_planner::PlanOptions;
use pglite_types::{AttrDesc, Datum, Oid, TypeEnv, oid};

use crate::host::{Column, PlEnv};
use crate::tree::*;

/// A parameter of a plan: a variable, or a field of one.
#[derive(Clone, Debug, PartialEq)]
pub struct ParamRef {
    pub dno: Dno,
    /// Position and name of a record's field.
    pub field: Option<(usize, String)>,
    pub ty: Oid,
}

/// What a plan assumed about a variable.
#[derive(Clone, Debug)]
pub enum Dep {
    /// The record had these attributes; the plan reads the field, or (None) the whole row.
    Shape { dno: Dno, attrs: Arc<[AttrDesc]>, field: Option<(usize, Oid)> },
    /// The record was NULL.
    Unassigned { dno: Dno },
    /// A CASE's hidden variable had this type.
    CaseType { dno: Dno, ty: Oid },
}

pub struct Simple {
    pub code: Code,
    pub ty: Oid,
    pub typmod: i32,
    pub deps: Vec<Dep>,
    /// Calls functions that may change what later expressions see.
    pub effects: bool,
}

pub struct QueryPlan {
    pub plans: Vec<Arc<Prepared>>,
    /// Of the statement that returns rows.
    pub columns: Vec<Column>,
    pub returns_rows: bool,
    pub params: Vec<ParamRef>,
    pub deps: Vec<Dep>,
}

/// The whole new value of a variable of which a part is assigned.
pub struct Store {
    pub value: Compiled,
    pub deps: Vec<Dep>,
}

pub enum Compiled {
    Simple(Simple),
    Query(QueryPlan),
    Utility {
        raw: Arc<RawStmt>,
        params: Vec<ParamRef>,
        deps: Vec<Dep>,
    },
    /// Assignment to a part of a variable.
    Store(Box<Store>),
}

impl Compiled {
    pub fn deps(&self) -> &[Dep] {
        match self {
            Compiled::Simple(s) => &s.deps,
            Compiled::Query(q) => &q.deps,
            Compiled::Utility { deps, .. } => deps,
            Compiled::Store(s) => &s.deps,
        }
    }
}

/// What the text is to become.
#[derive(Clone, Copy, Debug)]
pub enum Want {
    /// One value, of this type if given.
    Value(Option<(Oid, i32)>),
    /// Rows or effects.
    Statement,
    /// An assignment to the variable.
    Assign(Dno),
    /// A cursor's query.
    Cursor { scroll: bool },
}

/// The variables' present shapes, for analysis.
pub struct Shapes<'a> {
    pub function: &'a Function,
    pub vals: &'a [Datum],
    pub case_types: &'a [(Dno, Oid)],
}

impl Shapes<'_> {
    /// The attributes of a record variable as it is now.
    pub fn attrs(&self, env: &dyn TypeEnv, dno: Dno) -> PgResult<Arc<[AttrDesc]>> {
        if let Some(Datum::Record(r)) = self.vals.get(dno) {
            return Ok(r.attrs.clone());
        }
        let Some(v) = self.function.datums[dno].var() else { return Err(PgError::internal("not a record")) };
        if v.ty.oid == oid::RECORD {
            return Err(unassigned(&v.name));
        }
        let mut desc = env.type_desc(v.ty.oid)?;
        while desc.attrs.is_empty() && desc.base.is_valid() {
            desc = env.type_desc(desc.base)?;
        }
        Ok(desc.attrs.clone())
    }
}

pub fn unassigned(name: &str) -> PgError {
    err!(OBJECT_NOT_IN_PREREQUISITE_STATE, "record \"{name}\" is not assigned yet")
        .detail("The tuple structure of a not-yet-assigned record is indeterminate.")
}

/// Analysis with the function's variables in scope.
struct Names<'a> {
    inner: &'a dyn AnalyzeEnv,
    shapes: &'a Shapes<'a>,
    ns: Option<usize>,
    used: RefCell<Vec<ParamRef>>,
    deps: RefCell<Vec<Dep>>,
}

impl Names<'_> {
    fn param(&self, r: ParamRef, typmod: i32, collation: Oid, location: i32) -> IrExpr {
        let ty = r.ty;
        let mut used = self.used.borrow_mut();
        let id = match used.iter().position(|u| *u == r) {
            Some(i) => i,
            None => {
                used.push(r);
                used.len() - 1
            }
        };
        IrExpr::Param(Param { kind: ParamKind::External, id: id as u32 + 1, ty, typmod, collation, location })
    }

    fn collation_of(&self, ty: Oid) -> Oid {
        self.inner.catalog().type_by_oid(ty).map_or(Oid::INVALID, |t| t.typcollation)
    }

    fn scalar(&self, dno: Dno, location: i32) -> PgResult<IrExpr> {
        let Some(v) = self.shapes.function.datums[dno].var() else {
            return Err(PgError::internal("not a scalar variable"));
        };
        if let Some((_, ty)) = self.shapes.case_types.iter().find(|(d, _)| *d == dno) {
            self.deps.borrow_mut().push(Dep::CaseType { dno, ty: *ty });
            let r = ParamRef { dno, field: None, ty: *ty };
            return Ok(self.param(r, -1, self.collation_of(*ty), location));
        }
        let r = ParamRef { dno, field: None, ty: v.ty.oid };
        Ok(self.param(r, v.ty.typmod, v.ty.collation, location))
    }

    fn whole(&self, dno: Dno, location: i32) -> PgResult<IrExpr> {
        let Some(v) = self.shapes.function.datums[dno].var() else {
            return Err(PgError::internal("not a record variable"));
        };
        if v.ty.oid != oid::RECORD {
            let r = ParamRef { dno, field: None, ty: v.ty.oid };
            return Ok(self.param(r, -1, Oid::INVALID, location));
        }
        // A record of a named type passes as that type; an anonymous one as a row of its fields.
        match self.shapes.vals.get(dno) {
            Some(Datum::Record(rec)) if rec.type_oid != oid::RECORD => {
                let r = ParamRef { dno, field: None, ty: rec.type_oid };
                self.shape_dep(dno, &rec.attrs, None);
                Ok(self.param(r, -1, Oid::INVALID, location))
            }
            Some(Datum::Record(rec)) => {
                self.shape_dep(dno, &rec.attrs, None);
                let live: Vec<(usize, &AttrDesc)> =
                    rec.attrs.iter().enumerate().filter(|(_, a)| !a.dropped).collect();
                let args = live.iter().map(|(i, a)| self.field_param(dno, *i, a, location)).collect();
                let names = live.iter().map(|(_, a)| a.name.to_string()).collect();
                Ok(IrExpr::Row {
                    args,
                    ty: oid::RECORD,
                    form: pglite_ir::expr::CoercionForm::ImplicitCast,
                    names,
                    location,
                })
            }
            _ => {
                self.deps.borrow_mut().push(Dep::Unassigned { dno });
                let r = ParamRef { dno, field: None, ty: oid::RECORD };
                Ok(self.param(r, -1, Oid::INVALID, location))
            }
        }
    }

    /// A record's field for an assignment: its position and the attributes.
    fn field_of(&self, record: Dno, name: &str) -> PgResult<(usize, Arc<[AttrDesc]>)> {
        let attrs = self.shapes.attrs(self.inner.type_env(), record)?;
        let Some(i) = attrs.iter().position(|x| !x.dropped && &*x.name == name) else {
            let shown = self.shapes.function.datums[record].var().map_or("", |v| &v.name);
            return Err(err!(UNDEFINED_COLUMN, "record \"{shown}\" has no field \"{name}\""));
        };
        self.shape_dep(record, &attrs, Some((i, attrs[i].type_oid)));
        Ok((i, attrs))
    }

    fn shape_dep(&self, dno: Dno, attrs: &Arc<[AttrDesc]>, field: Option<(usize, Oid)>) {
        self.deps.borrow_mut().push(Dep::Shape { dno, attrs: attrs.clone(), field });
    }

    fn field_param(&self, dno: Dno, index: usize, attr: &AttrDesc, location: i32) -> IrExpr {
        let r = ParamRef { dno, field: Some((index, attr.name.to_string())), ty: attr.type_oid };
        self.param(r, attr.typmod, self.collation_of(attr.type_oid), location)
    }

    fn resolve(&self, names: &[&str], location: i32, must: bool) -> PgResult<Option<IrExpr>> {
        let n = names.len();
        if n == 0 || n > 3 {
            return Ok(None);
        }
        let starred = names[n - 1] == "*";
        let f = self.shapes.function;
        let found = lookup(&f.names, self.ns, false, names[0], names.get(1).copied(), names.get(2).copied());
        let Some((item, used)) = found else { return Ok(None) };
        match item.kind {
            NsKind::Var if used == n && !starred => self.scalar(item.dno, location).map(Some),
            NsKind::Record if used == n || (starred && used + 1 == n) => {
                self.whole(item.dno, location).map(Some)
            }
            NsKind::Record if used + 1 == n => {
                let attrs = self.shapes.attrs(self.inner.type_env(), item.dno)?;
                let column = names[n - 1];
                match attrs.iter().position(|a| !a.dropped && &*a.name == column) {
                    Some(i) => {
                        self.shape_dep(item.dno, &attrs, Some((i, attrs[i].type_oid)));
                        Ok(Some(self.field_param(item.dno, i, &attrs[i], location)))
                    }
                    None if must => Err(err!(
                        UNDEFINED_COLUMN,
                        "record \"{}\" has no field \"{column}\"",
                        names[used - 1]
                    )),
                    None => Ok(None),
                }
            }
            _ => Ok(None),
        }
    }
}

impl AnalyzeEnv for Names<'_> {
    fn catalog(&self) -> &Arc<Snapshot> {
        self.inner.catalog()
    }
    fn search_path(&self) -> &SearchPath {
        self.inner.search_path()
    }
    fn type_env(&self) -> &dyn TypeEnv {
        self.inner.type_env()
    }
    fn current_user(&self) -> Oid {
        self.inner.current_user()
    }
    fn setting(&self, name: &str) -> Option<String> {
        self.inner.setting(name)
    }
    fn notice(&self, notice: PgError) {
        self.inner.notice(notice);
    }
    fn lock_relation(&self, rel: Oid, mode: u8) -> PgResult<()> {
        self.inner.lock_relation(rel, mode)
    }
    fn database_name(&self) -> String {
        self.inner.database_name()
    }
    fn ephemeral(&self, name: &str) -> Option<Arc<RelDesc>> {
        self.inner.ephemeral(name)
    }
    fn resolve_variable(
        &self,
        names: &[&str],
        location: i32,
        phase: VariablePhase,
    ) -> PgResult<Option<IrExpr>> {
        let conflict = self.shapes.function.conflict;
        match phase {
            VariablePhase::BeforeColumns if conflict == Conflict::Variable => {
                self.resolve(names, location, false)
            }
            VariablePhase::BeforeColumns => Ok(None),
            VariablePhase::AfterColumns if conflict == Conflict::Variable => Ok(None),
            VariablePhase::AfterColumns => self.resolve(names, location, true),
            VariablePhase::ColumnFound if conflict != Conflict::Error => Ok(None),
            VariablePhase::ColumnFound => match self.resolve(names, location, false) {
                Ok(Some(_)) => {
                    Err(err!(AMBIGUOUS_COLUMN, "column reference \"{}\" is ambiguous", names.join("."))
                        .detail("It could refer to either a PL/pgSQL variable or a table column.")
                        .at(location))
                }
                _ => Ok(None),
            },
        }
    }
}

/// Errors of a text's analysis and execution: a position becomes one within the text; without one the text is named.
pub fn in_text(mut e: PgError, text: &str, mode: ParseMode) -> PgError {
    let f = e.fields_mut();
    if let Some(p) = f.position.take() {
        f.internal_position = Some(p);
        f.internal_query = Some(text.to_string());
        return e;
    }
    e.context(context_line(text, mode))
}

pub fn context_line(text: &str, mode: ParseMode) -> String {
    match mode {
        ParseMode::Default => format!("SQL statement \"{text}\""),
        ParseMode::PlpgsqlExpr => format!("PL/pgSQL expression \"{text}\""),
        _ => format!("PL/pgSQL assignment \"{text}\""),
    }
}

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

/// Makes the plan of an expression of the function.
pub fn prepare(env: &dyn PlEnv, shapes: &Shapes<'_>, e: &Expr, want: Want) -> PgResult<Compiled> {
    let parsed;
    let raw = match &e.raw {
        Some(r) => r,
        None => {
            let options = crate::parse::options(env.analyze(), e.mode);
            let mut list = pglite_parser::parse(&e.text, &options)?.stmts;
            let Some(one) = list.pop() else { return Err(PgError::syntax("syntax error at end of input")) };
            parsed = Arc::new(one);
            &parsed
        }
    };
    let names =
        Names { inner: env.analyze(), shapes, ns: e.ns, used: RefCell::default(), deps: RefCell::default() };
    if let Statement::PLAssignStmt(a) = &raw.stmt {
        let Want::Assign(target) = want else { return Err(PgError::internal("assignment out of place")) };
        let rest = &a.indirection[(a.nnames as usize - 1).min(a.indirection.len())..];
        let select = Arc::new(RawStmt { stmt: Statement::SelectStmt(a.val.clone()), location: 0, len: 0 });
        if rest.is_empty() {
            let ty = target_type(&names, target)?;
            return plan(env, &names, &select, &e.text, Want::Value(ty), true);
        }
        return store(env, &names, a, rest, target, &select, &e.text);
    }
    plan(env, &names, raw, &e.text, want, false)
}

/// The type an assignment must bring; None for whole records, whose shape decides at run time.
fn target_type(names: &Names<'_>, target: Dno) -> PgResult<Option<(Oid, i32)>> {
    Ok(match &names.shapes.function.datums[target] {
        Decl::Var(v) if !v.is_record => Some((v.ty.oid, v.ty.typmod)),
        Decl::Field { record, name } => {
            let (i, attrs) = names.field_of(*record, name)?;
            Some((attrs[i].type_oid, attrs[i].typmod))
        }
        _ => None,
    })
}

fn plan(
    env: &dyn PlEnv,
    names: &Names<'_>,
    raw: &Arc<RawStmt>,
    source: &str,
    want: Want,
    assign: bool,
) -> PgResult<Compiled> {
    if !is_plannable(&raw.stmt) {
        // Utility statements see no variables.
        return Ok(Compiled::Utility { raw: raw.clone(), params: Vec::new(), deps: Vec::new() });
    }
    let query = analyze(names, raw, source, &mut ParamTypes::none())?;
    plan_query(env, names, query, want, assign)
}

fn plan_query(
    env: &dyn PlEnv,
    names: &Names<'_>,
    mut query: Query,
    want: Want,
    assign: bool,
) -> PgResult<Compiled> {
    if let Want::Value(target) = want {
        let columns = query.targets.iter().filter(|t| !t.junk).count();
        if columns != 1 {
            let what = if assign { "assignment source" } else { "query" };
            let s = if columns == 1 { "" } else { "s" };
            bail!(SYNTAX_ERROR, "{what} returned {columns} column{s}");
        }
        if let Some((ty, typmod)) = target {
            coerce_target(names, &mut query, ty, typmod)?;
        }
    }
    let mut plans = Vec::new();
    let single = match want {
        Want::Cursor { scroll } => PlanOptions { cursor: true, scroll, params: None },
        _ => PlanOptions::default(),
    };
    for mut query in rewrite(names, query)? {
        if single.cursor {
            pglite_analyze::identify_rows(&mut query);
        }
        let planned = pglite_planner::plan(env.planner(), query, single.clone())?;
        if env.exec_env().txn.read_only() && !planned.read_only {
            let what = match planned.command {
                CommandType::Insert => "INSERT",
                CommandType::Update => "UPDATE",
                CommandType::Delete => "DELETE",
                CommandType::Merge => "MERGE",
                _ => "SELECT",
            };
            bail!(READ_ONLY_SQL_TRANSACTION, "cannot execute {what} in a read-only transaction");
        }
        plans.push(Arc::new(planned));
    }
    let (params, deps) = (names.used.borrow().clone(), names.deps.borrow().clone());
    if matches!(want, Want::Value(_))
        && let [one] = &plans[..]
        && let Some(e) = simple_target(one)
    {
        let mut e = e.clone();
        let effects = replace_params(&mut e, &params, env.analyze().catalog());
        let exec = env.exec_env();
        let mut layout = Layout;
        let code = Compiler::new(&exec, &mut layout).compile(&e)?;
        return Ok(Compiled::Simple(Simple { code, ty: e.ty(), typmod: e.typmod(), deps, effects }));
    }
    let exec = env.exec_env();
    let mut prepared = Vec::with_capacity(plans.len());
    for p in plans {
        prepared.push(Prepared::compile(p, &exec)?);
    }
    let rows = prepared.iter().find(|p| p.stmt.command == CommandType::Select || p.stmt.has_returning);
    let columns = rows.map(|p| columns_of(p)).unwrap_or_default();
    Ok(Compiled::Query(QueryPlan { returns_rows: rows.is_some(), columns, plans: prepared, params, deps }))
}

/// Plans the statements of a text that is no part of the function (EXECUTE).
pub fn prepare_text(
    env: &dyn PlEnv,
    text: &str,
    types: &[Oid],
    cursor: Option<bool>,
) -> PgResult<Vec<Compiled>> {
    let options = crate::parse::options(env.analyze(), ParseMode::Default);
    let mut out = Vec::new();
    for raw in pglite_parser::parse(text, &options)?.stmts {
        let raw = Arc::new(raw);
        if !is_plannable(&raw.stmt) {
            out.push(Compiled::Utility { raw, params: Vec::new(), deps: Vec::new() });
            continue;
        }
        let query = analyze(env.analyze(), &raw, text, &mut ParamTypes::fixed(types))?;
        let options = match cursor {
            Some(scroll) => PlanOptions { cursor: true, scroll, params: None },
            None => PlanOptions::default(),
        };
        let exec = env.exec_env();
        let mut plans = Vec::new();
        for mut query in rewrite(env.analyze(), query)? {
            if options.cursor {
                pglite_analyze::identify_rows(&mut query);
            }
            let planned = pglite_planner::plan(env.planner(), query, options.clone())?;
            plans.push(Prepared::compile(Arc::new(planned), &exec)?);
        }
        let rows = plans.iter().find(|p| p.stmt.command == CommandType::Select || p.stmt.has_returning);
        let columns = rows.map(|p| columns_of(p)).unwrap_or_default();
        out.push(Compiled::Query(QueryPlan {
            returns_rows: rows.is_some(),
            columns,
            plans,
            params: Vec::new(),
            deps: Vec::new(),
        }));
    }
    Ok(out)
}

/// A procedure's call: the function, and per argument its mode, its program and the variable it names.
pub struct CallPlan {
    pub func: Oid,
    pub args: Vec<CallArg>,
}

pub struct CallArg {
    pub code: Code,
    pub ty: Oid,
    /// The variable an OUT argument goes to.
    pub target: Option<ParamRef>,
}

/// Prepares a CALL over the function's variables.
pub fn prepare_call(env: &dyn PlEnv, shapes: &Shapes<'_>, e: &Expr) -> PgResult<Option<CallPlan>> {
    let Some(raw) = &e.raw else { return Ok(None) };
    let Statement::CallStmt(call) = &raw.stmt else { return Ok(None) };
    let names =
        Names { inner: env.analyze(), shapes, ns: e.ns, used: RefCell::default(), deps: RefCell::default() };
    let IrExpr::Func(f) = analyze_call(&names, &call.funccall, &mut ParamTypes::none())? else {
        return Err(PgError::internal("CALL of something else than a procedure"));
    };
    let params = names.used.borrow().clone();
    let exec = env.exec_env();
    let mut args = Vec::new();
    for arg in &f.args {
        let mut e = arg.clone();
        // An output argument may be wrapped in the cast to the parameter's type.
        let mut inner = &e;
        loop {
            inner = match inner {
                IrExpr::Relabel { arg, .. } | IrExpr::CoerceViaIo { arg, .. } => arg,
                IrExpr::Func(x) if x.args.len() == 1 && x.form != pglite_ir::CoercionForm::ExplicitCall => {
                    &x.args[0]
                }
                _ => break,
            };
        }
        let target = match inner {
            IrExpr::Param(p) if p.kind == ParamKind::External => params.get(p.id as usize - 1).cloned(),
            _ => None,
        };
        let ty = e.ty();
        replace_params(&mut e, &params, env.analyze().catalog());
        let mut layout = Layout;
        args.push(CallArg { code: Compiler::new(&exec, &mut layout).compile(&e)?, ty, target });
    }
    Ok(Some(CallPlan { func: f.func, args }))
}

/// The result columns of a plan.
fn columns_of(p: &Prepared) -> Vec<Column> {
    let targets = match &p.stmt.plan.node {
        PlanNode::ModifyTable(m) => m.targets.first().map_or(&[][..], |t| &t.returning),
        _ => &p.stmt.plan.targets[..],
    };
    targets
        .iter()
        .filter(|t| !t.junk)
        .map(|t| Column {
            name: t.name.clone().unwrap_or_else(|| "?column?".into()),
            ty: t.expr.ty(),
            typmod: t.expr.typmod(),
        })
        .collect()
}

/// The value cast to its target while it is analyzed, where that is possible; otherwise it is cast when it is there.
fn coerce_target(env: &Names<'_>, q: &mut Query, ty: Oid, typmod: i32) -> PgResult<()> {
    if !q.rtable.is_empty() || q.set_ops.is_some() || q.targets.len() != 1 {
        return Ok(());
    }
    let e = q.targets[0].expr.clone();
    if e.ty() == ty && (typmod == -1 || e.typmod() == typmod) {
        return Ok(());
    }
    if let Some(cast) = coerce_to_target_type(env, e, ty, typmod, CoercionContext::PlPgSql)? {
        q.targets[0].expr = cast;
    }
    Ok(())
}

/// The expression of a plan that only computes one.
fn simple_target(p: &pglite_ir::PlannedStmt) -> Option<&IrExpr> {
    let plan = &p.plan;
    let bare = matches!(&plan.node, PlanNode::Result { one_time } if one_time.is_empty())
        && plan.left.is_none()
        && plan.qual.is_empty()
        && plan.init_plans.is_empty()
        && p.subplans.is_empty()
        && p.command == CommandType::Select;
    match &plan.targets[..] {
        [t] if bare => Some(&t.expr),
        _ => None,
    }
}

/// Parameters become columns of the variables' row. Tells whether user functions are called.
fn replace_params(e: &mut IrExpr, params: &[ParamRef], catalog: &Snapshot) -> bool {
    let mut effects = false;
    let _ = pglite_ir::tree::mutate_expr::<()>(e, 0, &mut |e, _| {
        if let IrExpr::Param(p) = e
            && p.kind == ParamKind::External
            && let Some(r) = params.get(p.id as usize - 1)
        {
            let var = |ty: Oid, typmod, collation| {
                IrExpr::Var(Var {
                    rte: OUTER_VAR,
                    attno: r.dno as i16 + 1,
                    levels_up: 0,
                    ty,
                    typmod,
                    collation,
                    returning: VarReturning::Default,
                    syn_rte: 0,
                    syn_attno: 0,
                    location: -1,
                })
            };
            *e = match &r.field {
                None => var(p.ty, p.typmod, p.collation),
                Some((i, _)) => IrExpr::FieldSelect {
                    arg: Box::new(var(oid::RECORD, -1, Oid::INVALID)),
                    field: *i as i16 + 1,
                    ty: p.ty,
                    typmod: p.typmod,
                    collation: p.collation,
                },
            };
            return Ok(());
        }
        let func = match e {
            IrExpr::Func(f) => Some(f.func),
            IrExpr::Op(o) | IrExpr::Distinct(o) | IrExpr::NullIf(o) => Some(o.func),
            _ => None,
        };
        if let Some(f) = func {
            effects |=
                catalog.proc_by_oid(f).is_none_or(|p| p.prolang.0 > 13 || p.prosrc.contains("set_config"));
        }
        Ok(())
    });
    effects
}

/// `target[i].f := value`: a query whose one column is the whole new value.
fn store(
    env: &dyn PlEnv,
    names: &Names<'_>,
    a: &pglite_parser::ast::PLAssignStmt,
    rest: &[pglite_parser::ast::Indirection],
    target: Dno,
    select: &RawStmt,
    text: &str,
) -> PgResult<Compiled> {
    let mut query = analyze(names, select, text, &mut ParamTypes::none())?;
    let columns = query.targets.iter().filter(|t| !t.junk).count();
    if columns != 1 {
        let s = if columns == 1 { "" } else { "s" };
        bail!(SYNTAX_ERROR, "assignment source returned {columns} column{s}");
    }
    if query.set_ops.is_some() {
        return Err(PgError::unsupported(
            "assignment of a set operation to a part of a variable is not supported yet",
        ));
    }
    let location = a.location;
    let base = match &names.shapes.function.datums[target] {
        Decl::Var(v) if v.is_record => names.whole(target, location)?,
        Decl::Var(_) => names.scalar(target, location)?,
        Decl::Field { record, name } => {
            let (i, attrs) = names.field_of(*record, name)?;
            names.field_param(*record, i, &attrs[i], location)
        }
        Decl::Row { .. } => return Err(PgError::internal("row as assignment target")),
    };
    let shown = a.name.clone();
    for t in query.targets.iter_mut().filter(|t| !t.junk) {
        t.expr = analyze_assignment(names, base.clone(), &shown, rest, t.expr.clone(), location)?;
    }
    query.has_sublinks = true;
    let value = plan_query(env, names, query, Want::Value(None), true)?;
    let deps = value.deps().to_vec();
    Ok(Compiled::Store(Box::new(Store { value, deps })))
}

/// A program that casts a value (slot 0, column 0), as PL/pgSQL assigns.
pub fn cast_code(env: &dyn PlEnv, from: (Oid, i32), to: (Oid, i32)) -> PgResult<Code> {
    let collation = |ty| env.analyze().catalog().type_by_oid(ty).map_or(Oid::INVALID, |t| t.typcollation);
    let source = IrExpr::Var(Var {
        rte: OUTER_VAR,
        attno: 1,
        levels_up: 0,
        ty: from.0,
        typmod: from.1,
        collation: collation(from.0),
        returning: VarReturning::Default,
        syn_rte: 0,
        syn_attno: 0,
        location: -1,
    });
    let cast = coerce_to_target_type(env.analyze(), source.clone(), to.0, to.1, CoercionContext::PlPgSql)?;
    let e = cast.unwrap_or_else(|| IrExpr::CoerceViaIo {
        arg: Box::new(source),
        ty: to.0,
        collation: collation(to.0),
        form: pglite_ir::expr::CoercionForm::ImplicitCast,
        location: -1,
    });
    let exec = env.exec_env();
    let mut layout = Layout;
    Compiler::new(&exec, &mut layout).compile(&e)
}
