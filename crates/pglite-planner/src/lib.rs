//! `Query` to `PlannedStmt`: preprocessing, paths with costs, and the finished plan.
//!
//! On the way of a statement: after the rewriter, before the executor. [`plan`] is the entry point; what it needs of the
//! session it asks through [`PlannerEnv`].

pub mod env;

pub use env::{ColumnStats, PlanOptions, PlannerEnv};

use pglite_error::{PgError, PgResult};
use pglite_ir::{PlannedStmt, Query};

/// Plans one rewritten, non-utility query.
pub fn plan(env: &dyn PlannerEnv, query: Query, options: &PlanOptions) -> PgResult<PlannedStmt> {
    let _ = (env, query, options);
    Err(PgError::unsupported("planning is not supported yet"))
}
