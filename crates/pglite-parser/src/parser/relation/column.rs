//! Column definitions and constraints of columns, tables and domains.

use pglite_error::{PgError, PgResult};

use crate::ast::*;
use crate::keyword::Kw;
use crate::lexer::Tok;
use crate::parser::Parser;

/// ConstraintAttributeSpec as bits, and where it starts.
#[derive(Default, Clone, Copy)]
pub(in crate::parser) struct Attributes {
    pub bits: u32,
    pub location: i32,
}

/// The attributes of a constraint.
pub(in crate::parser) mod cas {
    pub const NOT_DEFERRABLE: u32 = 1;
    pub const DEFERRABLE: u32 = 2;
    pub const INITIALLY_IMMEDIATE: u32 = 4;
    pub const INITIALLY_DEFERRED: u32 = 8;
    pub const NOT_VALID: u32 = 16;
    pub const NO_INHERIT: u32 = 32;
    pub const NOT_ENFORCED: u32 = 64;
    pub const ENFORCED: u32 = 128;
}

/// The attributes a kind of constraint can have.
const DEFERRING: u32 =
    cas::NOT_DEFERRABLE | cas::DEFERRABLE | cas::INITIALLY_IMMEDIATE | cas::INITIALLY_DEFERRED;
const ENFORCING: u32 = cas::NOT_ENFORCED | cas::ENFORCED;

impl Attributes {
    pub(in crate::parser) fn has(self, bits: u32) -> bool {
        self.bits & bits != 0
    }

    /// Raises an error if there is an attribute that the kind cannot have.
    pub(in crate::parser) fn check(self, kind: &str, allowed: u32) -> PgResult<()> {
        let marks = [
            (cas::DEFERRABLE | cas::INITIALLY_DEFERRED, "DEFERRABLE"),
            (cas::NOT_VALID, "NOT VALID"),
            (cas::NO_INHERIT, "NO INHERIT"),
            (cas::NOT_ENFORCED, "NOT ENFORCED"),
            (cas::ENFORCED, "ENFORCED"),
        ];
        for (bits, mark) in marks {
            if self.has(bits) && allowed & bits == 0 {
                let message = format!("{kind} constraints cannot be marked {mark}");
                return Err(PgError::unsupported(message).at(self.location));
            }
        }
        Ok(())
    }

    fn apply(self, c: &mut Constraint, kind: &str, allowed: u32) -> PgResult<()> {
        self.check(kind, allowed)?;
        c.deferrable = self.has(cas::DEFERRABLE | cas::INITIALLY_DEFERRED);
        c.initdeferred = self.has(cas::INITIALLY_DEFERRED);
        c.is_no_inherit = self.has(cas::NO_INHERIT);
        c.is_enforced = !self.has(cas::NOT_ENFORCED);
        c.skip_validation = allowed & cas::NOT_VALID != 0 && self.has(cas::NOT_VALID | cas::NOT_ENFORCED);
        c.initially_valid = !c.skip_validation;
        Ok(())
    }
}

impl Parser<'_> {
    /// columnDef
    pub(in crate::parser) fn column_def(&mut self) -> PgResult<ColumnDef> {
        let location = self.loc();
        let colname = self.col_id()?;
        let type_name = Some(self.typename()?);
        let mut col = ColumnDef { colname, type_name, location, ..ColumnDef::default() };
        if self.eat(Kw::Storage) {
            col.storage_name = Some(self.col_id_or_default()?);
        }
        if self.eat(Kw::Compression) {
            col.compression = Some(self.col_id_or_default()?);
        }
        col.fdwoptions = self.create_generic_options()?;
        self.col_qual_list(&mut col)?;
        Ok(col)
    }

    pub(in crate::parser) fn col_id_or_default(&mut self) -> PgResult<String> {
        if self.eat(Kw::Default) { Ok("default".to_string()) } else { self.col_id() }
    }

    /// ColQualList: constraints and COLLATE, in any order.
    pub(in crate::parser) fn col_qual_list(&mut self, col: &mut ColumnDef) -> PgResult<()> {
        let mut extra_collate = -1;
        loop {
            if self.at(Kw::Collate) {
                let clause = self.opt_collate_clause()?;
                if col.coll_clause.is_none() {
                    col.coll_clause = clause;
                } else if let (Some(c), true) = (clause, extra_collate < 0) {
                    extra_collate = c.location;
                }
                continue;
            }
            let location = self.loc();
            if self.eat(Kw::Constraint) {
                let name = self.name()?;
                let Some(mut c) = self.opt_col_constraint_elem()? else { return Err(self.unexpected()) };
                c.conname = Some(name);
                c.location = location;
                col.constraints.push(c);
                continue;
            }
            if let Some(c) = self.opt_constraint_attr()? {
                col.constraints.push(c);
            } else if let Some(c) = self.opt_col_constraint_elem()? {
                col.constraints.push(c);
            } else if extra_collate >= 0 {
                return Err(PgError::syntax("multiple COLLATE clauses not allowed").at(extra_collate));
            } else {
                return Ok(());
            }
        }
    }

    /// ConstraintAttr: an attribute of the constraint before it.
    fn opt_constraint_attr(&mut self) -> PgResult<Option<Constraint>> {
        let location = self.loc();
        let contype = match self.kw() {
            Kw::Deferrable => ConstrType::AttrDeferrable,
            Kw::Enforced => ConstrType::AttrEnforced,
            Kw::Initially => {
                self.bump();
                match self.kw() {
                    Kw::Deferred => ConstrType::AttrDeferred,
                    Kw::Immediate => ConstrType::AttrImmediate,
                    _ => return Err(self.unexpected()),
                }
            }
            Kw::Not if self.ahead(1).kw == Kw::Deferrable => {
                self.bump();
                ConstrType::AttrNotDeferrable
            }
            Kw::Not if self.ahead(1).kw == Kw::Enforced => {
                self.bump();
                ConstrType::AttrNotEnforced
            }
            _ => return Ok(None),
        };
        self.bump();
        Ok(Some(Constraint::new(contype, location)))
    }

    /// ColConstraintElem, if one starts here.
    fn opt_col_constraint_elem(&mut self) -> PgResult<Option<Constraint>> {
        let location = self.loc();
        let make = |contype| Constraint::new(contype, location);
        let c = match self.kw() {
            Kw::Not => {
                self.bump();
                self.expect(Kw::Null)?;
                Constraint { is_no_inherit: self.opt_no_inherit()?, ..make(ConstrType::NotNull) }
            }
            Kw::Null => {
                self.bump();
                make(ConstrType::Null)
            }
            Kw::Unique => {
                self.bump();
                let nulls_not_distinct = !self.opt_unique_null_treatment()?;
                let options = self.opt_definition()?;
                let indexspace = self.opt_cons_tablespace()?;
                Constraint { nulls_not_distinct, options, indexspace, ..make(ConstrType::Unique) }
            }
            Kw::Primary => {
                self.bump();
                self.expect(Kw::Key)?;
                let options = self.opt_definition()?;
                let indexspace = self.opt_cons_tablespace()?;
                Constraint { options, indexspace, ..make(ConstrType::Primary) }
            }
            Kw::Check => {
                self.bump();
                let raw_expr = Some(self.paren_expr_only()?);
                Constraint { raw_expr, is_no_inherit: self.opt_no_inherit()?, ..make(ConstrType::Check) }
            }
            Kw::Default => {
                self.bump();
                Constraint { raw_expr: Some(self.b_expr()?), ..make(ConstrType::Default) }
            }
            Kw::Generated => self.generated(make(ConstrType::Generated))?,
            Kw::References => {
                self.bump();
                let mut c = make(ConstrType::Foreign);
                c.pktable = Some(self.qualified_name()?);
                c.pk_attrs = self.opt_name_list()?;
                self.key_match(&mut c)?;
                self.key_actions(&mut c)?;
                c
            }
            _ => return Ok(None),
        };
        Ok(Some(c))
    }

    /// `( a_expr )`
    pub(in crate::parser) fn paren_expr_only(&mut self) -> PgResult<Expr> {
        self.lparen()?;
        let e = self.a_expr()?;
        self.rparen()?;
        Ok(e)
    }

    pub(in crate::parser) fn opt_no_inherit(&mut self) -> PgResult<bool> {
        self.eat_seq(&[Kw::No, Kw::Inherit])
    }

    /// NULLS [NOT] DISTINCT; whether nulls are distinct.
    pub(in crate::parser) fn opt_unique_null_treatment(&mut self) -> PgResult<bool> {
        if !self.eat(Kw::Nulls) {
            return Ok(true);
        }
        let not = self.eat(Kw::Not);
        self.expect(Kw::Distinct)?;
        Ok(!not)
    }

    fn opt_cons_tablespace(&mut self) -> PgResult<Option<String>> {
        if self.eat_seq(&[Kw::Using, Kw::Index, Kw::Tablespace])? { self.name().map(Some) } else { Ok(None) }
    }

    /// generated_when: 'a' or 'd'
    pub(in crate::parser) fn generated_when(&mut self) -> PgResult<char> {
        if self.eat(Kw::Always) {
            return Ok('a');
        }
        self.expect_all(&[Kw::By, Kw::Default])?;
        Ok('d')
    }

    fn generated(&mut self, mut c: Constraint) -> PgResult<Constraint> {
        self.bump();
        let when_at = self.loc();
        let when = self.generated_when()?;
        c.generated_when = Some(when);
        self.expect(Kw::As)?;
        if self.eat(Kw::Identity) {
            c.contype = ConstrType::Identity;
            c.options = self.opt_paren_seq_options()?;
            return Ok(c);
        }
        c.raw_expr = Some(self.paren_expr_only()?);
        let kind = match self.eat_any(&[Kw::Stored, Kw::Virtual]) {
            Some(Kw::Stored) => 's',
            _ => 'v',
        };
        c.generated_kind = Some(kind);
        if when != 'a' {
            let message = "for a generated column, GENERATED ALWAYS must be specified";
            return Err(PgError::syntax(message).at(when_at));
        }
        Ok(c)
    }

    fn key_match(&mut self, c: &mut Constraint) -> PgResult<()> {
        let location = self.loc();
        if !self.eat(Kw::Match) {
            return Ok(());
        }
        match self.eat_any(&[Kw::Full, Kw::Partial, Kw::Simple]) {
            Some(Kw::Full) => c.fk_matchtype = 'f',
            Some(Kw::Partial) => {
                return Err(PgError::unsupported("MATCH PARTIAL not yet implemented").at(location));
            }
            Some(_) => {}
            None => return Err(self.unexpected()),
        }
        Ok(())
    }

    /// ON UPDATE and ON DELETE, at most once each.
    fn key_actions(&mut self, c: &mut Constraint) -> PgResult<()> {
        let (mut update, mut delete) = (false, false);
        while self.at(Kw::On) && !(update && delete) {
            let location = self.loc();
            self.bump();
            if !update && self.eat(Kw::Update) {
                update = true;
                let (action, columns) = self.key_action()?;
                if !columns.is_empty() {
                    let name = if action == 'n' { "SET NULL" } else { "SET DEFAULT" };
                    let message =
                        format!("a column list with {name} is only supported for ON DELETE actions");
                    return Err(PgError::unsupported(message).at(location));
                }
                c.fk_upd_action = action;
            } else if !delete && self.eat(Kw::Delete) {
                delete = true;
                (c.fk_del_action, c.fk_del_set_cols) = self.key_action()?;
            } else {
                return Err(self.unexpected());
            }
        }
        Ok(())
    }

    fn key_action(&mut self) -> PgResult<(char, Vec<String>)> {
        match self.eat_any(&[Kw::No, Kw::Restrict, Kw::Cascade, Kw::Set]) {
            Some(Kw::No) => self.expect(Kw::Action).map(|()| ('a', Vec::new())),
            Some(Kw::Restrict) => Ok(('r', Vec::new())),
            Some(Kw::Cascade) => Ok(('c', Vec::new())),
            Some(_) => match self.eat_any(&[Kw::Null, Kw::Default]) {
                Some(kw) => Ok((if kw == Kw::Null { 'n' } else { 'd' }, self.opt_name_list()?)),
                None => Err(self.unexpected()),
            },
            None => Err(self.unexpected()),
        }
    }

    /// ConstraintAttributeSpec
    pub(in crate::parser) fn constraint_attributes(&mut self) -> PgResult<Attributes> {
        let mut attributes = Attributes { bits: 0, location: -1 };
        loop {
            let location = self.loc();
            let bit = match self.kw() {
                Kw::Not => {
                    self.bump();
                    match self.kw() {
                        Kw::Deferrable => cas::NOT_DEFERRABLE,
                        Kw::Valid => cas::NOT_VALID,
                        Kw::Enforced => cas::NOT_ENFORCED,
                        _ => return Err(self.unexpected()),
                    }
                }
                Kw::Deferrable => cas::DEFERRABLE,
                Kw::Enforced => cas::ENFORCED,
                Kw::Initially => {
                    self.bump();
                    match self.kw() {
                        Kw::Immediate => cas::INITIALLY_IMMEDIATE,
                        Kw::Deferred => cas::INITIALLY_DEFERRED,
                        _ => return Err(self.unexpected()),
                    }
                }
                Kw::No => {
                    self.bump();
                    if !self.at(Kw::Inherit) {
                        return Err(self.unexpected());
                    }
                    cas::NO_INHERIT
                }
                _ => return Ok(attributes),
            };
            self.bump();
            attributes.bits |= bit;
            if attributes.location < 0 {
                attributes.location = location;
            }
            let both = |a: u32, b: u32| attributes.has(a) && attributes.has(b);
            if both(cas::NOT_DEFERRABLE, cas::INITIALLY_DEFERRED) {
                let message = "constraint declared INITIALLY DEFERRED must be DEFERRABLE";
                return Err(PgError::syntax(message).at(location));
            }
            if both(cas::NOT_DEFERRABLE, cas::DEFERRABLE)
                || both(cas::INITIALLY_IMMEDIATE, cas::INITIALLY_DEFERRED)
                || both(cas::NOT_ENFORCED, cas::ENFORCED)
            {
                return Err(PgError::syntax("conflicting constraint properties").at(location));
            }
        }
    }

    pub(in crate::parser) fn is_table_constraint(&self) -> bool {
        match self.kw() {
            Kw::Constraint | Kw::Check | Kw::Unique | Kw::Primary | Kw::Foreign | Kw::Not => true,
            // EXCLUDE may also be a column's name.
            Kw::Exclude => self.ahead(1).kw == Kw::Using || self.ahead(1).tok == Tok::LParen,
            _ => false,
        }
    }

    /// TableConstraint
    pub(in crate::parser) fn table_constraint(&mut self) -> PgResult<Constraint> {
        let location = self.loc();
        if !self.eat(Kw::Constraint) {
            return self.constraint_elem();
        }
        let name = self.name()?;
        let mut c = self.constraint_elem()?;
        c.conname = Some(name);
        c.location = location;
        Ok(c)
    }

    fn constraint_elem(&mut self) -> PgResult<Constraint> {
        let location = self.loc();
        let kw = self.kw();
        if !matches!(kw, Kw::Check | Kw::Unique | Kw::Primary | Kw::Foreign | Kw::Not | Kw::Exclude) {
            return Err(self.unexpected());
        }
        self.bump();
        let mut c = Constraint::new(ConstrType::Check, location);
        match kw {
            Kw::Check => {
                c.raw_expr = Some(self.paren_expr_only()?);
                let attributes = self.constraint_attributes()?;
                attributes.apply(&mut c, "CHECK", ENFORCING | cas::NOT_VALID | cas::NO_INHERIT)?;
            }
            Kw::Not => {
                c.contype = ConstrType::NotNull;
                self.expect(Kw::Null)?;
                c.keys = vec![self.col_id()?];
                let attributes = self.constraint_attributes()?;
                attributes.apply(&mut c, "NOT NULL", cas::NOT_VALID | cas::NO_INHERIT)?;
            }
            Kw::Unique => {
                c.contype = ConstrType::Unique;
                if self.at(Kw::Using) {
                    c.indexname = Some(self.existing_index()?);
                } else {
                    c.nulls_not_distinct = !self.opt_unique_null_treatment()?;
                    self.key_columns(&mut c)?;
                }
                self.constraint_attributes()?.apply(&mut c, "UNIQUE", DEFERRING)?;
            }
            Kw::Primary => {
                c.contype = ConstrType::Primary;
                self.expect(Kw::Key)?;
                if self.at(Kw::Using) {
                    c.indexname = Some(self.existing_index()?);
                } else {
                    self.key_columns(&mut c)?;
                }
                self.constraint_attributes()?.apply(&mut c, "PRIMARY KEY", DEFERRING)?;
            }
            Kw::Exclude => {
                c.contype = ConstrType::Exclusion;
                self.exclusion(&mut c)?;
                self.constraint_attributes()?.apply(&mut c, "EXCLUDE", DEFERRING)?;
            }
            _ => {
                c.contype = ConstrType::Foreign;
                self.foreign_key(&mut c)?;
                let attributes = self.constraint_attributes()?;
                attributes.apply(&mut c, "FOREIGN KEY", DEFERRING | ENFORCING | cas::NOT_VALID)?;
            }
        }
        Ok(c)
    }

    fn existing_index(&mut self) -> PgResult<String> {
        self.expect_all(&[Kw::Using, Kw::Index])?;
        self.name()
    }

    /// The columns of UNIQUE and PRIMARY KEY with what follows them.
    fn key_columns(&mut self, c: &mut Constraint) -> PgResult<()> {
        self.lparen()?;
        c.keys = self.name_list()?;
        c.without_overlaps = self.eat_seq(&[Kw::Without, Kw::Overlaps])?;
        self.rparen()?;
        self.index_clauses(c)
    }

    /// INCLUDE, WITH, USING INDEX TABLESPACE
    fn index_clauses(&mut self, c: &mut Constraint) -> PgResult<()> {
        if self.eat(Kw::Include) {
            c.including = self.paren_name_list()?;
        }
        c.options = self.opt_definition()?;
        c.indexspace = self.opt_cons_tablespace()?;
        Ok(())
    }

    fn exclusion(&mut self, c: &mut Constraint) -> PgResult<()> {
        c.access_method = Some(if self.eat(Kw::Using) { self.name()? } else { "btree".to_string() });
        c.exclusions = self.paren_list(|p| {
            let elem = p.index_elem()?;
            p.expect(Kw::With)?;
            let operator = if p.at(Kw::Operator) && p.ahead(1).tok == Tok::LParen {
                p.bump();
                p.operator_in_parens()?
            } else {
                p.any_operator()?
            };
            Ok((elem, operator))
        })?;
        self.index_clauses(c)?;
        if self.eat(Kw::Where) {
            c.where_clause = Some(self.paren_expr_only()?);
        }
        Ok(())
    }

    fn foreign_key(&mut self, c: &mut Constraint) -> PgResult<()> {
        self.expect(Kw::Key)?;
        (c.fk_attrs, c.fk_with_period) = self.period_columns()?;
        self.expect(Kw::References)?;
        c.pktable = Some(self.qualified_name()?);
        if self.at_tok(Tok::LParen) {
            (c.pk_attrs, c.pk_with_period) = self.period_columns()?;
        }
        self.key_match(c)?;
        self.key_actions(c)
    }

    /// `(columns [, PERIOD column])`
    fn period_columns(&mut self) -> PgResult<(Vec<String>, bool)> {
        self.lparen()?;
        let mut columns = vec![self.col_id()?];
        let mut period = false;
        while !period && self.eat_tok(Tok::Comma) {
            // PERIOD may also be a column's name.
            period = self.at(Kw::Period) && self.is_col_id(1);
            if period {
                self.bump();
            }
            columns.push(self.col_id()?);
        }
        self.rparen()?;
        Ok((columns, period))
    }

    /// DomainConstraint of ALTER DOMAIN
    pub(in crate::parser) fn domain_constraint(&mut self) -> PgResult<Constraint> {
        let location = self.loc();
        let name = if self.eat(Kw::Constraint) { Some(self.name()?) } else { None };
        let elem_at = self.loc();
        let mut c = match self.eat_any(&[Kw::Check, Kw::Not]) {
            Some(Kw::Check) => {
                let mut c = Constraint::new(ConstrType::Check, elem_at);
                c.raw_expr = Some(self.paren_expr_only()?);
                self.constraint_attributes()?.apply(&mut c, "CHECK", cas::NOT_VALID | cas::NO_INHERIT)?;
                c
            }
            Some(_) => {
                let mut c = Constraint::new(ConstrType::NotNull, elem_at);
                self.expect(Kw::Null)?;
                c.keys = vec!["value".to_string()];
                self.constraint_attributes()?.apply(&mut c, "NOT NULL", 0)?;
                c
            }
            None => return Err(self.unexpected()),
        };
        if name.is_some() {
            c.conname = name;
            c.location = location;
        }
        Ok(c)
    }
}
