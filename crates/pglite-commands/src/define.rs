//! CREATE of operators, aggregates, types, operator classes, collations, text search objects ..., and their options.

pub(crate) mod aggregate;
pub(crate) mod cast;
pub(crate) mod opclass;
pub(crate) mod operator;
pub(crate) mod text_search;
pub(crate) mod types;

use pglite_analyze::resolve_type_name;
use pglite_error::{PgError, PgResult, bail, err};
use pglite_parser::ast::{DefArg, DefElem, DefineStmt, ObjectType, TypeName};
use pglite_types::Oid;

use crate::host::{CommandHost, CommandOutcome};

/// The option's value as text.
pub(crate) fn text_of(d: &DefElem) -> Option<String> {
    match &d.arg {
        Some(DefArg::String(s) | DefArg::Float(s)) => Some(s.clone()),
        Some(DefArg::Integer(i)) => Some(i.to_string()),
        Some(DefArg::Boolean(b)) => Some(b.to_string()),
        Some(DefArg::TypeName(t)) => Some(t.dotted()),
        Some(DefArg::Names(n)) => Some(n.join(".")),
        _ => None,
    }
}

/// A boolean option; without a value it is true.
pub(crate) fn bool_of(d: &DefElem) -> PgResult<bool> {
    match (&d.arg, text_of(d)) {
        (None, _) => Ok(true),
        (_, Some(t)) => match t.to_ascii_lowercase().as_str() {
            "true" | "on" | "1" | "yes" => Ok(true),
            "false" | "off" | "0" | "no" => Ok(false),
            _ => bail!(SYNTAX_ERROR, "{} requires a Boolean value", d.defname),
        },
        _ => bail!(SYNTAX_ERROR, "{} requires a Boolean value", d.defname),
    }
}

/// A qualified name (of a function, operator, ...).
pub(crate) fn names_of(d: &DefElem) -> PgResult<Vec<String>> {
    match &d.arg {
        Some(DefArg::Names(n)) => Ok(n.clone()),
        Some(DefArg::TypeName(t)) => Ok(t.names.clone()),
        Some(DefArg::String(s)) => Ok(vec![s.clone()]),
        None => bail!(SYNTAX_ERROR, "{} requires a parameter", d.defname),
        _ => bail!(SYNTAX_ERROR, "argument of {} must be a name", d.defname),
    }
}

pub(crate) fn int_of(d: &DefElem) -> PgResult<i64> {
    match (&d.arg, text_of(d).and_then(|t| t.parse().ok())) {
        (Some(DefArg::Integer(_) | DefArg::Float(_)), Some(n)) => Ok(n),
        _ => bail!(SYNTAX_ERROR, "{} requires a numeric value", d.defname),
    }
}

/// A type given as an option's value.
pub(crate) fn type_name_of(d: &DefElem) -> PgResult<TypeName> {
    match &d.arg {
        Some(DefArg::TypeName(t)) => Ok((**t).clone()),
        Some(DefArg::String(s)) => {
            Ok(TypeName { names: vec![s.clone()], location: -1, ..TypeName::default() })
        }
        Some(DefArg::Names(n)) => Ok(TypeName { names: n.clone(), location: -1, ..TypeName::default() }),
        None => bail!(SYNTAX_ERROR, "{} requires a parameter", d.defname),
        _ => bail!(SYNTAX_ERROR, "argument of {} must be a type name", d.defname),
    }
}

pub(crate) fn type_of(host: &dyn CommandHost, t: &TypeName) -> PgResult<Oid> {
    let env = host.env();
    resolve_type_name(env.as_analyze_env(), t).map(|r| r.0)
}

/// A function with exactly these arguments, or 42883.
pub(crate) fn function(host: &dyn CommandHost, names: &[String], types: &[Oid]) -> PgResult<Oid> {
    let env = host.env();
    match pglite_analyze::lookup_function(env.as_analyze_env(), names, types)? {
        Some(f) => Ok(f),
        None => Err(missing(host, names, types)),
    }
}

pub(crate) fn missing(host: &dyn CommandHost, names: &[String], types: &[Oid]) -> PgError {
    let env = host.env();
    let s = env.as_fn_host().catalog();
    let shown: Vec<String> =
        types.iter().map(|t| pglite_catalog::format_type::format_type_be(s, env.search_path(), *t)).collect();
    err!(UNDEFINED_FUNCTION, "function {}({}) does not exist", names.join("."), shown.join(", "))
}

pub(crate) fn define(host: &dyn CommandHost, d: &DefineStmt) -> PgResult<CommandOutcome> {
    let tag = match d.kind {
        ObjectType::Aggregate => {
            aggregate::create(host, d)?;
            "CREATE AGGREGATE"
        }
        ObjectType::Operator => {
            operator::create(host, d)?;
            "CREATE OPERATOR"
        }
        ObjectType::Type => {
            types::create(host, d)?;
            "CREATE TYPE"
        }
        ObjectType::Collation => {
            text_search::collation(host, d)?;
            "CREATE COLLATION"
        }
        ObjectType::TsConfiguration => {
            text_search::configuration(host, d)?;
            "CREATE TEXT SEARCH CONFIGURATION"
        }
        ObjectType::TsDictionary => {
            text_search::dictionary(host, d)?;
            "CREATE TEXT SEARCH DICTIONARY"
        }
        ObjectType::TsParser => {
            text_search::parser(host, d)?;
            "CREATE TEXT SEARCH PARSER"
        }
        ObjectType::TsTemplate => {
            text_search::template(host, d)?;
            "CREATE TEXT SEARCH TEMPLATE"
        }
        _ => return Err(PgError::unsupported("CREATE of this kind of object is not supported yet")),
    };
    Ok(CommandOutcome::tag(tag))
}
