//! Bodies of the built-in functions: scalar, aggregate, window, set-returning, deparse.
//!
//! To add one: a data line in the catalog (usually there already), a plain typed Rust function in its family's file, one
//! line in that file's table, one test. The executor finds bodies by `prosrc`, once per compiled expression.

pub mod arg;
mod registry;

pub mod arith;
pub mod array;
pub mod bits;
pub mod cast;
pub mod formatting;
pub mod geometry;
pub mod hashing;
pub mod info;
pub mod io;
pub mod json;
pub mod math;
pub mod misc;
pub mod network;
pub mod order;
mod partition;
pub mod ranges;
pub mod sets;
pub mod text;
pub mod time;

pub mod deparse;

pub use registry::{all, body};
