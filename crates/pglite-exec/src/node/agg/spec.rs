//! One aggregate call, compiled: its inputs, and which implementation runs it.
//!
//! Built-in counts, integer sums and averages and all min/max run here without calls; other aggregates come from the
//! registry (`agg:<aggtransfn's prosrc>/<aggfinalfn's prosrc or ->`); the rest runs through its transition functions.

use pglite_error::{PgError, PgResult};
use pglite_ir::abi::{AggregateFn, Body, CallInfo};
use pglite_ir::expr::{AggKind, Aggref, Expr, WindowFunc};
use pglite_ir::query::SortGroupClause;
use pglite_types::{Datum, Oid, oid};

use crate::compare::{CmpFn, SortCol};
use crate::expr::{Code, Compiler, FnRef, VarMap};
use crate::facts::{self, AggFacts, Lang};

/// How an aggregate is computed.
pub enum Imp {
    CountStar,
    Count,
    /// int2/int4 -> int8.
    SumInt,
    /// int8 -> numeric.
    SumBig,
    /// int2/int4/int8 -> numeric.
    AvgInt,
    MinMax {
        cmp: CmpFn,
        greatest: bool,
    },
    Native {
        f: AggregateFn,
        info: CallInfo,
    },
    Trans(Box<TransSpec>),
    /// Ordered-set aggregates computed from the sorted rows.
    Ordered(OrderedKind),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderedKind {
    PercentileDisc,
    PercentileDiscMulti,
    PercentileCont,
    PercentileContMulti,
    Mode,
    Rank,
    DenseRank,
    PercentRank,
    CumeDist,
}

/// Transition functions of a user-defined (or not natively implemented) aggregate.
pub struct TransSpec {
    pub trans: FnRef,
    pub final_fn: Option<FnRef>,
    pub final_args: usize,
    pub inverse: Option<FnRef>,
    pub init: Option<String>,
    pub trans_type: Oid,
    /// The first input is the initial state (strict transition without initial value).
    pub first_is_state: bool,
}

pub struct AggSpec {
    pub imp: Imp,
    /// Aggregated arguments, then ORDER BY columns that are no arguments.
    pub args: Box<[Code]>,
    /// How many of `args` the transition takes.
    pub inputs: usize,
    pub direct: Box<[Code]>,
    pub filter: Option<Code>,
    /// Sort order of the inputs; not empty for ordered or distinct aggregates.
    pub order: Box<[SortCol]>,
    /// How many leading `order` columns decide equality; 0 = not DISTINCT.
    pub distinct: usize,
    pub ret_type: Oid,
    pub collation: Oid,
    pub arg_types: Vec<Oid>,
}

impl AggSpec {
    /// Inputs are collected and sorted before they are aggregated.
    pub fn sorts(&self) -> bool {
        !self.order.is_empty()
    }

    pub fn compile(env: &crate::ExecEnv<'_>, a: &Aggref, map: &mut dyn VarMap) -> PgResult<(AggSpec, bool)> {
        let mut c = Compiler::new(env, map);
        let mut args = Vec::new();
        for t in &a.args {
            args.push(c.compile(&t.expr)?);
        }
        let inputs = a.args.iter().filter(|t| !t.junk).count();
        let direct = c.list(&a.direct_args)?;
        let filter = a.filter.as_ref().map(|f| c.compile(f)).transpose()?;
        let volatile = c.volatile;
        let snapshot = env.host.catalog();
        let keys = if a.distinct.is_empty() { &a.order } else { &a.distinct };
        let mut order = Vec::new();
        for key in keys {
            order.push(sort_col(snapshot, key, &a.args)?);
        }
        let imp = choose(env, a.func, a.ty, &a.arg_types, a.input_collation, a.variadic, a.kind, inputs)?;
        let spec = AggSpec {
            imp,
            args: args.into(),
            inputs,
            direct,
            filter,
            distinct: if a.distinct.is_empty() { 0 } else { order.len() },
            order: order.into(),
            ret_type: a.ty,
            collation: a.input_collation,
            arg_types: a.arg_types.clone(),
        };
        Ok((spec, volatile))
    }

    /// An aggregate used as a window function.
    pub fn compile_window(
        env: &crate::ExecEnv<'_>,
        w: &WindowFunc,
        map: &mut dyn VarMap,
    ) -> PgResult<AggSpec> {
        let mut c = Compiler::new(env, map);
        let args = c.list(&w.args)?;
        let filter = w.filter.as_ref().map(|f| c.compile(f)).transpose()?;
        let types: Vec<Oid> = w.args.iter().map(Expr::ty).collect();
        let inputs = args.len();
        let imp = choose(env, w.func, w.ty, &types, w.input_collation, false, AggKind::Normal, inputs)?;
        Ok(AggSpec {
            imp,
            args,
            inputs,
            direct: Box::default(),
            filter,
            order: Box::default(),
            distinct: 0,
            ret_type: w.ty,
            collation: w.input_collation,
            arg_types: types,
        })
    }
}

fn sort_col(
    snapshot: &pglite_catalog::Snapshot,
    key: &SortGroupClause,
    args: &[pglite_ir::TargetEntry],
) -> PgResult<SortCol> {
    let Some(at) = args.iter().position(|t| t.sort_group_ref == key.target_ref) else {
        return Err(PgError::internal("aggregate's ORDER BY refers to no argument"));
    };
    let (ty, collation) = (args[at].expr.ty(), args[at].expr.collation());
    let cmp = if key.sort_op.is_valid() {
        facts::order_facts(snapshot, key.sort_op)?.cmp
    } else {
        facts::default_cmp(snapshot, ty)?
    };
    Ok(SortCol {
        col: at,
        cmp: crate::expr::cmp_fn(snapshot, cmp, collation, vec![ty, ty])?,
        desc: key.reverse,
        nulls_first: key.nulls_first,
    })
}

#[allow(clippy::too_many_arguments)]
fn choose(
    env: &crate::ExecEnv<'_>,
    func: Oid,
    ty: Oid,
    arg_types: &[Oid],
    collation: Oid,
    variadic: bool,
    kind: AggKind,
    inputs: usize,
) -> PgResult<Imp> {
    let snapshot = env.host.catalog();
    let agg = facts::agg_facts(snapshot, func)?;
    let trans = facts::proc_facts(snapshot, agg.trans)?;
    let final_fn = match agg.final_fn.valid() {
        Some(f) => Some(facts::proc_facts(snapshot, f)?),
        None => None,
    };
    let final_src = final_fn.as_ref().map_or("-", |f| &f.prosrc);
    let built_in = trans.lang == Lang::Internal && func < Oid::FIRST_NORMAL;
    if built_in {
        if let Some(imp) = native(snapshot, &trans.prosrc, final_src, func, arg_types, collation, kind)? {
            return Ok(imp);
        }
        let registered = match pglite_functions::body(&format!("agg:{}/{final_src}", trans.prosrc)) {
            Some(Body::Aggregate(f)) => Some(*f),
            _ => super::native::find(&trans.prosrc, final_src),
        };
        if let Some(f) = registered {
            let info = CallInfo {
                func,
                ret_type: ty,
                arg_types: arg_types.to_vec(),
                collation,
                variadic,
                ..CallInfo::default()
            };
            return Ok(Imp::Native { f, info });
        }
    }
    trans_spec(snapshot, &agg, trans.strict, ty, arg_types, collation, variadic, inputs)
        .map(|t| Imp::Trans(Box::new(t)))
}

fn native(
    snapshot: &pglite_catalog::Snapshot,
    trans: &str,
    final_src: &str,
    func: Oid,
    arg_types: &[Oid],
    collation: Oid,
    kind: AggKind,
) -> PgResult<Option<Imp>> {
    Ok(Some(match (trans, final_src) {
        ("int8inc", "-") => Imp::CountStar,
        ("int8inc_any", "-") => Imp::Count,
        ("int2_sum" | "int4_sum", "-") => Imp::SumInt,
        ("int8_avg_accum", "numeric_poly_sum") => Imp::SumBig,
        ("int2_avg_accum" | "int4_avg_accum", "int8_avg") => Imp::AvgInt,
        ("int8_avg_accum", "numeric_poly_avg") => Imp::AvgInt,
        _ => {
            if let Some(a) = snapshot.aggregate(func)
                && a.aggsortop.is_valid()
                && kind == AggKind::Normal
                && arg_types.len() == 1
            {
                let order = facts::order_facts(snapshot, a.aggsortop)?;
                let ty = arg_types[0];
                let cmp = crate::expr::cmp_fn(snapshot, order.cmp, collation, vec![ty, ty])?;
                let is_min_max = trans.ends_with("larger") || trans.ends_with("smaller");
                if is_min_max {
                    return Ok(Some(Imp::MinMax { cmp, greatest: order.reverse }));
                }
            }
            let ordered = match final_src {
                "percentile_disc_final" => OrderedKind::PercentileDisc,
                "percentile_disc_multi_final" => OrderedKind::PercentileDiscMulti,
                "percentile_cont_float8_final" => OrderedKind::PercentileCont,
                "percentile_cont_float8_multi_final" => OrderedKind::PercentileContMulti,
                "mode_final" => OrderedKind::Mode,
                "hypothetical_rank_final" => OrderedKind::Rank,
                "hypothetical_dense_rank_final" => OrderedKind::DenseRank,
                "hypothetical_percent_rank_final" => OrderedKind::PercentRank,
                "hypothetical_cume_dist_final" => OrderedKind::CumeDist,
                _ => return Ok(None),
            };
            Imp::Ordered(ordered)
        }
    }))
}

#[allow(clippy::too_many_arguments)]
fn trans_spec(
    snapshot: &pglite_catalog::Snapshot,
    agg: &AggFacts,
    strict: bool,
    ty: Oid,
    arg_types: &[Oid],
    collation: Oid,
    variadic: bool,
    inputs: usize,
) -> PgResult<TransSpec> {
    // A polymorphic state takes its actual type from the arguments.
    let state = match agg.trans_type {
        oid::ANYELEMENT | oid::ANYCOMPATIBLE | oid::ANYNONARRAY | oid::ANYENUM => {
            arg_types.first().copied().unwrap_or(agg.trans_type)
        }
        oid::ANYARRAY | oid::ANYCOMPATIBLEARRAY => {
            let declared = snapshot.proc_by_oid(agg.trans).and_then(|p| p.proargtypes.get(1).copied());
            let first = arg_types.first().copied().unwrap_or(agg.trans_type);
            match declared {
                Some(oid::ANYARRAY | oid::ANYCOMPATIBLEARRAY) => first,
                _ => snapshot.array_type(first).unwrap_or(agg.trans_type),
            }
        }
        other => other,
    };
    let aggregated = &arg_types[arg_types.len().saturating_sub(inputs)..];
    let info = |func: Oid, ret_type: Oid, rest: &[Oid]| CallInfo {
        func,
        ret_type,
        arg_types: std::iter::once(state).chain(rest.iter().copied()).collect(),
        collation,
        variadic,
        ..CallInfo::default()
    };
    let final_fn = match agg.final_fn.valid() {
        Some(f) => Some(FnRef::resolve(snapshot, info(f, ty, arg_types))?),
        None => None,
    };
    let final_args = if agg.final_extra { arg_types.len() } else { agg.direct_args };
    let usable =
        agg.mtrans.is_valid() && agg.minv.is_valid() && agg.mtrans == agg.trans && agg.mfinal == agg.final_fn;
    let inverse =
        if usable { Some(FnRef::resolve(snapshot, info(agg.minv, state, aggregated))?) } else { None };
    Ok(TransSpec {
        trans: FnRef::resolve(snapshot, info(agg.trans, state, aggregated))?,
        final_fn,
        final_args,
        inverse,
        init: agg.init.clone(),
        trans_type: state,
        first_is_state: strict && agg.init.is_none(),
    })
}

/// Whether a row of inputs is skipped by a strict transition.
pub fn has_null(args: &[Datum]) -> bool {
    args.iter().any(Datum::is_null)
}
