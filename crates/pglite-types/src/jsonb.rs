//! `jsonb`: the tree form, and `json` validation.

use ecow::EcoString;

use crate::numeric::Numeric;

/// A parsed JSON value. Invariant: object keys are unique and sorted by length, then bytes.
#[derive(Clone, Debug)]
pub enum Jsonb {
    Null,
    Bool(bool),
    /// Never NaN or infinite.
    Number(Numeric),
    String(EcoString),
    Array(Vec<Jsonb>),
    Object(Vec<(EcoString, Jsonb)>),
}
