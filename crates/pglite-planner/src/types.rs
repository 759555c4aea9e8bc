//! The planner's own structures: roots (one per query level), relations, clauses, equivalence classes and paths.
//!
//! Shapes follow PostgreSQL's `pathnodes.h`; relations, equivalence classes and sub-roots are referred to by index.

use std::cell::Cell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use pglite_catalog::RelDesc;
use pglite_ir::expr::Expr;
use pglite_ir::plan::{InitPlan, Plan, ScanDirection};
use pglite_ir::query::*;
use pglite_types::Oid;

use crate::cat::Cat;
use crate::env::{PlanOptions, PlannerEnv};
use crate::relids::Relids;
use crate::settings::Settings;

pub(crate) type RelId = usize;
pub(crate) type EcId = usize;

/// State shared by all levels of one statement.
pub(crate) struct Glob<'e> {
    pub env: &'e dyn PlannerEnv,
    pub opts: &'e PlanOptions,
    pub cat: Cat,
    pub set: Settings,
    pub subplans: Vec<SubplanSlot>,
    pub nparams: u32,
    /// The chain of query levels being planned, outermost first.
    pub levels: Vec<Level>,
    pub depth: u32,
}

/// A planned subquery: its plan still speaks of its own range table, which is in `root`.
pub(crate) struct SubplanSlot {
    pub plan: Option<Plan>,
    pub root: Option<Box<Root>>,
}

/// What the levels below may refer to.
#[derive(Default)]
pub(crate) struct Level {
    /// Expressions of this level that the subquery being planned needs, and the params that carry them.
    pub plan_params: Vec<PlanParam>,
    pub ctes: Vec<CteSlot>,
    pub wt_param: Option<u32>,
    pub nonrecursive_rows: f64,
    /// Width of the working table.
    pub nonrecursive_width: i32,
}

#[derive(Clone)]
pub(crate) struct PlanParam {
    pub id: u32,
    pub expr: Expr,
}

#[derive(Clone)]
pub(crate) struct CteSlot {
    pub name: String,
    /// Index in `Glob::subplans`; None when inlined or unused.
    pub plan: Option<usize>,
    pub param: u32,
}

/// One query level being planned.
pub(crate) struct Root {
    pub query: Query,
    pub level: usize,
    pub has_lateral: bool,
    pub has_having: bool,
    pub has_recursion: bool,
    pub rels: Vec<Rel>,
    /// By range table index; 0 unused.
    pub base: Vec<Option<RelId>>,
    pub join_rels: HashMap<Relids, RelId>,
    pub ecs: Vec<Ec>,
    pub join_info: Vec<SpecialJoin>,
    pub append_rels: Vec<AppendRel>,
    /// Range table index of a child -> index in `append_rels`.
    pub child_of: HashMap<u32, usize>,
    pub row_marks: Vec<PlanMark>,
    pub init_plans: Vec<InitPlan>,
    pub left_clauses: Vec<(Rc<RInfo>, usize)>,
    pub right_clauses: Vec<(Rc<RInfo>, usize)>,
    pub full_clauses: Vec<(Rc<RInfo>, usize)>,
    /// Params of MULTIEXPR sublinks by their number.
    pub multiexpr_params: HashMap<u32, Vec<u32>>,
    pub tuple_fraction: f64,
    pub limit_tuples: f64,
    pub query_pathkeys: Vec<PathKey>,
    pub group_pathkeys: Vec<PathKey>,
    pub num_groupby_pathkeys: usize,
    pub window_pathkeys: Vec<PathKey>,
    pub distinct_pathkeys: Vec<PathKey>,
    pub sort_pathkeys: Vec<PathKey>,
    pub setop_pathkeys: Vec<PathKey>,
    pub processed_targets: Vec<TargetEntry>,
    pub processed_group: Vec<SortGroupClause>,
    pub processed_distinct: Vec<SortGroupClause>,
    pub update_columns: Vec<i16>,
    /// (rtable index, relation) of the result relation's leaves.
    pub leaf_results: Vec<u32>,
    pub all_baserels: Relids,
    pub total_pages: f64,
    pub subroots: Vec<Option<Box<Root>>>,
    pub cur_outer_rels: Relids,
    pub cur_outer_params: Vec<PlanParam>,
    pub has_pseudoconstant: bool,
    /// Params of init plans set for whole-query constants.
    pub final_rel: Option<RelId>,
    /// Set operations: child roots refer to these.
    pub is_setop_child: bool,
    /// MIN/MAX aggregates that an index can answer.
    pub minmax: Vec<MinMaxAgg>,
    /// Junk columns (name -> expression) of row identity, for UPDATE/DELETE/MERGE/FOR UPDATE.
    pub qual_security: u32,
}

/// A MIN or MAX planned as a subquery of its own.
pub(crate) struct MinMaxAgg {
    pub agg: Expr,
    pub param: Option<Expr>,
    pub sub: Option<Box<Root>>,
    pub cost: f64,
}

/// A row mark carried through planning.
#[derive(Clone)]
pub(crate) struct PlanMark {
    pub rte: u32,
    pub strength: LockStrength,
    pub wait: WaitPolicy,
    pub reference_only: bool,
    pub is_parent: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum RelKind {
    Base,
    Join,
    /// A child of an inheritance tree or UNION ALL.
    Member,
    Upper,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum ScanKind {
    Relation,
    Subquery,
    Function,
    TableFunc,
    Values,
    Cte,
    WorkTable,
    Tuplestore,
    Result,
    Join,
    Upper,
}

/// A relation: a base relation, a join, or the output of an upper step.
pub(crate) struct Rel {
    pub kind: RelKind,
    pub scan: ScanKind,
    pub relids: Relids,
    /// Range table index of a base relation, else 0.
    pub relid: u32,
    pub rows: f64,
    pub width: i32,
    /// Pages and tuples before restriction.
    pub pages: f64,
    pub tuples: f64,
    pub target: Rc<Target>,
    pub paths: Vec<Rc<Path>>,
    pub cheapest_startup: Option<Rc<Path>>,
    pub cheapest_total: Option<Rc<Path>>,
    pub cheapest_unique: Option<Option<Rc<Path>>>,
    pub cheapest_param: Vec<Rc<Path>>,
    pub param_infos: Vec<Rc<ParamInfo>>,
    pub consider_startup: bool,
    pub consider_param_startup: bool,
    /// Which relations need each column: attno -> relids (0 = the final target list).
    pub attr_needed: HashMap<i16, Relids>,
    pub direct_lateral: Relids,
    pub lateral: Relids,
    pub lateral_referencers: Relids,
    pub lateral_vars: Vec<Expr>,
    pub indexes: Vec<Rc<IndexInfo>>,
    pub table: Option<Arc<RelDesc>>,
    /// Index in `Root::subroots`.
    pub subroot: Option<usize>,
    pub subplan_params: Vec<PlanParam>,
    pub cte: Option<CteSlot>,
    pub wt_param: u32,
    pub restrict: Vec<Rc<RInfo>>,
    pub restrict_cost: QualCost,
    pub joininfo: Vec<Rc<RInfo>>,
    pub has_ec_joins: bool,
    pub dummy: bool,
    /// Ids of EC the members of which mention this rel.
    pub top_parent: Relids,
    /// Partitioned: bounds order lets an Append keep order, live children.
    pub live_children: Vec<u32>,
}

#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct QualCost {
    pub startup: f64,
    pub per_tuple: f64,
}

/// What a path emits.
#[derive(Clone, Debug, Default)]
pub(crate) struct Target {
    pub exprs: Vec<Expr>,
    /// Parallel to `exprs`; empty or 0 = none.
    pub refs: Vec<u32>,
    pub cost: QualCost,
    pub width: i32,
}

impl Target {
    pub fn sort_ref(&self, i: usize) -> u32 {
        self.refs.get(i).copied().unwrap_or(0)
    }
}

/// Parameterization of a path: the relations it takes values from and the join clauses it enforces.
pub(crate) struct ParamInfo {
    pub required: Relids,
    pub rows: f64,
    pub clauses: Vec<Rc<RInfo>>,
}

/// A restriction or join clause with everything derived from it.
#[derive(Clone)]
pub(crate) struct RInfo {
    pub clause: Expr,
    /// Of a disjunction: each arm's conjuncts as clauses of their own, for index matching.
    pub is_pushed_down: bool,
    pub outerjoin_delayed: bool,
    pub can_join: bool,
    pub pseudoconstant: bool,
    pub leakproof: bool,
    pub security: u32,
    pub relids: Relids,
    pub required: Relids,
    pub outer: Relids,
    pub nullable: Relids,
    pub left: Relids,
    pub right: Relids,
    pub parent_ec: Option<EcId>,
    pub merge_families: Vec<Oid>,
    pub left_ec: Cell<Option<EcId>>,
    pub right_ec: Cell<Option<EcId>>,
    pub hash_op: Oid,
    pub norm_selec: Cell<f64>,
    pub outer_selec: Cell<f64>,
    pub eval_cost: Cell<Option<(f64, f64)>>,
}

/// Expressions known to be equal.
#[derive(Clone, Default)]
pub(crate) struct Ec {
    pub families: Vec<Oid>,
    pub collation: Oid,
    pub members: Vec<Em>,
    pub sources: Vec<Rc<RInfo>>,
    pub derives: Vec<Rc<RInfo>>,
    pub relids: Relids,
    pub has_const: bool,
    pub has_volatile: bool,
    pub below_outer: bool,
    pub broken: bool,
    pub sort_ref: u32,
    pub min_security: u32,
    pub max_security: u32,
    /// Set when merged into another.
    pub merged: Option<EcId>,
}

/// An equivalence class member.
#[derive(Clone)]
pub(crate) struct Em {
    pub expr: Expr,
    pub relids: Relids,
    pub nullable: Relids,
    pub is_const: bool,
    pub is_child: bool,
    pub ty: Oid,
}

#[derive(Clone, PartialEq, Debug)]
pub(crate) struct PathKey {
    pub ec: EcId,
    pub family: Oid,
    pub desc: bool,
    pub nulls_first: bool,
}

/// An outer or semi join's ordering constraints.
#[derive(Clone, Debug)]
pub(crate) struct SpecialJoin {
    pub min_left: Relids,
    pub min_right: Relids,
    pub syn_left: Relids,
    pub syn_right: Relids,
    pub kind: JoinKind,
    pub lhs_strict: bool,
    pub delay_upper: bool,
    pub semi_can_btree: bool,
    pub semi_can_hash: bool,
    pub semi_ops: Vec<Oid>,
    pub semi_rhs: Vec<Expr>,
}

/// A child relation and how the parent's columns look in it.
#[derive(Clone)]
pub(crate) struct AppendRel {
    pub parent: u32,
    pub child: u32,
    /// By parent column (0-based): the child's expression, None for dropped columns.
    pub translated: Vec<Option<Expr>>,
    pub child_rowtype: Oid,
}

/// A usable index.
pub(crate) struct IndexInfo {
    pub oid: Oid,
    pub name: String,
    pub rel: RelId,
    pub am: IndexAm,
    pub pages: f64,
    pub tuples: f64,
    pub height: f64,
    /// Key columns: table attno, or 0 for an expression.
    pub columns: Vec<i16>,
    /// All columns including INCLUDE ones.
    pub all_columns: Vec<i16>,
    /// All columns as expressions over the relation.
    pub exprs: Vec<Expr>,
    pub families: Vec<Oid>,
    pub input_types: Vec<Oid>,
    pub collations: Vec<Oid>,
    pub desc: Vec<bool>,
    pub nulls_first: Vec<bool>,
    pub predicate: Vec<Expr>,
    pub pred_ok: bool,
    pub unique: bool,
    pub nulls_not_distinct: bool,
    pub immediate: bool,
    pub can_return: Vec<bool>,
    /// Restriction clauses not implied by the predicate.
    pub restrict: Vec<Rc<RInfo>>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum IndexAm {
    Btree,
    Hash,
    /// Distance-ordered and other access methods.
    Other,
}

/// A clause matched to an index column.
#[derive(Clone)]
pub(crate) struct IndexClause {
    pub rinfo: Rc<RInfo>,
    /// The indexable conditions, usually the clause itself.
    pub quals: Vec<IndexCond>,
    pub lossy: bool,
    pub column: usize,
    pub columns: Vec<usize>,
}

/// One indexable condition, still as expressions over relations.
#[derive(Clone)]
pub(crate) enum IndexCond {
    Op { op: Oid, strategy: i16, value: Expr, original: Expr },
    Array { op: Oid, strategy: i16, array: Expr, original: Expr },
    Null { is_null: bool, original: Expr },
    Row { strategy: i16, values: Vec<Expr>, original: Expr },
}

/// One way to compute a relation.
pub(crate) struct Path {
    pub node: PathNode,
    pub rel: RelId,
    pub target: Rc<Target>,
    pub param: Option<Rc<ParamInfo>>,
    pub rows: f64,
    pub startup: f64,
    pub total: f64,
    pub disabled: u32,
    pub pathkeys: Vec<PathKey>,
}

impl Path {
    pub fn required(&self) -> Option<&Relids> {
        self.param.as_ref().map(|p| &p.required)
    }
    pub fn required_or_empty(&self) -> Relids {
        self.param.as_ref().map_or_else(Relids::new, |p| p.required.clone())
    }
}

pub(crate) struct IndexPath {
    pub index: Rc<IndexInfo>,
    pub clauses: Vec<IndexClause>,
    /// Distance orderings: (column, operator, value, original).
    pub order_by: Vec<(usize, Oid, Expr, Expr)>,
    pub direction: ScanDirection,
    pub index_only: bool,
}

pub(crate) struct JoinPath {
    pub kind: JoinKind,
    pub outer: Rc<Path>,
    pub inner: Rc<Path>,
    pub clauses: Vec<Rc<RInfo>>,
    pub inner_unique: bool,
}

pub(crate) struct AggPath {
    pub sub: Rc<Path>,
    pub strategy: pglite_ir::plan::AggStrategy,
    pub group: Vec<SortGroupClause>,
    pub qual: Vec<Expr>,
    pub num_groups: f64,
    /// Grouping sets as lists of target refs (`None` = plain grouping).
    pub sets: Option<Vec<Vec<u32>>>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum UniqueMethod {
    Noop,
    Hash,
    Sort,
}

pub(crate) enum PathNode {
    SeqScan,
    SampleScan,
    Index(Box<IndexPath>),
    Tid {
        quals: Vec<Expr>,
    },
    Subquery {
        sub: Rc<Path>,
    },
    Function,
    TableFunc,
    Values,
    Cte,
    WorkTable,
    Tuplestore,
    /// No input; `quals` are one-time filters.
    Result {
        quals: Vec<Expr>,
    },
    Append {
        children: Vec<Rc<Path>>,
    },
    MergeAppend {
        children: Vec<Rc<Path>>,
    },
    Material {
        sub: Rc<Path>,
    },
    Memoize {
        sub: Rc<Path>,
        keys: Vec<Expr>,
        ops: Vec<Oid>,
        single_row: bool,
        binary: bool,
        rescan: (f64, f64),
    },
    /// Removes duplicates of a semijoin's inner side.
    Unique {
        sub: Rc<Path>,
        method: UniqueMethod,
        ops: Vec<Oid>,
        exprs: Vec<Expr>,
    },
    Nest {
        j: JoinPath,
    },
    Merge {
        j: JoinPath,
        keys: Vec<Rc<RInfo>>,
        outer_sort: Vec<PathKey>,
        inner_sort: Vec<PathKey>,
        skip_mark: bool,
        materialize: bool,
        merge_pathkeys: Vec<PathKey>,
    },
    Hash {
        j: JoinPath,
        keys: Vec<Rc<RInfo>>,
    },
    Projection {
        sub: Rc<Path>,
    },
    ProjectSet {
        sub: Rc<Path>,
    },
    Sort {
        sub: Rc<Path>,
    },
    IncSort {
        sub: Rc<Path>,
        presorted: usize,
    },
    Group {
        sub: Rc<Path>,
        group: Vec<SortGroupClause>,
        qual: Vec<Expr>,
    },
    UpperUnique {
        sub: Rc<Path>,
        columns: usize,
    },
    Agg(Box<AggPath>),
    /// A one-time-filtered single row made from MIN/MAX init plans.
    MinMax {
        quals: Vec<Expr>,
    },
    Window {
        sub: Rc<Path>,
        clause: usize,
        run_condition: Vec<Expr>,
    },
    SetOp {
        left: Rc<Path>,
        right: Rc<Path>,
        kind: SetOpKind,
        all: bool,
        hashed: bool,
        group: Vec<SortGroupClause>,
    },
    RecursiveUnion {
        left: Rc<Path>,
        right: Rc<Path>,
        group: Vec<SortGroupClause>,
        param: u32,
    },
    LockRows {
        sub: Rc<Path>,
    },
    Modify {
        sub: Rc<Path>,
    },
    Limit {
        sub: Rc<Path>,
        limit: Option<Expr>,
        offset: Option<Expr>,
        ties: bool,
    },
}
