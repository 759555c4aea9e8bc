//! LockRows: SELECT ... FOR UPDATE/SHARE. Rows that others changed are re-checked on their newest version.

use std::sync::Arc;

use pglite_catalog::RelDesc;
use pglite_error::PgResult;
use pglite_ir::plan::{Plan, PlanRowMark};
use pglite_ir::query::{LockStrength, WaitPolicy};
use pglite_txn::am::{RowId, RowLock, RowStatus, Wait};
use pglite_types::{Batch, Datum, Oid};

use super::{BoxNode, Builder, Built, Input, MakeNode, Node};
use crate::state::ExecCx;

struct Mark {
    rte: u32,
    rel: Option<Arc<RelDesc>>,
    lock: RowLock,
    wait: Wait,
    rowid: usize,
    tableoid: Option<usize>,
}

struct Prog {
    child: Built,
    marks: Vec<Mark>,
}

pub fn build(b: &mut Builder<'_>, plan: &Plan, marks: &[PlanRowMark]) -> PgResult<Built> {
    let child = b.left(plan)?;
    let marks = marks
        .iter()
        .filter(|m| !m.reference_only && m.rowid_column > 0)
        .map(|m| Mark {
            rte: m.rte,
            rel: m.rel.clone(),
            lock: match m.strength {
                LockStrength::KeyShare => RowLock::KeyShare,
                LockStrength::Share => RowLock::Share,
                LockStrength::NoKeyUpdate => RowLock::NoKeyUpdate,
                LockStrength::Update => RowLock::Update,
            },
            wait: match m.wait {
                WaitPolicy::Block => Wait::Block,
                WaitPolicy::Skip => Wait::Skip,
                WaitPolicy::Error => Wait::Error,
            },
            rowid: m.rowid_column as usize - 1,
            tableoid: usize::try_from(m.tableoid_column).ok().filter(|c| *c > 0).map(|c| c - 1),
        })
        .collect();
    let width = child.width;
    // Locks are a side effect: never read further than asked.
    Ok(Built { prog: Arc::new(Prog { child, marks }), width, volatile: true })
}

impl MakeNode for Prog {
    fn make(self: Arc<Self>) -> BoxNode {
        let input = Input::new(&self.child);
        Box::new(LockRows { prog: self, input })
    }
}

struct LockRows {
    prog: Arc<Prog>,
    input: Input,
}

impl LockRows {
    /// Locks the row's relations; None drops the row.
    fn lock(&self, cx: &mut ExecCx<'_>, mut row: Vec<Datum>) -> PgResult<Option<Vec<Datum>>> {
        for m in &self.prog.marks {
            let Some(Datum::Int8(id)) = row.get(m.rowid) else { continue };
            let id = *id as u64;
            let by_oid = match m.tableoid.and_then(|c| row.get(c)) {
                Some(Datum::Oid(oid)) => cx.env.host.catalog().rel(*oid),
                _ => None,
            };
            let Some(rel) = by_oid.or_else(|| m.rel.clone()) else { continue };
            let open = cx.env.hooks.open_relation(&rel)?;
            match open.am.lock(cx.env.txn, cx.env.view, &open.table, RowId(id), m.lock, m.wait)? {
                RowStatus::Ok => {}
                RowStatus::Deleted | RowStatus::WouldBlock | RowStatus::SelfModified => return Ok(None),
                RowStatus::Updated => {
                    let table: Oid = rel.oid;
                    match crate::modify::recheck(cx, &self.prog.child.prog, m.rte, table, id)? {
                        Some(newest) => row = newest,
                        None => return Ok(None),
                    }
                }
            }
        }
        Ok(Some(row))
    }
}

impl Node for LockRows {
    fn open(&mut self, cx: &mut ExecCx<'_>) -> PgResult<()> {
        self.input.open(cx)
    }
    fn rescan(&mut self, cx: &mut ExecCx<'_>) -> PgResult<()> {
        self.input.rescan(cx)
    }
    fn next_batch(&mut self, cx: &mut ExecCx<'_>, out: &mut Batch, max: usize) -> PgResult<bool> {
        out.reset(self.prog.child.width);
        while out.len() < max {
            if !self.input.next(cx, max - out.len())? {
                break;
            }
            let row = self.input.take().into_vec();
            // A re-check itself must not lock again.
            let kept = if cx.run.recheck.is_some() { Some(row) } else { self.lock(cx, row)? };
            if let Some(row) = kept {
                out.push_row(row);
            }
        }
        Ok(!out.is_empty())
    }
}
