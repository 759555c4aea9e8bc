//! Types, domains, operators and classes, text search, and the generic DEFINE statement.

use super::*;

nodes! {
    /// CREATE AGGREGATE, OPERATOR, TYPE (base), COLLATION, TEXT SEARCH ...
    struct DefineStmt {
        kind: ObjectType,
        /// Old-style CREATE AGGREGATE.
        oldstyle: bool,
        defnames: Vec<String>,
        /// Aggregate arguments; None for `(*)` and for everything else.
        args: Option<AggrArgs>,
        definition: Vec<DefElem>,
        if_not_exists: bool,
        replace: bool,
        /// Where CREATE COLLATION ... FROM names its source, `definition` holds one "from" element.
        location: i32,
    }
    /// Arguments of an aggregate: direct ones, then (ordered-set) aggregated ones.
    default struct AggrArgs {
        args: Vec<FunctionParameter>,
        /// -1: no ORDER BY; else the number of direct arguments.
        num_direct_args: i32,
    }
    struct CompositeTypeStmt { typevar: RangeVar, coldeflist: Vec<ColumnDef> }
    struct CreateEnumStmt { type_name: Vec<String>, vals: Vec<String> }
    struct CreateRangeStmt { type_name: Vec<String>, params: Vec<DefElem> }
    struct AlterEnumStmt {
        type_name: Vec<String>,
        /// RENAME VALUE: the old label.
        old_val: Option<String>,
        new_val: String,
        new_val_neighbor: Option<String>,
        new_val_is_after: bool,
        skip_if_new_val_exists: bool,
    }
    struct AlterTypeStmt { type_name: Vec<String>, options: Vec<DefElem> }
    struct CreateDomainStmt {
        domainname: Vec<String>,
        type_name: TypeName,
        coll_clause: Option<CollateClause>,
        constraints: Vec<Constraint>,
    }
    struct AlterDomainStmt {
        /// 'T' default, 'N' drop not null, 'O' set not null, 'C' add constraint, 'X' drop constraint,
        /// 'V' validate constraint
        subtype: char,
        type_name: Vec<String>,
        name: Option<String>,
        def: AlterDomainDef,
        behavior: DropBehavior,
        missing_ok: bool,
    }
    struct CreateOpClassStmt {
        opclassname: Vec<String>,
        opfamilyname: Vec<String>,
        amname: String,
        datatype: TypeName,
        items: Vec<CreateOpClassItem>,
        is_default: bool,
    }
    default struct CreateOpClassItem {
        itemtype: OpClassItemType,
        name: Option<ObjectWithArgs>,
        number: i32,
        order_family: Vec<String>,
        class_args: Vec<TypeName>,
        storedtype: Option<TypeName>,
    }
    enum OpClassItemType { Operator, Function, StorageType }
    struct CreateOpFamilyStmt { opfamilyname: Vec<String>, amname: String }
    struct AlterOpFamilyStmt {
        opfamilyname: Vec<String>,
        amname: String,
        is_drop: bool,
        items: Vec<CreateOpClassItem>,
    }
    struct AlterOperatorStmt { opername: ObjectWithArgs, options: Vec<DefElem> }
    struct AlterCollationStmt { collname: Vec<String> }
    struct AlterTSDictionaryStmt { dictname: Vec<String>, options: Vec<DefElem> }
    struct AlterTSConfigurationStmt {
        kind: AlterTSConfigType,
        cfgname: Vec<String>,
        tokentype: Vec<String>,
        dicts: Vec<Vec<String>>,
        override_: bool,
        replace: bool,
        missing_ok: bool,
    }
    enum AlterTSConfigType { AddMapping, AlterMappingForToken, ReplaceDict, ReplaceDictForToken, DropMapping }
}

/// What ALTER DOMAIN sets.
#[derive(Debug, Clone, PartialEq)]
pub enum AlterDomainDef {
    None,
    /// SET DEFAULT
    Expr(Expr),
    Constraint(Box<Constraint>),
}
