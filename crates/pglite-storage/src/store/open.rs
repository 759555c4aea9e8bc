//! Opening a directory: creating it, or recovering what it holds.
//!
//! Recovery: the manifest names the tables; files it does not name are leftovers and go. Then the log is replayed from
//! the manifest's floor on, skipping what is in tables already, and sealed at its tail.

use crate::engine::Engine;
use crate::env::{Env, LockGuard, io_error};
use crate::lsm::Lsm;
use crate::manifest::{Edit, Layout, Manifest};
use crate::options::StoreOptions;
use crate::types::Timestamp;
use crate::wal::{Wal, recover};
use pglite_error::{PgError, PgResult, codes};
use std::collections::VecDeque;
use std::path::Path;

/// A recovered tree and log, and the newest timestamp in them.
pub(super) struct Opened {
    pub(super) lsm: Lsm,
    pub(super) wal: Option<Wal>,
    pub(super) newest: u64,
}

pub(super) fn lock_dir(env: &Env, dir: &Path) -> PgResult<Box<dyn LockGuard>> {
    let path = dir.join("LOCK");
    env.vfs.lock(&path).map_err(|error| {
        if error.kind() == std::io::ErrorKind::WouldBlock {
            PgError::new(
                codes::LOCK_FILE_EXISTS,
                format!("data directory \"{}\" is in use by another process", dir.display()),
            )
            .hint(format!("The process that holds it is named in \"{}\".", path.display()))
        } else {
            io_error("lock", &path, &error)
        }
    })
}

pub(super) fn open(env: &Env, dir: &Path, options: &StoreOptions) -> PgResult<Opened> {
    let found = Manifest::load(env, dir)?;
    let fresh = found.is_none();
    let (number, mut layout) = found.unwrap_or_default();
    remove_leftovers(env, dir, fresh, number)?;
    let create_log = |layout: &mut Layout| -> PgResult<Wal> {
        layout.wal_floor = 1;
        Wal::create(env, dir, options.wal_segment, 1, 0, VecDeque::new())
    };
    // The log exists before a manifest says so.
    let created = if options.wal && layout.wal_floor == 0 { Some(create_log(&mut layout)?) } else { None };
    let (floor, flushed, ingested) = (layout.wal_floor, layout.flushed, layout.ingested);
    let in_tables = layout.levels.iter().flatten().map(|meta| meta.max_ts).max().unwrap_or(0).max(flushed);
    let lsm = Lsm::open(env, dir, options, number + 1, layout)?;
    if !fresh {
        // The old manifest is no longer current; what cannot be removed now is a leftover of the next start.
        let _ = env.vfs.remove(&dir.join(format!("manifest-{number:08}")));
    }
    if created.is_some() || floor == 0 {
        lsm.remove_orphans()?;
        return Ok(Opened { lsm, wal: created, newest: in_tables });
    }
    let mut apply = |batch: crate::WriteBatch, tables: Edit, ts: u64| {
        lsm.make_room(false)?;
        if ts > ingested {
            lsm.install_run(tables.added.into_iter().map(|(_, meta)| meta).collect(), ts)?;
        }
        lsm.apply(&batch, Timestamp(ts))
    };
    let (wal, newest) = recover(env, dir, options.wal_segment, floor, flushed, &mut apply)?;
    // Only now is it known which tables the log still wanted.
    lsm.remove_orphans()?;
    Ok(Opened { lsm, wal: Some(wal), newest: newest.max(in_tables) })
}

/// Removes files that a crash left behind: manifests that nothing names, temporary files.
fn remove_leftovers(env: &Env, dir: &Path, fresh: bool, number: u64) -> PgResult<()> {
    let manifest = format!("manifest-{number:08}");
    for name in env.vfs.list(dir).map_err(|e| io_error("list", dir, &e))? {
        let table = name.ends_with(".sst");
        let lost = || {
            PgError::new(
                codes::DATA_CORRUPTED,
                format!("data directory \"{}\" holds data but no file \"CURRENT\"", dir.display()),
            )
        };
        let ours = table
            || name.ends_with(".blob")
            || name.ends_with(".tmp")
            || name.starts_with("wal-")
            || name.starts_with("manifest-")
            || matches!(name.as_str(), "LOCK" | "CURRENT")
            || name.starts_with('.');
        if fresh && !ours {
            return Err(PgError::new(
                codes::OBJECT_NOT_IN_PREREQUISITE_STATE,
                format!("data directory \"{}\" holds files of something else (\"{name}\")", dir.display()),
            ));
        }
        // A directory without CURRENT was never finished being created, and then holds no data.
        if fresh && (table || (name.starts_with("wal-0") && name != "wal-0000000000000001.log")) {
            return Err(lost());
        }
        let leftover = (name.starts_with("manifest-") && (fresh || name != manifest))
            || name.ends_with(".tmp")
            || (fresh && name.starts_with("wal-"));
        if leftover {
            let path = dir.join(&name);
            env.vfs.remove(&path).map_err(|e| io_error("remove", &path, &e))?;
        }
    }
    Ok(())
}
