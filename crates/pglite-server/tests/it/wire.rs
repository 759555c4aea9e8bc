//! The protocol by hand: what no driver sends on purpose.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::support::Server;

struct Raw(TcpStream);

impl Raw {
    fn connect(port: u16) -> Raw {
        let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        Raw(stream)
    }

    fn startup(&mut self, version: u32, params: &[(&str, &str)]) {
        let mut body = version.to_be_bytes().to_vec();
        for (k, v) in params {
            body.extend([k.as_bytes(), b"\0", v.as_bytes(), b"\0"].concat());
        }
        body.push(0);
        let mut packet = (body.len() as u32 + 4).to_be_bytes().to_vec();
        packet.extend(body);
        self.0.write_all(&packet).unwrap();
    }

    fn send(&mut self, kind: u8, body: &[u8]) {
        let mut packet = vec![kind];
        packet.extend((body.len() as u32 + 4).to_be_bytes());
        packet.extend(body);
        self.0.write_all(&packet).unwrap();
    }

    fn message(&mut self) -> Option<(u8, Vec<u8>)> {
        let mut head = [0; 5];
        self.0.read_exact(&mut head).ok()?;
        let mut body = vec![0; u32::from_be_bytes([head[1], head[2], head[3], head[4]]) as usize - 4];
        self.0.read_exact(&mut body).ok()?;
        Some((head[0], body))
    }

    /// Everything up to ReadyForQuery or the end of the connection.
    fn answer(&mut self) -> Vec<(u8, Vec<u8>)> {
        let mut all = Vec::new();
        while let Some(message) = self.message() {
            let done = message.0 == b'Z';
            all.push(message);
            if done {
                break;
            }
        }
        all
    }
}

const USER: [(&str, &str); 2] = [("user", "postgres"), ("database", "postgres")];

fn kinds(messages: &[(u8, Vec<u8>)]) -> String {
    messages.iter().map(|m| m.0 as char).collect()
}

fn find(messages: &[(u8, Vec<u8>)], kind: u8) -> &[u8] {
    &messages.iter().find(|m| m.0 == kind).unwrap().1
}

/// The field of an ErrorResponse.
fn field(error: &[u8], kind: u8) -> String {
    let found = error.split(|b| *b == 0).find(|f| f.first() == Some(&kind)).unwrap();
    String::from_utf8_lossy(&found[1..]).into_owned()
}

#[test]
fn protocol_versions_and_their_cancel_keys() {
    let server = Server::start(&["--memory"]);
    for (version, key) in [(0x0003_0000, 4), (0x0003_0002, 32)] {
        let mut c = Raw::connect(server.port);
        c.startup(version, &USER);
        let got = c.answer();
        assert!(!kinds(&got).contains('v'), "{version:x} is spoken");
        assert_eq!(find(&got, b'K').len(), 4 + key, "pid and key of {version:x}");
        let keys = find(&got, b'K').to_vec();
        // A wrong key cancels nothing, the right one does.
        c.send(b'Q', b"SELECT pg_sleep(30)\0");
        std::thread::sleep(Duration::from_millis(200));
        let cancel = |keys: &[u8]| {
            let mut packet = (keys.len() as u32 + 8).to_be_bytes().to_vec();
            packet.extend(80_877_102u32.to_be_bytes());
            packet.extend(keys);
            let mut other = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
            other.write_all(&packet).unwrap();
            let _ = other.read(&mut [0]);
        };
        let mut wrong = keys.clone();
        wrong[6] ^= 1;
        cancel(&wrong);
        c.0.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
        assert!(c.0.peek(&mut [0]).is_err(), "a wrong key does nothing");
        c.0.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        cancel(&keys);
        let got = c.answer();
        assert_eq!(field(find(&got, b'E'), b'C'), "57014");
        assert!(kinds(&got).ends_with('Z'));
    }
}

#[test]
fn unknown_minor_versions_and_options_are_negotiated() {
    let server = Server::start(&["--memory"]);
    let mut c = Raw::connect(server.port);
    let params = [USER[0], USER[1], ("_pq_.made_up", "1")];
    c.startup(0x0003_270f, &params);
    let got = c.answer();
    let v = find(&got, b'v');
    assert_eq!(v[..8], [0, 3, 0, 2, 0, 0, 0, 1]);
    assert_eq!(&v[8..], b"_pq_.made_up\0");
    assert_eq!(find(&got, b'K').len(), 36);
    let mut old = Raw::connect(server.port);
    old.startup(0x0002_0000, &USER);
    let got = old.answer();
    assert_eq!(kinds(&got), "E");
    assert_eq!(field(&got[0].1, b'C'), "0A000");
}

#[test]
fn after_an_error_everything_up_to_sync_is_skipped() {
    let server = Server::start(&["--memory"]);
    let mut c = Raw::connect(server.port);
    c.startup(0x0003_0000, &USER);
    c.answer();
    c.send(b'P', b"\0SELECT 1/0\0\0\0");
    c.send(b'B', b"\0\0\0\0\0\0\0\0");
    c.send(b'E', b"\0\0\0\0\0");
    c.send(b'P', b"\0SELECT 1\0\0\0");
    c.send(b'B', b"\0\0\0\0\0\0\0\0");
    c.send(b'S', b"");
    assert_eq!(kinds(&c.answer()), "1EZ", "as PostgreSQL: planning, which divides, belongs to Bind");
    c.send(b'P', b"\0SELECT 1\0\0\0");
    c.send(b'D', b"S\0");
    c.send(b'B', b"\0\0\0\0\0\0\0\0");
    c.send(b'D', b"P\0");
    c.send(b'E', b"\0\0\0\0\0");
    c.send(b'C', b"P\0");
    c.send(b'S', b"");
    assert_eq!(kinds(&c.answer()), "1tT2TDC3Z");
    c.send(b'Q', b"\0");
    assert_eq!(kinds(&c.answer()), "IZ");
}

#[test]
fn nonsense_ends_the_connection_with_a_reason() {
    let server = Server::start(&["--memory"]);
    let mut c = Raw::connect(server.port);
    c.startup(0x0003_0000, &USER);
    c.answer();
    c.send(b'!', b"what");
    let got = c.answer();
    assert_eq!(kinds(&got), "E");
    assert_eq!((field(&got[0].1, b'S').as_str(), field(&got[0].1, b'C').as_str()), ("FATAL", "08P01"));
    let mut c = Raw::connect(server.port);
    c.startup(0x0003_0000, &[("database", "postgres")]);
    let got = c.answer();
    assert_eq!(field(&got[0].1, b'M'), "no PostgreSQL user name specified in startup packet");
    let mut c = Raw::connect(server.port);
    c.0.write_all(&[0xff; 64]).unwrap();
    assert!(c.answer().iter().all(|m| m.0 == b'E'), "a wild length");
}

#[test]
fn statements_that_run_do_not_keep_others_out() {
    let server = Server::start(&["--memory"]);
    let mut busy: Vec<Raw> = Vec::new();
    for _ in 0..4 {
        let mut c = Raw::connect(server.port);
        c.startup(0x0003_0000, &USER);
        c.answer();
        c.send(b'Q', b"SELECT count(*) FROM generate_series(1, 1000000) a, generate_series(1, 1000000) b\0");
        busy.push(c);
    }
    for _ in 0..5 {
        let begun = std::time::Instant::now();
        let mut c = Raw::connect(server.port);
        c.startup(0x0003_0000, &USER);
        c.answer();
        c.send(b'Q', b"SELECT 1\0");
        assert_eq!(kinds(&c.answer()), "TDCZ");
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    }
}
