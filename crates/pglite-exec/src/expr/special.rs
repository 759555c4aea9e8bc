//! CURRENT_DATE and its kin, and identity columns' nextval.

use pglite_error::{PgError, PgResult, bail};
use pglite_ir::abi::{Body, CallInfo, Clock, FnCtx, SequenceOp, UserKind};
use pglite_ir::expr::SqlValueFunc;
use pglite_types::{Datum, Oid, oid, typmod};

use crate::state::ExecCx;

pub fn sql_value(func: SqlValueFunc, type_mod: i32, cx: &mut ExecCx<'_>) -> PgResult<Datum> {
    use SqlValueFunc::*;
    let host = cx.env.host;
    let now = Datum::Timestamp(host.clock(Clock::Transaction));
    match func {
        CurrentTimestamp => typmod::apply(oid::TIMESTAMPTZ, type_mod, now, true),
        LocalTimestamp => typmod::apply(
            oid::TIMESTAMP,
            type_mod,
            cast("timestamptz_timestamp", oid::TIMESTAMP, now, cx)?,
            true,
        ),
        CurrentDate => cast("timestamptz_date", oid::DATE, now, cx),
        CurrentTime => {
            typmod::apply(oid::TIMETZ, type_mod, cast("timestamptz_timetz", oid::TIMETZ, now, cx)?, true)
        }
        LocalTime => typmod::apply(oid::TIME, type_mod, cast("timestamptz_time", oid::TIME, now, cx)?, true),
        CurrentRole | CurrentUser | User => by_name("current_user", cx),
        SessionUser => by_name("session_user", cx),
        SystemUser => by_name("system_user", cx).or(Ok(Datum::Null)),
        CurrentCatalog => by_name("current_database", cx),
        CurrentSchema => by_name("current_schema", cx),
    }
}

fn call_body(
    prosrc: &str,
    ret_type: Oid,
    args: &[Datum],
    arg_types: Vec<Oid>,
    cx: &mut ExecCx<'_>,
) -> PgResult<Datum> {
    match pglite_functions::body(prosrc) {
        Some(Body::Scalar(f)) => {
            let call = CallInfo { ret_type, arg_types, ..CallInfo::default() };
            f(&FnCtx { host: cx.env.host, call: &call }, args)
        }
        _ => Err(PgError::unsupported(format!("function {prosrc} is not supported by this server"))),
    }
}

fn cast(prosrc: &str, ret_type: Oid, value: Datum, cx: &mut ExecCx<'_>) -> PgResult<Datum> {
    call_body(prosrc, ret_type, &[value], vec![oid::TIMESTAMPTZ], cx)
}

fn by_name(prosrc: &str, cx: &mut ExecCx<'_>) -> PgResult<Datum> {
    match call_body(prosrc, oid::NAME, &[], Vec::new(), cx) {
        Err(e) if e.code() == pglite_error::codes::FEATURE_NOT_SUPPORTED => {
            let kind = match prosrc {
                "current_user" => UserKind::Current,
                "session_user" => UserKind::Session,
                _ => return Err(e),
            };
            let role = cx.env.host.user(kind);
            crate::facts::role_name(cx.env.host.catalog(), role).map(Datum::text)
        }
        other => other,
    }
}

pub fn next_value(seq: Oid, ty: Oid, cx: &mut ExecCx<'_>) -> PgResult<Datum> {
    let (value, _) = cx.env.host.sequence(seq, SequenceOp::Next)?;
    match ty {
        oid::INT8 => Ok(Datum::Int8(value)),
        oid::INT4 => match i32::try_from(value) {
            Ok(v) => Ok(Datum::Int4(v)),
            Err(_) => bail!(NUMERIC_VALUE_OUT_OF_RANGE, "integer out of range"),
        },
        oid::INT2 => match i16::try_from(value) {
            Ok(v) => Ok(Datum::Int2(v)),
            Err(_) => bail!(NUMERIC_VALUE_OUT_OF_RANGE, "smallint out of range"),
        },
        other => Err(PgError::internal(format!("unsupported sequence type {other}"))),
    }
}
