//! The contenders: who runs a workload, on which threads, and how their pools are entered.

use std::sync::Once;
use std::thread;

use paralight::prelude::{CpuPinningPolicy, RangeStrategy, ThreadCount, ThreadPoolBuilder};
use paralight::threads::ThreadPool;

use super::turn::{Outcome, Turn};
use super::workload::{OnFilch, OnFilchPlain, OnJoin, OnOrx, OnParalight, OnRayon, OnThreads, Workload};
use crate::support::fork::Library;
use crate::support::libraries::filch_pool;

/// How many workers everybody has: one for each core, as the global pools have.
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

    /// Called after the contender's turn, so that it does not disturb the others.
    fn rest(&self) {}
}

/// Plain loops.
pub struct Serial;

impl<W: Workload> Team<W> for Serial {
    fn name(&self) -> &'static str {
        "serial"
    }

    fn take(&mut self, workload: &W, state: &mut W::State, turn: Turn) -> Outcome {
        turn.take(workload, state, |state| workload.serial(state))
    }
}

/// rayon's global pool, called from outside.
pub struct RayonOutside;

impl RayonOutside {
    pub fn start() -> Self {
        static BUILT: Once = Once::new();
        BUILT.call_once(|| {
            let built = rayon::ThreadPoolBuilder::new().num_threads(cores()).build_global();
            built.expect("nobody has used the global pool before");
        });
        RayonOutside
    }
}

impl<W: OnRayon> Team<W> for RayonOutside {
    fn name(&self) -> &'static str {
        "rayon"
    }

    fn take(&mut self, workload: &W, state: &mut W::State, turn: Turn) -> Outcome {
        turn.take(workload, state, |state| workload.rayon(state))
    }
}

/// rayon, called by a worker.
pub struct RayonInside(rayon::ThreadPool);

impl RayonInside {
    pub fn start() -> Self {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(cores()).build();
        RayonInside(pool.expect("a rayon pool"))
    }
}

impl<W: OnRayon> Team<W> for RayonInside {
    fn name(&self) -> &'static str {
        "rayon inside"
    }

    fn take(&mut self, workload: &W, state: &mut W::State, turn: Turn) -> Outcome {
        self.0.install(|| turn.take(workload, state, |state| workload.rayon(state)))
    }
}

/// filch's global pool, called from outside: the caller is a guest for each loop.
pub struct FilchOutside;

impl<W: OnFilch> Team<W> for FilchOutside {
    fn name(&self) -> &'static str {
        "filch"
    }

    fn take(&mut self, workload: &W, state: &mut W::State, turn: Turn) -> Outcome {
        turn.take(workload, state, |state| workload.filch(state))
    }
}

/// As [`FilchOutside`], with what rayon has too.
pub struct FilchPlain;

impl<W: OnFilchPlain> Team<W> for FilchPlain {
    fn name(&self) -> &'static str {
        "filch, plain"
    }

    fn take(&mut self, workload: &W, state: &mut W::State, turn: Turn) -> Outcome {
        turn.take(workload, state, |state| workload.filch_plain(state))
    }
}

/// filch with another number of workers, called from outside: the caller is a guest for each loop here, too.
pub struct FilchCrowded(pub filch::Pool);

impl FilchCrowded {
    pub fn start(workers: usize) -> Self {
        FilchCrowded(filch_pool(workers))
    }
}

impl<W: OnFilch> Team<W> for FilchCrowded {
    fn name(&self) -> &'static str {
        "filch"
    }

    fn take(&mut self, workload: &W, state: &mut W::State, turn: Turn) -> Outcome {
        turn.take(workload, state, |state| self.0.install(|| workload.filch(state)))
    }
}

/// filch, called by a worker.
pub struct FilchInside(filch::Pool);

impl FilchInside {
    pub fn start() -> Self {
        FilchInside(filch_pool(cores()))
    }
}

impl<W: OnFilch> Team<W> for FilchInside {
    fn name(&self) -> &'static str {
        "filch inside"
    }

    fn take(&mut self, workload: &W, state: &mut W::State, turn: Turn) -> Outcome {
        self.0.install_on_worker(|| turn.take(workload, state, |state| workload.filch(state)))
    }
}

/// orx-parallel on its global pool, called from outside.
pub struct Orx;

impl<W: OnOrx> Team<W> for Orx {
    fn name(&self) -> &'static str {
        "orx-parallel"
    }

    fn take(&mut self, workload: &W, state: &mut W::State, turn: Turn) -> Outcome {
        turn.take(workload, state, |state| workload.orx(state))
    }
}

/// paralight, with the strategy that its documentation recommends for the workload.
pub struct Paralight(ThreadPool);

impl Paralight {
    pub fn start(workload: &impl Workload) -> Self {
        let range_strategy = if workload.is_even() { RangeStrategy::Fixed } else { RangeStrategy::WorkStealing };
        let num_threads = ThreadCount::try_from(cores()).expect("there is a core");
        Paralight(ThreadPoolBuilder { num_threads, range_strategy, cpu_pinning: CpuPinningPolicy::No }.build())
    }
}

impl<W: OnParalight> Team<W> for Paralight {
    fn name(&self) -> &'static str {
        "paralight"
    }

    fn take(&mut self, workload: &W, state: &mut W::State, turn: Turn) -> Outcome {
        turn.take(workload, state, |state| workload.paralight(&mut self.0, state))
    }
}

/// A library of joins, entered once a turn.
pub struct Joins<L: Library>(L);

impl<L: Library> Joins<L> {
    pub fn start() -> Self {
        Joins(L::start(cores()))
    }
}

impl<W: OnJoin, L: Library> Team<W> for Joins<L> {
    fn name(&self) -> &'static str {
        L::NAME
    }

    fn take(&mut self, workload: &W, state: &mut W::State, turn: Turn) -> Outcome {
        self.0.enter(|mut handle| turn.take(workload, state, |state| workload.join::<L>(L::again(&mut handle), state)))
    }

    fn wake(&self) {
        self.0.wake();
    }

    fn rest(&self) {
        self.0.rest();
    }
}

/// `std::thread::scope`.
pub struct StdThreads;

impl<W: OnThreads> Team<W> for StdThreads {
    fn name(&self) -> &'static str {
        "std::thread::scope"
    }

    fn take(&mut self, workload: &W, state: &mut W::State, turn: Turn) -> Outcome {
        turn.take(workload, state, |state| workload.threads(cores(), state))
    }
}
