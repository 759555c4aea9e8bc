//! `numeric`: arbitrary-precision decimals with PostgreSQL's scales.
//!
//! Small values (up to 18 decimal digits) live inline as a scaled integer; the rest in base-10000 digits behind an `Arc`.
//!
//! Invariant: the form is canonical. A finite value whose integer digits plus `dscale` are at most 18 is always `Small`.

mod arith;
pub mod big;
mod io;
mod math;
mod math_power;

use std::cmp::Ordering;
use std::sync::Arc;

use pglite_error::{PgError, PgResult, bail, codes, err};

pub use arith::{
    abs, add, ceil, div, div_trunc, factorial, floor, gcd, inc, lcm, modulo, mul, neg, round, sign, sub,
    trunc, width_bucket,
};
pub use big::Big;
pub use io::{apply_typmod, parse, recv, send, write_text};
pub use math::{exp, ln, log, sqrt, variance};
pub use math_power::power;

/// A numeric value. Equal values may differ in form and scale: compare with [`cmp`], never by variant.
#[derive(Clone, Debug)]
pub enum Numeric {
    /// `coef * 10^-dscale`, with `|coef| < 10^18` and `dscale <= 18`.
    Small {
        coef: i64,
        dscale: u8,
    },
    Big(Arc<Big>),
    NaN,
    PosInf,
    NegInf,
}

pub(crate) const POW10: [i64; 19] = {
    let mut t = [1i64; 19];
    let mut i = 1;
    while i < 19 {
        t[i] = t[i - 1] * 10;
        i += 1;
    }
    t
};
pub(crate) const SMALL_LIMIT: i64 = 1_000_000_000_000_000_000;
/// Greatest display scale of a stored value.
pub const MAX_DSCALE: i32 = 16383;
/// Greatest base-10000 weight of a stored value.
pub const MAX_WEIGHT: i32 = 32767;
pub(crate) const MIN_SIG_DIGITS: i32 = 16;
pub(crate) const MAX_DISPLAY_SCALE: i32 = 1000;
pub(crate) const MAX_RESULT_SCALE: i32 = 2000;

pub(crate) fn overflow() -> PgError {
    err!(NUMERIC_VALUE_OUT_OF_RANGE, "value overflows numeric format")
}

pub(crate) fn pow10_i128(e: u32) -> i128 {
    10i128.pow(e)
}

impl Default for Numeric {
    fn default() -> Numeric {
        Numeric::ZERO
    }
}

impl Numeric {
    pub const ZERO: Numeric = Numeric::Small { coef: 0, dscale: 0 };
    pub const ONE: Numeric = Numeric::Small { coef: 1, dscale: 0 };

    pub fn from_i64(v: i64) -> Numeric {
        if v > -SMALL_LIMIT && v < SMALL_LIMIT {
            Numeric::Small { coef: v, dscale: 0 }
        } else {
            Numeric::Big(Arc::new(Big::from_i128(v as i128, 0)))
        }
    }
    /// `coef * 10^-dscale`.
    pub fn from_i128(coef: i128, dscale: i32) -> Numeric {
        if (0..=18).contains(&dscale) && coef.unsigned_abs() < SMALL_LIMIT as u128 {
            return Numeric::Small { coef: coef as i64, dscale: dscale as u8 };
        }
        Numeric::Big(Arc::new(Big::from_i128(coef, dscale)))
    }
    /// Canonical form of a computed value; errors when it does not fit the format.
    pub fn from_big(mut v: Big) -> PgResult<Numeric> {
        v.strip();
        if v.dscale > MAX_DSCALE {
            v.round(MAX_DSCALE);
        }
        if v.weight > MAX_WEIGHT {
            return Err(overflow());
        }
        Ok(match v.to_small() {
            Some((coef, dscale)) => Numeric::Small { coef, dscale },
            None => Numeric::Big(Arc::new(v)),
        })
    }
    /// The digits of a finite value; `None` for NaN and the infinities.
    pub fn to_big(&self) -> Option<Big> {
        match self {
            Numeric::Small { coef, dscale } => Some(Big::from_i128(*coef as i128, *dscale as i32)),
            Numeric::Big(b) => Some((**b).clone()),
            _ => None,
        }
    }
    pub fn is_nan(&self) -> bool {
        matches!(self, Numeric::NaN)
    }
    pub fn is_infinite(&self) -> bool {
        matches!(self, Numeric::PosInf | Numeric::NegInf)
    }
    pub fn is_finite(&self) -> bool {
        matches!(self, Numeric::Small { .. } | Numeric::Big(_))
    }
    pub fn is_zero(&self) -> bool {
        match self {
            Numeric::Small { coef, .. } => *coef == 0,
            Numeric::Big(b) => b.digits.is_empty(),
            _ => false,
        }
    }
    /// -1, 0 or 1; 0 for NaN.
    pub fn signum(&self) -> i32 {
        match self {
            Numeric::Small { coef, .. } => coef.signum() as i32,
            Numeric::Big(b) if b.digits.is_empty() => 0,
            Numeric::Big(b) => 1 - 2 * b.neg as i32,
            Numeric::PosInf => 1,
            Numeric::NegInf => -1,
            Numeric::NaN => 0,
        }
    }
    /// The display scale; `None` for NaN and the infinities.
    pub fn scale(&self) -> Option<i32> {
        match self {
            Numeric::Small { dscale, .. } => Some(*dscale as i32),
            Numeric::Big(b) => Some(b.dscale),
            _ => None,
        }
    }
    /// The least scale that holds the value exactly.
    pub fn min_scale(&self) -> Option<i32> {
        match self {
            Numeric::Small { coef, dscale } => {
                let (mut c, mut s) = (*coef, *dscale as i32);
                if c == 0 {
                    return Some(0);
                }
                while s > 0 && c % 10 == 0 {
                    c /= 10;
                    s -= 1;
                }
                Some(s)
            }
            Numeric::Big(b) => Some(b.min_scale()),
            _ => None,
        }
    }
    pub fn is_integral(&self) -> bool {
        match self {
            Numeric::Small { .. } | Numeric::Big(_) => self.min_scale() == Some(0),
            Numeric::NaN => false,
            _ => true,
        }
    }
    /// The value with trailing fractional zeros removed from its scale.
    pub fn trim_scale(&self) -> Numeric {
        match self {
            Numeric::Small { coef, dscale } => {
                let s = self.min_scale().unwrap_or(0);
                Numeric::Small { coef: coef / POW10[*dscale as usize - s as usize], dscale: s as u8 }
            }
            Numeric::Big(b) => {
                let mut v = (**b).clone();
                v.dscale = v.min_scale();
                match v.to_small() {
                    Some((coef, dscale)) => Numeric::Small { coef, dscale },
                    None => Numeric::Big(Arc::new(v)),
                }
            }
            other => other.clone(),
        }
    }
    /// The cast from float8: 15 significant digits.
    pub fn from_f64(v: f64) -> PgResult<Numeric> {
        Self::from_float_digits(v, 15)
    }
    /// The cast from float4: 6 significant digits.
    pub fn from_f32(v: f32) -> PgResult<Numeric> {
        Self::from_float_digits(v as f64, 6)
    }
    fn from_float_digits(v: f64, digits: usize) -> PgResult<Numeric> {
        if v.is_nan() {
            return Ok(Numeric::NaN);
        }
        if v.is_infinite() {
            return Ok(if v > 0.0 { Numeric::PosInf } else { Numeric::NegInf });
        }
        // %.{digits}g: significant digits, trailing zeros dropped.
        let text = format!("{:.*e}", digits - 1, v);
        let (mant, exp) = text.split_once('e').unwrap_or((&text, "0"));
        let mant = if mant.contains('.') { mant.trim_end_matches('0').trim_end_matches('.') } else { mant };
        parse(&format!("{mant}e{exp}"))
    }
    /// The nearest double; out of range becomes infinity or zero.
    pub fn to_f64(&self) -> f64 {
        match self {
            Numeric::Small { coef, dscale: 0 } => *coef as f64,
            Numeric::Small { coef, dscale } if *dscale <= 18 && coef.unsigned_abs() < 1 << 53 => {
                *coef as f64 / POW10[*dscale as usize] as f64
            }
            Numeric::NaN => f64::NAN,
            Numeric::PosInf => f64::INFINITY,
            Numeric::NegInf => f64::NEG_INFINITY,
            _ => self.to_string().parse().unwrap_or(f64::NAN),
        }
    }
    /// The cast to float8: 22003 when a finite value does not fit.
    pub fn to_f64_checked(&self) -> PgResult<f64> {
        let v = self.to_f64();
        if self.is_finite() && (v.is_infinite() || (v == 0.0 && !self.is_zero())) {
            bail!(NUMERIC_VALUE_OUT_OF_RANGE, "\"{self}\" is out of range for type double precision");
        }
        Ok(v)
    }
    /// The cast to float4.
    pub fn to_f32_checked(&self) -> PgResult<f32> {
        let v: f32 = match self {
            Numeric::NaN => f32::NAN,
            Numeric::PosInf => f32::INFINITY,
            Numeric::NegInf => f32::NEG_INFINITY,
            _ => self.to_string().parse().unwrap_or(f32::NAN),
        };
        if self.is_finite() && (v.is_infinite() || (v == 0.0 && !self.is_zero())) {
            bail!(NUMERIC_VALUE_OUT_OF_RANGE, "\"{self}\" is out of range for type real");
        }
        Ok(v)
    }
    /// The value rounded to an integer, when finite and in range.
    pub fn to_i128_rounded(&self) -> Option<i128> {
        match self {
            Numeric::Small { coef, dscale } => {
                let p = POW10[*dscale as usize] as i128;
                let c = *coef as i128;
                let (q, r) = (c / p, c % p);
                Some(if r.abs() * 2 >= p { q + c.signum() } else { q })
            }
            Numeric::Big(b) => {
                let mut v = (**b).clone();
                v.round(0);
                v.to_i128()
            }
            _ => None,
        }
    }
    fn to_int(&self, name: &str, lo: i128, hi: i128) -> PgResult<i128> {
        match self {
            Numeric::NaN => bail!(FEATURE_NOT_SUPPORTED, "cannot convert NaN to {name}"),
            Numeric::PosInf | Numeric::NegInf => {
                bail!(FEATURE_NOT_SUPPORTED, "cannot convert infinity to {name}")
            }
            _ => match self.to_i128_rounded() {
                Some(v) if v >= lo && v <= hi => Ok(v),
                _ => Err(PgError::new(codes::NUMERIC_VALUE_OUT_OF_RANGE, format!("{name} out of range"))),
            },
        }
    }
    pub fn to_i64(&self) -> PgResult<i64> {
        if let Numeric::Small { coef, dscale: 0 } = self {
            return Ok(*coef);
        }
        self.to_int("bigint", i64::MIN as i128, i64::MAX as i128).map(|v| v as i64)
    }
    pub fn to_i32(&self) -> PgResult<i32> {
        self.to_int("integer", i32::MIN as i128, i32::MAX as i128).map(|v| v as i32)
    }
    pub fn to_i16(&self) -> PgResult<i16> {
        self.to_int("smallint", i16::MIN as i128, i16::MAX as i128).map(|v| v as i16)
    }
}

impl std::fmt::Display for Numeric {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut out = String::new();
        write_text(self, &mut out);
        f.write_str(&out)
    }
}

impl From<i64> for Numeric {
    fn from(v: i64) -> Numeric {
        Numeric::from_i64(v)
    }
}

impl PartialEq for Numeric {
    fn eq(&self, other: &Numeric) -> bool {
        cmp(self, other) == Ordering::Equal
    }
}

/// Numeric order: -Infinity < finite < Infinity < NaN; scale does not count.
pub fn cmp(a: &Numeric, b: &Numeric) -> Ordering {
    use Numeric::*;
    match (a, b) {
        (Small { coef: x, dscale: s }, Small { coef: y, dscale: t }) => {
            if s == t {
                x.cmp(y)
            } else if s < t {
                (*x as i128 * POW10[(t - s) as usize] as i128).cmp(&(*y as i128))
            } else {
                (*x as i128).cmp(&(*y as i128 * POW10[(s - t) as usize] as i128))
            }
        }
        _ => {
            let rank = |v: &Numeric| match v {
                NegInf => 0,
                Small { .. } | Big(_) => 1,
                PosInf => 2,
                NaN => 3,
            };
            match (a.to_big(), b.to_big()) {
                (Some(x), Some(y)) => big::cmp(&x, &y),
                _ => rank(a).cmp(&rank(b)),
            }
        }
    }
}
