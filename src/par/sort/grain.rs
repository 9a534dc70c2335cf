//! How finely the work is cut: less finely where code is optimised, and very finely in unit tests, which panic at every
//! single comparison of a few dozen elements.

use crate::pool::handle::on_current;
use crate::pool::shared::Shared;

const fn by_build(unit_test: usize, debug: usize, release: usize) -> usize {
    if cfg!(test) {
        unit_test
    } else if cfg!(debug_assertions) {
        debug
    } else {
        release
    }
}

/// Slices up to this length are left to one thread, and do not enter the pool.
pub(crate) const SMALL: usize = by_build(16, 600, 12_000);

/// No sorted part is made shorter on purpose.
pub(crate) const LEAST_PART: usize = by_build(4, 100, 3_000);

/// No piece of a merge or of a pass over the slice is made shorter on purpose.
pub(crate) const LEAST_PIECE: usize = by_build(5, 128, 8_192);

/// How many threads there are, and what follows from it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Grain {
    /// Workers that can run at once: more parts than these could sort at a time are only more merges.
    pub(crate) workers: usize,
    /// Parts up to this length are sorted by the standard library.
    pub(crate) part: usize,
    /// Pieces up to this length are merged, or gone through, by one thread.
    pub(crate) piece: usize,
}

impl Grain {
    /// For the current pool and a slice of this length.
    pub(crate) fn of(len: usize) -> Self {
        let workers = on_current(Shared::most_at_once);
        Grain { workers, part: (len / (8 * workers)).max(LEAST_PART), piece: (len / (8 * workers)).max(LEAST_PIECE) }
    }
}

/// Runs `f` inside the current pool, or the global one, so that it need not be entered for each `join`.
pub(crate) fn inside<R: Send>(f: impl FnOnce() -> R + Send) -> R {
    on_current(|shared| shared.enter(move |_| f()))
}
