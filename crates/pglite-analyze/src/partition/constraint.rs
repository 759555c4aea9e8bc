//! The constraint that a bound puts on rows, in the form that PostgreSQL gives it.

use std::sync::Arc;

use pglite_catalog::{Key, OperatorRow, ProcRow, RelDesc};

use super::{Bound, KeyColumn, RangeDatum, partition_bounds, partition_key, stored_bound};
use crate::AnalyzeEnv;
use crate::prelude::*;

const EQUAL: i16 = 3;
/// `satisfies_hash_partition`.
const SATISFIES_HASH: Oid = Oid(5028);

fn any_of(mut args: Vec<Expr>) -> Expr {
    if args.len() == 1 {
        return args.swap_remove(0);
    }
    Expr::Bool { op: BoolOp::Or, args, location: -1 }
}

fn null_test(e: &Expr, is_null: bool) -> Expr {
    Expr::NullTest { arg: Box::new(e.clone()), is_null, arg_is_row: false, location: -1 }
}

fn constant(k: &KeyColumn, value: &Datum) -> Expr {
    Expr::Const(Const {
        ty: k.ty,
        typmod: k.typmod,
        collation: k.type_collation,
        value: value.clone(),
        location: -1,
    })
}

fn operator<'e>(env: &'e dyn AnalyzeEnv, k: &KeyColumn, strategy: i16) -> PgResult<&'e OperatorRow> {
    let s = env.catalog();
    let hashed = s.opfamily_by_oid(k.family).is_some_and(|f| f.opfmethod == crate::cat::HASH_AM);
    let strategy = if hashed { 1 } else { strategy };
    s.amop(k.family, k.input_type, k.input_type, strategy)
        .and_then(|a| s.operator_by_oid(a.amopopr))
        .ok_or_else(|| {
            PgError::internal(format!(
                "missing operator {strategy}({},{}) in partition opfamily {}",
                k.input_type, k.input_type, k.family
            ))
        })
}

fn is_polymorphic(t: Oid) -> bool {
    pglite_catalog::SearchPath::is_polymorphic(t)
}

/// The key column as the operator takes it.
fn left_side(k: &KeyColumn) -> Expr {
    let other_type = k.ty != k.input_type && k.input_type != oid::RECORD && !is_polymorphic(k.input_type);
    if other_type || k.collation != k.type_collation {
        return Expr::Relabel {
            arg: Box::new(k.expr.clone()),
            ty: if other_type { k.input_type } else { k.ty },
            typmod: -1,
            collation: k.collation,
            form: CoercionForm::ExplicitCast,
            location: -1,
        };
    }
    k.expr.clone()
}

fn compare(env: &dyn AnalyzeEnv, k: &KeyColumn, strategy: i16, value: Expr) -> PgResult<Expr> {
    let op = operator(env, k, strategy)?;
    Ok(Expr::Op(Box::new(OpExpr {
        op: op.oid,
        func: op.oprcode,
        ty: oid::BOOL,
        retset: false,
        collation: Oid::INVALID,
        input_collation: k.collation,
        args: vec![left_side(k), value],
        location: -1,
    })))
}

/// `key = ANY (values)`, or plain equalities where that is simpler.
fn member(env: &dyn AnalyzeEnv, k: &KeyColumn, values: Vec<Expr>) -> PgResult<Expr> {
    let s = env.catalog();
    if values.len() > 1 && s.element_type(k.ty).is_none() {
        let op = operator(env, k, EQUAL)?;
        let array = Expr::Array {
            elements: values,
            ty: s.array_type(k.ty).unwrap_or_default(),
            elem_type: k.ty,
            collation: k.type_collation,
            multidims: false,
            location: -1,
        };
        return Ok(Expr::ScalarArrayOp(Box::new(ScalarArrayOpExpr {
            op: op.oid,
            func: op.oprcode,
            use_or: true,
            input_collation: k.collation,
            args: [left_side(k), array],
            location: -1,
        })));
    }
    let each = values.into_iter().map(|v| compare(env, k, EQUAL, v)).collect::<PgResult<Vec<_>>>()?;
    Ok(any_of(each))
}

fn list(env: &dyn AnalyzeEnv, k: &KeyColumn, values: &[Datum], negate: bool) -> PgResult<Vec<Expr>> {
    if negate && values.is_empty() {
        return Ok(Vec::new());
    }
    let has_null = values.iter().any(Datum::is_null);
    let elems: Vec<Expr> = values.iter().filter(|v| !v.is_null()).map(|v| constant(k, v)).collect();
    let op = if elems.is_empty() { None } else { Some(member(env, k, elems)?) };
    let null = null_test(&k.expr, has_null);
    let result = match (op, has_null) {
        (Some(op), false) => vec![null, op],
        (Some(op), true) => vec![any_of(vec![null, op])],
        (None, _) => vec![null],
    };
    if negate {
        let all = Expr::and(result);
        return Ok(vec![Expr::Bool { op: BoolOp::Not, args: vec![all], location: -1 }]);
    }
    Ok(result)
}

fn nulls(key: &[KeyColumn]) -> Vec<Expr> {
    key.iter().map(|k| null_test(&k.expr, false)).collect()
}

fn value_of(d: Option<&RangeDatum>) -> Option<&Datum> {
    match d {
        Some(RangeDatum::Value(v)) => Some(v),
        _ => None,
    }
}

/// PG: the arms of `(a > x) OR (a = x AND b >= y)` for each side; columns where both ends agree are equalities.
fn range(
    env: &dyn AnalyzeEnv,
    key: &[KeyColumn],
    lower: &[RangeDatum],
    upper: &[RangeDatum],
    for_default: bool,
) -> PgResult<Vec<Expr>> {
    let mut result = if for_default { Vec::new() } else { nulls(key) };
    let mut start = 0;
    while start < key.len() {
        let (Some(l), Some(u)) = (value_of(lower.get(start)), value_of(upper.get(start))) else { break };
        if pglite_types::compare::cmp(l, u) != std::cmp::Ordering::Equal {
            break;
        }
        result.push(compare(env, &key[start], EQUAL, constant(&key[start], l))?);
        start += 1;
    }
    let (mut need_lower, mut need_upper) = (true, true);
    let (mut lower_arms, mut upper_arms) = (Vec::new(), Vec::new());
    for arm in 0..key.len() - start {
        let (mut low, mut high) = (Vec::new(), Vec::new());
        for j in start..=start + arm {
            let k = &key[j];
            let (l, u) = (value_of(lower.get(j)), value_of(upper.get(j)));
            let last_of_arm = j - start == arm;
            if let (true, Some(l)) = (need_lower, l) {
                let strategy = match lower.get(j + 1) {
                    _ if !last_of_arm => EQUAL,
                    None | Some(RangeDatum::Min) => 4,
                    Some(_) => 5,
                };
                low.push(compare(env, k, strategy, constant(k, l))?);
            }
            if let (true, Some(u)) = (need_upper, u) {
                let strategy = match upper.get(j + 1) {
                    _ if !last_of_arm => EQUAL,
                    Some(RangeDatum::Max) => 2,
                    _ => 1,
                };
                high.push(compare(env, k, strategy, constant(k, u))?);
            }
            if last_of_arm {
                need_lower &= l.is_some() && value_of(lower.get(j + 1)).is_some();
                need_upper &= u.is_some() && value_of(upper.get(j + 1)).is_some();
            }
        }
        if !low.is_empty() {
            lower_arms.push(Expr::and(low));
        }
        if !high.is_empty() {
            upper_arms.push(Expr::and(high));
        }
        if !need_lower && !need_upper {
            break;
        }
    }
    for arms in [lower_arms, upper_arms] {
        if !arms.is_empty() {
            result.push(any_of(arms));
        }
    }
    if result.is_empty() {
        result = if for_default { nulls(key) } else { vec![Expr::bool(true)] };
    }
    Ok(result)
}

/// What all rows of a partition with this bound meet, ANDed, over the parent's columns. `ignore`: a partition whose
/// bound the default's constraint leaves out (it is being detached or redefined).
pub fn bound_constraint(
    env: &dyn AnalyzeEnv,
    parent: &Arc<RelDesc>,
    key: &[KeyColumn],
    bound: &Bound,
    ignore: Oid,
) -> PgResult<Vec<Expr>> {
    match bound {
        Bound::Hash { modulus, remainder } => hash(env, parent, key, *modulus, *remainder),
        Bound::List(values) => list(env, &key[0], values, false),
        Bound::Range { lower, upper } => range(env, key, lower, upper, false),
        Bound::Default => {
            let others = partition_bounds(env, parent, key)?;
            let mut values = Vec::new();
            let mut arms = Vec::new();
            for (oid, other) in &others {
                match other {
                    _ if *oid == ignore => {}
                    Bound::List(v) => values.extend(v.iter().cloned()),
                    Bound::Range { lower, upper } => {
                        arms.push(Expr::and(range(env, key, lower, upper, true)?));
                    }
                    _ => {}
                }
            }
            default_of(env, parent, key, values, arms)
        }
    }
}

/// The default partition of `parent` once a partition with `bound` joins the others.
pub fn default_of(
    env: &dyn AnalyzeEnv,
    parent: &RelDesc,
    key: &[KeyColumn],
    mut values: Vec<Datum>,
    arms: Vec<Expr>,
) -> PgResult<Vec<Expr>> {
    if parent.partition_key.as_ref().is_some_and(|k| k.strategy == b'l') {
        values.sort_by(|a, b| a.is_null().cmp(&b.is_null()).then_with(|| pglite_types::compare::cmp(a, b)));
        return list(env, &key[0], &values, true);
    }
    if arms.is_empty() {
        return Ok(Vec::new());
    }
    let mut all = nulls(key);
    all.push(any_of(arms));
    Ok(vec![Expr::Bool { op: BoolOp::Not, args: vec![Expr::and(all)], location: -1 }])
}

fn hash(
    env: &dyn AnalyzeEnv,
    parent: &RelDesc,
    key: &[KeyColumn],
    modulus: i32,
    remainder: i32,
) -> PgResult<Vec<Expr>> {
    env.catalog()
        .table::<ProcRow>()
        .get(&Key::from(SATISFIES_HASH))
        .ok_or_else(|| PgError::internal("no satisfies_hash_partition"))?;
    let mut args = vec![
        Expr::constant(oid::OID, Datum::Oid(parent.oid)),
        Expr::constant(oid::INT4, Datum::Int4(modulus)),
        Expr::constant(oid::INT4, Datum::Int4(remainder)),
    ];
    args.extend(key.iter().map(|k| k.expr.clone()));
    Ok(vec![Expr::Func(Box::new(FuncExpr {
        func: SATISFIES_HASH,
        ty: oid::BOOL,
        retset: false,
        variadic: false,
        form: CoercionForm::ExplicitCall,
        collation: Oid::INVALID,
        input_collation: Oid::INVALID,
        args,
        location: -1,
    }))])
}

/// Replaces columns of `from` by those of the same name in `to`.
pub fn map_columns(e: &mut Expr, from: &RelDesc, to: &RelDesc) {
    let _ = pglite_ir::tree::mutate_expr::<()>(e, 0, &mut |e, depth| {
        let Expr::Var(v) = e else { return Ok(()) };
        if v.rte != 1 || v.levels_up != depth {
            return Ok(());
        }
        if v.attno == 0 {
            let parent_type = v.ty;
            v.ty = to.row_type;
            if v.ty != parent_type {
                let arg = Box::new(Expr::Var(v.clone()));
                *e = Expr::ConvertRowtype {
                    arg,
                    ty: parent_type,
                    form: CoercionForm::ImplicitCast,
                    location: -1,
                };
            }
        } else if let Some(c) = from.attr(v.attno).and_then(|c| to.column(&c.name)) {
            v.attno = c.attnum;
            v.syn_attno = c.attnum;
        }
        Ok(())
    });
}

/// The whole constraint of a partition, its ancestors' included, over its own columns. Empty: no condition.
pub fn partition_constraint(env: &dyn AnalyzeEnv, rel: &Arc<RelDesc>) -> PgResult<Vec<Expr>> {
    let mut out = Vec::new();
    let mut at = rel.clone();
    while at.is_partition {
        let Some(text) = at.partition_bound.clone() else { break };
        let Some(parent) = at.parents.first().and_then(|p| env.catalog().rel(*p)) else { break };
        let key = partition_key(env, &parent)?;
        let bound = stored_bound(env, &key, &text)?;
        let mut own = bound_constraint(env, &parent, &key, &bound, Oid::INVALID)?;
        own.iter_mut().for_each(|e| map_columns(e, &parent, rel));
        // PG: the outermost ancestor's conditions come first.
        own.append(&mut out);
        out = own;
        at = parent;
    }
    Ok(out)
}
