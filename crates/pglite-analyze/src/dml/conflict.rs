//! ON CONFLICT: the arbiter and the DO UPDATE action.

use pglite_catalog::{IndexDesc, RelDesc};

use crate::prelude::*;
use crate::rtable::lock;

impl Analyzer<'_, '_> {
    pub(super) fn transform_on_conflict(&mut self, c: &ast::OnConflictClause) -> PgResult<OnConflict> {
        let update = c.action == ast::OnConflictAction::Update;
        let Some(rel) = self.cur().target_rel.clone() else {
            return Err(PgError::internal("no target relation"));
        };
        if update && c.infer.is_none() {
            return Err(err!(
                SYNTAX_ERROR,
                "ON CONFLICT DO UPDATE requires inference specification or constraint name"
            )
            .hint("For example, ON CONFLICT (column_name).")
            .at(c.location));
        }
        if rel.is_catalog {
            return Err(err!(
                FEATURE_NOT_SUPPORTED,
                "ON CONFLICT is not supported with system catalog tables"
            )
            .at(c.location));
        }
        let mut out = OnConflict {
            update,
            arbiter_elems: Vec::new(),
            arbiter_where: None,
            constraint: Oid::INVALID,
            arbiter_indexes: Vec::new(),
            set: Vec::new(),
            where_: None,
            excluded_rte: 0,
        };
        let target_rte = self.cur().target_ns.as_ref().map_or(0, |t| t.rte);
        if update {
            let alias = Alias { name: "excluded".into(), columns: Vec::new() };
            let item = self.add_relation(rel.clone(), Some(alias), false, false, lock::ROW_EXCLUSIVE)?;
            self.rte_mut(item.rte, 0).perms = PermInfo::default();
            out.excluded_rte = item.rte;
            // the arbiter sees the target only
            self.bind_arbiter(c, &rel, &mut out)?;
            let saved = self.cur().namespace.len();
            self.add_namespace(item);
            self.cur().is_insert = false;
            out.set = self.transform_update_targets(&c.target_list, target_rte)?;
            out.where_ = match &c.where_clause {
                Some(w) => Some(self.transform_boolean(w, ExprKind::Where, "WHERE")?),
                None => None,
            };
            self.cur().is_insert = true;
            self.cur().namespace.truncate(saved);
            self.rte_mut(out.excluded_rte, 0).perms = PermInfo::default();
            self.assign_list_collations(out.set.iter_mut().map(|t| &mut t.expr))?;
            self.assign_list_collations(&mut out.where_)?;
        } else {
            self.bind_arbiter(c, &rel, &mut out)?;
        }
        Ok(out)
    }

    /// PostgreSQL's `transformOnConflictArbiter` and `infer_arbiter_indexes`.
    fn bind_arbiter(
        &mut self,
        c: &ast::OnConflictClause,
        rel: &RelDesc,
        out: &mut OnConflict,
    ) -> PgResult<()> {
        let Some(infer) = &c.infer else { return Ok(()) };
        if let Some(name) = &infer.conname {
            let Some(con) =
                rel.constraints.iter().find(|k| *k.conname == **name && k.contypid == Oid::INVALID)
            else {
                return Err(err!(
                    UNDEFINED_OBJECT,
                    "constraint \"{name}\" for table \"{}\" does not exist",
                    rel.name
                ));
            };
            out.constraint = con.oid;
            let index = rel.indexes.iter().find(|i| i.oid == con.conindid);
            let usable = index.is_some_and(|i| i.unique || (i.exclusion && !out.update));
            if !usable {
                let msg = match index {
                    Some(i) if i.exclusion => {
                        "ON CONFLICT DO UPDATE not supported with exclusion constraints"
                    }
                    _ => "constraint in ON CONFLICT clause has no associated index",
                };
                bail!(WRONG_OBJECT_TYPE, "{msg}");
            }
            if con.condeferrable {
                bail!(
                    OBJECT_NOT_IN_PREREQUISITE_STATE,
                    "ON CONFLICT does not support deferrable unique constraints/exclusion constraints as arbiters"
                );
            }
            out.arbiter_indexes = index.map(|i| i.oid).into_iter().collect();
            return Ok(());
        }
        for e in &infer.index_elems {
            out.arbiter_elems.push(self.infer_elem(e, infer.location)?);
        }
        out.arbiter_where = match &infer.where_clause {
            Some(w) => {
                let mut e = self.transform_boolean(w, ExprKind::IndexPredicate, "WHERE")?;
                self.assign_expr_collations(&mut e)?;
                Some(e)
            }
            None => None,
        };
        Ok(())
    }

    fn infer_elem(&mut self, e: &ast::IndexElem, location: i32) -> PgResult<InferElem> {
        if e.ordering != ast::SortByDir::Default {
            return Err(err!(INVALID_COLUMN_REFERENCE, "ASC/DESC is not allowed in ON CONFLICT clause")
                .at(e.location));
        }
        if e.nulls_ordering != ast::SortByNulls::Default {
            return Err(err!(
                INVALID_COLUMN_REFERENCE,
                "NULLS FIRST/LAST is not allowed in ON CONFLICT clause"
            )
            .at(e.location));
        }
        let mut expr = match (&e.name, &e.expr) {
            (Some(n), _) => {
                let c = ast::ColumnRef { fields: vec![ast::Field::Name(n.clone())], location };
                self.transform_as(&ast::Expr::ColumnRef(Box::new(c)), ExprKind::IndexExpression)?
            }
            (None, Some(x)) => self.transform_as(x, ExprKind::IndexExpression)?,
            (None, None) => return Err(PgError::internal("empty inference element")),
        };
        self.assign_expr_collations(&mut expr)?;
        let collation = if e.collation.is_empty() {
            Oid::INVALID
        } else {
            self.lookup_collation(&e.collation, e.location)?
        };
        let opclass = if e.opclass.is_empty() {
            Oid::INVALID
        } else {
            let name = crate::func::split_name(self.env, &e.opclass)?;
            self.cat
                .path
                .opclass(self.cat.snap, crate::cat::BTREE_AM, name.schema, name.name)
                .map_err(|x| x.at_if_unset(e.location))?
                .oid
        };
        Ok(InferElem { expr, collation, opclass })
    }

    /// The unique indexes whose columns are exactly those named.
    ///
    /// The rewriter calls this: PostgreSQL looks for arbiters when it plans, after all other errors.
    pub(crate) fn choose_arbiters(
        &mut self,
        rel: &std::sync::Arc<RelDesc>,
        out: &mut OnConflict,
    ) -> PgResult<()> {
        let mut attrs: Vec<i16> = Vec::new();
        let mut exprs: Vec<Expr> = Vec::new();
        for e in &out.arbiter_elems {
            match &e.expr {
                Expr::Var(v) if v.attno == 0 => {
                    bail!(
                        FEATURE_NOT_SUPPORTED,
                        "whole row unique index inference specifications are not supported"
                    )
                }
                Expr::Var(v) => attrs.push(v.attno),
                other => exprs.push(other.clone()),
            }
        }
        attrs.sort_unstable();
        attrs.dedup();
        let mut found = Vec::new();
        for index in &rel.indexes {
            if !index.unique || !index.valid || !index.immediate {
                continue;
            }
            let mut keys: Vec<i16> =
                index.key_columns().iter().filter(|k| k.attnum != 0).map(|k| k.attnum).collect();
            keys.sort_unstable();
            keys.dedup();
            if keys != attrs || !self.index_exprs_match(rel, index, &exprs, out)? {
                continue;
            }
            found.push(index.oid);
        }
        if found.is_empty() {
            bail!(
                INVALID_COLUMN_REFERENCE,
                "there is no unique or exclusion constraint matching the ON CONFLICT specification"
            );
        }
        out.arbiter_indexes = found;
        Ok(())
    }

    fn index_exprs_match(
        &mut self,
        rel: &std::sync::Arc<RelDesc>,
        index: &IndexDesc,
        exprs: &[Expr],
        out: &OnConflict,
    ) -> PgResult<bool> {
        for e in &out.arbiter_elems {
            let key = match &e.expr {
                Expr::Var(v) => index.key_columns().iter().find(|k| k.attnum == v.attno),
                _ => None,
            };
            if let Some(k) = key
                && ((e.collation.is_valid() && e.collation != k.collation)
                    || (e.opclass.is_valid() && e.opclass != k.opclass))
            {
                return Ok(false);
            }
        }
        let mut index_exprs = Vec::new();
        let levels = std::mem::take(&mut self.levels);
        self.push();
        let scope = self.add_relation(rel.clone(), None, false, true, lock::ROW_EXCLUSIVE);
        if let Ok(item) = scope {
            self.add_namespace(item);
        }
        let result = self.match_index_exprs(index, exprs, out, &mut index_exprs);
        self.levels = levels;
        result
    }

    fn match_index_exprs(
        &mut self,
        index: &IndexDesc,
        exprs: &[Expr],
        out: &OnConflict,
        index_exprs: &mut Vec<Expr>,
    ) -> PgResult<bool> {
        for k in index.key_columns().iter().filter(|k| k.attnum == 0) {
            let text = k.expr.as_ref().map(|s| s.to_string()).unwrap_or_default();
            index_exprs.push(self.stored_expression(&text, ExprKind::IndexExpression)?);
        }
        let all = exprs.iter().all(|e| index_exprs.iter().any(|x| crate::equal::equal(e, x)))
            && index_exprs.iter().all(|x| exprs.iter().any(|e| crate::equal::equal(e, x)));
        if !all {
            return Ok(false);
        }
        let Some(p) = &index.predicate else { return Ok(true) };
        let Some(given) = &out.arbiter_where else { return Ok(false) };
        let predicate = self.stored_expression(p, ExprKind::IndexPredicate)?;
        let parts = |e: &Expr| match e {
            Expr::Bool { op: BoolOp::And, args, .. } => args.clone(),
            other => vec![other.clone()],
        };
        let given = parts(given);
        Ok(parts(&predicate).iter().all(|p| given.iter().any(|g| crate::equal::equal(p, g))))
    }
}
