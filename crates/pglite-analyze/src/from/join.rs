//! Joins: ON, USING and NATURAL, and the columns of the result.

use std::sync::Arc;

use super::{FromResult, set_lateral};
use crate::coerce::How;
use crate::prelude::*;
use crate::rtable::{alias_of, col_type, new_rte};

/// One side's columns while a join is put together.
struct Side {
    names: Vec<String>,
    columns: Vec<NsColumn>,
    used: Vec<bool>,
}

impl Side {
    fn of(item: &NsItem) -> Side {
        let live = item
            .names
            .columns
            .iter()
            .zip(item.columns.iter())
            .filter(|(_, c)| c.attno != 0 && !c.dont_expand);
        let (names, columns): (Vec<String>, Vec<NsColumn>) =
            live.map(|(n, c)| (n.clone(), c.clone())).unzip();
        let used = vec![false; names.len()];
        Side { names, columns, used }
    }

    fn find(&self, name: &str, side: &str) -> PgResult<usize> {
        let mut hits = self.names.iter().enumerate().filter(|(_, n)| *n == name);
        match (hits.next(), hits.next()) {
            (Some(_), Some(_)) => {
                bail!(
                    AMBIGUOUS_COLUMN,
                    "common column name \"{name}\" appears more than once in {side} table"
                )
            }
            (Some((i, _)), None) => Ok(i),
            _ => bail!(
                UNDEFINED_COLUMN,
                "column \"{name}\" specified in USING clause does not exist in {side} table"
            ),
        }
    }
}

impl Analyzer<'_, '_> {
    pub(super) fn transform_join(&mut self, j: &ast::JoinExpr) -> PgResult<FromResult> {
        let kind = match j.jointype {
            ast::JoinType::Inner => JoinKind::Inner,
            ast::JoinType::Left => JoinKind::Left,
            ast::JoinType::Full => JoinKind::Full,
            ast::JoinType::Right => JoinKind::Right,
        };
        let mut left = self.transform_from_item(&j.larg)?;
        let lateral_ok = matches!(kind, JoinKind::Inner | JoinKind::Left);
        set_lateral(&mut left.namespace, true, lateral_ok);
        let saved = self.cur().namespace.len();
        self.cur().namespace.extend(left.namespace.iter().cloned());
        let right = self.transform_from_item(&j.rarg)?;
        self.cur().namespace.truncate(saved);
        self.check_name_conflicts(&left.namespace, &right.namespace)?;
        let mut inner = left.namespace;
        inner.extend(right.namespace);

        let (mut l, mut r) = (Side::of(&left.ns), Side::of(&right.ns));
        let using: Vec<String> = if j.is_natural {
            l.names.iter().filter(|n| r.names.contains(n)).cloned().collect()
        } else {
            j.using_clause.clone()
        };
        let quals = match &j.quals {
            Some(q) => Some(self.transform_on(q, &mut inner)?),
            None => None,
        };
        // Why: the join's own index must be known while its columns are built.
        let join_rte = self.cur().rtable.len() as u32 + 1;
        let mut vars: Vec<Expr> = Vec::new();
        let mut columns: Vec<NsColumn> = Vec::new();
        let mut names: Vec<String> = Vec::new();
        let mut using_quals = Vec::new();
        for (i, name) in using.iter().enumerate() {
            if using[..i].contains(name) {
                bail!(DUPLICATE_COLUMN, "column name \"{name}\" appears more than once in USING clause");
            }
            let li = l.find(name, "left")?;
            let ri = r.find(name, "right")?;
            l.used[li] = true;
            r.used[ri] = true;
            let lv = self.column_var(&left.ns, &l.columns[li].clone(), 0, -1);
            let rv = self.column_var(&right.ns, &r.columns[ri].clone(), 0, -1);
            let eq = self.make_op(&["=".to_string()], Some(lv.clone()), rv.clone(), -1)?;
            using_quals.push(self.coerce_to_boolean(eq, "JOIN/USING")?);
            let merged = self.merged_var(kind, lv, rv)?;
            let column = match &merged {
                Expr::Var(v) if v.rte == l.columns[li].rte && v.attno == l.columns[li].attno => {
                    l.columns[li].clone()
                }
                Expr::Var(v) if v.rte == r.columns[ri].rte && v.attno == r.columns[ri].attno => {
                    r.columns[ri].clone()
                }
                other => {
                    let t = col_type(other);
                    let attno = vars.len() as i16 + 1;
                    NsColumn {
                        rte: join_rte,
                        attno,
                        ty: t.ty,
                        typmod: t.typmod,
                        collation: t.collation,
                        syn_rte: join_rte,
                        syn_attno: attno,
                        dont_expand: false,
                    }
                }
            };
            vars.push(merged);
            columns.push(column);
            names.push(name.clone());
        }
        let merged_cols = vars.len();
        for (side, item) in [(&l, &left.ns), (&r, &right.ns)] {
            for i in 0..side.names.len() {
                if !side.used[i] {
                    let c = side.columns[i].clone();
                    vars.push(raw_var(&c, item));
                    columns.push(c);
                    names.push(side.names[i].clone());
                }
            }
        }
        let quals = match quals {
            Some(q) => Some(q),
            None if !using_quals.is_empty() => Some(match using_quals.len() {
                1 => using_quals.swap_remove(0),
                _ => Expr::Bool { op: BoolOp::And, args: using_quals, location: -1 },
            }),
            None => None,
        };
        self.finish_join(j, kind, left.item, right.item, quals, vars, columns, names, merged_cols, inner)
    }

    #[allow(clippy::too_many_arguments)]
    fn finish_join(
        &mut self,
        j: &ast::JoinExpr,
        kind: JoinKind,
        left: FromItem,
        right: FromItem,
        quals: Option<Expr>,
        vars: Vec<Expr>,
        mut columns: Vec<NsColumn>,
        names: Vec<String>,
        merged_cols: usize,
        mut inner: Vec<NsItem>,
    ) -> PgResult<FromResult> {
        if vars.len() > 1600 {
            bail!(PROGRAM_LIMIT_EXCEEDED, "joins can have at most 32767 columns");
        }
        let alias = j.alias.as_ref().map(alias_of);
        let eref =
            crate::rtable::column_aliases("unnamed_join", alias.as_ref(), names, |name, have, given| {
                err!(
                    INVALID_COLUMN_REFERENCE,
                    "join expression \"{name}\" has {have} columns available but {given} columns specified"
                )
            })?;
        let using_alias = j
            .join_using_alias
            .as_ref()
            .map(|a| Alias { name: a.aliasname.clone(), columns: eref.columns[..merged_cols].to_vec() });
        let rte = new_rte(
            RteKind::Join { kind, vars, merged_cols: merged_cols as u32, using_alias: using_alias.clone() },
            alias,
            eref.clone(),
            false,
            true,
        );
        let index = self.add_rte(rte);
        for (i, c) in columns.iter_mut().enumerate() {
            c.syn_rte = index;
            c.syn_attno = i as i16 + 1;
        }
        let columns = Arc::new(columns);
        let ns = NsItem {
            rte: index,
            names: Arc::new(eref),
            columns: columns.clone(),
            rel_visible: j.alias.is_some(),
            cols_visible: true,
            lateral_only: false,
            lateral_ok: true,
            returning: VarReturning::Default,
        };
        if j.alias.is_some() {
            inner.clear();
        }
        for i in &mut inner {
            i.cols_visible = false;
        }
        if let Some(a) = using_alias {
            let item = NsItem {
                rte: index,
                names: Arc::new(a),
                columns: Arc::new(columns[..merged_cols].to_vec()),
                rel_visible: true,
                cols_visible: false,
                ..ns.clone()
            };
            self.check_name_conflicts(std::slice::from_ref(&item), &inner)?;
            inner.push(item);
        }
        set_lateral(&mut inner, false, true);
        let mut namespace = inner;
        namespace.push(ns.clone());
        let join = JoinExpr { kind, left, right, quals, rte: index };
        Ok(FromResult { item: FromItem::Join(Box::new(join)), ns, namespace })
    }

    /// ON sees exactly the two sides (and outer levels).
    fn transform_on(&mut self, quals: &ast::Expr, inner: &mut [NsItem]) -> PgResult<Expr> {
        set_lateral(inner, false, true);
        let saved = std::mem::replace(&mut self.cur().namespace, inner.to_vec());
        let result = self.transform_boolean(quals, ExprKind::JoinOn, "JOIN/ON");
        self.cur().namespace = saved;
        result
    }

    /// The merged column of USING (`buildMergedJoinVar`).
    fn merged_var(&mut self, kind: JoinKind, l: Expr, r: Expr) -> PgResult<Expr> {
        let ty = self.select_common_type(&[&l, &r], "JOIN/USING")?;
        let typmod = self.common_typmod(&[&l, &r], ty);
        let mut fit = |e: Expr| -> PgResult<Expr> {
            if e.ty() != ty {
                return self.coerce_type(e, ty, typmod, How::IMPLICIT);
            }
            if e.typmod() != typmod {
                let c = e.collation();
                return Ok(crate::coerce::relabel(e, ty, typmod, c, CoercionForm::ImplicitCast, -1));
            }
            Ok(e)
        };
        let (l, r) = (fit(l)?, fit(r)?);
        let is_var = |e: &Expr| matches!(e, Expr::Var(_));
        let mut merged = match kind {
            JoinKind::Left => l,
            JoinKind::Right => r,
            JoinKind::Full => Expr::Coalesce { args: vec![l, r], ty, collation: Oid::INVALID, location: -1 },
            _ if !is_var(&l) && is_var(&r) => r,
            _ => l,
        };
        self.assign_expr_collations(&mut merged)?;
        Ok(merged)
    }
}

/// The Var of a column without marking it as read.
pub(crate) fn raw_var(c: &NsColumn, item: &NsItem) -> Expr {
    Expr::Var(Var {
        rte: c.rte,
        attno: c.attno,
        levels_up: 0,
        ty: c.ty,
        typmod: c.typmod,
        collation: c.collation,
        returning: item.returning,
        syn_rte: c.syn_rte,
        syn_attno: c.syn_attno,
        location: -1,
    })
}
