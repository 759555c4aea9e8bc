//! EXISTS does not care for the subquery's columns, order or duplicates.

use pglite_error::PgResult;
use pglite_ir::expr::Expr;
use pglite_ir::query::{CommandType, Query, TargetEntry};
use pglite_types::Datum;

use crate::types::Glob;

/// Drops what EXISTS does not need; false when the query's rows depend on more than FROM and WHERE.
pub(crate) fn simplify_exists(g: &Glob<'_>, q: &mut Query) -> PgResult<bool> {
    if q.command != CommandType::Select
        || q.set_ops.is_some()
        || q.has_aggs
        || !q.grouping_sets.is_empty()
        || q.has_windows
        || q.has_target_srfs
        || q.has_modifying_cte
        || q.having.is_some()
        || q.offset.is_some()
        || !q.row_marks.is_empty()
    {
        return Ok(false);
    }
    if let Some(limit) = &mut q.limit {
        crate::fold::fold(g, limit)?;
        match limit {
            Expr::Const(c) => match c.value {
                Datum::Null => {}
                Datum::Int8(n) if n > 0 => {}
                _ => return Ok(false),
            },
            _ => return Ok(false),
        }
        q.limit = None;
    }
    q.targets = Vec::<TargetEntry>::new();
    q.group.clear();
    q.windows.clear();
    q.distinct.clear();
    q.sort.clear();
    q.distinct_on = false;
    q.has_distinct_on = false;
    // A grouping entry is no longer referred to.
    Ok(true)
}
