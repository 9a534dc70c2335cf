//! `sum`.
//!
//! The standard library's [`Sum`] does the work: for the items of a block, and again for the results of two blocks.

use std::iter::{self, Sum};
use std::marker::PhantomData;

use crate::par::iter::ParallelIterator;
use crate::par::place::Place;
use crate::par::plumbing::{Consumer, Folder};

pub(crate) fn sum<I, S>(iter: I) -> S
where
    I: ParallelIterator,
    S: Send + Sum<I::Item> + Sum<S>,
{
    iter.drive(SumConsumer(PhantomData), Place::whole())
}

fn both<S: Sum<S>>(left: S, right: S) -> S {
    [left, right].into_iter().sum()
}

struct SumConsumer<S>(PhantomData<fn() -> S>);

impl<S> Copy for SumConsumer<S> {}

impl<S> Clone for SumConsumer<S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T, S: Send + Sum<T> + Sum<S>> Consumer<T> for SumConsumer<S> {
    type Folder = SumFolder<S>;
    type Result = S;

    fn into_folder(self, _: Place) -> SumFolder<S> {
        SumFolder(None)
    }

    fn reduce(self, left: S, right: S) -> S {
        both(left, right)
    }
}

/// What the items so far come to, once there is one.
struct SumFolder<S>(Option<S>);

impl<S: Sum<S>> SumFolder<S> {
    #[inline]
    fn and(self, more: S) -> Self {
        SumFolder(Some(match self.0 {
            Some(so_far) => both(so_far, more),
            None => more,
        }))
    }
}

impl<T, S: Sum<T> + Sum<S>> Folder<T> for SumFolder<S> {
    type Result = S;

    #[inline]
    fn consume(self, item: T) -> Self {
        self.and(iter::once(item).sum())
    }

    #[inline]
    fn consume_iter<I: IntoIterator<Item = T>>(self, iter: I) -> Self {
        self.and(iter.into_iter().sum())
    }

    fn complete(self) -> S {
        self.0.unwrap_or_else(|| iter::empty::<T>().sum())
    }
}
