//! ALTER DOMAIN.

use pglite_analyze::{ExprKind, Scope as ExprScope, analyze_expr};
use pglite_catalog::depend::{DependencyType, ObjectAddress};
use pglite_catalog::rows::{ConstraintRow, TypeRow};
use pglite_catalog::{CatalogRow, names::quote_ident};
use pglite_error::{PgError, PgResult, bail, err};
use pglite_functions::deparse::{Scope, storage_text};
use pglite_parser::ast::{AlterDomainDef, AlterDomainStmt, ConstrType, DropBehavior, ObjectName, ObjectType};
use pglite_types::Oid;

use crate::alter::{desc, table_text};
use crate::ctx;
use crate::host::{CommandHost, CommandOutcome};
use crate::objects::{self, Lookup};
use crate::types;

/// Columns of the domain's type (or of domains over it) in tables with rows: table and column.
fn users(host: &dyn CommandHost, domain: Oid) -> PgResult<Vec<(Oid, i16)>> {
    let s = host.snapshot();
    let mut out = Vec::new();
    let deps: Vec<_> = s.dependents_of(&ObjectAddress::type_(domain)).cloned().collect();
    for d in deps {
        if d.classid == TypeRow::CATALOG && s.type_by_oid(d.objid).is_some_and(|t| t.typtype == b'd') {
            out.extend(users(host, d.objid)?);
            continue;
        }
        let Some(class) =
            s.class_by_oid(d.objid).filter(|_| d.classid == ObjectAddress::relation(d.objid).class)
        else {
            continue;
        };
        if d.objsubid > 0 && matches!(class.relkind, b'r' | b'm' | b'p') {
            out.push((d.objid, d.objsubid as i16));
        }
    }
    Ok(out)
}

/// The first stored value that does not satisfy the condition over `VALUE`: its table and column.
fn offending(
    host: &dyn CommandHost,
    domain: Oid,
    condition: &dyn Fn(&str) -> String,
) -> PgResult<Option<(String, String)>> {
    let s = host.snapshot();
    for (rel, attnum) in users(host, domain)? {
        let rel = desc(&s, rel)?;
        let Some(c) = rel.attr(attnum).filter(|c| !c.dropped) else { continue };
        let sql = format!(
            "SELECT 1 FROM {} WHERE {} LIMIT 1",
            table_text(&s, &rel),
            condition(&quote_ident(&c.name))
        );
        if !host.env().as_fn_host().run_query(&sql, &[])?.is_empty() {
            return Ok(Some((c.name.to_string(), rel.name.to_string())));
        }
    }
    Ok(None)
}

fn check_not_null(host: &dyn CommandHost, domain: Oid) -> PgResult<()> {
    match offending(host, domain, &|c| format!("{c} IS NULL"))? {
        Some((column, table)) => {
            bail!(NOT_NULL_VIOLATION, "column \"{column}\" of table \"{table}\" contains null values")
        }
        None => Ok(()),
    }
}

/// A function of the value stands for the constraint: a cast to a domain with only it would do the same.
fn check_values(host: &dyn CommandHost, domain: &TypeRow, text: &str) -> PgResult<()> {
    let s = host.snapshot();
    let base = pglite_catalog::format_type::format_type(
        &s,
        &pglite_catalog::SearchPath::catalog_only(),
        domain.typbasetype,
        Some(domain.typtypmod),
    );
    let condition = |c: &str| format!("NOT (SELECT ({text}) FROM (SELECT ({c})::{base} AS value) AS v)");
    match offending(host, domain.oid, &condition)? {
        Some((column, table)) => bail!(
            CHECK_VIOLATION,
            "column \"{column}\" of table \"{table}\" contains values that violate the new constraint"
        ),
        None => Ok(()),
    }
}

pub(crate) fn alter(host: &dyn CommandHost, a: &AlterDomainStmt) -> PgResult<CommandOutcome> {
    let tag = CommandOutcome::tag("ALTER DOMAIN");
    let object = ObjectName::Names(a.type_name.clone());
    let found = objects::resolve(host, &ObjectType::Domain, &object, Lookup::default())?;
    objects::check_owner(host, &found, &ObjectType::Domain)?;
    let s = host.snapshot();
    let row = s.type_by_oid(found.object).cloned().unwrap_or_default();
    let me = found;
    match (a.subtype, &a.def) {
        ('T', def) => {
            let raw = match def {
                AlterDomainDef::Expr(e) => Some(e),
                _ => None,
            };
            let mut text = None;
            let mut refs = Vec::new();
            if let Some(raw) = raw {
                let env = host.env();
                let target = Some((row.typbasetype, row.typtypmod));
                let e = analyze_expr(
                    env.as_analyze_env(),
                    raw,
                    &ExprScope::None,
                    ExprKind::ColumnDefault,
                    target,
                )?;
                refs.extend(ctx::expr_references(&s, &e, None));
                // PG: DEFAULT NULL is no default.
                if !matches!(&e, pglite_ir::Expr::Const(c) if c.value.is_null()) {
                    text = Some(storage_text(&s, env.as_fn_host(), &e, Scope::None)?);
                }
            }
            host.with_catalog(&mut |c| {
                c.modify::<TypeRow>(me.object, |t| {
                    t.typdefault = text.as_deref().map(Into::into);
                    t.typdefaultbin = text.as_deref().map(Into::into);
                });
                c.record_dependencies(me, refs.iter().copied(), DependencyType::Normal);
                Ok(())
            })?;
        }
        ('N', _) => {
            let gone = s.domain_constraints_of(me.object).find(|k| k.contype == b'n').map(|k| k.oid);
            if let Some(k) = gone {
                crate::drop::remove(host, &[ObjectAddress::constraint(k)], true)?;
            }
            set_not_null(host, me.object, false)?;
        }
        ('O', _) => {
            if !row.typnotnull {
                check_not_null(host, me.object)?;
                types::domain_not_null(host, &row, None)?;
                set_not_null(host, me.object, true)?;
            }
        }
        ('C', AlterDomainDef::Constraint(k)) => match k.contype {
            ConstrType::Check => {
                let before: Vec<Oid> = s.domain_constraints_of(me.object).map(|c| c.oid).collect();
                types::domain_check(host, &row, row.typbasetype, k)?;
                let now = host.snapshot();
                let new = now.domain_constraints_of(me.object).find(|c| !before.contains(&c.oid)).cloned();
                if let Some(new) = new {
                    if k.skip_validation {
                        host.with_catalog(&mut |c| {
                            c.modify::<ConstraintRow>(new.oid, |r| r.convalidated = false);
                            Ok(())
                        })?;
                    } else {
                        check_values(host, &row, new.conbin.as_deref().unwrap_or("true"))?;
                    }
                }
            }
            ConstrType::NotNull => {
                if !row.typnotnull {
                    check_not_null(host, me.object)?;
                    types::domain_not_null(host, &row, k.conname.clone())?;
                    set_not_null(host, me.object, true)?;
                }
            }
            ConstrType::Unique => {
                return Err(PgError::syntax("unique constraints not possible for domains").at(k.location));
            }
            ConstrType::Primary => {
                return Err(
                    PgError::syntax("primary key constraints not possible for domains").at(k.location)
                );
            }
            ConstrType::Exclusion => {
                return Err(PgError::syntax("exclusion constraints not possible for domains").at(k.location));
            }
            ConstrType::Foreign => {
                return Err(
                    PgError::syntax("foreign key constraints not possible for domains").at(k.location)
                );
            }
            _ => {
                return Err(PgError::unsupported(
                    "specifying constraint deferrability not supported for domains",
                )
                .at(k.location));
            }
        },
        ('X', _) => {
            let name = a.name.as_deref().unwrap_or("");
            let found = s.domain_constraints_of(me.object).find(|k| *k.conname == *name).cloned();
            match found {
                Some(k) => {
                    let cascade = a.behavior == DropBehavior::Cascade;
                    crate::drop::remove(host, &[ObjectAddress::constraint(k.oid)], cascade)?;
                    if k.contype == b'n' {
                        set_not_null(host, me.object, false)?;
                    }
                }
                None => {
                    let shown = pglite_catalog::format_type::format_type_be(
                        &s,
                        &pglite_catalog::SearchPath::catalog_only(),
                        me.object,
                    );
                    let _ = shown;
                    let text = format!("constraint \"{name}\" of domain \"{}\" does not exist", row.typname);
                    if !a.missing_ok {
                        return Err(err!(UNDEFINED_OBJECT, "{text}"));
                    }
                    ctx::notice(host, PgError::notice(format!("{text}, skipping")));
                }
            }
        }
        ('V', _) => {
            let name = a.name.as_deref().unwrap_or("");
            let Some(k) = s.domain_constraints_of(me.object).find(|k| *k.conname == *name).cloned() else {
                bail!(UNDEFINED_OBJECT, "constraint \"{name}\" of domain \"{}\" does not exist", row.typname);
            };
            if k.contype != b'c' {
                bail!(
                    WRONG_OBJECT_TYPE,
                    "constraint \"{name}\" of domain \"{}\" is not a check constraint",
                    row.typname
                );
            }
            check_values(host, &row, k.conbin.as_deref().unwrap_or("true"))?;
            host.with_catalog(&mut |c| {
                c.modify::<ConstraintRow>(k.oid, |r| r.convalidated = true);
                Ok(())
            })?;
        }
        _ => return Err(PgError::unsupported("this ALTER DOMAIN is not supported yet")),
    }
    Ok(tag)
}

fn set_not_null(host: &dyn CommandHost, domain: Oid, not_null: bool) -> PgResult<()> {
    host.with_catalog(&mut |c| {
        c.modify::<TypeRow>(domain, |t| t.typnotnull = not_null);
        Ok(())
    })
}
