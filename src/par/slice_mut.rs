//! [`ParallelSliceMut`].

use std::cmp::Ordering;

use crate::par::beyond::scan;
use crate::par::sort::order::{By, ByKey, Natural};
use crate::par::sort::{cached, halves, select, stable, unstable};
use crate::par::sources::chunk_by::ChunkByMut;
use crate::par::sources::chunks::ChunksMut;
use crate::par::sources::chunks_exact::ChunksExactMut;
use crate::par::sources::rchunks::RChunksMut;
use crate::par::sources::rchunks_exact::RChunksExactMut;
use crate::par::sources::slice_split::{SplitInclusiveMut, SplitMut};

/// What is done with mutable slices in parallel.
pub trait ParallelSliceMut<T: Send> {
    /// The slice itself.
    ///
    /// ```
    /// use filch::prelude::*;
    ///
    /// struct Names(Vec<String>);
    ///
    /// impl ParallelSliceMut<String> for Names {
    ///     fn as_parallel_slice_mut(&mut self) -> &mut [String] {
    ///         &mut self.0
    ///     }
    /// }
    ///
    /// let mut names = Names(vec!["Zoe".into(), "Al".into()]);
    /// names.par_sort();
    /// assert_eq!(names.0, ["Al", "Zoe"]);
    /// ```
    fn as_parallel_slice_mut(&mut self) -> &mut [T];

    // ----- pieces ------------------------------------------------------------------------------------------------

    /// [`par_split`](crate::slice::ParallelSlice::par_split), with mutable pieces.
    ///
    /// ```
    /// use filch::prelude::*;
    ///
    /// let mut numbers = [3, 2, 0, 5, 4];
    /// numbers.par_split_mut(|&n| n == 0).for_each(|piece| piece.reverse());
    /// assert_eq!(numbers, [2, 3, 0, 4, 5]);
    /// ```
    fn par_split_mut<P>(&mut self, separator: P) -> SplitMut<'_, T, P>
    where
        P: Fn(&T) -> bool + Sync + Send,
    {
        SplitMut::new(self.as_parallel_slice_mut(), separator)
    }

    /// [`par_split_inclusive`](crate::slice::ParallelSlice::par_split_inclusive), with mutable pieces.
    ///
    /// ```
    /// use filch::prelude::*;
    ///
    /// let mut numbers = [3, 2, 0, 5, 4];
    /// numbers.par_split_inclusive_mut(|&n| n == 0).for_each(|piece| piece.reverse());
    /// assert_eq!(numbers, [0, 2, 3, 4, 5]);
    /// ```
    fn par_split_inclusive_mut<P>(&mut self, separator: P) -> SplitInclusiveMut<'_, T, P>
    where
        P: Fn(&T) -> bool + Sync + Send,
    {
        SplitInclusiveMut::new(self.as_parallel_slice_mut(), separator)
    }

    /// [`par_chunks`](crate::slice::ParallelSlice::par_chunks), with mutable pieces.
    ///
    /// # Panics
    /// If `chunk_size` is 0.
    ///
    /// ```
    /// use filch::prelude::*;
    ///
    /// let mut numbers = [1, 2, 3, 4, 5];
    /// numbers.par_chunks_mut(2).for_each(|piece| piece.reverse());
    /// assert_eq!(numbers, [2, 1, 4, 3, 5]);
    /// ```
    #[track_caller]
    fn par_chunks_mut(&mut self, chunk_size: usize) -> ChunksMut<'_, T> {
        assert!(chunk_size != 0, "chunk_size must not be zero");
        ChunksMut::new(self.as_parallel_slice_mut(), chunk_size)
    }

    /// [`par_chunks_exact`](crate::slice::ParallelSlice::par_chunks_exact), with mutable pieces.
    ///
    /// # Panics
    /// If `chunk_size` is 0.
    ///
    /// ```
    /// use filch::prelude::*;
    ///
    /// let mut numbers = [1, 2, 3, 4, 5];
    /// numbers.par_chunks_exact_mut(2).for_each(|pair| pair.reverse());
    /// assert_eq!(numbers, [2, 1, 4, 3, 5]);
    /// ```
    #[track_caller]
    fn par_chunks_exact_mut(&mut self, chunk_size: usize) -> ChunksExactMut<'_, T> {
        assert!(chunk_size != 0, "chunk_size must not be zero");
        ChunksExactMut::new(self.as_parallel_slice_mut(), chunk_size)
    }

    /// [`par_rchunks`](crate::slice::ParallelSlice::par_rchunks), with mutable pieces.
    ///
    /// # Panics
    /// If `chunk_size` is 0.
    ///
    /// ```
    /// use filch::prelude::*;
    ///
    /// let mut numbers = [1, 2, 3, 4, 5];
    /// numbers.par_rchunks_mut(2).for_each(|piece| piece.reverse());
    /// assert_eq!(numbers, [1, 3, 2, 5, 4]);
    /// ```
    #[track_caller]
    fn par_rchunks_mut(&mut self, chunk_size: usize) -> RChunksMut<'_, T> {
        assert!(chunk_size != 0, "chunk_size must not be zero");
        RChunksMut::new(self.as_parallel_slice_mut(), chunk_size)
    }

    /// [`par_rchunks_exact`](crate::slice::ParallelSlice::par_rchunks_exact), with mutable pieces.
    ///
    /// # Panics
    /// If `chunk_size` is 0.
    ///
    /// ```
    /// use filch::prelude::*;
    ///
    /// let mut numbers = [1, 2, 3, 4, 5];
    /// numbers.par_rchunks_exact_mut(2).for_each(|pair| pair.fill(0));
    /// assert_eq!(numbers, [1, 0, 0, 0, 0]);
    /// ```
    #[track_caller]
    fn par_rchunks_exact_mut(&mut self, chunk_size: usize) -> RChunksExactMut<'_, T> {
        assert!(chunk_size != 0, "chunk_size must not be zero");
        RChunksExactMut::new(self.as_parallel_slice_mut(), chunk_size)
    }

    /// [`par_chunk_by`](crate::slice::ParallelSlice::par_chunk_by), with mutable runs.
    ///
    /// ```
    /// use filch::prelude::*;
    ///
    /// let mut numbers = [1, 2, 3, 1, 2];
    /// numbers.par_chunk_by_mut(|a, b| a < b).for_each(|run| run.reverse());
    /// assert_eq!(numbers, [3, 2, 1, 2, 1]);
    /// ```
    fn par_chunk_by_mut<F>(&mut self, pred: F) -> ChunkByMut<'_, T, F>
    where
        F: Fn(&T, &T) -> bool + Send + Sync,
    {
        ChunkByMut::new(self.as_parallel_slice_mut(), pred)
    }

    // ----- sorting -----------------------------------------------------------------------------------------------

    #[doc = include_str!("doc/par_sort.md")]
    fn par_sort(&mut self)
    where
        T: Ord,
    {
        stable::sort(self.as_parallel_slice_mut(), &Natural);
    }

    #[doc = include_str!("doc/par_sort_by.md")]
    fn par_sort_by<F>(&mut self, compare: F)
    where
        F: Fn(&T, &T) -> Ordering + Sync,
    {
        stable::sort(self.as_parallel_slice_mut(), &By(compare));
    }

    #[doc = include_str!("doc/par_sort_by_key.md")]
    fn par_sort_by_key<K, F>(&mut self, f: F)
    where
        K: Ord,
        F: Fn(&T) -> K + Sync,
    {
        stable::sort(self.as_parallel_slice_mut(), &ByKey(f));
    }

    #[doc = include_str!("doc/par_sort_by_cached_key.md")]
    fn par_sort_by_cached_key<K, F>(&mut self, f: F)
    where
        F: Fn(&T) -> K + Sync,
        K: Ord + Send,
    {
        cached::sort_by_cached_key(self.as_parallel_slice_mut(), &f);
    }

    #[doc = include_str!("doc/par_sort_unstable.md")]
    fn par_sort_unstable(&mut self)
    where
        T: Ord,
    {
        unstable::sort_unstable(self.as_parallel_slice_mut(), &Natural);
    }

    #[doc = include_str!("doc/par_sort_unstable_by.md")]
    fn par_sort_unstable_by<F>(&mut self, compare: F)
    where
        F: Fn(&T, &T) -> Ordering + Sync,
    {
        unstable::sort_unstable(self.as_parallel_slice_mut(), &By(compare));
    }

    #[doc = include_str!("doc/par_sort_unstable_by_key.md")]
    fn par_sort_unstable_by_key<K, F>(&mut self, f: F)
    where
        K: Ord,
        F: Fn(&T) -> K + Sync,
    {
        unstable::sort_unstable(self.as_parallel_slice_mut(), &ByKey(f));
    }

    // ----- sorting, beyond rayon ---------------------------------------------------------------------------------

    #[doc = include_str!("doc/par_select_nth_unstable.md")]
    fn par_select_nth_unstable(&mut self, index: usize) -> (&mut [T], &mut T, &mut [T])
    where
        T: Ord,
    {
        select::select_nth(self.as_parallel_slice_mut(), index, &Natural)
    }

    #[doc = include_str!("doc/par_select_nth_unstable_by.md")]
    fn par_select_nth_unstable_by<F>(&mut self, index: usize, compare: F) -> (&mut [T], &mut T, &mut [T])
    where
        F: Fn(&T, &T) -> Ordering + Sync,
    {
        select::select_nth(self.as_parallel_slice_mut(), index, &By(compare))
    }

    #[doc = include_str!("doc/par_select_nth_unstable_by_key.md")]
    fn par_select_nth_unstable_by_key<K, F>(&mut self, index: usize, f: F) -> (&mut [T], &mut T, &mut [T])
    where
        K: Ord,
        F: Fn(&T) -> K + Sync,
    {
        select::select_nth(self.as_parallel_slice_mut(), index, &ByKey(f))
    }

    #[doc = include_str!("doc/par_merge.md")]
    fn par_merge(&mut self, mid: usize)
    where
        T: Ord,
    {
        halves::merge_halves(self.as_parallel_slice_mut(), mid, &Natural);
    }

    #[doc = include_str!("doc/par_merge_by.md")]
    fn par_merge_by<F>(&mut self, mid: usize, compare: F)
    where
        F: Fn(&T, &T) -> Ordering + Sync,
    {
        halves::merge_halves(self.as_parallel_slice_mut(), mid, &By(compare));
    }

    #[doc = include_str!("doc/par_merge_by_key.md")]
    fn par_merge_by_key<K, F>(&mut self, mid: usize, f: F)
    where
        K: Ord,
        F: Fn(&T) -> K + Sync,
    {
        halves::merge_halves(self.as_parallel_slice_mut(), mid, &ByKey(f));
    }

    // ----- running totals, beyond rayon --------------------------------------------------------------------------

    #[doc = include_str!("doc/par_inclusive_scan.md")]
    fn par_inclusive_scan<OP>(&mut self, op: OP)
    where
        OP: Fn(&T, &T) -> T + Sync + Send,
        T: Sync,
    {
        scan::inclusive_in_place(self.as_parallel_slice_mut(), &op);
    }

    #[doc = include_str!("doc/par_exclusive_scan.md")]
    fn par_exclusive_scan<OP>(&mut self, init: T, op: OP) -> T
    where
        OP: Fn(&T, &T) -> T + Sync + Send,
        T: Sync,
    {
        scan::exclusive_in_place(self.as_parallel_slice_mut(), init, &op)
    }
}

impl<T: Send> ParallelSliceMut<T> for [T] {
    #[inline]
    fn as_parallel_slice_mut(&mut self) -> &mut [T] {
        self
    }
}
