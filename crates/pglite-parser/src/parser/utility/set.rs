//! SET, RESET, SHOW, and the settings clauses of roles, databases and functions.

use pglite_error::{PgError, PgResult};

use crate::ast::*;
use crate::keyword::Kw;
use crate::lexer::Tok;
use crate::parser::Parser;
use crate::parser::expr::string_const;
use crate::parser::typename::interval;

fn set_stmt(kind: VariableSetKind, name: &str, location: i32) -> VariableSetStmt {
    VariableSetStmt {
        kind,
        name: name.to_string(),
        args: Vec::new(),
        modes: Vec::new(),
        is_local: false,
        location,
    }
}

fn set_value(name: &str, args: Vec<Expr>) -> VariableSetStmt {
    VariableSetStmt { args, ..set_stmt(VariableSetKind::SetValue, name, -1) }
}

impl Parser<'_> {
    /// SET, at the keyword; SET CONSTRAINTS too.
    pub(in crate::parser) fn set_statement(&mut self) -> PgResult<Statement> {
        self.bump();
        if self.at(Kw::Constraints) && !self.is_assignment() {
            return self.constraints_set();
        }
        let scope = if self.is_assignment() || self.is_session_phrase() {
            None
        } else {
            self.eat_any(&[Kw::Local, Kw::Session])
        };
        let mut stmt = self.set_rest()?;
        stmt.is_local = scope == Some(Kw::Local);
        Ok(stmt.into())
    }

    /// SESSION CHARACTERISTICS AS, SESSION AUTHORIZATION: there SESSION is not the scope.
    fn is_session_phrase(&self) -> bool {
        self.at_all(&[Kw::Session, Kw::Characteristics, Kw::As])
            || self.at_all(&[Kw::Session, Kw::Authorization])
    }

    /// Whether `name =`, `name TO`, `name FROM` or `name.` stands here.
    fn is_assignment(&self) -> bool {
        let next = self.ahead(1);
        self.is_col_id(0)
            && (matches!(next.tok, Tok::Equals | Tok::Dot) || matches!(next.kw, Kw::To | Kw::From))
    }

    /// set_rest
    pub(in crate::parser) fn set_rest(&mut self) -> PgResult<VariableSetStmt> {
        if !self.is_assignment() {
            if self.at(Kw::Transaction) && self.ahead(1).kw != Kw::Snapshot {
                self.bump();
                let modes = self.transaction_mode_list()?;
                return Ok(VariableSetStmt {
                    modes,
                    ..set_stmt(VariableSetKind::SetMulti, "TRANSACTION", -1)
                });
            }
            if self.at_all(&[Kw::Session, Kw::Characteristics]) {
                self.expect_all(&[Kw::Session, Kw::Characteristics, Kw::As, Kw::Transaction])?;
                let modes = self.transaction_mode_list()?;
                let stmt = set_stmt(VariableSetKind::SetMulti, "SESSION CHARACTERISTICS", -1);
                return Ok(VariableSetStmt { modes, ..stmt });
            }
        }
        self.set_rest_more()
    }

    /// set_rest_more: what functions may set, too.
    pub(in crate::parser) fn set_rest_more(&mut self) -> PgResult<VariableSetStmt> {
        if self.is_assignment() {
            return self.generic_set(true);
        }
        let string_arg = |p: &mut Self, name: &str| {
            let at = p.loc();
            let value = p.sconst()?;
            Ok(set_value(name, vec![string_const(&value, at)]))
        };
        let location = self.loc();
        match self.kw() {
            Kw::Time if self.ahead(1).kw == Kw::Zone => {
                self.bump();
                self.bump();
                Ok(match self.zone_value()? {
                    Some(zone) => set_value("timezone", vec![zone]),
                    None => set_stmt(VariableSetKind::SetDefault, "timezone", -1),
                })
            }
            Kw::Catalog => {
                self.bump();
                let at = self.loc();
                self.sconst()?;
                Err(PgError::unsupported("current database cannot be changed").at(at))
            }
            Kw::Schema => {
                self.bump();
                string_arg(self, "search_path")
            }
            Kw::Names => {
                self.bump();
                if self.at_tok(Tok::Sconst) {
                    return string_arg(self, "client_encoding");
                }
                self.eat(Kw::Default);
                Ok(set_stmt(VariableSetKind::SetDefault, "client_encoding", -1))
            }
            Kw::Role => {
                self.bump();
                let at = self.loc();
                let role = self.word_or_sconst()?;
                Ok(set_value("role", vec![string_const(&role, at)]))
            }
            Kw::Session => {
                self.bump();
                self.expect(Kw::Authorization)?;
                let name = "session_authorization";
                if self.eat(Kw::Default) {
                    return Ok(set_stmt(VariableSetKind::SetDefault, name, -1));
                }
                let at = self.loc();
                let role = self.word_or_sconst()?;
                Ok(set_value(name, vec![string_const(&role, at)]))
            }
            Kw::Xml => {
                self.bump();
                self.expect(Kw::Option)?;
                let at = self.loc();
                let option = match self.document_or_content()? {
                    XmlOptionType::Document => "DOCUMENT",
                    XmlOptionType::Content => "CONTENT",
                };
                Ok(set_value("xmloption", vec![string_const(option, at)]))
            }
            Kw::Transaction => {
                self.bump();
                self.expect(Kw::Snapshot)?;
                let at = self.loc();
                let args = vec![string_const(&self.sconst()?, at)];
                let stmt = set_stmt(VariableSetKind::SetMulti, "TRANSACTION SNAPSHOT", location);
                Ok(VariableSetStmt { args, ..stmt })
            }
            _ => self.generic_set(true),
        }
    }

    /// `name = value, ...`, `name TO DEFAULT`, and (`from`) `name FROM CURRENT`.
    pub(in crate::parser) fn generic_set(&mut self, from: bool) -> PgResult<VariableSetStmt> {
        let name = self.var_name()?;
        if from && self.eat(Kw::From) {
            self.expect(Kw::Current)?;
            return Ok(set_stmt(VariableSetKind::SetCurrent, &name, -1));
        }
        if !self.eat_tok(Tok::Equals) {
            self.expect(Kw::To)?;
        }
        if self.eat(Kw::Default) {
            return Ok(set_stmt(VariableSetKind::SetDefault, &name, -1));
        }
        let location = self.loc();
        let args = self.list(Self::var_value)?;
        Ok(VariableSetStmt { args, ..set_stmt(VariableSetKind::SetValue, &name, location) })
    }

    fn var_name(&mut self) -> PgResult<String> {
        let mut name = self.col_id()?;
        while self.eat_tok(Tok::Dot) {
            name.push('.');
            name.push_str(&self.col_id()?);
        }
        Ok(name)
    }

    fn var_value(&mut self) -> PgResult<Expr> {
        let location = self.loc();
        if matches!(self.tok(), Tok::Plus | Tok::Minus | Tok::Iconst | Tok::Fconst) {
            let val = self.numeric_value()?;
            return Ok(Expr::AConst(Box::new(AConst { val, location })));
        }
        let value = self.boolean_or_string()?;
        Ok(string_const(&value, location))
    }

    /// zone_value; None for DEFAULT and LOCAL.
    fn zone_value(&mut self) -> PgResult<Option<Expr>> {
        let location = self.loc();
        match (self.tok(), self.kw()) {
            (_, Kw::Default | Kw::Local) => {
                self.bump();
                Ok(None)
            }
            (Tok::Sconst, _) => Ok(Some(string_const(&self.sconst()?, location))),
            (Tok::Ident, _) => Ok(Some(string_const(&self.ident()?, location))),
            (_, Kw::Interval) => self.zone_interval().map(Some),
            _ => {
                let val = self.numeric_value()?;
                Ok(Some(Expr::AConst(Box::new(AConst { val, location }))))
            }
        }
    }

    fn zone_interval(&mut self) -> PgResult<Expr> {
        let location = self.bump().start as i32;
        let mut t = TypeName::system("interval", location);
        if self.at_tok(Tok::LParen) {
            t.typmods = self.interval_precision()?;
        }
        let precise = !t.typmods.is_empty();
        let at = self.loc();
        let value = self.sconst()?;
        if !precise {
            let fields_at = self.loc();
            t.typmods = self.opt_interval()?;
            if let Some(Expr::AConst(c)) = t.typmods.first()
                && let Value::Integer(mask) = c.val
                && mask & !(interval::HOUR | interval::MINUTE) != 0
            {
                return Err(
                    PgError::syntax("time zone interval must be HOUR or HOUR TO MINUTE").at(fields_at)
                );
            }
        }
        let arg = string_const(&value, at);
        Ok(Expr::TypeCast(Box::new(TypeCast { arg, type_name: t, location: -1 })))
    }

    /// RESET, at the keyword.
    pub(in crate::parser) fn reset_stmt(&mut self) -> PgResult<VariableSetStmt> {
        self.bump();
        let name = match self.setting_name()? {
            Some(name) => name,
            None => return Ok(set_stmt(VariableSetKind::ResetAll, "", -1)),
        };
        Ok(set_stmt(VariableSetKind::Reset, &name, -1))
    }

    /// What RESET and SHOW name; None for ALL.
    fn setting_name(&mut self) -> PgResult<Option<String>> {
        let name = match (self.kw(), self.ahead(1).kw) {
            (Kw::All, _) => {
                self.bump();
                return Ok(None);
            }
            (Kw::Time, Kw::Zone) => {
                self.bump();
                self.bump();
                "timezone"
            }
            (Kw::Transaction, Kw::Isolation) => {
                self.expect_all(&[Kw::Transaction, Kw::Isolation, Kw::Level])?;
                "transaction_isolation"
            }
            (Kw::Session, Kw::Authorization) => {
                self.bump();
                self.bump();
                "session_authorization"
            }
            _ => return self.var_name().map(Some),
        };
        Ok(Some(name.to_string()))
    }

    pub(in crate::parser) fn generic_reset(&mut self) -> PgResult<VariableSetStmt> {
        if self.eat(Kw::All) {
            return Ok(set_stmt(VariableSetKind::ResetAll, "", -1));
        }
        let name = self.var_name()?;
        Ok(set_stmt(VariableSetKind::Reset, &name, -1))
    }

    /// SetResetClause of ALTER ROLE and ALTER DATABASE.
    pub(in crate::parser) fn set_reset_clause(&mut self) -> PgResult<VariableSetStmt> {
        if self.at(Kw::Reset) {
            return self.reset_stmt();
        }
        self.expect(Kw::Set)?;
        self.set_rest()
    }

    /// FunctionSetResetClause
    pub(in crate::parser) fn function_set_reset_clause(&mut self) -> PgResult<VariableSetStmt> {
        if self.at(Kw::Reset) {
            return self.reset_stmt();
        }
        self.expect(Kw::Set)?;
        self.set_rest_more()
    }

    pub(in crate::parser) fn show_stmt(&mut self) -> PgResult<VariableShowStmt> {
        self.bump();
        let name = self.setting_name()?.unwrap_or_else(|| "all".to_string());
        Ok(VariableShowStmt { name })
    }

    fn constraints_set(&mut self) -> PgResult<Statement> {
        self.bump();
        let constraints = if self.eat(Kw::All) { Vec::new() } else { self.qualified_name_list()? };
        let deferred = match self.eat_any(&[Kw::Deferred, Kw::Immediate]) {
            Some(kw) => kw == Kw::Deferred,
            None => return Err(self.unexpected()),
        };
        Ok(ConstraintsSetStmt { constraints, deferred }.into())
    }
}
