//! Casts between date/time types, construction, moves between zones.

use pglite_error::{PgError, PgResult, err};
use pglite_ir::FnCtx;
use pglite_types::datetime::{self as dt, Interval, TimeTz, Tm, ZoneSpec};

use super::zone;
use crate::arg::{Date, Time, Timestamp};
use crate::builtins;

fn range() -> PgError {
    err!(DATETIME_VALUE_OUT_OF_RANGE, "timestamp out of range")
}
fn ts(v: PgResult<i64>) -> PgResult<Timestamp> {
    v.map(Timestamp)
}

fn date_timestamp(d: Date) -> PgResult<Timestamp> {
    ts(dt::date_to_timestamp(d.0))
}
fn date_timestamptz(cx: &FnCtx<'_>, d: Date) -> PgResult<Timestamp> {
    ts(dt::date_to_timestamptz(d.0, zone(cx)))
}
fn timestamp_date(t: Timestamp) -> Date {
    Date(dt::timestamp_to_date(t.0))
}
fn timestamptz_date(cx: &FnCtx<'_>, t: Timestamp) -> PgResult<Date> {
    dt::timestamptz_to_date(t.0, zone(cx)).map(Date)
}
fn timestamp_timestamptz(cx: &FnCtx<'_>, t: Timestamp) -> PgResult<Timestamp> {
    ts(dt::timestamp_to_timestamptz(t.0, zone(cx)))
}
fn timestamptz_timestamp(cx: &FnCtx<'_>, t: Timestamp) -> PgResult<Timestamp> {
    ts(dt::timestamptz_to_timestamp(t.0, zone(cx)))
}
fn timestamp_time(t: Timestamp) -> Option<Time> {
    dt::is_finite_timestamp(t.0).then(|| Time(t.0.rem_euclid(dt::MICROS_PER_DAY)))
}
fn timestamptz_time(cx: &FnCtx<'_>, t: Timestamp) -> PgResult<Option<Time>> {
    timestamptz_timestamp(cx, t).map(timestamp_time)
}
fn timestamptz_timetz(cx: &FnCtx<'_>, t: Timestamp) -> PgResult<Option<TimeTz>> {
    let west = -zone(cx).at_timestamp(t.0).offset;
    Ok(timestamptz_time(cx, t)?.map(|v| TimeTz { micros: v.0, zone: west }))
}
fn time_timetz(cx: &FnCtx<'_>, t: Time) -> TimeTz {
    let now = cx.host.transaction_timestamp();
    let offset = i64::from(zone(cx).at_timestamp(now).offset);
    let today = Tm::from_timestamp(now + offset * dt::MICROS_PER_SEC);
    let tm = Tm { year: today.year, mon: today.mon, mday: today.mday, ..Tm::from_time(t.0) };
    TimeTz { micros: t.0, zone: zone(cx).offset_of_local(&tm) }
}
fn timetz_time(t: TimeTz) -> Time {
    Time(t.micros)
}
fn time_interval(t: Time) -> Interval {
    Interval { months: 0, days: 0, micros: t.0 }
}
fn interval_time(v: Interval) -> PgResult<Time> {
    dt::interval_to_time(&v).map(Time)
}
fn datetime_timestamp(d: Date, t: Time) -> PgResult<Timestamp> {
    let base = dt::date_to_timestamp(d.0)?;
    if !dt::is_finite_date(d.0) {
        return Ok(Timestamp(base));
    }
    base.checked_add(t.0).filter(|v| dt::is_valid_timestamp(*v)).map(Timestamp).ok_or_else(range)
}
fn datetimetz_timestamptz(d: Date, t: TimeTz) -> PgResult<Timestamp> {
    if !dt::is_finite_date(d.0) {
        return ts(dt::date_to_timestamp(d.0));
    }
    let v = i128::from(d.0) * i128::from(dt::MICROS_PER_DAY)
        + i128::from(t.micros)
        + i128::from(t.zone) * i128::from(dt::MICROS_PER_SEC);
    let v = i64::try_from(v).ok().filter(|v| dt::is_valid_timestamp(*v));
    v.map(Timestamp).ok_or_else(|| err!(DATETIME_VALUE_OUT_OF_RANGE, "date out of range for timestamp"))
}

fn make_date(y: i32, m: i32, d: i32) -> PgResult<Date> {
    dt::make_date(y, m, d).map(Date)
}
fn make_time(h: i32, m: i32, s: f64) -> PgResult<Time> {
    dt::make_time(h, m, s).map(Time)
}
fn make_timestamp(y: i32, mo: i32, d: i32, h: i32, mi: i32, s: f64) -> PgResult<Timestamp> {
    ts(dt::make_timestamp(y, mo, d, h, mi, s))
}
fn make_timestamptz(cx: &FnCtx<'_>, y: i32, mo: i32, d: i32, h: i32, mi: i32, s: f64) -> PgResult<Timestamp> {
    timestamp_timestamptz(cx, make_timestamp(y, mo, d, h, mi, s)?)
}
#[allow(clippy::too_many_arguments)]
fn make_timestamptz_zone(
    cx: &FnCtx<'_>,
    y: i32,
    mo: i32,
    d: i32,
    h: i32,
    mi: i32,
    s: f64,
    name: &str,
) -> PgResult<Timestamp> {
    if name.starts_with(|c: char| c.is_ascii_digit()) {
        return Err(err!(
            INVALID_PARAMETER_VALUE,
            "invalid input syntax for type numeric time zone: \"{name}\""
        )
        .hint("Numeric time zones must have \"-\" or \"+\" as first character."));
    }
    let spec = match dt::parse_offset(name) {
        Some(east) if name.starts_with(['+', '-']) => ZoneSpec::West(-east),
        _ => ZoneSpec::parse(name, zone(cx))?,
    };
    let local = make_timestamp(y, mo, d, h, mi, s)?;
    ts(dt::timestamp_at_zone(local.0, &spec))
}
fn make_interval(y: i32, mo: i32, w: i32, d: i32, h: i32, mi: i32, s: f64) -> PgResult<Interval> {
    dt::make_interval(y, mo, w, d, h, mi, s)
}

fn text_of(v: &Interval) -> String {
    let mut out = String::new();
    dt::interval_out(v, Default::default(), &mut out);
    out
}
fn timestamp_zone(cx: &FnCtx<'_>, name: &str, t: Timestamp) -> PgResult<Timestamp> {
    if !dt::is_finite_timestamp(t.0) {
        return Ok(t);
    }
    ts(dt::timestamp_at_zone(t.0, &ZoneSpec::parse(name, zone(cx))?))
}
fn timestamptz_zone(cx: &FnCtx<'_>, name: &str, t: Timestamp) -> PgResult<Timestamp> {
    if !dt::is_finite_timestamp(t.0) {
        return Ok(t);
    }
    ts(dt::timestamptz_at_zone(t.0, &ZoneSpec::parse(name, zone(cx))?))
}
fn timestamp_izone(v: Interval, t: Timestamp) -> PgResult<Timestamp> {
    if !dt::is_finite_timestamp(t.0) {
        return Ok(t);
    }
    ts(dt::timestamp_at_zone(t.0, &ZoneSpec::from_interval(&v, &text_of(&v))?))
}
fn timestamptz_izone(v: Interval, t: Timestamp) -> PgResult<Timestamp> {
    if !dt::is_finite_timestamp(t.0) {
        return Ok(t);
    }
    ts(dt::timestamptz_at_zone(t.0, &ZoneSpec::from_interval(&v, &text_of(&v))?))
}
fn timetz_zone(cx: &FnCtx<'_>, name: &str, t: TimeTz) -> PgResult<TimeTz> {
    let spec = ZoneSpec::parse(name, zone(cx))?;
    Ok(dt::timetz_at_zone(t, &spec, cx.host.transaction_timestamp()))
}
fn timetz_izone(cx: &FnCtx<'_>, v: Interval, t: TimeTz) -> PgResult<TimeTz> {
    let spec = ZoneSpec::from_interval(&v, &text_of(&v))?;
    Ok(dt::timetz_at_zone(t, &spec, cx.host.transaction_timestamp()))
}
fn timetz_local(cx: &FnCtx<'_>, t: TimeTz) -> TimeTz {
    dt::timetz_at_zone(t, &ZoneSpec::Zone(zone(cx).clone()), cx.host.transaction_timestamp())
}

builtins! { pub TABLE:
    "date_timestamp" => date_timestamp[Date];
    "date_timestamptz" => cx date_timestamptz[Date];
    "timestamp_date" => timestamp_date[Timestamp];
    "timestamptz_date" => cx timestamptz_date[Timestamp];
    "timestamp_timestamptz" => cx timestamp_timestamptz[Timestamp];
    "timestamptz_timestamp" => cx timestamptz_timestamp[Timestamp];
    "timestamp_time" => timestamp_time[Timestamp];
    "timestamptz_time" => cx timestamptz_time[Timestamp];
    "timestamptz_timetz" => cx timestamptz_timetz[Timestamp];
    "time_timetz" => cx time_timetz[Time];
    "timetz_time" => timetz_time[TimeTz];
    "time_interval" => time_interval[Time];
    "interval_time" => interval_time[Interval];
    "datetime_timestamp" => datetime_timestamp[Date, Time];
    "datetimetz_timestamptz" => datetimetz_timestamptz[Date, TimeTz];
    "make_date" => make_date[i32, i32, i32];
    "make_time" => make_time[i32, i32, f64];
    "make_timestamp" => make_timestamp[i32, i32, i32, i32, i32, f64];
    "make_timestamptz" => cx make_timestamptz[i32, i32, i32, i32, i32, f64];
    "make_timestamptz_at_timezone" => cx make_timestamptz_zone[i32, i32, i32, i32, i32, f64, &str];
    "make_interval" => make_interval[i32, i32, i32, i32, i32, i32, f64];
    "timestamp_zone" => cx timestamp_zone[&str, Timestamp];
    "timestamptz_zone" => cx timestamptz_zone[&str, Timestamp];
    "timestamp_izone" => timestamp_izone[Interval, Timestamp];
    "timestamptz_izone" => timestamptz_izone[Interval, Timestamp];
    "timetz_zone" => cx timetz_zone[&str, TimeTz];
    "timetz_izone" => cx timetz_izone[Interval, TimeTz];
    "timestamp_at_local" => cx timestamp_timestamptz[Timestamp];
    "timestamptz_at_local" => cx timestamptz_timestamp[Timestamp];
    "timetz_at_local" => cx timetz_local[TimeTz];
}
