//! WINDOW definitions and OVER clauses: inheritance of named windows, frames, and in_range functions.

use crate::prelude::*;
use ast::frame;

const IN_RANGE_PROC: i16 = 3;

impl Analyzer<'_, '_> {
    /// PostgreSQL's `transformWindowDefinitions`.
    pub fn transform_windows(
        &mut self,
        defs: &[ast::WindowDef],
        list: &mut Vec<TargetEntry>,
    ) -> PgResult<Vec<WindowClause>> {
        let mut out: Vec<WindowClause> = Vec::new();
        for (i, d) in defs.iter().enumerate() {
            if let Some(n) = &d.name
                && out.iter().any(|w| w.name.as_ref() == Some(n))
            {
                return Err(err!(WINDOWING_ERROR, "window \"{n}\" is already defined").at(d.location));
            }
            let base = match &d.refname {
                Some(r) => match out.iter().find(|w| w.name.as_ref() == Some(r)) {
                    Some(w) => Some(w.clone()),
                    None => {
                        return Err(err!(UNDEFINED_OBJECT, "window \"{r}\" does not exist").at(d.location));
                    }
                },
                None => None,
            };
            let w = self.window_clause(d, base, i as u32 + 1, list)?;
            out.push(w);
        }
        Ok(out)
    }

    fn window_clause(
        &mut self,
        d: &ast::WindowDef,
        base: Option<WindowClause>,
        winref: u32,
        list: &mut Vec<TargetEntry>,
    ) -> PgResult<WindowClause> {
        let own_order = self.transform_sort(&d.order_clause, list, ExprKind::WindowOrder, true)?;
        let items: Vec<ast::GroupItem> =
            d.partition_clause.iter().cloned().map(ast::GroupItem::Expr).collect();
        let (own_partition, _) =
            self.transform_group(&items, list, &own_order, ExprKind::WindowPartition, true)?;
        let refname = d.refname.clone().unwrap_or_default();
        let (partition, order, copied_order) = match base {
            Some(b) => {
                if !own_partition.is_empty() {
                    return Err(err!(
                        WINDOWING_ERROR,
                        "cannot override PARTITION BY clause of window \"{refname}\""
                    )
                    .at(d.location));
                }
                if !b.order.is_empty() && !own_order.is_empty() {
                    return Err(err!(
                        WINDOWING_ERROR,
                        "cannot override ORDER BY clause of window \"{refname}\""
                    )
                    .at(d.location));
                }
                if b.frame.explicit {
                    let e = err!(
                        WINDOWING_ERROR,
                        "cannot copy window \"{refname}\" because it has a frame clause"
                    );
                    let plain =
                        d.name.is_some() || !own_order.is_empty() || d.frame_options & frame::NONDEFAULT != 0;
                    let e = if plain { e } else { e.hint("Omit the parentheses in this OVER clause.") };
                    return Err(e.at(d.location));
                }
                if own_order.is_empty() {
                    (b.partition, b.order, true)
                } else {
                    (b.partition, own_order, false)
                }
            }
            None => (own_partition, own_order, false),
        };
        let frame = self.window_frame(d, &order, list)?;
        Ok(WindowClause {
            name: d.name.clone(),
            refname: d.refname.clone(),
            partition,
            order,
            frame,
            winref,
            copied_order,
        })
    }

    fn window_frame(
        &mut self,
        d: &ast::WindowDef,
        order: &[SortGroupClause],
        list: &[TargetEntry],
    ) -> PgResult<Frame> {
        let bits = d.frame_options;
        let has = |b: u32| bits & b != 0;
        let mode = if has(frame::ROWS) {
            FrameMode::Rows
        } else if has(frame::GROUPS) {
            FrameMode::Groups
        } else {
            FrameMode::Range
        };
        const START_OFFSET: u32 = frame::START_OFFSET_PRECEDING | frame::START_OFFSET_FOLLOWING;
        const END_OFFSET: u32 = frame::END_OFFSET_PRECEDING | frame::END_OFFSET_FOLLOWING;
        let mut range = None;
        if mode == FrameMode::Range && has(START_OFFSET | END_OFFSET) {
            let [key] = order else {
                return Err(err!(
                    WINDOWING_ERROR,
                    "RANGE with offset PRECEDING/FOLLOWING requires exactly one ORDER BY column"
                )
                .at(d.location));
            };
            let Some((family, ty, _)) = self.cat.ordering_op(key.sort_op) else {
                return Err(PgError::internal("operator is not a valid ordering operator"));
            };
            range = Some((family, ty));
        }
        if mode == FrameMode::Groups && order.is_empty() {
            return Err(err!(WINDOWING_ERROR, "GROUPS mode requires an ORDER BY clause").at(d.location));
        }
        let (start_expr, start_in_range) = self.frame_offset(mode, range, d.start_offset.as_ref())?;
        let (end_expr, end_in_range) = self.frame_offset(mode, range, d.end_offset.as_ref())?;
        let take = |e: Option<Expr>| e.unwrap_or_else(crate::expr::null_unknown);
        let start = if has(frame::START_UNBOUNDED_PRECEDING) {
            FrameBound::UnboundedPreceding
        } else if has(frame::START_OFFSET_PRECEDING) {
            FrameBound::Preceding(take(start_expr))
        } else if has(frame::START_OFFSET_FOLLOWING) {
            FrameBound::Following(take(start_expr))
        } else if has(frame::START_UNBOUNDED_FOLLOWING) {
            FrameBound::UnboundedFollowing
        } else {
            FrameBound::CurrentRow
        };
        let end = if has(frame::END_UNBOUNDED_FOLLOWING) {
            FrameBound::UnboundedFollowing
        } else if has(frame::END_OFFSET_PRECEDING) {
            FrameBound::Preceding(take(end_expr))
        } else if has(frame::END_OFFSET_FOLLOWING) {
            FrameBound::Following(take(end_expr))
        } else if has(frame::END_UNBOUNDED_PRECEDING) {
            FrameBound::UnboundedPreceding
        } else {
            FrameBound::CurrentRow
        };
        let exclude = if has(frame::EXCLUDE_CURRENT_ROW) {
            FrameExclude::CurrentRow
        } else if has(frame::EXCLUDE_GROUP) {
            FrameExclude::Group
        } else if has(frame::EXCLUDE_TIES) {
            FrameExclude::Ties
        } else {
            FrameExclude::NoOthers
        };
        let key = order.first();
        let key_expr =
            key.and_then(|k| super::sort::target_by_ref(k.target_ref, list)).map(|i| &list[i].expr);
        Ok(Frame {
            explicit: has(frame::NONDEFAULT),
            mode,
            start,
            end,
            exclude,
            start_in_range,
            end_in_range,
            in_range_collation: key_expr.filter(|_| range.is_some()).map_or(Oid::INVALID, Expr::collation),
            in_range_asc: key.is_none_or(|k| !k.reverse),
            in_range_nulls_first: key.is_some_and(|k| k.nulls_first),
        })
    }

    /// PostgreSQL's `transformFrameOffset`.
    fn frame_offset(
        &mut self,
        mode: FrameMode,
        range: Option<(Oid, Oid)>,
        clause: Option<&ast::Expr>,
    ) -> PgResult<(Option<Expr>, Oid)> {
        let Some(c) = clause else { return Ok((None, Oid::INVALID)) };
        let (kind, name) = match mode {
            FrameMode::Rows => (ExprKind::WindowFrameRows, "ROWS"),
            FrameMode::Groups => (ExprKind::WindowFrameGroups, "GROUPS"),
            FrameMode::Range => (ExprKind::WindowFrameRange, "RANGE"),
        };
        let e = self.transform_as(c, kind)?;
        let mut func = Oid::INVALID;
        let target = match (mode, range) {
            (FrameMode::Range, Some((family, ty))) => {
                let (f, t) = self.in_range(family, ty, &e)?;
                func = f;
                t
            }
            _ => oid::INT8,
        };
        let mut e = self.coerce_to_specific(e, target, -1, name)?;
        if let Some(at) = super::local_var_location(&e) {
            return Err(
                err!(INVALID_COLUMN_REFERENCE, "argument of {name} must not contain variables").at(at)
            );
        }
        self.assign_expr_collations(&mut e)?;
        Ok((Some(e), func))
    }

    /// The in_range function for an ordering type and an offset.
    fn in_range(&self, family: Oid, ty: Oid, offset: &Expr) -> PgResult<(Oid, Oid)> {
        let node = offset.ty();
        let at = offset.location();
        let preferred = if node != oid::UNKNOWN { node } else { ty };
        let (mut all, mut matches) = (0, 0);
        let mut chosen: Option<(Oid, Oid)> = None;
        for p in self.cat.snap.amprocs_of_family(family) {
            if p.amprocnum != IN_RANGE_PROC || p.amproclefttype != ty {
                continue;
            }
            all += 1;
            if !self.cat.can_coerce(node, p.amprocrighttype, CoercionContext::Implicit) {
                continue;
            }
            matches += 1;
            if chosen.is_none_or(|(_, t)| t != preferred) {
                chosen = Some((p.amproc, p.amprocrighttype));
            }
        }
        let name = self.cat.format_type(ty);
        if all == 0 {
            return Err(err!(
                FEATURE_NOT_SUPPORTED,
                "RANGE with offset PRECEDING/FOLLOWING is not supported for column type {name}"
            )
            .at(at));
        }
        let given = self.cat.format_type(node);
        match chosen {
            None => Err(err!(
                FEATURE_NOT_SUPPORTED,
                "RANGE with offset PRECEDING/FOLLOWING is not supported for column type {name} and offset type {given}"
            )
            .hint("Cast the offset value to an appropriate type.")
            .at(at)),
            Some((_, t)) if matches != 1 && t != preferred => Err(err!(
                FEATURE_NOT_SUPPORTED,
                "RANGE with offset PRECEDING/FOLLOWING has multiple interpretations for column type {name} and offset type {given}"
            )
            .hint("Cast the offset value to the exact intended type.")
            .at(at)),
            Some(c) => Ok(c),
        }
    }
}
