//! One column's statistics from a sample: null fraction, width, distinct values, most common values, histogram,
//! correlation.

use std::cmp::Ordering;
use std::sync::Arc;

use pglite_catalog::generated::rows::StatisticRow;
use pglite_catalog::{AnyArray, RelDesc};
use pglite_error::PgResult;
use pglite_ir::FnHost;
use pglite_types::array::ArrayValue;
use pglite_types::{Datum, Oid, binary};

use super::sample::Sample;

/// The default statistics target.
const TARGET: usize = 100;
/// Wider values count for the width only.
const TOO_WIDE: usize = 1024;
/// The btree access method.
const BTREE: Oid = pglite_catalog::well_known::AM_BTREE;

const MCV: i16 = 1;
const HISTOGRAM: i16 = 2;
const CORRELATION: i16 = 3;

/// How a column's values compare.
struct Order {
    less: Oid,
    equal: Oid,
    compare: Oid,
}

pub fn column(
    env: &dyn FnHost,
    rel: &RelDesc,
    attno: i16,
    sample: &Sample,
    at: usize,
) -> PgResult<StatisticRow> {
    let desc = &rel.columns[attno as usize - 1];
    let mut row = StatisticRow { starelid: rel.oid, staattnum: attno, ..StatisticRow::default() };
    let count = sample.rows.len();
    if count == 0 {
        return Ok(row);
    }
    let fixed = env.catalog().type_by_oid(desc.type_oid).map(|t| t.typlen).filter(|l| *l > 0);
    let (mut nulls, mut bytes, mut wide) = (0usize, 0usize, 0usize);
    let mut values: Vec<(Datum, usize)> = Vec::with_capacity(count);
    let mut scratch = Vec::new();
    for (i, r) in sample.rows.iter().enumerate() {
        let value = &r[at];
        if value.is_null() {
            nulls += 1;
            continue;
        }
        let width = match fixed {
            Some(w) => w as usize,
            None => varlena_width(env, desc.type_oid, value, &mut scratch),
        };
        bytes += width;
        if fixed.is_none() && width > TOO_WIDE {
            wide += 1;
        } else {
            values.push((value.clone(), i));
        }
    }
    row.stanullfrac = (nulls as f64 / count as f64) as f32;
    let present = count - nulls;
    row.stawidth = bytes.checked_div(present).map_or(fixed.unwrap_or(0).into(), |width| width as i32);
    if present == 0 {
        return Ok(row);
    }
    let Some(order) = ordering(env, desc.type_oid) else { return Ok(row) };
    sort(env, &order, desc.collation, &mut values)?;
    fill(env, &mut row, desc.type_oid, desc.collation, &order, &values, count, wide, sample.total)?;
    Ok(row)
}

fn varlena_width(env: &dyn FnHost, ty: Oid, value: &Datum, scratch: &mut Vec<u8>) -> usize {
    let mut send = |ty: Oid, value: &Datum| {
        scratch.clear();
        binary::binary_send(env, ty, value, scratch).map_or(0, |()| scratch.len())
    };
    let len = match value {
        Datum::Text(s) => s.len(),
        // A stored numeric has a head of 2 bytes instead of 8, an array of fixed-size elements no lengths.
        Datum::Numeric(_) => send(ty, value).saturating_sub(6),
        Datum::Array(a) => {
            let fixed = env.catalog().type_by_oid(a.elem_type).is_some_and(|t| t.typlen > 0);
            let lengths = a.values.iter().filter(|v| fixed && !v.is_null()).count() * 4;
            send(ty, value).saturating_sub(lengths)
        }
        other => send(ty, other),
    };
    len + if len < 127 { 1 } else { 4 }
}

fn ordering(env: &dyn FnHost, ty: Oid) -> Option<Order> {
    let catalog = env.catalog();
    let class = catalog.default_opclass(BTREE, ty)?;
    let (family, input) = (class.opcfamily, class.opcintype);
    Some(Order {
        less: catalog.amop(family, input, input, 1)?.amopopr,
        equal: catalog.amop(family, input, input, 3)?.amopopr,
        compare: catalog.amproc(family, input, input, 1)?.amproc,
    })
}

fn compare(env: &dyn FnHost, order: &Order, collation: Oid, a: &Datum, b: &Datum) -> PgResult<Ordering> {
    Ok(match (a, b) {
        (Datum::Int2(a), Datum::Int2(b)) => a.cmp(b),
        (Datum::Int4(a), Datum::Int4(b)) => a.cmp(b),
        (Datum::Int8(a), Datum::Int8(b)) => a.cmp(b),
        _ => match env.call(order.compare, collation, &[a.clone(), b.clone()])? {
            Datum::Int4(n) => n.cmp(&0),
            _ => Ordering::Equal,
        },
    })
}

fn sort(env: &dyn FnHost, order: &Order, collation: Oid, values: &mut [(Datum, usize)]) -> PgResult<()> {
    let mut failed = None;
    values.sort_by(|a, b| {
        if failed.is_some() {
            return a.1.cmp(&b.1);
        }
        match compare(env, order, collation, &a.0, &b.0) {
            Ok(o) => o.then(a.1.cmp(&b.1)),
            Err(e) => {
                failed = Some(e);
                Ordering::Equal
            }
        }
    });
    failed.map_or(Ok(()), Err)
}

#[allow(clippy::too_many_arguments)]
fn fill(
    env: &dyn FnHost,
    row: &mut StatisticRow,
    ty: Oid,
    collation: Oid,
    order: &Order,
    values: &[(Datum, usize)],
    count: usize,
    wide: usize,
    total: u64,
) -> PgResult<()> {
    // Runs of equal values: (start, length).
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for (i, v) in values.iter().enumerate() {
        match runs.last_mut() {
            Some(run) if compare(env, order, collation, &values[run.0].0, &v.0)? == Ordering::Equal => {
                run.1 += 1
            }
            _ => runs.push((i, 1)),
        }
    }
    let multiple = runs.iter().filter(|r| r.1 > 1).count();
    let null_frac = f64::from(row.stanullfrac);
    let present = values.len() + wide;
    let distinct = n_distinct(runs.len(), multiple, wide, present, null_frac, total as f64);
    row.stadistinct = distinct as f32;
    let mut frequent: Vec<usize> = (0..runs.len()).filter(|i| runs[*i].1 > 1).collect();
    frequent.sort_by_key(|i| (std::cmp::Reverse(runs[*i].1), *i));
    let all = frequent.len() == runs.len() && wide == 0 && distinct > 0.0 && frequent.len() <= TARGET;
    frequent.truncate(TARGET);
    if !all {
        let counts: Vec<usize> = frequent.iter().map(|i| runs[*i].1).collect();
        frequent.truncate(worthwhile(&counts, distinct, null_frac, count as f64, total as f64));
    }
    let mut slots = Slots { row, ty, collation, next: 0 };
    if !frequent.is_empty() {
        let numbers = frequent.iter().map(|i| (runs[*i].1 as f64 / count as f64) as f32).collect();
        let common = frequent.iter().map(|i| values[runs[*i].0].0.clone()).collect();
        slots.add(MCV, order.equal, Some(numbers), Some(common));
    }
    let bounds = (runs.len() - frequent.len()).min(TARGET + 1);
    if bounds >= 2 {
        let common: std::collections::HashSet<usize> = frequent.iter().copied().collect();
        let rest: Vec<usize> = (0..runs.len())
            .filter(|i| !common.contains(i))
            .flat_map(|i| runs[i].0..runs[i].0 + runs[i].1)
            .collect();
        let pick = |i: usize| values[rest[i * (rest.len() - 1) / (bounds - 1)]].0.clone();
        slots.add(HISTOGRAM, order.less, None, Some((0..bounds).map(pick).collect()));
    }
    if values.len() > 1 {
        slots.add(CORRELATION, order.less, Some(vec![correlation(values) as f32]), None);
    }
    Ok(())
}

/// PG: the estimator of Haas and Stokes; more than a tenth of the rows is kept as a fraction.
fn n_distinct(runs: usize, multiple: usize, wide: usize, present: usize, null_frac: f64, total: f64) -> f64 {
    if multiple == 0 {
        return -(1.0 - null_frac);
    }
    let mut d = if wide == 0 && multiple == runs {
        runs as f64
    } else {
        let once = (runs - multiple + wide) as f64;
        let seen = once + multiple as f64;
        let n = present as f64;
        let big = total * (1.0 - null_frac);
        let estimate = if big > 0.0 { n * seen / ((n - once) + once * n / big) } else { 0.0 };
        (estimate.max(seen).min(big.max(seen)) + 0.5).floor()
    };
    if d > 0.1 * total {
        d = -(d / total);
    }
    d
}

/// How many of the most common values are more common than the rest by more than chance.
fn worthwhile(counts: &[usize], distinct: f64, null_frac: f64, n: f64, total: f64) -> usize {
    if n >= total || total <= 1.0 {
        return counts.len();
    }
    let distinct = if distinct < 0.0 { -distinct * total } else { distinct };
    let mut kept = counts.len();
    let mut sum: f64 = counts.iter().take(kept.saturating_sub(1)).map(|c| *c as f64).sum();
    while kept > 0 {
        let last = counts[kept - 1] as f64;
        let mut share = (1.0 - sum / n - null_frac).clamp(0.0, 1.0);
        let others = distinct - (kept - 1) as f64;
        if others > 1.0 {
            share /= others;
        }
        let k = total * last / n;
        let variance = n * k * (total - k) * (total - n) / (total * total * (total - 1.0));
        if last > share * n + 2.0 * variance.sqrt() + 0.5 {
            break;
        }
        kept -= 1;
        if kept > 0 {
            sum -= counts[kept - 1] as f64;
        }
    }
    kept
}

/// Of value order with table order. Positions count among the present values.
fn correlation(values: &[(Datum, usize)]) -> f64 {
    let n = values.len() as f64;
    let mut by_row: Vec<usize> = (0..values.len()).collect();
    by_row.sort_by_key(|i| values[*i].1);
    let xy: f64 = by_row.iter().enumerate().map(|(place, i)| place as f64 * *i as f64).sum();
    let x = (n - 1.0) * n / 2.0;
    let x2 = (n - 1.0) * n * (2.0 * n - 1.0) / 6.0;
    (n * xy - x * x) / (n * x2 - x * x)
}

struct Slots<'r> {
    row: &'r mut StatisticRow,
    ty: Oid,
    collation: Oid,
    next: usize,
}

impl Slots<'_> {
    fn add(&mut self, kind: i16, op: Oid, numbers: Option<Vec<f32>>, values: Option<Vec<Datum>>) {
        let numbers = numbers.map(Into::into);
        let values = values.map(|v| AnyArray(Arc::new(ArrayValue::one_dim(self.ty, v))));
        let (r, c) = (&mut *self.row, self.collation);
        match self.next {
            0 => {
                (r.stakind1, r.staop1, r.stacoll1, r.stanumbers1, r.stavalues1) =
                    (kind, op, c, numbers, values)
            }
            1 => {
                (r.stakind2, r.staop2, r.stacoll2, r.stanumbers2, r.stavalues2) =
                    (kind, op, c, numbers, values)
            }
            _ => {
                (r.stakind3, r.staop3, r.stacoll3, r.stanumbers3, r.stavalues3) =
                    (kind, op, c, numbers, values)
            }
        }
        self.next += 1;
    }
}
