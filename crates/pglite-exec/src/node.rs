//! Plan nodes: the trait, how a plan becomes node programs, and what nodes share.
//!
//! A node program is immutable and shared; `make` starts a run of it. Nodes pull batches from their children and never
//! evaluate more rows than asked for (`max`), so volatile functions run exactly as often as in PostgreSQL.

use std::sync::Arc;

use pglite_error::{PgError, PgResult};
use pglite_ir::expr::Expr;
use pglite_ir::plan::{Plan, PlanNode, PlannedStmt};
use pglite_ir::query::TargetEntry;
use pglite_types::{BATCH_ROWS, Batch, Datum};

use crate::compare::{GroupCol, SortCol};
use crate::env::ExecEnv;
use crate::expr::{Code, Compiler, Layout, Qual, Rows, VarMap};
use crate::facts;
use crate::instrument::Instrumented;
use crate::prepared::InitProgram;
use crate::state::ExecCx;

pub mod agg;
pub mod append;
pub mod cte;
pub mod function_scan;
pub mod group;
pub mod hash_join;
pub mod index_scan;
pub mod init;
pub mod limit;
pub mod lock_rows;
pub mod material;
pub mod memoize;
pub mod merge_join;
pub mod nest_loop;
pub mod project_set;
pub mod recursive_union;
pub mod result;
pub mod sample_scan;
pub mod scan;
pub mod seq_scan;
pub mod setop;
pub mod sort;
pub mod table_func;
pub mod tid_scan;
pub mod values_scan;
pub mod window;

#[cfg(test)]
pub mod testing;
#[cfg(test)]
mod tests;

/// A running plan node.
pub trait Node: Send {
    /// Called once, before the first row.
    fn open(&mut self, cx: &mut ExecCx<'_>) -> PgResult<()>;
    /// Resets `out` and fills it with 1..=`max` rows; returns false, with `out` empty, at the end.
    fn next_batch(&mut self, cx: &mut ExecCx<'_>, out: &mut Batch, max: usize) -> PgResult<bool>;
    /// Starts over; exec parameters may have changed.
    fn rescan(&mut self, cx: &mut ExecCx<'_>) -> PgResult<()>;
    /// No more than `rows` rows will be asked for before the next rescan (LIMIT above).
    fn bound(&mut self, _rows: u64) {}
}

pub type BoxNode = Box<dyn Node>;

/// A node's immutable program.
pub trait MakeNode: Send + Sync {
    fn make(self: Arc<Self>) -> BoxNode;
}

pub type NodeProg = Arc<dyn MakeNode>;

/// What building a plan node yields.
#[derive(Clone)]
pub struct Built {
    pub prog: NodeProg,
    pub width: usize,
    /// The subtree calls volatile functions: pull it row by row.
    pub volatile: bool,
}

/// Compiles plan nodes.
pub struct Builder<'b> {
    pub env: &'b ExecEnv<'b>,
    pub stmt: &'b PlannedStmt,
    pub init_plans: Vec<InitProgram>,
    pub next_id: usize,
    depth: usize,
}

impl<'b> Builder<'b> {
    pub fn new(env: &'b ExecEnv<'b>, stmt: &'b PlannedStmt) -> Builder<'b> {
        Builder { env, stmt, init_plans: Vec::new(), next_id: 0, depth: 0 }
    }

    pub fn build(&mut self, plan: &Plan) -> PgResult<Built> {
        let id = self.next_id;
        self.next_id += 1;
        self.depth += 1;
        if self.depth > 500 {
            return Err(pglite_error::err!(STATEMENT_TOO_COMPLEX, "stack depth limit exceeded"));
        }
        let mut built = self.build_node(plan)?;
        self.depth -= 1;
        if !plan.init_plans.is_empty() {
            built = init::wrap(self, plan, built);
        }
        built.prog = Arc::new(Counted { inner: built.prog, id });
        Ok(built)
    }

    fn build_node(&mut self, plan: &Plan) -> PgResult<Built> {
        match &plan.node {
            PlanNode::Result { one_time } => result::build(self, plan, one_time),
            PlanNode::ProjectSet => project_set::build(self, plan),
            PlanNode::ModifyTable(m) => crate::modify::build(self, plan, m),
            PlanNode::Append { children, .. } => append::build(self, plan, children),
            PlanNode::MergeAppend { children, keys } => append::build_merge(self, plan, children, keys),
            PlanNode::RecursiveUnion { param, distinct } => {
                recursive_union::build(self, plan, *param, distinct)
            }
            PlanNode::SeqScan { rte, rel } => seq_scan::build(self, plan, *rte, rel),
            PlanNode::SampleScan { rte, rel, sample } => sample_scan::build(self, plan, *rte, rel, sample),
            PlanNode::IndexScan(s) => index_scan::build(self, plan, s, false),
            PlanNode::IndexOnlyScan(s) => index_scan::build(self, plan, s, true),
            PlanNode::TidScan { rte, rel, quals } => tid_scan::build(self, plan, *rte, rel, quals),
            PlanNode::SubqueryScan { rte } => result::build_subquery(self, plan, *rte),
            PlanNode::FunctionScan { rte, functions, ordinality } => {
                function_scan::build(self, plan, *rte, functions, *ordinality)
            }
            PlanNode::TableFuncScan { rte, func } => table_func::build(self, plan, *rte, func),
            PlanNode::ValuesScan { rte, rows } => values_scan::build(self, plan, *rte, rows),
            PlanNode::CteScan { rte, cte_param, .. } => cte::build(self, plan, *rte, *cte_param),
            PlanNode::TuplestoreScan { rte, name } => cte::build_named(self, plan, *rte, name),
            PlanNode::WorkTableScan { rte, param, .. } => cte::build_work(self, plan, *rte, *param),
            PlanNode::NestLoop { kind, join_qual, params, inner_unique } => {
                nest_loop::build(self, plan, *kind, join_qual, params, *inner_unique)
            }
            PlanNode::MergeJoin { kind, join_qual, keys, .. } => {
                merge_join::build(self, plan, *kind, join_qual, keys)
            }
            PlanNode::HashJoin { kind, join_qual, keys, inner_unique } => {
                hash_join::build(self, plan, *kind, join_qual, keys, *inner_unique)
            }
            PlanNode::Material => material::build(self, plan),
            PlanNode::Memoize { keys, .. } => memoize::build(self, plan, keys),
            PlanNode::Sort { keys } => sort::build(self, plan, keys),
            PlanNode::IncrementalSort { keys, .. } => sort::build(self, plan, keys),
            PlanNode::Group { keys } => group::build_group(self, plan, keys),
            PlanNode::Agg { strategy, keys, sets, .. } => agg::build(self, plan, *strategy, keys, sets),
            PlanNode::WindowAgg { partition, order, frame, run_condition, winref, .. } => {
                window::build(self, plan, *winref, partition, order, frame, run_condition)
            }
            PlanNode::Unique { keys } => group::build_unique(self, plan, keys),
            PlanNode::SetOp { kind, all, strategy, keys } => {
                setop::build(self, plan, *kind, *all, *strategy, keys)
            }
            PlanNode::LockRows { marks } => lock_rows::build(self, plan, marks),
            PlanNode::Limit { limit, offset, ties } => limit::build(self, plan, limit, offset, ties),
        }
    }

    pub fn left(&mut self, plan: &Plan) -> PgResult<Built> {
        match &plan.left {
            Some(p) => self.build(p),
            None => Err(PgError::internal("plan node lacks its input")),
        }
    }

    pub fn right(&mut self, plan: &Plan) -> PgResult<Built> {
        match &plan.right {
            Some(p) => self.build(p),
            None => Err(PgError::internal("plan node lacks its inner input")),
        }
    }

    /// Filter and projection over children's rows.
    pub fn head(&mut self, plan: &Plan, map: &mut dyn VarMap) -> PgResult<(Head, bool)> {
        let mut c = Compiler::new(self.env, map);
        let qual = c.qual(&plan.qual)?;
        let project = Projection::compile(&mut c, &plan.targets)?;
        let volatile = c.volatile;
        Ok((Head { qual, project }, volatile))
    }

    pub fn quals(&mut self, exprs: &[Expr]) -> PgResult<(Qual, bool)> {
        let mut map = Layout;
        let mut c = Compiler::new(self.env, &mut map);
        let qual = c.qual(exprs)?;
        let volatile = c.volatile;
        Ok((qual, volatile))
    }

    pub fn code(&mut self, expr: &Expr) -> PgResult<Code> {
        Compiler::new(self.env, &mut Layout).compile(expr)
    }

    pub fn codes(&mut self, exprs: &[Expr]) -> PgResult<Box<[Code]>> {
        exprs.iter().map(|e| self.code(e)).collect()
    }

    pub fn sort_cols(&mut self, keys: &[pglite_ir::plan::SortKey], child: &Plan) -> PgResult<Box<[SortCol]>> {
        let snapshot = self.env.host.catalog().clone();
        keys.iter()
            .map(|k| {
                let ty = column_type(child, k.column);
                let order = facts::order_facts(&snapshot, k.op)?;
                let cmp = crate::expr::cmp_fn(&snapshot, order.cmp, k.collation, vec![ty, ty])?;
                Ok(SortCol { col: k.column as usize - 1, cmp, desc: k.desc, nulls_first: k.nulls_first })
            })
            .collect()
    }

    pub fn group_cols(
        &mut self,
        keys: &[pglite_ir::plan::GroupKey],
        child: &Plan,
    ) -> PgResult<Box<[GroupCol]>> {
        let snapshot = self.env.host.catalog().clone();
        keys.iter()
            .map(|k| {
                let func = facts::op_func(&snapshot, k.eq_op)?;
                let eq = crate::expr::eq_fn(&snapshot, func, k.collation, column_type(child, k.column))?;
                Ok(GroupCol { col: k.column as usize - 1, eq })
            })
            .collect()
    }

    /// Outside exec parameters of a subtree: a node that keeps its rows over rescans compares their stamps.
    pub fn deps(&self, plan: &Plan) -> Box<[u32]> {
        crate::prepared::outside_params(plan, self.stmt).into()
    }
}

pub fn column_type(plan: &Plan, column: i16) -> pglite_types::Oid {
    plan.targets.get(column as usize - 1).map_or(pglite_types::Oid::INVALID, |t| t.expr.ty())
}

/// Wraps a node with counters when the run wants them.
struct Counted {
    inner: NodeProg,
    id: usize,
}

impl MakeNode for Counted {
    fn make(self: Arc<Self>) -> BoxNode {
        let inner = self.inner.clone().make();
        if !COUNTING.with(|c| c.get()) {
            return inner;
        }
        Box::new(Instrumented { inner, id: self.id, first: true })
    }
}

thread_local! {
    /// Set while nodes are made for an instrumented run.
    static COUNTING: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

/// Makes nodes with or without counters.
pub fn make(prog: &NodeProg, instrument: bool) -> BoxNode {
    COUNTING.with(|c| c.set(instrument));
    let node = prog.clone().make();
    COUNTING.with(|c| c.set(false));
    node
}

/// Filter, then projection.
pub struct Head {
    pub qual: Qual,
    pub project: Projection,
}

impl Head {
    /// Appends the projected row when it passes the filter.
    #[inline]
    pub fn emit(&self, rows: &Rows<'_>, cx: &mut ExecCx<'_>, out: &mut Batch) -> PgResult<bool> {
        if !self.qual.test(rows, cx)? {
            cx.run.note(|s| s.filtered += 1);
            return Ok(false);
        }
        self.project.push(rows, cx, out)?;
        Ok(true)
    }
    pub fn width(&self) -> usize {
        self.project.codes.len()
    }
}

/// A compiled target list.
pub struct Projection {
    pub codes: Box<[Code]>,
    /// Targets evaluated before the others: MULTIEXPR subplans set parameters that the others read.
    first: Box<[usize]>,
}

impl Projection {
    pub fn compile(c: &mut Compiler<'_>, targets: &[TargetEntry]) -> PgResult<Projection> {
        let codes = targets.iter().map(|t| c.compile(&t.expr)).collect::<PgResult<Box<[Code]>>>()?;
        let multi = |e: &Expr| matches!(e, Expr::SubPlan(s) if s.kind == pglite_ir::SubLinkKind::MultiExpr);
        let first = targets.iter().enumerate().filter(|(_, t)| multi(&t.expr)).map(|(i, _)| i).collect();
        Ok(Projection { codes, first })
    }

    #[inline]
    pub fn push(&self, rows: &Rows<'_>, cx: &mut ExecCx<'_>, out: &mut Batch) -> PgResult<()> {
        for i in &self.first {
            self.codes[*i].eval(rows, cx)?;
        }
        for (i, code) in self.codes.iter().enumerate() {
            let v = if self.first.is_empty() || !self.first.contains(&i) {
                code.eval(rows, cx)
            } else {
                Ok(Datum::Null)
            };
            match v {
                Ok(v) => out.values_mut().push(v),
                Err(e) => {
                    out.abandon_row();
                    return Err(e);
                }
            }
        }
        out.finish_row();
        Ok(())
    }

    /// True when the projection hands out columns 0..width of slot 0 as they are.
    pub fn is_identity(&self, width: usize) -> bool {
        self.codes.len() == width
            && self
                .codes
                .iter()
                .enumerate()
                .all(|(i, c)| matches!(c, Code::Slot { slot: 0, col } if *col as usize == i))
    }
}

/// A child with its current batch, read row by row.
pub struct Input {
    pub node: BoxNode,
    batch: Batch,
    at: usize,
    done: bool,
    volatile: bool,
}

impl Input {
    pub fn new(built: &Built) -> Input {
        Input {
            node: built.prog.clone().make(),
            batch: Batch::default(),
            at: 0,
            done: false,
            volatile: built.volatile,
        }
    }
    pub fn open(&mut self, cx: &mut ExecCx<'_>) -> PgResult<()> {
        self.reset();
        self.node.open(cx)
    }
    pub fn rescan(&mut self, cx: &mut ExecCx<'_>) -> PgResult<()> {
        self.reset();
        self.node.rescan(cx)
    }
    fn reset(&mut self) {
        self.batch.clear();
        self.at = 0;
        self.done = false;
    }
    /// Steps to the next row, pulling at most `want` rows ahead. The row is [`row`](Self::row).
    #[inline]
    pub fn next(&mut self, cx: &mut ExecCx<'_>, want: usize) -> PgResult<bool> {
        if self.at + 1 < self.batch.len() {
            self.at += 1;
            return Ok(true);
        }
        self.pull(cx, want)
    }
    #[cold]
    fn pull(&mut self, cx: &mut ExecCx<'_>, want: usize) -> PgResult<bool> {
        if self.done {
            return Ok(false);
        }
        cx.check_interrupts()?;
        let max = if self.volatile { 1 } else { want.clamp(1, BATCH_ROWS) };
        self.at = 0;
        if !self.node.next_batch(cx, &mut self.batch, max)? {
            self.batch.clear();
            self.done = true;
            return Ok(false);
        }
        Ok(true)
    }
    #[inline]
    pub fn row(&self) -> &[Datum] {
        self.batch.row(self.at)
    }
    /// Moves the current row out.
    pub fn take(&mut self) -> Box<[Datum]> {
        self.batch.take_row(self.at).collect()
    }
    /// Pulls a whole batch and gives access to it; false at the end. For nodes that consume everything.
    /// Why without regard to volatile functions: all rows will be asked for.
    pub fn next_chunk(&mut self, cx: &mut ExecCx<'_>) -> PgResult<bool> {
        let volatile = std::mem::take(&mut self.volatile);
        let result = self.pull(cx, BATCH_ROWS);
        self.volatile = volatile;
        result
    }
    pub fn chunk(&mut self) -> &mut Batch {
        &mut self.batch
    }
}
