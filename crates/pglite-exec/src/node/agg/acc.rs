//! The running state of one aggregate in one group.

use pglite_error::{PgError, PgResult, bail, err};
use pglite_ir::abi::{Accumulator, FnCtx};
use pglite_types::numeric::{Numeric, div};
use pglite_types::{Datum, Oid};

use super::ordered;
use super::spec::{AggSpec, Imp, TransSpec, has_null};
use crate::compare::{as_int, cmp_rows};
use crate::state::ExecCx;
use crate::store::{StoredRow, quicksort, row_bytes};

pub enum Acc {
    Count(i64),
    SumInt {
        sum: i64,
        count: i64,
    },
    SumBig {
        sum: i128,
        count: i64,
    },
    Value(Datum),
    Native(Box<dyn Accumulator>),
    Trans {
        state: Datum,
        unset: bool,
    },
    /// Inputs of an ordered, distinct or ordered-set aggregate.
    Sorted(Vec<StoredRow>),
}

impl Acc {
    pub fn new(spec: &AggSpec, cx: &mut ExecCx<'_>) -> PgResult<Acc> {
        if spec.sorts() || matches!(spec.imp, Imp::Ordered(_)) {
            return Ok(Acc::Sorted(Vec::new()));
        }
        Acc::plain(spec, cx)
    }

    pub fn plain(spec: &AggSpec, cx: &mut ExecCx<'_>) -> PgResult<Acc> {
        Ok(match &spec.imp {
            Imp::CountStar | Imp::Count => Acc::Count(0),
            Imp::SumInt => Acc::SumInt { sum: 0, count: 0 },
            Imp::SumBig | Imp::AvgInt => Acc::SumBig { sum: 0, count: 0 },
            Imp::MinMax { .. } => Acc::Value(Datum::Null),
            Imp::Native { f, info } => Acc::Native(f(&FnCtx { host: cx.env.host, call: info })?),
            Imp::Trans(t) => initial(t, cx)?,
            Imp::Ordered(_) => Acc::Sorted(Vec::new()),
        })
    }

    /// Takes one row of arguments.
    #[inline]
    pub fn update(&mut self, spec: &AggSpec, args: &[Datum], cx: &mut ExecCx<'_>) -> PgResult<()> {
        match (self, &spec.imp) {
            (Acc::Count(n), Imp::CountStar) => *n += 1,
            (Acc::Count(n), _) => *n += i64::from(!args[0].is_null()),
            (Acc::SumInt { sum, count }, _) => {
                if let Some(v) = as_int(&args[0]) {
                    *count += 1;
                    *sum = sum.checked_add(v).ok_or_else(bigint_range)?;
                }
            }
            (Acc::SumBig { sum, count }, _) => {
                if let Some(v) = as_int(&args[0]) {
                    *sum += v as i128;
                    *count += 1;
                }
            }
            (Acc::Value(best), Imp::MinMax { cmp, greatest }) => {
                let v = &args[0];
                if v.is_null() {
                    return Ok(());
                }
                if best.is_null() {
                    *best = v.clone();
                    return Ok(());
                }
                let o = cmp.cmp(cx, v, best)?;
                if if *greatest { o.is_gt() } else { o.is_lt() } {
                    *best = v.clone();
                }
            }
            (Acc::Native(acc), Imp::Native { info, .. }) => {
                let inputs = spec.inputs.min(args.len());
                acc.update(&FnCtx { host: cx.env.host, call: info }, &args[..inputs])?;
            }
            (Acc::Trans { state, unset }, Imp::Trans(t)) => {
                advance(t, state, unset, &args[..spec.inputs], cx)?
            }
            (Acc::Sorted(rows), _) => {
                cx.run.charge(row_bytes(args))?;
                rows.push(args.into());
            }
            _ => return Err(PgError::internal("aggregate state does not fit its aggregate")),
        }
        Ok(())
    }

    /// Takes back a row that left a moving frame; false = recompute.
    pub fn inverse(&mut self, spec: &AggSpec, args: &[Datum], cx: &mut ExecCx<'_>) -> PgResult<bool> {
        Ok(match (self, &spec.imp) {
            (Acc::Count(n), Imp::CountStar) => {
                *n -= 1;
                true
            }
            (Acc::Count(n), _) => {
                *n -= i64::from(!args[0].is_null());
                true
            }
            (Acc::SumInt { sum, count }, _) => {
                if let Some(v) = as_int(&args[0]) {
                    *count -= 1;
                    *sum = sum.checked_sub(v).ok_or_else(bigint_range)?;
                }
                true
            }
            (Acc::SumBig { sum, count }, _) => {
                if let Some(v) = as_int(&args[0]) {
                    *sum -= v as i128;
                    *count -= 1;
                }
                true
            }
            (Acc::Native(acc), Imp::Native { info, .. }) => {
                acc.inverse(&FnCtx { host: cx.env.host, call: info }, &args[..spec.inputs])?
            }
            (Acc::Trans { state, unset }, Imp::Trans(t)) => match &t.inverse {
                Some(f) if !*unset => {
                    if f.strict && has_null(args) {
                        return Ok(true);
                    }
                    let mut call = Vec::with_capacity(args.len() + 1);
                    call.push(state.clone());
                    call.extend_from_slice(&args[..spec.inputs]);
                    let v = f.call(cx, &call)?;
                    if v.is_null() {
                        return Ok(false);
                    }
                    *state = v;
                    true
                }
                _ => false,
            },
            _ => false,
        })
    }

    /// The aggregate's value.
    pub fn finish(&mut self, spec: &AggSpec, direct: &[Datum], cx: &mut ExecCx<'_>) -> PgResult<Datum> {
        match (&mut *self, &spec.imp) {
            (Acc::Count(n), _) => Ok(Datum::Int8(*n)),
            (Acc::SumInt { sum, count }, _) => Ok(if *count > 0 { Datum::Int8(*sum) } else { Datum::Null }),
            (Acc::SumBig { count: 0, .. }, _) => Ok(Datum::Null),
            (Acc::SumBig { sum, .. }, Imp::SumBig) => Ok(Datum::Numeric(Numeric::from_i128(*sum, 0))),
            (Acc::SumBig { sum, count }, _) => {
                Ok(Datum::Numeric(div(&Numeric::from_i128(*sum, 0), &Numeric::from_i64(*count))?))
            }
            (Acc::Value(v), _) => Ok(v.clone()),
            (Acc::Native(acc), Imp::Native { info, .. }) => {
                acc.finish(&FnCtx { host: cx.env.host, call: info }, direct)
            }
            (Acc::Trans { state, .. }, Imp::Trans(t)) => finish_trans(t, state, direct, cx),
            (Acc::Sorted(rows), _) => {
                let rows = std::mem::take(rows);
                finish_sorted(rows, spec, direct, cx)
            }
            _ => Err(PgError::internal("aggregate state does not fit its aggregate")),
        }
    }
}

#[cold]
pub fn bigint_range() -> PgError {
    err!(NUMERIC_VALUE_OUT_OF_RANGE, "bigint out of range")
}

fn initial(t: &TransSpec, cx: &mut ExecCx<'_>) -> PgResult<Acc> {
    Ok(match &t.init {
        Some(text) => Acc::Trans {
            state: pglite_types::text::text_in(cx.env.host, t.trans_type, -1, text)?,
            unset: false,
        },
        None => Acc::Trans { state: Datum::Null, unset: true },
    })
}

fn advance(
    t: &TransSpec,
    state: &mut Datum,
    unset: &mut bool,
    args: &[Datum],
    cx: &mut ExecCx<'_>,
) -> PgResult<()> {
    if t.trans.strict {
        if has_null(args) {
            return Ok(());
        }
        if *unset && t.first_is_state {
            *state = args.first().cloned().unwrap_or_default();
            *unset = false;
            return Ok(());
        }
        // A strict transition that once returned NULL stays NULL.
        if state.is_null() {
            return Ok(());
        }
    }
    let mut call: smallvec::SmallVec<[Datum; 4]> = smallvec::SmallVec::with_capacity(args.len() + 1);
    call.push(std::mem::take(state));
    call.extend(args.iter().cloned());
    *state = t.trans.call_unchecked(cx, &call)?;
    *unset = false;
    Ok(())
}

fn finish_trans(t: &TransSpec, state: &Datum, direct: &[Datum], cx: &mut ExecCx<'_>) -> PgResult<Datum> {
    let Some(f) = &t.final_fn else { return Ok(state.clone()) };
    let mut call = vec![state.clone()];
    call.extend(direct.iter().cloned());
    call.resize(t.final_args + 1, Datum::Null);
    f.call(cx, &call)
}

fn finish_sorted(
    mut rows: Vec<StoredRow>,
    spec: &AggSpec,
    direct: &[Datum],
    cx: &mut ExecCx<'_>,
) -> PgResult<Datum> {
    let bytes: usize = rows.iter().map(|r| row_bytes(r)).sum();
    quicksort(&mut rows, cx, &mut |cx, a, b| cmp_rows(&spec.order, cx, a, b))?;
    cx.run.release(bytes);
    if spec.distinct > 0 {
        let mut kept: Vec<StoredRow> = Vec::with_capacity(rows.len());
        for row in rows {
            let same = match kept.last() {
                Some(last) => cmp_rows(&spec.order, cx, last, &row)?.is_eq(),
                None => false,
            };
            if !same {
                kept.push(row);
            }
        }
        rows = kept;
    }
    if let Imp::Ordered(kind) = &spec.imp {
        return ordered::finish(*kind, &rows, spec, direct, cx);
    }
    let mut acc = Acc::plain(spec, cx)?;
    for row in &rows {
        acc.update(spec, &row[..spec.inputs.max(usize::from(spec.inputs == 0 && !row.is_empty()))], cx)?;
    }
    acc.finish(spec, direct, cx)
}

/// Checks a percentile fraction.
pub fn fraction(d: &Datum) -> PgResult<Option<f64>> {
    match d {
        Datum::Null => Ok(None),
        Datum::Float8(f) if !(0.0..=1.0).contains(f) => {
            bail!(NUMERIC_VALUE_OUT_OF_RANGE, "percentile value {f} is not between 0 and 1")
        }
        Datum::Float8(f) => Ok(Some(*f)),
        other => Err(PgError::internal(format!("percentile {other:?}"))),
    }
}

/// The array of a multi-percentile's results.
pub fn array_like(shape: &Datum, elem_type: Oid, values: Vec<Datum>) -> Datum {
    match shape {
        Datum::Array(a) => Datum::Array(std::sync::Arc::new(pglite_types::array::ArrayValue {
            elem_type,
            dims: a.dims.clone(),
            values,
        })),
        _ => Datum::Null,
    }
}
