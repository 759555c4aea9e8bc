//! Outer-join reduction: strict conditions above turn outer joins into inner ones, IS NULL turns them into antijoins.

use std::collections::BTreeSet;
use std::mem;

use pglite_ir::query::*;

use crate::exprs::{forced_null_vars, nonnullable_vars};
use crate::relids::Relids;
use crate::types::{Glob, Root};
use crate::walker::item_relids;

type VarSet = BTreeSet<(u32, i16)>;

/// What is known from above.
#[derive(Clone, Default)]
struct Known {
    nonnull: VarSet,
    forced_null: VarSet,
}

fn rels(vars: &VarSet) -> Relids {
    vars.iter().map(|v| v.0).collect()
}

pub(crate) fn has_outer_joins(item: &FromItem) -> bool {
    match item {
        FromItem::Rte(_) => false,
        FromItem::From(t) => t.from.iter().any(has_outer_joins),
        FromItem::Join(j) => {
            !matches!(j.kind, JoinKind::Inner | JoinKind::Semi)
                || has_outer_joins(&j.left)
                || has_outer_joins(&j.right)
        }
    }
}

pub(crate) fn reduce_outer_joins(g: &Glob<'_>, root: &mut Root) {
    let mut tree = mem::take(&mut root.query.jointree);
    if tree.from.iter().any(has_outer_joins) {
        reduce_tree(g, &mut tree, &Known::default());
    }
    root.query.jointree = tree;
}

fn reduce_tree(g: &Glob<'_>, tree: &mut JoinTree, known: &Known) {
    let mut known = known.clone();
    if let Some(q) = &tree.quals {
        known.nonnull.extend(nonnullable_vars(&g.cat, q, true));
        known.forced_null.extend(forced_null_vars(q));
    }
    for item in &mut tree.from {
        reduce_item(g, item, &known);
    }
}

fn reduce_item(g: &Glob<'_>, item: &mut FromItem, known: &Known) {
    let j = match item {
        FromItem::Rte(_) => return,
        FromItem::From(t) => return reduce_tree(g, t, known),
        FromItem::Join(j) => j,
    };
    let nonnull_rels = rels(&known.nonnull);
    let (left, right) = (item_relids(&j.left, false), item_relids(&j.right, false));
    let (hits_left, hits_right) = (nonnull_rels.overlaps(&left), nonnull_rels.overlaps(&right));
    j.kind = match j.kind {
        JoinKind::Left if hits_right => JoinKind::Inner,
        JoinKind::Right if hits_left => JoinKind::Inner,
        JoinKind::Full => match (hits_left, hits_right) {
            (true, true) => JoinKind::Inner,
            (true, false) => JoinKind::Left,
            (false, true) => JoinKind::Right,
            (false, false) => JoinKind::Full,
        },
        k => k,
    };
    let mut right = right;
    if j.kind == JoinKind::Right {
        let j = &mut **j;
        mem::swap(&mut j.left, &mut j.right);
        j.kind = JoinKind::Left;
        right = left;
    }
    let own_nonnull = j.quals.as_ref().map(|q| nonnullable_vars(&g.cat, q, true)).unwrap_or_default();
    if j.kind == JoinKind::Left
        && own_nonnull.iter().any(|v| right.contains(v.0) && known.forced_null.contains(v))
    {
        j.kind = JoinKind::Anti;
    }
    let own = Known {
        nonnull: own_nonnull,
        forced_null: j.quals.as_ref().map(forced_null_vars).unwrap_or_default(),
    };
    let mut both = own.clone();
    both.nonnull.extend(known.nonnull.iter().copied());
    both.forced_null.extend(known.forced_null.iter().copied());
    let (for_left, for_right) = match j.kind {
        JoinKind::Inner | JoinKind::Semi => (both.clone(), both),
        JoinKind::Full => (Known::default(), Known::default()),
        _ => (known.clone(), own),
    };
    reduce_item(g, &mut j.left, &for_left);
    reduce_item(g, &mut j.right, &for_right);
}
