//! `Client`: the receiving end of a session. The server's connection writes frames; an embedder collects rows.
//!
//! Defined here, below the session, because COPY and EXPLAIN speak to the client themselves.

use std::sync::Arc;
use std::task::{Context, Poll};

use pglite_error::{PgError, PgResult};
use pglite_txn::Commit;
use pglite_types::{Batch, Oid, TypeEnv};

/// A result column as a client sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct OutColumn {
    pub name: String,
    /// The column's source, 0 when it is an expression.
    pub table: Oid,
    pub attno: i16,
    pub ty: Oid,
    /// `pg_type.typlen`.
    pub typlen: i16,
    pub typmod: i32,
}

/// A commit under way, watched by the client (which must not speak before it is durable) and by the session (which must
/// not begin another transaction before its locks are free).
#[derive(Clone, Debug)]
pub struct PendingCommit(Arc<Commit>);

impl PendingCommit {
    pub fn of(commit: Commit) -> PendingCommit {
        PendingCommit(Arc::new(commit))
    }
    /// Blocks the thread until the commit is as durable as asked; the thread may write and sync the log meanwhile.
    pub fn wait(&self) -> PgResult<()> {
        self.0.wait()
    }
    pub fn is_done(&self) -> bool {
        self.0.poll().is_some()
    }
    /// For futures: resolves as [`wait`](Self::wait) returns.
    pub fn poll(&self, cx: &mut Context<'_>) -> Poll<PgResult<()>> {
        self.0.poll_with(cx.waker())
    }
}

/// What a session says while it runs a statement. Calls come in protocol order.
pub trait Client {
    /// The shape of the rows that follow. Not called for Execute on a portal (its shape was described).
    fn describe_rows(&mut self, columns: &[OutColumn], formats: &[i16]) -> PgResult<()>;
    /// Rows; only the first `columns.len()` values of each are output.
    fn rows(
        &mut self,
        env: &dyn TypeEnv,
        columns: &[OutColumn],
        formats: &[i16],
        batch: &Batch,
    ) -> PgResult<()>;
    /// The statement is done.
    fn complete(&mut self, tag: &str) -> PgResult<()>;
    fn empty_query(&mut self) -> PgResult<()>;
    fn notice(&mut self, notice: &PgError);
    fn parameter_status(&mut self, name: &str, value: &str);
    fn notification(&mut self, pid: u32, channel: &str, payload: &str);
    /// A commit that is visible but perhaps not yet durable: nothing said after this may reach the outside before it is.
    fn commit_pending(&mut self, commit: PendingCommit) -> PgResult<()>;
    /// COPY TO STDOUT begins; data rows follow, then `copy_out(None)`.
    fn copy_out_begin(&mut self, binary: bool, columns: usize) -> PgResult<()>;
    fn copy_out(&mut self, data: Option<&[u8]>) -> PgResult<()>;
    /// COPY FROM STDIN begins; `copy_in` then yields chunks until None. A client that gives up yields an error.
    fn copy_in_begin(&mut self, binary: bool, columns: usize) -> PgResult<()>;
    fn copy_in(&mut self) -> PgResult<Option<Vec<u8>>>;
}
