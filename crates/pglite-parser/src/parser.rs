//! The parser: recursive descent over the token list, one file a production family.
//!
//! Functions are named after PostgreSQL's productions. Alternatives are decided by looking ahead, never by
//! trying and undoing; so the first token that fits nothing is the one PostgreSQL reports.

mod core;
mod limits;
mod names;
mod typename;

mod expr;
mod query;

mod option;

mod create;
mod statement;

mod admin;
mod object;
mod relation;
mod routine;
mod utility;

pub(crate) use self::core::Parser;
