//! Names in an explained plan: what a Var of a child's output stands for, params, subplans and relation aliases.
//!
//! An expression taken from a child's target list keeps pointing at *that* child's inputs; its Vars are marked with the
//! node they belong to ([`MARK`]), so that each is looked up where it came from.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use pglite_catalog::{SearchPath, Snapshot};
use pglite_functions::deparse::{Deparser, PlanNames, Style};
use pglite_ir::expr::{Expr, INDEX_VAR, INNER_VAR, OUTER_VAR, SubLinkKind, SubPlan, Var, VarReturning};
use pglite_ir::plan::{BoundPlan, IndexQual, Plan, PlanNode, PlannedStmt};
use pglite_ir::query::RteKind;
use pglite_ir::walk::{any_child_ref, each_child_mut};
use pglite_planner::PlannerEnv;
use pglite_types::TypeEnv;

/// Set in `Var::rte` of a marked Var; the rest is the node's number times four plus which input it reads.
const MARK: u32 = 0x4000_0000;
const MARK_MASK: u32 = 0xC000_0000;

enum ParamSource<'p> {
    /// An expression evaluated at this node.
    Expr(&'p Plan, &'p Expr),
    /// An output column of a subplan.
    Column(String),
}

pub struct Names<'p> {
    pub stmt: &'p PlannedStmt,
    pub catalog: &'p Arc<Snapshot>,
    pub path: &'p SearchPath,
    pub types: &'p dyn TypeEnv,
    pub planner: &'p dyn PlannerEnv,
    pub aliases: Vec<String>,
    current: Cell<&'p Plan>,
    marks: RefCell<Vec<&'p Plan>>,
    params: HashMap<u32, ParamSource<'p>>,
}

impl<'p> Names<'p> {
    pub fn new(
        stmt: &'p PlannedStmt,
        catalog: &'p Arc<Snapshot>,
        path: &'p SearchPath,
        types: &'p dyn TypeEnv,
        planner: &'p dyn PlannerEnv,
    ) -> Names<'p> {
        let mut names = Names {
            stmt,
            catalog,
            path,
            types,
            planner,
            aliases: aliases(stmt),
            current: Cell::new(&stmt.plan),
            marks: RefCell::new(Vec::new()),
            params: HashMap::new(),
        };
        each_plan(stmt, &mut |plan| names.collect(plan));
        names
    }

    /// Expressions printed from now on belong to this node.
    pub fn enter(&self, plan: &'p Plan) {
        self.current.set(plan);
    }

    pub fn print(&self, e: &Expr, prefix: bool, show_implicit: bool) -> pglite_error::PgResult<String> {
        Deparser::new(self.catalog, self.path, self.types, Style::default())
            .for_plan(self, &self.stmt.rtable, self.aliases.clone(), prefix)
            .plan_expr(e, show_implicit)
    }

    fn collect(&mut self, plan: &'p Plan) {
        for init in &plan.init_plans {
            for (i, p) in init.set_params.iter().enumerate() {
                self.params.insert(*p, ParamSource::Column(format!("({}).col{}", init.name, i + 1)));
            }
        }
        if let PlanNode::NestLoop { params, .. } = &plan.node {
            for (id, e) in params {
                self.params.insert(*id, ParamSource::Expr(plan, e));
            }
        }
        for e in exprs(plan) {
            each_subplan(e, &mut |s| {
                let hashed = if s.use_hash { "hashed " } else { "" };
                for (i, p) in s.column_params.iter().chain(&s.set_params).enumerate() {
                    let column = ParamSource::Column(format!("({hashed}{}).col{}", s.name, i + 1));
                    self.params.insert(*p, column);
                }
                for (p, arg) in s.params.iter().zip(&s.args) {
                    self.params.entry(*p).or_insert(ParamSource::Expr(plan, arg));
                }
            });
        }
    }

    /// Marks the Vars of an expression that stands in `plan`'s target list.
    fn mark(&self, e: &mut Expr, plan: &'p Plan) {
        if let Expr::Var(v) = e {
            let which = match v.rte {
                OUTER_VAR => 1,
                INNER_VAR => 2,
                INDEX_VAR => 3,
                _ => return,
            };
            let mut marks = self.marks.borrow_mut();
            let at = marks.iter().position(|p| std::ptr::eq(*p, plan)).unwrap_or_else(|| {
                marks.push(plan);
                marks.len() - 1
            });
            v.rte = MARK | (at as u32) << 2 | which;
            return;
        }
        let _ = each_child_mut::<()>(e, &mut |c| {
            self.mark(c, plan);
            Ok(())
        });
    }

    fn place(&self, v: &Var) -> Option<(&'p Plan, u32)> {
        match v.rte {
            OUTER_VAR => Some((self.current.get(), 1)),
            INNER_VAR => Some((self.current.get(), 2)),
            INDEX_VAR => Some((self.current.get(), 3)),
            r if r & MARK_MASK == MARK => {
                let plan = *self.marks.borrow().get(((r & !MARK_MASK) >> 2) as usize)?;
                Some((plan, r & 3))
            }
            _ => None,
        }
    }

    /// PG: above an Append a child's column goes by its parent's name.
    fn to_parent(&self, v: &mut Var, parent: u32) {
        let entry = |r: u32| self.stmt.rtable.get((r as usize).wrapping_sub(1));
        let (Some(child), Some(above)) = (entry(v.rte), entry(parent)) else { return };
        let name = usize::try_from(v.attno - 1).ok().and_then(|i| child.eref.columns.get(i));
        match name.and_then(|n| above.eref.columns.iter().position(|c| c == n)) {
            Some(at) => {
                v.rte = parent;
                v.attno = at as i16 + 1;
            }
            None if v.attno <= 0 => v.rte = parent,
            None => {}
        }
    }

    fn index_column(&self, plan: &'p Plan, v: &Var) -> Option<Expr> {
        let (PlanNode::IndexScan(s) | PlanNode::IndexOnlyScan(s)) = &plan.node else { return None };
        let index = s.rel.indexes.iter().find(|i| i.oid == s.index)?;
        let key = index.keys.get(v.attno.checked_sub(1)? as usize)?;
        if key.attnum != 0 {
            let var = Var { rte: s.rte, attno: key.attnum, returning: VarReturning::Default, ..v.clone() };
            return Some(Expr::Var(var));
        }
        let mut e = self.planner.relation_expr(&s.rel, key.expr.as_deref()?).ok()?;
        renumber(&mut e, s.rte);
        Some(e)
    }
}

fn renumber(e: &mut Expr, rte: u32) {
    if let Expr::Var(v) = e {
        v.rte = rte;
        return;
    }
    let _ = each_child_mut::<()>(e, &mut |c| {
        renumber(c, rte);
        Ok(())
    });
}

impl PlanNames for Names<'_> {
    fn resolve(&self, var: &Var) -> Option<Expr> {
        let (mut plan, mut which) = self.place(var)?;
        let mut var = var.clone();
        let mut over = None;
        loop {
            if which == 3 {
                return self.index_column(plan, &var);
            }
            let child = if which == 1 { outer(plan)? } else { inner(plan)? };
            let target = child.targets.get(var.attno.checked_sub(1)? as usize)?;
            let mut e = target.expr.clone();
            if let Expr::Var(v) = &mut e {
                which = match v.rte {
                    OUTER_VAR => 1,
                    INNER_VAR => 2,
                    INDEX_VAR => 3,
                    _ => {
                        if let Some(parent) = over.and_then(|p| append_parent(self.stmt, p)) {
                            self.to_parent(v, parent);
                        }
                        return Some(e);
                    }
                };
                if matches!(child.node, PlanNode::Append { .. } | PlanNode::MergeAppend { .. }) {
                    over = Some(child);
                }
                var = v.clone();
                plan = child;
                continue;
            }
            self.mark(&mut e, child);
            return Some(e);
        }
    }

    fn param(&self, id: u32) -> Option<String> {
        match self.params.get(&id)? {
            ParamSource::Column(text) => Some(text.clone()),
            ParamSource::Expr(plan, e) => {
                let before = self.current.replace(plan);
                let printed = self.print(e, true, false);
                self.current.set(before);
                let text = printed.ok()?;
                let bare =
                    matches!(e, Expr::Var(_) | Expr::Aggref(_) | Expr::Grouping { .. } | Expr::Param(_));
                Some(if bare || text.starts_with('(') { text } else { format!("({text})") })
            }
        }
    }

    fn subplan(&self, s: &SubPlan) -> String {
        let open = match s.kind {
            SubLinkKind::Exists => "EXISTS(",
            SubLinkKind::All => "(ALL ",
            SubLinkKind::Any => "(ANY ",
            SubLinkKind::RowCompare | SubLinkKind::Expr => "(",
            SubLinkKind::MultiExpr => "(rescan ",
            SubLinkKind::Array => "ARRAY(",
            SubLinkKind::Cte => "CTE(",
        };
        let body = match &s.test {
            Some(test) => self.print(test, self.stmt.rtable.len() > 1, true).unwrap_or_default(),
            None => format!("{}{}", if s.use_hash { "hashed " } else { "" }, s.name),
        };
        format!("{open}{body})")
    }

    fn window(&self, winref: u32) -> Option<String> {
        let mut next = Some(self.current.get());
        while let Some(plan) = next {
            if let PlanNode::WindowAgg { winref: w, name, .. } = &plan.node
                && *w == winref
            {
                return Some(pglite_catalog::names::quote_ident(name));
            }
            next = plan.left.as_deref();
        }
        None
    }
}

/// The node whose output OUTER Vars read.
fn outer(plan: &Plan) -> Option<&Plan> {
    match &plan.node {
        PlanNode::Append { children, .. } | PlanNode::MergeAppend { children, .. } => children.first(),
        _ => plan.left.as_deref(),
    }
}

fn inner(plan: &Plan) -> Option<&Plan> {
    match &plan.node {
        PlanNode::SubqueryScan { .. } => plan.left.as_deref(),
        _ => plan.right.as_deref(),
    }
}

/// Every node below a statement, subplans included.
pub fn each_plan<'p>(stmt: &'p PlannedStmt, f: &mut dyn FnMut(&'p Plan)) {
    // The executor numbers nodes in this order.
    stmt.subplans.iter().for_each(|p| each_node(p, f));
    each_node(&stmt.plan, f);
}

fn each_node<'p>(plan: &'p Plan, f: &mut dyn FnMut(&'p Plan)) {
    f(plan);
    children(plan).into_iter().for_each(|c| each_node(c, f));
}

pub fn children(plan: &Plan) -> Vec<&Plan> {
    let mut out: Vec<&Plan> = plan.left.as_deref().into_iter().chain(plan.right.as_deref()).collect();
    if let PlanNode::Append { children, .. } | PlanNode::MergeAppend { children, .. } = &plan.node {
        out.extend(children);
    }
    out
}

/// The SubPlans in an expression, outermost first.
pub fn each_subplan<'p>(e: &'p Expr, f: &mut dyn FnMut(&'p SubPlan)) {
    if let Expr::SubPlan(s) = e {
        f(s);
    }
    any_child_ref(e, &mut |c| {
        each_subplan(c, f);
        false
    });
}

/// Every expression of a node.
pub fn exprs(plan: &Plan) -> Vec<&Expr> {
    let mut out: Vec<&Expr> = plan.targets.iter().map(|t| &t.expr).chain(&plan.qual).collect();
    match &plan.node {
        PlanNode::Result { one_time } => out.extend(one_time),
        PlanNode::IndexScan(s) | PlanNode::IndexOnlyScan(s) => {
            for q in &s.quals {
                match q {
                    IndexQual::Op { value, .. } | IndexQual::OrderBy { value, .. } => out.push(value),
                    IndexQual::Array { array, .. } => out.push(array),
                    IndexQual::Row { values, .. } => out.extend(values),
                    IndexQual::NullTest { .. } => {}
                }
            }
        }
        PlanNode::TidScan { quals, .. } => out.extend(quals),
        PlanNode::FunctionScan { functions, .. } => out.extend(functions.iter().map(|f| &f.expr)),
        PlanNode::ValuesScan { rows, .. } => out.extend(rows.iter().flatten()),
        PlanNode::NestLoop { join_qual, params, .. } => {
            out.extend(join_qual);
            out.extend(params.iter().map(|p| &p.1));
        }
        PlanNode::MergeJoin { join_qual, .. } => out.extend(join_qual),
        PlanNode::HashJoin { join_qual, keys, .. } => {
            out.extend(join_qual);
            out.extend(keys.iter().flat_map(|k| [&k.outer, &k.inner]));
        }
        PlanNode::Memoize { keys, .. } => out.extend(keys),
        PlanNode::WindowAgg { frame, run_condition, .. } => {
            for b in [&frame.start, &frame.end] {
                if let BoundPlan::Preceding(e) | BoundPlan::Following(e) = b {
                    out.push(e);
                }
            }
            out.extend(run_condition);
        }
        PlanNode::Limit { limit, offset, .. } => out.extend(limit.iter().chain(offset)),
        PlanNode::ModifyTable(m) => {
            for t in &m.targets {
                out.extend(t.returning.iter().map(|r| &r.expr));
                out.extend(t.check_options.iter().map(|c| &c.qual));
            }
            if let Some(c) = &m.on_conflict {
                out.extend(c.set.iter().map(|t| &t.expr).chain(&c.where_));
            }
            for a in &m.merge_actions {
                out.extend(a.qual.iter().chain(a.targets.iter().map(|t| &t.expr)));
            }
        }
        _ => {}
    }
    out
}

/// The range table entry a scan node reads.
pub fn scan_rte(node: &PlanNode) -> Option<u32> {
    Some(match node {
        PlanNode::SeqScan { rte, .. }
        | PlanNode::SampleScan { rte, .. }
        | PlanNode::TidScan { rte, .. }
        | PlanNode::SubqueryScan { rte }
        | PlanNode::FunctionScan { rte, .. }
        | PlanNode::TableFuncScan { rte, .. }
        | PlanNode::ValuesScan { rte, .. }
        | PlanNode::CteScan { rte, .. }
        | PlanNode::TuplestoreScan { rte, .. }
        | PlanNode::WorkTableScan { rte, .. } => *rte,
        PlanNode::IndexScan(s) | PlanNode::IndexOnlyScan(s) => s.rte,
        _ => return None,
    })
}

/// The relation whose children an Append or MergeAppend reads (its range table index).
fn append_parent(stmt: &PlannedStmt, plan: &Plan) -> Option<u32> {
    let (PlanNode::Append { children, .. } | PlanNode::MergeAppend { children, .. }) = &plan.node else {
        return None;
    };
    let mut at = children.first()?;
    let child = loop {
        match scan_rte(&at.node) {
            Some(r) => break r as usize,
            None => at = at.left.as_deref()?,
        }
    };
    let name = &stmt.rtable.get(child.checked_sub(1)?)?.eref.name;
    let parent = stmt.rtable[..child - 1]
        .iter()
        .rposition(|r| r.inherit && matches!(r.kind, RteKind::Relation { .. }) && r.eref.name == *name)?;
    Some(parent as u32 + 1)
}

/// One name per range table entry in use, made unique by a number.
fn aliases(stmt: &PlannedStmt) -> Vec<String> {
    let mut used: HashSet<u32> = HashSet::new();
    each_plan(stmt, &mut |plan| {
        used.extend(scan_rte(&plan.node));
        if let PlanNode::ModifyTable(m) = &plan.node {
            used.insert(m.nominal_rte);
            used.extend(m.targets.iter().map(|t| t.rte));
            used.extend(m.on_conflict.as_ref().map(|c| c.excluded_rte));
        }
    });
    // A parent whose children are read holds its name.
    each_plan(stmt, &mut |plan| used.extend(append_parent(stmt, plan)));
    let mut counters: HashMap<String, u32> = HashMap::new();
    let mut out = Vec::with_capacity(stmt.rtable.len());
    for (i, rte) in stmt.rtable.iter().enumerate() {
        if !used.contains(&(i as u32 + 1)) {
            out.push(String::new());
            continue;
        }
        let name = match (&rte.alias, &rte.kind) {
            (Some(a), _) => a.name.clone(),
            (None, RteKind::Relation { rel, .. }) => rel.name.to_string(),
            _ => rte.eref.name.clone(),
        };
        if !counters.contains_key(&name) {
            counters.insert(name.clone(), 0);
            out.push(name);
            continue;
        }
        let unique = loop {
            let n = counters.entry(name.clone()).or_insert(0);
            *n += 1;
            let suffix = format!("_{n}");
            let keep = name.floor_char_boundary(name.len().min(63 - suffix.len()));
            let candidate = format!("{}{suffix}", &name[..keep]);
            if !counters.contains_key(&candidate) {
                break candidate;
            }
        };
        counters.insert(unique.clone(), 0);
        out.push(unique);
    }
    out
}
