//! A server that answers at once: what PostgreSQL's protocol costs before any database does anything.
//!
//! It understands what pgbench sends, in all three modes, and answers every SELECT with one row.

use std::collections::HashMap;
use std::io::{BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};

use crate::Result;

/// The hidden command that runs it.
pub const COMMAND: &str = "answer-at-once";

pub fn run(args: &[String]) -> Result<()> {
    let port: u16 = args.first().and_then(|p| p.parse().ok()).ok_or("expected a port")?;
    let listener = TcpListener::bind(("127.0.0.1", port)).map_err(|e| format!("port {port}: {e}"))?;
    for stream in listener.incoming().flatten() {
        std::thread::spawn(move || {
            // A client that is gone needs no answer.
            let _ = serve(stream);
        });
    }
    Ok(())
}

struct Session {
    out: Vec<u8>,
    /// Prepared statements by name; the value says what kind they are.
    prepared: HashMap<Vec<u8>, Kind>,
    bound: Kind,
    in_transaction: bool,
}

#[derive(Clone, Copy)]
enum Kind {
    Rows,
    Begin,
    End,
    Other(&'static str),
}

fn kind(sql: &[u8]) -> Kind {
    let sql = sql.trim_ascii_start();
    let starts =
        |word: &str| sql.len() >= word.len() && sql[..word.len()].eq_ignore_ascii_case(word.as_bytes());
    match () {
        () if starts("select") => Kind::Rows,
        () if starts("begin") => Kind::Begin,
        () if starts("end") || starts("commit") => Kind::End,
        () if starts("update") => Kind::Other("UPDATE 1"),
        () if starts("insert") => Kind::Other("INSERT 0 1"),
        () => Kind::Other("SET"),
    }
}

fn serve(stream: TcpStream) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut writer = stream.try_clone()?;
    let mut reader = BufReader::with_capacity(8192, stream);
    let mut head = [0_u8; 4];
    reader.read_exact(&mut head)?;
    let mut body = vec![0; (u32::from_be_bytes(head) as usize).saturating_sub(4).min(10_000)];
    reader.read_exact(&mut body)?;
    if body.starts_with(&80_877_103_u32.to_be_bytes()) || body.starts_with(&80_877_104_u32.to_be_bytes()) {
        // Neither TLS nor GSS: the client goes on in the clear.
        writer.write_all(b"N")?;
        reader.read_exact(&mut head)?;
        body = vec![0; (u32::from_be_bytes(head) as usize).saturating_sub(4).min(10_000)];
        reader.read_exact(&mut body)?;
    }
    let mut s =
        Session { out: Vec::new(), prepared: HashMap::new(), bound: Kind::Rows, in_transaction: false };
    s.message(b'R', &[0, 0, 0, 0]);
    for (name, value) in
        [("server_version", "18.6"), ("client_encoding", "UTF8"), ("standard_conforming_strings", "on")]
    {
        s.message(b'S', format!("{name}\0{value}\0").as_bytes());
    }
    s.message(b'K', &[0; 8]);
    s.ready();
    loop {
        if reader.buffer().is_empty() && !s.out.is_empty() {
            writer.write_all(&s.out)?;
            s.out.clear();
        }
        let mut head = [0_u8; 5];
        reader.read_exact(&mut head)?;
        let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]) as usize;
        body.resize(length.saturating_sub(4), 0);
        reader.read_exact(&mut body)?;
        if head[0] == b'X' {
            return Ok(());
        }
        s.answer(head[0], &body);
    }
}

impl Session {
    fn message(&mut self, tag: u8, body: &[u8]) {
        self.out.push(tag);
        self.out.extend((body.len() as u32 + 4).to_be_bytes());
        self.out.extend_from_slice(body);
    }

    fn ready(&mut self) {
        self.message(b'Z', if self.in_transaction { b"T" } else { b"I" });
    }

    fn answer(&mut self, tag: u8, body: &[u8]) {
        match tag {
            b'Q' => {
                let kind = kind(body);
                self.describe(kind);
                self.execute(kind);
                self.ready();
            }
            b'P' => {
                let end = body.iter().position(|b| *b == 0).unwrap_or(0);
                self.prepared.insert(body[..end].to_vec(), kind(&body[(end + 1).min(body.len())..]));
                self.message(b'1', b"");
            }
            b'B' => {
                let mut names = body.split(|b| *b == 0).skip(1);
                let name = names.next().unwrap_or_default();
                self.bound = self.prepared.get(name).copied().unwrap_or(Kind::Rows);
                self.message(b'2', b"");
            }
            b'D' => {
                let kind = self.bound;
                if matches!(kind, Kind::Rows) { self.describe(kind) } else { self.message(b'n', b"") }
            }
            b'E' => self.execute(self.bound),
            b'S' => self.ready(),
            _ => {}
        }
    }

    /// One column of type integer for a SELECT, nothing for the rest.
    fn describe(&mut self, kind: Kind) {
        if matches!(kind, Kind::Rows) {
            self.message(b'T', b"\0\x01abalance\0\0\0\0\0\0\0\0\0\0\x17\0\x04\xff\xff\xff\xff\0\0");
        }
    }

    fn execute(&mut self, kind: Kind) {
        let tag: &[u8] = match kind {
            Kind::Rows => {
                self.message(b'D', b"\0\x01\0\0\0\x011");
                b"SELECT 1\0"
            }
            Kind::Begin => {
                self.in_transaction = true;
                b"BEGIN\0"
            }
            Kind::End => {
                self.in_transaction = false;
                b"COMMIT\0"
            }
            Kind::Other(tag) => {
                let text = [tag.as_bytes(), b"\0"].concat();
                self.message(b'C', &text);
                return;
            }
        };
        self.message(b'C', tag);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transactions_and_rows_are_told_apart() {
        let mut s =
            Session { out: Vec::new(), prepared: HashMap::new(), bound: Kind::Rows, in_transaction: false };
        s.answer(b'Q', b"BEGIN;\0");
        assert_eq!(s.out.last(), Some(&b'T'));
        s.answer(b'P', b"P_0\0SELECT abalance\0\0\0");
        s.out.clear();
        s.answer(b'B', b"\0P_0\0\0\0");
        s.answer(b'E', b"\0\0\0\0\0");
        assert!(s.out.windows(8).any(|w| w == b"SELECT 1"));
        s.answer(b'Q', b"END;\0");
        assert_eq!(s.out.last(), Some(&b'I'));
    }
}
