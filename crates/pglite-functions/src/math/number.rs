//! numeric: operators, casts and mathematical functions; the work is done in `pglite_types::numeric`.

use pglite_error::{PgResult, err};
use pglite_types::numeric::{self, Numeric};

use crate::arg::Lsn;
use crate::builtins;

use numeric::{
    abs, add, ceil, div, div_trunc, exp, factorial, floor, gcd, inc, lcm, ln, log, modulo, mul, neg, power,
    round, sign, sqrt, sub, trunc, width_bucket,
};

fn plus(a: &Numeric) -> Numeric {
    a.clone()
}
fn scale(a: &Numeric) -> Option<i32> {
    a.scale()
}
fn min_scale(a: &Numeric) -> Option<i32> {
    a.min_scale()
}
fn trim_scale(a: &Numeric) -> Numeric {
    a.trim_scale()
}
fn from_i16(a: i16) -> Numeric {
    Numeric::from_i64(i64::from(a))
}
fn from_i32(a: i32) -> Numeric {
    Numeric::from_i64(i64::from(a))
}
fn from_i64(a: i64) -> Numeric {
    Numeric::from_i64(a)
}
fn to_i16(a: &Numeric) -> PgResult<i16> {
    a.to_i16()
}
fn to_i32(a: &Numeric) -> PgResult<i32> {
    a.to_i32()
}
fn to_i64(a: &Numeric) -> PgResult<i64> {
    a.to_i64()
}
fn to_f32(a: &Numeric) -> PgResult<f32> {
    a.to_f32_checked()
}
fn to_f64(a: &Numeric) -> PgResult<f64> {
    a.to_f64_checked()
}
fn coerce(a: &Numeric, typmod: i32) -> PgResult<Numeric> {
    if typmod < 4 { Ok(a.clone()) } else { numeric::apply_typmod(a.clone(), typmod) }
}

fn lsn_range() -> pglite_error::PgError {
    err!(NUMERIC_VALUE_OUT_OF_RANGE, "pg_lsn out of range")
}
fn lsn_of(a: &Numeric) -> PgResult<Lsn> {
    if !a.is_finite() {
        let what = if a.is_nan() { "NaN" } else { "infinity" };
        return Err(err!(FEATURE_NOT_SUPPORTED, "cannot convert {what} to pg_lsn"));
    }
    let v = a.to_i128_rounded().and_then(|v| u64::try_from(v).ok());
    v.map(Lsn).ok_or_else(lsn_range)
}
fn lsn_mi(a: Lsn, b: Lsn) -> Numeric {
    Numeric::from_i128(i128::from(a.0) - i128::from(b.0), 0)
}
fn lsn_shift(a: Lsn, by: &Numeric, minus: bool) -> PgResult<Lsn> {
    if (a.0 != 0 || by.is_nan()) && by.is_nan() {
        let what = if minus { "subtract NaN from" } else { "add NaN to" };
        return Err(err!(FEATURE_NOT_SUPPORTED, "cannot {what} pg_lsn"));
    }
    let base = Numeric::from_i128(i128::from(a.0), 0);
    lsn_of(&if minus { sub(&base, by)? } else { add(&base, by)? })
}
fn lsn_pli(a: Lsn, by: &Numeric) -> PgResult<Lsn> {
    lsn_shift(a, by, false)
}
fn lsn_mii(a: Lsn, by: &Numeric) -> PgResult<Lsn> {
    lsn_shift(a, by, true)
}

builtins! { pub TABLE:
    "numeric_add" => add[&Numeric, &Numeric];
    "numeric_sub" => sub[&Numeric, &Numeric];
    "numeric_mul" => mul[&Numeric, &Numeric];
    "numeric_div" => div[&Numeric, &Numeric];
    "numeric_div_trunc" => div_trunc[&Numeric, &Numeric];
    "numeric_mod" => modulo[&Numeric, &Numeric];
    "numeric_uminus" => neg[&Numeric];
    "numeric_uplus" => plus[&Numeric];
    "numeric_abs" => abs[&Numeric];
    "numeric_sign" => sign[&Numeric];
    "numeric_inc" => inc[&Numeric];
    "numeric_ceil" => ceil[&Numeric];
    "numeric_floor" => floor[&Numeric];
    "numeric_round" => round[&Numeric, i32];
    "numeric_trunc" => trunc[&Numeric, i32];
    "numeric_sqrt" => sqrt[&Numeric];
    "numeric_exp" => exp[&Numeric];
    "numeric_ln" => ln[&Numeric];
    "numeric_log" => log[&Numeric, &Numeric];
    "numeric_power" => power[&Numeric, &Numeric];
    "numeric_gcd" => gcd[&Numeric, &Numeric];
    "numeric_lcm" => lcm[&Numeric, &Numeric];
    "numeric_fac" => factorial[i64];
    "numeric_scale" => scale[&Numeric];
    "numeric_min_scale" => min_scale[&Numeric];
    "numeric_trim_scale" => trim_scale[&Numeric];
    "width_bucket_numeric" => width_bucket[&Numeric, &Numeric, &Numeric, i32];
    "int2_numeric" => from_i16[i16];
    "int4_numeric" => from_i32[i32];
    "int8_numeric" => from_i64[i64];
    "numeric_int2" => to_i16[&Numeric];
    "numeric_int4" => to_i32[&Numeric];
    "numeric_int8" => to_i64[&Numeric];
    "numeric_float4" => to_f32[&Numeric];
    "numeric_float8" => to_f64[&Numeric];
    "numeric" => coerce[&Numeric, i32];
    "numeric_pg_lsn" => lsn_of[&Numeric];
    "pg_lsn_mi" => lsn_mi[Lsn, Lsn];
    "pg_lsn_pli" => lsn_pli[Lsn, &Numeric];
    "pg_lsn_mii" => lsn_mii[Lsn, &Numeric];
}
