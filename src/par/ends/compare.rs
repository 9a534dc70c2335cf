//! `cmp`, `partial_cmp`, `eq`.
//!
//! The first pair that is not equal decides. Which piece has one is shared, so that those after it can stop.

use std::cmp;

use crate::ground::sync::{AtomicUsize, Ordering};
use crate::par::adapters::zip::Zip;
use crate::par::indexed::IndexedParallelIterator;
use crate::par::iter::ParallelIterator;
use crate::par::place::Place;
use crate::par::plumbing::{Consumer, Folder};

pub(crate) fn cmp<A, B>(a: A, b: B) -> cmp::Ordering
where
    A: IndexedParallelIterator,
    B: IndexedParallelIterator<Item = A::Item>,
    A::Item: Ord,
{
    let lens = Ord::cmp(&a.len(), &b.len());
    let unequal = |x: A::Item, y: A::Item| match Ord::cmp(&x, &y) {
        cmp::Ordering::Equal => None,
        unequal => Some(unequal),
    };
    unequal_pair(a, b, unequal, false).unwrap_or(lens)
}

pub(crate) fn partial_cmp<A, B>(a: A, b: B) -> Option<cmp::Ordering>
where
    A: IndexedParallelIterator,
    B: IndexedParallelIterator,
    A::Item: PartialOrd<B::Item>,
{
    let lens = Ord::cmp(&a.len(), &b.len());
    let unequal = |x: A::Item, y: B::Item| match PartialOrd::partial_cmp(&x, &y) {
        Some(cmp::Ordering::Equal) => None,
        unequal => Some(unequal),
    };
    unequal_pair(a, b, unequal, false).unwrap_or(Some(lens))
}

pub(crate) fn eq<A, B>(a: A, b: B) -> bool
where
    A: IndexedParallelIterator,
    B: IndexedParallelIterator,
    A::Item: PartialEq<B::Item>,
{
    let unequal = |x: A::Item, y: B::Item| (!PartialEq::eq(&x, &y)).then_some(());
    a.len() == b.len() && unequal_pair(a, b, unequal, true).is_none()
}

/// What `unequal` says of the first pair of which it says anything, or of any such pair.
fn unequal_pair<A, B, F, R>(a: A, b: B, unequal: F, any: bool) -> Option<R>
where
    A: IndexedParallelIterator,
    B: IndexedParallelIterator,
    F: Fn(A::Item, B::Item) -> Option<R> + Sync,
    R: Send,
{
    let pairs = Zip::new(a, b);
    let (len, best) = (pairs.len(), AtomicUsize::new(usize::MAX));
    pairs.drive(Compare { unequal: &unequal, best: &best, any }, Place::indexed(len))
}

struct Compare<'c, F> {
    unequal: &'c F,
    /// The first index of a block in which an unequal pair has been found: those after it can stop, and all can if it
    /// is 0.
    best: &'c AtomicUsize,
    /// Any pair will do, wherever it lies.
    any: bool,
}

impl<F> Compare<'_, F> {
    #[inline]
    fn settled(&self, block: usize) -> bool {
        let best = self.best.load(Ordering::Relaxed);
        best == 0 || best < block
    }
}

impl<F> Copy for Compare<'_, F> {}

impl<F> Clone for Compare<'_, F> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<'c, X, Y, F, R> Consumer<(X, Y)> for Compare<'c, F>
where
    F: Fn(X, Y) -> Option<R> + Sync,
    R: Send,
{
    type Folder = Comparing<'c, F, R>;
    type Result = Option<R>;

    fn into_folder(self, place: Place) -> Self::Folder {
        Comparing { compare: self, block: place.start(), found: None }
    }

    fn reduce(self, left: Option<R>, right: Option<R>) -> Option<R> {
        left.or(right)
    }

    fn full(self) -> bool {
        self.settled(0)
    }
}

struct Comparing<'c, F, R> {
    compare: Compare<'c, F>,
    /// The first index of the block.
    block: usize,
    found: Option<R>,
}

impl<X, Y, F, R> Folder<(X, Y)> for Comparing<'_, F, R>
where
    F: Fn(X, Y) -> Option<R>,
{
    type Result = Option<R>;

    #[inline]
    fn consume(self, item: (X, Y)) -> Self {
        self.consume_iter([item])
    }

    /// Others are heeded between blocks only, so that the loop is a tight one.
    #[inline]
    fn consume_iter<I: IntoIterator<Item = (X, Y)>>(mut self, iter: I) -> Self {
        if <Self as Folder<(X, Y)>>::full(&self) {
            return self;
        }
        let Compare { unequal, best, any } = self.compare;
        self.found = iter.into_iter().find_map(|(x, y)| unequal(x, y));
        if self.found.is_some() {
            best.fetch_min(if any { 0 } else { self.block }, Ordering::Relaxed);
        }
        self
    }

    fn complete(self) -> Option<R> {
        self.found
    }

    #[inline]
    fn full(&self) -> bool {
        self.found.is_some() || self.compare.settled(self.block)
    }

    #[inline]
    fn advance(&mut self, next: Place) {
        self.block = next.start();
    }
}
