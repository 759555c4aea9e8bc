//! Functions, procedures, triggers, rules, casts, languages.

use super::*;

nodes! {
    struct CreateFunctionStmt {
        is_procedure: bool,
        replace: bool,
        funcname: Vec<String>,
        parameters: Vec<FunctionParameter>,
        return_type: Option<TypeName>,
        options: Vec<DefElem>,
        sql_body: Option<SqlBody>,
    }
    struct FunctionParameter {
        name: Option<String>,
        arg_type: TypeName,
        mode: FunctionParameterMode,
        defexpr: Option<Expr>,
        location: i32,
    }
    /// `Default` is IN by omission.
    enum FunctionParameterMode { Default, In, Out, InOut, Variadic, Table }
    struct AlterFunctionStmt { objtype: ObjectType, func: ObjectWithArgs, actions: Vec<DefElem> }
    struct DoStmt { args: Vec<DefElem> }
    struct CallStmt { funccall: FuncCall }
    struct CreateTrigStmt {
        replace: bool,
        isconstraint: bool,
        trigname: String,
        relation: RangeVar,
        funcname: Vec<String>,
        args: Vec<String>,
        row: bool,
        /// BEFORE, AFTER or INSTEAD bit of [`trigger_type`].
        timing: i16,
        /// Event bits of [`trigger_type`].
        events: i16,
        columns: Vec<String>,
        when_clause: Option<Expr>,
        transition_rels: Vec<TriggerTransition>,
        deferrable: bool,
        initdeferred: bool,
        constrrel: Option<RangeVar>,
    }
    struct TriggerTransition { name: String, is_new: bool, is_table: bool }
    struct CreateEventTrigStmt {
        trigname: String,
        eventname: String,
        whenclause: Vec<DefElem>,
        funcname: Vec<String>,
    }
    struct AlterEventTrigStmt {
        trigname: String,
        /// 'O' enabled, 'R' replica, 'A' always, 'D' disabled
        tgenabled: char,
    }
    struct RuleStmt {
        relation: RangeVar,
        rulename: String,
        where_clause: Option<Expr>,
        event: CmdType,
        instead: bool,
        actions: Vec<Statement>,
        replace: bool,
    }
    struct CreatePLangStmt {
        replace: bool,
        plname: String,
        plhandler: Vec<String>,
        plinline: Vec<String>,
        plvalidator: Vec<String>,
        pltrusted: bool,
    }
    struct CreateCastStmt {
        sourcetype: TypeName,
        targettype: TypeName,
        func: Option<ObjectWithArgs>,
        context: CoercionContext,
        inout: bool,
    }
    enum CoercionContext { Implicit, Assignment, PlPgSql, Explicit }
    struct CreateTransformStmt {
        replace: bool,
        type_name: TypeName,
        lang: String,
        fromsql: Option<ObjectWithArgs>,
        tosql: Option<ObjectWithArgs>,
    }
    struct CreateConversionStmt {
        conversion_name: Vec<String>,
        for_encoding_name: String,
        to_encoding_name: String,
        func_name: Vec<String>,
        def: bool,
    }
    struct CreateAmStmt {
        amname: String,
        handler_name: Vec<String>,
        /// 'i' index, 't' table
        amtype: char,
    }
}

/// The SQL-standard body of a function.
#[derive(Debug, Clone, PartialEq)]
pub enum SqlBody {
    /// `RETURN expr`
    Return(Box<ReturnStmt>),
    /// `BEGIN ATOMIC ... END`; empty statements are dropped.
    Atomic(Vec<Statement>),
}

/// `CreateTrigStmt::timing` and `events`: PostgreSQL's TRIGGER_TYPE_* bits. AFTER is 0.
pub mod trigger_type {
    pub const ROW: i16 = 1 << 0;
    pub const BEFORE: i16 = 1 << 1;
    pub const INSERT: i16 = 1 << 2;
    pub const DELETE: i16 = 1 << 3;
    pub const UPDATE: i16 = 1 << 4;
    pub const TRUNCATE: i16 = 1 << 5;
    pub const INSTEAD: i16 = 1 << 6;
    pub const AFTER: i16 = 0;
}
