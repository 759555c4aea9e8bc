//! Statistics of relations, databases and the log, as the `pg_stat_get_*` functions ask for them.

use std::sync::atomic::{AtomicI64, Ordering::Relaxed};

use pglite_error::{PgResult, bail};
use pglite_txn::Space;
use pglite_types::{Datum, Oid, Row};

use super::one;
use crate::cx::Cx;
use crate::relations::counted::{DELETED, FETCHED, INSERTED, KINDS, RETURNED, Runs, UPDATED};

fn time(t: Option<i64>) -> Datum {
    t.map_or(Datum::Null, Datum::Timestamp)
}

/// Seven event counts, live, dead, modified since ANALYZE, inserted since VACUUM, last scan, VACUUM count and time,
/// ANALYZE count and time.
pub(super) fn relation(cx: &Cx<'_>, relation: Oid) -> PgResult<Vec<Row>> {
    let (shared, database) = (cx.core.shared(), cx.core.slot.database);
    let mut row: Row = Vec::with_capacity(16);
    let int = |n: &AtomicI64| Datum::Int8(n.load(Relaxed));
    let live = match cx.catalog.class_by_oid(relation) {
        Some(c) if matches!(c.relkind, b'r' | b'm' | b't') && c.relfilenode.is_valid() => {
            shared.manager.table_stats(Space::new(database.0, c.relfilenode.0))?.live_rows as i64
        }
        _ => 0,
    };
    let Some(t) = shared.totals.find(database, relation) else {
        row.extend(std::iter::repeat_n(Datum::Int8(0), KINDS));
        row.extend([Datum::Int8(live), Datum::Int8(0), Datum::Int8(0), Datum::Int8(0), Datum::Null]);
        row.extend([Datum::Int8(0), Datum::Null, Datum::Int8(0), Datum::Null]);
        return Ok(vec![row]);
    };
    row.extend(t.events.iter().map(int));
    row.push(Datum::Int8(live));
    row.extend([&t.dead, &t.modified_since_analyze, &t.inserted_since_vacuum].map(int));
    row.push(time(Some(t.last_scan.load(Relaxed)).filter(|t| *t != 0)));
    let runs = |r: Runs| [Datum::Int8(r.count), time(r.last)];
    row.extend(runs(*t.vacuum.lock()));
    row.extend(runs(*t.analyze.lock()));
    Ok(vec![row])
}

/// The running transaction's seven event counts.
pub(super) fn relation_xact(cx: &Cx<'_>, relation: Oid) -> PgResult<Vec<Row>> {
    let events = cx.core.counts.find(relation).map(|p| p.read()).unwrap_or_default();
    Ok(vec![events.iter().map(|n| Datum::Int8(*n as i64)).collect()])
}

/// Sessions now, commits, rollbacks, rows returned, fetched, inserted, updated, deleted, deadlocks, sessions ever,
/// sessions killed, reset time.
pub(super) fn database(cx: &Cx<'_>, database: Oid) -> PgResult<Vec<Row>> {
    let shared = cx.core.shared();
    let now = shared.sessions.lock().values().filter(|s| s.database == database).count();
    let t = shared.totals.database(database);
    let int = |n: &AtomicI64| Datum::Int8(n.load(Relaxed));
    let mut row = vec![Datum::Int4(now as i32), int(&t.commits), int(&t.rollbacks)];
    row.extend([RETURNED, FETCHED, INSERTED, UPDATED, DELETED].map(|k| int(&t.events[k])));
    row.extend([int(&t.deadlocks), int(&t.sessions), int(&t.killed), time(*t.reset.lock())]);
    Ok(vec![row])
}

/// Commits, groups written to the log, syncs, bytes.
pub(super) fn log(cx: &Cx<'_>) -> PgResult<Vec<Row>> {
    let s = cx.core.shared().manager.store().stats();
    Ok(vec![[s.commits, s.groups, s.syncs, s.wal_bytes].map(|n| Datum::Int8(n as i64)).to_vec()])
}

pub(super) fn reset(cx: &Cx<'_>) -> PgResult<Vec<Row>> {
    let shared = cx.core.shared();
    shared.totals.reset(cx.core.slot.database, shared.now());
    Ok(Vec::new())
}

pub(super) fn reset_relation(cx: &Cx<'_>, relation: Oid) -> PgResult<Vec<Row>> {
    let (shared, database) = (cx.core.shared(), cx.core.slot.database);
    if let Some(t) = shared.totals.find(database, relation) {
        t.reset();
    }
    *shared.totals.database(database).reset.lock() = Some(shared.now());
    Ok(Vec::new())
}

/// When a kind of server-wide statistics was reset last: at the start, if never.
pub(super) fn reset_time(cx: &Cx<'_>, kind: &str) -> PgResult<Vec<Row>> {
    let shared = cx.core.shared();
    one(Datum::Timestamp(shared.resets.lock().get(kind).copied().unwrap_or(shared.started)))
}

pub(super) fn mark_reset(cx: &Cx<'_>, kind: &str) -> PgResult<Vec<Row>> {
    let shared = cx.core.shared();
    shared.resets.lock().insert(kind.to_string(), shared.now());
    Ok(Vec::new())
}

/// VACUUM or ANALYZE of a relation is done; `counts`: it is one that the statistics count.
pub(crate) fn report(core: &crate::core::Core, relation: Oid, analyze: bool, counts: bool) {
    let shared = core.shared();
    let t = shared.totals.relation(core.slot.database, relation);
    let runs = if analyze {
        t.modified_since_analyze.store(0, Relaxed);
        &t.analyze
    } else {
        t.dead.store(0, Relaxed);
        t.inserted_since_vacuum.store(0, Relaxed);
        &t.vacuum
    };
    if !counts {
        return;
    }
    let mut runs = runs.lock();
    runs.count += 1;
    runs.last = Some(shared.now());
}

/// The columns of pg_lock_status(): page and tuple are not known, nor since when somebody waits.
pub(super) fn locks(cx: &Cx<'_>) -> PgResult<Vec<Row>> {
    let oid = |o: Option<u32>| o.map_or(Datum::Null, |o| Datum::Oid(Oid(o)));
    let rows = cx.core.shared().manager.lock_report().into_iter().map(|l| {
        vec![
            Datum::text(l.locktype),
            oid(l.database),
            oid(l.relation),
            Datum::Null,
            Datum::Null,
            l.virtualxid.map_or(Datum::Null, Datum::text),
            oid(l.transactionid),
            oid(l.classid),
            oid(l.objid),
            l.objsubid.map_or(Datum::Null, Datum::Int2),
            Datum::text(l.virtualtransaction),
            Datum::Int4(l.pid),
            Datum::text(l.mode),
            Datum::Bool(l.granted),
            Datum::Bool(l.fastpath),
            Datum::Null,
        ]
    });
    Ok(rows.collect())
}

/// The 31 columns of pg_stat_get_activity().
pub(super) fn activity(cx: &Cx<'_>) -> PgResult<Vec<Row>> {
    let shared = cx.core.shared();
    let waiting: std::collections::HashMap<i32, &'static str> = shared
        .manager
        .lock_report()
        .into_iter()
        .filter(|l| !l.granted)
        .map(|l| (l.pid, l.locktype))
        .collect();
    let sessions: Vec<_> = shared.sessions.lock().values().cloned().collect();
    let rows = sessions.iter().map(|s| {
        let a = s.activity.lock().clone();
        let (wait_type, wait) = match waiting.get(&(s.pid as i32)) {
            Some(kind) => (Datum::text("Lock"), Datum::text(*kind)),
            None if a.state.starts_with("idle") => (Datum::text("Client"), Datum::text("ClientRead")),
            None => (Datum::Null, Datum::Null),
        };
        let xid = s.backend.xid_if_assigned().map_or(Datum::Null, |x| Datum::Oid(Oid(x)));
        let mut row = vec![
            Datum::Oid(s.database),
            Datum::Int4(s.pid as i32),
            Datum::Oid(a.user),
            Datum::text(&*a.application_name),
            Datum::text(a.state),
            Datum::text(&*a.query),
            wait_type,
            wait,
            time(a.xact_start),
            Datum::Timestamp(a.query_start),
            Datum::Timestamp(s.backend_start),
            Datum::Timestamp(a.state_change),
            s.client.address.as_deref().map_or(Datum::Null, Datum::text),
            Datum::Null,
            s.client.port.map_or(Datum::Null, Datum::Int4),
            xid,
            Datum::Null,
            Datum::text("client backend"),
            Datum::Bool(s.client.tls.is_some()),
        ];
        match &s.client.tls {
            Some(tls) => {
                row.extend([
                    Datum::text(tls.version),
                    Datum::text(tls.cipher.as_str()),
                    Datum::Int4(tls.bits),
                ]);
            }
            None => row.extend(std::iter::repeat_n(Datum::Null, 3)),
        }
        row.extend(std::iter::repeat_n(Datum::Null, 3));
        row.extend([Datum::Bool(false), Datum::Null, Datum::Bool(false), Datum::Bool(false)]);
        row.extend([Datum::Null, Datum::Null]);
        row
    });
    Ok(rows.collect())
}

/// `advisory_lock(operation, keys ...)`: whether the lock was taken or given back.
pub(super) fn advisory(cx: &Cx<'_>, args: &[Datum]) -> PgResult<Vec<Row>> {
    use pglite_txn::am::Wait;
    use pglite_txn::{LockMode, LockTag};
    let op = args.first().and_then(Datum::as_str).unwrap_or("");
    let database = cx.core.slot.database.0;
    let tag = match &args[1..] {
        [Datum::Int8(key)] => LockTag::AdvisoryBig(database, *key as u64),
        [Datum::Int4(a), Datum::Int4(b)] => LockTag::AdvisoryPair(database, *a as u32, *b as u32),
        [] => LockTag::AdvisoryBig(database, 0),
        _ => bail!(INTERNAL_ERROR, "advisory lock with other keys"),
    };
    let mode = if op.ends_with("_shared") { LockMode::Share } else { LockMode::Exclusive };
    let wait = if op.starts_with("try_") { Wait::Skip } else { Wait::Block };
    let backend = &cx.core.slot.backend;
    let got = match op.trim_end_matches("_shared") {
        "lock" | "try_lock" => backend.lock_session(tag, mode, wait)?,
        "xact_lock" | "try_xact_lock" => cx.txn.lock(tag, mode, wait)?,
        "unlock" => {
            let had = backend.unlock_session(tag, mode);
            if !had {
                let shown = if mode == LockMode::Share { "ShareLock" } else { "ExclusiveLock" };
                let text = format!("you don't own a lock of type {shown}");
                let warning = pglite_error::PgError::warning(pglite_error::codes::WARNING, text);
                cx.core.notices.borrow_mut().push(warning);
            }
            had
        }
        "unlock_all" => {
            backend.unlock_session_all();
            true
        }
        _ => bail!(INTERNAL_ERROR, "unknown advisory lock operation \"{op}\""),
    };
    one(Datum::Bool(got))
}

/// Prepared statements: name, text, time, parameter types, result types, by SQL, generic and custom plans made.
pub(super) fn prepared(cx: &Cx<'_>) -> PgResult<Vec<Row>> {
    let types = |list: Vec<Oid>| {
        let values = list.into_iter().map(Datum::Oid).collect();
        let array = pglite_types::array::ArrayValue::one_dim(pglite_types::oid::REGTYPE, values);
        Datum::Array(std::sync::Arc::new(array))
    };
    let all = cx.core.prepared.borrow();
    let mut rows: Vec<Row> = all
        .iter()
        .filter(|(name, _)| !name.is_empty())
        .map(|(name, p)| {
            let results = p.columns.as_ref().map(|c| types(c.iter().map(|c| c.ty).collect()));
            vec![
                Datum::text(name.as_str()),
                Datum::text(&*p.source),
                Datum::Timestamp(p.prepared_at),
                types(p.param_types.clone()),
                results.unwrap_or_default(),
                Datum::Bool(p.from_sql),
                Datum::Int8(p.runs.load(Relaxed)),
                Datum::Int8(0),
            ]
        })
        .collect();
    rows.sort_by(|a, b| a[0].as_str().cmp(&b[0].as_str()));
    Ok(rows)
}
