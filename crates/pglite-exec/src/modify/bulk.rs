//! Inserting many rows at once: INSERT ... SELECT without row triggers, and COPY.

use std::sync::Arc;

use pglite_catalog::RelDesc;
use pglite_error::{PgError, PgResult};
use pglite_ir::expr::Expr;
use pglite_ir::plan::CheckWhen;
use pglite_types::{Batch, Datum, Row};

use super::rel::{self, RelProgram};
use super::{Target, TargetProgram, Targets, check, index, route, trigger};
use crate::env::{ExecEnv, TriggerEvent, TriggerTiming};
use crate::expr::{Code, Rows};
use crate::state::{ExecCx, RunState};

/// Writes a batch of rows (leading columns of the batch's rows are the table's).
pub fn insert_chunk(
    cx: &mut ExecCx<'_>,
    target: &Arc<Target>,
    tp: &TargetProgram,
    rows: &mut Batch,
) -> PgResult<usize> {
    let width = target.program.width();
    let mut batch = Batch::new(width);
    if rows.width() == width {
        std::mem::swap(&mut batch, rows);
    } else {
        for i in 0..rows.len() {
            batch.push_row(rows.take_row(i).take(width));
        }
    }
    for i in 0..batch.len() {
        prepare(cx, &target.program, batch.row_mut(i), true)?;
        if !tp.checks.is_empty() {
            let row = batch.row(i);
            let rows = Rows { s: [row, &[], &[], row] };
            check::options(cx, &tp.checks, &target.program, &rows, row, CheckWhen::Insert)?;
        }
    }
    write(cx, target, &target.program, &batch).map_err(|(_, e)| e)?;
    Ok(batch.len())
}

/// Generated columns and constraints.
fn prepare(cx: &mut ExecCx<'_>, program: &RelProgram, row: &mut [Datum], partition: bool) -> PgResult<()> {
    check::generate(cx, program, row)?;
    check::constraints(cx, program, row, partition)
}

/// Writes rows, then their index entries, then notes what waits for the end of the statement.
fn write(
    cx: &mut ExecCx<'_>,
    target: &Arc<Target>,
    nominal: &RelProgram,
    batch: &Batch,
) -> Result<(), (Option<usize>, PgError)> {
    let open = target.storage().map_err(|e| (None, e))?;
    let program = &target.program;
    let mut ids = Vec::with_capacity(batch.len());
    open.am.insert(cx.env.txn, &open.table, batch, &mut ids).map_err(|e| (None, e))?;
    if !program.indexes.is_empty() {
        let mut entries = index::Entries::new(program, open).map_err(|e| (None, e))?;
        for (i, id) in ids.iter().enumerate() {
            entries.insert(cx, program, batch.row(i), *id).map_err(|e| (Some(i), e))?;
        }
    }
    if trigger::waits(program, nominal, TriggerEvent::Insert) {
        let none: Arc<[i16]> = Arc::from(Vec::new());
        for i in 0..batch.len() {
            trigger::queue(cx, program, nominal, TriggerEvent::Insert, None, Some(batch.row(i)), &none)
                .map_err(|e| (Some(i), e))?;
        }
    }
    Ok(())
}

/// Inserts rows outside a plan: COPY FROM, CREATE TABLE AS, table rewrites.
pub struct BulkInsert {
    rel: Arc<RelDesc>,
    nominal: Arc<Target>,
    targets: Targets,
    run: RunState,
}

impl BulkInsert {
    /// Fires BEFORE STATEMENT triggers.
    pub fn start(env: &ExecEnv<'_>, rel: &Arc<RelDesc>) -> PgResult<BulkInsert> {
        let mut run = RunState::bare(Arc::from(Vec::new()));
        let mut targets = Targets::default();
        let mut cx = ExecCx::new(env, &mut run);
        let nominal = targets.open(&mut cx, rel)?;
        let none: Arc<[i16]> = Arc::from(Vec::new());
        trigger::statement_start(&mut cx, &nominal.program, TriggerEvent::Insert, &none)?;
        trigger::statement_end(&mut cx, &nominal.program, TriggerEvent::Insert, &none);
        Ok(BulkInsert { rel: rel.clone(), nominal, targets, run })
    }

    fn has(&self, timing: TriggerTiming) -> bool {
        self.nominal.program.triggers.has(TriggerEvent::Insert, timing, true)
    }

    /// Whether rows may wait for one another ([`check`](Self::check), then [`write`](Self::write)); otherwise they go
    /// one by one ([`one`](Self::one)).
    pub fn is_batched(&self) -> bool {
        matches!(self.rel.kind, b'r' | b'm')
            && !self.has(TriggerTiming::Before)
            && !self.has(TriggerTiming::Instead)
    }

    /// Compiles an expression over the table's rows (Vars of relation 1).
    pub fn compile(&self, env: &ExecEnv<'_>, expr: &Expr) -> PgResult<Code> {
        rel::table_code(env, &self.nominal.program, expr)
    }

    /// Evaluates what [`compile`](Self::compile) made.
    pub fn eval(&mut self, env: &ExecEnv<'_>, code: &Code, row: &[Datum]) -> PgResult<Datum> {
        code.eval(&Rows::outer(row), &mut ExecCx::new(env, &mut self.run))
    }

    /// Evaluates a condition; NULL is false.
    pub fn test(&mut self, env: &ExecEnv<'_>, code: &Code, row: &[Datum]) -> PgResult<bool> {
        Ok(code.test(&Rows::outer(row), &mut ExecCx::new(env, &mut self.run))? == Some(true))
    }

    /// Generated columns and constraints of a row that [`write`](Self::write) will get.
    #[inline]
    pub fn check(&mut self, env: &ExecEnv<'_>, row: &mut [Datum]) -> PgResult<()> {
        prepare(&mut ExecCx::new(env, &mut self.run), &self.nominal.program, row, true)
    }

    /// Writes checked rows; an error comes with the row's number in the batch when it is known.
    pub fn write(&mut self, env: &ExecEnv<'_>, rows: &Batch) -> Result<(), (Option<usize>, PgError)> {
        let mut cx = ExecCx::new(env, &mut self.run);
        write(&mut cx, &self.nominal, &self.nominal.program, rows)
    }

    /// Writes rows of the table's full width (defaults already in place). Returns how many were written.
    pub fn insert(&mut self, env: &ExecEnv<'_>, rows: &mut Batch) -> PgResult<u64> {
        if self.is_batched() {
            for i in 0..rows.len() {
                self.check(env, rows.row_mut(i))?;
            }
            self.write(env, rows).map_err(|(_, e)| e)?;
            return Ok(rows.len() as u64);
        }
        let mut count = 0;
        for i in 0..rows.len() {
            let row: Row = rows.take_row(i).collect();
            count += u64::from(self.one(env, row)?);
        }
        Ok(count)
    }

    /// One row through row triggers and partition routing; false when a trigger drops it.
    pub fn one(&mut self, env: &ExecEnv<'_>, row: Row) -> PgResult<bool> {
        let instead = self.has(TriggerTiming::Instead);
        let nominal = self.nominal.clone();
        let mut cx = ExecCx::new(env, &mut self.run);
        let event = TriggerEvent::Insert;
        if instead {
            let timing = TriggerTiming::Instead;
            let kept = trigger::row(&mut cx, &nominal.program, event, timing, None, Some(row), &[])?;
            return Ok(kept.is_some());
        }
        let direct = !nominal.rel().is_partitioned();
        let (target, row) = if direct {
            (nominal.clone(), row)
        } else {
            route::route(&mut cx, &mut self.targets, &self.rel, row)?
        };
        let timing = TriggerTiming::Before;
        let kept = trigger::row(&mut cx, &target.program, event, timing, None, Some(row), &[])?;
        let Some(Some(mut row)) = kept else { return Ok(false) };
        prepare(&mut cx, &target.program, &mut row, direct)?;
        let mut batch = Batch::new(row.len());
        batch.push_row(row);
        write(&mut cx, &target, &nominal.program, &batch).map_err(|(_, e)| e)?;
        Ok(true)
    }

    /// Foreign keys and AFTER triggers.
    pub fn finish(mut self, env: &ExecEnv<'_>) -> PgResult<()> {
        trigger::finish(&mut ExecCx::new(env, &mut self.run))
    }
}
