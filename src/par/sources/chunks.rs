//! `par_chunks`: pieces of the same length.

use std::slice;

use crate::par::plumbing::Producer;

/// Made by [`par_chunks`](crate::slice::ParallelSlice::par_chunks).
#[derive(Debug)]
#[must_use = "parallel iterators do nothing until they are consumed"]
pub struct Chunks<'data, T> {
    size: usize,
    slice: &'data [T],
}

impl<T> Clone for Chunks<'_, T> {
    fn clone(&self) -> Self {
        Chunks { ..*self }
    }
}

impl<'data, T> Chunks<'data, T> {
    pub(crate) fn new(slice: &'data [T], size: usize) -> Self {
        Chunks { size, slice }
    }
}

counted! {
    impl['data, T: Sync] Chunks<'data, T> => &'data [T],
    len: |it| it.slice.len().div_ceil(it.size),
    producer: |it| ChunksProducer { size: it.size, slice: it.slice },
}

struct ChunksProducer<'data, T> {
    size: usize,
    slice: &'data [T],
}

impl<'data, T: Sync> Producer for ChunksProducer<'data, T> {
    type Item = &'data [T];
    type IntoIter = slice::Chunks<'data, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.slice.chunks(self.size)
    }

    fn split_at(self, index: usize) -> (Self, Self) {
        // The last piece may be shorter.
        let at = index.saturating_mul(self.size).min(self.slice.len());
        let (left, right) = self.slice.split_at(at);
        (ChunksProducer { slice: left, ..self }, ChunksProducer { slice: right, ..self })
    }
}

/// Made by [`par_chunks_mut`](crate::slice::ParallelSliceMut::par_chunks_mut).
#[derive(Debug)]
#[must_use = "parallel iterators do nothing until they are consumed"]
pub struct ChunksMut<'data, T> {
    size: usize,
    slice: &'data mut [T],
}

impl<'data, T> ChunksMut<'data, T> {
    pub(crate) fn new(slice: &'data mut [T], size: usize) -> Self {
        ChunksMut { size, slice }
    }
}

counted! {
    impl['data, T: Send] ChunksMut<'data, T> => &'data mut [T],
    len: |it| it.slice.len().div_ceil(it.size),
    producer: |it| ChunksMutProducer { size: it.size, slice: it.slice },
}

struct ChunksMutProducer<'data, T> {
    size: usize,
    slice: &'data mut [T],
}

impl<'data, T: Send> Producer for ChunksMutProducer<'data, T> {
    type Item = &'data mut [T];
    type IntoIter = slice::ChunksMut<'data, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.slice.chunks_mut(self.size)
    }

    fn split_at(self, index: usize) -> (Self, Self) {
        // The last piece may be shorter.
        let at = index.saturating_mul(self.size).min(self.slice.len());
        let (left, right) = self.slice.split_at_mut(at);
        (ChunksMutProducer { slice: left, ..self }, ChunksMutProducer { slice: right, ..self })
    }
}
