//! A session without storage: built-in catalogs, a few tables, and plans printed as EXPLAIN (COSTS OFF) shapes.
#![allow(dead_code)]

use std::sync::Arc;

use pglite_analyze::{AnalyzeEnv, ParamTypes};
use pglite_catalog::{
    AttributeRow, CatalogTxn, ClassRow, IndexRow, RelDesc, SearchPath, Snapshot, create, well_known,
};
use pglite_error::{PgError, PgResult};
use pglite_ir::abi::{CallInfo, Clock, FnCtx, FnHost, SequenceOp, UserKind};
use pglite_ir::plan::{Plan, PlanNode};
use pglite_ir::query::RteKind;
use pglite_ir::{Body, Expr, JoinKind, PlannedStmt};
use pglite_planner::{ColumnStats, PlanOptions, PlannerEnv};
use pglite_types::datetime::{DateOrder, DateStyle, IntervalStyle, TimeZone};
use pglite_types::{Datum, IoSettings, Oid, Row, TypeDesc, TypeEnv, TypeKind, oid, range, typmod};

pub struct Env {
    io: IoSettings,
    catalog: Arc<Snapshot>,
    path: SearchPath,
    pub off: Vec<&'static str>,
}

fn add_table(
    t: &mut CatalogTxn,
    rel: u32,
    name: &str,
    columns: &[(&str, Oid)],
    indexes: &[(&str, &[i16], bool)],
) {
    let s = t.snapshot().clone();
    let mut class: ClassRow =
        create::class(Oid(rel), name, well_known::PUBLIC_SCHEMA, well_known::SUPERUSER, b'r', b'p');
    class.relhasindex = !indexes.is_empty();
    class.relnatts = columns.len() as i16;
    t.insert(class);
    for a in create::system_attributes(&s, Oid(rel)) {
        t.insert(a);
    }
    for (i, (n, ty)) in columns.iter().enumerate() {
        let collation = if *ty == oid::TEXT { well_known::COLL_DEFAULT } else { Oid::INVALID };
        let a: AttributeRow = create::attribute(&s, Oid(rel), i as i16 + 1, n, *ty, -1, collation, 0);
        t.insert(a);
    }
    for (i, (n, keys, unique)) in indexes.iter().enumerate() {
        let ioid = Oid(rel + 1 + i as u32);
        let mut c = create::class(ioid, n, well_known::PUBLIC_SCHEMA, well_known::SUPERUSER, b'i', b'p');
        c.relam = well_known::AM_BTREE;
        t.insert(c);
        let types: Vec<Oid> = keys.iter().map(|k| columns[*k as usize - 1].1).collect();
        let mut row = IndexRow {
            indexrelid: ioid,
            indrelid: Oid(rel),
            indnatts: keys.len() as i16,
            indnkeyatts: keys.len() as i16,
            indisunique: *unique,
            indisprimary: *unique,
            indimmediate: true,
            indisvalid: true,
            indisready: true,
            indislive: true,
            ..IndexRow::default()
        };
        row.indkey = keys.to_vec().into();
        row.indclass = types
            .iter()
            .map(|ty| s.default_opclass(well_known::AM_BTREE, *ty).unwrap().oid)
            .collect::<Vec<_>>()
            .into();
        row.indcollation = types
            .iter()
            .map(|ty| if *ty == oid::TEXT { well_known::COLL_DEFAULT } else { Oid::INVALID })
            .collect::<Vec<_>>()
            .into();
        row.indoption = vec![0i16; keys.len()].into();
        t.insert(row);
        for (j, k) in keys.iter().enumerate() {
            let (cn, ty) = columns[*k as usize - 1];
            t.insert(create::attribute(&s, ioid, j as i16 + 1, cn, ty, -1, Oid::INVALID, 0));
        }
    }
}

impl Env {
    pub fn new() -> Env {
        let mut t = CatalogTxn::new(Snapshot::builtin(well_known::DB_POSTGRES));
        let abc = [("a", oid::INT4), ("b", oid::INT4), ("c", oid::TEXT)];
        add_table(&mut t, 20000, "t1", &abc, &[("t1_pkey", &[1], true), ("t1_b_idx", &[2], false)]);
        add_table(&mut t, 20010, "t2", &abc, &[("t2_pkey", &[1], true), ("t2_b_c_idx", &[2, 3], false)]);
        add_table(&mut t, 20020, "t3", &abc, &[]);
        add_table(
            &mut t,
            20030,
            "t4",
            &[("x", oid::INT8), ("y", oid::NUMERIC), ("z", oid::TIMESTAMPTZ)],
            &[("t4_x_idx", &[1], false)],
        );
        let catalog = Arc::new(t.snapshot().clone());
        let path = SearchPath::resolve(&catalog, "public", well_known::SUPERUSER, None);
        Env {
            io: IoSettings {
                date_style: DateStyle::Iso,
                date_order: DateOrder::Mdy,
                interval_style: IntervalStyle::Postgres,
                timezone: TimeZone::lookup("UTC").unwrap(),
                extra_float_digits: 1,
                bytea_hex: true,
                xml_document: false,
                quote_all_identifiers: false,
                array_nulls: true,
            },
            catalog,
            path,
            off: Vec::new(),
        }
    }

    pub fn plan_query(&self, query: pglite_ir::Query) -> PgResult<PlannedStmt> {
        pglite_planner::plan(self, query, PlanOptions::default())
    }

    /// Analyzes, rewrites and plans one statement.
    pub fn plan(&self, sql: &str) -> PgResult<PlannedStmt> {
        self.plan_query(self.query(sql)?)
    }

    /// Analyzes and rewrites one statement.
    pub fn query(&self, sql: &str) -> PgResult<pglite_ir::Query> {
        let parsed = pglite_parser::parse(sql, &Default::default())?;
        let mut params = ParamTypes::variable(&[]);
        let raw = parsed.stmts.first().ok_or_else(|| PgError::internal("no statement"))?;
        let query = pglite_analyze::analyze(self, raw, sql, &mut params)?;
        Ok(pglite_analyze::rewrite(self, query)?.swap_remove(0))
    }

    /// The plan's shape, one node a line.
    pub fn shape(&self, sql: &str) -> String {
        match self.plan(sql) {
            Ok(p) => {
                let mut out = String::new();
                check_vars(&p.plan);
                p.subplans.iter().for_each(check_vars);
                print(&p, &p.plan, 0, &mut out);
                out
            }
            Err(e) => format!("ERROR: {e}\n"),
        }
    }
}

/// Every input reference is within the input's target list.
fn check_vars(plan: &Plan) {
    let (l, r) = (
        plan.left.as_ref().map_or(0, |p| p.targets.len()),
        plan.right.as_ref().map_or(0, |p| p.targets.len()),
    );
    let check = |e: &Expr| {
        pglite_ir::walk::contains(e, &|e| {
            if let Expr::Var(v) = e {
                match v.rte {
                    pglite_ir::expr::OUTER_VAR
                        if !matches!(plan.node, PlanNode::Append { .. } | PlanNode::MergeAppend { .. }) =>
                    {
                        assert!(v.attno > 0 && v.attno as usize <= l, "{v:?} of {:?}", plan.node)
                    }
                    pglite_ir::expr::INNER_VAR => {
                        assert!(v.attno > 0 && v.attno as usize <= r, "{v:?} of {:?}", plan.node)
                    }
                    _ => {}
                }
            }
            false
        });
    };
    plan.targets.iter().for_each(|t| check(&t.expr));
    plan.qual.iter().for_each(check);
    [&plan.left, &plan.right].into_iter().flatten().for_each(|p| check_vars(p));
    if let PlanNode::Append { children, .. } | PlanNode::MergeAppend { children, .. } = &plan.node {
        children.iter().for_each(check_vars);
    }
}

fn join_name(kind: &JoinKind, what: &str) -> String {
    let k = match kind {
        JoinKind::Inner => "",
        JoinKind::Left => " Left",
        JoinKind::Full => " Full",
        JoinKind::Right => " Right",
        JoinKind::Semi => " Semi",
        JoinKind::Anti => " Anti",
        JoinKind::RightSemi => " Right Semi",
        JoinKind::RightAnti => " Right Anti",
    };
    match (what, k) {
        ("Nested Loop", "") => "Nested Loop".into(),
        ("Nested Loop", k) => format!("Nested Loop{k} Join"),
        (w, k) => format!("{w}{k} Join"),
    }
}

fn print(stmt: &PlannedStmt, plan: &Plan, depth: usize, out: &mut String) {
    use PlanNode as N;
    let alias = |rte: u32| {
        let r = &stmt.rtable[rte as usize - 1];
        let name = match &r.kind {
            RteKind::Relation { rel, .. } => rel.name.to_string(),
            _ => String::new(),
        };
        match &r.alias {
            Some(a) if a.name != name && !name.is_empty() => format!("{name} {}", a.name),
            Some(a) => a.name.clone(),
            None if name.is_empty() => r.eref.name.clone(),
            None => name,
        }
    };
    let index_name = |s: &pglite_ir::plan::IndexScan| {
        s.rel.indexes.iter().find(|i| i.oid == s.index).map_or(String::new(), |i| i.name.to_string())
    };
    let line = match &plan.node {
        N::Result { .. } => "Result".into(),
        N::SeqScan { rte, .. } => format!("Seq Scan on {}", alias(*rte)),
        N::IndexScan(s) => format!("Index Scan{} using {} on {}", back(s), index_name(s), alias(s.rte)),
        N::IndexOnlyScan(s) => {
            format!("Index Only Scan{} using {} on {}", back(s), index_name(s), alias(s.rte))
        }
        N::SubqueryScan { rte } => format!("Subquery Scan on {}", alias(*rte)),
        N::FunctionScan { rte, .. } => format!("Function Scan on {}", alias(*rte)),
        N::ValuesScan { rte, .. } => format!("Values Scan on {}", alias(*rte)),
        N::CteScan { name, .. } => format!("CTE Scan on {name}"),
        N::WorkTableScan { name, .. } => format!("WorkTable Scan on {name}"),
        N::NestLoop { kind, .. } => join_name(kind, "Nested Loop"),
        N::MergeJoin { kind, .. } => join_name(kind, "Merge"),
        N::HashJoin { kind, .. } => join_name(kind, "Hash"),
        N::Agg { strategy, sets, .. } => {
            let s = match strategy {
                pglite_ir::plan::AggStrategy::Plain => "Aggregate",
                pglite_ir::plan::AggStrategy::Sorted => "GroupAggregate",
                pglite_ir::plan::AggStrategy::Hashed => "HashAggregate",
                pglite_ir::plan::AggStrategy::Mixed => "MixedAggregate",
            };
            let _ = sets;
            s.to_string()
        }
        N::SetOp { kind, strategy, all, .. } => format!(
            "{} {:?}{}",
            if *strategy == pglite_ir::plan::SetOpStrategy::Hashed { "HashSetOp" } else { "SetOp" },
            kind,
            if *all { " All" } else { "" }
        ),
        N::ModifyTable(m) => format!("{:?} on {}", m.command, alias(m.nominal_rte)),
        N::RecursiveUnion { .. } => "Recursive Union".into(),
        N::IncrementalSort { .. } => "Incremental Sort".into(),
        N::MergeAppend { .. } => "Merge Append".into(),
        N::Append { .. } => "Append".into(),
        N::Material => "Materialize".into(),
        N::TidScan { rte, .. } => format!("Tid Scan on {}", alias(*rte)),
        other => {
            let s = format!("{other:?}");
            s.split([' ', '{', '(']).next().unwrap_or("").to_string()
        }
    };
    out.push_str(&"  ".repeat(depth));
    out.push_str(&line);
    out.push('\n');
    for i in &plan.init_plans {
        out.push_str(&format!("{}{}\n", "  ".repeat(depth + 1), i.name));
        print(stmt, &stmt.subplans[i.plan as usize], depth + 2, out);
    }
    for (i, c) in [&plan.left, &plan.right].into_iter().enumerate() {
        let Some(c) = c else { continue };
        let hash = i == 1 && matches!(plan.node, N::HashJoin { .. });
        if hash {
            out.push_str(&format!("{}Hash\n", "  ".repeat(depth + 1)));
        }
        print(stmt, c, depth + 1 + usize::from(hash), out);
    }
    if let N::Append { children, .. } | N::MergeAppend { children, .. } = &plan.node {
        children.iter().for_each(|c| print(stmt, c, depth + 1, out));
    }
    let mut subs: Vec<(u32, String)> = Vec::new();
    for e in plan.targets.iter().map(|t| &t.expr).chain(&plan.qual) {
        find_subplans(e, &mut subs);
    }
    for (n, name) in subs {
        out.push_str(&format!("{}{}\n", "  ".repeat(depth + 1), name));
        print(stmt, &stmt.subplans[n as usize], depth + 2, out);
    }
}

fn find_subplans(e: &Expr, out: &mut Vec<(u32, String)>) {
    if let Expr::SubPlan(s) = e
        && !out.iter().any(|x| x.0 == s.plan)
    {
        out.push((s.plan, s.name.clone()));
    }
    pglite_ir::walk::any_child(e, &mut |c| {
        find_subplans(c, out);
        false
    });
}

fn back(s: &pglite_ir::plan::IndexScan) -> &'static str {
    if s.direction == pglite_ir::plan::ScanDirection::Backward { " Backward" } else { "" }
}

impl PlannerEnv for Env {
    fn catalog(&self) -> &Arc<Snapshot> {
        &self.catalog
    }
    fn setting_bool(&self, name: &str) -> Option<bool> {
        self.off.contains(&name).then_some(false)
    }
    fn setting_int(&self, _: &str) -> Option<i64> {
        None
    }
    fn setting_real(&self, _: &str) -> Option<f64> {
        None
    }
    fn relation_size(&self, rel: &RelDesc) -> (f64, f64) {
        if rel.kind == b'i' {
            return (1.0, 0.0);
        }
        if rel.is_catalog {
            return (f64::from(rel.pages.max(1)), f64::from(rel.tuples.max(100.0)));
        }
        let width: f64 = rel
            .columns
            .iter()
            .map(|c| match c.type_oid {
                oid::INT4 => 4.0,
                oid::INT8 | oid::TIMESTAMPTZ => 8.0,
                _ => 32.0,
            })
            .sum();
        (10.0, (10.0 * (8168.0f64 / (width + 28.0)).floor()).floor())
    }
    fn eval_const(&self, expr: &Expr) -> PgResult<Datum> {
        eval(self, expr)
    }
    fn column_stats(&self, _: Oid, _: i16) -> Option<Arc<ColumnStats>> {
        None
    }
}

/// Calls of built-in scalar functions on constants; enough for folding.
fn eval(env: &Env, e: &Expr) -> PgResult<Datum> {
    let call = |func: Oid, ret: Oid, collation: Oid, args: &[Expr]| -> PgResult<Datum> {
        let row = env.catalog.proc_by_oid(func).ok_or_else(|| PgError::internal("no function"))?;
        let values = args.iter().map(|a| eval(env, a)).collect::<PgResult<Vec<_>>>()?;
        if row.proisstrict && values.iter().any(Datum::is_null) {
            return Ok(Datum::Null);
        }
        let info = CallInfo {
            func,
            ret_type: ret,
            arg_types: args.iter().map(Expr::ty).collect(),
            collation,
            ..CallInfo::default()
        };
        match pglite_functions::body(&row.prosrc) {
            Some(Body::Scalar(f)) => f(&FnCtx { host: env, call: &info }, &values),
            _ => Err(PgError::unsupported(format!("no body for {}", &*row.prosrc))),
        }
    };
    match e {
        Expr::Const(c) => Ok(c.value.clone()),
        Expr::Func(f) => call(f.func, f.ty, f.input_collation, &f.args),
        Expr::Op(o) => call(o.func, o.ty, o.input_collation, &o.args),
        Expr::Relabel { arg, .. } => eval(env, arg),
        Expr::Array { elements, elem_type, .. } => {
            let values = elements.iter().map(|x| eval(env, x)).collect::<PgResult<Vec<_>>>()?;
            Ok(Datum::Array(Arc::new(pglite_types::array::ArrayValue::one_dim(*elem_type, values))))
        }
        _ => Err(PgError::unsupported("constant expression in a test")),
    }
}

impl AnalyzeEnv for Env {
    fn catalog(&self) -> &Arc<Snapshot> {
        &self.catalog
    }
    fn search_path(&self) -> &SearchPath {
        &self.path
    }
    fn type_env(&self) -> &dyn TypeEnv {
        self
    }
    fn current_user(&self) -> Oid {
        well_known::SUPERUSER
    }
    fn setting(&self, _: &str) -> Option<String> {
        None
    }
    fn notice(&self, _: PgError) {}
}

impl TypeEnv for Env {
    fn settings(&self) -> &IoSettings {
        &self.io
    }
    fn type_desc(&self, t: Oid) -> PgResult<Arc<TypeDesc>> {
        let elem = typmod::builtin_elem(t);
        let subtype = range::builtin_subtype(t);
        let name = typmod::format_type(t, -1).ok_or_else(|| PgError::internal(format!("no type {t}")))?;
        Ok(Arc::new(TypeDesc {
            oid: t,
            name: name.into(),
            kind: TypeKind::Base,
            len: -1,
            delim: b',',
            elem: elem.unwrap_or(Oid::INVALID),
            array: Oid::INVALID,
            base: Oid::INVALID,
            base_typmod: -1,
            attrs: Arc::new([]),
            labels: Arc::new([]),
            subtype: subtype.unwrap_or_default(),
            collation: Oid::INVALID,
        }))
    }
    fn transaction_timestamp(&self) -> i64 {
        817_000_000_000_000
    }
    fn reg_in(&self, _: Oid, name: &str) -> PgResult<Oid> {
        self.catalog
            .class_by_name(well_known::PG_CATALOG, name)
            .map(|c| c.oid)
            .ok_or_else(|| PgError::internal(name))
    }
    fn reg_out(&self, _: Oid, o: Oid) -> PgResult<String> {
        Ok(o.to_string())
    }
    fn check_domain(&self, _: Oid, _: &Datum) -> PgResult<()> {
        Ok(())
    }
}

impl FnHost for Env {
    fn catalog(&self) -> &Arc<Snapshot> {
        &self.catalog
    }
    fn setting(&self, _: &str) -> Option<String> {
        None
    }
    fn set_setting(&self, _: &str, _: &str, _: bool) -> PgResult<String> {
        Err(PgError::unsupported("set_config"))
    }
    fn clock(&self, _: Clock) -> i64 {
        817_000_000_000_000
    }
    fn user(&self, _: UserKind) -> Oid {
        well_known::SUPERUSER
    }
    fn sequence(&self, _: Oid, _: SequenceOp) -> PgResult<(i64, bool)> {
        Err(PgError::unsupported("sequence"))
    }
    fn notice(&self, _: PgError) {}
    fn random(&self) -> u64 {
        4
    }
    fn run_query(&self, _: &str, _: &[(Oid, Datum)]) -> PgResult<Vec<Row>> {
        Err(PgError::unsupported("run_query"))
    }
    fn service(&self, _: &str, _: &[Datum]) -> PgResult<Vec<Row>> {
        Err(PgError::unsupported("service"))
    }
    fn call(&self, _: Oid, _: Oid, _: &[Datum]) -> PgResult<Datum> {
        Err(PgError::unsupported("call"))
    }
    fn check_interrupts(&self) -> PgResult<()> {
        Ok(())
    }
}
