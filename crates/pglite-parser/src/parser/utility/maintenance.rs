//! Utility statements without a family of their own: COPY, EXPLAIN, PREPARE, VACUUM, REINDEX, LOCK, NOTIFY ...

use pglite_error::{PgError, PgResult};

use crate::ast::*;
use crate::keyword::Kw;
use crate::lexer::Tok;
use crate::parser::Parser;

fn flag(name: &str, location: i32) -> DefElem {
    DefElem::new(name, None, location)
}

impl Parser<'_> {
    pub(in crate::parser) fn copy_stmt(&mut self) -> PgResult<CopyStmt> {
        self.bump();
        let mut stmt = CopyStmt {
            relation: None,
            query: None,
            attlist: Vec::new(),
            is_from: false,
            is_program: false,
            filename: None,
            options: Vec::new(),
            where_clause: None,
        };
        let mut leading = Vec::new();
        // Where PostgreSQL points when PROGRAM meets STDIN: often at nothing.
        let mut program_at = -1;
        if self.eat_tok(Tok::LParen) {
            stmt.query = Some(self.preparable_stmt()?);
            self.rparen()?;
            program_at = self.loc();
            self.expect(Kw::To)?;
        } else {
            let at = self.loc();
            if self.eat(Kw::Binary) {
                leading.push(DefElem::new("format", Some(DefArg::String("binary".to_string())), at));
            }
            stmt.relation = Some(self.qualified_name()?);
            stmt.attlist = self.opt_name_list()?;
            match self.eat_any(&[Kw::From, Kw::To]) {
                Some(kw) => stmt.is_from = kw == Kw::From,
                None => return Err(self.unexpected()),
            }
        }
        stmt.is_program = self.eat(Kw::Program);
        if self.eat_any(&[Kw::Stdin, Kw::Stdout]).is_none() {
            stmt.filename = Some(self.sconst()?);
        }
        if stmt.relation.is_some() {
            let at = self.loc();
            if self.copy_delimiter(&mut leading)? {
                program_at = at;
            }
        }
        self.eat(Kw::With);
        let options =
            if self.at_tok(Tok::LParen) { self.copy_generic_options()? } else { self.copy_options()? };
        leading.extend(options);
        stmt.options = leading;
        let mut where_at = -1;
        if stmt.relation.is_some() {
            where_at = self.loc();
            stmt.where_clause = self.where_clause()?;
        }
        if stmt.is_program && stmt.filename.is_none() {
            return Err(PgError::syntax("STDIN/STDOUT not allowed with PROGRAM").at(program_at));
        }
        if !stmt.is_from && stmt.where_clause.is_some() {
            return Err(PgError::syntax("WHERE clause not allowed with COPY TO").at(where_at));
        }
        Ok(stmt)
    }

    fn copy_delimiter(&mut self, options: &mut Vec<DefElem>) -> PgResult<bool> {
        let using = self.eat(Kw::Using);
        let at = self.loc();
        let found = using || self.at(Kw::Delimiters);
        if found {
            self.expect(Kw::Delimiters)?;
            options.push(DefElem::new("delimiter", Some(DefArg::String(self.sconst()?)), at));
        }
        Ok(found)
    }

    /// The old option syntax: words without parentheses.
    fn copy_options(&mut self) -> PgResult<Vec<DefElem>> {
        let mut options = Vec::new();
        loop {
            let at = self.loc();
            let kw = self.kw();
            let (name, arg) = match kw {
                Kw::Binary | Kw::Csv => {
                    self.bump();
                    ("format", DefArg::String(kw.word().to_string()))
                }
                Kw::Freeze | Kw::Header => {
                    self.bump();
                    (kw.word(), DefArg::Boolean(true))
                }
                Kw::Delimiter | Kw::Null | Kw::Quote | Kw::Escape => {
                    self.bump();
                    self.eat(Kw::As);
                    (kw.word(), DefArg::String(self.sconst()?))
                }
                Kw::Encoding => {
                    self.bump();
                    ("encoding", DefArg::String(self.sconst()?))
                }
                Kw::Force => {
                    self.bump();
                    let name = match self.eat_any(&[Kw::Quote, Kw::Not, Kw::Null]) {
                        Some(Kw::Quote) => "force_quote",
                        Some(Kw::Null) => "force_null",
                        Some(_) => {
                            self.expect(Kw::Null)?;
                            "force_not_null"
                        }
                        None => return Err(self.unexpected()),
                    };
                    let columns =
                        if self.eat_tok(Tok::Star) { DefArg::Star } else { DefArg::Names(self.name_list()?) };
                    (name, columns)
                }
                _ => return Ok(options),
            };
            options.push(DefElem::new(name, Some(arg), at));
        }
    }

    fn copy_generic_options(&mut self) -> PgResult<Vec<DefElem>> {
        self.paren_list(|p| {
            let at = p.loc();
            let name = p.col_label()?;
            let arg = match (p.tok(), p.kw()) {
                (Tok::Star, _) => {
                    p.bump();
                    Some(DefArg::Star)
                }
                (Tok::LParen, _) => {
                    let items = p.paren_list(|p| p.boolean_or_string().map(DefArg::String))?;
                    Some(DefArg::List(items))
                }
                (Tok::Iconst | Tok::Fconst | Tok::Plus | Tok::Minus, _) => Some(p.numeric_only()?),
                (_, Kw::Default) => {
                    p.bump();
                    Some(DefArg::String("default".to_string()))
                }
                _ if p.is_boolean_or_string() => Some(DefArg::String(p.boolean_or_string()?)),
                _ => None,
            };
            Ok(DefElem::new(name, arg, at))
        })
    }

    pub(in crate::parser) fn explain_stmt(&mut self) -> PgResult<ExplainStmt> {
        self.bump();
        let mut options = Vec::new();
        let at = self.loc();
        if self.at_tok(Tok::LParen) && !self.is_explained_parens() {
            options = self.utility_options()?;
        } else {
            if self.eat_any(&[Kw::Analyze, Kw::Analyse]).is_some() {
                options.push(flag("analyze", at));
            }
            let at = self.loc();
            if self.eat(Kw::Verbose) {
                options.push(flag("verbose", at));
            }
        }
        let query = self.explainable_stmt()?;
        Ok(ExplainStmt { query, options })
    }

    /// Whether `(` begins the statement to explain, not the options.
    fn is_explained_parens(&self) -> bool {
        self.is_select_start(1) || self.ahead(1).tok == Tok::LParen
    }

    fn explainable_stmt(&mut self) -> PgResult<Statement> {
        if self.is_preparable_start() {
            return self.preparable_stmt();
        }
        match self.kw() {
            Kw::Declare => Ok(self.declare_cursor_stmt()?.into()),
            Kw::Execute => Ok(self.execute_stmt()?.into()),
            Kw::Refresh => Ok(self.refresh_mat_view_stmt()?.into()),
            Kw::Create => self.explainable_create(),
            _ => Err(self.unexpected()),
        }
    }

    pub(in crate::parser) fn prepare_stmt(&mut self) -> PgResult<PrepareStmt> {
        self.bump();
        let name = self.name()?;
        let argtypes = self.opt_paren_list(Self::typename)?;
        self.expect(Kw::As)?;
        let query = self.preparable_stmt()?;
        Ok(PrepareStmt { name, argtypes, query })
    }

    pub(in crate::parser) fn execute_stmt(&mut self) -> PgResult<ExecuteStmt> {
        self.bump();
        let name = self.name()?;
        let params = self.opt_paren_list(Self::a_expr)?;
        Ok(ExecuteStmt { name, params })
    }

    pub(in crate::parser) fn deallocate_stmt(&mut self) -> PgResult<DeallocateStmt> {
        self.bump();
        // PREPARE may also be the statement's name.
        if self.at(Kw::Prepare) && (self.is_col_id(1) || self.ahead(1).kw == Kw::All) {
            self.bump();
        }
        if self.eat(Kw::All) {
            return Ok(DeallocateStmt { name: None, location: -1 });
        }
        let location = self.loc();
        Ok(DeallocateStmt { name: Some(self.name()?), location })
    }

    pub(in crate::parser) fn truncate_stmt(&mut self) -> PgResult<TruncateStmt> {
        self.bump();
        self.eat(Kw::Table);
        let relations = self.relation_expr_list()?;
        let restart_seqs = match self.eat_any(&[Kw::Continue, Kw::Restart]) {
            Some(kw) => {
                self.expect(Kw::Identity)?;
                kw == Kw::Restart
            }
            None => false,
        };
        Ok(TruncateStmt { relations, restart_seqs, behavior: self.opt_drop_behavior() })
    }

    pub(in crate::parser) fn lock_stmt(&mut self) -> PgResult<LockStmt> {
        self.bump();
        self.eat(Kw::Table);
        let relations = self.relation_expr_list()?;
        let mut mode = 8;
        if self.eat(Kw::In) {
            mode = self.lock_type()?;
            self.expect(Kw::Mode)?;
        }
        Ok(LockStmt { relations, mode, nowait: self.eat(Kw::Nowait) })
    }

    fn lock_type(&mut self) -> PgResult<i32> {
        match self.eat_any(&[Kw::Access, Kw::Row, Kw::Share, Kw::Exclusive]) {
            Some(Kw::Access) => match self.eat_any(&[Kw::Share, Kw::Exclusive]) {
                Some(Kw::Share) => Ok(1),
                Some(_) => Ok(8),
                None => Err(self.unexpected()),
            },
            Some(Kw::Row) => match self.eat_any(&[Kw::Share, Kw::Exclusive]) {
                Some(Kw::Share) => Ok(2),
                Some(_) => Ok(3),
                None => Err(self.unexpected()),
            },
            Some(Kw::Share) => match self.eat_any(&[Kw::Update, Kw::Row]) {
                Some(kw) => {
                    self.expect(Kw::Exclusive)?;
                    Ok(if kw == Kw::Update { 4 } else { 6 })
                }
                None => Ok(5),
            },
            Some(_) => Ok(7),
            None => Err(self.unexpected()),
        }
    }

    pub(in crate::parser) fn vacuum_stmt(&mut self) -> PgResult<VacuumStmt> {
        self.bump();
        let mut options = Vec::new();
        if self.at_tok(Tok::LParen) {
            options = self.utility_options()?;
        } else {
            for (name, kws) in [
                ("full", &[Kw::Full][..]),
                ("freeze", &[Kw::Freeze]),
                ("verbose", &[Kw::Verbose]),
                ("analyze", &[Kw::Analyze, Kw::Analyse]),
            ] {
                let at = self.loc();
                if self.eat_any(kws).is_some() {
                    options.push(flag(name, at));
                }
            }
        }
        Ok(VacuumStmt { options, rels: self.opt_vacuum_relation_list()?, is_vacuumcmd: true })
    }

    pub(in crate::parser) fn analyze_stmt(&mut self) -> PgResult<VacuumStmt> {
        self.bump();
        let mut options = Vec::new();
        let at = self.loc();
        if self.at_tok(Tok::LParen) {
            options = self.utility_options()?;
        } else if self.eat(Kw::Verbose) {
            options.push(flag("verbose", at));
        }
        Ok(VacuumStmt { options, rels: self.opt_vacuum_relation_list()?, is_vacuumcmd: false })
    }

    fn opt_vacuum_relation_list(&mut self) -> PgResult<Vec<VacuumRelation>> {
        if !self.is_col_id(0) && !self.at(Kw::Only) {
            return Ok(Vec::new());
        }
        self.list(|p| {
            let relation = p.relation_expr()?;
            let va_cols = p.opt_name_list()?;
            Ok(VacuumRelation { relation, va_cols })
        })
    }

    pub(in crate::parser) fn cluster_stmt(&mut self) -> PgResult<ClusterStmt> {
        self.bump();
        let mut stmt = ClusterStmt { relation: None, indexname: None, params: Vec::new() };
        if self.at_tok(Tok::LParen) {
            stmt.params = self.utility_options()?;
        } else {
            let at = self.loc();
            if self.eat(Kw::Verbose) {
                stmt.params.push(flag("verbose", at));
            }
            if self.is_col_id(0) && self.ahead(1).kw == Kw::On {
                stmt.indexname = Some(self.name()?);
                self.bump();
                stmt.relation = Some(self.qualified_name()?);
                return Ok(stmt);
            }
        }
        if self.is_col_id(0) {
            stmt.relation = Some(self.qualified_name()?);
            if self.eat(Kw::Using) {
                stmt.indexname = Some(self.name()?);
            }
        }
        Ok(stmt)
    }

    pub(in crate::parser) fn reindex_stmt(&mut self) -> PgResult<ReindexStmt> {
        self.bump();
        let mut params = if self.at_tok(Tok::LParen) { self.utility_options()? } else { Vec::new() };
        let kind = match self.eat_any(&[Kw::Index, Kw::Table, Kw::Schema, Kw::System, Kw::Database]) {
            Some(Kw::Index) => ReindexObjectType::Index,
            Some(Kw::Table) => ReindexObjectType::Table,
            Some(Kw::Schema) => ReindexObjectType::Schema,
            Some(Kw::System) => ReindexObjectType::System,
            Some(_) => ReindexObjectType::Database,
            None => return Err(self.unexpected()),
        };
        let at = self.loc();
        if self.eat(Kw::Concurrently) {
            params.push(flag("concurrently", at));
        }
        let (mut relation, mut name) = (None, None);
        match kind {
            ReindexObjectType::Index | ReindexObjectType::Table => relation = Some(self.qualified_name()?),
            ReindexObjectType::Schema => name = Some(self.name()?),
            _ if self.is_col_id(0) => name = Some(self.name()?),
            _ => {}
        }
        Ok(ReindexStmt { kind, relation, name, params })
    }

    pub(in crate::parser) fn discard_stmt(&mut self) -> PgResult<DiscardStmt> {
        self.bump();
        let target = match self.eat_any(&[Kw::All, Kw::Temp, Kw::Temporary, Kw::Plans, Kw::Sequences]) {
            Some(Kw::All) => DiscardMode::All,
            Some(Kw::Plans) => DiscardMode::Plans,
            Some(Kw::Sequences) => DiscardMode::Sequences,
            Some(_) => DiscardMode::Temp,
            None => return Err(self.unexpected()),
        };
        Ok(DiscardStmt { target })
    }

    pub(in crate::parser) fn notify_stmt(&mut self) -> PgResult<NotifyStmt> {
        self.bump();
        let conditionname = self.col_id()?;
        let payload = if self.eat_tok(Tok::Comma) { Some(self.sconst()?) } else { None };
        Ok(NotifyStmt { conditionname, payload })
    }

    pub(in crate::parser) fn unlisten_stmt(&mut self) -> PgResult<UnlistenStmt> {
        self.bump();
        let conditionname = if self.eat_tok(Tok::Star) { None } else { Some(self.col_id()?) };
        Ok(UnlistenStmt { conditionname })
    }
}
