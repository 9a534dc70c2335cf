//! `fold` and `fold_with`.

use std::fmt;
use std::ops::ControlFlow::{Break, Continue};

use crate::par::adapters::start::{Kept, Made, Start};
use crate::par::iter::ParallelIterator;
use crate::par::place::Place;
use crate::par::plumbing::{Consumer, Folder};

/// Made by [`fold`](ParallelIterator::fold).
#[derive(Clone)]
#[must_use = "parallel iterators do nothing until they are consumed"]
pub struct Fold<I, ID, F> {
    base: I,
    identity: Made<ID>,
    fold_op: F,
}

impl<I, ID, F> Fold<I, ID, F> {
    pub(crate) fn new(base: I, identity: ID, fold_op: F) -> Self {
        Fold { base, identity: Made(identity), fold_op }
    }
}

impl<I: fmt::Debug, ID, F> fmt::Debug for Fold<I, ID, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fold").field("base", &self.base).finish_non_exhaustive()
    }
}

impl<T, I, ID, F> ParallelIterator for Fold<I, ID, F>
where
    I: ParallelIterator,
    F: Fn(T, I::Item) -> T + Sync + Send,
    ID: Fn() -> T + Sync + Send,
    T: Send,
{
    type Item = T;

    fn drive<C: Consumer<T>>(self, consumer: C, place: Place) -> C::Result {
        self.base.drive(FoldConsumer { base: consumer, start: &self.identity, fold_op: &self.fold_op }, place)
    }
}

/// Made by [`fold_with`](ParallelIterator::fold_with).
#[derive(Clone)]
#[must_use = "parallel iterators do nothing until they are consumed"]
pub struct FoldWith<I, T, F> {
    base: I,
    init: T,
    fold_op: F,
}

impl<I, T, F> FoldWith<I, T, F> {
    pub(crate) fn new(base: I, init: T, fold_op: F) -> Self {
        FoldWith { base, init, fold_op }
    }
}

impl<I: fmt::Debug, T: fmt::Debug, F> fmt::Debug for FoldWith<I, T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FoldWith").field("base", &self.base).field("init", &self.init).finish_non_exhaustive()
    }
}

impl<T, I, F> ParallelIterator for FoldWith<I, T, F>
where
    I: ParallelIterator,
    F: Fn(T, I::Item) -> T + Sync + Send,
    T: Send + Clone,
{
    type Item = T;

    fn drive<C: Consumer<T>>(self, consumer: C, place: Place) -> C::Result {
        let start = Kept::new(self.init);
        self.base.drive(FoldConsumer { base: consumer, start: &start, fold_op: &self.fold_op }, place)
    }
}

// ----- on the consumer's side --------------------------------------------------------------------------------------

struct FoldConsumer<'f, C, S, F> {
    base: C,
    start: &'f S,
    fold_op: &'f F,
}

impl<C: Copy, S, F> Copy for FoldConsumer<'_, C, S, F> {}

impl<C: Copy, S, F> Clone for FoldConsumer<'_, C, S, F> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<'f, T, C, S, F> Consumer<T> for FoldConsumer<'f, C, S, F>
where
    S: Start,
    C: Consumer<S::Value>,
    F: Fn(S::Value, T) -> S::Value + Sync,
{
    type Folder = FoldFolder<'f, C::Folder, S::Value, F>;
    type Result = C::Result;
    const SEARCHES: bool = C::SEARCHES;

    fn into_folder(self, place: Place) -> Self::Folder {
        FoldFolder { base: self.base.into_folder(place), value: self.start.start(), fold_op: self.fold_op }
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

struct FoldFolder<'f, G, V, F> {
    base: G,
    value: V,
    fold_op: &'f F,
}

impl<T, G, V, F> Folder<T> for FoldFolder<'_, G, V, F>
where
    G: Folder<V>,
    F: Fn(V, T) -> V,
{
    type Result = G::Result;

    #[inline]
    fn consume(self, item: T) -> Self {
        FoldFolder { value: (self.fold_op)(self.value, item), ..self }
    }

    /// Where the far end never fills, the test folds away and a plain loop is left.
    #[inline]
    fn consume_iter<It: IntoIterator<Item = T>>(self, iter: It) -> Self {
        let FoldFolder { base, value, fold_op } = self;
        let end = iter.into_iter().try_fold(value, |value, item| {
            let value = fold_op(value, item);
            if base.full() { Break(value) } else { Continue(value) }
        });
        let (Continue(value) | Break(value)) = end;
        FoldFolder { base, value, fold_op }
    }

    fn complete(self) -> G::Result {
        self.base.consume(self.value).complete()
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
