//! Aggregate, window and GROUPING calls: their arguments, their query level, and where they may stand.

use crate::call::CallSyntax;
use crate::func::FuncDetail;
use crate::kind::Verdict;
use crate::prelude::*;

impl Analyzer<'_, '_> {
    #[allow(clippy::too_many_arguments)]
    pub(crate) fn build_aggregate(
        &mut self,
        names: &[String],
        args: Vec<Expr>,
        d: FuncDetail,
        ret: Oid,
        variadic: bool,
        has_names: bool,
        syn: &CallSyntax<'_>,
    ) -> PgResult<Expr> {
        let at = syn.location;
        let Some(call) = syn.call else { return Err(PgError::internal("aggregate without call syntax")) };
        let list = name_list(names);
        if args.is_empty() && !call.agg_star && !call.agg_within_group {
            return Err(err!(
                WRONG_OBJECT_TYPE,
                "{list}(*) must be used to call a parameterless aggregate function"
            )
            .at(at));
        }
        if d.retset {
            return Err(err!(INVALID_FUNCTION_DEFINITION, "aggregates cannot return sets").at(at));
        }
        if has_names {
            return Err(err!(FEATURE_NOT_SUPPORTED, "aggregates cannot use named arguments").at(at));
        }
        let filter = self.transform_filter(call)?;
        let kind = match self.cat.aggregate(d.oid)?.aggkind {
            b'o' => AggKind::OrderedSet,
            b'h' => AggKind::Hypothetical,
            _ => AggKind::Normal,
        };
        let mut agg = Aggref {
            func: d.oid,
            ty: ret,
            collation: Oid::INVALID,
            input_collation: Oid::INVALID,
            arg_types: args.iter().map(Expr::ty).collect(),
            direct_args: Vec::new(),
            args: Vec::new(),
            order: Vec::new(),
            distinct: Vec::new(),
            filter,
            star: call.agg_star,
            variadic,
            kind,
            levels_up: 0,
            location: at,
        };
        self.aggregate_arguments(&mut agg, args, &call.agg_order, call.agg_distinct)?;
        self.check_agg_levels(&mut agg)?;
        Ok(Expr::Aggref(Box::new(agg)))
    }

    pub(crate) fn transform_filter(&mut self, call: &ast::FuncCall) -> PgResult<Option<Expr>> {
        let Some(f) = &call.agg_filter else { return Ok(None) };
        self.transform_boolean(f, ExprKind::Filter, "FILTER").map(Some)
    }

    /// PostgreSQL's `transformAggregateCall`: splits direct from aggregated arguments and binds ORDER BY and DISTINCT.
    pub(crate) fn aggregate_arguments(
        &mut self,
        agg: &mut Aggref,
        mut args: Vec<Expr>,
        order: &[ast::SortBy],
        distinct: bool,
    ) -> PgResult<()> {
        let tle = |(i, e): (usize, Expr)| TargetEntry::new(e, i as i16 + 1, None);
        if agg.kind != AggKind::Normal {
            let aggregated = args.split_off(args.len() - order.len());
            agg.direct_args = args;
            let mut list: Vec<TargetEntry> = aggregated.into_iter().enumerate().map(tle).collect();
            let mut clauses = Vec::new();
            for (i, sort) in order.iter().enumerate() {
                self.add_to_sort_list(i, &mut clauses, &mut list, sort)?;
            }
            agg.args = list;
            agg.order = clauses;
            return Ok(());
        }
        let mut list: Vec<TargetEntry> = args.into_iter().enumerate().map(tle).collect();
        let saved = std::mem::replace(&mut self.cur().next_resno, list.len() as i16 + 1);
        agg.order = self.transform_sort(order, &mut list, ExprKind::OrderBy, true)?;
        if distinct {
            agg.distinct = self.transform_distinct(&mut list, &agg.order.clone(), true)?;
            for c in &agg.distinct {
                if !c.sort_op.is_valid() {
                    let e = list.iter().find(|t| t.sort_group_ref == c.target_ref).map(|t| &t.expr);
                    let name = self.cat.format_type(e.map_or(Oid::INVALID, Expr::ty));
                    return Err(err!(
                        UNDEFINED_FUNCTION,
                        "could not identify an ordering operator for type {name}"
                    )
                    .detail("Aggregates with DISTINCT must be able to sort their inputs.")
                    .at(e.map_or(-1, Expr::location)));
                }
            }
        }
        self.cur().next_resno = saved;
        agg.args = list;
        Ok(())
    }

    /// Sets the aggregate's level (that of its innermost variable) and checks that it may stand there.
    pub(crate) fn check_agg_levels(&mut self, agg: &mut Aggref) -> PgResult<()> {
        let inner: Vec<&Expr> = agg.args.iter().map(|t| &t.expr).chain(&agg.filter).collect();
        let level = self.argument_level(&inner, agg.location)?;
        if !agg.direct_args.is_empty() {
            let direct: Vec<&Expr> = agg.direct_args.iter().collect();
            let (min_var, min_agg) = min_levels(&direct)?;
            if min_var.is_some_and(|v| v < level) {
                let at = direct.iter().find_map(|e| find_var(e, 0)).unwrap_or(-1);
                return Err(err!(
                    GROUPING_ERROR,
                    "outer-level aggregate cannot contain a lower-level variable in its direct arguments"
                )
                .at(at));
            }
            if min_agg.is_some_and(|v| v <= level) {
                let at =
                    direct.iter().find_map(|e| min_agg.and_then(|l| find_agg(e, l))).unwrap_or(agg.location);
                return Err(err!(GROUPING_ERROR, "aggregate function calls cannot be nested").at(at));
            }
        }
        agg.levels_up = level;
        self.check_agg_place(level, agg.location, "aggregate functions")
    }

    fn check_agg_place(&mut self, level: u32, location: i32, what: &str) -> PgResult<()> {
        if level as usize >= self.levels.len() {
            return Err(PgError::internal("aggregate level out of range"));
        }
        let l = self.level_mut(level);
        l.has_aggs = true;
        let kind = l.kind;
        match kind.aggregate_verdict() {
            Verdict::Ok => Ok(()),
            Verdict::Phrase(p) => Err(err!(GROUPING_ERROR, "{what} are not allowed in {p}").at(location)),
            Verdict::Name => {
                Err(err!(GROUPING_ERROR, "{what} are not allowed in {}", kind.name()).at(location))
            }
        }
    }

    /// The level an aggregate over these arguments belongs to.
    fn argument_level(&self, args: &[&Expr], location: i32) -> PgResult<u32> {
        check_no_srf_or_window(args)?;
        let (min_var, min_agg) = min_levels(args)?;
        let level = match (min_var, min_agg) {
            (None, None) => 0,
            (Some(v), None) => v,
            (None, Some(a)) => a,
            (Some(v), Some(a)) => v.min(a),
        };
        if min_agg == Some(level) {
            let at = args.iter().find_map(|e| find_agg(e, level)).unwrap_or(location);
            return Err(err!(GROUPING_ERROR, "aggregate function calls cannot be nested").at(at));
        }
        Ok(level)
    }

    /// `GROUPING(...)`.
    pub(crate) fn transform_grouping(&mut self, g: &ast::GroupingFunc) -> PgResult<Expr> {
        if g.args.len() > 31 {
            return Err(err!(TOO_MANY_ARGUMENTS, "GROUPING must have fewer than 32 arguments").at(g.location));
        }
        let args: Vec<Expr> = g.args.iter().map(|a| self.transform_expr(a)).collect::<PgResult<_>>()?;
        let refs: Vec<&Expr> = args.iter().collect();
        let level = self.argument_level(&refs, g.location)?;
        self.check_agg_place(level, g.location, "grouping operations")?;
        Ok(Expr::Grouping { args, refs: Vec::new(), levels_up: level, location: g.location })
    }

    /// A window function call, or an aggregate with OVER.
    #[allow(clippy::too_many_arguments)]
    pub(crate) fn build_window_call(
        &mut self,
        names: &[String],
        args: Vec<Expr>,
        d: FuncDetail,
        ret: Oid,
        has_names: bool,
        srfs_before: u32,
        syn: &CallSyntax<'_>,
    ) -> PgResult<Expr> {
        let at = syn.location;
        let Some(call) = syn.call else { return Err(PgError::internal("window call without syntax")) };
        let is_agg = d.kind == crate::func::FuncKind::Aggregate;
        let list = name_list(names);
        if call.agg_distinct {
            return Err(
                err!(FEATURE_NOT_SUPPORTED, "DISTINCT is not implemented for window functions").at(at)
            );
        }
        if is_agg && args.is_empty() && !call.agg_star {
            return Err(err!(
                WRONG_OBJECT_TYPE,
                "{list}(*) must be used to call a parameterless aggregate function"
            )
            .at(at));
        }
        if !call.agg_order.is_empty() {
            return Err(err!(
                FEATURE_NOT_SUPPORTED,
                "aggregate ORDER BY is not implemented for window functions"
            )
            .at(at));
        }
        if !is_agg && call.agg_filter.is_some() {
            return Err(err!(
                FEATURE_NOT_SUPPORTED,
                "FILTER is not implemented for non-aggregate window functions"
            )
            .at(at));
        }
        if self.cur().srfs != srfs_before {
            let loc = self.cur().last_srf_location;
            return Err(err!(
                FEATURE_NOT_SUPPORTED,
                "window function calls cannot contain set-returning function calls"
            )
            .hint("You might be able to move the set-returning function into a LATERAL FROM item.")
            .at(loc));
        }
        if d.retset {
            return Err(err!(INVALID_FUNCTION_DEFINITION, "window functions cannot return sets").at(at));
        }
        let args = if has_names || d.arg_numbers.is_some() {
            args.into_iter().map(|a| if let Expr::NamedArg { arg, .. } = a { *arg } else { a }).collect()
        } else {
            args
        };
        let filter = self.transform_filter(call)?;
        let mut w = WindowFunc {
            func: d.oid,
            ty: ret,
            collation: Oid::INVALID,
            input_collation: Oid::INVALID,
            args,
            filter,
            winref: 0,
            star: call.agg_star,
            is_agg,
            location: at,
        };
        let Some(over) = &call.over else { return Err(PgError::internal("window call without OVER")) };
        self.bind_window(&mut w, over)?;
        Ok(Expr::WindowFunc(Box::new(w)))
    }

    /// PostgreSQL's `transformWindowFuncCall`: finds or adds the window definition.
    pub(crate) fn bind_window(&mut self, w: &mut WindowFunc, over: &ast::WindowDef) -> PgResult<()> {
        let nested = w.args.iter().chain(&w.filter).find_map(find_window);
        if let Some(at) = nested {
            return Err(err!(WINDOWING_ERROR, "window function calls cannot be nested").at(at));
        }
        let kind = self.cur().kind;
        match kind.window_verdict() {
            Verdict::Ok => {}
            Verdict::Phrase(p) => {
                return Err(err!(WINDOWING_ERROR, "window functions are not allowed in {p}").at(w.location));
            }
            Verdict::Name => {
                return Err(err!(WINDOWING_ERROR, "window functions are not allowed in {}", kind.name())
                    .at(w.location));
            }
        }
        let defs = &mut self.cur().window_defs;
        if let Some(name) = &over.name {
            match defs.iter().position(|d| d.name.as_ref() == Some(name)) {
                Some(i) => w.winref = i as u32 + 1,
                None => {
                    return Err(err!(UNDEFINED_OBJECT, "window \"{name}\" does not exist").at(over.location));
                }
            }
        } else {
            let same = defs.iter().position(|d| same_window(d, over));
            w.winref = match same {
                Some(i) => i as u32 + 1,
                None => {
                    defs.push(over.clone());
                    defs.len() as u32
                }
            };
        }
        self.cur().has_windows = true;
        Ok(())
    }
}

/// Whether two OVER clauses are the same apart from their place.
fn same_window(a: &ast::WindowDef, b: &ast::WindowDef) -> bool {
    a.refname == b.refname
        && (a.refname.is_some() || a.name.is_none())
        && a.name.is_none()
        && a.frame_options == b.frame_options
        && crate::syntax::same_all(&a.partition_clause, &b.partition_clause)
        && a.order_clause.len() == b.order_clause.len()
        && a.order_clause.iter().zip(&b.order_clause).all(|(x, y)| {
            x.sortby_dir == y.sortby_dir
                && x.sortby_nulls == y.sortby_nulls
                && x.use_op == y.use_op
                && crate::syntax::same(&x.node, &y.node)
        })
        && crate::syntax::same_opt(&a.start_offset, &b.start_offset)
        && crate::syntax::same_opt(&a.end_offset, &b.end_offset)
}

/// The lowest query levels (relative to here) of variables and of aggregates below the expressions.
fn min_levels(args: &[&Expr]) -> PgResult<(Option<u32>, Option<u32>)> {
    let (mut var, mut agg): (Option<u32>, Option<u32>) = (None, None);
    let note = |slot: &mut Option<u32>, up: u32, depth: u32| {
        if let Some(level) = up.checked_sub(depth)
            && slot.is_none_or(|s| level < s)
        {
            *slot = Some(level);
        }
    };
    for e in args {
        pglite_ir::tree::visit_expr(e, 0, &mut |e, depth| {
            match e {
                Expr::Var(v) => note(&mut var, v.levels_up, depth),
                Expr::Aggref(a) => {
                    note(&mut agg, a.levels_up, depth);
                    // an aggregate of a lower level hides nothing; its arguments count too
                }
                Expr::Grouping { levels_up, .. } => note(&mut agg, *levels_up, depth),
                _ => {}
            }
            true
        });
    }
    Ok((var, agg))
}

fn check_no_srf_or_window(args: &[&Expr]) -> PgResult<()> {
    let mut problem = None;
    for e in args {
        pglite_ir::tree::visit_expr(e, 0, &mut |e, depth| {
            if depth > 0 || problem.is_some() {
                return false;
            }
            match e {
                Expr::Func(f) if f.retset => problem = Some((false, f.location)),
                Expr::Op(o) if o.retset => problem = Some((false, o.location)),
                Expr::WindowFunc(w) => problem = Some((true, w.location)),
                _ => {}
            }
            true
        });
    }
    match problem {
        Some((true, at)) => {
            Err(err!(GROUPING_ERROR, "aggregate function calls cannot contain window function calls").at(at))
        }
        Some((false, at)) => Err(err!(
            FEATURE_NOT_SUPPORTED,
            "aggregate function calls cannot contain set-returning function calls"
        )
        .hint("You might be able to move the set-returning function into a LATERAL FROM item.")
        .at(at)),
        None => Ok(()),
    }
}

fn find(e: &Expr, pred: &dyn Fn(&Expr, u32) -> Option<i32>) -> Option<i32> {
    let mut found = None;
    pglite_ir::tree::visit_expr(e, 0, &mut |e, depth| {
        if found.is_none() {
            found = pred(e, depth);
        }
        found.is_none()
    });
    found
}

/// The place of a variable of the given level.
fn find_var(e: &Expr, level: u32) -> Option<i32> {
    find(e, &|e, d| match e {
        Expr::Var(v) if v.levels_up == level + d => Some(v.location),
        _ => None,
    })
}

/// The place of an aggregate of the given level.
pub(crate) fn find_agg(e: &Expr, level: u32) -> Option<i32> {
    find(e, &|e, d| match e {
        Expr::Aggref(a) if a.levels_up == level + d => Some(a.location),
        Expr::Grouping { levels_up, location, .. } if *levels_up == level + d => Some(*location),
        _ => None,
    })
}

/// The place of a window function of this query.
pub(crate) fn find_window(e: &Expr) -> Option<i32> {
    find(e, &|e, d| match e {
        Expr::WindowFunc(w) if d == 0 => Some(w.location),
        _ => None,
    })
}
