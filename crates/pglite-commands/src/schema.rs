//! CREATE SCHEMA, with the elements inside it.

use pglite_catalog::depend::ObjectAddress;
use pglite_catalog::rows::NamespaceRow;
use pglite_catalog::{acl, names::quote_ident};
use pglite_error::{PgError, PgResult, Severity, bail, codes, err};
use pglite_parser::ast::CreateSchemaStmt;
use pglite_types::Oid;

use crate::ctx;
use crate::host::{CommandHost, CommandOutcome};
use crate::role;

pub(crate) fn create(host: &dyn CommandHost, s: &CreateSchemaStmt) -> PgResult<CommandOutcome> {
    let tag = CommandOutcome::tag("CREATE SCHEMA");
    let snap = host.snapshot();
    let user = ctx::user(host);
    let owner = match &s.authrole {
        Some(r) => role::resolve(host, r)?,
        None => user,
    };
    let name = match &s.schemaname {
        Some(n) => n.clone(),
        None => snap.role_by_oid(owner).map(|r| r.rolname.to_string()).unwrap_or_default(),
    };
    if acl::database_mask(&snap, user, snap.database(), acl::CREATE) == 0 {
        bail!(INSUFFICIENT_PRIVILEGE, "permission denied for database {}", host.env().database_name());
    }
    role::check_can_set(host, owner)?;
    if name.starts_with("pg_") {
        return Err(err!(RESERVED_NAME, "unacceptable schema name \"{name}\"")
            .detail("The prefix \"pg_\" is reserved for system schemas."));
    }
    if snap.namespace_by_name(&name).is_some() {
        if s.if_not_exists {
            let text = format!("schema \"{name}\" already exists, skipping");
            ctx::notice(host, PgError::new(codes::DUPLICATE_SCHEMA, text).severity(Severity::Notice));
            return Ok(tag);
        }
        bail!(DUPLICATE_SCHEMA, "schema \"{name}\" already exists");
    }
    let oid = ctx::new_oid(host)?;
    let nspacl = acl::grant::new_object_acl(&snap, acl::AclKind::Schema, owner, Oid::INVALID);
    host.with_catalog(&mut |c| {
        c.insert(NamespaceRow {
            oid,
            nspname: name.as_str().into(),
            nspowner: owner,
            nspacl: nspacl.clone().map(Into::into),
        });
        c.record_owner(ObjectAddress::schema(oid), owner);
        if let Some(acl) = &nspacl {
            c.record_acl(ObjectAddress::schema(oid), owner, acl);
        }
        Ok(())
    })?;
    if !s.schema_elts.is_empty() {
        elements(host, s, &name)?;
    }
    Ok(tag)
}

/// The elements run as statements of their own with the new schema in front of the path.
fn elements(host: &dyn CommandHost, s: &CreateSchemaStmt, schema: &str) -> PgResult<()> {
    let old = host.env().as_fn_host().setting("search_path").unwrap_or_default();
    let path =
        if old.trim().is_empty() { quote_ident(schema) } else { format!("{}, {old}", quote_ident(schema)) };
    host.env().as_fn_host().set_setting("search_path", &path, true)?;
    for element in crate::schema_order::ordered(&s.schema_elts) {
        let raw = pglite_parser::ast::RawStmt { stmt: element.clone(), location: 0, len: 0 };
        crate::dispatch::execute(host, &std::sync::Arc::new(raw))?;
    }
    host.env().as_fn_host().set_setting("search_path", &old, true)?;
    Ok(())
}
