//! Expressions: raw syntax to bound expressions (PostgreSQL's `transformExpr`).

mod column;
mod construct;
mod indirection;
mod literal;
mod operator;
mod row;
mod sublink;

use crate::coerce::{How, returns_set};
use crate::prelude::*;

pub(crate) use construct::null_unknown;
pub(crate) use operator::contains_local_var;

impl Analyzer<'_, '_> {
    /// Binds one expression in the current place (`Level::kind`).
    pub fn transform_expr(&mut self, e: &ast::Expr) -> PgResult<Expr> {
        self.check_depth()?;
        match e {
            ast::Expr::AConst(c) => self.make_const(c),
            ast::Expr::ColumnRef(c) => self.transform_column_ref(c),
            ast::Expr::ParamRef(p) => self.transform_param(p),
            ast::Expr::AExpr(a) => self.transform_a_expr(a),
            ast::Expr::BoolExpr(b) => self.transform_bool(b),
            ast::Expr::FuncCall(f) => self.transform_func_call(f, false),
            ast::Expr::NamedArgExpr(n) => Ok(Expr::NamedArg {
                name: n.name.clone(),
                arg: Box::new(self.transform_expr(&n.arg)?),
                argno: -1,
                location: n.location,
            }),
            ast::Expr::SubLink(s) => self.transform_sublink(s),
            ast::Expr::CaseExpr(c) => self.transform_case(c),
            ast::Expr::TypeCast(t) => self.transform_cast(t),
            ast::Expr::CollateClause(c) => self.transform_collate(c),
            ast::Expr::NullTest(n) => {
                let arg = self.transform_expr(&n.arg)?;
                let arg_is_row = self.cat.is_rowtype(arg.ty());
                let is_null = n.nulltesttype == ast::NullTestType::IsNull;
                Ok(Expr::NullTest { arg: Box::new(arg), is_null, arg_is_row, location: n.location })
            }
            ast::Expr::BooleanTest(b) => self.transform_boolean_test(b),
            ast::Expr::AIndirection(i) => self.transform_indirection(i),
            ast::Expr::AArrayExpr(a) => self.transform_array(a, None),
            ast::Expr::RowExpr(r) => self.transform_row(r, false),
            ast::Expr::CoalesceExpr(c) => self.transform_coalesce(c),
            ast::Expr::MinMaxExpr(m) => self.transform_min_max(m),
            ast::Expr::SqlValueFunction(s) => self.transform_sql_value(s),
            ast::Expr::GroupingFunc(g) => self.transform_grouping(g),
            ast::Expr::SetToDefault(d) => {
                Err(err!(SYNTAX_ERROR, "DEFAULT is not allowed in this context").at(d.location))
            }
            ast::Expr::MultiAssignRef(m) => self.transform_multi_assign(m),
            ast::Expr::CurrentOfExpr(c) => self.transform_current_of(c),
            ast::Expr::MergeSupportFunc(m) => self.transform_merge_action(m.location),
            ast::Expr::XmlExpr(x) => self.transform_xml(x),
            ast::Expr::XmlSerialize(x) => self.transform_xml_serialize(x),
            ast::Expr::JsonObjectConstructor(j) => self.transform_json_object(j),
            ast::Expr::JsonArrayConstructor(j) => self.transform_json_array(j),
            ast::Expr::JsonArrayQueryConstructor(j) => self.transform_json_array_query(j),
            ast::Expr::JsonObjectAgg(j) => self.transform_json_object_agg(j),
            ast::Expr::JsonArrayAgg(j) => self.transform_json_array_agg(j),
            ast::Expr::JsonFuncExpr(j) => self.transform_json_func(j),
            ast::Expr::JsonParseExpr(j) => self.transform_json_parse(j),
            ast::Expr::JsonScalarExpr(j) => self.transform_json_scalar(j),
            ast::Expr::JsonSerializeExpr(j) => self.transform_json_serialize(j),
            ast::Expr::JsonIsPredicate(j) => self.transform_json_is(j),
        }
    }

    /// Binds an expression of a given kind.
    pub fn transform_as(&mut self, e: &ast::Expr, kind: ExprKind) -> PgResult<Expr> {
        self.with_kind(kind, |a| a.transform_expr(e))
    }

    /// Binds a condition: WHERE, ON, HAVING, FILTER ...
    pub fn transform_boolean(&mut self, e: &ast::Expr, kind: ExprKind, construct: &str) -> PgResult<Expr> {
        let bound = self.transform_as(e, kind)?;
        self.coerce_to_boolean(bound, construct)
    }

    fn transform_bool(&mut self, b: &ast::BoolExpr) -> PgResult<Expr> {
        let (op, name) = match b.boolop {
            ast::BoolExprType::And => (BoolOp::And, "AND"),
            ast::BoolExprType::Or => (BoolOp::Or, "OR"),
            ast::BoolExprType::Not => (BoolOp::Not, "NOT"),
        };
        let mut args = Vec::with_capacity(b.args.len());
        for arg in &b.args {
            let e = self.transform_expr(arg)?;
            args.push(self.coerce_to_boolean(e, name)?);
        }
        Ok(Expr::Bool { op, args, location: b.location })
    }

    fn transform_boolean_test(&mut self, b: &ast::BooleanTest) -> PgResult<Expr> {
        let (test, clause) = match b.booltesttype {
            ast::BoolTestType::IsTrue => (BoolTest::IsTrue, "IS TRUE"),
            ast::BoolTestType::IsNotTrue => (BoolTest::IsNotTrue, "IS NOT TRUE"),
            ast::BoolTestType::IsFalse => (BoolTest::IsFalse, "IS FALSE"),
            ast::BoolTestType::IsNotFalse => (BoolTest::IsNotFalse, "IS NOT FALSE"),
            ast::BoolTestType::IsUnknown => (BoolTest::IsUnknown, "IS UNKNOWN"),
            ast::BoolTestType::IsNotUnknown => (BoolTest::IsNotUnknown, "IS NOT UNKNOWN"),
        };
        let arg = self.transform_expr(&b.arg)?;
        let arg = self.coerce_to_boolean(arg, clause)?;
        Ok(Expr::BooleanTest { arg: Box::new(arg), test, location: b.location })
    }

    fn transform_cast(&mut self, t: &ast::TypeCast) -> PgResult<Expr> {
        let (target, typmod) = self.resolve_type(&t.type_name)?;
        let arg = match &t.arg {
            ast::Expr::AArrayExpr(a) => {
                let (base, base_mod) = self.cat.base_type_mod(target, typmod);
                let elem = self.cat.element_type(base);
                if elem.is_valid() {
                    self.transform_array(a, Some((base, elem, base_mod)))?
                } else {
                    self.transform_array(a, None)?
                }
            }
            other => self.transform_expr(other)?,
        };
        let location = if t.location >= 0 { t.location } else { t.type_name.location };
        let input = arg.ty();
        let how = How { context: CoercionContext::Explicit, form: CoercionForm::ExplicitCast, location };
        match self.coerce_to_target(arg, target, typmod, how)? {
            Ok(e) => Ok(e),
            Err(e) => Err(self.cannot_cast(input, target, location, &e)),
        }
    }

    fn transform_collate(&mut self, c: &ast::CollateClause) -> PgResult<Expr> {
        let arg = match &c.arg {
            Some(a) => self.transform_expr(a)?,
            None => return Err(PgError::internal("COLLATE without argument")),
        };
        let ty = arg.ty();
        if ty != oid::UNKNOWN && !self.cat.is_collatable(ty) {
            let name = self.cat.format_type(ty);
            return Err(err!(DATATYPE_MISMATCH, "collations are not supported by type {name}").at(c.location));
        }
        let collation = self.lookup_collation(&c.collname, c.location)?;
        Ok(Expr::Collate { arg: Box::new(arg), collation, location: c.location })
    }

    /// A collation by name.
    pub fn lookup_collation(&self, names: &[String], location: i32) -> PgResult<Oid> {
        let name = crate::func::split_name(self.env, names).map_err(|e| e.at_if_unset(location))?;
        self.cat
            .path
            .collation(self.cat.snap, name.schema, name.name)
            .map(|c| c.oid)
            .map_err(|e| e.at_if_unset(location))
    }

    /// Raises PostgreSQL's error when set-returning calls appeared since `before` inside a conditional construct.
    pub(crate) fn forbid_srfs(&mut self, before: u32, construct: &str) -> PgResult<()> {
        let level = self.cur();
        if level.srfs == before {
            return Ok(());
        }
        let at = level.last_srf_location;
        Err(err!(FEATURE_NOT_SUPPORTED, "set-returning functions are not allowed in {construct}")
            .hint("You might be able to move the set-returning function into a LATERAL FROM item.")
            .at(at))
    }

    /// An operator's result must be a boolean and no set.
    pub(crate) fn require_boolean_op(&self, e: &Expr, construct: &str, location: i32) -> PgResult<()> {
        if let Expr::Op(o) = e
            && o.ty != oid::BOOL
        {
            return Err(
                err!(DATATYPE_MISMATCH, "{construct} requires = operator to yield boolean").at(location)
            );
        }
        if returns_set(e) {
            return Err(err!(DATATYPE_MISMATCH, "{construct} must not return a set").at(location));
        }
        Ok(())
    }
}
