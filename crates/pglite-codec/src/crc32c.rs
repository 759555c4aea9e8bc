//! CRC-32C (Castagnoli), in hardware where the processor has it.
//!
//! Protects log frames, table blocks and the manifest. `extend` chains: the result for a whole is the result for
//! its parts one after the other.
#![allow(unsafe_code)]

const POLYNOMIAL: u32 = 0x82f6_3b78;

static TABLE: [[u32; 256]; 8] = make_table();

const fn make_table() -> [[u32; 256]; 8] {
    let mut table = [[0u32; 256]; 8];
    let mut i = 0;
    while i < 256 {
        let mut crc = i as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 != 0 { (crc >> 1) ^ POLYNOMIAL } else { crc >> 1 };
            bit += 1;
        }
        table[0][i] = crc;
        i += 1;
    }
    let mut slice = 1;
    while slice < 8 {
        let mut i = 0;
        while i < 256 {
            let previous = table[slice - 1][i];
            table[slice][i] = (previous >> 8) ^ table[0][(previous & 0xff) as usize];
            i += 1;
        }
        slice += 1;
    }
    table
}

/// The checksum of `data`.
#[inline]
pub fn checksum(data: &[u8]) -> u32 {
    extend(0, data)
}

/// The checksum of what `crc` covers, followed by `data`.
#[inline]
pub fn extend(crc: u32, data: &[u8]) -> u32 {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("sse4.2") {
        // SAFETY: the processor has SSE4.2, which was just asked.
        return unsafe { extend_sse42(crc, data) };
    }
    extend_portable(crc, data)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "sse4.2")]
fn extend_sse42(crc: u32, data: &[u8]) -> u32 {
    use std::arch::x86_64::{_mm_crc32_u8, _mm_crc32_u64};
    let mut state = !crc as u64;
    let (words, rest) = data.as_chunks::<8>();
    for word in words {
        state = _mm_crc32_u64(state, u64::from_le_bytes(*word));
    }
    let mut state = state as u32;
    for &byte in rest {
        state = _mm_crc32_u8(state, byte);
    }
    !state
}

fn extend_portable(crc: u32, data: &[u8]) -> u32 {
    let mut state = !crc;
    let (words, rest) = data.as_chunks::<8>();
    for word in words {
        let mixed = u64::from_le_bytes(*word) ^ state as u64;
        state = 0;
        for (i, byte) in mixed.to_le_bytes().into_iter().enumerate() {
            state ^= TABLE[7 - i][byte as usize];
        }
    }
    for &byte in rest {
        state = (state >> 8) ^ TABLE[0][((state ^ byte as u32) & 0xff) as usize];
    }
    !state
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_answers_and_both_ways_agree() {
        assert_eq!(checksum(b"123456789"), 0xe306_9283);
        assert_eq!(extend_portable(0, b"123456789"), 0xe306_9283);
        assert_eq!(checksum(&[0; 32]), 0x8a91_36aa);
        let data: Vec<u8> = (0..1000u32).map(|i| (i * 7 + i / 3) as u8).collect();
        for cut in 0..data.len() {
            let (a, b) = data.split_at(cut);
            assert_eq!(extend(checksum(a), b), checksum(&data));
            assert_eq!(extend_portable(0, a), checksum(a));
        }
    }
}
