//! Targets of the steps: what each must emit so that the next one finds what it needs.

use std::rc::Rc;

use pglite_ir::expr::Expr;
use pglite_ir::walk::any_child;

use crate::equal::{equal, member};
use crate::exprs::*;
use crate::rel::finish_target;
use crate::types::*;

/// The query's own output.
pub(crate) fn make_final_target(g: &Glob<'_>, root: &Root) -> Rc<Target> {
    let t = Target {
        exprs: root.processed_targets.iter().map(|t| t.expr.clone()).collect(),
        refs: root.processed_targets.iter().map(|t| t.sort_group_ref).collect(),
        ..Target::default()
    };
    Rc::new(finish_target(g, root, t))
}

/// Parts of an expression that lower steps must deliver: columns, and aggregates or window functions where those are
/// computed below.
fn pull(e: &Expr, keep_aggs: bool, keep_windows: bool, out: &mut Vec<Expr>) {
    match e {
        Expr::Var(v) if v.levels_up == 0 => push(out, e),
        Expr::Aggref(a) if keep_aggs && a.levels_up == 0 => push(out, e),
        Expr::Grouping { levels_up: 0, .. } if keep_aggs => push(out, e),
        Expr::WindowFunc(_) if keep_windows => push(out, e),
        _ => {
            any_child(e, &mut |c| {
                pull(c, keep_aggs, keep_windows, out);
                false
            });
        }
    }
}

fn push(out: &mut Vec<Expr>, e: &Expr) {
    if !member(out, e) {
        out.push(e.clone());
    }
}

fn add_new(t: &mut Target, list: Vec<Expr>) {
    for e in list {
        if !member(&t.exprs, &e) {
            t.exprs.push(e);
            t.refs.push(0);
        }
    }
}

fn add_column(t: &mut Target, e: Expr, sort_ref: u32) {
    t.exprs.push(e);
    t.refs.push(sort_ref);
}

/// Before sorting: without what is better evaluated after it.
// Why: the vectors run in step with the target.
#[allow(clippy::needless_range_loop, clippy::nonminimal_bool)]
pub(crate) fn make_sort_input(g: &Glob<'_>, root: &Root, final_target: &Rc<Target>) -> (Rc<Target>, bool) {
    let limited = root.query.limit.is_some();
    let n = final_target.exprs.len();
    let mut postpone = vec![false; n];
    let (mut any_srf_sorted, mut expensive, mut volatile, mut srf) = (false, false, false, false);
    let is_srf: Vec<bool> = final_target.exprs.iter().map(returns_set).collect();
    let is_vol: Vec<bool> = final_target.exprs.iter().map(|e| is_volatile(&g.cat, e)).collect();
    for i in 0..n {
        if final_target.sort_ref(i) == 0 {
            if is_srf[i] {
                srf = true;
            } else if is_vol[i] {
                volatile = true;
            } else if is_expensive_call(g, &final_target.exprs[i]) {
                expensive = true;
            }
        } else if is_srf[i] {
            any_srf_sorted = true;
        }
    }
    let postpone_srfs = srf && !any_srf_sorted;
    if !(postpone_srfs || volatile || expensive && limited) {
        return (final_target.clone(), false);
    }
    for i in 0..n {
        if final_target.sort_ref(i) == 0 {
            let exp = !is_vol[i] && !is_srf[i] && is_expensive_call(g, &final_target.exprs[i]);
            postpone[i] =
                postpone_srfs && is_srf[i] || is_vol[i] && (!is_srf[i] || postpone_srfs) || exp && limited;
        }
    }
    let mut t = Target::default();
    let mut needed = Vec::new();
    for i in 0..n {
        if postpone[i] {
            pull(&final_target.exprs[i], true, true, &mut needed);
        } else {
            add_column(&mut t, final_target.exprs[i].clone(), final_target.sort_ref(i));
        }
    }
    add_new(&mut t, needed);
    (Rc::new(finish_target(g, root, t)), true)
}

fn is_expensive_call(g: &Glob<'_>, e: &Expr) -> bool {
    super::is_expensive(g, e)
}

/// Before windows: their partition and order columns, and what the rest is made of.
pub(crate) fn make_window_input(
    g: &Glob<'_>,
    root: &Root,
    final_target: &Rc<Target>,
    windows: &[usize],
) -> Rc<Target> {
    let mut refs: Vec<u32> = Vec::new();
    for &w in windows {
        let w = &root.query.windows[w];
        refs.extend(w.partition.iter().chain(&w.order).map(|c| c.target_ref));
    }
    refs.extend(root.processed_group.iter().map(|c| c.target_ref));
    let mut t = Target::default();
    let mut flat = Vec::new();
    for (i, e) in final_target.exprs.iter().enumerate() {
        let r = final_target.sort_ref(i);
        if r != 0 && refs.contains(&r) && !has_windows(e) {
            add_column(&mut t, e.clone(), r);
        } else {
            pull(e, true, false, &mut flat);
        }
    }
    for w in &root.query.windows {
        for b in [&w.frame.start, &w.frame.end] {
            if let pglite_ir::query::FrameBound::Preceding(e) | pglite_ir::query::FrameBound::Following(e) = b
            {
                pull(e, true, false, &mut flat);
            }
        }
    }
    add_new(&mut t, flat);
    Rc::new(finish_target(g, root, t))
}

/// Before grouping: the grouping expressions, and the columns that the rest (aggregate arguments included) is made of.
pub(crate) fn make_group_input(g: &Glob<'_>, root: &Root, final_target: &Rc<Target>) -> Rc<Target> {
    let refs: Vec<u32> = root.query.group.iter().map(|c| c.target_ref).collect();
    let mut t = Target::default();
    let mut flat = Vec::new();
    for (i, e) in final_target.exprs.iter().enumerate() {
        let r = final_target.sort_ref(i);
        if r != 0 && refs.contains(&r) {
            add_column(&mut t, e.clone(), r);
        } else {
            pull(e, false, false, &mut flat);
        }
    }
    if let Some(h) = &root.query.having {
        pull(h, false, false, &mut flat);
    }
    add_new(&mut t, flat);
    Rc::new(finish_target(g, root, t))
}

/// Targets evaluated one after the other so that each set-returning call stands at the top of some target column:
/// the first is free of them.
pub(crate) fn split_srf_levels(target: &Target) -> Vec<Target> {
    let mut levels = vec![];
    let mut first = Target::default();
    for (i, e) in target.exprs.iter().enumerate() {
        if returns_set(e) {
            let mut inputs = Vec::new();
            srf_inputs(e, &mut inputs);
            for x in inputs {
                if !member(&first.exprs, &x) {
                    first.exprs.push(x);
                    first.refs.push(0);
                }
            }
        } else {
            first.exprs.push(e.clone());
            first.refs.push(target.sort_ref(i));
        }
    }
    levels.push(first);
    levels
}

/// Parts of an expression with set-returning calls that have none themselves: columns and finished subexpressions.
fn srf_inputs(e: &Expr, out: &mut Vec<Expr>) {
    match e {
        Expr::Var(_) | Expr::Aggref(_) | Expr::WindowFunc(_) | Expr::Grouping { .. } => push(out, e),
        Expr::Const(_) => {}
        _ => {
            any_child(e, &mut |c| {
                srf_inputs(c, out);
                false
            });
        }
    }
}

/// How deep set-returning calls are nested in the expression (0: none), those in `done` not counted.
fn srf_depth(e: &Expr, done: &[Expr]) -> usize {
    if member(done, e) {
        return 0;
    }
    let mut below = 0;
    any_child(e, &mut |c| {
        below = below.max(srf_depth(c, done));
        false
    });
    below + usize::from(is_srf(e))
}

fn collect_srfs(e: &Expr, level: usize, done: &[Expr], out: &mut Vec<Expr>) {
    if member(done, e) {
        return;
    }
    if is_srf(e) && srf_depth(e, done) == level {
        push(out, e);
    }
    any_child(e, &mut |c| {
        collect_srfs(c, level, done, out);
        false
    });
}

/// The projection steps between an input target and one with set-returning functions: (target, is a ProjectSet).
pub(crate) fn srf_levels_above(target: &Target, input: &Target) -> Vec<(Target, bool)> {
    let done = &input.exprs;
    let depth = target.exprs.iter().map(|e| srf_depth(e, done)).max().unwrap_or(0);
    if depth == 0 {
        return Vec::new();
    }
    let mut levels = Vec::new();
    let mut available: Vec<(Expr, u32)> =
        input.exprs.iter().enumerate().map(|(i, e)| (e.clone(), input.sort_ref(i))).collect();
    for level in 1..=depth {
        let mut srfs = Vec::new();
        target.exprs.iter().for_each(|e| collect_srfs(e, level, done, &mut srfs));
        let top_level = level == depth && target.exprs.iter().all(|e| srf_depth(e, done) == 0 || is_srf(e));
        if top_level {
            levels.push((
                Target { exprs: target.exprs.clone(), refs: target.refs.clone(), ..Target::default() },
                true,
            ));
            return levels;
        }
        let mut t = Target::default();
        for (e, r) in &available {
            add_column(&mut t, e.clone(), *r);
        }
        for s in &srfs {
            if !t.exprs.iter().any(|e| equal(e, s)) {
                let i = target.exprs.iter().position(|e| equal(e, s));
                add_column(&mut t, s.clone(), i.map_or(0, |i| target.sort_ref(i)));
            }
        }
        available = t.exprs.iter().cloned().zip(t.refs.iter().copied()).collect();
        levels.push((t, true));
    }
    levels.push((
        Target { exprs: target.exprs.clone(), refs: target.refs.clone(), ..Target::default() },
        false,
    ));
    levels
}
