//! Functions about partitioned tables: the hash test behind hash partitions, and partition constraints as text.

use pglite_catalog::{format_type, well_known};
use pglite_error::{PgResult, bail};
use pglite_ir::{Body, FnCtx};
use pglite_types::{Datum, Oid};

use crate::info::{ask, catalog, path};

/// PG: fixed seed of hash partitioning.
const SEED: i64 = 0x7A5B_2236_7996_DCFD;

/// PostgreSQL's `hash_combine64`.
fn combine(a: u64, b: u64) -> u64 {
    a ^ (b.wrapping_add(0x49a0_f4dd_15e5_a8e3).wrapping_add(a << 54).wrapping_add(a >> 7))
}

fn type_text(cx: &FnCtx<'_>, ty: Oid) -> PgResult<String> {
    Ok(format_type::format_type_be(catalog(cx), &path(cx)?, ty))
}

/// `satisfies_hash_partition(parent, modulus, remainder, key ...)`.
fn satisfies_hash(cx: &FnCtx<'_>, args: &[Datum]) -> PgResult<Datum> {
    let [parent, Datum::Int4(modulus), Datum::Int4(remainder), rest @ ..] = args else {
        return Ok(Datum::Bool(false));
    };
    let Some(parent) = parent.as_oid() else { return Ok(Datum::Bool(false)) };
    let s = catalog(cx);
    let Some(rel) = s.rel(parent) else {
        bail!(INTERNAL_ERROR, "could not open relation with OID {parent}");
    };
    let Some(key) = rel.partition_key.as_ref().filter(|k| k.strategy == b'h') else {
        bail!(INVALID_PARAMETER_VALUE, "\"{}\" is not a hash partitioned table", rel.name);
    };
    if *modulus <= 0 {
        bail!(
            INVALID_PARAMETER_VALUE,
            "modulus for hash partition must be an integer value greater than zero"
        );
    }
    if *remainder < 0 {
        bail!(
            INVALID_PARAMETER_VALUE,
            "remainder for hash partition must be an integer value greater than or equal to zero"
        );
    }
    if remainder >= modulus {
        bail!(INVALID_PARAMETER_VALUE, "remainder for hash partition must be less than modulus");
    }
    let spread;
    let (values, types): (&[Datum], Vec<Oid>) = if cx.call.variadic {
        let Some(Datum::Array(a)) = rest.first() else { return Ok(Datum::Bool(false)) };
        spread = a.values.to_vec();
        let elem = cx.call.arg_types.last().and_then(|t| s.element_type(*t)).unwrap_or_default();
        (&spread, vec![elem; spread.len()])
    } else {
        (rest, cx.call.arg_types.get(3..).unwrap_or_default().to_vec())
    };
    if values.len() != key.attnums.len() {
        bail!(
            INVALID_PARAMETER_VALUE,
            "number of partitioning columns ({}) does not match number of partition keys provided ({})",
            key.attnums.len(),
            values.len()
        );
    }
    let mut hash = 0u64;
    for (i, value) in values.iter().enumerate() {
        let given = types.get(i).copied().unwrap_or_default();
        if let Some(c) = rel.attr(key.attnums[i])
            && c.type_oid != given
            && !s.is_binary_coercible(given, c.type_oid)
        {
            let (want, have) = (type_text(cx, c.type_oid)?, type_text(cx, given)?);
            if cx.call.variadic {
                bail!(
                    INVALID_PARAMETER_VALUE,
                    "column {} of the partition key has type \"{want}\", but supplied value is of type \"{have}\"",
                    i + 1
                );
            }
            bail!(
                INVALID_PARAMETER_VALUE,
                "column {} of the partition key has type {want}, but supplied value is of type {have}",
                i + 1
            );
        }
        if value.is_null() {
            continue;
        }
        let class = key.opclasses.get(i).and_then(|c| s.opclass_by_oid(*c));
        let proc_ = class.and_then(|c| s.amproc(c.opcfamily, c.opcintype, c.opcintype, 2));
        let Some(proc_) = proc_ else {
            bail!(UNDEFINED_FUNCTION, "missing support function 2 of a hash partition key");
        };
        let collation = key.collations.get(i).copied().unwrap_or(well_known::COLL_DEFAULT);
        if let Datum::Int8(h) = cx.host.call(proc_.amproc, collation, &[value.clone(), Datum::Int8(SEED)])? {
            hash = combine(hash, h as u64);
        }
    }
    Ok(Datum::Bool(hash % *modulus as u64 == *remainder as u64))
}

fn constraint_text(cx: &FnCtx<'_>, args: &[Datum]) -> PgResult<Datum> {
    ask(cx, "partition_constraint", &args[..1])
}

pub static TABLE: &[(&str, Body)] = &[
    ("satisfies_hash_partition", Body::Scalar(satisfies_hash)),
    ("pg_get_partition_constraintdef", Body::Scalar(constraint_text)),
];
