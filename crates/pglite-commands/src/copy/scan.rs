//! Searching bytes eight at a time: what COPY's line and field splitting spends its time on.

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

/// High bits where `word` has a zero byte; exact up to and including the first one.
#[inline]
fn zeros(word: u64) -> u64 {
    word.wrapping_sub(ONES) & !word & HIGH
}

/// The first position at or after `from` of a byte that is one of `want`.
#[inline]
pub(super) fn find<const N: usize>(bytes: &[u8], from: usize, want: [u8; N]) -> Option<usize> {
    let masks = want.map(|b| ONES * u64::from(b));
    let mut at = from;
    while let Some(chunk) = bytes.get(at..).and_then(<[u8]>::first_chunk::<8>) {
        let word = u64::from_le_bytes(*chunk);
        let mut hit = 0;
        for mask in masks {
            hit |= zeros(word ^ mask);
        }
        if hit != 0 {
            return Some(at + (hit.trailing_zeros() / 8) as usize);
        }
        at += 8;
    }
    let rest = bytes.get(at..)?;
    rest.iter().position(|b| want.contains(b)).map(|i| at + i)
}

#[cfg(test)]
mod tests {
    use super::find;

    #[test]
    fn finds_what_a_plain_search_finds() {
        let bytes: Vec<u8> = (0..200u32).map(|i| (i * 37 % 251) as u8 | (i as u8 & 0x80)).collect();
        for from in 0..bytes.len() {
            for want in [[0u8, 255], [10, 13], [128, 129], [7, 9]] {
                let plain = bytes[from..].iter().position(|b| want.contains(b)).map(|i| i + from);
                assert_eq!(find(&bytes, from, want), plain, "{from} {want:?}");
            }
        }
        assert_eq!(find(b"abc", 3, [b'a']), None);
    }
}
