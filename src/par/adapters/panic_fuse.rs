//! `panic_fuse`: a panic in one piece ends the others.

use std::iter;
use std::thread;

use crate::ground::sync::{AtomicBool, Ordering};
use crate::par::indexed::IndexedParallelIterator;
use crate::par::iter::ParallelIterator;
use crate::par::place::Place;
use crate::par::plumbing::{Consumer, Folder, Owners, Producer, ProducerCallback};

/// Made by [`panic_fuse`](ParallelIterator::panic_fuse).
#[derive(Clone, Debug)]
#[must_use = "parallel iterators do nothing until they are consumed"]
pub struct PanicFuse<I> {
    base: I,
}

impl<I> PanicFuse<I> {
    pub(crate) fn new(base: I) -> Self {
        PanicFuse { base }
    }
}

impl<I: ParallelIterator> ParallelIterator for PanicFuse<I> {
    type Item = I::Item;

    fn drive<C: Consumer<I::Item>>(self, consumer: C, place: Place) -> C::Result {
        self.base.drive(PanicFuseConsumer { base: consumer, blown: &AtomicBool::new(false) }, place)
    }

    fn opt_len(&self) -> Option<usize> {
        self.base.opt_len()
    }
}

impl<I: IndexedParallelIterator> IndexedParallelIterator for PanicFuse<I> {
    fn len(&self) -> usize {
        self.base.len()
    }

    fn with_producer<CB: ProducerCallback<I::Item>>(self, callback: CB) -> CB::Output {
        struct Callback<CB>(CB);
        impl<T, CB: ProducerCallback<T>> ProducerCallback<T> for Callback<CB> {
            type Output = CB::Output;

            fn callback<P: Producer<Item = T>>(self, producer: P) -> CB::Output {
                self.0.callback(PanicFuseProducer { base: producer, blown: &AtomicBool::new(false) })
            }
        }
        self.base.with_producer(Callback(callback))
    }
}

/// Held while items are worked on: blows if a panic drops it.
struct Fuse<'f> {
    blown: &'f AtomicBool,
    /// The thread was panicking before: a loop in a destructor. That panic is not the loop's.
    was_panicking: bool,
}

impl<'f> Fuse<'f> {
    fn new(blown: &'f AtomicBool) -> Self {
        Fuse { blown, was_panicking: thread::panicking() }
    }

    /// The flag guards nothing, it only saves work: so Relaxed does.
    #[inline]
    fn is_blown(&self) -> bool {
        self.blown.load(Ordering::Relaxed)
    }
}

impl Drop for Fuse<'_> {
    #[inline]
    fn drop(&mut self) {
        if thread::panicking() && !self.was_panicking {
            self.blown.store(true, Ordering::Relaxed);
        }
    }
}

// ----- on the producer's side --------------------------------------------------------------------------------------

struct PanicFuseProducer<'f, P> {
    base: P,
    blown: &'f AtomicBool,
}

impl<'f, P: Producer> Producer for PanicFuseProducer<'f, P> {
    type Item = P::Item;
    type IntoIter = PanicFuseIter<'f, P::IntoIter>;
    const OWNED: bool = P::OWNED;

    fn into_iter(self) -> Self::IntoIter {
        let fuse = Fuse::new(self.blown);
        PanicFuseIter { base: self.base.into_iter(), fuse }
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
        (PanicFuseProducer { base: left, ..self }, PanicFuseProducer { base: right, ..self })
    }

    fn fold_with<G: Folder<P::Item>>(self, folder: G) -> G {
        self.base.fold_with(PanicFuseFolder { base: folder, fuse: Fuse::new(self.blown) }).base
    }
}

/// Ends before its time once the fuse has blown: then nobody gets to see what comes of the loop.
struct PanicFuseIter<'f, I> {
    base: I,
    fuse: Fuse<'f>,
}

impl<I: Iterator> Iterator for PanicFuseIter<'_, I> {
    type Item = I::Item;

    #[inline]
    fn next(&mut self) -> Option<I::Item> {
        if self.fuse.is_blown() { None } else { self.base.next() }
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        self.base.size_hint()
    }
}

impl<I: DoubleEndedIterator> DoubleEndedIterator for PanicFuseIter<'_, I> {
    #[inline]
    fn next_back(&mut self) -> Option<I::Item> {
        if self.fuse.is_blown() { None } else { self.base.next_back() }
    }
}

impl<I: ExactSizeIterator> ExactSizeIterator for PanicFuseIter<'_, I> {
    #[inline]
    fn len(&self) -> usize {
        self.base.len()
    }
}

// ----- on the consumer's side --------------------------------------------------------------------------------------

struct PanicFuseConsumer<'f, C> {
    base: C,
    blown: &'f AtomicBool,
}

impl<C: Copy> Copy for PanicFuseConsumer<'_, C> {}

impl<C: Copy> Clone for PanicFuseConsumer<'_, C> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<'f, T, C: Consumer<T>> Consumer<T> for PanicFuseConsumer<'f, C> {
    type Folder = PanicFuseFolder<'f, C::Folder>;
    type Result = C::Result;
    const SEARCHES: bool = C::SEARCHES;

    fn into_folder(self, place: Place) -> Self::Folder {
        let fuse = Fuse::new(self.blown);
        PanicFuseFolder { base: self.base.into_folder(place), fuse }
    }

    fn reduce(self, left: C::Result, right: C::Result) -> C::Result {
        let _fuse = Fuse::new(self.blown);
        self.base.reduce(left, right)
    }

    fn full(self) -> bool {
        self.blown.load(Ordering::Relaxed) || self.base.full()
    }

    fn full_at(self, label: u64) -> bool {
        self.blown.load(Ordering::Relaxed) || self.base.full_at(label)
    }
}

struct PanicFuseFolder<'f, G> {
    base: G,
    fuse: Fuse<'f>,
}

impl<T, G: Folder<T>> Folder<T> for PanicFuseFolder<'_, G> {
    type Result = G::Result;

    #[inline]
    fn consume(self, item: T) -> Self {
        let PanicFuseFolder { base, fuse } = self;
        PanicFuseFolder { base: base.consume(item), fuse }
    }

    #[inline]
    fn consume_iter<It: IntoIterator<Item = T>>(self, iter: It) -> Self {
        let PanicFuseFolder { base, fuse } = self;
        let mut iter = iter.into_iter();
        let base = base.consume_iter(iter::from_fn(|| if fuse.is_blown() { None } else { iter.next() }));
        PanicFuseFolder { base, fuse }
    }

    fn complete(self) -> G::Result {
        let PanicFuseFolder { base, fuse: _fuse } = self;
        base.complete()
    }

    #[inline]
    fn full(&self) -> bool {
        self.fuse.is_blown() || self.base.full()
    }

    #[inline]
    fn advance(&mut self, next: Place) {
        self.base.advance(next);
    }
}
