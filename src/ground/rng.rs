//! A small, fast generator for choices that need no quality: whom to steal from first.

use std::cell::Cell;

/// xorshift64* (Marsaglia 2003, Vigna 2016), one per worker, never shared.
#[derive(Debug)]
pub(crate) struct Rng(Cell<u64>);

impl Rng {
    /// A generator for the given seed; equal seeds give equal sequences.
    pub(crate) fn new(seed: u64) -> Self {
        // An all-zero state would stay zero for ever.
        Rng(Cell::new(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1))
    }

    /// A number below `n` (0 if `n` is 0 or 1), by Lemire's multiply-shift.
    pub(crate) fn below(&self, n: usize) -> usize {
        let mut x = self.0.get();
        x ^= x >> 12;
        x ^= x << 25;
        x ^= x >> 27;
        self.0.set(x);
        let high = x.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 32;
        ((high as u128 * n as u128) >> 32) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::Rng;

    #[test]
    fn stays_below_and_reaches_all() {
        let rng = Rng::new(7);
        let mut seen = [false; 10];
        for _ in 0..1000 {
            seen[rng.below(10)] = true;
        }
        assert!(seen.iter().all(|s| *s));
        assert_eq!(rng.below(1), 0);
        assert_eq!(rng.below(0), 0);
    }
}
