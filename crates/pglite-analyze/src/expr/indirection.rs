//! Field selection and subscripts on values.

use crate::call::CallSyntax;
use crate::coerce::How;
use crate::prelude::*;

impl Analyzer<'_, '_> {
    pub(super) fn transform_indirection(&mut self, i: &ast::AIndirection) -> PgResult<Expr> {
        let location = crate::target::raw_location(&i.arg);
        let mut result = self.transform_expr(&i.arg)?;
        let mut subscripts: Vec<&ast::AIndices> = Vec::new();
        let srfs = self.cur().srfs;
        for step in &i.indirection {
            match step {
                ast::Indirection::Indices(ix) => subscripts.push(ix),
                ast::Indirection::Star => {
                    return Err(err!(FEATURE_NOT_SUPPORTED, "row expansion via \"*\" is not supported here")
                        .at(location));
                }
                ast::Indirection::Name(name) => {
                    if !subscripts.is_empty() {
                        result = self.subscript(result, &std::mem::take(&mut subscripts), None, -1)?.0;
                    }
                    result = self.select_field(result, name, srfs, location)?;
                }
            }
        }
        if !subscripts.is_empty() {
            result = self.subscript(result, &subscripts, None, -1)?.0;
        }
        Ok(result)
    }

    pub(crate) fn select_field(
        &mut self,
        value: Expr,
        name: &str,
        srfs: u32,
        location: i32,
    ) -> PgResult<Expr> {
        let ty = value.ty();
        let qualifier = match &value {
            Expr::Var(v) if v.attno == 0 => Some(self.rte(v.rte, v.levels_up).eref.name.clone()),
            _ => None,
        };
        let syn = CallSyntax { call: None, proc_call: false, location };
        match self.func_or_column(&[name.to_string()], vec![value], srfs, &syn)? {
            Ok(e) => Ok(e),
            Err(_) => Err(self.unknown_attribute(qualifier.as_deref(), ty, name, location)),
        }
    }

    fn unknown_attribute(&self, table: Option<&str>, ty: Oid, name: &str, location: i32) -> PgError {
        let e = if let Some(t) = table {
            err!(UNDEFINED_COLUMN, "column {t}.{name} does not exist")
        } else if self.cat.is_complex(ty) {
            err!(UNDEFINED_COLUMN, "column \"{name}\" not found in data type {}", self.cat.format_type(ty))
        } else if ty == oid::RECORD {
            err!(UNDEFINED_COLUMN, "could not identify column \"{name}\" in record data type")
        } else {
            err!(
                WRONG_OBJECT_TYPE,
                "column notation .{name} applied to type {}, which is not a composite type",
                self.cat.format_type(ty)
            )
        };
        e.at(location)
    }

    /// PostgreSQL's `transformContainerSubscripts`. With `assign`, makes a store of that value; returns the expression
    /// and the type that an assigned value must have.
    pub(crate) fn subscript(
        &mut self,
        container: Expr,
        steps: &[&ast::AIndices],
        assign: Option<Expr>,
        typmod: i32,
    ) -> PgResult<(Expr, Oid)> {
        let declared = container.ty();
        let (container_type, container_mod) =
            self.cat.base_type_mod(declared, if typmod >= 0 { typmod } else { container.typmod() });
        let container = if container_type == declared || assign.is_some() {
            container
        } else {
            crate::coerce::relabel(
                container,
                container_type,
                container_mod,
                Oid::INVALID,
                CoercionForm::ImplicitCast,
                -1,
            )
        };
        let (kind, elem_type) = self.cat.subscript_kind(container_type);
        let at = container.location();
        let is_slice = steps.iter().any(|s| s.is_slice);
        let (mut upper, mut lower) = (Vec::new(), Vec::new());
        match kind {
            SubscriptKind::None => {
                let name = self.cat.format_type(container_type);
                return Err(err!(
                    DATATYPE_MISMATCH,
                    "cannot subscript type {name} because it does not support subscripting"
                )
                .at(at));
            }
            SubscriptKind::Array => self.array_subscripts(steps, is_slice, &mut upper, &mut lower)?,
            SubscriptKind::Jsonb => self.jsonb_subscripts(steps, &mut upper)?,
        }
        if steps.len() > pglite_types::array::MAX_DIMS && kind == SubscriptKind::Array {
            return Err(err!(
                PROGRAM_LIMIT_EXCEEDED,
                "number of array dimensions ({}) exceeds the maximum allowed ({})",
                steps.len(),
                pglite_types::array::MAX_DIMS
            ));
        }
        let ty = if kind == SubscriptKind::Jsonb || is_slice { container_type } else { elem_type };
        let value_type = if kind == SubscriptKind::Jsonb || is_slice { container_type } else { elem_type };
        let is_store = assign.is_some();
        let expr = Expr::Subscript(Box::new(SubscriptExpr {
            container_type,
            elem_type,
            ty: if is_store { container_type } else { ty },
            typmod: container_mod,
            collation: Oid::INVALID,
            container,
            upper,
            lower,
            is_slice,
            assign,
        }));
        Ok((expr, value_type))
    }

    fn array_subscripts(
        &mut self,
        steps: &[&ast::AIndices],
        is_slice: bool,
        upper: &mut Vec<Option<Expr>>,
        lower: &mut Vec<Option<Expr>>,
    ) -> PgResult<()> {
        for s in steps {
            if is_slice {
                lower.push(match &s.lidx {
                    Some(e) => Some(self.array_index(e)?),
                    None if !s.is_slice => Some(Expr::constant(oid::INT4, Datum::Int4(1))),
                    None => None,
                });
            }
            upper.push(match &s.uidx {
                Some(e) => Some(self.array_index(e)?),
                None => None,
            });
        }
        Ok(())
    }

    fn array_index(&mut self, e: &ast::Expr) -> PgResult<Expr> {
        let e = self.transform_expr(e)?;
        let at = e.location();
        match self.coerce_to_target(e, oid::INT4, -1, How::ASSIGNMENT)? {
            Ok(e) => Ok(e),
            Err(_) => Err(err!(DATATYPE_MISMATCH, "array subscript must have type integer").at(at)),
        }
    }

    fn jsonb_subscripts(&mut self, steps: &[&ast::AIndices], upper: &mut Vec<Option<Expr>>) -> PgResult<()> {
        for s in steps {
            if s.is_slice {
                let at = s.uidx.as_ref().or(s.lidx.as_ref()).map_or(-1, crate::target::raw_location);
                return Err(err!(DATATYPE_MISMATCH, "jsonb subscript does not support slices").at(at));
            }
            let Some(ix) = &s.uidx else {
                return Err(err!(DATATYPE_MISMATCH, "jsonb subscript does not support slices"));
            };
            let e = self.transform_expr(ix)?;
            let (ty, at) = (e.ty(), e.location());
            let target = if ty == oid::UNKNOWN {
                oid::TEXT
            } else {
                let to_int = self.cat.can_coerce(ty, oid::INT4, CoercionContext::Implicit);
                let to_text = self.cat.can_coerce(ty, oid::TEXT, CoercionContext::Implicit);
                match (to_int, to_text) {
                    (true, true) => {
                        return Err(err!(
                            DATATYPE_MISMATCH,
                            "subscript type {} is not supported",
                            self.cat.format_type(ty)
                        )
                        .hint("jsonb subscript must be coercible to only one type, integer or text.")
                        .at(at));
                    }
                    (true, false) => oid::INT4,
                    (false, true) => oid::TEXT,
                    (false, false) => {
                        return Err(err!(
                            DATATYPE_MISMATCH,
                            "subscript type {} is not supported",
                            self.cat.format_type(ty)
                        )
                        .hint("jsonb subscript must be coercible to either integer or text.")
                        .at(at));
                    }
                }
            };
            upper.push(Some(self.coerce_type(e, target, -1, How::IMPLICIT)?));
        }
        Ok(())
    }
}
