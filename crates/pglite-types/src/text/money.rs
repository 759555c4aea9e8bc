//! `money` in the C locale: dollars and cents, grouped by thousands.

use pglite_error::{PgError, PgResult, bail};

use super::scalar::is_space;

/// money input: optional sign or parentheses, `$`, grouping commas; rounds at the third decimal.
pub fn money_in(s: &str) -> PgResult<i64> {
    let bad = || PgError::invalid_input("money", s);
    let range = || bail_range(s);
    let b = s.as_bytes();
    let mut i = 0;
    let skip = |i: &mut usize| {
        while b.get(*i).is_some_and(|&c| is_space(c)) {
            *i += 1;
        }
    };
    skip(&mut i);
    if b.get(i) == Some(&b'$') {
        i += 1;
    }
    skip(&mut i);
    let mut neg = false;
    match b.get(i) {
        Some(b'-' | b'(') => {
            neg = true;
            i += 1;
        }
        Some(b'+') => i += 1,
        _ => {}
    }
    skip(&mut i);
    if b.get(i) == Some(&b'$') {
        i += 1;
    }
    skip(&mut i);
    // Built below zero, where there is one value more.
    let mut v = 0i64;
    let mut decimals: Option<u32> = None;
    let mut round_up = false;
    while let Some(&c) = b.get(i) {
        match c {
            b'0'..=b'9' => match decimals {
                Some(2) => {
                    round_up = c >= b'5';
                    i += 1;
                    while b.get(i).is_some_and(u8::is_ascii_digit) {
                        i += 1;
                    }
                    break;
                }
                _ => {
                    v = v.checked_mul(10).and_then(|v| v.checked_sub((c - b'0') as i64)).ok_or_else(range)?;
                    decimals = decimals.map(|d| d + 1);
                }
            },
            b'.' if decimals.is_none() => decimals = Some(0),
            b',' => {}
            _ => break,
        }
        i += 1;
    }
    for _ in decimals.unwrap_or(0)..2 {
        v = v.checked_mul(10).ok_or_else(range)?;
    }
    if round_up {
        v = v.checked_sub(1).ok_or_else(range)?;
    }
    for &c in &b[i..] {
        match c {
            b')' | b'$' => {}
            b'-' => neg = true,
            c if is_space(c) => {}
            _ => return Err(bad()),
        }
    }
    if neg { Ok(v) } else { v.checked_neg().ok_or_else(range) }
}

fn bail_range(s: &str) -> PgError {
    let fail = || -> PgResult<()> {
        bail!(NUMERIC_VALUE_OUT_OF_RANGE, "value \"{s}\" is out of range for type money")
    };
    fail().err().unwrap_or_else(|| PgError::internal("money range"))
}

pub fn money_out(v: i64, out: &mut String) {
    if v < 0 {
        out.push('-');
    }
    out.push('$');
    let a = v.unsigned_abs();
    let mut whole = String::new();
    super::fmt::push_u64(&mut whole, a / 100);
    for (i, c) in whole.chars().enumerate() {
        if i > 0 && (whole.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out.push('.');
    super::fmt::push_u64_padded(out, a % 100, 2);
}
