//! SetOp: INTERSECT and EXCEPT. The left side's groups are counted, the right side's matched against them.
//!
//! Groups come out in the left side's order, which is the sorted order when the inputs are sorted.

use std::collections::HashMap;
use std::sync::Arc;

use pglite_error::PgResult;
use pglite_ir::plan::{GroupKey, Plan, SetOpStrategy, SortKey};
use pglite_ir::query::SetOpKind;
use pglite_types::Batch;
use smallvec::SmallVec;

use super::{BoxNode, Builder, Built, Input, MakeNode, Node};
use crate::compare::{GroupCol, hash_row, same_group};
use crate::state::ExecCx;
use crate::store::{StoredRow, row_bytes};

struct Prog {
    left: Built,
    right: Built,
    kind: SetOpKind,
    all: bool,
    keys: Box<[GroupCol]>,
}

pub fn build(
    b: &mut Builder<'_>,
    plan: &Plan,
    kind: SetOpKind,
    all: bool,
    _strategy: SetOpStrategy,
    keys: &[SortKey],
) -> PgResult<Built> {
    let left = b.left(plan)?;
    let right = b.right(plan)?;
    let keys: Vec<GroupKey> =
        keys.iter().map(|k| GroupKey { column: k.column, eq_op: k.eq_op, collation: k.collation }).collect();
    let keys = match &plan.left {
        Some(l) => b.group_cols(&keys, l)?,
        None => Box::default(),
    };
    let width = left.width;
    let volatile = left.volatile | right.volatile;
    Ok(Built { prog: Arc::new(Prog { left, right, kind, all, keys }), width, volatile })
}

impl MakeNode for Prog {
    fn make(self: Arc<Self>) -> BoxNode {
        let (left, right) = (Input::new(&self.left), Input::new(&self.right));
        Box::new(SetOp { prog: self, left, right, groups: Vec::new(), at: 0, built: false })
    }
}

struct Group {
    row: StoredRow,
    left: u64,
    right: u64,
}

struct SetOp {
    prog: Arc<Prog>,
    left: Input,
    right: Input,
    groups: Vec<Group>,
    at: usize,
    built: bool,
}

type Table = HashMap<u64, SmallVec<[u32; 1]>>;

impl SetOp {
    fn find(
        &self,
        table: &Table,
        cx: &mut ExecCx<'_>,
        row: &[pglite_types::Datum],
        hash: u64,
    ) -> PgResult<Option<usize>> {
        for i in table.get(&hash).into_iter().flatten() {
            if same_group(&self.prog.keys, cx, &self.groups[*i as usize].row, row)? {
                return Ok(Some(*i as usize));
            }
        }
        Ok(None)
    }

    fn build(&mut self, cx: &mut ExecCx<'_>) -> PgResult<()> {
        let mut table = Table::new();
        while self.left.next(cx, usize::MAX)? {
            let hash = hash_row(&self.prog.keys, self.left.row());
            match self.find(&table, cx, self.left.row(), hash)? {
                Some(i) => self.groups[i].left += 1,
                None => {
                    let row = self.left.take();
                    cx.run.charge(row_bytes(&row) + 48)?;
                    table.entry(hash).or_default().push(self.groups.len() as u32);
                    self.groups.push(Group { row, left: 1, right: 0 });
                }
            }
        }
        while self.right.next(cx, usize::MAX)? {
            let hash = hash_row(&self.prog.keys, self.right.row());
            if let Some(i) = self.find(&table, cx, self.right.row(), hash)? {
                self.groups[i].right += 1;
            }
        }
        for g in &mut self.groups {
            g.left = match (self.prog.kind, self.prog.all) {
                (SetOpKind::Intersect, true) => g.left.min(g.right),
                (SetOpKind::Intersect, false) => u64::from(g.right > 0),
                (_, true) => g.left.saturating_sub(g.right),
                (_, false) => u64::from(g.right == 0),
            };
        }
        self.built = true;
        Ok(())
    }
}

impl Node for SetOp {
    fn open(&mut self, cx: &mut ExecCx<'_>) -> PgResult<()> {
        self.left.open(cx)?;
        self.right.open(cx)
    }
    fn rescan(&mut self, cx: &mut ExecCx<'_>) -> PgResult<()> {
        cx.run.release(self.groups.iter().map(|g| row_bytes(&g.row) + 48).sum());
        self.groups.clear();
        self.at = 0;
        self.built = false;
        self.left.rescan(cx)?;
        self.right.rescan(cx)
    }
    fn next_batch(&mut self, cx: &mut ExecCx<'_>, out: &mut Batch, max: usize) -> PgResult<bool> {
        out.reset(self.prog.left.width);
        if !self.built {
            self.build(cx)?;
        }
        while out.len() < max && self.at < self.groups.len() {
            let g = &mut self.groups[self.at];
            if g.left == 0 {
                self.at += 1;
                continue;
            }
            g.left -= 1;
            out.push_slice(&g.row);
        }
        Ok(!out.is_empty())
    }
}
