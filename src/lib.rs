//! One pool of worker threads, sized to the machine's cores, that runs **async tasks** and **CPU-bound closures** side
//! by side, by work stealing.
//!
//! A program that is busy on I/O *and* heavy on computation needs two pools today, one of tokio's and one of rayon's,
//! with twice as many threads as cores and hand-made bridges between them. filch is one pool for both: a task can
//! await a computation, a computation can spawn tasks, and both use the same threads.
//!
//! ```
//! use filch::prelude::*;
//!
//! // Loops over slices: rayon's names and meaning.
//! let squares: Vec<u64> = (1..=10_u64).into_par_iter().map(|n| n * n).collect();
//! assert_eq!(squares.par_iter().max(), Some(&100));
//!
//! // Fork-join, the same.
//! fn sum(numbers: &[u64]) -> u64 {
//!     if numbers.len() <= 1000 {
//!         return numbers.iter().sum();
//!     }
//!     let (left, right) = numbers.split_at(numbers.len() / 2);
//!     let (left, right) = filch::join(|| sum(left), || sum(right));
//!     left + right
//! }
//! let numbers: Vec<u64> = (1..=10_000).collect();
//! assert_eq!(sum(&numbers), 50_005_000);
//!
//! // Async tasks: tokio's names and meaning. The computation runs on the same pool, and is awaited.
//! let total = filch::block_on(async {
//!     let task = filch::spawn(async move { filch::spawn_cpu(move || sum(&numbers)).await });
//!     task.await.unwrap().unwrap()
//! });
//! assert_eq!(total, 50_005_000);
//! ```
//!
//! # What to use
//!
//! | You have | Use |
//! |---|---|
//! | a loop over a slice, a range, a collection | [`prelude`]: `par_iter`, `into_par_iter` … |
//! | a slice to sort | [`slice::ParallelSliceMut`] |
//! | two closures, perhaps recursive | [`join`] |
//! | many closures that borrow from the frame | [`scope`] |
//! | futures that borrow from the frame | [`Scope::spawn_future`] |
//! | a closure that nobody waits for | [`spawn_detached`] |
//! | a future | [`spawn`] |
//! | many futures or awaited closures, their results as they come | [`task::JoinSet`] |
//! | many tasks, of which only the end matters | [`task::TaskTracker`] |
//! | futures that are not `Send` | [`task::LocalSet`] |
//! | a CPU-bound closure that a future awaits | [`spawn_cpu`] |
//! | a call that blocks (files, a lock, a child process) | [`spawn_blocking`] |
//! | a call that blocks, in the midst of a loop or poll | [`blocking`] |
//! | a future, on a thread that is not async | [`block_on`] |
//! | to wait for a while, or not for ever | [`time`] |
//! | to ask work to end | [`CancellationToken`]; for one task [`JoinHandle::abort`] |
//! | a value that goes along with a task | [`task_local!`] |
//! | a name, an id, a turn for the others | [`task`] |
//! | another number of workers, names, hooks | [`Pool::builder`] |
//! | to give a pool to others: a callback, a thread of somebody else's | [`Handle`] |
//!
//! The free functions work on the pool that the calling thread is inside; outside of any on the one that it has
//! [entered](Handle::enter); else on the global pool, which is made when it is first used.
//!
//! # Channels, locks, I/O
//!
//! There are none here, and none are needed: channels and locks that are written for any executor work on this pool as
//! they are. Tested on pools of one worker and two, and in `block_on`, are
//!
//! - of tokio (whose `sync` asks for no runtime) `mpsc`, `oneshot`, `watch`, `broadcast`, `Notify`, `Mutex`, `RwLock`,
//!   `Semaphore`, and the macros `select!`, `join!`, `try_join!`;
//! - of futures `mpsc`, `oneshot`, `lock::Mutex`, and the same macros;
//! - of async-lock `Mutex` and `RwLock`, and async-channel.
//!
//! ```
//! use std::sync::Arc;
//! use tokio::sync::mpsc;
//!
//! let (total, doubled) = filch::block_on(async {
//!     let (sender, mut receiver) = mpsc::channel(16);
//!     let total = Arc::new(async_lock::Mutex::new(0));
//!     for i in 0..10u64 {
//!         let (sender, total) = (sender.clone(), total.clone());
//!         filch::spawn(async move {
//!             *total.lock().await += i;
//!             sender.send(2 * i).await.unwrap();
//!         })
//!         .detach();
//!     }
//!     drop(sender);
//!     let mut doubled = 0;
//!     while let Some(value) = receiver.recv().await {
//!         doubled += value;
//!     }
//!     (*total.lock().await, doubled)
//! });
//! assert_eq!((total, doubled), (45, 90));
//! ```
//!
//! Such crates know nothing of a task's budget: a loop over a channel that is never empty calls
//! [`task::consume_budget`] now and then. A lock of the standard library is fine where it is held for a moment, and not
//! across an `.await`.
//!
//! There is no I/O driver either. Use crates that bring their own (async-io has a thread for it), or
//! [`spawn_blocking`]. What asks for tokio's reactor, as `tokio::net` does, needs a tokio runtime.
//!
//! # Features
//!
//! `indicatif`: a progress bar of that crate may be given to [`with_progress`](iter::ParallelIterator::with_progress).
//!
//! `macros`: the attributes `#[filch::main]` and `#[filch::test]`, for a `main` and for tests that are `async`.
//!
//! `rayon-core`: on when the drop-in of that name is in the program (see `docs/RAYON.md`), and not for direct use. The
//! global pool then waits as rayon does, [`WaitPolicy::RunAnything`], and its size may be set by `RAYON_NUM_THREADS`.
//!
//! # How it works, in short
//!
//! Each worker keeps the second arms of its `join`s to itself, in a private stack, and publishes the oldest only when
//! another worker is hungry. So a `join` that nobody steals from costs a few nanoseconds. A worker that waits for a
//! stolen arm helps with that arm and with nothing else; if there is nothing to help with, it parks, and a spare
//! thread takes its seat. Threads from outside take a free seat and run their work in place.
//!
//! A parallel loop is a plain loop in blocks of some microseconds, whose rest lies in the private stack meanwhile;
//! parts of it are given away when somebody is hungry and the measured pace says that they are worth it.
//!
//! A task is one allocation: 40 bytes and its future. A task that is woken by a task is polled next, on the same
//! thread; others wait in that thread's queue, oldest first, and may be stolen. Timers are fired by the workers
//! themselves. `docs/ARCHITECTURE.md` in the repository tells it at length.
//!
//! # The floors
//!
//! `src/` is built in floors; a file names only its own and those below: `ground` (atomics and locks, errors, time),
//! `core` (the protocols), `pool` (threads, seats, who runs what next), `work` (what users call), `driver` (time),
//! `par` (parallel loops).
//!
//! # Unsafe code
//!
//! Denied but in these modules:
//!
//! - `ground/barrier.rs`: the `membarrier` system call.
//! - `ground/bell.rs`: the system calls that sleep on a word and wake.
//! - `ground/blocks.rs`: memory of spawned closures and tasks, kept and handed on.
//! - `ground/cpu_time.rs`: the system calls for a thread's processor time.
//! - `ground/fork_guard.rs`: asks the system to be told of a fork.
//! - `ground/slice.rs`: the system calls about a thread's slices of the processor.
//! - `ground/sync.rs`: memory that a protocol hands from one thread to another.
//! - `ground/ticks.rs`: reads the processor's counter.
//! - `core/count_latch.rs`: a latch in a frame that vanishes when it is set.
//! - `core/follow.rs`: follows the thief of an awaited job.
//! - `core/fork_stack.rs`: the private array, shared with raiders.
//! - `core/job.rs`: type-erased jobs in frames and on the heap.
//! - `core/latch.rs`: as the count latch.
//! - `core/lineage.rs`: the chain of scopes around a job.
//! - `core/next_slot.rs`: one task, handed from thread to thread.
//! - `core/task.rs`: what queues, wakers and handles hold of a task.
//! - `core/task_cell.rs`: a pinned future, later its output, in one allocation.
//! - `core/task_context.rs`: the task that is being polled, for itself.
//! - `core/task_list.rs`: links between tasks that rest.
//! - `pool/blocking.rs`: runs jobs.
//! - `pool/brief.rs`: a slot that a thread from outside keeps.
//! - `pool/current.rs`: the thread-local pointer to the current slot.
//! - `pool/enter.rs`: a root in the frame of a thread that blocks.
//! - `pool/find.rs`: walks the scopes of jobs.
//! - `pool/guest.rs`: takes a slot for a thread from outside.
//! - `pool/lend.rs`: a root in the frame of a thread that may take it back.
//! - `pool/lifecycle.rs`: keeps a slot for the thread that built the pool.
//! - `pool/numbers.rs`: from a task's number to its pool.
//! - `pool/run.rs`: runs jobs, walks their scopes.
//! - `pool/slot.rs`: fields that are the owner's alone.
//! - `pool/tasks.rs`: queues the right to run a task.
//! - `pool/worker.rs`: takes a slot for a new thread.
//! - `par/bridge.rs`: the current slot, for a loop.
//! - `par/piece.rs`: the rest of a loop as a job in the loop's frame.
//! - `par/sources/array.rs`: hands an array's items out by value.
//! - `par/sources/owned.rs`: items in somebody's memory, each handed out or dropped once.
//! - `par/sources/vec.rs`: a vector that forgets items, and closes the gap.
//! - `work/broadcast.rs`: jobs of a scope, posted to each worker.
//! - `work/drop_in.rs`: the current slot, for rayon's drop-in, and a job for a thread that stays after its pool.
//! - `work/join.rs`: the fork protocol's owner side.
//! - `work/local_set.rs`: tasks that stay on their thread.
//! - `work/refused.rs`: a task that ends before it begins.
//! - `work/scope.rs`: jobs that borrow from a frame.
//! - `work/scope_fifo.rs`: tickets for such jobs.
//! - `work/scope_task.rs`: tasks that borrow from a frame.
//! - `work/spawn.rs`: heap jobs and tickets.
//! - `work/spawn_task.rs`: tasks as jobs.
//! - `work/task.rs`: takes a task's output.
//! - `work/task_local.rs`: the place that points to a task's value.
//! - `work/worker.rs`: the current slot as an argument.
//! - `par/ends/fill.rs`: writes items by index, in parallel, into one vector.
//! - `par/sort/halves.rs`: a slice whose elements are in a buffer for a while.
//! - `par/sort/merge.rs`: two runs, merged without branches or checks of bounds.
//! - `par/sort/partition.rs`: a slice with a hole.
//! - `par/sort/stable.rs`: as `halves`.
#![warn(missing_docs)]
#![deny(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod core;
#[cfg(not(filch_loom))]
mod driver;
mod ground;
#[cfg(not(filch_loom))]
mod par;
#[cfg(not(filch_loom))]
mod pool;
#[cfg(not(filch_loom))]
mod work;

#[cfg(not(filch_loom))]
mod exports {
    pub use crate::driver::time;
    pub use crate::ground::error::{BuildError, JoinError, ShutDown, TryCurrentError, TrySpawnError};
    pub use crate::pool::builder::PoolBuilder;
    pub use crate::pool::entered::EnterGuard;
    pub use crate::pool::handle::{Handle, Pool};
    pub use crate::pool::policy::{IdlePolicy, WaitPolicy};
    pub use crate::pool::priority::Priority;
    pub use crate::pool::stats::{PoolStats, stats};
    pub use crate::pool::threads::ThreadBuilder;
    pub use crate::work::admit::{SpawnCpuWhenRoom, SpawnWhenRoom};
    pub use crate::work::block_on::block_on;
    pub use crate::work::blocking::blocking;
    pub use crate::work::broadcast::{BroadcastContext, broadcast, spawn_broadcast};
    pub use crate::work::cancel::{CancellationToken, Cancelled};
    pub use crate::work::install::{
        current_num_threads, current_thread_has_pending_tasks, current_thread_index, max_num_threads,
    };
    pub use crate::work::join::{FnContext, join, join_context};
    pub use crate::work::scope::{Scope, in_place_scope, scope};
    pub use crate::work::scope_fifo::{ScopeFifo, in_place_scope_fifo, scope_fifo};
    pub use crate::work::scope_task::ScopedJoinHandle;
    pub use crate::work::spawn::{spawn_detached, spawn_fifo};
    pub use crate::work::spawn_task::{spawn, spawn_blocking, spawn_cpu};
    pub use crate::work::task::{AbortHandle, JoinHandle};
    pub use crate::work::worker::{Worker, with_worker};
    pub use crate::work::yielding::{Yield, yield_local, yield_now};
}
#[cfg(not(filch_loom))]
pub use exports::*;

#[cfg(all(feature = "macros", not(filch_loom)))]
#[cfg_attr(docsrs, doc(cfg(feature = "macros")))]
#[doc = include_str!("work/doc/main.md")]
#[doc(inline)]
pub use filch_macros::main;
#[cfg(all(feature = "macros", not(filch_loom)))]
#[cfg_attr(docsrs, doc(cfg(feature = "macros")))]
#[doc = include_str!("work/doc/test.md")]
#[doc(inline)]
pub use filch_macros::test;

#[cfg(all(feature = "rayon-core", not(filch_loom)))]
#[doc(hidden)]
pub use crate::work::drop_in;

/// Tasks: what one may do about itself, and handles for more than one.
#[cfg(not(filch_loom))]
pub mod task {
    pub use crate::ground::error::JoinError;
    pub use crate::ground::id::Id;
    pub use crate::work::abort_on_drop::AbortOnDrop;
    #[doc(no_inline)]
    pub use crate::work::abort_on_drop::AbortOnDrop as AbortOnDropHandle;
    pub use crate::work::blocking::blocking as block_in_place;
    pub use crate::work::cancel_guard::{DropGuard, DropGuardRef};
    pub use crate::work::cancel_wait::{WaitForCancellationFuture, WaitForCancellationFutureOwned};
    pub use crate::work::join_set::JoinSet;
    pub use crate::work::local_set::{LocalEnterGuard, LocalSet, spawn_local};
    pub use crate::work::spawn_task::{spawn, spawn_blocking, spawn_cpu};
    pub use crate::work::task::{AbortHandle, JoinHandle};
    pub use crate::work::task_api::{Builder, consume_budget, has_budget_remaining, id, name, try_id, yield_now};
    #[doc(hidden)]
    pub use crate::work::task_local::LocalPlace;
    pub use crate::work::task_local::{AccessError, LocalKey, TaskLocalFuture};
    pub use crate::work::tracker::{TaskTracker, TaskTrackerToken, TaskTrackerWaitFuture, TrackedFuture};

    /// The budget that a task has for each poll. The names are tokio's.
    pub mod coop {
        pub use crate::work::coop::{Coop, RestoreOnPending, Unconstrained, cooperative, poll_proceed, unconstrained};
        pub use crate::work::task_api::{consume_budget, has_budget_remaining};
    }
    #[doc(no_inline)]
    pub use self::coop::{Unconstrained, unconstrained};

    /// Futures that functions of this module return, where tokio has them.
    pub mod futures {
        pub use crate::work::task_local::TaskLocalFuture;
    }
}

#[cfg(not(filch_loom))]
pub mod iter {
    #![doc = include_str!("par/doc/module.md")]

    pub use crate::par::adapters::blocks::{ExponentialBlocks, UniformBlocks};
    pub use crate::par::adapters::chain::Chain;
    pub use crate::par::adapters::chunks::Chunks;
    pub use crate::par::adapters::cloned::{Cloned, Copied};
    pub use crate::par::adapters::enumerate::Enumerate;
    pub use crate::par::adapters::filter::{Filter, FilterMap};
    pub use crate::par::adapters::flat_map::{FlatMap, Flatten};
    pub use crate::par::adapters::flat_map_iter::{FlatMapIter, FlattenIter};
    pub use crate::par::adapters::fold::{Fold, FoldWith};
    pub use crate::par::adapters::fold_chunks::FoldChunks;
    pub use crate::par::adapters::fold_chunks_with::FoldChunksWith;
    pub use crate::par::adapters::inspect::{Inspect, Update};
    pub use crate::par::adapters::interleave::Interleave;
    pub use crate::par::adapters::interleave_shortest::InterleaveShortest;
    pub use crate::par::adapters::intersperse::Intersperse;
    pub use crate::par::adapters::len::{MaxLen, MinLen};
    pub use crate::par::adapters::map::Map;
    pub use crate::par::adapters::map_with::{MapInit, MapWith};
    pub use crate::par::adapters::multizip::MultiZip;
    pub use crate::par::adapters::panic_fuse::PanicFuse;
    pub use crate::par::adapters::positions::Positions;
    pub use crate::par::adapters::rev::Rev;
    pub use crate::par::adapters::skip::Skip;
    pub use crate::par::adapters::step_by::StepBy;
    pub use crate::par::adapters::take::Take;
    pub use crate::par::adapters::take_any::{SkipAny, TakeAny};
    pub use crate::par::adapters::take_any_while::{SkipAnyWhile, TakeAnyWhile};
    pub use crate::par::adapters::try_fold::{TryFold, TryFoldWith};
    pub use crate::par::adapters::while_some::WhileSome;
    pub use crate::par::adapters::zip::Zip;
    pub use crate::par::adapters::zip_eq::ZipEq;
    pub use crate::par::beyond::affinity::{Affinity, Partitioning, WithAffinity, WithPartitioning};
    pub use crate::par::beyond::map_ordered::ParallelMapOrdered;
    pub use crate::par::beyond::progress::{Progress, WithProgress};
    pub use crate::par::beyond::stop::{WithCancel, WithDeadline};
    pub use crate::par::beyond::tiles::{Cells, Tile, Tiles, par_for};
    pub use crate::par::indexed::IndexedParallelIterator;
    pub use crate::par::into::{
        FromParallelIterator, IntoParallelIterator, IntoParallelRefIterator, IntoParallelRefMutIterator,
        ParallelDrainFull, ParallelDrainRange, ParallelExtend,
    };
    pub use crate::par::iter::ParallelIterator;
    pub use crate::par::plumbing;
    pub use crate::par::sources::empty::{Empty, empty};
    pub use crate::par::sources::once::{Once, once};
    pub use crate::par::sources::par_bridge::{IterBridge, ParallelBridge};
    #[allow(deprecated)]
    pub use crate::par::sources::repeat::repeatn;
    pub use crate::par::sources::repeat::{Repeat, RepeatN, repeat, repeat_n};
    pub use crate::par::sources::splitter::{Split, split};
    pub use crate::par::sources::walk_tree::{
        WalkTree, WalkTreePostfix, WalkTreePrefix, walk_tree, walk_tree_postfix, walk_tree_prefix,
    };
    pub use either::Either;
}

/// Parallel iterators over arrays.
#[cfg(not(filch_loom))]
pub mod array {
    pub use crate::par::sources::array::IntoIter;
}

/// Parallel iterators over the standard collections.
#[cfg(not(filch_loom))]
pub mod collections {
    /// Parallel iterators over heaps.
    pub mod binary_heap {
        pub use crate::par::sources::binary_heap::{Drain, IntoIter, Iter};
    }

    /// Parallel iterators over B-tree maps.
    pub mod btree_map {
        pub use crate::par::sources::btree_map::{IntoIter, Iter, IterMut};
    }

    /// Parallel iterators over B-tree sets.
    pub mod btree_set {
        pub use crate::par::sources::btree_set::{IntoIter, Iter};
    }

    /// Parallel iterators over hash maps.
    pub mod hash_map {
        pub use crate::par::sources::hash_map::{Drain, IntoIter, Iter, IterMut};
    }

    /// Parallel iterators over hash sets.
    pub mod hash_set {
        pub use crate::par::sources::hash_set::{Drain, IntoIter, Iter};
    }

    /// Parallel iterators over linked lists.
    pub mod linked_list {
        pub use crate::par::sources::linked_list::{IntoIter, Iter, IterMut};
    }

    /// Parallel iterators over double-ended queues.
    pub mod vec_deque {
        pub use crate::par::sources::vec_deque::{Drain, IntoIter, Iter, IterMut};
    }
}

/// Parallel iterators over options.
#[cfg(not(filch_loom))]
pub mod option {
    pub use crate::par::sources::option::{IntoIter, Iter, IterMut};
}

/// Parallel iterators over ranges.
#[cfg(not(filch_loom))]
pub mod range {
    pub use crate::par::sources::range::Iter;
}

/// Parallel iterators over inclusive ranges.
#[cfg(not(filch_loom))]
pub mod range_inclusive {
    pub use crate::par::sources::range_inclusive::Iter;
}

/// Parallel iterators over results.
#[cfg(not(filch_loom))]
pub mod result {
    pub use crate::par::sources::result::{IntoIter, Iter, IterMut};
}

/// Parallel iterators over slices, and what else is done with slices in parallel.
#[cfg(not(filch_loom))]
pub mod slice {
    pub use crate::par::slice::ParallelSlice;
    pub use crate::par::slice_mut::ParallelSliceMut;
    pub use crate::par::sources::chunk_by::{ChunkBy, ChunkByMut};
    pub use crate::par::sources::chunks::{Chunks, ChunksMut};
    pub use crate::par::sources::chunks_exact::{ChunksExact, ChunksExactMut};
    pub use crate::par::sources::rchunks::{RChunks, RChunksMut};
    pub use crate::par::sources::rchunks_exact::{RChunksExact, RChunksExactMut};
    pub use crate::par::sources::slice::{Iter, IterMut};
    pub use crate::par::sources::slice_split::{Split, SplitInclusive, SplitInclusiveMut, SplitMut};
    pub use crate::par::sources::windows::{ArrayWindows, Windows};
}

/// Parallel iterators over strings.
#[cfg(not(filch_loom))]
pub mod str {
    pub use crate::par::sources::chars::{Bytes, CharIndices, Chars, EncodeUtf16};
    pub use crate::par::sources::lines::{Lines, SplitAsciiWhitespace, SplitWhitespace};
    pub use crate::par::sources::matches::{MatchIndices, Matches};
    pub use crate::par::sources::str_split::{Split, SplitInclusive, SplitTerminator};
    pub use crate::par::string::ParallelString;
}

/// Parallel iterators that take `char`s out of strings.
#[cfg(not(filch_loom))]
pub mod string {
    pub use crate::par::sources::string::Drain;
}

/// Parallel iterators that take items out of vectors.
#[cfg(not(filch_loom))]
pub mod vec {
    pub use crate::par::sources::vec::{Drain, IntoIter};
}

/// What a program that uses parallel iterators imports: `use filch::prelude::*`.
#[cfg(not(filch_loom))]
pub mod prelude {
    pub use crate::iter::{
        FromParallelIterator, IndexedParallelIterator, IntoParallelIterator, IntoParallelRefIterator,
        IntoParallelRefMutIterator, ParallelBridge, ParallelDrainFull, ParallelDrainRange, ParallelExtend,
        ParallelIterator, ParallelMapOrdered,
    };
    pub use crate::slice::{ParallelSlice, ParallelSliceMut};
    pub use crate::str::ParallelString;
}

// The example of the README, which is compiled and run with those of the documentation.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
