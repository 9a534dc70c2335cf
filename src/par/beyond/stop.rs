//! `with_cancel` and `with_deadline`: a loop that stops when it is told to, or when it is late.
//!
//! The folder and the consumer say that they are full from then on; the engine asks them between blocks. The folder
//! below is handed the items of a block as a plain iterator, so inside of a block nobody asks. Adapters above that go
//! item by item ask after each: that is one load, or, where there is a clock to be read, mostly none ([`Throttle`]).

use std::cell::Cell;
use std::fmt;
use std::time::Instant;

use crate::par::beyond::throttle::Throttle;
use crate::par::iter::ParallelIterator;
use crate::par::place::Place;
use crate::par::plumbing::{Consumer, Folder};
use crate::pool::timers;
use crate::work::cancel::CancellationToken;

/// What tells a loop to stop.
pub(crate) trait Sign: Copy + Send {
    fn shows(self) -> bool;

    /// Whether it may be asked for each item.
    fn is_cheap(self) -> bool;
}

impl Sign for &CancellationToken {
    #[inline]
    fn shows(self) -> bool {
        self.is_cancelled()
    }

    #[inline]
    fn is_cheap(self) -> bool {
        self.deadline().is_none()
    }
}

/// A moment of the current pool's clock.
#[derive(Clone, Copy)]
pub(crate) struct Late(Instant);

impl Sign for Late {
    #[inline]
    fn shows(self) -> bool {
        timers::now() >= self.0
    }

    #[inline]
    fn is_cheap(self) -> bool {
        false
    }
}

// ----- the adapters --------------------------------------------------------------------------------------------------

/// Made by [`with_cancel`](ParallelIterator::with_cancel).
#[derive(Clone)]
#[must_use = "parallel iterators do nothing until they are consumed"]
pub struct WithCancel<'t, I> {
    base: I,
    token: &'t CancellationToken,
}

impl<'t, I> WithCancel<'t, I> {
    pub(crate) fn new(base: I, token: &'t CancellationToken) -> Self {
        WithCancel { base, token }
    }
}

impl<I: fmt::Debug> fmt::Debug for WithCancel<'_, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WithCancel").field("base", &self.base).finish_non_exhaustive()
    }
}

impl<I: ParallelIterator> ParallelIterator for WithCancel<'_, I> {
    type Item = I::Item;

    fn drive<C: Consumer<I::Item>>(self, consumer: C, place: Place) -> C::Result {
        self.base.drive(StopConsumer { base: consumer, sign: self.token }, place)
    }
}

/// Made by [`with_deadline`](ParallelIterator::with_deadline).
#[derive(Clone, Debug)]
#[must_use = "parallel iterators do nothing until they are consumed"]
pub struct WithDeadline<I> {
    base: I,
    deadline: Instant,
}

impl<I> WithDeadline<I> {
    pub(crate) fn new(base: I, deadline: Instant) -> Self {
        WithDeadline { base, deadline }
    }
}

impl<I: ParallelIterator> ParallelIterator for WithDeadline<I> {
    type Item = I::Item;

    fn drive<C: Consumer<I::Item>>(self, consumer: C, place: Place) -> C::Result {
        self.base.drive(StopConsumer { base: consumer, sign: Late(self.deadline) }, place)
    }
}

// ----- both ----------------------------------------------------------------------------------------------------------

#[derive(Clone, Copy)]
struct StopConsumer<C, S> {
    base: C,
    sign: S,
}

impl<T, C: Consumer<T>, S: Sign> Consumer<T> for StopConsumer<C, S> {
    type Folder = StopFolder<C::Folder, S>;
    type Result = C::Result;
    const SEARCHES: bool = C::SEARCHES;

    fn into_folder(self, place: Place) -> Self::Folder {
        StopFolder {
            base: self.base.into_folder(place),
            sign: self.sign,
            seen: Cell::new(false),
            throttle: Throttle::new(),
        }
    }

    fn reduce(self, left: C::Result, right: C::Result) -> C::Result {
        self.base.reduce(left, right)
    }

    fn full(self) -> bool {
        self.base.full() || self.sign.shows()
    }

    fn full_at(self, label: u64) -> bool {
        self.base.full_at(label) || self.sign.shows()
    }
}

struct StopFolder<F, S> {
    base: F,
    sign: S,
    seen: Cell<bool>,
    throttle: Throttle,
}

impl<F, S: Sign> StopFolder<F, S> {
    #[inline]
    fn stops(&self) -> bool {
        if !self.seen.get() && (self.sign.is_cheap() || self.throttle.is_due()) {
            self.seen.set(self.sign.shows());
        }
        self.seen.get()
    }
}

impl<T, F: Folder<T>, S: Sign> Folder<T> for StopFolder<F, S> {
    type Result = F::Result;

    #[inline]
    fn consume(mut self, item: T) -> Self {
        self.base = self.base.consume(item);
        self
    }

    #[inline]
    fn consume_iter<I: IntoIterator<Item = T>>(mut self, iter: I) -> Self {
        self.base = self.base.consume_iter(iter);
        self.throttle.make_due();
        self
    }

    fn complete(self) -> F::Result {
        self.base.complete()
    }

    #[inline]
    fn full(&self) -> bool {
        self.base.full() || self.stops()
    }

    #[inline]
    fn advance(&mut self, next: Place) {
        self.base.advance(next);
        self.throttle.make_due();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ground::sync::{AtomicUsize, Ordering};
    use crate::par::into::IntoParallelIterator;

    /// Counts how often it is asked, and shows after so many times.
    #[derive(Clone, Copy)]
    struct Asked<'a>(&'a AtomicUsize, bool, usize);

    impl Sign for Asked<'_> {
        fn shows(self) -> bool {
            self.0.fetch_add(1, Ordering::Relaxed) >= self.2
        }

        fn is_cheap(self) -> bool {
            self.1
        }
    }

    struct Asking<'a, I>(I, Asked<'a>);

    impl<I: ParallelIterator> ParallelIterator for Asking<'_, I> {
        type Item = I::Item;

        fn drive<C: Consumer<I::Item>>(self, consumer: C, place: Place) -> C::Result {
            self.0.drive(StopConsumer { base: consumer, sign: self.1 }, place)
        }
    }

    const LEN: usize = 300_000;

    #[test]
    fn nobody_asks_for_each_item() {
        for cheap in [true, false] {
            let asked = AtomicUsize::new(0);
            let items = (0..LEN).into_par_iter().map(std::hint::black_box);
            Asking(items, Asked(&asked, cheap, usize::MAX)).for_each(drop);
            let asked = asked.into_inner();
            assert!((2..LEN / 10).contains(&asked), "{asked}");
        }
    }

    #[test]
    fn one_item_at_a_time_the_clock_is_read_now_and_then() {
        let asked = AtomicUsize::new(0);
        let sign = Asked(&asked, false, usize::MAX);
        let mut folder = StopFolder { base: Drops, sign, seen: Cell::new(false), throttle: Throttle::new() };
        for item in 0..LEN {
            folder = folder.consume(item);
            assert!(!folder.full());
        }
        let before = asked.load(Ordering::Relaxed);
        assert!((2..LEN / 5).contains(&before), "{before}");
        // But at the end of each block.
        for block in 1..100 {
            folder = folder.consume_iter(0..3);
            assert!(!folder.full());
            assert_eq!(asked.load(Ordering::Relaxed), before + block);
        }
    }

    #[test]
    fn who_has_seen_the_sign_does_not_forget() {
        let asked = AtomicUsize::new(0);
        let sign = Asked(&asked, true, 2);
        let folder = StopFolder { base: Drops, sign, seen: Cell::new(false), throttle: Throttle::new() };
        let full: Vec<bool> = (0..5).map(|_| Folder::<usize>::full(&folder)).collect();
        assert_eq!(full, [false, false, true, true, true]);
        assert_eq!(asked.into_inner(), 3);
    }

    struct Drops;

    impl Folder<usize> for Drops {
        type Result = ();

        fn consume(self, _: usize) -> Self {
            self
        }

        fn complete(self) {}
    }
}
