//! `split`: pieces of anything that can be split.

use std::fmt;

use crate::par::bridge::bridge_unindexed;
use crate::par::iter::ParallelIterator;
use crate::par::place::Place;
use crate::par::plumbing::{Consumer, Folder, UnindexedProducer};

/// A parallel iterator over pieces of `data`.
///
/// `splitter` makes two of one, or gives it back with `None` if it is not to be split further. How many pieces there
/// will be is not said: one that is not split, because no thread is in need of work, is an item as it is.
///
/// ```
/// use filch::prelude::*;
/// use std::ops::Range;
///
/// fn halves(range: Range<u64>) -> (Range<u64>, Option<Range<u64>>) {
///     let middle = range.start + (range.end - range.start) / 2;
///     if middle == range.start { (range, None) } else { (range.start..middle, Some(middle..range.end)) }
/// }
/// let sum: u64 = filch::iter::split(0..1000, halves).map(|range| range.sum::<u64>()).sum();
/// assert_eq!(sum, 499_500);
/// ```
pub fn split<D, S>(data: D, splitter: S) -> Split<D, S>
where
    D: Send,
    S: Fn(D) -> (D, Option<D>) + Sync,
{
    Split { data, splitter }
}

/// Made by [`split`].
#[derive(Clone)]
#[must_use = "parallel iterators do nothing until they are consumed"]
pub struct Split<D, S> {
    data: D,
    splitter: S,
}

impl<D: fmt::Debug, S> fmt::Debug for Split<D, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Split").field("data", &self.data).finish_non_exhaustive()
    }
}

impl<D, S> ParallelIterator for Split<D, S>
where
    D: Send,
    S: Fn(D) -> (D, Option<D>) + Sync + Send,
{
    type Item = D;

    fn drive<C: Consumer<D>>(self, consumer: C, place: Place) -> C::Result {
        bridge_unindexed(SplitProducer { data: self.data, splitter: &self.splitter }, consumer, place)
    }
}

struct SplitProducer<'s, D, S> {
    data: D,
    splitter: &'s S,
}

impl<D, S> UnindexedProducer for SplitProducer<'_, D, S>
where
    D: Send,
    S: Fn(D) -> (D, Option<D>) + Sync,
{
    type Item = D;

    fn split(self) -> (Self, Option<Self>) {
        let splitter = self.splitter;
        let (left, right) = splitter(self.data);
        (SplitProducer { data: left, splitter }, right.map(|data| SplitProducer { data, splitter }))
    }

    fn fold_with<F: Folder<D>>(self, folder: F) -> F {
        folder.consume(self.data)
    }
}
