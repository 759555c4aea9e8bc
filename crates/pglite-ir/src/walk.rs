//! Walking expression trees: children by reference or for rewriting, and an expression's type, typmod and collation.
//!
//! The walkers see expressions only; a SubLink's query is reached through [`crate::Query`] by callers that want it.

use pglite_types::{Oid, oid};

use crate::expr::*;

/// Calls `f` on each direct child. Stops early when `f` returns true, and returns true then.
pub fn any_child(expr: &Expr, f: &mut dyn FnMut(&Expr) -> bool) -> bool {
    any_child_ref(expr, f)
}

/// [`any_child`], handing out references that live as long as the tree.
pub fn any_child_ref<'a>(expr: &'a Expr, f: &mut dyn FnMut(&'a Expr) -> bool) -> bool {
    match expr {
        Expr::Const(_)
        | Expr::Var(_)
        | Expr::Param(_)
        | Expr::CaseTest { .. }
        | Expr::SqlValue { .. }
        | Expr::CoerceToDomainValue { .. }
        | Expr::SetToDefault { .. }
        | Expr::CurrentOf { .. }
        | Expr::NextValue { .. }
        | Expr::MultiAssign { .. } => false,
        Expr::Func(x) => x.args.iter().any(f),
        Expr::Op(x) | Expr::Distinct(x) | Expr::NullIf(x) => x.args.iter().any(f),
        Expr::ScalarArrayOp(x) => x.args.iter().any(f),
        Expr::Bool { args, .. }
        | Expr::Coalesce { args, .. }
        | Expr::MinMax { args, .. }
        | Expr::Row { args, .. }
        | Expr::Grouping { args, .. } => args.iter().any(f),
        Expr::Aggref(a) => {
            a.direct_args.iter().any(&mut *f)
                || a.args.iter().any(|t| f(&t.expr))
                || a.filter.as_ref().is_some_and(f)
        }
        Expr::WindowFunc(w) => w.args.iter().any(&mut *f) || w.filter.as_ref().is_some_and(f),
        Expr::SubLink(s) => s.test.as_ref().is_some_and(f),
        Expr::SubPlan(s) => s.test.as_ref().is_some_and(&mut *f) || s.args.iter().any(f),
        Expr::FieldSelect { arg, .. }
        | Expr::Relabel { arg, .. }
        | Expr::CoerceViaIo { arg, .. }
        | Expr::ConvertRowtype { arg, .. }
        | Expr::Collate { arg, .. }
        | Expr::NullTest { arg, .. }
        | Expr::BooleanTest { arg, .. }
        | Expr::CoerceToDomain { arg, .. }
        | Expr::NamedArg { arg, .. } => f(arg),
        Expr::FieldStore { arg, fields, .. } => f(arg) || fields.iter().any(|(_, e)| f(e)),
        Expr::Subscript(s) => {
            f(&s.container)
                || s.upper.iter().flatten().any(&mut *f)
                || s.lower.iter().flatten().any(&mut *f)
                || s.assign.as_ref().is_some_and(f)
        }
        Expr::ArrayCoerce { arg, elem, .. } => f(arg) || f(elem),
        Expr::Case(c) => {
            c.arg.as_ref().is_some_and(&mut *f)
                || c.whens.iter().any(|(w, t)| f(w) || f(t))
                || c.default.as_ref().is_some_and(f)
        }
        Expr::Array { elements, .. } => elements.iter().any(f),
        Expr::RowCompare(r) => r.left.iter().any(&mut *f) || r.right.iter().any(f),
        Expr::Xml(x) => x.named_args.iter().any(&mut *f) || x.args.iter().any(f),
        Expr::Json(j) => {
            j.args.iter().any(&mut *f)
                || j.passing.iter().any(|(_, e)| f(e))
                || [&j.on_empty, &j.on_error]
                    .into_iter()
                    .flatten()
                    .any(|b| b.expr.as_ref().is_some_and(&mut *f))
                || j.coercion.as_ref().is_some_and(f)
        }
    }
}

/// Calls `f` on each direct child, for rewriting in place; the first error stops the walk.
pub fn each_child_mut<E>(expr: &mut Expr, f: &mut dyn FnMut(&mut Expr) -> Result<(), E>) -> Result<(), E> {
    match expr {
        Expr::Const(_)
        | Expr::Var(_)
        | Expr::Param(_)
        | Expr::CaseTest { .. }
        | Expr::SqlValue { .. }
        | Expr::CoerceToDomainValue { .. }
        | Expr::SetToDefault { .. }
        | Expr::CurrentOf { .. }
        | Expr::NextValue { .. }
        | Expr::MultiAssign { .. } => Ok(()),
        Expr::Func(x) => x.args.iter_mut().try_for_each(f),
        Expr::Op(x) | Expr::Distinct(x) | Expr::NullIf(x) => x.args.iter_mut().try_for_each(f),
        Expr::ScalarArrayOp(x) => x.args.iter_mut().try_for_each(f),
        Expr::Bool { args, .. }
        | Expr::Coalesce { args, .. }
        | Expr::MinMax { args, .. }
        | Expr::Row { args, .. }
        | Expr::Grouping { args, .. } => args.iter_mut().try_for_each(f),
        Expr::Aggref(a) => {
            a.direct_args.iter_mut().try_for_each(&mut *f)?;
            a.args.iter_mut().try_for_each(|t| f(&mut t.expr))?;
            a.filter.iter_mut().try_for_each(f)
        }
        Expr::WindowFunc(w) => {
            w.args.iter_mut().try_for_each(&mut *f)?;
            w.filter.iter_mut().try_for_each(f)
        }
        Expr::SubLink(s) => s.test.iter_mut().try_for_each(f),
        Expr::SubPlan(s) => {
            s.test.iter_mut().try_for_each(&mut *f)?;
            s.args.iter_mut().try_for_each(f)
        }
        Expr::FieldSelect { arg, .. }
        | Expr::Relabel { arg, .. }
        | Expr::CoerceViaIo { arg, .. }
        | Expr::ConvertRowtype { arg, .. }
        | Expr::Collate { arg, .. }
        | Expr::NullTest { arg, .. }
        | Expr::BooleanTest { arg, .. }
        | Expr::CoerceToDomain { arg, .. }
        | Expr::NamedArg { arg, .. } => f(arg),
        Expr::FieldStore { arg, fields, .. } => {
            f(arg)?;
            fields.iter_mut().try_for_each(|(_, e)| f(e))
        }
        Expr::Subscript(s) => {
            f(&mut s.container)?;
            s.upper.iter_mut().flatten().try_for_each(&mut *f)?;
            s.lower.iter_mut().flatten().try_for_each(&mut *f)?;
            s.assign.iter_mut().try_for_each(f)
        }
        Expr::ArrayCoerce { arg, elem, .. } => {
            f(arg)?;
            f(elem)
        }
        Expr::Case(c) => {
            c.arg.iter_mut().try_for_each(&mut *f)?;
            for (when, then) in &mut c.whens {
                f(when)?;
                f(then)?;
            }
            c.default.iter_mut().try_for_each(f)
        }
        Expr::Array { elements, .. } => elements.iter_mut().try_for_each(f),
        Expr::RowCompare(r) => {
            r.left.iter_mut().try_for_each(&mut *f)?;
            r.right.iter_mut().try_for_each(f)
        }
        Expr::Xml(x) => {
            x.named_args.iter_mut().try_for_each(&mut *f)?;
            x.args.iter_mut().try_for_each(f)
        }
        Expr::Json(j) => {
            j.args.iter_mut().try_for_each(&mut *f)?;
            j.passing.iter_mut().try_for_each(|(_, e)| f(e))?;
            for b in [&mut j.on_empty, &mut j.on_error].into_iter().flatten() {
                b.expr.iter_mut().try_for_each(&mut *f)?;
            }
            j.coercion.iter_mut().try_for_each(f)
        }
    }
}

/// True when `pred` holds for the expression or anything below it (not inside sublink queries).
pub fn contains(expr: &Expr, pred: &dyn Fn(&Expr) -> bool) -> bool {
    pred(expr) || any_child(expr, &mut |c| contains(c, pred))
}

impl Expr {
    /// The result type.
    pub fn ty(&self) -> Oid {
        match self {
            Expr::Const(c) => c.ty,
            Expr::Var(v) => v.ty,
            Expr::Param(p) => p.ty,
            Expr::Func(x) => x.ty,
            Expr::Op(x) => x.ty,
            Expr::NullIf(x) => x.args.first().map_or(x.ty, Expr::ty),
            Expr::Distinct(_)
            | Expr::ScalarArrayOp(_)
            | Expr::Bool { .. }
            | Expr::RowCompare(_)
            | Expr::NullTest { .. }
            | Expr::BooleanTest { .. }
            | Expr::CurrentOf { .. } => oid::BOOL,
            Expr::Aggref(a) => a.ty,
            Expr::Grouping { .. } => oid::INT4,
            Expr::WindowFunc(w) => w.ty,
            Expr::SubLink(s) => sublink_type(s).0,
            Expr::SubPlan(s) => s.ty,
            Expr::FieldSelect { ty, .. }
            | Expr::FieldStore { ty, .. }
            | Expr::Relabel { ty, .. }
            | Expr::CoerceViaIo { ty, .. }
            | Expr::ArrayCoerce { ty, .. }
            | Expr::ConvertRowtype { ty, .. }
            | Expr::CaseTest { ty, .. }
            | Expr::Array { ty, .. }
            | Expr::Row { ty, .. }
            | Expr::Coalesce { ty, .. }
            | Expr::MinMax { ty, .. }
            | Expr::SqlValue { ty, .. }
            | Expr::CoerceToDomain { ty, .. }
            | Expr::CoerceToDomainValue { ty, .. }
            | Expr::SetToDefault { ty, .. }
            | Expr::NextValue { ty, .. }
            | Expr::MultiAssign { ty, .. } => *ty,
            Expr::Subscript(s) => s.ty,
            Expr::Collate { arg, .. } | Expr::NamedArg { arg, .. } => arg.ty(),
            Expr::Case(c) => c.ty,
            Expr::Xml(x) => x.ty,
            Expr::Json(j) => j.ty,
        }
    }

    /// The result typmod, -1 when unknown.
    pub fn typmod(&self) -> i32 {
        match self {
            Expr::Const(c) => c.typmod,
            Expr::Var(v) => v.typmod,
            Expr::Param(p) => p.typmod,
            Expr::FieldSelect { typmod, .. }
            | Expr::Relabel { typmod, .. }
            | Expr::ArrayCoerce { typmod, .. }
            | Expr::CaseTest { typmod, .. }
            | Expr::SqlValue { typmod, .. }
            | Expr::CoerceToDomain { typmod, .. }
            | Expr::CoerceToDomainValue { typmod, .. }
            | Expr::SetToDefault { typmod, .. }
            | Expr::MultiAssign { typmod, .. } => *typmod,
            Expr::Subscript(s) => s.typmod,
            Expr::SubPlan(s) => s.typmod,
            Expr::SubLink(s) => sublink_type(s).1,
            Expr::Collate { arg, .. } | Expr::NamedArg { arg, .. } => arg.typmod(),
            Expr::NullIf(x) => x.args.first().map_or(-1, Expr::typmod),
            Expr::Func(x) => length_coercion_typmod(x),
            Expr::Case(c) => {
                let arms = c.whens.iter().map(|(_, t)| t).chain(c.default.as_ref());
                common_typmod(c.ty, arms, c.default.is_none())
            }
            Expr::Coalesce { args, ty, .. } | Expr::MinMax { args, ty, .. } => {
                common_typmod(*ty, args.iter(), false)
            }
            Expr::Array { elements, elem_type, .. } => common_typmod(*elem_type, elements.iter(), false),
            Expr::Json(j) => j.typmod,
            _ => -1,
        }
    }

    /// The result collation, INVALID when the type has none.
    pub fn collation(&self) -> Oid {
        match self {
            Expr::Const(c) => c.collation,
            Expr::Var(v) => v.collation,
            Expr::Param(p) => p.collation,
            Expr::Func(x) => x.collation,
            Expr::Op(x) | Expr::NullIf(x) => x.collation,
            Expr::Aggref(a) => a.collation,
            Expr::WindowFunc(w) => w.collation,
            Expr::SubLink(s) => sublink_type(s).2,
            Expr::SubPlan(s) => s.collation,
            Expr::FieldSelect { collation, .. }
            | Expr::Relabel { collation, .. }
            | Expr::CoerceViaIo { collation, .. }
            | Expr::ArrayCoerce { collation, .. }
            | Expr::Collate { collation, .. }
            | Expr::CaseTest { collation, .. }
            | Expr::Array { collation, .. }
            | Expr::Coalesce { collation, .. }
            | Expr::MinMax { collation, .. }
            | Expr::CoerceToDomain { collation, .. }
            | Expr::CoerceToDomainValue { collation, .. }
            | Expr::SetToDefault { collation, .. }
            | Expr::MultiAssign { collation, .. } => *collation,
            Expr::Subscript(s) => s.collation,
            Expr::Case(c) => c.collation,
            Expr::NamedArg { arg, .. } => arg.collation(),
            Expr::SqlValue { ty, .. } if *ty == oid::NAME => Oid(950),
            Expr::Json(j) => j.collation,
            _ => Oid::INVALID,
        }
    }

    /// Byte offset of the leftmost token, -1 when unknown.
    pub fn location(&self) -> i32 {
        let leftmost = |own: i32, args: &[Expr]| {
            args.first()
                .map(Expr::location)
                .filter(|l| *l >= 0)
                .map_or(own, |l| if own < 0 { l } else { l.min(own) })
        };
        match self {
            Expr::Const(c) => c.location,
            Expr::Var(v) => v.location,
            Expr::Param(p) => p.location,
            Expr::Func(x) => leftmost(x.location, &x.args),
            Expr::Op(x) | Expr::Distinct(x) | Expr::NullIf(x) => leftmost(x.location, &x.args),
            Expr::ScalarArrayOp(x) => leftmost(x.location, &x.args),
            Expr::Bool { args, location, .. } => leftmost(*location, args),
            Expr::Aggref(a) => a.location,
            Expr::WindowFunc(w) => w.location,
            Expr::SubLink(s) => match &s.test {
                Some(t) if t.location() >= 0 => t.location().min(s.location),
                _ => s.location,
            },
            Expr::Grouping { location, .. }
            | Expr::Array { location, .. }
            | Expr::Row { location, .. }
            | Expr::Coalesce { location, .. }
            | Expr::MinMax { location, .. }
            | Expr::SqlValue { location, .. }
            | Expr::CoerceToDomainValue { location, .. }
            | Expr::SetToDefault { location, .. } => *location,
            Expr::Relabel { arg, location, .. }
            | Expr::CoerceViaIo { arg, location, .. }
            | Expr::ArrayCoerce { arg, location, .. }
            | Expr::ConvertRowtype { arg, location, .. }
            | Expr::Collate { arg, location, .. }
            | Expr::NullTest { arg, location, .. }
            | Expr::BooleanTest { arg, location, .. }
            | Expr::CoerceToDomain { arg, location, .. }
            | Expr::NamedArg { arg, location, .. } => leftmost(*location, std::slice::from_ref(arg)),
            Expr::FieldSelect { arg, .. } | Expr::FieldStore { arg, .. } => arg.location(),
            Expr::Subscript(s) => s.container.location(),
            Expr::Case(c) => c.location,
            Expr::RowCompare(r) => r.left.first().map_or(-1, Expr::location),
            Expr::Xml(x) => x.location,
            Expr::Json(j) => j.location,
            _ => -1,
        }
    }
}

/// Type, typmod and collation of an EXPR or ARRAY sublink's value. ARRAY needs the catalog's array type, which analyze
/// puts into the test slot as a typed null.
fn sublink_type(s: &SubLink) -> (Oid, i32, Oid) {
    match s.kind {
        SubLinkKind::Expr | SubLinkKind::Array | SubLinkKind::MultiExpr => {
            if let (SubLinkKind::Array, Some(t)) = (s.kind, &s.test) {
                return (t.ty(), -1, t.collation());
            }
            match s.query.targets.iter().find(|t| !t.junk) {
                _ if s.kind == SubLinkKind::MultiExpr => (oid::RECORD, -1, Oid::INVALID),
                Some(t) => (t.expr.ty(), t.expr.typmod(), t.expr.collation()),
                None => (oid::UNKNOWN, -1, Oid::INVALID),
            }
        }
        _ => (oid::BOOL, -1, Oid::INVALID),
    }
}

/// A length-coercion cast `f(value, typmod const, ...)` keeps the typmod it casts to.
fn length_coercion_typmod(x: &FuncExpr) -> i32 {
    if !matches!(x.form, CoercionForm::ExplicitCast | CoercionForm::ImplicitCast)
        || !(2..=3).contains(&x.args.len())
    {
        return -1;
    }
    match &x.args[1] {
        Expr::Const(c) if c.ty == oid::INT4 => match c.value {
            pglite_types::Datum::Int4(t) => t,
            _ => -1,
        },
        _ => -1,
    }
}

fn common_typmod<'a>(ty: Oid, mut args: impl Iterator<Item = &'a Expr>, missing: bool) -> i32 {
    if missing {
        return -1;
    }
    let Some(first) = args.next() else { return -1 };
    if first.ty() != ty {
        return -1;
    }
    let typmod = first.typmod();
    if args.all(|a| a.ty() == ty && a.typmod() == typmod) { typmod } else { -1 }
}
