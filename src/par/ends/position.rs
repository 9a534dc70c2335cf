//! `position_any`, `position_first`, `position_last`.
//!
//! The best index so far is shared. A folder knows the index of its next item from its place, and so whether anything
//! that it may still find would be better: whatever index beyond its next one another has found lies beyond all of its
//! piece.

use crate::ground::sync::{AtomicUsize, Ordering};
use crate::par::indexed::IndexedParallelIterator;
use crate::par::place::Place;
use crate::par::plumbing::{Consumer, Folder};

pub(crate) fn any<I, P>(iter: I, predicate: &P) -> Option<usize>
where
    I: IndexedParallelIterator,
    P: Fn(I::Item) -> bool + Sync,
{
    search::<I, P, true>(iter, predicate, Which::Any)
}

pub(crate) fn first<I, P>(iter: I, predicate: &P) -> Option<usize>
where
    I: IndexedParallelIterator,
    P: Fn(I::Item) -> bool + Sync,
{
    search::<I, P, false>(iter, predicate, Which::First)
}

pub(crate) fn last<I, P>(iter: I, predicate: &P) -> Option<usize>
where
    I: IndexedParallelIterator,
    P: Fn(I::Item) -> bool + Sync,
{
    search::<I, P, true>(iter, predicate, Which::Last)
}

#[derive(Clone, Copy)]
enum Which {
    Any,
    First,
    Last,
}

/// `BEYOND`: what is sought may lie anywhere: a thread that gets the whole rest of a piece begins in the middle.
fn search<I, P, const BEYOND: bool>(iter: I, predicate: &P, which: Which) -> Option<usize>
where
    I: IndexedParallelIterator,
    P: Fn(I::Item) -> bool + Sync,
{
    let best = AtomicUsize::new(NONE);
    let len = iter.len();
    iter.drive(Search::<_, BEYOND> { predicate, best: &best, which }, Place::indexed(len));
    // The loop has ended, and whoever has written is known to have.
    best.into_inner().checked_sub(1)
}

/// In `best`, 0; any other number is one more than the index.
const NONE: usize = 0;

struct Search<'s, P, const BEYOND: bool> {
    predicate: &'s P,
    best: &'s AtomicUsize,
    which: Which,
}

impl<P, const BEYOND: bool> Copy for Search<'_, P, BEYOND> {}

impl<P, const BEYOND: bool> Clone for Search<'_, P, BEYOND> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<P, const BEYOND: bool> Search<'_, P, BEYOND> {
    /// Whether nothing at `next` or after it, in the same piece, can be better than what has been found.
    #[inline]
    fn settled(&self, next: usize) -> bool {
        let best = self.best.load(Ordering::Relaxed);
        best != NONE
            && match self.which {
                Which::Any => true,
                Which::First => best <= next,
                Which::Last => best > next,
            }
    }

    #[cold]
    fn found(&self, index: usize) {
        let new = index + 1;
        let better = |best: usize| {
            let better = best == NONE
                || match self.which {
                    Which::Any => false,
                    Which::First => new < best,
                    Which::Last => new > best,
                };
            better.then_some(new)
        };
        // Err: there is a better one.
        let _ = self.best.fetch_update(Ordering::Relaxed, Ordering::Relaxed, better);
    }
}

impl<'s, T, P: Fn(T) -> bool + Sync, const BEYOND: bool> Consumer<T> for Search<'s, P, BEYOND> {
    type Folder = Searching<'s, P, BEYOND>;
    type Result = ();
    const SEARCHES: bool = BEYOND;

    fn into_folder(self, place: Place) -> Self::Folder {
        Searching { search: self, next: place.start() }
    }

    fn reduce(self, (): (), (): ()) {}

    fn full(self) -> bool {
        match self.which {
            Which::Any => self.settled(0),
            // Found at the very front.
            Which::First => self.settled(1) && self.best.load(Ordering::Relaxed) == 1,
            Which::Last => false,
        }
    }
}

struct Searching<'s, P, const BEYOND: bool> {
    search: Search<'s, P, BEYOND>,
    /// The index of the next item.
    next: usize,
}

impl<T, P: Fn(T) -> bool, const BEYOND: bool> Folder<T> for Searching<'_, P, BEYOND> {
    type Result = ();

    #[inline]
    fn consume(mut self, item: T) -> Self {
        let index = self.next;
        self.next += 1;
        if (self.search.predicate)(item) {
            self.search.found(index);
        }
        self
    }

    /// Unlike the default, it also asks before the first item: the piece may have been waiting for a while.
    #[inline]
    fn consume_iter<I: IntoIterator<Item = T>>(mut self, iter: I) -> Self {
        let mut iter = iter.into_iter();
        while !self.search.settled(self.next) {
            match iter.next() {
                Some(item) => self = self.consume(item),
                None => break,
            }
        }
        self
    }

    fn complete(self) {}

    #[inline]
    fn full(&self) -> bool {
        self.search.settled(self.next)
    }

    #[inline]
    fn advance(&mut self, next: Place) {
        self.next = next.start();
    }
}
