//! Assignment: values and rows into variables, with PL/pgSQL's casts.

use std::sync::Arc;

use pglite_error::{PgError, PgResult, err};
use pglite_exec::{Code, ExecCx, Rows};
use pglite_types::record::RecordValue;
use pglite_types::{AttrDesc, Datum, Oid, Row, oid};

use super::Exec;
use crate::expr::{Compiled, Want, cast_code, unassigned};
use crate::host::Column;
use crate::tree::*;

impl<'h> Exec<'h> {
    pub(super) fn assignment(&mut self, target: Dno, e: &'h Expr) -> PgResult<()> {
        let want = Want::Assign(target);
        self.ready(e, want)?;
        // The common case: a scalar of the right type.
        if let (Some(Compiled::Simple(s)), Some(env)) = (self.plans[e.id].as_deref(), &self.env) {
            let x = env.exec_env();
            let v = s.code.eval(&Rows::outer(&self.vals), &mut ExecCx::new(&x, &mut self.run))?;
            let (ty, typmod) = (s.ty, s.typmod);
            if s.effects {
                self.env = None;
            }
            return self.assign(target, v, ty, typmod);
        }
        let plan = self.plan(e, want)?;
        if let Compiled::Store(store) = &*plan {
            let (new, _, _) = self.value_of(&store.value, e)?;
            return self.store_whole(target, new);
        }
        let (v, ty, typmod) = self.eval_query(e, want)?;
        self.assign(target, v, ty, typmod)
    }

    /// The value of a store's source.
    fn value_of(&mut self, c: &Compiled, e: &Expr) -> PgResult<(Datum, Oid, i32)> {
        match c {
            Compiled::Simple(s) => {
                self.ensure_env()?;
                let Some(env) = &self.env else { return Err(PgError::internal("no surroundings")) };
                let x = env.exec_env();
                let v = s.code.eval(&Rows::outer(&self.vals), &mut ExecCx::new(&x, &mut self.run))?;
                if s.effects {
                    self.env = None;
                }
                Ok((v, s.ty, s.typmod))
            }
            Compiled::Query(q) => self.one_value(q, &e.text, e.mode),
            _ => Err(PgError::internal("assignment from a utility statement")),
        }
    }

    /// A value that has its target's type already.
    fn store_whole(&mut self, target: Dno, value: Datum) -> PgResult<()> {
        match &self.f.datums[target] {
            Decl::Field { record, name } => {
                let (record, name) = (*record, name.clone());
                self.set_field(record, &name, value, None)
            }
            Decl::Var(v) => {
                let ty = match &value {
                    Datum::Record(r) if v.is_record => r.type_oid,
                    _ => v.ty.oid,
                };
                self.assign(target, value, ty, v.ty.typmod)
            }
            Decl::Row { .. } => Err(PgError::internal("row as assignment target")),
        }
    }

    /// Casts a value as assignments do.
    pub fn cast(&mut self, value: Datum, from: (Oid, i32), to: (Oid, i32)) -> PgResult<Datum> {
        if from.0 == to.0 && (to.1 == -1 || from.1 == to.1) {
            return Ok(value);
        }
        if value.is_null()
            && !self.surroundings()?.analyze().catalog().type_by_oid(to.0).is_some_and(|t| t.typtype == b'd')
        {
            return Ok(value);
        }
        let code = self.cast_program(from, to)?;
        self.ensure_env()?;
        let Some(env) = &self.env else { return Err(PgError::internal("no surroundings")) };
        let x = env.exec_env();
        let source = [value];
        code.eval(&Rows::outer(&source), &mut ExecCx::new(&x, &mut self.run))
    }

    fn cast_program(&mut self, from: (Oid, i32), to: (Oid, i32)) -> PgResult<Arc<Code>> {
        let from = if from.0 == oid::UNKNOWN || !from.0.is_valid() { (oid::TEXT, -1) } else { from };
        let key = (from, to);
        self.ensure_env()?;
        {
            let cache = self.f.casts.lock();
            if cache.0 == self.stamp
                && let Some(c) = cache.1.get(&key)
            {
                return Ok(c.clone());
            }
        }
        let code = Arc::new(cast_code(self.surroundings()?, from, to)?);
        let mut cache = self.f.casts.lock();
        if cache.0 != self.stamp {
            cache.0 = self.stamp;
            cache.1.clear();
        }
        cache.1.insert(key, code.clone());
        Ok(code)
    }

    /// Assigns a value of a type to a variable of any kind.
    pub fn assign(&mut self, dno: Dno, value: Datum, ty: Oid, typmod: i32) -> PgResult<()> {
        match &self.f.datums[dno] {
            Decl::Var(v) if !v.is_record => {
                let want = (v.ty.oid, v.ty.typmod);
                let value = if ty == want.0 && (want.1 == -1 || typmod == want.1) {
                    value
                } else {
                    self.cast(value, (ty, typmod), want)?
                };
                if v.not_null && value.is_null() {
                    return Err(not_null(&v.name));
                }
                self.vals[dno] = value;
                Ok(())
            }
            Decl::Var(v) => {
                if v.not_null && value.is_null() {
                    return Err(not_null(&v.name));
                }
                match value {
                    Datum::Record(r) => self.assign_record(dno, r),
                    Datum::Null => {
                        if v.ty.domain {
                            let to = v.ty.oid;
                            let base = self.surroundings()?.analyze().catalog().base_type(to);
                            self.cast(Datum::Null, (base, -1), (to, -1))?;
                        }
                        self.vals[dno] = Datum::Null;
                        Ok(())
                    }
                    _ => {
                        Err(err!(DATATYPE_MISMATCH, "cannot assign non-composite value to a record variable"))
                    }
                }
            }
            Decl::Row { fields, .. } => match value {
                Datum::Record(r) => {
                    let columns: Vec<(Oid, i32)> =
                        r.attrs.iter().filter(|a| !a.dropped).map(|a| (a.type_oid, a.typmod)).collect();
                    let values = live_values(&r);
                    self.row_into(fields, values, &columns)
                }
                Datum::Null => self.row_into(fields, Vec::new(), &[]),
                _ => Err(err!(DATATYPE_MISMATCH, "cannot assign non-composite value to a row variable")),
            },
            Decl::Field { record, name } => {
                let (record, name) = (*record, name.clone());
                self.set_field(record, &name, value, Some((ty, typmod)))
            }
        }
    }

    /// The row type a record variable must have; None for RECORD.
    fn row_type(&mut self, dno: Dno) -> PgResult<Option<(Oid, Arc<[AttrDesc]>)>> {
        let Some(v) = self.f.datums[dno].var() else { return Ok(None) };
        if v.ty.oid == oid::RECORD {
            return Ok(None);
        }
        let env = self.surroundings()?;
        let base = env.analyze().catalog().base_type(v.ty.oid);
        let desc = env.analyze().type_env().type_desc(base)?;
        Ok(Some((base, desc.attrs.clone())))
    }

    fn assign_record(&mut self, dno: Dno, r: Arc<RecordValue>) -> PgResult<()> {
        let Some((base, attrs)) = self.row_type(dno)? else {
            self.vals[dno] = Datum::Record(r);
            return Ok(());
        };
        if r.type_oid == base && r.attrs.len() == attrs.len() {
            return self.put_record(dno, Datum::Record(r));
        }
        let columns: Vec<(Oid, i32)> =
            r.attrs.iter().filter(|a| !a.dropped).map(|a| (a.type_oid, a.typmod)).collect();
        let values = live_values(&r);
        let made = self.shape(base, attrs, values, &columns)?;
        self.put_record(dno, made)
    }

    /// Stores a record of the variable's base type; its domain's constraints first.
    fn put_record(&mut self, dno: Dno, value: Datum) -> PgResult<()> {
        if let Some(v) = self.f.datums[dno].var()
            && v.ty.domain
        {
            let to = v.ty.oid;
            let base = self.surroundings()?.analyze().catalog().base_type(to);
            self.cast(value.clone(), (base, -1), (to, -1))?;
        }
        self.vals[dno] = value;
        Ok(())
    }

    /// A record of a named type from columns by position: missing ones are NULL, extra ones go.
    fn shape(
        &mut self,
        ty: Oid,
        attrs: Arc<[AttrDesc]>,
        values: Row,
        types: &[(Oid, i32)],
    ) -> PgResult<Datum> {
        let mut given = values.into_iter().zip(types);
        let mut out = Vec::with_capacity(attrs.len());
        for a in attrs.iter() {
            if a.dropped {
                out.push(Datum::Null);
                continue;
            }
            let (v, from) = match given.next() {
                Some((v, t)) => (v, *t),
                None => (Datum::Null, (oid::UNKNOWN, -1)),
            };
            out.push(self.cast(v, from, (a.type_oid, a.typmod))?);
        }
        Ok(Datum::Record(Arc::new(RecordValue { type_oid: ty, typmod: -1, attrs, values: out })))
    }

    fn row_into(&mut self, fields: &'h [(String, Dno)], values: Row, types: &[(Oid, i32)]) -> PgResult<()> {
        let mut given = values.into_iter().zip(types);
        for (_, dno) in fields {
            match given.next() {
                Some((v, t)) => self.assign(*dno, v, t.0, t.1)?,
                None => self.assign(*dno, Datum::Null, oid::UNKNOWN, -1)?,
            }
        }
        Ok(())
    }

    /// A result row into a record or scalars. `attrs` is the shape the rows share.
    pub fn move_row(
        &mut self,
        target: Target,
        values: Option<Row>,
        columns: &[Column],
        attrs: &Arc<[AttrDesc]>,
    ) -> PgResult<()> {
        let dno = target.0;
        if values.is_some() {
            self.check_columns(dno, columns.len())?;
        }
        // PG: one column of a composite type fills a record or row by its fields.
        if let Some([Datum::Record(r)]) = values.as_deref()
            && columns.len() == 1
            && self.takes_fields(dno)
        {
            let value = Datum::Record(r.clone());
            return self.assign(dno, value, r.type_oid, -1);
        }
        match &self.f.datums[dno] {
            Decl::Row { fields, .. } => {
                let types: Vec<(Oid, i32)> = columns.iter().map(|c| (c.ty, c.typmod)).collect();
                self.row_into(fields, values.unwrap_or_default(), &types)
            }
            Decl::Var(v) if v.is_record => {
                if values.is_none() && v.not_null {
                    return Err(not_null(&v.name));
                }
                let values = values.unwrap_or_else(|| vec![Datum::Null; columns.len()]);
                match self.row_type(dno)? {
                    None => {
                        self.vals[dno] = Datum::Record(Arc::new(RecordValue {
                            type_oid: oid::RECORD,
                            typmod: -1,
                            attrs: attrs.clone(),
                            values,
                        }));
                        Ok(())
                    }
                    Some((base, attrs)) => {
                        let types: Vec<(Oid, i32)> = columns.iter().map(|c| (c.ty, c.typmod)).collect();
                        let made = self.shape(base, attrs, values, &types)?;
                        self.put_record(dno, made)
                    }
                }
            }
            _ => {
                let (v, c) = (values.and_then(|v| v.into_iter().next()), columns.first());
                let (ty, typmod) = c.map_or((oid::UNKNOWN, -1), |c| (c.ty, c.typmod));
                self.assign(dno, v.unwrap_or_default(), ty, typmod)
            }
        }
    }

    /// `strict_multi_assignment`: as many columns as targets.
    fn check_columns(&mut self, dno: Dno, given: usize) -> PgResult<()> {
        let wanted = match &self.f.datums[dno] {
            Decl::Row { fields, .. } => fields.len(),
            Decl::Var(v) if v.is_record => match self.row_type(dno)? {
                Some((_, attrs)) => attrs.iter().filter(|a| !a.dropped).count(),
                None => return Ok(()),
            },
            _ => return Ok(()),
        };
        if wanted == given {
            return Ok(());
        }
        let Some(is_error) = self.extra_check("strict_multi_assignment")? else { return Ok(()) };
        let which = if is_error { "extra_errors" } else { "extra_warnings" };
        let e = err!(DATATYPE_MISMATCH, "number of source and target fields in assignment does not match")
            .detail(format!("strict_multi_assignment check of {which} is active."))
            .hint("Make sure the query returns the exact list of columns.");
        if is_error {
            return Err(e);
        }
        self.surroundings()?.analyze().notice(e.severity(pglite_error::Severity::Warning));
        Ok(())
    }

    /// Records take a single composite column's fields; so do rows whose only field is not composite itself.
    fn takes_fields(&self, dno: Dno) -> bool {
        match &self.f.datums[dno] {
            Decl::Var(v) => v.is_record,
            Decl::Row { fields, .. } => fields.len() != 1,
            Decl::Field { .. } => false,
        }
    }

    /// Assigns to a record's field. `from`: the value's type, None when it has the field's.
    fn set_field(&mut self, record: Dno, name: &str, value: Datum, from: Option<(Oid, i32)>) -> PgResult<()> {
        let shown = self.f.datums[record].var().map_or(String::new(), |v| v.name.clone());
        if self.vals[record].is_null() {
            // A record of a named type comes to life with NULL fields.
            match self.row_type(record)? {
                None => return Err(unassigned(&shown)),
                Some((base, attrs)) => {
                    let values = vec![Datum::Null; attrs.len()];
                    self.vals[record] =
                        Datum::Record(Arc::new(RecordValue { type_oid: base, typmod: -1, attrs, values }));
                }
            }
        }
        let Datum::Record(r) = &self.vals[record] else {
            return Err(PgError::internal("record is no record"));
        };
        let Some(i) = r.attr(name) else {
            return Err(err!(UNDEFINED_COLUMN, "record \"{shown}\" has no field \"{name}\""));
        };
        let to = (r.attrs[i].type_oid, r.attrs[i].typmod);
        let value = match from {
            Some(f) => self.cast(value, f, to)?,
            None => value,
        };
        let domain = self.f.datums[record].var().is_some_and(|v| v.ty.domain);
        let mut taken = std::mem::take(&mut self.vals[record]);
        if domain {
            let before = taken.clone();
            if let Datum::Record(r) = &mut taken {
                Arc::make_mut(r).values[i] = value;
            }
            self.vals[record] = before;
            return self.put_record(record, taken);
        }
        if let Datum::Record(r) = &mut taken {
            Arc::make_mut(r).values[i] = value;
        }
        self.vals[record] = taken;
        Ok(())
    }

    /// The value of a variable with its type, as RETURN and USING see it.
    pub fn datum_value(&mut self, dno: Dno) -> PgResult<(Datum, Oid, i32)> {
        match &self.f.datums[dno] {
            Decl::Var(v) if !v.is_record => Ok((self.vals[dno].clone(), v.ty.oid, v.ty.typmod)),
            Decl::Var(v) => {
                let ty = match &self.vals[dno] {
                    Datum::Record(r) if v.ty.oid == oid::RECORD => r.type_oid,
                    _ => v.ty.oid,
                };
                Ok((self.vals[dno].clone(), ty, -1))
            }
            Decl::Field { record, name } => match &self.vals[*record] {
                Datum::Record(r) => match r.attr(name) {
                    Some(i) => Ok((r.values[i].clone(), r.attrs[i].type_oid, r.attrs[i].typmod)),
                    None => Err(err!(
                        UNDEFINED_COLUMN,
                        "record \"{}\" has no field \"{name}\"",
                        self.f.datums[*record].var().map_or("", |v| &v.name)
                    )),
                },
                _ => Err(unassigned(self.f.datums[*record].var().map_or("", |v| &v.name))),
            },
            Decl::Row { fields, .. } => {
                let mut attrs = Vec::with_capacity(fields.len());
                let mut values = Vec::with_capacity(fields.len());
                for (name, d) in fields {
                    let (v, ty, typmod) = self.datum_value(*d)?;
                    attrs.push(AttrDesc { name: name.as_str().into(), type_oid: ty, typmod, dropped: false });
                    values.push(v);
                }
                Ok((Datum::Record(Arc::new(RecordValue::anonymous(attrs.into(), values))), oid::RECORD, -1))
            }
        }
    }
}

/// A record's values without those of dropped attributes.
pub(crate) fn live_values(r: &RecordValue) -> Row {
    r.values.iter().zip(r.attrs.iter()).filter(|(_, a)| !a.dropped).map(|(v, _)| v.clone()).collect()
}

fn not_null(name: &str) -> PgError {
    err!(NULL_VALUE_NOT_ALLOWED, "null value cannot be assigned to variable \"{name}\" declared NOT NULL")
}
