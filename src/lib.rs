//! One pool of worker threads, sized to the machine's cores, that runs **async tasks** and **CPU-bound closures** side
//! by side, by work stealing.
//!
//! A program that is busy on I/O *and* heavy on computation needs two pools today, one of tokio's and one of rayon's,
//! with twice as many threads as cores and hand-made bridges between them. filch is one pool for both: a task can
//! await a computation, a computation can spawn tasks, and both use the same threads.
//!
//! ```
//! // CPU-bound work: rayon's names and meaning.
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
//! | a future, on a thread that is not async | [`block_on`] |
//! | to wait for a while, or not for ever | [`time`] |
//! | to ask work to end | [`CancellationToken`]; for one task [`JoinHandle::abort`] |
//! | a value that goes along with a task | [`task_local!`] |
//! | a name, an id, a turn for the others | [`task`] |
//! | another number of workers, names, hooks | [`Pool::builder`] |
//!
//! The free functions work on the pool that the calling thread is inside, and outside of any on the global pool, which
//! is made when it is first used.
//!
//! # Channels, locks, I/O
//!
//! There are none here, and none are needed: channels and locks that are written for any executor work on this pool as
//! they are. Those of tokio (`tokio::sync`, which asks for no runtime), async-lock and futures are such, and so are
//! `select!` and `join!` of tokio and futures.
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
//! # How it works, in short
//!
//! Each worker keeps the second arms of its `join`s to itself, in a private stack, and publishes the oldest only when
//! another worker is hungry. So a `join` that nobody steals from costs a few nanoseconds. A worker that waits for a
//! stolen arm helps with that arm and with nothing else; if there is nothing to help with, it parks, and a spare
//! thread takes its seat. Threads from outside take a free seat and run their work in place.
//!
//! A task is one allocation: 40 bytes and its future. A task that is woken by a task is polled next, on the same thread;
//! others wait in that thread's queue, oldest first, and may be stolen. Timers are fired by the workers themselves.
//! `docs/ARCHITECTURE.md` in the repository tells it at length.
//!
//! # The floors
//!
//! `src/` is built in floors; a file names only its own and those below: `ground` (atomics and locks, errors, time),
//! `core` (the protocols), `pool` (threads, seats, who runs what next), `work` (what users call), `driver` (time).
//!
//! # Unsafe code
//!
//! Denied but in these modules:
//!
//! - `ground/barrier.rs`: the `membarrier` system call.
//! - `ground/fork_guard.rs`: asks the system to be told of a fork.
//! - `ground/sync.rs`: memory that a protocol hands from one thread to another.
//! - `core/count_latch.rs`: a latch in a frame that vanishes when it is set.
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
//! - `pool/current.rs`: the thread-local pointer to the current slot.
//! - `pool/enter.rs`: a root in the frame of a thread that blocks.
//! - `pool/find.rs`: runs jobs, walks their scopes.
//! - `pool/guest.rs`: takes a slot for a thread from outside.
//! - `pool/lifecycle.rs`: keeps a slot for the thread that built the pool.
//! - `pool/numbers.rs`: from a task's number to its pool.
//! - `pool/slot.rs`: fields that are the owner's alone.
//! - `pool/tasks.rs`: queues the right to run a task.
//! - `pool/wait.rs`: follows the thief of an awaited job.
//! - `pool/worker.rs`: takes a slot for a new thread.
//! - `work/broadcast.rs`: jobs of a scope, posted to each worker.
//! - `work/join.rs`: the fork protocol's owner side.
//! - `work/local_set.rs`: tasks that stay on their thread.
//! - `work/scope.rs`: jobs that borrow from a frame.
//! - `work/scope_fifo.rs`: tickets for such jobs.
//! - `work/scope_task.rs`: tasks that borrow from a frame.
//! - `work/spawn.rs`: heap jobs and tickets.
//! - `work/spawn_task.rs`: tasks as jobs.
//! - `work/task.rs`: takes a task's output.
//! - `work/task_local.rs`: the place that points to a task's value.
//! - `work/worker.rs`: the current slot as an argument.
#![warn(missing_docs)]
#![deny(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod core;
#[cfg(not(filch_loom))]
mod driver;
mod ground;
#[cfg(not(filch_loom))]
mod pool;
#[cfg(not(filch_loom))]
mod work;

#[cfg(not(filch_loom))]
mod exports {
    pub use crate::driver::time;
    pub use crate::ground::error::{BuildError, JoinError, ShutDown};
    pub use crate::pool::builder::{IdlePolicy, PoolBuilder, WaitPolicy};
    pub use crate::pool::handle::Pool;
    pub use crate::pool::stats::PoolStats;
    pub use crate::pool::threads::ThreadBuilder;
    pub use crate::work::block_on::block_on;
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

/// Tasks: what one may do about itself, and handles for more than one.
#[cfg(not(filch_loom))]
pub mod task {
    pub use crate::ground::error::JoinError;
    pub use crate::ground::id::Id;
    pub use crate::work::abort_on_drop::AbortOnDrop;
    pub use crate::work::cancel_guard::{DropGuard, DropGuardRef};
    pub use crate::work::cancel_wait::{WaitForCancellationFuture, WaitForCancellationFutureOwned};
    pub use crate::work::join_set::JoinSet;
    pub use crate::work::local_set::{LocalSet, spawn_local};
    pub use crate::work::spawn_task::{spawn, spawn_blocking, spawn_cpu};
    pub use crate::work::task::{AbortHandle, JoinHandle};
    pub use crate::work::task_api::{Builder, consume_budget, has_budget_remaining, id, name, try_id, yield_now};
    #[doc(hidden)]
    pub use crate::work::task_local::LocalPlace;
    pub use crate::work::task_local::{AccessError, LocalKey, TaskLocalFuture};
    pub use crate::work::tracker::{TaskTracker, TaskTrackerToken, TaskTrackerWaitFuture, TrackedFuture};
}
