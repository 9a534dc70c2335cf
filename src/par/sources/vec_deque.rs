//! [`VecDeque`]: by value, by reference, drained.

use std::collections::VecDeque;
use std::mem;
use std::ops::{Range, RangeBounds};

use crate::par::bridge::bridge;
use crate::par::indexed::IndexedParallelIterator;
use crate::par::into::{IntoParallelIterator, ParallelDrainRange};
use crate::par::iter::ParallelIterator;
use crate::par::place::Place;
use crate::par::plumbing::{Consumer, ProducerCallback};
use crate::par::sources::bounds::within;
use crate::par::sources::lent::Lent;
use crate::par::sources::pair::Pair;
use crate::par::sources::slice::{IterMutProducer, IterProducer};
use crate::par::sources::vec;

/// A parallel iterator that takes the items out of a double-ended queue.
#[derive(Clone, Debug)]
#[must_use = "parallel iterators do nothing until they are consumed"]
pub struct IntoIter<T: Send> {
    inner: vec::IntoIter<T>,
}

impl<T: Send> IntoParallelIterator for VecDeque<T> {
    type Iter = IntoIter<T>;
    type Item = T;

    fn into_par_iter(self) -> Self::Iter {
        // The items are moved only if the queue goes round the end of its memory.
        IntoIter { inner: Vec::from(self).into_par_iter() }
    }
}

delegate_counted! { impl[T: Send] IntoIter<T> => T }

/// A parallel iterator over a double-ended queue.
#[derive(Debug)]
#[must_use = "parallel iterators do nothing until they are consumed"]
pub struct Iter<'a, T> {
    front: &'a [T],
    back: &'a [T],
}

impl<T> Clone for Iter<'_, T> {
    fn clone(&self) -> Self {
        Iter { ..*self }
    }
}

impl<'a, T: Sync> IntoParallelIterator for &'a VecDeque<T> {
    type Iter = Iter<'a, T>;
    type Item = &'a T;

    fn into_par_iter(self) -> Self::Iter {
        let (front, back) = self.as_slices();
        Iter { front, back }
    }
}

counted! {
    impl['a, T: Sync] Iter<'a, T> => &'a T,
    len: |it| it.front.len() + it.back.len(),
    producer: |it| Pair {
        len: it.front.len(),
        left: IterProducer { slice: it.front },
        right: IterProducer { slice: it.back },
    },
}

/// A parallel iterator over a double-ended queue, by mutable reference.
#[derive(Debug)]
#[must_use = "parallel iterators do nothing until they are consumed"]
pub struct IterMut<'a, T> {
    front: &'a mut [T],
    back: &'a mut [T],
}

impl<'a, T: Send> IntoParallelIterator for &'a mut VecDeque<T> {
    type Iter = IterMut<'a, T>;
    type Item = &'a mut T;

    fn into_par_iter(self) -> Self::Iter {
        let (front, back) = self.as_mut_slices();
        IterMut { front, back }
    }
}

counted! {
    impl['a, T: Send] IterMut<'a, T> => &'a mut T,
    len: |it| it.front.len() + it.back.len(),
    producer: |it| Pair {
        len: it.front.len(),
        left: IterMutProducer { slice: it.front },
        right: IterMutProducer { slice: it.back },
    },
}

/// A parallel iterator that takes a range of items out of a double-ended queue. Made by
/// [`par_drain`](ParallelDrainRange::par_drain).
#[derive(Debug)]
#[must_use = "the items are dropped at once if nobody consumes them"]
pub struct Drain<'a, T> {
    /// Taken by the loop. If it is still there in the end, the loop has not been run.
    deque: Option<&'a mut VecDeque<T>>,
    range: Range<usize>,
}

impl<'a, T: Send> ParallelDrainRange<usize> for &'a mut VecDeque<T> {
    type Iter = Drain<'a, T>;
    type Item = T;

    fn par_drain<R: RangeBounds<usize>>(self, range: R) -> Self::Iter {
        Drain { range: within(&range, self.len()), deque: Some(self) }
    }
}

impl<T: Send> ParallelIterator for Drain<'_, T> {
    type Item = T;

    fn drive<C: Consumer<T>>(self, consumer: C, place: Place) -> C::Result {
        bridge(self, consumer, place)
    }

    fn opt_len(&self) -> Option<usize> {
        Some(self.len())
    }
}

impl<T: Send> IndexedParallelIterator for Drain<'_, T> {
    fn len(&self) -> usize {
        self.range.len()
    }

    fn with_producer<CB: ProducerCallback<T>>(mut self, callback: CB) -> CB::Output {
        let deque = self.deque.take().expect("a drain is run once");
        Lent::new(deque).vec.par_drain(self.range.clone()).with_producer(callback)
    }
}

impl<T> Drop for Drain<'_, T> {
    fn drop(&mut self) {
        if let Some(deque) = self.deque.take() {
            deque.drain(mem::take(&mut self.range));
        }
    }
}
