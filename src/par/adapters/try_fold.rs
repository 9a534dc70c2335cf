//! `try_fold` and `try_fold_with`.

use std::fmt;
use std::marker::PhantomData;
use std::ops::ControlFlow::{self, Break, Continue};

use crate::par::adapters::start::{Kept, Made, Start};
use crate::par::iter::ParallelIterator;
use crate::par::place::Place;
use crate::par::plumbing::{Consumer, Folder};
use crate::par::tries::Try;

/// Made by [`try_fold`](ParallelIterator::try_fold).
#[derive(Clone)]
#[must_use = "parallel iterators do nothing until they are consumed"]
pub struct TryFold<I, R, ID, F> {
    base: I,
    identity: Made<ID>,
    fold_op: F,
    result: PhantomData<R>,
}

impl<I, R, ID, F> TryFold<I, R, ID, F> {
    pub(crate) fn new(base: I, identity: ID, fold_op: F) -> Self {
        TryFold { base, identity: Made(identity), fold_op, result: PhantomData }
    }
}

impl<I: fmt::Debug, R, ID, F> fmt::Debug for TryFold<I, R, ID, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TryFold").field("base", &self.base).finish_non_exhaustive()
    }
}

impl<R, I, ID, F> ParallelIterator for TryFold<I, R, ID, F>
where
    I: ParallelIterator,
    F: Fn(R::Output, I::Item) -> R + Sync + Send,
    ID: Fn() -> R::Output + Sync + Send,
    R: Try + Send,
{
    type Item = R;

    fn drive<C: Consumer<R>>(self, consumer: C, place: Place) -> C::Result {
        self.base.drive(TryFoldConsumer::new(consumer, &self.identity, &self.fold_op), place)
    }
}

/// Made by [`try_fold_with`](ParallelIterator::try_fold_with).
#[derive(Clone)]
#[must_use = "parallel iterators do nothing until they are consumed"]
pub struct TryFoldWith<I, R: Try, F> {
    base: I,
    init: R::Output,
    fold_op: F,
}

impl<I, R: Try, F> TryFoldWith<I, R, F> {
    pub(crate) fn new(base: I, init: R::Output, fold_op: F) -> Self {
        TryFoldWith { base, init, fold_op }
    }
}

impl<I: fmt::Debug, R: Try<Output: fmt::Debug>, F> fmt::Debug for TryFoldWith<I, R, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TryFoldWith").field("base", &self.base).field("init", &self.init).finish_non_exhaustive()
    }
}

impl<R, I, F> ParallelIterator for TryFoldWith<I, R, F>
where
    I: ParallelIterator,
    F: Fn(R::Output, I::Item) -> R + Sync + Send,
    R: Try<Output: Clone + Send> + Send,
{
    type Item = R;

    fn drive<C: Consumer<R>>(self, consumer: C, place: Place) -> C::Result {
        let start = Kept::new(self.init);
        self.base.drive(TryFoldConsumer::new(consumer, &start, &self.fold_op), place)
    }
}

// ----- on the consumer's side --------------------------------------------------------------------------------------

struct TryFoldConsumer<'f, C, R, S, F> {
    base: C,
    start: &'f S,
    fold_op: &'f F,
    result: PhantomData<fn() -> R>,
}

impl<'f, C, R, S, F> TryFoldConsumer<'f, C, R, S, F> {
    fn new(base: C, start: &'f S, fold_op: &'f F) -> Self {
        TryFoldConsumer { base, start, fold_op, result: PhantomData }
    }
}

impl<C: Copy, R, S, F> Copy for TryFoldConsumer<'_, C, R, S, F> {}

impl<C: Copy, R, S, F> Clone for TryFoldConsumer<'_, C, R, S, F> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<'f, T, C, R, S, F> Consumer<T> for TryFoldConsumer<'f, C, R, S, F>
where
    R: Try,
    S: Start<Value = R::Output>,
    C: Consumer<R>,
    F: Fn(R::Output, T) -> R + Sync,
{
    type Folder = TryFoldFolder<'f, C::Folder, R, F>;
    type Result = C::Result;
    const SEARCHES: bool = C::SEARCHES;

    fn into_folder(self, place: Place) -> Self::Folder {
        let base = self.base.into_folder(place);
        TryFoldFolder { base, state: Continue(self.start.start()), fold_op: self.fold_op }
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

struct TryFoldFolder<'f, G, R: Try, F> {
    base: G,
    state: ControlFlow<R::Residual, R::Output>,
    fold_op: &'f F,
}

impl<T, G, R, F> Folder<T> for TryFoldFolder<'_, G, R, F>
where
    R: Try,
    G: Folder<R>,
    F: Fn(R::Output, T) -> R,
{
    type Result = G::Result;

    #[inline]
    fn consume(mut self, item: T) -> Self {
        if let Continue(value) = self.state {
            self.state = (self.fold_op)(value, item).branch();
        }
        self
    }

    fn complete(self) -> G::Result {
        let result = match self.state {
            Continue(value) => R::from_output(value),
            Break(residual) => R::from_residual(residual),
        };
        self.base.consume(result).complete()
    }

    #[inline]
    fn full(&self) -> bool {
        self.state.is_break() || self.base.full()
    }

    #[inline]
    fn advance(&mut self, next: Place) {
        self.base.advance(next);
    }
}
