//! The manifest: which tables make up the tree, and from where the log is still needed.
//!
//! A manifest file is a chain of frames (`pglite_codec::frame`, position = offset in the file), each one an edit. The
//! file `CURRENT` names the live manifest; it is replaced by writing a new file, syncing it and renaming.
//!
//! ```text
//!   edit := field ...          all numbers are varints
//!     1 level table            a table was added      table := id size entries min_ts max_ts smallest largest open blobs (blob id, bytes) ...
//!     2 level id               a table was removed
//!     3 ts                     everything up to ts is in tables
//!     4 segment                the log is needed from this segment on
//!     5 id                     ids below this one may be taken
//!     6 ts                     tables ingested by commits up to ts are in
//! ```
//!
//! Invariant: an edit is durable before anything acts on it.

use crate::env::{Env, File, OpenMode, io_error, read_exact};
use crate::table::TableMeta;
use pglite_codec::{frame, varint};
use pglite_error::{PgError, PgResult, codes};
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub(crate) const LEVELS: usize = 7;
const CURRENT: &str = "CURRENT";
const KIND_EDIT: u32 = 1;
const ADD: u64 = 1;
const REMOVE: u64 = 2;
const FLUSHED: u64 = 3;
const FLOOR: u64 = 4;
const NEXT_ID: u64 = 5;
const INGESTED: u64 = 6;
/// A longer manifest is rewritten.
const REWRITE_BYTES: u64 = 4 << 20;

/// A change of the tree.
#[derive(Clone, Debug, Default)]
pub(crate) struct Edit {
    pub(crate) added: Vec<(usize, TableMeta)>,
    pub(crate) removed: Vec<(usize, u64)>,
    pub(crate) flushed: Option<u64>,
    pub(crate) wal_floor: Option<u64>,
    pub(crate) next_id: Option<u64>,
    pub(crate) ingested: Option<u64>,
}

/// What the edits add up to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Layout {
    pub(crate) levels: [Vec<TableMeta>; LEVELS],
    pub(crate) flushed: u64,
    pub(crate) wal_floor: u64,
    pub(crate) next_id: u64,
    pub(crate) ingested: u64,
}

impl Layout {
    pub(crate) fn apply(&mut self, edit: &Edit) {
        for (level, id) in &edit.removed {
            self.levels[*level].retain(|meta| meta.id != *id);
        }
        for (level, meta) in &edit.added {
            self.levels[*level].push(meta.clone());
        }
        self.flushed = edit.flushed.unwrap_or(self.flushed).max(self.flushed);
        self.wal_floor = edit.wal_floor.unwrap_or(self.wal_floor).max(self.wal_floor);
        self.next_id = edit.next_id.unwrap_or(self.next_id).max(self.next_id);
        self.ingested = edit.ingested.unwrap_or(self.ingested).max(self.ingested);
    }
    fn as_edit(&self) -> Edit {
        let tables = self.levels.iter().enumerate();
        Edit {
            added: tables.flat_map(|(level, metas)| metas.iter().map(move |m| (level, m.clone()))).collect(),
            removed: Vec::new(),
            flushed: Some(self.flushed),
            wal_floor: Some(self.wal_floor),
            next_id: Some(self.next_id),
            ingested: Some(self.ingested),
        }
    }
}

impl Edit {
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        let mut put = |values: &[u64]| values.iter().for_each(|&v| varint::write_u64(out, v));
        for (level, id) in &self.removed {
            put(&[REMOVE, *level as u64, *id]);
        }
        let numbers = [
            (FLUSHED, self.flushed),
            (FLOOR, self.wal_floor),
            (NEXT_ID, self.next_id),
            (INGESTED, self.ingested),
        ];
        for (tag, value) in numbers {
            if let Some(value) = value {
                put(&[tag, value]);
            }
        }
        for (level, meta) in &self.added {
            for v in [ADD, *level as u64, meta.id, meta.size, meta.entries, meta.min_ts, meta.max_ts] {
                varint::write_u64(out, v);
            }
            varint::write_bytes(out, &meta.smallest);
            varint::write_bytes(out, &meta.largest);
            varint::write_u64(out, meta.largest_open as u64);
            varint::write_u64(out, meta.blobs.len() as u64);
            for (id, live) in &meta.blobs {
                varint::write_u64(out, *id);
                varint::write_u64(out, *live);
            }
        }
    }

    pub(crate) fn decode(data: &[u8]) -> Option<Edit> {
        let mut edit = Edit::default();
        let mut pos = 0;
        let pos = &mut pos;
        let level = |pos: &mut usize| varint::read_u64(data, pos).map(|l| l as usize).filter(|&l| l < LEVELS);
        while *pos < data.len() {
            match varint::read_u64(data, pos)? {
                ADD => {
                    let level = level(pos)?;
                    let mut meta = TableMeta {
                        id: varint::read_u64(data, pos)?,
                        size: varint::read_u64(data, pos)?,
                        entries: varint::read_u64(data, pos)?,
                        min_ts: varint::read_u64(data, pos)?,
                        max_ts: varint::read_u64(data, pos)?,
                        smallest: varint::read_bytes(data, pos)?.to_vec(),
                        largest: varint::read_bytes(data, pos)?.to_vec(),
                        largest_open: varint::read_u64(data, pos)? != 0,
                        blobs: Vec::new(),
                    };
                    for _ in 0..varint::read_u64(data, pos)? {
                        meta.blobs.push((varint::read_u64(data, pos)?, varint::read_u64(data, pos)?));
                    }
                    edit.added.push((level, meta));
                }
                REMOVE => edit.removed.push((level(pos)?, varint::read_u64(data, pos)?)),
                FLUSHED => edit.flushed = Some(varint::read_u64(data, pos)?),
                FLOOR => edit.wal_floor = Some(varint::read_u64(data, pos)?),
                NEXT_ID => edit.next_id = Some(varint::read_u64(data, pos)?),
                INGESTED => edit.ingested = Some(varint::read_u64(data, pos)?),
                _ => return None,
            }
        }
        Some(edit)
    }
}

/// The live manifest, open for appending.
pub(crate) struct Manifest {
    env: Env,
    dir: PathBuf,
    layout: Layout,
    number: u64,
    file: Arc<dyn File>,
    path: PathBuf,
    tail: u64,
    chain: u32,
}

fn manifest_name(number: u64) -> String {
    format!("manifest-{number:08}")
}

impl Manifest {
    /// What the directory's manifest says; `None` if there is none yet.
    pub(crate) fn load(env: &Env, dir: &Path) -> PgResult<Option<(u64, Layout)>> {
        let path = dir.join(CURRENT);
        let file = match env.vfs.open(&path, OpenMode::Read) {
            Ok(file) => file,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(io_error("open", &path, &e)),
        };
        let name = read_all(&*file, &path)?;
        let number = std::str::from_utf8(&name)
            .ok()
            .and_then(|name| name.trim_end().strip_prefix("manifest-"))
            .and_then(|number| number.parse::<u64>().ok())
            .ok_or_else(|| damaged(&path))?;
        let path = dir.join(manifest_name(number));
        let file = env.vfs.open(&path, OpenMode::Read).map_err(|e| io_error("open", &path, &e))?;
        let data = read_all(&*file, &path)?;
        let (mut layout, mut at, mut chain) = (Layout::default(), 0, 0);
        while let Some((head, payload)) = frame::read(data.get(at..).unwrap_or(&[]), at as u64) {
            if head.prev != chain || head.kind != KIND_EDIT {
                break;
            }
            layout.apply(&Edit::decode(payload).ok_or_else(|| damaged(&path))?);
            chain = head.crc;
            at += frame::frame_len(payload.len());
        }
        // Every frame is synced before the next one is written: a sound frame further on means a damaged one here.
        let later = (at..data.len()).step_by(frame::ALIGN).any(|place| {
            frame::peek(&data[place..])
                .is_some_and(|head| head.position == place as u64 && head.durable > at as u64)
                && frame::read(&data[place..], place as u64).is_some()
        });
        if at == 0 || later {
            return Err(damaged(&path));
        }
        Ok(Some((number, layout)))
    }

    /// Starts a new manifest file that says `layout`, and makes it the live one.
    pub(crate) fn create(env: &Env, dir: &Path, number: u64, layout: Layout) -> PgResult<Manifest> {
        let path = dir.join(manifest_name(number));
        let file = env.vfs.open(&path, OpenMode::Create).map_err(|e| io_error("create", &path, &e))?;
        let mut manifest =
            Manifest { env: env.clone(), dir: dir.to_owned(), layout, number, file, path, tail: 0, chain: 0 };
        let snapshot = manifest.layout.as_edit();
        manifest.write(&snapshot)?;
        let temporary = dir.join("CURRENT.tmp");
        let current = dir.join(CURRENT);
        let replace = || {
            let file = env.vfs.open(&temporary, OpenMode::Create)?;
            file.write_at(format!("{}\n", manifest_name(number)).as_bytes(), 0)?;
            file.sync()?;
            // The new manifest's own name must be durable before CURRENT can name it.
            env.vfs.sync_dir(dir)?;
            env.vfs.rename(&temporary, &current)?;
            env.vfs.sync_dir(dir)
        };
        replace().map_err(|e| io_error("replace", &current, &e))?;
        Ok(manifest)
    }

    pub(crate) fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Makes `edit` durable.
    pub(crate) fn commit(&mut self, edit: &Edit) -> PgResult<()> {
        self.write(edit)?;
        self.layout.apply(edit);
        if self.tail > REWRITE_BYTES {
            let next = Manifest::create(&self.env, &self.dir, self.number + 1, self.layout.clone())?;
            let old = std::mem::replace(self, next);
            // A manifest that cannot be removed is removed at the next start.
            let _ = self.env.vfs.remove(&old.path);
        }
        Ok(())
    }

    fn write(&mut self, edit: &Edit) -> PgResult<()> {
        let mut buf = Vec::new();
        let start = frame::begin(&mut buf);
        edit.encode(&mut buf);
        let crc = frame::finish(&mut buf, start, KIND_EDIT, self.chain, self.tail, self.tail);
        self.file.write_at(&buf, self.tail).map_err(|e| io_error("write", &self.path, &e))?;
        self.file.sync().map_err(|e| io_error("fsync", &self.path, &e))?;
        self.tail += buf.len() as u64;
        self.chain = crc;
        Ok(())
    }
}

fn damaged(path: &Path) -> PgError {
    PgError::new(codes::DATA_CORRUPTED, format!("manifest file \"{}\" is damaged", path.display()))
}

fn read_all(file: &dyn File, path: &Path) -> PgResult<Vec<u8>> {
    let mut data = vec![0; file.len().map_err(|e| io_error("stat", path, &e))? as usize];
    read_exact(file, &mut data, 0).map_err(|e| io_error("read", path, &e))?;
    Ok(data)
}
