//! Analysis over the built-in catalog: dumps of queries, and errors with their codes and places, as PostgreSQL gives them.

mod dml;
mod env;
mod errors;
mod queries;
mod support;
mod views;
