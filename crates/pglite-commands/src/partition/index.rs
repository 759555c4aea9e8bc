//! Indexes of partitioned tables: one on every partition, attached to the parent's.

use std::sync::Arc;

use pglite_catalog::depend::{DependencyType, ObjectAddress};
use pglite_catalog::rows::{ClassRow, ConstraintRow, IndexRow, InheritsRow};
use pglite_catalog::{CatalogRow, IndexDesc, Key, List, RelDesc, well_known};
use pglite_error::{PgError, PgResult, bail, err};
use pglite_parser::ast::{IndexElem, RangeVar, SortByDir, SortByNulls};
use pglite_types::Oid;

use crate::alter::desc;
use crate::ctx;
use crate::host::CommandHost;
use crate::index::{self, NewIndex};
use crate::table;

/// The parsed text of a stored expression.
fn parsed(text: &str) -> PgResult<pglite_parser::ast::Expr> {
    let sql = format!("SELECT {text}");
    let list = pglite_parser::parse(&sql, &pglite_parser::ParseOptions::default())?;
    if let Some(raw) = list.stmts.into_iter().next()
        && let pglite_parser::ast::Statement::SelectStmt(s) = raw.stmt
        && let Some(e) = s.target_list.into_iter().next().and_then(|t| t.val)
    {
        return Ok(e);
    }
    Err(PgError::internal("stored text is not an expression"))
}

/// An index's columns as CREATE INDEX would name them.
pub(crate) fn elements(
    host: &dyn CommandHost,
    rel: &RelDesc,
    index: &IndexDesc,
) -> PgResult<(Vec<IndexElem>, Vec<IndexElem>)> {
    let s = host.snapshot();
    let (mut keys, mut including) = (Vec::new(), Vec::new());
    for (n, k) in index.keys.iter().enumerate() {
        let mut e = IndexElem::default();
        match (rel.attr(k.attnum).filter(|_| k.attnum != 0), &k.expr) {
            (Some(c), _) => e.name = Some(c.name.to_string()),
            (None, Some(text)) => e.expr = Some(parsed(text)?),
            _ => bail!(INTERNAL_ERROR, "index column without a source"),
        }
        if n >= index.nkeys {
            including.push(e);
            continue;
        }
        if let Some(c) = s.collation_by_oid(k.collation) {
            let schema = s.namespace_name(c.collnamespace).unwrap_or("pg_catalog").to_string();
            e.collation = vec![schema, c.collname.to_string()];
        }
        if let Some(c) = s.opclass_by_oid(k.opclass) {
            let schema = s.namespace_name(c.opcnamespace).unwrap_or("pg_catalog").to_string();
            e.opclass = vec![schema, c.opcname.to_string()];
        }
        if index.am == well_known::AM_BTREE {
            e.ordering = if k.desc { SortByDir::Desc } else { SortByDir::Asc };
            e.nulls_ordering = if k.nulls_first { SortByNulls::First } else { SortByNulls::Last };
        }
        keys.push(e);
    }
    Ok((keys, including))
}

/// Creates on `child` what `index` is on its parent; with the constraint behind it. Returns the new index.
pub(crate) fn create_like(
    host: &dyn CommandHost,
    child: &Arc<RelDesc>,
    parent: &RelDesc,
    index: &IndexDesc,
    keep_name: Option<String>,
) -> PgResult<Oid> {
    let s = host.snapshot();
    let (keys, including) = elements(host, parent, index)?;
    let constraint = s.index_constraint(index.oid).and_then(|c| s.constraint_by_oid(c)).cloned();
    let attr =
        |n: usize| s.attribute(index.oid, n as i16 + 1).map(|a| a.attname.to_string()).unwrap_or_default();
    let parts: Vec<String> =
        keys.iter().enumerate().map(|(n, e)| e.name.clone().unwrap_or_else(|| attr(n))).collect();
    let joined = parts.join("_");
    let (middle, label) = match &constraint {
        Some(k) if k.contype == b'p' => (None, "pkey"),
        Some(k) if k.contype == b'x' => (Some(joined.as_str()), "excl"),
        Some(_) => (Some(joined.as_str()), "key"),
        None => (Some(joined.as_str()), "idx"),
    };
    let namespace = child.namespace;
    let name = keep_name.unwrap_or_else(|| {
        ctx::choose_name(&child.name, middle, label, &|n| {
            s.class_by_name(namespace, n).is_some()
                || constraint.is_some() && s.constraints_by_name(n).any(|k| k.connamespace == namespace)
        })
    });
    if constraint.as_ref().is_some_and(|k| k.contype == b'p') {
        for e in &keys {
            if let Some(c) = e.name.as_ref().and_then(|n| child.column(n)).filter(|c| !c.not_null) {
                crate::alter::require_not_null(host, child.oid, &c.name)?;
            }
        }
    }
    let own = match &constraint {
        Some(_) => Some(ctx::new_oid(host)?),
        None => None,
    };
    let new = index::create(
        host,
        NewIndex {
            table: child.oid,
            name: name.clone(),
            access_method: s.am_by_oid(index.am).map(|a| a.amname.to_string()).unwrap_or_default(),
            keys: keys.clone(),
            including,
            predicate: index.predicate.as_ref().map(|p| parsed(p)).transpose()?,
            unique: index.unique,
            primary: index.primary,
            nulls_not_distinct: index.nulls_not_distinct,
            immediate: index.immediate,
            constraint: own,
            options: index.options.as_ref().map(|o| o.to_vec()),
            only: false,
            exclusion: index.exclusion,
        },
    )?;
    if let (Some(k), Some(own)) = (&constraint, own) {
        let attnums: Vec<i16> = keys
            .iter()
            .map(|e| e.name.as_ref().and_then(|n| child.column(n)).map_or(0, |c| c.attnum))
            .collect();
        let mut row = table::blank(own, &name, namespace, k.contype, child.oid);
        row.conindid = new;
        row.condeferrable = k.condeferrable;
        row.condeferred = k.condeferred;
        row.connoinherit = true;
        row.conperiod = k.conperiod;
        row.conexclop = k.conexclop.clone();
        let auto =
            attnums.iter().filter(|a| **a != 0).map(|a| ObjectAddress::column(child.oid, *a)).collect();
        row.conkey = Some(List::from(attnums));
        table::insert_constraint(host, row, auto, Vec::new())?;
        host.with_catalog(&mut |t| {
            t.record_dependency(
                ObjectAddress::relation(new),
                ObjectAddress::constraint(own),
                DependencyType::Internal,
            );
            Ok(())
        })?;
        if child.kind == b'p' {
            carry_down(host, child.oid, new)?;
        }
    }
    Ok(new)
}

fn text_of(host: &dyn CommandHost, rel: &Arc<RelDesc>, text: &str, to: &Arc<RelDesc>) -> PgResult<String> {
    let s = host.snapshot();
    let env = host.env();
    let mut e = pglite_analyze::analyze_stored_expr(
        env.as_analyze_env(),
        text,
        &pglite_analyze::Scope::Relation(rel),
        pglite_analyze::ExprKind::Other,
        None,
    )?;
    pglite_analyze::partition::map_columns(&mut e, rel, to);
    pglite_functions::deparse::storage_text(
        &s,
        env.as_fn_host(),
        &e,
        pglite_functions::deparse::Scope::Relation(to),
    )
}

/// Whether an index of `child` is what `index` of `parent` is (`CompareIndexInfo`).
fn same(
    host: &dyn CommandHost,
    parent: &Arc<RelDesc>,
    index: &IndexDesc,
    child: &Arc<RelDesc>,
    other: &IndexDesc,
) -> PgResult<bool> {
    if index.am != other.am
        || index.unique != other.unique
        || index.nulls_not_distinct != other.nulls_not_distinct
        || index.exclusion != other.exclusion
        || index.nkeys != other.nkeys
        || index.keys.len() != other.keys.len()
    {
        return Ok(false);
    }
    for (n, (p, c)) in index.keys.iter().zip(&other.keys).enumerate() {
        let agree = match (parent.attr(p.attnum).filter(|_| p.attnum != 0), &p.expr, &c.expr) {
            (Some(a), _, None) => child.column(&a.name).is_some_and(|k| k.attnum == c.attnum),
            (None, Some(p), Some(c)) => text_of(host, parent, p, child)? == text_of(host, child, c, child)?,
            _ => false,
        };
        // PG: the order of a column does not matter here.
        let keys = n >= index.nkeys || p.opfamily == c.opfamily && p.collation == c.collation;
        if !agree || !keys {
            return Ok(false);
        }
    }
    match (&index.predicate, &other.predicate) {
        (None, None) => Ok(true),
        (Some(p), Some(c)) => Ok(text_of(host, parent, p, child)? == text_of(host, child, c, child)?),
        _ => Ok(false),
    }
}

fn parent_of(host: &dyn CommandHost, index: Oid) -> Option<Oid> {
    host.snapshot().parents_of(index).next().map(|i| i.inhparent)
}

/// Attaches an index to its parent's.
pub(crate) fn link(host: &dyn CommandHost, child: Oid, index: Oid, parent: Oid) -> PgResult<()> {
    let s = host.snapshot();
    let (own, above) = (s.index_constraint(index), s.index_constraint(parent));
    let table = ObjectAddress::relation(child);
    host.with_catalog(&mut |c| {
        c.insert(InheritsRow { inhrelid: index, inhparent: parent, inhseqno: 1, inhdetachpending: false });
        c.modify::<ClassRow>(index, |r| r.relispartition = true);
        c.modify::<ClassRow>(parent, |r| r.relhassubclass = true);
        let me = ObjectAddress::relation(index);
        c.record_dependency(me, ObjectAddress::relation(parent), DependencyType::PartitionPrimary);
        c.record_dependency(me, table, DependencyType::PartitionSecondary);
        if let (Some(own), Some(above)) = (own, above) {
            set_parent_constraint(c, own, above, child);
        }
        Ok(())
    })
}

/// `ConstraintSetParentConstraint`.
pub(super) fn set_parent_constraint(c: &mut pglite_catalog::CatalogTxn, own: Oid, above: Oid, table: Oid) {
    c.modify::<ConstraintRow>(own, |r| {
        r.conislocal = false;
        r.coninhcount += 1;
        r.connoinherit = false;
        r.conparentid = above;
    });
    let me = ObjectAddress::constraint(own);
    c.record_dependency(me, ObjectAddress::constraint(above), DependencyType::PartitionPrimary);
    c.record_dependency(me, ObjectAddress::relation(table), DependencyType::PartitionSecondary);
}

/// A partitioned index is valid once each partition has its valid part.
fn revalidate(host: &dyn CommandHost, table: Oid, index: Oid) -> PgResult<()> {
    let s = host.snapshot();
    if s.index(index).is_none_or(|i| i.indisvalid) {
        return Ok(());
    }
    let parts: Vec<Oid> = s.children_of(index).map(|i| i.inhrelid).collect();
    let valid = parts.iter().filter(|p| s.index(**p).is_some_and(|i| i.indisvalid)).count();
    if valid < s.children_of(table).count() {
        return Ok(());
    }
    host.with_catalog(&mut |c| {
        c.modify::<IndexRow>(index, |r| r.indisvalid = true);
        c.modify::<ClassRow>(table, |_| {});
        Ok(())
    })?;
    let s = host.snapshot();
    if let (Some(up), Some(table)) = (parent_of(host, index), s.parents_of(table).next().map(|i| i.inhparent))
    {
        revalidate(host, table, up)?;
    }
    Ok(())
}

fn index_of(rel: &RelDesc, index: Oid) -> PgResult<&Arc<IndexDesc>> {
    rel.indexes.iter().find(|i| i.oid == index).ok_or_else(|| PgError::internal("index vanished"))
}

/// Gives one partition its part of a partitioned index: a fitting index that is there, or a new one.
fn provide(host: &dyn CommandHost, parent: Oid, index: Oid, child: Oid) -> PgResult<()> {
    let s = host.snapshot();
    let (parent_rel, child_rel) = (desc(&s, parent)?, desc(&s, child)?);
    let pindex = index_of(&parent_rel, index)?.clone();
    if child_rel.kind == b'f' {
        if pindex.unique {
            let word = if pindex.primary { "primary key" } else { "unique" };
            return Err(err!(
                WRONG_OBJECT_TYPE,
                "cannot create {word} index on partitioned table \"{}\"",
                parent_rel.name
            )
            .detail(format!("Table \"{}\" contains partitions that are foreign tables.", parent_rel.name)));
        }
        return Ok(());
    }
    let needs_constraint = s.index_constraint(index).is_some();
    for other in &child_rel.indexes {
        let taken = parent_of(host, other.oid).is_some();
        let has = s.index_constraint(other.oid).is_some();
        if taken || needs_constraint && (!has || other.primary != pindex.primary) {
            continue;
        }
        if same(host, &parent_rel, &pindex, &child_rel, other)? {
            link(host, child, other.oid, index)?;
            if !other.valid {
                host.with_catalog(&mut |c| {
                    c.modify::<IndexRow>(index, |r| r.indisvalid = false);
                    Ok(())
                })?;
            }
            return Ok(());
        }
    }
    let new = create_like(host, &child_rel, &parent_rel, &pindex, None)?;
    link(host, child, new, index)
}

/// Gives every partition its part of a new index on a partitioned table.
pub(crate) fn carry_down(host: &dyn CommandHost, parent: Oid, index: Oid) -> PgResult<()> {
    let mut children: Vec<Oid> = host.snapshot().children_of(parent).map(|i| i.inhrelid).collect();
    children.sort();
    for child in children {
        provide(host, parent, index, child)?;
        let s = host.snapshot();
        let part = s
            .children_of(index)
            .map(|i| i.inhrelid)
            .find(|i| s.index(*i).is_some_and(|r| r.indrelid == child));
        // A part that was new carried itself down when it was created; one that was there did then.
        if let Some(part) = part
            && s.class_by_oid(child).is_some_and(|c| c.relkind == b'p')
            && s.children_of(part).next().is_none()
            && s.children_of(child).next().is_some()
            && s.index(part).is_some_and(|i| i.indisvalid)
        {
            carry_down(host, child, part)?;
        }
    }
    Ok(())
}

/// A new partition gets the parent's indexes.
pub(super) fn take_over(host: &dyn CommandHost, parent: Oid, child: Oid) -> PgResult<()> {
    let rel = desc(&host.snapshot(), parent)?;
    for i in &rel.indexes {
        provide(host, parent, i.oid, child)?;
    }
    Ok(())
}

/// A detached partition keeps its indexes as its own.
pub(super) fn let_go(host: &dyn CommandHost, child: Oid) -> PgResult<()> {
    let rel = desc(&host.snapshot(), child)?;
    for i in &rel.indexes {
        let Some(parent) = parent_of(host, i.oid) else { continue };
        let constraint = host.snapshot().index_constraint(i.oid);
        super::forget(host, ObjectAddress::relation(i.oid), b"PS")?;
        if let Some(k) = constraint {
            super::forget(host, ObjectAddress::constraint(k), b"PS")?;
        }
        host.with_catalog(&mut |c| {
            let rows: Vec<Key> = c
                .snapshot()
                .parents_of(i.oid)
                .filter(|r| r.inhparent == parent)
                .map(CatalogRow::key)
                .collect();
            rows.into_iter().for_each(|k| {
                c.delete::<InheritsRow>(k);
            });
            c.modify::<ClassRow>(i.oid, |r| r.relispartition = false);
            if let Some(k) = constraint {
                c.modify::<ConstraintRow>(k, |r| {
                    r.conparentid = Oid::INVALID;
                    r.coninhcount = (r.coninhcount - 1).max(0);
                    r.conislocal = true;
                });
            }
            Ok(())
        })?;
    }
    Ok(())
}

/// ALTER INDEX ... ATTACH PARTITION.
pub(crate) fn attach_index(host: &dyn CommandHost, parent: Oid, name: &RangeVar) -> PgResult<()> {
    let s = host.snapshot();
    let pname = s.class_by_oid(parent).map(|c| c.relname.to_string()).unwrap_or_default();
    let found = {
        let env = host.env();
        env.search_path().relation(&s, name.schemaname.as_deref(), &name.relname)?.clone()
    };
    if !matches!(found.relkind, b'i' | b'I') {
        bail!(WRONG_OBJECT_TYPE, "\"{}\" is not an index", found.relname);
    }
    let (Some(pi), Some(ci)) = (s.index(parent), s.index(found.oid)) else {
        bail!(INTERNAL_ERROR, "index vanished")
    };
    let (prel, crel) = (desc(&s, pi.indrelid)?, desc(&s, ci.indrelid)?);
    let current = parent_of(host, found.oid);
    if current == Some(parent) {
        return Ok(());
    }
    let refuse = |detail: String| -> PgError {
        err!(
            INVALID_OBJECT_DEFINITION,
            "cannot attach index \"{}\" as a partition of index \"{pname}\"",
            found.relname
        )
        .detail(detail)
    };
    let state = |mut e: PgError| {
        let detail = e.fields_mut().detail.take();
        let e = PgError::new(pglite_error::codes::OBJECT_NOT_IN_PREREQUISITE_STATE, e.message().to_string());
        match detail {
            Some(d) => e.detail(d),
            None => e,
        }
    };
    let dupe = s
        .children_of(parent)
        .map(|i| i.inhrelid)
        .find(|i| s.index(*i).is_some_and(|r| r.indrelid == crel.oid));
    if let Some(other) = dupe {
        let other = s.class_by_oid(other).map(|c| c.relname.to_string()).unwrap_or_default();
        return Err(state(refuse(format!(
            "Another index \"{other}\" is already attached for partition \"{}\".",
            crel.name
        ))));
    }
    if current.is_some() {
        return Err(state(refuse(format!(
            "Index \"{}\" is already attached to another index.",
            found.relname
        ))));
    }
    if !crel.is_partition || !crel.parents.contains(&prel.oid) {
        return Err(state(refuse(format!(
            "Index \"{}\" is not an index on any partition of table \"{}\".",
            found.relname, prel.name
        ))));
    }
    if !same(host, &prel, index_of(&prel, parent)?, &crel, index_of(&crel, found.oid)?)? {
        return Err(refuse("The index definitions do not match.".into()));
    }
    if s.index_constraint(parent).is_some() && s.index_constraint(found.oid).is_none() {
        return Err(refuse(format!(
            "The index \"{pname}\" belongs to a constraint in table \"{}\" but no constraint exists for index \"{}\".",
            prel.name, found.relname
        )));
    }
    link(host, crel.oid, found.oid, parent)?;
    revalidate(host, prel.oid, parent)
}
