//! The name of an output column without AS, and the place of a piece of syntax.

use pglite_parser::ast::{self, Expr, Field, Indirection};

/// PostgreSQL's `FigureColname`.
pub(crate) fn figure_colname(e: &Expr) -> String {
    name_of(e).map_or_else(|| "?column?".to_string(), |(n, _)| n)
}

/// Like `figure_colname`, `None` when nothing suggests a name (index expressions).
pub(crate) fn name_of(e: &Expr) -> Option<(String, u8)> {
    let strong = |s: &str| Some((s.to_string(), 2));
    match e {
        Expr::ColumnRef(c) => c.fields.iter().rev().find_map(|f| match f {
            Field::Name(n) => strong(n),
            Field::Star => None,
        }),
        Expr::AIndirection(i) => i
            .indirection
            .iter()
            .rev()
            .find_map(|s| match s {
                Indirection::Name(n) => strong(n),
                _ => None,
            })
            .or_else(|| name_of(&i.arg)),
        Expr::FuncCall(f) => f.funcname.last().and_then(|n| strong(n)),
        Expr::AExpr(a) if a.kind == ast::AExprKind::NullIf => strong("nullif"),
        Expr::TypeCast(t) => match name_of(&t.arg) {
            Some((n, 2)) => Some((n, 2)),
            weaker => t.type_name.names.last().map(|n| (n.clone(), 1)).or(weaker),
        },
        Expr::CollateClause(c) => c.arg.as_ref().and_then(name_of),
        Expr::GroupingFunc(_) => strong("grouping"),
        Expr::MergeSupportFunc(_) => strong("merge_action"),
        Expr::SubLink(s) => match s.sub_link_type {
            ast::SubLinkType::Exists => strong("exists"),
            ast::SubLinkType::Array => strong("array"),
            ast::SubLinkType::Expr => {
                let t = leftmost(&s.subselect).target_list.first()?;
                match &t.name {
                    Some(n) => strong(n),
                    None => t.val.as_ref().and_then(name_of),
                }
            }
            _ => None,
        },
        Expr::CaseExpr(c) => match c.defresult.as_ref().and_then(name_of) {
            Some((n, s)) if s > 1 => Some((n, s)),
            _ => Some(("case".to_string(), 1)),
        },
        Expr::AArrayExpr(_) => strong("array"),
        Expr::RowExpr(_) => strong("row"),
        Expr::CoalesceExpr(_) => strong("coalesce"),
        Expr::MinMaxExpr(m) => strong(if m.op == ast::MinMaxOp::Greatest { "greatest" } else { "least" }),
        Expr::SqlValueFunction(s) => {
            use ast::SqlValueFunctionOp as O;
            strong(match s.op {
                O::CurrentDate => "current_date",
                O::CurrentTime | O::CurrentTimeN => "current_time",
                O::CurrentTimestamp | O::CurrentTimestampN => "current_timestamp",
                O::LocalTime | O::LocalTimeN => "localtime",
                O::LocalTimestamp | O::LocalTimestampN => "localtimestamp",
                O::CurrentRole => "current_role",
                O::CurrentUser => "current_user",
                O::User => "user",
                O::SessionUser => "session_user",
                O::CurrentCatalog => "current_catalog",
                O::CurrentSchema => "current_schema",
            })
        }
        Expr::XmlExpr(x) => {
            use ast::XmlExprOp as X;
            match x.op {
                X::XmlConcat => strong("xmlconcat"),
                X::XmlElement => strong("xmlelement"),
                X::XmlForest => strong("xmlforest"),
                X::XmlParse => strong("xmlparse"),
                X::XmlPi => strong("xmlpi"),
                X::XmlRoot => strong("xmlroot"),
                X::XmlSerialize => strong("xmlserialize"),
                X::Document => None,
            }
        }
        Expr::XmlSerialize(_) => strong("xmlserialize"),
        Expr::JsonParseExpr(_) => strong("json"),
        Expr::JsonScalarExpr(_) => strong("json_scalar"),
        Expr::JsonSerializeExpr(_) => strong("json_serialize"),
        Expr::JsonObjectConstructor(_) => strong("json_object"),
        Expr::JsonArrayConstructor(_) | Expr::JsonArrayQueryConstructor(_) => strong("json_array"),
        Expr::JsonObjectAgg(_) => strong("json_objectagg"),
        Expr::JsonArrayAgg(_) => strong("json_arrayagg"),
        Expr::JsonFuncExpr(j) => match j.op {
            ast::JsonExprOp::Exists => strong("json_exists"),
            ast::JsonExprOp::Query => strong("json_query"),
            ast::JsonExprOp::Value => strong("json_value"),
            ast::JsonExprOp::Table => None,
        },
        _ => None,
    }
}

fn leftmost(s: &ast::SelectStmt) -> &ast::SelectStmt {
    let mut s = s;
    while let Some(l) = &s.larg {
        s = l;
    }
    s
}

/// The leftmost place of a piece of syntax (PostgreSQL's `exprLocation` on raw trees).
pub(crate) fn raw_location(e: &Expr) -> i32 {
    let min = |a: i32, b: i32| {
        if a < 0 {
            b
        } else if b < 0 {
            a
        } else {
            a.min(b)
        }
    };
    match e {
        Expr::AConst(c) => c.location,
        Expr::ColumnRef(c) => c.location,
        Expr::ParamRef(p) => p.location,
        Expr::AExpr(a) => match &a.lexpr {
            Some(l) => min(a.location, raw_location(l)),
            None => a.location,
        },
        Expr::BoolExpr(b) => min(b.location, b.args.first().map_or(-1, raw_location)),
        Expr::FuncCall(f) => min(f.location, f.args.first().map_or(-1, raw_location)),
        Expr::NamedArgExpr(n) => min(n.location, raw_location(&n.arg)),
        Expr::SubLink(s) => min(s.location, s.testexpr.as_ref().map_or(-1, raw_location)),
        Expr::CaseExpr(c) => c.location,
        Expr::TypeCast(t) => {
            let at = min(t.location, t.type_name.location);
            min(raw_location(&t.arg), at)
        }
        Expr::CollateClause(c) => c.arg.as_ref().map_or(c.location, raw_location),
        Expr::NullTest(n) => min(n.location, raw_location(&n.arg)),
        Expr::BooleanTest(b) => min(b.location, raw_location(&b.arg)),
        Expr::AIndirection(i) => raw_location(&i.arg),
        Expr::AArrayExpr(a) => a.location,
        Expr::RowExpr(r) => r.location,
        Expr::CoalesceExpr(c) => c.location,
        Expr::MinMaxExpr(m) => m.location,
        Expr::SqlValueFunction(s) => s.location,
        Expr::XmlExpr(x) => x.location,
        Expr::XmlSerialize(x) => x.location,
        Expr::GroupingFunc(g) => g.location,
        Expr::SetToDefault(d) => d.location,
        Expr::CurrentOfExpr(c) => c.location,
        Expr::MergeSupportFunc(m) => m.location,
        Expr::JsonObjectConstructor(j) => j.location,
        Expr::JsonArrayConstructor(j) => j.location,
        Expr::JsonArrayQueryConstructor(j) => j.location,
        Expr::JsonFuncExpr(j) => j.location,
        Expr::JsonParseExpr(j) => j.location,
        Expr::JsonScalarExpr(j) => j.location,
        Expr::JsonSerializeExpr(j) => j.location,
        Expr::JsonIsPredicate(j) => j.location,
        Expr::JsonObjectAgg(j) => j.constructor.location,
        Expr::JsonArrayAgg(j) => j.constructor.location,
        Expr::MultiAssignRef(m) => raw_location(&m.source),
    }
}
