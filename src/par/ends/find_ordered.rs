//! `find_first` and `find_last`, and the same with a mapping.
//!
//! The order is kept by how results are joined. To end early, whoever finds something leaves the label of its piece: a
//! piece that cannot find anything better, by its own label, has no need to go on. Pieces with equal labels go on.

use std::marker::PhantomData;

use crate::ground::sync::{AtomicU64, Ordering};
use crate::par::iter::ParallelIterator;
use crate::par::place::Place;
use crate::par::plumbing::{Consumer, Folder};

/// The result of `op` for the first item where it has one.
pub(crate) fn find_map_first<I, F, R>(iter: I, op: &F) -> Option<R>
where
    I: ParallelIterator,
    F: Fn(I::Item) -> Option<R> + Sync,
    R: Send,
{
    find::<First, I, F, R>(iter, op)
}

/// The result of `op` for the last item where it has one.
pub(crate) fn find_map_last<I, F, R>(iter: I, op: &F) -> Option<R>
where
    I: ParallelIterator,
    F: Fn(I::Item) -> Option<R> + Sync,
    R: Send,
{
    find::<Last, I, F, R>(iter, op)
}

/// The first item that satisfies the predicate.
pub(crate) fn find_first<I, P>(iter: I, predicate: &P) -> Option<I::Item>
where
    I: ParallelIterator,
    P: Fn(&I::Item) -> bool + Sync,
{
    find_map_first(iter, &|item| predicate(&item).then_some(item))
}

/// The last item that satisfies the predicate.
pub(crate) fn find_last<I, P>(iter: I, predicate: &P) -> Option<I::Item>
where
    I: ParallelIterator,
    P: Fn(&I::Item) -> bool + Sync,
{
    find_map_last(iter, &|item| predicate(&item).then_some(item))
}

// ----- which end -------------------------------------------------------------------------------------------------

/// From which end to look.
trait End: Send + Sync {
    /// A label that no piece is behind.
    const WORST: u64;

    /// Whether a piece's own result is final, though more items of it may follow.
    const FIRST_COUNTS: bool;

    /// Whether what was found at `found` is better than anything in the piece with label `mine`.
    fn beaten(mine: u64, found: u64) -> bool;

    /// Leaves a label, if it is better.
    fn leave(best: &AtomicU64, label: u64);

    /// The better of two results.
    fn better<R>(left: Option<R>, right: Option<R>) -> Option<R>;
}

struct First;

impl End for First {
    const WORST: u64 = u64::MAX;
    const FIRST_COUNTS: bool = true;

    #[inline]
    fn beaten(mine: u64, found: u64) -> bool {
        found < mine
    }

    fn leave(best: &AtomicU64, label: u64) {
        best.fetch_min(label, Ordering::Relaxed);
    }

    fn better<R>(left: Option<R>, right: Option<R>) -> Option<R> {
        left.or(right)
    }
}

struct Last;

impl End for Last {
    const WORST: u64 = 0;
    const FIRST_COUNTS: bool = false;

    #[inline]
    fn beaten(mine: u64, found: u64) -> bool {
        found > mine
    }

    fn leave(best: &AtomicU64, label: u64) {
        best.fetch_max(label, Ordering::Relaxed);
    }

    fn better<R>(left: Option<R>, right: Option<R>) -> Option<R> {
        right.or(left)
    }
}

// ----- the loop --------------------------------------------------------------------------------------------------

fn find<E, I, F, R>(iter: I, op: &F) -> Option<R>
where
    E: End,
    I: ParallelIterator,
    F: Fn(I::Item) -> Option<R> + Sync,
    R: Send,
{
    let best = AtomicU64::new(E::WORST);
    iter.drive(Find { op, best: &best, end: PhantomData::<E> }, Place::whole())
}

struct Find<'f, F, E> {
    op: &'f F,
    best: &'f AtomicU64,
    end: PhantomData<E>,
}

impl<F, E> Copy for Find<'_, F, E> {}

impl<F, E> Clone for Find<'_, F, E> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<'f, T, R: Send, F: Fn(T) -> Option<R> + Sync, E: End> Consumer<T> for Find<'f, F, E> {
    type Folder = FindFolder<'f, R, F, E>;
    type Result = Option<R>;
    const SEARCHES: bool = !E::FIRST_COUNTS;

    fn into_folder(self, place: Place) -> Self::Folder {
        FindFolder { find: self, label: place.label(), result: None }
    }

    fn reduce(self, left: Option<R>, right: Option<R>) -> Option<R> {
        E::better(left, right)
    }

    fn full_at(self, label: u64) -> bool {
        E::beaten(label, self.best.load(Ordering::Relaxed))
    }
}

struct FindFolder<'f, R, F, E> {
    find: Find<'f, F, E>,
    /// Where the piece begins: it stays that, however far the piece goes, for whatever is given away lies behind.
    label: u64,
    result: Option<R>,
}

impl<T, R, F: Fn(T) -> Option<R>, E: End> Folder<T> for FindFolder<'_, R, F, E> {
    type Result = Option<R>;

    #[inline]
    fn consume(mut self, item: T) -> Self {
        if E::FIRST_COUNTS && self.result.is_some() {
            return self;
        }
        if let Some(result) = (self.find.op)(item) {
            self.result = Some(result);
            E::leave(self.find.best, self.label);
        }
        self
    }

    /// Asks before the first item: a piece may be beaten when it begins.
    #[inline]
    fn consume_iter<I: IntoIterator<Item = T>>(mut self, iter: I) -> Self {
        let mut iter = iter.into_iter();
        while !Folder::<T>::full(&self) {
            let Some(item) = iter.next() else { break };
            self = self.consume(item);
        }
        self
    }

    fn complete(self) -> Option<R> {
        self.result
    }

    /// The label orders nothing but itself: whoever misses it only works in vain.
    #[inline]
    fn full(&self) -> bool {
        (E::FIRST_COUNTS && self.result.is_some()) || E::beaten(self.label, self.find.best.load(Ordering::Relaxed))
    }
}
