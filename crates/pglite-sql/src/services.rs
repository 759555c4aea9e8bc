//! Services of the session and the server that only a few functions need, by name. See `FnHost::service`.

mod display;
pub(crate) mod stats;

use pglite_error::{PgError, PgResult};
use pglite_types::{Datum, Oid, Row, oid};

use crate::cx::Cx;

fn one(value: Datum) -> PgResult<Vec<Row>> {
    Ok(vec![vec![value]])
}

fn int(args: &[Datum], i: usize) -> i64 {
    match args.get(i) {
        Some(Datum::Int4(v)) => i64::from(*v),
        Some(Datum::Int8(v)) => *v,
        Some(Datum::Oid(v)) => i64::from(v.0),
        _ => 0,
    }
}

pub(crate) fn call(cx: &Cx<'_>, name: &str, args: &[Datum]) -> PgResult<Vec<Row>> {
    let core = cx.core;
    let shared = core.shared();
    match name {
        "backend_pid" => one(Datum::Int4(core.slot.pid as i32)),
        "database_oid" => one(Datum::Oid(core.slot.database)),
        "database_name" => one(Datum::text(core.slot.database_name.as_str())),
        "search_path" => Ok(cx.path.explicit().map(|ns| vec![Datum::Oid(ns)]).collect()),
        "search_path_implicit" => Ok(cx.path.schemas.iter().map(|ns| vec![Datum::Oid(*ns)]).collect()),
        "temp_namespace" => one(Datum::Oid(core.temp_namespace.get())),
        "postmaster_start_time" => one(Datum::Timestamp(shared.started)),
        "client_address" => one(core.slot.client.address.as_deref().map_or(Datum::Null, Datum::text)),
        "client_port" => one(match core.slot.client.port {
            Some(port) if port > 0 => Datum::Int4(port),
            _ => Datum::Null,
        }),
        "lastval" => match core.lastval.get().and_then(|s| core.currval.borrow().get(&s).copied()) {
            Some(v) => one(Datum::Int8(v)),
            None => Err(PgError::new(
                pglite_error::codes::OBJECT_NOT_IN_PREREQUISITE_STATE,
                "lastval is not yet defined in this session",
            )),
        },
        "txid_current" => one(Datum::Int8(i64::from(cx.txn.xid()))),
        "txid_current_if_assigned" => {
            one(cx.txn.xid_if_assigned().map_or(Datum::Null, |x| Datum::Int8(i64::from(x))))
        }
        "next_xid" => one(Datum::Int8(i64::from(shared.manager.peek_xid()))),
        "notify" => {
            let text = |i: usize| args.get(i).and_then(Datum::as_str).unwrap_or("").to_string();
            core.outbox.borrow_mut().push((text(0), text(1)));
            Ok(Vec::new())
        }
        "listening" => Ok(core.listening.borrow().iter().map(|c| vec![Datum::text(c.as_str())]).collect()),
        "cancel_backend" | "terminate_backend" => {
            let target = shared.sessions.lock().get(&(int(args, 0) as u32)).cloned();
            if let Some(slot) = &target {
                may_signal(cx, slot.activity.lock().user, name == "cancel_backend")?;
                if name == "cancel_backend" { slot.cancel() } else { slot.terminate() }
            }
            one(Datum::Bool(target.is_some()))
        }
        "sleep" => {
            crate::waits::sleep(cx, int(args, 0).max(0) as u64)?;
            Ok(Vec::new())
        }
        "blocking_pids" => Ok(shared
            .manager
            .blocking_pids(int(args, 0) as i32)
            .into_iter()
            .map(|p| vec![Datum::Int4(p)])
            .collect()),
        "stat_activity" => Ok(stat_activity(cx)),
        "relation_size" => {
            let size = relation_bytes(cx, Oid(int(args, 0) as u32));
            one(size.map_or(Datum::Null, Datum::Int8))
        }
        "settings" => Ok(settings(cx)),
        "display_expr" => {
            let text = |i: usize| args.get(i).and_then(Datum::as_str).unwrap_or("");
            let pretty = args.get(2).and_then(Datum::as_bool).unwrap_or(false);
            display::expr(cx, text(0), Oid(int(args, 1) as u32), pretty, text(3))
        }
        "partition_constraint" => display::partition(cx, Oid(int(args, 0) as u32)),
        "display_view" => {
            let pretty = args.get(1).and_then(Datum::as_bool).unwrap_or(false);
            display::view(cx, Oid(int(args, 0) as u32), pretty)
        }
        "stat_get_activity" => stats::activity(cx),
        "stat_relation" => stats::relation(cx, Oid(int(args, 0) as u32)),
        "stat_relation_xact" => stats::relation_xact(cx, Oid(int(args, 0) as u32)),
        "stat_database" => stats::database(cx, Oid(int(args, 0) as u32)),
        "stat_log" => stats::log(cx),
        "stat_relation_exists" => {
            let found = shared.totals.find(Oid(int(args, 0) as u32), Oid(int(args, 1) as u32));
            one(Datum::Bool(found.is_some()))
        }
        "stat_reset" => stats::reset(cx),
        "stat_reset_relation" => stats::reset_relation(cx, Oid(int(args, 0) as u32)),
        "stat_reset_time" => stats::reset_time(cx, args.first().and_then(Datum::as_str).unwrap_or("")),
        "stat_mark_reset" => stats::mark_reset(cx, args.first().and_then(Datum::as_str).unwrap_or("")),
        "locks" => stats::locks(cx),
        "advisory_lock" => stats::advisory(cx, args),
        "trigger_depth" => one(Datum::Int4(core.pl.trigger_depth.get())),
        "setseed" => {
            let seed = match args.first() {
                Some(Datum::Float8(v)) => *v,
                _ => 0.0,
            };
            core.prng.set(Some(crate::prng::Prng::seeded(seed)));
            Ok(Vec::new())
        }
        "prepared_statements" => stats::prepared(cx),
        "cursors" => Ok(core.portals.borrow().cursor_rows()),
        "prepared_xacts" => Ok(Vec::new()),
        _ => Err(PgError::unsupported(format!("{name} is not supported yet"))),
    }
}

fn relation_bytes(cx: &Cx<'_>, relation: Oid) -> Option<i64> {
    let class = cx.catalog.class_by_oid(relation)?;
    let space = pglite_txn::Space::new(cx.core.slot.database.0, class.relfilenode.0);
    let bytes = cx.core.shared().manager.relation_size(space).ok()? as i64;
    Some((bytes + 8191) / 8192 * 8192)
}

/// datid, pid, usesysid, application_name, state, query, xact_start, query_start, backend_start, state_change,
/// client_addr, backend_xid.
fn stat_activity(cx: &Cx<'_>) -> Vec<Row> {
    let opt = |t: Option<i64>| t.map_or(Datum::Null, Datum::Timestamp);
    let sessions: Vec<_> = cx.core.shared().sessions.lock().values().cloned().collect();
    sessions
        .iter()
        .map(|s| {
            let a = s.activity.lock().clone();
            vec![
                Datum::Oid(s.database),
                Datum::Int4(s.pid as i32),
                Datum::Oid(a.user),
                Datum::text(&*a.application_name),
                Datum::text(a.state),
                Datum::text(&*a.query),
                opt(a.xact_start),
                Datum::Timestamp(a.query_start),
                Datum::Timestamp(s.backend_start),
                Datum::Timestamp(a.state_change),
                s.client.address.as_deref().map_or(Datum::Null, Datum::text),
                Datum::Null,
            ]
        })
        .collect()
}

/// The columns of pg_settings.
fn settings(cx: &Cx<'_>) -> Vec<Row> {
    let s = cx.core.settings.borrow();
    let text = |t: Option<&str>| t.map_or(Datum::Null, Datum::text);
    s.names()
        .filter(|d| !d.flags.contains(&"NO_SHOW_ALL"))
        .map(|d| {
            let current = cx.core.transaction_setting(d.name).map(Into::into).or_else(|| s.get(d.name));
            let source = if s.is_session_value(d.name) { "session" } else { "default" };
            let enumvals = if d.enumvals.is_empty() {
                Datum::Null
            } else {
                let values = d.enumvals.iter().map(|v| Datum::text(*v)).collect();
                Datum::Array(std::sync::Arc::new(pglite_types::array::ArrayValue::one_dim(oid::TEXT, values)))
            };
            vec![
                Datum::text(d.name),
                text(current.as_deref()),
                text(d.unit),
                Datum::text(d.category),
                Datum::text(""),
                Datum::Null,
                Datum::text(d.context),
                Datum::text(d.vartype),
                Datum::text(source),
                text(d.min),
                text(d.max),
                enumvals,
                text(d.boot),
                text(s.reset_value(d.name).as_deref()),
                Datum::Null,
                Datum::Null,
                Datum::Bool(false),
            ]
        })
        .collect()
}

/// Whether the current user may cancel or terminate a session of `owner`.
fn may_signal(cx: &Cx<'_>, owner: Oid, cancel: bool) -> PgResult<()> {
    use pglite_catalog::acl::{has_privs_of_role, is_superuser};
    const SIGNAL_BACKEND: Oid = Oid(4200);
    let user = cx.core.current_user.get();
    let (what, whose, this) = if cancel {
        ("cancel query", "query is being canceled", "cancel this query")
    } else {
        ("terminate process", "process is being terminated", "terminate this process")
    };
    let denied = |detail: String| {
        Err(pglite_error::err!(INSUFFICIENT_PRIVILEGE, "permission denied to {what}").detail(detail))
    };
    if is_superuser(&cx.catalog, owner) && !is_superuser(&cx.catalog, user) {
        let plural = if cancel { "cancel queries" } else { "terminate processes" };
        return denied(format!(
            "Only roles with the SUPERUSER attribute may {plural} of roles with the SUPERUSER attribute."
        ));
    }
    if has_privs_of_role(&cx.catalog, user, owner) || has_privs_of_role(&cx.catalog, user, SIGNAL_BACKEND) {
        return Ok(());
    }
    denied(format!(
        "Only roles with privileges of the role whose {whose} or with privileges of the \"pg_signal_backend\" role may {this}."
    ))
}
