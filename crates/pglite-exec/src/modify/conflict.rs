//! INSERT ... ON CONFLICT.

use std::sync::Arc;

use pglite_error::{PgResult, err};
use pglite_ir::plan::CheckWhen;
use pglite_ir::plan::ModifyTarget;
use pglite_ir::query::OnConflict;
use pglite_txn::ReadView;
use pglite_txn::am::{RowId, RowLock, RowStatus, Wait};
use pglite_types::{Oid, Row};

use super::rel::{OLD, RelProgram, TargetMap};
use super::write::{Outcome, Writer, fetch, lock_strength};
use super::{Target, assignments, index, optional, route};
use crate::env::ExecEnv;
use crate::expr::{Code, Compiler, Rows};
use crate::state::ExecCx;

pub struct ConflictProgram {
    pub update: bool,
    /// Arbiter indexes; empty = every unique index.
    pub arbiters: Vec<Oid>,
    pub set: Vec<(usize, Code)>,
    pub where_: Option<Code>,
    /// Columns assigned by DO UPDATE.
    pub columns: Arc<[i16]>,
}

impl ConflictProgram {
    pub fn compile(
        env: &ExecEnv<'_>,
        c: &OnConflict,
        t: &ModifyTarget,
        rel: &RelProgram,
    ) -> PgResult<ConflictProgram> {
        let mut map = TargetMap {
            rte: t.rte,
            excluded: c.excluded_rte,
            rel: &t.rel,
            attrs: rel.attrs.clone(),
            default_slot: OLD,
        };
        let mut compiler = Compiler::new(env, &mut map);
        Ok(ConflictProgram {
            update: c.update,
            arbiters: c.arbiter_indexes.clone(),
            set: assignments(&mut compiler, &c.set)?,
            where_: optional(&mut compiler, &c.where_)?,
            columns: c.set.iter().filter(|t| !t.junk).map(|t| t.resno).collect(),
        })
    }
}

/// The row that stands in the way of inserting `row`, if any.
pub fn find(
    cx: &mut ExecCx<'_>,
    c: &ConflictProgram,
    target: &Target,
    nominal: &Target,
    row: &[pglite_types::Datum],
) -> PgResult<Option<u64>> {
    let open = target.storage()?.clone();
    for ip in &target.program.indexes {
        if !ip.desc.unique || !(c.arbiters.is_empty() || is_arbiter(cx, c, ip.desc.oid, target, nominal)) {
            continue;
        }
        if !ip.desc.immediate && !c.arbiters.is_empty() {
            return Err(err!(
                OBJECT_NOT_IN_PREREQUISITE_STATE,
                "ON CONFLICT does not support deferrable unique constraints/exclusion constraints as arbiters"
            ));
        }
        let Some(values) = index::values(cx, ip, row)? else { continue };
        let key = &values[..ip.desc.nkeys.min(values.len())];
        let handle = index::open_of(&open, ip)?;
        if let Some(rival) = handle.am.find_conflict(cx.env.txn, &handle.index, key, None, Wait::Block)? {
            return Ok(Some(rival.0));
        }
    }
    Ok(None)
}

/// A partition's index stands for its parent's.
fn is_arbiter(cx: &ExecCx<'_>, c: &ConflictProgram, index: Oid, target: &Target, nominal: &Target) -> bool {
    if c.arbiters.contains(&index) {
        return true;
    }
    if target.rel().oid == nominal.rel().oid {
        return false;
    }
    let catalog = cx.env.host.catalog();
    let mut at = index;
    while let Some(parent) = catalog.parents_of(at).next() {
        at = parent.inhparent;
        if c.arbiters.contains(&at) {
            return true;
        }
    }
    false
}

impl Writer<'_> {
    /// DO UPDATE on the conflicting row.
    #[allow(clippy::too_many_arguments)]
    pub fn conflict_update(
        &mut self,
        cx: &mut ExecCx<'_>,
        c: &ConflictProgram,
        i: usize,
        target: &Arc<Target>,
        rival: u64,
        proposed: Row,
        source: Row,
    ) -> PgResult<Option<Outcome>> {
        let open = target.storage()?.clone();
        let lock = match lock_strength(&target.program, &c.columns) {
            RowLock::Update => RowLock::Update,
            _ => RowLock::NoKeyUpdate,
        };
        let newest = ReadView::newest(cx.env.txn);
        match open.am.lock(cx.env.txn, &newest, &open.table, RowId(rival), lock, Wait::Block)? {
            RowStatus::Ok | RowStatus::Updated => {}
            RowStatus::SelfModified => {
                return Err(err!(
                    CARDINALITY_VIOLATION,
                    "ON CONFLICT DO UPDATE command cannot affect row a second time"
                )
                .hint("Ensure that no rows proposed for insertion within the same command have duplicate constrained values."));
            }
            // Gone meanwhile: try the insertion again.
            RowStatus::Deleted | RowStatus::WouldBlock => {
                let row = route::convert(target.rel(), &self.prog.targets[i].rel.rel, proposed);
                return self.insert(cx, i, row, source);
            }
        }
        let newest = ReadView::newest(cx.env.txn);
        let Some(old) = fetch(cx, target, &newest, rival)? else { return Ok(None) };
        // Expressions see both rows in the shape of the statement's table.
        let planned = self.prog.targets[i].rel.rel.clone();
        let width = planned.columns.len();
        let shaped = super::write::Version {
            values: route::convert(target.rel(), &planned, old.values.clone()),
            ..old.clone()
        };
        let existing = shaped.slots(width);
        let excluded = route::convert(target.rel(), &planned, proposed);
        let rows = Rows { s: [&source, &excluded, &existing, &[]] };
        if let Some(w) = &c.where_
            && w.test(&rows, cx)? != Some(true)
        {
            return Ok(None);
        }
        let tp = &self.prog.targets[i];
        if !tp.checks.is_empty() {
            let rows = Rows { s: [&source, &excluded, &[], &shaped.values] };
            super::check::options(cx, &tp.checks, &tp.rel, &rows, &shaped.values, CheckWhen::Conflict)?;
        }
        let rows = Rows { s: [&source, &excluded, &existing, &[]] };
        let mut new = shaped.values.clone();
        for (col, code) in &c.set {
            new[*col] = code.eval(&rows, cx)?;
        }
        let new = route::convert(&planned, target.rel(), new);
        self.update(cx, i, target, rival, old, new, source, &c.columns)
    }
}
