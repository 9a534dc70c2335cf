//! `by_exponential_blocks` and `by_uniform_blocks`: a loop as a row of loops, each parallel in itself.

use std::iter;

use crate::par::bridge::bridge_producer;
use crate::par::indexed::IndexedParallelIterator;
use crate::par::iter::ParallelIterator;
use crate::par::place::Place;
use crate::par::plumbing::{Consumer, Producer, ProducerCallback};
use crate::work::install::current_num_threads;

/// Made by [`by_exponential_blocks`](IndexedParallelIterator::by_exponential_blocks).
#[derive(Clone, Debug)]
#[must_use = "parallel iterators do nothing until they are consumed"]
pub struct ExponentialBlocks<I> {
    base: I,
}

impl<I> ExponentialBlocks<I> {
    pub(crate) fn new(base: I) -> Self {
        ExponentialBlocks { base }
    }
}

impl<I: IndexedParallelIterator> ParallelIterator for ExponentialBlocks<I> {
    type Item = I::Item;

    fn drive<C: Consumer<I::Item>>(self, consumer: C, place: Place) -> C::Result {
        let sizes = iter::successors(Some(current_num_threads()), |size| Some(size.saturating_mul(2)));
        drive_blocks(self.base, sizes, consumer, place)
    }
}

/// Made by [`by_uniform_blocks`](IndexedParallelIterator::by_uniform_blocks).
#[derive(Clone, Debug)]
#[must_use = "parallel iterators do nothing until they are consumed"]
pub struct UniformBlocks<I> {
    base: I,
    block_size: usize,
}

impl<I> UniformBlocks<I> {
    #[track_caller]
    pub(crate) fn new(base: I, block_size: usize) -> Self {
        assert!(block_size != 0, "block_size must not be zero");
        UniformBlocks { base, block_size }
    }
}

impl<I: IndexedParallelIterator> ParallelIterator for UniformBlocks<I> {
    type Item = I::Item;

    fn drive<C: Consumer<I::Item>>(self, consumer: C, place: Place) -> C::Result {
        drive_blocks(self.base, iter::repeat(self.block_size), consumer, place)
    }
}

fn drive_blocks<I, S, C>(base: I, sizes: S, consumer: C, place: Place) -> C::Result
where
    I: IndexedParallelIterator,
    S: Iterator<Item = usize>,
    C: Consumer<I::Item>,
{
    let len = base.len();
    base.with_producer(Callback { len, sizes, consumer, place: place.over(len) })
}

struct Callback<S, C> {
    len: usize,
    /// Without end.
    sizes: S,
    consumer: C,
    place: Place,
}

impl<T, S, C> ProducerCallback<T> for Callback<S, C>
where
    S: Iterator<Item = usize>,
    C: Consumer<T>,
{
    type Output = C::Result;

    fn callback<P: Producer<Item = T>>(self, mut producer: P) -> C::Result {
        let Callback { mut len, sizes, consumer, mut place } = self;
        let mut so_far = None;
        for size in sizes {
            if size >= len || consumer.full() {
                break;
            }
            let (block, rest) = producer.split_at(size);
            let (block_place, rest_place) = place.split_at(size);
            let result = bridge_producer(size, block, consumer, block_place);
            so_far = Some(match so_far {
                None => result,
                Some(before) => consumer.reduce(before, result),
            });
            (producer, place) = (rest, rest_place);
            len -= size;
        }
        match so_far {
            Some(before) if consumer.full() => before,
            Some(before) => consumer.reduce(before, bridge_producer(len, producer, consumer, place)),
            None => bridge_producer(len, producer, consumer, place),
        }
    }
}
