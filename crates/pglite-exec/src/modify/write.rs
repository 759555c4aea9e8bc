//! Writing one row: insert, update, delete, with locking and re-checks of rows that others changed.

use std::sync::Arc;

use pglite_error::{PgError, PgResult, err};
use pglite_ir::plan::CheckWhen;
use pglite_ir::query::CommandType;
use pglite_txn::ReadView;
use pglite_txn::am::{Columns, RowId, RowLock, RowMeta, RowStatus, Wait};
use pglite_types::{Batch, Datum, Row};

use super::rel::RelProgram;
use super::{Prog, Source, Target, TargetProgram, Targets, check, index, recheck, route, trigger};
use crate::env::{TriggerEvent, TriggerTiming};
use crate::expr::Rows;
use crate::node::NodeProg;
use crate::state::ExecCx;

/// What became of a row: its versions in the shape of the planned target, for RETURNING.
pub struct Outcome {
    pub target: usize,
    pub source: Row,
    pub old: Option<Version>,
    pub new: Option<Version>,
}

/// A row version: values, and which row of which table it is.
#[derive(Clone)]
pub struct Version {
    pub values: Row,
    pub position: u64,
    pub table: pglite_types::Oid,
}

impl Version {
    /// The values with ctid and tableoid behind them.
    pub fn slots(&self, width: usize) -> Row {
        let mut row = self.values.clone();
        row.resize(width, Datum::Null);
        row.push(crate::node::scan::tid(self.position));
        row.push(Datum::Oid(self.table));
        row
    }
}

impl Outcome {
    pub fn returning(self, prog: &Prog, cx: &mut ExecCx<'_>, out: &mut Batch) -> PgResult<()> {
        let tp = &prog.targets[self.target];
        let Some(projection) = &tp.returning else { return Ok(()) };
        let width = tp.rel.width();
        let slots =
            |v: &Option<Version>| v.as_ref().map_or_else(|| vec![Datum::Null; width + 2], |v| v.slots(width));
        let (old, new) = (slots(&self.old), slots(&self.new));
        projection.push(&Rows { s: [&self.source, &[], &old, &new] }, cx, out)
    }
}

pub struct Writer<'w> {
    pub prog: &'w Prog,
    pub targets: &'w mut Targets,
    pub child: &'w NodeProg,
}

/// A locked row, as it now is.
pub struct Locked {
    pub old: Version,
    /// The plan row, computed anew when the row had changed.
    pub source: Row,
}

pub fn all_columns(rel: &RelProgram) -> Columns {
    (0..rel.width() as u16).collect()
}

/// Fetches a row version; None when the view does not see it.
pub fn fetch(cx: &mut ExecCx<'_>, target: &Target, view: &ReadView, id: u64) -> PgResult<Option<Version>> {
    let open = target.storage()?;
    let columns = all_columns(&target.program);
    let mut batch = Batch::new(columns.len());
    let mut meta = RowMeta::default();
    open.am.fetch(cx.env.txn, view, &open.table, &columns, &[id], &mut batch, &mut meta)?;
    if batch.is_empty() {
        return Ok(None);
    }
    Ok(Some(Version {
        values: batch.take_row(0).collect(),
        position: meta.positions.first().copied().unwrap_or(0),
        table: target.rel().oid,
    }))
}

impl Writer<'_> {
    fn planned(&mut self, cx: &mut ExecCx<'_>, i: usize) -> PgResult<Arc<Target>> {
        let rel = self.prog.targets[i].rel.rel.clone();
        self.targets.open(cx, &rel)
    }

    /// Locks a row for change. None: it is gone, no longer qualifies, or was changed by this very statement.
    pub fn lock(
        &mut self,
        cx: &mut ExecCx<'_>,
        target: &Target,
        lock: RowLock,
        source: &Source,
        id: u64,
    ) -> PgResult<Option<Locked>> {
        let open = target.storage()?.clone();
        match open.am.lock(cx.env.txn, cx.env.view, &open.table, RowId(id), lock, Wait::Block)? {
            RowStatus::Ok => {
                let old = fetch(cx, target, cx.env.view, id)?;
                Ok(old.map(|old| Locked { old, source: source.row.clone() }))
            }
            RowStatus::Updated => {
                let rte = self.prog.targets[source.target].rte;
                let Some(row) = recheck(cx, self.child, rte, target.rel().oid, id)? else { return Ok(None) };
                let view = ReadView::newest(cx.env.txn);
                let old = fetch(cx, target, &view, id)?;
                Ok(old.map(|old| Locked { old, source: row }))
            }
            RowStatus::SelfModified if self.changed_by_trigger(cx, target, id) => {
                Err(already_modified(self.prog.command))
            }
            RowStatus::Deleted | RowStatus::SelfModified | RowStatus::WouldBlock => Ok(None),
        }
    }

    /// A row this command did not change itself, where its triggers may have.
    fn changed_by_trigger(&self, cx: &ExecCx<'_>, target: &Target, id: u64) -> bool {
        has_before_row(&target.program) && !cx.run.modify.touched.contains(&(target.rel().oid, id))
    }

    /// After a BEFORE trigger: 27000 when it changed or deleted the very row.
    fn untouched(
        &self,
        cx: &mut ExecCx<'_>,
        target: &Target,
        event: TriggerEvent,
        lock: RowLock,
        id: u64,
    ) -> PgResult<()> {
        if !target.program.triggers.has(event, TriggerTiming::Before, true) {
            return Ok(());
        }
        let open = target.storage()?;
        match open.am.lock(cx.env.txn, cx.env.view, &open.table, RowId(id), lock, Wait::Block)? {
            RowStatus::SelfModified | RowStatus::Deleted
                if !cx.run.modify.touched.contains(&(target.rel().oid, id)) =>
            {
                Err(already_modified(self.prog.command))
            }
            _ => {
                cx.run.modify.touched.insert((target.rel().oid, id));
                Ok(())
            }
        }
    }

    pub fn insert_source(&mut self, cx: &mut ExecCx<'_>, source: Source) -> PgResult<Option<Outcome>> {
        let width = self.prog.targets[0].rel.width();
        let row: Row = source.row.iter().take(width).cloned().collect();
        self.insert(cx, 0, row, source.row)
    }

    /// Inserts a row of planned target `i`.
    pub fn insert(
        &mut self,
        cx: &mut ExecCx<'_>,
        i: usize,
        row: Row,
        source: Row,
    ) -> PgResult<Option<Outcome>> {
        let prog = self.prog;
        let nominal = match prog.root.clone() {
            Some(root) => self.targets.open(cx, &root)?,
            None => self.planned(cx, i)?,
        };
        let tp = &prog.targets[i];
        if nominal.program.triggers.has(TriggerEvent::Insert, TriggerTiming::Instead, true) {
            let kept = trigger::row(
                cx,
                &nominal.program,
                TriggerEvent::Insert,
                TriggerTiming::Instead,
                None,
                Some(row),
                &[],
            )?;
            return Ok(kept.flatten().map(|values| {
                let new = Version { values, position: 0, table: nominal.rel().oid };
                Outcome { target: i, source, old: None, new: Some(new) }
            }));
        }
        if nominal.rel().is_view() {
            return Err(err!(
                OBJECT_NOT_IN_PREREQUISITE_STATE,
                "cannot insert into view \"{}\"",
                nominal.rel().name
            ));
        }
        let direct = !nominal.rel().is_partitioned();
        let (target, row) = if direct {
            (nominal.clone(), row)
        } else {
            let mut row = row;
            // The partition key may be a generated column.
            check::generate(cx, &nominal.program, &mut row)?;
            route::route(cx, self.targets, nominal.rel(), row)?
        };
        let kept = trigger::row(
            cx,
            &target.program,
            TriggerEvent::Insert,
            TriggerTiming::Before,
            None,
            Some(row),
            &[],
        )?;
        let Some(Some(mut row)) = kept else { return Ok(None) };
        check::generate(cx, &target.program, &mut row)?;
        if !tp.checks.is_empty() {
            let shaped = route::convert(target.rel(), &tp.rel.rel, row.clone());
            check::options(
                cx,
                &tp.checks,
                &tp.rel,
                &Rows { s: [&source, &[], &[], &shaped] },
                &shaped,
                CheckWhen::Insert,
            )?;
        }
        let check_partition =
            direct || target.program.triggers.has(TriggerEvent::Insert, TriggerTiming::Before, true);
        check::constraints(cx, &target.program, &row, check_partition)?;
        if let Some(conflict) = &prog.conflict
            && let Some(rival) = super::conflict::find(cx, conflict, &target, &nominal, &row)?
        {
            if !conflict.update {
                return Ok(None);
            }
            return self.conflict_update(cx, conflict, i, &target, rival, row, source);
        }
        let new = self.write_new(cx, &target, &nominal, tp, row)?;
        Ok(Some(self.outcome(i, &target, source, None, Some(new))))
    }

    fn outcome(
        &self,
        i: usize,
        target: &Target,
        source: Row,
        old: Option<Version>,
        new: Option<Version>,
    ) -> Outcome {
        let planned = &self.prog.targets[i].rel.rel;
        let shape = |v: Version| Version { values: route::convert(target.rel(), planned, v.values), ..v };
        Outcome { target: i, source, old: old.map(shape), new: new.map(shape) }
    }

    /// Stores a checked row with its index entries.
    fn write_new(
        &mut self,
        cx: &mut ExecCx<'_>,
        target: &Arc<Target>,
        nominal: &Target,
        tp: &TargetProgram,
        row: Row,
    ) -> PgResult<Version> {
        let open = target.storage()?;
        let mut batch = Batch::new(row.len());
        batch.push_row(row);
        let mut ids = Vec::new();
        open.am.insert(cx.env.txn, &open.table, &batch, &mut ids)?;
        let id = ids.first().copied().ok_or_else(|| PgError::internal("an inserted row got no id"))?;
        index::insert_all(cx, &target.program, open, batch.row(0), id)?;
        let none: Arc<[i16]> = Arc::from(Vec::new());
        trigger::queue(
            cx,
            &target.program,
            &nominal.program,
            TriggerEvent::Insert,
            None,
            Some(batch.row(0)),
            &none,
        )?;
        let mut position = 0;
        if tp.wants_ctid {
            let view = ReadView::newest_with_own(cx.env.txn);
            position = fetch(cx, target, &view, id)?.map_or(0, |v| v.position);
        }
        Ok(Version { values: batch.take_row(0).collect(), position, table: target.rel().oid })
    }

    pub fn update_source(&mut self, cx: &mut ExecCx<'_>, source: Source) -> PgResult<Option<Outcome>> {
        let prog = self.prog;
        let i = source.target;
        let target = self.planned(cx, i)?;
        let columns = prog.targets[i].update_columns.clone();
        let assign = move |old: &Row, plan: &Row| -> Row {
            let mut new = old.clone();
            for (value, col) in plan.iter().zip(columns.iter()) {
                new[*col as usize - 1] = value.clone();
            }
            new
        };
        let columns = prog.targets[i].update_columns.clone();
        if let Some(old) = source.whole.clone() {
            let new = assign(&old, &source.row);
            return self.instead(cx, i, &target, TriggerEvent::Update, source.row, old, Some(new), &columns);
        }
        let Some(id) = source.rowid else { return Ok(None) };
        let lock = lock_strength(&target.program, &columns);
        let Some(locked) = self.lock(cx, &target, lock, &source, id)? else { return Ok(None) };
        let new = assign(&locked.old.values, &locked.source);
        self.update(cx, i, &target, id, locked.old, new, locked.source, &columns)
    }

    #[allow(clippy::too_many_arguments)]
    fn instead(
        &mut self,
        cx: &mut ExecCx<'_>,
        i: usize,
        target: &Arc<Target>,
        event: TriggerEvent,
        source: Row,
        old: Row,
        new: Option<Row>,
        columns: &[i16],
    ) -> PgResult<Option<Outcome>> {
        let had_new = new.is_some();
        let kept =
            trigger::row(cx, &target.program, event, TriggerTiming::Instead, Some(&old), new, columns)?;
        let Some(new) = kept else { return Ok(None) };
        let version = |values: Row| Version { values, position: 0, table: target.rel().oid };
        let new = new.filter(|_| had_new).map(version);
        Ok(Some(Outcome { target: i, source, old: Some(version(old)), new }))
    }

    /// Writes a new version of a locked row.
    #[allow(clippy::too_many_arguments)]
    pub fn update(
        &mut self,
        cx: &mut ExecCx<'_>,
        i: usize,
        target: &Arc<Target>,
        id: u64,
        old: Version,
        new: Row,
        source: Row,
        columns: &Arc<[i16]>,
    ) -> PgResult<Option<Outcome>> {
        let prog = self.prog;
        let (event, before) = (TriggerEvent::Update, TriggerTiming::Before);
        let kept = trigger::row(cx, &target.program, event, before, Some(&old.values), Some(new), columns)?;
        let Some(Some(mut new)) = kept else { return Ok(None) };
        self.untouched(cx, target, event, lock_strength(&target.program, columns), id)?;
        check::generate(cx, &target.program, &mut new)?;
        let tp = &prog.targets[i];
        if !tp.checks.is_empty() {
            let shaped = route::convert(target.rel(), &tp.rel.rel, new.clone());
            let rows = Rows { s: [&source, &[], &[], &shaped] };
            check::options(cx, &tp.checks, &tp.rel, &rows, &shaped, CheckWhen::Update)?;
        }
        if target.rel().is_partition && !check::in_partition(cx, &target.program, &new)? {
            return self.move_row(cx, i, target, id, old, new, source);
        }
        check::constraints(cx, &target.program, &new, false)?;
        let open = target.storage()?.clone();
        let position = open.am.update(cx.env.txn, &open.table, RowId(id), &new)?;
        index::update_all(cx, &target.program, &open, &old.values, &new, id)?;
        let nominal = self.planned(cx, 0)?;
        trigger::queue(cx, &target.program, &nominal.program, event, Some(&old.values), Some(&new), columns)?;
        let new = Version { values: new, position, table: target.rel().oid };
        Ok(Some(self.outcome(i, target, source, Some(old), Some(new))))
    }

    /// An update that moves the row to another partition: delete here, insert there.
    #[allow(clippy::too_many_arguments)]
    fn move_row(
        &mut self,
        cx: &mut ExecCx<'_>,
        i: usize,
        from: &Arc<Target>,
        id: u64,
        old: Version,
        new: Row,
        source: Row,
    ) -> PgResult<Option<Outcome>> {
        // Only below the statement's own target may rows move.
        let root = match self.prog.root.clone() {
            Some(root) => self.targets.open(cx, &root)?,
            None => self.planned(cx, 0)?,
        };
        let mut top = from.rel().clone();
        while top.oid != root.rel().oid && top.is_partition {
            match top.parents.first().and_then(|p| cx.env.host.catalog().rel(*p)) {
                Some(parent) => top = parent,
                None => break,
            }
        }
        if !root.rel().is_partitioned() || top.oid != root.rel().oid {
            return check::constraints(cx, &from.program, &new, true).map(|()| None);
        }
        let kept = trigger::row(
            cx,
            &from.program,
            TriggerEvent::Delete,
            TriggerTiming::Before,
            Some(&old.values),
            None,
            &[],
        )?;
        if kept.is_none() {
            return Ok(None);
        }
        self.remove(cx, from, &root, id, &old)?;
        let row = route::convert(from.rel(), root.rel(), new);
        let (to, row) = route::route(cx, self.targets, root.rel(), row)?;
        let kept =
            trigger::row(cx, &to.program, TriggerEvent::Insert, TriggerTiming::Before, None, Some(row), &[])?;
        let Some(Some(mut row)) = kept else { return Ok(None) };
        check::generate(cx, &to.program, &mut row)?;
        check::constraints(cx, &to.program, &row, true)?;
        let new = self.write_new(cx, &to, &root, &self.prog.targets[i], row)?;
        let planned = self.prog.targets[i].rel.rel.clone();
        let new = Version { values: route::convert(to.rel(), &planned, new.values), ..new };
        let old = Version { values: route::convert(from.rel(), &planned, old.values), ..old };
        Ok(Some(Outcome { target: i, source, old: Some(old), new: Some(new) }))
    }

    fn remove(
        &mut self,
        cx: &mut ExecCx<'_>,
        target: &Arc<Target>,
        nominal: &Target,
        id: u64,
        old: &Version,
    ) -> PgResult<()> {
        let open = target.storage()?;
        open.am.delete(cx.env.txn, &open.table, RowId(id))?;
        index::delete_all(cx, &target.program, open, &old.values, id)?;
        let none: Arc<[i16]> = Arc::from(Vec::new());
        trigger::queue(
            cx,
            &target.program,
            &nominal.program,
            TriggerEvent::Delete,
            Some(&old.values),
            None,
            &none,
        )
    }

    pub fn delete_source(&mut self, cx: &mut ExecCx<'_>, source: Source) -> PgResult<Option<Outcome>> {
        let i = source.target;
        let target = self.planned(cx, i)?;
        if let Some(old) = source.whole.clone() {
            return self.instead(cx, i, &target, TriggerEvent::Delete, source.row, old, None, &[]);
        }
        let Some(id) = source.rowid else { return Ok(None) };
        let Some(locked) = self.lock(cx, &target, RowLock::Update, &source, id)? else { return Ok(None) };
        self.delete(cx, i, &target, id, locked.old, locked.source)
    }

    /// Deletes a locked row.
    pub fn delete(
        &mut self,
        cx: &mut ExecCx<'_>,
        i: usize,
        target: &Arc<Target>,
        id: u64,
        old: Version,
        source: Row,
    ) -> PgResult<Option<Outcome>> {
        let timing = TriggerTiming::Before;
        let kept =
            trigger::row(cx, &target.program, TriggerEvent::Delete, timing, Some(&old.values), None, &[])?;
        if kept.is_none() {
            return Ok(None);
        }
        self.untouched(cx, target, TriggerEvent::Delete, RowLock::Update, id)?;
        let nominal = self.planned(cx, 0)?;
        self.remove(cx, target, &nominal, id, &old)?;
        Ok(Some(self.outcome(i, target, source, Some(old), None)))
    }
}

/// FOR UPDATE when a key that foreign keys may use changes, else FOR NO KEY UPDATE.
pub fn lock_strength(rel: &RelProgram, columns: &[i16]) -> RowLock {
    if columns.iter().any(|c| rel.key_columns.contains(c)) { RowLock::Update } else { RowLock::NoKeyUpdate }
}

fn has_before_row(rel: &RelProgram) -> bool {
    let has = |e| rel.triggers.has(e, TriggerTiming::Before, true);
    has(TriggerEvent::Update) || has(TriggerEvent::Delete)
}

fn already_modified(command: CommandType) -> PgError {
    let what = match command {
        CommandType::Update => "updated",
        CommandType::Delete => "deleted",
        _ => "updated or deleted",
    };
    err!(
        TRIGGERED_DATA_CHANGE_VIOLATION,
        "tuple to be {what} was already modified by an operation triggered by the current command"
    )
    .hint("Consider using an AFTER trigger instead of a BEFORE trigger to propagate changes to other rows.")
}
