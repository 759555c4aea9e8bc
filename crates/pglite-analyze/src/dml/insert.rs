//! INSERT.

use crate::prelude::*;
use crate::rtable::new_rte;

impl Analyzer<'_, '_> {
    pub(super) fn transform_insert(&mut self, s: &ast::InsertStmt) -> PgResult<Query> {
        let mut q = Query::new(CommandType::Insert);
        self.cur().is_insert = true;
        if let Some(w) = &s.with_clause {
            q.recursive = w.recursive;
            self.transform_with(w)?;
        }
        q.override_kind = overriding(s.override_);
        let updates =
            s.on_conflict_clause.as_ref().is_some_and(|c| c.action == ast::OnConflictAction::Update);
        let perms = crate::ACL_INSERT | if updates { crate::ACL_UPDATE } else { 0 };
        q.result_relation = self.set_target(&s.relation, false, false, perms)?;
        let columns = self.insert_columns(&s.cols)?;
        let row = match s.select_stmt.as_deref() {
            None => Vec::new(),
            Some(sel) if is_general(sel) => self.insert_from_select(sel, s, &columns)?,
            Some(sel) if sel.values_lists.len() > 1 => self.insert_values(sel, s, &columns)?,
            Some(sel) => {
                let raw = sel.values_lists.first().map(Vec::as_slice).unwrap_or_default();
                let list = self.transform_expr_list(raw, ExprKind::ValuesSingle, true)?;
                self.insert_row(list, !s.cols.is_empty(), &columns)?
            }
        };
        for (e, (c, attno)) in row.into_iter().zip(&columns) {
            q.targets.push(TargetEntry::new(e, *attno, c.name.clone()));
            let perms = &mut self.rte_mut(q.result_relation, 0).perms;
            if !perms.inserted.contains(attno) {
                perms.inserted.push(*attno);
            }
        }
        if s.on_conflict_clause.is_some() || s.returning_clause.is_some() {
            self.cur().namespace.clear();
            if let Some(t) = self.cur().target_ns.clone() {
                self.add_namespace(t);
            }
        }
        if let Some(c) = &s.on_conflict_clause {
            q.on_conflict = Some(Box::new(self.transform_on_conflict(c)?));
        }
        self.transform_returning(&mut q, s.returning_clause.as_ref(), ExprKind::Returning)?;
        q.jointree = JoinTree { from: std::mem::take(&mut self.cur().joinlist), quals: None };
        self.finish_query(&mut q);
        self.assign_query_collations(&mut q)?;
        Ok(q)
    }

    /// INSERT ... SELECT: the query as a subquery; literals of unknown type are assigned directly.
    fn insert_from_select(
        &mut self,
        sel: &ast::SelectStmt,
        s: &ast::InsertStmt,
        columns: &[(ast::ResTarget, i16)],
    ) -> PgResult<Vec<Expr>> {
        let query = self.sub_analyze_select(sel, None, false, false)?;
        let live = || query.targets.iter().filter(|t| !t.junk);
        let names: Vec<String> = live().map(|t| t.name.clone().unwrap_or_default()).collect();
        let index = self.cur().rtable.len() as u32 + 1;
        let mut list = Vec::new();
        for (i, t) in live().enumerate() {
            let is_unknown =
                matches!(&t.expr, Expr::Const(_) | Expr::Param(_)) && t.expr.ty() == oid::UNKNOWN;
            list.push(if is_unknown { t.expr.clone() } else { column_ref(index, i as i16 + 1, &t.expr) });
        }
        let alias = Alias { name: "*SELECT*".into(), columns: Vec::new() };
        let eref = Alias { name: "*SELECT*".into(), columns: names };
        let kind = RteKind::Subquery { query: Box::new(query), security_barrier: false, view: None };
        self.add_rte(new_rte(kind, Some(alias), eref, false, false));
        self.cur().joinlist.push(FromItem::Rte(index));
        self.insert_row(list, !s.cols.is_empty(), columns)
    }

    /// Several VALUES rows: each is coerced to the columns' types on its own, then they become a VALUES entry.
    fn insert_values(
        &mut self,
        sel: &ast::SelectStmt,
        s: &ast::InsertStmt,
        columns: &[(ast::ResTarget, i16)],
    ) -> PgResult<Vec<Expr>> {
        let mut rows: Vec<Vec<Expr>> = Vec::with_capacity(sel.values_lists.len());
        let mut width = None;
        for raw in &sel.values_lists {
            let row = self.transform_expr_list(raw, ExprKind::Values, true)?;
            if width.is_some_and(|w| w != row.len()) {
                let at = row.iter().map(Expr::location).find(|l| *l >= 0).unwrap_or(-1);
                return Err(err!(SYNTAX_ERROR, "VALUES lists must all be the same length").at(at));
            }
            width = Some(row.len());
            let mut row: Vec<Expr> =
                self.insert_row(row, !s.cols.is_empty(), columns)?.into_iter().map(strip_store).collect();
            self.assign_list_collations(row.iter_mut())?;
            rows.push(row);
        }
        let types: Vec<ColType> =
            rows.first().map(|r| r.iter().map(crate::rtable::col_type).collect()).unwrap_or_default();
        let lateral = rows.iter().flatten().any(crate::expr::contains_local_var);
        let item = self.add_values(rows, types, None, lateral)?;
        self.cur().joinlist.push(FromItem::Rte(item.rte));
        let list: Vec<Expr> = item.columns.iter().map(|c| crate::from::raw_var(c, &item)).collect();
        self.insert_row(list, !s.cols.is_empty(), columns)
    }

    /// PostgreSQL's `transformInsertRow`.
    pub(super) fn insert_row(
        &mut self,
        list: Vec<Expr>,
        listed: bool,
        columns: &[(ast::ResTarget, i16)],
    ) -> PgResult<Vec<Expr>> {
        if list.len() > columns.len() {
            return Err(err!(SYNTAX_ERROR, "INSERT has more expressions than target columns")
                .at(list[columns.len()].location()));
        }
        if listed && list.len() < columns.len() {
            let e = err!(SYNTAX_ERROR, "INSERT has more target columns than expressions")
                .at(columns[list.len()].0.location);
            let row_width = match list.as_slice() {
                [Expr::Row { args, .. }] => Some(args.len()),
                [Expr::Var(v)] if v.attno != 0 && v.ty == oid::RECORD => None,
                _ => None,
            };
            return Err(if row_width == Some(columns.len()) {
                e.hint("The insertion source is a row expression containing the same number of columns expected by the INSERT. Did you accidentally use extra parentheses?")
            } else {
                e
            });
        }
        let mut out = Vec::with_capacity(list.len());
        for (e, (c, attno)) in list.into_iter().zip(columns) {
            let name = c.name.as_deref().unwrap_or("");
            out.push(self.transform_assigned(
                e,
                ExprKind::InsertTarget,
                name,
                *attno,
                &c.indirection,
                c.location,
            )?);
        }
        Ok(out)
    }
}

pub(super) fn overriding(o: ast::OverridingKind) -> Overriding {
    match o {
        ast::OverridingKind::NotSet => Overriding::NotSet,
        ast::OverridingKind::UserValue => Overriding::User,
        ast::OverridingKind::SystemValue => Overriding::System,
    }
}

fn is_general(s: &ast::SelectStmt) -> bool {
    s.values_lists.is_empty()
        || !s.sort_clause.is_empty()
        || s.limit_offset.is_some()
        || s.limit_count.is_some()
        || !s.locking_clause.is_empty()
        || s.with_clause.is_some()
}

fn column_ref(rte: u32, attno: i16, source: &Expr) -> Expr {
    Expr::Var(Var {
        rte,
        attno,
        levels_up: 0,
        ty: source.ty(),
        typmod: source.typmod(),
        collation: source.collation(),
        returning: VarReturning::Default,
        syn_rte: rte,
        syn_attno: attno,
        location: source.location(),
    })
}

/// The bare value of a store: a VALUES row keeps values, the stores are made around its columns.
fn strip_store(e: Expr) -> Expr {
    match e {
        Expr::FieldStore { mut fields, .. } if !fields.is_empty() => strip_store(fields.swap_remove(0).1),
        Expr::Subscript(s) if s.assign.is_some() => match s.assign {
            Some(v) => strip_store(v),
            None => crate::expr::null_unknown(),
        },
        Expr::CoerceToDomain { arg, .. }
            if matches!(*arg, Expr::FieldStore { .. })
                || matches!(&*arg, Expr::Subscript(s) if s.assign.is_some()) =>
        {
            strip_store(*arg)
        }
        other => other,
    }
}
