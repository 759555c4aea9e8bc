//! Membership: GRANT role TO role, REVOKE role FROM role.

use pglite_catalog::rows::AuthMembersRow;
use pglite_catalog::{CatalogRow, acl, well_known};
use pglite_error::{PgError, PgResult, bail, err};
use pglite_parser::ast::{DefArg, DropBehavior, GrantRoleStmt};
use pglite_types::Oid;

use crate::ctx;
use crate::host::{CommandHost, CommandOutcome};
use crate::role;

/// WITH ADMIN/INHERIT/SET; None: not said.
#[derive(Clone, Copy, Default)]
pub(crate) struct Grant {
    pub admin: Option<bool>,
    pub inherit: Option<bool>,
    pub set: Option<bool>,
}

impl Grant {
    fn is_plain(&self) -> bool {
        self.admin.is_none() && self.inherit.is_none() && self.set.is_none()
    }
}

fn name(host: &dyn CommandHost, oid: Oid) -> String {
    host.snapshot().role_by_oid(oid).map(|r| r.rolname.to_string()).unwrap_or_default()
}

pub(crate) fn grant_role(host: &dyn CommandHost, s: &GrantRoleStmt) -> PgResult<CommandOutcome> {
    let mut g = Grant::default();
    for d in &s.opt {
        let value = Some(matches!(d.arg, Some(DefArg::Boolean(true))));
        match d.defname.as_str() {
            "admin" => g.admin = value,
            "inherit" => g.inherit = value,
            "set" => g.set = value,
            other => {
                return Err(PgError::syntax(format!("unrecognized role option \"{other}\"")).at(d.location));
            }
        }
    }
    let grantor = match &s.grantor {
        Some(r) => Some(role::resolve(host, r)?),
        None => None,
    };
    for granted in &s.granted_roles {
        let Some(role_name) = &granted.priv_name else {
            bail!(SYNTAX_ERROR, "column names cannot be included in GRANT/REVOKE ROLE")
        };
        if !granted.cols.is_empty() {
            bail!(INVALID_GRANT_OPERATION, "column names cannot be included in GRANT/REVOKE ROLE");
        }
        let parent = role::by_name(host, role_name)?;
        for spec in &s.grantee_roles {
            let member = role::resolve(host, spec)?;
            let by = check(host, parent, grantor, s.is_grant)?;
            if s.is_grant {
                add_as(host, parent, member, by, &g)?;
            } else {
                remove(host, parent, member, by, &g, s.behavior == DropBehavior::Cascade)?;
            }
        }
    }
    Ok(CommandOutcome::tag(if s.is_grant { "GRANT ROLE" } else { "REVOKE ROLE" }))
}

/// Whether the user may; on whose behalf the grant is recorded.
fn check(host: &dyn CommandHost, parent: Oid, grantor: Option<Oid>, is_grant: bool) -> PgResult<Oid> {
    let s = host.snapshot();
    let user = ctx::user(host);
    let parent_name = name(host, parent);
    let verb = if is_grant { "grant" } else { "revoke" };
    if parent == well_known::ROLE_DATABASE_OWNER && is_grant {
        return Err(err!(INVALID_GRANT_OPERATION, "role \"{parent_name}\" cannot have explicit members"));
    }
    let parent_super = acl::is_superuser(&s, parent);
    if parent_super && !acl::is_superuser(&s, user) {
        return Err(err!(INSUFFICIENT_PRIVILEGE, "permission denied to {verb} role \"{parent_name}\"")
            .detail(format!(
                "Only roles with the SUPERUSER attribute may {verb} roles with the SUPERUSER attribute."
            )));
    }
    if !acl::is_admin_of_role(&s, user, parent) {
        return Err(err!(INSUFFICIENT_PRIVILEGE, "permission denied to {verb} role \"{parent_name}\"")
            .detail(format!(
                "Only roles with the ADMIN option on role \"{parent_name}\" may {verb} this role."
            )));
    }
    match grantor {
        Some(g) => {
            if !acl::has_privs_of_role(&s, user, g) {
                return Err(err!(
                    INSUFFICIENT_PRIVILEGE,
                    "permission denied to {verb} privileges as role \"{}\"",
                    name(host, g)
                )
                .detail(format!(
                    "Only roles with privileges of role \"{}\" may {verb} privileges as this role.",
                    name(host, g)
                )));
            }
            if is_grant && g != well_known::SUPERUSER && !direct_admin(&s, g, parent) {
                return Err(err!(
                    INSUFFICIENT_PRIVILEGE,
                    "permission denied to grant privileges as role \"{}\"",
                    name(host, g)
                )
                .detail(format!("The grantor must have the ADMIN option on role \"{parent_name}\".")));
            }
            Ok(g)
        }
        // PG: superusers grant as the bootstrap superuser.
        None if acl::is_superuser(&s, user) => Ok(well_known::SUPERUSER),
        None if direct_admin(&s, user, parent) => Ok(user),
        None => {
            let by = s
                .members_of(parent)
                .find(|m| m.admin_option && acl::has_privs_of_role(&s, user, m.member))
                .map_or(user, |m| m.member);
            Ok(by)
        }
    }
}

fn direct_admin(s: &pglite_catalog::Snapshot, role: Oid, parent: Oid) -> bool {
    s.members_of(parent).any(|m| m.member == role && m.admin_option)
}

pub(crate) fn add(host: &dyn CommandHost, parent: Oid, member: Oid, user: Oid, g: &Grant) -> PgResult<()> {
    let _ = user;
    let by = check(host, parent, None, true)?;
    add_as(host, parent, member, by, g)
}

pub(crate) fn add_as(
    host: &dyn CommandHost,
    parent: Oid,
    member: Oid,
    grantor: Oid,
    g: &Grant,
) -> PgResult<()> {
    let s = host.snapshot();
    if acl::is_member_of_role_nosuper(&s, parent, member) {
        bail!(
            INVALID_GRANT_OPERATION,
            "role \"{}\" is a member of role \"{}\"",
            name(host, parent),
            name(host, member)
        );
    }
    let found = s.members_of(parent).find(|m| m.member == member && m.grantor == grantor).cloned();
    if let Some(mut row) = found {
        let before = row.clone();
        row.admin_option = g.admin.unwrap_or(row.admin_option);
        row.inherit_option = g.inherit.unwrap_or(row.inherit_option);
        row.set_option = g.set.unwrap_or(row.set_option);
        if row == before {
            ctx::notice(
                host,
                PgError::notice(format!(
                    "role \"{}\" has already been granted membership in role \"{}\" by role \"{}\"",
                    name(host, member),
                    name(host, parent),
                    name(host, grantor)
                )),
            );
            return Ok(());
        }
        return host.with_catalog(&mut |c| {
            c.update(row.clone());
            Ok(())
        });
    }
    let inherit = s.role_by_oid(member).is_some_and(|r| r.rolinherit);
    let row = AuthMembersRow {
        oid: ctx::new_oid(host)?,
        roleid: parent,
        member,
        grantor,
        admin_option: g.admin.unwrap_or(false),
        inherit_option: g.inherit.unwrap_or(inherit),
        set_option: g.set.unwrap_or(true),
    };
    host.with_catalog(&mut |c| {
        c.insert(row.clone());
        Ok(())
    })
}

pub(crate) fn remove(
    host: &dyn CommandHost,
    parent: Oid,
    member: Oid,
    grantor: Oid,
    g: &Grant,
    cascade: bool,
) -> PgResult<()> {
    let s = host.snapshot();
    let grantor = if acl::is_superuser(&s, grantor) { well_known::SUPERUSER } else { grantor };
    let Some(row) = s.members_of(parent).find(|m| m.member == member && m.grantor == grantor).cloned() else {
        ctx::notice(
            host,
            role::warning(format!(
                "role \"{}\" has not been granted membership in role \"{}\" by role \"{}\"",
                name(host, member),
                name(host, parent),
                name(host, grantor)
            )),
        );
        return Ok(());
    };
    let loses_admin = row.admin_option && (g.is_plain() || g.admin.is_some());
    if loses_admin {
        dependents(host, parent, member, cascade)?;
    }
    if g.is_plain() {
        return host.with_catalog(&mut |c| {
            c.delete::<AuthMembersRow>(row.key());
            Ok(())
        });
    }
    let mut row = row;
    row.admin_option &= g.admin.is_none();
    row.inherit_option &= g.inherit.is_none();
    row.set_option &= g.set.is_none();
    host.with_catalog(&mut |c| {
        c.update(row.clone());
        Ok(())
    })
}

/// Grants that rest on the member's ADMIN option.
fn dependents(host: &dyn CommandHost, parent: Oid, member: Oid, cascade: bool) -> PgResult<()> {
    let s = host.snapshot();
    let still = s.members_of(parent).filter(|m| m.member == member && m.admin_option).count() > 1;
    let below: Vec<AuthMembersRow> = s.members_of(parent).filter(|m| m.grantor == member).cloned().collect();
    if still || below.is_empty() {
        return Ok(());
    }
    if !cascade {
        return Err(err!(DEPENDENT_OBJECTS_STILL_EXIST, "dependent privileges exist")
            .hint("Use CASCADE to revoke them too."));
    }
    for m in below {
        remove(host, parent, m.member, m.grantor, &Grant::default(), true)?;
    }
    Ok(())
}
