//! Input, output and send functions callable from SQL, and type modifier functions; `pglite_types` does the work.
//!
//! Receive functions take the pseudo-type `internal`, so no statement can call them.

use pglite_error::PgResult;
use pglite_ir::{Body, FnCtx};
use pglite_types::{Datum, Oid, TypeKind, binary, oid, text, typmod};

/// The type an input function makes: of the result, or (for families of types) named by the second argument.
fn target(cx: &FnCtx<'_>, args: &[Datum]) -> PgResult<Oid> {
    let declared = cx.call.ret_type;
    let polymorphic = !declared.is_valid()
        || cx.host.type_desc(declared).is_ok_and(|d| d.kind == TypeKind::Pseudo && declared != oid::CSTRING);
    match args.get(1) {
        Some(Datum::Oid(param)) if polymorphic => {
            let array = declared == oid::ANYARRAY;
            Ok(if array { cx.host.type_desc(*param)?.array } else { *param })
        }
        _ => Ok(declared),
    }
}

fn input(cx: &FnCtx<'_>, args: &[Datum]) -> PgResult<Datum> {
    let Some(Datum::Text(s)) = args.first() else { return Ok(Datum::Null) };
    let modifier = if let Some(Datum::Int4(m)) = args.get(2) { *m } else { -1 };
    text::text_in(cx.host, target(cx, args)?, modifier, s)
}

fn source(cx: &FnCtx<'_>) -> Oid {
    cx.call.arg_types.first().copied().unwrap_or(Oid::INVALID)
}

fn output(cx: &FnCtx<'_>, args: &[Datum]) -> PgResult<Datum> {
    let Some(value) = args.first().filter(|v| !v.is_null()) else { return Ok(Datum::Null) };
    let mut out = String::new();
    text::text_out(cx.host, source(cx), value, &mut out)?;
    Ok(Datum::text(out))
}

fn send(cx: &FnCtx<'_>, args: &[Datum]) -> PgResult<Datum> {
    let Some(value) = args.first().filter(|v| !v.is_null()) else { return Ok(Datum::Null) };
    let mut out = Vec::new();
    binary::binary_send(cx.host, source(cx), value, &mut out)?;
    Ok(Datum::Bytea(out.as_slice().into()))
}

fn modifier_in(ty: Oid, args: &[Datum]) -> PgResult<Datum> {
    let Some(Datum::Array(a)) = args.first() else { return Ok(Datum::Null) };
    let parts: Vec<&str> = a.values.iter().filter_map(Datum::as_str).collect();
    typmod::typmod_in(ty, &parts).map(Datum::Int4)
}

fn modifier_out(ty: Oid, args: &[Datum]) -> PgResult<Datum> {
    let Some(Datum::Int4(m)) = args.first() else { return Ok(Datum::Null) };
    Ok(Datum::text(typmod::typmod_out(ty, *m)))
}

macro_rules! io {
    (in: $($i:literal,)* out: $($o:literal,)* send: $($s:literal,)* typmod_in: $($m:literal $t:expr,)* typmod_out: $($n:literal $u:expr,)*) => {
        pub static TABLE: &[(&str, Body)] = &[
            $(($i, Body::Scalar(input)),)*
            $(($o, Body::Scalar(output)),)*
            $(($s, Body::Scalar(send)),)*
            $(($m, Body::Scalar(|_, a| modifier_in($t, a))),)*
            $(($n, Body::Scalar(|_, a| modifier_out($u, a))),)*
        ];
    };
}

io! {
    in:
    "enum_in",
    "aclitemin",
    "any_in",
    "anyarray_in",
    "anycompatible_in",
    "anycompatiblearray_in",
    "anycompatiblemultirange_in",
    "anycompatiblenonarray_in",
    "anycompatiblerange_in",
    "anyelement_in",
    "anyenum_in",
    "anymultirange_in",
    "anynonarray_in",
    "anyrange_in",
    "array_in",
    "bit_in",
    "boolin",
    "box_in",
    "bpcharin",
    "brin_bloom_summary_in",
    "brin_minmax_multi_summary_in",
    "byteain",
    "cash_in",
    "charin",
    "cidin",
    "cidr_in",
    "circle_in",
    "cstring_in",
    "date_in",
    "domain_in",
    "event_trigger_in",
    "fdw_handler_in",
    "float4in",
    "float8in",
    "gtsvectorin",
    "index_am_handler_in",
    "inet_in",
    "int2in",
    "int2vectorin",
    "int4in",
    "int8in",
    "internal_in",
    "interval_in",
    "json_in",
    "jsonb_in",
    "jsonpath_in",
    "language_handler_in",
    "line_in",
    "lseg_in",
    "macaddr8_in",
    "macaddr_in",
    "multirange_in",
    "namein",
    "numeric_in",
    "oidin",
    "oidvectorin",
    "path_in",
    "pg_ddl_command_in",
    "pg_dependencies_in",
    "pg_lsn_in",
    "pg_mcv_list_in",
    "pg_ndistinct_in",
    "pg_node_tree_in",
    "pg_snapshot_in",
    "point_in",
    "poly_in",
    "range_in",
    "record_in",
    "regclassin",
    "regcollationin",
    "regconfigin",
    "regdictionaryin",
    "regnamespacein",
    "regoperatorin",
    "regoperin",
    "regprocedurein",
    "regprocin",
    "regrolein",
    "regtypein",
    "table_am_handler_in",
    "textin",
    "tidin",
    "time_in",
    "timestamp_in",
    "timestamptz_in",
    "timetz_in",
    "trigger_in",
    "tsm_handler_in",
    "tsqueryin",
    "tsvectorin",
    "unknownin",
    "uuid_in",
    "varbit_in",
    "varcharin",
    "void_in",
    "xid8in",
    "xidin",
    "xml_in",
    out:
    "enum_out",
    "aclitemout",
    "any_out",
    "anyarray_out",
    "anycompatible_out",
    "anycompatiblearray_out",
    "anycompatiblemultirange_out",
    "anycompatiblenonarray_out",
    "anycompatiblerange_out",
    "anyelement_out",
    "anyenum_out",
    "anymultirange_out",
    "anynonarray_out",
    "anyrange_out",
    "array_out",
    "bit_out",
    "boolout",
    "box_out",
    "bpcharout",
    "brin_bloom_summary_out",
    "brin_minmax_multi_summary_out",
    "byteaout",
    "cash_out",
    "charout",
    "cidout",
    "cidr_out",
    "circle_out",
    "cstring_out",
    "date_out",
    "event_trigger_out",
    "fdw_handler_out",
    "float4out",
    "float8out",
    "gtsvectorout",
    "index_am_handler_out",
    "inet_out",
    "int2out",
    "int2vectorout",
    "int4out",
    "int8out",
    "internal_out",
    "interval_out",
    "json_out",
    "jsonb_out",
    "jsonpath_out",
    "language_handler_out",
    "line_out",
    "lseg_out",
    "macaddr8_out",
    "macaddr_out",
    "multirange_out",
    "nameout",
    "numeric_out",
    "oidout",
    "oidvectorout",
    "path_out",
    "pg_ddl_command_out",
    "pg_dependencies_out",
    "pg_lsn_out",
    "pg_mcv_list_out",
    "pg_ndistinct_out",
    "pg_node_tree_out",
    "pg_snapshot_out",
    "point_out",
    "poly_out",
    "range_out",
    "record_out",
    "regclassout",
    "regcollationout",
    "regconfigout",
    "regdictionaryout",
    "regnamespaceout",
    "regoperatorout",
    "regoperout",
    "regprocedureout",
    "regprocout",
    "regroleout",
    "regtypeout",
    "table_am_handler_out",
    "textout",
    "tidout",
    "time_out",
    "timestamp_out",
    "timestamptz_out",
    "timetz_out",
    "trigger_out",
    "tsm_handler_out",
    "tsqueryout",
    "tsvectorout",
    "unknownout",
    "uuid_out",
    "varbit_out",
    "varcharout",
    "void_out",
    "xid8out",
    "xidout",
    "xml_out",
    send:
    "enum_send",
    "anyarray_send",
    "anycompatiblearray_send",
    "array_send",
    "bit_send",
    "boolsend",
    "box_send",
    "bpcharsend",
    "brin_bloom_summary_send",
    "brin_minmax_multi_summary_send",
    "byteasend",
    "cash_send",
    "charsend",
    "cidr_send",
    "cidsend",
    "circle_send",
    "cstring_send",
    "date_send",
    "float4send",
    "float8send",
    "inet_send",
    "int2send",
    "int2vectorsend",
    "int4send",
    "int8send",
    "interval_send",
    "json_send",
    "jsonb_send",
    "jsonpath_send",
    "line_send",
    "lseg_send",
    "macaddr8_send",
    "macaddr_send",
    "multirange_send",
    "namesend",
    "numeric_send",
    "oidsend",
    "oidvectorsend",
    "path_send",
    "pg_ddl_command_send",
    "pg_dependencies_send",
    "pg_lsn_send",
    "pg_mcv_list_send",
    "pg_ndistinct_send",
    "pg_node_tree_send",
    "pg_snapshot_send",
    "point_send",
    "poly_send",
    "range_send",
    "record_send",
    "regclasssend",
    "regcollationsend",
    "regconfigsend",
    "regdictionarysend",
    "regnamespacesend",
    "regoperatorsend",
    "regopersend",
    "regproceduresend",
    "regprocsend",
    "regrolesend",
    "regtypesend",
    "textsend",
    "tidsend",
    "time_send",
    "timestamp_send",
    "timestamptz_send",
    "timetz_send",
    "tsquerysend",
    "tsvectorsend",
    "unknownsend",
    "uuid_send",
    "varbit_send",
    "varcharsend",
    "void_send",
    "xid8send",
    "xidsend",
    "xml_send",
    typmod_in:
    "bittypmodin" oid::BIT,
    "bpchartypmodin" oid::BPCHAR,
    "intervaltypmodin" oid::INTERVAL,
    "numerictypmodin" oid::NUMERIC,
    "timestamptypmodin" oid::TIMESTAMP,
    "timestamptztypmodin" oid::TIMESTAMPTZ,
    "timetypmodin" oid::TIME,
    "timetztypmodin" oid::TIMETZ,
    "varbittypmodin" oid::VARBIT,
    "varchartypmodin" oid::VARCHAR,
    typmod_out:
    "bittypmodout" oid::BIT,
    "bpchartypmodout" oid::BPCHAR,
    "intervaltypmodout" oid::INTERVAL,
    "numerictypmodout" oid::NUMERIC,
    "timestamptypmodout" oid::TIMESTAMP,
    "timestamptztypmodout" oid::TIMESTAMPTZ,
    "timetypmodout" oid::TIME,
    "timetztypmodout" oid::TIMETZ,
    "varbittypmodout" oid::VARBIT,
    "varchartypmodout" oid::VARCHAR,
}
