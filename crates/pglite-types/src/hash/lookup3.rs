//! Bob Jenkins' lookup3 as PostgreSQL seeds it (little-endian reading).

const INIT: u32 = 0x9e37_79b9;
const EXTRA: u32 = 3_923_095;

fn mix([mut a, mut b, mut c]: [u32; 3]) -> [u32; 3] {
    a = a.wrapping_sub(c) ^ c.rotate_left(4);
    c = c.wrapping_add(b);
    b = b.wrapping_sub(a) ^ a.rotate_left(6);
    a = a.wrapping_add(c);
    c = c.wrapping_sub(b) ^ b.rotate_left(8);
    b = b.wrapping_add(a);
    a = a.wrapping_sub(c) ^ c.rotate_left(16);
    c = c.wrapping_add(b);
    b = b.wrapping_sub(a) ^ a.rotate_left(19);
    a = a.wrapping_add(c);
    c = c.wrapping_sub(b) ^ b.rotate_left(4);
    b = b.wrapping_add(a);
    [a, b, c]
}

fn finish([mut a, mut b, mut c]: [u32; 3]) -> [u32; 3] {
    c = (c ^ b).wrapping_sub(b.rotate_left(14));
    a = (a ^ c).wrapping_sub(c.rotate_left(11));
    b = (b ^ a).wrapping_sub(a.rotate_left(25));
    c = (c ^ b).wrapping_sub(b.rotate_left(16));
    a = (a ^ c).wrapping_sub(c.rotate_left(4));
    b = (b ^ a).wrapping_sub(a.rotate_left(14));
    c = (c ^ b).wrapping_sub(b.rotate_left(24));
    [a, b, c]
}

fn start(len: usize, seed: u64) -> [u32; 3] {
    let v = INIT.wrapping_add(len as u32).wrapping_add(EXTRA);
    if seed == 0 {
        return [v; 3];
    }
    mix([v.wrapping_add((seed >> 32) as u32), v.wrapping_add(seed as u32), v])
}

fn run(bytes: &[u8], seed: u64) -> [u32; 3] {
    let mut s = start(bytes.len(), seed);
    let mut chunks = bytes.chunks_exact(12);
    for k in &mut chunks {
        for i in 0..3 {
            let w = u32::from_le_bytes([k[i * 4], k[i * 4 + 1], k[i * 4 + 2], k[i * 4 + 3]]);
            s[i] = s[i].wrapping_add(w);
        }
        s = mix(s);
    }
    for (i, &b) in chunks.remainder().iter().enumerate() {
        // The lowest byte of the third word is kept for the length.
        let shift = if i < 8 { i % 4 } else { i - 7 } * 8;
        s[i / 4] = s[i / 4].wrapping_add((b as u32) << shift);
    }
    finish(s)
}

pub fn hash_bytes(bytes: &[u8]) -> u32 {
    run(bytes, 0)[2]
}

pub fn hash_bytes_extended(bytes: &[u8], seed: u64) -> u64 {
    let [_, b, c] = run(bytes, seed);
    (b as u64) << 32 | c as u64
}

pub fn hash_uint32(v: u32) -> u32 {
    let mut s = start(4, 0);
    s[0] = s[0].wrapping_add(v);
    finish(s)[2]
}

pub fn hash_uint32_extended(v: u32, seed: u64) -> u64 {
    let mut s = start(4, seed);
    s[0] = s[0].wrapping_add(v);
    let [_, b, c] = finish(s);
    (b as u64) << 32 | c as u64
}
