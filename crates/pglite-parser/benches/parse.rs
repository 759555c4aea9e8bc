//! Parse times of pgbench's statements (bar: at most 1.5 us for the UPDATE) and of a larger query.

use criterion::{Criterion, criterion_group, criterion_main};
use pglite_parser::{ParseOptions, parse};
use std::hint::black_box;

const STATEMENTS: &[(&str, &str)] = &[
    ("pgbench update", "UPDATE pgbench_accounts SET abalance = abalance + -2817 WHERE aid = 531871;"),
    ("pgbench select", "SELECT abalance FROM pgbench_accounts WHERE aid = 531871;"),
    (
        "pgbench insert",
        "INSERT INTO pgbench_history (tid, bid, aid, delta, mtime) VALUES (3, 1, 531871, -2817, CURRENT_TIMESTAMP);",
    ),
    ("begin", "BEGIN;"),
    (
        "tpch 3",
        "select l_orderkey, sum(l_extendedprice * (1 - l_discount)) as revenue, o_orderdate, o_shippriority \
         from customer, orders, lineitem where c_mktsegment = 'BUILDING' and c_custkey = o_custkey \
         and l_orderkey = o_orderkey and o_orderdate < date '1995-03-15' and l_shipdate > date '1995-03-15' \
         group by l_orderkey, o_orderdate, o_shippriority order by revenue desc, o_orderdate limit 10",
    ),
];

fn bench(c: &mut Criterion) {
    let opts = ParseOptions::default();
    for (name, sql) in STATEMENTS {
        c.bench_function(name, |b| b.iter(|| parse(black_box(sql), &opts)));
    }
}

criterion_group!(benches, bench);
criterion_main!(benches);
