//! CREATE TYPE (enum, composite, shell), CREATE DOMAIN, ALTER TYPE ... ADD/RENAME VALUE.

use pglite_analyze::{ExprKind, Scope as ExprScope, analyze_expr, resolve_collation, resolve_type_name};
use pglite_catalog::create;
use pglite_catalog::depend::{DependencyType, ObjectAddress};
use pglite_catalog::rows::{CollationRow, ConstraintRow, EnumRow, NamespaceRow, TypeRow};
use pglite_error::{PgError, PgResult, Severity, bail, codes, err};
use pglite_functions::deparse::{Scope, storage_text};
use pglite_ir::query::ColType;
use pglite_parser::ast::{
    AlterEnumStmt, CompositeTypeStmt, ConstrType, Constraint, CreateDomainStmt, CreateEnumStmt, ObjectName,
    ObjectType,
};
use pglite_types::{Oid, oid};

use crate::ctx;
use crate::host::{CommandHost, CommandOutcome};
use crate::objects::{self, Lookup};
use crate::relation::{self, NewRelation};
use crate::table;

fn check_free(host: &dyn CommandHost, namespace: Oid, name: &str) -> PgResult<()> {
    if host.snapshot().type_by_name(namespace, name).is_some() {
        bail!(DUPLICATE_OBJECT, "type \"{name}\" already exists");
    }
    Ok(())
}

/// Writes a type and its array type.
fn store(host: &dyn CommandHost, row: TypeRow, extra: Vec<ObjectAddress>) -> PgResult<()> {
    let s = host.snapshot();
    let array_name = create::array_type_name(&s, &row.typname, row.typnamespace);
    let array = create::array_type(&s, row.typarray, &array_name, &row);
    host.with_catalog(&mut |c| {
        let me = ObjectAddress::type_(row.oid);
        c.insert(row.clone());
        c.insert(array.clone());
        c.record_dependency(me, ObjectAddress::of::<NamespaceRow>(row.typnamespace), DependencyType::Normal);
        c.record_dependencies(me, extra.iter().copied(), DependencyType::Normal);
        c.record_owner(me, row.typowner);
        c.record_dependency(ObjectAddress::type_(array.oid), me, DependencyType::Internal);
        Ok(())
    })
}

fn check_label(label: &str) -> PgResult<()> {
    if label.len() > 63 {
        return Err(
            err!(INVALID_NAME, "invalid enum label \"{label}\"").detail("Labels must be 63 bytes or less.")
        );
    }
    Ok(())
}

pub(crate) fn create_enum(host: &dyn CommandHost, s: &CreateEnumStmt) -> PgResult<CommandOutcome> {
    let (namespace, name) = objects::creation_namespace(host, &s.type_name)?;
    check_free(host, namespace, &name)?;
    let (oid_, array) = (ctx::new_oid(host)?, ctx::new_oid(host)?);
    let row = create::enum_type(&host.snapshot(), oid_, &name, namespace, ctx::user(host), array);
    store(host, row, Vec::new())?;
    let mut rows = Vec::new();
    for (i, label) in s.vals.iter().enumerate() {
        check_label(label)?;
        if s.vals[..i].contains(label) {
            bail!(DUPLICATE_OBJECT, "enum label \"{label}\" used more than once");
        }
        // Even OIDs sort as their labels do.
        let oid = even_oid(host)?;
        rows.push(EnumRow {
            oid,
            enumtypid: oid_,
            enumsortorder: i as f32 + 1.0,
            enumlabel: label.as_str().into(),
        });
    }
    host.with_catalog(&mut |c| {
        rows.iter().cloned().for_each(|r| c.insert(r));
        Ok(())
    })?;
    Ok(CommandOutcome::tag("CREATE TYPE"))
}

fn even_oid(host: &dyn CommandHost) -> PgResult<Oid> {
    loop {
        let oid = ctx::new_oid(host)?;
        if oid.0 % 2 == 0 {
            return Ok(oid);
        }
    }
}

pub(crate) fn alter_enum(host: &dyn CommandHost, s: &AlterEnumStmt) -> PgResult<CommandOutcome> {
    let tag = CommandOutcome::tag("ALTER TYPE");
    let a = objects::resolve(
        host,
        &ObjectType::Type,
        &ObjectName::Names(s.type_name.clone()),
        Lookup::default(),
    )?;
    objects::check_owner(host, &a, &ObjectType::Type)?;
    let snap = host.snapshot();
    if snap.type_by_oid(a.object).is_none_or(|t| t.typtype != b'e') {
        bail!(WRONG_OBJECT_TYPE, "{} is not an enum", s.type_name.join("."));
    }
    if let Some(old) = &s.old_val {
        let Some(row) = snap.enum_label(a.object, old) else {
            bail!(INVALID_PARAMETER_VALUE, "\"{old}\" is not an existing enum label");
        };
        if snap.enum_label(a.object, &s.new_val).is_some() {
            bail!(DUPLICATE_OBJECT, "enum label \"{}\" already exists", s.new_val);
        }
        check_label(&s.new_val)?;
        let oid = row.oid;
        host.with_catalog(&mut |c| {
            c.modify::<EnumRow>(oid, |r| r.enumlabel = s.new_val.as_str().into());
            Ok(())
        })?;
        return Ok(tag);
    }
    check_label(&s.new_val)?;
    if snap.enum_label(a.object, &s.new_val).is_some() {
        if s.skip_if_new_val_exists {
            let text = format!("enum label \"{}\" already exists, skipping", s.new_val);
            ctx::notice(host, PgError::new(codes::DUPLICATE_OBJECT, text).severity(Severity::Notice));
            return Ok(tag);
        }
        bail!(DUPLICATE_OBJECT, "enum label \"{}\" already exists", s.new_val);
    }
    let mut orders: Vec<(f32, String)> =
        snap.enum_labels(a.object).map(|r| (r.enumsortorder, r.enumlabel.to_string())).collect();
    orders.sort_by(|x, y| x.0.total_cmp(&y.0));
    let order = match &s.new_val_neighbor {
        None => orders.last().map_or(1.0, |o| o.0 + 1.0),
        Some(n) => {
            let Some(i) = orders.iter().position(|o| o.1 == *n) else {
                bail!(INVALID_PARAMETER_VALUE, "\"{n}\" is not an existing enum label");
            };
            let here = orders[i].0;
            let other = if s.new_val_is_after {
                orders.get(i + 1)
            } else {
                i.checked_sub(1).and_then(|j| orders.get(j))
            };
            match (other, s.new_val_is_after) {
                (Some(o), _) => f32::midpoint(here, o.0),
                (None, true) => here + 1.0,
                (None, false) => here - 1.0,
            }
        }
    };
    // An even OID compares as an OID: only right when it is the last; odd ones are compared by sort order.
    let last = orders.last().is_none_or(|o| order > o.0);
    let oid = loop {
        let oid = ctx::new_oid(host)?;
        if (oid.0 % 2 == 0) == last {
            break oid;
        }
    };
    host.with_catalog(&mut |c| {
        c.insert(EnumRow {
            oid,
            enumtypid: a.object,
            enumsortorder: order,
            enumlabel: s.new_val.as_str().into(),
        });
        Ok(())
    })?;
    Ok(tag)
}

pub(crate) fn create_composite(host: &dyn CommandHost, s: &CompositeTypeStmt) -> PgResult<CommandOutcome> {
    let (namespace, persistence) = ctx::creation_target(host, &s.typevar)?;
    let name = &s.typevar.relname;
    check_free(host, namespace, name)?;
    let mut columns = Vec::new();
    for d in &s.coldeflist {
        let Some(ty) = &d.type_name else { bail!(INTERNAL_ERROR, "attribute without a type") };
        columns.push(table::column_of(host, d, ty)?);
    }
    let rel = NewRelation {
        name: name.clone(),
        namespace,
        kind: b'c',
        persistence,
        owner: ctx::user(host),
        am: Oid::INVALID,
        of_type: Oid::INVALID,
        tablespace: Oid::INVALID,
        columns,
        options: None,
        with_types: true,
    };
    relation::create(host, &rel)?;
    Ok(CommandOutcome::tag("CREATE TYPE"))
}

pub(crate) fn create_domain(host: &dyn CommandHost, s: &CreateDomainStmt) -> PgResult<CommandOutcome> {
    let (namespace, name) = objects::creation_namespace(host, &s.domainname)?;
    check_free(host, namespace, &name)?;
    let snap = host.snapshot();
    let (base_oid, typmod, collation) = {
        let env = host.env();
        let (ty, typmod) = resolve_type_name(env.as_analyze_env(), &s.type_name)?;
        let collation = match &s.coll_clause {
            Some(c) => Some(resolve_collation(env.as_analyze_env(), &c.collname, c.location)?),
            None => None,
        };
        (ty, typmod, collation)
    };
    let base = snap.type_by_oid(base_oid).cloned().ok_or_else(|| PgError::internal("type vanished"))?;
    if !matches!(base.typtype, b'b' | b'c' | b'd' | b'e' | b'r' | b'm') {
        return Err(err!(
            DATATYPE_MISMATCH,
            "\"{}\" is not a valid base type for a domain",
            s.type_name.dotted()
        )
        .at(s.type_name.location));
    }
    if collation.is_some() && !base.typcollation.is_valid() {
        let shown = pglite_catalog::format_type::format_type_be(
            &snap,
            &pglite_catalog::SearchPath::catalog_only(),
            base_oid,
        );
        bail!(DATATYPE_MISMATCH, "collations are not supported by type {shown}");
    }
    let (oid_, array) = (ctx::new_oid(host)?, ctx::new_oid(host)?);
    let mut row = create::domain_type(&snap, oid_, &name, namespace, ctx::user(host), &base, array);
    row.typtypmod = typmod;
    row.typndims = s.type_name.array_bounds.len() as i32;
    row.typcollation = collation.unwrap_or(base.typcollation);
    let mut extra = vec![ObjectAddress::type_(base_oid)];
    if row.typcollation.is_valid() && row.typcollation != base.typcollation {
        extra.push(ObjectAddress::of::<CollationRow>(row.typcollation));
    }
    let mut saw_null: Option<bool> = None;
    for c in &s.constraints {
        match c.contype {
            ConstrType::Default => {
                if row.typdefault.is_some() {
                    return Err(PgError::syntax("multiple default expressions").at(c.location));
                }
                if let Some(raw) = &c.raw_expr {
                    let env = host.env();
                    let e = analyze_expr(
                        env.as_analyze_env(),
                        raw,
                        &ExprScope::None,
                        ExprKind::ColumnDefault,
                        Some((base_oid, typmod)),
                    )?;
                    let text = storage_text(&snap, env.as_fn_host(), &e, Scope::None)?;
                    extra.extend(ctx::expr_references(&snap, &e, None));
                    row.typdefaultbin = Some(text.as_str().into());
                    row.typdefault = Some(text.into());
                }
            }
            ConstrType::NotNull | ConstrType::Null => {
                let not_null = c.contype == ConstrType::NotNull;
                if saw_null.is_some_and(|n| n != not_null) {
                    return Err(PgError::syntax("conflicting NULL/NOT NULL constraints").at(c.location));
                }
                saw_null = Some(not_null);
                row.typnotnull = not_null;
            }
            ConstrType::Check => {}
            ConstrType::Unique => {
                return Err(PgError::syntax("unique constraints not possible for domains").at(c.location));
            }
            ConstrType::Primary => {
                return Err(
                    PgError::syntax("primary key constraints not possible for domains").at(c.location)
                );
            }
            ConstrType::Exclusion => {
                return Err(PgError::syntax("exclusion constraints not possible for domains").at(c.location));
            }
            ConstrType::Foreign => {
                return Err(
                    PgError::syntax("foreign key constraints not possible for domains").at(c.location)
                );
            }
            _ => {
                return Err(PgError::unsupported(
                    "specifying constraint deferrability not supported for domains",
                )
                .at(c.location));
            }
        }
    }
    store(host, row.clone(), extra)?;
    for c in &s.constraints {
        match c.contype {
            ConstrType::Check => domain_check(host, &row, base_oid, c)?,
            ConstrType::NotNull => domain_not_null(host, &row, c.conname.clone())?,
            _ => {}
        }
    }
    Ok(CommandOutcome::tag("CREATE DOMAIN"))
}

fn free_name(host: &dyn CommandHost, domain: &TypeRow, label: &str) -> String {
    create::choose_constraint_name(&host.snapshot(), &domain.typname, None, label, domain.typnamespace, &[])
}

/// Records NOT NULL of a domain.
pub(crate) fn domain_not_null(host: &dyn CommandHost, row: &TypeRow, name: Option<String>) -> PgResult<()> {
    let conname = name.unwrap_or_else(|| free_name(host, row, "not_null"));
    domain_constraint(host, row, &conname, b'n', None, Vec::new())
}

fn domain_constraint(
    host: &dyn CommandHost,
    domain: &TypeRow,
    name: &str,
    kind: u8,
    text: Option<String>,
    refs: Vec<ObjectAddress>,
) -> PgResult<()> {
    let mut row: ConstraintRow =
        table::blank(ctx::new_oid(host)?, name, domain.typnamespace, kind, Oid::INVALID);
    row.contypid = domain.oid;
    row.conbin = text.map(Into::into);
    host.with_catalog(&mut |c| {
        let me = ObjectAddress::constraint(row.oid);
        c.insert(row.clone());
        c.record_dependency(me, ObjectAddress::type_(domain.oid), DependencyType::Auto);
        c.record_dependencies(me, refs.iter().copied(), DependencyType::Normal);
        Ok(())
    })
}

pub(crate) fn domain_check(
    host: &dyn CommandHost,
    domain: &TypeRow,
    base: Oid,
    c: &Constraint,
) -> PgResult<()> {
    let s = host.snapshot();
    let Some(raw) = &c.raw_expr else { bail!(INTERNAL_ERROR, "CHECK without an expression") };
    let name = match &c.conname {
        Some(n) => {
            if s.domain_constraints_of(domain.oid).any(|k| *k.conname == **n) {
                bail!(
                    DUPLICATE_OBJECT,
                    "constraint \"{n}\" for domain \"{}\" already exists",
                    domain.typname
                );
            }
            n.clone()
        }
        None => free_name(host, domain, "check"),
    };
    let (text, refs) = {
        let env = host.env();
        let value = ColType { ty: base, typmod: domain.typtypmod, collation: domain.typcollation };
        let e = analyze_expr(
            env.as_analyze_env(),
            raw,
            &ExprScope::Domain(value),
            ExprKind::DomainCheck,
            Some((oid::BOOL, -1)),
        )?;
        let refs =
            ctx::expr_references(&s, &e, None).into_iter().filter(|a| a.object != domain.oid).collect();
        (storage_text(&s, env.as_fn_host(), &e, Scope::None)?, refs)
    };
    domain_constraint(host, domain, &name, b'c', Some(text), refs)
}
