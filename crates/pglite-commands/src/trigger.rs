//! CREATE TRIGGER.

use pglite_analyze::{ExprKind, Scope as ExprScope, analyze_expr, lookup_function};
use pglite_catalog::Vector;
use pglite_catalog::acl;
use pglite_catalog::depend::{DependencyType, ObjectAddress};
use pglite_catalog::rows::{ClassRow, ConstraintRow, TriggerRow};
use pglite_catalog::value::Bytes;
use pglite_error::{PgError, PgResult, bail, err};
use pglite_functions::deparse::{Scope, storage_text};
use pglite_parser::ast::{CreateTrigStmt, trigger_type};
use pglite_types::{Oid, oid};

use crate::ctx;
use crate::host::{CommandHost, CommandOutcome};
use crate::table;

pub(crate) fn create(host: &dyn CommandHost, t: &CreateTrigStmt) -> PgResult<CommandOutcome> {
    let rel = ctx::relation(host, &t.relation)?;
    let s = host.snapshot();
    let instead = t.timing & trigger_type::INSTEAD != 0;
    match rel.kind {
        b'r' | b'p' if instead => {
            return Err(err!(WRONG_OBJECT_TYPE, "\"{}\" is a table", rel.name)
                .detail("Tables cannot have INSTEAD OF triggers."));
        }
        b'r' | b'p' | b'f' => {}
        b'v' => {
            if !instead && t.row {
                return Err(err!(WRONG_OBJECT_TYPE, "\"{}\" is a view", rel.name)
                    .detail("Views cannot have row-level BEFORE or AFTER triggers."));
            }
            if t.events & trigger_type::TRUNCATE != 0 {
                return Err(err!(WRONG_OBJECT_TYPE, "\"{}\" is a view", rel.name)
                    .detail("Views cannot have TRUNCATE triggers."));
            }
        }
        _ => bail!(WRONG_OBJECT_TYPE, "relation \"{}\" cannot have triggers", rel.name),
    }
    if rel.is_catalog {
        bail!(INSUFFICIENT_PRIVILEGE, "permission denied: \"{}\" is a system catalog", rel.name);
    }
    if acl::relation_mask(&s, ctx::user(host), rel.oid, acl::TRIGGER) == 0 {
        bail!(INSUFFICIENT_PRIVILEGE, "permission denied for {} {}", ctx::kind_word(rel.kind), rel.name);
    }
    if t.row && t.events & trigger_type::TRUNCATE != 0 {
        return Err(PgError::unsupported("TRUNCATE FOR EACH ROW triggers are not supported"));
    }
    if instead {
        if !t.row {
            return Err(PgError::unsupported("INSTEAD OF triggers must be FOR EACH ROW"));
        }
        if t.when_clause.is_some() {
            return Err(PgError::unsupported("INSTEAD OF triggers cannot have WHEN conditions"));
        }
        if !t.columns.is_empty() {
            return Err(PgError::unsupported("INSTEAD OF triggers cannot have column lists"));
        }
    }
    let function = {
        let env = host.env();
        lookup_function(env.as_analyze_env(), &t.funcname, &[])?
    };
    let Some(function) = function else {
        bail!(UNDEFINED_FUNCTION, "function {}() does not exist", t.funcname.join("."));
    };
    if s.proc_by_oid(function).is_some_and(|p| p.prorettype != oid::TRIGGER) {
        bail!(INVALID_OBJECT_DEFINITION, "function {} must return type trigger", t.funcname.join("."));
    }
    let old = s.trigger_by_name(rel.oid, &t.trigname).cloned();
    if let Some(o) = &old
        && (!t.replace || t.isconstraint || o.tgisinternal)
    {
        bail!(DUPLICATE_OBJECT, "trigger \"{}\" for relation \"{}\" already exists", t.trigname, rel.name);
    }
    let mut attrs = Vec::new();
    for c in &t.columns {
        let Some(col) = rel.column(c) else {
            bail!(UNDEFINED_COLUMN, "column \"{c}\" of relation \"{}\" does not exist", rel.name);
        };
        if attrs.contains(&col.attnum) {
            bail!(DUPLICATE_COLUMN, "column \"{c}\" specified more than once");
        }
        attrs.push(col.attnum);
    }
    let qual = match &t.when_clause {
        None => None,
        Some(raw) => {
            let env = host.env();
            let pair = [("old", &rel), ("new", &rel)];
            let e = analyze_expr(
                env.as_analyze_env(),
                raw,
                &ExprScope::Relations(&pair),
                ExprKind::TriggerWhen,
                Some((oid::BOOL, -1)),
            )?;
            check_when(t, &rel, &e)?;
            Some(storage_text(&s, env.as_fn_host(), &e, Scope::OldNew(&rel))?)
        }
    };
    check_transitions(t, &rel)?;
    let transition =
        |new: bool| t.transition_rels.iter().find(|r| r.is_new == new).map(|r| r.name.as_str().into());
    let referenced = match &t.constrrel {
        Some(r) => ctx::relation(host, r)?.oid,
        None => Oid::INVALID,
    };
    let oid_ = match &old {
        Some(o) => o.oid,
        None => ctx::new_oid(host)?,
    };
    let mut constraint: Option<ConstraintRow> = None;
    if t.isconstraint {
        let mut k = table::blank(ctx::new_oid(host)?, &t.trigname, rel.namespace, b't', rel.oid);
        k.condeferrable = t.deferrable;
        k.condeferred = t.initdeferred;
        k.connoinherit = true;
        constraint = Some(k);
    }
    let mut args = Vec::new();
    for a in &t.args {
        args.extend_from_slice(a.as_bytes());
        args.push(0);
    }
    let row = TriggerRow {
        oid: oid_,
        tgrelid: rel.oid,
        tgname: t.trigname.as_str().into(),
        tgfoid: function,
        tgtype: t.timing | t.events | if t.row { trigger_type::ROW } else { 0 },
        tgenabled: b'O',
        tgconstrrelid: referenced,
        tgconstraint: constraint.as_ref().map_or(Oid::INVALID, |k| k.oid),
        tgdeferrable: t.deferrable,
        tginitdeferred: t.initdeferred,
        tgnargs: t.args.len() as i16,
        tgattr: Vector::from(attrs.clone()),
        tgargs: Bytes(args.into()),
        tgqual: qual.map(Into::into),
        tgoldtable: transition(false),
        tgnewtable: transition(true),
        ..TriggerRow::default()
    };
    if rel.kind == b'p' && t.row && (row.tgoldtable.is_some() || row.tgnewtable.is_some()) {
        return Err(err!(FEATURE_NOT_SUPPORTED, "\"{}\" is a partitioned table", rel.name)
            .detail("ROW triggers with transition tables are not supported on partitioned tables."));
    }
    host.with_catalog(&mut |c| {
        let me = ObjectAddress::of::<TriggerRow>(oid_);
        c.forget_dependencies(me, true);
        c.insert(row.clone());
        c.modify::<ClassRow>(rel.oid, |r| r.relhastriggers = true);
        c.record_dependency(me, ObjectAddress::proc(function), DependencyType::Normal);
        c.record_dependency(me, ObjectAddress::relation(rel.oid), DependencyType::Auto);
        if referenced.is_valid() {
            c.record_dependency(me, ObjectAddress::relation(referenced), DependencyType::Auto);
        }
        for a in &attrs {
            c.record_dependency(me, ObjectAddress::column(rel.oid, *a), DependencyType::Normal);
        }
        if let Some(k) = &constraint {
            let con = ObjectAddress::constraint(k.oid);
            c.insert(k.clone());
            c.record_dependency(con, ObjectAddress::relation(rel.oid), DependencyType::Auto);
            c.record_dependency(me, con, DependencyType::Internal);
        }
        Ok(())
    })?;
    if rel.kind == b'p' && t.row {
        for child in host.snapshot().children_of(rel.oid).map(|i| i.inhrelid).collect::<Vec<_>>() {
            clone_row(host, &row, child)?;
        }
    }
    Ok(CommandOutcome::tag("CREATE TRIGGER"))
}

/// Gives a partition the row triggers of the partitioned table it belongs to.
pub(crate) fn clone_to_partition(host: &dyn CommandHost, parent: Oid, child: Oid) -> PgResult<()> {
    let snapshot = host.snapshot();
    let of_rows = |t: &&TriggerRow| t.tgtype & trigger_type::ROW != 0 && !t.tgisinternal;
    let mut rows: Vec<TriggerRow> = snapshot.triggers_of(parent).filter(of_rows).cloned().collect();
    rows.sort_by(|a, b| a.tgname.cmp(&b.tgname));
    rows.iter().try_for_each(|row| clone_row(host, row, child))
}

/// Takes away the triggers a partition has from its parent: it is a partition no longer.
pub(crate) fn drop_clones(host: &dyn CommandHost, parent: Oid, child: Oid) -> PgResult<()> {
    let s = host.snapshot();
    let parents: Vec<Oid> = s.triggers_of(parent).map(|t| t.oid).collect();
    let mut clones: Vec<TriggerRow> =
        s.triggers_of(child).filter(|t| parents.contains(&t.tgparentid)).cloned().collect();
    let mut at = 0;
    while let Some(clone) = clones.get(at).cloned() {
        at += 1;
        for below in s.children_of(clone.tgrelid).map(|i| i.inhrelid) {
            clones.extend(s.triggers_of(below).filter(|t| t.tgparentid == clone.oid).cloned());
        }
    }
    host.with_catalog(&mut |c| {
        for clone in &clones {
            c.forget_dependencies(ObjectAddress::of::<TriggerRow>(clone.oid), true);
            c.delete::<TriggerRow>(clone.oid);
            if clone.tgconstraint.is_valid() {
                c.forget_dependencies(ObjectAddress::constraint(clone.tgconstraint), true);
                c.delete::<ConstraintRow>(clone.tgconstraint);
            }
        }
        Ok(())
    })
}

/// Copies a partitioned table's row trigger to a partition and to the partitions below it.
fn clone_row(host: &dyn CommandHost, parent: &TriggerRow, child: Oid) -> PgResult<()> {
    let s = host.snapshot();
    let (Some(from), Some(to)) = (s.rel(parent.tgrelid), s.rel(child)) else { return Ok(()) };
    if let Some(have) = s.trigger_by_name(child, &parent.tgname) {
        if have.tgparentid == parent.oid {
            return Ok(());
        }
        bail!(DUPLICATE_OBJECT, "trigger \"{}\" for relation \"{}\" already exists", parent.tgname, to.name);
    }
    let columns: Vec<i16> = parent
        .tgattr
        .iter()
        .filter_map(|a| from.attr(*a).and_then(|c| to.column(&c.name)).map(|c| c.attnum))
        .collect();
    let mut row = TriggerRow {
        oid: ctx::new_oid(host)?,
        tgrelid: child,
        tgparentid: parent.oid,
        tgattr: Vector::from(columns.clone()),
        ..parent.clone()
    };
    let constraint = match s.constraint_by_oid(parent.tgconstraint) {
        Some(k) => {
            let copy = ConstraintRow {
                oid: ctx::new_oid(host)?,
                conrelid: child,
                conparentid: k.oid,
                connamespace: to.namespace,
                ..k.clone()
            };
            row.tgconstraint = copy.oid;
            Some(copy)
        }
        None => None,
    };
    host.with_catalog(&mut |c| {
        let me = ObjectAddress::of::<TriggerRow>(row.oid);
        c.insert(row.clone());
        c.modify::<ClassRow>(child, |r| r.relhastriggers = true);
        c.record_dependency(me, ObjectAddress::proc(row.tgfoid), DependencyType::Normal);
        let above = ObjectAddress::of::<TriggerRow>(parent.oid);
        c.record_dependency(me, above, DependencyType::PartitionPrimary);
        c.record_dependency(me, ObjectAddress::relation(child), DependencyType::PartitionSecondary);
        for a in &columns {
            c.record_dependency(me, ObjectAddress::column(child, *a), DependencyType::Normal);
        }
        if let Some(k) = &constraint {
            let con = ObjectAddress::constraint(k.oid);
            c.insert(k.clone());
            c.record_dependency(con, ObjectAddress::relation(child), DependencyType::Auto);
            c.record_dependency(me, con, DependencyType::Internal);
        }
        Ok(())
    })?;
    for below in host.snapshot().children_of(child).map(|i| i.inhrelid).collect::<Vec<_>>() {
        clone_row(host, &row, below)?;
    }
    Ok(())
}

/// What a WHEN condition may refer to: OLD (relation 1) and NEW (relation 2), as far as the events have them.
fn check_when(t: &CreateTrigStmt, rel: &pglite_catalog::RelDesc, e: &pglite_ir::Expr) -> PgResult<()> {
    let mut error = None;
    pglite_ir::tree::visit_expr(e, 0, &mut |e, depth| {
        if let pglite_ir::Expr::Var(v) = e
            && v.levels_up == depth
            && error.is_none()
        {
            error = when_reference(t, rel, v);
        }
        error.is_none()
    });
    error.map_or(Ok(()), Err)
}

fn when_reference(t: &CreateTrigStmt, rel: &pglite_catalog::RelDesc, v: &pglite_ir::Var) -> Option<PgError> {
    let wrong = |message: &str| Some(err!(INVALID_OBJECT_DEFINITION, "{message}").at(v.location));
    if !t.row {
        return wrong("statement trigger's WHEN condition cannot reference column values");
    }
    if v.rte == 1 {
        if t.events & trigger_type::INSERT != 0 {
            return wrong("INSERT trigger's WHEN condition cannot reference OLD values");
        }
        return None;
    }
    if t.events & trigger_type::DELETE != 0 {
        return wrong("DELETE trigger's WHEN condition cannot reference NEW values");
    }
    let before = t.timing & trigger_type::BEFORE != 0;
    if before && v.attno < 0 {
        return Some(
            err!(
                FEATURE_NOT_SUPPORTED,
                "BEFORE trigger's WHEN condition cannot reference NEW system columns"
            )
            .at(v.location),
        );
    }
    let generated = |c: &pglite_catalog::ColumnDesc| c.generated == b's' && !c.dropped;
    if before && v.attno == 0 && rel.columns.iter().any(generated) {
        return Some(
            err!(
                INVALID_OBJECT_DEFINITION,
                "BEFORE trigger's WHEN condition cannot reference NEW generated columns"
            )
            .detail("A whole-row reference is used and the table contains generated columns.")
            .at(v.location),
        );
    }
    if before && let Some(c) = rel.attr(v.attno).filter(|c| generated(c)) {
        return Some(
            err!(
                INVALID_OBJECT_DEFINITION,
                "BEFORE trigger's WHEN condition cannot reference NEW generated columns"
            )
            .detail(format!("Column \"{}\" is a generated column.", c.name))
            .at(v.location),
        );
    }
    None
}

/// Transition tables belong to AFTER triggers of tables, one OLD and one NEW, for one event.
fn check_transitions(t: &CreateTrigStmt, rel: &pglite_catalog::RelDesc) -> PgResult<()> {
    let (mut old, mut new) = (None::<&str>, None::<&str>);
    for r in &t.transition_rels {
        let wrong = |message: &str| Err(err!(INVALID_OBJECT_DEFINITION, "{message}"));
        if !r.is_table {
            return Err(PgError::unsupported(
                "ROW variable naming in the REFERENCING clause is not supported",
            )
            .hint("Use OLD TABLE or NEW TABLE for naming transition tables."));
        }
        match rel.kind {
            b'f' => {
                return Err(err!(WRONG_OBJECT_TYPE, "\"{}\" is a foreign table", rel.name)
                    .detail("Triggers on foreign tables cannot have transition tables."));
            }
            b'v' => {
                return Err(err!(WRONG_OBJECT_TYPE, "\"{}\" is a view", rel.name)
                    .detail("Triggers on views cannot have transition tables."));
            }
            _ => {}
        }
        if t.timing & (trigger_type::BEFORE | trigger_type::INSTEAD) != 0 {
            return wrong("transition table name can only be specified for an AFTER trigger");
        }
        if t.events & trigger_type::TRUNCATE != 0 {
            return Err(PgError::unsupported("TRUNCATE triggers with transition tables are not supported"));
        }
        let events = [trigger_type::INSERT, trigger_type::UPDATE, trigger_type::DELETE];
        if events.iter().filter(|e| t.events & **e != 0).count() > 1 {
            return Err(PgError::unsupported(
                "transition tables cannot be specified for triggers with more than one event",
            ));
        }
        if !t.columns.is_empty() {
            return Err(PgError::unsupported(
                "transition tables cannot be specified for triggers with column lists",
            ));
        }
        if r.is_new {
            if t.events & (trigger_type::INSERT | trigger_type::UPDATE) == 0 {
                return wrong("NEW TABLE can only be specified for an INSERT or UPDATE trigger");
            }
            if new.is_some() {
                return wrong("NEW TABLE cannot be specified multiple times");
            }
            new = Some(&r.name);
        } else {
            if t.events & (trigger_type::DELETE | trigger_type::UPDATE) == 0 {
                return wrong("OLD TABLE can only be specified for a DELETE or UPDATE trigger");
            }
            if old.is_some() {
                return wrong("OLD TABLE cannot be specified multiple times");
            }
            old = Some(&r.name);
        }
        if old.is_some() && old == new {
            return wrong("OLD TABLE name and NEW TABLE name cannot be the same");
        }
    }
    Ok(())
}
