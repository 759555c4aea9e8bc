//! How long planning a point query takes; printed, not judged.

mod common;

#[test]
fn point_query() {
    let env = common::Env::new();
    let n = 2000;
    for sql in [
        "select b from t1 where a = $1",
        "update t1 set b = b + $1 where a = $2",
        "insert into t3 values ($1, $2, $3)",
    ] {
        let queries: Vec<_> = (0..n).map(|_| env.query(sql).unwrap()).collect();
        let start = std::time::SystemTime::now();
        for q in queries {
            env.plan_query(q).unwrap();
        }
        let t = start.elapsed().unwrap_or_default();
        println!("{sql}: {:.2} us", t.as_secs_f64() * 1e6 / f64::from(n));
    }
}
