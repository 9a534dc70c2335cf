//! How often to do what is too dear to be done for each item, where nobody tells blocks from items.
//!
//! A folder's `full` is asked between blocks, and by some adapters after each item. Something that takes as long as a
//! look at the clock is then done each time only as long as the items take longer.

use std::cell::Cell;

use crate::ground::ticks::{self, Ticks};

/// The most calls that are passed over in a row.
const MOST: u32 = 63;

/// See the module.
pub(crate) struct Throttle {
    last: Cell<Ticks>,
    /// How many calls to pass over.
    skip: Cell<u32>,
    left: Cell<u32>,
}

impl Throttle {
    pub(crate) fn new() -> Self {
        Throttle { last: Cell::new(Ticks::now()), skip: Cell::new(0), left: Cell::new(0) }
    }

    /// Whether it is time again. Asked for each item or for each block.
    #[inline]
    pub(crate) fn is_due(&self) -> bool {
        match self.left.get() {
            0 => {
                self.pace();
                true
            }
            left => {
                self.left.set(left - 1);
                false
            }
        }
    }

    /// A block has ended, or begins: the next question is not passed over.
    #[inline]
    pub(crate) fn make_due(&self) {
        self.left.set(0);
    }

    fn pace(&self) {
        let now = Ticks::now();
        let passed = now.since(self.last.replace(now));
        let skip = self.skip.get();
        let microsecond = ticks::per_microsecond();
        let skip = match passed {
            _ if passed < microsecond => (2 * skip + 1).min(MOST),
            _ if passed < 8 * microsecond => skip,
            _ => 0,
        };
        self.skip.set(skip);
        self.left.set(skip);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, Instant};

    #[test]
    fn slow_items_are_never_passed_over() {
        let throttle = Throttle::new();
        for _ in 0..50 {
            let began = Instant::now();
            while began.elapsed() < Duration::from_micros(100) {
                std::hint::spin_loop();
            }
            assert!(throttle.is_due());
        }
    }

    #[test]
    fn quick_items_mostly_are_but_not_the_first_of_a_block() {
        let throttle = Throttle::new();
        let due = (0..100_000).filter(|_| throttle.is_due()).count();
        assert!(due < 20_000, "{due} of 100000");
        throttle.make_due();
        assert!(throttle.is_due());
    }
}
