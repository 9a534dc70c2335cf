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
    pub fn into_remainder(self) -> &'data mut [T] {
        self.rest
    }

    /// What is left over: fewer elements than a piece has, from the slice's end.
    pub fn remainder(&mut self) -> &mut [T] {
        self.rest
    }

    /// What is left over; after that, nothing.
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
