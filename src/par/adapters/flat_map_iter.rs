//! `flat_map_iter` and `flatten_iter`: plain loops inside of a parallel one.

use std::fmt;

use crate::par::iter::ParallelIterator;
use crate::par::place::Place;
use crate::par::plumbing::{Consumer, Folder};

/// Made by [`flat_map_iter`](ParallelIterator::flat_map_iter).
#[derive(Clone)]
#[must_use = "parallel iterators do nothing until they are consumed"]
pub struct FlatMapIter<I, F> {
    base: I,
    map_op: F,
}

impl<I, F> FlatMapIter<I, F> {
    pub(crate) fn new(base: I, map_op: F) -> Self {
        FlatMapIter { base, map_op }
    }
}

impl<I: fmt::Debug, F> fmt::Debug for FlatMapIter<I, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FlatMapIter").field("base", &self.base).finish_non_exhaustive()
    }
}

impl<I, F, SI> ParallelIterator for FlatMapIter<I, F>
where
    I: ParallelIterator,
    F: Fn(I::Item) -> SI + Sync + Send,
    SI: IntoIterator<Item: Send>,
{
    type Item = SI::Item;

    fn drive<C: Consumer<SI::Item>>(self, consumer: C, place: Place) -> C::Result {
        self.base.drive(FlatMapIterConsumer { base: consumer, map_op: &self.map_op }, place)
    }
}

/// Made by [`flatten_iter`](ParallelIterator::flatten_iter).
#[derive(Clone, Debug)]
#[must_use = "parallel iterators do nothing until they are consumed"]
pub struct FlattenIter<I> {
    base: I,
}

impl<I> FlattenIter<I> {
    pub(crate) fn new(base: I) -> Self {
        FlattenIter { base }
    }
}

impl<I> ParallelIterator for FlattenIter<I>
where
    I: ParallelIterator<Item: IntoIterator<Item: Send>>,
{
    type Item = <I::Item as IntoIterator>::Item;

    fn drive<C: Consumer<Self::Item>>(self, consumer: C, place: Place) -> C::Result {
        self.base.flat_map_iter(|item| item).drive(consumer, place)
    }
}

// ----- on the consumer's side --------------------------------------------------------------------------------------

struct FlatMapIterConsumer<'f, C, F> {
    base: C,
    map_op: &'f F,
}

impl<C: Copy, F> Copy for FlatMapIterConsumer<'_, C, F> {}

impl<C: Copy, F> Clone for FlatMapIterConsumer<'_, C, F> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<'f, T, SI, C, F> Consumer<T> for FlatMapIterConsumer<'f, C, F>
where
    SI: IntoIterator,
    C: Consumer<SI::Item>,
    F: Fn(T) -> SI + Sync,
{
    type Folder = FlatMapIterFolder<'f, C::Folder, F>;
    type Result = C::Result;
    const SEARCHES: bool = C::SEARCHES;

    fn into_folder(self, place: Place) -> Self::Folder {
        FlatMapIterFolder { base: self.base.into_folder(place), map_op: self.map_op }
    }

    fn reduce(self, left: C::Result, right: C::Result) -> C::Result {
        self.base.reduce(left, right)
    }

    fn full(self) -> bool {
        self.base.full()
    }

    fn full_at(self, label: u64) -> bool {
        self.base.full_at(label)
    }
}

struct FlatMapIterFolder<'f, G, F> {
    base: G,
    map_op: &'f F,
}

impl<T, SI, G, F> Folder<T> for FlatMapIterFolder<'_, G, F>
where
    SI: IntoIterator,
    G: Folder<SI::Item>,
    F: Fn(T) -> SI,
{
    type Result = G::Result;

    #[inline]
    fn consume(self, item: T) -> Self {
        FlatMapIterFolder { base: self.base.consume_iter((self.map_op)(item)), ..self }
    }

    #[inline]
    fn consume_iter<It: IntoIterator<Item = T>>(self, iter: It) -> Self {
        FlatMapIterFolder { base: self.base.consume_iter(iter.into_iter().flat_map(self.map_op)), ..self }
    }

    fn complete(self) -> G::Result {
        self.base.complete()
    }

    #[inline]
    fn full(&self) -> bool {
        self.base.full()
    }

    #[inline]
    fn advance(&mut self, next: Place) {
        self.base.advance(next);
    }
}
