//! Loops.

use std::sync::Arc;

use pglite_error::{PgError, PgResult, bail, err};
use pglite_exec::Executor;
use pglite_ir::CommandType;
use pglite_parser::ParseMode;
use pglite_types::array::{ArrayValue, Dim};
use pglite_types::{Batch, Datum, Row, oid};

use super::sql::attrs_of;
use super::{Exec, Flow, Level, pop_level, push_level};
use crate::expr::{Compiled, QueryPlan, Want, in_text};
use crate::host::{FetchTo, PlEnv};
use crate::tree::*;

/// Rows a query loop asks for at once.
const CHUNK: u64 = 50;

/// What a loop does after its body.
enum After {
    Again,
    Leave(Flow),
}

fn after(flow: Flow, label: &Option<String>) -> After {
    match flow {
        Flow::Next | Flow::Continue(None) => After::Again,
        Flow::Exit(None) => After::Leave(Flow::Next),
        Flow::Exit(Some(l)) if label.as_deref() == Some(&l) => After::Leave(Flow::Next),
        Flow::Continue(Some(l)) if label.as_deref() == Some(&l) => After::Again,
        other => After::Leave(other),
    }
}

macro_rules! turn {
    ($self:expr, $body:expr) => {
        match after($self.statements(&$body.body)?, &$body.label) {
            After::Again => {}
            After::Leave(flow) => return Ok(flow),
        }
    };
}

impl<'h> Exec<'h> {
    pub(super) fn endless(&mut self, body: &'h LoopBody) -> PgResult<Flow> {
        loop {
            turn!(self, body);
            self.check_interrupts()?;
        }
    }

    pub(super) fn while_loop(&mut self, cond: &'h Expr, body: &'h LoopBody) -> PgResult<Flow> {
        let mut n = 0u32;
        while self.condition(cond)? {
            turn!(self, body);
            n = n.wrapping_add(1);
            if n & 0xff == 0 {
                self.check_interrupts()?;
            }
        }
        Ok(Flow::Next)
    }

    fn bound(&mut self, e: &'h Expr, what: &str) -> PgResult<i32> {
        match self.eval_as(e, oid::INT4)? {
            Datum::Int4(v) => Ok(v),
            _ => bail!(NULL_VALUE_NOT_ALLOWED, "{what} of FOR loop cannot be null"),
        }
    }

    pub(super) fn for_int(&mut self, s: &'h StmtKind) -> PgResult<Flow> {
        let StmtKind::ForInt { var, lower, upper, step, reverse, body } = s else { return Ok(Flow::Next) };
        let mut value = self.bound(lower, "lower bound")?;
        let end = self.bound(upper, "upper bound")?;
        let by = match step {
            None => 1,
            Some(e) => {
                let by = self.bound(e, "BY value")?;
                if by <= 0 {
                    bail!(INVALID_PARAMETER_VALUE, "BY value of FOR loop must be greater than zero");
                }
                by
            }
        };
        let mut found = false;
        let result = loop {
            if (*reverse && value < end) || (!*reverse && value > end) {
                break Flow::Next;
            }
            found = true;
            self.vals[*var] = Datum::Int4(value);
            match after(self.statements(&body.body)?, &body.label) {
                After::Again => {}
                After::Leave(flow) => break flow,
            }
            let next = if *reverse { value.checked_sub(by) } else { value.checked_add(by) };
            match next {
                Some(n) => value = n,
                None => break Flow::Next,
            }
            if value & 0xff == 0 {
                self.check_interrupts()?;
            }
        };
        self.vals[self.f.found] = Datum::Bool(found);
        Ok(result)
    }

    pub(super) fn for_query(
        &mut self,
        target: Target,
        query: &'h Expr,
        body: &'h LoopBody,
    ) -> PgResult<Flow> {
        let plan = self.plan(query, Want::Statement)?;
        match &*plan {
            Compiled::Query(q) => {
                let params = self.params(&q.params)?;
                self.query_loop(target, q, params, &query.text, query.mode, body)
            }
            _ => {
                let (out, _) = self.run_statement(query, 0)?;
                if !out.returned {
                    bail!(INVALID_CURSOR_DEFINITION, "cannot open {} query as cursor", "utility");
                }
                self.rows_loop(target, out.rows, &out.columns, body)
            }
        }
    }

    pub(super) fn for_execute(
        &mut self,
        target: Target,
        query: &'h Expr,
        using: &'h [Expr],
        body: &'h LoopBody,
    ) -> PgResult<Flow> {
        let text = self.dynamic_text(query)?;
        let (types, values) = self.using(using)?;
        let mut list = self.prepare_dynamic(&text, &types, None)?;
        match list.pop() {
            Some(Compiled::Query(q)) if list.is_empty() => {
                self.query_loop(target, &q, values.into(), &text, ParseMode::Default, body)
            }
            Some(Compiled::Utility { raw, .. }) if list.is_empty() => {
                let typed: Vec<_> = types.iter().copied().zip(values).collect();
                let r = self.host.utility(&raw, &text, &typed, true)?;
                self.changed();
                self.rows_loop(target, r.rows, &r.columns, body)
            }
            _ => Err(err!(INVALID_CURSOR_DEFINITION, "cannot open multi-query plan as cursor")),
        }
    }

    /// A loop over rows at hand.
    fn rows_loop(
        &mut self,
        target: Target,
        rows: Vec<Row>,
        columns: &[crate::host::Column],
        body: &'h LoopBody,
    ) -> PgResult<Flow> {
        let attrs = attrs_of(columns);
        let found = !rows.is_empty();
        if !found {
            self.move_row(target, None, columns, &attrs)?;
        }
        for row in rows {
            self.move_row(target, Some(row), columns, &attrs)?;
            match after(self.statements(&body.body)?, &body.label) {
                After::Again => {}
                After::Leave(flow) => {
                    self.vals[self.f.found] = Datum::Bool(true);
                    return Ok(flow);
                }
            }
        }
        self.vals[self.f.found] = Datum::Bool(found);
        Ok(Flow::Next)
    }

    /// A loop over a query's rows, which come in chunks while the body runs.
    fn query_loop(
        &mut self,
        target: Target,
        q: &QueryPlan,
        params: Arc<[Datum]>,
        text: &Arc<str>,
        mode: ParseMode,
        body: &'h LoopBody,
    ) -> PgResult<Flow> {
        let [plan] = &q.plans[..] else {
            return Err(err!(INVALID_CURSOR_DEFINITION, "cannot open multi-query plan as cursor"));
        };
        if !q.returns_rows {
            let what = match plan.stmt.command {
                CommandType::Insert => "INSERT",
                CommandType::Update => "UPDATE",
                CommandType::Delete => "DELETE",
                _ => "MERGE",
            };
            return Err(err!(INVALID_CURSOR_DEFINITION, "cannot open {what} query as cursor"));
        }
        let env = self.host.env(!self.f.read_only)?;
        let mut executor = Executor::new(plan.clone(), params);
        let mut found = false;
        // A body that may end the transaction must not have a query open; one that writes runs first.
        let all = !self.atomic || plan.stmt.command != CommandType::Select || plan.stmt.has_modifying_cte;
        let max = if all { 0 } else { CHUNK };
        let writes = u32::from(plan.stmt.command != CommandType::Select);
        self.writing_loops += writes;
        let result = self.chunks(target, q, &mut executor, &*env, max, text, mode, body, &mut found);
        self.writing_loops -= writes;
        let flow = result?;
        self.vals[self.f.found] = Datum::Bool(found);
        Ok(flow)
    }

    #[allow(clippy::too_many_arguments)]
    fn chunks(
        &mut self,
        target: Target,
        q: &QueryPlan,
        executor: &mut Executor,
        env: &dyn PlEnv,
        max: u64,
        text: &Arc<str>,
        mode: ParseMode,
        body: &'h LoopBody,
        found: &mut bool,
    ) -> PgResult<Flow> {
        let attrs = attrs_of(&q.columns);
        let width = q.columns.len();
        loop {
            let mut rows: Vec<Row> = Vec::new();
            push_level(Level::Sql(text.clone(), mode));
            let result = executor.run(&env.exec_env(), max, &mut |batch: &mut Batch| {
                rows.extend(batch.rows().map(|r| r[..width.min(r.len())].to_vec()));
                Ok(true)
            });
            pop_level();
            let done = result.map_err(|e| in_text(e, text, mode))?.done;
            if done && !self.f.read_only {
                self.host.command_done()?;
            }
            self.changed();
            if rows.is_empty() && !*found {
                self.move_row(target, None, &q.columns, &attrs)?;
            }
            for row in rows {
                *found = true;
                self.move_row(target, Some(row), &q.columns, &attrs)?;
                match after(self.statements(&body.body)?, &body.label) {
                    After::Again => {}
                    After::Leave(flow) => return Ok(flow),
                }
            }
            if done {
                return Ok(Flow::Next);
            }
        }
    }

    pub(super) fn for_cursor(
        &mut self,
        target: Target,
        cursor: Dno,
        args: Option<&'h Expr>,
        body: &'h LoopBody,
    ) -> PgResult<Flow> {
        let name = self.open_bound(cursor, args, true)?;
        let mut found = false;
        let result = self.cursor_rows(target, &name, body, &mut found);
        // The loop's cursor goes with it, whatever happened.
        let _ = self.host.close_cursor(&name);
        let flow = result?;
        if self.f.datums[cursor].var().is_some_and(|v| v.cursor.is_some()) && self.unnamed_cursor(cursor) {
            self.vals[cursor] = Datum::Null;
        }
        self.vals[self.f.found] = Datum::Bool(found);
        Ok(flow)
    }

    fn cursor_rows(
        &mut self,
        target: Target,
        name: &str,
        body: &'h LoopBody,
        found: &mut bool,
    ) -> PgResult<Flow> {
        loop {
            let Some((rows, columns)) = self.host.fetch_cursor(name, FetchTo::Forward(1))? else {
                bail!(UNDEFINED_CURSOR, "cursor \"{name}\" does not exist");
            };
            let attrs = attrs_of(&columns);
            if rows.is_empty() {
                if !*found {
                    self.move_row(target, None, &columns, &attrs)?;
                }
                return Ok(Flow::Next);
            }
            for row in rows {
                *found = true;
                self.move_row(target, Some(row), &columns, &attrs)?;
                match after(self.statements(&body.body)?, &body.label) {
                    After::Again => {}
                    After::Leave(flow) => return Ok(flow),
                }
            }
        }
    }

    pub(super) fn foreach(
        &mut self,
        var: Dno,
        slice: i32,
        array: &'h Expr,
        body: &'h LoopBody,
    ) -> PgResult<Flow> {
        let (value, ty, _) = self.eval(array, None)?;
        if value.is_null() {
            bail!(NULL_VALUE_NOT_ALLOWED, "FOREACH expression must not be null");
        }
        let catalog = self.surroundings()?.analyze().catalog().clone();
        let Some(elem) = catalog.element_type(catalog.base_type(ty)) else {
            let name = self.type_name(ty);
            bail!(DATATYPE_MISMATCH, "FOREACH expression must yield an array, not type {name}");
        };
        let Datum::Array(a) = value else { return Err(PgError::internal("array value expected")) };
        let ndim = a.dims.len() as i32;
        if slice < 0 || slice > ndim {
            bail!(ARRAY_SUBSCRIPT_ERROR, "slice dimension ({slice}) is out of the valid range 0..{ndim}");
        }
        let var_type = match &self.f.datums[var] {
            Decl::Var(v) => Some(v.ty.oid),
            _ => None,
        };
        let is_array = |t| catalog.element_type(catalog.base_type(t)).is_some();
        if slice > 0 && var_type.is_none_or(|t| !is_array(t)) {
            bail!(DATATYPE_MISMATCH, "FOREACH ... SLICE loop variable must be of an array type");
        }
        if slice == 0 && var_type.is_some_and(is_array) {
            bail!(DATATYPE_MISMATCH, "FOREACH loop variable must not be of an array type");
        }
        let mut found = false;
        let pieces = slices(&a, slice as usize);
        let piece_type = if slice > 0 { ty } else { elem };
        let mut result = Flow::Next;
        for piece in pieces {
            found = true;
            self.assign(var, piece, piece_type, -1)?;
            match after(self.statements(&body.body)?, &body.label) {
                After::Again => {}
                After::Leave(flow) => {
                    result = flow;
                    break;
                }
            }
        }
        self.vals[self.f.found] = Datum::Bool(found);
        Ok(result)
    }
}

/// The elements, or the sub-arrays of the last `slice` dimensions.
fn slices(a: &ArrayValue, slice: usize) -> Vec<Datum> {
    if slice == 0 {
        return a.values.clone();
    }
    let dims: Vec<Dim> = a.dims[a.dims.len() - slice..].to_vec();
    let size: usize = dims.iter().map(|d| d.len as usize).product::<usize>().max(1);
    a.values
        .chunks(size)
        .map(|c| {
            Datum::Array(Arc::new(ArrayValue {
                elem_type: a.elem_type,
                dims: dims.iter().copied().collect(),
                values: c.to_vec(),
            }))
        })
        .collect()
}
