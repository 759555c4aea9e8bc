//! Equality of bound expressions as PostgreSQL's `equal()` sees it: places and printing forms do not count.

use std::fmt::Write;

use crate::prelude::*;

/// Whether two expressions compute the same thing in the same way.
pub(crate) fn equal(a: &Expr, b: &Expr) -> bool {
    match (a, b) {
        (Expr::Var(x), Expr::Var(y)) => same_var(x, y),
        (Expr::Param(x), Expr::Param(y)) => x.kind == y.kind && x.id == y.id && x.ty == y.ty,
        _ if std::mem::discriminant(a) != std::mem::discriminant(b) => false,
        _ => fingerprint(a) == fingerprint(b),
    }
}

pub(crate) fn same_var(x: &Var, y: &Var) -> bool {
    x.rte == y.rte
        && x.attno == y.attno
        && x.levels_up == y.levels_up
        && x.ty == y.ty
        && x.typmod == y.typmod
        && x.returning == y.returning
}

/// The printed structure without the fields that do not count.
fn fingerprint(e: &Expr) -> String {
    let mut text = String::new();
    let _ = write!(text, "{e:?}");
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_str();
    const SKIP: [&str; 4] = ["location: ", "form: ", "syn_rte: ", "syn_attno: "];
    loop {
        let next = SKIP.iter().filter_map(|s| rest.find(s).map(|at| (at, s.len()))).min();
        let Some((at, len)) = next else {
            out.push_str(rest);
            return out;
        };
        out.push_str(&rest[..at]);
        rest = rest[at + len..].trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '-');
    }
}

/// The expression under implicit coercions (PostgreSQL's `strip_implicit_coercions`).
pub(crate) fn strip_implicit(e: &Expr) -> &Expr {
    match e {
        Expr::Func(f) if f.form == CoercionForm::ImplicitCast && !f.args.is_empty() => {
            strip_implicit(&f.args[0])
        }
        Expr::Relabel { arg, form: CoercionForm::ImplicitCast, .. }
        | Expr::CoerceViaIo { arg, form: CoercionForm::ImplicitCast, .. }
        | Expr::ArrayCoerce { arg, form: CoercionForm::ImplicitCast, .. }
        | Expr::ConvertRowtype { arg, form: CoercionForm::ImplicitCast, .. }
        | Expr::CoerceToDomain { arg, form: CoercionForm::ImplicitCast, .. } => strip_implicit(arg),
        other => other,
    }
}
