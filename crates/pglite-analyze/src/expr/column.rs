//! Column references: `a`, `t.a`, `s.t.a`, `t.*` as a value.

use crate::call::CallSyntax;
use crate::env::VariablePhase;
use crate::prelude::*;

impl Analyzer<'_, '_> {
    pub(super) fn transform_column_ref(&mut self, c: &ast::ColumnRef) -> PgResult<Expr> {
        let location = c.location;
        if let Some(msg) = self.cur().kind.column_error() {
            return Err(err!(FEATURE_NOT_SUPPORTED, "{msg}").at(location));
        }
        let names: Vec<&str> = c
            .fields
            .iter()
            .map(|f| match f {
                ast::Field::Name(n) => n.as_str(),
                ast::Field::Star => "*",
            })
            .collect();
        if let Some(e) = self.env.resolve_variable(&names, location, VariablePhase::BeforeColumns)? {
            return Ok(e);
        }
        let starred = matches!(c.fields.last(), Some(ast::Field::Star));
        let result = self.lookup_column(&names, starred, location);
        match result {
            Ok(e) => {
                self.env.resolve_variable(&names, location, VariablePhase::ColumnFound)?;
                Ok(e)
            }
            Err(e) => match self.env.resolve_variable(&names, location, VariablePhase::AfterColumns)? {
                Some(v) => Ok(v),
                None => Err(e),
            },
        }
    }

    fn lookup_column(&mut self, names: &[&str], starred: bool, location: i32) -> PgResult<Expr> {
        match *names {
            [name] => self.lookup_bare(name, location),
            [table, col] => self.lookup_qualified(None, table, col, starred, location),
            [schema, table, col] => self.lookup_qualified(Some(schema), table, col, starred, location),
            [db, schema, table, col] => {
                if db != self.env.database_name() {
                    return Err(err!(
                        FEATURE_NOT_SUPPORTED,
                        "cross-database references are not implemented: {}",
                        names.join(".")
                    )
                    .at(location));
                }
                self.lookup_qualified(Some(schema), table, col, starred, location)
            }
            _ => Err(err!(
                SYNTAX_ERROR,
                "improper qualified name (too many dotted names): {}",
                names.join(".")
            )
            .at(location)),
        }
    }

    fn lookup_bare(&mut self, name: &str, location: i32) -> PgResult<Expr> {
        if let Some((_, e)) = self.cur().named_columns.iter().find(|(n, _)| n == name) {
            let mut e = e.clone();
            match &mut e {
                Expr::Var(v) => v.location = location,
                Expr::Param(p) => p.location = location,
                _ => {}
            }
            return Ok(e);
        }
        if let Some(e) = self.column_by_name(name, location)? {
            return Ok(e);
        }
        if name == "value"
            && self.cur().kind == ExprKind::DomainCheck
            && let Some(t) = self.cur().domain_value
        {
            return Ok(Expr::CoerceToDomainValue {
                ty: t.ty,
                typmod: t.typmod,
                collation: t.collation,
                location,
            });
        }
        if let Some((item, up)) = self.item_by_name(None, name, location)? {
            return self.whole_row(&item, up, location);
        }
        Err(self.missing_column(None, name, location))
    }

    fn lookup_qualified(
        &mut self,
        schema: Option<&str>,
        table: &str,
        col: &str,
        starred: bool,
        location: i32,
    ) -> PgResult<Expr> {
        let Some((item, up)) = self.item_by_name(schema, table, location)? else {
            return Err(self.missing_table(schema, table, location));
        };
        if starred {
            return self.whole_row(&item, up, location);
        }
        if let Some(e) = self.scan_item(&item, up, col, location)? {
            return Ok(e);
        }
        let row = self.whole_row(&item, up, location)?;
        let srfs = self.cur().srfs;
        let syn = CallSyntax { call: None, proc_call: false, location };
        match self.func_or_column(&[col.to_string()], vec![row], srfs, &syn)? {
            Ok(e) => Ok(e),
            Err(_) => Err(self.missing_column(Some(table), col, location)),
        }
    }

    /// A field of a composite value by name (`ParseComplexProjection`); gives the value back when it has none.
    pub fn complex_projection(
        &mut self,
        name: &str,
        arg: Expr,
        location: i32,
    ) -> PgResult<Result<Expr, Expr>> {
        if let Expr::Var(v) = &arg
            && v.attno == 0
        {
            let (up, v) = (v.levels_up, v.clone());
            let item = self
                .level(up)
                .namespace
                .iter()
                .find(|n| n.rte == v.rte && n.returning == v.returning)
                .cloned();
            if let Some(item) = item {
                return Ok(self.scan_item(&item, up, name, location)?.ok_or(arg));
            }
        }
        let ty = arg.ty();
        if ty == oid::RECORD {
            return Ok(self.record_field(name, arg));
        }
        let base = self.cat.base_type(ty);
        let Some(rel) = self.cat.relation(self.cat.type_relid(base)) else { return Ok(Err(arg)) };
        let Some(att) = self.cat.live_atts(&rel).find(|a| a.name == name) else { return Ok(Err(arg)) };
        let (field, fty, typmod, collation) = (att.attnum, att.ty, att.typmod, att.collation);
        let arg = if base == ty {
            arg
        } else {
            crate::coerce::relabel(arg, base, -1, Oid::INVALID, CoercionForm::ImplicitCast, -1)
        };
        Ok(Ok(Expr::FieldSelect { arg: Box::new(arg), field, ty: fty, typmod, collation }))
    }

    /// A field of an anonymous record whose columns are known from its source.
    fn record_field(&mut self, name: &str, arg: Expr) -> Result<Expr, Expr> {
        let Some(cols) = self.record_columns(&arg, 0) else { return Err(arg) };
        let Some(at) = cols.iter().position(|(n, _)| n == name) else { return Err(arg) };
        let t = cols[at].1;
        Ok(Expr::FieldSelect {
            arg: Box::new(arg),
            field: at as i16 + 1,
            ty: t.ty,
            typmod: t.typmod,
            collation: t.collation,
        })
    }

    /// The columns of a RECORD-typed expression (PostgreSQL's `expandRecordVariable`, and row constructors).
    pub fn record_columns(&self, e: &Expr, extra_up: u32) -> Option<Vec<(String, ColType)>> {
        match e {
            Expr::Row { args, names, .. } => Some(
                args.iter()
                    .enumerate()
                    .map(|(i, a)| {
                        let name = names.get(i).cloned().unwrap_or_else(|| format!("f{}", i + 1));
                        (name, ColType { ty: a.ty(), typmod: a.typmod(), collation: a.collation() })
                    })
                    .collect(),
            ),
            Expr::Var(v) => {
                let up = v.levels_up + extra_up;
                if up as usize >= self.levels.len() {
                    return None;
                }
                let rte = self.rte(v.rte, up);
                if v.attno == 0 {
                    return Some(self.rte_columns(rte));
                }
                match &rte.kind {
                    RteKind::Subquery { query, .. } => {
                        let t = query.targets.iter().filter(|t| !t.junk).nth(v.attno as usize - 1)?;
                        self.query_record_columns(query, &t.expr, &[])
                    }
                    RteKind::Cte { name, levels_up, .. } => {
                        let level = up + levels_up;
                        if level as usize >= self.levels.len() {
                            return None;
                        }
                        let cte = &self.level(level).ctes.iter().rev().find(|c| c.cte.name == *name)?.cte;
                        let t = cte.query.targets.iter().filter(|t| !t.junk).nth(v.attno as usize - 1)?;
                        self.query_record_columns(&cte.query, &t.expr, &[])
                    }
                    RteKind::Join { vars, .. } => self.record_columns(vars.get(v.attno as usize - 1)?, up),
                    RteKind::Function { functions, .. } => self.record_columns(&functions.first()?.expr, up),
                    _ => None,
                }
            }
            Expr::Func(f) => {
                self.out_param_columns(f.func, &f.args.iter().map(Expr::ty).collect::<Vec<_>>(), f.ty)
            }
            Expr::SubLink(s) if s.kind == SubLinkKind::Expr => {
                let t = s.query.targets.iter().find(|t| !t.junk)?;
                self.query_record_columns(&s.query, &t.expr, &[])
            }
            Expr::Case(c) => c.whens.first().and_then(|(_, r)| self.record_columns(r, extra_up)),
            Expr::Coalesce { args, .. } => args.first().and_then(|a| self.record_columns(a, extra_up)),
            _ => None,
        }
    }

    /// Names and types of a range table entry's columns.
    pub fn rte_columns(&self, rte: &RangeTblEntry) -> Vec<(String, ColType)> {
        let types = self.rte_types(rte);
        rte.eref.columns.iter().cloned().zip(types).filter(|(_, t)| t.ty.is_valid()).collect()
    }
}

impl Analyzer<'_, '_> {
    /// The columns of a record made inside a finished subquery; `outer` are the queries around it, innermost last.
    fn query_record_columns(&self, q: &Query, e: &Expr, outer: &[&Query]) -> Option<Vec<(String, ColType)>> {
        let typed = crate::rtable::col_type;
        match e {
            Expr::Row { args, names, .. } => Some(
                args.iter()
                    .enumerate()
                    .map(|(i, a)| (names.get(i).cloned().unwrap_or_else(|| format!("f{}", i + 1)), typed(a)))
                    .collect(),
            ),
            Expr::Func(f) => {
                self.out_param_columns(f.func, &f.args.iter().map(Expr::ty).collect::<Vec<_>>(), f.ty)
            }
            Expr::Var(v) if v.levels_up == 0 => {
                let rte = q.rtable.get(v.rte as usize - 1)?;
                if v.attno == 0 {
                    return Some(self.rte_columns(rte));
                }
                let mut around = outer.to_vec();
                around.push(q);
                match &rte.kind {
                    RteKind::Subquery { query, .. } => {
                        let t = query.targets.iter().filter(|t| !t.junk).nth(v.attno as usize - 1)?;
                        self.query_record_columns(query, &t.expr, &around)
                    }
                    RteKind::Join { vars, .. } => {
                        self.query_record_columns(q, vars.get(v.attno as usize - 1)?, outer)
                    }
                    RteKind::Function { functions, .. } => {
                        self.query_record_columns(q, &functions.first()?.expr, outer)
                    }
                    RteKind::Cte { name, levels_up, .. } => {
                        let up = *levels_up as usize;
                        let home = around.len().checked_sub(1 + up);
                        let cte = match home {
                            Some(at) => around[at].ctes.iter().find(|c| c.name == *name)?,
                            None => {
                                let level = (up - around.len()) as u32;
                                if level as usize >= self.levels.len() {
                                    return None;
                                }
                                &self.level(level).ctes.iter().rev().find(|c| c.cte.name == *name)?.cte
                            }
                        };
                        let t = cte.query.targets.iter().filter(|t| !t.junk).nth(v.attno as usize - 1)?;
                        self.query_record_columns(&cte.query, &t.expr, &around[..home.map_or(0, |h| h + 1)])
                    }
                    _ => None,
                }
            }
            _ => None,
        }
    }
}
