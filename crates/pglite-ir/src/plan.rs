//! `Plan`: what the planner makes and the executor runs. One variant a node, named as EXPLAIN names it.
//!
//! Invariant: in a finished plan every Var refers to a child's output (`OUTER_VAR`/`INNER_VAR`), to an index column
//! (`INDEX_VAR`), or, in a scan node, to the scanned relation's own columns (`rte` = its range table index).
//! `attno` in OUTER/INNER references is the 1-based position in that child's `targets`.

use std::sync::Arc;

use pglite_catalog::RelDesc;
use pglite_types::Oid;

use crate::expr::Expr;
use crate::query::{
    ColType, CommandType, FrameExclude, FrameMode, LockStrength, MergeAction, OnConflict, RangeTblEntry,
    RangeTblFunction, SetOpKind, TableFunc, TableSample, TargetEntry, WaitPolicy,
};

/// A whole planned statement: cached, shared, immutable.
#[derive(Clone, Debug)]
pub struct PlannedStmt {
    pub command: CommandType,
    pub plan: Plan,
    /// The flattened range table; scan nodes and permission checks refer to it (1-based).
    pub rtable: Vec<RangeTblEntry>,
    /// Bodies of SubPlan expressions and init plans.
    pub subplans: Vec<Plan>,
    /// Number of exec params used.
    pub exec_params: u32,
    pub has_returning: bool,
    pub has_modifying_cte: bool,
    /// Target relations of INSERT/UPDATE/DELETE/MERGE (rtable indexes).
    pub result_relations: Vec<u32>,
    /// The plan reads or writes only what a read-only transaction may.
    pub read_only: bool,
    /// Output is produced without running user-visible volatile code out of order (cursors may run backward by storing).
    pub can_scroll: bool,
}

#[derive(Clone, Debug)]
pub struct Plan {
    pub node: PlanNode,
    pub targets: Vec<TargetEntry>,
    /// Implicitly ANDed filter, applied before projection.
    pub qual: Vec<Expr>,
    pub left: Option<Box<Plan>>,
    pub right: Option<Box<Plan>>,
    /// Run once before this node, on first use: indexes in `PlannedStmt::subplans` with the exec params they set.
    pub init_plans: Vec<InitPlan>,
    /// Exec params this subtree reads that an ancestor changes: when they change, the node rescans.
    pub ext_params: Vec<u32>,
    pub cost: Cost,
}

#[derive(Clone, Debug)]
pub struct InitPlan {
    pub plan: u32,
    pub set_params: Vec<u32>,
    pub kind: crate::expr::SubLinkKind,
    pub name: String,
    /// A CTE's plan: read by CteScan nodes with the same `cte_param`, not run as a scalar.
    pub cte_param: Option<u32>,
}

/// Planner estimates, in PostgreSQL's cost units; rows and bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Cost {
    pub startup: f64,
    pub total: f64,
    pub rows: f64,
    pub width: i32,
    pub disabled_nodes: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScanDirection {
    Forward,
    Backward,
}

/// A sort column of the child's output (`column` 1-based in `left.targets`).
#[derive(Clone, Debug, PartialEq)]
pub struct SortKey {
    pub column: i16,
    pub op: Oid,
    pub eq_op: Oid,
    pub collation: Oid,
    pub desc: bool,
    pub nulls_first: bool,
}

/// A grouping or hashing column of the child's output.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupKey {
    pub column: i16,
    pub eq_op: Oid,
    pub collation: Oid,
}

/// `index column (1-based) op value`, the value computed at scan start from params and outer Vars.
#[derive(Clone, Debug)]
pub enum IndexQual {
    Op {
        column: i16,
        op: Oid,
        strategy: i16,
        value: Expr,
        original: Expr,
    },
    /// `column = ANY (array)`.
    Array {
        column: i16,
        op: Oid,
        strategy: i16,
        array: Expr,
        original: Expr,
    },
    NullTest {
        column: i16,
        is_null: bool,
        original: Expr,
    },
    /// `(a, b) < (x, y)` on leading columns.
    Row {
        columns: Vec<i16>,
        strategy: i16,
        values: Vec<Expr>,
        original: Expr,
    },
    /// ORDER BY `column op value` (distance), for index AMs that can.
    OrderBy {
        column: i16,
        op: Oid,
        value: Expr,
        original: Expr,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AggStrategy {
    Plain,
    Sorted,
    Hashed,
    Mixed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetOpStrategy {
    Sorted,
    Hashed,
}

/// Bounds of a window frame in plans.
#[derive(Clone, Debug)]
pub struct FramePlan {
    pub explicit: bool,
    pub mode: FrameMode,
    pub start: BoundPlan,
    pub end: BoundPlan,
    pub exclude: FrameExclude,
    pub start_in_range: Oid,
    pub end_in_range: Oid,
    pub in_range_collation: Oid,
    pub in_range_asc: bool,
    pub in_range_nulls_first: bool,
}

#[derive(Clone, Debug)]
pub enum BoundPlan {
    UnboundedPreceding,
    Preceding(Expr),
    CurrentRow,
    Following(Expr),
    UnboundedFollowing,
}

/// One grouping set: the keys (indexes into Agg.keys) it groups by.
pub type GroupingSetKeys = Vec<usize>;

#[derive(Clone, Debug)]
pub enum PlanNode {
    /// No input or a one-time filter above `left`.
    Result {
        one_time: Vec<Expr>,
    },
    /// Evaluates set-returning functions in its targets.
    ProjectSet,
    ModifyTable(Box<ModifyTable>),
    Append {
        children: Vec<Plan>,
        first_partial: usize,
    },
    MergeAppend {
        children: Vec<Plan>,
        keys: Vec<SortKey>,
    },
    /// `left` = non-recursive term, `right` = recursive term reading `WorkTableScan{param}`. `distinct` for UNION.
    RecursiveUnion {
        param: u32,
        distinct: Vec<GroupKey>,
    },
    SeqScan {
        rte: u32,
        rel: Arc<RelDesc>,
    },
    SampleScan {
        rte: u32,
        rel: Arc<RelDesc>,
        sample: Box<TableSample>,
    },
    IndexScan(Box<IndexScan>),
    /// `targets`/`qual` refer to INDEX_VAR columns.
    IndexOnlyScan(Box<IndexScan>),
    /// `quals`: ctid = value, ctid = ANY(array), ranges, or CURRENT OF.
    TidScan {
        rte: u32,
        rel: Arc<RelDesc>,
        quals: Vec<Expr>,
    },
    SubqueryScan {
        rte: u32,
    },
    FunctionScan {
        rte: u32,
        functions: Vec<RangeTblFunction>,
        ordinality: bool,
    },
    TableFuncScan {
        rte: u32,
        func: Box<TableFunc>,
    },
    ValuesScan {
        rte: u32,
        rows: Vec<Vec<Expr>>,
    },
    /// Reads the CTE whose InitPlan has this `cte_param`.
    CteScan {
        rte: u32,
        cte_param: u32,
        name: String,
    },
    TuplestoreScan {
        rte: u32,
        name: String,
    },
    WorkTableScan {
        rte: u32,
        param: u32,
        name: String,
    },
    /// `params`: exec params set from the outer row before each inner scan (param, Var of OUTER).
    NestLoop {
        kind: crate::query::JoinKind,
        join_qual: Vec<Expr>,
        params: Vec<(u32, Expr)>,
        inner_unique: bool,
    },
    MergeJoin {
        kind: crate::query::JoinKind,
        join_qual: Vec<Expr>,
        keys: Vec<MergeKey>,
        inner_unique: bool,
        skip_mark: bool,
    },
    /// `right` is the hashed side (no separate Hash node; EXPLAIN prints one).
    HashJoin {
        kind: crate::query::JoinKind,
        join_qual: Vec<Expr>,
        keys: Vec<HashKey>,
        inner_unique: bool,
    },
    Material,
    Memoize {
        keys: Vec<Expr>,
        eq_ops: Vec<Oid>,
        single_row: bool,
        binary: bool,
    },
    Sort {
        keys: Vec<SortKey>,
    },
    IncrementalSort {
        keys: Vec<SortKey>,
        presorted: usize,
    },
    Group {
        keys: Vec<GroupKey>,
    },
    /// Aggrefs in `targets`/`qual` take their arguments from OUTER columns.
    /// Empty `sets` = one plain grouping by all keys.
    Agg {
        strategy: AggStrategy,
        keys: Vec<GroupKey>,
        sets: Vec<GroupingSetKeys>,
        num_groups: f64,
    },
    WindowAgg {
        winref: u32,
        partition: Vec<GroupKey>,
        order: Vec<SortKey>,
        frame: Box<FramePlan>,
        run_condition: Vec<Expr>,
        name: String,
    },
    Unique {
        keys: Vec<GroupKey>,
    },
    SetOp {
        kind: SetOpKind,
        all: bool,
        strategy: SetOpStrategy,
        keys: Vec<SortKey>,
    },
    /// Row marks with the position (1-based, in `left.targets`) of each relation's ROWID and TABLEOID junk column.
    LockRows {
        marks: Vec<PlanRowMark>,
    },
    Limit {
        limit: Option<Expr>,
        offset: Option<Expr>,
        ties: Vec<GroupKey>,
    },
}

#[derive(Clone, Debug)]
pub struct MergeKey {
    pub outer: Expr,
    pub inner: Expr,
    pub op: Oid,
    pub family: Oid,
    pub collation: Oid,
    pub desc: bool,
    pub nulls_first: bool,
}

#[derive(Clone, Debug)]
pub struct HashKey {
    pub outer: Expr,
    pub inner: Expr,
    pub op: Oid,
    pub collation: Oid,
}

#[derive(Clone, Debug)]
pub struct IndexScan {
    pub rte: u32,
    pub rel: Arc<RelDesc>,
    pub index: Oid,
    pub quals: Vec<IndexQual>,
    pub direction: ScanDirection,
    /// Conditions the index implies only lossily; re-checked on the row.
    pub recheck: Vec<Expr>,
}

#[derive(Clone, Debug)]
pub struct PlanRowMark {
    pub rte: u32,
    pub rel: Option<Arc<RelDesc>>,
    pub strength: LockStrength,
    pub wait: WaitPolicy,
    pub rowid_column: i16,
    /// Column with the table OID (inheritance), or 0.
    pub tableoid_column: i16,
    /// No lock is taken; the row is only refetched on re-check.
    pub reference_only: bool,
}

/// INSERT/UPDATE/DELETE/MERGE. `left` produces the rows.
///
/// INSERT: `left.targets` has one entry per table column in attnum order (defaults already in place).
/// UPDATE: the new values of `update_columns` in order, then junk: whole old row is refetched by ROWID.
/// DELETE: junk only. The ROWID junk column is at `rowid_column`; with inheritance or partitions TABLEOID at `tableoid_column`.
#[derive(Clone, Debug)]
pub struct ModifyTable {
    pub command: CommandType,
    /// Index of the nominal target in the range table.
    pub nominal_rte: u32,
    /// The table the statement names when it is partitioned: rows may move between its leaves.
    pub root: Option<Arc<RelDesc>>,
    /// Leaf targets, the nominal one first.
    pub targets: Vec<ModifyTarget>,
    pub rowid_column: i16,
    pub tableoid_column: i16,
    pub on_conflict: Option<Box<OnConflict>>,
    pub merge_actions: Vec<MergeAction>,
    pub can_set_tag: bool,
    /// Output types, when there is a RETURNING.
    pub output: Vec<ColType>,
}

#[derive(Clone, Debug)]
pub struct ModifyTarget {
    pub rte: u32,
    pub rel: Arc<RelDesc>,
    /// UPDATE: the attnos assigned, parallel to the first columns of `left.targets`.
    pub update_columns: Vec<i16>,
    /// MERGE: the actions over this relation (INSERT's targets in the nominal one's columns).
    pub merge_actions: Vec<MergeAction>,
    /// RETURNING over this relation: Vars of `rte` (with `returning` Old/New) and OUTER for other tables' columns.
    pub returning: Vec<TargetEntry>,
    /// WITH CHECK OPTION and RLS checks: (error kind, name, qual).
    pub check_options: Vec<CheckOption>,
}

#[derive(Clone, Debug)]
pub struct CheckOption {
    /// The view's or table's name.
    pub relation: String,
    /// The policy's name, for row security.
    pub policy: Option<String>,
    pub qual: Expr,
    pub is_view: bool,
    /// A cascaded check option: views below check too.
    pub cascaded: bool,
    pub when: CheckWhen,
}

/// Which rows a [`CheckOption`] is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckWhen {
    /// Every new row.
    Always,
    /// Inserted rows.
    Insert,
    /// New versions of updated rows.
    Update,
    /// The existing row that ON CONFLICT DO UPDATE found.
    Conflict,
}

impl Plan {
    pub fn new(node: PlanNode, targets: Vec<TargetEntry>) -> Plan {
        Plan {
            node,
            targets,
            qual: Vec::new(),
            left: None,
            right: None,
            init_plans: Vec::new(),
            ext_params: Vec::new(),
            cost: Cost::default(),
        }
    }
}
