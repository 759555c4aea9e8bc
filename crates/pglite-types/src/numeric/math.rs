//! Roots, exponentials and logarithms at PostgreSQL's result scales.
//!
//! The scales follow PostgreSQL; the evaluation is our own and carries enough guard digits to round correctly.

use std::cmp::Ordering;

use pglite_error::{PgResult, bail};

use super::big::{self, Big, DEC_DIGITS};
use super::{MAX_DISPLAY_SCALE, MAX_RESULT_SCALE, MIN_SIG_DIGITS, Numeric, overflow};
use Numeric::{NaN, NegInf, PosInf};

const LOG10_E: f64 = std::f64::consts::LOG10_E;

pub fn sqrt(a: &Numeric) -> PgResult<Numeric> {
    match a {
        NaN | PosInf => return Ok(a.clone()),
        _ if a.signum() < 0 => {
            bail!(INVALID_ARGUMENT_FOR_POWER_FUNCTION, "cannot take square root of a negative number")
        }
        _ => {}
    }
    let v = a.to_big().unwrap_or_default();
    let sweight = v.weight * DEC_DIGITS / 2 + 1;
    let rscale = (MIN_SIG_DIGITS - sweight).max(v.dscale).clamp(0, MAX_DISPLAY_SCALE);
    Numeric::from_big(big::sqrt(&v, rscale))
}

pub fn exp(a: &Numeric) -> PgResult<Numeric> {
    match a {
        NegInf => return Ok(Numeric::ZERO),
        NaN | PosInf => return Ok(a.clone()),
        _ => {}
    }
    let v = a.to_big().unwrap_or_default();
    let est = (v.to_f64() * LOG10_E).clamp(-MAX_RESULT_SCALE as f64, MAX_RESULT_SCALE as f64);
    let rscale = (MIN_SIG_DIGITS - est as i32).max(v.dscale).clamp(0, MAX_DISPLAY_SCALE);
    Numeric::from_big(exp_big(&v, rscale)?)
}

/// `e^x` at `rscale` decimals; overflow is an error, underflow is zero.
pub(super) fn exp_big(x: &Big, rscale: i32) -> PgResult<Big> {
    let val = x.to_f64();
    if val.abs() >= (MAX_RESULT_SCALE * 3) as f64 {
        return if val > 0.0 { Err(overflow()) } else { Ok(Big::zero(rscale)) };
    }
    let sig = (val * LOG10_E) as i32 + rscale + 2;
    let mut r = exp_sig(x, sig.max(1) + 4);
    r.round(rscale);
    Ok(r)
}

/// `e^x` to `sig` significant digits.
pub(super) fn exp_sig(x: &Big, sig: i32) -> Big {
    let one = Big::from_i128(1, 0);
    let val = x.to_f64().abs();
    // Halve the argument until the Taylor series converges fast; more halvings pay off with more digits.
    let target = 0.5f64.powi((sig as f64).sqrt() as i32 / 2 + 4);
    let mut halvings = 0;
    let mut v = val;
    while v > target {
        v /= 2.0;
        halvings += 1;
    }
    let work = sig + (halvings as f64 * 0.31) as i32 + 8;
    let mut t = x.clone();
    if halvings > 0 {
        let half = Big::from_i128(5, 1);
        for _ in 0..halvings {
            t = big::mul(&t, &half);
        }
        t.round_sig(work + 4);
    }
    let mut sum = big::add(&one, &t);
    let mut term = t.clone();
    let mut n = 2;
    while !term.digits.is_empty() && term.dec_weight() > -work - 2 {
        term = big::mul(&term, &t);
        term.round(work + 4);
        term = big::div(&term, &Big::from_i128(n, 0), work + 4, true);
        sum = big::add(&sum, &term);
        n += 1;
    }
    for _ in 0..halvings {
        sum = big::mul(&sum, &sum);
        sum.round_sig(work + 4);
    }
    sum.round_sig(sig);
    sum
}

/// Estimated decimal weight of `ln(v)`; 0 for invalid arguments.
pub(super) fn estimate_ln_dweight(v: &Big) -> i32 {
    if v.neg || v.digits.is_empty() {
        return 0;
    }
    let low = Big::from_i128(9, 1);
    let high = Big::from_i128(11, 1);
    if big::cmp(v, &low) != Ordering::Less && big::cmp(v, &high) != Ordering::Greater {
        let x = big::sub(v, &Big::from_i128(1, 0));
        return match x.digits.first() {
            Some(&d) => x.weight * DEC_DIGITS + (d as f64).log10() as i32,
            None => 0,
        };
    }
    (ln_estimate(v)).abs().log10() as i32
}

/// `ln(v)` in floating point from the first two digits.
fn ln_estimate(v: &Big) -> f64 {
    let mut digits = v.digits[0] as f64;
    let mut dweight = v.weight * DEC_DIGITS;
    if let Some(&d) = v.digits.get(1) {
        digits = digits * 10_000.0 + d as f64;
        dweight -= DEC_DIGITS;
    }
    digits.ln() + dweight as f64 * std::f64::consts::LN_10
}

pub(super) fn check_ln(sign: i32) -> PgResult<()> {
    if sign < 0 {
        bail!(INVALID_ARGUMENT_FOR_LOG, "cannot take logarithm of a negative number");
    }
    if sign == 0 {
        bail!(INVALID_ARGUMENT_FOR_LOG, "cannot take logarithm of zero");
    }
    Ok(())
}

/// `ln(x)` of a positive number at `rscale` decimals.
pub(super) fn ln_big(x: &Big, rscale: i32) -> Big {
    let one = Big::from_i128(1, 0);
    let work = rscale.max(0) + 12;
    // y: a floating-point logarithm; then ln x = y + ln(x e^-y), and x e^-y is 1 plus something tiny.
    let near_one = x.weight.abs() <= 1 && (x.to_f64() - 1.0).abs() < 1e-6;
    let (y, z) = if near_one {
        (Big::default(), x.clone())
    } else {
        let mut lead = 0f64;
        for i in 0..5 {
            lead = lead * 10_000.0 + x.digits.get(i).copied().unwrap_or(0) as f64;
        }
        let est = lead.ln() + (x.weight - 4) as f64 * DEC_DIGITS as f64 * std::f64::consts::LN_10;
        let y = Big::from_i128((est * 1e12) as i128, 12);
        let e = exp_sig(&y.clone().negate(), work + 12);
        let mut z = big::mul(x, &e);
        z.round(work + 8);
        (y, z)
    };
    // ln z = 2 atanh((z - 1) / (z + 1))
    let scale = work + 6;
    let u = big::div(&big::sub(&z, &one), &big::add(&z, &one), scale, true);
    let u2 = big::mul_round(&u, &u, scale);
    let mut power = u.clone();
    let mut sum = u;
    let mut k = 3;
    while !power.digits.is_empty() {
        power = big::mul_round(&power, &u2, scale);
        if power.digits.is_empty() {
            break;
        }
        sum = big::add(&sum, &big::div(&power, &Big::from_i128(k, 0), scale, true));
        k += 2;
    }
    let mut r = big::add(&y, &big::mul(&sum, &Big::from_i128(2, 0)));
    r.round(rscale);
    r
}

pub fn ln(a: &Numeric) -> PgResult<Numeric> {
    match a {
        NaN | PosInf => return Ok(a.clone()),
        _ => check_ln(a.signum())?,
    }
    let v = a.to_big().unwrap_or_default();
    let rscale = (MIN_SIG_DIGITS - estimate_ln_dweight(&v)).max(v.dscale).clamp(0, MAX_DISPLAY_SCALE);
    Numeric::from_big(ln_big(&v, rscale))
}

/// `log(base, x)`.
pub fn log(base: &Numeric, x: &Numeric) -> PgResult<Numeric> {
    if base.is_nan() || x.is_nan() {
        return Ok(NaN);
    }
    if !(base.is_finite() && x.is_finite()) && (base.signum() < 0 || x.signum() < 0) {
        check_ln(-1)?;
    }
    check_ln(base.signum())?;
    check_ln(x.signum())?;
    match (base, x) {
        (PosInf, PosInf) => return Ok(NaN),
        (PosInf, _) => return Ok(Numeric::ZERO),
        (_, PosInf) => return Ok(PosInf),
        _ => {}
    }
    let (b, v) = (base.to_big().unwrap_or_default(), x.to_big().unwrap_or_default());
    let (wb, wv) = (estimate_ln_dweight(&b), estimate_ln_dweight(&v));
    let rscale = (MIN_SIG_DIGITS - (wv - wb)).max(b.dscale).max(v.dscale).clamp(0, MAX_DISPLAY_SCALE);
    let lb = ln_big(&b, (rscale + wv - 2 * wb + 8).max(0));
    let lv = ln_big(&v, (rscale - wb + 8).max(0));
    if lb.digits.is_empty() {
        bail!(DIVISION_BY_ZERO, "division by zero");
    }
    Numeric::from_big(big::div(&lv, &lb, rscale, true))
}

/// Variance or standard deviation from count, sum and sum of squares (all finite); `None` when undefined.
pub fn variance(
    n: i64,
    sum: &Numeric,
    sum_sq: &Numeric,
    sample: bool,
    stddev: bool,
) -> PgResult<Option<Numeric>> {
    if n == 0 || (sample && n <= 1) {
        return Ok(None);
    }
    if !sum.is_finite() || !sum_sq.is_finite() {
        return Ok(Some(NaN));
    }
    let (s, q) = (sum.to_big().unwrap_or_default(), sum_sq.to_big().unwrap_or_default());
    let count = Big::from_i128(n as i128, 0);
    let rscale = s.dscale * 2;
    let num = big::sub(&big::mul_round(&count, &q, rscale), &big::mul_round(&s, &s, rscale));
    if num.neg || num.digits.is_empty() {
        return Ok(Some(Numeric::ZERO));
    }
    let den = big::mul(&count, &Big::from_i128((n - sample as i64) as i128, 0));
    let rscale = big::select_div_scale(&num, &den);
    let mut v = big::div(&num, &den, rscale, true);
    if stddev {
        v = big::sqrt(&v, rscale);
    }
    Numeric::from_big(v).map(Some)
}
