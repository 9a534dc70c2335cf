//! `chunks`, and the producer that `fold_chunks` and `fold_chunks_with` share with it.

use crate::par::bridge::bridge;
use crate::par::indexed::IndexedParallelIterator;
use crate::par::iter::ParallelIterator;
use crate::par::place::Place;
use crate::par::plumbing::{Consumer, Owners, Producer, ProducerCallback};

/// Made by [`chunks`](IndexedParallelIterator::chunks).
#[derive(Clone, Debug)]
#[must_use = "parallel iterators do nothing until they are consumed"]
pub struct Chunks<I> {
    base: I,
    chunk_size: usize,
}

impl<I> Chunks<I> {
    #[track_caller]
    pub(crate) fn new(base: I, chunk_size: usize) -> Self {
        assert!(chunk_size != 0, "chunk_size must not be zero");
        Chunks { base, chunk_size }
    }
}

impl<I: IndexedParallelIterator> ParallelIterator for Chunks<I> {
    type Item = Vec<I::Item>;

    fn drive<C: Consumer<Vec<I::Item>>>(self, consumer: C, place: Place) -> C::Result {
        bridge(self, consumer, place)
    }

    fn opt_len(&self) -> Option<usize> {
        Some(self.len())
    }
}

impl<I: IndexedParallelIterator> IndexedParallelIterator for Chunks<I> {
    fn len(&self) -> usize {
        self.base.len().div_ceil(self.chunk_size)
    }

    fn with_producer<CB: ProducerCallback<Vec<I::Item>>>(self, callback: CB) -> CB::Output {
        struct Callback<CB> {
            len: usize,
            chunk_size: usize,
            callback: CB,
        }
        impl<T, CB: ProducerCallback<Vec<T>>> ProducerCallback<T> for Callback<CB> {
            type Output = CB::Output;

            fn callback<P: Producer<Item = T>>(self, base: P) -> CB::Output {
                let make = |chunk: P::IntoIter, _: bool| chunk.collect::<Vec<T>>();
                self.callback.callback(ChunksProducer::new(base, self.len, self.chunk_size, make))
            }
        }
        let len = self.base.len();
        self.base.with_producer(Callback { len, chunk_size: self.chunk_size, callback })
    }
}

/// Cuts a producer into chunks, of each of which `make` makes an item. It is told whether it will not be called again:
/// then it may give away what it has kept for copying.
pub(crate) struct ChunksProducer<P, M> {
    base: P,
    /// Of the base.
    len: usize,
    chunk_size: usize,
    /// Not copied for a piece without items, so there are as many copies as there are cuts.
    make: Option<M>,
}

impl<P, M> ChunksProducer<P, M> {
    pub(crate) fn new(base: P, len: usize, chunk_size: usize, make: M) -> Self {
        ChunksProducer { base, len, chunk_size, make: Some(make) }
    }
}

impl<T, P, M> Producer for ChunksProducer<P, M>
where
    P: Producer,
    M: FnMut(P::IntoIter, bool) -> T + Clone + Send,
{
    type Item = T;
    type IntoIter = ChunksIter<P, M>;
    const OWNED: bool = P::OWNED;

    fn into_iter(self) -> Self::IntoIter {
        let ChunksProducer { base, len, chunk_size, make } = self;
        let rest = make.filter(|_| len > 0).map(|make| (base, make));
        ChunksIter { rest, len, chunk_size }
    }

    fn min_len(&self) -> usize {
        self.base.min_len().div_ceil(self.chunk_size)
    }

    fn max_len(&self) -> usize {
        (self.base.max_len() / self.chunk_size).max(1)
    }

    fn owners(&self) -> Option<&Owners> {
        self.base.owners()
    }

    fn split_at(self, index: usize) -> (Self, Self) {
        let ChunksProducer { base, len, chunk_size, make } = self;
        // The last chunk may be a shorter one.
        let middle = index.saturating_mul(chunk_size).min(len);
        let (base, rest) = base.split_at(middle);
        let (make, make_rest) = match middle {
            0 => (None, make),
            _ if middle == len => (make, None),
            _ => (make.clone(), make),
        };
        let left = ChunksProducer { base, len: middle, chunk_size, make };
        (left, ChunksProducer { base: rest, len: len - middle, chunk_size, make: make_rest })
    }
}

pub(crate) struct ChunksIter<P, M> {
    /// Present as long as there are items.
    rest: Option<(P, M)>,
    len: usize,
    chunk_size: usize,
}

impl<T, P, M> Iterator for ChunksIter<P, M>
where
    P: Producer,
    M: FnMut(P::IntoIter, bool) -> T,
{
    type Item = T;

    fn next(&mut self) -> Option<T> {
        let (rest, mut make) = self.rest.take()?;
        if self.len <= self.chunk_size {
            self.len = 0;
            return Some(make(rest.into_iter(), true));
        }
        let (chunk, rest) = rest.split_at(self.chunk_size);
        self.len -= self.chunk_size;
        let item = make(chunk.into_iter(), false);
        self.rest = Some((rest, make));
        Some(item)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let chunks = self.len.div_ceil(self.chunk_size);
        (chunks, Some(chunks))
    }
}

impl<T, P, M> DoubleEndedIterator for ChunksIter<P, M>
where
    P: Producer,
    M: FnMut(P::IntoIter, bool) -> T,
{
    fn next_back(&mut self) -> Option<T> {
        let (rest, mut make) = self.rest.take()?;
        if self.len <= self.chunk_size {
            self.len = 0;
            return Some(make(rest.into_iter(), true));
        }
        // All chunks but the last are whole.
        self.len = (self.len - 1) / self.chunk_size * self.chunk_size;
        let (rest, chunk) = rest.split_at(self.len);
        let item = make(chunk.into_iter(), false);
        self.rest = Some((rest, make));
        Some(item)
    }
}

impl<T, P, M> ExactSizeIterator for ChunksIter<P, M>
where
    P: Producer,
    M: FnMut(P::IntoIter, bool) -> T,
{
}
