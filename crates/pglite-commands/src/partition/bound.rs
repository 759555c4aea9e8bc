//! FOR VALUES: checking a new partition's bound, and its stored text.

use std::cmp::Ordering;
use std::sync::Arc;

use pglite_analyze::partition::{self as parts, Bound, KeyColumn, RangeDatum};
use pglite_analyze::{CoercionContext, ExprKind, Scope as ExprScope, analyze_expr, coerce_to_target_type};
use pglite_catalog::names::quote_literal;
use pglite_catalog::{RelDesc, format_type};
use pglite_error::{PgError, PgResult, bail, err};
use pglite_ir::Expr;
use pglite_parser::ast::{self, PartitionBoundSpec};
use pglite_types::{Datum, Oid, oid, text as types_text};

use crate::alter::desc;
use crate::host::CommandHost;

/// Compares values of the key's columns.
fn compare(host: &dyn CommandHost, key: &[KeyColumn], i: usize, a: &Datum, b: &Datum) -> PgResult<Ordering> {
    let s = host.snapshot();
    let env = host.env();
    parts::compare_values(&s, &key[i], a, b, &|f, c, args| env.as_fn_host().call(f, c, args))
}

/// Analyzes a bound and checks it against the other partitions.
pub(super) fn transform(
    host: &dyn CommandHost,
    parent: Oid,
    child: Oid,
    spec: &PartitionBoundSpec,
) -> PgResult<Bound> {
    let s = host.snapshot();
    let rel = desc(&s, parent)?;
    let key = {
        let env = host.env();
        parts::partition_key(env.as_analyze_env(), &rel)?
    };
    let strategy = rel.partition_key.as_ref().map_or(b'r', |k| k.strategy);
    if spec.is_default {
        if strategy == b'h' {
            bail!(INVALID_TABLE_DEFINITION, "a hash-partitioned table may not have a default partition");
        }
        let old = rel.partition_key.as_ref().map(|k| k.default).unwrap_or_default();
        if let Some(c) = s.class_by_oid(old) {
            let name = s.class_by_oid(child).map(|c| c.relname.to_string()).unwrap_or_default();
            return Err(err!(
                INVALID_OBJECT_DEFINITION,
                "partition \"{name}\" conflicts with existing default partition \"{}\"",
                c.relname
            )
            .at(spec.location));
        }
        return Ok(Bound::Default);
    }
    let bound = match strategy {
        b'h' => {
            let wrong = "invalid bound specification for a hash partition";
            if spec.strategy != Some('h') {
                return Err(err!(INVALID_TABLE_DEFINITION, "{wrong}").at(spec.location));
            }
            if spec.modulus <= 0 {
                bail!(
                    INVALID_TABLE_DEFINITION,
                    "modulus for hash partition must be an integer value greater than zero"
                );
            }
            if spec.remainder < 0 {
                bail!(
                    INVALID_TABLE_DEFINITION,
                    "remainder for hash partition must be an integer value greater than or equal to zero"
                );
            }
            if spec.remainder >= spec.modulus {
                bail!(INVALID_TABLE_DEFINITION, "remainder for hash partition must be less than modulus");
            }
            Bound::Hash { modulus: spec.modulus, remainder: spec.remainder }
        }
        b'l' => {
            if spec.strategy != Some('l') {
                return Err(err!(
                    INVALID_TABLE_DEFINITION,
                    "invalid bound specification for a list partition"
                )
                .at(spec.location));
            }
            let mut values: Vec<Datum> = Vec::new();
            for raw in &spec.listdatums {
                let v = value(host, &rel, &key[0], 0, raw)?;
                let mut known = false;
                for old in &values {
                    known |= match (old.is_null(), v.is_null()) {
                        (true, true) => true,
                        (false, false) => compare(host, &key, 0, old, &v)? == Ordering::Equal,
                        _ => false,
                    };
                }
                if !known {
                    values.push(v);
                }
            }
            Bound::List(values)
        }
        _ => range(host, &rel, &key, spec)?,
    };
    check(host, &rel, &key, child, spec, &bound)?;
    Ok(bound)
}

fn range(
    host: &dyn CommandHost,
    rel: &Arc<RelDesc>,
    key: &[KeyColumn],
    spec: &PartitionBoundSpec,
) -> PgResult<Bound> {
    if spec.strategy != Some('r') {
        return Err(err!(INVALID_TABLE_DEFINITION, "invalid bound specification for a range partition")
            .at(spec.location));
    }
    if spec.lowerdatums.len() != key.len() {
        bail!(INVALID_TABLE_DEFINITION, "FROM must specify exactly one value per partitioning column");
    }
    if spec.upperdatums.len() != key.len() {
        bail!(INVALID_TABLE_DEFINITION, "TO must specify exactly one value per partitioning column");
    }
    let side = |list: &[ast::Expr]| -> PgResult<Vec<RangeDatum>> {
        let mut out = Vec::new();
        for (i, raw) in list.iter().enumerate() {
            out.push(match parts::infinity(raw) {
                Some(end) => end,
                None => {
                    let v = value(host, rel, &key[i], i, raw)?;
                    if v.is_null() {
                        bail!(INVALID_TABLE_DEFINITION, "cannot specify NULL in range bound");
                    }
                    RangeDatum::Value(v)
                }
            });
        }
        for i in 1..out.len() {
            let (word, ok) = match &out[i - 1] {
                RangeDatum::Min => ("MINVALUE", matches!(out[i], RangeDatum::Min)),
                RangeDatum::Max => ("MAXVALUE", matches!(out[i], RangeDatum::Max)),
                RangeDatum::Value(_) => continue,
            };
            if !ok {
                return Err(err!(DATATYPE_MISMATCH, "every bound following {word} must also be {word}")
                    .at(location(&list[i])));
            }
        }
        Ok(out)
    };
    Ok(Bound::Range { lower: side(&spec.lowerdatums)?, upper: side(&spec.upperdatums)? })
}

fn location(e: &ast::Expr) -> i32 {
    match e {
        ast::Expr::AConst(c) => c.location,
        ast::Expr::ColumnRef(c) => c.location,
        ast::Expr::TypeCast(t) => location(&t.arg).min(t.location).max(0),
        ast::Expr::AExpr(a) => a.location,
        ast::Expr::FuncCall(f) => f.location,
        _ => -1,
    }
}

/// One bound value: analyzed, coerced to the key column's type, computed.
fn value(
    host: &dyn CommandHost,
    rel: &RelDesc,
    key: &KeyColumn,
    i: usize,
    raw: &ast::Expr,
) -> PgResult<Datum> {
    let s = host.snapshot();
    let env = host.env();
    let a = env.as_analyze_env();
    let at = location(raw);
    let e = analyze_expr(a, raw, &ExprScope::None, ExprKind::PartitionBound, None)?;
    let base = s.base_type(key.ty);
    let given = e.ty();
    let explicit_collation = match &e {
        Expr::Collate { collation, .. } => Some(*collation),
        _ => None,
    };
    let name = || {
        let key = rel.partition_key.as_ref();
        let attnum = key.and_then(|k| k.attnums.get(i).copied()).unwrap_or(0);
        match rel.attr(attnum).filter(|_| attnum != 0) {
            Some(c) => c.name.to_string(),
            None => key
                .map(|k| {
                    let at = k.attnums[..i].iter().filter(|a| **a == 0).count();
                    k.exprs.get(at).map(|t| t.to_string()).unwrap_or_default()
                })
                .unwrap_or_default(),
        }
    };
    if let Some(c) = explicit_collation
        && key.collation.is_valid()
        && c != key.collation
    {
        let show = |c: Oid| s.collation_by_oid(c).map(|r| r.collname.to_string()).unwrap_or_default();
        return Err(err!(
            DATATYPE_MISMATCH,
            "collation of partition bound value for column \"{}\" does not match partition key collation \"{}\"",
            name(),
            show(key.collation)
        )
        .at(at));
    }
    let Some(e) = coerce_to_target_type(a, e, base, key.typmod, CoercionContext::Assignment)? else {
        let shown = format_type::format_type_be(&s, env.search_path(), key.ty);
        let _ = given;
        return Err(err!(
            DATATYPE_MISMATCH,
            "specified value cannot be cast to type {shown} for column \"{}\"",
            name()
        )
        .at(at));
    };
    env.as_planner_env().eval_const(&e).map_err(|e| e.at_if_unset(at))
}

fn bound_values(host: &dyn CommandHost, key: &[KeyColumn], list: &[RangeDatum]) -> PgResult<String> {
    Ok(format!("({})", range_texts(host, key, list)?.join(", ")))
}

fn check(
    host: &dyn CommandHost,
    rel: &Arc<RelDesc>,
    key: &[KeyColumn],
    child: Oid,
    spec: &PartitionBoundSpec,
    bound: &Bound,
) -> PgResult<()> {
    let s = host.snapshot();
    let name_of = |o: Oid| s.class_by_oid(o).map(|c| c.relname.to_string()).unwrap_or_default();
    let me = name_of(child);
    let mut others = {
        let env = host.env();
        parts::partition_bounds(env.as_analyze_env(), rel, key)?
    };
    others.retain(|(o, _)| *o != child);
    let overlap = |with: Oid, at: i32| -> PgError {
        err!(INVALID_OBJECT_DEFINITION, "partition \"{me}\" would overlap partition \"{}\"", name_of(with))
            .at(at)
    };
    match bound {
        Bound::Hash { modulus, remainder } => {
            let mut list: Vec<(i32, i32, Oid)> = others
                .iter()
                .filter_map(|(o, b)| match b {
                    Bound::Hash { modulus, remainder } => Some((*modulus, *remainder, *o)),
                    _ => None,
                })
                .collect();
            list.sort();
            // PG: the neighbours in order of (modulus, remainder) decide.
            let next = list.iter().find(|x| (x.0, x.1) > (*modulus, *remainder));
            let prev = list.iter().rev().find(|x| (x.0, x.1) <= (*modulus, *remainder));
            let bad = "every hash partition modulus must be a factor of the next larger modulus";
            match (prev, next) {
                (None, Some(n)) if n.0 % modulus != 0 => {
                    return Err(err!(INVALID_TABLE_DEFINITION, "{bad}").detail(format!(
                        "The new modulus {modulus} is not a factor of {}, the modulus of existing partition \"{}\".",
                        n.0,
                        name_of(n.2)
                    )));
                }
                (Some(p), _) if modulus % p.0 != 0 => {
                    return Err(err!(INVALID_TABLE_DEFINITION, "{bad}").detail(format!(
                        "The new modulus {modulus} is not divisible by {}, the modulus of existing partition \"{}\".",
                        p.0,
                        name_of(p.2)
                    )));
                }
                (Some(_), Some(n)) if n.0 % modulus != 0 => {
                    return Err(err!(INVALID_TABLE_DEFINITION, "{bad}").detail(format!(
                        "The new modulus {modulus} is not a factor of {}, the modulus of existing partition \"{}\".",
                        n.0,
                        name_of(n.2)
                    )));
                }
                _ => {}
            }
            for (m, r, o) in &list {
                let small = *m.min(modulus);
                if remainder % small == r % small {
                    return Err(overlap(*o, spec.location));
                }
            }
        }
        Bound::List(values) => {
            for (v, raw) in values.iter().zip(distinct_locations(&spec.listdatums, values.len())) {
                for (o, b) in &others {
                    let Bound::List(theirs) = b else { continue };
                    for t in theirs {
                        let same = match (v.is_null(), t.is_null()) {
                            (true, true) => true,
                            (false, false) => compare(host, key, 0, v, t)? == Ordering::Equal,
                            _ => false,
                        };
                        if same {
                            return Err(overlap(*o, raw));
                        }
                    }
                }
            }
        }
        Bound::Range { lower, upper } => {
            let cmp = |i: usize, a: &Datum, b: &Datum| compare(host, key, i, a, b);
            let order = parts::compare_range_bounds((lower, true), (upper, false), &cmp)?;
            if order != Ordering::Less {
                return Err(err!(
                    INVALID_OBJECT_DEFINITION,
                    "empty range bound specified for partition \"{me}\""
                )
                .detail(format!(
                    "Specified lower bound {} is greater than or equal to upper bound {}.",
                    bound_values(host, key, lower)?,
                    bound_values(host, key, upper)?
                ))
                .at(spec.lowerdatums.first().map_or(spec.location, location)));
            }
            let mut sorted: Vec<(&Vec<RangeDatum>, &Vec<RangeDatum>, Oid)> = Vec::new();
            for (o, b) in &others {
                let Bound::Range { lower: l, upper: u } = b else { continue };
                let mut at = sorted.len();
                for (n, x) in sorted.iter().enumerate() {
                    if parts::compare_range_bounds((l, true), (x.0, true), &cmp)? == Ordering::Less {
                        at = n;
                        break;
                    }
                }
                sorted.insert(at, (l, u, *o));
            }
            for (l, u, o) in sorted {
                let starts_before = parts::compare_range_bounds((l, true), (upper, false), &cmp)?;
                let ends_after = parts::compare_range_bounds((lower, true), (u, false), &cmp)?;
                if starts_before == Ordering::Less && ends_after == Ordering::Less {
                    // Inside the other partition: our lower end is at fault; else our upper end reaches into it.
                    let inside = parts::compare_range_bounds((l, true), (lower, true), &cmp)?;
                    let raws =
                        if inside == Ordering::Greater { &spec.upperdatums } else { &spec.lowerdatums };
                    return Err(overlap(o, raws.first().map_or(spec.location, location)));
                }
            }
        }
        Bound::Default => {}
    }
    Ok(())
}

fn distinct_locations(raws: &[ast::Expr], n: usize) -> impl Iterator<Item = i32> + '_ {
    raws.iter().map(location).chain(std::iter::repeat(-1)).take(n.max(raws.len()))
}

/// A literal as PostgreSQL prints it in a bound: no cast, numbers bare.
fn literal(host: &dyn CommandHost, ty: Oid, v: &Datum) -> PgResult<String> {
    if v.is_null() {
        return Ok("NULL".into());
    }
    let mut text = String::new();
    types_text::text_out(host.env().as_fn_host(), ty, v, &mut text)?;
    Ok(match ty {
        oid::BOOL => if matches!(v, Datum::Bool(true)) { "true" } else { "false" }.into(),
        oid::INT4 if !text.starts_with('-') => text,
        oid::NUMERIC if text.starts_with(|c: char| c.is_ascii_digit()) && text.contains(['.', 'e', 'E']) => {
            text
        }
        _ => quote_literal(&text),
    })
}

fn range_texts(host: &dyn CommandHost, key: &[KeyColumn], list: &[RangeDatum]) -> PgResult<Vec<String>> {
    list.iter()
        .zip(key)
        .map(|(d, k)| match d {
            RangeDatum::Min => Ok("MINVALUE".into()),
            RangeDatum::Max => Ok("MAXVALUE".into()),
            RangeDatum::Value(v) => literal(host, k.ty, v),
        })
        .collect()
}

/// The bound as stored and shown.
pub(super) fn text(host: &dyn CommandHost, parent: Oid, bound: &Bound) -> PgResult<String> {
    let rel = desc(&host.snapshot(), parent)?;
    let key = {
        let env = host.env();
        parts::partition_key(env.as_analyze_env(), &rel)?
    };
    Ok(match bound {
        Bound::Default => "DEFAULT".into(),
        Bound::Hash { modulus, remainder } => {
            format!("FOR VALUES WITH (modulus {modulus}, remainder {remainder})")
        }
        Bound::List(values) => {
            let list: Vec<String> =
                values.iter().map(|v| literal(host, key[0].ty, v)).collect::<PgResult<_>>()?;
            format!("FOR VALUES IN ({})", list.join(", "))
        }
        Bound::Range { lower, upper } => format!(
            "FOR VALUES FROM ({}) TO ({})",
            range_texts(host, &key, lower)?.join(", "),
            range_texts(host, &key, upper)?.join(", ")
        ),
    })
}
