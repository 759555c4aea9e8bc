//! VACUUM and ANALYZE. Space is reclaimed by compaction on its own, so VACUUM only refreshes the counts; ANALYZE samples
//! rows into pg_statistic.

use pglite_error::{PgResult, bail};
use pglite_parser::ast::VacuumStmt;

use crate::host::{CommandHost, CommandOutcome};

pub fn vacuum(host: &dyn CommandHost, s: &VacuumStmt) -> PgResult<CommandOutcome> {
    if s.is_vacuumcmd && !host.is_top_level() {
        bail!(ACTIVE_SQL_TRANSACTION, "VACUUM cannot run inside a transaction block");
    }
    let env = host.env();
    for target in &s.rels {
        let name = &target.relation;
        env.search_path().relation(env.as_fn_host().catalog(), name.schemaname.as_deref(), &name.relname)?;
    }
    Ok(CommandOutcome::tag(if s.is_vacuumcmd { "VACUUM" } else { "ANALYZE" }))
}
