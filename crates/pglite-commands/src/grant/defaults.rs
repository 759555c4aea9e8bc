//! ALTER DEFAULT PRIVILEGES: rows of pg_default_acl.

use pglite_catalog::acl::{self, AclKind};
use pglite_catalog::depend::{DependencyType, ObjectAddress};
use pglite_catalog::rows::{DefaultAclRow, NamespaceRow};
use pglite_error::{PgError, PgResult, bail, err};
use pglite_parser::ast::{AlterDefaultPrivilegesStmt, DefArg, GrantStmt, ObjectType};
use pglite_types::Oid;

use super::{Order, bit, changed, order, shown};
use crate::ctx;
use crate::host::{CommandHost, CommandOutcome};
use crate::role;

fn kind(t: &ObjectType) -> PgResult<(AclKind, u8, &'static str)> {
    Ok(match t {
        ObjectType::Table => (AclKind::Table, b'r', "relation"),
        ObjectType::Sequence => (AclKind::Sequence, b'S', "sequence"),
        ObjectType::Function | ObjectType::Procedure | ObjectType::Routine => {
            (AclKind::Function, b'f', "function")
        }
        ObjectType::Type => (AclKind::Type, b'T', "type"),
        ObjectType::Schema => (AclKind::Schema, b'n', "schema"),
        ObjectType::LargeObject => (AclKind::LargeObject, b'L', "large object"),
        _ => return Err(PgError::internal("unrecognized GrantStmt.objtype")),
    })
}

pub(crate) fn alter_default_privileges(
    host: &dyn CommandHost,
    s: &AlterDefaultPrivilegesStmt,
) -> PgResult<CommandOutcome> {
    let (mut roles, mut schemas): (Vec<Oid>, Vec<Oid>) = (Vec::new(), Vec::new());
    for d in &s.options {
        match (d.defname.as_str(), &d.arg) {
            ("schemas", Some(DefArg::Names(names))) => {
                for n in names {
                    match host.snapshot().namespace_by_name(n) {
                        Some(ns) => schemas.push(ns.oid),
                        None => bail!(INVALID_SCHEMA_NAME, "schema \"{n}\" does not exist"),
                    }
                }
            }
            ("roles", Some(DefArg::Roles(list))) => {
                for r in list {
                    roles.push(role::resolve(host, r)?);
                }
            }
            _ => {}
        }
    }
    if roles.is_empty() {
        roles.push(ctx::user(host));
    }
    if schemas.is_empty() {
        schemas.push(Oid::INVALID);
    }
    let o = order(host, &s.action)?;
    for r in &roles {
        if !acl::has_privs_of_role(&host.snapshot(), ctx::user(host), *r) {
            bail!(INSUFFICIENT_PRIVILEGE, "permission denied to change default privileges");
        }
        for ns in &schemas {
            change(host, &s.action, &o, *r, *ns)?;
        }
    }
    Ok(CommandOutcome::tag("ALTER DEFAULT PRIVILEGES"))
}

fn change(host: &dyn CommandHost, g: &GrantStmt, o: &Order, owner: Oid, schema: Oid) -> PgResult<()> {
    let (kind, letter, word) = kind(&g.objtype)?;
    if schema.is_valid() && matches!(letter, b'n' | b'L') {
        return Err(err!(
            INVALID_GRANT_OPERATION,
            "cannot use IN SCHEMA clause when using GRANT/REVOKE ON {}",
            if letter == b'n' { "SCHEMAS" } else { "LARGE OBJECTS" }
        ));
    }
    let mut wanted = 0;
    for p in &g.privileges {
        match &p.priv_name {
            None => wanted = kind.all(),
            Some(w) => {
                let b = bit(w)?;
                if kind.all() & b == 0 {
                    bail!(INVALID_GRANT_OPERATION, "invalid privilege type {} for {word}", shown(b));
                }
                wanted |= b;
            }
        }
    }
    if g.privileges.is_empty() {
        wanted = kind.all();
    }
    let s = host.snapshot();
    let existing = acl::default_acl_entry(&s, owner, schema, letter).cloned();
    let built_in = if schema.is_valid() { Vec::new() } else { acl::default_acl(kind, owner) };
    let old = existing.as_ref().map_or_else(|| built_in.clone(), |e| e.defaclacl.to_vec());
    let new = changed(&s, o, &old, wanted, owner, owner)?;
    let same = |a: &[pglite_catalog::AclItem], b: &[pglite_catalog::AclItem]| {
        let key = |l: &[pglite_catalog::AclItem]| {
            let mut v: Vec<_> = l.iter().map(|i| (i.grantee, i.grantor, i.privs)).collect();
            v.sort();
            v
        };
        key(a) == key(b)
    };
    if same(&new, &built_in) {
        let Some(row) = existing else { return Ok(()) };
        return crate::drop::remove_with(host, &[ObjectAddress::of::<DefaultAclRow>(row.oid)], true, true);
    }
    let oid = match &existing {
        Some(e) => e.oid,
        None => ctx::new_oid(host)?,
    };
    host.with_catalog(&mut |c| {
        let me = ObjectAddress::of::<DefaultAclRow>(oid);
        c.insert(DefaultAclRow {
            oid,
            defaclrole: owner,
            defaclnamespace: schema,
            defaclobjtype: letter,
            defaclacl: new.clone().into(),
        });
        if existing.is_none() {
            c.record_owner(me, owner);
            if schema.is_valid() {
                c.record_dependency(me, ObjectAddress::of::<NamespaceRow>(schema), DependencyType::Auto);
            }
        }
        c.record_acl(me, owner, &new);
        Ok(())
    })
}
