//! Structural equality of expressions, ignoring source positions and spelling (PostgreSQL's `equal()`).

use pglite_ir::expr::*;
use pglite_ir::query::{SortGroupClause, TargetEntry};
use pglite_types::{Datum, compare};

/// True when both expressions are the same computation.
pub(crate) fn equal(a: &Expr, b: &Expr) -> bool {
    match (a, b) {
        (Expr::Var(a), Expr::Var(b)) => equal_var(a, b),
        (Expr::Const(a), Expr::Const(b)) => {
            a.ty == b.ty
                && a.typmod == b.typmod
                && a.collation == b.collation
                && equal_datum(&a.value, &b.value)
        }
        (Expr::Param(a), Expr::Param(b)) => a.kind == b.kind && a.id == b.id && a.ty == b.ty,
        (Expr::Func(a), Expr::Func(b)) => {
            a.func == b.func
                && a.ty == b.ty
                && a.variadic == b.variadic
                && a.input_collation == b.input_collation
                && equal_list(&a.args, &b.args)
        }
        (Expr::Op(a), Expr::Op(b))
        | (Expr::Distinct(a), Expr::Distinct(b))
        | (Expr::NullIf(a), Expr::NullIf(b)) => {
            a.op == b.op && a.input_collation == b.input_collation && equal_list(&a.args, &b.args)
        }
        (Expr::ScalarArrayOp(a), Expr::ScalarArrayOp(b)) => {
            a.op == b.op
                && a.use_or == b.use_or
                && a.input_collation == b.input_collation
                && equal_list(&a.args, &b.args)
        }
        (Expr::Bool { op: oa, args: a, .. }, Expr::Bool { op: ob, args: b, .. }) => {
            oa == ob && equal_list(a, b)
        }
        (Expr::Aggref(a), Expr::Aggref(b)) => equal_aggref(a, b),
        (Expr::Grouping { refs: ra, levels_up: la, .. }, Expr::Grouping { refs: rb, levels_up: lb, .. }) => {
            ra == rb && la == lb
        }
        (Expr::WindowFunc(a), Expr::WindowFunc(b)) => {
            a.func == b.func
                && a.winref == b.winref
                && a.star == b.star
                && a.input_collation == b.input_collation
                && equal_list(&a.args, &b.args)
                && equal_opt(&a.filter, &b.filter)
        }
        (Expr::SubPlan(a), Expr::SubPlan(b)) => {
            a.plan == b.plan
                && a.kind == b.kind
                && equal_opt(&a.test, &b.test)
                && equal_list(&a.args, &b.args)
        }
        _ => equal_wrappers(a, b),
    }
}

fn equal_wrappers(a: &Expr, b: &Expr) -> bool {
    match (a, b) {
        (
            Expr::FieldSelect { arg: a, field: fa, ty: ta, .. },
            Expr::FieldSelect { arg: b, field: fb, ty: tb, .. },
        ) => fa == fb && ta == tb && equal(a, b),
        (
            Expr::FieldStore { arg: a, fields: fa, ty: ta },
            Expr::FieldStore { arg: b, fields: fb, ty: tb },
        ) => {
            ta == tb
                && equal(a, b)
                && fa.len() == fb.len()
                && fa.iter().zip(fb).all(|(x, y)| x.0 == y.0 && equal(&x.1, &y.1))
        }
        (Expr::Subscript(a), Expr::Subscript(b)) => {
            a.is_slice == b.is_slice
                && a.ty == b.ty
                && equal(&a.container, &b.container)
                && equal_opts(&a.upper, &b.upper)
                && equal_opts(&a.lower, &b.lower)
                && equal_opt(&a.assign, &b.assign)
        }
        (
            Expr::Relabel { arg: a, ty: ta, typmod: ma, collation: ca, .. },
            Expr::Relabel { arg: b, ty: tb, typmod: mb, collation: cb, .. },
        ) => ta == tb && ma == mb && ca == cb && equal(a, b),
        (Expr::CoerceViaIo { arg: a, ty: ta, .. }, Expr::CoerceViaIo { arg: b, ty: tb, .. }) => {
            ta == tb && equal(a, b)
        }
        (
            Expr::ArrayCoerce { arg: a, elem: ea, ty: ta, typmod: ma, .. },
            Expr::ArrayCoerce { arg: b, elem: eb, ty: tb, typmod: mb, .. },
        ) => ta == tb && ma == mb && equal(a, b) && equal(ea, eb),
        (Expr::ConvertRowtype { arg: a, ty: ta, .. }, Expr::ConvertRowtype { arg: b, ty: tb, .. }) => {
            ta == tb && equal(a, b)
        }
        (Expr::Collate { arg: a, collation: ca, .. }, Expr::Collate { arg: b, collation: cb, .. }) => {
            ca == cb && equal(a, b)
        }
        (Expr::Case(a), Expr::Case(b)) => {
            a.ty == b.ty
                && equal_opt(&a.arg, &b.arg)
                && a.whens.len() == b.whens.len()
                && a.whens.iter().zip(&b.whens).all(|(x, y)| equal(&x.0, &y.0) && equal(&x.1, &y.1))
                && equal_opt(&a.default, &b.default)
        }
        (Expr::CaseTest { ty: a, .. }, Expr::CaseTest { ty: b, .. }) => a == b,
        (Expr::Array { elements: a, ty: ta, .. }, Expr::Array { elements: b, ty: tb, .. }) => {
            ta == tb && equal_list(a, b)
        }
        (Expr::Row { args: a, ty: ta, .. }, Expr::Row { args: b, ty: tb, .. }) => {
            ta == tb && equal_list(a, b)
        }
        (Expr::RowCompare(a), Expr::RowCompare(b)) => {
            a.kind == b.kind
                && a.ops == b.ops
                && equal_list(&a.left, &b.left)
                && equal_list(&a.right, &b.right)
        }
        (Expr::Coalesce { args: a, ty: ta, .. }, Expr::Coalesce { args: b, ty: tb, .. }) => {
            ta == tb && equal_list(a, b)
        }
        (Expr::MinMax { greatest: ga, args: a, .. }, Expr::MinMax { greatest: gb, args: b, .. }) => {
            ga == gb && equal_list(a, b)
        }
        (Expr::SqlValue { func: a, typmod: ma, .. }, Expr::SqlValue { func: b, typmod: mb, .. }) => {
            a == b && ma == mb
        }
        (
            Expr::NullTest { arg: a, is_null: na, arg_is_row: ra, .. },
            Expr::NullTest { arg: b, is_null: nb, arg_is_row: rb, .. },
        ) => na == nb && ra == rb && equal(a, b),
        (Expr::BooleanTest { arg: a, test: ta, .. }, Expr::BooleanTest { arg: b, test: tb, .. }) => {
            ta == tb && equal(a, b)
        }
        (
            Expr::CoerceToDomain { arg: a, ty: ta, typmod: ma, .. },
            Expr::CoerceToDomain { arg: b, ty: tb, typmod: mb, .. },
        ) => ta == tb && ma == mb && equal(a, b),
        (
            Expr::CurrentOf { rte: ra, cursor: a, param: pa },
            Expr::CurrentOf { rte: rb, cursor: b, param: pb },
        ) => ra == rb && a == b && pa == pb,
        (Expr::SubLink(a), Expr::SubLink(b)) => {
            // Why: two sublinks are the same only when they are the same text; a debug rendering compares everything.
            a.kind == b.kind && format!("{a:?}") == format!("{b:?}")
        }
        (Expr::Xml(_), Expr::Xml(_)) | (Expr::Json(_), Expr::Json(_)) => format!("{a:?}") == format!("{b:?}"),
        _ => false,
    }
}

pub(crate) fn equal_var(a: &Var, b: &Var) -> bool {
    a.rte == b.rte && a.attno == b.attno && a.levels_up == b.levels_up && a.returning == b.returning
}

fn equal_aggref(a: &Aggref, b: &Aggref) -> bool {
    a.func == b.func
        && a.star == b.star
        && a.variadic == b.variadic
        && a.levels_up == b.levels_up
        && a.input_collation == b.input_collation
        && equal_list(&a.direct_args, &b.direct_args)
        && equal_targets(&a.args, &b.args)
        && same_clauses(&a.order, &b.order)
        && same_clauses(&a.distinct, &b.distinct)
        && equal_opt(&a.filter, &b.filter)
}

fn same_clauses(a: &[SortGroupClause], b: &[SortGroupClause]) -> bool {
    a == b
}

fn equal_targets(a: &[TargetEntry], b: &[TargetEntry]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(x, y)| equal(&x.expr, &y.expr))
}

/// Same length, and equal pairwise.
pub(crate) fn equal_list(a: &[Expr], b: &[Expr]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(x, y)| equal(x, y))
}

fn equal_opt(a: &Option<Expr>, b: &Option<Expr>) -> bool {
    match (a, b) {
        (None, None) => true,
        (Some(a), Some(b)) => equal(a, b),
        _ => false,
    }
}

fn equal_opts(a: &[Option<Expr>], b: &[Option<Expr>]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(x, y)| equal_opt(x, y))
}

/// Same value, bit for bit as far as it matters to a plan.
pub(crate) fn equal_datum(a: &Datum, b: &Datum) -> bool {
    if std::mem::discriminant(a) != std::mem::discriminant(b) {
        return false;
    }
    match (a, b) {
        (Datum::Null, Datum::Null) => true,
        (Datum::Float4(a), Datum::Float4(b)) => a.to_bits() == b.to_bits(),
        (Datum::Float8(a), Datum::Float8(b)) => a.to_bits() == b.to_bits(),
        (
            Datum::Bool(_)
            | Datum::Char(_)
            | Datum::Int2(_)
            | Datum::Int4(_)
            | Datum::Int8(_)
            | Datum::Oid(_)
            | Datum::Text(_)
            | Datum::Bytea(_),
            _,
        ) => compare::eq(a, b),
        _ => format!("{a:?}") == format!("{b:?}"),
    }
}

/// True when `list` has an expression equal to `e`.
pub(crate) fn member(list: &[Expr], e: &Expr) -> bool {
    list.iter().any(|x| equal(x, e))
}
