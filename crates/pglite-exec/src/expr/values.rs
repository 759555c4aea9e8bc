//! Values outside expressions: casting one, making a record of a row, evaluating with parameters.

use std::sync::Arc;

use pglite_error::PgResult;
use pglite_ir::abi::CallInfo;
use pglite_ir::expr::Expr;
use pglite_types::record::RecordValue;
use pglite_types::{AttrDesc, Datum, Oid, Row, oid};

use super::call::FnRef;
use super::code::Rows;
use super::compile::{Compiler, is_text_like};
use crate::env::ExecEnv;
use crate::state::{ExecCx, RunState};

/// The value of an expression over `$n` parameters.
pub fn eval_with_params(env: &ExecEnv<'_>, expr: &Expr, params: &[(Oid, Datum)]) -> PgResult<Datum> {
    let code = Compiler::bare(env).compile(expr)?;
    let values: Arc<[Datum]> = params.iter().map(|(_, v)| v.clone()).collect();
    let mut run = RunState::bare(values);
    code.eval(&Rows::default(), &mut ExecCx::new(env, &mut run))
}

/// Casts a value as an assignment would: nothing for binary-compatible types, the cast's function, or text.
pub fn coerce_value(env: &ExecEnv<'_>, value: Datum, from: Oid, to: Oid) -> PgResult<Datum> {
    let snapshot = env.host.catalog();
    let (source, target) = (snapshot.base_type(from), snapshot.base_type(to));
    let value = coerce_base(env, value, source, target)?;
    if target != to {
        super::domain::check_domain(env, to, &value)?;
    }
    Ok(value)
}

fn coerce_base(env: &ExecEnv<'_>, value: Datum, from: Oid, to: Oid) -> PgResult<Datum> {
    let snapshot = env.host.catalog();
    if value.is_null() || from == to || snapshot.is_binary_coercible(from, to) || to == oid::RECORD {
        return Ok(value);
    }
    let mut run = RunState::bare(Arc::from(Vec::new()));
    let cx = &mut ExecCx::new(env, &mut run);
    if let Some(cast) = snapshot.cast(from, to) {
        if let Some(func) = cast.castfunc.valid() {
            let args = snapshot.proc_by_oid(func).map_or(1, |p| p.proargtypes.len());
            let all = [value, Datum::Int4(-1), Datum::Bool(false)];
            let info = CallInfo { func, ret_type: to, arg_types: vec![from], ..CallInfo::default() };
            return FnRef::resolve(snapshot, info)?.call(cx, &all[..args.clamp(1, 3)]);
        }
        if cast.castmethod == b'b' {
            return Ok(value);
        }
    }
    let same = is_text_like(from) && is_text_like(to);
    super::coerce::convert(cx, &value, from, to, same)
}

/// A composite value of a row: of a named row type (values cast to its attributes), or anonymous.
pub fn make_record(env: &ExecEnv<'_>, ty: Oid, types: &[Oid], row: Row) -> PgResult<Datum> {
    let attrs: Arc<[AttrDesc]> = if ty == oid::RECORD {
        let attr = |(i, t): (usize, &Oid)| AttrDesc {
            name: format!("f{}", i + 1).into(),
            type_oid: *t,
            typmod: -1,
            dropped: false,
        };
        types.iter().enumerate().map(attr).collect()
    } else {
        env.host.type_desc(ty)?.attrs.clone()
    };
    let mut given = row.into_iter().zip(types);
    let mut values = Vec::with_capacity(attrs.len());
    for attr in attrs.iter() {
        if attr.dropped {
            values.push(Datum::Null);
            continue;
        }
        match given.next() {
            Some((v, t)) => values.push(coerce_value(env, v, *t, attr.type_oid)?),
            None => values.push(Datum::Null),
        }
    }
    Ok(Datum::Record(Arc::new(RecordValue { type_oid: ty, typmod: -1, attrs, values })))
}
