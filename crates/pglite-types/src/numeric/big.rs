//! Digit arithmetic on base-10000 numbers: exact addition and multiplication, division and rounding at a decimal scale.

use std::cmp::Ordering;

use super::{POW10, SMALL_LIMIT};

pub(crate) const NBASE: u32 = 10_000;
pub(crate) const DEC_DIGITS: i32 = 4;

/// Sign, base-10000 digits, the exponent (in base 10000) of the first digit, and the display scale (decimal digits after
/// the point). After [`Big::strip`] there are no leading or trailing zero digits, and zero is positive with weight 0.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Big {
    pub neg: bool,
    pub weight: i32,
    pub dscale: i32,
    pub digits: Vec<u16>,
}

impl Big {
    pub fn zero(dscale: i32) -> Big {
        Big { dscale, ..Big::default() }
    }
    pub fn from_i128(coef: i128, dscale: i32) -> Big {
        let mut v = coef.unsigned_abs();
        let pad = (DEC_DIGITS - dscale.rem_euclid(DEC_DIGITS)) % DEC_DIGITS;
        let mut digits = Vec::with_capacity(10);
        let mut weight = -((dscale + pad) / DEC_DIGITS) - 1;
        if pad > 0 && v > 0 {
            // The lowest digit takes only 4 - pad decimal places of the coefficient.
            let take = 10u128.pow((DEC_DIGITS - pad) as u32);
            digits.push(((v % take) * 10u128.pow(pad as u32)) as u16);
            v /= take;
            weight += 1;
        }
        while v > 0 {
            digits.push((v % NBASE as u128) as u16);
            v /= NBASE as u128;
            weight += 1;
        }
        digits.reverse();
        let mut big = Big { neg: coef < 0, weight, dscale, digits };
        big.strip();
        big
    }
    pub fn is_zero(&self) -> bool {
        self.digits.iter().all(|&d| d == 0)
    }
    pub fn strip(&mut self) {
        while self.digits.last() == Some(&0) {
            self.digits.pop();
        }
        let lead = self.digits.iter().take_while(|&&d| d == 0).count();
        if lead > 0 {
            self.digits.drain(..lead);
            self.weight -= lead as i32;
        }
        if self.digits.is_empty() {
            self.neg = false;
            self.weight = 0;
        }
    }
    /// The digit of base-10000 exponent `w`.
    pub fn digit(&self, w: i32) -> u16 {
        let at = self.weight as i64 - w as i64;
        if at < 0 { 0 } else { self.digits.get(at as usize).copied().unwrap_or(0) }
    }
    /// Decimal digits before the point of a stripped number (0 when below 1).
    pub fn int_digits(&self) -> i32 {
        if self.digits.is_empty() || self.weight < 0 {
            return 0;
        }
        self.weight * DEC_DIGITS + dec_len(self.digits[0])
    }
    /// Decimal exponent of the first significant digit of a stripped, non-zero number.
    pub fn dec_weight(&self) -> i32 {
        if self.digits.is_empty() { 0 } else { self.weight * DEC_DIGITS + dec_len(self.digits[0]) - 1 }
    }
    pub fn to_small(&self) -> Option<(i64, u8)> {
        if self.dscale > 18 || self.int_digits() + self.dscale > 18 {
            return None;
        }
        let mut coef = 0i64;
        let mut w = self.weight;
        for &d in &self.digits {
            // Exponent of this digit's unit, relative to the scale.
            let e = w * DEC_DIGITS + self.dscale;
            coef += if e >= 0 {
                d as i64 * POW10[e as usize]
            } else if e > -DEC_DIGITS {
                let p = POW10[-e as usize];
                debug_assert!(d as i64 % p == 0);
                d as i64 / p
            } else {
                0
            };
            w -= 1;
        }
        debug_assert!(coef < SMALL_LIMIT);
        Some((if self.neg { -coef } else { coef }, self.dscale as u8))
    }
    /// The value of an integer (digits after the point are cut).
    pub fn to_i128(&self) -> Option<i128> {
        if self.int_digits() > 38 {
            return None;
        }
        let mut v = 0i128;
        for w in (0..=self.weight.max(-1)).rev() {
            v = v.checked_mul(NBASE as i128)?.checked_add(self.digit(w) as i128)?;
        }
        Some(if self.neg { -v } else { v })
    }
    pub fn min_scale(&self) -> i32 {
        match self.digits.last() {
            None => 0,
            Some(&last) => {
                let low = self.weight - self.digits.len() as i32 + 1;
                if low >= 0 {
                    return 0;
                }
                let mut scale = -low * DEC_DIGITS;
                let mut d = last;
                while d != 0 && d % 10 == 0 {
                    d /= 10;
                    scale -= 1;
                }
                scale.max(0)
            }
        }
    }
    /// Cuts at decimal place `rscale` (negative: before the point) and returns the first digit cut away (0..=9).
    fn cut(&mut self, rscale: i32) -> u16 {
        self.dscale = rscale;
        // Decimal places kept, counted from the first base digit.
        let keep = (self.weight as i64 + 1) * DEC_DIGITS as i64 + rscale as i64;
        if keep < 0 {
            self.digits.clear();
            self.weight = 0;
            return 0;
        }
        let whole = (keep / DEC_DIGITS as i64) as usize;
        let part = (keep % DEC_DIGITS as i64) as u32;
        if whole >= self.digits.len() {
            return 0;
        }
        let unit = 10u16.pow(DEC_DIGITS as u32 - part);
        let d = self.digits[whole];
        let next = d % unit / (unit / 10);
        if part == 0 {
            self.digits.truncate(whole);
        } else {
            self.digits[whole] = d - d % unit;
            self.digits.truncate(whole + 1);
        }
        next
    }
    /// Cuts to `rscale` decimals toward zero. The display scale becomes `rscale`.
    pub fn trunc(&mut self, rscale: i32) {
        self.cut(rscale);
        self.strip();
    }
    /// Rounds half away from zero to `rscale` decimals (negative: before the point); the display scale becomes `rscale`.
    pub fn round(&mut self, rscale: i32) {
        let weight = self.weight;
        let kept = (weight as i64 + 1) * DEC_DIGITS as i64 + rscale as i64;
        if self.cut(rscale) >= 5 {
            // Add one unit in the last place kept.
            let w = (-rscale).div_euclid(DEC_DIGITS);
            let unit = 10u16.pow((-rscale).rem_euclid(DEC_DIGITS) as u32);
            if kept <= 0 || self.digits.is_empty() {
                self.weight = w;
                self.digits = vec![unit];
            } else {
                let at = (self.weight - w) as usize;
                self.digits.resize(self.digits.len().max(at + 1), 0);
                let mut carry = unit;
                let mut i = at as i64;
                while carry > 0 && i >= 0 {
                    let d = self.digits[i as usize] + carry;
                    carry = (d >= NBASE as u16) as u16;
                    self.digits[i as usize] = d - carry * NBASE as u16;
                    i -= 1;
                }
                if carry > 0 {
                    self.digits.insert(0, 1);
                    self.weight += 1;
                }
            }
        }
        self.strip();
    }
    /// Rounds to `sig` significant decimal digits without touching the display scale's meaning.
    pub fn round_sig(&mut self, sig: i32) {
        if !self.digits.is_empty() {
            self.round(sig - 1 - self.dec_weight());
        }
    }
    pub fn negate(mut self) -> Big {
        self.neg = !self.neg && !self.digits.is_empty();
        self
    }
    /// Approximate double; 0 and infinity outside the range.
    pub fn to_f64(&self) -> f64 {
        let mut v = 0f64;
        for (i, &d) in self.digits.iter().take(5).enumerate() {
            v += d as f64 * 10f64.powi(-DEC_DIGITS * i as i32);
        }
        let e = self.weight * DEC_DIGITS;
        let v = if e.abs() < 300 { v * 10f64.powi(e) } else { v * 10f64.powi(e / 2) * 10f64.powi(e - e / 2) };
        if self.neg { -v } else { v }
    }
}

fn dec_len(d: u16) -> i32 {
    match d {
        0..=9 => 1,
        10..=99 => 2,
        100..=999 => 3,
        _ => 4,
    }
}

/// Compares absolute values of stripped numbers.
pub fn cmp_abs(a: &Big, b: &Big) -> Ordering {
    match (a.digits.is_empty(), b.digits.is_empty()) {
        (true, true) => Ordering::Equal,
        (true, false) => Ordering::Less,
        (false, true) => Ordering::Greater,
        (false, false) => a.weight.cmp(&b.weight).then_with(|| a.digits.cmp(&b.digits)),
    }
}

pub fn cmp(a: &Big, b: &Big) -> Ordering {
    match (a.neg, b.neg) {
        (false, true) => Ordering::Greater,
        (true, false) => Ordering::Less,
        (false, false) => cmp_abs(a, b),
        (true, true) => cmp_abs(b, a),
    }
}

fn add_abs(a: &Big, b: &Big) -> Big {
    let hi = a.weight.max(b.weight) + 1;
    let lo = (a.weight - a.digits.len() as i32 + 1).min(b.weight - b.digits.len() as i32 + 1);
    let mut digits = vec![0u16; (hi - lo + 1).max(0) as usize];
    let mut carry = 0;
    for (i, w) in (lo..=hi).enumerate() {
        let s = a.digit(w) + b.digit(w) + carry;
        carry = (s >= NBASE as u16) as u16;
        let at = digits.len() - 1 - i;
        digits[at] = s - carry * NBASE as u16;
    }
    Big { neg: false, weight: hi, dscale: a.dscale.max(b.dscale), digits }
}

/// `|a| - |b|` where `|a| >= |b|`.
fn sub_abs(a: &Big, b: &Big) -> Big {
    let hi = a.weight;
    let lo = (a.weight - a.digits.len() as i32 + 1).min(b.weight - b.digits.len() as i32 + 1);
    let mut digits = vec![0u16; (hi - lo + 1).max(0) as usize];
    let mut borrow = 0i32;
    for (i, w) in (lo..=hi).enumerate() {
        let mut s = a.digit(w) as i32 - b.digit(w) as i32 - borrow;
        borrow = (s < 0) as i32;
        s += borrow * NBASE as i32;
        let at = digits.len() - 1 - i;
        digits[at] = s as u16;
    }
    Big { neg: false, weight: hi, dscale: a.dscale.max(b.dscale), digits }
}

/// Exact sum; the display scale is the larger one.
pub fn add(a: &Big, b: &Big) -> Big {
    let dscale = a.dscale.max(b.dscale);
    if a.digits.is_empty() || b.digits.is_empty() {
        let v = if a.digits.is_empty() { b } else { a };
        return Big { dscale, ..v.clone() };
    }
    let mut r = if a.neg == b.neg {
        Big { neg: a.neg, ..add_abs(a, b) }
    } else if cmp_abs(a, b) != Ordering::Less {
        Big { neg: a.neg, ..sub_abs(a, b) }
    } else {
        Big { neg: b.neg, ..sub_abs(b, a) }
    };
    r.strip();
    r
}

pub fn sub(a: &Big, b: &Big) -> Big {
    if b.digits.is_empty() {
        return Big { dscale: a.dscale.max(b.dscale), ..a.clone() };
    }
    add(a, &Big { neg: !b.neg, ..b.clone() })
}

/// Exact product; the display scale is the sum.
pub fn mul(a: &Big, b: &Big) -> Big {
    let dscale = a.dscale + b.dscale;
    if a.digits.is_empty() || b.digits.is_empty() {
        return Big::zero(dscale);
    }
    let n = a.digits.len() + b.digits.len();
    let mut acc = vec![0u64; n];
    let (short, long) = if a.digits.len() < b.digits.len() { (a, b) } else { (b, a) };
    for (i, &x) in short.digits.iter().enumerate() {
        if x != 0 {
            let row = &mut acc[i + 1..i + 1 + long.digits.len()];
            for (slot, &y) in row.iter_mut().zip(&long.digits) {
                *slot += x as u64 * y as u64;
            }
        }
    }
    let mut digits = vec![0u16; n];
    let mut carry = 0u64;
    for i in (0..n).rev() {
        let v = acc[i] + carry;
        carry = v / NBASE as u64;
        digits[i] = (v % NBASE as u64) as u16;
    }
    let mut r = Big { neg: a.neg != b.neg, weight: a.weight + b.weight + 1, dscale, digits };
    r.strip();
    r
}

pub fn mul_round(a: &Big, b: &Big, rscale: i32) -> Big {
    let mut r = mul(a, b);
    r.round(rscale);
    r
}

/// Quotient at `rscale` decimals, rounded half away from zero or cut toward zero. `b` is not zero.
pub fn div(a: &Big, b: &Big, rscale: i32, round: bool) -> Big {
    debug_assert!(!b.digits.is_empty());
    if a.digits.is_empty() {
        return Big::zero(rscale);
    }
    let qweight = a.weight - b.weight;
    // Base digits of the quotient: integer part, decimals, one more to round by.
    let want = qweight as i64 + 1 + (rscale as i64 + DEC_DIGITS as i64 - 1).div_euclid(DEC_DIGITS as i64) + 1;
    if want < 0 {
        return Big::zero(rscale);
    }
    let qdigits = long_div(&a.digits, &b.digits, want as usize + 1);
    let mut q = Big { neg: a.neg != b.neg, weight: qweight, dscale: rscale, digits: qdigits };
    if round {
        q.round(rscale);
    } else {
        q.trunc(rscale);
    }
    q
}

/// The first `n` base digits of `a / b`, both read as `d.ddd` (first digit before the point).
fn long_div(a: &[u16], b: &[u16], n: usize) -> Vec<u16> {
    if b.len() == 1 {
        return short_div(a, b[0] as u32, n);
    }
    // Normalise so that the divisor's first digit is at least half the base.
    let f = NBASE / (b[0] as u32 + 1);
    let scale = |v: &[u16], len: usize| -> Vec<u32> {
        let mut out = vec![0u32; len + 1];
        let mut carry = 0;
        for i in (0..len).rev() {
            let x = v.get(i).copied().unwrap_or(0) as u32 * f + carry;
            out[i + 1] = x % NBASE;
            carry = x / NBASE;
        }
        out[0] = carry;
        out
    };
    let m = b.len();
    let div = &scale(b, m)[1..];
    let mut rem = scale(a, (n + m).max(a.len()));
    let mut q = vec![0u16; n];
    let (d0, d1) = (div[0] as u64, div[1] as u64);
    for (j, slot) in q.iter_mut().enumerate() {
        let r0 = rem[j] as u64;
        let r1 = rem[j + 1] as u64;
        let r2 = rem[j + 2] as u64;
        let top = r0 * NBASE as u64 + r1;
        let mut qhat = (top / d0).min(NBASE as u64 - 1);
        while qhat * d1 > (top - qhat * d0) * NBASE as u64 + r2 {
            qhat -= 1;
        }
        if qhat == 0 {
            continue;
        }
        let mut borrow = 0i64;
        for i in (0..m).rev() {
            let mut v = rem[j + 1 + i] as i64 - (qhat * div[i] as u64) as i64 + borrow;
            borrow = v.div_euclid(NBASE as i64);
            v -= borrow * NBASE as i64;
            rem[j + 1 + i] = v as u32;
        }
        let mut head = r0 as i64 + borrow;
        if head < 0 {
            qhat -= 1;
            let mut carry = 0u32;
            for i in (0..m).rev() {
                let v = rem[j + 1 + i] + div[i] + carry;
                carry = (v >= NBASE) as u32;
                rem[j + 1 + i] = v - carry * NBASE;
            }
            head += carry as i64;
        }
        rem[j] = head as u32;
        *slot = qhat as u16;
    }
    q
}

fn short_div(a: &[u16], b: u32, n: usize) -> Vec<u16> {
    let mut rem = 0u32;
    (0..n)
        .map(|i| {
            let cur = rem * NBASE + a.get(i).copied().unwrap_or(0) as u32;
            rem = cur % b;
            (cur / b) as u16
        })
        .collect()
}

/// Scale of a quotient: at least 16 significant digits, and no less than either operand's scale.
pub fn select_div_scale(a: &Big, b: &Big) -> i32 {
    let first = |v: &Big| v.digits.first().copied().unwrap_or(0);
    let mut qweight = a.weight - b.weight;
    if first(a) <= first(b) {
        qweight -= 1;
    }
    (super::MIN_SIG_DIGITS - qweight * DEC_DIGITS)
        .max(a.dscale)
        .max(b.dscale)
        .clamp(0, super::MAX_DISPLAY_SCALE)
}

/// Square root at `rscale` decimals of a non-negative number.
pub fn sqrt(a: &Big, rscale: i32) -> Big {
    if a.digits.is_empty() {
        return Big::zero(rscale);
    }
    // Root of the leading digits in floating point, then Newton: the correct digits double each step.
    let even = a.weight.div_euclid(2);
    let mut lead = 0f64;
    for i in 0..5 {
        lead = lead * NBASE as f64 + a.digits.get(i).copied().unwrap_or(0) as f64;
    }
    if a.weight.rem_euclid(2) == 0 {
        lead /= 1e16;
    } else {
        lead /= 1e12;
    }
    let mut x = Big::from_i128((lead.sqrt() * 1e14) as i128, 14);
    x.weight += even;
    let half = Big::from_i128(5, 1);
    let sig = rscale + 2 * even.max(0) * DEC_DIGITS / 2 + (even.max(0) * DEC_DIGITS) + 12;
    let top = even * DEC_DIGITS;
    let mut have = 12;
    loop {
        have = (have * 2).min(sig.max(24));
        // `have` significant digits at this step.
        let scale = have - top + 4;
        let q = div(a, &x, scale, false);
        let mut next = mul(&add(&x, &q), &half);
        next.round(scale);
        let done = have >= sig.max(24);
        x = next;
        if done {
            break;
        }
    }
    x.round(rscale);
    x
}
