//! Order of bytes = order of values, for every key type, both directions, NULLs first and last; and round trips.

use pglite_codec::key::{DecimalParts, KeyBuf, KeyOrder, KeyReader, prefix_end};
use std::cmp::Ordering;

struct Rng(u64);
impl Rng {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}

fn orders() -> impl Iterator<Item = KeyOrder> {
    (0..4).map(|i| KeyOrder { desc: i & 1 != 0, nulls_first: i & 2 != 0 })
}

/// Checks all pairs of `values` (plus NULL), followed by a second part so that prefixes show.
fn check<T: Clone>(
    values: &[T],
    compare: impl Fn(&T, &T) -> Ordering,
    push: impl Fn(&mut KeyBuf, &T, KeyOrder),
    read: impl Fn(&mut KeyReader<'_>, KeyOrder) -> T,
) {
    for order in orders() {
        let encode = |v: Option<&T>, tail: u8| {
            let mut key = KeyBuf::new();
            match v {
                Some(v) => push(&mut key, v, order),
                None => key.push_null(order),
            }
            key.put_u8(tail);
            key
        };
        let null = encode(None, 7);
        assert!(KeyReader::new(&null).null().unwrap());
        for a in values {
            let key = encode(Some(a), 7);
            let mut reader = KeyReader::new(&key);
            assert!(!reader.null().unwrap());
            assert_eq!(compare(&read(&mut reader, order), a), Ordering::Equal);
            assert_eq!(reader.rest(), &[7]);
            for cut in 0..key.len() - 1 {
                let _ = std::hint::black_box(KeyReader::new(&key[..cut]).null());
            }
            assert_eq!(null < key, order.nulls_first);
            for b in values {
                let mut expected = compare(a, b);
                if order.desc {
                    expected = expected.reverse();
                }
                assert_eq!(encode(Some(a), 3).cmp(&encode(Some(b), 3)), expected);
                if expected == Ordering::Equal {
                    assert!(encode(Some(a), 1) < encode(Some(b), 2));
                } else {
                    assert_eq!(encode(Some(a), 200).cmp(&encode(Some(b), 1)), expected);
                }
            }
        }
    }
}

#[test]
fn integers() {
    let mut rng = Rng(1);
    let ints: Vec<i64> = [0, 1, -1, i64::MIN, i64::MAX, 255, 256, -256]
        .into_iter()
        .chain((0..60).map(|_| rng.next() as i64))
        .collect();
    check(&ints, i64::cmp, |k, v, o| k.push_i64(*v, o), |r, o| r.i64(o).unwrap());
    let ints: Vec<i32> = ints.iter().map(|&v| v as i32).chain([i32::MIN, i32::MAX]).collect();
    check(&ints, i32::cmp, |k, v, o| k.push_i32(*v, o), |r, o| r.i32(o).unwrap());
    let shorts: Vec<i16> = ints.iter().map(|&v| v as i16).collect();
    check(&shorts, i16::cmp, |k, v, o| k.push_i16(*v, o), |r, o| r.i16(o).unwrap());
    let oids: Vec<u32> = ints.iter().map(|&v| v as u32).collect();
    check(&oids, u32::cmp, |k, v, o| k.push_u32(*v, o), |r, o| r.u32(o).unwrap());
    check(&[false, true], bool::cmp, |k, v, o| k.push_bool(*v, o), |r, o| r.bool(o).unwrap());
    let wide: Vec<i128> = (0..60)
        .map(|i| (rng.next() as i64 as i128) << (i % 64))
        .chain([0, -1, i128::MAX, i128::MIN])
        .collect();
    check(&wide, i128::cmp, |k, v, o| k.push_interval(*v, o), |r, o| r.interval(o).unwrap());
    let uuids: Vec<[u8; 16]> = wide.iter().map(|v| v.to_be_bytes()).collect();
    check(&uuids, <[u8; 16]>::cmp, |k, v, o| k.push_fixed16(v, o), |r, o| r.fixed16(o).unwrap());
}

fn pg_float(a: &f64, b: &f64) -> Ordering {
    a.partial_cmp(b).unwrap_or_else(|| a.is_nan().cmp(&b.is_nan()))
}

#[test]
fn floats() {
    let mut rng = Rng(2);
    let values: Vec<f64> =
        [0.0, -0.0, f64::NAN, -f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MIN, f64::MAX, 1e-310]
            .into_iter()
            .chain((0..80).map(|_| f64::from_bits(rng.next())))
            .collect();
    check(&values, pg_float, |k, v, o| k.push_f64(*v, o), |r, o| r.f64(o).unwrap());
    let singles: Vec<f32> =
        values.iter().map(|&v| v as f32).chain((0..80).map(|_| f32::from_bits(rng.next() as u32))).collect();
    check(
        &singles,
        |a, b| pg_float(&(*a as f64), &(*b as f64)),
        |k, v, o| k.push_f32(*v, o),
        |r, o| r.f32(o).unwrap(),
    );
}

#[test]
fn byte_strings() {
    let mut rng = Rng(3);
    let mut values: Vec<Vec<u8>> =
        vec![vec![], vec![0], vec![0, 0], vec![0, 1], vec![0, 255], vec![255], vec![255, 0], vec![1]];
    for _ in 0..80 {
        let len = rng.next() % 9;
        values.push((0..len).map(|_| [0, 1, 2, 254, 255][(rng.next() % 5) as usize]).collect());
    }
    check(&values, Vec::cmp, |k, v, o| k.push_bytes(v, o), |r, o| r.bytes(o).unwrap().into_owned());
    let texts: Vec<String> = ["", "a", "ab", "b", "é", "\u{10ffff}", "a\0b"].map(String::from).to_vec();
    check(&texts, String::cmp, |k, v, o| k.push_text(v, o), |r, o| r.text(o).unwrap().into_owned());
}

#[test]
fn composites() {
    let mut rng = Rng(4);
    let values: Vec<Vec<i32>> =
        (0..60).map(|_| (0..rng.next() % 4).map(|_| (rng.next() % 5) as i32 - 2).collect()).collect();
    check(
        &values,
        Vec::cmp,
        |k, v, o| {
            k.begin_composite();
            for field in v {
                k.next_field(o);
                k.push_i32(*field, o);
            }
            k.end_composite(o);
        },
        |r, o| {
            let mut fields = Vec::new();
            r.begin_composite().unwrap();
            while r.next_field(o).unwrap() {
                fields.push(r.i32(o).unwrap());
            }
            fields
        },
    );
}

/// A decimal as (class, value scaled by 10000^6): class orders -Inf, finite, +Inf, NaN.
fn scaled(parts: &DecimalParts) -> (i8, i128) {
    match parts {
        DecimalParts::NegInfinity => (-1, 0),
        DecimalParts::PosInfinity => (1, 0),
        DecimalParts::NaN => (2, 0),
        DecimalParts::Finite { negative, weight, digits } => {
            let sum: i128 = digits
                .iter()
                .enumerate()
                .map(|(i, &d)| d as i128 * 10000i128.pow((weight - i as i32 + 6) as u32))
                .sum();
            (0, if *negative { -sum } else { sum })
        }
    }
}

#[test]
fn decimals() {
    let mut rng = Rng(5);
    let mut values = vec![DecimalParts::NegInfinity, DecimalParts::PosInfinity, DecimalParts::NaN];
    for _ in 0..120 {
        let len = rng.next() % 4;
        let digits =
            (0..len).map(|_| [0, 1, 9999, (rng.next() % 10000) as i16][(rng.next() % 4) as usize]).collect();
        values.push(DecimalParts::Finite {
            negative: rng.next().is_multiple_of(2),
            weight: (rng.next() % 5) as i32 - 2,
            digits,
        });
    }
    check(
        &values,
        |a, b| scaled(a).cmp(&scaled(b)),
        |k, v, o| match v {
            DecimalParts::NegInfinity => k.push_decimal_infinity(true, o),
            DecimalParts::PosInfinity => k.push_decimal_infinity(false, o),
            DecimalParts::NaN => k.push_decimal_nan(o),
            DecimalParts::Finite { negative, weight, digits } => {
                k.push_decimal(*negative, *weight, digits, o)
            }
        },
        |r, o| r.decimal(o).unwrap(),
    );
}

#[test]
fn prefix_ends() {
    assert_eq!(prefix_end(&[1, 2]).unwrap().as_slice(), &[1, 3]);
    assert_eq!(prefix_end(&[1, 255]).unwrap().as_slice(), &[2]);
    assert!(prefix_end(&[255, 255]).is_none());
}

#[test]
fn random_bytes_never_panic() {
    let mut rng = Rng(6);
    for _ in 0..20_000 {
        let bytes: Vec<u8> = (0..rng.next() % 24)
            .map(|_| [0, 1, 2, 255, rng.next() as u8][(rng.next() % 5) as usize])
            .collect();
        for order in orders() {
            let _ = KeyReader::new(&bytes).bytes(order);
            let _ = KeyReader::new(&bytes).decimal(order);
            let _ = KeyReader::new(&bytes).text(order);
            let _ = KeyReader::new(&bytes).f64(order);
            let _ = KeyReader::new(&bytes).get_bytes();
        }
    }
}
