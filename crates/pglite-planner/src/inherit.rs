//! Inheritance trees and partitioned tables: children as relations of their own, and the translation of columns.

use std::rc::Rc;
use std::sync::Arc;

use pglite_catalog::RelDesc;
use pglite_error::PgResult;
use pglite_ir::expr::*;
use pglite_ir::query::*;

use crate::eclass;
use crate::relids::Relids;
use crate::restrict::{RInfoArgs, make_rinfo};
use crate::types::*;
use crate::walker::{Mutator, rewrite};

struct Translate<'a> {
    a: &'a AppendRel,
}

impl Mutator for Translate<'_> {
    fn expr(&mut self, e: &mut Expr, depth: u32) -> bool {
        let Expr::Var(v) = e else { return true };
        if v.rte != self.a.parent || v.levels_up != depth {
            return true;
        }
        if v.attno > 0 {
            match self.a.translated.get(v.attno as usize - 1) {
                Some(Some(Expr::Var(child))) => {
                    let mut new = child.clone();
                    new.levels_up = v.levels_up;
                    new.returning = v.returning;
                    *e = Expr::Var(new);
                }
                Some(Some(other)) => *e = other.clone(),
                _ => *e = Expr::null(v.ty),
            }
            return false;
        }
        let parent_type = v.ty;
        v.rte = self.a.child;
        v.syn_rte = self.a.child;
        if v.attno == 0 && self.a.child_rowtype.is_valid() && self.a.child_rowtype != parent_type {
            v.ty = self.a.child_rowtype;
            let arg = Box::new(Expr::Var(v.clone()));
            *e =
                Expr::ConvertRowtype { arg, ty: parent_type, form: CoercionForm::ImplicitCast, location: -1 };
        }
        false
    }
}

/// Replaces the parent's columns by the child's.
pub(crate) fn translate(e: &mut Expr, a: &AppendRel) {
    rewrite(e, 0, &mut Translate { a });
}

/// All leaf relations below a parent, the parent itself first unless it is partitioned.
fn leaves(g: &Glob<'_>, parent: &Arc<RelDesc>, out: &mut Vec<Arc<RelDesc>>) -> PgResult<()> {
    if parent.is_partitioned() {
        for child in g.env.partition_order(parent)?.unwrap_or_else(|| parent.children.clone()) {
            if let Some(rel) = g.cat.rel(child) {
                leaves(g, &rel, out)?;
            }
        }
        return Ok(());
    }
    // Breadth first, each relation once, as PostgreSQL finds inheritors.
    let start = out.len();
    out.push(parent.clone());
    let mut i = start;
    while i < out.len() {
        for child in out[i].children.clone() {
            if out[start..].iter().any(|r| r.oid == child) {
                continue;
            }
            if let Some(rel) = g.cat.rel(child) {
                out.push(rel);
            }
        }
        i += 1;
    }
    Ok(())
}

/// Adds the children of an inheritance parent to the range table. Their relations are built with the parent's.
pub(crate) fn expand(g: &mut Glob<'_>, root: &mut Root, rti: u32) -> PgResult<()> {
    let RteKind::Relation { rel: parent, lock, sample } = &root.rte(rti).kind else { return Ok(()) };
    let (parent, lock, sample) = (parent.clone(), *lock, sample.clone());
    if !root.rte(rti).inherit {
        return Ok(());
    }
    if !parent.has_children && !parent.is_partitioned() {
        root.query.rtable[rti as usize - 1].inherit = false;
        return Ok(());
    }
    let mut list = Vec::new();
    leaves(g, &parent, &mut list)?;
    let mark = root.row_marks.iter().position(|m| m.rte == rti);
    if let Some(m) = mark {
        root.row_marks[m].is_parent = true;
    }
    let is_target = root.query.result_relation == rti;
    for child in list {
        let mut rte = root.rte(rti).clone();
        rte.inherit = false;
        rte.lateral = false;
        rte.security_quals = Vec::new();
        rte.perms = PermInfo::default();
        rte.kind = RteKind::Relation { rel: child.clone(), lock, sample: sample.clone() };
        if child.oid != parent.oid {
            rte.eref.columns = child
                .columns
                .iter()
                .map(|c| if c.dropped { String::new() } else { c.name.to_string() })
                .collect();
        }
        // PG: children go by the parent's name, made unique where shown.
        rte.alias = Some(Alias { name: rte.eref.name.clone(), columns: Vec::new() });
        root.query.rtable.push(rte);
        let child_rti = root.query.rtable.len() as u32;
        let translated = translate_columns(&parent, &child, child_rti);
        root.child_of.insert(child_rti, root.append_rels.len());
        root.append_rels.push(AppendRel {
            parent: rti,
            child: child_rti,
            translated,
            child_rowtype: child.row_type,
        });
        if let Some(m) = mark {
            let mut m = root.row_marks[m].clone();
            m.rte = child_rti;
            m.is_parent = false;
            root.row_marks.push(m);
        }
        if is_target {
            root.leaf_results.push(child_rti);
        }
    }
    Ok(())
}

/// The child's column for each of the parent's, by name.
pub(crate) fn translate_columns(parent: &RelDesc, child: &RelDesc, child_rti: u32) -> Vec<Option<Expr>> {
    parent
        .columns
        .iter()
        .map(|p| {
            if p.dropped {
                return None;
            }
            let c = match child.attr(p.attnum) {
                Some(c) if !c.dropped && *c.name == *p.name => Some(c),
                _ => child.column(&p.name),
            }?;
            Some(Root::var(child_rti, c.attnum, c.type_oid, c.typmod, c.collation))
        })
        .collect()
}

/// Children of a relation as (index in `append_rels`, child's range table index).
pub(crate) fn children(root: &Root, rti: u32) -> Vec<(usize, u32)> {
    root.append_rels.iter().enumerate().filter(|(_, a)| a.parent == rti).map(|(i, a)| (i, a.child)).collect()
}

/// Gives a child relation the parent's conditions and target list. False when a condition is constant false.
pub(crate) fn set_up_child(
    g: &mut Glob<'_>,
    root: &mut Root,
    parent: RelId,
    child: RelId,
    app: usize,
) -> PgResult<bool> {
    let a = root.append_rels[app].clone();
    let (restrict, joininfo, exprs) = {
        let p = &root.rels[parent];
        (p.restrict.clone(), p.joininfo.clone(), p.target.exprs.clone())
    };
    let mut live = true;
    for r in restrict {
        let mut clause = r.clause.clone();
        translate(&mut clause, &a);
        crate::fold::fold(g, &mut clause)?;
        if let Expr::Const(c) = &clause {
            match c.value.as_bool() {
                Some(true) => continue,
                _ => {
                    live = false;
                    continue;
                }
            }
        }
        for q in crate::walker::into_conjuncts(Some(clause)) {
            let args = RInfoArgs {
                is_pushed_down: r.is_pushed_down,
                outerjoin_delayed: r.outerjoin_delayed,
                pseudoconstant: r.pseudoconstant && crate::walker::varnos(&q).is_empty(),
                security: r.security,
                required: r.pseudoconstant.then(|| Relids::single(a.child)),
                ..Default::default()
            };
            let new = make_rinfo(g, q, args);
            root.rels[child].restrict.push(Rc::new(new));
        }
    }
    for r in joininfo {
        let new = translate_rinfo(g, &r, &a);
        root.rels[child].joininfo.push(Rc::new(new));
    }
    let exprs = exprs
        .into_iter()
        .map(|mut e| {
            translate(&mut e, &a);
            e
        })
        .collect();
    root.rels[child].target = Rc::new(Target { exprs, ..Target::default() });
    root.rels[child].has_ec_joins = root.rels[parent].has_ec_joins;
    root.rels[child].top_parent = root.rels[parent].relids.clone();
    root.rels[child].direct_lateral = root.rels[parent].direct_lateral.clone();
    root.rels[child].lateral = root.rels[parent].lateral.clone();
    if root.rels[child].has_ec_joins || !root.query_pathkeys.is_empty() {
        eclass::add_child_members(g, root, app);
    }
    Ok(live)
}

fn swap(set: &Relids, a: &AppendRel) -> Relids {
    let mut s = set.clone();
    if s.contains(a.parent) {
        s.remove(a.parent);
        s.insert(a.child);
    }
    s
}

/// A join clause as seen by a child.
pub(crate) fn translate_rinfo(g: &mut Glob<'_>, r: &RInfo, a: &AppendRel) -> RInfo {
    let mut clause = r.clause.clone();
    translate(&mut clause, a);
    let args = RInfoArgs {
        is_pushed_down: r.is_pushed_down,
        outerjoin_delayed: r.outerjoin_delayed,
        pseudoconstant: r.pseudoconstant,
        security: r.security,
        required: Some(swap(&r.required, a)),
        outer: swap(&r.outer, a),
        nullable: swap(&r.nullable, a),
    };
    let new = make_rinfo(g, clause, args);
    new.left_ec.set(r.left_ec.get());
    new.right_ec.set(r.right_ec.get());
    RInfo { parent_ec: r.parent_ec, ..new }
}

/// An expression of the outer query in a child's terms, by the child's relation.
pub(crate) fn translate_for_child(root: &Root, e: &Expr, child_rti: u32) -> Expr {
    let mut e = e.clone();
    if let Some(&app) = root.child_of.get(&child_rti) {
        translate(&mut e, &root.append_rels[app]);
    }
    e
}
