//! Blocks, statements, control structures.

use pglite_error::codes::CONDITIONS;
use pglite_error::{PgError, PgResult, SqlState, err};
use pglite_parser::ParseMode;
use pglite_parser::scan::ScanKind;
use pglite_types::oid;

use super::Parser;
use super::declare::{WithoutPosition, type_of};
use crate::tree::*;

const MAX_NESTING: u32 = 400;

impl Parser<'_> {
    /// The whole body: options, a block, an optional semicolon.
    pub fn body(&mut self) -> PgResult<Block> {
        while self.is_symbol("#") {
            self.option()?;
        }
        let label = self.label()?;
        let line = self.line();
        if !self.is_word("declare") && !self.is_word("begin") {
            return Err(self.syntax());
        }
        let block = self.block(label, line)?;
        self.take_symbol(";");
        if self.tok().is_some() {
            return Err(self.syntax());
        }
        Ok(block)
    }

    fn option(&mut self) -> PgResult<()> {
        self.pos += 1;
        let word = self.word_at(0).unwrap_or_default().to_string();
        let value = self.word_at(1).unwrap_or_default().to_string();
        match (word.as_str(), value.as_str()) {
            ("variable_conflict", "error") => self.conflict = Conflict::Error,
            ("variable_conflict", "use_variable") => self.conflict = Conflict::Variable,
            ("variable_conflict", "use_column") => self.conflict = Conflict::Column,
            ("print_strict_params", "on" | "off") => self.print_strict_params = value == "on",
            ("option", "dump") => {}
            ("print_strict_params", _) => {
                self.pos += 1;
                return Err(PgError::internal(format!("unrecognized print_strict_params option {value}")));
            }
            ("variable_conflict", _) => {
                self.pos += 1;
                return Err(self.syntax());
            }
            _ => return Err(self.syntax()),
        }
        self.pos += 2;
        Ok(())
    }

    /// `<<name>>`
    pub(super) fn label(&mut self) -> PgResult<Option<String>> {
        if !self.take_symbol("<<") {
            return Ok(None);
        }
        let name = self.take_name()?;
        self.expect_symbol(">>")?;
        Ok(Some(name))
    }

    /// A block from DECLARE or BEGIN to END and its label.
    fn block(&mut self, label: Option<String>, _line: u32) -> PgResult<Block> {
        self.nest()?;
        self.push_ns(NsKind::BlockLabel, label.as_deref().unwrap_or(""));
        let init = if self.is_word("declare") {
            self.pos += 1;
            self.declarations()?
        } else {
            Vec::new()
        };
        let line = self.line();
        self.expect_word("begin")?;
        let body = self.statements()?;
        let (mut handlers, mut sqlstate, mut sqlerrm) = (None, 0, 0);
        if self.is_word("exception") {
            let at = self.line();
            self.pos += 1;
            let text = type_of(self.env, oid::TEXT, -1, None)?;
            sqlstate = self.variable("sqlstate", at, text.clone(), true)?;
            sqlerrm = self.variable("sqlerrm", at, text, true)?;
            self.var_mut(sqlstate)?.constant = true;
            self.var_mut(sqlerrm)?.constant = true;
            handlers = Some(self.handlers()?);
        }
        self.expect_word("end")?;
        self.end_label(label.as_deref())?;
        self.pop_ns();
        self.label_depth -= 1;
        Ok(Block { line, label, body, init, handlers, sqlstate, sqlerrm })
    }

    pub(super) fn nest(&mut self) -> PgResult<()> {
        self.label_depth += 1;
        if self.label_depth > MAX_NESTING {
            return Err(err!(STATEMENT_TOO_COMPLEX, "stack depth limit exceeded"));
        }
        Ok(())
    }

    /// The label that may follow END.
    pub(super) fn end_label(&mut self, label: Option<&str>) -> PgResult<()> {
        let Some(end) = self.name_at(0) else { return Ok(()) };
        let at = self.here() as i32;
        match label {
            None => Err(PgError::syntax(format!("end label \"{end}\" specified for unlabeled block")).at(at)),
            Some(l) if l != end => {
                Err(PgError::syntax(format!("end label \"{end}\" differs from block's label \"{l}\"")).at(at))
            }
            _ => {
                self.pos += 1;
                Ok(())
            }
        }
    }

    fn handlers(&mut self) -> PgResult<Vec<Handler>> {
        let mut list = Vec::new();
        while self.take_word("when") {
            let mut conditions = Vec::new();
            loop {
                self.condition(&mut conditions)?;
                if !self.take_word("or") {
                    break;
                }
            }
            self.expect_word("then")?;
            list.push(Handler { conditions, body: self.statements()? });
        }
        if list.is_empty() { Err(self.syntax()) } else { Ok(list) }
    }

    fn condition(&mut self, out: &mut Vec<Condition>) -> PgResult<()> {
        let name = self.take_name()?;
        if name == "sqlstate" {
            let Some(ScanKind::String(code)) = self.tok().map(|t| t.kind.clone()) else {
                return Err(self.syntax());
            };
            let Some(code) = SqlState::parse(&code) else { return Err(self.near("invalid SQLSTATE code")) };
            self.pos += 1;
            out.push(Condition::Code(code));
            return Ok(());
        }
        if name == "others" {
            out.push(Condition::Others);
            return Ok(());
        }
        let before = out.len();
        out.extend(CONDITIONS.iter().filter(|(n, _)| *n == name).map(|(_, c)| Condition::Code(*c)));
        if out.len() == before {
            return Err(
                err!(UNDEFINED_OBJECT, "unrecognized exception condition \"{name}\"").without_position()
            );
        }
        Ok(())
    }

    /// Statements up to a word that ends a list.
    pub(super) fn statements(&mut self) -> PgResult<Vec<Stmt>> {
        let mut list = Vec::new();
        loop {
            match self.word_at(0) {
                Some("end" | "else" | "elsif" | "elseif" | "when" | "exception") if !self.assigned_next() => {
                    return Ok(list);
                }
                _ if self.tok().is_none() => return Err(self.syntax()),
                _ => {}
            }
            let line = self.line();
            if let Some((kind, at)) = self.statement()? {
                list.push(Stmt { line: at.unwrap_or(line), kind });
            }
        }
    }

    /// An unreserved word that is assigned to is a variable.
    fn assigned_next(&self) -> bool {
        self.is_symbol_at(1, ":=") || self.is_symbol_at(1, "=") || self.is_symbol_at(1, "[")
    }

    /// One statement; the line when it is not that of the first token.
    fn statement(&mut self) -> PgResult<Option<(StmtKind, Option<u32>)>> {
        let plain = |k: StmtKind| Ok(Some((k, None)));
        if self.is_symbol("<<") {
            let label = self.label()?;
            let line = self.line();
            let kind = match self.word_at(0) {
                Some("loop" | "while" | "for" | "foreach") => self.loop_statement(label)?,
                Some("declare" | "begin") => {
                    let b = self.block(label, line)?;
                    self.expect_symbol(";")?;
                    let at = b.line;
                    return Ok(Some((StmtKind::Block(Box::new(b)), Some(at))));
                }
                _ => return Err(self.syntax()),
            };
            return Ok(Some((kind, Some(line))));
        }
        let word = self.word_at(0).unwrap_or_default().to_string();
        let is_var = !super::RESERVED.contains(&word.as_str())
            && self.datum_at(self.pos).is_some_and(|(d, _)| d.names > 1 || self.assigned_next());
        if is_var {
            return plain(self.assignment()?);
        }
        match word.as_str() {
            "declare" | "begin" => {
                let line = self.line();
                let b = self.block(None, line)?;
                self.expect_symbol(";")?;
                let at = b.line;
                Ok(Some((StmtKind::Block(Box::new(b)), Some(at))))
            }
            "if" => plain(self.if_statement()?),
            "case" => plain(self.case_statement()?),
            "loop" | "while" | "for" | "foreach" => plain(self.loop_statement(None)?),
            "null" => {
                self.pos += 1;
                self.expect_symbol(";")?;
                Ok(None)
            }
            "exit" | "continue" => plain(self.exit_statement(word == "exit")?),
            "return" => plain(self.return_statement()?),
            "raise" => plain(self.raise()?),
            "assert" => plain(self.assert()?),
            "perform" => plain(self.perform()?),
            "call" | "do" => plain(self.call(word == "call")?),
            "get" => plain(self.get_diagnostics()?),
            "open" => plain(self.open()?),
            "fetch" | "move" => plain(self.fetch(word == "fetch")?),
            "close" => plain(self.close()?),
            "commit" | "rollback" => plain(self.transaction(word == "commit")?),
            "execute" => plain(self.execute()?),
            _ => plain(self.sql_statement()?),
        }
    }

    fn assignment(&mut self) -> PgResult<StmtKind> {
        let Some((d, n)) = self.datum_at(self.pos) else { return Err(self.syntax()) };
        let start = self.pos;
        self.check_assignable(d.dno, self.toks[start].start)?;
        let mode = match (&self.datums[d.dno], d.names) {
            (Decl::Row { .. }, _) => return Err(self.syntax()),
            (_, 1) => ParseMode::PlpgsqlAssign1,
            (_, 2) => ParseMode::PlpgsqlAssign2,
            _ => ParseMode::PlpgsqlAssign3,
        };
        let _ = n;
        let expr = self.sql_until(&[";"], ";", mode)?;
        self.pos += 1;
        Ok(StmtKind::Assign { target: d.dno, expr })
    }

    /// 22005 for constants; fields go by their record.
    pub(super) fn check_assignable(&self, dno: Dno, at: u32) -> PgResult<()> {
        match &self.datums[dno] {
            Decl::Var(v) if v.constant => {
                Err(err!(ERROR_IN_ASSIGNMENT, "variable \"{}\" is declared CONSTANT", v.name).at(at as i32))
            }
            Decl::Row { fields, .. } => fields.iter().try_for_each(|(_, d)| self.check_assignable(*d, at)),
            Decl::Field { record, .. } => self.check_assignable(*record, at),
            Decl::Var(_) => Ok(()),
        }
    }

    fn if_statement(&mut self) -> PgResult<StmtKind> {
        self.nest()?;
        self.pos += 1;
        let line = self.line_of(self.toks[self.pos - 1].start);
        let mut branches = Vec::new();
        let cond = self.expr_to("then")?;
        branches.push((cond, self.statements()?, line));
        let mut otherwise = Vec::new();
        loop {
            let at = self.line();
            if self.take_word("elsif") || self.take_word("elseif") {
                let cond = self.expr_to("then")?;
                branches.push((cond, self.statements()?, at));
            } else if self.take_word("else") {
                otherwise = self.statements()?;
            } else {
                break;
            }
        }
        self.expect_word("end")?;
        self.expect_word("if")?;
        self.expect_symbol(";")?;
        self.label_depth -= 1;
        Ok(StmtKind::If { branches, otherwise })
    }

    fn case_statement(&mut self) -> PgResult<StmtKind> {
        self.nest()?;
        let line = self.line();
        self.pos += 1;
        let test = if self.is_word("when") {
            None
        } else {
            let e = self.sql_until(&["when"], "when", ParseMode::PlpgsqlExpr)?;
            // The value goes to a hidden variable that each WHEN compares.
            let name = format!("__Case__Variable_{}__", self.datums.len());
            let ty = type_of(self.env, oid::INT4, -1, None)?;
            let dno = self.variable(&name, line, ty, true)?;
            Some((e, dno, name))
        };
        let mut whens = Vec::new();
        while self.is_word("when") {
            let at = self.line();
            self.pos += 1;
            let mut cond = self.expr_to("then")?;
            if let Some((_, _, name)) = &test {
                let text = format!("\"{name}\" IN ({})", cond.text);
                cond = self.make_expr(text, 0, ParseMode::PlpgsqlExpr).map_err(|e| e.without_position())?;
            }
            whens.push((cond, self.statements()?, at));
        }
        if whens.is_empty() {
            return Err(self.syntax());
        }
        let otherwise = if self.take_word("else") { Some(self.statements()?) } else { None };
        self.expect_word("end")?;
        self.expect_word("case")?;
        self.expect_symbol(";")?;
        self.label_depth -= 1;
        Ok(StmtKind::Case { test: test.map(|(e, d, _)| (e, d)), whens, otherwise })
    }
}
