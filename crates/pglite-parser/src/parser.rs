//! The parser: recursive descent over the token list, one file a production family.
//!
//! Functions are named after PostgreSQL's productions. Alternatives are decided by looking ahead, never by
//! trying and undoing; so the first token that fits nothing is the one PostgreSQL reports.

mod alter_object;
mod alter_table;
mod column;
mod core;
mod create;
mod cte;
mod cursor;
mod database;
mod define;
mod dml;
mod domain;
mod drop;
mod expr;
mod extension;
mod foreign;
mod from;
mod func;
mod function;
mod grant;
mod index;
mod json;
mod limits;
mod maintenance;
mod merge;
mod names;
mod object;
mod operator;
mod option;
mod partition;
mod policy;
mod primary;
mod publication;
mod role;
mod routine;
mod rule;
mod select;
mod sequence;
mod set;
mod statement;
mod sub_func;
mod table;
mod text_search;
mod transaction;
mod trigger;
mod typename;
mod view;
mod window;
mod xml;

pub(crate) use self::core::Parser;
