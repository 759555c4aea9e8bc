//! INSERT, UPDATE, DELETE, MERGE, and PL/pgSQL's assignment.

use super::*;

nodes! {
    struct InsertStmt {
        relation: RangeVar,
        cols: Vec<ResTarget>,
        /// None: DEFAULT VALUES.
        select_stmt: Option<Box<SelectStmt>>,
        on_conflict_clause: Option<Box<OnConflictClause>>,
        returning_clause: Option<ReturningClause>,
        with_clause: Option<Box<WithClause>>,
        override_: OverridingKind,
    }
    enum OverridingKind { NotSet, UserValue, SystemValue }
    struct OnConflictClause {
        action: OnConflictAction,
        infer: Option<InferClause>,
        target_list: Vec<ResTarget>,
        where_clause: Option<Expr>,
        location: i32,
    }
    enum OnConflictAction { None, Nothing, Update }
    default struct InferClause {
        index_elems: Vec<IndexElem>,
        where_clause: Option<Expr>,
        conname: Option<String>,
        location: i32,
    }
    default struct ReturningClause { options: Vec<ReturningOption>, exprs: Vec<ResTarget> }
    struct ReturningOption { option: ReturningOptionKind, value: String, location: i32 }
    enum ReturningOptionKind { Old, New }
    struct UpdateStmt {
        relation: RangeVar,
        target_list: Vec<ResTarget>,
        where_clause: Option<Expr>,
        from_clause: Vec<FromItem>,
        returning_clause: Option<ReturningClause>,
        with_clause: Option<Box<WithClause>>,
    }
    struct DeleteStmt {
        relation: RangeVar,
        using_clause: Vec<FromItem>,
        where_clause: Option<Expr>,
        returning_clause: Option<ReturningClause>,
        with_clause: Option<Box<WithClause>>,
    }
    struct MergeStmt {
        relation: RangeVar,
        source_relation: FromItem,
        join_condition: Expr,
        merge_when_clauses: Vec<MergeWhenClause>,
        returning_clause: Option<ReturningClause>,
        with_clause: Option<Box<WithClause>>,
    }
    default struct MergeWhenClause {
        match_kind: MergeMatchKind,
        /// Update, Insert, Delete or Nothing.
        command_type: CmdType,
        override_: OverridingKind,
        condition: Option<Expr>,
        target_list: Vec<ResTarget>,
        /// Of INSERT; empty for DEFAULT VALUES.
        values: Vec<Expr>,
    }
    enum MergeMatchKind { Matched, NotMatchedBySource, NotMatchedByTarget }
    enum CmdType { Unknown, Select, Update, Insert, Delete, Merge, Utility, Nothing }
    /// RETURN in a SQL-standard function body.
    struct ReturnStmt { returnval: Expr }
    /// `target := expression`, only in the PL/pgSQL modes.
    struct PLAssignStmt {
        name: String,
        indirection: Vec<Indirection>,
        /// How many of the leading names belong to the variable.
        nnames: i32,
        val: Box<SelectStmt>,
        location: i32,
    }
}
