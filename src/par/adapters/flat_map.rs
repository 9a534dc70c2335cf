//! `flat_map` and `flatten`: loops inside of a loop.

use std::fmt;

use crate::par::into::IntoParallelIterator;
use crate::par::iter::ParallelIterator;
use crate::par::place::Place;
use crate::par::plumbing::{Consumer, Folder};

/// Made by [`flat_map`](ParallelIterator::flat_map).
#[derive(Clone)]
#[must_use = "parallel iterators do nothing until they are consumed"]
pub struct FlatMap<I, F> {
    base: I,
    map_op: F,
}

impl<I, F> FlatMap<I, F> {
    pub(crate) fn new(base: I, map_op: F) -> Self {
        FlatMap { base, map_op }
    }
}

impl<I: fmt::Debug, F> fmt::Debug for FlatMap<I, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FlatMap").field("base", &self.base).finish_non_exhaustive()
    }
}

impl<I, F, PI> ParallelIterator for FlatMap<I, F>
where
    I: ParallelIterator,
    F: Fn(I::Item) -> PI + Sync + Send,
    PI: IntoParallelIterator,
{
    type Item = PI::Item;

    fn drive<C: Consumer<PI::Item>>(self, consumer: C, place: Place) -> C::Result {
        self.base.drive(FlatMapConsumer { base: consumer, map_op: &self.map_op }, place)
    }
}

/// Made by [`flatten`](ParallelIterator::flatten).
#[derive(Clone, Debug)]
#[must_use = "parallel iterators do nothing until they are consumed"]
pub struct Flatten<I> {
    base: I,
}

impl<I> Flatten<I> {
    pub(crate) fn new(base: I) -> Self {
        Flatten { base }
    }
}

impl<I> ParallelIterator for Flatten<I>
where
    I: ParallelIterator<Item: IntoParallelIterator>,
{
    type Item = <I::Item as IntoParallelIterator>::Item;

    fn drive<C: Consumer<Self::Item>>(self, consumer: C, place: Place) -> C::Result {
        self.base.flat_map(|item| item).drive(consumer, place)
    }
}

// ----- on the consumer's side --------------------------------------------------------------------------------------

struct FlatMapConsumer<'f, C, F> {
    base: C,
    map_op: &'f F,
}

impl<C: Copy, F> Copy for FlatMapConsumer<'_, C, F> {}

impl<C: Copy, F> Clone for FlatMapConsumer<'_, C, F> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<'f, T, PI, C, F> Consumer<T> for FlatMapConsumer<'f, C, F>
where
    PI: IntoParallelIterator,
    C: Consumer<PI::Item>,
    F: Fn(T) -> PI + Sync,
{
    type Folder = FlatMapFolder<'f, C, C::Result, F>;
    type Result = C::Result;
    const SEARCHES: bool = C::SEARCHES;

    fn into_folder(self, place: Place) -> Self::Folder {
        FlatMapFolder { base: self.base, map_op: self.map_op, done: None, place: place.inside() }
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

/// Each item is a loop of its own into the same far end.
struct FlatMapFolder<'f, C, R, F> {
    base: C,
    map_op: &'f F,
    /// What the loops so far have come to.
    done: Option<R>,
    /// Where the next loop lies: of the stretch of labels, what the loops so far have left over. Each gets half of it,
    /// so that its labels are above theirs, or the same when the numbers have run out.
    place: Place,
}

impl<T, PI, C, F> Folder<T> for FlatMapFolder<'_, C, C::Result, F>
where
    PI: IntoParallelIterator,
    C: Consumer<PI::Item>,
    F: Fn(T) -> PI,
{
    type Result = C::Result;

    fn consume(self, item: T) -> Self {
        let (place, rest) = self.place.split();
        let result = (self.map_op)(item).into_par_iter().drive(self.base, place);
        let done = match self.done {
            Some(done) => self.base.reduce(done, result),
            None => result,
        };
        FlatMapFolder { done: Some(done), place: rest, ..self }
    }

    fn complete(self) -> C::Result {
        self.done.unwrap_or_else(|| self.base.into_folder(self.place).complete())
    }

    #[inline]
    fn full(&self) -> bool {
        self.base.full_at(self.place.label())
    }

    #[inline]
    fn advance(&mut self, next: Place) {
        self.place = next.inside();
    }
}
