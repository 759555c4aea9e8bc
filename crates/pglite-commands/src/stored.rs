//! Stored SQL texts when a column is renamed: they are read under the old name and written again under the new one.

use std::sync::Arc;

use pglite_analyze::{ExprKind, ParamTypes, Scope as ExprScope, analyze_statement, analyze_stored_expr};
use pglite_catalog::depend::ObjectAddress;
use pglite_catalog::rows::*;
use pglite_catalog::{CatalogRow, Key, Snapshot};
use pglite_error::{PgError, PgResult};
use pglite_functions::deparse::{Scope, storage_query, storage_text};
use pglite_ir::Expr;
use pglite_ir::query::{Query, RteKind};
use pglite_ir::tree::each_subquery_mut;
use pglite_types::Oid;

use crate::alter::desc;
use crate::host::CommandHost;

/// Puts the relations' present descriptors and column names into a query.
fn refresh(s: &Arc<Snapshot>, q: &mut Query) {
    for rte in &mut q.rtable {
        if let RteKind::Relation { rel, .. } = &mut rte.kind
            && let Some(now) = s.rel(rel.oid)
        {
            let renamed = rte.alias.as_ref().is_none_or(|a| a.columns.is_empty());
            if renamed {
                rte.eref.columns = now
                    .columns
                    .iter()
                    .map(|c| if c.dropped { String::new() } else { c.name.to_string() })
                    .collect();
            }
            *rel = now;
        }
    }
    let _ = each_subquery_mut::<()>(q, &mut |sub| {
        refresh(s, sub);
        Ok(())
    });
}

/// A text of the relation itself: where it is, and its expression.
enum Own {
    Default(Oid),
    Check(Oid),
    Predicate(Oid),
    Qual(Oid),
    WithCheck(Oid),
}

/// Renames the column and rewrites the texts that name it.
pub(crate) fn rename_column(host: &dyn CommandHost, rel: Oid, attnum: i16, new: &str) -> PgResult<()> {
    let s = host.snapshot();
    let old = desc(&s, rel)?;
    let mut own: Vec<(Own, Expr)> = Vec::new();
    let mut rules: Vec<(Oid, Query)> = Vec::new();
    {
        let env = host.env();
        let a = env.as_analyze_env();
        let scope = ExprScope::Relation(&old);
        let parse = |text: &str, kind| analyze_stored_expr(a, text, &scope, kind, None);
        for d in s.attrdefs_of(rel).filter(|d| old.attr(d.adnum).is_some_and(|c| c.generated != 0)) {
            own.push((Own::Default(d.oid), parse(&d.adbin, ExprKind::GeneratedColumn)?));
        }
        for k in s.constraints_of(rel).filter(|k| k.contype == b'c') {
            if let Some(text) = &k.conbin {
                own.push((Own::Check(k.oid), parse(text, ExprKind::CheckConstraint)?));
            }
        }
        for i in s.indexes_of(rel) {
            if let Some(text) = &i.indpred {
                own.push((Own::Predicate(i.indexrelid), parse(text, ExprKind::IndexPredicate)?));
            }
        }
        for p in s.policies_of(rel) {
            if let Some(text) = &p.polqual {
                own.push((Own::Qual(p.oid), parse(text, ExprKind::Policy)?));
            }
            if let Some(text) = &p.polwithcheck {
                own.push((Own::WithCheck(p.oid), parse(text, ExprKind::Policy)?));
            }
        }
        let dependents: Vec<Oid> = s
            .dependents_of(&ObjectAddress::column(rel, attnum))
            .filter(|d| d.classid == RewriteRow::CATALOG)
            .map(|d| d.objid)
            .collect();
        for rule in dependents {
            let Some(r) = s.rewrite_by_oid(rule).filter(|r| &*r.rulename == "_RETURN") else { continue };
            let parsed = pglite_parser::parse(&r.ev_action, &pglite_parser::ParseOptions::default())?;
            let Some(raw) = parsed.stmts.into_iter().next() else { continue };
            let mut q = analyze_statement(a, &raw.stmt, &mut ParamTypes::none())?;
            if let Some(view) = s.rel(r.ev_class) {
                for (t, c) in q.targets.iter_mut().filter(|t| !t.junk).zip(view.live_columns()) {
                    t.name = Some(c.name.to_string());
                }
            }
            rules.push((rule, q));
        }
    }
    let exprs = index_expressions(host, &s, rel)?;
    host.with_catalog(&mut |c| {
        c.modify::<AttributeRow>(Key::new().oid(rel).with(&attnum), |a| a.attname = new.into());
        Ok(())
    })?;
    let s = host.snapshot();
    let now = desc(&s, rel)?;
    let env = host.env();
    let text = |e: &Expr| storage_text(&s, env.as_fn_host(), e, Scope::Relation(&now));
    let own = own.into_iter().map(|(o, e)| Ok((o, text(&e)?))).collect::<PgResult<Vec<_>>>()?;
    let exprs = exprs
        .into_iter()
        .map(|(i, list)| Ok((i, list.iter().map(text).collect::<PgResult<Vec<_>>>()?.join(", "))))
        .collect::<PgResult<Vec<_>>>()?;
    let rules = rules
        .into_iter()
        .map(|(rule, mut q)| {
            refresh(&s, &mut q);
            Ok((rule, storage_query(&s, env.as_fn_host(), &q)?))
        })
        .collect::<PgResult<Vec<_>>>()?;
    drop(env);
    host.with_catalog(&mut |c| {
        for (o, t) in &own {
            let t = t.as_str();
            match o {
                Own::Default(oid) => c.modify::<AttrdefRow>(*oid, |r| r.adbin = t.into()),
                Own::Check(oid) => c.modify::<ConstraintRow>(*oid, |r| r.conbin = Some(t.into())),
                Own::Predicate(oid) => c.modify::<IndexRow>(*oid, |r| r.indpred = Some(t.into())),
                Own::Qual(oid) => c.modify::<PolicyRow>(*oid, |r| r.polqual = Some(t.into())),
                Own::WithCheck(oid) => c.modify::<PolicyRow>(*oid, |r| r.polwithcheck = Some(t.into())),
            };
        }
        for (i, t) in &exprs {
            c.modify::<IndexRow>(*i, |r| r.indexprs = Some(t.as_str().into()));
        }
        for (rule, t) in &rules {
            c.modify::<RewriteRow>(*rule, |r| r.ev_action = t.as_str().into());
        }
        Ok(())
    })
}

/// Expressions of the relation's indexes.
fn index_expressions(host: &dyn CommandHost, s: &Arc<Snapshot>, rel: Oid) -> PgResult<Vec<(Oid, Vec<Expr>)>> {
    let old = s.rel(rel).ok_or_else(|| PgError::internal("relation vanished"))?;
    let env = host.env();
    let mut out = Vec::new();
    for index in old.indexes.iter().filter(|i| i.has_expressions()) {
        let mut list = Vec::new();
        for text in index.keys.iter().filter_map(|k| k.expr.as_ref()) {
            let scope = ExprScope::Relation(&old);
            list.push(analyze_stored_expr(
                env.as_analyze_env(),
                text,
                &scope,
                ExprKind::IndexExpression,
                None,
            )?);
        }
        out.push((index.oid, list));
    }
    Ok(out)
}
