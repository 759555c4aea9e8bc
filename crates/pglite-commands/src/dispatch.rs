//! One entry for every utility statement: finds the family that runs it.

use std::sync::Arc;

use pglite_error::{PgError, PgResult};
use pglite_parser::ast::{RawStmt, Statement};

use crate::host::{CommandHost, CommandOutcome};

/// Runs a utility statement inside the session's transaction.
pub fn execute(host: &dyn CommandHost, raw: &Arc<RawStmt>) -> PgResult<CommandOutcome> {
    match &raw.stmt {
        Statement::CreateStmt(s) => crate::table::create_table(host, s),
        Statement::IndexStmt(s) => crate::index::create_index(host, s),
        Statement::CreateSeqStmt(s) => crate::sequence::create(host, s),
        Statement::AlterSeqStmt(s) => crate::sequence::alter(host, s),
        Statement::CopyStmt(s) => crate::copy::copy(host, s, raw),
        Statement::ExplainStmt(s) => crate::explain::explain(host, s, raw),
        Statement::VacuumStmt(s) => crate::vacuum::vacuum(host, s),
        Statement::CheckPointStmt(_) => {
            host.cluster("checkpoint", &[])?;
            Ok(CommandOutcome::tag("CHECKPOINT"))
        }
        other => Err(PgError::unsupported(format!("{} is not supported yet", crate::command_tag(other)))),
    }
}
