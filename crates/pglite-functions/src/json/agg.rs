//! json_agg, jsonb_agg, json_object_agg, jsonb_object_agg and their strict and unique forms.

use std::collections::HashSet;
use std::sync::Arc;

use ecow::EcoString;
use pglite_error::{PgResult, bail, err};
use pglite_ir::abi::{Accumulator, Body, FnCtx};
use pglite_types::jsonb::{self, Jsonb};
use pglite_types::{Datum, Oid, oid};

use super::make::{key, tree, write};

fn ty(cx: &FnCtx<'_>, i: usize) -> Oid {
    cx.call.arg_types.get(i).copied().unwrap_or(oid::TEXT)
}

struct TextArray {
    out: String,
    any: bool,
    strict: bool,
}

impl Accumulator for TextArray {
    fn update(&mut self, cx: &FnCtx<'_>, args: &[Datum]) -> PgResult<()> {
        self.any |= !self.strict || !args[0].is_null();
        if self.strict && args[0].is_null() {
            return Ok(());
        }
        if !self.out.is_empty() {
            self.out.push_str(if matches!(args[0], Datum::Array(_) | Datum::Record(_)) {
                ", \n "
            } else {
                ", "
            });
        }
        write(cx, ty(cx, 0), &args[0], false, &mut self.out)
    }
    fn finish(&mut self, _: &FnCtx<'_>, _: &[Datum]) -> PgResult<Datum> {
        Ok(if self.any { Datum::text(format!("[{}]", self.out)) } else { Datum::Null })
    }
    fn memory(&self) -> usize {
        self.out.capacity()
    }
}

struct TreeArray {
    items: Vec<Jsonb>,
    any: bool,
    strict: bool,
}

impl Accumulator for TreeArray {
    fn update(&mut self, cx: &FnCtx<'_>, args: &[Datum]) -> PgResult<()> {
        if self.strict && args[0].is_null() {
            return Ok(());
        }
        self.any = true;
        self.items.push(tree(cx, ty(cx, 0), &args[0])?);
        Ok(())
    }
    fn finish(&mut self, _: &FnCtx<'_>, _: &[Datum]) -> PgResult<Datum> {
        if !self.any {
            return Ok(Datum::Null);
        }
        Ok(Datum::Jsonb(Arc::new(Jsonb::Array(self.items.clone()))))
    }
    fn memory(&self) -> usize {
        self.items.capacity() * size_of::<Jsonb>()
    }
}

struct TextObject {
    out: String,
    any: bool,
    strict: bool,
    seen: Option<HashSet<EcoString>>,
}

impl Accumulator for TextObject {
    fn update(&mut self, cx: &FnCtx<'_>, args: &[Datum]) -> PgResult<()> {
        self.any = true;
        if args[0].is_null() {
            bail!(NULL_VALUE_NOT_ALLOWED, "null value not allowed for object key");
        }
        let k = key(cx, ty(cx, 0), &args[0])?;
        if self.strict && args[1].is_null() {
            return Ok(());
        }
        if let Some(seen) = &mut self.seen
            && !seen.insert(k.clone())
        {
            let mut shown = String::new();
            jsonb::write_string(&k, &mut shown);
            return Err(err!(DUPLICATE_JSON_OBJECT_KEY_VALUE, "duplicate JSON object key value: {shown}"));
        }
        if !self.out.is_empty() {
            self.out.push_str(", ");
        }
        jsonb::write_string(&k, &mut self.out);
        self.out.push_str(" : ");
        write(cx, ty(cx, 1), &args[1], false, &mut self.out)
    }
    fn finish(&mut self, _: &FnCtx<'_>, _: &[Datum]) -> PgResult<Datum> {
        if !self.any {
            return Ok(Datum::Null);
        }
        Ok(Datum::text(if self.out.is_empty() { "{}".into() } else { format!("{{ {} }}", self.out) }))
    }
    fn memory(&self) -> usize {
        self.out.capacity()
    }
}

struct TreeObject {
    pairs: Vec<(EcoString, Jsonb)>,
    any: bool,
    strict: bool,
    unique: bool,
}

impl Accumulator for TreeObject {
    fn update(&mut self, cx: &FnCtx<'_>, args: &[Datum]) -> PgResult<()> {
        self.any = true;
        if args[0].is_null() {
            bail!(INVALID_PARAMETER_VALUE, "field name must not be null");
        }
        let k = key(cx, ty(cx, 0), &args[0])?;
        if self.strict && args[1].is_null() {
            return Ok(());
        }
        self.pairs.push((k, tree(cx, ty(cx, 1), &args[1])?));
        Ok(())
    }
    fn finish(&mut self, _: &FnCtx<'_>, _: &[Datum]) -> PgResult<Datum> {
        if !self.any {
            return Ok(Datum::Null);
        }
        let n = self.pairs.len();
        let object = jsonb::object_from_pairs(self.pairs.clone());
        if self.unique && matches!(&object, Jsonb::Object(o) if o.len() < n) {
            bail!(DUPLICATE_JSON_OBJECT_KEY_VALUE, "duplicate JSON object key value");
        }
        Ok(Datum::Jsonb(Arc::new(object)))
    }
    fn memory(&self) -> usize {
        self.pairs.capacity() * size_of::<(EcoString, Jsonb)>()
    }
}

fn text_array(strict: bool) -> PgResult<Box<dyn Accumulator>> {
    Ok(Box::new(TextArray { out: String::new(), any: false, strict }))
}
fn tree_array(strict: bool) -> PgResult<Box<dyn Accumulator>> {
    Ok(Box::new(TreeArray { items: Vec::new(), any: false, strict }))
}
fn text_object(strict: bool, unique: bool) -> PgResult<Box<dyn Accumulator>> {
    Ok(Box::new(TextObject { out: String::new(), any: false, strict, seen: unique.then(HashSet::new) }))
}
fn tree_object(strict: bool, unique: bool) -> PgResult<Box<dyn Accumulator>> {
    Ok(Box::new(TreeObject { pairs: Vec::new(), any: false, strict, unique }))
}

pub static TABLE: &[(&str, Body)] = &[
    ("agg:json_agg_transfn/json_agg_finalfn", Body::Aggregate(|_| text_array(false))),
    ("agg:json_agg_strict_transfn/json_agg_finalfn", Body::Aggregate(|_| text_array(true))),
    ("agg:jsonb_agg_transfn/jsonb_agg_finalfn", Body::Aggregate(|_| tree_array(false))),
    ("agg:jsonb_agg_strict_transfn/jsonb_agg_finalfn", Body::Aggregate(|_| tree_array(true))),
    ("agg:json_object_agg_transfn/json_object_agg_finalfn", Body::Aggregate(|_| text_object(false, false))),
    (
        "agg:json_object_agg_strict_transfn/json_object_agg_finalfn",
        Body::Aggregate(|_| text_object(true, false)),
    ),
    (
        "agg:json_object_agg_unique_transfn/json_object_agg_finalfn",
        Body::Aggregate(|_| text_object(false, true)),
    ),
    (
        "agg:json_object_agg_unique_strict_transfn/json_object_agg_finalfn",
        Body::Aggregate(|_| text_object(true, true)),
    ),
    ("agg:jsonb_object_agg_transfn/jsonb_object_agg_finalfn", Body::Aggregate(|_| tree_object(false, false))),
    (
        "agg:jsonb_object_agg_strict_transfn/jsonb_object_agg_finalfn",
        Body::Aggregate(|_| tree_object(true, false)),
    ),
    (
        "agg:jsonb_object_agg_unique_transfn/jsonb_object_agg_finalfn",
        Body::Aggregate(|_| tree_object(false, true)),
    ),
    (
        "agg:jsonb_object_agg_unique_strict_transfn/jsonb_object_agg_finalfn",
        Body::Aggregate(|_| tree_object(true, true)),
    ),
];
