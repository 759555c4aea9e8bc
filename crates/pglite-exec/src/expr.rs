//! Expression programs: `ir::Expr` compiled once into [`Code`], evaluated per row without lookups.
//!
//! Operands that are columns or constants are read by reference; only results are made. Strictness, operator functions
//! and comparison kinds are decided at compile time.

mod array;
mod build;
mod call;
mod code;
mod coerce;
mod compile;
mod domain;
mod fast;
mod json;
mod rowops;
mod set;
mod special;
pub mod subplan;
mod values;

pub use array::nest;
pub use build::{Layout, ScanLayout, VarMap, WholeRow};
pub use call::{CallCode, FnPtr, FnRef};
pub use code::{CmpOp, Code, Qual, Rows};
pub use compile::{Compiler, cmp_fn, compile_expr, eq_fn, eval_const, is_text_like};
pub use domain::check_domain;
pub use set::{SetCode, SetState};
pub use values::{coerce_value, eval_with_params, make_record};
