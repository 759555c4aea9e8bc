//! Composite values: ROW(...), field access, row comparison; GREATEST/LEAST.

use std::cmp::Ordering;
use std::sync::Arc;

use pglite_error::{PgError, PgResult};
use pglite_ir::expr::RowCompareKind;
use pglite_types::record::RecordValue;
use pglite_types::{AttrDesc, Datum, Oid};

use super::code::{Code, Rows};
use crate::compare::CmpFn;
use crate::operand;
use crate::state::ExecCx;

/// `ROW(...)`.
pub struct RowCode {
    pub args: Box<[Code]>,
    pub ty: Oid,
    pub attrs: Arc<[AttrDesc]>,
}

impl RowCode {
    pub fn eval(&self, rows: &Rows<'_>, cx: &mut ExecCx<'_>) -> PgResult<Datum> {
        let mut values = Vec::with_capacity(self.attrs.len().max(self.args.len()));
        for code in &self.args {
            values.push(code.eval(rows, cx)?);
        }
        values.resize(self.attrs.len().max(values.len()), Datum::Null);
        Ok(Datum::Record(Arc::new(RecordValue {
            type_oid: self.ty,
            typmod: -1,
            attrs: self.attrs.clone(),
            values,
        })))
    }
}

/// `(composite).field`, 0-based.
pub fn field(value: &Datum, field: usize, _ty: Oid) -> PgResult<Datum> {
    match value {
        Datum::Null => Ok(Datum::Null),
        Datum::Record(r) => match r.attrs.get(field) {
            Some(a) if a.dropped => Ok(Datum::Null),
            _ => Ok(r.values.get(field).cloned().unwrap_or_default()),
        },
        other => Err(PgError::internal(format!("field of {other:?}"))),
    }
}

/// Assignment to fields of a composite value.
pub struct FieldStoreCode {
    pub arg: Code,
    pub fields: Box<[(usize, Code)]>,
    pub ty: Oid,
    pub attrs: Arc<[AttrDesc]>,
}

impl FieldStoreCode {
    pub fn eval(&self, rows: &Rows<'_>, cx: &mut ExecCx<'_>) -> PgResult<Datum> {
        let mut values = match self.arg.eval(rows, cx)? {
            Datum::Record(r) => Arc::unwrap_or_clone(r).values,
            _ => Vec::new(),
        };
        values.resize(self.attrs.len(), Datum::Null);
        for (i, code) in &self.fields {
            // A nested assignment reads the field's old value as the case value.
            cx.run.case.push(values[*i].clone());
            let v = code.eval(rows, cx);
            cx.run.case.pop();
            values[*i] = v?;
        }
        Ok(Datum::Record(Arc::new(RecordValue {
            type_oid: self.ty,
            typmod: -1,
            attrs: self.attrs.clone(),
            values,
        })))
    }
}

/// `(a, b) < (c, d)`.
pub struct RowCompareCode {
    pub kind: RowCompareKind,
    pub left: Box<[Code]>,
    pub right: Box<[Code]>,
    pub cmp: Box<[CmpFn]>,
}

impl RowCompareCode {
    pub fn test(&self, rows: &Rows<'_>, cx: &mut ExecCx<'_>) -> PgResult<Option<bool>> {
        let mut order = Ordering::Equal;
        for i in 0..self.cmp.len() {
            operand!(a, self.left[i], rows, cx);
            operand!(b, self.right[i], rows, cx);
            if a.is_null() || b.is_null() {
                return Ok(None);
            }
            order = self.cmp[i].cmp(cx, a, b)?;
            if order != Ordering::Equal {
                break;
            }
        }
        Ok(Some(match self.kind {
            RowCompareKind::Lt => order == Ordering::Less,
            RowCompareKind::Le => order != Ordering::Greater,
            RowCompareKind::Ge => order != Ordering::Less,
            RowCompareKind::Gt => order == Ordering::Greater,
        }))
    }
}

/// GREATEST/LEAST.
pub struct MinMaxCode {
    pub greatest: bool,
    pub args: Box<[Code]>,
    pub cmp: CmpFn,
}

impl MinMaxCode {
    pub fn eval(&self, rows: &Rows<'_>, cx: &mut ExecCx<'_>) -> PgResult<Datum> {
        let mut best = Datum::Null;
        for code in &self.args {
            let v = code.eval(rows, cx)?;
            if v.is_null() {
                continue;
            }
            if best.is_null() {
                best = v;
                continue;
            }
            let o = self.cmp.cmp(cx, &best, &v)?;
            if (o == Ordering::Less) == self.greatest && o != Ordering::Equal {
                best = v;
            }
        }
        Ok(best)
    }
}
