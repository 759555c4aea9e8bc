//! LOOP, WHILE, FOR in all its forms, FOREACH, EXIT and CONTINUE.

use pglite_error::{PgError, PgResult, err};
use pglite_parser::ParseMode;
use pglite_types::oid;

use super::declare::type_of;
use super::{DatumRef, Parser};
use crate::tree::*;

/// The loop variables as named before IN.
enum LoopVars {
    /// Known variables.
    Known(DatumRef, Vec<DatumRef>),
    /// A name that is no variable: an integer loop makes it one.
    New(String),
}

impl Parser<'_> {
    pub(super) fn loop_statement(&mut self, label: Option<String>) -> PgResult<StmtKind> {
        self.nest()?;
        self.push_ns(NsKind::LoopLabel, label.as_deref().unwrap_or(""));
        let kind = match self.word_at(0) {
            Some("loop") => {
                self.pos += 1;
                StmtKind::Loop(self.loop_body(label)?)
            }
            Some("while") => {
                self.pos += 1;
                let cond = self.expr_to("loop")?;
                StmtKind::While { cond, body: self.loop_body(label)? }
            }
            Some("for") => self.for_statement(label)?,
            _ => self.foreach(label)?,
        };
        self.pop_ns();
        self.label_depth -= 1;
        Ok(kind)
    }

    /// Statements, END LOOP, the label. LOOP is taken already.
    fn loop_body(&mut self, label: Option<String>) -> PgResult<LoopBody> {
        let body = self.statements()?;
        self.expect_word("end")?;
        self.expect_word("loop")?;
        self.end_label(label.as_deref())?;
        self.expect_symbol(";")?;
        Ok(LoopBody { label, body })
    }

    fn loop_vars(&mut self) -> PgResult<LoopVars> {
        let at = self.here();
        if let Some(first) = self.take_datum() {
            let mut more = Vec::new();
            while self.take_symbol(",") {
                match self.take_datum() {
                    Some(d) => more.push(d),
                    None => return Err(self.unknown_variable()),
                }
            }
            return Ok(LoopVars::Known(first, more));
        }
        let name = self.take_name()?;
        if self.is_symbol(",") || self.is_symbol(".") {
            return Err(err!(
                SYNTAX_ERROR,
                "loop variable of loop over rows must be a record variable or list of scalar variables"
            )
            .at(at as i32));
        }
        Ok(LoopVars::New(name))
    }

    fn for_statement(&mut self, label: Option<String>) -> PgResult<StmtKind> {
        self.pos += 1;
        let line = self.line();
        let at = self.here() as i32;
        let vars = self.loop_vars()?;
        self.expect_word("in")?;
        if self.is_word("execute") {
            self.pos += 1;
            let query = self.sql_until(&["loop", "using"], "loop", ParseMode::PlpgsqlExpr)?;
            let mut using = Vec::new();
            if self.take_word("using") {
                loop {
                    using.push(self.sql_until(&[",", "loop"], ", or LOOP", ParseMode::PlpgsqlExpr)?);
                    if !self.take_symbol(",") {
                        break;
                    }
                }
            }
            self.expect_word("loop")?;
            let target = self.row_target(vars, line, at)?;
            return Ok(StmtKind::ForExecute { target, query, using, body: self.loop_body(label)? });
        }
        if let Some((d, n)) = self.datum_at(self.pos)
            && self.datums[d.dno].var().is_some_and(|v| v.ty.oid == oid::REFCURSOR)
            && (self.word_at(n) == Some("loop") || self.is_symbol_at(n, "("))
        {
            return self.for_cursor(label, vars, d.dno, n, line, at);
        }
        self.for_range_or_query(label, vars, line, at)
    }

    fn for_cursor(
        &mut self,
        label: Option<String>,
        vars: LoopVars,
        cursor: Dno,
        n: usize,
        line: u32,
        at: i32,
    ) -> PgResult<StmtKind> {
        let cursor_at = self.here() as i32;
        self.pos += n;
        let LoopVars::New(name) = vars else {
            // PG: the loop variable is always new.
            return self.cursor_loop_names(label, vars, cursor, line, at, cursor_at);
        };
        self.cursor_loop(label, name, cursor, line, cursor_at)
    }

    fn cursor_loop_names(
        &mut self,
        label: Option<String>,
        vars: LoopVars,
        cursor: Dno,
        line: u32,
        at: i32,
        cursor_at: i32,
    ) -> PgResult<StmtKind> {
        let LoopVars::Known(first, more) = vars else { return Err(self.syntax()) };
        if !more.is_empty() {
            return Err(PgError::syntax("cursor FOR loop must have only one target variable").at(at));
        }
        let text = match &self.datums[first.dno] {
            Decl::Var(v) => v.name.clone(),
            Decl::Row { name, .. } | Decl::Field { name, .. } => name.clone(),
        };
        self.cursor_loop(label, text, cursor, line, cursor_at)
    }

    fn cursor_loop(
        &mut self,
        label: Option<String>,
        name: String,
        cursor: Dno,
        line: u32,
        cursor_at: i32,
    ) -> PgResult<StmtKind> {
        if self.datums[cursor].var().is_none_or(|v| v.cursor.is_none()) {
            return Err(PgError::syntax("cursor FOR loop must use a bound cursor variable").at(cursor_at));
        }
        let args = self.cursor_args(cursor, "loop")?;
        let record = type_of(self.env, oid::RECORD, -1, None)?;
        let target = Target(self.variable(&name, line, record, true)?);
        Ok(StmtKind::ForCursor { target, cursor, args, body: self.loop_body(label)? })
    }

    fn for_range_or_query(
        &mut self,
        label: Option<String>,
        vars: LoopVars,
        line: u32,
        at: i32,
    ) -> PgResult<StmtKind> {
        let reverse = self.is_word("reverse") && {
            self.pos += 1;
            true
        };
        let is_range = self.range_ahead();
        if !is_range {
            if reverse {
                return Err(PgError::syntax("cannot specify REVERSE in query FOR loop")
                    .at(self.toks[self.pos - 1].start as i32));
            }
            let query = self.sql_until(&["loop"], "loop", ParseMode::Default)?;
            self.pos += 1;
            let target = self.row_target(vars, line, at)?;
            return Ok(StmtKind::ForQuery { target, query, body: self.loop_body(label)? });
        }
        let lower = self.expr_to("..")?;
        let upper = self.sql_until(&["loop", "by"], "loop", ParseMode::PlpgsqlExpr)?;
        let step = if self.take_word("by") {
            Some(self.sql_until(&["loop"], "loop", ParseMode::PlpgsqlExpr)?)
        } else {
            None
        };
        self.expect_word("loop")?;
        let name = match vars {
            LoopVars::New(n) => n,
            LoopVars::Known(first, more) => {
                if !more.is_empty() {
                    return Err(PgError::syntax("integer FOR loop must have only one target variable").at(at));
                }
                match &self.datums[first.dno] {
                    Decl::Var(v) => v.name.clone(),
                    Decl::Row { name, .. } | Decl::Field { name, .. } => name.clone(),
                }
            }
        };
        let int = type_of(self.env, oid::INT4, -1, None)?;
        let var = self.variable(&name, line, int, true)?;
        Ok(StmtKind::ForInt { var, lower, upper, step, reverse, body: self.loop_body(label)? })
    }

    /// Whether `..` comes before LOOP.
    fn range_ahead(&self) -> bool {
        let mut depth = 0;
        for t in &self.toks[self.pos..] {
            match self.text(t) {
                "(" | "[" => depth += 1,
                ")" | "]" => depth -= 1,
                ".." if depth == 0 => return true,
                ";" if depth == 0 => return false,
                w if depth == 0 && w.eq_ignore_ascii_case("loop") => return false,
                _ => {}
            }
        }
        false
    }

    /// Where the rows of a query loop go.
    fn row_target(&mut self, vars: LoopVars, line: u32, at: i32) -> PgResult<Target> {
        let bad = || {
            PgError::syntax(
                "loop variable of loop over rows must be a record variable or list of scalar variables",
            )
            .at(at)
        };
        let LoopVars::Known(first, more) = vars else { return Err(bad()) };
        self.check_assignable(first.dno, first.start)?;
        let is_record = matches!(&self.datums[first.dno], Decl::Var(v) if v.is_record);
        if is_record {
            return if more.is_empty() { Ok(Target(first.dno)) } else { Err(bad()) };
        }
        let mut fields = Vec::new();
        for d in std::iter::once(first).chain(more) {
            self.check_assignable(d.dno, d.start)?;
            fields.push((self.datum_name(d.dno), d.dno));
        }
        Ok(Target(self.row(line, fields)))
    }

    pub(super) fn datum_name(&self, dno: Dno) -> String {
        match &self.datums[dno] {
            Decl::Var(v) => v.name.clone(),
            Decl::Row { name, .. } | Decl::Field { name, .. } => name.clone(),
        }
    }

    fn foreach(&mut self, label: Option<String>) -> PgResult<StmtKind> {
        self.pos += 1;
        let at = self.here() as i32;
        let LoopVars::Known(first, more) = self.loop_vars()? else {
            return Err(PgError::syntax(
                "loop variable of FOREACH must be a known variable or list of variables",
            )
            .at(at));
        };
        let line = self.line();
        let var = if more.is_empty() {
            self.check_assignable(first.dno, first.start)?;
            first.dno
        } else {
            self.row_target(LoopVars::Known(first, more), line, at)?.0
        };
        let slice = if self.take_word("slice") {
            match self.tok().map(|t| t.kind.clone()) {
                Some(pglite_parser::scan::ScanKind::Integer(n)) => {
                    self.pos += 1;
                    n
                }
                _ => return Err(self.syntax()),
            }
        } else {
            0
        };
        self.expect_word("in")?;
        self.expect_word("array")?;
        let array = self.expr_to("loop")?;
        Ok(StmtKind::Foreach { var, slice, array, body: self.loop_body(label)? })
    }

    pub(super) fn exit_statement(&mut self, is_exit: bool) -> PgResult<StmtKind> {
        let at = self.here() as i32;
        self.pos += 1;
        let mut label = None;
        if !self.is_symbol(";") && !self.is_word("when") {
            let label_at = self.here() as i32;
            let name = self.take_name()?;
            match lookup_label(&self.names, self.top, &name) {
                None => {
                    return Err(PgError::syntax(format!(
                        "there is no label \"{name}\" attached to any block or loop enclosing this statement"
                    ))
                    .at(label_at));
                }
                Some(item) if !is_exit && item.kind != NsKind::LoopLabel => {
                    return Err(PgError::syntax(format!(
                        "block label \"{name}\" cannot be used in CONTINUE"
                    ))
                    .at(label_at));
                }
                Some(_) => label = Some(name),
            }
        } else if !nearest_loop(&self.names, self.top) {
            return Err(PgError::syntax(if is_exit {
                "EXIT cannot be used outside a loop, unless it has a label"
            } else {
                "CONTINUE cannot be used outside a loop"
            })
            .at(at));
        }
        let cond = if self.take_word("when") {
            Some(self.expr_to(";")?)
        } else {
            self.expect_symbol(";")?;
            None
        };
        Ok(StmtKind::Exit { is_exit, label, cond })
    }
}
