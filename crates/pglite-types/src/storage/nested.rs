//! Stored form of values that contain values: arrays, records, ranges, jsonb, geometric and text search types.

use std::sync::Arc;

use ecow::EcoString;
use pglite_codec::varint;
use pglite_error::{PgError, PgResult};
use smallvec::SmallVec;

use super::{PhysKind, corrupt};
use crate::array::{ArrayValue, Dim};
use crate::geo::{Geo, Point};
use crate::io::AttrDesc;
use crate::jsonb::Jsonb;
use crate::range::{Bound, MultirangeValue, RangeValue};
use crate::record::RecordValue;
use crate::tsearch::{Lexeme, QueryNode, TsQuery, TsVector, WordPos};
use crate::{Datum, Oid};

/// A null element's kind byte.
const NULL: u8 = 0xff;

pub(super) fn encode(value: &Datum, out: &mut Vec<u8>) -> PgResult<()> {
    match value {
        Datum::Array(a) => {
            put_u32(out, a.elem_type.0);
            out.push(a.dims.len() as u8);
            for d in &a.dims {
                put_u32(out, d.len as u32);
                put_u32(out, d.lower as u32);
            }
            a.values.iter().try_for_each(|v| tagged(v, out))?;
        }
        Datum::Record(r) => {
            put_u32(out, r.type_oid.0);
            put_u32(out, r.typmod as u32);
            varint::write_u32(out, r.values.len() as u32);
            for (i, v) in r.values.iter().enumerate() {
                let attr =
                    r.attrs.get(i).ok_or_else(|| PgError::internal("record without its descriptor"))?;
                varint::write_bytes(out, attr.name.as_bytes());
                put_u32(out, attr.type_oid.0);
                put_u32(out, attr.typmod as u32);
                out.push(attr.dropped as u8);
                tagged(v, out)?;
            }
        }
        Datum::Range(r) => range(r, out)?,
        Datum::Multirange(m) => {
            put_u32(out, m.multirange_type.0);
            put_u32(out, m.range_type.0);
            varint::write_u32(out, m.ranges.len() as u32);
            m.ranges.iter().try_for_each(|r| range(r, out))?;
        }
        Datum::Jsonb(j) => jsonb(j, out)?,
        Datum::Geo(g) => geo(g, out),
        Datum::TsVector(v) => {
            varint::write_u32(out, v.lexemes.len() as u32);
            for l in &v.lexemes {
                varint::write_bytes(out, l.word.as_bytes());
                varint::write_u32(out, l.positions.len() as u32);
                l.positions.iter().for_each(|p| out.extend_from_slice(&p.0.to_le_bytes()));
            }
        }
        Datum::TsQuery(q) => {
            if let Some(root) = &q.root {
                query(root, out);
            }
        }
        _ => return Err(PgError::internal("value has no stored form")),
    }
    Ok(())
}

fn put_u32(out: &mut Vec<u8>, v: u32) {
    out.extend_from_slice(&v.to_le_bytes());
}

/// Kind byte, then the length and bytes of the stored form.
fn tagged(v: &Datum, out: &mut Vec<u8>) -> PgResult<()> {
    let Some(kind) = PhysKind::of_value(v) else {
        out.push(NULL);
        return Ok(());
    };
    out.push(kind as u8);
    let mut tmp = Vec::new();
    super::encode(v, &mut tmp)?;
    varint::write_bytes(out, &tmp);
    Ok(())
}

fn range(r: &RangeValue, out: &mut Vec<u8>) -> PgResult<()> {
    put_u32(out, r.range_type.0);
    out.push(r.empty as u8 | (r.lower.inclusive as u8) << 1 | (r.upper.inclusive as u8) << 2);
    for b in [&r.lower, &r.upper] {
        tagged(b.value.as_ref().unwrap_or(&Datum::Null), out)?;
    }
    Ok(())
}

fn jsonb(j: &Jsonb, out: &mut Vec<u8>) -> PgResult<()> {
    match j {
        Jsonb::Null => out.push(0),
        Jsonb::Bool(b) => out.push(1 + *b as u8),
        Jsonb::Number(n) => {
            out.push(3);
            let mut tmp = Vec::new();
            super::encode_numeric(n, &mut tmp);
            varint::write_bytes(out, &tmp);
        }
        Jsonb::String(s) => {
            out.push(4);
            varint::write_bytes(out, s.as_bytes());
        }
        Jsonb::Array(a) => {
            out.push(5);
            varint::write_u32(out, a.len() as u32);
            a.iter().try_for_each(|v| jsonb(v, out))?;
        }
        Jsonb::Object(o) => {
            out.push(6);
            varint::write_u32(out, o.len() as u32);
            for (k, v) in o {
                varint::write_bytes(out, k.as_bytes());
                jsonb(v, out)?;
            }
        }
    }
    Ok(())
}

fn geo(g: &Geo, out: &mut Vec<u8>) {
    out.push(match g {
        Geo::Point(_) => 0,
        Geo::Lseg(_) => 1,
        Geo::Path { closed: false, .. } => 2,
        Geo::Path { closed: true, .. } => 3,
        Geo::Box { .. } => 4,
        Geo::Polygon { .. } => 5,
        Geo::Line { .. } => 6,
        Geo::Circle { .. } => 7,
    });
    g.coordinates().for_each(|c| out.extend_from_slice(&c.to_le_bytes()));
}

fn query(n: &QueryNode, out: &mut Vec<u8>) {
    match n {
        QueryNode::Value { word, weights, prefix } => {
            out.push(0);
            varint::write_bytes(out, word.as_bytes());
            out.extend_from_slice(&[*weights, *prefix as u8]);
        }
        QueryNode::Not(x) => {
            out.push(1);
            query(x, out);
        }
        QueryNode::And(x, y) => {
            out.push(2);
            query(x, out);
            query(y, out);
        }
        QueryNode::Or(x, y) => {
            out.push(3);
            query(x, out);
            query(y, out);
        }
        QueryNode::Phrase(x, y, distance) => {
            out.push(4);
            out.extend_from_slice(&distance.to_le_bytes());
            query(x, out);
            query(y, out);
        }
    }
}

/// A cursor over stored bytes.
struct In<'a> {
    data: &'a [u8],
    pos: usize,
}

impl<'a> In<'a> {
    fn take<const N: usize>(&mut self) -> PgResult<[u8; N]> {
        let b =
            self.data.get(self.pos..).and_then(|r| r.first_chunk::<N>()).ok_or_else(|| corrupt("value"))?;
        self.pos += N;
        Ok(*b)
    }
    fn u8(&mut self) -> PgResult<u8> {
        Ok(self.take::<1>()?[0])
    }
    fn u32(&mut self) -> PgResult<u32> {
        self.take().map(u32::from_le_bytes)
    }
    fn f64(&mut self) -> PgResult<f64> {
        self.take().map(f64::from_le_bytes)
    }
    fn count(&mut self) -> PgResult<usize> {
        varint::read_u32(self.data, &mut self.pos).map(|v| v as usize).ok_or_else(|| corrupt("value"))
    }
    fn bytes(&mut self) -> PgResult<&'a [u8]> {
        varint::read_bytes(self.data, &mut self.pos).ok_or_else(|| corrupt("value"))
    }
    fn str(&mut self) -> PgResult<&'a str> {
        std::str::from_utf8(self.bytes()?).map_err(|_| corrupt("text"))
    }
    fn left(&self) -> usize {
        self.data.len() - self.pos
    }
    fn tagged(&mut self) -> PgResult<Datum> {
        let kind = self.u8()?;
        if kind == NULL {
            return Ok(Datum::Null);
        }
        let kind = PhysKind::from_u8(kind).ok_or_else(|| corrupt("value"))?;
        super::decode(kind, self.bytes()?)
    }
}

pub(super) fn decode(kind: PhysKind, bytes: &[u8]) -> PgResult<Datum> {
    let mut r = In { data: bytes, pos: 0 };
    Ok(match kind {
        PhysKind::Array => Datum::Array(array(&mut r)?.into()),
        PhysKind::Record => Datum::Record(record(&mut r)?.into()),
        PhysKind::Range => Datum::Range(read_range(&mut r)?.into()),
        PhysKind::Multirange => {
            let multirange_type = Oid(r.u32()?);
            let range_type = Oid(r.u32()?);
            let n = r.count()?;
            let ranges = (0..n).map(|_| read_range(&mut r)).collect::<PgResult<Vec<_>>>()?;
            Datum::Multirange(MultirangeValue { multirange_type, range_type, ranges }.into())
        }
        PhysKind::Jsonb => Datum::Jsonb(read_jsonb(&mut r)?.into()),
        PhysKind::Geo => Datum::Geo(read_geo(&mut r)?.into()),
        PhysKind::TsVector => {
            let n = r.count()?;
            let mut lexemes = Vec::with_capacity(n.min(r.left()));
            for _ in 0..n {
                let word = EcoString::from(r.str()?);
                let count = r.count()?;
                let positions = (0..count)
                    .map(|_| r.take().map(|b| WordPos(u16::from_le_bytes(b))))
                    .collect::<PgResult<Vec<_>>>()?;
                lexemes.push(Lexeme { word, positions });
            }
            Datum::TsVector(TsVector { lexemes }.into())
        }
        PhysKind::TsQuery => {
            let root = if r.left() == 0 { None } else { Some(read_query(&mut r)?) };
            Datum::TsQuery(TsQuery { root }.into())
        }
        _ => return Err(corrupt("value")),
    })
}

fn array(r: &mut In<'_>) -> PgResult<ArrayValue> {
    let elem_type = Oid(r.u32()?);
    let ndim = r.u8()? as usize;
    let mut dims = SmallVec::new();
    let mut n = (ndim > 0) as usize;
    for _ in 0..ndim {
        let d = Dim { len: r.u32()? as i32, lower: r.u32()? as i32 };
        n = n.checked_mul(d.len.max(0) as usize).ok_or_else(|| corrupt("array"))?;
        dims.push(d);
    }
    if n > r.left() {
        return Err(corrupt("array"));
    }
    let values = (0..n).map(|_| r.tagged()).collect::<PgResult<Vec<_>>>()?;
    Ok(ArrayValue { elem_type, dims, values })
}

fn record(r: &mut In<'_>) -> PgResult<RecordValue> {
    let type_oid = Oid(r.u32()?);
    let typmod = r.u32()? as i32;
    let n = r.count()?;
    let mut attrs = Vec::with_capacity(n.min(r.left()));
    let mut values = Vec::with_capacity(n.min(r.left()));
    for _ in 0..n {
        let name: Arc<str> = r.str()?.into();
        let (type_oid, typmod) = (Oid(r.u32()?), r.u32()? as i32);
        attrs.push(AttrDesc { name, type_oid, typmod, dropped: r.u8()? != 0 });
        values.push(r.tagged()?);
    }
    Ok(RecordValue { type_oid, typmod, attrs: attrs.into(), values })
}

fn read_range(r: &mut In<'_>) -> PgResult<RangeValue> {
    let range_type = Oid(r.u32()?);
    let flags = r.u8()?;
    let mut bound = |bit: u8| -> PgResult<Bound> {
        let value = r.tagged()?;
        Ok(Bound { value: (!value.is_null()).then_some(value), inclusive: flags & bit != 0 })
    };
    let (lower, upper) = (bound(2)?, bound(4)?);
    Ok(RangeValue { range_type, empty: flags & 1 != 0, lower, upper })
}

fn read_jsonb(r: &mut In<'_>) -> PgResult<Jsonb> {
    Ok(match r.u8()? {
        0 => Jsonb::Null,
        1 => Jsonb::Bool(false),
        2 => Jsonb::Bool(true),
        3 => Jsonb::Number(super::decode_numeric(r.bytes()?)?),
        4 => Jsonb::String(r.str()?.into()),
        5 => {
            let n = r.count()?;
            Jsonb::Array((0..n).map(|_| read_jsonb(r)).collect::<PgResult<_>>()?)
        }
        6 => {
            let n = r.count()?;
            let mut pairs = Vec::with_capacity(n.min(r.left()));
            for _ in 0..n {
                pairs.push((r.str()?.into(), read_jsonb(r)?));
            }
            Jsonb::Object(pairs)
        }
        _ => return Err(corrupt("jsonb")),
    })
}

fn read_geo(r: &mut In<'_>) -> PgResult<Geo> {
    fn point(r: &mut In<'_>) -> PgResult<Point> {
        Ok(Point { x: r.f64()?, y: r.f64()? })
    }
    fn points(r: &mut In<'_>) -> PgResult<Vec<Point>> {
        (0..r.left() / 16).map(|_| point(r)).collect()
    }
    Ok(match r.u8()? {
        0 => Geo::Point(point(r)?),
        1 => Geo::Lseg([point(r)?, point(r)?]),
        2 => Geo::Path { closed: false, points: points(r)? },
        3 => Geo::Path { closed: true, points: points(r)? },
        4 => Geo::Box { high: point(r)?, low: point(r)? },
        5 => Geo::Polygon { points: points(r)? },
        6 => Geo::Line { a: r.f64()?, b: r.f64()?, c: r.f64()? },
        7 => Geo::Circle { center: point(r)?, radius: r.f64()? },
        _ => return Err(corrupt("geometric value")),
    })
}

fn read_query(r: &mut In<'_>) -> PgResult<QueryNode> {
    Ok(match r.u8()? {
        0 => QueryNode::Value { word: r.str()?.into(), weights: r.u8()?, prefix: r.u8()? != 0 },
        1 => QueryNode::Not(Box::new(read_query(r)?)),
        2 => QueryNode::And(Box::new(read_query(r)?), Box::new(read_query(r)?)),
        3 => QueryNode::Or(Box::new(read_query(r)?), Box::new(read_query(r)?)),
        4 => {
            let distance = r.take().map(u16::from_le_bytes)?;
            QueryNode::Phrase(Box::new(read_query(r)?), Box::new(read_query(r)?), distance)
        }
        _ => return Err(corrupt("tsquery")),
    })
}
