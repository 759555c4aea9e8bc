//! Functions in FROM: ROWS FROM, WITH ORDINALITY, column definition lists, and the columns a function returns.

use crate::prelude::*;
use crate::rtable::{alias_of, col_type, column_aliases, new_rte};

/// One function of the item, bound.
struct Bound {
    expr: Expr,
    name: String,
    coldefs: Vec<ast::ColumnDef>,
}

impl Analyzer<'_, '_> {
    pub(super) fn transform_range_function(&mut self, f: &ast::RangeFunction) -> PgResult<NsItem> {
        self.cur().lateral_active = true;
        let saved = std::mem::replace(&mut self.cur().kind, ExprKind::FromFunction);
        let mut bound = Vec::new();
        for item in &f.functions {
            self.bind_from_function(item, f.is_rowsfrom || f.functions.len() == 1, &mut bound)?;
        }
        self.cur().lateral_active = false;
        self.cur().kind = saved;
        for b in &mut bound {
            self.assign_expr_collations(&mut b.expr)?;
        }
        if !f.coldeflist.is_empty() {
            let at = f.coldeflist.first().map_or(-1, |c| c.location);
            if bound.len() != 1 {
                let e = if f.is_rowsfrom {
                    err!(
                        SYNTAX_ERROR,
                        "ROWS FROM() with multiple functions cannot have a column definition list"
                    )
                    .hint("Put a separate column definition list for each function inside ROWS FROM().")
                } else {
                    err!(SYNTAX_ERROR, "UNNEST() with multiple arguments cannot have a column definition list")
                        .hint("Use separate UNNEST() calls inside ROWS FROM(), and attach a column definition list to each one.")
                };
                return Err(e.at(at));
            }
            if f.ordinality {
                return Err(err!(
                    SYNTAX_ERROR,
                    "WITH ORDINALITY cannot be used with a column definition list"
                )
                .hint("Put the column definition list inside ROWS FROM().")
                .at(at));
            }
            bound[0].coldefs = f.coldeflist.clone();
        }
        self.add_function(f, bound)
    }

    /// `unnest(a, b)` with several arguments is several functions.
    fn bind_from_function(
        &mut self,
        item: &ast::RangeFunctionItem,
        _single: bool,
        out: &mut Vec<Bound>,
    ) -> PgResult<()> {
        let srfs = self.cur().srfs;
        if let ast::Expr::FuncCall(c) = &item.func
            && c.funcname.len() == 1
            && c.funcname[0] == "unnest"
            && c.args.len() > 1
            && c.agg_order.is_empty()
            && c.agg_filter.is_none()
            && c.over.is_none()
            && !c.agg_star
            && !c.agg_distinct
            && !c.func_variadic
            && item.coldeflist.is_empty()
        {
            for arg in &c.args {
                let call = ast::FuncCall {
                    funcname: vec!["pg_catalog".into(), "unnest".into()],
                    args: vec![arg.clone()],
                    location: c.location,
                    ..ast::FuncCall::default()
                };
                let expr = self.transform_func_call(&call, false)?;
                out.push(Bound { expr, name: "unnest".into(), coldefs: Vec::new() });
            }
            return Ok(());
        }
        let expr = self.transform_expr(&item.func)?;
        let after = self.cur().srfs;
        let own = u32::from(matches!(&expr, Expr::Func(f) if f.retset));
        if after - srfs > own {
            let at = self.cur().last_srf_location;
            return Err(err!(
                FEATURE_NOT_SUPPORTED,
                "set-returning functions must appear at top level of FROM"
            )
            .at(at));
        }
        let name = crate::target::figure_colname(&item.func);
        out.push(Bound { expr, name, coldefs: item.coldeflist.clone() });
        Ok(())
    }

    fn add_function(&mut self, f: &ast::RangeFunction, bound: Vec<Bound>) -> PgResult<NsItem> {
        let alias = f.alias.as_ref().map(alias_of);
        let default_name = bound.first().map_or(String::new(), |b| b.name.clone());
        let nfuncs = bound.len();
        let mut functions = Vec::with_capacity(nfuncs);
        let (mut names, mut types) = (Vec::new(), Vec::new());
        for b in bound {
            let coldeflist = !b.coldefs.is_empty();
            let columns = self.function_columns(&b, alias.as_ref(), nfuncs)?;
            for (n, t) in &columns {
                names.push(n.clone());
                types.push(*t);
            }
            functions.push(RangeTblFunction { expr: b.expr, columns, coldeflist });
        }
        if f.ordinality {
            names.push("ordinality".into());
            types.push(ColType { ty: oid::INT8, typmod: -1, collation: Oid::INVALID });
        }
        let eref = column_aliases(&default_name, alias.as_ref(), names, |name, have, given| {
            err!(
                INVALID_COLUMN_REFERENCE,
                "table \"{name}\" has {have} columns available but {given} columns specified"
            )
        })?;
        let lateral = f.lateral || functions.iter().any(|x| has_any_var(&x.expr));
        let kind = RteKind::Function { functions, ordinality: f.ordinality };
        let index = self.add_rte(new_rte(kind, alias, eref.clone(), lateral, true));
        Ok(NsItem::plain(index, eref, &types))
    }

    /// The columns of one function in FROM.
    fn function_columns(
        &mut self,
        b: &Bound,
        alias: Option<&Alias>,
        nfuncs: usize,
    ) -> PgResult<Vec<(String, ColType)>> {
        let ty = b.expr.ty();
        let out = match &b.expr {
            Expr::Func(f) => {
                let args: Vec<Oid> = f.args.iter().map(Expr::ty).collect();
                self.out_param_columns(f.func, &args, f.ty)
            }
            _ => None,
        };
        let composite = self.cat.type_or_domain_relid(ty);
        let at = b.coldefs.first().map_or(-1, |c| c.location);
        if !b.coldefs.is_empty() {
            if out.is_some() {
                return Err(err!(
                    SYNTAX_ERROR,
                    "a column definition list is redundant for a function with OUT parameters"
                )
                .at(at));
            }
            if composite.is_valid() {
                return Err(err!(
                    SYNTAX_ERROR,
                    "a column definition list is redundant for a function returning a named composite type"
                )
                .at(at));
            }
            if ty != oid::RECORD {
                return Err(err!(
                    SYNTAX_ERROR,
                    "a column definition list is only allowed for functions returning \"record\""
                )
                .at(at));
            }
            return self.column_definitions(&b.coldefs);
        }
        if let Some(cols) = out {
            return Ok(cols);
        }
        if let Some(rel) = self.cat.relation(composite) {
            return Ok(self
                .cat
                .live_atts(&rel)
                .map(|a| (a.name.to_string(), ColType { ty: a.ty, typmod: a.typmod, collation: a.collation }))
                .collect());
        }
        if ty == oid::RECORD {
            if let Some(cols) = self.record_columns(&b.expr, 0).filter(|_| !matches!(b.expr, Expr::Func(_))) {
                return Ok(cols);
            }
            return Err(err!(
                SYNTAX_ERROR,
                "a column definition list is required for functions returning \"record\""
            )
            .at(b.expr.location()));
        }
        if self.cat.typtype(ty) == b'p' && ty != oid::VOID && ty != oid::CSTRING {
            let name = self.cat.format_type(ty);
            return Err(err!(
                DATATYPE_MISMATCH,
                "function \"{}\" in FROM has unsupported return type {name}",
                b.name
            )
            .at(b.expr.location()));
        }
        let own = match &b.expr {
            Expr::Func(f) => self.single_out_name(f.func),
            _ => None,
        };
        let name = own.unwrap_or_else(|| match alias {
            Some(a) if nfuncs == 1 => a.name.clone(),
            _ => b.name.clone(),
        });
        let mut t = col_type(&b.expr);
        if !t.collation.is_valid() {
            t.collation = self.cat.type_collation(ty);
        }
        Ok(vec![(name, t)])
    }

    /// `AS (a int, b text)`.
    pub(crate) fn column_definitions(&mut self, defs: &[ast::ColumnDef]) -> PgResult<Vec<(String, ColType)>> {
        let mut out: Vec<(String, ColType)> = Vec::new();
        for d in defs {
            let Some(tn) = &d.type_name else {
                return Err(PgError::internal("column definition without type"));
            };
            if tn.setof {
                return Err(err!(
                    INVALID_TABLE_DEFINITION,
                    "column \"{}\" cannot be declared SETOF",
                    d.colname
                )
                .at(d.location));
            }
            let (ty, typmod) = self.resolve_type(tn)?;
            let collation = match &d.coll_clause {
                Some(c) => self.lookup_collation(&c.collname, c.location)?,
                None => self.cat.type_collation(ty),
            };
            if out.iter().any(|(n, _)| *n == d.colname) {
                bail!(DUPLICATE_COLUMN, "column name \"{}\" specified more than once", d.colname);
            }
            if self.cat.typtype(ty) == b'p' && ty != oid::RECORD && ty != oid::RECORD_ARRAY {
                let name = self.cat.format_type(ty);
                bail!(INVALID_TABLE_DEFINITION, "column \"{}\" has pseudo-type {name}", d.colname);
            }
            out.push((d.colname.clone(), ColType { ty, typmod, collation }));
        }
        Ok(out)
    }

    /// The columns of a function with two or more OUT parameters (or TABLE), polymorphic types resolved.
    pub(crate) fn out_param_columns(
        &self,
        func: Oid,
        args: &[Oid],
        ret: Oid,
    ) -> Option<Vec<(String, ColType)>> {
        if ret != oid::RECORD {
            return None;
        }
        let p = self.cat.proc(func).ok()?;
        let (all, modes) = (p.proallargtypes.as_ref()?, p.proargmodes.as_ref()?);
        let mut out = Vec::new();
        for (i, (ty, mode)) in all.iter().zip(modes.iter()).enumerate() {
            if !matches!(mode, b'o' | b'b' | b't') {
                continue;
            }
            let mut declared: Vec<Oid> = p.proargtypes.to_vec();
            declared.resize(args.len().max(declared.len()), oid::ANY);
            let n = args.len().min(declared.len());
            let ty = self.cat.enforce_generic_types(&args[..n], &mut declared[..n], *ty, true).ok()?;
            let name =
                p.proargnames.as_ref().and_then(|n| n.get(i)).map(|n| n.to_string()).unwrap_or_default();
            let name = if name.is_empty() { format!("column{}", out.len() + 1) } else { name };
            out.push((name, ColType { ty, typmod: -1, collation: self.cat.type_collation(ty) }));
        }
        (out.len() >= 2 || (!out.is_empty() && modes.contains(&b't') && out.len() > 1)).then_some(out)
    }

    /// The name of the only OUT parameter.
    fn single_out_name(&self, func: Oid) -> Option<String> {
        let p = self.cat.proc(func).ok()?;
        let (names, modes) = (p.proargnames.as_ref()?, p.proargmodes.as_ref()?);
        let mut outs = modes.iter().enumerate().filter(|(_, m)| matches!(**m, b'o' | b'b' | b't'));
        let (i, _) = outs.next()?;
        if outs.next().is_some() {
            return None;
        }
        names.get(i).map(|n| n.to_string()).filter(|n| !n.is_empty())
    }
}

/// Whether any variable of this level occurs (then the item is lateral).
fn has_any_var(e: &Expr) -> bool {
    crate::expr::contains_local_var(e)
}
