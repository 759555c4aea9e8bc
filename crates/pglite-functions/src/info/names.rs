//! Names of objects: visibility in the search path, types in words, encodings, roles, the to_reg* family.

use pglite_catalog::facts;
use pglite_catalog::format_type::format_type as format;
use pglite_catalog::{SearchPath, Snapshot};
use pglite_error::{PgResult, bail, codes};
use pglite_ir::FnCtx;
use pglite_types::{Datum, Oid, TypeEnv, oid};

use super::{array_of, ask, catalog, path};
use crate::builtins;

/// Whether `visible` says so; NULL when the object does not exist.
fn visible(
    cx: &FnCtx<'_>,
    object: Oid,
    exists: impl Fn(&Snapshot, Oid) -> bool,
    visible: impl Fn(&SearchPath, &Snapshot, Oid) -> bool,
) -> PgResult<Option<bool>> {
    let s = catalog(cx);
    if !exists(s, object) {
        return Ok(None);
    }
    Ok(Some(visible(&path(cx)?, s, object)))
}

macro_rules! visibility {
    ($($f:ident $by:ident $vis:ident;)*) => {$(
        fn $f(cx: &FnCtx<'_>, object: Oid) -> PgResult<Option<bool>> {
            visible(cx, object, |s, o| s.$by(o).is_some(), |p, s, o| p.$vis(s, o))
        }
    )*};
}

visibility! {
    table_visible class_by_oid relation_is_visible;
    type_visible type_by_oid type_is_visible;
    function_visible proc_by_oid function_is_visible;
    operator_visible operator_by_oid operator_is_visible;
    opclass_visible opclass_by_oid opclass_is_visible;
    opfamily_visible opfamily_by_oid opfamily_is_visible;
    collation_visible collation_by_oid collation_is_visible;
    conversion_visible conversion_by_oid conversion_is_visible;
    statistics_visible statistic_ext_by_oid statistics_is_visible;
    ts_config_visible ts_config_by_oid ts_config_is_visible;
    ts_dict_visible ts_dict_by_oid ts_dict_is_visible;
    ts_parser_visible ts_parser_by_oid ts_parser_is_visible;
    ts_template_visible ts_template_by_oid ts_template_is_visible;
}

fn format_type(cx: &FnCtx<'_>, type_oid: Option<Oid>, typmod: Option<i32>) -> PgResult<Option<String>> {
    let Some(type_oid) = type_oid else { return Ok(None) };
    // Why: built-in types are always visible by their usual spelling unless shadowed; the path decides.
    Ok(Some(format(catalog(cx), &path(cx)?, type_oid, typmod)))
}

/// The types of an argument list, as `int4, text`.
fn vector_types(cx: &FnCtx<'_>, types: &Datum) -> PgResult<String> {
    let Datum::Array(types) = types else { return Ok(String::new()) };
    let mut out = Vec::new();
    for t in types.values.iter().filter_map(Datum::as_oid) {
        out.push(format_type(cx, Some(t), None)?.unwrap_or_default());
    }
    Ok(out.join(", "))
}

fn userbyid(cx: &FnCtx<'_>, role: Oid) -> String {
    match catalog(cx).role_by_oid(role) {
        Some(r) => r.rolname.to_string(),
        None => format!("unknown (OID={role})"),
    }
}

fn encoding_to_char(id: i32) -> String {
    facts::encoding(id).map_or(String::new(), |e| e.name.to_string())
}
fn char_to_encoding(name: &str) -> i32 {
    facts::encoding_by_name(name).map_or(-1, |e| e.id)
}
fn encoding_max_length(id: i32) -> Option<i32> {
    facts::encoding(id).map(|e| e.max_len)
}
fn client_encoding(cx: &FnCtx<'_>) -> String {
    cx.host.setting("client_encoding").unwrap_or_else(|| "UTF8".into())
}
fn database_encoding() -> &'static str {
    "UTF8"
}

fn current_schema(cx: &FnCtx<'_>) -> PgResult<Datum> {
    for row in cx.host.service("search_path", &[])? {
        if let Some(n) = row.first().and_then(Datum::as_oid).and_then(|o| catalog(cx).namespace_name(o)) {
            return Ok(Datum::text(n));
        }
    }
    Ok(Datum::Null)
}
fn current_schemas(cx: &FnCtx<'_>, implicit: bool) -> PgResult<Datum> {
    let rows = cx.host.service(if implicit { "search_path_implicit" } else { "search_path" }, &[])?;
    let names = rows.iter().filter_map(|r| r.first().and_then(Datum::as_oid));
    let names = names.filter_map(|o| catalog(cx).namespace_name(o)).map(Datum::text).collect();
    Ok(array_of(oid::NAME, names))
}
fn current_database(cx: &FnCtx<'_>) -> PgResult<Datum> {
    ask(cx, "database_name", &[])
}
fn current_user(cx: &FnCtx<'_>) -> String {
    userbyid(cx, cx.host.user(pglite_ir::abi::UserKind::Current))
}
fn session_user(cx: &FnCtx<'_>) -> String {
    userbyid(cx, cx.host.user(pglite_ir::abi::UserKind::Session))
}

/// Whether an error means "no such thing" rather than a malformed name.
fn is_soft(e: &pglite_error::PgError) -> bool {
    let code = e.fields().code;
    [
        codes::UNDEFINED_TABLE,
        codes::UNDEFINED_OBJECT,
        codes::UNDEFINED_FUNCTION,
        codes::INVALID_SCHEMA_NAME,
        codes::AMBIGUOUS_FUNCTION,
        codes::SYNTAX_ERROR,
        codes::INVALID_NAME,
        codes::INVALID_TEXT_REPRESENTATION,
        codes::FEATURE_NOT_SUPPORTED,
        codes::UNDEFINED_PARAMETER,
        codes::NUMERIC_VALUE_OUT_OF_RANGE,
        codes::TOO_MANY_ARGUMENTS,
    ]
    .contains(&code)
}

fn to_reg(cx: &FnCtx<'_>, kind: Oid, name: &str) -> PgResult<Option<Oid>> {
    // PG: a number is not looked up.
    match TypeEnv::reg_in(cx.host, kind, name) {
        Ok(o) => Ok(Some(o)),
        Err(e) if is_soft(&e) => Ok(None),
        Err(e) => Err(e),
    }
}

macro_rules! to_reg {
    ($($f:ident $kind:ident;)*) => {$(
        fn $f(cx: &FnCtx<'_>, name: &str) -> PgResult<Option<Oid>> {
            to_reg(cx, oid::$kind, name)
        }
    )*};
}
to_reg! {
    to_regclass REGCLASS;
    to_regtype REGTYPE;
    to_regproc REGPROC;
    to_regprocedure REGPROCEDURE;
    to_regoper REGOPER;
    to_regoperator REGOPERATOR;
    to_regrole REGROLE;
    to_regnamespace REGNAMESPACE;
    to_regcollation REGCOLLATION;
}

fn typeof_(cx: &FnCtx<'_>, _value: &Datum) -> Oid {
    cx.call.arg_types.first().copied().unwrap_or_default()
}
fn basetype(cx: &FnCtx<'_>, t: Oid) -> Option<Oid> {
    let s = catalog(cx);
    s.type_by_oid(t).map(|_| s.base_type(t))
}
fn my_temp_schema(cx: &FnCtx<'_>) -> PgResult<Datum> {
    ask(cx, "temp_namespace", &[])
}
fn other_temp_schema(cx: &FnCtx<'_>, ns: Oid) -> PgResult<bool> {
    let own = ask(cx, "temp_namespace", &[])?.as_oid();
    let name = catalog(cx).namespace_name(ns).unwrap_or("");
    Ok(own != Some(ns) && (name.starts_with("pg_temp_") || name.starts_with("pg_toast_temp_")))
}
fn collation_for(cx: &FnCtx<'_>, _value: &Datum) -> PgResult<Option<String>> {
    let t = cx.call.arg_types.first().copied().unwrap_or_default();
    let s = catalog(cx);
    let collatable = s.type_by_oid(t).is_some_and(|r| r.typcollation.is_valid());
    if !collatable && t != oid::UNKNOWN {
        let name = format(s, &path(cx)?, t, None);
        bail!(DATATYPE_MISMATCH, "collations are not supported by type {name}");
    }
    if !cx.call.collation.is_valid() {
        return Ok(None);
    }
    TypeEnv::reg_out(cx.host, oid::REGCOLLATION, cx.call.collation).map(Some)
}

builtins! { pub TABLE:
    "pg_table_is_visible" => cx table_visible[Oid];
    "pg_type_is_visible" => cx type_visible[Oid];
    "pg_function_is_visible" => cx function_visible[Oid];
    "pg_operator_is_visible" => cx operator_visible[Oid];
    "pg_opclass_is_visible" => cx opclass_visible[Oid];
    "pg_opfamily_is_visible" => cx opfamily_visible[Oid];
    "pg_collation_is_visible" => cx collation_visible[Oid];
    "pg_conversion_is_visible" => cx conversion_visible[Oid];
    "pg_statistics_obj_is_visible" => cx statistics_visible[Oid];
    "pg_ts_config_is_visible" => cx ts_config_visible[Oid];
    "pg_ts_dict_is_visible" => cx ts_dict_visible[Oid];
    "pg_ts_parser_is_visible" => cx ts_parser_visible[Oid];
    "pg_ts_template_is_visible" => cx ts_template_visible[Oid];
    "format_type" => cx format_type[Option<Oid>, Option<i32>];
    "oidvectortypes" => cx vector_types[&Datum];
    "pg_get_userbyid" => cx userbyid[Oid];
    "PG_encoding_to_char" => encoding_to_char[i32];
    "PG_char_to_encoding" => char_to_encoding[&str];
    "pg_encoding_max_length_sql" => encoding_max_length[i32];
    "pg_client_encoding" => cx client_encoding[];
    "getdatabaseencoding" => database_encoding[];
    "current_schema" => cx current_schema[];
    "current_schemas" => cx current_schemas[bool];
    "current_database" => cx current_database[];
    "current_user" => cx current_user[];
    "session_user" => cx session_user[];
    "to_regclass" => cx to_regclass[&str];
    "to_regtype" => cx to_regtype[&str];
    "to_regproc" => cx to_regproc[&str];
    "to_regprocedure" => cx to_regprocedure[&str];
    "to_regoper" => cx to_regoper[&str];
    "to_regoperator" => cx to_regoperator[&str];
    "to_regrole" => cx to_regrole[&str];
    "to_regnamespace" => cx to_regnamespace[&str];
    "to_regcollation" => cx to_regcollation[&str];
    "pg_typeof" => cx typeof_[&Datum];
    "pg_basetype" => cx basetype[Oid];
    "pg_my_temp_schema" => cx my_temp_schema[];
    "pg_is_other_temp_schema" => cx other_temp_schema[Oid];
    "pg_collation_for" => cx collation_for[&Datum];
}
