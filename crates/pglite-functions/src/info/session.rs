//! The session and the server: version, settings, transaction numbers, other backends, sequences.

use ecow::EcoString;
use pglite_catalog::facts;
use pglite_error::{PgResult, bail, err};
use pglite_ir::abi::{RowSource, SequenceOp};
use pglite_ir::{Body, FnCtx};
use pglite_types::{Datum, Oid, oid};

use super::{array_of, ask, catalog, column, made, record};
use crate::arg::Timestamp;
use crate::builtins;

fn version() -> String {
    format!(
        "PostgreSQL 18.6 (PGLiteDB {}) on {}-{}, {}-bit",
        env!("CARGO_PKG_VERSION"),
        std::env::consts::ARCH,
        std::env::consts::OS,
        usize::BITS
    )
}

fn backend_pid(cx: &FnCtx<'_>) -> PgResult<Datum> {
    ask(cx, "backend_pid", &[])
}
fn postmaster_start(cx: &FnCtx<'_>) -> PgResult<Datum> {
    ask(cx, "postmaster_start_time", &[])
}
fn no() -> bool {
    false
}
fn null() -> Option<i32> {
    None
}
fn client_addr(cx: &FnCtx<'_>) -> PgResult<Datum> {
    match ask(cx, "client_address", &[])? {
        Datum::Text(s) => {
            pglite_types::text::text_in(cx.host, oid::INET, -1, s.split('/').next().unwrap_or(&s))
        }
        _ => Ok(Datum::Null),
    }
}

fn client_port(cx: &FnCtx<'_>) -> PgResult<Datum> {
    ask(cx, "client_port", &[])
}

fn missing_setting(name: &str) -> pglite_error::PgError {
    err!(UNDEFINED_OBJECT, "unrecognized configuration parameter \"{name}\"")
}
fn current_setting(cx: &FnCtx<'_>, name: &str) -> PgResult<String> {
    cx.host.setting(name).ok_or_else(|| missing_setting(name))
}
fn current_setting_missing_ok(cx: &FnCtx<'_>, name: &str, missing_ok: bool) -> PgResult<Option<String>> {
    match cx.host.setting(name) {
        Some(v) => Ok(Some(v)),
        None if missing_ok => Ok(None),
        None => Err(missing_setting(name)),
    }
}
fn set_config(
    cx: &FnCtx<'_>,
    name: Option<&str>,
    value: Option<&str>,
    local: Option<bool>,
) -> PgResult<String> {
    let Some(name) = name else { bail!(NULL_VALUE_NOT_ALLOWED, "SET requires parameter name") };
    cx.host.set_setting(name, value.unwrap_or(""), local.unwrap_or(false))
}
fn settings_get_flags(name: &str) -> Option<Datum> {
    let s = facts::setting(name)?;
    Some(array_of(oid::TEXT, s.flags.iter().map(|f| Datum::text(*f)).collect()))
}
fn show_all(cx: &FnCtx<'_>, _: &[Datum]) -> PgResult<Box<dyn RowSource>> {
    made(cx.host.service("settings", &[])?)
}

fn txid_current(cx: &FnCtx<'_>) -> PgResult<Datum> {
    ask(cx, "txid_current", &[])
}
fn txid_if_assigned(cx: &FnCtx<'_>) -> PgResult<Datum> {
    ask(cx, "txid_current_if_assigned", &[])
}

fn notify(cx: &FnCtx<'_>, channel: Option<&str>, payload: Option<&str>) -> PgResult<()> {
    let channel = channel.unwrap_or("");
    if channel.is_empty() {
        bail!(INVALID_PARAMETER_VALUE, "channel name cannot be empty");
    }
    if channel.len() >= 64 {
        bail!(INVALID_PARAMETER_VALUE, "channel name too long");
    }
    let payload = payload.unwrap_or("");
    if payload.len() >= 8000 {
        bail!(INVALID_PARAMETER_VALUE, "payload string too long");
    }
    cx.host.service("notify", &[Datum::text(channel), Datum::text(payload)]).map(drop)
}
fn listening(cx: &FnCtx<'_>, _: &[Datum]) -> PgResult<Box<dyn RowSource>> {
    made(cx.host.service("listening", &[])?)
}

fn signal(cx: &FnCtx<'_>, service: &str, pid: i32) -> PgResult<bool> {
    let sent = ask(cx, service, &[Datum::Int4(pid)])?.as_bool().unwrap_or(false);
    if !sent {
        cx.host.notice(
            err!(WARNING, "PID {pid} is not a PostgreSQL backend process")
                .severity(pglite_error::Severity::Warning),
        );
    }
    Ok(sent)
}
fn cancel_backend(cx: &FnCtx<'_>, pid: i32) -> PgResult<bool> {
    signal(cx, "cancel_backend", pid)
}
fn terminate_backend(cx: &FnCtx<'_>, pid: i32, timeout: i64) -> PgResult<bool> {
    if timeout < 0 {
        bail!(NUMERIC_VALUE_OUT_OF_RANGE, "\"timeout\" must not be negative");
    }
    signal(cx, "terminate_backend", pid)
}
fn blocking_pids(cx: &FnCtx<'_>, pid: i32) -> PgResult<Datum> {
    let rows = cx.host.service("blocking_pids", &[Datum::Int4(pid)])?;
    Ok(array_of(oid::INT4, rows.into_iter().flatten().collect()))
}

fn nextval(cx: &FnCtx<'_>, seq: Oid) -> PgResult<i64> {
    Ok(cx.host.sequence(seq, SequenceOp::Next)?.0)
}
fn currval(cx: &FnCtx<'_>, seq: Oid) -> PgResult<i64> {
    Ok(cx.host.sequence(seq, SequenceOp::Current)?.0)
}
fn setval(cx: &FnCtx<'_>, seq: Oid, value: i64) -> PgResult<i64> {
    setval3(cx, seq, value, true)
}
fn setval3(cx: &FnCtx<'_>, seq: Oid, value: i64, called: bool) -> PgResult<i64> {
    cx.host.sequence(seq, SequenceOp::Set { value, called })?;
    Ok(value)
}
fn lastval(cx: &FnCtx<'_>) -> PgResult<Datum> {
    ask(cx, "lastval", &[])
}
fn sequence_last_value(cx: &FnCtx<'_>, seq: Oid) -> PgResult<Option<i64>> {
    let (value, called) = cx.host.sequence(seq, SequenceOp::Read)?;
    Ok(called.then_some(value))
}
fn sequence_data(cx: &FnCtx<'_>, seq: Oid) -> PgResult<Datum> {
    let (value, called) = cx.host.sequence(seq, SequenceOp::Read)?;
    record(cx, vec![Datum::Int8(value), Datum::Bool(called)])
}
fn sequence_parameters(cx: &FnCtx<'_>, seq: Oid) -> PgResult<Datum> {
    let Some(s) = catalog(cx).sequence(seq) else {
        bail!(INTERNAL_ERROR, "cache lookup failed for sequence {seq}")
    };
    let values = vec![
        Datum::Int8(s.seqstart),
        Datum::Int8(s.seqmin),
        Datum::Int8(s.seqmax),
        Datum::Int8(s.seqincrement),
        Datum::Bool(s.seqcycle),
        Datum::Int8(s.seqcache),
        Datum::Oid(s.seqtypid),
    ];
    record(cx, values)
}

fn keywords(_: &FnCtx<'_>, _: &[Datum]) -> PgResult<Box<dyn RowSource>> {
    let mut rows = Vec::new();
    for (word, category, bare) in facts::KEYWORDS.iter() {
        let catdesc = match category {
            b'U' => "unreserved",
            b'C' => "unreserved (cannot be function or type name)",
            b'T' => "reserved (can be function or type name)",
            _ => "reserved",
        };
        let baredesc = if *bare { "can be bare label" } else { "requires AS" };
        let texts = (Datum::text(catdesc), Datum::text(baredesc));
        rows.push(vec![Datum::text(*word), Datum::Char(*category), Datum::Bool(*bare), texts.0, texts.1]);
    }
    made(rows)
}

fn service_rows(cx: &FnCtx<'_>, service: &str) -> PgResult<Box<dyn RowSource>> {
    made(cx.host.service(service, &[])?)
}

fn advisory(cx: &FnCtx<'_>, op: &str, args: &[Datum]) -> PgResult<Datum> {
    let mut all = vec![Datum::text(op)];
    all.extend(args.iter().cloned());
    ask(cx, "advisory_lock", &all)
}

macro_rules! advisory {
    ($($name:literal $op:literal $void:literal;)*) => {
        pub static ADVISORY: &[(&str, Body)] = &[$(
            ($name, Body::Scalar(|cx, args| {
                let got = advisory(cx, $op, args)?;
                Ok(if $void { Datum::Text(EcoString::new()) } else { got })
            })),
        )*];
    };
}
advisory! {
    "pg_advisory_lock_int8" "lock" true;
    "pg_advisory_lock_int4" "lock" true;
    "pg_advisory_lock_shared_int8" "lock_shared" true;
    "pg_advisory_lock_shared_int4" "lock_shared" true;
    "pg_advisory_xact_lock_int8" "xact_lock" true;
    "pg_advisory_xact_lock_int4" "xact_lock" true;
    "pg_advisory_xact_lock_shared_int8" "xact_lock_shared" true;
    "pg_advisory_xact_lock_shared_int4" "xact_lock_shared" true;
    "pg_try_advisory_lock_int8" "try_lock" false;
    "pg_try_advisory_lock_int4" "try_lock" false;
    "pg_try_advisory_lock_shared_int8" "try_lock_shared" false;
    "pg_try_advisory_lock_shared_int4" "try_lock_shared" false;
    "pg_try_advisory_xact_lock_int8" "try_xact_lock" false;
    "pg_try_advisory_xact_lock_int4" "try_xact_lock" false;
    "pg_try_advisory_xact_lock_shared_int8" "try_xact_lock_shared" false;
    "pg_try_advisory_xact_lock_shared_int4" "try_xact_lock_shared" false;
    "pg_advisory_unlock_int8" "unlock" false;
    "pg_advisory_unlock_int4" "unlock" false;
    "pg_advisory_unlock_shared_int8" "unlock_shared" false;
    "pg_advisory_unlock_shared_int4" "unlock_shared" false;
    "pg_advisory_unlock_all" "unlock_all" true;
}

pub static SETS: &[(&str, Body)] = &[
    ("show_all_settings", Body::Set(show_all)),
    ("pg_get_keywords", Body::Set(keywords)),
    ("pg_listening_channels", Body::Set(listening)),
    ("pg_cursor", Body::Set(|cx, _| service_rows(cx, "cursors"))),
    ("pg_prepared_statement", Body::Set(|cx, _| service_rows(cx, "prepared_statements"))),
    ("pg_prepared_xact", Body::Set(|cx, _| service_rows(cx, "prepared_xacts"))),
    ("show_all_file_settings", Body::Set(|_, _| column(Vec::new()))),
    ("pg_hba_file_rules", Body::Set(|_, _| column(Vec::new()))),
    ("pg_ident_file_mappings", Body::Set(|_, _| column(Vec::new()))),
];

fn start_time(cx: &FnCtx<'_>) -> PgResult<Datum> {
    // PG: the configuration was loaded when the server started; nothing reloads it here.
    postmaster_start(cx)
}
fn reload_conf() -> bool {
    true
}
fn trigger_depth(cx: &FnCtx<'_>) -> i32 {
    match ask(cx, "trigger_depth", &[]) {
        Ok(Datum::Int4(n)) => n,
        _ => 0,
    }
}
fn last_replay() -> Option<Timestamp> {
    None
}
fn current_query(cx: &FnCtx<'_>) -> PgResult<Datum> {
    let me = ask(cx, "backend_pid", &[])?;
    let Datum::Int4(me) = me else { return Ok(Datum::Null) };
    for row in cx.host.service("stat_activity", &[])? {
        if matches!(row.get(1), Some(Datum::Int4(pid)) if *pid == me) {
            return Ok(row.get(5).cloned().unwrap_or_default());
        }
    }
    Ok(Datum::Null)
}

builtins! { pub TABLE:
    "pgsql_version" => version[];
    "pg_backend_pid" => cx backend_pid[];
    "pg_postmaster_start_time" => cx postmaster_start[];
    "pg_conf_load_time" => cx start_time[];
    "pg_reload_conf" => reload_conf[];
    "pg_is_in_recovery" => no[];
    "pg_jit_available" => no[];
    "pg_numa_available" => no[];
    "inet_client_addr" => cx client_addr[];
    "inet_client_port" => cx client_port[];
    "inet_server_addr" => null[];
    "inet_server_port" => null[];
    "show_config_by_name" => cx current_setting[&str];
    "show_config_by_name_missing_ok" => cx current_setting_missing_ok[&str, bool];
    "set_config_by_name" => cx set_config[Option<&str>, Option<&str>, Option<bool>];
    "pg_settings_get_flags" => settings_get_flags[&str];
    "pg_current_xact_id" => cx txid_current[];
    "pg_current_xact_id_if_assigned" => cx txid_if_assigned[];
    "pg_notify" => cx notify[Option<&str>, Option<&str>];
    "pg_cancel_backend" => cx cancel_backend[i32];
    "pg_terminate_backend" => cx terminate_backend[i32, i64];
    "pg_blocking_pids" => cx blocking_pids[i32];
    "nextval_oid" => cx nextval[Oid];
    "currval_oid" => cx currval[Oid];
    "setval_oid" => cx setval[Oid, i64];
    "setval3_oid" => cx setval3[Oid, i64, bool];
    "lastval" => cx lastval[];
    "pg_sequence_last_value" => cx sequence_last_value[Oid];
    "pg_get_sequence_data" => cx sequence_data[Oid];
    "pg_sequence_parameters" => cx sequence_parameters[Oid];
    "pg_trigger_depth" => cx trigger_depth[];
    "pg_last_xact_replay_timestamp" => last_replay[];
    "current_query" => cx current_query[];
}
