//! The compiled form of a PL/pgSQL function: variables, statements, and the texts of its SQL pieces.
//!
//! Made once per function version by [`crate::parse`], read by [`crate::run`]. Invariant: a tree is never changed after
//! it is made; what execution learns (plans) is kept beside it.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use pglite_error::SqlState;
use pglite_parser::ast::RawStmt;
use pglite_types::Oid;

use crate::expr::Compiled;

/// Index of a variable.
pub type Dno = usize;

/// What to do when a name is both a variable and a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conflict {
    Error,
    Variable,
    Column,
}

/// What kind of code this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FunctionKind {
    Function,
    Procedure,
    Trigger,
    EventTrigger,
    /// DO.
    Inline,
}

pub struct Function {
    pub oid: Oid,
    /// As CONTEXT lines name it: `f(integer)`.
    pub signature: String,
    pub kind: FunctionKind,
    pub ret_type: Oid,
    pub ret_set: bool,
    /// STABLE and IMMUTABLE functions see their caller's snapshot and may not write.
    pub read_only: bool,
    /// Input arguments in order.
    pub args: Vec<Dno>,
    /// The variable or row of the OUT parameters.
    pub out: Option<Dno>,
    pub found: Dno,
    /// NEW and OLD of a trigger.
    pub new_old: Option<(Dno, Dno)>,
    /// TG_* variables of triggers, in the order of [`crate::run::trigger`].
    pub promises: Vec<Dno>,
    pub datums: Vec<Decl>,
    pub body: Block,
    pub names: Vec<NsItem>,
    pub conflict: Conflict,
    pub print_strict_params: bool,
    /// Number of expressions; ids are below it.
    pub expr_count: usize,
    /// Plans by expression id, with the catalog state they were made under.
    pub plans: Mutex<PlanCache>,
    /// Casts by source and target type, with the catalog state they were made under.
    pub casts: Mutex<(u64, CastCache)>,
}

pub type CastCache = HashMap<((Oid, i32), (Oid, i32)), Arc<pglite_exec::Code>>;

#[derive(Default)]
pub struct PlanCache {
    pub stamp: u64,
    pub list: Vec<Option<Arc<Compiled>>>,
}

/// How values of a type behave in a variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TypeClass {
    Scalar,
    /// Named composite types, domains over them, and RECORD.
    Record,
    Pseudo,
}

#[derive(Clone, Debug)]
pub struct PlType {
    pub name: String,
    pub oid: Oid,
    pub typmod: i32,
    pub collation: Oid,
    pub class: TypeClass,
    /// A domain (over anything).
    pub domain: bool,
}

pub struct VarDecl {
    pub name: String,
    pub line: u32,
    pub ty: PlType,
    pub constant: bool,
    pub not_null: bool,
    pub default: Option<Expr>,
    /// Bound cursors: the query, its argument row and scroll option.
    pub cursor: Option<CursorDecl>,
    pub is_record: bool,
}

pub struct CursorDecl {
    pub query: Expr,
    /// Variables of the arguments.
    pub args: Vec<(String, Dno)>,
    pub has_args: bool,
    pub scroll: Option<bool>,
}

pub enum Decl {
    /// Scalars and records.
    Var(Box<VarDecl>),
    /// A list of targets.
    Row { name: String, line: u32, fields: Vec<(String, Dno)> },
    /// A field of a record.
    Field { record: Dno, name: String },
}

impl Decl {
    pub fn var(&self) -> Option<&VarDecl> {
        match self {
            Decl::Var(v) => Some(v),
            _ => None,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NsKind {
    BlockLabel,
    LoopLabel,
    Var,
    Record,
}

/// A link of the name space chain.
#[derive(Clone, Debug)]
pub struct NsItem {
    pub kind: NsKind,
    pub dno: Dno,
    pub name: String,
    pub prev: Option<usize>,
}

/// A piece of SQL in the function.
#[derive(Clone, Debug)]
pub struct Expr {
    pub id: usize,
    pub text: Arc<str>,
    pub mode: pglite_parser::ParseMode,
    /// Top of the name space where it stands.
    pub ns: Option<usize>,
    /// None: the text did not parse (and syntax was not to be checked at creation).
    pub raw: Option<Arc<RawStmt>>,
}

pub struct Block {
    pub line: u32,
    pub label: Option<String>,
    pub body: Vec<Stmt>,
    /// Variables initialised on entry.
    pub init: Vec<Dno>,
    pub handlers: Option<Vec<Handler>>,
    /// SQLSTATE and SQLERRM of the exception section.
    pub sqlstate: Dno,
    pub sqlerrm: Dno,
}

pub struct Handler {
    pub conditions: Vec<Condition>,
    pub body: Vec<Stmt>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// All but query_canceled and assert_failure.
    Others,
    /// A code; one ending in 000 is its whole class.
    Code(SqlState),
}

pub struct Stmt {
    pub line: u32,
    pub kind: StmtKind,
}

/// Where rows go: a record, or scalars.
#[derive(Clone, Copy, Debug)]
pub struct Target(pub Dno);

/// A loop: label, body.
pub struct LoopBody {
    pub label: Option<String>,
    pub body: Vec<Stmt>,
}

pub enum StmtKind {
    Block(Box<Block>),
    Assign {
        target: Dno,
        expr: Expr,
    },
    If {
        branches: Vec<(Expr, Vec<Stmt>, u32)>,
        otherwise: Vec<Stmt>,
    },
    Case {
        test: Option<(Expr, Dno)>,
        whens: Vec<(Expr, Vec<Stmt>, u32)>,
        otherwise: Option<Vec<Stmt>>,
    },
    Loop(LoopBody),
    While {
        cond: Expr,
        body: LoopBody,
    },
    ForInt {
        var: Dno,
        lower: Expr,
        upper: Expr,
        step: Option<Expr>,
        reverse: bool,
        body: LoopBody,
    },
    ForQuery {
        target: Target,
        query: Expr,
        body: LoopBody,
    },
    ForCursor {
        target: Target,
        cursor: Dno,
        args: Option<Expr>,
        body: LoopBody,
    },
    ForExecute {
        target: Target,
        query: Expr,
        using: Vec<Expr>,
        body: LoopBody,
    },
    Foreach {
        var: Dno,
        slice: i32,
        array: Expr,
        body: LoopBody,
    },
    Exit {
        is_exit: bool,
        label: Option<String>,
        cond: Option<Expr>,
    },
    Return {
        expr: Option<Expr>,
        var: Option<Dno>,
    },
    ReturnNext {
        expr: Option<Expr>,
        var: Option<Dno>,
    },
    ReturnQuery {
        query: Option<Expr>,
        dynamic: Option<(Expr, Vec<Expr>)>,
    },
    Raise(Box<Raise>),
    Assert {
        cond: Expr,
        message: Option<Expr>,
    },
    Sql {
        sql: Expr,
        into: Option<(Target, bool)>,
    },
    Execute {
        query: Expr,
        into: Option<(Target, bool)>,
        using: Vec<Expr>,
    },
    GetDiag {
        stacked: bool,
        items: Vec<(DiagKind, Dno)>,
    },
    Open {
        cursor: Dno,
        query: Option<Expr>,
        dynamic: Option<(Expr, Vec<Expr>)>,
        args: Option<Expr>,
        scroll: Option<bool>,
    },
    Fetch {
        cursor: Dno,
        target: Option<Target>,
        direction: Direction,
    },
    Close {
        cursor: Dno,
    },
    Perform(Expr),
    Call {
        sql: Expr,
        is_call: bool,
    },
    Commit {
        chain: bool,
    },
    Rollback {
        chain: bool,
    },
    Null,
}

#[derive(Clone, Debug)]
pub struct Direction {
    pub kind: DirectionKind,
    pub count: i64,
    pub expr: Option<Expr>,
    pub many: bool,
    pub all: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DirectionKind {
    Forward,
    Backward,
    Absolute,
    Relative,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RaiseLevel {
    Debug,
    Log,
    Info,
    Notice,
    Warning,
    Exception,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RaiseOption {
    Errcode,
    Message,
    Detail,
    Hint,
    Column,
    Constraint,
    Datatype,
    Table,
    Schema,
}

pub struct Raise {
    pub level: RaiseLevel,
    /// A condition name or SQLSTATE.
    pub condition: Option<String>,
    pub message: Option<String>,
    pub params: Vec<Expr>,
    pub options: Vec<(RaiseOption, Expr)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiagKind {
    RowCount,
    RoutineOid,
    Context,
    ErrorContext,
    ErrorDetail,
    ErrorHint,
    ReturnedSqlstate,
    ColumnName,
    ConstraintName,
    DatatypeName,
    MessageText,
    TableName,
    SchemaName,
}

impl StmtKind {
    /// As CONTEXT lines name the statement.
    pub fn name(&self) -> &'static str {
        match self {
            StmtKind::Block(_) => "statement block",
            StmtKind::Assign { .. } => "assignment",
            StmtKind::If { .. } => "IF",
            StmtKind::Case { .. } => "CASE",
            StmtKind::Loop(_) => "LOOP",
            StmtKind::While { .. } => "WHILE",
            StmtKind::ForInt { .. } => "FOR with integer loop variable",
            StmtKind::ForQuery { .. } => "FOR over SELECT rows",
            StmtKind::ForCursor { .. } => "FOR over cursor",
            StmtKind::ForExecute { .. } => "FOR over EXECUTE statement",
            StmtKind::Foreach { .. } => "FOREACH over array",
            StmtKind::Exit { is_exit: true, .. } => "EXIT",
            StmtKind::Exit { .. } => "CONTINUE",
            StmtKind::Return { .. } => "RETURN",
            StmtKind::ReturnNext { .. } => "RETURN NEXT",
            StmtKind::ReturnQuery { .. } => "RETURN QUERY",
            StmtKind::Raise(_) => "RAISE",
            StmtKind::Assert { .. } => "ASSERT",
            StmtKind::Sql { .. } => "SQL statement",
            StmtKind::Execute { .. } => "EXECUTE",
            StmtKind::GetDiag { stacked: true, .. } => "GET STACKED DIAGNOSTICS",
            StmtKind::GetDiag { .. } => "GET DIAGNOSTICS",
            StmtKind::Open { .. } => "OPEN",
            StmtKind::Fetch { target: None, .. } => "MOVE",
            StmtKind::Fetch { .. } => "FETCH",
            StmtKind::Close { .. } => "CLOSE",
            StmtKind::Perform(_) => "PERFORM",
            StmtKind::Call { is_call: true, .. } => "CALL",
            StmtKind::Call { .. } => "DO",
            StmtKind::Commit { .. } => "COMMIT",
            StmtKind::Rollback { .. } => "ROLLBACK",
            StmtKind::Null => "NULL",
        }
    }
}

/// Looks a dotted name up from `top` outwards. Yields the item and how many names it took.
pub fn lookup<'n>(
    names: &'n [NsItem],
    top: Option<usize>,
    local: bool,
    name: &str,
    name2: Option<&str>,
    name3: Option<&str>,
) -> Option<(&'n NsItem, usize)> {
    let mut level = top;
    while let Some(start) = level {
        let mut at = start;
        while !matches!(names[at].kind, NsKind::BlockLabel | NsKind::LoopLabel) {
            let item = &names[at];
            if item.name == name && (name2.is_none() || item.kind == NsKind::Record) {
                return Some((item, 1));
            }
            at = names[at].prev?;
        }
        let label = &names[at];
        if let Some(n2) = name2
            && label.name == name
        {
            let mut inner = start;
            while inner != at {
                let item = &names[inner];
                if item.name == n2 && (name3.is_none() || item.kind == NsKind::Record) {
                    return Some((item, 2));
                }
                inner = names[inner].prev?;
            }
        }
        if local {
            return None;
        }
        level = label.prev;
    }
    None
}

/// Finds an enclosing block or loop label.
pub fn lookup_label<'n>(names: &'n [NsItem], top: Option<usize>, name: &str) -> Option<&'n NsItem> {
    let mut at = top;
    while let Some(i) = at {
        let item = &names[i];
        if matches!(item.kind, NsKind::BlockLabel | NsKind::LoopLabel) && item.name == name {
            return Some(item);
        }
        at = item.prev;
    }
    None
}

/// The innermost loop label, named or not.
pub fn nearest_loop(names: &[NsItem], top: Option<usize>) -> bool {
    let mut at = top;
    while let Some(i) = at {
        if names[i].kind == NsKind::LoopLabel {
            return true;
        }
        at = names[i].prev;
    }
    false
}
