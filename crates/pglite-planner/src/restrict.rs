//! Restriction clauses: `RInfo` with what is derived from a condition, and handing them to the relations they belong to.

use std::cell::Cell;
use std::rc::Rc;

use pglite_error::PgResult;
use pglite_ir::expr::*;

use crate::exprs::*;
use crate::relids::Relids;
use crate::types::*;
use crate::walker::{each_var, varnos};

/// How a clause came to its place.
#[derive(Clone, Default)]
pub(crate) struct RInfoArgs {
    pub is_pushed_down: bool,
    pub outerjoin_delayed: bool,
    pub pseudoconstant: bool,
    pub security: u32,
    pub required: Option<Relids>,
    pub outer: Relids,
    pub nullable: Relids,
}

pub(crate) fn make_rinfo(g: &mut Glob<'_>, clause: Expr, args: RInfoArgs) -> RInfo {
    let relids = varnos(&clause);
    let (mut left, mut right) = (Relids::new(), Relids::new());
    let mut can_join = false;
    let mut merge_families = Vec::new();
    let mut hash_op = pglite_types::Oid::INVALID;
    if let Some((o, l, r)) = as_binary(&clause) {
        left = varnos(l);
        right = varnos(r);
        can_join = !left.is_empty() && !right.is_empty() && !left.overlaps(&right);
        if !args.pseudoconstant && !is_volatile(&g.cat, &clause) {
            if g.cat.can_merge(o.op) {
                merge_families = g.cat.merge_families(o.op);
            }
            if g.cat.can_hash(o.op, l.ty()) && can_join {
                hash_op = o.op;
            }
        }
    }
    RInfo {
        is_pushed_down: args.is_pushed_down,
        outerjoin_delayed: args.outerjoin_delayed,
        can_join,
        pseudoconstant: args.pseudoconstant,
        leakproof: false,
        security: args.security,
        required: args.required.unwrap_or_else(|| relids.clone()),
        relids,
        outer: args.outer,
        nullable: args.nullable,
        left,
        right,
        parent_ec: None,
        merge_families,
        left_ec: Cell::new(None),
        right_ec: Cell::new(None),
        hash_op,
        norm_selec: Cell::new(-1.0),
        outer_selec: Cell::new(-1.0),
        eval_cost: Cell::new(None),
        clause,
    }
}

impl RInfo {
    /// The equivalence classes of the two sides are looked up when first needed.
    /// Evaluated above the join rather than as part of it.
    pub fn is_pushed_down_to(&self, join: &Relids) -> bool {
        self.is_pushed_down || !self.required.subset_of(join)
    }
}

/// Makes columns available up to the relations in `needed` (0 stands for the final target list).
pub(crate) fn add_vars_to_targets(root: &mut Root, e: &Expr, needed: &Relids) {
    let mut vars = Vec::new();
    each_var(e, &mut |v| vars.push(v.clone()));
    for v in vars {
        add_var_to_target(root, v, needed);
    }
}

pub(crate) fn add_var_to_target(root: &mut Root, mut v: Var, needed: &Relids) {
    let Some(rel) = root.base.get(v.rte as usize).copied().flatten() else { return };
    if needed.subset_of(&root.rels[rel].relids) && !needed.is_empty() {
        return;
    }
    v.levels_up = 0;
    let rel = &mut root.rels[rel];
    let entry = rel.attr_needed.entry(v.attno).or_default();
    let first = entry.is_empty();
    entry.add(needed);
    if first
        || !rel
            .target
            .exprs
            .iter()
            .any(|e| matches!(e, Expr::Var(x) if x.attno == v.attno && x.returning == v.returning))
    {
        v.location = -1;
        Rc::make_mut(&mut rel.target).exprs.push(Expr::Var(v));
    }
}

/// Puts a clause on its one relation's restrictions, or on every involved relation's join list.
pub(crate) fn distribute_to_rels(g: &mut Glob<'_>, root: &mut Root, rinfo: Rc<RInfo>) -> PgResult<()> {
    if !rinfo.merge_families.is_empty() && rinfo.can_join {
        crate::eclass::update_mergeclause_ecs(g, root, &rinfo);
    }
    match rinfo.required.singleton() {
        Some(rti) => {
            let rel = root.base_rel(rti)?;
            add_base_restriction(g, root, rel, rinfo)
        }
        None => {
            for rti in rinfo.required.iter() {
                if let Some(rel) = root.base.get(rti as usize).copied().flatten() {
                    root.rels[rel].joininfo.push(rinfo.clone());
                }
            }
            Ok(())
        }
    }
}

fn add_base_restriction(g: &mut Glob<'_>, root: &mut Root, rel: RelId, rinfo: Rc<RInfo>) -> PgResult<()> {
    let rinfo = match always(root, rel, &rinfo.clause) {
        Some(true) => return Ok(()),
        Some(false) => {
            let args = RInfoArgs {
                is_pushed_down: rinfo.is_pushed_down,
                pseudoconstant: true,
                security: 0,
                required: Some(rinfo.required.clone()),
                ..Default::default()
            };
            root.has_pseudoconstant = true;
            Rc::new(make_rinfo(g, Expr::bool(false), args))
        }
        None => rinfo,
    };
    root.rels[rel].restrict.push(rinfo);
    Ok(())
}

/// `IS [NOT] NULL` of a NOT NULL column of a plain relation that no outer join can null-extend.
fn always(root: &Root, rel: RelId, clause: &Expr) -> Option<bool> {
    let Expr::NullTest { arg, is_null, arg_is_row: false, .. } = clause else { return None };
    let Expr::Var(v) = &**arg else { return None };
    let rel = &root.rels[rel];
    let column = rel.table.as_ref()?.attr(v.attno)?;
    // Invariant: a single-relation clause at this point is evaluated at the scan, below every outer join.
    (column.not_null && rel.relid == v.rte && rel.kind == RelKind::Base).then_some(!is_null)
}

/// Clause lists without conditions that evaluate once a query.
pub(crate) fn extract_actual(list: &[Rc<RInfo>], pseudo: bool) -> Vec<Expr> {
    list.iter().filter(|r| r.pseudoconstant == pseudo).map(|r| r.clause.clone()).collect()
}

/// Splits a join's clauses into those of its ON condition and those evaluated above it.
pub(crate) fn split_join_clauses(list: &[Rc<RInfo>], join: &Relids) -> (Vec<Expr>, Vec<Expr>) {
    let (mut on, mut above) = (Vec::new(), Vec::new());
    for r in list {
        if r.is_pushed_down_to(join) {
            if !r.pseudoconstant {
                above.push(r.clause.clone());
            }
        } else if !is_true_const(&r.clause) {
            on.push(r.clause.clone());
        }
    }
    (on, above)
}

pub(crate) fn contains_rinfo(list: &[Rc<RInfo>], r: &Rc<RInfo>) -> bool {
    list.iter().any(|x| Rc::ptr_eq(x, r))
}
