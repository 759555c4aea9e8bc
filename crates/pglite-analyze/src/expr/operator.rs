//! Operator expressions in the wide sense: operators, ANY/ALL, DISTINCT, NULLIF, IN, LIKE, BETWEEN.

use crate::prelude::*;
use ast::AExprKind as K;

fn op(name: &str) -> [String; 1] {
    [name.to_string()]
}

impl Analyzer<'_, '_> {
    pub(super) fn transform_a_expr(&mut self, a: &ast::AExpr) -> PgResult<Expr> {
        match a.kind {
            K::Op | K::Like | K::ILike | K::Similar => self.transform_op(a),
            K::OpAny | K::OpAll => {
                let (l, r) = self.operands(a)?;
                self.make_scalar_array_op(&a.name, a.kind == K::OpAny, l, r, a.location)
            }
            K::Distinct | K::NotDistinct => self.transform_distinct_from(a),
            K::NullIf => {
                let (l, r) = self.operands(a)?;
                let e = self.make_op(&a.name, Some(l), r, a.location)?;
                self.require_boolean_op(&e, "NULLIF", a.location)?;
                match e {
                    Expr::Op(mut o) => {
                        o.ty = o.args.first().map_or(o.ty, Expr::ty);
                        Ok(Expr::NullIf(o))
                    }
                    other => Ok(other),
                }
            }
            K::In => self.transform_in(a),
            K::Between | K::NotBetween | K::BetweenSym | K::NotBetweenSym => self.transform_between(a),
        }
    }

    /// Both sides of a binary expression.
    fn operands(&mut self, a: &ast::AExpr) -> PgResult<(Expr, Expr)> {
        let (Some(l), ast::AExprRight::Expr(r)) = (&a.lexpr, &a.rexpr) else {
            return Err(PgError::internal("operator expression lacks an operand"));
        };
        Ok((self.transform_expr(l)?, self.transform_expr(r)?))
    }

    fn transform_op(&mut self, a: &ast::AExpr) -> PgResult<Expr> {
        let ast::AExprRight::Expr(right) = &a.rexpr else {
            return Err(PgError::internal("operator expression lacks its right operand"));
        };
        match (&a.lexpr, right) {
            (Some(ast::Expr::RowExpr(row)), ast::Expr::SubLink(s))
                if s.sub_link_type == ast::SubLinkType::Expr && a.kind == K::Op =>
            {
                let link = ast::SubLink {
                    sub_link_type: ast::SubLinkType::RowCompare,
                    testexpr: Some(ast::Expr::RowExpr(row.clone())),
                    oper_name: a.name.clone(),
                    subselect: s.subselect.clone(),
                    location: a.location,
                };
                self.transform_sublink(&link)
            }
            (Some(ast::Expr::RowExpr(l)), ast::Expr::RowExpr(r)) if a.kind == K::Op => {
                let l = self.row_arguments(l)?;
                let r = self.row_arguments(r)?;
                self.row_comparison(&a.name, l, r, a.location)
            }
            (l, r) => {
                let left = l.as_ref().map(|l| self.transform_expr(l)).transpose()?;
                let right = self.transform_expr(r)?;
                self.make_op(&a.name, left, right, a.location)
            }
        }
    }

    fn row_arguments(&mut self, r: &ast::RowExpr) -> PgResult<Vec<Expr>> {
        match self.transform_row(r, false)? {
            Expr::Row { args, .. } => Ok(args),
            other => Ok(vec![other]),
        }
    }

    fn transform_distinct_from(&mut self, a: &ast::AExpr) -> PgResult<Expr> {
        let negate = a.kind == K::NotDistinct;
        let (Some(l), ast::AExprRight::Expr(r)) = (&a.lexpr, &a.rexpr) else {
            return Err(PgError::internal("IS DISTINCT FROM lacks an operand"));
        };
        let is_null = |e: &ast::Expr| matches!(e, ast::Expr::AConst(c) if c.val == ast::Value::Null);
        for (null_side, other) in [(r, l), (l, r)] {
            if is_null(null_side) {
                let arg = self.transform_expr(other)?;
                let arg_is_row = false;
                return Ok(Expr::NullTest {
                    arg: Box::new(arg),
                    is_null: negate,
                    arg_is_row,
                    location: a.location,
                });
            }
        }
        let result = match (self.transform_expr(l)?, self.transform_expr(r)?) {
            (Expr::Row { args: la, .. }, Expr::Row { args: ra, .. }) => {
                self.row_distinct(&a.name, la, ra, a.location)?
            }
            (l, r) => self.make_distinct(&a.name, l, r, a.location)?,
        };
        if negate {
            return Ok(Expr::Bool { op: BoolOp::Not, args: vec![result], location: a.location });
        }
        Ok(result)
    }

    fn make_distinct(&mut self, names: &[String], l: Expr, r: Expr, location: i32) -> PgResult<Expr> {
        let e = self.make_op(names, Some(l), r, location)?;
        self.require_boolean_op(&e, "IS DISTINCT FROM", location)?;
        match e {
            Expr::Op(o) => Ok(Expr::Distinct(o)),
            other => Ok(other),
        }
    }

    fn row_distinct(
        &mut self,
        names: &[String],
        l: Vec<Expr>,
        r: Vec<Expr>,
        location: i32,
    ) -> PgResult<Expr> {
        if l.len() != r.len() {
            return Err(err!(SYNTAX_ERROR, "unequal number of entries in row expressions").at(location));
        }
        let parts: Vec<Expr> = l
            .into_iter()
            .zip(r)
            .map(|(l, r)| self.make_distinct(names, l, r, location))
            .collect::<PgResult<_>>()?;
        if parts.is_empty() {
            return Ok(Expr::bool(false));
        }
        Ok(join_bool(BoolOp::Or, parts, location))
    }

    /// PostgreSQL's `transformAExprIn`: constants become one array comparison.
    fn transform_in(&mut self, a: &ast::AExpr) -> PgResult<Expr> {
        let (Some(l), ast::AExprRight::List(list)) = (&a.lexpr, &a.rexpr) else {
            return Err(PgError::internal("IN lacks an operand"));
        };
        let use_or = a.name.first().is_none_or(|n| n == "=");
        let left = self.transform_expr(l)?;
        let (mut with_vars, mut plain) = (Vec::new(), Vec::new());
        let mut order = Vec::new();
        for e in list {
            let e = self.transform_expr(e)?;
            let has_var = contains_local_var(&e);
            order.push(has_var);
            if has_var { with_vars.push(e) } else { plain.push(e) }
        }
        let mut result = None;
        let any_row = matches!(left, Expr::Row { .. }) || plain.iter().any(|e| matches!(e, Expr::Row { .. }));
        if plain.len() > 1
            && !any_row
            && let Some((scalar, array)) = self.in_array_type(&left, &plain)
        {
            let elements = plain
                .drain(..)
                .map(|e| self.coerce_to_common(e, scalar, "IN"))
                .collect::<PgResult<Vec<_>>>()?;
            let array = Expr::Array {
                elements,
                ty: array,
                elem_type: scalar,
                collation: Oid::INVALID,
                multidims: false,
                location: -1,
            };
            result = Some(self.make_scalar_array_op(&a.name, use_or, left.clone(), array, a.location)?);
        } else {
            // keep the written order
            let (mut v, mut p) = (with_vars.into_iter(), plain.into_iter());
            with_vars = order.iter().filter_map(|has| if *has { v.next() } else { p.next() }).collect();
        }
        for r in with_vars {
            let cmp = match (&left, r) {
                (Expr::Row { args, .. }, Expr::Row { args: ra, .. }) => {
                    self.row_comparison(&a.name, args.clone(), ra, a.location)?
                }
                (_, r) => self.make_op(&a.name, Some(left.clone()), r, a.location)?,
            };
            let cmp = self.coerce_to_boolean(cmp, "IN")?;
            result = Some(match result {
                None => cmp,
                Some(prev) => {
                    join_bool(if use_or { BoolOp::Or } else { BoolOp::And }, vec![prev, cmp], a.location)
                }
            });
        }
        result.ok_or_else(|| PgError::internal("empty IN list"))
    }

    /// The element and array type when the IN list can be one array.
    fn in_array_type(&self, left: &Expr, list: &[Expr]) -> Option<(Oid, Oid)> {
        let types: Vec<Oid> = std::iter::once(left.ty()).chain(list.iter().map(Expr::ty)).collect();
        let scalar = self.cat.common_type(&types).ok()?;
        if scalar == oid::RECORD {
            return None;
        }
        let all: Vec<&Expr> = std::iter::once(left).chain(list).collect();
        if !self.verify_common_type(scalar, &all) {
            return None;
        }
        self.cat.array_type(scalar).valid().map(|a| (scalar, a))
    }

    fn transform_between(&mut self, a: &ast::AExpr) -> PgResult<Expr> {
        let (Some(x), ast::AExprRight::List(bounds)) = (&a.lexpr, &a.rexpr) else {
            return Err(PgError::internal("BETWEEN lacks an operand"));
        };
        let [b, c] = bounds.as_slice() else { return Err(PgError::internal("BETWEEN needs two bounds")) };
        let at = a.location;
        let mut cmp = |name: &str, r: &ast::Expr| -> PgResult<Expr> {
            let l = self.transform_expr(x)?;
            let r = self.transform_expr(r)?;
            self.make_op(&op(name), Some(l), r, at)
        };
        let parts = match a.kind {
            K::Between => vec![cmp(">=", b)?, cmp("<=", c)?],
            K::NotBetween => vec![cmp("<", b)?, cmp(">", c)?],
            K::BetweenSym => {
                let one = join_bool(BoolOp::And, vec![cmp(">=", b)?, cmp("<=", c)?], at);
                vec![one, join_bool(BoolOp::And, vec![cmp(">=", c)?, cmp("<=", b)?], at)]
            }
            _ => {
                let one = join_bool(BoolOp::Or, vec![cmp("<", b)?, cmp(">", c)?], at);
                vec![one, join_bool(BoolOp::Or, vec![cmp("<", c)?, cmp(">", b)?], at)]
            }
        };
        let (outer, name) = match a.kind {
            K::Between | K::NotBetweenSym => (BoolOp::And, "AND"),
            _ => (BoolOp::Or, "OR"),
        };
        let parts =
            parts.into_iter().map(|p| self.coerce_to_boolean(p, name)).collect::<PgResult<Vec<_>>>()?;
        Ok(join_bool(outer, parts, at))
    }
}

/// AND or OR of the parts; a single part is itself.
pub(super) fn join_bool(op: BoolOp, mut parts: Vec<Expr>, location: i32) -> Expr {
    if parts.len() == 1 {
        return parts.swap_remove(0);
    }
    Expr::Bool { op, args: parts, location }
}

/// Whether a variable of this query level occurs.
pub(crate) fn contains_local_var(e: &Expr) -> bool {
    let mut found = false;
    pglite_ir::tree::visit_expr(e, 0, &mut |e, depth| {
        found |= matches!(e, Expr::Var(v) if v.levels_up == depth);
        !found
    });
    found
}
