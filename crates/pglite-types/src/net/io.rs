//! Text form of network addresses.

use std::fmt::Write;

use pglite_error::{PgError, PgResult, bail, codes};

use super::Inet;
use crate::text::scalar::is_space;

/// inet and cidr input.
pub fn inet_in(s: &str, cidr: bool) -> PgResult<Inet> {
    let name = if cidr { "cidr" } else { "inet" };
    let parsed = if s.contains(':') { parse_v6(s) } else { parse_v4(s, cidr) };
    let v = parsed.ok_or_else(|| PgError::invalid_input(name, s))?;
    if cidr && !v.host_bits_clear() {
        return Err(PgError::new(codes::INVALID_TEXT_REPRESENTATION, format!("invalid cidr value: \"{s}\""))
            .detail("Value has bits set to right of mask."));
    }
    Ok(v)
}

/// Decimal digits without a leading zero (but for 0 itself), at most `max`.
fn mask_bits(s: &str, max: u32) -> Option<u8> {
    if s.is_empty() || !s.bytes().all(|c| c.is_ascii_digit()) || s.len() > 3 {
        return None;
    }
    s.parse::<u32>().ok().filter(|&v| v <= max).map(|v| v as u8)
}

fn parse_v4(s: &str, cidr: bool) -> Option<Inet> {
    let (text, bits) = match s.split_once('/') {
        Some((a, b)) => (a, Some(mask_bits(b, 32)?)),
        None => (s, None),
    };
    let mut addr = [0u8; 16];
    let mut n = 0;
    if cidr && text.len() > 2 && text[..2].eq_ignore_ascii_case("0x") {
        // Hexadecimal digits, high nibble first.
        let hex = &text[2..];
        for pair in hex.as_bytes().chunks(2) {
            let digit = |c: u8| (c as char).to_digit(16).map(|d| d as u8);
            *addr[..4].get_mut(n)? = digit(pair[0])? << 4 | pair.get(1).map_or(Some(0), |&c| digit(c))?;
            n += 1;
        }
    } else {
        for part in text.split('.') {
            if part.is_empty() || part.len() > 8 || !part.bytes().all(|c| c.is_ascii_digit()) {
                return None;
            }
            let v: u32 = part.parse().ok()?;
            *addr[..4].get_mut(n)? = u8::try_from(v).ok()?;
            n += 1;
        }
    }
    if n == 0 || (!cidr && n < 4) {
        return None;
    }
    let bits = match bits {
        Some(b) => b,
        None if !cidr => 32,
        None => {
            // The class of the address decides, widened to the octets given.
            let class = match addr[0] {
                240..=255 => 32,
                224..=239 => 8,
                192..=223 => 24,
                128..=191 => 16,
                _ => 8,
            };
            let widened = class.max(n as u8 * 8);
            if widened == 8 && addr[0] == 224 { 4 } else { widened }
        }
    };
    Some(Inet { v6: false, bits, addr })
}

fn parse_v6(s: &str) -> Option<Inet> {
    let (text, bits) = match s.split_once('/') {
        Some((a, b)) => (a, mask_bits(b, 128)?),
        None => (s, 128),
    };
    if text.contains('%') {
        return None;
    }
    let a: std::net::Ipv6Addr = text.parse().ok()?;
    Some(Inet { v6: true, bits, addr: a.octets() })
}

/// The address alone.
pub fn write_address(v: &Inet, out: &mut String) {
    if !v.v6 {
        let a = &v.addr;
        let _ = write!(out, "{}.{}.{}.{}", a[0], a[1], a[2], a[3]);
        return;
    }
    let mut words = [0u16; 8];
    for (i, w) in words.iter_mut().enumerate() {
        *w = u16::from_be_bytes([v.addr[i * 2], v.addr[i * 2 + 1]]);
    }
    // The longest run of at least two zero words is left out; of equal ones the first.
    let (mut best, mut best_len) = (0, 1);
    let mut i = 0;
    while i < 8 {
        let n = words[i..].iter().take_while(|w| **w == 0).count();
        if n > best_len {
            (best, best_len) = (i, n);
        }
        i += n.max(1);
    }
    let short = best_len >= 2;
    let mut i = 0;
    while i < 8 {
        if short && i == best {
            out.push_str(if i == 0 { "::" } else { ":" });
            i += best_len;
            continue;
        }
        let v4 = i == 6
            && best == 0
            && short
            && (best_len == 6 || (best_len == 7 && words[7] != 1) || (best_len == 5 && words[5] == 0xffff));
        if v4 {
            let a = &v.addr[12..];
            let _ = write!(out, "{}.{}.{}.{}", a[0], a[1], a[2], a[3]);
            return;
        }
        let _ = write!(out, "{:x}", words[i]);
        i += 1;
        if i < 8 {
            out.push(':');
        }
    }
}

/// inet output leaves out a full mask; cidr always shows it.
pub fn inet_out(v: &Inet, cidr: bool, out: &mut String) {
    write_address(v, out);
    if cidr || v.bits != v.max_bits() {
        let _ = write!(out, "/{}", v.bits);
    }
}

/// macaddr input in any of its groupings.
pub fn macaddr_in(s: &str) -> PgResult<[u8; 6]> {
    let bad = || PgError::invalid_input("macaddr", s);
    let t = crate::text::scalar::trim_space(s);
    let mut out = [0u8; 6];
    for sep in [':', '-'] {
        let parts: Vec<&str> = t.split(sep).collect();
        if parts.len() == 6 {
            let trim =
                |p: &&str| p.trim_start_matches(|c: char| c.is_ascii() && is_space(c as u8)).to_string();
            let parts: Vec<String> = parts.iter().map(trim).collect();
            if parts.iter().any(|p| p.is_empty() || !p.bytes().all(|c| c.is_ascii_hexdigit())) {
                return Err(bad());
            }
            for (slot, p) in out.iter_mut().zip(&parts) {
                match u32::from_str_radix(p, 16).map(u8::try_from) {
                    Ok(Ok(v)) => *slot = v,
                    _ => {
                        bail!(NUMERIC_VALUE_OUT_OF_RANGE, "invalid octet value in \"macaddr\" value: \"{s}\"")
                    }
                }
            }
            return Ok(out);
        }
    }
    // Grouped digits: 3+3 by ':' or '-', 2+2+2 by '.' or '-', or none.
    let shape: Vec<usize> = t.split([':', '-', '.']).map(str::len).collect();
    let seps: Vec<char> = t.chars().filter(|c| matches!(c, ':' | '-' | '.')).collect();
    let ok = match shape.as_slice() {
        [12] => true,
        [6, 6] => seps[0] != '.',
        [4, 4, 4] => seps[0] == seps[1] && seps[0] != ':',
        _ => false,
    };
    if !ok {
        return Err(bad());
    }
    let digits: Vec<u8> = t.chars().filter_map(|c| c.to_digit(16)).map(|d| d as u8).collect();
    if digits.len() != 12 {
        return Err(bad());
    }
    for (i, slot) in out.iter_mut().enumerate() {
        *slot = digits[i * 2] << 4 | digits[i * 2 + 1];
    }
    Ok(out)
}

/// macaddr8 input: 6 or 8 bytes; 6 get `ff:fe` in the middle.
pub fn macaddr8_in(s: &str) -> PgResult<[u8; 8]> {
    let bad = || PgError::invalid_input("macaddr8", s);
    let b = crate::text::scalar::trim_space(s).as_bytes();
    let mut bytes = Vec::with_capacity(8);
    let mut spacer = None;
    let mut i = 0;
    while i < b.len() {
        if bytes.len() == 8 {
            return Err(bad());
        }
        let digit = |at: usize| b.get(at).and_then(|&c| (c as char).to_digit(16)).ok_or_else(bad);
        bytes.push((digit(i)? << 4 | digit(i + 1)?) as u8);
        i += 2;
        if let Some(&c) = b.get(i)
            && matches!(c, b':' | b'-' | b'.')
        {
            if *spacer.get_or_insert(c) != c {
                return Err(bad());
            }
            i += 1;
            // PG: a separator at the very end is an error.
            if i == b.len() {
                return Err(bad());
            }
        }
    }
    match *bytes.as_slice() {
        [a, b, c, d, e, f] => Ok([a, b, c, 0xff, 0xfe, d, e, f]),
        [a, b, c, d, e, f, g, h] => Ok([a, b, c, d, e, f, g, h]),
        _ => Err(bad()),
    }
}

/// Bytes as `xx:xx:...`.
pub fn macaddr_out(bytes: &[u8], out: &mut String) {
    for (i, b) in bytes.iter().enumerate() {
        if i > 0 {
            out.push(':');
        }
        let _ = write!(out, "{b:02x}");
    }
}
