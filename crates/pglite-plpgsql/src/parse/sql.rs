//! SQL statements, INTO, PERFORM, CALL, EXECUTE, COMMIT and ROLLBACK.

use pglite_error::{PgError, PgResult, err};
use pglite_parser::ParseMode;
use pglite_parser::scan::ScanKind;

use super::{DatumRef, Parser};
use crate::tree::*;

impl Parser<'_> {
    /// A statement that begins with no word of the language: SQL, or a mistake.
    pub(super) fn sql_statement(&mut self) -> PgResult<StmtKind> {
        let Some(first) = self.tok().cloned() else { return Err(self.syntax()) };
        let is_name = matches!(first.kind, ScanKind::Ident { .. } | ScanKind::Keyword(_));
        if !is_name && !self.is_symbol("(") {
            return Err(self.syntax());
        }
        if is_name {
            let mut n = 1;
            while n < 5 && self.is_symbol_at(n, ".") && self.name_at(n + 1).is_some() {
                n += 2;
            }
            if self.is_symbol_at(n, ":=")
                || self.is_symbol_at(n, "=")
                || (n > 1 && (self.is_symbol_at(n, "[") || self.is_symbol_at(n, ".")))
            {
                let shown: String = (0..n)
                    .filter_map(|i| self.tok_at(i))
                    .map(|t| match &t.kind {
                        ScanKind::Ident { name, .. } => name.clone(),
                        _ => self.text(t).to_string(),
                    })
                    .collect();
                return Err(
                    PgError::syntax(format!("\"{shown}\" is not a known variable")).at(first.start as i32)
                );
            }
        }
        self.sql_with_into()
    }

    fn sql_with_into(&mut self) -> PgResult<StmtKind> {
        let from = self.pos;
        let start = self.here();
        let first = self.word_at(0).unwrap_or_default().to_string();
        let mut depth = 0i32;
        let mut begins = 0i32;
        let mut into: Option<(Target, bool)> = None;
        let mut cut: Option<(u32, u32)> = None;
        let mut previous = String::new();
        let mut at = from;
        let second = self.word_at(1).unwrap_or_default().to_string();
        let makes_routine = first == "create"
            && (matches!(second.as_str(), "function" | "procedure")
                || (second == "or"
                    && self.word_at(2) == Some("replace")
                    && matches!(self.word_at(3), Some("function" | "procedure"))));
        loop {
            let Some(t) = self.tok().cloned() else {
                return Err(self.near("missing \";\" at end of SQL statement").eof_as_syntax());
            };
            let word = self.word_at(0).unwrap_or_default().to_string();
            if t.kind == ScanKind::Symbol {
                match self.text(&t) {
                    "(" | "[" => depth += 1,
                    ")" | "]" => {
                        depth -= 1;
                        if depth < 0 {
                            return Err(self.near("mismatched parentheses"));
                        }
                    }
                    ";" if depth == 0 && begins == 0 => break,
                    _ => {}
                }
            }
            if makes_routine {
                match word.as_str() {
                    "begin" => begins += 1,
                    "case" if begins > 0 => begins += 1,
                    "end" if begins > 0 => begins -= 1,
                    _ => {}
                }
            }
            let plain_into = word == "into"
                && at != from
                && !matches!(previous.as_str(), "insert" | "merge")
                && first != "import";
            if plain_into {
                if into.is_some() {
                    return Err(self.near("INTO specified more than once"));
                }
                let into_start = t.start;
                let here = self.pos;
                self.note_fields(from, here);
                self.pos += 1;
                into = Some(self.into_target()?);
                cut = Some((into_start, self.here()));
                at = self.pos;
                previous.clear();
                continue;
            }
            previous = word;
            self.pos += 1;
            at = self.pos;
        }
        let end = self.here();
        let text = match cut {
            None => self.src[start as usize..end as usize].to_string(),
            Some((a, b)) => format!(
                "{}{}{}",
                &self.src[start as usize..a as usize],
                " ".repeat((b - a) as usize),
                &self.src[b as usize..end as usize]
            ),
        };
        let to = self.pos;
        self.note_fields(from, to);
        let sql = self.make_expr(text.trim_end().to_string(), start, ParseMode::Default)?;
        self.pos = to + 1;
        Ok(StmtKind::Sql { sql, into })
    }

    /// What follows INTO: STRICT, then a record or a list of scalars.
    pub(super) fn into_target(&mut self) -> PgResult<(Target, bool)> {
        let strict = self.take_word("strict");
        Ok((self.target()?, strict))
    }

    pub(super) fn target(&mut self) -> PgResult<Target> {
        let line = self.line();
        let Some(first) = self.take_datum() else { return Err(self.unknown_variable()) };
        self.check_assignable(first.dno, first.start)?;
        if matches!(&self.datums[first.dno], Decl::Var(v) if v.is_record) {
            if self.is_symbol(",") {
                return Err(PgError::syntax("record variable cannot be part of multiple-item INTO list")
                    .at(first.start as i32));
            }
            return Ok(Target(first.dno));
        }
        let mut list: Vec<DatumRef> = vec![first];
        while self.take_symbol(",") {
            let Some(d) = self.take_datum() else { return Err(self.unknown_variable()) };
            self.check_assignable(d.dno, d.start)?;
            if matches!(&self.datums[d.dno], Decl::Var(v) if v.is_record) {
                return Err(PgError::syntax(format!(
                    "\"{}\" is not a scalar variable",
                    self.datum_name(d.dno)
                ))
                .at(d.start as i32));
            }
            list.push(d);
        }
        let fields = list.iter().map(|d| (self.datum_name(d.dno), d.dno)).collect();
        Ok(Target(self.row(line, fields)))
    }

    /// The error for a name that should be a variable.
    pub(super) fn unknown_variable(&self) -> PgError {
        match self.dotted(self.pos) {
            Some((parts, _)) => PgError::syntax(format!("\"{}\" is not a known variable", parts.join(".")))
                .at(self.here() as i32),
            None => self.syntax(),
        }
    }

    pub(super) fn perform(&mut self) -> PgResult<StmtKind> {
        let start = self.here();
        self.pos += 1;
        let from = self.pos;
        let end = self.statement_end()?;
        let body = self.src[self.toks[from - 1].end as usize..end as usize].trim_end();
        // SELECT is a letter shorter than PERFORM, so positions shift by one.
        let text = format!("SELECT{body}");
        let to = self.pos;
        self.note_fields(from, to);
        let e = self.make_expr(text, start + 1, ParseMode::Default)?;
        self.pos = to + 1;
        Ok(StmtKind::Perform(e))
    }

    /// Moves to the `;` that ends the statement; its offset.
    fn statement_end(&mut self) -> PgResult<u32> {
        let mut depth = 0i32;
        loop {
            let Some(t) = self.tok() else { return Err(self.near("missing \";\" at end of SQL statement")) };
            match self.text(t) {
                "(" | "[" if t.kind == ScanKind::Symbol => depth += 1,
                ")" | "]" if t.kind == ScanKind::Symbol => depth -= 1,
                ";" if depth <= 0 => {
                    if depth < 0 {
                        return Err(self.near("mismatched parentheses"));
                    }
                    return Ok(t.start);
                }
                _ => {}
            }
            self.pos += 1;
        }
    }

    pub(super) fn call(&mut self, is_call: bool) -> PgResult<StmtKind> {
        let sql = self.sql_until(&[";"], ";", ParseMode::Default)?;
        self.pos += 1;
        Ok(StmtKind::Call { sql, is_call })
    }

    pub(super) fn execute(&mut self) -> PgResult<StmtKind> {
        self.pos += 1;
        let query = self.sql_until(&["into", "using", ";"], "INTO or USING or ;", ParseMode::PlpgsqlExpr)?;
        let mut into = None;
        let mut using = Vec::new();
        loop {
            if self.is_word("into") {
                if into.is_some() {
                    return Err(self.syntax());
                }
                self.pos += 1;
                into = Some(self.into_target()?);
            } else if self.is_word("using") {
                if !using.is_empty() {
                    return Err(self.syntax());
                }
                self.pos += 1;
                loop {
                    using.push(self.sql_until(
                        &[",", ";", "into"],
                        ", or ; or INTO",
                        ParseMode::PlpgsqlExpr,
                    )?);
                    if !self.take_symbol(",") {
                        break;
                    }
                }
            } else {
                self.expect_symbol(";")?;
                return Ok(StmtKind::Execute { query, into, using });
            }
        }
    }

    /// `USING a, b;` of OPEN and RETURN QUERY, the semicolon included.
    pub(super) fn using_list(&mut self) -> PgResult<Vec<Expr>> {
        let mut using = Vec::new();
        if self.take_word("using") {
            loop {
                using.push(self.sql_until(&[",", ";"], ", or ;", ParseMode::PlpgsqlExpr)?);
                if !self.take_symbol(",") {
                    break;
                }
            }
        }
        self.expect_symbol(";")?;
        Ok(using)
    }

    pub(super) fn transaction(&mut self, commit: bool) -> PgResult<StmtKind> {
        self.pos += 1;
        let mut chain = false;
        if self.take_word("and") {
            chain = !self.take_word("no");
            self.expect_word("chain")?;
        }
        if !self.is_symbol(";") {
            // ROLLBACK TO SAVEPOINT and the like.
            if !commit || !self.is_symbol(";") {
                return Err(self.syntax());
            }
        }
        self.pos += 1;
        Ok(if commit { StmtKind::Commit { chain } } else { StmtKind::Rollback { chain } })
    }

    pub(super) fn assert(&mut self) -> PgResult<StmtKind> {
        self.pos += 1;
        let cond = self.sql_until(&[",", ";"], ", or ;", ParseMode::PlpgsqlExpr)?;
        let message = if self.take_symbol(",") {
            Some(self.expr_to(";")?)
        } else {
            self.expect_symbol(";")?;
            None
        };
        Ok(StmtKind::Assert { cond, message })
    }

    pub(super) fn not_here(&self, message: &str) -> PgError {
        err!(DATATYPE_MISMATCH, "{message}").at(self.here() as i32)
    }
}

trait EofAsSyntax {
    fn eof_as_syntax(self) -> Self;
}

impl EofAsSyntax for PgError {
    /// PG: a statement without its semicolon at the end of the body is a plain syntax error.
    fn eof_as_syntax(mut self) -> PgError {
        let f = self.fields_mut();
        f.message = "unexpected end of function definition at end of input".into();
        self
    }
}
