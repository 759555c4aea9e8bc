//! Acts on the whole cluster that DDL commands ask for by name.

use pglite_error::{PgError, PgResult, bail};
use pglite_storage::WriteBatch;
use pglite_types::{Datum, Oid};

use crate::core::Core;

fn oid_arg(args: &[Datum], i: usize) -> Oid {
    args.get(i).and_then(Datum::as_oid).unwrap_or(Oid::INVALID)
}

pub(crate) fn act(core: &Core, name: &str, args: &[Datum]) -> PgResult<Datum> {
    let shared = core.shared();
    match name {
        "allocate_oid" => Ok(Datum::Oid(shared.catalog.allocate_oid())),
        "temp_namespace" => Ok(Datum::Oid(core.temp_namespace.get())),
        "set_temp_namespace" => {
            core.temp_namespace.set(oid_arg(args, 0));
            core.invalidate_path();
            Ok(Datum::Null)
        }
        "report_vacuum" | "report_analyze" => {
            let counts = args.get(1).and_then(Datum::as_bool).unwrap_or(true);
            crate::services::stats::report(core, oid_arg(args, 0), name == "report_analyze", counts);
            Ok(Datum::Null)
        }
        "validate_function" => {
            let source = args.get(1).and_then(Datum::as_str).unwrap_or_default();
            crate::spi::validate(core, oid_arg(args, 0), source).map(|()| Datum::Null)
        }
        "backend_pid" => Ok(Datum::Int4(core.slot.pid as i32)),
        "password_verifier" => {
            let password = args.first().and_then(Datum::as_str).unwrap_or("");
            if crate::password::is_verifier(password) {
                return Ok(Datum::text(password));
            }
            let cx = crate::cx::Cx::new(core)?;
            let random = || pglite_ir::FnHost::random(&cx).to_le_bytes();
            let salt = [random(), random()].concat();
            Ok(Datum::text(crate::password::scram_verifier(password, &salt)))
        }
        "checkpoint" => core.database.checkpoint().map(|()| Datum::Null),
        "create_database" => create_database(core, oid_arg(args, 0), oid_arg(args, 1)).map(|()| Datum::Null),
        "drop_database" => drop_database(core, oid_arg(args, 0)).map(|()| Datum::Null),
        "database_sessions" => {
            let database = oid_arg(args, 0);
            let n = shared
                .sessions
                .lock()
                .values()
                .filter(|s| s.database == database && s.pid != core.slot.pid)
                .count();
            Ok(Datum::Int8(n as i64))
        }
        "terminate_sessions" => {
            let database = oid_arg(args, 0);
            shared.sessions.lock().values().filter(|s| s.database == database).for_each(|s| s.terminate());
            Ok(Datum::Null)
        }
        // Settings of a function or command for its duration, and the like, go through run_sql.
        _ => Err(PgError::unsupported(format!("{name} is not supported yet"))),
    }
}

/// Copies every key of the template's range into the new database's range, in the running transaction.
fn create_database(core: &Core, database: Oid, template: Oid) -> PgResult<()> {
    let shared = core.shared();
    let others = shared.sessions.lock().values().any(|s| s.database == template && s.pid != core.slot.pid);
    if others {
        bail!(OBJECT_IN_USE, "source database is being accessed by other users");
    }
    let store = shared.manager.store();
    let start = template.0.to_be_bytes();
    let end = (template.0 + 1).to_be_bytes();
    let mut cursor =
        store.engine().scan(&start, &end, store.published(), pglite_storage::Direction::Forward)?;
    let mut keys = pglite_storage::KvBatch::default();
    let mut batch = WriteBatch::default();
    loop {
        let more = cursor.next_batch(&mut keys, 1024)?;
        for (key, value, _) in keys.iter() {
            let mut copy = database.0.to_be_bytes().to_vec();
            copy.extend_from_slice(&key[4..]);
            batch.put(&copy, value);
        }
        keys.clear();
        if !more {
            break;
        }
    }
    // Why before the pg_database row commits: a crash between the two leaves keys nobody can see.
    if !batch.is_empty() {
        shared.manager.commit_raw(batch, pglite_storage::Durability::Async)?.wait()?;
    }
    shared.catalog.copy_database(database, template)
}

fn drop_database(core: &Core, database: Oid) -> PgResult<()> {
    let txn = core.txn()?;
    txn.delete_range_raw(&database.0.to_be_bytes(), &(database.0 + 1).to_be_bytes())?;
    let shared = core.shared().clone();
    txn.on_commit(Box::new(move || {
        let _ = shared.catalog.drop_database(database);
    }));
    Ok(())
}
