//! The common type of several expressions (UNION, CASE, COALESCE, ARRAY, VALUES, IN ...).

use super::How;
use crate::prelude::*;

impl Cat<'_> {
    /// The outcome of resolving a list of types; on failure the two types that clash and the place of the second.
    pub(crate) fn common_type(self, types: &[Oid]) -> Result<Oid, (Oid, Oid, usize)> {
        let Some(&first) = types.first() else { return Ok(oid::TEXT) };
        if first != oid::UNKNOWN && types.iter().all(|t| *t == first) {
            return Ok(first);
        }
        let mut best = self.base_type(first);
        let (mut category, mut preferred) = self.category(best);
        for (i, &ty) in types.iter().enumerate().skip(1) {
            let ty = self.base_type(ty);
            if ty == oid::UNKNOWN || ty == best {
                continue;
            }
            let (cat, pref) = self.category(ty);
            let take = if best == oid::UNKNOWN {
                true
            } else if cat != category {
                return Err((best, ty, i));
            } else {
                !preferred
                    && self.can_coerce(best, ty, CoercionContext::Implicit)
                    && !self.can_coerce(ty, best, CoercionContext::Implicit)
            };
            if take {
                (best, category, preferred) = (ty, cat, pref);
            }
        }
        Ok(if best == oid::UNKNOWN { oid::TEXT } else { best })
    }
}

impl Analyzer<'_, '_> {
    /// PostgreSQL's `select_common_type` with an error in the words of `context`.
    pub fn select_common_type(&self, exprs: &[&Expr], context: &str) -> PgResult<Oid> {
        let types: Vec<Oid> = exprs.iter().map(|e| e.ty()).collect();
        self.cat.common_type(&types).map_err(|(a, b, at)| {
            err!(
                DATATYPE_MISMATCH,
                "{context} types {} and {} cannot be matched",
                self.cat.format_type(a),
                self.cat.format_type(b)
            )
            .at(exprs[at].location())
        })
    }

    /// Whether every expression can be coerced implicitly to a type.
    pub fn verify_common_type(&self, ty: Oid, exprs: &[&Expr]) -> bool {
        exprs.iter().all(|e| self.cat.can_coerce(e.ty(), ty, CoercionContext::Implicit))
    }

    /// PostgreSQL's `coerce_to_common_type`.
    pub fn coerce_to_common(&mut self, expr: Expr, target: Oid, context: &str) -> PgResult<Expr> {
        let input = expr.ty();
        if input == target {
            return Ok(expr);
        }
        if !self.cat.can_coerce(input, target, CoercionContext::Implicit) {
            return Err(err!(
                CANNOT_COERCE,
                "{context} could not convert type {} to {}",
                self.cat.format_type(input),
                self.cat.format_type(target)
            )
            .at(expr.location()));
        }
        self.coerce_type(expr, target, -1, How::IMPLICIT)
    }

    /// Coerces a whole list to its common type.
    pub fn coerce_all_to_common(&mut self, exprs: Vec<Expr>, context: &str) -> PgResult<(Vec<Expr>, Oid)> {
        let ty = self.select_common_type(&exprs.iter().collect::<Vec<_>>(), context)?;
        let exprs =
            exprs.into_iter().map(|e| self.coerce_to_common(e, ty, context)).collect::<PgResult<_>>()?;
        Ok((exprs, ty))
    }

    /// The typmod that all expressions share (given they have the type), else -1.
    pub fn common_typmod(&self, exprs: &[&Expr], ty: Oid) -> i32 {
        let Some(first) = exprs.first() else { return -1 };
        let typmod = first.typmod();
        if exprs.iter().all(|e| e.ty() == ty && e.typmod() == typmod) { typmod } else { -1 }
    }
}
