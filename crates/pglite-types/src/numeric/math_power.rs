//! `power(numeric, numeric)`.

use pglite_error::{PgResult, bail};

use super::big::{self, Big, DEC_DIGITS};
use super::math::{estimate_ln_dweight, exp_big, ln_big};
use super::{MAX_DISPLAY_SCALE, MAX_RESULT_SCALE, MAX_WEIGHT, MIN_SIG_DIGITS, Numeric, abs, cmp, overflow};
use Numeric::{NaN, PosInf};

const LOG10_E: f64 = std::f64::consts::LOG10_E;

/// `x ^ y` with POSIX rules for NaN and the infinities.
pub fn power(x: &Numeric, y: &Numeric) -> PgResult<Numeric> {
    if !x.is_finite() || !y.is_finite() {
        return power_special(x, y);
    }
    if x.is_zero() && y.signum() < 0 {
        bail!(INVALID_ARGUMENT_FOR_POWER_FUNCTION, "zero raised to a negative power is undefined");
    }
    let (b, e) = (x.to_big().unwrap_or_default(), y.to_big().unwrap_or_default());
    Numeric::from_big(power_big(b, &e)?)
}

fn is_one(v: &Numeric) -> bool {
    cmp(v, &Numeric::ONE).is_eq()
}

fn power_special(x: &Numeric, y: &Numeric) -> PgResult<Numeric> {
    if x.is_nan() {
        return Ok(if y.is_zero() { Numeric::ONE } else { NaN });
    }
    if y.is_nan() {
        return Ok(if is_one(x) { Numeric::ONE } else { NaN });
    }
    if x.is_zero() && y.signum() < 0 {
        bail!(INVALID_ARGUMENT_FOR_POWER_FUNCTION, "zero raised to a negative power is undefined");
    }
    if x.signum() < 0 && !y.is_integral() {
        bail!(
            INVALID_ARGUMENT_FOR_POWER_FUNCTION,
            "a negative number raised to a non-integer power yields a complex result"
        );
    }
    if is_one(x) || y.is_zero() {
        return Ok(Numeric::ONE);
    }
    if x.is_zero() {
        return Ok(Numeric::ZERO);
    }
    if y.is_infinite() {
        if is_one(&abs(x)) {
            return Ok(Numeric::ONE);
        }
        let grows = cmp(&abs(x), &Numeric::ONE).is_gt() == (y.signum() > 0);
        return Ok(if grows { PosInf } else { Numeric::ZERO });
    }
    if y.signum() < 0 {
        return Ok(Numeric::ZERO);
    }
    let odd = y.to_big().is_some_and(|e| is_odd(&e));
    Ok(if x.signum() < 0 && odd { Numeric::NegInf } else { PosInf })
}

/// Whether a stripped integer is odd.
fn is_odd(e: &Big) -> bool {
    e.digit(0) & 1 == 1
}

fn is_integer(e: &Big) -> bool {
    e.digits.len() as i32 <= e.weight + 1 || e.digits.is_empty()
}

fn power_big(mut base: Big, e: &Big) -> PgResult<Big> {
    if is_integer(e)
        && let Some(n) = e.to_i128()
        && let Ok(n) = i32::try_from(n)
    {
        return power_int(&base, n, e.dscale);
    }
    if base.digits.is_empty() {
        return Ok(Big::zero(MIN_SIG_DIGITS));
    }
    let mut neg = false;
    if base.neg {
        if !is_integer(e) {
            bail!(
                INVALID_ARGUMENT_FOR_POWER_FUNCTION,
                "a negative number raised to a non-integer power yields a complex result"
            );
        }
        neg = is_odd(e);
        base.neg = false;
    }
    // A rough value decides the scales; then once more in full.
    let ln_dweight = estimate_ln_dweight(&base);
    let rough = (8 - ln_dweight).max(0);
    let val = big::mul_round(&ln_big(&base, rough), e, rough).to_f64();
    if val.abs() > MAX_RESULT_SCALE as f64 * 3.01 {
        return if val > 0.0 { Err(overflow()) } else { Ok(Big::zero(MAX_DISPLAY_SCALE)) };
    }
    let val = val * LOG10_E;
    let rscale = (MIN_SIG_DIGITS - val as i32).max(base.dscale).max(e.dscale).clamp(0, MAX_DISPLAY_SCALE);
    let sig = (rscale + val as i32).max(0);
    let local = (sig - ln_dweight + 8).max(0);
    let ln_num = big::mul_round(&ln_big(&base, local), e, local);
    let mut r = exp_big(&ln_num, rscale)?;
    r.neg = neg && !r.digits.is_empty();
    Ok(r)
}

fn power_int(base: &Big, n: i32, exp_dscale: i32) -> PgResult<Big> {
    let mut f = 0f64;
    if !base.digits.is_empty() {
        let mut lead = base.digits[0] as f64;
        let mut p = base.weight * DEC_DIGITS;
        for &d in base.digits.iter().skip(1).take(3) {
            lead = lead * 10_000.0 + d as f64;
            p -= DEC_DIGITS;
        }
        f = n as f64 * (lead.log10() + p as f64);
    }
    if f > ((MAX_WEIGHT + 1) * DEC_DIGITS) as f64 {
        return Err(overflow());
    }
    if f + 1.0 < -MAX_DISPLAY_SCALE as f64 {
        return Ok(Big::zero(MAX_DISPLAY_SCALE));
    }
    let rscale = (MIN_SIG_DIGITS - f as i32).max(base.dscale).max(exp_dscale).clamp(0, MAX_DISPLAY_SCALE);
    let one = Big::from_i128(1, 0);
    match n {
        0 => return Ok(Big { dscale: rscale, ..one }),
        1 => {
            let mut r = base.clone();
            r.round(rscale);
            return Ok(r);
        }
        2 => return Ok(big::mul_round(base, base, rscale)),
        _ => {}
    }
    if base.digits.is_empty() {
        if n < 0 {
            bail!(DIVISION_BY_ZERO, "division by zero");
        }
        return Ok(Big::zero(rscale));
    }
    if n == -1 {
        return Ok(big::div(&one, base, rscale, true));
    }
    let sig = 1 + rscale + f as i32 + (n as f64).abs().ln() as i32 + 10;
    let mut mask = n.unsigned_abs();
    let mut prod = base.clone();
    let mut acc = if mask & 1 == 1 { base.clone() } else { one.clone() };
    loop {
        mask >>= 1;
        if mask == 0 {
            break;
        }
        prod = big::mul(&prod, &prod);
        prod.round_sig(sig);
        if mask & 1 == 1 {
            acc = big::mul(&acc, &prod);
            acc.round_sig(sig);
        }
        if prod.weight > MAX_WEIGHT || acc.weight > MAX_WEIGHT {
            return if n > 0 { Err(overflow()) } else { Ok(Big::zero(rscale)) };
        }
    }
    if n < 0 {
        return Ok(big::div(&one, &acc, rscale, true));
    }
    acc.round(rscale);
    Ok(acc)
}
