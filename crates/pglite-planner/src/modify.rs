//! INSERT, UPDATE, DELETE, MERGE and row locks: the target list the executor expects, and the ModifyTable node.

use std::rc::Rc;
use std::sync::Arc;

use pglite_catalog::RelDesc;
use pglite_error::{PgError, PgResult, err};
use pglite_ir::expr::*;
use pglite_ir::plan::*;
use pglite_ir::query::*;
use pglite_types::oid;

use crate::equal::equal;
use crate::inherit;
use crate::types::*;
use crate::walker::{each_var, into_conjuncts};

/// Names of the junk columns that identify rows.
pub(crate) fn rowid_name(rti: u32) -> String {
    format!("rowid{rti}")
}
pub(crate) fn tableoid_name(rti: u32) -> String {
    format!("tableoid{rti}")
}

/// The relations that FOR UPDATE/SHARE locks.
pub(crate) fn set_row_marks(root: &mut Root) {
    let marks = root.query.row_marks.clone();
    for m in marks {
        let is_table = matches!(&root.rte(m.rte).kind, RteKind::Relation { rel, .. } if matches!(rel.kind, b'r' | b'm' | b'p' | b't'));
        if !is_table {
            continue;
        }
        root.row_marks.push(PlanMark {
            rte: m.rte,
            strength: m.strength,
            wait: m.wait,
            reference_only: false,
            is_parent: false,
        });
    }
}

fn target_rel(root: &Root) -> PgResult<Arc<RelDesc>> {
    match &root.rte(root.query.result_relation).kind {
        RteKind::Relation { rel, .. } => Ok(rel.clone()),
        _ => Err(PgError::internal("result relation must be a regular relation")),
    }
}

/// Fills in `processed_targets` and `update_columns`.
pub(crate) fn preprocess_targets(g: &mut Glob<'_>, root: &mut Root) -> PgResult<()> {
    let mut targets = std::mem::take(&mut root.query.targets);
    let result = root.query.result_relation;
    match root.query.command {
        CommandType::Insert => {
            let rel = target_rel(root)?;
            targets = insert_targets(&rel, targets, &root.query);
        }
        CommandType::Update => {
            root.update_columns = targets.iter().filter(|t| !t.junk).map(|t| t.resno).collect();
            // Assigned columns first, then the junk.
            targets.sort_by_key(|t| t.junk);
            renumber(&mut targets);
        }
        CommandType::Merge => {
            let rel = target_rel(root)?;
            if let Some(mut m) = root.query.merge.take() {
                for a in &mut m.actions {
                    if a.command == CommandType::Insert {
                        let list = std::mem::take(&mut a.targets);
                        a.targets = insert_targets(&rel, list, &root.query);
                    }
                }
                root.query.merge = Some(m);
            }
        }
        _ => {}
    }
    // Rows of a view with INSTEAD OF triggers are known by their whole row, which the rewriter added.
    let is_view = result != 0 && target_rel(root).is_ok_and(|r| r.is_view());
    let by_row = matches!(root.query.command, CommandType::Update | CommandType::Delete | CommandType::Merge);
    if by_row && !is_view {
        push_junk(
            &mut targets,
            Root::var(result, sysattr::ROWID, oid::INT8, -1, pglite_types::Oid::INVALID),
            rowid_name(result),
        );
        if root.rte(result).inherit {
            push_junk(
                &mut targets,
                Root::var(result, sysattr::TABLEOID, oid::OID, -1, pglite_types::Oid::INVALID),
                tableoid_name(result),
            );
        }
    }
    for m in &root.row_marks {
        push_junk(
            &mut targets,
            Root::var(m.rte, sysattr::ROWID, oid::INT8, -1, pglite_types::Oid::INVALID),
            rowid_name(m.rte),
        );
        if root.rte(m.rte).inherit {
            push_junk(
                &mut targets,
                Root::var(m.rte, sysattr::TABLEOID, oid::OID, -1, pglite_types::Oid::INVALID),
                tableoid_name(m.rte),
            );
        }
    }
    if result != 0 {
        // Columns of other relations that RETURNING and MERGE actions read.
        let mut needed: Vec<Expr> = Vec::new();
        let mut add = |e: &Expr| {
            each_var(e, &mut |v| {
                if v.rte != result {
                    let e = Expr::Var(v.clone());
                    if !crate::equal::member(&needed, &e) {
                        needed.push(e);
                    }
                }
            })
        };
        root.query.returning.iter().for_each(|t| add(&t.expr));
        if let Some(m) = &root.query.merge {
            for a in &m.actions {
                a.qual.iter().for_each(&mut add);
                a.targets.iter().for_each(|t| add(&t.expr));
            }
            m.join_condition.iter().for_each(&mut add);
        }
        for e in needed {
            if !targets.iter().any(|t| equal(&t.expr, &e)) {
                push_junk(&mut targets, e, String::new());
            }
        }
    }
    root.processed_targets = targets;
    if let Some(mut oc) = root.query.on_conflict.take() {
        infer_arbiters(g, root, &mut oc)?;
        root.query.on_conflict = Some(oc);
    }
    Ok(())
}

fn renumber(targets: &mut [TargetEntry]) {
    for (i, t) in targets.iter_mut().enumerate() {
        t.resno = i as i16 + 1;
    }
}

fn push_junk(targets: &mut Vec<TargetEntry>, e: Expr, name: String) {
    let mut t = TargetEntry::new(e, targets.len() as i16 + 1, (!name.is_empty()).then_some(name));
    t.junk = true;
    targets.push(t);
}

/// One entry a column of the table, in order.
fn insert_targets(rel: &RelDesc, mut targets: Vec<TargetEntry>, q: &Query) -> Vec<TargetEntry> {
    let mut out = Vec::with_capacity(rel.columns.len());
    let _ = q;
    for c in &rel.columns {
        let found = targets.iter().position(|t| !t.junk && t.resno == c.attnum);
        let t = match found {
            Some(i) if !c.dropped => {
                let mut t = targets.swap_remove(i);
                t.resno = c.attnum;
                t
            }
            _ => {
                let ty = if c.dropped { oid::INT4 } else { c.type_oid };
                let null = Expr::Const(Const {
                    ty,
                    typmod: c.typmod,
                    collation: c.collation,
                    value: pglite_types::Datum::Null,
                    location: -1,
                });
                TargetEntry::new(null, c.attnum, Some(c.name.to_string()))
            }
        };
        out.push(t);
    }
    // Junk of the source (sort columns of an INSERT ... SELECT are its subquery's business).
    for mut t in targets.into_iter().filter(|t| t.junk) {
        t.resno = out.len() as i16 + 1;
        out.push(t);
    }
    out
}

/// The unique indexes that ON CONFLICT names.
fn infer_arbiters(g: &Glob<'_>, root: &Root, oc: &mut OnConflict) -> PgResult<()> {
    if !oc.arbiter_indexes.is_empty() {
        return Ok(());
    }
    if oc.constraint.is_valid() {
        if let Some(c) = g.cat.0.constraint_by_oid(oc.constraint) {
            oc.arbiter_indexes = vec![c.conindid];
        }
        return Ok(());
    }
    if oc.arbiter_elems.is_empty() {
        return Ok(());
    }
    let rti = root.query.result_relation;
    let rel = target_rel(root)?;
    let given: Vec<Expr> = into_conjuncts(oc.arbiter_where.clone());
    for index in rel.indexes.iter().filter(|i| i.unique && i.valid) {
        let keys = index.key_columns();
        let mut exprs = Vec::new();
        for k in keys {
            exprs.push(match (&k.expr, rel.attr(k.attnum)) {
                (Some(text), _) => crate::rel::relation_expr(g, &rel, text, rti)?,
                (None, Some(c)) => Root::var(rti, k.attnum, c.type_oid, c.typmod, c.collation),
                _ => continue,
            });
        }
        let fits = |e: &InferElem, i: usize| {
            equal(&e.expr, &exprs[i])
                && (!e.collation.is_valid() || e.collation == keys[i].collation)
                && (!e.opclass.is_valid()
                    || g.cat.opclass(e.opclass).is_some_and(|c| c.0 == keys[i].opfamily))
        };
        let covers = (0..exprs.len()).all(|i| oc.arbiter_elems.iter().any(|e| fits(e, i)))
            && oc.arbiter_elems.iter().all(|e| (0..exprs.len()).any(|i| fits(e, i)));
        if !covers {
            continue;
        }
        if let Some(p) = &index.predicate {
            let pred = into_conjuncts(Some(crate::rel::relation_expr(g, &rel, p, rti)?));
            if !crate::predicate::implied_by(g, &pred, &given) {
                continue;
            }
        }
        oc.arbiter_indexes.push(index.oid);
    }
    if oc.arbiter_indexes.is_empty() {
        return Err(err!(
            INVALID_COLUMN_REFERENCE,
            "there is no unique or exclusion constraint matching the ON CONFLICT specification"
        ));
    }
    Ok(())
}

pub(crate) fn modify_path(g: &Glob<'_>, root: &Root, rel: RelId, sub: Rc<Path>) -> PgResult<Path> {
    let _ = g;
    let rows = if root.query.returning.is_empty() { 0.0 } else { sub.rows };
    Ok(Path {
        rel,
        rows,
        pathkeys: Vec::new(),
        node: PathNode::Modify { sub: sub.clone() },
        ..crate::upper::copy(&sub)
    })
}

/// The ModifyTable node, with Vars still in terms of this level's range table.
pub(crate) fn modify_node(root: &Root, left: &Plan) -> PgResult<ModifyTable> {
    let q = &root.query;
    let nominal = q.result_relation;
    let column = |name: String| {
        left.targets
            .iter()
            .position(|t| t.junk && t.name.as_deref() == Some(name.as_str()))
            .map_or(0, |i| i as i16 + 1)
    };
    let leaves: Vec<u32> =
        if root.leaf_results.is_empty() { vec![nominal] } else { root.leaf_results.clone() };
    let parent = target_rel(root)?;
    let mut targets = Vec::new();
    for rti in leaves {
        let RteKind::Relation { rel, .. } = &root.rte(rti).kind else { continue };
        let update_columns = root.update_columns.iter().map(|a| child_attno(&parent, rel, *a)).collect();
        let returning = q
            .returning
            .iter()
            .map(|t| {
                let mut t = t.clone();
                t.expr = inherit::translate_for_child(root, &t.expr, rti);
                t
            })
            .collect();
        targets.push(ModifyTarget {
            rte: rti,
            rel: rel.clone(),
            update_columns,
            merge_actions: merge_actions(root, &parent, rel, rti),
            returning,
            check_options: checks(root, rti),
        });
    }
    let output = q
        .returning
        .iter()
        .filter(|t| !t.junk)
        .map(|t| ColType { ty: t.expr.ty(), typmod: t.expr.typmod(), collation: t.expr.collation() })
        .collect();
    Ok(ModifyTable {
        command: q.command,
        nominal_rte: nominal,
        root: parent.is_partitioned().then(|| parent.clone()),
        targets,
        rowid_column: column(rowid_name(nominal)),
        tableoid_column: column(tableoid_name(nominal)),
        on_conflict: q.on_conflict.clone(),
        merge_actions: q.merge.as_ref().map(|m| m.actions.clone()).unwrap_or_default(),
        can_set_tag: q.can_set_tag,
        output,
    })
}

/// MERGE's actions in the leaf's terms.
fn merge_actions(root: &Root, parent: &RelDesc, leaf: &RelDesc, rti: u32) -> Vec<MergeAction> {
    let mut list = root.query.merge.as_ref().map(|m| m.actions.clone()).unwrap_or_default();
    for a in &mut list {
        if let Some(q) = &mut a.qual {
            *q = inherit::translate_for_child(root, q, rti);
        }
        for t in &mut a.targets {
            t.expr = inherit::translate_for_child(root, &t.expr, rti);
            if a.command == CommandType::Update && !t.junk {
                t.resno = child_attno(parent, leaf, t.resno);
            }
        }
    }
    list
}

/// The checks of new rows, in the leaf's terms.
fn checks(root: &Root, rti: u32) -> Vec<CheckOption> {
    let mut list = root.query.check_options.clone();
    for c in &mut list {
        c.qual = inherit::translate_for_child(root, &c.qual, rti);
    }
    list
}

fn child_attno(parent: &RelDesc, child: &RelDesc, attno: i16) -> i16 {
    let Some(p) = parent.attr(attno) else { return attno };
    match child.attr(attno) {
        Some(c) if !c.dropped && *c.name == *p.name => attno,
        _ => child.column(&p.name).map_or(attno, |c| c.attnum),
    }
}

/// Row marks of a LockRows node.
pub(crate) fn lock_marks(root: &Root, left: &Plan) -> Vec<PlanRowMark> {
    let column = |name: String| {
        left.targets
            .iter()
            .position(|t| t.junk && t.name.as_deref() == Some(name.as_str()))
            .map_or(0, |i| i as i16 + 1)
    };
    root.row_marks
        .iter()
        .filter(|m| !root.child_of.contains_key(&m.rte))
        .map(|m| {
            let rel = match &root.rte(m.rte).kind {
                RteKind::Relation { rel, .. } => Some(rel.clone()),
                _ => None,
            };
            PlanRowMark {
                rte: m.rte,
                rel,
                strength: m.strength,
                wait: m.wait,
                rowid_column: column(rowid_name(m.rte)),
                tableoid_column: column(tableoid_name(m.rte)),
                reference_only: m.reference_only,
            }
        })
        .collect()
}
