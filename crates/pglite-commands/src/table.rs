//! CREATE TABLE.
//!
//! Order of work, as PostgreSQL's: columns (inherited ones merged), the relation, defaults, NOT NULL and CHECK
//! constraints, then keys with their indexes, then foreign keys.

mod attributes;
mod columns;
mod constraints;
mod foreign_key;
mod like;

use pglite_catalog::depend::{DependencyType, ObjectAddress};
use pglite_catalog::generated::rows::ClassRow;
use pglite_catalog::generated::rows::InheritsRow;
use pglite_catalog::{Str, well_known};
use pglite_error::{PgError, PgResult, bail, codes, err};
use pglite_parser::ast::{ColumnDef, ConstrType, Constraint, CreateStmt, DefArg, DefElem, TableElement};
use pglite_types::Oid;

use crate::ctx;
use crate::host::{CommandHost, CommandOutcome};
use crate::relation::{self, NewRelation};

pub(crate) use columns::{NotNull, Plan, column_of};
pub(crate) use constraints::{
    add_check, add_key, add_not_null, blank, choose_constraint_name, insert as insert_constraint, set_default,
};
pub(crate) use foreign_key::add_foreign_key;

/// CREATE TABLE.
pub(crate) fn create_table(host: &dyn CommandHost, s: &CreateStmt) -> PgResult<CommandOutcome> {
    let tag = CommandOutcome::tag("CREATE TABLE");
    if s.partspec.is_some() && s.partbound.is_none() && !s.inh_relations.is_empty() {
        bail!(INVALID_OBJECT_DEFINITION, "cannot create partitioned table as inheritance child");
    }
    let (namespace, persistence) = ctx::creation_target(host, &s.relation)?;
    if host.snapshot().class_by_name(namespace, &s.relation.relname).is_some() && s.if_not_exists {
        ctx::notice(
            host,
            PgError::new(
                codes::DUPLICATE_TABLE,
                format!("relation \"{}\" already exists, skipping", s.relation.relname),
            )
            .severity(pglite_error::Severity::Notice),
        );
        return Ok(tag);
    }
    define(host, s, namespace, persistence, false)?;
    Ok(tag)
}

/// The relation of CREATE FOREIGN TABLE; None when it is there already and may be.
pub(crate) fn create_foreign(host: &dyn CommandHost, s: &CreateStmt) -> PgResult<Option<Oid>> {
    let (namespace, persistence) = ctx::creation_target(host, &s.relation)?;
    if host.snapshot().class_by_name(namespace, &s.relation.relname).is_some() && s.if_not_exists {
        let text = format!("relation \"{}\" already exists, skipping", s.relation.relname);
        let n = PgError::new(codes::DUPLICATE_TABLE, text).severity(pglite_error::Severity::Notice);
        ctx::notice(host, n);
        return Ok(None);
    }
    define(host, s, namespace, persistence, true).map(Some)
}

/// Table options (`WITH (...)`) as `name=value`.
pub(crate) fn rel_options(options: &[DefElem]) -> PgResult<Option<Vec<Str>>> {
    let mut out = Vec::new();
    for d in options {
        let value = match &d.arg {
            None => "true".to_string(),
            Some(DefArg::Boolean(b)) => b.to_string(),
            Some(DefArg::Integer(i)) => i.to_string(),
            Some(DefArg::Float(s) | DefArg::String(s)) => s.clone(),
            Some(DefArg::TypeName(t)) => t.dotted(),
            Some(DefArg::Names(n)) => n.join("."),
            _ => bail!(INVALID_PARAMETER_VALUE, "invalid value for option \"{}\"", d.defname),
        };
        let name = match &d.defnamespace {
            Some(ns) => format!("{ns}.{}", d.defname),
            None => d.defname.clone(),
        };
        if name == "oids" {
            if value == "true" {
                bail!(FEATURE_NOT_SUPPORTED, "tables declared WITH OIDS are not supported");
            }
            continue;
        }
        if !KNOWN_OPTIONS.contains(&d.defname.as_str()) {
            bail!(INVALID_PARAMETER_VALUE, "unrecognized parameter \"{}\"", d.defname);
        }
        out.push(Str::from(format!("{name}={value}")));
    }
    Ok((!out.is_empty()).then_some(out))
}

const KNOWN_OPTIONS: &[&str] = &[
    "fillfactor",
    "toast_tuple_target",
    "parallel_workers",
    "autovacuum_enabled",
    "autovacuum_vacuum_threshold",
    "autovacuum_vacuum_max_threshold",
    "autovacuum_vacuum_scale_factor",
    "autovacuum_vacuum_insert_threshold",
    "autovacuum_vacuum_insert_scale_factor",
    "autovacuum_analyze_threshold",
    "autovacuum_analyze_scale_factor",
    "autovacuum_vacuum_cost_delay",
    "autovacuum_vacuum_cost_limit",
    "autovacuum_freeze_min_age",
    "autovacuum_freeze_max_age",
    "autovacuum_freeze_table_age",
    "autovacuum_multixact_freeze_min_age",
    "autovacuum_multixact_freeze_max_age",
    "autovacuum_multixact_freeze_table_age",
    "log_autovacuum_min_duration",
    "vacuum_index_cleanup",
    "vacuum_truncate",
    "vacuum_max_eager_freeze_failure_rate",
    "user_catalog_table",
    "deduplicate_items",
    "fastupdate",
    "gin_pending_list_limit",
    "buffering",
    "pages_per_range",
    "autosummarize",
    "security_barrier",
    "security_invoker",
    "check_option",
    "m",
    "ef_construction",
    "lists",
];

fn define(
    host: &dyn CommandHost,
    s: &CreateStmt,
    namespace: Oid,
    persistence: u8,
    foreign: bool,
) -> PgResult<Oid> {
    let mut defs: Vec<&ColumnDef> = Vec::new();
    let mut table_constraints: Vec<Constraint> = Vec::new();
    let mut likes = Vec::new();
    for e in &s.table_elts {
        match e {
            TableElement::ColumnDef(c) => defs.push(c),
            TableElement::Constraint(c) => table_constraints.push((**c).clone()),
            TableElement::Like(l) => likes.push((defs.len(), l)),
        }
    }
    let parents = s.inh_relations.iter().map(|r| ctx::relation(host, r)).collect::<PgResult<Vec<_>>>()?;
    let mut plan = columns::Plan::new(host, &s.relation.relname, namespace);
    if s.partbound.is_some()
        && let Some(p) = parents.first()
    {
        crate::partition::check_parent(p, persistence)?;
    }
    plan.inherit(host, &parents, s.partbound.is_some())?;
    if let Some(of) = &s.of_typename {
        plan.of_type(host, of)?;
    }
    for (i, def) in defs.iter().enumerate() {
        for (_, like) in likes.iter().filter(|(at, _)| *at == i) {
            plan.like(host, like)?;
        }
        plan.column(host, def)?;
    }
    for (_, like) in likes.iter().filter(|(at, _)| *at >= defs.len()) {
        plan.like(host, like)?;
    }
    plan.primary_key_columns(&table_constraints)?;
    plan.table_not_nulls(&table_constraints)?;
    let rel = NewRelation {
        name: s.relation.relname.clone(),
        namespace,
        kind: if foreign {
            b'f'
        } else if s.partspec.is_some() {
            b'p'
        } else {
            b'r'
        },
        persistence,
        owner: ctx::user(host),
        am: if foreign || s.partspec.is_some() { Oid::INVALID } else { well_known::AM_HEAP },
        of_type: plan.of_type,
        tablespace: Oid::INVALID,
        columns: plan.columns.clone(),
        options: rel_options(&s.options)?,
        with_types: true,
    };
    // Serial columns need their sequences before the defaults that name them.
    plan.create_sequences(host, persistence)?;
    let oid = relation::create(host, &rel)?;
    match (&s.partbound, parents.first()) {
        (Some(bound), Some(parent)) => crate::partition::create_partition(host, oid, parent.oid, bound)?,
        _ => inherit_rows(host, oid, &parents)?,
    }
    if let Some(spec) = &s.partspec {
        crate::partition::store_key(host, oid, spec)?;
    }
    plan.own_sequences(host, oid)?;
    for (attnum, default, generated) in plan.defaults() {
        set_default(host, oid, attnum, &default, generated)?;
    }
    for (attnum, text) in plan.copied_defaults() {
        constraints::store_default(host, oid, attnum, text)?;
    }
    let mut all = plan.constraints;
    all.extend(table_constraints);
    let inherits_objects = parents.first().filter(|_| s.partbound.is_some()).map(|p| p.oid);
    apply_constraints(host, oid, plan.not_nulls, plan.inherited_checks, all, inherits_objects)?;
    for (_, l) in &likes {
        like::objects(host, oid, l)?;
    }
    Ok(oid)
}

fn inherit_rows(
    host: &dyn CommandHost,
    oid: Oid,
    parents: &[std::sync::Arc<pglite_catalog::RelDesc>],
) -> PgResult<()> {
    if parents.is_empty() {
        return Ok(());
    }
    host.with_catalog(&mut |c| {
        for (i, p) in parents.iter().enumerate() {
            c.insert(InheritsRow {
                inhrelid: oid,
                inhparent: p.oid,
                inhseqno: i as i32 + 1,
                inhdetachpending: false,
            });
            c.record_dependency(
                ObjectAddress::relation(oid),
                ObjectAddress::relation(p.oid),
                DependencyType::Normal,
            );
            c.modify::<ClassRow>(p.oid, |r| r.relhassubclass = true);
        }
        Ok(())
    })
}

/// Adds the constraints of a new table in PostgreSQL's order.
fn apply_constraints(
    host: &dyn CommandHost,
    oid: Oid,
    not_nulls: Vec<columns::NotNull>,
    checks: Vec<columns::InheritedCheck>,
    all: Vec<Constraint>,
    partition_of: Option<Oid>,
) -> PgResult<()> {
    for n in &not_nulls {
        add_not_null(host, oid, n)?;
    }
    for c in &checks {
        constraints::add_inherited_check(host, oid, c)?;
    }
    for c in all.iter().filter(|c| c.contype == ConstrType::Check) {
        add_check(host, oid, c, true)?;
    }
    if let Some(parent) = partition_of {
        crate::partition::inherit_objects(host, parent, oid)?;
    }
    for c in all.iter().filter(|c| c.contype == ConstrType::Primary) {
        add_key(host, oid, c)?;
    }
    for c in all.iter().filter(|c| c.contype == ConstrType::Unique) {
        add_key(host, oid, c)?;
    }
    if all.iter().any(|c| c.contype == ConstrType::Exclusion) {
        return Err(PgError::unsupported("exclusion constraints are not supported yet"));
    }
    for c in all.iter().filter(|c| c.contype == ConstrType::Foreign) {
        add_foreign_key(host, oid, c, true)?;
    }
    if all.iter().filter(|c| c.contype == ConstrType::Primary).count() > 1 {
        let name = host.snapshot().class_by_oid(oid).map(|c| c.relname.to_string()).unwrap_or_default();
        return Err(err!(
            INVALID_TABLE_DEFINITION,
            "multiple primary keys for table \"{name}\" are not allowed"
        ));
    }
    Ok(())
}
