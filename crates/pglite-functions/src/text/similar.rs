//! SIMILAR TO: the pattern is rewritten into an advanced regular expression.

use pglite_error::{PgResult, err};

use super::like::bad_escape;
use crate::builtins;

/// Rewrites `pattern`; `esc` is the escape character, None for no escaping.
fn rewrite(pattern: &str, esc: Option<char>) -> PgResult<String> {
    let mut out = String::from("^(?:");
    let mut it = pattern.chars().peekable();
    let (mut separators, mut bracket, mut first_in_bracket) = (0, false, false);
    while let Some(c) = it.next() {
        if Some(c) == esc {
            let Some(next) = it.next() else {
                continue;
            };
            if next == '"' && !bracket {
                match separators {
                    0 => out.push_str("){1,1}?("),
                    1 => out.push_str("){1,1}(?:"),
                    _ => {
                        return Err(err!(
                            INVALID_USE_OF_ESCAPE_CHARACTER,
                            "SQL regular expression may not contain more than two escape-double-quote separators"
                        ));
                    }
                }
                separators += 1;
            } else {
                out.push('\\');
                out.push(next);
            }
            continue;
        }
        if bracket {
            if c == '\\' {
                out.push('\\');
            }
            out.push(c);
            let start = first_in_bracket;
            if !(start && c == '^') {
                first_in_bracket = false;
            }
            if c == ']' && !start {
                bracket = false;
            }
            continue;
        }
        match c {
            '[' => {
                out.push(c);
                (bracket, first_in_bracket) = (true, true);
            }
            '%' => out.push_str(".*"),
            '_' => out.push('.'),
            '(' => out.push_str("(?:"),
            '\\' | '.' | '^' | '$' => {
                out.push('\\');
                out.push(c);
            }
            _ => out.push(c),
        }
    }
    out.push_str(")$");
    Ok(out)
}

fn one(pattern: &str) -> PgResult<String> {
    rewrite(pattern, Some('\\'))
}
fn two(pattern: &str, esc: &str) -> PgResult<String> {
    let mut it = esc.chars();
    match (it.next(), it.next()) {
        (esc, None) => rewrite(pattern, esc),
        _ => Err(bad_escape()),
    }
}
fn lenient(pattern: Option<&str>, esc: Option<&str>) -> PgResult<Option<String>> {
    match (pattern, esc) {
        (None, _) => Ok(None),
        (Some(p), None) => one(p).map(Some),
        (Some(p), Some(e)) => two(p, e).map(Some),
    }
}

builtins! { pub TABLE:
    "similar_to_escape_1" => one[&str];
    "similar_to_escape_2" => two[&str, &str];
    "similar_escape" => lenient[Option<&str>, Option<&str>];
}
