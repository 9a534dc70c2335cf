//! `map`.

use std::iter;

use crate::par::indexed::IndexedParallelIterator;
use crate::par::iter::ParallelIterator;
use crate::par::place::Place;
use crate::par::plumbing::{Consumer, Folder, Owners, Producer, ProducerCallback};

/// Made by [`map`](ParallelIterator::map).
#[derive(Clone)]
#[must_use = "parallel iterators do nothing until they are consumed"]
pub struct Map<I, F> {
    base: I,
    map_op: F,
}

impl<I, F> Map<I, F> {
    pub(crate) fn new(base: I, map_op: F) -> Self {
        Map { base, map_op }
    }
}

impl<I: std::fmt::Debug, F> std::fmt::Debug for Map<I, F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Map").field("base", &self.base).finish_non_exhaustive()
    }
}

impl<I, F, R> ParallelIterator for Map<I, F>
where
    I: ParallelIterator,
    F: Fn(I::Item) -> R + Sync + Send,
    R: Send,
{
    type Item = R;

    fn drive<C: Consumer<R>>(self, consumer: C, place: Place) -> C::Result {
        self.base.drive(MapConsumer { base: consumer, map_op: &self.map_op }, place)
    }

    fn opt_len(&self) -> Option<usize> {
        self.base.opt_len()
    }
}

impl<I, F, R> IndexedParallelIterator for Map<I, F>
where
    I: IndexedParallelIterator,
    F: Fn(I::Item) -> R + Sync + Send,
    R: Send,
{
    fn len(&self) -> usize {
        self.base.len()
    }

    fn with_producer<CB: ProducerCallback<R>>(self, callback: CB) -> CB::Output {
        struct Callback<CB, F>(CB, F);
        impl<T, F, R, CB> ProducerCallback<T> for Callback<CB, F>
        where
            CB: ProducerCallback<R>,
            F: Fn(T) -> R + Sync + Send,
            R: Send,
        {
            type Output = CB::Output;

            fn callback<P: Producer<Item = T>>(self, producer: P) -> CB::Output {
                self.0.callback(MapProducer { base: producer, map_op: &self.1 })
            }
        }
        self.base.with_producer(Callback(callback, self.map_op))
    }
}

// ----- on the producer's side --------------------------------------------------------------------------------------

struct MapProducer<'f, P, F> {
    base: P,
    map_op: &'f F,
}

impl<'f, P, F, R> Producer for MapProducer<'f, P, F>
where
    P: Producer,
    F: Fn(P::Item) -> R + Sync + Send,
    R: Send,
{
    type Item = R;
    type IntoIter = iter::Map<P::IntoIter, &'f F>;
    const OWNED: bool = P::OWNED;

    fn into_iter(self) -> Self::IntoIter {
        self.base.into_iter().map(self.map_op)
    }

    fn min_len(&self) -> usize {
        self.base.min_len()
    }

    fn max_len(&self) -> usize {
        self.base.max_len()
    }

    fn owners(&self) -> Option<&Owners> {
        self.base.owners()
    }

    fn split_at(self, index: usize) -> (Self, Self) {
        let (left, right) = self.base.split_at(index);
        (MapProducer { base: left, ..self }, MapProducer { base: right, ..self })
    }

    fn fold_with<G: Folder<R>>(self, folder: G) -> G {
        self.base.fold_with(MapFolder { base: folder, map_op: self.map_op }).base
    }
}

// ----- on the consumer's side --------------------------------------------------------------------------------------

struct MapConsumer<'f, C, F> {
    base: C,
    map_op: &'f F,
}

impl<C: Copy, F> Copy for MapConsumer<'_, C, F> {}

impl<C: Copy, F> Clone for MapConsumer<'_, C, F> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<'f, T, R, C, F> Consumer<T> for MapConsumer<'f, C, F>
where
    C: Consumer<R>,
    F: Fn(T) -> R + Sync,
    R: Send,
{
    type Folder = MapFolder<'f, C::Folder, F>;
    type Result = C::Result;
    const SEARCHES: bool = C::SEARCHES;

    fn into_folder(self, place: Place) -> Self::Folder {
        MapFolder { base: self.base.into_folder(place), map_op: self.map_op }
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

struct MapFolder<'f, G, F> {
    base: G,
    map_op: &'f F,
}

impl<T, R, G, F> Folder<T> for MapFolder<'_, G, F>
where
    G: Folder<R>,
    F: Fn(T) -> R,
{
    type Result = G::Result;

    #[inline]
    fn consume(self, item: T) -> Self {
        MapFolder { base: self.base.consume((self.map_op)(item)), ..self }
    }

    #[inline]
    fn consume_iter<It: IntoIterator<Item = T>>(self, iter: It) -> Self {
        MapFolder { base: self.base.consume_iter(iter.into_iter().map(self.map_op)), ..self }
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
