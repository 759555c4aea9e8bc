//! Binary input and output of every type, by type OID.

mod nested;

use ecow::{EcoString, EcoVec};
use pglite_error::{PgError, PgResult, bail, codes};

use crate::bits::BitString;
use crate::datetime::{self, Interval, TimeTz};
use crate::io::TypeKind;
use crate::net::Inet;
use crate::{Datum, Oid, TypeEnv, jsonb, numeric, oid, text, typmod as tm};

/// A received message, read from the front.
pub(crate) struct Msg<'a> {
    rest: &'a [u8],
}

impl<'a> Msg<'a> {
    pub fn new(rest: &'a [u8]) -> Msg<'a> {
        Msg { rest }
    }
    pub fn take(&mut self, n: usize) -> PgResult<&'a [u8]> {
        if n > self.rest.len() {
            return Err(PgError::new(codes::PROTOCOL_VIOLATION, "insufficient data left in message"));
        }
        let (head, rest) = self.rest.split_at(n);
        self.rest = rest;
        Ok(head)
    }
    pub fn array<const N: usize>(&mut self) -> PgResult<[u8; N]> {
        let mut out = [0; N];
        out.copy_from_slice(self.take(N)?);
        Ok(out)
    }
    pub fn u8(&mut self) -> PgResult<u8> {
        Ok(self.take(1)?[0])
    }
    pub fn u16(&mut self) -> PgResult<u16> {
        self.array().map(u16::from_be_bytes)
    }
    pub fn i32(&mut self) -> PgResult<i32> {
        self.array().map(i32::from_be_bytes)
    }
    pub fn u32(&mut self) -> PgResult<u32> {
        self.array().map(u32::from_be_bytes)
    }
    pub fn i64(&mut self) -> PgResult<i64> {
        self.array().map(i64::from_be_bytes)
    }
    pub fn f64(&mut self) -> PgResult<f64> {
        self.array().map(f64::from_be_bytes)
    }
    pub fn all(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.rest)
    }
    /// Text up to a zero byte.
    pub fn cstr(&mut self) -> PgResult<&'a str> {
        let n = self.rest.iter().position(|&b| b == 0);
        let n = n.ok_or_else(|| PgError::new(codes::PROTOCOL_VIOLATION, "invalid string in message"))?;
        let s = utf8(&self.rest[..n])?;
        self.rest = &self.rest[n + 1..];
        Ok(s)
    }
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }
}

/// Checks that bytes are valid UTF-8 without zero bytes.
pub fn utf8(bytes: &[u8]) -> PgResult<&str> {
    let bad = |rest: &[u8]| {
        let n = match rest[0] {
            0xf0..=0xf7 => 4,
            0xe0..=0xef => 3,
            0xc0..=0xdf => 2,
            _ => 1,
        };
        let shown: Vec<String> = rest.iter().take(n).map(|b| format!("0x{b:02x}")).collect();
        PgError::new(
            codes::CHARACTER_NOT_IN_REPERTOIRE,
            format!("invalid byte sequence for encoding \"UTF8\": {}", shown.join(" ")),
        )
    };
    match std::str::from_utf8(bytes) {
        Ok(s) => match bytes.iter().position(|&b| b == 0) {
            Some(at) => Err(bad(&bytes[at..])),
            None => Ok(s),
        },
        Err(e) => Err(bad(&bytes[e.valid_up_to()..])),
    }
}

/// The type's receive function; `typmod` as in [`crate::text::text_in`].
pub fn binary_recv(env: &dyn TypeEnv, type_oid: Oid, typmod: i32, bytes: &[u8]) -> PgResult<Datum> {
    let mut m = Msg::new(bytes);
    let value = recv(env, type_oid, typmod, &mut m)?;
    if !m.is_empty() {
        bail!(INVALID_BINARY_REPRESENTATION, "incorrect binary data format");
    }
    Ok(value)
}

fn recv(env: &dyn TypeEnv, type_oid: Oid, typmod: i32, m: &mut Msg<'_>) -> PgResult<Datum> {
    Ok(match type_oid {
        oid::INT4 => Datum::Int4(m.i32()?),
        oid::INT8 | oid::MONEY | oid::XID8 => Datum::Int8(m.i64()?),
        oid::TEXT | oid::CSTRING | oid::UNKNOWN | oid::REFCURSOR => {
            Datum::Text(EcoString::from(utf8(m.all())?))
        }
        oid::VARCHAR | oid::BPCHAR => tm::apply_text(type_oid, typmod, utf8(m.all())?.into(), false)?,
        oid::INT2 => Datum::Int2(m.u16()? as i16),
        oid::BOOL => Datum::Bool(m.u8()? != 0),
        oid::CHAR => Datum::Char(m.u8()?),
        oid::FLOAT8 => Datum::Float8(m.f64()?),
        oid::FLOAT4 => Datum::Float4(f32::from_be_bytes(m.array()?)),
        oid::OID | oid::XID | oid::CID => Datum::Oid(Oid(m.u32()?)),
        oid::NUMERIC => Datum::Numeric(numeric::apply_typmod(numeric::recv(m.all())?, typmod)?),
        oid::NAME => {
            let s = utf8(m.all())?;
            if s.len() > 63 {
                return Err(PgError::new(codes::NAME_TOO_LONG, "identifier too long")
                    .detail("Identifier must be less than 64 characters."));
            }
            Datum::Text(s.into())
        }
        oid::BYTEA => Datum::Bytea(EcoVec::from(m.all())),
        oid::UUID => Datum::Uuid(m.array()?),
        oid::JSON => {
            let s = utf8(m.all())?;
            jsonb::validate(s)?;
            Datum::Text(s.into())
        }
        oid::JSONB => {
            if m.u8()? != 1 {
                return Err(PgError::internal("unsupported jsonb version number"));
            }
            Datum::Jsonb(jsonb::parse(utf8(m.all())?)?.into())
        }
        oid::PG_LSN => Datum::Lsn(m.i64()? as u64),
        oid::TID => Datum::Tid((m.u32()? as u64) << 16 | m.u16()? as u64),
        oid::DATE => Datum::Date(recv_date(m.i32()?)?),
        oid::TIME => Datum::Time(recv_time(m.i64()?, typmod)?),
        oid::TIMETZ => {
            let micros = recv_time(m.i64()?, typmod)?;
            let zone = m.i32()?;
            if zone.abs() > 15 * 3600 + 59 * 60 + 59 {
                bail!(INVALID_TIME_ZONE_DISPLACEMENT_VALUE, "time zone displacement out of range");
            }
            Datum::TimeTz(TimeTz { micros, zone })
        }
        oid::TIMESTAMP | oid::TIMESTAMPTZ => {
            let v = m.i64()?;
            if datetime::is_finite_timestamp(v) && !datetime::is_valid_timestamp(v) {
                return Err(datetime::timestamp_range());
            }
            Datum::Timestamp(datetime::round_timestamp(v, typmod))
        }
        oid::INTERVAL => {
            let v = Interval { micros: m.i64()?, days: m.i32()?, months: m.i32()? };
            Datum::Interval(datetime::apply_interval_typmod(v, typmod)?)
        }
        oid::BIT | oid::VARBIT => recv_bits(type_oid, typmod, m)?,
        oid::INET | oid::CIDR => recv_inet(type_oid == oid::CIDR, m)?,
        oid::MACADDR => Datum::MacAddr(m.array()?),
        oid::MACADDR8 => {
            let b = m.all();
            match *b {
                [a, b, c, d, e, f] => Datum::MacAddr8([a, b, c, 0xff, 0xfe, d, e, f]),
                [a, b, c, d, e, f, g, h] => Datum::MacAddr8([a, b, c, d, e, f, g, h]),
                _ => bail!(PROTOCOL_VIOLATION, "insufficient data left in message"),
            }
        }
        _ => return nested::recv(env, type_oid, typmod, m),
    })
}

fn recv_date(v: i32) -> PgResult<i32> {
    if datetime::is_finite_date(v) && !datetime::is_valid_date(v as i64) {
        bail!(DATETIME_VALUE_OUT_OF_RANGE, "date out of range");
    }
    Ok(v)
}

fn recv_time(v: i64, typmod: i32) -> PgResult<i64> {
    if !(0..=datetime::MICROS_PER_DAY).contains(&v) {
        bail!(DATETIME_VALUE_OUT_OF_RANGE, "time out of range");
    }
    Ok(tm::round_micros(v, typmod))
}

fn recv_bits(type_oid: Oid, typmod: i32, m: &mut Msg<'_>) -> PgResult<Datum> {
    let len = m.i32()?;
    if len < 0 {
        bail!(INVALID_BINARY_REPRESENTATION, "invalid length in external bit string");
    }
    let mut b = BitString { len: len as u32, bytes: m.take((len as u32).div_ceil(8) as usize)?.to_vec() };
    b.clear_tail();
    tm::apply(type_oid, typmod, Datum::Bits(b.into()), false)
}

fn recv_inet(cidr: bool, m: &mut Msg<'_>) -> PgResult<Datum> {
    let name = if cidr { "cidr" } else { "inet" };
    let family = m.u8()?;
    if !matches!(family, 2 | 3) {
        bail!(INVALID_BINARY_REPRESENTATION, "invalid address family in external \"{name}\" value");
    }
    let v6 = family == 3;
    let bits = m.u8()?;
    if bits > if v6 { 128 } else { 32 } {
        bail!(INVALID_BINARY_REPRESENTATION, "invalid bits in external \"{name}\" value");
    }
    m.u8()?;
    let n = m.u8()? as usize;
    if n != if v6 { 16 } else { 4 } {
        bail!(INVALID_BINARY_REPRESENTATION, "invalid length in external \"{name}\" value");
    }
    let mut addr = [0; 16];
    addr[..n].copy_from_slice(m.take(n)?);
    let v = Inet { v6, bits, addr };
    if cidr && !v.host_bits_clear() {
        return Err(PgError::new(codes::INVALID_BINARY_REPRESENTATION, "invalid external \"cidr\" value")
            .detail("Value has bits set to right of mask."));
    }
    Ok(Datum::Inet(v.into()))
}

/// The type's send function: appends the wire form of `value` (not NULL) to `out`.
pub fn binary_send(env: &dyn TypeEnv, type_oid: Oid, value: &Datum, out: &mut Vec<u8>) -> PgResult<()> {
    match value {
        Datum::Int4(v) => out.extend_from_slice(&v.to_be_bytes()),
        Datum::Int8(v) => out.extend_from_slice(&v.to_be_bytes()),
        Datum::Text(s) => match type_oid {
            oid::JSONPATH => {
                out.push(1);
                out.extend_from_slice(s.as_bytes());
            }
            oid::PG_SNAPSHOT | oid::TXID_SNAPSHOT => nested::send_snapshot(s, out),
            _ => out.extend_from_slice(s.as_bytes()),
        },
        Datum::Int2(v) => out.extend_from_slice(&v.to_be_bytes()),
        Datum::Bool(b) => out.push(*b as u8),
        Datum::Char(c) => out.push(*c),
        Datum::Float8(v) => out.extend_from_slice(&v.to_be_bytes()),
        Datum::Float4(v) => out.extend_from_slice(&v.to_be_bytes()),
        Datum::Oid(o) => return send_oid(env, type_oid, *o, out),
        Datum::Numeric(n) => numeric::send(n, out),
        Datum::Bytea(b) => out.extend_from_slice(b),
        Datum::Uuid(u) => out.extend_from_slice(u),
        Datum::Jsonb(j) => {
            out.push(1);
            let mut s = String::new();
            jsonb::write(j, &mut s);
            out.extend_from_slice(s.as_bytes());
        }
        Datum::Lsn(v) => out.extend_from_slice(&v.to_be_bytes()),
        Datum::Tid(v) => {
            out.extend_from_slice(&((v >> 16) as u32).to_be_bytes());
            out.extend_from_slice(&(*v as u16).to_be_bytes());
        }
        Datum::Date(v) => out.extend_from_slice(&v.to_be_bytes()),
        Datum::Time(v) | Datum::Timestamp(v) => out.extend_from_slice(&v.to_be_bytes()),
        Datum::TimeTz(t) => {
            out.extend_from_slice(&t.micros.to_be_bytes());
            out.extend_from_slice(&t.zone.to_be_bytes());
        }
        Datum::Interval(i) => {
            out.extend_from_slice(&i.micros.to_be_bytes());
            out.extend_from_slice(&i.days.to_be_bytes());
            out.extend_from_slice(&i.months.to_be_bytes());
        }
        Datum::Bits(b) => {
            out.extend_from_slice(&b.len.to_be_bytes());
            out.extend_from_slice(&b.bytes);
        }
        Datum::Inet(i) => {
            let head = [2 + i.v6 as u8, i.bits, (type_oid == oid::CIDR) as u8, i.bytes().len() as u8];
            out.extend_from_slice(&head);
            out.extend_from_slice(i.bytes());
        }
        Datum::MacAddr(m) => out.extend_from_slice(m),
        Datum::MacAddr8(m) => out.extend_from_slice(m),
        _ => return nested::send(env, type_oid, value, out),
    }
    Ok(())
}

/// OIDs go as numbers, enum labels as text.
fn send_oid(env: &dyn TypeEnv, type_oid: Oid, value: Oid, out: &mut Vec<u8>) -> PgResult<()> {
    let plain = text::is_reg(type_oid) || matches!(type_oid, oid::OID | oid::XID | oid::CID);
    if !plain {
        let desc = env.type_desc(type_oid)?;
        match desc.kind {
            TypeKind::Domain => return send_oid(env, desc.base, value, out),
            TypeKind::Enum => {
                let mut s = String::new();
                text::text_out(env, type_oid, &Datum::Oid(value), &mut s)?;
                out.extend_from_slice(s.as_bytes());
                return Ok(());
            }
            _ => {}
        }
    }
    out.extend_from_slice(&value.0.to_be_bytes());
    Ok(())
}
