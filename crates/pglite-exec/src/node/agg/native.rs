//! Aggregates computed here when the registry has no body for them: sums and averages of floats, numerics, intervals
//! and money, variances, booleans, strings, arrays.
//!
//! Keyed like the registry: transition function and final function.

use std::sync::Arc;

use pglite_error::{PgError, PgResult, bail};
use pglite_ir::abi::{Accumulator, AggregateFn, FnCtx};
use pglite_types::array::ArrayValue;
use pglite_types::datetime::Interval;
use pglite_types::numeric::{self, Numeric};
use pglite_types::{Datum, Oid, TypeEnv};

use crate::compare::as_int;
use crate::expr::nest;

/// The accumulator of a built-in aggregate by its functions' `prosrc`.
pub fn find(trans: &str, final_fn: &str) -> Option<AggregateFn> {
    Some(match (trans, final_fn) {
        ("float8pl", "-") => |_| acc(FloatSum { sum: 0.0, any: false, single: false }),
        ("float4pl", "-") => |_| acc(FloatSum { sum: 0.0, any: false, single: true }),
        ("float8_accum" | "float4_accum", "float8_avg") => |_| acc(Moments::new(Want::Avg)),
        ("float8_accum" | "float4_accum", "float8_var_pop") => |_| acc(Moments::new(Want::VarPop)),
        ("float8_accum" | "float4_accum", "float8_var_samp") => |_| acc(Moments::new(Want::VarSamp)),
        ("float8_accum" | "float4_accum", "float8_stddev_pop") => |_| acc(Moments::new(Want::StdPop)),
        ("float8_accum" | "float4_accum", "float8_stddev_samp") => |_| acc(Moments::new(Want::StdSamp)),
        ("numeric_avg_accum", "numeric_sum") => |_| acc(NumericSum::new(false)),
        ("numeric_avg_accum", "numeric_avg") => |_| acc(NumericSum::new(true)),
        (
            "numeric_accum" | "int2_accum" | "int4_accum" | "int8_accum",
            "numeric_var_pop" | "numeric_poly_var_pop",
        ) => |_| acc(NumericVar::new(false, false)),
        (
            "numeric_accum" | "int2_accum" | "int4_accum" | "int8_accum",
            "numeric_var_samp" | "numeric_poly_var_samp",
        ) => |_| acc(NumericVar::new(true, false)),
        (
            "numeric_accum" | "int2_accum" | "int4_accum" | "int8_accum",
            "numeric_stddev_pop" | "numeric_poly_stddev_pop",
        ) => |_| acc(NumericVar::new(false, true)),
        (
            "numeric_accum" | "int2_accum" | "int4_accum" | "int8_accum",
            "numeric_stddev_samp" | "numeric_poly_stddev_samp",
        ) => |_| acc(NumericVar::new(true, true)),
        ("interval_avg_accum", "interval_sum") => {
            |_| acc(IntervalSum { sum: Interval::default(), n: 0, avg: false })
        }
        ("interval_avg_accum", "interval_avg") => {
            |_| acc(IntervalSum { sum: Interval::default(), n: 0, avg: true })
        }
        ("cash_pl", "-") => |_| acc(CashSum { sum: 0, any: false }),
        ("booland_statefunc", _) => |_| acc(Bool { yes: 0, no: 0, all: true }),
        ("boolor_statefunc", _) => |_| acc(Bool { yes: 0, no: 0, all: false }),
        ("any_value_transfn", _) => |_| acc(AnyValue(Datum::Null)),
        ("string_agg_transfn", _) => |_| acc(StringAgg { out: String::new(), any: false }),
        ("bytea_string_agg_transfn", _) => |_| acc(BytesAgg { out: Vec::new(), any: false }),
        ("array_agg_transfn", _) => |cx| {
            let elem = cx.call.arg_types.first().copied().unwrap_or_default();
            acc(ArrayAgg { elem, values: Vec::new(), arrays: false })
        },
        ("array_agg_array_transfn", _) => |cx| {
            let array = cx.call.arg_types.first().copied().unwrap_or_default();
            let elem = TypeEnv::type_desc(cx.host, array)?.elem;
            acc(ArrayAgg { elem, values: Vec::new(), arrays: true })
        },
        _ => return None,
    })
}

fn acc<A: Accumulator + 'static>(a: A) -> PgResult<Box<dyn Accumulator>> {
    Ok(Box::new(a))
}

fn float(d: &Datum) -> Option<f64> {
    match d {
        Datum::Float8(v) => Some(*v),
        Datum::Float4(v) => Some(*v as f64),
        _ => None,
    }
}

fn overflow() -> PgError {
    pglite_error::err!(NUMERIC_VALUE_OUT_OF_RANGE, "value out of range: overflow")
}

struct FloatSum {
    sum: f64,
    any: bool,
    single: bool,
}

impl Accumulator for FloatSum {
    fn update(&mut self, _: &FnCtx<'_>, args: &[Datum]) -> PgResult<()> {
        let Some(v) = float(&args[0]) else { return Ok(()) };
        if !std::mem::replace(&mut self.any, true) {
            self.sum = v;
            return Ok(());
        }
        let before = self.sum;
        self.sum += v;
        if self.single {
            self.sum = (self.sum as f32) as f64;
        }
        if self.sum.is_infinite() && !before.is_infinite() && !v.is_infinite() {
            return Err(overflow());
        }
        Ok(())
    }
    fn finish(&mut self, _: &FnCtx<'_>, _: &[Datum]) -> PgResult<Datum> {
        Ok(match (self.any, self.single) {
            (false, _) => Datum::Null,
            (true, true) => Datum::Float4(self.sum as f32),
            (true, false) => Datum::Float8(self.sum),
        })
    }
}

#[derive(Clone, Copy)]
enum Want {
    Avg,
    VarPop,
    VarSamp,
    StdPop,
    StdSamp,
}

/// Youngs and Cramer's running sum of squared deviations.
struct Moments {
    n: f64,
    sum: f64,
    squares: f64,
    want: Want,
}

impl Moments {
    fn new(want: Want) -> Moments {
        Moments { n: 0.0, sum: 0.0, squares: 0.0, want }
    }
}

impl Accumulator for Moments {
    fn update(&mut self, _: &FnCtx<'_>, args: &[Datum]) -> PgResult<()> {
        let Some(v) = float(&args[0]) else { return Ok(()) };
        let before = self.sum;
        self.n += 1.0;
        self.sum += v;
        if self.n > 1.0 {
            let tmp = v * self.n - self.sum;
            self.squares += tmp * tmp / (self.n * (self.n - 1.0));
            if self.sum.is_infinite() || self.squares.is_infinite() {
                if !before.is_infinite() && !v.is_infinite() {
                    return Err(overflow());
                }
                self.squares = f64::NAN;
            }
        } else if v.is_nan() || v.is_infinite() {
            self.squares = f64::NAN;
        }
        Ok(())
    }
    fn finish(&mut self, _: &FnCtx<'_>, _: &[Datum]) -> PgResult<Datum> {
        let least = if matches!(self.want, Want::VarSamp | Want::StdSamp) { 2.0 } else { 1.0 };
        if self.n < least {
            return Ok(Datum::Null);
        }
        Ok(Datum::Float8(match self.want {
            Want::Avg => self.sum / self.n,
            Want::VarPop => self.squares / self.n,
            Want::VarSamp => self.squares / (self.n - 1.0),
            Want::StdPop => (self.squares / self.n).sqrt(),
            Want::StdSamp => (self.squares / (self.n - 1.0)).sqrt(),
        }))
    }
}

struct NumericSum {
    sum: Numeric,
    n: i64,
    avg: bool,
}

impl NumericSum {
    fn new(avg: bool) -> NumericSum {
        NumericSum { sum: Numeric::from_i64(0), n: 0, avg }
    }
}

impl Accumulator for NumericSum {
    fn update(&mut self, _: &FnCtx<'_>, args: &[Datum]) -> PgResult<()> {
        let Datum::Numeric(v) = &args[0] else { return Ok(()) };
        self.n += 1;
        self.sum = numeric::add(&self.sum, v)?;
        Ok(())
    }
    fn finish(&mut self, _: &FnCtx<'_>, _: &[Datum]) -> PgResult<Datum> {
        if self.n == 0 {
            return Ok(Datum::Null);
        }
        Ok(Datum::Numeric(if self.avg {
            numeric::div(&self.sum, &Numeric::from_i64(self.n))?
        } else {
            self.sum.clone()
        }))
    }
}

/// Sum and sum of squares.
struct NumericVar {
    n: i64,
    sum: Numeric,
    squares: Numeric,
    /// A NaN or an infinity was among the values.
    odd: bool,
    sample: bool,
    stddev: bool,
}

impl NumericVar {
    fn new(sample: bool, stddev: bool) -> NumericVar {
        let zero = Numeric::from_i64(0);
        NumericVar { n: 0, sum: zero.clone(), squares: zero, odd: false, sample, stddev }
    }
}

impl Accumulator for NumericVar {
    fn update(&mut self, _: &FnCtx<'_>, args: &[Datum]) -> PgResult<()> {
        let v = match &args[0] {
            Datum::Numeric(v) => v.clone(),
            other => match as_int(other) {
                Some(v) => Numeric::from_i64(v),
                None => return Ok(()),
            },
        };
        self.n += 1;
        if !v.is_finite() {
            self.odd = true;
            return Ok(());
        }
        self.sum = numeric::add(&self.sum, &v)?;
        self.squares = numeric::add(&self.squares, &numeric::mul(&v, &v)?)?;
        Ok(())
    }
    fn finish(&mut self, _: &FnCtx<'_>, _: &[Datum]) -> PgResult<Datum> {
        if self.n == 0 || (self.sample && self.n == 1) {
            return Ok(Datum::Null);
        }
        if self.odd {
            return Ok(Datum::Numeric(Numeric::NaN));
        }
        let v = numeric::variance(self.n, &self.sum, &self.squares, self.sample, self.stddev)?;
        Ok(v.map_or(Datum::Null, Datum::Numeric))
    }
}

struct IntervalSum {
    sum: Interval,
    n: i64,
    avg: bool,
}

impl Accumulator for IntervalSum {
    fn update(&mut self, _: &FnCtx<'_>, args: &[Datum]) -> PgResult<()> {
        let Datum::Interval(v) = &args[0] else { return Ok(()) };
        self.n += 1;
        self.sum = pglite_types::datetime::interval_add(&self.sum, v)?;
        Ok(())
    }
    fn inverse(&mut self, _: &FnCtx<'_>, args: &[Datum]) -> PgResult<bool> {
        if let Datum::Interval(v) = &args[0] {
            self.n -= 1;
            self.sum = pglite_types::datetime::interval_sub(&self.sum, v)?;
        }
        Ok(true)
    }
    fn finish(&mut self, _: &FnCtx<'_>, _: &[Datum]) -> PgResult<Datum> {
        if self.n == 0 {
            return Ok(Datum::Null);
        }
        if !self.avg {
            return Ok(Datum::Interval(self.sum));
        }
        pglite_types::datetime::interval_div(&self.sum, self.n as f64).map(Datum::Interval)
    }
}

struct CashSum {
    sum: i64,
    any: bool,
}

impl Accumulator for CashSum {
    fn update(&mut self, _: &FnCtx<'_>, args: &[Datum]) -> PgResult<()> {
        if let Some(v) = as_int(&args[0]) {
            self.any = true;
            match self.sum.checked_add(v) {
                Some(s) => self.sum = s,
                None => bail!(NUMERIC_VALUE_OUT_OF_RANGE, "money out of range"),
            }
        }
        Ok(())
    }
    fn finish(&mut self, _: &FnCtx<'_>, _: &[Datum]) -> PgResult<Datum> {
        Ok(if self.any { Datum::Int8(self.sum) } else { Datum::Null })
    }
}

struct Bool {
    yes: i64,
    no: i64,
    all: bool,
}

impl Bool {
    fn add(&mut self, d: &Datum, by: i64) {
        match d {
            Datum::Bool(true) => self.yes += by,
            Datum::Bool(false) => self.no += by,
            _ => {}
        }
    }
}

impl Accumulator for Bool {
    fn update(&mut self, _: &FnCtx<'_>, args: &[Datum]) -> PgResult<()> {
        self.add(&args[0], 1);
        Ok(())
    }
    fn inverse(&mut self, _: &FnCtx<'_>, args: &[Datum]) -> PgResult<bool> {
        self.add(&args[0], -1);
        Ok(true)
    }
    fn finish(&mut self, _: &FnCtx<'_>, _: &[Datum]) -> PgResult<Datum> {
        Ok(match (self.yes + self.no, self.all) {
            (0, _) => Datum::Null,
            (_, true) => Datum::Bool(self.no == 0),
            (_, false) => Datum::Bool(self.yes > 0),
        })
    }
}

struct AnyValue(Datum);

impl Accumulator for AnyValue {
    fn update(&mut self, _: &FnCtx<'_>, args: &[Datum]) -> PgResult<()> {
        if self.0.is_null() {
            self.0 = args[0].clone();
        }
        Ok(())
    }
    fn finish(&mut self, _: &FnCtx<'_>, _: &[Datum]) -> PgResult<Datum> {
        Ok(self.0.clone())
    }
}

struct StringAgg {
    out: String,
    any: bool,
}

impl Accumulator for StringAgg {
    fn update(&mut self, _: &FnCtx<'_>, args: &[Datum]) -> PgResult<()> {
        let Datum::Text(v) = &args[0] else { return Ok(()) };
        if std::mem::replace(&mut self.any, true)
            && let Some(Datum::Text(delim)) = args.get(1)
        {
            self.out.push_str(delim);
        }
        self.out.push_str(v);
        Ok(())
    }
    fn finish(&mut self, _: &FnCtx<'_>, _: &[Datum]) -> PgResult<Datum> {
        Ok(if self.any { Datum::text(self.out.as_str()) } else { Datum::Null })
    }
    fn memory(&self) -> usize {
        self.out.len()
    }
}

struct BytesAgg {
    out: Vec<u8>,
    any: bool,
}

impl Accumulator for BytesAgg {
    fn update(&mut self, _: &FnCtx<'_>, args: &[Datum]) -> PgResult<()> {
        let Datum::Bytea(v) = &args[0] else { return Ok(()) };
        if std::mem::replace(&mut self.any, true)
            && let Some(Datum::Bytea(delim)) = args.get(1)
        {
            self.out.extend_from_slice(delim);
        }
        self.out.extend_from_slice(v);
        Ok(())
    }
    fn finish(&mut self, _: &FnCtx<'_>, _: &[Datum]) -> PgResult<Datum> {
        Ok(if self.any { Datum::Bytea(self.out.as_slice().into()) } else { Datum::Null })
    }
    fn memory(&self) -> usize {
        self.out.len()
    }
}

struct ArrayAgg {
    elem: Oid,
    values: Vec<Datum>,
    arrays: bool,
}

impl Accumulator for ArrayAgg {
    fn update(&mut self, _: &FnCtx<'_>, args: &[Datum]) -> PgResult<()> {
        if self.arrays {
            match &args[0] {
                Datum::Null => bail!(NULL_VALUE_NOT_ALLOWED, "cannot accumulate null arrays"),
                Datum::Array(a) if a.is_empty() => {
                    bail!(ARRAY_SUBSCRIPT_ERROR, "cannot accumulate empty arrays")
                }
                Datum::Array(a) => {
                    if let Some(Datum::Array(first)) = self.values.first()
                        && first.dims != a.dims
                    {
                        bail!(ARRAY_SUBSCRIPT_ERROR, "cannot accumulate arrays of different dimensionality");
                    }
                }
                _ => {}
            }
        }
        self.values.push(args[0].clone());
        Ok(())
    }
    fn finish(&mut self, _: &FnCtx<'_>, _: &[Datum]) -> PgResult<Datum> {
        if self.values.is_empty() {
            return Ok(Datum::Null);
        }
        if self.arrays {
            return nest(self.elem, self.values.clone());
        }
        Ok(Datum::Array(Arc::new(ArrayValue::one_dim(self.elem, self.values.clone()))))
    }
    fn memory(&self) -> usize {
        self.values.len() * size_of::<Datum>()
    }
}
