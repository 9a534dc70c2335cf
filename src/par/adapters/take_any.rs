//! `take_any` and `skip_any`: a number of items, whichever come first.

use crate::ground::sync::{AtomicUsize, Ordering};
use crate::par::adapters::gate::{Gate, GateConsumer};
use crate::par::adapters::sift::{Sift, SiftConsumer};
use crate::par::iter::ParallelIterator;
use crate::par::place::Place;
use crate::par::plumbing::Consumer;

/// How many more items: one count for all pieces. It guards nothing else, so Relaxed does.
struct Tickets {
    left: AtomicUsize,
}

impl Tickets {
    fn new(count: usize) -> Self {
        Tickets { left: AtomicUsize::new(count) }
    }

    /// Takes one, if any is left.
    #[inline]
    fn take(&self) -> bool {
        self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok()
    }
}

/// Made by [`take_any`](ParallelIterator::take_any).
#[derive(Clone, Debug)]
#[must_use = "parallel iterators do nothing until they are consumed"]
pub struct TakeAny<I> {
    base: I,
    count: usize,
}

impl<I> TakeAny<I> {
    pub(crate) fn new(base: I, count: usize) -> Self {
        TakeAny { base, count }
    }
}

impl<I: ParallelIterator> ParallelIterator for TakeAny<I> {
    type Item = I::Item;

    fn drive<C: Consumer<I::Item>>(self, consumer: C, place: Place) -> C::Result {
        self.base.drive(GateConsumer::new(consumer, &Tickets::new(self.count)), place)
    }
}

impl<T> Gate<T> for Tickets {
    type Out = T;

    #[inline]
    fn pass(&self, item: T) -> Option<T> {
        self.take().then_some(item)
    }

    #[inline]
    fn is_closed(&self) -> bool {
        self.left.load(Ordering::Relaxed) == 0
    }
}

/// Made by [`skip_any`](ParallelIterator::skip_any).
#[derive(Clone, Debug)]
#[must_use = "parallel iterators do nothing until they are consumed"]
pub struct SkipAny<I> {
    base: I,
    count: usize,
}

impl<I> SkipAny<I> {
    pub(crate) fn new(base: I, count: usize) -> Self {
        SkipAny { base, count }
    }
}

impl<I: ParallelIterator> ParallelIterator for SkipAny<I> {
    type Item = I::Item;

    fn drive<C: Consumer<I::Item>>(self, consumer: C, place: Place) -> C::Result {
        self.base.drive(SiftConsumer::new(consumer, &Tickets::new(self.count)), place)
    }
}

impl<T> Sift<T> for Tickets {
    type Out = T;

    #[inline]
    fn sift(&self, item: T) -> Option<T> {
        if self.take() { None } else { Some(item) }
    }
}
