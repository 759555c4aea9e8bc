//! CREATE, ALTER, DROP ROLE; membership; ALTER ROLE/DATABASE ... SET; role references.

mod member;
mod settings;

use pglite_catalog::depend::role_dependents;
use pglite_catalog::rows::*;
use pglite_catalog::value::Timestamp;
use pglite_catalog::{CatalogRow, Key, acl};
use pglite_error::{PgError, PgResult, Severity, bail, codes, err};
use pglite_ir::abi::UserKind;
use pglite_parser::ast::{
    AlterRoleStmt, CreateRoleStmt, DefArg, DefElem, DropRoleStmt, RoleSpec, RoleSpecType, RoleStmtType,
};
use pglite_types::{Datum, Oid, oid};

use crate::ctx;
use crate::host::{CommandHost, CommandOutcome};

pub(crate) use member::grant_role;
pub(crate) use settings::{alter_database_set, alter_role_set, changed as changed_settings};

/// The role's OID; PUBLIC is INVALID.
pub(crate) fn resolve_or_public(host: &dyn CommandHost, r: &RoleSpec) -> PgResult<Oid> {
    if r.roletype == RoleSpecType::Public { Ok(Oid::INVALID) } else { resolve(host, r) }
}

pub(crate) fn resolve(host: &dyn CommandHost, r: &RoleSpec) -> PgResult<Oid> {
    match r.roletype {
        RoleSpecType::CurrentRole | RoleSpecType::CurrentUser => Ok(ctx::user(host)),
        RoleSpecType::SessionUser => Ok(host.env().as_fn_host().user(UserKind::Session)),
        RoleSpecType::Public => bail!(UNDEFINED_OBJECT, "role \"public\" does not exist"),
        RoleSpecType::CString => by_name(host, r.rolename.as_deref().unwrap_or("")),
    }
}

pub(crate) fn by_name(host: &dyn CommandHost, name: &str) -> PgResult<Oid> {
    match host.snapshot().role_by_name(name) {
        Some(r) => Ok(r.oid),
        None => bail!(UNDEFINED_OBJECT, "role \"{name}\" does not exist"),
    }
}

/// `check_can_set_role`.
pub(crate) fn check_can_set(host: &dyn CommandHost, role: Oid) -> PgResult<()> {
    let s = host.snapshot();
    if acl::can_set_role(&s, ctx::user(host), role) {
        return Ok(());
    }
    let name = s.role_by_oid(role).map(|r| r.rolname.to_string()).unwrap_or_default();
    bail!(INSUFFICIENT_PRIVILEGE, "must be able to SET ROLE \"{name}\"")
}

/// The options of CREATE and ALTER ROLE.
#[derive(Default)]
struct Options<'a> {
    superuser: Option<bool>,
    inherit: Option<bool>,
    createrole: Option<bool>,
    createdb: Option<bool>,
    login: Option<bool>,
    replication: Option<bool>,
    bypassrls: Option<bool>,
    limit: Option<i32>,
    /// Some(None): PASSWORD NULL.
    password: Option<Option<&'a str>>,
    valid_until: Option<&'a str>,
    roles: Option<&'a [RoleSpec]>,
    members: Option<&'a [RoleSpec]>,
    admins: Option<&'a [RoleSpec]>,
}

fn once<T>(slot: &mut Option<T>, d: &DefElem, value: T) -> PgResult<()> {
    if slot.is_some() {
        return Err(PgError::syntax("conflicting or redundant options").at(d.location));
    }
    *slot = Some(value);
    Ok(())
}

fn options(list: &[DefElem]) -> PgResult<Options<'_>> {
    let mut o = Options::default();
    for d in list {
        let flag = matches!(d.arg, Some(DefArg::Boolean(true)));
        let text = match &d.arg {
            Some(DefArg::String(s)) => Some(s.as_str()),
            _ => None,
        };
        let roles: &[RoleSpec] = match &d.arg {
            Some(DefArg::Roles(r)) => r,
            _ => &[],
        };
        match d.defname.as_str() {
            "superuser" => once(&mut o.superuser, d, flag)?,
            "inherit" => once(&mut o.inherit, d, flag)?,
            "createrole" => once(&mut o.createrole, d, flag)?,
            "createdb" => once(&mut o.createdb, d, flag)?,
            "canlogin" => once(&mut o.login, d, flag)?,
            "isreplication" => once(&mut o.replication, d, flag)?,
            "bypassrls" => once(&mut o.bypassrls, d, flag)?,
            "connectionlimit" => {
                let n = if let Some(DefArg::Integer(n)) = d.arg { n } else { -1 };
                if n < -1 {
                    bail!(INVALID_PARAMETER_VALUE, "invalid connection limit: {n}");
                }
                once(&mut o.limit, d, n)?;
            }
            "password" => once(&mut o.password, d, text)?,
            "validUntil" => once(&mut o.valid_until, d, text.unwrap_or_default())?,
            "addroleto" => once(&mut o.roles, d, roles)?,
            "rolemembers" => once(&mut o.members, d, roles)?,
            "adminmembers" => once(&mut o.admins, d, roles)?,
            "sysid" => {}
            other => return Err(PgError::internal(format!("option \"{other}\" not recognized"))),
        }
    }
    Ok(o)
}

impl Options<'_> {
    fn apply(&self, host: &dyn CommandHost, row: &mut AuthidRow) -> PgResult<()> {
        row.rolsuper = self.superuser.unwrap_or(row.rolsuper);
        row.rolinherit = self.inherit.unwrap_or(row.rolinherit);
        row.rolcreaterole = self.createrole.unwrap_or(row.rolcreaterole);
        row.rolcreatedb = self.createdb.unwrap_or(row.rolcreatedb);
        row.rolcanlogin = self.login.unwrap_or(row.rolcanlogin);
        row.rolreplication = self.replication.unwrap_or(row.rolreplication);
        row.rolbypassrls = self.bypassrls.unwrap_or(row.rolbypassrls);
        row.rolconnlimit = self.limit.unwrap_or(row.rolconnlimit);
        if let Some(p) = self.password {
            row.rolpassword = match p {
                None => None,
                Some("") => {
                    ctx::notice(
                        host,
                        PgError::notice("empty string is not a valid password, clearing password"),
                    );
                    None
                }
                Some(p) => host.cluster("password_verifier", &[Datum::text(p)])?.as_str().map(Into::into),
            };
        }
        if let Some(t) = self.valid_until {
            let rows = host
                .env()
                .as_fn_host()
                .run_query("select $1::text::timestamptz", &[(oid::TEXT, Datum::text(t))])?;
            row.rolvaliduntil = match rows.first().and_then(|r| r.first()) {
                Some(Datum::Timestamp(v)) => Some(Timestamp(*v)),
                _ => None,
            };
        }
        Ok(())
    }

    /// Attributes that only those who have them may give.
    fn check_rights(&self, host: &dyn CommandHost, verb: &str) -> PgResult<()> {
        let s = host.snapshot();
        let Some(me) = s.role_by_oid(ctx::user(host)) else { return Ok(()) };
        if me.rolsuper {
            return Ok(());
        }
        let deny = |word: &str| {
            err!(INSUFFICIENT_PRIVILEGE, "permission denied to {verb} role").detail(format!(
                "Only roles with the {word} attribute may {verb} roles with the {word} attribute."
            ))
        };
        let wants = [
            (self.superuser, false, "SUPERUSER"),
            (self.createdb, me.rolcreatedb, "CREATEDB"),
            (self.replication, me.rolreplication, "REPLICATION"),
            (self.bypassrls, me.rolbypassrls, "BYPASSRLS"),
        ];
        for (wanted, have, word) in wants {
            let asked = if verb == "create" { wanted == Some(true) } else { wanted.is_some() };
            if asked && !have {
                return Err(if verb == "create" {
                    deny(word)
                } else {
                    err!(INSUFFICIENT_PRIVILEGE, "permission denied to alter role").detail(format!(
                        "Only roles with the {word} attribute may change the {word} attribute."
                    ))
                });
            }
        }
        Ok(())
    }
}

fn check_name(name: &str) -> PgResult<()> {
    if name.starts_with("pg_") {
        return Err(err!(RESERVED_NAME, "role name \"{name}\" is reserved")
            .detail("Role names starting with \"pg_\" are reserved."));
    }
    Ok(())
}

pub(crate) fn create(host: &dyn CommandHost, s: &CreateRoleStmt) -> PgResult<CommandOutcome> {
    let o = options(&s.options)?;
    let snap = host.snapshot();
    let user = ctx::user(host);
    let me = snap.role_by_oid(user).cloned().unwrap_or_default();
    if !me.rolsuper && !me.rolcreaterole {
        return Err(err!(INSUFFICIENT_PRIVILEGE, "permission denied to create role")
            .detail("Only roles with the CREATEROLE attribute may create roles."));
    }
    o.check_rights(host, "create")?;
    check_name(&s.role)?;
    if snap.role_by_name(&s.role).is_some() {
        bail!(DUPLICATE_OBJECT, "role \"{}\" already exists", s.role);
    }
    let oid_ = ctx::new_oid(host)?;
    let mut row = AuthidRow {
        oid: oid_,
        rolname: s.role.as_str().into(),
        rolinherit: true,
        rolcanlogin: s.stmt_type == RoleStmtType::User,
        rolconnlimit: -1,
        ..AuthidRow::default()
    };
    o.apply(host, &mut row)?;
    host.with_catalog(&mut |c| {
        c.insert(row.clone());
        Ok(())
    })?;
    for r in o.roles.unwrap_or_default() {
        let parent = resolve(host, r)?;
        member::add(host, parent, oid_, user, &member::Grant::default())?;
    }
    // PG: whoever is not a superuser becomes administrator of the role, granted by the bootstrap superuser.
    if !me.rolsuper {
        let g = member::Grant { admin: Some(true), inherit: Some(false), set: Some(false) };
        member::add_as(host, oid_, user, pglite_catalog::well_known::SUPERUSER, &g)?;
    }
    for r in o.admins.unwrap_or_default() {
        let m = resolve(host, r)?;
        member::add(host, oid_, m, user, &member::Grant { admin: Some(true), ..Default::default() })?;
    }
    for r in o.members.unwrap_or_default() {
        let m = resolve(host, r)?;
        member::add(host, oid_, m, user, &member::Grant::default())?;
    }
    Ok(CommandOutcome::tag("CREATE ROLE"))
}

pub(crate) fn alter(host: &dyn CommandHost, s: &AlterRoleStmt) -> PgResult<CommandOutcome> {
    let o = options(&s.options)?;
    let role = resolve(host, &s.role)?;
    let snap = host.snapshot();
    let user = ctx::user(host);
    let Some(mut row) = snap.role_by_oid(role).cloned() else {
        bail!(UNDEFINED_OBJECT, "role does not exist")
    };
    check_name(&row.rolname)?;
    let me = snap.role_by_oid(user).cloned().unwrap_or_default();
    if row.rolsuper && !me.rolsuper {
        return Err(err!(INSUFFICIENT_PRIVILEGE, "permission denied to alter role").detail(
            "Only roles with the SUPERUSER attribute may alter roles with the SUPERUSER attribute.",
        ));
    }
    let own_password = role == user && s.options.iter().all(|d| d.defname == "password");
    if !own_password && !me.rolsuper && !(me.rolcreaterole && acl::is_admin_of_role(&snap, user, role)) {
        return Err(err!(INSUFFICIENT_PRIVILEGE, "permission denied to alter role").detail(format!(
            "Only roles with the CREATEROLE attribute and the ADMIN option on role \"{}\" may alter this role.",
            row.rolname
        )));
    }
    o.check_rights(host, "alter")?;
    if role == pglite_catalog::well_known::SUPERUSER && o.superuser == Some(false) {
        return Err(PgError::unsupported("permission denied to alter role")
            .detail("The bootstrap superuser must have the SUPERUSER attribute."));
    }
    o.apply(host, &mut row)?;
    host.with_catalog(&mut |c| {
        c.update(row.clone());
        Ok(())
    })?;
    for r in o.members.unwrap_or_default() {
        let m = resolve(host, r)?;
        if s.action > 0 {
            member::add(host, role, m, user, &member::Grant::default())?;
        } else {
            member::remove(host, role, m, user, &member::Grant::default(), false)?;
        }
    }
    Ok(CommandOutcome::tag("ALTER ROLE"))
}

pub(crate) fn drop(host: &dyn CommandHost, s: &DropRoleStmt) -> PgResult<CommandOutcome> {
    let user = ctx::user(host);
    let snap = host.snapshot();
    let me = snap.role_by_oid(user).cloned().unwrap_or_default();
    if !me.rolsuper && !me.rolcreaterole {
        return Err(err!(INSUFFICIENT_PRIVILEGE, "permission denied to drop role").detail(
            "Only roles with the CREATEROLE attribute and the ADMIN option on the target roles may drop roles.",
        ));
    }
    let mut going: Vec<AuthidRow> = Vec::new();
    for spec in &s.roles {
        if spec.roletype != RoleSpecType::CString {
            bail!(INVALID_PARAMETER_VALUE, "cannot use special role specifier in DROP ROLE");
        }
        let name = spec.rolename.as_deref().unwrap_or("");
        let Some(row) = snap.role_by_name(name) else {
            if s.missing_ok {
                ctx::notice(host, PgError::notice(format!("role \"{name}\" does not exist, skipping")));
                continue;
            }
            bail!(UNDEFINED_OBJECT, "role \"{name}\" does not exist");
        };
        if row.oid == user {
            bail!(OBJECT_IN_USE, "current user cannot be dropped");
        }
        if row.oid == host.env().as_fn_host().user(UserKind::Session) {
            bail!(OBJECT_IN_USE, "session user cannot be dropped");
        }
        if row.rolsuper && !me.rolsuper {
            return Err(err!(INSUFFICIENT_PRIVILEGE, "permission denied to drop role").detail(
                "Only roles with the SUPERUSER attribute may drop roles with the SUPERUSER attribute.",
            ));
        }
        if !acl::is_admin_of_role(&snap, user, row.oid) {
            return Err(err!(INSUFFICIENT_PRIVILEGE, "permission denied to drop role").detail(format!(
                "Only roles with the CREATEROLE attribute and the ADMIN option on role \"{name}\" may drop this role."
            )));
        }
        going.push(row.clone());
    }
    // Memberships of all the roles go first, so that roles dropped together do not hold each other.
    for role in &going {
        host.with_catalog(&mut |c| {
            c.delete_where::<AuthMembersRow>(|s| {
                s.members_of(role.oid).chain(s.memberships_of(role.oid)).map(|m| m.key()).collect()
            });
            Ok(())
        })?;
    }
    for role in &going {
        let s = host.snapshot();
        let mut lines = {
            let env = host.env();
            role_dependents(&s, env.search_path(), AuthidRow::CATALOG, role.oid)
        };
        for m in s.iter::<AuthMembersRow>().filter(|m| m.grantor == role.oid) {
            let name = |o: Oid| s.role_by_oid(o).map(|r| r.rolname.to_string()).unwrap_or_default();
            lines.push(format!(
                "privileges for membership of role {} in role {}",
                name(m.member),
                name(m.roleid)
            ));
        }
        if !lines.is_empty() {
            return Err(err!(
                DEPENDENT_OBJECTS_STILL_EXIST,
                "role \"{}\" cannot be dropped because some objects depend on it",
                role.rolname
            )
            .detail(lines.join("\n")));
        }
        host.with_catalog(&mut |c| {
            c.delete::<AuthidRow>(role.oid);
            c.delete::<ShdescriptionRow>(Key::new().oid(role.oid).oid(AuthidRow::CATALOG));
            c.delete_where::<DbRoleSettingRow>(|s| {
                s.iter::<DbRoleSettingRow>().filter(|r| r.setrole == role.oid).map(|r| r.key()).collect()
            });
            Ok(())
        })?;
    }
    Ok(CommandOutcome::tag("DROP ROLE"))
}

/// ALTER ROLE ... RENAME TO.
pub(crate) fn rename(host: &dyn CommandHost, old: &str, new: &str) -> PgResult<()> {
    let role = by_name(host, old)?;
    let s = host.snapshot();
    let user = ctx::user(host);
    if role == host.env().as_fn_host().user(UserKind::Session) {
        return Err(PgError::unsupported("session user cannot be renamed"));
    }
    if role == user {
        return Err(PgError::unsupported("current user cannot be renamed"));
    }
    check_name(old)?;
    check_name(new)?;
    if s.role_by_name(new).is_some() {
        bail!(DUPLICATE_OBJECT, "role \"{new}\" already exists");
    }
    if !acl::is_superuser(&s, user) && !acl::is_admin_of_role(&s, user, role) {
        return Err(err!(INSUFFICIENT_PRIVILEGE, "permission denied to rename role").detail(format!(
            "Only roles with the CREATEROLE attribute and the ADMIN option on role \"{old}\" may rename this role."
        )));
    }
    host.with_catalog(&mut |c| {
        c.modify::<AuthidRow>(role, |r| r.rolname = new.into());
        Ok(())
    })
}

/// A notice of its own severity and code.
pub(crate) fn coded_notice(code: pglite_error::SqlState, text: String, severity: Severity) -> PgError {
    PgError::new(code, text).severity(severity)
}

pub(crate) fn warning(text: String) -> PgError {
    coded_notice(codes::WARNING, text, Severity::Warning)
}
