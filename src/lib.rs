//! One pool of worker threads, sized to the machine's cores, that runs **async tasks** and **CPU-bound closures** side
//! by side, by work stealing.
#![warn(missing_docs)]
#![deny(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod core;
mod ground;
#[cfg(not(filch_loom))]
mod pool;
#[cfg(not(filch_loom))]
mod work;

#[cfg(not(filch_loom))]
mod exports {
    pub use crate::ground::error::{BuildError, JoinError, ShutDown};
    pub use crate::pool::builder::{IdlePolicy, PoolBuilder, WaitPolicy};
    pub use crate::pool::handle::Pool;
    pub use crate::pool::threads::ThreadBuilder;
    pub use crate::work::block_on::block_on;
    pub use crate::work::broadcast::{BroadcastContext, broadcast, spawn_broadcast};
    pub use crate::work::install::{
        current_num_threads, current_thread_has_pending_tasks, current_thread_index, max_num_threads,
    };
    pub use crate::work::join::{FnContext, join, join_context};
    pub use crate::work::scope::{Scope, in_place_scope, scope};
    pub use crate::work::scope_fifo::{ScopeFifo, in_place_scope_fifo, scope_fifo};
    pub use crate::work::spawn::{spawn_detached, spawn_fifo};
    pub use crate::work::spawn_task::{spawn, spawn_blocking, spawn_cpu};
    pub use crate::work::task::JoinHandle;
    pub use crate::work::worker::{Worker, with_worker};
    pub use crate::work::yielding::{Yield, yield_local, yield_now};
}
#[cfg(not(filch_loom))]
pub use exports::*;
