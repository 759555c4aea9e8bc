//! TRUNCATE: fresh storage for the tables and their indexes.

use std::sync::Arc;

use pglite_catalog::rows::ClassRow;
use pglite_catalog::{RelDesc, Snapshot, acl};
use pglite_error::{PgError, PgResult, bail, err};
use pglite_exec::env::{TriggerCall, TriggerEvent, TriggerTiming};
use pglite_ir::abi::SequenceOp;
use pglite_parser::ast::{DropBehavior, TruncateStmt};
use pglite_txn::Space;
use pglite_types::Oid;

use crate::ctx;
use crate::host::{CommandHost, CommandOutcome};

pub(crate) fn truncate(host: &dyn CommandHost, t: &TruncateStmt) -> PgResult<CommandOutcome> {
    let s = host.snapshot();
    let mut rels: Vec<Arc<RelDesc>> = Vec::new();
    for name in &t.relations {
        let rel = ctx::relation(host, name)?;
        add(host, &s, rel.clone(), &mut rels)?;
        if name.inh {
            descendants(host, &s, rel.oid, &mut rels)?;
        } else if rel.kind == b'p' {
            return Err(err!(WRONG_OBJECT_TYPE, "cannot truncate only a partitioned table")
                .hint("Do not specify the ONLY keyword, or use TRUNCATE ONLY on the partitions directly."));
        }
    }
    references(host, &s, &mut rels, t.behavior == DropBehavior::Cascade)?;
    fire(host, &rels, TriggerTiming::Before)?;
    for rel in rels.iter().filter(|r| matches!(r.kind, b'r' | b'm')) {
        new_storage(host, rel)?;
    }
    if t.restart_seqs {
        for rel in &rels {
            for seq in s.owned_sequences(rel.oid, 0) {
                if let Some(row) = s.sequence(seq) {
                    let env = host.env();
                    env.as_fn_host().sequence(seq, SequenceOp::Set { value: row.seqstart, called: false })?;
                }
            }
        }
    }
    fire(host, &rels, TriggerTiming::After)?;
    Ok(CommandOutcome::tag("TRUNCATE TABLE"))
}

/// Fires the tables' TRUNCATE triggers.
fn fire(host: &dyn CommandHost, rels: &[Arc<RelDesc>], timing: TriggerTiming) -> PgResult<()> {
    for rel in rels.iter().filter(|r| r.has_triggers) {
        let env = host.env();
        let hooks = env.as_exec_hooks();
        // The storage is new: triggers that look at the table must see that.
        let snapshot = host.snapshot();
        let Some(rel) = snapshot.rel(rel.oid) else { continue };
        if hooks.has_triggers(&rel, TriggerEvent::Truncate, timing, false) {
            hooks.fire_triggers(&TriggerCall {
                rel: &rel,
                event: TriggerEvent::Truncate,
                timing,
                row: false,
                old: None,
                new: None,
                updated: &[],
                transition: None,
            })?;
        }
    }
    Ok(())
}

fn add(
    host: &dyn CommandHost,
    s: &Snapshot,
    rel: Arc<RelDesc>,
    rels: &mut Vec<Arc<RelDesc>>,
) -> PgResult<()> {
    if rels.iter().any(|r| r.oid == rel.oid) {
        return Ok(());
    }
    if !matches!(rel.kind, b'r' | b'p') {
        bail!(WRONG_OBJECT_TYPE, "\"{}\" is not a table", rel.name);
    }
    if rel.is_catalog {
        bail!(INSUFFICIENT_PRIVILEGE, "permission denied: \"{}\" is a system catalog", rel.name);
    }
    if acl::relation_mask(s, ctx::user(host), rel.oid, acl::TRUNCATE) == 0 {
        bail!(INSUFFICIENT_PRIVILEGE, "permission denied for table {}", rel.name);
    }
    host.env().lock_relation(rel.oid, 8)?;
    rels.push(rel);
    Ok(())
}

fn descendants(
    host: &dyn CommandHost,
    s: &Arc<Snapshot>,
    parent: Oid,
    rels: &mut Vec<Arc<RelDesc>>,
) -> PgResult<()> {
    let children: Vec<Oid> = s.children_of(parent).map(|i| i.inhrelid).collect();
    for child in children {
        if let Some(rel) = s.rel(child)
            && !rels.iter().any(|r| r.oid == child)
        {
            host.env().lock_relation(rel.oid, 8)?;
            rels.push(rel);
            descendants(host, s, child, rels)?;
        }
    }
    Ok(())
}

/// Tables with foreign keys to truncated ones go along, or stand in the way.
fn references(
    host: &dyn CommandHost,
    s: &Arc<Snapshot>,
    rels: &mut Vec<Arc<RelDesc>>,
    cascade: bool,
) -> PgResult<()> {
    let mut i = 0;
    while i < rels.len() {
        let target = rels[i].clone();
        i += 1;
        let referring: Vec<Oid> =
            s.foreign_keys_to(target.oid).filter(|c| c.contype == b'f').map(|c| c.conrelid).collect();
        for oid in referring {
            if rels.iter().any(|r| r.oid == oid) {
                continue;
            }
            let Some(rel) = s.rel(oid) else { continue };
            if !cascade {
                return Err(err!(
                    FEATURE_NOT_SUPPORTED,
                    "cannot truncate a table referenced in a foreign key constraint"
                )
                .detail(format!("Table \"{}\" references \"{}\".", rel.name, target.name))
                .hint(format!(
                    "Truncate table \"{}\" at the same time, or use TRUNCATE ... CASCADE.",
                    rel.name
                )));
            }
            ctx::notice(host, PgError::notice(format!("truncate cascades to table \"{}\"", rel.name)));
            add(host, s, rel.clone(), rels)?;
            descendants(host, s, rel.oid, rels)?;
        }
    }
    Ok(())
}

/// Gives the table and its indexes empty storage; the old one goes at commit.
pub(crate) fn new_storage(host: &dyn CommandHost, rel: &RelDesc) -> PgResult<()> {
    let database = host.snapshot().database();
    let mut moved = vec![(rel.oid, rel.filenode)];
    moved.extend(rel.indexes.iter().map(|i| (i.oid, i.filenode)));
    for (oid, old) in moved {
        let fresh = ctx::new_oid(host)?;
        host.with_catalog(&mut |c| {
            c.modify::<ClassRow>(oid, |r| r.relfilenode = fresh);
            Ok(())
        })?;
        host.txn().create_space(Space::new(database.0, fresh.0));
        host.txn().drop_space(Space::new(database.0, old.0))?;
    }
    Ok(())
}
