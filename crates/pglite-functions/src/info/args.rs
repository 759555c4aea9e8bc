//! Functions in words: their arguments, results and whole definitions.

use pglite_catalog::names::{quote_ident, quote_literal, quote_qualified};
use pglite_catalog::reldesc::split_list;
use pglite_catalog::{ProcRow, format_type, well_known};
use pglite_error::{PgResult, bail, err};
use pglite_ir::FnCtx;
use pglite_types::Oid;

use super::define::display;
use super::{catalog, path};
use crate::builtins;

/// A function's name, qualified when it is not visible.
pub(super) fn function_name(cx: &FnCtx<'_>, func: Oid) -> PgResult<String> {
    let s = catalog(cx);
    let p =
        s.proc_by_oid(func).ok_or_else(|| err!(INTERNAL_ERROR, "cache lookup failed for function {func}"))?;
    let hidden = !path(cx)?.function_is_visible(s, func);
    Ok(quote_qualified(if hidden { s.namespace_name(p.pronamespace) } else { None }, &p.proname))
}

fn type_text(cx: &FnCtx<'_>, t: Oid) -> PgResult<String> {
    Ok(format_type::format_type_be(catalog(cx), &path(cx)?, t))
}

struct Arg {
    mode: u8,
    name: String,
    ty: Oid,
}

fn all_args(p: &ProcRow) -> Vec<Arg> {
    let types: &[Oid] = p.proallargtypes.as_ref().map_or(p.proargtypes.as_slice(), |t| t.as_slice());
    types
        .iter()
        .enumerate()
        .map(|(i, ty)| Arg {
            mode: p.proargmodes.as_ref().and_then(|m| m.get(i).copied()).unwrap_or(b'i'),
            name: p.proargnames.as_ref().and_then(|n| n.get(i)).map_or_else(String::new, |n| n.to_string()),
            ty: *ty,
        })
        .collect()
}

/// The argument list; `table`: the columns of RETURNS TABLE instead.
fn list(cx: &FnCtx<'_>, p: &ProcRow, table: bool, defaults: bool) -> PgResult<String> {
    let args = all_args(p);
    let inputs = args.iter().filter(|a| matches!(a.mode, b'i' | b'b' | b'v')).count();
    let texts: Vec<&str> =
        p.proargdefaults.as_deref().filter(|_| defaults).map(split_list).unwrap_or_default();
    let first_default = inputs.saturating_sub(texts.len());
    // Ordered-set aggregates show ORDER BY between direct and aggregated arguments.
    let aggregate = catalog(cx).aggregate(p.oid).filter(|a| p.prokind == b'a' && a.aggkind != b'n');
    let direct = aggregate.map(|a| a.aggnumdirectargs as usize);
    let (mut out, mut printed, mut input) = (String::new(), 0, 0);
    for a in &args {
        let is_input = matches!(a.mode, b'i' | b'b' | b'v');
        let at = input;
        input += usize::from(is_input);
        if table != (a.mode == b't') {
            continue;
        }
        if direct == Some(printed) {
            out.push_str(if printed > 0 { " " } else { "" });
            out.push_str("ORDER BY ");
        } else if printed > 0 {
            out.push_str(", ");
        }
        printed += 1;
        out.push_str(match a.mode {
            b'b' => "INOUT ",
            b'o' => "OUT ",
            b'v' => "VARIADIC ",
            b'i' if p.prokind == b'p' && p.proargmodes.is_some() => "IN ",
            _ => "",
        });
        if !a.name.is_empty() {
            out.push_str(&quote_ident(&a.name));
            out.push(' ');
        }
        out.push_str(&type_text(cx, a.ty)?);
        if is_input
            && at >= first_default
            && let Some(text) = texts.get(at - first_default)
        {
            out.push_str(&format!(
                " DEFAULT {}",
                display(cx, text.trim(), Oid::INVALID, false, "relation")?.0
            ));
        }
    }
    // PG: a hypothetical-set aggregate whose last direct argument is VARIADIC repeats it.
    if let Some(a) = aggregate
        && a.aggkind == b'h'
        && direct == Some(printed)
        && let Some(last) = args.last()
    {
        out.push_str(&format!(" ORDER BY VARIADIC {}", type_text(cx, last.ty)?));
    }
    Ok(out)
}

fn arguments(cx: &FnCtx<'_>, func: Oid) -> PgResult<Option<String>> {
    let Some(p) = catalog(cx).proc_by_oid(func) else { return Ok(None) };
    list(cx, p, false, true).map(Some)
}
fn identity_arguments(cx: &FnCtx<'_>, func: Oid) -> PgResult<Option<String>> {
    let Some(p) = catalog(cx).proc_by_oid(func) else { return Ok(None) };
    list(cx, p, false, false).map(Some)
}

fn result_text(cx: &FnCtx<'_>, p: &ProcRow) -> PgResult<String> {
    if p.proargmodes.as_ref().is_some_and(|m| m.contains(&b't')) {
        return Ok(format!("TABLE({})", list(cx, p, true, false)?));
    }
    let set = if p.proretset { "SETOF " } else { "" };
    Ok(format!("{set}{}", type_text(cx, p.prorettype)?))
}
fn result(cx: &FnCtx<'_>, func: Oid) -> PgResult<Option<String>> {
    let Some(p) = catalog(cx).proc_by_oid(func) else { return Ok(None) };
    if p.prokind == b'p' {
        return Ok(None);
    }
    result_text(cx, p).map(Some)
}

fn arg_default(cx: &FnCtx<'_>, func: Oid, n: i32) -> PgResult<Option<String>> {
    let Some(p) = catalog(cx).proc_by_oid(func) else { return Ok(None) };
    let args = all_args(p);
    let Some(arg) = usize::try_from(n - 1).ok().and_then(|i| args.get(i)) else { return Ok(None) };
    let Some(texts) = p.proargdefaults.as_deref().map(split_list) else { return Ok(None) };
    if !matches!(arg.mode, b'i' | b'b' | b'v') {
        return Ok(None);
    }
    let input = args[..n as usize - 1].iter().filter(|a| matches!(a.mode, b'i' | b'b' | b'v')).count();
    let at = (input + texts.len()).checked_sub(p.pronargs as usize);
    match at.and_then(|i| texts.get(i)) {
        Some(text) => display(cx, text.trim(), Oid::INVALID, false, "relation").map(|t| Some(t.0)),
        None => Ok(None),
    }
}

/// The attributes that differ from the defaults, on one line.
fn attributes(p: &ProcRow, cx: &FnCtx<'_>) -> String {
    let mut words: Vec<String> = Vec::new();
    if p.prokind == b'w' {
        words.push("WINDOW".into());
    }
    match p.provolatile {
        b'i' => words.push("IMMUTABLE".into()),
        b's' => words.push("STABLE".into()),
        _ => {}
    }
    match p.proparallel {
        b's' => words.push("PARALLEL SAFE".into()),
        b'r' => words.push("PARALLEL RESTRICTED".into()),
        _ => {}
    }
    if p.proisstrict {
        words.push("STRICT".into());
    }
    if p.prosecdef {
        words.push("SECURITY DEFINER".into());
    }
    if p.proleakproof {
        words.push("LEAKPROOF".into());
    }
    let usual = if matches!(p.prolang, well_known::LANG_INTERNAL | well_known::LANG_C) { 1.0 } else { 100.0 };
    if p.procost != usual {
        words.push(format!("COST {}", p.procost));
    }
    if p.prorows > 0.0 && p.prorows != 1000.0 {
        words.push(format!("ROWS {}", p.prorows));
    }
    if p.prosupport.is_valid() {
        words.push(format!("SUPPORT {}", function_name(cx, p.prosupport).unwrap_or_default()));
    }
    words.join(" ")
}

/// `$function$`, with as many x's as it takes to not occur in the body.
fn dollar_quoted(body: &str, kind: &str) -> String {
    let mut tag = format!("${kind}");
    while body.contains(&tag) {
        tag.push('x');
    }
    tag.push('$');
    format!("{tag}{body}{tag}")
}

fn definition(cx: &FnCtx<'_>, func: Oid) -> PgResult<Option<String>> {
    let s = catalog(cx);
    let Some(p) = s.proc_by_oid(func) else { return Ok(None) };
    let name = quote_qualified(s.namespace_name(p.pronamespace), &p.proname);
    if p.prokind == b'a' {
        bail!(WRONG_OBJECT_TYPE, "\"{}\" is an aggregate function", p.proname);
    }
    let kind = if p.prokind == b'p' { "PROCEDURE" } else { "FUNCTION" };
    let mut out = format!("CREATE OR REPLACE {kind} {name}({})\n", list(cx, p, false, true)?);
    if p.prokind != b'p' {
        out.push_str(&format!(" RETURNS {}\n", result_text(cx, p)?));
    }
    let lang = s.language_by_oid(p.prolang).map_or("", |l| &*l.lanname);
    out.push_str(&format!(" LANGUAGE {}\n", quote_ident(lang)));
    let words = attributes(p, cx);
    if !words.is_empty() {
        out.push_str(&format!(" {words}\n"));
    }
    for item in p.proconfig.iter().flat_map(|c| c.iter()) {
        let (key, value) = item.split_once('=').unwrap_or((item, ""));
        let value = if matches!(
            key,
            "search_path" | "temp_tablespaces" | "session_preload_libraries" | "DateStyle"
        ) {
            let parts = pglite_catalog::names::split_identifiers(value, ',').unwrap_or_default();
            parts.iter().map(|v| quote_literal(v)).collect::<Vec<_>>().join(", ")
        } else {
            quote_literal(value)
        };
        out.push_str(&format!(" SET {} TO {value}\n", quote_ident(key)));
    }
    if let Some(body) = &p.prosqlbody {
        out.push_str(&format!("{body}\n"));
        return Ok(Some(out));
    }
    out.push_str("AS ");
    if let Some(bin) = p.probin.as_deref().filter(|b| !b.is_empty()) {
        out.push_str(&format!("{}, ", quote_literal(bin)));
    }
    out.push_str(&dollar_quoted(&p.prosrc, if p.prokind == b'p' { "procedure" } else { "function" }));
    out.push('\n');
    Ok(Some(out))
}

fn sqlbody(cx: &FnCtx<'_>, func: Oid) -> Option<String> {
    catalog(cx).proc_by_oid(func)?.prosqlbody.as_ref().map(|b| b.to_string())
}

builtins! { pub TABLE:
    "pg_get_function_arguments" => cx arguments[Oid];
    "pg_get_function_identity_arguments" => cx identity_arguments[Oid];
    "pg_get_function_result" => cx result[Oid];
    "pg_get_function_arg_default" => cx arg_default[Oid, i32];
    "pg_get_functiondef" => cx definition[Oid];
    "pg_get_function_sqlbody" => cx sqlbody[Oid];
}
