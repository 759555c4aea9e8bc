//! The analyzer's state: a stack of query levels, each with its range table and namespace.
//!
//! PostgreSQL chains parse states by pointers; here the levels are a vector, the current one last, so that a reference
//! to an outer query is an index and marking it (privileges, aggregates) needs no shared mutability.

use std::sync::Arc;

use pglite_catalog::RelDesc;
use pglite_error::{PgError, PgResult, err};
use pglite_ir::expr::{Expr, SubLink, VarReturning};
use pglite_ir::query::{Alias, ColType, CommonTableExpr, FromItem, RangeTblEntry};
use pglite_parser::ast;
use pglite_types::Oid;

use crate::cat::Cat;
use crate::env::{AnalyzeEnv, ParamTypes};
use crate::kind::ExprKind;

/// Stack that one analysis may use before it raises 54001.
const MAX_STACK_BYTES: usize = 1400 * 1024;

/// One column of a namespace item.
#[derive(Clone, Debug)]
pub(crate) struct NsColumn {
    /// The Var to make: its relation and column (0 attno = no such column).
    pub rte: u32,
    pub attno: i16,
    pub ty: Oid,
    pub typmod: i32,
    pub collation: Oid,
    /// Where the column is seen in the source (for a join: the join's own RTE).
    pub syn_rte: u32,
    pub syn_attno: i16,
    /// Not part of `*` (a merged column of an inner side).
    pub dont_expand: bool,
}

/// A range table entry as far as names can reach it.
#[derive(Clone, Debug)]
pub(crate) struct NsItem {
    pub rte: u32,
    /// Table name and column names as visible.
    pub names: Arc<Alias>,
    pub columns: Arc<Vec<NsColumn>>,
    pub rel_visible: bool,
    pub cols_visible: bool,
    pub lateral_only: bool,
    pub lateral_ok: bool,
    pub returning: VarReturning,
}

/// A WITH item while its level is analyzed.
#[derive(Clone, Debug)]
pub(crate) struct CteEntry {
    pub cte: CommonTableExpr,
    /// Its query is analyzed (false while analyzing the recursive term).
    pub ready: bool,
}

/// The sublinks of `(a, b) = (SELECT ...)`, and rows of `(a, b) = ROW(...)` between their columns.
#[derive(Clone, Debug)]
pub(crate) enum MultiAssign {
    SubLink { column_types: Vec<ColType>, link: Option<Box<SubLink>> },
    Row(Vec<Expr>),
}

/// One query under analysis.
#[derive(Default)]
pub(crate) struct Level {
    pub rtable: Vec<RangeTblEntry>,
    pub joinlist: Vec<FromItem>,
    pub namespace: Vec<NsItem>,
    pub lateral_active: bool,
    pub ctes: Vec<CteEntry>,
    /// WITH items not yet reachable, for the error about forward references.
    pub future_ctes: Vec<String>,
    /// This level is the query of that CTE of its parent level.
    pub parent_cte: Option<usize>,
    pub target_rel: Option<Arc<RelDesc>>,
    pub target_ns: Option<NsItem>,
    pub is_insert: bool,
    /// PL/pgSQL's assignment: casts are laxer.
    pub plpgsql: bool,
    pub window_defs: Vec<ast::WindowDef>,
    pub kind: ExprKind,
    pub next_resno: i16,
    pub multi_assign: Vec<(usize, MultiAssign, u32)>,
    /// The MULTIEXPR sublinks, to be kept as junk targets.
    pub multi_links: Vec<SubLink>,
    pub locking: Vec<ast::LockingClause>,
    pub locked_from_parent: bool,
    pub resolve_unknowns: bool,
    /// Set-returning calls seen so far (their number tells whether a subexpression holds one).
    pub srfs: u32,
    pub last_srf_location: i32,
    pub has_aggs: bool,
    pub has_windows: bool,
    pub has_target_srfs: bool,
    pub has_sublinks: bool,
    pub has_modifying_cte: bool,
    /// The type of `VALUE` in a domain's CHECK.
    pub domain_value: Option<ColType>,
    /// Columns known by name only (partition keys of a table being created, SQL function arguments ...).
    pub named_columns: Vec<(String, Expr)>,
}

/// One analysis: the levels and what they all need.
pub(crate) struct Analyzer<'e, 'p> {
    pub env: &'e dyn AnalyzeEnv,
    pub cat: Cat<'e>,
    pub params: &'p mut ParamTypes,
    pub levels: Vec<Level>,
    stack_base: usize,
}

impl<'e, 'p> Analyzer<'e, 'p> {
    pub fn new(env: &'e dyn AnalyzeEnv, params: &'p mut ParamTypes) -> Analyzer<'e, 'p> {
        let cat = Cat { snap: env.catalog(), path: env.search_path() };
        let marker = 0u8;
        Analyzer { env, cat, params, levels: Vec::new(), stack_base: std::ptr::from_ref(&marker) as usize }
    }

    /// Raises 54001 before the stack runs out.
    pub fn check_depth(&self) -> PgResult<()> {
        let marker = 0u8;
        let here = std::ptr::from_ref(&marker) as usize;
        if self.stack_base.abs_diff(here) > MAX_STACK_BYTES {
            return Err(stack_depth_error());
        }
        Ok(())
    }

    pub fn push(&mut self) {
        self.levels.push(Level {
            next_resno: 1,
            resolve_unknowns: true,
            last_srf_location: -1,
            ..Level::default()
        });
    }

    pub fn pop(&mut self) -> Level {
        self.levels.pop().unwrap_or_default()
    }

    /// The current level.
    pub fn cur(&mut self) -> &mut Level {
        if self.levels.is_empty() {
            self.push();
        }
        let last = self.levels.len() - 1;
        &mut self.levels[last]
    }

    pub fn cur_ref(&self) -> &Level {
        &self.levels[self.levels.len() - 1]
    }

    /// The level that many query levels above the current one.
    pub fn level(&self, up: u32) -> &Level {
        &self.levels[self.levels.len() - 1 - up as usize]
    }

    pub fn level_mut(&mut self, up: u32) -> &mut Level {
        let at = self.levels.len() - 1 - up as usize;
        &mut self.levels[at]
    }

    pub fn rte(&self, index: u32, up: u32) -> &RangeTblEntry {
        &self.level(up).rtable[index as usize - 1]
    }

    pub fn rte_mut(&mut self, index: u32, up: u32) -> &mut RangeTblEntry {
        &mut self.level_mut(up).rtable[index as usize - 1]
    }

    /// Runs `f` with the level's expression kind set, and restores it.
    pub fn with_kind<T>(&mut self, kind: ExprKind, f: impl FnOnce(&mut Self) -> PgResult<T>) -> PgResult<T> {
        let saved = std::mem::replace(&mut self.cur().kind, kind);
        let result = f(self);
        self.cur().kind = saved;
        result
    }
}

pub(crate) fn stack_depth_error() -> PgError {
    err!(STATEMENT_TOO_COMPLEX, "stack depth limit exceeded").hint(
        "Increase the configuration parameter \"max_stack_depth\" (currently 2048kB), after ensuring the platform's stack depth limit is adequate.",
    )
}
