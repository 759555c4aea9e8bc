//! `bit` and `varbit`.

/// A bit string: `len` bits, most significant bit of `bytes[0]` first, the rest of the last byte zero.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct BitString {
    pub len: u32,
    pub bytes: Vec<u8>,
}

impl BitString {
    pub fn zeros(len: u32) -> BitString {
        BitString { len, bytes: vec![0; len.div_ceil(8) as usize] }
    }
    pub fn get(&self, at: u32) -> bool {
        self.bytes[(at / 8) as usize] >> (7 - at % 8) & 1 == 1
    }
    pub fn set(&mut self, at: u32, bit: bool) {
        let mask = 0x80u8 >> (at % 8);
        let byte = &mut self.bytes[(at / 8) as usize];
        *byte = if bit { *byte | mask } else { *byte & !mask };
    }
    /// Cut or padded with zeros on the right to `len` bits.
    pub fn resized(&self, len: u32) -> BitString {
        let mut bytes = self.bytes.clone();
        bytes.resize(len.div_ceil(8) as usize, 0);
        let mut out = BitString { len, bytes };
        out.clear_tail();
        out
    }
    /// Zeroes the unused bits of the last byte.
    pub(crate) fn clear_tail(&mut self) {
        if !self.len.is_multiple_of(8)
            && let Some(last) = self.bytes.last_mut()
        {
            *last &= 0xffu8 << (8 - self.len % 8);
        }
    }
}

use pglite_error::{PgResult, bail};

use crate::{Oid, oid};

/// bit and varbit input: `B` or `X` may lead; the typmod is checked first.
pub fn bits_in(type_oid: Oid, typmod: i32, s: &str) -> PgResult<BitString> {
    let (hex, digits) = match s.as_bytes().first() {
        Some(b'b' | b'B') => (false, &s[1..]),
        Some(b'x' | b'X') => (true, &s[1..]),
        _ => (false, s),
    };
    let len = digits.len() as i64 * if hex { 4 } else { 1 };
    if len > i32::MAX as i64 - 8 {
        bail!(PROGRAM_LIMIT_EXCEEDED, "bit string length exceeds the maximum allowed ({})", i32::MAX - 8);
    }
    let varying = type_oid == oid::VARBIT;
    if typmod > 0 && varying && len > typmod as i64 {
        bail!(STRING_DATA_RIGHT_TRUNCATION, "bit string too long for type bit varying({typmod})");
    }
    if typmod > 0 && !varying && len != typmod as i64 {
        bail!(STRING_DATA_LENGTH_MISMATCH, "bit string length {len} does not match type bit({typmod})");
    }
    let mut out = BitString::zeros(len as u32);
    for (at, c) in digits.char_indices() {
        match c.to_digit(if hex { 16 } else { 2 }) {
            Some(d) if hex => out.bytes[at / 2] |= (d as u8) << if at % 2 == 0 { 4 } else { 0 },
            Some(d) => out.bytes[at / 8] |= (d as u8) << (7 - at % 8),
            None => {
                let kind = if hex { "hexadecimal" } else { "binary" };
                bail!(INVALID_TEXT_REPRESENTATION, "\"{c}\" is not a valid {kind} digit");
            }
        }
    }
    Ok(out)
}

pub fn bits_out(b: &BitString, out: &mut String) {
    out.reserve(b.len as usize);
    (0..b.len).for_each(|i| out.push(if b.get(i) { '1' } else { '0' }));
}

/// `||`.
pub fn concat(a: &BitString, b: &BitString) -> BitString {
    let mut out = a.resized(a.len + b.len);
    (0..b.len).for_each(|i| out.set(a.len + i, b.get(i)));
    out
}

/// A bitwise operation on two strings of one length.
pub fn zip(a: &BitString, b: &BitString, what: &str, f: impl Fn(u8, u8) -> u8) -> PgResult<BitString> {
    if a.len != b.len {
        bail!(STRING_DATA_LENGTH_MISMATCH, "cannot {what} bit strings of different sizes");
    }
    let bytes = a.bytes.iter().zip(&b.bytes).map(|(x, y)| f(*x, *y)).collect();
    let mut out = BitString { len: a.len, bytes };
    out.clear_tail();
    Ok(out)
}

pub fn not(a: &BitString) -> BitString {
    let mut out = BitString { len: a.len, bytes: a.bytes.iter().map(|b| !b).collect() };
    out.clear_tail();
    out
}

/// Shift left by `n` bits (right when negative), filling with zeros.
pub fn shift(a: &BitString, n: i64) -> BitString {
    let mut out = BitString::zeros(a.len);
    for i in 0..a.len as i64 {
        let from = i + n;
        if (0..a.len as i64).contains(&from) && a.get(from as u32) {
            out.set(i as u32, true);
        }
    }
    out
}
