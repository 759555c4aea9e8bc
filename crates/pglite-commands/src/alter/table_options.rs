//! The plain subcommands: options, statistics, storage, triggers, row security, inheritance, replica identity.

use pglite_catalog::depend::{DependencyType, ObjectAddress};
use pglite_catalog::rows::{
    AttributeRow, ClassRow, ConstraintRow, IndexRow, InheritsRow, RewriteRow, TriggerRow,
};
use pglite_catalog::{CatalogRow, Key, Str};
use pglite_error::{PgError, PgResult, bail, err};
use pglite_parser::ast::{AlterTableCmd, AlterTableDef, AlterTableType, DefElem, RangeVar};
use pglite_types::Oid;

use super::{column as col, desc};
use crate::ctx;
use crate::host::CommandHost;
use crate::table;

/// Options after SET (...) or RESET (...).
fn merged(old: Option<&[Str]>, list: &[DefElem], reset: bool) -> PgResult<Option<Vec<Str>>> {
    let mut out: Vec<Str> = old.map(<[Str]>::to_vec).unwrap_or_default();
    let same = |o: &Str, name: &str| o.split_once('=').is_some_and(|(n, _)| n == name);
    for d in list {
        let name = match &d.defnamespace {
            Some(ns) => format!("{ns}.{}", d.defname),
            None => d.defname.clone(),
        };
        out.retain(|o| !same(o, &name));
    }
    if !reset {
        out.extend(table::rel_options(list)?.unwrap_or_default());
    }
    Ok((!out.is_empty()).then_some(out))
}

pub(super) fn column(host: &dyn CommandHost, rel_oid: Oid, c: &AlterTableCmd) -> PgResult<()> {
    use AlterTableType::*;
    let s = host.snapshot();
    let rel = desc(&s, rel_oid)?;
    let attnum = match &c.name {
        Some(name) => col::find(&rel, name)?,
        None => c.num,
    };
    let Some(attr) = s.attribute(rel_oid, attnum).cloned() else {
        bail!(UNDEFINED_COLUMN, "column number {attnum} of relation \"{}\" does not exist", rel.name);
    };
    let mut new = attr.clone();
    match (&c.subtype, &c.def) {
        (SetStatistics, AlterTableDef::Integer(n)) => {
            if *n < -1 {
                bail!(INVALID_PARAMETER_VALUE, "statistics target {n} is too low");
            }
            new.attstattarget = (*n != -1).then_some((*n).min(10000) as i16);
        }
        (SetStatistics, _) => new.attstattarget = None,
        (SetStorage, AlterTableDef::String(name)) => {
            let own = s.type_by_oid(attr.atttypid).map_or(b'p', |t| t.typstorage);
            let letter = match name.to_ascii_lowercase().as_str() {
                "plain" => b'p',
                "external" => b'e',
                "extended" => b'x',
                "main" => b'm',
                "default" => own,
                _ => bail!(INVALID_PARAMETER_VALUE, "invalid storage type \"{name}\""),
            };
            if letter != b'p' && own == b'p' {
                let shown = pglite_catalog::format_type::format_type_be(
                    &s,
                    &pglite_catalog::SearchPath::catalog_only(),
                    attr.atttypid,
                );
                return Err(PgError::unsupported(format!(
                    "column data type {shown} can only have storage PLAIN"
                )));
            }
            new.attstorage = letter;
        }
        (SetCompression, AlterTableDef::String(name)) => {
            new.attcompression = match name.as_str() {
                "pglz" => b'p',
                "lz4" => b'l',
                "default" => 0,
                _ => bail!(INVALID_PARAMETER_VALUE, "invalid compression method \"{name}\""),
            };
        }
        (SetOptions | ResetOptions, AlterTableDef::Options(list)) => {
            let mut out: Vec<Str> = attr.attoptions.as_ref().map(|l| l.to_vec()).unwrap_or_default();
            for d in list {
                if !matches!(d.defname.as_str(), "n_distinct" | "n_distinct_inherited") {
                    bail!(INVALID_PARAMETER_VALUE, "unrecognized parameter \"{}\"", d.defname);
                }
                out.retain(|o| o.split_once('=').is_none_or(|(n, _)| n != d.defname));
                if c.subtype == SetOptions {
                    out.push(
                        format!("{}={}", d.defname, crate::define::text_of(d).unwrap_or_default()).into(),
                    );
                }
            }
            new.attoptions = (!out.is_empty()).then(|| out.into());
        }
        _ => {}
    }
    host.with_catalog(&mut |t| {
        t.update::<AttributeRow>(new.clone());
        Ok(())
    })
}

fn trigger_state(
    host: &dyn CommandHost,
    rel: Oid,
    name: Option<&str>,
    letter: u8,
    user_only: bool,
) -> PgResult<()> {
    let s = host.snapshot();
    let found: Vec<Oid> = s
        .triggers_of(rel)
        .filter(|t| name.is_none_or(|n| *t.tgname == *n) && !(user_only && t.tgisinternal))
        .map(|t| t.oid)
        .collect();
    if let (Some(name), true) = (name, found.is_empty()) {
        let table = s.class_by_oid(rel).map(|c| c.relname.to_string()).unwrap_or_default();
        bail!(UNDEFINED_OBJECT, "trigger \"{name}\" for table \"{table}\" does not exist");
    }
    host.with_catalog(&mut |c| {
        for t in &found {
            c.modify::<TriggerRow>(*t, |r| r.tgenabled = letter);
        }
        Ok(())
    })
}

fn rule_state(host: &dyn CommandHost, rel: Oid, name: &str, letter: u8) -> PgResult<()> {
    let s = host.snapshot();
    let Some(rule) = s.rule_by_name(rel, name).map(|r| r.oid) else {
        let table = s.class_by_oid(rel).map(|c| c.relname.to_string()).unwrap_or_default();
        bail!(UNDEFINED_OBJECT, "rule \"{name}\" for relation \"{table}\" does not exist");
    };
    host.with_catalog(&mut |c| {
        c.modify::<RewriteRow>(rule, |r| r.ev_enabled = letter);
        Ok(())
    })
}

/// Subcommands on the table as a whole.
pub(super) fn table(host: &dyn CommandHost, rel_oid: Oid, c: &AlterTableCmd) -> PgResult<()> {
    use AlterTableType::*;
    let s = host.snapshot();
    let rel = desc(&s, rel_oid)?;
    let name = c.name.as_deref();
    let class = |f: &dyn Fn(&mut ClassRow)| {
        host.with_catalog(&mut |t| {
            t.modify::<ClassRow>(rel_oid, |r| f(r));
            Ok(())
        })
    };
    match (&c.subtype, &c.def) {
        (SetRelOptions | ResetRelOptions, AlterTableDef::Options(list)) => {
            let options = merged(rel.options.as_deref(), list, c.subtype == ResetRelOptions)?;
            class(&|r| r.reloptions = options.clone().map(Into::into))
        }
        (EnableTrig, _) => trigger_state(host, rel_oid, name, b'O', false),
        (EnableAlwaysTrig, _) => trigger_state(host, rel_oid, name, b'A', false),
        (EnableReplicaTrig, _) => trigger_state(host, rel_oid, name, b'R', false),
        (DisableTrig, _) => trigger_state(host, rel_oid, name, b'D', false),
        (EnableTrigAll, _) => trigger_state(host, rel_oid, None, b'O', false),
        (DisableTrigAll, _) => trigger_state(host, rel_oid, None, b'D', false),
        (EnableTrigUser, _) => trigger_state(host, rel_oid, None, b'O', true),
        (DisableTrigUser, _) => trigger_state(host, rel_oid, None, b'D', true),
        (EnableRule, _) => rule_state(host, rel_oid, name.unwrap_or(""), b'O'),
        (EnableAlwaysRule, _) => rule_state(host, rel_oid, name.unwrap_or(""), b'A'),
        (EnableReplicaRule, _) => rule_state(host, rel_oid, name.unwrap_or(""), b'R'),
        (DisableRule, _) => rule_state(host, rel_oid, name.unwrap_or(""), b'D'),
        (EnableRowSecurity, _) => class(&|r| r.relrowsecurity = true),
        (DisableRowSecurity, _) => class(&|r| r.relrowsecurity = false),
        (ForceRowSecurity, _) => class(&|r| r.relforcerowsecurity = true),
        (NoForceRowSecurity, _) => class(&|r| r.relforcerowsecurity = false),
        (SetLogged | SetUnLogged, _) => {
            if rel.persistence == b't' {
                bail!(
                    INVALID_TABLE_DEFINITION,
                    "cannot change logged status of table \"{}\" because it is temporary",
                    rel.name
                );
            }
            let letter = if c.subtype == SetLogged { b'p' } else { b'u' };
            class(&|r| r.relpersistence = letter)
        }
        (ClusterOn, _) => clustered(host, rel_oid, name),
        (DropCluster, _) => clustered(host, rel_oid, None),
        (ReplicaIdentity, AlterTableDef::ReplicaIdentity(i)) => {
            let index = match &i.name {
                None => None,
                Some(n) => match rel.indexes.iter().find(|x| x.name == *n.as_str()) {
                    Some(x) => Some(x.oid),
                    None => {
                        bail!(UNDEFINED_OBJECT, "index \"{n}\" for table \"{}\" does not exist", rel.name)
                    }
                },
            };
            let letter = i.identity_type as u8;
            class(&|r| r.relreplident = letter)?;
            host.with_catalog(&mut |t| {
                for x in &rel.indexes {
                    t.modify::<IndexRow>(x.oid, |r| r.indisreplident = Some(x.oid) == index);
                }
                Ok(())
            })
        }
        (AddOf, AlterTableDef::TypeName(t)) => {
            let env = host.env();
            let (ty, _) = pglite_analyze::resolve_type_name(env.as_analyze_env(), t)?;
            std::mem::drop(env);
            host.with_catalog(&mut |c| {
                c.modify::<ClassRow>(rel_oid, |r| r.reloftype = ty);
                c.record_dependency(
                    ObjectAddress::relation(rel_oid),
                    ObjectAddress::type_(ty),
                    DependencyType::Normal,
                );
                Ok(())
            })
        }
        (DropOf, _) => class(&|r| r.reloftype = Oid::INVALID),
        // One storage manager serves all: what is accepted has nothing to do.
        (DropOids | SetAccessMethod | SetTableSpace, _) => Ok(()),
        _ => Err(PgError::unsupported("this form of ALTER TABLE is not supported yet")),
    }
}

fn clustered(host: &dyn CommandHost, rel: Oid, index: Option<&str>) -> PgResult<()> {
    let s = host.snapshot();
    let rel = desc(&s, rel)?;
    if let Some(n) = index
        && !rel.indexes.iter().any(|x| x.name == *n)
    {
        bail!(UNDEFINED_OBJECT, "index \"{n}\" for table \"{}\" does not exist", rel.name);
    }
    host.with_catalog(&mut |c| {
        for x in &rel.indexes {
            c.modify::<IndexRow>(x.oid, |r| r.indisclustered = Some(&*x.name) == index);
        }
        Ok(())
    })
}

/// INHERIT: the child must have the parent's columns and checks.
pub(super) fn inherit(host: &dyn CommandHost, child: Oid, name: &RangeVar) -> PgResult<()> {
    let parent = ctx::relation(host, name)?;
    let s = host.snapshot();
    let rel = desc(&s, child)?;
    ctx::must_own(host, &parent)?;
    if parent.kind == b'p' {
        bail!(WRONG_OBJECT_TYPE, "cannot inherit from partitioned table \"{}\"", parent.name);
    }
    if parent.is_partition {
        bail!(WRONG_OBJECT_TYPE, "cannot inherit from a partition");
    }
    if rel.is_partition {
        bail!(WRONG_OBJECT_TYPE, "cannot change inheritance of a partition");
    }
    if rel.parents.contains(&parent.oid) {
        bail!(DUPLICATE_TABLE, "relation \"{}\" would be inherited from more than once", parent.name);
    }
    let mut above = vec![parent.oid];
    while let Some(a) = above.pop() {
        if a == child {
            return Err(err!(DUPLICATE_TABLE, "circular inheritance not allowed")
                .detail(format!("\"{}\" is already a child of \"{}\".", parent.name, rel.name)));
        }
        above.extend(s.parents_of(a).map(|i| i.inhparent));
    }
    adopt(host, parent.oid, child, false)
}

/// Makes a table the child of another: columns, constraints, pg_inherits, the dependency.
pub(crate) fn adopt(host: &dyn CommandHost, parent_oid: Oid, child: Oid, partition: bool) -> PgResult<()> {
    let s = host.snapshot();
    let (parent, rel) = (desc(&s, parent_oid)?, desc(&s, child)?);
    for p in parent.live_columns() {
        let Some(c) = rel.column(&p.name) else {
            bail!(DATATYPE_MISMATCH, "child table is missing column \"{}\"", p.name);
        };
        if c.type_oid != p.type_oid || c.typmod != p.typmod {
            bail!(
                DATATYPE_MISMATCH,
                "child table \"{}\" has different type for column \"{}\"",
                rel.name,
                p.name
            );
        }
        if c.collation != p.collation {
            bail!(
                COLLATION_MISMATCH,
                "child table \"{}\" has different collation for column \"{}\"",
                rel.name,
                p.name
            );
        }
        if p.not_null && !c.not_null {
            bail!(
                DATATYPE_MISMATCH,
                "column \"{}\" in child table \"{}\" must be marked NOT NULL",
                p.name,
                rel.name
            );
        }
        let attnum = c.attnum;
        host.with_catalog(&mut |t| {
            t.modify::<AttributeRow>(Key::new().oid(child).with(&attnum), |a| {
                a.attinhcount += 1;
                a.attislocal &= !partition;
            });
            Ok(())
        })?;
    }
    for p in parent.constraints.iter().filter(|k| matches!(k.contype, b'c' | b'n') && !k.connoinherit) {
        let matching = |k: &&ConstraintRow| {
            k.contype == p.contype
                && match p.contype {
                    b'c' => k.conname == p.conname,
                    _ => {
                        let name = |r: &pglite_catalog::RelDesc, k: &ConstraintRow| {
                            k.conkey
                                .as_ref()
                                .and_then(|l| l.first().copied())
                                .and_then(|a| r.attr(a).map(|c| c.name.to_string()))
                        };
                        name(&rel, k) == name(&parent, p)
                    }
                }
        };
        match rel.constraints.iter().find(matching) {
            Some(k) => {
                let oid = k.oid;
                host.with_catalog(&mut |t| {
                    t.modify::<ConstraintRow>(oid, |r| {
                        r.coninhcount += 1;
                        r.conislocal &= !partition;
                    });
                    Ok(())
                })?;
            }
            None if p.contype == b'c' => {
                bail!(DATATYPE_MISMATCH, "child table is missing constraint \"{}\"", p.conname)
            }
            None => {}
        }
    }
    let seq = s.parents_of(child).map(|i| i.inhseqno).max().unwrap_or(0) + 1;
    host.with_catalog(&mut |t| {
        t.insert(InheritsRow {
            inhrelid: child,
            inhparent: parent_oid,
            inhseqno: seq,
            inhdetachpending: false,
        });
        let kind = if partition { DependencyType::Auto } else { DependencyType::Normal };
        t.record_dependency(ObjectAddress::relation(child), ObjectAddress::relation(parent_oid), kind);
        t.modify::<ClassRow>(parent_oid, |r| r.relhassubclass = true);
        Ok(())
    })
}

pub(super) fn no_inherit(host: &dyn CommandHost, child: Oid, name: &RangeVar) -> PgResult<()> {
    let parent = ctx::relation(host, name)?;
    let s = host.snapshot();
    let rel = desc(&s, child)?;
    if rel.is_partition {
        bail!(WRONG_OBJECT_TYPE, "cannot change inheritance of a partition");
    }
    if !rel.parents.contains(&parent.oid) {
        bail!(UNDEFINED_TABLE, "relation \"{}\" is not a parent of relation \"{}\"", parent.name, rel.name);
    }
    abandon(host, parent.oid, child)
}

/// Undoes [`adopt`].
pub(crate) fn abandon(host: &dyn CommandHost, parent_oid: Oid, child: Oid) -> PgResult<()> {
    let s = host.snapshot();
    let (parent, rel) = (desc(&s, parent_oid)?, desc(&s, child)?);
    host.with_catalog(&mut |t| {
        for c in rel.live_columns().filter(|c| parent.column(&c.name).is_some()) {
            t.modify::<AttributeRow>(Key::new().oid(child).with(&c.attnum), |a| {
                a.attinhcount = (a.attinhcount - 1).max(0);
                a.attislocal |= a.attinhcount == 0;
            });
        }
        for k in rel.constraints.iter().filter(|k| k.coninhcount > 0) {
            t.modify::<ConstraintRow>(k.oid, |r| {
                r.coninhcount -= 1;
                r.conislocal |= r.coninhcount == 0;
            });
        }
        let rows: Vec<Key> = t
            .snapshot()
            .parents_of(child)
            .filter(|i| i.inhparent == parent_oid)
            .map(CatalogRow::key)
            .collect();
        for k in rows {
            t.delete::<InheritsRow>(k);
        }
        let deps: Vec<Key> = t
            .snapshot()
            .references_of(&ObjectAddress::relation(child))
            .filter(|d| d.objsubid == 0 && d.refclassid == ClassRow::CATALOG && d.refobjid == parent_oid)
            .map(CatalogRow::key)
            .collect();
        for k in deps {
            t.delete::<pglite_catalog::rows::DependRow>(k);
        }
        Ok(())
    })
}
