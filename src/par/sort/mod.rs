//! Sorting, selecting and merging in parallel.
//!
//! The pieces are sorted by the standard library, whose sorts are excellent; what is done here is to cut the work up
//! and to put it together again.
//!
//! * Stable (`stable`): four parts are sorted, by this algorithm again or by the standard library, and merged in two
//!   rounds: into a buffer and back. A merge (`merging`) is cut in halves by a binary search for the median of both
//!   runs, until the pieces are small; each piece is two merges without branches in one loop (`merge`).
//!   Where the slice begins with long runs (`runs`), these take the place of the four parts.
//! * Unstable (`unstable`): quicksort, in place. With few workers a part is partitioned by one (`partition`), around
//!   the median of a sample; with many it is cut at its median by all of them (`select`, after Floyd and Rivest).
//!
//! # Elements that may not be shared
//!
//! Elements are `Send` and need not be `Sync`: they may have cells inside that the comparison changes. So at any time
//! only one thread has references to an element. A merge is cut by one thread, and its pieces have no element in
//! common. Where several threads partition at once, each has a pivot of its own: neighbours in a sorted sample, which
//! are all near the quantile that is wanted; what lies between the least and the greatest of them is dealt with
//! afterwards. For the same reason no element is compared once it has been copied: the copy would be out of date.
//!
//! # Panics
//!
//! Whatever the comparison does, the slice is a permutation of what it was. Quicksort moves elements by swaps, and
//! around a hole that is filled on unwinding. A merge never writes to where it reads from, so until it has ended,
//! what it reads is the truth: if it unwinds on the way into the buffer, there is nothing to do; on the way back, the
//! buffer is copied back as it is, when both arms of every `join` have ended or are sure not to begin.

pub(crate) mod cached;
pub(crate) mod grain;
#[allow(unsafe_code)]
pub(crate) mod halves;
#[allow(unsafe_code)]
pub(crate) mod merge;
pub(crate) mod merging;
pub(crate) mod order;
#[allow(unsafe_code)]
pub(crate) mod partition;
pub(crate) mod partition_wide;
pub(crate) mod runs;
pub(crate) mod select;
#[allow(unsafe_code)]
pub(crate) mod stable;
#[cfg(test)]
mod tests;
pub(crate) mod unstable;
