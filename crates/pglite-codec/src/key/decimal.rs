//! Decimal (`numeric`) key parts. Their digits come as PostgreSQL holds them: base 10000, most significant first,
//! the first one worth `10000^weight`.
//!
//! Invariant: equal values encode equally: leading and trailing zero digits do not count.

use super::{KeyBuf, KeyOrder, KeyReader, MARK_VALUE};
use crate::corrupt;
use pglite_error::PgResult;
use smallvec::SmallVec;

const NEG_INF: u8 = 1;
const NEGATIVE: u8 = 2;
const ZERO: u8 = 3;
const POSITIVE: u8 = 4;
const POS_INF: u8 = 5;
const NAN: u8 = 6;

/// A decoded decimal. The display scale is no part of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DecimalParts {
    Finite { negative: bool, weight: i32, digits: SmallVec<[i16; 8]> },
    NegInfinity,
    PosInfinity,
    NaN,
}

impl KeyBuf {
    pub fn push_decimal_nan(&mut self, order: KeyOrder) {
        self.put_slice(&[MARK_VALUE, NAN ^ order.mask()]);
    }
    pub fn push_decimal_infinity(&mut self, negative: bool, order: KeyOrder) {
        let class = if negative { NEG_INF } else { POS_INF };
        self.put_slice(&[MARK_VALUE, class ^ order.mask()]);
    }
    /// A finite decimal: `digits` are base-10000 digits, the first worth `10000^weight`.
    pub fn push_decimal(&mut self, negative: bool, weight: i32, digits: &[i16], order: KeyOrder) {
        let leading = digits.iter().take_while(|&&d| d == 0).count();
        let weight = weight.wrapping_sub(leading as i32);
        let digits = &digits[leading..];
        let significant = digits.iter().rposition(|&d| d != 0).map_or(0, |last| last + 1);
        let digits = &digits[..significant];
        if digits.is_empty() {
            self.put_slice(&[MARK_VALUE, ZERO ^ order.mask()]);
            return;
        }
        let class = if negative { NEGATIVE } else { POSITIVE };
        self.put_slice(&[MARK_VALUE, class ^ order.mask()]);
        let invert = if negative != order.desc { 0xffff_ffff_u32 } else { 0 };
        self.put_u32((weight as u32 ^ 1 << 31) ^ invert);
        for &digit in digits {
            self.put_u16((digit as u16 + 1) ^ invert as u16);
        }
        self.put_u16(invert as u16);
    }
}

impl KeyReader<'_> {
    pub fn decimal(&mut self, order: KeyOrder) -> PgResult<DecimalParts> {
        self.mark()?;
        let class = self.take::<1>()?[0] ^ order.mask();
        let negative = match class {
            NEG_INF => return Ok(DecimalParts::NegInfinity),
            POS_INF => return Ok(DecimalParts::PosInfinity),
            NAN => return Ok(DecimalParts::NaN),
            ZERO => {
                return Ok(DecimalParts::Finite { negative: false, weight: 0, digits: SmallVec::new() });
            }
            NEGATIVE => true,
            POSITIVE => false,
            _ => return corrupt("decimal key"),
        };
        let invert = if negative != order.desc { 0xffff_ffff_u32 } else { 0 };
        let weight = (u32::from_be_bytes(self.take()?) ^ invert ^ 1 << 31) as i32;
        let mut digits = SmallVec::new();
        loop {
            match u16::from_be_bytes(self.take()?) ^ invert as u16 {
                0 => return Ok(DecimalParts::Finite { negative, weight, digits }),
                digit @ 1..=10000 => digits.push(digit as i16 - 1),
                _ => return corrupt("decimal key"),
            }
        }
    }
}
