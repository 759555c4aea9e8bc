//! Binary forms of arrays, records, ranges, geometric and text search values.

use ecow::EcoString;
use pglite_error::{PgError, PgResult, bail, codes};
use smallvec::SmallVec;

use super::{Msg, binary_recv, binary_send, utf8};
use crate::array::{ArrayValue, Dim, MAX_DIMS};
use crate::geo::{Geo, Point};
use crate::io::{TypeDesc, TypeKind};
use crate::range::{self, Bound, RangeValue};
use crate::record::RecordValue;
use crate::tsearch::{Lexeme, QueryNode, TsQuery, TsVector, WordPos};
use crate::{Datum, Oid, TypeEnv, oid, text};

pub(super) fn recv(env: &dyn TypeEnv, type_oid: Oid, typmod: i32, m: &mut Msg<'_>) -> PgResult<Datum> {
    match type_oid {
        oid::POINT | oid::LSEG | oid::PATH | oid::BOX | oid::POLYGON | oid::LINE | oid::CIRCLE => {
            return recv_geo(type_oid, m).map(|g| Datum::Geo(g.into()));
        }
        oid::TSVECTOR => return recv_vector(m).map(|v| Datum::TsVector(v.into())),
        oid::TSQUERY => return recv_query(m).map(|q| Datum::TsQuery(q.into())),
        oid::PG_SNAPSHOT | oid::TXID_SNAPSHOT => return recv_snapshot(m),
        oid::JSONPATH => {
            if m.u8()? != 1 {
                return Err(PgError::internal("unsupported jsonpath version number"));
            }
            return text::text_in(env, type_oid, typmod, utf8(m.all())?);
        }
        oid::XML => return text::text_in(env, type_oid, typmod, utf8(m.all())?),
        _ if text::is_reg(type_oid) => return Ok(Datum::Oid(Oid(m.u32()?))),
        _ => {}
    }
    let desc = env.type_desc(type_oid)?;
    match desc.kind {
        TypeKind::Domain => {
            let tm = if desc.base_typmod >= 0 { desc.base_typmod } else { typmod };
            let v = binary_recv(env, desc.base, tm, m.all())?;
            env.check_domain(type_oid, &v)?;
            Ok(v)
        }
        TypeKind::Enum => text::text_in(env, type_oid, typmod, utf8(m.all())?),
        TypeKind::Composite => recv_record(env, &desc, m),
        TypeKind::Range => recv_range(env, &desc, m).map(|r| Datum::Range(r.into())),
        TypeKind::Multirange => recv_multirange(env, &desc, m),
        TypeKind::Base if desc.elem.is_valid() => recv_array(env, &desc, typmod, m),
        TypeKind::Pseudo => Err(text::pseudo_in(&desc)),
        _ => Err(no_binary("input", &desc)),
    }
}

fn no_binary(direction: &str, desc: &TypeDesc) -> PgError {
    PgError::new(
        codes::UNDEFINED_FUNCTION,
        format!("no binary {direction} function available for type {}", desc.name),
    )
}

/// A length-prefixed value; -1 is NULL.
fn recv_item(env: &dyn TypeEnv, elem: Oid, typmod: i32, m: &mut Msg<'_>) -> PgResult<Datum> {
    match m.i32()? {
        -1 => Ok(Datum::Null),
        n if n < 0 => bail!(INVALID_BINARY_REPRESENTATION, "insufficient data left in message"),
        n => binary_recv(env, elem, typmod, m.take(n as usize)?),
    }
}

fn send_item(env: &dyn TypeEnv, elem: Oid, v: &Datum, out: &mut Vec<u8>) -> PgResult<()> {
    if v.is_null() {
        out.extend_from_slice(&(-1i32).to_be_bytes());
        return Ok(());
    }
    let at = out.len();
    out.extend_from_slice(&[0; 4]);
    binary_send(env, elem, v, out)?;
    let n = (out.len() - at - 4) as u32;
    out[at..at + 4].copy_from_slice(&n.to_be_bytes());
    Ok(())
}

fn recv_array(env: &dyn TypeEnv, desc: &TypeDesc, typmod: i32, m: &mut Msg<'_>) -> PgResult<Datum> {
    let ndim = m.i32()?;
    if ndim < 0 {
        bail!(INVALID_BINARY_REPRESENTATION, "invalid number of dimensions: {ndim}");
    }
    if ndim as usize > MAX_DIMS {
        bail!(
            PROGRAM_LIMIT_EXCEEDED,
            "number of array dimensions ({ndim}) exceeds the maximum allowed ({MAX_DIMS})"
        );
    }
    if !matches!(m.i32()?, 0 | 1) {
        bail!(INVALID_BINARY_REPRESENTATION, "invalid array flags");
    }
    let elem = Oid(m.u32()?);
    if elem != desc.elem {
        let name = |o: Oid| env.type_desc(o).map_or_else(|_| "unknown".into(), |d| d.name.clone());
        bail!(
            DATATYPE_MISMATCH,
            "binary data has array element type {elem} ({}) instead of expected {} ({})",
            name(elem),
            desc.elem,
            name(desc.elem)
        );
    }
    let mut dims = SmallVec::new();
    for _ in 0..ndim {
        dims.push(Dim { len: m.i32()?, lower: m.i32()? });
    }
    let n = crate::array::check_dims(&dims)?;
    let mut values = Vec::with_capacity(n.min(m.rest.len()));
    for _ in 0..n {
        values.push(recv_item(env, elem, typmod, m)?);
    }
    if n == 0 {
        dims.clear();
    }
    Ok(Datum::Array(ArrayValue { elem_type: elem, dims, values }.into()))
}

fn recv_record(env: &dyn TypeEnv, desc: &TypeDesc, m: &mut Msg<'_>) -> PgResult<Datum> {
    let n = m.i32()?;
    let live = desc.attrs.iter().filter(|a| !a.dropped).count();
    if n != live as i32 {
        bail!(DATATYPE_MISMATCH, "wrong number of columns: {n}, expected {live}");
    }
    let mut values = Vec::with_capacity(desc.attrs.len());
    for a in desc.attrs.iter() {
        if a.dropped {
            values.push(Datum::Null);
            continue;
        }
        let t = Oid(m.u32()?);
        if t != a.type_oid {
            let name = |o: Oid| env.type_desc(o).map_or_else(|_| "unknown".into(), |d| d.name.clone());
            bail!(
                DATATYPE_MISMATCH,
                "binary data has type {t} ({}) instead of expected {} ({}) in record column {}",
                name(t),
                a.type_oid,
                name(a.type_oid),
                values.len() + 1
            );
        }
        values.push(recv_item(env, t, a.typmod, m)?);
    }
    Ok(Datum::Record(
        RecordValue { type_oid: desc.oid, typmod: -1, attrs: desc.attrs.clone(), values }.into(),
    ))
}

const EMPTY: u8 = 1;
const LB_INC: u8 = 2;
const UB_INC: u8 = 4;
const LB_INF: u8 = 8;
const UB_INF: u8 = 16;

fn recv_range(env: &dyn TypeEnv, desc: &TypeDesc, m: &mut Msg<'_>) -> PgResult<RangeValue> {
    let flags = m.u8()? & (EMPTY | LB_INC | UB_INC | LB_INF | UB_INF);
    let mut bound = |inf: u8, inc: u8| -> PgResult<Bound> {
        if flags & (EMPTY | inf) != 0 {
            return Ok(Bound::default());
        }
        let value = recv_item(env, desc.subtype, -1, m)?;
        Ok(Bound { value: Some(value), inclusive: flags & inc != 0 })
    };
    let (lower, upper) = (bound(LB_INF, LB_INC)?, bound(UB_INF, UB_INC)?);
    if flags & EMPTY != 0 {
        return Ok(RangeValue::empty(desc.oid));
    }
    range::make(desc.oid, lower, upper)
}

fn recv_multirange(env: &dyn TypeEnv, desc: &TypeDesc, m: &mut Msg<'_>) -> PgResult<Datum> {
    let n = m.u32()?;
    let range_desc = env.type_desc(desc.subtype)?;
    let mut ranges = Vec::new();
    for _ in 0..n {
        let len = m.u32()? as usize;
        let mut item = Msg::new(m.take(len)?);
        ranges.push(recv_range(env, &range_desc, &mut item)?);
    }
    Ok(Datum::Multirange(range::make_multirange(desc.oid, desc.subtype, ranges).into()))
}

pub(super) fn send(env: &dyn TypeEnv, type_oid: Oid, value: &Datum, out: &mut Vec<u8>) -> PgResult<()> {
    match value {
        Datum::Array(a) => {
            // Why not the value's own: the elements of an array over a domain carry the base type.
            let elem = match env.type_desc(type_oid) {
                Ok(desc) if desc.elem.is_valid() => desc.elem,
                _ => a.elem_type,
            };
            out.extend_from_slice(&(a.dims.len() as i32).to_be_bytes());
            out.extend_from_slice(&(a.has_nulls() as i32).to_be_bytes());
            out.extend_from_slice(&elem.0.to_be_bytes());
            for d in &a.dims {
                out.extend_from_slice(&d.len.to_be_bytes());
                out.extend_from_slice(&d.lower.to_be_bytes());
            }
            a.values.iter().try_for_each(|v| send_item(env, a.elem_type, v, out))
        }
        Datum::Record(r) => {
            let live = || r.attrs.iter().zip(&r.values).filter(|(a, _)| !a.dropped);
            out.extend_from_slice(&(live().count() as i32).to_be_bytes());
            for (a, v) in live() {
                out.extend_from_slice(&a.type_oid.0.to_be_bytes());
                send_item(env, a.type_oid, v, out)?;
            }
            Ok(())
        }
        Datum::Range(r) => {
            let subtype = subtype_of(env, r.range_type)?;
            send_range(env, subtype, r, out)
        }
        Datum::Multirange(mr) => {
            out.extend_from_slice(&(mr.ranges.len() as u32).to_be_bytes());
            let subtype = subtype_of(env, mr.range_type)?;
            for r in &mr.ranges {
                let mut tmp = Vec::new();
                send_range(env, subtype, r, &mut tmp)?;
                out.extend_from_slice(&(tmp.len() as u32).to_be_bytes());
                out.extend_from_slice(&tmp);
            }
            Ok(())
        }
        Datum::Geo(g) => {
            send_geo(g, out);
            Ok(())
        }
        Datum::TsVector(v) => {
            out.extend_from_slice(&(v.lexemes.len() as u32).to_be_bytes());
            for l in &v.lexemes {
                out.extend_from_slice(l.word.as_bytes());
                out.push(0);
                out.extend_from_slice(&(l.positions.len() as u16).to_be_bytes());
                l.positions.iter().for_each(|p| out.extend_from_slice(&p.0.to_be_bytes()));
            }
            Ok(())
        }
        Datum::TsQuery(q) => {
            send_query(q, out);
            Ok(())
        }
        _ => Err(no_binary("output", &*env.type_desc(type_oid)?)),
    }
}

fn subtype_of(env: &dyn TypeEnv, range_type: Oid) -> PgResult<Oid> {
    match range::builtin_subtype(range_type) {
        Some(s) => Ok(s),
        None => env.type_desc(range_type).map(|d| d.subtype),
    }
}

fn send_range(env: &dyn TypeEnv, subtype: Oid, r: &RangeValue, out: &mut Vec<u8>) -> PgResult<()> {
    if r.empty {
        out.push(EMPTY);
        return Ok(());
    }
    let flag = |on: bool, bit: u8| if on { bit } else { 0 };
    out.push(
        flag(r.lower.inclusive, LB_INC)
            | flag(r.upper.inclusive, UB_INC)
            | flag(r.lower.value.is_none(), LB_INF)
            | flag(r.upper.value.is_none(), UB_INF),
    );
    for v in [&r.lower.value, &r.upper.value].into_iter().flatten() {
        send_item(env, subtype, v, out)?;
    }
    Ok(())
}

fn send_geo(g: &Geo, out: &mut Vec<u8>) {
    match g {
        Geo::Path { closed, points } => {
            out.push(*closed as u8);
            out.extend_from_slice(&(points.len() as i32).to_be_bytes());
        }
        Geo::Polygon { points } => out.extend_from_slice(&(points.len() as i32).to_be_bytes()),
        _ => {}
    }
    g.coordinates().for_each(|c| out.extend_from_slice(&c.to_be_bytes()));
}

fn recv_geo(type_oid: Oid, m: &mut Msg<'_>) -> PgResult<Geo> {
    fn point(m: &mut Msg<'_>) -> PgResult<Point> {
        Ok(Point { x: m.f64()?, y: m.f64()? })
    }
    fn points(m: &mut Msg<'_>, what: &str) -> PgResult<Vec<Point>> {
        let n = m.i32()?;
        if n <= 0 || n as usize > m.rest.len() {
            bail!(INVALID_BINARY_REPRESENTATION, "invalid number of points in external \"{what}\" value");
        }
        (0..n).map(|_| point(m)).collect()
    }
    Ok(match type_oid {
        oid::POINT => Geo::Point(point(m)?),
        oid::LSEG => Geo::Lseg([point(m)?, point(m)?]),
        oid::PATH => {
            let closed = m.u8()? != 0;
            Geo::Path { closed, points: points(m, "path")? }
        }
        oid::BOX => {
            let (a, b) = (point(m)?, point(m)?);
            crate::geo::make_box(a, b)
        }
        oid::POLYGON => Geo::Polygon { points: points(m, "polygon")? },
        oid::LINE => {
            let (a, b, c) = (m.f64()?, m.f64()?, m.f64()?);
            if a == 0.0 && b == 0.0 {
                bail!(
                    INVALID_BINARY_REPRESENTATION,
                    "invalid line specification: A and B cannot both be zero"
                );
            }
            Geo::Line { a, b, c }
        }
        _ => {
            let (center, radius) = (point(m)?, m.f64()?);
            if radius < 0.0 {
                bail!(INVALID_BINARY_REPRESENTATION, "invalid radius in external \"circle\" value");
            }
            Geo::Circle { center, radius }
        }
    })
}

fn recv_vector(m: &mut Msg<'_>) -> PgResult<TsVector> {
    let n = m.u32()?;
    let mut lexemes = Vec::new();
    for _ in 0..n {
        let word = EcoString::from(m.cstr()?);
        let count = m.u16()?;
        let positions = (0..count).map(|_| m.u16().map(WordPos)).collect::<PgResult<Vec<_>>>()?;
        lexemes.push(Lexeme { word, positions });
    }
    Ok(crate::tsearch::normalize(lexemes))
}

/// Nodes in prefix order, the right operand before the left.
fn send_query(q: &TsQuery, out: &mut Vec<u8>) {
    fn count(n: &QueryNode) -> u32 {
        match n {
            QueryNode::Value { .. } => 1,
            QueryNode::Not(x) => 1 + count(x),
            QueryNode::And(x, y) | QueryNode::Or(x, y) | QueryNode::Phrase(x, y, _) => {
                1 + count(x) + count(y)
            }
        }
    }
    fn node(n: &QueryNode, out: &mut Vec<u8>) {
        match n {
            QueryNode::Value { word, weights, prefix } => {
                out.extend_from_slice(&[1, *weights, *prefix as u8]);
                out.extend_from_slice(word.as_bytes());
                out.push(0);
            }
            QueryNode::Not(x) => {
                out.extend_from_slice(&[2, 1]);
                node(x, out);
            }
            QueryNode::And(x, y) | QueryNode::Or(x, y) | QueryNode::Phrase(x, y, _) => {
                let op = match n {
                    QueryNode::And(..) => 2,
                    QueryNode::Or(..) => 3,
                    _ => 4,
                };
                out.extend_from_slice(&[2, op]);
                if let QueryNode::Phrase(_, _, d) = n {
                    out.extend_from_slice(&d.to_be_bytes());
                }
                node(y, out);
                node(x, out);
            }
        }
    }
    out.extend_from_slice(&q.root.as_ref().map_or(0, count).to_be_bytes());
    if let Some(root) = &q.root {
        node(root, out);
    }
}

fn recv_query(m: &mut Msg<'_>) -> PgResult<TsQuery> {
    fn node(m: &mut Msg<'_>, depth: u32) -> PgResult<QueryNode> {
        if depth > 2000 {
            return Err(crate::jsonb::too_deep());
        }
        Ok(match m.u8()? {
            1 => {
                let (weights, prefix) = (m.u8()?, m.u8()? != 0);
                QueryNode::Value { word: m.cstr()?.into(), weights, prefix }
            }
            2 => {
                let op = m.u8()?;
                let distance = if op == 4 { m.u16()? } else { 0 };
                let right = Box::new(node(m, depth + 1)?);
                if op == 1 {
                    return Ok(QueryNode::Not(right));
                }
                let left = Box::new(node(m, depth + 1)?);
                match op {
                    2 => QueryNode::And(left, right),
                    3 => QueryNode::Or(left, right),
                    4 => QueryNode::Phrase(left, right, distance),
                    _ => {
                        return Err(PgError::internal(format!(
                            "invalid tsquery: invalid operator type {op}"
                        )));
                    }
                }
            }
            t => return Err(PgError::internal(format!("unrecognized tsquery node type: {t}"))),
        })
    }
    let n = m.u32()?;
    Ok(TsQuery { root: if n == 0 { None } else { Some(node(m, 0)?) } })
}

pub(super) fn send_snapshot(s: &str, out: &mut Vec<u8>) {
    let mut parts = s.splitn(3, ':');
    let mut num = || parts.next().and_then(|p| p.parse::<i64>().ok()).unwrap_or(0);
    let (xmin, xmax) = (num(), num());
    let list: Vec<i64> =
        s.rsplit(':').next().unwrap_or("").split(',').filter_map(|x| x.parse().ok()).collect();
    out.extend_from_slice(&(list.len() as i32).to_be_bytes());
    for v in [xmin, xmax].into_iter().chain(list) {
        out.extend_from_slice(&v.to_be_bytes());
    }
}

fn recv_snapshot(m: &mut Msg<'_>) -> PgResult<Datum> {
    let n = m.i32()?;
    let (xmin, xmax) = (m.i64()?, m.i64()?);
    let mut s = format!("{xmin}:{xmax}:");
    for i in 0..n {
        if i > 0 {
            s.push(',');
        }
        text::fmt::push_i64(&mut s, m.i64()?);
    }
    let ok = text::scalar::snapshot_in(&s).map_err(|_| {
        PgError::new(codes::INVALID_BINARY_REPRESENTATION, "invalid external pg_snapshot data")
    })?;
    Ok(Datum::Text(ok.into()))
}
