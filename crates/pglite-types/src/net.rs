//! `inet`, `cidr`, `macaddr`, `macaddr8`.

/// A network address with its mask length. inet and cidr share it; the SQL type tells how it prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inet {
    pub v6: bool,
    /// Mask length: 0..=32 or 0..=128.
    pub bits: u8,
    /// The first 4 or all 16 bytes count; the rest are zero.
    pub addr: [u8; 16],
}

impl Inet {
    pub fn max_bits(&self) -> u8 {
        if self.v6 { 128 } else { 32 }
    }
    pub fn bytes(&self) -> &[u8] {
        &self.addr[..if self.v6 { 16 } else { 4 }]
    }
}
