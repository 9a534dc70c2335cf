//! `enumerate`.

use std::iter;
use std::ops::Range;

use crate::par::bridge::bridge;
use crate::par::indexed::IndexedParallelIterator;
use crate::par::iter::ParallelIterator;
use crate::par::place::Place;
use crate::par::plumbing::{Consumer, Owners, Producer, ProducerCallback};

/// Made by [`enumerate`](IndexedParallelIterator::enumerate).
#[derive(Clone, Debug)]
#[must_use = "parallel iterators do nothing until they are consumed"]
pub struct Enumerate<I> {
    base: I,
}

impl<I> Enumerate<I> {
    pub(crate) fn new(base: I) -> Self {
        Enumerate { base }
    }
}

impl<I: IndexedParallelIterator> ParallelIterator for Enumerate<I> {
    type Item = (usize, I::Item);

    fn drive<C: Consumer<Self::Item>>(self, consumer: C, place: Place) -> C::Result {
        bridge(self, consumer, place)
    }

    fn opt_len(&self) -> Option<usize> {
        Some(self.len())
    }
}

impl<I: IndexedParallelIterator> IndexedParallelIterator for Enumerate<I> {
    fn len(&self) -> usize {
        self.base.len()
    }

    fn with_producer<CB: ProducerCallback<Self::Item>>(self, callback: CB) -> CB::Output {
        struct Callback<CB>(CB);
        impl<T, CB: ProducerCallback<(usize, T)>> ProducerCallback<T> for Callback<CB> {
            type Output = CB::Output;

            fn callback<P: Producer<Item = T>>(self, base: P) -> CB::Output {
                self.0.callback(EnumerateProducer { base, first: 0 })
            }
        }
        self.base.with_producer(Callback(callback))
    }
}

struct EnumerateProducer<P> {
    base: P,
    /// The index of the first item.
    first: usize,
}

impl<P: Producer> Producer for EnumerateProducer<P> {
    type Item = (usize, P::Item);
    type IntoIter = iter::Zip<Range<usize>, P::IntoIter>;
    const OWNED: bool = P::OWNED;

    // The range ends where the items do, so that the last index is at hand for who goes backwards.
    #[inline]
    fn into_iter(self) -> Self::IntoIter {
        let base = self.base.into_iter();
        (self.first..self.first + base.len()).zip(base)
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

    #[inline]
    fn split_at(self, index: usize) -> (Self, Self) {
        let (base, rest) = self.base.split_at(index);
        let rest = EnumerateProducer { base: rest, first: self.first + index };
        (EnumerateProducer { base, first: self.first }, rest)
    }
}
