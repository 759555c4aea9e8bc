//! WITH RECURSIVE: the order of the items, and where a recursive reference may stand.

use crate::prelude::*;
use ast::Statement;

/// One item in the order of analysis.
pub(super) struct Item {
    pub at: usize,
    pub self_reference: bool,
}

/// Items sorted so that each follows those it refers to.
pub(super) fn sort_items(w: &ast::WithClause) -> PgResult<Vec<Item>> {
    let names: Vec<&str> = w.ctes.iter().map(|c| c.ctename.as_str()).collect();
    let mut deps: Vec<Vec<usize>> = Vec::new();
    let mut own = vec![false; names.len()];
    for (i, c) in w.ctes.iter().enumerate() {
        let mut found = Vec::new();
        references(&c.ctequery, &names, &mut found);
        own[i] = found.contains(&i);
        deps.push(found.into_iter().filter(|d| *d != i).collect());
    }
    let mut order: Vec<Item> = Vec::new();
    let mut left: Vec<usize> = (0..names.len()).collect();
    while !left.is_empty() {
        let ready = left.iter().position(|i| deps[*i].iter().all(|d| !left.contains(d)));
        let Some(p) = ready else {
            return Err(err!(
                FEATURE_NOT_SUPPORTED,
                "mutual recursion between WITH items is not implemented"
            )
            .at(w.ctes[left[0]].location));
        };
        let at = left.remove(p);
        order.push(Item { at, self_reference: own[at] });
    }
    Ok(order)
}

/// Which names occur as plain table references. Inner WITH clauses hide outer names.
fn references(stmt: &Statement, names: &[&str], out: &mut Vec<usize>) {
    let mut v = Refs { names, out };
    v.statement(stmt);
}

struct Refs<'a, 'o> {
    names: &'a [&'a str],
    out: &'o mut Vec<usize>,
}

impl Refs<'_, '_> {
    fn statement(&mut self, s: &Statement) {
        // Why by text: every RangeVar of the tree counts, wherever it stands; the printed tree shows them all.
        let text = format!("{s:?}");
        let mut rest = text.as_str();
        while let Some(at) = rest.find("RangeVar { catalogname: None, schemaname: None, relname: \"") {
            rest = &rest[at + "RangeVar { catalogname: None, schemaname: None, relname: \"".len()..];
            let Some(end) = rest.find("\", inh:") else { break };
            let name = &rest[..end];
            // an inner WITH item of the same name hides the outer one
            if let Some(i) = self.names.iter().position(|n| *n == name)
                && !text.contains(&format!("ctename: \"{name}\""))
                && !self.out.contains(&i)
            {
                self.out.push(i);
            }
        }
    }
}

/// The checks of recursive items (`checkWellFormedRecursion`).
pub(super) fn check_well_formed(w: &ast::WithClause, order: &[Item]) -> PgResult<()> {
    for item in order.iter().filter(|i| i.self_reference) {
        let c = &w.ctes[item.at];
        let name = &c.ctename;
        let Statement::SelectStmt(s) = &c.ctequery else {
            return Err(err!(
                INVALID_RECURSION,
                "recursive query \"{name}\" must not contain data-modifying statements"
            )
            .at(c.location));
        };
        let form = || {
            err!(
                INVALID_RECURSION,
                "recursive query \"{name}\" does not have the form non-recursive-term UNION [ALL] recursive-term"
            )
            .at(c.location)
        };
        let (ast::SetOperation::Union, Some(l), Some(r)) = (s.op, &s.larg, &s.rarg) else {
            return Err(form());
        };
        if let Some(o) = s.sort_clause.first() {
            return Err(err!(FEATURE_NOT_SUPPORTED, "ORDER BY in a recursive query is not implemented")
                .at(crate::target::raw_location(&o.node)));
        }
        if let Some(o) = &s.limit_offset {
            return Err(err!(FEATURE_NOT_SUPPORTED, "OFFSET in a recursive query is not implemented")
                .at(crate::target::raw_location(o)));
        }
        if let Some(o) = &s.limit_count {
            return Err(err!(FEATURE_NOT_SUPPORTED, "LIMIT in a recursive query is not implemented")
                .at(crate::target::raw_location(o)));
        }
        if !s.locking_clause.is_empty() {
            return Err(err!(
                FEATURE_NOT_SUPPORTED,
                "FOR UPDATE/SHARE in a recursive query is not implemented"
            ));
        }
        let mut places = Places { name, count: 0 };
        for inner in s.with_clause.iter().flat_map(|w| &w.ctes) {
            if let Statement::SelectStmt(q) = &inner.ctequery {
                places.select(q, Some("within a subquery"))?;
            }
        }
        places.select(l, Some("within its non-recursive term"))?;
        places.count = 0;
        places.select(r, None)?;
    }
    Ok(())
}

/// Walks the terms of a recursive query; `bad` says why a reference may not stand here.
struct Places<'a> {
    name: &'a str,
    count: usize,
}

type Bad = Option<&'static str>;

impl Places<'_> {
    fn reference(&mut self, rv: &ast::RangeVar, bad: Bad) -> PgResult<()> {
        if rv.schemaname.is_some() || rv.relname != self.name {
            return Ok(());
        }
        let name = self.name;
        if let Some(b) = bad {
            return Err(err!(
                INVALID_RECURSION,
                "recursive reference to query \"{name}\" must not appear {b}"
            )
            .at(rv.location));
        }
        self.count += 1;
        if self.count > 1 {
            return Err(err!(
                INVALID_RECURSION,
                "recursive reference to query \"{name}\" must not appear more than once"
            )
            .at(rv.location));
        }
        Ok(())
    }

    fn select(&mut self, s: &ast::SelectStmt, bad: Bad) -> PgResult<()> {
        if let Some(w) = &s.with_clause {
            for c in &w.ctes {
                if c.ctename == self.name {
                    return Ok(());
                }
                if let Statement::SelectStmt(q) = &c.ctequery {
                    self.select(q, bad)?;
                }
            }
        }
        match s.op {
            ast::SetOperation::None | ast::SetOperation::Union => {
                for side in [&s.larg, &s.rarg].into_iter().flatten() {
                    self.select(side, bad)?;
                }
            }
            ast::SetOperation::Intersect => {
                for side in [&s.larg, &s.rarg].into_iter().flatten() {
                    self.select(side, if s.all { bad.or(Some("within INTERSECT")) } else { bad })?;
                }
            }
            ast::SetOperation::Except => {
                if let Some(l) = &s.larg {
                    self.select(l, if s.all { bad.or(Some("within EXCEPT")) } else { bad })?;
                }
                if let Some(r) = &s.rarg {
                    self.select(r, bad.or(Some("within EXCEPT")))?;
                }
            }
        }
        for f in &s.from_clause {
            self.from(f, bad)?;
        }
        let sub = bad.or(Some("within a subquery"));
        let exprs = s
            .target_list
            .iter()
            .filter_map(|t| t.val.as_ref())
            .chain(&s.where_clause)
            .chain(&s.having_clause)
            .chain(s.values_lists.iter().flatten());
        for e in exprs {
            self.expr(e, sub)?;
        }
        Ok(())
    }

    fn from(&mut self, f: &ast::FromItem, bad: Bad) -> PgResult<()> {
        match f {
            ast::FromItem::RangeVar(rv) => self.reference(rv, bad),
            ast::FromItem::RangeSubselect(s) => self.select(&s.subquery, bad),
            ast::FromItem::RangeTableSample(s) => self.from(&s.relation, bad),
            ast::FromItem::JoinExpr(j) => {
                let outer = bad.or(Some("within an outer join"));
                let (l, r) = match j.jointype {
                    ast::JoinType::Inner => (bad, bad),
                    ast::JoinType::Left => (bad, outer),
                    ast::JoinType::Right => (outer, bad),
                    ast::JoinType::Full => (outer, outer),
                };
                self.from(&j.larg, l)?;
                self.from(&j.rarg, r)?;
                match &j.quals {
                    Some(q) => self.expr(q, bad.or(Some("within a subquery"))),
                    None => Ok(()),
                }
            }
            _ => Ok(()),
        }
    }

    /// Subqueries in expressions.
    fn expr(&mut self, e: &ast::Expr, bad: Bad) -> PgResult<()> {
        match e {
            ast::Expr::SubLink(s) => {
                if let Some(t) = &s.testexpr {
                    self.expr(t, bad)?;
                }
                self.select(&s.subselect, bad)
            }
            ast::Expr::AExpr(a) => {
                if let Some(l) = &a.lexpr {
                    self.expr(l, bad)?;
                }
                match &a.rexpr {
                    ast::AExprRight::Expr(r) => self.expr(r, bad),
                    ast::AExprRight::List(l) => l.iter().try_for_each(|x| self.expr(x, bad)),
                }
            }
            ast::Expr::BoolExpr(b) => b.args.iter().try_for_each(|x| self.expr(x, bad)),
            ast::Expr::FuncCall(f) => f.args.iter().try_for_each(|x| self.expr(x, bad)),
            ast::Expr::TypeCast(t) => self.expr(&t.arg, bad),
            ast::Expr::CoalesceExpr(c) => c.args.iter().try_for_each(|x| self.expr(x, bad)),
            ast::Expr::CaseExpr(c) => {
                c.args.iter().try_for_each(|w| {
                    self.expr(&w.expr, bad)?;
                    self.expr(&w.result, bad)
                })?;
                c.defresult.iter().try_for_each(|x| self.expr(x, bad))
            }
            ast::Expr::NullTest(n) => self.expr(&n.arg, bad),
            _ => Ok(()),
        }
    }
}
