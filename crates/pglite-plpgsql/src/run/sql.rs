//! SQL inside functions: queries for a value, statements with INTO, PERFORM, EXECUTE, transaction control.

use std::sync::Arc;

use pglite_error::{PgError, PgResult, bail, err};
use pglite_exec::{Executor, Prepared};
use pglite_ir::CommandType;
use pglite_parser::ParseMode;
use pglite_parser::ast::Statement;
use pglite_types::{AttrDesc, Batch, Datum, Oid, Row, oid};

use super::{Exec, Level, pop_level, push_level};
use crate::expr::{Compiled, ParamRef, QueryPlan, Want, in_text, prepare_text};
use crate::host::Column;
use crate::tree::*;

/// What a statement left.
pub(super) struct Outcome {
    pub rows: Vec<Row>,
    pub columns: Vec<Column>,
    pub returned: bool,
    pub processed: u64,
    pub is_select: bool,
    /// Changes rows: FOUND tells of them.
    pub modifies: bool,
}

pub(super) fn attrs_of(columns: &[Column]) -> Arc<[AttrDesc]> {
    columns.iter().map(Column::attr).collect()
}

impl<'h> Exec<'h> {
    /// The values of a plan's parameters.
    pub(super) fn params(&mut self, params: &[ParamRef]) -> PgResult<Arc<[Datum]>> {
        let mut out = Vec::with_capacity(params.len());
        for p in params {
            let v = &self.vals[p.dno];
            out.push(match (&p.field, v) {
                (None, v) => v.clone(),
                (Some((i, _)), Datum::Record(r)) => r.values.get(*i).cloned().unwrap_or_default(),
                (Some(_), _) => Datum::Null,
            });
        }
        Ok(out.into())
    }

    /// Runs plans to their end, or to `limit` rows.
    fn run_plans(
        &mut self,
        plans: &[Arc<Prepared>],
        params: &Arc<[Datum]>,
        limit: u64,
    ) -> PgResult<(Vec<Row>, u64)> {
        let mut rows = Vec::new();
        let mut processed = 0;
        for p in plans {
            if self.f.read_only && p.stmt.command != CommandType::Select {
                let what = match p.stmt.command {
                    CommandType::Insert => "INSERT",
                    CommandType::Update => "UPDATE",
                    CommandType::Delete => "DELETE",
                    _ => "MERGE",
                };
                bail!(FEATURE_NOT_SUPPORTED, "{what} is not allowed in a non-volatile function");
            }
            let returns = p.stmt.command == CommandType::Select || p.stmt.has_returning;
            let width = match &p.stmt.plan.node {
                pglite_ir::plan::PlanNode::ModifyTable(m) => {
                    m.targets.first().map_or(0, |t| t.returning.iter().filter(|t| !t.junk).count())
                }
                _ => p.stmt.plan.targets.iter().filter(|t| !t.junk).count(),
            };
            let env = self.host.env(!self.f.read_only)?;
            let mut executor = Executor::new(p.clone(), params.clone());
            // Statements that write run to their end whatever INTO wants.
            let max =
                if p.stmt.command == CommandType::Select && !p.stmt.has_modifying_cte { limit } else { 0 };
            let mut selected = 0;
            executor.run(&env.exec_env(), max, &mut |batch: &mut Batch| {
                selected += batch.len() as u64;
                if returns {
                    rows.extend(batch.rows().map(|r| r[..width.min(r.len())].to_vec()));
                }
                Ok(true)
            })?;
            processed = if p.stmt.command == CommandType::Select { selected } else { executor.processed() };
            drop(env);
            if !self.f.read_only {
                self.host.command_done()?;
            }
        }
        self.changed();
        Ok((rows, processed))
    }

    fn run_query(
        &mut self,
        q: &QueryPlan,
        params: &Arc<[Datum]>,
        text: &Arc<str>,
        mode: ParseMode,
        limit: u64,
    ) -> PgResult<Outcome> {
        push_level(Level::Sql(text.clone(), mode));
        let result = self.run_plans(&q.plans, params, limit);
        pop_level();
        let (rows, processed) = result.map_err(|e| in_text(e, text, mode))?;
        let is_select = q.plans.last().is_some_and(|p| p.stmt.command == CommandType::Select);
        Ok(Outcome {
            rows,
            columns: q.columns.clone(),
            returned: q.returns_rows,
            processed,
            is_select,
            modifies: !is_select,
        })
    }

    /// The one value a query yields: NULL without rows, 21000 with several.
    pub(super) fn one_value(
        &mut self,
        q: &QueryPlan,
        text: &Arc<str>,
        mode: ParseMode,
    ) -> PgResult<(Datum, Oid, i32)> {
        let params = self.params(&q.params)?;
        let mut out = self.run_query(q, &params, text, mode, 2)?;
        if out.columns.len() != 1 {
            let n = out.columns.len();
            let s = if n == 1 { "" } else { "s" };
            return Err(
                PgError::syntax(format!("query returned {n} column{s}")).context(format!("query: {text}"))
            );
        }
        if out.rows.len() > 1 {
            return Err(err!(CARDINALITY_VIOLATION, "query returned more than one row")
                .context(format!("query: {text}")));
        }
        self.processed = out.processed;
        let value = out.rows.pop().and_then(|r| r.into_iter().next()).unwrap_or_default();
        Ok((value, out.columns[0].ty, out.columns[0].typmod))
    }

    pub(super) fn eval_query(&mut self, e: &Expr, want: Want) -> PgResult<(Datum, Oid, i32)> {
        let plan = self.plan(e, want)?;
        match &*plan {
            Compiled::Query(q) => self.one_value(q, &e.text, e.mode),
            _ => Err(PgError::internal("expression is not a query")),
        }
    }

    /// Runs a statement of the function.
    pub(super) fn run_statement(&mut self, e: &Expr, limit: u64) -> PgResult<(Outcome, Arc<Compiled>)> {
        let plan = self.plan(e, Want::Statement)?;
        let out = match &*plan {
            Compiled::Query(q) => {
                let params = self.params(&q.params)?;
                self.run_query(q, &params, &e.text, e.mode, limit)?
            }
            Compiled::Utility { raw, .. } => {
                refuse(&raw.stmt, false)?;
                self.utility(raw, &e.text, &[], e.mode)?
            }
            _ => return Err(PgError::internal("statement is an expression")),
        };
        Ok((out, plan))
    }

    fn utility(
        &mut self,
        raw: &Arc<pglite_parser::ast::RawStmt>,
        text: &Arc<str>,
        params: &[(Oid, Datum)],
        mode: ParseMode,
    ) -> PgResult<Outcome> {
        if self.f.read_only && !matches!(raw.stmt, Statement::VariableShowStmt(_) | Statement::ExplainStmt(_))
        {
            bail!(FEATURE_NOT_SUPPORTED, "{} is not allowed in a non-volatile function", tag_of(text));
        }
        push_level(Level::Sql(text.clone(), mode));
        let result = self.host.utility(raw, text, params, true);
        pop_level();
        let r = result.map_err(|e| in_text(e, text, mode))?;
        self.host.command_done()?;
        self.changed();
        let number = r.tag.rsplit(' ').next().and_then(|n| n.parse().ok());
        let returned = !r.columns.is_empty();
        let processed = number.unwrap_or(if returned { r.rows.len() as u64 } else { 0 });
        Ok(Outcome {
            rows: r.rows,
            columns: r.columns,
            returned,
            processed,
            is_select: false,
            modifies: false,
        })
    }

    pub(super) fn sql(&mut self, e: &'h Expr, into: Option<(Target, bool)>) -> PgResult<()> {
        let limit = if into.is_some() { 2 } else { 0 };
        let (out, plan) = self.run_statement(e, limit)?;
        let used = match &*plan {
            Compiled::Query(q) => q.params.clone(),
            _ => Vec::new(),
        };
        self.finish_statement(out, into, &mut |x| x.strict_params(&used))
    }

    /// FOUND, ROW_COUNT, INTO. `detail`: the parameters, for STRICT errors.
    fn finish_statement(
        &mut self,
        out: Outcome,
        into: Option<(Target, bool)>,
        detail: &mut dyn FnMut(&mut Self) -> PgResult<Option<String>>,
    ) -> PgResult<()> {
        if out.modifies || into.is_some() {
            self.vals[self.f.found] = Datum::Bool(out.processed > 0);
        }
        self.processed = out.processed;
        let Some((target, strict)) = into else {
            if out.returned && !(out.columns.is_empty()) {
                let e = err!(SYNTAX_ERROR, "query has no destination for result data");
                return Err(if out.is_select {
                    e.hint("If you want to discard the results of a SELECT, use PERFORM instead.")
                } else {
                    e
                });
            }
            return Ok(());
        };
        if !out.returned {
            return Err(err!(SYNTAX_ERROR, "INTO used with a command that cannot return data"));
        }
        let n = out.rows.len();
        let attrs = attrs_of(&out.columns);
        if n == 0 {
            if strict {
                let e = err!(NO_DATA_FOUND, "query returned no rows");
                return Err(with_detail(e, detail(self)?));
            }
            self.vals[self.f.found] = Datum::Bool(false);
            return self.move_row(target, None, &out.columns, &attrs);
        }
        let level = self.extra_check("too_many_rows")?;
        if n > 1 && (strict || out.modifies || level.is_some()) {
            let hint = "Make sure the query returns a single row, or use LIMIT 1.";
            let e = err!(TOO_MANY_ROWS, "query returned more than one row");
            let e = with_detail(e, detail(self)?).hint(hint);
            if strict || out.modifies || level == Some(true) {
                return Err(e);
            }
            self.surroundings()?.analyze().notice(e.severity(pglite_error::Severity::Warning));
        }
        let row = out.rows.into_iter().next();
        self.vals[self.f.found] = Datum::Bool(true);
        self.processed = if out.modifies { out.processed } else { 1 };
        self.move_row(target, row, &out.columns, &attrs)
    }

    /// Whether an extra check is on: Some(true) raises an error, Some(false) a warning.
    pub(super) fn extra_check(&mut self, name: &str) -> PgResult<Option<bool>> {
        let env = self.surroundings()?.analyze();
        let on = |setting: &str| {
            env.setting(setting)
                .is_some_and(|v| v.split(',').any(|w| matches!(w.trim(), w if w == "all" || w == name)))
        };
        Ok(if on("plpgsql.extra_errors") {
            Some(true)
        } else {
            on("plpgsql.extra_warnings").then_some(false)
        })
    }

    fn strict_params(&mut self, used: &[ParamRef]) -> PgResult<Option<String>> {
        if !self.f.print_strict_params || used.is_empty() {
            return Ok(None);
        }
        let values = self.params(used)?;
        let mut parts = Vec::new();
        for (p, v) in used.iter().zip(values.iter()) {
            let name = match (&p.field, &self.f.datums[p.dno]) {
                (Some((_, f)), Decl::Var(v)) => format!("{}.{f}", v.name),
                (_, Decl::Var(v)) => v.name.clone(),
                _ => String::new(),
            };
            parts.push(format!("{name} = {}", self.quoted(v, p.ty)?));
        }
        Ok(Some(format!("parameters: {}", parts.join(", "))))
    }

    fn quoted(&mut self, v: &Datum, ty: Oid) -> PgResult<String> {
        Ok(match v {
            Datum::Null => "NULL".into(),
            v => format!("'{}'", self.text_of(v, ty)?.replace('\'', "''")),
        })
    }

    /// The text of a value.
    pub(super) fn text_of(&mut self, v: &Datum, ty: Oid) -> PgResult<String> {
        let mut text = String::new();
        let env = self.surroundings()?;
        let ty = if ty == oid::UNKNOWN { oid::TEXT } else { ty };
        pglite_types::text::text_out(env.analyze().type_env(), ty, v, &mut text)?;
        Ok(text)
    }

    pub(super) fn perform(&mut self, e: &'h Expr) -> PgResult<()> {
        let (out, _) = self.run_statement(e, 0)?;
        self.processed = out.processed;
        self.vals[self.f.found] = Datum::Bool(out.processed > 0);
        Ok(())
    }

    // ---- EXECUTE --------------------------------------------------------------------------------------------

    /// The text to execute. 22004 for NULL.
    pub(super) fn dynamic_text(&mut self, e: &Expr) -> PgResult<Arc<str>> {
        let (v, ty, _) = self.eval(e, None)?;
        if v.is_null() {
            bail!(NULL_VALUE_NOT_ALLOWED, "query string argument of EXECUTE is null");
        }
        Ok(self.text_of(&v, ty)?.into())
    }

    pub(super) fn using(&mut self, list: &[Expr]) -> PgResult<(Vec<Oid>, Vec<Datum>)> {
        let (mut types, mut values) = (Vec::new(), Vec::new());
        for e in list {
            let (v, ty, _) = self.eval(e, None)?;
            types.push(if ty == oid::UNKNOWN { oid::TEXT } else { ty });
            values.push(v);
        }
        Ok((types, values))
    }

    pub(super) fn execute(
        &mut self,
        e: &'h Expr,
        into: Option<(Target, bool)>,
        using: &'h [Expr],
    ) -> PgResult<()> {
        let text = self.dynamic_text(e)?;
        let (types, values) = self.using(using)?;
        let mut last = None;
        self.surroundings()?;
        let list = self.prepare_dynamic(&text, &types, None)?;
        let params: Arc<[Datum]> = values.clone().into();
        for c in &list {
            let out = match c {
                Compiled::Query(q) => self.run_query(q, &params, &text, ParseMode::Default, 0)?,
                Compiled::Utility { raw, .. } => {
                    refuse(&raw.stmt, true)?;
                    let typed: Vec<(Oid, Datum)> =
                        types.iter().copied().zip(values.iter().cloned()).collect();
                    self.utility(raw, &text, &typed, ParseMode::Default)?
                }
                _ => return Err(PgError::internal("statement is an expression")),
            };
            last = Some(out);
        }
        let Some(mut out) = last else { return Ok(()) };
        self.processed = out.processed;
        let Some((target, strict)) = into else {
            // PG: results without a destination are thrown away here, and FOUND stays as it was.
            return Ok(());
        };
        if !out.returned {
            bail!(SYNTAX_ERROR, "INTO used with a command that cannot return data");
        }
        let n = out.rows.len();
        let detail = |x: &mut Self| -> PgResult<Option<String>> {
            if !x.f.print_strict_params || types.is_empty() {
                return Ok(None);
            }
            let mut parts = Vec::new();
            for (i, (v, t)) in values.iter().zip(&types).enumerate() {
                parts.push(format!("${} = {}", i + 1, x.quoted(v, *t)?));
            }
            Ok(Some(format!("parameters: {}", parts.join(", "))))
        };
        if n == 0 && strict {
            let e = err!(NO_DATA_FOUND, "query returned no rows");
            return Err(with_detail(e, detail(self)?));
        }
        if n > 1 && strict {
            let e = err!(TOO_MANY_ROWS, "query returned more than one row");
            return Err(with_detail(e, detail(self)?));
        }
        let attrs = attrs_of(&out.columns);
        let row = if n == 0 { None } else { Some(out.rows.swap_remove(0)) };
        self.move_row(target, row, &out.columns, &attrs)
    }

    /// Runs a dynamic query to its end.
    pub(super) fn run_dynamic(
        &mut self,
        q: &QueryPlan,
        params: Arc<[Datum]>,
        text: &Arc<str>,
    ) -> PgResult<Vec<Row>> {
        Ok(self.run_query(q, &params, text, ParseMode::Default, 0)?.rows)
    }

    /// Plans the statements of a dynamic text.
    pub(super) fn prepare_dynamic(
        &mut self,
        text: &Arc<str>,
        types: &[Oid],
        cursor: Option<bool>,
    ) -> PgResult<Vec<Compiled>> {
        let env = self.surroundings()?;
        prepare_text(env, text, types, cursor).map_err(|e| in_text(e, text, ParseMode::Default))
    }

    pub(super) fn end_transaction(&mut self, commit: bool, chain: bool) -> PgResult<()> {
        if self.atomic {
            bail!(INVALID_TRANSACTION_TERMINATION, "invalid transaction termination");
        }
        if self.subtransactions > 0 {
            let what = if commit { "commit" } else { "roll back" };
            bail!(INVALID_TRANSACTION_TERMINATION, "cannot {what} while a subtransaction is active");
        }
        if self.writing_loops > 0 {
            bail!(
                INVALID_TRANSACTION_TERMINATION,
                "cannot perform transaction commands inside a cursor loop that is not read-only"
            );
        }
        self.changed();
        self.host.end_transaction(commit, chain)
    }
}

fn with_detail(e: PgError, detail: Option<String>) -> PgError {
    match detail {
        Some(d) => e.detail(d),
        None => e,
    }
}

/// Statements that functions may not run.
fn refuse(stmt: &Statement, dynamic: bool) -> PgResult<()> {
    match stmt {
        Statement::TransactionStmt(_) if dynamic => {
            bail!(FEATURE_NOT_SUPPORTED, "EXECUTE of transaction commands is not implemented")
        }
        Statement::TransactionStmt(_) => {
            bail!(FEATURE_NOT_SUPPORTED, "unsupported transaction command in PL/pgSQL")
        }
        Statement::CopyStmt(c) if c.filename.is_none() => {
            bail!(FEATURE_NOT_SUPPORTED, "cannot COPY to/from client in PL/pgSQL")
        }
        Statement::SelectStmt(s) if dynamic && s.leftmost_into().is_some() => {
            Err(err!(FEATURE_NOT_SUPPORTED, "EXECUTE of SELECT ... INTO is not implemented")
                .hint("You might want to use EXECUTE ... INTO or EXECUTE CREATE TABLE ... AS instead."))
        }
        _ => Ok(()),
    }
}

/// The first words of a utility statement, for messages.
fn tag_of(text: &str) -> String {
    text.split_whitespace().take(2).map(str::to_ascii_uppercase).collect::<Vec<_>>().join(" ")
}
