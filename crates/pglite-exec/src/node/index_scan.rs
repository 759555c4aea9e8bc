//! Index Scan and Index Only Scan: key ranges from the index conditions, then rows by id (or values from the entries).
//!
//! Conditions that the ranges do not express exactly are checked again on each row. Index entries have versions as rows
//! have, so an entry that a view sees belongs to a row version that it sees.

use std::collections::VecDeque;
use std::sync::Arc;

use pglite_catalog::{IndexDesc, well_known};
use pglite_error::{PgError, PgResult};
use pglite_ir::expr::{Expr, INDEX_VAR, Var, sysattr};
use pglite_ir::plan::{self, Plan, ScanDirection};
use pglite_txn::am::{self, Direction, KeyRange, RowMeta};
use pglite_types::{Batch, Datum};

use super::scan::{self, ScanColumns};
use super::{BoxNode, Builder, Built, Head, MakeNode, Node};
use crate::compare::fast_eq;
use crate::env::{ExecEnv, OpenIndex, OpenRel};
use crate::expr::{Code, Compiler, Qual, Rows, ScanLayout, VarMap};
use crate::state::ExecCx;

pub(crate) mod range;

use range::Condition;

pub struct Prog {
    rel: Arc<pglite_catalog::RelDesc>,
    rte: u32,
    index: Arc<IndexDesc>,
    conditions: Vec<Condition>,
    /// All index conditions on the row, for re-checks of changed rows.
    originals: Qual,
    /// Conditions that ranges cannot express (lossy ones, columns after a range).
    recheck: Qual,
    backward: bool,
    columns: ScanColumns,
    /// Index-only: the index column of each fetched column.
    from_entry: Option<Box<[u16]>>,
    head: Head,
}

/// Resolves columns of an index-only scan: table columns and INDEX_VAR columns are both columns of the table.
struct IndexLayout {
    inner: ScanLayout,
    index: Arc<IndexDesc>,
}

impl VarMap for IndexLayout {
    fn var(&mut self, var: &Var) -> PgResult<Code> {
        if var.rte == INDEX_VAR && var.attno > 0 {
            let key = self.index.keys.get(var.attno as usize - 1);
            // Expression columns get numbers past the table's.
            let attno = match key {
                Some(k) if k.attnum != 0 => k.attnum,
                _ => EXPRESSION + var.attno,
            };
            return Ok(Code::Slot { slot: 0, col: self.inner.column(attno) });
        }
        if var.rte == INDEX_VAR {
            return Ok(Code::Slot { slot: 0, col: self.inner.column(var.attno) });
        }
        self.inner.var(var)
    }
    fn special(&mut self, expr: &Expr, env: &ExecEnv<'_>) -> PgResult<Option<Code>> {
        self.inner.special(expr, env)
    }
}

/// Attnos from here on stand for expression columns of the index.
const EXPRESSION: i16 = 10_000;

pub fn build(b: &mut Builder<'_>, plan: &Plan, s: &plan::IndexScan, only: bool) -> PgResult<Built> {
    let Some(index) = s.rel.indexes.iter().find(|i| i.oid == s.index).cloned() else {
        return Err(PgError::internal(format!("index {} does not belong to the table", s.index)));
    };
    if !matches!(index.am, well_known::AM_BTREE | well_known::AM_HASH) {
        return Err(PgError::unsupported(format!("scans of index \"{}\" are not supported", index.name)));
    }
    let mut layout = IndexLayout { inner: scan::layout(s.rte, &s.rel), index: index.clone() };
    let (head, volatile) = b.head(plan, &mut layout)?;
    let mut conditions = Vec::new();
    let (mut originals, mut extra) = (Vec::new(), Vec::new());
    let ranged = range::usable(&index, &s.quals);
    for (i, q) in s.quals.iter().enumerate() {
        let (condition, original) = Condition::compile(b, &index, q)?;
        if !ranged.contains(&i) || condition.lossy {
            extra.push(original.clone());
        }
        if ranged.contains(&i) {
            conditions.push(condition);
        }
        originals.push(original);
    }
    extra.extend(s.recheck.iter().cloned());
    let mut c = Compiler::new(b.env, &mut layout);
    let recheck = c.qual(&extra)?;
    // Rows of a re-check see every condition; its columns are fetched for them only.
    let needs_all = !b.stmt.result_relations.is_empty() || has_row_marks(b);
    let originals = if needs_all { c.qual(&originals)? } else { Qual::default() };
    let mut from_entry = None;
    if only {
        from_entry = entry_columns(&layout.inner, &index);
        if from_entry.is_none() && layout.inner.cols.iter().any(|c| *c >= EXPRESSION) {
            return Err(PgError::unsupported(
                "index-only scan of an expression with row columns is not supported",
            ));
        }
    }
    let columns = ScanColumns::new(layout.inner);
    let width = head.width();
    let prog = Prog {
        rel: s.rel.clone(),
        rte: s.rte,
        index,
        conditions,
        originals,
        recheck,
        backward: s.direction == ScanDirection::Backward,
        columns,
        from_entry,
        head,
    };
    Ok(Built { prog: Arc::new(prog), width, volatile })
}

fn has_row_marks(b: &Builder<'_>) -> bool {
    fn any(p: &Plan) -> bool {
        matches!(p.node, plan::PlanNode::LockRows { .. })
            || [&p.left, &p.right].into_iter().flatten().any(|c| any(c))
    }
    any(&b.stmt.plan)
}

/// The entry column of each wanted column; None when the entry does not have them all.
fn entry_columns(layout: &ScanLayout, index: &IndexDesc) -> Option<Box<[u16]>> {
    layout
        .cols
        .iter()
        .filter(|c| **c > 0)
        .map(|c| {
            let at = if *c >= EXPRESSION {
                Some((*c - EXPRESSION) as usize - 1)
            } else {
                index.keys.iter().position(|k| k.attnum == *c)
            };
            at.map(|i| i as u16)
        })
        .collect::<Option<Box<[u16]>>>()
        .filter(|_| !layout.cols.contains(&sysattr::CTID) && !layout.cols.contains(&sysattr::XMIN))
}

impl MakeNode for Prog {
    fn make(self: Arc<Self>) -> BoxNode {
        Box::new(IndexScan {
            prog: self,
            open: None,
            ranges: VecDeque::new(),
            scan: None,
            entries: Batch::default(),
            ids: Vec::new(),
            batch: Batch::default(),
            meta: RowMeta::default(),
            at: 0,
            rechecking: false,
            all_conditions: false,
            scratch: Vec::new(),
        })
    }
}

struct IndexScan {
    prog: Arc<Prog>,
    open: Option<(Arc<OpenRel>, OpenIndex)>,
    ranges: VecDeque<KeyRange>,
    scan: Option<Box<dyn am::IndexScan>>,
    entries: Batch,
    ids: Vec<u64>,
    batch: Batch,
    meta: RowMeta,
    at: usize,
    rechecking: bool,
    /// The rows did not come through the index: check every condition.
    all_conditions: bool,
    scratch: Vec<Datum>,
}

impl IndexScan {
    fn start(&mut self, cx: &mut ExecCx<'_>) -> PgResult<()> {
        let prog = self.prog.clone();
        self.scan = None;
        self.ranges.clear();
        self.at = 0;
        self.rechecking = false;
        self.all_conditions = false;
        scan::clear(&mut self.batch, &mut self.meta, prog.columns.fetch.len());
        // A catalog's rows belong to the statement's snapshot: opened anew each time.
        if self.open.is_none() || prog.rel.is_catalog {
            let rel = cx.env.hooks.open_relation(&prog.rel)?;
            let Some(index) = rel.indexes.iter().find(|i| i.oid == prog.index.oid).cloned() else {
                return Err(PgError::internal(format!("index \"{}\" is not open", prog.index.name)));
            };
            self.open = Some((rel, index));
        }
        let Some((rel, index)) = &self.open else { return Ok(()) };
        if let Some(r) = &cx.run.recheck
            && r.rte == prog.rte
        {
            self.rechecking = true;
            self.all_conditions = true;
            if r.table == prog.rel.oid {
                let row = r.row;
                let rel = rel.clone();
                let columns = table_columns(&prog.columns);
                scan::fetch_newest(cx, &rel, &columns, row, &mut self.batch, &mut self.meta)?;
            }
            return Ok(());
        }
        let index = index.clone();
        range::build(&prog.conditions, &index.index, cx, &mut self.ranges)?;
        if prog.backward {
            self.ranges.make_contiguous().reverse();
        }
        Ok(())
    }

    /// Fills the batch with up to `max` rows; false at the end.
    fn refill(&mut self, cx: &mut ExecCx<'_>, max: usize) -> PgResult<bool> {
        if self.rechecking {
            return Ok(false);
        }
        cx.check_interrupts()?;
        let prog = self.prog.clone();
        let Some((rel, index)) = &self.open else { return Ok(false) };
        let dir = if prog.backward { Direction::Backward } else { Direction::Forward };
        loop {
            if self.scan.is_none() {
                let Some(range) = self.ranges.pop_front() else { return Ok(false) };
                let only = prog.from_entry.is_some();
                cx.run.note(|s| s.searches += 1);
                self.scan = Some(index.am.scan(cx.env.txn, cx.env.view, &index.index, &range, only, dir)?);
            }
            let Some(scan) = &mut self.scan else { return Ok(false) };
            self.entries.reset(if prog.from_entry.is_some() { index.index.width() } else { 0 });
            self.ids.clear();
            if !scan.next_batch(cx.env.txn, &mut self.entries, &mut self.ids, max)? {
                self.scan = None;
            }
            if self.ids.is_empty() {
                continue;
            }
            self.at = 0;
            scan::clear(&mut self.batch, &mut self.meta, prog.columns.fetch.len());
            match &prog.from_entry {
                Some(columns) => {
                    for i in 0..self.ids.len() {
                        let row = self.entries.row_mut(i);
                        self.batch.push_row(columns.iter().map(|c| row[*c as usize].clone()));
                    }
                    self.meta.row_ids.extend_from_slice(&self.ids);
                }
                None => rel.am.fetch(
                    cx.env.txn,
                    cx.env.view,
                    &rel.table,
                    &prog.columns.fetch,
                    &self.ids,
                    &mut self.batch,
                    &mut self.meta,
                )?,
            }
            if !self.batch.is_empty() {
                return Ok(true);
            }
        }
    }
}

/// Columns to fetch from the table itself, even for an index-only scan.
fn table_columns(columns: &ScanColumns) -> am::Columns {
    columns.fetch.iter().map(|c| if *c as i16 >= EXPRESSION - 1 { 0 } else { *c }).collect()
}

impl Node for IndexScan {
    fn open(&mut self, cx: &mut ExecCx<'_>) -> PgResult<()> {
        self.start(cx)
    }
    fn rescan(&mut self, cx: &mut ExecCx<'_>) -> PgResult<()> {
        self.start(cx)
    }
    fn next_batch(&mut self, cx: &mut ExecCx<'_>, out: &mut Batch, max: usize) -> PgResult<bool> {
        let prog = self.prog.clone();
        out.reset(prog.head.width());
        let check = if self.all_conditions { &prog.originals } else { &prog.recheck };
        loop {
            while self.at < self.batch.len() && out.len() < max {
                let i = self.at;
                self.at += 1;
                let row: &[Datum] = if prog.columns.has_system {
                    prog.columns.fill(&mut self.batch, i, &self.meta, &mut self.scratch);
                    &self.scratch
                } else {
                    self.batch.row(i)
                };
                let rows = Rows::outer(row);
                if check.test(&rows, cx)? {
                    prog.head.emit(&rows, cx, out)?;
                } else {
                    cx.run.note(|s| s.rechecked += 1);
                }
            }
            if out.len() >= max || !self.refill(cx, max - out.len())? {
                return Ok(!out.is_empty());
            }
        }
    }
}

/// Adjacent equal values dropped (array conditions look up each value once).
fn dedup(values: &mut Vec<Datum>) {
    values.dedup_by(|a, b| fast_eq(a, b));
}
