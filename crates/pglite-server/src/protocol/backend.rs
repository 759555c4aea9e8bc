//! Backend messages, appended to an output buffer. Each function writes one complete frame.

use pglite_error::{PgError, Severity};
use pglite_sql::OutColumn;
use pglite_types::Oid;

/// Starts a frame; returns the offset of its length word for [`end`].
pub fn begin(out: &mut Vec<u8>, kind: u8) -> usize {
    out.push(kind);
    out.extend_from_slice(&[0; 4]);
    out.len() - 4
}

/// Fills in a frame's length.
pub fn end(out: &mut [u8], at: usize) {
    let len = (out.len() - at) as u32;
    out[at..at + 4].copy_from_slice(&len.to_be_bytes());
}

/// Fills in a value's length word (which, unlike a frame's, does not count itself).
pub fn end_value(out: &mut [u8], at: usize) {
    let len = (out.len() - at - 4) as u32;
    out[at..at + 4].copy_from_slice(&len.to_be_bytes());
}

fn cstr(out: &mut Vec<u8>, s: &str) {
    out.extend(s.bytes().filter(|b| *b != 0));
    out.push(0);
}

fn empty(out: &mut Vec<u8>, kind: u8) {
    out.extend_from_slice(&[kind, 0, 0, 0, 4]);
}

pub fn authentication_ok(out: &mut Vec<u8>) {
    authentication(out, 0, &[]);
}

/// An authentication request of the given subtype with its data.
pub fn authentication(out: &mut Vec<u8>, subtype: u32, data: &[u8]) {
    let at = begin(out, b'R');
    out.extend_from_slice(&subtype.to_be_bytes());
    out.extend_from_slice(data);
    end(out, at);
}

pub fn parameter_status(out: &mut Vec<u8>, name: &str, value: &str) {
    let at = begin(out, b'S');
    cstr(out, name);
    cstr(out, value);
    end(out, at);
}

pub fn backend_key_data(out: &mut Vec<u8>, pid: u32, secret: &[u8]) {
    let at = begin(out, b'K');
    out.extend_from_slice(&pid.to_be_bytes());
    out.extend_from_slice(secret);
    end(out, at);
}

/// The newest minor version spoken, and protocol options not understood.
pub fn negotiate_protocol_version(out: &mut Vec<u8>, minor: u16, options: &[String]) {
    let at = begin(out, b'v');
    out.extend_from_slice(&(0x0003_0000 | u32::from(minor)).to_be_bytes());
    out.extend_from_slice(&(options.len() as u32).to_be_bytes());
    options.iter().for_each(|o| cstr(out, o));
    end(out, at);
}

/// `status`: I, T or E.
pub fn ready_for_query(out: &mut Vec<u8>, status: u8) {
    out.extend_from_slice(&[b'Z', 0, 0, 0, 5, status]);
}

pub fn parse_complete(out: &mut Vec<u8>) {
    empty(out, b'1');
}

pub fn bind_complete(out: &mut Vec<u8>) {
    empty(out, b'2');
}

pub fn close_complete(out: &mut Vec<u8>) {
    empty(out, b'3');
}

pub fn no_data(out: &mut Vec<u8>) {
    empty(out, b'n');
}

pub fn portal_suspended(out: &mut Vec<u8>) {
    empty(out, b's');
}

pub fn empty_query(out: &mut Vec<u8>) {
    empty(out, b'I');
}

pub fn copy_done(out: &mut Vec<u8>) {
    empty(out, b'c');
}

pub fn copy_data(out: &mut Vec<u8>, data: &[u8]) {
    let at = begin(out, b'd');
    out.extend_from_slice(data);
    end(out, at);
}

/// CopyInResponse ('G') or CopyOutResponse ('H').
pub fn copy_response(out: &mut Vec<u8>, kind: u8, binary: bool, columns: usize) {
    let at = begin(out, kind);
    out.push(u8::from(binary));
    out.extend_from_slice(&(columns as u16).to_be_bytes());
    (0..columns).for_each(|_| out.extend_from_slice(&u16::from(binary).to_be_bytes()));
    end(out, at);
}

pub fn command_complete(out: &mut Vec<u8>, tag: &str) {
    let at = begin(out, b'C');
    cstr(out, tag);
    end(out, at);
}

pub fn parameter_description(out: &mut Vec<u8>, types: &[Oid]) {
    let at = begin(out, b't');
    out.extend_from_slice(&(types.len() as u16).to_be_bytes());
    types.iter().for_each(|t| out.extend_from_slice(&t.0.to_be_bytes()));
    end(out, at);
}

/// `formats`: one for all, or one a column; empty = text.
pub fn row_description(out: &mut Vec<u8>, columns: &[OutColumn], formats: &[i16]) {
    let at = begin(out, b'T');
    out.extend_from_slice(&(columns.len() as u16).to_be_bytes());
    for (i, c) in columns.iter().enumerate() {
        cstr(out, &c.name);
        out.extend_from_slice(&c.table.0.to_be_bytes());
        out.extend_from_slice(&c.attno.to_be_bytes());
        out.extend_from_slice(&c.ty.0.to_be_bytes());
        out.extend_from_slice(&c.typlen.to_be_bytes());
        out.extend_from_slice(&c.typmod.to_be_bytes());
        out.extend_from_slice(&format_of(formats, i).to_be_bytes());
    }
    end(out, at);
}

/// The format code of column `i`.
pub fn format_of(formats: &[i16], i: usize) -> i16 {
    match formats {
        [] => 0,
        [all] => *all,
        each => each.get(i).copied().unwrap_or(0),
    }
}

pub fn notification(out: &mut Vec<u8>, pid: u32, channel: &str, payload: &str) {
    let at = begin(out, b'A');
    out.extend_from_slice(&pid.to_be_bytes());
    cstr(out, channel);
    cstr(out, payload);
    end(out, at);
}

/// FunctionCallResponse: NULL is None.
pub fn function_result(out: &mut Vec<u8>, value: Option<&[u8]>) {
    let at = begin(out, b'V');
    match value {
        None => out.extend_from_slice(&(-1i32).to_be_bytes()),
        Some(v) => {
            out.extend_from_slice(&(v.len() as u32).to_be_bytes());
            out.extend_from_slice(v);
        }
    }
    end(out, at);
}

/// ErrorResponse or NoticeResponse. `source`: the statement's text, to turn byte offsets into character positions.
pub fn error(out: &mut Vec<u8>, error: &PgError, source: &str) {
    let f = error.fields();
    let is_error = f.severity >= Severity::Error;
    let at = begin(out, if is_error { b'E' } else { b'N' });
    let mut field = |kind: u8, value: &str| {
        out.push(kind);
        cstr(out, value);
    };
    field(b'S', f.severity.as_str());
    field(b'V', f.severity.as_str());
    field(b'C', f.code.as_str());
    field(b'M', &f.message);
    if let Some(v) = &f.detail {
        field(b'D', v);
    }
    if let Some(v) = &f.hint {
        field(b'H', v);
    }
    if let Some(p) = f.position {
        field(b'P', &char_position(source, p).to_string());
    }
    if let Some(q) = &f.internal_query {
        if let Some(p) = f.internal_position {
            field(b'p', &char_position(q, p).to_string());
        }
        field(b'q', q);
    }
    if !f.context.is_empty() {
        field(b'W', &f.context.join("\n"));
    }
    let named =
        [(b's', &f.schema), (b't', &f.table), (b'c', &f.column), (b'd', &f.datatype), (b'n', &f.constraint)];
    for (kind, value) in named {
        if let Some(v) = value {
            field(kind, v);
        }
    }
    field(b'F', "pglitedb");
    field(b'L', "0");
    field(b'R', "pglitedb");
    out.push(0);
    end(out, at);
}

/// 1-based character position of a byte offset.
fn char_position(source: &str, offset: u32) -> usize {
    let offset = offset as usize;
    1 + source.char_indices().take_while(|(at, _)| *at < offset).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_characters() {
        assert_eq!(char_position("select 'ä' x", 11), 11);
        assert_eq!(char_position("abc", 0), 1);
    }

    #[test]
    fn frames_carry_their_length() {
        let mut out = Vec::new();
        command_complete(&mut out, "SELECT 1");
        assert_eq!(out, b"C\0\0\0\x0dSELECT 1\0");
    }
}
