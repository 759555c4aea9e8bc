//! What one run of a statement gets from outside: transaction, snapshot, session services, and callbacks for what
//! lives above the executor.
//!
//! Invariant: nothing here is kept between calls of [`crate::Executor::run`]; a suspended portal holds no borrow.

use std::sync::Arc;

use pglite_catalog::RelDesc;
use pglite_error::PgResult;
use pglite_ir::abi::{CallInfo, FnHost, RowSource};
use pglite_ir::expr::Expr;
use pglite_txn::am::{IndexAm, TableAm};
use pglite_txn::{IndexRef, ReadView, TableDesc, Transaction};
use pglite_types::{Datum, Oid, Row};

/// The surroundings of one `run` call.
#[derive(Clone, Copy)]
pub struct ExecEnv<'a> {
    pub txn: &'a Transaction,
    pub view: &'a ReadView,
    pub host: &'a dyn FnHost,
    pub hooks: &'a dyn ExecHooks,
    /// Bytes one sort or hash may use (`work_mem`).
    pub work_mem: usize,
}

/// An open table: its storage and indexes.
pub struct OpenRel {
    pub rel: Arc<RelDesc>,
    pub table: Arc<TableDesc>,
    pub am: Arc<dyn TableAm>,
    /// Every index that must be maintained, in OID order.
    pub indexes: Vec<OpenIndex>,
}

/// An open index.
#[derive(Clone)]
pub struct OpenIndex {
    pub oid: Oid,
    pub index: Arc<IndexRef>,
    pub am: Arc<dyn IndexAm>,
}

/// A domain's constraints, outermost domain last.
#[derive(Clone, Debug)]
pub struct DomainChecks {
    pub domain: Oid,
    pub name: String,
    pub not_null: bool,
    /// Constraint name and bound CHECK expression over `CoerceToDomainValue`.
    pub checks: Vec<(String, Expr)>,
}

/// Bound expressions of a table: Vars have `rte` 1 and the table's attnos.
#[derive(Clone, Debug, Default)]
pub struct TableExprs {
    /// CHECK constraints in name order: name, expression, enforced.
    pub checks: Vec<(String, Expr)>,
    /// Stored and virtual generated columns: attno, expression, stored.
    pub generated: Vec<(i16, Expr, bool)>,
    /// Per index: key expressions in order (for key columns with attno 0) and the predicate.
    pub indexes: Vec<(Oid, Vec<Expr>, Option<Expr>)>,
    /// The partition constraint of a partition.
    pub partition: Option<Expr>,
    /// Expressions of a partitioned table's key, in order.
    pub partition_key: Vec<Expr>,
    /// Column defaults: attno and expression (SET DEFAULT actions).
    pub defaults: Vec<(i16, Expr)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TriggerEvent {
    Insert,
    Update,
    Delete,
    Truncate,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TriggerTiming {
    Before,
    After,
    Instead,
}

/// The rows of a statement's transition tables.
#[derive(Clone, Debug, Default)]
pub struct Transition {
    pub old: Arc<Vec<Row>>,
    pub new: Arc<Vec<Row>>,
}

/// One moment at which triggers fire. The hook runs every matching trigger of the relation in name order.
pub struct TriggerCall<'a> {
    pub rel: &'a Arc<RelDesc>,
    pub event: TriggerEvent,
    pub timing: TriggerTiming,
    pub row: bool,
    pub old: Option<&'a [Datum]>,
    pub new: Option<&'a [Datum]>,
    /// Columns assigned by UPDATE (attnos), for `UPDATE OF`.
    pub updated: &'a [i16],
    pub transition: Option<&'a Arc<Transition>>,
}

/// What a BEFORE or INSTEAD OF row trigger decided.
pub enum TriggerOutcome {
    /// Go on with the row as it is.
    Proceed,
    /// Go on with this new row.
    Replace(Row),
    /// The trigger returned NULL: skip the row.
    Skip,
}

/// A row event that waits for the end of the statement or transaction.
#[derive(Clone, Debug)]
pub struct AfterEvent {
    pub rel: Arc<RelDesc>,
    pub event: TriggerEvent,
    pub old: Option<Row>,
    pub new: Option<Row>,
    pub updated: Vec<i16>,
    pub transition: Option<Arc<Transition>>,
}

/// A foreign key or unique check put off to the end of the transaction (or SET CONSTRAINTS).
#[derive(Clone, Debug)]
pub struct DeferredCheck {
    pub constraint: Oid,
    pub rel: Arc<RelDesc>,
    pub kind: DeferredKind,
    pub old: Option<Row>,
    pub new: Option<Row>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeferredKind {
    ForeignKeyReferencing,
    ForeignKeyReferenced,
    Unique,
}

/// Callbacks to the layers above. The session implements it.
pub trait ExecHooks {
    /// Opens a table for this transaction (storage handles and indexes).
    fn open_relation(&self, rel: &Arc<RelDesc>) -> PgResult<Arc<OpenRel>>;
    /// Calls a function that is not built in (LANGUAGE sql, plpgsql).
    fn call_function(&self, info: &CallInfo, args: &[Datum]) -> PgResult<Datum>;
    /// Calls a set-returning function that is not built in.
    fn call_set_function(&self, info: &CallInfo, args: &[Datum]) -> PgResult<Box<dyn RowSource>>;
    /// The constraints of a domain and of the domains below it, base first.
    fn domain_checks(&self, domain: Oid) -> PgResult<Vec<DomainChecks>>;
    /// A table's bound expressions; cached by the session per catalog version.
    fn table_exprs(&self, rel: &Arc<RelDesc>) -> PgResult<Arc<TableExprs>>;
    /// Fires triggers now.
    fn fire_triggers(&self, call: &TriggerCall<'_>) -> PgResult<TriggerOutcome>;
    /// Whether the relation has triggers for this moment; lets the executor skip building rows.
    fn has_triggers(&self, rel: &Arc<RelDesc>, event: TriggerEvent, timing: TriggerTiming, row: bool)
    -> bool;
    /// Queues a deferred constraint check.
    fn defer(&self, check: DeferredCheck) -> PgResult<()>;
    /// True when the constraint is to be checked at once (SET CONSTRAINTS considered).
    fn is_immediate(&self, constraint: Oid, initially_deferred: bool) -> bool;
    /// The row under a cursor, for WHERE CURRENT OF: (table OID, row id).
    fn cursor_row(&self, cursor: &str, rel: Oid) -> PgResult<Option<u64>>;
    /// A named tuplestore (transition table) visible to the running statement.
    fn tuplestore(&self, name: &str) -> PgResult<Arc<Vec<Row>>>;
    /// A monotonic clock in nanoseconds, for EXPLAIN ANALYZE.
    fn nanos(&self) -> u64;
}
