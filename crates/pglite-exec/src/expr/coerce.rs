//! Casts that are not functions: through text, per array element, between row types.

use std::sync::Arc;

use pglite_error::{PgError, PgResult, bail};
use pglite_types::array::ArrayValue;
use pglite_types::record::RecordValue;
use pglite_types::{AttrDesc, Datum, Oid, TypeEnv};

use super::code::{Code, Rows};
use crate::operand;
use crate::state::ExecCx;

/// A cast through output and input functions.
pub struct IoCode {
    pub arg: Code,
    pub from: Oid,
    pub to: Oid,
    /// Both ends are text-like: the value passes as it is.
    pub same: bool,
}

impl IoCode {
    pub fn eval(&self, rows: &Rows<'_>, cx: &mut ExecCx<'_>) -> PgResult<Datum> {
        operand!(x, self.arg, rows, cx);
        convert(cx, x, self.from, self.to, self.same)
    }
}

/// Output of `from`, then input of `to`. NULL stays NULL.
pub fn convert(cx: &mut ExecCx<'_>, x: &Datum, from: Oid, to: Oid, same: bool) -> PgResult<Datum> {
    if x.is_null() || same {
        return Ok(x.clone());
    }
    let mut text = String::new();
    let env: &dyn TypeEnv = cx.env.host;
    pglite_types::text::text_out(env, from, x, &mut text)?;
    if super::compile::is_text_like(to) {
        return Ok(Datum::text(text));
    }
    pglite_types::text::text_in(env, to, -1, &text)
}

/// Converts every element; the element is the innermost case value.
pub struct ArrayCoerceCode {
    pub arg: Code,
    pub elem: Code,
    pub elem_type: Oid,
    /// The element needs no work: only the element type changes.
    pub relabel: bool,
}

impl ArrayCoerceCode {
    pub fn eval(&self, rows: &Rows<'_>, cx: &mut ExecCx<'_>) -> PgResult<Datum> {
        let array = match self.arg.eval(rows, cx)? {
            Datum::Array(a) => a,
            other => return Ok(other),
        };
        let mut out = Vec::with_capacity(array.values.len());
        for v in &array.values {
            if self.relabel {
                out.push(v.clone());
                continue;
            }
            cx.run.case.push(v.clone());
            let result = self.elem.eval(rows, cx);
            cx.run.case.pop();
            out.push(result?);
        }
        Ok(Datum::Array(Arc::new(ArrayValue {
            elem_type: self.elem_type,
            dims: array.dims.clone(),
            values: out,
        })))
    }
}

/// A row of one composite type as another: attributes matched by name.
pub struct ConvertRowCode {
    pub arg: Code,
    pub ty: Oid,
    pub attrs: Arc<[AttrDesc]>,
}

impl ConvertRowCode {
    pub fn eval(&self, rows: &Rows<'_>, cx: &mut ExecCx<'_>) -> PgResult<Datum> {
        let record = match self.arg.eval(rows, cx)? {
            Datum::Record(r) => r,
            Datum::Null => return Ok(Datum::Null),
            other => return Err(PgError::internal(format!("row conversion of {other:?}"))),
        };
        let mut values = Vec::with_capacity(self.attrs.len());
        for attr in self.attrs.iter() {
            if attr.dropped {
                values.push(Datum::Null);
                continue;
            }
            match record.attr(&attr.name) {
                Some(i) => values.push(record.values.get(i).cloned().unwrap_or_default()),
                None => bail!(DATATYPE_MISMATCH, "could not convert row type"),
            }
        }
        Ok(Datum::Record(Arc::new(RecordValue {
            type_oid: self.ty,
            typmod: -1,
            attrs: self.attrs.clone(),
            values,
        })))
    }
}
