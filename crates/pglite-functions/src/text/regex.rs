//! Regular expressions: `~` and its brothers, regexp_* functions, substring from pattern.
//!
//! Patterns are PostgreSQL's advanced regular expressions, translated by [`translate`] for the matching crate. One known
//! difference remains: among alternatives the first that matches wins, where PostgreSQL takes the longest.

pub mod functions;
pub mod translate;

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use pglite_error::{PgResult, bail, err};

pub use translate::Flags;

/// A compiled pattern.
pub struct Compiled {
    regex: fancy_regex::Regex,
    /// Number of capturing groups.
    pub groups: usize,
}

/// Byte ranges of a match: the whole, then the groups.
pub type Spans = Vec<Option<(usize, usize)>>;

const CACHE_SIZE: usize = 128;

thread_local! {
    static CACHE: RefCell<HashMap<(String, Flags), Rc<Compiled>>> = RefCell::new(HashMap::new());
}

/// Compiles a pattern, or finds it among the recent ones.
pub fn compile(pattern: &str, flags: Flags) -> PgResult<Rc<Compiled>> {
    let key = (pattern.to_string(), flags);
    if let Some(hit) = CACHE.with_borrow(|c| c.get(&key).cloned()) {
        return Ok(hit);
    }
    let text = translate::translate(pattern, flags)?;
    let regex = fancy_regex::Regex::new(&text).map_err(|e| {
        err!(INVALID_REGULAR_EXPRESSION, "invalid regular expression: {}", e.to_string().replace('\n', " "))
    })?;
    let groups = regex.captures_len().saturating_sub(1);
    let made = Rc::new(Compiled { regex, groups });
    CACHE.with_borrow_mut(|c| {
        if c.len() >= CACHE_SIZE {
            c.clear();
        }
        c.insert(key, made.clone());
    });
    Ok(made)
}

impl Compiled {
    pub fn is_match(&self, s: &str) -> PgResult<bool> {
        match self.regex.is_match(s) {
            Ok(v) => Ok(v),
            Err(e) => bail!(INVALID_REGULAR_EXPRESSION, "regular expression failed: {e}"),
        }
    }
    /// The first match at or after byte `from`.
    pub fn find(&self, s: &str, from: usize) -> PgResult<Option<Spans>> {
        match self.regex.captures_from_pos(s, from) {
            Ok(None) => Ok(None),
            Ok(Some(caps)) => {
                Ok(Some((0..caps.len()).map(|i| caps.get(i).map(|m| (m.start(), m.end()))).collect()))
            }
            Err(e) => bail!(INVALID_REGULAR_EXPRESSION, "regular expression failed: {e}"),
        }
    }
    /// All matches from byte `from` on. `degenerate` = false drops empty matches at the ends and next to others.
    pub fn find_all(&self, s: &str, from: usize, global: bool, degenerate: bool) -> PgResult<Vec<Spans>> {
        let mut out = Vec::new();
        let (mut at, mut last_end) = (from, 0);
        while at <= s.len() {
            let Some(spans) = self.find(s, at)? else { break };
            let (start, end) = spans.first().copied().flatten().unwrap_or((at, at));
            if degenerate || (start < s.len() && end > last_end) {
                out.push(spans);
                last_end = end;
                if !global {
                    break;
                }
            }
            at = if end > start { end } else { end + s[end..].chars().next().map_or(1, char::len_utf8) };
        }
        Ok(out)
    }
}
