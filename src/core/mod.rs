//! Floor 1: the protocols. Jobs, latches, the private fork stack, queues, sleep. Knows nothing of pools.

pub(crate) mod away;
#[allow(unsafe_code)]
pub(crate) mod count_latch;
#[allow(unsafe_code)]
pub(crate) mod follow;
#[allow(unsafe_code)]
pub(crate) mod fork_stack;
pub(crate) mod gate;
#[allow(unsafe_code)]
pub(crate) mod job;
pub(crate) mod keeper;
pub(crate) mod lane;
#[allow(unsafe_code)]
pub(crate) mod latch;
pub(crate) mod lent;
#[allow(unsafe_code)]
pub(crate) mod lineage;
pub(crate) mod lookout;
pub(crate) mod mark;
#[allow(unsafe_code)]
pub(crate) mod next_slot;
pub(crate) mod parker;
pub(crate) mod poll_bell;
pub(crate) mod queue;
pub(crate) mod rest;
pub(crate) mod rhythm;
pub(crate) mod room;
pub(crate) mod slab;
pub(crate) mod sleep;
pub(crate) mod tally;
#[allow(unsafe_code)]
pub(crate) mod task;
#[allow(unsafe_code)]
pub(crate) mod task_cell;
#[allow(unsafe_code)]
#[cfg_attr(filch_loom, path = "task_context_loom.rs")]
pub(crate) mod task_context;
#[allow(unsafe_code)]
pub(crate) mod task_list;
#[cfg(not(filch_loom))]
pub(crate) mod task_notes;
pub(crate) mod task_state;
pub(crate) mod task_tally;
pub(crate) mod timer_shard;
pub(crate) mod wheel;
