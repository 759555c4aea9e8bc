//! Date/time functions, hash functions and type names against answers of PostgreSQL 18.

mod common;

use common::{Env, error_text, type_of, unescape};
use pglite_error::{PgError, PgResult};
use pglite_types::datetime::{self as dt, ZoneSpec};
use pglite_types::numeric::Numeric;
use pglite_types::{Datum, Oid, TypeEnv, hash, oid, text, typmod};

fn golden(name: &str) -> String {
    let dir = std::env::var("PGLITE_TYPES_GOLDEN")
        .unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden").into());
    std::fs::read_to_string(format!("{dir}/{name}.tsv")).unwrap()
}

fn finish(bad: Vec<String>, count: usize) {
    assert!(bad.is_empty(), "{} of {count} differ:\n{}", bad.len(), bad[..bad.len().min(50)].join("\n"));
}

fn show(env: &Env, t: Oid, v: &Datum) -> String {
    let mut out = String::new();
    text::text_out(env, t, v, &mut out).map(|()| out).unwrap_or_else(|e| error_text(&e))
}

fn input(env: &Env, t: Oid, s: &str) -> PgResult<Datum> {
    text::text_in(env, t, -1, s)
}

fn interval(env: &Env, s: &str) -> PgResult<dt::Interval> {
    match input(env, oid::INTERVAL, s)? {
        Datum::Interval(v) => Ok(v),
        _ => Err(PgError::internal("not an interval")),
    }
}

fn timestamp(env: &Env, s: &str) -> PgResult<i64> {
    match input(env, oid::TIMESTAMP, s)? {
        Datum::Timestamp(v) => Ok(v),
        _ => Err(PgError::internal("not a timestamp")),
    }
}

fn part(env: &Env, unit: &str, v: &Datum, t: Oid) -> PgResult<Option<Numeric>> {
    match v {
        Datum::Timestamp(ts) if t == oid::TIMESTAMPTZ => dt::part_timestamptz(unit, *ts, &env.0.timezone),
        Datum::Timestamp(ts) => dt::part_timestamp(unit, *ts),
        Datum::Date(d) => dt::part_date(unit, *d),
        Datum::Time(x) => dt::part_time(unit, *x),
        Datum::TimeTz(x) => dt::part_timetz(unit, *x),
        Datum::Interval(i) => dt::interval_part(unit, i),
        _ => Err(PgError::internal("no parts")),
    }
}

fn run(env: &Env, p: &[String]) -> PgResult<String> {
    let (f, x, arg) = (p[0].as_str(), p[1].as_str(), p[4].as_str());
    let (t, _) = type_of(&p[2]);
    let v = input(env, t, &p[3])?;
    let zone = &env.0.timezone;
    let ts_out = |t: Oid, r: PgResult<i64>| r.map(|v| show(env, t, &Datum::Timestamp(v)));
    let iv_out = |r: PgResult<dt::Interval>| r.map(|v| show(env, oid::INTERVAL, &Datum::Interval(v)));
    match (f, &v) {
        ("part", v) => Ok(part(env, x, v, t)?.map_or("\\N".into(), |n| n.to_string())),
        ("trunc", Datum::Interval(i)) => iv_out(dt::interval_trunc(x, i)),
        ("trunc", Datum::Timestamp(ts)) if t == oid::TIMESTAMP => ts_out(t, dt::timestamp_trunc(x, *ts)),
        ("trunc", Datum::Timestamp(ts)) => {
            ts_out(t, dt::timestamptz_trunc(x, *ts, &ZoneSpec::Zone(zone.clone())))
        }
        ("add", Datum::Timestamp(ts)) if t == oid::TIMESTAMP => {
            ts_out(t, dt::timestamp_add(*ts, &interval(env, arg)?))
        }
        ("add", Datum::Timestamp(ts)) => ts_out(t, dt::timestamptz_add(*ts, &interval(env, arg)?, zone)),
        ("sub", Datum::Timestamp(ts)) => iv_out(dt::timestamp_diff(*ts, timestamp(env, arg)?)),
        ("age", Datum::Timestamp(ts)) => iv_out(dt::age(*ts, timestamp(env, arg)?)),
        ("zone", Datum::Timestamp(ts)) if !dt::is_finite_timestamp(*ts) => ts_out(t, Ok(*ts)),
        ("zone", Datum::Timestamp(ts)) => {
            let z = ZoneSpec::parse(x, zone)?;
            if t == oid::TIMESTAMP {
                ts_out(oid::TIMESTAMPTZ, dt::timestamp_at_zone(*ts, &z))
            } else {
                ts_out(oid::TIMESTAMP, dt::timestamptz_at_zone(*ts, &z))
            }
        }
        ("cast", Datum::Timestamp(ts)) => {
            dt::timestamptz_to_date(*ts, zone).map(|d| show(env, oid::DATE, &Datum::Date(d)))
        }
        ("cast", Datum::Date(d)) => ts_out(oid::TIMESTAMPTZ, dt::date_to_timestamptz(*d, zone)),
        ("justify_hours", Datum::Interval(i)) => iv_out(dt::justify_hours(i)),
        ("justify_days", Datum::Interval(i)) => iv_out(dt::justify_days(i)),
        ("justify_interval", Datum::Interval(i)) => iv_out(dt::justify_interval(i)),
        ("neg", Datum::Interval(i)) => iv_out(dt::interval_neg(i)),
        ("add", Datum::Interval(i)) => iv_out(dt::interval_add(i, &interval(env, arg)?)),
        ("sub", Datum::Interval(i)) => iv_out(dt::interval_sub(i, &interval(env, arg)?)),
        ("mul", Datum::Interval(i)) => iv_out(dt::interval_mul(i, text::scalar::float8_in(arg)?)),
        ("div", Datum::Interval(i)) => iv_out(dt::interval_div(i, text::scalar::float8_in(arg)?)),
        ("bin", Datum::Timestamp(ts)) => {
            ts_out(t, dt::date_bin(&interval(env, x)?, *ts, timestamp(env, arg)?))
        }
        _ => Err(PgError::internal(format!("unknown function {f}"))),
    }
}

#[test]
fn date_functions() {
    let env = Env::new();
    let mut bad = Vec::new();
    let golden = golden("dateops");
    for line in golden.lines() {
        let p: Vec<String> =
            line.split('\t').map(|s| if s == "\\N" { s.into() } else { unescape(s) }).collect();
        let got = run(&env, &p).unwrap_or_else(|e| error_text(&e));
        if got != p[5] {
            bad.push(format!("{:?}\n   got  {got}\n   want {}", &p[..5], p[5]));
        }
    }
    finish(bad, golden.lines().count());
}

#[test]
fn hashes() {
    let env = Env::new();
    let mut bad = Vec::new();
    let golden = golden("hash");
    for line in golden.lines() {
        let p: Vec<String> = line.split('\t').map(unescape).collect();
        let (t, _) = type_of(p[0].trim());
        let v = input(&env, t, &p[1]).unwrap();
        let wide =
            |seed| hash::pg_hash_extended(t, &v, seed).map_or("none".into(), |h| (h as i64).to_string());
        let got = [
            hash::pg_hash(t, &v).map_or("none".into(), |h| h.to_string()),
            wide(0),
            wide(8816678312871386365),
        ];
        if got[..] != p[2..5] {
            bad.push(format!("{} {:?}\n   got  {got:?}\n   want {:?}", p[0], p[1], &p[2..]));
        }
    }
    finish(bad, golden.lines().count());
}

#[test]
fn type_names() {
    let mut bad = Vec::new();
    let golden = golden("format_type");
    for line in golden.lines() {
        let p: Vec<&str> = line.split('\t').collect();
        if p[2] == "\\N" {
            continue;
        }
        let got = typmod::format_type(Oid(p[0].parse().unwrap()), p[1].parse().unwrap());
        if got.as_deref() != Some(p[2]) {
            bad.push(format!("{} {} = {got:?}, want {}", p[0], p[1], p[2]));
        }
    }
    finish(bad, golden.lines().count());
}

#[test]
fn now_and_friends() {
    let env = Env::new();
    let now = env.transaction_timestamp();
    assert!(matches!(input(&env, oid::TIMESTAMPTZ, "now"), Ok(Datum::Timestamp(v)) if v == now));
    let day = |s: &str| match input(&env, oid::DATE, s) {
        Ok(Datum::Date(d)) => d,
        other => panic!("{other:?}"),
    };
    assert_eq!(day("tomorrow") - day("today"), 1);
    assert_eq!(day("yesterday") - day("today"), -1);
}
