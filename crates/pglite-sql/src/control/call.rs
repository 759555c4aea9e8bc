//! DO and CALL as statements of the client.

use pglite_analyze::{ParamTypes, analyze_call};
use pglite_commands::{Client, OutColumn};
use pglite_error::{PgError, PgResult, bail, err};
use pglite_ir::{CallInfo, Expr};
use pglite_parser::ast::{CallStmt, DefArg, DoStmt};
use pglite_types::{Batch, Datum, Oid, oid};

use crate::core::Core;
use crate::cx::Cx;

pub(crate) fn do_block(core: &Core, s: &DoStmt, source: &str, atomic: bool) -> PgResult<String> {
    let (mut body, mut language) = (None, "plpgsql".to_string());
    for d in &s.args {
        let text = match &d.arg {
            Some(DefArg::String(t)) => t.clone(),
            Some(DefArg::Names(n)) => n.join("."),
            _ => continue,
        };
        match d.defname.as_str() {
            "as" if body.is_some() => {
                return Err(PgError::syntax("conflicting or redundant options").at(d.location));
            }
            "as" => body = Some(text),
            _ => language = text.to_ascii_lowercase(),
        }
    }
    let Some(body) = body else { bail!(SYNTAX_ERROR, "no inline code specified") };
    let lang = core.snapshot().language_by_name(&language).cloned();
    let Some(lang) = lang else { return Err(crate::spi::no_language(&language)) };
    let plpgsql =
        core.snapshot().proc_by_oid(lang.laninline).is_some_and(|p| &*p.prosrc == "plpgsql_inline_handler");
    if !plpgsql {
        return Err(err!(
            FEATURE_NOT_SUPPORTED,
            "language \"{}\" does not support inline code execution",
            lang.lanname
        ));
    }
    core.txn()?;
    crate::spi::inline(core, source, &body, atomic)?;
    Ok("DO".into())
}

/// The function expression of a CALL and its parameters' modes.
fn resolve(core: &Core, s: &CallStmt, types: &[Oid]) -> PgResult<(Expr, Vec<u8>)> {
    let cx = Cx::new(core)?;
    let e = analyze_call(&cx, &s.funccall, &mut ParamTypes::fixed(types))?;
    let Expr::Func(f) = &e else { bail!(INTERNAL_ERROR, "CALL of something else than a procedure") };
    let modes = match cx.catalog.proc_by_oid(f.func).and_then(|p| p.proargmodes.clone()) {
        Some(m) => m.to_vec(),
        None => vec![b'i'; f.args.len()],
    };
    Ok((e, modes))
}

/// The OUT parameters as result columns; None without any.
pub(super) fn columns(core: &Core, s: &CallStmt) -> PgResult<Option<Vec<OutColumn>>> {
    let types = vec![oid::UNKNOWN; 0];
    let Ok((Expr::Func(f), modes)) = resolve(core, s, &types) else { return Ok(None) };
    out_columns(core, f.func, &f.args, &modes)
}

fn out_columns(core: &Core, func: Oid, args: &[Expr], modes: &[u8]) -> PgResult<Option<Vec<OutColumn>>> {
    let snapshot = core.snapshot();
    let Some(row) = snapshot.proc_by_oid(func) else { return Ok(None) };
    let names: Vec<String> = row.proargnames.iter().flat_map(|l| l.iter()).map(|n| n.to_string()).collect();
    let mut out = Vec::new();
    for (i, mode) in modes.iter().enumerate().filter(|(_, m)| matches!(m, b'o' | b'b')) {
        let declared = row.proallargtypes.as_ref().and_then(|l| l.get(i).copied()).unwrap_or(oid::TEXT);
        let ty = if pglite_catalog::SearchPath::is_polymorphic(declared) {
            args.get(i).map_or(declared, Expr::ty)
        } else {
            declared
        };
        let _ = mode;
        let name = names
            .get(i)
            .filter(|n| !n.is_empty())
            .cloned()
            .unwrap_or_else(|| format!("column{}", out.len() + 1));
        out.push(OutColumn {
            name,
            table: Oid::INVALID,
            attno: 0,
            ty,
            typlen: snapshot.type_by_oid(ty).map_or(-1, |t| t.typlen),
            typmod: -1,
        });
    }
    Ok((!out.is_empty()).then_some(out))
}

pub(super) fn call(
    core: &Core,
    s: &CallStmt,
    params: &[(Oid, Datum)],
    client: &mut dyn Client,
    multi: bool,
) -> PgResult<String> {
    let atomic = crate::spi::is_atomic(core, multi);
    let types: Vec<Oid> = params.iter().map(|p| p.0).collect();
    let (e, modes) = resolve(core, s, &types)?;
    let Expr::Func(f) = e else { bail!(INTERNAL_ERROR, "CALL of something else than a procedure") };
    let (mut values, mut arg_types) = (Vec::new(), Vec::new());
    {
        let cx = Cx::new(core)?;
        for (i, arg) in f.args.iter().enumerate() {
            if modes.get(i) == Some(&b'o') {
                continue;
            }
            arg_types.push(arg.ty());
            values.push(pglite_exec::expr::eval_with_params(&cx.exec_env(), arg, params)?);
        }
    }
    let info = CallInfo { func: f.func, ret_type: oid::RECORD, arg_types, ..CallInfo::default() };
    let result = crate::spi::procedure(core, &info, &values, atomic)?;
    if let Some(columns) = out_columns(core, f.func, &f.args, &modes)? {
        core.send_notices(client);
        client.describe_rows(&columns, &[])?;
        let row = match &result {
            Datum::Record(r) => r.values.clone(),
            _ => vec![Datum::Null; columns.len()],
        };
        let cx = Cx::new(core)?;
        let mut batch = Batch::new(columns.len());
        batch.push_row(row);
        client.rows(&cx, &columns, &[], &batch)?;
    }
    Ok("CALL".into())
}
