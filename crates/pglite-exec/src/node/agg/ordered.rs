//! Ordered-set and hypothetical-set aggregates over their sorted rows.

use std::cmp::Ordering;

use pglite_error::{PgError, PgResult};
use pglite_types::Datum;

use super::acc::{array_like, fraction};
use super::spec::{AggSpec, OrderedKind};
use crate::compare::cmp_rows;
use crate::state::ExecCx;
use crate::store::StoredRow;

pub fn finish(
    kind: OrderedKind,
    rows: &[StoredRow],
    spec: &AggSpec,
    direct: &[Datum],
    cx: &mut ExecCx<'_>,
) -> PgResult<Datum> {
    use OrderedKind::*;
    match kind {
        Rank | DenseRank | PercentRank | CumeDist => return hypothetical(kind, rows, spec, direct, cx),
        _ => {}
    }
    let values: Vec<&Datum> = rows.iter().map(|r| &r[0]).filter(|v| !v.is_null()).collect();
    let arg = direct.first().cloned().unwrap_or_default();
    match kind {
        PercentileDisc => match (fraction(&arg)?, values.is_empty()) {
            (Some(f), false) => Ok(disc(&values, f)),
            _ => Ok(Datum::Null),
        },
        PercentileCont => match (fraction(&arg)?, values.is_empty()) {
            (Some(f), false) => cont(&values, f),
            _ => Ok(Datum::Null),
        },
        PercentileDiscMulti | PercentileContMulti => {
            let Datum::Array(fractions) = &arg else { return Ok(Datum::Null) };
            if values.is_empty() {
                return Ok(Datum::Null);
            }
            let mut out = Vec::with_capacity(fractions.values.len());
            for f in &fractions.values {
                out.push(match fraction(f)? {
                    None => Datum::Null,
                    Some(f) if kind == PercentileDiscMulti => disc(&values, f),
                    Some(f) => cont(&values, f)?,
                });
            }
            let elem = cx.env.host.type_desc(spec.ret_type)?.elem;
            Ok(array_like(&arg, elem, out))
        }
        _ => mode(rows, spec, cx),
    }
}

fn disc(values: &[&Datum], f: f64) -> Datum {
    let n = (f * values.len() as f64).ceil().max(1.0) as usize;
    values[n.min(values.len()) - 1].clone()
}

fn cont(values: &[&Datum], f: f64) -> PgResult<Datum> {
    let at = f * (values.len() - 1) as f64;
    let (lo, hi) = (at.floor() as usize, at.ceil() as usize);
    match (values[lo], values[hi]) {
        (Datum::Float8(a), Datum::Float8(_)) if lo == hi => Ok(Datum::Float8(*a)),
        (Datum::Float8(a), Datum::Float8(b)) => Ok(Datum::Float8(a + (at - lo as f64) * (b - a))),
        (a, _) => Err(PgError::internal(format!("continuous percentile of {a:?}"))),
    }
}

fn mode(rows: &[StoredRow], spec: &AggSpec, cx: &mut ExecCx<'_>) -> PgResult<Datum> {
    let mut best = Datum::Null;
    let (mut best_count, mut run, mut last) = (0usize, 0usize, None::<&StoredRow>);
    for row in rows.iter().filter(|r| !r[0].is_null()) {
        let same = match last {
            Some(l) => cmp_rows(&spec.order, cx, l, row)? == Ordering::Equal,
            None => false,
        };
        run = if same { run + 1 } else { 1 };
        if run > best_count {
            best_count = run;
            best = row[0].clone();
        }
        last = Some(row);
    }
    Ok(best)
}

fn hypothetical(
    kind: OrderedKind,
    rows: &[StoredRow],
    spec: &AggSpec,
    direct: &[Datum],
    cx: &mut ExecCx<'_>,
) -> PgResult<Datum> {
    let (mut less, mut groups_less, mut not_greater) = (0i64, 0i64, 0i64);
    let mut last: Option<&StoredRow> = None;
    for row in rows {
        match cmp_rows(&spec.order, cx, row, direct)? {
            Ordering::Less => {
                less += 1;
                not_greater += 1;
                let new = match last {
                    Some(l) => cmp_rows(&spec.order, cx, l, row)? != Ordering::Equal,
                    None => true,
                };
                groups_less += i64::from(new);
                last = Some(row);
            }
            Ordering::Equal => not_greater += 1,
            Ordering::Greater => {}
        }
    }
    let n = rows.len() as f64;
    Ok(match kind {
        OrderedKind::Rank => Datum::Int8(less + 1),
        OrderedKind::DenseRank => Datum::Int8(groups_less + 1),
        OrderedKind::PercentRank if rows.is_empty() => Datum::Float8(0.0),
        OrderedKind::PercentRank => Datum::Float8(less as f64 / n),
        _ => Datum::Float8((not_greater + 1) as f64 / (n + 1.0)),
    })
}
