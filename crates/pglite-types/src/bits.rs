//! `bit` and `varbit`.

/// A bit string: `len` bits, most significant bit of `bytes[0]` first, the rest of the last byte zero.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct BitString {
    pub len: u32,
    pub bytes: Vec<u8>,
}

impl BitString {
    pub fn zeros(len: u32) -> BitString {
        BitString { len, bytes: vec![0; len.div_ceil(8) as usize] }
    }
    pub fn get(&self, at: u32) -> bool {
        self.bytes[(at / 8) as usize] >> (7 - at % 8) & 1 == 1
    }
    pub fn set(&mut self, at: u32, bit: bool) {
        let mask = 0x80u8 >> (at % 8);
        let byte = &mut self.bytes[(at / 8) as usize];
        *byte = if bit { *byte | mask } else { *byte & !mask };
    }
    /// Cut or padded with zeros on the right to `len` bits.
    pub fn resized(&self, len: u32) -> BitString {
        let mut bytes = self.bytes.clone();
        bytes.resize(len.div_ceil(8) as usize, 0);
        let mut out = BitString { len, bytes };
        out.clear_tail();
        out
    }
    /// Zeroes the unused bits of the last byte.
    pub(crate) fn clear_tail(&mut self) {
        if !self.len.is_multiple_of(8)
            && let Some(last) = self.bytes.last_mut()
        {
            *last &= 0xffu8 << (8 - self.len % 8);
        }
    }
}
