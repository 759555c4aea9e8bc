//! Bound trees back to SQL: what `pg_get_expr`, `pg_get_viewdef`, `\d` and EXPLAIN print, and the text in which the
//! catalogs store expressions.
//!
//! Two uses, one printer: for display, names are qualified only where the search path hides them; for storage
//! ([`Style::storage`]) everything outside `pg_catalog` is qualified, so that the text means the same under any path.
//!
//! PG: parenthesization and cast spelling follow PostgreSQL's, including its redundant parentheses without `pretty`.

mod constant;
mod expr;
mod from;
mod names;
mod query;

use std::sync::Arc;

use pglite_catalog::{RelDesc, SearchPath, Snapshot};
use pglite_error::{PgResult, err};
use pglite_ir::Expr;
use pglite_ir::query::{Query, RangeTblEntry};
use pglite_types::TypeEnv;

/// How to print.
#[derive(Clone, Copy, Debug, Default)]
pub struct Style {
    /// Leave out parentheses that precedence makes redundant.
    pub pretty_paren: bool,
    /// Line breaks and indentation.
    pub indent: bool,
}

/// What Vars of one query level refer to.
pub enum Scope<'a> {
    /// No Vars.
    None,
    /// Vars of one relation (`rte` 1), printed without a prefix.
    Relation(&'a RelDesc),
    /// A range table. `prefix`: qualify columns with their relation's alias.
    RangeTable { rtable: &'a [RangeTblEntry], aliases: Vec<String>, prefix: bool },
    /// OLD and NEW of a rule or trigger (rte 1, 2).
    OldNew(&'a RelDesc),
}

/// A printer. `scopes` is innermost last.
pub struct Deparser<'a> {
    pub catalog: &'a Arc<Snapshot>,
    pub path: &'a SearchPath,
    pub env: &'a dyn TypeEnv,
    pub style: Style,
    scopes: Vec<Scope<'a>>,
    out: String,
    depth: usize,
    /// PostgreSQL's indentation level.
    indent: i32,
    /// Resolves plan-level Vars and params for EXPLAIN.
    plan: Option<&'a dyn PlanNames>,
    /// Window clauses and targets of the query being printed.
    windows: Vec<pglite_ir::query::WindowClause>,
    targets: Vec<pglite_ir::TargetEntry>,
}

/// EXPLAIN's answers on Vars that point at plan children, params and subplans.
pub trait PlanNames {
    /// The expression a plan-level Var stands for, to be printed in its place; None = print by syn_rte.
    fn resolve(&self, var: &pglite_ir::Var) -> Option<Expr>;
    /// The text of an exec param.
    fn param(&self, id: u32) -> Option<String>;
    /// The text of a subplan reference.
    fn subplan(&self, plan: &pglite_ir::expr::SubPlan) -> String;
    /// The name of a window, as printed after OVER.
    fn window(&self, winref: u32) -> Option<String> {
        let _ = winref;
        None
    }
}

/// Deeper expressions than this are refused (54001).
const MAX_DEPTH: usize = 2000;

impl<'a> Deparser<'a> {
    pub fn new(
        catalog: &'a Arc<Snapshot>,
        path: &'a SearchPath,
        env: &'a dyn TypeEnv,
        style: Style,
    ) -> Deparser<'a> {
        Deparser {
            catalog,
            path,
            env,
            style,
            scopes: Vec::new(),
            out: String::new(),
            depth: 0,
            indent: 0,
            plan: None,
            windows: Vec::new(),
            targets: Vec::new(),
        }
    }
    /// Prints plan-level expressions.
    pub fn for_plan(
        mut self,
        plan: &'a dyn PlanNames,
        rtable: &'a [RangeTblEntry],
        aliases: Vec<String>,
        prefix: bool,
    ) -> Self {
        self.plan = Some(plan);
        self.scopes.push(Scope::RangeTable { rtable, aliases, prefix });
        self
    }
    /// One expression in a scope.
    pub fn expr_text(mut self, expr: &Expr, scope: Scope<'a>) -> PgResult<String> {
        self.scopes.push(scope);
        self.expr(expr, false)?;
        Ok(self.out)
    }
    /// An expression in the scopes already there (EXPLAIN).
    pub fn plan_expr(&mut self, expr: &Expr, show_implicit: bool) -> PgResult<String> {
        self.out.clear();
        self.expr(expr, show_implicit)?;
        Ok(std::mem::take(&mut self.out))
    }
    /// A whole query, without a final semicolon.
    pub fn query_text(mut self, query: &'a Query) -> PgResult<String> {
        self.query(query, None)?;
        Ok(self.out)
    }

    fn enter(&mut self) -> PgResult<()> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(err!(STATEMENT_TOO_COMPLEX, "stack depth limit exceeded"));
        }
        Ok(())
    }
    fn push(&mut self, s: &str) {
        self.out.push_str(s);
    }
    /// A keyword on a line of its own when indenting: the level moves by `before`, the line starts at level + `plus`,
    /// and the level moves by `after`.
    fn keyword(&mut self, s: &str, before: i32, after: i32, plus: i32) {
        if !self.style.indent {
            self.push(s);
            return;
        }
        self.indent += before;
        self.out.truncate(self.out.trim_end_matches(' ').len());
        self.push("\n");
        // PG: deep levels stop growing at 40 columns and then grow by half.
        let level = self.indent.max(0);
        let column = if level < 40 { level + plus } else { (40 + (level - 40) / 4) % 40 + plus };
        self.out.extend(std::iter::repeat_n(' ', column.max(0) as usize));
        self.push(s);
        self.indent = (self.indent + after).max(0);
    }
    /// A comma-separated list.
    fn list<T>(&mut self, items: &[T], mut each: impl FnMut(&mut Self, &T) -> PgResult<()>) -> PgResult<()> {
        for (i, item) in items.iter().enumerate() {
            if i > 0 {
                self.push(", ");
            }
            each(self, item)?;
        }
        Ok(())
    }
}

/// The text in which the catalogs store an expression.
pub fn storage_text(
    catalog: &Arc<Snapshot>,
    env: &dyn TypeEnv,
    expr: &Expr,
    scope: Scope<'_>,
) -> PgResult<String> {
    let path = SearchPath::catalog_only();
    Deparser::new(catalog, &path, env, Style::default()).expr_text(expr, scope)
}

/// The text in which the catalogs store a query (views, SQL-standard function bodies).
pub fn storage_query(catalog: &Arc<Snapshot>, env: &dyn TypeEnv, query: &Query) -> PgResult<String> {
    let path = SearchPath::catalog_only();
    Deparser::new(catalog, &path, env, Style::default()).query_text(query)
}
