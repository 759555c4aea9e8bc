//! One client connection after its start-up: the main loop of the protocol.
//!
//! Invariant: after an error in an extended-protocol message everything up to Sync is skipped; a panic in a statement
//! ends this connection with XX000 and nothing else.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use pglite_error::{PgError, PgResult, Severity, codes};
use pglite_sql::{ExecuteOutcome, Session};

use crate::auth::hba::Peer;
use crate::protocol::backend;
use crate::protocol::frontend::{self, Message};
use crate::server::Shared;
use crate::startup;
use crate::stream::Stream;
use crate::wire::Wire;

/// A client that has not logged in by then is turned away (PostgreSQL's default `authentication_timeout`).
const AUTHENTICATION: Duration = Duration::from_secs(60);

/// Serves one accepted socket until it ends.
pub async fn serve(shared: Arc<Shared>, stream: Stream, peer: Peer) {
    let mut wire = Wire::new(stream);
    let started = match tokio::time::timeout(AUTHENTICATION, startup::start(&shared, &mut wire, peer)).await {
        Ok(started) => started,
        Err(_) => Err(PgError::new(codes::QUERY_CANCELED, "canceling authentication due to timeout")),
    };
    match started {
        Ok(Some(session)) => run(&shared, &mut wire, session).await,
        Ok(None) => {}
        Err(e) => {
            let e = if e.fields().severity < Severity::Fatal { e.severity(Severity::Fatal) } else { e };
            wire.send_error(&e);
            let _ = wire.flush().await;
        }
    }
    wire.stream.shutdown().await;
}

/// The main loop, to the end of the session.
async fn run(shared: &Shared, wire: &mut Wire, mut session: Session) {
    let mut skipping = false;
    loop {
        let frame = match wire.peek_frame() {
            Ok(Some(frame)) => frame,
            Ok(None) => {
                if wire.flush().await.is_err() || wire.lost {
                    break;
                }
                if !wait_for_input(wire, &mut session).await {
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
        let busy = shared.busy();
        let step = std::panic::catch_unwind(AssertUnwindSafe(|| {
            handle(&mut *wire, &mut session, frame.kind, &body)
        }));
        drop(busy);
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
                    b'Q' | b'F' => finish(wire, &mut session),
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
            match session.execute_portal(portal, max_rows.max(0) as usize, wire)? {
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
