//! Seq Scan: a table in storage order. Fetches only the columns that the filter and the targets name.

use std::sync::Arc;

use pglite_catalog::RelDesc;
use pglite_error::PgResult;
use pglite_ir::plan::Plan;
use pglite_txn::am::{Direction, RowMeta, TableScan};
use pglite_types::{BATCH_ROWS, Batch, Datum};

use super::scan::{self, ScanColumns};
use super::{BoxNode, Builder, Built, Head, MakeNode, Node};
use crate::env::OpenRel;
use crate::expr::Rows;
use crate::state::ExecCx;

struct Prog {
    rel: Arc<RelDesc>,
    rte: u32,
    columns: ScanColumns,
    head: Head,
    /// No filter, all fetched columns in order, no system columns: batches pass untouched.
    direct: bool,
}

pub fn build(b: &mut Builder<'_>, plan: &Plan, rte: u32, rel: &Arc<RelDesc>) -> PgResult<Built> {
    let mut layout = scan::layout(rte, rel);
    let (head, volatile) = b.head(plan, &mut layout)?;
    let columns = ScanColumns::new(layout);
    let direct = head.qual.is_empty() && !columns.has_system && head.project.is_identity(columns.cols.len());
    let width = head.width();
    Ok(Built { prog: Arc::new(Prog { rel: rel.clone(), rte, columns, head, direct }), width, volatile })
}

impl MakeNode for Prog {
    fn make(self: Arc<Self>) -> BoxNode {
        Box::new(SeqScan {
            prog: self,
            open: None,
            scan: None,
            batch: Batch::default(),
            meta: RowMeta::default(),
            at: 0,
            done: false,
            scratch: Vec::new(),
        })
    }
}

struct SeqScan {
    prog: Arc<Prog>,
    open: Option<Arc<OpenRel>>,
    scan: Option<Box<dyn TableScan>>,
    batch: Batch,
    meta: RowMeta,
    at: usize,
    done: bool,
    scratch: Vec<Datum>,
}

impl SeqScan {
    fn start(&mut self, cx: &mut ExecCx<'_>) -> PgResult<()> {
        self.scan = None;
        self.at = 0;
        self.done = false;
        scan::clear(&mut self.batch, &mut self.meta, self.prog.columns.fetch.len());
        // A catalog's rows belong to the statement's snapshot: opened anew each time.
        if self.open.is_none() || self.prog.rel.is_catalog {
            self.open = Some(cx.env.hooks.open_relation(&self.prog.rel)?);
        }
        let Some(open) = &self.open else { return Ok(()) };
        if let Some(r) = &cx.run.recheck
            && r.rte == self.prog.rte
        {
            if r.table == self.prog.rel.oid {
                let row = r.row;
                scan::fetch_newest(cx, open, &self.prog.columns.fetch, row, &mut self.batch, &mut self.meta)?;
            }
            self.done = true;
            return Ok(());
        }
        self.scan = Some(open.am.scan(
            cx.env.txn,
            cx.env.view,
            &open.table,
            &self.prog.columns.fetch,
            Direction::Forward,
        )?);
        Ok(())
    }

    /// Fills the scan's own batch; false at the end.
    fn refill(&mut self, cx: &mut ExecCx<'_>, max: usize) -> PgResult<bool> {
        if self.done {
            return Ok(false);
        }
        cx.check_interrupts()?;
        self.at = 0;
        scan::clear(&mut self.batch, &mut self.meta, self.prog.columns.fetch.len());
        let Some(scan) = &mut self.scan else { return Ok(false) };
        self.done = !scan.next_batch(cx.env.txn, &mut self.batch, &mut self.meta, max)?;
        Ok(!self.batch.is_empty() || !self.done)
    }
}

impl Node for SeqScan {
    fn open(&mut self, cx: &mut ExecCx<'_>) -> PgResult<()> {
        self.start(cx)
    }
    fn rescan(&mut self, cx: &mut ExecCx<'_>) -> PgResult<()> {
        self.start(cx)
    }
    fn next_batch(&mut self, cx: &mut ExecCx<'_>, out: &mut Batch, max: usize) -> PgResult<bool> {
        let prog = self.prog.clone();
        out.reset(prog.head.width());
        if prog.direct && self.at >= self.batch.len() {
            while self.refill(cx, max)? {
                if !self.batch.is_empty() {
                    std::mem::swap(out, &mut self.batch);
                    self.batch.clear();
                    return Ok(true);
                }
            }
            return Ok(false);
        }
        loop {
            while self.at < self.batch.len() && out.len() < max {
                let i = self.at;
                self.at += 1;
                if prog.columns.has_system {
                    prog.columns.fill(&mut self.batch, i, &self.meta, &mut self.scratch);
                    prog.head.emit(&Rows::outer(&self.scratch), cx, out)?;
                } else {
                    prog.head.emit(&Rows::outer(self.batch.row(i)), cx, out)?;
                }
            }
            if out.len() >= max {
                return Ok(true);
            }
            let want = if prog.head.qual.is_empty() { max - out.len() } else { BATCH_ROWS.min(max.max(64)) };
            if !self.refill(cx, want)? {
                return Ok(!out.is_empty());
            }
        }
    }
}
