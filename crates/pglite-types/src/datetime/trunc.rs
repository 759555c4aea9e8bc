//! `date_trunc` and `date_bin`.

use pglite_error::{PgError, PgResult, bail};

use super::arith::ZoneSpec;
use super::calendar::{Tm, iso_week_to_julian, iso_year_week, j2date};
use super::words::{self, Unit};
use super::{
    Interval, MICROS_PER_DAY, MICROS_PER_SEC, interval_range, is_finite_timestamp, is_valid_timestamp,
    timestamp_range,
};

/// The errors of an unknown unit and of one that makes no sense for the type.
pub(super) fn unit_error(name: &str, known: bool, type_name: &str) -> PgError {
    if known {
        PgError::new(
            pglite_error::codes::FEATURE_NOT_SUPPORTED,
            format!("unit \"{name}\" not supported for type {type_name}"),
        )
    } else {
        PgError::new(
            pglite_error::codes::INVALID_PARAMETER_VALUE,
            format!("unit \"{name}\" not recognized for type {type_name}"),
        )
    }
}

/// Units that `date_trunc` knows; other words are unknown to it.
fn trunc_unit(name: &str, type_name: &str) -> PgResult<Unit> {
    let lower = name.to_ascii_lowercase();
    match words::unit(&lower) {
        Some(words::Word::Unit(u)) => Ok(u),
        _ => Err(unit_error(&lower, false, type_name)),
    }
}

/// Clears the fields below `unit`; `true` when the zone's offset must be looked up again.
fn truncate(tm: &mut Tm, unit: Unit) -> Option<bool> {
    let day_start = |tm: &mut Tm| (tm.hour, tm.min, tm.sec, tm.fsec) = (0, 0, 0, 0);
    match unit {
        Unit::Microsecond => {}
        Unit::Millisecond => tm.fsec = tm.fsec / 1000 * 1000,
        Unit::Second => tm.fsec = 0,
        Unit::Minute => (tm.sec, tm.fsec) = (0, 0),
        Unit::Hour => (tm.min, tm.sec, tm.fsec) = (0, 0, 0),
        Unit::Day => day_start(tm),
        Unit::Week => {
            let (y, w) = iso_year_week(tm.year, tm.mon, tm.mday);
            (tm.year, tm.mon, tm.mday) = j2date(iso_week_to_julian(y, w));
            day_start(tm);
        }
        Unit::Month => {
            tm.mday = 1;
            day_start(tm);
        }
        Unit::Quarter => {
            tm.mon = 3 * ((tm.mon - 1) / 3) + 1;
            tm.mday = 1;
            day_start(tm);
        }
        Unit::Year | Unit::Decade | Unit::Century | Unit::Millennium => {
            let y = tm.year;
            tm.year = match unit {
                Unit::Year => y,
                Unit::Decade if y > 0 => y / 10 * 10,
                Unit::Decade => -((8 - (y - 1)) / 10) * 10,
                Unit::Century if y > 0 => (y + 99) / 100 * 100 - 99,
                Unit::Century => -((99 - (y - 1)) / 100) * 100 + 1,
                _ if y > 0 => (y + 999) / 1000 * 1000 - 999,
                _ => -((999 - (y - 1)) / 1000) * 1000 + 1,
            };
            tm.mon = 1;
            tm.mday = 1;
            day_start(tm);
        }
        _ => return None,
    }
    use Unit::*;
    Some(!matches!(unit, Microsecond | Millisecond | Second | Minute | Hour))
}

pub fn timestamp_trunc(unit: &str, ts: i64) -> PgResult<i64> {
    const NAME: &str = "timestamp without time zone";
    let u = trunc_unit(unit, NAME)?;
    let mut tm = if is_finite_timestamp(ts) {
        Tm::from_timestamp(ts)
    } else {
        Tm { year: 2000, mon: 1, mday: 1, ..Tm::default() }
    };
    if truncate(&mut tm, u).is_none() {
        return Err(unit_error(&unit.to_ascii_lowercase(), true, NAME));
    }
    if !is_finite_timestamp(ts) {
        return Ok(ts);
    }
    tm.to_timestamp(0).ok_or_else(timestamp_range)
}

/// `date_trunc` of an instant in a zone.
pub fn timestamptz_trunc(unit: &str, ts: i64, zone: &ZoneSpec) -> PgResult<i64> {
    const NAME: &str = "timestamp with time zone";
    let u = trunc_unit(unit, NAME)?;
    let finite = is_finite_timestamp(ts);
    let west = if finite { zone.west_at(ts) } else { 0 };
    let mut tm = if finite {
        Tm::from_timestamp(ts - west as i64 * MICROS_PER_SEC)
    } else {
        Tm { year: 2000, mon: 1, mday: 1, ..Tm::default() }
    };
    let Some(redo) = truncate(&mut tm, u) else {
        return Err(unit_error(&unit.to_ascii_lowercase(), true, NAME));
    };
    if !finite {
        return Ok(ts);
    }
    let west = if redo { zone.west_of_local(&tm) } else { west };
    tm.to_timestamp(west).ok_or_else(timestamp_range)
}

pub fn interval_trunc(unit: &str, v: &Interval) -> PgResult<Interval> {
    let u = trunc_unit(unit, "interval")?;
    let months = |n: i32| Interval { months: v.months / n * n, days: 0, micros: 0 };
    let time = |n: i64| Interval { micros: v.micros / n * n, ..*v };
    let r = match u {
        Unit::Millennium => months(12_000),
        Unit::Century => months(1200),
        Unit::Decade => months(120),
        Unit::Year => months(12),
        Unit::Quarter => months(3),
        Unit::Month => months(1),
        Unit::Day => Interval { micros: 0, ..*v },
        Unit::Hour => time(super::MICROS_PER_HOUR),
        Unit::Minute => time(super::MICROS_PER_MINUTE),
        Unit::Second => time(MICROS_PER_SEC),
        Unit::Millisecond => time(1000),
        Unit::Microsecond => *v,
        _ => {
            let e = unit_error(&unit.to_ascii_lowercase(), true, "interval");
            return Err(if u == Unit::Week { e.detail("Months usually have fractional weeks.") } else { e });
        }
    };
    Ok(if v.is_finite() { r } else { *v })
}

/// `date_bin(stride, source, origin)`, for local times and instants alike.
pub fn date_bin(stride: &Interval, source: i64, origin: i64) -> PgResult<i64> {
    if !is_finite_timestamp(source) {
        return Ok(source);
    }
    if !is_finite_timestamp(origin) {
        bail!(DATETIME_VALUE_OUT_OF_RANGE, "origin out of range");
    }
    if !stride.is_finite() {
        bail!(DATETIME_VALUE_OUT_OF_RANGE, "timestamps cannot be binned into infinite intervals");
    }
    if stride.months != 0 {
        bail!(FEATURE_NOT_SUPPORTED, "timestamps cannot be binned into intervals containing months or years");
    }
    let step = (stride.days as i64)
        .checked_mul(MICROS_PER_DAY)
        .and_then(|d| d.checked_add(stride.micros))
        .ok_or_else(interval_range)?;
    if step <= 0 {
        bail!(DATETIME_VALUE_OUT_OF_RANGE, "stride must be greater than zero");
    }
    let diff = source.checked_sub(origin).ok_or_else(interval_range)?;
    let delta = diff - diff.rem_euclid(step);
    let v = origin.checked_add(delta).filter(|&v| is_valid_timestamp(v));
    v.ok_or_else(timestamp_range)
}
