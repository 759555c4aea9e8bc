//! Integer arithmetic with PostgreSQL's overflow and division errors.

use pglite_error::{PgError, PgResult, bail, codes};

use crate::builtins;

/// 22003 for the type of the result.
pub trait PgInt: Copy + Sized {
    const NAME: &'static str;
}
impl PgInt for i16 {
    const NAME: &'static str = "smallint";
}
impl PgInt for i32 {
    const NAME: &'static str = "integer";
}
impl PgInt for i64 {
    const NAME: &'static str = "bigint";
}

#[cold]
pub fn out_of_range<T: PgInt>() -> PgError {
    PgError::new(codes::NUMERIC_VALUE_OUT_OF_RANGE, format!("{} out of range", T::NAME))
}

#[cold]
pub fn division_by_zero() -> PgError {
    PgError::new(codes::DIVISION_BY_ZERO, "division by zero")
}

macro_rules! checked {
    ($($name:ident($a:ty, $b:ty) -> $r:ty = $op:ident;)*) => {$(
        fn $name(a: $a, b: $b) -> PgResult<$r> {
            <$r>::from(a).$op(<$r>::from(b)).ok_or_else(out_of_range::<$r>)
        }
    )*};
}

macro_rules! divide {
    ($($div:ident($a:ty, $b:ty) -> $r:ty;)*) => {$(
        fn $div(a: $a, b: $b) -> PgResult<$r> {
            if b == 0 {
                return Err(division_by_zero());
            }
            <$r>::from(a).checked_div(<$r>::from(b)).ok_or_else(out_of_range::<$r>)
        }
    )*};
}

macro_rules! unary {
    ($($t:ty: $neg:ident $abs:ident $modulo:ident $not:ident $and:ident $or:ident $xor:ident $shl:ident $shr:ident $plus:ident $larger:ident $smaller:ident;)*) => {$(
        fn $neg(a: $t) -> PgResult<$t> {
            a.checked_neg().ok_or_else(out_of_range::<$t>)
        }
        fn $abs(a: $t) -> PgResult<$t> {
            a.checked_abs().ok_or_else(out_of_range::<$t>)
        }
        fn $modulo(a: $t, b: $t) -> PgResult<$t> {
            if b == 0 { Err(division_by_zero()) } else { Ok(a.wrapping_rem(b)) }
        }
        fn $not(a: $t) -> $t {
            !a
        }
        fn $and(a: $t, b: $t) -> $t {
            a & b
        }
        fn $or(a: $t, b: $t) -> $t {
            a | b
        }
        fn $xor(a: $t, b: $t) -> $t {
            a ^ b
        }
        fn $shl(a: $t, n: i32) -> $t {
            a.wrapping_shl(n as u32)
        }
        fn $shr(a: $t, n: i32) -> $t {
            a.wrapping_shr(n as u32)
        }
        fn $plus(a: $t) -> $t {
            a
        }
        fn $larger(a: $t, b: $t) -> $t {
            a.max(b)
        }
        fn $smaller(a: $t, b: $t) -> $t {
            a.min(b)
        }
    )*};
}

checked! {
    int2pl(i16, i16) -> i16 = checked_add;
    int2mi(i16, i16) -> i16 = checked_sub;
    int2mul(i16, i16) -> i16 = checked_mul;
    int24pl(i16, i32) -> i32 = checked_add;
    int24mi(i16, i32) -> i32 = checked_sub;
    int24mul(i16, i32) -> i32 = checked_mul;
    int28pl(i16, i64) -> i64 = checked_add;
    int28mi(i16, i64) -> i64 = checked_sub;
    int28mul(i16, i64) -> i64 = checked_mul;
    int42pl(i32, i16) -> i32 = checked_add;
    int42mi(i32, i16) -> i32 = checked_sub;
    int42mul(i32, i16) -> i32 = checked_mul;
    int4pl(i32, i32) -> i32 = checked_add;
    int4mi(i32, i32) -> i32 = checked_sub;
    int4mul(i32, i32) -> i32 = checked_mul;
    int48pl(i32, i64) -> i64 = checked_add;
    int48mi(i32, i64) -> i64 = checked_sub;
    int48mul(i32, i64) -> i64 = checked_mul;
    int82pl(i64, i16) -> i64 = checked_add;
    int82mi(i64, i16) -> i64 = checked_sub;
    int82mul(i64, i16) -> i64 = checked_mul;
    int84pl(i64, i32) -> i64 = checked_add;
    int84mi(i64, i32) -> i64 = checked_sub;
    int84mul(i64, i32) -> i64 = checked_mul;
    int8pl(i64, i64) -> i64 = checked_add;
    int8mi(i64, i64) -> i64 = checked_sub;
    int8mul(i64, i64) -> i64 = checked_mul;
}

divide! {
    int2div(i16, i16) -> i16;
    int24div(i16, i32) -> i32;
    int28div(i16, i64) -> i64;
    int42div(i32, i16) -> i32;
    int4div(i32, i32) -> i32;
    int48div(i32, i64) -> i64;
    int82div(i64, i16) -> i64;
    int84div(i64, i32) -> i64;
    int8div(i64, i64) -> i64;
}

unary! {
    i16: int2um int2abs int2mod int2not int2and int2or int2xor int2shl int2shr int2up int2larger int2smaller;
    i32: int4um int4abs int4mod int4not int4and int4or int4xor int4shl int4shr int4up int4larger int4smaller;
    i64: int8um int8abs int8mod int8not int8and int8or int8xor int8shl int8shr int8up int8larger int8smaller;
}

fn int8inc(a: i64) -> PgResult<i64> {
    a.checked_add(1).ok_or_else(out_of_range::<i64>)
}
fn int4inc(a: i32) -> PgResult<i32> {
    a.checked_add(1).ok_or_else(out_of_range::<i32>)
}

macro_rules! casts {
    ($($name:ident($a:ty) -> $r:ty;)*) => {$(
        fn $name(a: $a) -> PgResult<$r> {
            <$r>::try_from(a).map_err(|_| out_of_range::<$r>())
        }
    )*};
}

casts! {
    i2toi4(i16) -> i32;
    i4toi2(i32) -> i16;
    int48(i32) -> i64;
    int84(i64) -> i32;
    int28(i16) -> i64;
    int82(i64) -> i16;
}

fn i8tooid(a: i64) -> PgResult<pglite_types::Oid> {
    match u32::try_from(a) {
        Ok(v) => Ok(pglite_types::Oid(v)),
        Err(_) => bail!(NUMERIC_VALUE_OUT_OF_RANGE, "OID out of range"),
    }
}
fn oidtoi8(a: pglite_types::Oid) -> i64 {
    i64::from(a.0)
}
fn int4_bool(a: i32) -> bool {
    a != 0
}
fn bool_int4(a: bool) -> i32 {
    i32::from(a)
}

/// Greatest common divisor; overflows only for the minimum value.
fn gcd_i64(a: i64, b: i64) -> Option<i64> {
    let (mut a, mut b) = (a.unsigned_abs(), b.unsigned_abs());
    while b != 0 {
        (a, b) = (b, a % b);
    }
    i64::try_from(a).ok()
}
fn int8gcd(a: i64, b: i64) -> PgResult<i64> {
    gcd_i64(a, b).ok_or_else(out_of_range::<i64>)
}
fn int4gcd(a: i32, b: i32) -> PgResult<i32> {
    gcd_i64(a.into(), b.into()).and_then(|g| i32::try_from(g).ok()).ok_or_else(out_of_range::<i32>)
}
fn int8lcm(a: i64, b: i64) -> PgResult<i64> {
    if a == 0 || b == 0 {
        return Ok(0);
    }
    let gcd = gcd_i64(a, b).ok_or_else(out_of_range::<i64>)?;
    (a / gcd).checked_mul(b).and_then(i64::checked_abs).ok_or_else(out_of_range::<i64>)
}
fn int4lcm(a: i32, b: i32) -> PgResult<i32> {
    int8lcm(a.into(), b.into()).ok().and_then(|l| i32::try_from(l).ok()).ok_or_else(out_of_range::<i32>)
}

builtins! { pub TABLE:
    "int2pl" => int2pl[i16, i16];
    "int2mi" => int2mi[i16, i16];
    "int2mul" => int2mul[i16, i16];
    "int2div" => int2div[i16, i16];
    "int24pl" => int24pl[i16, i32];
    "int24mi" => int24mi[i16, i32];
    "int24mul" => int24mul[i16, i32];
    "int24div" => int24div[i16, i32];
    "int28pl" => int28pl[i16, i64];
    "int28mi" => int28mi[i16, i64];
    "int28mul" => int28mul[i16, i64];
    "int28div" => int28div[i16, i64];
    "int42pl" => int42pl[i32, i16];
    "int42mi" => int42mi[i32, i16];
    "int42mul" => int42mul[i32, i16];
    "int42div" => int42div[i32, i16];
    "int4pl" => int4pl[i32, i32];
    "int4mi" => int4mi[i32, i32];
    "int4mul" => int4mul[i32, i32];
    "int4div" => int4div[i32, i32];
    "int48pl" => int48pl[i32, i64];
    "int48mi" => int48mi[i32, i64];
    "int48mul" => int48mul[i32, i64];
    "int48div" => int48div[i32, i64];
    "int82pl" => int82pl[i64, i16];
    "int82mi" => int82mi[i64, i16];
    "int82mul" => int82mul[i64, i16];
    "int82div" => int82div[i64, i16];
    "int84pl" => int84pl[i64, i32];
    "int84mi" => int84mi[i64, i32];
    "int84mul" => int84mul[i64, i32];
    "int84div" => int84div[i64, i32];
    "int8pl" => int8pl[i64, i64];
    "int8mi" => int8mi[i64, i64];
    "int8mul" => int8mul[i64, i64];
    "int8div" => int8div[i64, i64];
    "int2um" => int2um[i16];
    "int2abs" => int2abs[i16];
    "int2mod" => int2mod[i16, i16];
    "int2not" => int2not[i16];
    "int2and" => int2and[i16, i16];
    "int2or" => int2or[i16, i16];
    "int2xor" => int2xor[i16, i16];
    "int2shl" => int2shl[i16, i32];
    "int2shr" => int2shr[i16, i32];
    "int2up" => int2up[i16];
    "int2larger" => int2larger[i16, i16];
    "int2smaller" => int2smaller[i16, i16];
    "int4um" => int4um[i32];
    "int4abs" => int4abs[i32];
    "int4mod" => int4mod[i32, i32];
    "int4not" => int4not[i32];
    "int4and" => int4and[i32, i32];
    "int4or" => int4or[i32, i32];
    "int4xor" => int4xor[i32, i32];
    "int4shl" => int4shl[i32, i32];
    "int4shr" => int4shr[i32, i32];
    "int4up" => int4up[i32];
    "int4larger" => int4larger[i32, i32];
    "int4smaller" => int4smaller[i32, i32];
    "int8um" => int8um[i64];
    "int8abs" => int8abs[i64];
    "int8mod" => int8mod[i64, i64];
    "int8not" => int8not[i64];
    "int8and" => int8and[i64, i64];
    "int8or" => int8or[i64, i64];
    "int8xor" => int8xor[i64, i64];
    "int8shl" => int8shl[i64, i32];
    "int8shr" => int8shr[i64, i32];
    "int8up" => int8up[i64];
    "int8larger" => int8larger[i64, i64];
    "int8smaller" => int8smaller[i64, i64];
    "int8inc" => int8inc[i64];
    "int4inc" => int4inc[i32];
    "i2toi4" => i2toi4[i16];
    "i4toi2" => i4toi2[i32];
    "int48" => int48[i32];
    "int84" => int84[i64];
    "int28" => int28[i16];
    "int82" => int82[i64];
    "i8tooid" => i8tooid[i64];
    "oidtoi8" => oidtoi8[pglite_types::Oid];
    "int4_bool" => int4_bool[i32];
    "bool_int4" => bool_int4[bool];
    "int8gcd" => int8gcd[i64, i64];
    "int4gcd" => int4gcd[i32, i32];
    "int8lcm" => int8lcm[i64, i64];
    "int4lcm" => int4lcm[i32, i32];
}
