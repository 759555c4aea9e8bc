//! OPEN, FETCH, MOVE, CLOSE.

use pglite_error::{PgError, PgResult, err};
use pglite_parser::ParseMode;
use pglite_parser::scan::ScanKind;
use pglite_types::oid;

use super::Parser;
use crate::tree::*;

impl Parser<'_> {
    fn cursor_variable(&mut self) -> PgResult<Dno> {
        let at = self.here() as i32;
        let Some(d) = self.take_datum() else {
            return Err(PgError::syntax("cursor variable must be a simple variable").at(at));
        };
        match &self.datums[d.dno] {
            Decl::Var(v) if v.is_record => {
                Err(err!(DATATYPE_MISMATCH, "cursor variable must be a simple variable").at(at))
            }
            Decl::Var(v) if v.ty.oid != oid::REFCURSOR => {
                Err(err!(DATATYPE_MISMATCH, "variable \"{}\" must be of type cursor or refcursor", v.name)
                    .at(at))
            }
            Decl::Var(_) => Ok(d.dno),
            _ => Err(err!(DATATYPE_MISMATCH, "cursor variable must be a simple variable").at(at)),
        }
    }

    pub(super) fn open(&mut self) -> PgResult<StmtKind> {
        self.pos += 1;
        let cursor = self.cursor_variable()?;
        let bound = self.datums[cursor].var().is_some_and(|v| v.cursor.is_some());
        let (mut query, mut dynamic, mut args) = (None, None, None);
        let mut scroll = None;
        if bound {
            args = self.cursor_args(cursor, ";")?;
        } else {
            scroll = self.scroll_option()?;
            if !self.is_word("for") {
                return Err(self.near("syntax error, expected \"FOR\""));
            }
            self.pos += 1;
            if self.take_word("execute") {
                let e = self.sql_until(&["using", ";"], "USING or ;", ParseMode::PlpgsqlExpr)?;
                let using = self.using_list()?;
                dynamic = Some((e, using));
            } else {
                query = Some(self.sql_until(&[";"], ";", ParseMode::Default)?);
                self.pos += 1;
            }
        }
        Ok(StmtKind::Open { cursor, query, dynamic, args, scroll })
    }

    /// The arguments of a bound cursor, up to and with `end`; the expression's columns are the arguments in order.
    pub(super) fn cursor_args(&mut self, cursor: Dno, end: &str) -> PgResult<Option<Expr>> {
        let Some(c) = self.datums[cursor].var().and_then(|v| v.cursor.as_ref()) else {
            return Err(PgError::internal("not a bound cursor"));
        };
        let (names, has_args): (Vec<String>, bool) =
            (c.args.iter().map(|(n, _)| n.clone()).collect(), c.has_args);
        let cursor_name = self.datum_name(cursor);
        let at = self.here() as i32;
        if !has_args {
            if self.is_symbol("(") {
                return Err(PgError::syntax(format!("cursor \"{cursor_name}\" has no arguments")).at(at));
            }
            self.expect_end(end)?;
            return Ok(None);
        }
        if !self.is_symbol("(") {
            return Err(PgError::syntax(format!("cursor \"{cursor_name}\" has arguments")).at(at));
        }
        self.pos += 1;
        let mut values: Vec<Option<String>> = vec![None; names.len()];
        let mut any_named = false;
        for i in 0..names.len() {
            let arg_at = self.here() as i32;
            let mut position = i;
            let named =
                (self.is_symbol_at(1, ":=") || self.is_symbol_at(1, "=>")) && self.name_at(0).is_some();
            if named {
                let name = self.take_name()?;
                self.pos += 1;
                position = match names.iter().position(|n| *n == name) {
                    Some(p) => p,
                    None => {
                        return Err(PgError::syntax(format!(
                            "cursor \"{cursor_name}\" has no argument named \"{name}\""
                        ))
                        .at(arg_at));
                    }
                };
                any_named = true;
            }
            if values[position].is_some() {
                return Err(PgError::syntax(format!(
                    "value for parameter \"{}\" of cursor \"{cursor_name}\" specified more than once",
                    names[position]
                ))
                .at(arg_at));
            }
            let e = self.sql_until(&[",", ")"], ",\" or \")", ParseMode::PlpgsqlExpr)?;
            values[position] = Some(e.text.to_string());
            let last = self.is_symbol(")");
            if last && i + 1 != names.len() {
                return Err(PgError::syntax(format!("not enough arguments for cursor \"{cursor_name}\""))
                    .at(self.here() as i32));
            }
            if !last && i + 1 == names.len() {
                return Err(PgError::syntax(format!("too many arguments for cursor \"{cursor_name}\""))
                    .at(self.here() as i32));
            }
            self.pos += 1;
        }
        let text = values
            .iter()
            .zip(&names)
            .map(|(v, n)| {
                let v = v.as_deref().unwrap_or("NULL");
                if any_named {
                    format!("{v} AS {}", pglite_parser::quote_identifier(n))
                } else {
                    v.to_string()
                }
            })
            .collect::<Vec<_>>()
            .join(", ");
        let e = self.make_expr(text, at as u32, ParseMode::PlpgsqlExpr)?;
        self.expect_end(end)?;
        Ok(Some(e))
    }

    fn expect_end(&mut self, end: &str) -> PgResult<()> {
        if end == ";" { self.expect_symbol(end) } else { self.expect_word(end) }
    }

    pub(super) fn fetch(&mut self, is_fetch: bool) -> PgResult<StmtKind> {
        self.pos += 1;
        let direction = self.direction()?;
        let cursor = self.cursor_variable()?;
        let target = if is_fetch {
            self.expect_word("into")?;
            Some(self.target()?)
        } else {
            None
        };
        if is_fetch && direction.many {
            return Err(err!(FEATURE_NOT_SUPPORTED, "FETCH statement cannot return multiple rows"));
        }
        self.expect_symbol(";")?;
        Ok(StmtKind::Fetch { cursor, target, direction })
    }

    fn direction(&mut self) -> PgResult<Direction> {
        use DirectionKind::*;
        let mut d = Direction { kind: Forward, count: 1, expr: None, many: false, all: false };
        let word = self.word_at(0).unwrap_or_default().to_string();
        let mut check_from = true;
        // A cursor variable may have a name like a direction's.
        let is_cursor = self
            .datum_at(self.pos)
            .is_some_and(|(r, _)| self.datums[r.dno].var().is_some_and(|v| v.ty.oid == oid::REFCURSOR));
        match word.as_str() {
            _ if is_cursor => check_from = false,
            "next" => self.pos += 1,
            "prior" => {
                self.pos += 1;
                d.kind = Backward;
            }
            "first" => {
                self.pos += 1;
                d.kind = Absolute;
            }
            "last" => {
                self.pos += 1;
                d.kind = Absolute;
                d.count = -1;
            }
            "absolute" | "relative" => {
                self.pos += 1;
                d.kind = if word == "absolute" { Absolute } else { Relative };
                d.expr = Some(self.sql_until(&["from", "in"], "FROM or IN", ParseMode::PlpgsqlExpr)?);
                self.pos += 1;
                check_from = false;
            }
            "all" => {
                self.pos += 1;
                d.all = true;
                d.many = true;
            }
            "forward" | "backward" => {
                self.pos += 1;
                d.kind = if word == "forward" { Forward } else { Backward };
                if self.is_word("from") || self.is_word("in") || self.cursor_here() {
                    check_from = !self.cursor_here();
                } else if self.take_word("all") {
                    d.all = true;
                    d.many = true;
                } else {
                    d.expr = Some(self.sql_until(&["from", "in"], "FROM or IN", ParseMode::PlpgsqlExpr)?);
                    self.pos += 1;
                    d.many = true;
                    check_from = false;
                }
            }
            "from" | "in" => {
                self.pos += 1;
                check_from = false;
            }
            _ => {
                if !matches!(self.tok().map(|t| &t.kind), Some(ScanKind::Ident { .. } | ScanKind::Keyword(_)))
                {
                    d.expr = Some(self.sql_until(&["from", "in"], "FROM or IN", ParseMode::PlpgsqlExpr)?);
                    self.pos += 1;
                    d.many = true;
                }
                check_from = false;
            }
        }
        if check_from && !self.take_word("from") && !self.take_word("in") {
            return Err(self.near("expected FROM or IN"));
        }
        Ok(d)
    }

    fn cursor_here(&mut self) -> bool {
        self.datum_at(self.pos)
            .is_some_and(|(r, _)| self.datums[r.dno].var().is_some_and(|v| v.ty.oid == oid::REFCURSOR))
    }

    pub(super) fn close(&mut self) -> PgResult<StmtKind> {
        self.pos += 1;
        let cursor = self.cursor_variable()?;
        self.expect_symbol(";")?;
        Ok(StmtKind::Close { cursor })
    }
}
