//! `positions`: the indexes of the items that match.

use std::fmt;
use std::iter;
use std::ops::Range;

use crate::par::adapters::sift::{Sift, SiftConsumer};
use crate::par::bridge::bridge_producer;
use crate::par::indexed::IndexedParallelIterator;
use crate::par::iter::ParallelIterator;
use crate::par::place::Place;
use crate::par::plumbing::{Consumer, Folder, Owners, Producer, ProducerCallback};

/// Made by [`positions`](IndexedParallelIterator::positions).
#[derive(Clone)]
#[must_use = "parallel iterators do nothing until they are consumed"]
pub struct Positions<I, P> {
    base: I,
    matching: Matching<P>,
}

impl<I, P> Positions<I, P> {
    pub(crate) fn new(base: I, predicate: P) -> Self {
        Positions { base, matching: Matching(predicate) }
    }
}

impl<I: fmt::Debug, P> fmt::Debug for Positions<I, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Positions").field("base", &self.base).finish_non_exhaustive()
    }
}

#[derive(Clone)]
struct Matching<P>(P);

impl<T, P: Fn(T) -> bool + Sync> Sift<(usize, T)> for Matching<P> {
    type Out = usize;

    #[inline]
    fn sift(&self, (index, item): (usize, T)) -> Option<usize> {
        (self.0)(item).then_some(index)
    }
}

impl<I, P> ParallelIterator for Positions<I, P>
where
    I: IndexedParallelIterator,
    P: Fn(I::Item) -> bool + Sync + Send,
{
    type Item = usize;

    /// The items are numbered by the producer: a consumer is told no indexes by a place that nobody relies on.
    fn drive<C: Consumer<usize>>(self, consumer: C, place: Place) -> C::Result {
        let len = self.base.len();
        self.base.with_producer(Callback { len, consumer: SiftConsumer::new(consumer, &self.matching), place })
    }
}

struct Callback<C> {
    len: usize,
    consumer: C,
    place: Place,
}

impl<T, C: Consumer<(usize, T)>> ProducerCallback<T> for Callback<C> {
    type Output = C::Result;

    fn callback<P: Producer<Item = T>>(self, producer: P) -> C::Result {
        let numbered = Numbered { base: producer, range: 0..self.len };
        bridge_producer(self.len, numbered, self.consumer, self.place)
    }
}

/// The items with their indexes.
struct Numbered<P> {
    base: P,
    range: Range<usize>,
}

impl<P: Producer> Producer for Numbered<P> {
    type Item = (usize, P::Item);
    type IntoIter = iter::Zip<Range<usize>, P::IntoIter>;
    const OWNED: bool = P::OWNED;

    fn into_iter(self) -> Self::IntoIter {
        self.range.zip(self.base.into_iter())
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
        let middle = self.range.start + index;
        (
            Numbered { base: left, range: self.range.start..middle },
            Numbered { base: right, range: middle..self.range.end },
        )
    }

    fn fold_with<G: Folder<Self::Item>>(self, folder: G) -> G {
        self.base.fold_with(NumberedFolder { base: folder, next: self.range.start }).base
    }
}

struct NumberedFolder<G> {
    base: G,
    next: usize,
}

impl<T, G: Folder<(usize, T)>> Folder<T> for NumberedFolder<G> {
    type Result = G::Result;

    #[inline]
    fn consume(self, item: T) -> Self {
        NumberedFolder { base: self.base.consume((self.next, item)), next: self.next + 1 }
    }

    #[inline]
    fn consume_iter<It: IntoIterator<Item = T>>(self, iter: It) -> Self {
        let NumberedFolder { base, mut next } = self;
        let base = base.consume_iter(iter.into_iter().map(|item| {
            let index = next;
            next += 1;
            (index, item)
        }));
        NumberedFolder { base, next }
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
