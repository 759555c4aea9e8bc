//! Who may come in: the host-based rules decide the method, SCRAM-SHA-256 runs over SASL messages.

use base64::Engine as _;
use pglite_error::{PgResult, bail, err};
use pglite_sql::password::Verifier;

use crate::auth::hba::{Method, Peer};
use crate::auth::scram::{Binding, Exchange};
use crate::protocol::{backend, frontend};
use crate::server::Shared;
use crate::wire::Wire;

const PLAIN: &str = "SCRAM-SHA-256";
const PLUS: &str = "SCRAM-SHA-256-PLUS";

/// Lets the client in or fails with the reason.
pub async fn authenticate(
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
    let end_point = shared.tls.as_ref().filter(|_| wire.stream.is_tls()).and_then(|t| t.end_point.as_deref());
    let offered = if end_point.is_some() { format!("{PLUS}\0{PLAIN}\0\0") } else { format!("{PLAIN}\0\0") };
    backend::authentication(&mut wire.out, 10, offered.as_bytes());
    wire.flush().await?;
    let body = read_auth(wire).await?;
    let mut reader = frontend::Body::new(&body);
    let binding = match (reader.cstr()?, end_point) {
        (PLAIN, None) => Binding::Unsupported,
        (PLAIN, Some(_)) => Binding::Declined,
        (PLUS, Some(data)) => Binding::Used(data),
        _ => bail!(PROTOCOL_VIOLATION, "client selected an invalid SASL authentication mechanism"),
    };
    let len = reader.i32()?.max(0) as usize;
    let first = std::str::from_utf8(reader.bytes(len)?)
        .map_err(|_| err!(PROTOCOL_VIOLATION, "malformed SCRAM message"))?;
    let real = shared.database.password_verifier(user).as_deref().and_then(Verifier::parse);
    let usable = real.is_some();
    let verifier = real.unwrap_or_else(|| Verifier::mock(user, &shared.mock_seed));
    let mut nonce = [0u8; 18];
    getrandom::fill(&mut nonce).map_err(|e| err!(INTERNAL_ERROR, "could not generate random nonce: {e}"))?;
    let (exchange, reply) = Exchange::first(first, verifier, usable, &nonce, binding)?;
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

/// A random seed for mock verifiers.
pub fn mock_seed() -> Vec<u8> {
    let mut seed = vec![0u8; 32];
    let _ = getrandom::fill(&mut seed);
    base64::engine::general_purpose::STANDARD.encode(&seed).into_bytes()
}
