//! Compiled time zone data (TZif version 2) and POSIX rules such as `PST8PDT,M3.2.0,M11.1.0`.

use super::calendar::{days_from_civil, year_of_unix_day};

/// Local time in force from some instant on. `offset` is seconds east of UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LocalType {
    pub offset: i32,
    pub dst: bool,
    /// Index of the abbreviation in the zone's list.
    pub abbrev: u16,
}

/// A zone's history and its rule for the time after.
#[derive(Debug)]
pub struct ZoneData {
    /// Instants (unix seconds) at which the local type changes.
    transitions: Vec<(i64, u16)>,
    types: Vec<LocalType>,
    pub abbrevs: Vec<String>,
    rule: Option<Rule>,
}

#[derive(Clone, Copy, Debug)]
struct Rule {
    std: u16,
    /// Daylight type, its start and end.
    dst: Option<(u16, RuleDay, RuleDay)>,
}

#[derive(Clone, Copy, Debug)]
struct RuleDay {
    kind: DayKind,
    /// Seconds after local midnight.
    time: i32,
}

#[derive(Clone, Copy, Debug)]
enum DayKind {
    /// 1..=365, February 29 never counts.
    Julian(i32),
    /// 0..=365.
    Day(i32),
    /// Month, week 1..=5 (5 is the last), weekday.
    Month(i32, i32, i32),
}

impl ZoneData {
    /// Parses the bytes of a TZif file; `None` when they are damaged.
    pub fn parse(data: &[u8]) -> Option<ZoneData> {
        let v1 = Header::parse(data)?;
        let rest = data.get(44 + v1.body(4)..)?;
        let h = Header::parse(rest)?;
        let body = rest.get(44..)?;
        let be = |at: usize| {
            body.get(at..at + 8).map(|b| i64::from_be_bytes([b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7]]))
        };
        let mut at = h.times * 8;
        let index = body.get(at..at + h.times)?;
        let mut transitions = Vec::with_capacity(h.times);
        for (i, &ty) in index.iter().enumerate() {
            transitions.push((be(i * 8)?, ty as u16));
        }
        at += h.times;
        let infos = body.get(at..at + h.types * 6)?;
        at += h.types * 6;
        let chars = body.get(at..at + h.chars)?;
        at = h.body(8);
        let mut zone = ZoneData { transitions, types: Vec::new(), abbrevs: Vec::new(), rule: None };
        for t in infos.chunks_exact(6) {
            let name = chars.get(t[5] as usize..)?.split(|&c| c == 0).next()?;
            let abbrev = zone.abbrev(std::str::from_utf8(name).ok()?);
            zone.types.push(LocalType {
                offset: i32::from_be_bytes([t[0], t[1], t[2], t[3]]),
                dst: t[4] != 0,
                abbrev,
            });
        }
        let footer = body.get(at..)?;
        let text = footer.strip_prefix(b"\n").and_then(|f| f.split(|&c| c == b'\n').next()).unwrap_or(b"");
        if let Ok(text) = std::str::from_utf8(text)
            && !text.is_empty()
        {
            zone.add_rule(text)?;
        }
        Some(zone)
    }
    /// A zone from a POSIX `TZ` string alone.
    pub fn posix(spec: &str) -> Option<ZoneData> {
        let mut zone =
            ZoneData { transitions: Vec::new(), types: Vec::new(), abbrevs: Vec::new(), rule: None };
        zone.add_rule(spec)?;
        Some(zone)
    }
    fn abbrev(&mut self, name: &str) -> u16 {
        if let Some(i) = self.abbrevs.iter().position(|a| a == name) {
            return i as u16;
        }
        self.abbrevs.push(name.to_string());
        self.abbrevs.len() as u16 - 1
    }
    fn add_rule(&mut self, spec: &str) -> Option<()> {
        let mut s = spec;
        let std_name = posix_name(&mut s)?;
        let std_offset = -posix_offset(&mut s)?;
        let abbrev = self.abbrev(&std_name);
        let std = self.add_type(LocalType { offset: std_offset, dst: false, abbrev });
        if s.is_empty() {
            self.rule = Some(Rule { std, dst: None });
            return Some(());
        }
        let dst_name = posix_name(&mut s)?;
        let dst_offset =
            if s.is_empty() || s.starts_with(',') { std_offset + 3600 } else { -posix_offset(&mut s)? };
        let abbrev = self.abbrev(&dst_name);
        let dst = self.add_type(LocalType { offset: dst_offset, dst: true, abbrev });
        if s.is_empty() {
            s = ",M3.2.0,M11.1.0";
        }
        let start = rule_day(&mut s)?;
        let end = rule_day(&mut s)?;
        self.rule = Some(Rule { std, dst: Some((dst, start, end)) });
        s.is_empty().then_some(())
    }
    fn add_type(&mut self, t: LocalType) -> u16 {
        if let Some(i) = self.types.iter().position(|x| *x == t) {
            return i as u16;
        }
        self.types.push(t);
        self.types.len() as u16 - 1
    }
    /// The local type in force at a unix instant.
    pub fn at(&self, unix: i64) -> LocalType {
        self.types[self.type_at(unix) as usize]
    }
    fn type_at(&self, unix: i64) -> u16 {
        match self.transitions.last() {
            Some(&(last, _)) if unix < last => {
                let i = self.transitions.partition_point(|t| t.0 <= unix);
                if i == 0 { self.initial() } else { self.transitions[i - 1].1 }
            }
            last => match &self.rule {
                Some(rule) => self.rule_type(rule, unix),
                None => last.map_or(self.initial(), |t| t.1),
            },
        }
    }
    fn initial(&self) -> u16 {
        0
    }
    fn rule_type(&self, rule: &Rule, unix: i64) -> u16 {
        let Some((dst, ..)) = rule.dst else { return rule.std };
        let year = year_of_unix_day(unix.div_euclid(86_400));
        let mut current = rule.std;
        let mut best = i64::MIN;
        for y in year - 1..=year + 1 {
            for (t, ty) in self.rule_transitions(rule, dst, y) {
                if t <= unix && t >= best {
                    best = t;
                    current = ty;
                }
            }
        }
        current
    }
    /// The instants of one year at which daylight time begins and ends.
    fn rule_transitions(&self, rule: &Rule, dst: u16, year: i64) -> [(i64, u16); 2] {
        let Some((_, start, end)) = rule.dst else { return [(i64::MAX, 0); 2] };
        let off = |t: u16| self.types[t as usize].offset as i64;
        let begin = start.unix(year) - off(rule.std);
        let finish = end.unix(year) - off(dst);
        [(begin, dst), (finish, rule.std)]
    }
    /// The first transition after `unix`: its instant, and the types before and after.
    pub fn next_transition(&self, unix: i64) -> Option<(i64, LocalType, LocalType)> {
        let i = self.transitions.partition_point(|t| t.0 <= unix);
        let found = match self.transitions.get(i) {
            Some(&(t, ty)) => (t, ty),
            None => {
                let rule = self.rule.as_ref()?;
                let (dst, ..) = rule.dst?;
                let year = year_of_unix_day(unix.div_euclid(86_400));
                let floor = self.transitions.last().map_or(i64::MIN, |t| t.0).max(unix);
                (year - 1..=year + 1)
                    .flat_map(|y| self.rule_transitions(rule, dst, y))
                    .filter(|t| t.0 > floor)
                    .min_by_key(|t| t.0)?
            }
        };
        Some((found.0, self.at(found.0 - 1), self.types[found.1 as usize]))
    }
    /// The only offset ever used, if the zone never changed.
    pub fn fixed_offset(&self) -> Option<i32> {
        let dst = self.rule.as_ref().is_some_and(|r| r.dst.is_some());
        let same = self.types.windows(2).all(|w| w[0].offset == w[1].offset);
        (same && !dst).then(|| self.types.first().map(|t| t.offset))?
    }
    /// All local types known by an abbreviation (any case).
    pub fn types_named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = LocalType> + 'a {
        self.types.iter().copied().filter(move |t| self.abbrevs[t.abbrev as usize].eq_ignore_ascii_case(name))
    }
    /// The type an abbreviation meant at or most recently before `unix`, else at its first use after.
    pub fn interpret_abbrev(&self, name: &str, unix: i64) -> Option<LocalType> {
        let is = |t: &LocalType| self.abbrevs[t.abbrev as usize].eq_ignore_ascii_case(name);
        let now = self.at(unix);
        if is(&now) {
            return Some(now);
        }
        let i = self.transitions.partition_point(|t| t.0 <= unix);
        let past_table = i == self.transitions.len();
        let ty = |x: &(i64, u16)| self.types[x.1 as usize];
        if past_table && let Some(Rule { std, dst: Some((d, ..)) }) = &self.rule {
            for t in [std, d] {
                let t = self.types[*t as usize];
                if is(&t) {
                    return Some(t);
                }
            }
        }
        let first = self.types.first().copied();
        self.transitions[..i]
            .iter()
            .rev()
            .map(ty)
            .chain(first)
            .find(is)
            .or_else(|| self.transitions[i..].iter().map(ty).find(is))
            .or_else(|| self.types_named(name).next())
    }
}

struct Header {
    isut: usize,
    isstd: usize,
    leaps: usize,
    times: usize,
    types: usize,
    chars: usize,
}

impl Header {
    fn parse(data: &[u8]) -> Option<Header> {
        if data.len() < 44 || &data[..4] != b"TZif" {
            return None;
        }
        let n = |i: usize| {
            let at = 20 + i * 4;
            u32::from_be_bytes([data[at], data[at + 1], data[at + 2], data[at + 3]]) as usize
        };
        Some(Header { isut: n(0), isstd: n(1), leaps: n(2), times: n(3), types: n(4), chars: n(5) })
    }
    fn body(&self, time: usize) -> usize {
        self.times * (time + 1)
            + self.types * 6
            + self.chars
            + self.leaps * (time + 4)
            + self.isstd
            + self.isut
    }
}

fn posix_name(s: &mut &str) -> Option<String> {
    if let Some(rest) = s.strip_prefix('<') {
        let (name, rest) = rest.split_once('>')?;
        *s = rest;
        return Some(name.to_string());
    }
    let n = s.bytes().take_while(|c| c.is_ascii_alphabetic()).count();
    if n < 1 {
        return None;
    }
    let name = s[..n].to_string();
    *s = &s[n..];
    Some(name)
}

fn number(s: &mut &str) -> Option<i32> {
    let n = s.bytes().take_while(u8::is_ascii_digit).count();
    let v = s.get(..n)?.parse().ok()?;
    *s = &s[n..];
    Some(v)
}

/// `[+-]hh[:mm[:ss]]` in seconds.
fn posix_offset(s: &mut &str) -> Option<i32> {
    let neg = s.starts_with('-');
    if neg || s.starts_with('+') {
        *s = &s[1..];
    }
    let mut v = number(s)?.checked_mul(3600)?;
    for unit in [60, 1] {
        match s.strip_prefix(':') {
            Some(rest) => {
                *s = rest;
                v = v.checked_add(number(s)?.checked_mul(unit)?)?;
            }
            None => break,
        }
    }
    if v.abs() > 167 * 3600 + 3599 {
        return None;
    }
    Some(if neg { -v } else { v })
}

fn rule_day(s: &mut &str) -> Option<RuleDay> {
    *s = s.strip_prefix(',')?;
    let kind = if let Some(rest) = s.strip_prefix('M') {
        *s = rest;
        let m = number(s)?;
        *s = s.strip_prefix('.')?;
        let w = number(s)?;
        *s = s.strip_prefix('.')?;
        DayKind::Month(m, w, number(s)?)
    } else if let Some(rest) = s.strip_prefix('J') {
        *s = rest;
        DayKind::Julian(number(s)?)
    } else {
        DayKind::Day(number(s)?)
    };
    let mut time = 2 * 3600;
    if let Some(rest) = s.strip_prefix('/') {
        *s = rest;
        time = posix_offset(s)?;
    }
    Some(RuleDay { kind, time })
}

impl RuleDay {
    /// The local instant in `year`, as if local time were UTC.
    fn unix(&self, year: i64) -> i64 {
        let jan1 = days_from_civil(year, 1, 1);
        let day = match self.kind {
            DayKind::Day(d) => jan1 + d as i64,
            DayKind::Julian(d) => {
                let leap = days_from_civil(year, 3, 1) - jan1 == 60;
                jan1 + d as i64 - 1 + (leap && d >= 60) as i64
            }
            DayKind::Month(m, w, wd) => {
                let first = days_from_civil(year, m, 1);
                let next =
                    if m == 12 { days_from_civil(year + 1, 1, 1) } else { days_from_civil(year, m + 1, 1) };
                // 1970-01-01 was a Thursday.
                let weekday = (first + 4).rem_euclid(7);
                let mut d = first + (wd as i64 - weekday).rem_euclid(7) + (w as i64 - 1) * 7;
                while d >= next {
                    d -= 7;
                }
                d
            }
        };
        day * 86_400 + self.time as i64
    }
}
