//! Type names.

use pglite_error::{PgError, PgResult, codes};

use crate::ast::*;
use crate::keyword::Kw;
use crate::lexer::Tok;
use crate::parser::Parser;

/// `interval` field masks: a bit for each field.
pub(in crate::parser) mod interval {
    pub const YEAR: i32 = 1 << 2;
    pub const MONTH: i32 = 1 << 1;
    pub const DAY: i32 = 1 << 3;
    pub const HOUR: i32 = 1 << 10;
    pub const MINUTE: i32 = 1 << 11;
    pub const SECOND: i32 = 1 << 12;
    pub const FULL_RANGE: i32 = 0x7fff;
}

fn int_const(value: i32, location: i32) -> Expr {
    Expr::AConst(Box::new(AConst { val: Value::Integer(value), location }))
}

impl Parser<'_> {
    /// Whether a type name can start at the token `n` ahead (SETOF included).
    pub(in crate::parser) fn is_type_start(&self, n: usize) -> bool {
        self.is_type_function_name(n) || self.is_type_keyword(n) || self.ahead(n).kw == Kw::Setof
    }

    /// The keywords that name types by themselves but are no type_function_name.
    fn is_type_keyword(&self, n: usize) -> bool {
        matches!(
            self.ahead(n).kw,
            Kw::Int
                | Kw::Integer
                | Kw::Smallint
                | Kw::Bigint
                | Kw::Real
                | Kw::Float
                | Kw::Decimal
                | Kw::Dec
                | Kw::Numeric
                | Kw::Boolean
                | Kw::Bit
                | Kw::Character
                | Kw::Char
                | Kw::Varchar
                | Kw::National
                | Kw::Nchar
                | Kw::Timestamp
                | Kw::Time
                | Kw::Interval
                | Kw::Json
        )
    }

    /// Typename
    pub(in crate::parser) fn typename(&mut self) -> PgResult<TypeName> {
        let setof = self.eat(Kw::Setof);
        let mut t = self.simple_typename()?;
        t.setof = setof;
        self.array_bounds(&mut t)?;
        Ok(t)
    }

    fn array_bounds(&mut self, t: &mut TypeName) -> PgResult<()> {
        if self.eat(Kw::Array) {
            let bound = if self.eat_tok(Tok::LBracket) {
                let n = self.iconst()?;
                self.expect_tok(Tok::RBracket)?;
                n
            } else {
                -1
            };
            t.array_bounds.push(bound);
            return Ok(());
        }
        while self.eat_tok(Tok::LBracket) {
            let bound = if self.at_tok(Tok::RBracket) { -1 } else { self.iconst()? };
            self.expect_tok(Tok::RBracket)?;
            t.array_bounds.push(bound);
        }
        Ok(())
    }

    /// func_type: a type, or `name.column%TYPE`.
    pub(in crate::parser) fn func_type(&mut self) -> PgResult<TypeName> {
        let setof = self.eat(Kw::Setof);
        let location = self.loc();
        if self.is_type_function_name(0) && self.ahead(1).tok == Tok::Dot {
            let first = self.type_function_name()?;
            let names = self.attrs(vec![first])?;
            if self.eat_tok(Tok::Percent) {
                self.expect(Kw::Type)?;
                return Ok(TypeName { names, setof, pct_type: true, location, ..TypeName::default() });
            }
            let mut t = TypeName { names, setof, location, ..TypeName::default() };
            t.typmods = self.opt_type_modifiers()?;
            self.array_bounds(&mut t)?;
            return Ok(t);
        }
        let mut t = self.simple_typename()?;
        t.setof = setof;
        self.array_bounds(&mut t)?;
        Ok(t)
    }

    fn opt_type_modifiers(&mut self) -> PgResult<Vec<Expr>> {
        self.opt_paren_list(Self::a_expr)
    }

    /// SimpleTypename
    pub(in crate::parser) fn simple_typename(&mut self) -> PgResult<TypeName> {
        let location = self.loc();
        if self.is_type_keyword(0) || self.at_all(&[Kw::Double, Kw::Precision]) {
            if self.eat(Kw::Interval) {
                return self.interval_typename(location);
            }
            return self.keyword_typename(false);
        }
        let first = self.type_function_name()?;
        let names = self.attrs(vec![first])?;
        let typmods = self.opt_type_modifiers()?;
        Ok(TypeName { names, typmods, location, ..TypeName::default() })
    }

    fn interval_typename(&mut self, location: i32) -> PgResult<TypeName> {
        let mut t = TypeName::system("interval", location);
        if self.at_tok(Tok::LParen) {
            t.typmods = self.interval_precision()?;
        } else {
            t.typmods = self.opt_interval()?;
        }
        Ok(t)
    }

    /// `(n)` after INTERVAL
    pub(in crate::parser) fn interval_precision(&mut self) -> PgResult<Vec<Expr>> {
        self.lparen()?;
        let at = self.loc();
        let n = self.iconst()?;
        self.rparen()?;
        Ok(vec![int_const(interval::FULL_RANGE, -1), int_const(n, at)])
    }

    /// opt_interval: the fields of an interval, as type modifiers.
    pub(in crate::parser) fn opt_interval(&mut self) -> PgResult<Vec<Expr>> {
        use interval::*;
        let at = self.loc();
        let to = |p: &mut Self| p.eat(Kw::To);
        let mask = match self.kw() {
            Kw::Year => {
                self.bump();
                if to(self) {
                    self.expect(Kw::Month)?;
                    YEAR | MONTH
                } else {
                    YEAR
                }
            }
            Kw::Month => {
                self.bump();
                MONTH
            }
            Kw::Day => {
                self.bump();
                if to(self) {
                    return self.interval_end(at, DAY | HOUR, &[Kw::Hour, Kw::Minute, Kw::Second]);
                };
                DAY
            }
            Kw::Hour => {
                self.bump();
                if to(self) {
                    return self.interval_end(at, HOUR, &[Kw::Minute, Kw::Second]);
                };
                HOUR
            }
            Kw::Minute => {
                self.bump();
                if to(self) {
                    return self.interval_end(at, MINUTE, &[Kw::Second]);
                };
                MINUTE
            }
            Kw::Second => return self.interval_second(at, 0),
            _ => return Ok(Vec::new()),
        };
        Ok(vec![int_const(mask, at)])
    }

    /// The field after TO; `from` holds the fields before the ones it may add.
    fn interval_end(&mut self, at: i32, from: i32, allowed: &[Kw]) -> PgResult<Vec<Expr>> {
        use interval::*;
        let kw = self.kw();
        if !allowed.contains(&kw) {
            return Err(self.unexpected());
        }
        let mask = match kw {
            Kw::Hour => from,
            Kw::Minute => from | MINUTE,
            _ if from == MINUTE => return self.interval_second(at, MINUTE),
            _ => return self.interval_second(at, from | MINUTE),
        };
        self.bump();
        Ok(vec![int_const(mask, at)])
    }

    fn interval_second(&mut self, at: i32, with: i32) -> PgResult<Vec<Expr>> {
        self.expect(Kw::Second)?;
        let mut mods = vec![int_const(interval::SECOND | with, at)];
        if self.eat_tok(Tok::LParen) {
            let n_at = self.loc();
            mods.push(int_const(self.iconst()?, n_at));
            self.rparen()?;
        }
        Ok(mods)
    }

    /// The types that are keywords, but not INTERVAL. In constants (`char 'x'`) a missing length means none.
    pub(in crate::parser) fn keyword_typename(&mut self, constant: bool) -> PgResult<TypeName> {
        let location = self.loc();
        let kw = self.bump().kw;
        let system = |name| TypeName::system(name, location);
        Ok(match kw {
            Kw::Int | Kw::Integer => system("int4"),
            Kw::Smallint => system("int2"),
            Kw::Bigint => system("int8"),
            Kw::Real => system("float4"),
            Kw::Double => {
                self.expect(Kw::Precision)?;
                system("float8")
            }
            Kw::Float => system(self.opt_float()?),
            Kw::Decimal | Kw::Dec | Kw::Numeric => {
                let typmods = self.opt_type_modifiers()?;
                TypeName { typmods, ..system("numeric") }
            }
            Kw::Boolean => system("bool"),
            Kw::Json => system("json"),
            Kw::Bit => {
                let varying = self.eat(Kw::Varying);
                let mut typmods = self.opt_type_modifiers()?;
                if typmods.is_empty() && !varying && !constant {
                    typmods.push(int_const(1, -1));
                }
                TypeName { typmods, ..system(if varying { "varbit" } else { "bit" }) }
            }
            Kw::Time | Kw::Timestamp => self.datetime(kw, location)?,
            _ => self.character(kw, location, constant)?,
        })
    }

    fn opt_float(&mut self) -> PgResult<&'static str> {
        if !self.at_tok(Tok::LParen) {
            return Ok("float8");
        }
        self.bump();
        let at = self.loc();
        let n = self.iconst()?;
        self.rparen()?;
        let error = |message: &str| Err(PgError::new(codes::INVALID_PARAMETER_VALUE, message).at(at));
        match n {
            ..1 => error("precision for type float must be at least 1 bit"),
            1..=24 => Ok("float4"),
            25..=53 => Ok("float8"),
            _ => error("precision for type float must be less than 54 bits"),
        }
    }

    fn datetime(&mut self, kw: Kw, location: i32) -> PgResult<TypeName> {
        let mut typmods = Vec::new();
        if self.eat_tok(Tok::LParen) {
            let at = self.loc();
            typmods.push(int_const(self.iconst()?, at));
            self.rparen()?;
        }
        let zone = match self.eat_any(&[Kw::WithLa, Kw::WithoutLa]) {
            Some(with) => {
                self.expect_all(&[Kw::Time, Kw::Zone])?;
                with == Kw::WithLa
            }
            None => false,
        };
        let name = match (kw, zone) {
            (Kw::Time, false) => "time",
            (Kw::Time, true) => "timetz",
            (_, false) => "timestamp",
            (_, true) => "timestamptz",
        };
        Ok(TypeName { typmods, ..TypeName::system(name, location) })
    }

    fn character(&mut self, kw: Kw, location: i32, constant: bool) -> PgResult<TypeName> {
        if kw == Kw::National && self.eat_any(&[Kw::Character, Kw::Char]).is_none() {
            return Err(self.unexpected());
        }
        let varying = kw == Kw::Varchar || self.eat(Kw::Varying);
        let name = if varying { "varchar" } else { "bpchar" };
        let mut typmods = Vec::new();
        if self.eat_tok(Tok::LParen) {
            let at = self.loc();
            typmods.push(int_const(self.iconst()?, at));
            self.rparen()?;
        } else if !varying && !constant {
            typmods.push(int_const(1, -1));
        }
        Ok(TypeName { typmods, ..TypeName::system(name, location) })
    }
}
