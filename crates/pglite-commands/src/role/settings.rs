//! ALTER ROLE ... SET and ALTER DATABASE ... SET: rows of pg_db_role_setting.

use pglite_catalog::rows::DbRoleSettingRow;
use pglite_catalog::{Key, Str, acl};
use pglite_error::{PgError, PgResult, bail};
use pglite_parser::ast::{
    AlterDatabaseSetStmt, AlterRoleSetStmt, Expr, Value, VariableSetKind, VariableSetStmt,
};
use pglite_types::Oid;

use crate::ctx;
use crate::host::{CommandHost, CommandOutcome};
use crate::role;

fn constant(e: &Expr) -> String {
    match e {
        Expr::AConst(c) => match &c.val {
            Value::Integer(i) => i.to_string(),
            Value::Float(s) | Value::String(s) | Value::BitString(s) => s.clone(),
            Value::Boolean(b) => if *b { "on" } else { "off" }.to_string(),
            Value::Null => String::new(),
        },
        Expr::TypeCast(c) => constant(&c.arg),
        _ => String::new(),
    }
}

/// The value of a SET clause as its setting holds it; None for DEFAULT and RESET.
pub(crate) fn value_of(host: &dyn CommandHost, set: &VariableSetStmt) -> Option<String> {
    let list = matches!(
        set.name.as_str(),
        "search_path" | "datestyle" | "DateStyle" | "temp_tablespaces" | "session_preload_libraries"
    );
    match set.kind {
        VariableSetKind::SetValue => {
            let quoted = |e: &Expr| {
                let text = constant(e);
                if list && !set.args.is_empty() && matches!(e, Expr::AConst(_)) {
                    pglite_catalog::names::quote_ident(&text)
                } else {
                    text
                }
            };
            Some(set.args.iter().map(quoted).collect::<Vec<_>>().join(", "))
        }
        VariableSetKind::SetCurrent => host.env().as_fn_host().setting(&set.name),
        _ => None,
    }
}

/// `name=value` entries after a SET or RESET.
pub(crate) fn changed(host: &dyn CommandHost, old: &[Str], set: &VariableSetStmt) -> PgResult<Vec<Str>> {
    if set.kind == VariableSetKind::ResetAll {
        return Ok(Vec::new());
    }
    if !set.name.contains('.') && host.env().as_fn_host().setting(&set.name).is_none() {
        bail!(UNDEFINED_OBJECT, "unrecognized configuration parameter \"{}\"", set.name);
    }
    let value = value_of(host, set);
    let is_same = |entry: &Str| entry.split_once('=').is_some_and(|(n, _)| n.eq_ignore_ascii_case(&set.name));
    let mut out: Vec<Str> = old.to_vec();
    let at = out.iter().position(is_same);
    match (value, at) {
        (Some(v), Some(i)) => out[i] = format!("{}={v}", set.name).into(),
        (Some(v), None) => out.push(format!("{}={v}", set.name).into()),
        (None, Some(i)) => {
            out.remove(i);
        }
        (None, None) => {}
    }
    Ok(out)
}

fn store(host: &dyn CommandHost, database: Oid, role: Oid, set: &VariableSetStmt) -> PgResult<()> {
    let old = host
        .snapshot()
        .db_role_setting(database, role)
        .and_then(|r| r.setconfig.as_ref().map(|l| l.to_vec()))
        .unwrap_or_default();
    let new = changed(host, &old, set)?;
    host.with_catalog(&mut |c| {
        if new.is_empty() {
            c.delete::<DbRoleSettingRow>(Key::new().oid(database).oid(role));
        } else {
            c.insert(DbRoleSettingRow {
                setdatabase: database,
                setrole: role,
                setconfig: Some(new.clone().into()),
            });
        }
        Ok(())
    })
}

fn database(host: &dyn CommandHost, name: &str) -> PgResult<Oid> {
    match host.snapshot().database_by_name(name) {
        Some(d) => Ok(d.oid),
        None => bail!(UNDEFINED_DATABASE, "database \"{name}\" does not exist"),
    }
}

pub(crate) fn alter_role_set(host: &dyn CommandHost, s: &AlterRoleSetStmt) -> PgResult<CommandOutcome> {
    let snap = host.snapshot();
    let user = ctx::user(host);
    let role = match &s.role {
        Some(r) => role::resolve(host, r)?,
        None => Oid::INVALID,
    };
    let allowed = acl::is_superuser(&snap, user)
        || role == user
        || role.is_valid() && acl::is_admin_of_role(&snap, user, role) && !acl::is_superuser(&snap, role);
    if !allowed {
        return Err(PgError::new(
            pglite_error::codes::INSUFFICIENT_PRIVILEGE,
            if role.is_valid() {
                "permission denied to alter role"
            } else {
                "permission denied to alter setting"
            },
        ));
    }
    let db = match &s.database {
        Some(d) => database(host, d)?,
        None => Oid::INVALID,
    };
    store(host, db, role, &s.setstmt)?;
    Ok(CommandOutcome::tag("ALTER ROLE"))
}

pub(crate) fn alter_database_set(
    host: &dyn CommandHost,
    s: &AlterDatabaseSetStmt,
) -> PgResult<CommandOutcome> {
    let db = database(host, &s.dbname)?;
    let snap = host.snapshot();
    let owner = snap.database_by_oid(db).map(|d| d.datdba).unwrap_or_default();
    if !acl::has_privs_of_role(&snap, ctx::user(host), owner) {
        bail!(INSUFFICIENT_PRIVILEGE, "must be owner of database {}", s.dbname);
    }
    store(host, db, Oid::INVALID, &s.setstmt)?;
    Ok(CommandOutcome::tag("ALTER DATABASE"))
}
