//! `Code`: a compiled expression and its evaluation.
//!
//! Invariant: evaluation recurses no deeper than the expression, whose depth the compiler bounds.

use std::cmp::Ordering;
use std::sync::Arc;

use pglite_error::{PgError, PgResult, bail};
use pglite_ir::expr::{BoolTest, SqlValueFunc};
use pglite_types::record::RecordValue;
use pglite_types::{AttrDesc, Datum, Oid};

use super::array::{ArrayCode, SaopCode, SubscriptCode};
use super::call::CallCode;
use super::coerce::{ArrayCoerceCode, ConvertRowCode, IoCode};
use super::domain::DomainCode;
use super::json::{JsonCode, XmlCode};
use super::rowops::{FieldStoreCode, MinMaxCode, RowCode, RowCompareCode};
use super::subplan::SubPlanCode;
use crate::compare::{EqFn, fast_cmp, fast_eq};
use crate::state::ExecCx;

/// The rows an expression may read: 0 = outer or scan, 1 = inner, 2 = old, 3 = new.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rows<'r> {
    pub s: [&'r [Datum]; 4],
}

impl<'r> Rows<'r> {
    pub fn outer(row: &'r [Datum]) -> Rows<'r> {
        Rows { s: [row, &[], &[], &[]] }
    }
    pub fn pair(outer: &'r [Datum], inner: &'r [Datum]) -> Rows<'r> {
        Rows { s: [outer, inner, &[], &[]] }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CmpOp {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
}

impl CmpOp {
    #[inline]
    pub fn holds(self, o: Ordering) -> bool {
        match self {
            CmpOp::Eq => o == Ordering::Equal,
            CmpOp::Ne => o != Ordering::Equal,
            CmpOp::Lt => o == Ordering::Less,
            CmpOp::Le => o != Ordering::Greater,
            CmpOp::Gt => o == Ordering::Greater,
            CmpOp::Ge => o != Ordering::Less,
        }
    }
}

pub type Strict2 = fn(&Datum, &Datum) -> PgResult<Datum>;

/// A compiled expression.
pub enum Code {
    Const(Datum),
    Slot {
        slot: u8,
        col: u16,
    },
    Extern(u32),
    Exec(u32),
    CaseTest,
    DomainValue,
    /// Comparison of built-in kinds whose order is [`fast_cmp`]; strict.
    Cmp {
        op: CmpOp,
        a: Box<Code>,
        b: Box<Code>,
    },
    /// `slot op int constant`: the filter everybody writes.
    CmpInt {
        op: CmpOp,
        slot: u8,
        col: u16,
        value: i64,
    },
    Strict2 {
        f: Strict2,
        a: Box<Code>,
        b: Box<Code>,
    },
    Call(Box<CallCode>),
    And(Box<[Code]>),
    Or(Box<[Code]>),
    Not(Box<Code>),
    IsNull {
        arg: Box<Code>,
        negate: bool,
    },
    RowIsNull {
        arg: Box<Code>,
        want_null: bool,
    },
    BoolTest {
        arg: Box<Code>,
        test: BoolTest,
    },
    Distinct {
        eq: EqFn,
        a: Box<Code>,
        b: Box<Code>,
    },
    NullIf {
        eq: EqFn,
        a: Box<Code>,
        b: Box<Code>,
    },
    Case {
        arg: Option<Box<Code>>,
        whens: Box<[(Code, Code)]>,
        default: Option<Box<Code>>,
    },
    Coalesce(Box<[Code]>),
    MinMax(Box<MinMaxCode>),
    Saop(Box<SaopCode>),
    Array(Box<ArrayCode>),
    Subscript(Box<SubscriptCode>),
    Row(Box<RowCode>),
    RowCompare(Box<RowCompareCode>),
    Field {
        arg: Box<Code>,
        field: usize,
        ty: Oid,
    },
    FieldStore(Box<FieldStoreCode>),
    Io(Box<IoCode>),
    /// A binary-coercible cast that changes the physical kind.
    Retag {
        arg: Box<Code>,
        ty: Oid,
    },
    ArrayCoerce(Box<ArrayCoerceCode>),
    ConvertRow(Box<ConvertRowCode>),
    Domain(Box<DomainCode>),
    SubPlan(Box<SubPlanCode>),
    /// A column of a MULTIEXPR subplan: its exec param.
    SqlValue {
        func: SqlValueFunc,
        typmod: i32,
    },
    /// The whole row of a scan: (slot, column) per attribute, None for dropped ones.
    WholeRow {
        ty: Oid,
        attrs: Arc<[AttrDesc]>,
        cols: Box<[Option<(u8, u16)>]>,
        null_if: Option<(u8, u16)>,
    },
    NextValue {
        seq: Oid,
        ty: Oid,
    },
    CurrentOf {
        cursor: String,
        /// The parameter with the cursor's name.
        param: Option<u32>,
        rel: Oid,
        rowid: (u8, u16),
    },
    Json(Box<JsonCode>),
    Xml(Box<XmlCode>),
    /// Raises when reached, not when compiled.
    Fail(Box<PgError>),
}

/// Implicitly ANDed conditions.
#[derive(Default)]
pub struct Qual(pub Box<[Code]>);

impl Qual {
    #[inline]
    pub fn test(&self, rows: &Rows<'_>, cx: &mut ExecCx<'_>) -> PgResult<bool> {
        for code in &self.0 {
            if code.test(rows, cx)? != Some(true) {
                return Ok(false);
            }
        }
        Ok(true)
    }
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Binds `$name` to a reference to the operand's value, evaluating into a temporary only when needed.
#[macro_export]
macro_rules! operand {
    ($name:ident, $code:expr, $rows:expr, $cx:expr) => {
        let tmp;
        let $name: &pglite_types::Datum = match $code.peek($rows) {
            Some(d) => d,
            None => {
                tmp = $code.eval($rows, $cx)?;
                &tmp
            }
        };
    };
}

impl Code {
    /// The value by reference, for columns and constants.
    #[inline]
    pub fn peek<'v>(&'v self, rows: &Rows<'v>) -> Option<&'v Datum> {
        match self {
            Code::Slot { slot, col } => rows.s[*slot as usize].get(*col as usize),
            Code::Const(d) => Some(d),
            _ => None,
        }
    }

    pub fn is_const(&self) -> bool {
        matches!(self, Code::Const(_))
    }

    /// A boolean's value without making a Datum; None is NULL.
    pub fn test(&self, rows: &Rows<'_>, cx: &mut ExecCx<'_>) -> PgResult<Option<bool>> {
        match self {
            Code::CmpInt { op, slot, col, value } => match rows.s[*slot as usize].get(*col as usize) {
                Some(Datum::Int4(v)) => Ok(Some(op.holds((*v as i64).cmp(value)))),
                Some(Datum::Int8(v)) => Ok(Some(op.holds(v.cmp(value)))),
                Some(Datum::Int2(v)) => Ok(Some(op.holds((*v as i64).cmp(value)))),
                Some(Datum::Null) => Ok(None),
                other => Err(kind_error("an integer", other)),
            },
            Code::Cmp { op, a, b } => {
                operand!(x, a, rows, cx);
                operand!(y, b, rows, cx);
                if x.is_null() || y.is_null() {
                    return Ok(None);
                }
                Ok(Some(match op {
                    CmpOp::Eq => fast_eq(x, y),
                    CmpOp::Ne => !fast_eq(x, y),
                    _ => op.holds(fast_cmp(x, y)),
                }))
            }
            Code::And(args) => {
                let mut null = false;
                for arg in args {
                    match arg.test(rows, cx)? {
                        Some(false) => return Ok(Some(false)),
                        Some(true) => {}
                        None => null = true,
                    }
                }
                Ok(if null { None } else { Some(true) })
            }
            Code::Or(args) => {
                let mut null = false;
                for arg in args {
                    match arg.test(rows, cx)? {
                        Some(true) => return Ok(Some(true)),
                        Some(false) => {}
                        None => null = true,
                    }
                }
                Ok(if null { None } else { Some(false) })
            }
            Code::Not(arg) => Ok(arg.test(rows, cx)?.map(|b| !b)),
            Code::IsNull { arg, negate } => {
                operand!(x, arg, rows, cx);
                Ok(Some(x.is_null() != *negate))
            }
            Code::RowIsNull { arg, want_null } => {
                operand!(x, arg, rows, cx);
                Ok(Some(row_null_test(x, *want_null)))
            }
            Code::BoolTest { arg, test } => {
                let v = arg.test(rows, cx)?;
                Ok(Some(match test {
                    BoolTest::IsTrue => v == Some(true),
                    BoolTest::IsNotTrue => v != Some(true),
                    BoolTest::IsFalse => v == Some(false),
                    BoolTest::IsNotFalse => v != Some(false),
                    BoolTest::IsUnknown => v.is_none(),
                    BoolTest::IsNotUnknown => v.is_some(),
                }))
            }
            Code::Distinct { eq, a, b } => {
                operand!(x, a, rows, cx);
                operand!(y, b, rows, cx);
                Ok(Some(match (x.is_null(), y.is_null()) {
                    (true, true) => false,
                    (false, false) => !eq.eq(cx, x, y)?,
                    _ => true,
                }))
            }
            Code::Saop(s) => s.test(rows, cx),
            Code::RowCompare(r) => r.test(rows, cx),
            Code::SubPlan(s) if s.is_bool() => s.test(rows, cx),
            _ => match self.eval(rows, cx)? {
                Datum::Bool(b) => Ok(Some(b)),
                Datum::Null => Ok(None),
                other => Err(kind_error("a boolean", Some(&other))),
            },
        }
    }

    pub fn eval(&self, rows: &Rows<'_>, cx: &mut ExecCx<'_>) -> PgResult<Datum> {
        match self {
            Code::Const(d) => Ok(d.clone()),
            Code::Slot { slot, col } => match rows.s[*slot as usize].get(*col as usize) {
                Some(d) => Ok(d.clone()),
                None => Err(PgError::internal(format!("expression reads column {col} of a missing row"))),
            },
            Code::Strict2 { f, a, b } => {
                operand!(x, a, rows, cx);
                operand!(y, b, rows, cx);
                if x.is_null() || y.is_null() {
                    return Ok(Datum::Null);
                }
                f(x, y)
            }
            Code::Call(call) => call.eval(rows, cx),
            Code::Cmp { .. }
            | Code::CmpInt { .. }
            | Code::And(_)
            | Code::Or(_)
            | Code::Not(_)
            | Code::IsNull { .. }
            | Code::RowIsNull { .. }
            | Code::BoolTest { .. }
            | Code::Distinct { .. }
            | Code::Saop(_)
            | Code::RowCompare(_) => Ok(self.test(rows, cx)?.map_or(Datum::Null, Datum::Bool)),
            _ => self.eval_rare(rows, cx),
        }
    }

    fn eval_rare(&self, rows: &Rows<'_>, cx: &mut ExecCx<'_>) -> PgResult<Datum> {
        match self {
            Code::Extern(id) => match cx.run.params.get(*id as usize) {
                Some(d) => Ok(d.clone()),
                None => bail!(UNDEFINED_OBJECT, "no value found for parameter {}", id + 1),
            },
            Code::Exec(id) => super::subplan::exec_param(*id, cx),
            Code::CaseTest => Ok(cx.run.case.last().cloned().unwrap_or_default()),
            Code::DomainValue => Ok(cx.run.domain.last().cloned().unwrap_or_default()),
            Code::NullIf { eq, a, b } => {
                operand!(x, a, rows, cx);
                operand!(y, b, rows, cx);
                if !x.is_null() && !y.is_null() && eq.eq(cx, x, y)? {
                    return Ok(Datum::Null);
                }
                Ok(x.clone())
            }
            Code::Case { arg, whens, default } => {
                eval_case(arg.as_deref(), whens, default.as_deref(), rows, cx)
            }
            Code::Coalesce(args) => {
                for arg in args {
                    let v = arg.eval(rows, cx)?;
                    if !v.is_null() {
                        return Ok(v);
                    }
                }
                Ok(Datum::Null)
            }
            Code::MinMax(m) => m.eval(rows, cx),
            Code::Array(a) => a.eval(rows, cx),
            Code::Subscript(s) => s.eval(rows, cx),
            Code::Row(r) => r.eval(rows, cx),
            Code::Field { arg, field, ty } => {
                operand!(x, arg, rows, cx);
                super::rowops::field(x, *field, *ty)
            }
            Code::FieldStore(f) => f.eval(rows, cx),
            Code::Io(c) => c.eval(rows, cx),
            Code::Retag { arg, ty } => Ok(arg.eval(rows, cx)?.relabel(*ty)),
            Code::ArrayCoerce(c) => c.eval(rows, cx),
            Code::ConvertRow(c) => c.eval(rows, cx),
            Code::Domain(d) => d.eval(rows, cx),
            Code::SubPlan(s) => s.eval(rows, cx),
            Code::SqlValue { func, typmod } => super::special::sql_value(*func, *typmod, cx),
            Code::WholeRow { ty, attrs, cols, null_if } => {
                if let Some((slot, col)) = null_if
                    && rows.s[*slot as usize].get(*col as usize).is_none_or(Datum::is_null)
                {
                    return Ok(Datum::Null);
                }
                let values = cols
                    .iter()
                    .map(|c| {
                        c.and_then(|(s, c)| rows.s[s as usize].get(c as usize)).cloned().unwrap_or_default()
                    })
                    .collect();
                Ok(Datum::Record(Arc::new(RecordValue {
                    type_oid: *ty,
                    typmod: -1,
                    attrs: attrs.clone(),
                    values,
                })))
            }
            Code::NextValue { seq, ty } => super::special::next_value(*seq, *ty, cx),
            Code::CurrentOf { cursor, param, rel, rowid } => {
                let named = param.and_then(|p| cx.run.params.get(p as usize - 1)).and_then(Datum::as_str);
                let want = cx.env.hooks.cursor_row(named.unwrap_or(cursor), *rel)?;
                let have = rows.s[rowid.0 as usize].get(rowid.1 as usize);
                Ok(Datum::Bool(matches!((want, have), (Some(w), Some(Datum::Int8(h))) if w as i64 == *h)))
            }
            Code::Json(j) => j.eval(rows, cx),
            Code::Xml(x) => x.eval(rows, cx),
            Code::Fail(e) => Err((**e).clone()),
            _ => Err(PgError::internal("expression program is inconsistent")),
        }
    }
}

fn eval_case(
    arg: Option<&Code>,
    whens: &[(Code, Code)],
    default: Option<&Code>,
    rows: &Rows<'_>,
    cx: &mut ExecCx<'_>,
) -> PgResult<Datum> {
    let mut chosen = default;
    match arg {
        Some(arg) => {
            let value = arg.eval(rows, cx)?;
            cx.run.case.push(value);
            let found = find_when(whens, rows, cx);
            cx.run.case.pop();
            if let Some(i) = found? {
                chosen = Some(&whens[i].1);
            }
        }
        None => {
            if let Some(i) = find_when(whens, rows, cx)? {
                chosen = Some(&whens[i].1);
            }
        }
    }
    match chosen {
        Some(code) => code.eval(rows, cx),
        None => Ok(Datum::Null),
    }
}

fn find_when(whens: &[(Code, Code)], rows: &Rows<'_>, cx: &mut ExecCx<'_>) -> PgResult<Option<usize>> {
    for (i, (when, _)) in whens.iter().enumerate() {
        if when.test(rows, cx)? == Some(true) {
            return Ok(Some(i));
        }
    }
    Ok(None)
}

/// `row IS [NOT] NULL`: all fields null, or all fields not null.
pub fn row_null_test(value: &Datum, want_null: bool) -> bool {
    match value {
        Datum::Null => want_null,
        Datum::Record(r) => {
            r.values.iter().zip(r.attrs.iter()).all(|(v, a)| a.dropped || v.is_null() == want_null)
        }
        _ => !want_null,
    }
}

#[cold]
pub fn kind_error(want: &str, got: Option<&Datum>) -> PgError {
    PgError::internal(format!("expected {want}, found {got:?}"))
}
