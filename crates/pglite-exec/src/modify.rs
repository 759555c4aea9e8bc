//! INSERT, UPDATE, DELETE, MERGE.

use pglite_error::{PgError, PgResult};
use pglite_ir::plan::{ModifyTable, Plan};

use crate::node::{Builder, Built};
use crate::state::ExecCx;

/// Statement-wide state of data-modifying nodes.
#[derive(Default)]
pub struct StatementState {}

pub fn build(_b: &mut Builder<'_>, _plan: &Plan, _m: &ModifyTable) -> PgResult<Built> {
    Err(PgError::unsupported("data-modifying plans are not supported"))
}

pub fn finish_statement(_cx: &mut ExecCx<'_>) -> PgResult<()> {
    Ok(())
}
