//! The function-call ABI: how the executor calls built-in bodies, and what bodies may ask of the session.
//!
//! Bodies live in `pglite-functions`; the executor finds them by `prosrc` once, when it compiles an expression, and then
//! calls through plain function pointers. Strictness is the caller's business: a strict function never sees NULL.

use std::any::Any;
use std::sync::Arc;

use pglite_catalog::Snapshot;
use pglite_error::{PgError, PgResult};
use pglite_types::{Datum, Oid, Row, TypeEnv};

/// The static facts of one call site.
#[derive(Clone, Debug, Default)]
pub struct CallInfo {
    pub func: Oid,
    pub ret_type: Oid,
    /// Actual (not declared) argument types: polymorphic functions read them.
    pub arg_types: Vec<Oid>,
    pub collation: Oid,
    /// The last argument is an explicit VARIADIC array.
    pub variadic: bool,
    /// Output columns of a record-returning set function with a column definition list.
    pub columns: Vec<(String, Oid, i32)>,
}

/// What a body gets besides its arguments.
#[derive(Clone, Copy)]
pub struct FnCtx<'a> {
    pub host: &'a dyn FnHost,
    pub call: &'a CallInfo,
}

pub type ScalarFn = fn(&FnCtx<'_>, &[Datum]) -> PgResult<Datum>;
pub type SetFn = fn(&FnCtx<'_>, &[Datum]) -> PgResult<Box<dyn RowSource>>;
pub type AggregateFn = fn(&FnCtx<'_>) -> PgResult<Box<dyn Accumulator>>;
pub type WindowFn = fn(&FnCtx<'_>, &mut dyn WindowAccess) -> PgResult<Datum>;

/// What `pglite_functions::body(prosrc)` yields.
#[derive(Clone, Copy)]
pub enum Body {
    Scalar(ScalarFn),
    Set(SetFn),
    Aggregate(AggregateFn),
    Window(WindowFn),
}

/// Rows of a set-returning function, one at a time. A scalar result is a one-column row.
pub trait RowSource: Send {
    /// Fills `out` (cleared by the caller) and returns true, or returns false at the end.
    fn next(&mut self, ctx: &FnCtx<'_>, out: &mut Row) -> PgResult<bool>;
}

/// One group's running state of an aggregate. NULL handling is the accumulator's own.
pub trait Accumulator: Send {
    fn update(&mut self, ctx: &FnCtx<'_>, args: &[Datum]) -> PgResult<()>;
    /// `rows` calls at once; `args` is row-major with `width` values a row.
    fn update_batch(&mut self, ctx: &FnCtx<'_>, args: &[Datum], width: usize) -> PgResult<()> {
        for row in args.chunks_exact(width.max(1)) {
            self.update(ctx, row)?;
        }
        Ok(())
    }
    /// Takes back a row that left a moving window frame; false = cannot, recompute.
    fn inverse(&mut self, _ctx: &FnCtx<'_>, _args: &[Datum]) -> PgResult<bool> {
        Ok(false)
    }
    /// The aggregate's value so far; may be called repeatedly (window frames). `direct`: ordered-set direct arguments.
    fn finish(&mut self, ctx: &FnCtx<'_>, direct: &[Datum]) -> PgResult<Datum>;
    /// Approximate heap bytes, for memory accounting.
    fn memory(&self) -> usize {
        0
    }
}

/// A window function's view of its partition. Positions are 0-based rows of the partition.
pub trait WindowAccess {
    fn row_count(&mut self) -> PgResult<i64>;
    fn current(&self) -> i64;
    /// First row after the current row's peers, and first peer.
    fn peer_range(&mut self) -> PgResult<(i64, i64)>;
    /// Evaluates argument `arg` (0-based) at an absolute partition row; None outside the partition.
    fn arg_at(&mut self, arg: usize, row: i64) -> PgResult<Option<Datum>>;
    /// Row `n` (0-based) of the frame after exclusion, counted from its head or tail; evaluates `arg` there.
    fn arg_in_frame(&mut self, arg: usize, n: i64, from_tail: bool) -> PgResult<Option<Datum>>;
    /// Scratch that lives as long as the partition.
    fn state(&mut self) -> &mut Option<Box<dyn Any + Send>>;
}

/// A request to a sequence.
#[derive(Clone, Copy, Debug)]
pub enum SequenceOp {
    Next,
    Current,
    Set {
        value: i64,
        called: bool,
    },
    /// (last_value, is_called)
    Read,
}

/// The clocks of a statement, microseconds since 2000-01-01 UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    Transaction,
    Statement,
    Now,
}

/// Which user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserKind {
    Current,
    Session,
    System,
}

/// What bodies may ask of the session. The session implements it; everything else is out of their reach.
pub trait FnHost: TypeEnv {
    fn catalog(&self) -> &Arc<Snapshot>;
    fn setting(&self, name: &str) -> Option<String>;
    /// set_config(): `local` = until the transaction's end.
    fn set_setting(&self, name: &str, value: &str, local: bool) -> PgResult<String>;
    fn clock(&self, which: Clock) -> i64;
    fn user(&self, which: UserKind) -> Oid;
    fn sequence(&self, seq: Oid, op: SequenceOp) -> PgResult<(i64, bool)>;
    /// Sends a notice, warning, info or log message to the client.
    fn notice(&self, notice: PgError);
    /// Random bits of the session's generator (random(), gen_random_uuid() ...).
    fn random(&self) -> u64;
    /// Runs a query with parameters and collects its rows (query_to_xml, ts_stat, pg_get_* helpers, SQL functions).
    fn run_query(&self, sql: &str, params: &[(Oid, Datum)]) -> PgResult<Vec<Row>>;
    /// Session and server facts and acts that only a few functions need, by name: "backend_pid", "database_oid",
    /// "advisory_lock", "cancel_backend", "stat_activity", "locks", "relation_size", "txid_current", "notify" ...
    /// Arguments and results are as the function using it documents; unknown names raise 0A000.
    fn service(&self, name: &str, args: &[Datum]) -> PgResult<Vec<Row>>;
    /// Calls any function by OID (comparison functions of user types, casts in aggregates ...).
    fn call(&self, func: Oid, collation: Oid, args: &[Datum]) -> PgResult<Datum>;
    /// Returns an error when the statement was cancelled or ran past its time or memory; long loops call it.
    fn check_interrupts(&self) -> PgResult<()>;
}
