//! What input and output functions need from above: settings, and the catalog's word on non-built-in types.
//!
//! The session implements [`TypeEnv`]; this crate never sees a catalog.

use std::sync::Arc;

use pglite_error::PgResult;

use crate::Oid;

/// `pg_type.typtype`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TypeKind {
    Base,
    Composite,
    Domain,
    Enum,
    Pseudo,
    Range,
    Multirange,
}

/// One attribute of a composite type.
#[derive(Clone, Debug)]
pub struct AttrDesc {
    pub name: Arc<str>,
    pub type_oid: Oid,
    pub typmod: i32,
    pub dropped: bool,
}

/// What I/O needs to know about a type. Built once per type and catalog version, then shared.
#[derive(Clone, Debug)]
pub struct TypeDesc {
    pub oid: Oid,
    /// `format_type` spelling, for messages.
    pub name: Arc<str>,
    pub kind: TypeKind,
    /// `pg_type.typlen`: bytes, or -1/-2 for variable length.
    pub len: i16,
    /// `pg_type.typdelim`.
    pub delim: u8,
    /// Element type of a true array type (typcategory A), else INVALID.
    pub elem: Oid,
    /// The array type over this type, else INVALID.
    pub array: Oid,
    /// Domain: base type (one level) and its typmod.
    pub base: Oid,
    pub base_typmod: i32,
    /// Composite: the attributes in attnum order.
    pub attrs: Arc<[AttrDesc]>,
    /// Enum: (label OID, label, sort position), in sort order.
    pub labels: Arc<[(Oid, Arc<str>, f32)]>,
    /// Range and multirange: the subtype (range: element; multirange: the range type).
    pub subtype: Oid,
    pub collation: Oid,
}

/// Output settings of the session. Cheap to clone: shared by `Arc` in the session.
#[derive(Clone, Debug)]
pub struct IoSettings {
    pub date_style: crate::datetime::DateStyle,
    pub date_order: crate::datetime::DateOrder,
    pub interval_style: crate::datetime::IntervalStyle,
    pub timezone: crate::datetime::TimeZone,
    pub extra_float_digits: i32,
    pub bytea_hex: bool,
    pub xml_document: bool,
    pub quote_all_identifiers: bool,
    pub array_nulls: bool,
}

impl Default for IoSettings {
    /// PostgreSQL's built-in defaults, with the time zone UTC.
    fn default() -> IoSettings {
        IoSettings {
            date_style: Default::default(),
            date_order: Default::default(),
            interval_style: Default::default(),
            timezone: crate::datetime::TimeZone::utc(),
            extra_float_digits: 1,
            bytea_hex: true,
            xml_document: false,
            quote_all_identifiers: false,
            array_nulls: true,
        }
    }
}

/// The callback surface of every in/out/send/recv function.
pub trait TypeEnv {
    fn settings(&self) -> &IoSettings;
    fn type_desc(&self, oid: Oid) -> PgResult<Arc<TypeDesc>>;
    /// Transaction start, microseconds since 2000-01-01 UTC: 'now', 'today' ... in date/time input.
    fn transaction_timestamp(&self) -> i64;
    /// Input of reg* types: `kind` is the type OID (regclass ...); returns the object's OID.
    fn reg_in(&self, kind: Oid, name: &str) -> PgResult<Oid>;
    /// Output of reg* types.
    fn reg_out(&self, kind: Oid, oid: Oid) -> PgResult<String>;
    /// Checks a domain's NOT NULL and CHECK constraints on a value of its base type.
    fn check_domain(&self, domain: Oid, value: &crate::Datum) -> PgResult<()>;
}
