//! Index keys: the order of the bytes is the order of the values, ascending and descending; plain kinds decode.

mod common;

use std::cmp::Ordering;

use common::{Env, type_of};
use pglite_codec::key::{KeyBuf, KeyOrder, KeyReader};
use pglite_types::{Datum, compare, keys, storage, text};

const VALUES: &[(&str, &[&str])] = &[
    ("int4", &["-2147483648", "-1", "0", "1", "7", "2147483647"]),
    (
        "numeric",
        &[
            "-Infinity",
            "-1e50",
            "-12345.678",
            "-1",
            "-0.5",
            "-0.00001",
            "0",
            "0.000",
            "1e-30",
            "0.5",
            "1",
            "1.00",
            "9999",
            "10000",
            "10000.0001",
            "99999999999999999999",
            "1e60",
            "Infinity",
            "NaN",
        ],
    ),
    ("float8", &["-Infinity", "-1e300", "-1", "-0", "0", "1e-300", "1", "Infinity", "NaN"]),
    ("text", &["", "a", "a b", "aa", "b", "ä"]),
    ("timetz", &["00:00-07", "00:00+07", "10:00-05", "07:00-08", "08:00-07", "24:00+00"]),
    ("interval", &["-1 year", "-30 days", "0", "1 day", "24:00:00", "1 mon", "30 days", "31 days", "1 year"]),
    (
        "inet",
        &[
            "10.0.0.0/8",
            "10.0.0.1/8",
            "10.0.0.0/16",
            "10.1.0.0/16",
            "10.0.0.1",
            "11.0.0.0/4",
            "::1",
            "fe80::/10",
            "0.0.0.0/0",
        ],
    ),
    ("int4[]", &["{}", "{1}", "{1,2}", "{1,NULL}", "{2}", "{{1},{2}}", "[0:1]={1,2}"]),
    ("int4range", &["empty", "(,)", "(,5)", "[1,5)", "[1,6)", "[1,)", "[2,3)"]),
    ("numrange", &["empty", "(1,2)", "[1,2)", "[1,2]", "(1,2]", "[1,)", "(,1)", "(,1]"]),
    ("nummultirange", &["{}", "{[1,2)}", "{[1,2),[3,4)}", "{[1,3)}"]),
    (
        "jsonb",
        &[
            "null",
            "\"\"",
            "\"b\"",
            "1",
            "2.5",
            "false",
            "true",
            "[]",
            "[1]",
            "[1,2]",
            "[[]]",
            "{}",
            "{\"a\":1}",
            "{\"a\":2}",
            "{\"b\":1}",
            "{\"a\":1,\"b\":1}",
        ],
    ),
    ("varbit(5)", &["0", "00", "01", "1", "10", "11111"]),
    ("macaddr", &["00:00:00:00:00:01", "08:00:2b:01:02:03", "ff:ff:ff:ff:ff:ff"]),
    ("uuid", &["00000000-0000-0000-0000-000000000001", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"]),
    ("date", &["-infinity", "2000-01-01", "2001-01-01", "infinity"]),
];

fn key(t: pglite_types::Oid, v: &Datum, order: KeyOrder) -> Vec<u8> {
    let mut k = KeyBuf::new();
    keys::encode_key(t, v, order, &mut k).unwrap();
    k.as_slice().to_vec()
}

#[test]
fn bytes_order_as_values() {
    let env = Env::new();
    for (name, values) in VALUES {
        let (t, _) = type_of(name);
        let data: Vec<Datum> = values.iter().map(|s| text::text_in(&env, t, -1, s).unwrap()).collect();
        for (i, a) in data.iter().enumerate() {
            for (j, b) in data.iter().enumerate() {
                let want = compare::cmp(a, b);
                let what = || format!("{name}: {} and {}", values[i], values[j]);
                assert_eq!(key(t, a, KeyOrder::ASC).cmp(&key(t, b, KeyOrder::ASC)), want, "{}", what());
                assert_eq!(
                    key(t, a, KeyOrder::DESC).cmp(&key(t, b, KeyOrder::DESC)),
                    want.reverse(),
                    "{}",
                    what()
                );
            }
            let null = key(t, &Datum::Null, KeyOrder::ASC);
            assert_eq!(key(t, a, KeyOrder::ASC).cmp(&null), Ordering::Less, "{name}");
        }
    }
}

#[test]
fn exact_kinds_decode() {
    let env = Env::new();
    for (name, values) in VALUES {
        let (t, _) = type_of(name);
        for s in *values {
            let v = text::text_in(&env, t, -1, s).unwrap();
            let kind = storage::PhysKind::of_value(&v).unwrap();
            if !keys::is_exact(kind, t) && kind != storage::PhysKind::Numeric {
                continue;
            }
            for order in [KeyOrder::ASC, KeyOrder::DESC] {
                let k = key(t, &v, order);
                let back = keys::decode_key(kind, order, &mut KeyReader::new(&k)).unwrap();
                assert!(compare::eq(&back, &v), "{name} {s}: {back:?}");
            }
        }
    }
}
