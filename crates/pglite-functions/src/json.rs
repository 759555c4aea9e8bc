//! `json` and `jsonb`: making values, reading and editing documents, expanding them to rows, aggregates.
//!
//! `json` is text and keeps its spelling: its readers work on slices of the text ([`text`]). `jsonb` is a tree.

pub mod agg;
pub mod make;
pub mod read;
pub mod text;
pub mod tree;
