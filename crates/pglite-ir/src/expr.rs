//! Bound expressions: every name resolved, every type, collation and function known.
//!
//! Analyze makes them, the rewriter and planner reshape them, the executor compiles them. `location` is the byte offset
//! in the statement text, or -1.

use pglite_types::{Datum, Oid};

use crate::query::Query;

/// A bound expression.
#[derive(Clone, Debug)]
pub enum Expr {
    Const(Const),
    Var(Var),
    Param(Param),
    Func(Box<FuncExpr>),
    Op(Box<OpExpr>),
    /// `a IS DISTINCT FROM b`; the operator is `=`.
    Distinct(Box<OpExpr>),
    /// `NULLIF(a, b)`; the operator is `=`.
    NullIf(Box<OpExpr>),
    /// `a op ANY/ALL (array)`.
    ScalarArrayOp(Box<ScalarArrayOpExpr>),
    Bool {
        op: BoolOp,
        args: Vec<Expr>,
        location: i32,
    },
    Aggref(Box<Aggref>),
    /// `GROUPING(...)`: `refs` are the ressortgrouprefs of the arguments.
    Grouping {
        args: Vec<Expr>,
        refs: Vec<u32>,
        levels_up: u32,
        location: i32,
    },
    WindowFunc(Box<WindowFunc>),
    SubLink(Box<SubLink>),
    /// What the planner makes of a SubLink it does not turn into a join.
    SubPlan(Box<SubPlan>),
    /// `(composite).field`; `field` is 1-based.
    FieldSelect {
        arg: Box<Expr>,
        field: i16,
        ty: Oid,
        typmod: i32,
        collation: Oid,
    },
    /// Assignment to fields of a composite column.
    FieldStore {
        arg: Box<Expr>,
        fields: Vec<(i16, Expr)>,
        ty: Oid,
    },
    /// Array/jsonb subscripting, fetch or (with `assign`) store.
    Subscript(Box<SubscriptExpr>),
    /// A binary-compatible cast: no work at run time.
    Relabel {
        arg: Box<Expr>,
        ty: Oid,
        typmod: i32,
        collation: Oid,
        form: CoercionForm,
        location: i32,
    },
    /// A cast through output and input functions.
    CoerceViaIo {
        arg: Box<Expr>,
        ty: Oid,
        collation: Oid,
        form: CoercionForm,
        location: i32,
    },
    /// An array cast: `elem` converts one element, given as `CaseTest`.
    ArrayCoerce {
        arg: Box<Expr>,
        elem: Box<Expr>,
        ty: Oid,
        typmod: i32,
        collation: Oid,
        form: CoercionForm,
        location: i32,
    },
    /// Composite to composite (child table row to parent's).
    ConvertRowtype {
        arg: Box<Expr>,
        ty: Oid,
        form: CoercionForm,
        location: i32,
    },
    /// Changes only the collation: `expr COLLATE c`.
    Collate {
        arg: Box<Expr>,
        collation: Oid,
        location: i32,
    },
    Case(Box<CaseExpr>),
    /// The value of the enclosing CASE's test expression, or of the enclosing ArrayCoerce's element.
    CaseTest {
        ty: Oid,
        typmod: i32,
        collation: Oid,
    },
    Array {
        elements: Vec<Expr>,
        ty: Oid,
        elem_type: Oid,
        collation: Oid,
        multidims: bool,
        location: i32,
    },
    Row {
        args: Vec<Expr>,
        ty: Oid,
        names: Vec<String>,
        form: CoercionForm,
        location: i32,
    },
    RowCompare(Box<RowCompareExpr>),
    Coalesce {
        args: Vec<Expr>,
        ty: Oid,
        collation: Oid,
        location: i32,
    },
    MinMax {
        greatest: bool,
        args: Vec<Expr>,
        ty: Oid,
        collation: Oid,
        input_collation: Oid,
        location: i32,
    },
    /// CURRENT_DATE, CURRENT_USER ...
    SqlValue {
        func: SqlValueFunc,
        ty: Oid,
        typmod: i32,
        location: i32,
    },
    NullTest {
        arg: Box<Expr>,
        is_null: bool,
        arg_is_row: bool,
        location: i32,
    },
    BooleanTest {
        arg: Box<Expr>,
        test: BoolTest,
        location: i32,
    },
    CoerceToDomain {
        arg: Box<Expr>,
        ty: Oid,
        typmod: i32,
        collation: Oid,
        form: CoercionForm,
        location: i32,
    },
    /// `VALUE` in a domain's CHECK expression.
    CoerceToDomainValue {
        ty: Oid,
        typmod: i32,
        collation: Oid,
        location: i32,
    },
    /// DEFAULT in INSERT/UPDATE, replaced by the rewriter.
    SetToDefault {
        ty: Oid,
        typmod: i32,
        collation: Oid,
        location: i32,
    },
    /// `WHERE CURRENT OF cursor`.
    CurrentOf {
        rte: u32,
        cursor: String,
        /// The parameter that holds the cursor's name (a refcursor variable of PL/pgSQL).
        param: Option<u32>,
    },
    /// An identity column's implicit nextval.
    NextValue {
        seq: Oid,
        ty: Oid,
    },
    Xml(Box<XmlExpr>),
    Json(Box<JsonExpr>),
    /// A named argument before it is put in place; never leaves analyze.
    NamedArg {
        name: String,
        arg: Box<Expr>,
        argno: i32,
        location: i32,
    },
    /// MULTIEXPR assignment source `(a, b) = (SELECT ...)`: column `column` (1-based) of sublink `sublink`.
    MultiAssign {
        sublink: u32,
        column: u32,
        ty: Oid,
        typmod: i32,
        collation: Oid,
    },
}

#[derive(Clone, Debug)]
pub struct Const {
    pub ty: Oid,
    pub typmod: i32,
    pub collation: Oid,
    pub value: Datum,
    pub location: i32,
}

/// A column reference.
///
/// In a `Query`: `rte` is the 1-based range table index. In a `Plan`: as set by the planner's last step, one of the
/// special values below, and `attno` is the 1-based position in that input's target list.
#[derive(Clone, Debug, PartialEq)]
pub struct Var {
    pub rte: u32,
    /// 1-based; 0 = whole row; negative = system column (see [`sysattr`]).
    pub attno: i16,
    pub levels_up: u32,
    pub ty: Oid,
    pub typmod: i32,
    pub collation: Oid,
    /// OLD/NEW in RETURNING: which version of the row.
    pub returning: VarReturning,
    /// The range table index and attno of the source column, kept for EXPLAIN after the planner rewrites `rte`.
    pub syn_rte: u32,
    pub syn_attno: i16,
    pub location: i32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum VarReturning {
    #[default]
    Default,
    Old,
    New,
}

/// `Var::rte` in plans: the left/outer child's output.
pub const OUTER_VAR: u32 = 0xFFFF_FF01;
/// `Var::rte` in plans: the right/inner child's output.
pub const INNER_VAR: u32 = 0xFFFF_FF02;
/// `Var::rte` in plans of IndexOnlyScan: a column of the index.
pub const INDEX_VAR: u32 = 0xFFFF_FF03;

/// System columns.
pub mod sysattr {
    pub const CTID: i16 = -1;
    pub const XMIN: i16 = -2;
    pub const CMIN: i16 = -3;
    pub const XMAX: i16 = -4;
    pub const CMAX: i16 = -5;
    pub const TABLEOID: i16 = -6;
    /// Ours, never visible to users: the stable row id, fetched by UPDATE/DELETE/FOR UPDATE plans (as Datum::Int8).
    pub const ROWID: i16 = -7;
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParamKind {
    /// `$n` of the statement; `id` is 1-based.
    External,
    /// Set by the executor for a subplan or a nested loop; `id` is 0-based.
    Exec,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Param {
    pub kind: ParamKind,
    pub id: u32,
    pub ty: Oid,
    pub typmod: i32,
    pub collation: Oid,
    pub location: i32,
}

/// How a cast or function call was written; decides how it is printed back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum CoercionForm {
    #[default]
    ExplicitCall,
    ExplicitCast,
    ImplicitCast,
    SqlSyntax,
}

#[derive(Clone, Debug)]
pub struct FuncExpr {
    pub func: Oid,
    pub ty: Oid,
    pub retset: bool,
    /// The last argument is an explicit VARIADIC array.
    pub variadic: bool,
    pub form: CoercionForm,
    pub collation: Oid,
    pub input_collation: Oid,
    pub args: Vec<Expr>,
    pub location: i32,
}

#[derive(Clone, Debug)]
pub struct OpExpr {
    pub op: Oid,
    pub func: Oid,
    pub ty: Oid,
    pub retset: bool,
    pub collation: Oid,
    pub input_collation: Oid,
    pub args: Vec<Expr>,
    pub location: i32,
}

#[derive(Clone, Debug)]
pub struct ScalarArrayOpExpr {
    pub op: Oid,
    pub func: Oid,
    /// ANY when true, ALL when false.
    pub use_or: bool,
    pub input_collation: Oid,
    /// Scalar, then array.
    pub args: [Expr; 2],
    pub location: i32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BoolOp {
    And,
    Or,
    Not,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BoolTest {
    IsTrue,
    IsNotTrue,
    IsFalse,
    IsNotFalse,
    IsUnknown,
    IsNotUnknown,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AggKind {
    Normal,
    OrderedSet,
    Hypothetical,
}

#[derive(Clone, Debug)]
pub struct Aggref {
    pub func: Oid,
    pub ty: Oid,
    pub collation: Oid,
    pub input_collation: Oid,
    /// Types of the actual arguments, direct ones first.
    pub arg_types: Vec<Oid>,
    pub direct_args: Vec<Expr>,
    /// Aggregated arguments, then ORDER BY expressions that are not arguments (resjunk).
    pub args: Vec<crate::query::TargetEntry>,
    pub order: Vec<crate::query::SortGroupClause>,
    pub distinct: Vec<crate::query::SortGroupClause>,
    pub filter: Option<Expr>,
    pub star: bool,
    pub variadic: bool,
    pub kind: AggKind,
    pub levels_up: u32,
    pub location: i32,
}

#[derive(Clone, Debug)]
pub struct WindowFunc {
    pub func: Oid,
    pub ty: Oid,
    pub collation: Oid,
    pub input_collation: Oid,
    pub args: Vec<Expr>,
    pub filter: Option<Expr>,
    /// Index into the Query's window clauses (`winref`, 1-based).
    pub winref: u32,
    pub star: bool,
    /// An ordinary aggregate used as a window function.
    pub is_agg: bool,
    pub location: i32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubLinkKind {
    Exists,
    All,
    Any,
    RowCompare,
    Expr,
    MultiExpr,
    Array,
    Cte,
}

#[derive(Clone, Debug)]
pub struct SubLink {
    pub kind: SubLinkKind,
    /// MULTIEXPR: its number in the query, 1-based.
    pub id: u32,
    /// ANY/ALL/ROWCOMPARE: the comparison, with `Param{kind: Exec}`-like placeholders `SubLinkColumn` as
    /// [`Expr::Param`] of kind Exec and id = 0-based subselect column.
    pub test: Option<Expr>,
    /// The operator's name as written, for printing back.
    pub op_name: Vec<String>,
    pub query: Box<Query>,
    pub location: i32,
}

/// A subquery that runs as a plan of its own.
#[derive(Clone, Debug)]
pub struct SubPlan {
    pub kind: SubLinkKind,
    pub test: Option<Expr>,
    /// Exec params the test expression uses for the subplan's output columns.
    pub column_params: Vec<u32>,
    /// 0-based index in `PlannedStmt::subplans`.
    pub plan: u32,
    pub name: String,
    pub ty: Oid,
    pub typmod: i32,
    pub collation: Oid,
    /// Use a hash table for uncorrelated ANY.
    pub use_hash: bool,
    /// Exec params to set from `args` before each run (correlated values), same length.
    pub params: Vec<u32>,
    pub args: Vec<Expr>,
    /// InitPlan only: exec params that receive the output columns.
    pub set_params: Vec<u32>,
}

#[derive(Clone, Debug)]
pub struct SubscriptExpr {
    pub container_type: Oid,
    pub elem_type: Oid,
    /// Result type of the fetch (element, or container for slices).
    pub ty: Oid,
    pub typmod: i32,
    pub collation: Oid,
    pub container: Expr,
    /// Upper indexes; a slice has `lower` of the same length. `None` = omitted bound `[:]`.
    pub upper: Vec<Option<Expr>>,
    pub lower: Vec<Option<Expr>>,
    pub is_slice: bool,
    /// The value to store, for assignment.
    pub assign: Option<Expr>,
}

#[derive(Clone, Debug)]
pub struct CaseExpr {
    pub ty: Oid,
    pub collation: Oid,
    /// The test expression; WHENs compare with `Expr::CaseTest`.
    pub arg: Option<Expr>,
    pub whens: Vec<(Expr, Expr)>,
    pub default: Option<Expr>,
    pub location: i32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowCompareKind {
    Lt,
    Le,
    Ge,
    Gt,
}

#[derive(Clone, Debug)]
pub struct RowCompareExpr {
    pub kind: RowCompareKind,
    pub ops: Vec<Oid>,
    /// btree opfamily per column: its support function 1 compares.
    pub families: Vec<Oid>,
    pub input_collations: Vec<Oid>,
    pub left: Vec<Expr>,
    pub right: Vec<Expr>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SqlValueFunc {
    CurrentDate,
    CurrentTime,
    CurrentTimestamp,
    LocalTime,
    LocalTimestamp,
    CurrentRole,
    CurrentUser,
    User,
    SessionUser,
    CurrentCatalog,
    CurrentSchema,
    SystemUser,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum XmlOp {
    Concat,
    Element,
    Forest,
    Parse,
    Pi,
    Root,
    Serialize,
    Document,
}

#[derive(Clone, Debug)]
pub struct XmlExpr {
    pub op: XmlOp,
    pub name: Option<String>,
    pub named_args: Vec<Expr>,
    pub arg_names: Vec<String>,
    pub args: Vec<Expr>,
    pub document: bool,
    pub indent: bool,
    pub ty: Oid,
    pub typmod: i32,
    pub location: i32,
}

/// SQL/JSON: constructors, IS JSON, and the query functions.
#[derive(Clone, Debug)]
pub struct JsonExpr {
    pub op: JsonOp,
    pub args: Vec<Expr>,
    pub ty: Oid,
    pub typmod: i32,
    pub collation: Oid,
    pub absent_on_null: bool,
    pub unique_keys: bool,
    pub passing: Vec<(String, Expr)>,
    pub on_empty: Option<JsonBehavior>,
    pub on_error: Option<JsonBehavior>,
    pub wrapper: JsonWrapper,
    pub omit_quotes: bool,
    /// Coerces the extracted item (given as `CaseTest`) to `ty`, where more than I/O is needed.
    pub coercion: Option<Expr>,
    pub column_name: Option<String>,
    pub location: i32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JsonOp {
    Object,
    Array,
    Parse,
    Scalar,
    Serialize,
    IsJson,
    IsJsonObject,
    IsJsonArray,
    IsJsonScalar,
    Exists,
    Query,
    Value,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum JsonWrapper {
    #[default]
    Unspecified,
    None,
    Conditional,
    Unconditional,
}

#[derive(Clone, Debug)]
pub struct JsonBehavior {
    pub kind: JsonBehaviorKind,
    /// DEFAULT's expression, already coerced.
    pub expr: Option<Expr>,
    pub location: i32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JsonBehaviorKind {
    Null,
    Error,
    Empty,
    True,
    False,
    Unknown,
    EmptyArray,
    EmptyObject,
    Default,
}

impl Expr {
    /// A non-null constant without typmod or collation.
    pub fn constant(ty: Oid, value: Datum) -> Expr {
        Expr::Const(Const { ty, typmod: -1, collation: Oid::INVALID, value, location: -1 })
    }
    pub fn null(ty: Oid) -> Expr {
        Expr::constant(ty, Datum::Null)
    }
    pub fn bool(value: bool) -> Expr {
        Expr::constant(pglite_types::oid::BOOL, Datum::Bool(value))
    }
    /// Conjunction; flattens nothing, drops nothing; one argument is itself.
    pub fn and(mut args: Vec<Expr>) -> Expr {
        if args.len() == 1 {
            return args.swap_remove(0);
        }
        Expr::Bool { op: BoolOp::And, args, location: -1 }
    }
}
