//! `for_each_ordered`: a parallel loop whose results go to one place, in order, and are not all kept until then.
//!
//! The loop runs in rounds. In each, one block of items is made in parallel, while the results of the block before go
//! to the sink, both as arms of a `join`. So there are two blocks at any time, nobody waits for a lock, and what may be
//! done inside of a `join` may be done in the loop and in the sink: loops, pools, panics. A block has as many items
//! as are made in about a millisecond.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use crate::par::bridge::bridge_producer;
use crate::par::ends::fill;
use crate::par::indexed::IndexedParallelIterator;
use crate::par::iter::ParallelIterator;
use crate::par::place::Place;
use crate::par::plumbing::{Consumer, Producer, ProducerCallback};
use crate::par::tries::Try;
use crate::work::install::current_num_threads;
use crate::work::join::join;

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
            rounds(producer, self.0, self.1)
        }
    }
    let len = iter.len();
    iter.with_producer(Callback(len, sink))
}

fn rounds<P, F, R>(producer: P, len: usize, mut sink: F) -> R
where
    P: Producer,
    P::Item: Send,
    F: FnMut(P::Item) -> R + Send,
    R: Try<Output = ()> + Send,
{
    let mut window = Window::new();
    let (mut ready, mut next) = (Vec::new(), Vec::new());
    let mut rest = Some((producer, len));
    while let Some((producer, left)) = rest.take() {
        let items = left.min(window.items());
        let block = if items < left {
            let (front, back) = producer.split_at(items);
            rest = Some((back, left - items));
            front
        } else {
            producer
        };
        let began = Instant::now();
        let make = || fill::replace(&mut next, Block { producer: block, len: items });
        if let ((), Err(stopped)) = join(make, || feed(&mut sink, &mut ready)) {
            return stopped;
        }
        window.learn(items, began.elapsed());
        std::mem::swap(&mut ready, &mut next);
    }
    feed(&mut sink, &mut ready).err().unwrap_or_else(|| R::from_output(()))
}

/// Empties `ready` into the sink. What the sink says if it wants no more is the error.
pub(crate) fn feed<T, R: Try<Output = ()>>(mut sink: impl FnMut(T) -> R, ready: &mut Vec<T>) -> Result<(), R> {
    for item in ready.drain(..) {
        if let ControlFlow::Break(residual) = sink(item).branch() {
            return Err(R::from_residual(residual));
        }
    }
    Ok(())
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

/// How many items make a round.
pub(crate) struct Window {
    items: usize,
    least: usize,
}

/// The most items of a round. Documented.
const MOST: usize = 8192;
/// A round should take about so long: much longer than to begin it, and short enough to keep its results in a cache.
const ROUND: Duration = Duration::from_millis(1);

impl Window {
    pub(crate) fn new() -> Self {
        let least = (4 * current_num_threads()).min(MOST);
        Window { items: least, least }
    }

    pub(crate) fn items(&self) -> usize {
        self.items
    }

    /// A round of `items` has taken `time`.
    pub(crate) fn learn(&mut self, items: usize, time: Duration) {
        if time < ROUND / 8 {
            self.items = (4 * items).clamp(self.least, MOST);
        } else if time < ROUND / 2 {
            self.items = (2 * items).clamp(self.least, MOST);
        } else if time > 2 * ROUND {
            self.items = (items / 2).clamp(self.least, MOST);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_grows_to_its_bound_and_shrinks_again() {
        let mut window = Window { items: 8, least: 8 };
        for _ in 0..20 {
            window.learn(window.items(), Duration::ZERO);
        }
        assert_eq!(window.items(), 8192);
        window.learn(8192, ROUND);
        assert_eq!(window.items(), 8192);
        for _ in 0..20 {
            window.learn(window.items(), 10 * ROUND);
        }
        assert_eq!(window.items(), 8);
        window.learn(8, ROUND / 4);
        assert_eq!(window.items(), 16);
        // A last round may be short.
        window.learn(1, Duration::ZERO);
        assert_eq!(window.items(), 8);
    }
}
