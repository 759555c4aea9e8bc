//! Equivalence classes: expressions known equal, the conditions derived from them, and their use for sort order.

mod outer;

use std::rc::Rc;

use pglite_error::PgResult;
use pglite_ir::expr::*;
use pglite_ir::walk::contains;
use pglite_types::Oid;

use crate::cat::BT_EQ;
use crate::equal::equal;
use crate::exprs::*;
use crate::relids::Relids;
use crate::restrict::*;
use crate::types::*;
use crate::walker::varnos;

pub(crate) use outer::reconsider_outer_join_clauses;

/// Records `a = b` as an equivalence. Gives the clause back when it cannot be one.
pub(crate) fn process_equivalence(
    g: &mut Glob<'_>,
    root: &mut Root,
    mut rinfo: RInfo,
    below_outer: bool,
) -> PgResult<Option<RInfo>> {
    let Some((o, l, r)) = as_binary(&rinfo.clause) else { return Ok(Some(rinfo)) };
    let (op, func, collation) = (o.op, o.func, o.input_collation);
    let (l, r) = (l.clone(), r.clone());
    if rinfo.pseudoconstant || has_subplans(&rinfo.clause) && rinfo.relids.is_empty() {
        return Ok(Some(rinfo));
    }
    if equal(&l, &r) {
        // x = x is x IS NOT NULL for a strict operator.
        if !rinfo.pseudoconstant && g.cat.is_strict(func) {
            let test = Expr::NullTest { arg: Box::new(l), is_null: false, arg_is_row: false, location: -1 };
            let args = RInfoArgs {
                is_pushed_down: rinfo.is_pushed_down,
                outerjoin_delayed: rinfo.outerjoin_delayed,
                pseudoconstant: rinfo.pseudoconstant,
                security: rinfo.security,
                required: Some(rinfo.required.clone()),
                outer: rinfo.outer.clone(),
                nullable: rinfo.nullable.clone(),
            };
            rinfo = make_rinfo(g, test, args);
        }
        return Ok(Some(rinfo));
    }
    let (lt, rt) = g.cat.op_inputs(op);
    let (lt, rt) = (concrete(lt, &l), concrete(rt, &r));
    let (l_null, r_null) = (rinfo.left.intersect(&rinfo.nullable), rinfo.right.intersect(&rinfo.nullable));
    let families = rinfo.merge_families.clone();
    let find = |root: &Root, e: &Expr, ty: Oid, nullable: &Relids| -> Option<EcId> {
        root.ecs.iter().enumerate().find_map(|(i, ec)| {
            (ec.merged.is_none()
                && !ec.has_volatile
                && ec.collation == collation
                && ec.families == families
                && ec
                    .members
                    .iter()
                    .any(|m| !m.is_child && m.ty == ty && m.nullable == *nullable && equal(&m.expr, e))
                && !(ec.has_const && below_outer != ec.below_outer && nullable.is_empty() && below_outer))
                .then_some(i)
        })
    };
    let ec1 = find(root, &l, lt, &l_null);
    let ec2 = find(root, &r, rt, &r_null);
    let (left_rels, right_rels) = (rinfo.left.clone(), rinfo.right.clone());
    let id = match (ec1, ec2) {
        (Some(a), Some(b)) if a == b => a,
        (Some(a), Some(b)) => {
            merge(root, a, b);
            a
        }
        (Some(a), None) => {
            add_member(root, a, r, right_rels, r_null, rt);
            a
        }
        (None, Some(b)) => {
            add_member(root, b, l, left_rels, l_null, lt);
            b
        }
        (None, None) => {
            root.ecs.push(Ec {
                families,
                collation,
                min_security: rinfo.security,
                max_security: rinfo.security,
                ..Ec::default()
            });
            let id = root.ecs.len() - 1;
            add_member(root, id, l, left_rels, l_null, lt);
            add_member(root, id, r, right_rels, r_null, rt);
            id
        }
    };
    rinfo.left_ec.set(Some(id));
    rinfo.right_ec.set(Some(id));
    let ec = &mut root.ecs[id];
    ec.below_outer |= below_outer;
    ec.min_security = ec.min_security.min(rinfo.security);
    ec.max_security = ec.max_security.max(rinfo.security);
    rinfo.parent_ec = None;
    ec.sources.push(Rc::new(rinfo));
    Ok(None)
}

/// A polymorphic operator's input type is the argument's.
fn concrete(declared: Oid, e: &Expr) -> Oid {
    use pglite_types::oid::*;
    if matches!(
        declared,
        ANYARRAY | ANYELEMENT | ANYENUM | ANYRANGE | ANYMULTIRANGE | RECORD | ANYNONARRAY | ANYCOMPATIBLE
    ) {
        declared
    } else {
        let _ = e;
        declared
    }
}

fn merge(root: &mut Root, a: EcId, b: EcId) {
    let other = std::mem::take(&mut root.ecs[b]);
    root.ecs[b].merged = Some(a);
    let ec = &mut root.ecs[a];
    ec.members.extend(other.members);
    ec.sources.extend(other.sources);
    ec.derives.extend(other.derives);
    ec.relids.add(&other.relids);
    ec.has_const |= other.has_const;
    ec.below_outer |= other.below_outer;
    ec.min_security = ec.min_security.min(other.min_security);
    ec.max_security = ec.max_security.max(other.max_security);
}

pub(crate) fn add_member(root: &mut Root, ec: EcId, expr: Expr, relids: Relids, nullable: Relids, ty: Oid) {
    let is_const = relids.is_empty();
    let e = &mut root.ecs[ec];
    e.has_const |= is_const;
    e.relids.add(&relids);
    e.members.push(Em { expr, relids, nullable, is_const, is_child: false, ty });
}

/// The class of a sort expression, made when there is none and `create` is set.
#[allow(clippy::too_many_arguments)]
pub(crate) fn ec_for_sort_expr(
    g: &Glob<'_>,
    root: &mut Root,
    expr: &Expr,
    families: &[Oid],
    ty: Oid,
    collation: Oid,
    sort_ref: u32,
    create: bool,
) -> Option<EcId> {
    for (i, ec) in root.ecs.iter().enumerate() {
        if ec.merged.is_some() || ec.has_volatile && (sort_ref == 0 || sort_ref != ec.sort_ref) {
            continue;
        }
        if ec.collation != collation || ec.families != families {
            continue;
        }
        if ec
            .members
            .iter()
            .any(|m| !(m.is_child || ec.below_outer && m.is_const) && m.ty == ty && equal(&m.expr, expr))
        {
            return Some(i);
        }
    }
    if !create {
        return None;
    }
    let volatile = is_volatile(&g.cat, expr);
    root.ecs.push(Ec {
        families: families.to_vec(),
        collation,
        has_volatile: volatile,
        sort_ref,
        ..Ec::default()
    });
    let id = root.ecs.len() - 1;
    let relids = varnos(expr);
    add_member(root, id, expr.clone(), relids, Relids::new(), ty);
    // A constant member of a class without sources still makes it redundant for sorting; a volatile one is no constant.
    if volatile || has_aggs(expr) || has_windows(expr) || returns_set(expr) {
        let ec = &mut root.ecs[id];
        ec.has_const = false;
        ec.members[0].is_const = false;
    }
    Some(id)
}

impl Root {
    /// Sorting by this class changes nothing: it is equal to a constant.
    pub fn ec_is_redundant(&self, ec: EcId) -> bool {
        let ec = &self.ecs[self.canon(ec)];
        ec.has_const && !ec.below_outer
    }
}

/// The class's equality for two member types.
fn select_op(g: &Glob<'_>, ec: &Ec, left: Oid, right: Oid) -> Option<Oid> {
    ec.families.iter().find_map(|f| g.cat.family_member(*f, left, right, BT_EQ))
}

/// After all clauses are in: emits the conditions that each class implies on single relations.
pub(crate) fn generate_base_equalities(g: &mut Glob<'_>, root: &mut Root) -> PgResult<()> {
    for id in 0..root.ecs.len() {
        if root.ecs[id].merged.is_some() || root.ecs[id].members.len() <= 1 {
            continue;
        }
        if root.ecs[id].has_const {
            const_equalities(g, root, id)?;
        } else {
            no_const_equalities(g, root, id)?;
        }
        if root.ecs[id].broken {
            for r in root.ecs[id].sources.clone() {
                distribute_to_rels(g, root, r)?;
            }
        }
    }
    Ok(())
}

fn const_equalities(g: &mut Glob<'_>, root: &mut Root, id: EcId) -> PgResult<()> {
    if root.ecs[id].members.len() == 2 && root.ecs[id].sources.len() == 1 {
        let r = root.ecs[id].sources[0].clone();
        return distribute_to_rels(g, root, r);
    }
    let members = root.ecs[id].members.clone();
    let Some(constant) = members
        .iter()
        .find(|m| m.is_const && matches!(m.expr, Expr::Const(_)))
        .or_else(|| members.iter().find(|m| m.is_const))
    else {
        return Ok(());
    };
    for m in &members {
        if std::ptr::eq(m, constant) {
            continue;
        }
        let Some(op) = select_op(g, &root.ecs[id], m.ty, constant.ty) else {
            root.ecs[id].broken = true;
            return Ok(());
        };
        let mut clause = make_op(&g.cat, op, m.expr.clone(), constant.expr.clone(), root.ecs[id].collation);
        if m.is_const {
            crate::fold::fold(g, &mut clause)?;
            if is_true_const(&clause) {
                continue;
            }
        }
        implied_equality(g, root, id, clause, &m.nullable, m.is_const)?;
    }
    Ok(())
}

fn implied_equality(
    g: &mut Glob<'_>,
    root: &mut Root,
    id: EcId,
    clause: Expr,
    nullable: &Relids,
    both_const: bool,
) -> PgResult<()> {
    let mut required = varnos(&clause);
    let mut pseudo = false;
    if required.is_empty() {
        // Why: two different constants: the query (below the class's level) has no rows.
        required = root.ecs[id].relids.clone();
        pseudo = !is_volatile(&g.cat, &clause);
        root.has_pseudoconstant |= pseudo;
    }
    let _ = both_const;
    if required.is_multiple() {
        add_vars_to_targets(root, &clause, &required);
    }
    let args = RInfoArgs {
        is_pushed_down: true,
        pseudoconstant: pseudo,
        security: root.ecs[id].min_security,
        required: Some(required),
        nullable: nullable.clone(),
        ..Default::default()
    };
    let r = make_rinfo(g, clause, args);
    r.left_ec.set(Some(id));
    r.right_ec.set(Some(id));
    let r = Rc::new(r);
    root.ecs[id].derives.push(r.clone());
    distribute_to_rels(g, root, r)
}

fn no_const_equalities(g: &mut Glob<'_>, root: &mut Root, id: EcId) -> PgResult<()> {
    let members = root.ecs[id].members.clone();
    let mut last_of: std::collections::HashMap<u32, usize> = Default::default();
    for (i, m) in members.iter().enumerate() {
        let Some(rel) = m.relids.singleton() else { continue };
        if let Some(&p) = last_of.get(&rel) {
            let prev = &members[p];
            let Some(op) = select_op(g, &root.ecs[id], prev.ty, m.ty) else {
                root.ecs[id].broken = true;
                break;
            };
            let clause = make_op(&g.cat, op, prev.expr.clone(), m.expr.clone(), root.ecs[id].collation);
            implied_equality(g, root, id, clause, &prev.nullable.union(&m.nullable), false)?;
        }
        last_of.insert(rel, i);
    }
    // Joins may compare any two members: their columns must reach the joins.
    let all = root.ecs[id].relids.clone();
    for m in &members {
        add_vars_to_targets(root, &m.expr, &all);
    }
    Ok(())
}

/// Join conditions between the two sides that the classes imply.
pub(crate) fn join_equalities(
    g: &mut Glob<'_>,
    root: &mut Root,
    join: &Relids,
    outer: &Relids,
    inner: &Relids,
) -> Vec<Rc<RInfo>> {
    let mut result = Vec::new();
    for id in 0..root.ecs.len() {
        let ec = &root.ecs[id];
        if ec.merged.is_some()
            || ec.has_const
            || ec.members.len() <= 1
            || !ec.relids.overlaps(inner)
            || !ec.relids.overlaps(outer)
        {
            continue;
        }
        if !ec.broken {
            normal_join_equalities(g, root, id, join, outer, inner, &mut result);
        }
        if root.ecs[id].broken {
            let ec = &root.ecs[id];
            result.extend(
                ec.sources
                    .iter()
                    .filter(|r| {
                        r.required.subset_of(join)
                            && !r.required.subset_of(outer)
                            && !r.required.subset_of(inner)
                    })
                    .cloned(),
            );
        }
    }
    result
}

fn normal_join_equalities(
    g: &mut Glob<'_>,
    root: &mut Root,
    id: EcId,
    join: &Relids,
    outer: &Relids,
    inner: &Relids,
    result: &mut Vec<Rc<RInfo>>,
) {
    let (mut out_m, mut in_m, mut new_m) = (Vec::new(), Vec::new(), Vec::new());
    for (i, m) in root.ecs[id].members.iter().enumerate() {
        if m.is_child && !m.relids.subset_of(outer) && !m.relids.subset_of(inner)
            || m.is_const
            || !m.relids.subset_of(join)
        {
            continue;
        }
        if m.is_child && !m.relids.overlaps(join) {
            continue;
        }
        if m.relids.subset_of(outer) {
            out_m.push(i);
        } else if m.relids.subset_of(inner) {
            in_m.push(i);
        } else {
            new_m.push(i);
        }
    }
    if !out_m.is_empty() && !in_m.is_empty() {
        let mut best: Option<(i32, usize, usize, Oid)> = None;
        'search: for &o in &out_m {
            for &i in &in_m {
                let ec = &root.ecs[id];
                let (om, im) = (&ec.members[o], &ec.members[i]);
                let Some(op) = select_op(g, ec, om.ty, im.ty) else { continue };
                let simple = |m: &Em| matches!(strip_relabel(&m.expr), Expr::Var(_)) as i32;
                let score = simple(om) + simple(im) + g.cat.can_hash(op, om.expr.ty()) as i32;
                if best.is_none_or(|b| score > b.0) {
                    best = Some((score, o, i, op));
                    if score == 3 {
                        break 'search;
                    }
                }
            }
        }
        match best {
            None => {
                root.ecs[id].broken = true;
                return;
            }
            Some((_, o, i, op)) => result.push(join_clause(g, root, id, op, o, i)),
        }
    }
    if !new_m.is_empty() {
        let mut prev: Option<usize> = out_m.first().or(in_m.first()).copied();
        for m in new_m {
            if let Some(p) = prev {
                let ec = &root.ecs[id];
                let Some(op) = select_op(g, ec, ec.members[p].ty, ec.members[m].ty) else {
                    root.ecs[id].broken = true;
                    return;
                };
                result.push(join_clause(g, root, id, op, p, m));
            }
            prev = Some(m);
        }
    }
}

/// The clause `left = right` of two members; made once.
fn join_clause(g: &mut Glob<'_>, root: &mut Root, id: EcId, op: Oid, left: usize, right: usize) -> Rc<RInfo> {
    let ec = &root.ecs[id];
    let (lm, rm) = (ec.members[left].clone(), ec.members[right].clone());
    let same = |r: &Rc<RInfo>| {
        as_binary(&r.clause).is_some_and(|(o, a, b)| o.op == op && equal(a, &lm.expr) && equal(b, &rm.expr))
    };
    if let Some(r) = ec.derives.iter().find(|r| same(r)) {
        return r.clone();
    }
    let source = ec.sources.iter().find(|r| same(r)).cloned();
    let r = match source {
        Some(s) => {
            let mut copy = (*s).clone();
            copy.parent_ec = Some(id);
            copy
        }
        None => {
            let clause = make_op(&g.cat, op, lm.expr.clone(), rm.expr.clone(), ec.collation);
            let args = RInfoArgs {
                is_pushed_down: true,
                security: ec.min_security,
                required: Some(lm.relids.union(&rm.relids)),
                nullable: lm.nullable.union(&rm.nullable),
                ..Default::default()
            };
            let mut r = make_rinfo(g, clause, args);
            r.parent_ec = Some(id);
            r
        }
    };
    r.left_ec.set(Some(id));
    r.right_ec.set(Some(id));
    let r = Rc::new(r);
    root.ecs[id].derives.push(r.clone());
    r
}

/// Clauses equating members that belong to `rel` and match `want` with members of other relations (for index paths).
pub(crate) fn equalities_for_column(
    g: &mut Glob<'_>,
    root: &mut Root,
    rel: &Relids,
    prohibited: &Relids,
    want: &dyn Fn(&Ec, &Em) -> bool,
) -> Vec<Rc<RInfo>> {
    let mut result = Vec::new();
    for id in 0..root.ecs.len() {
        let ec = &root.ecs[id];
        if ec.merged.is_some() || ec.has_const || ec.members.len() <= 1 || !ec.relids.overlaps(rel) {
            continue;
        }
        let Some(mine) = ec.members.iter().position(|m| m.relids == *rel && want(ec, m)) else { continue };
        for other in 0..root.ecs[id].members.len() {
            let ec = &root.ecs[id];
            let m = &ec.members[other];
            if m.is_child || other == mine || m.relids.overlaps(rel) || m.relids.overlaps(prohibited) {
                continue;
            }
            let Some(op) = select_op(g, ec, ec.members[mine].ty, m.ty) else { continue };
            result.push(join_clause(g, root, id, op, mine, other));
        }
        if !result.is_empty() {
            break;
        }
    }
    result
}

/// Whether some class could give a join condition for this relation with others.
pub(crate) fn has_ec_joins(root: &Root, rel: &Relids) -> bool {
    root.ecs.iter().any(|ec| {
        ec.merged.is_none() && ec.members.len() > 1 && ec.relids.overlaps(rel) && !ec.relids.subset_of(rel)
    })
}

/// Whether some class could give a join condition between two relations.
pub(crate) fn have_ec_joinclause(root: &Root, a: &Relids, b: &Relids) -> bool {
    root.ecs.iter().any(|ec| {
        ec.merged.is_none()
            && !ec.has_const
            && ec.members.len() > 1
            && ec.relids.overlaps(a)
            && ec.relids.overlaps(b)
    })
}

/// Fills in the classes of a merge-joinable clause's two sides.
pub(crate) fn update_mergeclause_ecs(g: &Glob<'_>, root: &mut Root, r: &RInfo) {
    if let (Some(l), Some(rr)) = (r.left_ec.get(), r.right_ec.get()) {
        r.left_ec.set(Some(root.canon(l)));
        r.right_ec.set(Some(root.canon(rr)));
        return;
    }
    let Some((o, l, rt)) = as_binary(&r.clause) else { return };
    let (lty, rty) = g.cat.op_inputs(o.op);
    let (l, rt, coll) = (l.clone(), rt.clone(), o.input_collation);
    r.left_ec.set(ec_for_sort_expr(g, root, &l, &r.merge_families, lty, coll, 0, true));
    r.right_ec.set(ec_for_sort_expr(g, root, &rt, &r.merge_families, rty, coll, 0, true));
}

/// For a child relation of an inheritance tree: adds the translated members so that its indexes can match.
pub(crate) fn add_child_members(g: &Glob<'_>, root: &mut Root, app: usize) {
    let a = root.append_rels[app].clone();
    let parent = Relids::single(a.parent);
    for id in 0..root.ecs.len() {
        if root.ecs[id].merged.is_some()
            || root.ecs[id].has_volatile
            || !root.ecs[id].relids.overlaps(&parent)
        {
            continue;
        }
        let mut new = Vec::new();
        for m in &root.ecs[id].members {
            if m.is_const || !m.relids.contains(a.parent) {
                continue;
            }
            let mut expr = m.expr.clone();
            crate::inherit::translate(&mut expr, &a);
            let mut relids = m.relids.clone();
            relids.remove(a.parent);
            relids.insert(a.child);
            let _ = g;
            new.push(Em {
                expr,
                relids,
                nullable: m.nullable.clone(),
                is_const: false,
                is_child: true,
                ty: m.ty,
            });
        }
        root.ecs[id].members.extend(new);
    }
}

/// An expression that can be computed from `exprs` and is equal to the class (sort key lookup in a target list).
pub(crate) fn find_in_exprs(ec: &Ec, exprs: &[Expr], rels: &Relids) -> Option<(usize, Oid)> {
    for m in &ec.members {
        if m.is_const || m.is_child && !m.relids.subset_of(rels) {
            continue;
        }
        if let Some(i) = exprs.iter().position(|e| equal(strip_relabel(e), strip_relabel(&m.expr))) {
            return Some((i, m.ty));
        }
    }
    None
}

/// True when the expression contains an aggregate, window function or set-returning call.
pub(crate) fn is_upper_expr(e: &Expr) -> bool {
    contains(e, &|e| matches!(e, Expr::Aggref(_) | Expr::WindowFunc(_)) || is_srf(e))
}
