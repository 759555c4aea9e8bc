//! Names: qualified names, name lists, indirection, operators, roles.

use pglite_error::{PgError, PgResult, codes};

use crate::ast::*;
use crate::keyword::Kw;
use crate::lexer::Tok;
use crate::parser::Parser;

/// The words of a role specification: its three special forms.
fn role_keyword(kw: Kw) -> Option<RoleSpecType> {
    match kw {
        Kw::CurrentRole => Some(RoleSpecType::CurrentRole),
        Kw::CurrentUser => Some(RoleSpecType::CurrentUser),
        Kw::SessionUser => Some(RoleSpecType::SessionUser),
        _ => None,
    }
}

impl Parser<'_> {
    /// `name: ColId`
    pub(in crate::parser) fn name(&mut self) -> PgResult<String> {
        self.col_id()
    }

    pub(in crate::parser) fn name_list(&mut self) -> PgResult<Vec<String>> {
        self.list(Self::col_id)
    }

    /// `(name, ...)` if present. Also columnList.
    pub(in crate::parser) fn opt_name_list(&mut self) -> PgResult<Vec<String>> {
        self.opt_paren_list(Self::col_id)
    }

    pub(in crate::parser) fn paren_name_list(&mut self) -> PgResult<Vec<String>> {
        self.paren_list(Self::col_id)
    }

    /// `attrs`: any number of `.label`.
    pub(in crate::parser) fn attrs(&mut self, mut names: Vec<String>) -> PgResult<Vec<String>> {
        while self.eat_tok(Tok::Dot) {
            names.push(self.col_label()?);
        }
        Ok(names)
    }

    /// A possibly qualified name of anything.
    pub(in crate::parser) fn any_name(&mut self) -> PgResult<Vec<String>> {
        let first = self.col_id()?;
        self.attrs(vec![first])
    }

    pub(in crate::parser) fn any_name_list(&mut self) -> PgResult<Vec<Vec<String>>> {
        self.list(Self::any_name)
    }

    /// handler_name: `name` or `name attrs`, which is the same language.
    pub(in crate::parser) fn handler_name(&mut self) -> PgResult<Vec<String>> {
        self.any_name()
    }

    /// A relation's name.
    pub(in crate::parser) fn qualified_name(&mut self) -> PgResult<RangeVar> {
        let location = self.loc();
        let first = self.col_id()?;
        if !matches!(self.tok(), Tok::Dot | Tok::LBracket) {
            return Ok(RangeVar::new(first, location));
        }
        let names = self.name_indirection(vec![first])?;
        self.range_var_from_names(names, location)
    }

    /// An indirection that must consist of names only.
    pub(in crate::parser) fn name_indirection(&mut self, mut names: Vec<String>) -> PgResult<Vec<String>> {
        let mut clean = true;
        for step in self.indirection()? {
            match step {
                Indirection::Name(name) => names.push(name),
                _ => clean = false,
            }
        }
        if clean { Ok(names) } else { Err(self.unexpected()) }
    }

    pub(in crate::parser) fn range_var_from_names(
        &self,
        mut names: Vec<String>,
        location: i32,
    ) -> PgResult<RangeVar> {
        if names.len() > 3 {
            return Err(PgError::syntax(format!(
                "improper qualified name (too many dotted names): {}",
                names.join(".")
            ))
            .at(location));
        }
        let mut rv = RangeVar::new(names.pop().unwrap_or_default(), location);
        rv.schemaname = names.pop();
        rv.catalogname = names.pop();
        Ok(rv)
    }

    pub(in crate::parser) fn qualified_name_list(&mut self) -> PgResult<Vec<RangeVar>> {
        self.list(Self::qualified_name)
    }

    /// Any number of `.name`, `.*`, `[subscript]`.
    pub(in crate::parser) fn indirection(&mut self) -> PgResult<Vec<Indirection>> {
        let mut steps = Vec::new();
        loop {
            match self.tok() {
                Tok::Dot => {
                    self.bump();
                    steps.push(if self.eat_tok(Tok::Star) {
                        Indirection::Star
                    } else {
                        Indirection::Name(self.col_label()?)
                    });
                }
                Tok::LBracket => {
                    self.bump();
                    steps.push(Indirection::Indices(Box::new(self.subscript()?)));
                }
                _ => return Ok(steps),
            }
        }
    }

    fn subscript(&mut self) -> PgResult<AIndices> {
        let lidx = if self.at_tok(Tok::Colon) { None } else { Some(self.a_expr()?) };
        if lidx.is_some() && self.eat_tok(Tok::RBracket) {
            return Ok(AIndices { is_slice: false, lidx: None, uidx: lidx });
        }
        self.expect_tok(Tok::Colon)?;
        let uidx = if self.at_tok(Tok::RBracket) { None } else { Some(self.a_expr()?) };
        self.expect_tok(Tok::RBracket)?;
        Ok(AIndices { is_slice: true, lidx, uidx })
    }

    /// An indirection where `*` may only be the last step.
    pub(in crate::parser) fn checked_indirection(&mut self) -> PgResult<Vec<Indirection>> {
        let steps = self.indirection()?;
        let star = steps.iter().position(|s| *s == Indirection::Star);
        match star {
            Some(i) if i + 1 < steps.len() => Err(self.error_here("improper use of \"*\"")),
            _ => Ok(steps),
        }
    }

    /// func_name: a function's possibly qualified name.
    pub(in crate::parser) fn func_name(&mut self) -> PgResult<Vec<String>> {
        if self.is_col_id(0) && matches!(self.ahead(1).tok, Tok::Dot | Tok::LBracket) {
            let first = self.col_id()?;
            return self.name_indirection(vec![first]);
        }
        if !self.is_type_function_name(0) && self.is_col_id(0) {
            // A word like "coalesce" would need a qualification.
            self.bump();
            return Err(self.unexpected());
        }
        Ok(vec![self.type_function_name()?])
    }

    /// The operator token here, if it is one of `all_Op`.
    pub(in crate::parser) fn peek_all_op(&self) -> Option<&'static str> {
        Some(match self.tok() {
            Tok::Op => "",
            Tok::Plus => "+",
            Tok::Minus => "-",
            Tok::Star => "*",
            Tok::Slash => "/",
            Tok::Percent => "%",
            Tok::Caret => "^",
            Tok::Less => "<",
            Tok::Greater => ">",
            Tok::Equals => "=",
            Tok::LessEquals => "<=",
            Tok::GreaterEquals => ">=",
            Tok::NotEquals => "<>",
            _ => return None,
        })
    }

    /// Takes an `all_Op`.
    pub(in crate::parser) fn all_op(&mut self) -> PgResult<String> {
        match self.peek_all_op() {
            None => Err(self.unexpected()),
            Some(op) => {
                let token = self.bump();
                Ok(if op.is_empty() { self.text(token).to_string() } else { op.to_string() })
            }
        }
    }

    /// any_operator: an operator, perhaps qualified.
    pub(in crate::parser) fn any_operator(&mut self) -> PgResult<Vec<String>> {
        let mut names = Vec::new();
        while self.is_col_id(0) {
            names.push(self.col_id()?);
            self.expect_tok(Tok::Dot)?;
        }
        names.push(self.all_op()?);
        Ok(names)
    }

    /// `OPERATOR(...)`, after the keyword.
    pub(in crate::parser) fn operator_in_parens(&mut self) -> PgResult<Vec<String>> {
        self.lparen()?;
        let names = self.any_operator()?;
        self.rparen()?;
        Ok(names)
    }

    /// qual_all_Op
    pub(in crate::parser) fn qual_all_op(&mut self) -> PgResult<Vec<String>> {
        if self.eat(Kw::Operator) { self.operator_in_parens() } else { Ok(vec![self.all_op()?]) }
    }

    pub(in crate::parser) fn role_spec(&mut self) -> PgResult<RoleSpec> {
        let location = self.loc();
        if let Some(roletype) = role_keyword(self.kw()) {
            self.bump();
            return Ok(RoleSpec { roletype, rolename: None, location });
        }
        let name = self.non_reserved_word()?;
        match name.as_str() {
            "public" => Ok(RoleSpec { roletype: RoleSpecType::Public, rolename: None, location }),
            "none" => Err(PgError::new(codes::RESERVED_NAME, "role name \"none\" is reserved").at(location)),
            _ => Ok(RoleSpec { roletype: RoleSpecType::CString, rolename: Some(name), location }),
        }
    }

    pub(in crate::parser) fn role_list(&mut self) -> PgResult<Vec<RoleSpec>> {
        self.list(Self::role_spec)
    }

    /// RoleId: a role that must be given by name.
    pub(in crate::parser) fn role_id(&mut self) -> PgResult<String> {
        let role = self.role_spec()?;
        let message = match role.roletype {
            RoleSpecType::CString => return Ok(role.rolename.unwrap_or_default()),
            RoleSpecType::Public => "role name \"public\" is reserved",
            RoleSpecType::SessionUser => "SESSION_USER cannot be used as a role name here",
            RoleSpecType::CurrentUser => "CURRENT_USER cannot be used as a role name here",
            RoleSpecType::CurrentRole => "CURRENT_ROLE cannot be used as a role name here",
        };
        Err(PgError::new(codes::RESERVED_NAME, message).at(role.location))
    }

    /// `IF EXISTS` if present.
    pub(in crate::parser) fn opt_if_exists(&mut self) -> PgResult<bool> {
        if self.at_all(&[Kw::If, Kw::Exists]) {
            self.bump();
            self.bump();
            return Ok(true);
        }
        Ok(false)
    }

    /// `IF NOT EXISTS` if present.
    pub(in crate::parser) fn opt_if_not_exists(&mut self) -> PgResult<bool> {
        if self.at_all(&[Kw::If, Kw::Not]) {
            self.bump();
            self.bump();
            self.expect(Kw::Exists)?;
            return Ok(true);
        }
        Ok(false)
    }

    pub(in crate::parser) fn opt_drop_behavior(&mut self) -> DropBehavior {
        if self.eat(Kw::Cascade) {
            return DropBehavior::Cascade;
        }
        self.eat(Kw::Restrict);
        DropBehavior::Restrict
    }
}
