//! Constants and parameters.

use crate::prelude::*;

impl Analyzer<'_, '_> {
    /// A literal; strings and NULL stay of unknown type.
    pub fn make_const(&mut self, c: &ast::AConst) -> PgResult<Expr> {
        let location = c.location;
        let constant =
            |ty, value| Ok(Expr::Const(Const { ty, typmod: -1, collation: Oid::INVALID, value, location }));
        match &c.val {
            ast::Value::Null => constant(oid::UNKNOWN, Datum::Null),
            ast::Value::Integer(i) => constant(oid::INT4, Datum::Int4(*i)),
            ast::Value::Boolean(b) => constant(oid::BOOL, Datum::Bool(*b)),
            ast::Value::String(s) => Ok(Expr::Const(Const {
                ty: oid::UNKNOWN,
                typmod: -1,
                collation: Oid::INVALID,
                value: Datum::text(s.as_str()),
                location,
            })),
            ast::Value::Float(s) => match parse_integer(s) {
                Some(v) if i32::try_from(v).is_ok() => constant(oid::INT4, Datum::Int4(v as i32)),
                Some(v) => constant(oid::INT8, Datum::Int8(v)),
                None => {
                    let v = self.input(oid::NUMERIC, -1, s, location)?;
                    constant(oid::NUMERIC, v)
                }
            },
            ast::Value::BitString(s) => {
                let v = self.input(oid::BIT, -1, s, location)?;
                constant(oid::BIT, v)
            }
        }
    }

    /// A type's input function, with the literal's position in its errors.
    pub fn input(&self, ty: Oid, typmod: i32, text: &str, location: i32) -> PgResult<Datum> {
        pglite_types::text::text_in(self.env.type_env(), ty, typmod, text)
            .map_err(|e| e.at_if_unset(location))
    }

    pub(super) fn transform_param(&mut self, p: &ast::ParamRef) -> PgResult<Expr> {
        let n = p.number;
        let missing = || err!(UNDEFINED_PARAMETER, "there is no parameter ${n}").at(p.location);
        if n <= 0 || n > 65535 {
            return Err(missing());
        }
        let at = n as usize - 1;
        // The calling language may name its variables so.
        let name = format!("${n}");
        let phase = crate::VariablePhase::AfterColumns;
        if self.params.types.is_empty()
            && let Some(e) = self.env.resolve_variable(&[name.as_str()], p.location, phase)?
        {
            return Ok(e);
        }
        if self.params.variable {
            if self.params.types.len() <= at {
                self.params.types.resize(at + 1, Oid::INVALID);
            }
            if !self.params.types[at].is_valid() {
                self.params.types[at] = oid::UNKNOWN;
            }
        }
        let ty = self.params.types.get(at).copied().filter(|t| t.is_valid()).ok_or_else(missing)?;
        Ok(Expr::Param(Param {
            kind: ParamKind::External,
            id: n as u32,
            ty,
            typmod: -1,
            collation: self.cat.type_collation(ty),
            location: p.location,
        }))
    }
}

/// An integer literal in any base, with underscores, that fits in 64 bits.
fn parse_integer(text: &str) -> Option<i64> {
    let clean;
    let t = if text.contains('_') {
        clean = text.replace('_', "");
        clean.as_str()
    } else {
        text
    };
    let (sign, t) = t.strip_prefix('-').map_or(("", t), |rest| ("-", rest));
    let (radix, digits) = match t.get(..2) {
        Some("0x" | "0X") => (16, &t[2..]),
        Some("0o" | "0O") => (8, &t[2..]),
        Some("0b" | "0B") => (2, &t[2..]),
        _ => (10, t),
    };
    i64::from_str_radix(&format!("{sign}{digits}"), radix).ok()
}
