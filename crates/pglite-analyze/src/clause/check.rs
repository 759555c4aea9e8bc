//! Grouping checks: columns outside aggregates must be grouped, or depend on grouped primary keys.

use super::group::expand_sets;
use crate::equal::{equal, same_var};
use crate::prelude::*;

/// The state of one check.
struct Check<'a> {
    rtable: &'a [RangeTblEntry],
    /// Group expressions.
    grouped: Vec<&'a Expr>,
    non_var: bool,
    /// Plain variables in every grouping set.
    common: Vec<&'a Var>,
    in_direct_args: bool,
}

impl Analyzer<'_, '_> {
    /// PostgreSQL's `parseCheckAggregates`, after the query is complete.
    pub fn check_aggregates(&self, q: &mut Query) -> PgResult<()> {
        if !q.has_aggs && q.group.is_empty() && q.grouping_sets.is_empty() && q.having.is_none() {
            return Ok(());
        }
        set_grouping_refs(q)?;
        let grouped_targets = Self::grouped_exprs(&q.targets, &q.group);
        let grouped: Vec<&Expr> = grouped_targets.iter().map(|t| &t.expr).collect();
        let sets = expand_sets(&q.grouping_sets);
        let in_all = |r: u32| q.grouping_sets.is_empty() || sets.iter().all(|s| s.contains(&r));
        let common: Vec<&Var> = grouped_targets
            .iter()
            .filter(|t| in_all(t.sort_group_ref))
            .filter_map(|t| if let Expr::Var(v) = &t.expr { Some(v) } else { None })
            .collect();
        let non_var = grouped.iter().any(|e| !matches!(e, Expr::Var(_)));
        let mut check = Check { rtable: &q.rtable, grouped, non_var, common, in_direct_args: false };
        for t in &q.targets {
            check.expr(&t.expr, 0)?;
        }
        if let Some(h) = &q.having {
            check.expr(h, 0)?;
        }
        if q.has_aggs && q.rtable.iter().any(|r| matches!(r.kind, RteKind::Cte { self_reference: true, .. }))
        {
            let at = q.targets.iter().find_map(|t| crate::agg::find_agg(&t.expr, 0)).unwrap_or(-1);
            return Err(err!(
                INVALID_RECURSION,
                "aggregate functions are not allowed in a recursive query's recursive term"
            )
            .at(at));
        }
        Ok(())
    }
}

impl Check<'_> {
    fn expr(&mut self, e: &Expr, depth: u32) -> PgResult<()> {
        match e {
            Expr::Const(_) | Expr::Param(_) => return Ok(()),
            Expr::Aggref(a) => {
                if a.levels_up == depth {
                    let saved = std::mem::replace(&mut self.in_direct_args, true);
                    let r = a.direct_args.iter().try_for_each(|d| self.expr(d, depth));
                    self.in_direct_args = saved;
                    return r;
                }
                if a.levels_up > depth {
                    return Ok(());
                }
            }
            Expr::Grouping { levels_up, .. } if *levels_up >= depth => return Ok(()),
            _ => {}
        }
        if self.non_var && self.is_grouped(e, depth) {
            return Ok(());
        }
        if let Expr::Var(v) = e {
            return if v.levels_up == depth { self.var(v, depth) } else { Ok(()) };
        }
        let mut result = Ok(());
        pglite_ir::walk::any_child(e, &mut |c| {
            result = self.expr(c, depth);
            result.is_err()
        });
        result?;
        if let Expr::SubLink(s) = e {
            self.query(&s.query, depth + 1)?;
        }
        Ok(())
    }

    fn query(&mut self, q: &Query, depth: u32) -> PgResult<()> {
        let mut result = Ok(());
        pglite_ir::tree::each_query_expr(q, &mut |e| {
            if result.is_ok() {
                result = self.expr(e, depth);
            }
        });
        result?;
        let mut result = Ok(());
        pglite_ir::tree::each_subquery(q, &mut |s| {
            if result.is_ok() {
                result = self.query(s, depth + 1);
            }
        });
        result
    }

    fn is_grouped(&self, e: &Expr, depth: u32) -> bool {
        if depth == 0 {
            return self.grouped.iter().any(|g| equal(e, g));
        }
        // Why: below a sublink the same expression has its levels raised.
        self.grouped.iter().any(|g| {
            let mut raised = (*g).clone();
            crate::rewrite::raise_levels(&mut raised, depth as i32);
            equal(e, &raised)
        })
    }

    fn var(&mut self, v: &Var, depth: u32) -> PgResult<()> {
        let mut local = v.clone();
        local.levels_up = 0;
        let hit = self.grouped.iter().any(|g| matches!(g, Expr::Var(x) if same_var(x, &local)));
        if hit {
            return Ok(());
        }
        let rte = &self.rtable[v.rte as usize - 1];
        if let RteKind::Relation { rel, .. } = &rte.kind
            && self.depends_on_key(rel, v.rte)
        {
            return Ok(());
        }
        let column = match v.attno {
            0 => "*".to_string(),
            n if n > 0 => rte.eref.columns.get(n as usize - 1).cloned().unwrap_or_default(),
            n => system_name(n).to_string(),
        };
        let table = &rte.eref.name;
        if depth > 0 {
            return Err(err!(
                GROUPING_ERROR,
                "subquery uses ungrouped column \"{table}.{column}\" from outer query"
            )
            .at(v.location));
        }
        let e = err!(
            GROUPING_ERROR,
            "column \"{table}.{column}\" must appear in the GROUP BY clause or be used in an aggregate function"
        )
        .at(v.location);
        Err(if self.in_direct_args {
            e.detail("Direct arguments of an ordered-set aggregate must use only grouped columns.")
        } else {
            e
        })
    }

    /// All columns of the primary key are grouped.
    fn depends_on_key(&self, rel: &pglite_catalog::RelDesc, rte: u32) -> bool {
        rel.constraints.iter().any(|c| {
            c.contype == b'p'
                && !c.condeferrable
                && c.conkey.as_ref().is_some_and(|k| {
                    !k.is_empty()
                        && k.iter().all(|a| self.common.iter().any(|v| v.rte == rte && v.attno == *a))
                })
        })
    }
}

fn system_name(attno: i16) -> &'static str {
    match attno {
        sysattr::CTID => "ctid",
        sysattr::XMIN => "xmin",
        sysattr::CMIN => "cmin",
        sysattr::XMAX => "xmax",
        sysattr::CMAX => "cmax",
        sysattr::TABLEOID => "tableoid",
        _ => "",
    }
}

/// Fills the refs of GROUPING calls.
fn set_grouping_refs(q: &mut Query) -> PgResult<()> {
    let has = |q: &Query| {
        let mut found = false;
        pglite_ir::tree::visit_query(q, 0, &mut |e, _| {
            found |= matches!(e, Expr::Grouping { .. });
            !found
        });
        found
    };
    if !has(q) {
        return Ok(());
    }
    let grouped: Vec<(Expr, u32)> = q
        .group
        .iter()
        .filter_map(|c| {
            super::sort::target_by_ref(c.target_ref, &q.targets)
                .map(|i| (q.targets[i].expr.clone(), c.target_ref))
        })
        .collect();
    let mut set = |e: &mut Expr, depth: u32| -> PgResult<()> {
        if let Expr::Grouping { args, refs, levels_up, location } = e
            && *levels_up == depth
        {
            refs.clear();
            for a in args.iter() {
                let hit = grouped.iter().find(|(g, _)| {
                    if depth == 0 {
                        return equal(a, g);
                    }
                    let mut raised = g.clone();
                    crate::rewrite::raise_levels(&mut raised, depth as i32);
                    equal(a, &raised)
                });
                match hit {
                    Some((_, r)) => refs.push(*r),
                    None => {
                        let at = if a.location() >= 0 { a.location() } else { *location };
                        return Err(err!(
                            GROUPING_ERROR,
                            "arguments to GROUPING must be grouping expressions of the associated query level"
                        )
                        .at(at));
                    }
                }
            }
        }
        Ok(())
    };
    for t in &mut q.targets {
        pglite_ir::tree::mutate_expr(&mut t.expr, 0, &mut set)?;
    }
    if let Some(h) = &mut q.having {
        pglite_ir::tree::mutate_expr(h, 0, &mut set)?;
    }
    Ok(())
}
