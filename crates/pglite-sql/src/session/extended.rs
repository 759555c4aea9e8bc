//! The extended protocol: Parse, Bind, Describe, Execute, Sync.

use std::sync::Arc;

use pglite_commands::{Client, OutColumn};
use pglite_error::{PgResult, bail, err};
use pglite_types::{Datum, Oid, binary, oid, text};

use super::Session;
use crate::collect::Undescribed;
use crate::core::{Block, Core};
use crate::cx::Cx;
use crate::portal::{Portal, PortalEnd};
use crate::prepared::PreparedStatement;
use crate::run;

/// How an Execute message ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExecuteOutcome {
    Complete,
    /// The row limit was reached.
    Suspended,
}

impl Session {
    /// Parse: an empty name is the unnamed statement.
    pub fn parse(&mut self, name: &str, sql: &str, types: &[Oid], client: &mut dyn Client) -> PgResult<()> {
        let core = &*self.core;
        core.begin_message(sql);
        let result = parse(core, name, sql, types);
        core.send_notices(client);
        result
    }

    /// The text of a prepared statement, for error positions.
    pub fn statement_source(&self, name: &str, out: &mut String) {
        if let Some(s) = self.core.prepared.borrow().get(name) {
            out.clear();
            out.push_str(&s.source);
        }
    }
    pub fn portal_source(&self, name: &str, out: &mut String) {
        if let Some(s) = self.core.portals.borrow().source(name) {
            out.clear();
            out.push_str(&s);
        }
    }

    pub fn bind(
        &mut self,
        portal: &str,
        statement: &str,
        param_formats: &[i16],
        params: &[Option<&[u8]>],
        result_formats: &[i16],
        client: &mut dyn Client,
    ) -> PgResult<()> {
        let core = &*self.core;
        let result = bind(core, portal, statement, param_formats, params, result_formats);
        core.send_notices(client);
        result
    }

    /// Parameter types and result columns.
    pub fn describe_statement(&mut self, name: &str) -> PgResult<(Vec<Oid>, Option<Vec<OutColumn>>)> {
        let statement = self.core.find_prepared(name)?;
        Ok((statement.param_types.clone(), statement.columns.clone()))
    }

    pub fn describe_portal(&mut self, name: &str) -> PgResult<Option<(Vec<OutColumn>, Vec<i16>)>> {
        let portals = self.core.portals.borrow();
        let Some(p) = portals.get(name) else { bail!(UNDEFINED_CURSOR, "portal \"{name}\" does not exist") };
        Ok(p.columns.clone().map(|c| (c, p.formats.clone())))
    }

    /// Execute: up to `max_rows` rows, 0 = all.
    pub fn execute_portal(
        &mut self,
        name: &str,
        max_rows: usize,
        client: &mut dyn Client,
    ) -> PgResult<ExecuteOutcome> {
        let core = &*self.core;
        let result = execute(core, name, max_rows, client);
        core.send_notices(client);
        result
    }

    pub fn close_statement(&mut self, name: &str) {
        self.core.prepared.borrow_mut().remove(name);
    }
    pub fn close_portal(&mut self, name: &str) {
        self.core.portals.borrow_mut().remove(name);
    }

    /// Sync: the implicit transaction ends.
    pub fn sync(&mut self, client: &mut dyn Client) -> PgResult<()> {
        let core = &*self.core;
        if core.block.get() == Block::Implicit { core.finish_implicit(client) } else { Ok(()) }
    }

    /// The fast-path function call.
    pub fn function_call(
        &mut self,
        function: Oid,
        arg_formats: &[i16],
        args: &[Option<&[u8]>],
        result_format: i16,
        client: &mut dyn Client,
    ) -> PgResult<Option<Vec<u8>>> {
        let core = &*self.core;
        core.begin_message("<FASTPATH>");
        if core.block.get() == Block::Failed {
            bail!(
                IN_FAILED_SQL_TRANSACTION,
                "current transaction is aborted, commands ignored until end of transaction block"
            );
        }
        core.refresh_catalog()?;
        let value = {
            let cx = Cx::new(core)?;
            let row = cx
                .catalog
                .proc_by_oid(function)
                .ok_or_else(|| err!(UNDEFINED_FUNCTION, "function with OID {function} does not exist"))?;
            let types: Vec<Oid> = row.proargtypes.iter().copied().collect();
            if types.len() != args.len() {
                bail!(
                    PROTOCOL_VIOLATION,
                    "function call message contains {} arguments but function requires {}",
                    args.len(),
                    types.len()
                );
            }
            let values = read_params(&cx, &types, arg_formats, args, "")?;
            let result = pglite_ir::FnHost::call(&cx, function, Oid::INVALID, &values)?;
            write_value(&cx, row.prorettype, &result, result_format)?
        };
        if core.block.get() == Block::Implicit {
            core.finish_implicit(client)?;
        }
        Ok(value)
    }
}

fn write_value(cx: &Cx<'_>, ty: Oid, value: &Datum, format: i16) -> PgResult<Option<Vec<u8>>> {
    if value.is_null() {
        return Ok(None);
    }
    if format == 1 {
        let mut out = Vec::new();
        binary::binary_send(cx, ty, value, &mut out)?;
        return Ok(Some(out));
    }
    let mut out = String::new();
    text::text_out(cx, ty, value, &mut out)?;
    Ok(Some(out.into_bytes()))
}

fn parse(core: &Core, name: &str, sql: &str, types: &[Oid]) -> PgResult<()> {
    if name.is_empty() {
        core.prepared.borrow_mut().remove("");
    } else if core.prepared.borrow().contains_key(name) {
        bail!(DUPLICATE_PSTATEMENT, "prepared statement \"{name}\" already exists");
    }
    let mut parsed = run::parse(core, sql)?;
    if parsed.stmts.len() > 1 {
        bail!(SYNTAX_ERROR, "cannot insert multiple commands into a prepared statement");
    }
    let statement = match parsed.stmts.pop() {
        None => PreparedStatement::empty(sql),
        Some(raw) => {
            core.check_usable(&raw.stmt)?;
            let types: Vec<Oid> =
                types.iter().map(|t| if *t == oid::UNKNOWN { Oid::INVALID } else { *t }).collect();
            PreparedStatement::new(core, sql, Arc::new(raw), &types, true)?
        }
    };
    core.prepared.borrow_mut().insert(name.to_string(), Arc::new(statement));
    Ok(())
}

/// Decodes parameters; formats: none = text, one for all, or one each.
fn read_params(
    cx: &Cx<'_>,
    types: &[Oid],
    formats: &[i16],
    params: &[Option<&[u8]>],
    portal: &str,
) -> PgResult<Vec<Datum>> {
    let format = |i: usize| match formats {
        [] => 0,
        [all] => *all,
        each => each.get(i).copied().unwrap_or(0),
    };
    params
        .iter()
        .zip(types)
        .enumerate()
        .map(|(i, (param, ty))| {
            let Some(bytes) = param else { return Ok(Datum::Null) };
            let result = if format(i) == 1 {
                binary::binary_recv(cx, *ty, -1, bytes)
            } else {
                let s = std::str::from_utf8(bytes).map_err(|e| {
                    let bad = &bytes
                        [e.valid_up_to()..(e.valid_up_to() + e.error_len().unwrap_or(1)).min(bytes.len())];
                    let hex: Vec<String> = bad.iter().map(|b| format!("0x{b:02x}")).collect();
                    err!(
                        CHARACTER_NOT_IN_REPERTOIRE,
                        "invalid byte sequence for encoding \"UTF8\": {}",
                        hex.join(" ")
                    )
                });
                s.and_then(|s| text::text_in(cx, *ty, -1, s))
            };
            result.map_err(|e| {
                let whose =
                    if portal.is_empty() { "unnamed portal".into() } else { format!("portal \"{portal}\"") };
                // PG: a value is not shown unless log_parameter_max_length_on_error says so; a binary one never is.
                let shown = if format(i) == 1 { "" } else { " = '...'" };
                e.context(format!("{whose} parameter ${}{shown}", i + 1))
            })
        })
        .collect()
}

fn bind(
    core: &Core,
    portal: &str,
    statement: &str,
    param_formats: &[i16],
    params: &[Option<&[u8]>],
    result_formats: &[i16],
) -> PgResult<()> {
    let prepared = core.find_prepared(statement)?;
    if let Some(raw) = &prepared.raw {
        core.check_usable(&raw.stmt)?;
    }
    if params.len() != prepared.param_types.len() {
        bail!(
            PROTOCOL_VIOLATION,
            "bind message supplies {} parameters, but prepared statement \"{statement}\" requires {}",
            params.len(),
            prepared.param_types.len()
        );
    }
    if param_formats.len() > 1 && param_formats.len() != params.len() {
        bail!(
            PROTOCOL_VIOLATION,
            "bind message has {} parameter formats but {} parameters",
            param_formats.len(),
            params.len()
        );
    }
    if portal.is_empty() {
        core.portals.borrow_mut().drop_unnamed();
    } else if core.portals.borrow().get(portal).is_some() {
        bail!(DUPLICATE_CURSOR, "cursor \"{portal}\" already exists");
    }
    core.begin_message(&prepared.source);
    core.refresh_catalog()?;
    let needs_transaction =
        prepared.raw.as_ref().is_some_and(|r| !crate::control::is_transaction_control(&r.stmt));
    let values = if needs_transaction && !params.is_empty() {
        let cx = Cx::new(core)?;
        read_params(&cx, &prepared.param_types, param_formats, params, portal)?
    } else {
        Vec::new()
    };
    let ncols = prepared.columns.as_ref().map_or(0, Vec::len);
    if result_formats.len() > 1 && result_formats.len() != ncols {
        bail!(
            PROTOCOL_VIOLATION,
            "bind message has {} result formats but query has {ncols} columns",
            result_formats.len()
        );
    }
    let action = match &prepared.raw {
        None => None,
        Some(_) => Some(prepared.action(core)?),
    };
    let new = Portal::new(&prepared, action, values, result_formats.to_vec());
    core.portals.borrow_mut().insert(portal, new);
    Ok(())
}

fn execute(core: &Core, name: &str, max_rows: usize, client: &mut dyn Client) -> PgResult<ExecuteOutcome> {
    let Some(mut portal) = core.portals.borrow_mut().take(name) else {
        bail!(UNDEFINED_CURSOR, "portal \"{name}\" does not exist");
    };
    if let Some(raw) = portal.raw() {
        core.check_usable(&raw.stmt)?;
    }
    let formats = portal.formats.clone();
    let mut quiet = Undescribed { inner: client, formats: &formats };
    let end = portal.run(core, max_rows, &mut quiet);
    core.send_notices(client);
    let end = end?;
    // A transaction command ended the transaction, and with it its portals.
    if !matches!(end, PortalEnd::Empty) && (core.in_transaction() || portal.is_held()) {
        core.portals.borrow_mut().put_back(name, portal);
    }
    match end {
        PortalEnd::Complete(tag) => {
            client.complete(&tag)?;
            Ok(ExecuteOutcome::Complete)
        }
        PortalEnd::Suspended => Ok(ExecuteOutcome::Suspended),
        PortalEnd::Empty => {
            client.empty_query()?;
            Ok(ExecuteOutcome::Complete)
        }
    }
}
