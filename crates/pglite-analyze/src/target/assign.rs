//! Assignment to columns: coercion to the column's type, and stores into fields and elements.

use crate::coerce::How;
use crate::prelude::*;

/// The column an assignment goes to.
#[derive(Clone, Copy)]
pub(crate) struct Dest {
    pub attno: i16,
    pub ty: Oid,
    pub typmod: i32,
    pub collation: Oid,
}

impl Analyzer<'_, '_> {
    pub(crate) fn dest_column(&self, attno: i16) -> PgResult<Dest> {
        let rel = self.cur_ref().target_rel.as_ref();
        let Some(c) = rel.and_then(|r| r.attr(attno)) else {
            return Err(PgError::internal(format!("no target column {attno}")));
        };
        Ok(Dest { attno, ty: c.type_oid, typmod: c.typmod, collation: c.collation })
    }

    /// PostgreSQL's `transformAssignedExpr`.
    pub(crate) fn transform_assigned(
        &mut self,
        expr: Expr,
        kind: ExprKind,
        name: &str,
        attno: i16,
        indirection: &[ast::Indirection],
        location: i32,
    ) -> PgResult<Expr> {
        let saved = std::mem::replace(&mut self.cur().kind, kind);
        let result = self.assign_column(expr, name, attno, indirection, location);
        self.cur().kind = saved;
        result
    }

    fn assign_column(
        &mut self,
        expr: Expr,
        name: &str,
        attno: i16,
        indirection: &[ast::Indirection],
        location: i32,
    ) -> PgResult<Expr> {
        let d = self.dest_column(attno)?;
        if let Expr::SetToDefault { location: at, .. } = expr {
            match indirection.first() {
                Some(ast::Indirection::Indices(_)) => {
                    return Err(
                        err!(FEATURE_NOT_SUPPORTED, "cannot set an array element to DEFAULT").at(location)
                    );
                }
                Some(_) => {
                    return Err(err!(FEATURE_NOT_SUPPORTED, "cannot set a subfield to DEFAULT").at(location));
                }
                None => {}
            }
            return Ok(Expr::SetToDefault {
                ty: d.ty,
                typmod: d.typmod,
                collation: d.collation,
                location: at,
            });
        }
        if !indirection.is_empty() {
            let base = if self.cur().is_insert {
                Expr::Const(Const {
                    ty: d.ty,
                    typmod: d.typmod,
                    collation: d.collation,
                    value: Datum::Null,
                    location: -1,
                })
            } else {
                let item = self.cur().target_ns.clone();
                let Some(item) = item else { return Err(PgError::internal("no target relation")) };
                let col = item.columns[attno as usize - 1].clone();
                crate::from::raw_var(&col, &item)
            };
            return self.assign_indirection(Some(base), name, false, d, indirection, expr, location);
        }
        let (input, at) = (expr.ty(), expr.location());
        match self.coerce_to_target(expr, d.ty, d.typmod, How::ASSIGNMENT)? {
            Ok(e) => Ok(e),
            Err(_) => Err(err!(
                DATATYPE_MISMATCH,
                "column \"{name}\" is of type {} but expression is of type {}",
                self.cat.format_type(d.ty),
                self.cat.format_type(input)
            )
            .hint("You will need to rewrite or cast the expression.")
            .at(at)),
        }
    }

    /// How stores coerce: PL/pgSQL's assignments are laxer.
    fn assignment(&mut self) -> How {
        if self.cur().plpgsql {
            How { context: CoercionContext::PlPgSql, ..How::ASSIGNMENT }
        } else {
            How::ASSIGNMENT
        }
    }

    /// PostgreSQL's `transformAssignmentIndirection`: builds the store from the inside out.
    #[allow(clippy::too_many_arguments)]
    pub(crate) fn assign_indirection(
        &mut self,
        base: Option<Expr>,
        name: &str,
        is_subscript: bool,
        d: Dest,
        steps: &[ast::Indirection],
        rhs: Expr,
        location: i32,
    ) -> PgResult<Expr> {
        let base = match base {
            Some(b) => b,
            // Why: the value that the inner store changes is not known here; the executor supplies it.
            None => Expr::CaseTest { ty: d.ty, typmod: d.typmod, collation: d.collation },
        };
        let mut subs: Vec<&ast::AIndices> = Vec::new();
        for (i, step) in steps.iter().enumerate() {
            match step {
                ast::Indirection::Indices(ix) => subs.push(ix),
                ast::Indirection::Star => {
                    return Err(err!(FEATURE_NOT_SUPPORTED, "row expansion via \"*\" is not supported here")
                        .at(location));
                }
                ast::Indirection::Name(field) => {
                    if !subs.is_empty() {
                        return self.assign_subscripts(base, name, d, &subs, &steps[i..], rhs, location);
                    }
                    return self.assign_field(base, name, field, d, &steps[i + 1..], rhs, location);
                }
            }
        }
        if !subs.is_empty() {
            return self.assign_subscripts(base, name, d, &subs, &[], rhs, location);
        }
        let (input, how) = (rhs.ty(), self.assignment());
        match self.coerce_to_target(rhs, d.ty, d.typmod, how)? {
            Ok(e) => Ok(e),
            Err(_) => {
                let (want, have) = (self.cat.format_type(d.ty), self.cat.format_type(input));
                let e = if is_subscript {
                    err!(
                        DATATYPE_MISMATCH,
                        "subscripted assignment to \"{name}\" requires type {want} but expression is of type {have}"
                    )
                } else {
                    err!(
                        DATATYPE_MISMATCH,
                        "subfield \"{name}\" is of type {want} but expression is of type {have}"
                    )
                };
                Err(e.hint("You will need to rewrite or cast the expression.").at(location))
            }
        }
    }

    #[allow(clippy::too_many_arguments)]
    fn assign_field(
        &mut self,
        base: Expr,
        name: &str,
        field: &str,
        d: Dest,
        rest: &[ast::Indirection],
        rhs: Expr,
        location: i32,
    ) -> PgResult<Expr> {
        let (row_type, row_mod) = self.cat.base_type_mod(d.ty, d.typmod);
        let Some(rel) = self.cat.relation(self.cat.type_relid(row_type)) else {
            return Err(err!(
                DATATYPE_MISMATCH,
                "cannot assign to field \"{field}\" of column \"{name}\" because its type {} is not a composite type",
                self.cat.format_type(d.ty)
            )
            .at(location));
        };
        let Some(att) = self.cat.live_atts(&rel).find(|a| a.name == field) else {
            if crate::names::system_column(field).is_some() {
                return Err(err!(UNDEFINED_COLUMN, "cannot assign to system column \"{field}\"").at(location));
            }
            return Err(err!(
                UNDEFINED_COLUMN,
                "cannot assign to field \"{field}\" of column \"{name}\" because there is no such column in data type {}",
                self.cat.format_type(d.ty)
            )
            .at(location));
        };
        let sub = Dest { attno: att.attnum, ty: att.ty, typmod: att.typmod, collation: att.collation };
        let inner_base = if rest.is_empty() {
            None
        } else {
            Some(Expr::FieldSelect {
                arg: Box::new(base.clone()),
                field: sub.attno,
                ty: sub.ty,
                typmod: sub.typmod,
                collation: sub.collation,
            })
        };
        let value = self.assign_indirection(inner_base, field, false, sub, rest, rhs, location)?;
        let store = Expr::FieldStore { arg: Box::new(base), fields: vec![(sub.attno, value)], ty: row_type };
        self.coerce_to_domain(store, row_type, row_mod, d.ty, How::ASSIGNMENT, false)
    }

    #[allow(clippy::too_many_arguments)]
    fn assign_subscripts(
        &mut self,
        base: Expr,
        name: &str,
        d: Dest,
        subs: &[&ast::AIndices],
        rest: &[ast::Indirection],
        rhs: Expr,
        location: i32,
    ) -> PgResult<Expr> {
        let (container, container_mod) = self.cat.base_type_mod(d.ty, d.typmod);
        let (fetch, value_type) =
            self.subscript(base.clone(), subs, None, d.typmod).map_err(|e| e.at_if_unset(location))?;
        let value_mod = if value_type == container { container_mod } else { d.typmod };
        let sub = Dest { attno: 0, ty: value_type, typmod: value_mod, collation: d.collation };
        let inner = if rest.is_empty() { None } else { Some(fetch.clone()) };
        let value = self.assign_indirection(inner, name, true, sub, rest, rhs, location)?;
        let mut store = fetch;
        if let Expr::Subscript(s) = &mut store {
            s.assign = Some(value);
            s.ty = s.container_type;
            s.typmod = container_mod;
        }
        if container != d.ty {
            let input = store.ty();
            let how = self.assignment();
            return match self.coerce_to_target(store, d.ty, d.typmod, how)? {
                Ok(e) => Ok(e),
                Err(e) => Err(self.cannot_cast(input, d.ty, location, &e)),
            };
        }
        Ok(store)
    }

    /// PostgreSQL's `checkInsertTargets`: the columns of an INSERT, with their indirections.
    pub(crate) fn insert_columns(&mut self, cols: &[ast::ResTarget]) -> PgResult<Vec<(ast::ResTarget, i16)>> {
        let Some(rel) = self.cur().target_rel.clone() else {
            return Err(PgError::internal("no target relation"));
        };
        if cols.is_empty() {
            return Ok(rel
                .live_columns()
                .map(|c| {
                    let t = ast::ResTarget {
                        name: Some(c.name.to_string()),
                        indirection: Vec::new(),
                        val: None,
                        location: -1,
                    };
                    (t, c.attnum)
                })
                .collect());
        }
        let (mut whole, mut partial): (Vec<i16>, Vec<i16>) = (Vec::new(), Vec::new());
        let mut out = Vec::new();
        for c in cols {
            let name = c.name.as_deref().unwrap_or("");
            let attno = match rel.column(name) {
                Some(a) => a.attnum,
                None if crate::names::system_column(name).is_some() => {
                    return Err(err!(FEATURE_NOT_SUPPORTED, "cannot assign to system column \"{name}\"")
                        .at(c.location));
                }
                None => {
                    return Err(err!(
                        UNDEFINED_COLUMN,
                        "column \"{name}\" of relation \"{}\" does not exist",
                        rel.name
                    )
                    .at(c.location));
                }
            };
            let twice = whole.contains(&attno) || (c.indirection.is_empty() && partial.contains(&attno));
            if twice {
                return Err(
                    err!(DUPLICATE_COLUMN, "column \"{name}\" specified more than once").at(c.location)
                );
            }
            if c.indirection.is_empty() {
                whole.push(attno)
            } else {
                partial.push(attno)
            }
            out.push((c.clone(), attno));
        }
        Ok(out)
    }
}
