//! SQL/JSON and XML expression nodes: arguments evaluated here, the work done by bodies found by name.
//!
//! The bodies' names and argument orders (JSON): `json_node_object(absent, unique, k, v, ...)`,
//! `json_node_array(absent, v, ...)`, `json_node_parse(text, unique)`, `json_node_scalar(v)`,
//! `json_node_serialize(v)`, `json_node_is(text, kind, unique)`, and for the query functions
//! `json_node_exists|query|value(doc, path, names text[], wrapper, omit_quotes, v...)`, which yield a two-field
//! row (state: 0 found, 1 empty, 2 error with the message; value). XML: `xml_node_<op>`.

use std::sync::Arc;

use pglite_error::{PgError, PgResult, bail};
use pglite_ir::abi::{Body, CallInfo, FnCtx};
use pglite_ir::expr::{JsonBehaviorKind, JsonOp, JsonWrapper, XmlOp};
use pglite_types::array::ArrayValue;
use pglite_types::{Datum, Oid, oid};

use super::code::{Code, Rows};
use crate::state::ExecCx;

pub struct Behavior {
    pub kind: JsonBehaviorKind,
    pub expr: Option<Code>,
}

pub struct JsonCode {
    pub op: JsonOp,
    pub args: Box<[Code]>,
    pub arg_types: Vec<Oid>,
    pub ty: Oid,
    pub typmod: i32,
    pub absent_on_null: bool,
    pub unique_keys: bool,
    pub passing: Box<[(String, Code)]>,
    pub passing_types: Vec<Oid>,
    pub on_empty: Option<Behavior>,
    pub on_error: Option<Behavior>,
    pub wrapper: JsonWrapper,
    pub omit_quotes: bool,
    pub coercion: Option<Code>,
    pub column: Option<String>,
}

fn call(
    name: &str,
    ret_type: Oid,
    arg_types: Vec<Oid>,
    args: &[Datum],
    cx: &mut ExecCx<'_>,
) -> PgResult<Datum> {
    match pglite_functions::body(name) {
        Some(Body::Scalar(f)) => {
            let info = CallInfo { ret_type, arg_types, ..CallInfo::default() };
            f(&FnCtx { host: cx.env.host, call: &info }, args)
        }
        _ => Err(PgError::unsupported(format!("{name} is not supported by this server"))),
    }
}

impl JsonCode {
    pub fn eval(&self, rows: &Rows<'_>, cx: &mut ExecCx<'_>) -> PgResult<Datum> {
        let mut values = Vec::with_capacity(self.args.len() + 2);
        for code in &self.args {
            values.push(code.eval(rows, cx)?);
        }
        let mut types = self.arg_types.clone();
        let lead = |values: &mut Vec<Datum>, types: &mut Vec<Oid>, flags: &[bool]| {
            for (i, f) in flags.iter().enumerate() {
                values.insert(i, Datum::Bool(*f));
                types.insert(i, oid::BOOL);
            }
        };
        match self.op {
            JsonOp::Object => {
                lead(&mut values, &mut types, &[self.absent_on_null, self.unique_keys]);
                self.coerce(call("json_node_object", self.ty, types, &values, cx)?, rows, cx)
            }
            JsonOp::Array => {
                lead(&mut values, &mut types, &[self.absent_on_null]);
                self.coerce(call("json_node_array", self.ty, types, &values, cx)?, rows, cx)
            }
            JsonOp::Parse => {
                values.push(Datum::Bool(self.unique_keys));
                types.push(oid::BOOL);
                call("json_node_parse", self.ty, types, &values, cx)
            }
            JsonOp::Scalar => call("json_node_scalar", self.ty, types, &values, cx),
            JsonOp::Serialize => call("json_node_serialize", self.ty, types, &values, cx),
            JsonOp::IsJson | JsonOp::IsJsonObject | JsonOp::IsJsonArray | JsonOp::IsJsonScalar => {
                if values.first().is_none_or(Datum::is_null) {
                    return Ok(Datum::Null);
                }
                let kind = match self.op {
                    JsonOp::IsJsonObject => 1,
                    JsonOp::IsJsonArray => 2,
                    JsonOp::IsJsonScalar => 3,
                    _ => 0,
                };
                values.extend([Datum::Int4(kind), Datum::Bool(self.unique_keys)]);
                types.extend([oid::INT4, oid::BOOL]);
                call("json_node_is", oid::BOOL, types, &values, cx)
            }
            JsonOp::Exists | JsonOp::Query | JsonOp::Value => self.query(values, types, rows, cx),
        }
    }

    fn coerce(&self, value: Datum, rows: &Rows<'_>, cx: &mut ExecCx<'_>) -> PgResult<Datum> {
        let Some(code) = &self.coercion else { return Ok(value) };
        cx.run.case.push(value);
        let result = code.eval(rows, cx);
        cx.run.case.pop();
        result
    }

    fn query(
        &self,
        mut values: Vec<Datum>,
        mut types: Vec<Oid>,
        rows: &Rows<'_>,
        cx: &mut ExecCx<'_>,
    ) -> PgResult<Datum> {
        if values.iter().take(2).any(Datum::is_null) {
            return Ok(Datum::Null);
        }
        let names = self.passing.iter().map(|(n, _)| Datum::text(n.as_str())).collect();
        let wrapper = match self.wrapper {
            JsonWrapper::Unspecified | JsonWrapper::None => 0,
            JsonWrapper::Conditional => 1,
            JsonWrapper::Unconditional => 2,
        };
        values.push(Datum::Array(Arc::new(ArrayValue::one_dim(oid::TEXT, names))));
        values.push(Datum::Int4(wrapper));
        values.push(Datum::Bool(self.omit_quotes));
        types.extend([oid::TEXT_ARRAY, oid::INT4, oid::BOOL]);
        for ((_, code), ty) in self.passing.iter().zip(&self.passing_types) {
            values.push(code.eval(rows, cx)?);
            types.push(*ty);
        }
        let name = match self.op {
            JsonOp::Exists => "json_node_exists",
            JsonOp::Query => "json_node_query",
            _ => "json_node_value",
        };
        let outcome = match call(name, self.ty, types, &values, cx) {
            Err(e) if e.code() == pglite_error::codes::FEATURE_NOT_SUPPORTED => return Err(e),
            Err(e) => return self.on_error(e, rows, cx),
            Ok(v) => v,
        };
        let Datum::Record(r) = outcome else { return Ok(outcome) };
        match r.values.as_slice() {
            [Datum::Int4(0), v] => match self.coerce(v.clone(), rows, cx) {
                Ok(v) => Ok(v),
                Err(e) => self.on_error(e, rows, cx),
            },
            _ => self.on_empty(rows, cx),
        }
    }

    fn on_empty(&self, rows: &Rows<'_>, cx: &mut ExecCx<'_>) -> PgResult<Datum> {
        match &self.on_empty {
            Some(b) if b.kind == JsonBehaviorKind::Error => {
                let e = match &self.column {
                    Some(c) => pglite_error::err!(
                        NO_SQL_JSON_ITEM,
                        "no SQL/JSON item found for specified path of column \"{c}\""
                    ),
                    None => pglite_error::err!(NO_SQL_JSON_ITEM, "no SQL/JSON item found for specified path"),
                };
                self.on_error(e, rows, cx)
            }
            Some(b) => self.behave(b, rows, cx),
            None => Ok(Datum::Null),
        }
    }

    fn on_error(&self, e: PgError, rows: &Rows<'_>, cx: &mut ExecCx<'_>) -> PgResult<Datum> {
        match &self.on_error {
            Some(b) if b.kind == JsonBehaviorKind::Error => Err(e),
            Some(b) => self.behave(b, rows, cx),
            None if self.op == JsonOp::Exists => Ok(Datum::Bool(false)),
            None => Ok(Datum::Null),
        }
    }

    fn behave(&self, b: &Behavior, rows: &Rows<'_>, cx: &mut ExecCx<'_>) -> PgResult<Datum> {
        if let Some(code) = &b.expr {
            return code.eval(rows, cx);
        }
        match b.kind {
            JsonBehaviorKind::True => Ok(Datum::Bool(true)),
            JsonBehaviorKind::False => Ok(Datum::Bool(false)),
            JsonBehaviorKind::Empty | JsonBehaviorKind::EmptyArray => {
                pglite_types::text::text_in(cx.env.host, self.ty, self.typmod, "[]")
            }
            JsonBehaviorKind::EmptyObject => {
                pglite_types::text::text_in(cx.env.host, self.ty, self.typmod, "{}")
            }
            _ => Ok(Datum::Null),
        }
    }
}

pub struct XmlCode {
    pub op: XmlOp,
    pub name: Option<String>,
    pub named: Box<[Code]>,
    pub names: Vec<String>,
    pub args: Box<[Code]>,
    pub arg_types: Vec<Oid>,
    pub named_types: Vec<Oid>,
    pub document: bool,
    pub indent: bool,
    pub ty: Oid,
}

impl XmlCode {
    pub fn eval(&self, rows: &Rows<'_>, cx: &mut ExecCx<'_>) -> PgResult<Datum> {
        let name = match self.op {
            XmlOp::Concat => "xml_node_concat",
            XmlOp::Element => "xml_node_element",
            XmlOp::Forest => "xml_node_forest",
            XmlOp::Parse => "xml_node_parse",
            XmlOp::Pi => "xml_node_pi",
            XmlOp::Root => "xml_node_root",
            XmlOp::Serialize => "xml_node_serialize",
            XmlOp::Document => "xml_node_document",
        };
        // name, document, indent, argument names, then named and positional values.
        let names: Vec<Datum> = self.names.iter().map(|n| Datum::text(n.as_str())).collect();
        let mut values = vec![
            self.name.as_deref().map_or(Datum::Null, Datum::text),
            Datum::Bool(self.document),
            Datum::Bool(self.indent),
            Datum::Array(Arc::new(ArrayValue::one_dim(oid::TEXT, names))),
        ];
        let mut types = vec![oid::TEXT, oid::BOOL, oid::BOOL, oid::TEXT_ARRAY];
        for (code, ty) in
            self.named.iter().zip(&self.named_types).chain(self.args.iter().zip(&self.arg_types))
        {
            values.push(code.eval(rows, cx)?);
            types.push(*ty);
        }
        if pglite_functions::body(name).is_none() {
            bail!(FEATURE_NOT_SUPPORTED, "unsupported XML feature");
        }
        call(name, self.ty, types, &values, cx)
    }
}
