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
    /// Rows dropped by a join's own condition.
    pub join_filtered: u64,
    /// Rows of an index dropped by a re-check of its condition.
    pub rechecked: u64,
    /// Key ranges looked up in an index.
    pub searches: u64,
    pub detail: Detail,
}

/// What a kind of node has to tell.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Detail {
    #[default]
    None,
    Sort {
        method: &'static str,
        bytes: usize,
        disk: bool,
    },
    /// A hash join's table.
    Hash {
        planned: usize,
        buckets: usize,
        bytes: usize,
    },
    /// Hashed groups.
    Groups {
        bytes: usize,
    },
    /// Hits, misses, evictions, bytes.
    Cache(CacheStats),
    /// Rows kept for other readers or for a second look.
    Store {
        bytes: usize,
    },
}

/// Hits, misses, evictions, bytes of a Memoize node.
pub type CacheStats = (u64, u64, u64, usize);

impl NodeStats {
    /// The node's cache counters.
    pub fn cache(&mut self) -> &mut CacheStats {
        if !matches!(self.detail, Detail::Cache(_)) {
            self.detail = Detail::Cache((0, 0, 0, 0));
        }
        match &mut self.detail {
            Detail::Cache(c) => c,
            _ => unreachable!("set above"),
        }
    }
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
        let above = std::mem::replace(&mut cx.run.node, self.id);
        let result = f(&mut self.inner, cx);
        cx.run.node = above;
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
