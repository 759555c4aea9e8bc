//! INSERT, UPDATE and DELETE through simple views.

use std::sync::Arc;

use pglite_catalog::RelDesc;

use pglite_ir::plan::{CheckOption, CheckWhen};

use crate::prelude::*;

impl Analyzer<'_, '_> {
    /// PostgreSQL's `rewriteTargetView`: the statement goes to the view's base relation.
    pub(super) fn rewrite_target_view(&mut self, q: &mut Query, view: &Arc<RelDesc>) -> PgResult<()> {
        let query = self.view_query(view)?;
        if let Some(reason) = not_updatable(&query) {
            return Err(view_error(q.command, view, reason));
        }
        let Some(FromItem::Rte(base_at)) = query.jointree.from.first() else {
            return Err(PgError::internal("updatable view without a base relation"));
        };
        let base_at = *base_at;
        self.check_view_columns(q, &query, view, base_at)?;
        let view_at = q.result_relation;
        let barrier = super::view::option_is_true(view, "security_barrier");
        self.add_view_check(q, &query, view);
        let mut base = query.rtable[base_at as usize - 1].clone();
        let view_perms = q.rtable[view_at as usize - 1].perms.clone();
        let in_from = q.rtable[view_at as usize - 1].in_from;
        base.in_from = in_from;
        if !super::view::option_is_true(view, "security_invoker") {
            base.perms.check_as = view.owner;
        }
        base.perms.required |= view_perms.required;
        let column = |a: i16| base_column(&query, a, base_at);
        base.perms.inserted.extend(view_perms.inserted.iter().filter_map(|a| column(*a)));
        base.perms.updated.extend(view_perms.updated.iter().filter_map(|a| column(*a)));
        base.inherit |= q.rtable[view_at as usize - 1].inherit && base.inherit;
        let base_entry = base.clone();
        q.rtable.push(base);
        let new_at = q.rtable.len() as u32;
        // the view's own entry stays for its privilege check, out of FROM
        replace_from(&mut q.jointree, view_at, new_at);
        q.result_relation = new_at;
        let excluded = q.on_conflict.as_ref().map_or(0, |c| c.excluded_rte);
        let move_targets = |list: &mut Vec<TargetEntry>| {
            for t in list.iter_mut().filter(|t| !t.junk) {
                if let Some(a) = base_column(&query, t.resno, base_at) {
                    t.resno = a;
                }
            }
        };
        move_targets(&mut q.targets);
        if let Some(oc) = &mut q.on_conflict {
            move_targets(&mut oc.set);
        }
        if let Some(m) = &mut q.merge {
            m.actions.iter_mut().for_each(|a| move_targets(&mut a.targets));
        }
        if excluded != 0 {
            let e = &mut q.rtable[excluded as usize - 1];
            e.kind = base_entry.kind.clone();
            e.eref.columns = base_entry.eref.columns.clone();
        }
        let replace = |e: &mut Expr, depth: u32| -> Result<(), PgError> {
            let Expr::Var(v) = e else { return Ok(()) };
            if v.levels_up != depth || v.rte != view_at && (excluded == 0 || v.rte != excluded) {
                return Ok(());
            }
            let to = if v.rte == view_at { new_at } else { excluded };
            if v.attno == 0 {
                let mut args = Vec::new();
                for t in query.targets.iter().filter(|t| !t.junk) {
                    let mut e = t.expr.clone();
                    retarget(&mut e, base_at, to, v.returning);
                    super::raise_levels(&mut e, depth as i32);
                    args.push(e);
                }
                let names = view.live_columns().map(|c| c.name.to_string()).collect();
                let form = CoercionForm::ImplicitCast;
                *e = Expr::Row { args, ty: view.row_type, names, form, location: -1 };
                return Ok(());
            }
            if v.attno < 0 {
                if v.attno == sysattr::TABLEOID {
                    v.rte = to;
                    v.syn_rte = to;
                    return Ok(());
                }
                return Err(PgError::unsupported("system columns of views are not supported"));
            }
            let Some(t) = query.targets.iter().filter(|t| !t.junk).nth(v.attno as usize - 1) else {
                return Ok(());
            };
            let mut new = t.expr.clone();
            retarget(&mut new, base_at, to, v.returning);
            super::raise_levels(&mut new, depth as i32);
            *e = new;
            Ok(())
        };
        let mut replace = replace;
        pglite_ir::tree::mutate_query(q, 0, &mut replace)?;
        if q.command != CommandType::Insert
            && let Some(mut quals) = query.jointree.quals.clone()
        {
            retarget(&mut quals, base_at, new_at, VarReturning::Default);
            q.has_sublinks |= query.has_sublinks;
            // MERGE: rows outside the view count as not matched, so they are left out below the join.
            if barrier || q.merge.is_some() {
                q.rtable[new_at as usize - 1].security_quals.insert(0, quals);
                return Ok(());
            }
            q.jointree.quals = Some(match q.jointree.quals.take() {
                Some(old) => Expr::and(vec![quals, old]),
                None => quals,
            });
        }
        Ok(())
    }

    /// WITH CHECK OPTION: new rows must be visible through the view. The condition still names the view's base
    /// relation by the place it will get, the next of the range table.
    fn add_view_check(&self, q: &mut Query, query: &Query, view: &RelDesc) {
        if !matches!(q.command, CommandType::Insert | CommandType::Update | CommandType::Merge) {
            return;
        }
        let option = view.options.iter().flat_map(|o| o.iter()).find_map(|x| {
            x.split_once('=').filter(|(k, _)| *k == "check_option").map(|(_, v)| v.to_string())
        });
        let above = q.check_options.first().is_some_and(|c| c.is_view && c.cascaded);
        let cascaded = above || option.as_deref() == Some("cascaded");
        if !cascaded && option.is_none() || !cascaded && query.jointree.quals.is_none() {
            return;
        }
        let Some(FromItem::Rte(base_at)) = query.jointree.from.first() else { return };
        let mut qual = query.jointree.quals.clone().unwrap_or_else(|| Expr::bool(true));
        // Why: a reference to the view's own entry in an outer check must not be mistaken for this one.
        retarget(&mut qual, *base_at, q.rtable.len() as u32 + 1, VarReturning::Default);
        q.has_sublinks |= query.has_sublinks;
        q.check_options.insert(
            0,
            CheckOption {
                relation: view.name.to_string(),
                policy: None,
                qual,
                is_view: true,
                cascaded,
                when: CheckWhen::Always,
            },
        );
    }

    /// Every assigned column must be a plain column of the base relation.
    fn check_view_columns(&self, q: &Query, query: &Query, view: &RelDesc, base_at: u32) -> PgResult<()> {
        let mut all: Vec<(&TargetEntry, CommandType)> = q.targets.iter().map(|t| (t, q.command)).collect();
        if let Some(oc) = &q.on_conflict {
            all.extend(oc.set.iter().map(|t| (t, CommandType::Update)));
        }
        if let Some(m) = &q.merge {
            all.extend(m.actions.iter().flat_map(|a| a.targets.iter().map(|t| (t, a.command))));
        }
        for (t, command) in all.into_iter().filter(|(t, _)| !t.junk) {
            if base_column(query, t.resno, base_at).is_some() {
                continue;
            }
            let name = view.attr(t.resno).map(|c| c.name.to_string()).unwrap_or_default();
            let what = match (q.command, command) {
                (CommandType::Merge, _) => "merge into",
                (_, CommandType::Insert) => "insert into",
                _ => "update",
            };
            let system = query
                .targets
                .iter()
                .filter(|t| !t.junk)
                .nth((t.resno - 1).max(0) as usize)
                .is_some_and(|t| matches!(&t.expr, Expr::Var(v) if v.rte == base_at && v.attno <= 0));
            let detail = if system {
                "View columns that refer to system columns are not updatable."
            } else {
                "View columns that are not columns of their base relation are not updatable."
            };
            return Err(err!(
                FEATURE_NOT_SUPPORTED,
                "cannot {what} column \"{name}\" of view \"{}\"",
                view.name
            )
            .detail(detail));
        }
        Ok(())
    }
}

/// The base relation's column behind a view column.
fn base_column(query: &Query, attno: i16, base_at: u32) -> Option<i16> {
    let t = query.targets.iter().filter(|t| !t.junk).nth(attno as usize - 1)?;
    match &t.expr {
        Expr::Var(v) if v.rte == base_at && v.levels_up == 0 && v.attno > 0 => Some(v.attno),
        _ => None,
    }
}

fn retarget(e: &mut Expr, from: u32, to: u32, returning: VarReturning) {
    let _ = pglite_ir::tree::mutate_expr::<()>(e, 0, &mut |e, depth| {
        if let Expr::Var(v) = e
            && v.rte == from
            && v.levels_up == depth
        {
            v.rte = to;
            v.syn_rte = to;
            v.returning = returning;
        }
        Ok(())
    });
}

pub(super) fn replace_from(tree: &mut JoinTree, from: u32, to: u32) {
    for item in &mut tree.from {
        replace_item(item, from, to);
    }
}

fn replace_item(item: &mut FromItem, from: u32, to: u32) {
    match item {
        FromItem::Rte(i) if *i == from => *i = to,
        FromItem::Rte(_) => {}
        FromItem::Join(j) => {
            replace_item(&mut j.left, from, to);
            replace_item(&mut j.right, from, to);
        }
        FromItem::From(t) => replace_from(t, from, to),
    }
}

/// Why a view is not simple enough (`view_query_is_auto_updatable`).
fn not_updatable(q: &Query) -> Option<&'static str> {
    if !q.distinct.is_empty() {
        return Some("Views containing DISTINCT are not automatically updatable.");
    }
    if !q.group.is_empty() || !q.grouping_sets.is_empty() {
        return Some("Views containing GROUP BY are not automatically updatable.");
    }
    if q.having.is_some() {
        return Some("Views containing HAVING are not automatically updatable.");
    }
    if q.set_ops.is_some() {
        return Some("Views containing UNION, INTERSECT, or EXCEPT are not automatically updatable.");
    }
    if !q.ctes.is_empty() {
        return Some("Views containing WITH are not automatically updatable.");
    }
    if q.limit.is_some() || q.offset.is_some() {
        return Some("Views containing LIMIT or OFFSET are not automatically updatable.");
    }
    if q.has_aggs {
        return Some("Views that return aggregate functions are not automatically updatable.");
    }
    if q.has_windows {
        return Some("Views that return window functions are not automatically updatable.");
    }
    if q.has_target_srfs {
        return Some("Views that return set-returning functions are not automatically updatable.");
    }
    let single = match q.jointree.from.as_slice() {
        [FromItem::Rte(i)] => match &q.rtable[*i as usize - 1].kind {
            RteKind::Relation { rel, sample, .. } => {
                if sample.is_some() {
                    return Some("Views containing TABLESAMPLE are not automatically updatable.");
                }
                matches!(rel.kind, b'r' | b'f' | b'v' | b'p')
            }
            _ => false,
        },
        _ => false,
    };
    if !single {
        return Some("Views that do not select from a single table or view are not automatically updatable.");
    }
    let any = q.targets.iter().any(|t| matches!(&t.expr, Expr::Var(v) if v.attno > 0 && !t.junk));
    if !any {
        return Some("Views that have no updatable columns are not automatically updatable.");
    }
    None
}

fn view_error(command: CommandType, view: &RelDesc, detail: &str) -> PgError {
    let name = &view.name;
    let (message, hint) = match command {
        CommandType::Insert => (
            format!("cannot insert into view \"{name}\""),
            "To enable inserting into the view, provide an INSTEAD OF INSERT trigger or an unconditional ON INSERT DO INSTEAD rule.",
        ),
        CommandType::Update => (
            format!("cannot update view \"{name}\""),
            "To enable updating the view, provide an INSTEAD OF UPDATE trigger or an unconditional ON UPDATE DO INSTEAD rule.",
        ),
        _ => (
            format!("cannot delete from view \"{name}\""),
            "To enable deleting from the view, provide an INSTEAD OF DELETE trigger or an unconditional ON DELETE DO INSTEAD rule.",
        ),
    };
    err!(OBJECT_NOT_IN_PREREQUISITE_STATE, "{message}").detail(detail).hint(hint)
}
