//! RETURN, RETURN NEXT, RETURN QUERY, and the function's result in its declared type.

use std::sync::Arc;

use pglite_error::{PgError, PgResult, bail, err};
use pglite_parser::ast::Statement;
use pglite_types::record::RecordValue;
use pglite_types::{AttrDesc, Datum, Oid, Row, oid};

use super::Exec;
use crate::expr::in_text;
use crate::host::Column;
use crate::tree::*;

const RETURN_CAST: &str = "while casting return value to function's return type";

impl<'h> Exec<'h> {
    fn returns_record(&mut self) -> PgResult<bool> {
        if self.f.kind == FunctionKind::Trigger || self.f.ret_type == oid::RECORD {
            return Ok(true);
        }
        let ty = self.f.ret_type;
        let catalog = self.surroundings()?.analyze().catalog();
        Ok(catalog.type_by_oid(catalog.base_type(ty)).is_some_and(|t| t.typtype == b'c'))
    }

    pub(super) fn return_(&mut self, e: Option<&'h Expr>, var: Option<Dno>) -> PgResult<()> {
        if let Some(dno) = var {
            return self.return_variable(dno);
        }
        let Some(e) = e else { return Ok(()) };
        let record = self.returns_record()?;
        let want = (!record && self.f.ret_type.is_valid() && self.f.ret_type != oid::VOID)
            .then_some((self.f.ret_type, -1));
        let (v, ty, typmod) = self.eval(e, want.filter(|_| false))?;
        self.check_composite(&v, record)?;
        self.ret = (v, ty, typmod);
        Ok(())
    }

    fn check_composite(&self, v: &Datum, record: bool) -> PgResult<()> {
        if record && !matches!(v, Datum::Null | Datum::Record(_)) {
            bail!(
                DATATYPE_MISMATCH,
                "cannot return non-composite value from function returning composite type"
            );
        }
        Ok(())
    }

    pub(super) fn return_variable(&mut self, dno: Dno) -> PgResult<()> {
        // PG: the NEW of a DELETE and the OLD of an INSERT are rows to read, but NULL to return.
        if let Datum::Record(now) = &self.vals[dno]
            && self.empty.iter().any(|(d, given)| *d == dno && Arc::ptr_eq(given, now))
        {
            self.ret = (Datum::Null, oid::RECORD, -1);
            return Ok(());
        }
        let value = self.datum_value(dno)?;
        let record = self.returns_record()?;
        self.check_composite(&value.0, record)?;
        self.ret = value;
        Ok(())
    }

    /// The result in the declared type.
    pub(super) fn result(&mut self) -> PgResult<Datum> {
        let (v, ty, typmod) = std::mem::take(&mut self.ret);
        if self.f.kind == FunctionKind::Procedure {
            return Ok(v);
        }
        if self.f.ret_type == oid::VOID {
            return Ok(Datum::text(""));
        }
        self.place.phase.set(Some(RETURN_CAST));
        if self.returns_record()? {
            return self.composite_result(v);
        }
        self.cast(v, (ty, typmod), (self.f.ret_type, -1))
    }

    fn composite_result(&mut self, v: Datum) -> PgResult<Datum> {
        let Datum::Record(r) = v else { return self.null_composite(v) };
        if self.f.ret_type == oid::RECORD {
            let Some(expected) = self.expected.clone() else { return Ok(Datum::Record(r)) };
            let values =
                self.fit(&r, &expected, "returned record type does not match expected record type")?;
            return Ok(Datum::Record(Arc::new(RecordValue::anonymous(expected, values))));
        }
        let ret = self.f.ret_type;
        let env = self.surroundings()?;
        let base = env.analyze().catalog().base_type(ret);
        let attrs = env.analyze().type_env().type_desc(base)?.attrs.clone();
        let value = if r.type_oid == base && r.attrs.len() == attrs.len() {
            Datum::Record(r)
        } else {
            let values = self.fit(&r, &attrs, "returned record type does not match expected record type")?;
            Datum::Record(Arc::new(RecordValue { type_oid: base, typmod: -1, attrs, values }))
        };
        if base == ret { Ok(value) } else { self.cast(value, (base, -1), (ret, -1)) }
    }

    fn null_composite(&mut self, v: Datum) -> PgResult<Datum> {
        let ret = self.f.ret_type;
        let base = self.surroundings()?.analyze().catalog().base_type(ret);
        if base == ret || ret == oid::RECORD { Ok(v) } else { self.cast(v, (base, -1), (ret, -1)) }
    }

    /// A record's values in the positions of other attributes; 42804 when the types are not the same.
    fn fit(&mut self, r: &RecordValue, attrs: &Arc<[AttrDesc]>, message: &str) -> PgResult<Row> {
        let have: Vec<(Datum, &AttrDesc)> =
            r.values.iter().cloned().zip(r.attrs.iter()).filter(|(_, a)| !a.dropped).collect();
        let wanted = attrs.iter().filter(|a| !a.dropped).count();
        let mut given = have.iter();
        let mut out = Vec::with_capacity(attrs.len());
        for a in attrs.iter() {
            if a.dropped {
                out.push(Datum::Null);
                continue;
            }
            let Some((v, from)) = given.next() else {
                return Err(count_mismatch(message, have.len(), wanted));
            };
            if from.type_oid != a.type_oid {
                self.surroundings()?;
                let (x, y) = (self.type_name(from.type_oid), self.type_name(a.type_oid));
                let n = out.len() + 1;
                return Err(err!(DATATYPE_MISMATCH, "{message}").detail(format!(
                    "Returned type {x} does not match expected type {y} in column \"{}\" (position {n}).",
                    a.name
                )));
            }
            out.push(v.clone());
        }
        if have.len() != wanted {
            return Err(count_mismatch(message, have.len(), wanted));
        }
        Ok(out)
    }

    /// The columns of the rows a set-returning function must yield.
    fn set_shape(&mut self) -> PgResult<Arc<[AttrDesc]>> {
        let ty = self.f.ret_type;
        if self.returns_record()? && ty != oid::RECORD {
            let env = self.surroundings()?;
            let base = env.analyze().catalog().base_type(ty);
            return Ok(env.analyze().type_env().type_desc(base)?.attrs.clone());
        }
        if ty == oid::RECORD {
            if let Some(e) = &self.expected {
                return Ok(e.clone());
            }
            if let Some(out) = self.f.out
                && let Decl::Row { fields, .. } = &self.f.datums[out]
            {
                let attr = |(name, d): &(String, Dno)| {
                    let v = self.f.datums[*d].var();
                    AttrDesc {
                        name: name.as_str().into(),
                        type_oid: v.map_or(oid::TEXT, |v| v.ty.oid),
                        typmod: -1,
                        dropped: false,
                    }
                };
                return Ok(fields.iter().map(attr).collect());
            }
            bail!(FEATURE_NOT_SUPPORTED, "set-valued function called in context that cannot accept a set");
        }
        Ok(Arc::from([AttrDesc { name: "".into(), type_oid: ty, typmod: -1, dropped: false }]))
    }

    pub(super) fn return_next(&mut self, e: Option<&'h Expr>, var: Option<Dno>) -> PgResult<()> {
        let shape = self.set_shape()?;
        let record = self.returns_record()?;
        let (v, ty, typmod) = match (var, e) {
            (Some(dno), _) => {
                if let Decl::Var(d) = &self.f.datums[dno]
                    && d.is_record
                    && self.vals[dno].is_null()
                    && d.ty.oid == oid::RECORD
                {
                    return Err(crate::expr::unassigned(&d.name));
                }
                self.datum_value(dno)?
            }
            (None, Some(e)) => self.eval(e, None)?,
            _ => bail!(SYNTAX_ERROR, "RETURN NEXT must have a parameter"),
        };
        if !record {
            if let Decl::Row { .. } = var.map_or(&self.f.datums[0], |d| &self.f.datums[d])
                && var.is_some()
            {
                bail!(DATATYPE_MISMATCH, "wrong record type supplied in RETURN NEXT");
            }
            let to = (shape.first().map_or(self.f.ret_type, |a| a.type_oid), -1);
            let v = self.cast(v, (ty, typmod), to)?;
            self.rows.push(vec![v]);
            return Ok(());
        }
        match v {
            Datum::Record(r) => {
                let message = if e.is_some() {
                    "returned record type does not match expected record type"
                } else {
                    "wrong record type supplied in RETURN NEXT"
                };
                let row = self.fit(&r, &shape, message)?;
                self.rows.push(row);
            }
            Datum::Null => self.rows.push(vec![Datum::Null; shape.len()]),
            _ if shape.len() == 1 && var.is_some() => {
                let v = self.cast(v, (ty, typmod), (shape[0].type_oid, -1))?;
                self.rows.push(vec![v]);
            }
            _ if var.is_some() => bail!(DATATYPE_MISMATCH, "wrong result type supplied in RETURN NEXT"),
            _ => bail!(
                DATATYPE_MISMATCH,
                "cannot return non-composite value from function returning composite type"
            ),
        }
        Ok(())
    }

    pub(super) fn return_query(
        &mut self,
        query: Option<&'h Expr>,
        dynamic: Option<&'h (Expr, Vec<Expr>)>,
    ) -> PgResult<()> {
        let (rows, columns) = match (query, dynamic) {
            (Some(q), _) => {
                if q.raw.as_ref().is_some_and(|r| is_select_into(&r.stmt)) {
                    return Err(in_text(select_into_error(), &q.text, q.mode));
                }
                let (out, _) = self.run_statement(q, 0)?;
                if !out.returned {
                    return Err(err!(SYNTAX_ERROR, "query is not a SELECT, so it cannot return rows"));
                }
                (out.rows, out.columns)
            }
            (None, Some((e, using))) => self.dynamic_rows(e, using)?,
            _ => return Ok(()),
        };
        let shape = self.set_shape()?;
        self.check_query_shape(&columns, &shape)?;
        let n = rows.len() as u64;
        let dropped = shape.iter().any(|a| a.dropped);
        for row in rows {
            let row = if dropped {
                let mut given = row.into_iter();
                shape
                    .iter()
                    .map(|a| if a.dropped { Datum::Null } else { given.next().unwrap_or_default() })
                    .collect()
            } else {
                row
            };
            self.rows.push(row);
        }
        self.processed = n;
        self.vals[self.f.found] = Datum::Bool(n > 0);
        Ok(())
    }

    fn dynamic_rows(&mut self, e: &'h Expr, using: &'h [Expr]) -> PgResult<(Vec<Row>, Vec<Column>)> {
        let text = self.dynamic_text(e)?;
        let (types, values) = self.using(using)?;
        let list = self.prepare_dynamic(&text, &types, None)?;
        if let Some(crate::expr::Compiled::Utility { raw, .. }) = list.first()
            && is_select_into(&raw.stmt)
        {
            return Err(in_text(select_into_error(), &text, pglite_parser::ParseMode::Default));
        }
        let Some(crate::expr::Compiled::Query(q)) = list
            .into_iter()
            .next()
            .filter(|c| matches!(c, crate::expr::Compiled::Query(q) if q.returns_rows))
        else {
            return Err(err!(SYNTAX_ERROR, "query is not a SELECT, so it cannot return rows"));
        };
        let out = self.run_dynamic(&q, values.into(), &text)?;
        Ok((out, q.columns))
    }

    fn check_query_shape(&mut self, columns: &[Column], shape: &Arc<[AttrDesc]>) -> PgResult<()> {
        let message = "structure of query does not match function result type";
        let wanted: Vec<&AttrDesc> = shape.iter().filter(|a| !a.dropped).collect();
        for (i, (c, a)) in columns.iter().zip(&wanted).enumerate() {
            if c.ty != a.type_oid {
                self.surroundings()?;
                let (x, y) = (self.type_name(c.ty), self.type_name(a.type_oid));
                let detail = if a.name.is_empty() {
                    format!("Returned type {x} does not match expected type {y} in column {}.", i + 1)
                } else {
                    format!(
                        "Returned type {x} does not match expected type {y} in column \"{}\" (position {}).",
                        a.name,
                        i + 1
                    )
                };
                return Err(err!(DATATYPE_MISMATCH, "{message}").detail(detail));
            }
        }
        if columns.len() != wanted.len() {
            return Err(count_mismatch(message, columns.len(), wanted.len()));
        }
        Ok(())
    }

    /// What a trigger function returned, as a row of the table's width; None = NULL.
    pub(super) fn trigger_result(&mut self, attrs: &Arc<[AttrDesc]>) -> PgResult<Option<Row>> {
        let (v, _, _) = std::mem::replace(&mut self.ret, (Datum::Null, Oid::INVALID, -1));
        match v {
            Datum::Null => Ok(None),
            Datum::Record(r) => {
                if Arc::ptr_eq(&r.attrs, attrs) {
                    return Ok(Some(Arc::try_unwrap(r).map_or_else(|r| r.values.clone(), |r| r.values)));
                }
                self.place.phase.set(Some("during function exit"));
                self.fit(
                    &r,
                    attrs,
                    "returned row structure does not match the structure of the triggering table",
                )
                .map(Some)
            }
            _ => Err(PgError::internal("trigger returned no row")),
        }
    }
}

fn is_select_into(stmt: &Statement) -> bool {
    matches!(stmt, Statement::SelectStmt(s) if s.leftmost_into().is_some())
}

fn select_into_error() -> PgError {
    err!(SYNTAX_ERROR, "SELECT INTO query does not return tuples")
}

fn count_mismatch(message: &str, have: usize, wanted: usize) -> PgError {
    err!(DATATYPE_MISMATCH, "{message}").detail(format!(
        "Number of returned columns ({have}) does not match expected column count ({wanted})."
    ))
}
