//! `step_by`.

use std::iter;

use crate::par::bridge::bridge;
use crate::par::indexed::IndexedParallelIterator;
use crate::par::iter::ParallelIterator;
use crate::par::place::Place;
use crate::par::plumbing::{Consumer, Owners, Producer, ProducerCallback};

/// Made by [`step_by`](IndexedParallelIterator::step_by).
#[derive(Clone, Debug)]
#[must_use = "parallel iterators do nothing until they are consumed"]
pub struct StepBy<I> {
    base: I,
    step: usize,
}

impl<I> StepBy<I> {
    #[track_caller]
    pub(crate) fn new(base: I, step: usize) -> Self {
        assert!(step != 0, "step must not be zero");
        StepBy { base, step }
    }
}

impl<I: IndexedParallelIterator> ParallelIterator for StepBy<I> {
    type Item = I::Item;

    fn drive<C: Consumer<I::Item>>(self, consumer: C, place: Place) -> C::Result {
        bridge(self, consumer, place)
    }

    fn opt_len(&self) -> Option<usize> {
        Some(self.len())
    }
}

impl<I: IndexedParallelIterator> IndexedParallelIterator for StepBy<I> {
    fn len(&self) -> usize {
        self.base.len().div_ceil(self.step)
    }

    fn with_producer<CB: ProducerCallback<I::Item>>(self, callback: CB) -> CB::Output {
        struct Callback<CB> {
            len: usize,
            step: usize,
            callback: CB,
        }
        impl<T, CB: ProducerCallback<T>> ProducerCallback<T> for Callback<CB> {
            type Output = CB::Output;

            fn callback<P: Producer<Item = T>>(self, base: P) -> CB::Output {
                self.callback.callback(StepByProducer { base, len: self.len, step: self.step })
            }
        }
        let len = self.base.len();
        // A step that leads out is as good as any other. The standard library's `StepBy` of a `StepBy` takes very
        // long for steps whose product overflows.
        let step = self.step.min(len.max(1));
        self.base.with_producer(Callback { len, step, callback })
    }
}

struct StepByProducer<P> {
    base: P,
    /// Of the base.
    len: usize,
    step: usize,
}

impl<P: Producer> Producer for StepByProducer<P> {
    type Item = P::Item;
    type IntoIter = iter::StepBy<P::IntoIter>;
    const OWNED: bool = P::OWNED;

    #[inline]
    fn into_iter(self) -> Self::IntoIter {
        self.base.into_iter().step_by(self.step)
    }

    fn min_len(&self) -> usize {
        self.base.min_len().div_ceil(self.step)
    }

    fn max_len(&self) -> usize {
        (self.base.max_len() / self.step).max(1)
    }

    fn owners(&self) -> Option<&Owners> {
        self.base.owners()
    }

    fn split_at(self, index: usize) -> (Self, Self) {
        let StepByProducer { base, len, step } = self;
        // Behind the last item there may be less than a step.
        let middle = index.saturating_mul(step).min(len);
        let (base, rest) = base.split_at(middle);
        (StepByProducer { base, len: middle, step }, StepByProducer { base: rest, len: len - middle, step })
    }
}
