//! EXPLAIN ANALYZE: rows, loops and time per node.
//!
//! A node is wrapped only when the run asks for it, so that a plain run pays nothing.

use pglite_error::PgResult;
use pglite_types::Batch;

use crate::node::{BoxNode, Node};
use crate::state::ExecCx;

/// What a node did, over all its loops.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct NodeStats {
    pub rows: u64,
    pub loops: u64,
    /// Until the first row of each loop, summed.
    pub startup_nanos: u64,
    pub total_nanos: u64,
    /// Rows dropped by the node's filter.
    pub filtered: u64,
}

pub struct Instrumented {
    pub inner: BoxNode,
    pub id: usize,
    pub first: bool,
}

impl Instrumented {
    fn timed<R>(
        &mut self,
        cx: &mut ExecCx<'_>,
        f: impl FnOnce(&mut BoxNode, &mut ExecCx<'_>) -> PgResult<R>,
    ) -> PgResult<R> {
        let from = cx.env.hooks.nanos();
        let result = f(&mut self.inner, cx);
        let spent = cx.env.hooks.nanos().saturating_sub(from);
        if let Some(stats) = cx.run.stats.get_mut(self.id) {
            stats.total_nanos += spent;
            if self.first {
                stats.startup_nanos += spent;
            }
        }
        result
    }
}

impl Node for Instrumented {
    fn open(&mut self, cx: &mut ExecCx<'_>) -> PgResult<()> {
        self.first = true;
        if let Some(stats) = cx.run.stats.get_mut(self.id) {
            stats.loops += 1;
        }
        self.timed(cx, |node, cx| node.open(cx))
    }
    fn next_batch(&mut self, cx: &mut ExecCx<'_>, out: &mut Batch, max: usize) -> PgResult<bool> {
        let more = self.timed(cx, |node, cx| node.next_batch(cx, out, max))?;
        self.first = false;
        if let Some(stats) = cx.run.stats.get_mut(self.id) {
            stats.rows += out.len() as u64;
        }
        Ok(more)
    }
    fn rescan(&mut self, cx: &mut ExecCx<'_>) -> PgResult<()> {
        self.first = true;
        if let Some(stats) = cx.run.stats.get_mut(self.id) {
            stats.loops += 1;
        }
        self.timed(cx, |node, cx| node.rescan(cx))
    }
    fn bound(&mut self, rows: u64) {
        self.inner.bound(rows);
    }
}
