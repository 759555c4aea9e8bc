//! SQL/JSON nodes: constructors, query functions, predicates and JSON_TABLE.

use super::{Alias, Expr, SelectStmt, SortBy, TypeName, WindowDef};

nodes! {
    default struct JsonFormat { format_type: JsonFormatType, encoding: JsonEncoding, location: i32 }
    enum JsonFormatType { Default, Json, Jsonb }
    enum JsonEncoding { Default, Utf8, Utf16, Utf32 }
    /// A value with its FORMAT clause.
    struct JsonValueExpr { raw_expr: Expr, format: JsonFormat }
    /// RETURNING type [FORMAT ...]
    struct JsonOutput { type_name: TypeName, format: JsonFormat }
    struct JsonArgument { val: JsonValueExpr, name: String }
    struct JsonKeyValue { key: Expr, value: JsonValueExpr }
    struct JsonBehavior { btype: JsonBehaviorType, expr: Option<Expr>, location: i32 }
    enum JsonBehaviorType { Null, Error, Empty, True, False, Unknown, EmptyArray, EmptyObject, Default }
    enum JsonWrapper { Unspec, None, Conditional, Unconditional }
    enum JsonQuotes { Unspec, Keep, Omit }
    struct JsonObjectConstructor {
        exprs: Vec<JsonKeyValue>,
        output: Option<JsonOutput>,
        absent_on_null: bool,
        unique: bool,
        location: i32,
    }
    struct JsonArrayConstructor {
        exprs: Vec<JsonValueExpr>,
        output: Option<JsonOutput>,
        absent_on_null: bool,
        location: i32,
    }
    struct JsonArrayQueryConstructor {
        query: Box<SelectStmt>,
        output: Option<JsonOutput>,
        format: JsonFormat,
        absent_on_null: bool,
        location: i32,
    }
    /// What JSON_OBJECTAGG and JSON_ARRAYAGG share.
    struct JsonAggConstructor {
        output: Option<JsonOutput>,
        agg_filter: Option<Expr>,
        agg_order: Vec<SortBy>,
        over: Option<Box<WindowDef>>,
        location: i32,
    }
    struct JsonObjectAgg {
        constructor: JsonAggConstructor,
        arg: JsonKeyValue,
        absent_on_null: bool,
        unique: bool,
    }
    struct JsonArrayAgg { constructor: JsonAggConstructor, arg: JsonValueExpr, absent_on_null: bool }
    enum JsonExprOp { Exists, Query, Value, Table }
    /// JSON_EXISTS, JSON_QUERY, JSON_VALUE.
    struct JsonFuncExpr {
        op: JsonExprOp,
        context_item: JsonValueExpr,
        pathspec: Expr,
        passing: Vec<JsonArgument>,
        output: Option<JsonOutput>,
        on_empty: Option<JsonBehavior>,
        on_error: Option<JsonBehavior>,
        wrapper: JsonWrapper,
        quotes: JsonQuotes,
        location: i32,
    }
    /// `JSON(...)`
    struct JsonParseExpr { expr: JsonValueExpr, unique_keys: bool, location: i32 }
    struct JsonScalarExpr { expr: Expr, location: i32 }
    struct JsonSerializeExpr { expr: JsonValueExpr, output: Option<JsonOutput>, location: i32 }
    enum JsonValueType { Any, Object, Array, Scalar }
    /// `IS JSON ...`
    struct JsonIsPredicate {
        expr: Expr,
        item_type: JsonValueType,
        unique_keys: bool,
        location: i32,
    }
    struct JsonTablePathSpec {
        string: Expr,
        name: Option<String>,
        name_location: i32,
        location: i32,
    }
    struct JsonTable {
        context_item: JsonValueExpr,
        pathspec: JsonTablePathSpec,
        passing: Vec<JsonArgument>,
        columns: Vec<JsonTableColumn>,
        on_error: Option<JsonBehavior>,
        alias: Option<Alias>,
        lateral: bool,
        location: i32,
    }
    enum JsonTableColumnType { ForOrdinality, Regular, Exists, Formatted, Nested }
    default struct JsonTableColumn {
        coltype: JsonTableColumnType,
        name: Option<String>,
        type_name: Option<TypeName>,
        pathspec: Option<JsonTablePathSpec>,
        format: JsonFormat,
        wrapper: JsonWrapper,
        quotes: JsonQuotes,
        columns: Vec<JsonTableColumn>,
        on_empty: Option<JsonBehavior>,
        on_error: Option<JsonBehavior>,
        location: i32,
    }
}
