//! Composite values.

use std::sync::Arc;

use crate::io::AttrDesc;
use crate::{Datum, Oid, oid};

/// A row value. `type_oid` is the named composite type, or RECORD for an anonymous row described by `attrs`.
#[derive(Clone, Debug)]
pub struct RecordValue {
    pub type_oid: Oid,
    pub typmod: i32,
    pub attrs: Arc<[AttrDesc]>,
    pub values: Vec<Datum>,
}

impl RecordValue {
    pub fn anonymous(attrs: Arc<[AttrDesc]>, values: Vec<Datum>) -> RecordValue {
        RecordValue { type_oid: oid::RECORD, typmod: -1, attrs, values }
    }
    /// The position of the live attribute `name`.
    pub fn attr(&self, name: &str) -> Option<usize> {
        self.attrs.iter().position(|a| !a.dropped && &*a.name == name)
    }
}

use pglite_error::{PgError, PgResult, codes};

use crate::text::scalar::is_space;
use crate::text::{text_in, text_out};
use crate::{TypeDesc, TypeEnv};

/// Input of a composite type.
pub fn record_in(env: &dyn TypeEnv, desc: &TypeDesc, s: &str) -> PgResult<RecordValue> {
    if desc.oid == oid::RECORD {
        return Err(PgError::unsupported("input of anonymous composite types is not implemented"));
    }
    let bad = |detail: &str| {
        PgError::new(codes::INVALID_TEXT_REPRESENTATION, format!("malformed record literal: \"{s}\""))
            .detail(detail)
    };
    let b = s.as_bytes();
    let mut i = b.iter().take_while(|&&c| is_space(c)).count();
    if b.get(i) != Some(&b'(') {
        return Err(bad("Missing left parenthesis."));
    }
    i += 1;
    let mut values = Vec::with_capacity(desc.attrs.len());
    let mut first = true;
    let mut field = String::new();
    for a in desc.attrs.iter() {
        if a.dropped {
            values.push(Datum::Null);
            continue;
        }
        if !first {
            if b.get(i) != Some(&b',') {
                return Err(bad("Too few columns."));
            }
            i += 1;
        }
        first = false;
        if matches!(b.get(i), Some(b',' | b')')) {
            values.push(crate::text::null_in(env, a.type_oid)?);
            continue;
        }
        i = read_field(s, i, &mut field).ok_or_else(|| bad("Unexpected end of input."))?;
        values.push(text_in(env, a.type_oid, a.typmod, &field)?);
    }
    if b.get(i) != Some(&b')') {
        return Err(bad("Too many columns."));
    }
    if b[i + 1..].iter().any(|&c| !is_space(c)) {
        return Err(bad("Junk after right parenthesis."));
    }
    Ok(RecordValue { type_oid: desc.oid, typmod: -1, attrs: desc.attrs.clone(), values })
}

/// Reads one field up to `,` or `)`; returns where it ended, `None` at the end of the text.
fn read_field(s: &str, mut i: usize, field: &mut String) -> Option<usize> {
    let b = s.as_bytes();
    field.clear();
    let mut quoted = false;
    loop {
        let c = *b.get(i)?;
        if !quoted && (c == b',' || c == b')') {
            return Some(i);
        }
        match c {
            b'\\' => {
                let c = s[i + 1..].chars().next()?;
                field.push(c);
                i += 1 + c.len_utf8();
            }
            b'"' if !quoted => {
                quoted = true;
                i += 1;
            }
            b'"' if b.get(i + 1) == Some(&b'"') => {
                field.push('"');
                i += 2;
            }
            b'"' => {
                quoted = false;
                i += 1;
            }
            _ => {
                let c = s[i..].chars().next()?;
                field.push(c);
                i += c.len_utf8();
            }
        }
    }
}

/// Output of a row value.
pub fn record_out(env: &dyn TypeEnv, r: &RecordValue, out: &mut String) -> PgResult<()> {
    out.push('(');
    let mut first = true;
    let mut tmp = String::new();
    for (a, v) in r.attrs.iter().zip(&r.values) {
        if a.dropped {
            continue;
        }
        if !first {
            out.push(',');
        }
        first = false;
        if v.is_null() {
            continue;
        }
        tmp.clear();
        text_out(env, a.type_oid, v, &mut tmp)?;
        let quote = tmp.is_empty()
            || tmp.bytes().any(|c| matches!(c, b'"' | b'\\' | b'(' | b')' | b',') || is_space(c));
        if !quote {
            out.push_str(&tmp);
            continue;
        }
        out.push('"');
        for c in tmp.chars() {
            if c == '"' || c == '\\' {
                out.push(c);
            }
            out.push(c);
        }
        out.push('"');
    }
    out.push(')');
    Ok(())
}
