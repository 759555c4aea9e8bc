//! BEGIN, COMMIT, ROLLBACK, savepoints.

use pglite_commands::Client;
use pglite_error::{PgError, PgResult, bail, codes};
use pglite_parser::ast::{Statement, TransactionStmt, TransactionStmtKind as K};

use crate::core::{Block, Core};

/// Runs a transaction command; returns its tag.
pub(crate) fn transaction(core: &Core, stmt: &Statement, client: &mut dyn Client) -> PgResult<String> {
    let Statement::TransactionStmt(t) = stmt else { bail!(INTERNAL_ERROR, "not a transaction command") };
    let tag = match t.kind {
        K::Begin | K::Start => begin(core, t)?,
        K::Commit => commit(core, t, client)?,
        K::Rollback => rollback(core, t)?,
        K::Savepoint | K::Release | K::RollbackTo => savepoint(core, t)?,
        K::Prepare | K::CommitPrepared | K::RollbackPrepared => {
            return Err(PgError::unsupported("two-phase commit is not supported yet"));
        }
    };
    Ok(tag.to_string())
}

fn warn(core: &Core, code: pglite_error::SqlState, message: &str) {
    core.notices.borrow_mut().push(PgError::warning(code, message));
}

fn begin(core: &Core, t: &TransactionStmt) -> PgResult<&'static str> {
    let tag = if t.kind == K::Begin { "BEGIN" } else { "START TRANSACTION" };
    if core.block.get() == Block::Explicit {
        warn(core, codes::ACTIVE_SQL_TRANSACTION, "there is already a transaction in progress");
    }
    core.txn()?;
    core.block.set(Block::Explicit);
    super::set::transaction_modes(core, &t.options)?;
    Ok(tag)
}

fn chain(core: &Core, t: &TransactionStmt, modes: Option<[String; 3]>) -> PgResult<()> {
    let Some([isolation, read_only, deferrable]) = modes.filter(|_| t.chain) else { return Ok(()) };
    core.txn()?;
    core.block.set(Block::Explicit);
    super::set::transaction_mode(core, "transaction_isolation", &isolation)?;
    super::set::transaction_mode(core, "transaction_read_only", &read_only)?;
    super::set::transaction_mode(core, "transaction_deferrable", &deferrable)
}

fn modes(core: &Core) -> Option<[String; 3]> {
    Some([
        core.transaction_setting("transaction_isolation")?,
        core.transaction_setting("transaction_read_only")?,
        core.transaction_setting("transaction_deferrable")?,
    ])
}

fn commit(core: &Core, t: &TransactionStmt, client: &mut dyn Client) -> PgResult<&'static str> {
    let saved = modes(core);
    match core.block.get() {
        Block::Failed => {
            core.portals.borrow_mut().drop_transaction();
            core.abort();
            core.block.set(Block::Idle);
            chain(core, t, saved)?;
            return Ok("ROLLBACK");
        }
        Block::Idle | Block::Implicit => {
            if t.chain {
                bail!(NO_ACTIVE_SQL_TRANSACTION, "COMMIT AND CHAIN can only be used in transaction blocks");
            }
            warn(core, codes::NO_ACTIVE_SQL_TRANSACTION, "there is no transaction in progress");
        }
        Block::Explicit => {}
    }
    core.block.set(Block::Implicit);
    core.finish_implicit(client)?;
    core.block.set(Block::Idle);
    chain(core, t, saved)?;
    Ok("COMMIT")
}

fn rollback(core: &Core, t: &TransactionStmt) -> PgResult<&'static str> {
    let saved = modes(core);
    if matches!(core.block.get(), Block::Idle | Block::Implicit) {
        if t.chain {
            bail!(NO_ACTIVE_SQL_TRANSACTION, "ROLLBACK AND CHAIN can only be used in transaction blocks");
        }
        warn(core, codes::NO_ACTIVE_SQL_TRANSACTION, "there is no transaction in progress");
    }
    core.portals.borrow_mut().drop_transaction();
    core.abort();
    core.block.set(Block::Idle);
    chain(core, t, saved)?;
    Ok("ROLLBACK")
}

/// COMMIT and ROLLBACK of a procedure: ends the transaction and begins the next, which the procedure goes on in.
pub(crate) fn end_in_procedure(core: &Core, commit: bool, chained: bool) -> PgResult<()> {
    let saved = modes(core);
    crate::portal::hold_pinned(core)?;
    if commit {
        crate::portal::before_commit(core)?;
        let mut client = crate::collect::Collector::default();
        core.commit(&mut client)?;
        core.portals.borrow_mut().drop_transaction();
        if let Some(pending) = client.commit.take() {
            pending.wait()?;
        }
    } else {
        core.portals.borrow_mut().drop_transaction();
        core.abort();
    }
    core.block.set(Block::Idle);
    core.refresh_catalog()?;
    core.txn()?;
    if let Some([isolation, read_only, deferrable]) = saved.filter(|_| chained) {
        super::set::transaction_mode(core, "transaction_isolation", &isolation)?;
        super::set::transaction_mode(core, "transaction_read_only", &read_only)?;
        super::set::transaction_mode(core, "transaction_deferrable", &deferrable)?;
    }
    Ok(())
}

fn savepoint(core: &Core, t: &TransactionStmt) -> PgResult<&'static str> {
    let (what, tag) = match t.kind {
        K::Savepoint => ("SAVEPOINT", "SAVEPOINT"),
        K::Release => ("RELEASE SAVEPOINT", "RELEASE"),
        _ => ("ROLLBACK TO SAVEPOINT", "ROLLBACK"),
    };
    let name = t.savepoint_name.as_deref().unwrap_or("");
    if !matches!(core.block.get(), Block::Explicit | Block::Failed) {
        bail!(NO_ACTIVE_SQL_TRANSACTION, "{what} can only be used in transaction blocks");
    }
    match t.kind {
        K::Savepoint => core.savepoint(name)?,
        K::Release => core.release(name)?,
        _ => {
            core.rollback_to(name)?;
            core.block.set(Block::Explicit);
        }
    }
    Ok(tag)
}
