//! Column statistics for the planner, from pg_statistic.

use std::sync::Arc;

use pglite_catalog::generated::rows::StatisticRow;
use pglite_planner::ColumnStats;
use pglite_types::{Datum, Oid};

use crate::cx::Cx;

/// Statistic kinds of pg_statistic slots.
const MCV: i16 = 1;
const HISTOGRAM: i16 = 2;
const CORRELATION: i16 = 3;

pub(crate) fn column_stats(cx: &Cx<'_>, rel: Oid, attno: i16) -> Option<Arc<ColumnStats>> {
    if pglite_catalog::Snapshot::is_catalog(rel) {
        return cx.core.shared().catalog_rows.column(&cx.catalog, rel, attno);
    }
    let row: &StatisticRow = cx.catalog.statistic(rel, attno, false)?;
    let mut stats = ColumnStats {
        null_frac: f64::from(row.stanullfrac),
        n_distinct: f64::from(row.stadistinct),
        avg_width: row.stawidth,
        ..ColumnStats::default()
    };
    let kinds = [row.stakind1, row.stakind2, row.stakind3, row.stakind4, row.stakind5];
    let numbers = [&row.stanumbers1, &row.stanumbers2, &row.stanumbers3, &row.stanumbers4, &row.stanumbers5];
    let values = [&row.stavalues1, &row.stavalues2, &row.stavalues3, &row.stavalues4, &row.stavalues5];
    for (i, kind) in kinds.into_iter().enumerate() {
        let nums = || numbers[i].iter().flat_map(|l| l.iter().map(|f| f64::from(*f)));
        let vals = || -> Vec<Datum> { values[i].as_ref().map(|a| a.0.values.clone()).unwrap_or_default() };
        match kind {
            MCV => stats.mcv = vals().into_iter().zip(nums()).collect(),
            HISTOGRAM => stats.histogram = vals(),
            CORRELATION => stats.correlation = nums().next().unwrap_or(0.0),
            _ => {}
        }
    }
    Some(Arc::new(stats))
}
