//! MERGE.

use pglite_error::PgResult;

use crate::ast::*;
use crate::keyword::Kw;
use crate::lexer::Tok;
use crate::parser::Parser;

impl Parser<'_> {
    pub(in crate::parser) fn merge_stmt(
        &mut self,
        with_clause: Option<Box<WithClause>>,
    ) -> PgResult<MergeStmt> {
        self.bump();
        self.expect(Kw::Into)?;
        let relation = self.relation_expr_opt_alias()?;
        self.expect(Kw::Using)?;
        let source_relation = self.table_ref()?;
        self.expect(Kw::On)?;
        let join_condition = self.a_expr()?;
        let mut merge_when_clauses = vec![self.merge_when_clause()?];
        while self.at(Kw::When) {
            merge_when_clauses.push(self.merge_when_clause()?);
        }
        let returning_clause = self.returning_clause()?;
        Ok(MergeStmt {
            relation,
            source_relation,
            join_condition,
            merge_when_clauses,
            returning_clause,
            with_clause,
        })
    }

    fn merge_when_clause(&mut self) -> PgResult<MergeWhenClause> {
        self.expect(Kw::When)?;
        let mut clause = MergeWhenClause::default();
        if self.eat(Kw::Not) {
            self.expect(Kw::Matched)?;
            clause.match_kind = MergeMatchKind::NotMatchedByTarget;
            if self.eat(Kw::By) {
                match self.eat_any(&[Kw::Source, Kw::Target]) {
                    Some(Kw::Source) => clause.match_kind = MergeMatchKind::NotMatchedBySource,
                    Some(_) => {}
                    None => return Err(self.unexpected()),
                }
            }
        } else {
            self.expect(Kw::Matched)?;
        }
        if self.eat(Kw::And) {
            clause.condition = Some(self.a_expr()?);
        }
        self.expect(Kw::Then)?;
        let insert = clause.match_kind == MergeMatchKind::NotMatchedByTarget;
        match self.kw() {
            Kw::Do => {
                self.bump();
                self.expect(Kw::Nothing)?;
                clause.command_type = CmdType::Nothing;
            }
            Kw::Update if !insert => {
                self.bump();
                self.expect(Kw::Set)?;
                clause.command_type = CmdType::Update;
                clause.target_list = self.set_clause_list()?;
            }
            Kw::Delete if !insert => {
                self.bump();
                clause.command_type = CmdType::Delete;
            }
            Kw::Insert if insert => {
                self.bump();
                clause.command_type = CmdType::Insert;
                self.merge_insert(&mut clause)?;
            }
            _ => return Err(self.unexpected()),
        }
        Ok(clause)
    }

    fn merge_insert(&mut self, clause: &mut MergeWhenClause) -> PgResult<()> {
        if self.eat_seq(&[Kw::Default, Kw::Values])? {
            return Ok(());
        }
        if self.at_tok(Tok::LParen) {
            clause.target_list = self.paren_list(Self::insert_column_item)?;
        }
        clause.override_ = self.opt_overriding()?;
        self.expect(Kw::Values)?;
        clause.values = self.paren_list(Self::a_expr)?;
        Ok(())
    }
}
