//! The settings `DateStyle`, `IntervalStyle` and `TimeZone`: their values as text.

use super::{DateOrder, DateStyle, Interval, IntervalStyle, MICROS_PER_SEC, TimeZone};

impl DateStyle {
    pub fn name(self) -> &'static str {
        match self {
            DateStyle::Iso => "ISO",
            DateStyle::Sql => "SQL",
            DateStyle::Postgres => "Postgres",
            DateStyle::German => "German",
        }
    }
}

impl DateOrder {
    pub fn name(self) -> &'static str {
        match self {
            DateOrder::Mdy => "MDY",
            DateOrder::Dmy => "DMY",
            DateOrder::Ymd => "YMD",
        }
    }
}

impl IntervalStyle {
    pub fn name(self) -> &'static str {
        match self {
            IntervalStyle::Postgres => "postgres",
            IntervalStyle::PostgresVerbose => "postgres_verbose",
            IntervalStyle::SqlStandard => "sql_standard",
            IntervalStyle::Iso8601 => "iso_8601",
        }
    }
    pub fn parse(s: &str) -> Option<IntervalStyle> {
        use IntervalStyle::*;
        [Postgres, PostgresVerbose, SqlStandard, Iso8601]
            .into_iter()
            .find(|v| v.name().eq_ignore_ascii_case(s))
    }
}

/// `SHOW DateStyle`.
pub fn date_style_text(style: DateStyle, order: DateOrder) -> String {
    format!("{}, {}", style.name(), order.name())
}

/// Reads a list of style and order words on top of the current (or, for `DEFAULT`, the reset) values; `None` when a word
/// is unknown or two contradict each other.
pub fn parse_date_style(
    s: &str,
    current: (DateStyle, DateOrder),
    reset: (DateStyle, DateOrder),
) -> Option<(DateStyle, DateOrder)> {
    let (mut style, mut order): (Option<DateStyle>, Option<DateOrder>) = (None, None);
    let mut base = current;
    let mut german = false;
    for word in s.split(',').map(|w| w.trim().trim_matches(['\'', '"'])) {
        let w = word.to_ascii_lowercase();
        let (mut new_style, mut new_order) = (None, None);
        match w.as_str() {
            "iso" => new_style = Some(DateStyle::Iso),
            "sql" => new_style = Some(DateStyle::Sql),
            _ if w.starts_with("postgres") => new_style = Some(DateStyle::Postgres),
            "german" => {
                new_style = Some(DateStyle::German);
                german = true;
            }
            "ymd" => new_order = Some(DateOrder::Ymd),
            "dmy" => new_order = Some(DateOrder::Dmy),
            _ if w.starts_with("euro") => new_order = Some(DateOrder::Dmy),
            "mdy" | "us" => new_order = Some(DateOrder::Mdy),
            _ if w.starts_with("noneuro") => new_order = Some(DateOrder::Mdy),
            "default" => base = reset,
            _ => return None,
        }
        if new_style.is_some() {
            if style.is_some_and(|s| Some(s) != new_style) {
                return None;
            }
            style = new_style;
        }
        if new_order.is_some() {
            if order.is_some_and(|o| Some(o) != new_order) {
                return None;
            }
            order = new_order;
        }
    }
    // PG: German dates come day first unless the list says otherwise.
    let order = order.unwrap_or(if german { DateOrder::Dmy } else { base.1 });
    Some((style.unwrap_or(base.0), order))
}

/// Reads a value of `TimeZone`: a name, a POSIX specification, hours east of UTC, or `INTERVAL '...'`.
pub fn parse_timezone(s: &str) -> Option<TimeZone> {
    let t = s.trim();
    if let Some(rest) = t.get(..8).filter(|p| p.eq_ignore_ascii_case("interval")).map(|_| &t[8..]) {
        let text = rest.trim().strip_prefix('\'')?.strip_suffix('\'')?;
        let v = super::interval_in(text, IntervalStyle::Postgres, -1).ok()?;
        return timezone_from_interval(&v);
    }
    if let Ok(hours) = t.parse::<f64>() {
        return Some(TimeZone::fixed_west(-(hours * 3600.0) as i32));
    }
    TimeZone::lookup(t)
}

/// A fixed zone from an interval east of UTC; `None` when it has months or days.
pub fn timezone_from_interval(v: &Interval) -> Option<TimeZone> {
    (v.months == 0 && v.days == 0).then(|| TimeZone::fixed_west(-(v.micros / MICROS_PER_SEC) as i32))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn date_styles() {
        let now = (DateStyle::Iso, DateOrder::Mdy);
        let parse = |s| parse_date_style(s, now, now);
        assert_eq!(parse("Postgres, DMY"), Some((DateStyle::Postgres, DateOrder::Dmy)));
        assert_eq!(parse("german"), Some((DateStyle::German, DateOrder::Dmy)));
        assert_eq!(parse("sql, european"), Some((DateStyle::Sql, DateOrder::Dmy)));
        assert_eq!(parse("ymd"), Some((DateStyle::Iso, DateOrder::Ymd)));
        assert_eq!(parse("iso, sql"), None);
        assert_eq!(parse("bogus"), None);
    }

    #[test]
    fn zones() {
        assert_eq!(parse_timezone("-7").map(|z| z.name().to_string()).as_deref(), Some("<-07>+07"));
        assert_eq!(parse_timezone("5.5").map(|z| z.name().to_string()).as_deref(), Some("<+05:30>-05:30"));
        assert_eq!(
            parse_timezone("INTERVAL '-08:00'").map(|z| z.name().to_string()).as_deref(),
            Some("<-08>+08")
        );
        assert_eq!(
            parse_timezone("europe/berlin").map(|z| z.name().to_string()).as_deref(),
            Some("Europe/Berlin")
        );
        assert!(parse_timezone("Nowhere/City").is_none());
    }
}
