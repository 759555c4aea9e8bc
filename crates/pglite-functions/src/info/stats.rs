//! The cumulative statistics: what `pg_stat_*` views read, and the functions that reset it.
//!
//! The session answers with whole rows of numbers (`stat_relation`, `stat_relation_xact`, `stat_database`); a function
//! here picks one. There are no shared buffers, so block counts are 0; there is no replication, so its functions find
//! nothing.

use pglite_error::{PgResult, bail, err};
use pglite_ir::abi::RowSource;
use pglite_ir::{Body, FnCtx};
use pglite_types::numeric::Numeric;
use pglite_types::{Datum, Row};

use super::{ask, column, made, record};
use crate::arg::Timestamp;
use crate::builtins;

/// One value of the row that a service answers with.
fn pick(cx: &FnCtx<'_>, service: &str, args: &[Datum], at: usize) -> PgResult<Datum> {
    let mut rows = cx.host.service(service, args)?;
    Ok(rows.first_mut().and_then(|r| r.get_mut(at)).map(std::mem::take).unwrap_or_default())
}

macro_rules! picks {
    ($table:ident: $($name:literal $service:literal $at:literal;)*) => {
        pub static $table: &[(&str, Body)] =
            &[$(($name, Body::Scalar(|cx, args| pick(cx, $service, args, $at))),)*];
    };
}

picks! { RELATIONS:
    "pg_stat_get_numscans" "stat_relation" 0;
    "pg_stat_get_tuples_returned" "stat_relation" 1;
    "pg_stat_get_tuples_fetched" "stat_relation" 2;
    "pg_stat_get_tuples_inserted" "stat_relation" 3;
    "pg_stat_get_tuples_updated" "stat_relation" 4;
    "pg_stat_get_tuples_deleted" "stat_relation" 5;
    "pg_stat_get_tuples_hot_updated" "stat_relation" 6;
    "pg_stat_get_live_tuples" "stat_relation" 7;
    "pg_stat_get_dead_tuples" "stat_relation" 8;
    "pg_stat_get_mod_since_analyze" "stat_relation" 9;
    "pg_stat_get_ins_since_vacuum" "stat_relation" 10;
    "pg_stat_get_lastscan" "stat_relation" 11;
    "pg_stat_get_vacuum_count" "stat_relation" 12;
    "pg_stat_get_last_vacuum_time" "stat_relation" 13;
    "pg_stat_get_analyze_count" "stat_relation" 14;
    "pg_stat_get_last_analyze_time" "stat_relation" 15;
    "pg_stat_get_xact_numscans" "stat_relation_xact" 0;
    "pg_stat_get_xact_tuples_returned" "stat_relation_xact" 1;
    "pg_stat_get_xact_tuples_fetched" "stat_relation_xact" 2;
    "pg_stat_get_xact_tuples_inserted" "stat_relation_xact" 3;
    "pg_stat_get_xact_tuples_updated" "stat_relation_xact" 4;
    "pg_stat_get_xact_tuples_deleted" "stat_relation_xact" 5;
    "pg_stat_get_xact_tuples_hot_updated" "stat_relation_xact" 6;
}

picks! { DATABASES:
    "pg_stat_get_db_numbackends" "stat_database" 0;
    "pg_stat_get_db_xact_commit" "stat_database" 1;
    "pg_stat_get_db_xact_rollback" "stat_database" 2;
    "pg_stat_get_db_tuples_returned" "stat_database" 3;
    "pg_stat_get_db_tuples_fetched" "stat_database" 4;
    "pg_stat_get_db_tuples_inserted" "stat_database" 5;
    "pg_stat_get_db_tuples_updated" "stat_database" 6;
    "pg_stat_get_db_tuples_deleted" "stat_database" 7;
    "pg_stat_get_db_deadlocks" "stat_database" 8;
    "pg_stat_get_db_sessions" "stat_database" 9;
    "pg_stat_get_db_sessions_killed" "stat_database" 10;
    "pg_stat_get_db_stat_reset_time" "stat_database" 11;
}

fn zero() -> i64 {
    0
}
fn zero_of(_: &Datum) -> i64 {
    0
}
fn zero_time() -> f64 {
    0.0
}
fn zero_time_of(_: &Datum) -> f64 {
    0.0
}
fn nothing_of(_: &Datum) -> Datum {
    Datum::Null
}
fn never_of(_: &Datum) -> Option<Timestamp> {
    None
}

// What does not exist in this server: block buffers, autovacuum, parallel workers, temporary files, conflicts with
// recovery, a background writer.
builtins! { pub ABSENT:
    "pg_stat_get_blocks_fetched" => zero_of[&Datum];
    "pg_stat_get_blocks_hit" => zero_of[&Datum];
    "pg_stat_get_xact_blocks_fetched" => zero_of[&Datum];
    "pg_stat_get_xact_blocks_hit" => zero_of[&Datum];
    "pg_stat_get_tuples_newpage_updated" => zero_of[&Datum];
    "pg_stat_get_xact_tuples_newpage_updated" => zero_of[&Datum];
    "pg_stat_get_autovacuum_count" => zero_of[&Datum];
    "pg_stat_get_autoanalyze_count" => zero_of[&Datum];
    "pg_stat_get_last_autovacuum_time" => never_of[&Datum];
    "pg_stat_get_last_autoanalyze_time" => never_of[&Datum];
    "pg_stat_get_total_vacuum_time" => zero_time_of[&Datum];
    "pg_stat_get_total_autovacuum_time" => zero_time_of[&Datum];
    "pg_stat_get_total_analyze_time" => zero_time_of[&Datum];
    "pg_stat_get_total_autoanalyze_time" => zero_time_of[&Datum];
    "pg_stat_get_db_blocks_fetched" => zero_of[&Datum];
    "pg_stat_get_db_blocks_hit" => zero_of[&Datum];
    "pg_stat_get_db_conflict_tablespace" => zero_of[&Datum];
    "pg_stat_get_db_conflict_lock" => zero_of[&Datum];
    "pg_stat_get_db_conflict_snapshot" => zero_of[&Datum];
    "pg_stat_get_db_conflict_logicalslot" => zero_of[&Datum];
    "pg_stat_get_db_conflict_bufferpin" => zero_of[&Datum];
    "pg_stat_get_db_conflict_startup_deadlock" => zero_of[&Datum];
    "pg_stat_get_db_conflict_all" => zero_of[&Datum];
    "pg_stat_get_db_checksum_failures" => zero_of[&Datum];
    "pg_stat_get_db_checksum_last_failure" => never_of[&Datum];
    "pg_stat_get_db_temp_files" => zero_of[&Datum];
    "pg_stat_get_db_temp_bytes" => zero_of[&Datum];
    "pg_stat_get_db_blk_read_time" => zero_time_of[&Datum];
    "pg_stat_get_db_blk_write_time" => zero_time_of[&Datum];
    "pg_stat_get_db_session_time" => zero_time_of[&Datum];
    "pg_stat_get_db_active_time" => zero_time_of[&Datum];
    "pg_stat_get_db_idle_in_transaction_time" => zero_time_of[&Datum];
    "pg_stat_get_db_sessions_abandoned" => zero_of[&Datum];
    "pg_stat_get_db_sessions_fatal" => zero_of[&Datum];
    "pg_stat_get_db_parallel_workers_to_launch" => zero_of[&Datum];
    "pg_stat_get_db_parallel_workers_launched" => zero_of[&Datum];
    "pg_stat_get_function_calls" => nothing_of[&Datum];
    "pg_stat_get_function_total_time" => nothing_of[&Datum];
    "pg_stat_get_function_self_time" => nothing_of[&Datum];
    "pg_stat_get_xact_function_calls" => nothing_of[&Datum];
    "pg_stat_get_xact_function_total_time" => nothing_of[&Datum];
    "pg_stat_get_xact_function_self_time" => nothing_of[&Datum];
    "pg_stat_get_checkpointer_num_timed" => zero[];
    "pg_stat_get_checkpointer_num_requested" => zero[];
    "pg_stat_get_checkpointer_num_performed" => zero[];
    "pg_stat_get_checkpointer_restartpoints_timed" => zero[];
    "pg_stat_get_checkpointer_restartpoints_requested" => zero[];
    "pg_stat_get_checkpointer_restartpoints_performed" => zero[];
    "pg_stat_get_checkpointer_buffers_written" => zero[];
    "pg_stat_get_checkpointer_slru_written" => zero[];
    "pg_stat_get_checkpointer_write_time" => zero_time[];
    "pg_stat_get_checkpointer_sync_time" => zero_time[];
    "pg_stat_get_bgwriter_buf_written_clean" => zero[];
    "pg_stat_get_bgwriter_maxwritten_clean" => zero[];
    "pg_stat_get_buf_alloc" => zero[];
    "pg_stat_get_snapshot_timestamp" => no_snapshot[];
}

fn no_snapshot() -> Option<Timestamp> {
    None
}

// ---- the server's own figures --------------------------------------------------------------------------------------

/// When a kind of shared statistics was last reset.
fn reset_time(cx: &FnCtx<'_>, kind: &str) -> PgResult<Datum> {
    ask(cx, "stat_reset_time", &[Datum::text(kind)])
}
fn bgwriter_reset(cx: &FnCtx<'_>) -> PgResult<Datum> {
    reset_time(cx, "bgwriter")
}
fn checkpointer_reset(cx: &FnCtx<'_>) -> PgResult<Datum> {
    reset_time(cx, "checkpointer")
}

/// The store's log: commits, groups written, syncs, bytes.
fn log_figures(cx: &FnCtx<'_>) -> PgResult<[i64; 4]> {
    let rows = cx.host.service("stat_log", &[])?;
    let get = |i: usize| match rows.first().and_then(|r| r.get(i)) {
        Some(Datum::Int8(v)) => *v,
        _ => 0,
    };
    Ok([get(0), get(1), get(2), get(3)])
}

fn wal(cx: &FnCtx<'_>) -> PgResult<Datum> {
    let [commits, _, _, bytes] = log_figures(cx)?;
    let bytes = Datum::Numeric(Numeric::from_i64(bytes));
    record(cx, vec![Datum::Int8(commits), Datum::Int8(0), bytes, Datum::Int8(0), reset_time(cx, "wal")?])
}
fn archiver(cx: &FnCtx<'_>) -> PgResult<Datum> {
    let none = || Datum::Null;
    let reset = reset_time(cx, "archiver")?;
    record(cx, vec![Datum::Int8(0), none(), none(), Datum::Int8(0), none(), none(), reset])
}

/// The log is the only thing that sessions write themselves.
fn io(cx: &FnCtx<'_>, _: &[Datum]) -> PgResult<Box<dyn RowSource>> {
    let [_, groups, syncs, bytes] = log_figures(cx)?;
    let mut row = vec![Datum::Null; 20];
    for (at, text) in ["client backend", "wal", "normal"].into_iter().enumerate() {
        row[at] = Datum::text(text);
    }
    row[6] = Datum::Int8(groups);
    row[7] = Datum::Numeric(Numeric::from_i64(bytes));
    row[17] = Datum::Int8(syncs);
    row[19] = reset_time(cx, "io")?;
    made(vec![row])
}

const SLRUS: [&str; 8] = [
    "commit_timestamp",
    "multixact_member",
    "multixact_offset",
    "notify",
    "serializable",
    "subtransaction",
    "transaction",
    "other",
];

/// PG: names that tools expect; nothing here is kept in such caches.
fn slru(cx: &FnCtx<'_>, _: &[Datum]) -> PgResult<Box<dyn RowSource>> {
    let mut rows = Vec::new();
    for name in SLRUS {
        let mut row: Row = vec![Datum::text(name)];
        row.extend(std::iter::repeat_n(Datum::Int8(0), 7));
        row.push(reset_time(cx, &format!("slru {name}"))?);
        rows.push(row);
    }
    made(rows)
}

fn prefetch(cx: &FnCtx<'_>, _: &[Datum]) -> PgResult<Box<dyn RowSource>> {
    let mut row: Row = vec![reset_time(cx, "recovery_prefetch")?];
    row.extend(std::iter::repeat_n(Datum::Int8(0), 6));
    row.extend(std::iter::repeat_n(Datum::Int4(0), 3));
    made(vec![row])
}

/// A row of NULLs: nothing is received.
fn wal_receiver(cx: &FnCtx<'_>) -> PgResult<Datum> {
    record(cx, vec![Datum::Null; 15])
}

const PROGRESS: [&str; 6] = ["VACUUM", "ANALYZE", "CLUSTER", "CREATE INDEX", "BASEBACKUP", "COPY"];

fn progress(_: &FnCtx<'_>, args: &[Datum]) -> PgResult<Box<dyn RowSource>> {
    let command = args.first().and_then(Datum::as_str).unwrap_or("");
    if !PROGRESS.iter().any(|p| p.eq_ignore_ascii_case(command)) {
        bail!(INVALID_PARAMETER_VALUE, "invalid command name: \"{command}\"");
    }
    column(Vec::new())
}

fn none(_: &FnCtx<'_>, _: &[Datum]) -> PgResult<Box<dyn RowSource>> {
    column(Vec::new())
}

// ---- sessions ------------------------------------------------------------------------------------------------------

fn activity(cx: &FnCtx<'_>, args: &[Datum]) -> PgResult<Box<dyn RowSource>> {
    let mut rows = cx.host.service("stat_get_activity", &[])?;
    if let Some(Datum::Int4(pid)) = args.first() {
        rows.retain(|r| matches!(r.get(1), Some(Datum::Int4(p)) if p == pid));
    }
    for row in &mut rows {
        if let Some(Datum::Text(address)) = row.get(12) {
            let address = address.clone();
            row[12] = pglite_types::text::text_in(cx.host, pglite_types::oid::INET, -1, &address)?;
        }
    }
    made(rows)
}

fn backend_ids(cx: &FnCtx<'_>, _: &[Datum]) -> PgResult<Box<dyn RowSource>> {
    let n = cx.host.service("stat_get_activity", &[])?.len();
    column((1..=n as i32).map(Datum::Int4).collect())
}

/// Column `at` of the n-th session, 1-based.
fn backend(cx: &FnCtx<'_>, args: &[Datum], at: usize) -> PgResult<Datum> {
    let Some(Datum::Int4(n)) = args.first() else { return Ok(Datum::Null) };
    let rows = cx.host.service("stat_get_activity", &[])?;
    let row = usize::try_from(*n).ok().and_then(|n| n.checked_sub(1)).and_then(|n| rows.get(n));
    Ok(row.and_then(|r| r.get(at)).cloned().unwrap_or_default())
}

macro_rules! backends {
    ($($name:literal $at:literal;)*) => {
        pub static BACKENDS: &[(&str, Body)] =
            &[$(($name, Body::Scalar(|cx, args| backend(cx, args, $at))),)*];
    };
}
backends! {
    "pg_stat_get_backend_dbid" 0;
    "pg_stat_get_backend_pid" 1;
    "pg_stat_get_backend_userid" 2;
    "pg_stat_get_backend_activity" 5;
    "pg_stat_get_backend_wait_event_type" 6;
    "pg_stat_get_backend_wait_event" 7;
    "pg_stat_get_backend_xact_start" 8;
    "pg_stat_get_backend_activity_start" 9;
    "pg_stat_get_backend_start" 10;
    "pg_stat_get_backend_client_port" 14;
}

// ---- resets --------------------------------------------------------------------------------------------------------

fn reset(cx: &FnCtx<'_>) -> PgResult<()> {
    cx.host.service("stat_reset", &[]).map(drop)
}
fn reset_relation(cx: &FnCtx<'_>, relation: pglite_types::Oid) -> PgResult<()> {
    cx.host.service("stat_reset_relation", &[Datum::Oid(relation)]).map(drop)
}
const SHARED: [&str; 7] = ["archiver", "bgwriter", "checkpointer", "io", "recovery_prefetch", "slru", "wal"];

fn reset_shared(cx: &FnCtx<'_>, target: Option<&str>) -> PgResult<()> {
    let mark = |kind: &str| cx.host.service("stat_mark_reset", &[Datum::text(kind)]).map(drop);
    let slrus = || SLRUS.iter().try_for_each(|s| mark(&format!("slru {s}")));
    match target {
        None => {
            SHARED.iter().try_for_each(|k| mark(k))?;
            slrus()
        }
        Some("slru") => slrus(),
        Some(kind) if SHARED.contains(&kind) => mark(kind),
        Some(other) => Err(err!(INVALID_PARAMETER_VALUE, "unrecognized reset target: \"{other}\"").hint(
            "Target must be \"archiver\", \"bgwriter\", \"checkpointer\", \"io\", \"recovery_prefetch\", \"slru\", or \
             \"wal\".",
        )),
    }
}
fn reset_slru(cx: &FnCtx<'_>, target: Option<&str>) -> PgResult<()> {
    // PG: an unknown name means "other".
    let named = target.map(|t| SLRUS.iter().find(|s| **s == t).unwrap_or(&"other"));
    for name in SLRUS.iter().filter(|s| named.is_none_or(|n| n == *s)) {
        cx.host.service("stat_mark_reset", &[Datum::text(format!("slru {name}"))])?;
    }
    Ok(())
}
/// Kinds of which there is one set for the server.
const FIXED: [&str; 7] = ["archiver", "bgwriter", "checkpointer", "io", "recovery_prefetch", "slru", "wal"];

fn have_stats(cx: &FnCtx<'_>, kind: &str, database: pglite_types::Oid, object: i64) -> PgResult<bool> {
    let kind = kind.to_ascii_lowercase();
    let ask_for = |service: &str, args: &[Datum]| Ok(ask(cx, service, args)?.as_bool().unwrap_or(false));
    match kind.as_str() {
        "relation" => ask_for("stat_relation_exists", &[Datum::Oid(database), Datum::Int8(object)]),
        "database" => Ok(object == 0 && super::catalog(cx).database_by_oid(database).is_some()),
        // Not collected.
        "function" | "replslot" | "subscription" | "backend" => Ok(false),
        _ if FIXED.contains(&kind.as_str()) => Ok(true),
        _ => bail!(INVALID_PARAMETER_VALUE, "invalid statistics kind: \"{kind}\""),
    }
}
/// Figures are never cached: nothing to clear or to hurry.
fn done() {}

builtins! { pub TABLE:
    "pg_stat_get_bgwriter_stat_reset_time" => cx bgwriter_reset[];
    "pg_stat_get_checkpointer_stat_reset_time" => cx checkpointer_reset[];
    "pg_stat_get_wal" => cx wal[];
    "pg_stat_get_archiver" => cx archiver[];
    "pg_stat_get_wal_receiver" => cx wal_receiver[];
    "pg_stat_have_stats" => cx have_stats[&str, pglite_types::Oid, i64];
    "pg_stat_reset" => cx reset[];
    "pg_stat_reset_single_table_counters" => cx reset_relation[pglite_types::Oid];
    "pg_stat_reset_shared" => cx reset_shared[Option<&str>];
    "pg_stat_reset_slru" => cx reset_slru[Option<&str>];
    "pg_stat_clear_snapshot" => done[];
    "pg_stat_force_next_flush" => done[];
}

pub static SETS: &[(&str, Body)] = &[
    ("pg_stat_get_activity", Body::Set(activity)),
    ("pg_stat_get_backend_idset", Body::Set(backend_ids)),
    ("pg_stat_get_io", Body::Set(io)),
    ("pg_stat_get_slru", Body::Set(slru)),
    ("pg_stat_get_recovery_prefetch", Body::Set(prefetch)),
    ("pg_stat_get_progress_info", Body::Set(progress)),
    ("pg_stat_get_wal_senders", Body::Set(none)),
    ("pg_stat_get_subscription", Body::Set(none)),
    ("pg_get_replication_slots", Body::Set(none)),
    ("pg_show_replication_origin_status", Body::Set(none)),
    ("pg_get_aios", Body::Set(none)),
    ("pg_get_shmem_allocations", Body::Set(none)),
    ("pg_get_backend_memory_contexts", Body::Set(none)),
];
