//! SET, SHOW, RESET, SET TRANSACTION, DISCARD, SET CONSTRAINTS.

use pglite_catalog::acl;
use pglite_commands::{Client, OutColumn};
use pglite_error::{PgError, PgResult, bail, codes, err};
use pglite_parser::ast::{
    ConstraintsSetStmt, DefArg, DefElem, DiscardMode, Expr, Value, VariableSetKind, VariableSetStmt,
};
use pglite_txn::Isolation;
use pglite_types::{Datum, Oid};

use crate::core::{Block, Core};
use crate::settings;

/// A SET argument as text.
fn arg_text(e: &Expr) -> PgResult<String> {
    match e {
        Expr::AConst(c) => Ok(match &c.val {
            Value::Integer(i) => i.to_string(),
            Value::Float(f) => f.clone(),
            Value::Boolean(b) => if *b { "true" } else { "false" }.into(),
            Value::String(s) | Value::BitString(s) => s.clone(),
            Value::Null => String::new(),
        }),
        // SET TIME ZONE INTERVAL '...'
        Expr::TypeCast(t) => arg_text(&t.arg),
        _ => Err(PgError::internal("unexpected node in SET")),
    }
}

pub(super) fn set(core: &Core, s: &VariableSetStmt) -> PgResult<String> {
    let source = core.setting_source();
    let local = s.is_local;
    if local && core.block.get() != Block::Explicit && core.depth.get() == 0 {
        core.notices.borrow_mut().push(PgError::warning(
            codes::NO_ACTIVE_SQL_TRANSACTION,
            if s.name == "TRANSACTION" {
                "SET TRANSACTION can only be used in transaction blocks"
            } else {
                "SET LOCAL can only be used in transaction blocks"
            },
        ));
    }
    match s.kind {
        VariableSetKind::SetMulti => {
            match s.name.as_str() {
                "TRANSACTION" => {
                    if core.block.get() != Block::Explicit {
                        warn_no_block(core, "SET TRANSACTION");
                    }
                    transaction_modes(core, &s.modes)?;
                }
                "SESSION CHARACTERISTICS" => {
                    for m in &s.modes {
                        let text = def_text(m)?;
                        core.settings.borrow_mut().set(
                            &format!("default_{}", m.defname),
                            &text,
                            false,
                            source,
                        )?;
                    }
                }
                _ => return Err(PgError::unsupported("SET TRANSACTION SNAPSHOT is not supported yet")),
            }
            return Ok("SET".into());
        }
        VariableSetKind::ResetAll => {
            core.settings.borrow_mut().reset_all();
            return Ok("RESET".into());
        }
        _ => {}
    }
    let name = s.name.as_str();
    if matches!(name, "role" | "session_authorization") {
        return set_user(core, s, name);
    }
    match s.kind {
        VariableSetKind::SetValue => {
            let values: Vec<String> = s.args.iter().map(arg_text).collect::<PgResult<_>>()?;
            if name.starts_with("transaction_") && settings::is_transaction_mode(name) {
                transaction_mode(core, name, &values.join(", "))?;
                return Ok("SET".into());
            }
            let text = settings::flatten_list(name, &values)?;
            core.settings.borrow_mut().set(name, &text, local, source)?;
        }
        VariableSetKind::SetCurrent => {
            let current = core.settings.borrow().get(name);
            let current = current
                .ok_or_else(|| err!(UNDEFINED_OBJECT, "unrecognized configuration parameter \"{name}\""))?;
            core.settings.borrow_mut().set(name, &current, local, source)?;
        }
        _ => core.settings.borrow_mut().reset(name, local, source)?,
    }
    if name == "application_name" {
        core.slot.activity.lock().application_name =
            core.settings.borrow().get(name).unwrap_or_else(|| "".into());
    }
    Ok(if s.kind == VariableSetKind::Reset { "RESET" } else { "SET" }.into())
}

fn warn_no_block(core: &Core, what: &str) {
    if core.depth.get() > 0 {
        return;
    }
    core.notices.borrow_mut().push(PgError::warning(
        codes::NO_ACTIVE_SQL_TRANSACTION,
        format!("{what} can only be used in transaction blocks"),
    ));
}

/// SET ROLE and SET SESSION AUTHORIZATION.
fn set_user(core: &Core, s: &VariableSetStmt, name: &str) -> PgResult<String> {
    let catalog = core.snapshot();
    let value = match s.kind {
        VariableSetKind::SetValue => s.args.first().map(arg_text).transpose()?.unwrap_or_default(),
        _ => "none".into(),
    };
    let tag = if matches!(s.kind, VariableSetKind::Reset) { "RESET" } else { "SET" };
    let login = core.slot.activity.lock().user;
    let target = if value == "none" && (name == "role" || s.kind != VariableSetKind::SetValue) {
        if name == "role" { core.session_user.get() } else { login }
    } else {
        let role = catalog
            .role_by_name(&value)
            .ok_or_else(|| err!(UNDEFINED_OBJECT, "role \"{value}\" does not exist"))?;
        role.oid
    };
    if name == "role" {
        if !acl::can_set_role(&catalog, core.session_user.get(), target) {
            bail!(INSUFFICIENT_PRIVILEGE, "permission denied to set role \"{value}\"");
        }
        core.current_user.set(target);
        let shown = if value == "none" { "none" } else { &value };
        core.settings.borrow_mut().set("role", shown, s.is_local, settings::Source::Startup)?;
    } else {
        if !acl::is_superuser(&catalog, login) && target != login {
            bail!(INSUFFICIENT_PRIVILEGE, "permission denied to set session authorization \"{value}\"");
        }
        core.session_user.set(target);
        core.current_user.set(target);
        let shown = catalog.role_by_oid(target).map(|r| r.rolname.to_string()).unwrap_or_default();
        core.settings.borrow_mut().set(
            "session_authorization",
            &shown,
            s.is_local,
            settings::Source::Startup,
        )?;
    }
    let superuser = if acl::is_superuser(&catalog, core.current_user.get()) { "on" } else { "off" };
    core.settings.borrow_mut().set("is_superuser", superuser, s.is_local, settings::Source::Startup)?;
    core.invalidate_path();
    Ok(tag.into())
}

fn def_text(m: &DefElem) -> PgResult<String> {
    Ok(match &m.arg {
        Some(DefArg::String(s)) => s.clone(),
        Some(DefArg::Boolean(b)) => if *b { "on" } else { "off" }.into(),
        Some(DefArg::Integer(i)) => if *i != 0 { "on" } else { "off" }.into(),
        _ => return Err(PgError::internal("unexpected transaction mode")),
    })
}

pub(super) fn transaction_modes(core: &Core, modes: &[DefElem]) -> PgResult<()> {
    modes.iter().try_for_each(|m| transaction_mode(core, &m.defname, &def_text(m)?))
}

/// One characteristic of the running transaction.
pub(super) fn transaction_mode(core: &Core, name: &str, value: &str) -> PgResult<()> {
    let on = || {
        settings::parse_bool(value)
            .ok_or_else(|| err!(INVALID_PARAMETER_VALUE, "parameter \"{name}\" requires a Boolean value"))
    };
    match name {
        "transaction_isolation" => core.set_isolation(match value.to_ascii_lowercase().as_str() {
            "serializable" => Isolation::Serializable,
            "repeatable read" => Isolation::RepeatableRead,
            "read committed" | "read uncommitted" => Isolation::ReadCommitted,
            _ => bail!(INVALID_PARAMETER_VALUE, "invalid value for parameter \"{name}\": \"{value}\""),
        }),
        "transaction_read_only" => core.set_read_only(on()?),
        _ => core.set_deferrable(on()?),
    }
}

fn canonical(core: &Core, name: &str) -> String {
    let settings = core.settings.borrow();
    let found = settings.names().find(|d| d.name.eq_ignore_ascii_case(name)).map(|d| d.name.to_string());
    found.unwrap_or_else(|| name.to_string())
}

pub(super) fn show_columns(core: &Core, name: &str) -> Vec<OutColumn> {
    if name.eq_ignore_ascii_case("all") {
        return ["name", "setting", "description"].into_iter().map(super::text_column).collect();
    }
    vec![super::text_column(&canonical(core, name))]
}

pub(super) fn show(core: &Core, name: &str, client: &mut dyn Client) -> PgResult<String> {
    let columns = show_columns(core, name);
    let rows = if name.eq_ignore_ascii_case("all") {
        let s = core.settings.borrow();
        s.names()
            .filter(|d| !d.flags.contains(&"NO_SHOW_ALL"))
            .map(|d| Ok(vec![Datum::text(d.name), Datum::text(s.show(d.name)?), Datum::text("")]))
            .collect::<PgResult<Vec<_>>>()?
    } else {
        let value = match core.transaction_setting(&name.to_ascii_lowercase()) {
            Some(v) => v,
            None => core.settings.borrow().show(name)?,
        };
        vec![vec![Datum::text(value)]]
    };
    super::send_rows(core, client, &columns, rows)?;
    Ok("SHOW".into())
}

pub(super) fn discard(core: &Core, what: DiscardMode, multi: bool) -> PgResult<String> {
    match what {
        DiscardMode::Plans => {
            core.pl.discard_plans();
            Ok("DISCARD PLANS".into())
        }
        DiscardMode::Sequences => {
            core.currval.borrow_mut().clear();
            core.lastval.set(None);
            Ok("DISCARD SEQUENCES".into())
        }
        DiscardMode::Temp => {
            crate::temp::drop_all(core);
            Ok("DISCARD TEMP".into())
        }
        DiscardMode::All => {
            if multi || core.block.get() == Block::Explicit {
                bail!(ACTIVE_SQL_TRANSACTION, "DISCARD ALL cannot run inside a transaction block");
            }
            core.portals.borrow_mut().clear();
            core.prepared.borrow_mut().clear();
            core.pl.discard_plans();
            core.listening.borrow_mut().clear();
            core.currval.borrow_mut().clear();
            core.lastval.set(None);
            core.settings.borrow_mut().reset_all();
            core.current_user.set(core.session_user.get());
            core.invalidate_path();
            crate::temp::drop_all(core);
            Ok("DISCARD ALL".into())
        }
    }
}

/// SET CONSTRAINTS.
pub(super) fn constraints(core: &Core, s: &ConstraintsSetStmt) -> PgResult<String> {
    if core.block.get() != Block::Explicit {
        warn_no_block(core, "SET CONSTRAINTS");
    }
    let catalog = core.snapshot();
    let path = core.search_path();
    if s.constraints.is_empty() {
        core.deferred.borrow_mut().set(None, s.deferred);
    } else {
        let mut found: Vec<Oid> = Vec::new();
        for name in &s.constraints {
            let schemas: Vec<Oid> = match &name.schemaname {
                Some(schema) => vec![path.namespace(&catalog, schema)?],
                None => path.schemas.to_vec(),
            };
            let matching: Vec<_> = schemas
                .iter()
                .find_map(|ns| {
                    let list: Vec<_> = catalog
                        .constraints_by_name(&name.relname)
                        .filter(|c| c.connamespace == *ns)
                        .map(|c| (c.oid, c.condeferrable))
                        .collect();
                    (!list.is_empty()).then_some(list)
                })
                .unwrap_or_default();
            if matching.is_empty() {
                bail!(UNDEFINED_OBJECT, "constraint \"{}\" does not exist", name.relname);
            }
            if matching.iter().any(|m| !m.1) {
                bail!(WRONG_OBJECT_TYPE, "constraint \"{}\" is not deferrable", name.relname);
            }
            found.extend(matching.into_iter().map(|m| m.0));
        }
        core.deferred.borrow_mut().set(Some(&found), s.deferred);
        if !s.deferred {
            crate::deferred::run(core, &|c| found.contains(&c))?;
        }
        return Ok("SET CONSTRAINTS".into());
    }
    if !s.deferred {
        crate::deferred::run_all(core)?;
    }
    Ok("SET CONSTRAINTS".into())
}
