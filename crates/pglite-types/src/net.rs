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

mod io;

pub use io::{inet_in, inet_out, macaddr_in, macaddr_out, macaddr8_in, write_address};

impl Inet {
    /// Whether no bit right of the mask is set.
    pub fn host_bits_clear(&self) -> bool {
        u128::from_be_bytes(self.addr) & self.host_mask() == 0
    }
    /// The bits right of the mask, as a left-aligned number.
    fn host_mask(&self) -> u128 {
        let all = if self.v6 { u128::MAX } else { (u32::MAX as u128) << 96 };
        all & u128::MAX.checked_shr(self.bits as u32).unwrap_or(0)
    }
    /// The address with its host bits cleared.
    pub fn network(&self) -> Inet {
        Inet { addr: (u128::from_be_bytes(self.addr) & !self.host_mask()).to_be_bytes(), ..*self }
    }
    /// The address with its host bits set.
    pub fn broadcast(&self) -> Inet {
        Inet { addr: (u128::from_be_bytes(self.addr) | self.host_mask()).to_be_bytes(), ..*self }
    }
    /// The mask as an address.
    pub fn netmask(&self) -> Inet {
        let all = if self.v6 { u128::MAX } else { (u32::MAX as u128) << 96 };
        Inet { addr: (all & !self.host_mask()).to_be_bytes(), bits: self.max_bits(), v6: self.v6 }
    }
    pub fn hostmask(&self) -> Inet {
        Inet { addr: self.host_mask().to_be_bytes(), bits: self.max_bits(), v6: self.v6 }
    }
    /// `self >>= other`: other's network lies within this one.
    pub fn contains_eq(&self, other: &Inet) -> bool {
        self.v6 == other.v6
            && self.bits <= other.bits
            && Inet { bits: self.bits, ..*other }.network().addr == self.network().addr
    }
}
