//! What the planner asks of the session: the catalog, settings, sizes, statistics and constant evaluation.

use std::sync::Arc;

use pglite_catalog::{RelDesc, Snapshot};
use pglite_error::{PgError, PgResult};
use pglite_ir::expr::Expr;
use pglite_types::{Datum, Oid};

/// The session, as the planner sees it.
pub trait PlannerEnv {
    fn catalog(&self) -> &Arc<Snapshot>;
    /// Planner settings (`enable_seqscan`, `work_mem` in kB, `random_page_cost` ...); `None` = the default.
    fn setting_bool(&self, name: &str) -> Option<bool>;
    fn setting_int(&self, name: &str) -> Option<i64>;
    fn setting_real(&self, name: &str) -> Option<f64>;
    /// (pages, tuples) of a table or index as far as known now.
    fn relation_size(&self, rel: &RelDesc) -> (f64, f64);
    /// Evaluates an expression without Vars through the executor.
    fn eval_const(&self, expr: &Expr) -> PgResult<Datum>;
    /// The relation's SQL text (index expression, index predicate, CHECK condition, partition key) as a bound expression;
    /// its Vars have `rte` = 1 and `levels_up` = 0.
    fn relation_expr(&self, rel: &RelDesc, text: &str) -> PgResult<Expr> {
        let _ = text;
        Err(PgError::unsupported(format!("index expressions of \"{}\" cannot be planned here", rel.name)))
    }
    /// The direct partitions of a partitioned table in bound order; `None` when not known (OID order is used).
    fn partition_order(&self, rel: &RelDesc) -> PgResult<Option<Vec<Oid>>> {
        let _ = rel;
        Ok(None)
    }
    /// The condition that all rows of a partition meet, ANDed, over its own columns (`rte` = 1); `None` when unknown.
    fn partition_condition(&self, rel: &RelDesc) -> PgResult<Option<Vec<Expr>>> {
        let _ = rel;
        Ok(None)
    }
    /// What ANALYZE found out about a column.
    fn column_stats(&self, rel: Oid, attno: i16) -> Option<Arc<ColumnStats>>;
}

/// One column's statistics.
#[derive(Clone, Debug, Default)]
pub struct ColumnStats {
    pub null_frac: f64,
    /// Positive: number of distinct values; negative: minus the fraction of rows; 0: unknown.
    pub n_distinct: f64,
    pub mcv: Vec<(Datum, f64)>,
    /// Bounds of equally populated buckets, in the type's order.
    pub histogram: Vec<Datum>,
    /// Physical order against value order, -1 to 1.
    pub correlation: f64,
    pub avg_width: i32,
}

/// How the statement will be run.
#[derive(Clone, Debug, Default)]
pub struct PlanOptions {
    /// The plan is for a cursor: a fast start is worth more.
    pub cursor: bool,
    /// The cursor must be able to run backward.
    pub scroll: bool,
    /// Values of the statement's parameters, when a plan for just these values is wanted.
    pub params: Option<Vec<(Oid, Datum)>>,
}
