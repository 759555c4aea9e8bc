//! A connection's start-up: TLS, the start-up packet, and what of it becomes the session.
//!
//! From an accepted socket to the first ReadyForQuery; `connection` takes over from there.

use std::sync::Arc;

use bytes::Buf;
use pglite_error::{PgResult, bail};
use pglite_sql::{ClientInfo, ConnectParams, Session};
use tokio::net::TcpStream;

use crate::auth;
use crate::auth::hba::Peer;
use crate::protocol::backend;
use crate::protocol::frontend::{self, Startup};
use crate::server::Shared;
use crate::stream::Stream;
use crate::tls::ALPN;
use crate::wire::Wire;

async fn read_startup(wire: &mut Wire) -> PgResult<Option<Startup>> {
    loop {
        if wire.input.len() >= 4 {
            let len =
                u32::from_be_bytes([wire.input[0], wire.input[1], wire.input[2], wire.input[3]]) as usize;
            if !(8..=frontend::MAX_STARTUP).contains(&len) {
                bail!(PROTOCOL_VIOLATION, "invalid length of startup packet");
            }
            if wire.input.len() >= len {
                wire.input.advance(4);
                let body = wire.input.split_to(len - 4);
                return frontend::decode_startup(&body).map(Some);
            }
        }
        if !wire.fill().await {
            return Ok(None);
        }
    }
}

/// Start-up to the first ReadyForQuery. None: nothing more to do (cancel request, client gone).
pub async fn start(shared: &Arc<Shared>, wire: &mut Wire, mut peer: Peer) -> PgResult<Option<Session>> {
    if let Stream::Tcp(tcp) = &wire.stream
        && starts_with_tls(tcp).await
    {
        let Some(upgraded) = direct_tls(shared, std::mem::replace(wire, Wire::new(Stream::Closed))).await
        else {
            return Ok(None);
        };
        *wire = upgraded;
        peer.tls = true;
    }
    let (minor, params) = loop {
        match read_startup(wire).await? {
            None => return Ok(None),
            Some(Startup::Ssl) => {
                let taken = std::mem::replace(wire, Wire::new(Stream::Closed));
                let Some(upgraded) = negotiate_tls(shared, taken).await else { return Ok(None) };
                *wire = upgraded;
                peer.tls = wire.stream.is_tls();
            }
            Some(Startup::GssEnc) => {
                wire.out.push(b'N');
                wire.flush().await?;
            }
            Some(Startup::Cancel { pid, secret }) => {
                shared.database.cancel(pid, &secret);
                return Ok(None);
            }
            Some(Startup::Start { minor, params }) => break (minor, params),
        }
    };
    let find =
        |name: &str| params.iter().find(|(k, _)| k == name).map(|(_, v)| v.clone()).filter(|v| !v.is_empty());
    let Some(user) = find("user") else {
        bail!(INVALID_AUTHORIZATION_SPECIFICATION, "no PostgreSQL user name specified in startup packet");
    };
    let database = find("database").unwrap_or_else(|| user.clone());
    let unknown: Vec<String> =
        params.iter().map(|(k, _)| k).filter(|k| k.starts_with("_pq_.")).cloned().collect();
    if minor > 2 || !unknown.is_empty() {
        backend::negotiate_protocol_version(&mut wire.out, minor.min(2), &unknown);
    }
    auth::login::authenticate(shared, wire, peer, &database, &user).await?;
    if shared.session_count() > shared.config.max_connections {
        bail!(TOO_MANY_CONNECTIONS, "sorry, too many clients already");
    }
    let settings = startup_settings(&params)?;
    let key_len = if minor >= 2 { 32 } else { 4 };
    let connect = ConnectParams {
        user,
        database,
        settings,
        client: ClientInfo {
            address: peer.address.map(|a| a.to_string()),
            port: Some(peer.port.map_or(-1, i32::from)),
            tls: wire.stream.tls_info(),
        },
        cancel_key_len: key_len,
    };
    let mut session = shared.database.connect(connect, wire)?;
    backend::authentication_ok(&mut wire.out);
    session.report_parameters(wire);
    let (pid, secret) = session.cancel_key();
    backend::backend_key_data(&mut wire.out, pid, secret);
    backend::ready_for_query(&mut wire.out, session.transaction_status());
    wire.flush().await?;
    Ok(Some(session))
}

/// Settings from start-up parameters and `options` (`-c name=value`, `--name=value`).
fn startup_settings(params: &[(String, String)]) -> PgResult<Vec<(String, String)>> {
    let mut settings = Vec::new();
    for (name, value) in params {
        match name.as_str() {
            "user" | "database" | "replication" => {}
            "options" => parse_options(value, &mut settings)?,
            n if n.starts_with("_pq_.") => {}
            _ => settings.push((name.clone(), value.clone())),
        }
    }
    Ok(settings)
}

fn parse_options(options: &str, settings: &mut Vec<(String, String)>) -> PgResult<()> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut chars = options.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => word.extend(chars.next()),
            c if c.is_whitespace() => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
            }
            c => word.push(c),
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    let mut words = words.into_iter();
    while let Some(w) = words.next() {
        let assignment = if w == "-c" {
            words.next().unwrap_or_default()
        } else if let Some(rest) = w.strip_prefix("--").or_else(|| w.strip_prefix("-c")) {
            rest.to_string()
        } else {
            bail!(SYNTAX_ERROR, "invalid command-line argument for server process: {w}");
        };
        let Some((name, value)) = assignment.split_once('=') else {
            bail!(SYNTAX_ERROR, "-c {assignment} requires a value");
        };
        settings.push((name.replace('-', "_"), value.to_string()));
    }
    Ok(())
}

/// Whether the client begins with a TLS handshake instead of asking for one (`sslnegotiation=direct`).
async fn starts_with_tls(tcp: &TcpStream) -> bool {
    const HANDSHAKE: u8 = 0x16;
    let mut first = [0];
    matches!(tcp.peek(&mut first).await, Ok(1)) && first[0] == HANDSHAKE
}

async fn direct_tls(shared: &Shared, wire: Wire) -> Option<Wire> {
    let tls = shared.tls.as_ref()?;
    let Stream::Tcp(tcp) = wire.stream else { return None };
    let stream = tls.acceptor.accept(tcp).await.ok()?;
    if stream.get_ref().1.alpn_protocol() != Some(ALPN) {
        crate::log::warn(
            "received direct SSL connection request without ALPN protocol negotiation extension",
        );
        return None;
    }
    Some(Wire::new(Stream::Tls(Box::new(stream))))
}

async fn negotiate_tls(shared: &Shared, mut wire: Wire) -> Option<Wire> {
    let Some(tls) = shared.tls.as_ref().filter(|_| matches!(wire.stream, Stream::Tcp(_))) else {
        wire.out.push(b'N');
        wire.flush().await.ok()?;
        return Some(wire);
    };
    // Why: bytes sent before the handshake could be an injected prefix; PostgreSQL refuses them too.
    if !wire.input.is_empty() {
        return None;
    }
    wire.out.push(b'S');
    wire.flush().await.ok()?;
    let Stream::Tcp(tcp) = wire.stream else { return None };
    let stream = tls.acceptor.accept(tcp).await.ok()?;
    Some(Wire::new(Stream::Tls(Box::new(stream))))
}
