//! REINDEX INDEX and TABLE: fresh storage for the index, filled from the table's rows.

use std::sync::Arc;

use pglite_catalog::RelDesc;
use pglite_catalog::rows::ClassRow;
use pglite_error::{PgError, PgResult, bail};
use pglite_parser::ast::{ReindexObjectType, ReindexStmt};
use pglite_txn::Space;
use pglite_types::Oid;

use crate::ctx;
use crate::host::{CommandHost, CommandOutcome};

pub(crate) fn reindex(host: &dyn CommandHost, r: &ReindexStmt) -> PgResult<CommandOutcome> {
    let Some(name) = &r.relation else {
        return Err(PgError::unsupported("REINDEX of schemas and databases is not supported yet"));
    };
    let rel = ctx::relation(host, name)?;
    ctx::must_own(host, &rel)?;
    match r.kind {
        ReindexObjectType::Index => {
            if !matches!(rel.kind, b'i' | b'I') {
                bail!(WRONG_OBJECT_TYPE, "\"{}\" is not an index", rel.name);
            }
            let s = host.snapshot();
            let table = s.index(rel.oid).map(|i| i.indrelid).unwrap_or_default();
            rebuild(host, table, rel.oid)?;
        }
        _ => {
            if !matches!(rel.kind, b'r' | b'm' | b'p') {
                bail!(WRONG_OBJECT_TYPE, "\"{}\" is not a table or materialized view", rel.name);
            }
            table(host, &rel)?;
        }
    }
    Ok(CommandOutcome::tag("REINDEX"))
}

fn table(host: &dyn CommandHost, rel: &Arc<RelDesc>) -> PgResult<()> {
    if rel.indexes.is_empty() && rel.kind != b'p' {
        ctx::notice(host, PgError::notice(format!("table \"{}\" has no indexes to reindex", rel.name)));
    }
    for index in &rel.indexes {
        rebuild(host, rel.oid, index.oid)?;
    }
    Ok(())
}

fn rebuild(host: &dyn CommandHost, table: Oid, index: Oid) -> PgResult<()> {
    let s = host.snapshot();
    host.env().lock_relation(table, 5)?;
    host.env().lock_relation(index, 8)?;
    let old = s.class_by_oid(index).map(|c| c.relfilenode).unwrap_or_default();
    if !old.is_valid() {
        return Ok(());
    }
    let fresh = ctx::new_oid(host)?;
    host.with_catalog(&mut |c| {
        c.modify::<ClassRow>(index, |r| r.relfilenode = fresh);
        // The table's descriptor holds the index's.
        c.modify::<ClassRow>(table, |_| {});
        Ok(())
    })?;
    host.txn().create_space(Space::new(s.database().0, fresh.0));
    host.txn().drop_space(Space::new(s.database().0, old.0))?;
    crate::index::build(host, table, index)
}
