//! `numeric`: arbitrary-precision decimals with PostgreSQL's scales.
//!
//! Small values (up to 18 decimal digits) live inline as a scaled integer; the rest in base-10000 digits behind an `Arc`.

use std::sync::Arc;

/// A numeric value. Equal values may differ in form and scale: compare with [`Numeric::cmp`], never by variant.
#[derive(Clone, Debug)]
pub enum Numeric {
    /// `coef * 10^-dscale`, with `|coef| < 10^18` and `dscale <= 18`.
    Small {
        coef: i64,
        dscale: u8,
    },
    Big(Arc<Big>),
    NaN,
    PosInf,
    NegInf,
}

/// Sign, base-10000 digits without leading or trailing zero digits, the exponent of the first, and the display scale.
#[derive(Clone, Debug, Default)]
pub struct Big {
    pub neg: bool,
    pub weight: i32,
    pub dscale: u16,
    pub digits: Vec<u16>,
}
