//! How finely the work is cut.

use crate::pool::handle::on_current;
use crate::pool::shared::Shared;

/// Slices up to this length are left to one thread, and do not enter the pool.
pub(crate) const SMALL: usize = if cfg!(debug_assertions) { 600 } else { 12_000 };

/// No sorted part is made shorter on purpose.
pub(crate) const LEAST_PART: usize = if cfg!(debug_assertions) { 100 } else { 3_000 };

/// No piece of a merge or of a pass over the slice is made shorter on purpose.
pub(crate) const LEAST_PIECE: usize = if cfg!(debug_assertions) { 128 } else { 8_192 };

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
