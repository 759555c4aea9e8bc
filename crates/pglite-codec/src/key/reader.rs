//! Decoding of keys, part by part, in the order they were written.
//!
//! Invariant: whatever the bytes, the answer is a value or XX001, never a panic.

use super::{ESCAPE, ESCAPED_ZERO, KeyOrder, MARK_NULL_FIRST, MARK_NULL_LAST, MARK_VALUE, TERMINATOR};
use crate::corrupt;
use pglite_error::PgResult;
use std::borrow::Cow;

/// A position in an encoded key.
#[derive(Clone, Debug)]
pub struct KeyReader<'a> {
    rest: &'a [u8],
}

impl<'a> KeyReader<'a> {
    #[inline]
    pub fn new(key: &'a [u8]) -> KeyReader<'a> {
        KeyReader { rest: key }
    }
    /// What has not been read yet.
    #[inline]
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    #[inline]
    pub(super) fn take<const N: usize>(&mut self) -> PgResult<[u8; N]> {
        match self.rest.split_first_chunk::<N>() {
            Some((bytes, rest)) => {
                self.rest = rest;
                Ok(*bytes)
            }
            None => corrupt("key: too short"),
        }
    }

    #[inline]
    pub(super) fn mark(&mut self) -> PgResult<()> {
        if self.take::<1>()?[0] == MARK_VALUE { Ok(()) } else { corrupt("key: value expected") }
    }

    #[inline]
    fn fixed<const N: usize>(&mut self, order: KeyOrder) -> PgResult<[u8; N]> {
        self.mark()?;
        let mask = order.mask();
        Ok(self.take::<N>()?.map(|b| b ^ mask))
    }

    // ---- raw ------------------------------------------------------------------------------------------------

    /// Skips a known prefix.
    #[inline]
    pub fn skip(&mut self, len: usize) -> PgResult<()> {
        match self.rest.get(len..) {
            Some(rest) => {
                self.rest = rest;
                Ok(())
            }
            None => corrupt("key: too short"),
        }
    }
    #[inline]
    pub fn get_u8(&mut self) -> PgResult<u8> {
        Ok(self.take::<1>()?[0])
    }
    #[inline]
    pub fn get_u16(&mut self) -> PgResult<u16> {
        Ok(u16::from_be_bytes(self.take()?))
    }
    #[inline]
    pub fn get_u32(&mut self) -> PgResult<u32> {
        Ok(u32::from_be_bytes(self.take()?))
    }
    #[inline]
    pub fn get_u64(&mut self) -> PgResult<u64> {
        Ok(u64::from_be_bytes(self.take()?))
    }
    #[inline]
    pub fn get_i64(&mut self) -> PgResult<i64> {
        Ok((self.get_u64()? ^ 1 << 63) as i64)
    }
    pub fn get_bytes(&mut self) -> PgResult<Cow<'a, [u8]>> {
        self.escaped(0)
    }

    // ---- columns --------------------------------------------------------------------------------------------

    /// Whether the next column is NULL; moves past it if so.
    #[inline]
    pub fn null(&mut self) -> PgResult<bool> {
        match self.rest.first() {
            Some(&MARK_VALUE) => Ok(false),
            Some(&(MARK_NULL_FIRST | MARK_NULL_LAST)) => {
                self.rest = &self.rest[1..];
                Ok(true)
            }
            _ => corrupt("key: bad marker"),
        }
    }
    #[inline]
    pub fn bool(&mut self, order: KeyOrder) -> PgResult<bool> {
        Ok(self.fixed::<1>(order)?[0] != 0)
    }
    #[inline]
    pub fn u8(&mut self, order: KeyOrder) -> PgResult<u8> {
        Ok(self.fixed::<1>(order)?[0])
    }
    #[inline]
    pub fn i16(&mut self, order: KeyOrder) -> PgResult<i16> {
        Ok((u16::from_be_bytes(self.fixed(order)?) ^ 1 << 15) as i16)
    }
    #[inline]
    pub fn i32(&mut self, order: KeyOrder) -> PgResult<i32> {
        Ok((u32::from_be_bytes(self.fixed(order)?) ^ 1 << 31) as i32)
    }
    #[inline]
    pub fn i64(&mut self, order: KeyOrder) -> PgResult<i64> {
        Ok((u64::from_be_bytes(self.fixed(order)?) ^ 1 << 63) as i64)
    }
    #[inline]
    pub fn u32(&mut self, order: KeyOrder) -> PgResult<u32> {
        Ok(u32::from_be_bytes(self.fixed(order)?))
    }
    #[inline]
    pub fn u64(&mut self, order: KeyOrder) -> PgResult<u64> {
        Ok(u64::from_be_bytes(self.fixed(order)?))
    }
    pub fn f32(&mut self, order: KeyOrder) -> PgResult<f32> {
        let bits = u32::from_be_bytes(self.fixed(order)?);
        Ok(match bits {
            u32::MAX => f32::NAN,
            _ if bits >> 31 == 1 => f32::from_bits(bits ^ 1 << 31),
            _ => f32::from_bits(!bits),
        })
    }
    pub fn f64(&mut self, order: KeyOrder) -> PgResult<f64> {
        let bits = u64::from_be_bytes(self.fixed(order)?);
        Ok(match bits {
            u64::MAX => f64::NAN,
            _ if bits >> 63 == 1 => f64::from_bits(bits ^ 1 << 63),
            _ => f64::from_bits(!bits),
        })
    }
    pub fn fixed16(&mut self, order: KeyOrder) -> PgResult<[u8; 16]> {
        self.fixed(order)
    }
    pub fn interval(&mut self, order: KeyOrder) -> PgResult<i128> {
        Ok((u128::from_be_bytes(self.fixed(order)?) ^ 1 << 127) as i128)
    }
    /// Borrowed when ascending and free of zero bytes.
    pub fn bytes(&mut self, order: KeyOrder) -> PgResult<Cow<'a, [u8]>> {
        self.mark()?;
        self.escaped(order.mask())
    }
    pub fn text(&mut self, order: KeyOrder) -> PgResult<Cow<'a, str>> {
        match self.bytes(order)? {
            Cow::Borrowed(bytes) => std::str::from_utf8(bytes).ok().map(Cow::Borrowed),
            Cow::Owned(bytes) => String::from_utf8(bytes).ok().map(Cow::Owned),
        }
        .map_or_else(|| corrupt("key: bad UTF-8"), Ok)
    }
    pub fn begin_composite(&mut self) -> PgResult<()> {
        self.mark()
    }
    /// Whether another field follows in the composite; moves past the answer.
    pub fn next_field(&mut self, order: KeyOrder) -> PgResult<bool> {
        match self.take::<1>()?[0] ^ order.mask() {
            0 => Ok(false),
            1 => Ok(true),
            _ => corrupt("key: bad composite"),
        }
    }

    fn escaped(&mut self, mask: u8) -> PgResult<Cow<'a, [u8]>> {
        let data = self.rest;
        let mut owned: Vec<u8> = Vec::new();
        let mut start = 0;
        let mut at = 0;
        loop {
            let Some(found) = data[at..].iter().position(|&b| b ^ mask == ESCAPE) else {
                return corrupt("key: unterminated bytes");
            };
            at += found;
            match data.get(at + 1).map(|&b| b ^ mask) {
                Some(TERMINATOR) => {
                    self.rest = &data[at + 2..];
                    if mask == 0 && owned.is_empty() && start == 0 {
                        return Ok(Cow::Borrowed(&data[..at]));
                    }
                    owned.extend(data[start..at].iter().map(|b| b ^ mask));
                    return Ok(Cow::Owned(owned));
                }
                Some(ESCAPED_ZERO) => {
                    owned.extend(data[start..=at].iter().map(|b| b ^ mask));
                    at += 2;
                    start = at;
                }
                _ => return corrupt("key: bad escape"),
            }
        }
    }
}
