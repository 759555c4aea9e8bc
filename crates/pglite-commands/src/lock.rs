//! LOCK TABLE.

use pglite_catalog::acl;
use pglite_error::{PgResult, bail};
use pglite_parser::ast::LockStmt;
use pglite_types::Oid;

use crate::ctx;
use crate::host::{CommandHost, CommandOutcome};

pub(crate) fn lock(host: &dyn CommandHost, l: &LockStmt) -> PgResult<CommandOutcome> {
    if host.is_top_level() {
        bail!(NO_ACTIVE_SQL_TRANSACTION, "LOCK TABLE can only be used in transaction blocks");
    }
    if l.nowait {
        return Err(pglite_error::PgError::unsupported("LOCK TABLE ... NOWAIT is not supported yet"));
    }
    for name in &l.relations {
        let rel = ctx::relation(host, name)?;
        if !matches!(rel.kind, b'r' | b'p' | b'v') {
            bail!(WRONG_OBJECT_TYPE, "cannot lock relation \"{}\"", rel.name);
        }
        let s = host.snapshot();
        let user = ctx::user(host);
        let mut wanted = acl::UPDATE | acl::DELETE | acl::TRUNCATE | acl::MAINTAIN;
        if l.mode <= 1 {
            wanted |= acl::SELECT;
        }
        if l.mode <= 3 {
            wanted |= acl::INSERT;
        }
        if acl::relation_mask(&s, user, rel.oid, wanted) == 0 {
            bail!(INSUFFICIENT_PRIVILEGE, "permission denied for {} {}", ctx::kind_word(rel.kind), rel.name);
        }
        let mut all: Vec<Oid> = vec![rel.oid];
        while let Some(next) = all.pop() {
            host.env().lock_relation(next, l.mode as u8)?;
            if name.inh {
                all.extend(s.children_of(next).map(|i| i.inhrelid));
            }
        }
    }
    Ok(CommandOutcome::tag("LOCK TABLE"))
}
