//! extract, date_part, date_trunc, date_bin, age, isfinite, justify_*.

use pglite_error::{PgResult, bail};
use pglite_ir::FnCtx;
use pglite_types::datetime::{self as dt, Interval, TimeTz, ZoneSpec};
use pglite_types::numeric::Numeric;

use super::zone;
use crate::arg::{Date, Time, Timestamp};
use crate::builtins;

type Part = PgResult<Option<Numeric>>;

fn extract_date(unit: &str, v: Date) -> Part {
    dt::part_date(unit, v.0)
}
fn extract_time(unit: &str, v: Time) -> Part {
    dt::part_time(unit, v.0)
}
fn extract_timetz(unit: &str, v: TimeTz) -> Part {
    dt::part_timetz(unit, v)
}
fn extract_timestamp(unit: &str, v: Timestamp) -> Part {
    dt::part_timestamp(unit, v.0)
}
fn extract_timestamptz(cx: &FnCtx<'_>, unit: &str, v: Timestamp) -> Part {
    dt::part_timestamptz(unit, v.0, zone(cx))
}
fn extract_interval(unit: &str, v: Interval) -> Part {
    dt::interval_part(unit, &v)
}

fn float(v: Part) -> PgResult<Option<f64>> {
    v.map(|v| v.map(|n| n.to_f64()))
}
fn time_part(unit: &str, v: Time) -> PgResult<Option<f64>> {
    float(extract_time(unit, v))
}
fn timetz_part(unit: &str, v: TimeTz) -> PgResult<Option<f64>> {
    float(extract_timetz(unit, v))
}
fn timestamp_part(unit: &str, v: Timestamp) -> PgResult<Option<f64>> {
    float(extract_timestamp(unit, v))
}
fn timestamptz_part(cx: &FnCtx<'_>, unit: &str, v: Timestamp) -> PgResult<Option<f64>> {
    float(extract_timestamptz(cx, unit, v))
}
fn interval_part(unit: &str, v: Interval) -> PgResult<Option<f64>> {
    float(extract_interval(unit, v))
}

fn timestamp_trunc(unit: &str, v: Timestamp) -> PgResult<Timestamp> {
    dt::timestamp_trunc(unit, v.0).map(Timestamp)
}
fn timestamptz_trunc(cx: &FnCtx<'_>, unit: &str, v: Timestamp) -> PgResult<Timestamp> {
    dt::timestamptz_trunc(unit, v.0, &ZoneSpec::Zone(zone(cx).clone())).map(Timestamp)
}
fn timestamptz_trunc_zone(cx: &FnCtx<'_>, unit: &str, v: Timestamp, name: &str) -> PgResult<Timestamp> {
    dt::timestamptz_trunc(unit, v.0, &ZoneSpec::parse(name, zone(cx))?).map(Timestamp)
}
fn interval_trunc(unit: &str, v: Interval) -> PgResult<Interval> {
    dt::interval_trunc(unit, &v)
}
fn bin(stride: Interval, v: Timestamp, origin: Timestamp) -> PgResult<Timestamp> {
    dt::date_bin(&stride, v.0, origin.0).map(Timestamp)
}

fn timestamp_age(a: Timestamp, b: Timestamp) -> PgResult<Interval> {
    dt::age(a.0, b.0)
}
fn timestamptz_age(cx: &FnCtx<'_>, a: Timestamp, b: Timestamp) -> PgResult<Interval> {
    dt::age(dt::timestamptz_to_timestamp(a.0, zone(cx))?, dt::timestamptz_to_timestamp(b.0, zone(cx))?)
}
fn date_finite(v: Date) -> bool {
    dt::is_finite_date(v.0)
}
fn timestamp_finite(v: Timestamp) -> bool {
    dt::is_finite_timestamp(v.0)
}
fn interval_finite(v: Interval) -> bool {
    v.is_finite()
}
fn justify_days(v: Interval) -> PgResult<Interval> {
    dt::justify_days(&v)
}
fn justify_hours(v: Interval) -> PgResult<Interval> {
    dt::justify_hours(&v)
}
fn justify_interval(v: Interval) -> PgResult<Interval> {
    dt::justify_interval(&v)
}

/// `(s1, e1) OVERLAPS (s2, e2)`: ends in any order, either may be NULL.
fn overlaps<T: PartialOrd + Copy>(
    s1: Option<T>,
    e1: Option<T>,
    s2: Option<T>,
    e2: Option<T>,
) -> Option<bool> {
    fn sort<T: PartialOrd + Copy>(s: Option<T>, e: Option<T>) -> Option<(T, Option<T>)> {
        match (s, e) {
            (None, None) => None,
            (None, Some(e)) => Some((e, None)),
            (Some(s), None) => Some((s, None)),
            (Some(s), Some(e)) => Some(if s > e { (e, Some(s)) } else { (s, Some(e)) }),
        }
    }
    let ((s1, e1), (s2, e2)) = (sort(s1, e1)?, sort(s2, e2)?);
    // The period that starts first must reach past the start of the other.
    let (end, later_start, other_end) = if s1 > s2 {
        (e2, s1, e1)
    } else if s1 < s2 {
        (e1, s2, e2)
    } else {
        return if e1.is_none() || e2.is_none() { None } else { Some(true) };
    };
    match end {
        None => None,
        Some(end) if later_start < end => Some(true),
        Some(_) if other_end.is_none() => None,
        Some(_) => Some(false),
    }
}
type Opt<T> = Option<T>;
fn overlaps_time(a: Opt<Time>, b: Opt<Time>, c: Opt<Time>, d: Opt<Time>) -> Option<bool> {
    overlaps(a, b, c, d)
}
fn overlaps_timetz(a: Opt<TimeTz>, b: Opt<TimeTz>, c: Opt<TimeTz>, d: Opt<TimeTz>) -> Option<bool> {
    overlaps(a, b, c, d)
}
fn overlaps_timestamp(
    a: Opt<Timestamp>,
    b: Opt<Timestamp>,
    c: Opt<Timestamp>,
    d: Opt<Timestamp>,
) -> Option<bool> {
    overlaps(a, b, c, d)
}

fn positive(v: &Interval) -> PgResult<()> {
    if v.cmp_value() < 0 {
        bail!(INVALID_PRECEDING_OR_FOLLOWING_SIZE, "invalid preceding or following size in window function");
    }
    Ok(())
}
fn verdict(sum: i64, v: i64, less: bool) -> bool {
    if less { v <= sum } else { v >= sum }
}
/// Same infinity on both sides: every row is in range of it.
fn in_range_timestamp(v: Timestamp, base: Timestamp, off: Interval, sub: bool, less: bool) -> PgResult<bool> {
    positive(&off)?;
    if !off.is_finite() && !dt::is_finite_timestamp(base.0) && (base.0 > 0) == sub {
        return Ok(true);
    }
    let sum = if sub {
        dt::timestamp_add(base.0, &dt::interval_neg(&off)?)
    } else {
        dt::timestamp_add(base.0, &off)
    };
    Ok(verdict(sum?, v.0, less))
}
fn in_range_timestamptz(
    cx: &FnCtx<'_>,
    v: Timestamp,
    base: Timestamp,
    off: Interval,
    sub: bool,
    less: bool,
) -> PgResult<bool> {
    positive(&off)?;
    if !off.is_finite() && !dt::is_finite_timestamp(base.0) && (base.0 > 0) == sub {
        return Ok(true);
    }
    let off = if sub { dt::interval_neg(&off)? } else { off };
    Ok(verdict(dt::timestamptz_add(base.0, &off, zone(cx))?, v.0, less))
}
fn in_range_date(v: Date, base: Date, off: Interval, sub: bool, less: bool) -> PgResult<bool> {
    let (v, base) = (dt::date_to_timestamp(v.0)?, dt::date_to_timestamp(base.0)?);
    in_range_timestamp(Timestamp(v), Timestamp(base), off, sub, less)
}
fn in_range_time(v: Time, base: Time, off: Interval, sub: bool, less: bool) -> PgResult<bool> {
    if off.micros < 0 || off.cmp_value() < 0 {
        positive(&Interval { months: -1, days: 0, micros: 0 })?;
    }
    let sum = if sub { base.0.checked_sub(off.micros) } else { base.0.checked_add(off.micros) };
    Ok(sum.map_or(sub != less, |sum| verdict(sum, v.0, less)))
}
fn in_range_interval(v: Interval, base: Interval, off: Interval, sub: bool, less: bool) -> PgResult<bool> {
    positive(&off)?;
    let sum = if sub { dt::interval_sub(&base, &off) } else { dt::interval_add(&base, &off) }?;
    Ok(if less { v.cmp_value() <= sum.cmp_value() } else { v.cmp_value() >= sum.cmp_value() })
}

builtins! { pub TABLE:
    "extract_date" => extract_date[&str, Date];
    "extract_time" => extract_time[&str, Time];
    "extract_timetz" => extract_timetz[&str, TimeTz];
    "extract_timestamp" => extract_timestamp[&str, Timestamp];
    "extract_timestamptz" => cx extract_timestamptz[&str, Timestamp];
    "extract_interval" => extract_interval[&str, Interval];
    "time_part" => time_part[&str, Time];
    "timetz_part" => timetz_part[&str, TimeTz];
    "timestamp_part" => timestamp_part[&str, Timestamp];
    "timestamptz_part" => cx timestamptz_part[&str, Timestamp];
    "interval_part" => interval_part[&str, Interval];
    "timestamp_trunc" => timestamp_trunc[&str, Timestamp];
    "timestamptz_trunc" => cx timestamptz_trunc[&str, Timestamp];
    "timestamptz_trunc_zone" => cx timestamptz_trunc_zone[&str, Timestamp, &str];
    "interval_trunc" => interval_trunc[&str, Interval];
    "timestamp_bin" => bin[Interval, Timestamp, Timestamp];
    "timestamptz_bin" => bin[Interval, Timestamp, Timestamp];
    "timestamp_age" => timestamp_age[Timestamp, Timestamp];
    "timestamptz_age" => cx timestamptz_age[Timestamp, Timestamp];
    "date_finite" => date_finite[Date];
    "timestamp_finite" => timestamp_finite[Timestamp];
    "interval_finite" => interval_finite[Interval];
    "interval_justify_days" => justify_days[Interval];
    "interval_justify_hours" => justify_hours[Interval];
    "interval_justify_interval" => justify_interval[Interval];
    "overlaps_time" => overlaps_time[Option<Time>, Option<Time>, Option<Time>, Option<Time>];
    "overlaps_timetz" => overlaps_timetz[Option<TimeTz>, Option<TimeTz>, Option<TimeTz>, Option<TimeTz>];
    "overlaps_timestamp" => overlaps_timestamp[Option<Timestamp>, Option<Timestamp>, Option<Timestamp>, Option<Timestamp>];
    "in_range_timestamp_interval" => in_range_timestamp[Timestamp, Timestamp, Interval, bool, bool];
    "in_range_timestamptz_interval" => cx in_range_timestamptz[Timestamp, Timestamp, Interval, bool, bool];
    "in_range_date_interval" => in_range_date[Date, Date, Interval, bool, bool];
    "in_range_time_interval" => in_range_time[Time, Time, Interval, bool, bool];
    "in_range_interval_interval" => in_range_interval[Interval, Interval, Interval, bool, bool];
}
