//! Queries in printed SQL.

use pglite_catalog::names::quote_ident;
use pglite_error::{PgError, PgResult};
use pglite_ir::Expr;
use pglite_ir::query::*;

use super::{Deparser, Scope};

/// PostgreSQL's indentation steps.
const STD: i32 = 8;
const VAR: i32 = 4;

impl<'a> Deparser<'a> {
    /// A nested query in the current scopes.
    pub(super) fn subquery(&mut self, query: &Query) -> PgResult<()> {
        // Why: scopes borrow for the printer's life; a nested query is printed by a child with copies of its own.
        let mut child = Deparser {
            catalog: self.catalog,
            path: self.path,
            env: self.env,
            style: self.style,
            scopes: self.scopes.iter().map(copy_scope).collect(),
            out: std::mem::take(&mut self.out),
            depth: self.depth + 1,
            indent: self.indent,
            plan: None,
            windows: Vec::new(),
            targets: Vec::new(),
        };
        if child.depth > super::MAX_DEPTH {
            return Err(PgError::internal("query nests too deep to print"));
        }
        let result = child.query(query, None);
        self.out = child.out;
        result
    }

    /// A query; `names` overrides the output column names (views).
    pub(super) fn query(&mut self, query: &Query, names: Option<&[String]>) -> PgResult<()> {
        let owned = OwnedScope::of(query);
        let mut child = Deparser {
            catalog: self.catalog,
            path: self.path,
            env: self.env,
            style: self.style,
            scopes: self.scopes.iter().map(copy_scope).collect(),
            out: std::mem::take(&mut self.out),
            depth: self.depth,
            indent: self.indent,
            plan: None,
            windows: query.windows.clone(),
            targets: if query.windows.is_empty() { Vec::new() } else { query.targets.clone() },
        };
        child.scopes.push(Scope::RangeTable {
            rtable: &query.rtable,
            aliases: owned.aliases.clone(),
            prefix: owned.prefix,
        });
        let result = child.query_inner(query, names);
        self.out = std::mem::take(&mut child.out);
        result
    }

    fn query_inner(&mut self, q: &Query, names: Option<&[String]>) -> PgResult<()> {
        self.with_clause(q)?;
        match q.command {
            CommandType::Select => self.select(q, names),
            CommandType::Insert => self.insert(q),
            CommandType::Update => self.update(q),
            CommandType::Delete => self.delete(q),
            _ => Err(PgError::unsupported("printing this kind of statement is not supported yet")),
        }
    }

    fn with_clause(&mut self, q: &Query) -> PgResult<()> {
        if q.ctes.is_empty() {
            return Ok(());
        }
        if self.style.indent {
            self.indent += STD;
            self.push(" ");
        }
        self.push(if q.recursive { "WITH RECURSIVE " } else { "WITH " });
        for (i, cte) in q.ctes.iter().enumerate() {
            if i > 0 {
                self.push(", ");
            }
            self.push(&quote_ident(&cte.name));
            let own: Vec<&str> = cte
                .query
                .targets
                .iter()
                .filter(|t| !t.junk)
                .map(|t| t.name.as_deref().unwrap_or(""))
                .collect();
            let declared: Vec<&str> = cte.columns.iter().map(|c| c.0.as_str()).collect();
            if own != declared && cte.query.command == CommandType::Select {
                let list: Vec<String> = declared.iter().map(|c| quote_ident(c)).collect();
                self.push(&format!("({})", list.join(", ")));
            }
            self.push(" AS ");
            match cte.materialized {
                Some(true) => self.push("MATERIALIZED "),
                Some(false) => self.push("NOT MATERIALIZED "),
                None => {}
            }
            self.push("(");
            if self.style.indent {
                self.keyword("", 0, 0, 0);
            }
            self.subquery(&cte.query)?;
            if self.style.indent {
                self.keyword("", 0, 0, 0);
            }
            self.push(")");
        }
        if self.style.indent {
            self.indent -= STD;
            self.keyword("", 0, 0, 0);
        } else {
            self.push(" ");
        }
        Ok(())
    }

    fn select(&mut self, q: &Query, names: Option<&[String]>) -> PgResult<()> {
        if self.style.indent {
            self.indent += STD;
            self.push(" ");
        }
        match &q.set_ops {
            Some(tree) => self.set_op(tree, q)?,
            None => self.basic_select(q, names)?,
        }
        if !q.sort.is_empty() {
            self.keyword(" ORDER BY ", -STD, STD, 1);
            self.sort_list(&q.sort, &q.targets, q.set_ops.is_some())?;
        }
        if let Some(offset) = &q.offset {
            self.keyword(" OFFSET ", -STD, STD, 0);
            self.expr(offset, false)?;
        }
        if let Some(limit) = &q.limit {
            if q.with_ties {
                self.keyword(" FETCH FIRST ", -STD, STD, 0);
                self.push("(");
                self.expr(limit, false)?;
                self.push(") ROWS WITH TIES");
            } else {
                self.keyword(" LIMIT ", -STD, STD, 0);
                match limit {
                    Expr::Const(c) if c.value.is_null() => self.push("ALL"),
                    other => self.expr(other, false)?,
                }
            }
        }
        for mark in q.row_marks.iter().filter(|m| !m.pushed_down) {
            let words = match mark.strength {
                LockStrength::KeyShare => " FOR KEY SHARE",
                LockStrength::Share => " FOR SHARE",
                LockStrength::NoKeyUpdate => " FOR NO KEY UPDATE",
                LockStrength::Update => " FOR UPDATE",
            };
            self.keyword(words, -STD, STD, 0);
            let alias =
                q.rtable.get(mark.rte as usize - 1).map(|r| quote_ident(&r.eref.name)).unwrap_or_default();
            self.push(&format!(" OF {alias}"));
            self.push(match mark.wait {
                WaitPolicy::Block => "",
                WaitPolicy::Skip => " SKIP LOCKED",
                WaitPolicy::Error => " NOWAIT",
            });
        }
        Ok(())
    }

    fn basic_select(&mut self, q: &Query, names: Option<&[String]>) -> PgResult<()> {
        // A bare VALUES list.
        if let [FromItem::Rte(i)] = &q.jointree.from[..]
            && q.rtable.len() == 1
            && q.jointree.quals.is_none()
            && let Some(RteKind::Values { rows, .. }) = q.rtable.get(*i as usize - 1).map(|r| &r.kind)
            && q.targets.iter().all(|t| matches!(&t.expr, Expr::Var(_)))
            && names.is_none()
        {
            return self.values(rows);
        }
        self.push("SELECT");
        if !q.distinct.is_empty() {
            if q.distinct_on {
                self.push(" DISTINCT ON (");
                for (i, d) in q.distinct.iter().enumerate() {
                    if i > 0 {
                        self.push(", ");
                    }
                    self.sort_target(d.target_ref, &q.targets, false)?;
                }
                self.push(")");
            } else {
                self.push(" DISTINCT");
            }
        }
        self.targets(&q.targets, names)?;
        self.from_clause(&q.jointree, " FROM ")?;
        if let Some(quals) = &q.jointree.quals {
            self.keyword(" WHERE ", -STD, STD, 1);
            self.expr(quals, false)?;
        }
        if !q.group.is_empty() || !q.grouping_sets.is_empty() {
            self.keyword(" GROUP BY ", -STD, STD, 1);
            if q.group_distinct {
                self.push("DISTINCT ");
            }
            if q.grouping_sets.is_empty() {
                for (i, g) in q.group.iter().enumerate() {
                    if i > 0 {
                        self.push(", ");
                    }
                    self.sort_target(g.target_ref, &q.targets, false)?;
                }
            } else {
                for (i, set) in q.grouping_sets.iter().enumerate() {
                    if i > 0 {
                        self.push(", ");
                    }
                    self.grouping_set(set, &q.targets, true)?;
                }
            }
        }
        if let Some(having) = &q.having {
            self.keyword(" HAVING ", -STD, STD, 0);
            self.expr(having, false)?;
        }
        let named: Vec<&WindowClause> = q.windows.iter().filter(|w| w.name.is_some()).collect();
        for (i, w) in named.iter().enumerate() {
            if i == 0 {
                self.keyword(" WINDOW ", -STD, STD, 1);
            } else {
                self.push(", ");
            }
            self.push(&format!("{} AS ", quote_ident(w.name.as_deref().unwrap_or(""))));
            self.window_spec(w, &q.targets)?;
        }
        Ok(())
    }

    fn values(&mut self, rows: &[Vec<Expr>]) -> PgResult<()> {
        self.push("VALUES ");
        for (i, row) in rows.iter().enumerate() {
            if i > 0 {
                self.push(", ");
            }
            self.push("(");
            for (j, e) in row.iter().enumerate() {
                if j > 0 {
                    self.push(",");
                }
                self.expr(e, false)?;
            }
            self.push(")");
        }
        Ok(())
    }

    pub(super) fn targets(&mut self, targets: &[TargetEntry], names: Option<&[String]>) -> PgResult<()> {
        let mut sep = " ";
        for (i, t) in targets.iter().filter(|t| !t.junk).enumerate() {
            self.push(sep);
            sep = ", ";
            if i > 0 {
                self.keyword("", -STD, STD, VAR);
            }
            // A whole-row Var needs the star left off to stay one column; anything else prints as it is.
            let own = match &t.expr {
                Expr::Var(v) => {
                    self.expr(&t.expr, true)?;
                    self.column_of(v)
                }
                other => {
                    self.expr(other, true)?;
                    // PG: "?column?" is what an unnamed expression is called anyway.
                    Some("?column?".to_string())
                }
            };
            let wanted = names.and_then(|n| n.get(i).cloned()).or_else(|| t.name.clone());
            if let Some(name) = wanted
                && own.as_deref() != Some(name.as_str())
            {
                self.push(&format!(" AS {}", quote_ident(&name)));
            }
        }
        Ok(())
    }

    /// The name a bare column reference gives its output column.
    fn column_of(&self, v: &pglite_ir::Var) -> Option<String> {
        let level = self.scopes.len().checked_sub(1 + v.levels_up as usize)?;
        match &self.scopes[level] {
            Scope::RangeTable { rtable, .. } => {
                rtable.get(v.rte as usize - 1)?.eref.columns.get(usize::try_from(v.attno - 1).ok()?).cloned()
            }
            _ => None,
        }
    }

    /// The expression a sort or group clause refers to; constants and set operations print as positions.
    fn sort_target(&mut self, target_ref: u32, targets: &[TargetEntry], by_name: bool) -> PgResult<()> {
        let Some(t) = targets.iter().find(|t| t.sort_group_ref == target_ref) else {
            return Err(PgError::internal("ORDER/GROUP BY expression not found in targetlist"));
        };
        if by_name {
            match &t.name {
                Some(name) => self.push(&quote_ident(name)),
                None => self.push(&t.resno.to_string()),
            }
            return Ok(());
        }
        match &t.expr {
            Expr::Const(_) if !t.junk => self.push(&t.resno.to_string()),
            Expr::Var(_) => self.expr(&t.expr, true)?,
            other => {
                // PG: anything but a function call is parenthesized, so that it cannot be taken for a name.
                let wrap = self.style.pretty_paren && !matches!(other, Expr::Func(_) | Expr::Op(_));
                let wrap = wrap || matches!(other, Expr::Op(_)) && self.style.pretty_paren;
                if wrap {
                    self.push("(");
                }
                self.expr(other, true)?;
                if wrap {
                    self.push(")");
                }
            }
        }
        Ok(())
    }

    pub(super) fn sort_list(
        &mut self,
        list: &[SortGroupClause],
        targets: &[TargetEntry],
        by_name: bool,
    ) -> PgResult<()> {
        for (i, s) in list.iter().enumerate() {
            if i > 0 {
                self.push(", ");
            }
            self.sort_target(s.target_ref, targets, by_name)?;
            if s.reverse {
                self.push(" DESC");
                if !s.nulls_first {
                    self.push(" NULLS LAST");
                }
            } else if s.nulls_first {
                self.push(" NULLS FIRST");
            }
        }
        Ok(())
    }

    fn grouping_set(&mut self, set: &GroupingSet, targets: &[TargetEntry], top: bool) -> PgResult<()> {
        match set {
            GroupingSet::Empty => self.push("()"),
            GroupingSet::Simple(refs) => {
                let parens = !top || refs.len() != 1;
                if parens {
                    self.push("(");
                }
                for (i, r) in refs.iter().enumerate() {
                    if i > 0 {
                        self.push(", ");
                    }
                    self.sort_target(*r, targets, false)?;
                }
                if parens {
                    self.push(")");
                }
            }
            GroupingSet::Rollup(sets) | GroupingSet::Cube(sets) | GroupingSet::Sets(sets) => {
                self.push(match set {
                    GroupingSet::Rollup(_) => "ROLLUP(",
                    GroupingSet::Cube(_) => "CUBE(",
                    _ => "GROUPING SETS (",
                });
                for (i, s) in sets.iter().enumerate() {
                    if i > 0 {
                        self.push(", ");
                    }
                    let single = !matches!(set, GroupingSet::Sets(_));
                    self.grouping_set(s, targets, single)?;
                }
                self.push(")");
            }
        }
        Ok(())
    }

    /// What follows OVER: a name, or a specification.
    pub(super) fn over(&mut self, winref: u32) -> PgResult<()> {
        let text = self.windows.iter().find(|c| c.winref == winref).cloned();
        match text {
            Some(w) if w.name.is_some() => {
                let name = quote_ident(w.name.as_deref().unwrap_or(""));
                self.push(&name);
                Ok(())
            }
            Some(w) => {
                let targets = self.targets.clone();
                self.window_spec(&w, &targets)
            }
            None => {
                self.push("(?)");
                Ok(())
            }
        }
    }

    fn window_spec(&mut self, w: &WindowClause, targets: &[TargetEntry]) -> PgResult<()> {
        self.push("(");
        let mut space = "";
        if let Some(name) = &w.refname {
            self.push(&quote_ident(name));
            space = " ";
        }
        if !w.partition.is_empty() && w.refname.is_none() {
            self.push(&format!("{space}PARTITION BY "));
            for (i, p) in w.partition.iter().enumerate() {
                if i > 0 {
                    self.push(", ");
                }
                self.sort_target(p.target_ref, targets, false)?;
            }
            space = " ";
        }
        if !w.order.is_empty() && !w.copied_order {
            self.push(&format!("{space}ORDER BY "));
            self.sort_list(&w.order, targets, false)?;
            space = " ";
        }
        if w.frame.explicit {
            self.push(space);
            self.push(match w.frame.mode {
                FrameMode::Range => "RANGE ",
                FrameMode::Rows => "ROWS ",
                FrameMode::Groups => "GROUPS ",
            });
            self.push("BETWEEN ");
            self.bound(&w.frame.start)?;
            self.push(" AND ");
            self.bound(&w.frame.end)?;
            self.push(match w.frame.exclude {
                FrameExclude::NoOthers => "",
                FrameExclude::CurrentRow => " EXCLUDE CURRENT ROW",
                FrameExclude::Group => " EXCLUDE GROUP",
                FrameExclude::Ties => " EXCLUDE TIES",
            });
        }
        self.push(")");
        Ok(())
    }

    fn bound(&mut self, b: &FrameBound) -> PgResult<()> {
        match b {
            FrameBound::UnboundedPreceding => self.push("UNBOUNDED PRECEDING"),
            FrameBound::CurrentRow => self.push("CURRENT ROW"),
            FrameBound::UnboundedFollowing => self.push("UNBOUNDED FOLLOWING"),
            FrameBound::Preceding(e) => {
                self.expr(e, false)?;
                self.push(" PRECEDING");
            }
            FrameBound::Following(e) => {
                self.expr(e, false)?;
                self.push(" FOLLOWING");
            }
        }
        Ok(())
    }

    fn set_op(&mut self, tree: &SetOpTree, q: &Query) -> PgResult<()> {
        match tree {
            SetOpTree::Leaf(rte) => {
                let Some(RteKind::Subquery { query, .. }) = q.rtable.get(*rte as usize - 1).map(|r| &r.kind)
                else {
                    return Err(PgError::internal("set operation leaf is not a subquery"));
                };
                let wrap = !query.ctes.is_empty()
                    || !query.sort.is_empty()
                    || !query.row_marks.is_empty()
                    || query.limit.is_some()
                    || query.offset.is_some()
                    || query.set_ops.is_some();
                let level = self.indent;
                if wrap {
                    self.push("(");
                }
                // Leaves see outer levels, not this query's own range table.
                let own = self.scopes.pop();
                self.indent = (level - STD).max(0);
                let mut child_out = std::mem::take(&mut self.out);
                if self.style.indent && child_out.ends_with(' ') {
                    child_out.pop();
                }
                self.out = child_out;
                let result = self.subquery(query);
                self.indent = level;
                self.scopes.extend(own);
                result?;
                if wrap {
                    self.push(")");
                }
                Ok(())
            }
            SetOpTree::Op { kind, all, left, right, .. } => {
                let nested = |t: &SetOpTree| matches!(t, SetOpTree::Op { .. });
                let same = |t: &SetOpTree| matches!(t, SetOpTree::Op { kind: k, all: a, .. } if k == kind && a == all);
                self.set_op_arm(left, q, nested(left) && !same(left))?;
                let word = match kind {
                    SetOpKind::Union => "UNION ",
                    SetOpKind::Intersect => "INTERSECT ",
                    SetOpKind::Except => "EXCEPT ",
                };
                if !self.style.indent {
                    self.push(" ");
                }
                self.keyword(word, -STD, STD, 0);
                if *all {
                    self.push("ALL ");
                }
                if self.style.indent {
                    self.keyword("", 0, 0, -STD);
                    self.push(" ");
                }
                self.set_op_arm(right, q, nested(right))
            }
        }
    }

    fn set_op_arm(&mut self, tree: &SetOpTree, q: &Query, wrap: bool) -> PgResult<()> {
        if wrap {
            self.push("(");
        }
        self.set_op(tree, q)?;
        if wrap {
            self.push(")");
        }
        Ok(())
    }

    fn target_name(&self, q: &Query) -> PgResult<String> {
        let rte = q.rtable.get(q.result_relation as usize - 1);
        match rte.map(|r| (&r.kind, &r.alias)) {
            Some((RteKind::Relation { rel, .. }, alias)) => {
                let name = self.relation_name(rel);
                Ok(match alias {
                    Some(a) if a.name != rel.name.as_str() => format!("{name} {}", quote_ident(&a.name)),
                    _ => name,
                })
            }
            _ => Err(PgError::internal("result relation is not a table")),
        }
    }

    fn column_name(&self, q: &Query, attno: i16) -> String {
        match q.rtable.get(q.result_relation as usize - 1).map(|r| &r.kind) {
            Some(RteKind::Relation { rel, .. }) => {
                rel.attr(attno).map(|c| quote_ident(&c.name)).unwrap_or_default()
            }
            _ => String::new(),
        }
    }

    fn insert(&mut self, q: &Query) -> PgResult<()> {
        let target = self.target_name(q)?;
        let columns: Vec<String> = q.targets.iter().map(|t| self.column_name(q, t.resno)).collect();
        self.push(&format!("INSERT INTO {target} ({}) ", columns.join(", ")));
        let source = q.rtable.iter().find_map(|r| match &r.kind {
            RteKind::Values { rows, .. } => Some(Source::Values(rows)),
            RteKind::Subquery { query, .. } => Some(Source::Query(query)),
            _ => None,
        });
        match source {
            Some(Source::Values(rows)) => {
                self.keyword("", 0, 0, 0);
                self.values(rows)?;
            }
            Some(Source::Query(query)) => self.subquery(query)?,
            None => {
                self.keyword("VALUES (", -STD, STD, 2);
                self.list(&q.targets, |d, t| d.expr(&t.expr, false))?;
                self.push(")");
            }
        }
        self.returning(q)
    }

    fn set_list(&mut self, q: &Query) -> PgResult<()> {
        for (i, t) in q.targets.iter().filter(|t| !t.junk).enumerate() {
            if i > 0 {
                self.push(", ");
            }
            let column = self.column_name(q, t.resno);
            self.push(&format!("{column} = "));
            self.expr(&t.expr, false)?;
        }
        Ok(())
    }

    fn update(&mut self, q: &Query) -> PgResult<()> {
        let target = self.target_name(q)?;
        self.push(&format!("UPDATE {target} SET "));
        self.set_list(q)?;
        self.dml_tail(q, " FROM ")
    }

    fn delete(&mut self, q: &Query) -> PgResult<()> {
        let target = self.target_name(q)?;
        self.push(&format!("DELETE FROM {target}"));
        self.dml_tail(q, " USING ")
    }

    fn dml_tail(&mut self, q: &Query, from: &str) -> PgResult<()> {
        let others = JoinTree {
            from: q
                .jointree
                .from
                .iter()
                .filter(|f| !matches!(f, FromItem::Rte(i) if *i == q.result_relation))
                .cloned()
                .collect(),
            quals: None,
        };
        self.from_clause(&others, from)?;
        if let Some(quals) = &q.jointree.quals {
            self.keyword(" WHERE ", -STD, STD, 1);
            self.expr(quals, false)?;
        }
        self.returning(q)
    }

    fn returning(&mut self, q: &Query) -> PgResult<()> {
        if q.returning.is_empty() {
            return Ok(());
        }
        self.keyword(" RETURNING", -STD, STD, 1);
        self.targets(&q.returning, None)
    }
}

enum Source<'q> {
    Values(&'q [Vec<Expr>]),
    Query(&'q Query),
}

/// Aliases of a query's range table, made unique, and whether columns need them.
struct OwnedScope {
    aliases: Vec<String>,
    prefix: bool,
}

impl OwnedScope {
    fn of(q: &Query) -> OwnedScope {
        let mut aliases: Vec<String> = Vec::with_capacity(q.rtable.len());
        for rte in &q.rtable {
            let name = match (&rte.kind, &rte.alias) {
                (RteKind::Join { .. }, None) => String::new(),
                _ => rte.eref.name.clone(),
            };
            let mut unique = name.clone();
            let mut n = 0;
            while !name.is_empty() && aliases.contains(&unique) {
                n += 1;
                unique = format!("{name}_{n}");
            }
            aliases.push(unique);
        }
        let relations =
            q.rtable.iter().filter(|r| !matches!(r.kind, RteKind::Join { .. } | RteKind::Result)).count();
        OwnedScope { aliases, prefix: relations != 1 || q.command != CommandType::Select }
    }
}

fn copy_scope<'a>(scope: &Scope<'a>) -> Scope<'a> {
    match scope {
        Scope::None => Scope::None,
        Scope::Relation(rel) => Scope::Relation(rel),
        Scope::OldNew(rel) => Scope::OldNew(rel),
        Scope::RangeTable { rtable, aliases, prefix } => {
            Scope::RangeTable { rtable, aliases: aliases.clone(), prefix: *prefix }
        }
    }
}
