//! `fold_chunks`.

use std::fmt;

use crate::par::adapters::chunks::ChunksProducer;
use crate::par::bridge::bridge;
use crate::par::indexed::IndexedParallelIterator;
use crate::par::iter::ParallelIterator;
use crate::par::place::Place;
use crate::par::plumbing::{Consumer, Producer, ProducerCallback};

/// Made by [`fold_chunks`](IndexedParallelIterator::fold_chunks).
#[derive(Clone)]
#[must_use = "parallel iterators do nothing until they are consumed"]
pub struct FoldChunks<I, ID, F> {
    base: I,
    chunk_size: usize,
    identity: ID,
    fold_op: F,
}

impl<I, ID, F> FoldChunks<I, ID, F> {
    #[track_caller]
    pub(crate) fn new(base: I, chunk_size: usize, identity: ID, fold_op: F) -> Self {
        assert!(chunk_size != 0, "chunk_size must not be zero");
        FoldChunks { base, chunk_size, identity, fold_op }
    }
}

impl<I: fmt::Debug, ID, F> fmt::Debug for FoldChunks<I, ID, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("FoldChunks");
        debug.field("base", &self.base).field("chunk_size", &self.chunk_size).finish_non_exhaustive()
    }
}

impl<I, ID, U, F> ParallelIterator for FoldChunks<I, ID, F>
where
    I: IndexedParallelIterator,
    ID: Fn() -> U + Send + Sync,
    F: Fn(U, I::Item) -> U + Send + Sync,
    U: Send,
{
    type Item = U;

    fn drive<C: Consumer<U>>(self, consumer: C, place: Place) -> C::Result {
        bridge(self, consumer, place)
    }

    fn opt_len(&self) -> Option<usize> {
        Some(self.len())
    }
}

impl<I, ID, U, F> IndexedParallelIterator for FoldChunks<I, ID, F>
where
    I: IndexedParallelIterator,
    ID: Fn() -> U + Send + Sync,
    F: Fn(U, I::Item) -> U + Send + Sync,
    U: Send,
{
    fn len(&self) -> usize {
        self.base.len().div_ceil(self.chunk_size)
    }

    fn with_producer<CB: ProducerCallback<U>>(self, callback: CB) -> CB::Output {
        let FoldChunks { base, chunk_size, identity, fold_op } = self;
        let len = base.len();
        base.with_producer(Callback { len, chunk_size, identity, fold_op, callback })
    }
}

struct Callback<CB, ID, F> {
    len: usize,
    chunk_size: usize,
    identity: ID,
    fold_op: F,
    callback: CB,
}

impl<T, U, CB, ID, F> ProducerCallback<T> for Callback<CB, ID, F>
where
    CB: ProducerCallback<U>,
    ID: Fn() -> U + Send + Sync,
    F: Fn(U, T) -> U + Send + Sync,
{
    type Output = CB::Output;

    fn callback<P: Producer<Item = T>>(self, base: P) -> CB::Output {
        let (identity, fold_op) = (&self.identity, &self.fold_op);
        let make = move |chunk: P::IntoIter, _: bool| chunk.fold(identity(), fold_op);
        self.callback.callback(ChunksProducer::new(base, self.len, self.chunk_size, make))
    }
}
