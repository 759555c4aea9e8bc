//! Subqueries in expressions.

use crate::prelude::*;
use ast::SubLinkType as S;

impl Analyzer<'_, '_> {
    pub(crate) fn transform_sublink(&mut self, s: &ast::SubLink) -> PgResult<Expr> {
        if let Some(msg) = self.cur().kind.sublink_error() {
            return Err(err!(FEATURE_NOT_SUPPORTED, "{msg}").at(s.location));
        }
        self.cur().has_sublinks = true;
        let query = self.sub_analyze_select(&s.subselect, None, false, true)?;
        if query.command != CommandType::Select {
            return Err(PgError::internal("unexpected non-SELECT command in SubLink"));
        }
        let columns: Vec<ColType> = query
            .targets
            .iter()
            .filter(|t| !t.junk)
            .map(|t| ColType { ty: t.expr.ty(), typmod: t.expr.typmod(), collation: t.expr.collation() })
            .collect();
        let mut link = SubLink {
            kind: match s.sub_link_type {
                S::Exists => SubLinkKind::Exists,
                S::All => SubLinkKind::All,
                S::Any => SubLinkKind::Any,
                S::RowCompare => SubLinkKind::RowCompare,
                S::Expr => SubLinkKind::Expr,
                S::MultiExpr => SubLinkKind::MultiExpr,
                S::Array => SubLinkKind::Array,
                S::Cte => SubLinkKind::Cte,
            },
            id: 0,
            test: None,
            op_name: s.oper_name.clone(),
            query: Box::new(query),
            location: s.location,
        };
        match link.kind {
            SubLinkKind::Expr | SubLinkKind::Array => {
                let [col] = columns.as_slice() else {
                    return Err(err!(SYNTAX_ERROR, "subquery must return only one column").at(s.location));
                };
                if link.kind == SubLinkKind::Array {
                    let ty = self.cat.promoted_array_type(col.ty);
                    if !ty.is_valid() {
                        let name = self.cat.format_type(col.ty);
                        return Err(err!(UNDEFINED_OBJECT, "could not find array type for data type {name}")
                            .at(s.location));
                    }
                    link.test = Some(Expr::Const(Const {
                        ty,
                        typmod: -1,
                        collation: col.collation,
                        value: Datum::Null,
                        location: -1,
                    }));
                }
            }
            SubLinkKind::All | SubLinkKind::Any | SubLinkKind::RowCompare => {
                link.test = Some(self.sublink_test(s, &columns)?);
            }
            _ => {}
        }
        Ok(Expr::SubLink(Box::new(link)))
    }

    /// The comparison of ANY/ALL/row sublinks: the left side against placeholders of the subquery's columns.
    fn sublink_test(&mut self, s: &ast::SubLink, columns: &[ColType]) -> PgResult<Expr> {
        let default_name = ["=".to_string()];
        let names: &[String] = if s.oper_name.is_empty() { &default_name } else { &s.oper_name };
        let Some(test) = &s.testexpr else {
            return Err(PgError::internal("sublink without test expression"));
        };
        let left = match self.transform_expr(test)? {
            Expr::Row { args, .. } if matches!(test, ast::Expr::RowExpr(_)) => args,
            other => vec![other],
        };
        if left.len() < columns.len() {
            return Err(err!(SYNTAX_ERROR, "subquery has too many columns").at(s.location));
        }
        if left.len() > columns.len() {
            return Err(err!(SYNTAX_ERROR, "subquery has too few columns").at(s.location));
        }
        let right = columns
            .iter()
            .enumerate()
            .map(|(i, c)| {
                Expr::Param(Param {
                    kind: ParamKind::Exec,
                    id: i as u32,
                    ty: c.ty,
                    typmod: c.typmod,
                    collation: c.collation,
                    location: -1,
                })
            })
            .collect();
        self.row_comparison(names, left, right, s.location)
    }
}
