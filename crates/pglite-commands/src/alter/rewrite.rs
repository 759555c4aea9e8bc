//! Checking and rewriting the rows a table has.

use std::sync::Arc;

use pglite_catalog::names::{quote_ident, quote_qualified};
use pglite_catalog::{RelDesc, Snapshot};
use pglite_error::{PgResult, err};
use pglite_exec::ExecEnv;
use pglite_exec::modify::bulk::BulkInsert;
use pglite_types::{Batch, Datum, Oid, Row};

use super::desc;
use crate::host::CommandHost;

/// The table's qualified, quoted name.
pub(crate) fn table_text(s: &Snapshot, rel: &RelDesc) -> String {
    quote_qualified(s.namespace_name(rel.namespace), &rel.name)
}

fn has_rows(rel: &RelDesc) -> bool {
    matches!(rel.kind, b'r' | b'm')
}

/// 23502 when a row has a null in the column.
pub(crate) fn check_not_null(host: &dyn CommandHost, rel: Oid, column: &str) -> PgResult<()> {
    let s = host.snapshot();
    let rel = desc(&s, rel)?;
    if !has_rows(&rel) {
        return Ok(());
    }
    let sql =
        format!("SELECT 1 FROM ONLY {} WHERE {} IS NULL LIMIT 1", table_text(&s, &rel), quote_ident(column));
    if host.env().as_fn_host().run_query(&sql, &[])?.is_empty() {
        return Ok(());
    }
    let schema = s.namespace_name(rel.namespace).unwrap_or("").to_string();
    Err(err!(NOT_NULL_VIOLATION, "column \"{column}\" of relation \"{}\" contains null values", rel.name)
        .table(schema, rel.name.to_string())
        .column(column))
}

/// 23514 when a row does not satisfy the condition.
pub(crate) fn check_condition(
    host: &dyn CommandHost,
    rel: Oid,
    constraint: &str,
    text: &str,
) -> PgResult<()> {
    let s = host.snapshot();
    let rel = desc(&s, rel)?;
    if !has_rows(&rel) {
        return Ok(());
    }
    let sql = format!("SELECT 1 FROM ONLY {} WHERE NOT ({text}) LIMIT 1", table_text(&s, &rel));
    if host.env().as_fn_host().run_query(&sql, &[])?.is_empty() {
        return Ok(());
    }
    let schema = s.namespace_name(rel.namespace).unwrap_or("").to_string();
    Err(err!(
        CHECK_VIOLATION,
        "check constraint \"{constraint}\" of relation \"{}\" is violated by some row",
        rel.name
    )
    .table(schema, rel.name.to_string())
    .constraint(constraint))
}

/// Reads every row, one value per column; `exprs` replaces columns (by attnum) by SQL text over the old definition.
/// Dropped columns read as null.
pub(crate) fn read(host: &dyn CommandHost, rel: &RelDesc, exprs: &[(i16, String)]) -> PgResult<Vec<Row>> {
    if !has_rows(rel) {
        return Ok(Vec::new());
    }
    let s = host.snapshot();
    let list: Vec<String> = rel
        .columns
        .iter()
        .map(|c| match exprs.iter().find(|e| e.0 == c.attnum) {
            Some((_, text)) => text.clone(),
            None if c.dropped || c.generated == b'v' => "NULL".to_string(),
            None => quote_ident(&c.name),
        })
        .collect();
    let extra: Vec<String> =
        exprs.iter().filter(|e| e.0 as usize > rel.columns.len()).map(|e| e.1.clone()).collect();
    let all: Vec<String> = list.into_iter().chain(extra).collect();
    let sql = format!("SELECT {} FROM ONLY {}", all.join(", "), table_text(&s, rel));
    host.env().as_fn_host().run_query(&sql, &[])
}

/// Gives the table fresh storage and writes the rows there, filling its indexes and checking its constraints.
pub(crate) fn write(host: &dyn CommandHost, rel: Oid, rows: Vec<Row>) -> PgResult<()> {
    let s = host.snapshot();
    let old = desc(&s, rel)?;
    if !has_rows(&old) {
        return Ok(());
    }
    crate::truncate::new_storage(host, &old)?;
    fill(host, rel, rows)
}

/// Inserts rows of the table's full width, without its triggers.
pub(crate) fn fill(host: &dyn CommandHost, rel: Oid, rows: Vec<Row>) -> PgResult<()> {
    let s = host.snapshot();
    let mut bare: RelDesc = (*desc(&s, rel)?).clone();
    bare.has_triggers = false;
    // Foreign keys held before and hold now.
    bare.constraints.retain(|c| c.contype != b'f');
    let rel = Arc::new(bare);
    let env = host.env();
    let exec = ExecEnv {
        txn: host.txn(),
        view: host.view(),
        host: env.as_fn_host(),
        hooks: env.as_exec_hooks(),
        work_mem: 64 << 20,
    };
    let mut insert = BulkInsert::start(&exec, &rel)?;
    let width = rel.columns.len();
    let mut rows = rows.into_iter();
    loop {
        let mut batch = Batch::new(width);
        for mut row in rows.by_ref().take(1024) {
            row.resize(width, Datum::Null);
            batch.push_row(row);
        }
        if batch.is_empty() {
            break;
        }
        insert.insert(&exec, &mut batch)?;
    }
    insert.finish(&exec)
}
