//! Date and time types: values, text input and output, calendar and zone arithmetic.

pub mod abbrevs;
pub mod arith;
pub mod calendar;
mod decode;
mod decode_interval;
mod encode;
pub mod fields;
mod interval_ops;
mod lex;
pub mod settings;
mod trunc;
mod tzif;
pub mod words;
pub mod zone;

use pglite_error::{PgError, PgResult, bail, err};

pub use arith::*;
pub use calendar::Tm;
pub use encode::{encode_date, encode_interval, encode_time, encode_timestamp, encode_timezone};
pub use fields::{interval_part, part_date, part_time, part_timestamp, part_timestamptz, part_timetz};
pub use interval_ops::*;
pub use trunc::{date_bin, interval_trunc, timestamp_trunc, timestamptz_trunc};
pub use zone::TimeZone;

use crate::io::IoSettings;
use crate::typmod::{INTERVAL_FULL_RANGE, interval_mask as im, interval_parts};
use crate::{TypeEnv, typmod::round_micros};
use decode::{Context, Decoded, DtError};

pub const MICROS_PER_SEC: i64 = 1_000_000;
pub const MICROS_PER_MINUTE: i64 = 60_000_000;
pub const MICROS_PER_HOUR: i64 = 3_600_000_000;
pub const MICROS_PER_DAY: i64 = 86_400_000_000;
/// 2000-01-01 in unix seconds.
pub const UNIX_EPOCH_SECS: i64 = 946_684_800;
/// Days from 2000-01-01 back to 1970-01-01.
pub const UNIX_EPOCH_DAY: i32 = -10_957;

pub const DATE_INFINITY: i32 = i32::MAX;
pub const DATE_NEG_INFINITY: i32 = i32::MIN;
pub const TIMESTAMP_INFINITY: i64 = i64::MAX;
pub const TIMESTAMP_NEG_INFINITY: i64 = i64::MIN;

const MIN_TIMESTAMP: i64 = -211_813_488_000_000_000;
const END_TIMESTAMP: i64 = 9_223_371_331_200_000_000;
const MIN_DATE: i64 = -calendar::EPOCH_JDATE;
const END_DATE: i64 = 2_147_483_494 - calendar::EPOCH_JDATE;

/// Whether a finite timestamp lies within the type's range.
pub fn is_valid_timestamp(ts: i64) -> bool {
    (MIN_TIMESTAMP..END_TIMESTAMP).contains(&ts)
}

/// Whether a finite date lies within the type's range.
pub fn is_valid_date(date: i64) -> bool {
    (MIN_DATE..END_DATE).contains(&date)
}

pub fn is_finite_timestamp(ts: i64) -> bool {
    ts != i64::MIN && ts != i64::MAX
}

pub fn is_finite_date(date: i32) -> bool {
    date != i32::MIN && date != i32::MAX
}

/// Calendar months, days and microseconds, kept apart as PostgreSQL does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Interval {
    pub months: i32,
    pub days: i32,
    pub micros: i64,
}

/// Time of day with a UTC offset. `zone` counts seconds *west* of UTC, as PostgreSQL stores it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeTz {
    pub micros: i64,
    pub zone: i32,
}

/// First half of the setting `DateStyle`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum DateStyle {
    #[default]
    Iso,
    Sql,
    Postgres,
    German,
}

/// Second half of the setting `DateStyle`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum DateOrder {
    #[default]
    Mdy,
    Dmy,
    Ymd,
}

/// The setting `IntervalStyle`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum IntervalStyle {
    #[default]
    Postgres,
    PostgresVerbose,
    SqlStandard,
    Iso8601,
}

impl Interval {
    pub const INFINITY: Interval = Interval { months: i32::MAX, days: i32::MAX, micros: i64::MAX };
    pub const NEG_INFINITY: Interval = Interval { months: i32::MIN, days: i32::MIN, micros: i64::MIN };

    pub fn is_finite(&self) -> bool {
        *self != Interval::INFINITY && *self != Interval::NEG_INFINITY
    }
    /// The value intervals compare by: microseconds, with months of 30 days and days of 24 hours.
    pub fn cmp_value(&self) -> i128 {
        (self.months as i128 * 30 + self.days as i128) * MICROS_PER_DAY as i128 + self.micros as i128
    }
}

impl Ord for TimeTz {
    /// By the instant in UTC, then by zone.
    fn cmp(&self, other: &TimeTz) -> std::cmp::Ordering {
        let utc = |t: &TimeTz| t.micros + t.zone as i64 * MICROS_PER_SEC;
        utc(self).cmp(&utc(other)).then(self.zone.cmp(&other.zone))
    }
}

impl PartialOrd for TimeTz {
    fn partial_cmp(&self, other: &TimeTz) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// `timestamp out of range`.
pub fn timestamp_range() -> PgError {
    err!(DATETIME_VALUE_OUT_OF_RANGE, "timestamp out of range")
}

/// `interval out of range`.
pub fn interval_range() -> PgError {
    err!(DATETIME_VALUE_OUT_OF_RANGE, "interval out of range")
}

/// `date out of range`-like errors of a conversion to `what`.
pub fn out_of_range(what: &str) -> PgError {
    err!(DATETIME_VALUE_OUT_OF_RANGE, "{what} out of range")
}

fn context<'a>(env: &dyn TypeEnv, settings: &'a IoSettings) -> Context<'a> {
    Context { order: settings.date_order, zone: &settings.timezone, now: env.transaction_timestamp() }
}

pub fn date_in(env: &dyn TypeEnv, s: &str) -> PgResult<i32> {
    let fail = |e: DtError| e.into_pg(s, "date");
    let fields = lex::split(s, 154).map_err(fail)?;
    let tm = match decode::decode_datetime(&fields, &context(env, env.settings())).map_err(fail)? {
        Decoded::Epoch => return Ok(UNIX_EPOCH_DAY),
        Decoded::Infinity => return Ok(DATE_INFINITY),
        Decoded::NegInfinity => return Ok(DATE_NEG_INFINITY),
        Decoded::Time(tm, _) => tm,
    };
    if !calendar::is_valid_julian(tm.year, tm.mon) {
        bail!(DATETIME_VALUE_OUT_OF_RANGE, "date out of range: \"{s}\"");
    }
    let day = tm.julian() - calendar::EPOCH_JDATE;
    if !is_valid_date(day) {
        bail!(DATETIME_VALUE_OUT_OF_RANGE, "date out of range: \"{s}\"");
    }
    Ok(day as i32)
}

fn timestamp_any(env: &dyn TypeEnv, s: &str, tz: bool, typmod: i32) -> PgResult<i64> {
    let name = if tz { "timestamp with time zone" } else { "timestamp" };
    let fail = |e: DtError| e.into_pg(s, name);
    let fields = lex::split(s, 153).map_err(fail)?;
    let v = match decode::decode_datetime(&fields, &context(env, env.settings())).map_err(fail)? {
        Decoded::Epoch => -UNIX_EPOCH_SECS * MICROS_PER_SEC,
        Decoded::Infinity => return Ok(TIMESTAMP_INFINITY),
        Decoded::NegInfinity => return Ok(TIMESTAMP_NEG_INFINITY),
        Decoded::Time(tm, west) => match tm.to_timestamp(if tz { west } else { 0 }) {
            Some(v) => v,
            None => bail!(DATETIME_VALUE_OUT_OF_RANGE, "timestamp out of range: \"{s}\""),
        },
    };
    Ok(round_timestamp(v, typmod))
}

pub fn timestamp_in(env: &dyn TypeEnv, s: &str, typmod: i32) -> PgResult<i64> {
    timestamp_any(env, s, false, typmod)
}

pub fn timestamptz_in(env: &dyn TypeEnv, s: &str, typmod: i32) -> PgResult<i64> {
    timestamp_any(env, s, true, typmod)
}

pub fn time_in(env: &dyn TypeEnv, s: &str, typmod: i32) -> PgResult<i64> {
    let fail = |e: DtError| e.into_pg(s, "time");
    let fields = lex::split(s, 153).map_err(fail)?;
    let (tm, _) = decode::decode_time(&fields, &context(env, env.settings())).map_err(fail)?;
    Ok(round_micros(tm.time(), typmod))
}

pub fn timetz_in(env: &dyn TypeEnv, s: &str, typmod: i32) -> PgResult<TimeTz> {
    let fail = |e: DtError| e.into_pg(s, "time with time zone");
    let fields = lex::split(s, 153).map_err(fail)?;
    let (tm, zone) = decode::decode_time(&fields, &context(env, env.settings())).map_err(fail)?;
    Ok(TimeTz { micros: round_micros(tm.time(), typmod), zone })
}

/// Interval input under a style and typmod.
pub fn interval_in(s: &str, style: IntervalStyle, typmod: i32) -> PgResult<Interval> {
    use decode_interval::DecodedInterval as D;
    let (range, _) = interval_parts(typmod);
    let sql = style == IntervalStyle::SqlStandard;
    let decoded = lex::split(s, 256)
        .and_then(|fields| decode_interval::decode_interval(&fields, range, sql))
        .or_else(|e| match e {
            DtError::BadFormat => decode_interval::decode_iso8601(s),
            e => Err(e),
        })
        .map_err(|e| match e {
            DtError::FieldOverflow => DtError::IntervalOverflow.into_pg(s, "interval"),
            e => e.into_pg(s, "interval"),
        })?;
    let v = match decoded {
        D::Infinity => Interval::INFINITY,
        D::NegInfinity => Interval::NEG_INFINITY,
        D::Value(Some(v)) => v,
        D::Value(None) => return Err(interval_range()),
    };
    apply_interval_typmod(v, typmod)
}

/// Rounds a finite timestamp to `precision` decimals of a second.
pub fn round_timestamp(v: i64, precision: i32) -> i64 {
    if is_finite_timestamp(v) { round_micros(v, precision) } else { v }
}

/// Applies an interval's field restriction and precision.
pub fn apply_interval_typmod(mut v: Interval, typmod: i32) -> PgResult<Interval> {
    if typmod < 0 || !v.is_finite() {
        return Ok(v);
    }
    let (range, precision) = interval_parts(typmod);
    if range != INTERVAL_FULL_RANGE {
        let low = |mask: i32| range & mask != 0;
        if low(im::SECOND) {
            // Everything is kept.
        } else if low(im::MINUTE) {
            v.micros = v.micros / MICROS_PER_MINUTE * MICROS_PER_MINUTE;
        } else if low(im::HOUR) {
            v.micros = v.micros / MICROS_PER_HOUR * MICROS_PER_HOUR;
        } else if low(im::DAY) {
            v.micros = 0;
        } else {
            v.days = 0;
            v.micros = 0;
            if !low(im::MONTH) {
                v.months = v.months / 12 * 12;
            }
        }
    }
    if let Some(p) = precision.filter(|p| (0..6).contains(p)) {
        let unit = 10i64.pow(6 - p as u32);
        let half = if v.micros >= 0 { unit / 2 } else { -unit / 2 };
        let sum = v.micros.checked_add(half).ok_or_else(interval_range)?;
        v.micros = sum - sum % unit;
    }
    Ok(v)
}

pub fn date_out(date: i32, s: &IoSettings, out: &mut String) {
    match date {
        DATE_INFINITY => out.push_str("infinity"),
        DATE_NEG_INFINITY => out.push_str("-infinity"),
        _ => {
            let (year, mon, mday) = calendar::j2date(date as i64 + calendar::EPOCH_JDATE);
            encode_date(&Tm { year, mon, mday, ..Tm::default() }, s.date_style, s.date_order, out);
        }
    }
}

/// Prints infinities; `true` when it did.
fn timestamp_special(ts: i64, out: &mut String) -> bool {
    match ts {
        TIMESTAMP_INFINITY => out.push_str("infinity"),
        TIMESTAMP_NEG_INFINITY => out.push_str("-infinity"),
        _ => return false,
    }
    true
}

pub fn timestamp_out(ts: i64, s: &IoSettings, out: &mut String) {
    if !timestamp_special(ts, out) {
        encode_timestamp(&Tm::from_timestamp(ts), None, s.date_style, s.date_order, out);
    }
}

pub fn timestamptz_out(ts: i64, s: &IoSettings, out: &mut String) {
    if !timestamp_special(ts, out) {
        let info = s.timezone.at_timestamp(ts);
        let tm = Tm::from_timestamp(ts + info.offset as i64 * MICROS_PER_SEC);
        encode_timestamp(&tm, Some((-info.offset, info.abbrev)), s.date_style, s.date_order, out);
    }
}

pub fn time_out(t: i64, out: &mut String) {
    encode_time(&Tm::from_time(t), None, out);
}

pub fn timetz_out(t: TimeTz, out: &mut String) {
    encode_time(&Tm::from_time(t.micros), Some(t.zone), out);
}

pub fn interval_out(v: &Interval, style: IntervalStyle, out: &mut String) {
    if v.is_finite() {
        encode_interval(v, style, out);
    } else {
        out.push_str(if *v == Interval::INFINITY { "infinity" } else { "-infinity" });
    }
}

/// `+hh[:mm[:ss]]`: seconds west of UTC, for `AT TIME ZONE` and the setting `TimeZone`.
pub fn parse_offset(s: &str) -> Option<i32> {
    decode::decode_timezone(s).ok()
}
