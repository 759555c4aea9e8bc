//! DROP of every kind of object: names to addresses, dependencies, then the rows.

use pglite_catalog::depend::{ObjectAddress, find_deletion, remove_object};
use pglite_catalog::rows::*;
use pglite_catalog::{CatalogRow, acl};
use pglite_error::{PgError, PgResult, Severity, bail, codes};
use pglite_parser::ast::{DropBehavior, DropStmt, ObjectName, ObjectType};
use pglite_txn::Space;
use pglite_types::Oid;

use crate::ctx;
use crate::host::{CommandHost, CommandOutcome};
use crate::objects::{self, Lookup};

/// "DROP TABLE" and the like.
pub(crate) fn tag(kind: &ObjectType) -> String {
    let word = match kind {
        ObjectType::Fdw => "foreign data wrapper",
        ObjectType::StatisticExt => "statistics",
        k => objects::kind_word(k),
    };
    format!("DROP {}", word.to_uppercase())
}

pub(crate) fn drop(host: &dyn CommandHost, d: &DropStmt) -> PgResult<CommandOutcome> {
    let mut targets = Vec::new();
    for object in &d.objects {
        match objects::resolve(host, &d.remove_type, object, Lookup { drop: true }) {
            Ok(a) => {
                check(host, &d.remove_type, &a)?;
                if !targets.contains(&a) {
                    targets.push(a);
                }
            }
            Err(e) if d.missing_ok && is_missing(&e) => skip(host, &d.remove_type, object, &e),
            Err(e) => return Err(e),
        }
    }
    let cascade = d.behavior == DropBehavior::Cascade;
    remove(host, &targets, cascade)?;
    Ok(CommandOutcome::tag(tag(&d.remove_type)))
}

/// The object (or what its name goes through) does not exist.
pub(crate) fn is_missing(e: &PgError) -> bool {
    [
        codes::UNDEFINED_TABLE,
        codes::UNDEFINED_OBJECT,
        codes::UNDEFINED_FUNCTION,
        codes::INVALID_SCHEMA_NAME,
        codes::UNDEFINED_COLUMN,
        codes::UNDEFINED_DATABASE,
    ]
    .contains(&e.code())
}

/// IF EXISTS: the error becomes a notice.
fn skip(host: &dyn CommandHost, kind: &ObjectType, object: &ObjectName, e: &PgError) {
    let mut text = e.message().to_string();
    if matches!(kind, ObjectType::Trigger | ObjectType::Policy) {
        text = text.replace(" for table ", " for relation ");
    }
    if let (ObjectName::WithArgs(w), true) = (object, text.contains("does not exist")) {
        let types = || {
            let env = host.env();
            let path = env.search_path();
            let s = env.as_fn_host().catalog();
            let shown = w.objargs.iter().map(|t| match t {
                None => "NONE".to_string(),
                Some(t) => match pglite_analyze::resolve_type_name_opt(env.as_analyze_env(), t) {
                    Ok(Some((oid, _))) => pglite_catalog::format_type::format_type_be(s, path, oid),
                    _ => t.dotted(),
                },
            });
            shown.collect::<Vec<_>>().join(",")
        };
        if text.starts_with("type ") || text.starts_with("schema ") {
        } else if *kind == ObjectType::Operator {
            text = format!("operator {} does not exist", w.objname.join("."));
        } else {
            let args = if w.args_unspecified { String::new() } else { types() };
            text = format!("{} {}({args}) does not exist", objects::kind_word(kind), w.objname.join("."));
        }
    }
    if *kind == ObjectType::Collation {
        text = text.replace(" for encoding \"UTF8\"", "");
    }
    ctx::notice(
        host,
        PgError::new(codes::SUCCESSFUL_COMPLETION, format!("{text}, skipping")).severity(Severity::Notice),
    );
}

fn check(host: &dyn CommandHost, kind: &ObjectType, a: &ObjectAddress) -> PgResult<()> {
    let s = host.snapshot();
    if a.class == ClassRow::CATALOG {
        let env = host.env();
        env.lock_relation(a.object, 8)?;
        if a.object.0 < 16384 && a.is_pinned() {
            let name = objects::name_of(&s, a).unwrap_or_default();
            bail!(INSUFFICIENT_PRIVILEGE, "permission denied: \"{name}\" is a system catalog");
        }
    }
    if let (ProcRow::CATALOG, Some(p)) = (a.class, s.proc_by_oid(a.object))
        && *kind == ObjectType::Function
        && p.prokind == b'a'
    {
        return Err(pglite_error::err!(WRONG_OBJECT_TYPE, "\"{}\" is an aggregate function", p.proname)
            .hint("Use DROP AGGREGATE to drop aggregate functions."));
    }
    // The owner of the schema may drop what others put there.
    let user = ctx::user(host);
    let schema_owner = objects::namespace_of(&s, a).and_then(|n| s.namespace_by_oid(n)).map(|n| n.nspowner);
    if schema_owner.is_some_and(|o| acl::has_privs_of_role(&s, user, o)) {
        return Ok(());
    }
    objects::check_owner(host, a, kind)
}

/// Deletes the objects and all that goes with them.
pub(crate) fn remove(host: &dyn CommandHost, targets: &[ObjectAddress], cascade: bool) -> PgResult<()> {
    remove_with(host, targets, cascade, false)
}

pub(crate) fn remove_with(
    host: &dyn CommandHost,
    targets: &[ObjectAddress],
    cascade: bool,
    quiet: bool,
) -> PgResult<()> {
    if targets.is_empty() {
        return Ok(());
    }
    let s = host.snapshot();
    let deletion = {
        let env = host.env();
        find_deletion(&s, env.search_path(), targets, cascade, quiet)?
    };
    if let Some(n) = deletion.notice {
        ctx::notice(host, n);
    }
    {
        let env = host.env();
        for a in deletion.order.iter().filter(|a| a.class == ClassRow::CATALOG && a.sub == 0) {
            if s.class_by_oid(a.object).is_some_and(|c| matches!(c.relkind, b'r' | b'p' | b'v' | b'm' | b'S'))
            {
                env.lock_relation(a.object, 8)?;
            }
        }
    }
    let mut spaces: Vec<Oid> = Vec::new();
    let mut lost_triggers: Vec<Oid> = Vec::new();
    host.with_catalog(&mut |c| {
        spaces.clear();
        for a in &deletion.order {
            if a.class == TriggerRow::CATALOG
                && let Some(t) = c.snapshot().trigger_by_oid(a.object)
            {
                lost_triggers.push(t.tgrelid);
            }
            let indexed = (a.class == ClassRow::CATALOG)
                .then(|| c.snapshot().index(a.object).map(|i| i.indrelid))
                .flatten();
            let is_sequence = c.snapshot().class_by_oid(a.object).is_some_and(|r| r.relkind == b'S');
            let removed = remove_object(c, a)?;
            if let Some((_, filenode, _)) = removed.storage
                && !is_sequence
            {
                spaces.push(filenode);
            }
            if let Some(table) = indexed
                && c.snapshot().indexes_of(table).next().is_none()
            {
                c.modify::<ClassRow>(table, |r| r.relhasindex = false);
            }
        }
        for table in &lost_triggers {
            if c.snapshot().triggers_of(*table).next().is_none() {
                c.modify::<ClassRow>(*table, |r| r.relhastriggers = false);
            }
        }
        Ok(())
    })?;
    let database = s.database();
    for filenode in spaces {
        host.txn().drop_space(Space::new(database.0, filenode.0))?;
    }
    Ok(())
}
