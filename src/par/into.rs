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
    ///
    /// ```
    /// use filch::prelude::*;
    ///
    /// let words = vec!["so".to_owned(), "it".to_owned(), "goes".to_owned()];
    /// let lengths: Vec<usize> = words.into_par_iter().map(|word| word.len()).collect();
    /// assert_eq!(lengths, [2, 2, 4]);
    /// ```
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
    ///
    /// ```
    /// use filch::prelude::*;
    /// use std::collections::HashMap;
    ///
    /// let stock = HashMap::from([("nails", 800), ("screws", 0), ("nuts", 30)]);
    /// let lacking: Vec<&str> = stock.par_iter().filter(|(_, left)| **left == 0).map(|(name, _)| *name).collect();
    /// assert_eq!(lacking, ["screws"]);
    /// ```
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
    ///
    /// ```
    /// use filch::prelude::*;
    ///
    /// let mut words = ["a".to_owned(), "b".to_owned()];
    /// words.par_iter_mut().for_each(|word| word.push('!'));
    /// assert_eq!(words, ["a!", "b!"]);
    /// ```
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
///
/// ```
/// use filch::prelude::*;
///
/// /// How often each byte occurs.
/// struct Histogram([usize; 256]);
///
/// impl FromParallelIterator<u8> for Histogram {
///     fn from_par_iter<I: IntoParallelIterator<Item = u8>>(bytes: I) -> Self {
///         let count = |mut counts: [usize; 256], byte| {
///             counts[usize::from(byte)] += 1;
///             counts
///         };
///         let add = |mut left: [usize; 256], right: [usize; 256]| {
///             left.iter_mut().zip(right).for_each(|(left, right)| *left += right);
///             left
///         };
///         let parts = bytes.into_par_iter().fold(|| [0; 256], count);
///         Histogram(parts.reduce(|| [0; 256], add))
///     }
/// }
///
/// let Histogram(counts) = "abracadabra".par_bytes().collect();
/// assert_eq!((counts[usize::from(b'a')], counts[usize::from(b'b')]), (5, 2));
/// ```
pub trait FromParallelIterator<T: Send> {
    /// Collects the items.
    ///
    /// ```
    /// use filch::prelude::*;
    /// use std::collections::BTreeSet;
    ///
    /// let remainders = BTreeSet::from_par_iter((0..1000).into_par_iter().map(|n| n * n % 7));
    /// assert!(remainders.into_iter().eq([0, 1, 2, 4]));
    /// ```
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
    ///
    /// ```
    /// use filch::prelude::*;
    /// use std::collections::HashMap;
    ///
    /// let mut squares = HashMap::from([(1, 1)]);
    /// squares.par_extend((2..100).into_par_iter().map(|n| (n, n * n)));
    /// assert_eq!((squares.len(), squares[&9]), (99, 81));
    /// ```
    fn par_extend<I: IntoParallelIterator<Item = T>>(&mut self, par_iter: I);
}

/// What can be emptied in parallel.
///
/// ```
/// use filch::prelude::*;
/// use std::collections::HashSet;
///
/// let mut waiting = HashSet::from([3, 1, 2]);
/// assert_eq!(waiting.par_drain().max(), Some(3));
/// assert!(waiting.is_empty());
/// ```
pub trait ParallelDrainFull {
    /// The iterator.
    type Iter: ParallelIterator<Item = Self::Item>;

    /// What it yields.
    type Item: Send;

    /// Takes all items out; the collection keeps its memory. Items that the loop does not get to are dropped.
    ///
    /// ```
    /// use filch::prelude::*;
    /// use std::collections::BinaryHeap;
    ///
    /// let mut heap = BinaryHeap::from([1, 4, 2]);
    /// let sum: i32 = heap.par_drain().sum();
    /// assert_eq!((sum, heap.len()), (7, 0));
    /// assert!(heap.capacity() >= 3);
    /// ```
    fn par_drain(self) -> Self::Iter;
}

/// What can be emptied in parallel between two indexes.
///
/// ```
/// use filch::prelude::*;
/// use std::collections::VecDeque;
///
/// let mut queue = VecDeque::from([1, 2, 3, 4, 5]);
/// let first: Vec<i32> = queue.par_drain(..2).collect();
/// assert_eq!((first, queue), (vec![1, 2], VecDeque::from([3, 4, 5])));
/// ```
pub trait ParallelDrainRange<Idx = usize> {
    /// The iterator.
    type Iter: ParallelIterator<Item = Self::Item>;

    /// What it yields.
    type Item: Send;

    /// Takes the items of a range out. Items that the loop does not get to are dropped.
    ///
    /// # Panics
    /// If the range is not inside of the collection.
    ///
    /// ```
    /// use filch::prelude::*;
    ///
    /// let mut lines = vec!["title", "one", "two", "end"];
    /// let body: String = lines.par_drain(1..3).map(|line| format!("{line}\n")).collect();
    /// assert_eq!(body, "one\ntwo\n");
    /// assert_eq!(lines, ["title", "end"]);
    /// ```
    fn par_drain<R: RangeBounds<Idx>>(self, range: R) -> Self::Iter;
}
