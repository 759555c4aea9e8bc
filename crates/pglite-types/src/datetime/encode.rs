//! Text output of dates, times and intervals in every style.

use super::calendar::{Tm, j2day};
use super::{
    DateOrder, DateStyle, Interval, IntervalStyle, MICROS_PER_HOUR, MICROS_PER_MINUTE, MICROS_PER_SEC,
};
use crate::text::fmt::{push_i64, push_u64, push_u64_padded};

const DAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

fn two(out: &mut String, v: i32) {
    push_u64_padded(out, v as u64, 2);
}

/// The year as shown: 1 BC is year 0 inside.
fn year(out: &mut String, y: i32) {
    let v = if y > 0 { y } else { 1 - y };
    push_u64_padded(out, v as u64, 4);
}

/// Seconds with a fraction cut of trailing zeros.
fn seconds(out: &mut String, sec: i32, fsec: i32, fill: bool) {
    push_u64_padded(out, sec.unsigned_abs() as u64, if fill { 2 } else { 1 });
    if fsec != 0 {
        out.push('.');
        push_u64_padded(out, fsec.unsigned_abs() as u64, 6);
        let keep = out.trim_end_matches('0').len();
        out.truncate(keep);
    }
}

/// `+hh[:mm[:ss]]` of an offset in seconds west of UTC.
pub fn encode_timezone(west: i32, out: &mut String) {
    out.push(if west <= 0 { '+' } else { '-' });
    let a = west.abs();
    two(out, a / 3600);
    if a % 3600 != 0 {
        out.push(':');
        two(out, a / 60 % 60);
        if a % 60 != 0 {
            out.push(':');
            two(out, a % 60);
        }
    }
}

/// Day and month in the order of the setting, joined by `sep`.
fn day_month(tm: &Tm, order: DateOrder, sep: char, out: &mut String) {
    let (a, b) = if order == DateOrder::Dmy { (tm.mday, tm.mon) } else { (tm.mon, tm.mday) };
    two(out, a);
    out.push(sep);
    two(out, b);
    out.push(sep);
}

fn date_part(tm: &Tm, style: DateStyle, order: DateOrder, out: &mut String) {
    match style {
        DateStyle::Iso => {
            year(out, tm.year);
            out.push('-');
            two(out, tm.mon);
            out.push('-');
            two(out, tm.mday);
        }
        DateStyle::Sql => {
            day_month(tm, order, '/', out);
            year(out, tm.year);
        }
        DateStyle::German => {
            day_month(tm, DateOrder::Dmy, '.', out);
            year(out, tm.year);
        }
        DateStyle::Postgres => {
            day_month(tm, order, '-', out);
            year(out, tm.year);
        }
    }
}

pub fn encode_date(tm: &Tm, style: DateStyle, order: DateOrder, out: &mut String) {
    date_part(tm, style, order, out);
    if tm.year <= 0 {
        out.push_str(" BC");
    }
}

fn clock(tm: &Tm, out: &mut String) {
    two(out, tm.hour);
    out.push(':');
    two(out, tm.min);
    out.push(':');
    seconds(out, tm.sec, tm.fsec, true);
}

/// A time of day, with an offset (seconds west) if there is one.
pub fn encode_time(tm: &Tm, west: Option<i32>, out: &mut String) {
    clock(tm, out);
    if let Some(w) = west {
        encode_timezone(w, out);
    }
}

/// A timestamp, with its offset (seconds west) and zone abbreviation if it has a zone.
pub fn encode_timestamp(
    tm: &Tm,
    zone: Option<(i32, &str)>,
    style: DateStyle,
    order: DateOrder,
    out: &mut String,
) {
    if style == DateStyle::Postgres {
        out.push_str(DAYS[j2day(tm.julian()) as usize]);
        out.push(' ');
        let month = MONTHS[(tm.mon - 1) as usize];
        if order == DateOrder::Dmy {
            two(out, tm.mday);
            out.push(' ');
            out.push_str(month);
        } else {
            out.push_str(month);
            out.push(' ');
            two(out, tm.mday);
        }
        out.push(' ');
        clock(tm, out);
        out.push(' ');
        year(out, tm.year);
    } else {
        date_part(tm, style, order, out);
        out.push(' ');
        clock(tm, out);
    }
    match zone {
        Some((west, _)) if style == DateStyle::Iso => encode_timezone(west, out),
        Some((_, abbrev)) if !abbrev.is_empty() => {
            out.push(' ');
            out.push_str(abbrev.get(..10).unwrap_or(abbrev));
        }
        Some((west, _)) => {
            if style == DateStyle::Postgres {
                out.push(' ');
            }
            encode_timezone(west, out);
        }
        None => {}
    }
    if tm.year <= 0 {
        out.push_str(" BC");
    }
}

/// An interval's fields, all of the sign of their part.
struct Parts {
    year: i64,
    mon: i64,
    day: i64,
    hour: i64,
    min: i32,
    sec: i32,
    fsec: i32,
}

impl Parts {
    fn of(v: &Interval) -> Parts {
        Parts {
            year: (v.months / 12) as i64,
            mon: (v.months % 12) as i64,
            day: v.days as i64,
            hour: v.micros / MICROS_PER_HOUR,
            min: (v.micros % MICROS_PER_HOUR / MICROS_PER_MINUTE) as i32,
            sec: (v.micros % MICROS_PER_MINUTE / MICROS_PER_SEC) as i32,
            fsec: (v.micros % MICROS_PER_SEC) as i32,
        }
    }
    fn time_negative(&self) -> bool {
        self.hour < 0 || self.min < 0 || self.sec < 0 || self.fsec < 0
    }
    fn time_zero(&self) -> bool {
        self.hour == 0 && self.min == 0 && self.sec == 0 && self.fsec == 0
    }
}

/// A finite interval.
pub fn encode_interval(v: &Interval, style: IntervalStyle, out: &mut String) {
    let p = Parts::of(v);
    match style {
        IntervalStyle::Postgres => postgres(&p, out),
        IntervalStyle::PostgresVerbose => verbose(&p, out),
        IntervalStyle::SqlStandard => sql_standard(&p, out),
        IntervalStyle::Iso8601 => iso8601(&p, out),
    }
}

fn postgres(p: &Parts, out: &mut String) {
    let mut zero = true;
    let mut before = false;
    for (v, name) in [(p.year, "year"), (p.mon, "mon"), (p.day, "day")] {
        if v == 0 {
            continue;
        }
        if !zero {
            out.push(' ');
        }
        if before && v > 0 {
            out.push('+');
        }
        push_i64(out, v);
        out.push(' ');
        out.push_str(name);
        if v != 1 {
            out.push('s');
        }
        before = v < 0;
        zero = false;
    }
    if zero || !p.time_zero() {
        if !zero {
            out.push(' ');
        }
        if p.time_negative() {
            out.push('-');
        } else if before {
            out.push('+');
        }
        push_u64_padded(out, p.hour.unsigned_abs(), 2);
        out.push(':');
        two(out, p.min.abs());
        out.push(':');
        seconds(out, p.sec, p.fsec, true);
    }
}

fn verbose(p: &Parts, out: &mut String) {
    out.push('@');
    let mut zero = true;
    let mut before = false;
    let parts = [(p.year, "year"), (p.mon, "mon"), (p.day, "day"), (p.hour, "hour"), (p.min as i64, "min")];
    for (v, name) in parts {
        if v == 0 {
            continue;
        }
        let mut v = v;
        if zero {
            before = v < 0;
            v = v.abs();
        } else if before {
            v = -v;
        }
        out.push(' ');
        push_i64(out, v);
        out.push(' ');
        out.push_str(name);
        if v != 1 {
            out.push('s');
        }
        zero = false;
    }
    if p.sec != 0 || p.fsec != 0 {
        out.push(' ');
        if p.sec < 0 || (p.sec == 0 && p.fsec < 0) {
            if zero {
                before = true;
            } else if !before {
                out.push('-');
            }
        } else if before {
            out.push('-');
        }
        seconds(out, p.sec, p.fsec, false);
        out.push_str(if p.sec.abs() != 1 || p.fsec != 0 { " secs" } else { " sec" });
        zero = false;
    }
    if zero {
        out.push_str(" 0");
    }
    if before {
        out.push_str(" ago");
    }
}

fn sql_standard(p: &Parts, out: &mut String) {
    let negative = p.year < 0 || p.mon < 0 || p.day < 0 || p.time_negative();
    let positive = p.year > 0 || p.mon > 0 || p.day > 0 || p.hour > 0 || p.min > 0 || p.sec > 0 || p.fsec > 0;
    let year_month = p.year != 0 || p.mon != 0;
    let day_time = p.day != 0 || !p.time_zero();
    let mixed = (negative && positive) || (year_month && day_time);
    if !negative && !positive {
        out.push('0');
        return;
    }
    let time = |out: &mut String| {
        push_u64(out, p.hour.unsigned_abs());
        out.push(':');
        two(out, p.min.abs());
        out.push(':');
        seconds(out, p.sec, p.fsec, true);
    };
    let months = |out: &mut String| {
        push_u64(out, p.year.unsigned_abs());
        out.push('-');
        push_u64(out, p.mon.unsigned_abs());
    };
    if mixed {
        // Mixed signs or kinds: every part says its sign.
        let sign = |neg: bool| if neg { '-' } else { '+' };
        out.push(sign(p.year < 0 || p.mon < 0));
        months(out);
        out.push(' ');
        out.push(sign(p.day < 0));
        push_u64(out, p.day.unsigned_abs());
        out.push(' ');
        out.push(sign(p.time_negative()));
        return time(out);
    }
    if negative {
        out.push('-');
    }
    if year_month {
        months(out);
    } else {
        if p.day != 0 {
            push_u64(out, p.day.unsigned_abs());
            out.push(' ');
        }
        time(out);
    }
}

fn iso8601(p: &Parts, out: &mut String) {
    if p.year == 0 && p.mon == 0 && p.day == 0 && p.time_zero() {
        out.push_str("PT0S");
        return;
    }
    out.push('P');
    let part = |out: &mut String, v: i64, unit: char| {
        if v != 0 {
            push_i64(out, v);
            out.push(unit);
        }
    };
    part(out, p.year, 'Y');
    part(out, p.mon, 'M');
    part(out, p.day, 'D');
    if !p.time_zero() {
        out.push('T');
    }
    part(out, p.hour, 'H');
    part(out, p.min as i64, 'M');
    if p.sec != 0 || p.fsec != 0 {
        if p.sec < 0 || p.fsec < 0 {
            out.push('-');
        }
        seconds(out, p.sec, p.fsec, false);
        out.push('S');
    }
}
