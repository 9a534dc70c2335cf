//! Ranges: `a..b`.

use std::ops::Range;

use crate::par::indexed::IndexedParallelIterator;
use crate::par::into::IntoParallelIterator;
use crate::par::iter::ParallelIterator;
use crate::par::place::Place;
use crate::par::plumbing::{Consumer, Producer, ProducerCallback};
use crate::par::sources::char_range::{self, Scalars};

/// A parallel iterator over a range of integers or of `char`s.
///
/// It is indexed for those types whose range is an `ExactSizeIterator`, and for `char`.
#[derive(Clone, Debug)]
#[must_use = "parallel iterators do nothing until they are consumed"]
pub struct Iter<T> {
    range: Range<T>,
}

impl<T> IntoParallelIterator for Range<T>
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

    /// Integers whose ranges can be counted.
    pub trait IndexedRangeInteger: RangeInteger {
        fn len(iter: &Iter<Self>) -> usize;

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
        T::len(self)
    }

    fn with_producer<CB: ProducerCallback<T>>(self, callback: CB) -> CB::Output {
        T::with_producer(self, callback)
    }
}

struct RangeProducer<T> {
    range: Range<T>,
}

macro_rules! indexed {
    ($($int:ty)*) => {$(
        impl RangeInteger for $int {
            fn drive<C: Consumer<$int>>(iter: Iter<$int>, consumer: C, place: Place) -> C::Result {
                crate::par::bridge::bridge(iter, consumer, place)
            }

            fn opt_len(iter: &Iter<$int>) -> Option<usize> {
                Some(iter.range.len())
            }
        }

        impl IndexedRangeInteger for $int {
            fn len(iter: &Iter<$int>) -> usize {
                iter.range.len()
            }

            fn with_producer<CB: ProducerCallback<$int>>(iter: Iter<$int>, callback: CB) -> CB::Output {
                callback.callback(RangeProducer { range: iter.range })
            }
        }

        impl Producer for RangeProducer<$int> {
            type Item = $int;
            type IntoIter = Range<$int>;

            fn into_iter(self) -> Self::IntoIter {
                self.range
            }

            #[inline]
            fn split_at(self, index: usize) -> (Self, Self) {
                debug_assert!(index <= self.range.len());
                // A signed type's range may be longer than its greatest number: wrapping round comes out right.
                let middle = self.range.start.wrapping_add(index as $int);
                (RangeProducer { range: self.range.start..middle }, RangeProducer { range: middle..self.range.end })
            }
        }
    )*};
}
indexed! { u8 u16 u32 usize i8 i16 i32 isize }

macro_rules! unindexed {
    ($($int:ty, $unsigned:ty;)*) => {$(
        impl RangeInteger for $int {
            fn drive<C: Consumer<$int>>(iter: Iter<$int>, consumer: C, place: Place) -> C::Result {
                use crate::par::sources::wide::Wide;
                let Range { start, end } = iter.range;
                match Self::opt_len(&iter) {
                    // By index, for who collects by index.
                    Some(len) => {
                        let nth = move |i: usize| start.wrapping_add(i as $int);
                        (0..len).into_par_iter().map(nth).drive(consumer, place)
                    }
                    None => crate::par::bridge::bridge_unindexed(Wide { first: start, last: end - 1 }, consumer, place),
                }
            }

            fn opt_len(iter: &Iter<$int>) -> Option<usize> {
                let Range { start, end } = iter.range;
                if start < end { usize::try_from(end.wrapping_sub(start) as $unsigned).ok() } else { Some(0) }
            }
        }
    )*};
}
unindexed! {
    u64, u64;
    i64, u64;
    u128, u128;
    i128, u128;
}

// ----- char ----------------------------------------------------------------------------------------------------------

impl Iter<char> {
    fn scalars(&self) -> Scalars {
        char_range::scalars(char_range::place_of(self.range.start)..char_range::place_of(self.range.end))
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
