//! Walking whole queries: every expression of a query, subqueries below it, and the query levels between them.
//!
//! `depth` counts query levels below the start: a `Var` belongs to the starting query when `levels_up == depth`.

use crate::expr::{Expr, SubLink};
use crate::query::*;

/// Calls `f` on every expression that stands directly in the query (not in subqueries).
pub fn each_query_expr<'a>(q: &'a Query, f: &mut dyn FnMut(&'a Expr)) {
    q.targets.iter().chain(&q.returning).for_each(|t| f(&t.expr));
    each_join_expr(&q.jointree, f);
    q.having.iter().chain(&q.limit).chain(&q.offset).for_each(&mut *f);
    for w in &q.windows {
        for bound in [&w.frame.start, &w.frame.end] {
            if let FrameBound::Preceding(e) | FrameBound::Following(e) = bound {
                f(e);
            }
        }
    }
    if let Some(oc) = &q.on_conflict {
        oc.arbiter_elems.iter().for_each(|e| f(&e.expr));
        oc.arbiter_where.iter().for_each(&mut *f);
        oc.set.iter().for_each(|t| f(&t.expr));
        oc.where_.iter().for_each(&mut *f);
    }
    if let Some(m) = &q.merge {
        m.join_condition.iter().for_each(&mut *f);
        for a in &m.actions {
            a.qual.iter().for_each(&mut *f);
            a.targets.iter().for_each(|t| f(&t.expr));
        }
    }
    q.check_options.iter().for_each(|c| f(&c.qual));
    q.rtable.iter().for_each(|r| each_rte_expr(r, f));
}

fn each_join_expr<'a>(tree: &'a JoinTree, f: &mut dyn FnMut(&'a Expr)) {
    tree.from.iter().for_each(|i| each_from_expr(i, f));
    tree.quals.iter().for_each(&mut *f);
}

fn each_from_expr<'a>(item: &'a FromItem, f: &mut dyn FnMut(&'a Expr)) {
    match item {
        FromItem::Rte(_) => {}
        FromItem::Join(j) => {
            each_from_expr(&j.left, f);
            each_from_expr(&j.right, f);
            j.quals.iter().for_each(&mut *f);
        }
        FromItem::From(t) => each_join_expr(t, f),
    }
}

/// Calls `f` on the expressions of a range table entry (not of its subquery).
pub fn each_rte_expr<'a>(rte: &'a RangeTblEntry, f: &mut dyn FnMut(&'a Expr)) {
    match &rte.kind {
        RteKind::Relation { sample: Some(s), .. } => s.args.iter().chain(&s.repeatable).for_each(&mut *f),
        RteKind::Join { vars, .. } => vars.iter().for_each(&mut *f),
        RteKind::Function { functions, .. } => functions.iter().for_each(|x| f(&x.expr)),
        RteKind::TableFunc(t) => {
            t.namespaces.iter().for_each(|(_, e)| f(e));
            f(&t.doc);
            t.row.iter().for_each(&mut *f);
            t.passing.iter().for_each(|(_, e)| f(e));
            for c in &t.columns {
                c.expr.iter().chain(&c.default).chain(&c.json).for_each(&mut *f);
            }
        }
        RteKind::Values { rows, .. } => rows.iter().flatten().for_each(&mut *f),
        RteKind::Group { exprs } => exprs.iter().for_each(&mut *f),
        _ => {}
    }
    rte.security_quals.iter().for_each(f);
}

/// Like [`each_query_expr`], for rewriting in place.
pub fn each_query_expr_mut<E>(q: &mut Query, f: &mut dyn FnMut(&mut Expr) -> Result<(), E>) -> Result<(), E> {
    q.targets.iter_mut().chain(&mut q.returning).try_for_each(|t| f(&mut t.expr))?;
    each_join_expr_mut(&mut q.jointree, f)?;
    q.having.iter_mut().chain(&mut q.limit).chain(&mut q.offset).try_for_each(&mut *f)?;
    for w in &mut q.windows {
        for bound in [&mut w.frame.start, &mut w.frame.end] {
            if let FrameBound::Preceding(e) | FrameBound::Following(e) = bound {
                f(e)?;
            }
        }
    }
    if let Some(oc) = &mut q.on_conflict {
        oc.arbiter_elems.iter_mut().try_for_each(|e| f(&mut e.expr))?;
        oc.arbiter_where.iter_mut().try_for_each(&mut *f)?;
        oc.set.iter_mut().try_for_each(|t| f(&mut t.expr))?;
        oc.where_.iter_mut().try_for_each(&mut *f)?;
    }
    if let Some(m) = &mut q.merge {
        m.join_condition.iter_mut().try_for_each(&mut *f)?;
        for a in &mut m.actions {
            a.qual.iter_mut().try_for_each(&mut *f)?;
            a.targets.iter_mut().try_for_each(|t| f(&mut t.expr))?;
        }
    }
    q.check_options.iter_mut().try_for_each(|c| f(&mut c.qual))?;
    q.rtable.iter_mut().try_for_each(|r| each_rte_expr_mut(r, f))
}

fn each_join_expr_mut<E>(
    tree: &mut JoinTree,
    f: &mut dyn FnMut(&mut Expr) -> Result<(), E>,
) -> Result<(), E> {
    tree.from.iter_mut().try_for_each(|i| each_from_expr_mut(i, f))?;
    tree.quals.iter_mut().try_for_each(f)
}

fn each_from_expr_mut<E>(
    item: &mut FromItem,
    f: &mut dyn FnMut(&mut Expr) -> Result<(), E>,
) -> Result<(), E> {
    match item {
        FromItem::Rte(_) => Ok(()),
        FromItem::Join(j) => {
            each_from_expr_mut(&mut j.left, f)?;
            each_from_expr_mut(&mut j.right, f)?;
            j.quals.iter_mut().try_for_each(f)
        }
        FromItem::From(t) => each_join_expr_mut(t, f),
    }
}

/// Like [`each_rte_expr`], for rewriting in place.
pub fn each_rte_expr_mut<E>(
    rte: &mut RangeTblEntry,
    f: &mut dyn FnMut(&mut Expr) -> Result<(), E>,
) -> Result<(), E> {
    match &mut rte.kind {
        RteKind::Relation { sample: Some(s), .. } => {
            s.args.iter_mut().chain(&mut s.repeatable).try_for_each(&mut *f)?;
        }
        RteKind::Join { vars, .. } => vars.iter_mut().try_for_each(&mut *f)?,
        RteKind::Function { functions, .. } => functions.iter_mut().try_for_each(|x| f(&mut x.expr))?,
        RteKind::TableFunc(t) => {
            t.namespaces.iter_mut().try_for_each(|(_, e)| f(e))?;
            f(&mut t.doc)?;
            t.row.iter_mut().try_for_each(&mut *f)?;
            t.passing.iter_mut().try_for_each(|(_, e)| f(e))?;
            for c in &mut t.columns {
                c.expr.iter_mut().chain(&mut c.default).chain(&mut c.json).try_for_each(&mut *f)?;
            }
        }
        RteKind::Values { rows, .. } => rows.iter_mut().flatten().try_for_each(&mut *f)?,
        RteKind::Group { exprs } => exprs.iter_mut().try_for_each(&mut *f)?,
        _ => {}
    }
    rte.security_quals.iter_mut().try_for_each(f)
}

/// Calls `f` on every subquery in FROM and WITH.
pub fn each_subquery<'a>(q: &'a Query, f: &mut dyn FnMut(&'a Query)) {
    for rte in &q.rtable {
        if let RteKind::Subquery { query, .. } = &rte.kind {
            f(query);
        }
    }
    q.ctes.iter().for_each(|c| f(&c.query));
}

/// Like [`each_subquery`], for rewriting in place.
pub fn each_subquery_mut<E>(q: &mut Query, f: &mut dyn FnMut(&mut Query) -> Result<(), E>) -> Result<(), E> {
    for rte in &mut q.rtable {
        if let RteKind::Subquery { query, .. } = &mut rte.kind {
            f(query)?;
        }
    }
    q.ctes.iter_mut().try_for_each(|c| f(&mut c.query))
}

/// Visits an expression, everything below it and the queries of its sublinks, outermost first. `f` gets the query depth
/// and says whether to go below the node.
pub fn visit_expr<'a>(e: &'a Expr, depth: u32, f: &mut dyn FnMut(&'a Expr, u32) -> bool) {
    if !f(e, depth) {
        return;
    }
    each_child(e, &mut |c| visit_expr(c, depth, f));
    if let Expr::SubLink(s) = e {
        visit_query(&s.query, depth + 1, f);
    }
}

/// Visits every expression of a query and of the queries below it.
pub fn visit_query<'a>(q: &'a Query, depth: u32, f: &mut dyn FnMut(&'a Expr, u32) -> bool) {
    each_query_expr(q, &mut |e| visit_expr(e, depth, f));
    each_subquery(q, &mut |s| visit_query(s, depth + 1, f));
}

/// Calls `f` on every node of an expression and of the queries below it, children first, for rewriting in place.
pub fn mutate_expr<E>(
    e: &mut Expr,
    depth: u32,
    f: &mut dyn FnMut(&mut Expr, u32) -> Result<(), E>,
) -> Result<(), E> {
    crate::walk::each_child_mut(e, &mut |c| mutate_expr(c, depth, f))?;
    if let Expr::SubLink(s) = e {
        let SubLink { query, .. } = &mut **s;
        mutate_query(query, depth + 1, f)?;
    }
    f(e, depth)
}

/// [`mutate_expr`] on every expression of a query and of the queries below it.
pub fn mutate_query<E>(
    q: &mut Query,
    depth: u32,
    f: &mut dyn FnMut(&mut Expr, u32) -> Result<(), E>,
) -> Result<(), E> {
    each_query_expr_mut(q, &mut |e| mutate_expr(e, depth, f))?;
    each_subquery_mut(q, &mut |s| mutate_query(s, depth + 1, f))
}

/// Calls `f` on each direct child with the tree's own lifetime.
pub fn each_child<'a>(e: &'a Expr, f: &mut dyn FnMut(&'a Expr)) {
    crate::walk::any_child_ref(e, &mut |c| {
        f(c);
        false
    });
}
