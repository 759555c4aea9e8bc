//! CREATE RULE.

use pglite_error::PgResult;

use crate::ast::*;
use crate::keyword::Kw;
use crate::lexer::Tok;
use crate::parser::Parser;

impl Parser<'_> {
    /// At RULE.
    pub(in crate::parser) fn rule_stmt(&mut self, replace: bool) -> PgResult<RuleStmt> {
        self.bump();
        let rulename = self.name()?;
        self.expect_all(&[Kw::As, Kw::On])?;
        let event = match self.eat_any(&[Kw::Select, Kw::Update, Kw::Delete, Kw::Insert]) {
            Some(Kw::Select) => CmdType::Select,
            Some(Kw::Update) => CmdType::Update,
            Some(Kw::Delete) => CmdType::Delete,
            Some(_) => CmdType::Insert,
            None => return Err(self.unexpected()),
        };
        self.expect(Kw::To)?;
        let relation = self.qualified_name()?;
        let where_clause = self.where_clause()?;
        self.expect(Kw::Do)?;
        let instead = self.eat_any(&[Kw::Instead, Kw::Also]) == Some(Kw::Instead);
        let actions = self.rule_actions()?;
        Ok(RuleStmt { relation, rulename, where_clause, event, instead, actions, replace })
    }

    fn rule_actions(&mut self) -> PgResult<Vec<Statement>> {
        if self.eat(Kw::Nothing) {
            return Ok(Vec::new());
        }
        if !self.eat_tok(Tok::LParen) {
            return Ok(vec![self.rule_action()?]);
        }
        let mut actions = Vec::new();
        let mut first = true;
        loop {
            if !matches!(self.tok(), Tok::Semicolon | Tok::RParen) {
                let action = self.rule_action()?;
                // Parentheses around one SELECT belong to it, and it may go on after them.
                if first
                    && self.at_tok(Tok::RParen)
                    && let Statement::SelectStmt(s) = action
                {
                    self.bump();
                    return Ok(vec![Statement::SelectStmt(self.select_rest(s)?)]);
                }
                actions.push(action);
            }
            first = false;
            if !self.eat_tok(Tok::Semicolon) {
                break;
            }
        }
        self.rparen()?;
        Ok(actions)
    }

    fn rule_action(&mut self) -> PgResult<Statement> {
        if self.at(Kw::Notify) {
            return Ok(self.notify_stmt()?.into());
        }
        if self.at(Kw::Merge) || !self.is_preparable_start() {
            return Err(self.unexpected());
        }
        self.preparable_stmt()
    }
}
