//! Walking expressions together with the queries inside their sublinks, and whole queries, with the nesting depth at hand.
//!
//! Depth 0 is the query (or expression) the walk began at; a Var with `levels_up == depth` belongs to that level.

use pglite_ir::expr::{Expr, Var};
use pglite_ir::query::*;
use pglite_ir::walk::{any_child, each_child_mut};

use crate::relids::Relids;

/// What a visitor wants next.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Visit {
    Into,
    Stop,
}

pub(crate) type Visitor<'a> = dyn FnMut(&Expr, u32) -> Visit + 'a;

/// Pre-order walk; returns true when stopped.
pub(crate) fn visit(e: &Expr, depth: u32, f: &mut Visitor<'_>) -> bool {
    match f(e, depth) {
        Visit::Stop => return true,
        Visit::Into => {}
    }
    if any_child(e, &mut |c| visit(c, depth, f)) {
        return true;
    }
    match e {
        Expr::SubLink(s) => visit_query(&s.query, depth + 1, f),
        _ => false,
    }
}

/// Every expression of a query and of the queries nested in it.
pub(crate) fn visit_query(q: &Query, depth: u32, f: &mut Visitor<'_>) -> bool {
    if own_exprs(q, &mut |e| visit(e, depth, f)) {
        return true;
    }
    q.rtable.iter().any(|r| match &r.kind {
        RteKind::Subquery { query, .. } => visit_query(query, depth + 1, f),
        _ => false,
    }) || q.ctes.iter().any(|c| visit_query(&c.query, depth + 1, f))
}

/// Calls `f` on each root expression of this query level; stops on true.
pub(crate) fn own_exprs(q: &Query, f: &mut dyn FnMut(&Expr) -> bool) -> bool {
    q.targets.iter().any(|t| f(&t.expr))
        || q.returning.iter().any(|t| f(&t.expr))
        || jointree_exprs(&q.jointree, f)
        || [&q.having, &q.limit, &q.offset].into_iter().flatten().any(&mut *f)
        || q.windows.iter().any(|w| {
            [&w.frame.start, &w.frame.end].into_iter().any(|b| match b {
                FrameBound::Preceding(e) | FrameBound::Following(e) => f(e),
                _ => false,
            })
        })
        || q.on_conflict.as_ref().is_some_and(|oc| {
            oc.arbiter_elems.iter().any(|a| f(&a.expr))
                || oc.arbiter_where.as_ref().is_some_and(&mut *f)
                || oc.set.iter().any(|t| f(&t.expr))
                || oc.where_.as_ref().is_some_and(&mut *f)
        })
        || q.merge.as_ref().is_some_and(|m| {
            m.join_condition.as_ref().is_some_and(&mut *f)
                || m.actions
                    .iter()
                    .any(|a| a.qual.as_ref().is_some_and(&mut *f) || a.targets.iter().any(|t| f(&t.expr)))
        })
        || q.rtable.iter().any(|r| rte_exprs(r, f))
}

/// The expressions of one range table entry (not its subquery).
pub(crate) fn rte_exprs(rte: &RangeTblEntry, f: &mut dyn FnMut(&Expr) -> bool) -> bool {
    if rte.security_quals.iter().any(&mut *f) {
        return true;
    }
    match &rte.kind {
        RteKind::Relation { sample: Some(s), .. } => {
            s.args.iter().any(&mut *f) || s.repeatable.as_ref().is_some_and(f)
        }
        RteKind::Join { vars, .. } => vars.iter().any(f),
        RteKind::Function { functions, .. } => functions.iter().any(|x| f(&x.expr)),
        RteKind::TableFunc(t) => tablefunc_exprs(t, f),
        RteKind::Values { rows, .. } => rows.iter().flatten().any(f),
        RteKind::Group { exprs } => exprs.iter().any(f),
        _ => false,
    }
}

fn tablefunc_exprs(t: &TableFunc, f: &mut dyn FnMut(&Expr) -> bool) -> bool {
    t.namespaces.iter().any(|(_, e)| f(e))
        || f(&t.doc)
        || t.row.as_ref().is_some_and(&mut *f)
        || t.columns.iter().any(|c| [&c.expr, &c.default, &c.json].into_iter().flatten().any(&mut *f))
        || t.passing.iter().any(|(_, e)| f(e))
}

fn jointree_exprs(j: &JoinTree, f: &mut dyn FnMut(&Expr) -> bool) -> bool {
    j.from.iter().any(|x| from_exprs(x, f)) || j.quals.as_ref().is_some_and(f)
}

fn from_exprs(item: &FromItem, f: &mut dyn FnMut(&Expr) -> bool) -> bool {
    match item {
        FromItem::Rte(_) => false,
        FromItem::Join(j) => {
            from_exprs(&j.left, f) || from_exprs(&j.right, f) || j.quals.as_ref().is_some_and(f)
        }
        FromItem::From(j) => jointree_exprs(j, f),
    }
}

/// Rewrites expressions and range table entries in place. `expr` returns true to descend into the expression.
pub(crate) trait Mutator {
    fn expr(&mut self, e: &mut Expr, depth: u32) -> bool;
    fn rte(&mut self, _rte: &mut RangeTblEntry, _depth: u32) {}
}

impl<F: FnMut(&mut Expr, u32) -> bool> Mutator for F {
    fn expr(&mut self, e: &mut Expr, depth: u32) -> bool {
        self(e, depth)
    }
}

/// Pre-order rewriting of one expression and the queries inside it.
pub(crate) fn rewrite(e: &mut Expr, depth: u32, m: &mut dyn Mutator) {
    if !m.expr(e, depth) {
        return;
    }
    let _ = each_child_mut(e, &mut |c| -> Result<(), ()> {
        rewrite(c, depth, m);
        Ok(())
    });
    if let Expr::SubLink(s) = e {
        rewrite_query(&mut s.query, depth + 1, m);
    }
}

/// Rewrites every expression and range table entry of a query and those nested in it.
pub(crate) fn rewrite_query(q: &mut Query, depth: u32, m: &mut dyn Mutator) {
    own_exprs_mut(q, &mut |e| rewrite(e, depth, m));
    for rte in &mut q.rtable {
        m.rte(rte, depth);
        if let RteKind::Subquery { query, .. } = &mut rte.kind {
            rewrite_query(query, depth + 1, m);
        }
    }
    for cte in &mut q.ctes {
        rewrite_query(&mut cte.query, depth + 1, m);
    }
}

/// Calls `f` on each root expression of this query level.
pub(crate) fn own_exprs_mut(q: &mut Query, f: &mut dyn FnMut(&mut Expr)) {
    q.targets.iter_mut().for_each(|t| f(&mut t.expr));
    q.returning.iter_mut().for_each(|t| f(&mut t.expr));
    jointree_exprs_mut(&mut q.jointree, f);
    [&mut q.having, &mut q.limit, &mut q.offset].into_iter().flatten().for_each(&mut *f);
    for w in &mut q.windows {
        for b in [&mut w.frame.start, &mut w.frame.end] {
            if let FrameBound::Preceding(e) | FrameBound::Following(e) = b {
                f(e);
            }
        }
    }
    if let Some(oc) = &mut q.on_conflict {
        oc.arbiter_elems.iter_mut().for_each(|a| f(&mut a.expr));
        oc.arbiter_where.iter_mut().for_each(&mut *f);
        oc.set.iter_mut().for_each(|t| f(&mut t.expr));
        oc.where_.iter_mut().for_each(&mut *f);
    }
    if let Some(m) = &mut q.merge {
        m.join_condition.iter_mut().for_each(&mut *f);
        for a in &mut m.actions {
            a.qual.iter_mut().for_each(&mut *f);
            a.targets.iter_mut().for_each(|t| f(&mut t.expr));
        }
    }
    q.rtable.iter_mut().for_each(|r| rte_exprs_mut(r, f));
}

/// The expressions of one range table entry (not its subquery).
pub(crate) fn rte_exprs_mut(rte: &mut RangeTblEntry, f: &mut dyn FnMut(&mut Expr)) {
    rte.security_quals.iter_mut().for_each(&mut *f);
    match &mut rte.kind {
        RteKind::Relation { sample: Some(s), .. } => {
            s.args.iter_mut().for_each(&mut *f);
            s.repeatable.iter_mut().for_each(f);
        }
        RteKind::Join { vars, .. } => vars.iter_mut().for_each(f),
        RteKind::Function { functions, .. } => functions.iter_mut().for_each(|x| f(&mut x.expr)),
        RteKind::TableFunc(t) => {
            t.namespaces.iter_mut().for_each(|(_, e)| f(e));
            f(&mut t.doc);
            t.row.iter_mut().for_each(&mut *f);
            for c in &mut t.columns {
                [&mut c.expr, &mut c.default, &mut c.json].into_iter().flatten().for_each(&mut *f);
            }
            t.passing.iter_mut().for_each(|(_, e)| f(e));
        }
        RteKind::Values { rows, .. } => rows.iter_mut().flatten().for_each(f),
        RteKind::Group { exprs } => exprs.iter_mut().for_each(f),
        _ => {}
    }
}

pub(crate) fn jointree_exprs_mut(j: &mut JoinTree, f: &mut dyn FnMut(&mut Expr)) {
    j.from.iter_mut().for_each(|x| from_exprs_mut(x, f));
    j.quals.iter_mut().for_each(f);
}

fn from_exprs_mut(item: &mut FromItem, f: &mut dyn FnMut(&mut Expr)) {
    match item {
        FromItem::Rte(_) => {}
        FromItem::Join(j) => {
            from_exprs_mut(&mut j.left, f);
            from_exprs_mut(&mut j.right, f);
            j.quals.iter_mut().for_each(f);
        }
        FromItem::From(j) => jointree_exprs_mut(j, f),
    }
}

/// Adds `delta` to the nesting distance of everything that refers at least `min` levels above the starting point.
struct ShiftLevels {
    delta: i32,
    min: u32,
}

impl ShiftLevels {
    fn shift(&self, level: &mut u32, depth: u32) {
        if *level >= self.min + depth {
            *level = level.wrapping_add_signed(self.delta);
        }
    }
}

impl Mutator for ShiftLevels {
    fn expr(&mut self, e: &mut Expr, depth: u32) -> bool {
        match e {
            Expr::Var(v) => self.shift(&mut v.levels_up, depth),
            Expr::Aggref(a) => self.shift(&mut a.levels_up, depth),
            Expr::Grouping { levels_up, .. } => self.shift(levels_up, depth),
            _ => {}
        }
        true
    }
    fn rte(&mut self, rte: &mut RangeTblEntry, depth: u32) {
        if let RteKind::Cte { levels_up, .. } = &mut rte.kind {
            self.shift(levels_up, depth);
        }
    }
}

/// Shifts `levels_up` by `delta` where it is at least `min`, seen from the expression's own level.
pub(crate) fn shift_levels(e: &mut Expr, delta: i32, min: u32) {
    if delta != 0 {
        rewrite(e, 0, &mut ShiftLevels { delta, min });
    }
}

/// Like [`shift_levels`] for a whole query; `min` counts from inside the query.
pub(crate) fn shift_query_levels(q: &mut Query, delta: i32, min: u32) {
    if delta != 0 {
        rewrite_query(q, 0, &mut ShiftLevels { delta, min });
    }
}

/// Renumbers the range table references of a query's own level by `offset` (its range table is appended to another's).
/// Covers expressions, the join tree and row marks; not the range table itself beyond its expressions.
pub(crate) fn offset_query(q: &mut Query, offset: u32) {
    rewrite_query(q, 0, &mut |e: &mut Expr, depth: u32| {
        offset_expr_node(e, depth, offset);
        true
    });
    offset_jointree(&mut q.jointree, offset);
    for m in &mut q.row_marks {
        m.rte += offset;
    }
}

fn offset_expr_node(e: &mut Expr, depth: u32, offset: u32) {
    match e {
        Expr::Var(v) if v.levels_up == depth => {
            v.rte += offset;
            if v.syn_rte > 0 {
                v.syn_rte += offset;
            }
        }
        Expr::CurrentOf { rte, .. } if depth == 0 => *rte += offset,
        _ => {}
    }
}

pub(crate) fn offset_jointree(j: &mut JoinTree, offset: u32) {
    j.from.iter_mut().for_each(|x| offset_from(x, offset));
}

fn offset_from(item: &mut FromItem, offset: u32) {
    match item {
        FromItem::Rte(r) => *r += offset,
        FromItem::Join(j) => {
            if j.rte > 0 {
                j.rte += offset;
            }
            offset_from(&mut j.left, offset);
            offset_from(&mut j.right, offset);
        }
        FromItem::From(j) => offset_jointree(j, offset),
    }
}

/// The relations whose columns the expression uses at its own level.
pub(crate) fn varnos(e: &Expr) -> Relids {
    let mut r = Relids::new();
    add_varnos(e, 0, &mut r);
    r
}

/// Relations of query nesting distance `level`.
pub(crate) fn varnos_of_level(e: &Expr, level: u32) -> Relids {
    let mut r = Relids::new();
    add_varnos(e, level, &mut r);
    r
}

fn add_varnos(e: &Expr, level: u32, out: &mut Relids) {
    visit(e, level, &mut |e, depth| {
        match e {
            Expr::Var(v) if v.levels_up == depth => out.insert(v.rte),
            Expr::CurrentOf { rte, .. } if depth == level => out.insert(*rte),
            _ => {}
        }
        Visit::Into
    });
}

/// The relations of nesting distance `level` that a query (one level below) uses.
pub(crate) fn query_varnos_of_level(q: &Query, level: u32) -> Relids {
    let mut out = Relids::new();
    visit_query(q, level, &mut |e, depth| {
        if let Expr::Var(v) = e
            && v.levels_up == depth
        {
            out.insert(v.rte);
        }
        Visit::Into
    });
    out
}

/// Calls `f` with each Var of the expression's own level.
pub(crate) fn each_var(e: &Expr, f: &mut dyn FnMut(&Var)) {
    visit(e, 0, &mut |e, depth| {
        if let Expr::Var(v) = e
            && v.levels_up == depth
        {
            f(v);
        }
        Visit::Into
    });
}

/// True when the query refers to Vars `level` levels up, counted from inside the query (1 = its parent).
pub(crate) fn query_has_vars_of_level(q: &Query, level: u32) -> bool {
    visit_query(q, level, &mut |e, depth| match e {
        Expr::Var(v) if v.levels_up == depth => Visit::Stop,
        Expr::Aggref(a) if a.levels_up == depth => Visit::Stop,
        _ => Visit::Into,
    })
}

/// Collects relation indexes of a join tree's leaves.
pub(crate) fn jointree_relids(j: &JoinTree, with_joins: bool) -> Relids {
    let mut r = Relids::new();
    for item in &j.from {
        add_item_relids(item, with_joins, &mut r);
    }
    r
}

pub(crate) fn item_relids(item: &FromItem, with_joins: bool) -> Relids {
    let mut r = Relids::new();
    add_item_relids(item, with_joins, &mut r);
    r
}

fn add_item_relids(item: &FromItem, with_joins: bool, out: &mut Relids) {
    match item {
        FromItem::Rte(i) => out.insert(*i),
        FromItem::Join(j) => {
            if with_joins && j.rte > 0 {
                out.insert(j.rte);
            }
            add_item_relids(&j.left, with_joins, out);
            add_item_relids(&j.right, with_joins, out);
        }
        FromItem::From(j) => j.from.iter().for_each(|x| add_item_relids(x, with_joins, out)),
    }
}

/// Splits a condition into its implicitly ANDed parts.
pub(crate) fn into_conjuncts(e: Option<Expr>) -> Vec<Expr> {
    let mut out = Vec::new();
    if let Some(e) = e {
        push_conjuncts(e, &mut out);
    }
    out
}

fn push_conjuncts(e: Expr, out: &mut Vec<Expr>) {
    match e {
        Expr::Bool { op: pglite_ir::BoolOp::And, args, .. } => {
            args.into_iter().for_each(|a| push_conjuncts(a, out))
        }
        Expr::Const(c) if c.value.as_bool() == Some(true) => {}
        e => out.push(e),
    }
}

/// The inverse: no condition for none.
pub(crate) fn from_conjuncts(list: Vec<Expr>) -> Option<Expr> {
    if list.is_empty() { None } else { Some(Expr::and(list)) }
}
