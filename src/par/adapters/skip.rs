//! `skip`.
//!
//! The skipped items are produced all the same, and dropped: what comes before may have effects that a caller counts
//! on. That happens beside the rest of the loop, not before it.

use crate::par::bridge::bridge_producer;
use crate::par::indexed::IndexedParallelIterator;
use crate::par::iter::ParallelIterator;
use crate::par::place::Place;
use crate::par::plumbing::{Consumer, Folder, Producer, ProducerCallback};
use crate::work::join::join;
use crate::work::scope::in_place_scope;

/// Made by [`skip`](IndexedParallelIterator::skip).
#[derive(Clone, Debug)]
#[must_use = "parallel iterators do nothing until they are consumed"]
pub struct Skip<I> {
    base: I,
    /// At most as many as there are.
    n: usize,
}

impl<I: IndexedParallelIterator> Skip<I> {
    pub(crate) fn new(base: I, n: usize) -> Self {
        let n = n.min(base.len());
        Skip { base, n }
    }
}

impl<I: IndexedParallelIterator> ParallelIterator for Skip<I> {
    type Item = I::Item;

    /// What it is driven for is known here, so one `join` will do.
    fn drive<C: Consumer<I::Item>>(self, consumer: C, place: Place) -> C::Result {
        struct Callback<C> {
            n: usize,
            len: usize,
            consumer: C,
            place: Place,
        }
        impl<T, C: Consumer<T>> ProducerCallback<T> for Callback<C> {
            type Output = C::Result;

            fn callback<P: Producer<Item = T>>(self, base: P) -> C::Result {
                let Callback { n, len, consumer, place } = self;
                if n == 0 {
                    return bridge_producer(len, base, consumer, place);
                }
                let (skipped, rest) = base.split_at(n);
                join(move || bridge_producer(len, rest, consumer, place), move || pass(n, skipped)).0
            }
        }
        let (n, len) = (self.n, self.len());
        self.base.with_producer(Callback { n, len, consumer, place })
    }

    fn opt_len(&self) -> Option<usize> {
        Some(self.len())
    }
}

impl<I: IndexedParallelIterator> IndexedParallelIterator for Skip<I> {
    fn len(&self) -> usize {
        self.base.len() - self.n
    }

    fn with_producer<CB: ProducerCallback<I::Item>>(self, callback: CB) -> CB::Output {
        struct Callback<CB> {
            n: usize,
            callback: CB,
        }
        impl<T, CB: ProducerCallback<T>> ProducerCallback<T> for Callback<CB> {
            type Output = CB::Output;

            fn callback<P: Producer<Item = T>>(self, base: P) -> CB::Output {
                let Callback { n, callback } = self;
                if n == 0 {
                    return callback.callback(base);
                }
                // Not by `join`: nothing says that the callback can be sent to another thread.
                in_place_scope(|scope| {
                    let (skipped, rest) = base.split_at(n);
                    scope.spawn(move |_| pass(n, skipped));
                    callback.callback(rest)
                })
            }
        }
        self.base.with_producer(Callback { n: self.n, callback })
    }
}

/// Produces items for nobody.
fn pass<P: Producer>(len: usize, producer: P) {
    bridge_producer(len, producer, Pass, Place::whole());
}

#[derive(Clone, Copy)]
struct Pass;

impl<T> Consumer<T> for Pass {
    type Folder = Self;
    type Result = ();

    fn into_folder(self, _: Place) -> Self {
        self
    }

    fn reduce(self, (): (), (): ()) {}
}

impl<T> Folder<T> for Pass {
    type Result = ();

    #[inline]
    fn consume(self, _: T) -> Self {
        self
    }

    #[inline]
    fn consume_iter<I: IntoIterator<Item = T>>(self, iter: I) -> Self {
        iter.into_iter().for_each(drop);
        self
    }

    fn complete(self) {}
}
