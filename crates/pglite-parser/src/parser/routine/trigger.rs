//! Triggers and event triggers.

use pglite_error::PgResult;

use crate::ast::*;
use crate::keyword::Kw;
use crate::lexer::Tok;
use crate::parser::Parser;
use crate::parser::relation::column::cas;

impl Parser<'_> {
    /// CREATE [CONSTRAINT] TRIGGER, at one of these words.
    pub(in crate::parser) fn create_trig_stmt(&mut self, replace: bool) -> PgResult<CreateTrigStmt> {
        let isconstraint = self.eat(Kw::Constraint);
        self.expect(Kw::Trigger)?;
        let trigname = self.name()?;
        let timing = match self.kw() {
            Kw::After => trigger_type::AFTER,
            Kw::Before if !isconstraint => trigger_type::BEFORE,
            Kw::Instead if !isconstraint => {
                self.bump();
                if !self.at(Kw::Of) {
                    return Err(self.unexpected());
                }
                trigger_type::INSTEAD
            }
            _ => return Err(self.unexpected()),
        };
        self.bump();
        let (events, columns) = self.trigger_events()?;
        self.expect(Kw::On)?;
        let relation = self.qualified_name()?;
        let mut stmt = CreateTrigStmt {
            replace,
            isconstraint,
            trigname,
            relation,
            funcname: Vec::new(),
            args: Vec::new(),
            row: isconstraint,
            timing,
            events,
            columns,
            when_clause: None,
            transition_rels: Vec::new(),
            deferrable: false,
            initdeferred: false,
            constrrel: None,
        };
        if isconstraint {
            if self.eat(Kw::From) {
                stmt.constrrel = Some(self.qualified_name()?);
            }
            let attributes = self.constraint_attributes()?;
            self.expect_all(&[Kw::For, Kw::Each, Kw::Row])?;
            stmt.deferrable = attributes.has(cas::DEFERRABLE | cas::INITIALLY_DEFERRED);
            stmt.initdeferred = attributes.has(cas::INITIALLY_DEFERRED);
            self.trigger_end(&mut stmt)?;
            attributes.check("TRIGGER", cas::DEFERRABLE | cas::INITIALLY_DEFERRED)?;
            return Ok(stmt);
        }
        if self.eat(Kw::Referencing) {
            stmt.transition_rels = self.trigger_transitions()?;
        }
        if self.eat(Kw::For) {
            self.eat(Kw::Each);
            stmt.row = match self.eat_any(&[Kw::Row, Kw::Statement]) {
                Some(kw) => kw == Kw::Row,
                None => return Err(self.unexpected()),
            };
        }
        self.trigger_end(&mut stmt)?;
        Ok(stmt)
    }

    fn trigger_events(&mut self) -> PgResult<(i16, Vec<String>)> {
        let (mut events, mut columns) = (0, Vec::new());
        loop {
            let event = match self.eat_any(&[Kw::Insert, Kw::Delete, Kw::Update, Kw::Truncate]) {
                Some(Kw::Insert) => trigger_type::INSERT,
                Some(Kw::Delete) => trigger_type::DELETE,
                Some(Kw::Truncate) => trigger_type::TRUNCATE,
                Some(_) => {
                    if self.eat(Kw::Of) {
                        columns.extend(self.name_list()?);
                    }
                    trigger_type::UPDATE
                }
                None => return Err(self.unexpected()),
            };
            if events & event != 0 {
                // PostgreSQL points at the token read last, and only after UPDATE it reads one more.
                if event != trigger_type::UPDATE {
                    self.unread();
                }
                return Err(self.error_here("duplicate trigger events specified"));
            }
            events |= event;
            if !self.eat(Kw::Or) {
                return Ok((events, columns));
            }
        }
    }

    fn trigger_transitions(&mut self) -> PgResult<Vec<TriggerTransition>> {
        let mut rels = Vec::new();
        while rels.is_empty() || matches!(self.kw(), Kw::New | Kw::Old) {
            let is_new = match self.eat_any(&[Kw::New, Kw::Old]) {
                Some(kw) => kw == Kw::New,
                None => return Err(self.unexpected()),
            };
            let is_table = match self.eat_any(&[Kw::Table, Kw::Row]) {
                Some(kw) => kw == Kw::Table,
                None => return Err(self.unexpected()),
            };
            self.eat(Kw::As);
            rels.push(TriggerTransition { name: self.col_id()?, is_new, is_table });
        }
        Ok(rels)
    }

    /// WHEN and EXECUTE
    fn trigger_end(&mut self, stmt: &mut CreateTrigStmt) -> PgResult<()> {
        if self.eat(Kw::When) {
            stmt.when_clause = Some(self.paren_expr_only()?);
        }
        self.execute_function()?;
        stmt.funcname = self.func_name()?;
        self.lparen()?;
        if !self.at_tok(Tok::RParen) && !self.at_tok(Tok::Comma) {
            stmt.args.push(self.trigger_arg()?);
        }
        // The grammar lets the first argument be missing before a comma.
        while self.eat_tok(Tok::Comma) {
            stmt.args.push(self.trigger_arg()?);
        }
        self.rparen()
    }

    fn execute_function(&mut self) -> PgResult<()> {
        self.expect(Kw::Execute)?;
        if self.eat_any(&[Kw::Function, Kw::Procedure]).is_none() {
            return Err(self.unexpected());
        }
        Ok(())
    }

    fn trigger_arg(&mut self) -> PgResult<String> {
        match self.tok() {
            Tok::Iconst => Ok(self.iconst()?.to_string()),
            Tok::Fconst => {
                let token = self.bump();
                Ok(self.text(token).to_string())
            }
            Tok::Sconst => self.sconst(),
            _ => self.col_label(),
        }
    }

    /// CREATE EVENT TRIGGER, at EVENT.
    pub(in crate::parser) fn create_event_trig_stmt(&mut self) -> PgResult<CreateEventTrigStmt> {
        self.bump();
        self.expect(Kw::Trigger)?;
        let trigname = self.name()?;
        self.expect(Kw::On)?;
        let eventname = self.col_label()?;
        let mut whenclause = Vec::new();
        if self.eat(Kw::When) {
            loop {
                let location = self.loc();
                let name = self.col_id()?;
                self.expect(Kw::In)?;
                let values = self.paren_list(Self::sconst)?;
                whenclause.push(DefElem::new(name, Some(DefArg::Names(values)), location));
                if !self.eat(Kw::And) {
                    break;
                }
            }
        }
        self.execute_function()?;
        let funcname = self.func_name()?;
        self.lparen()?;
        self.rparen()?;
        Ok(CreateEventTrigStmt { trigname, eventname, whenclause, funcname })
    }

    /// ENABLE [REPLICA | ALWAYS], DISABLE
    pub(in crate::parser) fn enable_trigger(&mut self) -> PgResult<char> {
        match self.eat_any(&[Kw::Enable, Kw::Disable]) {
            Some(Kw::Enable) => Ok(match self.eat_any(&[Kw::Replica, Kw::Always]) {
                Some(Kw::Replica) => 'R',
                Some(_) => 'A',
                None => 'O',
            }),
            Some(_) => Ok('D'),
            None => Err(self.unexpected()),
        }
    }
}
