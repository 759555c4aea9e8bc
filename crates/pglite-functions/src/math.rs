//! Arithmetic and mathematical functions of float4, float8, numeric and money.

pub mod degree;
pub mod float;
pub mod money;
pub mod number;
pub mod random;
