//! `product`.
//!
//! The standard library's [`Product`] does the work: for the items of a block, and again for the results of two blocks.

use std::iter::{self, Product};
use std::marker::PhantomData;

use crate::par::iter::ParallelIterator;
use crate::par::place::Place;
use crate::par::plumbing::{Consumer, Folder};

pub(crate) fn product<I, S>(iter: I) -> S
where
    I: ParallelIterator,
    S: Send + Product<I::Item> + Product<S>,
{
    iter.drive(ProductConsumer(PhantomData), Place::whole())
}

fn both<S: Product<S>>(left: S, right: S) -> S {
    [left, right].into_iter().product()
}

struct ProductConsumer<S>(PhantomData<fn() -> S>);

impl<S> Copy for ProductConsumer<S> {}

impl<S> Clone for ProductConsumer<S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T, S: Send + Product<T> + Product<S>> Consumer<T> for ProductConsumer<S> {
    type Folder = ProductFolder<S>;
    type Result = S;

    fn into_folder(self, _: Place) -> ProductFolder<S> {
        ProductFolder(None)
    }

    fn reduce(self, left: S, right: S) -> S {
        both(left, right)
    }
}

/// What the items so far come to, once there is one.
struct ProductFolder<S>(Option<S>);

impl<S: Product<S>> ProductFolder<S> {
    #[inline]
    fn and(self, more: S) -> Self {
        ProductFolder(Some(match self.0 {
            Some(so_far) => both(so_far, more),
            None => more,
        }))
    }
}

impl<T, S: Product<T> + Product<S>> Folder<T> for ProductFolder<S> {
    type Result = S;

    #[inline]
    fn consume(self, item: T) -> Self {
        self.and(iter::once(item).product())
    }

    #[inline]
    fn consume_iter<I: IntoIterator<Item = T>>(self, iter: I) -> Self {
        self.and(iter.into_iter().product())
    }

    fn complete(self) -> S {
        self.0.unwrap_or_else(|| iter::empty::<T>().product())
    }
}
