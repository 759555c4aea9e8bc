//! Comparison of scalars with a natural Rust order: integers across widths, bool, oid, "char".

use pglite_types::Oid;

use crate::builtins;

macro_rules! compare {
    ($($a:ty, $b:ty, $wide:ty: $eq:ident $ne:ident $lt:ident $le:ident $gt:ident $ge:ident $cmp:ident;)*) => {$(
        fn $eq(a: $a, b: $b) -> bool {
            <$wide>::from(a) == <$wide>::from(b)
        }
        fn $ne(a: $a, b: $b) -> bool {
            <$wide>::from(a) != <$wide>::from(b)
        }
        fn $lt(a: $a, b: $b) -> bool {
            <$wide>::from(a) < <$wide>::from(b)
        }
        fn $le(a: $a, b: $b) -> bool {
            <$wide>::from(a) <= <$wide>::from(b)
        }
        fn $gt(a: $a, b: $b) -> bool {
            <$wide>::from(a) > <$wide>::from(b)
        }
        fn $ge(a: $a, b: $b) -> bool {
            <$wide>::from(a) >= <$wide>::from(b)
        }
        fn $cmp(a: $a, b: $b) -> i32 {
            <$wide>::from(a).cmp(&<$wide>::from(b)) as i32
        }
    )*};
}

compare! {
    i16, i16, i16: int2eq int2ne int2lt int2le int2gt int2ge btint2cmp;
    i16, i32, i32: int24eq int24ne int24lt int24le int24gt int24ge btint24cmp;
    i16, i64, i64: int28eq int28ne int28lt int28le int28gt int28ge btint28cmp;
    i32, i16, i32: int42eq int42ne int42lt int42le int42gt int42ge btint42cmp;
    i32, i32, i32: int4eq int4ne int4lt int4le int4gt int4ge btint4cmp;
    i32, i64, i64: int48eq int48ne int48lt int48le int48gt int48ge btint48cmp;
    i64, i16, i64: int82eq int82ne int82lt int82le int82gt int82ge btint82cmp;
    i64, i32, i64: int84eq int84ne int84lt int84le int84gt int84ge btint84cmp;
    i64, i64, i64: int8eq int8ne int8lt int8le int8gt int8ge btint8cmp;
    bool, bool, bool: booleq boolne boollt boolle boolgt boolge btboolcmp;
    Oid, Oid, Oid: oideq oidne oidlt oidle oidgt oidge btoidcmp;
    u8, u8, u8: chareq charne charlt charle chargt charge btcharcmp;
}

fn oidlarger(a: Oid, b: Oid) -> Oid {
    a.max(b)
}
fn oidsmaller(a: Oid, b: Oid) -> Oid {
    a.min(b)
}

builtins! { pub TABLE:
    "int2eq" => int2eq[i16, i16];
    "int2ne" => int2ne[i16, i16];
    "int2lt" => int2lt[i16, i16];
    "int2le" => int2le[i16, i16];
    "int2gt" => int2gt[i16, i16];
    "int2ge" => int2ge[i16, i16];
    "btint2cmp" => btint2cmp[i16, i16];
    "int24eq" => int24eq[i16, i32];
    "int24ne" => int24ne[i16, i32];
    "int24lt" => int24lt[i16, i32];
    "int24le" => int24le[i16, i32];
    "int24gt" => int24gt[i16, i32];
    "int24ge" => int24ge[i16, i32];
    "btint24cmp" => btint24cmp[i16, i32];
    "int28eq" => int28eq[i16, i64];
    "int28ne" => int28ne[i16, i64];
    "int28lt" => int28lt[i16, i64];
    "int28le" => int28le[i16, i64];
    "int28gt" => int28gt[i16, i64];
    "int28ge" => int28ge[i16, i64];
    "btint28cmp" => btint28cmp[i16, i64];
    "int42eq" => int42eq[i32, i16];
    "int42ne" => int42ne[i32, i16];
    "int42lt" => int42lt[i32, i16];
    "int42le" => int42le[i32, i16];
    "int42gt" => int42gt[i32, i16];
    "int42ge" => int42ge[i32, i16];
    "btint42cmp" => btint42cmp[i32, i16];
    "int4eq" => int4eq[i32, i32];
    "int4ne" => int4ne[i32, i32];
    "int4lt" => int4lt[i32, i32];
    "int4le" => int4le[i32, i32];
    "int4gt" => int4gt[i32, i32];
    "int4ge" => int4ge[i32, i32];
    "btint4cmp" => btint4cmp[i32, i32];
    "int48eq" => int48eq[i32, i64];
    "int48ne" => int48ne[i32, i64];
    "int48lt" => int48lt[i32, i64];
    "int48le" => int48le[i32, i64];
    "int48gt" => int48gt[i32, i64];
    "int48ge" => int48ge[i32, i64];
    "btint48cmp" => btint48cmp[i32, i64];
    "int82eq" => int82eq[i64, i16];
    "int82ne" => int82ne[i64, i16];
    "int82lt" => int82lt[i64, i16];
    "int82le" => int82le[i64, i16];
    "int82gt" => int82gt[i64, i16];
    "int82ge" => int82ge[i64, i16];
    "btint82cmp" => btint82cmp[i64, i16];
    "int84eq" => int84eq[i64, i32];
    "int84ne" => int84ne[i64, i32];
    "int84lt" => int84lt[i64, i32];
    "int84le" => int84le[i64, i32];
    "int84gt" => int84gt[i64, i32];
    "int84ge" => int84ge[i64, i32];
    "btint84cmp" => btint84cmp[i64, i32];
    "int8eq" => int8eq[i64, i64];
    "int8ne" => int8ne[i64, i64];
    "int8lt" => int8lt[i64, i64];
    "int8le" => int8le[i64, i64];
    "int8gt" => int8gt[i64, i64];
    "int8ge" => int8ge[i64, i64];
    "btint8cmp" => btint8cmp[i64, i64];
    "booleq" => booleq[bool, bool];
    "boolne" => boolne[bool, bool];
    "boollt" => boollt[bool, bool];
    "boolle" => boolle[bool, bool];
    "boolgt" => boolgt[bool, bool];
    "boolge" => boolge[bool, bool];
    "btboolcmp" => btboolcmp[bool, bool];
    "oideq" => oideq[Oid, Oid];
    "oidne" => oidne[Oid, Oid];
    "oidlt" => oidlt[Oid, Oid];
    "oidle" => oidle[Oid, Oid];
    "oidgt" => oidgt[Oid, Oid];
    "oidge" => oidge[Oid, Oid];
    "btoidcmp" => btoidcmp[Oid, Oid];
    "chareq" => chareq[u8, u8];
    "charne" => charne[u8, u8];
    "charlt" => charlt[u8, u8];
    "charle" => charle[u8, u8];
    "chargt" => chargt[u8, u8];
    "charge" => charge[u8, u8];
    "btcharcmp" => btcharcmp[u8, u8];
    "oidlarger" => oidlarger[Oid, Oid];
    "oidsmaller" => oidsmaller[Oid, Oid];
}
