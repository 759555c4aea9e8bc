//! Inserting many rows at once: INSERT ... SELECT without row triggers, and COPY.

use std::sync::Arc;

use pglite_catalog::RelDesc;
use pglite_error::PgResult;
use pglite_ir::plan::CheckWhen;
use pglite_types::{Batch, Datum, Row};

use super::rel::RelProgram;
use super::{Target, TargetProgram, Targets, check, index, route, trigger};
use crate::env::{ExecEnv, TriggerEvent, TriggerTiming};
use crate::expr::Rows;
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
    for i in 0..rows.len() {
        batch.push_row(rows.take_row(i).take(width));
    }
    for i in 0..batch.len() {
        prepare(cx, &target.program, batch.row_mut(i), true)?;
        if !tp.checks.is_empty() {
            let row = batch.row(i);
            let rows = Rows { s: [row, &[], &[], row] };
            check::options(cx, &tp.checks, &target.program, &rows, row, CheckWhen::Insert)?;
        }
    }
    write(cx, target, &target.program, &batch)?;
    Ok(batch.len())
}

/// Generated columns and constraints.
fn prepare(cx: &mut ExecCx<'_>, program: &RelProgram, row: &mut [Datum], partition: bool) -> PgResult<()> {
    check::generate(cx, program, row)?;
    check::constraints(cx, program, row, partition)
}

fn write(cx: &mut ExecCx<'_>, target: &Arc<Target>, nominal: &RelProgram, batch: &Batch) -> PgResult<()> {
    let open = target.storage()?;
    let mut ids = Vec::with_capacity(batch.len());
    open.am.insert(cx.env.txn, &open.table, batch, &mut ids)?;
    let none: Arc<[i16]> = Arc::from(Vec::new());
    for (i, id) in ids.iter().enumerate() {
        index::insert_all(cx, &target.program, open, batch.row(i), *id)?;
        trigger::queue(cx, &target.program, nominal, TriggerEvent::Insert, None, Some(batch.row(i)), &none)?;
    }
    Ok(())
}

/// Inserts rows outside a plan: COPY FROM.
pub struct BulkInsert {
    rel: Arc<RelDesc>,
    targets: Targets,
    run: RunState,
}

impl BulkInsert {
    /// Fires BEFORE STATEMENT triggers.
    pub fn start(env: &ExecEnv<'_>, rel: &Arc<RelDesc>) -> PgResult<BulkInsert> {
        let mut run = RunState::bare(Arc::from(Vec::new()));
        let mut targets = Targets::default();
        let mut cx = ExecCx::new(env, &mut run);
        let target = targets.open(&mut cx, rel)?;
        let none: Arc<[i16]> = Arc::from(Vec::new());
        trigger::statement_start(&mut cx, &target.program, TriggerEvent::Insert, &none)?;
        trigger::statement_end(&mut cx, &target.program, TriggerEvent::Insert, &none);
        Ok(BulkInsert { rel: rel.clone(), targets, run })
    }

    /// Writes rows of the table's full width (defaults already in place). Returns how many were written.
    pub fn insert(&mut self, env: &ExecEnv<'_>, rows: &mut Batch) -> PgResult<u64> {
        let mut cx = ExecCx::new(env, &mut self.run);
        let nominal = self.targets.open(&mut cx, &self.rel)?;
        let before = nominal.program.triggers.has(TriggerEvent::Insert, TriggerTiming::Before, true);
        let instead = nominal.program.triggers.has(TriggerEvent::Insert, TriggerTiming::Instead, true);
        if nominal.rel().kind == b'r' && !before {
            for i in 0..rows.len() {
                prepare(&mut cx, &nominal.program, rows.row_mut(i), true)?;
            }
            write(&mut cx, &nominal, &nominal.program, rows)?;
            return Ok(rows.len() as u64);
        }
        let mut count = 0;
        for i in 0..rows.len() {
            let row: Row = rows.take_row(i).collect();
            if instead {
                let timing = TriggerTiming::Instead;
                let kept = trigger::row(
                    &mut cx,
                    &nominal.program,
                    TriggerEvent::Insert,
                    timing,
                    None,
                    Some(row),
                    &[],
                )?;
                count += u64::from(kept.is_some());
                continue;
            }
            count += u64::from(self.one(env, &nominal, row)?);
            cx = ExecCx::new(env, &mut self.run);
        }
        Ok(count)
    }

    fn one(&mut self, env: &ExecEnv<'_>, nominal: &Arc<Target>, row: Row) -> PgResult<bool> {
        let mut cx = ExecCx::new(env, &mut self.run);
        let direct = !nominal.rel().is_partitioned();
        let (target, row) = if direct {
            (nominal.clone(), row)
        } else {
            route::route(&mut cx, &mut self.targets, &self.rel, row)?
        };
        let timing = TriggerTiming::Before;
        let kept =
            trigger::row(&mut cx, &target.program, TriggerEvent::Insert, timing, None, Some(row), &[])?;
        let Some(Some(mut row)) = kept else { return Ok(false) };
        prepare(&mut cx, &target.program, &mut row, direct)?;
        let mut batch = Batch::new(row.len());
        batch.push_row(row);
        write(&mut cx, &target, &nominal.program, &batch)?;
        Ok(true)
    }

    /// Foreign keys and AFTER triggers.
    pub fn finish(mut self, env: &ExecEnv<'_>) -> PgResult<()> {
        trigger::finish(&mut ExecCx::new(env, &mut self.run))
    }
}
