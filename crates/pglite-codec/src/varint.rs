//! LEB128 variable-length integers, for the length fields of blocks, batches and manifests.
//!
//! Invariant: `read_*` never reads past the slice and never accepts more than ten bytes.

/// The longest encoding of a `u64`.
pub const MAX_LEN: usize = 10;

/// Appends `value`.
#[inline]
pub fn write_u64(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Appends `value`.
#[inline]
pub fn write_u32(out: &mut Vec<u8>, value: u32) {
    write_u64(out, value as u64);
}

/// The number of bytes `write_u64` appends.
#[inline]
pub fn len_u64(value: u64) -> usize {
    (70 - (value | 1).leading_zeros() as usize) / 7
}

/// Reads one integer at `*pos` and moves `*pos` past it; `None` when truncated or overlong.
#[inline]
pub fn read_u64(data: &[u8], pos: &mut usize) -> Option<u64> {
    let first = *data.get(*pos)?;
    if first < 0x80 {
        *pos += 1;
        return Some(first as u64);
    }
    // Lengths and version distances mostly fit two or three bytes.
    if let Some(&[_, b, c]) = data.get(*pos..*pos + 3) {
        if b < 0x80 {
            *pos += 2;
            return Some((first & 0x7f) as u64 | (b as u64) << 7);
        }
        if c < 0x80 {
            *pos += 3;
            return Some((first & 0x7f) as u64 | ((b & 0x7f) as u64) << 7 | (c as u64) << 14);
        }
    }
    *pos += 1;
    read_more(data, pos, first)
}

#[inline(never)]
fn read_more(data: &[u8], pos: &mut usize, first: u8) -> Option<u64> {
    let mut value = (first & 0x7f) as u64;
    let mut shift = 7;
    loop {
        let byte = *data.get(*pos)?;
        *pos += 1;
        if shift == 63 && byte > 1 {
            return None;
        }
        value |= ((byte & 0x7f) as u64) << shift;
        if byte < 0x80 {
            return Some(value);
        }
        shift += 7;
        if shift > 63 {
            return None;
        }
    }
}

/// Like [`read_u64`], refusing what does not fit 32 bits.
#[inline]
pub fn read_u32(data: &[u8], pos: &mut usize) -> Option<u32> {
    read_u64(data, pos).and_then(|v| u32::try_from(v).ok())
}

/// Reads a length and then that many bytes.
#[inline]
pub fn read_bytes<'a>(data: &'a [u8], pos: &mut usize) -> Option<&'a [u8]> {
    let len = usize::try_from(read_u64(data, pos)?).ok()?;
    let end = pos.checked_add(len)?;
    let bytes = data.get(*pos..end)?;
    *pos = end;
    Some(bytes)
}

/// Appends a length and then the bytes.
#[inline]
pub fn write_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    write_u64(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trips_and_lengths() {
        for shift in 0..64 {
            for delta in [-1i64, 0, 1] {
                let value = (1u64 << shift).wrapping_add(delta as u64);
                let mut out = Vec::new();
                write_u64(&mut out, value);
                assert_eq!(out.len(), len_u64(value), "{value}");
                let mut pos = 0;
                assert_eq!(read_u64(&out, &mut pos), Some(value));
                assert_eq!(pos, out.len());
                for cut in 0..out.len() {
                    assert_eq!(read_u64(&out[..cut], &mut 0), None);
                }
            }
        }
    }

    #[test]
    fn overlong_is_refused() {
        assert_eq!(read_u64(&[0xff; 11], &mut 0), None);
        assert_eq!(read_bytes(&[5, 1, 2], &mut 0), None);
    }
}
