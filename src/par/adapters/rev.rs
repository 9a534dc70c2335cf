//! `rev`.

use std::iter;

use crate::par::bridge::bridge;
use crate::par::indexed::IndexedParallelIterator;
use crate::par::iter::ParallelIterator;
use crate::par::place::Place;
use crate::par::plumbing::{Consumer, Owners, Producer, ProducerCallback};

/// Made by [`rev`](IndexedParallelIterator::rev).
#[derive(Clone, Debug)]
#[must_use = "parallel iterators do nothing until they are consumed"]
pub struct Rev<I> {
    base: I,
}

impl<I> Rev<I> {
    pub(crate) fn new(base: I) -> Self {
        Rev { base }
    }
}

impl<I: IndexedParallelIterator> ParallelIterator for Rev<I> {
    type Item = I::Item;

    fn drive<C: Consumer<I::Item>>(self, consumer: C, place: Place) -> C::Result {
        bridge(self, consumer, place)
    }

    fn opt_len(&self) -> Option<usize> {
        Some(self.len())
    }
}

impl<I: IndexedParallelIterator> IndexedParallelIterator for Rev<I> {
    fn len(&self) -> usize {
        self.base.len()
    }

    fn with_producer<CB: ProducerCallback<I::Item>>(self, callback: CB) -> CB::Output {
        struct Callback<CB> {
            len: usize,
            callback: CB,
        }
        impl<T, CB: ProducerCallback<T>> ProducerCallback<T> for Callback<CB> {
            type Output = CB::Output;

            fn callback<P: Producer<Item = T>>(self, base: P) -> CB::Output {
                self.callback.callback(RevProducer { base, len: self.len })
            }
        }
        let len = self.base.len();
        self.base.with_producer(Callback { len, callback })
    }
}

struct RevProducer<P> {
    base: P,
    len: usize,
}

impl<P: Producer> Producer for RevProducer<P> {
    type Item = P::Item;
    type IntoIter = iter::Rev<P::IntoIter>;
    const OWNED: bool = P::OWNED;

    #[inline]
    fn into_iter(self) -> Self::IntoIter {
        self.base.into_iter().rev()
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
        let rest = self.len - index;
        let (left, right) = self.base.split_at(rest);
        (RevProducer { base: right, len: index }, RevProducer { base: left, len: rest })
    }
}
