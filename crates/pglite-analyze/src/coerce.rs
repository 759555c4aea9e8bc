//! Type coercion: which casts apply where, and the expressions that perform them.
//!
//! Invariant: an unknown literal becomes a constant of the target type here and nowhere else, through the type's input
//! function, with the literal's position in its errors.

mod build;
mod common;
mod polymorphic;
mod record;

use crate::prelude::*;

/// How strongly a coercion is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CoercionContext {
    Implicit,
    Assignment,
    PlPgSql,
    Explicit,
}

/// How one type becomes another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Path {
    None,
    Func(Oid),
    Relabel,
    ArrayCoerce,
    ViaIo,
}

/// The parameters of one coercion besides the types.
#[derive(Clone, Copy)]
pub(crate) struct How {
    pub context: CoercionContext,
    pub form: CoercionForm,
    pub location: i32,
}

impl How {
    pub const IMPLICIT: How =
        How { context: CoercionContext::Implicit, form: CoercionForm::ImplicitCast, location: -1 };
    pub const ASSIGNMENT: How =
        How { context: CoercionContext::Assignment, form: CoercionForm::ImplicitCast, location: -1 };
}

/// The polymorphic pseudo-types of the "any" family and of the "anycompatible" family.
pub(crate) fn is_polymorphic(ty: Oid) -> bool {
    is_family1(ty) || is_family2(ty)
}

pub(crate) fn is_family1(ty: Oid) -> bool {
    matches!(
        ty,
        oid::ANYELEMENT
            | oid::ANYARRAY
            | oid::ANYNONARRAY
            | oid::ANYENUM
            | oid::ANYRANGE
            | oid::ANYMULTIRANGE
    )
}

pub(crate) fn is_family2(ty: Oid) -> bool {
    matches!(
        ty,
        oid::ANYCOMPATIBLE
            | oid::ANYCOMPATIBLEARRAY
            | oid::ANYCOMPATIBLENONARRAY
            | oid::ANYCOMPATIBLERANGE
            | oid::ANYCOMPATIBLEMULTIRANGE
    )
}

/// Target types that take any value as it is, unknown literals included.
fn accepts_as_is(target: Oid) -> bool {
    matches!(
        target,
        oid::ANY | oid::ANYELEMENT | oid::ANYNONARRAY | oid::ANYCOMPATIBLE | oid::ANYCOMPATIBLENONARRAY
    )
}

fn needs_container(target: Oid) -> bool {
    matches!(
        target,
        oid::ANYARRAY
            | oid::ANYENUM
            | oid::ANYRANGE
            | oid::ANYMULTIRANGE
            | oid::ANYCOMPATIBLEARRAY
            | oid::ANYCOMPATIBLERANGE
            | oid::ANYCOMPATIBLEMULTIRANGE
    )
}

impl<'e> Cat<'e> {
    /// PostgreSQL's `find_coercion_pathway`.
    pub fn coercion_path(self, target: Oid, source: Oid, context: CoercionContext) -> Path {
        let (source, target) = (self.base_type(source), self.base_type(target));
        if source == target {
            return Path::Relabel;
        }
        if let Some(cast) = self.cast(source, target) {
            let needed = match cast.castcontext {
                b'i' => CoercionContext::Implicit,
                b'a' => CoercionContext::Assignment,
                _ => CoercionContext::Explicit,
            };
            if context < needed {
                return Path::None;
            }
            return match cast.castmethod {
                b'f' => Path::Func(cast.castfunc),
                b'i' => Path::ViaIo,
                _ => Path::Relabel,
            };
        }
        if target != oid::OIDVECTOR && target != oid::INT2VECTOR {
            let (te, se) = (self.element_type(target), self.element_type(source));
            if te.is_valid() && se.is_valid() && self.coercion_path(te, se, context) != Path::None {
                return Path::ArrayCoerce;
            }
        }
        let string_target = self.category(target).0 == b'S';
        let string_source = self.category(source).0 == b'S';
        if (context >= CoercionContext::Assignment && string_target)
            || (context >= CoercionContext::Explicit && string_source)
            || context == CoercionContext::PlPgSql
        {
            return Path::ViaIo;
        }
        Path::None
    }

    /// PostgreSQL's `can_coerce_type` for a list of arguments.
    pub fn can_coerce_types(self, inputs: &[Oid], targets: &[Oid], context: CoercionContext) -> bool {
        let mut generic = false;
        for (&input, &target) in inputs.iter().zip(targets) {
            if input == target || target == oid::ANY {
                continue;
            }
            if is_polymorphic(target) {
                generic = true;
                continue;
            }
            if input == oid::UNKNOWN
                || self.coercion_path(target, input, context) != Path::None
                || (input == oid::RECORD && self.is_complex(target))
                || (target == oid::RECORD && self.is_complex(input))
                || (input == oid::RECORD_ARRAY && self.is_complex_array(target))
                || (target == oid::RECORD_ARRAY && self.is_complex_array(input))
                || self.type_inherits_from(input, target)
            {
                continue;
            }
            return false;
        }
        !generic || self.generic_types_consistent(inputs, targets)
    }

    pub fn can_coerce(self, input: Oid, target: Oid, context: CoercionContext) -> bool {
        self.can_coerce_types(&[input], &[target], context)
    }

    /// A composite type or a domain over one.
    pub fn is_complex(self, ty: Oid) -> bool {
        self.type_or_domain_relid(ty).is_valid()
    }

    pub fn is_complex_array(self, ty: Oid) -> bool {
        let elem = self.element_type(ty);
        elem.is_valid() && self.is_complex(elem)
    }

    /// The length coercion of a type: its function, and whether it works on the elements of an array.
    pub fn typmod_coercion(self, ty: Oid) -> Option<Path> {
        let elem = self.element_type(ty);
        let (elem_type, path) = if elem.is_valid() { (elem, Some(Path::ArrayCoerce)) } else { (ty, None) };
        let func = self.cast(elem_type, elem_type).map(|c| c.castfunc).filter(|f| f.is_valid())?;
        Some(path.unwrap_or(Path::Func(func)))
    }
}

impl Analyzer<'_, '_> {
    /// PostgreSQL's `coerce_to_target_type`: `None` when there is no such coercion in the context.
    pub fn coerce_to_target(
        &mut self,
        expr: Expr,
        target: Oid,
        typmod: i32,
        how: How,
    ) -> PgResult<Result<Expr, Expr>> {
        let input = expr.ty();
        if !self.cat.can_coerce(input, target, how.context) {
            return Ok(Err(expr));
        }
        if let Expr::Collate { arg, collation, location } = expr {
            let inner = match self.coerce_to_target(*arg, target, typmod, how)? {
                Ok(e) | Err(e) => e,
            };
            if !self.cat.is_collatable(target) {
                return Ok(Ok(inner));
            }
            return Ok(Ok(Expr::Collate { arg: Box::new(inner), collation, location }));
        }
        let changed = input != target && !accepts_as_is(target);
        let result = self.coerce_type(expr, target, typmod, how)?;
        let hide = changed && !matches!(result, Expr::Const(_));
        Ok(Ok(self.coerce_typmod(result, target, typmod, how, hide)?))
    }

    /// PostgreSQL's `coerce_type`; the caller knows that the coercion is possible.
    pub fn coerce_type(&mut self, expr: Expr, target: Oid, typmod: i32, how: How) -> PgResult<Expr> {
        self.check_depth()?;
        let input = expr.ty();
        if input == target || accepts_as_is(target) {
            return Ok(expr);
        }
        if needs_container(target) && input != oid::UNKNOWN {
            let base = self.cat.base_type(input);
            if base == input {
                return Ok(expr);
            }
            return Ok(relabel(expr, base, -1, Oid::INVALID, how.form, how.location));
        }
        match expr {
            Expr::Const(c) if input == oid::UNKNOWN => self.coerce_unknown(c, target, typmod, how),
            Expr::Param(p) if self.is_variable_param(&p) => self.coerce_param(p, target, how.location),
            Expr::Collate { arg, collation, location } => {
                let arg = Box::new(self.coerce_type(*arg, target, typmod, how)?);
                if !self.cat.is_collatable(target) {
                    return Ok(*arg);
                }
                Ok(Expr::Collate { arg, collation, location })
            }
            expr => self.coerce_by_path(expr, input, target, typmod, how),
        }
    }

    fn coerce_by_path(
        &mut self,
        expr: Expr,
        input: Oid,
        target: Oid,
        typmod: i32,
        how: How,
    ) -> PgResult<Expr> {
        let path = self.cat.coercion_path(target, input, how.context);
        if path != Path::None {
            let (base, base_mod) = self.cat.base_type_mod(target, typmod);
            if path != Path::Relabel {
                let result = self.build_coercion(expr, path, base, base_mod, how)?;
                return self.coerce_to_domain(result, base, base_mod, target, how, true);
            }
            if base != target {
                return self.coerce_to_domain(expr, base, base_mod, target, how, false);
            }
            return Ok(relabel(expr, target, -1, Oid::INVALID, how.form, how.location));
        }
        if input == oid::RECORD && self.cat.is_complex(target) {
            return self.coerce_record(expr, target, how);
        }
        if (target == oid::RECORD && self.cat.is_complex(input))
            || (input == oid::RECORD_ARRAY && self.cat.is_complex_array(target))
            || (target == oid::RECORD_ARRAY && self.cat.is_complex_array(input))
        {
            return Ok(expr);
        }
        if self.cat.type_inherits_from(input, target) {
            let base = self.cat.base_type(input);
            let arg = if base == input {
                expr
            } else {
                relabel(expr, base, -1, Oid::INVALID, CoercionForm::ImplicitCast, -1)
            };
            return Ok(Expr::ConvertRowtype {
                arg: Box::new(arg),
                ty: target,
                form: how.form,
                location: how.location,
            });
        }
        Err(PgError::internal(format!(
            "failed to find conversion function from {} to {}",
            self.cat.format_type(input),
            self.cat.format_type(target)
        )))
    }

    /// An unknown literal becomes a constant of the target type.
    fn coerce_unknown(&mut self, c: Const, target: Oid, typmod: i32, how: How) -> PgResult<Expr> {
        let (base, base_mod) = self.cat.base_type_mod(target, typmod);
        let in_mod = if base == oid::INTERVAL { base_mod } else { -1 };
        let value = match &c.value {
            Datum::Text(s) => pglite_types::text::text_in(self.env.type_env(), base, in_mod, s)
                .map_err(|e| e.at_if_unset(c.location))?,
            _ => Datum::Null,
        };
        let constant = Expr::Const(Const {
            ty: base,
            typmod: in_mod,
            collation: self.cat.type_collation(base),
            value,
            location: c.location,
        });
        self.coerce_to_domain(constant, base, base_mod, target, how, false)
    }

    fn is_variable_param(&self, p: &Param) -> bool {
        self.params.variable && p.kind == ParamKind::External && p.ty == oid::UNKNOWN
    }

    /// An undeclared parameter takes the type of its first use.
    fn coerce_param(&mut self, mut p: Param, target: Oid, location: i32) -> PgResult<Expr> {
        let n = p.id as usize;
        let Some(known) = self.params.types.get_mut(n - 1) else {
            return Err(err!(UNDEFINED_PARAMETER, "there is no parameter ${n}").at(p.location));
        };
        if *known == oid::UNKNOWN {
            *known = target;
        } else if *known != target {
            let detail = format!("{} versus {}", self.cat.format_type(*known), self.cat.format_type(target));
            return Err(err!(AMBIGUOUS_PARAMETER, "inconsistent types deduced for parameter ${n}")
                .detail(detail)
                .at(p.location));
        }
        p.ty = target;
        p.typmod = -1;
        p.collation = self.cat.type_collation(target);
        if location >= 0 && (p.location < 0 || location < p.location) {
            p.location = location;
        }
        Ok(Expr::Param(p))
    }

    /// The error "cannot cast type a to b" with PostgreSQL's choice of position.
    pub fn cannot_cast(&self, from: Oid, to: Oid, location: i32, expr: &Expr) -> PgError {
        let at = if location >= 0 { location } else { expr.location() };
        err!(CANNOT_COERCE, "cannot cast type {} to {}", self.cat.format_type(from), self.cat.format_type(to))
            .at(at)
    }

    /// PostgreSQL's `coerce_to_boolean`: WHERE, HAVING, AND ...
    pub fn coerce_to_boolean(&mut self, expr: Expr, construct: &str) -> PgResult<Expr> {
        self.coerce_to_specific(expr, oid::BOOL, -1, construct)
    }

    /// PostgreSQL's `coerce_to_specific_type_typmod`.
    pub fn coerce_to_specific(
        &mut self,
        expr: Expr,
        target: Oid,
        typmod: i32,
        construct: &str,
    ) -> PgResult<Expr> {
        let input = expr.ty();
        let mut expr = expr;
        if input != target {
            expr = match self.coerce_to_target(expr, target, typmod, How::ASSIGNMENT)? {
                Ok(e) => e,
                Err(e) => {
                    return Err(err!(
                        DATATYPE_MISMATCH,
                        "argument of {construct} must be type {}, not type {}",
                        self.cat.format_type(target),
                        self.cat.format_type(input)
                    )
                    .at(e.location()));
                }
            };
        }
        if returns_set(&expr) {
            return Err(
                err!(DATATYPE_MISMATCH, "argument of {construct} must not return a set").at(expr.location())
            );
        }
        Ok(expr)
    }
}

/// Whether a call below (and not inside an aggregate or window function) returns a set.
pub(crate) fn returns_set(expr: &Expr) -> bool {
    match expr {
        Expr::Func(f) if f.retset => true,
        Expr::Op(o) if o.retset => true,
        Expr::Aggref(_) | Expr::WindowFunc(_) | Expr::Grouping { .. } => false,
        _ => pglite_ir::walk::any_child(expr, &mut returns_set),
    }
}

/// A RelabelType; on a constant or another relabel it changes that node instead.
pub(crate) fn relabel(
    expr: Expr,
    ty: Oid,
    typmod: i32,
    collation: Oid,
    form: CoercionForm,
    location: i32,
) -> Expr {
    Expr::Relabel { arg: Box::new(expr), ty, typmod, collation, form, location }
}
