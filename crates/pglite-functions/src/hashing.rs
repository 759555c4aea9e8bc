//! Hash support functions: PostgreSQL's own hashes, visible in hash partitioning.

use pglite_error::{PgResult, bail};
use pglite_ir::{Body, FnCtx};
use pglite_types::{Datum, Oid, hash, oid};

fn declared(cx: &FnCtx<'_>) -> Oid {
    cx.call.arg_types.first().copied().unwrap_or(Oid::INVALID)
}

fn plain(cx: &FnCtx<'_>, ty: Oid, value: &Datum) -> PgResult<Datum> {
    match hash::pg_hash(ty, value) {
        Some(h) => Ok(Datum::Int4(h)),
        None => missing(cx, ty),
    }
}

fn seeded(cx: &FnCtx<'_>, ty: Oid, value: &Datum, seed: &Datum) -> PgResult<Datum> {
    let seed = if let Datum::Int8(s) = seed { *s as u64 } else { 0 };
    match hash::pg_hash_extended(ty, value, seed) {
        Some(h) => Ok(Datum::Int8(h as i64)),
        None => missing(cx, ty),
    }
}

#[cold]
fn missing(cx: &FnCtx<'_>, ty: Oid) -> PgResult<Datum> {
    let name = cx.host.type_desc(ty)?.name.clone();
    bail!(UNDEFINED_FUNCTION, "could not identify a hash function for type {name}")
}

macro_rules! hashes {
    (fixed: $($n:literal $t:expr,)* seeded: $($m:literal $u:expr,)* any: $($p:literal,)* any_seeded: $($q:literal,)*) => {
        pub static TABLE: &[(&str, Body)] = &[
            $(($n, Body::Scalar(|cx, a| plain(cx, $t, &a[0]))),)*
            $(($m, Body::Scalar(|cx, a| seeded(cx, $u, &a[0], &a[1]))),)*
            $(($p, Body::Scalar(|cx, a| plain(cx, declared(cx), &a[0]))),)*
            $(($q, Body::Scalar(|cx, a| seeded(cx, declared(cx), &a[0], &a[1]))),)*
        ];
    };
}

hashes! {
    fixed:
    "hash_aclitem" oid::ACLITEM,
    "hash_numeric" oid::NUMERIC,
    "hashbool" oid::BOOL,
    "hashbpchar" oid::BPCHAR,
    "hashbytea" oid::BYTEA,
    "hashchar" oid::CHAR,
    "hashcid" oid::CID,
    "hashdate" oid::DATE,
    "hashenum" oid::OID,
    "hashfloat4" oid::FLOAT4,
    "hashfloat8" oid::FLOAT8,
    "hashinet" oid::INET,
    "hashint2" oid::INT2,
    "hashint4" oid::INT4,
    "hashint8" oid::INT8,
    "hashmacaddr" oid::MACADDR,
    "hashmacaddr8" oid::MACADDR8,
    "hashname" oid::NAME,
    "hashoid" oid::OID,
    "hashoidvector" oid::OIDVECTOR,
    "hashtext" oid::TEXT,
    "hashtid" oid::TID,
    "hashxid" oid::XID,
    "hashxid8" oid::INT8,
    "interval_hash" oid::INTERVAL,
    "jsonb_hash" oid::JSONB,
    "pg_lsn_hash" oid::PG_LSN,
    "time_hash" oid::TIME,
    "timestamp_hash" oid::TIMESTAMP,
    "timestamptz_hash" oid::TIMESTAMPTZ,
    "timetz_hash" oid::TIMETZ,
    "uuid_hash" oid::UUID,
    seeded:
    "hash_aclitem_extended" oid::ACLITEM,
    "hash_numeric_extended" oid::NUMERIC,
    "hashboolextended" oid::BOOL,
    "hashbpcharextended" oid::BPCHAR,
    "hashbyteaextended" oid::BYTEA,
    "hashcharextended" oid::CHAR,
    "hashcidextended" oid::CID,
    "hashdateextended" oid::DATE,
    "hashenumextended" oid::OID,
    "hashfloat4extended" oid::FLOAT4,
    "hashfloat8extended" oid::FLOAT8,
    "hashinetextended" oid::INET,
    "hashint2extended" oid::INT2,
    "hashint4extended" oid::INT4,
    "hashint8extended" oid::INT8,
    "hashmacaddr8extended" oid::MACADDR8,
    "hashmacaddrextended" oid::MACADDR,
    "hashnameextended" oid::NAME,
    "hashoidextended" oid::OID,
    "hashoidvectorextended" oid::OIDVECTOR,
    "hashtextextended" oid::TEXT,
    "hashtidextended" oid::TID,
    "hashxid8extended" oid::INT8,
    "hashxidextended" oid::XID,
    "interval_hash_extended" oid::INTERVAL,
    "jsonb_hash_extended" oid::JSONB,
    "pg_lsn_hash_extended" oid::PG_LSN,
    "time_hash_extended" oid::TIME,
    "timestamp_hash_extended" oid::TIMESTAMP,
    "timestamptz_hash_extended" oid::TIMESTAMPTZ,
    "timetz_hash_extended" oid::TIMETZ,
    "uuid_hash_extended" oid::UUID,
    any:
    "hash_array",
    "hash_multirange",
    "hash_range",
    "hash_record",
    any_seeded:
    "hash_array_extended",
    "hash_multirange_extended",
    "hash_range_extended",
    "hash_record_extended",
}
