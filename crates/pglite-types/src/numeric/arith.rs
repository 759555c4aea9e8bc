//! Arithmetic on [`Numeric`]: the four operations, remainders, rounding, and integer functions.

use std::cmp::Ordering;

use pglite_error::{PgError, PgResult, bail, err};

use super::big::{self, Big};
use super::{MAX_DISPLAY_SCALE, Numeric, POW10, cmp, overflow, pow10_i128};
use Numeric::{NaN, NegInf, PosInf, Small};

fn division_by_zero() -> PgError {
    err!(DIVISION_BY_ZERO, "division by zero")
}

/// The digits of two finite numbers. Callers have handled NaN and the infinities.
fn bigs(a: &Numeric, b: &Numeric) -> (Big, Big) {
    (a.to_big().unwrap_or_default(), b.to_big().unwrap_or_default())
}

pub fn add(a: &Numeric, b: &Numeric) -> PgResult<Numeric> {
    match (a, b) {
        (Small { coef: x, dscale: s }, Small { coef: y, dscale: t }) => {
            if s == t {
                return Ok(Numeric::from_i128(*x as i128 + *y as i128, *s as i32));
            }
            let d = (*s).max(*t);
            let x = *x as i128 * POW10[(d - s) as usize] as i128;
            let y = *y as i128 * POW10[(d - t) as usize] as i128;
            Ok(Numeric::from_i128(x + y, d as i32))
        }
        (NaN, _) | (_, NaN) | (PosInf, NegInf) | (NegInf, PosInf) => Ok(NaN),
        (PosInf, _) | (_, PosInf) => Ok(PosInf),
        (NegInf, _) | (_, NegInf) => Ok(NegInf),
        _ => {
            let (x, y) = bigs(a, b);
            Numeric::from_big(big::add(&x, &y))
        }
    }
}

pub fn sub(a: &Numeric, b: &Numeric) -> PgResult<Numeric> {
    add(a, &neg(b))
}

pub fn neg(a: &Numeric) -> Numeric {
    match a {
        Small { coef, dscale } => Small { coef: -coef, dscale: *dscale },
        Numeric::Big(b) => Numeric::Big(std::sync::Arc::new((**b).clone().negate())),
        NaN => NaN,
        PosInf => NegInf,
        NegInf => PosInf,
    }
}

pub fn abs(a: &Numeric) -> Numeric {
    if a.signum() < 0 { neg(a) } else { a.clone() }
}

/// `sign()`: -1, 0, 1 or NaN.
pub fn sign(a: &Numeric) -> Numeric {
    if a.is_nan() { NaN } else { Numeric::from_i64(a.signum() as i64) }
}

pub fn inc(a: &Numeric) -> PgResult<Numeric> {
    add(a, &Numeric::ONE)
}

pub fn mul(a: &Numeric, b: &Numeric) -> PgResult<Numeric> {
    match (a, b) {
        (Small { coef: x, dscale: s }, Small { coef: y, dscale: t }) => {
            Ok(Numeric::from_i128(*x as i128 * *y as i128, (*s + *t) as i32))
        }
        (NaN, _) | (_, NaN) => Ok(NaN),
        (PosInf | NegInf, _) | (_, PosInf | NegInf) => Ok(match a.signum() * b.signum() {
            0 => NaN,
            1 => PosInf,
            _ => NegInf,
        }),
        _ => {
            let (x, y) = bigs(a, b);
            Numeric::from_big(big::mul(&x, &y))
        }
    }
}

/// The cases of division where an operand is NaN or infinite.
fn div_special(a: &Numeric, b: &Numeric) -> PgResult<Option<Numeric>> {
    Ok(Some(match (a, b) {
        (NaN, _) | (_, NaN) => NaN,
        (PosInf | NegInf, PosInf | NegInf) => NaN,
        (PosInf | NegInf, _) => match a.signum() * b.signum() {
            0 => return Err(division_by_zero()),
            1 => PosInf,
            _ => NegInf,
        },
        (_, PosInf | NegInf) => Numeric::ZERO,
        _ if b.is_zero() => return Err(division_by_zero()),
        _ => return Ok(None),
    }))
}

/// Division at the scale PostgreSQL selects.
pub fn div(a: &Numeric, b: &Numeric) -> PgResult<Numeric> {
    if let Some(v) = div_special(a, b)? {
        return Ok(v);
    }
    if let (Small { coef: x, dscale: s }, Small { coef: y, dscale: t }) = (a, b) {
        let rscale = small_div_scale(*x, *s as i32, *y, *t as i32);
        let e = rscale + *t as i32 - *s as i32;
        if (0..=20).contains(&e) {
            let n = *x as i128 * pow10_i128(e as u32);
            let d = *y as i128;
            let (mut q, r) = (n / d, n % d);
            if r.unsigned_abs() * 2 >= d.unsigned_abs() {
                q += if (n < 0) == (d < 0) { 1 } else { -1 };
            }
            return Ok(Numeric::from_i128(q, rscale));
        }
    }
    let (x, y) = bigs(a, b);
    let rscale = big::select_div_scale(&x, &y);
    Numeric::from_big(big::div(&x, &y, rscale, true))
}

/// Weight and first base-10000 digit of `coef * 10^-dscale` without building digits.
fn small_lead(coef: i64, dscale: i32) -> (i32, i64) {
    let v = coef.unsigned_abs();
    if v == 0 {
        return (0, 0);
    }
    let dec_weight = v.ilog10() as i32 - dscale;
    let weight = dec_weight.div_euclid(4);
    // Unit of the first base digit, as a power of ten relative to the coefficient.
    let e = weight * 4 + dscale;
    let first =
        if e >= 0 { (v as i128 / pow10_i128(e as u32)) as i64 } else { v as i64 * POW10[-e as usize] };
    (weight, first)
}

fn small_div_scale(x: i64, s: i32, y: i64, t: i32) -> i32 {
    let (w1, f1) = small_lead(x, s);
    let (w2, f2) = small_lead(y, t);
    let qweight = w1 - w2 - (f1 <= f2) as i32;
    (super::MIN_SIG_DIGITS - qweight * 4).max(s).max(t).clamp(0, MAX_DISPLAY_SCALE)
}

/// `div(a, b)`: the quotient cut to an integer.
pub fn div_trunc(a: &Numeric, b: &Numeric) -> PgResult<Numeric> {
    if let Some(v) = div_special(a, b)? {
        return Ok(v);
    }
    let (x, y) = bigs(a, b);
    Numeric::from_big(big::div(&x, &y, 0, false))
}

/// Remainder with the sign of `a`.
pub fn modulo(a: &Numeric, b: &Numeric) -> PgResult<Numeric> {
    match (a, b) {
        (NaN, _) | (_, NaN) => return Ok(NaN),
        (PosInf | NegInf, _) if b.is_zero() => return Err(division_by_zero()),
        (PosInf | NegInf, _) => return Ok(NaN),
        (_, PosInf | NegInf) => return Ok(a.clone()),
        _ if b.is_zero() => return Err(division_by_zero()),
        (Small { coef: x, dscale: s }, Small { coef: y, dscale: t }) => {
            let d = (*s).max(*t);
            let x = *x as i128 * POW10[(d - s) as usize] as i128;
            let y = *y as i128 * POW10[(d - t) as usize] as i128;
            return Ok(Numeric::from_i128(x % y, d as i32));
        }
        _ => {}
    }
    let (x, y) = bigs(a, b);
    Numeric::from_big(big_mod(&x, &y))
}

fn big_mod(x: &Big, y: &Big) -> Big {
    let q = big::div(x, y, 0, false);
    let mut r = big::sub(x, &big::mul(&q, y));
    r.dscale = x.dscale.max(y.dscale);
    r
}

/// `round(a, scale)`; the scale is clamped as PostgreSQL does.
pub fn round(a: &Numeric, scale: i32) -> PgResult<Numeric> {
    rescale(a, scale, true)
}

/// `trunc(a, scale)`.
pub fn trunc(a: &Numeric, scale: i32) -> PgResult<Numeric> {
    rescale(a, scale, false)
}

fn rescale(a: &Numeric, scale: i32, round: bool) -> PgResult<Numeric> {
    if !a.is_finite() {
        return Ok(a.clone());
    }
    let scale = scale.clamp(-(super::MAX_WEIGHT + 1) * 4 - 1, super::MAX_DSCALE);
    if let Small { coef, dscale } = a
        && (0..=*dscale as i32).contains(&scale)
    {
        let p = POW10[*dscale as usize - scale as usize];
        let (mut q, r) = (coef / p, coef % p);
        if round && r.abs() * 2 >= p && p > 1 {
            q += coef.signum();
        }
        return Ok(Numeric::from_i128(q as i128, scale));
    }
    let mut v = a.to_big().unwrap_or_default();
    if round {
        v.round(scale);
    } else {
        v.trunc(scale);
    }
    v.dscale = v.dscale.max(0);
    Numeric::from_big(v)
}

pub fn ceil(a: &Numeric) -> PgResult<Numeric> {
    let t = trunc(a, 0)?;
    if a.is_finite() && cmp(&t, a) == Ordering::Less { inc(&t) } else { Ok(t) }
}

pub fn floor(a: &Numeric) -> PgResult<Numeric> {
    let t = trunc(a, 0)?;
    if a.is_finite() && cmp(&t, a) == Ordering::Greater { sub(&t, &Numeric::ONE) } else { Ok(t) }
}

/// Greatest common divisor, non-negative; NaN when an operand is NaN or infinite.
pub fn gcd(a: &Numeric, b: &Numeric) -> PgResult<Numeric> {
    if !a.is_finite() || !b.is_finite() {
        return Ok(NaN);
    }
    let dscale = a.scale().max(b.scale()).unwrap_or(0);
    let (mut x, mut y) = bigs(a, b);
    x.neg = false;
    y.neg = false;
    while !y.digits.is_empty() {
        let r = big_mod(&x, &y);
        x = y;
        y = r;
    }
    x.dscale = dscale;
    Numeric::from_big(x)
}

/// Least common multiple, non-negative.
pub fn lcm(a: &Numeric, b: &Numeric) -> PgResult<Numeric> {
    if !a.is_finite() || !b.is_finite() {
        return Ok(NaN);
    }
    let dscale = a.scale().max(b.scale()).unwrap_or(0);
    let mut r = if a.is_zero() || b.is_zero() {
        Big::default()
    } else {
        let g = gcd(a, b)?.to_big().unwrap_or_default();
        let (x, y) = bigs(a, b);
        let q = big::div(&x, &g, 0, false);
        big::mul(&q, &y)
    };
    r.neg = false;
    r.dscale = dscale;
    Numeric::from_big(r)
}

pub fn factorial(n: i64) -> PgResult<Numeric> {
    if n < 0 {
        bail!(NUMERIC_VALUE_OUT_OF_RANGE, "factorial of a negative number is undefined");
    }
    if n > 32177 {
        return Err(overflow());
    }
    let mut acc = Big::from_i128(1, 0);
    for k in 2..=n {
        acc = big::mul(&acc, &Big::from_i128(k as i128, 0));
    }
    Numeric::from_big(acc)
}

/// `width_bucket(operand, low, high, count)`.
pub fn width_bucket(v: &Numeric, low: &Numeric, high: &Numeric, count: i32) -> PgResult<i32> {
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
    let (below, above) = match cmp(low, high) {
        Ordering::Equal => {
            bail!(INVALID_ARGUMENT_FOR_WIDTH_BUCKET_FUNCTION, "lower bound cannot equal upper bound")
        }
        Ordering::Less => (cmp(v, low) == Ordering::Less, cmp(v, high) != Ordering::Less),
        Ordering::Greater => (cmp(v, low) == Ordering::Greater, cmp(v, high) != Ordering::Greater),
    };
    if below {
        return Ok(0);
    }
    if above {
        return count.checked_add(1).ok_or_else(over);
    }
    let num = mul(&abs(&sub(v, low)?), &Numeric::from_i64(count as i64))?;
    let bucket = div_trunc(&num, &abs(&sub(high, low)?))?.to_i64()?;
    Ok(bucket as i32 + 1)
}
