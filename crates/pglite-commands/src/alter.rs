//! ALTER TABLE and its kin: the passes, and who does what.
//!
//! Rows are checked by plain queries over the table, and rewritten by reading them with the old definition and
//! inserting them into fresh storage with the new one.

mod column;
mod constraint;
mod rewrite;
mod table_options;
mod types;

use std::sync::Arc;

use pglite_catalog::{RelDesc, Snapshot};
use pglite_error::{PgError, PgResult, bail, codes};
use pglite_parser::ast::{
    AlterTableCmd, AlterTableDef, AlterTableStmt, AlterTableType, ConstrType, ObjectType,
};
use pglite_types::Oid;

use crate::ctx;
use crate::host::{CommandHost, CommandOutcome};
use crate::table::{NotNull, add_not_null};

/// Makes a column NOT NULL (ADD PRIMARY KEY does), after checking the rows there are.
pub(crate) fn require_not_null(host: &dyn CommandHost, rel: Oid, column: &str) -> PgResult<()> {
    rewrite::check_not_null(host, rel, column)?;
    add_not_null(host, rel, &NotNull::local(column))
}

pub(crate) use constraint::check_foreign_key;
pub(crate) use rewrite::table_text;
pub(crate) use table_options::{abandon, adopt};

/// PostgreSQL's order of work within one command.
fn pass(c: &AlterTableCmd) -> u8 {
    use AlterTableType::*;
    match c.subtype {
        DropColumn | DropConstraint | DropExpression | DropNotNull | DropIdentity => 0,
        AlterColumnType => 1,
        AddColumn => 2,
        ColumnDefault | SetNotNull | SetStatistics | SetOptions | ResetOptions | SetStorage
        | SetCompression | AddIdentity | SetIdentity | SetExpression => 3,
        AddConstraint => match &c.def {
            AlterTableDef::Constraint(k) if matches!(k.contype, ConstrType::Primary | ConstrType::Unique) => {
                4
            }
            AlterTableDef::Constraint(k) if k.contype == ConstrType::Foreign => 6,
            _ => 5,
        },
        _ => 7,
    }
}

const SHARE_UPDATE_EXCLUSIVE: u8 = 4;
const SHARE_ROW_EXCLUSIVE: u8 = 6;
const ACCESS_EXCLUSIVE: u8 = 8;

/// The weakest lock on the table that the subcommand is safe under.
fn lock_mode(c: &AlterTableCmd) -> u8 {
    use AlterTableType::*;
    match c.subtype {
        SetStatistics | SetOptions | ResetOptions | ClusterOn | DropCluster | ValidateConstraint
        | AttachPartition | SetRelOptions | ResetRelOptions => SHARE_UPDATE_EXCLUSIVE,
        EnableTrig | EnableAlwaysTrig | EnableReplicaTrig | DisableTrig | EnableTrigAll | DisableTrigAll
        | EnableTrigUser | DisableTrigUser => SHARE_ROW_EXCLUSIVE,
        AddConstraint => match &c.def {
            AlterTableDef::Constraint(k) if k.contype == ConstrType::Foreign => SHARE_ROW_EXCLUSIVE,
            _ => ACCESS_EXCLUSIVE,
        },
        _ => ACCESS_EXCLUSIVE,
    }
}

fn tag(kind: &ObjectType) -> String {
    format!("ALTER {}", crate::objects::kind_word(kind).to_uppercase())
}

pub(crate) fn alter_table(host: &dyn CommandHost, s: &AlterTableStmt) -> PgResult<CommandOutcome> {
    let outcome = CommandOutcome::tag(tag(&s.objtype));
    let rel = match ctx::relation(host, &s.relation) {
        Ok(rel) => rel,
        Err(e) if s.missing_ok && matches!(e.code(), codes::UNDEFINED_TABLE | codes::INVALID_SCHEMA_NAME) => {
            ctx::notice(
                host,
                PgError::notice(format!("relation \"{}\" does not exist, skipping", s.relation.relname)),
            );
            return Ok(outcome);
        }
        Err(e) => return Err(e),
    };
    check_kind(&rel, &s.objtype)?;
    ctx::must_own(host, &rel)?;
    if rel.is_catalog {
        bail!(INSUFFICIENT_PRIVILEGE, "permission denied: \"{}\" is a system catalog", rel.name);
    }
    host.env().lock_relation(rel.oid, s.cmds.iter().map(lock_mode).max().unwrap_or(ACCESS_EXCLUSIVE))?;
    let mut cmds: Vec<&AlterTableCmd> = s.cmds.iter().collect();
    cmds.sort_by_key(|c| pass(c));
    for c in cmds {
        run(host, rel.oid, c, s.relation.inh, false)?;
    }
    Ok(outcome)
}

fn check_kind(rel: &RelDesc, kind: &ObjectType) -> PgResult<()> {
    let fits = match kind {
        ObjectType::Index => matches!(rel.kind, b'i' | b'I'),
        ObjectType::Sequence => rel.kind == b'S',
        ObjectType::View => rel.kind == b'v',
        ObjectType::MatView => rel.kind == b'm',
        ObjectType::ForeignTable => rel.kind == b'f',
        ObjectType::Type => rel.kind == b'c',
        _ => rel.kind != b'c',
    };
    if fits {
        return Ok(());
    }
    if rel.kind == b'c' {
        return Err(pglite_error::err!(WRONG_OBJECT_TYPE, "\"{}\" is a composite type", rel.name)
            .hint("Use ALTER TYPE instead."));
    }
    let article = if *kind == ObjectType::Index { "an" } else { "a" };
    bail!(WRONG_OBJECT_TYPE, "\"{}\" is not {article} {}", rel.name, crate::objects::kind_word(kind))
}

pub(crate) fn desc(s: &Arc<Snapshot>, rel: Oid) -> PgResult<Arc<RelDesc>> {
    s.rel(rel).ok_or_else(|| PgError::internal("relation vanished"))
}

/// Children of a table, when a command reaches them.
pub(crate) fn children(host: &dyn CommandHost, rel: Oid) -> Vec<Oid> {
    host.snapshot().children_of(rel).map(|i| i.inhrelid).collect()
}

/// One subcommand on one table; `recurse`: its children too; `below`: called for a child.
fn run(host: &dyn CommandHost, rel: Oid, c: &AlterTableCmd, recurse: bool, below: bool) -> PgResult<()> {
    use AlterTableType::*;
    let name = c.name.as_deref().unwrap_or("");
    let family = |f: &dyn Fn(Oid) -> PgResult<()>| -> PgResult<()> {
        f(rel)?;
        if recurse {
            for child in children(host, rel) {
                run(host, child, c, true, true)?;
            }
        }
        Ok(())
    };
    match (&c.subtype, &c.def) {
        (AddColumn, AlterTableDef::ColumnDef(d)) => {
            if !recurse && !children(host, rel).is_empty() && !below {
                bail!(INVALID_TABLE_DEFINITION, "column must be added to child tables too");
            }
            let added = column::add(host, rel, d, c.missing_ok, below)?;
            if added {
                for child in children(host, rel) {
                    run(host, child, c, true, true)?;
                }
            }
            Ok(())
        }
        (DropColumn, _) => column::drop(host, rel, name, &c.behavior, c.missing_ok, recurse, below),
        (ColumnDefault, def) => {
            let raw = match def {
                AlterTableDef::Expr(e) => Some(e),
                _ => None,
            };
            family(&|r| column::set_default(host, r, name, raw))
        }
        (SetNotNull, _) => family(&|r| column::set_not_null(host, r, name, below)),
        (DropNotNull, _) => family(&|r| column::drop_not_null(host, r, name)),
        (SetExpression, AlterTableDef::Expr(e)) => family(&|r| column::set_expression(host, r, name, e)),
        (DropExpression, _) => family(&|r| column::drop_expression(host, r, name, c.missing_ok)),
        (AlterColumnType, AlterTableDef::ColumnDef(d)) => {
            types::alter_type(host, rel, name, d, below)?;
            if recurse {
                for child in children(host, rel) {
                    run(host, child, c, true, true)?;
                }
            }
            Ok(())
        }
        (AddIdentity, AlterTableDef::Constraint(k)) => column::add_identity(host, rel, name, k),
        (SetIdentity, AlterTableDef::Options(o)) => column::set_identity(host, rel, name, o),
        (DropIdentity, _) => column::drop_identity(host, rel, name, c.missing_ok),
        (SetStatistics | SetStorage | SetCompression | SetOptions | ResetOptions, _) => {
            table_options::column(host, rel, c)
        }
        (AddConstraint, AlterTableDef::Constraint(k)) => constraint::add(host, rel, k, recurse, below),
        (DropConstraint, _) => constraint::drop(host, rel, name, &c.behavior, c.missing_ok, recurse),
        (ValidateConstraint, _) => constraint::validate(host, rel, name),
        (AlterConstraint, AlterTableDef::AlterConstraint(a)) => constraint::alter(host, rel, a),
        (ChangeOwner, _) => {
            let Some(owner) = &c.newowner else { bail!(INTERNAL_ERROR, "OWNER TO without a role") };
            let owner = crate::role::resolve(host, owner)?;
            crate::owner::change(host, &pglite_catalog::ObjectAddress::relation(rel), owner)
        }
        (AttachPartition, AlterTableDef::Partition(p)) => crate::partition::attach(host, rel, p),
        (DetachPartition | DetachPartitionFinalize, AlterTableDef::Partition(p)) => {
            crate::partition::detach(host, rel, p)
        }
        (AddInherit, AlterTableDef::RangeVar(p)) => table_options::inherit(host, rel, p),
        (DropInherit, AlterTableDef::RangeVar(p)) => table_options::no_inherit(host, rel, p),
        _ => table_options::table(host, rel, c),
    }
}
