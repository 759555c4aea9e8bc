//! The words of date, time and interval input.

/// What a word is; the numbers index the bits of the field masks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    Month(i32),
    Dow(i32),
    Am,
    Pm,
    Ad,
    Bc,
    /// Throw-away words: "at", "on", "@".
    Ignore,
    Infinity,
    NegInfinity,
    Epoch,
    Now,
    Today,
    Tomorrow,
    Yesterday,
    /// "allballs": midnight UTC.
    Zulu,
    Unit(Unit),
    /// "t" before an ISO time.
    IsoTime,
    /// "dst" after a zone.
    DstModifier,
    Ago,
}

/// A unit or field of a date, time or interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    Microsecond,
    Millisecond,
    Second,
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Quarter,
    Year,
    Decade,
    Century,
    Millennium,
    Timezone,
    TimezoneHour,
    TimezoneMinute,
    Dow,
    IsoDow,
    Doy,
    IsoYear,
    Julian,
    Epoch,
}

const KEEP: usize = 10;

fn clip(word: &str) -> &str {
    word.get(..KEEP).unwrap_or(word)
}

/// Looks up a lower-case word of date/time input; only its first ten letters count.
pub fn special(word: &str) -> Option<Word> {
    use Word::*;
    Some(match clip(word) {
        "+infinity" | "infinity" => Infinity,
        "-infinity" => NegInfinity,
        "ad" => Ad,
        "bc" => Bc,
        "allballs" => Zulu,
        "am" => Am,
        "pm" => Pm,
        "at" | "on" => Ignore,
        "epoch" => Epoch,
        "now" => Now,
        "today" => Today,
        "tomorrow" => Tomorrow,
        "yesterday" => Yesterday,
        "jan" | "january" => Month(1),
        "feb" | "february" => Month(2),
        "mar" | "march" => Month(3),
        "apr" | "april" => Month(4),
        "may" => Month(5),
        "jun" | "june" => Month(6),
        "jul" | "july" => Month(7),
        "aug" | "august" => Month(8),
        "sep" | "sept" | "september" => Month(9),
        "oct" | "october" => Month(10),
        "nov" | "november" => Month(11),
        "dec" | "december" => Month(12),
        "sun" | "sunday" => Dow(0),
        "mon" | "monday" => Dow(1),
        "tue" | "tues" | "tuesday" => Dow(2),
        "wed" | "wednesday" | "weds" => Dow(3),
        "thu" | "thur" | "thurs" | "thursday" => Dow(4),
        "fri" | "friday" => Dow(5),
        "sat" | "saturday" => Dow(6),
        "d" => Unit(self::Unit::Day),
        "dow" => Unit(self::Unit::Dow),
        "doy" => Unit(self::Unit::Doy),
        "h" => Unit(self::Unit::Hour),
        "isodow" => Unit(self::Unit::IsoDow),
        "isoyear" => Unit(self::Unit::IsoYear),
        "j" | "jd" | "julian" => Unit(self::Unit::Julian),
        "m" => Unit(self::Unit::Month),
        "mm" => Unit(self::Unit::Minute),
        "s" => Unit(self::Unit::Second),
        "y" => Unit(self::Unit::Year),
        "t" => IsoTime,
        "dst" => DstModifier,
        _ => return None,
    })
}

/// Looks up a lower-case unit of interval input and of `extract`.
pub fn unit(word: &str) -> Option<Word> {
    use self::Unit::*;
    Some(Word::Unit(match clip(word) {
        "@" => return Some(Word::Ignore),
        "ago" => return Some(Word::Ago),
        "c" | "cent" | "centuries" | "century" => Century,
        "d" | "day" | "days" => Day,
        "dec" | "decade" | "decades" | "decs" => Decade,
        "h" | "hour" | "hours" | "hr" | "hrs" => Hour,
        "m" | "min" | "mins" | "minute" | "minutes" => Minute,
        "microsecon" | "us" | "usec" | "usecond" | "useconds" | "usecs" => Microsecond,
        "mil" | "millennia" | "millennium" | "mils" => Millennium,
        "millisecon" | "ms" | "msec" | "msecond" | "mseconds" | "msecs" => Millisecond,
        "mon" | "mons" | "month" | "months" => Month,
        "qtr" | "quarter" => Quarter,
        "s" | "sec" | "second" | "seconds" | "secs" => Second,
        "timezone" => Timezone,
        "timezone_h" => TimezoneHour,
        "timezone_m" => TimezoneMinute,
        "w" | "week" | "weeks" => Week,
        "y" | "year" | "years" | "yr" | "yrs" => Year,
        _ => return None,
    }))
}

/// The field names of `extract`, `date_part` and `date_trunc`.
pub fn field(name: &str) -> Option<Unit> {
    let lower = name.to_ascii_lowercase();
    match unit(&lower) {
        Some(Word::Unit(u)) => Some(u),
        _ => match special(&lower) {
            Some(Word::Unit(u)) => Some(u),
            Some(Word::Epoch) => Some(Unit::Epoch),
            _ => None,
        },
    }
}
