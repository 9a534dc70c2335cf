//! `fold_chunks_with`.

use std::fmt;

use crate::par::adapters::chunks::ChunksProducer;
use crate::par::bridge::bridge;
use crate::par::indexed::IndexedParallelIterator;
use crate::par::iter::ParallelIterator;
use crate::par::place::Place;
use crate::par::plumbing::{Consumer, Producer, ProducerCallback};

/// Made by [`fold_chunks_with`](IndexedParallelIterator::fold_chunks_with).
#[derive(Clone)]
#[must_use = "parallel iterators do nothing until they are consumed"]
pub struct FoldChunksWith<I, U, F> {
    base: I,
    chunk_size: usize,
    init: U,
    fold_op: F,
}

impl<I, U, F> FoldChunksWith<I, U, F> {
    #[track_caller]
    pub(crate) fn new(base: I, chunk_size: usize, init: U, fold_op: F) -> Self {
        assert!(chunk_size != 0, "chunk_size must not be zero");
        FoldChunksWith { base, chunk_size, init, fold_op }
    }
}

impl<I: fmt::Debug, U: fmt::Debug, F> fmt::Debug for FoldChunksWith<I, U, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("FoldChunksWith");
        debug.field("base", &self.base).field("chunk_size", &self.chunk_size).field("init", &self.init);
        debug.finish_non_exhaustive()
    }
}

impl<I, U, F> ParallelIterator for FoldChunksWith<I, U, F>
where
    I: IndexedParallelIterator,
    U: Send + Clone,
    F: Fn(U, I::Item) -> U + Send + Sync,
{
    type Item = U;

    fn drive<C: Consumer<U>>(self, consumer: C, place: Place) -> C::Result {
        bridge(self, consumer, place)
    }

    fn opt_len(&self) -> Option<usize> {
        Some(self.len())
    }
}

impl<I, U, F> IndexedParallelIterator for FoldChunksWith<I, U, F>
where
    I: IndexedParallelIterator,
    U: Send + Clone,
    F: Fn(U, I::Item) -> U + Send + Sync,
{
    fn len(&self) -> usize {
        self.base.len().div_ceil(self.chunk_size)
    }

    fn with_producer<CB: ProducerCallback<U>>(self, callback: CB) -> CB::Output {
        let FoldChunksWith { base, chunk_size, init, fold_op } = self;
        let len = base.len();
        base.with_producer(Callback { len, chunk_size, init, fold_op, callback })
    }
}

struct Callback<CB, U, F> {
    len: usize,
    chunk_size: usize,
    init: U,
    fold_op: F,
    callback: CB,
}

impl<T, U, CB, F> ProducerCallback<T> for Callback<CB, U, F>
where
    CB: ProducerCallback<U>,
    U: Send + Clone,
    F: Fn(U, T) -> U + Send + Sync,
{
    type Output = CB::Output;

    fn callback<P: Producer<Item = T>>(self, base: P) -> CB::Output {
        let fold_op = &self.fold_op;
        // Each piece has one of its own, which the last of its chunks takes: so however the loop is split, there are as
        // many as there are chunks.
        let mut init = Some(self.init);
        let make = move |chunk: P::IntoIter, last: bool| {
            let init = if last { init.take() } else { init.clone() };
            chunk.fold(init.expect("no chunk follows the last one"), fold_op)
        };
        self.callback.callback(ChunksProducer::new(base, self.len, self.chunk_size, make))
    }
}
