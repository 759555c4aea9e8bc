//! What utility statements ask of the session that runs them.
//!
//! Transaction control, SET/SHOW, PREPARE/EXECUTE, cursors and LISTEN/NOTIFY live in the session itself; everything
//! else comes through [`crate::execute`] with a [`CommandHost`].

use std::sync::Arc;

use pglite_analyze::AnalyzeEnv;
use pglite_catalog::{CatalogTxn, RelDesc, Snapshot};
use pglite_error::PgResult;
use pglite_exec::ExecHooks;
use pglite_ir::FnHost;
use pglite_parser::ast::{ExecuteStmt, Statement};
use pglite_planner::PlannerEnv;
use pglite_txn::{ReadView, Transaction};
use pglite_types::{Datum, Oid, Row};

use crate::client::Client;

/// Everything one statement needs from its session, over one state of the catalog.
pub trait StatementEnv: FnHost + AnalyzeEnv + PlannerEnv + ExecHooks {
    fn as_fn_host(&self) -> &dyn FnHost;
    fn as_analyze_env(&self) -> &dyn AnalyzeEnv;
    fn as_planner_env(&self) -> &dyn PlannerEnv;
    fn as_exec_hooks(&self) -> &dyn ExecHooks;
}

/// The session of a running utility statement.
pub trait CommandHost {
    /// A context over the catalog as it is *now*: take a new one after each catalog change.
    fn env(&self) -> Box<dyn StatementEnv + '_>;
    /// The catalog as it is now, this transaction's changes included.
    fn snapshot(&self) -> Arc<Snapshot>;
    fn txn(&self) -> &Transaction;
    /// The statement's read view.
    fn view(&self) -> &ReadView;
    /// Changes the catalog. Changes are visible to the next `env()` and committed with the transaction.
    fn with_catalog(&self, f: &mut dyn FnMut(&mut CatalogTxn) -> PgResult<()>) -> PgResult<()>;
    /// Speaks to the client (COPY, EXPLAIN's rows).
    fn with_client(&self, f: &mut dyn FnMut(&mut dyn Client) -> PgResult<()>) -> PgResult<()>;
    /// The statement's parameters ($1 ...), with their types.
    fn params(&self) -> &[(Oid, Datum)];
    /// The whole source text that AST locations refer to.
    fn source(&self) -> &str;
    /// Gives or takes away a named tuplestore that the statement's own queries may read (COPY's rows).
    fn set_tuplestore(&self, name: &str, store: Option<(Arc<RelDesc>, Arc<Vec<Row>>)>);
    /// True when the statement runs outside any explicit transaction block (CREATE DATABASE, VACUUM ... insist).
    fn is_top_level(&self) -> bool;
    /// Acts on the cluster, by name, that only few commands need: "create_database", "drop_database",
    /// "rename_database", "terminate_sessions" ... Arguments are as the command documents.
    fn cluster(&self, act: &str, args: &[Datum]) -> PgResult<Datum>;
    /// Runs SQL text in this transaction as sub-statements of the running one (elements of CREATE SCHEMA,
    /// extension scripts).
    fn run_sql(&self, sql: &str) -> PgResult<()>;
    /// The prepared statement that an EXECUTE names (None: an empty one), its text, and the arguments' values.
    fn prepared(&self, s: &ExecuteStmt) -> PgResult<(Option<Statement>, String, Vec<(Oid, Datum)>)>;
}

/// What a utility statement leaves to say.
#[derive(Clone, Debug, PartialEq)]
pub struct CommandOutcome {
    /// The command tag.
    pub tag: String,
}

impl CommandOutcome {
    pub fn tag(tag: impl Into<String>) -> CommandOutcome {
        CommandOutcome { tag: tag.into() }
    }
}
