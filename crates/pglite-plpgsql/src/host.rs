//! What running functions ask of the session. `pglite-sql` implements it.

use std::sync::Arc;

use pglite_analyze::AnalyzeEnv;
use pglite_error::PgResult;
use pglite_exec::{ExecEnv, Prepared};
use pglite_parser::ast::RawStmt;
use pglite_planner::PlannerEnv;
use pglite_types::{AttrDesc, Datum, Oid, Row};

/// One state of the session: catalogs, settings, snapshot.
pub trait PlEnv {
    fn exec_env(&self) -> ExecEnv<'_>;
    fn analyze(&self) -> &dyn AnalyzeEnv;
    fn planner(&self) -> &dyn PlannerEnv;
}

/// What a utility statement left.
#[derive(Default)]
pub struct UtilityResult {
    pub rows: Vec<Row>,
    pub columns: Vec<Column>,
    pub tag: String,
}

/// A result column.
#[derive(Clone, Debug)]
pub struct Column {
    pub name: String,
    pub ty: Oid,
    pub typmod: i32,
}

impl Column {
    pub fn attr(&self) -> AttrDesc {
        AttrDesc { name: self.name.as_str().into(), type_oid: self.ty, typmod: self.typmod, dropped: false }
    }
}

/// A cursor to open.
pub struct OpenCursor<'a> {
    /// None: the session makes a name.
    pub name: Option<&'a str>,
    pub source: &'a str,
    pub plan: Arc<Prepared>,
    pub params: Arc<[Datum]>,
    pub scroll: Option<bool>,
    /// A loop's: it outlives a COMMIT in the loop.
    pub pinned: bool,
}

/// Where a fetch goes.
#[derive(Clone, Copy, Debug)]
pub enum FetchTo {
    Forward(i64),
    Backward(i64),
    ForwardAll,
    BackwardAll,
    Absolute(i64),
    Relative(i64),
}

/// An act on a subtransaction (an EXCEPTION block's).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubAct {
    Begin,
    Release,
    Rollback,
}

pub trait PlHost {
    /// The session now. `fresh`: with a new snapshot that sees what ran so far; otherwise the caller's.
    fn env(&self, fresh: bool) -> PgResult<Box<dyn PlEnv + '_>>;
    /// Changes when plans made before may be stale.
    fn stamp(&self) -> u64;
    /// What ran becomes visible to what runs next.
    fn command_done(&self) -> PgResult<()>;
    /// `atomic`: a DO may not end the transaction.
    fn utility(
        &self,
        raw: &Arc<RawStmt>,
        source: &str,
        params: &[(Oid, Datum)],
        atomic: bool,
    ) -> PgResult<UtilityResult>;
    /// Calls a procedure with the values of its input arguments; yields its OUT row.
    fn call_procedure(&self, call: &pglite_ir::CallInfo, args: &[Datum], atomic: bool) -> PgResult<Datum>;
    fn subtransaction(&self, act: SubAct) -> PgResult<()>;
    /// COMMIT (true) or ROLLBACK, and the start of the next transaction.
    fn end_transaction(&self, commit: bool, chain: bool) -> PgResult<()>;
    /// Returns the cursor's name.
    fn open_cursor(&self, open: OpenCursor<'_>) -> PgResult<String>;
    /// None: no such cursor.
    fn fetch_cursor(&self, name: &str, to: FetchTo) -> PgResult<Option<(Vec<Row>, Vec<Column>)>>;
    /// False: no such cursor.
    fn close_cursor(&self, name: &str) -> PgResult<bool>;
}
