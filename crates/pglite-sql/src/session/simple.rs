//! The simple protocol: a text of statements, run one after another in one implicit transaction.

use std::sync::Arc;

use pglite_analyze::ParamTypes;
use pglite_commands::Client;
use pglite_error::{PgResult, bail};
use pglite_parser::ast::{RawStmt, Statement, TransactionStmtKind};

use super::Session;
use crate::core::{Block, Core};
use crate::cx::Cx;
use crate::run::{self, Action};

impl Session {
    /// Runs all statements of the text; an error ends it. The caller sends the error and ReadyForQuery.
    pub fn simple_query(&mut self, sql: &str, client: &mut dyn Client) -> PgResult<()> {
        let core = &*self.core;
        core.begin_message(sql);
        core.portals.borrow_mut().drop_unnamed();
        let result = simple(core, sql, client);
        core.send_notices(client);
        result
    }
}

fn simple(core: &Core, sql: &str, client: &mut dyn Client) -> PgResult<()> {
    let parsed = run::parse(core, sql)?;
    core.send_notices(client);
    if parsed.stmts.is_empty() {
        return client.empty_query();
    }
    let last = parsed.stmts.len() - 1;
    let multi = last > 0;
    for (i, raw) in parsed.stmts.into_iter().enumerate() {
        core.check_usable(&raw.stmt)?;
        let raw = Arc::new(raw);
        let tag = one(core, &raw, sql, client, multi)?;
        core.send_notices(client);
        // The transaction ends before the tag goes out, so that a failing commit is reported instead of it.
        if i == last && core.block.get() == Block::Implicit {
            core.finish_implicit(client)?;
        }
        client.complete(&tag)?;
    }
    Ok(())
}

fn one(core: &Core, raw: &Arc<RawStmt>, sql: &str, client: &mut dyn Client, multi: bool) -> PgResult<String> {
    core.refresh_catalog()?;
    if matches!(raw.stmt, Statement::TransactionStmt(_)) {
        return crate::control::transaction(core, &raw.stmt, client);
    }
    let action = {
        let cx = Cx::new(core)?;
        run::plan(&cx, raw, sql, &mut ParamTypes::none())?
    };
    match action {
        Action::Plans(plans) => run::run_plans(core, &plans, &Arc::from([]), client, &[], true),
        Action::Utility(raw) => {
            let tag = crate::control::run_utility(core, &raw, sql, &[], client, multi)?;
            if core.in_transaction() {
                core.command_done()?;
            }
            Ok(tag)
        }
    }
}

impl Core {
    /// What begins with a client's message: statement clock, activity, a clean cancel flag.
    pub fn begin_message(&self, sql: &str) {
        let now = self.shared().now();
        self.statement_start.set(now);
        self.slot.backend.cancel_token().reset();
        let timeout = self.settings.borrow().hot().statement_timeout;
        self.arm_timeout(timeout);
        let mut a = self.slot.activity.lock();
        a.state = "active";
        a.query = Arc::from(&sql[..sql.len().min(1024).min(sql.floor_char_boundary(1024))]);
        a.query_start = now;
        a.state_change = now;
    }

    /// 25P02 in a failed block, unless the statement leaves it.
    pub fn check_usable(&self, stmt: &Statement) -> PgResult<()> {
        if self.block.get() != Block::Failed {
            return Ok(());
        }
        use TransactionStmtKind as K;
        if let Statement::TransactionStmt(t) = stmt
            && matches!(t.kind, K::Commit | K::Rollback | K::RollbackTo | K::Prepare)
        {
            return Ok(());
        }
        bail!(
            IN_FAILED_SQL_TRANSACTION,
            "current transaction is aborted, commands ignored until end of transaction block"
        );
    }

    /// Commits the implicit transaction of a message.
    pub fn finish_implicit(&self, client: &mut dyn Client) -> PgResult<()> {
        crate::portal::before_commit(self)?;
        let result = self.commit(client);
        self.send_notices(client);
        if result.is_err() {
            self.block.set(Block::Idle);
        }
        self.portals.borrow_mut().drop_transaction();
        result
    }
}
