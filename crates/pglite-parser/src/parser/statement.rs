//! Whole texts and the choice of a statement by its first keyword.

use pglite_error::PgResult;

use crate::ParseMode;
use crate::ast::*;
use crate::keyword::Kw;
use crate::lexer::Tok;
use crate::parser::Parser;

impl Parser<'_> {
    /// Parses the whole text in the given mode.
    pub(crate) fn parse_text(&mut self, mode: ParseMode) -> PgResult<Vec<RawStmt>> {
        let location = self.loc();
        let stmt = match mode {
            ParseMode::Default => return self.stmt_multi(),
            ParseMode::PlpgsqlExpr => Statement::SelectStmt(self.plpgsql_expr()?),
            ParseMode::PlpgsqlAssign1 => self.pl_assign_stmt(1)?.into(),
            ParseMode::PlpgsqlAssign2 => self.pl_assign_stmt(2)?.into(),
            ParseMode::PlpgsqlAssign3 => self.pl_assign_stmt(3)?.into(),
        };
        self.expect_end()?;
        Ok(vec![RawStmt { stmt, location, len: 0 }])
    }

    pub(crate) fn expect_end(&self) -> PgResult<()> {
        if self.at_tok(Tok::Eof) { Ok(()) } else { Err(self.unexpected()) }
    }

    /// Parses the text as one type name.
    pub(crate) fn parse_typename(&mut self) -> PgResult<TypeName> {
        let t = self.typename()?;
        self.expect_end()?;
        Ok(t)
    }

    fn stmt_multi(&mut self) -> PgResult<Vec<RawStmt>> {
        let mut stmts = Vec::new();
        loop {
            let location = self.loc();
            self.height = 0;
            let stmt = self.toplevel_stmt()?;
            let end = self.loc();
            let more = self.eat_tok(Tok::Semicolon);
            if let Some(stmt) = stmt {
                stmts.push(RawStmt { stmt, location, len: if more { end - location } else { 0 } });
            }
            if !more {
                self.expect_end()?;
                return Ok(stmts);
            }
        }
    }

    fn toplevel_stmt(&mut self) -> PgResult<Option<Statement>> {
        match self.kw() {
            Kw::Begin | Kw::End => Ok(Some(self.transaction_stmt()?.into())),
            _ => self.stmt(),
        }
    }

    /// A statement, or nothing.
    pub(in crate::parser) fn stmt(&mut self) -> PgResult<Option<Statement>> {
        self.check_stack()?;
        if self.is_preparable_start() {
            return self.preparable_stmt().map(Some);
        }
        let stmt = match self.kw() {
            Kw::Create => self.create_stmt()?,
            Kw::Alter => self.alter_stmt()?,
            Kw::Drop => self.drop_stmt()?,
            Kw::Set => self.set_statement()?,
            Kw::Reset => self.reset_stmt()?.into(),
            Kw::Show => self.show_stmt()?.into(),
            Kw::Prepare if self.ahead(1).kw != Kw::Transaction || self.is_prepare_named_transaction() => {
                self.prepare_stmt()?.into()
            }
            Kw::Abort | Kw::Start | Kw::Commit | Kw::Rollback | Kw::Savepoint | Kw::Release | Kw::Prepare => {
                self.transaction_stmt()?.into()
            }
            Kw::Declare => self.declare_cursor_stmt()?.into(),
            Kw::Fetch | Kw::Move => self.fetch_stmt()?.into(),
            Kw::Close => self.close_portal_stmt()?.into(),
            Kw::Copy => self.copy_stmt()?.into(),
            Kw::Explain => self.explain_stmt()?.into(),
            Kw::Execute => self.execute_stmt()?.into(),
            Kw::Deallocate => self.deallocate_stmt()?.into(),
            Kw::Truncate => self.truncate_stmt()?.into(),
            Kw::Lock => self.lock_stmt()?.into(),
            Kw::Vacuum => self.vacuum_stmt()?.into(),
            Kw::Analyze | Kw::Analyse => self.analyze_stmt()?.into(),
            Kw::Cluster => self.cluster_stmt()?.into(),
            Kw::Reindex => self.reindex_stmt()?.into(),
            Kw::Refresh => self.refresh_mat_view_stmt()?.into(),
            Kw::Discard => self.discard_stmt()?.into(),
            Kw::Notify => self.notify_stmt()?.into(),
            Kw::Unlisten => self.unlisten_stmt()?.into(),
            Kw::Listen => {
                self.bump();
                ListenStmt { conditionname: self.col_id()? }.into()
            }
            Kw::Load => {
                self.bump();
                LoadStmt { filename: self.sconst()? }.into()
            }
            Kw::Checkpoint => CheckPointStmt { location: self.bump().start as i32 }.into(),
            Kw::Do => self.do_stmt()?.into(),
            Kw::Call => self.call_stmt()?.into(),
            Kw::Comment => self.comment_stmt()?.into(),
            Kw::Security => self.sec_label_stmt()?.into(),
            Kw::Grant => self.grant_stmt()?,
            Kw::Revoke => self.revoke_stmt()?,
            Kw::Reassign => self.reassign_owned_stmt()?.into(),
            Kw::Import => self.import_foreign_schema_stmt()?.into(),
            _ => return if self.ends_stmt() { Ok(None) } else { Err(self.unexpected()) },
        };
        Ok(Some(stmt))
    }

    /// Whether nothing but the end of a statement stands here.
    fn ends_stmt(&self) -> bool {
        matches!(self.tok(), Tok::Eof | Tok::Semicolon)
    }

    /// `PREPARE transaction AS ...`: a statement of that name.
    fn is_prepare_named_transaction(&self) -> bool {
        let next = self.ahead(2);
        next.kw == Kw::As || next.tok == Tok::LParen
    }
}
