//! [`PlannerEnv`]: what the planner asks.

use std::sync::Arc;

use pglite_analyze::{ExprKind, Scope};
use pglite_catalog::{RelDesc, Snapshot};
use pglite_error::PgResult;
use pglite_ir::{Expr, FnHost};
use pglite_planner::{ColumnStats, PlannerEnv};
use pglite_txn::Space;
use pglite_types::{Datum, Oid};

use super::Cx;

/// Bytes of a page in PostgreSQL's cost units.
const PAGE: f64 = 8192.0;
/// Bytes of old versions that a scan may meet: about a memtable.
const KEPT_VERSIONS: f64 = 33_554_432.0;
/// Pages assumed for a table that nothing is known about.
const UNKNOWN_PAGES: f64 = 10.0;

impl PlannerEnv for Cx<'_> {
    fn catalog(&self) -> &Arc<Snapshot> {
        &self.catalog
    }
    fn setting_bool(&self, name: &str) -> Option<bool> {
        let settings = self.core.settings.borrow();
        settings.is_session_value(name).then(|| settings.get_bool(name))
    }
    fn setting_int(&self, name: &str) -> Option<i64> {
        let settings = self.core.settings.borrow();
        settings.is_session_value(name).then(|| settings.get_int(name))
    }
    fn setting_real(&self, name: &str) -> Option<f64> {
        let settings = self.core.settings.borrow();
        settings.is_session_value(name).then(|| settings.get_real(name))
    }
    fn relation_size(&self, rel: &RelDesc) -> (f64, f64) {
        if rel.is_catalog {
            let rows = self.catalog.any_table(rel.oid).map_or(0, |t| t.size()) as f64;
            return ((rows * (28.0 + row_width(rel)) / (PAGE - 24.0)).ceil().max(1.0), rows.max(1.0));
        }
        let space = Space::new(self.core.slot.database.0, rel.filenode.0);
        let manager = &self.core.shared().manager;
        let width = 28.0 + row_width(rel);
        let stats = manager.table_stats(space).unwrap_or_default();
        let live = stats.live_rows as f64;
        if live <= 0.0 {
            // PG: a table never vacuumed nor analyzed counts as ten pages.
            if rel.tuples >= 0.0 && rel.pages > 0 {
                return (f64::from(rel.pages), f64::from(rel.tuples));
            }
            if rel.tuples == 0.0 {
                return (0.0, 0.0);
            }
            return (UNKNOWN_PAGES, (UNKNOWN_PAGES * (PAGE - 24.0) / width).floor());
        }
        // Why: a scan steps over old versions until a flush drops them, as PostgreSQL's reads dead tuples.
        let dead = (stats.dead_rows as f64).min(KEPT_VERSIONS / width);
        let pages = ((live + dead) * width / (PAGE - 24.0)).ceil().max(1.0);
        if rel.tuples < 0.0 && pages < UNKNOWN_PAGES {
            return (UNKNOWN_PAGES, (UNKNOWN_PAGES * (PAGE - 24.0) / width).floor());
        }
        (pages, live)
    }
    fn eval_const(&self, expr: &Expr) -> PgResult<Datum> {
        pglite_exec::eval_const(&self.exec_env(), expr)
    }
    fn relation_expr(&self, rel: &RelDesc, text: &str) -> PgResult<Expr> {
        let rel = Arc::new(rel.clone());
        self.bind(text, &Scope::Relation(&rel), ExprKind::Other, None)
    }
    fn partition_order(&self, rel: &RelDesc) -> PgResult<Option<Vec<Oid>>> {
        let rel = Arc::new(rel.clone());
        let key = pglite_analyze::partition::partition_key(self, &rel)?;
        let compare = |i: usize, a: &Datum, b: &Datum| {
            pglite_analyze::partition::compare_values(
                &self.catalog,
                &key[i],
                a,
                b,
                &|func, collation, args| FnHost::call(self, func, collation, args),
            )
        };
        pglite_analyze::partition::partition_order(self, &rel, &compare).map(Some)
    }
    fn partition_condition(&self, rel: &RelDesc) -> PgResult<Option<Vec<Expr>>> {
        pglite_analyze::partition::partition_constraint(self, &Arc::new(rel.clone())).map(Some)
    }
    fn column_stats(&self, rel: Oid, attno: i16) -> Option<Arc<ColumnStats>> {
        crate::stats::column_stats(self, rel, attno)
    }
}

/// Average bytes of a row's values, by type.
fn row_width(rel: &RelDesc) -> f64 {
    rel.columns
        .iter()
        .filter(|c| !c.dropped)
        .map(|c| match PhysWidth::of(c.type_oid) {
            Some(fixed) => fixed,
            None if c.typmod > 4 => f64::from(c.typmod - 4).min(1000.0),
            None => 32.0,
        })
        .sum()
}

struct PhysWidth;

impl PhysWidth {
    fn of(ty: Oid) -> Option<f64> {
        use pglite_codec::ColumnShape;
        match pglite_types::storage::PhysKind::of_builtin(ty)?.shape() {
            ColumnShape::Fixed(n) => Some(f64::from(n)),
            ColumnShape::Var => None,
        }
    }
}
