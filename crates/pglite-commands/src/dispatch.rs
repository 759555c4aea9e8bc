//! One entry for every utility statement: finds the family that runs it.

use std::sync::Arc;

use pglite_error::{PgError, PgResult};
use pglite_parser::ast::{RawStmt, Statement};

use crate::host::{CommandHost, CommandOutcome};

/// Runs a utility statement inside the session's transaction.
pub fn execute(host: &dyn CommandHost, raw: &Arc<RawStmt>) -> PgResult<CommandOutcome> {
    match &raw.stmt {
        Statement::CreateStmt(s) => crate::table::create_table(host, s),
        Statement::IndexStmt(s) => crate::index::create_index(host, s),
        Statement::CreateSeqStmt(s) => crate::sequence::create(host, s),
        Statement::AlterSeqStmt(s) => crate::sequence::alter(host, s),
        Statement::CopyStmt(s) => crate::copy::copy(host, s, raw),
        Statement::ExplainStmt(s) => crate::explain::explain(host, s, raw),
        Statement::VacuumStmt(s) => crate::vacuum::vacuum(host, s),
        Statement::CheckPointStmt(_) => {
            host.cluster("checkpoint", &[])?;
            Ok(CommandOutcome::tag("CHECKPOINT"))
        }
        Statement::AlterTableStmt(s) => crate::alter::alter_table(host, s),
        Statement::RenameStmt(s) => crate::rename::rename(host, s),
        Statement::AlterObjectSchemaStmt(s) => crate::rename::set_schema(host, s),
        Statement::AlterObjectDependsStmt(s) => crate::rename::depends(host, s),
        Statement::AlterOwnerStmt(s) => crate::owner::alter_owner(host, s),
        Statement::ReassignOwnedStmt(s) => crate::owner::reassign(host, s),
        Statement::DropOwnedStmt(s) => crate::owner::drop_owned(host, s),
        Statement::CreateTableAsStmt(s) => crate::ctas::create(host, s),
        Statement::RefreshMatViewStmt(s) => crate::ctas::refresh(host, s),
        Statement::CreateFunctionStmt(s) => crate::function::create(host, s),
        Statement::AlterFunctionStmt(s) => crate::function::alter(host, s),
        Statement::CreateTrigStmt(s) => crate::trigger::create(host, s),
        Statement::CreateEnumStmt(s) => crate::types::create_enum(host, s),
        Statement::AlterEnumStmt(s) => crate::types::alter_enum(host, s),
        Statement::CompositeTypeStmt(s) => crate::types::create_composite(host, s),
        Statement::CreateDomainStmt(s) => crate::types::create_domain(host, s),
        Statement::LockStmt(s) => crate::lock::lock(host, s),
        Statement::ReindexStmt(s) => crate::reindex::reindex(host, s),
        Statement::DropStmt(s) => crate::drop::drop(host, s),
        Statement::TruncateStmt(s) => crate::truncate::truncate(host, s),
        Statement::ViewStmt(s) => crate::view::create(host, s),
        Statement::CreateSchemaStmt(s) => crate::schema::create(host, s),
        Statement::CreatedbStmt(s) => crate::database::create(host, s),
        Statement::AlterDatabaseStmt(s) => crate::database::alter(host, s),
        Statement::AlterDatabaseSetStmt(s) => crate::role::alter_database_set(host, s),
        Statement::DropdbStmt(s) => crate::database::drop(host, s),
        Statement::CommentStmt(s) => crate::comment::comment(host, s),
        Statement::CreateRoleStmt(s) => crate::role::create(host, s),
        Statement::AlterRoleStmt(s) => crate::role::alter(host, s),
        Statement::AlterRoleSetStmt(s) => crate::role::alter_role_set(host, s),
        Statement::DropRoleStmt(s) => crate::role::drop(host, s),
        Statement::GrantRoleStmt(s) => crate::role::grant_role(host, s),
        Statement::GrantStmt(s) => crate::grant::grant(host, s),
        Statement::AlterDefaultPrivilegesStmt(s) => crate::grant::alter_default_privileges(host, s),
        Statement::DefineStmt(s) => crate::define::define(host, s),
        Statement::CreateRangeStmt(s) => crate::define::types::create_range(host, s),
        Statement::AlterDomainStmt(s) => crate::domain::alter(host, s),
        Statement::CreatePolicyStmt(s) => crate::policy::create(host, s),
        Statement::AlterPolicyStmt(s) => crate::policy::alter(host, s),
        Statement::CreateStatsStmt(s) => crate::statistics::create(host, s),
        Statement::AlterStatsStmt(s) => crate::statistics::alter(host, s),
        Statement::CreatePublicationStmt(s) => crate::publication::create(host, s),
        Statement::AlterPublicationStmt(s) => crate::publication::alter(host, s),
        Statement::CreateFdwStmt(s) => crate::foreign::create_fdw(host, s),
        Statement::AlterFdwStmt(s) => crate::foreign::alter_fdw(host, s),
        Statement::CreateForeignServerStmt(s) => crate::foreign::create_server(host, s),
        Statement::AlterForeignServerStmt(s) => crate::foreign::alter_server(host, s),
        Statement::CreateUserMappingStmt(s) => crate::foreign::create_mapping(host, s),
        Statement::AlterUserMappingStmt(s) => crate::foreign::alter_mapping(host, s),
        Statement::DropUserMappingStmt(s) => crate::foreign::drop_mapping(host, s),
        Statement::CreateForeignTableStmt(s) => crate::foreign::create_table(host, s),
        Statement::AlterOperatorStmt(s) => crate::define::operator::alter(host, s),
        Statement::CreateCastStmt(s) => crate::define::cast::create(host, s),
        Statement::CreateTransformStmt(s) => crate::define::cast::transform(host, s),
        Statement::CreateConversionStmt(s) => crate::define::cast::conversion(host, s),
        Statement::CreateAmStmt(s) => crate::define::cast::access_method(host, s),
        Statement::CreateOpClassStmt(s) => crate::define::opclass::create_class(host, s),
        Statement::CreateOpFamilyStmt(s) => crate::define::opclass::create_family(host, s),
        Statement::AlterOpFamilyStmt(s) => crate::define::opclass::alter_family(host, s),
        Statement::AlterTSDictionaryStmt(s) => crate::define::text_search::alter_dictionary(host, s),
        other => Err(PgError::unsupported(format!("{} is not supported yet", crate::command_tag(other)))),
    }
}
