//! RETURN in its forms, RAISE, GET DIAGNOSTICS.

use pglite_error::codes::CONDITIONS;
use pglite_error::{PgError, PgResult, SqlState, err};
use pglite_parser::ParseMode;
use pglite_parser::scan::ScanKind;
use pglite_types::oid;

use super::Parser;
use super::declare::WithoutPosition;
use crate::tree::*;

impl Parser<'_> {
    pub(super) fn return_statement(&mut self) -> PgResult<StmtKind> {
        let at = self.here() as i32;
        self.pos += 1;
        if self.is_word("next") {
            return self.return_next(at);
        }
        if self.is_word("query") {
            return self.return_query(at);
        }
        let none = StmtKind::Return { expr: None, var: None };
        let must_be_empty = if self.ret_set {
            Some("RETURN cannot have a parameter in function returning set")
        } else if self.kind == FunctionKind::Procedure {
            Some("RETURN cannot have a parameter in a procedure")
        } else if self.ret_type == oid::VOID {
            Some("RETURN cannot have a parameter in function returning void")
        } else if self.out.is_some() {
            Some("RETURN cannot have a parameter in function with OUT parameters")
        } else {
            None
        };
        if let Some(message) = must_be_empty {
            if !self.is_symbol(";") {
                let e = self.not_here(message);
                return Err(if self.ret_set { e.hint("Use RETURN NEXT or RETURN QUERY.") } else { e });
            }
            self.pos += 1;
            return Ok(if self.ret_set || self.ret_type == oid::VOID {
                none
            } else {
                StmtKind::Return { expr: None, var: self.out }
            });
        }
        if let Some((d, n)) = self.datum_at(self.pos)
            && self.is_symbol_at(n, ";")
            && matches!(self.datums[d.dno], Decl::Var(_))
        {
            self.pos += n + 1;
            return Ok(StmtKind::Return { expr: None, var: Some(d.dno) });
        }
        let e = self.expr_to(";")?;
        Ok(StmtKind::Return { expr: Some(e), var: None })
    }

    fn return_next(&mut self, at: i32) -> PgResult<StmtKind> {
        if !self.ret_set {
            return Err(err!(DATATYPE_MISMATCH, "cannot use RETURN NEXT in a non-SETOF function").at(at));
        }
        self.pos += 1;
        if self.out.is_some() {
            if !self.is_symbol(";") {
                return Err(
                    self.not_here("RETURN NEXT cannot have a parameter in function with OUT parameters")
                );
            }
            self.pos += 1;
            return Ok(StmtKind::ReturnNext { expr: None, var: self.out });
        }
        if let Some((d, n)) = self.datum_at(self.pos)
            && self.is_symbol_at(n, ";")
            && matches!(self.datums[d.dno], Decl::Var(_))
        {
            self.pos += n + 1;
            return Ok(StmtKind::ReturnNext { expr: None, var: Some(d.dno) });
        }
        let e = self.expr_to(";")?;
        Ok(StmtKind::ReturnNext { expr: Some(e), var: None })
    }

    fn return_query(&mut self, at: i32) -> PgResult<StmtKind> {
        if !self.ret_set {
            return Err(err!(DATATYPE_MISMATCH, "cannot use RETURN QUERY in a non-SETOF function").at(at));
        }
        self.pos += 1;
        if self.take_word("execute") {
            let e = self.sql_until(&[";", "using"], "; or USING", ParseMode::PlpgsqlExpr)?;
            let using = self.using_list()?;
            return Ok(StmtKind::ReturnQuery { query: None, dynamic: Some((e, using)) });
        }
        let query = self.sql_until(&[";"], ";", ParseMode::Default)?;
        self.pos += 1;
        Ok(StmtKind::ReturnQuery { query: Some(query), dynamic: None })
    }

    pub(super) fn raise(&mut self) -> PgResult<StmtKind> {
        self.pos += 1;
        let mut r = Raise {
            level: RaiseLevel::Exception,
            condition: None,
            message: None,
            params: Vec::new(),
            options: Vec::new(),
        };
        if self.is_symbol(";") {
            self.pos += 1;
            return Ok(StmtKind::Raise(Box::new(r)));
        }
        let level = match self.word_at(0) {
            Some("exception") => Some(RaiseLevel::Exception),
            Some("warning") => Some(RaiseLevel::Warning),
            Some("notice") => Some(RaiseLevel::Notice),
            Some("info") => Some(RaiseLevel::Info),
            Some("log") => Some(RaiseLevel::Log),
            Some("debug") => Some(RaiseLevel::Debug),
            _ => None,
        };
        if let Some(l) = level {
            self.pos += 1;
            r.level = l;
        }
        match self.tok().map(|t| t.kind.clone()) {
            None => return Err(self.syntax()),
            Some(ScanKind::String(message)) => {
                self.pos += 1;
                r.message = Some(message);
                if !self.is_symbol(",") && !self.is_symbol(";") && !self.is_word("using") {
                    return Err(self.syntax());
                }
                while self.take_symbol(",") {
                    r.params.push(self.sql_until(
                        &[",", ";", "using"],
                        ", or ; or USING",
                        ParseMode::PlpgsqlExpr,
                    )?);
                }
            }
            _ if self.is_word("using") => {}
            _ if self.is_symbol(";") => return Err(self.syntax()),
            _ => {
                let name = self.take_name()?;
                if name == "sqlstate" {
                    let Some(ScanKind::String(code)) = self.tok().map(|t| t.kind.clone()) else {
                        return Err(self.syntax());
                    };
                    if SqlState::parse(&code).is_none() {
                        return Err(self.near("invalid SQLSTATE code"));
                    }
                    self.pos += 1;
                    r.condition = Some(code);
                } else {
                    if !CONDITIONS.iter().any(|(n, _)| *n == name) {
                        return Err(err!(UNDEFINED_OBJECT, "unrecognized exception condition \"{name}\"")
                            .without_position());
                    }
                    r.condition = Some(name);
                }
                if !self.is_symbol(";") && !self.is_word("using") {
                    return Err(self.syntax());
                }
            }
        }
        if self.take_word("using") {
            self.raise_options(&mut r)?;
        }
        self.expect_symbol(";")?;
        self.check_raise(&r)?;
        Ok(StmtKind::Raise(Box::new(r)))
    }

    fn raise_options(&mut self, r: &mut Raise) -> PgResult<()> {
        loop {
            let option = match self.word_at(0) {
                Some("errcode") => RaiseOption::Errcode,
                Some("message") => RaiseOption::Message,
                Some("detail") => RaiseOption::Detail,
                Some("hint") => RaiseOption::Hint,
                Some("column") => RaiseOption::Column,
                Some("constraint") => RaiseOption::Constraint,
                Some("datatype") => RaiseOption::Datatype,
                Some("table") => RaiseOption::Table,
                Some("schema") => RaiseOption::Schema,
                _ => return Err(self.near("unrecognized RAISE statement option")),
            };
            self.pos += 1;
            if !self.take_symbol("=") && !self.take_symbol(":=") {
                return Err(self.near("syntax error, expected \"=\""));
            }
            let e = self.sql_until(&[",", ";"], ", or ;", ParseMode::PlpgsqlExpr)?;
            r.options.push((option, e));
            if !self.take_symbol(",") {
                return Ok(());
            }
        }
    }

    /// As many parameters as placeholders.
    fn check_raise(&self, r: &Raise) -> PgResult<()> {
        let Some(message) = &r.message else { return Ok(()) };
        let mut expected = 0;
        let mut chars = message.chars().peekable();
        while let Some(c) = chars.next() {
            if c == '%' {
                if chars.peek() == Some(&'%') {
                    chars.next();
                } else {
                    expected += 1;
                }
            }
        }
        let given = r.params.len();
        if expected < given {
            return Err(PgError::syntax("too many parameters specified for RAISE").without_position());
        }
        if expected > given {
            return Err(PgError::syntax("too few parameters specified for RAISE").without_position());
        }
        Ok(())
    }

    pub(super) fn get_diagnostics(&mut self) -> PgResult<StmtKind> {
        self.pos += 1;
        let stacked = self.take_word("stacked");
        if !stacked {
            self.take_word("current");
        }
        self.expect_word("diagnostics")?;
        let mut items = Vec::new();
        loop {
            let at = self.here() as i32;
            let Some(d) = self.take_datum() else { return Err(self.unknown_variable()) };
            let scalar = match &self.datums[d.dno] {
                Decl::Var(v) => !v.is_record,
                Decl::Field { .. } => true,
                Decl::Row { .. } => false,
            };
            if !scalar {
                return Err(PgError::syntax(format!(
                    "\"{}\" is not a scalar variable",
                    self.datum_name(d.dno)
                ))
                .at(at));
            }
            self.check_assignable(d.dno, d.start)?;
            if !self.take_symbol(":=") && !self.take_symbol("=") {
                return Err(self.syntax());
            }
            items.push((self.diagnostic_item(stacked)?, d.dno));
            if !self.take_symbol(",") {
                break;
            }
        }
        self.expect_symbol(";")?;
        Ok(StmtKind::GetDiag { stacked, items })
    }

    fn diagnostic_item(&mut self, stacked: bool) -> PgResult<DiagKind> {
        let word = self.word_at(0).unwrap_or_default().to_string();
        let kind = match word.as_str() {
            "row_count" => DiagKind::RowCount,
            "pg_routine_oid" => DiagKind::RoutineOid,
            "pg_context" => DiagKind::Context,
            "pg_exception_detail" => DiagKind::ErrorDetail,
            "pg_exception_hint" => DiagKind::ErrorHint,
            "pg_exception_context" => DiagKind::ErrorContext,
            "column_name" => DiagKind::ColumnName,
            "constraint_name" => DiagKind::ConstraintName,
            "pg_datatype_name" => DiagKind::DatatypeName,
            "message_text" => DiagKind::MessageText,
            "table_name" => DiagKind::TableName,
            "schema_name" => DiagKind::SchemaName,
            "returned_sqlstate" => DiagKind::ReturnedSqlstate,
            _ => return Err(self.near("unrecognized GET DIAGNOSTICS item")),
        };
        let current = matches!(kind, DiagKind::RowCount | DiagKind::RoutineOid);
        let both = kind == DiagKind::Context;
        if !both && current == stacked {
            let which = if stacked { "STACKED " } else { "CURRENT " };
            let shown = word.to_ascii_uppercase();
            let message = format!("diagnostics item {shown} is not allowed in GET {}DIAGNOSTICS", which);
            return Err(PgError::syntax(message).at(self.here() as i32));
        }
        self.pos += 1;
        Ok(kind)
    }
}
