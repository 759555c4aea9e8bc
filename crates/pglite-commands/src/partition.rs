//! Partitioned tables: PARTITION BY, PARTITION OF, ATTACH and DETACH, and what partitions take over from their parent.
//!
//! `spec` writes keys, `bound` checks bounds and writes their text, `index` carries indexes down, `key` foreign keys.

mod bound;
mod index;
mod key;
mod spec;

use std::sync::Arc;

use pglite_analyze::partition::{self as parts, Bound};
use pglite_catalog::depend::{DependencyType, ObjectAddress};
use pglite_catalog::rows::{ClassRow, InheritsRow, PartitionedTableRow};
use pglite_catalog::{CatalogRow, RelDesc};
use pglite_error::{PgError, PgResult, bail, err};
use pglite_functions::deparse::{Scope, storage_text};
use pglite_ir::Expr;
use pglite_parser::ast::{PartitionBoundSpec, PartitionCmd};
use pglite_types::Oid;

use crate::alter::{abandon, adopt, desc};
use crate::ctx;
use crate::host::CommandHost;

pub(crate) use index::{attach_index, carry_down, create_like};
pub(crate) use key::carry_down as carry_foreign_key;
pub(crate) use spec::store_key;

/// Checks that a table may get a partition of this persistence.
pub(crate) fn check_parent(parent: &RelDesc, persistence: u8) -> PgResult<()> {
    if parent.kind != b'p' {
        bail!(WRONG_OBJECT_TYPE, "\"{}\" is not partitioned", parent.name);
    }
    if persistence != b't' && parent.is_temp() {
        bail!(
            WRONG_OBJECT_TYPE,
            "cannot create a permanent relation as partition of temporary relation \"{}\"",
            parent.name
        );
    }
    if persistence == b't' && !parent.is_temp() {
        bail!(
            WRONG_OBJECT_TYPE,
            "cannot create a temporary relation as partition of permanent relation \"{}\"",
            parent.name
        );
    }
    Ok(())
}

/// Makes a new, empty table a partition: bound, pg_inherits, indexes and foreign keys of the parent.
pub(crate) fn create_partition(
    host: &dyn CommandHost,
    child: Oid,
    parent: Oid,
    spec: &PartitionBoundSpec,
) -> PgResult<()> {
    host.with_catalog(&mut |c| {
        c.insert(InheritsRow { inhrelid: child, inhparent: parent, inhseqno: 1, inhdetachpending: false });
        c.record_dependency(
            ObjectAddress::relation(child),
            ObjectAddress::relation(parent),
            DependencyType::Auto,
        );
        c.modify::<ClassRow>(parent, |r| r.relhassubclass = true);
        Ok(())
    })?;
    let bound = bound::transform(host, parent, child, spec)?;
    check_default_rows(host, parent, child, &bound)?;
    store_bound(host, parent, child, &bound)
}

/// Indexes, foreign keys and row triggers that a new partition takes over.
pub(crate) fn inherit_objects(host: &dyn CommandHost, parent: Oid, child: Oid) -> PgResult<()> {
    index::take_over(host, parent, child)?;
    key::take_over(host, parent, child, false)?;
    crate::trigger::clone_to_partition(host, parent, child)
}

fn store_bound(host: &dyn CommandHost, parent: Oid, child: Oid, bound: &Bound) -> PgResult<()> {
    let text = bound::text(host, parent, bound)?;
    host.with_catalog(&mut |c| {
        c.modify::<ClassRow>(child, |r| {
            r.relispartition = true;
            r.relpartbound = Some(text.as_str().into());
        });
        if matches!(bound, Bound::Default) {
            c.modify::<PartitionedTableRow>(parent, |r| r.partdefid = child);
        } else {
            // The default's constraint changes with its siblings.
            let default = c.snapshot().partitioned_table(parent).map(|p| p.partdefid).unwrap_or_default();
            if default.is_valid() {
                c.modify::<ClassRow>(default, |_| {});
            }
        }
        Ok(())
    })
}

/// The condition as SQL text over a relation's columns.
fn condition_text(host: &dyn CommandHost, rel: &Arc<RelDesc>, all: Vec<Expr>) -> PgResult<String> {
    let s = host.snapshot();
    let env = host.env();
    storage_text(&s, env.as_fn_host(), &Expr::and(all), Scope::Relation(rel))
}

/// The leaves of a tree of partitions, or the table itself.
fn leaves(host: &dyn CommandHost, rel: Oid) -> Vec<Oid> {
    let s = host.snapshot();
    let mut out = Vec::new();
    let mut todo = vec![rel];
    while let Some(at) = todo.pop() {
        let mut below: Vec<Oid> = s.children_of(at).map(|i| i.inhrelid).collect();
        if s.class_by_oid(at).is_some_and(|c| c.relkind != b'p') {
            out.push(at);
        }
        below.sort();
        todo.extend(below.into_iter().rev());
    }
    out
}

/// Whether a row of a leaf below `rel` fails the condition over `rel`'s columns; the leaf.
fn violating_leaf(
    host: &dyn CommandHost,
    rel: &Arc<RelDesc>,
    all: &[Expr],
) -> PgResult<Option<Arc<RelDesc>>> {
    let s = host.snapshot();
    for leaf in leaves(host, rel.oid) {
        let leaf = desc(&s, leaf)?;
        let mut own = all.to_vec();
        own.iter_mut().for_each(|e| parts::map_columns(e, rel, &leaf));
        let text = condition_text(host, &leaf, own)?;
        let sql =
            format!("SELECT 1 FROM ONLY {} WHERE NOT ({text}) LIMIT 1", crate::alter::table_text(&s, &leaf));
        if !host.env().as_fn_host().run_query(&sql, &[])?.is_empty() {
            return Ok(Some(leaf));
        }
    }
    Ok(None)
}

/// Rows of the default partition must not belong to the new one.
fn check_default_rows(host: &dyn CommandHost, parent: Oid, child: Oid, bound: &Bound) -> PgResult<()> {
    let s = host.snapshot();
    let rel = desc(&s, parent)?;
    let default = rel.partition_key.as_ref().map(|k| k.default).unwrap_or_default();
    if !default.is_valid() || default == child || matches!(bound, Bound::Default) {
        return Ok(());
    }
    let own = {
        let env = host.env();
        let key = parts::partition_key(env.as_analyze_env(), &rel)?;
        parts::bound_constraint(env.as_analyze_env(), &rel, &key, bound, Oid::INVALID)?
    };
    let default_rel = desc(&s, default)?;
    // A row that satisfies the new bound stands wrong; unknown is no match.
    let negated = Expr::Bool { op: pglite_ir::expr::BoolOp::Not, args: vec![Expr::and(own)], location: -1 };
    let mut mapped = vec![negated];
    mapped.iter_mut().for_each(|e| parts::map_columns(e, &rel, &default_rel));
    if let Some(leaf) = violating_leaf(host, &default_rel, &mapped)? {
        let schema = s.namespace_name(leaf.namespace).unwrap_or("").to_string();
        return Err(err!(
            CHECK_VIOLATION,
            "updated partition constraint for default partition \"{}\" would be violated by some row",
            leaf.name
        )
        .table(schema, leaf.name.to_string()));
    }
    Ok(())
}

fn attachable(host: &dyn CommandHost, rel: &RelDesc, child: &RelDesc) -> PgResult<()> {
    let s = host.snapshot();
    ctx::must_own(host, child)?;
    if !matches!(child.kind, b'r' | b'p' | b'f') {
        return Err(err!(
            WRONG_OBJECT_TYPE,
            "ALTER action ATTACH PARTITION cannot be performed on relation \"{}\"",
            child.name
        )
        .detail(format!("This operation is not supported for {}.", crate::index::plural(child.kind))));
    }
    if child.is_partition {
        bail!(WRONG_OBJECT_TYPE, "\"{}\" is already a partition", child.name);
    }
    if child.of_type.is_valid() {
        bail!(WRONG_OBJECT_TYPE, "cannot attach a typed table as partition");
    }
    if !child.parents.is_empty() {
        bail!(WRONG_OBJECT_TYPE, "cannot attach inheritance child as partition");
    }
    if child.kind != b'p' && child.has_children {
        bail!(WRONG_OBJECT_TYPE, "cannot attach inheritance parent as partition");
    }
    let mut above = vec![rel.oid];
    while let Some(a) = above.pop() {
        if a == child.oid {
            return Err(err!(DUPLICATE_TABLE, "circular inheritance not allowed")
                .detail(format!("\"{}\" is already a child of \"{}\".", rel.name, child.name)));
        }
        above.extend(s.parents_of(a).map(|i| i.inhparent));
    }
    if !child.is_temp() && rel.is_temp() {
        bail!(
            WRONG_OBJECT_TYPE,
            "cannot attach a permanent relation as partition of temporary relation \"{}\"",
            rel.name
        );
    }
    if child.is_temp() && !rel.is_temp() {
        bail!(
            WRONG_OBJECT_TYPE,
            "cannot attach a temporary relation as partition of permanent relation \"{}\"",
            rel.name
        );
    }
    for c in child.live_columns() {
        if rel.column(&c.name).is_none() {
            return Err(err!(
                DATATYPE_MISMATCH,
                "table \"{}\" contains column \"{}\" not found in parent \"{}\"",
                child.name,
                c.name,
                rel.name
            )
            .detail("The new partition may contain only the columns present in parent."));
        }
        if c.identity != 0 {
            return Err(err!(
                WRONG_OBJECT_TYPE,
                "table \"{}\" being attached contains an identity column \"{}\"",
                child.name,
                c.name
            )
            .detail("The new partition may not contain an identity column."));
        }
    }
    if let Some(t) = s.triggers_of(child.oid).find(|t| t.tgoldtable.is_some() || t.tgnewtable.is_some()) {
        return Err(err!(
            OBJECT_NOT_IN_PREREQUISITE_STATE,
            "trigger \"{}\" prevents table \"{}\" from becoming a partition",
            t.tgname,
            child.name
        )
        .detail("ROW triggers with transition tables are not supported on partitions."));
    }
    Ok(())
}

/// ALTER TABLE ... ATTACH PARTITION; for an index, ALTER INDEX ... ATTACH PARTITION.
pub(crate) fn attach(host: &dyn CommandHost, parent: Oid, p: &PartitionCmd) -> PgResult<()> {
    let s = host.snapshot();
    let rel = desc_any(host, parent)?;
    if rel.kind == b'I' {
        return attach_index(host, parent, &p.name);
    }
    if rel.kind != b'p' {
        return Err(err!(
            WRONG_OBJECT_TYPE,
            "ALTER action ATTACH PARTITION cannot be performed on relation \"{}\"",
            rel.name
        )
        .detail(format!("This operation is not supported for {}.", crate::index::plural(rel.kind))));
    }
    let child = ctx::relation(host, &p.name)?;
    attachable(host, &rel, &child)?;
    let Some(spec) = &p.bound else { bail!(INTERNAL_ERROR, "ATTACH PARTITION without a bound") };
    host.env().lock_relation(child.oid, 8)?;
    adopt(host, parent, child.oid, true)?;
    let bound = bound::transform(host, parent, child.oid, spec)?;
    check_default_rows(host, parent, child.oid, &bound)?;
    store_bound(host, parent, child.oid, &bound)?;
    index::take_over(host, parent, child.oid)?;
    key::take_over(host, parent, child.oid, true)?;
    crate::trigger::clone_to_partition(host, parent, child.oid)?;
    for c in rel.live_columns().filter(|c| c.identity != 0) {
        if let Some(attnum) = child.column(&c.name).map(|c| c.attnum) {
            let identity = c.identity;
            host.with_catalog(&mut |t| {
                let k = pglite_catalog::Key::new().oid(child.oid).with(&attnum);
                t.modify::<pglite_catalog::rows::AttributeRow>(k, |a| a.attidentity = identity);
                Ok(())
            })?;
        }
    }
    let now = desc(&host.snapshot(), child.oid)?;
    let all = {
        let env = host.env();
        parts::partition_constraint(env.as_analyze_env(), &now)?
    };
    if !all.is_empty()
        && let Some(leaf) = violating_leaf(host, &now, &all)?
    {
        let schema = s.namespace_name(leaf.namespace).unwrap_or("").to_string();
        let text = format!("partition constraint of relation \"{}\" is violated by some row", leaf.name);
        return Err(
            PgError::new(pglite_error::codes::CHECK_VIOLATION, text).table(schema, leaf.name.to_string())
        );
    }
    Ok(())
}

/// Like [`desc`], for indexes too.
fn desc_any(host: &dyn CommandHost, rel: Oid) -> PgResult<Arc<RelDesc>> {
    desc(&host.snapshot(), rel)
}

pub(crate) fn detach(host: &dyn CommandHost, parent: Oid, p: &PartitionCmd) -> PgResult<()> {
    let s = host.snapshot();
    let rel = desc(&s, parent)?;
    if rel.kind != b'p' {
        return Err(err!(
            WRONG_OBJECT_TYPE,
            "ALTER action DETACH PARTITION cannot be performed on relation \"{}\"",
            rel.name
        )
        .detail(format!("This operation is not supported for {}.", crate::index::plural(rel.kind))));
    }
    let default = rel.partition_key.as_ref().map(|k| k.default).unwrap_or_default();
    if p.concurrent && !host.is_top_level() {
        bail!(
            ACTIVE_SQL_TRANSACTION,
            "ALTER TABLE ... DETACH CONCURRENTLY cannot run inside a transaction block"
        );
    }
    let child = ctx::relation(host, &p.name)?;
    if p.concurrent && default.is_valid() {
        bail!(
            OBJECT_NOT_IN_PREREQUISITE_STATE,
            "cannot detach partitions concurrently when a default partition exists"
        );
    }
    if !child.parents.contains(&parent) || !child.is_partition {
        bail!(UNDEFINED_TABLE, "relation \"{}\" is not a partition of relation \"{}\"", child.name, rel.name);
    }
    host.env().lock_relation(child.oid, 8)?;
    key::check_detach(host, &rel, &child)?;
    index::let_go(host, child.oid)?;
    key::let_go(host, child.oid)?;
    crate::trigger::drop_clones(host, parent, child.oid)?;
    abandon(host, parent, child.oid)?;
    host.with_catalog(&mut |c| {
        c.modify::<ClassRow>(child.oid, |r| {
            r.relispartition = false;
            r.relpartbound = None;
        });
        for col in child.live_columns().filter(|c| c.identity != 0) {
            let k = pglite_catalog::Key::new().oid(child.oid).with(&col.attnum);
            c.modify::<pglite_catalog::rows::AttributeRow>(k, |a| a.attidentity = 0);
        }
        c.modify::<PartitionedTableRow>(parent, |r| {
            if r.partdefid == child.oid {
                r.partdefid = Oid::INVALID;
            }
        });
        if default.is_valid() && default != child.oid {
            c.modify::<ClassRow>(default, |_| {});
        }
        Ok(())
    })
}

/// Removes a row of pg_depend from `a` on `on`.
fn forget(host: &dyn CommandHost, a: ObjectAddress, kinds: &[u8]) -> PgResult<()> {
    host.with_catalog(&mut |c| {
        let rows: Vec<pglite_catalog::Key> = c
            .snapshot()
            .references_of(&a)
            .filter(|d| kinds.contains(&d.deptype))
            .map(CatalogRow::key)
            .collect();
        for k in rows {
            c.delete::<pglite_catalog::rows::DependRow>(k);
        }
        Ok(())
    })
}
