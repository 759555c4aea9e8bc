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
            Some(storage_text(&s, env.as_fn_host(), &e, Scope::OldNew(&rel))?)
        }
    };
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
    Ok(CommandOutcome::tag("CREATE TRIGGER"))
}
