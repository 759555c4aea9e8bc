//! PARTITION BY: the partition key.

use pglite_analyze::{ExprKind, Scope as ExprScope, analyze_expr, resolve_collation};
use pglite_catalog::depend::{DependencyType, ObjectAddress};
use pglite_catalog::rows::{CollationRow, OpclassRow, PartitionedTableRow};
use pglite_catalog::{RelDesc, Vector, format_type, well_known};
use pglite_error::{PgError, PgResult, bail, err};
use pglite_functions::deparse::{Scope, storage_text};
use pglite_ir::Expr;
use pglite_parser::ast::{self, PartitionElem, PartitionSpec, PartitionStrategy};
use pglite_types::Oid;

use crate::alter::desc;
use crate::ctx;
use crate::host::CommandHost;

struct Part {
    attnum: i16,
    expr: Option<Expr>,
    collation: Oid,
    opclass: Oid,
}

/// Writes a new partitioned table's key.
pub(crate) fn store_key(host: &dyn CommandHost, rel_oid: Oid, spec: &PartitionSpec) -> PgResult<()> {
    if spec.part_params.len() > 32 {
        bail!(TOO_MANY_COLUMNS, "cannot partition using more than 32 columns");
    }
    if matches!(spec.strategy, PartitionStrategy::List) && spec.part_params.len() != 1 {
        bail!(INVALID_OBJECT_DEFINITION, "cannot use \"list\" partition strategy with more than one column");
    }
    let s = host.snapshot();
    let rel = desc(&s, rel_oid)?;
    let mut parts = Vec::new();
    for (i, elem) in spec.part_params.iter().enumerate() {
        parts.push(part(host, &rel, elem, &spec.strategy, i)?);
    }
    let mut texts = Vec::new();
    let mut refs = Vec::new();
    {
        let env = host.env();
        for e in parts.iter().filter_map(|p| p.expr.as_ref()) {
            texts.push(storage_text(&s, env.as_fn_host(), e, Scope::Relation(&rel))?);
            refs.extend(ctx::expr_references(&s, e, Some(rel_oid)));
        }
    }
    let row = PartitionedTableRow {
        partrelid: rel_oid,
        partstrat: match spec.strategy {
            PartitionStrategy::List => b'l',
            PartitionStrategy::Range => b'r',
            PartitionStrategy::Hash => b'h',
        },
        partnatts: parts.len() as i16,
        partdefid: Oid::INVALID,
        partattrs: Vector::from(parts.iter().map(|p| p.attnum).collect::<Vec<_>>()),
        partclass: Vector::from(parts.iter().map(|p| p.opclass).collect::<Vec<_>>()),
        partcollation: Vector::from(parts.iter().map(|p| p.collation).collect::<Vec<_>>()),
        partexprs: (!texts.is_empty()).then(|| texts.join(", ").into()),
    };
    let me = ObjectAddress::relation(rel_oid);
    host.with_catalog(&mut |c| {
        c.insert(row.clone());
        for p in &parts {
            c.record_dependency(me, ObjectAddress::of::<OpclassRow>(p.opclass), DependencyType::Normal);
            if p.collation.is_valid() {
                c.record_dependency(
                    me,
                    ObjectAddress::of::<CollationRow>(p.collation),
                    DependencyType::Normal,
                );
            }
            // The key's columns go only with the table.
            if p.attnum > 0 {
                c.record_dependency(ObjectAddress::column(rel_oid, p.attnum), me, DependencyType::Internal);
            }
        }
        for r in &refs {
            let own = r.class == me.class && r.object == rel_oid;
            if own && r.sub != 0 {
                c.record_dependency(*r, me, DependencyType::Internal);
            } else if !own {
                c.record_dependency(me, *r, DependencyType::Normal);
            }
        }
        Ok(())
    })
}

fn strip_collate(e: &ast::Expr) -> (&ast::Expr, Option<&ast::CollateClause>) {
    match e {
        ast::Expr::CollateClause(c) => match &c.arg {
            Some(arg) => (strip_collate(arg).0, Some(c)),
            None => (e, None),
        },
        _ => (e, None),
    }
}

fn generated(name: &str, at: i32) -> PgError {
    err!(INVALID_OBJECT_DEFINITION, "cannot use generated column in partition key")
        .detail(format!("Column \"{name}\" is a generated column."))
        .at(at)
}

fn part(
    host: &dyn CommandHost,
    rel: &std::sync::Arc<RelDesc>,
    elem: &PartitionElem,
    strategy: &PartitionStrategy,
    at: usize,
) -> PgResult<Part> {
    let s = host.snapshot();
    let env = host.env();
    let (attnum, expr, ty, own_collation) = match (&elem.name, &elem.expr) {
        (Some(name), _) => {
            if pglite_catalog::create::SYSTEM_COLUMNS.iter().any(|c| c.0 == name) {
                return Err(err!(
                    INVALID_OBJECT_DEFINITION,
                    "cannot use system column \"{name}\" in partition key"
                )
                .at(elem.location));
            }
            let Some(c) = rel.column(name) else {
                return Err(err!(
                    UNDEFINED_COLUMN,
                    "column \"{name}\" named in partition key does not exist"
                )
                .at(elem.location));
            };
            if c.generated != 0 {
                return Err(generated(name, elem.location));
            }
            (c.attnum, None, c.type_oid, c.collation)
        }
        (None, Some(raw)) => {
            let scope = ExprScope::Relation(rel);
            let e = analyze_expr(env.as_analyze_env(), raw, &scope, ExprKind::PartitionExpression, None)?;
            let inner = match &e {
                Expr::Collate { arg, .. } if strip_collate(raw).1.is_some() => (**arg).clone(),
                _ => e.clone(),
            };
            if let Some(c) = rel.columns.iter().find(|c| c.generated != 0 && !c.dropped && uses(&e, c.attnum))
            {
                return Err(generated(&c.name, elem.location));
            }
            match &inner {
                Expr::Var(v) if v.attno > 0 => (v.attno, None, v.ty, e.collation()),
                _ => {
                    if uses_system(&e) {
                        bail!(
                            INVALID_OBJECT_DEFINITION,
                            "partition key expressions cannot contain system column references"
                        );
                    }
                    if !crate::index::immutable(&s, &e) {
                        bail!(
                            INVALID_OBJECT_DEFINITION,
                            "functions in partition key expression must be marked IMMUTABLE"
                        );
                    }
                    if !pglite_ir::walk::contains(&e, &|x| matches!(x, Expr::Var(_))) {
                        bail!(INVALID_OBJECT_DEFINITION, "cannot use constant expression as partition key");
                    }
                    let pseudo = s.type_by_oid(e.ty()).is_some_and(|t| t.typtype == b'p');
                    if pseudo {
                        let shown = format_type::format_type_be(&s, env.search_path(), e.ty());
                        bail!(
                            INVALID_TABLE_DEFINITION,
                            "partition key column {} has pseudo-type {shown}",
                            at + 1
                        );
                    }
                    (0, Some(e.clone()), e.ty(), e.collation())
                }
            }
        }
        _ => bail!(INTERNAL_ERROR, "partition key element without a column"),
    };
    let collatable = s.type_by_oid(s.base_type(ty)).is_some_and(|t| t.typcollation.is_valid());
    let mut collation = own_collation;
    if !elem.collation.is_empty() {
        collation =
            resolve_collation(env.as_analyze_env(), &elem.collation, elem.location).map_err(|mut e| {
                e.fields_mut().position = None;
                e
            })?;
    }
    if collatable && !collation.is_valid() {
        return Err(err!(
            INDETERMINATE_COLLATION,
            "could not determine which collation to use for partition expression"
        )
        .hint("Use the COLLATE clause to set the collation explicitly."));
    }
    if !collatable && collation.is_valid() {
        let shown = format_type::format_type_be(&s, env.search_path(), ty);
        bail!(DATATYPE_MISMATCH, "collations are not supported by type {shown}");
    }
    let (am, am_name) = match strategy {
        PartitionStrategy::Hash => (well_known::AM_HASH, "hash"),
        _ => (well_known::AM_BTREE, "btree"),
    };
    let opclass = if elem.opclass.is_empty() {
        match s.default_opclass(am, s.base_type(ty)) {
            Some(c) => c.oid,
            None => {
                let shown = format_type::format_type_be(&s, env.search_path(), ty);
                return Err(err!(
                    UNDEFINED_OBJECT,
                    "data type {shown} has no default operator class for access method \"{am_name}\""
                )
                .hint(format!(
                    "You must specify a {am_name} operator class or define a default {am_name} operator class for the data type."
                )));
            }
        }
    } else {
        let names: Vec<&str> = elem.opclass.iter().map(String::as_str).collect();
        let (schema, name) = pglite_catalog::names::split_schema(&names, &env.database_name())?;
        let class = env.search_path().opclass(&s, am, schema, name)?;
        if !s.is_binary_coercible(s.base_type(ty), class.opcintype) {
            let shown = format_type::format_type_be(&s, env.search_path(), ty);
            bail!(DATATYPE_MISMATCH, "operator class \"{name}\" does not accept data type {shown}");
        }
        class.oid
    };
    Ok(Part { attnum, expr, collation, opclass })
}

fn uses(e: &Expr, attnum: i16) -> bool {
    pglite_ir::walk::contains(
        e,
        &|x| matches!(x, Expr::Var(v) if v.levels_up == 0 && (v.attno == attnum || v.attno == 0)),
    )
}

fn uses_system(e: &Expr) -> bool {
    pglite_ir::walk::contains(e, &|x| matches!(x, Expr::Var(v) if v.attno < 0))
}
