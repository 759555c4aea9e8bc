//! Where an expression begins: what error cursors point at.

use super::*;

/// The smaller of two locations, ignoring unknown ones.
fn leftmost(a: i32, b: i32) -> i32 {
    if a < 0 {
        b
    } else if b < 0 {
        a
    } else {
        a.min(b)
    }
}

/// The location of the first expression that has one.
fn first_of(list: &[Expr]) -> i32 {
    list.iter().map(Expr::location).find(|&l| l >= 0).unwrap_or(-1)
}

impl Expr {
    /// The leftmost known location of the expression (PostgreSQL's `exprLocation`).
    ///
    /// For operators that is the left operand's beginning; the operator itself is `AExpr::location`.
    pub fn location(&self) -> i32 {
        match self {
            Expr::AConst(e) => e.location,
            Expr::ColumnRef(e) => e.location,
            Expr::ParamRef(e) => e.location,
            Expr::AExpr(e) => leftmost(e.location, e.lexpr.as_ref().map_or(-1, Expr::location)),
            Expr::BoolExpr(e) => leftmost(e.location, first_of(&e.args)),
            Expr::FuncCall(e) => leftmost(e.location, first_of(&e.args)),
            Expr::NamedArgExpr(e) => leftmost(e.location, e.arg.location()),
            Expr::SubLink(e) => leftmost(e.location, e.testexpr.as_ref().map_or(-1, Expr::location)),
            Expr::CaseExpr(e) => e.location,
            Expr::TypeCast(e) => leftmost(leftmost(e.arg.location(), e.type_name.location), e.location),
            Expr::CollateClause(e) => e.arg.as_ref().map_or(-1, Expr::location),
            Expr::NullTest(e) => leftmost(e.location, e.arg.location()),
            Expr::BooleanTest(e) => leftmost(e.location, e.arg.location()),
            Expr::AIndirection(e) => e.arg.location(),
            Expr::AArrayExpr(e) => e.location,
            Expr::RowExpr(e) => e.location,
            Expr::CoalesceExpr(e) => e.location,
            Expr::MinMaxExpr(e) => e.location,
            Expr::SqlValueFunction(e) => e.location,
            Expr::XmlExpr(e) => leftmost(e.location, first_of(&e.args)),
            Expr::XmlSerialize(e) => e.location,
            Expr::GroupingFunc(e) => e.location,
            Expr::MergeSupportFunc(e) => e.location,
            Expr::CurrentOfExpr(e) => e.location,
            Expr::SetToDefault(e) => e.location,
            Expr::MultiAssignRef(e) => e.source.location(),
            Expr::JsonObjectConstructor(e) => e.location,
            Expr::JsonArrayConstructor(e) => e.location,
            Expr::JsonArrayQueryConstructor(e) => e.location,
            Expr::JsonObjectAgg(e) => e.constructor.location,
            Expr::JsonArrayAgg(e) => e.constructor.location,
            Expr::JsonFuncExpr(e) => e.location,
            Expr::JsonParseExpr(e) => e.location,
            Expr::JsonScalarExpr(e) => e.location,
            Expr::JsonSerializeExpr(e) => e.location,
            Expr::JsonIsPredicate(e) => leftmost(e.location, e.expr.location()),
        }
    }
}
