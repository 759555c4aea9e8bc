//! UPDATE and its target list.

use crate::prelude::*;

impl Analyzer<'_, '_> {
    pub(super) fn transform_update(&mut self, s: &ast::UpdateStmt) -> PgResult<Query> {
        let mut q = Query::new(CommandType::Update);
        if let Some(w) = &s.with_clause {
            q.recursive = w.recursive;
            self.transform_with(w)?;
        }
        q.result_relation = self.set_target(&s.relation, s.relation.inh, true, crate::ACL_UPDATE)?;
        self.hide_target(true);
        self.transform_from(&s.from_clause)?;
        self.hide_target(false);
        let quals = match &s.where_clause {
            Some(w) => Some(self.transform_boolean(w, ExprKind::Where, "WHERE")?),
            None => None,
        };
        self.transform_returning(&mut q, s.returning_clause.as_ref(), ExprKind::Returning)?;
        q.targets = self.transform_update_targets(&s.target_list, q.result_relation)?;
        q.jointree = JoinTree { from: std::mem::take(&mut self.cur().joinlist), quals };
        self.finish_query(&mut q);
        self.assign_query_collations(&mut q)?;
        self.check_aggregates(&mut q)?;
        Ok(q)
    }

    /// PostgreSQL's `transformUpdateTargetList`, for UPDATE, ON CONFLICT DO UPDATE and MERGE.
    pub(super) fn transform_update_targets(
        &mut self,
        list: &[ast::ResTarget],
        target_rte: u32,
    ) -> PgResult<Vec<TargetEntry>> {
        let Some(rel) = self.cur().target_rel.clone() else {
            return Err(PgError::internal("no target relation"));
        };
        let mut out = Vec::with_capacity(list.len());
        let mut sources = Vec::with_capacity(list.len());
        for t in list {
            let Some(val) = &t.val else { return Err(PgError::internal("SET without a value")) };
            sources.push(match val {
                ast::Expr::SetToDefault(d) => Expr::SetToDefault {
                    ty: oid::UNKNOWN,
                    typmod: -1,
                    collation: Oid::INVALID,
                    location: d.location,
                },
                other => self.transform_as(other, ExprKind::UpdateSource)?,
            });
        }
        for (t, e) in list.iter().zip(sources) {
            let name = t.name.as_deref().unwrap_or("");
            let attno = match rel.column(name) {
                Some(c) => c.attnum,
                None if crate::names::system_column(name).is_some() => {
                    return Err(err!(FEATURE_NOT_SUPPORTED, "cannot assign to system column \"{name}\"")
                        .at(t.location));
                }
                None => {
                    let e = err!(
                        UNDEFINED_COLUMN,
                        "column \"{name}\" of relation \"{}\" does not exist",
                        rel.name
                    )
                    .at(t.location);
                    let qualified = !t.indirection.is_empty()
                        && self.cur().target_ns.as_ref().is_some_and(|n| n.names.name == name);
                    return Err(if qualified {
                        e.hint("SET target columns cannot be qualified with the relation name.")
                    } else {
                        e
                    });
                }
            };
            let e =
                self.transform_assigned(e, ExprKind::UpdateTarget, name, attno, &t.indirection, t.location)?;
            out.push(TargetEntry::new(e, attno, Some(name.to_string())));
            let perms = &mut self.rte_mut(target_rte, 0).perms;
            if !perms.updated.contains(&attno) {
                perms.updated.push(attno);
            }
        }
        for link in std::mem::take(&mut self.cur().multi_links) {
            let resno = rel.columns.len() as i16 + out.iter().filter(|t| t.junk).count() as i16 + 1;
            let mut t = TargetEntry::new(Expr::SubLink(Box::new(link)), resno, None);
            t.junk = true;
            out.push(t);
        }
        Ok(out)
    }
}
