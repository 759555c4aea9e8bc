//! Session and maintenance statements: SET, transactions, cursors, COPY, EXPLAIN, PREPARE, VACUUM, LOCK ...

use super::*;

nodes! {
    struct VariableSetStmt {
        kind: VariableSetKind,
        /// For SetMulti "TRANSACTION", "SESSION CHARACTERISTICS" or "TRANSACTION SNAPSHOT". Empty for RESET ALL.
        name: String,
        /// Constants, or a cast constant (SET TIME ZONE INTERVAL ...).
        args: Vec<Expr>,
        /// Transaction modes of SetMulti.
        modes: Vec<DefElem>,
        is_local: bool,
        location: i32,
    }
    enum VariableSetKind { SetValue, SetDefault, SetCurrent, SetMulti, Reset, ResetAll }
    /// "all" for SHOW ALL.
    struct VariableShowStmt { name: String }
    struct AlterSystemStmt { setstmt: VariableSetStmt }
    struct TransactionStmt {
        kind: TransactionStmtKind,
        /// Modes: transaction_isolation (String), transaction_read_only, transaction_deferrable (Boolean).
        options: Vec<DefElem>,
        savepoint_name: Option<String>,
        gid: Option<String>,
        chain: bool,
        location: i32,
    }
    enum TransactionStmtKind {
        Begin, Start, Commit, Rollback, Savepoint, Release, RollbackTo, Prepare, CommitPrepared, RollbackPrepared,
    }
    /// Empty `constraints`: ALL.
    struct ConstraintsSetStmt { constraints: Vec<RangeVar>, deferred: bool }
    struct DeclareCursorStmt {
        portalname: String,
        /// Bits of [`cursor_option`].
        options: u32,
        query: Box<SelectStmt>,
    }
    /// None: CLOSE ALL
    struct ClosePortalStmt { portalname: Option<String> }
    struct FetchStmt {
        direction: FetchDirection,
        /// [`FETCH_ALL`] for ALL
        how_many: i64,
        portalname: String,
        ismove: bool,
    }
    enum FetchDirection { Forward, Backward, Absolute, Relative }
    struct CopyStmt {
        /// Either this or `query`.
        relation: Option<RangeVar>,
        query: Option<Statement>,
        attlist: Vec<String>,
        is_from: bool,
        is_program: bool,
        /// None: STDIN or STDOUT
        filename: Option<String>,
        options: Vec<DefElem>,
        where_clause: Option<Expr>,
    }
    struct ExplainStmt { query: Statement, options: Vec<DefElem> }
    struct PrepareStmt { name: String, argtypes: Vec<TypeName>, query: Statement }
    struct ExecuteStmt { name: String, params: Vec<Expr> }
    /// None: ALL
    struct DeallocateStmt { name: Option<String>, location: i32 }
    struct TruncateStmt { relations: Vec<RangeVar>, restart_seqs: bool, behavior: DropBehavior }
    struct LockStmt {
        relations: Vec<RangeVar>,
        /// 1 ACCESS SHARE ... 8 ACCESS EXCLUSIVE
        mode: i32,
        nowait: bool,
    }
    struct VacuumStmt {
        options: Vec<DefElem>,
        rels: Vec<VacuumRelation>,
        /// false: ANALYZE
        is_vacuumcmd: bool,
    }
    struct VacuumRelation { relation: RangeVar, va_cols: Vec<String> }
    struct ClusterStmt { relation: Option<RangeVar>, indexname: Option<String>, params: Vec<DefElem> }
    struct ReindexStmt {
        kind: ReindexObjectType,
        relation: Option<RangeVar>,
        name: Option<String>,
        /// CONCURRENTLY is the option "concurrently".
        params: Vec<DefElem>,
    }
    enum ReindexObjectType { Index, Table, Schema, System, Database }
    struct CheckPointStmt { location: i32 }
    struct DiscardStmt { target: DiscardMode }
    enum DiscardMode { All, Plans, Sequences, Temp }
    struct LoadStmt { filename: String }
    struct NotifyStmt { conditionname: String, payload: Option<String> }
    struct ListenStmt { conditionname: String }
    /// None: `*`
    struct UnlistenStmt { conditionname: Option<String> }
}

/// `FetchStmt::how_many` of FETCH ALL.
pub const FETCH_ALL: i64 = i64::MAX;

/// Bits of `DeclareCursorStmt::options`.
pub mod cursor_option {
    pub const BINARY: u32 = 0x0001;
    pub const SCROLL: u32 = 0x0002;
    pub const NO_SCROLL: u32 = 0x0004;
    pub const INSENSITIVE: u32 = 0x0008;
    pub const ASENSITIVE: u32 = 0x0010;
    pub const HOLD: u32 = 0x0020;
    pub const FAST_PLAN: u32 = 0x0100;
}
