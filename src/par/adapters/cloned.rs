//! `cloned` and `copied`: from references to values.

use crate::par::adapters::each::{Each, EachCallback, EachConsumer};
use crate::par::indexed::IndexedParallelIterator;
use crate::par::iter::ParallelIterator;
use crate::par::place::Place;
use crate::par::plumbing::{Consumer, ProducerCallback};

/// Made by [`cloned`](ParallelIterator::cloned).
#[derive(Clone, Debug)]
#[must_use = "parallel iterators do nothing until they are consumed"]
pub struct Cloned<I> {
    base: I,
}

impl<I> Cloned<I> {
    pub(crate) fn new(base: I) -> Self {
        Cloned { base }
    }
}

struct CloneIt;

impl<'a, T: Clone> Each<&'a T> for CloneIt {
    type Out = T;

    #[inline]
    fn each(&self, item: &'a T) -> T {
        item.clone()
    }
}

impl<'a, T, I> ParallelIterator for Cloned<I>
where
    I: ParallelIterator<Item = &'a T>,
    T: 'a + Clone + Send + Sync,
{
    type Item = T;

    fn drive<C: Consumer<T>>(self, consumer: C, place: Place) -> C::Result {
        self.base.drive(EachConsumer::new(consumer, &CloneIt), place)
    }

    fn opt_len(&self) -> Option<usize> {
        self.base.opt_len()
    }
}

impl<'a, T, I> IndexedParallelIterator for Cloned<I>
where
    I: IndexedParallelIterator<Item = &'a T>,
    T: 'a + Clone + Send + Sync,
{
    fn len(&self) -> usize {
        self.base.len()
    }

    fn with_producer<CB: ProducerCallback<T>>(self, callback: CB) -> CB::Output {
        self.base.with_producer(EachCallback::new(callback, CloneIt))
    }
}

/// Made by [`copied`](ParallelIterator::copied).
#[derive(Clone, Debug)]
#[must_use = "parallel iterators do nothing until they are consumed"]
pub struct Copied<I> {
    base: I,
}

impl<I> Copied<I> {
    pub(crate) fn new(base: I) -> Self {
        Copied { base }
    }
}

struct CopyIt;

impl<'a, T: Copy> Each<&'a T> for CopyIt {
    type Out = T;

    #[inline]
    fn each(&self, item: &'a T) -> T {
        *item
    }
}

impl<'a, T, I> ParallelIterator for Copied<I>
where
    I: ParallelIterator<Item = &'a T>,
    T: 'a + Copy + Send + Sync,
{
    type Item = T;

    fn drive<C: Consumer<T>>(self, consumer: C, place: Place) -> C::Result {
        self.base.drive(EachConsumer::new(consumer, &CopyIt), place)
    }

    fn opt_len(&self) -> Option<usize> {
        self.base.opt_len()
    }
}

impl<'a, T, I> IndexedParallelIterator for Copied<I>
where
    I: IndexedParallelIterator<Item = &'a T>,
    T: 'a + Copy + Send + Sync,
{
    fn len(&self) -> usize {
        self.base.len()
    }

    fn with_producer<CB: ProducerCallback<T>>(self, callback: CB) -> CB::Output {
        self.base.with_producer(EachCallback::new(callback, CopyIt))
    }
}
