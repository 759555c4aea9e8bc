//! The compiler: `ir::Expr` to [`Code`].
//!
//! Runs once per cached plan. Looks up functions, chooses opcodes, resolves Vars through a [`VarMap`], and notes which
//! exec parameters and volatile functions the expression uses.

use std::sync::Arc;

use pglite_catalog::Snapshot;
use pglite_error::{PgError, PgResult, bail, err};
use pglite_ir::abi::CallInfo;
use pglite_ir::expr::*;
use pglite_types::array::ArrayValue;
use pglite_types::{AttrDesc, Datum, Oid, TypeKind, oid};

use super::array::{ArrayCode, HashedArray, SaopCode, SaopTest, SubscriptCode};
use super::build::{Layout, VarMap};
use super::call::{CallCode, FnPtr, FnRef};
use super::code::{CmpOp, Code, Qual, Rows};
use super::coerce::{ArrayCoerceCode, ConvertRowCode, IoCode};
use super::domain::DomainCode;
use super::fast;
use super::json::{Behavior, JsonCode, XmlCode};
use super::rowops::{FieldStoreCode, MinMaxCode, RowCode, RowCompareCode};
use super::subplan::{HashTest, SubPlanCode};
use crate::compare::{CmpFn, EqFn, as_int, is_byte_order};
use crate::env::ExecEnv;
use crate::facts;
use crate::state::{ExecCx, RunState};

/// Deeper expressions raise 54001.
const MAX_DEPTH: usize = 4000;
/// Constant arrays from this size on are searched by hash.
const HASH_ARRAY_MIN: usize = 9;

pub struct Compiler<'c> {
    pub env: &'c ExecEnv<'c>,
    pub map: Option<&'c mut dyn VarMap>,
    /// Exec parameters read so far.
    pub params: Vec<u32>,
    pub volatile: bool,
    depth: usize,
}

/// text, varchar, unknown, cstring: plain text without a type modifier of its own.
pub fn is_text_like(ty: Oid) -> bool {
    matches!(ty, oid::TEXT | oid::VARCHAR | oid::UNKNOWN | oid::CSTRING)
}

impl<'c> Compiler<'c> {
    pub fn new(env: &'c ExecEnv<'c>, map: &'c mut dyn VarMap) -> Compiler<'c> {
        Compiler { env, map: Some(map), params: Vec::new(), volatile: false, depth: 0 }
    }
    /// For expressions without Vars.
    pub fn bare(env: &'c ExecEnv<'c>) -> Compiler<'c> {
        Compiler { env, map: None, params: Vec::new(), volatile: false, depth: 0 }
    }
    fn snapshot(&self) -> &'c Snapshot {
        self.env.host.catalog()
    }

    pub fn compile(&mut self, expr: &Expr) -> PgResult<Code> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            bail!(STATEMENT_TOO_COMPLEX, "stack depth limit exceeded");
        }
        let code = self.compile_node(expr);
        self.depth -= 1;
        code
    }

    pub fn list(&mut self, exprs: &[Expr]) -> PgResult<Box<[Code]>> {
        exprs.iter().map(|e| self.compile(e)).collect()
    }

    pub fn qual(&mut self, quals: &[Expr]) -> PgResult<Qual> {
        let mut codes = Vec::new();
        for q in quals {
            match self.compile(q)? {
                Code::And(args) => codes.extend(args),
                code => codes.push(code),
            }
        }
        Ok(Qual(codes.into()))
    }

    fn boxed(&mut self, expr: &Expr) -> PgResult<Box<Code>> {
        self.compile(expr).map(Box::new)
    }

    fn compile_node(&mut self, expr: &Expr) -> PgResult<Code> {
        Ok(match expr {
            Expr::Const(c) => Code::Const(c.value.clone()),
            Expr::Var(v) => match &mut self.map {
                Some(map) => map.var(v)?,
                None => Layout.var(v)?,
            },
            Expr::Param(p) => match p.kind {
                ParamKind::External => Code::Extern(p.id.saturating_sub(1)),
                ParamKind::Exec => {
                    self.params.push(p.id);
                    Code::Exec(p.id)
                }
            },
            Expr::Func(x) => self.func(x)?,
            Expr::Op(x) => self.call(x.func, x.ty, x.input_collation, false, &x.args)?,
            Expr::Distinct(x) => {
                let eq = self.eq_fn(x.func, x.input_collation, x.args[0].ty())?;
                Code::Distinct { eq, a: self.boxed(&x.args[0])?, b: self.boxed(&x.args[1])? }
            }
            Expr::NullIf(x) => {
                let eq = self.eq_fn(x.func, x.input_collation, x.args[0].ty())?;
                Code::NullIf { eq, a: self.boxed(&x.args[0])?, b: self.boxed(&x.args[1])? }
            }
            Expr::ScalarArrayOp(x) => self.saop(x)?,
            Expr::Bool { op, args, .. } => match op {
                BoolOp::And => Code::And(self.list(args)?),
                BoolOp::Or => Code::Or(self.list(args)?),
                BoolOp::Not => Code::Not(self.boxed(&args[0])?),
            },
            Expr::Aggref(_) | Expr::Grouping { .. } | Expr::WindowFunc(_) => self.special(expr)?,
            Expr::SubPlan(s) => self.subplan(s)?,
            Expr::FieldSelect { arg, field, ty, .. } => {
                Code::Field { arg: self.boxed(arg)?, field: (*field as usize).saturating_sub(1), ty: *ty }
            }
            Expr::FieldStore { arg, fields, ty } => {
                let arg = self.compile(arg)?;
                let mut out = Vec::new();
                for (n, e) in fields {
                    out.push((*n as usize - 1, self.compile(e)?));
                }
                let attrs = self.attrs(*ty)?;
                Code::FieldStore(Box::new(FieldStoreCode { arg, fields: out.into(), ty: *ty, attrs }))
            }
            Expr::Subscript(s) => self.subscript(s)?,
            Expr::Relabel { arg, ty, .. } if pglite_types::Datum::relabel_changes(arg.ty(), *ty) => {
                Code::Retag { arg: Box::new(self.compile(arg)?), ty: *ty }
            }
            Expr::Relabel { arg, .. } | Expr::Collate { arg, .. } | Expr::NamedArg { arg, .. } => {
                self.compile(arg)?
            }
            Expr::CoerceViaIo { arg, ty, .. } => {
                let from = arg.ty();
                let text_source = is_text_like(from) || matches!(from, oid::JSON | oid::XML);
                let same = text_source && is_text_like(*ty);
                Code::Io(Box::new(IoCode { arg: self.compile(arg)?, from, to: *ty, same }))
            }
            Expr::ArrayCoerce { arg, elem, ty, .. } => {
                let elem_type = self.env.host.type_desc(*ty)?.elem;
                let arg = self.compile(arg)?;
                let elem = self.compile(elem)?;
                let relabel = matches!(elem, Code::CaseTest);
                Code::ArrayCoerce(Box::new(ArrayCoerceCode { arg, elem, elem_type, relabel }))
            }
            Expr::ConvertRowtype { arg, ty, .. } => {
                let attrs = self.attrs(*ty)?;
                Code::ConvertRow(Box::new(ConvertRowCode { arg: self.compile(arg)?, ty: *ty, attrs }))
            }
            Expr::Case(c) => self.case(c)?,
            Expr::CaseTest { .. } => Code::CaseTest,
            Expr::Array { elements, ty, elem_type, multidims, .. } => {
                let elem_type = if *multidims { self.env.host.type_desc(*ty)?.elem } else { *elem_type };
                let elements = self.list(elements)?;
                fold_array(ArrayCode { elements, elem_type, multidims: *multidims })
            }
            Expr::Row { args, ty, names, .. } => {
                let attrs = self.row_attrs(*ty, args, names)?;
                Code::Row(Box::new(RowCode { args: self.list(args)?, ty: *ty, attrs }))
            }
            Expr::RowCompare(r) => self.row_compare(r)?,
            Expr::Coalesce { args, .. } => Code::Coalesce(self.list(args)?),
            Expr::MinMax { greatest, args, ty, input_collation, .. } => {
                let cmp = self.default_cmp(*ty, *input_collation)?;
                Code::MinMax(Box::new(MinMaxCode { greatest: *greatest, args: self.list(args)?, cmp }))
            }
            Expr::SqlValue { func, typmod, .. } => Code::SqlValue { func: *func, typmod: *typmod },
            Expr::NullTest { arg, is_null, arg_is_row, .. } => {
                let arg = self.boxed(arg)?;
                if *arg_is_row {
                    Code::RowIsNull { arg, want_null: *is_null }
                } else {
                    Code::IsNull { arg, negate: !*is_null }
                }
            }
            Expr::BooleanTest { arg, test, .. } => Code::BoolTest { arg: self.boxed(arg)?, test: *test },
            Expr::CoerceToDomain { arg, ty, .. } => {
                let arg = self.compile(arg)?;
                let levels = super::domain::compile_levels(self, *ty)?;
                if levels.iter().all(|l| !l.not_null && l.checks.is_empty()) {
                    arg
                } else {
                    Code::Domain(Box::new(DomainCode { arg, levels }))
                }
            }
            Expr::CoerceToDomainValue { .. } => Code::DomainValue,
            Expr::NextValue { seq, ty } => {
                self.volatile = true;
                Code::NextValue { seq: *seq, ty: *ty }
            }
            Expr::CurrentOf { .. } => self.special(expr)?,
            Expr::Xml(x) => self.xml(x)?,
            Expr::Json(j) => self.json(j)?,
            Expr::SubLink(_) | Expr::SetToDefault { .. } | Expr::MultiAssign { .. } => {
                return Err(PgError::internal("the planner left an expression that cannot be run"));
            }
        })
    }

    fn special(&mut self, expr: &Expr) -> PgResult<Code> {
        if let Some(map) = &mut self.map
            && let Some(code) = map.special(expr, self.env)?
        {
            return Ok(code);
        }
        Err(match expr {
            Expr::Aggref(_) | Expr::Grouping { .. } => PgError::internal("aggregate outside its node"),
            Expr::WindowFunc(_) => PgError::internal("window function outside its node"),
            _ => err!(FEATURE_NOT_SUPPORTED, "WHERE CURRENT OF is not supported for this table type"),
        })
    }

    fn func(&mut self, x: &FuncExpr) -> PgResult<Code> {
        if x.retset {
            return self.special(&Expr::Func(Box::new(x.clone()))).or_else(|_| {
                bail!(FEATURE_NOT_SUPPORTED, "set-valued function called in context that cannot accept a set")
            });
        }
        self.call(x.func, x.ty, x.input_collation, x.variadic, &x.args)
    }

    fn call(&mut self, func: Oid, ty: Oid, collation: Oid, variadic: bool, args: &[Expr]) -> PgResult<Code> {
        let proc_ = facts::proc_facts(self.snapshot(), func)?;
        self.volatile |= proc_.volatile;
        let codes = self.list(args)?;
        let built_in = proc_.lang != facts::Lang::Other;
        if built_in && codes.len() == 2 {
            let two = |codes: Box<[Code]>| {
                let mut it = codes.into_vec().into_iter();
                let (a, b) = (it.next().unwrap_or(Code::Const(Datum::Null)), it.next());
                (a, b.unwrap_or(Code::Const(Datum::Null)))
            };
            if let Some(op) = fast::comparison(&proc_.prosrc, is_byte_order(collation)) {
                let (a, b) = two(codes);
                return Ok(fast_comparison(op, a, b));
            }
            if let Some(f) = fast::strict2(&proc_.prosrc) {
                let (a, b) = two(codes);
                return Ok(Code::Strict2 { f, a: Box::new(a), b: Box::new(b) });
            }
        }
        let info = CallInfo {
            func,
            ret_type: ty,
            arg_types: args.iter().map(Expr::ty).collect(),
            collation,
            variadic,
            ..CallInfo::default()
        };
        Ok(Code::Call(Box::new(CallCode { f: FnRef::resolve(self.snapshot(), info)?, args: codes })))
    }

    fn saop(&mut self, x: &ScalarArrayOpExpr) -> PgResult<Code> {
        let proc_ = facts::proc_facts(self.snapshot(), x.func)?;
        self.volatile |= proc_.volatile;
        let scalar = self.compile(&x.args[0])?;
        let array = self.compile(&x.args[1])?;
        let fast = match proc_.lang {
            facts::Lang::Other => None,
            _ => fast::comparison(&proc_.prosrc, is_byte_order(x.input_collation)),
        };
        let test = match fast {
            Some(op) => SaopTest::Fast(op),
            None => {
                let elem = self.env.host.type_desc(x.args[1].ty())?.elem;
                SaopTest::Call(FnRef::resolve(
                    self.snapshot(),
                    CallInfo {
                        func: x.func,
                        ret_type: oid::BOOL,
                        arg_types: vec![x.args[0].ty(), elem],
                        collation: x.input_collation,
                        ..CallInfo::default()
                    },
                )?)
            }
        };
        let wanted = if x.use_or { CmpOp::Eq } else { CmpOp::Ne };
        let hashed = match (&test, &array) {
            (SaopTest::Fast(op), Code::Const(Datum::Array(a)))
                if *op == wanted && a.values.len() >= HASH_ARRAY_MIN =>
            {
                Some(HashedArray::new(&a.values))
            }
            _ => None,
        };
        Ok(Code::Saop(Box::new(SaopCode { scalar, array, use_or: x.use_or, test, hashed })))
    }

    fn case(&mut self, c: &CaseExpr) -> PgResult<Code> {
        let arg = c.arg.as_ref().map(|a| self.boxed(a)).transpose()?;
        let mut whens = Vec::with_capacity(c.whens.len());
        for (when, then) in &c.whens {
            whens.push((self.compile(when)?, self.compile(then)?));
        }
        let default = c.default.as_ref().map(|d| self.boxed(d)).transpose()?;
        Ok(Code::Case { arg, whens: whens.into(), default })
    }

    fn subscript(&mut self, s: &SubscriptExpr) -> PgResult<Code> {
        let container = self.compile(&s.container)?;
        let side = |c: &mut Self, list: &[Option<Expr>]| -> PgResult<Box<[Option<Code>]>> {
            list.iter().map(|e| e.as_ref().map(|e| c.compile(e)).transpose()).collect()
        };
        let upper = side(self, &s.upper)?;
        let lower = side(self, &s.lower)?;
        let assign = s.assign.as_ref().map(|a| self.compile(a)).transpose()?;
        Ok(Code::Subscript(Box::new(SubscriptCode {
            container,
            upper,
            lower,
            is_slice: s.is_slice,
            elem_type: s.elem_type,
            jsonb: s.container_type == oid::JSONB,
            assign,
            fixed: false,
        })))
    }

    fn subplan(&mut self, s: &SubPlan) -> PgResult<Code> {
        let args = self.list(&s.args)?;
        let hash = if s.use_hash && s.kind == SubLinkKind::Any { self.hash_test(s)? } else { None };
        let read_before = self.params.len();
        let test = s.test.as_ref().map(|t| self.compile(t)).transpose()?;
        let own = |p: &u32| s.column_params.contains(p);
        let kept: Vec<u32> = self.params.drain(read_before..).filter(|p| !own(p)).collect();
        self.params.extend(kept);
        let elem_type = match s.kind {
            SubLinkKind::Array => self.env.host.type_desc(s.ty)?.elem,
            _ => Oid::INVALID,
        };
        Ok(Code::SubPlan(Box::new(SubPlanCode {
            kind: s.kind,
            test,
            column_params: s.column_params.clone(),
            plan: s.plan,
            params: s.params.clone(),
            args,
            set_params: s.set_params.clone(),
            elem_type,
            hash,
        })))
    }

    /// The operands of `a = $col0 AND b = $col1 ...`; None when the test has another shape.
    fn hash_test(&mut self, s: &SubPlan) -> PgResult<Option<HashTest>> {
        let Some(test) = &s.test else { return Ok(None) };
        let parts: Vec<&Expr> = match test {
            Expr::Bool { op: BoolOp::And, args, .. } => args.iter().collect(),
            other => vec![other],
        };
        if parts.len() != s.column_params.len() {
            return Ok(None);
        }
        let (mut left, mut eq) = (Vec::new(), Vec::new());
        for (part, want) in parts.iter().zip(&s.column_params) {
            let Expr::Op(x) = part else { return Ok(None) };
            let column = strip(&x.args[1]);
            match column {
                Expr::Param(p) if p.kind == ParamKind::Exec && p.id == *want => {}
                _ => return Ok(None),
            }
            let f = self.eq_fn(x.func, x.input_collation, x.args[0].ty())?;
            if matches!(f, EqFn::Proc(_)) {
                return Ok(None);
            }
            left.push(self.compile(&x.args[0])?);
            eq.push(f);
        }
        Ok(Some(HashTest { left: left.into(), eq: eq.into() }))
    }

    fn row_compare(&mut self, r: &RowCompareExpr) -> PgResult<Code> {
        let mut cmp = Vec::new();
        for (i, op) in r.ops.iter().enumerate() {
            let collation = r.input_collations.get(i).copied().unwrap_or_default();
            let types = vec![r.left[i].ty(), r.right[i].ty()];
            let order = facts::order_facts(self.snapshot(), *op)?;
            cmp.push(self.cmp_fn(order.cmp, collation, types)?);
        }
        Ok(Code::RowCompare(Box::new(RowCompareCode {
            kind: r.kind,
            left: self.list(&r.left)?,
            right: self.list(&r.right)?,
            cmp: cmp.into(),
        })))
    }

    fn attrs(&self, ty: Oid) -> PgResult<Arc<[AttrDesc]>> {
        let mut desc = self.env.host.type_desc(ty)?;
        while desc.kind == TypeKind::Domain {
            desc = self.env.host.type_desc(desc.base)?;
        }
        Ok(desc.attrs.clone())
    }

    fn row_attrs(&self, ty: Oid, args: &[Expr], names: &[String]) -> PgResult<Arc<[AttrDesc]>> {
        if ty != oid::RECORD && ty.is_valid() {
            let attrs = self.attrs(ty)?;
            if !attrs.is_empty() {
                return Ok(attrs);
            }
        }
        Ok(args
            .iter()
            .enumerate()
            .map(|(i, a)| AttrDesc {
                name: match names.get(i) {
                    Some(n) => n.as_str().into(),
                    None => format!("f{}", i + 1).into(),
                },
                type_oid: a.ty(),
                typmod: a.typmod(),
                dropped: false,
            })
            .collect())
    }

    fn json(&mut self, j: &JsonExpr) -> PgResult<Code> {
        let behavior = |c: &mut Self, b: &Option<JsonBehavior>| -> PgResult<Option<Behavior>> {
            let Some(b) = b else { return Ok(None) };
            let expr = b.expr.as_ref().map(|e| c.compile(e)).transpose()?;
            Ok(Some(Behavior { kind: b.kind, expr }))
        };
        let mut passing = Vec::new();
        for (name, e) in &j.passing {
            passing.push((name.clone(), self.compile(e)?));
        }
        Ok(Code::Json(Box::new(JsonCode {
            op: j.op,
            args: self.list(&j.args)?,
            arg_types: j.args.iter().map(Expr::ty).collect(),
            ty: j.ty,
            typmod: j.typmod,
            absent_on_null: j.absent_on_null,
            unique_keys: j.unique_keys,
            passing_types: j.passing.iter().map(|(_, e)| e.ty()).collect(),
            passing: passing.into(),
            on_empty: behavior(self, &j.on_empty)?,
            on_error: behavior(self, &j.on_error)?,
            wrapper: j.wrapper,
            omit_quotes: j.omit_quotes,
            coercion: j.coercion.as_ref().map(|c| self.compile(c)).transpose()?,
            column: j.column_name.clone(),
        })))
    }

    fn xml(&mut self, x: &XmlExpr) -> PgResult<Code> {
        Ok(Code::Xml(Box::new(XmlCode {
            op: x.op,
            name: x.name.clone(),
            named: self.list(&x.named_args)?,
            names: x.arg_names.clone(),
            args: self.list(&x.args)?,
            arg_types: x.args.iter().map(Expr::ty).collect(),
            named_types: x.named_args.iter().map(Expr::ty).collect(),
            document: x.document,
            indent: x.indent,
            ty: x.ty,
        })))
    }

    /// The equality of an `=` operator's function.
    pub fn eq_fn(&mut self, func: Oid, collation: Oid, ty: Oid) -> PgResult<EqFn> {
        eq_fn(self.snapshot(), func, collation, ty)
    }

    /// The comparison of a btree support function.
    pub fn cmp_fn(&mut self, func: Oid, collation: Oid, types: Vec<Oid>) -> PgResult<CmpFn> {
        cmp_fn(self.snapshot(), func, collation, types)
    }

    pub fn default_cmp(&mut self, ty: Oid, collation: Oid) -> PgResult<CmpFn> {
        let func = facts::default_cmp(self.snapshot(), ty)?;
        self.cmp_fn(func, collation, vec![ty, ty])
    }
}

fn strip(expr: &Expr) -> &Expr {
    match expr {
        Expr::Relabel { arg, .. } | Expr::Collate { arg, .. } => strip(arg),
        other => other,
    }
}

/// Equality by an `=` function: inline for built-in kinds.
pub fn eq_fn(snapshot: &Snapshot, func: Oid, collation: Oid, ty: Oid) -> PgResult<EqFn> {
    let proc_ = facts::proc_facts(snapshot, func)?;
    if proc_.lang != facts::Lang::Other {
        const FAST: &[&str] = &[
            "interval_eq",
            "timetz_eq",
            "network_eq",
            "macaddr_eq",
            "macaddr8_eq",
            "biteq",
            "varbiteq",
            "tideq",
            "pg_lsn_eq",
            "jsonb_eq",
            "enum_eq",
            "xideq",
            "cideq",
            "array_eq",
            "record_eq",
            "range_eq",
            "multirange_eq",
            "tsvector_eq",
            "tsquery_eq",
            "xid8eq",
            "oidvectoreq",
            "int2vectoreq",
            "xideqint4",
        ];
        if fast::comparison(&proc_.prosrc, true) == Some(CmpOp::Eq) || FAST.contains(&&*proc_.prosrc) {
            return Ok(EqFn::Fast);
        }
        if &*proc_.prosrc == "bpchareq" {
            return Ok(EqFn::BpChar);
        }
    }
    let info =
        CallInfo { func, ret_type: oid::BOOL, arg_types: vec![ty, ty], collation, ..CallInfo::default() };
    let f = FnRef::resolve(snapshot, info)?;
    Ok(if matches!(f.ptr, FnPtr::Missing(_)) { EqFn::Fast } else { EqFn::Proc(f) })
}

/// Order by a btree support function: inline for built-in kinds.
pub fn cmp_fn(snapshot: &Snapshot, func: Oid, collation: Oid, types: Vec<Oid>) -> PgResult<CmpFn> {
    let proc_ = facts::proc_facts(snapshot, func)?;
    if proc_.lang != facts::Lang::Other {
        const FAST: &[&str] = &[
            "btint2cmp",
            "btint4cmp",
            "btint8cmp",
            "btint24cmp",
            "btint42cmp",
            "btint28cmp",
            "btint82cmp",
            "btint48cmp",
            "btint84cmp",
            "btfloat4cmp",
            "btfloat8cmp",
            "btfloat48cmp",
            "btfloat84cmp",
            "btboolcmp",
            "btcharcmp",
            "btoidcmp",
            "date_cmp",
            "timestamp_cmp",
            "time_cmp",
            "timetz_cmp",
            "interval_cmp",
            "uuid_cmp",
            "numeric_cmp",
            "byteacmp",
            "macaddr_cmp",
            "macaddr8_cmp",
            "network_cmp",
            "bitcmp",
            "pg_lsn_cmp",
            "bttidcmp",
            "cash_cmp",
            "jsonb_cmp",
            "xid8cmp",
        ];
        match &*proc_.prosrc {
            "bpcharcmp" if is_byte_order(collation) => return Ok(CmpFn::BpChar),
            "bttextcmp" | "btnamecmp" | "btnametextcmp" | "bttextnamecmp" if is_byte_order(collation) => {
                return Ok(CmpFn::Fast);
            }
            name if FAST.contains(&name) => return Ok(CmpFn::Fast),
            _ => {}
        }
    }
    let info = CallInfo { func, ret_type: oid::INT4, arg_types: types, collation, ..CallInfo::default() };
    let f = FnRef::resolve(snapshot, info)?;
    Ok(if matches!(f.ptr, FnPtr::Missing(_)) { CmpFn::Fast } else { CmpFn::Proc(f) })
}

fn fast_comparison(op: CmpOp, a: Code, b: Code) -> Code {
    if let (Code::Slot { slot, col }, Code::Const(d)) = (&a, &b)
        && let Some(value) = as_int(d)
    {
        return Code::CmpInt { op, slot: *slot, col: *col, value };
    }
    Code::Cmp { op, a: Box::new(a), b: Box::new(b) }
}

/// An array of constants is a constant.
fn fold_array(code: ArrayCode) -> Code {
    if code.multidims || !code.elements.iter().all(Code::is_const) {
        return Code::Array(Box::new(code));
    }
    let values =
        code.elements.iter().filter_map(|c| if let Code::Const(d) = c { Some(d.clone()) } else { None });
    Code::Const(Datum::Array(Arc::new(ArrayValue::one_dim(code.elem_type, values.collect()))))
}

/// Compiles an expression against a row layout of the caller's choice.
pub fn compile_expr(env: &ExecEnv<'_>, expr: &Expr, map: &mut dyn VarMap) -> PgResult<Code> {
    Compiler::new(env, map).compile(expr)
}

/// The value of an expression without Vars and exec parameters (defaults, constants to fold).
pub fn eval_const(env: &ExecEnv<'_>, expr: &Expr) -> PgResult<Datum> {
    let code = Compiler::bare(env).compile(expr)?;
    let mut run = RunState::bare(Arc::from(Vec::new()));
    code.eval(&Rows::default(), &mut ExecCx::new(env, &mut run))
}
