//! A workload: how its input is made, the loop in everybody's words, and how results are compared.

use std::time::Duration;

use crate::support::fork::Fork;
use crate::support::rng::{STEP, mix};

/// One loop over one input.
pub trait Workload: Sync + 'static {
    /// The input, and whatever the loop writes; all contenders of a row share it.
    type State: Send;
    type Output: Send;

    /// Makes the input. Called once per row, only when the row runs.
    fn state(&self) -> Self::State;

    /// Undoes what a run wrote. Not timed.
    fn reset(&self, _state: &mut Self::State) {}

    /// What a programmer without a pool would write.
    fn serial(&self, state: &mut Self::State) -> Self::Output;

    /// A fingerprint of what a run on a fresh state has returned or written; everybody's must be the serial program's.
    fn print(&self, state: &Self::State, output: Self::Output) -> u64;

    /// How runs follow each other.
    fn pace(&self) -> Pace {
        Pace::Hot
    }

    /// A turn tells the time of so many runs, however many it makes. More than one for runs of nanoseconds.
    fn runs(&self) -> u32 {
        1
    }

    /// Whether all items cost the same.
    fn is_even(&self) -> bool {
        true
    }
}

/// How the runs of a turn follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// At once, timed as a whole.
    Hot,
    /// Each on a fresh state, timed one by one.
    Afresh,
    /// So many, each after the whole program has been idle for a while. The turn is their median.
    Cold { waits: u32, idle: Duration },
}

/// By rayon's parallel iterators.
pub trait OnRayon: Workload {
    fn rayon(&self, state: &mut Self::State) -> Self::Output;
}

/// By filch's parallel iterators.
pub trait OnFilch: Workload {
    fn filch(&self, state: &mut Self::State) -> Self::Output;
}

/// By those of filch's parallel iterators that rayon has too, where [`OnFilch`] is about one that it has not.
pub trait OnFilchPlain: Workload {
    fn filch_plain(&self, state: &mut Self::State) -> Self::Output;
}

/// By orx-parallel, on its global pool.
pub trait OnOrx: Workload {
    fn orx(&self, state: &mut Self::State) -> Self::Output;
}

/// By paralight.
pub trait OnParalight: Workload {
    fn paralight(&self, pool: &mut paralight::threads::ThreadPool, state: &mut Self::State) -> Self::Output;
}

/// By joins of halves, down to leaves of a microsecond or so.
pub trait OnJoin: Workload {
    fn join<F: Fork>(&self, handle: F::Handle<'_, '_>, state: &mut Self::State) -> Self::Output;
}

/// By threads of the standard library, each with an equal part, started for every run.
pub trait OnThreads: Workload {
    fn threads(&self, threads: usize, state: &mut Self::State) -> Self::Output;
}

/// So many steps of a chain of shifts and multiplications. No compiler can shorten it as long as it does not know the
/// number of steps, nor run the chains of several items in one vector. Never inlined, so that all contenders run the
/// same code: inlined, the compiler unrolled the loop in one and not in another, and short chains differed by half.
#[inline(never)]
pub fn chain(start: u64, steps: u32) -> u64 {
    (0..steps).fold(start, |link, _| (link ^ (link >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9))
}

/// A number that depends on all of `numbers` and their order.
pub fn fingerprint(numbers: impl IntoIterator<Item = u64>) -> u64 {
    numbers.into_iter().fold(STEP, |print, number| mix(print ^ number).wrapping_add(STEP))
}
