//! CREATE POLICY and ALTER POLICY.

use std::sync::Arc;

use pglite_analyze::{ExprKind, Scope as ExprScope, analyze_expr};
use pglite_catalog::depend::{DependencyType, ObjectAddress, SharedDependency};
use pglite_catalog::rows::PolicyRow;
use pglite_catalog::{List, RelDesc, Str};
use pglite_error::{PgError, PgResult, Severity, bail, codes, err};
use pglite_functions::deparse::{Scope, storage_text};
use pglite_ir::Expr;
use pglite_ir::query::{Alias, PermInfo, RangeTblEntry, RteKind};
use pglite_parser::ast::{self, AlterPolicyStmt, CreatePolicyStmt, RoleSpec, RoleSpecType};
use pglite_types::{Oid, oid};

use crate::ctx;
use crate::host::{CommandHost, CommandOutcome};
use crate::role;

fn target(host: &dyn CommandHost, name: &ast::RangeVar) -> PgResult<Arc<RelDesc>> {
    let rel = ctx::relation(host, name)?;
    ctx::must_own(host, &rel)?;
    if rel.is_catalog {
        bail!(INSUFFICIENT_PRIVILEGE, "permission denied: \"{}\" is a system catalog", rel.name);
    }
    if !matches!(rel.kind, b'r' | b'p') {
        bail!(WRONG_OBJECT_TYPE, "\"{}\" is not a table", rel.name);
    }
    host.env().lock_relation(rel.oid, 8)?;
    Ok(rel)
}

fn roles(host: &dyn CommandHost, list: &[RoleSpec]) -> PgResult<Vec<Oid>> {
    let public = |r: &RoleSpec| matches!(r.roletype, RoleSpecType::Public);
    if list.is_empty() || list.iter().any(public) {
        if list.len() > 1 {
            let w = PgError::new(codes::WARNING, "ignoring specified roles other than PUBLIC")
                .severity(Severity::Warning)
                .hint("All roles are members of the PUBLIC role.");
            ctx::notice(host, w);
        }
        return Ok(vec![Oid::INVALID]);
    }
    list.iter().map(|r| role::resolve(host, r)).collect()
}

/// The stored text of a policy's expression, and what it depends on.
fn expression(
    host: &dyn CommandHost,
    rel: &Arc<RelDesc>,
    raw: &ast::Expr,
) -> PgResult<(String, Vec<ObjectAddress>)> {
    let s = host.snapshot();
    let env = host.env();
    let e = analyze_expr(
        env.as_analyze_env(),
        raw,
        &ExprScope::Relation(rel),
        ExprKind::Policy,
        Some((oid::BOOL, -1)),
    )?;
    let refs = ctx::expr_references(&s, &e, Some(rel.oid)).into_iter().collect();
    Ok((text(host, rel, &e)?, refs))
}

/// Inside sublinks the table's columns need its name.
pub(crate) fn text(host: &dyn CommandHost, rel: &Arc<RelDesc>, e: &Expr) -> PgResult<String> {
    let s = host.snapshot();
    let env = host.env();
    if !pglite_ir::walk::contains(e, &|x| matches!(x, Expr::SubLink(_))) {
        return storage_text(&s, env.as_fn_host(), e, Scope::Relation(rel));
    }
    let names = Alias {
        name: rel.name.to_string(),
        columns: rel
            .columns
            .iter()
            .map(|c| if c.dropped { String::new() } else { c.name.to_string() })
            .collect(),
    };
    let rtable = [RangeTblEntry {
        kind: RteKind::Relation { rel: rel.clone(), lock: 1, sample: None },
        alias: None,
        eref: names,
        lateral: false,
        in_from: true,
        inherit: false,
        perms: PermInfo::default(),
        security_quals: Vec::new(),
    }];
    let scope = Scope::RangeTable { rtable: &rtable, aliases: vec![rel.name.to_string()], prefix: true };
    storage_text(&s, env.as_fn_host(), e, scope)
}

fn letter(command: &str) -> PgResult<u8> {
    Ok(match command {
        "all" => b'*',
        "select" => b'r',
        "insert" => b'a',
        "update" => b'w',
        "delete" => b'd',
        other => bail!(SYNTAX_ERROR, "unrecognized row security option \"{other}\""),
    })
}

fn store(host: &dyn CommandHost, row: &PolicyRow, refs: &[ObjectAddress]) -> PgResult<()> {
    host.with_catalog(&mut |c| {
        let me = ObjectAddress::of::<PolicyRow>(row.oid);
        c.forget_dependencies(me, true);
        c.forget_shared_dependencies(me);
        c.insert(row.clone());
        c.record_dependency(me, ObjectAddress::relation(row.polrelid), DependencyType::Auto);
        c.record_dependencies(me, refs.iter().copied(), DependencyType::Normal);
        for r in row.polroles.iter().filter(|r| r.is_valid()) {
            let role = ObjectAddress::of::<pglite_catalog::rows::AuthidRow>(*r);
            c.record_shared_dependency(me, role, SharedDependency::Policy);
        }
        // The table's descriptor is what plans hang on.
        c.modify::<pglite_catalog::rows::ClassRow>(row.polrelid, |_| {});
        Ok(())
    })
}

pub(crate) fn create(host: &dyn CommandHost, p: &CreatePolicyStmt) -> PgResult<CommandOutcome> {
    let command = letter(&p.cmd_name)?;
    if matches!(command, b'r' | b'd') && p.with_check.is_some() {
        return Err(PgError::syntax("WITH CHECK cannot be applied to SELECT or DELETE"));
    }
    if command == b'a' && p.qual.is_some() {
        return Err(PgError::syntax("only WITH CHECK expression allowed for INSERT"));
    }
    let list = roles(host, &p.roles)?;
    let rel = target(host, &p.table)?;
    let mut refs = Vec::new();
    let mut one = |raw: &Option<ast::Expr>| -> PgResult<Option<Str>> {
        let Some(raw) = raw else { return Ok(None) };
        let (text, mut more) = expression(host, &rel, raw)?;
        refs.append(&mut more);
        Ok(Some(text.into()))
    };
    let (qual, check) = (one(&p.qual)?, one(&p.with_check)?);
    let s = host.snapshot();
    if s.policies_of(rel.oid).any(|o| *o.polname == *p.policy_name) {
        return Err(err!(
            DUPLICATE_OBJECT,
            "policy \"{}\" for table \"{}\" already exists",
            p.policy_name,
            rel.name
        ));
    }
    let row = PolicyRow {
        oid: ctx::new_oid(host)?,
        polname: p.policy_name.as_str().into(),
        polrelid: rel.oid,
        polcmd: command,
        polpermissive: p.permissive,
        polroles: List::from(list),
        polqual: qual,
        polwithcheck: check,
    };
    store(host, &row, &refs)?;
    Ok(CommandOutcome::tag("CREATE POLICY"))
}

pub(crate) fn alter(host: &dyn CommandHost, p: &AlterPolicyStmt) -> PgResult<CommandOutcome> {
    let list = if p.roles.is_empty() { None } else { Some(roles(host, &p.roles)?) };
    let rel = target(host, &p.table)?;
    let s = host.snapshot();
    let Some(mut row) = s.policies_of(rel.oid).find(|o| *o.polname == *p.policy_name).cloned() else {
        bail!(UNDEFINED_OBJECT, "policy \"{}\" for table \"{}\" does not exist", p.policy_name, rel.name);
    };
    if matches!(row.polcmd, b'r' | b'd') && p.with_check.is_some() {
        return Err(PgError::syntax("only USING expression allowed for SELECT, DELETE"));
    }
    if row.polcmd == b'a' && p.qual.is_some() {
        return Err(PgError::syntax("only WITH CHECK expression allowed for INSERT"));
    }
    let mut refs = Vec::new();
    for (raw, slot) in [(&p.qual, &mut row.polqual), (&p.with_check, &mut row.polwithcheck)] {
        if let Some(raw) = raw {
            let (text, mut more) = expression(host, &rel, raw)?;
            refs.append(&mut more);
            *slot = Some(text.into());
        } else if let Some(text) = slot {
            let env = host.env();
            let e = pglite_analyze::analyze_stored_expr(
                env.as_analyze_env(),
                text,
                &ExprScope::Relation(&rel),
                ExprKind::Policy,
                None,
            )?;
            refs.extend(ctx::expr_references(&s, &e, Some(rel.oid)));
        }
    }
    if let Some(list) = list {
        row.polroles = List::from(list);
    }
    store(host, &row, &refs)?;
    Ok(CommandOutcome::tag("ALTER POLICY"))
}
