//! `for_each_ordered`: a parallel loop whose results go to one place, in order, and are not all kept until then.
//!
//! On the [`belt`](super::belt), with the loop's producer as its source, of which block after block is cut off.

use crate::par::beyond::belt::{self, Source, Taken};
use crate::par::bridge::bridge_producer;
use crate::par::ends::fill;
use crate::par::indexed::IndexedParallelIterator;
use crate::par::iter::ParallelIterator;
use crate::par::place::Place;
use crate::par::plumbing::{Consumer, Producer, ProducerCallback};
use crate::par::tries::Try;

pub(crate) fn for_each<I, F>(iter: I, mut sink: F)
where
    I: IndexedParallelIterator,
    F: FnMut(I::Item) + Send,
{
    try_for_each(iter, |item| {
        sink(item);
        Some(())
    });
}

pub(crate) fn try_for_each<I, F, R>(iter: I, sink: F) -> R
where
    I: IndexedParallelIterator,
    F: FnMut(I::Item) -> R + Send,
    R: Try<Output = ()> + Send,
{
    struct Callback<F>(usize, F);
    impl<T, F, R> ProducerCallback<T> for Callback<F>
    where
        T: Send,
        F: FnMut(T) -> R + Send,
        R: Try<Output = ()> + Send,
    {
        type Output = R;

        fn callback<P: Producer<Item = T>>(self, producer: P) -> R {
            let make = |block: Block<P>, into: &mut Vec<T>| fill::replace(into, block);
            belt::run(Cut(Some(Block { producer, len: self.0 })), &make, self.1)
        }
    }
    let len = iter.len();
    iter.with_producer(Callback(len, sink))
}

/// What is left of a producer.
struct Cut<P>(Option<Block<P>>);

impl<P: Producer> Source for Cut<P> {
    type Block = Block<P>;

    fn take(&mut self, items: usize) -> Option<Taken<Block<P>>> {
        let Block { producer, len } = self.0.take().filter(|rest| rest.len > 0)?;
        if len <= items {
            return Some(Taken { block: Block { producer, len }, items: len, last: true });
        }
        let (front, back) = producer.split_at(items);
        self.0 = Some(Block { producer: back, len: len - items });
        Some(Taken { block: Block { producer: front, len: items }, items, last: false })
    }
}

/// A part of a producer as a parallel iterator.
struct Block<P> {
    producer: P,
    len: usize,
}

impl<P: Producer> ParallelIterator for Block<P>
where
    P::Item: Send,
{
    type Item = P::Item;

    fn drive<C: Consumer<P::Item>>(self, consumer: C, place: Place) -> C::Result {
        bridge_producer(self.len, self.producer, consumer, place)
    }

    fn opt_len(&self) -> Option<usize> {
        Some(self.len)
    }
}

impl<P: Producer> IndexedParallelIterator for Block<P>
where
    P::Item: Send,
{
    fn len(&self) -> usize {
        self.len
    }

    fn with_producer<CB: ProducerCallback<P::Item>>(self, callback: CB) -> CB::Output {
        callback.callback(self.producer)
    }
}
