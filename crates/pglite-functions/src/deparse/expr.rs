//! Expressions in printed SQL.

use pglite_catalog::names::quote_ident;
use pglite_error::{PgError, PgResult};
use pglite_ir::Expr;
use pglite_ir::expr::*;
use pglite_types::{Oid, oid};

use super::Deparser;
use super::constant::ShowType;

impl<'a> Deparser<'a> {
    /// Prints an expression. `show_implicit`: spell out implicit casts too.
    pub(super) fn expr(&mut self, e: &Expr, show_implicit: bool) -> PgResult<()> {
        self.enter()?;
        let result = self.expr_inner(e, show_implicit);
        self.depth -= 1;
        result
    }

    /// An operand: in parentheses where precedence could bind it otherwise.
    fn operand(&mut self, e: &Expr, parent: &Expr) -> PgResult<()> {
        let wrap = !(self.style.pretty_paren && is_simple(e, parent))
            && !is_atomic(e)
            && !self_parenthesized(e, self.style.pretty_paren);
        if wrap {
            self.push("(");
        }
        self.expr(e, true)?;
        if wrap {
            self.push(")");
        }
        Ok(())
    }

    fn args(&mut self, args: &[Expr]) -> PgResult<()> {
        self.list(args, |d, a| d.expr(a, true))
    }

    fn open(&mut self) {
        if !self.style.pretty_paren {
            self.push("(");
        }
    }
    fn close(&mut self) {
        if !self.style.pretty_paren {
            self.push(")");
        }
    }

    fn expr_inner(&mut self, e: &Expr, show_implicit: bool) -> PgResult<()> {
        match e {
            Expr::Const(c) => self.constant(c, ShowType::IfNeeded),
            Expr::Var(v) => self.var(v),
            Expr::Param(p) => {
                let text = match p.kind {
                    ParamKind::External => format!("${}", p.id),
                    ParamKind::Exec => match self.plan.and_then(|n| n.param(p.id)) {
                        Some(text) => text,
                        None => format!("${}", p.id),
                    },
                };
                self.push(&text);
                Ok(())
            }
            Expr::Func(f) => self.func(f, show_implicit),
            Expr::Op(o) => self.op(e, o),
            Expr::Distinct(o) => {
                self.open();
                self.operand(&o.args[0], e)?;
                self.push(" IS DISTINCT FROM ");
                self.operand(&o.args[1], e)?;
                self.close();
                Ok(())
            }
            Expr::NullIf(o) => {
                self.push("NULLIF(");
                self.args(&o.args)?;
                self.push(")");
                Ok(())
            }
            Expr::ScalarArrayOp(s) => {
                self.open();
                self.operand(&s.args[0], e)?;
                let op = self.operator_name(s.op)?;
                self.push(&format!(" {op} {} (", if s.use_or { "ANY" } else { "ALL" }));
                self.operand(&s.args[1], e)?;
                self.push(")");
                self.close();
                Ok(())
            }
            Expr::Bool { op, args, .. } => self.boolean(e, *op, args),
            Expr::Aggref(a) => self.aggregate(a),
            Expr::Grouping { args, .. } => {
                self.push("GROUPING(");
                self.args(args)?;
                self.push(")");
                Ok(())
            }
            Expr::WindowFunc(w) => self.window_func(w),
            Expr::SubLink(s) => self.sublink(s),
            Expr::SubPlan(s) => {
                let text = self.plan.map_or_else(|| format!("({})", s.name), |p| p.subplan(s));
                self.push(&text);
                Ok(())
            }
            Expr::FieldSelect { arg, field, .. } => {
                self.push("(");
                self.expr(arg, true)?;
                self.push(").");
                let name = self.field_name(arg.ty(), arg, *field);
                self.push(&quote_ident(&name));
                Ok(())
            }
            Expr::FieldStore { fields, .. } => match fields.first() {
                Some((_, value)) => self.expr(value, show_implicit),
                None => Ok(()),
            },
            Expr::Subscript(s) => self.subscript(s, e),
            Expr::Relabel { arg, ty, typmod, form, .. } => {
                self.cast(e, arg, *ty, *typmod, *form, show_implicit)
            }
            Expr::CoerceViaIo { arg, ty, form, .. } => self.cast(e, arg, *ty, -1, *form, show_implicit),
            Expr::ArrayCoerce { arg, ty, typmod, form, .. } => {
                self.cast(e, arg, *ty, *typmod, *form, show_implicit)
            }
            Expr::ConvertRowtype { arg, ty, form, .. } => self.cast(e, arg, *ty, -1, *form, show_implicit),
            Expr::CoerceToDomain { arg, ty, typmod, form, .. } => {
                self.cast(e, arg, *ty, *typmod, *form, show_implicit)
            }
            Expr::Collate { arg, collation, .. } => {
                self.open();
                self.operand(arg, e)?;
                let name = self.collation_name(*collation);
                self.push(&format!(" COLLATE {name}"));
                self.close();
                Ok(())
            }
            Expr::Case(c) => self.case(c),
            Expr::CaseTest { .. } => {
                self.push("CASE_TEST_EXPR");
                Ok(())
            }
            Expr::Array { elements, ty, .. } => {
                self.push("ARRAY[");
                self.args(elements)?;
                self.push("]");
                if elements.is_empty() {
                    let name = self.type_name(*ty, -1);
                    self.push(&format!("::{name}"));
                }
                Ok(())
            }
            Expr::Row { args, ty, form, .. } => {
                self.push("ROW(");
                self.args(args)?;
                self.push(")");
                if *form == CoercionForm::ExplicitCast && *ty != oid::RECORD {
                    let name = self.type_name(*ty, -1);
                    self.push(&format!("::{name}"));
                }
                Ok(())
            }
            Expr::RowCompare(r) => {
                self.push("(ROW(");
                self.args(&r.left)?;
                let op = r.ops.first().map(|o| self.operator_name(*o)).transpose()?.unwrap_or_default();
                self.push(&format!(") {op} ROW("));
                self.args(&r.right)?;
                self.push("))");
                Ok(())
            }
            Expr::Coalesce { args, .. } => {
                self.push("COALESCE(");
                self.args(args)?;
                self.push(")");
                Ok(())
            }
            Expr::MinMax { greatest, args, .. } => {
                self.push(if *greatest { "GREATEST(" } else { "LEAST(" });
                self.args(args)?;
                self.push(")");
                Ok(())
            }
            Expr::SqlValue { func, typmod, .. } => {
                self.sql_value(*func, *typmod);
                Ok(())
            }
            Expr::NullTest { arg, is_null, arg_is_row, .. } => {
                self.open();
                self.operand(arg, e)?;
                // PG: a row-typed argument that is not really tested field by field is IS [NOT] DISTINCT FROM NULL.
                let scalar_test = *arg_is_row || !self.is_rowtype(arg.ty());
                self.push(match (scalar_test, is_null) {
                    (true, true) => " IS NULL",
                    (true, false) => " IS NOT NULL",
                    (false, true) => " IS NOT DISTINCT FROM NULL",
                    (false, false) => " IS DISTINCT FROM NULL",
                });
                self.close();
                Ok(())
            }
            Expr::BooleanTest { arg, test, .. } => {
                self.open();
                self.operand(arg, e)?;
                self.push(match test {
                    BoolTest::IsTrue => " IS TRUE",
                    BoolTest::IsNotTrue => " IS NOT TRUE",
                    BoolTest::IsFalse => " IS FALSE",
                    BoolTest::IsNotFalse => " IS NOT FALSE",
                    BoolTest::IsUnknown => " IS UNKNOWN",
                    BoolTest::IsNotUnknown => " IS NOT UNKNOWN",
                });
                self.close();
                Ok(())
            }
            Expr::CoerceToDomainValue { .. } => {
                self.push("VALUE");
                Ok(())
            }
            Expr::SetToDefault { .. } => {
                self.push("DEFAULT");
                Ok(())
            }
            Expr::CurrentOf { cursor, .. } => {
                self.push(&format!("CURRENT OF {}", quote_ident(cursor)));
                Ok(())
            }
            Expr::NextValue { seq, .. } => {
                let name = pglite_catalog::format_type::relation_name(self.catalog, self.path, *seq)
                    .unwrap_or_default();
                self.push(&format!("nextval('{name}'::regclass)"));
                Ok(())
            }
            Expr::NamedArg { name, arg, .. } => {
                self.push(&format!("{} => ", quote_ident(name)));
                self.expr(arg, true)
            }
            Expr::MultiAssign { .. } | Expr::Xml(_) | Expr::Json(_) => {
                Err(PgError::unsupported("printing this kind of expression is not supported yet"))
            }
        }
    }

    fn is_rowtype(&self, ty: Oid) -> bool {
        ty == oid::RECORD || self.catalog.type_by_oid(ty).is_some_and(|t| t.typtype == b'c')
    }

    fn field_name(&self, ty: Oid, arg: &Expr, field: i16) -> String {
        if let Expr::Row { names, .. } = arg
            && let Some(name) = names.get(field as usize - 1)
        {
            return name.clone();
        }
        let rel = self.catalog.type_by_oid(self.catalog.base_type(ty)).map(|t| t.typrelid);
        rel.and_then(|r| self.catalog.attribute(r, field))
            .map_or_else(|| format!("f{field}"), |a| a.attname.to_string())
    }

    fn op(&mut self, e: &Expr, o: &OpExpr) -> PgResult<()> {
        self.open();
        let name = self.operator_name(o.op)?;
        match &o.args[..] {
            [left, right] => {
                self.operand(left, e)?;
                self.push(&format!(" {name} "));
                self.operand(right, e)?;
            }
            [arg] => {
                self.push(&name);
                self.push(" ");
                self.operand(arg, e)?;
            }
            _ => return Err(PgError::internal("operator with no arguments")),
        }
        self.close();
        Ok(())
    }

    fn boolean(&mut self, e: &Expr, op: BoolOp, args: &[Expr]) -> PgResult<()> {
        self.open();
        match op {
            BoolOp::Not => {
                self.push("NOT ");
                self.operand(&args[0], e)?;
            }
            BoolOp::And | BoolOp::Or => {
                let word = if op == BoolOp::And { " AND " } else { " OR " };
                for (i, a) in args.iter().enumerate() {
                    if i > 0 {
                        self.push(word);
                    }
                    self.operand(a, e)?;
                }
            }
        }
        self.close();
        Ok(())
    }

    /// A function call, or the cast it implements.
    fn func(&mut self, f: &FuncExpr, show_implicit: bool) -> PgResult<()> {
        match f.form {
            CoercionForm::ImplicitCast if !show_implicit => return self.expr(&f.args[0], false),
            CoercionForm::ImplicitCast | CoercionForm::ExplicitCast if !f.args.is_empty() => {
                let e = Expr::Func(Box::new(f.clone()));
                return self.cast_text(&f.args[0], f.ty, e.typmod(), &e);
            }
            CoercionForm::SqlSyntax if self.sql_syntax(f)? => {
                return Ok(());
            }
            _ => {}
        }
        let name = self.function_name(f.func)?;
        self.push(&name);
        self.push("(");
        let last = f.args.len().saturating_sub(1);
        for (i, a) in f.args.iter().enumerate() {
            if i > 0 {
                self.push(", ");
            }
            if f.variadic && i == last {
                self.push("VARIADIC ");
            }
            self.expr(a, true)?;
        }
        self.push(")");
        Ok(())
    }

    /// Functions with a syntax of their own; false = print as a call.
    fn sql_syntax(&mut self, f: &FuncExpr) -> PgResult<bool> {
        let name = self.catalog.proc_by_oid(f.func).map(|p| p.proname.to_string()).unwrap_or_default();
        let a = &f.args;
        match (name.as_str(), a.len()) {
            ("timezone", 2) => {
                self.push("(");
                self.expr(&a[1], true)?;
                self.push(" AT TIME ZONE ");
                self.expr(&a[0], true)?;
                self.push(")");
            }
            ("timezone", 1) => {
                self.push("(");
                self.expr(&a[0], true)?;
                self.push(" AT LOCAL)");
            }
            ("extract", 2) => {
                self.push("EXTRACT(");
                match &a[0] {
                    Expr::Const(c) => {
                        let field = c.value.as_str().unwrap_or("").to_string();
                        self.push(&field);
                    }
                    other => self.expr(other, true)?,
                }
                self.push(" FROM ");
                self.expr(&a[1], true)?;
                self.push(")");
            }
            ("position", 2) => {
                self.push("POSITION((");
                self.expr(&a[1], true)?;
                self.push(") IN (");
                self.expr(&a[0], true)?;
                self.push("))");
            }
            ("overlay", 3 | 4) => self.words("OVERLAY(", a, &[" PLACING ", " FROM ", " FOR "])?,
            ("substring", 2 | 3) => self.words("SUBSTRING(", a, &[" FROM ", " FOR "])?,
            ("btrim" | "ltrim" | "rtrim", 1 | 2) => {
                self.push(match name.as_str() {
                    "btrim" => "TRIM(BOTH",
                    "ltrim" => "TRIM(LEADING",
                    _ => "TRIM(TRAILING",
                });
                if let Some(chars) = a.get(1) {
                    self.push(" ");
                    self.expr(chars, true)?;
                }
                self.push(" FROM ");
                self.expr(&a[0], true)?;
                self.push(")");
            }
            ("overlaps", 4) => {
                self.push("((");
                self.args(&a[..2])?;
                self.push(") OVERLAPS (");
                self.args(&a[2..])?;
                self.push("))");
            }
            ("normalize" | "is_normalized", _) => return Ok(false),
            ("pg_collation_for", 1) => {
                self.push("COLLATION FOR (");
                self.expr(&a[0], true)?;
                self.push(")");
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn words(&mut self, head: &str, args: &[Expr], seps: &[&str]) -> PgResult<()> {
        self.push(head);
        for (i, a) in args.iter().enumerate() {
            if i > 0 {
                self.push(seps[i - 1]);
            }
            self.expr(a, true)?;
        }
        self.push(")");
        Ok(())
    }

    fn cast(
        &mut self,
        e: &Expr,
        arg: &Expr,
        ty: Oid,
        typmod: i32,
        form: CoercionForm,
        show_implicit: bool,
    ) -> PgResult<()> {
        if form == CoercionForm::ImplicitCast && !show_implicit {
            return self.expr(arg, false);
        }
        self.cast_text(arg, ty, typmod, e)
    }

    /// `arg::type`.
    fn cast_text(&mut self, arg: &Expr, ty: Oid, typmod: i32, parent: &Expr) -> PgResult<()> {
        match arg {
            // Why: a constant of the target type needs no second label.
            Expr::Const(c) if c.ty == ty => self.constant(c, ShowType::Never)?,
            _ => {
                let wrap = !self.style.pretty_paren || !is_simple(arg, parent);
                let wrap = wrap && !matches!(arg, Expr::Subscript(_));
                if wrap {
                    self.push("(");
                }
                self.expr(arg, false)?;
                if wrap {
                    self.push(")");
                }
            }
        }
        let name = self.type_name(ty, typmod);
        self.push("::");
        self.push(&name);
        Ok(())
    }

    fn subscript(&mut self, s: &SubscriptExpr, e: &Expr) -> PgResult<()> {
        if s.assign.is_some() {
            return s.assign.as_ref().map_or(Ok(()), |v| self.expr(v, true));
        }
        let wrap = !matches!(s.container, Expr::Var(_) | Expr::FieldSelect { .. });
        if wrap {
            self.push("(");
        }
        self.expr(&s.container, true)?;
        if wrap {
            self.push(")");
        }
        let _ = e;
        for (i, upper) in s.upper.iter().enumerate() {
            self.push("[");
            if s.is_slice {
                if let Some(Some(lower)) = s.lower.get(i) {
                    self.expr(lower, false)?;
                }
                self.push(":");
            }
            if let Some(upper) = upper {
                self.expr(upper, false)?;
            }
            self.push("]");
        }
        Ok(())
    }

    fn case(&mut self, c: &CaseExpr) -> PgResult<()> {
        let gap = |d: &mut Self| {
            if !d.style.indent {
                d.push(" ");
            }
        };
        self.keyword("CASE", 0, 4, 0);
        if let Some(arg) = &c.arg {
            self.push(" ");
            self.expr(arg, true)?;
        }
        for (when, then) in &c.whens {
            gap(self);
            self.keyword("WHEN ", 0, 0, 0);
            // `CASE x WHEN y`: the comparison's right side is what was written.
            match (c.arg.is_some(), when) {
                (true, Expr::Op(o)) if o.args.len() == 2 && is_case_test(&o.args[0]) => {
                    self.expr(&o.args[1], false)?
                }
                _ => self.expr(when, false)?,
            }
            self.push(" THEN ");
            self.expr(then, true)?;
        }
        gap(self);
        self.keyword("ELSE ", 0, 0, 0);
        match &c.default {
            Some(d) => self.expr(d, true)?,
            None => {
                let name = self.type_name(c.ty, -1);
                self.push(&format!("NULL::{name}"));
            }
        }
        gap(self);
        self.keyword("END", -4, 0, 0);
        Ok(())
    }

    fn aggregate(&mut self, a: &Aggref) -> PgResult<()> {
        let name = self.function_name(a.func)?;
        self.push(&name);
        self.push("(");
        if !a.distinct.is_empty() {
            self.push("DISTINCT ");
        }
        if a.kind != AggKind::Normal {
            self.args(&a.direct_args)?;
            self.push(") WITHIN GROUP (ORDER BY ");
            let targets = a.args.clone();
            self.sort_list(&a.order, &targets, false)?;
        } else {
            if a.star {
                self.push("*");
            }
            let args: Vec<&Expr> = a.args.iter().filter(|t| !t.junk).map(|t| &t.expr).collect();
            let last = args.len().saturating_sub(1);
            for (i, arg) in args.into_iter().enumerate() {
                if i > 0 {
                    self.push(", ");
                }
                if a.variadic && i == last {
                    self.push("VARIADIC ");
                }
                self.expr(arg, true)?;
            }
            if !a.order.is_empty() {
                self.push(" ORDER BY ");
                let targets = a.args.clone();
                self.sort_list(&a.order, &targets, false)?;
            }
        }
        if let Some(filter) = &a.filter {
            self.push(") FILTER (WHERE ");
            self.expr(filter, false)?;
        }
        self.push(")");
        Ok(())
    }

    fn window_func(&mut self, w: &WindowFunc) -> PgResult<()> {
        let name = self.function_name(w.func)?;
        self.push(&name);
        self.push("(");
        if w.star {
            self.push("*");
        }
        self.args(&w.args)?;
        if let Some(filter) = &w.filter {
            self.push(") FILTER (WHERE ");
            self.expr(filter, false)?;
        }
        self.push(") OVER ");
        if let Some(name) = self.plan.and_then(|p| p.window(w.winref)) {
            self.push(&name);
            return Ok(());
        }
        self.over(w.winref)
    }

    fn sublink(&mut self, s: &SubLink) -> PgResult<()> {
        let array = s.kind == SubLinkKind::Array;
        self.push(if array { "ARRAY(" } else { "(" });
        match (s.kind, &s.test) {
            (SubLinkKind::Any | SubLinkKind::All | SubLinkKind::RowCompare, Some(test)) => {
                let (left, op) = self.sublink_test(test)?;
                self.push(&left);
                let is_in = s.kind == SubLinkKind::Any && s.op_name == ["="];
                self.push(&match s.kind {
                    SubLinkKind::Any if is_in || (s.op_name.is_empty() && op == "=") => " IN ".to_string(),
                    SubLinkKind::Any => format!(" {op} ANY "),
                    SubLinkKind::All => format!(" {op} ALL "),
                    _ => format!(" {op} "),
                });
            }
            (SubLinkKind::Exists, _) => self.push("EXISTS "),
            _ => {}
        }
        let parens = !matches!(
            s.kind,
            SubLinkKind::Expr | SubLinkKind::Array | SubLinkKind::MultiExpr | SubLinkKind::Cte
        );
        if parens {
            self.push("( ");
        } else {
            self.push(" ");
        }
        self.subquery(&s.query)?;
        self.push(if parens { "))" } else { ")" });
        Ok(())
    }

    /// The left side and operator of a sublink's test.
    fn sublink_test(&mut self, test: &Expr) -> PgResult<(String, String)> {
        let saved = std::mem::take(&mut self.out);
        let mut op = String::new();
        match test {
            Expr::Op(o) => {
                self.expr(&o.args[0], true)?;
                op = self.operator_name(o.op)?;
            }
            Expr::Bool { args, .. } => {
                self.push("(");
                for (i, a) in args.iter().enumerate() {
                    if let Expr::Op(o) = a {
                        if i > 0 {
                            self.push(", ");
                        }
                        self.expr(&o.args[0], true)?;
                        op = self.operator_name(o.op)?;
                    }
                }
                self.push(")");
            }
            Expr::RowCompare(r) => {
                self.push("(");
                self.args(&r.left)?;
                self.push(")");
                op = r.ops.first().map(|o| self.operator_name(*o)).transpose()?.unwrap_or_default();
            }
            other => self.expr(other, true)?,
        }
        Ok((std::mem::replace(&mut self.out, saved), op))
    }

    fn sql_value(&mut self, func: SqlValueFunc, typmod: i32) {
        let name = match func {
            SqlValueFunc::CurrentDate => "CURRENT_DATE",
            SqlValueFunc::CurrentTime => "CURRENT_TIME",
            SqlValueFunc::CurrentTimestamp => "CURRENT_TIMESTAMP",
            SqlValueFunc::LocalTime => "LOCALTIME",
            SqlValueFunc::LocalTimestamp => "LOCALTIMESTAMP",
            SqlValueFunc::CurrentRole => "CURRENT_ROLE",
            SqlValueFunc::CurrentUser => "CURRENT_USER",
            SqlValueFunc::User => "USER",
            SqlValueFunc::SessionUser => "SESSION_USER",
            SqlValueFunc::CurrentCatalog => "CURRENT_CATALOG",
            SqlValueFunc::CurrentSchema => "CURRENT_SCHEMA",
            SqlValueFunc::SystemUser => "SYSTEM_USER",
        };
        self.push(name);
        if typmod >= 0 {
            self.push(&format!("({typmod})"));
        }
    }
}

fn is_case_test(e: &Expr) -> bool {
    match e {
        Expr::CaseTest { .. } => true,
        Expr::Relabel { arg, .. } | Expr::CoerceViaIo { arg, .. } => is_case_test(arg),
        Expr::Func(f) if f.form == CoercionForm::ImplicitCast => f.args.first().is_some_and(is_case_test),
        _ => false,
    }
}

/// Needs no parentheses anywhere.
fn is_atomic(e: &Expr) -> bool {
    match e {
        Expr::Var(_)
        | Expr::Const(_)
        | Expr::Param(_)
        | Expr::CoerceToDomainValue { .. }
        | Expr::SetToDefault { .. }
        | Expr::CurrentOf { .. }
        | Expr::Subscript(_)
        | Expr::Array { .. }
        | Expr::Row { .. }
        | Expr::Coalesce { .. }
        | Expr::MinMax { .. }
        | Expr::SqlValue { .. }
        | Expr::NextValue { .. }
        | Expr::NullIf(_)
        | Expr::Aggref(_)
        | Expr::Grouping { .. }
        | Expr::WindowFunc(_)
        | Expr::FieldSelect { .. }
        | Expr::SubLink(_)
        | Expr::SubPlan(_)
        | Expr::Case(_)
        | Expr::CaseTest { .. }
        | Expr::Func(_)
        | Expr::Relabel { .. }
        | Expr::CoerceViaIo { .. }
        | Expr::ArrayCoerce { .. }
        | Expr::CoerceToDomain { .. }
        | Expr::RowCompare(_) => true,
        _ => false,
    }
}

/// Prints its own parentheses (the unpretty style wraps every operator).
fn self_parenthesized(e: &Expr, pretty: bool) -> bool {
    !pretty
        && matches!(
            e,
            Expr::Op(_)
                | Expr::Distinct(_)
                | Expr::ScalarArrayOp(_)
                | Expr::Bool { .. }
                | Expr::NullTest { .. }
                | Expr::BooleanTest { .. }
                | Expr::Collate { .. }
        )
}

/// Whether `e` as an operand of `parent` reads the same without parentheses (pretty style).
fn is_simple(e: &Expr, parent: &Expr) -> bool {
    if is_atomic(e) {
        return !matches!(e, Expr::Case(_))
            || !matches!(parent, Expr::Relabel { .. } | Expr::CoerceViaIo { .. });
    }
    match (e, parent) {
        (Expr::Bool { op: BoolOp::Not, .. }, Expr::Bool { op: BoolOp::And | BoolOp::Or, .. }) => true,
        (Expr::Bool { op: BoolOp::And, .. }, Expr::Bool { op: BoolOp::And | BoolOp::Or, .. }) => true,
        (Expr::Bool { op: BoolOp::Or, .. }, Expr::Bool { op: BoolOp::Or, .. }) => true,
        (Expr::Bool { .. }, _) => false,
        (_, Expr::Bool { .. }) => true,
        _ => false,
    }
}
