//! Calls of set-returning functions: started with their arguments, then stepped row by row.

use std::sync::Arc;

use pglite_error::{PgError, PgResult};
use pglite_ir::abi::{Body, CallInfo, FnCtx, RowSource, SetFn};
use pglite_ir::expr::Expr;
use pglite_types::record::RecordValue;
use pglite_types::{AttrDesc, Datum, Oid, Row, TypeKind, oid};

use super::build::VarMap;
use super::code::{Code, Rows};
use super::compile::Compiler;
use crate::env::ExecEnv;
use crate::facts::{self, Lang};
use crate::state::ExecCx;

enum Kind {
    Native(SetFn),
    User,
    Missing(String),
    /// Not a set: one value.
    Scalar(Code),
}

/// A compiled call of a set-returning function (or any expression in its place).
pub struct SetCode {
    kind: Kind,
    info: CallInfo,
    args: Box<[Code]>,
    strict: bool,
    /// The result is a row type.
    pub composite: bool,
    /// The row type's attributes, for making a record of a row.
    attrs: Arc<[AttrDesc]>,
}

/// A running set.
pub enum SetState {
    Empty,
    Single(Option<Datum>),
    Rows(Box<dyn RowSource>),
}

impl SetCode {
    pub fn compile(
        env: &ExecEnv<'_>,
        expr: &Expr,
        map: &mut dyn VarMap,
        columns: Vec<(String, Oid, i32)>,
    ) -> PgResult<(SetCode, bool)> {
        let mut c = Compiler::new(env, map);
        let ty = expr.ty();
        let composite = ty == oid::RECORD || is_composite(env, ty)?;
        let (func, collation, variadic, args) = match expr {
            Expr::Func(x) if x.retset => (x.func, x.input_collation, x.variadic, &x.args),
            Expr::Op(x) if x.retset => (x.func, x.input_collation, false, &x.args),
            other => {
                let mut code = c.compile(other)?;
                // A function returning RECORD is told the columns wanted of it.
                if let Code::Call(call) = &mut code
                    && ty == oid::RECORD
                {
                    call.f.info.columns.clone_from(&columns);
                }
                let volatile = c.volatile;
                let set = SetCode {
                    kind: Kind::Scalar(code),
                    info: CallInfo::default(),
                    args: Box::default(),
                    strict: false,
                    composite,
                    attrs: Arc::from(Vec::new()),
                };
                return Ok((set, volatile));
            }
        };
        let proc_ = facts::proc_facts(env.host.catalog(), func)?;
        let kind = match proc_.lang {
            Lang::Other => Kind::User,
            _ => match pglite_functions::body(&proc_.prosrc) {
                Some(Body::Set(f)) => Kind::Native(*f),
                _ => Kind::Missing(proc_.name.to_string()),
            },
        };
        let attrs = if composite { row_attrs(env, func, ty, &columns)? } else { Arc::from(Vec::new()) };
        let columns = if columns.is_empty() {
            attrs.iter().map(|a| (a.name.to_string(), a.type_oid, a.typmod)).collect()
        } else {
            columns
        };
        let info = CallInfo {
            func,
            ret_type: ty,
            arg_types: args.iter().map(Expr::ty).collect(),
            collation,
            variadic,
            columns,
        };
        let args = c.list(args)?;
        let volatile = c.volatile | proc_.volatile;
        Ok((SetCode { kind, info, args, strict: proc_.strict, composite, attrs }, volatile))
    }

    pub fn start(&self, rows: &Rows<'_>, cx: &mut ExecCx<'_>) -> PgResult<SetState> {
        if let Kind::Scalar(code) = &self.kind {
            return Ok(SetState::Single(Some(code.eval(rows, cx)?)));
        }
        let mut args = Vec::with_capacity(self.args.len());
        for code in &self.args {
            args.push(code.eval(rows, cx)?);
        }
        if self.strict && args.iter().any(Datum::is_null) {
            return Ok(SetState::Empty);
        }
        match &self.kind {
            Kind::Native(f) => Ok(SetState::Rows(f(&FnCtx { host: cx.env.host, call: &self.info }, &args)?)),
            Kind::User => Ok(SetState::Rows(cx.env.hooks.call_set_function(&self.info, &args)?)),
            Kind::Missing(name) => {
                Err(PgError::unsupported(format!("function {name} is not supported by this server")))
            }
            Kind::Scalar(_) => Ok(SetState::Empty),
        }
    }

    /// Appends the next row to `out`; false at the end.
    pub fn next(&self, state: &mut SetState, cx: &mut ExecCx<'_>, out: &mut Row) -> PgResult<bool> {
        match state {
            SetState::Empty => Ok(false),
            SetState::Single(v) => match v.take() {
                Some(v) => {
                    out.push(v);
                    Ok(true)
                }
                None => Ok(false),
            },
            SetState::Rows(source) => {
                if source.next(&FnCtx { host: cx.env.host, call: &self.info }, out)? {
                    return Ok(true);
                }
                *state = SetState::Empty;
                Ok(false)
            }
        }
    }

    /// The next value, rows made into records.
    pub fn next_value(&self, state: &mut SetState, cx: &mut ExecCx<'_>) -> PgResult<Option<Datum>> {
        let mut row = Row::new();
        if !self.next(state, cx, &mut row)? {
            return Ok(None);
        }
        if row.len() == 1 && (!self.composite || matches!(row[0], Datum::Record(_)) || self.attrs.len() != 1)
        {
            return Ok(row.pop());
        }
        Ok(Some(Datum::Record(Arc::new(RecordValue {
            type_oid: self.info.ret_type,
            typmod: -1,
            attrs: self.attrs.clone(),
            values: row,
        }))))
    }
}

fn is_composite(env: &ExecEnv<'_>, ty: Oid) -> PgResult<bool> {
    Ok(env.host.type_desc(ty)?.kind == TypeKind::Composite)
}

/// Attributes of a function's rows: a named type's, the call's column list, or the OUT arguments.
fn row_attrs(
    env: &ExecEnv<'_>,
    func: Oid,
    ty: Oid,
    columns: &[(String, Oid, i32)],
) -> PgResult<Arc<[AttrDesc]>> {
    if ty != oid::RECORD {
        return Ok(env.host.type_desc(ty)?.attrs.clone());
    }
    let attr = |name: &str, ty: Oid, typmod: i32| AttrDesc {
        name: name.into(),
        type_oid: ty,
        typmod,
        dropped: false,
    };
    if !columns.is_empty() {
        return Ok(columns.iter().map(|(n, t, m)| attr(n, *t, *m)).collect());
    }
    Ok(facts::out_columns(env.host.catalog(), func).iter().map(|(n, t)| attr(n, *t, -1)).collect())
}
