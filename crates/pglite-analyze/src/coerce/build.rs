//! Building the expressions that perform a coercion.

use super::{How, Path, relabel};
use crate::prelude::*;

impl Analyzer<'_, '_> {
    /// PostgreSQL's `build_coercion_expression`.
    pub(super) fn build_coercion(
        &mut self,
        expr: Expr,
        path: Path,
        target: Oid,
        typmod: i32,
        how: How,
    ) -> PgResult<Expr> {
        match path {
            Path::Func(func) => {
                let nargs = self.cat.proc(func)?.pronargs;
                let mut args = vec![expr];
                if nargs >= 2 {
                    args.push(Expr::constant(oid::INT4, Datum::Int4(typmod)));
                }
                if nargs == 3 {
                    args.push(Expr::bool(how.context == CoercionContext::Explicit));
                }
                Ok(Expr::Func(Box::new(FuncExpr {
                    func,
                    ty: target,
                    retset: false,
                    variadic: false,
                    form: how.form,
                    collation: Oid::INVALID,
                    input_collation: Oid::INVALID,
                    args,
                    location: how.location,
                })))
            }
            Path::ArrayCoerce => self.build_array_coercion(expr, target, typmod, how),
            Path::ViaIo => Ok(Expr::CoerceViaIo {
                arg: Box::new(expr),
                ty: target,
                collation: Oid::INVALID,
                form: how.form,
                location: how.location,
            }),
            Path::Relabel | Path::None => Ok(expr),
        }
    }

    fn build_array_coercion(&mut self, expr: Expr, target: Oid, typmod: i32, how: How) -> PgResult<Expr> {
        let (source, source_mod) = self.cat.base_type_mod(expr.ty(), expr.typmod());
        let (base, base_mod) = self.cat.base_type_mod(target, typmod);
        let source_elem = self.cat.element_type(source);
        let elem = Expr::CaseTest { ty: source_elem, typmod: source_mod, collation: Oid::INVALID };
        let elem = match self.coerce_to_target(elem, self.cat.element_type(base), base_mod, how)? {
            Ok(e) => e,
            Err(_) => return Err(PgError::internal("failed to coerce array element type as expected")),
        };
        Ok(Expr::ArrayCoerce {
            arg: Box::new(expr),
            elem: Box::new(elem),
            ty: target,
            typmod,
            collation: Oid::INVALID,
            form: how.form,
            location: how.location,
        })
    }

    /// PostgreSQL's `coerce_type_typmod`: applies a length coercion where the type has one.
    pub(crate) fn coerce_typmod(
        &mut self,
        mut expr: Expr,
        target: Oid,
        typmod: i32,
        how: How,
        hide: bool,
    ) -> PgResult<Expr> {
        if typmod == expr.typmod() {
            return Ok(expr);
        }
        if hide {
            hide_coercion(&mut expr);
        }
        let path = if typmod < 0 { None } else { self.cat.typmod_coercion(target) };
        if let Some(path) = path {
            return self.build_coercion(expr, path, target, typmod, how);
        }
        let collation = expr.collation();
        Ok(apply_relabel(expr, target, typmod, collation, how))
    }

    /// PostgreSQL's `coerce_to_domain`: adds the domain's checks over a value of its base type.
    pub(crate) fn coerce_to_domain(
        &mut self,
        mut expr: Expr,
        base: Oid,
        base_mod: i32,
        target: Oid,
        how: How,
        hide: bool,
    ) -> PgResult<Expr> {
        if base == target {
            return Ok(expr);
        }
        if hide {
            hide_coercion(&mut expr);
        }
        let inner = How { form: CoercionForm::ImplicitCast, ..how };
        let arg = self.coerce_typmod(expr, base, base_mod, inner, false)?;
        Ok(Expr::CoerceToDomain {
            arg: Box::new(arg),
            ty: target,
            typmod: -1,
            collation: Oid::INVALID,
            form: how.form,
            location: how.location,
        })
    }
}

/// Shows the type and typmod of an expression without work at run time; folds into constants and other relabels.
pub(crate) fn apply_relabel(expr: Expr, ty: Oid, typmod: i32, collation: Oid, how: How) -> Expr {
    match expr {
        Expr::Const(mut c) => {
            c.ty = ty;
            c.typmod = typmod;
            c.collation = collation;
            Expr::Const(c)
        }
        expr if expr.ty() == ty && expr.typmod() == typmod && expr.collation() == collation => expr,
        expr => relabel(expr, ty, typmod, collation, how.form, how.location),
    }
}

/// Nested coercion steps are printed as one cast: the inner ones become implicit.
pub(crate) fn hide_coercion(expr: &mut Expr) {
    let implicit = CoercionForm::ImplicitCast;
    match expr {
        Expr::Func(f) => f.form = implicit,
        Expr::Relabel { form, .. }
        | Expr::CoerceViaIo { form, .. }
        | Expr::ArrayCoerce { form, .. }
        | Expr::ConvertRowtype { form, .. }
        | Expr::Row { form, .. }
        | Expr::CoerceToDomain { form, .. } => *form = implicit,
        _ => {}
    }
}
