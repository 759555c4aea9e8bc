//! Order-preserving ("memcomparable") keys: comparing the bytes is comparing the values.
//!
//! A key is a concatenation of parts. *Raw* parts (`put_*`) are ascending and never null: table ids, row ids.
//! *Column* parts (`push_*`) carry a [`KeyOrder`] and a marker byte, so that NULLs sort first or last whatever the
//! direction; a descending part has all bytes after its marker inverted. No part is a prefix of another part of
//! the same type and order, which is what makes the concatenation comparable.
//!
//! | type | bytes (ascending) |
//! |---|---|
//! | bool, integers | big-endian, sign bit flipped for signed ones |
//! | floats | IEEE bits, inverted when negative; -0 = +0; NaN above +Inf |
//! | bytes, text | `00` becomes `00 FF`; end is `00 01` |
//! | decimal | class byte, weight, base-10000 digits + 1 as u16, end `0000`; inverted when negative |
//! | interval | microseconds as i128, sign flipped |
//!
//! Invariant: encoding into a [`KeyBuf`] allocates only when the key outgrows its inline 128 bytes.

mod decimal;
mod reader;

pub use decimal::DecimalParts;
pub use reader::KeyReader;

use smallvec::SmallVec;
use std::ops::Deref;

const MARK_NULL_FIRST: u8 = 0x00;
const MARK_VALUE: u8 = 0x01;
const MARK_NULL_LAST: u8 = 0x02;

const ESCAPE: u8 = 0x00;
const ESCAPED_ZERO: u8 = 0xff;
const TERMINATOR: u8 = 0x01;

/// The direction of one key column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct KeyOrder {
    pub desc: bool,
    pub nulls_first: bool,
}

impl KeyOrder {
    /// `ASC NULLS LAST`, PostgreSQL's default.
    pub const ASC: KeyOrder = KeyOrder { desc: false, nulls_first: false };
    /// `DESC NULLS FIRST`, PostgreSQL's default for `DESC`.
    pub const DESC: KeyOrder = KeyOrder { desc: true, nulls_first: true };

    #[inline]
    fn mask(self) -> u8 {
        if self.desc { 0xff } else { 0 }
    }

    #[inline]
    fn null_mark(self) -> u8 {
        if self.nulls_first { MARK_NULL_FIRST } else { MARK_NULL_LAST }
    }
}

/// A key under construction, or a finished one.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyBuf(SmallVec<[u8; 128]>);

impl Deref for KeyBuf {
    type Target = [u8];
    #[inline]
    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl AsRef<[u8]> for KeyBuf {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl From<&[u8]> for KeyBuf {
    fn from(bytes: &[u8]) -> KeyBuf {
        KeyBuf(SmallVec::from_slice(bytes))
    }
}

impl KeyBuf {
    #[inline]
    pub fn new() -> KeyBuf {
        KeyBuf(SmallVec::new())
    }
    #[inline]
    pub fn clear(&mut self) {
        self.0.clear();
    }
    #[inline]
    pub fn truncate(&mut self, len: usize) {
        self.0.truncate(len);
    }
    #[inline]
    pub fn as_slice(&self) -> &[u8] {
        &self.0
    }

    // ---- raw, ascending, never null -------------------------------------------------------------------------

    /// Appends bytes as they are: an already encoded key or a fixed prefix.
    #[inline]
    pub fn put_slice(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }
    #[inline]
    pub fn put_u8(&mut self, v: u8) {
        self.0.push(v);
    }
    #[inline]
    pub fn put_u16(&mut self, v: u16) {
        self.put_slice(&v.to_be_bytes());
    }
    #[inline]
    pub fn put_u32(&mut self, v: u32) {
        self.put_slice(&v.to_be_bytes());
    }
    #[inline]
    pub fn put_u64(&mut self, v: u64) {
        self.put_slice(&v.to_be_bytes());
    }
    #[inline]
    pub fn put_i64(&mut self, v: i64) {
        self.put_u64(v as u64 ^ 1 << 63);
    }
    /// Escaped and terminated bytes, ascending.
    #[inline]
    pub fn put_bytes(&mut self, v: &[u8]) {
        self.escaped(v, 0);
    }

    // ---- columns --------------------------------------------------------------------------------------------

    #[inline]
    pub fn push_null(&mut self, order: KeyOrder) {
        self.0.push(order.null_mark());
    }

    #[inline]
    fn fixed<const N: usize>(&mut self, bytes: [u8; N], order: KeyOrder) {
        let mask = order.mask();
        self.0.push(MARK_VALUE);
        self.put_slice(&bytes.map(|b| b ^ mask));
    }

    #[inline]
    pub fn push_bool(&mut self, v: bool, order: KeyOrder) {
        self.fixed([v as u8], order);
    }
    /// One byte, unsigned: `"char"` and the like.
    #[inline]
    pub fn push_u8(&mut self, v: u8, order: KeyOrder) {
        self.fixed([v], order);
    }
    #[inline]
    pub fn push_i16(&mut self, v: i16, order: KeyOrder) {
        self.fixed((v as u16 ^ 1 << 15).to_be_bytes(), order);
    }
    #[inline]
    pub fn push_i32(&mut self, v: i32, order: KeyOrder) {
        self.fixed((v as u32 ^ 1 << 31).to_be_bytes(), order);
    }
    #[inline]
    pub fn push_i64(&mut self, v: i64, order: KeyOrder) {
        self.fixed((v as u64 ^ 1 << 63).to_be_bytes(), order);
    }
    /// Unsigned 32 bits: oid and its relatives.
    #[inline]
    pub fn push_u32(&mut self, v: u32, order: KeyOrder) {
        self.fixed(v.to_be_bytes(), order);
    }
    #[inline]
    pub fn push_u64(&mut self, v: u64, order: KeyOrder) {
        self.fixed(v.to_be_bytes(), order);
    }
    #[inline]
    pub fn push_f32(&mut self, v: f32, order: KeyOrder) {
        let bits = if v.is_nan() {
            u32::MAX
        } else {
            let bits = (v + 0.0).to_bits();
            if bits >> 31 == 1 { !bits } else { bits ^ 1 << 31 }
        };
        self.fixed(bits.to_be_bytes(), order);
    }
    #[inline]
    pub fn push_f64(&mut self, v: f64, order: KeyOrder) {
        let bits = if v.is_nan() {
            u64::MAX
        } else {
            let bits = (v + 0.0).to_bits();
            if bits >> 63 == 1 { !bits } else { bits ^ 1 << 63 }
        };
        self.fixed(bits.to_be_bytes(), order);
    }
    /// 16 bytes in their own order: uuid.
    #[inline]
    pub fn push_fixed16(&mut self, v: &[u8; 16], order: KeyOrder) {
        self.fixed(*v, order);
    }
    /// An interval as its total microseconds (months counted as 30 days), which is how PostgreSQL compares them.
    #[inline]
    pub fn push_interval(&mut self, micros: i128, order: KeyOrder) {
        self.fixed((micros as u128 ^ 1 << 127).to_be_bytes(), order);
    }
    /// bytea, and text under a bytewise collation or as a collation sort key.
    #[inline]
    pub fn push_bytes(&mut self, v: &[u8], order: KeyOrder) {
        self.0.push(MARK_VALUE);
        self.escaped(v, order.mask());
    }
    #[inline]
    pub fn push_text(&mut self, v: &str, order: KeyOrder) {
        self.push_bytes(v.as_bytes(), order);
    }
    /// Opens a composite part: its fields follow as columns of their own; [`end_composite`](Self::end_composite)
    /// closes it, so that a shorter array or record sorts before a longer one with the same beginning.
    #[inline]
    pub fn begin_composite(&mut self) {
        self.0.push(MARK_VALUE);
    }
    /// Ends the composite. `field_order` must be one whose value marker differs: fields follow the same order.
    #[inline]
    pub fn end_composite(&mut self, order: KeyOrder) {
        self.0.push(if order.desc { 0xff } else { 0x00 });
    }
    /// Announces one more field inside a composite (arrays have an unknown number of them).
    #[inline]
    pub fn next_field(&mut self, order: KeyOrder) {
        self.0.push(0x01 ^ order.mask());
    }

    fn escaped(&mut self, v: &[u8], mask: u8) {
        self.0.reserve(v.len() + 2);
        let mut rest = v;
        while let Some(zero) = rest.iter().position(|&b| b == ESCAPE) {
            self.masked(&rest[..zero], mask);
            self.put_slice(&[ESCAPE ^ mask, ESCAPED_ZERO ^ mask]);
            rest = &rest[zero + 1..];
        }
        self.masked(rest, mask);
        self.put_slice(&[ESCAPE ^ mask, TERMINATOR ^ mask]);
    }

    #[inline]
    fn masked(&mut self, v: &[u8], mask: u8) {
        let start = self.0.len();
        self.0.extend_from_slice(v);
        if mask != 0 {
            self.0[start..].iter_mut().for_each(|b| *b ^= mask);
        }
    }
}

/// The smallest key greater than every key that starts with `prefix`; `None` when there is no such key.
pub fn prefix_end(prefix: &[u8]) -> Option<KeyBuf> {
    let keep = prefix.iter().rposition(|&b| b != 0xff)? + 1;
    let mut end = KeyBuf::from(&prefix[..keep]);
    end.0[keep - 1] += 1;
    Some(end)
}
