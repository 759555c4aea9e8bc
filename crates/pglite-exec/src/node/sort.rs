//! Sort: everything in memory, or the best rows in a heap under LIMIT. Ties come out as PostgreSQL's.

use std::sync::Arc;

use pglite_error::PgResult;
use pglite_ir::plan::{Plan, SortKey};
use pglite_types::Batch;

use super::{BoxNode, Builder, Built, Input, MakeNode, Node};
use crate::compare::{SortCol, cmp_rows};
use crate::instrument::Detail;
use crate::state::ExecCx;
use crate::store::{BoundedHeap, StoredRow, quicksort, row_bytes};

struct Prog {
    child: Built,
    keys: Box<[SortCol]>,
    deps: Box<[u32]>,
}

pub fn build(b: &mut Builder<'_>, plan: &Plan, keys: &[SortKey]) -> PgResult<Built> {
    let child = b.left(plan)?;
    let keys = match &plan.left {
        Some(left) => b.sort_cols(keys, left)?,
        None => Box::default(),
    };
    let deps = b.deps(plan);
    let (width, volatile) = (child.width, child.volatile);
    Ok(Built { prog: Arc::new(Prog { child, keys, deps }), width, volatile })
}

impl MakeNode for Prog {
    fn make(self: Arc<Self>) -> BoxNode {
        let input = Input::new(&self.child);
        Box::new(Sort {
            prog: self,
            input,
            rows: Vec::new(),
            at: 0,
            sorted: false,
            bound: None,
            bytes: 0,
            seen: 0,
        })
    }
}

struct Sort {
    prog: Arc<Prog>,
    input: Input,
    rows: Vec<StoredRow>,
    at: usize,
    sorted: bool,
    bound: Option<u64>,
    bytes: usize,
    seen: u64,
}

impl Sort {
    fn run(&mut self, cx: &mut ExecCx<'_>) -> PgResult<()> {
        let prog = self.prog.clone();
        let mut cmp = |cx: &mut ExecCx<'_>, a: &StoredRow, b: &StoredRow| cmp_rows(&prog.keys, cx, a, b);
        let bound = self.bound.and_then(|b| usize::try_from(b).ok()).filter(|b| *b < 1 << 24);
        let mut heap: Option<BoundedHeap<StoredRow>> = None;
        let mut rows: Vec<StoredRow> = Vec::new();
        while self.input.next_chunk(cx)? {
            for i in 0..self.input.chunk().len() {
                if let Some(worst) = heap.as_ref().and_then(BoundedHeap::worst)
                    && cmp_rows(&prog.keys, cx, self.input.chunk().row(i), worst)?.is_ge()
                {
                    continue;
                }
                let row: StoredRow = self.input.chunk().take_row(i).collect();
                match &mut heap {
                    Some(h) => h.push(row, cx, &mut cmp)?,
                    None => {
                        let bytes = row_bytes(&row);
                        self.bytes += bytes;
                        cx.run.charge(bytes)?;
                        rows.push(row);
                        if let Some(bound) = bound
                            && rows.len() > bound * 2
                        {
                            heap = Some(BoundedHeap::build(std::mem::take(&mut rows), bound, cx, &mut cmp)?);
                        }
                    }
                }
            }
        }
        let method = if heap.is_some() { "top-N heapsort" } else { "quicksort" };
        self.rows = match heap {
            Some(heap) => heap.into_sorted(cx, &mut cmp)?,
            None => {
                quicksort(&mut rows, cx, &mut cmp)?;
                rows
            }
        };
        if cx.run.instrument {
            let bytes = self.rows.iter().map(|r| row_bytes(r)).sum();
            cx.run.note(|s| s.detail = Detail::Sort { method, bytes, disk: false });
        }
        self.at = 0;
        self.sorted = true;
        self.seen = cx.run.stamp;
        Ok(())
    }
}

impl Node for Sort {
    fn open(&mut self, cx: &mut ExecCx<'_>) -> PgResult<()> {
        self.sorted = false;
        self.input.open(cx)
    }
    fn rescan(&mut self, cx: &mut ExecCx<'_>) -> PgResult<()> {
        if self.sorted
            && self.bound.is_none()
            && cx.run.recheck.is_none()
            && cx.run.newest(&self.prog.deps) <= self.seen
        {
            self.at = 0;
            return Ok(());
        }
        self.sorted = false;
        self.rows.clear();
        cx.run.release(std::mem::take(&mut self.bytes));
        self.input.rescan(cx)
    }
    fn bound(&mut self, rows: u64) {
        self.bound = Some(rows);
    }
    fn next_batch(&mut self, cx: &mut ExecCx<'_>, out: &mut Batch, max: usize) -> PgResult<bool> {
        out.reset(self.prog.child.width);
        if !self.sorted {
            self.run(cx)?;
        }
        while out.len() < max && self.at < self.rows.len() {
            // Clone: a rescan may hand the rows out again; values past 15 bytes are shared.
            out.push_slice(&self.rows[self.at]);
            self.at += 1;
        }
        Ok(!out.is_empty())
    }
}
