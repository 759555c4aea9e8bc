//! Text forms of the reg* types: names to OIDs and back, as the search path sees them.
//!
//! The session's `TypeEnv` calls [`reg_in`] and [`reg_out`].

mod type_text;

use pglite_error::{PgError, PgResult, bail, codes, err};
use pglite_types::{Oid, oid};

use crate::describe::{format_operator, format_procedure};
use crate::format_type::{format_type_be, relation_name};
use crate::names::{parse_qualified_name, quote_ident, quote_qualified, split_schema};
use crate::search_path::{FuncQuery, SearchPath};
use crate::snapshot::Snapshot;

pub use type_text::{TypeText, parse_type_text, resolve_type_text};

/// Output of a reg* type; `kind` is the type's OID.
pub fn reg_out(s: &Snapshot, path: &SearchPath, kind: Oid, object: Oid) -> String {
    if !object.is_valid() {
        return "-".into();
    }
    let named = |visible: bool, ns: Oid, name: &str| {
        quote_qualified(if visible { None } else { s.namespace_name(ns) }, name)
    };
    let text = match kind {
        oid::REGCLASS => relation_name(s, path, object),
        oid::REGTYPE => s.type_by_oid(object).map(|_| format_type_be(s, path, object)),
        oid::REGPROCEDURE => format_procedure(s, path, object),
        oid::REGOPERATOR => format_operator(s, path, object),
        oid::REGPROC => s.proc_by_oid(object).map(|p| {
            let found = path.func_candidates(s, &FuncQuery { name: &p.proname, ..FuncQuery::default() });
            let unique = found.is_ok_and(|f| f.len() == 1 && f[0].proc.oid == object);
            named(unique, p.pronamespace, &p.proname)
        }),
        oid::REGOPER => s.operator_by_oid(object).map(|o| {
            let found = path.operators(s, None, &o.oprname);
            if found.is_ok_and(|f| f.len() == 1 && f[0].oid == object) {
                o.oprname.to_string()
            } else {
                format!("{}.{}", quote_ident(s.namespace_name(o.oprnamespace).unwrap_or("???")), o.oprname)
            }
        }),
        oid::REGCOLLATION => s
            .collation_by_oid(object)
            .map(|c| named(path.collation_is_visible(s, object), c.collnamespace, &c.collname)),
        oid::REGCONFIG => s
            .ts_config_by_oid(object)
            .map(|c| named(path.ts_config_is_visible(s, object), c.cfgnamespace, &c.cfgname)),
        oid::REGDICTIONARY => s
            .ts_dict_by_oid(object)
            .map(|c| named(path.ts_dict_is_visible(s, object), c.dictnamespace, &c.dictname)),
        oid::REGROLE => s.role_by_oid(object).map(|r| quote_ident(&r.rolname)),
        oid::REGNAMESPACE => s.namespace_name(object).map(quote_ident),
        _ => None,
    };
    text.unwrap_or_else(|| object.to_string())
}

/// Input of a reg* type; `kind` is the type's OID.
pub fn reg_in(s: &Snapshot, path: &SearchPath, kind: Oid, text: &str) -> PgResult<Oid> {
    if text == "-" {
        return Ok(Oid::INVALID);
    }
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        return match text.parse::<u32>() {
            Ok(v) => Ok(Oid(v)),
            Err(_) => bail!(NUMERIC_VALUE_OUT_OF_RANGE, "value \"{text}\" is out of range for type oid"),
        };
    }
    match kind {
        oid::REGTYPE => return resolve_type_text(s, path, text).map(|t| t.0),
        oid::REGPROCEDURE => return procedure_in(s, path, text),
        oid::REGOPERATOR => return operator_in(s, path, text),
        oid::REGOPER => return oper_in(s, path, text),
        _ => {}
    }
    let parts = parse_qualified_name(text)?;
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    if matches!(kind, oid::REGROLE | oid::REGNAMESPACE) {
        let [name] = parts.as_slice() else { bail!(INVALID_NAME, "invalid name syntax") };
        return match kind {
            oid::REGROLE => match s.role_by_name(name) {
                Some(r) => Ok(r.oid),
                None => bail!(UNDEFINED_OBJECT, "role \"{name}\" does not exist"),
            },
            _ => match s.namespace_by_name(name) {
                Some(n) => Ok(n.oid),
                None => bail!(INVALID_SCHEMA_NAME, "schema \"{name}\" does not exist"),
            },
        };
    }
    let (schema, name) = split_schema(&parts, database_name(s))?;
    match kind {
        oid::REGCLASS => match schema {
            Some(schema) if path.namespace_opt(s, schema)?.is_none() => {
                bail!(UNDEFINED_TABLE, "relation \"{schema}.{name}\" does not exist")
            }
            _ => path.relation(s, schema, name).map(|c| c.oid),
        },
        oid::REGPROC => {
            let found = path.func_candidates(s, &FuncQuery { schema, name, ..FuncQuery::default() })?;
            match found.as_slice() {
                [one] => Ok(one.proc.oid),
                [] => bail!(UNDEFINED_FUNCTION, "function \"{text}\" does not exist"),
                _ => bail!(AMBIGUOUS_FUNCTION, "more than one function named \"{text}\""),
            }
        }
        oid::REGCOLLATION => path.collation(s, schema, name).map(|c| c.oid),
        oid::REGCONFIG => path.ts_config(s, schema, name).map(|c| c.oid),
        oid::REGDICTIONARY => path.ts_dict(s, schema, name).map(|c| c.oid),
        _ => Err(PgError::internal(format!("type {kind} is not a reg type"))),
    }
}

fn database_name(s: &Snapshot) -> &str {
    s.database_by_oid(s.database()).map_or("", |d| &*d.datname)
}

/// `name(type, type)`: the name, and the types' texts.
fn split_arguments(text: &str) -> PgResult<(&str, Vec<String>)> {
    let mut quoted = false;
    let open = text.char_indices().find(|(_, c)| {
        quoted ^= *c == '"';
        *c == '(' && !quoted
    });
    let Some((open, _)) = open else { bail!(INVALID_TEXT_REPRESENTATION, "expected a left parenthesis") };
    let Some(inner) = text[open + 1..].trim_end().strip_suffix(')') else {
        bail!(INVALID_TEXT_REPRESENTATION, "expected a right parenthesis")
    };
    let mut args = Vec::new();
    let (mut depth, mut quoted, mut arg) = (0i32, false, String::new());
    for c in inner.chars() {
        match c {
            '"' => quoted = !quoted,
            '(' | '[' if !quoted => depth += 1,
            ')' | ']' if !quoted => depth -= 1,
            ',' if !quoted && depth == 0 => {
                args.push(std::mem::take(&mut arg));
                continue;
            }
            _ => {}
        }
        arg.push(c);
    }
    if !arg.trim().is_empty() || !args.is_empty() {
        args.push(arg);
    }
    if args.iter().any(|a| a.trim().is_empty()) {
        bail!(INVALID_TEXT_REPRESENTATION, "expected a type name");
    }
    Ok((&text[..open], args.iter().map(|a| a.trim().to_string()).collect()))
}

fn procedure_in(s: &Snapshot, path: &SearchPath, text: &str) -> PgResult<Oid> {
    let (name, args) = split_arguments(text)?;
    let parts = parse_qualified_name(name)?;
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let (schema, name) = split_schema(&parts, database_name(s))?;
    let types: PgResult<Vec<Oid>> = args.iter().map(|a| resolve_type_text(s, path, a).map(|t| t.0)).collect();
    let types = types?;
    let query = FuncQuery { schema, name, nargs: Some(types.len()), ..FuncQuery::default() };
    let found = path.func_candidates(s, &query)?;
    match found.iter().find(|c| c.args.as_slice() == types.as_slice()) {
        Some(c) => Ok(c.proc.oid),
        None => bail!(UNDEFINED_FUNCTION, "function \"{text}\" does not exist"),
    }
}

/// An operator's name with an optional schema.
fn operator_name(text: &str) -> PgResult<(Option<String>, &str)> {
    let at = text.find(|c: char| "+-*/<>=~!@#%^&|`?".contains(c));
    let Some(at) = at else { bail!(INVALID_NAME, "invalid name syntax") };
    match text[..at].strip_suffix('.') {
        Some(schema) => Ok((parse_qualified_name(schema)?.pop(), &text[at..])),
        None if text[..at].trim().is_empty() => Ok((None, &text[at..])),
        None => bail!(INVALID_NAME, "invalid name syntax"),
    }
}

fn oper_in(s: &Snapshot, path: &SearchPath, text: &str) -> PgResult<Oid> {
    let (schema, name) = operator_name(text)?;
    let found = path.operators(s, schema.as_deref(), name)?;
    match found.as_slice() {
        [one] => Ok(one.oid),
        [] => bail!(UNDEFINED_FUNCTION, "operator does not exist: {text}"),
        _ => bail!(AMBIGUOUS_FUNCTION, "more than one operator named {text}"),
    }
}

fn operator_in(s: &Snapshot, path: &SearchPath, text: &str) -> PgResult<Oid> {
    let (name, args) = split_arguments(text)?;
    let (schema, name) = operator_name(name.trim())?;
    let [left, right] = args.as_slice() else {
        return Err(if args.len() < 2 {
            err!(UNDEFINED_PARAMETER, "missing argument")
                .hint("Use NONE to denote the missing argument of a unary operator.")
        } else {
            PgError::new(codes::TOO_MANY_ARGUMENTS, "too many arguments")
                .hint("Provide two argument types for operator.")
        });
    };
    let side = |t: &str| {
        if t.eq_ignore_ascii_case("none") {
            Ok(Oid::INVALID)
        } else {
            resolve_type_text(s, path, t).map(|t| t.0)
        }
    };
    let (left, right) = (side(left)?, side(right)?);
    match path.operator_exact(s, schema.as_deref(), name, left, right)? {
        Some(o) => Ok(o.oid),
        None => bail!(UNDEFINED_FUNCTION, "operator does not exist: {text}"),
    }
}
