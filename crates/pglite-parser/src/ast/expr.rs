//! Expression nodes: what PostgreSQL's `a_expr` and its relatives produce.

use std::sync::Arc;

use super::json::*;
use super::{SelectStmt, SortBy, TypeName, Value, WindowDef};

/// An expression. 16 bytes; every node is boxed.
#[derive(Debug, Clone, PartialEq)]
pub enum Expr {
    AConst(Box<AConst>),
    ColumnRef(Box<ColumnRef>),
    ParamRef(Box<ParamRef>),
    AExpr(Box<AExpr>),
    BoolExpr(Box<BoolExpr>),
    FuncCall(Box<FuncCall>),
    NamedArgExpr(Box<NamedArgExpr>),
    SubLink(Box<SubLink>),
    CaseExpr(Box<CaseExpr>),
    TypeCast(Box<TypeCast>),
    CollateClause(Box<CollateClause>),
    NullTest(Box<NullTest>),
    BooleanTest(Box<BooleanTest>),
    AIndirection(Box<AIndirection>),
    AArrayExpr(Box<AArrayExpr>),
    RowExpr(Box<RowExpr>),
    CoalesceExpr(Box<CoalesceExpr>),
    MinMaxExpr(Box<MinMaxExpr>),
    SqlValueFunction(Box<SqlValueFunction>),
    XmlExpr(Box<XmlExpr>),
    XmlSerialize(Box<XmlSerialize>),
    GroupingFunc(Box<GroupingFunc>),
    MergeSupportFunc(Box<MergeSupportFunc>),
    CurrentOfExpr(Box<CurrentOfExpr>),
    SetToDefault(Box<SetToDefault>),
    MultiAssignRef(Box<MultiAssignRef>),
    JsonObjectConstructor(Box<JsonObjectConstructor>),
    JsonArrayConstructor(Box<JsonArrayConstructor>),
    JsonArrayQueryConstructor(Box<JsonArrayQueryConstructor>),
    JsonObjectAgg(Box<JsonObjectAgg>),
    JsonArrayAgg(Box<JsonArrayAgg>),
    JsonFuncExpr(Box<JsonFuncExpr>),
    JsonParseExpr(Box<JsonParseExpr>),
    JsonScalarExpr(Box<JsonScalarExpr>),
    JsonSerializeExpr(Box<JsonSerializeExpr>),
    JsonIsPredicate(Box<JsonIsPredicate>),
}

nodes! {
    /// A literal.
    struct AConst { val: Value, location: i32 }
    /// `a`, `a.b`, `a.*` ...; `fields` holds names and stars only.
    struct ColumnRef { fields: Vec<Field>, location: i32 }
    /// `$n`
    struct ParamRef { number: i32, location: i32 }
    /// Operator expressions in the wide sense; `name` is the operator, perhaps qualified.
    ///
    /// `location` is the operator token. For In and Between* kinds `rexpr` is `AExprRight::List`.
    struct AExpr {
        kind: AExprKind,
        name: Vec<String>,
        lexpr: Option<Expr>,
        rexpr: AExprRight,
        location: i32,
    }
    enum AExprKind {
        Op, OpAny, OpAll, Distinct, NotDistinct, NullIf, In, Like, ILike, Similar,
        Between, NotBetween, BetweenSym, NotBetweenSym,
    }
    /// AND and OR are flattened to any number of arguments; NOT has one.
    struct BoolExpr { boolop: BoolExprType, args: Vec<Expr>, location: i32 }
    enum BoolExprType { And, Or, Not }
    /// A call in function or aggregate or window syntax.
    default struct FuncCall {
        funcname: Vec<String>,
        args: Vec<Expr>,
        agg_order: Vec<SortBy>,
        agg_filter: Option<Expr>,
        over: Option<Box<WindowDef>>,
        agg_within_group: bool,
        agg_star: bool,
        agg_distinct: bool,
        func_variadic: bool,
        funcformat: CoercionForm,
        location: i32,
    }
    enum CoercionForm { ExplicitCall, ExplicitCast, ImplicitCast, SqlSyntax }
    struct NamedArgExpr { name: String, arg: Expr, location: i32 }
    /// A subselect in an expression. `oper_name` is empty for plain IN.
    struct SubLink {
        sub_link_type: SubLinkType,
        testexpr: Option<Expr>,
        oper_name: Vec<String>,
        subselect: Box<SelectStmt>,
        location: i32,
    }
    enum SubLinkType { Exists, All, Any, RowCompare, Expr, MultiExpr, Array, Cte }
    struct CaseExpr { arg: Option<Expr>, args: Vec<CaseWhen>, defresult: Option<Expr>, location: i32 }
    struct CaseWhen { expr: Expr, result: Expr, location: i32 }
    /// `location` is the `::` or the CAST keyword; -1 when the grammar itself adds the cast.
    struct TypeCast { arg: Expr, type_name: TypeName, location: i32 }
    /// `arg` is missing in column definitions.
    struct CollateClause { arg: Option<Expr>, collname: Vec<String>, location: i32 }
    struct NullTest { arg: Expr, nulltesttype: NullTestType, location: i32 }
    enum NullTestType { IsNull, IsNotNull }
    struct BooleanTest { arg: Expr, booltesttype: BoolTestType, location: i32 }
    enum BoolTestType { IsTrue, IsNotTrue, IsFalse, IsNotFalse, IsUnknown, IsNotUnknown }
    /// Field selection and subscripting of something that is not a plain column.
    struct AIndirection { arg: Expr, indirection: Vec<Indirection> }
    /// `[i]`, or `[l:u]` with either bound perhaps missing.
    struct AIndices { is_slice: bool, lidx: Option<Expr>, uidx: Option<Expr> }
    struct AArrayExpr { elements: Vec<Expr>, location: i32 }
    struct RowExpr { args: Vec<Expr>, row_format: CoercionForm, location: i32 }
    struct CoalesceExpr { args: Vec<Expr>, location: i32 }
    struct MinMaxExpr { op: MinMaxOp, args: Vec<Expr>, location: i32 }
    enum MinMaxOp { Greatest, Least }
    struct SqlValueFunction { op: SqlValueFunctionOp, typmod: i32, location: i32 }
    enum SqlValueFunctionOp {
        CurrentDate, CurrentTime, CurrentTimeN, CurrentTimestamp, CurrentTimestampN, LocalTime, LocalTimeN,
        LocalTimestamp, LocalTimestampN, CurrentRole, CurrentUser, User, SessionUser, CurrentCatalog,
        CurrentSchema,
    }
    default struct XmlExpr {
        op: XmlExprOp,
        name: Option<String>,
        named_args: Vec<ResTarget>,
        args: Vec<Expr>,
        xmloption: XmlOptionType,
        location: i32,
    }
    enum XmlExprOp { XmlConcat, XmlElement, XmlForest, XmlParse, XmlPi, XmlRoot, XmlSerialize, Document }
    enum XmlOptionType { Document, Content }
    struct XmlSerialize { xmloption: XmlOptionType, expr: Expr, type_name: TypeName, indent: bool, location: i32 }
    struct GroupingFunc { args: Vec<Expr>, location: i32 }
    /// `MERGE_ACTION()`
    struct MergeSupportFunc { location: i32 }
    struct CurrentOfExpr { cursor_name: String, location: i32 }
    /// DEFAULT in a VALUES list or SET clause
    struct SetToDefault { location: i32 }
    /// One column of `(a, b) = source`; all columns share the source.
    struct MultiAssignRef { source: Arc<Expr>, colno: i32, ncolumns: i32 }
    /// An output column, an INSERT column or a SET target, depending on where it stands.
    struct ResTarget {
        name: Option<String>,
        indirection: Vec<Indirection>,
        val: Option<Expr>,
        location: i32,
    }
}

/// One step of a [`ColumnRef`]. Subscripts never occur here (they make an [`AIndirection`]).
#[derive(Debug, Clone, PartialEq)]
pub enum Field {
    Name(String),
    Star,
}

/// One step of an indirection: `.name`, `.*`, `[subscript]`.
#[derive(Debug, Clone, PartialEq)]
pub enum Indirection {
    Name(String),
    Star,
    Indices(Box<AIndices>),
}

/// The right side of an [`AExpr`].
#[derive(Debug, Clone, PartialEq)]
pub enum AExprRight {
    Expr(Expr),
    /// The list of IN, or the two bounds of BETWEEN.
    List(Vec<Expr>),
}
