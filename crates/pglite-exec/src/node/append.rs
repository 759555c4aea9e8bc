//! Append: children one after the other. Merge Append: sorted children merged.

use std::cmp::Ordering;
use std::sync::Arc;

use pglite_error::PgResult;
use pglite_ir::plan::{Plan, SortKey};
use pglite_types::Batch;

use super::{BoxNode, Builder, Built, Head, Input, MakeNode, Node};
use crate::compare::{SortCol, cmp_rows};
use crate::expr::{Layout, Rows};
use crate::state::ExecCx;

struct Prog {
    children: Vec<Built>,
    width: usize,
    keys: Option<Box<[SortCol]>>,
    /// A filter or projection of the node's own; rarely there.
    head: Option<Head>,
}

fn parts(b: &mut Builder<'_>, plan: &Plan, children: &[Plan]) -> PgResult<(Vec<Built>, Option<Head>, bool)> {
    let built = children.iter().map(|c| b.build(c)).collect::<PgResult<Vec<_>>>()?;
    let volatile = built.iter().any(|c| c.volatile);
    let head = if plan.qual.is_empty() { None } else { Some(b.head(plan, &mut Layout)?.0) };
    Ok((built, head, volatile))
}

pub fn build(b: &mut Builder<'_>, plan: &Plan, children: &[Plan]) -> PgResult<Built> {
    let (children, head, volatile) = parts(b, plan, children)?;
    let width = plan.targets.len();
    Ok(Built { prog: Arc::new(Prog { children, width, keys: None, head }), width, volatile })
}

pub fn build_merge(b: &mut Builder<'_>, plan: &Plan, children: &[Plan], keys: &[SortKey]) -> PgResult<Built> {
    let cols = match children.first() {
        Some(first) => b.sort_cols(keys, first)?,
        None => Box::default(),
    };
    let (children, head, volatile) = parts(b, plan, children)?;
    let width = plan.targets.len();
    Ok(Built { prog: Arc::new(Prog { children, width, keys: Some(cols), head }), width, volatile })
}

impl MakeNode for Prog {
    fn make(self: Arc<Self>) -> BoxNode {
        let inputs = self.children.iter().map(Input::new).collect();
        let live = Vec::new();
        if self.keys.is_some() {
            Box::new(MergeAppend { prog: self, inputs, live, started: false })
        } else {
            Box::new(Append { prog: self, inputs, at: 0, opened: 0 })
        }
    }
}

struct Append {
    prog: Arc<Prog>,
    inputs: Vec<Input>,
    at: usize,
    /// Children opened so far.
    opened: usize,
}

impl Node for Append {
    fn open(&mut self, _cx: &mut ExecCx<'_>) -> PgResult<()> {
        self.at = 0;
        Ok(())
    }
    fn rescan(&mut self, cx: &mut ExecCx<'_>) -> PgResult<()> {
        self.at = 0;
        for input in self.inputs.iter_mut().take(self.opened) {
            input.rescan(cx)?;
        }
        Ok(())
    }
    fn bound(&mut self, rows: u64) {
        if self.prog.head.is_none() {
            self.inputs.iter_mut().for_each(|i| i.node.bound(rows));
        }
    }
    fn next_batch(&mut self, cx: &mut ExecCx<'_>, out: &mut Batch, max: usize) -> PgResult<bool> {
        out.reset(self.prog.width);
        while self.at < self.inputs.len() {
            let input = &mut self.inputs[self.at];
            if self.opened <= self.at {
                self.opened = self.at + 1;
                input.open(cx)?;
            }
            match &self.prog.head {
                None => {
                    if input.node.next_batch(cx, out, max)? {
                        return Ok(true);
                    }
                }
                Some(head) => {
                    while out.len() < max && input.next(cx, max - out.len())? {
                        head.emit(&Rows::outer(input.row()), cx, out)?;
                    }
                    if !out.is_empty() {
                        return Ok(true);
                    }
                }
            }
            self.at += 1;
        }
        out.reset(self.prog.width);
        Ok(false)
    }
}

struct MergeAppend {
    prog: Arc<Prog>,
    inputs: Vec<Input>,
    /// Children with a current row, the next one to emit last.
    live: Vec<usize>,
    started: bool,
}

impl MergeAppend {
    fn place(&mut self, cx: &mut ExecCx<'_>, i: usize) -> PgResult<()> {
        let prog = self.prog.clone();
        let keys = prog.keys.as_deref().unwrap_or_default();
        let mut at = self.live.len();
        while at > 0 {
            let other = self.live[at - 1];
            let o = cmp_rows(keys, cx, self.inputs[i].row(), self.inputs[other].row())?;
            // Equal keys: the earlier child goes first.
            if o == Ordering::Less || (o == Ordering::Equal && i < other) {
                break;
            }
            at -= 1;
        }
        self.live.insert(at, i);
        Ok(())
    }
}

impl Node for MergeAppend {
    fn open(&mut self, cx: &mut ExecCx<'_>) -> PgResult<()> {
        self.started = false;
        self.inputs.iter_mut().try_for_each(|i| i.open(cx))
    }
    fn rescan(&mut self, cx: &mut ExecCx<'_>) -> PgResult<()> {
        self.started = false;
        self.live.clear();
        self.inputs.iter_mut().try_for_each(|i| i.rescan(cx))
    }
    fn bound(&mut self, rows: u64) {
        self.inputs.iter_mut().for_each(|i| i.node.bound(rows));
    }
    fn next_batch(&mut self, cx: &mut ExecCx<'_>, out: &mut Batch, max: usize) -> PgResult<bool> {
        out.reset(self.prog.width);
        if !self.started {
            self.started = true;
            for i in 0..self.inputs.len() {
                if self.inputs[i].next(cx, max)? {
                    self.place(cx, i)?;
                }
            }
        }
        while out.len() < max {
            let Some(i) = self.live.pop() else { break };
            match &self.prog.head {
                None => out.push_slice(self.inputs[i].row()),
                Some(head) => {
                    head.emit(&Rows::outer(self.inputs[i].row()), cx, out)?;
                }
            }
            if self.inputs[i].next(cx, max)? {
                self.place(cx, i)?;
            }
        }
        Ok(!out.is_empty())
    }
}
