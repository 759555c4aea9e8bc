//! Foreign keys of partitioned tables: every partition has its own copy.

use pglite_catalog::depend::ObjectAddress;
use pglite_catalog::names::quote_ident;
use pglite_catalog::rows::{ClassRow, ConstraintRow};
use pglite_catalog::{List, RelDesc};
use pglite_error::{PgResult, err};
use pglite_types::Oid;

use crate::alter::{desc, table_text};
use crate::ctx;
use crate::host::CommandHost;
use crate::table;

fn mapped(from: &RelDesc, to: &RelDesc, list: &Option<List<i16>>) -> Option<List<i16>> {
    list.as_ref().map(|l| {
        let each = l.iter().map(|a| from.attr(*a).and_then(|c| to.column(&c.name)).map_or(*a, |c| c.attnum));
        List::from(each.collect::<Vec<_>>())
    })
}

/// Gives a partition its copy of one foreign key, and the partitions below it theirs.
fn copy(
    host: &dyn CommandHost,
    parent: &RelDesc,
    child: Oid,
    k: &ConstraintRow,
    check: bool,
) -> PgResult<()> {
    let s = host.snapshot();
    let rel = desc(&s, child)?;
    let conkey = mapped(parent, &rel, &k.conkey);
    let fits = |c: &&ConstraintRow| {
        c.contype == b'f'
            && !c.conparentid.is_valid()
            && c.confrelid == k.confrelid
            && c.conkey.as_deref() == conkey.as_deref()
            && c.confkey.as_deref() == k.confkey.as_deref()
            && c.conenforced == k.conenforced
            && c.condeferrable == k.condeferrable
            && c.condeferred == k.condeferred
            && (c.confupdtype, c.confdeltype, c.confmatchtype)
                == (k.confupdtype, k.confdeltype, k.confmatchtype)
    };
    let existing = rel.constraints.iter().find(fits).map(|c| c.oid);
    let own = match existing {
        Some(oid) => oid,
        None => {
            let oid = ctx::new_oid(host)?;
            let class = s.class_by_oid(child).cloned().unwrap_or_default();
            let name = if s.constraint_by_name(child, &k.conname).is_none() {
                k.conname.to_string()
            } else {
                let cols: Vec<String> = conkey
                    .iter()
                    .flat_map(|l| l.iter())
                    .filter_map(|a| rel.attr(*a).map(|c| c.name.to_string()))
                    .collect();
                table::choose_constraint_name(host, &class, Some(&cols.join("_")), "fkey")
            };
            let row = ConstraintRow {
                oid,
                conname: name.into(),
                connamespace: rel.namespace,
                conrelid: child,
                conkey: conkey.clone(),
                confdelsetcols: mapped(parent, &rel, &k.confdelsetcols),
                conislocal: true,
                coninhcount: 0,
                conparentid: Oid::INVALID,
                ..k.clone()
            };
            let auto =
                conkey.iter().flat_map(|l| l.iter()).map(|a| ObjectAddress::column(child, *a)).collect();
            let mut normal: Vec<ObjectAddress> = k
                .confkey
                .iter()
                .flat_map(|l| l.iter())
                .map(|a| ObjectAddress::column(k.confrelid, *a))
                .collect();
            normal.push(ObjectAddress::relation(k.conindid));
            table::insert_constraint(host, row, auto, normal)?;
            host.with_catalog(&mut |c| {
                c.modify::<ClassRow>(child, |r| r.relhastriggers = true);
                Ok(())
            })?;
            oid
        }
    };
    host.with_catalog(&mut |c| {
        super::index::set_parent_constraint(c, own, k.oid, child);
        Ok(())
    })?;
    let row = host.snapshot().constraint_by_oid(own).cloned().unwrap_or_default();
    if check && existing.is_none() && k.conenforced && k.convalidated {
        crate::alter::check_foreign_key(host, &row)?;
    }
    carry_down(host, child, &row)
}

/// Gives every partition of a table its copy of a new foreign key.
pub(crate) fn carry_down(host: &dyn CommandHost, rel: Oid, k: &ConstraintRow) -> PgResult<()> {
    let s = host.snapshot();
    let parent = desc(&s, rel)?;
    if parent.kind != b'p' {
        return Ok(());
    }
    for child in parent.children.clone() {
        let done = host.snapshot().constraints_of(child).any(|c| c.conparentid == k.oid);
        if !done {
            copy(host, &parent, child, k, false)?;
        }
    }
    Ok(())
}

/// A new partition gets the parent's foreign keys.
pub(super) fn take_over(host: &dyn CommandHost, parent: Oid, child: Oid, check: bool) -> PgResult<()> {
    let rel = desc(&host.snapshot(), parent)?;
    let keys: Vec<ConstraintRow> = rel.foreign_keys().cloned().collect();
    for k in &keys {
        copy(host, &rel, child, k, check)?;
    }
    Ok(())
}

/// A detached partition keeps its foreign keys as its own.
pub(super) fn let_go(host: &dyn CommandHost, child: Oid) -> PgResult<()> {
    let rel = desc(&host.snapshot(), child)?;
    for k in rel.foreign_keys().filter(|k| k.conparentid.is_valid()) {
        super::forget(host, ObjectAddress::constraint(k.oid), b"PS")?;
        host.with_catalog(&mut |c| {
            c.modify::<ConstraintRow>(k.oid, |r| {
                r.conparentid = Oid::INVALID;
                // `abandon` takes the inheritance count down.
                r.conislocal = true;
            });
            Ok(())
        })?;
    }
    Ok(())
}

/// Rows that foreign keys refer to must stay below the referenced table.
pub(super) fn check_detach(host: &dyn CommandHost, parent: &RelDesc, child: &RelDesc) -> PgResult<()> {
    let s = host.snapshot();
    let keys: Vec<ConstraintRow> = s
        .foreign_keys_to(parent.oid)
        .filter(|k| k.contype == b'f' && !k.conparentid.is_valid() && k.conenforced)
        .cloned()
        .collect();
    for k in keys {
        let Some(fk) = s.rel(k.conrelid) else { continue };
        let names = |r: &RelDesc, list: &Option<List<i16>>| -> Vec<String> {
            list.iter()
                .flat_map(|l| l.iter())
                .filter_map(|a| r.attr(*a).map(|c| c.name.to_string()))
                .collect()
        };
        let (theirs, ours) = (names(&fk, &k.conkey), names(parent, &k.confkey));
        let pairs: Vec<String> = theirs
            .iter()
            .zip(&ours)
            .map(|(f, p)| format!("pk.{} = fk.{}", quote_ident(p), quote_ident(f)))
            .collect();
        let shown: Vec<String> = theirs.iter().map(|f| format!("fk.{}::text", quote_ident(f))).collect();
        let sql = format!(
            "SELECT {} FROM {} fk JOIN {} pk ON {} LIMIT 1",
            shown.join(", "),
            table_text(&s, &fk),
            table_text(&s, child),
            pairs.join(" AND ")
        );
        let rows = host.env().as_fn_host().run_query(&sql, &[])?;
        if let Some(row) = rows.first() {
            let values: Vec<&str> = row.iter().map(|d| d.as_str().unwrap_or("null")).collect();
            return Err(err!(
                FOREIGN_KEY_VIOLATION,
                "removing partition \"{}\" violates foreign key constraint \"{}\"",
                child.name,
                k.conname
            )
            .detail(format!(
                "Key ({})=({}) is still referenced from table \"{}\".",
                ours.join(", "),
                values.join(", "),
                fk.name
            )));
        }
    }
    Ok(())
}
