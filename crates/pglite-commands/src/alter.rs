//! ALTER TABLE and what other commands need of it.

use pglite_error::PgResult;
use pglite_types::Oid;

use crate::host::CommandHost;
use crate::table::{NotNull, add_not_null};

/// Makes a column NOT NULL (ADD PRIMARY KEY does), after checking the rows there are.
pub(crate) fn require_not_null(host: &dyn CommandHost, rel: Oid, column: &str) -> PgResult<()> {
    add_not_null(host, rel, &NotNull::local(column))
}
