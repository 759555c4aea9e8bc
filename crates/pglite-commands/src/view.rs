//! CREATE VIEW: the query as SQL text in the view's _RETURN rule.

use pglite_analyze::{ParamTypes, analyze_statement};
use pglite_catalog::depend::{DependencyType, ObjectAddress};
use pglite_catalog::rows::{AttributeRow, ClassRow, RewriteRow};
use pglite_catalog::{CatalogRow, Str};
use pglite_error::{PgError, PgResult, bail, err};
use pglite_functions::deparse::storage_query;
use pglite_ir::query::{Query, RteKind};
use pglite_parser::ast::{Statement, ViewCheckOption, ViewStmt};
use pglite_types::{Oid, oid};

use crate::ctx;
use crate::host::{CommandHost, CommandOutcome};
use crate::relation::{self, NewColumn, NewRelation};

/// Columns of a query's result as a relation has them.
pub(crate) fn columns_of(query: &Query) -> Vec<NewColumn> {
    let live = query.targets.iter().filter(|t| !t.junk);
    live.map(|t| {
        let ty = match t.expr.ty() {
            oid::UNKNOWN => oid::TEXT,
            ty => ty,
        };
        NewColumn::new(t.name.clone().unwrap_or_default(), ty, t.expr.typmod(), t.expr.collation())
    })
    .collect()
}

/// Whether the query reads a temporary relation.
fn uses_temp(q: &Query) -> bool {
    q.rtable.iter().any(|r| match &r.kind {
        RteKind::Relation { rel, .. } => rel.is_temp(),
        RteKind::Subquery { query, .. } => uses_temp(query),
        _ => false,
    }) || q.ctes.iter().any(|c| uses_temp(&c.query))
}

pub(crate) fn create(host: &dyn CommandHost, v: &ViewStmt) -> PgResult<CommandOutcome> {
    let tag = CommandOutcome::tag("CREATE VIEW");
    let mut query = {
        let env = host.env();
        let stmt = Statement::SelectStmt(v.query.clone());
        analyze_statement(env.as_analyze_env(), &stmt, &mut ParamTypes::none())?
    };
    if query.utility.is_some() {
        return Err(PgError::unsupported("views must not contain SELECT INTO"));
    }
    if query.ctes.iter().any(|c| c.query.result_relation != 0) {
        return Err(PgError::unsupported("views must not contain data-modifying statements in WITH"));
    }
    let n = query.targets.iter().filter(|t| !t.junk).count();
    if v.aliases.len() > n {
        bail!(SYNTAX_ERROR, "CREATE VIEW specifies more column names than columns");
    }
    for (t, name) in query.targets.iter_mut().filter(|t| !t.junk).zip(&v.aliases) {
        t.name = Some(name.clone());
    }
    let mut options = crate::table::rel_options(&v.options)?.unwrap_or_default();
    for o in &mut options {
        // Flags without a value mean true.
        if let Some((name, value)) = o.split_once('=')
            && name == "check_option"
            && !matches!(value, "local" | "cascaded")
        {
            return Err(err!(
                INVALID_PARAMETER_VALUE,
                "invalid value for enum option \"check_option\": {value}"
            )
            .detail("Valid values are \"local\" and \"cascaded\"."));
        }
    }
    match v.with_check_option {
        ViewCheckOption::Local => options.push("check_option=local".into()),
        ViewCheckOption::Cascaded => options.push("check_option=cascaded".into()),
        ViewCheckOption::None => {}
    }
    let mut name = v.view.clone();
    if name.relpersistence == 'u' {
        bail!(SYNTAX_ERROR, "views cannot be unlogged because they do not have storage");
    }
    if name.relpersistence == 'p' && name.schemaname.is_none() && uses_temp(&query) {
        name.relpersistence = 't';
        ctx::notice(host, PgError::notice(format!("view \"{}\" will be a temporary view", name.relname)));
    }
    let (namespace, persistence) = ctx::creation_target(host, &name)?;
    let columns = columns_of(&query);
    let existing = host.snapshot().class_by_name(namespace, &name.relname).cloned();
    let view = match existing {
        Some(class) if v.replace => {
            replace(host, &class, &columns, &options)?;
            class.oid
        }
        _ => {
            if columns.is_empty() && n > 0 {
                bail!(INVALID_TABLE_DEFINITION, "view must have at least one column");
            }
            let rel = NewRelation {
                name: name.relname.clone(),
                namespace,
                kind: b'v',
                persistence,
                owner: ctx::user(host),
                am: Oid::INVALID,
                of_type: Oid::INVALID,
                tablespace: Oid::INVALID,
                columns,
                options: (!options.is_empty()).then_some(options),
                with_types: true,
            };
            relation::create(host, &rel)?
        }
    };
    store_rule(host, view, &query)?;
    Ok(tag)
}

/// The _RETURN rule of a view or materialized view.
pub(crate) fn store_rule(host: &dyn CommandHost, view: Oid, query: &Query) -> PgResult<()> {
    let s = host.snapshot();
    let text = {
        let env = host.env();
        storage_query(&s, env.as_fn_host(), query)?
    };
    let refs = ctx::query_references(&s, query);
    let old = s.rule_by_name(view, "_RETURN").map(|r| r.oid);
    let rule = match old {
        Some(o) => o,
        None => ctx::new_oid(host)?,
    };
    host.with_catalog(&mut |c| {
        let me = ObjectAddress::of::<RewriteRow>(rule);
        c.forget_dependencies(me, true);
        c.insert(RewriteRow {
            oid: rule,
            rulename: "_RETURN".into(),
            ev_class: view,
            ev_type: b'1',
            ev_enabled: b'O',
            is_instead: true,
            ev_qual: "<>".into(),
            ev_action: text.as_str().into(),
        });
        c.modify::<ClassRow>(view, |r| r.relhasrules = true);
        c.record_dependency(me, ObjectAddress::relation(view), DependencyType::Internal);
        let others = refs.iter().copied().filter(|a| !(a.class == ClassRow::CATALOG && a.object == view));
        c.record_dependencies(me, others, DependencyType::Normal);
        Ok(())
    })
}

/// CREATE OR REPLACE: old columns stay as they are, new ones come behind.
fn replace(host: &dyn CommandHost, class: &ClassRow, columns: &[NewColumn], options: &[Str]) -> PgResult<()> {
    if class.relkind != b'v' {
        bail!(WRONG_OBJECT_TYPE, "\"{}\" is not a view", class.relname);
    }
    let s = host.snapshot();
    let rel = s.rel(class.oid).ok_or_else(|| PgError::internal("view vanished"))?;
    ctx::must_own(host, &rel)?;
    host.env().lock_relation(class.oid, 8)?;
    if columns.len() < rel.columns.len() {
        bail!(INVALID_TABLE_DEFINITION, "cannot drop columns from view");
    }
    let env = host.env();
    for (old, new) in rel.columns.iter().zip(columns) {
        if *old.name != *new.name {
            return Err(err!(
                INVALID_TABLE_DEFINITION,
                "cannot change name of view column \"{}\" to \"{}\"",
                old.name,
                new.name
            )
            .hint("Use ALTER VIEW ... RENAME COLUMN ... to change name of view column instead."));
        }
        if old.type_oid != new.ty || old.typmod != new.typmod {
            let show = |t, m| pglite_catalog::format_type::format_type(&s, env.search_path(), t, Some(m));
            bail!(
                INVALID_TABLE_DEFINITION,
                "cannot change data type of view column \"{}\" from {} to {}",
                old.name,
                show(old.type_oid, old.typmod),
                show(new.ty, new.typmod)
            );
        }
        if old.collation != new.collation {
            let show = |c: Oid| s.collation_by_oid(c).map(|r| r.collname.to_string()).unwrap_or_default();
            bail!(
                INVALID_TABLE_DEFINITION,
                "cannot change collation of view column \"{}\" from \"{}\" to \"{}\"",
                old.name,
                show(old.collation),
                show(new.collation)
            );
        }
    }
    drop(env);
    let first = rel.columns.len();
    host.with_catalog(&mut |c| {
        for (i, new) in columns.iter().enumerate().skip(first) {
            let ty = c.snapshot().type_by_oid(new.ty).cloned().unwrap_or_default();
            let row: AttributeRow = relation::attribute_row(class.oid, i as i16 + 1, new, &ty);
            c.insert(row);
            relation::column_dependencies(c, class.oid, i as i16 + 1, new.ty, new.collation);
        }
        c.modify::<ClassRow>(class.oid, |r| {
            r.relnatts = columns.len() as i16;
            r.reloptions = (!options.is_empty()).then(|| options.to_vec().into());
        });
        Ok(())
    })
}
