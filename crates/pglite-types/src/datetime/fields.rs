//! `extract` and `date_part`: one field of a date, time or interval.
//!
//! Each function returns the exact value as a decimal; `date_part` turns it into a double. `None` is SQL NULL: a field
//! that an infinite value does not have.

use pglite_error::PgResult;

use super::calendar::{EPOCH_JDATE, Tm, date2j, iso_year_week, j2date, j2day};
use super::trunc::unit_error;
use super::words::{self, Unit};
use super::zone::TimeZone;
use super::{
    Interval, MICROS_PER_DAY, MICROS_PER_SEC, TimeTz, UNIX_EPOCH_SECS, is_finite_date, is_finite_timestamp,
};
use crate::numeric::{self, Numeric};

/// The unit and its name in lower case.
fn parse(name: &str, type_name: &str) -> PgResult<(Unit, String)> {
    let lower = name.to_ascii_lowercase();
    match words::field(&lower) {
        Some(u) => Ok((u, lower)),
        None => Err(unit_error(&lower, false, type_name)),
    }
}

fn int(v: i64) -> Numeric {
    Numeric::from_i64(v)
}

/// `v / 10^scale`, shown with `scale` decimals.
fn scaled(v: i64, scale: i32) -> Numeric {
    Numeric::from_i128(v as i128, scale)
}

/// Fields that only a time of day has.
fn clock_field(u: Unit, tm: &Tm) -> Option<Numeric> {
    let micros = tm.sec as i64 * MICROS_PER_SEC + tm.fsec as i64;
    Some(match u {
        Unit::Microsecond => int(micros),
        Unit::Millisecond => scaled(micros, 3),
        Unit::Second => scaled(micros, 6),
        Unit::Minute => int(tm.min as i64),
        Unit::Hour => int(tm.hour as i64),
        _ => return None,
    })
}

/// Fields of the calendar date.
fn date_field(u: Unit, tm: &Tm) -> Option<Numeric> {
    let y = tm.year as i64;
    // 1 BC is year 0 inside, -1 outside.
    let v = match u {
        Unit::Day => tm.mday as i64,
        Unit::Month => tm.mon as i64,
        Unit::Quarter => ((tm.mon - 1) / 3 + 1) as i64,
        Unit::Week => iso_year_week(tm.year, tm.mon, tm.mday).1 as i64,
        Unit::Year if y > 0 => y,
        Unit::Year => y - 1,
        Unit::Decade if y >= 0 => y / 10,
        Unit::Decade => -((8 - (y - 1)) / 10),
        Unit::Century if y > 0 => (y + 99) / 100,
        Unit::Century => -((99 - (y - 1)) / 100),
        Unit::Millennium if y > 0 => (y + 999) / 1000,
        Unit::Millennium => -((999 - (y - 1)) / 1000),
        Unit::IsoYear => {
            let v = iso_year_week(tm.year, tm.mon, tm.mday).0 as i64;
            if v <= 0 { v - 1 } else { v }
        }
        Unit::Dow => j2day(tm.julian()) as i64,
        Unit::IsoDow => match j2day(tm.julian()) {
            0 => 7,
            d => d as i64,
        },
        Unit::Doy => tm.julian() - date2j(tm.year, 1, 1) + 1,
        _ => return None,
    };
    Some(int(v))
}

/// The value of a field of an infinite date or timestamp: infinity for growing fields, NULL for cyclic ones.
fn infinite(u: Unit, name: &str, negative: bool, type_name: &str, tz: bool) -> PgResult<Option<Numeric>> {
    use Unit::*;
    match u {
        Microsecond | Millisecond | Second | Minute | Hour | Day | Month | Quarter | Week | Dow | IsoDow
        | Doy => Ok(None),
        Timezone | TimezoneHour | TimezoneMinute if tz => Ok(None),
        Year | Decade | Century | Millennium | Julian | IsoYear | Epoch => {
            Ok(Some(if negative { Numeric::NegInf } else { Numeric::PosInf }))
        }
        _ => Err(unit_error(name, true, type_name)),
    }
}

fn julian(tm: &Tm) -> PgResult<Numeric> {
    // PG: the day, plus the time as a fraction of a day at the quotient's own scale.
    let frac = numeric::div(&int(tm.time()), &int(MICROS_PER_DAY))?;
    numeric::add(&int(tm.julian()), &frac)
}

fn epoch(ts: i64) -> Numeric {
    Numeric::from_i128(ts as i128 + UNIX_EPOCH_SECS as i128 * MICROS_PER_SEC as i128, 6)
}

pub fn part_timestamp(name: &str, ts: i64) -> PgResult<Option<Numeric>> {
    const NAME: &str = "timestamp without time zone";
    let (u, lower) = parse(name, NAME)?;
    if !is_finite_timestamp(ts) {
        return infinite(u, &lower, ts < 0, NAME, true);
    }
    let tm = Tm::from_timestamp(ts);
    match u {
        Unit::Julian => julian(&tm).map(Some),
        Unit::Epoch => Ok(Some(epoch(ts))),
        _ => match clock_field(u, &tm).or_else(|| date_field(u, &tm)) {
            Some(v) => Ok(Some(v)),
            None => Err(unit_error(&lower, true, NAME)),
        },
    }
}

/// Offset fields of a zone that is `west` seconds west.
fn zone_field(u: Unit, west: i32) -> Option<Numeric> {
    Some(int(match u {
        Unit::Timezone => -west as i64,
        Unit::TimezoneHour => (-west / 3600) as i64,
        Unit::TimezoneMinute => (-west / 60 % 60) as i64,
        _ => return None,
    }))
}

pub fn part_timestamptz(name: &str, ts: i64, zone: &TimeZone) -> PgResult<Option<Numeric>> {
    const NAME: &str = "timestamp with time zone";
    let (u, lower) = parse(name, NAME)?;
    if !is_finite_timestamp(ts) {
        return infinite(u, &lower, ts < 0, NAME, true);
    }
    let east = zone.at_timestamp(ts).offset;
    let tm = Tm::from_timestamp(ts + east as i64 * MICROS_PER_SEC);
    match u {
        Unit::Julian => julian(&tm).map(Some),
        Unit::Epoch => Ok(Some(epoch(ts))),
        _ => match clock_field(u, &tm).or_else(|| date_field(u, &tm)).or_else(|| zone_field(u, -east)) {
            Some(v) => Ok(Some(v)),
            None => Err(unit_error(&lower, true, NAME)),
        },
    }
}

pub fn part_date(name: &str, date: i32) -> PgResult<Option<Numeric>> {
    let (u, lower) = parse(name, "date")?;
    let bad = || unit_error(&lower, true, "date");
    if !is_finite_date(date) {
        return match u {
            Unit::Microsecond | Unit::Millisecond | Unit::Second | Unit::Minute | Unit::Hour => Err(bad()),
            _ => infinite(u, &lower, date < 0, "date", false),
        };
    }
    let (year, mon, mday) = j2date(date as i64 + EPOCH_JDATE);
    let tm = Tm { year, mon, mday, ..Tm::default() };
    match u {
        Unit::Julian => Ok(Some(int(tm.julian()))),
        Unit::Epoch => Ok(Some(int(date as i64 * 86_400 + UNIX_EPOCH_SECS))),
        _ => date_field(u, &tm).map(Some).ok_or_else(bad),
    }
}

pub fn part_time(name: &str, t: i64) -> PgResult<Option<Numeric>> {
    const NAME: &str = "time without time zone";
    let (u, lower) = parse(name, NAME)?;
    match u {
        Unit::Epoch => Ok(Some(scaled(t, 6))),
        _ => match clock_field(u, &Tm::from_time(t)) {
            Some(v) => Ok(Some(v)),
            None => Err(unit_error(&lower, true, NAME)),
        },
    }
}

pub fn part_timetz(name: &str, t: TimeTz) -> PgResult<Option<Numeric>> {
    const NAME: &str = "time with time zone";
    let (u, lower) = parse(name, NAME)?;
    match u {
        Unit::Epoch => Ok(Some(scaled(t.micros + t.zone as i64 * MICROS_PER_SEC, 6))),
        _ => match clock_field(u, &Tm::from_time(t.micros)).or_else(|| zone_field(u, t.zone)) {
            Some(v) => Ok(Some(v)),
            None => Err(unit_error(&lower, true, NAME)),
        },
    }
}

pub fn interval_part(name: &str, v: &Interval) -> PgResult<Option<Numeric>> {
    let (u, lower) = parse(name, "interval")?;
    let bad = || unit_error(&lower, true, "interval");
    if !v.is_finite() {
        use Unit::*;
        return match u {
            Microsecond | Millisecond | Second | Minute | Month | Quarter | Week => Ok(None),
            Hour | Day | Year | Decade | Century | Millennium | Epoch => {
                Ok(Some(if *v == Interval::INFINITY { Numeric::PosInf } else { Numeric::NegInf }))
            }
            _ => Err(bad()),
        };
    }
    let micros = v.micros % super::MICROS_PER_MINUTE;
    let years = (v.months / 12) as i64;
    Ok(Some(match u {
        Unit::Microsecond => int(micros),
        Unit::Millisecond => scaled(micros, 3),
        Unit::Second => scaled(micros, 6),
        Unit::Minute => int(v.micros % super::MICROS_PER_HOUR / super::MICROS_PER_MINUTE),
        Unit::Hour => int(v.micros / super::MICROS_PER_HOUR),
        Unit::Day => int(v.days as i64),
        Unit::Week => int((v.days / 7) as i64),
        Unit::Month => int((v.months % 12) as i64),
        Unit::Quarter => {
            // PG: negative intervals count quarters down from -1.
            let m = v.months % 12;
            int(if v.months >= 0 { m / 3 + 1 } else { -(-m / 3 + 1) } as i64)
        }
        Unit::Year => int(years),
        Unit::Decade => int(years / 10),
        Unit::Century => int(years / 100),
        Unit::Millennium => int(years / 1000),
        Unit::Epoch => {
            // A year counts 365.25 days, a month 30.
            let secs = (1461 * (v.months / 12) as i128 + 120 * (v.months % 12) as i128 + 4 * v.days as i128)
                * 21_600;
            Numeric::from_i128(secs * 1_000_000 + v.micros as i128, 6)
        }
        _ => return Err(bad()),
    }))
}
