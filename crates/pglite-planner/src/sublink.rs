//! Sublinks: EXISTS and IN conditions become semi and anti joins; what remains becomes SubPlans and init plans.

mod simplify;

use std::mem;

use pglite_error::{PgError, PgResult};
use pglite_ir::expr::*;
use pglite_ir::plan::{InitPlan, Plan, PlanNode};
use pglite_ir::query::*;
use pglite_ir::walk::{contains, each_child_mut};
use pglite_types::{Oid, oid};

use crate::exprs::*;
use crate::relids::Relids;
use crate::types::*;
use crate::walker::*;

pub(crate) use simplify::simplify_exists;

/// Where a pulled-up join may be hung: the join tree item and the relations it makes available.
struct Hook<'a> {
    item: &'a mut FromItem,
    avail: Relids,
}

fn placeholder() -> FromItem {
    FromItem::Rte(0)
}

/// Turns sublinks at the top of WHERE and JOIN/ON conditions into joins where that is possible.
pub(crate) fn pull_up_sublinks(g: &mut Glob<'_>, root: &mut Root) -> PgResult<()> {
    let tree = mem::take(&mut root.query.jointree);
    let (item, _) = tree_recurse(g, root, FromItem::From(Box::new(tree)))?;
    root.query.jointree = match item {
        FromItem::From(t) => *t,
        other => JoinTree { from: vec![other], quals: None },
    };
    Ok(())
}

fn tree_recurse(g: &mut Glob<'_>, root: &mut Root, item: FromItem) -> PgResult<(FromItem, Relids)> {
    g.check_depth()?;
    match item {
        FromItem::Rte(r) => Ok((FromItem::Rte(r), Relids::single(r))),
        FromItem::From(t) => {
            let mut from = Vec::with_capacity(t.from.len());
            let mut relids = Relids::new();
            for child in t.from {
                let (child, r) = tree_recurse(g, root, child)?;
                relids.add(&r);
                from.push(child);
            }
            let mut new_item = FromItem::From(Box::new(JoinTree { from, quals: None }));
            let quals = match t.quals {
                Some(q) => {
                    qual_recurse(g, root, q, &mut [Hook { item: &mut new_item, avail: relids.clone() }])?
                }
                None => None,
            };
            // The quals belong to the original FROM node, which joins may now sit above.
            match (&mut new_item, quals) {
                (_, None) => {}
                (FromItem::From(t), q) => t.quals = q,
                (_, q) => new_item = FromItem::From(Box::new(JoinTree { from: vec![new_item], quals: q })),
            }
            Ok((new_item, relids))
        }
        FromItem::Join(mut j) => {
            let (left, lrel) = tree_recurse(g, root, mem::replace(&mut j.left, placeholder()))?;
            let (right, rrel) = tree_recurse(g, root, mem::replace(&mut j.right, placeholder()))?;
            (j.left, j.right) = (left, right);
            let mut all = lrel.union(&rrel);
            if j.rte > 0 {
                all.insert(j.rte);
            }
            let Some(quals) = j.quals.take() else { return Ok((FromItem::Join(j), all)) };
            let kind = j.kind;
            match kind {
                JoinKind::Inner => {
                    let mut item = FromItem::Join(j);
                    let rest =
                        qual_recurse(g, root, quals, &mut [Hook { item: &mut item, avail: all.clone() }])?;
                    let item = match (item, rest) {
                        (FromItem::Join(mut j), rest) if j.kind == JoinKind::Inner => {
                            j.quals = rest;
                            FromItem::Join(j)
                        }
                        (other, None) => other,
                        (other, rest) => {
                            FromItem::From(Box::new(JoinTree { from: vec![other], quals: rest }))
                        }
                    };
                    return Ok((item, all));
                }
                JoinKind::Left => {
                    j.quals = qual_recurse(g, root, quals, &mut [Hook { item: &mut j.right, avail: rrel }])?;
                }
                JoinKind::Right => {
                    j.quals = qual_recurse(g, root, quals, &mut [Hook { item: &mut j.left, avail: lrel }])?;
                }
                _ => j.quals = Some(quals),
            }
            Ok((FromItem::Join(j), all))
        }
    }
}

/// Handles one condition; returns what is left of it.
fn qual_recurse(
    g: &mut Glob<'_>,
    root: &mut Root,
    e: Expr,
    hooks: &mut [Hook<'_>],
) -> PgResult<Option<Expr>> {
    match e {
        Expr::Bool { op: BoolOp::And, args, .. } => {
            let mut rest = Vec::new();
            for a in args {
                rest.extend(qual_recurse(g, root, a, hooks)?);
            }
            Ok(from_conjuncts(rest))
        }
        Expr::SubLink(s) if matches!(s.kind, SubLinkKind::Any | SubLinkKind::Exists) => {
            try_sublink(g, root, s, false, hooks)
        }
        Expr::Bool { op: BoolOp::Not, mut args, location } => match args.swap_remove(0) {
            Expr::SubLink(s) if s.kind == SubLinkKind::Exists => try_sublink(g, root, s, true, hooks),
            other => Ok(Some(Expr::Bool { op: BoolOp::Not, args: vec![other], location })),
        },
        e => Ok(Some(e)),
    }
}

// Why: the hook is borrowed anew after the sublink turned out to fit it.
#[allow(clippy::needless_range_loop)]
fn try_sublink(
    g: &mut Glob<'_>,
    root: &mut Root,
    s: Box<SubLink>,
    under_not: bool,
    hooks: &mut [Hook<'_>],
) -> PgResult<Option<Expr>> {
    for i in 0..hooks.len() {
        let avail = hooks[i].avail.clone();
        let join = match s.kind {
            SubLinkKind::Any => any_to_join(g, root, &s, &avail)?,
            _ => exists_to_join(g, root, &s, under_not, &avail)?,
        };
        let Some(mut join) = join else { continue };
        let (right, right_rels) = tree_recurse(g, root, mem::replace(&mut join.right, placeholder()))?;
        join.right = right;
        join.left = mem::replace(hooks[i].item, placeholder());
        let quals = join.quals.take();
        let join_ref = &mut *join;
        if let Some(q) = quals {
            join_ref.quals = if under_not {
                // Under NOT only the right side can take further joins.
                qual_recurse(g, root, q, &mut [Hook { item: &mut join_ref.right, avail: right_rels }])?
            } else {
                let (left, right) = (&mut join_ref.left, &mut join_ref.right);
                qual_recurse(
                    g,
                    root,
                    q,
                    &mut [Hook { item: left, avail }, Hook { item: right, avail: right_rels }],
                )?
            };
        }
        *hooks[i].item = FromItem::Join(join);
        return Ok(None);
    }
    let e = Expr::SubLink(s);
    Ok(Some(if under_not { make_not(e) } else { e }))
}

/// `x IN (SELECT ...)` as a semijoin with the subquery.
fn any_to_join(
    g: &Glob<'_>,
    root: &mut Root,
    s: &SubLink,
    avail: &Relids,
) -> PgResult<Option<Box<JoinExpr>>> {
    let outer = query_varnos_of_level(&s.query, 1);
    if !outer.subset_of(avail) {
        return Ok(None);
    }
    let Some(test) = &s.test else { return Ok(None) };
    let upper = varnos(test);
    if upper.is_empty() || !upper.subset_of(avail) || is_volatile(&g.cat, test) {
        return Ok(None);
    }
    let rti = root.query.rtable.len() as u32 + 1;
    let query = s.query.clone();
    let columns: Vec<&TargetEntry> = query.targets.iter().filter(|t| !t.junk).collect();
    let vars: Vec<Expr> = columns
        .iter()
        .map(|t| Root::var(rti, t.resno, t.expr.ty(), t.expr.typmod(), t.expr.collation()))
        .collect();
    let names = columns.iter().map(|t| t.name.clone().unwrap_or_default()).collect();
    let mut quals = test.clone();
    replace_columns(&mut quals, &|i| vars.get(i as usize).cloned());
    let alias = Alias { name: "ANY_subquery".into(), columns: names };
    root.query.rtable.push(subquery_rte(query, alias, !outer.is_empty()));
    root.has_lateral |= !outer.is_empty();
    Ok(Some(Box::new(JoinExpr {
        kind: JoinKind::Semi,
        left: placeholder(),
        right: FromItem::Rte(rti),
        quals: Some(quals),
        rte: 0,
    })))
}

pub(crate) fn subquery_rte(query: Box<Query>, eref: Alias, lateral: bool) -> RangeTblEntry {
    RangeTblEntry {
        kind: RteKind::Subquery { query, security_barrier: false, view: None },
        alias: None,
        eref,
        lateral,
        in_from: false,
        inherit: false,
        perms: PermInfo::default(),
        security_quals: Vec::new(),
    }
}

/// Replaces the column placeholders of a sublink's test expression (not those of sublinks nested in it).
fn replace_columns(e: &mut Expr, column: &dyn Fn(u32) -> Option<Expr>) {
    match e {
        Expr::Param(p) if p.kind == ParamKind::Exec => {
            if let Some(v) = column(p.id) {
                *e = v;
            }
        }
        Expr::SubLink(_) | Expr::SubPlan(_) => {}
        _ => {
            let _ = each_child_mut(e, &mut |c| -> Result<(), ()> {
                replace_columns(c, column);
                Ok(())
            });
        }
    }
}

/// `[NOT] EXISTS (SELECT ...)` as a semi or anti join.
fn exists_to_join(
    g: &mut Glob<'_>,
    root: &mut Root,
    s: &SubLink,
    under_not: bool,
    avail: &Relids,
) -> PgResult<Option<Box<JoinExpr>>> {
    if !s.query.ctes.is_empty() {
        return Ok(None);
    }
    let mut q = (*s.query).clone();
    if !simplify_exists(g, &mut q)? || q.jointree.from.is_empty() {
        return Ok(None);
    }
    let Some(mut quals) = q.jointree.quals.take() else { return Ok(None) };
    if query_has_vars_of_level(&q, 1) || varnos_of_level(&quals, 1).is_empty() && !has_outer(&quals) {
        return Ok(None);
    }
    if is_volatile(&g.cat, &quals) {
        return Ok(None);
    }
    let offset = root.query.rtable.len() as u32;
    let upper = level_one_varnos(&quals);
    if upper.is_empty() || !upper.subset_of(avail) {
        return Ok(None);
    }
    q.jointree.quals = Some(quals);
    offset_query(&mut q, offset);
    shift_query_levels(&mut q, -1, 1);
    quals = match q.jointree.quals.take() {
        Some(q) => q,
        None => return Ok(None),
    };
    root.query.rtable.append(&mut q.rtable);
    root.query.row_marks.append(&mut q.row_marks);
    root.query.has_sublinks = true;
    let right = if q.jointree.from.len() == 1 {
        q.jointree.from.swap_remove(0)
    } else {
        FromItem::From(Box::new(q.jointree))
    };
    let kind = if under_not { JoinKind::Anti } else { JoinKind::Semi };
    Ok(Some(Box::new(JoinExpr { kind, left: placeholder(), right, quals: Some(quals), rte: 0 })))
}

fn has_outer(e: &Expr) -> bool {
    !level_one_varnos(e).is_empty()
}

/// Relations of the parent level, seen from inside the subquery.
fn level_one_varnos(e: &Expr) -> Relids {
    let mut out = Relids::new();
    visit(e, 0, &mut |e, depth| {
        if let Expr::Var(v) = e
            && v.levels_up == depth + 1
        {
            out.insert(v.rte);
        }
        Visit::Into
    });
    out
}

/// Replaces the sublinks of an expression by SubPlans or by params of init plans.
pub(crate) fn process_sublinks(
    g: &mut Glob<'_>,
    root: &mut Root,
    e: &mut Expr,
    top_qual: bool,
) -> PgResult<()> {
    match e {
        Expr::SubLink(s) => {
            if s.kind != SubLinkKind::Array
                && let Some(t) = &mut s.test
            {
                process_sublinks(g, root, t, false)?;
            }
            let ty = (e.ty(), e.typmod(), e.collation());
            let Expr::SubLink(s) = mem::replace(e, Expr::null(oid::BOOL)) else { return Ok(()) };
            *e = make_subplan(g, root, *s, ty, top_qual)?;
            Ok(())
        }
        Expr::MultiAssign { sublink, column, ty, typmod, collation } => {
            if let Some(ids) = root.multiexpr_params.get(sublink) {
                let id = ids.get(*column as usize - 1).copied().ok_or_else(|| {
                    PgError::internal("multi-column assignment beyond its subquery's columns")
                })?;
                *e = exec_param(id, *ty, *typmod, *collation);
            }
            Ok(())
        }
        Expr::Aggref(a) if a.levels_up > 0 => Ok(()),
        Expr::Bool { op: BoolOp::And, args, .. } => {
            args.iter_mut().try_for_each(|a| process_sublinks(g, root, a, top_qual))
        }
        _ => each_child_mut(e, &mut |c| process_sublinks(g, root, c, false)),
    }
}

pub(crate) fn exec_param(id: u32, ty: Oid, typmod: i32, collation: Oid) -> Expr {
    Expr::Param(Param { kind: ParamKind::Exec, id, ty, typmod, collation, location: -1 })
}

/// Plans a sublink's query and makes the expression that stands for it.
fn make_subplan(
    g: &mut Glob<'_>,
    root: &mut Root,
    s: SubLink,
    ty: (Oid, i32, Oid),
    top_qual: bool,
) -> PgResult<Expr> {
    let mut query = *s.query;
    if s.kind == SubLinkKind::Exists {
        simplify_exists(g, &mut query)?;
    }
    let fraction = match s.kind {
        SubLinkKind::Exists => 1.0,
        SubLinkKind::Any | SubLinkKind::All => 0.5,
        _ => 0.0,
    };
    let saved = mem::take(&mut g.levels[root.level].plan_params);
    let mut sub = crate::subquery::plan_query(g, query, root.level + 1, false, fraction, None)?;
    let plan_params = mem::replace(&mut g.levels[root.level].plan_params, saved);
    let plan = crate::create::finish_query(g, &mut sub, fraction)?;
    build_subplan(g, root, plan, sub, plan_params, s.kind, s.id, s.test, ty, top_qual)
}

fn output_types(plan: &Plan) -> Vec<(Oid, i32, Oid)> {
    plan.targets
        .iter()
        .filter(|t| !t.junk)
        .map(|t| (t.expr.ty(), t.expr.typmod(), t.expr.collation()))
        .collect()
}

#[allow(clippy::too_many_arguments)]
fn build_subplan(
    g: &mut Glob<'_>,
    root: &mut Root,
    plan: Plan,
    sub: Root,
    plan_params: Vec<PlanParam>,
    kind: SubLinkKind,
    id: u32,
    test: Option<Expr>,
    ty: (Oid, i32, Oid),
    top_qual: bool,
) -> PgResult<Expr> {
    let outputs = output_types(&plan);
    let correlated = !plan_params.is_empty();
    let mut params = Vec::new();
    let mut args = Vec::new();
    for p in plan_params {
        let mut arg = p.expr;
        if contains(&arg, &|e| matches!(e, Expr::SubLink(_))) {
            process_sublinks(g, root, &mut arg, false)?;
        }
        params.push(p.id);
        args.push(arg);
    }
    let plan_no = g.subplans.len() as u32;
    let single = !correlated
        && matches!(
            kind,
            SubLinkKind::Exists
                | SubLinkKind::Expr
                | SubLinkKind::Array
                | SubLinkKind::RowCompare
                | SubLinkKind::MultiExpr
        );
    let mut set_params: Vec<u32> = Vec::new();
    let mut column_params = Vec::new();
    let mut test = if kind == SubLinkKind::Array { None } else { test };
    let result;
    let prefix = if single { "InitPlan" } else { "SubPlan" };
    let name = format!("{prefix} {}", plan_no + 1);
    let mut plan = plan;
    if single {
        match kind {
            SubLinkKind::RowCompare => {
                set_params = outputs.iter().map(|_| g.new_param()).collect();
                let mut t = test.take().ok_or_else(|| PgError::internal("row comparison without a test"))?;
                replace_with_params(&mut t, &set_params, &outputs);
                result = t;
            }
            SubLinkKind::MultiExpr => {
                set_params = outputs.iter().map(|_| g.new_param()).collect();
                root.multiexpr_params.insert(id, set_params.clone());
                result = Expr::null(oid::RECORD);
            }
            _ => {
                let p = g.new_param();
                set_params.push(p);
                result = exec_param(p, ty.0, ty.1, ty.2);
            }
        }
        root.init_plans.push(InitPlan { plan: plan_no, set_params, kind, name, cte_param: None });
        g.subplans.push(SubplanSlot { plan: Some(plan), root: Some(Box::new(sub)) });
        return Ok(result);
    }
    if matches!(kind, SubLinkKind::Any | SubLinkKind::All | SubLinkKind::RowCompare) {
        column_params = outputs.iter().map(|_| g.new_param()).collect();
        if let Some(t) = &mut test {
            replace_with_params(t, &column_params, &outputs);
        }
    }
    let mut use_hash = false;
    if kind == SubLinkKind::MultiExpr {
        set_params = outputs.iter().map(|_| g.new_param()).collect();
        root.multiexpr_params.insert(id, set_params.clone());
    } else if kind == SubLinkKind::Any && !correlated && hashable(g, &plan, test.as_ref(), &column_params) {
        use_hash = true;
    } else if !correlated && g.set.material && !materializes(&plan) {
        plan = materialize(g, plan);
    }
    let _ = top_qual;
    g.subplans.push(SubplanSlot { plan: Some(plan), root: Some(Box::new(sub)) });
    Ok(Expr::SubPlan(Box::new(SubPlan {
        kind,
        test,
        column_params,
        plan: plan_no,
        name,
        ty: ty.0,
        typmod: ty.1,
        collation: ty.2,
        use_hash,
        params,
        args,
        set_params,
    })))
}

fn replace_with_params(test: &mut Expr, ids: &[u32], types: &[(Oid, i32, Oid)]) {
    replace_columns(test, &|i| {
        let (ty, typmod, collation) = *types.get(i as usize)?;
        Some(exec_param(*ids.get(i as usize)?, ty, typmod, collation))
    });
}

fn materializes(plan: &Plan) -> bool {
    matches!(
        plan.node,
        PlanNode::Material
            | PlanNode::FunctionScan { .. }
            | PlanNode::TableFuncScan { .. }
            | PlanNode::CteScan { .. }
            | PlanNode::WorkTableScan { .. }
            | PlanNode::TuplestoreScan { .. }
            | PlanNode::Sort { .. }
    )
}

/// Puts a Material node above a finished plan.
pub(crate) fn materialize(g: &Glob<'_>, plan: Plan) -> Plan {
    let (mut cost, targets) = (plan.cost, crate::create::pass_targets(&plan));
    cost.total += crate::cost::material_run_cost(g, cost.rows, cost.width);
    let mut m = Plan::new(PlanNode::Material, targets);
    m.cost = cost;
    m.left = Some(Box::new(plan));
    m
}

/// The subquery's result fits in memory and every comparison is a hashable strict operator with the outer side left.
fn hashable(g: &Glob<'_>, plan: &Plan, test: Option<&Expr>, columns: &[u32]) -> bool {
    let size = plan.cost.rows * (f64::from((plan.cost.width + 7) & !7) + 24.0);
    if size > g.set.hash_mem() {
        return false;
    }
    let Some(test) = test else { return false };
    let ops: &[Expr] = match test {
        Expr::Op(_) => std::slice::from_ref(test),
        Expr::Bool { op: BoolOp::And, args, .. } => args,
        _ => return false,
    };
    ops.iter().all(|e| {
        let Some((o, left, right)) = as_binary(e) else { return false };
        let uses_column = |e: &Expr| {
            contains(
                e,
                &|x| matches!(x, Expr::Param(p) if p.kind == ParamKind::Exec && columns.contains(&p.id)),
            )
        };
        g.cat.can_hash(o.op, left.ty())
            && g.cat.is_strict(o.func)
            && g.cat.families(o.op).any(|f| f.am == pglite_catalog::well_known::AM_HASH)
            && !uses_column(left)
            && !has_vars(right)
            && uses_column(right)
            && !has_subplans(left)
    })
}
