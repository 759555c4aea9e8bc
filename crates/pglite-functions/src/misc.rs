//! in_range of numbers, text to regclass.

use pglite_error::{PgError, PgResult, err};
use pglite_ir::FnCtx;
use pglite_types::numeric::{self, Numeric};
use pglite_types::{Oid, oid};

use crate::builtins;

#[cold]
fn bad_offset() -> PgError {
    err!(INVALID_PRECEDING_OR_FOLLOWING_SIZE, "invalid preceding or following size in window function")
}

/// `base ± offset` against `v`; a sum past the type's range lies beyond every value.
fn in_range_int(v: i64, base: i64, off: i64, sub: bool, less: bool) -> PgResult<bool> {
    if off < 0 {
        return Err(bad_offset());
    }
    let sum = i128::from(base) + if sub { -i128::from(off) } else { i128::from(off) };
    let v = i128::from(v);
    Ok(if less { v <= sum } else { v >= sum })
}

macro_rules! in_range_ints {
    ($($name:ident $v:ty, $o:ty;)*) => {$(
        fn $name(v: $v, base: $v, off: $o, sub: bool, less: bool) -> PgResult<bool> {
            in_range_int(i64::from(v), i64::from(base), i64::from(off), sub, less)
        }
    )*};
}
in_range_ints! {
    in22 i16, i16; in24 i16, i32; in28 i16, i64; in42 i32, i16; in44 i32, i32; in48 i32, i64; in88 i64, i64;
}

fn in_range_float(v: f64, base: f64, off: f64, sub: bool, less: bool) -> PgResult<bool> {
    if off.is_nan() || off < 0.0 {
        return Err(bad_offset());
    }
    if v.is_nan() {
        return Ok(base.is_nan() || !less);
    }
    if base.is_nan() {
        return Ok(less);
    }
    // Infinity less infinity: every value is in range of it.
    if off.is_infinite() && base.is_infinite() && (base > 0.0) == sub {
        return Ok(true);
    }
    let sum = if sub { base - off } else { base + off };
    Ok(if less { v <= sum } else { v >= sum })
}
fn in_range_f4(v: f32, base: f32, off: f64, sub: bool, less: bool) -> PgResult<bool> {
    in_range_float(f64::from(v), f64::from(base), off, sub, less)
}
fn in_range_numeric(v: &Numeric, base: &Numeric, off: &Numeric, sub: bool, less: bool) -> PgResult<bool> {
    if off.is_nan() || off.signum() < 0 {
        return Err(bad_offset());
    }
    if v.is_nan() {
        return Ok(base.is_nan() || !less);
    }
    if base.is_nan() {
        return Ok(less);
    }
    if off.is_infinite() && base.is_infinite() && (base.signum() > 0) == sub {
        return Ok(true);
    }
    let sum = if sub { numeric::sub(base, off)? } else { numeric::add(base, off)? };
    let order = numeric::cmp(v, &sum);
    Ok(if less { order.is_le() } else { order.is_ge() })
}

fn text_regclass(cx: &FnCtx<'_>, name: &str) -> PgResult<Oid> {
    cx.host.reg_in(oid::REGCLASS, name)
}

builtins! { pub TABLE:
    "in_range_int2_int2" => in22[i16, i16, i16, bool, bool];
    "in_range_int2_int4" => in24[i16, i16, i32, bool, bool];
    "in_range_int2_int8" => in28[i16, i16, i64, bool, bool];
    "in_range_int4_int2" => in42[i32, i32, i16, bool, bool];
    "in_range_int4_int4" => in44[i32, i32, i32, bool, bool];
    "in_range_int4_int8" => in48[i32, i32, i64, bool, bool];
    "in_range_int8_int8" => in88[i64, i64, i64, bool, bool];
    "in_range_float4_float8" => in_range_f4[f32, f32, f64, bool, bool];
    "in_range_float8_float8" => in_range_float[f64, f64, f64, bool, bool];
    "in_range_numeric_numeric" => in_range_numeric[&Numeric, &Numeric, &Numeric, bool, bool];
    "text_regclass" => cx text_regclass[&str];
}
