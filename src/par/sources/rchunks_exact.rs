//! `par_rchunks_exact`: pieces of the same length, from the end of the slice on, without what is left over.

use std::slice;

use crate::par::plumbing::Producer;

/// Made by [`par_rchunks_exact`](crate::slice::ParallelSlice::par_rchunks_exact).
#[derive(Debug)]
#[must_use = "parallel iterators do nothing until they are consumed"]
pub struct RChunksExact<'data, T> {
    size: usize,
    slice: &'data [T],
    rest: &'data [T],
}

impl<T> Clone for RChunksExact<'_, T> {
    fn clone(&self) -> Self {
        RChunksExact { ..*self }
    }
}

impl<'data, T> RChunksExact<'data, T> {
    pub(crate) fn new(slice: &'data [T], size: usize) -> Self {
        let (rest, slice) = slice.split_at(slice.len() % size);
        RChunksExact { size, slice, rest }
    }

    /// What is left over: fewer elements than a piece has, from the slice's beginning.
    ///
    /// ```
    /// use filch::prelude::*;
    ///
    /// // Digits in groups of three, counted from the right.
    /// let digits = [1, 2, 3, 4, 5, 6, 7];
    /// let groups = digits.par_rchunks_exact(3);
    /// assert_eq!(groups.remainder(), [1]);
    /// assert_eq!(groups.collect::<Vec<_>>(), [[5, 6, 7], [2, 3, 4]]);
    /// ```
    pub fn remainder(&self) -> &'data [T] {
        self.rest
    }
}

counted! {
    impl['data, T: Sync] RChunksExact<'data, T> => &'data [T],
    len: |it| it.slice.len() / it.size,
    producer: |it| RChunksExactProducer { size: it.size, slice: it.slice },
}

struct RChunksExactProducer<'data, T> {
    size: usize,
    slice: &'data [T],
}

impl<'data, T: Sync> Producer for RChunksExactProducer<'data, T> {
    type Item = &'data [T];
    type IntoIter = slice::RChunksExact<'data, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.slice.rchunks_exact(self.size)
    }

    fn split_at(self, index: usize) -> (Self, Self) {
        let at = self.slice.len() - index * self.size;
        let (right, left) = self.slice.split_at(at);
        (RChunksExactProducer { slice: left, ..self }, RChunksExactProducer { slice: right, ..self })
    }
}

/// Made by [`par_rchunks_exact_mut`](crate::slice::ParallelSliceMut::par_rchunks_exact_mut).
#[derive(Debug)]
#[must_use = "parallel iterators do nothing until they are consumed"]
pub struct RChunksExactMut<'data, T> {
    size: usize,
    slice: &'data mut [T],
    rest: &'data mut [T],
}

impl<'data, T> RChunksExactMut<'data, T> {
    pub(crate) fn new(slice: &'data mut [T], size: usize) -> Self {
        let (rest, slice) = slice.split_at_mut(slice.len() % size);
        RChunksExactMut { size, slice, rest }
    }

    /// What is left over, for those who do not want the pieces.
    ///
    /// ```
    /// use filch::prelude::*;
    ///
    /// let mut samples = [1, 2, 3, 4, 5];
    /// samples.par_rchunks_exact_mut(2).into_remainder().fill(0);
    /// assert_eq!(samples, [0, 2, 3, 4, 5]);
    /// ```
    pub fn into_remainder(self) -> &'data mut [T] {
        self.rest
    }

    /// What is left over: fewer elements than a piece has, from the slice's beginning.
    ///
    /// ```
    /// use filch::prelude::*;
    ///
    /// let mut samples = [1, 2, 3, 4, 5];
    /// let mut pairs = samples.par_rchunks_exact_mut(2);
    /// pairs.remainder()[0] = 0;
    /// pairs.for_each(|pair| pair.swap(0, 1));
    /// assert_eq!(samples, [0, 3, 2, 5, 4]);
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
    /// let mut pairs = samples.par_rchunks_exact_mut(2);
    /// let rest = pairs.take_remainder();
    /// // It is a slice of its own, and can be used while the pieces are.
    /// filch::join(|| pairs.for_each(|pair| pair.swap(0, 1)), || rest.fill(0));
    /// assert_eq!(samples, [0, 3, 2, 5, 4]);
    /// ```
    pub fn take_remainder(&mut self) -> &'data mut [T] {
        std::mem::take(&mut self.rest)
    }
}

counted! {
    impl['data, T: Send] RChunksExactMut<'data, T> => &'data mut [T],
    len: |it| it.slice.len() / it.size,
    producer: |it| RChunksExactMutProducer { size: it.size, slice: it.slice },
}

struct RChunksExactMutProducer<'data, T> {
    size: usize,
    slice: &'data mut [T],
}

impl<'data, T: Send> Producer for RChunksExactMutProducer<'data, T> {
    type Item = &'data mut [T];
    type IntoIter = slice::RChunksExactMut<'data, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.slice.rchunks_exact_mut(self.size)
    }

    fn split_at(self, index: usize) -> (Self, Self) {
        let at = self.slice.len() - index * self.size;
        let (right, left) = self.slice.split_at_mut(at);
        (RChunksExactMutProducer { slice: left, ..self }, RChunksExactMutProducer { slice: right, ..self })
    }
}
