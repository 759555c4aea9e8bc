//! Foreign-data wrappers, servers, user mappings and foreign tables: catalog objects. (No wrapper with a handler
//! exists, so reading a foreign table fails as PostgreSQL's does for a wrapper without one.)

use pglite_catalog::acl::{self, AclKind};
use pglite_catalog::depend::{DependencyType, ObjectAddress};
use pglite_catalog::rows::*;
use pglite_catalog::{List, Str};
use pglite_error::{PgError, PgResult, Severity, bail, codes, err};
use pglite_parser::ast::*;
use pglite_types::{Oid, oid};

use crate::ctx;
use crate::define::{function, names_of, text_of};
use crate::host::{CommandHost, CommandOutcome};
use crate::{objects, role};

type Options = Option<List<Str>>;

/// `transformGenericOptions`: ADD, SET, DROP over what is there.
pub(crate) fn options(old: &Options, list: &[DefElem]) -> PgResult<Options> {
    let mut out: Vec<(String, String)> = old
        .iter()
        .flat_map(|l| l.iter())
        .filter_map(|o| o.split_once('='))
        .map(|(n, v)| (n.to_string(), v.to_string()))
        .collect();
    for d in list {
        let at = out.iter().position(|(n, _)| *n == d.defname);
        match d.defaction {
            DefElemAction::Drop => match at {
                Some(i) => {
                    out.remove(i);
                }
                None => bail!(UNDEFINED_OBJECT, "option \"{}\" not found", d.defname),
            },
            DefElemAction::Set => match at {
                Some(i) => out[i].1 = text_of(d).unwrap_or_default(),
                None => bail!(UNDEFINED_OBJECT, "option \"{}\" not found", d.defname),
            },
            _ => {
                if at.is_some() {
                    bail!(DUPLICATE_OBJECT, "option \"{}\" provided more than once", d.defname);
                }
                out.push((d.defname.clone(), text_of(d).unwrap_or_default()));
            }
        }
    }
    let list: Vec<Str> = out.into_iter().map(|(n, v)| format!("{n}={v}").into()).collect();
    Ok((!list.is_empty()).then(|| List::from(list)))
}

/// Runs the wrapper's validator over options for a catalog.
fn validate(host: &dyn CommandHost, validator: Oid, options: &Options, catalog: Oid) -> PgResult<()> {
    if !validator.is_valid() {
        return Ok(());
    }
    let texts =
        options.iter().flat_map(|l| l.iter()).map(|o| pglite_types::Datum::text(o.as_str())).collect();
    let array = pglite_types::array::ArrayValue::one_dim(oid::TEXT, texts);
    let args = [pglite_types::Datum::Array(std::sync::Arc::new(array)), pglite_types::Datum::Oid(catalog)];
    host.env().as_fn_host().call(validator, Oid::INVALID, &args).map(|_| ())
}

fn notice(host: &dyn CommandHost, code: pglite_error::SqlState, text: String) {
    ctx::notice(host, PgError::new(code, text).severity(Severity::Notice));
}

fn support(host: &dyn CommandHost, list: &[DefElem]) -> PgResult<(Option<Oid>, Option<Oid>)> {
    let (mut handler, mut validator) = (None, None);
    for d in list {
        let slot = if d.defname == "handler" { &mut handler } else { &mut validator };
        if slot.is_some() {
            return Err(PgError::syntax("conflicting or redundant options").at(d.location));
        }
        *slot = Some(match (&d.arg, d.defname.as_str()) {
            (None, _) => Oid::INVALID,
            (_, "handler") => {
                let names = names_of(d)?;
                let f = function(host, &names, &[])?;
                if host.snapshot().proc_by_oid(f).is_some_and(|p| p.prorettype != Oid(3115)) {
                    bail!(WRONG_OBJECT_TYPE, "function {} must return type fdw_handler", names.join("."));
                }
                f
            }
            _ => function(host, &names_of(d)?, &[oid::TEXT_ARRAY, oid::OID])?,
        });
    }
    Ok((handler, validator))
}

fn fdw(host: &dyn CommandHost, name: &str) -> PgResult<ForeignDataWrapperRow> {
    match host.snapshot().foreign_data_wrapper_by_name(name) {
        Some(r) => Ok(r.clone()),
        None => bail!(UNDEFINED_OBJECT, "foreign-data wrapper \"{name}\" does not exist"),
    }
}

fn server(host: &dyn CommandHost, name: &str) -> PgResult<ForeignServerRow> {
    match host.snapshot().foreign_server_by_name(name) {
        Some(r) => Ok(r.clone()),
        None => bail!(UNDEFINED_OBJECT, "server \"{name}\" does not exist"),
    }
}

pub(crate) fn create_fdw(host: &dyn CommandHost, c: &CreateFdwStmt) -> PgResult<CommandOutcome> {
    let s = host.snapshot();
    let user = ctx::user(host);
    if !acl::is_superuser(&s, user) {
        return Err(err!(
            INSUFFICIENT_PRIVILEGE,
            "permission denied to create foreign-data wrapper \"{}\"",
            c.fdwname
        )
        .hint("Must be superuser to create a foreign-data wrapper."));
    }
    if s.foreign_data_wrapper_by_name(&c.fdwname).is_some() {
        bail!(DUPLICATE_OBJECT, "foreign-data wrapper \"{}\" already exists", c.fdwname);
    }
    let (handler, validator) = support(host, &c.func_options)?;
    let row = ForeignDataWrapperRow {
        oid: ctx::new_oid(host)?,
        fdwname: c.fdwname.as_str().into(),
        fdwowner: user,
        fdwhandler: handler.unwrap_or_default(),
        fdwvalidator: validator.unwrap_or_default(),
        fdwacl: None,
        fdwoptions: options(&None, &c.options)?,
    };
    validate(host, row.fdwvalidator, &row.fdwoptions, Oid(2328))?;
    host.with_catalog(&mut |t| {
        let me = ObjectAddress::of::<ForeignDataWrapperRow>(row.oid);
        t.insert(row.clone());
        for f in [row.fdwhandler, row.fdwvalidator].into_iter().filter(|f| f.is_valid()) {
            t.record_dependency(me, ObjectAddress::proc(f), DependencyType::Normal);
        }
        t.record_owner(me, user);
        Ok(())
    })?;
    Ok(CommandOutcome::tag("CREATE FOREIGN DATA WRAPPER"))
}

pub(crate) fn alter_fdw(host: &dyn CommandHost, a: &AlterFdwStmt) -> PgResult<CommandOutcome> {
    let s = host.snapshot();
    if !acl::is_superuser(&s, ctx::user(host)) {
        return Err(err!(
            INSUFFICIENT_PRIVILEGE,
            "permission denied to alter foreign-data wrapper \"{}\"",
            a.fdwname
        )
        .hint("Must be superuser to alter a foreign-data wrapper."));
    }
    let mut row = fdw(host, &a.fdwname)?;
    let (handler, validator) = support(host, &a.func_options)?;
    let warn = |text: &str| {
        ctx::notice(host, PgError::new(codes::WARNING, text).severity(Severity::Warning));
    };
    if let Some(h) = handler {
        row.fdwhandler = h;
        warn("changing the foreign-data wrapper handler can change behavior of existing foreign tables");
    }
    if let Some(v) = validator {
        row.fdwvalidator = v;
        if v.is_valid() {
            warn(
                "changing the foreign-data wrapper validator can cause the options for dependent objects to become invalid",
            );
        }
    }
    if !a.options.is_empty() {
        row.fdwoptions = options(&row.fdwoptions, &a.options)?;
        validate(host, row.fdwvalidator, &row.fdwoptions, Oid(2328))?;
    }
    host.with_catalog(&mut |t| {
        let me = ObjectAddress::of::<ForeignDataWrapperRow>(row.oid);
        t.forget_dependencies_on_class(me, Oid(1255), DependencyType::Normal);
        t.update(row.clone());
        for f in [row.fdwhandler, row.fdwvalidator].into_iter().filter(|f| f.is_valid()) {
            t.record_dependency(me, ObjectAddress::proc(f), DependencyType::Normal);
        }
        Ok(())
    })?;
    Ok(CommandOutcome::tag("ALTER FOREIGN DATA WRAPPER"))
}

pub(crate) fn create_server(host: &dyn CommandHost, c: &CreateForeignServerStmt) -> PgResult<CommandOutcome> {
    let tag = CommandOutcome::tag("CREATE SERVER");
    let s = host.snapshot();
    if s.foreign_server_by_name(&c.servername).is_some() {
        let text = format!("server \"{}\" already exists", c.servername);
        if c.if_not_exists {
            notice(host, codes::DUPLICATE_OBJECT, format!("{text}, skipping"));
            return Ok(tag);
        }
        bail!(DUPLICATE_OBJECT, "{text}");
    }
    let wrapper = fdw(host, &c.fdwname)?;
    let user = ctx::user(host);
    let list = wrapper.fdwacl.as_ref().map(|l| l.to_vec());
    let owner_acl = acl::default_acl(AclKind::ForeignDataWrapper, wrapper.fdwowner);
    let mask = acl::acl_mask(&s, list.as_deref().unwrap_or(&owner_acl), user, wrapper.fdwowner, acl::USAGE);
    if mask == 0 && !acl::is_superuser(&s, user) {
        bail!(INSUFFICIENT_PRIVILEGE, "permission denied for foreign-data wrapper {}", wrapper.fdwname);
    }
    let row = ForeignServerRow {
        oid: ctx::new_oid(host)?,
        srvname: c.servername.as_str().into(),
        srvowner: user,
        srvfdw: wrapper.oid,
        srvtype: c.servertype.as_deref().map(Into::into),
        srvversion: c.version.as_deref().map(Into::into),
        srvacl: None,
        srvoptions: options(&None, &c.options)?,
    };
    validate(host, wrapper.fdwvalidator, &row.srvoptions, Oid(1417))?;
    host.with_catalog(&mut |t| {
        let me = ObjectAddress::of::<ForeignServerRow>(row.oid);
        t.insert(row.clone());
        t.record_dependency(
            me,
            ObjectAddress::of::<ForeignDataWrapperRow>(wrapper.oid),
            DependencyType::Normal,
        );
        t.record_owner(me, user);
        Ok(())
    })?;
    Ok(tag)
}

pub(crate) fn alter_server(host: &dyn CommandHost, a: &AlterForeignServerStmt) -> PgResult<CommandOutcome> {
    let mut row = server(host, &a.servername)?;
    let me = ObjectAddress::of::<ForeignServerRow>(row.oid);
    objects::check_owner(host, &me, &ObjectType::ForeignServer)?;
    if a.has_version {
        row.srvversion = a.version.as_deref().map(Into::into);
    }
    if !a.options.is_empty() {
        row.srvoptions = options(&row.srvoptions, &a.options)?;
        let s = host.snapshot();
        let v = s.foreign_data_wrapper_by_oid(row.srvfdw).map_or(Oid::INVALID, |f| f.fdwvalidator);
        validate(host, v, &row.srvoptions, Oid(1417))?;
    }
    host.with_catalog(&mut |t| {
        t.update(row.clone());
        Ok(())
    })?;
    Ok(CommandOutcome::tag("ALTER SERVER"))
}

fn who(host: &dyn CommandHost, r: &RoleSpec) -> PgResult<(Oid, String)> {
    let user = role::resolve_or_public(host, r)?;
    let s = host.snapshot();
    let name = s.role_by_oid(user).map_or("public".to_string(), |r| r.rolname.to_string());
    Ok((user, name))
}

/// The server's owner, or (for oneself) whoever may use the server.
fn may_map(host: &dyn CommandHost, srv: &ForeignServerRow, user: Oid) -> PgResult<()> {
    let s = host.snapshot();
    let me = ctx::user(host);
    if acl::has_privs_of_role(&s, me, srv.srvowner) {
        return Ok(());
    }
    if user == me {
        let list = srv.srvacl.as_ref().map(|l| l.to_vec());
        let owner_acl = acl::default_acl(AclKind::ForeignServer, srv.srvowner);
        if acl::acl_mask(&s, list.as_deref().unwrap_or(&owner_acl), me, srv.srvowner, acl::USAGE) != 0 {
            return Ok(());
        }
        bail!(INSUFFICIENT_PRIVILEGE, "permission denied for foreign server {}", srv.srvname);
    }
    bail!(INSUFFICIENT_PRIVILEGE, "must be owner of foreign server {}", srv.srvname)
}

fn mapping(host: &dyn CommandHost, user: Oid, srv: Oid) -> Option<UserMappingRow> {
    host.snapshot().iter::<UserMappingRow>().find(|m| m.umuser == user && m.umserver == srv).cloned()
}

pub(crate) fn create_mapping(host: &dyn CommandHost, c: &CreateUserMappingStmt) -> PgResult<CommandOutcome> {
    let tag = CommandOutcome::tag("CREATE USER MAPPING");
    let (user, name) = who(host, &c.user)?;
    let srv = server(host, &c.servername)?;
    may_map(host, &srv, user)?;
    if mapping(host, user, srv.oid).is_some() {
        let text = format!("user mapping for \"{name}\" already exists for server \"{}\"", c.servername);
        if c.if_not_exists {
            notice(host, codes::DUPLICATE_OBJECT, format!("{text}, skipping"));
            return Ok(tag);
        }
        bail!(DUPLICATE_OBJECT, "{text}");
    }
    let row = UserMappingRow {
        oid: ctx::new_oid(host)?,
        umuser: user,
        umserver: srv.oid,
        umoptions: options(&None, &c.options)?,
    };
    let s = host.snapshot();
    let v = s.foreign_data_wrapper_by_oid(srv.srvfdw).map_or(Oid::INVALID, |f| f.fdwvalidator);
    validate(host, v, &row.umoptions, Oid(1418))?;
    host.with_catalog(&mut |t| {
        let me = ObjectAddress::of::<UserMappingRow>(row.oid);
        t.insert(row.clone());
        t.record_dependency(me, ObjectAddress::of::<ForeignServerRow>(srv.oid), DependencyType::Normal);
        if user.is_valid() {
            t.record_owner(me, user);
        }
        Ok(())
    })?;
    Ok(tag)
}

pub(crate) fn alter_mapping(host: &dyn CommandHost, a: &AlterUserMappingStmt) -> PgResult<CommandOutcome> {
    let (user, name) = who(host, &a.user)?;
    let srv = server(host, &a.servername)?;
    let Some(mut row) = mapping(host, user, srv.oid) else {
        bail!(UNDEFINED_OBJECT, "user mapping for \"{name}\" does not exist for server \"{}\"", a.servername);
    };
    may_map(host, &srv, user)?;
    row.umoptions = options(&row.umoptions, &a.options)?;
    let s = host.snapshot();
    let v = s.foreign_data_wrapper_by_oid(srv.srvfdw).map_or(Oid::INVALID, |f| f.fdwvalidator);
    validate(host, v, &row.umoptions, Oid(1418))?;
    host.with_catalog(&mut |t| {
        t.update(row.clone());
        Ok(())
    })?;
    Ok(CommandOutcome::tag("ALTER USER MAPPING"))
}

pub(crate) fn drop_mapping(host: &dyn CommandHost, d: &DropUserMappingStmt) -> PgResult<CommandOutcome> {
    let tag = CommandOutcome::tag("DROP USER MAPPING");
    let skip = |text: String| -> PgResult<CommandOutcome> {
        if !d.missing_ok {
            return Err(err!(UNDEFINED_OBJECT, "{text}"));
        }
        ctx::notice(host, PgError::notice(format!("{text}, skipping")));
        Ok(CommandOutcome::tag("DROP USER MAPPING"))
    };
    let (user, name) = match who(host, &d.user) {
        Ok(w) => w,
        Err(e) => return skip(e.message().to_string()),
    };
    let srv = match server(host, &d.servername) {
        Ok(s) => s,
        Err(e) => return skip(e.message().to_string()),
    };
    let Some(row) = mapping(host, user, srv.oid) else {
        return skip(format!("user mapping for \"{name}\" does not exist for server \"{}\"", d.servername));
    };
    may_map(host, &srv, user)?;
    crate::drop::remove(host, &[ObjectAddress::of::<UserMappingRow>(row.oid)], true)?;
    Ok(tag)
}

/// CREATE FOREIGN TABLE: a table without storage, and its server.
pub(crate) fn create_table(host: &dyn CommandHost, c: &CreateForeignTableStmt) -> PgResult<CommandOutcome> {
    let tag = CommandOutcome::tag("CREATE FOREIGN TABLE");
    let srv = server(host, &c.servername)?;
    let Some(rel) = crate::table::create_foreign(host, &c.base)? else { return Ok(tag) };
    let row = ForeignTableRow { ftrelid: rel, ftserver: srv.oid, ftoptions: options(&None, &c.options)? };
    let s = host.snapshot();
    let v = s.foreign_data_wrapper_by_oid(srv.srvfdw).map_or(Oid::INVALID, |f| f.fdwvalidator);
    validate(host, v, &row.ftoptions, Oid(3118))?;
    host.with_catalog(&mut |t| {
        t.insert(row.clone());
        t.record_dependency(
            ObjectAddress::relation(rel),
            ObjectAddress::of::<ForeignServerRow>(srv.oid),
            DependencyType::Normal,
        );
        Ok(())
    })?;
    Ok(tag)
}
