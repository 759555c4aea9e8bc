//! CREATE, ALTER, DROP DATABASE: the pg_database row, and the cluster's part.

use pglite_catalog::depend::ObjectAddress;
use pglite_catalog::rows::{DatabaseRow, DbRoleSettingRow, ShdependRow, ShdescriptionRow};
use pglite_catalog::{CatalogRow, Key, acl};
use pglite_error::{PgError, PgResult, Severity, bail, codes, err};
use pglite_parser::ast::{AlterDatabaseStmt, CreatedbStmt, DefArg, DefElem, DropdbStmt};
use pglite_types::{Datum, Oid};

use crate::ctx;
use crate::host::{CommandHost, CommandOutcome};
use crate::role;

fn text(d: &DefElem) -> Option<String> {
    match &d.arg {
        Some(DefArg::String(s) | DefArg::Float(s)) => Some(s.clone()),
        Some(DefArg::Integer(i)) => Some(i.to_string()),
        Some(DefArg::Boolean(b)) => Some(b.to_string()),
        _ => None,
    }
}

fn flag(d: &DefElem) -> PgResult<bool> {
    match text(d).as_deref().map(str::to_ascii_lowercase).as_deref() {
        None | Some("true" | "on" | "1") => Ok(true),
        Some("false" | "off" | "0") => Ok(false),
        _ => bail!(SYNTAX_ERROR, "{} requires a Boolean value", d.defname),
    }
}

fn limit(d: &DefElem) -> PgResult<i32> {
    let n = text(d).and_then(|t| t.parse().ok()).unwrap_or(-1);
    if n < -1 {
        bail!(INVALID_PARAMETER_VALUE, "invalid connection limit: {n}");
    }
    Ok(n)
}

/// Not inside a transaction block.
fn top_level(host: &dyn CommandHost, what: &str) -> PgResult<()> {
    if host.is_top_level() {
        return Ok(());
    }
    bail!(ACTIVE_SQL_TRANSACTION, "{what} cannot run inside a transaction block")
}

pub(crate) fn create(host: &dyn CommandHost, s: &CreatedbStmt) -> PgResult<CommandOutcome> {
    top_level(host, "CREATE DATABASE")?;
    let snap = host.snapshot();
    let user = ctx::user(host);
    let mut template = "template1".to_string();
    let mut owner = user;
    let mut seen: Vec<&str> = Vec::new();
    for d in &s.options {
        if seen.contains(&d.defname.as_str()) {
            return Err(PgError::syntax("conflicting or redundant options").at(d.location));
        }
        seen.push(&d.defname);
        match (d.defname.as_str(), text(d)) {
            ("template", Some(t)) => template = t,
            ("owner", Some(o)) => owner = role::by_name(host, &o)?,
            _ => {}
        }
    }
    let may_create = snap.role_by_oid(user).is_some_and(|r| r.rolsuper || r.rolcreatedb);
    if !may_create {
        bail!(INSUFFICIENT_PRIVILEGE, "permission denied to create database");
    }
    role::check_can_set(host, owner)?;
    let Some(source) = snap.database_by_name(&template) else {
        bail!(UNDEFINED_DATABASE, "template database \"{template}\" does not exist");
    };
    if !source.datistemplate && !acl::has_privs_of_role(&snap, user, source.datdba) {
        bail!(INSUFFICIENT_PRIVILEGE, "permission denied to copy database \"{template}\"");
    }
    if snap.database_by_name(&s.dbname).is_some() {
        bail!(DUPLICATE_DATABASE, "database \"{}\" already exists", s.dbname);
    }
    let oid = ctx::new_oid(host)?;
    let mut row = DatabaseRow {
        oid,
        datname: s.dbname.as_str().into(),
        datdba: owner,
        datistemplate: false,
        datallowconn: true,
        datconnlimit: -1,
        datacl: None,
        ..source.clone()
    };
    options(&s.options, &mut row)?;
    host.cluster("create_database", &[Datum::Oid(oid), Datum::Oid(source.oid)])?;
    host.with_catalog(&mut |c| {
        c.insert(row.clone());
        c.record_owner(ObjectAddress::of::<DatabaseRow>(oid), owner);
        Ok(())
    })?;
    Ok(CommandOutcome::tag("CREATE DATABASE"))
}

fn options(list: &[DefElem], row: &mut DatabaseRow) -> PgResult<()> {
    for d in list {
        match d.defname.as_str() {
            "template" | "owner" | "strategy" | "oid" | "tablespace" | "location" | "collation_version"
            | "locale_provider" => {}
            "encoding" => {
                let name = text(d).unwrap_or_else(|| "UTF8".into());
                match name.to_ascii_lowercase().replace(['-', '_'], "").as_str() {
                    "utf8" | "unicode" | "6" | "sqlascii" | "latin1" => {}
                    _ => {
                        return Err(
                            err!(UNDEFINED_OBJECT, "{name} is not a valid encoding name").at(d.location)
                        );
                    }
                }
            }
            "locale" => {
                if let Some(t) = text(d) {
                    row.datcollate = t.as_str().into();
                    row.datctype = t.into();
                }
            }
            "lc_collate" => row.datcollate = text(d).unwrap_or_default().into(),
            "lc_ctype" => row.datctype = text(d).unwrap_or_default().into(),
            "builtin_locale" | "icu_locale" => row.datlocale = text(d).map(Into::into),
            "icu_rules" => row.daticurules = text(d).map(Into::into),
            "is_template" => row.datistemplate = flag(d)?,
            "allow_connections" => row.datallowconn = flag(d)?,
            "connection_limit" => row.datconnlimit = limit(d)?,
            other => return Err(PgError::syntax(format!("option \"{other}\" not recognized")).at(d.location)),
        }
    }
    Ok(())
}

fn owned(host: &dyn CommandHost, name: &str) -> PgResult<DatabaseRow> {
    let s = host.snapshot();
    let Some(row) = s.database_by_name(name) else {
        bail!(UNDEFINED_DATABASE, "database \"{name}\" does not exist")
    };
    if !acl::has_privs_of_role(&s, ctx::user(host), row.datdba) {
        bail!(INSUFFICIENT_PRIVILEGE, "must be owner of database {name}");
    }
    Ok(row.clone())
}

pub(crate) fn alter(host: &dyn CommandHost, s: &AlterDatabaseStmt) -> PgResult<CommandOutcome> {
    let mut row = owned(host, &s.dbname)?;
    for d in &s.options {
        match d.defname.as_str() {
            "is_template" => row.datistemplate = flag(d)?,
            "allow_connections" => row.datallowconn = flag(d)?,
            "connection_limit" => row.datconnlimit = limit(d)?,
            "tablespace" => {
                let name = text(d).unwrap_or_default();
                let snap = host.snapshot();
                let Some(t) = snap.tablespace_by_name(&name) else {
                    bail!(UNDEFINED_OBJECT, "tablespace \"{name}\" does not exist")
                };
                row.dattablespace = t.oid;
            }
            other => return Err(PgError::syntax(format!("option \"{other}\" not recognized")).at(d.location)),
        }
    }
    host.with_catalog(&mut |c| {
        c.update(row.clone());
        Ok(())
    })?;
    Ok(CommandOutcome::tag("ALTER DATABASE"))
}

pub(crate) fn rename(host: &dyn CommandHost, old: &str, new: &str) -> PgResult<()> {
    let row = owned(host, old)?;
    let s = host.snapshot();
    if !s.role_by_oid(ctx::user(host)).is_some_and(|r| r.rolsuper || r.rolcreatedb) {
        bail!(INSUFFICIENT_PRIVILEGE, "permission denied to rename database");
    }
    if s.database_by_name(new).is_some() {
        bail!(DUPLICATE_DATABASE, "database \"{new}\" already exists");
    }
    if row.oid == s.database() {
        return Err(PgError::unsupported("current database cannot be renamed"));
    }
    in_use(host, row.oid, old)?;
    host.with_catalog(&mut |c| {
        c.modify::<DatabaseRow>(row.oid, |r| r.datname = new.into());
        Ok(())
    })
}

fn in_use(host: &dyn CommandHost, database: Oid, name: &str) -> PgResult<()> {
    let Datum::Int8(n) = host.cluster("database_sessions", &[Datum::Oid(database)])? else { return Ok(()) };
    match n {
        0 => Ok(()),
        n => {
            let text = if n == 1 {
                "There is 1 other session using the database.".to_string()
            } else {
                format!("There are {n} other sessions using the database.")
            };
            Err(err!(OBJECT_IN_USE, "database \"{name}\" is being accessed by other users").detail(text))
        }
    }
}

pub(crate) fn drop(host: &dyn CommandHost, s: &DropdbStmt) -> PgResult<CommandOutcome> {
    top_level(host, "DROP DATABASE")?;
    let tag = CommandOutcome::tag("DROP DATABASE");
    if s.missing_ok && host.snapshot().database_by_name(&s.dbname).is_none() {
        let text = format!("database \"{}\" does not exist, skipping", s.dbname);
        ctx::notice(host, PgError::new(codes::SUCCESSFUL_COMPLETION, text).severity(Severity::Notice));
        return Ok(tag);
    }
    let row = owned(host, &s.dbname)?;
    if row.datistemplate {
        bail!(WRONG_OBJECT_TYPE, "cannot drop a template database");
    }
    if row.oid == host.snapshot().database() {
        bail!(OBJECT_IN_USE, "cannot drop the currently open database");
    }
    if s.options.iter().any(|d| d.defname == "force") {
        host.cluster("terminate_sessions", &[Datum::Oid(row.oid)])?;
    } else {
        in_use(host, row.oid, &s.dbname)?;
    }
    host.cluster("drop_database", &[Datum::Oid(row.oid)])?;
    host.with_catalog(&mut |c| {
        c.delete::<DatabaseRow>(row.oid);
        c.delete::<ShdescriptionRow>(Key::new().oid(row.oid).oid(DatabaseRow::CATALOG));
        c.forget_shared_dependencies(ObjectAddress::of::<DatabaseRow>(row.oid));
        // What the database's own objects depend on, roles above all, is shared and must go with them.
        c.delete_where::<ShdependRow>(|s| {
            s.iter::<ShdependRow>().filter(|d| d.dbid == row.oid).map(|d| d.key()).collect()
        });
        c.delete_where::<DbRoleSettingRow>(|s| {
            s.iter::<DbRoleSettingRow>().filter(|r| r.setdatabase == row.oid).map(|r| r.key()).collect()
        });
        Ok(())
    })?;
    Ok(tag)
}
