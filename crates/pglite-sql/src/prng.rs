//! The session's generator after `setseed`: xoroshiro128**, seeded through splitmix64, as PostgreSQL has it, so that the
//! same seed gives the same numbers.

/// The generator's state.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Prng {
    s0: u64,
    s1: u64,
}

fn splitmix(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut v = *seed;
    v = (v ^ (v >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    v = (v ^ (v >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    v ^ (v >> 31)
}

impl Prng {
    /// From a number between -1 and 1.
    pub fn seeded(fraction: f64) -> Prng {
        let mut seed = (((1u64 << 52) - 1) as f64 * fraction) as i64 as u64;
        let (s0, s1) = (splitmix(&mut seed), splitmix(&mut seed));
        if s0 == 0 && s1 == 0 {
            Prng { s0: 0x5851_F42D_4C95_7F2D, s1: 0x1405_7B7E_F767_814F }
        } else {
            Prng { s0, s1 }
        }
    }
    pub fn next(&mut self) -> u64 {
        let (s0, sx) = (self.s0, self.s1 ^ self.s0);
        let value = s0.wrapping_mul(5).rotate_left(7).wrapping_mul(9);
        self.s0 = s0.rotate_left(24) ^ sx ^ (sx << 16);
        self.s1 = sx.rotate_left(37);
        value
    }
}
