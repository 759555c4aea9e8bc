//! Dependencies on roles and tablespaces: objects of all databases keep them from being dropped.

use pglite_types::Oid;

use super::ObjectAddress;
use crate::describe::describe_object;
use crate::generated::rows::*;
use crate::key::Key;
use crate::row::CatalogRow;
use crate::search_path::SearchPath;
use crate::snapshot::{Snapshot, is_shared_catalog};
use crate::txn::CatalogTxn;
use crate::value::AclItem;

/// `pg_shdepend.deptype`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum SharedDependency {
    Owner = b'o',
    Acl = b'a',
    InitAcl = b'i',
    Policy = b'r',
    Tablespace = b't',
}

fn database_of(s: &Snapshot, class: Oid) -> Oid {
    if is_shared_catalog(class) { Oid::INVALID } else { s.database() }
}

impl CatalogTxn {
    pub fn record_shared_dependency(
        &mut self,
        a: ObjectAddress,
        referenced: ObjectAddress,
        kind: SharedDependency,
    ) {
        if referenced.is_pinned() {
            return;
        }
        self.insert(ShdependRow {
            dbid: database_of(self.snapshot(), a.class),
            classid: a.class,
            objid: a.object,
            objsubid: a.sub,
            refclassid: referenced.class,
            refobjid: referenced.object,
            deptype: kind as u8,
        });
    }
    pub fn record_owner(&mut self, a: ObjectAddress, owner: Oid) {
        self.record_shared_dependency(a, ObjectAddress::of::<AuthidRow>(owner), SharedDependency::Owner);
    }
    /// `changeDependencyOnOwner`.
    pub fn change_owner(&mut self, a: ObjectAddress, owner: Oid) {
        self.forget_shared(a, Some(SharedDependency::Owner));
        self.record_owner(a, owner);
    }
    /// `updateAclDependencies`: the roles that an ACL names, but for the owner.
    pub fn record_acl(&mut self, a: ObjectAddress, owner: Oid, acl: &[AclItem]) {
        self.forget_shared(a, Some(SharedDependency::Acl));
        let mut roles: Vec<Oid> = acl.iter().flat_map(|i| [i.grantee, i.grantor]).collect();
        roles.sort();
        roles.dedup();
        for role in roles.into_iter().filter(|r| r.is_valid() && *r != owner) {
            self.record_shared_dependency(a, ObjectAddress::of::<AuthidRow>(role), SharedDependency::Acl);
        }
    }
    /// Everything that an object (or a part of it) depends on among shared objects.
    pub fn forget_shared_dependencies(&mut self, a: ObjectAddress) {
        self.forget_shared(a, None);
    }
    fn forget_shared(&mut self, a: ObjectAddress, kind: Option<SharedDependency>) {
        self.delete_where::<ShdependRow>(|s| {
            let key = Key::new().oid(database_of(s, a.class)).oid(a.class).oid(a.object);
            let key = if a.sub == 0 && kind.is_none() { key } else { key.with(&a.sub) };
            s.scan::<ShdependRow>(ShdependRow::BY_DEPENDER, &key)
                .filter(|d| kind.is_none_or(|k| d.deptype == k as u8))
                .map(|d| d.key())
                .collect()
        });
    }
}

/// `checkSharedDependencies`: the lines that say what depends on a role (or tablespace), empty when nothing does.
pub fn role_dependents(s: &Snapshot, path: &SearchPath, class: Oid, object: Oid) -> Vec<String> {
    let mut rows: Vec<&ShdependRow> =
        s.scan::<ShdependRow>(ShdependRow::BY_REFERENCE, &Key::new().oid(class).oid(object)).collect();
    rows.sort_by_key(|d| (d.objid, d.classid, d.objsubid, d.deptype));
    let mut lines = Vec::new();
    let mut elsewhere: Vec<(Oid, usize)> = Vec::new();
    for d in rows {
        if d.dbid.is_valid() && d.dbid != s.database() {
            match elsewhere.iter_mut().find(|e| e.0 == d.dbid) {
                Some(e) => e.1 += 1,
                None => elsewhere.push((d.dbid, 1)),
            }
            continue;
        }
        let a = ObjectAddress { class: d.classid, object: d.objid, sub: d.objsubid };
        let Some(name) = describe_object(s, path, &a) else { continue };
        lines.push(match d.deptype {
            b'o' => format!("owner of {name}"),
            b'a' => format!("privileges for {name}"),
            b'i' => format!("initial privileges for {name}"),
            b'r' => format!("target of {name}"),
            b't' => format!("tablespace for {name}"),
            _ => name,
        });
    }
    for (db, n) in elsewhere {
        let name = s.database_by_oid(db).map_or_else(|| db.to_string(), |d| d.datname.to_string());
        lines.push(format!("{n} {} in database {name}", if n == 1 { "object" } else { "objects" }));
    }
    lines
}
