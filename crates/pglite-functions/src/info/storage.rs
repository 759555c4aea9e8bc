//! Sizes of relations and databases, in bytes and in words; file numbers.

use pglite_error::{PgResult, bail};
use pglite_ir::FnCtx;
use pglite_types::numeric::{self, Numeric};
use pglite_types::{Datum, Oid};

use super::{ask, catalog};
use crate::builtins;

fn size_of(cx: &FnCtx<'_>, rel: Oid) -> PgResult<i64> {
    match ask(cx, "relation_size", &[Datum::Oid(rel)])? {
        Datum::Int8(v) => Ok(v),
        _ => Ok(0),
    }
}
fn relation_size(cx: &FnCtx<'_>, rel: Oid, fork: &str) -> PgResult<Option<i64>> {
    if catalog(cx).class_by_oid(rel).is_none() {
        return Ok(None);
    }
    match fork {
        "main" => size_of(cx, rel).map(Some),
        "fsm" | "vm" | "init" => Ok(Some(0)),
        _ => bail!(INVALID_PARAMETER_VALUE, "invalid fork name"),
    }
}
fn indexes(cx: &FnCtx<'_>, rel: Oid) -> PgResult<i64> {
    let mut sum = 0;
    for i in catalog(cx).indexes_of(rel) {
        sum += size_of(cx, i.indexrelid)?;
    }
    Ok(sum)
}
fn exists(cx: &FnCtx<'_>, rel: Oid) -> bool {
    catalog(cx).class_by_oid(rel).is_some()
}
fn indexes_size(cx: &FnCtx<'_>, rel: Oid) -> PgResult<Option<i64>> {
    if exists(cx, rel) { indexes(cx, rel).map(Some) } else { Ok(None) }
}
fn table_size(cx: &FnCtx<'_>, rel: Oid) -> PgResult<Option<i64>> {
    if exists(cx, rel) { size_of(cx, rel).map(Some) } else { Ok(None) }
}
fn total_size(cx: &FnCtx<'_>, rel: Oid) -> PgResult<Option<i64>> {
    if exists(cx, rel) { Ok(Some(size_of(cx, rel)? + indexes(cx, rel)?)) } else { Ok(None) }
}
fn database_size(cx: &FnCtx<'_>, database: Oid) -> PgResult<Option<i64>> {
    let s = catalog(cx);
    if s.database_by_oid(database).is_none() {
        return Ok(None);
    }
    let mut sum = 0;
    if s.database() == database {
        for c in s.iter::<pglite_catalog::ClassRow>().filter(|c| c.relfilenode.is_valid()) {
            sum += size_of(cx, c.oid)?;
        }
    }
    Ok(Some(sum))
}
fn database_size_name(cx: &FnCtx<'_>, name: &str) -> PgResult<Option<i64>> {
    match catalog(cx).database_by_name(name) {
        Some(d) => database_size(cx, d.oid),
        None => bail!(UNDEFINED_DATABASE, "database \"{name}\" does not exist"),
    }
}

/// Unit, the largest value shown in it, whether the value is rounded, bits to the next unit.
const UNITS: [(&str, i64, bool, u32); 6] = [
    ("bytes", 10 * 1024, false, 0),
    ("kB", 20 * 1024 - 1, true, 10),
    ("MB", 20 * 1024 - 1, true, 20),
    ("GB", 20 * 1024 - 1, true, 30),
    ("TB", 20 * 1024 - 1, true, 40),
    ("PB", 20 * 1024 - 1, true, 50),
];

fn half_rounded(v: i64) -> i64 {
    (v + v.signum()) / 2
}

fn size_pretty(size: i64) -> String {
    let mut v = size;
    for (i, (name, limit, round, bits)) in UNITS.iter().enumerate() {
        if i + 1 == UNITS.len() || v.unsigned_abs() < *limit as u64 {
            return format!("{} {name}", if *round { half_rounded(v) } else { v });
        }
        // PG: one bit is kept for rounding from the first division on.
        let (_, _, next_round, next_bits) = UNITS[i + 1];
        let shift = next_bits - bits - u32::from(next_round) + u32::from(*round);
        v /= 1i64 << shift;
    }
    String::new()
}

fn size_pretty_numeric(size: &Numeric) -> PgResult<String> {
    let mut v = size.clone();
    let show = |v: &Numeric, name: &str| {
        let mut out = String::new();
        numeric::write_text(v, &mut out);
        format!("{out} {name}")
    };
    for (i, (name, limit, round, bits)) in UNITS.iter().enumerate() {
        let small = numeric::cmp(&numeric::abs(&v), &Numeric::from_i64(*limit)).is_lt();
        if i + 1 == UNITS.len() || small {
            let shown = if *round {
                let one = Numeric::from_i64(i64::from(v.signum()).max(-1));
                numeric::div_trunc(&numeric::add(&v, &one)?, &Numeric::from_i64(2))?
            } else {
                v
            };
            return Ok(show(&shown, name));
        }
        let (_, _, next_round, next_bits) = UNITS[i + 1];
        let shift = next_bits - bits - u32::from(next_round) + u32::from(*round);
        v = numeric::div_trunc(&v, &Numeric::from_i64(1i64 << shift))?;
    }
    Ok(String::new())
}

fn size_bytes(text: &str) -> PgResult<i64> {
    let t = text.trim();
    let end = t
        .find(|c: char| !(c.is_ascii_digit() || matches!(c, '+' | '-' | '.' | 'e' | 'E')))
        .unwrap_or(t.len());
    let mut digits = &t[..end];
    // An exponent needs digits; otherwise the letter belongs to the unit.
    if digits.ends_with(['e', 'E']) {
        digits = &digits[..digits.len() - 1];
    }
    let Ok(number) = numeric::parse(digits) else {
        bail!(INVALID_PARAMETER_VALUE, "invalid size: \"{text}\"")
    };
    let unit = t[digits.len()..].trim();
    let bits = match unit.to_ascii_lowercase().as_str() {
        "" | "bytes" | "b" => 0,
        "kb" => 10,
        "mb" => 20,
        "gb" => 30,
        "tb" => 40,
        "pb" => 50,
        _ => {
            return Err(pglite_error::err!(INVALID_PARAMETER_VALUE, "invalid size: \"{text}\"")
                .detail(format!("Invalid size unit: \"{unit}\"."))
                .hint("Valid units are \"bytes\", \"B\", \"kB\", \"MB\", \"GB\", \"TB\", and \"PB\"."));
        }
    };
    numeric::mul(&number, &Numeric::from_i64(1i64 << bits))?.to_i64()
}

fn filenode(cx: &FnCtx<'_>, rel: Oid) -> Option<Oid> {
    catalog(cx).class_by_oid(rel).and_then(|c| c.relfilenode.valid())
}
fn filepath(cx: &FnCtx<'_>, rel: Oid) -> Option<String> {
    let node = filenode(cx, rel)?;
    Some(format!("base/{}/{node}", catalog(cx).database()))
}
fn filenode_relation(cx: &FnCtx<'_>, _space: Oid, node: Oid) -> Option<Oid> {
    catalog(cx).iter::<pglite_catalog::ClassRow>().find(|c| c.relfilenode == node).map(|c| c.oid)
}

builtins! { pub TABLE:
    "pg_relation_size" => cx relation_size[Oid, &str];
    "pg_indexes_size" => cx indexes_size[Oid];
    "pg_table_size" => cx table_size[Oid];
    "pg_total_relation_size" => cx total_size[Oid];
    "pg_database_size_oid" => cx database_size[Oid];
    "pg_database_size_name" => cx database_size_name[&str];
    "pg_size_pretty" => size_pretty[i64];
    "pg_size_pretty_numeric" => size_pretty_numeric[&Numeric];
    "pg_size_bytes" => size_bytes[&str];
    "pg_relation_filenode" => cx filenode[Oid];
    "pg_relation_filepath" => cx filepath[Oid];
    "pg_filenode_relation" => cx filenode_relation[Oid, Oid];
}
