//! Who runs a loop: rayon called from a thread outside of its global pool, as a main function does, and by a worker.

use std::sync::Once;
use std::thread;

use super::turn::{Outcome, Turn};
use super::workload::{OnRayon, Workload};

/// How many workers a pool has: one for each core, as global pools have.
pub fn cores() -> usize {
    thread::available_parallelism().map_or(1, |n| n.get())
}

/// Takes turns at a workload.
pub trait Team<W: Workload> {
    /// The contender's name in the table.
    fn name(&self) -> &'static str;

    /// Takes a turn, by however many runs it consists of.
    fn take(&mut self, workload: &W, state: &mut W::State, turn: Turn) -> Outcome;

    /// Called before the contender's turn, outside the measured time.
    fn wake(&self) {}

    /// Called after the contender's turn.
    fn rest(&self) {}
}

/// The global pool, called from outside.
pub struct Outside;

impl Outside {
    pub fn start() -> Self {
        static BUILT: Once = Once::new();
        BUILT.call_once(|| {
            let built = rayon::ThreadPoolBuilder::new().num_threads(cores()).build_global();
            built.expect("nobody has used the global pool before");
        });
        Outside
    }
}

impl<W: OnRayon> Team<W> for Outside {
    fn name(&self) -> &'static str {
        "rayon"
    }

    fn take(&mut self, workload: &W, state: &mut W::State, turn: Turn) -> Outcome {
        turn.take(workload, state, |state| workload.rayon(state))
    }
}

/// A pool, called by a worker.
pub struct Inside(rayon::ThreadPool);

impl Inside {
    pub fn start() -> Self {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(cores()).build();
        Inside(pool.expect("a rayon pool"))
    }
}

impl<W: OnRayon> Team<W> for Inside {
    fn name(&self) -> &'static str {
        "rayon inside"
    }

    fn take(&mut self, workload: &W, state: &mut W::State, turn: Turn) -> Outcome {
        self.0.install(|| turn.take(workload, state, |state| workload.rayon(state)))
    }
}
