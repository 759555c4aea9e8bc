//! ADD, DROP, VALIDATE, ALTER CONSTRAINT.

use pglite_catalog::depend::ObjectAddress;
use pglite_catalog::names::quote_ident;
use pglite_catalog::rows::{AttributeRow, ConstraintRow, IndexRow};
use pglite_catalog::{Key, RelDesc};
use pglite_error::{PgError, PgResult, bail, err};
use pglite_parser::ast::{AtAlterConstraint, ConstrType, Constraint, DropBehavior};
use pglite_types::Oid;

use super::{children, column, desc, rewrite};
use crate::ctx;
use crate::host::CommandHost;
use crate::table::{self, NotNull, add_not_null};

pub(super) fn add(
    host: &dyn CommandHost,
    rel_oid: Oid,
    k: &Constraint,
    recurse: bool,
    below: bool,
) -> PgResult<()> {
    let s = host.snapshot();
    let rel = desc(&s, rel_oid)?;
    match k.contype {
        ConstrType::Check => {
            let known: Vec<Oid> = rel.constraints.iter().map(|c| c.oid).collect();
            table::add_check(host, rel_oid, k, !k.skip_validation)?;
            let s = host.snapshot();
            let new = s.constraints_of(rel_oid).find(|c| !known.contains(&c.oid)).cloned();
            let Some(new) = new else { return Ok(()) };
            if below {
                host.with_catalog(&mut |c| {
                    c.modify::<ConstraintRow>(new.oid, |r| {
                        r.conislocal = false;
                        r.coninhcount = 1;
                    });
                    Ok(())
                })?;
            }
            if new.convalidated
                && let Some(text) = &new.conbin
            {
                rewrite::check_condition(host, rel_oid, &new.conname, text)?;
            }
            if recurse && !k.is_no_inherit {
                let mut named = k.clone();
                named.conname = Some(new.conname.to_string());
                for child in children(host, rel_oid) {
                    add(host, child, &named, true, true)?;
                }
            }
            Ok(())
        }
        ConstrType::NotNull => {
            for key in &k.keys {
                let attnum = column::find(&rel, key)?;
                if rel
                    .constraints
                    .iter()
                    .any(|c| c.contype == b'n' && c.conkey.as_ref().is_some_and(|l| l.contains(&attnum)))
                {
                    continue;
                }
                let valid = !k.skip_validation;
                if valid {
                    rewrite::check_not_null(host, rel_oid, key)?;
                }
                let n = NotNull {
                    name: k.conname.clone(),
                    no_inherit: k.is_no_inherit,
                    is_local: !below,
                    inherited: i16::from(below),
                    valid,
                    ..NotNull::local(key)
                };
                add_not_null(host, rel_oid, &n)?;
            }
            if recurse && !k.is_no_inherit {
                for child in children(host, rel_oid) {
                    add(host, child, k, true, true)?;
                }
            }
            Ok(())
        }
        ConstrType::Primary | ConstrType::Unique => match &k.indexname {
            Some(index) => use_index(host, &rel, k, index),
            None => table::add_key(host, rel_oid, k),
        },
        ConstrType::Foreign => {
            let known: Vec<Oid> = rel.constraints.iter().map(|c| c.oid).collect();
            if rel.kind == b'p' && !recurse {
                bail!(
                    WRONG_OBJECT_TYPE,
                    "cannot use ONLY for foreign key on partitioned table \"{}\" referencing relation \"{}\"",
                    rel.name,
                    k.pktable.as_ref().map_or("", |t| t.relname.as_str())
                );
            }
            table::add_foreign_key(host, rel_oid, k, !k.skip_validation)?;
            let s = host.snapshot();
            let new = s.constraints_of(rel_oid).find(|c| !known.contains(&c.oid)).cloned();
            match new {
                Some(new) if new.convalidated => check_foreign_key(host, &new),
                _ => Ok(()),
            }
        }
        _ => Err(PgError::unsupported("exclusion constraints are not supported yet")),
    }
}

/// PRIMARY KEY/UNIQUE USING INDEX.
fn use_index(host: &dyn CommandHost, rel: &RelDesc, k: &Constraint, name: &str) -> PgResult<()> {
    let Some(index) = rel.indexes.iter().find(|i| i.name == *name).cloned() else {
        bail!(UNDEFINED_OBJECT, "index \"{name}\" does not exist");
    };
    let s = host.snapshot();
    if s.index_constraint(index.oid).is_some() {
        bail!(OBJECT_NOT_IN_PREREQUISITE_STATE, "index \"{name}\" is already associated with a constraint");
    }
    let primary = k.contype == ConstrType::Primary;
    let detail = "Cannot create a primary key or unique constraint using such an index.";
    if !index.unique {
        return Err(err!(WRONG_OBJECT_TYPE, "\"{name}\" is not a unique index").detail(detail));
    }
    if index.has_expressions() {
        return Err(err!(WRONG_OBJECT_TYPE, "index \"{name}\" contains expressions").detail(detail));
    }
    if index.predicate.is_some() {
        return Err(err!(WRONG_OBJECT_TYPE, "\"{name}\" is a partial index").detail(detail));
    }
    if primary {
        if rel.constraints.iter().any(|c| c.contype == b'p') {
            bail!(
                INVALID_TABLE_DEFINITION,
                "multiple primary keys for table \"{}\" are not allowed",
                rel.name
            );
        }
        for key in index.key_columns() {
            if let Some(c) = rel.attr(key.attnum).filter(|c| !c.not_null) {
                super::require_not_null(host, rel.oid, &c.name)?;
            }
        }
    }
    let conname = k.conname.clone().unwrap_or_else(|| name.to_string());
    if conname != name {
        ctx::notice(
            host,
            PgError::notice(format!(
                "ALTER TABLE / ADD CONSTRAINT USING INDEX will rename index \"{name}\" to \"{conname}\""
            )),
        );
        crate::rename::relation(host, index.oid, &conname)?;
    }
    let attnums: Vec<i16> = index.key_columns().iter().map(|k| k.attnum).collect();
    let oid_ = ctx::new_oid(host)?;
    let mut row = table::blank(oid_, &conname, rel.namespace, if primary { b'p' } else { b'u' }, rel.oid);
    row.conindid = index.oid;
    row.condeferrable = k.deferrable;
    row.condeferred = k.initdeferred;
    row.connoinherit = true;
    let auto = attnums.iter().map(|a| ObjectAddress::column(rel.oid, *a)).collect();
    row.conkey = Some(attnums.into());
    table::insert_constraint(host, row, auto, Vec::new())?;
    host.with_catalog(&mut |c| {
        let me = ObjectAddress::relation(index.oid);
        c.forget_dependencies(me, true);
        c.record_dependency(me, ObjectAddress::constraint(oid_), pglite_catalog::DependencyType::Internal);
        c.modify::<IndexRow>(index.oid, |r| {
            r.indisprimary = primary;
            r.indimmediate = !k.deferrable;
        });
        Ok(())
    })
}

/// 23503 when a row has no partner.
pub(crate) fn check_foreign_key(host: &dyn CommandHost, k: &ConstraintRow) -> PgResult<()> {
    let s = host.snapshot();
    let (fk, pk) = (desc(&s, k.conrelid)?, desc(&s, k.confrelid)?);
    if !matches!(fk.kind, b'r' | b'm' | b'p') {
        return Ok(());
    }
    let names = |rel: &RelDesc, list: &Option<pglite_catalog::List<i16>>| -> Vec<String> {
        list.iter().flat_map(|l| l.iter()).filter_map(|a| rel.attr(*a)).map(|c| c.name.to_string()).collect()
    };
    let (fk_cols, pk_cols) = (names(&fk, &k.conkey), names(&pk, &k.confkey));
    let pairs: Vec<String> = fk_cols
        .iter()
        .zip(&pk_cols)
        .map(|(f, p)| format!("pk.{} = fk.{}", quote_ident(p), quote_ident(f)))
        .collect();
    let join = if k.confmatchtype == b'f' { " OR " } else { " AND " };
    let not_null: Vec<String> =
        fk_cols.iter().map(|f| format!("fk.{} IS NOT NULL", quote_ident(f))).collect();
    let shown: Vec<String> = fk_cols.iter().map(|f| format!("fk.{}::text", quote_ident(f))).collect();
    let sql = format!(
        "SELECT {} FROM {} fk WHERE ({}) AND NOT EXISTS (SELECT 1 FROM {} pk WHERE {}) LIMIT 1",
        shown.join(", "),
        rewrite::table_text(&s, &fk),
        not_null.join(join),
        rewrite::table_text(&s, &pk),
        pairs.join(" AND ")
    );
    let Some(row) = host.env().as_fn_host().run_query(&sql, &[])?.into_iter().next() else { return Ok(()) };
    let values: Vec<&str> = row.iter().map(|d| d.as_str().unwrap_or("null")).collect();
    let schema = s.namespace_name(fk.namespace).unwrap_or("").to_string();
    Err(err!(
        FOREIGN_KEY_VIOLATION,
        "insert or update on table \"{}\" violates foreign key constraint \"{}\"",
        fk.name,
        k.conname
    )
    .detail(format!(
        "Key ({})=({}) is not present in table \"{}\".",
        fk_cols.join(", "),
        values.join(", "),
        pk.name
    ))
    .table(schema, fk.name.to_string())
    .constraint(k.conname.to_string()))
}

fn named(host: &dyn CommandHost, rel: Oid, name: &str) -> PgResult<ConstraintRow> {
    let s = host.snapshot();
    match s.constraint_by_name(rel, name) {
        Some(k) => Ok(k.clone()),
        None => {
            let rel = s.class_by_oid(rel).map(|c| c.relname.to_string()).unwrap_or_default();
            bail!(UNDEFINED_OBJECT, "constraint \"{name}\" of relation \"{rel}\" does not exist")
        }
    }
}

pub(super) fn drop(
    host: &dyn CommandHost,
    rel_oid: Oid,
    name: &str,
    behavior: &DropBehavior,
    missing_ok: bool,
    recurse: bool,
) -> PgResult<()> {
    let k = match named(host, rel_oid, name) {
        Ok(k) => k,
        Err(e) if missing_ok => {
            ctx::notice(host, PgError::notice(format!("{}, skipping", e.message())));
            return Ok(());
        }
        Err(e) => return Err(e),
    };
    let rel_name = host.snapshot().class_by_oid(rel_oid).map(|c| c.relname.to_string()).unwrap_or_default();
    if k.coninhcount > 0 {
        bail!(
            INVALID_TABLE_DEFINITION,
            "cannot drop inherited constraint \"{name}\" of relation \"{rel_name}\""
        );
    }
    remove(host, rel_oid, &k, behavior, recurse)
}

fn remove(
    host: &dyn CommandHost,
    rel_oid: Oid,
    k: &ConstraintRow,
    behavior: &DropBehavior,
    recurse: bool,
) -> PgResult<()> {
    if k.contype == b'n' {
        let s = host.snapshot();
        let attnum = k.conkey.as_ref().and_then(|l| l.first().copied()).unwrap_or(0);
        let attr = s.attribute(rel_oid, attnum).cloned().unwrap_or_default();
        if attr.attidentity != 0 {
            let rel = desc(&s, rel_oid)?;
            bail!(
                SYNTAX_ERROR,
                "column \"{}\" of relation \"{}\" is an identity column",
                attr.attname,
                rel.name
            );
        }
        if s.constraints_of(rel_oid)
            .any(|c| c.contype == b'p' && c.conkey.as_ref().is_some_and(|l| l.contains(&attnum)))
        {
            bail!(INVALID_TABLE_DEFINITION, "column \"{}\" is in a primary key", attr.attname);
        }
    }
    crate::drop::remove(host, &[ObjectAddress::constraint(k.oid)], *behavior == DropBehavior::Cascade)?;
    if !matches!(k.contype, b'c' | b'n') || k.connoinherit {
        return Ok(());
    }
    for child in children(host, rel_oid) {
        let s = host.snapshot();
        let same =
            s.constraints_of(child).find(|c| c.contype == k.contype && c.conname == k.conname).cloned();
        let Some(c) = same else { continue };
        if recurse && c.coninhcount <= 1 && !c.conislocal {
            remove(host, child, &c, behavior, true)?;
        } else {
            host.with_catalog(&mut |t| {
                t.modify::<ConstraintRow>(c.oid, |r| {
                    r.coninhcount = (r.coninhcount - 1).max(0);
                    r.conislocal |= !recurse;
                });
                Ok(())
            })?;
        }
    }
    Ok(())
}

pub(super) fn validate(host: &dyn CommandHost, rel_oid: Oid, name: &str) -> PgResult<()> {
    let k = named(host, rel_oid, name)?;
    let s = host.snapshot();
    let rel = desc(&s, rel_oid)?;
    if !matches!(k.contype, b'c' | b'f' | b'n') {
        bail!(WRONG_OBJECT_TYPE, "cannot validate constraint \"{name}\" of relation \"{}\"", rel.name);
    }
    if !k.conenforced {
        bail!(WRONG_OBJECT_TYPE, "cannot validate NOT ENFORCED constraint");
    }
    if k.convalidated {
        return Ok(());
    }
    match k.contype {
        b'f' => check_foreign_key(host, &k)?,
        b'c' => {
            for child in children(host, rel_oid) {
                if s.constraint_by_name(child, name).is_some() {
                    validate(host, child, name)?;
                }
            }
            rewrite::check_condition(host, rel_oid, name, k.conbin.as_deref().unwrap_or("true"))?;
        }
        _ => {
            let attnum = k.conkey.as_ref().and_then(|l| l.first().copied()).unwrap_or(0);
            if let Some(c) = rel.attr(attnum) {
                rewrite::check_not_null(host, rel_oid, &c.name)?;
            }
            host.with_catalog(&mut |c| {
                c.modify::<AttributeRow>(Key::new().oid(rel_oid).with(&attnum), |a| a.attnotnull = true);
                Ok(())
            })?;
        }
    }
    host.with_catalog(&mut |c| {
        c.modify::<ConstraintRow>(k.oid, |r| r.convalidated = true);
        Ok(())
    })
}

pub(super) fn alter(host: &dyn CommandHost, rel_oid: Oid, a: &AtAlterConstraint) -> PgResult<()> {
    let k = named(host, rel_oid, &a.conname)?;
    let s = host.snapshot();
    let rel = desc(&s, rel_oid)?;
    if (a.alter_deferrability || a.alter_enforceability) && k.contype != b'f' {
        let what = if a.alter_deferrability { "" } else { "enforceability of " };
        if a.alter_deferrability {
            bail!(
                WRONG_OBJECT_TYPE,
                "constraint \"{}\" of relation \"{}\" is not a foreign key constraint",
                a.conname,
                rel.name
            );
        }
        bail!(
            WRONG_OBJECT_TYPE,
            "cannot alter {what}constraint \"{}\" of relation \"{}\"",
            a.conname,
            rel.name
        );
    }
    if a.alter_inheritability && k.contype != b'n' {
        bail!(
            WRONG_OBJECT_TYPE,
            "constraint \"{}\" of relation \"{}\" is not a not-null constraint",
            a.conname,
            rel.name
        );
    }
    if a.alter_enforceability && a.is_enforced && !k.conenforced {
        check_foreign_key(host, &k)?;
    }
    host.with_catalog(&mut |c| {
        c.modify::<ConstraintRow>(k.oid, |r| {
            if a.alter_deferrability {
                r.condeferrable = a.deferrable;
                r.condeferred = a.initdeferred;
            }
            if a.alter_enforceability {
                r.conenforced = a.is_enforced;
                r.convalidated = a.is_enforced;
            }
            if a.alter_inheritability {
                r.connoinherit = a.noinherit;
            }
        });
        Ok(())
    })
}
