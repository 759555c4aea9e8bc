//! The paths that join two given relations: the common facts, then each join method.

use std::rc::Rc;

use pglite_error::PgResult;
use pglite_ir::JoinKind;
use pglite_ir::expr::Expr;

use super::{hashmerge, nest};
use crate::cost::SemiFactors;
use crate::eclass;
use crate::relids::Relids;
use crate::scan::movable_into;
use crate::sel::{self, SelCtx};
use crate::types::*;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Uniq {
    No,
    Outer,
    Inner,
}

/// What all methods of joining one ordered pair share.
pub(crate) struct Pair<'a> {
    pub rel: RelId,
    pub outer: RelId,
    pub inner: RelId,
    pub kind: JoinKind,
    pub sj: &'a SpecialJoin,
    pub restrict: &'a [Rc<RInfo>],
    pub uniq: Uniq,
    pub inner_unique: bool,
    pub semi: SemiFactors,
    pub param_sources: Relids,
    /// Merge-joinable clauses with "outer side is the left argument".
    pub merge: Vec<(Rc<RInfo>, bool)>,
    pub merge_ok: bool,
}

#[allow(clippy::too_many_arguments)]
pub(crate) fn add(
    g: &mut Glob<'_>,
    root: &mut Root,
    rel: RelId,
    outer: RelId,
    inner: RelId,
    kind: JoinKind,
    sj: &SpecialJoin,
    restrict: &[Rc<RInfo>],
    uniq: Uniq,
) -> PgResult<()> {
    let inner_unique = uniq == Uniq::Inner
        || matches!(kind, JoinKind::Inner | JoinKind::Left | JoinKind::Right | JoinKind::Full)
            && inner_is_unique(g, root, rel, inner, kind, restrict, uniq);
    let (merge, merge_ok) = select_merge_clauses(g, root, rel, outer, inner, kind, restrict);
    let semi = if matches!(kind, JoinKind::Semi | JoinKind::Anti) || inner_unique {
        semi_factors(g, root, rel, outer, inner, kind, sj, restrict)
    } else {
        SemiFactors { outer_match_frac: 1.0, match_count: 1.0 }
    };
    let join = root.rels[rel].relids.clone();
    let mut param_sources = root.rels[rel].lateral.clone();
    for s in &root.join_info {
        if join.overlaps(&s.min_right) && !join.overlaps(&s.min_left) {
            param_sources.add(&root.all_baserels.minus(&s.min_right));
        }
        if s.kind == JoinKind::Full && join.overlaps(&s.min_left) && !join.overlaps(&s.min_right) {
            param_sources.add(&root.all_baserels.minus(&s.min_left));
        }
    }
    let pair = Pair {
        rel,
        outer,
        inner,
        kind,
        sj,
        restrict,
        uniq,
        inner_unique,
        semi,
        param_sources,
        merge,
        merge_ok,
    };
    if pair.merge_ok {
        hashmerge::sort_inner_and_outer(g, root, &pair)?;
    }
    nest::unsorted_outer(g, root, &pair)?;
    hashmerge::hash(g, root, &pair)
}

/// At most one inner row matches each outer row.
fn inner_is_unique(
    g: &Glob<'_>,
    root: &Root,
    rel: RelId,
    inner: RelId,
    kind: JoinKind,
    restrict: &[Rc<RInfo>],
    uniq: Uniq,
) -> bool {
    if uniq == Uniq::Outer {
        return false;
    }
    let join = &root.rels[rel].relids;
    let i = &root.rels[inner];
    if i.kind != RelKind::Base {
        return false;
    }
    let usable: Vec<Rc<RInfo>> = restrict
        .iter()
        .filter(|r| {
            !r.merge_families.is_empty()
                && (kind == JoinKind::Inner || !r.is_pushed_down_to(join))
                && r.can_join
                && (r.left.subset_of(&i.relids) && !r.right.overlaps(&i.relids)
                    || r.right.subset_of(&i.relids) && !r.left.overlaps(&i.relids))
        })
        .cloned()
        .collect();
    if usable.is_empty() {
        return false;
    }
    match i.scan {
        ScanKind::Relation => {
            !root.rte(i.relid).inherit && crate::index::unique_for(g, root, inner, &usable, &[])
        }
        ScanKind::Subquery => {
            let cols: Vec<Expr> = usable
                .iter()
                .filter_map(|r| {
                    crate::exprs::as_binary(&r.clause)
                        .map(|(_, a, b)| if r.left.subset_of(&i.relids) { a.clone() } else { b.clone() })
                })
                .collect();
            subquery_is_unique(root, inner, &cols)
        }
        _ => false,
    }
}

/// The subquery's own DISTINCT, GROUP BY or aggregation makes these output columns unique.
pub(crate) fn subquery_is_unique(root: &Root, rel: RelId, columns: &[Expr]) -> bool {
    let Some(sub) = root.rels[rel].subroot.and_then(|s| root.subroots[s].as_ref()) else { return false };
    let q = &sub.query;
    if q.has_target_srfs {
        return false;
    }
    let attnos: Vec<i16> = columns
        .iter()
        .filter_map(|e| match crate::exprs::strip_relabel(e) {
            Expr::Var(v) if v.rte == root.rels[rel].relid => Some(v.attno),
            _ => None,
        })
        .collect();
    let covered = |clauses: &[pglite_ir::SortGroupClause]| {
        !clauses.is_empty()
            && clauses.iter().all(|c| {
                sub.processed_targets
                    .iter()
                    .any(|t| t.sort_group_ref == c.target_ref && !t.junk && attnos.contains(&t.resno))
            })
    };
    if covered(&q.distinct) || q.grouping_sets.is_empty() && covered(&q.group) {
        return true;
    }
    if q.grouping_sets.is_empty() && q.group.is_empty() && (q.has_aggs || sub.has_having) {
        return true;
    }
    match q.set_ops.as_deref() {
        Some(pglite_ir::query::SetOpTree::Op { all: false, types, .. }) => {
            (1..=types.len() as i16).all(|i| attnos.contains(&i))
        }
        _ => false,
    }
}

fn select_merge_clauses(
    g: &Glob<'_>,
    root: &mut Root,
    rel: RelId,
    outer: RelId,
    inner: RelId,
    kind: JoinKind,
    restrict: &[Rc<RInfo>],
) -> (Vec<(Rc<RInfo>, bool)>, bool) {
    if kind == JoinKind::RightSemi {
        return (Vec::new(), false);
    }
    let join = root.rels[rel].relids.clone();
    let (o, i) = (root.rels[outer].relids.clone(), root.rels[inner].relids.clone());
    let outer_join = !matches!(kind, JoinKind::Inner | JoinKind::Semi);
    let mut list = Vec::new();
    let mut have_other = false;
    for r in restrict {
        if outer_join && r.is_pushed_down_to(&join) {
            continue;
        }
        if !r.can_join || r.merge_families.is_empty() {
            if !matches!(r.clause, Expr::Const(_)) {
                have_other = true;
            }
            continue;
        }
        let left_outer = if r.left.subset_of(&o) && r.right.subset_of(&i) {
            true
        } else if r.left.subset_of(&i) && r.right.subset_of(&o) {
            false
        } else {
            have_other = true;
            continue;
        };
        eclass::update_mergeclause_ecs(g, root, r);
        let redundant =
            [r.left_ec.get(), r.right_ec.get()].into_iter().flatten().any(|e| root.ec_is_redundant(e));
        if redundant {
            have_other = true;
            continue;
        }
        list.push((r.clone(), left_outer));
    }
    let ok = match kind {
        JoinKind::Right | JoinKind::RightAnti | JoinKind::Full => !have_other,
        _ => true,
    };
    (list, ok)
}

#[allow(clippy::too_many_arguments)]
fn semi_factors(
    g: &Glob<'_>,
    root: &Root,
    rel: RelId,
    outer: RelId,
    inner: RelId,
    kind: JoinKind,
    sj: &SpecialJoin,
    restrict: &[Rc<RInfo>],
) -> SemiFactors {
    let join = &root.rels[rel].relids;
    let outer_join = !matches!(kind, JoinKind::Inner | JoinKind::Semi);
    let quals: Vec<Rc<RInfo>> =
        restrict.iter().filter(|r| !outer_join || !r.is_pushed_down_to(join)).cloned().collect();
    let (o, i) = (&root.rels[outer].relids, &root.rels[inner].relids);
    let semi_kind = if kind == JoinKind::Anti { JoinKind::Anti } else { JoinKind::Semi };
    let as_semi;
    let semi_sj = if matches!(kind, JoinKind::Semi | JoinKind::Anti) {
        sj
    } else {
        as_semi = SpecialJoin { kind: JoinKind::Semi, ..super::inner_special(o, i) };
        &as_semi
    };
    let jselec = {
        // Caches hold one kind of estimate each; a semi estimate of a plain join must not stay there.
        let saved: Vec<f64> = quals.iter().map(|r| r.outer_selec.get()).collect();
        if !std::ptr::eq(semi_sj, sj) {
            quals.iter().for_each(|r| r.outer_selec.set(-1.0));
        }
        let s =
            sel::list_selectivity(g, root, &quals, SelCtx { var_rel: 0, kind: semi_kind, sj: Some(semi_sj) });
        if !std::ptr::eq(semi_sj, sj) {
            quals.iter().zip(saved).for_each(|(r, v)| r.outer_selec.set(v));
        }
        s
    };
    let inner_sj = super::inner_special(o, i);
    let nselec = sel::list_selectivity(
        g,
        root,
        &quals,
        SelCtx { var_rel: 0, kind: JoinKind::Inner, sj: Some(&inner_sj) },
    );
    let match_count = if jselec > 0.0 { (nselec * root.rels[inner].rows / jselec).max(1.0) } else { 1.0 };
    SemiFactors { outer_match_frac: jselec, match_count }
}

/// The parameterization of a join path, with the clauses that the join itself must then check in addition.
pub(crate) fn join_param(
    g: &mut Glob<'_>,
    root: &mut Root,
    pair: &Pair<'_>,
    outer: &Path,
    inner: &Path,
    required: &Relids,
    clauses: &mut Vec<Rc<RInfo>>,
) -> Option<Rc<ParamInfo>> {
    if required.is_empty() {
        return None;
    }
    let join = root.rels[pair.rel].relids.clone();
    let all = join.union(required);
    let (orel, irel) = (root.rels[outer.rel].relids.clone(), root.rels[inner.rel].relids.clone());
    let o_all = orel.union(&outer.required_or_empty());
    let i_all = irel.union(&inner.required_or_empty());
    let mut more: Vec<Rc<RInfo>> = Vec::new();
    let mut candidates: Vec<Rc<RInfo>> = root.rels[pair.rel].joininfo.clone();
    candidates.extend(eclass::join_equalities(g, root, &all, required, &join));
    for r in candidates {
        if movable_into(&r, &join, &all)
            && !movable_into(&r, &orel, &o_all)
            && !movable_into(&r, &irel, &i_all)
        {
            more.push(r);
        }
    }
    clauses.extend(more.iter().cloned());
    let o_rows = outer.rows;
    let i_rows = inner.rows;
    let rows = super::join_rows(g, root, clauses, o_rows, i_rows, pair.sj, &join)
        .min(root.rels[pair.rel].rows.max(1.0));
    Some(Rc::new(ParamInfo { required: required.clone(), rows, clauses: more }))
}
