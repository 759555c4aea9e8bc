//! Quoting and splitting of identifiers, and names with a schema in text (`regclass` input and output).

use pglite_error::{PgResult, bail};

use crate::facts::keyword_category;

/// PostgreSQL's `NAMEDATALEN - 1`: longer identifiers are cut.
pub const MAX_NAME: usize = 63;

/// Whether the identifier can be written without quotes.
pub fn is_safe_identifier(ident: &str) -> bool {
    let mut bytes = ident.bytes();
    let Some(first) = bytes.next() else { return false };
    (first.is_ascii_lowercase() || first == b'_')
        && bytes.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        && matches!(keyword_category(ident), None | Some(b'U'))
}

/// `quote_ident`.
pub fn quote_ident(ident: &str) -> String {
    let mut out = String::with_capacity(ident.len() + 2);
    push_ident(&mut out, ident);
    out
}

/// Appends [`quote_ident`].
pub fn push_ident(out: &mut String, ident: &str) {
    if is_safe_identifier(ident) {
        out.push_str(ident);
        return;
    }
    out.push('"');
    for c in ident.chars() {
        if c == '"' {
            out.push('"');
        }
        out.push(c);
    }
    out.push('"');
}

/// `schema.name`, each quoted as needed.
pub fn quote_qualified(schema: Option<&str>, name: &str) -> String {
    let mut out = String::new();
    if let Some(schema) = schema {
        push_ident(&mut out, schema);
        out.push('.');
    }
    push_ident(&mut out, name);
    out
}

/// Names joined by dots without quotes, as error messages show them.
pub fn dotted(names: &[&str]) -> String {
    names.join(".")
}

/// Cuts an identifier to 63 bytes at a character boundary.
pub fn truncate_identifier(ident: &str) -> &str {
    if ident.len() <= MAX_NAME {
        return ident;
    }
    let mut end = MAX_NAME;
    while !ident.is_char_boundary(end) {
        end -= 1;
    }
    &ident[..end]
}

/// Splits `a."B c".d` at the separator, folding unquoted parts to lower case. `None` for bad syntax.
pub fn split_identifiers(text: &str, separator: char) -> Option<Vec<String>> {
    let mut out = Vec::new();
    let mut rest = text.trim();
    if rest.is_empty() {
        return Some(out);
    }
    loop {
        let mut part = String::new();
        if let Some(mut tail) = rest.strip_prefix('"') {
            loop {
                let end = tail.find('"')?;
                part.push_str(&tail[..end]);
                tail = &tail[end + 1..];
                match tail.strip_prefix('"') {
                    Some(more) => {
                        part.push('"');
                        tail = more;
                    }
                    None => break,
                }
            }
            rest = tail;
        } else {
            let end = rest.find(|c: char| c == separator || c.is_whitespace()).unwrap_or(rest.len());
            if end == 0 {
                return None;
            }
            part = rest[..end].to_lowercase();
            rest = &rest[end..];
        }
        out.push(truncate_identifier(&part).to_string());
        rest = rest.trim_start();
        if rest.is_empty() {
            return Some(out);
        }
        rest = rest.strip_prefix(separator)?.trim_start();
        if rest.is_empty() {
            return None;
        }
    }
}

/// A possibly qualified name in text, as `regclass` reads it.
pub fn parse_qualified_name(text: &str) -> PgResult<Vec<String>> {
    match split_identifiers(text, '.') {
        Some(parts) if !parts.is_empty() => Ok(parts),
        _ => bail!(INVALID_NAME, "invalid name syntax"),
    }
}

/// `(schema, name)` of a dotted name; a third part must name the current database.
pub fn split_schema<'a>(parts: &[&'a str], database: &str) -> PgResult<(Option<&'a str>, &'a str)> {
    match parts {
        [name] => Ok((None, name)),
        [schema, name] => Ok((Some(schema), name)),
        [catalog, schema, name] if *catalog == database => Ok((Some(schema), name)),
        [_, _, _] => {
            bail!(FEATURE_NOT_SUPPORTED, "cross-database references are not implemented: {}", dotted(parts))
        }
        _ => bail!(SYNTAX_ERROR, "improper qualified name (too many dotted names): {}", dotted(parts)),
    }
}

/// A single-quoted SQL literal; `E'...'` when it holds a backslash.
pub fn quote_literal(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    if text.contains('\\') {
        out.push('E');
    }
    out.push('\'');
    for c in text.chars() {
        if matches!(c, '\'' | '\\') {
            out.push(c);
        }
        out.push(c);
    }
    out.push('\'');
    out
}
