//! Subqueries in FROM: conditions that may be pushed into them, and their planning.

use std::mem;

use pglite_error::PgResult;
use pglite_ir::expr::*;
use pglite_ir::query::*;
use pglite_ir::walk::contains;

use super::*;
use crate::exprs::*;
use crate::walker::*;

pub(super) fn plan_subquery(g: &mut Glob<'_>, root: &mut Root, rel: RelId) -> PgResult<()> {
    let rti = root.rels[rel].relid;
    let rte = &mut root.query.rtable[rti as usize - 1];
    let names = rte.eref.columns.clone();
    let RteKind::Subquery { query, security_barrier, .. } = &mut rte.kind else { return Ok(()) };
    let mut query = mem::replace(&mut **query, Query::new(CommandType::Select));
    let barrier = *security_barrier;
    let lateral_ok = rte.lateral;
    if !root.rels[rel].restrict.is_empty() {
        let unsafe_cols = unsafe_columns(g, &query);
        if let Some(unsafe_cols) = unsafe_cols {
            let mut kept = Vec::new();
            for r in mem::take(&mut root.rels[rel].restrict) {
                let leak_ok = !barrier || r.leakproof || !calls_functions(&r.clause);
                if !r.pseudoconstant && leak_ok && qual_is_safe(g, &r.clause, rti, &unsafe_cols) {
                    push_qual(&mut query, &r.clause, rti, &names);
                } else {
                    kept.push(r);
                }
            }
            root.rels[rel].restrict = kept;
        }
    }
    let plain = !root.query.has_aggs
        && root.query.group.is_empty()
        && root.query.grouping_sets.is_empty()
        && root.query.having.is_none()
        && root.query.distinct.is_empty()
        && root.query.sort.is_empty()
        && root.all_baserels.len() == 1;
    let fraction = if plain { root.tuple_fraction } else { 0.0 };
    let saved = mem::take(&mut g.levels[root.level].plan_params);
    let sub = crate::subquery::plan_query(g, query, root.level + 1, false, fraction, None)?;
    let params = mem::replace(&mut g.levels[root.level].plan_params, saved);
    let _ = lateral_ok;
    root.rels[rel].subplan_params = params;
    let final_rel = sub.final_rel;
    let (dummy, tuples) = match final_rel {
        Some(f) => (sub.rels[f].dummy, sub.rels[f].cheapest_total.as_ref().map_or(1.0, |p| p.rows)),
        None => (false, 1.0),
    };
    root.subroots.push(Some(Box::new(sub)));
    root.rels[rel].subroot = Some(root.subroots.len() - 1);
    root.rels[rel].tuples = tuples;
    set_base_size(g, root, rel);
    if dummy || is_excluded(root, rel) {
        mark_dummy(root, rel);
        return Ok(());
    }
    add_subquery_paths(g, root, rel)?;
    Ok(())
}

fn calls_functions(e: &Expr) -> bool {
    contains(e, &|e| matches!(e, Expr::Func(_) | Expr::Op(_) | Expr::CoerceViaIo { .. }))
}

/// Columns (by resno) on which conditions cannot be pushed down; None when none can be at all.
fn unsafe_columns(g: &Glob<'_>, q: &Query) -> Option<Vec<(i16, bool)>> {
    let mut cols = Vec::new();
    if !collect_unsafe(g, q, q, &mut cols) {
        return None;
    }
    Some(cols)
}

/// Fills in (resno, unsafe); false when pushing down is wrong altogether.
fn collect_unsafe(g: &Glob<'_>, q: &Query, top: &Query, cols: &mut Vec<(i16, bool)>) -> bool {
    if q.limit.is_some() || q.offset.is_some() || q.with_ties || !q.row_marks.is_empty() && q.has_for_update {
        return false;
    }
    if !q.grouping_sets.is_empty() && !q.group.is_empty() {
        return false;
    }
    let _ = top;
    match &q.set_ops {
        None => own_unsafe(g, q, cols),
        Some(tree) => setop_unsafe(g, q, tree, cols),
    }
    true
}

fn own_unsafe(g: &Glob<'_>, q: &Query, cols: &mut Vec<(i16, bool)>) {
    for t in q.targets.iter().filter(|t| !t.junk) {
        let mut bad = returns_set(&t.expr) || is_volatile(&g.cat, &t.expr);
        if q.has_windows || q.windows.iter().any(|w| !w.partition.is_empty()) {
            // Only columns every window partitions by keep their partitions whole.
            let in_all = q.windows.iter().all(|w| {
                t.sort_group_ref != 0 && w.partition.iter().any(|p| p.target_ref == t.sort_group_ref)
            });
            bad |= q.has_windows && !in_all;
        }
        if !q.distinct.is_empty() && q.distinct_on {
            bad |= !q.distinct.iter().any(|d| t.sort_group_ref != 0 && d.target_ref == t.sort_group_ref);
        }
        if bad {
            cols.push((t.resno, true));
        }
    }
}

fn setop_unsafe(g: &Glob<'_>, q: &Query, tree: &SetOpTree, cols: &mut Vec<(i16, bool)>) {
    match tree {
        SetOpTree::Leaf(r) => {
            if let RteKind::Subquery { query, .. } = &q.rtable[*r as usize - 1].kind {
                if !collect_unsafe(g, query, q, cols) {
                    cols.extend(query.targets.iter().map(|t| (t.resno, true)));
                }
                // A column whose type the set operation changed compares differently below it.
                for (t, top) in query.targets.iter().zip(&q.targets) {
                    if t.expr.ty() != top.expr.ty() {
                        cols.push((t.resno, true));
                    }
                }
            }
        }
        SetOpTree::Op { kind, left, right, .. } => {
            if *kind == SetOpKind::Except {
                // Conditions on the right side of EXCEPT would be fine too, but change nothing.
            }
            setop_unsafe(g, q, left, cols);
            setop_unsafe(g, q, right, cols);
        }
    }
}

fn qual_is_safe(g: &Glob<'_>, e: &Expr, rti: u32, unsafe_cols: &[(i16, bool)]) -> bool {
    if has_subplans(e) || is_volatile(&g.cat, e) {
        return false;
    }
    let mut ok = true;
    each_var(e, &mut |v| {
        ok &= v.rte == rti && v.attno > 0 && !unsafe_cols.iter().any(|(c, _)| *c == v.attno);
    });
    ok
}

/// Adds the condition to the subquery's WHERE, HAVING or, for set operations, to every arm.
fn push_qual(q: &mut Query, qual: &Expr, rti: u32, names: &[String]) {
    if let Some(tree) = q.set_ops.take() {
        push_to_arms(q, &tree, qual, rti, names);
        q.set_ops = Some(tree);
        return;
    }
    let mut e = qual.clone();
    // Params and upper references in the condition are one level further away inside.
    shift_levels(&mut e, 1, 1);
    rewrite(&mut e, 0, &mut |e: &mut Expr, depth: u32| {
        let Expr::Var(v) = e else { return true };
        if v.rte == rti
            && v.levels_up == depth
            && let Some(mut new) = crate::pullup::column_expr(v, &q.targets, names)
        {
            shift_levels(&mut new, depth as i32, 0);
            *e = new;
            return false;
        }
        true
    });
    let slot = if q.has_aggs || !q.group.is_empty() || !q.grouping_sets.is_empty() || q.having.is_some() {
        &mut q.having
    } else {
        &mut q.jointree.quals
    };
    *slot = Some(match slot.take() {
        None => e,
        Some(Expr::Bool { op: BoolOp::And, mut args, location }) => {
            args.push(e);
            Expr::Bool { op: BoolOp::And, args, location }
        }
        Some(other) => Expr::and(vec![other, e]),
    });
}

fn push_to_arms(q: &mut Query, tree: &SetOpTree, qual: &Expr, rti: u32, names: &[String]) {
    match tree {
        SetOpTree::Leaf(r) => {
            if let RteKind::Subquery { query, .. } = &mut q.rtable[*r as usize - 1].kind {
                push_qual(query, qual, rti, names);
            }
        }
        SetOpTree::Op { left, right, .. } => {
            push_to_arms(q, left, qual, rti, names);
            push_to_arms(q, right, qual, rti, names);
        }
    }
}
