//! Stored expressions and queries printed for people: the catalogs hold SQL text that is qualified for storage; it is
//! bound again and printed as the session's search path and PostgreSQL's `pretty` flag want it.

use pglite_analyze::{ExprKind, ParamTypes, Scope, analyze_statement, analyze_stored_query};
use pglite_catalog::reldesc::split_list;
use pglite_error::{PgError, PgResult};
use pglite_functions::deparse::{self, Deparser, Style};
use pglite_ir::Expr;
use pglite_ir::expr::CoercionForm;
use pglite_ir::query::ColType;
use pglite_types::{Datum, Oid, Row};

use crate::cx::Cx;

/// Whether PostgreSQL prints the expression as a function call, which needs no parentheses as an index key.
fn is_call(e: &Expr) -> bool {
    match e {
        Expr::Func(f) => matches!(f.form, CoercionForm::ExplicitCall | CoercionForm::SqlSyntax),
        Expr::Coalesce { .. } | Expr::MinMax { .. } | Expr::NullIf(_) | Expr::SqlValue { .. } => true,
        _ => false,
    }
}

/// `display_expr(text, relation or domain, pretty, scope)`: one row (text, is a call) for each expression of the list.
pub(super) fn expr(cx: &Cx<'_>, text: &str, object: Oid, pretty: bool, scope: &str) -> PgResult<Vec<Row>> {
    let style = Style { pretty_paren: pretty, indent: true };
    let printer = || Deparser::new(&cx.catalog, &cx.path, cx, style);
    let rel = if scope == "domain" { None } else { object.valid().and_then(|o| cx.catalog.rel(o)) };
    let mut rows = Vec::new();
    for part in split_list(text) {
        let part = part.trim();
        let (bound, shown) = match (scope, &rel) {
            ("domain", _) => {
                let row = cx.catalog.type_by_oid(object);
                let t = row.map(|r| ColType {
                    ty: r.typbasetype,
                    typmod: r.typtypmod,
                    collation: r.typcollation,
                });
                let t = t.ok_or_else(|| PgError::internal("domain does not exist"))?;
                let e = cx.bind(part, &Scope::Domain(t), ExprKind::DomainCheck, None)?;
                let shown = printer().expr_text(&e, deparse::Scope::None)?;
                (e, shown)
            }
            ("trigger", Some(rel)) => {
                let names = [("old", rel), ("new", rel)];
                let e = cx.bind(part, &Scope::Relations(&names), ExprKind::TriggerWhen, None)?;
                let shown = printer().expr_text(&e, deparse::Scope::OldNew(rel))?;
                (e, shown)
            }
            (_, Some(rel)) => {
                let e = cx.bind(part, &Scope::Relation(rel), ExprKind::Other, None)?;
                let shown = printer().expr_text(&e, deparse::Scope::Relation(rel))?;
                (e, shown)
            }
            _ => {
                let e = cx.bind(part, &Scope::None, ExprKind::ColumnDefault, None)?;
                let shown = printer().expr_text(&e, deparse::Scope::None)?;
                (e, shown)
            }
        };
        rows.push(vec![Datum::text(shown), Datum::Bool(is_call(&bound))]);
    }
    Ok(rows)
}

/// `display_view(relation, pretty)`: the view's query.
pub(super) fn view(cx: &Cx<'_>, relation: Oid, pretty: bool) -> PgResult<Vec<Row>> {
    let Some(rel) = cx.catalog.rel(relation) else { return Ok(Vec::new()) };
    let Some(text) = &rel.view else { return Ok(Vec::new()) };
    let query = if rel.oid >= Oid::FIRST_NORMAL {
        analyze_stored_query(cx, text)?
    } else {
        let parsed = pglite_parser::parse(text.as_str(), &pglite_parser::ParseOptions::default())?;
        let Some(raw) = parsed.stmts.first() else { return Ok(Vec::new()) };
        analyze_statement(cx, &raw.stmt, &mut ParamTypes::none())?
    };
    let printer = Deparser::new(&cx.catalog, &cx.path, cx, Style { pretty_paren: pretty, indent: true });
    Ok(vec![vec![Datum::text(printer.query_text(&query)?)]])
}

/// `partition_constraint(relation)`: the condition that a partition's rows meet, as `\d+` prints it.
pub(super) fn partition(cx: &Cx<'_>, relation: Oid) -> PgResult<Vec<Row>> {
    let Some(rel) = cx.catalog.rel(relation) else { return Ok(vec![vec![Datum::Null]]) };
    let all = pglite_analyze::partition::partition_constraint(cx, &rel)?;
    if all.is_empty() {
        return Ok(vec![vec![Datum::Null]]);
    }
    let printer = Deparser::new(&cx.catalog, &cx.path, cx, Style { pretty_paren: false, indent: true });
    let text = printer.expr_text(&Expr::and(all), deparse::Scope::Relation(&rel))?;
    Ok(vec![vec![Datum::text(text)]])
}
