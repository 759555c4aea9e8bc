//! The order of a table's partitions: by bound, the default last.

use std::cmp::Ordering;
use std::sync::Arc;

use pglite_catalog::{RelDesc, Snapshot};

use super::{Bound, KeyColumn, RangeDatum, partition_bounds, partition_key};
use crate::AnalyzeEnv;
use crate::prelude::*;

/// Compares two values of a key column (by its number).
pub type CompareKey<'a> = &'a dyn Fn(usize, &Datum, &Datum) -> PgResult<Ordering>;

/// Compares two range ends; of equal ones an upper end stands before a lower one.
pub fn compare_range_bounds(
    a: (&[RangeDatum], bool),
    b: (&[RangeDatum], bool),
    compare: CompareKey<'_>,
) -> PgResult<Ordering> {
    for (i, (x, y)) in a.0.iter().zip(b.0).enumerate() {
        let order = match (x, y) {
            (RangeDatum::Value(x), RangeDatum::Value(y)) => compare(i, x, y)?,
            (RangeDatum::Min, RangeDatum::Min) | (RangeDatum::Max, RangeDatum::Max) => break,
            (RangeDatum::Min, _) | (_, RangeDatum::Max) => Ordering::Less,
            (RangeDatum::Max, _) | (_, RangeDatum::Min) => Ordering::Greater,
        };
        if order != Ordering::Equal {
            return Ok(order);
        }
    }
    // (value, is a lower end)
    Ok(a.1.cmp(&b.1))
}

/// The direct partitions in bound order.
pub fn partition_order(
    env: &dyn AnalyzeEnv,
    parent: &Arc<RelDesc>,
    compare: CompareKey<'_>,
) -> PgResult<Vec<Oid>> {
    let key = partition_key(env, parent)?;
    let mut list = partition_bounds(env, parent, &key)?;
    let mut failed = None;
    let mut ask = |r: PgResult<Ordering>| match r {
        Ok(o) => o,
        Err(e) => {
            failed.get_or_insert(e);
            Ordering::Equal
        }
    };
    // A list partition stands where its smallest value does.
    for (_, bound) in &mut list {
        if let Bound::List(values) = bound {
            values.sort_by(|x, y| match (x.is_null(), y.is_null()) {
                (false, false) => ask(compare(0, x, y)),
                (x, y) => x.cmp(&y),
            });
        }
    }
    list.sort_by(|(_, a), (_, b)| match (a, b) {
        (Bound::Default, Bound::Default) => Ordering::Equal,
        (Bound::Default, _) => Ordering::Greater,
        (_, Bound::Default) => Ordering::Less,
        (Bound::Hash { modulus: m, remainder: r }, Bound::Hash { modulus: n, remainder: s }) => {
            (m, r).cmp(&(n, s))
        }
        (Bound::List(x), Bound::List(y)) => match (x.first(), y.first()) {
            (Some(x), Some(y)) => match (x.is_null(), y.is_null()) {
                (false, false) => ask(compare(0, x, y)),
                (x, y) => x.cmp(&y),
            },
            _ => Ordering::Equal,
        },
        (Bound::Range { lower: x, .. }, Bound::Range { lower: y, .. }) => {
            ask(compare_range_bounds((x, true), (y, true), compare))
        }
        _ => Ordering::Equal,
    });
    match failed {
        Some(e) => Err(e),
        None => Ok(list.into_iter().map(|(oid, _)| oid).collect()),
    }
}

/// Compares two values by the btree support function of a key column; `call` runs a function.
pub fn compare_values(
    s: &Snapshot,
    key: &KeyColumn,
    a: &Datum,
    b: &Datum,
    call: &dyn Fn(Oid, Oid, &[Datum]) -> PgResult<Datum>,
) -> PgResult<Ordering> {
    let Some(proc_) = s.amproc(key.family, key.input_type, key.input_type, 1) else {
        return Err(PgError::internal("partition key without a comparison function"));
    };
    match call(proc_.amproc, key.collation, &[a.clone(), b.clone()])? {
        Datum::Int4(n) => Ok(n.cmp(&0)),
        _ => Err(PgError::internal("comparison function returned no integer")),
    }
}
