//! Set-returning functions: generate_series, unnest, generate_subscripts.

use pglite_error::{PgError, PgResult, bail};
use pglite_ir::abi::RowSource;
use pglite_ir::{Body, FnCtx};
use pglite_types::array::ArrayValue;
use pglite_types::datetime::{self as dt, Interval, TimeZone};
use pglite_types::numeric::{self, Numeric};
use pglite_types::{Datum, Row};

type Rows = PgResult<Box<dyn RowSource>>;

fn zero_step() -> PgError {
    pglite_error::err!(INVALID_PARAMETER_VALUE, "step size cannot equal zero")
}

/// An integer series; the end is inclusive.
struct Ints {
    next: Option<i64>,
    end: i64,
    step: i64,
    wide: bool,
}

impl RowSource for Ints {
    fn next(&mut self, _: &FnCtx<'_>, out: &mut Row) -> PgResult<bool> {
        let Some(v) = self.next else { return Ok(false) };
        if (self.step > 0 && v > self.end) || (self.step < 0 && v < self.end) {
            self.next = None;
            return Ok(false);
        }
        out.push(if self.wide { Datum::Int8(v) } else { Datum::Int4(v as i32) });
        self.next = v.checked_add(self.step);
        Ok(true)
    }
}

fn ints(args: &[Datum], wide: bool) -> Rows {
    let int = |i: usize| match args.get(i) {
        Some(Datum::Int4(v)) => i64::from(*v),
        Some(Datum::Int8(v)) => *v,
        _ => 1,
    };
    let step = if args.len() > 2 { int(2) } else { 1 };
    if step == 0 {
        return Err(zero_step());
    }
    Ok(Box::new(Ints { next: Some(int(0)), end: int(1), step, wide }))
}

struct Numerics {
    next: Numeric,
    end: Numeric,
    step: Numeric,
}

impl RowSource for Numerics {
    fn next(&mut self, _: &FnCtx<'_>, out: &mut Row) -> PgResult<bool> {
        let order = numeric::cmp(&self.next, &self.end);
        let past = if self.step.signum() > 0 { order.is_gt() } else { order.is_lt() };
        if past {
            return Ok(false);
        }
        let next = numeric::add(&self.next, &self.step)?;
        out.push(Datum::Numeric(std::mem::replace(&mut self.next, next)));
        Ok(true)
    }
}

fn numerics(_: &FnCtx<'_>, args: &[Datum]) -> Rows {
    let get = |i: usize, what: &str| -> PgResult<Numeric> {
        match args.get(i) {
            Some(Datum::Numeric(n)) if n.is_nan() => {
                bail!(INVALID_PARAMETER_VALUE, "{what} cannot be NaN")
            }
            Some(Datum::Numeric(n)) if n.is_infinite() => {
                bail!(INVALID_PARAMETER_VALUE, "{what} cannot be infinity")
            }
            Some(Datum::Numeric(n)) => Ok(n.clone()),
            _ => Ok(Numeric::from_i64(1)),
        }
    };
    let (next, end) = (get(0, "start value")?, get(1, "stop value")?);
    let step = get(2, "step size")?;
    if step.is_zero() {
        return Err(zero_step());
    }
    Ok(Box::new(Numerics { next, end, step }))
}

/// Timestamps; `zone`: with days counted in it.
struct Times {
    next: Option<i64>,
    end: i64,
    step: Interval,
    up: bool,
    zone: Option<TimeZone>,
}

impl RowSource for Times {
    fn next(&mut self, _: &FnCtx<'_>, out: &mut Row) -> PgResult<bool> {
        let Some(v) = self.next else { return Ok(false) };
        if (self.up && v > self.end) || (!self.up && v < self.end) {
            self.next = None;
            return Ok(false);
        }
        out.push(Datum::Timestamp(v));
        self.next = Some(match &self.zone {
            Some(z) => dt::timestamptz_add(v, &self.step, z)?,
            None => dt::timestamp_add(v, &self.step)?,
        });
        Ok(true)
    }
}

fn times(args: &[Datum], zone: Option<TimeZone>) -> Rows {
    let [Datum::Timestamp(start), Datum::Timestamp(end), Datum::Interval(step), ..] = args else {
        return Err(PgError::internal("generate_series called with other types"));
    };
    if !step.is_finite() {
        bail!(INVALID_PARAMETER_VALUE, "step size cannot be infinite");
    }
    let size = step.cmp_value();
    if size == 0 {
        return Err(zero_step());
    }
    Ok(Box::new(Times { next: Some(*start), end: *end, step: *step, up: size > 0, zone }))
}

/// The elements of an array; those of a row type as rows.
struct Elements {
    values: std::vec::IntoIter<Datum>,
    columns: usize,
}

impl RowSource for Elements {
    fn next(&mut self, _: &FnCtx<'_>, out: &mut Row) -> PgResult<bool> {
        let Some(v) = self.values.next() else { return Ok(false) };
        match v {
            Datum::Record(r) if self.columns > 0 => {
                out.extend(
                    r.values.iter().zip(r.attrs.iter()).filter(|(_, a)| !a.dropped).map(|(v, _)| v.clone()),
                );
            }
            Datum::Null if self.columns > 0 => out.extend(std::iter::repeat_n(Datum::Null, self.columns)),
            other => out.push(other),
        }
        Ok(true)
    }
}

fn unnest(cx: &FnCtx<'_>, args: &[Datum]) -> Rows {
    let values = match args.first() {
        Some(Datum::Array(a)) => a.values.clone(),
        Some(Datum::Multirange(m)) => m.ranges.iter().map(|r| Datum::Range(r.clone().into())).collect(),
        _ => Vec::new(),
    };
    let composite = values.iter().any(|v| matches!(v, Datum::Record(_)));
    let columns = if composite { cx.call.columns.len() } else { 0 };
    Ok(Box::new(Elements { values: values.into_iter(), columns }))
}

fn subscripts(_: &FnCtx<'_>, args: &[Datum]) -> Rows {
    let dim = match (args.first(), args.get(1)) {
        (Some(Datum::Array(a)), Some(Datum::Int4(n))) => dimension(a, *n),
        _ => None,
    };
    let Some((lower, upper)) = dim else {
        return Ok(Box::new(Ints { next: None, end: 0, step: 1, wide: false }));
    };
    let backwards = args.get(2).and_then(Datum::as_bool).unwrap_or(false);
    Ok(Box::new(if backwards {
        Ints { next: Some(upper), end: lower, step: -1, wide: false }
    } else {
        Ints { next: Some(lower), end: upper, step: 1, wide: false }
    }))
}

fn dimension(a: &ArrayValue, n: i32) -> Option<(i64, i64)> {
    let d = a.dims.get(usize::try_from(n).ok()?.checked_sub(1)?)?;
    Some((i64::from(d.lower), i64::from(d.lower) + i64::from(d.len) - 1))
}

pub static TABLE: &[(&str, Body)] = &[
    ("generate_series_int4", Body::Set(|_, a| ints(a, false))),
    ("generate_series_step_int4", Body::Set(|_, a| ints(a, false))),
    ("generate_series_int8", Body::Set(|_, a| ints(a, true))),
    ("generate_series_step_int8", Body::Set(|_, a| ints(a, true))),
    ("generate_series_numeric", Body::Set(numerics)),
    ("generate_series_step_numeric", Body::Set(numerics)),
    ("generate_series_timestamp", Body::Set(|_, a| times(a, None))),
    ("generate_series_timestamptz", Body::Set(|cx, a| times(a, Some(crate::time::zone(cx).clone())))),
    ("array_unnest", Body::Set(unnest)),
    ("multirange_unnest", Body::Set(unnest)),
    ("generate_subscripts", Body::Set(subscripts)),
    ("generate_subscripts_nodir", Body::Set(subscripts)),
];
