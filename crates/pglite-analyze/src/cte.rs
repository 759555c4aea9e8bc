//! WITH: ordinary, recursive and data-modifying items, SEARCH and CYCLE.

mod recursion;

use crate::prelude::*;
use crate::rtable::col_type;

impl Analyzer<'_, '_> {
    /// PostgreSQL's `transformWithClause`: binds all items into the current level.
    pub fn transform_with(&mut self, w: &ast::WithClause) -> PgResult<()> {
        for (i, c) in w.ctes.iter().enumerate() {
            if w.ctes[..i].iter().any(|o| o.ctename == c.ctename) {
                return Err(err!(
                    DUPLICATE_ALIAS,
                    "WITH query name \"{}\" specified more than once",
                    c.ctename
                )
                .at(c.location));
            }
            if !matches!(c.ctequery, ast::Statement::SelectStmt(_)) {
                if self.levels.len() > 1 {
                    return Err(err!(
                        FEATURE_NOT_SUPPORTED,
                        "WITH clause containing a data-modifying statement must be at the top level"
                    )
                    .at(c.location));
                }
                self.cur().has_modifying_cte = true;
            }
        }
        if w.recursive {
            let order = recursion::sort_items(w)?;
            recursion::check_well_formed(w, &order)?;
            let first = self.cur().ctes.len();
            for item in &order {
                let c = &w.ctes[item.at];
                self.cur().ctes.push(new_entry(c, item.self_reference));
            }
            for (n, item) in order.iter().enumerate() {
                self.analyze_cte(first + n, &w.ctes[item.at])?;
            }
        } else {
            self.cur().future_ctes = w.ctes.iter().map(|c| c.ctename.clone()).collect();
            for c in &w.ctes {
                // Why: the item is hidden from itself, and from the items before it.
                let query = self.cte_query(c, None)?;
                let mut entry = new_entry(c, false);
                entry.cte.query = Box::new(query);
                entry.ready = true;
                let at = self.cur().ctes.len();
                self.cur().ctes.push(entry);
                self.cur().future_ctes.retain(|n| *n != c.ctename);
                self.name_cte_columns(at, c)?;
                self.add_search_cycle(at, c)?;
            }
        }
        Ok(())
    }

    fn cte_query(&mut self, c: &ast::CommonTableExpr, parent: Option<usize>) -> PgResult<Query> {
        self.check_depth()?;
        self.push();
        self.cur().parent_cte = parent;
        let result = self.transform_statement_query(&c.ctequery);
        self.pop();
        let mut q = result?;
        q.can_set_tag = false;
        Ok(q)
    }

    /// Analyzes one item of WITH RECURSIVE.
    fn analyze_cte(&mut self, at: usize, c: &ast::CommonTableExpr) -> PgResult<()> {
        let recursive = self.cur().ctes[at].cte.recursive;
        let query = self.cte_query(c, Some(at))?;
        let entry = &mut self.cur().ctes[at];
        *entry.cte.query = query;
        entry.ready = true;
        if recursive {
            self.check_recursive_types(at)?;
        } else {
            self.name_cte_columns(at, c)?;
        }
        self.add_search_cycle(at, c)
    }

    /// The columns of an analyzed item: its query's, renamed by the alias list.
    fn name_cte_columns(&mut self, at: usize, c: &ast::CommonTableExpr) -> PgResult<()> {
        let q = &self.cur().ctes[at].cte.query;
        let list = if q.command == CommandType::Select { &q.targets } else { &q.returning };
        let columns: Vec<(String, ColType)> = list
            .iter()
            .filter(|t| !t.junk)
            .map(|t| (t.name.clone().unwrap_or_default(), col_type(&t.expr)))
            .collect();
        let columns = self.rename_columns(c, columns)?;
        self.cur().ctes[at].cte.columns = columns;
        Ok(())
    }

    fn rename_columns(
        &self,
        c: &ast::CommonTableExpr,
        mut columns: Vec<(String, ColType)>,
    ) -> PgResult<Vec<(String, ColType)>> {
        if c.aliascolnames.len() > columns.len() {
            return Err(err!(
                INVALID_COLUMN_REFERENCE,
                "WITH query \"{}\" has {} columns available but {} columns specified",
                c.ctename,
                columns.len(),
                c.aliascolnames.len()
            )
            .at(c.location));
        }
        for (col, alias) in columns.iter_mut().zip(&c.aliascolnames) {
            col.0 = alias.clone();
        }
        Ok(columns)
    }

    /// The columns of a recursive item, known once its non-recursive term is analyzed.
    pub(crate) fn set_cte_columns(
        &mut self,
        up: u32,
        at: usize,
        columns: Vec<(String, ColType)>,
    ) -> PgResult<()> {
        let entry = &self.level(up).ctes[at];
        let names = entry.cte.columns.iter().map(|(n, _)| n.clone()).collect::<Vec<_>>();
        if names.len() > columns.len() {
            let e = err!(
                INVALID_COLUMN_REFERENCE,
                "WITH query \"{}\" has {} columns available but {} columns specified",
                entry.cte.name,
                columns.len(),
                names.len()
            )
            .at(entry.cte.location);
            return Err(e);
        }
        let mut columns = columns;
        for (c, n) in columns.iter_mut().zip(names) {
            c.0 = n;
        }
        self.level_mut(up).ctes[at].cte.columns = columns;
        Ok(())
    }

    /// The recursive term must not have changed the columns' types.
    fn check_recursive_types(&mut self, at: usize) -> PgResult<()> {
        let cte = &self.cur_ref().ctes[at].cte;
        for (i, (t, (_, declared))) in
            cte.query.targets.iter().filter(|t| !t.junk).zip(&cte.columns).enumerate()
        {
            let actual = col_type(&t.expr);
            if actual.ty != declared.ty || actual.typmod != declared.typmod {
                return Err(err!(
                    DATATYPE_MISMATCH,
                    "recursive query \"{}\" column {} has type {} in non-recursive term but type {} overall",
                    cte.name,
                    i + 1,
                    self.cat.format_type_mod(declared.ty, declared.typmod),
                    self.cat.format_type_mod(actual.ty, actual.typmod)
                )
                .hint("Cast the output of the non-recursive term to the correct type.")
                .at(t.expr.location()));
            }
            if actual.collation != declared.collation {
                return Err(err!(
                    COLLATION_MISMATCH,
                    "recursive query \"{}\" column {} has collation \"{}\" in non-recursive term but collation \"{}\" overall",
                    cte.name,
                    i + 1,
                    self.cat.collation_name(declared.collation),
                    self.cat.collation_name(actual.collation)
                )
                .hint("Use the COLLATE clause to set the collation of the non-recursive term.")
                .at(t.expr.location()));
            }
        }
        Ok(())
    }

    /// SEARCH and CYCLE: checks, and the columns they add.
    fn add_search_cycle(&mut self, at: usize, c: &ast::CommonTableExpr) -> PgResult<()> {
        if c.search_clause.is_none() && c.cycle_clause.is_none() {
            return Ok(());
        }
        let location =
            c.search_clause.as_ref().map(|s| s.location).or(c.cycle_clause.as_ref().map(|s| s.location));
        if !self.cur().ctes[at].cte.recursive {
            return Err(err!(SYNTAX_ERROR, "WITH query is not recursive").at(location.unwrap_or(-1)));
        }
        Err(PgError::unsupported("SEARCH and CYCLE clauses are not supported yet").at(location.unwrap_or(-1)))
    }
}

fn new_entry(c: &ast::CommonTableExpr, recursive: bool) -> CteEntry {
    let none = ColType { ty: oid::UNKNOWN, typmod: -1, collation: Oid::INVALID };
    CteEntry {
        cte: CommonTableExpr {
            name: c.ctename.clone(),
            materialized: match c.ctematerialized {
                ast::CteMaterialize::Default => None,
                ast::CteMaterialize::Always => Some(true),
                ast::CteMaterialize::Never => Some(false),
            },
            query: Box::new(Query::new(CommandType::Select)),
            recursive,
            refcount: 0,
            columns: c.aliascolnames.iter().map(|n| (n.clone(), none)).collect(),
            search: None,
            cycle: None,
            location: c.location,
        },
        ready: false,
    }
}
