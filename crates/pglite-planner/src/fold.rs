//! Constant folding and boolean simplification of expressions (`eval_const_expressions`), and canonical quals.
//!
//! Immutable functions of constants are evaluated through the executor; stable ones only when `estimate` is set, which
//! callers use for selectivity alone.

use pglite_error::PgResult;
use pglite_ir::expr::*;
use pglite_ir::walk::each_child_mut;
use pglite_types::{Datum, Oid, oid};

use crate::cat::Volatility;
use crate::equal::{equal, member};
use crate::exprs::make_not;
use crate::types::Glob;

const BOOL_EQ: Oid = Oid(91);
const BOOL_NE: Oid = Oid(85);

pub(crate) struct Folder<'a, 'e> {
    pub g: &'a Glob<'e>,
    pub estimate: bool,
    /// Values of enclosing CASE test expressions, innermost last.
    case_values: Vec<Option<Expr>>,
}

/// Folds one expression.
pub(crate) fn fold(g: &Glob<'_>, e: &mut Expr) -> PgResult<()> {
    Folder { g, estimate: false, case_values: Vec::new() }.run(e)
}

/// Folds for estimation: stable functions and known parameters count as constants.
pub(crate) fn estimate(g: &Glob<'_>, e: &Expr) -> Expr {
    let mut copy = e.clone();
    match (Folder { g, estimate: true, case_values: Vec::new() }).run(&mut copy) {
        Ok(()) => copy,
        Err(_) => e.clone(),
    }
}

fn as_const(e: &Expr) -> Option<&Const> {
    match e {
        Expr::Const(c) => Some(c),
        _ => None,
    }
}

fn all_const(args: &[Expr]) -> bool {
    args.iter().all(|a| matches!(a, Expr::Const(_)))
}

fn any_null(args: &[Expr]) -> bool {
    args.iter().any(|a| as_const(a).is_some_and(|c| c.value.is_null()))
}

fn bool_const(value: Option<bool>) -> Expr {
    Expr::constant(oid::BOOL, value.map_or(Datum::Null, Datum::Bool))
}

fn take(e: &mut Expr) -> Expr {
    std::mem::replace(e, Expr::null(oid::BOOL))
}

impl Folder<'_, '_> {
    fn run(&mut self, e: &mut Expr) -> PgResult<()> {
        match e {
            Expr::Const(_) | Expr::Var(_) => return Ok(()),
            Expr::Param(p) => {
                if let Some(c) = self.known_param(p) {
                    *e = c;
                }
                return Ok(());
            }
            Expr::Case(_) => return self.case(e),
            Expr::CaseTest { .. } => {
                if let Some(Some(v)) = self.case_values.last() {
                    *e = v.clone();
                }
                return Ok(());
            }
            Expr::ArrayCoerce { .. } => return self.array_coerce(e),
            Expr::Bool { .. } => return self.boolean(e),
            Expr::Coalesce { .. } => return self.coalesce(e),
            Expr::Aggref(_)
            | Expr::WindowFunc(_)
            | Expr::SubLink(_)
            | Expr::SubPlan(_)
            | Expr::Json(_)
            | Expr::Xml(_) => {
                return each_child_mut(e, &mut |c| self.run(c));
            }
            _ => each_child_mut(e, &mut |c| self.run(c))?,
        }
        self.node(e)
    }

    fn known_param(&self, p: &Param) -> Option<Expr> {
        let params = self.g.opts.params.as_ref()?;
        if p.kind != ParamKind::External {
            return None;
        }
        let (ty, value) = params.get((p.id as usize).checked_sub(1)?)?;
        (*ty == p.ty).then(|| {
            Expr::Const(Const {
                ty: p.ty,
                typmod: p.typmod,
                collation: p.collation,
                value: value.clone(),
                location: p.location,
            })
        })
    }

    fn may_eval(&self, func: Oid) -> bool {
        self.allows(self.g.cat.volatility(func))
    }

    fn allows(&self, v: Volatility) -> bool {
        v == Volatility::Immutable || (self.estimate && v == Volatility::Stable)
    }

    /// Replaces the expression by its value.
    fn evaluate(&self, e: &mut Expr) -> PgResult<()> {
        let value = self.g.env.eval_const(e)?;
        *e = Expr::Const(Const {
            ty: e.ty(),
            typmod: e.typmod(),
            collation: e.collation(),
            value,
            location: e.location(),
        });
        Ok(())
    }

    fn null_of(e: &Expr) -> Expr {
        Expr::Const(Const {
            ty: e.ty(),
            typmod: e.typmod(),
            collation: e.collation(),
            value: Datum::Null,
            location: e.location(),
        })
    }

    /// A node whose children are folded already.
    fn node(&mut self, e: &mut Expr) -> PgResult<()> {
        match e {
            Expr::Func(f) => {
                if f.retset || f.ty == oid::RECORD && !f.args.is_empty() && f.func == Oid::INVALID {
                    return Ok(());
                }
                if any_null(&f.args) && self.g.cat.is_strict(f.func) {
                    *e = Self::null_of(e);
                } else if all_const(&f.args) && f.ty != oid::RECORD && self.may_eval(f.func) {
                    self.evaluate(e)?;
                }
            }
            Expr::Op(o) => {
                if o.retset {
                    return Ok(());
                }
                if any_null(&o.args) && self.g.cat.is_strict(o.func) {
                    *e = Self::null_of(e);
                } else if all_const(&o.args) && self.may_eval(o.func) {
                    self.evaluate(e)?;
                } else if o.op == BOOL_EQ || o.op == BOOL_NE {
                    self.boolean_equality(e)?;
                }
            }
            Expr::Distinct(o) => {
                let nulls: Vec<bool> =
                    o.args.iter().map(|a| as_const(a).is_some_and(|c| c.value.is_null())).collect();
                if all_const(&o.args) {
                    if nulls.iter().all(|n| *n) {
                        *e = bool_const(Some(false));
                    } else if nulls.iter().any(|n| *n) {
                        *e = bool_const(Some(true));
                    } else if self.may_eval(o.func) {
                        self.evaluate(e)?;
                    }
                }
            }
            Expr::NullIf(o) => {
                if all_const(&o.args) && self.may_eval(o.func) {
                    self.evaluate(e)?;
                } else if as_const(&o.args[0]).is_some_and(|c| c.value.is_null()) || any_null(&o.args) {
                    *e = take(&mut o.args[0]);
                }
            }
            Expr::ScalarArrayOp(s) if all_const(&s.args) && self.may_eval(s.func) => self.evaluate(e)?,
            Expr::RowCompare(r)
                if all_const(&r.left)
                    && all_const(&r.right)
                    && r.ops.iter().all(|o| self.may_eval(self.g.cat.op_func(*o))) =>
            {
                self.evaluate(e)?;
            }
            Expr::Array { elements, .. } if all_const(elements) => self.evaluate(e)?,
            Expr::Row { args, .. } if all_const(args) => self.evaluate(e)?,
            Expr::MinMax { args, .. } if all_const(args) => self.evaluate(e)?,
            Expr::CoerceViaIo { arg, ty, .. } => {
                let volatility = self.g.cat.io_volatility(arg.ty(), *ty);
                if let Some(c) = as_const(arg) {
                    if c.value.is_null() && self.g.cat.base_type(*ty) == *ty {
                        *e = Self::null_of(e);
                    } else if self.allows(volatility) {
                        self.evaluate(e)?;
                    }
                }
            }
            Expr::Subscript(s) => {
                let consts = s.assign.is_none()
                    && as_const(&s.container).is_some()
                    && s.upper.iter().chain(&s.lower).flatten().all(|x| as_const(x).is_some());
                if consts {
                    self.evaluate(e)?;
                }
            }
            Expr::SqlValue { .. } if self.estimate => self.evaluate(e)?,
            Expr::Relabel { .. } | Expr::Collate { .. } => relabel(e),
            Expr::FieldSelect { .. } => self.field_select(e)?,
            Expr::NullTest { .. } => self.null_test(e)?,
            Expr::BooleanTest { .. } => boolean_test(e),
            Expr::CoerceToDomain { .. } => self.coerce_to_domain(e),
            _ => {}
        }
        Ok(())
    }

    /// `x = true` is `x`, `x = false` is `NOT x`, and the same for `<>`.
    fn boolean_equality(&mut self, e: &mut Expr) -> PgResult<()> {
        let Expr::Op(o) = e else { return Ok(()) };
        let equals = o.op == BOOL_EQ;
        for i in 0..2 {
            if let Some(b) = as_const(&o.args[i]).and_then(|c| c.value.as_bool()) {
                let other = take(&mut o.args[1 - i]);
                *e = if b == equals { other } else { self.negate(other)? };
                return Ok(());
            }
        }
        Ok(())
    }

    fn boolean(&mut self, e: &mut Expr) -> PgResult<()> {
        let Expr::Bool { op, args, location } = e else { return Ok(()) };
        let (op, location) = (*op, *location);
        if op == BoolOp::Not {
            let mut arg = take(&mut args[0]);
            self.run(&mut arg)?;
            *e = self.negate(arg)?;
            return Ok(());
        }
        let (mut out, mut saw_null) = (Vec::with_capacity(args.len()), false);
        let absorbing = op == BoolOp::Or;
        let mut work: Vec<Expr> = std::mem::take(args);
        work.reverse();
        while let Some(mut arg) = work.pop() {
            if matches!(&arg, Expr::Bool { op: o, .. } if *o == op) {
                if let Expr::Bool { args: inner, .. } = arg {
                    work.extend(inner.into_iter().rev());
                }
                continue;
            }
            self.run(&mut arg)?;
            match &arg {
                Expr::Const(c) => match c.value.as_bool() {
                    Some(b) if b == absorbing => {
                        *e = bool_const(Some(absorbing));
                        return Ok(());
                    }
                    Some(_) => {}
                    None => saw_null = true,
                },
                Expr::Bool { op: o, .. } if *o == op => {
                    if let Expr::Bool { args: inner, .. } = arg {
                        out.extend(inner);
                    }
                }
                _ => out.push(arg),
            }
        }
        if saw_null {
            out.push(bool_const(None));
        }
        *e = match out.len() {
            0 => bool_const(Some(!absorbing)),
            1 => out.swap_remove(0),
            _ => Expr::Bool { op, args: out, location },
        };
        Ok(())
    }

    /// `NOT e`, pushed down as far as it goes.
    pub(crate) fn negate(&mut self, e: Expr) -> PgResult<Expr> {
        Ok(match e {
            Expr::Const(c) => bool_const(c.value.as_bool().map(|b| !b)),
            Expr::Op(mut o) => match self.g.cat.negator(o.op) {
                Some(negator) => {
                    o.op = negator;
                    o.func = self.g.cat.op_func(negator);
                    Expr::Op(o)
                }
                None => make_not(Expr::Op(o)),
            },
            Expr::ScalarArrayOp(mut s) => match self.g.cat.negator(s.op) {
                Some(negator) => {
                    s.op = negator;
                    s.func = self.g.cat.op_func(negator);
                    s.use_or = !s.use_or;
                    Expr::ScalarArrayOp(s)
                }
                None => make_not(Expr::ScalarArrayOp(s)),
            },
            Expr::Bool { op: BoolOp::Not, mut args, .. } => args.swap_remove(0),
            Expr::Bool { op, args, location } => {
                let op = if op == BoolOp::And { BoolOp::Or } else { BoolOp::And };
                let args = args.into_iter().map(|a| self.negate(a)).collect::<PgResult<_>>()?;
                Expr::Bool { op, args, location }
            }
            Expr::NullTest { arg, is_null, arg_is_row: false, location } => {
                Expr::NullTest { arg, is_null: !is_null, arg_is_row: false, location }
            }
            Expr::BooleanTest { arg, test, location } => {
                use BoolTest::*;
                let test = match test {
                    IsTrue => IsNotTrue,
                    IsNotTrue => IsTrue,
                    IsFalse => IsNotFalse,
                    IsNotFalse => IsFalse,
                    IsUnknown => IsNotUnknown,
                    IsNotUnknown => IsUnknown,
                };
                Expr::BooleanTest { arg, test, location }
            }
            e => make_not(e),
        })
    }

    fn coalesce(&mut self, e: &mut Expr) -> PgResult<()> {
        let Expr::Coalesce { args, .. } = e else { return Ok(()) };
        let mut out: Vec<Expr> = Vec::with_capacity(args.len());
        for mut arg in std::mem::take(args) {
            self.run(&mut arg)?;
            match as_const(&arg) {
                Some(c) if c.value.is_null() => {}
                Some(_) => {
                    out.push(arg);
                    break;
                }
                None => out.push(arg),
            }
        }
        if out.is_empty() {
            *e = Self::null_of(e);
        } else if out.len() == 1 {
            *e = out.swap_remove(0);
        } else {
            *args = out;
        }
        Ok(())
    }

    fn case(&mut self, e: &mut Expr) -> PgResult<()> {
        let Expr::Case(c) = e else { return Ok(()) };
        if let Some(arg) = &mut c.arg {
            self.run(arg)?;
        }
        let test = c.arg.as_ref().filter(|a| matches!(a, Expr::Const(_))).cloned();
        let folded_arg = test.is_some();
        self.case_values.push(test);
        let mut whens = Vec::with_capacity(c.whens.len());
        let mut default = None;
        let mut const_true = false;
        for (mut when, mut then) in std::mem::take(&mut c.whens) {
            self.run(&mut when)?;
            if let Some(k) = as_const(&when) {
                if k.value.as_bool() != Some(true) {
                    continue;
                }
                const_true = true;
            }
            self.outside_case(|f| f.run(&mut then))?;
            if const_true {
                default = Some(then);
                break;
            }
            whens.push((when, then));
        }
        self.case_values.pop();
        if !const_true {
            default = c.default.take();
            if let Some(d) = &mut default {
                self.run(d)?;
            }
        }
        if whens.is_empty() {
            *e = default.unwrap_or_else(|| Self::null_of(e));
            return Ok(());
        }
        c.whens = whens;
        c.default = default;
        if folded_arg {
            c.arg = None;
        }
        Ok(())
    }

    /// THEN expressions do not see the CASE's own test value.
    fn outside_case(&mut self, f: impl FnOnce(&mut Self) -> PgResult<()>) -> PgResult<()> {
        let saved = self.case_values.pop();
        let result = f(self);
        if let Some(v) = saved {
            self.case_values.push(v);
        }
        result
    }

    fn array_coerce(&mut self, e: &mut Expr) -> PgResult<()> {
        let Expr::ArrayCoerce { arg, elem, .. } = e else { return Ok(()) };
        self.run(arg)?;
        self.case_values.push(None);
        let result = self.run(elem);
        self.case_values.pop();
        result?;
        let immutable = if self.estimate {
            !crate::exprs::is_volatile(&self.g.cat, elem)
        } else {
            !crate::exprs::has_mutable(&self.g.cat, elem)
        };
        if as_const(arg).is_some() && immutable {
            self.evaluate(e)?;
        }
        Ok(())
    }

    fn field_select(&mut self, e: &mut Expr) -> PgResult<()> {
        let Expr::FieldSelect { arg, field, ty, typmod, collation } = e else { return Ok(()) };
        match &mut **arg {
            Expr::Var(v) if v.attno == 0 && v.levels_up == 0 && v.ty != oid::RECORD => {
                let mut var = v.clone();
                (var.attno, var.syn_attno) = (*field, *field);
                (var.ty, var.typmod, var.collation) = (*ty, *typmod, *collation);
                *e = Expr::Var(var);
            }
            Expr::Row { args, .. } => {
                let i = *field as usize - 1;
                if i < args.len() && args[i].ty() == *ty && args[i].typmod() == *typmod {
                    *e = args.swap_remove(i);
                }
            }
            Expr::Const(c) if c.ty != oid::RECORD || !c.value.is_null() => self.evaluate(e)?,
            _ => {}
        }
        Ok(())
    }

    fn null_test(&mut self, e: &mut Expr) -> PgResult<()> {
        let Expr::NullTest { arg, is_null, arg_is_row, location } = e else { return Ok(()) };
        let (is_null, location) = (*is_null, *location);
        if *arg_is_row && let Expr::Row { args, .. } = &mut **arg {
            let mut tests = Vec::new();
            for a in std::mem::take(args) {
                match as_const(&a) {
                    Some(c) if c.value.is_null() == is_null => {}
                    Some(_) => {
                        *e = bool_const(Some(false));
                        return Ok(());
                    }
                    None => {
                        tests.push(Expr::NullTest { arg: Box::new(a), is_null, arg_is_row: false, location })
                    }
                }
            }
            *e = if tests.is_empty() { bool_const(Some(true)) } else { Expr::and(tests) };
            return Ok(());
        }
        if !*arg_is_row && let Expr::Const(c) = &**arg {
            *e = bool_const(Some(c.value.is_null() == is_null));
        }
        Ok(())
    }

    fn coerce_to_domain(&mut self, e: &mut Expr) {
        let Expr::CoerceToDomain { arg, ty, typmod, collation, form, location } = e else { return };
        if self.g.cat.domain_has_constraints(*ty) {
            return;
        }
        let arg = Box::new(take(arg));
        *e = Expr::Relabel {
            arg,
            ty: *ty,
            typmod: *typmod,
            collation: *collation,
            form: *form,
            location: *location,
        };
        relabel(e);
    }
}

/// A relabeled constant is a constant of the other type; a relabeled relabel loses the inner one; COLLATE is a relabel.
fn relabel(e: &mut Expr) {
    if let Expr::Collate { arg, collation, location } = e {
        let (ty, typmod) = (arg.ty(), arg.typmod());
        if arg.collation() == *collation {
            *e = take(arg);
            return;
        }
        *e = Expr::Relabel {
            ty,
            typmod,
            collation: *collation,
            form: CoercionForm::ImplicitCast,
            location: *location,
            arg: Box::new(take(arg)),
        };
    }
    let Expr::Relabel { arg, ty, typmod, collation, .. } = e else { return };
    match &mut **arg {
        Expr::Const(c) => {
            c.value = std::mem::take(&mut c.value).relabel(*ty);
            (c.ty, c.typmod, c.collation) = (*ty, *typmod, *collation);
            *e = take(arg);
        }
        Expr::Relabel { arg: inner, .. } => {
            let inner = take(inner);
            **arg = inner;
            if arg.ty() == *ty && arg.typmod() == *typmod && arg.collation() == *collation {
                *e = take(arg);
            }
        }
        other => {
            if other.ty() == *ty && other.typmod() == *typmod && other.collation() == *collation {
                *e = take(other);
            }
        }
    }
}

fn boolean_test(e: &mut Expr) {
    let Expr::BooleanTest { arg, test, .. } = e else { return };
    let Some(c) = as_const(arg) else { return };
    let v = c.value.as_bool();
    let result = match test {
        BoolTest::IsTrue => v == Some(true),
        BoolTest::IsNotTrue => v != Some(true),
        BoolTest::IsFalse => v == Some(false),
        BoolTest::IsNotFalse => v != Some(false),
        BoolTest::IsUnknown => v.is_none(),
        BoolTest::IsNotUnknown => v.is_some(),
    };
    *e = bool_const(Some(result));
}

/// Pulls conditions common to all arms of an OR out of it; a NULL at the top of a WHERE means false.
pub(crate) fn canonicalize_qual(e: Expr) -> Expr {
    find_duplicate_ors(e)
}

fn find_duplicate_ors(e: Expr) -> Expr {
    match e {
        Expr::Bool { op: BoolOp::Or, args, location } => {
            let mut arms = Vec::new();
            for a in args {
                let a = find_duplicate_ors(a);
                match &a {
                    Expr::Const(c) if c.value.as_bool() == Some(true) => return a,
                    Expr::Const(_) => {}
                    Expr::Bool { op: BoolOp::Or, .. } => {
                        if let Expr::Bool { args, .. } = a {
                            arms.extend(args);
                        }
                    }
                    _ => arms.push(a),
                }
            }
            process_duplicate_ors(arms, location)
        }
        Expr::Bool { op: BoolOp::And, args, location } => {
            let mut out = Vec::new();
            for a in args {
                let a = find_duplicate_ors(a);
                match &a {
                    Expr::Const(c) if c.value.as_bool() == Some(true) => {}
                    Expr::Const(_) => return bool_const(Some(false)),
                    Expr::Bool { op: BoolOp::And, .. } => {
                        if let Expr::Bool { args, .. } = a {
                            out.extend(args);
                        }
                    }
                    _ => out.push(a),
                }
            }
            match out.len() {
                0 => bool_const(Some(true)),
                1 => out.swap_remove(0),
                _ => Expr::Bool { op: BoolOp::And, args: out, location },
            }
        }
        e => e,
    }
}

fn arm_conjuncts(arm: &Expr) -> &[Expr] {
    match arm {
        Expr::Bool { op: BoolOp::And, args, .. } => args,
        other => std::slice::from_ref(other),
    }
}

fn process_duplicate_ors(mut arms: Vec<Expr>, location: i32) -> Expr {
    match arms.len() {
        0 => return bool_const(Some(false)),
        1 => return arms.swap_remove(0),
        _ => {}
    }
    let Some(reference) = arms.iter().map(arm_conjuncts).min_by_key(|c| c.len()) else {
        return bool_const(Some(false));
    };
    let mut winners: Vec<Expr> = Vec::new();
    for candidate in reference {
        if !member(&winners, candidate) && arms.iter().all(|a| member(arm_conjuncts(a), candidate)) {
            winners.push(candidate.clone());
        }
    }
    if winners.is_empty() {
        return Expr::Bool { op: BoolOp::Or, args: arms, location };
    }
    let mut rest = Vec::new();
    let mut degenerate = false;
    for arm in &arms {
        let left: Vec<Expr> =
            arm_conjuncts(arm).iter().filter(|c| !winners.iter().any(|w| equal(w, c))).cloned().collect();
        if left.is_empty() {
            degenerate = true;
            break;
        }
        rest.push(Expr::and(left));
    }
    if !degenerate {
        if rest.len() == 1 {
            winners.extend(rest);
        } else {
            winners.push(Expr::Bool { op: BoolOp::Or, args: rest, location });
        }
    }
    Expr::and(winners)
}
