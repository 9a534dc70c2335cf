//! `par_rchunks`: pieces of the same length, from the end of the slice on.

use std::slice;

use crate::par::plumbing::Producer;

/// Made by [`par_rchunks`](crate::slice::ParallelSlice::par_rchunks).
#[derive(Debug)]
#[must_use = "parallel iterators do nothing until they are consumed"]
pub struct RChunks<'data, T> {
    size: usize,
    slice: &'data [T],
}

impl<T> Clone for RChunks<'_, T> {
    fn clone(&self) -> Self {
        RChunks { ..*self }
    }
}

impl<'data, T> RChunks<'data, T> {
    pub(crate) fn new(slice: &'data [T], size: usize) -> Self {
        RChunks { size, slice }
    }
}

counted! {
    impl['data, T: Sync] RChunks<'data, T> => &'data [T],
    len: |it| it.slice.len().div_ceil(it.size),
    producer: |it| RChunksProducer { size: it.size, slice: it.slice },
}

struct RChunksProducer<'data, T> {
    size: usize,
    slice: &'data [T],
}

impl<'data, T: Sync> Producer for RChunksProducer<'data, T> {
    type Item = &'data [T];
    type IntoIter = slice::RChunks<'data, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.slice.rchunks(self.size)
    }

    fn split_at(self, index: usize) -> (Self, Self) {
        // The last piece may be shorter.
        let at = self.slice.len().saturating_sub(index.saturating_mul(self.size));
        let (right, left) = self.slice.split_at(at);
        (RChunksProducer { slice: left, ..self }, RChunksProducer { slice: right, ..self })
    }
}

/// Made by [`par_rchunks_mut`](crate::slice::ParallelSliceMut::par_rchunks_mut).
#[derive(Debug)]
#[must_use = "parallel iterators do nothing until they are consumed"]
pub struct RChunksMut<'data, T> {
    size: usize,
    slice: &'data mut [T],
}

impl<'data, T> RChunksMut<'data, T> {
    pub(crate) fn new(slice: &'data mut [T], size: usize) -> Self {
        RChunksMut { size, slice }
    }
}

counted! {
    impl['data, T: Send] RChunksMut<'data, T> => &'data mut [T],
    len: |it| it.slice.len().div_ceil(it.size),
    producer: |it| RChunksMutProducer { size: it.size, slice: it.slice },
}

struct RChunksMutProducer<'data, T> {
    size: usize,
    slice: &'data mut [T],
}

impl<'data, T: Send> Producer for RChunksMutProducer<'data, T> {
    type Item = &'data mut [T];
    type IntoIter = slice::RChunksMut<'data, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.slice.rchunks_mut(self.size)
    }

    fn split_at(self, index: usize) -> (Self, Self) {
        // The last piece may be shorter.
        let at = self.slice.len().saturating_sub(index.saturating_mul(self.size));
        let (right, left) = self.slice.split_at_mut(at);
        (RChunksMutProducer { slice: left, ..self }, RChunksMutProducer { slice: right, ..self })
    }
}
