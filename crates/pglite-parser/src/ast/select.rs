//! SELECT and its clauses.

use super::*;

nodes! {
    /// SELECT, VALUES, TABLE or a set operation.
    ///
    /// A leaf has `op == None` and either `values_lists` or the other clauses; a set operation has `larg` and
    /// `rarg`. ORDER BY, LIMIT, locking and WITH may stand on either.
    default struct SelectStmt {
        /// None: no DISTINCT. Empty: plain DISTINCT. Else DISTINCT ON.
        distinct_clause: Option<Vec<Expr>>,
        into_clause: Option<Box<IntoClause>>,
        target_list: Vec<ResTarget>,
        from_clause: Vec<FromItem>,
        where_clause: Option<Expr>,
        group_clause: Vec<GroupItem>,
        group_distinct: bool,
        having_clause: Option<Expr>,
        window_clause: Vec<WindowDef>,
        values_lists: Vec<Vec<Expr>>,
        sort_clause: Vec<SortBy>,
        limit_offset: Option<Expr>,
        /// LIMIT ALL is a null constant.
        limit_count: Option<Expr>,
        limit_option: LimitOption,
        locking_clause: Vec<LockingClause>,
        with_clause: Option<Box<WithClause>>,
        op: SetOperation,
        all: bool,
        larg: Option<Box<SelectStmt>>,
        rarg: Option<Box<SelectStmt>>,
    }
    enum SetOperation { None, Union, Intersect, Except }
    enum LimitOption { Default, Count, WithTies }
    struct IntoClause {
        rel: RangeVar,
        col_names: Vec<String>,
        access_method: Option<String>,
        options: Vec<DefElem>,
        on_commit: OnCommitAction,
        table_space_name: Option<String>,
        skip_data: bool,
    }
    struct WithClause { ctes: Vec<CommonTableExpr>, recursive: bool, location: i32 }
    struct CommonTableExpr {
        ctename: String,
        aliascolnames: Vec<String>,
        ctematerialized: CteMaterialize,
        ctequery: Statement,
        search_clause: Option<CteSearchClause>,
        cycle_clause: Option<CteCycleClause>,
        location: i32,
    }
    enum CteMaterialize { Default, Always, Never }
    struct CteSearchClause {
        search_col_list: Vec<String>,
        search_breadth_first: bool,
        search_seq_column: String,
        location: i32,
    }
    struct CteCycleClause {
        cycle_col_list: Vec<String>,
        cycle_mark_column: String,
        cycle_mark_value: Expr,
        cycle_mark_default: Expr,
        cycle_path_column: String,
        location: i32,
    }
    struct SortBy {
        node: Expr,
        sortby_dir: SortByDir,
        sortby_nulls: SortByNulls,
        /// The operator of ORDER BY ... USING.
        use_op: Vec<String>,
        location: i32,
    }
    /// A WINDOW clause entry or an OVER clause.
    default struct WindowDef {
        /// The name being defined (WINDOW) or referenced whole (`OVER w`).
        name: Option<String>,
        /// The window this one is based on (`OVER (w ...)`).
        refname: Option<String>,
        partition_clause: Vec<Expr>,
        order_clause: Vec<SortBy>,
        /// Bits of [`frame`].
        frame_options: u32,
        start_offset: Option<Expr>,
        end_offset: Option<Expr>,
        location: i32,
    }
    struct GroupingSet { kind: GroupingSetKind, content: Vec<GroupItem>, location: i32 }
    enum GroupingSetKind { Empty, Simple, Rollup, Cube, Sets }
    struct LockingClause {
        /// Empty: all tables of FROM.
        locked_rels: Vec<RangeVar>,
        strength: LockClauseStrength,
        wait_policy: LockWaitPolicy,
    }
    enum LockClauseStrength { ForKeyShare, ForShare, ForNoKeyUpdate, ForUpdate }
    enum LockWaitPolicy { Block, Skip, Error }

    struct RangeSubselect { lateral: bool, subquery: Box<SelectStmt>, alias: Option<Alias> }
    /// A function in FROM, or ROWS FROM (...) with several.
    struct RangeFunction {
        lateral: bool,
        ordinality: bool,
        is_rowsfrom: bool,
        functions: Vec<RangeFunctionItem>,
        alias: Option<Alias>,
        /// Column definitions of a single function; those within ROWS FROM stand on the item.
        coldeflist: Vec<ColumnDef>,
    }
    struct RangeFunctionItem { func: Expr, coldeflist: Vec<ColumnDef> }
    struct RangeTableSample {
        relation: FromItem,
        method: Vec<String>,
        args: Vec<Expr>,
        repeatable: Option<Expr>,
        location: i32,
    }
    /// XMLTABLE
    struct RangeTableFunc {
        lateral: bool,
        docexpr: Expr,
        rowexpr: Expr,
        namespaces: Vec<ResTarget>,
        columns: Vec<RangeTableFuncCol>,
        alias: Option<Alias>,
        location: i32,
    }
    default struct RangeTableFuncCol {
        colname: String,
        type_name: Option<TypeName>,
        for_ordinality: bool,
        is_not_null: bool,
        colexpr: Option<Expr>,
        coldefexpr: Option<Expr>,
        location: i32,
    }
    struct JoinExpr {
        jointype: JoinType,
        is_natural: bool,
        larg: FromItem,
        rarg: FromItem,
        using_clause: Vec<String>,
        join_using_alias: Option<Alias>,
        quals: Option<Expr>,
        alias: Option<Alias>,
    }
    enum JoinType { Inner, Left, Full, Right }
}

impl SelectStmt {
    /// INTO of the leftmost leaf of a set operation: there it stands, and it counts for the whole.
    pub fn leftmost_into(&self) -> Option<&IntoClause> {
        let mut leaf = self;
        while let Some(left) = &leaf.larg {
            leaf = left;
        }
        leaf.into_clause.as_deref()
    }
}

/// An item of FROM.
#[derive(Debug, Clone, PartialEq)]
pub enum FromItem {
    RangeVar(Box<RangeVar>),
    RangeSubselect(Box<RangeSubselect>),
    RangeFunction(Box<RangeFunction>),
    RangeTableSample(Box<RangeTableSample>),
    RangeTableFunc(Box<RangeTableFunc>),
    JsonTable(Box<JsonTable>),
    JoinExpr(Box<JoinExpr>),
}

/// An item of GROUP BY.
#[derive(Debug, Clone, PartialEq)]
pub enum GroupItem {
    Expr(Expr),
    GroupingSet(Box<GroupingSet>),
}

/// `WindowDef::frame_options`: PostgreSQL's FRAMEOPTION_* bits.
pub mod frame {
    pub const NONDEFAULT: u32 = 0x00001;
    pub const RANGE: u32 = 0x00002;
    pub const ROWS: u32 = 0x00004;
    pub const GROUPS: u32 = 0x00008;
    pub const BETWEEN: u32 = 0x00010;
    pub const START_UNBOUNDED_PRECEDING: u32 = 0x00020;
    pub const END_UNBOUNDED_PRECEDING: u32 = 0x00040;
    pub const START_UNBOUNDED_FOLLOWING: u32 = 0x00080;
    pub const END_UNBOUNDED_FOLLOWING: u32 = 0x00100;
    pub const START_CURRENT_ROW: u32 = 0x00200;
    pub const END_CURRENT_ROW: u32 = 0x00400;
    pub const START_OFFSET_PRECEDING: u32 = 0x00800;
    pub const END_OFFSET_PRECEDING: u32 = 0x01000;
    pub const START_OFFSET_FOLLOWING: u32 = 0x02000;
    pub const END_OFFSET_FOLLOWING: u32 = 0x04000;
    pub const EXCLUDE_CURRENT_ROW: u32 = 0x08000;
    pub const EXCLUDE_GROUP: u32 = 0x10000;
    pub const EXCLUDE_TIES: u32 = 0x20000;
    pub const DEFAULTS: u32 = RANGE | START_UNBOUNDED_PRECEDING | END_CURRENT_ROW;
}
