//! inet, cidr, macaddr and macaddr8 functions.

use pglite_error::{PgResult, bail};
use pglite_types::net::{Inet, write_address};

use crate::builtins;

fn address(v: &Inet) -> String {
    let mut out = String::new();
    write_address(v, &mut out);
    out
}
fn host(v: &Inet) -> String {
    address(v)
}
fn show(v: &Inet) -> String {
    format!("{}/{}", address(v), v.bits)
}
fn inet_abbrev(v: &Inet) -> String {
    if v.bits == v.max_bits() { address(v) } else { show(v) }
}
/// cidr, short: IPv4 without trailing zero octets.
fn cidr_abbrev(v: &Inet) -> String {
    if v.v6 {
        return show(v);
    }
    let octets = v.bits.div_ceil(8).max(1) as usize;
    let text: Vec<String> = v.addr[..octets].iter().map(u8::to_string).collect();
    format!("{}/{}", text.join("."), v.bits)
}
fn masklen(v: &Inet) -> i32 {
    i32::from(v.bits)
}
fn family(v: &Inet) -> i32 {
    if v.v6 { 6 } else { 4 }
}
fn network(v: &Inet) -> Inet {
    v.network()
}
fn netmask(v: &Inet) -> Inet {
    v.netmask()
}
fn hostmask(v: &Inet) -> Inet {
    v.hostmask()
}
fn broadcast(v: &Inet) -> Inet {
    v.broadcast()
}
fn set_masklen(v: &Inet, bits: i32) -> PgResult<Inet> {
    let bits = if bits == -1 { i32::from(v.max_bits()) } else { bits };
    if bits < 0 || bits > i32::from(v.max_bits()) {
        bail!(INVALID_PARAMETER_VALUE, "invalid mask length: {bits}");
    }
    Ok(Inet { bits: bits as u8, ..*v })
}
fn cidr_set_masklen(v: &Inet, bits: i32) -> PgResult<Inet> {
    Ok(set_masklen(v, bits)?.network())
}
fn sub(a: &Inet, b: &Inet) -> bool {
    b.contains_eq(a) && a.bits > b.bits
}
fn subeq(a: &Inet, b: &Inet) -> bool {
    b.contains_eq(a)
}
fn sup(a: &Inet, b: &Inet) -> bool {
    sub(b, a)
}
fn supeq(a: &Inet, b: &Inet) -> bool {
    subeq(b, a)
}
fn overlap(a: &Inet, b: &Inet) -> bool {
    a.contains_eq(b) || b.contains_eq(a)
}
fn same_family(a: &Inet, b: &Inet) -> bool {
    a.v6 == b.v6
}
fn merge(a: &Inet, b: &Inet) -> PgResult<Inet> {
    if a.v6 != b.v6 {
        bail!(INVALID_PARAMETER_VALUE, "cannot merge addresses from different families");
    }
    let differ = u128::from_be_bytes(a.addr) ^ u128::from_be_bytes(b.addr);
    let bits = a.bits.min(b.bits).min(differ.leading_zeros() as u8);
    Ok(Inet { bits, ..*a }.network())
}
fn value(v: &Inet) -> u128 {
    u128::from_be_bytes(v.addr) >> (128 - u32::from(v.max_bits()))
}
fn with_value(v: &Inet, value: u128) -> Inet {
    Inet { addr: (value << (128 - u32::from(v.max_bits()))).to_be_bytes(), ..*v }
}
fn not(v: &Inet) -> Inet {
    with_value(v, !value(v))
}
fn pair(a: &Inet, b: &Inet, what: &str, f: impl Fn(u128, u128) -> u128) -> PgResult<Inet> {
    if a.v6 != b.v6 {
        bail!(INVALID_PARAMETER_VALUE, "cannot {what} inet values of different sizes");
    }
    Ok(Inet { bits: a.bits.max(b.bits), ..with_value(a, f(value(a), value(b))) })
}
fn and(a: &Inet, b: &Inet) -> PgResult<Inet> {
    pair(a, b, "AND", |x, y| x & y)
}
fn or(a: &Inet, b: &Inet) -> PgResult<Inet> {
    pair(a, b, "OR", |x, y| x | y)
}
fn shift(v: &Inet, by: i128) -> PgResult<Inet> {
    let most = if v.v6 { u128::MAX } else { u128::from(u32::MAX) };
    let moved = if by >= 0 {
        value(v).checked_add(by as u128).filter(|n| *n <= most)
    } else {
        value(v).checked_sub(by.unsigned_abs())
    };
    match moved {
        Some(n) => Ok(with_value(v, n)),
        None => bail!(NUMERIC_VALUE_OUT_OF_RANGE, "result is out of range"),
    }
}
fn plus(v: &Inet, by: i64) -> PgResult<Inet> {
    shift(v, i128::from(by))
}
fn minus_int(v: &Inet, by: i64) -> PgResult<Inet> {
    shift(v, -i128::from(by))
}
fn minus(a: &Inet, b: &Inet) -> PgResult<i64> {
    if a.v6 != b.v6 {
        bail!(INVALID_PARAMETER_VALUE, "cannot subtract inet values of different sizes");
    }
    match i64::try_from(value(a).wrapping_sub(value(b)) as i128) {
        Ok(v) => Ok(v),
        Err(_) => bail!(NUMERIC_VALUE_OUT_OF_RANGE, "result is out of range"),
    }
}

fn bytes<const N: usize>(a: [u8; N], b: [u8; N], f: impl Fn(u8, u8) -> u8) -> [u8; N] {
    std::array::from_fn(|i| f(a[i], b[i]))
}
fn mac_not(a: [u8; 6]) -> [u8; 6] {
    a.map(|b| !b)
}
fn mac_and(a: [u8; 6], b: [u8; 6]) -> [u8; 6] {
    bytes(a, b, |x, y| x & y)
}
fn mac_or(a: [u8; 6], b: [u8; 6]) -> [u8; 6] {
    bytes(a, b, |x, y| x | y)
}
fn mac_trunc(a: [u8; 6]) -> [u8; 6] {
    [a[0], a[1], a[2], 0, 0, 0]
}
fn mac_to_8(a: [u8; 6]) -> [u8; 8] {
    [a[0], a[1], a[2], 0xff, 0xfe, a[3], a[4], a[5]]
}
fn mac8_not(a: [u8; 8]) -> [u8; 8] {
    a.map(|b| !b)
}
fn mac8_and(a: [u8; 8], b: [u8; 8]) -> [u8; 8] {
    bytes(a, b, |x, y| x & y)
}
fn mac8_or(a: [u8; 8], b: [u8; 8]) -> [u8; 8] {
    bytes(a, b, |x, y| x | y)
}
fn mac8_trunc(a: [u8; 8]) -> [u8; 8] {
    [a[0], a[1], a[2], 0, 0, 0, 0, 0]
}
fn mac8_set7(a: [u8; 8]) -> [u8; 8] {
    [a[0] | 2, a[1], a[2], a[3], a[4], a[5], a[6], a[7]]
}
fn mac8_to_6(a: [u8; 8]) -> PgResult<[u8; 6]> {
    if a[3] != 0xff || a[4] != 0xfe {
        return Err(pglite_error::err!(NUMERIC_VALUE_OUT_OF_RANGE, "macaddr8 data out of range to convert to macaddr")
            .hint("Only addresses that have FF and FE as values in the 4th and 5th bytes from the left, for example xx:xx:xx:ff:fe:xx:xx:xx, are eligible to be converted from macaddr8 to macaddr."));
    }
    Ok([a[0], a[1], a[2], a[5], a[6], a[7]])
}

builtins! { pub TABLE:
    "network_host" => host[&Inet];
    "network_show" => show[&Inet];
    "inet_abbrev" => inet_abbrev[&Inet];
    "cidr_abbrev" => cidr_abbrev[&Inet];
    "network_masklen" => masklen[&Inet];
    "network_family" => family[&Inet];
    "network_network" => network[&Inet];
    "network_netmask" => netmask[&Inet];
    "network_hostmask" => hostmask[&Inet];
    "network_broadcast" => broadcast[&Inet];
    "inet_set_masklen" => set_masklen[&Inet, i32];
    "cidr_set_masklen" => cidr_set_masklen[&Inet, i32];
    "inet_to_cidr" => network[&Inet];
    "network_sub" => sub[&Inet, &Inet];
    "network_subeq" => subeq[&Inet, &Inet];
    "network_sup" => sup[&Inet, &Inet];
    "network_supeq" => supeq[&Inet, &Inet];
    "network_overlap" => overlap[&Inet, &Inet];
    "inet_same_family" => same_family[&Inet, &Inet];
    "inet_merge" => merge[&Inet, &Inet];
    "inetnot" => not[&Inet];
    "inetand" => and[&Inet, &Inet];
    "inetor" => or[&Inet, &Inet];
    "inetpl" => plus[&Inet, i64];
    "inetmi_int8" => minus_int[&Inet, i64];
    "inetmi" => minus[&Inet, &Inet];
    "macaddr_not" => mac_not[[u8; 6]];
    "macaddr_and" => mac_and[[u8; 6], [u8; 6]];
    "macaddr_or" => mac_or[[u8; 6], [u8; 6]];
    "macaddr_trunc" => mac_trunc[[u8; 6]];
    "macaddrtomacaddr8" => mac_to_8[[u8; 6]];
    "macaddr8_not" => mac8_not[[u8; 8]];
    "macaddr8_and" => mac8_and[[u8; 8], [u8; 8]];
    "macaddr8_or" => mac8_or[[u8; 8], [u8; 8]];
    "macaddr8_trunc" => mac8_trunc[[u8; 8]];
    "macaddr8_set7bit" => mac8_set7[[u8; 8]];
    "macaddr8tomacaddr" => mac8_to_6[[u8; 8]];
}
