//! [`ParallelSlice`].

use crate::par::sources::chunk_by::ChunkBy;
use crate::par::sources::chunks::Chunks;
use crate::par::sources::chunks_exact::ChunksExact;
use crate::par::sources::rchunks::RChunks;
use crate::par::sources::rchunks_exact::RChunksExact;
use crate::par::sources::slice_split::{Split, SplitInclusive};
use crate::par::sources::windows::{ArrayWindows, Windows};

/// What is done with slices in parallel.
pub trait ParallelSlice<T: Sync> {
    /// The slice itself.
    ///
    /// ```
    /// use filch::prelude::*;
    ///
    /// /// Readings of a thermometer, with the loops of a slice.
    /// struct Readings(Vec<f32>);
    ///
    /// impl ParallelSlice<f32> for Readings {
    ///     fn as_parallel_slice(&self) -> &[f32] {
    ///         &self.0
    ///     }
    /// }
    ///
    /// let day = Readings(vec![1.5, 2.0, 4.5, 4.0]);
    /// let steepest = day.par_windows(2).map(|pair| pair[1] - pair[0]).max_by(f32::total_cmp);
    /// assert_eq!(steepest, Some(2.5));
    /// ```
    fn as_parallel_slice(&self) -> &[T];

    // ----- pieces ------------------------------------------------------------------------------------------------

    /// The pieces between the elements for which `separator` holds. There is one more than there are such elements.
    ///
    /// ```
    /// use filch::prelude::*;
    ///
    /// let words: Vec<&[u8]> = b"to be or".par_split(|&b| b == b' ').collect();
    /// assert_eq!(words, [&b"to"[..], b"be", b"or"]);
    /// ```
    fn par_split<P>(&self, separator: P) -> Split<'_, T, P>
    where
        P: Fn(&T) -> bool + Sync + Send,
    {
        Split::new(self.as_parallel_slice(), separator)
    }

    /// The pieces that end with an element for which `separator` holds, and what is left after the last of them.
    ///
    /// ```
    /// use filch::prelude::*;
    ///
    /// let lines: Vec<&[u8]> = b"a\nbc\n".par_split_inclusive(|&b| b == b'\n').collect();
    /// assert_eq!(lines, [&b"a\n"[..], b"bc\n"]);
    /// ```
    fn par_split_inclusive<P>(&self, separator: P) -> SplitInclusive<'_, T, P>
    where
        P: Fn(&T) -> bool + Sync + Send,
    {
        SplitInclusive::new(self.as_parallel_slice(), separator)
    }

    /// All stretches of `window_size` elements, which overlap.
    ///
    /// # Panics
    /// If `window_size` is 0: when the iterator's length is first asked for.
    ///
    /// ```
    /// use filch::prelude::*;
    ///
    /// let sorted = [1, 2, 2, 5].par_windows(2).all(|pair| pair[0] <= pair[1]);
    /// assert!(sorted);
    /// ```
    fn par_windows(&self, window_size: usize) -> Windows<'_, T> {
        Windows::new(self.as_parallel_slice(), window_size)
    }

    /// [`par_windows`](Self::par_windows) of a length that is known when the program is compiled.
    ///
    /// # Panics
    /// If `N` is 0: when the iterator's length is first asked for.
    ///
    /// ```
    /// use filch::prelude::*;
    ///
    /// let steps: Vec<i32> = [1, 4, 9].par_array_windows().map(|[a, b]| b - a).collect();
    /// assert_eq!(steps, [3, 5]);
    /// ```
    fn par_array_windows<const N: usize>(&self) -> ArrayWindows<'_, T, N> {
        ArrayWindows::new(self.as_parallel_slice())
    }

    /// Pieces of `chunk_size` elements; the last may be shorter.
    ///
    /// # Panics
    /// If `chunk_size` is 0.
    ///
    /// ```
    /// use filch::prelude::*;
    ///
    /// let sums: Vec<i32> = [1, 2, 3, 4, 5].par_chunks(2).map(|pair| pair.iter().sum()).collect();
    /// assert_eq!(sums, [3, 7, 5]);
    /// ```
    #[track_caller]
    fn par_chunks(&self, chunk_size: usize) -> Chunks<'_, T> {
        assert!(chunk_size != 0, "chunk_size must not be zero");
        Chunks::new(self.as_parallel_slice(), chunk_size)
    }

    /// Pieces of exactly `chunk_size` elements. Fewer than that may be left over at the end: see
    /// [`remainder`](ChunksExact::remainder).
    ///
    /// # Panics
    /// If `chunk_size` is 0.
    ///
    /// ```
    /// use filch::prelude::*;
    ///
    /// let exact = [1, 2, 3, 4, 5].par_chunks_exact(2).map(|pair| pair[0] + pair[1]).collect::<Vec<i32>>();
    /// assert_eq!(exact, [3, 7]);
    /// ```
    #[track_caller]
    fn par_chunks_exact(&self, chunk_size: usize) -> ChunksExact<'_, T> {
        assert!(chunk_size != 0, "chunk_size must not be zero");
        ChunksExact::new(self.as_parallel_slice(), chunk_size)
    }

    /// Pieces of `chunk_size` elements, from the end of the slice on; the last, which is the first in the slice, may be
    /// shorter.
    ///
    /// # Panics
    /// If `chunk_size` is 0.
    ///
    /// ```
    /// use filch::prelude::*;
    ///
    /// let pieces: Vec<&[i32]> = [1, 2, 3, 4, 5].par_rchunks(2).collect();
    /// assert_eq!(pieces, [&[4, 5][..], &[2, 3], &[1]]);
    /// ```
    #[track_caller]
    fn par_rchunks(&self, chunk_size: usize) -> RChunks<'_, T> {
        assert!(chunk_size != 0, "chunk_size must not be zero");
        RChunks::new(self.as_parallel_slice(), chunk_size)
    }

    /// Pieces of exactly `chunk_size` elements, from the end of the slice on. Fewer than that may be left over at the
    /// beginning: see [`remainder`](RChunksExact::remainder).
    ///
    /// # Panics
    /// If `chunk_size` is 0.
    ///
    /// ```
    /// use filch::prelude::*;
    ///
    /// let exact = [1, 2, 3, 4, 5].par_rchunks_exact(2).map(|pair| pair[0] + pair[1]).collect::<Vec<i32>>();
    /// assert_eq!(exact, [9, 5]);
    /// ```
    #[track_caller]
    fn par_rchunks_exact(&self, chunk_size: usize) -> RChunksExact<'_, T> {
        assert!(chunk_size != 0, "chunk_size must not be zero");
        RChunksExact::new(self.as_parallel_slice(), chunk_size)
    }

    /// Runs of elements: a new one begins where `pred` does not hold between an element and the next.
    ///
    /// ```
    /// use filch::prelude::*;
    ///
    /// let runs: Vec<&[i32]> = [1, 1, 2, 3, 3].par_chunk_by(|a, b| a == b).collect();
    /// assert_eq!(runs, [&[1, 1][..], &[2], &[3, 3]]);
    /// ```
    fn par_chunk_by<F>(&self, pred: F) -> ChunkBy<'_, T, F>
    where
        F: Fn(&T, &T) -> bool + Send + Sync,
    {
        ChunkBy::new(self.as_parallel_slice(), pred)
    }

    // ----- sorting -----------------------------------------------------------------------------------------------
}

impl<T: Sync> ParallelSlice<T> for [T] {
    #[inline]
    fn as_parallel_slice(&self) -> &[T] {
        self
    }
}
