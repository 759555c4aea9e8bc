//! One plan node to its EXPLAIN entry: heading, conditions, keys, and the nodes below.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};

use pglite_catalog::names::quote_ident;
use pglite_error::PgResult;
use pglite_exec::instrument::NodeStats;
use pglite_ir::CommandType;
use pglite_ir::expr::{Expr, OUTER_VAR, OpExpr, Var, VarReturning};
use pglite_ir::plan::*;
use pglite_ir::query::{JoinKind, RteKind, SetOpKind};
use pglite_types::{Oid, oid};

use super::names::{Names, each_plan, each_subplan, exprs};
use super::options::{Format, Options};
use super::output::{Out, Value};

pub struct Explainer<'p> {
    pub names: &'p Names<'p>,
    pub options: &'p Options,
    /// By node number; empty without ANALYZE.
    pub stats: &'p [NodeStats],
    ids: HashMap<*const Plan, usize>,
    printed: RefCell<HashSet<u32>>,
    rtable_size: usize,
}

/// What the heading says about a node.
struct Heading {
    text: String,
    node_type: String,
    props: Vec<(&'static str, String)>,
}

impl<'p> Explainer<'p> {
    pub fn new(names: &'p Names<'p>, options: &'p Options, stats: &'p [NodeStats]) -> Explainer<'p> {
        let mut ids = HashMap::new();
        each_plan(names.stmt, &mut |p| {
            ids.insert(p as *const Plan, ids.len());
        });
        let groups = names.stmt.rtable.iter().filter(|r| matches!(r.kind, RteKind::Group { .. })).count();
        let rtable_size = names.stmt.rtable.len() - groups;
        Explainer { names, options, stats, ids, printed: RefCell::new(HashSet::new()), rtable_size }
    }

    fn prefix(&self) -> bool {
        self.rtable_size > 1 || self.options.verbose
    }

    fn print(&self, plan: &'p Plan, e: &Expr, prefix: bool) -> PgResult<String> {
        self.names.enter(plan);
        self.names.print(e, prefix, false)
    }

    pub fn node(&self, plan: &'p Plan, relationship: Option<&str>) -> PgResult<Out> {
        let heading = self.heading(plan)?;
        let mut out = Out { title: heading.text, ..Out::default() };
        out.hidden("Node Type", Value::Text(heading.node_type));
        if let Some(r) = relationship {
            out.hidden("Parent Relationship", Value::Text(r.to_string()));
        }
        for (label, value) in heading.props {
            match label {
                "Parallel Aware" => {}
                _ => out.hidden(label, Value::Text(value)),
            }
        }
        out.hidden("Parallel Aware", Value::Bool(false));
        out.hidden("Async Capable", Value::Bool(false));
        self.costs(&mut out, plan.cost);
        let stats = self.ids.get(&(plan as *const Plan)).and_then(|i| self.stats.get(*i)).copied();
        self.actual(&mut out, stats);
        let below: u32 = super::names::children(plan).iter().map(|c| c.cost.disabled_nodes).sum();
        let disabled = plan.cost.disabled_nodes > below;
        out.push("Disabled", Value::Bool(disabled), disabled);
        if self.options.verbose {
            self.output(&mut out, plan)?;
        }
        self.details(&mut out, plan, stats)?;
        self.below(&mut out, plan, stats)?;
        Ok(out)
    }

    fn costs(&self, out: &mut Out, c: Cost) {
        if !self.options.costs {
            return;
        }
        out.title +=
            &format!("  (cost={:.2}..{:.2} rows={:.0} width={})", c.startup, c.total, c.rows, c.width);
        out.hidden("Startup Cost", Value::Number(format!("{:.2}", c.startup)));
        out.hidden("Total Cost", Value::Number(format!("{:.2}", c.total)));
        out.hidden("Plan Rows", Value::Number(format!("{:.0}", c.rows)));
        out.hidden("Plan Width", Value::Number(c.width.to_string()));
    }

    fn actual(&self, out: &mut Out, stats: Option<NodeStats>) {
        if !self.options.analyze {
            return;
        }
        let s = stats.unwrap_or_default();
        if s.loops == 0 {
            out.title += " (never executed)";
            return;
        }
        let loops = s.loops as f64;
        let (first, total) = (s.startup_nanos as f64 / 1e6 / loops, s.total_nanos as f64 / 1e6 / loops);
        let rows = s.rows as f64 / loops;
        if self.options.timing {
            out.title += &format!(" (actual time={first:.3}..{total:.3} rows={rows:.2} loops={loops:.0})");
            out.hidden("Actual Startup Time", Value::Number(format!("{first:.3}")));
            out.hidden("Actual Total Time", Value::Number(format!("{total:.3}")));
        } else {
            out.title += &format!(" (actual rows={rows:.2} loops={loops:.0})");
        }
        out.hidden("Actual Rows", Value::Number(format!("{rows:.2}")));
        out.hidden("Actual Loops", Value::Number(format!("{loops:.0}")));
    }

    fn output(&self, out: &mut Out, plan: &'p Plan) -> PgResult<()> {
        let (Plan { targets, .. }, skip) = match &plan.node {
            PlanNode::Append { .. } | PlanNode::MergeAppend { .. } | PlanNode::RecursiveUnion { .. } => {
                (plan, true)
            }
            _ => (plan, false),
        };
        if skip {
            return Ok(());
        }
        let list = match &plan.node {
            PlanNode::ModifyTable(m) => m.targets.first().map(|t| &t.returning).filter(|r| !r.is_empty()),
            _ => Some(targets),
        };
        let Some(list) = list.filter(|l| !l.is_empty()) else { return Ok(()) };
        let texts =
            list.iter().map(|t| self.print(plan, &t.expr, self.prefix())).collect::<PgResult<Vec<_>>>()?;
        out.list("Output", texts);
        Ok(())
    }

    // ---- headings ----

    fn heading(&self, plan: &'p Plan) -> PgResult<Heading> {
        let mut props = Vec::new();
        let simple = |t: &str| (t.to_string(), t.to_string());
        let (mut text, node_type) = match &plan.node {
            PlanNode::Result { .. } => simple("Result"),
            PlanNode::ProjectSet => simple("ProjectSet"),
            PlanNode::ModifyTable(m) => {
                let operation = command_word(m.command);
                props.push(("Operation", operation.to_string()));
                (operation.to_string(), "ModifyTable".to_string())
            }
            PlanNode::Append { .. } => simple("Append"),
            PlanNode::MergeAppend { .. } => simple("Merge Append"),
            PlanNode::RecursiveUnion { .. } => simple("Recursive Union"),
            PlanNode::SeqScan { .. } => simple("Seq Scan"),
            PlanNode::SampleScan { .. } => simple("Sample Scan"),
            PlanNode::IndexScan(s) => self.index_heading(s, "Index Scan", &mut props),
            PlanNode::IndexOnlyScan(s) => self.index_heading(s, "Index Only Scan", &mut props),
            PlanNode::TidScan { quals, .. } => {
                simple(if tid_range(quals) { "Tid Range Scan" } else { "Tid Scan" })
            }
            PlanNode::SubqueryScan { .. } => simple("Subquery Scan"),
            PlanNode::FunctionScan { .. } => simple("Function Scan"),
            PlanNode::TableFuncScan { .. } => simple("Table Function Scan"),
            PlanNode::ValuesScan { .. } => simple("Values Scan"),
            PlanNode::CteScan { .. } => simple("CTE Scan"),
            PlanNode::TuplestoreScan { .. } => simple("Named Tuplestore Scan"),
            PlanNode::WorkTableScan { .. } => simple("WorkTable Scan"),
            PlanNode::NestLoop { kind, .. } => join_heading("Nested Loop", *kind, &mut props),
            PlanNode::MergeJoin { kind, .. } => join_heading("Merge", *kind, &mut props),
            PlanNode::HashJoin { kind, .. } => join_heading("Hash", *kind, &mut props),
            PlanNode::Material => simple("Materialize"),
            PlanNode::Memoize { .. } => simple("Memoize"),
            PlanNode::Sort { .. } => simple("Sort"),
            PlanNode::IncrementalSort { .. } => simple("Incremental Sort"),
            PlanNode::Group { .. } => simple("Group"),
            PlanNode::Agg { strategy, .. } => {
                let (name, word) = match strategy {
                    AggStrategy::Plain => ("Aggregate", "Plain"),
                    AggStrategy::Sorted => ("GroupAggregate", "Sorted"),
                    AggStrategy::Hashed => ("HashAggregate", "Hashed"),
                    AggStrategy::Mixed => ("MixedAggregate", "Mixed"),
                };
                props.push(("Strategy", word.to_string()));
                props.push(("Partial Mode", "Simple".to_string()));
                (name.to_string(), "Aggregate".to_string())
            }
            PlanNode::WindowAgg { .. } => simple("WindowAgg"),
            PlanNode::Unique { .. } => simple("Unique"),
            PlanNode::SetOp { kind, all, strategy, .. } => {
                let (name, word) = match strategy {
                    SetOpStrategy::Sorted => ("SetOp", "Sorted"),
                    SetOpStrategy::Hashed => ("HashSetOp", "Hashed"),
                };
                let command = match kind {
                    SetOpKind::Union => "Union",
                    SetOpKind::Intersect => "Intersect",
                    SetOpKind::Except => "Except",
                };
                let command = format!("{command}{}", if *all { " All" } else { "" });
                props.push(("Strategy", word.to_string()));
                props.push(("Command", command.clone()));
                (format!("{name} {command}"), "SetOp".to_string())
            }
            PlanNode::LockRows { .. } => simple("LockRows"),
            PlanNode::Limit { .. } => simple("Limit"),
        };
        if let Some(target) = self.target(plan, &mut props) {
            text += &target;
        }
        Ok(Heading { text, node_type, props })
    }

    fn index_heading(
        &self,
        s: &IndexScan,
        name: &str,
        props: &mut Vec<(&'static str, String)>,
    ) -> (String, String) {
        let backward = s.direction == ScanDirection::Backward;
        let index = s
            .rel
            .indexes
            .iter()
            .find(|i| i.oid == s.index)
            .map_or_else(|| s.index.to_string(), |i| i.name.to_string());
        props.push(("Scan Direction", if backward { "Backward" } else { "Forward" }.to_string()));
        props.push(("Index Name", index.clone()));
        let text = format!("{name}{} using {}", if backward { " Backward" } else { "" }, quote_ident(&index));
        (text, name.to_string())
    }

    /// " on schema.table alias" of a scan or modification.
    fn target(&self, plan: &Plan, props: &mut Vec<(&'static str, String)>) -> Option<String> {
        let rte = match &plan.node {
            PlanNode::ModifyTable(m) => m.nominal_rte,
            node => super::names::scan_rte(node)?,
        };
        Some(self.target_of(&plan.node, rte, props))
    }

    fn target_of(&self, node: &PlanNode, rte: u32, props: &mut Vec<(&'static str, String)>) -> String {
        let alias = self.names.aliases.get(rte as usize - 1).cloned().unwrap_or_default();
        let mut schema = None;
        let mut object: Option<String> = None;
        let verbose = self.options.verbose;
        let catalog = self.names.catalog;
        let namespace = |oid: Oid| {
            let name = catalog.namespace_name(oid).unwrap_or_default();
            if name.starts_with("pg_temp_") { "pg_temp".to_string() } else { name.to_string() }
        };
        match node {
            PlanNode::FunctionScan { functions, .. } => {
                if let [f] = functions.as_slice()
                    && let Expr::Func(call) = &f.expr
                    && let Some(row) = catalog.proc_by_oid(call.func)
                {
                    object = Some(row.proname.to_string());
                    schema = verbose.then(|| namespace(row.pronamespace));
                    props.push(("Function Name", row.proname.to_string()));
                }
            }
            PlanNode::TableFuncScan { func, .. } => {
                let name = if func.json { "json_table" } else { "xmltable" };
                props.push(("Table Function Name", name.to_string()));
                object = Some(name.to_string());
            }
            PlanNode::CteScan { name, .. } | PlanNode::WorkTableScan { name, .. } => {
                props.push(("CTE Name", name.clone()));
                object = Some(name.clone());
            }
            PlanNode::TuplestoreScan { name, .. } => {
                props.push(("Tuplestore Name", name.clone()));
                object = Some(name.clone());
            }
            _ => {
                if let Some(RteKind::Relation { rel, .. }) =
                    self.names.stmt.rtable.get(rte as usize - 1).map(|r| &r.kind)
                {
                    object = Some(rel.name.to_string());
                    schema = verbose.then(|| namespace(rel.namespace));
                    props.push(("Relation Name", rel.name.to_string()));
                }
            }
        }
        let mut text = String::from(" on");
        if let Some(o) = &object {
            text.push(' ');
            if let Some(s) = &schema {
                text += &format!("{}.", quote_ident(s));
            }
            text += &quote_ident(o);
        }
        if let Some(s) = schema {
            props.push(("Schema", s));
        }
        if object.as_deref() != Some(&alias) && !alias.is_empty() {
            text += &format!(" {}", quote_ident(&alias));
        }
        props.push(("Alias", alias));
        text
    }

    // ---- the lines below a heading ----

    fn qual(&self, out: &mut Out, plan: &'p Plan, label: &str, quals: &[Expr], prefix: bool) -> PgResult<()> {
        if quals.is_empty() {
            return Ok(());
        }
        let text = self.print(plan, &Expr::and(quals.to_vec()), prefix)?;
        out.text(label, text);
        Ok(())
    }

    fn details(&self, out: &mut Out, plan: &'p Plan, stats: Option<NodeStats>) -> PgResult<()> {
        let scan = super::names::scan_rte(&plan.node).is_some();
        let mut filter_prefix = self.prefix();
        if scan {
            filter_prefix = self.options.verbose || matches!(plan.node, PlanNode::SubqueryScan { .. });
        }
        match &plan.node {
            PlanNode::IndexScan(s) | PlanNode::IndexOnlyScan(s) => self.index_details(out, plan, s, stats)?,
            PlanNode::TidScan { quals, .. } if !quals.is_empty() => {
                let e = if tid_range(quals) { Expr::and(quals.clone()) } else { or(quals.clone()) };
                let text = self.print(plan, &e, filter_prefix)?;
                out.text("TID Cond", text);
            }
            PlanNode::SampleScan { sample, .. } => {
                let args = sample
                    .args
                    .iter()
                    .map(|a| self.print(plan, a, self.prefix()))
                    .collect::<PgResult<Vec<_>>>()?;
                let name = self
                    .names
                    .catalog
                    .proc_by_oid(sample.method)
                    .map_or(String::new(), |p| p.proname.to_string());
                let mut text = format!("{} ({})", quote_ident(&name), args.join(", "));
                if let Some(r) = &sample.repeatable {
                    text += &format!(" REPEATABLE ({})", self.print(plan, r, self.prefix())?);
                }
                out.text("Sampling", text);
            }
            PlanNode::FunctionScan { functions, .. } if self.options.verbose => {
                let calls = functions
                    .iter()
                    .map(|f| self.print(plan, &f.expr, true))
                    .collect::<PgResult<Vec<_>>>()?;
                out.text("Function Call", calls.join(", "));
            }
            PlanNode::Result { one_time } => {
                self.qual(out, plan, "One-Time Filter", one_time, self.prefix())?
            }
            PlanNode::NestLoop { join_qual, inner_unique, .. } => {
                self.unique_inner(out, *inner_unique);
                self.join_filter(out, plan, join_qual, stats)?;
            }
            PlanNode::MergeJoin { join_qual, keys, inner_unique, .. } => {
                self.unique_inner(out, *inner_unique);
                let conds: Vec<Expr> =
                    keys.iter().map(|k| condition(k.op, &k.outer, &k.inner, k.collation)).collect();
                self.qual(out, plan, "Merge Cond", &conds, true)?;
                self.join_filter(out, plan, join_qual, stats)?;
            }
            PlanNode::HashJoin { join_qual, keys, inner_unique, .. } => {
                self.unique_inner(out, *inner_unique);
                let conds: Vec<Expr> =
                    keys.iter().map(|k| condition(k.op, &k.outer, &k.inner, k.collation)).collect();
                self.qual(out, plan, "Hash Cond", &conds, true)?;
                self.join_filter(out, plan, join_qual, stats)?;
            }
            PlanNode::Sort { keys } | PlanNode::MergeAppend { keys, .. } => {
                self.sort_keys(out, plan, "Sort Key", keys)?
            }
            PlanNode::IncrementalSort { keys, presorted } => {
                self.sort_keys(out, plan, "Sort Key", keys)?;
                self.sort_keys(out, plan, "Presorted Key", &keys[..(*presorted).min(keys.len())])?;
            }
            PlanNode::Group { keys } => {
                let texts = self.keys(plan, keys)?;
                out.list("Group Key", texts);
            }
            PlanNode::Agg { strategy, keys, sets, .. } => {
                self.agg_details(out, plan, *strategy, keys, sets)?
            }
            PlanNode::WindowAgg { partition, order, frame, run_condition, name, .. } => {
                let text = self.window(plan, name, partition, order, frame)?;
                out.text("Window", text);
                self.qual(out, plan, "Run Condition", run_condition, self.prefix())?;
            }
            PlanNode::Memoize { keys, binary, .. } => {
                let texts =
                    keys.iter().map(|k| self.print(plan, k, self.prefix())).collect::<PgResult<Vec<_>>>()?;
                out.text("Cache Key", texts.join(", "));
                out.text("Cache Mode", if *binary { "binary" } else { "logical" });
            }
            PlanNode::ModifyTable(m) => self.modify_details(out, plan, m)?,
            _ => {}
        }
        self.qual(out, plan, "Filter", &plan.qual, filter_prefix)?;
        if !plan.qual.is_empty() {
            self.removed(out, "Rows Removed by Filter", stats, |s| s.filtered);
        }
        if let Some(s) = stats.filter(|_| self.options.analyze) {
            super::detail::push(out, &plan.node, &s, self.options.format == Format::Text);
        }
        Ok(())
    }

    /// A count of dropped rows, per loop; zero is not worth a line of text.
    fn removed(&self, out: &mut Out, label: &str, stats: Option<NodeStats>, of: impl Fn(&NodeStats) -> u64) {
        let Some(s) = stats.filter(|_| self.options.analyze) else { return };
        if of(&s) > 0 || self.options.format != Format::Text {
            let removed = format!("{:.0}", of(&s) as f64 / s.loops.max(1) as f64);
            out.push(label, Value::Number(removed), true);
        }
    }

    fn join_filter(
        &self,
        out: &mut Out,
        plan: &'p Plan,
        quals: &[Expr],
        stats: Option<NodeStats>,
    ) -> PgResult<()> {
        self.qual(out, plan, "Join Filter", quals, self.prefix())?;
        if !quals.is_empty() {
            self.removed(out, "Rows Removed by Join Filter", stats, |s| s.join_filtered);
        }
        Ok(())
    }

    fn unique_inner(&self, out: &mut Out, unique: bool) {
        if self.options.verbose || self.options.format != Format::Text {
            out.push("Inner Unique", Value::Bool(unique), self.options.verbose && unique);
        }
    }

    fn index_details(
        &self,
        out: &mut Out,
        plan: &'p Plan,
        s: &IndexScan,
        stats: Option<NodeStats>,
    ) -> PgResult<()> {
        let (mut conds, mut orders) = (Vec::new(), Vec::new());
        for q in &s.quals {
            match q {
                IndexQual::OrderBy { original, .. } => orders.push(original.clone()),
                IndexQual::Op { original, .. }
                | IndexQual::Array { original, .. }
                | IndexQual::NullTest { original, .. }
                | IndexQual::Row { original, .. } => conds.push(original.clone()),
            }
        }
        self.qual(out, plan, "Index Cond", &conds, self.options.verbose)?;
        if !conds.is_empty() {
            self.removed(out, "Rows Removed by Index Recheck", stats, |s| s.rechecked);
        }
        self.qual(out, plan, "Order By", &orders, self.options.verbose)
    }

    /// A column of the node's input.
    fn column(&self, plan: &'p Plan, column: i16) -> Option<Expr> {
        let child = match &plan.node {
            PlanNode::MergeAppend { children, .. } => children.first()?,
            _ => plan.left.as_deref()?,
        };
        let t = child.targets.get(column.checked_sub(1)? as usize)?;
        Some(Expr::Var(Var {
            rte: OUTER_VAR,
            attno: column,
            levels_up: 0,
            ty: t.expr.ty(),
            typmod: t.expr.typmod(),
            collation: t.expr.collation(),
            returning: VarReturning::Default,
            syn_rte: 0,
            syn_attno: 0,
            location: -1,
        }))
    }

    fn key(&self, plan: &'p Plan, column: i16) -> PgResult<String> {
        match self.column(plan, column) {
            Some(e) => {
                self.names.enter(plan);
                self.names.print(&e, self.prefix(), true)
            }
            None => Ok(String::new()),
        }
    }

    fn keys(&self, plan: &'p Plan, keys: &[GroupKey]) -> PgResult<Vec<String>> {
        keys.iter().map(|k| self.key(plan, k.column)).collect()
    }

    fn sort_key(&self, plan: &'p Plan, k: &SortKey) -> PgResult<String> {
        let mut text = self.key(plan, k.column)?;
        let catalog = self.names.catalog;
        let ty = self.column(plan, k.column).map_or(Oid::INVALID, |e| e.ty());
        let default_collation = catalog.type_by_oid(ty).map_or(Oid::INVALID, |t| t.typcollation);
        if k.collation.is_valid()
            && k.collation != default_collation
            && let Some(c) = catalog.collation_by_oid(k.collation)
        {
            text += &format!(" COLLATE {}", quote_ident(&c.collname));
        }
        match catalog.operator_by_oid(k.op).map(|o| o.oprname.to_string()).as_deref() {
            _ if k.desc => text += " DESC",
            Some("<" | "~<~") | None => {}
            Some(name) if name.contains('<') => {}
            Some(name) => text += &format!(" USING {name}"),
        }
        if k.nulls_first && !k.desc {
            text += " NULLS FIRST";
        } else if !k.nulls_first && k.desc {
            text += " NULLS LAST";
        }
        Ok(text)
    }

    fn sort_keys(&self, out: &mut Out, plan: &'p Plan, label: &str, keys: &[SortKey]) -> PgResult<()> {
        let texts = keys.iter().map(|k| self.sort_key(plan, k)).collect::<PgResult<Vec<_>>>()?;
        out.list(label, texts);
        Ok(())
    }

    fn agg_details(
        &self,
        out: &mut Out,
        plan: &'p Plan,
        strategy: AggStrategy,
        keys: &[GroupKey],
        sets: &[GroupingSetKeys],
    ) -> PgResult<()> {
        let texts = self.keys(plan, keys)?;
        if sets.is_empty() {
            if !texts.is_empty() {
                out.list("Group Key", texts);
            }
            return Ok(());
        }
        let hashed = |set: &GroupingSetKeys| {
            matches!(strategy, AggStrategy::Hashed | AggStrategy::Mixed) && !set.is_empty()
        };
        for set in sets.iter().filter(|s| hashed(s)).chain(sets.iter().filter(|s| !hashed(s))) {
            let columns: Vec<String> = set.iter().filter_map(|i| texts.get(*i).cloned()).collect();
            let label = if hashed(set) { "Hash Key" } else { "Group Key" };
            if columns.is_empty() { out.text(label, "()") } else { out.list(label, columns) }
        }
        Ok(())
    }

    fn window(
        &self,
        plan: &'p Plan,
        name: &str,
        partition: &[GroupKey],
        order: &[SortKey],
        frame: &FramePlan,
    ) -> PgResult<String> {
        let mut parts = Vec::new();
        if !partition.is_empty() {
            parts.push(format!("PARTITION BY {}", self.keys(plan, partition)?.join(", ")));
        }
        if !order.is_empty() {
            let keys = order.iter().map(|k| self.sort_key(plan, k)).collect::<PgResult<Vec<_>>>()?;
            parts.push(format!("ORDER BY {}", keys.join(", ")));
        }
        if frame.explicit {
            parts.push(self.frame(plan, frame)?);
        }
        Ok(format!("{} AS ({})", quote_ident(name), parts.join(" ")))
    }

    fn frame(&self, plan: &'p Plan, f: &FramePlan) -> PgResult<String> {
        use pglite_ir::query::{FrameExclude, FrameMode};
        let mode = match f.mode {
            FrameMode::Range => "RANGE",
            FrameMode::Rows => "ROWS",
            FrameMode::Groups => "GROUPS",
        };
        let bound = |b: &BoundPlan| -> PgResult<String> {
            Ok(match b {
                BoundPlan::UnboundedPreceding => "UNBOUNDED PRECEDING".into(),
                BoundPlan::CurrentRow => "CURRENT ROW".into(),
                BoundPlan::UnboundedFollowing => "UNBOUNDED FOLLOWING".into(),
                BoundPlan::Preceding(e) => format!("{} PRECEDING", self.print(plan, e, self.prefix())?),
                BoundPlan::Following(e) => format!("{} FOLLOWING", self.print(plan, e, self.prefix())?),
            })
        };
        let (start, end) = (bound(&f.start)?, bound(&f.end)?);
        // PG: the short form where the frame ends at the current row.
        let mut text = match f.end {
            BoundPlan::CurrentRow => format!("{mode} {start}"),
            _ => format!("{mode} BETWEEN {start} AND {end}"),
        };
        text += match f.exclude {
            FrameExclude::NoOthers => "",
            FrameExclude::CurrentRow => " EXCLUDE CURRENT ROW",
            FrameExclude::Group => " EXCLUDE GROUP",
            FrameExclude::Ties => " EXCLUDE TIES",
        };
        Ok(text)
    }

    fn modify_details(&self, out: &mut Out, plan: &'p Plan, m: &ModifyTable) -> PgResult<()> {
        let labelled = m.targets.len() > 1 || m.targets.first().is_some_and(|t| t.rte != m.nominal_rte);
        if labelled && m.command != CommandType::Insert {
            for t in &m.targets {
                let target = self.target_of(&plan.node, t.rte, &mut Vec::new());
                out.lines.push(format!("{}{target}", command_word(m.command)));
            }
        }
        if let Some(c) = &m.on_conflict {
            out.text("Conflict Resolution", if c.update { "UPDATE" } else { "NOTHING" });
            let indexes = m.targets.first().map_or(&[][..], |t| &t.rel.indexes);
            let names: Vec<String> = indexes
                .iter()
                .filter(|i| c.arbiter_indexes.contains(&i.oid))
                .map(|i| i.name.to_string())
                .collect();
            if !names.is_empty() {
                out.list("Conflict Arbiter Indexes", names);
            }
            let filter: Vec<Expr> = c.where_.iter().cloned().collect();
            self.qual(out, plan, "Conflict Filter", &filter, self.prefix())?;
        }
        Ok(())
    }

    // ---- nodes below ----

    fn below(&self, out: &mut Out, plan: &'p Plan, stats: Option<NodeStats>) -> PgResult<()> {
        let stmt = self.names.stmt;
        for init in &plan.init_plans {
            if let Some(sub) = stmt.subplans.get(init.plan as usize)
                && self.printed.borrow_mut().insert(init.plan)
            {
                let mut child = self.node(sub, Some("InitPlan"))?;
                child.hidden("Subplan Name", Value::Text(init.name.clone()));
                out.children.push((Some(init.name.clone()), child));
            }
        }
        if let Some(left) = plan.left.as_deref() {
            let relationship =
                if matches!(plan.node, PlanNode::SubqueryScan { .. }) { "Subquery" } else { "Outer" };
            out.children.push((None, self.node(left, Some(relationship))?));
        }
        if let Some(right) = plan.right.as_deref() {
            let child = match plan.node {
                PlanNode::HashJoin { .. } => self.hash(right, stats)?,
                _ => self.node(right, Some("Inner"))?,
            };
            out.children.push((None, child));
        }
        if let PlanNode::Append { children, .. } | PlanNode::MergeAppend { children, .. } = &plan.node {
            for c in children {
                out.children.push((None, self.node(c, Some("Member"))?));
            }
        }
        let mut subplans = Vec::new();
        for e in exprs(plan) {
            each_subplan(e, &mut |s| subplans.push((s.plan, s.name.clone())));
        }
        for (index, name) in subplans {
            if let Some(sub) = stmt.subplans.get(index as usize)
                && self.printed.borrow_mut().insert(index)
            {
                let mut child = self.node(sub, Some("SubPlan"))?;
                child.hidden("Subplan Name", Value::Text(name.clone()));
                out.children.push((Some(name), child));
            }
        }
        Ok(())
    }

    /// The hash table a hash join builds of its inner side, shown as a node of its own.
    fn hash(&self, right: &'p Plan, join: Option<NodeStats>) -> PgResult<Out> {
        let mut out = Out { title: "Hash".into(), ..Out::default() };
        out.hidden("Node Type", Value::Text("Hash".into()));
        out.hidden("Parent Relationship", Value::Text("Inner".into()));
        out.hidden("Parallel Aware", Value::Bool(false));
        out.hidden("Async Capable", Value::Bool(false));
        self.costs(&mut out, Cost { startup: right.cost.total, ..right.cost });
        let stats = self.ids.get(&(right as *const Plan)).and_then(|i| self.stats.get(*i)).copied();
        self.actual(&mut out, stats.map(|s| NodeStats { startup_nanos: s.total_nanos, ..s }));
        out.hidden("Disabled", Value::Bool(false));
        if let Some(s) = join.filter(|_| self.options.analyze) {
            super::detail::hash(&mut out, &s, self.options.format == Format::Text);
        }
        if self.options.verbose && !right.targets.is_empty() {
            let texts = right
                .targets
                .iter()
                .map(|t| self.print(right, &t.expr, self.prefix()))
                .collect::<PgResult<Vec<_>>>()?;
            out.list("Output", texts);
        }
        out.children.push((None, self.node(right, Some("Outer"))?));
        Ok(out)
    }
}

fn command_word(c: CommandType) -> &'static str {
    match c {
        CommandType::Insert => "Insert",
        CommandType::Update => "Update",
        CommandType::Delete => "Delete",
        CommandType::Merge => "Merge",
        _ => "???",
    }
}

fn join_heading(name: &str, kind: JoinKind, props: &mut Vec<(&'static str, String)>) -> (String, String) {
    let word = match kind {
        JoinKind::Inner => "Inner",
        JoinKind::Left => "Left",
        JoinKind::Full => "Full",
        JoinKind::Right => "Right",
        JoinKind::Semi => "Semi",
        JoinKind::Anti => "Anti",
        JoinKind::RightSemi => "Right Semi",
        JoinKind::RightAnti => "Right Anti",
    };
    props.push(("Join Type", word.to_string()));
    let nested = name == "Nested Loop";
    let text = match kind {
        JoinKind::Inner if nested => name.to_string(),
        JoinKind::Inner => format!("{name} Join"),
        _ => format!("{name} {word} Join"),
    };
    (text, if nested { name.to_string() } else { format!("{name} Join") })
}

/// `outer op inner` as an expression.
fn condition(op: Oid, outer: &Expr, inner: &Expr, collation: Oid) -> Expr {
    Expr::Op(Box::new(OpExpr {
        op,
        func: Oid::INVALID,
        ty: oid::BOOL,
        retset: false,
        collation: Oid::INVALID,
        input_collation: collation,
        args: vec![outer.clone(), inner.clone()],
        location: -1,
    }))
}

fn or(mut quals: Vec<Expr>) -> Expr {
    if quals.len() == 1 {
        return quals.swap_remove(0);
    }
    Expr::Bool { op: pglite_ir::expr::BoolOp::Or, args: quals, location: -1 }
}

/// Conditions on ctid that are no equalities.
fn tid_range(quals: &[Expr]) -> bool {
    const TID_EQ: u32 = 387;
    !quals.is_empty() && quals.iter().all(|q| matches!(q, Expr::Op(o) if o.op.0 != TID_EQ))
}
