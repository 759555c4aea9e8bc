//! Functions the compiler replaces by opcodes: comparisons and integer/float8 arithmetic, recognised by `prosrc`.

use pglite_error::{PgError, PgResult, codes};
use pglite_types::Datum;

use super::code::{CmpOp, Strict2};

/// A comparison whose semantics are [`crate::compare::fast_cmp`]'s. `text_order` tells whether the collation orders bytes.
pub fn comparison(prosrc: &str, text_order: bool) -> Option<CmpOp> {
    if let Some(op) = match prosrc {
        "texteq" | "nameeq" | "nameeqtext" | "texteqname" | "chareq" | "booleq" | "byteaeq" | "uuid_eq"
        | "cash_eq" => Some(CmpOp::Eq),
        "textne" | "namene" | "namenetext" | "textnename" | "charne" | "boolne" | "byteane" | "uuid_ne"
        | "cash_ne" => Some(CmpOp::Ne),
        "boollt" | "uuid_lt" | "bytealt" | "cash_lt" => Some(CmpOp::Lt),
        "boolle" | "uuid_le" | "byteale" | "cash_le" => Some(CmpOp::Le),
        "boolgt" | "uuid_gt" | "byteagt" | "cash_gt" => Some(CmpOp::Gt),
        "boolge" | "uuid_ge" | "byteage" | "cash_ge" => Some(CmpOp::Ge),
        "text_lt" if text_order => Some(CmpOp::Lt),
        "text_le" if text_order => Some(CmpOp::Le),
        "text_gt" if text_order => Some(CmpOp::Gt),
        "text_ge" if text_order => Some(CmpOp::Ge),
        _ => None,
    } {
        return Some(op);
    }
    const FAMILIES: &[&str] = &[
        "int2",
        "int4",
        "int8",
        "int24",
        "int42",
        "int28",
        "int82",
        "int48",
        "int84",
        "float4",
        "float8",
        "float48",
        "float84",
        "oid",
        "date_",
        "timestamp_",
        "time_",
        "numeric_",
    ];
    let split = prosrc.len().checked_sub(2)?;
    if !prosrc.is_char_boundary(split) || !FAMILIES.contains(&&prosrc[..split]) {
        return None;
    }
    match &prosrc[split..] {
        "eq" => Some(CmpOp::Eq),
        "ne" => Some(CmpOp::Ne),
        "lt" => Some(CmpOp::Lt),
        "le" => Some(CmpOp::Le),
        "gt" => Some(CmpOp::Gt),
        "ge" => Some(CmpOp::Ge),
        _ => None,
    }
}

#[cold]
fn out_of_range(what: &str) -> PgError {
    PgError::new(codes::NUMERIC_VALUE_OUT_OF_RANGE, format!("{what} out of range"))
}

#[cold]
fn by_zero() -> PgError {
    PgError::new(codes::DIVISION_BY_ZERO, "division by zero")
}

#[cold]
fn mismatch(a: &Datum, b: &Datum) -> PgError {
    PgError::internal(format!("arithmetic on unexpected values {a:?} and {b:?}"))
}

#[inline]
fn ints(a: &Datum, b: &Datum) -> PgResult<(i64, i64)> {
    let one = |d: &Datum| match d {
        Datum::Int2(v) => Some(*v as i64),
        Datum::Int4(v) => Some(*v as i64),
        Datum::Int8(v) => Some(*v),
        _ => None,
    };
    match (one(a), one(b)) {
        (Some(x), Some(y)) => Ok((x, y)),
        _ => Err(mismatch(a, b)),
    }
}

macro_rules! narrow {
    ($name:ident, $variant:ident, $ty:ty, $what:literal, $op:ident) => {
        fn $name(a: &Datum, b: &Datum) -> PgResult<Datum> {
            let (x, y) = ints(a, b)?;
            match x.$op(y).and_then(|v| <$ty>::try_from(v).ok()) {
                Some(v) => Ok(Datum::$variant(v)),
                None => Err(out_of_range($what)),
            }
        }
    };
}

narrow!(int2_add, Int2, i16, "smallint", checked_add);
narrow!(int2_sub, Int2, i16, "smallint", checked_sub);
narrow!(int2_mul, Int2, i16, "smallint", checked_mul);
narrow!(int4_add, Int4, i32, "integer", checked_add);
narrow!(int4_sub, Int4, i32, "integer", checked_sub);
narrow!(int4_mul, Int4, i32, "integer", checked_mul);
narrow!(int8_add, Int8, i64, "bigint", checked_add);
narrow!(int8_sub, Int8, i64, "bigint", checked_sub);
narrow!(int8_mul, Int8, i64, "bigint", checked_mul);

macro_rules! division {
    ($name:ident, $variant:ident, $ty:ty, $what:literal) => {
        fn $name(a: &Datum, b: &Datum) -> PgResult<Datum> {
            let (x, y) = ints(a, b)?;
            if y == 0 {
                return Err(by_zero());
            }
            match x.checked_div(y).and_then(|v| <$ty>::try_from(v).ok()) {
                Some(v) => Ok(Datum::$variant(v)),
                None => Err(out_of_range($what)),
            }
        }
    };
}

division!(int2_div, Int2, i16, "smallint");
division!(int4_div, Int4, i32, "integer");
division!(int8_div, Int8, i64, "bigint");

macro_rules! modulo {
    ($name:ident, $variant:ident, $ty:ty) => {
        fn $name(a: &Datum, b: &Datum) -> PgResult<Datum> {
            let (x, y) = ints(a, b)?;
            if y == 0 {
                return Err(by_zero());
            }
            Ok(Datum::$variant(x.wrapping_rem(y) as $ty))
        }
    };
}

modulo!(int2_mod, Int2, i16);
modulo!(int4_mod, Int4, i32);
modulo!(int8_mod, Int8, i64);

fn floats(a: &Datum, b: &Datum) -> PgResult<(f64, f64)> {
    match (a, b) {
        (Datum::Float8(x), Datum::Float8(y)) => Ok((*x, *y)),
        (Datum::Float4(x), Datum::Float8(y)) => Ok((*x as f64, *y)),
        (Datum::Float8(x), Datum::Float4(y)) => Ok((*x, *y as f64)),
        _ => Err(mismatch(a, b)),
    }
}

fn checked(v: f64, inf_ok: bool, zero_ok: bool) -> PgResult<Datum> {
    if v.is_infinite() && !inf_ok {
        return Err(PgError::new(codes::NUMERIC_VALUE_OUT_OF_RANGE, "value out of range: overflow"));
    }
    if v == 0.0 && !zero_ok {
        return Err(PgError::new(codes::NUMERIC_VALUE_OUT_OF_RANGE, "value out of range: underflow"));
    }
    Ok(Datum::Float8(v))
}

fn float8_add(a: &Datum, b: &Datum) -> PgResult<Datum> {
    let (x, y) = floats(a, b)?;
    checked(x + y, x.is_infinite() || y.is_infinite(), true)
}
fn float8_sub(a: &Datum, b: &Datum) -> PgResult<Datum> {
    let (x, y) = floats(a, b)?;
    checked(x - y, x.is_infinite() || y.is_infinite(), true)
}
fn float8_mul(a: &Datum, b: &Datum) -> PgResult<Datum> {
    let (x, y) = floats(a, b)?;
    checked(x * y, x.is_infinite() || y.is_infinite(), x == 0.0 || y == 0.0)
}
fn float8_div(a: &Datum, b: &Datum) -> PgResult<Datum> {
    let (x, y) = floats(a, b)?;
    if y == 0.0 && !x.is_nan() {
        return Err(by_zero());
    }
    checked(x / y, x.is_infinite() || y.is_infinite(), x == 0.0 || y.is_infinite())
}

/// The opcode of a strict two-argument function.
pub fn strict2(prosrc: &str) -> Option<Strict2> {
    Some(match prosrc {
        "int2pl" => int2_add,
        "int2mi" => int2_sub,
        "int2mul" => int2_mul,
        "int2div" => int2_div,
        "int2mod" => int2_mod,
        "int4pl" | "int24pl" | "int42pl" => int4_add,
        "int4mi" | "int24mi" | "int42mi" => int4_sub,
        "int4mul" | "int24mul" | "int42mul" => int4_mul,
        "int4div" | "int24div" | "int42div" => int4_div,
        "int4mod" => int4_mod,
        "int8pl" | "int48pl" | "int84pl" | "int28pl" | "int82pl" => int8_add,
        "int8mi" | "int48mi" | "int84mi" | "int28mi" | "int82mi" => int8_sub,
        "int8mul" | "int48mul" | "int84mul" | "int28mul" | "int82mul" => int8_mul,
        "int8div" | "int48div" | "int84div" | "int28div" | "int82div" => int8_div,
        "int8mod" => int8_mod,
        "float8pl" | "float48pl" | "float84pl" => float8_add,
        "float8mi" | "float48mi" | "float84mi" => float8_sub,
        "float8mul" | "float48mul" | "float84mul" => float8_mul,
        "float8div" | "float48div" | "float84div" => float8_div,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overflow_and_zero_raise_as_postgresql() {
        let f = strict2("int4pl").unwrap();
        assert!(matches!(f(&Datum::Int4(2), &Datum::Int4(3)), Ok(Datum::Int4(5))));
        let e = f(&Datum::Int4(i32::MAX), &Datum::Int4(1)).unwrap_err();
        assert_eq!((e.message(), e.code().as_str()), ("integer out of range", "22003"));
        let e = strict2("int84div").unwrap()(&Datum::Int8(1), &Datum::Int4(0)).unwrap_err();
        assert_eq!((e.message(), e.code().as_str()), ("division by zero", "22012"));
        let e = strict2("float8mul").unwrap()(&Datum::Float8(1e308), &Datum::Float8(10.0)).unwrap_err();
        assert_eq!(e.message(), "value out of range: overflow");
        assert!(matches!(
            strict2("int4mod").unwrap()(&Datum::Int4(i32::MIN), &Datum::Int4(-1)),
            Ok(Datum::Int4(0))
        ));
    }

    #[test]
    fn comparisons_by_name() {
        assert_eq!(comparison("int48ge", true), Some(CmpOp::Ge));
        assert_eq!(comparison("timestamp_lt", false), Some(CmpOp::Lt));
        assert_eq!(comparison("text_lt", false), None);
        assert_eq!(comparison("bpchareq", true), None);
    }
}
