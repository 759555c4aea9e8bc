//! [`ExecHooks`]: what the executor asks of the layers above it.

use std::sync::Arc;

use pglite_analyze::{ExprKind, Scope, analyze_stored_expr};
use pglite_catalog::RelDesc;
use pglite_error::{PgError, PgResult, err};
use pglite_exec::env::{
    DeferredCheck, DomainChecks, TableExprs, TriggerCall, TriggerEvent, TriggerOutcome, TriggerTiming,
};
use pglite_exec::{ExecHooks, OpenRel};
use pglite_ir::query::ColType;
use pglite_ir::{CallInfo, Expr, RowSource};
use pglite_types::{Datum, Oid, Row, oid};

use super::Cx;

impl ExecHooks for Cx<'_> {
    fn open_relation(&self, rel: &Arc<RelDesc>) -> PgResult<Arc<OpenRel>> {
        self.core.relations.open(self.core, &self.catalog, rel)
    }
    fn call_function(&self, info: &CallInfo, args: &[Datum]) -> PgResult<Datum> {
        crate::sqlfunc::call_scalar(self, info, args)
    }
    fn call_set_function(&self, info: &CallInfo, args: &[Datum]) -> PgResult<Box<dyn RowSource>> {
        crate::sqlfunc::call_set(self, info, args)
    }
    fn domain_checks(&self, domain: Oid) -> PgResult<Vec<DomainChecks>> {
        let mut chain = Vec::new();
        let mut at = domain;
        while let Some(row) = self.catalog.type_by_oid(at).filter(|r| r.typtype == b'd') {
            let base = (row.typbasetype, row.typtypmod, row.typcollation);
            let mut checks = Vec::new();
            for c in self.catalog.domain_constraints_of(row.oid).filter(|c| c.contype == b'c') {
                let Some(text) = &c.conbin else { continue };
                let scope = Scope::Domain(ColType { ty: base.0, typmod: base.1, collation: base.2 });
                checks.push((
                    c.conname.to_string(),
                    self.bind(text.as_str(), &scope, ExprKind::DomainCheck, Some((oid::BOOL, -1)))?,
                ));
            }
            checks.sort_by(|a, b| a.0.cmp(&b.0));
            chain.push(DomainChecks {
                domain: row.oid,
                name: row.typname.to_string(),
                not_null: row.typnotnull,
                checks,
            });
            at = row.typbasetype;
        }
        chain.reverse();
        Ok(chain)
    }
    fn table_exprs(&self, rel: &Arc<RelDesc>) -> PgResult<Arc<TableExprs>> {
        self.core.relations.exprs(rel, || self.bind_table(rel))
    }
    fn fire_triggers(&self, call: &TriggerCall<'_>) -> PgResult<TriggerOutcome> {
        crate::triggers::fire(self, call)
    }
    fn has_triggers(
        &self,
        rel: &Arc<RelDesc>,
        event: TriggerEvent,
        timing: TriggerTiming,
        row: bool,
    ) -> bool {
        crate::triggers::has(self, rel, event, timing, row)
    }
    fn defer(&self, check: DeferredCheck) -> PgResult<()> {
        self.core.deferred.borrow_mut().push(check);
        Ok(())
    }
    fn is_immediate(&self, constraint: Oid, initially_deferred: bool) -> bool {
        !self.core.deferred.borrow().is_deferred(constraint, initially_deferred)
    }
    fn cursor_row(&self, cursor: &str, rel: Oid) -> PgResult<Option<u64>> {
        let portals = self.core.portals.borrow();
        let Some(portal) = portals.get(cursor) else {
            return Err(err!(UNDEFINED_CURSOR, "cursor \"{cursor}\" does not exist"));
        };
        let name = self.catalog.class_by_oid(rel).map_or(String::new(), |c| c.relname.to_string());
        portal.current_row(cursor, rel, &name)
    }
    fn tuplestore(&self, name: &str) -> PgResult<Arc<Vec<Row>>> {
        let stores = self.core.tuplestores.borrow();
        stores
            .get(name)
            .map(|s| s.1.clone())
            .ok_or_else(|| err!(UNDEFINED_TABLE, "relation \"{name}\" does not exist"))
    }
    fn nanos(&self) -> u64 {
        self.core.shared().env.clock.monotonic().as_nanos() as u64
    }
}

impl Cx<'_> {
    /// Parses and analyzes a stored expression.
    pub fn bind(
        &self,
        text: &str,
        scope: &Scope<'_>,
        kind: ExprKind,
        target: Option<(Oid, i32)>,
    ) -> PgResult<Expr> {
        analyze_stored_expr(self, text, scope, kind, target)
    }

    fn bind_table(&self, rel: &Arc<RelDesc>) -> PgResult<TableExprs> {
        let scope = Scope::Relation(rel);
        let mut out = TableExprs::default();
        for c in rel.checks() {
            if let Some(text) = &c.conbin {
                let e = self.bind(text.as_str(), &scope, ExprKind::CheckConstraint, Some((oid::BOOL, -1)))?;
                if c.conenforced {
                    out.checks.push((c.conname.to_string(), e));
                }
            }
        }
        for col in rel.live_columns() {
            let Some(text) = &col.default else { continue };
            if col.generated != 0 {
                let e = self.bind(
                    text.as_str(),
                    &scope,
                    ExprKind::GeneratedColumn,
                    Some((col.type_oid, col.typmod)),
                )?;
                out.generated.push((col.attnum, e, col.generated == b's'));
            } else {
                out.defaults.push((
                    col.attnum,
                    self.bind(
                        text.as_str(),
                        &Scope::None,
                        ExprKind::ColumnDefault,
                        Some((col.type_oid, col.typmod)),
                    )?,
                ));
            }
        }
        for index in &rel.indexes {
            let mut exprs = Vec::new();
            for key in index.keys.iter().filter(|k| k.attnum == 0) {
                let text =
                    key.expr.as_ref().ok_or_else(|| PgError::internal("index expression without text"))?;
                exprs.push(self.bind(text.as_str(), &scope, ExprKind::IndexExpression, None)?);
            }
            let predicate = match &index.predicate {
                Some(text) => {
                    Some(self.bind(text.as_str(), &scope, ExprKind::IndexPredicate, Some((oid::BOOL, -1)))?)
                }
                None => None,
            };
            out.indexes.push((index.oid, exprs, predicate));
        }
        if rel.is_partition {
            let all = pglite_analyze::partition::partition_constraint(self, rel)?;
            out.partition = (!all.is_empty()).then(|| Expr::and(all));
        }
        if let Some(key) = &rel.partition_key {
            for text in &key.exprs {
                out.partition_key.push(self.bind(text.as_str(), &scope, ExprKind::Other, None)?);
            }
        }
        Ok(out)
    }
}
