//! Target lists: `*` expansion, output names, and where output columns come from.

pub(crate) mod assign;
mod colname;

use crate::prelude::*;

pub(crate) use colname::{figure_colname, raw_location};

impl Analyzer<'_, '_> {
    /// A SELECT or RETURNING list.
    pub fn transform_target_list(
        &mut self,
        list: &[ast::ResTarget],
        kind: ExprKind,
    ) -> PgResult<Vec<TargetEntry>> {
        let mut out = Vec::with_capacity(list.len());
        for t in list {
            let Some(val) = &t.val else { return Err(PgError::internal("target without expression")) };
            if kind != ExprKind::UpdateSource
                && let Some(cols) = self.expand_star(val, kind)?
            {
                for (name, e) in cols {
                    let resno = self.take_resno();
                    out.push(TargetEntry::new(e, resno, Some(name)));
                }
                continue;
            }
            let e = self.transform_as(val, kind)?;
            let name = match &t.name {
                Some(n) => n.clone(),
                None => sublink_column(val, &e).unwrap_or_else(|| figure_colname(val)),
            };
            let resno = self.take_resno();
            out.push(TargetEntry::new(e, resno, Some(name)));
        }
        Ok(out)
    }

    pub fn take_resno(&mut self) -> i16 {
        let level = self.cur();
        level.next_resno += 1;
        level.next_resno - 1
    }

    /// Expands `*`, `t.*` and `(value).*`; `None` for anything else.
    pub fn expand_star(&mut self, e: &ast::Expr, kind: ExprKind) -> PgResult<Option<Vec<(String, Expr)>>> {
        match e {
            ast::Expr::ColumnRef(c) if matches!(c.fields.last(), Some(ast::Field::Star)) => {
                self.expand_column_star(c).map(Some)
            }
            ast::Expr::AIndirection(i) if matches!(i.indirection.last(), Some(ast::Indirection::Star)) => {
                let mut inner = (**i).clone();
                inner.indirection.pop();
                let value = if inner.indirection.is_empty() {
                    self.transform_as(&inner.arg, kind)?
                } else {
                    self.transform_as(&ast::Expr::AIndirection(Box::new(inner)), kind)?
                };
                self.expand_row(value, raw_location(&i.arg)).map(Some)
            }
            _ => Ok(None),
        }
    }

    fn expand_column_star(&mut self, c: &ast::ColumnRef) -> PgResult<Vec<(String, Expr)>> {
        let at = c.location;
        let names: Vec<&str> = c
            .fields
            .iter()
            .filter_map(|f| match f {
                ast::Field::Name(n) => Some(n.as_str()),
                ast::Field::Star => None,
            })
            .collect();
        if names.is_empty() {
            return self.expand_all_tables(at);
        }
        let mut all = names.clone();
        all.push("*");
        if let Some(v) = self.env.resolve_variable(&all, at, crate::VariablePhase::BeforeColumns)? {
            return self.expand_row(v, at);
        }
        let (schema, table) = match *names {
            [t] => (None, t),
            [s, t] => (Some(s), t),
            [db, s, t] if db == self.env.database_name() => (Some(s), t),
            [_, _, _] => {
                return Err(err!(
                    FEATURE_NOT_SUPPORTED,
                    "cross-database references are not implemented: {}",
                    all.join(".")
                )
                .at(at));
            }
            _ => {
                return Err(err!(
                    SYNTAX_ERROR,
                    "improper qualified name (too many dotted names): {}",
                    all.join(".")
                )
                .at(at));
            }
        };
        match self.item_by_name(schema, table, at)? {
            Some((item, up)) => Ok(self.expand_item(&item, up, at)),
            None => match self.env.resolve_variable(&all, at, crate::VariablePhase::AfterColumns)? {
                Some(v) => self.expand_row(v, at),
                None => Err(self.missing_table(schema, table, at)),
            },
        }
    }

    fn expand_all_tables(&mut self, at: i32) -> PgResult<Vec<(String, Expr)>> {
        let items: Vec<NsItem> = self.cur().namespace.iter().filter(|i| i.cols_visible).cloned().collect();
        if items.is_empty() {
            return Err(err!(SYNTAX_ERROR, "SELECT * with no tables specified is not valid").at(at));
        }
        Ok(items.iter().flat_map(|i| self.expand_item(i, 0, at)).collect())
    }

    /// The fields of a composite value.
    pub fn expand_row(&mut self, value: Expr, at: i32) -> PgResult<Vec<(String, Expr)>> {
        if let Expr::Var(v) = &value
            && v.attno == 0
        {
            let v = v.clone();
            let item = self
                .level(v.levels_up)
                .namespace
                .iter()
                .find(|n| n.rte == v.rte && n.returning == v.returning)
                .cloned();
            if let Some(item) = item {
                return Ok(self.expand_item(&item, v.levels_up, at));
            }
        }
        let ty = value.ty();
        let columns: Vec<(i16, String, ColType)> =
            if let Some(rel) = self.cat.relation(self.cat.type_or_domain_relid(ty)) {
                self.cat
                    .live_atts(&rel)
                    .map(|a| {
                        let t = ColType { ty: a.ty, typmod: a.typmod, collation: a.collation };
                        (a.attnum, a.name.to_string(), t)
                    })
                    .collect()
            } else if let Some(cols) = self.record_columns(&value, 0) {
                cols.into_iter().enumerate().map(|(i, (n, t))| (i as i16 + 1, n, t)).collect()
            } else if ty == oid::RECORD {
                return Err(err!(FEATURE_NOT_SUPPORTED, "record type has not been registered").at(at));
            } else {
                let name = self.cat.format_type(ty);
                return Err(err!(WRONG_OBJECT_TYPE, "type {name} is not composite").at(at));
            };
        Ok(columns
            .into_iter()
            .map(|(field, name, t)| {
                let e = Expr::FieldSelect {
                    arg: Box::new(value.clone()),
                    field,
                    ty: t.ty,
                    typmod: t.typmod,
                    collation: t.collation,
                };
                (name, e)
            })
            .collect())
    }

    /// Expressions of ROW(), VALUES and INSERT: `*` expands, DEFAULT stays when allowed.
    pub fn transform_expr_list(
        &mut self,
        list: &[ast::Expr],
        kind: ExprKind,
        allow_default: bool,
    ) -> PgResult<Vec<Expr>> {
        let mut out = Vec::with_capacity(list.len());
        for e in list {
            if let Some(cols) = self.expand_star(e, kind)? {
                out.extend(cols.into_iter().map(|(_, e)| e));
                continue;
            }
            if let (true, ast::Expr::SetToDefault(d)) = (allow_default, e) {
                out.push(Expr::SetToDefault {
                    ty: oid::UNKNOWN,
                    typmod: -1,
                    collation: Oid::INVALID,
                    location: d.location,
                });
                continue;
            }
            out.push(self.transform_as(e, kind)?);
        }
        Ok(out)
    }

    /// Notes the source column of plain variables, for RowDescription.
    pub fn mark_origins(&self, list: &mut [TargetEntry]) {
        for t in list {
            if let Expr::Var(v) = &t.expr {
                (t.orig_table, t.orig_column) = self.origin(v, 0);
            }
        }
    }

    fn origin(&self, v: &Var, extra: u32) -> (Oid, i16) {
        let up = v.levels_up + extra;
        if v.attno == 0 || up as usize >= self.levels.len() {
            return (Oid::INVALID, 0);
        }
        match &self.rte(v.rte, up).kind {
            RteKind::Relation { rel, .. } => (rel.oid, v.attno),
            RteKind::Subquery { query, .. } => query
                .targets
                .iter()
                .filter(|t| !t.junk)
                .nth(v.attno as usize - 1)
                .map_or((Oid::INVALID, 0), |t| (t.orig_table, t.orig_column)),
            RteKind::Join { vars, .. } => match vars.get(v.attno as usize - 1) {
                Some(Expr::Var(inner)) => self.origin(inner, up),
                _ => (Oid::INVALID, 0),
            },
            RteKind::Cte { name, levels_up, self_reference: false, .. } => {
                let level = up + levels_up;
                if level as usize >= self.levels.len() {
                    return (Oid::INVALID, 0);
                }
                let found = self.level(level).ctes.iter().rev().find(|c| c.cte.name == *name);
                let list = found.map(|c| {
                    let q = &c.cte.query;
                    if q.command == CommandType::Select { &q.targets } else { &q.returning }
                });
                list.and_then(|l| l.iter().filter(|t| !t.junk).nth(v.attno as usize - 1))
                    .map_or((Oid::INVALID, 0), |t| (t.orig_table, t.orig_column))
            }
            _ => (Oid::INVALID, 0),
        }
    }

    /// Unknown literals left in a finished list become text.
    pub fn resolve_unknowns(&mut self, list: &mut [TargetEntry]) -> PgResult<()> {
        for t in list {
            if t.expr.ty() == oid::UNKNOWN {
                let e = std::mem::replace(&mut t.expr, crate::expr::null_unknown());
                t.expr = self.coerce_type(e, oid::TEXT, -1, crate::coerce::How::IMPLICIT)?;
            }
        }
        Ok(())
    }
}

/// A scalar subquery is named like its column.
fn sublink_column(raw: &ast::Expr, bound: &Expr) -> Option<String> {
    match (raw, bound) {
        (ast::Expr::SubLink(s), Expr::SubLink(b)) if s.sub_link_type == ast::SubLinkType::Expr => {
            b.query.targets.iter().find(|t| !t.junk)?.name.clone()
        }
        _ => None,
    }
}
