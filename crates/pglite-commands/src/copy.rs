//! COPY: options, target resolution, and the two directions.
//!
//! Formats: text, csv, binary. FROM goes through the executor's bulk insert in batches, so that constraints, indexes and
//! partition routing are those of INSERT.

mod binary;
mod end;
mod fields;
mod from;
mod lines;
mod load;
mod options;
mod scan;
#[cfg(test)]
mod tests;
mod to;

use std::sync::Arc;

use pglite_catalog::RelDesc;
use pglite_error::{PgResult, bail, err};
use pglite_parser::ast::{CopyStmt, RawStmt};

use crate::host::{CommandHost, CommandOutcome, StatementEnv};

pub(crate) use options::{Format, Options};

/// COPY in either direction.
pub fn copy(host: &dyn CommandHost, s: &CopyStmt, raw: &Arc<RawStmt>) -> PgResult<CommandOutcome> {
    let options = Options::parse(s)?;
    end::check_privilege(host, s)?;
    let rows =
        if s.is_from { from::copy_from(host, s, &options)? } else { to::copy_to(host, s, raw, &options)? };
    Ok(CommandOutcome::tag(format!("COPY {rows}")))
}

/// The relation a COPY names.
fn relation(env: &dyn StatementEnv, s: &CopyStmt) -> PgResult<Option<Arc<RelDesc>>> {
    let Some(name) = &s.relation else { return Ok(None) };
    let catalog = env.as_fn_host().catalog();
    let path = env.search_path();
    let class = path.relation(catalog, name.schemaname.as_deref(), &name.relname)?;
    let rel = catalog
        .rel(class.oid)
        .ok_or_else(|| err!(UNDEFINED_TABLE, "relation \"{}\" does not exist", name.relname))?;
    Ok(Some(rel))
}

/// 0-based columns that take part, in order.
fn columns(rel: &RelDesc, names: &[String]) -> PgResult<Vec<usize>> {
    if names.is_empty() {
        return Ok(rel
            .columns
            .iter()
            .enumerate()
            .filter(|(_, c)| !c.dropped && c.generated == 0)
            .map(|(i, _)| i)
            .collect());
    }
    let mut out = Vec::with_capacity(names.len());
    for name in names {
        let Some(i) = rel.columns.iter().position(|c| !c.dropped && c.name.as_str() == name) else {
            bail!(UNDEFINED_COLUMN, "column \"{name}\" of relation \"{}\" does not exist", rel.name);
        };
        if rel.columns[i].generated != 0 {
            return Err(err!(INVALID_COLUMN_REFERENCE, "column \"{name}\" is a generated column")
                .detail("Generated columns cannot be used in COPY."));
        }
        if out.contains(&i) {
            bail!(DUPLICATE_COLUMN, "column \"{name}\" specified more than once");
        }
        out.push(i);
    }
    Ok(out)
}
