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
}
