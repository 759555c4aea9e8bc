//! SQL/JSON constructors, predicates and query functions.

use crate::prelude::*;

fn later(what: &str, location: i32) -> PgError {
    PgError::unsupported(format!("{what} is not supported yet")).at(location)
}

impl Analyzer<'_, '_> {
    pub(crate) fn transform_json_object(&mut self, j: &ast::JsonObjectConstructor) -> PgResult<Expr> {
        Err(later("JSON_OBJECT", j.location))
    }
    pub(crate) fn transform_json_array(&mut self, j: &ast::JsonArrayConstructor) -> PgResult<Expr> {
        Err(later("JSON_ARRAY", j.location))
    }
    pub(crate) fn transform_json_array_query(
        &mut self,
        j: &ast::JsonArrayQueryConstructor,
    ) -> PgResult<Expr> {
        Err(later("JSON_ARRAY", j.location))
    }
    pub(crate) fn transform_json_object_agg(&mut self, j: &ast::JsonObjectAgg) -> PgResult<Expr> {
        Err(later("JSON_OBJECTAGG", j.constructor.location))
    }
    pub(crate) fn transform_json_array_agg(&mut self, j: &ast::JsonArrayAgg) -> PgResult<Expr> {
        Err(later("JSON_ARRAYAGG", j.constructor.location))
    }
    pub(crate) fn transform_json_func(&mut self, j: &ast::JsonFuncExpr) -> PgResult<Expr> {
        Err(later("this SQL/JSON query function", j.location))
    }
    pub(crate) fn transform_json_parse(&mut self, j: &ast::JsonParseExpr) -> PgResult<Expr> {
        Err(later("JSON()", j.location))
    }
    pub(crate) fn transform_json_scalar(&mut self, j: &ast::JsonScalarExpr) -> PgResult<Expr> {
        Err(later("JSON_SCALAR", j.location))
    }
    pub(crate) fn transform_json_serialize(&mut self, j: &ast::JsonSerializeExpr) -> PgResult<Expr> {
        Err(later("JSON_SERIALIZE", j.location))
    }
    pub(crate) fn transform_json_is(&mut self, j: &ast::JsonIsPredicate) -> PgResult<Expr> {
        Err(later("IS JSON", j.location))
    }
    pub(crate) fn transform_json_table(&mut self, t: &ast::JsonTable) -> PgResult<NsItem> {
        Err(later("JSON_TABLE", t.location))
    }
}
