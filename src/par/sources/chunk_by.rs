//! `par_chunk_by`: runs of elements of which each goes with the next.

use std::fmt;

use crate::par::bridge::bridge_unindexed;
use crate::par::iter::ParallelIterator;
use crate::par::place::Place;
use crate::par::plumbing::{Consumer, Folder};
use crate::par::sources::seams::{Seam, SeamProducer, Seams};

/// A seam lies before each element that does not go with the one before it.
struct Runs<'p, P>(&'p P);

impl<P> Copy for Runs<'_, P> {}

impl<P> Clone for Runs<'_, P> {
    fn clone(&self) -> Self {
        *self
    }
}

/// The seams in `from..to`. There is none before the first element.
fn seams<T>(
    data: &[T],
    from: usize,
    to: usize,
    goes_with: impl Fn(&T, &T) -> bool,
) -> impl DoubleEndedIterator<Item = Seam> {
    (from.max(1)..to).filter(move |&i| !goes_with(&data[i - 1], &data[i])).map(|i| Seam { at: i, end: i, start: i })
}

macro_rules! seams {
    ($slice:ty, $bound:path, $chunk_by:ident, $split_at:ident) => {
        impl<'data, T: $bound, P: Fn(&T, &T) -> bool + Sync> Seams<$slice> for Runs<'_, P> {
            fn len(data: &$slice) -> usize {
                data.len()
            }

            fn boundary(_: &$slice, at: usize) -> usize {
                at
            }

            fn first(self, data: &$slice, from: usize, to: usize) -> Option<Seam> {
                seams(data, from, to, self.0).next()
            }

            fn last(self, data: &$slice, to: usize) -> Option<Seam> {
                seams(data, 0, to, self.0).next_back()
            }

            fn cut(data: $slice, seam: Seam) -> ($slice, $slice) {
                data.$split_at(seam.at)
            }

            fn fold<F: Folder<$slice>>(self, data: $slice, folder: F, _: bool) -> F {
                folder.consume_iter(data.$chunk_by(self.0))
            }
        }
    };
}
seams! { &'data [T], Sync, chunk_by, split_at }
seams! { &'data mut [T], Send, chunk_by_mut, split_at_mut }

macro_rules! chunks {
    ($(#[$doc:meta])* $name:ident, $slice:ty, $bound:path) => {
        $(#[$doc])*
        #[must_use = "parallel iterators do nothing until they are consumed"]
        pub struct $name<'data, T, P> {
            pred: P,
            slice: $slice,
        }

        impl<'data, T, P> $name<'data, T, P> {
            pub(crate) fn new(slice: $slice, pred: P) -> Self {
                $name { pred, slice }
            }
        }

        impl<T: fmt::Debug, P> fmt::Debug for $name<'_, T, P> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).field("slice", &self.slice).finish_non_exhaustive()
            }
        }

        impl<'data, T: $bound, P: Fn(&T, &T) -> bool + Send + Sync> ParallelIterator for $name<'data, T, P> {
            type Item = $slice;

            fn drive<C: Consumer<$slice>>(self, consumer: C, place: Place) -> C::Result {
                bridge_unindexed(SeamProducer::new(self.slice, Runs(&self.pred)), consumer, place)
            }
        }
    };
}

chunks! {
    /// Made by [`par_chunk_by`](crate::slice::ParallelSlice::par_chunk_by).
    ChunkBy, &'data [T], Sync
}
chunks! {
    /// Made by [`par_chunk_by_mut`](crate::slice::ParallelSliceMut::par_chunk_by_mut).
    ChunkByMut, &'data mut [T], Send
}

impl<T, P: Clone> Clone for ChunkBy<'_, T, P> {
    fn clone(&self) -> Self {
        ChunkBy { pred: self.pred.clone(), ..*self }
    }
}
