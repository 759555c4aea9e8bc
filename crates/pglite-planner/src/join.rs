//! The join search: which relations may be joined in which order, and the best way to each set.

mod hashmerge;
mod nest;
mod paths;
mod unique;

use std::rc::Rc;

use pglite_error::{PgError, PgResult};
use pglite_ir::JoinKind;
use pglite_ir::expr::Expr;

use crate::decon::JoinItem;
use crate::eclass;
use crate::glob::clamp_rows;
use crate::path::set_cheapest;
use crate::relids::Relids;
use crate::restrict::contains_rinfo;
use crate::sel::{self, SelCtx};
use crate::types::*;

pub(crate) use unique::create_unique_path;

/// Joins everything in the list; one relation comes back.
pub(crate) fn make_rel_from_list(g: &mut Glob<'_>, root: &mut Root, list: &[JoinItem]) -> PgResult<RelId> {
    let mut initial = Vec::with_capacity(list.len());
    for item in list {
        initial.push(match item {
            JoinItem::Rel(r) => root.base_rel(*r)?,
            JoinItem::List(l) => make_rel_from_list(g, root, l)?,
        });
    }
    match initial.len() {
        0 => Err(PgError::internal("empty join problem")),
        1 => Ok(initial[0]),
        n if g.set.geqo && n >= g.set.geqo_threshold => greedy(g, root, initial),
        _ => dynamic_programming(g, root, initial),
    }
}

fn dynamic_programming(g: &mut Glob<'_>, root: &mut Root, initial: Vec<RelId>) -> PgResult<RelId> {
    let n = initial.len();
    let mut levels: Vec<Vec<RelId>> = vec![Vec::new(); n + 1];
    levels[1] = initial;
    for level in 2..=n {
        search_level(g, root, &mut levels, level)?;
        for &rel in &levels[level] {
            if !root.rels[rel].dummy {
                set_cheapest(&mut root.rels[rel]);
            }
        }
    }
    match levels[n].first() {
        Some(r) => Ok(*r),
        None => Err(PgError::internal(format!("failed to build any {n}-way joins"))),
    }
}

fn search_level(g: &mut Glob<'_>, root: &mut Root, levels: &mut [Vec<RelId>], level: usize) -> PgResult<()> {
    let push = |levels: &mut [Vec<RelId>], r: Option<RelId>| {
        if let Some(r) = r
            && !levels[level].contains(&r)
        {
            levels[level].push(r);
        }
    };
    for i in 0..levels[level - 1].len() {
        let old = levels[level - 1][i];
        let connected = has_join_clauses(root, old) || has_restriction(root, old);
        let start = if level == 2 { i + 1 } else { 0 };
        for j in start..levels[1].len() {
            let other = levels[1][j];
            if root.rels[other].relids.overlaps(&root.rels[old].relids) {
                continue;
            }
            if connected && !have_relevant_clause(root, old, other) && !order_restriction(root, old, other) {
                continue;
            }
            let made = make_join_rel(g, root, old, other)?;
            push(levels, made);
        }
        if !connected && level == 2 {
            for j in 0..i {
                let other = levels[1][j];
                let made = make_join_rel(g, root, old, other)?;
                push(levels, made);
            }
        }
    }
    for k in 2..=level / 2 {
        let other_level = level - k;
        if other_level < k {
            break;
        }
        for i in 0..levels[k].len() {
            let old = levels[k][i];
            if !has_join_clauses(root, old) && !has_restriction(root, old) {
                continue;
            }
            let start = if k == other_level { i + 1 } else { 0 };
            for j in start..levels[other_level].len() {
                let other = levels[other_level][j];
                if root.rels[old].relids.overlaps(&root.rels[other].relids) {
                    continue;
                }
                if have_relevant_clause(root, old, other) || order_restriction(root, old, other) {
                    let made = make_join_rel(g, root, old, other)?;
                    push(levels, made);
                }
            }
        }
    }
    if levels[level].is_empty() {
        for i in 0..levels[level - 1].len() {
            for j in 0..levels[1].len() {
                let (a, b) = (levels[level - 1][i], levels[1][j]);
                if !root.rels[a].relids.overlaps(&root.rels[b].relids) {
                    let made = make_join_rel(g, root, a, b)?;
                    push(levels, made);
                }
            }
        }
    }
    Ok(())
}

/// For many relations: join the cheapest connected pair again and again.
fn greedy(g: &mut Glob<'_>, root: &mut Root, mut rels: Vec<RelId>) -> PgResult<RelId> {
    while rels.len() > 1 {
        let mut best: Option<(f64, usize, usize, RelId)> = None;
        for clauseless in [false, true] {
            for i in 0..rels.len() {
                for j in i + 1..rels.len() {
                    let (a, b) = (rels[i], rels[j]);
                    if !clauseless && !have_relevant_clause(root, a, b) && !order_restriction(root, a, b) {
                        continue;
                    }
                    let Some(made) = make_join_rel(g, root, a, b)? else { continue };
                    if !root.rels[made].dummy {
                        set_cheapest(&mut root.rels[made]);
                    }
                    let cost = root.rels[made].cheapest_total.as_ref().map_or(f64::MAX, |p| p.total + p.rows);
                    if best.is_none_or(|x| cost < x.0) {
                        best = Some((cost, i, j, made));
                    }
                }
            }
            if best.is_some() {
                break;
            }
        }
        let Some((_, i, j, made)) = best else {
            return Err(PgError::internal("failed to join all relations together"));
        };
        rels.remove(j);
        rels[i] = made;
    }
    Ok(rels[0])
}

fn has_join_clauses(root: &Root, rel: RelId) -> bool {
    let r = &root.rels[rel];
    !r.joininfo.is_empty() || eclass::has_ec_joins(root, &r.relids)
}

fn have_relevant_clause(root: &Root, a: RelId, b: RelId) -> bool {
    let (ra, rb) = (&root.rels[a], &root.rels[b]);
    ra.joininfo.iter().any(|r| r.required.overlaps(&rb.relids))
        || eclass::have_ec_joinclause(root, &ra.relids, &rb.relids)
}

/// The pair must be joinable even without clauses because some outer join or LATERAL wants it.
fn order_restriction(root: &Root, a: RelId, b: RelId) -> bool {
    let (ra, rb) = (&root.rels[a].relids, &root.rels[b].relids);
    if root.rels[a].direct_lateral.overlaps(rb) || root.rels[b].direct_lateral.overlaps(ra) {
        return true;
    }
    for sj in &root.join_info {
        if sj.kind == JoinKind::Full {
            continue;
        }
        if sj.min_left.subset_of(ra) && sj.min_right.subset_of(rb)
            || sj.min_left.subset_of(rb) && sj.min_right.subset_of(ra)
            || ra.overlaps(&sj.min_right) && rb.overlaps(&sj.min_right)
            || ra.overlaps(&sj.min_left) && rb.overlaps(&sj.min_left)
        {
            return !has_legal_clause(root, a) && !has_legal_clause(root, b)
                || sj.min_left.subset_of(ra) && sj.min_right.subset_of(rb)
                || sj.min_left.subset_of(rb) && sj.min_right.subset_of(ra);
        }
    }
    false
}

fn has_restriction(root: &Root, rel: RelId) -> bool {
    let r = &root.rels[rel];
    if !r.lateral.is_empty() || !r.lateral_referencers.is_empty() {
        return true;
    }
    root.join_info.iter().any(|sj| {
        sj.kind != JoinKind::Full
            && !(sj.min_left.subset_of(&r.relids) && sj.min_right.subset_of(&r.relids))
            && (sj.min_left.overlaps(&r.relids) || sj.min_right.overlaps(&r.relids))
    })
}

fn has_legal_clause(root: &Root, rel: RelId) -> bool {
    let ids: Vec<RelId> = (0..root.rels.len()).filter(|i| root.rels[*i].kind == RelKind::Base).collect();
    ids.into_iter().any(|other| {
        let (a, b) = (&root.rels[rel].relids, &root.rels[other].relids);
        !a.overlaps(b)
            && have_relevant_clause(root, rel, other)
            && legal(root, a, b, &a.union(b), None).is_some()
    })
}

/// Can the right (or, when `true`, the left) relation be made unique for the semijoin?
type UniqueCheck<'a> = &'a dyn Fn(&SpecialJoin, bool) -> bool;

/// Which special join (index, reversed) a join of the two sets performs; None when the join is not allowed.
fn legal(
    root: &Root,
    r1: &Relids,
    r2: &Relids,
    join: &Relids,
    unique_ok: Option<UniqueCheck<'_>>,
) -> Option<Option<(usize, bool)>> {
    let mut found: Option<(usize, bool)> = None;
    let mut unique_ified = false;
    let mut must_be_left = false;
    for (i, sj) in root.join_info.iter().enumerate() {
        if !sj.min_right.overlaps(join) || join.subset_of(&sj.min_right) {
            continue;
        }
        if sj.min_left.subset_of(r1) && sj.min_right.subset_of(r1)
            || sj.min_left.subset_of(r2) && sj.min_right.subset_of(r2)
        {
            continue;
        }
        if sj.kind == JoinKind::Semi {
            // Already joined after making the right side unique.
            if sj.syn_right.subset_of(r1) && sj.syn_right != *r1
                || sj.syn_right.subset_of(r2) && sj.syn_right != *r2
            {
                continue;
            }
        }
        let unique = |reversed: bool| unique_ok.is_some_and(|f| f(sj, reversed));
        if sj.min_left.subset_of(r1) && sj.min_right.subset_of(r2) {
            if found.is_some() {
                return None;
            }
            found = Some((i, false));
        } else if sj.min_left.subset_of(r2) && sj.min_right.subset_of(r1) {
            if found.is_some() {
                return None;
            }
            found = Some((i, true));
        } else if sj.kind == JoinKind::Semi && sj.syn_right == *r2 && unique(false) {
            if found.is_some() {
                return None;
            }
            found = Some((i, false));
            unique_ified = true;
        } else if sj.kind == JoinKind::Semi && sj.syn_right == *r1 && unique(true) {
            if found.is_some() {
                return None;
            }
            found = Some((i, true));
            unique_ified = true;
        } else {
            if r1.overlaps(&sj.min_right) && r2.overlaps(&sj.min_right) {
                continue;
            }
            if sj.kind != JoinKind::Left || join.overlaps(&sj.min_left) {
                return None;
            }
            must_be_left = true;
        }
    }
    if must_be_left {
        match found {
            Some((i, _)) if root.join_info[i].kind == JoinKind::Left && root.join_info[i].lhs_strict => {}
            _ => return None,
        }
    }
    let _ = unique_ified;
    if !lateral_legal(root, r1, r2, found) {
        return None;
    }
    Some(found)
}

/// A side with lateral references must come after (be the inner side of) what it refers to.
fn lateral_legal(root: &Root, r1: &Relids, r2: &Relids, found: Option<(usize, bool)>) -> bool {
    if !root.has_lateral {
        return true;
    }
    let needs = |a: &Relids, b: &Relids| {
        a.iter().any(|r| root.base_rel(r).is_ok_and(|id| root.rels[id].lateral.overlaps(b)))
    };
    let (fwd, rev) = (needs(r2, r1), needs(r1, r2));
    if fwd && rev {
        return false;
    }
    if let Some((i, reversed)) = found {
        let sj = &root.join_info[i];
        if fwd && (reversed || sj.kind == JoinKind::Full) || rev && (!reversed || sj.kind == JoinKind::Full) {
            return false;
        }
    }
    true
}

/// An inner join as a special join, for estimates.
pub(crate) fn inner_special(left: &Relids, right: &Relids) -> SpecialJoin {
    SpecialJoin {
        min_left: left.clone(),
        min_right: right.clone(),
        syn_left: left.clone(),
        syn_right: right.clone(),
        kind: JoinKind::Inner,
        lhs_strict: false,
        delay_upper: false,
        semi_can_btree: false,
        semi_can_hash: false,
        semi_ops: Vec::new(),
        semi_rhs: Vec::new(),
    }
}

/// Makes (or finds) the join of two relations and adds the paths this pair offers. None when not allowed.
fn make_join_rel(g: &mut Glob<'_>, root: &mut Root, a: RelId, b: RelId) -> PgResult<Option<RelId>> {
    let (ra, rb) = (root.rels[a].relids.clone(), root.rels[b].relids.clone());
    let join = ra.union(&rb);
    // Unique-ification of a semijoin's right side is tried before legality is judged.
    for (i, rel) in [(0, b), (1, a)] {
        let _ = i;
        let sjs: Vec<SpecialJoin> = root
            .join_info
            .iter()
            .filter(|sj| sj.kind == JoinKind::Semi && sj.syn_right == root.rels[rel].relids)
            .cloned()
            .collect();
        for sj in sjs {
            create_unique_path(g, root, rel, &sj)?;
        }
    }
    let has_unique = |id: RelId| root.rels[id].cheapest_unique.as_ref().is_some_and(|u| u.is_some());
    let (ua, ub) = (has_unique(a), has_unique(b));
    let check = move |_: &SpecialJoin, reversed: bool| if reversed { ua } else { ub };
    let Some(found) = legal(root, &ra, &rb, &join, Some(&check)) else { return Ok(None) };
    let (left, right, sj) = match found {
        Some((i, true)) => (b, a, root.join_info[i].clone()),
        Some((i, false)) => (a, b, root.join_info[i].clone()),
        None => (a, b, inner_special(&ra, &rb)),
    };
    let (rel, restrict) = build_join_rel(g, root, &join, left, right, &sj);
    if root.rels[rel].dummy {
        return Ok(Some(rel));
    }
    populate(g, root, rel, left, right, &sj, &restrict)?;
    Ok(Some(rel))
}

fn build_join_rel(
    g: &mut Glob<'_>,
    root: &mut Root,
    join: &Relids,
    left: RelId,
    right: RelId,
    sj: &SpecialJoin,
) -> (RelId, Vec<Rc<RInfo>>) {
    let restrict = join_restrictions(g, root, join, left, right);
    if let Some(&id) = root.join_rels.get(join) {
        return (id, restrict);
    }
    let mut rel = Rel::new(RelKind::Join, ScanKind::Join, join.clone());
    rel.consider_startup = root.tuple_fraction > 0.0;
    rel.consider_param_startup = false;
    let mut exprs = Vec::new();
    for side in [left, right] {
        for e in &root.rels[side].target.exprs {
            let Expr::Var(v) = e else {
                exprs.push(e.clone());
                continue;
            };
            let needed = root
                .base_rel(v.rte)
                .ok()
                .and_then(|b| root.rels[b].attr_needed.get(&v.attno))
                .is_some_and(|n| !n.subset_of(join));
            if needed {
                exprs.push(e.clone());
            }
        }
    }
    let target = crate::rel::finish_target(g, root, Target { exprs, ..Target::default() });
    rel.width = target.width;
    rel.target = Rc::new(target);
    for side in [left, right] {
        for r in &root.rels[side].joininfo {
            if !r.required.subset_of(join) && !contains_rinfo(&rel.joininfo, r) {
                rel.joininfo.push(r.clone());
            }
        }
        rel.lateral.add(&root.rels[side].lateral);
        rel.direct_lateral.add(&root.rels[side].direct_lateral);
    }
    rel.lateral = rel.lateral.minus(join);
    rel.direct_lateral = rel.direct_lateral.minus(join);
    rel.has_ec_joins = eclass::has_ec_joins(root, join);
    rel.rows = join_rows(g, root, &restrict, root.rels[left].rows, root.rels[right].rows, sj, join);
    let id = root.rels.len();
    root.rels.push(rel);
    root.join_rels.insert(join.clone(), id);
    (id, restrict)
}

/// Clauses that become checkable at this join.
fn join_restrictions(
    g: &mut Glob<'_>,
    root: &mut Root,
    join: &Relids,
    left: RelId,
    right: RelId,
) -> Vec<Rc<RInfo>> {
    let mut out: Vec<Rc<RInfo>> = Vec::new();
    for side in [left, right] {
        for r in &root.rels[side].joininfo {
            if r.required.subset_of(join) && !contains_rinfo(&out, r) {
                out.push(r.clone());
            }
        }
    }
    let (l, r) = (root.rels[left].relids.clone(), root.rels[right].relids.clone());
    out.extend(eclass::join_equalities(g, root, join, &l, &r));
    out
}

/// The estimated size of a join.
pub(crate) fn join_rows(
    g: &Glob<'_>,
    root: &Root,
    restrict: &[Rc<RInfo>],
    outer: f64,
    inner: f64,
    sj: &SpecialJoin,
    join: &Relids,
) -> f64 {
    let ctx = SelCtx { var_rel: 0, kind: sj.kind, sj: Some(sj) };
    let is_outer = !matches!(sj.kind, JoinKind::Inner | JoinKind::Semi);
    let (on, above): (Vec<_>, Vec<_>) =
        restrict.iter().cloned().partition(|r| !is_outer || !r.is_pushed_down_to(join));
    let jsel = sel::list_selectivity(g, root, &on, ctx);
    let psel = if is_outer { sel::list_selectivity(g, root, &above, ctx) } else { 1.0 };
    let rows = match sj.kind {
        JoinKind::Inner => outer * inner * jsel,
        JoinKind::Left => (outer * inner * jsel).max(outer) * psel,
        JoinKind::Full => (outer * inner * jsel).max(outer).max(inner) * psel,
        JoinKind::Semi => outer * jsel,
        JoinKind::Anti => outer * (1.0 - jsel) * psel,
        _ => outer * inner * jsel,
    };
    clamp_rows(rows)
}

fn constant_false(restrict: &[Rc<RInfo>], join: &Relids, only_pushed_down: bool) -> bool {
    restrict.iter().any(|r| {
        (!only_pushed_down || r.is_pushed_down_to(join)) && crate::exprs::is_false_or_null_const(&r.clause)
    })
}

fn populate(
    g: &mut Glob<'_>,
    root: &mut Root,
    rel: RelId,
    a: RelId,
    b: RelId,
    sj: &SpecialJoin,
    restrict: &[Rc<RInfo>],
) -> PgResult<()> {
    let join = root.rels[rel].relids.clone();
    let (da, db) = (root.rels[a].dummy, root.rels[b].dummy);
    use JoinKind::*;
    match sj.kind {
        Inner => {
            if da || db || constant_false(restrict, &join, false) {
                crate::scan::mark_dummy(root, rel);
                return Ok(());
            }
            paths::add(g, root, rel, a, b, Inner, sj, restrict, paths::Uniq::No)?;
            paths::add(g, root, rel, b, a, Inner, sj, restrict, paths::Uniq::No)
        }
        Left => {
            if da || constant_false(restrict, &join, true) {
                crate::scan::mark_dummy(root, rel);
                return Ok(());
            }
            if constant_false(restrict, &join, false) && root.rels[b].relids.subset_of(&sj.syn_right) {
                crate::scan::mark_dummy(root, b);
            }
            paths::add(g, root, rel, a, b, Left, sj, restrict, paths::Uniq::No)?;
            paths::add(g, root, rel, b, a, Right, sj, restrict, paths::Uniq::No)
        }
        Full => {
            if da && db || constant_false(restrict, &join, true) {
                crate::scan::mark_dummy(root, rel);
                return Ok(());
            }
            paths::add(g, root, rel, a, b, Full, sj, restrict, paths::Uniq::No)?;
            paths::add(g, root, rel, b, a, Full, sj, restrict, paths::Uniq::No)?;
            if root.rels[rel].paths.is_empty() {
                return Err(PgError::unsupported(
                    "FULL JOIN is only supported with merge-joinable or hash-joinable join conditions",
                ));
            }
            Ok(())
        }
        Semi => {
            if da || db || constant_false(restrict, &join, false) {
                crate::scan::mark_dummy(root, rel);
                return Ok(());
            }
            if sj.min_left.subset_of(&root.rels[a].relids) && sj.min_right.subset_of(&root.rels[b].relids) {
                paths::add(g, root, rel, a, b, Semi, sj, restrict, paths::Uniq::No)?;
                paths::add(g, root, rel, b, a, RightSemi, sj, restrict, paths::Uniq::No)?;
            }
            if sj.syn_right == root.rels[b].relids && create_unique_path(g, root, b, sj)?.is_some() {
                paths::add(g, root, rel, a, b, Inner, sj, restrict, paths::Uniq::Inner)?;
                paths::add(g, root, rel, b, a, Inner, sj, restrict, paths::Uniq::Outer)?;
            }
            Ok(())
        }
        Anti => {
            if da || constant_false(restrict, &join, true) {
                crate::scan::mark_dummy(root, rel);
                return Ok(());
            }
            if constant_false(restrict, &join, false) && root.rels[b].relids.subset_of(&sj.syn_right) {
                crate::scan::mark_dummy(root, b);
            }
            paths::add(g, root, rel, a, b, Anti, sj, restrict, paths::Uniq::No)?;
            paths::add(g, root, rel, b, a, RightAnti, sj, restrict, paths::Uniq::No)
        }
        k => Err(PgError::internal(format!("unrecognized join type: {k:?}"))),
    }
}
