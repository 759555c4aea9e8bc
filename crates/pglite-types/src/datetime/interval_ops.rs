//! Arithmetic on intervals.

use pglite_error::{PgResult, bail, err};

use super::{Interval, MICROS_PER_DAY, MICROS_PER_HOUR, MICROS_PER_MINUTE, interval_range};

const DAYS_PER_MONTH: i32 = 30;
const POS: Interval = Interval::INFINITY;
const NEG: Interval = Interval::NEG_INFINITY;

/// A finite result; the patterns of the infinities are out of range.
fn finite(v: Interval) -> PgResult<Interval> {
    if v.is_finite() { Ok(v) } else { Err(interval_range()) }
}

pub fn interval_neg(v: &Interval) -> PgResult<Interval> {
    if *v == POS {
        return Ok(NEG);
    }
    if *v == NEG {
        return Ok(POS);
    }
    let neg = || {
        Some(Interval {
            months: v.months.checked_neg()?,
            days: v.days.checked_neg()?,
            micros: v.micros.checked_neg()?,
        })
    };
    finite(neg().ok_or_else(interval_range)?)
}

pub fn interval_add(a: &Interval, b: &Interval) -> PgResult<Interval> {
    match (a.is_finite(), b.is_finite()) {
        (true, true) => {}
        (false, false) if a != b => return Err(interval_range()),
        (false, _) => return Ok(*a),
        (_, false) => return Ok(*b),
    }
    let sum = || {
        Some(Interval {
            months: a.months.checked_add(b.months)?,
            days: a.days.checked_add(b.days)?,
            micros: a.micros.checked_add(b.micros)?,
        })
    };
    finite(sum().ok_or_else(interval_range)?)
}

pub fn interval_sub(a: &Interval, b: &Interval) -> PgResult<Interval> {
    match (a.is_finite(), b.is_finite()) {
        (true, true) => {}
        (false, false) if a == b => return Err(interval_range()),
        (false, _) => return Ok(*a),
        (_, false) => return interval_neg(b),
    }
    let diff = || {
        Some(Interval {
            months: a.months.checked_sub(b.months)?,
            days: a.days.checked_sub(b.days)?,
            micros: a.micros.checked_sub(b.micros)?,
        })
    };
    finite(diff().ok_or_else(interval_range)?)
}

/// Rounds to microseconds, to hide the error of a fraction's binary form.
fn ts_round(v: f64) -> f64 {
    (v * 1e6).round_ties_even() / 1e6
}

/// What is left of months goes to days, what is left of days to seconds.
fn cascade(
    v: &Interval,
    months: f64,
    days: f64,
    micros: f64,
    part: impl Fn(f64) -> f64,
) -> PgResult<Interval> {
    let fits32 = |v: f64| v.is_finite() && v >= i32::MIN as f64 && v <= i32::MAX as f64;
    if !fits32(months) || !fits32(days) {
        return Err(interval_range());
    }
    let (m, d) = (months as i32, days as i32);
    let mut month_days = ts_round((part(v.months as f64) - m as f64) * DAYS_PER_MONTH as f64);
    let mut sec = ts_round((part(v.days as f64) - d as f64 + month_days - month_days.trunc()) * 86_400.0);
    // Rounding may have made a whole day of seconds.
    if sec.abs() >= 86_400.0 {
        let whole = (sec / 86_400.0) as i32;
        month_days += whole as f64;
        sec -= whole as f64 * 86_400.0;
    }
    let days = d.checked_add(month_days as i32).ok_or_else(interval_range)?;
    let total = (micros + sec * 1e6).round_ties_even();
    if !(total >= i64::MIN as f64 && total < i64::MAX as f64) {
        return Err(interval_range());
    }
    finite(Interval { months: m, days, micros: total as i64 })
}

pub fn interval_mul(v: &Interval, factor: f64) -> PgResult<Interval> {
    if factor.is_nan() {
        return Err(interval_range());
    }
    if !v.is_finite() || factor.is_infinite() {
        let sign = if v.is_finite() {
            (v.cmp_value().signum()) as f64
        } else if *v == POS {
            1.0
        } else {
            -1.0
        };
        let s = sign * factor;
        return if s == 0.0 || s.is_nan() {
            Err(interval_range())
        } else {
            Ok(if s > 0.0 { POS } else { NEG })
        };
    }
    let f = |x: f64| x * factor;
    cascade(v, f(v.months as f64), f(v.days as f64), f(v.micros as f64), f)
}

pub fn interval_div(v: &Interval, divisor: f64) -> PgResult<Interval> {
    if divisor == 0.0 {
        bail!(DIVISION_BY_ZERO, "division by zero");
    }
    if divisor.is_nan() {
        return Err(interval_range());
    }
    if !v.is_finite() {
        if divisor.is_infinite() {
            return Err(interval_range());
        }
        return if divisor < 0.0 { interval_neg(v) } else { Ok(*v) };
    }
    let f = |x: f64| x / divisor;
    cascade(v, f(v.months as f64), f(v.days as f64), f(v.micros as f64), f)
}

/// Whole days of 24 hours move from the time to the days.
pub fn justify_hours(v: &Interval) -> PgResult<Interval> {
    if !v.is_finite() {
        return Ok(*v);
    }
    let whole = v.micros / MICROS_PER_DAY;
    let mut micros = v.micros - whole * MICROS_PER_DAY;
    let mut days = v.days as i64 + whole;
    if days > 0 && micros < 0 {
        micros += MICROS_PER_DAY;
        days -= 1;
    } else if days < 0 && micros > 0 {
        micros -= MICROS_PER_DAY;
        days += 1;
    }
    let days = i32::try_from(days).map_err(|_| interval_range())?;
    Ok(Interval { months: v.months, days, micros })
}

/// Whole months of 30 days move from the days to the months.
pub fn justify_days(v: &Interval) -> PgResult<Interval> {
    if !v.is_finite() {
        return Ok(*v);
    }
    let whole = v.days / DAYS_PER_MONTH;
    let mut days = v.days - whole * DAYS_PER_MONTH;
    let mut months = v.months.checked_add(whole).ok_or_else(interval_range)?;
    if months > 0 && days < 0 {
        days += DAYS_PER_MONTH;
        months -= 1;
    } else if months < 0 && days > 0 {
        days -= DAYS_PER_MONTH;
        months += 1;
    }
    Ok(Interval { months, days, micros: v.micros })
}

/// Both justifications, with all parts of one sign.
pub fn justify_interval(v: &Interval) -> PgResult<Interval> {
    if !v.is_finite() {
        return Ok(*v);
    }
    let mut r = *v;
    // First merge days into months when that keeps the days small, so that the sum below cannot overflow.
    if (r.days > 0 && r.micros > 0) || (r.days < 0 && r.micros < 0) {
        let whole = r.days / DAYS_PER_MONTH;
        r.days -= whole * DAYS_PER_MONTH;
        r.months = r.months.checked_add(whole).ok_or_else(interval_range)?;
    }
    let whole = r.micros / MICROS_PER_DAY;
    r.micros -= whole * MICROS_PER_DAY;
    r.days = i32::try_from(r.days as i64 + whole).map_err(|_| interval_range())?;
    let whole = r.days / DAYS_PER_MONTH;
    r.days -= whole * DAYS_PER_MONTH;
    r.months = r.months.checked_add(whole).ok_or_else(interval_range)?;
    if r.months > 0 && (r.days < 0 || (r.days == 0 && r.micros < 0)) {
        r.days += DAYS_PER_MONTH;
        r.months -= 1;
    } else if r.months < 0 && (r.days > 0 || (r.days == 0 && r.micros > 0)) {
        r.days -= DAYS_PER_MONTH;
        r.months += 1;
    }
    if r.days > 0 && r.micros < 0 {
        r.micros += MICROS_PER_DAY;
        r.days -= 1;
    } else if r.days < 0 && r.micros > 0 {
        r.micros -= MICROS_PER_DAY;
        r.days += 1;
    }
    Ok(r)
}

/// `make_interval`.
pub fn make_interval(
    years: i32,
    months: i32,
    weeks: i32,
    days: i32,
    hours: i32,
    mins: i32,
    secs: f64,
) -> PgResult<Interval> {
    let value = || {
        if !secs.is_finite() {
            return None;
        }
        let s = (secs * 1e6).round_ties_even();
        if !(s >= i64::MIN as f64 && s < i64::MAX as f64) {
            return None;
        }
        let time = hours as i64 * MICROS_PER_HOUR + mins as i64 * MICROS_PER_MINUTE;
        Some(Interval {
            months: years.checked_mul(12)?.checked_add(months)?,
            days: weeks.checked_mul(7)?.checked_add(days)?,
            micros: time.checked_add(s as i64)?,
        })
    };
    finite(value().ok_or_else(interval_range)?)
}

/// `interval` as the time of day it names, wrapped into one day.
pub fn interval_to_time(v: &Interval) -> PgResult<i64> {
    if !v.is_finite() {
        return Err(err!(DATETIME_VALUE_OUT_OF_RANGE, "cannot convert infinite interval to time"));
    }
    Ok(v.micros.rem_euclid(MICROS_PER_DAY))
}
