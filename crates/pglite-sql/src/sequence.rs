//! Sequences: values handed out in memory, a mark logged ahead of them.
//!
//! Crash argument: before a value past the stored mark is handed out, a mark [`LOG_AHEAD`] values further is put into the
//! WAL; a transaction that used the value commits after it in WAL order, so a recovered sequence never repeats a value
//! that a durable transaction has seen. Values between are skipped, as PostgreSQL skips them.

use std::collections::HashMap;

use parking_lot::Mutex;
use pglite_catalog::generated::rows::SequenceRow;
use pglite_error::{PgResult, bail};
use pglite_storage::{Durability, Timestamp, WriteBatch};
use pglite_types::Oid;

use crate::database::Shared;

/// Values per logged mark, as in PostgreSQL.
const LOG_AHEAD: i64 = 32;

#[derive(Clone, Copy, Debug)]
pub(crate) struct State {
    pub last: i64,
    pub called: bool,
    /// Values that may still be handed out before the mark must move.
    pub log_left: i64,
}

/// All sequences in use, by (database, sequence).
#[derive(Default)]
pub(crate) struct Sequences(Mutex<HashMap<(Oid, Oid), State>>);

/// "Catalog" 0 of a database: before every catalog row, which start at catalog 1.
fn key(database: Oid, seq: Oid) -> Vec<u8> {
    [database.0.to_be_bytes(), 0u32.to_be_bytes(), seq.0.to_be_bytes()].concat()
}

fn log(shared: &Shared, database: Oid, seq: Oid, last: i64, called: bool) -> PgResult<()> {
    let mut value = last.to_be_bytes().to_vec();
    value.push(u8::from(called));
    let mut batch = WriteBatch::default();
    batch.put(&key(database, seq), &value);
    // Why unawaited: the WAL keeps order, so a commit that used the value is durable only after this.
    let _ = shared.manager.commit_raw(batch, Durability::Async)?;
    Ok(())
}

impl Sequences {
    fn with<T>(
        &self,
        shared: &Shared,
        database: Oid,
        row: &SequenceRow,
        f: impl FnOnce(&mut State) -> PgResult<T>,
    ) -> PgResult<T> {
        let mut map = self.0.lock();
        let id = (database, row.seqrelid);
        if let std::collections::hash_map::Entry::Vacant(e) = map.entry(id) {
            let stored =
                shared.manager.store().engine().get(&key(database, row.seqrelid), Timestamp(u64::MAX))?;
            let state = match stored.as_ref().and_then(|(v, _)| v.as_ref().split_first_chunk::<8>()) {
                Some((last, called)) => {
                    State { last: i64::from_be_bytes(*last), called: called.first() == Some(&1), log_left: 0 }
                }
                None => State { last: row.seqstart, called: false, log_left: 0 },
            };
            e.insert(state);
        }
        match map.get_mut(&id) {
            Some(state) => f(state),
            None => Err(pglite_error::PgError::internal("sequence state vanished")),
        }
    }

    pub fn read(&self, shared: &Shared, database: Oid, row: &SequenceRow) -> PgResult<State> {
        self.with(shared, database, row, |s| Ok(*s))
    }

    /// nextval.
    pub fn next(&self, shared: &Shared, database: Oid, row: &SequenceRow, name: &str) -> PgResult<i64> {
        self.with(shared, database, row, |s| {
            let value = if s.called { step(row, s.last, name)? } else { s.last };
            if s.log_left <= 0 {
                let ahead = (0..LOG_AHEAD).try_fold(value, |v, _| step(row, v, name).ok());
                log(shared, database, row.seqrelid, ahead.unwrap_or(value), true)?;
                s.log_left = if ahead.is_some() { LOG_AHEAD } else { 0 };
            } else {
                s.log_left -= 1;
            }
            s.last = value;
            s.called = true;
            Ok(value)
        })
    }

    /// setval, ALTER SEQUENCE RESTART.
    pub fn set(
        &self,
        shared: &Shared,
        database: Oid,
        row: &SequenceRow,
        value: i64,
        called: bool,
        name: &str,
    ) -> PgResult<()> {
        if value < row.seqmin || value > row.seqmax {
            bail!(
                NUMERIC_VALUE_OUT_OF_RANGE,
                "setval: value {value} is out of bounds for sequence \"{name}\" ({}..{})",
                row.seqmin,
                row.seqmax
            );
        }
        self.with(shared, database, row, |s| {
            log(shared, database, row.seqrelid, value, called)?;
            *s = State { last: value, called, log_left: 0 };
            Ok(())
        })
    }

    /// Writes the exact states, so that a clean stop skips nothing.
    pub fn flush(&self, shared: &Shared) -> PgResult<()> {
        let states: Vec<_> = self.0.lock().iter().map(|(k, s)| (*k, *s)).collect();
        for ((database, seq), s) in states.into_iter().filter(|(_, s)| s.log_left > 0) {
            log(shared, database, seq, s.last, s.called)?;
        }
        Ok(())
    }
}

/// The value after `last`, or 2200H at the limit.
fn step(row: &SequenceRow, last: i64, name: &str) -> PgResult<i64> {
    let next = last.checked_add(row.seqincrement).filter(|n| (row.seqmin..=row.seqmax).contains(n));
    match next {
        Some(n) => Ok(n),
        None if row.seqcycle => Ok(if row.seqincrement > 0 { row.seqmin } else { row.seqmax }),
        None if row.seqincrement > 0 => bail!(
            SEQUENCE_GENERATOR_LIMIT_EXCEEDED,
            "nextval: reached maximum value of sequence \"{name}\" ({})",
            row.seqmax
        ),
        None => bail!(
            SEQUENCE_GENERATOR_LIMIT_EXCEEDED,
            "nextval: reached minimum value of sequence \"{name}\" ({})",
            row.seqmin
        ),
    }
}
