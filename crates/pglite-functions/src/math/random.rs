//! random(), its ranges and distributions, setseed(). The generator belongs to the session.

use pglite_error::{PgResult, bail, err};
use pglite_ir::FnCtx;
use pglite_types::Datum;
use pglite_types::numeric::{self, Numeric};

use crate::builtins;

/// Uniform on [0, 1) with 52 bits.
fn unit(cx: &FnCtx<'_>) -> f64 {
    (cx.host.random() >> 12) as f64 / (1u64 << 52) as f64
}

fn drandom(cx: &FnCtx<'_>) -> f64 {
    unit(cx)
}

fn normal(cx: &FnCtx<'_>, mean: f64, stddev: f64) -> f64 {
    let (u1, u2) = (1.0 - unit(cx), 1.0 - unit(cx));
    let z = (-2.0 * u1.ln()).sqrt() * (2.0 * std::f64::consts::PI * u2).sin();
    stddev * z + mean
}

/// Uniform on [0, span], by rejection.
fn below(cx: &FnCtx<'_>, span: u128) -> u128 {
    if span == 0 {
        return 0;
    }
    if let Ok(narrow) = u64::try_from(span) {
        let shift = narrow.leading_zeros();
        loop {
            let bits = cx.host.random() >> shift;
            if bits <= narrow {
                return u128::from(bits);
            }
        }
    }
    let shift = span.leading_zeros();
    loop {
        let bits = (u128::from(cx.host.random()) << 64 | u128::from(cx.host.random())) >> shift;
        if bits <= span {
            return bits;
        }
    }
}

fn order() -> pglite_error::PgError {
    err!(INVALID_PARAMETER_VALUE, "lower bound must be less than or equal to upper bound")
}

fn int4(cx: &FnCtx<'_>, low: i32, high: i32) -> PgResult<i32> {
    int8(cx, i64::from(low), i64::from(high)).map(|v| v as i32)
}

fn int8(cx: &FnCtx<'_>, low: i64, high: i64) -> PgResult<i64> {
    if low > high {
        return Err(order());
    }
    let span = (i128::from(high) - i128::from(low)) as u128;
    Ok((i128::from(low) + below(cx, span) as i128) as i64)
}

fn number(cx: &FnCtx<'_>, low: &Numeric, high: &Numeric) -> PgResult<Numeric> {
    for (v, name) in [(low, "lower"), (high, "upper")] {
        if v.is_nan() {
            bail!(INVALID_PARAMETER_VALUE, "{name} bound cannot be NaN");
        }
        if v.is_infinite() {
            bail!(INVALID_PARAMETER_VALUE, "{name} bound cannot be infinity");
        }
    }
    if numeric::cmp(low, high).is_gt() {
        return Err(order());
    }
    let scale = low.scale().unwrap_or(0).max(high.scale().unwrap_or(0));
    let unit = numeric::power(&Numeric::from_i64(10), &Numeric::from_i64(i64::from(scale)))?;
    let span = numeric::mul(&numeric::sub(high, low)?, &unit)?;
    let Some(span) = span.to_i128_rounded() else {
        bail!(FEATURE_NOT_SUPPORTED, "random(numeric, numeric) over more than 38 digits is not supported")
    };
    let offset = Numeric::from_i128(below(cx, span as u128) as i128, scale);
    numeric::add(low, &offset)
}

fn setseed(cx: &FnCtx<'_>, seed: f64) -> PgResult<()> {
    if !(-1.0..=1.0).contains(&seed) {
        bail!(INVALID_PARAMETER_VALUE, "setseed parameter {seed} is out of allowed range [-1,1]");
    }
    cx.host.service("setseed", &[Datum::Float8(seed)]).map(|_| ())
}

builtins! { pub TABLE:
    "drandom" => cx drandom[];
    "drandom_normal" => cx normal[f64, f64];
    "int4random" => cx int4[i32, i32];
    "int8random" => cx int8[i64, i64];
    "numeric_random" => cx number[&Numeric, &Numeric];
    "setseed" => cx setseed[f64];
}
