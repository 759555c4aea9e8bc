//! Row storage form of values: how each type lies in a stored row.
//!
//! Fixed-width kinds are little-endian bytes; the rest is self-describing, so that decoding needs no catalog.
//! Invariant: `decode(kind_of(v), encode(v)) == v`, form and scale included.

mod nested;

use std::sync::OnceLock;

use ecow::EcoVec;
use pglite_codec::row::ColumnShape;
use pglite_error::{PgError, PgResult};

use crate::bits::BitString;
use crate::datetime::{Interval, TimeTz};
use crate::io::TypeKind;
use crate::net::Inet;
use crate::numeric::{Big, Numeric};
use crate::{Datum, Oid, TypeEnv, oid};

/// How a value of a type is stored: decoding is one match on this per column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum PhysKind {
    Bool,
    Char,
    Int2,
    Int4,
    Int8,
    Float4,
    Float8,
    Oid,
    Text,
    Bytea,
    Numeric,
    Date,
    Time,
    TimeTz,
    Timestamp,
    Interval,
    Uuid,
    Jsonb,
    Array,
    Record,
    Range,
    Multirange,
    Bits,
    Inet,
    MacAddr,
    MacAddr8,
    Geo,
    TsVector,
    TsQuery,
    Tid,
    Lsn,
    Extension,
}

use PhysKind as K;

const ALL: [PhysKind; 32] = [
    K::Bool,
    K::Char,
    K::Int2,
    K::Int4,
    K::Int8,
    K::Float4,
    K::Float8,
    K::Oid,
    K::Text,
    K::Bytea,
    K::Numeric,
    K::Date,
    K::Time,
    K::TimeTz,
    K::Timestamp,
    K::Interval,
    K::Uuid,
    K::Jsonb,
    K::Array,
    K::Record,
    K::Range,
    K::Multirange,
    K::Bits,
    K::Inet,
    K::MacAddr,
    K::MacAddr8,
    K::Geo,
    K::TsVector,
    K::TsQuery,
    K::Tid,
    K::Lsn,
    K::Extension,
];

impl PhysKind {
    /// Width in the row: fixed kinds in 1, 2, 4, 8 or 16 bytes, everything else variable.
    pub fn shape(self) -> ColumnShape {
        match self {
            K::Bool | K::Char => ColumnShape::Fixed(1),
            K::Int2 => ColumnShape::Fixed(2),
            K::Int4 | K::Float4 | K::Oid | K::Date => ColumnShape::Fixed(4),
            K::Int8 | K::Float8 | K::Time | K::Timestamp | K::MacAddr | K::MacAddr8 | K::Tid | K::Lsn => {
                ColumnShape::Fixed(8)
            }
            K::TimeTz | K::Interval | K::Uuid => ColumnShape::Fixed(16),
            _ => ColumnShape::Var,
        }
    }
    pub fn from_u8(v: u8) -> Option<PhysKind> {
        ALL.get(v as usize).copied()
    }
    /// The kind of a built-in type; `None` for types that their `TypeDesc` decides.
    pub fn of_builtin(type_oid: Oid) -> Option<PhysKind> {
        if crate::text::is_reg(type_oid) {
            return Some(K::Oid);
        }
        if crate::typmod::builtin_elem(type_oid).is_some() {
            return Some(K::Array);
        }
        Some(match type_oid {
            oid::BOOL => K::Bool,
            oid::CHAR => K::Char,
            oid::INT2 => K::Int2,
            oid::INT4 => K::Int4,
            oid::INT8 | oid::MONEY | oid::XID8 => K::Int8,
            oid::FLOAT4 => K::Float4,
            oid::FLOAT8 => K::Float8,
            oid::OID | oid::XID | oid::CID => K::Oid,
            oid::TEXT | oid::VARCHAR | oid::BPCHAR | oid::NAME | oid::CSTRING | oid::UNKNOWN => K::Text,
            oid::JSON | oid::XML | oid::REFCURSOR | oid::JSONPATH | oid::PG_NODE_TREE | oid::ACLITEM => {
                K::Text
            }
            oid::PG_SNAPSHOT | oid::TXID_SNAPSHOT | oid::VOID => K::Text,
            oid::BYTEA | oid::PG_NDISTINCT | oid::PG_DEPENDENCIES | oid::PG_MCV_LIST => K::Bytea,
            oid::NUMERIC => K::Numeric,
            oid::DATE => K::Date,
            oid::TIME => K::Time,
            oid::TIMETZ => K::TimeTz,
            oid::TIMESTAMP | oid::TIMESTAMPTZ => K::Timestamp,
            oid::INTERVAL => K::Interval,
            oid::UUID => K::Uuid,
            oid::JSONB => K::Jsonb,
            oid::INT2VECTOR | oid::OIDVECTOR | oid::ANYARRAY => K::Array,
            oid::RECORD => K::Record,
            oid::INT4RANGE
            | oid::INT8RANGE
            | oid::NUMRANGE
            | oid::TSRANGE
            | oid::TSTZRANGE
            | oid::DATERANGE => K::Range,
            oid::INT4MULTIRANGE
            | oid::INT8MULTIRANGE
            | oid::NUMMULTIRANGE
            | oid::TSMULTIRANGE
            | oid::TSTZMULTIRANGE
            | oid::DATEMULTIRANGE => K::Multirange,
            oid::BIT | oid::VARBIT => K::Bits,
            oid::INET | oid::CIDR => K::Inet,
            oid::MACADDR => K::MacAddr,
            oid::MACADDR8 => K::MacAddr8,
            oid::POINT | oid::LSEG | oid::PATH | oid::BOX | oid::POLYGON | oid::LINE | oid::CIRCLE => K::Geo,
            oid::TSVECTOR => K::TsVector,
            oid::TSQUERY => K::TsQuery,
            oid::TID => K::Tid,
            oid::PG_LSN => K::Lsn,
            _ => return None,
        })
    }
    /// The kind of any type, user-defined ones included.
    pub fn of_type(env: &dyn TypeEnv, type_oid: Oid) -> PgResult<PhysKind> {
        if let Some(kind) = PhysKind::of_builtin(type_oid) {
            return Ok(kind);
        }
        let desc = env.type_desc(type_oid)?;
        Ok(match desc.kind {
            TypeKind::Domain => return PhysKind::of_type(env, desc.base),
            TypeKind::Enum => K::Oid,
            TypeKind::Composite => K::Record,
            TypeKind::Range => K::Range,
            TypeKind::Multirange => K::Multirange,
            TypeKind::Base if desc.elem.is_valid() && desc.len == -1 => K::Array,
            TypeKind::Base => K::Extension,
            TypeKind::Pseudo => K::Text,
        })
    }
    /// The kind of a value; `None` for NULL and internal values.
    pub fn of_value(value: &Datum) -> Option<PhysKind> {
        Some(match value {
            Datum::Null | Datum::Internal(_) => return None,
            Datum::Bool(_) => K::Bool,
            Datum::Char(_) => K::Char,
            Datum::Int2(_) => K::Int2,
            Datum::Int4(_) => K::Int4,
            Datum::Int8(_) => K::Int8,
            Datum::Float4(_) => K::Float4,
            Datum::Float8(_) => K::Float8,
            Datum::Oid(_) => K::Oid,
            Datum::Text(_) => K::Text,
            Datum::Bytea(_) => K::Bytea,
            Datum::Numeric(_) => K::Numeric,
            Datum::Date(_) => K::Date,
            Datum::Time(_) => K::Time,
            Datum::TimeTz(_) => K::TimeTz,
            Datum::Timestamp(_) => K::Timestamp,
            Datum::Interval(_) => K::Interval,
            Datum::Uuid(_) => K::Uuid,
            Datum::Jsonb(_) => K::Jsonb,
            Datum::Array(_) => K::Array,
            Datum::Record(_) => K::Record,
            Datum::Range(_) => K::Range,
            Datum::Multirange(_) => K::Multirange,
            Datum::Bits(_) => K::Bits,
            Datum::Inet(_) => K::Inet,
            Datum::MacAddr(_) => K::MacAddr,
            Datum::MacAddr8(_) => K::MacAddr8,
            Datum::Geo(_) => K::Geo,
            Datum::TsVector(_) => K::TsVector,
            Datum::TsQuery(_) => K::TsQuery,
            Datum::Tid(_) => K::Tid,
            Datum::Lsn(_) => K::Lsn,
            Datum::Extension(_) => K::Extension,
        })
    }
}

/// The row shape of a type's column.
pub fn shape(env: &dyn TypeEnv, type_oid: Oid) -> PgResult<ColumnShape> {
    PhysKind::of_type(env, type_oid).map(PhysKind::shape)
}

/// Reads back the storage form of an extension value.
pub type ExtensionDecoder = fn(&[u8]) -> PgResult<Datum>;

static EXTENSION: OnceLock<ExtensionDecoder> = OnceLock::new();

/// Registers the decoder of extension values; the first one stays.
pub fn set_extension_decoder(decoder: ExtensionDecoder) {
    let _ = EXTENSION.set(decoder);
}

pub(crate) fn corrupt(what: &str) -> PgError {
    PgError::new(pglite_error::codes::DATA_CORRUPTED, format!("stored {what} is damaged"))
}

/// Appends the stored form of `value` (not NULL).
pub fn encode(value: &Datum, out: &mut Vec<u8>) -> PgResult<()> {
    match value {
        Datum::Null | Datum::Internal(_) => {
            return Err(PgError::internal("cannot store a value of type internal"));
        }
        Datum::Bool(b) => out.push(*b as u8),
        Datum::Char(c) => out.push(*c),
        Datum::Int2(v) => out.extend_from_slice(&v.to_le_bytes()),
        Datum::Int4(v) | Datum::Date(v) => out.extend_from_slice(&v.to_le_bytes()),
        Datum::Int8(v) | Datum::Time(v) | Datum::Timestamp(v) => out.extend_from_slice(&v.to_le_bytes()),
        Datum::Float4(v) => out.extend_from_slice(&v.to_le_bytes()),
        Datum::Float8(v) => out.extend_from_slice(&v.to_le_bytes()),
        Datum::Oid(o) => out.extend_from_slice(&o.0.to_le_bytes()),
        Datum::Text(s) => out.extend_from_slice(s.as_bytes()),
        Datum::Bytea(b) => out.extend_from_slice(b),
        Datum::Numeric(n) => encode_numeric(n, out),
        Datum::TimeTz(t) => {
            out.extend_from_slice(&t.micros.to_le_bytes());
            out.extend_from_slice(&(t.zone as i64).to_le_bytes());
        }
        Datum::Interval(i) => {
            out.extend_from_slice(&i.micros.to_le_bytes());
            out.extend_from_slice(&i.days.to_le_bytes());
            out.extend_from_slice(&i.months.to_le_bytes());
        }
        Datum::Uuid(u) => out.extend_from_slice(u),
        Datum::Bits(b) => {
            out.extend_from_slice(&b.len.to_le_bytes());
            out.extend_from_slice(&b.bytes);
        }
        Datum::Inet(i) => {
            out.push(i.bits);
            out.extend_from_slice(i.bytes());
        }
        Datum::MacAddr(m) => {
            out.extend_from_slice(m);
            out.extend_from_slice(&[0, 0]);
        }
        Datum::MacAddr8(m) => out.extend_from_slice(m),
        Datum::Tid(v) | Datum::Lsn(v) => out.extend_from_slice(&v.to_le_bytes()),
        Datum::Extension(e) => out.extend_from_slice(e.bytes()),
        _ => nested::encode(value, out)?,
    }
    Ok(())
}

fn le<const N: usize>(bytes: &[u8]) -> PgResult<[u8; N]> {
    bytes.first_chunk::<N>().copied().ok_or_else(|| corrupt("value"))
}

/// Reads back what [`encode`] wrote.
pub fn decode(kind: PhysKind, bytes: &[u8]) -> PgResult<Datum> {
    Ok(match kind {
        K::Bool => Datum::Bool(le::<1>(bytes)?[0] != 0),
        K::Char => Datum::Char(le::<1>(bytes)?[0]),
        K::Int2 => Datum::Int2(i16::from_le_bytes(le(bytes)?)),
        K::Int4 => Datum::Int4(i32::from_le_bytes(le(bytes)?)),
        K::Int8 => Datum::Int8(i64::from_le_bytes(le(bytes)?)),
        K::Float4 => Datum::Float4(f32::from_le_bytes(le(bytes)?)),
        K::Float8 => Datum::Float8(f64::from_le_bytes(le(bytes)?)),
        K::Oid => Datum::Oid(Oid(u32::from_le_bytes(le(bytes)?))),
        K::Text => Datum::text_of(std::str::from_utf8(bytes).map_err(|_| corrupt("text"))?),
        K::Bytea => Datum::Bytea(EcoVec::from(bytes)),
        K::Numeric => Datum::Numeric(decode_numeric(bytes)?),
        K::Date => Datum::Date(i32::from_le_bytes(le(bytes)?)),
        K::Time => Datum::Time(i64::from_le_bytes(le(bytes)?)),
        K::Timestamp => Datum::Timestamp(i64::from_le_bytes(le(bytes)?)),
        K::TimeTz => {
            let b: [u8; 16] = le(bytes)?;
            Datum::TimeTz(TimeTz {
                micros: i64::from_le_bytes(le(&b)?),
                zone: i64::from_le_bytes(le(&b[8..])?) as i32,
            })
        }
        K::Interval => {
            let b: [u8; 16] = le(bytes)?;
            Datum::Interval(Interval {
                micros: i64::from_le_bytes(le(&b)?),
                days: i32::from_le_bytes(le(&b[8..])?),
                months: i32::from_le_bytes(le(&b[12..])?),
            })
        }
        K::Uuid => Datum::Uuid(le(bytes)?),
        K::Bits => {
            let len = u32::from_le_bytes(le(bytes)?);
            let bytes = bytes[4..].to_vec();
            if bytes.len() != len.div_ceil(8) as usize {
                return Err(corrupt("bit string"));
            }
            Datum::Bits(BitString { len, bytes }.into())
        }
        K::Inet => {
            let (bits, rest) = bytes.split_first().ok_or_else(|| corrupt("inet"))?;
            let mut addr = [0; 16];
            addr.get_mut(..rest.len()).ok_or_else(|| corrupt("inet"))?.copy_from_slice(rest);
            Datum::Inet(Inet { v6: rest.len() == 16, bits: *bits, addr }.into())
        }
        K::MacAddr => Datum::MacAddr(le(bytes)?),
        K::MacAddr8 => Datum::MacAddr8(le(bytes)?),
        K::Tid => Datum::Tid(u64::from_le_bytes(le(bytes)?)),
        K::Lsn => Datum::Lsn(u64::from_le_bytes(le(bytes)?)),
        K::Extension => match EXTENSION.get() {
            Some(f) => f(bytes)?,
            None => return Err(PgError::unsupported("no extension type is registered")),
        },
        _ => nested::decode(kind, bytes)?,
    })
}

const NUM_NAN: u8 = 0x20;
const NUM_PINF: u8 = 0x21;
const NUM_NINF: u8 = 0x22;
const NUM_BIG: u8 = 0x40;
const NUM_BIG_NEG: u8 = 0x41;

/// Small: the scale, then the coefficient in as few little-endian bytes as its sign allows.
fn encode_numeric(n: &Numeric, out: &mut Vec<u8>) {
    match n {
        Numeric::Small { coef, dscale } => {
            out.push(*dscale);
            let bits = 65 - if *coef < 0 { coef.leading_ones() } else { coef.leading_zeros() };
            let len = if *coef == 0 { 0 } else { bits.div_ceil(8).min(8) as usize };
            out.extend_from_slice(&coef.to_le_bytes()[..len]);
        }
        Numeric::NaN => out.push(NUM_NAN),
        Numeric::PosInf => out.push(NUM_PINF),
        Numeric::NegInf => out.push(NUM_NINF),
        Numeric::Big(b) => {
            out.push(if b.neg { NUM_BIG_NEG } else { NUM_BIG });
            out.extend_from_slice(&b.weight.to_le_bytes());
            out.extend_from_slice(&(b.dscale as u16).to_le_bytes());
            b.digits.iter().for_each(|d| out.extend_from_slice(&d.to_le_bytes()));
        }
    }
}

fn decode_numeric(bytes: &[u8]) -> PgResult<Numeric> {
    let (&head, rest) = bytes.split_first().ok_or_else(|| corrupt("numeric"))?;
    Ok(match head {
        0..=18 if rest.len() <= 8 => {
            let fill = if rest.last().is_some_and(|b| b & 0x80 != 0) { 0xff } else { 0 };
            let mut b = [fill; 8];
            b[..rest.len()].copy_from_slice(rest);
            Numeric::Small { coef: i64::from_le_bytes(b), dscale: head }
        }
        NUM_NAN => Numeric::NaN,
        NUM_PINF => Numeric::PosInf,
        NUM_NINF => Numeric::NegInf,
        NUM_BIG | NUM_BIG_NEG if rest.len() >= 6 => {
            let weight = i32::from_le_bytes(le(rest)?);
            let dscale = u16::from_le_bytes(le(&rest[4..])?) as i32;
            let digits = rest[6..].chunks_exact(2).map(|c| u16::from_le_bytes([c[0], c[1]])).collect();
            Numeric::Big(Big { neg: head == NUM_BIG_NEG, weight, dscale, digits }.into())
        }
        _ => return Err(corrupt("numeric")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_their_numbers() {
        for (i, k) in ALL.iter().enumerate() {
            assert_eq!(*k as usize, i);
        }
    }

    #[test]
    fn numerics_round_trip() {
        for text in [
            "0",
            "0.00",
            "-1",
            "127",
            "128",
            "-128",
            "-129",
            "1e17",
            "-1e17",
            "NaN",
            "-Infinity",
            "1e50",
            "-3.14e-30",
        ] {
            let n = crate::numeric::parse(text).unwrap();
            let mut out = Vec::new();
            encode(&Datum::Numeric(n.clone()), &mut out).unwrap();
            let Datum::Numeric(back) = decode(K::Numeric, &out).unwrap() else { panic!() };
            assert_eq!(back.to_string(), n.to_string());
        }
    }
}
