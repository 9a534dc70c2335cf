//! `filter` and `filter_map`.

use std::fmt;

use crate::par::adapters::sift::{Sift, SiftConsumer};
use crate::par::iter::ParallelIterator;
use crate::par::place::Place;
use crate::par::plumbing::Consumer;

/// Made by [`filter`](ParallelIterator::filter).
#[derive(Clone)]
#[must_use = "parallel iterators do nothing until they are consumed"]
pub struct Filter<I, P> {
    base: I,
    op: Keep<P>,
}

impl<I, P> Filter<I, P> {
    pub(crate) fn new(base: I, filter_op: P) -> Self {
        Filter { base, op: Keep(filter_op) }
    }
}

impl<I: fmt::Debug, P> fmt::Debug for Filter<I, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Filter").field("base", &self.base).finish_non_exhaustive()
    }
}

#[derive(Clone)]
struct Keep<P>(P);

impl<T, P: Fn(&T) -> bool + Sync> Sift<T> for Keep<P> {
    type Out = T;

    #[inline]
    fn sift(&self, item: T) -> Option<T> {
        if (self.0)(&item) { Some(item) } else { None }
    }
}

impl<I, P> ParallelIterator for Filter<I, P>
where
    I: ParallelIterator,
    P: Fn(&I::Item) -> bool + Sync + Send,
{
    type Item = I::Item;

    fn drive<C: Consumer<I::Item>>(self, consumer: C, place: Place) -> C::Result {
        self.base.drive(SiftConsumer::new(consumer, &self.op), place)
    }
}

/// Made by [`filter_map`](ParallelIterator::filter_map).
#[derive(Clone)]
#[must_use = "parallel iterators do nothing until they are consumed"]
pub struct FilterMap<I, P> {
    base: I,
    op: KeepSome<P>,
}

impl<I, P> FilterMap<I, P> {
    pub(crate) fn new(base: I, filter_op: P) -> Self {
        FilterMap { base, op: KeepSome(filter_op) }
    }
}

impl<I: fmt::Debug, P> fmt::Debug for FilterMap<I, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FilterMap").field("base", &self.base).finish_non_exhaustive()
    }
}

#[derive(Clone)]
struct KeepSome<P>(P);

impl<T, R, P: Fn(T) -> Option<R> + Sync> Sift<T> for KeepSome<P> {
    type Out = R;

    #[inline]
    fn sift(&self, item: T) -> Option<R> {
        (self.0)(item)
    }
}

impl<I, P, R> ParallelIterator for FilterMap<I, P>
where
    I: ParallelIterator,
    P: Fn(I::Item) -> Option<R> + Sync + Send,
    R: Send,
{
    type Item = R;

    fn drive<C: Consumer<R>>(self, consumer: C, place: Place) -> C::Result {
        self.base.drive(SiftConsumer::new(consumer, &self.op), place)
    }
}
