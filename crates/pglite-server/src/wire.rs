//! `Wire`: the input and output buffers of a connection, and the session's [`Client`] over them.
//!
//! Statements run synchronously on the worker. Output gathers in `out` and is written when the input runs dry; only when
//! it grows past [`SPILL`], or COPY needs input, does a running statement wait on the socket, and then it gives its
//! worker up first (`block_in_place`).
//!
//! Invariant: nothing is written to the socket while a commit is pending: the wait comes first, always.

use std::future::Future;

use bytes::{Buf, BytesMut};
use pglite_error::{PgError, PgResult, Severity, bail, codes};
use pglite_sql::{Client, OutColumn, PendingCommit};
use pglite_types::{Batch, Datum, TypeEnv, binary, text};
use tokio::runtime::Handle;

use crate::protocol::{backend, frontend};
use crate::stream::Stream;

/// Output past this is written while the statement runs.
const SPILL: usize = 256 * 1024;

pub struct Wire {
    pub stream: Stream,
    pub input: BytesMut,
    pub out: Vec<u8>,
    /// The running statement's text, for error positions.
    pub source: String,
    pending: Vec<PendingCommit>,
    scratch: String,
    /// `client_min_messages`.
    pub min_messages: Severity,
    /// The client went away or broke the protocol; the session ends.
    pub lost: bool,
    /// Messages that arrive during COPY FROM STDIN belong to it.
    copy_in_active: bool,
}

/// A complete message's place in the input: type and body length.
#[derive(Clone, Copy, Debug)]
pub struct Frame {
    pub kind: u8,
    pub body: usize,
}

impl Wire {
    pub fn new(stream: Stream) -> Wire {
        Wire {
            stream,
            input: BytesMut::new(),
            out: Vec::new(),
            source: String::new(),
            pending: Vec::new(),
            scratch: String::new(),
            min_messages: Severity::Notice,
            lost: false,
            copy_in_active: false,
        }
    }

    /// The next message, if it is complete.
    pub fn peek_frame(&self) -> PgResult<Option<Frame>> {
        if self.input.len() < 5 {
            return Ok(None);
        }
        let kind = self.input[0];
        if !frontend::known_type(kind) {
            return Err(PgError::new(
                codes::PROTOCOL_VIOLATION,
                format!("invalid frontend message type {kind}"),
            )
            .severity(Severity::Fatal));
        }
        let len = u32::from_be_bytes([self.input[1], self.input[2], self.input[3], self.input[4]]) as usize;
        if !(4..=frontend::MAX_MESSAGE).contains(&len) {
            return Err(
                PgError::new(codes::PROTOCOL_VIOLATION, "invalid message length").severity(Severity::Fatal)
            );
        }
        Ok((self.input.len() > len).then_some(Frame { kind, body: len - 4 }))
    }

    /// Takes a complete message off the input.
    pub fn take_frame(&mut self, frame: Frame) -> BytesMut {
        self.input.advance(5);
        self.input.split_to(frame.body)
    }

    /// Waits for more input; false = the client is gone.
    pub async fn fill(&mut self) -> bool {
        if self.input.capacity() - self.input.len() < 1024 {
            self.input.reserve(if self.copy_in_active { 64 * 1024 } else { 8192 });
        }
        matches!(self.stream.read_buf(&mut self.input).await, Ok(n) if n > 0)
    }

    /// Writes everything out, after pending commits are durable.
    pub async fn flush(&mut self) -> PgResult<()> {
        while let Some(commit) = self.pending.pop() {
            std::future::poll_fn(|cx| commit.poll(cx)).await?;
        }
        if !self.out.is_empty() {
            if self.stream.write_all(&self.out).await.is_err() {
                self.lost = true;
            }
            self.out.clear();
            if self.out.capacity() > 2 * SPILL {
                self.out = Vec::new();
            }
        }
        Ok(())
    }

    fn spill(&mut self) -> PgResult<()> {
        if self.out.len() < SPILL {
            return Ok(());
        }
        block(self.flush())?;
        self.check_lost()
    }

    fn check_lost(&self) -> PgResult<()> {
        if self.lost {
            bail!(CONNECTION_FAILURE, "connection to client lost");
        }
        Ok(())
    }

    pub fn send_error(&mut self, error: &PgError) {
        backend::error(&mut self.out, error, &self.source);
    }

    fn data_row(
        &mut self,
        env: &dyn TypeEnv,
        columns: &[OutColumn],
        formats: &[i16],
        row: &[Datum],
    ) -> PgResult<()> {
        let out = &mut self.out;
        let at = backend::begin(out, b'D');
        out.extend_from_slice(&(columns.len() as u16).to_be_bytes());
        for (i, (column, value)) in columns.iter().zip(row).enumerate() {
            if value.is_null() {
                out.extend_from_slice(&(-1i32).to_be_bytes());
                continue;
            }
            let len_at = out.len();
            out.extend_from_slice(&[0; 4]);
            if backend::format_of(formats, i) == 1 {
                binary::binary_send(env, column.ty, value, out)?;
            } else {
                write_text(env, column, value, out, &mut self.scratch)?;
            }
            backend::end_value(out, len_at);
        }
        backend::end(out, at);
        Ok(())
    }

    fn next_copy_message(&mut self) -> PgResult<Option<Vec<u8>>> {
        loop {
            self.check_lost()?;
            let Some(frame) = self.peek_frame()? else {
                if !block(self.fill()) {
                    self.lost = true;
                    bail!(CONNECTION_FAILURE, "unexpected EOF on client connection with an open transaction");
                }
                continue;
            };
            let body = self.take_frame(frame);
            match frame.kind {
                b'd' => return self.copy_data(&body).map(Some),
                b'c' => return Ok(None),
                b'f' => {
                    let reason = frontend::Body::new(&body).cstr().unwrap_or("").to_string();
                    bail!(QUERY_CANCELED, "COPY from stdin failed: {reason}");
                }
                b'H' | b'S' => {}
                b'X' => {
                    self.lost = true;
                    bail!(CONNECTION_FAILURE, "unexpected EOF on client connection with an open transaction");
                }
                kind => {
                    bail!(PROTOCOL_VIOLATION, "unexpected message type 0x{kind:02X} during COPY from stdin");
                }
            }
        }
    }
}

impl Wire {
    /// A message of COPY data and those that have arrived behind it, as one chunk. Why: clients send a message a row.
    fn copy_data(&mut self, first: &[u8]) -> PgResult<Vec<u8>> {
        let mut data = Vec::with_capacity(first.len() + self.input.len());
        data.extend_from_slice(first);
        while let Some(frame) = self.peek_frame()?.filter(|f| f.kind == b'd') {
            data.extend_from_slice(&self.input[5..5 + frame.body]);
            self.input.advance(5 + frame.body);
        }
        Ok(data)
    }
}

/// Text format without going through UTF-8 checks and scratch for the common scalars.
fn write_text(
    env: &dyn TypeEnv,
    column: &OutColumn,
    value: &Datum,
    out: &mut Vec<u8>,
    scratch: &mut String,
) -> PgResult<()> {
    match value {
        Datum::Text(s) => out.extend_from_slice(s.as_bytes()),
        Datum::Int4(v) => out.extend_from_slice(itoa::Buffer::new().format(*v).as_bytes()),
        Datum::Int8(v) if column.ty == pglite_types::oid::INT8 => {
            out.extend_from_slice(itoa::Buffer::new().format(*v).as_bytes());
        }
        Datum::Int2(v) => out.extend_from_slice(itoa::Buffer::new().format(*v).as_bytes()),
        _ => {
            scratch.clear();
            text::text_out(env, column.ty, value, scratch)?;
            out.extend_from_slice(scratch.as_bytes());
        }
    }
    Ok(())
}

/// Waits inside a running statement, with the worker given up.
fn block<T>(future: impl Future<Output = T>) -> T {
    tokio::task::block_in_place(|| Handle::current().block_on(future))
}

impl Client for Wire {
    fn describe_rows(&mut self, columns: &[OutColumn], formats: &[i16]) -> PgResult<()> {
        backend::row_description(&mut self.out, columns, formats);
        Ok(())
    }

    fn rows(
        &mut self,
        env: &dyn TypeEnv,
        columns: &[OutColumn],
        formats: &[i16],
        batch: &Batch,
    ) -> PgResult<()> {
        for row in batch.rows() {
            let start = self.out.len();
            if let Err(e) = self.data_row(env, columns, formats, row) {
                self.out.truncate(start);
                return Err(e);
            }
            self.spill()?;
        }
        Ok(())
    }

    fn complete(&mut self, tag: &str) -> PgResult<()> {
        backend::command_complete(&mut self.out, tag);
        Ok(())
    }

    fn empty_query(&mut self) -> PgResult<()> {
        backend::empty_query(&mut self.out);
        Ok(())
    }

    fn notice(&mut self, notice: &PgError) {
        let f = notice.fields();
        if f.severity >= self.min_messages || f.severity == Severity::Info {
            backend::error(&mut self.out, notice, &self.source);
        }
    }

    fn parameter_status(&mut self, name: &str, value: &str) {
        backend::parameter_status(&mut self.out, name, value);
    }

    fn notification(&mut self, pid: u32, channel: &str, payload: &str) {
        backend::notification(&mut self.out, pid, channel, payload);
    }

    fn commit_pending(&mut self, commit: PendingCommit) -> PgResult<()> {
        self.pending.push(commit);
        Ok(())
    }

    fn copy_out_begin(&mut self, binary: bool, columns: usize) -> PgResult<()> {
        backend::copy_response(&mut self.out, b'H', binary, columns);
        Ok(())
    }

    fn copy_out(&mut self, data: Option<&[u8]>) -> PgResult<()> {
        match data {
            Some(data) => {
                backend::copy_data(&mut self.out, data);
                self.spill()
            }
            None => {
                backend::copy_done(&mut self.out);
                Ok(())
            }
        }
    }

    fn copy_in_begin(&mut self, binary: bool, columns: usize) -> PgResult<()> {
        backend::copy_response(&mut self.out, b'G', binary, columns);
        self.copy_in_active = true;
        block(self.flush())
    }

    fn copy_in(&mut self) -> PgResult<Option<Vec<u8>>> {
        let message = self.next_copy_message();
        if !matches!(message, Ok(Some(_))) {
            self.copy_in_active = false;
        }
        message
    }
}

impl Wire {
    /// After an error inside COPY FROM STDIN: the client may still be sending; its data messages up to CopyDone or
    /// CopyFail are skipped by the main loop.
    pub fn take_copy_in_active(&mut self) -> bool {
        std::mem::take(&mut self.copy_in_active)
    }
}
