//! Plans of scans.

use std::rc::Rc;

use pglite_error::{PgError, PgResult};
use pglite_ir::expr::*;
use pglite_ir::plan::*;
use pglite_ir::query::RteKind;

use super::*;
use crate::restrict::extract_actual;

/// The clauses a scan path must check, and those checked once.
fn scan_clauses(root: &Root, path: &Path) -> (Vec<Rc<RInfo>>, Vec<Expr>) {
    let r = &root.rels[path.rel];
    let base: &[Rc<RInfo>] = match &path.node {
        PathNode::Index(i) if !i.index.predicate.is_empty() => &i.index.restrict,
        _ => &r.restrict,
    };
    let mut list: Vec<Rc<RInfo>> = base.iter().filter(|c| !c.pseudoconstant).cloned().collect();
    if let Some(p) = &path.param {
        list.extend(p.clauses.iter().filter(|c| !c.pseudoconstant).cloned());
    }
    list.sort_by_key(|c| c.security);
    (list, extract_actual(&r.restrict, true))
}

pub(super) fn create(g: &mut Glob<'_>, root: &mut Root, path: &Rc<Path>) -> PgResult<Plan> {
    let rti = root.rels[path.rel].relid;
    let (clauses, once) = scan_clauses(root, path);
    let targets = tlist(g, root, path);
    let exprs = |list: &[Rc<RInfo>]| list.iter().map(|c| c.clause.clone()).collect::<Vec<_>>();
    let table = || {
        root.rels[path.rel]
            .table
            .clone()
            .ok_or_else(|| PgError::internal("scan of a relation without a table"))
    };
    let plan = match &path.node {
        PathNode::SeqScan => {
            let mut p = node(path, PlanNode::SeqScan { rte: rti, rel: table()? }, targets);
            p.qual = quals(g, root, exprs(&clauses));
            p
        }
        PathNode::SampleScan => {
            let rel = table()?;
            let RteKind::Relation { sample: Some(s), .. } = &root.rte(rti).kind else {
                return Err(PgError::internal("sample scan without a sample clause"));
            };
            let mut s = s.clone();
            for e in s.args.iter_mut().chain(s.repeatable.as_mut()) {
                replace_nest_params(g, root, e);
            }
            let mut p = node(path, PlanNode::SampleScan { rte: rti, rel, sample: s }, targets);
            p.qual = quals(g, root, exprs(&clauses));
            p
        }
        PathNode::Tid { quals: tids } => {
            let rel = table()?;
            let mut tids = tids.clone();
            let rest: Vec<Expr> =
                exprs(&clauses).into_iter().filter(|c| !crate::equal::member(&tids, c)).collect();
            tids.iter_mut().for_each(|e| replace_nest_params(g, root, e));
            let mut p = node(path, PlanNode::TidScan { rte: rti, rel, quals: tids }, targets);
            p.qual = quals(g, root, rest);
            p
        }
        PathNode::Index(_) => index(g, root, path, clauses, targets)?,
        PathNode::Subquery { sub } => subquery(g, root, path, sub, exprs(&clauses), targets)?,
        _ => memory(g, root, path, rti, exprs(&clauses), targets)?,
    };
    let once = quals(g, root, once);
    Ok(gate(plan, once))
}

fn memory(
    g: &mut Glob<'_>,
    root: &mut Root,
    path: &Path,
    rti: u32,
    clauses: Vec<Expr>,
    targets: Vec<TargetEntry>,
) -> PgResult<Plan> {
    let kind = root.rte(rti).kind.clone();
    let n = match (&path.node, kind) {
        (PathNode::Function, RteKind::Function { mut functions, ordinality }) => {
            functions.iter_mut().for_each(|f| replace_nest_params(g, root, &mut f.expr));
            PlanNode::FunctionScan { rte: rti, functions, ordinality }
        }
        (PathNode::TableFunc, RteKind::TableFunc(func)) => {
            let mut rte = root.rte(rti).clone();
            rte.kind = RteKind::TableFunc(func);
            crate::walker::rte_exprs_mut(&mut rte, &mut |e| replace_nest_params(g, root, e));
            let RteKind::TableFunc(func) = rte.kind else {
                return Err(PgError::internal("table function lost"));
            };
            PlanNode::TableFuncScan { rte: rti, func }
        }
        (PathNode::Values, RteKind::Values { mut rows, .. }) => {
            rows.iter_mut().flatten().for_each(|e| replace_nest_params(g, root, e));
            PlanNode::ValuesScan { rte: rti, rows }
        }
        (PathNode::Cte, RteKind::Cte { name, .. }) => {
            let slot =
                root.rels[path.rel].cte.clone().ok_or_else(|| PgError::internal("CTE scan without a CTE"))?;
            PlanNode::CteScan { rte: rti, cte_param: slot.param, name }
        }
        (PathNode::WorkTable, RteKind::Cte { name, .. }) => {
            PlanNode::WorkTableScan { rte: rti, param: root.rels[path.rel].wt_param, name }
        }
        (PathNode::Tuplestore, RteKind::Tuplestore { name, .. }) => {
            PlanNode::TuplestoreScan { rte: rti, name }
        }
        (PathNode::Result { .. }, _) => PlanNode::Result { one_time: Vec::new() },
        _ => return Err(PgError::internal("unexpected scan path")),
    };
    let is_result = matches!(n, PlanNode::Result { .. });
    let mut p = node(path, n, targets);
    let q = quals(g, root, clauses);
    if is_result {
        // One row without columns: its conditions are checked once.
        p.node = PlanNode::Result { one_time: q };
    } else {
        p.qual = q;
    }
    Ok(p)
}

fn subquery(
    g: &mut Glob<'_>,
    root: &mut Root,
    path: &Path,
    sub: &Rc<Path>,
    clauses: Vec<Expr>,
    targets: Vec<TargetEntry>,
) -> PgResult<Plan> {
    let rel = path.rel;
    let rti = root.rels[rel].relid;
    let slot = root.rels[rel].subroot.ok_or_else(|| PgError::internal("subquery scan without a subquery"))?;
    // Lateral references of the subquery are params already; the nested loop above must set them.
    for p in root.rels[rel].subplan_params.clone() {
        if let Expr::Var(v) = &p.expr
            && root.cur_outer_rels.contains(v.rte)
            && !root.cur_outer_params.iter().any(|x| x.id == p.id)
        {
            root.cur_outer_params.push(p);
        }
    }
    let mut inner = root.subroots[slot].take().ok_or_else(|| PgError::internal("subquery planned twice"))?;
    let result = super::make_top(g, &mut inner, sub);
    let inits = std::mem::take(&mut inner.init_plans);
    root.subroots[slot] = Some(inner);
    let mut below = result?;
    below.init_plans.splice(0..0, inits);
    super::charge_init_plans(g, &mut below);
    let mut p = node(path, PlanNode::SubqueryScan { rte: rti }, targets);
    p.qual = quals(g, root, clauses);
    p.left = Some(Box::new(below));
    Ok(p)
}

fn index(
    g: &mut Glob<'_>,
    root: &mut Root,
    path: &Path,
    clauses: Vec<Rc<RInfo>>,
    targets: Vec<TargetEntry>,
) -> PgResult<Plan> {
    let PathNode::Index(ip) = &path.node else { return Err(PgError::internal("index path expected")) };
    let rel =
        root.rels[path.rel].table.clone().ok_or_else(|| PgError::internal("index scan without a table"))?;
    let rti = root.rels[path.rel].relid;
    let mut index_quals = Vec::new();
    let mut recheck = Vec::new();
    for c in &ip.clauses {
        for q in &c.quals {
            let fix = |g: &mut Glob<'_>, root: &mut Root, e: &Expr| {
                let mut e = e.clone();
                replace_nest_params(g, root, &mut e);
                e
            };
            let column = c.column as i16 + 1;
            index_quals.push(match q {
                IndexCond::Op { op, strategy, value, original } => IndexQual::Op {
                    column,
                    op: *op,
                    strategy: *strategy,
                    value: fix(g, root, value),
                    original: fix(g, root, original),
                },
                IndexCond::Array { op, strategy, array, original } => IndexQual::Array {
                    column,
                    op: *op,
                    strategy: *strategy,
                    array: fix(g, root, array),
                    original: fix(g, root, original),
                },
                IndexCond::Null { is_null, original } => {
                    IndexQual::NullTest { column, is_null: *is_null, original: fix(g, root, original) }
                }
                IndexCond::Row { strategy, values, original } => IndexQual::Row {
                    columns: c.columns.iter().map(|x| *x as i16 + 1).collect(),
                    strategy: *strategy,
                    values: values.iter().map(|v| fix(g, root, v)).collect(),
                    original: fix(g, root, original),
                },
            });
        }
        if c.lossy {
            let mut e = c.rinfo.clause.clone();
            replace_nest_params(g, root, &mut e);
            recheck.push(e);
        }
    }
    for (col, op, value, original) in &ip.order_by {
        index_quals.push(IndexQual::OrderBy {
            column: *col as i16 + 1,
            op: *op,
            value: value.clone(),
            original: original.clone(),
        });
    }
    let mut rest: Vec<Expr> = Vec::new();
    for r in &clauses {
        let by_index = ip.clauses.iter().any(|c| {
            Rc::ptr_eq(&c.rinfo, r) && !c.lossy
                || c.rinfo.parent_ec.is_some() && c.rinfo.parent_ec == r.parent_ec
        });
        if !by_index && !rest.iter().any(|e| equal(e, &r.clause)) {
            rest.push(r.clause.clone());
        }
    }
    // What a lossy index condition stands for is a filter.
    let scan = Box::new(IndexScan {
        rte: rti,
        rel,
        index: ip.index.oid,
        quals: index_quals,
        direction: ip.direction,
        recheck: Vec::new(),
    });
    let _ = recheck;
    let n = if ip.index_only { PlanNode::IndexOnlyScan(scan) } else { PlanNode::IndexScan(scan) };
    let mut p = node(path, n, targets);
    p.qual = quals(g, root, rest);
    Ok(p)
}
