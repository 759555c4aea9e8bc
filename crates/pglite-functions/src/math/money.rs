//! money: operators and casts. A value counts cents.

use pglite_error::{PgError, PgResult, err};
use pglite_types::numeric::{self, Numeric};

use crate::arith::int::{division_by_zero, out_of_range};
use crate::builtins;

fn range() -> PgError {
    err!(NUMERIC_VALUE_OUT_OF_RANGE, "money out of range")
}
fn pl(a: i64, b: i64) -> PgResult<i64> {
    a.checked_add(b).ok_or_else(range)
}
fn mi(a: i64, b: i64) -> PgResult<i64> {
    a.checked_sub(b).ok_or_else(range)
}
fn rounded(v: f64) -> PgResult<i64> {
    let r = v.round_ties_even();
    if r.is_nan() || r < i64::MIN as f64 || r >= -(i64::MIN as f64) { Err(range()) } else { Ok(r as i64) }
}
fn mul_f8(a: i64, b: f64) -> PgResult<i64> {
    rounded(a as f64 * b)
}
fn mul_f4(a: i64, b: f32) -> PgResult<i64> {
    mul_f8(a, f64::from(b))
}
fn f8_mul(a: f64, b: i64) -> PgResult<i64> {
    mul_f8(b, a)
}
fn f4_mul(a: f32, b: i64) -> PgResult<i64> {
    mul_f8(b, f64::from(a))
}
fn div_f8(a: i64, b: f64) -> PgResult<i64> {
    if b == 0.0 { Err(division_by_zero()) } else { rounded(a as f64 / b) }
}
fn div_f4(a: i64, b: f32) -> PgResult<i64> {
    div_f8(a, f64::from(b))
}
fn mul_i8(a: i64, b: i64) -> PgResult<i64> {
    a.checked_mul(b).ok_or_else(range)
}
fn mul_i4(a: i64, b: i32) -> PgResult<i64> {
    mul_i8(a, i64::from(b))
}
fn mul_i2(a: i64, b: i16) -> PgResult<i64> {
    mul_i8(a, i64::from(b))
}
fn i4_mul(a: i32, b: i64) -> PgResult<i64> {
    mul_i8(b, i64::from(a))
}
fn i2_mul(a: i16, b: i64) -> PgResult<i64> {
    mul_i8(b, i64::from(a))
}
fn div_i8(a: i64, b: i64) -> PgResult<i64> {
    if b == 0 { Err(division_by_zero()) } else { a.checked_div(b).ok_or_else(range) }
}
fn div_i4(a: i64, b: i32) -> PgResult<i64> {
    div_i8(a, i64::from(b))
}
fn div_i2(a: i64, b: i16) -> PgResult<i64> {
    div_i8(a, i64::from(b))
}
fn ratio(a: i64, b: i64) -> PgResult<f64> {
    if b == 0 { Err(division_by_zero()) } else { Ok(a as f64 / b as f64) }
}
fn to_numeric(a: i64) -> Numeric {
    Numeric::from_i128(i128::from(a), 2)
}
fn from_numeric(a: &Numeric) -> PgResult<i64> {
    numeric::mul(a, &Numeric::from_i64(100))?.to_i64()
}
fn from_i8(a: i64) -> PgResult<i64> {
    a.checked_mul(100).ok_or_else(out_of_range::<i64>)
}
fn from_i4(a: i32) -> PgResult<i64> {
    from_i8(i64::from(a))
}

const SMALL: [&str; 28] = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
    "twenty",
    "thirty",
    "forty",
    "fifty",
    "sixty",
    "seventy",
    "eighty",
    "ninety",
];

/// A number below 1000 in words.
fn group(v: u64) -> String {
    let tens = |v: u64| match v {
        0..=20 => SMALL[v as usize].to_string(),
        _ if v.is_multiple_of(10) => SMALL[(v / 10 + 18) as usize].to_string(),
        _ => format!("{} {}", SMALL[(v / 10 + 18) as usize], SMALL[(v % 10) as usize]),
    };
    match (v / 100, v % 100) {
        (0, _) => tens(v),
        (h, 0) => format!("{} hundred", SMALL[h as usize]),
        (h, t) if v.is_multiple_of(10) && t > 10 => format!("{} hundred {}", SMALL[h as usize], tens(t)),
        (h, t) if t < 20 => format!("{} hundred and {}", SMALL[h as usize], tens(t)),
        (h, t) => format!("{} hundred {}", SMALL[h as usize], tens(t)),
    }
}

fn words(v: i64) -> String {
    let mut out = String::new();
    if v < 0 {
        out.push_str("minus ");
    }
    let a = v.unsigned_abs();
    let (whole, cents) = (a / 100, a % 100);
    let scales =
        [(15, "quadrillion "), (12, "trillion "), (9, "billion "), (6, "million "), (3, "thousand ")];
    for (power, name) in scales {
        let n = whole / 10u64.pow(power) % if power == 15 { u64::MAX } else { 1000 };
        if n > 0 {
            out.push_str(&group(n % 1000));
            out.push(' ');
            out.push_str(name);
        }
    }
    if whole % 1000 > 0 {
        out.push_str(&group(whole % 1000));
    }
    if whole == 0 {
        out.push_str("zero");
    }
    let out = out.trim_end();
    let tail = |n: u64| if n == 1 { "" } else { "s" };
    let text = format!("{out} dollar{} and {} cent{}", tail(whole), group(cents), tail(cents));
    let mut chars = text.chars();
    chars.next().map_or(String::new(), |c| c.to_ascii_uppercase().to_string() + chars.as_str())
}

builtins! { pub TABLE:
    "cash_pl" => pl[i64, i64];
    "cash_mi" => mi[i64, i64];
    "cash_mul_flt4" => mul_f4[i64, f32];
    "cash_mul_flt8" => mul_f8[i64, f64];
    "cash_mul_int2" => mul_i2[i64, i16];
    "cash_mul_int4" => mul_i4[i64, i32];
    "cash_mul_int8" => mul_i8[i64, i64];
    "flt4_mul_cash" => f4_mul[f32, i64];
    "flt8_mul_cash" => f8_mul[f64, i64];
    "int2_mul_cash" => i2_mul[i16, i64];
    "int4_mul_cash" => i4_mul[i32, i64];
    "int8_mul_cash" => mul_i8[i64, i64];
    "cash_div_flt4" => div_f4[i64, f32];
    "cash_div_flt8" => div_f8[i64, f64];
    "cash_div_int2" => div_i2[i64, i16];
    "cash_div_int4" => div_i4[i64, i32];
    "cash_div_int8" => div_i8[i64, i64];
    "cash_div_cash" => ratio[i64, i64];
    "cash_numeric" => to_numeric[i64];
    "numeric_cash" => from_numeric[&Numeric];
    "int4_cash" => from_i4[i32];
    "int8_cash" => from_i8[i64];
    "cash_words" => words[i64];
}
