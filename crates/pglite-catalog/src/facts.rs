//! Facts of the server that are no catalog: settings, encodings, time zone abbreviations, key words.

use std::cmp::Ordering;
use std::sync::OnceLock;

pub use crate::generated::facts::{ENCODINGS, KEYWORDS, SETTINGS, TIMEZONE_ABBREVS};

/// One configuration parameter as `pg_settings` shows it.
#[derive(Debug)]
pub struct Setting {
    pub name: &'static str,
    pub unit: Option<&'static str>,
    pub category: &'static str,
    /// internal, postmaster, sighup, superuser-backend, backend, superuser, user.
    pub context: &'static str,
    /// bool, integer, real, string, enum.
    pub vartype: &'static str,
    pub min: Option<&'static str>,
    pub max: Option<&'static str>,
    pub enumvals: &'static [&'static str],
    pub boot: Option<&'static str>,
    /// EXPLAIN, NO_SHOW_ALL, NO_RESET, NO_RESET_ALL, NOT_IN_SAMPLE, RUNTIME_COMPUTED.
    pub flags: &'static [&'static str],
}

/// A character set encoding.
#[derive(Debug)]
pub struct Encoding {
    pub id: i32,
    pub name: &'static str,
    /// May be a database's encoding.
    pub server: bool,
    pub max_len: i32,
}

/// All settings, sorted by name.
pub fn settings() -> impl Iterator<Item = &'static Setting> {
    SETTINGS.iter().flat_map(|s| s.iter())
}

/// The setting of that name, in any case.
pub fn setting(name: &str) -> Option<&'static Setting> {
    static INDEX: OnceLock<Vec<&'static Setting>> = OnceLock::new();
    let index = INDEX.get_or_init(|| {
        let mut all: Vec<_> = settings().collect();
        all.sort_by(|a, b| compare_caseless(a.name, b.name));
        all
    });
    index.binary_search_by(|s| compare_caseless(s.name, name)).ok().map(|i| index[i])
}

fn compare_caseless(a: &str, b: &str) -> Ordering {
    a.bytes().map(|c| c.to_ascii_lowercase()).cmp(b.bytes().map(|c| c.to_ascii_lowercase()))
}

pub fn encoding(id: i32) -> Option<&'static Encoding> {
    ENCODINGS.iter().find(|e| e.id == id)
}

/// Finds an encoding by name; case and punctuation do not matter (`utf-8`, `UTF8`).
pub fn encoding_by_name(name: &str) -> Option<&'static Encoding> {
    let clean: String =
        name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_uppercase();
    let clean = match clean.as_str() {
        "UNICODE" => "UTF8",
        "ISO88591" => "LATIN1",
        "ASCII" => "SQLASCII",
        "EUCCN" | "EUCJP" | "EUCKR" | "EUCTW" => &clean,
        other => other,
    };
    ENCODINGS.iter().find(|e| {
        let n: String =
            e.name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_uppercase();
        n == clean
    })
}

/// `U` unreserved, `C` column name, `T` type or function name, `R` reserved; `None` for no key word.
pub fn keyword_category(word: &str) -> Option<u8> {
    KEYWORDS.binary_search_by(|k| k.0.cmp(word)).ok().map(|i| KEYWORDS[i].1)
}
