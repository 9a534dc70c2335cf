//! [`BinaryHeap`]: by value, by reference, drained. The order is that of the heap's memory.

use std::collections::BinaryHeap;

use crate::par::bridge::bridge;
use crate::par::indexed::IndexedParallelIterator;
use crate::par::into::{IntoParallelIterator, ParallelDrainFull, ParallelDrainRange};
use crate::par::iter::ParallelIterator;
use crate::par::place::Place;
use crate::par::plumbing::{Consumer, ProducerCallback};
use crate::par::sources::lent::Lent;
use crate::par::sources::{slice, vec};

/// A parallel iterator that takes the items out of a heap, in no particular order.
#[derive(Clone, Debug)]
#[must_use = "parallel iterators do nothing until they are consumed"]
pub struct IntoIter<T> {
    inner: vec::IntoIter<T>,
}

impl<T: Send> IntoParallelIterator for BinaryHeap<T> {
    type Iter = IntoIter<T>;
    type Item = T;

    fn into_par_iter(self) -> Self::Iter {
        IntoIter { inner: self.into_vec().into_par_iter() }
    }
}

delegate_counted! { impl[T: Send] IntoIter<T> => T }

/// A parallel iterator over a heap, in no particular order.
#[derive(Debug)]
#[must_use = "parallel iterators do nothing until they are consumed"]
pub struct Iter<'a, T> {
    inner: slice::Iter<'a, T>,
}

impl<T> Clone for Iter<'_, T> {
    fn clone(&self) -> Self {
        Iter { inner: self.inner.clone() }
    }
}

impl<'a, T: Sync> IntoParallelIterator for &'a BinaryHeap<T> {
    type Iter = Iter<'a, T>;
    type Item = &'a T;

    fn into_par_iter(self) -> Self::Iter {
        Iter { inner: self.as_slice().into_par_iter() }
    }
}

delegate_counted! { impl['a, T: Sync + 'a] Iter<'a, T> => &'a T }

/// A parallel iterator that empties a heap, in no particular order. Made by
/// [`par_drain`](ParallelDrainFull::par_drain).
#[derive(Debug)]
#[must_use = "the items are dropped at once if nobody consumes them"]
pub struct Drain<'a, T> {
    /// Taken by the loop. If it is still there in the end, the loop has not been run.
    heap: Option<&'a mut BinaryHeap<T>>,
}

impl<'a, T: Ord + Send> ParallelDrainFull for &'a mut BinaryHeap<T> {
    type Iter = Drain<'a, T>;
    type Item = T;

    fn par_drain(self) -> Self::Iter {
        Drain { heap: Some(self) }
    }
}

impl<T: Ord + Send> ParallelIterator for Drain<'_, T> {
    type Item = T;

    fn drive<C: Consumer<T>>(self, consumer: C, place: Place) -> C::Result {
        bridge(self, consumer, place)
    }

    fn opt_len(&self) -> Option<usize> {
        Some(self.len())
    }
}

impl<T: Ord + Send> IndexedParallelIterator for Drain<'_, T> {
    fn len(&self) -> usize {
        self.heap.as_ref().map_or(0, |heap| heap.len())
    }

    fn with_producer<CB: ProducerCallback<T>>(mut self, callback: CB) -> CB::Output {
        let heap = self.heap.take().expect("a drain is run once");
        Lent::new(heap).vec.par_drain(..).with_producer(callback)
    }
}

impl<T> Drop for Drain<'_, T> {
    fn drop(&mut self) {
        if let Some(heap) = self.heap.take() {
            heap.clear();
        }
    }
}
