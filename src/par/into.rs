//! The traits around [`ParallelIterator`]: what becomes one, and what one becomes.

use crate::par::iter::ParallelIterator;
use std::ops::RangeBounds;

/// What becomes a parallel iterator.
///
/// As in rayon, every parallel iterator does.
///
/// ```
/// use filch::prelude::*;
///
/// let total: i32 = vec![1, 2, 3].into_par_iter().sum();
/// assert_eq!(total, 6);
/// ```
pub trait IntoParallelIterator {
    /// The iterator.
    type Iter: ParallelIterator<Item = Self::Item>;

    /// What it yields.
    type Item: Send;

    /// Becomes a parallel iterator.
    fn into_par_iter(self) -> Self::Iter;
}

impl<T: ParallelIterator> IntoParallelIterator for T {
    type Iter = T;
    type Item = T::Item;

    fn into_par_iter(self) -> T {
        self
    }
}

/// What has a parallel iterator over references.
///
/// Implemented for every type whose shared reference is [`IntoParallelIterator`].
///
/// ```
/// use filch::prelude::*;
///
/// let most = [3, 1, 4].par_iter().max();
/// assert_eq!(most, Some(&4));
/// ```
pub trait IntoParallelRefIterator<'data> {
    /// The iterator.
    type Iter: ParallelIterator<Item = Self::Item>;

    /// What it yields: references, mostly.
    type Item: Send + 'data;

    /// Iterates over references.
    fn par_iter(&'data self) -> Self::Iter;
}

impl<'data, I: 'data + ?Sized> IntoParallelRefIterator<'data> for I
where
    &'data I: IntoParallelIterator,
{
    type Iter = <&'data I as IntoParallelIterator>::Iter;
    type Item = <&'data I as IntoParallelIterator>::Item;

    fn par_iter(&'data self) -> Self::Iter {
        self.into_par_iter()
    }
}

/// What has a parallel iterator over mutable references.
///
/// Implemented for every type whose mutable reference is [`IntoParallelIterator`].
///
/// ```
/// use filch::prelude::*;
///
/// let mut numbers = [1, 2, 3];
/// numbers.par_iter_mut().for_each(|n| *n *= 2);
/// assert_eq!(numbers, [2, 4, 6]);
/// ```
pub trait IntoParallelRefMutIterator<'data> {
    /// The iterator.
    type Iter: ParallelIterator<Item = Self::Item>;

    /// What it yields: mutable references, mostly.
    type Item: Send + 'data;

    /// Iterates over mutable references.
    fn par_iter_mut(&'data mut self) -> Self::Iter;
}

impl<'data, I: 'data + ?Sized> IntoParallelRefMutIterator<'data> for I
where
    &'data mut I: IntoParallelIterator,
{
    type Iter = <&'data mut I as IntoParallelIterator>::Iter;
    type Item = <&'data mut I as IntoParallelIterator>::Item;

    fn par_iter_mut(&'data mut self) -> Self::Iter {
        self.into_par_iter()
    }
}

/// What can be made of a parallel iterator: see [`ParallelIterator::collect`].
pub trait FromParallelIterator<T: Send> {
    /// Collects the items.
    fn from_par_iter<I: IntoParallelIterator<Item = T>>(par_iter: I) -> Self;
}

/// What can take in the items of a parallel iterator.
///
/// ```
/// use filch::prelude::*;
///
/// let mut numbers = vec![1];
/// numbers.par_extend(2..5);
/// assert_eq!(numbers, [1, 2, 3, 4]);
/// ```
pub trait ParallelExtend<T: Send> {
    /// Takes in the items, where there is an order in that order.
    fn par_extend<I: IntoParallelIterator<Item = T>>(&mut self, par_iter: I);
}

/// What can be emptied in parallel.
pub trait ParallelDrainFull {
    /// The iterator.
    type Iter: ParallelIterator<Item = Self::Item>;

    /// What it yields.
    type Item: Send;

    /// Takes all items out; the collection keeps its memory. Items that the loop does not get to are dropped.
    fn par_drain(self) -> Self::Iter;
}

/// What can be emptied in parallel between two indexes.
pub trait ParallelDrainRange<Idx = usize> {
    /// The iterator.
    type Iter: ParallelIterator<Item = Self::Item>;

    /// What it yields.
    type Item: Send;

    /// Takes the items of a range out. Items that the loop does not get to are dropped.
    ///
    /// # Panics
    /// If the range is not inside of the collection.
    fn par_drain<R: RangeBounds<Idx>>(self, range: R) -> Self::Iter;
}
