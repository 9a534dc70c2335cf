//! `inspect` and `update`: a look at each item in passing, and a change to it.

use std::fmt;

use crate::par::adapters::each::{Each, EachCallback, EachConsumer};
use crate::par::indexed::IndexedParallelIterator;
use crate::par::iter::ParallelIterator;
use crate::par::place::Place;
use crate::par::plumbing::{Consumer, ProducerCallback};

/// Made by [`inspect`](ParallelIterator::inspect).
#[derive(Clone)]
#[must_use = "parallel iterators do nothing until they are consumed"]
pub struct Inspect<I, F> {
    base: I,
    op: Look<F>,
}

impl<I, F> Inspect<I, F> {
    pub(crate) fn new(base: I, inspect_op: F) -> Self {
        Inspect { base, op: Look(inspect_op) }
    }
}

impl<I: fmt::Debug, F> fmt::Debug for Inspect<I, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inspect").field("base", &self.base).finish_non_exhaustive()
    }
}

#[derive(Clone)]
struct Look<F>(F);

impl<T, F: Fn(&T) + Sync> Each<T> for Look<F> {
    type Out = T;

    #[inline]
    fn each(&self, item: T) -> T {
        (self.0)(&item);
        item
    }
}

impl<I, F> ParallelIterator for Inspect<I, F>
where
    I: ParallelIterator,
    F: Fn(&I::Item) + Sync + Send,
{
    type Item = I::Item;

    fn drive<C: Consumer<I::Item>>(self, consumer: C, place: Place) -> C::Result {
        self.base.drive(EachConsumer::new(consumer, &self.op), place)
    }

    fn opt_len(&self) -> Option<usize> {
        self.base.opt_len()
    }
}

impl<I, F> IndexedParallelIterator for Inspect<I, F>
where
    I: IndexedParallelIterator,
    F: Fn(&I::Item) + Sync + Send,
{
    fn len(&self) -> usize {
        self.base.len()
    }

    fn with_producer<CB: ProducerCallback<I::Item>>(self, callback: CB) -> CB::Output {
        self.base.with_producer(EachCallback::new(callback, self.op))
    }
}

/// Made by [`update`](ParallelIterator::update).
#[derive(Clone)]
#[must_use = "parallel iterators do nothing until they are consumed"]
pub struct Update<I, F> {
    base: I,
    op: Change<F>,
}

impl<I, F> Update<I, F> {
    pub(crate) fn new(base: I, update_op: F) -> Self {
        Update { base, op: Change(update_op) }
    }
}

impl<I: fmt::Debug, F> fmt::Debug for Update<I, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Update").field("base", &self.base).finish_non_exhaustive()
    }
}

#[derive(Clone)]
struct Change<F>(F);

impl<T, F: Fn(&mut T) + Sync> Each<T> for Change<F> {
    type Out = T;

    #[inline]
    fn each(&self, mut item: T) -> T {
        (self.0)(&mut item);
        item
    }
}

impl<I, F> ParallelIterator for Update<I, F>
where
    I: ParallelIterator,
    F: Fn(&mut I::Item) + Sync + Send,
{
    type Item = I::Item;

    fn drive<C: Consumer<I::Item>>(self, consumer: C, place: Place) -> C::Result {
        self.base.drive(EachConsumer::new(consumer, &self.op), place)
    }

    fn opt_len(&self) -> Option<usize> {
        self.base.opt_len()
    }
}

impl<I, F> IndexedParallelIterator for Update<I, F>
where
    I: IndexedParallelIterator,
    F: Fn(&mut I::Item) + Sync + Send,
{
    fn len(&self) -> usize {
        self.base.len()
    }

    fn with_producer<CB: ProducerCallback<I::Item>>(self, callback: CB) -> CB::Output {
        self.base.with_producer(EachCallback::new(callback, self.op))
    }
}
