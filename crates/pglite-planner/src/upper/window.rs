//! Window functions: one WindowAgg a window, in an order that lets them share sorts.

use std::rc::Rc;

use pglite_ir::walk::any_child;

use super::*;

fn collect(e: &Expr, out: &mut Vec<Expr>) {
    if let Expr::WindowFunc(_) = e {
        if !crate::equal::member(out, e) {
            out.push(e.clone());
        }
        return;
    }
    any_child(e, &mut |c| {
        collect(c, out);
        false
    });
}

/// Indexes of the windows that some function uses, in evaluation order.
pub(super) fn active(root: &Root) -> Vec<usize> {
    if !root.query.has_windows {
        return Vec::new();
    }
    let mut funcs = Vec::new();
    root.processed_targets.iter().for_each(|t| collect(&t.expr, &mut funcs));
    let used = |winref: u32| funcs.iter().any(|f| matches!(f, Expr::WindowFunc(w) if w.winref == winref));
    let mut list: Vec<usize> =
        (0..root.query.windows.len()).filter(|i| used(root.query.windows[*i].winref)).collect();
    let order = |i: usize| -> Vec<SortGroupClause> {
        let w = &root.query.windows[i];
        let mut keys: Vec<SortGroupClause> = Vec::new();
        for c in w.partition.iter().chain(&w.order) {
            if !keys.iter().any(|k| k.target_ref == c.target_ref) {
                keys.push(c.clone());
            }
        }
        keys
    };
    list.sort_by(|a, b| {
        let (a, b) = (order(*a), order(*b));
        for (x, y) in a.iter().zip(&b) {
            let key = |c: &SortGroupClause| (c.target_ref, c.sort_op, c.nulls_first);
            let o = key(y).cmp(&key(x));
            if o.is_ne() {
                return o;
            }
        }
        b.len().cmp(&a.len())
    });
    list
}

pub(super) fn keys(g: &Glob<'_>, root: &mut Root, window: usize, targets: &[TargetEntry]) -> Vec<PathKey> {
    let w = &root.query.windows[window];
    let mut clauses = w.partition.clone();
    for c in &w.order {
        if !clauses.iter().any(|p| p.target_ref == c.target_ref) {
            clauses.push(c.clone());
        }
    }
    clauses.retain(|c| c.sort_op.is_valid());
    pathkeys::for_clauses(g, root, &clauses, targets)
}

pub(super) fn add_window_paths(
    g: &mut Glob<'_>,
    root: &mut Root,
    input: RelId,
    input_target: &Rc<Target>,
    output: &Rc<Target>,
    windows: &[usize],
) -> PgResult<RelId> {
    let out = upper_rel(root, root.rels[input].relids.clone());
    root.rels[out].target = output.clone();
    let cheapest = root.rels[input].cheapest_total.clone();
    let targets = root.processed_targets.clone();
    let mut funcs = Vec::new();
    output.exprs.iter().for_each(|e| collect(e, &mut funcs));
    let window_keys: Vec<Vec<PathKey>> = windows.iter().map(|w| keys(g, root, *w, &targets)).collect();
    for p in root.rels[input].paths.clone() {
        let is_cheapest = cheapest.as_ref().is_some_and(|c| Rc::ptr_eq(c, &p));
        let useful = window_keys.first().is_some_and(|k| {
            pathkeys::contained(k, &p.pathkeys) || pathkeys::common_prefix(k, &p.pathkeys) > 0
        });
        if !is_cheapest && !useful {
            continue;
        }
        let mut path = p;
        let mut current = (**input_target).clone();
        for (n, &w) in windows.iter().enumerate() {
            let Some(sorted) = ordered(g, root, out, &path, &window_keys[n], -1.0, true) else { break };
            let last = n + 1 == windows.len();
            let winref = root.query.windows[w].winref;
            let mine: Vec<Expr> = funcs
                .iter()
                .filter(|f| matches!(f, Expr::WindowFunc(x) if x.winref == winref))
                .cloned()
                .collect();
            let target = if last {
                output.clone()
            } else {
                for f in &mine {
                    current.exprs.push(f.clone());
                    current.refs.push(0);
                }
                Rc::new(crate::rel::finish_target(g, root, current.clone()))
            };
            path = Rc::new(window_path(g, root, out, sorted, target, w, &mine));
        }
        let path = wrap(out, path);
        add_path(&mut root.rels[out], path);
    }
    set_cheapest(&mut root.rels[out]);
    if let Some(p) = &root.rels[out].cheapest_total {
        root.rels[out].rows = p.rows;
    }
    Ok(out)
}

fn window_path(
    g: &Glob<'_>,
    root: &Root,
    out: RelId,
    sub: Rc<Path>,
    target: Rc<Target>,
    w: usize,
    funcs: &[Expr],
) -> Path {
    let clause = &root.query.windows[w];
    let mut fcost = QualCost::default();
    for f in funcs {
        if let Expr::WindowFunc(f) = f {
            let args = list_cost(g, f.args.iter().chain(f.filter.as_ref()));
            fcost.startup += args.startup;
            fcost.per_tuple += args.per_tuple;
        }
    }
    // Rows needed before the first can be returned.
    let startup_tuples = if clause.order.is_empty() {
        let exprs =
            super::group::exprs_of(root, &clause.partition.iter().map(|c| c.target_ref).collect::<Vec<_>>());
        if exprs.is_empty() { sub.rows } else { sub.rows / crate::sel::num_groups(g, root, &exprs, sub.rows) }
    } else {
        1.0
    };
    let c = cost::window(
        g,
        fcost,
        funcs.len(),
        clause.partition.len(),
        clause.order.len(),
        costs_of(&sub),
        sub.rows,
        startup_tuples,
    );
    Path {
        rel: out,
        rows: sub.rows,
        startup: c.startup + target.cost.startup,
        total: c.total + target.cost.startup + target.cost.per_tuple * sub.rows,
        disabled: c.disabled,
        pathkeys: sub.pathkeys.clone(),
        param: None,
        target,
        node: PathNode::Window { sub, clause: w, run_condition: Vec::new() },
    }
}
