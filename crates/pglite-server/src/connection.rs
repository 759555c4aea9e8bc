//! One client connection: start-up, authentication, and the main loop of the protocol.
//!
//! Invariant: after an error in an extended-protocol message everything up to Sync is skipped; a panic in a statement
//! ends this connection with XX000 and nothing else.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use base64::Engine as _;
use bytes::Buf;
use pglite_error::{PgError, PgResult, Severity, bail, codes, err};
use pglite_sql::{ConnectParams, ExecuteOutcome, Session};

use crate::auth::hba::{Method, Peer};
use crate::auth::scram::{Exchange, Verifier};
use crate::protocol::backend;
use crate::protocol::frontend::{self, Message, Startup};
use crate::server::Shared;
use crate::stream::Stream;
use crate::wire::Wire;

/// Serves one accepted socket until it ends.
pub async fn serve(shared: Arc<Shared>, stream: Stream, peer: Peer) {
    let mut wire = Wire::new(stream);
    match start(&shared, &mut wire, peer).await {
        Ok(Some(session)) => run(wire, session).await,
        Ok(None) => {}
        Err(e) => {
            let e = if e.fields().severity < Severity::Fatal { e.severity(Severity::Fatal) } else { e };
            wire.send_error(&e);
            let _ = wire.flush().await;
        }
    }
}

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
async fn start(shared: &Arc<Shared>, wire: &mut Wire, mut peer: Peer) -> PgResult<Option<Session>> {
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
    authenticate(shared, wire, peer, &database, &user).await?;
    if shared.session_count() > shared.config.max_connections {
        bail!(TOO_MANY_CONNECTIONS, "sorry, too many clients already");
    }
    let settings = startup_settings(&params)?;
    let key_len = if minor >= 2 { 32 } else { 4 };
    let connect = ConnectParams {
        user,
        database,
        settings,
        client_address: peer.address.map(|a| a.to_string()),
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

async fn negotiate_tls(shared: &Shared, mut wire: Wire) -> Option<Wire> {
    let Some(acceptor) = shared.tls.as_ref().filter(|_| matches!(wire.stream, Stream::Tcp(_))) else {
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
    let tls = acceptor.accept(tcp).await.ok()?;
    Some(Wire::new(Stream::Tls(Box::new(tls))))
}

async fn authenticate(
    shared: &Shared,
    wire: &mut Wire,
    peer: Peer,
    database: &str,
    user: &str,
) -> PgResult<()> {
    let method = shared.rules.find(peer, database, user);
    let host = peer.address.map_or("[local]".to_string(), |a| a.to_string());
    let encryption = if peer.tls { "SSL encryption" } else { "no encryption" };
    match method {
        Some(Method::Trust) => Ok(()),
        Some(Method::Scram) => scram(shared, wire, user).await,
        Some(Method::Reject) => bail!(
            INVALID_AUTHORIZATION_SPECIFICATION,
            "pg_hba.conf rejects connection for host \"{host}\", user \"{user}\", database \"{database}\", {encryption}"
        ),
        None => bail!(
            INVALID_AUTHORIZATION_SPECIFICATION,
            "no pg_hba.conf entry for host \"{host}\", user \"{user}\", database \"{database}\", {encryption}"
        ),
    }
}

async fn read_auth(wire: &mut Wire) -> PgResult<Vec<u8>> {
    loop {
        if let Some(frame) = wire.peek_frame()? {
            if frame.kind != b'p' {
                bail!(PROTOCOL_VIOLATION, "expected SASL response, got message type {}", frame.kind);
            }
            return Ok(wire.take_frame(frame).to_vec());
        }
        if !wire.fill().await {
            bail!(CONNECTION_FAILURE, "connection to client lost");
        }
    }
}

async fn scram(shared: &Shared, wire: &mut Wire, user: &str) -> PgResult<()> {
    backend::authentication(&mut wire.out, 10, b"SCRAM-SHA-256\0\0");
    wire.flush().await?;
    let body = read_auth(wire).await?;
    let mut reader = frontend::Body::new(&body);
    let mechanism = reader.cstr()?;
    if mechanism != "SCRAM-SHA-256" {
        bail!(PROTOCOL_VIOLATION, "client selected an invalid SASL authentication mechanism");
    }
    let len = reader.i32()?.max(0) as usize;
    let first = std::str::from_utf8(reader.bytes(len)?)
        .map_err(|_| err!(PROTOCOL_VIOLATION, "malformed SCRAM message"))?;
    let real = shared.database.password_verifier(user).as_deref().and_then(Verifier::parse);
    let usable = real.is_some();
    let verifier = real.unwrap_or_else(|| Verifier::mock(user, &shared.mock_seed));
    let mut nonce = [0u8; 18];
    getrandom::fill(&mut nonce).map_err(|e| err!(INTERNAL_ERROR, "could not generate random nonce: {e}"))?;
    let (exchange, reply) = Exchange::first(first, verifier, usable, &nonce)?;
    backend::authentication(&mut wire.out, 11, reply.as_bytes());
    wire.flush().await?;
    let body = read_auth(wire).await?;
    let last = std::str::from_utf8(&body).map_err(|_| err!(PROTOCOL_VIOLATION, "malformed SCRAM message"))?;
    match exchange.last(last)? {
        Some(reply) => {
            backend::authentication(&mut wire.out, 12, reply.as_bytes());
            Ok(())
        }
        None => bail!(INVALID_PASSWORD, "password authentication failed for user \"{user}\""),
    }
}

/// The main loop, to the end of the session.
async fn run(mut wire: Wire, mut session: Session) {
    let mut skipping = false;
    loop {
        let frame = match wire.peek_frame() {
            Ok(Some(frame)) => frame,
            Ok(None) => {
                if wire.flush().await.is_err() || wire.lost {
                    break;
                }
                if !wait_for_input(&mut wire, &mut session).await {
                    break;
                }
                continue;
            }
            Err(fatal) => {
                wire.send_error(&fatal);
                let _ = wire.flush().await;
                break;
            }
        };
        let body = wire.take_frame(frame);
        if skipping && !matches!(frame.kind, b'S' | b'X') {
            continue;
        }
        if frame.kind == b'X' {
            break;
        }
        let step =
            std::panic::catch_unwind(AssertUnwindSafe(|| handle(&mut wire, &mut session, frame.kind, &body)));
        match step {
            Ok(Ok(())) => {
                if frame.kind == b'S' {
                    skipping = false;
                }
                if frame.kind == b'H' && wire.flush().await.is_err() {
                    break;
                }
            }
            Ok(Err(e)) => {
                session.fail(&e);
                wire.take_copy_in_active();
                wire.send_error(&e);
                if e.fields().severity >= Severity::Fatal || wire.lost {
                    let _ = wire.flush().await;
                    break;
                }
                match frame.kind {
                    b'Q' | b'F' => finish(&mut wire, &mut session),
                    b'S' => skipping = false,
                    _ => skipping = true,
                }
            }
            Err(_panic) => {
                let e =
                    PgError::internal("internal error: the statement was aborted and the session is closed")
                        .severity(Severity::Fatal);
                wire.send_error(&e);
                let _ = wire.flush().await;
                break;
            }
        }
    }
    session.close();
}

/// Waits for the client, or for a reason to speak first (notification, termination, idle timeouts).
async fn wait_for_input(wire: &mut Wire, session: &mut Session) -> bool {
    loop {
        let wake = session.wake();
        tokio::select! {
            more = wire.fill() => return more,
            () = wake => {
                match session.idle_work(wire) {
                    Ok(()) => {
                        if wire.flush().await.is_err() || wire.lost {
                            return false;
                        }
                    }
                    Err(fatal) => {
                        wire.send_error(&fatal);
                        let _ = wire.flush().await;
                        return false;
                    }
                }
            }
        }
    }
}

fn finish(wire: &mut Wire, session: &mut Session) {
    let _ = session.idle_work(wire);
    backend::ready_for_query(&mut wire.out, session.transaction_status());
}

/// One frontend message.
fn handle(wire: &mut Wire, session: &mut Session, kind: u8, body: &[u8]) -> PgResult<()> {
    wire.min_messages = session.client_min_messages();
    match frontend::decode(kind, body)? {
        Message::Query(sql) => {
            wire.source.clear();
            wire.source.push_str(sql);
            session.simple_query(sql, wire)?;
            finish(wire, session);
        }
        Message::Parse { name, query, types } => {
            wire.source.clear();
            wire.source.push_str(query);
            session.parse(name, query, &types, wire)?;
            backend::parse_complete(&mut wire.out);
        }
        Message::Bind(bind) => {
            session.statement_source(bind.statement, &mut wire.source);
            session.bind(
                bind.portal,
                bind.statement,
                &bind.param_formats,
                &bind.params,
                &bind.result_formats,
                wire,
            )?;
            backend::bind_complete(&mut wire.out);
        }
        Message::DescribeStatement(name) => {
            let (params, columns) = session.describe_statement(name)?;
            backend::parameter_description(&mut wire.out, &params);
            match columns {
                Some(columns) => backend::row_description(&mut wire.out, &columns, &[]),
                None => backend::no_data(&mut wire.out),
            }
        }
        Message::DescribePortal(name) => match session.describe_portal(name)? {
            Some((columns, formats)) => backend::row_description(&mut wire.out, &columns, &formats),
            None => backend::no_data(&mut wire.out),
        },
        Message::Execute { portal, max_rows } => {
            session.portal_source(portal, &mut wire.source);
            match session.execute(portal, max_rows.max(0) as usize, wire)? {
                ExecuteOutcome::Complete => {}
                ExecuteOutcome::Suspended => backend::portal_suspended(&mut wire.out),
            }
        }
        Message::CloseStatement(name) => {
            session.close_statement(name);
            backend::close_complete(&mut wire.out);
        }
        Message::ClosePortal(name) => {
            session.close_portal(name);
            backend::close_complete(&mut wire.out);
        }
        Message::FunctionCall(call) => {
            let value = session.function_call(
                call.function,
                &call.arg_formats,
                &call.args,
                call.result_format,
                wire,
            )?;
            backend::function_result(&mut wire.out, value.as_deref());
            finish(wire, session);
        }
        Message::Flush => {}
        Message::Sync => {
            let result = session.sync(wire);
            if let Err(e) = &result {
                session.fail(e);
                wire.send_error(e);
            }
            finish(wire, session);
        }
        // Left over from a COPY that failed; PostgreSQL ignores them too.
        Message::CopyData(_) | Message::CopyDone | Message::CopyFail(_) => {}
        Message::Auth(_) | Message::Terminate => {
            return Err(PgError::new(
                codes::PROTOCOL_VIOLATION,
                format!("invalid frontend message type {kind}"),
            )
            .severity(Severity::Fatal));
        }
    }
    Ok(())
}

/// A random seed for mock verifiers.
pub fn mock_seed() -> Vec<u8> {
    let mut seed = vec![0u8; 32];
    let _ = getrandom::fill(&mut seed);
    base64::engine::general_purpose::STANDARD.encode(&seed).into_bytes()
}
