//! Pulling simple subqueries of FROM up into their parent, join alias flattening, and join tree cleaning.

use std::mem;

use pglite_error::PgResult;
use pglite_ir::expr::*;
use pglite_ir::query::*;

use crate::exprs::*;
use crate::types::*;
use crate::walker::*;

/// Where in the join tree a subquery stands.
#[derive(Clone, Copy)]
struct Place {
    /// Below any outer join.
    under_outer: bool,
    /// On the side of an outer join whose rows may be null-extended.
    nullable: bool,
}

/// Pulls up what can be pulled up, in place.
pub(crate) fn pull_up_subqueries(g: &mut Glob<'_>, root: &mut Root) -> PgResult<()> {
    let nullable = !root.query.grouping_sets.is_empty();
    let mut leaves = Vec::new();
    for item in &root.query.jointree.from {
        collect(item, Place { under_outer: false, nullable }, &mut leaves);
    }
    for (rti, place) in leaves {
        if let Some(tree) = try_pull_up(g, root, rti, place)? {
            let mut tree = Some(tree);
            root.query.jointree.from.iter_mut().for_each(|i| replace_leaf(i, rti, &mut tree));
        }
    }
    Ok(())
}

fn collect(item: &FromItem, place: Place, out: &mut Vec<(u32, Place)>) {
    match item {
        FromItem::Rte(r) => out.push((*r, place)),
        FromItem::From(t) => t.from.iter().for_each(|i| collect(i, place, out)),
        FromItem::Join(j) => {
            let under = |nullable: bool| Place { under_outer: true, nullable: nullable || place.nullable };
            let (left, right) = match j.kind {
                JoinKind::Inner => (place, place),
                JoinKind::Left | JoinKind::Anti => (under(false), under(true)),
                JoinKind::Semi => (under(false), under(false)),
                JoinKind::Right | JoinKind::RightAnti | JoinKind::RightSemi => (under(true), under(false)),
                JoinKind::Full => (under(true), under(true)),
            };
            collect(&j.left, left, out);
            collect(&j.right, right, out);
        }
    }
}

fn replace_leaf(item: &mut FromItem, rti: u32, tree: &mut Option<JoinTree>) {
    match item {
        FromItem::Rte(r) if *r == rti => {
            if let Some(t) = tree.take() {
                *item = FromItem::From(Box::new(t));
            }
        }
        FromItem::Rte(_) => {}
        FromItem::From(t) => t.from.iter_mut().for_each(|i| replace_leaf(i, rti, tree)),
        FromItem::Join(j) => {
            replace_leaf(&mut j.left, rti, tree);
            replace_leaf(&mut j.right, rti, tree);
        }
    }
}

fn is_simple(q: &Query) -> bool {
    q.command == CommandType::Select
        && q.set_ops.is_none()
        && !q.has_aggs
        && !q.has_windows
        && !q.has_target_srfs
        && q.group.is_empty()
        && q.grouping_sets.is_empty()
        && q.having.is_none()
        && q.sort.is_empty()
        && q.distinct.is_empty()
        && q.limit.is_none()
        && q.offset.is_none()
        && q.row_marks.is_empty()
        && !q.has_for_update
        && q.ctes.is_empty()
}

/// The subquery's join tree, renumbered into the parent, when it could be merged into the parent.
fn try_pull_up(g: &mut Glob<'_>, root: &mut Root, rti: u32, place: Place) -> PgResult<Option<JoinTree>> {
    let rte = &mut root.query.rtable[rti as usize - 1];
    let lateral = rte.lateral;
    if !rte.security_quals.is_empty() {
        return Ok(None);
    }
    let names = rte.eref.columns.clone();
    let RteKind::Subquery { query, security_barrier: false, .. } = &mut rte.kind else {
        return try_values(root, rti, place);
    };
    if !is_simple(query) {
        return Ok(None);
    }
    if query.targets.iter().any(|t| is_volatile(&g.cat, &t.expr)) {
        return Ok(None);
    }
    if place.under_outer && (query.jointree.from.is_empty() || lateral && query_has_vars_of_level(query, 1)) {
        return Ok(None);
    }
    if place.nullable && query.jointree.from.is_empty() {
        return Ok(None);
    }
    let sub = mem::replace(&mut **query, Query::new(CommandType::Select));
    let mut sub_root = Root::new(sub, root.level + 1);
    if sub_root.query.has_sublinks {
        crate::sublink::pull_up_sublinks(g, &mut sub_root)?;
    }
    pull_up_subqueries(g, &mut sub_root)?;
    let mut sub = sub_root.query;
    flatten_aliases(&mut sub);
    let only_vars = sub.targets.iter().all(|t| t.junk || matches!(&t.expr, Expr::Var(v) if v.levels_up == 0));
    if place.nullable && !only_vars {
        put_back(root, rti, sub);
        return Ok(None);
    }
    let offset = root.query.rtable.len() as u32;
    offset_query(&mut sub, offset);
    shift_query_levels(&mut sub, -1, 1);
    if lateral {
        for r in &mut sub.rtable {
            let can = !matches!(
                r.kind,
                RteKind::Relation { sample: None, .. } | RteKind::Join { .. } | RteKind::Cte { .. }
            );
            r.lateral |= can;
        }
        root.has_lateral = true;
    }
    root.query.rtable.append(&mut sub.rtable);
    root.query.row_marks.append(&mut sub.row_marks);
    root.query.has_sublinks |= sub.has_sublinks;
    replace_in_query(&mut root.query, rti, &sub.targets, &names);
    Ok(Some(sub.jointree))
}

fn put_back(root: &mut Root, rti: u32, sub: Query) {
    if let RteKind::Subquery { query, .. } = &mut root.query.rtable[rti as usize - 1].kind {
        **query = sub;
    }
}

/// A single-row VALUES list without subqueries becomes its expressions.
fn try_values(root: &mut Root, rti: u32, place: Place) -> PgResult<Option<JoinTree>> {
    let rte = &root.query.rtable[rti as usize - 1];
    let RteKind::Values { rows, .. } = &rte.kind else { return Ok(None) };
    if rows.len() != 1
        || rte.lateral
        || place.under_outer
        || place.nullable
        || root.query.result_relation != 0
    {
        return Ok(None);
    }
    // PG: a lone VALUES clause stays a scan; merging is only worth it beside other relations.
    if root.query.rtable.len() == 1 || rows[0].iter().any(|e| !matches!(e, Expr::Const(_) | Expr::Param(_))) {
        return Ok(None);
    }
    let names = rte.eref.columns.clone();
    let targets: Vec<TargetEntry> =
        rows[0].iter().enumerate().map(|(i, e)| TargetEntry::new(e.clone(), i as i16 + 1, None)).collect();
    replace_in_query(&mut root.query, rti, &targets, &names);
    Ok(Some(JoinTree::default()))
}

/// Replaces references to a relation's columns throughout the query by the given expressions.
fn replace_in_query(q: &mut Query, rti: u32, targets: &[TargetEntry], names: &[String]) {
    let mut f = |e: &mut Expr, depth: u32| replace_var(e, depth, rti, targets, names);
    rewrite_query(q, 0, &mut f);
}

fn replace_var(e: &mut Expr, depth: u32, rti: u32, targets: &[TargetEntry], names: &[String]) -> bool {
    let Expr::Var(v) = e else { return true };
    if v.rte != rti || v.levels_up != depth {
        return true;
    }
    if let Some(mut new) = column_expr(v, targets, names) {
        shift_levels(&mut new, depth as i32, 0);
        *e = new;
    }
    false
}

/// The expression of one column, or a row of all of them.
pub(crate) fn column_expr(v: &Var, targets: &[TargetEntry], names: &[String]) -> Option<Expr> {
    if v.attno == 0 {
        let args = targets.iter().filter(|t| !t.junk).map(|t| t.expr.clone()).collect();
        return Some(Expr::Row {
            args,
            ty: v.ty,
            names: names.to_vec(),
            form: CoercionForm::ImplicitCast,
            location: v.location,
        });
    }
    targets.iter().find(|t| t.resno == v.attno && !t.junk).map(|t| t.expr.clone())
}

/// Replaces references to JOIN output columns by what they stand for, in the query and in subqueries that refer to it.
pub(crate) fn flatten_aliases(q: &mut Query) {
    if !q.rtable.iter().any(|r| matches!(r.kind, RteKind::Join { .. } | RteKind::Group { .. })) {
        return;
    }
    let joins: Vec<Option<(Vec<Expr>, Vec<String>)>> = {
        let mut list: Vec<Option<(Vec<Expr>, Vec<String>)>> = Vec::with_capacity(q.rtable.len());
        for r in &q.rtable {
            let vars = match &r.kind {
                RteKind::Join { vars, .. } => Some(vars),
                RteKind::Group { exprs } => Some(exprs),
                _ => None,
            };
            list.push(vars.map(|v| (v.clone(), r.eref.columns.clone())));
        }
        // Joins of joins and groupings of join columns: expand among themselves, in range table order and then all again.
        for _ in 0..list.len() {
            let mut changed = false;
            for i in 0..list.len() {
                let Some((mut vars, names)) = list[i].clone() else { continue };
                let mut hit = false;
                for v in &mut vars {
                    rewrite(v, 0, &mut |e: &mut Expr, depth: u32| flatten_var(e, depth, &list, &mut hit));
                }
                if hit {
                    changed = true;
                    list[i] = Some((vars, names));
                }
            }
            if !changed {
                break;
            }
        }
        list
    };
    let mut hit = false;
    rewrite_query(q, 0, &mut |e: &mut Expr, depth: u32| flatten_var(e, depth, &joins, &mut hit));
}

fn flatten_var(e: &mut Expr, depth: u32, joins: &[Option<(Vec<Expr>, Vec<String>)>], hit: &mut bool) -> bool {
    let Expr::Var(v) = e else { return true };
    if v.levels_up != depth || v.rte == 0 {
        return true;
    }
    let Some(Some((vars, names))) = joins.get(v.rte as usize - 1) else { return true };
    let mut new = if v.attno == 0 {
        Expr::Row {
            args: vars.clone(),
            ty: v.ty,
            names: names.clone(),
            form: CoercionForm::ImplicitCast,
            location: v.location,
        }
    } else {
        match vars.get(v.attno as usize - 1) {
            Some(x) => x.clone(),
            None => return true,
        }
    };
    shift_levels(&mut new, depth as i32, 0);
    *e = new;
    *hit = true;
    false
}
