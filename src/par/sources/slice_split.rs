//! `par_split` and `par_split_inclusive` of slices.

use std::fmt;

use crate::par::bridge::bridge_unindexed;
use crate::par::iter::ParallelIterator;
use crate::par::place::Place;
use crate::par::plumbing::{Consumer, Folder};
use crate::par::sources::seams::{Seam, SeamProducer, Seams};

/// Elements that separate; they belong to no piece.
struct Between<'p, P>(&'p P);

/// Elements that end the piece they are in.
struct Ending<'p, P>(&'p P);

macro_rules! copied {
    ($($handle:ident)*) => {$(
        impl<P> Copy for $handle<'_, P> {}

        impl<P> Clone for $handle<'_, P> {
            fn clone(&self) -> Self {
                *self
            }
        }
    )*};
}
copied! { Between Ending }

/// The seams of a kind of slice, by std's method of the same purpose.
macro_rules! seams {
    ($handle:ident, $slice:ty, $bound:path, $split:ident, $split_at:ident, |$i:ident| $seam:expr) => {
        impl<'data, T: $bound, P: Fn(&T) -> bool + Sync> Seams<$slice> for $handle<'_, P> {
            fn len(data: &$slice) -> usize {
                data.len()
            }

            fn boundary(_: &$slice, at: usize) -> usize {
                at
            }

            fn first(self, data: &$slice, from: usize, to: usize) -> Option<Seam> {
                data[from..to].iter().position(self.0).map(|i| from + i).map(|$i| $seam)
            }

            fn last(self, data: &$slice, to: usize) -> Option<Seam> {
                data[..to].iter().rposition(self.0).map(|$i| $seam)
            }

            fn cut(data: $slice, seam: Seam) -> ($slice, $slice) {
                let (rest, right) = data.$split_at(seam.start);
                (rest.$split_at(seam.end).0, right)
            }

            fn fold<F: Folder<$slice>>(self, data: $slice, folder: F, skip_last: bool) -> F {
                debug_assert!(!skip_last, "a slice has no terminators");
                folder.consume_iter(data.$split(self.0))
            }
        }
    };
}
seams! { Between, &'data [T], Sync, split, split_at, |i| Seam { at: i, end: i, start: i + 1 } }
seams! { Ending, &'data [T], Sync, split_inclusive, split_at, |i| Seam { at: i, end: i + 1, start: i + 1 } }
seams! { Between, &'data mut [T], Send, split_mut, split_at_mut, |i| Seam { at: i, end: i, start: i + 1 } }
seams! { Ending, &'data mut [T], Send, split_inclusive_mut, split_at_mut, |i| Seam { at: i, end: i + 1, start: i + 1 } }

/// An iterator: its name, its method, what it yields, what that needs, and its seams.
macro_rules! splits {
    ($(#[$doc:meta])* $name:ident, $slice:ty, $bound:path, $handle:ident) => {
        $(#[$doc])*
        #[must_use = "parallel iterators do nothing until they are consumed"]
        pub struct $name<'data, T, P> {
            slice: $slice,
            separator: P,
        }

        impl<'data, T, P> $name<'data, T, P> {
            pub(crate) fn new(slice: $slice, separator: P) -> Self {
                $name { slice, separator }
            }
        }

        impl<T: fmt::Debug, P> fmt::Debug for $name<'_, T, P> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).field("slice", &self.slice).finish_non_exhaustive()
            }
        }

        impl<'data, T: $bound, P: Fn(&T) -> bool + Sync + Send> ParallelIterator for $name<'data, T, P> {
            type Item = $slice;

            fn drive<C: Consumer<$slice>>(self, consumer: C, place: Place) -> C::Result {
                bridge_unindexed(SeamProducer::new(self.slice, $handle(&self.separator)), consumer, place)
            }
        }
    };
}

splits! {
    /// Made by [`par_split`](crate::slice::ParallelSlice::par_split).
    Split, &'data [T], Sync, Between
}
splits! {
    /// Made by [`par_split_inclusive`](crate::slice::ParallelSlice::par_split_inclusive).
    SplitInclusive, &'data [T], Sync, Ending
}
splits! {
    /// Made by [`par_split_mut`](crate::slice::ParallelSliceMut::par_split_mut).
    SplitMut, &'data mut [T], Send, Between
}
splits! {
    /// Made by [`par_split_inclusive_mut`](crate::slice::ParallelSliceMut::par_split_inclusive_mut).
    SplitInclusiveMut, &'data mut [T], Send, Ending
}

impl<T, P: Clone> Clone for Split<'_, T, P> {
    fn clone(&self) -> Self {
        Split { separator: self.separator.clone(), ..*self }
    }
}

impl<T, P: Clone> Clone for SplitInclusive<'_, T, P> {
    fn clone(&self) -> Self {
        SplitInclusive { separator: self.separator.clone(), ..*self }
    }
}
