//! The embedder's API: plain calls without a client behind them.

#[cfg(feature = "arrow")]
pub mod arrow;
mod values;

pub use values::{Column, FromDatum, RowRef};

use pglite_commands::OutColumn;
use pglite_error::{PgError, PgResult};
use pglite_types::{Datum, Oid, Row};

use crate::collect::Collector;
use crate::database::{ConnectParams, Database};
use crate::session::Session;

/// A result: columns and rows.
#[derive(Clone, Debug, Default)]
pub struct Rows {
    pub columns: Vec<OutColumn>,
    pub rows: Vec<Row>,
    /// The command tag of the last statement.
    pub tag: String,
    pub notices: Vec<PgError>,
}

impl Database {
    /// A session of the bootstrap superuser on database `postgres`.
    pub fn session(&self) -> PgResult<Session> {
        let superuser = {
            let cluster = self.shared.catalog.snapshot(Oid::INVALID)?;
            cluster.role_by_oid(crate::database::BOOTSTRAP_ROLE).map(|r| r.rolname.to_string())
        };
        let params = ConnectParams {
            user: superuser.unwrap_or_else(|| "postgres".into()),
            database: "postgres".into(),
            ..ConnectParams::default()
        };
        self.connect(params, &mut Collector::default())
    }
}

impl Session {
    /// Runs the statements of `sql` and returns the last one's rows. Durable when it returns.
    pub fn query(&mut self, sql: &str) -> PgResult<Rows> {
        let mut collector = Collector::default();
        let result = self.simple_query(sql, &mut collector);
        self.settle(result, collector)
    }

    /// Runs the statements and forgets their rows; the command tag of the last one.
    pub fn execute_sql(&mut self, sql: &str) -> PgResult<String> {
        self.query(sql).map(|r| r.tag)
    }

    /// Runs the statements; how many rows the last one inserted, changed, deleted or returned. Durable when it returns.
    pub fn execute(&mut self, sql: &str) -> PgResult<u64> {
        let tag = self.execute_sql(sql)?;
        Ok(tag.rsplit(' ').next().and_then(|n| n.parse().ok()).unwrap_or(0))
    }

    /// Runs a statement held as `sqlparser`'s tree (feature `sqlparser`): it is printed and parsed by PostgreSQL's rules.
    #[cfg(feature = "sqlparser")]
    pub fn execute_statement(&mut self, statement: &sqlparser::ast::Statement) -> PgResult<Rows> {
        self.query(&statement.to_string())
    }

    /// Runs one statement with parameters in their text form; None = NULL.
    pub fn query_params(&mut self, sql: &str, params: &[Option<&str>]) -> PgResult<Rows> {
        let mut collector = Collector::default();
        let result = self.run_extended(sql, params, &mut collector);
        self.settle(result, collector)
    }

    fn run_extended(
        &mut self,
        sql: &str,
        params: &[Option<&str>],
        collector: &mut Collector,
    ) -> PgResult<()> {
        self.parse("", sql, &[], collector)?;
        let bytes: Vec<Option<&[u8]>> = params.iter().map(|p| p.map(str::as_bytes)).collect();
        self.bind("", "", &[], &bytes, &[], collector)?;
        if let Some((columns, _)) = self.describe_portal("")? {
            collector.columns = columns;
        }
        self.execute_portal("", 0, collector)?;
        self.sync(collector)
    }

    fn settle(&mut self, result: PgResult<()>, mut collector: Collector) -> PgResult<Rows> {
        if let Err(e) = result {
            self.fail(&e);
            return Err(e);
        }
        if let Some(commit) = collector.commit.take() {
            commit.wait()?;
        }
        Ok(Rows {
            columns: collector.columns,
            rows: collector.rows,
            tag: collector.tag,
            notices: collector.notices,
        })
    }
}

impl Rows {
    /// The first value of the first row.
    pub fn scalar(&self) -> Option<&Datum> {
        self.rows.first().and_then(|r| r.first())
    }
}
