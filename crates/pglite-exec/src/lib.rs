//! The executor: a `PlannedStmt` in, rows out.
//!
//! On the way of a statement: after the planner, above transactions and storage. [`Prepared`] is a plan compiled once
//! (expression programs, resolved functions, node programs; shared and immutable); [`Executor`] is one run of it, an
//! owned state machine that a portal suspends between calls. What lives above (user-defined functions, triggers,
//! analysis of stored expressions) is reached through [`ExecHooks`].
//!
//! Invariant: a node never evaluates volatile expressions for rows the caller did not ask for.

pub mod compare;
pub mod env;
pub mod executor;
pub mod expr;
pub mod facts;
pub mod instrument;
pub mod modify;
pub mod node;
pub mod prepared;
pub mod state;
pub mod store;

pub use env::{ExecEnv, ExecHooks, OpenIndex, OpenRel};
pub use executor::{Executor, RunResult};
pub use expr::{Code, Rows, compile_expr, eval_const};
pub use prepared::Prepared;
pub use state::{ExecCx, RunState};
