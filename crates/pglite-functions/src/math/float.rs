//! float4 and float8: operators, casts, mathematical functions, with PostgreSQL's range errors.

use pglite_error::{PgError, PgResult, bail, err};
use pglite_types::numeric::Numeric;

use super::degree::*;
use crate::builtins;

#[cold]
pub fn overflow() -> PgError {
    err!(NUMERIC_VALUE_OUT_OF_RANGE, "value out of range: overflow")
}

#[cold]
pub fn underflow() -> PgError {
    err!(NUMERIC_VALUE_OUT_OF_RANGE, "value out of range: underflow")
}

#[cold]
pub fn input_range() -> PgError {
    err!(NUMERIC_VALUE_OUT_OF_RANGE, "input is out of range")
}

macro_rules! float_ops {
    ($($a:ty, $b:ty, $r:ty: $add:ident $sub:ident $mul:ident $div:ident;)*) => {$(
        fn $add(a: $a, b: $b) -> PgResult<$r> {
            let (a, b) = (a as $r, b as $r);
            let r = a + b;
            if r.is_infinite() && !a.is_infinite() && !b.is_infinite() { Err(overflow()) } else { Ok(r) }
        }
        fn $sub(a: $a, b: $b) -> PgResult<$r> {
            let (a, b) = (a as $r, b as $r);
            let r = a - b;
            if r.is_infinite() && !a.is_infinite() && !b.is_infinite() { Err(overflow()) } else { Ok(r) }
        }
        fn $mul(a: $a, b: $b) -> PgResult<$r> {
            let (a, b) = (a as $r, b as $r);
            let r = a * b;
            if r.is_infinite() && !a.is_infinite() && !b.is_infinite() {
                return Err(overflow());
            }
            if r == 0.0 && a != 0.0 && b != 0.0 { Err(underflow()) } else { Ok(r) }
        }
        fn $div(a: $a, b: $b) -> PgResult<$r> {
            let (a, b) = (a as $r, b as $r);
            if b == 0.0 && !a.is_nan() {
                return Err(crate::arith::int::division_by_zero());
            }
            let r = a / b;
            if r.is_infinite() && !a.is_infinite() {
                return Err(overflow());
            }
            if r == 0.0 && a != 0.0 && !b.is_infinite() { Err(underflow()) } else { Ok(r) }
        }
    )*};
}

float_ops! {
    f32, f32, f32: float4pl float4mi float4mul float4div;
    f64, f64, f64: float8pl float8mi float8mul float8div;
    f32, f64, f64: float48pl float48mi float48mul float48div;
    f64, f32, f64: float84pl float84mi float84mul float84div;
}

fn float4um(a: f32) -> f32 {
    -a
}
fn float8um(a: f64) -> f64 {
    -a
}
fn float4up(a: f32) -> f32 {
    a
}
fn float8up(a: f64) -> f64 {
    a
}
fn float4abs(a: f32) -> f32 {
    a.abs()
}
fn float8abs(a: f64) -> f64 {
    a.abs()
}

fn ftod(a: f32) -> f64 {
    f64::from(a)
}
fn dtof(a: f64) -> PgResult<f32> {
    let r = a as f32;
    if r.is_infinite() && !a.is_infinite() {
        return Err(overflow());
    }
    if r == 0.0 && a != 0.0 { Err(underflow()) } else { Ok(r) }
}

macro_rules! to_int {
    ($($name:ident $f:ty => $t:ty;)*) => {$(
        fn $name(a: $f) -> PgResult<$t> {
            let r = a.round_ties_even();
            if r.is_nan() || r < <$t>::MIN as $f || r >= -(<$t>::MIN as $f) {
                return Err(crate::arith::int::out_of_range::<$t>());
            }
            Ok(r as $t)
        }
    )*};
}
to_int! { dtoi2 f64 => i16; dtoi4 f64 => i32; dtoi8 f64 => i64; ftoi2 f32 => i16; ftoi4 f32 => i32; ftoi8 f32 => i64; }

macro_rules! from_int {
    ($($name:ident $t:ty => $f:ty;)*) => {$( fn $name(a: $t) -> $f { a as $f } )*};
}
from_int! { i2tod i16 => f64; i4tod i32 => f64; i8tod i64 => f64; i2tof i16 => f32; i4tof i32 => f32; i8tof i64 => f32; }

fn float4_numeric(a: f32) -> PgResult<Numeric> {
    Numeric::from_f32(a)
}
fn float8_numeric(a: f64) -> PgResult<Numeric> {
    Numeric::from_f64(a)
}

fn dround(a: f64) -> f64 {
    a.round_ties_even()
}
fn dceil(a: f64) -> f64 {
    a.ceil()
}
fn dfloor(a: f64) -> f64 {
    a.floor()
}
fn dtrunc(a: f64) -> f64 {
    a.trunc()
}
fn dsign(a: f64) -> f64 {
    if a > 0.0 {
        1.0
    } else if a < 0.0 {
        -1.0
    } else if a.is_nan() {
        a
    } else {
        0.0
    }
}
fn dsqrt(a: f64) -> PgResult<f64> {
    if a < 0.0 {
        bail!(INVALID_ARGUMENT_FOR_POWER_FUNCTION, "cannot take square root of a negative number");
    }
    Ok(a.sqrt())
}
fn dcbrt(a: f64) -> f64 {
    a.cbrt()
}
fn dexp(a: f64) -> PgResult<f64> {
    if a.is_nan() || a == f64::INFINITY {
        return Ok(a);
    }
    if a == f64::NEG_INFINITY {
        return Ok(0.0);
    }
    let r = a.exp();
    if r.is_infinite() {
        return Err(overflow());
    }
    if r == 0.0 { Err(underflow()) } else { Ok(r) }
}
fn log_domain(a: f64) -> PgResult<()> {
    if a == 0.0 {
        bail!(INVALID_ARGUMENT_FOR_LOG, "cannot take logarithm of zero");
    }
    if a < 0.0 {
        bail!(INVALID_ARGUMENT_FOR_LOG, "cannot take logarithm of a negative number");
    }
    Ok(())
}
fn dlog1(a: f64) -> PgResult<f64> {
    log_domain(a)?;
    Ok(a.ln())
}
fn dlog10(a: f64) -> PgResult<f64> {
    log_domain(a)?;
    Ok(a.log10())
}
fn dpow(a: f64, b: f64) -> PgResult<f64> {
    // PG: NaN ^ 0 = 1 and 1 ^ NaN = 1, as POSIX.
    if a.is_nan() {
        return Ok(if b == 0.0 { 1.0 } else { a });
    }
    if b.is_nan() {
        return Ok(if a == 1.0 { 1.0 } else { b });
    }
    if a == 0.0 && b < 0.0 {
        bail!(INVALID_ARGUMENT_FOR_POWER_FUNCTION, "zero raised to a negative power is undefined");
    }
    if a < 0.0 && b.floor() != b {
        bail!(
            INVALID_ARGUMENT_FOR_POWER_FUNCTION,
            "a negative number raised to a non-integer power yields a complex result"
        );
    }
    let r = a.powf(b);
    if a.is_infinite() || b.is_infinite() {
        return Ok(r);
    }
    if r.is_infinite() {
        return Err(overflow());
    }
    if r == 0.0 && a != 0.0 { Err(underflow()) } else { Ok(r) }
}

macro_rules! unary_domain {
    ($($name:ident = $f:expr, $domain:expr;)*) => {$(
        fn $name(a: f64) -> PgResult<f64> {
            let (f, domain): (fn(f64) -> f64, fn(f64) -> bool) = ($f, $domain);
            if !a.is_nan() && !domain(a) { Err(input_range()) } else { Ok(f(a)) }
        }
    )*};
}
unary_domain! {
    dacos = f64::acos, |a| (-1.0..=1.0).contains(&a);
    dasin = f64::asin, |a| (-1.0..=1.0).contains(&a);
    datan = f64::atan, |_| true;
    dcos = f64::cos, |a| !a.is_infinite();
    dsin = f64::sin, |a| !a.is_infinite();
    dtan = f64::tan, |a| !a.is_infinite();
    dcot = |a| 1.0 / a.tan(), |a| !a.is_infinite();
    dsinh = f64::sinh, |_| true;
    dtanh = f64::tanh, |_| true;
    dasinh = libm::asinh, |_| true;
    dacosh = libm::acosh, |a| a >= 1.0;
    datanh = libm::atanh, |a| (-1.0..=1.0).contains(&a);
    derf = libm::erf, |_| true;
    derfc = libm::erfc, |_| true;
}
fn dcosh(a: f64) -> f64 {
    a.cosh()
}
fn datan2(y: f64, x: f64) -> f64 {
    y.atan2(x)
}
fn dgamma(a: f64) -> PgResult<f64> {
    if a.is_nan() || a == f64::INFINITY {
        return Ok(a);
    }
    if a == f64::NEG_INFINITY || (a < 0.0 && a.floor() == a) {
        return Err(overflow());
    }
    let r = libm::tgamma(a);
    if r.is_infinite() {
        return Err(overflow());
    }
    if r == 0.0 { Err(underflow()) } else { Ok(r) }
}
fn dlgamma(a: f64) -> PgResult<f64> {
    let r = libm::lgamma(a);
    if r.is_infinite() && !a.is_infinite() { Err(overflow()) } else { Ok(r) }
}
fn dpi() -> f64 {
    std::f64::consts::PI
}
fn degrees(a: f64) -> PgResult<f64> {
    float8div(a, RADIANS_PER_DEGREE)
}
fn radians(a: f64) -> PgResult<f64> {
    float8mul(a, RADIANS_PER_DEGREE)
}

fn width_bucket(v: f64, low: f64, high: f64, count: i32) -> PgResult<i32> {
    if count <= 0 {
        bail!(INVALID_ARGUMENT_FOR_WIDTH_BUCKET_FUNCTION, "count must be greater than zero");
    }
    if v.is_nan() || low.is_nan() || high.is_nan() {
        bail!(
            INVALID_ARGUMENT_FOR_WIDTH_BUCKET_FUNCTION,
            "operand, lower bound, and upper bound cannot be NaN"
        );
    }
    if low.is_infinite() || high.is_infinite() {
        bail!(INVALID_ARGUMENT_FOR_WIDTH_BUCKET_FUNCTION, "lower and upper bounds must be finite");
    }
    let over = || err!(NUMERIC_VALUE_OUT_OF_RANGE, "integer out of range");
    // Halved operands keep the difference from overflowing.
    let part = |a: f64, b: f64, c: f64| {
        if (c - b).is_infinite() { (a / 2.0 - b / 2.0) / (c / 2.0 - b / 2.0) } else { (a - b) / (c - b) }
    };
    let bucket = |ratio: f64| {
        let n = (f64::from(count) * ratio) as i32;
        if n >= count { Ok(count) } else { n.checked_add(1).ok_or_else(over) }
    };
    if low < high {
        if v < low {
            return Ok(0);
        }
        if v >= high { count.checked_add(1).ok_or_else(over) } else { bucket(part(v, low, high)) }
    } else if low > high {
        if v > low {
            return Ok(0);
        }
        if v <= high { count.checked_add(1).ok_or_else(over) } else { bucket(part(v, low, high)) }
    } else {
        bail!(INVALID_ARGUMENT_FOR_WIDTH_BUCKET_FUNCTION, "lower bound cannot equal upper bound")
    }
}

builtins! { pub TABLE:
    "float4pl" => float4pl[f32, f32];
    "float4mi" => float4mi[f32, f32];
    "float4mul" => float4mul[f32, f32];
    "float4div" => float4div[f32, f32];
    "float8pl" => float8pl[f64, f64];
    "float8mi" => float8mi[f64, f64];
    "float8mul" => float8mul[f64, f64];
    "float8div" => float8div[f64, f64];
    "float48pl" => float48pl[f32, f64];
    "float48mi" => float48mi[f32, f64];
    "float48mul" => float48mul[f32, f64];
    "float48div" => float48div[f32, f64];
    "float84pl" => float84pl[f64, f32];
    "float84mi" => float84mi[f64, f32];
    "float84mul" => float84mul[f64, f32];
    "float84div" => float84div[f64, f32];
    "float4um" => float4um[f32];
    "float8um" => float8um[f64];
    "float4up" => float4up[f32];
    "float8up" => float8up[f64];
    "float4abs" => float4abs[f32];
    "float8abs" => float8abs[f64];
    "ftod" => ftod[f32];
    "dtof" => dtof[f64];
    "dtoi2" => dtoi2[f64];
    "dtoi4" => dtoi4[f64];
    "dtoi8" => dtoi8[f64];
    "ftoi2" => ftoi2[f32];
    "ftoi4" => ftoi4[f32];
    "ftoi8" => ftoi8[f32];
    "i2tod" => i2tod[i16];
    "i4tod" => i4tod[i32];
    "i8tod" => i8tod[i64];
    "i2tof" => i2tof[i16];
    "i4tof" => i4tof[i32];
    "i8tof" => i8tof[i64];
    "float4_numeric" => float4_numeric[f32];
    "float8_numeric" => float8_numeric[f64];
    "dround" => dround[f64];
    "dceil" => dceil[f64];
    "dfloor" => dfloor[f64];
    "dtrunc" => dtrunc[f64];
    "dsign" => dsign[f64];
    "dsqrt" => dsqrt[f64];
    "dcbrt" => dcbrt[f64];
    "dexp" => dexp[f64];
    "dlog1" => dlog1[f64];
    "dlog10" => dlog10[f64];
    "dpow" => dpow[f64, f64];
    "dacos" => dacos[f64];
    "dasin" => dasin[f64];
    "datan" => datan[f64];
    "datan2" => datan2[f64, f64];
    "dcos" => dcos[f64];
    "dsin" => dsin[f64];
    "dtan" => dtan[f64];
    "dcot" => dcot[f64];
    "dsinh" => dsinh[f64];
    "dcosh" => dcosh[f64];
    "dtanh" => dtanh[f64];
    "dasinh" => dasinh[f64];
    "dacosh" => dacosh[f64];
    "datanh" => datanh[f64];
    "dacosd" => dacosd[f64];
    "dasind" => dasind[f64];
    "datand" => datand[f64];
    "datan2d" => datan2d[f64, f64];
    "dcosd" => dcosd[f64];
    "dsind" => dsind[f64];
    "dtand" => dtand[f64];
    "dcotd" => dcotd[f64];
    "derf" => derf[f64];
    "derfc" => derfc[f64];
    "dgamma" => dgamma[f64];
    "dlgamma" => dlgamma[f64];
    "dpi" => dpi[];
    "degrees" => degrees[f64];
    "radians" => radians[f64];
    "width_bucket_float8" => width_bucket[f64, f64, f64, i32];
}
