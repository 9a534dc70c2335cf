//! `zip`.

use std::cmp::Ordering;
use std::iter;

use crate::par::bridge::bridge;
use crate::par::indexed::IndexedParallelIterator;
use crate::par::iter::ParallelIterator;
use crate::par::place::Place;
use crate::par::plumbing::{Consumer, Owners, Producer, ProducerCallback};

/// Made by [`zip`](IndexedParallelIterator::zip).
#[derive(Clone, Debug)]
#[must_use = "parallel iterators do nothing until they are consumed"]
pub struct Zip<A, B> {
    a: A,
    b: B,
}

impl<A, B> Zip<A, B> {
    pub(crate) fn new(a: A, b: B) -> Self {
        Zip { a, b }
    }
}

impl<A, B> ParallelIterator for Zip<A, B>
where
    A: IndexedParallelIterator,
    B: IndexedParallelIterator,
{
    type Item = (A::Item, B::Item);

    fn drive<C: Consumer<Self::Item>>(self, consumer: C, place: Place) -> C::Result {
        bridge(self, consumer, place)
    }

    fn opt_len(&self) -> Option<usize> {
        Some(self.len())
    }
}

impl<A, B> IndexedParallelIterator for Zip<A, B>
where
    A: IndexedParallelIterator,
    B: IndexedParallelIterator,
{
    fn len(&self) -> usize {
        self.a.len().min(self.b.len())
    }

    fn with_producer<CB: ProducerCallback<Self::Item>>(self, callback: CB) -> CB::Output {
        let a_len = self.a.len();
        self.a.with_producer(First { b: self.b, a_len, callback })
    }
}

/// Has the second iterator, and waits for the producer of the first.
struct First<B, CB> {
    b: B,
    a_len: usize,
    callback: CB,
}

impl<T, B, CB> ProducerCallback<T> for First<B, CB>
where
    B: IndexedParallelIterator,
    CB: ProducerCallback<(T, B::Item)>,
{
    type Output = CB::Output;

    fn callback<P: Producer<Item = T>>(self, a: P) -> CB::Output {
        let b_len = self.b.len();
        self.b.with_producer(Second { a, a_len: self.a_len, b_len, callback: self.callback })
    }
}

/// Has the producer of the first iterator, and waits for that of the second.
struct Second<P, CB> {
    a: P,
    a_len: usize,
    b_len: usize,
    callback: CB,
}

impl<T, A, CB> ProducerCallback<T> for Second<A, CB>
where
    A: Producer,
    CB: ProducerCallback<(A::Item, T)>,
{
    type Output = CB::Output;

    fn callback<P: Producer<Item = T>>(self, b: P) -> CB::Output {
        let Second { a, a_len, b_len, callback } = self;
        // What the longer one has more is dropped at once. The standard library's `Zip` would produce it, item by item,
        // to come to the last pair from behind.
        let (a, b) = match a_len.cmp(&b_len) {
            Ordering::Less => (a, b.split_at(a_len).0),
            Ordering::Equal => (a, b),
            Ordering::Greater => (a.split_at(b_len).0, b),
        };
        callback.callback(ZipProducer { a, b })
    }
}

/// Both are equally long.
struct ZipProducer<A, B> {
    a: A,
    b: B,
}

impl<A: Producer, B: Producer> Producer for ZipProducer<A, B> {
    type Item = (A::Item, B::Item);
    type IntoIter = iter::Zip<A::IntoIter, B::IntoIter>;
    const OWNED: bool = A::OWNED || B::OWNED;

    // The standard library's `Zip` of two slices, and of maps and zips of such, counts one index for both: it is a loop
    // that the compiler can vectorise.
    #[inline]
    fn into_iter(self) -> Self::IntoIter {
        self.a.into_iter().zip(self.b.into_iter())
    }

    fn min_len(&self) -> usize {
        self.a.min_len().max(self.b.min_len())
    }

    fn max_len(&self) -> usize {
        self.a.max_len().min(self.b.max_len())
    }

    fn owners(&self) -> Option<&Owners> {
        self.a.owners().or_else(|| self.b.owners())
    }

    #[inline]
    fn split_at(self, index: usize) -> (Self, Self) {
        let (a, a_rest) = self.a.split_at(index);
        let (b, b_rest) = self.b.split_at(index);
        (ZipProducer { a, b }, ZipProducer { a: a_rest, b: b_rest })
    }
}
