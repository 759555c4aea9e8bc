//! Partitions: which leaf a row belongs to, and rows of one partition in the shape of another.

use std::sync::Arc;

use pglite_catalog::RelDesc;
use pglite_error::{PgError, PgResult, err};
use pglite_types::{Datum, Row};

use super::check::{in_partition, schema_name, value_text};
use super::rel::RelProgram;
use super::{Target, Targets};
use crate::expr::Rows;
use crate::state::ExecCx;

/// A row of `from` with the columns of `to`, matched by name; the same row when the columns agree.
pub fn convert(from: &RelDesc, to: &RelDesc, row: Row) -> Row {
    let agree = from.columns.len() == to.columns.len()
        && from
            .columns
            .iter()
            .zip(&to.columns)
            .all(|(a, b)| a.dropped == b.dropped && (a.dropped || a.name == b.name));
    if agree {
        return row;
    }
    to.columns
        .iter()
        .map(|c| match from.columns.iter().position(|f| !f.dropped && !c.dropped && f.name == c.name) {
            Some(i) => row.get(i).cloned().unwrap_or_default(),
            None => Datum::Null,
        })
        .collect()
}

/// Finds the leaf of a partitioned table for a row of it, and the row in the leaf's shape.
pub fn route(
    cx: &mut ExecCx<'_>,
    targets: &mut Targets,
    root: &Arc<RelDesc>,
    row: Row,
) -> PgResult<(Arc<Target>, Row)> {
    let mut at = targets.open(cx, root)?;
    let mut row = row;
    while at.rel().is_partitioned() {
        let mut found = None;
        let default = at.rel().partition_key.as_ref().map_or(pglite_types::Oid::INVALID, |k| k.default);
        let children: Vec<_> = at.rel().children.iter().copied().filter(|c| *c != default).collect();
        for child in children.into_iter().chain(default.valid()) {
            let Some(rel) = cx.env.host.catalog().rel(child) else { continue };
            let target = targets.open(cx, &rel)?;
            let shaped = convert(at.rel(), &rel, row.clone());
            if target.program.partition.is_none() && child != default {
                return Err(PgError::unsupported(format!(
                    "the bound of partition \"{}\" is not known",
                    rel.name
                )));
            }
            if child == default || in_partition(cx, &target.program, &shaped)? {
                found = Some((target, shaped));
                break;
            }
        }
        match found {
            Some((target, shaped)) => {
                at = target;
                row = shaped;
            }
            None => return Err(no_partition(cx, &at.program, &row)),
        }
    }
    Ok((at, row))
}

fn no_partition(cx: &mut ExecCx<'_>, rel: &RelProgram, row: &[Datum]) -> PgError {
    let e = err!(CHECK_VIOLATION, "no partition of relation \"{}\" found for row", rel.rel.name)
        .table(schema_name(cx, rel.rel.namespace), rel.rel.name.to_string());
    let Some(key) = &rel.rel.partition_key else { return e };
    let (mut names, mut texts) = (Vec::new(), Vec::new());
    let mut exprs = key.exprs.iter().zip(&rel.partition_key);
    for attnum in &key.attnums {
        let (name, ty, value) = match rel.rel.attr(*attnum) {
            Some(col) => (col.name.to_string(), col.type_oid, row[*attnum as usize - 1].clone()),
            None => {
                let Some((text, code)) = exprs.next() else { return e };
                let Ok(v) = code.eval(&Rows::outer(row), cx) else { return e };
                (text.to_string(), pglite_types::oid::TEXT, v)
            }
        };
        names.push(name);
        texts.push(if value.is_null() {
            "null".to_string()
        } else {
            value_text(cx, ty, &value).unwrap_or_default()
        });
    }
    e.detail(format!(
        "Partition key of the failing row contains ({}) = ({}).",
        names.join(", "),
        texts.join(", ")
    ))
}
