//! Operators: `a_expr` and `b_expr`, by precedence climbing.
//!
//! Invariant: an operator that does not associate raises a syntax error at its second occurrence, but only if
//! the first one ended in an operand (`a < b < c`; not `a IN (1) IN (2)`).

mod func;
mod json;
pub(in crate::parser) mod primary;
mod sub_func;
mod window;
mod xml;

use pglite_error::{PgError, PgResult};

use crate::ast::*;
use crate::keyword::Kw;
use crate::lexer::Tok;
use crate::parser::Parser;

/// Binding powers, loosest first.
mod prec {
    pub const ANY: u8 = 0;
    pub const OR: u8 = 1;
    pub const AND: u8 = 2;
    pub const NOT: u8 = 3;
    pub const IS: u8 = 4;
    pub const COMPARE: u8 = 5;
    /// BETWEEN, IN, LIKE, ILIKE, SIMILAR
    pub const MATCH: u8 = 6;
    pub const OP: u8 = 8;
    pub const ADD: u8 = 9;
    pub const MULTIPLY: u8 = 10;
    pub const POWER: u8 = 11;
    pub const AT: u8 = 12;
    pub const COLLATE: u8 = 13;
    pub const UNARY: u8 = 14;
    pub const TYPECAST: u8 = 16;
}

/// Which operators may occur.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::parser) enum Mode {
    /// a_expr
    A,
    /// a_expr of a target list, where an operator's keyword may turn out to be the column's label
    Target,
    /// a_expr before `SIMILAR pattern ESCAPE ...` in SUBSTRING
    Substring,
    /// b_expr
    B,
}

pub(in crate::parser) fn system_name(name: &str) -> Vec<String> {
    vec!["pg_catalog".to_string(), name.to_string()]
}

pub(in crate::parser) fn sql_call(name: &str, args: Vec<Expr>, location: i32) -> Expr {
    Expr::FuncCall(Box::new(FuncCall {
        funcname: system_name(name),
        args,
        funcformat: CoercionForm::SqlSyntax,
        location,
        ..FuncCall::default()
    }))
}

pub(in crate::parser) fn string_const(value: &str, location: i32) -> Expr {
    Expr::AConst(Box::new(AConst { val: Value::String(value.to_string()), location }))
}

fn simple(kind: AExprKind, name: &str, lexpr: Option<Expr>, rexpr: AExprRight, location: i32) -> Expr {
    Expr::AExpr(Box::new(AExpr { kind, name: vec![name.to_string()], lexpr, rexpr, location }))
}

fn not_expr(arg: Expr, location: i32) -> Expr {
    Expr::BoolExpr(Box::new(BoolExpr { boolop: BoolExprType::Not, args: vec![arg], location }))
}

/// Appends to an AND or OR whose left side is one already, as PostgreSQL flattens them.
fn bool_expr(boolop: BoolExprType, left: Expr, right: Expr, location: i32) -> Expr {
    match left {
        Expr::BoolExpr(mut b) if b.boolop == boolop => {
            b.args.push(right);
            Expr::BoolExpr(b)
        }
        left => Expr::BoolExpr(Box::new(BoolExpr { boolop, args: vec![left, right], location })),
    }
}

/// Unary minus, folded into numeric constants.
fn negate(arg: Expr, location: i32) -> Expr {
    match arg {
        Expr::AConst(mut c) if matches!(c.val, Value::Integer(_) | Value::Float(_)) => {
            c.location = location;
            c.val = match c.val {
                Value::Integer(i) => Value::Integer(i.wrapping_neg()),
                Value::Float(f) => Value::Float(negate_float(f)),
                other => other,
            };
            Expr::AConst(c)
        }
        arg => simple(AExprKind::Op, "-", None, AExprRight::Expr(arg), location),
    }
}

pub(in crate::parser) fn negate_float(f: String) -> String {
    let digits = f.strip_prefix('+').unwrap_or(&f);
    match digits.strip_prefix('-') {
        Some(positive) => positive.to_string(),
        None => format!("-{digits}"),
    }
}

/// Whether a keyword can stand right after a complete target list element.
fn ends_target(tok: Tok, kw: Kw) -> bool {
    matches!(tok, Tok::Eof | Tok::Semicolon | Tok::Comma | Tok::RParen)
        || matches!(
            kw,
            Kw::From
                | Kw::Into
                | Kw::Where
                | Kw::Group
                | Kw::Having
                | Kw::Window
                | Kw::Union
                | Kw::Intersect
                | Kw::Except
                | Kw::Order
                | Kw::Limit
                | Kw::Offset
                | Kw::Fetch
                | Kw::For
                | Kw::On
                | Kw::Returning
                | Kw::With
        )
}

impl Parser<'_> {
    pub(in crate::parser) fn a_expr(&mut self) -> PgResult<Expr> {
        self.expr(Mode::A, prec::ANY)
    }

    pub(in crate::parser) fn b_expr(&mut self) -> PgResult<Expr> {
        self.expr(Mode::B, prec::ANY)
    }

    pub(in crate::parser) fn target_expr(&mut self) -> PgResult<Expr> {
        self.expr(Mode::Target, prec::ANY)
    }

    pub(in crate::parser) fn substring_expr(&mut self) -> PgResult<Expr> {
        self.expr(Mode::Substring, prec::ANY)
    }

    pub(in crate::parser) fn expr_list(&mut self) -> PgResult<Vec<Expr>> {
        self.list(Self::a_expr)
    }

    /// An expression of operators that bind at least as tightly as `min`.
    fn expr(&mut self, mode: Mode, min: u8) -> PgResult<Expr> {
        self.check_stack()?;
        let outer = self.begin_height();
        let start = self.loc();
        let left = self.operand(mode)?;
        self.add_level()?;
        let e = self.climb(mode, min, left, start)?;
        self.end_height(outer);
        Ok(e)
    }

    /// Goes on from a first operand that is already parsed.
    pub(in crate::parser) fn continue_expr(&mut self, left: Expr, start: i32) -> PgResult<Expr> {
        self.bare_primary = true;
        self.climb(Mode::A, prec::ANY, left, start)
    }

    /// An operand: a c_expr with its prefix operators.
    fn operand(&mut self, mode: Mode) -> PgResult<Expr> {
        match self.tok() {
            Tok::Minus => {
                let location = self.bump().start as i32;
                let arg = self.expr(mode_of_operand(mode), prec::UNARY)?;
                self.bare_primary = false;
                return Ok(negate(arg, location));
            }
            Tok::Plus | Tok::Op => return self.prefix_operator(mode),
            Tok::Keyword => match self.kw() {
                Kw::Operator if self.ahead(1).tok == Tok::LParen => return self.prefix_operator(mode),
                Kw::Not | Kw::NotLa if mode != Mode::B => {
                    let location = self.bump().start as i32;
                    let arg = self.expr(mode_of_operand(mode), prec::NOT)?;
                    self.bare_primary = false;
                    return Ok(not_expr(arg, location));
                }
                Kw::Default if mode != Mode::B => {
                    let location = self.bump().start as i32;
                    self.bare_primary = false;
                    return Ok(Expr::SetToDefault(Box::new(SetToDefault { location })));
                }
                Kw::Unique if mode != Mode::B => return Err(self.unique_predicate()?),
                _ => {}
            },
            _ => {}
        }
        let e = self.c_expr_or_overlaps(mode != Mode::B)?;
        Ok(e)
    }

    fn unique_predicate(&mut self) -> PgResult<PgError> {
        let location = self.bump().start as i32;
        self.opt_unique_null_treatment()?;
        self.select_with_parens()?;
        Ok(PgError::unsupported("UNIQUE predicate is not yet implemented").at(location))
    }

    fn prefix_operator(&mut self, mode: Mode) -> PgResult<Expr> {
        let token = self.bump();
        let location = token.start as i32;
        let (name, min) = match token.tok {
            Tok::Plus => (vec!["+".to_string()], prec::UNARY),
            Tok::Op => (vec![self.text(token).to_string()], prec::OP + 1),
            _ => (self.operator_in_parens()?, prec::OP + 1),
        };
        let arg = self.expr(mode_of_operand(mode), min)?;
        self.bare_primary = false;
        let rexpr = AExprRight::Expr(arg);
        Ok(Expr::AExpr(Box::new(AExpr { kind: AExprKind::Op, name, lexpr: None, rexpr, location })))
    }

    /// The binding power of the infix or postfix operator here; 0 if there is none.
    #[inline]
    fn infix_power(&self, mode: Mode) -> u8 {
        match self.tok() {
            Tok::Keyword => self.keyword_power(mode),
            Tok::Equals
            | Tok::Less
            | Tok::Greater
            | Tok::LessEquals
            | Tok::GreaterEquals
            | Tok::NotEquals => prec::COMPARE,
            Tok::Plus | Tok::Minus => prec::ADD,
            Tok::Star | Tok::Slash | Tok::Percent => prec::MULTIPLY,
            Tok::Op => prec::OP,
            Tok::Typecast => prec::TYPECAST,
            Tok::Caret => prec::POWER,
            _ => 0,
        }
    }

    fn keyword_power(&self, mode: Mode) -> u8 {
        let kw = self.kw();
        if mode == Mode::B {
            return match kw {
                Kw::Is => prec::IS,
                Kw::Operator => prec::OP,
                _ => 0,
            };
        }
        match kw {
            Kw::And => prec::AND,
            Kw::Or => prec::OR,
            Kw::Is | Kw::Isnull | Kw::Notnull => prec::IS,
            Kw::Between | Kw::In | Kw::Like | Kw::Ilike | Kw::Similar | Kw::NotLa => prec::MATCH,
            Kw::At => prec::AT,
            Kw::Collate => prec::COLLATE,
            Kw::Operator => prec::OP,
            _ => 0,
        }
    }

    /// Whether the operator here is none: a keyword that is the label of the target, or SUBSTRING's SIMILAR.
    fn ends_early(&self, mode: Mode) -> bool {
        let next = self.ahead(1);
        match mode {
            Mode::Substring => self.at(Kw::Similar) && next.kw != Kw::To,
            _ => self.at_tok(Tok::Keyword) && self.kw().is_bare_label() && ends_target(next.tok, next.kw),
        }
    }

    fn climb(&mut self, mode: Mode, min: u8, mut left: Expr, start: i32) -> PgResult<Expr> {
        // The level of the operator that made `left`, if it must not meet another of its level.
        let mut closed = 0;
        loop {
            let power = self.infix_power(mode);
            if power == 0 || power < min {
                return Ok(left);
            }
            if power == closed {
                return Err(self.unexpected());
            }
            if matches!(mode, Mode::Target | Mode::Substring) && self.ends_early(mode) {
                return Ok(left);
            }
            closed = 0;
            let inner = mode_of_operand(mode);
            left = match power {
                prec::TYPECAST => {
                    let location = self.bump().start as i32;
                    let type_name = self.typename()?;
                    Expr::TypeCast(Box::new(TypeCast { arg: left, type_name, location }))
                }
                prec::AND | prec::OR => {
                    let boolop = if power == prec::AND { BoolExprType::And } else { BoolExprType::Or };
                    let flat = matches!(&left, Expr::BoolExpr(b) if b.boolop == boolop);
                    let location = self.bump().start as i32;
                    let right = self.expr(inner, power + 1)?;
                    left = bool_expr(boolop, left, right, location);
                    self.bare_primary = false;
                    if !flat {
                        self.add_level()?;
                    }
                    continue;
                }
                prec::IS => self.is_test(inner, left, start, &mut closed)?,
                prec::MATCH => self.match_operator(inner, left, &mut closed)?,
                prec::AT => self.at_time_zone(left)?,
                prec::COLLATE => {
                    let location = self.bump().start as i32;
                    let collname = self.any_name()?;
                    Expr::CollateClause(Box::new(CollateClause { arg: Some(left), collname, location }))
                }
                _ => self.binary(inner, left, power, &mut closed)?,
            };
            self.bare_primary = false;
            self.add_level()?;
        }
    }

    /// An operator that is a symbol, with its right operand or with ANY, SOME, ALL.
    fn binary(&mut self, mode: Mode, left: Expr, power: u8, closed: &mut u8) -> PgResult<Expr> {
        let location = self.loc();
        let name = if self.eat(Kw::Operator) { self.operator_in_parens()? } else { vec![self.all_op()?] };
        if mode != Mode::B && matches!(self.kw(), Kw::Any | Kw::Some | Kw::All) {
            return self.sub_type(left, name, location);
        }
        let right = self.expr(mode, power + 1)?;
        if power == prec::COMPARE {
            *closed = power;
        }
        let rexpr = AExprRight::Expr(right);
        Ok(Expr::AExpr(Box::new(AExpr { kind: AExprKind::Op, name, lexpr: Some(left), rexpr, location })))
    }

    /// `op ANY (...)`: a subselect or an array.
    fn sub_type(&mut self, left: Expr, name: Vec<String>, location: i32) -> PgResult<Expr> {
        let all = self.bump().kw == Kw::All;
        match self.paren(false)? {
            crate::parser::expr::primary::Paren::Select(subselect) => Ok(Expr::SubLink(Box::new(SubLink {
                sub_link_type: if all { SubLinkType::All } else { SubLinkType::Any },
                testexpr: Some(left),
                oper_name: name,
                subselect,
                location,
            }))),
            crate::parser::expr::primary::Paren::One(e) => Ok(Expr::AExpr(Box::new(AExpr {
                kind: if all { AExprKind::OpAll } else { AExprKind::OpAny },
                name,
                lexpr: Some(left),
                rexpr: AExprRight::Expr(e),
                location,
            }))),
            crate::parser::expr::primary::Paren::Row(_) => Err(self.unexpected()),
        }
    }

    /// BETWEEN, IN, LIKE, ILIKE, SIMILAR TO and their negations.
    fn match_operator(&mut self, mode: Mode, left: Expr, closed: &mut u8) -> PgResult<Expr> {
        let location = self.loc();
        let not = self.eat(Kw::NotLa);
        match self.bump().kw {
            Kw::In => self.in_list(left, not, location),
            Kw::Between => {
                *closed = prec::MATCH;
                self.between(mode, left, not, location)
            }
            Kw::Similar => {
                self.expect(Kw::To)?;
                *closed = prec::MATCH;
                let pattern = self.expr(mode, prec::MATCH + 1)?;
                let mut args = vec![pattern];
                if self.eat(Kw::Escape) {
                    args.push(self.expr(mode, prec::MATCH + 1)?);
                }
                let right = AExprRight::Expr(sql_escape_call("similar_to_escape", args, location));
                let name = if not { "!~" } else { "~" };
                Ok(simple(AExprKind::Similar, name, Some(left), right, location))
            }
            kw => {
                let (kind, name) = match (kw, not) {
                    (Kw::Like, false) => (AExprKind::Like, "~~"),
                    (Kw::Like, true) => (AExprKind::Like, "!~~"),
                    (_, false) => (AExprKind::ILike, "~~*"),
                    (_, true) => (AExprKind::ILike, "!~~*"),
                };
                if matches!(self.kw(), Kw::Any | Kw::Some | Kw::All) {
                    return self.sub_type(left, vec![name.to_string()], location);
                }
                *closed = prec::MATCH;
                let mut right = self.expr(mode, prec::MATCH + 1)?;
                if self.eat(Kw::Escape) {
                    let escape = self.expr(mode, prec::MATCH + 1)?;
                    right = sql_escape_call("like_escape", vec![right, escape], location);
                }
                Ok(simple(kind, name, Some(left), AExprRight::Expr(right), location))
            }
        }
    }

    fn in_list(&mut self, left: Expr, not: bool, location: i32) -> PgResult<Expr> {
        let list = match self.paren(true)? {
            crate::parser::expr::primary::Paren::Select(subselect) => {
                let link = Expr::SubLink(Box::new(SubLink {
                    sub_link_type: SubLinkType::Any,
                    testexpr: Some(left),
                    oper_name: Vec::new(),
                    subselect,
                    location,
                }));
                return Ok(if not { not_expr(link, location) } else { link });
            }
            crate::parser::expr::primary::Paren::One(e) => vec![e],
            crate::parser::expr::primary::Paren::Row(list) => list,
        };
        let name = if not { "<>" } else { "=" };
        Ok(simple(AExprKind::In, name, Some(left), AExprRight::List(list), location))
    }

    fn between(&mut self, mode: Mode, left: Expr, not: bool, location: i32) -> PgResult<Expr> {
        let symmetric = self.eat(Kw::Symmetric);
        if !symmetric {
            self.eat(Kw::Asymmetric);
        }
        let low = self.b_expr()?;
        self.expect(Kw::And)?;
        let high = self.expr(mode, prec::MATCH + 1)?;
        let (kind, name) = match (not, symmetric) {
            (false, false) => (AExprKind::Between, "BETWEEN"),
            (true, false) => (AExprKind::NotBetween, "NOT BETWEEN"),
            (false, true) => (AExprKind::BetweenSym, "BETWEEN SYMMETRIC"),
            (true, true) => (AExprKind::NotBetweenSym, "NOT BETWEEN SYMMETRIC"),
        };
        Ok(simple(kind, name, Some(left), AExprRight::List(vec![low, high]), location))
    }

    fn at_time_zone(&mut self, left: Expr) -> PgResult<Expr> {
        let location = self.bump().start as i32;
        if self.eat(Kw::Local) {
            return Ok(sql_call("timezone", vec![left], -1));
        }
        self.expect_all(&[Kw::Time, Kw::Zone])?;
        let zone = self.expr(Mode::A, prec::AT + 1)?;
        Ok(sql_call("timezone", vec![zone, left], location))
    }

    /// IS ..., ISNULL, NOTNULL
    fn is_test(&mut self, mode: Mode, left: Expr, start: i32, closed: &mut u8) -> PgResult<Expr> {
        let token = self.bump();
        let location = token.start as i32;
        let null_test =
            |arg, nulltesttype| Expr::NullTest(Box::new(NullTest { arg, nulltesttype, location }));
        match token.kw {
            Kw::Isnull => return Ok(null_test(left, NullTestType::IsNull)),
            Kw::Notnull => return Ok(null_test(left, NullTestType::IsNotNull)),
            _ => {}
        }
        let not = self.eat(Kw::Not);
        let kw = self.kw();
        if mode == Mode::B && !matches!(kw, Kw::Distinct | Kw::Document) {
            return Err(self.unexpected());
        }
        let boolean =
            |arg, booltesttype| Ok(Expr::BooleanTest(Box::new(BooleanTest { arg, booltesttype, location })));
        let negated = |e| if not { not_expr(e, location) } else { e };
        match kw {
            Kw::Null => {
                self.bump();
                Ok(null_test(left, if not { NullTestType::IsNotNull } else { NullTestType::IsNull }))
            }
            Kw::True => {
                self.bump();
                boolean(left, if not { BoolTestType::IsNotTrue } else { BoolTestType::IsTrue })
            }
            Kw::False => {
                self.bump();
                boolean(left, if not { BoolTestType::IsNotFalse } else { BoolTestType::IsFalse })
            }
            Kw::Unknown => {
                self.bump();
                boolean(left, if not { BoolTestType::IsNotUnknown } else { BoolTestType::IsUnknown })
            }
            Kw::Distinct => {
                self.bump();
                self.expect(Kw::From)?;
                let right = AExprRight::Expr(self.expr(mode, prec::IS + 1)?);
                *closed = prec::IS;
                let kind = if not { AExprKind::NotDistinct } else { AExprKind::Distinct };
                Ok(simple(kind, "=", Some(left), right, location))
            }
            Kw::Document => {
                self.bump();
                let args = vec![left];
                let op = XmlExprOp::Document;
                Ok(negated(Expr::XmlExpr(Box::new(XmlExpr { op, args, location, ..XmlExpr::default() }))))
            }
            Kw::Normalized => {
                self.bump();
                Ok(negated(sql_call("is_normalized", vec![left], location)))
            }
            Kw::Nfc | Kw::Nfd | Kw::Nfkc | Kw::Nfkd => {
                let form = self.unicode_normal_form()?;
                self.expect(Kw::Normalized)?;
                Ok(negated(sql_call("is_normalized", vec![left, form], location)))
            }
            Kw::Json => {
                let test = self.is_json(left, start)?;
                Ok(if not { not_expr(test, start) } else { test })
            }
            _ => Err(self.unexpected()),
        }
    }

    pub(in crate::parser) fn unicode_normal_form(&mut self) -> PgResult<Expr> {
        if !matches!(self.kw(), Kw::Nfc | Kw::Nfd | Kw::Nfkc | Kw::Nfkd) {
            return Err(self.unexpected());
        }
        let token = self.bump();
        Ok(string_const(&token.kw.word().to_ascii_uppercase(), token.start as i32))
    }
}

/// Only the top of an expression may end early.
fn mode_of_operand(mode: Mode) -> Mode {
    if mode == Mode::B { Mode::B } else { Mode::A }
}

/// A call the grammar makes of ESCAPE clauses; it prints as a plain call.
fn sql_escape_call(name: &str, args: Vec<Expr>, location: i32) -> Expr {
    Expr::FuncCall(Box::new(FuncCall { funcname: system_name(name), args, location, ..FuncCall::default() }))
}
