//! Date/time templates, cut into fields and literal characters.

/// A field of a template, independent of its spelling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// Dotted: "A.D.".
    Era {
        dotted: bool,
    },
    /// AM/PM.
    Half {
        dotted: bool,
    },
    Century,
    DayName,
    DayAbbrev,
    DayOfYear,
    IsoDayOfYear,
    Day,
    WeekDay,
    IsoWeekDay,
    Fraction(u32),
    Exact,
    Hour24,
    Hour12,
    IsoWeek,
    /// ISO year with so many digits.
    IsoYear(usize),
    Julian,
    Minute,
    Month,
    MonthName,
    MonthAbbrev,
    Millisecond,
    Offset,
    Quarter,
    Roman,
    DaySeconds,
    Second,
    ZoneHour,
    ZoneMinute,
    Zone,
    Microsecond,
    Week,
    WeekOfMonth,
    /// Y,YYY.
    YearComma,
    Year(usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    Upper,
    Capital,
    Lower,
}

/// An occurrence of a field.
#[derive(Clone, Copy, Debug)]
pub struct Use {
    pub field: Field,
    pub name: &'static str,
    pub case: Case,
    /// FM.
    pub fill: bool,
    /// TM.
    pub local: bool,
    /// Ordinal suffix: TH or th.
    pub ordinal: Option<Case>,
}

#[derive(Clone, Copy, Debug)]
pub enum Node {
    Use(Use),
    /// A literal character; quoted ones are never separators.
    Char(char, bool),
}

use Field::*;

/// Longer spellings stand before their prefixes. Names with a capital form are listed by it.
const FIELDS: &[(&str, Field, bool)] = &[
    ("A.D.", Era { dotted: true }, false),
    ("A.M.", Half { dotted: true }, false),
    ("AD", Era { dotted: false }, false),
    ("AM", Half { dotted: false }, false),
    ("B.C.", Era { dotted: true }, false),
    ("BC", Era { dotted: false }, false),
    ("CC", Century, false),
    ("DAY", DayName, true),
    ("DDD", DayOfYear, false),
    ("DD", Day, false),
    ("DY", DayAbbrev, true),
    ("D", WeekDay, false),
    ("FF1", Fraction(1), false),
    ("FF2", Fraction(2), false),
    ("FF3", Fraction(3), false),
    ("FF4", Fraction(4), false),
    ("FF5", Fraction(5), false),
    ("FF6", Fraction(6), false),
    ("FX", Exact, false),
    ("HH24", Hour24, false),
    ("HH12", Hour12, false),
    ("HH", Hour12, false),
    ("IDDD", IsoDayOfYear, false),
    ("ID", IsoWeekDay, false),
    ("IW", IsoWeek, false),
    ("IYYY", IsoYear(4), false),
    ("IYY", IsoYear(3), false),
    ("IY", IsoYear(2), false),
    ("I", IsoYear(1), false),
    ("J", Julian, false),
    ("MI", Minute, false),
    ("MM", Month, false),
    ("MONTH", MonthName, true),
    ("MON", MonthAbbrev, true),
    ("MS", Millisecond, false),
    ("OF", Offset, false),
    ("P.M.", Half { dotted: true }, false),
    ("PM", Half { dotted: false }, false),
    ("Q", Quarter, false),
    ("RM", Roman, false),
    ("SSSSS", DaySeconds, false),
    ("SSSS", DaySeconds, false),
    ("SS", Second, false),
    ("TZH", ZoneHour, false),
    ("TZM", ZoneMinute, false),
    ("TZ", Zone, false),
    ("US", Microsecond, false),
    ("WW", Week, false),
    ("W", WeekOfMonth, false),
    ("Y,YYY", YearComma, false),
    ("YYYY", Year(4), false),
    ("YYY", Year(3), false),
    ("YY", Year(2), false),
    ("Y", Year(1), false),
];

fn spelled(s: &str, name: &str, capital: bool) -> Option<Case> {
    let head = s.get(..name.len())?;
    if !head.eq_ignore_ascii_case(name) {
        return None;
    }
    if head == name {
        return Some(Case::Upper);
    }
    if !head.bytes().any(|b| b.is_ascii_uppercase()) {
        return Some(Case::Lower);
    }
    let rest_lower = !head[1..].bytes().any(|b| b.is_ascii_uppercase());
    (capital && rest_lower && head.as_bytes()[0].is_ascii_uppercase()).then_some(Case::Capital)
}

/// Cuts a template.
pub fn parse(template: &str) -> Vec<Node> {
    let mut out = Vec::new();
    let mut s = template;
    while !s.is_empty() {
        let (mut fill, mut local) = (false, false);
        let start = s;
        loop {
            if s.starts_with("FM") || s.starts_with("fm") {
                fill = true;
            } else if s.starts_with("TM") || s.starts_with("tm") {
                local = true;
            } else if s.starts_with("SP") {
            } else {
                break;
            }
            s = &s[2..];
        }
        let hit =
            FIELDS.iter().find_map(|(name, field, cap)| spelled(s, name, *cap).map(|c| (*name, *field, c)));
        if let Some((name, field, case)) = hit {
            s = &s[name.len()..];
            let ordinal = match s.get(..2) {
                Some("TH") => Some(Case::Upper),
                Some("th") => Some(Case::Lower),
                _ => None,
            };
            if ordinal.is_some() {
                s = &s[2..];
            }
            out.push(Node::Use(Use { field, name, case, fill, local, ordinal }));
            continue;
        }
        let _ = start;
        let Some(c) = s.chars().next() else { break };
        s = &s[c.len_utf8()..];
        match c {
            '"' => {
                let mut it = s.char_indices();
                let mut end = s.len();
                while let Some((at, c)) = it.next() {
                    match c {
                        '"' => {
                            end = at + 1;
                            break;
                        }
                        '\\' => {
                            if let Some((_, c)) = it.next() {
                                out.push(Node::Char(c, true));
                            }
                        }
                        c => out.push(Node::Char(c, true)),
                    }
                }
                s = &s[end..];
            }
            '\\' if s.starts_with('"') => {
                s = &s[1..];
                out.push(Node::Char('"', true));
            }
            c => out.push(Node::Char(c, false)),
        }
    }
    out
}

/// ST, ND, RD or TH for a number's text.
pub fn ordinal(digits: &str, case: Case) -> &'static str {
    let b = digits.as_bytes();
    let last = b.last().copied().unwrap_or(b'0');
    let teen = b.len() > 1 && b[b.len() - 2] == b'1';
    let at = match last {
        b'1' if !teen => 0,
        b'2' if !teen => 1,
        b'3' if !teen => 2,
        _ => 3,
    };
    if case == Case::Lower { ["st", "nd", "rd", "th"][at] } else { ["ST", "ND", "RD", "TH"][at] }
}

pub const ROMAN_MONTHS: [&str; 12] =
    ["I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII"];
