//! SQL names of the built-in types, and which array type belongs to which element type.

use crate::{Oid, oid};

use super::typmod_out;

/// Names of base types as `format_type` spells them, with their array types.
const TYPES: &[(Oid, &str, Oid)] = &[
    (oid::BOOL, "boolean", oid::BOOL_ARRAY),
    (oid::BYTEA, "bytea", oid::BYTEA_ARRAY),
    (oid::CHAR, "\"char\"", oid::CHAR_ARRAY),
    (oid::NAME, "name", oid::NAME_ARRAY),
    (oid::INT8, "bigint", oid::INT8_ARRAY),
    (oid::INT2, "smallint", oid::INT2_ARRAY),
    (oid::INT2VECTOR, "int2vector", oid::INT2VECTOR_ARRAY),
    (oid::INT4, "integer", oid::INT4_ARRAY),
    (oid::REGPROC, "regproc", oid::REGPROC_ARRAY),
    (oid::TEXT, "text", oid::TEXT_ARRAY),
    (oid::OID, "oid", oid::OID_ARRAY),
    (oid::TID, "tid", oid::TID_ARRAY),
    (oid::XID, "xid", oid::XID_ARRAY),
    (oid::CID, "cid", oid::CID_ARRAY),
    (oid::OIDVECTOR, "oidvector", oid::OIDVECTOR_ARRAY),
    (oid::JSON, "json", oid::JSON_ARRAY),
    (oid::XML, "xml", oid::XML_ARRAY),
    (oid::PG_NODE_TREE, "pg_node_tree", Oid::INVALID),
    (oid::POINT, "point", oid::POINT_ARRAY),
    (oid::LSEG, "lseg", oid::LSEG_ARRAY),
    (oid::PATH, "path", oid::PATH_ARRAY),
    (oid::BOX, "box", oid::BOX_ARRAY),
    (oid::POLYGON, "polygon", oid::POLYGON_ARRAY),
    (oid::LINE, "line", oid::LINE_ARRAY),
    (oid::CIDR, "cidr", oid::CIDR_ARRAY),
    (oid::FLOAT4, "real", oid::FLOAT4_ARRAY),
    (oid::FLOAT8, "double precision", oid::FLOAT8_ARRAY),
    (oid::UNKNOWN, "unknown", Oid::INVALID),
    (oid::CIRCLE, "circle", oid::CIRCLE_ARRAY),
    (oid::MACADDR8, "macaddr8", oid::MACADDR8_ARRAY),
    (oid::MONEY, "money", oid::MONEY_ARRAY),
    (oid::MACADDR, "macaddr", oid::MACADDR_ARRAY),
    (oid::INET, "inet", oid::INET_ARRAY),
    (oid::ACLITEM, "aclitem", oid::ACLITEM_ARRAY),
    (oid::BPCHAR, "bpchar", oid::BPCHAR_ARRAY),
    (oid::VARCHAR, "character varying", oid::VARCHAR_ARRAY),
    (oid::DATE, "date", oid::DATE_ARRAY),
    (oid::TIME, "time without time zone", oid::TIME_ARRAY),
    (oid::TIMESTAMP, "timestamp without time zone", oid::TIMESTAMP_ARRAY),
    (oid::TIMESTAMPTZ, "timestamp with time zone", oid::TIMESTAMPTZ_ARRAY),
    (oid::INTERVAL, "interval", oid::INTERVAL_ARRAY),
    (oid::TIMETZ, "time with time zone", oid::TIMETZ_ARRAY),
    (oid::BIT, "bit", oid::BIT_ARRAY),
    (oid::VARBIT, "bit varying", oid::VARBIT_ARRAY),
    (oid::NUMERIC, "numeric", oid::NUMERIC_ARRAY),
    (oid::REFCURSOR, "refcursor", oid::REFCURSOR_ARRAY),
    (oid::REGPROCEDURE, "regprocedure", oid::REGPROCEDURE_ARRAY),
    (oid::REGOPER, "regoper", oid::REGOPER_ARRAY),
    (oid::REGOPERATOR, "regoperator", oid::REGOPERATOR_ARRAY),
    (oid::REGCLASS, "regclass", oid::REGCLASS_ARRAY),
    (oid::REGTYPE, "regtype", oid::REGTYPE_ARRAY),
    (oid::RECORD, "record", oid::RECORD_ARRAY),
    (oid::CSTRING, "cstring", oid::CSTRING_ARRAY),
    (oid::UUID, "uuid", oid::UUID_ARRAY),
    (oid::TXID_SNAPSHOT, "txid_snapshot", oid::TXID_SNAPSHOT_ARRAY),
    (oid::PG_LSN, "pg_lsn", oid::PG_LSN_ARRAY),
    (oid::TSVECTOR, "tsvector", oid::TSVECTOR_ARRAY),
    (oid::TSQUERY, "tsquery", oid::TSQUERY_ARRAY),
    (oid::GTSVECTOR, "gtsvector", oid::GTSVECTOR_ARRAY),
    (oid::REGCONFIG, "regconfig", oid::REGCONFIG_ARRAY),
    (oid::REGDICTIONARY, "regdictionary", oid::REGDICTIONARY_ARRAY),
    (oid::JSONB, "jsonb", oid::JSONB_ARRAY),
    (oid::JSONPATH, "jsonpath", oid::JSONPATH_ARRAY),
    (oid::INT4RANGE, "int4range", oid::INT4RANGE_ARRAY),
    (oid::NUMRANGE, "numrange", oid::NUMRANGE_ARRAY),
    (oid::TSRANGE, "tsrange", oid::TSRANGE_ARRAY),
    (oid::TSTZRANGE, "tstzrange", oid::TSTZRANGE_ARRAY),
    (oid::DATERANGE, "daterange", oid::DATERANGE_ARRAY),
    (oid::INT8RANGE, "int8range", oid::INT8RANGE_ARRAY),
    (oid::INT4MULTIRANGE, "int4multirange", oid::INT4MULTIRANGE_ARRAY),
    (oid::NUMMULTIRANGE, "nummultirange", oid::NUMMULTIRANGE_ARRAY),
    (oid::TSMULTIRANGE, "tsmultirange", oid::TSMULTIRANGE_ARRAY),
    (oid::TSTZMULTIRANGE, "tstzmultirange", oid::TSTZMULTIRANGE_ARRAY),
    (oid::DATEMULTIRANGE, "datemultirange", oid::DATEMULTIRANGE_ARRAY),
    (oid::INT8MULTIRANGE, "int8multirange", oid::INT8MULTIRANGE_ARRAY),
    (oid::REGNAMESPACE, "regnamespace", oid::REGNAMESPACE_ARRAY),
    (oid::REGROLE, "regrole", oid::REGROLE_ARRAY),
    (oid::REGCOLLATION, "regcollation", oid::REGCOLLATION_ARRAY),
    (oid::PG_SNAPSHOT, "pg_snapshot", oid::PG_SNAPSHOT_ARRAY),
    (oid::XID8, "xid8", oid::XID8_ARRAY),
    (oid::ANY, "\"any\"", Oid::INVALID),
    (oid::ANYARRAY, "anyarray", Oid::INVALID),
    (oid::VOID, "void", Oid::INVALID),
    (oid::TRIGGER, "trigger", Oid::INVALID),
    (oid::LANGUAGE_HANDLER, "language_handler", Oid::INVALID),
    (oid::INTERNAL, "internal", Oid::INVALID),
    (oid::ANYELEMENT, "anyelement", Oid::INVALID),
    (oid::ANYNONARRAY, "anynonarray", Oid::INVALID),
    (oid::ANYENUM, "anyenum", Oid::INVALID),
    (oid::ANYRANGE, "anyrange", Oid::INVALID),
    (oid::ANYMULTIRANGE, "anymultirange", Oid::INVALID),
    (oid::ANYCOMPATIBLE, "anycompatible", Oid::INVALID),
    (oid::ANYCOMPATIBLEARRAY, "anycompatiblearray", Oid::INVALID),
    (oid::ANYCOMPATIBLENONARRAY, "anycompatiblenonarray", Oid::INVALID),
    (oid::ANYCOMPATIBLERANGE, "anycompatiblerange", Oid::INVALID),
    (oid::ANYCOMPATIBLEMULTIRANGE, "anycompatiblemultirange", Oid::INVALID),
    (oid::EVENT_TRIGGER, "event_trigger", Oid::INVALID),
    (oid::FDW_HANDLER, "fdw_handler", Oid::INVALID),
    (oid::INDEX_AM_HANDLER, "index_am_handler", Oid::INVALID),
    (oid::TSM_HANDLER, "tsm_handler", Oid::INVALID),
    (oid::TABLE_AM_HANDLER, "table_am_handler", Oid::INVALID),
    (oid::PG_DDL_COMMAND, "pg_ddl_command", Oid::INVALID),
    (oid::PG_NDISTINCT, "pg_ndistinct", Oid::INVALID),
    (oid::PG_DEPENDENCIES, "pg_dependencies", Oid::INVALID),
    (oid::PG_MCV_LIST, "pg_mcv_list", Oid::INVALID),
    (oid::PG_BRIN_BLOOM_SUMMARY, "pg_brin_bloom_summary", Oid::INVALID),
    (oid::PG_BRIN_MINMAX_MULTI_SUMMARY, "pg_brin_minmax_multi_summary", Oid::INVALID),
];

/// The element type of a built-in array type.
pub fn builtin_elem(array: Oid) -> Option<Oid> {
    array.valid().and_then(|a| TYPES.iter().find(|t| t.2 == a)).map(|t| t.0)
}

/// `format_type` of a built-in type with its modifier; `None` for types that the catalog must name.
pub fn format_type(type_oid: Oid, typmod: i32) -> Option<String> {
    if type_oid == oid::PG_TYPE_ARRAY || !type_oid.is_valid() {
        return None;
    }
    if let Some(elem) = builtin_elem(type_oid) {
        return Some(format_type(elem, typmod)? + "[]");
    }
    let name = TYPES.iter().find(|t| t.0 == type_oid)?.1;
    let modifier = typmod_out(type_oid, typmod);
    Some(match type_oid {
        // PG: char with no length prints its internal name, because "character" would mean char(1).
        oid::BPCHAR if typmod >= 0 => format!("character{modifier}"),
        oid::BIT if typmod < 0 => "\"bit\"".into(),
        oid::TIME | oid::TIMETZ if typmod >= 0 => format!("time{modifier}"),
        oid::TIMESTAMP | oid::TIMESTAMPTZ if typmod >= 0 => format!("timestamp{modifier}"),
        _ => format!("{name}{modifier}"),
    })
}
