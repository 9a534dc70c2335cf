//! Vectors: by value, and drained.

use std::mem::{self, MaybeUninit};
use std::ops::{Range, RangeBounds};
use std::ptr;

use crate::par::bridge::bridge;
use crate::par::indexed::IndexedParallelIterator;
use crate::par::into::{IntoParallelIterator, ParallelDrainRange};
use crate::par::iter::ParallelIterator;
use crate::par::place::Place;
use crate::par::plumbing::{Consumer, ProducerCallback};
use crate::par::sources::bounds::within;
use crate::par::sources::owned::Owned;

/// A parallel iterator that takes the items out of a vector.
#[derive(Clone, Debug)]
#[must_use = "parallel iterators do nothing until they are consumed"]
pub struct IntoIter<T> {
    vec: Vec<T>,
}

impl<T: Send> IntoParallelIterator for Vec<T> {
    type Iter = IntoIter<T>;
    type Item = T;

    fn into_par_iter(self) -> Self::Iter {
        IntoIter { vec: self }
    }
}

impl<T: Send> IntoParallelIterator for Box<[T]> {
    type Iter = IntoIter<T>;
    type Item = T;

    fn into_par_iter(self) -> Self::Iter {
        IntoIter { vec: self.into_vec() }
    }
}

impl<T: Send> ParallelIterator for IntoIter<T> {
    type Item = T;

    fn drive<C: Consumer<T>>(self, consumer: C, place: Place) -> C::Result {
        bridge(self, consumer, place)
    }

    fn opt_len(&self) -> Option<usize> {
        Some(self.len())
    }
}

impl<T: Send> IndexedParallelIterator for IntoIter<T> {
    fn len(&self) -> usize {
        self.vec.len()
    }

    fn with_producer<CB: ProducerCallback<T>>(mut self, callback: CB) -> CB::Output {
        let len = self.vec.len();
        // What is left for the vector is to free its memory.
        let slots = forget_from(&mut self.vec, 0, len);
        // SAFETY: these were the vector's items, and it has forgotten them. If the callback unwinds, the producer or
        // its pieces drop what they have, and the vector, empty, its memory.
        callback.callback(unsafe { Owned::new(slots) })
    }
}

/// The slots of `count` items from `start` on. The vector forgets these items and all after them.
///
/// # Panics
/// If there are not as many.
fn forget_from<T>(vec: &mut Vec<T>, start: usize, count: usize) -> &mut [MaybeUninit<T>] {
    assert!(start <= vec.len() && count <= vec.len() - start);
    // SAFETY: no longer than before, so every item below the new length is initialised. It does not unwind.
    unsafe { vec.set_len(start) };
    &mut vec.spare_capacity_mut()[..count]
}

/// A parallel iterator that takes a range of items out of a vector. Made by
/// [`par_drain`](ParallelDrainRange::par_drain).
#[derive(Debug)]
#[must_use = "the items are dropped at once if nobody consumes them"]
pub struct Drain<'data, T: Send> {
    /// Taken by the loop. If it is still there in the end, the loop has not been run.
    vec: Option<&'data mut Vec<T>>,
    range: Range<usize>,
}

impl<'data, T: Send> ParallelDrainRange<usize> for &'data mut Vec<T> {
    type Iter = Drain<'data, T>;
    type Item = T;

    fn par_drain<R: RangeBounds<usize>>(self, range: R) -> Self::Iter {
        Drain { range: within(&range, self.len()), vec: Some(self) }
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
        let vec = self.vec.take().expect("a drain is run once");
        let range = self.range.clone();
        // From here on the vector ends before the range. The guard joins the items after the range to it, in the end.
        let gap = Gap { tail: range.end..vec.len(), vec };
        let slots = forget_from(gap.vec, range.start, range.len());
        // SAFETY: these were the vector's items, and it has forgotten them; the guard moves only those after the range.
        // If the callback unwinds, the pieces drop what they have before the guard, further out, closes the gap.
        callback.callback(unsafe { Owned::new(slots) })
    }
}

impl<T: Send> Drop for Drain<'_, T> {
    fn drop(&mut self) {
        if let Some(vec) = self.vec.take() {
            vec.drain(mem::take(&mut self.range));
        }
    }
}

/// A vector that has forgotten its items from some index on, of which those in `tail` are still its own.
struct Gap<'data, T> {
    vec: &'data mut Vec<T>,
    tail: Range<usize>,
}

impl<T> Drop for Gap<'_, T> {
    fn drop(&mut self) {
        let start = self.vec.len();
        let count = self.tail.len();
        if start != self.tail.start {
            let items = self.vec.as_mut_ptr();
            // SAFETY: both stretches lie in the vector's memory (the first is no further back than the second), and the
            // second's items are initialised and the vector's, though beyond its length. It does not unwind.
            unsafe { ptr::copy(items.add(self.tail.start), items.add(start), count) };
        }
        // SAFETY: the items below `start` were left alone, and `count` more lie right after them now: moved there, or
        // there from the beginning. Whatever the loop took or dropped lies beyond, or has been overwritten.
        unsafe { self.vec.set_len(start + count) };
    }
}
