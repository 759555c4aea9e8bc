//! Init plans: marks their parameters as "computed on first use" when the node that owns them starts.

use std::sync::Arc;

use pglite_error::PgResult;
use pglite_ir::plan::Plan;
use pglite_types::Batch;

use super::{BoxNode, Builder, Built, MakeNode, Node, NodeProg};
use crate::prepared::InitProgram;
use crate::state::ExecCx;

struct Prog {
    inner: NodeProg,
    /// Indexes in the program's list of init plans.
    inits: Box<[u32]>,
}

pub fn wrap(b: &mut Builder<'_>, plan: &Plan, built: Built) -> Built {
    let mut inits = Vec::new();
    for init in &plan.init_plans {
        inits.push(b.init_plans.len() as u32);
        let deps = b.stmt.subplans.get(init.plan as usize).map(|p| b.deps(p)).unwrap_or_default();
        b.init_plans.push(InitProgram {
            plan: init.plan,
            kind: init.kind,
            set_params: init.set_params.clone(),
            cte_param: init.cte_param,
            deps: deps.into_vec(),
        });
    }
    Built { prog: Arc::new(Prog { inner: built.prog, inits: inits.into() }), ..built }
}

impl MakeNode for Prog {
    fn make(self: Arc<Self>) -> BoxNode {
        let inner = self.inner.clone().make();
        Box::new(InitNode { prog: self, inner, seen: 0 })
    }
}

struct InitNode {
    prog: Arc<Prog>,
    inner: BoxNode,
    seen: u64,
}

impl InitNode {
    fn mark(&mut self, cx: &mut ExecCx<'_>, all: bool) {
        let Some(program) = cx.run.program.clone() else { return };
        for i in &self.prog.inits {
            let init = &program.init_plans[*i as usize];
            if !all && cx.run.newest(&init.deps) <= self.seen {
                continue;
            }
            if let Some(cte) = init.cte_param {
                super::cte::reset(cx, cte, init.plan);
                continue;
            }
            cx.run.stamp += 1;
            let stamp = cx.run.stamp;
            for p in &init.set_params {
                if let Some(slot) = cx.run.exec.get_mut(*p as usize) {
                    slot.pending = Some(*i);
                    slot.stamp = stamp;
                }
            }
        }
        self.seen = cx.run.stamp;
    }
}

impl Node for InitNode {
    fn open(&mut self, cx: &mut ExecCx<'_>) -> PgResult<()> {
        self.mark(cx, true);
        self.inner.open(cx)
    }
    fn rescan(&mut self, cx: &mut ExecCx<'_>) -> PgResult<()> {
        self.mark(cx, cx.run.recheck.is_some());
        self.inner.rescan(cx)
    }
    fn bound(&mut self, rows: u64) {
        self.inner.bound(rows);
    }
    fn next_batch(&mut self, cx: &mut ExecCx<'_>, out: &mut Batch, max: usize) -> PgResult<bool> {
        self.inner.next_batch(cx, out, max)
    }
}
