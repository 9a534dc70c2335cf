//! [`Either`] of two: an iterator whose kind is chosen while the program runs.

use either::Either;

use crate::par::indexed::IndexedParallelIterator;
use crate::par::into::{IntoParallelIterator, ParallelExtend};
use crate::par::iter::ParallelIterator;
use crate::par::place::Place;
use crate::par::plumbing::{Consumer, ProducerCallback};

impl<L, R> ParallelIterator for Either<L, R>
where
    L: ParallelIterator,
    R: ParallelIterator<Item = L::Item>,
{
    type Item = L::Item;

    fn drive<C: Consumer<L::Item>>(self, consumer: C, place: Place) -> C::Result {
        match self {
            Either::Left(iter) => iter.drive(consumer, place),
            Either::Right(iter) => iter.drive(consumer, place),
        }
    }

    fn opt_len(&self) -> Option<usize> {
        match self {
            Either::Left(iter) => iter.opt_len(),
            Either::Right(iter) => iter.opt_len(),
        }
    }
}

impl<L, R> IndexedParallelIterator for Either<L, R>
where
    L: IndexedParallelIterator,
    R: IndexedParallelIterator<Item = L::Item>,
{
    fn len(&self) -> usize {
        match self {
            Either::Left(iter) => iter.len(),
            Either::Right(iter) => iter.len(),
        }
    }

    fn with_producer<CB: ProducerCallback<L::Item>>(self, callback: CB) -> CB::Output {
        match self {
            Either::Left(iter) => iter.with_producer(callback),
            Either::Right(iter) => iter.with_producer(callback),
        }
    }
}

/// Either of two collections takes the items in.
impl<L, R, T> ParallelExtend<T> for Either<L, R>
where
    L: ParallelExtend<T>,
    R: ParallelExtend<T>,
    T: Send,
{
    fn par_extend<I: IntoParallelIterator<Item = T>>(&mut self, par_iter: I) {
        match self {
            Either::Left(collection) => collection.par_extend(par_iter),
            Either::Right(collection) => collection.par_extend(par_iter),
        }
    }
}
