//! GROUP BY with grouping sets.

use super::sort::target_by_ref;
use crate::prelude::*;
use ast::{GroupItem, GroupingSetKind};

/// What one GROUP BY list is bound into.
struct Grouping<'a> {
    clauses: Vec<SortGroupClause>,
    sort: &'a [SortGroupClause],
    kind: ExprKind,
    sql99: bool,
}

impl Analyzer<'_, '_> {
    /// PostgreSQL's `transformGroupClause`: the flat clauses and the sets.
    pub fn transform_group(
        &mut self,
        items: &[GroupItem],
        list: &mut Vec<TargetEntry>,
        sort: &[SortGroupClause],
        kind: ExprKind,
        sql99: bool,
    ) -> PgResult<(Vec<SortGroupClause>, Vec<GroupingSet>)> {
        let mut g = Grouping { clauses: Vec::new(), sort, kind, sql99 };
        let flat = flatten(items);
        let has_sets = flat.iter().any(|i| matches!(i, FlatItem::GroupingSet(_)));
        let mut sets = Vec::new();
        let mut seen = Vec::new();
        for item in flat {
            match item {
                FlatItem::Expr(e) => {
                    let r = self.group_expr(e, list, &mut g, &mut seen, true)?;
                    if let Some(r) = r
                        && has_sets
                    {
                        sets.push(GroupingSet::Simple(vec![r]));
                    }
                }
                FlatItem::GroupingSet(s) => {
                    if let Some(set) = self.grouping_set(s, list, &mut g)? {
                        sets.push(set);
                    }
                }
            }
        }
        if set_count(&sets) > 4096 {
            let at = items
                .iter()
                .find_map(|i| if let GroupItem::GroupingSet(s) = i { Some(s.location) } else { None })
                .unwrap_or(-1);
            return Err(err!(STATEMENT_TOO_COMPLEX, "too many grouping sets present (maximum 4096)").at(at));
        }
        Ok((g.clauses, sets))
    }

    fn group_expr(
        &mut self,
        e: &ast::Expr,
        list: &mut Vec<TargetEntry>,
        g: &mut Grouping<'_>,
        seen: &mut Vec<u32>,
        toplevel: bool,
    ) -> PgResult<Option<u32>> {
        let at = if g.sql99 {
            self.find_target_sql99(e, list, g.kind)?
        } else {
            self.find_target_sql92(e, list, g.kind)?
        };
        let r = list[at].sort_group_ref;
        if r > 0 {
            if seen.contains(&r) {
                return Ok(None);
            }
            if g.clauses.iter().any(|c| c.target_ref == r) {
                seen.push(r);
                return Ok(Some(r));
            }
            if let Some(s) = g.sort.iter().find(|s| s.target_ref == r) {
                let mut c = s.clone();
                if !toplevel {
                    c.nulls_first = false;
                }
                g.clauses.push(c);
                seen.push(r);
                return Ok(Some(r));
            }
        }
        let location = crate::target::raw_location(e);
        self.add_to_group_list(at, &mut g.clauses, list, location)?;
        let r = list[at].sort_group_ref;
        seen.push(r);
        Ok(Some(r))
    }

    fn grouping_set(
        &mut self,
        s: &ast::GroupingSet,
        list: &mut Vec<TargetEntry>,
        g: &mut Grouping<'_>,
    ) -> PgResult<Option<GroupingSet>> {
        if s.kind == GroupingSetKind::Empty {
            return Ok(Some(GroupingSet::Empty));
        }
        let mut content = Vec::new();
        for item in &s.content {
            match item {
                GroupItem::Expr(ast::Expr::RowExpr(r)) if is_implicit_row(r) => {
                    let mut seen = Vec::new();
                    let mut refs = Vec::new();
                    for e in &r.args {
                        refs.extend(self.group_expr(e, list, g, &mut seen, false)?);
                    }
                    content.push(GroupingSet::Simple(refs));
                }
                GroupItem::Expr(e) => {
                    let r = self.group_expr(e, list, g, &mut Vec::new(), false)?;
                    content.push(GroupingSet::Simple(r.into_iter().collect()));
                }
                GroupItem::GroupingSet(inner) => {
                    content.extend(self.grouping_set(inner, list, g)?);
                }
            }
        }
        Ok(Some(match s.kind {
            GroupingSetKind::Rollup => GroupingSet::Rollup(content),
            GroupingSetKind::Cube => {
                if content.len() > 12 {
                    return Err(err!(TOO_MANY_COLUMNS, "CUBE is limited to 12 elements").at(s.location));
                }
                GroupingSet::Cube(content)
            }
            GroupingSetKind::Sets => GroupingSet::Sets(content),
            GroupingSetKind::Simple | GroupingSetKind::Empty => GroupingSet::Sets(content),
        }))
    }

    /// The expressions of the group clauses.
    pub(crate) fn grouped_exprs<'l>(
        list: &'l [TargetEntry],
        clauses: &[SortGroupClause],
    ) -> Vec<&'l TargetEntry> {
        clauses.iter().filter_map(|c| target_by_ref(c.target_ref, list).map(|i| &list[i])).collect()
    }
}

fn is_implicit_row(r: &ast::RowExpr) -> bool {
    r.row_format == ast::CoercionForm::ImplicitCast
}

/// `GROUP BY (a, b)` is `GROUP BY a, b`.
fn flatten(items: &[GroupItem]) -> Vec<FlatItem<'_>> {
    let mut out = Vec::new();
    for i in items {
        match i {
            GroupItem::Expr(ast::Expr::RowExpr(r)) if is_implicit_row(r) => {
                out.extend(r.args.iter().map(FlatItem::Expr));
            }
            GroupItem::Expr(e) => out.push(FlatItem::Expr(e)),
            GroupItem::GroupingSet(s) => out.push(FlatItem::GroupingSet(s)),
        }
    }
    out
}

/// A borrowed [`GroupItem`].
enum FlatItem<'a> {
    Expr(&'a ast::Expr),
    GroupingSet(&'a ast::GroupingSet),
}

/// How many sets the cross product of the items expands to.
fn set_count(sets: &[GroupingSet]) -> usize {
    fn one(s: &GroupingSet) -> usize {
        match s {
            GroupingSet::Empty | GroupingSet::Simple(_) => 1,
            GroupingSet::Rollup(c) => c.len() + 1,
            GroupingSet::Cube(c) => 1usize << c.len().min(20),
            GroupingSet::Sets(c) => c.iter().map(one).sum(),
        }
    }
    sets.iter().map(one).fold(1usize, usize::saturating_mul)
}

/// The sets written out, each a list of refs.
pub(crate) fn expand_sets(sets: &[GroupingSet]) -> Vec<Vec<u32>> {
    fn refs(s: &GroupingSet) -> Vec<u32> {
        if let GroupingSet::Simple(r) = s { r.clone() } else { Vec::new() }
    }
    fn one(s: &GroupingSet) -> Vec<Vec<u32>> {
        match s {
            GroupingSet::Empty => vec![Vec::new()],
            GroupingSet::Simple(r) => vec![r.clone()],
            GroupingSet::Rollup(c) => {
                (0..=c.len()).rev().map(|n| c[..n].iter().flat_map(refs).collect()).collect()
            }
            GroupingSet::Cube(c) => (0..1usize << c.len())
                .rev()
                .map(|m| {
                    c.iter().enumerate().filter(|(i, _)| m >> i & 1 == 1).flat_map(|(_, s)| refs(s)).collect()
                })
                .collect(),
            GroupingSet::Sets(c) => c.iter().flat_map(one).collect(),
        }
    }
    let mut out: Vec<Vec<u32>> = vec![Vec::new()];
    for s in sets {
        let parts = one(s);
        out = out
            .iter()
            .flat_map(|base| {
                parts.iter().map(move |p| {
                    let mut v = base.clone();
                    v.extend(p.iter().filter(|r| !base.contains(r)).copied().collect::<Vec<_>>());
                    v
                })
            })
            .collect();
    }
    out
}
