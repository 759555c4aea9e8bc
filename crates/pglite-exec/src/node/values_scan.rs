//! Values Scan: rows of expressions, evaluated one at a time as they are asked for.

use std::sync::Arc;

use pglite_error::PgResult;
use pglite_ir::expr::Expr;
use pglite_ir::plan::Plan;
use pglite_types::{Batch, Datum};

use super::{BoxNode, Builder, Built, Head, MakeNode, Node};
use crate::expr::{Code, Compiler, Layout, Rows};
use crate::state::ExecCx;

struct Prog {
    rows: Box<[Box<[Code]>]>,
    head: Head,
}

pub fn build(b: &mut Builder<'_>, plan: &Plan, rte: u32, rows: &[Vec<Expr>]) -> PgResult<Built> {
    let mut map = Layout;
    let mut c = Compiler::new(b.env, &mut map);
    let codes = rows.iter().map(|r| c.list(r)).collect::<PgResult<Box<[_]>>>()?;
    let own = c.volatile;
    let mut layout = super::result::subquery_layout(rte, rows.first().map_or(0, Vec::len), plan);
    layout.whole = b.stmt.rtable.get(rte as usize - 1).map(|r| values_row(&r.eref.columns, rows));
    let (head, volatile) = b.head(plan, &mut layout)?;
    let width = head.width();
    Ok(Built { prog: Arc::new(Prog { rows: codes, head }), width, volatile: volatile | own })
}

fn values_row(names: &[String], rows: &[Vec<Expr>]) -> crate::expr::WholeRow {
    let first = rows.first().map(Vec::as_slice).unwrap_or_default();
    let attrs = first
        .iter()
        .enumerate()
        .map(|(i, e)| pglite_types::AttrDesc {
            name: names.get(i).map_or("?column?", String::as_str).into(),
            type_oid: e.ty(),
            typmod: -1,
            dropped: false,
        })
        .collect();
    crate::expr::WholeRow { ty: pglite_types::oid::RECORD, attrs }
}

impl MakeNode for Prog {
    fn make(self: Arc<Self>) -> BoxNode {
        Box::new(ValuesScan { prog: self, at: 0, row: Vec::new() })
    }
}

struct ValuesScan {
    prog: Arc<Prog>,
    at: usize,
    row: Vec<Datum>,
}

impl Node for ValuesScan {
    fn open(&mut self, _cx: &mut ExecCx<'_>) -> PgResult<()> {
        self.at = 0;
        Ok(())
    }
    fn rescan(&mut self, _cx: &mut ExecCx<'_>) -> PgResult<()> {
        self.at = 0;
        Ok(())
    }
    fn next_batch(&mut self, cx: &mut ExecCx<'_>, out: &mut Batch, max: usize) -> PgResult<bool> {
        out.reset(self.prog.head.width());
        while out.len() < max && self.at < self.prog.rows.len() {
            self.row.clear();
            for code in &self.prog.rows[self.at] {
                self.row.push(code.eval(&Rows::default(), cx)?);
            }
            self.at += 1;
            self.prog.head.emit(&Rows::outer(&self.row), cx, out)?;
        }
        Ok(!out.is_empty())
    }
}
