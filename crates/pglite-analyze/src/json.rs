//! SQL/JSON: constructors, aggregates, IS JSON, and the query functions (`json/query.rs`).

mod query;

use crate::coerce::How;
use crate::prelude::*;

/// What a SQL/JSON function returns.
#[derive(Clone, Copy)]
pub(crate) struct Returning {
    pub ty: Oid,
    pub typmod: i32,
}

impl Analyzer<'_, '_> {
    /// RETURNING, or the function's default type.
    pub(super) fn json_output(
        &mut self,
        output: Option<&ast::JsonOutput>,
        default: Oid,
    ) -> PgResult<Returning> {
        let Some(o) = output else { return Ok(Returning { ty: default, typmod: -1 }) };
        if o.type_name.names.is_empty() {
            return Ok(Returning { ty: default, typmod: -1 });
        }
        if o.type_name.setof {
            return Err(err!(
                FEATURE_NOT_SUPPORTED,
                "returning SETOF types is not supported in SQL/JSON functions"
            )
            .at(o.type_name.location));
        }
        let (ty, typmod) = self.resolve_type(&o.type_name)?;
        if self.cat.typtype(ty) == b'p' {
            return Err(err!(
                FEATURE_NOT_SUPPORTED,
                "returning pseudo-types is not supported in SQL/JSON functions"
            )
            .at(o.type_name.location));
        }
        self.check_output_format(&o.format, ty)?;
        Ok(Returning { ty, typmod })
    }

    fn check_output_format(&self, f: &ast::JsonFormat, ty: Oid) -> PgResult<()> {
        if f.format_type == ast::JsonFormatType::Default {
            return Ok(());
        }
        let is_text = self.cat.category(ty).0 == b'S';
        if !is_text && !matches!(ty, oid::JSON | oid::JSONB | oid::BYTEA) {
            return Err(err!(FEATURE_NOT_SUPPORTED, "cannot use JSON format with non-string output types")
                .at(f.location));
        }
        if f.encoding != ast::JsonEncoding::Default {
            if ty != oid::BYTEA {
                return Err(err!(
                    FEATURE_NOT_SUPPORTED,
                    "cannot set JSON encoding for non-bytea output types"
                )
                .at(f.location));
            }
            if f.encoding != ast::JsonEncoding::Utf8 {
                return Err(err!(FEATURE_NOT_SUPPORTED, "unsupported JSON encoding")
                    .hint("Only UTF8 JSON encoding is supported.")
                    .at(f.location));
            }
        }
        Ok(())
    }

    /// A value with its FORMAT clause; `target` (json or jsonb) asks for JSON whatever the value is.
    pub(super) fn json_value(&mut self, v: &ast::JsonValueExpr, target: Option<Oid>) -> PgResult<Expr> {
        let e = self.transform_expr(&v.raw_expr)?;
        let ty = e.ty();
        let at = e.location();
        let is_text = ty == oid::UNKNOWN || self.cat.category(ty).0 == b'S';
        let formatted = v.format.format_type != ast::JsonFormatType::Default;
        if formatted {
            if v.format.encoding != ast::JsonEncoding::Default && ty != oid::BYTEA {
                return Err(err!(
                    DATATYPE_MISMATCH,
                    "JSON ENCODING clause is only allowed for bytea input type"
                )
                .at(v.format.location));
            }
            if !is_text && !matches!(ty, oid::JSON | oid::JSONB | oid::BYTEA) {
                return Err(err!(
                    DATATYPE_MISMATCH,
                    "cannot use non-string types with explicit FORMAT JSON clause"
                )
                .at(if v.format.location >= 0 { v.format.location } else { at }));
            }
        }
        let want = match target {
            Some(t) => t,
            None if formatted && !matches!(ty, oid::JSON | oid::JSONB) => oid::JSON,
            None => return Ok(e),
        };
        if ty == want {
            return Ok(e);
        }
        if target.is_some() && !is_text && !matches!(ty, oid::JSON | oid::JSONB | oid::BYTEA) {
            return Err(err!(
                DATATYPE_MISMATCH,
                "cannot use non-string types with implicit FORMAT JSON clause"
            )
            .at(at));
        }
        self.json_cast(e, want, -1, at)
    }

    /// An explicit cast that is printed as nothing.
    pub(super) fn json_cast(&mut self, e: Expr, ty: Oid, typmod: i32, location: i32) -> PgResult<Expr> {
        let input = e.ty();
        if input == ty && typmod < 0 {
            return Ok(e);
        }
        if self.cat.base_type(ty) == oid::BYTEA && matches!(input, oid::JSON | oid::JSONB) {
            return self.json_to_bytea(e, location);
        }
        let how = How { context: CoercionContext::Explicit, form: CoercionForm::ImplicitCast, location };
        match self.coerce_to_target(e, ty, typmod, how)? {
            Ok(e) => Ok(e),
            Err(e) => Err(self.cannot_cast(input, ty, location, &e)),
        }
    }

    /// JSON as bytes in the server's encoding.
    fn json_to_bytea(&mut self, e: Expr, location: i32) -> PgResult<Expr> {
        let text = self.json_cast(e, oid::TEXT, -1, location)?;
        let names = ["pg_catalog".to_string(), "convert_to".to_string()];
        let encoding = Expr::constant(oid::UNKNOWN, Datum::text("UTF8"));
        let call = ast::FuncCall { funcname: names.to_vec(), location, ..ast::FuncCall::default() };
        let syn = crate::call::CallSyntax { call: Some(&call), proc_call: false, location };
        let srfs = self.cur().srfs;
        match self.func_or_column(&names, vec![text, encoding], srfs, &syn)? {
            Ok(e) | Err(e) => Ok(e),
        }
    }

    /// A constructor's node, and the cast from JSON to what RETURNING says.
    fn json_node(
        &mut self,
        op: JsonOp,
        args: Vec<Expr>,
        out: Returning,
        flags: (bool, bool),
        location: i32,
    ) -> PgResult<Expr> {
        let (base, _) = self.cat.base_type_mod(out.ty, out.typmod);
        let own = if base == oid::JSONB { oid::JSONB } else { oid::JSON };
        let node = Expr::Json(Box::new(JsonExpr {
            op,
            args,
            ty: own,
            typmod: -1,
            collation: Oid::INVALID,
            absent_on_null: flags.0,
            unique_keys: flags.1,
            passing: Vec::new(),
            on_empty: None,
            on_error: None,
            wrapper: JsonWrapper::Unspecified,
            omit_quotes: false,
            coercion: None,
            column_name: None,
            location,
        }));
        self.json_cast(node, out.ty, out.typmod, location)
    }

    fn known_text(&mut self, e: Expr) -> PgResult<Expr> {
        if e.ty() == oid::UNKNOWN { self.coerce_type(e, oid::TEXT, -1, How::IMPLICIT) } else { Ok(e) }
    }

    pub(crate) fn transform_json_object(&mut self, j: &ast::JsonObjectConstructor) -> PgResult<Expr> {
        let mut args = Vec::new();
        for kv in &j.exprs {
            let key = self.transform_expr(&kv.key)?;
            args.push(self.known_text(key)?);
            let value = self.json_value(&kv.value, None)?;
            args.push(self.known_text(value)?);
        }
        let out = self.json_output(j.output.as_ref(), default_type(&args))?;
        self.json_node(JsonOp::Object, args, out, (j.absent_on_null, j.unique), j.location)
    }

    pub(crate) fn transform_json_array(&mut self, j: &ast::JsonArrayConstructor) -> PgResult<Expr> {
        let mut args = Vec::new();
        for v in &j.exprs {
            let value = self.json_value(v, None)?;
            args.push(self.known_text(value)?);
        }
        let out = self.json_output(j.output.as_ref(), default_type(&args))?;
        self.json_node(JsonOp::Array, args, out, (j.absent_on_null, false), j.location)
    }

    /// `JSON_ARRAY(query)` is a subquery that aggregates the query's only column.
    pub(crate) fn transform_json_array_query(
        &mut self,
        j: &ast::JsonArrayQueryConstructor,
    ) -> PgResult<Expr> {
        let probe = self.sub_analyze_select(&j.query, None, false, true)?;
        if probe.targets.iter().filter(|t| !t.junk).count() != 1 {
            return Err(err!(SYNTAX_ERROR, "subquery must return only one column").at(j.location));
        }
        let column = ast::ColumnRef {
            fields: vec![ast::Field::Name("q".into()), ast::Field::Name("a".into())],
            location: j.location,
        };
        let value =
            ast::JsonValueExpr { raw_expr: ast::Expr::ColumnRef(Box::new(column)), format: j.format.clone() };
        let agg = ast::JsonArrayAgg {
            constructor: ast::JsonAggConstructor {
                output: j.output.clone(),
                agg_filter: None,
                agg_order: Vec::new(),
                over: None,
                location: j.location,
            },
            arg: value,
            absent_on_null: j.absent_on_null,
        };
        let target = ast::ResTarget {
            name: None,
            indirection: Vec::new(),
            val: Some(ast::Expr::JsonArrayAgg(Box::new(agg))),
            location: j.location,
        };
        let from = ast::RangeSubselect {
            lateral: false,
            subquery: j.query.clone(),
            alias: Some(ast::Alias { aliasname: "q".into(), colnames: vec!["a".into()] }),
        };
        let select = ast::SelectStmt {
            target_list: vec![target],
            from_clause: vec![ast::FromItem::RangeSubselect(Box::new(from))],
            ..ast::SelectStmt::default()
        };
        self.transform_sublink(&ast::SubLink {
            sub_link_type: ast::SubLinkType::Expr,
            testexpr: None,
            oper_name: Vec::new(),
            subselect: Box::new(select),
            location: j.location,
        })
    }

    /// JSON_OBJECTAGG and JSON_ARRAYAGG are ordinary aggregates under other names.
    fn json_aggregate(&mut self, name: &str, c: &ast::JsonAggConstructor, args: Vec<Expr>) -> PgResult<Expr> {
        let out = self.json_output(c.output.as_ref(), default_type(&args))?;
        let prefix = if self.cat.base_type(out.ty) == oid::JSONB { "jsonb" } else { "json" };
        let call = ast::FuncCall {
            funcname: vec!["pg_catalog".into(), format!("{prefix}_{name}")],
            agg_order: c.agg_order.clone(),
            agg_filter: c.agg_filter.clone(),
            over: c.over.clone(),
            location: c.location,
            ..ast::FuncCall::default()
        };
        let srfs = self.cur().srfs;
        let syn = crate::call::CallSyntax { call: Some(&call), proc_call: false, location: c.location };
        let e = match self.func_or_column(&call.funcname, args, srfs, &syn)? {
            Ok(e) | Err(e) => e,
        };
        self.json_cast(e, out.ty, out.typmod, c.location)
    }

    pub(crate) fn transform_json_object_agg(&mut self, j: &ast::JsonObjectAgg) -> PgResult<Expr> {
        let key = self.transform_expr(&j.arg.key)?;
        let key = self.known_text(key)?;
        let value = self.json_value(&j.arg.value, None)?;
        let value = self.known_text(value)?;
        let name = match (j.absent_on_null, j.unique) {
            (true, true) => "object_agg_unique_strict",
            (true, false) => "object_agg_strict",
            (false, true) => "object_agg_unique",
            (false, false) => "object_agg",
        };
        self.json_aggregate(name, &j.constructor, vec![key, value])
    }

    pub(crate) fn transform_json_array_agg(&mut self, j: &ast::JsonArrayAgg) -> PgResult<Expr> {
        let value = self.json_value(&j.arg, None)?;
        let value = self.known_text(value)?;
        let name = if j.absent_on_null { "agg_strict" } else { "agg" };
        self.json_aggregate(name, &j.constructor, vec![value])
    }

    pub(crate) fn transform_json_parse(&mut self, j: &ast::JsonParseExpr) -> PgResult<Expr> {
        let e = self.transform_expr(&j.expr.raw_expr)?;
        let ty = e.ty();
        let at = e.location();
        let is_text = ty == oid::UNKNOWN || self.cat.category(ty).0 == b'S' || ty == oid::BYTEA;
        if j.unique_keys && !is_text {
            return Err(
                err!(DATATYPE_MISMATCH, "cannot use non-string types with WITH UNIQUE KEYS clause").at(at)
            );
        }
        let out = Returning { ty: oid::JSON, typmod: -1 };
        if !is_text {
            return self.json_cast(e, oid::JSON, -1, j.location);
        }
        let e = self.known_text(e)?;
        self.json_node(JsonOp::Parse, vec![e], out, (false, j.unique_keys), j.location)
    }

    pub(crate) fn transform_json_scalar(&mut self, j: &ast::JsonScalarExpr) -> PgResult<Expr> {
        let e = self.transform_expr(&j.expr)?;
        let e = self.known_text(e)?;
        let out = Returning { ty: oid::JSON, typmod: -1 };
        self.json_node(JsonOp::Scalar, vec![e], out, (false, false), j.location)
    }

    pub(crate) fn transform_json_serialize(&mut self, j: &ast::JsonSerializeExpr) -> PgResult<Expr> {
        let e = self.json_value(&j.expr, None)?;
        let e = if matches!(e.ty(), oid::JSON | oid::JSONB) {
            e
        } else {
            let at = e.location();
            self.json_cast(e, oid::JSON, -1, at)?
        };
        let out = self.json_output(j.output.as_ref(), oid::TEXT)?;
        if out.ty != oid::BYTEA && self.cat.category(out.ty).0 != b'S' {
            let name = self.cat.format_type(out.ty);
            return Err(err!(
                DATATYPE_MISMATCH,
                "cannot use type {name} in RETURNING clause of JSON_SERIALIZE()"
            )
            .hint("Try returning a string type or bytea."));
        }
        let mut node = self.json_node(
            JsonOp::Serialize,
            vec![e],
            Returning { ty: oid::JSON, typmod: -1 },
            (false, false),
            j.location,
        )?;
        if let Expr::Json(x) = &mut node {
            x.ty = if out.ty == oid::BYTEA { oid::BYTEA } else { oid::TEXT };
        }
        self.json_cast(node, out.ty, out.typmod, j.location)
    }

    pub(crate) fn transform_json_is(&mut self, j: &ast::JsonIsPredicate) -> PgResult<Expr> {
        let e = self.transform_expr(&j.expr)?;
        let e = self.known_text(e)?;
        let ty = self.cat.base_type(e.ty());
        if !matches!(ty, oid::JSON | oid::JSONB | oid::BYTEA) && self.cat.category(ty).0 != b'S' {
            let name = self.cat.format_type(e.ty());
            return Err(
                err!(DATATYPE_MISMATCH, "cannot use type {name} in IS JSON predicate").at(e.location())
            );
        }
        let op = match j.item_type {
            ast::JsonValueType::Any => JsonOp::IsJson,
            ast::JsonValueType::Object => JsonOp::IsJsonObject,
            ast::JsonValueType::Array => JsonOp::IsJsonArray,
            ast::JsonValueType::Scalar => JsonOp::IsJsonScalar,
        };
        let out = Returning { ty: oid::JSON, typmod: -1 };
        let mut node = self.json_node(op, vec![e], out, (false, j.unique_keys), j.location)?;
        if let Expr::Json(x) = &mut node {
            x.ty = oid::BOOL;
        }
        Ok(node)
    }

    pub(crate) fn transform_json_table(&mut self, t: &ast::JsonTable) -> PgResult<NsItem> {
        Err(PgError::unsupported("JSON_TABLE is not supported yet").at(t.location))
    }
}

/// Constructors make jsonb when an argument is jsonb.
fn default_type(args: &[Expr]) -> Oid {
    if args.iter().any(|a| a.ty() == oid::JSONB) { oid::JSONB } else { oid::JSON }
}
