//! Selectivity of LIKE, starts-with and regular expression matches.

use pglite_types::{Datum, Oid};

use super::stats::VarData;
use super::{DEFAULT_MATCH, clamp, eq_sel, histogram_fraction};
use crate::cat::SelKind;
use crate::types::{Glob, Root};

/// The literal text a LIKE pattern starts with, and whether that is all of it.
pub(crate) fn like_prefix(pattern: &str) -> (String, bool) {
    let mut out = String::new();
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        match c {
            '%' | '_' => return (out, false),
            '\\' => match chars.next() {
                Some(c) => out.push(c),
                None => return (out, true),
            },
            c => out.push(c),
        }
    }
    (out, true)
}

/// The literal prefix of an anchored regular expression.
pub(crate) fn regex_prefix(pattern: &str) -> (String, bool) {
    let Some(rest) = pattern.strip_prefix('^') else { return (String::new(), false) };
    let mut out = String::new();
    if rest.contains('|') {
        return (String::new(), false);
    }
    let chars: Vec<char> = rest.chars().collect();
    let mut i = 0;
    while i < chars.len() {
        let c = chars[i];
        if c == '$' && i + 1 == chars.len() {
            return (out, true);
        }
        if !(c.is_alphanumeric()
            || matches!(
                c,
                ' ' | '_' | '-' | '/' | ',' | ':' | ';' | '@' | '%' | '&' | '<' | '>' | '=' | '\'' | '"'
            ))
        {
            if c == '\\' && i + 1 < chars.len() && !chars[i + 1].is_alphanumeric() {
                i += 1;
            } else {
                return (out, false);
            }
        }
        let literal = chars[i];
        match chars.get(i + 1) {
            Some('*' | '?' | '{') => return (out, false),
            Some('+') => {
                out.push(literal);
                return (out, false);
            }
            _ => out.push(literal),
        }
        i += 1;
    }
    (out, false)
}

fn rest_selectivity(pattern: &str) -> f64 {
    let mut sel: f64 = 1.0;
    let mut chars = pattern.chars().skip_while(|c| matches!(c, '%' | '_'));
    while let Some(c) = chars.next() {
        match c {
            '%' => sel *= 5.0,
            '_' => sel *= 0.9,
            '\\' => {
                if chars.next().is_none() {
                    break;
                }
                sel *= 0.2;
            }
            _ => sel *= 0.2,
        }
    }
    sel.min(1.0)
}

/// The text after all that starts with `prefix`, in byte order.
pub(crate) fn next_prefix(prefix: &str) -> Option<String> {
    let mut chars: Vec<char> = prefix.chars().collect();
    while let Some(last) = chars.pop() {
        let mut next = last as u32 + 1;
        if (0xD800..0xE000).contains(&next) {
            next = 0xE000;
        }
        if let Some(c) = char::from_u32(next) {
            chars.push(c);
            return Some(chars.into_iter().collect());
        }
    }
    None
}

pub(crate) fn pattern_sel(
    g: &Glob<'_>,
    root: &Root,
    data: &VarData,
    op: Oid,
    kind: SelKind,
    value: Option<&Datum>,
) -> f64 {
    let Some(value) = value else { return DEFAULT_MATCH };
    if value.is_null() {
        return 0.0;
    }
    let Some(pattern) = value.as_str() else { return DEFAULT_MATCH };
    let insensitive =
        matches!(op.0, 1627 | 1628 | 1629 | 1631 | 1630 | 1632 | 1228 | 1229 | 1234 | 1235 | 1238 | 1239);
    let (prefix, exact) = match kind {
        _ if insensitive => (String::new(), false),
        SelKind::Regex => regex_prefix(pattern),
        SelKind::Prefix => (pattern.to_string(), false),
        _ => like_prefix(pattern),
    };
    if exact {
        return eq_sel(g, root, data, Some(&Datum::text(prefix)));
    }
    let rest = match kind {
        SelKind::Prefix => 1.0,
        SelKind::Regex => {
            0.2f64.powi((pattern.len().saturating_sub(prefix.len() + 1)).min(20) as i32).max(0.0005)
        }
        _ => {
            let skip = prefix.chars().count();
            rest_selectivity(&pattern.chars().skip(skip).collect::<String>())
        }
    };
    let prefix_sel = if prefix.is_empty() {
        1.0
    } else {
        let hist = data.stats.as_ref().map(|s| &s.histogram[..]).unwrap_or(&[]);
        let low = histogram_fraction(hist, &Datum::text(prefix.as_str()));
        let high = next_prefix(&prefix).and_then(|p| histogram_fraction(hist, &Datum::text(p)));
        match (low, high) {
            (Some(l), Some(h)) => {
                let floor = eq_sel(g, root, data, Some(&Datum::text(prefix.as_str())));
                (h - l).max(floor)
            }
            _ => DEFAULT_MATCH,
        }
    };
    let s = (prefix_sel * rest).clamp(0.0001, 0.9999);
    match &data.stats {
        Some(stats) => clamp(s * (1.0 - stats.null_frac)),
        None => clamp(s),
    }
}
