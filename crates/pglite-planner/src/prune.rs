//! Leaving out children that no row can come from.

use pglite_error::PgResult;

use crate::types::*;

/// The child's partition bound or constraints contradict its conditions.
pub(crate) fn excluded(g: &Glob<'_>, root: &Root, child: RelId) -> PgResult<bool> {
    let r = &root.rels[child];
    let Some(table) = &r.table else { return Ok(false) };
    if !g.set.partition_pruning || !table.is_partition {
        return Ok(false);
    }
    let Some(bound) = g.env.partition_condition(table)? else { return Ok(false) };
    let mut quals = Vec::new();
    for mut q in bound {
        crate::rel::rebase_to(&mut q, r.relid);
        crate::fold::fold(g, &mut q)?;
        quals.push(q);
    }
    let mine: Vec<_> = r
        .restrict
        .iter()
        .filter(|c| !crate::exprs::has_mutable(&g.cat, &c.clause))
        .map(|c| c.clause.clone())
        .collect();
    Ok(crate::predicate::refuted_by(g, &quals, &mine))
}
