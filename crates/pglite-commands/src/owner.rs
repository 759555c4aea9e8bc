//! ALTER ... OWNER TO, REASSIGN OWNED, DROP OWNED.

use pglite_catalog::acl;
use pglite_catalog::depend::ObjectAddress;
use pglite_catalog::rows::*;
use pglite_catalog::{CatalogRow, Key};
use pglite_error::{PgResult, bail};
use pglite_parser::ast::{AlterOwnerStmt, DropBehavior, DropOwnedStmt, ReassignOwnedStmt};
use pglite_types::Oid;

use crate::ctx;
use crate::host::{CommandHost, CommandOutcome};
use crate::objects::{self, Lookup};
use crate::{grant, role};

pub(crate) fn alter_owner(host: &dyn CommandHost, s: &AlterOwnerStmt) -> PgResult<CommandOutcome> {
    let owner = role::resolve(host, &s.newowner)?;
    let a = objects::resolve(host, &s.object_type, &s.object, Lookup::default())?;
    let snap = host.snapshot();
    objects::check_owner(host, &a, &s.object_type)?;
    if objects::owner_of(&snap, &a) != Some(owner) {
        may_give(host, &a, owner)?;
    }
    change(host, &a, owner)?;
    Ok(CommandOutcome::tag(format!("ALTER {}", objects::kind_word(&s.object_type).to_uppercase())))
}

fn may_give(host: &dyn CommandHost, a: &ObjectAddress, owner: Oid) -> PgResult<()> {
    let s = host.snapshot();
    if acl::is_superuser(&s, ctx::user(host)) {
        return Ok(());
    }
    role::check_can_set(host, owner)?;
    if let Some(ns) = objects::namespace_of(&s, a)
        && acl::schema_mask(&s, owner, ns, acl::CREATE) == 0
    {
        bail!(INSUFFICIENT_PRIVILEGE, "permission denied for schema {}", s.namespace_name(ns).unwrap_or(""));
    }
    Ok(())
}

/// Writes the new owner everywhere it shows.
pub(crate) fn change(host: &dyn CommandHost, a: &ObjectAddress, owner: Oid) -> PgResult<()> {
    let s = host.snapshot();
    let mut all = vec![*a];
    if a.class == ClassRow::CATALOG {
        let Some(class) = s.class_by_oid(a.object) else { return Ok(()) };
        all.extend(
            [class.reltype.valid(), s.array_type(class.reltype)]
                .into_iter()
                .flatten()
                .map(ObjectAddress::type_),
        );
        all.extend(s.indexes_of(a.object).map(|i| ObjectAddress::relation(i.indexrelid)));
        for seq in s.owned_sequences(a.object, 0) {
            change(host, &ObjectAddress::relation(seq), owner)?;
        }
    }
    if a.class == TypeRow::CATALOG {
        let Some(t) = s.type_by_oid(a.object) else { return Ok(()) };
        all.extend(t.typarray.valid().map(ObjectAddress::type_));
        all.extend(t.typrelid.valid().map(ObjectAddress::relation));
        if let Some(r) = s.range(a.object) {
            all.push(ObjectAddress::type_(r.rngmultitypid));
            all.extend(s.array_type(r.rngmultitypid).map(ObjectAddress::type_));
        }
    }
    host.with_catalog(&mut |c| {
        for x in &all {
            let Some(old) = objects::owner_of(c.snapshot(), x).filter(|o| *o != owner) else { continue };
            grant::reown(c, x, old, owner);
            objects::set_owner_row(c, x, owner);
            let recorded = c
                .snapshot()
                .scan::<ShdependRow>(
                    ShdependRow::BY_DEPENDER,
                    &Key::new().oid(c.snapshot().database()).oid(x.class).oid(x.object),
                )
                .any(|d| d.deptype == b'o');
            if recorded || x == a {
                c.change_owner(*x, owner);
            }
        }
        Ok(())
    })
}

fn owned_by(host: &dyn CommandHost, role: Oid, letter: u8) -> Vec<ObjectAddress> {
    let s = host.snapshot();
    let key = Key::new().oid(AuthidRow::CATALOG).oid(role);
    s.scan::<ShdependRow>(ShdependRow::BY_REFERENCE, &key)
        .filter(|d| d.deptype == letter && (d.dbid == s.database() || !d.dbid.is_valid()))
        .map(|d| ObjectAddress { class: d.classid, object: d.objid, sub: d.objsubid })
        .collect()
}

pub(crate) fn reassign(host: &dyn CommandHost, s: &ReassignOwnedStmt) -> PgResult<CommandOutcome> {
    let new = role::resolve(host, &s.newrole)?;
    for r in &s.roles {
        let old = role::resolve(host, r)?;
        if !acl::has_privs_of_role(&host.snapshot(), ctx::user(host), old) {
            bail!(INSUFFICIENT_PRIVILEGE, "permission denied to reassign objects");
        }
        for a in owned_by(host, old, b'o') {
            change(host, &a, new)?;
        }
    }
    Ok(CommandOutcome::tag("REASSIGN OWNED"))
}

pub(crate) fn drop_owned(host: &dyn CommandHost, s: &DropOwnedStmt) -> PgResult<CommandOutcome> {
    for r in &s.roles {
        let role = role::resolve(host, r)?;
        if !acl::has_privs_of_role(&host.snapshot(), ctx::user(host), role) {
            bail!(INSUFFICIENT_PRIVILEGE, "permission denied to drop objects");
        }
        for a in owned_by(host, role, b'a') {
            host.with_catalog(&mut |c| {
                grant::forget_grantee(c, &a, role);
                Ok(())
            })?;
        }
        let list: Vec<ObjectAddress> = owned_by(host, role, b'o')
            .into_iter()
            .filter(|a| a.class != DatabaseRow::CATALOG && a.class != TablespaceRow::CATALOG)
            .collect();
        crate::drop::remove(host, &list, s.behavior == DropBehavior::Cascade)?;
    }
    Ok(CommandOutcome::tag("DROP OWNED"))
}
