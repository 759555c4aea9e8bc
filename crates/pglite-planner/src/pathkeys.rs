//! Path keys: a sort order as a list of equivalence classes with a direction each.
//!
//! Invariant: path keys name canonical classes; they are made only after the clauses of the query are distributed.

use std::rc::Rc;

use pglite_ir::expr::Expr;
use pglite_ir::query::{SortGroupClause, TargetEntry};
use pglite_types::Oid;

use crate::cat::BT_EQ;
use crate::eclass::*;
use crate::relids::Relids;
use crate::types::*;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum KeyOrder {
    Equal,
    FirstBetter,
    SecondBetter,
    Different,
}

pub(crate) fn compare(a: &[PathKey], b: &[PathKey]) -> KeyOrder {
    if a.iter().zip(b).any(|(x, y)| x != y) {
        return KeyOrder::Different;
    }
    match a.len().cmp(&b.len()) {
        std::cmp::Ordering::Equal => KeyOrder::Equal,
        std::cmp::Ordering::Greater => KeyOrder::FirstBetter,
        std::cmp::Ordering::Less => KeyOrder::SecondBetter,
    }
}

/// Rows sorted by `have` are sorted by `want`.
pub(crate) fn contained(want: &[PathKey], have: &[PathKey]) -> bool {
    want.len() <= have.len() && want.iter().zip(have).all(|(a, b)| a == b)
}

/// How many leading keys of `want` the order `have` delivers.
pub(crate) fn common_prefix(want: &[PathKey], have: &[PathKey]) -> usize {
    want.iter().zip(have).take_while(|(a, b)| a == b).count()
}

fn is_redundant(root: &Root, new: &PathKey, keys: &[PathKey]) -> bool {
    root.ec_is_redundant(new.ec) || keys.iter().any(|k| k.ec == new.ec)
}

/// A path key for an expression sorted by an operator family.
#[allow(clippy::too_many_arguments)]
pub(crate) fn make_key(
    g: &Glob<'_>,
    root: &mut Root,
    expr: &Expr,
    family: Oid,
    ty: Oid,
    collation: Oid,
    desc: bool,
    nulls_first: bool,
    sort_ref: u32,
    create: bool,
) -> Option<PathKey> {
    let eq = g.cat.family_member(family, ty, ty, BT_EQ)?;
    let families = g.cat.merge_families(eq);
    let ec = ec_for_sort_expr(g, root, expr, &families, ty, collation, sort_ref, create)?;
    Some(PathKey { ec: root.canon(ec), family, desc, nulls_first })
}

fn key_for_op(
    g: &Glob<'_>,
    root: &mut Root,
    expr: &Expr,
    clause: &SortGroupClause,
    create: bool,
) -> Option<PathKey> {
    let (family, ty, desc) = g.cat.ordering_op(clause.sort_op)?;
    make_key(g, root, expr, family, ty, expr.collation(), desc, clause.nulls_first, clause.target_ref, create)
}

/// The order a list of sort clauses asks for.
pub(crate) fn for_clauses(
    g: &Glob<'_>,
    root: &mut Root,
    clauses: &[SortGroupClause],
    targets: &[TargetEntry],
) -> Vec<PathKey> {
    let mut keys: Vec<PathKey> = Vec::new();
    for c in clauses {
        let Some(t) = targets.iter().find(|t| t.sort_group_ref == c.target_ref) else { continue };
        let Some(key) = key_for_op(g, root, &t.expr, c, true) else { continue };
        if !is_redundant(root, &key, &keys) {
            keys.push(key);
        }
    }
    keys
}

/// The clauses that still matter once redundant ones are gone (constants, repeated classes).
pub(crate) fn useful_clauses(
    g: &Glob<'_>,
    root: &mut Root,
    clauses: &[SortGroupClause],
    targets: &[TargetEntry],
) -> (Vec<PathKey>, Vec<SortGroupClause>, bool) {
    let (mut keys, mut rest, mut sortable) = (Vec::new(), Vec::new(), true);
    for c in clauses {
        let Some(t) = targets.iter().find(|t| t.sort_group_ref == c.target_ref) else { continue };
        if !c.sort_op.is_valid() {
            sortable = false;
            rest.push(c.clone());
            continue;
        }
        match key_for_op(g, root, &t.expr, c, true) {
            Some(key) if is_redundant(root, &key, &keys) => {}
            Some(key) => {
                keys.push(key);
                rest.push(c.clone());
            }
            None => {
                sortable = false;
                rest.push(c.clone());
            }
        }
    }
    (keys, rest, sortable)
}

/// The order in which an index delivers rows.
pub(crate) fn for_index(g: &Glob<'_>, root: &mut Root, index: &IndexInfo, backward: bool) -> Vec<PathKey> {
    let mut keys: Vec<PathKey> = Vec::new();
    if index.am != IndexAm::Btree {
        return keys;
    }
    for i in 0..index.columns.len() {
        let (mut desc, mut nulls_first) = (index.desc[i], index.nulls_first[i]);
        if backward {
            desc = !desc;
            nulls_first = !nulls_first;
        }
        let key = make_key(
            g,
            root,
            &index.exprs[i],
            index.families[i],
            index.input_types[i],
            index.collations[i],
            desc,
            nulls_first,
            0,
            false,
        );
        match key {
            Some(k) => {
                if !is_redundant(root, &k, &keys) {
                    keys.push(k);
                }
            }
            // A boolean column fixed by the query is as good as constant.
            None if bool_column_is_constant(root, index, i) => {}
            None => break,
        }
    }
    keys
}

fn bool_column_is_constant(root: &Root, index: &IndexInfo, i: usize) -> bool {
    if index.exprs[i].ty() != pglite_types::oid::BOOL {
        return false;
    }
    let rel = &root.rels[index.rel];
    rel.restrict.iter().any(|r| {
        let e = match &r.clause {
            Expr::Bool { op: pglite_ir::BoolOp::Not, args, .. } => &args[0],
            e => e,
        };
        crate::equal::equal(e, &index.exprs[i])
    })
}

/// The subquery's output order in terms of the outer query.
pub(crate) fn convert_subquery(
    g: &Glob<'_>,
    root: &mut Root,
    rel: RelId,
    sub: &Root,
    sub_keys: &[PathKey],
    targets: &[TargetEntry],
) -> Vec<PathKey> {
    let rti = root.rels[rel].relid;
    let mut keys: Vec<PathKey> = Vec::new();
    for sk in sub_keys {
        let ec = &sub.ecs[sub.canon(sk.ec)];
        let mut best = None;
        for m in &ec.members {
            if m.is_child {
                continue;
            }
            for t in targets.iter().filter(|t| !t.junk) {
                if ec.has_volatile && (t.sort_group_ref == 0 || t.sort_group_ref != ec.sort_ref) {
                    continue;
                }
                if !crate::equal::equal(&t.expr, &m.expr) {
                    continue;
                }
                let outer = Root::var(rti, t.resno, t.expr.ty(), t.expr.typmod(), t.expr.collation());
                if !root.rels[rel].target.exprs.iter().any(|e| crate::equal::equal(e, &outer)) {
                    continue;
                }
                let found = ec_for_sort_expr(g, root, &outer, &ec.families, m.ty, ec.collation, 0, false)
                    .or_else(|| ec_for_sort_expr(g, root, &outer, &ec.families, m.ty, ec.collation, 0, true));
                if best.is_none() {
                    best = found;
                }
            }
        }
        let Some(ec) = best else { break };
        let key =
            PathKey { ec: root.canon(ec), family: sk.family, desc: sk.desc, nulls_first: sk.nulls_first };
        if !is_redundant(root, &key, &keys) {
            keys.push(key);
        }
    }
    keys
}

/// An outer path's order survives the join, except where the join may add or reorder rows.
pub(crate) fn for_join(kind: pglite_ir::JoinKind, outer: &[PathKey]) -> Vec<PathKey> {
    use pglite_ir::JoinKind::*;
    if matches!(kind, Full | Right | RightAnti | RightSemi) { Vec::new() } else { outer.to_vec() }
}

/// Whether a join clause list contains one that merges on the class.
fn merge_clause_for(root: &Root, rel: &Rel, key: &PathKey) -> bool {
    let ec = &root.ecs[key.ec];
    if !ec.has_const && ec.members.len() > 1 && !ec.relids.subset_of(&rel.relids) && rel.has_ec_joins {
        return true;
    }
    rel.joininfo.iter().any(|r| {
        !r.merge_families.is_empty()
            && [r.left_ec.get(), r.right_ec.get()].into_iter().flatten().any(|e| root.canon(e) == key.ec)
    })
}

/// Leading keys that a merge join could use.
fn useful_for_merging(g: &Glob<'_>, root: &mut Root, rel: RelId, keys: &[PathKey]) -> usize {
    let infos: Vec<Rc<RInfo>> =
        root.rels[rel].joininfo.iter().filter(|r| !r.merge_families.is_empty()).cloned().collect();
    for r in &infos {
        update_mergeclause_ecs(g, root, r);
    }
    keys.iter().take_while(|k| merge_clause_for(root, &root.rels[rel], k)).count()
}

fn useful_for_grouping(root: &Root, keys: &[PathKey]) -> usize {
    keys.iter().take_while(|k| root.group_pathkeys.iter().any(|x| x == *k)).count()
}

/// Cuts off trailing keys nobody above has a use for.
pub(crate) fn truncate_useless(g: &Glob<'_>, root: &mut Root, rel: RelId, keys: &mut Vec<PathKey>) {
    if keys.is_empty() {
        return;
    }
    let mut useful = useful_for_merging(g, root, rel, keys);
    useful = useful.max(useful_for_grouping(root, keys));
    for wanted in [
        &root.query_pathkeys,
        &root.setop_pathkeys,
        &root.distinct_pathkeys,
        &root.sort_pathkeys,
        &root.window_pathkeys,
    ] {
        let n = common_prefix(wanted, keys);
        if n > 0 && (n == wanted.len() || wanted == &root.query_pathkeys) {
            useful = useful.max(n);
        }
    }
    keys.truncate(useful);
}

/// Nothing could make use of an order of this relation's rows.
pub(crate) fn has_useful_order(root: &Root, rel: RelId) -> bool {
    let r = &root.rels[rel];
    !r.joininfo.is_empty()
        || r.has_ec_joins
        || !root.query_pathkeys.is_empty()
        || !root.group_pathkeys.is_empty()
}

/// The merge clauses that an outer order allows, in the order's sequence.
pub(crate) fn merge_clauses_for_outer(
    root: &Root,
    outer_keys: &[PathKey],
    clauses: &[(Rc<RInfo>, bool)],
) -> Vec<(Rc<RInfo>, bool)> {
    let mut result: Vec<(Rc<RInfo>, bool)> = Vec::new();
    for key in outer_keys {
        let matched: Vec<_> = clauses
            .iter()
            .filter(|(r, outer_left)| {
                let ec = if *outer_left { r.left_ec.get() } else { r.right_ec.get() };
                ec.is_some_and(|e| root.canon(e) == key.ec)
            })
            .cloned()
            .collect();
        if matched.is_empty() {
            break;
        }
        result.extend(matched);
    }
    result
}

/// Orders in which the outer side could be sorted for a merge join, most useful first.
pub(crate) fn outer_keys_for_merge(
    g: &Glob<'_>,
    root: &mut Root,
    clauses: &[(Rc<RInfo>, bool)],
    join: &Relids,
) -> Vec<PathKey> {
    let mut ecs: Vec<(EcId, usize)> = Vec::new();
    for (r, outer_left) in clauses {
        let ec = if *outer_left { r.left_ec.get() } else { r.right_ec.get() };
        let Some(ec) = ec.map(|e| root.canon(e)) else { continue };
        if ecs.iter().any(|(e, _)| *e == ec) {
            continue;
        }
        let score = root.ecs[ec]
            .members
            .iter()
            .filter(|m| !m.is_const && !m.is_child && !m.relids.overlaps(join))
            .count();
        ecs.push((ec, score));
    }
    let mut keys: Vec<PathKey> = Vec::new();
    // The query's own order first, when the merge can deliver all of it.
    if !root.query_pathkeys.is_empty() {
        let n = root.query_pathkeys.iter().take_while(|k| ecs.iter().any(|(e, _)| *e == k.ec)).count();
        if n == root.query_pathkeys.len() || n == ecs.len() {
            keys = root.query_pathkeys[..n].to_vec();
            ecs.retain(|(e, _)| !keys.iter().any(|k| k.ec == *e));
        }
    }
    while !ecs.is_empty() {
        let mut best = 0;
        for i in 1..ecs.len() {
            if ecs[i].1 > ecs[best].1 {
                best = i;
            }
        }
        let (ec, _) = ecs.remove(best);
        let Some(&family) = root.ecs[ec].families.first() else { continue };
        keys.push(PathKey { ec, family, desc: false, nulls_first: false });
    }
    let _ = g;
    keys
}

/// The inner order that goes with merge clauses and the outer order.
pub(crate) fn inner_keys_for_merge(
    root: &Root,
    clauses: &[(Rc<RInfo>, bool)],
    outer_keys: &[PathKey],
) -> Vec<PathKey> {
    let mut keys: Vec<PathKey> = Vec::new();
    for (r, outer_left) in clauses {
        let (o, i) = if *outer_left {
            (r.left_ec.get(), r.right_ec.get())
        } else {
            (r.right_ec.get(), r.left_ec.get())
        };
        let (Some(o), Some(i)) = (o, i) else { continue };
        let (o, i) = (root.canon(o), root.canon(i));
        let Some(outer) = outer_keys.iter().find(|k| k.ec == o) else { continue };
        let key = PathKey { ec: i, ..outer.clone() };
        if !is_redundant(root, &key, &keys) {
            keys.push(key);
        }
    }
    keys
}
