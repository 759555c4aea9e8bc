//! Row security: policies become conditions below the user's (`security_quals`) and checks of new rows.

use std::sync::Arc;

use pglite_catalog::{PolicyRow, RelDesc, acl};
use pglite_ir::plan::{CheckOption, CheckWhen};

use crate::prelude::*;
use crate::{AnalyzeEnv, Scope};

/// What the policies of one table say for one command.
struct Policies {
    permissive: Vec<PolicyRow>,
    restrictive: Vec<PolicyRow>,
}

/// Whether the policies of a table bind the role.
fn applies(env: &dyn AnalyzeEnv, rel: &RelDesc, user: Oid) -> PgResult<bool> {
    let s = env.catalog();
    if !rel.row_security {
        return Ok(false);
    }
    let bypass = acl::is_superuser(s, user) || s.role_by_oid(user).is_some_and(|r| r.rolbypassrls);
    if bypass {
        return Ok(false);
    }
    let owner = acl::has_privs_of_role(s, user, rel.owner);
    if owner && !rel.force_row_security {
        return Ok(false);
    }
    if env.setting("row_security").is_some_and(|v| v == "off") {
        let e = err!(
            INSUFFICIENT_PRIVILEGE,
            "query would be affected by row-level security policy for table \"{}\"",
            rel.name
        );
        return Err(if owner {
            e.hint(
                "To disable the policy for the table's owner, use ALTER TABLE NO FORCE ROW LEVEL SECURITY.",
            )
        } else {
            e
        });
    }
    Ok(true)
}

fn policies(env: &dyn AnalyzeEnv, rel: &RelDesc, user: Oid, command: u8) -> Policies {
    let s = env.catalog();
    let mine = |p: &&PolicyRow| {
        (p.polcmd == b'*' || p.polcmd == command)
            && p.polroles.iter().any(|r| !r.is_valid() || acl::has_privs_of_role(s, user, *r))
    };
    let mut all: Vec<PolicyRow> = s.policies_of(rel.oid).filter(mine).cloned().collect();
    all.sort_by(|a, b| a.polname.cmp(&b.polname));
    let (permissive, restrictive) = all.into_iter().partition(|p| p.polpermissive);
    Policies { permissive, restrictive }
}

fn any_of(mut list: Vec<Expr>) -> Expr {
    if list.len() == 1 {
        return list.swap_remove(0);
    }
    Expr::Bool { op: BoolOp::Or, args: list, location: -1 }
}

/// pg_policy.polcmd of a command.
fn letter(c: CommandType) -> u8 {
    match c {
        CommandType::Insert => b'a',
        CommandType::Update => b'w',
        CommandType::Delete => b'd',
        _ => b'r',
    }
}

impl Analyzer<'_, '_> {
    /// A policy's expression over the range table entry `at`.
    fn policy_expr(&mut self, rel: &Arc<RelDesc>, text: &str, at: u32) -> PgResult<Expr> {
        let kind = ExprKind::Policy;
        let mut e =
            crate::analyze_stored_expr(self.env, text, &Scope::Relation(rel), kind, Some((oid::BOOL, -1)))?;
        let _ = pglite_ir::tree::mutate_expr::<()>(&mut e, 0, &mut |e, depth| {
            if let Expr::Var(v) = e
                && v.rte == 1
                && v.levels_up == depth
            {
                v.rte = at;
                v.syn_rte = at;
            }
            Ok(())
        });
        Ok(e)
    }

    fn using_quals(
        &mut self,
        rel: &Arc<RelDesc>,
        p: &Policies,
        at: u32,
        out: &mut Vec<Expr>,
    ) -> PgResult<()> {
        let mut any = Vec::new();
        for policy in &p.permissive {
            if let Some(text) = &policy.polqual {
                any.push(self.policy_expr(rel, text, at)?);
            }
        }
        if any.is_empty() {
            out.push(Expr::bool(false));
            return Ok(());
        }
        let mut add = |e: Expr| {
            if !out.iter().any(|o| crate::equal::equal(o, &e)) {
                out.push(e);
            }
        };
        for policy in &p.restrictive {
            if let Some(text) = &policy.polqual {
                add(self.policy_expr(rel, text, at)?);
            }
        }
        add(any_of(any));
        Ok(())
    }

    fn checks(
        &mut self,
        rel: &Arc<RelDesc>,
        p: &Policies,
        at: u32,
        when: CheckWhen,
        using: bool,
        out: &mut Vec<CheckOption>,
    ) -> PgResult<()> {
        let text = |policy: &PolicyRow| match (&policy.polwithcheck, using) {
            (Some(t), false) => Some(t.clone()),
            _ => policy.polqual.clone(),
        };
        let option = |policy: Option<String>, qual: Expr| CheckOption {
            relation: rel.name.to_string(),
            policy,
            qual,
            is_view: false,
            cascaded: false,
            when,
        };
        let mut any = Vec::new();
        for policy in &p.permissive {
            if let Some(t) = text(policy) {
                any.push(self.policy_expr(rel, &t, at)?);
            }
        }
        if any.is_empty() {
            out.push(option(None, Expr::bool(false)));
            return Ok(());
        }
        out.push(option(None, any_of(any)));
        for policy in &p.restrictive {
            if let Some(t) = text(policy) {
                let qual = self.policy_expr(rel, &t, at)?;
                out.push(option(Some(policy.polname.to_string()), qual));
            }
        }
        Ok(())
    }

    /// Puts the policies of the query's tables into it and into the queries below; `active`: tables whose policies
    /// are being put in.
    pub(super) fn apply_row_security(&mut self, q: &mut Query, active: &mut Vec<Oid>) -> PgResult<()> {
        self.check_depth()?;
        let mut error = None;
        let _ = pglite_ir::tree::each_subquery_mut::<()>(q, &mut |s| {
            self.apply_row_security(s, active).map_err(|e| error = Some(e))
        });
        let _ = pglite_ir::tree::each_query_expr_mut::<()>(q, &mut |e| {
            self.secure_sublinks(e, active).map_err(|x| error = Some(x))
        });
        if let Some(e) = error {
            return Err(e);
        }
        for i in 0..q.rtable.len() {
            let at = i as u32 + 1;
            let rel = match &q.rtable[i].kind {
                RteKind::Relation { rel, .. } if matches!(rel.kind, b'r' | b'p') && rel.row_security => {
                    rel.clone()
                }
                _ => continue,
            };
            let is_excluded = q.on_conflict.as_ref().is_some_and(|c| c.excluded_rte == at);
            if is_excluded {
                continue;
            }
            let user = match q.rtable[i].perms.check_as.valid() {
                Some(u) => u,
                None => self.env.current_user(),
            };
            if !applies(self.env, &rel, user)? {
                continue;
            }
            if active.contains(&rel.oid) {
                bail!(
                    INVALID_OBJECT_DEFINITION,
                    "infinite recursion detected in policy for relation \"{}\"",
                    rel.name
                );
            }
            let (mut quals, mut checks) = self.secure_entry(q, at, &rel, user)?;
            active.push(rel.oid);
            for e in quals.iter_mut().chain(checks.iter_mut().map(|c| &mut c.qual)) {
                q.has_sublinks |= pglite_ir::walk::contains(e, &|x| matches!(x, Expr::SubLink(_)));
                self.expand_policy(e)?;
                self.secure_sublinks(e, active)?;
            }
            active.pop();
            quals.append(&mut q.rtable[i].security_quals);
            q.rtable[i].security_quals = quals;
            // Row security comes before the checks of views.
            checks.append(&mut q.check_options);
            q.check_options = checks;
        }
        Ok(())
    }

    fn expand_policy(&mut self, e: &mut Expr) -> PgResult<()> {
        if let Expr::SubLink(s) = e {
            self.expand_views(&mut s.query, &mut Vec::new())?;
        }
        pglite_ir::walk::each_child_mut(e, &mut |c| self.expand_policy(c))
    }

    fn secure_sublinks(&mut self, e: &mut Expr, active: &mut Vec<Oid>) -> PgResult<()> {
        if let Expr::SubLink(s) = e {
            self.apply_row_security(&mut s.query, active)?;
        }
        pglite_ir::walk::each_child_mut(e, &mut |c| self.secure_sublinks(c, active))
    }

    /// Conditions and checks for one entry of the range table.
    fn secure_entry(
        &mut self,
        q: &Query,
        at: u32,
        rel: &Arc<RelDesc>,
        user: Oid,
    ) -> PgResult<(Vec<Expr>, Vec<CheckOption>)> {
        let is_target = q.result_relation == at;
        let command = if is_target { q.command } else { CommandType::Select };
        if command == CommandType::Merge {
            return Err(PgError::unsupported("MERGE on tables with row security is not supported yet"));
        }
        let perms = &q.rtable[at as usize - 1].perms;
        let reads = perms.required & crate::ACL_SELECT != 0 || !perms.selected.is_empty();
        let (mut quals, mut checks) = (Vec::new(), Vec::new());
        let of = |c: CommandType| policies(self.env, rel, user, letter(c));
        let (select, update) = (of(CommandType::Select), of(CommandType::Update));
        let own = of(command);
        let locked = command == CommandType::Select && q.row_marks.iter().any(|m| m.rte == at);
        if command != CommandType::Insert {
            if locked {
                self.using_quals(rel, &update, at, &mut quals)?;
            }
            self.using_quals(rel, &own, at, &mut quals)?;
            if matches!(command, CommandType::Update | CommandType::Delete) && reads {
                self.using_quals(rel, &select, at, &mut quals)?;
            }
        }
        if is_target && matches!(command, CommandType::Insert | CommandType::Update) {
            let when = if command == CommandType::Insert { CheckWhen::Insert } else { CheckWhen::Update };
            self.checks(rel, &own, at, when, false, &mut checks)?;
            if reads {
                self.checks(rel, &select, at, when, true, &mut checks)?;
            }
            if q.on_conflict.as_ref().is_some_and(|c| c.update) {
                self.checks(rel, &update, at, CheckWhen::Conflict, true, &mut checks)?;
                if reads {
                    self.checks(rel, &select, at, CheckWhen::Conflict, true, &mut checks)?;
                }
                self.checks(rel, &update, at, CheckWhen::Update, false, &mut checks)?;
                if reads {
                    self.checks(rel, &select, at, CheckWhen::Update, true, &mut checks)?;
                }
            }
        }
        Ok((quals, checks))
    }
}
