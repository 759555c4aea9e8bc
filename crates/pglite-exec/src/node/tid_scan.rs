//! Tid Scan: rows by position (`ctid = ...`) or under a cursor.
//!
//! Positions have no index of their own, so this is a sequential scan with the conditions as its filter.

use std::sync::Arc;

use pglite_catalog::RelDesc;
use pglite_error::PgResult;
use pglite_ir::expr::Expr;
use pglite_ir::plan::Plan;

use super::{Builder, Built, seq_scan};

pub fn build(
    b: &mut Builder<'_>,
    plan: &Plan,
    rte: u32,
    rel: &Arc<RelDesc>,
    quals: &[Expr],
) -> PgResult<Built> {
    let mut filtered = Plan { qual: quals.to_vec(), ..plan.clone() };
    filtered.qual.extend(plan.qual.iter().cloned());
    seq_scan::build(b, &filtered, rte, rel)
}
