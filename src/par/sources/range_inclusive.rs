//! Inclusive ranges: `a..=b`.

use std::ops::RangeInclusive;

use crate::par::indexed::IndexedParallelIterator;
use crate::par::into::IntoParallelIterator;
use crate::par::iter::ParallelIterator;
use crate::par::place::Place;
use crate::par::plumbing::{Consumer, ProducerCallback};
use crate::par::sources::char_range::{self, Scalars};

/// A parallel iterator over an inclusive range of integers or of `char`s.
///
/// It is indexed for those types whose inclusive range is an `ExactSizeIterator`, and for `char`.
#[derive(Clone, Debug)]
#[must_use = "parallel iterators do nothing until they are consumed"]
pub struct Iter<T> {
    range: RangeInclusive<T>,
}

impl<T: Copy> Iter<T>
where
    RangeInclusive<T>: Iterator,
    T: PartialOrd,
{
    /// The first and the last, if there are any. A range that has been iterated over knows that it is empty.
    fn ends(&self) -> Option<(T, T)> {
        (!self.range.is_empty()).then(|| (*self.range.start(), *self.range.end()))
    }
}

impl<T> IntoParallelIterator for RangeInclusive<T>
where
    Iter<T>: ParallelIterator,
{
    type Iter = Iter<T>;
    type Item = <Iter<T> as ParallelIterator>::Item;

    fn into_par_iter(self) -> Self::Iter {
        Iter { range: self }
    }
}

mod private {
    use super::{Consumer, Iter, Place, ProducerCallback};

    /// Integers. Not for others to implement.
    pub trait RangeInteger: Sized + Send {
        fn drive<C: Consumer<Self>>(iter: Iter<Self>, consumer: C, place: Place) -> C::Result;

        fn opt_len(iter: &Iter<Self>) -> Option<usize>;
    }

    /// Integers whose inclusive ranges can be counted.
    pub trait IndexedRangeInteger: RangeInteger {
        fn with_producer<CB: ProducerCallback<Self>>(iter: Iter<Self>, callback: CB) -> CB::Output;
    }
}
use private::{IndexedRangeInteger, RangeInteger};

impl<T: RangeInteger> ParallelIterator for Iter<T> {
    type Item = T;

    fn drive<C: Consumer<T>>(self, consumer: C, place: Place) -> C::Result {
        T::drive(self, consumer, place)
    }

    fn opt_len(&self) -> Option<usize> {
        T::opt_len(self)
    }
}

impl<T: IndexedRangeInteger> IndexedParallelIterator for Iter<T> {
    fn len(&self) -> usize {
        T::opt_len(self).expect("a range that can be counted")
    }

    fn with_producer<CB: ProducerCallback<T>>(self, callback: CB) -> CB::Output {
        T::with_producer(self, callback)
    }
}

/// How many integers there are from `$first` to `$last`, if that is a `usize`.
macro_rules! count {
    ($first:expr, $last:expr, $unsigned:ty) => {
        usize::try_from($last.wrapping_sub($first) as $unsigned).ok().and_then(|gap| gap.checked_add(1))
    };
}

/// A method of the range that is not inclusive, or where there is none because the last is the type's greatest, of the
/// integers by index.
macro_rules! by_index {
    ($ends:expr, $int:ty, $unsigned:ty, |$iter:ident| $call:expr, too_long: |$first:ident, $last:ident| $other:expr) => {
        match $ends {
            None => {
                let $iter = (0..0).into_par_iter().map(|i: usize| i as $int);
                $call
            }
            Some(($first, $last)) => match ($last.checked_add(1), count!($first, $last, $unsigned)) {
                (Some(end), Some(_)) => {
                    let $iter = ($first..end).into_par_iter();
                    $call
                }
                (None, Some(count)) => {
                    let $iter = (0..count).into_par_iter().map(move |i: usize| $first.wrapping_add(i as $int));
                    $call
                }
                (_, None) => $other,
            },
        }
    };
}

macro_rules! indexed {
    ($($int:ty, $unsigned:ty;)*) => {$(
        impl RangeInteger for $int {
            fn drive<C: Consumer<$int>>(iter: Iter<$int>, consumer: C, place: Place) -> C::Result {
                crate::par::bridge::bridge(iter, consumer, place)
            }

            fn opt_len(iter: &Iter<$int>) -> Option<usize> {
                iter.ends().map_or(Some(0), |(first, last)| count!(first, last, $unsigned))
            }
        }

        impl IndexedRangeInteger for $int {
            fn with_producer<CB: ProducerCallback<$int>>(iter: Iter<$int>, callback: CB) -> CB::Output {
                by_index!(
                    iter.ends(), $int, $unsigned, |iter| iter.with_producer(callback),
                    too_long: |first, last| unreachable!("{first}..={last} can be counted")
                )
            }
        }
    )*};
}
indexed! {
    u8, u8;
    u16, u16;
    i8, u8;
    i16, u16;
}

macro_rules! unindexed {
    ($($int:ty, $unsigned:ty;)*) => {$(
        impl RangeInteger for $int {
            fn drive<C: Consumer<$int>>(iter: Iter<$int>, consumer: C, place: Place) -> C::Result {
                use crate::par::bridge::bridge_unindexed;
                use crate::par::sources::wide::Wide;
                by_index!(
                    iter.ends(), $int, $unsigned, |iter| iter.drive(consumer, place),
                    too_long: |first, last| bridge_unindexed(Wide { first, last }, consumer, place)
                )
            }

            fn opt_len(iter: &Iter<$int>) -> Option<usize> {
                iter.ends().map_or(Some(0), |(first, last)| count!(first, last, $unsigned))
            }
        }
    )*};
}
unindexed! {
    u32, u32;
    i32, u32;
    u64, u64;
    i64, u64;
    usize, usize;
    isize, usize;
    u128, u128;
    i128, u128;
}

// ----- char ----------------------------------------------------------------------------------------------------------

impl Iter<char> {
    fn scalars(&self) -> Scalars {
        char_range::scalars(match self.ends() {
            Some((first, last)) => char_range::place_of(first)..char_range::place_of(last) + 1,
            None => 0..0,
        })
    }
}

impl ParallelIterator for Iter<char> {
    type Item = char;

    fn drive<C: Consumer<char>>(self, consumer: C, place: Place) -> C::Result {
        self.scalars().drive(consumer, place)
    }

    fn opt_len(&self) -> Option<usize> {
        Some(self.len())
    }
}

impl IndexedParallelIterator for Iter<char> {
    fn len(&self) -> usize {
        self.scalars().len()
    }

    fn with_producer<CB: ProducerCallback<char>>(self, callback: CB) -> CB::Output {
        self.scalars().with_producer(callback)
    }
}
