//! `for_each` on a slice of numbers, in place, from loops that are over before a thread wakes to loops of a second,
//! with bodies of about 1 ns, 10 ns and 1 µs: a chain of 1, 11 or 640 steps for each number. (What a step takes differs
//! from machine to machine, and the function is called for each number, so the shortest bodies take 2 ns or so.)

use std::hint::black_box;

use super::pieces::{join_each, threads_each};
use super::row::LoopRow;
use super::workload::{OnJoin, OnOrx, OnParalight, OnThreads, Workload, chain, fingerprint};
use crate::support::args::Scale;
use crate::support::fork::Fork;
use crate::support::row::{Row, Unit};

/// Name, items, nanoseconds of the body.
pub const CELLS: [(&str, usize, u32); 18] = [
    ("for-100-1ns", 100, 1),
    ("for-100-10ns", 100, 10),
    ("for-100-1us", 100, 1_000),
    ("for-1k-1ns", 1_000, 1),
    ("for-1k-10ns", 1_000, 10),
    ("for-1k-1us", 1_000, 1_000),
    ("for-10k-1ns", 10_000, 1),
    ("for-10k-10ns", 10_000, 10),
    ("for-10k-1us", 10_000, 1_000),
    ("for-100k-1ns", 100_000, 1),
    ("for-100k-10ns", 100_000, 10),
    ("for-100k-1us", 100_000, 1_000),
    ("for-1m-1ns", 1_000_000, 1),
    ("for-1m-10ns", 1_000_000, 10),
    ("for-1m-1us", 1_000_000, 1_000),
    ("for-10m-1ns", 10_000_000, 1),
    ("for-10m-10ns", 10_000_000, 10),
    ("for-10m-1us", 10_000_000, 1_000),
];

/// A loop of so many nanoseconds is not run by everybody.
const VERY_LONG: u64 = 5_000_000_000;

pub fn rows(scale: Scale) -> Vec<Row> {
    CELLS.into_iter().map(|(id, len, nanoseconds)| row(id, len, nanoseconds, scale)).collect()
}

fn row(id: &'static str, len: usize, nanoseconds: u32, scale: Scale) -> Row {
    let len = scale.pick(len, len.min(1_000_000), len.min(300));
    let title = format!("for_each of {len} numbers, about {nanoseconds} ns each");
    let row = LoopRow::new(id, title, Unit::MICROSECONDS, scale, ForEach { len, nanoseconds });
    if len as u64 * u64::from(nanoseconds) < VERY_LONG {
        return row.all().build();
    }
    row.filch_few().rayon().note("So long a loop is measured with rayon as the only peer.").build()
}

struct ForEach {
    len: usize,
    nanoseconds: u32,
}

struct Numbers {
    numbers: Vec<u64>,
    /// Of the chain; known only when the program runs.
    steps: u32,
}

impl ForEach {
    /// As many items as make a leaf of about a microsecond.
    fn leaf(&self) -> usize {
        1_000 / self.nanoseconds as usize
    }
}

impl Workload for ForEach {
    type State = Numbers;
    type Output = ();

    fn state(&self) -> Numbers {
        let steps = match self.nanoseconds {
            1 => 1,
            10 => 11,
            _ => 640,
        };
        Numbers { numbers: vec![0; self.len], steps: black_box(steps) }
    }

    fn reset(&self, state: &mut Numbers) {
        state.numbers.iter_mut().zip(1..).for_each(|(number, index)| *number = index);
    }

    fn serial(&self, state: &mut Numbers) {
        let steps = state.steps;
        state.numbers.iter_mut().for_each(|number| *number = chain(*number, steps));
    }

    fn print(&self, state: &Numbers, (): ()) -> u64 {
        fingerprint(state.numbers.iter().copied())
    }

    fn runs(&self) -> u32 {
        (1_000_000 / (self.len as u64 * u64::from(self.nanoseconds))).max(1) as u32
    }
}

same_source! {
    ForEach: |self, state| {
        let steps = state.steps;
        state.numbers.par_iter_mut().for_each(|number| *number = chain(*number, steps));
    };
}

impl OnOrx for ForEach {
    fn orx(&self, state: &mut Numbers) {
        use orx_parallel::*;
        let steps = state.steps;
        state.numbers.par_mut().for_each(|number| *number = chain(*number, steps));
    }
}

impl OnParalight for ForEach {
    fn paralight(&self, pool: &mut paralight::threads::ThreadPool, state: &mut Numbers) {
        use paralight::prelude::*;
        let steps = state.steps;
        let numbers = state.numbers.par_iter_mut().with_thread_pool(pool);
        numbers.for_each(|number| *number = chain(*number, steps));
    }
}

impl OnJoin for ForEach {
    fn join<F: Fork>(&self, handle: F::Handle<'_, '_>, state: &mut Numbers) {
        let steps = state.steps;
        join_each::<F, _, _>(handle, &mut state.numbers, self.leaf(), &|_, numbers: &mut [u64]| {
            numbers.iter_mut().for_each(|number| *number = chain(*number, steps));
        });
    }
}

impl OnThreads for ForEach {
    fn threads(&self, threads: usize, state: &mut Numbers) {
        let steps = state.steps;
        threads_each(threads, &mut state.numbers, &|numbers: &mut [u64]| {
            numbers.iter_mut().for_each(|number| *number = chain(*number, steps));
        });
    }
}
