//! `with_progress`: how many items are done, told to somebody who shows it.
//!
//! Each folder counts for itself, and hands the count on between blocks, that is, every few microseconds.

use crate::ground::sync::{AtomicU64, AtomicUsize, Ordering};
use std::cell::Cell;
use std::fmt;

use crate::par::beyond::throttle::Throttle;
use crate::par::indexed::IndexedParallelIterator;
use crate::par::iter::ParallelIterator;
use crate::par::place::Place;
use crate::par::plumbing::{Consumer, Folder, Owners, Producer, ProducerCallback};

/// Is told how far a loop is: see [`with_progress`](ParallelIterator::with_progress).
///
/// Implemented for atomic counters, for closures `Fn(usize)`, and with the feature `indicatif` for that crate's
/// `ProgressBar`.
pub trait Progress: Sync {
    /// So many more items are done. Called on every thread that takes part, every few microseconds at most; it should
    /// be quick, and not panic.
    ///
    /// ```
    /// use filch::iter::Progress;
    /// use filch::prelude::*;
    /// use std::sync::atomic::{AtomicUsize, Ordering};
    ///
    /// /// Says each tenth of the way.
    /// struct Tenths {
    ///     done: AtomicUsize,
    ///     of: usize,
    ///     said: AtomicUsize,
    /// }
    ///
    /// impl Progress for Tenths {
    ///     fn add(&self, items: usize) {
    ///         let before = self.done.fetch_add(items, Ordering::Relaxed);
    ///         let tenth = |done: usize| done * 10 / self.of;
    ///         for tenth in tenth(before) + 1..=tenth(before + items) {
    ///             println!("{tenth}0 %");
    ///             self.said.fetch_add(1, Ordering::Relaxed);
    ///         }
    ///     }
    /// }
    ///
    /// let tenths = Tenths { done: AtomicUsize::new(0), of: 5000, said: AtomicUsize::new(0) };
    /// (0..5000).into_par_iter().with_progress(&tenths).for_each(|_| {});
    /// assert_eq!(tenths.said.into_inner(), 10);
    /// ```
    fn add(&self, items: usize);
}

impl Progress for AtomicUsize {
    fn add(&self, items: usize) {
        self.fetch_add(items, Ordering::Relaxed);
    }
}

impl Progress for AtomicU64 {
    fn add(&self, items: usize) {
        self.fetch_add(items as u64, Ordering::Relaxed);
    }
}

impl<F: Fn(usize) + Sync> Progress for F {
    fn add(&self, items: usize) {
        self(items);
    }
}

/// Moves the bar on. Its length is for the caller to set.
#[cfg(feature = "indicatif")]
#[cfg_attr(docsrs, doc(cfg(feature = "indicatif")))]
impl Progress for indicatif::ProgressBar {
    fn add(&self, items: usize) {
        self.inc(items as u64);
    }
}

/// Items that have been counted, but not told yet. Told at the latest when it is dropped.
struct Untold<'p, P: Progress> {
    progress: &'p P,
    items: Cell<usize>,
}

impl<P: Progress> Untold<'_, P> {
    fn tell(&self) {
        let items = self.items.take();
        if items > 0 {
            self.progress.add(items);
        }
    }

    #[inline]
    fn count(&self, items: usize) {
        self.items.set(self.items.get() + items);
    }
}

impl<P: Progress> Drop for Untold<'_, P> {
    fn drop(&mut self) {
        self.tell();
    }
}

// ----- the adapter ---------------------------------------------------------------------------------------------------

/// Made by [`with_progress`](ParallelIterator::with_progress).
#[derive(Clone)]
#[must_use = "parallel iterators do nothing until they are consumed"]
pub struct WithProgress<'p, I, P> {
    base: I,
    progress: &'p P,
}

impl<'p, I, P> WithProgress<'p, I, P> {
    pub(crate) fn new(base: I, progress: &'p P) -> Self {
        WithProgress { base, progress }
    }
}

impl<I: fmt::Debug, P> fmt::Debug for WithProgress<'_, I, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WithProgress").field("base", &self.base).finish_non_exhaustive()
    }
}

impl<I: ParallelIterator, P: Progress> ParallelIterator for WithProgress<'_, I, P> {
    type Item = I::Item;

    fn drive<C: Consumer<I::Item>>(self, consumer: C, place: Place) -> C::Result {
        self.base.drive(ProgressConsumer { base: consumer, progress: self.progress }, place)
    }

    fn opt_len(&self) -> Option<usize> {
        self.base.opt_len()
    }
}

impl<I: IndexedParallelIterator, P: Progress> IndexedParallelIterator for WithProgress<'_, I, P> {
    fn len(&self) -> usize {
        self.base.len()
    }

    fn with_producer<CB: ProducerCallback<I::Item>>(self, callback: CB) -> CB::Output {
        struct Callback<'p, CB, P>(CB, &'p P);
        impl<T, CB: ProducerCallback<T>, P: Progress> ProducerCallback<T> for Callback<'_, CB, P> {
            type Output = CB::Output;

            fn callback<B: Producer<Item = T>>(self, base: B) -> CB::Output {
                self.0.callback(ProgressProducer { base, progress: self.1 })
            }
        }
        self.base.with_producer(Callback(callback, self.progress))
    }
}

// ----- on the producer's side ----------------------------------------------------------------------------------------

struct ProgressProducer<'p, B, P> {
    base: B,
    progress: &'p P,
}

impl<'p, B: Producer, P: Progress> Producer for ProgressProducer<'p, B, P> {
    type Item = B::Item;
    type IntoIter = Counting<'p, B::IntoIter, P>;
    const OWNED: bool = B::OWNED;

    fn into_iter(self) -> Self::IntoIter {
        let untold = Untold { progress: self.progress, items: Cell::new(0) };
        Counting { base: self.base.into_iter(), untold }
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
        (ProgressProducer { base: left, ..self }, ProgressProducer { base: right, ..self })
    }

    fn fold_with<F: Folder<B::Item>>(self, folder: F) -> F {
        self.base.fold_with(ProgressFolder::new(folder, self.progress)).base
    }
}

/// Counts what it hands out.
struct Counting<'p, I, P: Progress> {
    base: I,
    untold: Untold<'p, P>,
}

impl<I: Iterator, P: Progress> Iterator for Counting<'_, I, P> {
    type Item = I::Item;

    #[inline]
    fn next(&mut self) -> Option<I::Item> {
        let item = self.base.next();
        self.untold.count(usize::from(item.is_some()));
        item
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.base.size_hint()
    }

    #[inline]
    fn fold<A, F: FnMut(A, I::Item) -> A>(self, init: A, f: F) -> A {
        let mut items = 0;
        let result = self.base.inspect(|_| items += 1).fold(init, f);
        self.untold.count(items);
        result
    }
}

impl<I: DoubleEndedIterator, P: Progress> DoubleEndedIterator for Counting<'_, I, P> {
    #[inline]
    fn next_back(&mut self) -> Option<I::Item> {
        let item = self.base.next_back();
        self.untold.count(usize::from(item.is_some()));
        item
    }
}

impl<I: ExactSizeIterator, P: Progress> ExactSizeIterator for Counting<'_, I, P> {}

// ----- on the consumer's side ----------------------------------------------------------------------------------------

struct ProgressConsumer<'p, C, P> {
    base: C,
    progress: &'p P,
}

impl<C: Copy, P> Copy for ProgressConsumer<'_, C, P> {}

impl<C: Copy, P> Clone for ProgressConsumer<'_, C, P> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<'p, T, C: Consumer<T>, P: Progress> Consumer<T> for ProgressConsumer<'p, C, P> {
    type Folder = ProgressFolder<'p, C::Folder, P>;
    type Result = C::Result;
    const SEARCHES: bool = C::SEARCHES;

    fn into_folder(self, place: Place) -> Self::Folder {
        ProgressFolder::new(self.base.into_folder(place), self.progress)
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

struct ProgressFolder<'p, F, P: Progress> {
    base: F,
    untold: Untold<'p, P>,
    throttle: Throttle,
}

impl<'p, F, P: Progress> ProgressFolder<'p, F, P> {
    fn new(base: F, progress: &'p P) -> Self {
        ProgressFolder { base, untold: Untold { progress, items: Cell::new(0) }, throttle: Throttle::new() }
    }
}

impl<T, F: Folder<T>, P: Progress> Folder<T> for ProgressFolder<'_, F, P> {
    type Result = F::Result;

    #[inline]
    fn consume(mut self, item: T) -> Self {
        self.base = self.base.consume(item);
        self.untold.count(1);
        self
    }

    #[inline]
    fn consume_iter<I: IntoIterator<Item = T>>(mut self, iter: I) -> Self {
        let mut items = 0;
        self.base = self.base.consume_iter(iter.into_iter().inspect(|_| items += 1));
        self.untold.count(items);
        self
    }

    fn complete(self) -> F::Result {
        self.untold.tell();
        self.base.complete()
    }

    /// Asked after each item by some, and between blocks: a moment to tell.
    #[inline]
    fn full(&self) -> bool {
        if self.untold.items.get() > 0 && self.throttle.is_due() {
            self.untold.tell();
        }
        self.base.full()
    }

    #[inline]
    fn advance(&mut self, next: Place) {
        self.untold.tell();
        self.throttle.make_due();
        self.base.advance(next);
    }
}
