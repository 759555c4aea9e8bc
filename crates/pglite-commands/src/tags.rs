//! Command tags of utility statements.

use pglite_parser::ast::Statement;

/// The tag PostgreSQL reports for a statement, also used in messages ("cannot execute ... in a read-only transaction").
/// Statements whose tag depends on the object kind report their general form here.
pub fn command_tag(stmt: &Statement) -> &'static str {
    use Statement::*;
    match stmt {
        SelectStmt(_) => "SELECT",
        InsertStmt(_) => "INSERT",
        UpdateStmt(_) => "UPDATE",
        DeleteStmt(_) => "DELETE",
        MergeStmt(_) => "MERGE",
        CreateStmt(_) => "CREATE TABLE",
        CreateForeignTableStmt(_) => "CREATE FOREIGN TABLE",
        CreateTableAsStmt(_) => "CREATE TABLE AS",
        RefreshMatViewStmt(_) => "REFRESH MATERIALIZED VIEW",
        ViewStmt(_) => "CREATE VIEW",
        IndexStmt(_) => "CREATE INDEX",
        CreateSeqStmt(_) => "CREATE SEQUENCE",
        AlterSeqStmt(_) => "ALTER SEQUENCE",
        CreateStatsStmt(_) => "CREATE STATISTICS",
        AlterStatsStmt(_) => "ALTER STATISTICS",
        AlterTableStmt(_) | AlterTableMoveAllStmt(_) => "ALTER TABLE",
        DropStmt(_) => "DROP",
        CommentStmt(_) => "COMMENT",
        SecLabelStmt(_) => "SECURITY LABEL",
        RenameStmt(_) | AlterObjectDependsStmt(_) | AlterObjectSchemaStmt(_) | AlterOwnerStmt(_) => "ALTER",
        GrantStmt(g) => {
            if g.is_grant {
                "GRANT"
            } else {
                "REVOKE"
            }
        }
        GrantRoleStmt(g) => {
            if g.is_grant {
                "GRANT ROLE"
            } else {
                "REVOKE ROLE"
            }
        }
        AlterDefaultPrivilegesStmt(_) => "ALTER DEFAULT PRIVILEGES",
        CreateFunctionStmt(f) => {
            if f.is_procedure {
                "CREATE PROCEDURE"
            } else {
                "CREATE FUNCTION"
            }
        }
        AlterFunctionStmt(_) => "ALTER FUNCTION",
        DoStmt(_) => "DO",
        CallStmt(_) => "CALL",
        CreateTrigStmt(_) => "CREATE TRIGGER",
        CreateEventTrigStmt(_) => "CREATE EVENT TRIGGER",
        AlterEventTrigStmt(_) => "ALTER EVENT TRIGGER",
        RuleStmt(_) => "CREATE RULE",
        CreatePLangStmt(_) => "CREATE LANGUAGE",
        CreateCastStmt(_) => "CREATE CAST",
        CreateTransformStmt(_) => "CREATE TRANSFORM",
        CreateConversionStmt(_) => "CREATE CONVERSION",
        CreateAmStmt(_) => "CREATE ACCESS METHOD",
        DefineStmt(_) => "CREATE",
        CompositeTypeStmt(_) | CreateEnumStmt(_) | CreateRangeStmt(_) => "CREATE TYPE",
        AlterEnumStmt(_) | AlterTypeStmt(_) => "ALTER TYPE",
        CreateDomainStmt(_) => "CREATE DOMAIN",
        AlterDomainStmt(_) => "ALTER DOMAIN",
        CreateOpClassStmt(_) => "CREATE OPERATOR CLASS",
        CreateOpFamilyStmt(_) => "CREATE OPERATOR FAMILY",
        AlterOpFamilyStmt(_) => "ALTER OPERATOR FAMILY",
        AlterOperatorStmt(_) => "ALTER OPERATOR",
        AlterCollationStmt(_) => "ALTER COLLATION",
        AlterTSDictionaryStmt(_) => "ALTER TEXT SEARCH DICTIONARY",
        AlterTSConfigurationStmt(_) => "ALTER TEXT SEARCH CONFIGURATION",
        CreateSchemaStmt(_) => "CREATE SCHEMA",
        CreatedbStmt(_) => "CREATE DATABASE",
        AlterDatabaseStmt(_) | AlterDatabaseRefreshCollStmt(_) | AlterDatabaseSetStmt(_) => "ALTER DATABASE",
        DropdbStmt(_) => "DROP DATABASE",
        CreateRoleStmt(_) => "CREATE ROLE",
        AlterRoleStmt(_) | AlterRoleSetStmt(_) => "ALTER ROLE",
        DropRoleStmt(_) => "DROP ROLE",
        DropOwnedStmt(_) => "DROP OWNED",
        ReassignOwnedStmt(_) => "REASSIGN OWNED",
        CreateTableSpaceStmt(_) => "CREATE TABLESPACE",
        DropTableSpaceStmt(_) => "DROP TABLESPACE",
        AlterTableSpaceOptionsStmt(_) => "ALTER TABLESPACE",
        CreateExtensionStmt(_) => "CREATE EXTENSION",
        AlterExtensionStmt(_) | AlterExtensionContentsStmt(_) => "ALTER EXTENSION",
        CreateFdwStmt(_) => "CREATE FOREIGN DATA WRAPPER",
        AlterFdwStmt(_) => "ALTER FOREIGN DATA WRAPPER",
        CreateForeignServerStmt(_) => "CREATE SERVER",
        AlterForeignServerStmt(_) => "ALTER SERVER",
        CreateUserMappingStmt(_) => "CREATE USER MAPPING",
        AlterUserMappingStmt(_) => "ALTER USER MAPPING",
        DropUserMappingStmt(_) => "DROP USER MAPPING",
        ImportForeignSchemaStmt(_) => "IMPORT FOREIGN SCHEMA",
        CreatePolicyStmt(_) => "CREATE POLICY",
        AlterPolicyStmt(_) => "ALTER POLICY",
        CreatePublicationStmt(_) => "CREATE PUBLICATION",
        AlterPublicationStmt(_) => "ALTER PUBLICATION",
        CreateSubscriptionStmt(_) => "CREATE SUBSCRIPTION",
        AlterSubscriptionStmt(_) => "ALTER SUBSCRIPTION",
        DropSubscriptionStmt(_) => "DROP SUBSCRIPTION",
        VariableSetStmt(_) => "SET",
        VariableShowStmt(_) => "SHOW",
        AlterSystemStmt(_) => "ALTER SYSTEM",
        TransactionStmt(_) => "BEGIN",
        ConstraintsSetStmt(_) => "SET CONSTRAINTS",
        DeclareCursorStmt(_) => "DECLARE CURSOR",
        ClosePortalStmt(_) => "CLOSE CURSOR",
        FetchStmt(_) => "FETCH",
        CopyStmt(_) => "COPY FROM",
        ExplainStmt(_) => "EXPLAIN",
        PrepareStmt(_) => "PREPARE",
        ExecuteStmt(_) => "EXECUTE",
        DeallocateStmt(_) => "DEALLOCATE",
        TruncateStmt(_) => "TRUNCATE TABLE",
        LockStmt(_) => "LOCK TABLE",
        VacuumStmt(v) => {
            if v.is_vacuumcmd {
                "VACUUM"
            } else {
                "ANALYZE"
            }
        }
        ClusterStmt(_) => "CLUSTER",
        ReindexStmt(_) => "REINDEX",
        CheckPointStmt(_) => "CHECKPOINT",
        DiscardStmt(_) => "DISCARD",
        LoadStmt(_) => "LOAD",
        NotifyStmt(_) => "NOTIFY",
        ListenStmt(_) => "LISTEN",
        UnlistenStmt(_) => "UNLISTEN",
        PLAssignStmt(_) | ReturnStmt(_) => "SELECT",
    }
}
