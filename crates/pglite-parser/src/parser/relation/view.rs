//! Views and materialized views.

use pglite_error::{PgError, PgResult};

use crate::ast::*;
use crate::keyword::Kw;
use crate::parser::Parser;
use crate::parser::create::Persistence;

impl Parser<'_> {
    /// CREATE ... [RECURSIVE] VIEW, at one of these words.
    pub(in crate::parser) fn view_stmt(
        &mut self,
        persistence: Persistence,
        replace: bool,
    ) -> PgResult<ViewStmt> {
        let recursive = self.eat(Kw::Recursive);
        self.expect(Kw::View)?;
        let mut view = self.qualified_name()?;
        view.relpersistence = persistence.relpersistence();
        let aliases = if recursive { self.paren_name_list()? } else { self.opt_name_list()? };
        let options = self.opt_reloptions()?;
        self.expect(Kw::As)?;
        let mut query = self.select_stmt()?;
        let check_at = self.loc();
        let with_check_option = self.opt_check_option()?;
        if recursive {
            if with_check_option != ViewCheckOption::None {
                let message = "WITH CHECK OPTION not supported on recursive views";
                return Err(PgError::unsupported(message).at(check_at));
            }
            query = recursive_query(&view.relname, &aliases, query);
        }
        Ok(ViewStmt { view, aliases, query, replace, options, with_check_option })
    }

    fn opt_check_option(&mut self) -> PgResult<ViewCheckOption> {
        if !self.eat(Kw::With) {
            return Ok(ViewCheckOption::None);
        }
        let option = match self.eat_any(&[Kw::Cascaded, Kw::Local]) {
            Some(Kw::Local) => ViewCheckOption::Local,
            _ => ViewCheckOption::Cascaded,
        };
        self.expect_all(&[Kw::Check, Kw::Option])?;
        Ok(option)
    }

    /// CREATE [UNLOGGED] MATERIALIZED VIEW, at MATERIALIZED.
    pub(in crate::parser) fn create_mat_view_stmt(
        &mut self,
        persistence: Persistence,
    ) -> PgResult<CreateTableAsStmt> {
        self.expect_all(&[Kw::Materialized, Kw::View])?;
        let if_not_exists = self.opt_if_not_exists()?;
        let mut rel = self.qualified_name()?;
        rel.relpersistence = persistence.relpersistence();
        let col_names = self.opt_name_list()?;
        let access_method = if self.eat(Kw::Using) { Some(self.name()?) } else { None };
        let options = self.opt_reloptions()?;
        let table_space_name = self.opt_tablespace()?;
        self.expect(Kw::As)?;
        let query = Statement::SelectStmt(self.select_stmt()?);
        let skip_data = !self.opt_with_data()?;
        let on_commit = OnCommitAction::Noop;
        let into =
            IntoClause { rel, col_names, access_method, options, on_commit, table_space_name, skip_data };
        Ok(CreateTableAsStmt {
            query,
            into,
            objtype: ObjectType::MatView,
            is_select_into: false,
            if_not_exists,
        })
    }

    pub(in crate::parser) fn refresh_mat_view_stmt(&mut self) -> PgResult<RefreshMatViewStmt> {
        self.bump();
        self.expect_all(&[Kw::Materialized, Kw::View])?;
        let concurrent = self.eat(Kw::Concurrently);
        let relation = self.qualified_name()?;
        let skip_data = !self.opt_with_data()?;
        Ok(RefreshMatViewStmt { concurrent, skip_data, relation })
    }
}

/// `SELECT aliases FROM (WITH RECURSIVE name (aliases) AS (query) ...)`, as CREATE RECURSIVE VIEW means it.
fn recursive_query(name: &str, aliases: &[String], query: Box<SelectStmt>) -> Box<SelectStmt> {
    let cte = CommonTableExpr {
        ctename: name.to_string(),
        aliascolnames: aliases.to_vec(),
        ctematerialized: CteMaterialize::Default,
        ctequery: Statement::SelectStmt(query),
        search_clause: None,
        cycle_clause: None,
        location: -1,
    };
    let target = |alias: &String| {
        let fields = vec![Field::Name(alias.clone())];
        let val = Some(Expr::ColumnRef(Box::new(ColumnRef { fields, location: -1 })));
        ResTarget { name: None, indirection: Vec::new(), val, location: -1 }
    };
    Box::new(SelectStmt {
        with_clause: Some(Box::new(WithClause { ctes: vec![cte], recursive: true, location: -1 })),
        target_list: aliases.iter().map(target).collect(),
        from_clause: vec![FromItem::RangeVar(Box::new(RangeVar::new(name, -1)))],
        ..SelectStmt::default()
    })
}
