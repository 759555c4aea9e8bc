//! CASE, COALESCE, GREATEST/LEAST, ARRAY[], SQL value functions, and the sources of multiple assignments.

use crate::coerce::How;
use crate::prelude::*;

/// NULL of unknown type.
pub(crate) fn null_unknown() -> Expr {
    Expr::constant(oid::UNKNOWN, Datum::Null)
}

impl Analyzer<'_, '_> {
    pub(super) fn transform_case(&mut self, c: &ast::CaseExpr) -> PgResult<Expr> {
        let srfs = self.cur().srfs;
        let mut placeholder = None;
        let arg = match &c.arg {
            Some(a) => {
                let mut e = self.transform_expr(a)?;
                if e.ty() == oid::UNKNOWN {
                    e = self.coerce_type(e, oid::TEXT, -1, How::IMPLICIT)?;
                }
                self.assign_expr_collations(&mut e)?;
                placeholder =
                    Some(Expr::CaseTest { ty: e.ty(), typmod: e.typmod(), collation: e.collation() });
                Some(e)
            }
            None => None,
        };
        let mut whens = Vec::with_capacity(c.args.len());
        for w in &c.args {
            let cond = self.transform_expr(&w.expr)?;
            let cond = match &placeholder {
                Some(p) => self.make_op(&["=".to_string()], Some(p.clone()), cond, w.location)?,
                None => cond,
            };
            let cond = self.coerce_to_boolean(cond, "CASE/WHEN")?;
            whens.push((cond, self.transform_expr(&w.result)?));
        }
        let default = match &c.defresult {
            Some(d) => self.transform_expr(d)?,
            None => null_unknown(),
        };
        let all: Vec<&Expr> = std::iter::once(&default).chain(whens.iter().map(|(_, r)| r)).collect();
        let ty = self.select_common_type(&all, "CASE")?;
        let default = self.coerce_to_common(default, ty, "CASE/ELSE")?;
        let whens = whens
            .into_iter()
            .map(|(w, r)| Ok((w, self.coerce_to_common(r, ty, "CASE/WHEN")?)))
            .collect::<PgResult<_>>()?;
        self.forbid_srfs(srfs, "CASE")?;
        Ok(Expr::Case(Box::new(CaseExpr {
            ty,
            collation: Oid::INVALID,
            arg,
            whens,
            default: Some(default),
            location: c.location,
        })))
    }

    pub(super) fn transform_coalesce(&mut self, c: &ast::CoalesceExpr) -> PgResult<Expr> {
        let srfs = self.cur().srfs;
        let args: Vec<Expr> = c.args.iter().map(|a| self.transform_expr(a)).collect::<PgResult<_>>()?;
        let (args, ty) = self.coerce_all_to_common(args, "COALESCE")?;
        self.forbid_srfs(srfs, "COALESCE")?;
        Ok(Expr::Coalesce { args, ty, collation: Oid::INVALID, location: c.location })
    }

    pub(super) fn transform_min_max(&mut self, m: &ast::MinMaxExpr) -> PgResult<Expr> {
        let greatest = m.op == ast::MinMaxOp::Greatest;
        let args: Vec<Expr> = m.args.iter().map(|a| self.transform_expr(a)).collect::<PgResult<_>>()?;
        let (args, ty) = self.coerce_all_to_common(args, if greatest { "GREATEST" } else { "LEAST" })?;
        Ok(Expr::MinMax {
            greatest,
            args,
            ty,
            collation: Oid::INVALID,
            input_collation: Oid::INVALID,
            location: m.location,
        })
    }

    /// `ARRAY[...]`; `target` is (array type, element type, typmod) of a cast around it.
    pub(super) fn transform_array(
        &mut self,
        a: &ast::AArrayExpr,
        target: Option<(Oid, Oid, i32)>,
    ) -> PgResult<Expr> {
        self.check_depth()?;
        let mut elements = Vec::with_capacity(a.elements.len());
        let mut multidims = false;
        for e in &a.elements {
            let e = match e {
                ast::Expr::AArrayExpr(inner) => {
                    multidims = true;
                    self.transform_array(inner, target)?
                }
                other => {
                    let e = self.transform_expr(other)?;
                    let ty = e.ty();
                    multidims |=
                        self.cat.element_type(ty).is_valid() && ty != oid::INT2VECTOR && ty != oid::OIDVECTOR;
                    e
                }
            };
            elements.push(e);
        }
        let (ty, elem_type, coerce_type, coerce_hard) = match target {
            Some((array, elem, _)) => (array, elem, if multidims { array } else { elem }, true),
            None => {
                if elements.is_empty() {
                    return Err(err!(INDETERMINATE_DATATYPE, "cannot determine type of empty array")
                        .hint("Explicitly cast to the desired type, for example ARRAY[]::integer[].")
                        .at(a.location));
                }
                let common = self.select_common_type(&elements.iter().collect::<Vec<_>>(), "ARRAY")?;
                let (array, elem) = if multidims {
                    let elem = self.cat.element_type(common);
                    if !elem.is_valid() {
                        let name = self.cat.format_type(common);
                        return Err(err!(
                            UNDEFINED_OBJECT,
                            "could not find element type for data type {name}"
                        )
                        .at(a.location));
                    }
                    (common, elem)
                } else {
                    let array = self.cat.array_type(common);
                    if !array.is_valid() {
                        let name = self.cat.format_type(common);
                        return Err(err!(UNDEFINED_OBJECT, "could not find array type for data type {name}")
                            .at(a.location));
                    }
                    (array, common)
                };
                (array, elem, common, false)
            }
        };
        let mut out = Vec::with_capacity(elements.len());
        for e in elements {
            out.push(if coerce_hard {
                let (at, input) = (e.location(), e.ty());
                let typmod = target.map_or(-1, |t| t.2);
                let how = How {
                    context: CoercionContext::Explicit,
                    form: CoercionForm::ExplicitCast,
                    location: -1,
                };
                match self.coerce_to_target(e, coerce_type, typmod, how)? {
                    Ok(e) => e,
                    Err(e) => return Err(self.cannot_cast(input, coerce_type, at, &e)),
                }
            } else {
                self.coerce_to_common(e, coerce_type, "ARRAY")?
            });
        }
        Ok(Expr::Array {
            elements: out,
            ty,
            elem_type,
            collation: Oid::INVALID,
            multidims,
            location: a.location,
        })
    }

    pub(super) fn transform_sql_value(&mut self, s: &ast::SqlValueFunction) -> PgResult<Expr> {
        use ast::SqlValueFunctionOp as O;
        let (func, ty) = match s.op {
            O::CurrentDate => (SqlValueFunc::CurrentDate, oid::DATE),
            O::CurrentTime | O::CurrentTimeN => (SqlValueFunc::CurrentTime, oid::TIMETZ),
            O::CurrentTimestamp | O::CurrentTimestampN => (SqlValueFunc::CurrentTimestamp, oid::TIMESTAMPTZ),
            O::LocalTime | O::LocalTimeN => (SqlValueFunc::LocalTime, oid::TIME),
            O::LocalTimestamp | O::LocalTimestampN => (SqlValueFunc::LocalTimestamp, oid::TIMESTAMP),
            O::CurrentRole => (SqlValueFunc::CurrentRole, oid::NAME),
            O::CurrentUser => (SqlValueFunc::CurrentUser, oid::NAME),
            O::User => (SqlValueFunc::User, oid::NAME),
            O::SessionUser => (SqlValueFunc::SessionUser, oid::NAME),
            O::CurrentCatalog => (SqlValueFunc::CurrentCatalog, oid::NAME),
            O::CurrentSchema => (SqlValueFunc::CurrentSchema, oid::NAME),
        };
        let mut typmod = s.typmod;
        if typmod > 6 {
            let (name, tz) = match ty {
                oid::TIMETZ => ("TIME", " WITH TIME ZONE"),
                oid::TIME => ("TIME", ""),
                oid::TIMESTAMPTZ => ("TIMESTAMP", " WITH TIME ZONE"),
                _ => ("TIMESTAMP", ""),
            };
            self.env.notice(PgError::warning(
                pglite_error::codes::INVALID_PARAMETER_VALUE,
                format!("{name}({typmod}){tz} precision reduced to maximum allowed, 6"),
            ));
            typmod = 6;
        }
        Ok(Expr::SqlValue { func, ty, typmod, location: s.location })
    }

    /// One column of `(a, b, ...) = source`.
    pub(super) fn transform_multi_assign(&mut self, m: &ast::MultiAssignRef) -> PgResult<Expr> {
        let source: &ast::Expr = &m.source;
        let key = std::ptr::from_ref(source) as usize;
        let col = m.colno as usize - 1;
        if m.colno == 1 {
            self.start_multi_assign(source, key, m.ncolumns as usize)?;
        }
        let at = self.cur().multi_assign.iter().position(|(k, ..)| *k == key);
        let Some(at) = at else { return Err(PgError::internal("unexpected multi-assignment source")) };
        let (_, state, id) = &mut self.cur().multi_assign[at];
        let id = *id;
        match state {
            MultiAssign::Row(args) => {
                let e = std::mem::replace(&mut args[col], null_unknown());
                Ok(e)
            }
            MultiAssign::SubLink { column_types, link } => {
                let t = column_types[col];
                // Why: the first column carries the sublink itself, the others refer to it by number.
                if let Some(link) = link.take() {
                    self.cur().multi_links.push(*link);
                }
                Ok(Expr::MultiAssign {
                    sublink: id,
                    column: m.colno as u32,
                    ty: t.ty,
                    typmod: t.typmod,
                    collation: t.collation,
                })
            }
        }
    }

    fn start_multi_assign(&mut self, source: &ast::Expr, key: usize, ncolumns: usize) -> PgResult<()> {
        let mismatch =
            |at: i32| Err(err!(SYNTAX_ERROR, "number of columns does not match number of values").at(at));
        match source {
            ast::Expr::SubLink(s) if s.sub_link_type == ast::SubLinkType::Expr => {
                let mut raw = (**s).clone();
                raw.sub_link_type = ast::SubLinkType::MultiExpr;
                let Expr::SubLink(mut link) = self.transform_sublink(&raw)? else {
                    return Err(PgError::internal("sublink expected"));
                };
                let column_types: Vec<ColType> = link
                    .query
                    .targets
                    .iter()
                    .filter(|t| !t.junk)
                    .map(|t| ColType {
                        ty: t.expr.ty(),
                        typmod: t.expr.typmod(),
                        collation: t.expr.collation(),
                    })
                    .collect();
                if column_types.len() != ncolumns {
                    return mismatch(s.location);
                }
                let id = self.cur().multi_assign.len() as u32 + 1;
                link.id = id;
                self.cur().multi_assign.push((
                    key,
                    MultiAssign::SubLink { column_types, link: Some(link) },
                    id,
                ));
                Ok(())
            }
            ast::Expr::RowExpr(r) => {
                let Expr::Row { args, location, .. } = self.transform_row(r, true)? else {
                    return Err(PgError::internal("row expected"));
                };
                if args.len() != ncolumns {
                    return mismatch(location);
                }
                self.cur().multi_assign.push((key, MultiAssign::Row(args), 0));
                Ok(())
            }
            other => {
                let at = crate::target::raw_location(other);
                Err(err!(
                    FEATURE_NOT_SUPPORTED,
                    "source for a multiple-column UPDATE item must be a sub-SELECT or ROW() expression"
                )
                .at(at))
            }
        }
    }

    pub(super) fn transform_current_of(&mut self, c: &ast::CurrentOfExpr) -> PgResult<Expr> {
        let rte = self.cur().target_ns.as_ref().map_or(0, |n| n.rte);
        // A refcursor variable of the calling language holds the name.
        let phase = crate::VariablePhase::AfterColumns;
        let found = self.env.resolve_variable(&[c.cursor_name.as_str()], -1, phase)?;
        let param = match found {
            Some(Expr::Param(p)) if p.ty == oid::REFCURSOR => Some(p.id),
            _ => None,
        };
        Ok(Expr::CurrentOf { rte, cursor: c.cursor_name.clone(), param })
    }

    pub(super) fn transform_merge_action(&mut self, location: i32) -> PgResult<Expr> {
        let inside = self.levels.iter().any(|l| l.kind == ExprKind::MergeReturning);
        if !inside {
            return Err(err!(
                SYNTAX_ERROR,
                "MERGE_ACTION() can only be used in the RETURNING list of a MERGE command"
            )
            .at(location));
        }
        Err(PgError::unsupported("MERGE_ACTION() is not supported yet").at(location))
    }
}
