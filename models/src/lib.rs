//! loom models of filch's protocols: every interleaving that the memory model allows, within loom's bounds.
//!
//! The two lowest floors of filch are compiled into this crate as they stand, with loom's atomics and locks behind
//! `ground/sync`. It is a crate of its own, so that the library never mentions loom, and the models build in seconds.
//!
//! Run by `ci/loom`. Each model has mutants (`--cfg mutant="…"`) that it must catch: a checker has to prove that it
//! can fail. `ci/loom` runs those too.

#![cfg(all(test, filch_loom))]
#![allow(dead_code, missing_docs)]

#[path = "../../src/core/mod.rs"]
mod core;
#[path = "../../src/ground/mod.rs"]
mod ground;

#[path = "bell.rs"]
mod bell_model;
#[path = "fork_stack.rs"]
mod fork_stack_model;
#[path = "gate.rs"]
mod gate_model;
#[path = "injector.rs"]
mod injector_model;
#[path = "latch.rs"]
mod latch_model;
#[path = "next_slot.rs"]
mod next_slot_model;
#[path = "scope.rs"]
mod scope_model;
#[path = "sleep.rs"]
mod sleep_model;
#[path = "task.rs"]
mod task_model;
#[path = "timers.rs"]
mod timers_model;

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
