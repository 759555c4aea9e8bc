//! A proxy between psql and a server that notes every query and every error.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Instant;

use crate::Result;

/// What went through.
#[derive(Default)]
pub struct Record {
    /// Query texts, each with the error it got.
    pub queries: Vec<(String, Option<String>)>,
    /// Queries that wait for their end.
    pub open: usize,
    pub last: Option<Instant>,
}

pub struct Proxy {
    pub port: u16,
    record: Arc<Mutex<Record>>,
}

impl Proxy {
    pub fn start(server: u16) -> Result<Proxy> {
        let listener = TcpListener::bind("127.0.0.1:0").map_err(|e| e.to_string())?;
        let port = listener.local_addr().map_err(|e| e.to_string())?.port();
        let record: Arc<Mutex<Record>> = Arc::default();
        let shared = record.clone();
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Ok(server) = TcpStream::connect(("127.0.0.1", server)) else { return };
                let (Ok(c), Ok(s)) = (client.try_clone(), server.try_clone()) else { return };
                let (a, b) = (shared.clone(), shared.clone());
                std::thread::spawn(move || pump(client, server, &a, true));
                std::thread::spawn(move || pump(s, c, &b, false));
            }
        });
        Ok(Proxy { port, record })
    }
    pub fn record(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(|e| e.into_inner())
    }
}

fn pump(mut from: TcpStream, mut to: TcpStream, record: &Mutex<Record>, client: bool) {
    let mut buffer: Vec<u8> = Vec::new();
    // A client's first packet has no type byte. psql is told to ask for no encryption.
    let mut startup = client;
    let mut chunk = [0; 65536];
    while let Ok(n) = from.read(&mut chunk) {
        if n == 0 {
            break;
        }
        buffer.extend_from_slice(&chunk[..n]);
        loop {
            let head = usize::from(!startup);
            let Some(length) = buffer.get(head..head + 4).and_then(|b| b.try_into().ok()) else { break };
            let end = head + u32::from_be_bytes(length) as usize;
            if buffer.len() < end {
                break;
            }
            if !startup {
                note(buffer[0], &buffer[5..end], record, client);
            }
            startup = false;
            buffer.drain(..end);
        }
        if to.write_all(&chunk[..n]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
}

fn note(tag: u8, body: &[u8], record: &Mutex<Record>, client: bool) {
    let mut r = record.lock().unwrap_or_else(|e| e.into_inner());
    r.last = Some(Instant::now());
    let text = || String::from_utf8_lossy(body).trim_end_matches('\0').replace('\0', " ");
    match (client, tag) {
        (true, b'Q') => {
            r.queries.push((text(), None));
            r.open += 1;
        }
        (false, b'E') => {
            let error = text();
            if let Some(last) = r.queries.last_mut() {
                last.1 = Some(error);
            }
        }
        (false, b'Z') => r.open = 0,
        _ => {}
    }
}
