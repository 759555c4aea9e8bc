//! A random sample of a table's rows, by reservoir, and the exact row count.

use std::sync::Arc;

use pglite_analyze::{ParamTypes, analyze, rewrite};
use pglite_catalog::RelDesc;
use pglite_catalog::names::{quote_ident, quote_qualified};
use pglite_error::{PgResult, bail};
use pglite_exec::{ExecEnv, Executor, Prepared};
use pglite_planner::PlanOptions;
use pglite_types::{Batch, Datum};

use crate::host::CommandHost;

/// PG: 300 rows for each of the default statistics target's 100 entries.
const SAMPLE: usize = 30_000;

pub struct Sample {
    /// In table order.
    pub rows: Vec<Vec<Datum>>,
    pub total: u64,
}

/// Reads the chosen columns of all rows and keeps a sample of them.
pub fn take(host: &dyn CommandHost, rel: &RelDesc, columns: &[i16]) -> PgResult<Sample> {
    let env = host.env();
    let names: Vec<String> =
        columns.iter().map(|a| quote_ident(&rel.columns[*a as usize - 1].name)).collect();
    let schema = env.as_fn_host().catalog().namespace_name(rel.namespace).map(str::to_string);
    let sql =
        format!("SELECT {} FROM ONLY {}", names.join(", "), quote_qualified(schema.as_deref(), &rel.name));
    let mut parsed = pglite_parser::parse(&sql, &pglite_parser::ParseOptions::default())?;
    let Some(stmt) = parsed.stmts.pop() else { bail!(INTERNAL_ERROR, "no statement to sample rows with") };
    let query = analyze(env.as_analyze_env(), &Arc::new(stmt), &sql, &mut ParamTypes::none())?;
    let mut queries = rewrite(env.as_analyze_env(), query)?;
    let Some(query) = queries.pop() else { bail!(INTERNAL_ERROR, "no query to sample rows with") };
    let planned = pglite_planner::plan(env.as_planner_env(), query, PlanOptions::default())?;
    let exec_env = ExecEnv {
        txn: host.txn(),
        view: host.view(),
        host: env.as_fn_host(),
        hooks: env.as_exec_hooks(),
        work_mem: 4 << 20,
    };
    let prepared = Prepared::compile(Arc::new(planned), &exec_env)?;
    let fns = env.as_fn_host();
    let mut kept: Vec<(u64, Vec<Datum>)> = Vec::new();
    let mut total = 0u64;
    Executor::new(prepared, Arc::from([])).run(&exec_env, 0, &mut |batch: &mut Batch| {
        for row in batch.rows() {
            total += 1;
            if kept.len() < SAMPLE {
                kept.push((total, row[..columns.len()].to_vec()));
                continue;
            }
            let at = (fns.random() % total) as usize;
            if at < SAMPLE {
                kept[at] = (total, row[..columns.len()].to_vec());
            }
        }
        Ok(true)
    })?;
    kept.sort_by_key(|k| k.0);
    Ok(Sample { rows: kept.into_iter().map(|k| k.1).collect(), total })
}
