//! Checksummed, length-framed, chained records: what the write-ahead log and the manifest are made of.
//!
//! ```text
//!   0        4        8        12       16               24               32            32+len   padded to 8
//!   +--------+--------+--------+--------+----------------+----------------+-------------+-----+
//!   | crc32c | length | prev   | kind   | position       | durable        | payload ... | pad |
//!   +--------+--------+--------+--------+----------------+----------------+-------------+-----+
//! ```
//!
//! `crc32c` covers everything after itself up to the end of the payload. `prev` is the checksum of the frame
//! before (the chain). `position` is the frame's own place, so that a stale frame of a recycled file never
//! passes for a live one. `durable` tells up to which place the log had been synced when the frame was written:
//! it is what tells a torn tail (allowed) from a hole in durable data (corruption).
//!
//! Invariant: all integers are little-endian; a frame starts on a multiple of [`ALIGN`].

use crate::crc32c;

/// Bytes before the payload.
pub const HEADER: usize = 32;
/// Frames start at multiples of this.
pub const ALIGN: usize = 8;

/// The fields of a frame's head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameHead {
    pub crc: u32,
    pub len: u32,
    pub prev: u32,
    pub kind: u32,
    pub position: u64,
    pub durable: u64,
}

/// The bytes a frame with `payload` bytes takes, padding included.
#[inline]
pub const fn frame_len(payload: usize) -> usize {
    (HEADER + payload).next_multiple_of(ALIGN)
}

/// Reserves a head at the end of `out` and returns its place; the payload is appended next, then [`finish`].
pub fn begin(out: &mut Vec<u8>) -> usize {
    let start = out.len();
    out.resize(start + HEADER, 0);
    start
}

/// Fills in the head of the frame begun at `start`, pads it, and returns its checksum.
pub fn finish(out: &mut Vec<u8>, start: usize, kind: u32, prev: u32, position: u64, durable: u64) -> u32 {
    let len = (out.len() - start - HEADER) as u32;
    let head = &mut out[start..start + HEADER];
    head[4..8].copy_from_slice(&len.to_le_bytes());
    head[8..12].copy_from_slice(&prev.to_le_bytes());
    head[12..16].copy_from_slice(&kind.to_le_bytes());
    head[16..24].copy_from_slice(&position.to_le_bytes());
    head[24..32].copy_from_slice(&durable.to_le_bytes());
    let crc = crc32c::checksum(&out[start + 4..]);
    out[start..start + 4].copy_from_slice(&crc.to_le_bytes());
    out.resize(start + frame_len(len as usize), 0);
    crc
}

/// Reads the head without checking anything but that it is there.
#[inline]
pub fn peek(data: &[u8]) -> Option<FrameHead> {
    let head: &[u8; HEADER] = data.first_chunk()?;
    let u32_at = |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
    let u64_at = |at: usize| u32_at(at) as u64 | (u32_at(at + 4) as u64) << 32;
    Some(FrameHead {
        crc: u32_at(0),
        len: u32_at(4),
        prev: u32_at(8),
        kind: u32_at(12),
        position: u64_at(16),
        durable: u64_at(24),
    })
}

/// Reads the frame at the start of `data`, which must stand at `position`; `None` if it is not whole and sound.
pub fn read(data: &[u8], position: u64) -> Option<(FrameHead, &[u8])> {
    let head = peek(data)?;
    if head.position != position {
        return None;
    }
    let end = HEADER.checked_add(head.len as usize)?;
    let body = data.get(4..end)?;
    (crc32c::checksum(body) == head.crc).then(|| (head, &data[HEADER..end]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flipped_bit_is_seen() {
        let mut out = Vec::new();
        let start = begin(&mut out);
        out.extend_from_slice(b"payload");
        finish(&mut out, start, 3, 0xabcd, 77, 11);
        assert_eq!(out.len() % ALIGN, 0);
        let (head, payload) = read(&out, 77).unwrap();
        assert_eq!((head.kind, head.prev, head.durable, payload), (3, 0xabcd, 11, &b"payload"[..]));
        assert!(read(&out, 78).is_none());
        for bit in 0..(HEADER + 7) * 8 {
            let mut bad = out.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert!(read(&bad, 77).is_none(), "bit {bit}");
        }
        for cut in 0..HEADER + 7 {
            assert!(read(&out[..cut], 77).is_none());
        }
    }
}
