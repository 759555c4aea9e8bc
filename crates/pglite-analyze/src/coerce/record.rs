//! Casting an anonymous row to a named composite type.

use super::How;
use crate::prelude::*;

impl Analyzer<'_, '_> {
    /// PostgreSQL's `coerce_record_to_complex`.
    pub(super) fn coerce_record(&mut self, expr: Expr, target: Oid, how: How) -> PgResult<Expr> {
        let err_at = if how.location >= 0 { how.location } else { expr.location() };
        let args = match expr {
            Expr::Row { args, .. } => args,
            Expr::Var(ref v) if v.attno == 0 => {
                let v = v.clone();
                self.whole_row_columns(&v)
            }
            other => return Err(self.cannot_cast(oid::RECORD, target, how.location, &other)),
        };
        let (base, base_mod) = self.cat.base_type_mod(target, -1);
        let Some(rel) = self.cat.relation(self.cat.type_relid(base)) else {
            return Err(PgError::internal(format!("composite type {base} has no relation")));
        };
        let fail = |a: &Self| {
            err!(
                CANNOT_COERCE,
                "cannot cast type {} to {}",
                a.cat.format_type(oid::RECORD),
                a.cat.format_type(target)
            )
            .at(err_at)
        };
        let mut given = args.into_iter();
        let mut out = Vec::new();
        let mut ucol = 0;
        for att in self.cat.all_atts(&rel) {
            if att.dropped {
                out.push(Expr::null(oid::INT4));
                continue;
            }
            ucol += 1;
            let Some(arg) = given.next() else {
                return Err(fail(self).detail("Input has too few columns."));
            };
            let arg_type = arg.ty();
            let arg_at = arg.location();
            match self.coerce_to_target(arg, att.ty, att.typmod, how)? {
                Ok(e) => out.push(e),
                Err(_) => {
                    let detail = format!(
                        "Cannot cast type {} to {} in column {ucol}.",
                        self.cat.format_type(arg_type),
                        self.cat.format_type(att.ty)
                    );
                    return Err(fail(self).detail(detail).at(if arg_at >= 0 { arg_at } else { err_at }));
                }
            }
        }
        if given.next().is_some() {
            return Err(fail(self).detail("Input has too many columns."));
        }
        let row =
            Expr::Row { args: out, ty: base, names: Vec::new(), form: how.form, location: how.location };
        if base == target {
            return Ok(row);
        }
        let mut row = row;
        super::build::hide_coercion(&mut row);
        self.coerce_to_domain(row, base, base_mod, target, how, false)
    }

    /// The columns of a whole-row variable, as Vars.
    fn whole_row_columns(&mut self, v: &Var) -> Vec<Expr> {
        let Some(item) = self
            .level(v.levels_up)
            .namespace
            .iter()
            .find(|n| n.rte == v.rte && n.returning == v.returning)
            .cloned()
        else {
            return Vec::new();
        };
        item.columns
            .iter()
            .zip(&item.names.columns)
            .filter(|(c, _)| !c.dont_expand && c.attno != 0)
            .map(|(c, _)| self.column_var(&item, c, v.levels_up, v.location))
            .collect()
    }
}
