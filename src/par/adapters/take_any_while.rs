//! `take_any_while` and `skip_any_while`: items until one, whichever comes first, fails a test.

use std::fmt;

use crate::ground::sync::{AtomicBool, Ordering};
use crate::par::adapters::gate::{Gate, GateConsumer};
use crate::par::adapters::sift::{Sift, SiftConsumer};
use crate::par::iter::ParallelIterator;
use crate::par::place::Place;
use crate::par::plumbing::Consumer;

/// A test, and whether all items have passed it so far, in any piece. The flag guards nothing else, so Relaxed does.
struct While<'f, P> {
    predicate: &'f P,
    failed: AtomicBool,
}

impl<'f, P> While<'f, P> {
    fn new(predicate: &'f P) -> Self {
        While { predicate, failed: AtomicBool::new(false) }
    }

    #[inline]
    fn has_failed(&self) -> bool {
        self.failed.load(Ordering::Relaxed)
    }

    /// Whether the item passes, as all before it did. Once one has failed, the predicate is not asked any more.
    #[inline]
    fn holds<T>(&self, item: &T) -> bool
    where
        P: Fn(&T) -> bool,
    {
        if self.has_failed() {
            return false;
        }
        let holds = (self.predicate)(item);
        if !holds {
            self.failed.store(true, Ordering::Relaxed);
        }
        holds
    }
}

/// Made by [`take_any_while`](ParallelIterator::take_any_while).
#[derive(Clone)]
#[must_use = "parallel iterators do nothing until they are consumed"]
pub struct TakeAnyWhile<I, P> {
    base: I,
    predicate: P,
}

impl<I, P> TakeAnyWhile<I, P> {
    pub(crate) fn new(base: I, predicate: P) -> Self {
        TakeAnyWhile { base, predicate }
    }
}

impl<I: fmt::Debug, P> fmt::Debug for TakeAnyWhile<I, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TakeAnyWhile").field("base", &self.base).finish_non_exhaustive()
    }
}

impl<I, P> ParallelIterator for TakeAnyWhile<I, P>
where
    I: ParallelIterator,
    P: Fn(&I::Item) -> bool + Sync + Send,
{
    type Item = I::Item;

    fn drive<C: Consumer<I::Item>>(self, consumer: C, place: Place) -> C::Result {
        self.base.drive(GateConsumer::new(consumer, &While::new(&self.predicate)), place)
    }
}

impl<T, P: Fn(&T) -> bool + Sync> Gate<T> for While<'_, P> {
    type Out = T;

    #[inline]
    fn pass(&self, item: T) -> Option<T> {
        if self.holds(&item) { Some(item) } else { None }
    }

    #[inline]
    fn is_closed(&self) -> bool {
        self.has_failed()
    }
}

/// Made by [`skip_any_while`](ParallelIterator::skip_any_while).
#[derive(Clone)]
#[must_use = "parallel iterators do nothing until they are consumed"]
pub struct SkipAnyWhile<I, P> {
    base: I,
    predicate: P,
}

impl<I, P> SkipAnyWhile<I, P> {
    pub(crate) fn new(base: I, predicate: P) -> Self {
        SkipAnyWhile { base, predicate }
    }
}

impl<I: fmt::Debug, P> fmt::Debug for SkipAnyWhile<I, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SkipAnyWhile").field("base", &self.base).finish_non_exhaustive()
    }
}

impl<I, P> ParallelIterator for SkipAnyWhile<I, P>
where
    I: ParallelIterator,
    P: Fn(&I::Item) -> bool + Sync + Send,
{
    type Item = I::Item;

    fn drive<C: Consumer<I::Item>>(self, consumer: C, place: Place) -> C::Result {
        self.base.drive(SiftConsumer::new(consumer, &While::new(&self.predicate)), place)
    }
}

impl<T, P: Fn(&T) -> bool + Sync> Sift<T> for While<'_, P> {
    type Out = T;

    #[inline]
    fn sift(&self, item: T) -> Option<T> {
        if self.holds(&item) { None } else { Some(item) }
    }
}
