//! md5, sha, crc.

use sha2::Digest;

use crate::builtins;

const SHIFTS: [u32; 16] = [7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21];

fn md5_block(state: &mut [u32; 4], block: &[u8]) {
    let word =
        |i: usize| u32::from_le_bytes([block[4 * i], block[4 * i + 1], block[4 * i + 2], block[4 * i + 3]]);
    let [mut a, mut b, mut c, mut d] = *state;
    for i in 0..64usize {
        let (f, g) = match i / 16 {
            0 => ((b & c) | (!b & d), i),
            1 => ((d & b) | (!d & c), (5 * i + 1) % 16),
            2 => (b ^ c ^ d, (3 * i + 5) % 16),
            _ => (c ^ (b | !d), (7 * i) % 16),
        };
        // RFC 1321: the constants are the sines of 1..=64.
        let k = (((i + 1) as f64).sin().abs() * 4_294_967_296.0) as u32;
        let sum = a.wrapping_add(f).wrapping_add(k).wrapping_add(word(g));
        (a, d, c) = (d, c, b);
        b = b.wrapping_add(sum.rotate_left(SHIFTS[i / 16 * 4 + i % 4]));
    }
    for (s, v) in state.iter_mut().zip([a, b, c, d]) {
        *s = s.wrapping_add(v);
    }
}

/// MD5 in hexadecimal.
pub fn md5(data: &[u8]) -> String {
    let mut state = [0x6745_2301u32, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476];
    let mut blocks = data.chunks_exact(64);
    for block in &mut blocks {
        md5_block(&mut state, block);
    }
    let mut tail = blocks.remainder().to_vec();
    tail.push(0x80);
    while tail.len() % 64 != 56 {
        tail.push(0);
    }
    tail.extend_from_slice(&(data.len() as u64 * 8).to_le_bytes());
    for block in tail.chunks_exact(64) {
        md5_block(&mut state, block);
    }
    let bytes: Vec<u8> = state.iter().flat_map(|w| w.to_le_bytes()).collect();
    let mut out = String::new();
    pglite_types::text::scalar::push_hex(&bytes, &mut out);
    out
}

fn md5_text(s: &str) -> String {
    md5(s.as_bytes())
}
fn md5_bytea(b: &[u8]) -> String {
    md5(b)
}
fn sha224(b: &[u8]) -> Vec<u8> {
    sha2::Sha224::digest(b).to_vec()
}
fn sha256(b: &[u8]) -> Vec<u8> {
    sha2::Sha256::digest(b).to_vec()
}
fn sha384(b: &[u8]) -> Vec<u8> {
    sha2::Sha384::digest(b).to_vec()
}
fn sha512(b: &[u8]) -> Vec<u8> {
    sha2::Sha512::digest(b).to_vec()
}

/// A reflected 32-bit CRC.
fn crc(data: &[u8], poly: u32) -> i64 {
    let step = |mut v: u32| {
        for _ in 0..8 {
            v = if v & 1 == 1 { v >> 1 ^ poly } else { v >> 1 };
        }
        v
    };
    let v = data.iter().fold(u32::MAX, |acc, b| acc >> 8 ^ step((acc ^ u32::from(*b)) & 0xff));
    i64::from(!v)
}
fn crc32(b: &[u8]) -> i64 {
    crc(b, 0xedb8_8320)
}
fn crc32c(b: &[u8]) -> i64 {
    crc(b, 0x82f6_3b78)
}

builtins! { pub TABLE:
    "md5_text" => md5_text[&str];
    "md5_bytea" => md5_bytea[&[u8]];
    "sha224_bytea" => sha224[&[u8]];
    "sha256_bytea" => sha256[&[u8]];
    "sha384_bytea" => sha384[&[u8]];
    "sha512_bytea" => sha512[&[u8]];
    "crc32_bytea" => crc32[&[u8]];
    "crc32c_bytea" => crc32c[&[u8]];
}
