//! JSON_EXISTS, JSON_QUERY, JSON_VALUE.

use super::Returning;
use crate::coerce::{How, returns_set};
use crate::prelude::*;
use ast::{JsonBehaviorType as B, JsonExprOp as Op};

impl Analyzer<'_, '_> {
    pub(crate) fn transform_json_func(&mut self, j: &ast::JsonFuncExpr) -> PgResult<Expr> {
        let name = match j.op {
            Op::Exists => "JSON_EXISTS",
            Op::Query => "JSON_QUERY",
            _ => "JSON_VALUE",
        };
        check_syntax(j, name)?;
        let doc = self.json_value(&j.context_item, Some(oid::JSONB))?;
        let path = self.transform_expr(&j.pathspec)?;
        let (path_type, path_at) = (path.ty(), path.location());
        let how =
            How { context: CoercionContext::Explicit, form: CoercionForm::ImplicitCast, location: path_at };
        let path = match self.coerce_to_target(path, oid::JSONPATH, -1, how)? {
            Ok(p) => p,
            Err(_) => {
                return Err(err!(
                    DATATYPE_MISMATCH,
                    "JSON path expression must be of type jsonpath, not of type {}",
                    self.cat.format_type(path_type)
                )
                .at(path_at));
            }
        };
        let mut passing = Vec::new();
        for a in &j.passing {
            let e = self.json_value(&a.val, None)?;
            let e =
                if e.ty() == oid::UNKNOWN { self.coerce_type(e, oid::TEXT, -1, How::IMPLICIT)? } else { e };
            passing.push((a.name.clone(), e));
        }
        let (op, default) = match j.op {
            Op::Exists => (JsonOp::Exists, oid::BOOL),
            Op::Query => (JsonOp::Query, oid::JSONB),
            _ => (JsonOp::Value, oid::TEXT),
        };
        let out = self.json_output(j.output.as_ref(), default)?;
        let on_empty = match j.op {
            Op::Exists => None,
            _ => Some(self.json_behavior(j.on_empty.as_ref(), JsonBehaviorKind::Null, out)?),
        };
        let error_default = if j.op == Op::Exists { JsonBehaviorKind::False } else { JsonBehaviorKind::Null };
        let on_error = Some(self.json_behavior(j.on_error.as_ref(), error_default, out)?);
        let wrapper = match j.wrapper {
            ast::JsonWrapper::Unspec => JsonWrapper::Unspecified,
            ast::JsonWrapper::None => JsonWrapper::None,
            ast::JsonWrapper::Conditional => JsonWrapper::Conditional,
            ast::JsonWrapper::Unconditional => JsonWrapper::Unconditional,
        };
        let node_type = if j.op == Op::Exists { oid::BOOL } else { out.ty };
        let node = Expr::Json(Box::new(JsonExpr {
            op,
            args: vec![doc, path],
            ty: node_type,
            typmod: if j.op == Op::Exists { -1 } else { out.typmod },
            collation: Oid::INVALID,
            absent_on_null: false,
            unique_keys: false,
            passing,
            on_empty,
            on_error,
            wrapper,
            omit_quotes: j.quotes == ast::JsonQuotes::Omit,
            coercion: None,
            column_name: None,
            location: j.location,
        }));
        if node_type == out.ty {
            return Ok(node);
        }
        self.json_cast(node, out.ty, out.typmod, j.location)
    }

    fn json_behavior(
        &mut self,
        b: Option<&ast::JsonBehavior>,
        default: JsonBehaviorKind,
        out: Returning,
    ) -> PgResult<JsonBehavior> {
        let Some(b) = b else { return Ok(JsonBehavior { kind: default, expr: None, location: -1 }) };
        let kind = match b.btype {
            B::Null => JsonBehaviorKind::Null,
            B::Error => JsonBehaviorKind::Error,
            B::Empty => JsonBehaviorKind::Empty,
            B::True => JsonBehaviorKind::True,
            B::False => JsonBehaviorKind::False,
            B::Unknown => JsonBehaviorKind::Unknown,
            B::EmptyArray => JsonBehaviorKind::EmptyArray,
            B::EmptyObject => JsonBehaviorKind::EmptyObject,
            B::Default => JsonBehaviorKind::Default,
        };
        let expr = match &b.expr {
            Some(raw) if kind == JsonBehaviorKind::Default => Some(self.default_behavior(raw, out)?),
            _ => None,
        };
        Ok(JsonBehavior { kind, expr, location: b.location })
    }

    fn default_behavior(&mut self, raw: &ast::Expr, out: Returning) -> PgResult<Expr> {
        let e = self.transform_expr(raw)?;
        let at = e.location();
        let fail = |msg: &str| Err(err!(DATATYPE_MISMATCH, "{msg}").at(at));
        let simple = matches!(
            crate::equal::strip_implicit(&e),
            Expr::Const(_)
                | Expr::Func(_)
                | Expr::Op(_)
                | Expr::CoerceViaIo { .. }
                | Expr::Relabel { .. }
                | Expr::CoerceToDomain { .. }
                | Expr::ArrayCoerce { .. }
                | Expr::Collate { .. }
                | Expr::Array { .. }
        );
        if !simple {
            return fail(
                "can only specify a constant, non-aggregate function, or operator expression for DEFAULT",
            );
        }
        if crate::expr::contains_local_var(&e) {
            return fail("DEFAULT expression must not contain column references");
        }
        if returns_set(&e) {
            return fail("DEFAULT expression must not return a set");
        }
        let input = e.ty();
        let how =
            How { context: CoercionContext::Assignment, form: CoercionForm::ImplicitCast, location: at };
        match self.coerce_to_target(e, out.ty, out.typmod, how)? {
            Ok(e) => Ok(e),
            Err(_) => Err(err!(
                CANNOT_COERCE,
                "cannot cast behavior expression of type {} to {}",
                self.cat.format_type(input),
                self.cat.format_type(out.ty)
            )
            .hint(format!(
                "You will need to explicitly cast the expression to type {}.",
                self.cat.format_type(out.ty)
            ))
            .at(at)),
        }
    }
}

/// What the grammar lets through but the functions do not take.
fn check_syntax(j: &ast::JsonFuncExpr, name: &str) -> PgResult<()> {
    if let Some(o) = &j.output
        && o.format.format_type != ast::JsonFormatType::Default
        && j.op != Op::Query
    {
        return Err(err!(SYNTAX_ERROR, "cannot specify FORMAT JSON in RETURNING clause of {name}()")
            .at(o.format.location));
    }
    if j.op == Op::Query
        && j.quotes == ast::JsonQuotes::Omit
        && matches!(j.wrapper, ast::JsonWrapper::Conditional | ast::JsonWrapper::Unconditional)
    {
        return Err(err!(
            SYNTAX_ERROR,
            "SQL/JSON QUOTES behavior must not be specified when WITH WRAPPER is used"
        )
        .at(j.location));
    }
    let check = |b: &Option<ast::JsonBehavior>, clause: &str| -> PgResult<()> {
        let Some(b) = b else { return Ok(()) };
        let (ok, allowed) = match j.op {
            Op::Query => (
                matches!(
                    b.btype,
                    B::Error | B::Null | B::Empty | B::EmptyArray | B::EmptyObject | B::Default
                ),
                "ERROR, NULL, EMPTY ARRAY, EMPTY OBJECT, or DEFAULT expression",
            ),
            Op::Exists => (
                matches!(b.btype, B::Error | B::True | B::False | B::Unknown),
                "ERROR, TRUE, FALSE, or UNKNOWN",
            ),
            _ => (matches!(b.btype, B::Error | B::Null | B::Default), "ERROR, NULL, or DEFAULT expression"),
        };
        if ok {
            return Ok(());
        }
        Err(err!(SYNTAX_ERROR, "invalid {clause} behavior")
            .detail(format!("Only {allowed} is allowed in {clause} for {name}()."))
            .at(b.location))
    };
    if j.op != Op::Exists {
        check(&j.on_empty, "ON EMPTY")?;
    }
    check(&j.on_error, "ON ERROR")
}
