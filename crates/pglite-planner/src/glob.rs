//! Statement-wide state: exec params, query levels, and the replacement of outer references by params.

use pglite_error::{PgError, PgResult};
use pglite_ir::expr::*;
use pglite_ir::query::Query;
use pglite_ir::walk::each_child_mut;
use pglite_types::Oid;

use crate::cat::Cat;
use crate::env::{PlanOptions, PlannerEnv};
use crate::equal::equal;
use crate::relids::Relids;
use crate::settings::Settings;
use crate::types::*;
use crate::walker::shift_levels;

/// Queries may nest this deep.
const MAX_DEPTH: u32 = 400;

impl<'e> Glob<'e> {
    pub fn new(env: &'e dyn PlannerEnv, opts: &'e PlanOptions) -> Glob<'e> {
        Glob {
            env,
            opts,
            cat: Cat(env.catalog().clone()),
            set: Settings::read(env),
            subplans: Vec::new(),
            nparams: 0,
            levels: Vec::new(),
            depth: 0,
        }
    }

    pub fn new_param(&mut self) -> u32 {
        self.nparams += 1;
        self.nparams - 1
    }

    pub fn check_depth(&self) -> PgResult<()> {
        if self.levels.len() as u32 + self.depth > MAX_DEPTH {
            return Err(PgError::new(
                pglite_error::codes::STATEMENT_TOO_COMPLEX,
                "stack depth limit exceeded",
            ));
        }
        Ok(())
    }

    /// An exec param that stands for an expression of an outer level.
    fn outer_param(&mut self, expr: Expr, level: usize) -> PgResult<Expr> {
        let make = |id: u32, e: &Expr| {
            Expr::Param(Param {
                kind: ParamKind::Exec,
                id,
                ty: e.ty(),
                typmod: e.typmod(),
                collation: e.collation(),
                location: e.location(),
            })
        };
        let slot = self
            .levels
            .get(level)
            .ok_or_else(|| PgError::internal("outer reference beyond the outermost query"))?;
        if let Some(p) = slot.plan_params.iter().find(|p| equal(&p.expr, &expr)) {
            return Ok(make(p.id, &expr));
        }
        let id = self.new_param();
        let param = make(id, &expr);
        self.levels[level].plan_params.push(PlanParam { id, expr });
        Ok(param)
    }

    /// Replaces Vars and aggregates of outer query levels by exec params. Sublinks are SubPlans already.
    pub fn replace_correlation_vars(&mut self, e: &mut Expr, level: usize) -> PgResult<()> {
        let up = match e {
            Expr::Var(v) => v.levels_up,
            Expr::Aggref(a) => a.levels_up,
            Expr::Grouping { levels_up, .. } => *levels_up,
            Expr::SubLink(_) => return Err(PgError::internal("sublink left over in an expression")),
            _ => 0,
        };
        if up > 0 {
            let mut outer = e.clone();
            shift_levels(&mut outer, -(up as i32), 0);
            let level = level
                .checked_sub(up as usize)
                .ok_or_else(|| PgError::internal("outer reference beyond the outermost query"))?;
            *e = self.outer_param(outer, level)?;
            return Ok(());
        }
        each_child_mut(e, &mut |c| self.replace_correlation_vars(c, level))
    }
}

impl Root {
    pub fn new(query: Query, level: usize) -> Root {
        Root {
            query,
            level,
            has_lateral: false,
            has_having: false,
            has_recursion: false,
            rels: Vec::new(),
            base: Vec::new(),
            join_rels: Default::default(),
            ecs: Vec::new(),
            join_info: Vec::new(),
            append_rels: Vec::new(),
            child_of: Default::default(),
            row_marks: Vec::new(),
            init_plans: Vec::new(),
            left_clauses: Vec::new(),
            right_clauses: Vec::new(),
            full_clauses: Vec::new(),
            multiexpr_params: Default::default(),
            tuple_fraction: 0.0,
            limit_tuples: -1.0,
            query_pathkeys: Vec::new(),
            group_pathkeys: Vec::new(),
            num_groupby_pathkeys: 0,
            window_pathkeys: Vec::new(),
            distinct_pathkeys: Vec::new(),
            sort_pathkeys: Vec::new(),
            setop_pathkeys: Vec::new(),
            processed_targets: Vec::new(),
            processed_group: Vec::new(),
            processed_distinct: Vec::new(),
            update_columns: Vec::new(),
            leaf_results: Vec::new(),
            all_baserels: Relids::new(),
            total_pages: 0.0,
            subroots: Vec::new(),
            cur_outer_rels: Relids::new(),
            cur_outer_params: Vec::new(),
            has_pseudoconstant: false,
            final_rel: None,
            is_setop_child: false,
            minmax: Vec::new(),
            qual_security: 0,
        }
    }

    pub fn rte(&self, rti: u32) -> &pglite_ir::RangeTblEntry {
        &self.query.rtable[rti as usize - 1]
    }

    pub fn base_rel(&self, rti: u32) -> PgResult<RelId> {
        self.base
            .get(rti as usize)
            .copied()
            .flatten()
            .ok_or_else(|| PgError::internal(format!("no relation entry for range table entry {rti}")))
    }

    pub fn has_rel(&self, rti: u32) -> bool {
        self.base.get(rti as usize).copied().flatten().is_some()
    }

    /// The class that `ec` has been merged into.
    pub fn canon(&self, mut ec: EcId) -> EcId {
        while let Some(next) = self.ecs[ec].merged {
            ec = next;
        }
        ec
    }

    /// A column of one of this level's relations.
    pub fn var(rte: u32, attno: i16, ty: Oid, typmod: i32, collation: Oid) -> Expr {
        Expr::Var(Var {
            rte,
            attno,
            levels_up: 0,
            ty,
            typmod,
            collation,
            returning: VarReturning::Default,
            syn_rte: rte,
            syn_attno: attno,
            location: -1,
        })
    }
}

/// Row estimates are whole and at least 1.
pub(crate) fn clamp_rows(rows: f64) -> f64 {
    if rows > 1e100 || rows.is_nan() {
        1e100
    } else if rows <= 1.0 {
        1.0
    } else {
        rows.round_ties_even()
    }
}
