//! Integer arithmetic and comparison.

pub mod cmp;
pub mod int;
