//! MERGE: the target is joined with the source, by the kind of join its actions need.

use pglite_error::{PgError, PgResult};
use pglite_ir::query::*;

/// Puts the join of target and source into FROM. Source rows without a target have a NULL row id.
pub(super) fn transform(q: &mut Query) -> PgResult<()> {
    let target = q.result_relation;
    let Some(m) = &mut q.merge else { return Err(PgError::internal("MERGE without actions")) };
    let has =
        |kind: MergeMatch| m.actions.iter().any(|a| a.kind == kind && a.command != CommandType::Utility);
    let kind = match (has(MergeMatch::NotMatchedBySource), has(MergeMatch::NotMatchedByTarget)) {
        (true, true) => JoinKind::Full,
        (true, false) => JoinKind::Left,
        (false, true) => JoinKind::Right,
        (false, false) => JoinKind::Inner,
    };
    let kind = if m
        .actions
        .iter()
        .any(|a| a.kind == MergeMatch::NotMatchedBySource && a.command == CommandType::Utility)
    {
        match kind {
            JoinKind::Inner => JoinKind::Left,
            JoinKind::Right => JoinKind::Full,
            k => k,
        }
    } else {
        kind
    };
    let mut from = std::mem::take(&mut q.jointree.from);
    from.retain(|i| !matches!(i, FromItem::Rte(r) if *r == target));
    let right = match from.len() {
        0 => FromItem::Rte(m.source_rte),
        1 => from.swap_remove(0),
        _ => FromItem::From(Box::new(JoinTree { from, quals: None })),
    };
    // Already joined by the analyzer: leave it.
    if let FromItem::Join(_) = &right
        && crate::walker::item_relids(&right, false).contains(target)
    {
        q.jointree.from = vec![right];
        return Ok(());
    }
    let quals = match kind {
        JoinKind::Left | JoinKind::Full => m.join_condition.clone(),
        _ => m.join_condition.take(),
    };
    q.jointree.from =
        vec![FromItem::Join(Box::new(JoinExpr { kind, left: FromItem::Rte(target), right, quals, rte: 0 }))];
    Ok(())
}
