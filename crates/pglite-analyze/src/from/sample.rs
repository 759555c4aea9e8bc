//! TABLESAMPLE.

use super::FromResult;
use crate::func::{LookupOptions, split_name};
use crate::prelude::*;

impl Analyzer<'_, '_> {
    pub(super) fn transform_table_sample(&mut self, s: &ast::RangeTableSample) -> PgResult<FromResult> {
        let result = self.transform_from_item(&s.relation)?;
        let ok = matches!(
            &self.rte(result.ns.rte, 0).kind,
            RteKind::Relation { rel, .. } if matches!(rel.kind, b'r' | b'm' | b'p')
        );
        if !ok {
            let at = match &s.relation {
                ast::FromItem::RangeVar(rv) => rv.location,
                _ => -1,
            };
            return Err(err!(
                FEATURE_NOT_SUPPORTED,
                "TABLESAMPLE clause can only be applied to tables and materialized views"
            )
            .at(at));
        }
        let name = split_name(self.env, &s.method).map_err(|e| e.at_if_unset(s.location))?;
        let opts = LookupOptions { expand_variadic: false, expand_defaults: false, include_out: false };
        let handler = self
            .cat
            .func_candidates(&name, Some(1), &[], opts)?
            .into_iter()
            .find(|c| c.args == [oid::INTERNAL])
            .map(|c| c.oid);
        let Some(method) = handler else {
            return Err(err!(UNDEFINED_OBJECT, "tablesample method {} does not exist", name_list(&s.method))
                .at(s.location));
        };
        if self.cat.proc(method)?.prorettype != oid::TSM_HANDLER {
            return Err(err!(
                WRONG_OBJECT_TYPE,
                "function {} must return type tsm_handler",
                name_list(&s.method)
            )
            .at(s.location));
        }
        if s.args.len() != 1 {
            return Err(err!(
                INVALID_TABLESAMPLE_ARGUMENT,
                "tablesample method {} requires 1 argument, not {}",
                name_list(&s.method),
                s.args.len()
            )
            .at(s.location));
        }
        let arg_type = oid::FLOAT4;
        let mut args = Vec::new();
        for a in &s.args {
            let e = self.transform_as(a, ExprKind::FromFunction)?;
            let mut e = self.coerce_to_specific(e, arg_type, -1, "TABLESAMPLE")?;
            self.assign_expr_collations(&mut e)?;
            args.push(e);
        }
        let repeatable = match &s.repeatable {
            Some(r) => {
                let e = self.transform_as(r, ExprKind::FromFunction)?;
                let mut e = self.coerce_to_specific(e, oid::FLOAT8, -1, "REPEATABLE")?;
                self.assign_expr_collations(&mut e)?;
                Some(e)
            }
            None => None,
        };
        if let RteKind::Relation { sample, .. } = &mut self.rte_mut(result.ns.rte, 0).kind {
            *sample = Some(Box::new(TableSample { method, args, repeatable }));
        }
        Ok(result)
    }
}
