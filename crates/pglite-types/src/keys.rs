//! Index keys: order-preserving bytes of every type that has a btree order.
//!
//! Invariant: the order of the bytes is [`crate::compare::cmp`] of the values, under the key's direction.

use pglite_codec::key::{DecimalParts, KeyBuf, KeyOrder, KeyReader};
use pglite_error::{PgError, PgResult};
use smallvec::SmallVec;

use crate::datetime::TimeTz;
use crate::jsonb::Jsonb;
use crate::numeric::{Big, Numeric};
use crate::range::{Bound, RangeValue};
use crate::storage::PhysKind;
use crate::{Datum, Oid, oid};

/// Appends one key column. Text is ordered by bytes; bpchar without its trailing blanks. Callers that hold a collation
/// sort key push that as bytes themselves, and enum values by their sort position.
pub fn encode_key(type_oid: Oid, value: &Datum, order: KeyOrder, key: &mut KeyBuf) -> PgResult<()> {
    match value {
        Datum::Null => key.push_null(order),
        Datum::Int4(v) | Datum::Date(v) => key.push_i32(*v, order),
        Datum::Int8(v) | Datum::Time(v) | Datum::Timestamp(v) => key.push_i64(*v, order),
        Datum::Text(s) if type_oid == oid::BPCHAR => key.push_text(crate::compare::trim_blanks(s), order),
        Datum::Text(s) => key.push_text(s, order),
        Datum::Bool(b) => key.push_bool(*b, order),
        Datum::Char(c) => key.push_u8(*c, order),
        Datum::Int2(v) => key.push_i16(*v, order),
        Datum::Float4(v) => key.push_f32(*v, order),
        Datum::Float8(v) => key.push_f64(*v, order),
        Datum::Oid(o) => key.push_u32(o.0, order),
        Datum::Bytea(b) => key.push_bytes(b, order),
        Datum::Numeric(n) => push_numeric(n, order, key),
        Datum::TimeTz(t) => {
            key.push_i64(t.micros + t.zone as i64 * 1_000_000, order);
            key.push_i32(t.zone, order);
        }
        Datum::Interval(i) => key.push_interval(i.cmp_value(), order),
        Datum::Uuid(u) => key.push_fixed16(u, order),
        Datum::Jsonb(j) => push_jsonb(j, true, order, key),
        Datum::Array(a) => {
            let inner = KeyOrder { desc: order.desc, nulls_first: order.desc };
            key.begin_composite();
            for v in &a.values {
                key.next_field(order);
                encode_key(a.elem_type, v, inner, key)?;
            }
            key.end_composite(order);
            key.push_i32(a.dims.len() as i32, order);
            a.dims.iter().for_each(|d| key.push_i32(d.len, order));
            a.dims.iter().for_each(|d| key.push_i32(d.lower, order));
        }
        Datum::Record(r) => {
            let inner = KeyOrder { desc: order.desc, nulls_first: order.desc };
            key.begin_composite();
            for (v, a) in r.values.iter().zip(r.attrs.iter()) {
                key.next_field(order);
                encode_key(a.type_oid, v, inner, key)?;
            }
            key.end_composite(order);
        }
        Datum::Range(r) => push_range(r, order, key)?,
        Datum::Multirange(m) => {
            key.begin_composite();
            for r in &m.ranges {
                key.next_field(order);
                push_range(r, order, key)?;
            }
            key.end_composite(order);
        }
        Datum::Bits(b) => {
            key.push_bytes(&b.bytes, order);
            key.push_u32(b.len, order);
        }
        Datum::Inet(i) => {
            key.push_bool(i.v6, order);
            let addr = u128::from_be_bytes(i.addr);
            let mask = u128::MAX.checked_shr(i.bits as u32).unwrap_or(0);
            key.push_fixed16(&(addr & !mask).to_be_bytes(), order);
            key.push_u8(i.bits, order);
            key.push_fixed16(&i.addr, order);
        }
        Datum::MacAddr(m) => {
            let mut b = [0; 8];
            b[..6].copy_from_slice(m);
            key.push_u64(u64::from_be_bytes(b), order);
        }
        Datum::MacAddr8(m) => key.push_u64(u64::from_be_bytes(*m), order),
        Datum::Tid(v) | Datum::Lsn(v) => key.push_u64(*v, order),
        Datum::Extension(e) => key.push_bytes(e.bytes(), order),
        Datum::Geo(_) | Datum::TsVector(_) | Datum::TsQuery(_) | Datum::Internal(_) => {
            return Err(PgError::unsupported("values of this type cannot be index keys"));
        }
    }
    Ok(())
}

/// Whether [`decode_key`] gives back the very value, not only an equal one (numeric keys lose the display scale,
/// intervals their fields, bpchar its padding).
pub fn is_exact(kind: PhysKind, type_oid: Oid) -> bool {
    use PhysKind::*;
    match kind {
        Text => type_oid != oid::BPCHAR,
        Bool | Char | Int2 | Int4 | Int8 | Oid | Bytea | Date | Time | TimeTz | Timestamp | Uuid
        | MacAddr | MacAddr8 | Tid | Lsn => true,
        _ => false,
    }
}

/// Reads one key column of a kind that has a plain key form; see [`is_exact`].
pub fn decode_key(kind: PhysKind, order: KeyOrder, r: &mut KeyReader<'_>) -> PgResult<Datum> {
    if r.null()? {
        return Ok(Datum::Null);
    }
    Ok(match kind {
        PhysKind::Bool => Datum::Bool(r.bool(order)?),
        PhysKind::Char => Datum::Char(r.u8(order)?),
        PhysKind::Int2 => Datum::Int2(r.i16(order)?),
        PhysKind::Int4 => Datum::Int4(r.i32(order)?),
        PhysKind::Date => Datum::Date(r.i32(order)?),
        PhysKind::Int8 => Datum::Int8(r.i64(order)?),
        PhysKind::Time => Datum::Time(r.i64(order)?),
        PhysKind::Timestamp => Datum::Timestamp(r.i64(order)?),
        PhysKind::Float4 => Datum::Float4(r.f32(order)?),
        PhysKind::Float8 => Datum::Float8(r.f64(order)?),
        PhysKind::Oid => Datum::Oid(Oid(r.u32(order)?)),
        PhysKind::Text => Datum::Text((&*r.text(order)?).into()),
        PhysKind::Bytea => Datum::Bytea((&*r.bytes(order)?).into()),
        PhysKind::Numeric => Datum::Numeric(match r.decimal(order)? {
            DecimalParts::NaN => Numeric::NaN,
            DecimalParts::PosInfinity => Numeric::PosInf,
            DecimalParts::NegInfinity => Numeric::NegInf,
            DecimalParts::Finite { negative, weight, digits } => {
                let digits = digits.iter().map(|&d| d as u16).collect();
                let mut b = Big { neg: negative, weight, dscale: 0, digits };
                b.dscale = b.min_scale();
                Numeric::from_big(b)?
            }
        }),
        PhysKind::TimeTz => {
            let utc = r.i64(order)?;
            let zone = r.i32(order)?;
            Datum::TimeTz(TimeTz { micros: utc - zone as i64 * 1_000_000, zone })
        }
        PhysKind::Uuid => Datum::Uuid(r.fixed16(order)?),
        PhysKind::MacAddr => {
            let b = r.u64(order)?.to_be_bytes();
            Datum::MacAddr([b[0], b[1], b[2], b[3], b[4], b[5]])
        }
        PhysKind::MacAddr8 => Datum::MacAddr8(r.u64(order)?.to_be_bytes()),
        PhysKind::Tid => Datum::Tid(r.u64(order)?),
        PhysKind::Lsn => Datum::Lsn(r.u64(order)?),
        _ => return Err(PgError::internal("this kind of key is not decodable")),
    })
}

fn push_numeric(n: &Numeric, order: KeyOrder, key: &mut KeyBuf) {
    match n {
        Numeric::NaN => key.push_decimal_nan(order),
        Numeric::PosInf => key.push_decimal_infinity(false, order),
        Numeric::NegInf => key.push_decimal_infinity(true, order),
        Numeric::Big(b) => {
            let digits: SmallVec<[i16; 16]> = b.digits.iter().map(|&d| d as i16).collect();
            key.push_decimal(b.neg, b.weight, &digits, order);
        }
        Numeric::Small { coef, dscale } => {
            // Pad the scale to a multiple of 4, then cut base-10000 digits from the low end.
            let pad = (4 - dscale % 4) % 4;
            let mut v = coef.unsigned_abs() as u128 * 10u128.pow(pad as u32);
            let mut digits = [0i16; 6];
            let mut at = digits.len();
            while v > 0 {
                at -= 1;
                digits[at] = (v % 10_000) as i16;
                v /= 10_000;
            }
            let weight = (digits.len() - at) as i32 - 1 - (dscale + pad) as i32 / 4;
            key.push_decimal(*coef < 0, weight, &digits[at..], order);
        }
    }
}

fn push_range(r: &RangeValue, order: KeyOrder, key: &mut KeyBuf) -> PgResult<()> {
    key.push_bool(!r.empty, order);
    if r.empty {
        return Ok(());
    }
    let mut bound = |b: &Bound, infinite: u8, side: u8| -> PgResult<()> {
        match &b.value {
            None => key.push_u8(infinite, order),
            Some(v) => {
                key.push_u8(1, order);
                encode_key(Oid::INVALID, v, order, key)?;
                key.push_u8(if b.inclusive { 1 } else { side }, order);
            }
        }
        Ok(())
    };
    bound(&r.lower, 0, 2)?;
    bound(&r.upper, 2, 0)
}

fn push_jsonb(j: &Jsonb, top: bool, order: KeyOrder, key: &mut KeyBuf) {
    let rank = match j {
        Jsonb::Array(a) if a.is_empty() && top => 0,
        Jsonb::Null => 1,
        Jsonb::String(_) => 2,
        Jsonb::Number(_) => 3,
        Jsonb::Bool(_) => 4,
        Jsonb::Array(_) => 5,
        Jsonb::Object(_) => 6,
    };
    key.push_u8(rank, order);
    match j {
        Jsonb::Null => {}
        Jsonb::Bool(b) => key.push_bool(*b, order),
        Jsonb::Number(n) => push_numeric(n, order, key),
        Jsonb::String(s) => key.push_text(s, order),
        Jsonb::Array(a) => {
            key.push_u32(a.len() as u32, order);
            a.iter().for_each(|v| push_jsonb(v, false, order, key));
        }
        Jsonb::Object(o) => {
            key.push_u32(o.len() as u32, order);
            for (k, v) in o {
                key.push_text(k, order);
                push_jsonb(v, false, order, key);
            }
        }
    }
}
