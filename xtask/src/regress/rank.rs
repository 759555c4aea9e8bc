//! `--rank`: what is missing, ordered by the statements it would unlock.
//!
//! Every differing statement gets one cause. An error of ours that PostgreSQL does not raise is its own cause, with the
//! values in it blanked; an error about a name that an earlier statement should have made (or rows that differ because a
//! table was never filled) is charged to that statement's cause, so a cascade counts for its first failure.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::score::Miss;
use super::split::Split;

pub struct Cause {
    pub text: String,
    pub statements: usize,
    pub files: BTreeSet<String>,
    /// `file: statement` of the first one.
    pub example: String,
}

/// Collects causes over the files, in schedule order.
#[derive(Default)]
pub struct Rank {
    causes: BTreeMap<String, Cause>,
    /// A name whose making failed -> why.
    broken: HashMap<String, String>,
    /// The last error of the file that PostgreSQL does not raise.
    last: String,
    /// The last statement of the file that psql came to.
    reached: String,
}

impl Rank {
    pub fn add_file(&mut self, file: &str, split: &Split, misses: &[Miss]) {
        self.last = "an error before it".into();
        self.reached = "its start".into();
        let mut wrong = misses.iter().peekable();
        for (index, unit) in split.units.iter().enumerate() {
            let words = words(&unit.text);
            if wrong.peek().is_none_or(|m| m.unit != index) {
                if let Some(name) = made(&words) {
                    self.broken.remove(&name);
                }
                self.reached = one_line(&unit.text, 60);
                continue;
            }
            let Some(miss) = wrong.next() else { continue };
            if miss.got.is_some() {
                self.reached = one_line(&unit.text, 60);
            }
            let cause = self.cause(file, &unit.text, &words, miss);
            for name in made(&words).into_iter().chain(changed(&words)) {
                self.broken.entry(name).or_insert_with(|| cause.clone());
            }
            let entry = self.causes.entry(cause.clone()).or_insert_with(|| Cause {
                text: cause,
                statements: 0,
                files: BTreeSet::new(),
                example: format!("{file}: {}", one_line(&unit.text, 100)),
            });
            entry.statements += 1;
            entry.files.insert(file.to_string());
        }
    }

    /// Most statements first.
    pub fn finish(self) -> Vec<Cause> {
        let mut causes: Vec<Cause> = self.causes.into_values().collect();
        causes.sort_by(|a, b| b.statements.cmp(&a.statements).then_with(|| a.text.cmp(&b.text)));
        causes
    }

    fn cause(&mut self, file: &str, text: &str, words: &[String], miss: &Miss) -> String {
        let Some(got) = &miss.got else {
            return format!("not reached in {file}, after: {}", self.reached);
        };
        let got = String::from_utf8_lossy(got);
        let expected = miss.expected.as_deref().map(String::from_utf8_lossy).unwrap_or_default();
        let wanted: Vec<&str> = errors(&expected).collect();
        if let Some(lost) = got.lines().find(|l| is_loss(l)) {
            return format!("{lost} ({file}: {})", one_line(text, 60));
        }
        if let Some(error) = errors(&got).find(|e| !wanted.contains(e)) {
            if error.starts_with("current transaction is aborted") {
                return self.last.clone();
            }
            let cause = self.blamed(error).unwrap_or_else(|| match wanted.first() {
                Some(w) if error.starts_with(w.split(' ').next().unwrap_or(w)) => {
                    format!("other words: {}", blank(w))
                }
                _ => normal(error),
            });
            self.last.clone_from(&cause);
            return cause;
        }
        if let Some(missing) = wanted.iter().find(|w| errors(&got).all(|e| e != **w)) {
            return self.touched(words).unwrap_or_else(|| format!("not raised: {}", blank(missing)));
        }
        self.touched(words).unwrap_or_else(|| kind_of_difference(text, words, &expected, &got))
    }

    /// The cause behind the name that an error complains of.
    fn blamed(&self, error: &str) -> Option<String> {
        if !error.contains("does not exist") && !error.contains("unrecognized") {
            return None;
        }
        words_of(error).filter_map(|w| self.broken.get(&w)).next().cloned()
    }

    /// The cause behind a name in the statement: rows differ because a table was not filled.
    fn touched(&self, words: &[String]) -> Option<String> {
        words.iter().filter_map(|w| self.broken.get(w)).next().cloned()
    }
}

fn errors(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter_map(|l| l.split_once("ERROR:  ").map(|(_, message)| message))
}

fn is_loss(line: &str) -> bool {
    ["server closed the connection", "connection to server was lost", "FATAL:  "]
        .iter()
        .any(|l| line.contains(l))
}

/// How a statement without a telling error differs.
fn kind_of_difference(text: &str, words: &[String], expected: &str, got: &str) -> String {
    let first = words.first().map(String::as_str).unwrap_or("");
    if let Some(command) = text.strip_prefix('\\') {
        return format!("output of \\{}", command.split_whitespace().next().unwrap_or(""));
    }
    if first == "explain" {
        return "EXPLAIN shows another plan".into();
    }
    let notices = |t: &str| -> Vec<String> {
        t.lines()
            .filter(|l| l.contains("NOTICE:  ") || l.contains("WARNING:  "))
            .map(str::to_string)
            .collect()
    };
    let (wanted, printed) = (notices(expected), notices(got));
    if let Some(line) = wanted.iter().find(|l| !printed.contains(l)) {
        return format!("not said: {}", blank(line));
    }
    if let Some(line) = printed.iter().find(|l| !wanted.contains(l)) {
        return format!("said needlessly: {}", blank(line));
    }
    if let Some(error) = errors(expected).next() {
        return format!("position, detail, hint or context of: {}", blank(error));
    }
    let sorted = |t: &str| {
        let mut lines: Vec<String> = t.lines().map(str::to_string).collect();
        lines.sort();
        lines
    };
    if sorted(expected) == sorted(got) {
        return format!("{first}: rows in another order");
    }
    let rows = |t: &str| t.lines().find(|l| l.starts_with('(') && l.contains(" row")).map(str::to_string);
    if rows(expected) != rows(got) {
        return format!("{first}: another number of rows");
    }
    format!("{first}: other values")
}

/// An error without the values that differ from place to place; names that say what is missing stay.
fn normal(error: &str) -> String {
    if let Some(rest) = error.strip_prefix("function ")
        && rest.ends_with("does not exist")
        && let Some((name, _)) = rest.split_once('(')
    {
        return format!("function {name}() does not exist");
    }
    let telling = ["not supported", "not implemented", "does not exist", "syntax error", "unrecognized"];
    if telling.iter().any(|t| error.contains(t)) { error.to_string() } else { blank(error) }
}

/// Blanks quoted texts and numbers.
fn blank(text: &str) -> String {
    let mut out = String::new();
    let mut quoted = false;
    for c in text.chars() {
        if c == '"' {
            quoted = !quoted;
            out.push_str(if quoted { "\"..." } else { "\"" });
        } else if !quoted && !(c.is_ascii_digit() && out.ends_with('N')) {
            out.push(if c.is_ascii_digit() { 'N' } else { c });
        }
    }
    out
}

fn one_line(text: &str, limit: usize) -> String {
    let flat = text.lines().map(|l| l.split("--").next().unwrap_or("")).collect::<Vec<_>>().join(" ");
    let flat = flat.split_whitespace().collect::<Vec<_>>().join(" ");
    flat.chars().take(limit).collect()
}

/// Lower-case words of a statement, comments left out, schema names dropped.
fn words(text: &str) -> Vec<String> {
    let plain: Vec<&str> = text.lines().map(|l| l.split("--").next().unwrap_or("")).collect();
    words_of(&plain.join(" ")).collect()
}

fn words_of(text: &str) -> impl Iterator<Item = String> {
    let lower = text.to_lowercase();
    let parts: Vec<String> = lower
        .split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '.'))
        .filter_map(|w| w.rsplit('.').next().filter(|w| !w.is_empty()).map(str::to_string))
        .collect();
    parts.into_iter()
}

/// Words between a command's verb and the name it makes or changes.
const FILLERS: &[&str] = &[
    "or",
    "replace",
    "temp",
    "temporary",
    "unlogged",
    "local",
    "global",
    "unique",
    "recursive",
    "if",
    "not",
    "exists",
    "foreign",
    "materialized",
    "constraint",
    "event",
    "only",
    "concurrently",
    "table",
    "view",
    "index",
    "sequence",
    "type",
    "domain",
    "function",
    "procedure",
    "aggregate",
    "schema",
    "role",
    "user",
    "group",
    "trigger",
    "rule",
    "policy",
    "publication",
    "subscription",
    "collation",
    "extension",
    "statistics",
    "server",
    "language",
    "access",
    "method",
    "conversion",
    "operator",
    "class",
    "family",
    "text",
    "search",
    "configuration",
    "dictionary",
    "parser",
    "template",
    "trusted",
    "procedural",
    "default",
    "database",
    "tablespace",
    "into",
    "from",
];

fn name_after(words: &[String], verbs: usize) -> Option<String> {
    words.iter().skip(verbs).find(|w| !FILLERS.contains(&w.as_str())).cloned()
}

/// The name a statement makes.
fn made(words: &[String]) -> Option<String> {
    match words.first().map(String::as_str) {
        Some("create" | "prepare" | "declare") => name_after(words, 1),
        Some("select") => {
            let into = words.iter().position(|w| w == "into")?;
            name_after(words, into + 1)
        }
        _ => None,
    }
}

/// The name a statement changes.
fn changed(words: &[String]) -> Option<String> {
    match words.first().map(String::as_str) {
        Some("insert" | "copy" | "alter" | "update" | "delete" | "merge" | "truncate") => {
            name_after(words, 1)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::score::score;
    use super::super::split::split;
    use super::*;

    #[test]
    fn a_cascade_counts_for_its_first_cause() {
        let sql = b"create table s.t (a box3);\ninsert into t values (1);\nselect * from t;\nselect 1/0;\nselect f(1);\n";
        let want = b"create table s.t (a box3);\ninsert into t values (1);\nselect * from t;\n 1\nselect 1/0;\nERROR:  division by zero\nselect f(1);\n 1\n";
        let got = b"create table s.t (a box3);\nERROR:  type \"box3\" does not exist\ninsert into t values (1);\nERROR:  relation \"t\" does not exist\nselect * from t;\nERROR:  relation \"t\" does not exist\nselect 1/0;\n 7\nselect f(1);\nERROR:  function f(integer) does not exist\n";
        let split = split(sql);
        let mut rank = Rank::default();
        rank.add_file("x", &split, &score(&split, got, &[want.to_vec()]).misses);
        let causes = rank.finish();
        let seen: Vec<(&str, usize)> = causes.iter().map(|c| (c.text.as_str(), c.statements)).collect();
        let wanted = [
            ("type \"box3\" does not exist", 3),
            ("function f() does not exist", 1),
            ("not raised: division by zero", 1),
        ];
        assert_eq!(seen, wanted);
    }

    #[test]
    fn values_are_blanked() {
        assert_eq!(blank("value \"12\" is 345 wide"), "value \"...\" is N wide");
    }
}
