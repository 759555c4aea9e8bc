//! Row constraints: NOT NULL, CHECK, the partition constraint, WITH CHECK OPTION and row security, with PostgreSQL's
//! errors.

use pglite_error::{PgError, PgResult, err};
use pglite_ir::plan::CheckWhen;
use pglite_types::{Datum, Oid};

use super::rel::RelProgram;
use crate::expr::{Code, Rows};
use crate::state::ExecCx;

/// Longer values are cut in error details.
const MAX_VALUE: usize = 64;

pub fn schema_name(cx: &ExecCx<'_>, namespace: Oid) -> String {
    cx.env.host.catalog().namespace_name(namespace).unwrap_or_default().to_string()
}

pub fn value_text(cx: &ExecCx<'_>, ty: Oid, value: &Datum) -> PgResult<String> {
    let mut text = String::new();
    pglite_types::text::text_out(cx.env.host, ty, value, &mut text)?;
    Ok(text)
}

/// `(1, null, abc)`: the row for "Failing row contains".
pub fn row_text(cx: &ExecCx<'_>, rel: &RelProgram, row: &[Datum]) -> PgResult<String> {
    let mut out = String::from("(");
    let mut first = true;
    for (col, value) in rel.rel.columns.iter().zip(row) {
        if col.dropped {
            continue;
        }
        if !std::mem::take(&mut first) {
            out.push_str(", ");
        }
        if col.generated == b'v' {
            out.push_str("virtual");
        } else if value.is_null() {
            out.push_str("null");
        } else {
            let text = value_text(cx, col.type_oid, value)?;
            if text.len() <= MAX_VALUE {
                out.push_str(&text);
            } else {
                let mut cut = MAX_VALUE;
                while !text.is_char_boundary(cut) {
                    cut -= 1;
                }
                out.push_str(&text[..cut]);
                out.push_str("...");
            }
        }
    }
    out.push(')');
    Ok(out)
}

fn failing(cx: &ExecCx<'_>, e: PgError, rel: &RelProgram, row: &[Datum]) -> PgError {
    let e = e.table(schema_name(cx, rel.rel.namespace), rel.rel.name.to_string());
    match row_text(cx, rel, row) {
        Ok(text) => e.detail(format!("Failing row contains {text}.")),
        Err(_) => e,
    }
}

/// NOT NULL and CHECK; with `partition` also the table's partition constraint.
pub fn constraints(cx: &mut ExecCx<'_>, rel: &RelProgram, row: &[Datum], partition: bool) -> PgResult<()> {
    for i in &rel.not_null {
        if row[*i].is_null() {
            let column = &rel.rel.columns[*i].name;
            let e = err!(
                NOT_NULL_VIOLATION,
                "null value in column \"{column}\" of relation \"{}\" violates not-null constraint",
                rel.rel.name
            )
            .column(column.to_string());
            return Err(failing(cx, e, rel, row));
        }
    }
    for (name, code) in &rel.checks {
        if code.test(&Rows::outer(row), cx)? == Some(false) {
            let e = err!(
                CHECK_VIOLATION,
                "new row for relation \"{}\" violates check constraint \"{name}\"",
                rel.rel.name
            )
            .constraint(name.clone());
            return Err(failing(cx, e, rel, row));
        }
    }
    if partition && !in_partition(cx, rel, row)? {
        let e =
            err!(CHECK_VIOLATION, "new row for relation \"{}\" violates partition constraint", rel.rel.name);
        return Err(failing(cx, e, rel, row));
    }
    Ok(())
}

/// Whether the row satisfies the table's partition constraint.
pub fn in_partition(cx: &mut ExecCx<'_>, rel: &RelProgram, row: &[Datum]) -> PgResult<bool> {
    match &rel.partition {
        Some(code) => Ok(code.test(&Rows::outer(row), cx)? != Some(false)),
        None => Ok(true),
    }
}

/// A compiled WITH CHECK OPTION or row-security check.
pub struct CheckCode {
    pub relation: String,
    pub policy: Option<String>,
    pub code: Code,
    pub is_view: bool,
    pub when: CheckWhen,
}

/// Runs the checks that are for rows of this kind.
pub fn options(
    cx: &mut ExecCx<'_>,
    checks: &[CheckCode],
    rel: &RelProgram,
    rows: &Rows<'_>,
    row: &[Datum],
    when: CheckWhen,
) -> PgResult<()> {
    let mine = |w: CheckWhen| w == when || w == CheckWhen::Always && when != CheckWhen::Conflict;
    for c in checks.iter().filter(|c| mine(c.when)) {
        if c.code.test(rows, cx)? == Some(true) {
            continue;
        }
        if c.is_view {
            let e = err!(
                WITH_CHECK_OPTION_VIOLATION,
                "new row violates check option for view \"{}\"",
                c.relation
            );
            let text = row_text(cx, rel, row)?;
            return Err(e.detail(format!("Failing row contains {text}.")));
        }
        if when == CheckWhen::Conflict {
            return Err(match &c.policy {
                Some(p) => err!(
                    INSUFFICIENT_PRIVILEGE,
                    "new row violates row-level security policy \"{p}\" (USING expression) for table \"{}\"",
                    c.relation
                ),
                None => err!(
                    INSUFFICIENT_PRIVILEGE,
                    "new row violates row-level security policy (USING expression) for table \"{}\"",
                    c.relation
                ),
            });
        }
        return Err(match &c.policy {
            Some(p) => err!(
                INSUFFICIENT_PRIVILEGE,
                "new row violates row-level security policy \"{p}\" for table \"{}\"",
                c.relation
            ),
            None => err!(
                INSUFFICIENT_PRIVILEGE,
                "new row violates row-level security policy for table \"{}\"",
                c.relation
            ),
        });
    }
    Ok(())
}

/// Computes stored generated columns in place.
pub fn generate(cx: &mut ExecCx<'_>, rel: &RelProgram, row: &mut [Datum]) -> PgResult<()> {
    for (i, code) in &rel.generated {
        let v = code.eval(&Rows::outer(row), cx)?;
        row[*i] = v;
    }
    Ok(())
}
