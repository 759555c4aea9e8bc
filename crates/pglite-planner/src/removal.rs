//! Removing left joins to relations that contribute neither columns nor rows.

use std::rc::Rc;

use pglite_ir::JoinKind;

use crate::decon::JoinItem;
use crate::index::unique_for;
use crate::relids::Relids;
use crate::types::*;

/// Drops useless left joins from the join problem.
pub(crate) fn remove_useless_joins(g: &Glob<'_>, root: &mut Root, mut list: Vec<JoinItem>) -> Vec<JoinItem> {
    loop {
        let found = (0..root.join_info.len()).find(|i| removable(g, root, &root.join_info[*i]));
        let Some(i) = found else { return list };
        let sj = root.join_info.remove(i);
        let Some(rti) = sj.min_right.singleton() else { return list };
        remove_rel(root, rti, &sj);
        list = drop_item(list, rti);
    }
}

fn removable(g: &Glob<'_>, root: &Root, sj: &SpecialJoin) -> bool {
    if sj.kind != JoinKind::Left || sj.min_right != sj.syn_right {
        return false;
    }
    let Some(rti) = sj.min_right.singleton() else { return false };
    if rti == root.query.result_relation || root.row_marks.iter().any(|m| m.rte == rti) {
        return false;
    }
    let Ok(rel) = root.base_rel(rti) else { return false };
    let r = &root.rels[rel];
    let supported = match r.scan {
        ScanKind::Relation => !root.rte(rti).inherit,
        _ => false,
    };
    if !supported || !r.lateral_referencers.is_empty() {
        return false;
    }
    let join = sj.min_left.union(&sj.min_right);
    // Columns used above the join keep it.
    if r.attr_needed.values().any(|n| !n.subset_of(&join)) {
        return false;
    }
    let mut clauses: Vec<Rc<RInfo>> = Vec::new();
    for c in &r.joininfo {
        if c.is_pushed_down_to(&join) {
            return false;
        }
        if c.can_join
            && !c.merge_families.is_empty()
            && (c.left == sj.min_right && c.right.subset_of(&sj.min_left)
                || c.right == sj.min_right && c.left.subset_of(&sj.min_left))
        {
            clauses.push(c.clone());
        }
    }
    // Some other outer join's legality may hang on this relation.
    if root.join_info.iter().any(|o| {
        !std::ptr::eq(o, sj)
            && (o.syn_left.contains(rti) || o.syn_right.contains(rti))
            && (o.min_left.contains(rti) || o.min_right.contains(rti))
    }) {
        return false;
    }
    !clauses.is_empty() && unique_for(g, root, rel, &clauses, &[])
}

fn remove_rel(root: &mut Root, rti: u32, sj: &SpecialJoin) {
    let gone = Relids::single(rti);
    root.base[rti as usize] = None;
    root.all_baserels.remove(rti);
    for o in &mut root.join_info {
        for set in [&mut o.min_left, &mut o.min_right, &mut o.syn_left, &mut o.syn_right] {
            set.remove(rti);
        }
    }
    for r in &mut root.rels {
        r.joininfo.retain(|c| !c.required.overlaps(&gone));
        if r.relid == rti {
            r.kind = RelKind::Upper;
        }
        for needed in r.attr_needed.values_mut() {
            needed.remove(rti);
        }
    }
    for ec in &mut root.ecs {
        if ec.relids.overlaps(&gone) {
            ec.relids.remove(rti);
            ec.members.retain(|m| !m.relids.overlaps(&gone));
            ec.sources.retain(|s| !s.relids.overlaps(&gone));
            ec.derives.retain(|s| !s.relids.overlaps(&gone));
        }
    }
    // Columns only the removed join needed are not fetched any more.
    for r in &mut root.rels {
        if !sj.min_left.overlaps(&r.relids) || r.kind != RelKind::Base {
            continue;
        }
        let own = r.relids.clone();
        let dead: Vec<i16> =
            r.attr_needed.iter().filter(|(_, n)| n.subset_of(&own)).map(|(a, _)| *a).collect();
        if !dead.is_empty() {
            let t = Rc::make_mut(&mut r.target);
            t.exprs.retain(|e| !matches!(e, pglite_ir::Expr::Var(v) if dead.contains(&v.attno)));
        }
    }
}

fn drop_item(list: Vec<JoinItem>, rti: u32) -> Vec<JoinItem> {
    list.into_iter()
        .filter_map(|i| match i {
            JoinItem::Rel(r) if r == rti => None,
            JoinItem::Rel(r) => Some(JoinItem::Rel(r)),
            JoinItem::List(l) => {
                let mut l = drop_item(l, rti);
                match l.len() {
                    0 => None,
                    1 => Some(l.swap_remove(0)),
                    _ => Some(JoinItem::List(l)),
                }
            }
        })
        .collect()
}
