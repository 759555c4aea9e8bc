//! The last step (`set_plan_references`): one flat range table, and every Var in terms of its node's inputs.
//!
//! Invariant: a node's expressions are rewritten before its children's, while the children's target lists still hold
//! the expressions to look for.

mod params;

use pglite_error::{PgError, PgResult};
use pglite_ir::expr::*;
use pglite_ir::plan::*;
use pglite_ir::query::*;
use pglite_ir::walk::each_child_mut;

use crate::equal::{equal, equal_var};
use crate::types::*;

pub(crate) use params::set_ext_params;

/// The flat range table under construction.
pub(crate) struct Flat {
    pub rtable: Vec<RangeTblEntry>,
    pub result_relations: Vec<u32>,
}

/// Where an expression's columns come from.
#[derive(Clone, Copy)]
struct Inputs<'a> {
    outer: &'a [TargetEntry],
    inner: &'a [TargetEntry],
    /// Added to range table indexes that stay.
    offset: u32,
    /// Vars of these relations keep their relation (ModifyTable's target).
    keep: &'a [u32],
}

impl Flat {
    /// Rewrites the plan of one query level.
    pub fn set_root(&mut self, plan: &mut Plan, root: &mut Root) -> PgResult<()> {
        let offset = self.rtable.len() as u32;
        for rte in std::mem::take(&mut root.query.rtable) {
            self.rtable.push(flat_entry(rte));
        }
        self.node(plan, root, offset)?;
        // Subqueries that no plan node reads still count for permission checks.
        for sub in root.subroots.iter_mut().flatten() {
            self.unplanned(sub);
        }
        Ok(())
    }

    fn unplanned(&mut self, root: &mut Root) {
        for rte in std::mem::take(&mut root.query.rtable) {
            if matches!(rte.kind, RteKind::Relation { .. }) {
                self.rtable.push(flat_entry(rte));
            }
        }
        for sub in root.subroots.iter_mut().flatten() {
            self.unplanned(sub);
        }
    }

    fn node(&mut self, plan: &mut Plan, root: &mut Root, offset: u32) -> PgResult<()> {
        if is_pass_through(&plan.node) {
            pass_through(plan);
            self.own_scalars(plan, offset)?;
        } else if !self.scan(plan, root, offset)? {
            self.upper(plan, offset)?;
        }
        self.children(plan, root, offset)?;
        drop_single(plan);
        Ok(())
    }

    fn children(&mut self, plan: &mut Plan, root: &mut Root, offset: u32) -> PgResult<()> {
        if let PlanNode::SubqueryScan { rte } = &mut plan.node {
            let local = *rte;
            *rte += offset;
            let slot = root
                .base
                .get(local as usize)
                .copied()
                .flatten()
                .and_then(|r| root.rels[r].subroot)
                .ok_or_else(|| PgError::internal("subquery scan without a subquery"))?;
            let Some(mut sub) = root.subroots[slot].take() else {
                return Err(PgError::internal("subquery planned into two nodes"));
            };
            if let Some(below) = plan.left.as_deref_mut() {
                self.set_root(below, &mut sub)?;
            }
            drop_trivial(plan);
            return Ok(());
        }
        for child in [&mut plan.left, &mut plan.right].into_iter().flatten() {
            self.node(child, root, offset)?;
        }
        if let PlanNode::Append { children, .. } | PlanNode::MergeAppend { children, .. } = &mut plan.node {
            for c in children.iter_mut() {
                self.node(c, root, offset)?;
            }
        }
        Ok(())
    }

    /// Scans: Vars keep naming the relation. False for other nodes.
    fn scan(&mut self, plan: &mut Plan, root: &Root, offset: u32) -> PgResult<bool> {
        let fix = |e: &mut Expr| shift(e, offset);
        match &mut plan.node {
            PlanNode::SeqScan { rte, .. }
            | PlanNode::WorkTableScan { rte, .. }
            | PlanNode::CteScan { rte, .. }
            | PlanNode::TuplestoreScan { rte, .. } => {
                *rte += offset;
            }
            PlanNode::SampleScan { rte, sample, .. } => {
                *rte += offset;
                sample.args.iter_mut().chain(sample.repeatable.as_mut()).for_each(fix);
            }
            PlanNode::TidScan { rte, quals, .. } => {
                *rte += offset;
                quals.iter_mut().for_each(fix);
            }
            PlanNode::IndexScan(s) => index_scan(s, offset),
            PlanNode::IndexOnlyScan(s) => {
                let info = root
                    .base
                    .get(s.rte as usize)
                    .copied()
                    .flatten()
                    .and_then(|r| root.rels[r].indexes.iter().find(|i| i.oid == s.index).cloned())
                    .ok_or_else(|| PgError::internal("index-only scan without an index"))?;
                let rte = s.rte;
                for e in plan.targets.iter_mut().map(|t| &mut t.expr).chain(plan.qual.iter_mut()) {
                    index_vars(e, rte, &info, offset);
                }
                index_scan(s, offset);
                return Ok(true);
            }
            PlanNode::FunctionScan { rte, functions, .. } => {
                *rte += offset;
                functions.iter_mut().for_each(|f| shift(&mut f.expr, offset));
            }
            PlanNode::TableFuncScan { rte, func } => {
                *rte += offset;
                let func: &mut TableFunc = func;
                func.namespaces.iter_mut().for_each(|(_, e)| shift(e, offset));
                fix(&mut func.doc);
                func.row.iter_mut().for_each(fix);
                for c in &mut func.columns {
                    [&mut c.expr, &mut c.default, &mut c.json].into_iter().flatten().for_each(fix);
                }
                func.passing.iter_mut().for_each(|(_, e)| shift(e, offset));
            }
            PlanNode::ValuesScan { rte, rows } => {
                *rte += offset;
                rows.iter_mut().flatten().for_each(fix);
            }
            // Its range table index is shifted when its subquery is visited.
            PlanNode::SubqueryScan { .. } => {}
            PlanNode::Result { one_time } if plan.left.is_none() => {
                let exprs = one_time.iter_mut().chain(plan.targets.iter_mut().map(|t| &mut t.expr));
                exprs.for_each(|e| {
                    crate::upper::minmax::replace_aggs(root, e);
                    columns_to_null(e);
                });
                one_time.iter_mut().for_each(fix);
            }
            _ => return Ok(false),
        }
        plan.targets.iter_mut().for_each(|t| shift(&mut t.expr, offset));
        plan.qual.iter_mut().for_each(fix);
        Ok(true)
    }

    /// Scalar expressions of nodes that pass their input on.
    fn own_scalars(&mut self, plan: &mut Plan, offset: u32) -> PgResult<()> {
        match &mut plan.node {
            PlanNode::Limit { limit, offset: off, .. } => {
                [limit, off].into_iter().flatten().for_each(|e| shift(e, offset));
            }
            PlanNode::LockRows { marks } => marks.iter_mut().for_each(|m| m.rte += offset),
            PlanNode::Memoize { keys, .. } => keys.iter_mut().for_each(|e| shift(e, offset)),
            _ => {}
        }
        Ok(())
    }

    /// Joins and everything that computes from its children's output.
    fn upper(&mut self, plan: &mut Plan, offset: u32) -> PgResult<()> {
        let Plan { node, targets, qual, left, right, .. } = plan;
        let empty: &[TargetEntry] = &[];
        let outer = left.as_ref().map_or(empty, |p| &p.targets);
        let inner = right.as_ref().map_or(empty, |p| &p.targets);
        let both = Inputs { outer, inner, offset, keep: &[] };
        let left_only = Inputs { inner: empty, ..both };
        match node {
            PlanNode::ModifyTable(m) => return self.modify(m, targets, outer, offset),
            PlanNode::NestLoop { join_qual, params, .. } => {
                join_qual.iter_mut().try_for_each(|e| fix(e, both))?;
                params.iter_mut().try_for_each(|(_, e)| fix(e, left_only))?;
            }
            PlanNode::MergeJoin { join_qual, keys, .. } => {
                join_qual.iter_mut().try_for_each(|e| fix(e, both))?;
                for k in keys {
                    fix(&mut k.outer, left_only)?;
                    fix(&mut k.inner, Inputs { outer: empty, ..both })?;
                }
            }
            PlanNode::HashJoin { join_qual, keys, .. } => {
                join_qual.iter_mut().try_for_each(|e| fix(e, both))?;
                for k in keys {
                    fix(&mut k.outer, left_only)?;
                    fix(&mut k.inner, Inputs { outer: empty, ..both })?;
                }
            }
            PlanNode::Result { one_time } => one_time.iter_mut().try_for_each(|e| fix(e, both))?,
            PlanNode::WindowAgg { frame, run_condition, .. } => {
                for b in [&mut frame.start, &mut frame.end] {
                    if let BoundPlan::Preceding(e) | BoundPlan::Following(e) = b {
                        fix(e, both)?;
                    }
                }
                run_condition.iter_mut().try_for_each(|e| fix(e, both))?;
            }
            _ => {}
        }
        targets.iter_mut().try_for_each(|t| fix(&mut t.expr, both))?;
        qual.iter_mut().try_for_each(|e| fix(e, both))
    }

    fn modify(
        &mut self,
        m: &mut ModifyTable,
        targets: &mut [TargetEntry],
        outer: &[TargetEntry],
        offset: u32,
    ) -> PgResult<()> {
        let nominal = m.nominal_rte;
        let keep_nominal = [nominal];
        let of_nominal = Inputs { outer, inner: &[], offset, keep: &keep_nominal };
        for t in targets {
            fix(&mut t.expr, of_nominal)?;
        }
        for a in &mut m.merge_actions {
            a.qual.iter_mut().try_for_each(|e| fix(e, of_nominal))?;
            a.targets.iter_mut().try_for_each(|t| fix(&mut t.expr, of_nominal))?;
        }
        for t in &mut m.targets {
            let keep = [t.rte];
            let of_leaf = Inputs { keep: &keep, ..of_nominal };
            t.returning.iter_mut().try_for_each(|r| fix(&mut r.expr, of_leaf))?;
            for a in &mut t.merge_actions {
                a.qual.iter_mut().try_for_each(|e| fix(e, of_leaf))?;
                a.targets.iter_mut().try_for_each(|t| fix(&mut t.expr, of_leaf))?;
            }
            t.check_options.iter_mut().for_each(|c| shift(&mut c.qual, offset));
            t.rte += offset;
            self.result_relations.push(t.rte);
        }
        m.nominal_rte += offset;
        if let Some(oc) = &mut m.on_conflict {
            oc.excluded_rte += offset;
            oc.arbiter_elems.iter_mut().for_each(|a| shift(&mut a.expr, offset));
            oc.arbiter_where.iter_mut().chain(oc.where_.as_mut()).for_each(|e| shift(e, offset));
            oc.set.iter_mut().for_each(|t| shift(&mut t.expr, offset));
        }
        Ok(())
    }
}

/// A range table entry without the query it stood for.
fn flat_entry(mut rte: RangeTblEntry) -> RangeTblEntry {
    match &mut rte.kind {
        RteKind::Subquery { query, .. } => **query = Query::new(CommandType::Select),
        RteKind::Join { vars, .. } => vars.clear(),
        RteKind::Group { exprs } => exprs.clear(),
        _ => {}
    }
    rte.security_quals.clear();
    rte
}

/// Nodes whose output is their input's, column by column.
fn is_pass_through(node: &PlanNode) -> bool {
    matches!(
        node,
        PlanNode::Material
            | PlanNode::Memoize { .. }
            | PlanNode::Sort { .. }
            | PlanNode::IncrementalSort { .. }
            | PlanNode::Unique { .. }
            | PlanNode::SetOp { .. }
            | PlanNode::LockRows { .. }
            | PlanNode::Limit { .. }
            | PlanNode::Append { .. }
            | PlanNode::MergeAppend { .. }
            | PlanNode::RecursiveUnion { .. }
    )
}

fn pass_through(plan: &mut Plan) {
    for (i, t) in plan.targets.iter_mut().enumerate() {
        let e = &t.expr;
        let (syn_rte, syn_attno) = match e {
            Expr::Var(v) => (v.syn_rte, v.syn_attno),
            _ => (0, 0),
        };
        t.expr = Expr::Var(Var {
            rte: OUTER_VAR,
            attno: i as i16 + 1,
            levels_up: 0,
            ty: e.ty(),
            typmod: e.typmod(),
            collation: e.collation(),
            returning: VarReturning::Default,
            syn_rte,
            syn_attno,
            location: -1,
        });
    }
}

fn index_scan(s: &mut IndexScan, offset: u32) {
    s.rte += offset;
    for q in &mut s.quals {
        match q {
            IndexQual::Op { value, original, .. } | IndexQual::OrderBy { value, original, .. } => {
                shift(value, offset);
                shift(original, offset);
            }
            IndexQual::Array { array, original, .. } => {
                shift(array, offset);
                shift(original, offset);
            }
            IndexQual::NullTest { original, .. } => shift(original, offset),
            IndexQual::Row { values, original, .. } => {
                values.iter_mut().for_each(|v| shift(v, offset));
                shift(original, offset);
            }
        }
    }
    s.recheck.iter_mut().for_each(|e| shift(e, offset));
}

/// A Result without input stands for no rows: its columns have no relation to come from.
fn columns_to_null(e: &mut Expr) {
    if let Expr::Var(v) = e {
        *e = Expr::Const(Const {
            ty: v.ty,
            typmod: v.typmod,
            collation: v.collation,
            value: pglite_types::Datum::Null,
            location: -1,
        });
        return;
    }
    let _ = each_child_mut(e, &mut |c| -> Result<(), ()> {
        columns_to_null(c);
        Ok(())
    });
}

/// Range table indexes in terms of the flat table.
fn shift(e: &mut Expr, offset: u32) {
    match e {
        Expr::Var(v) => {
            if v.rte != 0 && v.rte < INDEX_VAR.min(OUTER_VAR) {
                v.rte += offset;
            }
            if v.syn_rte != 0 {
                v.syn_rte += offset;
            }
            return;
        }
        Expr::CurrentOf { rte, .. } => {
            *rte += offset;
            return;
        }
        Expr::Const(_) => return,
        _ => {}
    }
    let _ = each_child_mut(e, &mut |c| -> Result<(), ()> {
        shift(c, offset);
        Ok(())
    });
}

fn input_var(rte: u32, i: usize, t: &TargetEntry, e: &Expr, offset: u32) -> Expr {
    let (syn_rte, syn_attno) = match e {
        Expr::Var(v) if v.syn_rte != 0 => (v.syn_rte + offset, v.syn_attno),
        _ => (0, 0),
    };
    let _ = t;
    Expr::Var(Var {
        rte,
        attno: i as i16 + 1,
        levels_up: 0,
        ty: e.ty(),
        typmod: e.typmod(),
        collation: e.collation(),
        returning: VarReturning::Default,
        syn_rte,
        syn_attno,
        location: e.location(),
    })
}

/// Replaces what the children compute by references to their output.
fn fix(e: &mut Expr, inp: Inputs<'_>) -> PgResult<()> {
    match e {
        Expr::Const(_) | Expr::Param(_) => return Ok(()),
        Expr::Var(v) => {
            if inp.keep.contains(&v.rte) {
                shift(e, inp.offset);
                return Ok(());
            }
            let find = |list: &[TargetEntry]| {
                list.iter().position(|t| matches!(&t.expr, Expr::Var(x) if equal_var(x, v)))
            };
            if let Some(i) = find(inp.outer) {
                *e = input_var(OUTER_VAR, i, &inp.outer[i], e, inp.offset);
            } else if let Some(i) = find(inp.inner) {
                *e = input_var(INNER_VAR, i, &inp.inner[i], e, inp.offset);
            } else {
                return Err(PgError::internal("variable not found in subplan target list"));
            }
            return Ok(());
        }
        _ => {}
    }
    let find = |list: &[TargetEntry]| {
        list.iter().position(|t| !matches!(t.expr, Expr::Var(_) | Expr::Const(_)) && equal(&t.expr, e))
    };
    if let Some(i) = find(inp.outer) {
        *e = input_var(OUTER_VAR, i, &inp.outer[i], e, inp.offset);
        return Ok(());
    }
    if let Some(i) = find(inp.inner) {
        *e = input_var(INNER_VAR, i, &inp.inner[i], e, inp.offset);
        return Ok(());
    }
    if let Expr::CurrentOf { rte, .. } = e {
        *rte += inp.offset;
    }
    each_child_mut(e, &mut |c| fix(c, inp))
}

/// Columns of the relation as columns of the index.
fn index_vars(e: &mut Expr, rte: u32, info: &IndexInfo, offset: u32) {
    let hit = match e {
        Expr::Const(_) | Expr::Param(_) => return,
        Expr::Var(v) if v.rte == rte => info.all_columns.iter().position(|c| *c == v.attno),
        _ => info.exprs.iter().zip(&info.all_columns).position(|(x, c)| *c == 0 && equal(x, e)),
    };
    if let Some(i) = hit {
        let (ty, typmod, collation) = (e.ty(), e.typmod(), e.collation());
        let (syn_rte, syn_attno) = match e {
            Expr::Var(v) => (v.syn_rte + offset, v.syn_attno),
            _ => (0, 0),
        };
        *e = Expr::Var(Var {
            rte: INDEX_VAR,
            attno: i as i16 + 1,
            levels_up: 0,
            ty,
            typmod,
            collation,
            returning: VarReturning::Default,
            syn_rte,
            syn_attno,
            location: -1,
        });
        return;
    }
    let _ = each_child_mut(e, &mut |c| -> Result<(), ()> {
        index_vars(c, rte, info, offset);
        Ok(())
    });
}

/// An Append over one child is that child.
fn drop_single(plan: &mut Plan) {
    let (PlanNode::Append { children, .. } | PlanNode::MergeAppend { children, .. }) = &mut plan.node else {
        return;
    };
    let fits = plan.qual.is_empty()
        && matches!(children.as_slice(), [only] if only.targets.len() == plan.targets.len());
    if !fits {
        return;
    }
    let Some(mut below) = children.pop() else { return };
    for (t, p) in below.targets.iter_mut().zip(&plan.targets) {
        t.name = p.name.clone();
        t.junk = p.junk;
        t.sort_group_ref = p.sort_group_ref;
        t.orig_table = p.orig_table;
        t.orig_column = p.orig_column;
    }
    let mut inits = std::mem::take(&mut plan.init_plans);
    inits.append(&mut below.init_plans);
    below.init_plans = inits;
    *plan = below;
}

/// A subquery scan that filters nothing and passes on all columns in order vanishes.
fn drop_trivial(plan: &mut Plan) {
    if !plan.qual.is_empty() {
        return;
    }
    let Some(below) = plan.left.as_deref() else { return };
    let shown = below.targets.iter().filter(|t| !t.junk).count();
    if shown != plan.targets.len() || below.targets.iter().take(shown).any(|t| t.junk) {
        return;
    }
    // A node that emits junk columns too cannot stand in for the scan.
    if below.targets.len() != shown {
        return;
    }
    let identity = plan
        .targets
        .iter()
        .enumerate()
        .all(|(i, t)| matches!(&t.expr, Expr::Var(v) if v.attno as usize == i + 1));
    if !identity {
        return;
    }
    let Some(mut below) = plan.left.take() else { return };
    for (t, p) in below.targets.iter_mut().zip(&plan.targets) {
        t.name = p.name.clone();
        t.junk = p.junk;
        t.sort_group_ref = p.sort_group_ref;
        t.orig_table = p.orig_table;
        t.orig_column = p.orig_column;
    }
    let mut inits = std::mem::take(&mut plan.init_plans);
    inits.append(&mut below.init_plans);
    below.init_plans = inits;
    *plan = *below;
}
