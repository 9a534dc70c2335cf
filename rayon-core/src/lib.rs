//! rayon-core's interface on a [filch](https://docs.rs/filch) pool.
//!
//! A program that uses rayon, by itself or through any of its dependencies, replaces the crate rayon-core by this one
//! with a line in its root `Cargo.toml`; `docs/RAYON.md` in filch's repository has it. Then rayon's iterators run on
//! filch, and the global pool of rayon *is* that of filch: async tasks and parallel loops share its threads.
//!
//! ```
//! // Fails to compile with the original: a way to make sure.
//! assert!(rayon_core::is_filch());
//!
//! let (a, b) = rayon_core::join(|| 6, || 7);
//! assert_eq!(a * b, 42);
//! // The same pool:
//! let task = filch::spawn(async { rayon_core::join(|| 6, || 7) });
//! assert_eq!(task.join().unwrap(), (6, 7));
//! ```
//!
//! Names and meanings are rayon-core's, whose documentation holds; here stands what is particular.

#![warn(missing_docs, missing_debug_implementations)]

mod broadcast;
mod builder;
mod configuration;
mod error;
mod join;
mod panics;
mod scope;
mod spawn;
mod start;
mod thread_builder;
mod thread_pool;

pub use broadcast::{BroadcastContext, broadcast, spawn_broadcast};
pub use builder::ThreadPoolBuilder;
#[allow(deprecated)]
pub use configuration::{Configuration, initialize};
pub use error::ThreadPoolBuildError;
pub use filch::{FnContext, Yield};
pub use join::{join, join_context};
pub use scope::{Scope, ScopeFifo, in_place_scope, in_place_scope_fifo, scope, scope_fifo};
pub use spawn::{spawn, spawn_fifo};
pub use thread_builder::ThreadBuilder;
pub use thread_pool::{ThreadPool, current_thread_has_pending_tasks, current_thread_index, yield_local, yield_now};

/// Whether this is filch's rayon-core. It is; the original has no such function.
pub const fn is_filch() -> bool {
    true
}

/// No pool has more threads than this; larger requests are clamped to it.
pub fn max_num_threads() -> usize {
    filch::drop_in::MAX_WORKERS
}

/// The number of threads of the pool that the caller is inside, or of the global one, which is made if need be.
pub fn current_num_threads() -> usize {
    filch::current_num_threads()
}
