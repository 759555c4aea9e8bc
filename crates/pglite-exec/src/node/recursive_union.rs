//! Recursive Union: the first term, then the second over the working table until it yields nothing new.

use std::collections::HashMap;
use std::sync::Arc;

use pglite_error::PgResult;
use pglite_ir::plan::{GroupKey, Plan};
use pglite_types::Batch;
use smallvec::SmallVec;

use super::{BoxNode, Builder, Built, Input, MakeNode, Node};
use crate::compare::{GroupCol, hash_row, same_group};
use crate::state::ExecCx;
use crate::store::{StoredRow, WorkTable, row_bytes};

struct Prog {
    first: Built,
    second: Built,
    param: usize,
    distinct: Box<[GroupCol]>,
}

pub fn build(b: &mut Builder<'_>, plan: &Plan, param: u32, distinct: &[GroupKey]) -> PgResult<Built> {
    let first = b.left(plan)?;
    let second = b.right(plan)?;
    let distinct = match &plan.left {
        Some(left) => b.group_cols(distinct, left)?,
        None => Box::default(),
    };
    let width = first.width;
    let volatile = first.volatile | second.volatile;
    Ok(Built { prog: Arc::new(Prog { first, second, param: param as usize, distinct }), width, volatile })
}

impl MakeNode for Prog {
    fn make(self: Arc<Self>) -> BoxNode {
        let (first, second) = (Input::new(&self.first), Input::new(&self.second));
        Box::new(RecursiveUnion {
            prog: self,
            first,
            second,
            second_open: false,
            recursing: false,
            pending: Vec::new(),
            seen: HashMap::new(),
            all: Vec::new(),
        })
    }
}

struct RecursiveUnion {
    prog: Arc<Prog>,
    first: Input,
    second: Input,
    second_open: bool,
    recursing: bool,
    /// The next round's working table.
    pending: Vec<StoredRow>,
    seen: HashMap<u64, SmallVec<[u32; 1]>>,
    all: Vec<StoredRow>,
}

impl RecursiveUnion {
    /// Whether the row is new (UNION); always with UNION ALL.
    fn is_new(&mut self, cx: &mut ExecCx<'_>, row: &StoredRow) -> PgResult<bool> {
        if self.prog.distinct.is_empty() {
            return Ok(true);
        }
        let h = hash_row(&self.prog.distinct, row);
        if let Some(chain) = self.seen.get(&h) {
            for i in chain {
                if same_group(&self.prog.distinct, cx, &self.all[*i as usize], row)? {
                    return Ok(false);
                }
            }
        }
        self.seen.entry(h).or_default().push(self.all.len() as u32);
        cx.run.charge(row_bytes(row) + 32)?;
        self.all.push(row.clone());
        Ok(true)
    }

    fn next_round(&mut self, cx: &mut ExecCx<'_>) -> PgResult<bool> {
        if self.pending.is_empty() {
            return Ok(false);
        }
        let rows = std::mem::take(&mut self.pending);
        cx.run.stamp += 1;
        let stamp = cx.run.stamp;
        if let Some(slot) = cx.run.exec.get_mut(self.prog.param) {
            slot.stamp = stamp;
        }
        cx.run.work_tables[self.prog.param] = Some(Box::new(WorkTable { rows }));
        if self.second_open {
            self.second.rescan(cx)?;
        } else {
            self.second_open = true;
            self.second.open(cx)?;
        }
        Ok(true)
    }
}

impl Node for RecursiveUnion {
    fn open(&mut self, cx: &mut ExecCx<'_>) -> PgResult<()> {
        self.first.open(cx)
    }
    fn rescan(&mut self, cx: &mut ExecCx<'_>) -> PgResult<()> {
        self.recursing = false;
        self.pending.clear();
        self.seen.clear();
        cx.run.release(self.all.iter().map(|r| row_bytes(r) + 32).sum());
        self.all.clear();
        self.first.rescan(cx)
    }
    fn next_batch(&mut self, cx: &mut ExecCx<'_>, out: &mut Batch, max: usize) -> PgResult<bool> {
        out.reset(self.prog.first.width);
        while out.len() < max {
            let want = max - out.len();
            if self.recursing && !self.second_open {
                break;
            }
            let input = if self.recursing { &mut self.second } else { &mut self.first };
            if !input.next(cx, want)? {
                self.recursing = true;
                if !self.next_round(cx)? {
                    break;
                }
                continue;
            }
            let row = input.take();
            if self.is_new(cx, &row)? {
                out.push_slice(&row);
                self.pending.push(row);
            }
        }
        Ok(!out.is_empty())
    }
}
