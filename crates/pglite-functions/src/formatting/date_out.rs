//! to_char of timestamps and intervals.

use pglite_error::{PgResult, err};
use pglite_ir::FnCtx;
use pglite_types::datetime::calendar::{date2j, iso_week1, iso_year_week, j2day};
use pglite_types::datetime::{self as dt, Interval, Tm};

use super::template::{Case, Field, Node, ROMAN_MONTHS, Use, ordinal, parse};
use crate::arg::Timestamp;
use crate::builtins;
use crate::time::clock::{DAYS, MONTHS};
use crate::time::zone;

/// What is being printed. For intervals `tm` holds the parts, and calendar fields have no adjustment.
struct Value {
    tm: Tm,
    hour: i64,
    interval: bool,
    day_of_year: i32,
    /// Seconds east of UTC, and the zone's abbreviation.
    zone: Option<(i32, String)>,
}

fn cased(text: &str, case: Case) -> String {
    match case {
        Case::Upper => text.to_uppercase(),
        Case::Capital => text.to_string(),
        Case::Lower => text.to_lowercase(),
    }
}

fn number(v: i64, width: usize, fill: bool) -> String {
    // The sign takes one more place.
    let width = if fill { 0 } else { width + usize::from(v < 0) };
    format!("{v:0width$}")
}

fn name(text: &str, u: &Use, width: usize) -> String {
    let text = cased(text, u.case);
    if u.fill || u.local || width == 0 { text } else { format!("{text:<width$}") }
}

impl Value {
    fn year(&self) -> i64 {
        let y = i64::from(self.tm.year);
        if !self.interval && y <= 0 { 1 - y } else { y }
    }
    fn iso(&self) -> (i64, i32) {
        let (year, week) = iso_year_week(self.tm.year, self.tm.mon, self.tm.mday);
        let year = i64::from(year);
        (if !self.interval && year <= 0 { 1 - year } else { year }, week)
    }
    fn weekday(&self) -> i32 {
        j2day(date2j(self.tm.year, self.tm.mon, self.tm.mday))
    }
}

fn no_interval(u: &Use, v: &Value) -> PgResult<()> {
    let named = matches!(
        u.field,
        Field::Era { .. }
            | Field::DayName
            | Field::DayAbbrev
            | Field::WeekDay
            | Field::IsoWeekDay
            | Field::Zone
            | Field::ZoneHour
            | Field::ZoneMinute
            | Field::Offset
    );
    if v.interval && named {
        return Err(err!(INVALID_DATETIME_FORMAT, "invalid format specification for an interval value")
            .hint("Intervals are not tied to specific calendar dates."));
    }
    Ok(())
}

fn field(u: &Use, v: &Value) -> PgResult<String> {
    no_interval(u, v)?;
    let tm = &v.tm;
    let fm = u.fill;
    let pick = |first: bool, dotted: bool, a: [&str; 2], b: [&str; 2]| {
        cased(if first { a } else { b }[usize::from(dotted)], u.case)
    };
    let month = |names: bool| (tm.mon >= 1 || !names).then_some((tm.mon - 1).rem_euclid(12) as usize);
    Ok(match u.field {
        Field::Half { dotted } => pick(v.hour % 24 < 12, dotted, ["AM", "A.M."], ["PM", "P.M."]),
        Field::Era { dotted } => pick(tm.year > 0, dotted, ["AD", "A.D."], ["BC", "B.C."]),
        Field::Hour12 => number(if v.hour % 12 == 0 { 12 } else { v.hour % 12 }, 2, fm),
        Field::Hour24 => number(v.hour, 2, fm),
        Field::Minute => number(i64::from(tm.min), 2, fm),
        Field::Second => number(i64::from(tm.sec), 2, fm),
        Field::Millisecond => format!("{:03}", tm.fsec / 1000),
        Field::Microsecond => format!("{:06}", tm.fsec),
        Field::Fraction(n) => format!("{:0w$}", tm.fsec / 10i32.pow(6 - n), w = n as usize),
        Field::DaySeconds => (v.hour * 3600 + i64::from(tm.min) * 60 + i64::from(tm.sec)).to_string(),
        Field::Zone => match &v.zone {
            Some((_, abbrev)) if u.case == Case::Lower => abbrev.to_lowercase(),
            Some((_, abbrev)) => abbrev.clone(),
            None => String::new(),
        },
        Field::ZoneHour | Field::ZoneMinute | Field::Offset => {
            let east = v.zone.as_ref().map_or(0, |z| z.0);
            let (sign, a) = (if east >= 0 { '+' } else { '-' }, east.abs());
            let minute = a / 60 % 60;
            match u.field {
                Field::ZoneMinute => format!("{minute:02}"),
                Field::ZoneHour => format!("{sign}{:02}", a / 3600),
                _ if minute != 0 => format!("{sign}{}:{minute:02}", number(i64::from(a / 3600), 2, fm)),
                _ => format!("{sign}{}", number(i64::from(a / 3600), 2, fm)),
            }
        }
        Field::MonthName => month(true).map_or(String::new(), |m| name(MONTHS[m], u, 9)),
        Field::MonthAbbrev => month(true).map_or(String::new(), |m| name(&MONTHS[m][..3], u, 0)),
        Field::Month => number(i64::from(tm.mon), 2, fm),
        Field::DayName => name(DAYS[v.weekday() as usize % 7], u, 9),
        Field::DayAbbrev => name(&DAYS[v.weekday() as usize % 7][..3], u, 0),
        Field::DayOfYear => number(i64::from(v.day_of_year), 3, fm),
        Field::IsoDayOfYear => {
            let (year, _) = iso_year_week(tm.year, tm.mon, tm.mday);
            number(date2j(tm.year, tm.mon, tm.mday) - iso_week1(year) + 1, 3, fm)
        }
        Field::Day => number(i64::from(tm.mday), 2, fm),
        Field::WeekDay => (v.weekday() + 1).to_string(),
        Field::IsoWeekDay => (if v.weekday() == 0 { 7 } else { v.weekday() }).to_string(),
        Field::Week => number(i64::from((v.day_of_year - 1) / 7 + 1), 2, fm),
        Field::IsoWeek => number(i64::from(v.iso().1), 2, fm),
        Field::Quarter if tm.mon == 0 => String::new(),
        Field::Quarter => ((tm.mon - 1) / 3 + 1).to_string(),
        Field::Century => {
            let y = i64::from(tm.year);
            let c = if v.interval {
                y / 100
            } else if y > 0 {
                (y - 1) / 100 + 1
            } else {
                y / 100 - 1
            };
            number(c, if (-99..=99).contains(&c) { 2 } else { 0 }, fm)
        }
        Field::YearComma => format!("{},{:03}", v.year() / 1000, v.year() % 1000),
        Field::Year(4) => number(v.year(), 4, fm),
        Field::IsoYear(4) => number(v.iso().0, 4, fm),
        Field::Year(n) => number(v.year() % 10i64.pow(n as u32), n, fm),
        Field::IsoYear(n) => number(v.iso().0 % 10i64.pow(n as u32), n, fm),
        Field::Roman if tm.mon == 0 && tm.year == 0 => String::new(),
        Field::Roman => {
            let text = cased(ROMAN_MONTHS[(tm.mon - 1).rem_euclid(12) as usize], u.case);
            if fm { text } else { format!("{text:<4}") }
        }
        Field::WeekOfMonth => ((tm.mday - 1) / 7 + 1).to_string(),
        Field::Julian => date2j(tm.year, tm.mon, tm.mday).to_string(),
        Field::Exact => String::new(),
    })
}

fn print(template: &str, v: &Value) -> PgResult<String> {
    let mut out = String::new();
    for node in parse(template) {
        match node {
            Node::Char(c, _) => out.push(c),
            Node::Use(u) => {
                let text = field(&u, v)?;
                out.push_str(&text);
                if let Some(case) = u.ordinal
                    && text.ends_with(|c: char| c.is_ascii_digit())
                {
                    out.push_str(ordinal(&text, case));
                }
            }
        }
    }
    Ok(out)
}

fn calendar(tm: Tm, zone: Option<(i32, String)>) -> Value {
    let day_of_year = (tm.julian() - date2j(tm.year, 1, 1) + 1) as i32;
    Value { tm, hour: i64::from(tm.hour), interval: false, day_of_year, zone }
}

fn timestamp(t: Timestamp, template: &str) -> PgResult<Option<String>> {
    if template.is_empty() || !dt::is_finite_timestamp(t.0) {
        return Ok(None);
    }
    print(template, &calendar(Tm::from_timestamp(t.0), None)).map(Some)
}

fn timestamptz(cx: &FnCtx<'_>, t: Timestamp, template: &str) -> PgResult<Option<String>> {
    if template.is_empty() || !dt::is_finite_timestamp(t.0) {
        return Ok(None);
    }
    let info = zone(cx).at_timestamp(t.0);
    let local = Tm::from_timestamp(t.0 + i64::from(info.offset) * dt::MICROS_PER_SEC);
    print(template, &calendar(local, Some((info.offset, info.abbrev.to_string())))).map(Some)
}

fn interval(t: Interval, template: &str) -> PgResult<Option<String>> {
    if template.is_empty() || !t.is_finite() {
        return Ok(None);
    }
    let hour = t.micros / dt::MICROS_PER_HOUR;
    let tm = Tm {
        year: t.months / 12,
        mon: t.months % 12,
        mday: t.days,
        hour: 0,
        min: (t.micros / dt::MICROS_PER_MINUTE % 60) as i32,
        sec: (t.micros / dt::MICROS_PER_SEC % 60) as i32,
        fsec: (t.micros % dt::MICROS_PER_SEC) as i32,
    };
    let day_of_year = tm.year * 360 + tm.mon * 30 + tm.mday;
    print(template, &Value { tm, hour, interval: true, day_of_year, zone: None }).map(Some)
}

builtins! { pub TABLE:
    "timestamp_to_char" => timestamp[Timestamp, &str];
    "timestamptz_to_char" => cx timestamptz[Timestamp, &str];
    "interval_to_char" => interval[Interval, &str];
}
