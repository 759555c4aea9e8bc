//! CREATE TABLE and ALTER TABLE with their relatives (views, indexes, sequences, statistics).

use super::*;

nodes! {
    struct CreateStmt {
        relation: RangeVar,
        table_elts: Vec<TableElement>,
        inh_relations: Vec<RangeVar>,
        partbound: Option<PartitionBoundSpec>,
        partspec: Option<PartitionSpec>,
        of_typename: Option<TypeName>,
        options: Vec<DefElem>,
        oncommit: OnCommitAction,
        tablespacename: Option<String>,
        access_method: Option<String>,
        if_not_exists: bool,
    }
    struct CreateForeignTableStmt { base: CreateStmt, servername: String, options: Vec<DefElem> }
    /// CREATE TABLE AS, CREATE MATERIALIZED VIEW. (SELECT INTO stays a SelectStmt with an IntoClause.)
    struct CreateTableAsStmt {
        query: Statement,
        into: IntoClause,
        /// Table or MatView
        objtype: ObjectType,
        is_select_into: bool,
        if_not_exists: bool,
    }
    struct RefreshMatViewStmt { concurrent: bool, skip_data: bool, relation: RangeVar }
    struct ViewStmt {
        view: RangeVar,
        aliases: Vec<String>,
        query: Box<SelectStmt>,
        replace: bool,
        options: Vec<DefElem>,
        with_check_option: ViewCheckOption,
    }
    enum ViewCheckOption { None, Local, Cascaded }
    struct IndexStmt {
        idxname: Option<String>,
        relation: RangeVar,
        /// "btree" when not given
        access_method: String,
        table_space: Option<String>,
        index_params: Vec<IndexElem>,
        index_including_params: Vec<IndexElem>,
        options: Vec<DefElem>,
        where_clause: Option<Expr>,
        unique: bool,
        nulls_not_distinct: bool,
        concurrent: bool,
        if_not_exists: bool,
    }
    struct CreateSeqStmt { sequence: RangeVar, options: Vec<DefElem>, if_not_exists: bool }
    struct AlterSeqStmt { sequence: RangeVar, options: Vec<DefElem>, missing_ok: bool }
    struct CreateStatsStmt {
        defnames: Vec<String>,
        stat_types: Vec<String>,
        exprs: Vec<StatsElem>,
        relations: Vec<FromItem>,
        if_not_exists: bool,
    }
    struct StatsElem { name: Option<String>, expr: Option<Expr> }
    struct AlterStatsStmt {
        defnames: Vec<String>,
        /// None: DEFAULT
        stxstattarget: Option<i32>,
        missing_ok: bool,
    }
    struct AlterTableStmt {
        relation: RangeVar,
        cmds: Vec<AlterTableCmd>,
        /// Also used for indexes, sequences, views, foreign tables and (via ALTER TYPE) composite types.
        objtype: ObjectType,
        missing_ok: bool,
    }
    struct AlterTableCmd {
        subtype: AlterTableType,
        /// Column, constraint, trigger, ... the command works on.
        name: Option<String>,
        /// Column by number (SET STATISTICS on indexes).
        num: i16,
        newowner: Option<RoleSpec>,
        def: AlterTableDef,
        behavior: DropBehavior,
        missing_ok: bool,
    }
    enum AlterTableType {
        AddColumn, ColumnDefault, DropNotNull, SetNotNull, SetExpression, DropExpression, SetStatistics,
        SetOptions, ResetOptions, SetStorage, SetCompression, DropColumn, AddConstraint, AlterConstraint,
        ValidateConstraint, DropConstraint, AlterColumnType, AlterColumnGenericOptions, ChangeOwner, ClusterOn,
        DropCluster, SetLogged, SetUnLogged, DropOids, SetAccessMethod, SetTableSpace, SetRelOptions,
        ResetRelOptions, EnableTrig, EnableAlwaysTrig, EnableReplicaTrig, DisableTrig, EnableTrigAll,
        DisableTrigAll, EnableTrigUser, DisableTrigUser, EnableRule, EnableAlwaysRule, EnableReplicaRule,
        DisableRule, AddInherit, DropInherit, AddOf, DropOf, ReplicaIdentity, EnableRowSecurity,
        DisableRowSecurity, ForceRowSecurity, NoForceRowSecurity, GenericOptions, AttachPartition,
        DetachPartition, DetachPartitionFinalize, AddIdentity, SetIdentity, DropIdentity,
    }
    /// What ALTER CONSTRAINT changes.
    default struct AtAlterConstraint {
        conname: String,
        alter_enforceability: bool,
        is_enforced: bool,
        alter_deferrability: bool,
        deferrable: bool,
        initdeferred: bool,
        alter_inheritability: bool,
        noinherit: bool,
    }
    struct ReplicaIdentityStmt {
        /// 'd' DEFAULT, 'n' NOTHING, 'f' FULL, 'i' INDEX
        identity_type: char,
        name: Option<String>,
    }
    struct AlterTableMoveAllStmt {
        orig_tablespacename: String,
        objtype: ObjectType,
        roles: Vec<RoleSpec>,
        new_tablespacename: String,
        nowait: bool,
    }
}

/// An element of CREATE TABLE's list.
#[derive(Debug, Clone, PartialEq)]
pub enum TableElement {
    ColumnDef(Box<ColumnDef>),
    Like(Box<TableLikeClause>),
    Constraint(Box<Constraint>),
}

/// The definition an [`AlterTableCmd`] carries; which one follows from its subtype.
#[derive(Debug, Clone, PartialEq)]
pub enum AlterTableDef {
    None,
    /// AddColumn, AlterColumnType
    ColumnDef(Box<ColumnDef>),
    /// AddConstraint, AddIdentity
    Constraint(Box<Constraint>),
    /// AlterConstraint
    AlterConstraint(Box<AtAlterConstraint>),
    /// ColumnDefault (None there: DROP DEFAULT), SetExpression
    Expr(Expr),
    /// SetStatistics (None there: DEFAULT)
    Integer(i32),
    /// SetStorage, SetCompression ("default" for DEFAULT)
    String(String),
    /// SetOptions, ResetOptions, SetRelOptions, ResetRelOptions, SetIdentity, *GenericOptions
    Options(Vec<DefElem>),
    /// AddInherit, DropInherit
    RangeVar(Box<RangeVar>),
    /// AddOf
    TypeName(Box<TypeName>),
    /// ReplicaIdentity
    ReplicaIdentity(ReplicaIdentityStmt),
    /// AttachPartition, DetachPartition*
    Partition(Box<PartitionCmd>),
}
