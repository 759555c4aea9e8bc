//! `Statement`: one parsed command of any family, and `RawStmt`, which places it in the text.

use super::*;

/// One command. Empty statements are never represented.
#[derive(Debug, Clone, PartialEq)]
pub enum Statement {
    SelectStmt(Box<SelectStmt>),
    InsertStmt(Box<InsertStmt>),
    UpdateStmt(Box<UpdateStmt>),
    DeleteStmt(Box<DeleteStmt>),
    MergeStmt(Box<MergeStmt>),
    CreateStmt(Box<CreateStmt>),
    CreateForeignTableStmt(Box<CreateForeignTableStmt>),
    CreateTableAsStmt(Box<CreateTableAsStmt>),
    RefreshMatViewStmt(Box<RefreshMatViewStmt>),
    ViewStmt(Box<ViewStmt>),
    IndexStmt(Box<IndexStmt>),
    CreateSeqStmt(Box<CreateSeqStmt>),
    AlterSeqStmt(Box<AlterSeqStmt>),
    CreateStatsStmt(Box<CreateStatsStmt>),
    AlterStatsStmt(Box<AlterStatsStmt>),
    AlterTableStmt(Box<AlterTableStmt>),
    AlterTableMoveAllStmt(Box<AlterTableMoveAllStmt>),
    DropStmt(Box<DropStmt>),
    CommentStmt(Box<CommentStmt>),
    SecLabelStmt(Box<SecLabelStmt>),
    RenameStmt(Box<RenameStmt>),
    AlterObjectDependsStmt(Box<AlterObjectDependsStmt>),
    AlterObjectSchemaStmt(Box<AlterObjectSchemaStmt>),
    AlterOwnerStmt(Box<AlterOwnerStmt>),
    GrantStmt(Box<GrantStmt>),
    GrantRoleStmt(Box<GrantRoleStmt>),
    AlterDefaultPrivilegesStmt(Box<AlterDefaultPrivilegesStmt>),
    CreateFunctionStmt(Box<CreateFunctionStmt>),
    AlterFunctionStmt(Box<AlterFunctionStmt>),
    DoStmt(Box<DoStmt>),
    CallStmt(Box<CallStmt>),
    CreateTrigStmt(Box<CreateTrigStmt>),
    CreateEventTrigStmt(Box<CreateEventTrigStmt>),
    AlterEventTrigStmt(Box<AlterEventTrigStmt>),
    RuleStmt(Box<RuleStmt>),
    CreatePLangStmt(Box<CreatePLangStmt>),
    CreateCastStmt(Box<CreateCastStmt>),
    CreateTransformStmt(Box<CreateTransformStmt>),
    CreateConversionStmt(Box<CreateConversionStmt>),
    CreateAmStmt(Box<CreateAmStmt>),
    DefineStmt(Box<DefineStmt>),
    CompositeTypeStmt(Box<CompositeTypeStmt>),
    CreateEnumStmt(Box<CreateEnumStmt>),
    CreateRangeStmt(Box<CreateRangeStmt>),
    AlterEnumStmt(Box<AlterEnumStmt>),
    AlterTypeStmt(Box<AlterTypeStmt>),
    CreateDomainStmt(Box<CreateDomainStmt>),
    AlterDomainStmt(Box<AlterDomainStmt>),
    CreateOpClassStmt(Box<CreateOpClassStmt>),
    CreateOpFamilyStmt(Box<CreateOpFamilyStmt>),
    AlterOpFamilyStmt(Box<AlterOpFamilyStmt>),
    AlterOperatorStmt(Box<AlterOperatorStmt>),
    AlterCollationStmt(Box<AlterCollationStmt>),
    AlterTSDictionaryStmt(Box<AlterTSDictionaryStmt>),
    AlterTSConfigurationStmt(Box<AlterTSConfigurationStmt>),
    CreateSchemaStmt(Box<CreateSchemaStmt>),
    CreatedbStmt(Box<CreatedbStmt>),
    AlterDatabaseStmt(Box<AlterDatabaseStmt>),
    AlterDatabaseRefreshCollStmt(Box<AlterDatabaseRefreshCollStmt>),
    AlterDatabaseSetStmt(Box<AlterDatabaseSetStmt>),
    DropdbStmt(Box<DropdbStmt>),
    CreateRoleStmt(Box<CreateRoleStmt>),
    AlterRoleStmt(Box<AlterRoleStmt>),
    AlterRoleSetStmt(Box<AlterRoleSetStmt>),
    DropRoleStmt(Box<DropRoleStmt>),
    DropOwnedStmt(Box<DropOwnedStmt>),
    ReassignOwnedStmt(Box<ReassignOwnedStmt>),
    CreateTableSpaceStmt(Box<CreateTableSpaceStmt>),
    DropTableSpaceStmt(Box<DropTableSpaceStmt>),
    AlterTableSpaceOptionsStmt(Box<AlterTableSpaceOptionsStmt>),
    CreateExtensionStmt(Box<CreateExtensionStmt>),
    AlterExtensionStmt(Box<AlterExtensionStmt>),
    AlterExtensionContentsStmt(Box<AlterExtensionContentsStmt>),
    CreateFdwStmt(Box<CreateFdwStmt>),
    AlterFdwStmt(Box<AlterFdwStmt>),
    CreateForeignServerStmt(Box<CreateForeignServerStmt>),
    AlterForeignServerStmt(Box<AlterForeignServerStmt>),
    CreateUserMappingStmt(Box<CreateUserMappingStmt>),
    AlterUserMappingStmt(Box<AlterUserMappingStmt>),
    DropUserMappingStmt(Box<DropUserMappingStmt>),
    ImportForeignSchemaStmt(Box<ImportForeignSchemaStmt>),
    CreatePolicyStmt(Box<CreatePolicyStmt>),
    AlterPolicyStmt(Box<AlterPolicyStmt>),
    CreatePublicationStmt(Box<CreatePublicationStmt>),
    AlterPublicationStmt(Box<AlterPublicationStmt>),
    CreateSubscriptionStmt(Box<CreateSubscriptionStmt>),
    AlterSubscriptionStmt(Box<AlterSubscriptionStmt>),
    DropSubscriptionStmt(Box<DropSubscriptionStmt>),
    VariableSetStmt(Box<VariableSetStmt>),
    VariableShowStmt(Box<VariableShowStmt>),
    AlterSystemStmt(Box<AlterSystemStmt>),
    TransactionStmt(Box<TransactionStmt>),
    ConstraintsSetStmt(Box<ConstraintsSetStmt>),
    DeclareCursorStmt(Box<DeclareCursorStmt>),
    ClosePortalStmt(Box<ClosePortalStmt>),
    FetchStmt(Box<FetchStmt>),
    CopyStmt(Box<CopyStmt>),
    ExplainStmt(Box<ExplainStmt>),
    PrepareStmt(Box<PrepareStmt>),
    ExecuteStmt(Box<ExecuteStmt>),
    DeallocateStmt(Box<DeallocateStmt>),
    TruncateStmt(Box<TruncateStmt>),
    LockStmt(Box<LockStmt>),
    VacuumStmt(Box<VacuumStmt>),
    ClusterStmt(Box<ClusterStmt>),
    ReindexStmt(Box<ReindexStmt>),
    CheckPointStmt(Box<CheckPointStmt>),
    DiscardStmt(Box<DiscardStmt>),
    LoadStmt(Box<LoadStmt>),
    NotifyStmt(Box<NotifyStmt>),
    ListenStmt(Box<ListenStmt>),
    UnlistenStmt(Box<UnlistenStmt>),
    /// Only in the PL/pgSQL modes.
    PLAssignStmt(Box<PLAssignStmt>),
    /// Only in function bodies.
    ReturnStmt(Box<ReturnStmt>),
}

/// A statement with its place in the source text.
#[derive(Debug, Clone, PartialEq)]
pub struct RawStmt {
    pub stmt: Statement,
    /// Byte offset of the statement's first token.
    pub location: i32,
    /// Length in bytes; 0 means the rest of the string.
    pub len: i32,
}

macro_rules! into_statement {
    ($($n:ident)*) => {
        $(impl From<$n> for Statement {
            fn from(stmt: $n) -> Statement {
                Statement::$n(Box::new(stmt))
            }
        })*
    };
}

into_statement! {
    SelectStmt InsertStmt UpdateStmt DeleteStmt MergeStmt CreateStmt CreateForeignTableStmt
    CreateTableAsStmt RefreshMatViewStmt ViewStmt IndexStmt CreateSeqStmt AlterSeqStmt CreateStatsStmt
    AlterStatsStmt AlterTableStmt AlterTableMoveAllStmt DropStmt CommentStmt SecLabelStmt RenameStmt
    AlterObjectDependsStmt AlterObjectSchemaStmt AlterOwnerStmt GrantStmt GrantRoleStmt
    AlterDefaultPrivilegesStmt CreateFunctionStmt AlterFunctionStmt DoStmt CallStmt CreateTrigStmt
    CreateEventTrigStmt AlterEventTrigStmt RuleStmt CreatePLangStmt CreateCastStmt CreateTransformStmt
    CreateConversionStmt CreateAmStmt DefineStmt CompositeTypeStmt CreateEnumStmt CreateRangeStmt
    AlterEnumStmt AlterTypeStmt CreateDomainStmt AlterDomainStmt CreateOpClassStmt CreateOpFamilyStmt
    AlterOpFamilyStmt AlterOperatorStmt AlterCollationStmt AlterTSDictionaryStmt AlterTSConfigurationStmt
    CreateSchemaStmt CreatedbStmt AlterDatabaseStmt AlterDatabaseRefreshCollStmt AlterDatabaseSetStmt
    DropdbStmt CreateRoleStmt AlterRoleStmt AlterRoleSetStmt DropRoleStmt DropOwnedStmt ReassignOwnedStmt
    CreateTableSpaceStmt DropTableSpaceStmt AlterTableSpaceOptionsStmt CreateExtensionStmt
    AlterExtensionStmt AlterExtensionContentsStmt CreateFdwStmt AlterFdwStmt CreateForeignServerStmt
    AlterForeignServerStmt CreateUserMappingStmt AlterUserMappingStmt DropUserMappingStmt
    ImportForeignSchemaStmt CreatePolicyStmt AlterPolicyStmt CreatePublicationStmt AlterPublicationStmt
    CreateSubscriptionStmt AlterSubscriptionStmt DropSubscriptionStmt VariableSetStmt VariableShowStmt
    AlterSystemStmt TransactionStmt ConstraintsSetStmt DeclareCursorStmt ClosePortalStmt FetchStmt CopyStmt
    ExplainStmt PrepareStmt ExecuteStmt DeallocateStmt TruncateStmt LockStmt VacuumStmt ClusterStmt
    ReindexStmt CheckPointStmt DiscardStmt LoadStmt NotifyStmt ListenStmt UnlistenStmt PLAssignStmt ReturnStmt
}
