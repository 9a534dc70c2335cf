//! Floor 3: what users call. Fork-join, scopes, closures, tasks.

pub(crate) mod block_on;
#[allow(unsafe_code)]
pub(crate) mod broadcast;
pub(crate) mod install;
#[allow(unsafe_code)]
pub(crate) mod join;
#[allow(unsafe_code)]
pub(crate) mod local_set;
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
pub(crate) mod worker;
pub(crate) mod yielding;
