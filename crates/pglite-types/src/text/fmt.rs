//! Number formatting without allocation.

use std::fmt::Write;

const PAIRS: &[u8; 200] = b"0001020304050607080910111213141516171819\
2021222324252627282930313233343536373839\
4041424344454647484950515253545556575859\
6061626364656667686970717273747576777879\
8081828384858687888990919293949596979899";

/// Writes the digits of `v` at the end of `buf` and returns where they begin.
fn digits(mut v: u64, buf: &mut [u8; 20]) -> usize {
    let mut at = buf.len();
    while v >= 100 {
        let pair = (v % 100) as usize * 2;
        v /= 100;
        at -= 2;
        buf[at..at + 2].copy_from_slice(&PAIRS[pair..pair + 2]);
    }
    if v >= 10 {
        let pair = v as usize * 2;
        at -= 2;
        buf[at..at + 2].copy_from_slice(&PAIRS[pair..pair + 2]);
    } else {
        at -= 1;
        buf[at] = b'0' + v as u8;
    }
    at
}

fn push_ascii(out: &mut String, bytes: &[u8]) {
    out.push_str(std::str::from_utf8(bytes).unwrap_or_default());
}

/// Appends `v` in decimal.
pub fn push_u64(out: &mut String, v: u64) {
    let mut buf = [0; 20];
    let at = digits(v, &mut buf);
    push_ascii(out, &buf[at..]);
}

/// Appends `v` in decimal.
pub fn push_i64(out: &mut String, v: i64) {
    if v < 0 {
        out.push('-');
    }
    push_u64(out, v.unsigned_abs());
}

/// Appends `v` padded with zeros to at least `width` digits.
pub fn push_u64_padded(out: &mut String, v: u64, width: usize) {
    let mut buf = [b'0'; 20];
    let at = digits(v, &mut buf);
    let have = buf.len() - at;
    for _ in have.max(20)..width {
        out.push('0');
    }
    push_ascii(out, &buf[buf.len() - have.max(width.min(20))..]);
}

/// A formatter target on the stack; what does not fit is dropped.
struct Stack {
    buf: [u8; 64],
    len: usize,
}

impl Write for Stack {
    fn write_str(&mut self, s: &str) -> std::fmt::Result {
        let end = self.len + s.len();
        self.buf.get_mut(self.len..end).ok_or(std::fmt::Error)?.copy_from_slice(s.as_bytes());
        self.len = end;
        Ok(())
    }
}

/// Splits Rust's `d.ddde-x` into its digits and the decimal exponent of the first.
fn sci_parts(text: &[u8], digits: &mut [u8; 64]) -> (usize, i32) {
    let e = text.iter().position(|&c| c == b'e').unwrap_or(text.len());
    let mut n = 0;
    for &c in &text[..e] {
        if c.is_ascii_digit() {
            digits[n] = c;
            n += 1;
        }
    }
    let exp =
        std::str::from_utf8(text.get(e + 1..).unwrap_or(b"0")).ok().and_then(|s| s.parse().ok()).unwrap_or(0);
    (n, exp)
}

/// Lays out `digits` (first digit at 10^exp), in plain form for `-4 <= exp < limit`, else with a two-digit exponent.
fn layout(out: &mut String, digits: &[u8], exp: i32, limit: i32) {
    if exp < -4 || exp >= limit {
        push_ascii(out, &digits[..1]);
        if digits.len() > 1 {
            out.push('.');
            push_ascii(out, &digits[1..]);
        }
        out.push('e');
        out.push(if exp < 0 { '-' } else { '+' });
        push_u64_padded(out, exp.unsigned_abs() as u64, 2);
    } else if exp < 0 {
        out.push_str("0.");
        for _ in 0..-exp - 1 {
            out.push('0');
        }
        push_ascii(out, digits);
    } else {
        let int = exp as usize + 1;
        if digits.len() <= int {
            push_ascii(out, digits);
            for _ in digits.len()..int {
                out.push('0');
            }
        } else {
            push_ascii(out, &digits[..int]);
            out.push('.');
            push_ascii(out, &digits[int..]);
        }
    }
}

fn special(out: &mut String, v: f64) -> bool {
    if v.is_nan() {
        out.push_str("NaN");
    } else if v.is_infinite() {
        out.push_str(if v > 0.0 { "Infinity" } else { "-Infinity" });
    } else {
        if v.is_sign_negative() {
            out.push('-');
        }
        if v != 0.0 {
            return false;
        }
        out.push('0');
    }
    true
}

/// `%.{precision}g` of a finite or special value, in PostgreSQL's spelling.
pub fn push_g(out: &mut String, v: f64, precision: usize) {
    if special(out, v) {
        return;
    }
    let mut s = Stack { buf: [0; 64], len: 0 };
    let _ = write!(s, "{:.*e}", precision.clamp(1, 40) - 1, v.abs());
    let mut d = [0; 64];
    let (mut n, exp) = sci_parts(&s.buf[..s.len], &mut d);
    while n > 1 && d[n - 1] == b'0' {
        n -= 1;
    }
    layout(out, &d[..n], exp, precision as i32);
}

/// The shortest decimal that reads back as `v`: fills `out` and returns its length and exponent.
///
/// PG: a decimal exactly half-way to a neighbour does not count, and of two equally near ones the even one is taken.
/// `exact(n)` formats with n digits; `on_edge` tells whether a decimal lies half-way.
fn shortest(
    n: usize,
    exact: impl Fn(&mut Stack, usize),
    on_edge: impl Fn(u64, i32) -> bool,
    out: &mut [u8; 64],
) -> (usize, i32) {
    let mut want = n;
    loop {
        let mut s = Stack { buf: [0; 64], len: 0 };
        exact(&mut s, want - 1);
        let (mut len, exp) = sci_parts(&s.buf[..s.len], out);
        let value = out[..len].iter().fold(0u64, |v, c| v.wrapping_mul(10).wrapping_add((c - b'0') as u64));
        if want < 17 && on_edge(value, exp - (len as i32 - 1)) {
            want += 1;
            continue;
        }
        while len > 1 && out[len - 1] == b'0' {
            len -= 1;
        }
        return (len, exp);
    }
}

/// Digits of Rust's shortest form.
fn shortest_len(s: &Stack, d: &mut [u8; 64]) -> usize {
    sci_parts(&s.buf[..s.len], d).0
}

/// float8 output under `extra_float_digits`: shortest round-trip when positive, else 15 digits plus the setting.
pub fn push_f64(out: &mut String, v: f64, extra_float_digits: i32) {
    if extra_float_digits <= 0 {
        return push_g(out, v, (15 + extra_float_digits).max(1) as usize);
    }
    if special(out, v) {
        return;
    }
    let a = v.abs();
    if a < 1e15 && a.fract() == 0.0 {
        return push_u64(out, a as u64);
    }
    let mut s = Stack { buf: [0; 64], len: 0 };
    let _ = write!(s, "{a:e}");
    let mut d = [0; 64];
    let n = shortest_len(&s, &mut d);
    // Only integers past 2^53 can be half-way with so few digits.
    let edge = |digits: u64, exp: i32| {
        if !(9.0e15..1e38).contains(&a) || !(0..=22).contains(&exp) {
            return false;
        }
        let x = 2 * digits as u128 * 10u128.pow(exp as u32);
        let at = a as u128;
        x == at + a.next_up() as u128 || x == at + a.next_down() as u128
    };
    let exact = |s: &mut Stack, p: usize| {
        let _ = write!(s, "{a:.p$e}");
    };
    let (n, exp) = shortest(n, exact, edge, &mut d);
    layout(out, &d[..n], exp, 15);
}

/// float4 output; see [`push_f64`].
pub fn push_f32(out: &mut String, v: f32, extra_float_digits: i32) {
    if extra_float_digits <= 0 {
        return push_g(out, v as f64, (6 + extra_float_digits).max(1) as usize);
    }
    if special(out, v as f64) {
        return;
    }
    let a = v.abs();
    let mut s = Stack { buf: [0; 64], len: 0 };
    let _ = write!(s, "{a:e}");
    let mut d = [0; 64];
    let n = shortest_len(&s, &mut d);
    let edge = |digits: u64, exp: i32| {
        // Twice the half-way points; exact, since a float has 24 bits.
        let mids = [a as f64 + a.next_up() as f64, a as f64 + a.next_down() as f64];
        match exp {
            0..=28 if a < 1e37 => {
                let x = 2 * digits as u128 * 10u128.pow(exp as u32);
                mids.iter().any(|m| m.fract() == 0.0 && *m as u128 == x)
            }
            -8..=-1 => mids.iter().any(|m| m * 10f64.powi(-exp) == 2.0 * digits as f64),
            _ => false,
        }
    };
    let exact = |s: &mut Stack, p: usize| {
        let _ = write!(s, "{a:.p$e}");
    };
    let (n, exp) = shortest(n, exact, edge, &mut d);
    layout(out, &d[..n], exp, 6);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn f64s(v: f64) -> String {
        let mut s = String::new();
        push_f64(&mut s, v, 1);
        s
    }

    #[test]
    fn floats_print_as_postgres() {
        for (v, want) in [
            (0.0, "0"),
            (-0.0, "-0"),
            (1e15, "1e+15"),
            (123456789012345.0, "123456789012345"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (1.5e300, "1.5e+300"),
            (-1004.3, "-1004.3"),
            (5e-324, "5e-324"),
        ] {
            assert_eq!(f64s(v), want);
        }
        let mut s = String::new();
        push_f32(&mut s, 1e6, 1);
        s.push(' ');
        push_f32(&mut s, 123456.0, 1);
        s.push(' ');
        push_g(&mut s, 1004.30, 15);
        assert_eq!(s, "1e+06 123456 1004.3");
    }

    #[test]
    fn padded() {
        let mut s = String::new();
        push_u64_padded(&mut s, 7, 4);
        push_u64_padded(&mut s, 12345, 3);
        push_u64_padded(&mut s, 1, 25);
        assert_eq!(s, "0007123450000000000000000000000001");
    }
}
