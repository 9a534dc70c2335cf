//! `find_any` and what is made of it: the first that anybody finds ends the loop.

use crate::ground::sync::{AtomicBool, Ordering};
use crate::par::iter::ParallelIterator;
use crate::par::place::Place;
use crate::par::plumbing::{Consumer, Folder};

/// The result of `op` for some item where it has one.
pub(crate) fn find_map_any<I, F, R>(iter: I, op: &F) -> Option<R>
where
    I: ParallelIterator,
    F: Fn(I::Item) -> Option<R> + Sync,
    R: Send,
{
    let found = AtomicBool::new(false);
    iter.drive(FindAny { op, found: &found }, Place::whole())
}

/// An item that satisfies the predicate.
pub(crate) fn find_any<I, P>(iter: I, predicate: &P) -> Option<I::Item>
where
    I: ParallelIterator,
    P: Fn(&I::Item) -> bool + Sync,
{
    find_map_any(iter, &|item| predicate(&item).then_some(item))
}

/// Whether the predicate gives `answer` for some item.
pub(crate) fn gives<I, P>(iter: I, answer: bool, predicate: &P) -> bool
where
    I: ParallelIterator,
    P: Fn(I::Item) -> bool + Sync,
{
    find_map_any(iter, &|item| (predicate(item) == answer).then_some(())).is_some()
}

struct FindAny<'f, F> {
    op: &'f F,
    found: &'f AtomicBool,
}

impl<F> Copy for FindAny<'_, F> {}

impl<F> Clone for FindAny<'_, F> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<'f, T, R: Send, F: Fn(T) -> Option<R> + Sync> Consumer<T> for FindAny<'f, F> {
    type Folder = FindAnyFolder<'f, R, F>;
    type Result = Option<R>;
    const SEARCHES: bool = true;

    fn into_folder(self, _: Place) -> Self::Folder {
        FindAnyFolder { op: self.op, found: self.found, result: None }
    }

    fn reduce(self, left: Option<R>, right: Option<R>) -> Option<R> {
        left.or(right)
    }

    fn full(self) -> bool {
        self.found.load(Ordering::Relaxed)
    }
}

struct FindAnyFolder<'f, R, F> {
    op: &'f F,
    /// Whether anybody has a result. The result itself goes another way, so the flag need not order anything.
    found: &'f AtomicBool,
    result: Option<R>,
}

impl<T, R, F: Fn(T) -> Option<R>> Folder<T> for FindAnyFolder<'_, R, F> {
    type Result = Option<R>;

    #[inline]
    fn consume(mut self, item: T) -> Self {
        if self.result.is_none() {
            self.result = (self.op)(item);
            if self.result.is_some() {
                self.found.store(true, Ordering::Relaxed);
            }
        }
        self
    }

    fn complete(self) -> Option<R> {
        self.result
    }

    #[inline]
    fn full(&self) -> bool {
        self.found.load(Ordering::Relaxed)
    }
}
