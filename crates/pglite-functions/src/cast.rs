//! Casts that are not arithmetic: length coercions, "char", name, bytea, bool, xid8.

use ecow::EcoString;
use pglite_error::{PgResult, bail};
use pglite_types::{Datum, Oid, oid, typmod};

use crate::builtins;

fn bpchar(v: &Datum, typmod: i32, explicit: bool) -> PgResult<Datum> {
    typmod::apply(oid::BPCHAR, typmod, v.clone(), explicit)
}
fn varchar(v: &Datum, typmod: i32, explicit: bool) -> PgResult<Datum> {
    typmod::apply(oid::VARCHAR, typmod, v.clone(), explicit)
}
fn bit(v: &Datum, typmod: i32, explicit: bool) -> PgResult<Datum> {
    typmod::apply(oid::BIT, if typmod == 0 { -1 } else { typmod }, v.clone(), explicit)
}
fn varbit(v: &Datum, typmod: i32, explicit: bool) -> PgResult<Datum> {
    typmod::apply(oid::VARBIT, if typmod == 0 { -1 } else { typmod }, v.clone(), explicit)
}
fn scale(v: &Datum, typmod: i32) -> PgResult<Datum> {
    typmod::apply(oid::TIMESTAMP, typmod, v.clone(), true)
}
fn bool_text(v: bool) -> &'static str {
    if v { "true" } else { "false" }
}
fn char_text(c: u8) -> EcoString {
    let mut out = String::new();
    if c != 0 {
        pglite_types::text::scalar::char_out(c, &mut out);
    }
    out.into()
}
fn text_char(s: &str) -> u8 {
    pglite_types::text::scalar::char_in(s)
}
fn name(s: &str) -> EcoString {
    pglite_types::text::scalar::clip_name(s).into()
}
fn bpchar_name(s: &str) -> EcoString {
    pglite_types::text::scalar::clip_name(s).trim_end_matches(' ').into()
}
fn same(v: &Datum) -> Datum {
    v.clone()
}
fn i4tochar(v: i32) -> PgResult<u8> {
    match i8::try_from(v) {
        Ok(v) => Ok(v as u8),
        Err(_) => bail!(NUMERIC_VALUE_OUT_OF_RANGE, "\"char\" out of range"),
    }
}
fn chartoi4(c: u8) -> i32 {
    i32::from(c as i8)
}
fn i2_bytes(v: i16) -> Vec<u8> {
    v.to_be_bytes().to_vec()
}
fn i4_bytes(v: i32) -> Vec<u8> {
    v.to_be_bytes().to_vec()
}
fn i8_bytes(v: i64) -> Vec<u8> {
    v.to_be_bytes().to_vec()
}

macro_rules! from_bytes {
    ($($name:ident $t:ty, $u:ty, $text:literal;)*) => {$(
        fn $name(v: &[u8]) -> PgResult<$t> {
            if v.len() > size_of::<$t>() {
                bail!(NUMERIC_VALUE_OUT_OF_RANGE, "{} out of range", $text);
            }
            Ok(v.iter().fold(0 as $u, |acc, b| acc << 8 | <$u>::from(*b)) as $t)
        }
    )*};
}
from_bytes! { bytes_i2 i16, u16, "smallint"; bytes_i4 i32, u32, "integer"; bytes_i8 i64, u64, "bigint"; }

fn xid8toxid(v: i64) -> Oid {
    Oid(v as u32)
}

builtins! { pub TABLE:
    "bpchar" => bpchar[&Datum, i32, bool];
    "varchar" => varchar[&Datum, i32, bool];
    "bit" => bit[&Datum, i32, bool];
    "varbit" => varbit[&Datum, i32, bool];
    "timestamp_scale" => scale[&Datum, i32];
    "timestamptz_scale" => scale[&Datum, i32];
    "time_scale" => scale[&Datum, i32];
    "timetz_scale" => scale[&Datum, i32];
    "interval_scale" => scale[&Datum, i32];
    "booltext" => bool_text[bool];
    "char_text" => char_text[u8];
    "char_bpchar" => char_text[u8];
    "text_char" => text_char[&str];
    "text_name" => name[&str];
    "name_text" => same[&Datum];
    "name_bpchar" => same[&Datum];
    "bpchar_name" => bpchar_name[&str];
    "i4tochar" => i4tochar[i32];
    "chartoi4" => chartoi4[u8];
    "int2_bytea" => i2_bytes[i16];
    "int4_bytea" => i4_bytes[i32];
    "int8_bytea" => i8_bytes[i64];
    "bytea_int2" => bytes_i2[&[u8]];
    "bytea_int4" => bytes_i4[&[u8]];
    "bytea_int8" => bytes_i8[&[u8]];
    "xid8toxid" => xid8toxid[i64];
}
