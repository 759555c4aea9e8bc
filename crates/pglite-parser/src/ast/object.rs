//! Naming of objects of any kind, and the statements that work on all kinds: DROP, COMMENT, RENAME, OWNER,
//! SET SCHEMA, DEPENDS ON, SECURITY LABEL, GRANT.

use super::*;

nodes! {
    enum ObjectType {
        AccessMethod, Aggregate, Amop, Amproc, Attribute, Cast, Column, Collation, Conversion, Database, Default,
        Defacl, Domain, DomConstraint, EventTrigger, Extension, Fdw, ForeignServer, ForeignTable, Function, Index,
        Language, LargeObject, MatView, OpClass, Operator, OpFamily, ParameterAcl, Policy, Procedure, Publication,
        PublicationNamespace, PublicationRel, Role, Routine, Rule, Schema, Sequence, Subscription, StatisticExt,
        TabConstraint, Table, Tablespace, Transform, Trigger, TsConfiguration, TsDictionary, TsParser, TsTemplate,
        Type, UserMapping, View,
    }
    /// A function, aggregate or operator with its argument types.
    default struct ObjectWithArgs {
        objname: Vec<String>,
        /// Input argument types; None stands for the missing side of a unary operator.
        objargs: Vec<Option<TypeName>>,
        /// All arguments as written (functions only).
        objfuncargs: Vec<FunctionParameter>,
        /// Just a name was given.
        args_unspecified: bool,
        location: i32,
    }
    struct DropStmt {
        objects: Vec<ObjectName>,
        remove_type: ObjectType,
        behavior: DropBehavior,
        missing_ok: bool,
        concurrent: bool,
    }
    struct CommentStmt { objtype: ObjectType, object: ObjectName, comment: Option<String> }
    struct SecLabelStmt {
        objtype: ObjectType,
        object: ObjectName,
        provider: Option<String>,
        label: Option<String>,
    }
    struct RenameStmt {
        rename_type: ObjectType,
        /// For columns, attributes and constraints: the kind of relation.
        relation_type: ObjectType,
        relation: Option<RangeVar>,
        object: Option<ObjectName>,
        /// Column, constraint, trigger, ... within the relation; roles, databases, schemas and tablespaces too.
        subname: Option<String>,
        newname: String,
        behavior: DropBehavior,
        missing_ok: bool,
    }
    struct AlterObjectDependsStmt {
        object_type: ObjectType,
        relation: Option<RangeVar>,
        object: Option<ObjectName>,
        extname: String,
        remove: bool,
    }
    struct AlterObjectSchemaStmt {
        object_type: ObjectType,
        relation: Option<RangeVar>,
        object: Option<ObjectName>,
        newschema: String,
        missing_ok: bool,
    }
    struct AlterOwnerStmt { object_type: ObjectType, object: ObjectName, newowner: RoleSpec }
    struct GrantStmt {
        is_grant: bool,
        targtype: GrantTargetType,
        objtype: ObjectType,
        objects: Vec<GrantObject>,
        /// Empty: ALL PRIVILEGES.
        privileges: Vec<AccessPriv>,
        grantees: Vec<RoleSpec>,
        grant_option: bool,
        grantor: Option<RoleSpec>,
        behavior: DropBehavior,
    }
    enum GrantTargetType { Object, AllInSchema, Defaults }
    struct AccessPriv {
        /// None: ALL (with columns).
        priv_name: Option<String>,
        cols: Vec<String>,
    }
    struct GrantRoleStmt {
        granted_roles: Vec<AccessPriv>,
        grantee_roles: Vec<RoleSpec>,
        is_grant: bool,
        opt: Vec<DefElem>,
        grantor: Option<RoleSpec>,
        behavior: DropBehavior,
    }
    struct AlterDefaultPrivilegesStmt { options: Vec<DefElem>, action: GrantStmt }
}

/// The name of an object in DROP, COMMENT ON, ALTER ... RENAME and their like.
#[derive(Debug, Clone, PartialEq)]
pub enum ObjectName {
    /// A name that cannot be qualified: database, role, schema, extension ...
    Name(String),
    /// A qualified name. For triggers, rules, policies and table constraints the table's name followed by the
    /// object's; for operator classes and families the access method followed by the name.
    Names(Vec<String>),
    /// Types and domains.
    TypeName(Box<TypeName>),
    WithArgs(Box<ObjectWithArgs>),
    DomainConstraint(Box<TypeName>, String),
    /// Source and target.
    Cast(Box<TypeName>, Box<TypeName>),
    /// Type and language.
    Transform(Box<TypeName>, String),
    /// Integer or Float, as spelled.
    LargeObject(Value),
}

/// An object of GRANT.
#[derive(Debug, Clone, PartialEq)]
pub enum GrantObject {
    /// Tables and sequences.
    RangeVar(Box<RangeVar>),
    /// Databases, schemas, languages, servers, parameters ...
    Name(String),
    /// Types and domains.
    Names(Vec<String>),
    WithArgs(Box<ObjectWithArgs>),
    LargeObject(Value),
}
