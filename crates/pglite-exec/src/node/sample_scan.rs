//! Sample Scan: TABLESAMPLE BERNOULLI (rows) and SYSTEM (blocks). A row's fate depends on its position and the seed
//! only, so that REPEATABLE repeats.

use std::sync::Arc;

use pglite_catalog::RelDesc;
use pglite_error::{PgError, PgResult, bail};
use pglite_ir::expr::sysattr;
use pglite_ir::plan::Plan;
use pglite_ir::query::TableSample;
use pglite_txn::am::{Direction, RowMeta, TableScan};
use pglite_types::{BATCH_ROWS, Batch, Datum};

use super::scan::{self, ScanColumns};
use super::{BoxNode, Builder, Built, Head, MakeNode, Node};
use crate::compare::mix;
use crate::env::OpenRel;
use crate::expr::{Code, Rows};
use crate::facts;
use crate::state::ExecCx;

struct Prog {
    rel: Arc<RelDesc>,
    columns: ScanColumns,
    head: Head,
    by_block: bool,
    percent: Code,
    repeatable: Option<Code>,
}

pub fn build(
    b: &mut Builder<'_>,
    plan: &Plan,
    rte: u32,
    rel: &Arc<RelDesc>,
    sample: &TableSample,
) -> PgResult<Built> {
    let name = facts::proc_facts(b.env.host.catalog(), sample.method)?.name;
    let by_block = match &*name {
        "bernoulli" => false,
        "system" => true,
        other => return Err(PgError::unsupported(format!("tablesample method {other} is not supported"))),
    };
    let Some(percent) = sample.args.first() else {
        return Err(PgError::internal("TABLESAMPLE without an argument"));
    };
    let percent = b.code(percent)?;
    let repeatable = sample.repeatable.as_ref().map(|e| b.code(e)).transpose()?;
    let mut layout = scan::layout(rte, rel);
    let (head, volatile) = b.head(plan, &mut layout)?;
    layout.column(sysattr::CTID);
    let width = head.width();
    let columns = ScanColumns::new(layout);
    let prog = Prog { rel: rel.clone(), columns, head, by_block, percent, repeatable };
    Ok(Built { prog: Arc::new(prog), width, volatile })
}

impl MakeNode for Prog {
    fn make(self: Arc<Self>) -> BoxNode {
        Box::new(SampleScan {
            prog: self,
            scan: None,
            open: None,
            cutoff: 0,
            seed: 0,
            batch: Batch::default(),
            meta: RowMeta::default(),
            at: 0,
            scratch: Vec::new(),
            done: false,
        })
    }
}

struct SampleScan {
    prog: Arc<Prog>,
    scan: Option<Box<dyn TableScan>>,
    open: Option<Arc<OpenRel>>,
    /// Keep a row when its 32-bit hash is below.
    cutoff: u64,
    seed: u64,
    batch: Batch,
    meta: RowMeta,
    at: usize,
    scratch: Vec<Datum>,
    done: bool,
}

impl SampleScan {
    fn start(&mut self, cx: &mut ExecCx<'_>) -> PgResult<()> {
        let percent = match self.prog.percent.eval(&Rows::default(), cx)? {
            Datum::Float4(v) => v as f64,
            Datum::Null => bail!(INVALID_TABLESAMPLE_ARGUMENT, "TABLESAMPLE parameter cannot be null"),
            other => return Err(PgError::internal(format!("sample percentage {other:?}"))),
        };
        if !(0.0..=100.0).contains(&percent) {
            bail!(INVALID_TABLESAMPLE_ARGUMENT, "sample percentage must be between 0 and 100");
        }
        self.cutoff = ((u32::MAX as f64 + 1.0) * percent / 100.0).round() as u64;
        self.seed = match &self.prog.repeatable {
            None => cx.env.host.random(),
            Some(code) => match code.eval(&Rows::default(), cx)? {
                Datum::Float8(v) => crate::compare::hash_datum(&Datum::Float8(v)),
                _ => bail!(INVALID_TABLESAMPLE_REPEAT, "TABLESAMPLE REPEATABLE parameter cannot be null"),
            },
        };
        let open = cx.env.hooks.open_relation(&self.prog.rel)?;
        let fetch = &self.prog.columns.fetch;
        self.scan = Some(open.am.scan(cx.env.txn, cx.env.view, &open.table, fetch, Direction::Forward)?);
        self.open = Some(open);
        self.batch.clear();
        self.at = 0;
        self.done = false;
        Ok(())
    }
    fn keeps(&self, position: u64) -> bool {
        let unit = if self.prog.by_block { pglite_txn::position_to_tid(position).0 as u64 } else { position };
        (mix(unit ^ self.seed) & u32::MAX as u64) < self.cutoff
    }
}

impl Node for SampleScan {
    fn open(&mut self, cx: &mut ExecCx<'_>) -> PgResult<()> {
        self.start(cx)
    }
    fn rescan(&mut self, cx: &mut ExecCx<'_>) -> PgResult<()> {
        self.start(cx)
    }
    fn next_batch(&mut self, cx: &mut ExecCx<'_>, out: &mut Batch, max: usize) -> PgResult<bool> {
        let prog = self.prog.clone();
        out.reset(prog.head.width());
        loop {
            while self.at < self.batch.len() && out.len() < max {
                let i = self.at;
                self.at += 1;
                if self.keeps(self.meta.positions.get(i).copied().unwrap_or(0)) {
                    prog.columns.fill(&mut self.batch, i, &self.meta, &mut self.scratch);
                    prog.head.emit(&Rows::outer(&self.scratch), cx, out)?;
                }
            }
            if out.len() >= max || self.done {
                return Ok(!out.is_empty());
            }
            cx.check_interrupts()?;
            self.at = 0;
            scan::clear(&mut self.batch, &mut self.meta, prog.columns.fetch.len());
            let Some(scan) = &mut self.scan else {
                self.done = true;
                continue;
            };
            if !scan.next_batch(cx.env.txn, &mut self.batch, &mut self.meta, BATCH_ROWS)? {
                self.scan = None;
            }
        }
    }
}
