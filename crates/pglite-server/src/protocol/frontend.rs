//! Frontend messages, decoded without copying from a complete frame's body.
//!
//! Invariant: a malformed body is a protocol violation (08P01) with PostgreSQL's text, never a panic.

use pglite_error::{PgError, PgResult, bail, codes};
use pglite_types::Oid;

/// Largest frame accepted, type byte and length word excluded (PostgreSQL: 1 GiB - 1).
pub const MAX_MESSAGE: usize = 0x3fff_ffff;
/// Largest start-up packet.
pub const MAX_STARTUP: usize = 10_000;

/// A message of the main loop. Borrowed from the input buffer.
#[derive(Debug)]
pub enum Message<'a> {
    Query(&'a str),
    Parse {
        name: &'a str,
        query: &'a str,
        types: Vec<Oid>,
    },
    Bind(Bind<'a>),
    DescribeStatement(&'a str),
    DescribePortal(&'a str),
    Execute {
        portal: &'a str,
        max_rows: i32,
    },
    CloseStatement(&'a str),
    ClosePortal(&'a str),
    FunctionCall(FunctionCall<'a>),
    Flush,
    Sync,
    Terminate,
    CopyData(&'a [u8]),
    CopyDone,
    CopyFail(&'a str),
    /// Password, SASL initial and continued responses.
    Auth(&'a [u8]),
}

#[derive(Debug)]
pub struct Bind<'a> {
    pub portal: &'a str,
    pub statement: &'a str,
    pub param_formats: Vec<i16>,
    pub params: Vec<Option<&'a [u8]>>,
    pub result_formats: Vec<i16>,
}

#[derive(Debug)]
pub struct FunctionCall<'a> {
    pub function: Oid,
    pub arg_formats: Vec<i16>,
    pub args: Vec<Option<&'a [u8]>>,
    pub result_format: i16,
}

fn violation(message: impl Into<String>) -> PgError {
    PgError::new(codes::PROTOCOL_VIOLATION, message)
}

/// A reader over one message body.
pub struct Body<'a> {
    rest: &'a [u8],
}

impl<'a> Body<'a> {
    pub fn new(rest: &'a [u8]) -> Body<'a> {
        Body { rest }
    }
    pub fn bytes(&mut self, n: usize) -> PgResult<&'a [u8]> {
        if self.rest.len() < n {
            return Err(violation("insufficient data left in message"));
        }
        let (head, tail) = self.rest.split_at(n);
        self.rest = tail;
        Ok(head)
    }
    pub fn u8(&mut self) -> PgResult<u8> {
        Ok(self.bytes(1)?[0])
    }
    pub fn i16(&mut self) -> PgResult<i16> {
        let b = self.bytes(2)?;
        Ok(i16::from_be_bytes([b[0], b[1]]))
    }
    pub fn i32(&mut self) -> PgResult<i32> {
        let b = self.bytes(4)?;
        Ok(i32::from_be_bytes([b[0], b[1], b[2], b[3]]))
    }
    pub fn cstr_bytes(&mut self) -> PgResult<&'a [u8]> {
        let Some(end) = self.rest.iter().position(|b| *b == 0) else {
            return Err(violation("invalid string in message"));
        };
        let (head, tail) = self.rest.split_at(end);
        self.rest = &tail[1..];
        Ok(head)
    }
    pub fn cstr(&mut self) -> PgResult<&'a str> {
        utf8(self.cstr_bytes()?)
    }
    fn formats(&mut self) -> PgResult<Vec<i16>> {
        let n = self.i16()?;
        (0..n.max(0)).map(|_| self.i16()).collect()
    }
    fn values(&mut self) -> PgResult<Vec<Option<&'a [u8]>>> {
        let n = self.i16()? as u16;
        (0..n)
            .map(|_| match self.i32()? {
                -1 => Ok(None),
                len if len < 0 => Err(violation("insufficient data left in message")),
                len => self.bytes(len as usize).map(Some),
            })
            .collect()
    }
    pub fn end(&self) -> PgResult<()> {
        if self.rest.is_empty() { Ok(()) } else { Err(violation("invalid message format")) }
    }
    pub fn rest(self) -> &'a [u8] {
        self.rest
    }
}

/// 22021 with the offending bytes, as PostgreSQL reports them.
fn utf8(bytes: &[u8]) -> PgResult<&str> {
    std::str::from_utf8(bytes).map_err(|e| {
        let at = e.valid_up_to();
        let len = e.error_len().unwrap_or(bytes.len() - at).max(1);
        let shown: Vec<String> =
            bytes[at..(at + len).min(bytes.len())].iter().map(|b| format!("0x{b:02x}")).collect();
        PgError::new(
            codes::CHARACTER_NOT_IN_REPERTOIRE,
            format!("invalid byte sequence for encoding \"UTF8\": {}", shown.join(" ")),
        )
    })
}

/// True for a type byte that the protocol knows from a client.
pub fn known_type(kind: u8) -> bool {
    b"QPBDECFHSXdcfp".contains(&kind)
}

/// Decodes one message from its type byte and body.
pub fn decode(kind: u8, body: &[u8]) -> PgResult<Message<'_>> {
    let mut b = Body::new(body);
    let message = match kind {
        b'Q' => Message::Query(b.cstr()?),
        b'P' => {
            let (name, query) = (b.cstr()?, b.cstr()?);
            let n = b.i16()?.max(0);
            let types = (0..n).map(|_| b.i32().map(|o| Oid(o as u32))).collect::<PgResult<_>>()?;
            Message::Parse { name, query, types }
        }
        b'B' => Message::Bind(Bind {
            portal: b.cstr()?,
            statement: b.cstr()?,
            param_formats: b.formats()?,
            params: b.values()?,
            result_formats: b.formats()?,
        }),
        b'D' | b'C' => {
            let what = b.u8()?;
            let name = b.cstr()?;
            match (kind, what) {
                (b'D', b'S') => Message::DescribeStatement(name),
                (b'D', b'P') => Message::DescribePortal(name),
                (b'C', b'S') => Message::CloseStatement(name),
                (b'C', b'P') => Message::ClosePortal(name),
                (b'D', x) => bail!(PROTOCOL_VIOLATION, "invalid DESCRIBE message subtype {x}"),
                (_, x) => bail!(PROTOCOL_VIOLATION, "invalid CLOSE message subtype {x}"),
            }
        }
        b'E' => Message::Execute { portal: b.cstr()?, max_rows: b.i32()? },
        b'F' => Message::FunctionCall(FunctionCall {
            function: Oid(b.i32()? as u32),
            arg_formats: b.formats()?,
            args: b.values()?,
            result_format: b.i16()?,
        }),
        b'H' => Message::Flush,
        b'S' => Message::Sync,
        b'X' => return Ok(Message::Terminate),
        b'd' => return Ok(Message::CopyData(body)),
        b'c' => Message::CopyDone,
        b'f' => Message::CopyFail(b.cstr()?),
        b'p' => return Ok(Message::Auth(body)),
        other => bail!(PROTOCOL_VIOLATION, "invalid frontend message type {other}"),
    };
    b.end()?;
    Ok(message)
}

/// What a start-up packet asks for.
#[derive(Debug, PartialEq)]
pub enum Startup {
    Ssl,
    GssEnc,
    Cancel { pid: u32, secret: Vec<u8> },
    Start { minor: u16, params: Vec<(String, String)> },
}

/// Decodes a start-up packet (length word excluded).
pub fn decode_startup(body: &[u8]) -> PgResult<Startup> {
    let mut b = Body::new(body);
    let code = b.i32().map_err(|_| violation("invalid length of startup packet"))? as u32;
    match code {
        80_877_103 => return Ok(Startup::Ssl),
        80_877_104 => return Ok(Startup::GssEnc),
        80_877_102 => {
            let pid = b.i32().map_err(|_| violation("invalid length of query cancel packet"))? as u32;
            return Ok(Startup::Cancel { pid, secret: b.rest().to_vec() });
        }
        _ => {}
    }
    let (major, minor) = (code >> 16, (code & 0xffff) as u16);
    if major != 3 {
        bail!(
            FEATURE_NOT_SUPPORTED,
            "unsupported frontend protocol {major}.{minor}: server supports 3.0 to 3.2"
        );
    }
    let mut params = Vec::new();
    loop {
        let name = b.cstr_bytes().map_err(|_| bad_layout())?;
        if name.is_empty() {
            break;
        }
        let value = b.cstr_bytes().map_err(|_| bad_layout())?;
        params
            .push((String::from_utf8_lossy(name).into_owned(), String::from_utf8_lossy(value).into_owned()));
    }
    b.end().map_err(|_| bad_layout())?;
    Ok(Startup::Start { minor, params })
}

fn bad_layout() -> PgError {
    violation("invalid startup packet layout: expected terminator as last byte")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes_bind() {
        let mut body = b"p\0s\0".to_vec();
        body.extend([0, 1, 0, 1, 0, 2, 0, 0, 0, 4, 0, 0, 0, 7, 0xff, 0xff, 0xff, 0xff, 0, 0]);
        let Message::Bind(bind) = decode(b'B', &body).unwrap() else { panic!("not a Bind") };
        assert_eq!((bind.portal, bind.statement), ("p", "s"));
        assert_eq!(bind.params, vec![Some(&[0u8, 0, 0, 7][..]), None]);
    }

    #[test]
    fn every_truncation_is_an_error_not_a_panic() {
        let mut body = b"p\0s\0".to_vec();
        body.extend([0, 1, 0, 1, 0, 1, 0, 0, 0, 4, 0, 0, 0, 7, 0, 0]);
        for cut in 0..body.len() {
            assert!(decode(b'B', &body[..cut]).is_err(), "cut at {cut}");
        }
        assert_eq!(decode(b'!', b"").unwrap_err().code(), codes::PROTOCOL_VIOLATION);
    }
}
