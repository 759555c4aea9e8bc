//! Row security policies.

use pglite_error::{PgError, PgResult};

use crate::ast::*;
use crate::keyword::Kw;
use crate::parser::Parser;

impl Parser<'_> {
    /// CREATE POLICY, at POLICY.
    pub(in crate::parser) fn create_policy_stmt(&mut self) -> PgResult<CreatePolicyStmt> {
        self.bump();
        let policy_name = self.name()?;
        self.expect(Kw::On)?;
        let table = self.qualified_name()?;
        let mut permissive = true;
        if self.eat(Kw::As) {
            let location = self.loc();
            let word = self.ident()?;
            permissive = match word.as_str() {
                "permissive" => true,
                "restrictive" => false,
                _ => {
                    return Err(PgError::syntax(format!("unrecognized row security option \"{word}\""))
                        .hint("Only PERMISSIVE or RESTRICTIVE policies are supported currently.")
                        .at(location));
                }
            };
        }
        let mut cmd_name = "all".to_string();
        if self.eat(Kw::For) {
            cmd_name = match self.eat_any(&[Kw::All, Kw::Select, Kw::Insert, Kw::Update, Kw::Delete]) {
                Some(kw) => kw.word().to_string(),
                None => return Err(self.unexpected()),
            };
        }
        let roles = if self.eat(Kw::To) {
            self.role_list()?
        } else {
            vec![RoleSpec { roletype: RoleSpecType::Public, rolename: None, location: -1 }]
        };
        let (qual, with_check) = self.policy_exprs()?;
        Ok(CreatePolicyStmt { policy_name, table, cmd_name, permissive, roles, qual, with_check })
    }

    /// USING (...) and WITH CHECK (...)
    fn policy_exprs(&mut self) -> PgResult<(Option<Expr>, Option<Expr>)> {
        let qual = if self.eat(Kw::Using) { Some(self.paren_expr_only()?) } else { None };
        let with_check =
            if self.eat_seq(&[Kw::With, Kw::Check])? { Some(self.paren_expr_only()?) } else { None };
        Ok((qual, with_check))
    }

    /// ALTER POLICY, at POLICY.
    pub(in crate::parser) fn alter_policy(&mut self) -> PgResult<Statement> {
        self.bump();
        let missing_ok = self.opt_if_exists()?;
        let policy_name = self.name()?;
        self.expect(Kw::On)?;
        let table = self.qualified_name()?;
        if missing_ok || self.at(Kw::Rename) {
            return self.rename_on_table(ObjectType::Policy, policy_name, table, missing_ok);
        }
        let roles = if self.eat(Kw::To) { self.role_list()? } else { Vec::new() };
        let (qual, with_check) = self.policy_exprs()?;
        Ok(AlterPolicyStmt { policy_name, table, roles, qual, with_check }.into())
    }
}
