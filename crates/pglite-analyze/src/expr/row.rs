//! Row constructors and row-wise comparison.

use super::operator::join_bool;
use crate::cat::BTREE_AM;
use crate::coerce::returns_set;
use crate::prelude::*;

/// PostgreSQL's MaxTupleAttributeNumber.
const MAX_ROW_ENTRIES: usize = 1664;

/// How a row comparison operator orders.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Sense {
    Lt,
    Le,
    Eq,
    Ge,
    Gt,
    Ne,
}

impl Analyzer<'_, '_> {
    pub(crate) fn transform_row(&mut self, r: &ast::RowExpr, allow_default: bool) -> PgResult<Expr> {
        let kind = self.cur().kind;
        let args = self.transform_expr_list(&r.args, kind, allow_default)?;
        if args.len() > MAX_ROW_ENTRIES {
            return Err(err!(TOO_MANY_COLUMNS, "ROW expressions can have at most {MAX_ROW_ENTRIES} entries")
                .at(r.location));
        }
        let names = (1..=args.len()).map(|i| format!("f{i}")).collect();
        Ok(Expr::Row {
            args,
            ty: oid::RECORD,
            names,
            form: crate::call::form_of(r.row_format),
            location: r.location,
        })
    }

    /// PostgreSQL's `make_row_comparison_op`.
    pub fn row_comparison(
        &mut self,
        names: &[String],
        left: Vec<Expr>,
        right: Vec<Expr>,
        location: i32,
    ) -> PgResult<Expr> {
        if left.len() != right.len() {
            return Err(err!(SYNTAX_ERROR, "unequal number of entries in row expressions").at(location));
        }
        if left.is_empty() {
            return Err(err!(FEATURE_NOT_SUPPORTED, "cannot compare rows of zero length").at(location));
        }
        let mut ops = Vec::with_capacity(left.len());
        for (l, r) in left.into_iter().zip(right) {
            let Expr::Op(o) = self.make_op(names, Some(l), r, location)? else {
                return Err(PgError::internal("row comparison is not an operator"));
            };
            if o.ty != oid::BOOL {
                let ty = self.cat.format_type(o.ty);
                return Err(err!(
                    DATATYPE_MISMATCH,
                    "row comparison operator must yield type boolean, not type {ty}"
                )
                .at(location));
            }
            if returns_set(&Expr::Op(o.clone())) {
                return Err(
                    err!(DATATYPE_MISMATCH, "row comparison operator must not return a set").at(location)
                );
            }
            ops.push(o);
        }
        if ops.len() == 1 {
            return Ok(Expr::Op(ops.swap_remove(0)));
        }
        let meanings: Vec<Vec<(Oid, Sense)>> = ops.iter().map(|o| self.interpretations(o.op)).collect();
        let sense = meanings[0]
            .iter()
            .map(|(_, s)| *s)
            .filter(|s| meanings.iter().all(|m| m.iter().any(|(_, x)| x == s)))
            .min();
        let unclear = || {
            err!(
                FEATURE_NOT_SUPPORTED,
                "could not determine interpretation of row comparison operator {}",
                names.last().map_or("", String::as_str)
            )
        };
        let Some(sense) = sense else {
            return Err(unclear()
                .hint("Row comparison operators must be associated with btree operator families.")
                .at(location));
        };
        let kind = match sense {
            Sense::Eq => {
                return Ok(join_bool(BoolOp::And, ops.into_iter().map(Expr::Op).collect(), location));
            }
            Sense::Ne => return Ok(join_bool(BoolOp::Or, ops.into_iter().map(Expr::Op).collect(), location)),
            Sense::Lt => RowCompareKind::Lt,
            Sense::Le => RowCompareKind::Le,
            Sense::Ge => RowCompareKind::Ge,
            Sense::Gt => RowCompareKind::Gt,
        };
        let mut families = Vec::with_capacity(ops.len());
        for m in &meanings {
            match m.iter().find(|(_, s)| *s == sense) {
                Some((f, _)) => families.push(*f),
                None => {
                    return Err(unclear()
                        .detail("There are multiple equally-plausible candidates.")
                        .at(location));
                }
            }
        }
        let op_oids = ops.iter().map(|o| o.op).collect();
        let (mut l, mut r) = (Vec::new(), Vec::new());
        for mut o in ops {
            r.extend(o.args.pop());
            l.extend(o.args.pop());
        }
        let n = l.len();
        Ok(Expr::RowCompare(Box::new(RowCompareExpr {
            kind,
            ops: op_oids,
            families,
            input_collations: vec![Oid::INVALID; n],
            left: l,
            right: r,
        })))
    }

    /// The btree meanings of an operator: family and order; `<>` through its negator.
    fn interpretations(&self, op: Oid) -> Vec<(Oid, Sense)> {
        let mut out: Vec<(Oid, Sense)> = Vec::new();
        for row in self.cat.operator_families(op).filter(|r| r.amopmethod == BTREE_AM) {
            let sense = match row.amopstrategy {
                1 => Sense::Lt,
                2 => Sense::Le,
                3 => Sense::Eq,
                4 => Sense::Ge,
                5 => Sense::Gt,
                _ => continue,
            };
            out.push((row.amopfamily, sense));
        }
        if out.is_empty()
            && let Ok(row) = self.cat.oper(op)
            && row.oprnegate.is_valid()
        {
            for amop in self.cat.operator_families(row.oprnegate) {
                if amop.amopmethod == BTREE_AM && amop.amopstrategy == 3 {
                    out.push((amop.amopfamily, Sense::Ne));
                }
            }
        }
        out
    }
}
