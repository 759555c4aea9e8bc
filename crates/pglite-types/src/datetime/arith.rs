//! Arithmetic between dates, timestamps and intervals, and moves between zones.

use pglite_error::{PgResult, bail, err};

use super::calendar::{self, EPOCH_JDATE, Tm, days_in_month, j2date};
use super::zone::{AbbrevMeaning, TimeZone, default_abbreviation};
use super::{
    DATE_INFINITY, DATE_NEG_INFINITY, Interval, MICROS_PER_DAY, MICROS_PER_SEC, TIMESTAMP_INFINITY,
    TIMESTAMP_NEG_INFINITY, TimeTz, interval_range, is_finite_date, is_finite_timestamp, is_valid_date,
    is_valid_timestamp, out_of_range, timestamp_range,
};

/// A time zone as `AT TIME ZONE` names it: a zone, an abbreviation, or an offset.
#[derive(Clone, Debug)]
pub enum ZoneSpec {
    Zone(TimeZone),
    /// Seconds west of UTC.
    West(i32),
    /// An abbreviation whose meaning depends on the date.
    Abbrev(TimeZone, String),
}

impl ZoneSpec {
    /// Resolves a zone name: abbreviations first, then names and POSIX specifications. PG: infinite values are returned
    /// before the zone is looked at.
    pub fn parse(name: &str, session: &TimeZone) -> PgResult<ZoneSpec> {
        let lower = name.to_ascii_lowercase();
        let meaning = session.abbreviation(&lower).or_else(|| default_abbreviation(&lower));
        Ok(match meaning {
            Some(AbbrevMeaning::Fixed(east, _)) => ZoneSpec::West(-east),
            Some(AbbrevMeaning::Dynamic(zone)) => ZoneSpec::Abbrev(zone, lower),
            None => match TimeZone::lookup(name) {
                Some(zone) => ZoneSpec::Zone(zone),
                None => bail!(INVALID_PARAMETER_VALUE, "time zone \"{name}\" not recognized"),
            },
        })
    }
    /// From the interval of `AT TIME ZONE INTERVAL '...'`.
    pub fn from_interval(v: &Interval, text: &str) -> PgResult<ZoneSpec> {
        if !v.is_finite() {
            bail!(INVALID_PARAMETER_VALUE, "interval time zone \"{text}\" must be finite");
        }
        if v.months != 0 || v.days != 0 {
            bail!(INVALID_PARAMETER_VALUE, "interval time zone \"{text}\" must not include months or days");
        }
        Ok(ZoneSpec::West(-(v.micros / MICROS_PER_SEC) as i32))
    }
    /// Offset (seconds west) at an instant.
    pub fn west_at(&self, ts: i64) -> i32 {
        match self {
            ZoneSpec::Zone(z) => -z.at_timestamp(ts).offset,
            ZoneSpec::West(w) => *w,
            ZoneSpec::Abbrev(z, a) => z.abbrev_offset_at(ts, a),
        }
    }
    /// Offset (seconds west) of a local time.
    pub fn west_of_local(&self, tm: &Tm) -> i32 {
        match self {
            ZoneSpec::Zone(z) => z.offset_of_local(tm),
            ZoneSpec::West(w) => *w,
            ZoneSpec::Abbrev(z, a) => z.offset_of_abbrev(tm, a),
        }
    }
}

fn checked(v: Option<i64>) -> PgResult<i64> {
    v.filter(|&v| is_valid_timestamp(v)).ok_or_else(timestamp_range)
}

/// `timestamp AT TIME ZONE zone`: local time to an instant.
pub fn timestamp_at_zone(ts: i64, zone: &ZoneSpec) -> PgResult<i64> {
    if !is_finite_timestamp(ts) {
        return Ok(ts);
    }
    let west = zone.west_of_local(&Tm::from_timestamp(ts));
    checked(ts.checked_add(west as i64 * MICROS_PER_SEC))
}

/// `timestamptz AT TIME ZONE zone`: an instant to local time.
pub fn timestamptz_at_zone(ts: i64, zone: &ZoneSpec) -> PgResult<i64> {
    if !is_finite_timestamp(ts) {
        return Ok(ts);
    }
    checked(ts.checked_sub(zone.west_at(ts) as i64 * MICROS_PER_SEC))
}

/// `timetz AT TIME ZONE zone`, with the offset in force at `now`.
pub fn timetz_at_zone(t: TimeTz, zone: &ZoneSpec, now: i64) -> TimeTz {
    let west = zone.west_at(now);
    let micros = t.micros + (t.zone - west) as i64 * MICROS_PER_SEC;
    TimeTz { micros: micros.rem_euclid(MICROS_PER_DAY), zone: west }
}

pub fn timestamp_to_timestamptz(ts: i64, zone: &TimeZone) -> PgResult<i64> {
    timestamp_at_zone(ts, &ZoneSpec::Zone(zone.clone()))
}

pub fn timestamptz_to_timestamp(ts: i64, zone: &TimeZone) -> PgResult<i64> {
    timestamptz_at_zone(ts, &ZoneSpec::Zone(zone.clone()))
}

pub fn timestamp_to_date(ts: i64) -> i32 {
    match ts {
        TIMESTAMP_INFINITY => DATE_INFINITY,
        TIMESTAMP_NEG_INFINITY => DATE_NEG_INFINITY,
        _ => ts.div_euclid(MICROS_PER_DAY) as i32,
    }
}

pub fn timestamptz_to_date(ts: i64, zone: &TimeZone) -> PgResult<i32> {
    timestamptz_to_timestamp(ts, zone).map(timestamp_to_date)
}

pub fn date_to_timestamp(d: i32) -> PgResult<i64> {
    match d {
        DATE_INFINITY => Ok(TIMESTAMP_INFINITY),
        DATE_NEG_INFINITY => Ok(TIMESTAMP_NEG_INFINITY),
        _ => {
            let v = (d as i64).checked_mul(MICROS_PER_DAY).filter(|&v| is_valid_timestamp(v));
            v.ok_or_else(|| err!(DATETIME_VALUE_OUT_OF_RANGE, "date out of range for timestamp"))
        }
    }
}

pub fn date_to_timestamptz(d: i32, zone: &TimeZone) -> PgResult<i64> {
    if !is_finite_date(d) {
        return date_to_timestamp(d);
    }
    let (year, mon, mday) = j2date(d as i64 + EPOCH_JDATE);
    let west = zone.offset_of_local(&Tm { year, mon, mday, ..Tm::default() });
    let v = (d as i64).checked_mul(MICROS_PER_DAY).and_then(|v| v.checked_add(west as i64 * MICROS_PER_SEC));
    v.filter(|&v| is_valid_timestamp(v))
        .ok_or_else(|| err!(DATETIME_VALUE_OUT_OF_RANGE, "date out of range for timestamp"))
}

/// Order of a date and a timestamp; a date past the timestamp range is greater (or less) than any.
pub fn cmp_date_timestamp(d: i32, ts: i64) -> std::cmp::Ordering {
    if is_finite_date(d) {
        (d as i128 * MICROS_PER_DAY as i128).cmp(&(ts as i128)).then(std::cmp::Ordering::Equal)
    } else if d == DATE_INFINITY {
        i64::MAX.cmp(&ts)
    } else {
        i64::MIN.cmp(&ts)
    }
}

/// `date + integer`.
pub fn date_add_days(d: i32, days: i32) -> PgResult<i32> {
    if !is_finite_date(d) {
        return Ok(d);
    }
    let v = d as i64 + days as i64;
    if is_valid_date(v) { Ok(v as i32) } else { Err(out_of_range("date")) }
}

/// `date - date`.
pub fn date_diff(a: i32, b: i32) -> PgResult<i32> {
    if !is_finite_date(a) || !is_finite_date(b) {
        bail!(DATETIME_VALUE_OUT_OF_RANGE, "cannot subtract infinite dates");
    }
    Ok(a.wrapping_sub(b))
}

/// `timestamp + interval` for local time.
pub fn timestamp_add(ts: i64, v: &Interval) -> PgResult<i64> {
    add_interval(ts, v, None)
}

/// `timestamptz + interval`: months and days move local time in `zone`.
pub fn timestamptz_add(ts: i64, v: &Interval, zone: &TimeZone) -> PgResult<i64> {
    add_interval(ts, v, Some(zone))
}

fn add_interval(ts: i64, v: &Interval, zone: Option<&TimeZone>) -> PgResult<i64> {
    if !v.is_finite() {
        let target = if *v == Interval::INFINITY { TIMESTAMP_INFINITY } else { TIMESTAMP_NEG_INFINITY };
        if !is_finite_timestamp(ts) && ts != target {
            return Err(timestamp_range());
        }
        return Ok(target);
    }
    if !is_finite_timestamp(ts) {
        return Ok(ts);
    }
    let mut ts = ts;
    if v.months != 0 {
        let mut tm = local(ts, zone);
        let months = tm.mon.checked_add(v.months).ok_or_else(timestamp_range)? as i64 - 1;
        tm.year = i32::try_from(tm.year as i64 + months.div_euclid(12)).map_err(|_| timestamp_range())?;
        tm.mon = months.rem_euclid(12) as i32 + 1;
        tm.mday = tm.mday.min(days_in_month(tm.year, tm.mon));
        ts = global(&tm, zone)?;
    }
    if v.days != 0 {
        match zone {
            None => {
                ts = checked((v.days as i64).checked_mul(MICROS_PER_DAY).and_then(|d| ts.checked_add(d)))?
            }
            Some(_) => {
                let mut tm = local(ts, zone);
                let j = tm.julian().checked_add(v.days as i64).filter(|&j| j >= 0 && j <= i32::MAX as i64);
                (tm.year, tm.mon, tm.mday) = j2date(j.ok_or_else(timestamp_range)?);
                ts = global(&tm, zone)?;
            }
        }
    }
    checked(ts.checked_add(v.micros))
}

fn local(ts: i64, zone: Option<&TimeZone>) -> Tm {
    let east = zone.map_or(0, |z| z.at_timestamp(ts).offset);
    Tm::from_timestamp(ts + east as i64 * MICROS_PER_SEC)
}

fn global(tm: &Tm, zone: Option<&TimeZone>) -> PgResult<i64> {
    let west = zone.map_or(0, |z| z.offset_of_local(tm));
    tm.to_timestamp(west).ok_or_else(timestamp_range)
}

/// `timestamp - timestamp`: days and time.
pub fn timestamp_diff(a: i64, b: i64) -> PgResult<Interval> {
    if !is_finite_timestamp(a) || !is_finite_timestamp(b) {
        return match (a, b) {
            (i64::MIN, i64::MIN) | (i64::MAX, i64::MAX) => Err(interval_range()),
            (i64::MIN, _) | (_, i64::MAX) => Ok(Interval::NEG_INFINITY),
            _ => Ok(Interval::INFINITY),
        };
    }
    let micros = a.checked_sub(b).ok_or_else(interval_range)?;
    super::justify_hours(&Interval { months: 0, days: 0, micros })
}

/// `age(a, b)` of local times: years, months, days and time. `age` of instants moves both to local time first.
pub fn age(a: i64, b: i64) -> PgResult<Interval> {
    if !is_finite_timestamp(a) || !is_finite_timestamp(b) {
        return timestamp_diff(a, b);
    }
    let (t1, t2) = (Tm::from_timestamp(a), Tm::from_timestamp(b));
    let neg = a < b;
    let (hi, lo) = if neg { (&t2, &t1) } else { (&t1, &t2) };
    let mut f = [
        hi.year - lo.year,
        hi.mon - lo.mon,
        hi.mday - lo.mday,
        hi.hour - lo.hour,
        hi.min - lo.min,
        hi.sec - lo.sec,
        hi.fsec - lo.fsec,
    ];
    for (i, size) in [(6, 1_000_000), (5, 60), (4, 60), (3, 24)] {
        if f[i] < 0 {
            f[i] += size;
            f[i - 1] -= 1;
        }
    }
    while f[2] < 0 {
        // Borrow the days of the month the earlier time lies in.
        f[2] += days_in_month(lo.year, lo.mon);
        f[1] -= 1;
    }
    while f[1] < 0 {
        f[1] += 12;
        f[0] -= 1;
    }
    let time = Tm { hour: f[3], min: f[4], sec: f[5], fsec: f[6], ..Tm::default() }.time();
    let sign = if neg { -1 } else { 1 };
    Ok(Interval { months: sign * (f[0] * 12 + f[1]), days: sign * f[2], micros: sign as i64 * time })
}

/// `time + interval`: wraps around midnight.
pub fn time_add(t: i64, v: &Interval) -> PgResult<i64> {
    if !v.is_finite() {
        bail!(DATETIME_VALUE_OUT_OF_RANGE, "cannot add infinite interval to time");
    }
    Ok((t + v.micros % MICROS_PER_DAY).rem_euclid(MICROS_PER_DAY))
}

/// `time - interval`.
pub fn time_sub(t: i64, v: &Interval) -> PgResult<i64> {
    if !v.is_finite() {
        bail!(DATETIME_VALUE_OUT_OF_RANGE, "cannot subtract infinite interval from time");
    }
    Ok((t - v.micros % MICROS_PER_DAY).rem_euclid(MICROS_PER_DAY))
}

/// `make_date`; negative years are BC.
pub fn make_date(year: i32, month: i32, day: i32) -> PgResult<i32> {
    let fail = || err!(DATETIME_FIELD_OVERFLOW, "date field value out of range: {year}-{month:02}-{day:02}");
    // Year -1 is 1 BC, inside year 0; there is no year 0.
    let y = match year {
        0 => return Err(fail()),
        y if y < 0 => y.checked_add(1).ok_or_else(fail)?,
        y => y,
    };
    if !(1..=12).contains(&month) || day < 1 || day > days_in_month(y, month) {
        return Err(fail());
    }
    let out = || err!(DATETIME_VALUE_OUT_OF_RANGE, "date out of range: {year}-{month:02}-{day:02}");
    if !calendar::is_valid_julian(y, month) {
        return Err(out());
    }
    let v = calendar::date2j(y, month, day) - EPOCH_JDATE;
    if is_valid_date(v) { Ok(v as i32) } else { Err(out()) }
}

/// `make_time`.
pub fn make_time(hour: i32, min: i32, sec: f64) -> PgResult<i64> {
    let fail = || err!(DATETIME_FIELD_OVERFLOW, "time field value out of range: {hour}:{min:02}:{}", g(sec));
    let whole = (sec * 1e6).round_ties_even();
    let bad = !(0..=24).contains(&hour)
        || !(0..60).contains(&min)
        || sec.is_nan()
        || !(0.0..=60e6).contains(&whole);
    if bad {
        return Err(fail());
    }
    let v = (hour as i64 * 60 + min as i64) * super::MICROS_PER_MINUTE + whole as i64;
    if v > MICROS_PER_DAY { Err(fail()) } else { Ok(v) }
}

/// `%02g`.
fn g(v: f64) -> String {
    let mut s = String::new();
    crate::text::fmt::push_g(&mut s, v, 6);
    if s.len() < 2 {
        s.insert(0, '0');
    }
    s
}

/// `make_timestamp`: microseconds of the local time.
pub fn make_timestamp(y: i32, mo: i32, d: i32, h: i32, mi: i32, sec: f64) -> PgResult<i64> {
    let year = if y < 0 { y.saturating_add(1) } else { y };
    if y == 0 || !(1..=12).contains(&mo) || d < 1 || d > days_in_month(year, mo) {
        bail!(DATETIME_FIELD_OVERFLOW, "date field value out of range: {y}-{mo:02}-{d:02}");
    }
    let out = || {
        err!(DATETIME_VALUE_OUT_OF_RANGE, "timestamp out of range: {y}-{mo:02}-{d:02} {h}:{mi:02}:{}", g(sec))
    };
    if !calendar::is_valid_julian(year, mo) {
        bail!(DATETIME_VALUE_OUT_OF_RANGE, "date out of range: {y}-{mo:02}-{d:02}");
    }
    let time = make_time(h, mi, sec)?;
    let day = calendar::date2j(year, mo, d) - EPOCH_JDATE;
    let v = day.checked_mul(MICROS_PER_DAY).and_then(|v| v.checked_add(time));
    v.filter(|&v| is_valid_timestamp(v)).ok_or_else(out)
}
