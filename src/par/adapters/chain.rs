//! `chain`.

use crate::par::indexed::IndexedParallelIterator;
use crate::par::iter::ParallelIterator;
use crate::par::place::Place;
use crate::par::plumbing::{Consumer, Folder, Owners, Producer, ProducerCallback};
use crate::work::join::join;

/// Made by [`chain`](ParallelIterator::chain).
#[derive(Clone, Debug)]
#[must_use = "parallel iterators do nothing until they are consumed"]
pub struct Chain<A, B> {
    a: A,
    b: B,
}

impl<A, B> Chain<A, B> {
    pub(crate) fn new(a: A, b: B) -> Self {
        Chain { a, b }
    }
}

impl<A, B> ParallelIterator for Chain<A, B>
where
    A: ParallelIterator,
    B: ParallelIterator<Item = A::Item>,
{
    type Item = A::Item;

    fn drive<C: Consumer<A::Item>>(self, consumer: C, place: Place) -> C::Result {
        let Chain { a, b } = self;
        let (a_place, b_place) = place.split_for(a.opt_len());
        let (left, right) = join(move || a.drive(consumer, a_place), move || b.drive(consumer, b_place));
        consumer.reduce(left, right)
    }

    fn opt_len(&self) -> Option<usize> {
        self.a.opt_len()?.checked_add(self.b.opt_len()?)
    }
}

impl<A, B> IndexedParallelIterator for Chain<A, B>
where
    A: IndexedParallelIterator,
    B: IndexedParallelIterator<Item = A::Item>,
{
    fn len(&self) -> usize {
        self.a.len().checked_add(self.b.len()).expect("the length of an iterator fits into a usize")
    }

    fn with_producer<CB: ProducerCallback<A::Item>>(self, callback: CB) -> CB::Output {
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

impl<B, CB> ProducerCallback<B::Item> for First<B, CB>
where
    B: IndexedParallelIterator,
    CB: ProducerCallback<B::Item>,
{
    type Output = CB::Output;

    fn callback<P: Producer<Item = B::Item>>(self, a: P) -> CB::Output {
        self.b.with_producer(Second { a, a_len: self.a_len, callback: self.callback })
    }
}

/// Has the producer of the first iterator, and waits for that of the second.
struct Second<P, CB> {
    a: P,
    a_len: usize,
    callback: CB,
}

impl<A, CB> ProducerCallback<A::Item> for Second<A, CB>
where
    A: Producer,
    CB: ProducerCallback<A::Item>,
{
    type Output = CB::Output;

    fn callback<P: Producer<Item = A::Item>>(self, b: P) -> CB::Output {
        self.callback.callback(ChainProducer { a: Some(self.a), b: Some(b), a_len: self.a_len })
    }
}

/// A piece that lies in one of the two does not have the other.
struct ChainProducer<A, B> {
    a: Option<A>,
    b: Option<B>,
    /// 0 without an `a`.
    a_len: usize,
}

impl<A, B> Producer for ChainProducer<A, B>
where
    A: Producer,
    B: Producer<Item = A::Item>,
{
    type Item = A::Item;
    type IntoIter = ChainIter<A::IntoIter, B::IntoIter>;
    const OWNED: bool = A::OWNED || B::OWNED;

    fn into_iter(self) -> Self::IntoIter {
        ChainIter { a: self.a.map(A::into_iter), b: self.b.map(B::into_iter) }
    }

    fn min_len(&self) -> usize {
        self.a.as_ref().map_or(1, A::min_len).max(self.b.as_ref().map_or(1, B::min_len))
    }

    fn max_len(&self) -> usize {
        self.a.as_ref().map_or(usize::MAX, A::max_len).min(self.b.as_ref().map_or(usize::MAX, B::max_len))
    }

    fn owners(&self) -> Option<&Owners> {
        let a = self.a.as_ref().and_then(A::owners);
        a.or_else(|| self.b.as_ref().and_then(B::owners))
    }

    fn split_at(self, index: usize) -> (Self, Self) {
        let ChainProducer { a, b, a_len } = self;
        match (a, b) {
            (Some(a), b) if index < a_len => {
                let (a, rest) = a.split_at(index);
                let left = ChainProducer { a: Some(a), b: None, a_len: index };
                (left, ChainProducer { a: Some(rest), b, a_len: a_len - index })
            }
            (a, Some(b)) if index > a_len => {
                let (b, rest) = b.split_at(index - a_len);
                (ChainProducer { a, b: Some(b), a_len }, ChainProducer { a: None, b: Some(rest), a_len: 0 })
            }
            (a, b) => {
                assert_eq!(index, a_len, "a producer is split inside of it");
                (ChainProducer { a, b: None, a_len }, ChainProducer { a: None, b, a_len: 0 })
            }
        }
    }

    fn fold_with<F: Folder<A::Item>>(self, mut folder: F) -> F {
        if let Some(a) = self.a {
            folder = a.fold_with(folder);
        }
        match self.b {
            Some(b) if !folder.full() => b.fold_with(folder),
            _ => folder,
        }
    }
}

/// The standard library's chain does not tell its exact length.
struct ChainIter<A, B> {
    a: Option<A>,
    b: Option<B>,
}

impl<A, B> Iterator for ChainIter<A, B>
where
    A: ExactSizeIterator,
    B: ExactSizeIterator<Item = A::Item>,
{
    type Item = A::Item;

    #[inline]
    fn next(&mut self) -> Option<A::Item> {
        if let Some(a) = &mut self.a {
            match a.next() {
                None => self.a = None,
                item => return item,
            }
        }
        self.b.as_mut()?.next()
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        let len = self.a.as_ref().map_or(0, A::len) + self.b.as_ref().map_or(0, B::len);
        (len, Some(len))
    }

    #[inline]
    fn fold<T, F: FnMut(T, A::Item) -> T>(self, init: T, mut f: F) -> T {
        let mut folded = init;
        if let Some(a) = self.a {
            folded = a.fold(folded, &mut f);
        }
        match self.b {
            Some(b) => b.fold(folded, f),
            None => folded,
        }
    }
}

impl<A, B> DoubleEndedIterator for ChainIter<A, B>
where
    A: DoubleEndedIterator + ExactSizeIterator,
    B: DoubleEndedIterator<Item = A::Item> + ExactSizeIterator,
{
    #[inline]
    fn next_back(&mut self) -> Option<A::Item> {
        if let Some(b) = &mut self.b {
            match b.next_back() {
                None => self.b = None,
                item => return item,
            }
        }
        self.a.as_mut()?.next_back()
    }

    #[inline]
    fn rfold<T, F: FnMut(T, A::Item) -> T>(self, init: T, mut f: F) -> T {
        let mut folded = init;
        if let Some(b) = self.b {
            folded = b.rfold(folded, &mut f);
        }
        match self.a {
            Some(a) => a.rfold(folded, f),
            None => folded,
        }
    }
}

impl<A, B> ExactSizeIterator for ChainIter<A, B>
where
    A: ExactSizeIterator,
    B: ExactSizeIterator<Item = A::Item>,
{
}
