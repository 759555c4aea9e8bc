//! Taking the join tree apart: every condition goes to the relation or join where it may be evaluated, outer joins leave
//! ordering constraints behind (`SpecialJoin`), and what remains is a list of relations to join.

use std::rc::Rc;

use pglite_error::PgResult;
use pglite_ir::expr::*;
use pglite_ir::query::*;

use crate::eclass;
use crate::exprs::*;
use crate::relids::Relids;
use crate::restrict::*;
use crate::types::*;
use crate::walker::{into_conjuncts, varnos};

/// Relations and sub-problems to be joined in any legal order.
#[derive(Clone, Debug)]
pub(crate) enum JoinItem {
    Rel(u32),
    List(Vec<JoinItem>),
}

/// A condition that refers sideways and waits for the join level where all it needs is in scope.
struct Postponed {
    qual: Expr,
    relids: Relids,
}

/// What `recurse` tells about a subtree.
struct Scope {
    rels: Relids,
    inner_rels: Relids,
    list: Vec<JoinItem>,
}

/// The circumstances of one set of conditions.
struct QualPlace<'a> {
    below_outer: bool,
    kind: JoinKind,
    qualscope: &'a Relids,
    ojscope: Option<&'a Relids>,
    nonnullable: &'a Relids,
    security: u32,
}

/// Distributes all conditions and returns the join problem.
pub(crate) fn deconstruct(g: &mut Glob<'_>, root: &mut Root) -> PgResult<Vec<JoinItem>> {
    let tree = std::mem::take(&mut root.query.jointree);
    let mut postponed = Vec::new();
    let scope = recurse(g, root, FromItem::From(Box::new(tree)), false, &mut postponed)?;
    Ok(scope.list)
}

fn recurse(
    g: &mut Glob<'_>,
    root: &mut Root,
    item: FromItem,
    below_outer: bool,
    postponed: &mut Vec<Postponed>,
) -> PgResult<Scope> {
    match item {
        FromItem::Rte(r) => {
            let rels = Relids::single(r);
            security_quals(g, root, r, &rels, below_outer)?;
            Ok(Scope { rels, inner_rels: Relids::new(), list: vec![JoinItem::Rel(r)] })
        }
        FromItem::From(t) => recurse_from(g, root, *t, below_outer, postponed),
        FromItem::Join(j) => recurse_join(g, root, *j, below_outer, postponed),
    }
}

/// Row security conditions come before the user's.
fn security_quals(
    g: &mut Glob<'_>,
    root: &mut Root,
    rti: u32,
    rels: &Relids,
    below_outer: bool,
) -> PgResult<()> {
    let quals = std::mem::take(&mut root.query.rtable[rti as usize - 1].security_quals);
    for (level, qual) in quals.into_iter().enumerate() {
        let empty = Relids::new();
        let place = QualPlace {
            below_outer,
            kind: JoinKind::Inner,
            qualscope: rels,
            ojscope: None,
            nonnullable: &empty,
            security: level as u32,
        };
        for q in into_conjuncts(Some(qual)) {
            distribute_qual(g, root, q, &place, &mut Vec::new())?;
        }
    }
    Ok(())
}

fn recurse_from(
    g: &mut Glob<'_>,
    root: &mut Root,
    t: JoinTree,
    below_outer: bool,
    postponed: &mut Vec<Postponed>,
) -> PgResult<Scope> {
    let mut scope = Scope { rels: Relids::new(), inner_rels: Relids::new(), list: Vec::new() };
    let mut child_postponed = Vec::new();
    let mut remaining = t.from.len();
    let multiple = t.from.len() > 1;
    for child in t.from {
        let sub = recurse(g, root, child, below_outer, &mut child_postponed)?;
        scope.rels.add(&sub.rels);
        scope.inner_rels = sub.inner_rels;
        remaining -= 1;
        let n = sub.list.len();
        if n <= 1 || scope.list.len() + n + remaining <= g.set.from_collapse_limit {
            scope.list.extend(sub.list);
        } else {
            scope.list.push(JoinItem::List(sub.list));
        }
    }
    if multiple {
        scope.inner_rels = scope.rels.clone();
    }
    let empty = Relids::new();
    let place = QualPlace {
        below_outer,
        kind: JoinKind::Inner,
        qualscope: &scope.rels,
        ojscope: None,
        nonnullable: &empty,
        security: root.qual_security,
    };
    for p in child_postponed {
        if p.relids.subset_of(&scope.rels) && !scope.rels.is_empty() {
            distribute_qual(g, root, p.qual, &place, postponed)?;
        } else {
            postponed.push(p);
        }
    }
    for q in into_conjuncts(t.quals) {
        distribute_qual(g, root, q, &place, postponed)?;
    }
    Ok(scope)
}

fn recurse_join(
    g: &mut Glob<'_>,
    root: &mut Root,
    j: JoinExpr,
    below_outer: bool,
    postponed: &mut Vec<Postponed>,
) -> PgResult<Scope> {
    let mut child_postponed = Vec::new();
    let (left_below, right_below) = match j.kind {
        JoinKind::Inner | JoinKind::Semi => (below_outer, below_outer),
        JoinKind::Full => (true, true),
        _ => (below_outer, true),
    };
    let left = recurse(g, root, j.left, left_below, &mut child_postponed)?;
    let right = recurse(g, root, j.right, right_below, &mut child_postponed)?;
    let rels = left.rels.union(&right.rels);
    let (inner_rels, nonnullable) = match j.kind {
        JoinKind::Inner => (rels.clone(), Relids::new()),
        JoinKind::Left | JoinKind::Anti => (left.inner_rels.union(&right.inner_rels), left.rels.clone()),
        JoinKind::Full => (left.inner_rels.union(&right.inner_rels), rels.clone()),
        _ => (left.inner_rels.union(&right.inner_rels), Relids::new()),
    };
    let mut quals = into_conjuncts(j.quals);
    for p in child_postponed {
        if p.relids.subset_of(&rels) {
            quals.push(p.qual);
        } else {
            postponed.push(p);
        }
    }
    let mut sj = None;
    let mut ojscope = None;
    if j.kind != JoinKind::Inner {
        let s = make_special_join(g, root, &left.rels, &right.rels, &inner_rels, j.kind, &quals);
        if j.kind != JoinKind::Semi {
            ojscope = Some(s.min_left.union(&s.min_right));
        }
        sj = Some(s);
    }
    let place = QualPlace {
        below_outer,
        kind: j.kind,
        qualscope: &rels,
        ojscope: ojscope.as_ref(),
        nonnullable: &nonnullable,
        security: root.qual_security,
    };
    let sj_index = root.join_info.len();
    for q in quals {
        distribute_qual(g, root, q, &place, postponed)?;
    }
    if let Some(s) = sj {
        debug_assert_eq!(sj_index, root.join_info.len());
        root.join_info.push(s);
    }
    let mut list = left.list;
    let right_list = right.list;
    if j.kind == JoinKind::Full {
        let wrap = |mut l: Vec<JoinItem>| if l.len() == 1 { l.swap_remove(0) } else { JoinItem::List(l) };
        list = vec![JoinItem::List(vec![wrap(list), wrap(right_list)])];
    } else if list.len() + right_list.len() <= g.set.join_collapse_limit {
        list.extend(right_list);
    } else {
        let wrap = |mut l: Vec<JoinItem>| if l.len() == 1 { l.swap_remove(0) } else { JoinItem::List(l) };
        list = [list, right_list].into_iter().filter(|l| !l.is_empty()).map(wrap).collect();
    }
    Ok(Scope { rels, inner_rels, list })
}

/// The ordering constraints of an outer (or semi) join.
#[allow(clippy::too_many_arguments)]
fn make_special_join(
    g: &Glob<'_>,
    root: &Root,
    left: &Relids,
    right: &Relids,
    inner_rels: &Relids,
    kind: JoinKind,
    quals: &[Expr],
) -> SpecialJoin {
    let mut sj = SpecialJoin {
        min_left: left.clone(),
        min_right: right.clone(),
        syn_left: left.clone(),
        syn_right: right.clone(),
        kind,
        lhs_strict: false,
        delay_upper: false,
        semi_can_btree: false,
        semi_can_hash: false,
        semi_ops: Vec::new(),
        semi_rhs: Vec::new(),
    };
    semijoin_info(g, &mut sj, quals);
    if kind == JoinKind::Full {
        return sj;
    }
    let mut clause_rels = Relids::new();
    let mut strict_rels = Relids::new();
    for q in quals {
        clause_rels.add(&varnos(q));
        strict_rels.add(&nonnullable_rels(&g.cat, q, true));
    }
    sj.lhs_strict = strict_rels.overlaps(left);
    let mut min_left = clause_rels.intersect(left);
    let mut min_right = clause_rels.union(inner_rels).intersect(right);
    let semi_or_anti = matches!(kind, JoinKind::Semi | JoinKind::Anti);
    for o in &root.join_info {
        let syn = o.syn_left.union(&o.syn_right);
        if o.kind == JoinKind::Full {
            if left.overlaps(&syn) {
                min_left.add(&syn);
            }
            if right.overlaps(&syn) {
                min_right.add(&syn);
            }
            continue;
        }
        if left.overlaps(&o.syn_right)
            && clause_rels.overlaps(&o.syn_right)
            && (semi_or_anti || !strict_rels.overlaps(&o.min_right))
        {
            min_left.add(&syn);
        }
        if right.overlaps(&o.syn_right)
            && (clause_rels.overlaps(&o.syn_right)
                || !clause_rels.overlaps(&o.min_left)
                || semi_or_anti
                || matches!(o.kind, JoinKind::Semi | JoinKind::Anti)
                || !o.lhs_strict
                || o.delay_upper)
        {
            min_right.add(&syn);
        }
    }
    if min_left.is_empty() {
        min_left = left.clone();
    }
    if min_right.is_empty() {
        min_right = right.clone();
    }
    sj.min_left = min_left;
    sj.min_right = min_right;
    sj
}

/// Whether a semijoin's right side can be made unique, and by which operators.
fn semijoin_info(g: &Glob<'_>, sj: &mut SpecialJoin, quals: &[Expr]) {
    if sj.kind != JoinKind::Semi {
        return;
    }
    let (mut ops, mut exprs) = (Vec::new(), Vec::new());
    let (mut btree, mut hash) = (true, true);
    for q in quals {
        let all = varnos(q);
        let (op, left, right) = match as_binary(q) {
            Some((o, l, r)) => (o.op, l, r),
            None => {
                if !all.overlaps(&sj.syn_right) || all.subset_of(&sj.syn_right) && !is_volatile(&g.cat, q) {
                    continue;
                }
                return;
            }
        };
        let (left_rels, right_rels) = (varnos(left), varnos(right));
        let mut op = op;
        let rhs = if !right_rels.is_empty()
            && right_rels.subset_of(&sj.syn_right)
            && !left_rels.overlaps(&sj.syn_right)
        {
            right
        } else if !left_rels.is_empty()
            && left_rels.subset_of(&sj.syn_right)
            && !right_rels.overlaps(&sj.syn_right)
        {
            match g.cat.commutator(op) {
                Some(c) => op = c,
                None => return,
            }
            left
        } else {
            // Not a join condition: fine when it concerns one side only.
            if !all.overlaps(&sj.syn_right) || all.subset_of(&sj.syn_right) && !is_volatile(&g.cat, q) {
                continue;
            }
            return;
        };
        if btree && g.cat.merge_families(op).is_empty() {
            btree = false;
        }
        if hash && !g.cat.can_hash(op, rhs.ty()) {
            hash = false;
        }
        if !btree && !hash {
            return;
        }
        ops.push(op);
        exprs.push(rhs.clone());
    }
    if exprs.is_empty() || exprs.iter().any(|e| is_volatile(&g.cat, e)) {
        return;
    }
    sj.semi_can_btree = btree;
    sj.semi_can_hash = hash;
    sj.semi_ops = ops;
    sj.semi_rhs = exprs;
}

/// Outer joins below which the relations may be nulled: the clause waits until those joins are done.
/// Returns (delayed, nullable relations of the clause).
fn outerjoin_delay(root: &mut Root, relids: &mut Relids, is_pushed_down: bool) -> (bool, Relids) {
    if root.join_info.is_empty() {
        return (false, Relids::new());
    }
    let original = relids.clone();
    let (mut nullable, mut delayed) = (Relids::new(), false);
    loop {
        let mut found = false;
        for sj in &mut root.join_info {
            let full = sj.kind == JoinKind::Full;
            if !(relids.overlaps(&sj.min_right) || full && relids.overlaps(&sj.min_left)) {
                continue;
            }
            if !sj.min_left.subset_of(relids) || !sj.min_right.subset_of(relids) {
                relids.add(&sj.min_left);
                relids.add(&sj.min_right);
                delayed = true;
                found = true;
            }
            nullable.add(&sj.min_right);
            if full {
                nullable.add(&sj.min_left);
            }
            if is_pushed_down && !full && relids.overlaps(&sj.min_left) {
                sj.delay_upper = true;
            }
        }
        if !found {
            break;
        }
    }
    (delayed, nullable.intersect(&original))
}

fn distribute_qual(
    g: &mut Glob<'_>,
    root: &mut Root,
    clause: Expr,
    place: &QualPlace<'_>,
    postponed: &mut Vec<Postponed>,
) -> PgResult<()> {
    let mut relids = varnos(&clause);
    if !relids.subset_of(place.qualscope) || place.qualscope.is_empty() {
        postponed.push(Postponed { qual: clause, relids });
        return Ok(());
    }
    let mut pseudoconstant = false;
    if relids.is_empty() {
        match place.ojscope {
            Some(oj) => relids = oj.clone(),
            None => {
                relids = place.qualscope.clone();
                if !is_volatile(&g.cat, &clause) {
                    pseudoconstant = true;
                    root.has_pseudoconstant = true;
                }
            }
        }
    }
    let is_pushed_down;
    let (delayed, nullable);
    let (mut maybe_ec, mut maybe_oj) = (false, false);
    if relids.overlaps(place.nonnullable) {
        is_pushed_down = false;
        maybe_oj = true;
        (delayed, nullable) = outerjoin_delay(root, &mut relids, false);
        relids = place.ojscope.cloned().unwrap_or(relids);
    } else {
        is_pushed_down = true;
        (delayed, nullable) = outerjoin_delay(root, &mut relids, true);
        if delayed {
            if redundant_null_test(g, root, &clause, &relids) {
                return Ok(());
            }
        } else {
            maybe_ec = true;
        }
    }
    let args = RInfoArgs {
        is_pushed_down,
        outerjoin_delayed: delayed,
        pseudoconstant,
        security: place.security,
        required: Some(relids.clone()),
        outer: place.nonnullable.clone(),
        nullable,
    };
    if relids.is_multiple() {
        add_vars_to_targets(root, &clause, &relids);
    }
    let rinfo = make_rinfo(g, clause, args);
    if rinfo.merge_families.is_empty() {
        return distribute_to_rels(g, root, Rc::new(rinfo));
    }
    if maybe_ec {
        if let Some(rest) = eclass::process_equivalence(g, root, rinfo, place.below_outer)? {
            return distribute_to_rels(g, root, Rc::new(rest));
        }
        return Ok(());
    }
    if maybe_oj && rinfo.can_join {
        let sj = root.join_info.len();
        let (l_out, r_out) =
            (rinfo.left.subset_of(place.nonnullable), rinfo.right.subset_of(place.nonnullable));
        if place.kind == JoinKind::Full {
            root.full_clauses.push((Rc::new(rinfo), sj));
            return Ok(());
        }
        if l_out && !rinfo.right.overlaps(place.nonnullable) {
            root.left_clauses.push((Rc::new(rinfo), sj));
            return Ok(());
        }
        if r_out && !rinfo.left.overlaps(place.nonnullable) {
            root.right_clauses.push((Rc::new(rinfo), sj));
            return Ok(());
        }
    }
    distribute_to_rels(g, root, Rc::new(rinfo))
}

/// `x IS NULL` above an antijoin whose condition rejects NULL in x is what the antijoin means already.
fn redundant_null_test(g: &Glob<'_>, root: &Root, clause: &Expr, _relids: &Relids) -> bool {
    let forced = forced_null_vars(clause);
    let Some((rel, _)) = forced.iter().next() else { return false };
    let _ = g;
    root.join_info.iter().any(|sj| sj.kind == JoinKind::Anti && sj.syn_right.contains(*rel))
        && matches!(clause, Expr::NullTest { .. })
}
