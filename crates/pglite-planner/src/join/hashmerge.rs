//! Hash joins and merge joins.

use std::rc::Rc;

use pglite_error::PgResult;
use pglite_ir::JoinKind;
use pglite_ir::expr::Expr;

use super::paths::{Pair, Uniq, join_param};
use crate::cost::{self, HashInputs, MergeInputs, MergeScan};
use crate::exprs::as_binary;
use crate::path::{add_path, cheapest_for_keys};
use crate::pathkeys;
use crate::relids::Relids;
use crate::sel;
use crate::types::*;

/// Paths to use on each side when duplicates were removed from one.
fn cheapest(root: &Root, pair: &Pair<'_>) -> Option<(Rc<Path>, Rc<Path>)> {
    let side = |rel: RelId, unique: bool| {
        if unique {
            root.rels[rel].cheapest_unique.clone().flatten()
        } else {
            root.rels[rel].cheapest_total.clone()
        }
    };
    Some((side(pair.outer, pair.uniq == Uniq::Outer)?, side(pair.inner, pair.uniq == Uniq::Inner)?))
}

/// Merge joins that sort whichever side needs it.
pub(super) fn sort_inner_and_outer(g: &mut Glob<'_>, root: &mut Root, pair: &Pair<'_>) -> PgResult<()> {
    let Some((outer, inner)) = cheapest(root, pair) else { return Ok(()) };
    let (orel, irel) = (root.rels[pair.outer].relids.clone(), root.rels[pair.inner].relids.clone());
    if outer.required().is_some_and(|r| r.overlaps(&irel))
        || inner.required().is_some_and(|r| r.overlaps(&orel))
    {
        return Ok(());
    }
    if pair.merge.is_empty() {
        return Ok(());
    }
    let join = root.rels[pair.rel].relids.clone();
    let all_keys = pathkeys::outer_keys_for_merge(g, root, &pair.merge, &join);
    for front in 0..all_keys.len() {
        let mut keys = all_keys.clone();
        if front > 0 {
            let k = keys.remove(front);
            keys.insert(0, k);
        }
        let clauses = pathkeys::merge_clauses_for_outer(root, &keys, &pair.merge);
        if clauses.len() != pair.merge.len()
            && matches!(pair.kind, JoinKind::Full | JoinKind::Right | JoinKind::RightAnti)
        {
            continue;
        }
        let inner_keys = pathkeys::inner_keys_for_merge(root, &clauses, &keys);
        let mut result = pathkeys::for_join(pair.kind, &keys);
        pathkeys::truncate_useless(g, root, pair.rel, &mut result);
        try_merge(g, root, pair, &outer, &inner, clauses, result, keys, inner_keys);
    }
    Ok(())
}

/// Merge joins that use the order an outer path has.
pub(super) fn merge_with_outer(
    g: &mut Glob<'_>,
    root: &mut Root,
    pair: &Pair<'_>,
    outer: &Rc<Path>,
    inner_total: &Rc<Path>,
    use_all: bool,
    keys: Vec<PathKey>,
) -> PgResult<()> {
    let clauses = pathkeys::merge_clauses_for_outer(root, &outer.pathkeys, &pair.merge);
    if clauses.is_empty() {
        return Ok(());
    }
    if use_all && clauses.len() != pair.merge.len() {
        return Ok(());
    }
    let inner_keys = pathkeys::inner_keys_for_merge(root, &clauses, &outer.pathkeys);
    try_merge(
        g,
        root,
        pair,
        outer,
        inner_total,
        clauses.clone(),
        keys.clone(),
        outer.pathkeys.clone(),
        inner_keys.clone(),
    );
    if pair.uniq == Uniq::Inner {
        return Ok(());
    }
    // Inner paths that are sorted already, for all the clauses and for ever fewer of them.
    let orel = root.rels[pair.outer].relids.clone();
    let mut n = inner_keys.len();
    while n > 0 {
        let want = inner_keys[..n].to_vec();
        let found = cheapest_for_keys(&root.rels[pair.inner].paths, &want, None, false).cloned();
        if let Some(inner) = found
            && !inner.required().is_some_and(|r| r.overlaps(&orel))
            && !inner.pathkeys.is_empty()
        {
            let used: Vec<_> = clauses
                .iter()
                .filter(|(r, left)| {
                    let ec = if *left { r.right_ec.get() } else { r.left_ec.get() };
                    ec.is_some_and(|e| want.iter().any(|k| k.ec == root.canon(e)))
                })
                .cloned()
                .collect();
            if !used.is_empty() && (!use_all || used.len() == pair.merge.len()) {
                try_merge(g, root, pair, outer, &inner, used, keys.clone(), outer.pathkeys.clone(), want);
            }
        }
        n -= 1;
        if use_all {
            break;
        }
    }
    Ok(())
}

fn plain_required(outer: &Path, inner: &Path) -> Relids {
    outer.required_or_empty().union(&inner.required_or_empty())
}

#[allow(clippy::too_many_arguments)]
fn try_merge(
    g: &mut Glob<'_>,
    root: &mut Root,
    pair: &Pair<'_>,
    outer: &Rc<Path>,
    inner: &Rc<Path>,
    clauses: Vec<(Rc<RInfo>, bool)>,
    result_keys: Vec<PathKey>,
    outer_keys: Vec<PathKey>,
    inner_keys: Vec<PathKey>,
) {
    let required = plain_required(outer, inner);
    if !required.is_empty() && !required.overlaps(&pair.param_sources) {
        return;
    }
    if clauses.is_empty() {
        return;
    }
    let mut outer_sort = outer_keys.clone();
    let mut inner_sort = inner_keys.clone();
    if pathkeys::contained(&outer_keys, &outer.pathkeys) {
        outer_sort.clear();
    }
    if pathkeys::contained(&inner_keys, &inner.pathkeys) {
        inner_sort.clear();
    }
    let mut all: Vec<Rc<RInfo>> = pair.restrict.to_vec();
    let param = join_param(g, root, pair, outer, inner, &required, &mut all);
    let keys: Vec<Rc<RInfo>> = clauses.iter().map(|c| c.0.clone()).collect();
    let others: Vec<Rc<RInfo>> =
        all.iter().filter(|r| !keys.iter().any(|k| Rc::ptr_eq(k, r))).cloned().collect();
    let scan = first_key_scan(g, root, pair, &clauses, &outer_keys);
    let join = root.rels[pair.rel].relids.clone();
    let inner_sj = super::inner_special(&root.rels[pair.outer].relids, &root.rels[pair.inner].relids);
    let merge_tuples = super::join_rows(g, root, &keys, outer.rows, inner.rows, &inner_sj, &join);
    let inputs = MergeInputs {
        kind: pair.kind,
        outer,
        inner,
        sort_outer: !outer_sort.is_empty(),
        sort_inner: !inner_sort.is_empty(),
        scan,
        merge_tuples,
        inner_unique: pair.inner_unique,
        all_joinclauses_are_merge: others.is_empty(),
        merge_qual: cost::clauses_cost(g, &keys),
        other_qual: cost::clauses_cost(g, &others),
    };
    let rows = param.as_ref().map_or(root.rels[pair.rel].rows, |p| p.rows);
    let target = root.rels[pair.rel].target.clone();
    let m = cost::mergejoin(g, &inputs, rows, &target);
    let path = Path {
        node: PathNode::Merge {
            j: JoinPath {
                kind: pair.kind,
                outer: outer.clone(),
                inner: inner.clone(),
                clauses: all,
                inner_unique: pair.inner_unique,
            },
            keys,
            outer_sort,
            inner_sort,
            skip_mark: m.skip_mark,
            materialize: m.materialize,
            merge_pathkeys: outer_keys,
        },
        rel: pair.rel,
        target,
        param,
        rows,
        startup: m.costs.startup,
        total: m.costs.total,
        disabled: m.costs.disabled,
        pathkeys: result_keys,
    };
    add_path(&mut root.rels[pair.rel], path);
}

fn first_key_scan(
    g: &Glob<'_>,
    root: &Root,
    pair: &Pair<'_>,
    clauses: &[(Rc<RInfo>, bool)],
    keys: &[PathKey],
) -> MergeScan {
    let full = MergeScan { outer_start: 0.0, outer_end: 1.0, inner_start: 0.0, inner_end: 1.0 };
    let Some((r, left_outer)) = clauses.first() else { return full };
    if pair.kind == JoinKind::Full {
        return full;
    }
    let Some((_, l, rr)) = as_binary(&r.clause) else { return full };
    let (o, i) = if *left_outer { (l, rr) } else { (rr, l) };
    let (os, oe, is, ie) = sel::merge_scan(g, root, o, i, keys.first().is_some_and(|k| k.desc));
    let mut m = MergeScan { outer_start: os, outer_end: oe, inner_start: is, inner_end: ie };
    if matches!(pair.kind, JoinKind::Left | JoinKind::Anti) {
        (m.outer_start, m.outer_end) = (0.0, 1.0);
    } else if matches!(pair.kind, JoinKind::Right | JoinKind::RightAnti) {
        (m.inner_start, m.inner_end) = (0.0, 1.0);
    }
    m
}

/// Hash joins of the cheapest paths.
pub(super) fn hash(g: &mut Glob<'_>, root: &mut Root, pair: &Pair<'_>) -> PgResult<()> {
    let join = root.rels[pair.rel].relids.clone();
    let (orel, irel) = (root.rels[pair.outer].relids.clone(), root.rels[pair.inner].relids.clone());
    let is_outer = !matches!(pair.kind, JoinKind::Inner | JoinKind::Semi | JoinKind::RightSemi);
    let keys: Vec<Rc<RInfo>> = pair
        .restrict
        .iter()
        .filter(|r| {
            !(is_outer && r.is_pushed_down_to(&join))
                && r.can_join
                && r.hash_op.is_valid()
                && (r.left.subset_of(&orel) && r.right.subset_of(&irel)
                    || r.left.subset_of(&irel) && r.right.subset_of(&orel))
        })
        .cloned()
        .collect();
    if keys.is_empty() {
        return Ok(());
    }
    let Some((outer_total, inner)) = cheapest(root, pair) else { return Ok(()) };
    if outer_total.required().is_some_and(|r| r.overlaps(&irel))
        || inner.required().is_some_and(|r| r.overlaps(&orel))
    {
        return Ok(());
    }
    try_hash(g, root, pair, &outer_total, &inner, keys.clone());
    if pair.uniq == Uniq::No {
        if let Some(startup) = root.rels[pair.outer].cheapest_startup.clone()
            && !Rc::ptr_eq(&startup, &outer_total)
        {
            try_hash(g, root, pair, &startup, &inner, keys.clone());
        }
        // Parameterized inputs.
        for o in root.rels[pair.outer].cheapest_param.clone() {
            if o.required().is_some_and(|r| r.overlaps(&irel)) {
                continue;
            }
            for i in root.rels[pair.inner].cheapest_param.clone() {
                if i.required().is_some_and(|r| r.overlaps(&orel)) || o.param.is_none() && i.param.is_none() {
                    continue;
                }
                try_hash(g, root, pair, &o, &i, keys.clone());
            }
        }
    }
    Ok(())
}

fn try_hash(
    g: &mut Glob<'_>,
    root: &mut Root,
    pair: &Pair<'_>,
    outer: &Rc<Path>,
    inner: &Rc<Path>,
    keys: Vec<Rc<RInfo>>,
) {
    let required = plain_required(outer, inner);
    if !required.is_empty() && !required.overlaps(&pair.param_sources) {
        return;
    }
    let mut all: Vec<Rc<RInfo>> = pair.restrict.to_vec();
    let param = join_param(g, root, pair, outer, inner, &required, &mut all);
    let others: Vec<Rc<RInfo>> =
        all.iter().filter(|r| !keys.iter().any(|k| Rc::ptr_eq(k, r))).cloned().collect();
    let irel = root.rels[pair.inner].relids.clone();
    let (buckets, batches) = cost::hash_table_size(g, inner.rows, inner.target.width);
    let virtual_buckets = buckets * batches;
    let (mut bucket_size, mut mcv_freq) = (1.0f64, 1.0f64);
    if let PathNode::Unique { .. } = &inner.node {
        bucket_size = 1.0 / virtual_buckets;
        mcv_freq = 1.0 / inner.rows.max(1.0);
    } else {
        for r in &keys {
            let Some((_, l, rr)) = as_binary(&r.clause) else { continue };
            let key: &Expr = if r.right.subset_of(&irel) { rr } else { l };
            let (b, m) = sel::hash_bucket_stats(g, root, key, virtual_buckets);
            bucket_size = bucket_size.min(b);
            mcv_freq = mcv_freq.min(m);
        }
    }
    let join = root.rels[pair.rel].relids.clone();
    let inner_sj = super::inner_special(&root.rels[pair.outer].relids, &irel);
    let inputs = HashInputs {
        kind: pair.kind,
        outer,
        inner,
        keys: keys.len(),
        inner_unique: pair.inner_unique,
        semi: pair.semi,
        bucket_size,
        mcv_freq,
        hash_tuples: super::join_rows(g, root, &keys, outer.rows, inner.rows, &inner_sj, &join),
        hash_qual: cost::clauses_cost(g, &keys),
        other_qual: cost::clauses_cost(g, &others),
    };
    let rows = param.as_ref().map_or(root.rels[pair.rel].rows, |p| p.rows);
    let target = root.rels[pair.rel].target.clone();
    let c = cost::hashjoin(g, &inputs, rows, &target);
    let path = Path {
        node: PathNode::Hash {
            j: JoinPath {
                kind: pair.kind,
                outer: outer.clone(),
                inner: inner.clone(),
                clauses: all,
                inner_unique: pair.inner_unique,
            },
            keys,
        },
        rel: pair.rel,
        target,
        param,
        rows,
        startup: c.startup,
        total: c.total,
        disabled: c.disabled,
        pathkeys: Vec::new(),
    };
    add_path(&mut root.rels[pair.rel], path);
}
