//! Type names in text (`regtype`, arguments of `regprocedure`): the SQL spellings, modifiers, arrays.

use pglite_error::{PgResult, bail};
use pglite_types::Oid;
use pglite_types::typmod::typmod_in;

use crate::names::{split_identifiers, split_schema};
use crate::search_path::SearchPath;
use crate::snapshot::Snapshot;

/// A type name in parts; the name is the catalog's (`int4` for `integer`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypeText {
    pub names: Vec<String>,
    pub modifiers: Vec<String>,
    pub is_array: bool,
}

/// SQL spellings of more than a word, longest first, and one-word names that differ from the catalog's.
const SPELLINGS: &[(&str, &str)] = &[
    ("timestamp with time zone", "timestamptz"),
    ("timestamp without time zone", "timestamp"),
    ("time with time zone", "timetz"),
    ("time without time zone", "time"),
    ("national character varying", "varchar"),
    ("national char varying", "varchar"),
    ("national character", "bpchar"),
    ("national char", "bpchar"),
    ("nchar varying", "varchar"),
    ("nchar", "bpchar"),
    ("character varying", "varchar"),
    ("char varying", "varchar"),
    ("character", "bpchar"),
    ("char", "bpchar"),
    ("double precision", "float8"),
    ("bit varying", "varbit"),
    ("smallint", "int2"),
    ("integer", "int4"),
    ("int", "int4"),
    ("bigint", "int8"),
    ("real", "float4"),
    ("decimal", "numeric"),
    ("dec", "numeric"),
    ("boolean", "bool"),
    ("time", "time"),
    ("timestamp", "timestamp"),
];

fn invalid<T>(text: &str) -> PgResult<T> {
    bail!(SYNTAX_ERROR, "invalid type name \"{text}\"")
}

/// Takes a type name apart.
pub fn parse_type_text(text: &str) -> PgResult<TypeText> {
    let mut rest = text.trim().to_string();
    let mut is_array = false;
    loop {
        let trimmed = rest.trim_end();
        if let Some(head) = trimmed.strip_suffix(']') {
            let Some(open) = head.rfind('[') else { return invalid(text) };
            if !head[open + 1..].trim().bytes().all(|b| b.is_ascii_digit()) {
                return invalid(text);
            }
            rest = head[..open].to_string();
            is_array = true;
            continue;
        }
        let n = trimmed.len();
        if n > 6 && trimmed.is_char_boundary(n - 6) && trimmed[n - 6..].eq_ignore_ascii_case(" array") {
            rest = trimmed[..n - 6].to_string();
            is_array = true;
            continue;
        }
        break;
    }
    let mut modifiers = Vec::new();
    if let (Some(open), Some(close)) = (rest.find('('), rest.rfind(')'))
        && open < close
        && !rest[..open].contains('"')
    {
        modifiers =
            rest[open + 1..close].split(',').map(|m| m.trim().trim_matches('\'').to_string()).collect();
        rest = format!("{} {}", &rest[..open], &rest[close + 1..]);
    }
    let words = rest.split_whitespace().collect::<Vec<_>>().join(" ");
    if words.is_empty() {
        return invalid(text);
    }
    let folded = words.to_ascii_lowercase();
    let spelled = SPELLINGS.iter().find(|(s, _)| *s == folded).map(|(_, n)| n.to_string());
    let mut names = match spelled {
        Some(name) => vec!["pg_catalog".to_string(), name],
        None if folded == "float" => {
            let small = modifiers.first().and_then(|m| m.parse::<u32>().ok()).is_some_and(|p| p <= 24);
            modifiers.clear();
            vec!["pg_catalog".to_string(), if small { "float4" } else { "float8" }.to_string()]
        }
        None if folded == "interval" || folded.starts_with("interval ") => {
            vec!["pg_catalog".to_string(), "interval".to_string()]
        }
        None => match split_identifiers(&words, '.') {
            Some(names) => names,
            None => return invalid(text),
        },
    };
    if matches!(folded.as_str(), "char" | "character" | "nchar" | "bit") && modifiers.is_empty() {
        modifiers.push("1".into());
    }
    if folded == "bit" {
        names = vec!["pg_catalog".into(), "bit".into()];
    }
    Ok(TypeText { names, modifiers, is_array })
}

/// The type and its modifier that a text names.
pub fn resolve_type_text(s: &Snapshot, path: &SearchPath, text: &str) -> PgResult<(Oid, i32)> {
    let t = parse_type_text(text)?;
    let parts: Vec<&str> = t.names.iter().map(String::as_str).collect();
    let database = s.database_by_oid(s.database()).map_or("", |d| &*d.datname);
    let (schema, name) = split_schema(&parts, database)?;
    let Some(row) = path.type_opt(s, schema, name)? else {
        bail!(UNDEFINED_OBJECT, "type \"{}\" does not exist", text.trim())
    };
    if !row.typisdefined {
        bail!(UNDEFINED_OBJECT, "type \"{}\" is only a shell", text.trim());
    }
    let modifiers: Vec<&str> = t.modifiers.iter().map(String::as_str).collect();
    let typmod = if modifiers.is_empty() { -1 } else { typmod_in(row.oid, &modifiers)? };
    if !t.is_array {
        return Ok((row.oid, typmod));
    }
    match row.typarray.valid() {
        Some(array) => Ok((array, typmod)),
        None => bail!(UNDEFINED_OBJECT, "type \"{}\" does not exist", text.trim()),
    }
}
