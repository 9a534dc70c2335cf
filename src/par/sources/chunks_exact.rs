//! `par_chunks_exact`: pieces of the same length, without what is left over.

use std::slice;

use crate::par::plumbing::Producer;

/// Made by [`par_chunks_exact`](crate::slice::ParallelSlice::par_chunks_exact).
#[derive(Debug)]
#[must_use = "parallel iterators do nothing until they are consumed"]
pub struct ChunksExact<'data, T> {
    size: usize,
    slice: &'data [T],
    rest: &'data [T],
}

impl<T> Clone for ChunksExact<'_, T> {
    fn clone(&self) -> Self {
        ChunksExact { ..*self }
    }
}

impl<'data, T> ChunksExact<'data, T> {
    pub(crate) fn new(slice: &'data [T], size: usize) -> Self {
        let (slice, rest) = slice.split_at(slice.len() - slice.len() % size);
        ChunksExact { size, slice, rest }
    }

    /// What is left over: fewer elements than a piece has, from the slice's end.
    ///
    /// ```
    /// use filch::prelude::*;
    ///
    /// let samples = [1, 2, 3, 4, 5, 6, 7];
    /// let threes = samples.par_chunks_exact(3);
    /// assert_eq!(threes.remainder(), [7]);
    /// let sums: Vec<i32> = threes.map(|three| three.iter().sum()).collect();
    /// assert_eq!(sums, [6, 15]);
    /// ```
    pub fn remainder(&self) -> &'data [T] {
        self.rest
    }
}

counted! {
    impl['data, T: Sync] ChunksExact<'data, T> => &'data [T],
    len: |it| it.slice.len() / it.size,
    producer: |it| ChunksExactProducer { size: it.size, slice: it.slice },
}

struct ChunksExactProducer<'data, T> {
    size: usize,
    slice: &'data [T],
}

impl<'data, T: Sync> Producer for ChunksExactProducer<'data, T> {
    type Item = &'data [T];
    type IntoIter = slice::ChunksExact<'data, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.slice.chunks_exact(self.size)
    }

    fn split_at(self, index: usize) -> (Self, Self) {
        let at = index * self.size;
        let (left, right) = self.slice.split_at(at);
        (ChunksExactProducer { slice: left, ..self }, ChunksExactProducer { slice: right, ..self })
    }
}

/// Made by [`par_chunks_exact_mut`](crate::slice::ParallelSliceMut::par_chunks_exact_mut).
#[derive(Debug)]
#[must_use = "parallel iterators do nothing until they are consumed"]
pub struct ChunksExactMut<'data, T> {
    size: usize,
    slice: &'data mut [T],
    rest: &'data mut [T],
}

impl<'data, T> ChunksExactMut<'data, T> {
    pub(crate) fn new(slice: &'data mut [T], size: usize) -> Self {
        let (slice, rest) = slice.split_at_mut(slice.len() - slice.len() % size);
        ChunksExactMut { size, slice, rest }
    }

    /// What is left over, for those who do not want the pieces.
    ///
    /// ```
    /// use filch::prelude::*;
    ///
    /// let mut samples = [1, 2, 3, 4, 5];
    /// samples.par_chunks_exact_mut(2).into_remainder().fill(0);
    /// assert_eq!(samples, [1, 2, 3, 4, 0]);
    /// ```
    pub fn into_remainder(self) -> &'data mut [T] {
        self.rest
    }

    /// What is left over: fewer elements than a piece has, from the slice's end.
    ///
    /// ```
    /// use filch::prelude::*;
    ///
    /// let mut samples = [1, 2, 3, 4, 5];
    /// let mut pairs = samples.par_chunks_exact_mut(2);
    /// pairs.remainder()[0] = 0;
    /// pairs.for_each(|pair| pair.swap(0, 1));
    /// assert_eq!(samples, [2, 1, 4, 3, 0]);
    /// ```
    pub fn remainder(&mut self) -> &mut [T] {
        self.rest
    }

    /// What is left over; after that, nothing.
    ///
    /// ```
    /// use filch::prelude::*;
    ///
    /// let mut samples = [1, 2, 3, 4, 5];
    /// let mut pairs = samples.par_chunks_exact_mut(2);
    /// let rest = pairs.take_remainder();
    /// // It is a slice of its own, and can be used while the pieces are.
    /// filch::join(|| pairs.for_each(|pair| pair.swap(0, 1)), || rest.fill(0));
    /// assert_eq!(samples, [2, 1, 4, 3, 0]);
    /// ```
    pub fn take_remainder(&mut self) -> &'data mut [T] {
        std::mem::take(&mut self.rest)
    }
}

counted! {
    impl['data, T: Send] ChunksExactMut<'data, T> => &'data mut [T],
    len: |it| it.slice.len() / it.size,
    producer: |it| ChunksExactMutProducer { size: it.size, slice: it.slice },
}

struct ChunksExactMutProducer<'data, T> {
    size: usize,
    slice: &'data mut [T],
}

impl<'data, T: Send> Producer for ChunksExactMutProducer<'data, T> {
    type Item = &'data mut [T];
    type IntoIter = slice::ChunksExactMut<'data, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.slice.chunks_exact_mut(self.size)
    }

    fn split_at(self, index: usize) -> (Self, Self) {
        let at = index * self.size;
        let (left, right) = self.slice.split_at_mut(at);
        (ChunksExactMutProducer { slice: left, ..self }, ChunksExactMutProducer { slice: right, ..self })
    }
}
