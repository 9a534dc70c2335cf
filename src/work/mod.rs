//! Floor 3: what users call. Fork-join, scopes, closures, tasks.

pub(crate) mod abort_on_drop;
pub(crate) mod admit;
pub(crate) mod block_on;
pub(crate) mod blocking;
#[allow(unsafe_code)]
pub(crate) mod broadcast;
pub(crate) mod cancel;
pub(crate) mod cancel_guard;
pub(crate) mod cancel_tree;
pub(crate) mod cancel_wait;
pub(crate) mod compile_fail;
#[cfg(feature = "macros")]
pub(crate) mod compile_fail_macros;
pub(crate) mod coop;
#[cfg(feature = "rayon-core")]
#[allow(unsafe_code)]
pub mod drop_in;
pub(crate) mod install;
#[allow(unsafe_code)]
pub(crate) mod join;
pub(crate) mod join_set;
pub(crate) mod join_set_ready;
pub(crate) mod join_set_spawn;
#[allow(unsafe_code)]
pub(crate) mod local_set;
#[allow(unsafe_code)]
pub(crate) mod refused;
#[allow(unsafe_code)]
pub(crate) mod scope;
#[allow(unsafe_code)]
pub(crate) mod scope_fifo;
#[allow(unsafe_code)]
pub(crate) mod scope_task;
#[allow(unsafe_code)]
pub(crate) mod spawn;
#[allow(unsafe_code)]
pub(crate) mod spawn_task;
#[allow(unsafe_code)]
pub(crate) mod task;
pub(crate) mod task_api;
#[allow(unsafe_code)]
pub(crate) mod task_local;
pub(crate) mod tracker;
pub(crate) mod tracker_count;
pub(crate) mod tracker_try;
pub(crate) mod waiters;
#[allow(unsafe_code)]
pub(crate) mod worker;
pub(crate) mod yielding;
