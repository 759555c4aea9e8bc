//! Input and output of every type against PostgreSQL 18: type, input, output or error.
//!
//! The files hold what the real server printed. `PGLITE_TYPES_GOLDEN` names another directory of such files.

mod common;

use common::{Env, error_text, type_of, unescape};
use pglite_types::{Datum, binary, compare, hash, storage, text};

fn check(family: &str) {
    let dir = std::env::var("PGLITE_TYPES_GOLDEN")
        .unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden").into());
    let golden = std::fs::read_to_string(format!("{dir}/{family}.tsv")).unwrap();
    let env = Env::new();
    let mut bad: Vec<(String, String)> = Vec::new();
    let mut count = 0;
    let mut types = std::collections::HashMap::new();
    for line in golden.lines() {
        let p: Vec<&str> = line.split('\t').collect();
        let (ty, input, want) = (p[0].trim(), unescape(p[1]), unescape(p[2]));
        let (t, typmod) = *types.entry(ty).or_insert_with(|| type_of(ty));
        count += 1;
        // A literal's cast: input without modifier (but for interval), then the length coercion.
        let in_mod = if t == pglite_types::oid::INTERVAL { typmod } else { -1 };
        let value = text::text_in(&env, t, in_mod, &input)
            .and_then(|v| pglite_types::typmod::apply(t, typmod, v, true));
        let got = value.as_ref().map_err(Clone::clone).and_then(|v| {
            let mut out = String::new();
            text::text_out(&env, t, v, &mut out).map(|()| out)
        });
        let got = got.unwrap_or_else(|e| error_text(&e));
        if got != want {
            bad.push((ty.to_string(), format!("{ty} {input:?}\n   got  {got}\n   want {want}")));
        } else if let Ok(v) = value {
            round_trip(&env, t, typmod, &v, &got, &mut bad);
        }
    }
    let only = std::env::var("PGLITE_TYPES_ONLY").unwrap_or_default();
    let max = std::env::var("PGLITE_TYPES_MAX").ok().and_then(|s| s.parse().ok()).unwrap_or(40);
    let shown: Vec<&str> =
        bad.iter().filter(|b| only.is_empty() || b.0 == only).map(|b| b.1.as_str()).take(max).collect();
    let mut per: std::collections::BTreeMap<&str, usize> = Default::default();
    bad.iter().for_each(|b| *per.entry(&b.0).or_default() += 1);
    assert!(bad.is_empty(), "{} of {count} differ: {per:?}\n{}", bad.len(), shown.join("\n"));
}

/// A good value survives storage and the wire, and equals itself.
fn round_trip(
    env: &Env,
    t: pglite_types::Oid,
    typmod: i32,
    v: &Datum,
    shown: &str,
    bad: &mut Vec<(String, String)>,
) {
    let mut fail =
        |what: &str, e: String| bad.push((what.to_string(), format!("{what} of {t} {shown}: {e}")));
    let print = |v: &Datum| {
        let mut out = String::new();
        text::text_out(env, t, v, &mut out).map(|()| out).unwrap_or_else(|e| error_text(&e))
    };
    let mut stored = Vec::new();
    match storage::encode(v, &mut stored)
        .and_then(|()| storage::decode(storage::PhysKind::of_value(v).unwrap(), &stored))
    {
        Ok(back) => {
            if print(&back) != shown {
                fail("stored", print(&back));
            }
            if !compare::eq(&back, v) || hash::hash(&back) != hash::hash(v) {
                fail("equality", String::new());
            }
        }
        Err(e) => fail("stored", error_text(&e)),
    }
    let mut wire = Vec::new();
    match binary::binary_send(env, t, v, &mut wire).and_then(|()| binary::binary_recv(env, t, typmod, &wire))
    {
        Ok(back) if print(&back) == shown => {}
        Ok(back) => fail("wire", print(&back)),
        // Types without binary form.
        Err(e)
            if e.message().starts_with("no binary") || e.message().starts_with("time zone displacement") => {}
        Err(e) => fail("wire", error_text(&e)),
    }
}

#[test]
fn scalar() {
    check("scalar");
}
#[test]
fn datetime() {
    check("datetime");
}
#[test]
fn array() {
    check("array");
}
#[test]
fn json() {
    check("json");
}
#[test]
fn range() {
    check("range");
}
#[test]
fn net() {
    check("net");
}
#[test]
fn geo() {
    check("geo");
}
#[test]
fn ts() {
    check("ts");
}
#[test]
fn xml() {
    check("xml");
}
