//! loom models of filch's protocols: every interleaving that the memory model allows, within loom's bounds.
//!
//! The two lowest floors of filch are compiled into this crate as they stand, with loom's atomics and locks behind
//! `ground/sync`. It is a crate of its own, so that the library never mentions loom, and the models build in seconds.
//!
//! Run by `ci/loom`. Each model has mutants (`--cfg mutant="…"`) that it must catch: a checker has to prove that it
//! can fail. `ci/loom` runs those too, each in a build of its own; `--cfg one_model="…"` leaves the other models out of
//! it, which are most of what a build takes.

#![cfg(all(test, filch_loom))]
#![allow(dead_code, missing_docs)]

#[path = "../../src/core/mod.rs"]
mod core;
#[path = "../../src/ground/mod.rs"]
mod ground;

// What the tree of tokens needs of the floors above: files that know no pool, and the time.
#[path = "../../src/work/cancel_tree.rs"]
mod cancel_tree;
#[path = "../../src/work/waiters.rs"]
mod waiters;
mod work {
    pub(crate) use crate::{cancel_tree, waiters};
}
mod pool {
    pub(crate) mod timers {
        pub(crate) fn now() -> std::time::Instant {
            std::time::Instant::now()
        }
    }
}

// Helpers of several models.
mod queue;

#[cfg(any(not(one_model), one_model = "away_model"))]
#[path = "away.rs"]
mod away_model;
#[cfg(any(not(one_model), one_model = "bell_model"))]
#[path = "bell.rs"]
mod bell_model;
#[cfg(any(not(one_model), one_model = "closure_model"))]
#[path = "closure.rs"]
mod closure_model;
#[cfg(any(not(one_model), one_model = "fork_stack_model"))]
#[path = "fork_stack.rs"]
mod fork_stack_model;
#[cfg(any(not(one_model), one_model = "gate_model"))]
#[path = "gate.rs"]
mod gate_model;
#[cfg(any(not(one_model), one_model = "injector_model"))]
#[path = "injector.rs"]
mod injector_model;
#[cfg(any(not(one_model), one_model = "lane_model"))]
#[path = "lane.rs"]
mod lane_model;
#[cfg(any(not(one_model), one_model = "latch_model"))]
#[path = "latch.rs"]
mod latch_model;
#[cfg(any(not(one_model), one_model = "leapfrog_model"))]
#[path = "leapfrog.rs"]
mod leapfrog_model;
#[cfg(any(not(one_model), one_model = "lent_model"))]
#[path = "lent.rs"]
mod lent_model;
#[cfg(any(not(one_model), one_model = "lookout_model"))]
#[path = "lookout.rs"]
mod lookout_model;
#[cfg(any(not(one_model), one_model = "next_slot_model"))]
#[path = "next_slot.rs"]
mod next_slot_model;
#[cfg(any(not(one_model), one_model = "priority_model"))]
#[path = "priority.rs"]
mod priority_model;
#[cfg(any(not(one_model), one_model = "rest_model"))]
#[path = "rest.rs"]
mod rest_model;
#[cfg(any(not(one_model), one_model = "rhythm_model"))]
#[path = "rhythm.rs"]
mod rhythm_model;
#[cfg(any(not(one_model), one_model = "room_model"))]
#[path = "room.rs"]
mod room_model;
#[cfg(any(not(one_model), one_model = "scope_model"))]
#[path = "scope.rs"]
mod scope_model;
#[cfg(any(not(one_model), one_model = "sleep_model"))]
#[path = "sleep.rs"]
mod sleep_model;
#[cfg(any(not(one_model), one_model = "split_model"))]
#[path = "split.rs"]
mod split_model;
// The models of closures and of the next slot use its world.
#[cfg(any(not(one_model), one_model = "task_model", one_model = "closure_model", one_model = "next_slot_model"))]
#[path = "task.rs"]
mod task_model;
#[cfg(any(not(one_model), one_model = "timers_model"))]
#[path = "timers.rs"]
mod timers_model;
#[cfg(any(not(one_model), one_model = "tree_model"))]
#[path = "tree.rs"]
mod tree_model;
#[cfg(any(not(one_model), one_model = "watch_model"))]
#[path = "watch.rs"]
mod watch_model;

use crate::core::parker::Parker;
use std::sync::Arc;

/// Runs a model with the number of preemptions bounded, which keeps the larger ones within minutes. (Musuvathi and
/// Qadeer found that two suffice for most real defects; we take three.)
fn explore(model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    if builder.preemption_bound.is_none() {
        builder.preemption_bound = Some(3);
    }
    builder.check(model);
}

fn parker() -> Arc<Parker> {
    Arc::new(Parker::new())
}
