//! Nodes shared by all families: constants, type names, relation references, options, roles.

use super::{Expr, VariableSetStmt};

/// A literal as spelled; `Float` also holds integers that do not fit in 32 bits.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Null,
    Integer(i32),
    Float(String),
    Boolean(bool),
    String(String),
    /// `b` or `x` followed by the digits.
    BitString(String),
}

nodes! {
    /// A type by name. `names` is empty only for types that name none (`opaque` columns of typed tables).
    default struct TypeName {
        names: Vec<String>,
        setof: bool,
        /// `name%TYPE`
        pct_type: bool,
        typmods: Vec<Expr>,
        /// Array bounds, outermost first; -1 for `[]`.
        array_bounds: Vec<i32>,
        location: i32,
    }
    /// A table or view in FROM or as a target.
    struct RangeVar {
        catalogname: Option<String>,
        schemaname: Option<String>,
        relname: String,
        /// false with ONLY
        inh: bool,
        /// 'p' permanent, 'u' unlogged, 't' temporary
        relpersistence: char,
        alias: Option<Alias>,
        location: i32,
    }
    default struct Alias {
        aliasname: String,
        colnames: Vec<String>,
    }
    struct RoleSpec {
        roletype: RoleSpecType,
        /// Only for `RoleSpecType::CString`.
        rolename: Option<String>,
        location: i32,
    }
    enum RoleSpecType { CString, CurrentRole, CurrentUser, SessionUser, Public }
    /// A generic `name = value` option.
    struct DefElem {
        defnamespace: Option<String>,
        defname: String,
        arg: Option<DefArg>,
        defaction: DefElemAction,
        location: i32,
    }
    enum DefElemAction { Unspec, Set, Add, Drop }
    enum DropBehavior { Restrict, Cascade }
    enum OnCommitAction { Noop, PreserveRows, DeleteRows, Drop }
    enum SortByDir { Default, Asc, Desc, Using }
    enum SortByNulls { Default, First, Last }
}

/// The value of a [`DefElem`].
#[derive(Debug, Clone, PartialEq)]
pub enum DefArg {
    Integer(i32),
    Float(String),
    Boolean(bool),
    String(String),
    /// `*`
    Star,
    TypeName(Box<TypeName>),
    /// A qualified name or operator, or a list of column names.
    Names(Vec<String>),
    TypeNames(Vec<TypeName>),
    Roles(Vec<RoleSpec>),
    List(Vec<DefArg>),
    Options(Vec<DefElem>),
    Set(Box<VariableSetStmt>),
}

impl TypeName {
    /// A type of `pg_catalog`, as the grammar's own keywords name them.
    pub fn system(name: &str, location: i32) -> TypeName {
        TypeName { names: vec!["pg_catalog".to_string(), name.to_string()], location, ..TypeName::default() }
    }
    /// The name as written: `a.b`.
    pub fn dotted(&self) -> String {
        self.names.join(".")
    }
}

impl RangeVar {
    /// An unqualified permanent relation.
    pub fn new(relname: impl Into<String>, location: i32) -> RangeVar {
        RangeVar {
            catalogname: None,
            schemaname: None,
            relname: relname.into(),
            inh: true,
            relpersistence: 'p',
            alias: None,
            location,
        }
    }
}

impl DefElem {
    pub fn new(defname: impl Into<String>, arg: Option<DefArg>, location: i32) -> DefElem {
        DefElem {
            defnamespace: None,
            defname: defname.into(),
            arg,
            defaction: DefElemAction::Unspec,
            location,
        }
    }
}
