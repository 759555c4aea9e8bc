//! Queries and data modification.

mod cte;
mod dml;
mod from;
mod merge;
mod select;
