//! `Query`: one analyzed statement, as the rewriter and planner see it.

use std::sync::Arc;

use pglite_catalog::RelDesc;
use pglite_parser::ast;
use pglite_types::Oid;

use crate::expr::Expr;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommandType {
    Select,
    Insert,
    Update,
    Delete,
    Merge,
    Utility,
}

#[derive(Clone, Debug)]
pub struct Query {
    pub command: CommandType,
    /// The statement, when `command` is Utility.
    pub utility: Option<Box<ast::Statement>>,
    /// 1-based index of the target relation, 0 for none.
    pub result_relation: u32,
    pub rtable: Vec<RangeTblEntry>,
    pub jointree: JoinTree,
    pub targets: Vec<TargetEntry>,
    pub override_kind: Overriding,
    pub on_conflict: Option<Box<OnConflict>>,
    pub returning: Vec<TargetEntry>,
    /// RETURNING WITH (OLD AS o, NEW AS n).
    pub returning_old_alias: Option<String>,
    pub returning_new_alias: Option<String>,
    pub group: Vec<SortGroupClause>,
    pub group_distinct: bool,
    pub grouping_sets: Vec<GroupingSet>,
    pub having: Option<Expr>,
    pub windows: Vec<WindowClause>,
    pub distinct: Vec<SortGroupClause>,
    /// DISTINCT ON rather than DISTINCT.
    pub distinct_on: bool,
    pub sort: Vec<SortGroupClause>,
    pub limit: Option<Expr>,
    pub offset: Option<Expr>,
    pub with_ties: bool,
    pub row_marks: Vec<RowMark>,
    /// Set operations: the tree's leaves are subquery RTEs; `targets` gives names and types.
    pub set_ops: Option<Box<SetOpTree>>,
    pub ctes: Vec<CommonTableExpr>,
    pub recursive: bool,
    pub merge: Option<Box<MergeInfo>>,
    pub has_aggs: bool,
    pub has_windows: bool,
    pub has_target_srfs: bool,
    pub has_sublinks: bool,
    pub has_distinct_on: bool,
    pub has_modifying_cte: bool,
    pub has_for_update: bool,
    /// INSERT ... VALUES/SELECT: whether the statement may set the command tag, etc.
    pub can_set_tag: bool,
    /// WITH CHECK OPTION and row security checks of new rows, over the target's columns; filled by the rewriter.
    pub check_options: Vec<crate::plan::CheckOption>,
    /// Source text span of the statement: byte offset and length (0 = to the end).
    pub location: i32,
    pub len: i32,
}

impl Query {
    pub fn new(command: CommandType) -> Query {
        Query {
            command,
            utility: None,
            result_relation: 0,
            rtable: Vec::new(),
            jointree: JoinTree::default(),
            targets: Vec::new(),
            override_kind: Overriding::NotSet,
            on_conflict: None,
            returning: Vec::new(),
            returning_old_alias: None,
            returning_new_alias: None,
            group: Vec::new(),
            group_distinct: false,
            grouping_sets: Vec::new(),
            having: None,
            windows: Vec::new(),
            distinct: Vec::new(),
            distinct_on: false,
            sort: Vec::new(),
            limit: None,
            offset: None,
            with_ties: false,
            row_marks: Vec::new(),
            set_ops: None,
            ctes: Vec::new(),
            recursive: false,
            merge: None,
            has_aggs: false,
            has_windows: false,
            has_target_srfs: false,
            has_sublinks: false,
            has_distinct_on: false,
            has_modifying_cte: false,
            has_for_update: false,
            can_set_tag: true,
            check_options: Vec::new(),
            location: -1,
            len: 0,
        }
    }
}

/// One output column, or (resjunk) an expression needed for sorting and grouping only.
///
/// INSERT: one per assigned column, `resno` = the target's attno. UPDATE: likewise, assigned columns only.
#[derive(Clone, Debug)]
pub struct TargetEntry {
    pub expr: Expr,
    /// 1-based.
    pub resno: i16,
    pub name: Option<String>,
    /// Nonzero when a SortGroupClause refers to this entry.
    pub sort_group_ref: u32,
    /// Source column, for RowDescription: table OID and attno (0 if none).
    pub orig_table: Oid,
    pub orig_column: i16,
    pub junk: bool,
}

impl TargetEntry {
    pub fn new(expr: Expr, resno: i16, name: Option<String>) -> TargetEntry {
        TargetEntry {
            expr,
            resno,
            name,
            sort_group_ref: 0,
            orig_table: Oid::INVALID,
            orig_column: 0,
            junk: false,
        }
    }
}

/// FROM and WHERE. Top level: an implicit inner join of `from`.
#[derive(Clone, Debug, Default)]
pub struct JoinTree {
    pub from: Vec<FromItem>,
    pub quals: Option<Expr>,
}

#[derive(Clone, Debug)]
pub enum FromItem {
    /// 1-based range table index.
    Rte(u32),
    Join(Box<JoinExpr>),
    /// A nested FROM/WHERE (pulled-up subquery).
    From(Box<JoinTree>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JoinKind {
    Inner,
    Left,
    Full,
    Right,
    /// Planner only: EXISTS/IN.
    Semi,
    /// Planner only: NOT EXISTS.
    Anti,
    RightSemi,
    RightAnti,
}

#[derive(Clone, Debug)]
pub struct JoinExpr {
    pub kind: JoinKind,
    pub left: FromItem,
    pub right: FromItem,
    pub quals: Option<Expr>,
    /// The join's own RTE (kind Join), 1-based; 0 for planner-made joins.
    pub rte: u32,
}

#[derive(Clone, Debug)]
pub struct RangeTblEntry {
    pub kind: RteKind,
    /// The alias as written.
    pub alias: Option<Alias>,
    /// The names by which columns are seen, always complete (dropped columns: empty strings).
    pub eref: Alias,
    pub lateral: bool,
    pub in_from: bool,
    /// ONLY not given and the table has children.
    pub inherit: bool,
    pub perms: PermInfo,
    /// Row security and security-barrier quals, applied below user quals.
    pub security_quals: Vec<Expr>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Alias {
    pub name: String,
    pub columns: Vec<String>,
}

/// Privileges the statement needs on this relation; bits as in PostgreSQL's ACL_* (1=INSERT 2=SELECT 4=UPDATE 8=DELETE).
#[derive(Clone, Debug, Default)]
pub struct PermInfo {
    pub required: u32,
    /// Role to check as; INVALID = the current user (a view's owner otherwise).
    pub check_as: Oid,
    pub selected: Vec<i16>,
    pub inserted: Vec<i16>,
    pub updated: Vec<i16>,
}

#[derive(Clone, Debug)]
pub enum RteKind {
    Relation {
        rel: Arc<RelDesc>,
        lock: u8,
        sample: Option<Box<TableSample>>,
    },
    /// A subquery, or an expanded view (then `view` is its relation).
    Subquery {
        query: Box<Query>,
        security_barrier: bool,
        view: Option<Arc<RelDesc>>,
    },
    Join {
        kind: JoinKind,
        /// One per output column: a Var of the left or right input, or COALESCE for merged USING columns of a full join.
        vars: Vec<Expr>,
        merged_cols: u32,
        using_alias: Option<Alias>,
    },
    Function {
        functions: Vec<RangeTblFunction>,
        ordinality: bool,
    },
    TableFunc(Box<TableFunc>),
    Values {
        rows: Vec<Vec<Expr>>,
        types: Vec<ColType>,
    },
    Cte {
        name: String,
        levels_up: u32,
        self_reference: bool,
        types: Vec<ColType>,
    },
    /// A trigger's transition table.
    Tuplestore {
        name: String,
        rel: Arc<RelDesc>,
    },
    /// A FROM-less query's one empty row.
    Result,
    /// Output of the grouping step.
    Group {
        exprs: Vec<Expr>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ColType {
    pub ty: Oid,
    pub typmod: i32,
    pub collation: Oid,
}

#[derive(Clone, Debug)]
pub struct RangeTblFunction {
    pub expr: Expr,
    /// Output columns: names, types. From a column definition list or the function's result type.
    pub columns: Vec<(String, ColType)>,
    /// The columns came from an explicit column definition list.
    pub coldeflist: bool,
}

/// XMLTABLE / JSON_TABLE.
#[derive(Clone, Debug)]
pub struct TableFunc {
    pub json: bool,
    pub namespaces: Vec<(Option<String>, Expr)>,
    pub doc: Expr,
    pub row: Option<Expr>,
    pub columns: Vec<TableFuncColumn>,
    pub passing: Vec<(String, Expr)>,
    /// JSON_TABLE: the nested plan, printed and run by the executor.
    pub json_plan: Option<Box<JsonTablePlan>>,
    pub location: i32,
}

#[derive(Clone, Debug)]
pub struct TableFuncColumn {
    pub name: String,
    pub ty: ColType,
    pub expr: Option<Expr>,
    pub default: Option<Expr>,
    pub not_null: bool,
    pub ordinality: bool,
    /// JSON_TABLE: the column's extraction, over `CaseTest` = the row's item.
    pub json: Option<Expr>,
}

#[derive(Clone, Debug)]
pub enum JsonTablePlan {
    Path {
        name: String,
        path: Expr,
        error_on_error: bool,
        first_col: i32,
        last_col: i32,
        child: Option<Box<JsonTablePlan>>,
    },
    Siblings(Box<JsonTablePlan>, Box<JsonTablePlan>),
}

#[derive(Clone, Debug)]
pub struct TableSample {
    pub method: Oid,
    pub args: Vec<Expr>,
    pub repeatable: Option<Expr>,
}

/// Refers to a target entry by `sort_group_ref`.
#[derive(Clone, Debug, PartialEq)]
pub struct SortGroupClause {
    pub target_ref: u32,
    pub eq_op: Oid,
    /// The ordering operator (`<` or `>` for DESC); INVALID when only hashable.
    pub sort_op: Oid,
    pub reverse: bool,
    pub nulls_first: bool,
    pub hashable: bool,
}

#[derive(Clone, Debug)]
pub enum GroupingSet {
    Empty,
    /// target refs
    Simple(Vec<u32>),
    Rollup(Vec<GroupingSet>),
    Cube(Vec<GroupingSet>),
    Sets(Vec<GroupingSet>),
}

#[derive(Clone, Debug)]
pub struct WindowClause {
    pub name: Option<String>,
    pub refname: Option<String>,
    pub partition: Vec<SortGroupClause>,
    pub order: Vec<SortGroupClause>,
    pub frame: Frame,
    pub winref: u32,
    /// ORDER BY came from `refname`.
    pub copied_order: bool,
}

#[derive(Clone, Debug)]
pub struct Frame {
    /// A frame clause was written.
    pub explicit: bool,
    pub mode: FrameMode,
    pub start: FrameBound,
    pub end: FrameBound,
    pub exclude: FrameExclude,
    /// RANGE offset: in_range function and its call details.
    pub start_in_range: Oid,
    pub end_in_range: Oid,
    pub in_range_collation: Oid,
    pub in_range_asc: bool,
    pub in_range_nulls_first: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameMode {
    Range,
    Rows,
    Groups,
}

#[derive(Clone, Debug)]
pub enum FrameBound {
    UnboundedPreceding,
    Preceding(Expr),
    CurrentRow,
    Following(Expr),
    UnboundedFollowing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameExclude {
    NoOthers,
    CurrentRow,
    Group,
    Ties,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LockStrength {
    KeyShare,
    Share,
    NoKeyUpdate,
    Update,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitPolicy {
    Block,
    Skip,
    Error,
}

#[derive(Clone, Debug)]
pub struct RowMark {
    pub rte: u32,
    pub strength: LockStrength,
    pub wait: WaitPolicy,
    /// Came down from an outer query's FOR UPDATE.
    pub pushed_down: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetOpKind {
    Union,
    Intersect,
    Except,
}

#[derive(Clone, Debug)]
pub enum SetOpTree {
    Leaf(u32),
    Op {
        kind: SetOpKind,
        all: bool,
        left: Box<SetOpTree>,
        right: Box<SetOpTree>,
        types: Vec<ColType>,
        /// Not for UNION ALL: how to compare each column (target_ref unused).
        group: Vec<SortGroupClause>,
    },
}

#[derive(Clone, Debug)]
pub struct CommonTableExpr {
    pub name: String,
    pub materialized: Option<bool>,
    pub query: Box<Query>,
    pub recursive: bool,
    pub refcount: u32,
    pub columns: Vec<(String, ColType)>,
    pub search: Option<Box<CteSearch>>,
    pub cycle: Option<Box<CteCycle>>,
    pub location: i32,
}

#[derive(Clone, Debug)]
pub struct CteSearch {
    pub columns: Vec<String>,
    pub breadth_first: bool,
    pub seq_column: String,
}

#[derive(Clone, Debug)]
pub struct CteCycle {
    pub columns: Vec<String>,
    pub mark_column: String,
    pub mark_value: Expr,
    pub mark_default: Expr,
    pub path_column: String,
    pub mark_type: ColType,
    pub mark_neop: Oid,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overriding {
    NotSet,
    User,
    System,
}

#[derive(Clone, Debug)]
pub struct OnConflict {
    /// DO UPDATE rather than DO NOTHING.
    pub update: bool,
    pub arbiter_elems: Vec<InferElem>,
    pub arbiter_where: Option<Expr>,
    /// ON CONSTRAINT.
    pub constraint: Oid,
    /// Chosen unique indexes; empty = any.
    pub arbiter_indexes: Vec<Oid>,
    /// DO UPDATE SET; `resno` = attno. Vars of the target's rte = existing row, of `excluded_rte` = proposed row.
    pub set: Vec<TargetEntry>,
    pub where_: Option<Expr>,
    pub excluded_rte: u32,
}

#[derive(Clone, Debug)]
pub struct InferElem {
    pub expr: Expr,
    pub collation: Oid,
    pub opclass: Oid,
}

#[derive(Clone, Debug)]
pub struct MergeInfo {
    pub actions: Vec<MergeAction>,
    pub join_condition: Option<Expr>,
    /// The source's range table index.
    pub source_rte: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MergeMatch {
    Matched,
    NotMatchedBySource,
    NotMatchedByTarget,
}

#[derive(Clone, Debug)]
pub struct MergeAction {
    pub kind: MergeMatch,
    /// Insert, Update, Delete; `Utility` stands for DO NOTHING.
    pub command: CommandType,
    pub override_kind: Overriding,
    pub qual: Option<Expr>,
    pub targets: Vec<TargetEntry>,
}
