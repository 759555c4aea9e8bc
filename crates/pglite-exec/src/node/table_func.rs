//! Table Function Scan: JSON_TABLE and XMLTABLE.
//!
//! The item list comes from bodies found by name: `json_table_items(doc, path, names text[], error, values...)` and
//! `xml_table_items(doc, row path, names text[], uris text[])` yield one item a row; JSON columns are expressions over
//! the item (`CaseTest`), XML columns go through `xml_table_column(item, path, type, names, uris)`.

use std::sync::Arc;

use pglite_error::{PgError, PgResult, bail};
use pglite_ir::abi::{Body, CallInfo, FnCtx, SetFn};
use pglite_ir::plan::Plan;
use pglite_ir::query::{JsonTablePlan, TableFunc};
use pglite_types::array::ArrayValue;
use pglite_types::{Batch, Datum, Oid, Row, oid};

use super::{BoxNode, Builder, Built, Head, MakeNode, Node};
use crate::expr::{Code, Rows};
use crate::state::ExecCx;

struct Column {
    name: String,
    json: Option<Code>,
    ordinality: bool,
    not_null: bool,
    default: Option<Code>,
    ty: Oid,
}

/// One level of JSON_TABLE's nesting.
enum Level {
    Path { path: Code, columns: std::ops::Range<usize>, error: bool, child: Option<Box<Level>> },
    Siblings(Box<Level>, Box<Level>),
}

struct Prog {
    items: SetFn,
    doc: Code,
    doc_type: Oid,
    passing: Vec<(String, Code, Oid)>,
    columns: Vec<Column>,
    level: Level,
    head: Head,
}

pub fn build(b: &mut Builder<'_>, plan: &Plan, rte: u32, func: &TableFunc) -> PgResult<Built> {
    if !func.json {
        return Err(PgError::unsupported("unsupported XML feature")
            .detail("This functionality requires the server to be built with libxml support."));
    }
    let Some(Body::Set(items)) = pglite_functions::body("json_table_items") else {
        return Err(PgError::unsupported("JSON_TABLE is not supported by this server"));
    };
    let mut columns = Vec::new();
    let mut types = Vec::new();
    for c in &func.columns {
        types.push((c.name.clone(), c.ty.ty, c.ty.typmod));
        columns.push(Column {
            name: c.name.clone(),
            json: c.json.as_ref().map(|e| b.code(e)).transpose()?,
            ordinality: c.ordinality,
            not_null: c.not_null,
            default: c.default.as_ref().map(|e| b.code(e)).transpose()?,
            ty: c.ty.ty,
        });
    }
    let Some(json_plan) = &func.json_plan else { return Err(PgError::internal("JSON_TABLE without a plan")) };
    let level = level(b, json_plan)?;
    let passing = func
        .passing
        .iter()
        .map(|(n, e)| Ok((n.clone(), b.code(e)?, e.ty())))
        .collect::<PgResult<Vec<_>>>()?;
    let doc = b.code(&func.doc)?;
    let mut layout = super::cte::rte_layout(b, rte, &types);
    let (head, volatile) = b.head(plan, &mut layout)?;
    let width = head.width();
    let prog = Prog { items: *items, doc, doc_type: func.doc.ty(), passing, columns, level, head };
    Ok(Built { prog: Arc::new(prog), width, volatile })
}

fn level(b: &mut Builder<'_>, p: &JsonTablePlan) -> PgResult<Level> {
    Ok(match p {
        JsonTablePlan::Path { path, error_on_error, first_col, last_col, child, .. } => {
            let columns = match (usize::try_from(*first_col), usize::try_from(*last_col)) {
                (Ok(a), Ok(z)) => a..z + 1,
                _ => 0..0,
            };
            let child = child.as_ref().map(|c| level(b, c).map(Box::new)).transpose()?;
            Level::Path { path: b.code(path)?, columns, error: *error_on_error, child }
        }
        JsonTablePlan::Siblings(l, r) => Level::Siblings(Box::new(level(b, l)?), Box::new(level(b, r)?)),
    })
}

impl MakeNode for Prog {
    fn make(self: Arc<Self>) -> BoxNode {
        Box::new(TableFuncScan { prog: self, rows: None })
    }
}

struct TableFuncScan {
    prog: Arc<Prog>,
    rows: Option<std::vec::IntoIter<Row>>,
}

impl Prog {
    /// The items of a path in a document.
    fn items(
        &self,
        doc: Datum,
        doc_type: Oid,
        path: &Code,
        error: bool,
        cx: &mut ExecCx<'_>,
    ) -> PgResult<Vec<Datum>> {
        if doc.is_null() {
            return Ok(Vec::new());
        }
        let names = self.passing.iter().map(|(n, _, _)| Datum::text(n.as_str())).collect();
        let mut args = vec![
            doc,
            path.eval(&Rows::default(), cx)?,
            Datum::Array(Arc::new(ArrayValue::one_dim(oid::TEXT, names))),
            Datum::Bool(error),
        ];
        let mut arg_types = vec![doc_type, oid::JSONPATH, oid::TEXT_ARRAY, oid::BOOL];
        for (_, code, ty) in &self.passing {
            args.push(code.eval(&Rows::default(), cx)?);
            arg_types.push(*ty);
        }
        let call = CallInfo { ret_type: oid::JSONB, arg_types, ..CallInfo::default() };
        let ctx = FnCtx { host: cx.env.host, call: &call };
        let mut source = (self.items)(&ctx, &args)?;
        let (mut out, mut row) = (Vec::new(), Row::new());
        while source.next(&ctx, &mut row)? {
            out.append(&mut row);
        }
        Ok(out)
    }

    /// Appends the rows of a level; `base` holds the columns of the levels above.
    fn rows(
        &self,
        level: &Level,
        doc: &Datum,
        doc_type: Oid,
        base: &Row,
        out: &mut Vec<Row>,
        cx: &mut ExecCx<'_>,
    ) -> PgResult<()> {
        match level {
            Level::Siblings(l, r) => {
                self.rows(l, doc, doc_type, base, out, cx)?;
                self.rows(r, doc, doc_type, base, out, cx)
            }
            Level::Path { path, columns, error, child } => {
                let items = self.items(doc.clone(), doc_type, path, *error, cx)?;
                for (n, item) in items.into_iter().enumerate() {
                    let mut row = base.clone();
                    for i in columns.clone() {
                        row[i] = self.column(&self.columns[i], &item, n, cx)?;
                    }
                    let before = out.len();
                    if let Some(child) = child {
                        self.rows(child, &item, oid::JSONB, &row, out, cx)?;
                    }
                    if out.len() == before {
                        out.push(row);
                    }
                }
                Ok(())
            }
        }
    }

    fn column(&self, c: &Column, item: &Datum, n: usize, cx: &mut ExecCx<'_>) -> PgResult<Datum> {
        if c.ordinality {
            return Ok(if c.ty == oid::INT8 { Datum::Int8(n as i64 + 1) } else { Datum::Int4(n as i32 + 1) });
        }
        let mut v = Datum::Null;
        if let Some(code) = &c.json {
            cx.run.case.push(item.clone());
            let r = code.eval(&Rows::default(), cx);
            cx.run.case.pop();
            v = r?;
        }
        if v.is_null()
            && let Some(d) = &c.default
        {
            v = d.eval(&Rows::default(), cx)?;
        }
        if v.is_null() && c.not_null {
            bail!(NULL_VALUE_NOT_ALLOWED, "null is not allowed in column \"{}\"", c.name);
        }
        Ok(v)
    }
}

impl Node for TableFuncScan {
    fn open(&mut self, _cx: &mut ExecCx<'_>) -> PgResult<()> {
        self.rows = None;
        Ok(())
    }
    fn rescan(&mut self, _cx: &mut ExecCx<'_>) -> PgResult<()> {
        self.rows = None;
        Ok(())
    }
    fn next_batch(&mut self, cx: &mut ExecCx<'_>, out: &mut Batch, max: usize) -> PgResult<bool> {
        let prog = self.prog.clone();
        out.reset(prog.head.width());
        if self.rows.is_none() {
            let doc = prog.doc.eval(&Rows::default(), cx)?;
            let mut all = Vec::new();
            prog.rows(
                &prog.level,
                &doc,
                prog.doc_type,
                &vec![Datum::Null; prog.columns.len()],
                &mut all,
                cx,
            )?;
            self.rows = Some(all.into_iter());
        }
        while out.len() < max {
            let Some(row) = self.rows.as_mut().and_then(Iterator::next) else { break };
            prog.head.emit(&Rows::outer(&row), cx, out)?;
        }
        Ok(!out.is_empty())
    }
}
