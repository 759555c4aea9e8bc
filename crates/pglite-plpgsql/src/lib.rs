//! PL/pgSQL: procedural functions, triggers and DO blocks.
//!
//! On the way of a statement: the session calls here when a function's language is plpgsql. [`compile`] makes a tree of
//! the body ([`parse`]), [`run`] walks it; SQL inside is planned with the function's variables as parameters ([`expr`]).
//! What it needs of the session it asks through [`host::PlHost`].

pub mod compile;
pub mod expr;
pub mod host;
mod parse;
pub mod run;
pub mod tree;

pub use compile::{CallShape, compile, compile_inline};
pub use host::{Column, FetchTo, OpenCursor, PlEnv, PlHost, SubAct, UtilityResult};
pub use run::{Call, TriggerData, call, call_inline, call_set, call_trigger};
pub use tree::Function;
