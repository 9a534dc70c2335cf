//! Numbers to work on: the same in each run.

/// A generator of numbers that look random (Steele, Lea and Flood's SplitMix64).
pub struct Numbers(u64);

impl Numbers {
    /// The sequence that belongs to the seed.
    pub fn new(seed: u64) -> Self {
        Numbers(seed)
    }

    /// The next number, less than `bound`, which is not 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.next().expect("there is always a next one") % bound
    }
}

impl Iterator for Numbers {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Some(z ^ (z >> 31))
    }
}
