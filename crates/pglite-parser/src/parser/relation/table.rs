//! CREATE TABLE in its forms, CREATE TABLE AS, and the clauses both share.

use pglite_error::PgResult;

use crate::ast::*;
use crate::keyword::Kw;
use crate::lexer::Tok;
use crate::parser::Parser;
use crate::parser::create::Persistence;

/// The clauses between a table's elements and its end.
struct TableTail {
    access_method: Option<String>,
    options: Vec<DefElem>,
    on_commit: OnCommitAction,
    tablespace: Option<String>,
}

impl Parser<'_> {
    /// CREATE ... TABLE, at TABLE. `may_be_as`: CREATE TABLE AS is allowed here.
    pub(in crate::parser) fn create_table(
        &mut self,
        persistence: Persistence,
        may_be_as: bool,
    ) -> PgResult<Statement> {
        self.bump();
        let if_not_exists = self.opt_if_not_exists()?;
        let mut relation = self.qualified_name()?;
        relation.relpersistence = persistence.relpersistence();
        let is_as = match self.tok() {
            Tok::LParen => self.is_as_column_list(),
            _ => !matches!(self.kw(), Kw::Of | Kw::Partition),
        };
        if is_as && may_be_as {
            return self.create_table_as(relation, if_not_exists);
        }
        let mut stmt = CreateStmt {
            relation,
            table_elts: Vec::new(),
            inh_relations: Vec::new(),
            partbound: None,
            partspec: None,
            of_typename: None,
            options: Vec::new(),
            oncommit: OnCommitAction::Noop,
            tablespacename: None,
            access_method: None,
            if_not_exists,
        };
        if self.eat(Kw::Of) {
            let location = self.loc();
            let names = self.any_name()?;
            stmt.of_typename = Some(TypeName { names, location, ..TypeName::default() });
            stmt.table_elts = self.opt_typed_table_elements()?;
        } else if self.eat(Kw::Partition) {
            self.expect(Kw::Of)?;
            stmt.inh_relations = vec![self.qualified_name()?];
            stmt.table_elts = self.opt_typed_table_elements()?;
            stmt.partbound = Some(self.partition_bound_spec()?);
        } else {
            stmt.table_elts = self.table_elements()?;
            stmt.inh_relations = self.opt_inherit()?;
        }
        stmt.partspec = self.opt_partition_spec()?;
        let tail = self.table_tail()?;
        stmt.access_method = tail.access_method;
        stmt.options = tail.options;
        stmt.oncommit = tail.on_commit;
        stmt.tablespacename = tail.tablespace;
        Ok(stmt.into())
    }

    /// Whether the parentheses after a table's name hold CREATE TABLE AS's columns: bare names.
    fn is_as_column_list(&self) -> bool {
        self.is_col_id(1) && matches!(self.ahead(2).tok, Tok::Comma | Tok::RParen)
    }

    /// `(elements)`; there may be none.
    pub(in crate::parser) fn table_elements(&mut self) -> PgResult<Vec<TableElement>> {
        self.lparen()?;
        if self.eat_tok(Tok::RParen) {
            return Ok(Vec::new());
        }
        let elements = self.list(Self::table_element)?;
        self.rparen()?;
        Ok(elements)
    }

    fn table_element(&mut self) -> PgResult<TableElement> {
        if self.at(Kw::Like) {
            return Ok(TableElement::Like(Box::new(self.table_like_clause()?)));
        }
        if self.is_table_constraint() {
            return Ok(TableElement::Constraint(Box::new(self.table_constraint()?)));
        }
        Ok(TableElement::ColumnDef(Box::new(self.column_def()?)))
    }

    pub(in crate::parser) fn opt_typed_table_elements(&mut self) -> PgResult<Vec<TableElement>> {
        self.opt_paren_list(|p| {
            if p.is_table_constraint() {
                return Ok(TableElement::Constraint(Box::new(p.table_constraint()?)));
            }
            let location = p.loc();
            let colname = p.col_id()?;
            p.eat_seq(&[Kw::With, Kw::Options])?;
            let mut col = ColumnDef { colname, location, ..ColumnDef::default() };
            p.col_qual_list(&mut col)?;
            Ok(TableElement::ColumnDef(Box::new(col)))
        })
    }

    fn table_like_clause(&mut self) -> PgResult<TableLikeClause> {
        self.bump();
        let relation = self.qualified_name()?;
        let mut options = 0;
        while let Some(kw) = self.eat_any(&[Kw::Including, Kw::Excluding]) {
            let bits = match self.kw() {
                Kw::Comments => like_option::COMMENTS,
                Kw::Compression => like_option::COMPRESSION,
                Kw::Constraints => like_option::CONSTRAINTS,
                Kw::Defaults => like_option::DEFAULTS,
                Kw::Identity => like_option::IDENTITY,
                Kw::Generated => like_option::GENERATED,
                Kw::Indexes => like_option::INDEXES,
                Kw::Statistics => like_option::STATISTICS,
                Kw::Storage => like_option::STORAGE,
                Kw::All => like_option::ALL,
                _ => return Err(self.unexpected()),
            };
            self.bump();
            if kw == Kw::Including {
                options |= bits;
            } else {
                options &= !bits;
            }
        }
        Ok(TableLikeClause { relation, options })
    }

    pub(in crate::parser) fn opt_inherit(&mut self) -> PgResult<Vec<RangeVar>> {
        if self.eat(Kw::Inherits) { self.paren_list(Self::qualified_name) } else { Ok(Vec::new()) }
    }

    fn table_tail(&mut self) -> PgResult<TableTail> {
        let access_method = if self.eat(Kw::Using) { Some(self.name()?) } else { None };
        let options = match self.eat_any(&[Kw::With, Kw::Without]) {
            Some(Kw::With) => self.reloptions()?,
            Some(_) => {
                self.expect(Kw::Oids)?;
                Vec::new()
            }
            None => Vec::new(),
        };
        let on_commit = if self.eat_seq(&[Kw::On, Kw::Commit])? {
            match self.eat_any(&[Kw::Drop, Kw::Delete, Kw::Preserve]) {
                Some(Kw::Drop) => OnCommitAction::Drop,
                Some(kw) => {
                    self.expect(Kw::Rows)?;
                    if kw == Kw::Delete { OnCommitAction::DeleteRows } else { OnCommitAction::PreserveRows }
                }
                None => return Err(self.unexpected()),
            }
        } else {
            OnCommitAction::Noop
        };
        let tablespace = self.opt_tablespace()?;
        Ok(TableTail { access_method, options, on_commit, tablespace })
    }

    pub(in crate::parser) fn opt_tablespace(&mut self) -> PgResult<Option<String>> {
        if self.eat(Kw::Tablespace) { self.name().map(Some) } else { Ok(None) }
    }

    /// EXPLAIN's CREATE TABLE: it must be AS.
    pub(in crate::parser) fn create_table_as_only(
        &mut self,
        persistence: Persistence,
    ) -> PgResult<Statement> {
        self.bump();
        let if_not_exists = self.opt_if_not_exists()?;
        let mut relation = self.qualified_name()?;
        relation.relpersistence = persistence.relpersistence();
        self.create_table_as(relation, if_not_exists)
    }

    /// CREATE TABLE AS, after the table's name.
    fn create_table_as(&mut self, rel: RangeVar, if_not_exists: bool) -> PgResult<Statement> {
        let col_names = self.opt_name_list()?;
        let tail = self.table_tail()?;
        self.expect(Kw::As)?;
        let query: Statement = if self.at(Kw::Execute) {
            self.execute_stmt()?.into()
        } else {
            Statement::SelectStmt(self.select_stmt()?)
        };
        let into = IntoClause {
            rel,
            col_names,
            access_method: tail.access_method,
            options: tail.options,
            on_commit: tail.on_commit,
            table_space_name: tail.tablespace,
            skip_data: !self.opt_with_data()?,
        };
        let objtype = ObjectType::Table;
        Ok(CreateTableAsStmt { query, into, objtype, is_select_into: false, if_not_exists }.into())
    }

    /// WITH DATA (also when missing) or WITH NO DATA.
    pub(in crate::parser) fn opt_with_data(&mut self) -> PgResult<bool> {
        if !self.eat(Kw::With) {
            return Ok(true);
        }
        let no = self.eat(Kw::No);
        self.expect(Kw::Data)?;
        Ok(!no)
    }
}
