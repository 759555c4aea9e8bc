//! Input and output of the reg* types: names of catalog objects as values.

use pglite_catalog::{names, format_type};
use pglite_error::{PgResult, bail, err};
use pglite_types::{Oid, oid};

use super::Cx;

/// The parts of a possibly qualified name.
fn split(cx: &Cx<'_>, name: &str) -> PgResult<(Option<String>, String)> {
    let parts = names::parse_qualified_name(name)?;
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let (schema, object) = names::split_schema(&parts, &cx.core.slot.database_name)?;
    Ok((schema.map(str::to_string), object.to_string()))
}

fn numeric(name: &str) -> Option<Oid> {
    if name == "-" {
        return Some(Oid::INVALID);
    }
    name.bytes().all(|b| b.is_ascii_digit()).then(|| name.parse().ok().map(Oid)).flatten()
}

pub fn reg_in(cx: &Cx<'_>, kind: Oid, name: &str) -> PgResult<Oid> {
    if let Some(oid) = numeric(name) {
        return Ok(oid);
    }
    let s = &*cx.catalog;
    match kind {
        oid::REGTYPE => {
            let type_name = pglite_parser::parse_type_name(name)?;
            Ok(pglite_analyze::resolve_type_name(cx, &type_name)?.0)
        }
        oid::REGROLE => {
            let parts = names::parse_qualified_name(name)?;
            match &parts[..] {
                [one] => s
                    .authid_by_name(one)
                    .map(|r| r.oid)
                    .ok_or_else(|| err!(UNDEFINED_OBJECT, "role \"{one}\" does not exist")),
                _ => bail!(INVALID_NAME, "invalid name syntax"),
            }
        }
        oid::REGNAMESPACE => {
            let parts = names::parse_qualified_name(name)?;
            match &parts[..] {
                [one] => cx.path.namespace(s, one),
                _ => bail!(INVALID_NAME, "invalid name syntax"),
            }
        }
        oid::REGDATABASE => {
            let parts = names::parse_qualified_name(name)?;
            match &parts[..] {
                [one] => s
                    .database_by_name(one)
                    .map(|r| r.oid)
                    .ok_or_else(|| err!(UNDEFINED_OBJECT, "database \"{one}\" does not exist")),
                _ => bail!(INVALID_NAME, "invalid name syntax"),
            }
        }
        oid::REGCLASS => {
            let (schema, object) = split(cx, name)?;
            Ok(cx.path.relation(s, schema.as_deref(), &object)?.oid)
        }
        oid::REGCOLLATION => {
            let (schema, object) = split(cx, name)?;
            Ok(cx.path.collation(s, schema.as_deref(), &object)?.oid)
        }
        oid::REGCONFIG => {
            let (schema, object) = split(cx, name)?;
            Ok(cx.path.ts_config(s, schema.as_deref(), &object)?.oid)
        }
        oid::REGDICTIONARY => {
            let (schema, object) = split(cx, name)?;
            Ok(cx.path.ts_dict(s, schema.as_deref(), &object)?.oid)
        }
        oid::REGPROC => proc(cx, name),
        oid::REGPROCEDURE => procedure(cx, name),
        oid::REGOPER => operator(cx, name),
        oid::REGOPERATOR => operator_with_args(cx, name),
        _ => bail!(FEATURE_NOT_SUPPORTED, "input of type {kind} is not supported"),
    }
}

fn proc(cx: &Cx<'_>, name: &str) -> PgResult<Oid> {
    let (schema, object) = split(cx, name)?;
    let found = procs(cx, schema.as_deref(), &object)?;
    match &found[..] {
        [] => bail!(UNDEFINED_FUNCTION, "function \"{name}\" does not exist"),
        [one] => Ok(*one),
        _ => bail!(AMBIGUOUS_FUNCTION, "more than one function named \"{name}\""),
    }
}

/// Functions of that name in the schema, or in the first schema of the path that has any.
fn procs(cx: &Cx<'_>, schema: Option<&str>, name: &str) -> PgResult<Vec<Oid>> {
    let s = &*cx.catalog;
    let namespace = schema.map(|n| cx.path.namespace(s, n)).transpose()?;
    Ok(s.procs_by_name(name)
        .filter(|p| match namespace {
            Some(ns) => p.pronamespace == ns,
            None => cx.path.function_is_visible(s, p.oid),
        })
        .map(|p| p.oid)
        .collect())
}

/// `name(type, ...)`: the name and the argument types.
fn signature(cx: &Cx<'_>, text: &str) -> PgResult<(String, Vec<Option<Oid>>)> {
    let open = text.find('(').ok_or_else(|| err!(INVALID_TEXT_REPRESENTATION, "expected a left parenthesis"))?;
    let close = text.rfind(')').filter(|c| *c > open).ok_or_else(|| err!(INVALID_TEXT_REPRESENTATION, "expected a right parenthesis"))?;
    let inner = text[open + 1..close].trim();
    let mut types = Vec::new();
    for part in split_types(inner) {
        let part = part.trim();
        if part.eq_ignore_ascii_case("none") {
            types.push(None);
            continue;
        }
        if part.is_empty() {
            bail!(INVALID_TEXT_REPRESENTATION, "expected a type name");
        }
        let type_name = pglite_parser::parse_type_name(part)?;
        types.push(Some(pglite_analyze::resolve_type_name(cx, &type_name)?.0));
    }
    Ok((text[..open].trim().to_string(), types))
}

/// Splits at commas outside quotes and parentheses.
fn split_types(text: &str) -> Vec<&str> {
    let (mut out, mut depth, mut quoted, mut from) = (Vec::new(), 0, false, 0);
    if text.is_empty() {
        return out;
    }
    for (i, c) in text.char_indices() {
        match c {
            '"' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth -= 1,
            ',' if !quoted && depth == 0 => {
                out.push(&text[from..i]);
                from = i + 1;
            }
            _ => {}
        }
    }
    out.push(&text[from..]);
    out
}

fn procedure(cx: &Cx<'_>, text: &str) -> PgResult<Oid> {
    let (name, types) = signature(cx, text)?;
    let types: Vec<Oid> = types.into_iter().flatten().collect();
    let (schema, object) = split(cx, &name)?;
    let s = &*cx.catalog;
    procs(cx, schema.as_deref(), &object)?
        .into_iter()
        .find(|o| s.proc_by_oid(*o).is_some_and(|p| p.proargtypes.iter().copied().eq(types.iter().copied())))
        .ok_or_else(|| err!(UNDEFINED_FUNCTION, "function \"{text}\" does not exist"))
}

/// `schema.op`: the schema and the operator's characters.
fn operator_name<'a>(name: &'a str) -> (Option<String>, &'a str) {
    match name.rsplit_once('.') {
        Some((schema, op)) if schema.chars().all(|c| c.is_alphanumeric() || "_\"$".contains(c)) => {
            (Some(schema.trim_matches('"').to_string()), op)
        }
        _ => (None, name),
    }
}

fn operator(cx: &Cx<'_>, name: &str) -> PgResult<Oid> {
    let (schema, op) = operator_name(name);
    let s = &*cx.catalog;
    let namespace = schema.map(|n| cx.path.namespace(s, &n)).transpose()?;
    let mut found = s.operators_by_name(op).filter(|o| namespace.is_none_or(|ns| o.oprnamespace == ns));
    match (found.next(), found.next()) {
        (None, _) => bail!(UNDEFINED_FUNCTION, "operator does not exist: {name}"),
        (Some(one), None) => Ok(one.oid),
        _ => bail!(AMBIGUOUS_FUNCTION, "more than one operator named {name}"),
    }
}

fn operator_with_args(cx: &Cx<'_>, text: &str) -> PgResult<Oid> {
    let (name, types) = signature(cx, text)?;
    let [left, right] = types[..] else {
        return Err(match types.len() {
            0 | 1 => err!(UNDEFINED_PARAMETER, "missing argument")
                .hint("Use NONE to denote the missing argument of a unary operator."),
            _ => err!(TOO_MANY_ARGUMENTS, "too many arguments").hint("Provide two argument types for operator."),
        });
    };
    let (schema, op) = operator_name(&name);
    let s = &*cx.catalog;
    let namespace = schema.map(|n| cx.path.namespace(s, &n)).transpose()?;
    let (left, right) = (left.unwrap_or(Oid::INVALID), right.unwrap_or(Oid::INVALID));
    s.operators_exact(op, left, right)
        .find(|o| namespace.is_none_or(|ns| o.oprnamespace == ns))
        .map(|o| o.oid)
        .ok_or_else(|| err!(UNDEFINED_FUNCTION, "operator does not exist: {text}"))
}

pub fn reg_out(cx: &Cx<'_>, kind: Oid, value: Oid) -> PgResult<String> {
    if !value.is_valid() {
        return Ok("-".into());
    }
    let s = &*cx.catalog;
    let path = &*cx.path;
    let qualify = |visible: bool, namespace: Oid, name: &str| {
        names::quote_qualified(if visible { None } else { s.namespace_name(namespace) }, name)
    };
    let text = match kind {
        oid::REGTYPE => s.type_by_oid(value).map(|_| format_type::format_type_be(s, path, value)),
        oid::REGROLE => s.authid_by_oid(value).map(|r| names::quote_ident(&r.rolname)),
        oid::REGNAMESPACE => s.namespace_name(value).map(names::quote_ident),
        oid::REGDATABASE => s.database_by_oid(value).map(|d| names::quote_ident(&d.datname)),
        oid::REGCLASS => format_type::relation_name(s, path, value),
        oid::REGCOLLATION => s
            .collation_by_oid(value)
            .map(|c| qualify(path.collation_is_visible(s, value), c.collnamespace, &c.collname)),
        oid::REGCONFIG => s
            .ts_config_by_oid(value)
            .map(|c| qualify(path.ts_config_is_visible(s, value), c.cfgnamespace, &c.cfgname)),
        oid::REGDICTIONARY => {
            s.ts_dict_by_oid(value).map(|c| qualify(path.ts_dict_is_visible(s, value), c.dictnamespace, &c.dictname))
        }
        oid::REGPROC => s.proc_by_oid(value).map(|p| {
            let unique = procs(cx, None, &p.proname).is_ok_and(|f| f == [value]);
            qualify(unique, p.pronamespace, &p.proname)
        }),
        oid::REGPROCEDURE => s.proc_by_oid(value).map(|p| {
            let args: Vec<String> = p.proargtypes.iter().map(|t| format_type::format_type_be(s, path, *t)).collect();
            format!("{}({})", qualify(path.function_is_visible(s, value), p.pronamespace, &p.proname), args.join(","))
        }),
        oid::REGOPER => s.operator_by_oid(value).map(|o| {
            let unique = s.operators_by_name(&o.oprname).count() == 1;
            operator_text(cx, unique, o.oprnamespace, &o.oprname)
        }),
        oid::REGOPERATOR => s.operator_by_oid(value).map(|o| {
            let arg = |t: Oid| if t.is_valid() { format_type::format_type_be(s, path, t) } else { "NONE".into() };
            let name = operator_text(cx, path.operator_is_visible(s, value), o.oprnamespace, &o.oprname);
            format!("{name}({},{})", arg(o.oprleft), arg(o.oprright))
        }),
        _ => None,
    };
    Ok(text.unwrap_or_else(|| value.to_string()))
}

fn operator_text(cx: &Cx<'_>, visible: bool, namespace: Oid, name: &str) -> String {
    match cx.catalog.namespace_name(namespace) {
        Some(schema) if !visible => format!("{}.{name}", names::quote_ident(schema)),
        _ => name.to_string(),
    }
}
