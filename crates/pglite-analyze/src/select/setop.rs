//! UNION, INTERSECT, EXCEPT.

use super::locking::strength_name;
use crate::prelude::*;
use crate::rtable::new_rte;

/// One output column of an arm.
#[derive(Clone)]
struct Column {
    /// The arm's expression; for a nested set operation a typed placeholder.
    expr: Expr,
    name: Option<String>,
}

impl Analyzer<'_, '_> {
    pub(super) fn transform_set_operation(&mut self, s: &ast::SelectStmt) -> PgResult<Query> {
        let mut q = Query::new(CommandType::Select);
        let mut leftmost = s;
        while let Some(l) = &leftmost.larg {
            if leftmost.op == ast::SetOperation::None {
                break;
            }
            leftmost = l;
        }
        if let Some(into) = &leftmost.into_clause {
            return Err(err!(SYNTAX_ERROR, "SELECT ... INTO is not allowed here").at(into.rel.location));
        }
        if let Some(l) = s.locking_clause.first() {
            bail!(
                FEATURE_NOT_SUPPORTED,
                "{} is not allowed with UNION/INTERSECT/EXCEPT",
                strength_name(l.strength)
            );
        }
        if let Some(w) = &s.with_clause {
            q.recursive = w.recursive;
            self.transform_with(w)?;
        }
        let (tree, columns) = self.set_op_tree(s, true, true)?;
        let left_rte = leftmost_leaf(&tree);
        let left_places: Vec<i32> = match &self.rte(left_rte, 0).kind {
            RteKind::Subquery { query, .. } => {
                query.targets.iter().filter(|t| !t.junk).map(|t| t.expr.location()).collect()
            }
            _ => Vec::new(),
        };
        let mut targets = Vec::with_capacity(columns.len());
        for c in &columns {
            let resno = self.take_resno();
            let t = crate::rtable::col_type(&c.expr);
            let e = Expr::Var(Var {
                rte: left_rte,
                attno: resno,
                levels_up: 0,
                ty: t.ty,
                typmod: t.typmod,
                collation: t.collation,
                returning: VarReturning::Default,
                syn_rte: left_rte,
                syn_attno: resno,
                location: left_places.get(resno as usize - 1).copied().unwrap_or(-1),
            });
            targets.push(TargetEntry::new(e, resno, c.name.clone()));
        }
        q.sort = self.set_op_sort(&s.sort_clause, &mut targets, left_rte)?;
        self.finish_limit(&mut q, s)?;
        q.targets = targets;
        q.set_ops = Some(Box::new(tree));
        self.finish_query(&mut q);
        self.assign_query_collations(&mut q)?;
        Ok(q)
    }

    /// ORDER BY of a set operation: only output names and positions.
    fn set_op_sort(
        &mut self,
        order: &[ast::SortBy],
        targets: &mut Vec<TargetEntry>,
        left_rte: u32,
    ) -> PgResult<Vec<SortGroupClause>> {
        if order.is_empty() {
            return Ok(Vec::new());
        }
        let names = targets.iter().map(|t| t.name.clone().unwrap_or_default()).collect();
        let types: Vec<ColType> = targets.iter().map(|t| crate::rtable::col_type(&t.expr)).collect();
        let item = NsItem::plain(left_rte, Alias { name: String::new(), columns: names }, &types);
        let item = NsItem { rel_visible: false, ..item };
        let saved = std::mem::replace(&mut self.cur().namespace, vec![item]);
        let before = targets.len();
        let sort = self.transform_sort(order, targets, ExprKind::OrderBy, false)?;
        self.cur().namespace = saved;
        if targets.len() > before {
            return Err(err!(FEATURE_NOT_SUPPORTED, "invalid UNION/INTERSECT/EXCEPT ORDER BY clause")
                .detail("Only result column names can be used, not expressions or functions.")
                .hint("Add the expression/function to every SELECT, or move the UNION into a FROM clause.")
                .at(targets[before].expr.location()));
        }
        Ok(sort)
    }

    fn set_op_tree(
        &mut self,
        s: &ast::SelectStmt,
        top: bool,
        first: bool,
    ) -> PgResult<(SetOpTree, Vec<Column>)> {
        self.check_depth()?;
        if let Some(into) = &s.into_clause
            && !first
        {
            return Err(err!(SYNTAX_ERROR, "INTO is only allowed on first SELECT of UNION/INTERSECT/EXCEPT")
                .at(into.rel.location));
        }
        if let Some(l) = s.locking_clause.first() {
            bail!(
                FEATURE_NOT_SUPPORTED,
                "{} is not allowed with UNION/INTERSECT/EXCEPT",
                strength_name(l.strength)
            );
        }
        let (Some(larg), Some(rarg)) = (&s.larg, &s.rarg) else { return self.set_op_leaf(s) };
        let is_leaf = !top
            && (!s.sort_clause.is_empty()
                || s.limit_offset.is_some()
                || s.limit_count.is_some()
                || s.with_clause.is_some());
        if is_leaf {
            return self.set_op_leaf(s);
        }
        let (kind, context) = match s.op {
            ast::SetOperation::Intersect => (SetOpKind::Intersect, "INTERSECT"),
            ast::SetOperation::Except => (SetOpKind::Except, "EXCEPT"),
            _ => (SetOpKind::Union, "UNION"),
        };
        let (mut left, lcols) = self.set_op_tree(larg, false, first)?;
        let recursive = top && self.in_recursive_cte();
        if recursive {
            self.set_recursive_columns(&lcols)?;
        }
        let (mut right, rcols) = self.set_op_tree(rarg, false, false)?;
        if lcols.len() != rcols.len() {
            let at = rcols.iter().map(|c| c.expr.location()).find(|l| *l >= 0).unwrap_or(-1);
            return Err(
                err!(SYNTAX_ERROR, "each {context} query must have the same number of columns").at(at)
            );
        }
        let all = s.all;
        let (mut columns, mut types, mut group) = (Vec::new(), Vec::new(), Vec::new());
        for (col, (l, r)) in lcols.into_iter().zip(rcols).enumerate() {
            let t = self.unify_arms(l.clone(), r, context, kind == SetOpKind::Union && all)?;
            let (t, location) = t;
            self.coerce_arm(&mut left, col, t.ty, context)?;
            self.coerce_arm(&mut right, col, t.ty, context)?;
            if !(kind == SetOpKind::Union && all) {
                group.push(self.grouping_clause(t.ty, location)?);
            }
            types.push(t);
            columns.push(Column {
                expr: Expr::SetToDefault { ty: t.ty, typmod: t.typmod, collation: t.collation, location },
                name: l.name,
            });
        }
        let tree = SetOpTree::Op { kind, all, left: Box::new(left), right: Box::new(right), types, group };
        Ok((tree, columns))
    }

    /// The common type of one column; literals in leaves are converted in place.
    fn unify_arms(&mut self, l: Column, r: Column, context: &str, none_ok: bool) -> PgResult<(ColType, i32)> {
        let ty = self.select_common_type(&[&l.expr, &r.expr], context)?;
        let best = if self.cat.base_type(l.expr.ty()) == ty { 0 } else { 1 };
        let typed: Vec<Expr> =
            vec![self.coerce_to_common(l.expr, ty, context)?, self.coerce_to_common(r.expr, ty, context)?];
        let location = typed[best].location();
        let typmod = self.common_typmod(&typed.iter().collect::<Vec<_>>(), ty);
        let mut typed = typed;
        let collation = {
            let [a, b] = typed.as_mut_slice() else { return Err(PgError::internal("two arms")) };
            self.common_collation(&mut [a, b], none_ok)?
        };
        let collation = if self.cat.is_collatable(ty) { collation } else { Oid::INVALID };
        Ok((ColType { ty, typmod, collation }, location))
    }

    /// Converts one column of an arm to the common type, inside the arm's queries.
    fn coerce_arm(&mut self, tree: &mut SetOpTree, col: usize, ty: Oid, context: &str) -> PgResult<()> {
        match tree {
            SetOpTree::Leaf(rte) => {
                let RteKind::Subquery { query, .. } = &mut self.rte_mut(*rte, 0).kind else { return Ok(()) };
                let at = query.targets.iter().enumerate().filter(|(_, t)| !t.junk).nth(col).map(|(i, _)| i);
                let Some(at) = at.filter(|i| query.targets[*i].expr.ty() != ty) else { return Ok(()) };
                if !is_plain(query) && !matches!(query.targets[at].expr, Expr::Const(_) | Expr::Param(_)) {
                    wrap(query);
                }
                let e = std::mem::replace(&mut query.targets[at].expr, crate::expr::null_unknown());
                let mut e = self.coerce_to_common(e, ty, context)?;
                self.assign_expr_collations(&mut e)?;
                if let RteKind::Subquery { query, .. } = &mut self.rte_mut(*rte, 0).kind {
                    query.targets[at].expr = e;
                }
                Ok(())
            }
            SetOpTree::Op { left, right, types, group, .. } => {
                self.coerce_arm(left, col, ty, context)?;
                self.coerce_arm(right, col, ty, context)?;
                if types[col].ty != ty {
                    types[col] = ColType { ty, typmod: -1, collation: self.cat.type_collation(ty) };
                    if let Some(g) = group.get_mut(col) {
                        *g = self.grouping_clause(ty, -1)?;
                    }
                }
                Ok(())
            }
        }
    }

    fn set_op_leaf(&mut self, s: &ast::SelectStmt) -> PgResult<(SetOpTree, Vec<Column>)> {
        let query = self.sub_analyze_select(s, None, false, false)?;
        if !self.cur().namespace.is_empty() && crate::rewrite::refers_to_level(&query, 1) {
            let mut at = -1;
            pglite_ir::tree::visit_query(&query, 0, &mut |e, depth| {
                if let Expr::Var(v) = e
                    && v.levels_up == depth + 1
                    && at < 0
                {
                    at = v.location;
                }
                true
            });
            return Err(err!(
                INVALID_COLUMN_REFERENCE,
                "UNION/INTERSECT/EXCEPT member statement cannot refer to other relations of same query level"
            )
            .at(at));
        }
        let index = self.cur().rtable.len() as u32 + 1;
        let name = format!("*SELECT* {index}");
        let mut columns = Vec::new();
        let mut names = Vec::new();
        for t in query.targets.iter().filter(|t| !t.junk) {
            names.push(t.name.clone().unwrap_or_default());
            columns.push(Column { expr: t.expr.clone(), name: t.name.clone() });
        }
        let alias = Alias { name: name.clone(), columns: Vec::new() };
        let kind = RteKind::Subquery { query: Box::new(query), security_barrier: false, view: None };
        self.add_rte(new_rte(kind, Some(alias), Alias { name, columns: names }, false, false));
        Ok((SetOpTree::Leaf(index), columns))
    }

    /// This level is the query of a recursive WITH item.
    fn in_recursive_cte(&self) -> bool {
        let Some(at) = self.cur_ref().parent_cte else { return false };
        self.levels.len() >= 2 && self.level(1).ctes.get(at).is_some_and(|c| c.cte.recursive)
    }

    /// The non-recursive term decides the WITH item's columns.
    fn set_recursive_columns(&mut self, left: &[Column]) -> PgResult<()> {
        let Some(at) = self.cur_ref().parent_cte else { return Ok(()) };
        let columns: Vec<(String, ColType)> = left
            .iter()
            .map(|c| {
                let mut t = crate::rtable::col_type(&c.expr);
                if t.ty == oid::UNKNOWN {
                    t = ColType { ty: oid::TEXT, typmod: -1, collation: crate::cat::DEFAULT_COLLATION };
                }
                (c.name.clone().unwrap_or_default(), t)
            })
            .collect();
        self.set_cte_columns(1, at, columns)
    }
}

/// Changing a target's expression changes nothing else in the query.
fn is_plain(q: &Query) -> bool {
    q.group.is_empty() && q.distinct.is_empty() && q.sort.is_empty() && q.set_ops.is_none()
}

fn leftmost_leaf(t: &SetOpTree) -> u32 {
    match t {
        SetOpTree::Leaf(i) => *i,
        SetOpTree::Op { left, .. } => leftmost_leaf(left),
    }
}

/// Puts a query into a subquery of itself, so that its output can be converted after DISTINCT, ORDER BY and the like.
fn wrap(q: &mut Query) {
    let mut inner = std::mem::replace(q, Query::new(CommandType::Select));
    crate::rewrite::raise_query_levels(&mut inner, 1);
    let mut columns = Vec::new();
    for t in inner.targets.iter().filter(|t| !t.junk) {
        let c = crate::rtable::col_type(&t.expr);
        let attno = columns.len() as i16 + 1;
        let e = Expr::Var(Var {
            rte: 1,
            attno,
            levels_up: 0,
            ty: c.ty,
            typmod: c.typmod,
            collation: c.collation,
            returning: VarReturning::Default,
            syn_rte: 1,
            syn_attno: attno,
            location: -1,
        });
        q.targets.push(TargetEntry::new(e, attno, t.name.clone()));
        columns.push(t.name.clone().unwrap_or_default());
    }
    q.jointree.from.push(FromItem::Rte(1));
    let kind = RteKind::Subquery { query: Box::new(inner), security_barrier: false, view: None };
    q.rtable.push(new_rte(kind, None, Alias { name: "unnamed_subquery".into(), columns }, false, true));
}
