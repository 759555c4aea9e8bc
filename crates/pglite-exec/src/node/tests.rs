//! Plans by hand over an in-memory database.

use std::sync::Arc;

use pglite_catalog::RelDesc;
use pglite_ir::expr::*;
use pglite_ir::plan::*;
use pglite_ir::query::{CommandType, FrameExclude, FrameMode, JoinKind, SetOpKind};
use pglite_types::*;

use super::testing::*;
use crate::env::TableExprs;

fn show(rows: &[Row]) -> Vec<String> {
    let one = |d: &Datum| match d {
        Datum::Null => "-".to_string(),
        Datum::Int2(v) => v.to_string(),
        Datum::Int4(v) => v.to_string(),
        Datum::Int8(v) => v.to_string(),
        Datum::Bool(v) => v.to_string(),
        Datum::Text(s) => s.to_string(),
        Datum::Numeric(n) => {
            let mut s = String::new();
            pglite_types::numeric::write_text(n, &mut s);
            s
        }
        other => format!("{other:?}"),
    };
    rows.iter().map(|r| r.iter().map(one).collect::<Vec<_>>().join(" ")).collect()
}

fn two_ints(oid: u32) -> Arc<RelDesc> {
    table(oid, &[("a", oid::INT4), ("b", oid::INT4)], &[(oid + 1, true, &[1])])
}

fn insert(
    db: &Db,
    txn: &pglite_txn::Transaction,
    rel: &Arc<RelDesc>,
    rows: &[(i32, Option<i32>)],
) -> PgResultCount {
    let rows = rows.iter().map(|(a, b)| vec![int(*a), b.map_or(Expr::null(oid::INT4), int)]).collect();
    db.run(txn, modify(CommandType::Insert, rel, values(rows), 0, Vec::new())).map(|r| r.1)
}

type PgResultCount = pglite_error::PgResult<u64>;

fn scan(rel: &Arc<RelDesc>) -> Plan {
    plan(PlanNode::SeqScan { rte: 1, rel: rel.clone() }, vec![var(1, 1, oid::INT4), var(1, 2, oid::INT4)])
}

fn fixture() -> (Db, pglite_txn::Transaction, Arc<RelDesc>) {
    let db = Db::new();
    let txn = db.begin();
    let rel = two_ints(20000);
    insert(&db, &txn, &rel, &[(3, Some(30)), (1, Some(10)), (2, None), (4, Some(10))]).unwrap();
    (db, txn, rel)
}

fn sort_key(column: i16, desc: bool) -> SortKey {
    let op = op_oid(if desc { ">" } else { "<" }, oid::INT4);
    SortKey { column, op, eq_op: op_oid("=", oid::INT4), collation: Oid(0), desc, nulls_first: desc }
}

fn group_key(column: i16) -> GroupKey {
    GroupKey { column, eq_op: op_oid("=", oid::INT4), collation: Oid(0) }
}

fn both() -> Vec<Expr> {
    vec![outer(1, oid::INT4), outer(2, oid::INT4)]
}

#[test]
fn inserts_and_scans_in_order() {
    let (db, txn, rel) = fixture();
    let (rows, _) = db.run(&txn, select(scan(&rel))).unwrap();
    assert_eq!(show(&rows), ["3 30", "1 10", "2 -", "4 10"]);
    let mut filtered = scan(&rel);
    filtered.qual = vec![op(">=", var(1, 2, oid::INT4), int(10)), op("<>", var(1, 1, oid::INT4), int(3))];
    assert_eq!(show(&db.run(&txn, select(filtered)).unwrap().0), ["1 10", "4 10"]);
}

#[test]
fn unique_and_not_null_and_check_errors() {
    let (db, txn, rel) = fixture();
    let e = insert(&db, &txn, &rel, &[(1, None)]).unwrap_err();
    assert_eq!(e.code().as_str(), "23505");
    assert_eq!(e.message(), "duplicate key value violates unique constraint \"index_20001\"");
    assert_eq!(e.fields().detail.as_deref(), Some("Key (a)=(1) already exists."));

    let mut desc = (*two_ints(20010)).clone();
    desc.columns[0].not_null = true;
    let rel = Arc::new(desc);
    let rows = values(vec![vec![Expr::null(oid::INT4), int(5)]]);
    let e = db.run(&txn, modify(CommandType::Insert, &rel, rows, 0, Vec::new())).unwrap_err();
    assert_eq!(e.message(), "null value in column \"a\" of relation \"t20010\" violates not-null constraint");
    assert_eq!(e.fields().detail.as_deref(), Some("Failing row contains (null, 5)."));

    let check = op("<", var(1, 2, oid::INT4), int(100));
    let exprs = TableExprs { checks: vec![("small".into(), check)], ..TableExprs::default() };
    db.exprs.borrow_mut().insert(rel.oid, Arc::new(exprs));
    let e = insert(&db, &txn, &rel, &[(1, Some(100))]).unwrap_err();
    assert_eq!(e.message(), "new row for relation \"t20010\" violates check constraint \"small\"");
    assert_eq!(e.fields().detail.as_deref(), Some("Failing row contains (1, 100)."));
}

#[test]
fn updates_and_deletes() {
    let (db, txn, rel) = fixture();
    let mut child = plan(
        PlanNode::SeqScan { rte: 1, rel: rel.clone() },
        vec![op("+", var(1, 1, oid::INT4), int(10)), var(1, sysattr::ROWID, oid::INT8)],
    );
    child.qual = vec![op("=", var(1, 2, oid::INT4), int(10))];
    let (_, n) = db.run(&txn, modify(CommandType::Update, &rel, child, 2, vec![1])).unwrap();
    assert_eq!(n, 2);
    assert_eq!(show(&db.run(&txn, select(scan(&rel))).unwrap().0), ["3 30", "2 -", "11 10", "14 10"]);
    let mut child =
        plan(PlanNode::SeqScan { rte: 1, rel: rel.clone() }, vec![var(1, sysattr::ROWID, oid::INT8)]);
    child.qual = vec![op(">", var(1, 1, oid::INT4), int(10))];
    assert_eq!(db.run(&txn, modify(CommandType::Delete, &rel, child, 1, Vec::new())).unwrap().1, 2);
    assert_eq!(show(&db.run(&txn, select(scan(&rel))).unwrap().0), ["3 30", "2 -"]);
    // The keys are free again.
    insert(&db, &txn, &rel, &[(11, None), (1, None)]).unwrap();
}

#[test]
fn index_scans() {
    let (db, txn, rel) = fixture();
    let run = |quals: Vec<IndexQual>, direction: ScanDirection| {
        let s =
            IndexScan { rte: 1, rel: rel.clone(), index: Oid(20001), quals, direction, recheck: Vec::new() };
        let p = plan(PlanNode::IndexScan(Box::new(s)), vec![var(1, 1, oid::INT4), var(1, 2, oid::INT4)]);
        show(&db.run(&txn, select(p)).unwrap().0)
    };
    let qual = |strategy: i16, name: &str, value: Expr| IndexQual::Op {
        column: 1,
        op: op_oid(name, oid::INT4),
        strategy,
        original: op(name, var(1, 1, oid::INT4), value.clone()),
        value,
    };
    assert_eq!(run(vec![], ScanDirection::Forward), ["1 10", "2 -", "3 30", "4 10"]);
    assert_eq!(run(vec![qual(3, "=", int(3))], ScanDirection::Forward), ["3 30"]);
    assert_eq!(
        run(vec![qual(5, ">", int(1)), qual(2, "<=", int(3))], ScanDirection::Backward),
        ["3 30", "2 -"]
    );
    // An int8 value past int4: nothing equals it, everything is below it.
    let big = Expr::constant(oid::INT8, Datum::Int8(1 << 40));
    assert_eq!(run(vec![qual(1, "<", big.clone())], ScanDirection::Forward).len(), 4);
    assert!(run(vec![qual(3, "=", big)], ScanDirection::Forward).is_empty());
    let array = array::ArrayValue::one_dim(oid::INT4, vec![Datum::Int4(4), Datum::Int4(1), Datum::Int4(4)]);
    let any = IndexQual::Array {
        column: 1,
        op: op_oid("=", oid::INT4),
        strategy: 3,
        array: Expr::constant(oid::INT4_ARRAY, Datum::Array(Arc::new(array))),
        original: Expr::bool(true),
    };
    assert_eq!(run(vec![any], ScanDirection::Forward), ["1 10", "4 10"]);
    let only = IndexScan {
        rte: 1,
        rel: rel.clone(),
        index: Oid(20001),
        quals: vec![],
        direction: ScanDirection::Forward,
        recheck: vec![],
    };
    let p = plan(PlanNode::IndexOnlyScan(Box::new(only)), vec![var(INDEX_VAR, 1, oid::INT4)]);
    assert_eq!(show(&db.run(&txn, select(p)).unwrap().0), ["1", "2", "3", "4"]);
}

#[test]
fn sorts_limits_and_ties() {
    let (db, txn, rel) = fixture();
    let sorted = || above(PlanNode::Sort { keys: vec![sort_key(2, false)] }, scan(&rel), both());
    assert_eq!(show(&db.run(&txn, select(sorted())).unwrap().0), ["1 10", "4 10", "3 30", "2 -"]);
    let limit = |n: i64, offset: i64, ties: Vec<GroupKey>| {
        let e = |v: i64| Some(Expr::constant(oid::INT8, Datum::Int8(v)));
        let p = above(PlanNode::Limit { limit: e(n), offset: e(offset), ties }, sorted(), both());
        show(&db.run(&txn, select(p)).unwrap().0)
    };
    assert_eq!(limit(2, 1, vec![]), ["4 10", "3 30"]);
    assert_eq!(limit(1, 0, vec![group_key(2)]), ["1 10", "4 10"]);
    assert!(limit(0, 0, vec![]).is_empty());
    let desc = above(PlanNode::Sort { keys: vec![sort_key(2, true)] }, scan(&rel), both());
    assert_eq!(show(&db.run(&txn, select(desc)).unwrap().0)[0], "2 -");
}

fn agg(
    strategy: AggStrategy,
    keys: Vec<GroupKey>,
    sets: Vec<Vec<usize>>,
    left: Plan,
    exprs: Vec<Expr>,
) -> Plan {
    above(PlanNode::Agg { strategy, keys, sets, num_groups: 1.0 }, left, exprs)
}

#[test]
fn aggregates() {
    let (db, txn, rel) = fixture();
    let a = || outer(1, oid::INT4);
    let b = || outer(2, oid::INT4);
    let exprs = vec![
        aggref("count", vec![]),
        aggref("sum", vec![b()]),
        aggref("min", vec![a()]),
        aggref("max", vec![b()]),
        aggref("avg", vec![a()]),
    ];
    let p = agg(AggStrategy::Plain, vec![], vec![], scan(&rel), exprs);
    assert_eq!(show(&db.run(&txn, select(p)).unwrap().0), ["4 50 1 30 2.5000000000000000"]);
    let exprs = || vec![b(), aggref("count", vec![]), aggref("sum", vec![a()])];
    let hashed = agg(AggStrategy::Hashed, vec![group_key(2)], vec![], scan(&rel), exprs());
    assert_eq!(show(&db.run(&txn, select(hashed)).unwrap().0), ["30 1 3", "10 2 5", "- 1 2"]);
    let sorted = above(PlanNode::Sort { keys: vec![sort_key(2, false)] }, scan(&rel), both());
    let rollup = agg(AggStrategy::Sorted, vec![group_key(2)], vec![vec![0], vec![]], sorted, exprs());
    assert_eq!(show(&db.run(&txn, select(rollup)).unwrap().0), ["10 2 5", "30 1 3", "- 1 2", "- 4 10"]);
    let mut none = scan(&rel);
    none.qual = vec![op("<", var(1, 1, oid::INT4), int(0))];
    let p = agg(
        AggStrategy::Plain,
        vec![],
        vec![],
        none,
        vec![aggref("count", vec![]), aggref("sum", vec![b()])],
    );
    assert_eq!(show(&db.run(&txn, select(p)).unwrap().0), ["0 -"]);
}

#[test]
fn joins_of_every_kind_agree() {
    let (db, txn, rel) = fixture();
    let other = two_ints(20020);
    insert(&db, &txn, &other, &[(1, Some(100)), (3, Some(300)), (9, Some(900)), (10, None)]).unwrap();
    let sorted =
        |rel: &Arc<RelDesc>| above(PlanNode::Sort { keys: vec![sort_key(1, false)] }, scan(rel), both());
    let exprs = || vec![outer(1, oid::INT4), var(INNER_VAR, 2, oid::INT4)];
    let key = |rte: u32| var(rte, 1, oid::INT4);
    let hash = |kind: JoinKind| {
        let keys = vec![HashKey {
            outer: key(OUTER_VAR),
            inner: key(INNER_VAR),
            op: op_oid("=", oid::INT4),
            collation: Oid(0),
        }];
        let node = PlanNode::HashJoin { kind, join_qual: vec![], keys, inner_unique: false };
        let mut p = above(node, sorted(&rel), exprs());
        p.right = Some(Box::new(sorted(&other)));
        let mut rows = show(&db.run(&txn, select(p)).unwrap().0);
        rows.sort();
        rows
    };
    let merge = |kind: JoinKind| {
        let keys = vec![MergeKey {
            outer: key(OUTER_VAR),
            inner: key(INNER_VAR),
            op: op_oid("<", oid::INT4),
            family: Oid(1976),
            collation: Oid(0),
            desc: false,
            nulls_first: false,
        }];
        let node =
            PlanNode::MergeJoin { kind, join_qual: vec![], keys, inner_unique: false, skip_mark: false };
        let mut p = above(node, sorted(&rel), exprs());
        p.right = Some(Box::new(sorted(&other)));
        let mut rows = show(&db.run(&txn, select(p)).unwrap().0);
        rows.sort();
        rows
    };
    let nest = |kind: JoinKind| {
        let join_qual = vec![op("=", key(OUTER_VAR), key(INNER_VAR))];
        let node = PlanNode::NestLoop { kind, join_qual, params: vec![], inner_unique: false };
        let mut p = above(node, sorted(&rel), exprs());
        p.right = Some(Box::new(above(PlanNode::Material, sorted(&other), both())));
        let mut rows = show(&db.run(&txn, select(p)).unwrap().0);
        rows.sort();
        rows
    };
    assert_eq!(hash(JoinKind::Inner), ["1 100", "3 300"]);
    assert_eq!(hash(JoinKind::Left), ["1 100", "2 -", "3 300", "4 -"]);
    assert_eq!(hash(JoinKind::Right), ["- -", "- 900", "1 100", "3 300"]);
    assert_eq!(hash(JoinKind::Full), ["- -", "- 900", "1 100", "2 -", "3 300", "4 -"]);
    assert_eq!(hash(JoinKind::Anti), ["2 -", "4 -"]);
    for kind in
        [JoinKind::Inner, JoinKind::Left, JoinKind::Right, JoinKind::Full, JoinKind::Anti, JoinKind::Semi]
    {
        assert_eq!(merge(kind), hash(kind), "{kind:?}");
    }
    for kind in [JoinKind::Inner, JoinKind::Left, JoinKind::Anti, JoinKind::Semi] {
        assert_eq!(nest(kind), hash(kind), "{kind:?}");
    }
    assert_eq!(merge(JoinKind::RightAnti), hash(JoinKind::RightAnti));
}

#[test]
fn set_operations() {
    let (db, txn, _) = fixture();
    let rows = |v: &[i32]| values(v.iter().map(|i| vec![int(*i)]).collect());
    let run = |kind: SetOpKind, all: bool| {
        let node =
            PlanNode::SetOp { kind, all, strategy: SetOpStrategy::Hashed, keys: vec![sort_key(1, false)] };
        let mut p = above(node, rows(&[1, 2, 2, 3, 2]), vec![outer(1, oid::INT4)]);
        p.right = Some(Box::new(rows(&[2, 2, 4])));
        show(&db.run(&txn, select(p)).unwrap().0)
    };
    assert_eq!(run(SetOpKind::Intersect, false), ["2"]);
    assert_eq!(run(SetOpKind::Intersect, true), ["2", "2"]);
    assert_eq!(run(SetOpKind::Except, false), ["1", "3"]);
    assert_eq!(run(SetOpKind::Except, true), ["1", "2", "3"]);
}

#[test]
fn window_frames() {
    let (db, txn, rel) = fixture();
    let sorted = above(PlanNode::Sort { keys: vec![sort_key(1, false)] }, scan(&rel), both());
    let catalog = pglite_catalog::Snapshot::builtin(Oid(5));
    let func = |name: &str, args: Vec<Expr>, is_agg: bool| {
        let types: Vec<Oid> = args.iter().map(Expr::ty).collect();
        let row = catalog.proc_exact(Oid(11), name, &types).unwrap();
        Expr::WindowFunc(Box::new(WindowFunc {
            func: row.oid,
            ty: row.prorettype,
            collation: Oid(0),
            input_collation: Oid(0),
            args,
            filter: None,
            winref: 1,
            star: false,
            is_agg,
            location: -1,
        }))
    };
    let e = |v: i64| Expr::constant(oid::INT8, Datum::Int8(v));
    let frame = FramePlan {
        explicit: true,
        mode: FrameMode::Rows,
        start: BoundPlan::Preceding(e(1)),
        end: BoundPlan::CurrentRow,
        exclude: FrameExclude::NoOthers,
        start_in_range: Oid(0),
        end_in_range: Oid(0),
        in_range_collation: Oid(0),
        in_range_asc: true,
        in_range_nulls_first: false,
    };
    let node = PlanNode::WindowAgg {
        winref: 1,
        partition: vec![],
        order: vec![sort_key(1, false)],
        frame: Box::new(frame),
        run_condition: vec![],
        name: "w".into(),
    };
    let exprs = vec![
        outer(1, oid::INT4),
        func("row_number", vec![], false),
        func("sum", vec![outer(1, oid::INT4)], true),
        func("count", vec![], true),
    ];
    let p = above(node, sorted, exprs);
    assert_eq!(show(&db.run(&txn, select(p)).unwrap().0), ["1 1 1 1", "2 2 3 2", "3 3 5 2", "4 4 7 2"]);
}

#[test]
fn volatile_functions_run_no_further_than_asked() {
    let (db, txn, rel) = fixture();
    let mut child = scan(&rel);
    child.targets = targets(vec![Expr::NextValue { seq: Oid(1), ty: oid::INT8 }]);
    let limit = Some(Expr::constant(oid::INT8, Datum::Int8(2)));
    let inner = above(PlanNode::SubqueryScan { rte: 2 }, child, vec![var(2, 1, oid::INT8)]);
    let p = above(PlanNode::Limit { limit, offset: None, ties: vec![] }, inner, vec![outer(1, oid::INT8)]);
    assert_eq!(show(&db.run(&txn, select(p)).unwrap().0), ["1", "2"]);
    assert_eq!(db.sequence.get(), 2);
}

#[test]
fn recursive_union_counts() {
    let (db, txn, _) = fixture();
    let work = plan(
        PlanNode::WorkTableScan { rte: 1, param: 0, name: "r".into() },
        vec![op("+", var(1, 1, oid::INT4), int(1))],
    );
    let mut work = work;
    work.qual = vec![op("<", var(1, 1, oid::INT4), int(5))];
    let mut p = above(
        PlanNode::RecursiveUnion { param: 0, distinct: vec![] },
        values(vec![vec![int(1)]]),
        vec![outer(1, oid::INT4)],
    );
    p.right = Some(Box::new(work));
    let mut s = select(p);
    s.rtable.clear();
    assert_eq!(show(&db.run(&txn, s).unwrap().0), ["1", "2", "3", "4", "5"]);
}

/// Not a test of correctness: prints what the speed targets ask for. Run in release with `--nocapture`.
#[test]
#[allow(clippy::disallowed_methods)]
fn speed_of_count_and_sum() {
    let n: i32 = if cfg!(debug_assertions) { 2_000 } else { 1_000_000 };
    let db = Db::new();
    let txn = db.begin();
    let rel = table(
        20100,
        &[("aid", oid::INT4), ("bid", oid::INT4), ("abalance", oid::INT4), ("filler", oid::TEXT)],
        &[(20101, true, &[1])],
    );
    let env_view = txn.statement_view();
    let env = crate::ExecEnv { txn: &txn, view: &env_view, host: &db, hooks: &db, work_mem: 4 << 20 };
    let mut bulk = crate::modify::bulk::BulkInsert::start(&env, &rel).unwrap();
    let filler = Datum::text(" ".repeat(84));
    let t = std::time::SystemTime::now();
    for chunk in 0..n / 1000 {
        let mut b = Batch::new(4);
        for i in 0..1000 {
            b.push_row([Datum::Int4(chunk * 1000 + i), Datum::Int4(1), Datum::Int4(i % 7), filler.clone()]);
        }
        bulk.insert(&env, &mut b).unwrap();
    }
    bulk.finish(&env).unwrap();
    println!("load {n} rows: {:?}", t.elapsed().unwrap());
    let t = std::time::SystemTime::now();
    db.commit(txn);
    println!("commit: {:?}", t.elapsed().unwrap());
    let txn = db.begin();
    for _ in 0..3 {
        let scan = plan(PlanNode::SeqScan { rte: 1, rel: rel.clone() }, vec![var(1, 3, oid::INT4)]);
        let exprs = vec![aggref("count", vec![]), aggref("sum", vec![outer(1, oid::INT4)])];
        let p = agg(AggStrategy::Plain, vec![], vec![], scan, exprs);
        let t = std::time::SystemTime::now();
        let rows = db.run(&txn, select(p)).unwrap().0;
        println!("count, sum: {:?} {:?}", t.elapsed().unwrap(), show(&rows));
        assert!(show(&rows)[0].starts_with(&n.to_string()));
    }
    let qual = IndexQual::Op {
        column: 1,
        op: op_oid("=", oid::INT4),
        strategy: 3,
        value: Expr::Param(Param {
            kind: ParamKind::External,
            id: 1,
            ty: oid::INT4,
            typmod: -1,
            collation: Oid(0),
            location: -1,
        }),
        original: Expr::bool(true),
    };
    let s = IndexScan {
        rte: 1,
        rel: rel.clone(),
        index: Oid(20101),
        quals: vec![qual],
        direction: ScanDirection::Forward,
        recheck: vec![],
    };
    let p = plan(PlanNode::IndexScan(Box::new(s)), vec![var(1, 3, oid::INT4)]);
    let view = txn.statement_view();
    let env = crate::ExecEnv { txn: &txn, view: &view, host: &db, hooks: &db, work_mem: 4 << 20 };
    let prepared = crate::Prepared::compile(Arc::new(select(p)), &env).unwrap();
    let t = std::time::SystemTime::now();
    let loops = if cfg!(debug_assertions) { 10 } else { 200_000 };
    for i in 0..loops {
        let mut ex = crate::Executor::new(prepared.clone(), Arc::from([Datum::Int4(i * 7919 % n)]));
        let r = ex.run(&env, 0, &mut |_| Ok(true)).unwrap();
        assert_eq!(r.rows, 1);
    }
    println!("point select: {:?} each", t.elapsed().unwrap() / loops as u32);
}
