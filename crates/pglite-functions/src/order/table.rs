//! The table of comparison functions: which function is which operator over which comparer.

use pglite_ir::Body;
use pglite_types::Datum;

use super::{families, op};

pub static TABLE: &[(&str, Body)] = families! {
    text_same: "texteq" eq, "textne" ne, "nameeq" eq, "namene" ne, "nameeqtext" eq, "namenetext" ne, "texteqname" eq,
        "textnename" ne;
    text: "text_lt" lt, "text_le" le, "text_gt" gt, "text_ge" ge, "bttextcmp" cmp, "text_larger" max,
        "text_smaller" min;
    text: "text_pattern_lt" lt, "text_pattern_le" le, "text_pattern_gt" gt, "text_pattern_ge" ge,
        "bttext_pattern_cmp" cmp;
    text: "namelt" lt, "namele" le, "namegt" gt, "namege" ge, "btnamecmp" cmp;
    text: "namelttext" lt, "nameletext" le, "namegttext" gt, "namegetext" ge, "btnametextcmp" cmp;
    text: "textltname" lt, "textlename" le, "textgtname" gt, "textgename" ge, "bttextnamecmp" cmp;
    bpchar: "bpchareq" eq, "bpcharne" ne, "bpcharlt" lt, "bpcharle" le, "bpchargt" gt, "bpcharge" ge, "bpcharcmp" cmp,
        "bpchar_larger" max, "bpchar_smaller" min;
    bpchar: "bpchar_pattern_lt" lt, "bpchar_pattern_le" le, "bpchar_pattern_gt" gt, "bpchar_pattern_ge" ge,
        "btbpchar_pattern_cmp" cmp;
    float: "float4eq" eq, "float4ne" ne, "float4lt" lt, "float4le" le, "float4gt" gt, "float4ge" ge,
        "btfloat4cmp" cmp, "float4larger" max, "float4smaller" min;
    float: "float8eq" eq, "float8ne" ne, "float8lt" lt, "float8le" le, "float8gt" gt, "float8ge" ge,
        "btfloat8cmp" cmp, "float8larger" max, "float8smaller" min;
    float: "float48eq" eq, "float48ne" ne, "float48lt" lt, "float48le" le, "float48gt" gt, "float48ge" ge,
        "btfloat48cmp" cmp;
    float: "float84eq" eq, "float84ne" ne, "float84lt" lt, "float84le" le, "float84gt" gt, "float84ge" ge,
        "btfloat84cmp" cmp;
    plain: "numeric_eq" eq, "numeric_ne" ne, "numeric_lt" lt, "numeric_le" le, "numeric_gt" gt, "numeric_ge" ge,
        "numeric_cmp" cmp, "numeric_larger" max, "numeric_smaller" min;
    plain: "date_eq" eq, "date_ne" ne, "date_lt" lt, "date_le" le, "date_gt" gt, "date_ge" ge, "date_cmp" cmp,
        "date_larger" max, "date_smaller" min;
    plain: "time_eq" eq, "time_ne" ne, "time_lt" lt, "time_le" le, "time_gt" gt, "time_ge" ge, "time_cmp" cmp,
        "time_larger" max, "time_smaller" min;
    plain: "timetz_eq" eq, "timetz_ne" ne, "timetz_lt" lt, "timetz_le" le, "timetz_gt" gt, "timetz_ge" ge,
        "timetz_cmp" cmp, "timetz_larger" max, "timetz_smaller" min;
    plain: "timestamp_eq" eq, "timestamp_ne" ne, "timestamp_lt" lt, "timestamp_le" le, "timestamp_gt" gt,
        "timestamp_ge" ge, "timestamp_cmp" cmp, "timestamp_larger" max, "timestamp_smaller" min;
    plain: "interval_eq" eq, "interval_ne" ne, "interval_lt" lt, "interval_le" le, "interval_gt" gt, "interval_ge" ge,
        "interval_cmp" cmp, "interval_larger" max, "interval_smaller" min;
    plain: "network_eq" eq, "network_ne" ne, "network_lt" lt, "network_le" le, "network_gt" gt, "network_ge" ge,
        "network_cmp" cmp, "network_larger" max, "network_smaller" min;
    plain: "pg_lsn_eq" eq, "pg_lsn_ne" ne, "pg_lsn_lt" lt, "pg_lsn_le" le, "pg_lsn_gt" gt, "pg_lsn_ge" ge,
        "pg_lsn_cmp" cmp, "pg_lsn_larger" max, "pg_lsn_smaller" min;
    plain: "uuid_eq" eq, "uuid_ne" ne, "uuid_lt" lt, "uuid_le" le, "uuid_gt" gt, "uuid_ge" ge, "uuid_cmp" cmp;
    plain: "macaddr_eq" eq, "macaddr_ne" ne, "macaddr_lt" lt, "macaddr_le" le, "macaddr_gt" gt, "macaddr_ge" ge,
        "macaddr_cmp" cmp;
    plain: "macaddr8_eq" eq, "macaddr8_ne" ne, "macaddr8_lt" lt, "macaddr8_le" le, "macaddr8_gt" gt, "macaddr8_ge" ge,
        "macaddr8_cmp" cmp;
    plain: "range_eq" eq, "range_ne" ne, "range_lt" lt, "range_le" le, "range_gt" gt, "range_ge" ge, "range_cmp" cmp;
    plain: "multirange_eq" eq, "multirange_ne" ne, "multirange_lt" lt, "multirange_le" le, "multirange_gt" gt,
        "multirange_ge" ge, "multirange_cmp" cmp;
    plain: "jsonb_eq" eq, "jsonb_ne" ne, "jsonb_lt" lt, "jsonb_le" le, "jsonb_gt" gt, "jsonb_ge" ge, "jsonb_cmp" cmp;
    date_timestamp: "date_eq_timestamp" eq, "date_ne_timestamp" ne, "date_lt_timestamp" lt, "date_le_timestamp" le,
        "date_gt_timestamp" gt, "date_ge_timestamp" ge, "date_cmp_timestamp" cmp;
    date_timestamp: "timestamp_eq_date" eq, "timestamp_ne_date" ne, "timestamp_lt_date" lt, "timestamp_le_date" le,
        "timestamp_gt_date" gt, "timestamp_ge_date" ge, "timestamp_cmp_date" cmp;
    date_timestamptz: "date_eq_timestamptz" eq, "date_ne_timestamptz" ne, "date_lt_timestamptz" lt,
        "date_le_timestamptz" le, "date_gt_timestamptz" gt, "date_ge_timestamptz" ge, "date_cmp_timestamptz" cmp;
    date_timestamptz: "timestamptz_eq_date" eq, "timestamptz_ne_date" ne, "timestamptz_lt_date" lt,
        "timestamptz_le_date" le, "timestamptz_gt_date" gt, "timestamptz_ge_date" ge, "timestamptz_cmp_date" cmp;
    local_instant: "timestamp_eq_timestamptz" eq, "timestamp_ne_timestamptz" ne, "timestamp_lt_timestamptz" lt,
        "timestamp_le_timestamptz" le, "timestamp_gt_timestamptz" gt, "timestamp_ge_timestamptz" ge,
        "timestamp_cmp_timestamptz" cmp;
    instant_local: "timestamptz_eq_timestamp" eq, "timestamptz_ne_timestamp" ne, "timestamptz_lt_timestamp" lt,
        "timestamptz_le_timestamp" le, "timestamptz_gt_timestamp" gt, "timestamptz_ge_timestamp" ge,
        "timestamptz_cmp_timestamp" cmp;
    plain: "byteaeq" eq, "byteane" ne, "bytealt" lt, "byteale" le, "byteagt" gt, "byteage" ge, "byteacmp" cmp,
        "bytea_larger" max, "bytea_smaller" min;
    plain: "biteq" eq, "bitne" ne, "bitlt" lt, "bitle" le, "bitgt" gt, "bitge" ge, "bitcmp" cmp;
    array_same: "array_eq" eq, "array_ne" ne;
    array: "array_lt" lt, "array_le" le, "array_gt" gt, "array_ge" ge, "btarraycmp" cmp, "array_larger" max,
        "array_smaller" min;
    record: "record_eq" eq, "record_ne" ne, "record_lt" lt, "record_le" le, "record_gt" gt, "record_ge" ge,
        "btrecordcmp" cmp, "record_larger" max, "record_smaller" min;
    image: "record_image_eq" eq, "record_image_ne" ne, "record_image_lt" lt, "record_image_le" le,
        "record_image_gt" gt, "record_image_ge" ge, "btrecordimagecmp" cmp;
    enums: "enum_eq" eq, "enum_ne" ne, "enum_lt" lt, "enum_le" le, "enum_gt" gt, "enum_ge" ge, "enum_cmp" cmp,
        "enum_larger" max, "enum_smaller" min;
    plain: "tideq" eq, "tidne" ne, "tidlt" lt, "tidle" le, "tidgt" gt, "tidge" ge, "bttidcmp" cmp, "tidlarger" max,
        "tidsmaller" min;
    plain: "xideq" eq, "xidneq" ne, "cideq" eq;
    unsigned: "xid8eq" eq, "xid8ne" ne, "xid8lt" lt, "xid8le" le, "xid8gt" gt, "xid8ge" ge, "xid8cmp" cmp,
        "xid8_larger" max, "xid8_smaller" min;
    plain: "cash_eq" eq, "cash_ne" ne, "cash_lt" lt, "cash_le" le, "cash_gt" gt, "cash_ge" ge, "cash_cmp" cmp,
        "cashlarger" max, "cashsmaller" min;
    array: "oidvectoreq" eq, "oidvectorne" ne, "oidvectorlt" lt, "oidvectorle" le, "oidvectorgt" gt, "oidvectorge" ge,
        "btoidvectorcmp" cmp;
    plain: "tsvector_eq" eq, "tsvector_ne" ne, "tsvector_lt" lt, "tsvector_le" le, "tsvector_gt" gt, "tsvector_ge" ge,
        "tsvector_cmp" cmp;
    plain: "tsquery_eq" eq, "tsquery_ne" ne, "tsquery_lt" lt, "tsquery_le" le, "tsquery_gt" gt, "tsquery_ge" ge,
        "tsquery_cmp" cmp;
};
