//! Adapters that make one item of one: what `cloned`, `copied`, `inspect` and `update` have in common.

use crate::par::place::Place;
use crate::par::plumbing::{Consumer, Folder, Owners, Producer, ProducerCallback};

/// What is done with an item.
pub(crate) trait Each<T>: Sync {
    /// What it becomes.
    type Out;

    fn each(&self, item: T) -> Self::Out;
}

// ----- on the producer's side --------------------------------------------------------------------------------------

pub(crate) struct EachCallback<CB, E> {
    base: CB,
    op: E,
}

impl<CB, E> EachCallback<CB, E> {
    pub(crate) fn new(base: CB, op: E) -> Self {
        EachCallback { base, op }
    }
}

impl<T, CB, E> ProducerCallback<T> for EachCallback<CB, E>
where
    E: Each<T>,
    CB: ProducerCallback<E::Out>,
{
    type Output = CB::Output;

    fn callback<P: Producer<Item = T>>(self, producer: P) -> CB::Output {
        self.base.callback(EachProducer { base: producer, op: &self.op })
    }
}

struct EachProducer<'f, P, E> {
    base: P,
    op: &'f E,
}

impl<'f, P, E> Producer for EachProducer<'f, P, E>
where
    P: Producer,
    E: Each<P::Item>,
{
    type Item = E::Out;
    type IntoIter = EachIter<'f, P::IntoIter, E>;
    const OWNED: bool = P::OWNED;

    fn into_iter(self) -> Self::IntoIter {
        EachIter { base: self.base.into_iter(), op: self.op }
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
        (EachProducer { base: left, ..self }, EachProducer { base: right, ..self })
    }

    fn fold_with<G: Folder<E::Out>>(self, folder: G) -> G {
        self.base.fold_with(EachFolder { base: folder, op: self.op }).base
    }
}

struct EachIter<'f, I, E> {
    base: I,
    op: &'f E,
}

impl<I: Iterator, E: Each<I::Item>> Iterator for EachIter<'_, I, E> {
    type Item = E::Out;

    #[inline]
    fn next(&mut self) -> Option<E::Out> {
        self.base.next().map(|item| self.op.each(item))
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        self.base.size_hint()
    }

    #[inline]
    fn fold<B, G: FnMut(B, E::Out) -> B>(self, init: B, mut fold_op: G) -> B {
        self.base.fold(init, |sum, item| fold_op(sum, self.op.each(item)))
    }
}

impl<I: DoubleEndedIterator, E: Each<I::Item>> DoubleEndedIterator for EachIter<'_, I, E> {
    #[inline]
    fn next_back(&mut self) -> Option<E::Out> {
        self.base.next_back().map(|item| self.op.each(item))
    }
}

impl<I: ExactSizeIterator, E: Each<I::Item>> ExactSizeIterator for EachIter<'_, I, E> {
    #[inline]
    fn len(&self) -> usize {
        self.base.len()
    }
}

// ----- on the consumer's side --------------------------------------------------------------------------------------

pub(crate) struct EachConsumer<'f, C, E> {
    base: C,
    op: &'f E,
}

impl<'f, C, E> EachConsumer<'f, C, E> {
    pub(crate) fn new(base: C, op: &'f E) -> Self {
        EachConsumer { base, op }
    }
}

impl<C: Copy, E> Copy for EachConsumer<'_, C, E> {}

impl<C: Copy, E> Clone for EachConsumer<'_, C, E> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<'f, T, C, E> Consumer<T> for EachConsumer<'f, C, E>
where
    E: Each<T>,
    C: Consumer<E::Out>,
{
    type Folder = EachFolder<'f, C::Folder, E>;
    type Result = C::Result;
    const SEARCHES: bool = C::SEARCHES;

    fn into_folder(self, place: Place) -> Self::Folder {
        EachFolder { base: self.base.into_folder(place), op: self.op }
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

pub(crate) struct EachFolder<'f, G, E> {
    base: G,
    op: &'f E,
}

impl<T, G, E> Folder<T> for EachFolder<'_, G, E>
where
    E: Each<T>,
    G: Folder<E::Out>,
{
    type Result = G::Result;

    #[inline]
    fn consume(self, item: T) -> Self {
        EachFolder { base: self.base.consume(self.op.each(item)), ..self }
    }

    #[inline]
    fn consume_iter<It: IntoIterator<Item = T>>(self, iter: It) -> Self {
        let op = self.op;
        EachFolder { base: self.base.consume_iter(iter.into_iter().map(|item| op.each(item))), op }
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
