//! to_date and to_timestamp: reading text under a template.

use pglite_error::{PgError, PgResult, bail, err};
use pglite_ir::FnCtx;
use pglite_types::datetime::calendar::{
    EPOCH_JDATE, date2j, days_in_month, is_leap, iso_week_to_julian, j2date,
};
use pglite_types::datetime::{self as dt, Tm, ZoneSpec};

use super::template::{Field, Node, ROMAN_MONTHS, Use, parse};
use crate::arg::{Date, Timestamp};
use crate::builtins;
use crate::time::clock::{DAYS, MONTHS};
use crate::time::zone;

/// What the text said.
#[derive(Default)]
struct Parts {
    hour: i32,
    twelve: bool,
    pm: Option<bool>,
    minute: i32,
    second: i32,
    day_seconds: i32,
    weekday: i32,
    day: i32,
    day_of_year: i32,
    month: i32,
    micros: i32,
    year: i32,
    bc: bool,
    week: i32,
    week_of_month: i32,
    century: i32,
    julian: i32,
    iso: bool,
    year_digits: i32,
    /// Seconds west of UTC.
    west: Option<i32>,
    zone_hour: Option<i32>,
    zone_minute: i32,
    zone_negative: bool,
}

struct Reader<'a> {
    s: &'a str,
    exact: bool,
}

fn bad_value(text: &str, name: &str) -> PgError {
    err!(INVALID_DATETIME_FORMAT, "invalid value \"{text}\" for \"{name}\"")
}

/// Whether a field reads all digits: what follows is not a digit.
fn ends_here(rest: &[Node], u: &Use) -> bool {
    if u.ordinal.is_some() {
        return false;
    }
    match rest.first() {
        None => true,
        Some(Node::Use(next)) => matches!(
            next.field,
            Field::Era { .. }
                | Field::Half { .. }
                | Field::DayName
                | Field::DayAbbrev
                | Field::MonthName
                | Field::MonthAbbrev
                | Field::Roman
                | Field::Exact
                | Field::Zone
                | Field::Offset
                | Field::ZoneHour
        ),
        Some(Node::Char(c, _)) => !c.is_ascii_digit(),
    }
}

impl Reader<'_> {
    fn blanks(&mut self) -> i32 {
        let trimmed = self.s.trim_start_matches(|c: char| c.is_ascii_whitespace());
        let n = self.s.len() - trimmed.len();
        self.s = trimmed;
        n as i32
    }

    /// An integer of at most `len` characters (any number before a separator). Returns it and the characters used.
    fn int(&mut self, len: usize, u: &Use, rest: &[Node]) -> PgResult<(i32, usize)> {
        self.blanks();
        let free = u.fill || ends_here(rest, u);
        let window = if free {
            self.s
        } else {
            let end = self.s.char_indices().nth(len).map_or(self.s.len(), |(at, _)| at);
            if end < len {
                return Err(err!(
                    INVALID_DATETIME_FORMAT,
                    "source string too short for \"{}\" formatting field",
                    u.name
                )
                .detail(format!("Field requires {len} characters, but only {end} remain."))
                .hint("If your source string is not fixed-width, try using the \"FM\" modifier."));
            }
            &self.s[..end]
        };
        let sign = usize::from(window.starts_with(['-', '+']));
        let used = window[sign..].bytes().take_while(u8::is_ascii_digit).count();
        if used == 0 {
            let shown = self.s.split(|c: char| c.is_ascii_whitespace()).next().unwrap_or("");
            let shown: String = shown.chars().take(len.max(1)).collect();
            return Err(bad_value(&shown, u.name).detail("Value must be an integer."));
        }
        let used = used + sign;
        if !free && used < len {
            return Err(bad_value(window, u.name)
                .detail(format!("Field requires {len} characters, but only {used} could be parsed."))
                .hint("If your source string is not fixed-width, try using the \"FM\" modifier."));
        }
        let v = self.s[..used].trim_start_matches('+').parse::<i32>().map_err(|_| {
            err!(DATETIME_VALUE_OUT_OF_RANGE, "value for \"{}\" in source string is out of range", u.name)
                .detail(format!("Value must be in the range {} to {}.", i32::MIN, i32::MAX))
        })?;
        self.s = &self.s[used..];
        Ok((v, used))
    }

    /// One of several words, ignoring case; its place in the list.
    fn word(&mut self, words: &[&str], u: &Use) -> PgResult<usize> {
        let hit = words
            .iter()
            .enumerate()
            .filter(|(_, w)| self.s.get(..w.len()).is_some_and(|head| head.eq_ignore_ascii_case(w)));
        match hit.max_by_key(|(_, w)| w.len()) {
            Some((at, w)) => {
                self.s = &self.s[w.len()..];
                Ok(at)
            }
            None => {
                let shown = self.s.split(|c: char| c.is_ascii_whitespace()).next().unwrap_or("");
                Err(bad_value(shown, u.name)
                    .detail("The given value did not match any of the allowed values for this field."))
            }
        }
    }
}

fn set(slot: &mut i32, v: i32, u: &Use) -> PgResult<()> {
    if *slot != 0 && *slot != v {
        return Err(err!(
            INVALID_DATETIME_FORMAT,
            "conflicting values for \"{}\" field in formatting string",
            u.name
        )
        .detail("This value contradicts a previous setting for the same field type."));
    }
    *slot = v;
    Ok(())
}

/// A year of fewer than four digits is the one nearest 2020.
fn near_2020(year: i32) -> i32 {
    match year {
        0..=69 => year + 2000,
        70..=99 => year + 1900,
        100..=519 => year + 2000,
        520..=999 => year + 1000,
        _ => year,
    }
}

fn scaled(v: i32, used: usize, digits: u32) -> i32 {
    (i64::from(v) * 10i64.pow(6u32.saturating_sub(used as u32)) / 10i64.pow((used as u32).saturating_sub(6)))
        .min(i64::from(i32::MAX)) as i32
        * i32::from(digits > 0)
}

fn read_field(r: &mut Reader<'_>, p: &mut Parts, u: &Use, rest: &[Node], cx: &FnCtx<'_>) -> PgResult<()> {
    match u.field {
        Field::Exact => r.exact = true,
        Field::Half { dotted } => {
            let words: &[&str] = if dotted { &["a.m.", "p.m."] } else { &["am", "pm"] };
            p.pm = Some(r.word(words, u)? == 1);
            p.twelve = true;
        }
        Field::Hour12 => {
            let v = r.int(2, u, rest)?.0;
            set(&mut p.hour, v, u)?;
            p.twelve = true;
        }
        Field::Hour24 => {
            let v = r.int(2, u, rest)?.0;
            set(&mut p.hour, v, u)?;
        }
        Field::Minute => p.minute = r.int(2, u, rest)?.0,
        Field::Second => p.second = r.int(2, u, rest)?.0,
        Field::Millisecond => {
            let (v, used) = r.int(3, u, rest)?;
            p.micros += scaled(v, used, 3);
        }
        Field::Microsecond => {
            let (v, used) = r.int(6, u, rest)?;
            p.micros += scaled(v, used, 6);
        }
        Field::Fraction(n) => {
            let (v, used) = r.int(n as usize, u, rest)?;
            p.micros += scaled(v, used, n);
        }
        Field::DaySeconds => p.day_seconds = r.int(u.name.len(), u, rest)?.0,
        Field::Zone | Field::Offset => read_zone(r, p, u, cx)?,
        Field::ZoneHour => {
            p.zone_negative = r.s.starts_with('-');
            if r.s.starts_with(['+', '-', ' ']) {
                r.s = &r.s[1..];
            }
            p.zone_hour = Some(r.int(2, u, rest)?.0);
        }
        Field::ZoneMinute => {
            p.zone_minute = r.int(2, u, rest)?.0;
            p.zone_hour.get_or_insert(0);
        }
        Field::Era { dotted } => {
            let words: &[&str] = if dotted { &["a.d.", "b.c."] } else { &["ad", "bc"] };
            p.bc = r.word(words, u)? == 1;
        }
        Field::MonthName => {
            let m = r.word(&MONTHS, u)?;
            set(&mut p.month, m as i32 + 1, u)?;
        }
        Field::MonthAbbrev => {
            let m = r.word(&MONTHS.map(|m| &m[..3]), u)?;
            set(&mut p.month, m as i32 + 1, u)?;
        }
        Field::Roman => {
            let m = r.word(&ROMAN_MONTHS, u)?;
            set(&mut p.month, m as i32 + 1, u)?;
        }
        Field::Month => {
            let v = r.int(2, u, rest)?.0;
            set(&mut p.month, v, u)?;
        }
        Field::DayName => p.weekday = r.word(&DAYS, u)? as i32 + 1,
        Field::DayAbbrev => p.weekday = r.word(&DAYS.map(|d| &d[..3]), u)? as i32 + 1,
        Field::DayOfYear | Field::IsoDayOfYear => {
            let v = r.int(3, u, rest)?.0;
            p.iso |= u.field == Field::IsoDayOfYear;
            set(&mut p.day_of_year, v, u)?;
        }
        Field::Day => {
            let v = r.int(2, u, rest)?.0;
            set(&mut p.day, v, u)?;
        }
        Field::WeekDay => p.weekday = r.int(1, u, rest)?.0,
        Field::IsoWeekDay => {
            let v = r.int(1, u, rest)?.0;
            // Counted from Sunday, as the other form.
            p.weekday = if v >= 7 { 1 } else { v + 1 };
            p.iso = true;
        }
        Field::Week | Field::IsoWeek => {
            let v = r.int(2, u, rest)?.0;
            p.iso |= u.field == Field::IsoWeek;
            set(&mut p.week, v, u)?;
        }
        // Ignored: a quarter does not name a date.
        Field::Quarter => drop(r.int(1, u, rest)?),
        Field::Century => p.century = r.int(2, u, rest)?.0,
        Field::YearComma => {
            let end = r.s.find(|c: char| !c.is_ascii_digit() && c != ',').unwrap_or(r.s.len());
            let digits: String = r.s[..end].chars().filter(char::is_ascii_digit).collect();
            let v =
                digits.parse().map_err(|_| bad_value(r.s, "Y,YYY").detail("Value must be an integer."))?;
            set(&mut p.year, v, u)?;
            p.year_digits = 4;
            r.s = &r.s[end..];
        }
        Field::Year(n) | Field::IsoYear(n) => {
            let (v, used) = r.int(n, u, rest)?;
            let v = if n < 4 && used < 4 { near_2020(v) } else { v };
            set(&mut p.year, v, u)?;
            p.year_digits = n as i32;
            p.iso |= matches!(u.field, Field::IsoYear(_));
        }
        Field::WeekOfMonth => p.week_of_month = r.int(1, u, rest)?.0,
        Field::Julian => p.julian = r.int(1, u, rest)?.0,
    }
    if u.ordinal.is_some() {
        let skip = r.s.char_indices().nth(2).map_or(r.s.len(), |(at, _)| at);
        r.s = &r.s[skip..];
    }
    Ok(())
}

/// A zone abbreviation or a signed offset.
fn read_zone(r: &mut Reader<'_>, p: &mut Parts, u: &Use, cx: &FnCtx<'_>) -> PgResult<()> {
    let letters = r.s.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(r.s.len());
    if letters > 0 && u.field == Field::Zone {
        let name = &r.s[..letters];
        match ZoneSpec::parse(name, zone(cx)) {
            Ok(spec) => p.west = Some(spec.west_at(cx.host.transaction_timestamp())),
            Err(_) => return Err(bad_value(r.s, u.name).detail("Time zone abbreviation is not recognized.")),
        }
        r.s = &r.s[letters..];
        return Ok(());
    }
    p.zone_negative = r.s.starts_with('-');
    let body = r.s.strip_prefix(['+', '-', ' ']).unwrap_or(r.s);
    let hours = body.bytes().take(2).take_while(u8::is_ascii_digit).count();
    if hours == 0 {
        return Err(bad_value(r.s, u.name).detail("Value must be an integer."));
    }
    p.zone_hour = body[..hours].parse().ok();
    let mut rest = &body[hours..];
    if let Some(minutes) = rest.strip_prefix(':') {
        let n = minutes.bytes().take(2).take_while(u8::is_ascii_digit).count();
        p.zone_minute = minutes[..n].parse().unwrap_or(0);
        rest = &minutes[n..];
    }
    r.s = rest;
    Ok(())
}

fn is_separator(c: char) -> bool {
    c.is_ascii_punctuation()
}

fn read(text: &str, template: &str, cx: &FnCtx<'_>) -> PgResult<Parts> {
    let nodes = parse(template);
    let mut p = Parts::default();
    let mut r = Reader { s: text, exact: false };
    let mut extra = 0;
    for (i, node) in nodes.iter().enumerate() {
        if r.s.is_empty() {
            break;
        }
        if !r.exact && (i == 0 || matches!(node, Node::Use(u) if u.field != Field::Exact)) {
            extra += r.blanks();
        }
        match node {
            Node::Char(c, quoted) => {
                let skip = r.s.chars().next().map_or(0, char::len_utf8);
                if !quoted && (c.is_ascii_whitespace() || is_separator(*c)) && !r.exact {
                    // A separator stands for one separator or blank of the text, or for nothing.
                    extra -= 1;
                    if r.s.starts_with(|c: char| c.is_ascii_whitespace() || is_separator(c)) {
                        r.s = &r.s[skip..];
                        extra += 1;
                    }
                } else if !r.exact && extra > 0 {
                    extra -= 1;
                } else {
                    r.s = &r.s[skip..];
                }
            }
            Node::Use(u) => {
                read_field(&mut r, &mut p, u, &nodes[i + 1..], cx)?;
                if !r.exact {
                    extra = r.blanks();
                }
            }
        }
    }
    Ok(p)
}

fn out_of_range(text: &str) -> PgError {
    err!(DATETIME_FIELD_OVERFLOW, "date/time field value out of range: \"{text}\"")
}

/// The year the parts name; None when none was given.
fn year_of(p: &Parts) -> Option<i32> {
    let (century, year) = (i64::from(p.century), i64::from(p.year));
    let year = if year != 0 {
        let mut y = year;
        if century != 0 && p.year_digits <= 2 {
            y = if p.bc || century < 0 { -(century.abs() - 1) * 100 } else { (century - 1) * 100 };
            let short = year.rem_euclid(100);
            y += if short == 0 { 100 } else { short };
        } else if p.bc && y > 0 {
            y = -y;
        }
        // Year -1 is 1 BC, which counts as 0.
        if y < 0 { y + 1 } else { y }
    } else if century != 0 {
        let c = if p.bc { -century } else { century };
        if c >= 0 { (c - 1) * 100 + 1 } else { c * 100 + 1 }
    } else {
        return None;
    };
    Some(year.clamp(i64::from(i32::MIN), i64::from(i32::MAX)) as i32)
}

fn fill_date(p: &Parts, text: &str) -> PgResult<Tm> {
    let mut tm = Tm { mon: 1, mday: 1, ..Tm::default() };
    let year = year_of(p);
    tm.year = year.unwrap_or(0);
    // Nothing near this is a date, and the calendar's arithmetic stays within its integers.
    if tm.year.unsigned_abs() > 10_000_000 {
        return Err(out_of_range(text));
    }
    if p.julian != 0 {
        (tm.year, tm.mon, tm.mday) = j2date(i64::from(p.julian));
    }
    let mut day_of_year = p.day_of_year;
    if p.week != 0 {
        if p.iso {
            let offset = if p.weekday > 1 {
                p.weekday - 2
            } else if p.weekday == 1 {
                6
            } else {
                0
            };
            let j = iso_week_to_julian(tm.year, p.week) + i64::from(offset);
            (tm.year, tm.mon, tm.mday) = j2date(j);
            day_of_year = 0;
        } else {
            day_of_year = p.week.saturating_sub(1).saturating_mul(7).saturating_add(1);
        }
    }
    let mut day = p.day;
    if p.week_of_month != 0 {
        day = p.week_of_month.saturating_sub(1).saturating_mul(7).saturating_add(1);
    }
    if day != 0 {
        tm.mday = day;
    }
    if p.month != 0 {
        tm.mon = p.month;
    }
    if day_of_year != 0 && (p.month == 0 || day <= 0) {
        if year.is_none() && !p.bc {
            bail!(INVALID_DATETIME_FORMAT, "cannot calculate day of year without year information");
        }
        let first = if p.iso { iso_week_to_julian(tm.year, 1) } else { date2j(tm.year, 1, 1) };
        if !p.iso && day_of_year > 365 + i32::from(is_leap(tm.year)) {
            return Err(out_of_range(text));
        }
        (tm.year, tm.mon, tm.mday) = j2date(first + i64::from(day_of_year) - 1);
    }
    let valid = (1..=12).contains(&tm.mon) && tm.mday >= 1 && tm.mday <= days_in_month(tm.year, tm.mon);
    if valid { Ok(tm) } else { Err(out_of_range(text)) }
}

fn fill(p: &Parts, text: &str) -> PgResult<Tm> {
    let mut tm = fill_date(p, text)?;
    (tm.hour, tm.min, tm.sec) = (p.hour, p.minute, p.second);
    if p.day_seconds != 0 {
        let x = p.day_seconds;
        (tm.hour, tm.min, tm.sec) = (x / 3600, x % 3600 / 60, x % 60);
    }
    if p.twelve {
        if !(1..=12).contains(&tm.hour) && (p.hour != 0 || p.pm.is_none()) {
            return Err(err!(
                INVALID_DATETIME_FORMAT,
                "hour \"{}\" is invalid for the 12-hour clock",
                tm.hour
            )
            .hint("Use the 24-hour clock, or give an hour between 1 and 12."));
        }
        match p.pm {
            Some(true) if tm.hour < 12 => tm.hour += 12,
            Some(false) if tm.hour == 12 => tm.hour = 0,
            _ => {}
        }
    }
    tm.fsec = p.micros;
    let fits = (0..24).contains(&tm.hour)
        && (0..60).contains(&tm.min)
        && (0..60).contains(&tm.sec)
        && (0..1_000_000).contains(&tm.fsec);
    if fits { Ok(tm) } else { Err(out_of_range(text)) }
}

fn to_timestamp(cx: &FnCtx<'_>, text: &str, template: &str) -> PgResult<Timestamp> {
    let p = read(text, template, cx)?;
    let tm = fill(&p, text)?;
    let west = match (p.west, p.zone_hour) {
        (Some(west), _) => west,
        (None, Some(h)) => {
            let a = h * 3600 + p.zone_minute * 60;
            if p.zone_negative { a } else { -a }
        }
        (None, None) => zone(cx).offset_of_local(&tm),
    };
    tm.to_timestamp(west).map(Timestamp).ok_or_else(dt::timestamp_range)
}

fn to_date(cx: &FnCtx<'_>, text: &str, template: &str) -> PgResult<Date> {
    let p = read(text, template, cx)?;
    let tm = fill(&p, text)?;
    let day = tm.julian() - EPOCH_JDATE;
    if !dt::is_valid_date(day) {
        return Err(err!(DATETIME_VALUE_OUT_OF_RANGE, "date out of range: \"{text}\""));
    }
    Ok(Date(day as i32))
}

builtins! { pub TABLE:
    "to_timestamp" => cx to_timestamp[&str, &str];
    "to_date" => cx to_date[&str, &str];
}
