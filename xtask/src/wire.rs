//! A small blocking client of PostgreSQL's protocol: trust authentication, simple queries, text results.
//!
//! Enough for the tests and measurements of xtask, which must tell a refused statement from a lost connection.

use std::io::{self, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// Why a request gave no result.
#[derive(Debug, Clone, PartialEq)]
pub enum Failure {
    /// The server answered with an error: nothing of the statement took effect.
    Refused { code: String, message: String },
    /// The connection failed; whether the statement took effect is not known.
    Lost(String),
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Failure::Refused { code, message } => write!(f, "{code}: {message}"),
            Failure::Lost(m) => write!(f, "connection lost: {m}"),
        }
    }
}

impl From<io::Error> for Failure {
    fn from(e: io::Error) -> Failure {
        Failure::Lost(e.to_string())
    }
}

pub type Row = Vec<Option<String>>;

pub struct Client {
    stream: BufReader<TcpStream>,
    /// The command tag of the last statement that completed.
    pub tag: String,
}

impl Client {
    /// Connects as the superuser to a database on a local port.
    pub fn connect(port: u16, database: &str) -> Result<Client, Failure> {
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let stream = TcpStream::connect_timeout(&address, Duration::from_secs(5))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        let mut client = Client { stream: BufReader::new(stream), tag: String::new() };
        let mut startup = 196_608_u32.to_be_bytes().to_vec();
        for text in ["user", "postgres", "database", database, ""] {
            startup.extend_from_slice(text.as_bytes());
            startup.push(0);
        }
        let mut packet = (startup.len() as u32 + 4).to_be_bytes().to_vec();
        packet.extend(startup);
        client.stream.get_mut().write_all(&packet)?;
        client.answer()?;
        Ok(client)
    }

    /// How long an answer may take before the connection counts as lost.
    pub fn patience(&mut self, limit: Duration) -> Result<(), Failure> {
        Ok(self.stream.get_ref().set_read_timeout(Some(limit))?)
    }

    /// Runs one or more statements; the rows of all of them.
    pub fn query(&mut self, sql: &str) -> Result<Vec<Row>, Failure> {
        let mut packet = vec![b'Q'];
        packet.extend((sql.len() as u32 + 5).to_be_bytes());
        packet.extend_from_slice(sql.as_bytes());
        packet.push(0);
        self.stream.get_mut().write_all(&packet)?;
        self.answer()
    }

    /// The first column of the first row.
    pub fn value(&mut self, sql: &str) -> Result<String, Failure> {
        let rows = self.query(sql)?;
        Ok(rows.into_iter().next().and_then(|r| r.into_iter().next().flatten()).unwrap_or_default())
    }

    /// Reads up to ReadyForQuery.
    fn answer(&mut self) -> Result<Vec<Row>, Failure> {
        let mut rows = Vec::new();
        let mut refused = None;
        loop {
            let (tag, body) = self.message()?;
            match tag {
                b'D' => rows.push(data_row(&body)?),
                b'C' => self.tag = String::from_utf8_lossy(body.strip_suffix(b"\0").unwrap_or(&body)).into(),
                b'E' => match error_fields(&body) {
                    // After a FATAL error no ReadyForQuery follows.
                    (severity, failure) if severity == "FATAL" || severity == "PANIC" => {
                        return Err(Failure::Lost(failure.to_string()));
                    }
                    (_, failure) => refused = Some(failure),
                },
                b'R' if body.get(..4) != Some(&[0, 0, 0, 0]) => {
                    return Err(Failure::Lost("the server wants a password".into()));
                }
                b'Z' => return refused.map_or(Ok(rows), Err),
                _ => {}
            }
        }
    }

    fn message(&mut self) -> Result<(u8, Vec<u8>), Failure> {
        let mut head = [0_u8; 5];
        self.stream.read_exact(&mut head)?;
        let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]) as usize;
        let mut body = vec![0; length.checked_sub(4).ok_or_else(|| bad("message length"))?];
        self.stream.read_exact(&mut body)?;
        Ok((head[0], body))
    }
}

fn bad(what: &str) -> Failure {
    Failure::Lost(format!("malformed message: {what}"))
}

fn data_row(body: &[u8]) -> Result<Row, Failure> {
    let mut rest = body.get(2..).ok_or_else(|| bad("row"))?;
    let mut row = Vec::new();
    while !rest.is_empty() {
        let (length, after) = rest.split_first_chunk::<4>().ok_or_else(|| bad("column length"))?;
        let length = i32::from_be_bytes(*length);
        rest = after;
        if length < 0 {
            row.push(None);
            continue;
        }
        let (value, after) = rest.split_at_checked(length as usize).ok_or_else(|| bad("column"))?;
        row.push(Some(String::from_utf8_lossy(value).into_owned()));
        rest = after;
    }
    Ok(row)
}

/// The severity, and the failure.
fn error_fields(body: &[u8]) -> (String, Failure) {
    let field = |wanted: u8| {
        let parts = body.split(|b| *b == 0);
        let text = parts.filter(|p| p.first() == Some(&wanted)).map(|p| &p[1..]).next();
        String::from_utf8_lossy(text.unwrap_or_default()).into_owned()
    };
    (field(b'V'), Failure::Refused { code: field(b'C'), message: field(b'M') })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_and_errors_are_read() {
        let body = [0, 2, 0, 0, 0, 2, b'h', b'i', 0xff, 0xff, 0xff, 0xff];
        assert_eq!(data_row(&body), Ok(vec![Some("hi".into()), None]));
        assert!(data_row(&body[..7]).is_err());
        let failure = Failure::Refused { code: "22012".into(), message: "division by zero".into() };
        let body = b"SFEHLER\0VERROR\0C22012\0Mdivision by zero\0\0";
        assert_eq!(error_fields(body), ("ERROR".to_string(), failure));
    }
}
