//! Calendar arithmetic: Julian day numbers, the broken-down time [`Tm`], weeks.

use super::{MICROS_PER_DAY, MICROS_PER_HOUR, MICROS_PER_MINUTE, MICROS_PER_SEC};

/// Julian day of 2000-01-01, day 0 of the date types.
pub const EPOCH_JDATE: i64 = 2_451_545;
/// Julian day of 1970-01-01.
pub const UNIX_EPOCH_JDATE: i64 = 2_440_588;

/// Days since 1970-01-01 of a proleptic Gregorian date. Year 0 is 1 BC.
pub fn days_from_civil(year: i64, month: i32, day: i32) -> i64 {
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let yoe = y.rem_euclid(400);
    let mp = (month as i64 + 9) % 12;
    let doy = (153 * mp + 2) / 5 + day as i64 - 1;
    era * 146_097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719_468
}

/// Year, month and day of a day since 1970-01-01.
pub fn civil_from_days(days: i64) -> (i64, i32, i32) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let day = (doy - (153 * mp + 2) / 5 + 1) as i32;
    let month = (if mp < 10 { mp + 3 } else { mp - 9 }) as i32;
    (yoe + era * 400 + (month <= 2) as i64, month, day)
}

pub fn year_of_unix_day(day: i64) -> i64 {
    civil_from_days(day).0
}

/// Julian day number of a date.
pub fn date2j(year: i32, month: i32, day: i32) -> i64 {
    days_from_civil(year as i64, month, day) + UNIX_EPOCH_JDATE
}

/// Date of a Julian day number.
pub fn j2date(j: i64) -> (i32, i32, i32) {
    let (y, m, d) = civil_from_days(j - UNIX_EPOCH_JDATE);
    (y as i32, m, d)
}

/// Weekday of a Julian day, Sunday = 0.
pub fn j2day(j: i64) -> i32 {
    (j + 1).rem_euclid(7) as i32
}

pub fn is_leap(year: i32) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

pub fn days_in_month(year: i32, month: i32) -> i32 {
    match month {
        2 => 28 + is_leap(year) as i32,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Whether a date is within what Julian days can count here: 4714-11-24 BC to 5874898-06-03.
pub fn is_valid_julian(year: i32, month: i32) -> bool {
    (year > -4713 || (year == -4713 && month >= 11)) && (year < 5_874_898 || (year == 5_874_898 && month < 6))
}

/// Broken-down time. `year` counts 1 BC as 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tm {
    pub year: i32,
    pub mon: i32,
    pub mday: i32,
    pub hour: i32,
    pub min: i32,
    pub sec: i32,
    /// Microseconds.
    pub fsec: i32,
}

impl Tm {
    /// Splits a finite timestamp (microseconds since 2000-01-01, local).
    pub fn from_timestamp(ts: i64) -> Tm {
        let day = ts.div_euclid(MICROS_PER_DAY);
        let mut tm = Tm::from_time(ts.rem_euclid(MICROS_PER_DAY));
        (tm.year, tm.mon, tm.mday) = j2date(day + EPOCH_JDATE);
        tm
    }
    /// Splits a time of day.
    pub fn from_time(t: i64) -> Tm {
        Tm {
            hour: (t / MICROS_PER_HOUR) as i32,
            min: (t / MICROS_PER_MINUTE % 60) as i32,
            sec: (t / MICROS_PER_SEC % 60) as i32,
            fsec: (t % MICROS_PER_SEC) as i32,
            ..Tm::default()
        }
    }
    pub fn time(&self) -> i64 {
        self.hour as i64 * MICROS_PER_HOUR
            + self.min as i64 * MICROS_PER_MINUTE
            + self.sec as i64 * MICROS_PER_SEC
            + self.fsec as i64
    }
    pub fn julian(&self) -> i64 {
        date2j(self.year, self.mon, self.mday)
    }
    /// Microseconds since 2000-01-01 with `west` seconds added; `None` outside the timestamp range.
    pub fn to_timestamp(&self, west: i32) -> Option<i64> {
        if !is_valid_julian(self.year, self.mon) {
            return None;
        }
        let v = (self.julian() - EPOCH_JDATE) as i128 * MICROS_PER_DAY as i128
            + self.time() as i128
            + west as i128 * MICROS_PER_SEC as i128;
        i64::try_from(v).ok().filter(|&v| super::is_valid_timestamp(v))
    }
    /// Seconds since 1970-01-01, reading the fields as UTC.
    pub fn unix_seconds(&self) -> i64 {
        (self.julian() - UNIX_EPOCH_JDATE) * 86_400
            + self.hour as i64 * 3600
            + self.min as i64 * 60
            + self.sec as i64
    }
}

/// Julian day of the Monday of ISO week 1 of the ISO year.
pub fn iso_week1(year: i32) -> i64 {
    let day4 = date2j(year, 1, 4);
    day4 - (day4.rem_euclid(7))
}

/// ISO year and week of a date.
pub fn iso_year_week(year: i32, mon: i32, mday: i32) -> (i32, i32) {
    let j = date2j(year, mon, mday);
    let mut y = year;
    if j < iso_week1(y) {
        y -= 1;
    } else if j >= iso_week1(y + 1) {
        y += 1;
    }
    (y, ((j - iso_week1(y)) / 7 + 1) as i32)
}

/// Julian day of the Monday of an ISO week.
pub fn iso_week_to_julian(year: i32, week: i32) -> i64 {
    iso_week1(year) + (week as i64 - 1) * 7
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn julian_days() {
        assert_eq!(date2j(2000, 1, 1), EPOCH_JDATE);
        assert_eq!(date2j(1970, 1, 1), UNIX_EPOCH_JDATE);
        assert_eq!(date2j(-4713, 11, 24), 0);
        for j in (0..6_000_000).step_by(977) {
            let (y, m, d) = j2date(j);
            assert_eq!(date2j(y, m, d), j);
        }
        assert_eq!(j2day(EPOCH_JDATE), 6);
        assert_eq!(iso_year_week(2005, 1, 1), (2004, 53));
        assert_eq!(iso_year_week(2020, 12, 31), (2020, 53));
    }
}
