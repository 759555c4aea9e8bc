//! The vocabulary between the stages: bound expressions, `Query` (what analyze makes and the rewriter and planner take),
//! `Plan` (what the planner makes and the executor runs), and the ABI of functions.
//!
//! Shapes and names follow PostgreSQL's parse and plan nodes, so that its rules for them can be applied unchanged.
//! Nothing here does any work beyond walking the trees.

pub mod abi;
pub mod expr;
pub mod plan;
pub mod query;
pub mod tree;
pub mod walk;

pub use abi::{Accumulator, Body, CallInfo, FnCtx, FnHost, RowSource, WindowAccess};
pub use expr::{
    AggKind, Aggref, BoolOp, CoercionForm, Expr, FuncExpr, OpExpr, ParamKind, SubLink, SubLinkKind, Var,
    WindowFunc,
};
pub use plan::{Plan, PlanNode, PlannedStmt};
pub use query::{
    CommandType, JoinKind, JoinTree, Query, RangeTblEntry, RteKind, SortGroupClause, TargetEntry,
};
