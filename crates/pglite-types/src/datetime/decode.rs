//! Turns the fields of date/time text into values: PostgreSQL's rules of what each field may mean.

use pglite_error::{PgError, codes};

use super::calendar::{Tm, date2j, days_in_month, j2date};
use super::lex::{Field, Kind};
use super::words::{self, Unit, Word};
use super::zone::{AbbrevMeaning, TimeZone};
use super::{DateOrder, MICROS_PER_DAY, MICROS_PER_SEC};

/// Why a date/time text was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DtError {
    BadFormat,
    FieldOverflow,
    /// Month or day out of range: another DateStyle might take it.
    MdFieldOverflow,
    IntervalOverflow,
    TzDispOverflow,
    BadTimezone(String),
}

pub type DtResult<T> = Result<T, DtError>;

impl DtError {
    /// The SQL error about input `s` of type `type_name`.
    pub fn into_pg(self, s: &str, type_name: &str) -> PgError {
        match self {
            DtError::BadFormat => PgError::new(
                codes::INVALID_DATETIME_FORMAT,
                format!("invalid input syntax for type {type_name}: \"{s}\""),
            ),
            DtError::FieldOverflow => PgError::new(
                codes::DATETIME_FIELD_OVERFLOW,
                format!("date/time field value out of range: \"{s}\""),
            ),
            DtError::MdFieldOverflow => DtError::FieldOverflow
                .into_pg(s, type_name)
                .hint("Perhaps you need a different \"DateStyle\" setting."),
            DtError::IntervalOverflow => PgError::new(
                codes::INTERVAL_FIELD_OVERFLOW,
                format!("interval field value out of range: \"{s}\""),
            ),
            DtError::TzDispOverflow => PgError::new(
                codes::INVALID_TIME_ZONE_DISPLACEMENT_VALUE,
                format!("time zone displacement out of range: \"{s}\""),
            ),
            DtError::BadTimezone(name) => {
                PgError::new(codes::INVALID_PARAMETER_VALUE, format!("time zone \"{name}\" not recognized"))
            }
        }
    }
}

/// Bits of what has been seen.
pub mod mask {
    pub const MONTH: u32 = 1 << 1;
    pub const YEAR: u32 = 1 << 2;
    pub const DAY: u32 = 1 << 3;
    pub const TZ: u32 = 1 << 5;
    pub const DTZ: u32 = 1 << 6;
    pub const DYNTZ: u32 = 1 << 7;
    pub const AMPM: u32 = 1 << 9;
    pub const HOUR: u32 = 1 << 10;
    pub const MINUTE: u32 = 1 << 11;
    pub const SECOND: u32 = 1 << 12;
    pub const MILLISECOND: u32 = 1 << 13;
    pub const MICROSECOND: u32 = 1 << 14;
    pub const DOY: u32 = 1 << 15;
    pub const DOW: u32 = 1 << 16;
    pub const ADBC: u32 = 1 << 18;
    pub const WEEK: u32 = 1 << 24;
    pub const DECADE: u32 = 1 << 25;
    pub const CENTURY: u32 = 1 << 26;
    pub const MILLENNIUM: u32 = 1 << 27;
    pub const DTZMOD: u32 = 1 << 28;
    pub const ALL_SECS: u32 = SECOND | MILLISECOND | MICROSECOND;
    pub const DATE: u32 = YEAR | MONTH | DAY;
    pub const TIME: u32 = HOUR | MINUTE | ALL_SECS;
}
use mask::*;

/// What the surroundings contribute to input.
pub struct Context<'a> {
    pub order: DateOrder,
    pub zone: &'a TimeZone,
    /// Transaction start, microseconds since 2000-01-01 UTC.
    pub now: i64,
}

impl Context<'_> {
    /// The current local time and its offset (seconds west).
    pub fn current(&self) -> (Tm, i32) {
        let info = self.zone.at_timestamp(self.now);
        (Tm::from_timestamp(self.now + info.offset as i64 * MICROS_PER_SEC), -info.offset)
    }
}

/// What a date/time text stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decoded {
    /// Fields and offset (seconds west of UTC).
    Time(Tm, i32),
    Epoch,
    Infinity,
    NegInfinity,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Prefix {
    Julian,
    Time,
    Other,
}

/// The state while fields are read.
struct State<'c> {
    ctx: &'c Context<'c>,
    fmask: u32,
    tm: Tm,
    yday: i32,
    tz: i32,
    prefix: Option<Prefix>,
    text_month: bool,
    julian: bool,
    two_digits: bool,
    bc: bool,
    pm: Option<bool>,
    named_tz: Option<TimeZone>,
    abbrev_tz: Option<(TimeZone, String)>,
    special: Option<Decoded>,
}

/// A leading integer and what follows; overflow of 32 bits is an error.
fn int_prefix(s: &str) -> DtResult<(i32, &str)> {
    let sign = s.starts_with(['+', '-']) as usize;
    let end = sign + s[sign..].bytes().take_while(u8::is_ascii_digit).count();
    if end == sign {
        return Ok((0, s));
    }
    s[..end].parse().map(|v| (v, &s[end..])).map_err(|_| DtError::FieldOverflow)
}

/// `.digits` as a fraction of one.
pub(super) fn fraction(s: &str) -> DtResult<f64> {
    let digits = s.strip_prefix('.').ok_or(DtError::BadFormat)?;
    if digits.is_empty() {
        return Ok(0.0);
    }
    if !digits.bytes().all(|c| c.is_ascii_digit()) {
        return Err(DtError::BadFormat);
    }
    s.parse().map_err(|_| DtError::BadFormat)
}

/// `.digits` as microseconds.
fn fraction_micros(s: &str) -> DtResult<i32> {
    Ok((fraction(s)? * 1e6).round_ties_even() as i32)
}

/// `+hh[:mm[:ss]]` or `+hhmm`: seconds west of UTC.
pub fn decode_timezone(s: &str) -> DtResult<i32> {
    let over = |_| DtError::TzDispOverflow;
    let b = s.as_bytes();
    let neg = match b.first() {
        Some(b'+') => false,
        Some(b'-') => true,
        _ => return Err(DtError::BadFormat),
    };
    let (mut hour, mut rest) = int_prefix(&s[1..]).map_err(over)?;
    let (mut min, mut sec) = (0, 0);
    if let Some(r) = rest.strip_prefix(':') {
        (min, rest) = int_prefix(r).map_err(over)?;
        if let Some(r) = rest.strip_prefix(':') {
            (sec, rest) = int_prefix(r).map_err(over)?;
        }
    } else if rest.is_empty() && s.len() > 3 {
        min = hour % 100;
        hour /= 100;
    }
    if !(0..=15).contains(&hour) || !(0..60).contains(&min) || !(0..60).contains(&sec) {
        return Err(DtError::TzDispOverflow);
    }
    if !rest.is_empty() {
        return Err(DtError::BadFormat);
    }
    let v = (hour * 60 + min) * 60 + sec;
    Ok(if neg { v } else { -v })
}

/// The parts of `hh:mm[:ss[.fff]]` (or `mm:ss.fff`).
pub(super) struct Clock {
    pub hour: i64,
    pub min: i32,
    pub sec: i32,
    pub fsec: i32,
}

/// Reads a time field; `minute_second` takes two parts as `mm:ss`.
pub(super) fn decode_clock(s: &str, minute_second: bool) -> DtResult<Clock> {
    let end = s.bytes().take_while(u8::is_ascii_digit).count();
    let hour: i64 = if end == 0 { 0 } else { s[..end].parse().map_err(|_| DtError::FieldOverflow)? };
    let rest = s[end..].strip_prefix(':').ok_or(DtError::BadFormat)?;
    let (min, rest) = int_prefix(rest)?;
    let mut c = Clock { hour, min, sec: 0, fsec: 0 };
    let shift = |c: &mut Clock| -> DtResult<()> {
        c.sec = c.min;
        c.min = i32::try_from(c.hour).map_err(|_| DtError::FieldOverflow)?;
        c.hour = 0;
        Ok(())
    };
    if rest.is_empty() {
        if minute_second {
            shift(&mut c)?;
        }
    } else if rest.starts_with('.') {
        c.fsec = fraction_micros(rest)?;
        shift(&mut c)?;
    } else if let Some(r) = rest.strip_prefix(':') {
        let (sec, rest) = int_prefix(r)?;
        c.sec = sec;
        if rest.starts_with('.') {
            c.fsec = fraction_micros(rest)?;
        } else if !rest.is_empty() {
            return Err(DtError::BadFormat);
        }
    } else {
        return Err(DtError::BadFormat);
    }
    if c.hour < 0
        || !(0..60).contains(&c.min)
        || !(0..=60).contains(&c.sec)
        || !(0..=1_000_000).contains(&c.fsec)
    {
        return Err(DtError::FieldOverflow);
    }
    Ok(c)
}

fn time_overflows(tm: &Tm) -> bool {
    !(0..=24).contains(&tm.hour)
        || !(0..60).contains(&tm.min)
        || !(0..=60).contains(&tm.sec)
        || !(0..=1_000_000).contains(&tm.fsec)
        || tm.time() > MICROS_PER_DAY
}

impl<'c> State<'c> {
    fn new(ctx: &'c Context<'c>) -> State<'c> {
        State {
            ctx,
            fmask: 0,
            tm: Tm::default(),
            yday: 0,
            tz: 0,
            prefix: None,
            text_month: false,
            julian: false,
            two_digits: false,
            bc: false,
            pm: None,
            named_tz: None,
            abbrev_tz: None,
            special: None,
        }
    }
    fn has(&self, bits: u32) -> bool {
        self.fmask & bits == bits
    }
    fn set_julian(&mut self, day: i32) -> DtResult<()> {
        if day < 0 {
            return Err(DtError::FieldOverflow);
        }
        (self.tm.year, self.tm.mon, self.tm.mday) = j2date(day as i64);
        self.julian = true;
        Ok(())
    }
    fn set_time(&mut self, micros: i64) {
        let t = Tm::from_time(micros);
        (self.tm.hour, self.tm.min, self.tm.sec, self.tm.fsec) = (t.hour, t.min, t.sec, t.fsec);
    }
    fn zone_name(&mut self, name: &str) -> DtResult<u32> {
        let zone = TimeZone::lookup(name).ok_or_else(|| DtError::BadTimezone(name.to_string()))?;
        self.named_tz = Some(zone);
        Ok(TZ)
    }
    /// A run-together time with a zone behind: `hhmmss-zz`.
    fn joined_time_zone(&mut self, text: &str, fmask: u32) -> DtResult<u32> {
        if self.has(TIME) {
            return Err(DtError::BadFormat);
        }
        let at = text.find('-').ok_or(DtError::BadFormat)?;
        self.tz = decode_timezone(&text[at..])?;
        Ok(self.number_field(&text[..at], fmask)? | TZ)
    }
    fn clock(&mut self, text: &str) -> DtResult<u32> {
        let c = decode_clock(text, false)?;
        self.tm.hour = i32::try_from(c.hour).map_err(|_| DtError::FieldOverflow)?;
        (self.tm.min, self.tm.sec, self.tm.fsec) = (c.min, c.sec, c.fsec);
        Ok(TIME)
    }
    /// The number after a "j" or "t".
    fn prefixed_number(&mut self, prefix: Prefix, text: &str) -> DtResult<u32> {
        let (value, rest) = int_prefix(text)?;
        if !rest.is_empty() && !rest.starts_with('.') {
            return Err(DtError::BadFormat);
        }
        match prefix {
            Prefix::Julian => {
                self.set_julian(value)?;
                if rest.is_empty() {
                    return Ok(DATE);
                }
                self.set_time((fraction(rest)? * MICROS_PER_DAY as f64) as i64);
                Ok(DATE | TIME)
            }
            Prefix::Time => match self.number_field(text, self.fmask | DATE)? {
                TIME => Ok(TIME),
                _ => Err(DtError::BadFormat),
            },
            Prefix::Other => Err(DtError::BadFormat),
        }
    }
    /// A date in one field: numbers and a month name joined by punctuation.
    fn date_field(&mut self, text: &str) -> DtResult<u32> {
        let mut fmask = self.fmask;
        let mut tmask = 0;
        let mut parts: Vec<&str> = Vec::new();
        let mut s = text;
        while !s.is_empty() {
            s = s.trim_start_matches(|c: char| !c.is_ascii_alphanumeric());
            let first = s.bytes().next().ok_or(DtError::BadFormat)?;
            let n = if first.is_ascii_digit() {
                s.bytes().take_while(u8::is_ascii_digit).count()
            } else {
                s.bytes().take_while(u8::is_ascii_alphabetic).count()
            };
            parts.push(&s[..n]);
            // The character after a part goes, whatever it is.
            s = s.get(n + 1..).unwrap_or("");
        }
        let mut add = |fmask: &mut u32, bits: u32| -> DtResult<()> {
            if *fmask & bits != 0 {
                return Err(DtError::BadFormat);
            }
            *fmask |= bits;
            tmask |= bits;
            Ok(())
        };
        let mut text_month = false;
        for p in parts.iter().filter(|p| p.as_bytes()[0].is_ascii_alphabetic()) {
            match words::special(p) {
                Some(Word::Ignore) => {}
                Some(Word::Month(m)) => {
                    self.tm.mon = m;
                    text_month = true;
                    add(&mut fmask, MONTH)?;
                }
                _ => return Err(DtError::BadFormat),
            }
        }
        for p in parts.iter().filter(|p| p.as_bytes()[0].is_ascii_digit()) {
            let bits = self.number(p, text_month, fmask)?;
            add(&mut fmask, bits)?;
        }
        if fmask & !(DOY | TZ) & DATE != DATE || fmask & !(DOY | TZ | DATE) != 0 {
            return Err(DtError::BadFormat);
        }
        Ok(tmask)
    }
    /// A number whose meaning depends on what is known already.
    fn number(&mut self, text: &str, text_month: bool, fmask: u32) -> DtResult<u32> {
        let (val, rest) = int_prefix(text)?;
        if rest.len() == text.len() {
            return Err(DtError::BadFormat);
        }
        if rest.starts_with('.') {
            if text.len() - rest.len() > 2 {
                return self.number_field(text, fmask | DATE);
            }
            self.tm.fsec = fraction_micros(rest)?;
        } else if !rest.is_empty() {
            return Err(DtError::BadFormat);
        }
        let len = text.len();
        if len == 3 && fmask & DATE == YEAR && (1..=366).contains(&val) {
            self.yday = val;
            return Ok(DOY | MONTH | DAY);
        }
        let ymd = self.ctx.order == DateOrder::Ymd;
        const YEAR_MONTH: u32 = YEAR | MONTH;
        const MONTH_DAY: u32 = MONTH | DAY;
        let bits = match fmask & DATE {
            0 if len >= 3 || ymd => YEAR,
            0 if self.ctx.order == DateOrder::Dmy => DAY,
            0 | YEAR | DAY => MONTH,
            MONTH if text_month && (len >= 3 || ymd) => YEAR,
            MONTH => DAY,
            YEAR_MONTH => {
                if text_month && len >= 3 && self.two_digits {
                    // The first number was the day after all.
                    self.tm.mday = self.tm.year;
                    self.tm.year = val;
                    self.two_digits = false;
                    return Ok(DAY);
                }
                DAY
            }
            MONTH_DAY => YEAR,
            DATE => return self.number_field(text, fmask),
            _ => return Err(DtError::BadFormat),
        };
        match bits {
            YEAR => {
                self.tm.year = val;
                self.two_digits = len <= 2;
            }
            MONTH => self.tm.mon = val,
            _ => self.tm.mday = val,
        }
        Ok(bits)
    }
    /// A run-together date or time: `20011225`, `040506.789`.
    fn number_field(&mut self, text: &str, fmask: u32) -> DtResult<u32> {
        if !text.bytes().all(|c| c.is_ascii_digit() || c == b'.') {
            return Err(DtError::BadFormat);
        }
        let atoi = |s: &str| s.parse::<i32>().unwrap_or(if s.is_empty() { 0 } else { -1 });
        let digits = match text.find('.') {
            Some(at) => {
                self.tm.fsec = fraction_micros(&text[at..])?;
                &text[..at]
            }
            None => {
                let n = text.len();
                if fmask & DATE != DATE && n >= 6 {
                    self.tm.mday = atoi(&text[n - 2..]);
                    self.tm.mon = atoi(&text[n - 4..n - 2]);
                    self.tm.year = atoi(&text[..n - 4]);
                    self.two_digits |= n - 4 == 2;
                    return Ok(DATE);
                }
                text
            }
        };
        if fmask & TIME != TIME && matches!(digits.len(), 4 | 6) {
            self.tm.hour = atoi(&digits[..2]);
            self.tm.min = atoi(&digits[2..4]);
            self.tm.sec = atoi(&digits[4..]);
            return Ok(TIME);
        }
        Err(DtError::BadFormat)
    }
    /// A zone abbreviation; `None` when the word is none.
    fn abbreviation(&mut self, text: &str) -> Option<u32> {
        Some(match self.ctx.zone.abbreviation(text)? {
            AbbrevMeaning::Fixed(east, dst) => {
                self.tz = -east;
                if dst { DTZ | TZ } else { TZ }
            }
            AbbrevMeaning::Dynamic(zone) => {
                self.abbrev_tz = Some((zone, text.to_string()));
                DYNTZ | TZ
            }
        })
    }
    fn set_prefix(&mut self, prefix: Prefix) -> DtResult<u32> {
        if self.prefix.is_some() {
            return Err(DtError::BadFormat);
        }
        self.prefix = Some(prefix);
        Ok(0)
    }
    /// Words that mean the same in dates and times alone; `None` for the others.
    fn common_word(&mut self, word: Word) -> DtResult<Option<u32>> {
        Ok(Some(match word {
            Word::DstModifier => {
                self.tz -= 3600;
                DTZMOD | DTZ
            }
            Word::Am | Word::Pm => {
                self.pm = Some(word == Word::Pm);
                AMPM
            }
            Word::Ad | Word::Bc => {
                self.bc = word == Word::Bc;
                ADBC
            }
            Word::Unit(Unit::Julian) => self.set_prefix(Prefix::Julian)?,
            Word::Unit(_) => self.set_prefix(Prefix::Other)?,
            Word::Zulu => {
                self.set_time(0);
                self.tz = 0;
                TIME | TZ
            }
            _ => return Ok(None),
        }))
    }
    fn merge(&mut self, bits: u32) -> DtResult<()> {
        if bits & self.fmask != 0 {
            return Err(DtError::BadFormat);
        }
        self.fmask |= bits;
        Ok(())
    }
    /// Checks year, month and day, now that all are known.
    fn validate_date(&mut self) -> DtResult<()> {
        let tm = &mut self.tm;
        if self.fmask & YEAR != 0 && !self.julian {
            if self.bc {
                if tm.year <= 0 {
                    return Err(DtError::FieldOverflow);
                }
                tm.year = 1 - tm.year;
            } else if self.two_digits {
                if tm.year < 0 {
                    return Err(DtError::FieldOverflow);
                }
                if tm.year < 70 {
                    tm.year += 2000;
                } else if tm.year < 100 {
                    tm.year += 1900;
                }
            } else if tm.year <= 0 {
                return Err(DtError::FieldOverflow);
            }
        }
        if self.fmask & DOY != 0 {
            (tm.year, tm.mon, tm.mday) = j2date(date2j(tm.year, 1, 1) + self.yday as i64 - 1);
        }
        if self.fmask & MONTH != 0 && !(1..=12).contains(&tm.mon) {
            return Err(DtError::MdFieldOverflow);
        }
        if self.fmask & DAY != 0 && !(1..=31).contains(&tm.mday) {
            return Err(DtError::MdFieldOverflow);
        }
        if self.fmask & DATE == DATE && tm.mday > days_in_month(tm.year, tm.mon) {
            return Err(DtError::FieldOverflow);
        }
        Ok(())
    }
    fn apply_meridian(&mut self) -> DtResult<()> {
        if let Some(pm) = self.pm {
            if self.tm.hour > 12 {
                return Err(DtError::FieldOverflow);
            }
            if !pm && self.tm.hour == 12 {
                self.tm.hour = 0;
            } else if pm && self.tm.hour != 12 {
                self.tm.hour += 12;
            }
        }
        Ok(())
    }
}

/// Decodes a date or timestamp. `with_tz` says whether a zone may appear at all.
pub fn decode_datetime(fields: &[Field], ctx: &Context<'_>) -> DtResult<Decoded> {
    let mut st = State::new(ctx);
    for f in fields {
        let bits = match f.kind {
            Kind::Date => datetime_date(&mut st, &f.text)?,
            Kind::Time => {
                if st.prefix.take().is_some_and(|p| p != Prefix::Time) {
                    return Err(DtError::BadFormat);
                }
                let bits = st.clock(&f.text)?;
                if time_overflows(&st.tm) {
                    return Err(DtError::FieldOverflow);
                }
                bits
            }
            Kind::Zone => {
                st.tz = decode_timezone(&f.text)?;
                TZ
            }
            Kind::Number => datetime_number(&mut st, &f.text)?,
            Kind::Word | Kind::Special => match datetime_word(&mut st, &f.text)? {
                Some(bits) => bits,
                None => continue,
            },
        };
        st.merge(bits)?;
    }
    if st.prefix.is_some() {
        return Err(DtError::BadFormat);
    }
    if let Some(s) = st.special {
        return Ok(s);
    }
    st.validate_date()?;
    st.apply_meridian()?;
    if !st.has(DATE) {
        return Err(DtError::BadFormat);
    }
    let modified = st.fmask & DTZMOD != 0;
    if let Some(zone) = &st.named_tz {
        if modified {
            return Err(DtError::BadFormat);
        }
        st.tz = zone.offset_of_local(&st.tm);
    }
    if let Some((zone, abbrev)) = &st.abbrev_tz {
        if modified {
            return Err(DtError::BadFormat);
        }
        st.tz = zone.offset_of_abbrev(&st.tm, abbrev);
    }
    if st.fmask & TZ == 0 {
        if modified {
            return Err(DtError::BadFormat);
        }
        st.tz = ctx.zone.offset_of_local(&st.tm);
    }
    Ok(Decoded::Time(st.tm, st.tz))
}

fn datetime_date(st: &mut State<'_>, text: &str) -> DtResult<u32> {
    if st.prefix == Some(Prefix::Julian) {
        let (day, rest) = int_prefix(text)?;
        st.set_julian(day)?;
        st.tz = decode_timezone(rest)?;
        st.prefix = None;
        return Ok(DATE | TIME | TZ);
    }
    if st.prefix.is_some() || st.has(MONTH | DAY) {
        if text.as_bytes()[0].is_ascii_digit() || st.prefix.is_some() {
            if st.prefix.take().is_some_and(|p| p != Prefix::Time) {
                return Err(DtError::BadFormat);
            }
            return st.joined_time_zone(text, st.fmask);
        }
        return st.zone_name(text);
    }
    st.date_field(text)
}

fn datetime_number(st: &mut State<'_>, text: &str) -> DtResult<u32> {
    if let Some(prefix) = st.prefix.take() {
        return st.prefixed_number(prefix, text);
    }
    let point = text.find('.');
    match point {
        Some(_) if st.fmask & DATE == 0 => st.date_field(text),
        Some(at) if at > 2 => st.number_field(text, st.fmask),
        _ if text.len() >= 6 && (st.fmask & DATE == 0 || st.fmask & TIME == 0) => {
            st.number_field(text, st.fmask)
        }
        _ => st.number(text, st.text_month, st.fmask),
    }
}

/// `None` for words to skip.
fn datetime_word(st: &mut State<'_>, text: &str) -> DtResult<Option<u32>> {
    if let Some(bits) = st.abbreviation(text) {
        return Ok(Some(bits));
    }
    let Some(word) = words::special(text) else {
        let Some(zone) = TimeZone::lookup(text) else { return Err(DtError::BadFormat) };
        st.named_tz = Some(zone);
        return Ok(Some(TZ));
    };
    if let Some(bits) = st.common_word(word)? {
        if matches!(word, Word::Zulu) {
            st.special = None;
        }
        return Ok(Some(bits));
    }
    Ok(Some(match word {
        Word::Ignore => return Ok(None),
        Word::Now => {
            (st.tm, st.tz) = st.ctx.current();
            DATE | TIME | TZ
        }
        Word::Today | Word::Tomorrow | Word::Yesterday => {
            let shift = match word {
                Word::Tomorrow => 1,
                Word::Yesterday => -1,
                _ => 0,
            };
            let now = st.ctx.current().0;
            (st.tm.year, st.tm.mon, st.tm.mday) = j2date(now.julian() + shift);
            DATE
        }
        Word::Epoch => {
            st.special = Some(Decoded::Epoch);
            DATE | TIME | TZ
        }
        Word::Infinity => {
            st.special = Some(Decoded::Infinity);
            DATE | TIME | TZ
        }
        Word::NegInfinity => {
            st.special = Some(Decoded::NegInfinity);
            DATE | TIME | TZ
        }
        Word::Month(m) => {
            let mut bits = MONTH;
            if st.has(MONTH) && !st.text_month && st.fmask & DAY == 0 && (1..=31).contains(&st.tm.mon) {
                // The number taken for the month was the day.
                st.tm.mday = st.tm.mon;
                bits = DAY;
            }
            st.text_month = true;
            st.tm.mon = m;
            bits
        }
        Word::Dow(_) => DOW,
        Word::IsoTime => {
            if !st.has(DATE) {
                return Err(DtError::BadFormat);
            }
            st.set_prefix(Prefix::Time)?
        }
        _ => return Err(DtError::BadFormat),
    }))
}

/// Decodes a time of day; returns it with its offset (seconds west).
pub fn decode_time(fields: &[Field], ctx: &Context<'_>) -> DtResult<(Tm, i32)> {
    let mut st = State::new(ctx);
    let last_is_date = fields.last().is_some_and(|f| f.kind == Kind::Date);
    let date_first = fields.len() >= 2 && (last_is_date || fields[1].kind == Kind::Time);
    for (i, f) in fields.iter().enumerate() {
        let bits = match f.kind {
            Kind::Date if i == 0 && date_first => st.date_field(&f.text)?,
            Kind::Date if f.text.as_bytes()[0].is_ascii_digit() => {
                st.joined_time_zone(&f.text, st.fmask | DATE)?
            }
            Kind::Date => st.zone_name(&f.text)?,
            Kind::Time => {
                if st.prefix.take().is_some_and(|p| p != Prefix::Time) {
                    return Err(DtError::BadFormat);
                }
                st.clock(&f.text)?
            }
            Kind::Zone => {
                st.tz = decode_timezone(&f.text)?;
                TZ
            }
            Kind::Number => {
                let text = &f.text;
                if let Some(prefix) = st.prefix.take() {
                    st.prefixed_number(prefix, text)?
                } else {
                    match text.find('.') {
                        Some(_) if i == 0 && fields.len() >= 2 && last_is_date => st.date_field(text)?,
                        Some(at) if at > 2 => st.number_field(text, st.fmask | DATE)?,
                        Some(_) => return Err(DtError::BadFormat),
                        None if text.len() > 4 => st.number_field(text, st.fmask | DATE)?,
                        None => st.number(text, false, st.fmask | DATE)?,
                    }
                }
            }
            Kind::Word | Kind::Special => match time_word(&mut st, &f.text)? {
                Some(bits) => bits,
                None => continue,
            },
        };
        st.merge(bits)?;
    }
    if st.prefix.is_some() {
        return Err(DtError::BadFormat);
    }
    st.validate_date()?;
    st.apply_meridian()?;
    if time_overflows(&st.tm) {
        return Err(DtError::FieldOverflow);
    }
    if !st.has(TIME) {
        return Err(DtError::BadFormat);
    }
    time_zone(&mut st)?;
    Ok((st.tm, st.tz))
}

/// `None` for words to skip.
fn time_word(st: &mut State<'_>, text: &str) -> DtResult<Option<u32>> {
    if let Some(bits) = st.abbreviation(text) {
        return Ok(Some(bits));
    }
    let Some(word) = words::special(text) else {
        let Some(zone) = TimeZone::lookup(text) else { return Err(DtError::BadFormat) };
        st.named_tz = Some(zone);
        return Ok(Some(TZ));
    };
    if let Some(bits) = st.common_word(word)? {
        return Ok(Some(bits));
    }
    Ok(Some(match word {
        Word::Ignore => return Ok(None),
        Word::Now => {
            let now = st.ctx.current().0;
            (st.tm.hour, st.tm.min, st.tm.sec, st.tm.fsec) = (now.hour, now.min, now.sec, now.fsec);
            TIME
        }
        Word::IsoTime => st.set_prefix(Prefix::Time)?,
        _ => return Err(DtError::BadFormat),
    }))
}

/// Resolves the offset of a time: a named zone that changes needs a date.
fn time_zone(st: &mut State<'_>) -> DtResult<()> {
    let modified = st.fmask & DTZMOD != 0;
    let ctx = st.ctx;
    // The date to resolve daylight time by.
    let dated = |st: &State<'_>| -> DtResult<Tm> {
        if modified {
            return Err(DtError::BadFormat);
        }
        if st.fmask & DATE == 0 {
            let now = ctx.current().0;
            return Ok(Tm { year: now.year, mon: now.mon, mday: now.mday, ..st.tm });
        }
        if st.has(DATE) { Ok(st.tm) } else { Err(DtError::BadFormat) }
    };
    if let Some(zone) = st.named_tz.clone() {
        if modified {
            return Err(DtError::BadFormat);
        }
        st.tz = match zone.fixed_offset() {
            Some(east) => -east,
            None if st.has(DATE) => zone.offset_of_local(&st.tm),
            None => return Err(DtError::BadFormat),
        };
    }
    if let Some((zone, abbrev)) = st.abbrev_tz.clone() {
        st.tz = zone.offset_of_abbrev(&dated(st)?, &abbrev);
    }
    if st.fmask & TZ == 0 {
        st.tz = ctx.zone.offset_of_local(&dated(st)?);
    }
    Ok(())
}
