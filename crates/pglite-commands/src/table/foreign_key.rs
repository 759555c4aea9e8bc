//! FOREIGN KEY: the referenced key, the comparison operators, the pg_constraint row. The executor enforces it.

use pglite_catalog::depend::ObjectAddress;
use pglite_catalog::generated::rows::ClassRow;
use pglite_catalog::{List, RelDesc, acl, format_type, well_known};
use pglite_error::{PgError, PgResult, bail, err};
use pglite_parser::ast::Constraint;
use pglite_types::Oid;

use super::constraints::{blank, choose_constraint_name, insert};
use crate::ctx;
use crate::host::CommandHost;

fn attnums(rel: &RelDesc, names: &[String]) -> PgResult<Vec<i16>> {
    names
        .iter()
        .map(|n| {
            rel.column(n).map(|c| c.attnum).ok_or_else(|| {
                err!(UNDEFINED_COLUMN, "column \"{n}\" referenced in foreign key constraint does not exist")
            })
        })
        .collect()
}

/// The index the key refers to: the primary key, or a unique constraint over exactly these columns.
fn referenced_index(pk: &RelDesc, attrs: &mut Vec<i16>) -> PgResult<Oid> {
    if attrs.is_empty() {
        let Some(index) = pk.primary_key() else {
            bail!(UNDEFINED_OBJECT, "there is no primary key for referenced table \"{}\"", pk.name);
        };
        if !index.immediate {
            bail!(
                OBJECT_NOT_IN_PREREQUISITE_STATE,
                "cannot use a deferrable primary key for referenced table \"{}\"",
                pk.name
            );
        }
        *attrs = index.key_columns().iter().map(|k| k.attnum).collect();
        return Ok(index.oid);
    }
    let mut wanted = attrs.clone();
    wanted.sort_unstable();
    let mut deferrable = false;
    for index in
        pk.indexes.iter().filter(|i| i.unique && i.valid && i.predicate.is_none() && !i.has_expressions())
    {
        let mut have: Vec<i16> = index.key_columns().iter().map(|k| k.attnum).collect();
        have.sort_unstable();
        if have == wanted {
            if index.immediate {
                return Ok(index.oid);
            }
            deferrable = true;
        }
    }
    if deferrable {
        bail!(
            OBJECT_NOT_IN_PREREQUISITE_STATE,
            "cannot use a deferrable unique constraint for referenced table \"{}\"",
            pk.name
        );
    }
    bail!(
        INVALID_FOREIGN_KEY,
        "there is no unique constraint matching given keys for referenced table \"{}\"",
        pk.name
    )
}

/// Adds the constraint. `new`: the table is new, so no rows need checking.
pub(crate) fn add_foreign_key(host: &dyn CommandHost, rel: Oid, c: &Constraint, new: bool) -> PgResult<()> {
    let s = host.snapshot();
    let fk = s.rel(rel).ok_or_else(|| PgError::internal("relation vanished"))?;
    let Some(target) = &c.pktable else { bail!(INTERNAL_ERROR, "FOREIGN KEY without a table") };
    let pk = ctx::relation(host, target)?;
    if !matches!(pk.kind, b'r' | b'p') {
        bail!(WRONG_OBJECT_TYPE, "referenced relation \"{}\" is not a table", pk.name);
    }
    match (fk.persistence, pk.persistence) {
        (b'p', b't' | b'u') => bail!(
            INVALID_TABLE_DEFINITION,
            "constraints on permanent tables may reference only permanent tables"
        ),
        (b'u', b't') => bail!(
            INVALID_TABLE_DEFINITION,
            "constraints on unlogged tables may reference only permanent or unlogged tables"
        ),
        (b't', b'p' | b'u') => bail!(
            INVALID_TABLE_DEFINITION,
            "constraints on temporary tables may reference only temporary tables"
        ),
        _ => {}
    }
    if acl::relation_mask(&s, ctx::user(host), pk.oid, acl::REFERENCES) == 0 {
        bail!(INSUFFICIENT_PRIVILEGE, "permission denied for table {}", pk.name);
    }
    let fk_attrs = attnums(&fk, &c.fk_attrs)?;
    let mut pk_attrs = attnums(&pk, &c.pk_attrs)?;
    let index = referenced_index(&pk, &mut pk_attrs)?;
    if fk_attrs.len() != pk_attrs.len() {
        bail!(INVALID_FOREIGN_KEY, "number of referencing and referenced columns for foreign key disagree");
    }
    if fk_attrs.iter().filter_map(|a| fk.attr(*a)).any(|a| a.generated != 0) {
        let sets = |action: char| matches!(action, 'n' | 'd');
        if sets(c.fk_upd_action) || c.fk_upd_action == 'c' {
            return Err(PgError::syntax(
                "invalid ON UPDATE action for foreign key constraint containing generated column",
            ));
        }
        if sets(c.fk_del_action) {
            return Err(PgError::syntax(
                "invalid ON DELETE action for foreign key constraint containing generated column",
            ));
        }
    }
    let name = match &c.conname {
        Some(n) => {
            if s.constraint_by_name(rel, n).is_some() {
                bail!(DUPLICATE_OBJECT, "constraint \"{n}\" for relation \"{}\" already exists", fk.name);
            }
            n.clone()
        }
        None => {
            let class: ClassRow =
                s.class_by_oid(rel).cloned().ok_or_else(|| PgError::internal("relation vanished"))?;
            choose_constraint_name(host, &class, Some(&c.fk_attrs.join("_")), "fkey")
        }
    };
    let ops = operators(host, &fk, &pk, &fk_attrs, &pk_attrs, &name)?;
    let mut row = blank(ctx::new_oid(host)?, &name, fk.namespace, b'f', rel);
    row.confrelid = pk.oid;
    row.conindid = index;
    row.condeferrable = c.deferrable;
    row.condeferred = c.initdeferred;
    row.conenforced = c.is_enforced;
    row.convalidated = c.is_enforced && (new || c.initially_valid);
    row.confupdtype = c.fk_upd_action as u8;
    row.confdeltype = c.fk_del_action as u8;
    row.confmatchtype = c.fk_matchtype as u8;
    row.connoinherit = fk.kind != b'p';
    row.conpfeqop = Some(List::from(ops.iter().map(|o| o.0).collect::<Vec<_>>()));
    row.conppeqop = Some(List::from(ops.iter().map(|o| o.1).collect::<Vec<_>>()));
    row.conffeqop = Some(List::from(ops.iter().map(|o| o.2).collect::<Vec<_>>()));
    if !c.fk_del_set_cols.is_empty() {
        let set = attnums(&fk, &c.fk_del_set_cols)?;
        if let Some(bad) = c.fk_del_set_cols.iter().zip(&set).find(|(_, a)| !fk_attrs.contains(a)) {
            bail!(
                INVALID_COLUMN_REFERENCE,
                "column \"{}\" referenced in ON DELETE SET action must be part of foreign key",
                bad.0
            );
        }
        row.confdelsetcols = Some(List::from(set));
    }
    let auto = fk_attrs.iter().map(|a| ObjectAddress::column(rel, *a)).collect();
    let mut normal: Vec<ObjectAddress> = pk_attrs.iter().map(|a| ObjectAddress::column(pk.oid, *a)).collect();
    normal.push(ObjectAddress::relation(index));
    row.conkey = Some(List::from(fk_attrs));
    row.confkey = Some(List::from(pk_attrs));
    insert(host, row.clone(), auto, normal)?;
    host.with_catalog(&mut |t| {
        t.modify::<ClassRow>(rel, |r| r.relhastriggers = true);
        t.modify::<ClassRow>(pk.oid, |r| r.relhastriggers = true);
        Ok(())
    })?;
    crate::partition::carry_foreign_key(host, rel, &row)
}

/// For each column pair: (pk = fk, pk = pk, fk = fk) operators.
fn operators(
    host: &dyn CommandHost,
    fk: &RelDesc,
    pk: &RelDesc,
    fks: &[i16],
    pks: &[i16],
    name: &str,
) -> PgResult<Vec<(Oid, Oid, Oid)>> {
    let s = host.snapshot();
    fks.iter()
        .zip(pks)
        .map(|(f, p)| {
            let (Some(f), Some(p)) = (fk.attr(*f), pk.attr(*p)) else { bail!(INTERNAL_ERROR, "key column vanished") };
            let (ft, pt) = (s.base_type(f.type_oid), s.base_type(p.type_oid));
            let mismatch = || {
                let shown = |t| format_type::format_type_be(&s, &pglite_catalog::SearchPath::catalog_only(), t);
                err!(DATATYPE_MISMATCH, "foreign key constraint \"{name}\" cannot be implemented").detail(format!(
                    "Key columns \"{}\" of the referencing table and \"{}\" of the referenced table are of incompatible types: {} and {}.",
                    f.name,
                    p.name,
                    shown(f.type_oid),
                    shown(p.type_oid)
                ))
            };
            let class = s.default_opclass(well_known::AM_BTREE, pt).ok_or_else(mismatch)?;
            let (family, input) = (class.opcfamily, class.opcintype);
            let equal = |l, r| s.amop(family, l, r, 3).map(|a| a.amopopr);
            let pp = equal(input, input).ok_or_else(mismatch)?;
            if let (Some(pf), Some(ff)) = (equal(input, ft), equal(ft, ft)) {
                return Ok((pf, pp, ff));
            }
            // An implicit cast to the key's type serves as well.
            let castable = ft == pt || s.is_binary_coercible(ft, input) || s.cast(ft, input).is_some_and(|c| c.castcontext == b'i');
            if castable { Ok((pp, pp, pp)) } else { Err(mismatch()) }
        })
        .collect()
}
