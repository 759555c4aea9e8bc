//! FROM clauses in printed SQL.

use pglite_catalog::names::quote_ident;
use pglite_error::{PgError, PgResult};
use pglite_ir::query::*;

use super::{Deparser, Scope};

const STD: i32 = 8;
const VAR: i32 = 4;
const JOIN: i32 = 4;

impl<'a> Deparser<'a> {
    pub(super) fn from_clause(&mut self, tree: &JoinTree, prefix: &str) -> PgResult<()> {
        let items: Vec<&FromItem> = tree.from.iter().filter(|f| self.is_printed(f)).collect();
        for (i, item) in items.into_iter().enumerate() {
            if i == 0 {
                self.keyword(prefix, -STD, STD, 2);
            } else {
                self.push(", ");
                self.keyword("", -STD, STD, VAR);
            }
            self.from_item(item)?;
        }
        Ok(())
    }

    /// The range table entry `i` (1-based) of the innermost scope.
    fn rte(&self, i: u32) -> PgResult<(&'a RangeTblEntry, String)> {
        match self.scopes.last() {
            Some(Scope::RangeTable { rtable, aliases, .. }) => {
                let rtable: &'a [RangeTblEntry] = rtable;
                rtable
                    .get(i as usize - 1)
                    .map(|r| (r, aliases.get(i as usize - 1).cloned().unwrap_or_default()))
                    .ok_or_else(|| PgError::internal("bogus range table index"))
            }
            _ => Err(PgError::internal("FROM outside a query")),
        }
    }

    /// Entries that were not written in FROM (a rule's OLD and NEW, a FROM-less query) are not printed.
    fn is_printed(&self, item: &FromItem) -> bool {
        match item {
            FromItem::Rte(i) => {
                self.rte(*i).is_ok_and(|(r, _)| r.in_from && !matches!(r.kind, RteKind::Result))
            }
            _ => true,
        }
    }

    fn from_item(&mut self, item: &FromItem) -> PgResult<()> {
        self.enter()?;
        let result = match item {
            FromItem::Rte(i) => self.from_rte(*i),
            FromItem::Join(join) => self.join(join),
            FromItem::From(tree) => self.from_clause(tree, ""),
        };
        self.depth -= 1;
        result
    }

    fn from_rte(&mut self, i: u32) -> PgResult<()> {
        let (rte, alias) = self.rte(i)?;
        if rte.lateral && !matches!(rte.kind, RteKind::Function { .. } | RteKind::TableFunc(_)) {
            self.push("LATERAL ");
        }
        let mut own_name = None;
        match &rte.kind {
            RteKind::Relation { rel, sample, .. } => {
                if !rte.inherit && rel.has_children {
                    self.push("ONLY ");
                }
                let name = self.relation_name(rel);
                self.push(&name);
                own_name = Some(rel.name.to_string());
                self.alias(rte, &alias, own_name.as_deref());
                if let Some(sample) = sample {
                    let method = self.function_name(sample.method)?;
                    self.push(&format!(" TABLESAMPLE {method} ("));
                    let args = sample.args.clone();
                    self.list(&args, |d, e| d.expr(e, false))?;
                    self.push(")");
                    if let Some(seed) = &sample.repeatable {
                        self.push(" REPEATABLE (");
                        self.expr(seed, false)?;
                        self.push(")");
                    }
                }
                return Ok(());
            }
            RteKind::Subquery { query, .. } => {
                self.push("( ");
                self.subquery(query)?;
                self.push(")");
            }
            RteKind::Function { functions, ordinality } => self.functions(functions, *ordinality)?,
            RteKind::Values { rows, .. } => {
                self.push("(VALUES ");
                for (n, row) in rows.iter().enumerate() {
                    if n > 0 {
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
                self.push(")");
            }
            RteKind::Cte { name, .. } | RteKind::Tuplestore { name, .. } => {
                self.push(&quote_ident(name));
                own_name = Some(name.clone());
            }
            RteKind::TableFunc(_) => {
                return Err(PgError::unsupported("printing XMLTABLE and JSON_TABLE is not supported yet"));
            }
            RteKind::Join { .. } | RteKind::Result | RteKind::Group { .. } => {}
        }
        self.alias(rte, &alias, own_name.as_deref());
        Ok(())
    }

    fn alias(&mut self, rte: &RangeTblEntry, alias: &str, own_name: Option<&str>) {
        let written_columns = rte.alias.as_ref().is_some_and(|a| !a.columns.is_empty());
        if own_name != Some(alias) || written_columns {
            self.push(&format!(" {}", quote_ident(alias)));
        }
        // Subqueries without written column names need none; functions and VALUES always show theirs.
        let list = match &rte.kind {
            RteKind::Function { functions, .. } => {
                if functions.len() == 1 && functions[0].coldeflist {
                    return self.coldefs(&functions[0]);
                }
                written_columns || functions.iter().any(|f| f.columns.len() == 1)
            }
            RteKind::Values { .. } => true,
            _ => written_columns,
        };
        if list && !rte.eref.columns.is_empty() {
            let names: Vec<String> = rte.eref.columns.iter().map(|c| quote_ident(c)).collect();
            self.push(&format!("({})", names.join(", ")));
        }
    }

    fn coldefs(&mut self, f: &RangeTblFunction) {
        let columns: Vec<String> = f
            .columns
            .iter()
            .map(|(n, t)| format!("{} {}", quote_ident(n), self.type_name(t.ty, t.typmod)))
            .collect();
        self.push(&format!("({})", columns.join(", ")));
    }

    fn functions(&mut self, functions: &[RangeTblFunction], ordinality: bool) -> PgResult<()> {
        let rows_from = functions.len() > 1 || (ordinality && functions.iter().any(|f| f.coldeflist));
        if rows_from {
            self.push("ROWS FROM(");
        }
        for (i, f) in functions.iter().enumerate() {
            if i > 0 {
                self.push(", ");
            }
            self.expr(&f.expr, true)?;
            if rows_from && f.coldeflist {
                self.push(" AS ");
                self.coldefs(f);
            }
        }
        if rows_from {
            self.push(")");
        }
        if ordinality {
            self.push(" WITH ORDINALITY");
        }
        Ok(())
    }

    fn join(&mut self, join: &JoinExpr) -> PgResult<()> {
        let (alias, using, merged) = match join.rte {
            0 => (None, None, Vec::new()),
            i => {
                let (rte, _) = self.rte(i)?;
                match &rte.kind {
                    RteKind::Join { merged_cols, using_alias, .. } => {
                        let n = *merged_cols as usize;
                        let names: Vec<String> =
                            rte.eref.columns.iter().take(n).map(|c| quote_ident(c)).collect();
                        (rte.alias.clone(), using_alias.clone(), names)
                    }
                    _ => (None, None, Vec::new()),
                }
            }
        };
        let wrap = !self.style.pretty_paren || alias.is_some();
        if wrap {
            self.push("(");
        }
        self.from_item(&join.left)?;
        let word = match (join.kind, join.quals.is_some() || !merged.is_empty()) {
            (JoinKind::Inner, true) => " JOIN ",
            (JoinKind::Inner, false) => " CROSS JOIN ",
            (JoinKind::Left, _) => " LEFT JOIN ",
            (JoinKind::Full, _) => " FULL JOIN ",
            (JoinKind::Right, _) => " RIGHT JOIN ",
            _ => return Err(PgError::internal("unexpected join kind")),
        };
        self.keyword(word, -STD, STD, JOIN);
        let nested = matches!(join.right, FromItem::Join(_));
        let paren_right = nested && self.style.pretty_paren;
        if paren_right {
            self.push("(");
        }
        self.from_item(&join.right)?;
        if paren_right {
            self.push(")");
        }
        if !merged.is_empty() {
            self.push(&format!(" USING ({})", merged.join(", ")));
            if let Some(a) = using {
                self.push(&format!(" AS {}", quote_ident(&a.name)));
            }
        } else if let Some(quals) = &join.quals {
            self.push(" ON ");
            if !self.style.pretty_paren {
                self.push("(");
            }
            self.expr(quals, false)?;
            if !self.style.pretty_paren {
                self.push(")");
            }
        } else if join.kind != JoinKind::Inner {
            self.push(" ON TRUE");
        }
        if wrap {
            self.push(")");
        }
        if let Some(a) = alias {
            self.push(&format!(" {}", quote_ident(&a.name)));
            if !a.columns.is_empty() {
                let names: Vec<String> = a.columns.iter().map(|c| quote_ident(c)).collect();
                self.push(&format!("({})", names.join(", ")));
            }
        }
        Ok(())
    }
}
