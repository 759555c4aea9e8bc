//! Interval input: PostgreSQL's units, SQL's `years-months` and `days hh:mm:ss`, and ISO 8601 durations.

use super::decode::{DtError, DtResult, decode_clock, fraction, mask};
use super::lex::{Field, Kind};
use super::words::{self, Unit, Word};
use super::{Interval, MICROS_PER_DAY, MICROS_PER_HOUR, MICROS_PER_MINUTE, MICROS_PER_SEC};
use crate::typmod::interval_mask as im;

/// The fields being collected. Years and months stay apart until the end.
#[derive(Default)]
struct Acc {
    years: i32,
    months: i32,
    days: i32,
    micros: i64,
}

const OVER: DtError = DtError::FieldOverflow;

fn to_i32(v: i64) -> DtResult<i32> {
    i32::try_from(v).map_err(|_| OVER)
}

impl Acc {
    fn add_micros(&mut self, val: i64, fval: f64, scale: i64) -> DtResult<()> {
        let v = val.checked_mul(scale).ok_or(OVER)?;
        self.micros = self.micros.checked_add(v).ok_or(OVER)?;
        self.add_fract_micros(fval, scale)
    }
    /// Adds a fraction of `scale` microseconds, rounded.
    fn add_fract_micros(&mut self, frac: f64, scale: i64) -> DtResult<()> {
        if frac == 0.0 {
            return Ok(());
        }
        let mut v = frac * scale as f64;
        let whole = v as i64;
        v -= whole as f64;
        let round = if v > 0.5 {
            1
        } else if v < -0.5 {
            -1
        } else {
            0
        };
        self.micros = self.micros.checked_add(whole + round).ok_or(OVER)?;
        Ok(())
    }
    fn add_days(&mut self, val: i64, scale: i64) -> DtResult<()> {
        let v = to_i32(val.checked_mul(scale).ok_or(OVER)?)?;
        self.days = self.days.checked_add(v).ok_or(OVER)?;
        Ok(())
    }
    /// Adds a fraction of `scale` days; what is left of a day becomes microseconds.
    fn add_fract_days(&mut self, frac: f64, scale: i64) -> DtResult<()> {
        if frac == 0.0 {
            return Ok(());
        }
        let v = frac * scale as f64;
        let whole = v as i32;
        self.days = self.days.checked_add(whole).ok_or(OVER)?;
        self.add_fract_micros(v - whole as f64, MICROS_PER_DAY)
    }
    fn add_months(&mut self, val: i64) -> DtResult<()> {
        self.months = self.months.checked_add(to_i32(val)?).ok_or(OVER)?;
        Ok(())
    }
    fn add_years(&mut self, val: i64, frac: f64, scale: i64) -> DtResult<()> {
        let v = to_i32(val.checked_mul(scale).ok_or(OVER)?)?;
        self.years = self.years.checked_add(v).ok_or(OVER)?;
        // A fraction of a year is rounded to months.
        let m = (frac * scale as f64 * 12.0).round_ties_even();
        self.months = self.months.checked_add(to_i32(m as i64)?).ok_or(OVER)?;
        Ok(())
    }
    fn negate(&mut self) -> DtResult<()> {
        self.years = self.years.checked_neg().ok_or(OVER)?;
        self.months = self.months.checked_neg().ok_or(OVER)?;
        self.days = self.days.checked_neg().ok_or(OVER)?;
        self.micros = self.micros.checked_neg().ok_or(OVER)?;
        Ok(())
    }
    /// `None` when the months overflow.
    fn finish(&self) -> Option<Interval> {
        let months = self.years as i64 * 12 + self.months as i64;
        Some(Interval { months: i32::try_from(months).ok()?, days: self.days, micros: self.micros })
    }
}

/// What an interval text stands for.
pub enum DecodedInterval {
    /// `None`: the value overflows.
    Value(Option<Interval>),
    Infinity,
    NegInfinity,
}

/// The unit of a rightmost bare number under a field restriction.
fn default_unit(range: i32) -> Unit {
    use im::*;
    if range == crate::typmod::INTERVAL_FULL_RANGE || range & SECOND != 0 {
        Unit::Second
    } else if range & MINUTE != 0 {
        Unit::Minute
    } else if range & HOUR != 0 {
        Unit::Hour
    } else if range & DAY != 0 {
        Unit::Day
    } else if range & MONTH != 0 {
        Unit::Month
    } else if range & YEAR != 0 {
        Unit::Year
    } else {
        Unit::Second
    }
}

/// Decodes fields, right to left. `sql_standard`: a leading sign applies to all fields when it is the only one.
pub fn decode_interval(fields: &[Field], range: i32, sql_standard: bool) -> DtResult<DecodedInterval> {
    let signed = |f: &Field| f.text.starts_with(['-', '+']);
    let force_negative = sql_standard
        && fields.first().is_some_and(|f| f.text.starts_with('-'))
        && !fields[1..].iter().any(signed);
    let mut d =
        Reader { acc: Acc::default(), unit: None, fmask: 0, range, force_negative, unit_pending: false };
    let mut ago = false;
    let mut special = None;
    let last = fields.len().wrapping_sub(1);
    for (i, f) in fields.iter().enumerate().rev() {
        let bits = match f.kind {
            Kind::Time => d.clock(&f.text, false)?,
            Kind::Zone if f.text[1..].contains(':') && decode_clock(&f.text[1..], false).is_ok() => {
                d.clock(&f.text[1..], f.text.starts_with('-'))?
            }
            Kind::Zone | Kind::Date | Kind::Number => d.number(&f.text)?,
            Kind::Word | Kind::Special => {
                if d.unit_pending {
                    return Err(DtError::BadFormat);
                }
                match words::unit(&f.text).or_else(|| words::special(&f.text)) {
                    Some(Word::Ignore) => continue,
                    Some(Word::Unit(u)) => {
                        d.unit = Some(u);
                        d.unit_pending = true;
                        0
                    }
                    Some(Word::Ago) if i == last => {
                        ago = true;
                        // PG: "ago" leaves no unit that a bare number could take.
                        d.unit = Some(Unit::Epoch);
                        0
                    }
                    Some(w @ (Word::Infinity | Word::NegInfinity)) if i == last => {
                        special = Some(w == Word::Infinity);
                        mask::DATE | mask::TIME
                    }
                    _ => return Err(DtError::BadFormat),
                }
            }
        };
        if bits & d.fmask != 0 {
            return Err(DtError::BadFormat);
        }
        d.fmask |= bits;
    }
    if d.fmask == 0 || d.unit_pending {
        return Err(DtError::BadFormat);
    }
    if ago {
        d.acc.negate()?;
    }
    Ok(match special {
        Some(true) => DecodedInterval::Infinity,
        Some(false) => DecodedInterval::NegInfinity,
        None => DecodedInterval::Value(d.acc.finish()),
    })
}

struct Reader {
    acc: Acc,
    /// Unit of the next number to the left.
    unit: Option<Unit>,
    fmask: u32,
    range: i32,
    force_negative: bool,
    unit_pending: bool,
}

impl Reader {
    fn clock(&mut self, text: &str, negative: bool) -> DtResult<u32> {
        let c = decode_clock(text, self.range == im::MINUTE | im::SECOND)?;
        let parts =
            [(c.hour, MICROS_PER_HOUR), (c.min as i64, MICROS_PER_MINUTE), (c.sec as i64, MICROS_PER_SEC)];
        let mut v = c.fsec as i64;
        for (n, scale) in parts {
            v = n.checked_mul(scale).and_then(|p| v.checked_add(p)).ok_or(OVER)?;
        }
        if negative || (self.force_negative && v > 0) {
            v = -v;
        }
        self.acc.micros = v;
        self.unit = Some(Unit::Day);
        self.unit_pending = false;
        Ok(mask::TIME)
    }
    fn number(&mut self, text: &str) -> DtResult<u32> {
        let mut unit = self.unit.unwrap_or_else(|| default_unit(self.range));
        let neg = text.starts_with('-');
        let sign = text.starts_with(['-', '+']) as usize;
        let end = sign + text[sign..].bytes().take_while(u8::is_ascii_digit).count();
        let mut val: i64 = if end == sign { 0 } else { text[..end].parse().map_err(|_| OVER)? };
        let rest = &text[end..];
        let mut fval = 0.0;
        if let Some(months) = rest.strip_prefix('-') {
            // years-months
            let n = months.bytes().take_while(u8::is_ascii_digit).count();
            let m: i64 = months[..n].parse().map_err(|_| if n == 0 { DtError::BadFormat } else { OVER })?;
            if m >= 12 {
                return Err(OVER);
            }
            if n < months.len() {
                return Err(DtError::BadFormat);
            }
            unit = Unit::Month;
            val = val.checked_mul(12).and_then(|v| v.checked_add(if neg { -m } else { m })).ok_or(OVER)?;
        } else if rest.starts_with('.') {
            fval = fraction(rest)?;
            if neg {
                fval = -fval;
            }
        } else if !rest.is_empty() {
            return Err(DtError::BadFormat);
        }
        if self.force_negative {
            val = -val.abs();
            fval = -fval.abs();
        }
        self.unit = Some(unit);
        self.unit_pending = false;
        self.add(unit, val, fval)
    }
    fn add(&mut self, unit: Unit, val: i64, fval: f64) -> DtResult<u32> {
        let a = &mut self.acc;
        Ok(match unit {
            Unit::Microsecond => {
                a.add_micros(val, fval, 1)?;
                mask::MICROSECOND
            }
            Unit::Millisecond => {
                a.add_micros(val, fval, 1000)?;
                mask::MILLISECOND
            }
            Unit::Second => {
                a.add_micros(val, fval, MICROS_PER_SEC)?;
                if fval == 0.0 { mask::SECOND } else { mask::ALL_SECS }
            }
            Unit::Minute => {
                a.add_micros(val, fval, MICROS_PER_MINUTE)?;
                mask::MINUTE
            }
            Unit::Hour => {
                a.add_micros(val, fval, MICROS_PER_HOUR)?;
                self.unit = Some(Unit::Day);
                mask::HOUR
            }
            Unit::Day => {
                a.add_days(val, 1)?;
                a.add_fract_micros(fval, MICROS_PER_DAY)?;
                mask::DAY
            }
            Unit::Week => {
                a.add_days(val, 7)?;
                a.add_fract_days(fval, 7)?;
                mask::WEEK
            }
            Unit::Month => {
                a.add_months(val)?;
                a.add_fract_days(fval, 30)?;
                mask::MONTH
            }
            Unit::Year => {
                a.add_years(val, fval, 1)?;
                mask::YEAR
            }
            Unit::Decade => {
                a.add_years(val, fval, 10)?;
                mask::DECADE
            }
            Unit::Century => {
                a.add_years(val, fval, 100)?;
                mask::CENTURY
            }
            Unit::Millennium => {
                a.add_years(val, fval, 1000)?;
                mask::MILLENNIUM
            }
            _ => return Err(DtError::BadFormat),
        })
    }
}

/// A number of an ISO 8601 duration: its whole part and fraction, and the text after it.
fn iso_number(s: &str) -> DtResult<(i64, f64, &str)> {
    let b = s.as_bytes();
    if !b.first().is_some_and(|c| c.is_ascii_digit() || *c == b'-' || *c == b'.') {
        return Err(DtError::BadFormat);
    }
    let mut n = (b[0] == b'-') as usize;
    let digits = |from: usize| b[from..].iter().take_while(|c| c.is_ascii_digit()).count();
    n += digits(n);
    if b.get(n) == Some(&b'.') {
        n += 1 + digits(n + 1);
    }
    if matches!(b.get(n), Some(b'e' | b'E')) {
        let sign = matches!(b.get(n + 1), Some(b'+' | b'-')) as usize;
        let exp = digits((n + 1 + sign).min(b.len()));
        if exp > 0 {
            n += 1 + sign + exp;
        }
    }
    let v: f64 = s[..n].parse().map_err(|_| DtError::BadFormat)?;
    if !(-1e15..=1e15).contains(&v) {
        return Err(OVER);
    }
    Ok((v.trunc() as i64, v.fract(), &s[n..]))
}

fn int_width(s: &str) -> usize {
    s.strip_prefix('-').unwrap_or(s).bytes().take_while(u8::is_ascii_digit).count()
}

/// Decodes an ISO 8601 duration, with designators or in the alternative format.
pub fn decode_iso8601(text: &str) -> DtResult<DecodedInterval> {
    let mut s = text.strip_prefix('P').filter(|r| !r.is_empty()).ok_or(DtError::BadFormat)?;
    let mut a = Acc::default();
    let mut date = true;
    let mut have = false;
    while !s.is_empty() {
        if let Some(rest) = s.strip_prefix('T') {
            (date, have, s) = (false, false, rest);
            continue;
        }
        let start = s;
        let (val, fval, rest) = iso_number(s)?;
        let unit = rest.bytes().next();
        s = rest.get(1..).unwrap_or("");
        let done = if date {
            iso_date_part(&mut a, start, val, fval, unit, have, &mut s)?
        } else {
            iso_time_part(&mut a, start, val, fval, unit, have, &mut s)?
        };
        match done {
            Step::Next => have = true,
            Step::Time => (date, have) = (false, false),
            Step::End => break,
        }
    }
    Ok(DecodedInterval::Value(a.finish()))
}

enum Step {
    Next,
    /// The time part begins.
    Time,
    End,
}

fn iso_date_part(
    a: &mut Acc,
    start: &str,
    val: i64,
    fval: f64,
    unit: Option<u8>,
    have: bool,
    s: &mut &str,
) -> DtResult<Step> {
    match unit {
        Some(b'Y') => a.add_years(val, fval, 1)?,
        Some(b'M') => {
            a.add_months(val)?;
            a.add_fract_days(fval, 30)?;
        }
        Some(b'W') => {
            a.add_days(val, 7)?;
            a.add_fract_days(fval, 7)?;
        }
        Some(b'D') => {
            a.add_days(val, 1)?;
            a.add_fract_micros(fval, MICROS_PER_DAY)?;
        }
        Some(b'T') | None if int_width(start) == 8 && !have => {
            a.add_years(val / 10000, 0.0, 1)?;
            a.add_months(val / 100 % 100)?;
            a.add_days(val % 100, 1)?;
            a.add_fract_micros(fval, MICROS_PER_DAY)?;
            return Ok(if unit.is_none() { Step::End } else { Step::Time });
        }
        Some(b'T' | b'-') | None => {
            if have {
                return Err(DtError::BadFormat);
            }
            a.add_years(val, fval, 1)?;
            match unit {
                None => return Ok(Step::End),
                Some(b'T') => return Ok(Step::Time),
                _ => {}
            }
            return iso_alternative_date(a, s);
        }
        _ => return Err(DtError::BadFormat),
    }
    Ok(Step::Next)
}

/// The rest of `yyyy-mm-dd` after the year.
fn iso_alternative_date(a: &mut Acc, s: &mut &str) -> DtResult<Step> {
    let end = |s: &mut &str| match s.bytes().next() {
        None => Some(Step::End),
        Some(b'T') => {
            *s = &s[1..];
            Some(Step::Time)
        }
        _ => None,
    };
    let (val, fval, rest) = iso_number(s)?;
    a.add_months(val)?;
    a.add_fract_days(fval, 30)?;
    *s = rest;
    if let Some(step) = end(s) {
        return Ok(step);
    }
    let rest = s.strip_prefix('-').ok_or(DtError::BadFormat)?;
    let (val, fval, rest) = iso_number(rest)?;
    a.add_days(val, 1)?;
    a.add_fract_micros(fval, MICROS_PER_DAY)?;
    *s = rest;
    end(s).ok_or(DtError::BadFormat)
}

fn iso_time_part(
    a: &mut Acc,
    start: &str,
    val: i64,
    fval: f64,
    unit: Option<u8>,
    have: bool,
    s: &mut &str,
) -> DtResult<Step> {
    match unit {
        Some(b'H') => a.add_micros(val, fval, MICROS_PER_HOUR)?,
        Some(b'M') => a.add_micros(val, fval, MICROS_PER_MINUTE)?,
        Some(b'S') => a.add_micros(val, fval, MICROS_PER_SEC)?,
        None if int_width(start) == 6 && !have => {
            a.add_micros(val / 10000, 0.0, MICROS_PER_HOUR)?;
            a.add_micros(val / 100 % 100, 0.0, MICROS_PER_MINUTE)?;
            a.add_micros(val % 100, 0.0, MICROS_PER_SEC)?;
            a.add_fract_micros(fval, 1)?;
            return Ok(Step::End);
        }
        None | Some(b':') => {
            if have {
                return Err(DtError::BadFormat);
            }
            a.add_micros(val, fval, MICROS_PER_HOUR)?;
            if unit.is_none() {
                return Ok(Step::End);
            }
            let (val, fval, rest) = iso_number(s)?;
            a.add_micros(val, fval, MICROS_PER_MINUTE)?;
            if rest.is_empty() {
                return Ok(Step::End);
            }
            let rest = rest.strip_prefix(':').ok_or(DtError::BadFormat)?;
            let (val, fval, rest) = iso_number(rest)?;
            a.add_micros(val, fval, MICROS_PER_SEC)?;
            if !rest.is_empty() {
                return Err(DtError::BadFormat);
            }
            *s = "";
            return Ok(Step::End);
        }
        _ => return Err(DtError::BadFormat),
    }
    Ok(Step::Next)
}
