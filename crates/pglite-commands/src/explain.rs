//! EXPLAIN: options, and the text of a plan.

use std::sync::Arc;

use pglite_error::{PgError, PgResult, err};
use pglite_parser::ast::{DefArg, ExplainStmt, RawStmt};
use pglite_types::{Oid, oid};

use crate::host::{CommandHost, CommandOutcome};

/// The output column's type: text, or json/xml by FORMAT.
pub fn result_type(s: &ExplainStmt) -> PgResult<Oid> {
    let format = s.options.iter().find(|d| d.defname == "format");
    match format.map(|d| (&d.arg, d.location)) {
        Some((Some(DefArg::String(f)), location)) => match f.as_str() {
            "text" | "yaml" => Ok(oid::TEXT),
            "json" => Ok(oid::JSON),
            "xml" => Ok(oid::XML),
            other => Err(err!(INVALID_PARAMETER_VALUE, "unrecognized value for EXPLAIN option \"format\": \"{other}\"").at(location)),
        },
        _ => Ok(oid::TEXT),
    }
}

pub fn explain(_host: &dyn CommandHost, _s: &ExplainStmt, _raw: &Arc<RawStmt>) -> PgResult<CommandOutcome> {
    Err(PgError::unsupported("EXPLAIN is not supported yet"))
}
