//! ALTER COLUMN ... TYPE.

use pglite_analyze::{CoercionContext, ExprKind, coerce_to_target_type};
use pglite_catalog::depend::{DependencyType, ObjectAddress};
use pglite_catalog::rows::{AttributeRow, ClassRow, CollationRow, IndexRow, RewriteRow, TypeRow};
use pglite_catalog::{CatalogRow, Key, RelDesc, describe, format_type};
use pglite_error::{PgError, PgResult, bail, err};
use pglite_functions::deparse::{Scope, storage_text};
use pglite_ir::Expr;
use pglite_parser::ast::{self, ColumnDef, ColumnRef};
use pglite_types::Oid;

use super::{column, desc, rewrite};
use crate::host::CommandHost;
use crate::table;

pub(super) fn alter_type(
    host: &dyn CommandHost,
    rel_oid: Oid,
    name: &str,
    d: &ColumnDef,
    below: bool,
) -> PgResult<()> {
    let s = host.snapshot();
    let rel = desc(&s, rel_oid)?;
    let attnum = column::find(&rel, name)?;
    let old = rel.attr(attnum).ok_or_else(|| PgError::internal("column vanished"))?.clone();
    if rel.of_type.is_valid() {
        bail!(WRONG_OBJECT_TYPE, "cannot alter column type of typed table");
    }
    if old.inherited > 0 && !below {
        bail!(INVALID_TABLE_DEFINITION, "cannot alter inherited column \"{name}\"");
    }
    if rel.partition_key.as_ref().is_some_and(|k| k.attnums.contains(&attnum)) {
        bail!(
            INVALID_TABLE_DEFINITION,
            "cannot alter column \"{name}\" because it is part of the partition key of relation \"{}\"",
            rel.name
        );
    }
    let Some(ty_name) = &d.type_name else { bail!(INTERNAL_ERROR, "ALTER TYPE without a type") };
    let new = table::column_of(host, &ColumnDef { colname: name.into(), ..d.clone() }, ty_name)?;
    let path = pglite_catalog::SearchPath::catalog_only();
    let shown = format_type::format_type_be(&s, &path, new.ty);
    dependents(host, &rel, attnum, name)?;
    let using = d.raw_default.is_some();
    let raw = d.raw_default.clone().unwrap_or_else(|| {
        ast::Expr::ColumnRef(Box::new(ColumnRef {
            fields: vec![ast::Field::Name(name.into())],
            location: -1,
        }))
    });
    let (e, _) = column::expression_text(host, &rel, &raw, ExprKind::AlterColTransform)?;
    let env = host.env();
    let Some(e) =
        coerce_to_target_type(env.as_analyze_env(), e, new.ty, new.typmod, CoercionContext::Assignment)?
    else {
        if using {
            return Err(err!(
                DATATYPE_MISMATCH,
                "result of USING clause for column \"{name}\" cannot be cast automatically to type {shown}"
            )
            .hint("You might need to add an explicit cast."));
        }
        return Err(err!(
            DATATYPE_MISMATCH,
            "column \"{name}\" cannot be cast automatically to type {shown}"
        )
        .hint(format!(
            "You might need to specify \"USING {}::{}\".",
            column::quoted(name),
            format_type::format_type(&s, &path, new.ty, Some(new.typmod))
        )));
    };
    let text = storage_text(&s, env.as_fn_host(), &e, Scope::Relation(&rel))?;
    // A default is converted by assignment; the column's own sequence goes on.
    let default = match (&old.default, old.generated) {
        (Some(_), 0) => {
            let stored = pglite_analyze::column_default(env.as_analyze_env(), &rel, attnum)?;
            match stored {
                Some(e) if old.identity == 0 => {
                    match coerce_to_target_type(
                        env.as_analyze_env(),
                        e,
                        new.ty,
                        new.typmod,
                        CoercionContext::Assignment,
                    )? {
                        Some(e) => Some(storage_text(&s, env.as_fn_host(), &e, Scope::None)?),
                        None => bail!(
                            DATATYPE_MISMATCH,
                            "default for column \"{name}\" cannot be cast automatically to type {shown}"
                        ),
                    }
                }
                _ => None,
            }
        }
        _ => None,
    };
    drop(env);
    let same = matches!(e, Expr::Var(_));
    let rows = if same { None } else { Some(rewrite::read(host, &rel, &[(attnum, text)])?) };
    let ty = s.type_by_oid(new.ty).cloned().ok_or_else(|| PgError::internal("type vanished"))?;
    host.with_catalog(&mut |c| {
        c.modify::<AttributeRow>(Key::new().oid(rel_oid).with(&attnum), |a| {
            a.atttypid = new.ty;
            a.atttypmod = new.typmod;
            a.attcollation = new.collation;
            a.attndims = new.ndims;
            a.attlen = ty.typlen;
            a.attbyval = ty.typbyval;
            a.attalign = ty.typalign;
            a.attstorage = ty.typstorage;
            a.attcompression = 0;
            if rows.is_some() {
                a.atthasmissing = false;
                a.attmissingval = None;
            }
        });
        let me = ObjectAddress::column(rel_oid, attnum);
        c.forget_dependencies_on_class(me, TypeRow::CATALOG, DependencyType::Normal);
        c.forget_dependencies_on_class(me, CollationRow::CATALOG, DependencyType::Normal);
        crate::relation::column_dependencies(c, rel_oid, attnum, new.ty, new.collation);
        if let Some(text) = &default
            && let Some(def) = c.snapshot().attrdef(rel_oid, attnum).map(|d| d.oid)
        {
            c.modify::<pglite_catalog::rows::AttrdefRow>(def, |r| r.adbin = text.as_str().into());
        }
        Ok(())
    })?;
    indexes(host, &rel, attnum, &new, &ty)?;
    match rows {
        Some(rows) => rewrite::write(host, rel_oid, rows),
        None => Ok(()),
    }
}

/// Views and generated columns that use the column stand in the way.
fn dependents(host: &dyn CommandHost, rel: &RelDesc, attnum: i16, name: &str) -> PgResult<()> {
    let s = host.snapshot();
    let env = host.env();
    for d in s
        .dependents_of(&ObjectAddress::column(rel.oid, attnum))
        .filter(|d| d.refobjsubid == i32::from(attnum))
    {
        let what = describe::describe_object(&s, env.search_path(), &d.depender()).unwrap_or_default();
        if d.classid == RewriteRow::CATALOG {
            return Err(PgError::unsupported("cannot alter type of a column used by a view or rule")
                .detail(format!("{what} depends on column \"{name}\"")));
        }
        if d.classid == pglite_catalog::rows::TriggerRow::CATALOG {
            return Err(PgError::unsupported("cannot alter type of a column used in a trigger definition")
                .detail(format!("{what} depends on column \"{name}\"")));
        }
        if d.classid == pglite_catalog::rows::PolicyRow::CATALOG {
            return Err(PgError::unsupported("cannot alter type of a column used in a policy definition")
                .detail(format!("{what} depends on column \"{name}\"")));
        }
    }
    let generated = rel.columns.iter().find(|c| {
        c.generated != 0
            && !c.dropped
            && s.attrdef(rel.oid, c.attnum).is_some_and(|def| {
                s.references_of(&ObjectAddress::of::<pglite_catalog::rows::AttrdefRow>(def.oid)).any(|r| {
                    r.refobjid == rel.oid && r.refobjsubid == i32::from(attnum) && c.attnum != attnum
                })
            })
    });
    if let Some(g) = generated {
        return Err(err!(SYNTAX_ERROR, "cannot alter type of a column used by a generated column")
            .detail(format!("Column \"{name}\" is used by generated column \"{}\".", g.name)));
    }
    Ok(())
}

/// Index columns take the new type, with its default operator class when theirs does not fit.
fn indexes(
    host: &dyn CommandHost,
    rel: &RelDesc,
    attnum: i16,
    new: &crate::relation::NewColumn,
    ty: &TypeRow,
) -> PgResult<()> {
    let s = host.snapshot();
    for index in &rel.indexes {
        for (i, key) in index.keys.iter().enumerate().filter(|(_, k)| k.attnum == attnum) {
            let class = if i < index.nkeys && !s.is_binary_coercible(s.base_type(new.ty), key.opcintype) {
                match s.default_opclass(index.am, new.ty) {
                    Some(c) => Some(c.oid),
                    None => {
                        let shown = format_type::format_type_be(
                            &s,
                            &pglite_catalog::SearchPath::catalog_only(),
                            new.ty,
                        );
                        let am = s.am_by_oid(index.am).map(|a| a.amname.to_string()).unwrap_or_default();
                        return Err(err!(UNDEFINED_OBJECT, "data type {shown} has no default operator class for access method \"{am}\"")
                            .hint("You must specify an operator class for the index or define a default operator class for the data type."));
                    }
                }
            } else {
                None
            };
            host.with_catalog(&mut |c| {
                c.modify::<AttributeRow>(Key::new().oid(index.oid).with(&(i as i16 + 1)), |a| {
                    a.atttypid = new.ty;
                    a.atttypmod = new.typmod;
                    a.attcollation = new.collation;
                    a.attlen = ty.typlen;
                    a.attbyval = ty.typbyval;
                    a.attalign = ty.typalign;
                    a.attstorage = ty.typstorage;
                });
                c.modify::<IndexRow>(index.oid, |r| {
                    if let Some(class) = class {
                        let mut v = r.indclass.to_vec();
                        v[i] = class;
                        r.indclass = v.into();
                    }
                    if i < index.nkeys {
                        let mut v = r.indcollation.to_vec();
                        v[i] = new.collation;
                        r.indcollation = v.into();
                    }
                });
                // The table's descriptor holds the index's.
                c.modify::<ClassRow>(rel.oid, |_| {});
                Ok(())
            })?;
        }
    }
    Ok(())
}
