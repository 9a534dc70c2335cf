//! How finely the work is cut: less finely where code is optimised, and very finely in unit tests, which panic at every
//! single comparison of a few dozen elements.

use std::hint::black_box;

use crate::ground::ticks::{self, Ticks};
use crate::par::sort::order::Order;
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

/// Slices up to this length are left to one thread, and do not enter the pool, if comparisons are quick.
pub(crate) const SMALL: usize = by_build(16, 600, 12_000);

/// No sorted part is made shorter on purpose.
pub(crate) const LEAST_PART: usize = by_build(4, 100, 3_000);

/// No piece of a merge or of a pass over the slice is made shorter on purpose.
pub(crate) const LEAST_PIECE: usize = by_build(5, 128, 8_192);

/// Shorter slices are not worth a look at what a comparison takes.
const LITTLE: usize = 200;
/// How many comparisons are timed.
const TIMED: usize = 4;
/// Comparisons in a microsecond, when they are quick.
const QUICK: u64 = if cfg!(debug_assertions) { 4 } else { 100 };
/// No comparison counts for more quick ones than this.
const HEAVIEST: usize = 512;

/// How many times as long as a quick comparison those of this slice take, at a guess: if that is long, a short slice is
/// worth other threads, too.
pub(crate) fn weigh<T, O: Order<T>>(v: &[T], order: &O) -> usize {
    if v.len() < LITTLE {
        return 1;
    }
    let compare = || {
        for chunk in v.chunks(v.len() / TIMED) {
            black_box(order.less(&chunk[0], &chunk[chunk.len() / 2]));
        }
    };
    // The first time what they look at is brought near.
    compare();
    let began = Ticks::now();
    compare();
    let each = Ticks::now().since(began) / TIMED as u64;
    usize::try_from(each * QUICK / ticks::per_microsecond()).unwrap_or(HEAVIEST).clamp(1, HEAVIEST)
}

/// How many threads there are, and what follows from it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Grain {
    /// Workers that can run at once: more parts than these could sort at a time are only more merges.
    pub(crate) workers: usize,
    /// Parts up to this length are sorted by the standard library.
    pub(crate) part: usize,
    /// Pieces up to this length are merged, or gone through, by one thread.
    pub(crate) piece: usize,
    /// What no sorted part is made shorter than on purpose.
    pub(crate) least: usize,
    /// Slices up to this length are left to one thread.
    pub(crate) small: usize,
}

impl Grain {
    /// For the current pool, a slice of this length, and comparisons of such a [weight](weigh).
    pub(crate) fn of(len: usize, weight: usize) -> Self {
        let workers = on_current(Shared::most_at_once);
        let (least, piece) = ((LEAST_PART / weight).max(1), (LEAST_PIECE / weight).max(1));
        let each = len / (8 * workers);
        Grain { workers, part: each.max(least), piece: each.max(piece), least, small: SMALL / weight }
    }

    /// For one thread.
    pub(crate) fn alone(len: usize) -> Self {
        Grain { workers: 1, part: len, piece: len, least: len, small: len }
    }
}

/// Runs `f` inside the current pool, or the global one, so that it need not be entered for each `join`.
pub(crate) fn inside<R: Send>(f: impl FnOnce() -> R + Send) -> R {
    on_current(|shared| shared.enter(move |_| f()))
}
