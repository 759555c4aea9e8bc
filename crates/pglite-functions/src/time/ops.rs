//! Operators of date/time types: sums and differences.

use pglite_error::PgResult;
use pglite_ir::FnCtx;
use pglite_types::datetime::{self as dt, Interval, TimeTz, ZoneSpec};

use super::zone;
use crate::arg::{Date, Time, Timestamp};
use crate::builtins;

fn date_pli(d: Date, n: i32) -> PgResult<Date> {
    dt::date_add_days(d.0, n).map(Date)
}
fn date_mii(d: Date, n: i32) -> PgResult<Date> {
    match n.checked_neg() {
        Some(n) => dt::date_add_days(d.0, n).map(Date),
        None => Err(dt::out_of_range("date")),
    }
}
fn date_mi(a: Date, b: Date) -> PgResult<i32> {
    dt::date_diff(a.0, b.0)
}
fn date_pl_interval(d: Date, v: Interval) -> PgResult<Timestamp> {
    dt::timestamp_add(dt::date_to_timestamp(d.0)?, &v).map(Timestamp)
}
fn date_mi_interval(d: Date, v: Interval) -> PgResult<Timestamp> {
    date_pl_interval(d, dt::interval_neg(&v)?)
}
fn timestamp_pl(t: Timestamp, v: Interval) -> PgResult<Timestamp> {
    dt::timestamp_add(t.0, &v).map(Timestamp)
}
fn timestamp_mi_interval(t: Timestamp, v: Interval) -> PgResult<Timestamp> {
    timestamp_pl(t, dt::interval_neg(&v)?)
}
fn timestamptz_pl(cx: &FnCtx<'_>, t: Timestamp, v: Interval) -> PgResult<Timestamp> {
    dt::timestamptz_add(t.0, &v, zone(cx)).map(Timestamp)
}
fn timestamptz_mi_interval(cx: &FnCtx<'_>, t: Timestamp, v: Interval) -> PgResult<Timestamp> {
    timestamptz_pl(cx, t, dt::interval_neg(&v)?)
}
fn timestamptz_pl_zone(cx: &FnCtx<'_>, t: Timestamp, v: Interval, name: &str) -> PgResult<Timestamp> {
    let zone = match ZoneSpec::parse(name, zone(cx))? {
        ZoneSpec::Zone(z) | ZoneSpec::Abbrev(z, _) => z,
        ZoneSpec::West(w) => dt::TimeZone::fixed_west(w),
    };
    dt::timestamptz_add(t.0, &v, &zone).map(Timestamp)
}
fn timestamptz_mi_zone(cx: &FnCtx<'_>, t: Timestamp, v: Interval, name: &str) -> PgResult<Timestamp> {
    timestamptz_pl_zone(cx, t, dt::interval_neg(&v)?, name)
}
fn timestamp_mi(a: Timestamp, b: Timestamp) -> PgResult<Interval> {
    dt::timestamp_diff(a.0, b.0)
}
fn time_pl(t: Time, v: Interval) -> PgResult<Time> {
    dt::time_add(t.0, &v).map(Time)
}
fn time_mi_interval(t: Time, v: Interval) -> PgResult<Time> {
    dt::time_sub(t.0, &v).map(Time)
}
fn time_mi_time(a: Time, b: Time) -> Interval {
    Interval { months: 0, days: 0, micros: a.0 - b.0 }
}
fn timetz_pl(t: TimeTz, v: Interval) -> PgResult<TimeTz> {
    Ok(TimeTz { micros: dt::time_add(t.micros, &v)?, zone: t.zone })
}
fn timetz_mi(t: TimeTz, v: Interval) -> PgResult<TimeTz> {
    Ok(TimeTz { micros: dt::time_sub(t.micros, &v)?, zone: t.zone })
}
fn interval_pl(a: Interval, b: Interval) -> PgResult<Interval> {
    dt::interval_add(&a, &b)
}
fn interval_mi(a: Interval, b: Interval) -> PgResult<Interval> {
    dt::interval_sub(&a, &b)
}
fn interval_um(a: Interval) -> PgResult<Interval> {
    dt::interval_neg(&a)
}
fn interval_mul(a: Interval, by: f64) -> PgResult<Interval> {
    dt::interval_mul(&a, by)
}
fn mul_d_interval(by: f64, a: Interval) -> PgResult<Interval> {
    dt::interval_mul(&a, by)
}
fn interval_div(a: Interval, by: f64) -> PgResult<Interval> {
    dt::interval_div(&a, by)
}

builtins! { pub TABLE:
    "date_pli" => date_pli[Date, i32];
    "date_mii" => date_mii[Date, i32];
    "date_mi" => date_mi[Date, Date];
    "date_pl_interval" => date_pl_interval[Date, Interval];
    "date_mi_interval" => date_mi_interval[Date, Interval];
    "timestamp_pl_interval" => timestamp_pl[Timestamp, Interval];
    "timestamp_mi_interval" => timestamp_mi_interval[Timestamp, Interval];
    "timestamptz_pl_interval" => cx timestamptz_pl[Timestamp, Interval];
    "timestamptz_mi_interval" => cx timestamptz_mi_interval[Timestamp, Interval];
    "timestamptz_pl_interval_at_zone" => cx timestamptz_pl_zone[Timestamp, Interval, &str];
    "timestamptz_mi_interval_at_zone" => cx timestamptz_mi_zone[Timestamp, Interval, &str];
    "timestamp_mi" => timestamp_mi[Timestamp, Timestamp];
    "time_pl_interval" => time_pl[Time, Interval];
    "time_mi_interval" => time_mi_interval[Time, Interval];
    "time_mi_time" => time_mi_time[Time, Time];
    "timetz_pl_interval" => timetz_pl[TimeTz, Interval];
    "timetz_mi_interval" => timetz_mi[TimeTz, Interval];
    "interval_pl" => interval_pl[Interval, Interval];
    "interval_mi" => interval_mi[Interval, Interval];
    "interval_um" => interval_um[Interval];
    "interval_mul" => interval_mul[Interval, f64];
    "mul_d_interval" => mul_d_interval[f64, Interval];
    "interval_div" => interval_div[Interval, f64];
}
