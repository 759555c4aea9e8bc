//! Transaction control.

use pglite_error::PgResult;

use crate::ast::*;
use crate::keyword::Kw;
use crate::lexer::Tok;
use crate::parser::Parser;

fn transaction(kind: TransactionStmtKind) -> TransactionStmt {
    TransactionStmt { kind, options: Vec::new(), savepoint_name: None, gid: None, chain: false, location: -1 }
}

impl Parser<'_> {
    fn opt_transaction(&mut self) {
        self.eat_any(&[Kw::Work, Kw::Transaction]);
    }

    /// A transaction statement, at its first keyword (PREPARE TRANSACTION included).
    pub(in crate::parser) fn transaction_stmt(&mut self) -> PgResult<TransactionStmt> {
        use TransactionStmtKind::*;
        let kw = self.bump().kw;
        match kw {
            Kw::Begin => {
                self.opt_transaction();
                let options = self.opt_transaction_mode_list()?;
                Ok(TransactionStmt { options, ..transaction(Begin) })
            }
            Kw::Start => {
                self.expect(Kw::Transaction)?;
                let options = self.opt_transaction_mode_list()?;
                Ok(TransactionStmt { options, ..transaction(Start) })
            }
            Kw::Commit | Kw::Rollback if self.eat(Kw::Prepared) => {
                self.gid(if kw == Kw::Commit { CommitPrepared } else { RollbackPrepared })
            }
            Kw::Prepare => {
                self.expect(Kw::Transaction)?;
                self.gid(Prepare)
            }
            Kw::Commit | Kw::End => {
                self.opt_transaction();
                self.chained(Commit)
            }
            Kw::Abort => {
                self.opt_transaction();
                self.chained(Rollback)
            }
            Kw::Rollback => {
                self.opt_transaction();
                if self.eat(Kw::To) {
                    // SAVEPOINT may be the savepoint's name.
                    if self.at(Kw::Savepoint) && self.is_col_id(1) {
                        self.bump();
                    }
                    return self.savepoint(RollbackTo);
                }
                self.chained(Rollback)
            }
            Kw::Release => {
                if self.at(Kw::Savepoint) && self.is_col_id(1) {
                    self.bump();
                }
                self.savepoint(Release)
            }
            _ => self.savepoint(Savepoint),
        }
    }

    fn savepoint(&mut self, kind: TransactionStmtKind) -> PgResult<TransactionStmt> {
        let location = self.loc();
        let savepoint_name = Some(self.col_id()?);
        Ok(TransactionStmt { savepoint_name, location, ..transaction(kind) })
    }

    fn gid(&mut self, kind: TransactionStmtKind) -> PgResult<TransactionStmt> {
        let location = self.loc();
        let gid = Some(self.sconst()?);
        Ok(TransactionStmt { gid, location, ..transaction(kind) })
    }

    fn chained(&mut self, kind: TransactionStmtKind) -> PgResult<TransactionStmt> {
        let mut chain = false;
        if self.eat(Kw::And) {
            chain = !self.eat(Kw::No);
            self.expect(Kw::Chain)?;
        }
        Ok(TransactionStmt { chain, ..transaction(kind) })
    }

    fn is_transaction_mode(&self) -> bool {
        matches!(self.kw(), Kw::Isolation | Kw::Read | Kw::Deferrable | Kw::Not)
    }

    fn opt_transaction_mode_list(&mut self) -> PgResult<Vec<DefElem>> {
        if self.is_transaction_mode() { self.transaction_mode_list() } else { Ok(Vec::new()) }
    }

    /// Modes, with or without commas between them.
    pub(in crate::parser) fn transaction_mode_list(&mut self) -> PgResult<Vec<DefElem>> {
        let mut modes = vec![self.transaction_mode_item()?];
        while self.eat_tok(Tok::Comma) || self.is_transaction_mode() {
            modes.push(self.transaction_mode_item()?);
        }
        Ok(modes)
    }

    fn transaction_mode_item(&mut self) -> PgResult<DefElem> {
        let location = self.loc();
        let flag = |name: &str, value| Ok(DefElem::new(name, Some(DefArg::Boolean(value)), location));
        match self.eat_any(&[Kw::Isolation, Kw::Read, Kw::Deferrable, Kw::Not]) {
            Some(Kw::Isolation) => {
                self.expect(Kw::Level)?;
                let level = DefArg::String(self.iso_level()?.to_string());
                Ok(DefElem::new("transaction_isolation", Some(level), location))
            }
            Some(Kw::Read) => match self.eat_any(&[Kw::Only, Kw::Write]) {
                Some(kw) => flag("transaction_read_only", kw == Kw::Only),
                None => Err(self.unexpected()),
            },
            Some(Kw::Deferrable) => flag("transaction_deferrable", true),
            Some(_) => {
                self.expect(Kw::Deferrable)?;
                flag("transaction_deferrable", false)
            }
            None => Err(self.unexpected()),
        }
    }

    fn iso_level(&mut self) -> PgResult<&'static str> {
        match self.eat_any(&[Kw::Read, Kw::Repeatable, Kw::Serializable]) {
            Some(Kw::Read) => match self.eat_any(&[Kw::Uncommitted, Kw::Committed]) {
                Some(Kw::Committed) => Ok("read committed"),
                Some(_) => Ok("read uncommitted"),
                None => Err(self.unexpected()),
            },
            Some(Kw::Repeatable) => self.expect(Kw::Read).map(|()| "repeatable read"),
            Some(_) => Ok("serializable"),
            None => Err(self.unexpected()),
        }
    }
}
