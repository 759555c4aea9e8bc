//! Hash functions: PostgreSQL's own (visible in hash partitioning), and a fast one for hash tables.

mod lookup3;

use std::hash::Hasher;

pub use lookup3::{hash_bytes, hash_bytes_extended, hash_uint32, hash_uint32_extended};

use crate::datetime::{Interval, TimeTz};
use crate::jsonb::Jsonb;
use crate::net::Inet;
use crate::numeric::Numeric;
use crate::{Datum, Oid, oid};

/// A fast multiply-xor hasher for [`hash`]; not stable across versions.
#[derive(Default)]
struct Mix(u64);

impl Mix {
    fn word(&mut self, v: u64) {
        let m = (self.0 ^ v) as u128 * 0x9e37_79b9_7f4a_7c15_u128;
        self.0 = (m as u64) ^ ((m >> 64) as u64) ^ v.rotate_left(29);
    }
}

impl Hasher for Mix {
    fn write(&mut self, bytes: &[u8]) {
        let mut chunks = bytes.chunks_exact(8);
        for c in &mut chunks {
            self.word(u64::from_le_bytes([c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7]]));
        }
        let mut last = [0u8; 8];
        let rest = chunks.remainder();
        last[..rest.len()].copy_from_slice(rest);
        self.word(u64::from_le_bytes(last) ^ (bytes.len() as u64) << 56);
    }
    fn finish(&self) -> u64 {
        let mut v = self.0;
        v ^= v >> 32;
        v = v.wrapping_mul(0xd6e8_feb8_6659_fd93);
        v ^ (v >> 32)
    }
}

/// A 64-bit hash of a non-NULL value, consistent with [`crate::compare::eq`]; not PostgreSQL's. NULL hashes to 0.
/// Integers of all widths hash alike. bpchar values must be trimmed by the caller (see [`hash_bpchar`]).
pub fn hash(value: &Datum) -> u64 {
    let mut h = Mix::default();
    feed(value, &mut h);
    h.finish()
}

/// [`hash`] of a bpchar value: trailing blanks do not count.
pub fn hash_bpchar(s: &str) -> u64 {
    let mut h = Mix::default();
    h.write(crate::compare::trim_blanks(s).as_bytes());
    h.finish()
}

fn float_bits(v: f64) -> u64 {
    if v == 0.0 {
        0
    } else if v.is_nan() {
        f64::NAN.to_bits()
    } else {
        v.to_bits()
    }
}

fn feed(value: &Datum, h: &mut Mix) {
    match value {
        Datum::Null => h.word(0),
        Datum::Bool(b) => h.word(*b as u64),
        Datum::Char(c) => h.word(*c as u64),
        Datum::Int2(v) => h.word(*v as i64 as u64),
        Datum::Int4(v) => h.word(*v as i64 as u64),
        Datum::Int8(v) | Datum::Time(v) | Datum::Timestamp(v) => h.word(*v as u64),
        Datum::Date(v) => h.word(*v as i64 as u64),
        Datum::Float4(v) => h.word(float_bits(*v as f64)),
        Datum::Float8(v) => h.word(float_bits(*v)),
        Datum::Oid(o) => h.word(o.0 as u64),
        Datum::Text(s) => h.write(s.as_bytes()),
        Datum::Bytea(b) => h.write(b),
        Datum::Numeric(n) => feed_numeric(n, h),
        Datum::TimeTz(t) => {
            h.word(t.micros as u64);
            h.word(t.zone as u64);
        }
        Datum::Interval(i) => h.word(i.cmp_value() as u64),
        Datum::Uuid(u) => h.write(u),
        Datum::Jsonb(j) => feed_jsonb(j, h),
        Datum::Array(a) => {
            for d in &a.dims {
                h.word(d.len as u64);
                h.word(d.lower as u64);
            }
            for v in &a.values {
                feed_elem(a.elem_type, v, h);
            }
        }
        Datum::Record(r) => {
            for (v, a) in r.values.iter().zip(r.attrs.iter()) {
                feed_elem(a.type_oid, v, h);
            }
        }
        Datum::Range(r) => feed_range(r, h),
        Datum::Multirange(m) => m.ranges.iter().for_each(|r| feed_range(r, h)),
        Datum::Bits(b) => {
            h.word(b.len as u64);
            h.write(&b.bytes);
        }
        Datum::Inet(i) => {
            h.word((i.v6 as u64) << 8 | i.bits as u64);
            h.write(i.bytes());
        }
        Datum::MacAddr(m) => h.write(m),
        Datum::MacAddr8(m) => h.write(m),
        Datum::Geo(g) => g.coordinates().for_each(|v| h.word(float_bits(v))),
        Datum::TsVector(v) => v.lexemes.iter().for_each(|l| h.write(l.word.as_bytes())),
        Datum::TsQuery(q) => h.write(format!("{q:?}").as_bytes()),
        Datum::Tid(v) | Datum::Lsn(v) => h.word(*v),
        Datum::Extension(e) => h.write(e.bytes()),
        Datum::Internal(_) => {}
    }
}

fn feed_elem(elem: Oid, v: &Datum, h: &mut Mix) {
    match v {
        Datum::Text(s) if elem == oid::BPCHAR => h.write(crate::compare::trim_blanks(s).as_bytes()),
        _ => feed(v, h),
    }
}

fn feed_numeric(n: &Numeric, h: &mut Mix) {
    match n {
        Numeric::NaN => h.word(1 << 62),
        Numeric::PosInf => h.word(2 << 61),
        Numeric::NegInf => h.word(3 << 61),
        Numeric::Small { coef, dscale: 0 } => h.word(*coef as u64),
        _ => match n.trim_scale() {
            Numeric::Small { coef, dscale } => {
                h.word(coef as u64);
                if dscale > 0 {
                    h.word(dscale as u64);
                }
            }
            Numeric::Big(b) => {
                h.word((b.weight as u64) << 1 | b.neg as u64);
                b.digits.iter().for_each(|&d| h.word(d as u64));
            }
            _ => {}
        },
    }
}

fn feed_range(r: &crate::range::RangeValue, h: &mut Mix) {
    h.word(r.empty as u64);
    if !r.empty {
        for b in [&r.lower, &r.upper] {
            h.word(b.inclusive as u64);
            feed(b.value.as_ref().unwrap_or(&Datum::Null), h);
        }
    }
}

fn feed_jsonb(j: &Jsonb, h: &mut Mix) {
    match j {
        Jsonb::Null => h.word(7),
        Jsonb::Bool(b) => h.word(8 + *b as u64),
        Jsonb::Number(n) => feed_numeric(n, h),
        Jsonb::String(s) => h.write(s.as_bytes()),
        Jsonb::Array(a) => {
            h.word(a.len() as u64 + 100);
            a.iter().for_each(|v| feed_jsonb(v, h));
        }
        Jsonb::Object(o) => {
            h.word(o.len() as u64 + 200);
            for (k, v) in o {
                h.write(k.as_bytes());
                feed_jsonb(v, h);
            }
        }
    }
}

/// A hash in both of PostgreSQL's widths: the plain function, and the extended one with a seed.
trait Width: Copy {
    fn uint32(self, v: u32) -> u64;
    fn bytes(self, b: &[u8]) -> u64;
    fn seed(self) -> u64;
    fn is_wide(self) -> bool;
}

#[derive(Clone, Copy)]
struct Plain;
#[derive(Clone, Copy)]
struct Seeded(u64);

impl Width for Plain {
    fn uint32(self, v: u32) -> u64 {
        hash_uint32(v) as u64
    }
    fn bytes(self, b: &[u8]) -> u64 {
        hash_bytes(b) as u64
    }
    fn seed(self) -> u64 {
        0
    }
    fn is_wide(self) -> bool {
        false
    }
}

impl Width for Seeded {
    fn uint32(self, v: u32) -> u64 {
        hash_uint32_extended(v, self.0)
    }
    fn bytes(self, b: &[u8]) -> u64 {
        hash_bytes_extended(b, self.0)
    }
    fn seed(self) -> u64 {
        self.0
    }
    fn is_wide(self) -> bool {
        true
    }
}

/// PostgreSQL's 32-bit hash of a value under its type's default hash operator class, as the signed SQL integer.
/// `type_oid` distinguishes types that share a physical form; `None` when the type has no such function here.
pub fn pg_hash(type_oid: Oid, value: &Datum) -> Option<i32> {
    value_hash(type_oid, value, Plain).map(|h| h as u32 as i32)
}

/// PostgreSQL's 64-bit seeded hash of a value.
pub fn pg_hash_extended(type_oid: Oid, value: &Datum, seed: u64) -> Option<u64> {
    value_hash(type_oid, value, Seeded(seed))
}

fn int8<W: Width>(v: i64, w: W) -> u64 {
    let (lo, hi) = (v as u32, (v >> 32) as u32);
    w.uint32(lo ^ if v >= 0 { hi } else { !hi })
}

fn float<W: Width>(v: f64, w: W) -> u64 {
    if v == 0.0 { w.seed() } else { w.bytes(&f64::from_bits(float_bits(v)).to_le_bytes()) }
}

fn numeric<W: Width>(n: &Numeric, w: W) -> u64 {
    let Some(b) = n.to_big() else { return w.seed() };
    if b.digits.is_empty() {
        return if w.is_wide() { w.seed().wrapping_sub(1) } else { u32::MAX as u64 };
    }
    let mut bytes = Vec::with_capacity(b.digits.len() * 2);
    b.digits.iter().for_each(|d| bytes.extend_from_slice(&d.to_le_bytes()));
    let h = w.bytes(&bytes) ^ b.weight as i64 as u64;
    if w.is_wide() { h } else { h & u32::MAX as u64 }
}

fn timetz<W: Width>(t: &TimeTz, w: W) -> u64 {
    int8(t.micros, w) ^ w.uint32(t.zone as u32)
}

fn interval<W: Width>(i: &Interval, w: W) -> u64 {
    int8(i.cmp_value() as i64, w)
}

fn inet<W: Width>(i: &Inet, w: W) -> u64 {
    let mut b = vec![if i.v6 { 3 } else { 2 }, i.bits];
    b.extend_from_slice(i.bytes());
    w.bytes(&b)
}

fn value_hash<W: Width>(type_oid: Oid, value: &Datum, w: W) -> Option<u64> {
    Some(match value {
        Datum::Null | Datum::Internal(_) => return None,
        Datum::Bool(b) => w.uint32(*b as u32),
        Datum::Char(c) => w.uint32(*c as i8 as i32 as u32),
        Datum::Int2(v) => w.uint32(*v as i32 as u32),
        Datum::Int4(v) | Datum::Date(v) => w.uint32(*v as u32),
        Datum::Int8(v) | Datum::Time(v) | Datum::Timestamp(v) => int8(*v, w),
        Datum::Float4(v) => float(*v as f64, w),
        Datum::Float8(v) => float(*v, w),
        Datum::Oid(o) => w.uint32(o.0),
        Datum::Text(s) if type_oid == oid::BPCHAR => w.bytes(crate::compare::trim_blanks(s).as_bytes()),
        Datum::Text(s) => w.bytes(s.as_bytes()),
        Datum::Bytea(b) => w.bytes(b),
        Datum::Numeric(n) => numeric(n, w),
        Datum::TimeTz(t) => timetz(t, w),
        Datum::Interval(i) => interval(i, w),
        Datum::Uuid(u) => w.bytes(u),
        Datum::Jsonb(j) => jsonb(j, w),
        Datum::Array(a) if matches!(type_oid, oid::OIDVECTOR | oid::INT2VECTOR) => {
            let mut b = Vec::new();
            for v in &a.values {
                match v {
                    Datum::Oid(o) => b.extend_from_slice(&o.0.to_le_bytes()),
                    Datum::Int2(i) => b.extend_from_slice(&i.to_le_bytes()),
                    _ => {}
                }
            }
            w.bytes(&b)
        }
        Datum::Array(a) => combine(1, a.values.iter().map(|v| (a.elem_type, v)), w),
        Datum::Record(r) => combine(0, r.values.iter().zip(r.attrs.iter()).map(|(v, a)| (a.type_oid, v)), w),
        Datum::Range(r) => range(r, w),
        Datum::Multirange(m) => {
            let mut h = 1u64;
            for r in &m.ranges {
                h = (h << 5).wrapping_sub(h).wrapping_add(range(r, w));
            }
            narrow(h, w)
        }
        Datum::Inet(i) => inet(i, w),
        Datum::MacAddr(m) => w.bytes(m),
        Datum::MacAddr8(m) => w.bytes(m),
        Datum::Tid(v) => {
            let (block, off) = ((*v >> 16) as u32, *v as u16);
            let mut b = [0; 6];
            b[..2].copy_from_slice(&((block >> 16) as u16).to_le_bytes());
            b[2..4].copy_from_slice(&(block as u16).to_le_bytes());
            b[4..].copy_from_slice(&off.to_le_bytes());
            w.bytes(&b)
        }
        Datum::Lsn(v) => int8(*v as i64, w),
        _ => return None,
    })
}

fn narrow<W: Width>(h: u64, w: W) -> u64 {
    if w.is_wide() { h } else { h & u32::MAX as u64 }
}

fn combine<'a, W: Width>(start: u64, items: impl Iterator<Item = (Oid, &'a Datum)>, w: W) -> u64 {
    let mut h = start;
    for (t, v) in items {
        let e = if v.is_null() { 0 } else { value_hash(t, v, w).unwrap_or(0) };
        h = (h << 5).wrapping_sub(h).wrapping_add(e);
    }
    narrow(h, w)
}

fn range<W: Width>(r: &crate::range::RangeValue, w: W) -> u64 {
    let flags = (r.empty as u32)
        | (r.lower.inclusive as u32) << 1
        | (r.upper.inclusive as u32) << 2
        | ((!r.empty && r.lower.value.is_none()) as u32) << 3
        | ((!r.empty && r.upper.value.is_none()) as u32) << 4;
    let bound =
        |b: &crate::range::Bound| b.value.as_ref().and_then(|v| value_hash(Oid::INVALID, v, w)).unwrap_or(0);
    let h = w.uint32(flags) ^ bound(&r.lower);
    rotate(h, w) ^ bound(&r.upper)
}

/// Rotates by one bit; both halves on their own when wide.
fn rotate<W: Width>(h: u64, w: W) -> u64 {
    let low = (h as u32).rotate_left(1) as u64;
    if w.is_wide() { ((h >> 32) as u32).rotate_left(1) as u64 * (1 << 32) + low } else { low }
}

fn jsonb<W: Width>(j: &Jsonb, w: W) -> u64 {
    // Containers start with a marker and every scalar (keys too) rotates in.
    const ARRAY: u64 = 0x4000_0000;
    const OBJECT: u64 = 0x2000_0000;
    fn marker<W: Width>(m: u64, w: W) -> u64 {
        if w.is_wide() { m | m << 32 } else { m }
    }
    fn scalar<W: Width>(h: u64, e: u64, w: W) -> u64 {
        rotate(h, w) ^ e
    }
    fn walk<W: Width>(j: &Jsonb, h: &mut u64, w: W) {
        match j {
            Jsonb::Null => *h = scalar(*h, w.seed().wrapping_add(1), w),
            Jsonb::Bool(b) => {
                let e = match (w.seed() != 0, *b) {
                    (true, b) => w.uint32(b as u32),
                    (false, true) => 2,
                    (false, false) => 4,
                };
                *h = scalar(*h, e, w);
            }
            Jsonb::Number(n) => *h = scalar(*h, numeric(n, w), w),
            Jsonb::String(s) => *h = scalar(*h, w.bytes(s.as_bytes()), w),
            Jsonb::Array(a) => {
                *h ^= marker(ARRAY, w);
                a.iter().for_each(|v| walk(v, h, w));
            }
            Jsonb::Object(o) => {
                *h ^= marker(OBJECT, w);
                for (k, v) in o {
                    *h = scalar(*h, w.bytes(k.as_bytes()), w);
                    walk(v, h, w);
                }
            }
        }
    }
    if matches!(j, Jsonb::Array(a) if a.is_empty()) || matches!(j, Jsonb::Object(o) if o.is_empty()) {
        return w.seed();
    }
    let mut h = 0;
    if !matches!(j, Jsonb::Array(_) | Jsonb::Object(_)) {
        // A scalar document is an array of one element.
        h ^= marker(ARRAY, w);
    }
    walk(j, &mut h, w);
    h
}
