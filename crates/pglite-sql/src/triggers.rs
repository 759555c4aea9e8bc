//! Which triggers a relation has.

use pglite_catalog::{RelDesc, Snapshot};
use pglite_exec::env::{TriggerEvent, TriggerTiming};

/// Bits of `pg_trigger.tgtype`.
const ROW: i16 = 1;
const BEFORE: i16 = 2;
const INSERT: i16 = 4;
const DELETE: i16 = 8;
const UPDATE: i16 = 16;
const TRUNCATE: i16 = 32;
const INSTEAD: i16 = 64;

/// Whether any enabled user trigger fires at this moment. Foreign keys are the executor's own and do not count.
pub(crate) fn has(
    s: &Snapshot,
    rel: &RelDesc,
    event: TriggerEvent,
    timing: TriggerTiming,
    row: bool,
) -> bool {
    if !rel.has_triggers {
        return false;
    }
    let event = match event {
        TriggerEvent::Insert => INSERT,
        TriggerEvent::Update => UPDATE,
        TriggerEvent::Delete => DELETE,
        TriggerEvent::Truncate => TRUNCATE,
    };
    s.triggers_of(rel.oid).any(|t| {
        let when = match (t.tgtype & BEFORE != 0, t.tgtype & INSTEAD != 0) {
            (true, _) => TriggerTiming::Before,
            (_, true) => TriggerTiming::Instead,
            _ => TriggerTiming::After,
        };
        !t.tgisinternal
            && t.tgenabled != b'D'
            && t.tgtype & event != 0
            && (t.tgtype & ROW != 0) == row
            && when == timing
    })
}
