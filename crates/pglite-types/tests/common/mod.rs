//! A type environment without a catalog: built-in types only, the settings of PostgreSQL's regression suite.
#![allow(dead_code)]

use std::sync::Arc;

use pglite_error::{PgError, PgResult};
use pglite_types::datetime::{DateOrder, DateStyle, IntervalStyle, TimeZone};
use pglite_types::{Datum, IoSettings, Oid, TypeDesc, TypeEnv, TypeKind, oid, range, typmod};

pub struct Env(pub IoSettings);

impl Env {
    pub fn new() -> Env {
        Env(IoSettings {
            date_style: DateStyle::Postgres,
            date_order: DateOrder::Mdy,
            interval_style: IntervalStyle::PostgresVerbose,
            timezone: TimeZone::lookup("America/Los_Angeles").unwrap(),
            extra_float_digits: 1,
            bytea_hex: true,
            xml_document: false,
            quote_all_identifiers: false,
            array_nulls: true,
        })
    }
}

impl TypeEnv for Env {
    fn settings(&self) -> &IoSettings {
        &self.0
    }
    fn type_desc(&self, t: Oid) -> PgResult<Arc<TypeDesc>> {
        let elem = typmod::builtin_elem(t);
        let subtype = range::builtin_subtype(t);
        let name = typmod::format_type(t, -1).ok_or_else(|| PgError::internal(format!("no type {t}")))?;
        let kind = match t {
            _ if subtype.is_some() && name.ends_with("multirange") => TypeKind::Multirange,
            _ if subtype.is_some() => TypeKind::Range,
            oid::RECORD | oid::ANY | oid::ANYELEMENT | oid::VOID | oid::CSTRING => TypeKind::Pseudo,
            _ => TypeKind::Base,
        };
        Ok(Arc::new(TypeDesc {
            oid: t,
            name: name.into(),
            kind,
            len: -1,
            delim: if t == oid::BOX || t == oid::BOX_ARRAY { b';' } else { b',' },
            elem: elem.unwrap_or(match t {
                oid::INT2VECTOR => oid::INT2,
                oid::OIDVECTOR => oid::OID,
                _ => Oid::INVALID,
            }),
            array: Oid::INVALID,
            base: Oid::INVALID,
            base_typmod: -1,
            attrs: Arc::new([]),
            labels: Arc::new([]),
            subtype: subtype.unwrap_or_default(),
            collation: Oid::INVALID,
        }))
    }
    fn transaction_timestamp(&self) -> i64 {
        817_000_000_000_000
    }
    fn reg_in(&self, _: Oid, name: &str) -> PgResult<Oid> {
        Err(PgError::internal(name))
    }
    fn reg_out(&self, _: Oid, o: Oid) -> PgResult<String> {
        Ok(o.to_string())
    }
    fn check_domain(&self, _: Oid, _: &Datum) -> PgResult<()> {
        Ok(())
    }
}

/// OID and typmod of the type names used in the golden files.
pub fn type_of(name: &str) -> (Oid, i32) {
    let m = |t: Oid, args: &[&str]| (t, typmod::typmod_in(t, args).unwrap());
    match name {
        "bool" => (oid::BOOL, -1),
        "\"char\"" => (oid::CHAR, -1),
        "int2" => (oid::INT2, -1),
        "int4" => (oid::INT4, -1),
        "int8" => (oid::INT8, -1),
        "float4" => (oid::FLOAT4, -1),
        "float8" => (oid::FLOAT8, -1),
        "varchar(4)" => m(oid::VARCHAR, &["4"]),
        "char(4)" => m(oid::BPCHAR, &["4"]),
        "numeric(5,2)" => m(oid::NUMERIC, &["5", "2"]),
        "bit" => m(oid::BIT, &["1"]),
        "bit(4)" => m(oid::BIT, &["4"]),
        "varbit(5)" => m(oid::VARBIT, &["5"]),
        "time" => (oid::TIME, -1),
        "timetz" => (oid::TIMETZ, -1),
        "timestamp" => (oid::TIMESTAMP, -1),
        "timestamptz" => (oid::TIMESTAMPTZ, -1),
        "timestamp(2)" => m(oid::TIMESTAMP, &["2"]),
        "interval(2)" => m(oid::INTERVAL, &["32767", "2"]),
        "interval hour to minute" => m(oid::INTERVAL, &["3072"]),
        "interval year to month" => m(oid::INTERVAL, &["6"]),
        "interval minute to second" => m(oid::INTERVAL, &["6144"]),
        "int4[]" => (oid::INT4_ARRAY, -1),
        "text[]" => (oid::TEXT_ARRAY, -1),
        "float8[]" => (oid::FLOAT8_ARRAY, -1),
        "numeric[]" => (oid::NUMERIC_ARRAY, -1),
        "bool[]" => (oid::BOOL_ARRAY, -1),
        "point[]" => (oid::POINT_ARRAY, -1),
        "box[]" => (oid::BOX_ARRAY, -1),
        _ => {
            let found = (1..7000).map(Oid).find(|o| typmod::format_type(*o, -1).as_deref() == Some(name));
            (found.unwrap_or_else(|| panic!("no type {name}")), -1)
        }
    }
}

/// The text form of an error in the golden files.
pub fn error_text(e: &PgError) -> String {
    let mut s = format!("ERROR {} {}", e.code().as_str(), e.message());
    if let Some(d) = &e.fields().detail {
        s += &format!(" DETAIL {d}");
    }
    if let Some(h) = &e.fields().hint {
        s += &format!(" HINT {h}");
    }
    for c in &e.fields().context {
        s += &format!("\n{c}");
    }
    s
}

/// Undoes the escapes of COPY text format.
pub fn unescape(s: &str) -> String {
    let mut out = String::new();
    let mut chars = s.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('t') => out.push('\t'),
            Some('n') => out.push('\n'),
            Some('r') => out.push('\r'),
            Some('b') => out.push('\x08'),
            Some('f') => out.push('\x0c'),
            Some('v') => out.push('\x0b'),
            Some(c) => out.push(c),
            None => {}
        }
    }
    out
}
