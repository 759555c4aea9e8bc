//! From the preprocessed query to the relation that joins all of FROM (`query_planner`).

use pglite_error::PgResult;
use pglite_ir::expr::Expr;
use pglite_ir::query::RteKind;

use crate::decon;
use crate::eclass;
use crate::join;
use crate::relids::Relids;
use crate::restrict::add_vars_to_targets;
use crate::scan;
use crate::types::*;
use crate::walker::{item_relids, jointree_relids};

/// Plans FROM and WHERE. `on_pathkeys` is called once the equivalence classes are complete.
pub(crate) fn query_planner(
    g: &mut Glob<'_>,
    root: &mut Root,
    on_pathkeys: &mut dyn FnMut(&mut Glob<'_>, &mut Root),
) -> PgResult<RelId> {
    let mut rels: Relids = jointree_relids(&root.query.jointree, false);
    if !root.query.jointree.from.is_empty() {
        rels =
            root.query.jointree.from.iter().fold(Relids::new(), |acc, i| acc.union(&item_relids(i, false)));
    }
    root.base.resize(root.query.rtable.len() + 1, None);
    for rti in rels.iter() {
        crate::rel::build_base_rel(g, root, rti, RelKind::Base)?;
    }
    root.all_baserels = rels.clone();
    let targets: Vec<Expr> = root.processed_targets.iter().map(|t| t.expr.clone()).collect();
    let top = Relids::single(0);
    for e in &targets {
        add_vars_to_targets(root, e, &top);
    }
    if let Some(h) = root.query.having.clone() {
        add_vars_to_targets(root, &h, &top);
    }
    extra_needed(root, &top);
    scan::set_lateral_info(g, root);
    let list = decon::deconstruct(g, root)?;
    eclass::reconsider_outer_join_clauses(g, root)?;
    eclass::generate_base_equalities(g, root)?;
    on_pathkeys(g, root);
    let list = crate::removal::remove_useless_joins(g, root, list);
    for rti in rels.iter() {
        let inherits = matches!(root.rte(rti).kind, RteKind::Relation { .. }) && root.rte(rti).inherit;
        if inherits && root.has_rel(rti) {
            crate::inherit::expand(g, root, rti)?;
        }
    }
    scan::make_base_paths(g, root)?;
    join::make_rel_from_list(g, root, &list)
}

/// Columns that RETURNING, ON CONFLICT and MERGE actions need from the joined rows.
fn extra_needed(root: &mut Root, top: &Relids) {
    let mut list: Vec<Expr> = Vec::new();
    let target = root.query.result_relation;
    if target != 0 {
        list.extend(root.query.returning.iter().map(|t| t.expr.clone()));
        if let Some(m) = &root.query.merge {
            for a in &m.actions {
                list.extend(a.qual.clone());
                list.extend(a.targets.iter().map(|t| t.expr.clone()));
            }
            list.extend(m.join_condition.clone());
        }
    }
    for e in list {
        let mut vars = Vec::new();
        crate::walker::each_var(&e, &mut |v| {
            if v.rte != target {
                vars.push(Expr::Var(v.clone()));
            }
        });
        for v in vars {
            add_vars_to_targets(root, &v, top);
        }
    }
}
