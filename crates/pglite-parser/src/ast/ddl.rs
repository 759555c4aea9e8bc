//! Schemas, databases, roles, tablespaces, extensions, foreign data, policies, publications, subscriptions.

use super::*;

nodes! {
    struct CreateSchemaStmt {
        schemaname: Option<String>,
        authrole: Option<RoleSpec>,
        schema_elts: Vec<Statement>,
        if_not_exists: bool,
    }
    struct CreatedbStmt { dbname: String, options: Vec<DefElem> }
    struct AlterDatabaseStmt { dbname: String, options: Vec<DefElem> }
    struct AlterDatabaseRefreshCollStmt { dbname: String }
    struct AlterDatabaseSetStmt { dbname: String, setstmt: VariableSetStmt }
    struct DropdbStmt { dbname: String, missing_ok: bool, options: Vec<DefElem> }
    struct CreateRoleStmt { stmt_type: RoleStmtType, role: String, options: Vec<DefElem> }
    enum RoleStmtType { Role, User, Group }
    struct AlterRoleStmt {
        role: RoleSpec,
        options: Vec<DefElem>,
        /// +1 add, -1 drop (members)
        action: i32,
    }
    struct AlterRoleSetStmt {
        /// None: ALL
        role: Option<RoleSpec>,
        database: Option<String>,
        setstmt: VariableSetStmt,
    }
    struct DropRoleStmt { roles: Vec<RoleSpec>, missing_ok: bool }
    struct DropOwnedStmt { roles: Vec<RoleSpec>, behavior: DropBehavior }
    struct ReassignOwnedStmt { roles: Vec<RoleSpec>, newrole: RoleSpec }
    struct CreateTableSpaceStmt {
        tablespacename: String,
        owner: Option<RoleSpec>,
        location: String,
        options: Vec<DefElem>,
    }
    struct DropTableSpaceStmt { tablespacename: String, missing_ok: bool }
    struct AlterTableSpaceOptionsStmt { tablespacename: String, options: Vec<DefElem>, is_reset: bool }
    struct CreateExtensionStmt { extname: String, if_not_exists: bool, options: Vec<DefElem> }
    struct AlterExtensionStmt { extname: String, options: Vec<DefElem> }
    struct AlterExtensionContentsStmt {
        extname: String,
        /// +1 add, -1 drop
        action: i32,
        objtype: ObjectType,
        object: ObjectName,
    }
    struct CreateFdwStmt { fdwname: String, func_options: Vec<DefElem>, options: Vec<DefElem> }
    struct AlterFdwStmt { fdwname: String, func_options: Vec<DefElem>, options: Vec<DefElem> }
    struct CreateForeignServerStmt {
        servername: String,
        servertype: Option<String>,
        version: Option<String>,
        fdwname: String,
        if_not_exists: bool,
        options: Vec<DefElem>,
    }
    struct AlterForeignServerStmt {
        servername: String,
        version: Option<String>,
        options: Vec<DefElem>,
        has_version: bool,
    }
    struct CreateUserMappingStmt {
        user: RoleSpec,
        servername: String,
        if_not_exists: bool,
        options: Vec<DefElem>,
    }
    struct AlterUserMappingStmt { user: RoleSpec, servername: String, options: Vec<DefElem> }
    struct DropUserMappingStmt { user: RoleSpec, servername: String, missing_ok: bool }
    struct ImportForeignSchemaStmt {
        server_name: String,
        remote_schema: String,
        local_schema: String,
        list_type: ImportForeignSchemaType,
        table_list: Vec<RangeVar>,
        options: Vec<DefElem>,
    }
    enum ImportForeignSchemaType { All, LimitTo, Except }
    struct CreatePolicyStmt {
        policy_name: String,
        table: RangeVar,
        /// "all", "select", "insert", "update", "delete"
        cmd_name: String,
        permissive: bool,
        roles: Vec<RoleSpec>,
        qual: Option<Expr>,
        with_check: Option<Expr>,
    }
    struct AlterPolicyStmt {
        policy_name: String,
        table: RangeVar,
        /// Empty: unchanged.
        roles: Vec<RoleSpec>,
        qual: Option<Expr>,
        with_check: Option<Expr>,
    }
    struct PublicationTable { relation: RangeVar, where_clause: Option<Expr>, columns: Vec<String> }
    struct PublicationObjSpec {
        pubobjtype: PublicationObjSpecType,
        name: Option<String>,
        pubtable: Option<Box<PublicationTable>>,
        location: i32,
    }
    enum PublicationObjSpecType { Table, TablesInSchema, TablesInCurSchema, Continuation }
    struct CreatePublicationStmt {
        pubname: String,
        options: Vec<DefElem>,
        pubobjects: Vec<PublicationObjSpec>,
        for_all_tables: bool,
    }
    struct AlterPublicationStmt {
        pubname: String,
        options: Vec<DefElem>,
        pubobjects: Vec<PublicationObjSpec>,
        action: AlterPublicationAction,
    }
    enum AlterPublicationAction { AddObjects, DropObjects, SetObjects }
    struct CreateSubscriptionStmt {
        subname: String,
        conninfo: String,
        publication: Vec<String>,
        options: Vec<DefElem>,
    }
    struct AlterSubscriptionStmt {
        kind: AlterSubscriptionType,
        subname: String,
        conninfo: Option<String>,
        publication: Vec<String>,
        options: Vec<DefElem>,
    }
    enum AlterSubscriptionType {
        Options, Connection, SetPublication, AddPublication, DropPublication, Refresh, Enabled, Skip,
    }
    struct DropSubscriptionStmt { subname: String, missing_ok: bool, behavior: DropBehavior }
}
