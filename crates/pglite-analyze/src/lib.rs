//! Raw parse tree to `pglite_ir::Query`, and the rewriter.
//!
//! On the way of a statement: the session parses, calls [`analyze`] (names, types, overloads, coercions), then
//! [`rewrite`] (defaults, views), and hands the result to the planner. Commands call the smaller entry points for the
//! expressions and names in DDL.
//!
//! - [`env`](AnalyzeEnv): what analysis asks of the session.
//! - `state`, `names`, `rtable`: query levels, range table, namespaces.
//! - `expr`, `coerce`, `func`, `oper`, `call`, `agg`, `collate`: expressions.
//! - `select`, `from`, `clause`, `target`, `cte`, `dml`: statements.
//! - `rewrite`: the rewriter.
//!
//! Invariant: every error carries PostgreSQL's SQLSTATE, words and position; positions come from the raw tree.

mod agg;
mod api;
mod call;
mod cat;
mod clause;
mod coerce;
mod collate;
mod cte;
mod ddl;
mod dml;
mod env;
mod equal;
mod expr;
mod from;
mod func;
mod json;
mod kind;
mod names;
mod oper;
pub mod partition;
mod prelude;
mod rewrite;
mod rtable;
mod select;
mod state;
mod stored;
mod syntax;
mod target;
mod typename;
mod xml;

pub use api::{
    ResolvedFunction, Scope, analyze, analyze_assignment, analyze_call, analyze_expr, analyze_expr_params,
    analyze_statement, analyze_stored_expr, analyze_stored_query, can_coerce, coerce_to_target_type,
    column_default, identify_rows, lookup_func_with_args, lookup_function, resolve_collation,
    resolve_function, resolve_operator, resolve_type_name, resolve_type_name_opt, rewrite, select_into,
};
pub use coerce::CoercionContext;
pub use env::{AnalyzeEnv, ParamTypes, VariablePhase};
pub use kind::ExprKind;

/// Privilege bits as in PostgreSQL.
pub(crate) const ACL_INSERT: u32 = 1;
pub(crate) const ACL_SELECT: u32 = 2;
pub(crate) const ACL_UPDATE: u32 = 4;
pub(crate) const ACL_DELETE: u32 = 8;
