//! How Vars become slots: the layouts of rows that expressions are compiled against.

use std::sync::Arc;

use pglite_error::{PgError, PgResult};
use pglite_ir::expr::{Expr, INDEX_VAR, INNER_VAR, OUTER_VAR, Var, sysattr};
use pglite_types::{AttrDesc, Oid};

use super::code::Code;
use crate::env::ExecEnv;

/// Resolves a Var against the rows an expression will see.
pub trait VarMap {
    fn var(&mut self, var: &Var) -> PgResult<Code>;
    /// Aggregates, window functions, set-returning functions, CURRENT OF: what only some nodes know.
    fn special(&mut self, _expr: &Expr, _env: &ExecEnv<'_>) -> PgResult<Option<Code>> {
        Ok(None)
    }
}

/// Rows of child nodes: OUTER_VAR is slot 0, INNER_VAR slot 1.
pub struct Layout;

impl VarMap for Layout {
    fn var(&mut self, var: &Var) -> PgResult<Code> {
        let slot = match var.rte {
            OUTER_VAR => 0,
            INNER_VAR => 1,
            other => return Err(PgError::internal(format!("variable of relation {other} outside its scan"))),
        };
        if var.attno <= 0 {
            return Err(PgError::internal("system column of a child node"));
        }
        Ok(Code::Slot { slot, col: var.attno as u16 - 1 })
    }
}

/// What a whole-row Var of a scan yields.
#[derive(Clone)]
pub struct WholeRow {
    pub ty: Oid,
    pub attrs: Arc<[AttrDesc]>,
}

/// The columns a scan hands out, collected while its expressions are compiled.
pub struct ScanLayout {
    pub rte: u32,
    pub rel: Oid,
    /// Attnos in slot order; negative ones are system columns.
    pub cols: Vec<i16>,
    pub whole: Option<WholeRow>,
    /// INDEX_VAR references (index-only scans) are columns of this scan.
    pub index: bool,
}

impl ScanLayout {
    pub fn new(rte: u32, rel: Oid) -> ScanLayout {
        ScanLayout { rte, rel, cols: Vec::new(), whole: None, index: false }
    }
    pub fn column(&mut self, attno: i16) -> u16 {
        match self.cols.iter().position(|c| *c == attno) {
            Some(i) => i as u16,
            None => {
                self.cols.push(attno);
                self.cols.len() as u16 - 1
            }
        }
    }
    /// The code of a whole-row reference.
    pub fn whole_row(&mut self, var: &Var) -> PgResult<Code> {
        let Some(whole) = self.whole.clone() else {
            return Err(PgError::unsupported("whole-row reference is not supported here"));
        };
        let cols = whole
            .attrs
            .iter()
            .enumerate()
            .map(|(i, a)| (!a.dropped).then(|| (0u8, self.column(i as i16 + 1))))
            .collect();
        let ty = if whole.ty.is_valid() { whole.ty } else { var.ty };
        Ok(Code::WholeRow { ty, attrs: whole.attrs, cols, null_if: None })
    }
}

impl VarMap for ScanLayout {
    fn var(&mut self, var: &Var) -> PgResult<Code> {
        let own = var.rte == self.rte || (self.index && var.rte == INDEX_VAR);
        if !own {
            return Layout.var(var);
        }
        if var.attno == 0 {
            return self.whole_row(var);
        }
        Ok(Code::Slot { slot: 0, col: self.column(var.attno) })
    }

    fn special(&mut self, expr: &Expr, _env: &ExecEnv<'_>) -> PgResult<Option<Code>> {
        match expr {
            Expr::CurrentOf { rte, cursor, param } if *rte == self.rte => {
                let rowid = (0, self.column(sysattr::ROWID));
                Ok(Some(Code::CurrentOf { cursor: cursor.clone(), param: *param, rel: self.rel, rowid }))
            }
            _ => Ok(None),
        }
    }
}
