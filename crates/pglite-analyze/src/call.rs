//! Function calls: from a name and bound arguments to a function, aggregate or window call, a cast, or a column.

use crate::coerce::How;
use crate::func::{FuncDetail, FuncKind, LookupOptions, MAX_ARGS, split_name};
use crate::kind::Verdict;
use crate::prelude::*;

/// The parts of a call in syntax that the lookup needs.
pub(crate) struct CallSyntax<'a> {
    /// None for `.name` notation on a value.
    pub call: Option<&'a ast::FuncCall>,
    pub proc_call: bool,
    pub location: i32,
}

impl Analyzer<'_, '_> {
    /// `f(args)` in an expression.
    pub fn transform_func_call(&mut self, call: &ast::FuncCall, proc_call: bool) -> PgResult<Expr> {
        let srfs = self.cur().srfs;
        let mut args = Vec::with_capacity(call.args.len());
        for arg in &call.args {
            let arg = self.transform_expr(arg)?;
            // PG: drivers pass a parameter of type void for a function's result ("{? = call f()}").
            if !(matches!(arg, Expr::Param(_)) && arg.ty() == oid::VOID) {
                args.push(arg);
            }
        }
        if call.agg_within_group {
            for sort in &call.agg_order {
                let e = self.with_kind(ExprKind::OrderBy, |a| a.transform_expr(&sort.node))?;
                args.push(e);
            }
        }
        let syntax = CallSyntax { call: Some(call), proc_call, location: call.location };
        match self.func_or_column(&call.funcname, args, srfs, &syntax)? {
            Ok(e) => Ok(e),
            Err(_) => Err(PgError::internal("function lookup returned no expression")),
        }
    }

    /// PostgreSQL's `ParseFuncOrColumn`. `Err` gives the argument back when `.name` notation found nothing.
    pub fn func_or_column(
        &mut self,
        names: &[String],
        args: Vec<Expr>,
        srfs_before: u32,
        syn: &CallSyntax<'_>,
    ) -> PgResult<Result<Expr, Expr>> {
        let location = syn.location;
        if args.len() > MAX_ARGS {
            return Err(too_many_args().at(location));
        }
        let arg_names = collect_arg_names(&args)?;
        let types: Vec<Oid> = args.iter().map(Expr::ty).collect();
        let could_project = self.could_be_projection(names, &args, &types, &arg_names, syn);
        let mut args = args;
        if could_project && syn.call.is_none() {
            match self.complex_projection(&names[0], args.remove(0), location)? {
                Ok(e) => return Ok(Ok(e)),
                Err(arg) => args.push(arg),
            }
        }
        let func_variadic = syn.call.is_some_and(|c| c.func_variadic);
        let name = split_name(self.env, names).map_err(|e| e.at_if_unset(location))?;
        let opts = LookupOptions {
            expand_variadic: !func_variadic,
            expand_defaults: true,
            include_out: syn.proc_call,
        };
        let detail = self
            .cat
            .func_detail(&name, &arg_names, &types, opts, !args.is_empty())
            .map_err(|e| e.at_if_unset(location))?;
        if detail.kind == FuncKind::NotFound || detail.kind == FuncKind::Multiple {
            if syn.call.is_none() && detail.kind == FuncKind::NotFound {
                return Ok(Err(args.remove(0)));
            }
            if could_project && syn.call.is_some() {
                match self.complex_projection(&names[0], args.remove(0), location)? {
                    Ok(e) => return Ok(Ok(e)),
                    Err(arg) => args.push(arg),
                }
            }
            return Err(self.lookup_failure(names, &arg_names, &types, &detail, syn));
        }
        self.check_call_kind(names, &arg_names, &types, &detail, syn)?;
        if detail.kind == FuncKind::Coercion {
            let how = How { context: CoercionContext::Explicit, form: CoercionForm::ExplicitCall, location };
            return self.coerce_type(args.remove(0), detail.ret, -1, how).map(Ok);
        }
        self.build_call(names, args, types, detail, srfs_before, syn).map(Ok)
    }

    fn could_be_projection(
        &self,
        names: &[String],
        args: &[Expr],
        types: &[Oid],
        arg_names: &[String],
        syn: &CallSyntax<'_>,
    ) -> bool {
        let plain = syn.call.is_none_or(|c| {
            c.agg_order.is_empty()
                && c.agg_filter.is_none()
                && !c.agg_star
                && !c.agg_distinct
                && c.over.is_none()
                && !c.func_variadic
        });
        args.len() == 1
            && !syn.proc_call
            && plain
            && arg_names.is_empty()
            && names.len() == 1
            && (types[0] == oid::RECORD || self.cat.is_complex(types[0]))
    }

    fn call_signature(&self, names: &[String], arg_names: &[String], types: &[Oid]) -> String {
        let named: Vec<Option<&str>> = arg_names.iter().map(|n| Some(n.as_str())).collect();
        self.cat.signature(&name_list(names), &named, types)
    }

    fn lookup_failure(
        &self,
        names: &[String],
        arg_names: &[String],
        types: &[Oid],
        detail: &FuncDetail,
        syn: &CallSyntax<'_>,
    ) -> PgError {
        let sig = self.call_signature(names, arg_names, types);
        let what = if syn.proc_call { "procedure" } else { "function" };
        if detail.kind == FuncKind::Multiple {
            return err!(AMBIGUOUS_FUNCTION, "{what} {sig} is not unique")
                .hint(format!(
                    "Could not choose a best candidate {what}. You might need to add explicit type casts."
                ))
                .at(syn.location);
        }
        let misplaced_order =
            syn.call.is_some_and(|c| c.agg_order.len() > 1 && !c.agg_within_group && !syn.proc_call);
        let hint = if misplaced_order {
            "No aggregate function matches the given name and argument types. Perhaps you misplaced ORDER BY; ORDER BY must appear after all regular arguments of the aggregate.".to_string()
        } else {
            format!(
                "No {what} matches the given name and argument types. You might need to add explicit type casts."
            )
        };
        err!(UNDEFINED_FUNCTION, "{what} {sig} does not exist").hint(hint).at(syn.location)
    }

    /// Whether the call's decorations fit the kind of function found.
    fn check_call_kind(
        &self,
        names: &[String],
        arg_names: &[String],
        types: &[Oid],
        d: &FuncDetail,
        syn: &CallSyntax<'_>,
    ) -> PgResult<()> {
        let at = syn.location;
        let list = name_list(names);
        if syn.proc_call && d.kind != FuncKind::Procedure {
            let sig = self.call_signature(names, arg_names, types);
            return Err(err!(WRONG_OBJECT_TYPE, "{sig} is not a procedure")
                .hint("To call a function, use SELECT.")
                .at(at));
        }
        if !syn.proc_call && d.kind == FuncKind::Procedure {
            let sig = self.call_signature(names, arg_names, types);
            return Err(err!(WRONG_OBJECT_TYPE, "{sig} is a procedure")
                .hint("To call a procedure, use CALL.")
                .at(at));
        }
        let Some(c) = syn.call else { return Ok(()) };
        match d.kind {
            FuncKind::Normal | FuncKind::Procedure | FuncKind::Coercion => {
                let not = |what: &str, tail: &str| {
                    Err(err!(WRONG_OBJECT_TYPE, "{what} specified, but {list} is not {tail}").at(at))
                };
                if c.agg_star {
                    return Err(err!(
                        WRONG_OBJECT_TYPE,
                        "{list}(*) specified, but {list} is not an aggregate function"
                    )
                    .at(at));
                }
                if c.agg_distinct {
                    return not("DISTINCT", "an aggregate function");
                }
                if c.agg_within_group {
                    return not("WITHIN GROUP", "an aggregate function");
                }
                if !c.agg_order.is_empty() {
                    return not("ORDER BY", "an aggregate function");
                }
                if c.agg_filter.is_some() {
                    return not("FILTER", "an aggregate function");
                }
                if c.over.is_some() {
                    return not("OVER", "a window function nor an aggregate function");
                }
                Ok(())
            }
            FuncKind::Aggregate => self.check_ordered_set(names, arg_names, types, d, c, at),
            FuncKind::Window => {
                if c.over.is_none() {
                    return Err(
                        err!(WRONG_OBJECT_TYPE, "window function {list} requires an OVER clause").at(at)
                    );
                }
                if c.agg_within_group {
                    return Err(
                        err!(WRONG_OBJECT_TYPE, "window function {list} cannot have WITHIN GROUP").at(at)
                    );
                }
                Ok(())
            }
            FuncKind::NotFound | FuncKind::Multiple => Ok(()),
        }
    }

    fn check_ordered_set(
        &self,
        names: &[String],
        arg_names: &[String],
        types: &[Oid],
        d: &FuncDetail,
        c: &ast::FuncCall,
        at: i32,
    ) -> PgResult<()> {
        let agg = self.cat.aggregate(d.oid)?;
        let list = name_list(names);
        if agg.aggkind == b'n' {
            if c.agg_within_group {
                return Err(err!(
                    WRONG_OBJECT_TYPE,
                    "{list} is not an ordered-set aggregate, so it cannot have WITHIN GROUP"
                )
                .at(at));
            }
            return Ok(());
        }
        if !c.agg_within_group {
            return Err(
                err!(WRONG_OBJECT_TYPE, "WITHIN GROUP is required for ordered-set aggregate {list}").at(at)
            );
        }
        if c.over.is_some() {
            return Err(err!(
                FEATURE_NOT_SUPPORTED,
                "OVER is not supported for ordered-set aggregate {list}"
            )
            .at(at));
        }
        let aggregated = c.agg_order.len();
        let direct = types.len() - aggregated;
        let wanted = agg.aggnumdirectargs as usize;
        let missing = |hint: String| {
            Err(err!(
                UNDEFINED_FUNCTION,
                "function {} does not exist",
                self.call_signature(names, arg_names, types)
            )
            .hint(hint)
            .at(at))
        };
        let s = |n: usize| if n == 1 { "" } else { "s" };
        let exact = || {
            missing(format!(
                "There is an ordered-set aggregate {list}, but it requires {wanted} direct argument{}, not {direct}.",
                s(wanted)
            ))
        };
        if !d.variadic_type.is_valid() {
            return if direct != wanted { exact() } else { Ok(()) };
        }
        let pronargs = if d.nvargs > 1 { types.len() - (d.nvargs - 1) } else { types.len() };
        if wanted < pronargs {
            return if direct != wanted { exact() } else { Ok(()) };
        }
        if agg.aggkind == b'h' {
            if d.nvargs != 2 * aggregated {
                return missing(format!(
                    "To use the hypothetical-set aggregate {list}, the number of hypothetical direct arguments (here {}) must match the number of ordering columns (here {aggregated}).",
                    d.nvargs as i64 - aggregated as i64
                ));
            }
        } else if d.nvargs <= aggregated {
            return missing(format!(
                "There is an ordered-set aggregate {list}, but it requires at least {wanted} direct argument{}.",
                s(wanted)
            ));
        }
        Ok(())
    }

    /// Builds the call once the function is known.
    fn build_call(
        &mut self,
        names: &[String],
        mut args: Vec<Expr>,
        mut types: Vec<Oid>,
        mut d: FuncDetail,
        srfs_before: u32,
        syn: &CallSyntax<'_>,
    ) -> PgResult<Expr> {
        let location = syn.location;
        let nargs = args.len();
        let is_agg_call = d.kind == FuncKind::Aggregate || d.kind == FuncKind::Window;
        if let Some(numbers) = &d.arg_numbers {
            for (arg, n) in args.iter_mut().zip(numbers) {
                if let Expr::NamedArg { argno, .. } = arg {
                    *argno = *n as i32;
                }
            }
        }
        let has_names = args.iter().any(|a| matches!(a, Expr::NamedArg { .. }));
        for default in self.default_arguments(&d)? {
            types.push(default.ty());
            args.push(default);
        }
        if syn.call.is_some_and(|c| c.agg_within_group) && d.kind == FuncKind::Aggregate {
            self.unify_hypothetical(&mut args, &mut types, &mut d, syn)?;
        }
        let ret = self
            .cat
            .enforce_generic_types(&types, &mut d.declared, d.ret, false)
            .map_err(|e| e.at_if_unset(location))?;
        let mut args = self.make_arguments(args, &d.declared)?;
        let mut variadic = syn.call.is_some_and(|c| c.func_variadic);
        if d.nvargs > 0 && d.variadic_type != oid::ANY {
            let at = args.len() - (args.len() - nargs) - d.nvargs;
            let rest = args.split_off(at + d.nvargs);
            let elements = args.split_off(at);
            args.push(self.variadic_array(elements)?);
            args.extend(rest);
            variadic = true;
        }
        if nargs > 0 && d.variadic_type == oid::ANY && variadic {
            let last = types[nargs - 1];
            if !self.cat.base_element_type(last).is_valid() {
                let at = args.get(nargs - 1).map_or(location, Expr::location);
                return Err(err!(DATATYPE_MISMATCH, "VARIADIC argument must be an array").at(at));
            }
        }
        if d.retset && !is_agg_call {
            self.check_srf_nesting(srfs_before)?;
            self.check_srf_placement(location)?;
        }
        let over = syn.call.and_then(|c| c.over.as_deref());
        if d.kind == FuncKind::Aggregate && over.is_none() {
            return self.build_aggregate(names, args, d, ret, variadic, has_names, syn);
        }
        if is_agg_call {
            return self.build_window_call(names, args, d, ret, has_names, srfs_before, syn);
        }
        if has_names || d.arg_numbers.is_some() {
            args = reorder_named(args, &d);
        }
        Ok(Expr::Func(Box::new(FuncExpr {
            func: d.oid,
            ty: ret,
            retset: d.retset,
            variadic,
            form: syn.call.map_or(CoercionForm::ExplicitCall, |c| form_of(c.funcformat)),
            collation: Oid::INVALID,
            input_collation: Oid::INVALID,
            args,
            location,
        })))
    }

    fn variadic_array(&mut self, elements: Vec<Expr>) -> PgResult<Expr> {
        let elem_type = elements.first().map_or(oid::TEXT, Expr::ty);
        let location = elements.first().map_or(-1, Expr::location);
        let ty = self.cat.array_type(elem_type);
        if !ty.is_valid() {
            let name = self.cat.format_type(elem_type);
            return Err(err!(UNDEFINED_OBJECT, "could not find array type for data type {name}").at(location));
        }
        Ok(Expr::Array { elements, ty, elem_type, collation: Oid::INVALID, multidims: false, location })
    }

    /// The default expressions that fill the call's missing arguments.
    fn default_arguments(&mut self, d: &FuncDetail) -> PgResult<Vec<Expr>> {
        if d.default_positions.is_empty() {
            return Ok(Vec::new());
        }
        let row = self.cat.proc(d.oid)?;
        let text = row.proargdefaults.as_ref().map(|s| s.to_string()).unwrap_or_default();
        let types = row.proargtypes.to_vec();
        let exprs = self.stored_expressions(&text, ExprKind::FunctionDefault)?;
        let first = types.len().saturating_sub(exprs.len());
        let mut out = Vec::new();
        // In a CALL the OUT parameters count as positions, in the defaults' numbering they do not.
        let modes: Vec<u8> = row.proargmodes.as_ref().map(|m| m.to_vec()).unwrap_or_default();
        let counts_out = row.prokind == b'p' && modes.contains(&b'o');
        for &pos in &d.default_positions {
            let pos = if counts_out { modes.iter().take(pos).filter(|m| **m != b'o').count() } else { pos };
            let Some(e) = pos.checked_sub(first).and_then(|i| exprs.get(i)) else {
                return Err(PgError::internal("not enough default arguments"));
            };
            let want = types.get(pos).copied().unwrap_or(oid::UNKNOWN);
            let e = e.clone();
            let e = if crate::coerce::is_polymorphic(want) {
                e
            } else {
                match self.coerce_to_target(e, want, -1, How::ASSIGNMENT)? {
                    Ok(e) | Err(e) => e,
                }
            };
            out.push(e);
        }
        Ok(out)
    }

    /// Hypothetical-set aggregates: each direct argument takes the common type with its ordering column.
    fn unify_hypothetical(
        &mut self,
        args: &mut [Expr],
        types: &mut [Oid],
        d: &mut FuncDetail,
        syn: &CallSyntax<'_>,
    ) -> PgResult<()> {
        if self.cat.aggregate(d.oid)?.aggkind != b'h' {
            return Ok(());
        }
        let aggregated = syn.call.map_or(0, |c| c.agg_order.len());
        let direct = args.len() - aggregated;
        let hypothetical = direct.saturating_sub(aggregated);
        for h in hypothetical..direct {
            let a = direct + (h - hypothetical);
            if d.declared[h] != d.declared[a] {
                return Err(PgError::internal(
                    "hypothetical-set aggregate has inconsistent declared argument types",
                ));
            }
            if d.declared[h] != oid::ANY {
                continue;
            }
            // Why the reversed order: the aggregated argument's type is preferred when either would do.
            let ty = self.select_common_type(&[&args[a], &args[h]], "WITHIN GROUP")?;
            for i in [h, a] {
                let e = std::mem::replace(&mut args[i], Expr::null(ty));
                let typmod = -1;
                let how = How::IMPLICIT;
                args[i] = self.coerce_type(e, ty, typmod, how)?;
                types[i] = ty;
            }
        }
        Ok(())
    }

    /// A set-returning call may not hold another one in FROM.
    fn check_srf_nesting(&mut self, srfs_before: u32) -> PgResult<()> {
        let level = self.cur();
        if level.kind == ExprKind::FromFunction && level.srfs != srfs_before {
            return Err(err!(
                FEATURE_NOT_SUPPORTED,
                "set-returning functions must appear at top level of FROM"
            )
            .at(level.last_srf_location));
        }
        Ok(())
    }

    /// PostgreSQL's `check_srf_call_placement`; also notes that the query has one.
    pub fn check_srf_placement(&mut self, location: i32) -> PgResult<()> {
        let level = self.cur();
        let kind = level.kind;
        level.srfs += 1;
        level.last_srf_location = location;
        match kind.srf_verdict() {
            Verdict::Ok => {
                if matches!(
                    kind,
                    ExprKind::SelectTarget
                        | ExprKind::InsertTarget
                        | ExprKind::GroupBy
                        | ExprKind::OrderBy
                        | ExprKind::DistinctOn
                        | ExprKind::ValuesSingle
                        | ExprKind::WindowPartition
                        | ExprKind::WindowOrder
                ) {
                    level.has_target_srfs = true;
                }
                Ok(())
            }
            Verdict::Phrase(p) => {
                Err(err!(FEATURE_NOT_SUPPORTED, "set-returning functions are not allowed in {p}")
                    .at(location))
            }
            Verdict::Name => {
                Err(err!(FEATURE_NOT_SUPPORTED, "set-returning functions are not allowed in {}", kind.name())
                    .at(location))
            }
        }
    }
}

pub(crate) fn form_of(f: ast::CoercionForm) -> CoercionForm {
    match f {
        ast::CoercionForm::ExplicitCall => CoercionForm::ExplicitCall,
        ast::CoercionForm::ExplicitCast => CoercionForm::ExplicitCast,
        ast::CoercionForm::ImplicitCast => CoercionForm::ImplicitCast,
        ast::CoercionForm::SqlSyntax => CoercionForm::SqlSyntax,
    }
}

fn too_many_args() -> PgError {
    err!(TOO_MANY_ARGUMENTS, "cannot pass more than {MAX_ARGS} arguments to a function")
}

/// The names of the named arguments, which must come last and be distinct.
fn collect_arg_names(args: &[Expr]) -> PgResult<Vec<String>> {
    let mut names: Vec<String> = Vec::new();
    for arg in args {
        match arg {
            Expr::NamedArg { name, location, .. } => {
                if names.contains(name) {
                    return Err(
                        err!(SYNTAX_ERROR, "argument name \"{name}\" used more than once").at(*location)
                    );
                }
                names.push(name.clone());
            }
            other if !names.is_empty() => {
                return Err(err!(SYNTAX_ERROR, "positional argument cannot follow named argument")
                    .at(other.location()));
            }
            _ => {}
        }
    }
    Ok(names)
}

/// Puts named and defaulted arguments at their declared places.
fn reorder_named(args: Vec<Expr>, d: &FuncDetail) -> Vec<Expr> {
    let Some(numbers) = &d.arg_numbers else { return args };
    let mut slots: Vec<(usize, Expr)> = numbers
        .iter()
        .copied()
        .zip(args)
        .map(|(n, e)| match e {
            Expr::NamedArg { arg, .. } => (n, *arg),
            e => (n, e),
        })
        .collect();
    slots.sort_by_key(|(n, _)| *n);
    slots.into_iter().map(|(_, e)| e).collect()
}
